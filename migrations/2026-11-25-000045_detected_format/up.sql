-- The format of a log is found out from its first lines, once, and kept.

alter table ingest_state add column detected_format text;
comment on column ingest_state.detected_format is 'The format in which the lines of the file were found to be written, where the config leaves it to tripline; null: not found out yet.';
comment on column ingest_state.redated_entries is 'Entries so far that show no time and got that of the one before, or were dated more than a day after the tick and got the tick''s time.';

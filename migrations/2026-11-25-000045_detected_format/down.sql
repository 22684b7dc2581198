comment on column ingest_state.redated_entries is 'Entries so far that were dated more than a day after the tick and got the tick''s time.';
alter table ingest_state drop column detected_format;

-- The journal of systemd has no offsets: it says itself where an entry is.

alter table ingest_state add column journal_cursor text;
comment on column ingest_state.journal_cursor is 'Where in the journal of systemd the last entry is that was read; null: the source is a file, or nothing was read yet.';
comment on column sources.path is 'Absolute path of the log on that host; journal: and units for the journal of systemd.';
comment on column ingest_state.byte_offset is 'Bytes of the file that are stored and counted: the end of the last complete line read. Of the journal: bytes that it has given out.';

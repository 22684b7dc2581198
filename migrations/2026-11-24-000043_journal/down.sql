alter table ingest_state drop column journal_cursor;
comment on column sources.path is 'Absolute path of the log on that host.';
comment on column ingest_state.byte_offset is 'Bytes of the file that are stored and counted: the end of the last complete line read.';

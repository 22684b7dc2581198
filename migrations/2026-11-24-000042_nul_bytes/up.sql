-- A log that was truncated under a writer that goes on at its old offset begins with NUL bytes.

alter table ingest_state add column nul_bytes bigint not null default 0;
comment on column ingest_state.nul_bytes is 'NUL bytes so far that stood before a line and were skipped.';

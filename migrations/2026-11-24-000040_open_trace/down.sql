alter table ingest_state drop column open_trace;

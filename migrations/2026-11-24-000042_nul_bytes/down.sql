alter table ingest_state drop column nul_bytes;

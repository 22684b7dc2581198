alter table ingest_state drop column unparsed_samples;

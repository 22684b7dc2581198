drop table ingest_tails;

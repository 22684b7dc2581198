-- A log that is empty at two runs may have been filled, copied and emptied in between: then it
-- was changed since. (With one more column ingest_state would be wider than diesel's tables.)

alter table sources add column empty_since timestamptz;
comment on column sources.empty_since is 'When the file at the path was changed last, if it was empty when the files beside it were looked at; null: it was not.';

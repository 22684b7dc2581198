-- The last lines of a log that could not be parsed, so that status can show what they are like.

alter table ingest_state add column unparsed_samples text[] not null default '{}';
comment on column ingest_state.unparsed_samples is 'The last three lines, cut to 200 characters, that neither began nor continued an entry.';

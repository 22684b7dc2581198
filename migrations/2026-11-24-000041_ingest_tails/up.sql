-- A last line without an end waits for it. If none comes for a while, what there is of it is
-- stored, and replaced when the whole line is there.

create table ingest_tails (
    source_id     bigint      not null,
    generation    bigint      not null,
    byte_offset   bigint      not null,
    bytes         bigint      not null,
    hash          bigint      not null,
    first_seen_at timestamptz not null,
    flushed       jsonb,
    constraint ingest_tails_pkey primary key (source_id),
    constraint tail_of_a_source foreign key (source_id) references sources (id),
    constraint tail_is_not_empty check (bytes > 0)
);
comment on table  ingest_tails is 'The last line of a log where it has no end yet. A row counts only as long as ingest_state stands at its generation and byte_offset.';
comment on column ingest_tails.source_id is 'The source.';
comment on column ingest_tails.generation is 'The file.';
comment on column ingest_tails.byte_offset is 'Where in the file the line begins.';
comment on column ingest_tails.bytes is 'How many bytes of it there are.';
comment on column ingest_tails.hash is 'XXH3 of those bytes of it that are kept: says whether the line was rewritten.';
comment on column ingest_tails.first_seen_at is 'The tick that first saw it as it is now; idle_flush counts from here.';
comment on column ingest_tails.flushed is 'How the line was stored and counted although it has no end, which is taken back when it goes on; null: it was not.';

-- Every file that a log consisted of is known by its content: those that were read, those that
-- may still get lines, and those that lay beside the log when it was first seen.

alter table ingest_state
    add column begin_hash     bigint  not null default 0,
    add column file_path      text,
    add column archives_noted boolean not null default false;
comment on column ingest_state.begin_hash is 'XXH3 of the first min(64, byte_offset) bytes: tells a copy that was made before the last of them was read.';
comment on column ingest_state.file_path is 'Where the file being read lies, where that is not the source''s path: behind a symlink.';
comment on column ingest_state.archives_noted is 'Whether the files that lay beside the log are known, so that one that comes is new.';

alter table generations
    add column begin_hash bigint not null default 0,
    add column size_bytes bigint not null default 0,
    add column file_hash  bigint,
    add column state      text   not null default 'finished',
    add constraint state_is_known check (state in ('unfinished', 'finished', 'skipped', 'lost'));
update generations
set size_bytes = byte_offset,
    state = case when complete then 'finished' else 'lost' end;
alter table generations
    alter column size_bytes drop default,
    alter column state drop default,
    drop column complete;
create index unfinished_generations on generations (source_id) where state = 'unfinished';
create index generations_by_inode on generations (source_id, inode);
comment on table generations is 'Earlier files of a source, and files that were there before it. Which lines came from which file is in generation_lines.';
comment on column generations.generation is 'Which of its files, counted from 1 in the order of reading; below 0: was there before the log was first seen.';
comment on column generations.byte_offset is 'Bytes of it that were read, uncompressed.';
comment on column generations.begin_hash is 'XXH3 of its first min(64, byte_offset) bytes.';
comment on column generations.size_bytes is 'Size of the file when it was last looked at, compressed if it is.';
comment on column generations.file_hash is 'XXH3 of the ends of a compressed file as it lies on the disk: spares decompressing it again. Null: not compressed.';
comment on column generations.state is 'unfinished: more may come, each run looks. finished: read to its end. skipped: was there before the log was first seen. lost: gone before all of it was read.';

create table generation_lines (
    source_id     bigint not null,
    first_line_no bigint not null,
    generation    bigint not null,
    constraint generation_lines_pkey primary key (source_id, first_line_no),
    constraint generation_lines_of_a_source foreign key (source_id) references sources (id)
);
comment on table  generation_lines is 'From which line on the lines of a source came from which of its files.';
comment on column generation_lines.source_id is 'The source.';
comment on column generation_lines.first_line_no is 'The first line of a stretch from one file.';
comment on column generation_lines.generation is 'The file: one of generations, or the one that is being read.';
insert into generation_lines (source_id, first_line_no, generation)
select source_id, first_line_no, max(generation)
from (
    select source_id, first_line_no, generation from generations
    union all
    select source_id, first_line_no, generation from ingest_state where first_line_no <= line_no
) known
group by source_id, first_line_no;
alter table generations drop column first_line_no;
alter table ingest_state drop column first_line_no;

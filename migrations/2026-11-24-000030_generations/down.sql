alter table ingest_state add column first_line_no bigint not null default 1;
update ingest_state state
set first_line_no = coalesce(
    (
        select min(first_line_no) from generation_lines lines
        where lines.source_id = state.source_id and lines.generation = state.generation
    ),
    state.line_no + 1
);
comment on column ingest_state.first_line_no is 'Number of the first line of this file.';
alter table ingest_state
    drop column begin_hash,
    drop column file_path,
    drop column archives_noted;

-- Before, only files that were read had a row, and each one a first line.
delete from generations where state = 'skipped' or byte_offset = 0;
alter table generations add column first_line_no bigint, add column complete boolean;
update generations
set complete = state = 'finished',
    first_line_no = coalesce(
        (
            select min(lines.first_line_no) from generation_lines lines
            where lines.source_id = generations.source_id
              and lines.generation = generations.generation
        ),
        1
    );
alter table generations
    alter column first_line_no set not null,
    alter column complete set not null,
    drop column begin_hash,
    drop column size_bytes,
    drop column file_hash,
    drop column state;
drop index generations_by_inode;
drop table generation_lines;
comment on table  generations is 'Earlier files of a source. The file of an entry is the one with the greatest first_line_no that is not above the entry''s line_no.';
comment on column generations.generation is 'Which of its files, counted from 1.';
comment on column generations.byte_offset is 'Bytes of it that were read.';
comment on column generations.first_line_no is 'Number of its first line.';
comment on column generations.complete is 'Whether it was read to its end.';

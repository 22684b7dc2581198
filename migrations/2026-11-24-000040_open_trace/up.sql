-- A few lines of a stack trace are known only by what stands before them, perhaps in an
-- earlier run.

alter table ingest_state
    add column open_trace text,
    add constraint open_trace_is_known check (open_trace in ('python', 'go', 'rust', 'node'));
comment on column ingest_state.open_trace is 'What has begun in the last lines read, where the next line is known only by its place: the stack trace of python, go, rust or node; null: nothing.';

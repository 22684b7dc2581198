update ingest_state set open_trace = null
where open_trace in ('quoted', 'split_stdout', 'split_stderr');

alter table ingest_state
    drop constraint open_trace_is_known,
    add constraint open_trace_is_known check (open_trace in ('python', 'go', 'rust', 'node'));
comment on column ingest_state.open_trace is 'What has begun in the last lines read, where the next line is known only by its place: the stack trace of python, go, rust or node; null: nothing.';

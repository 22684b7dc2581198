-- A text in quotes goes over several lines in the csvlog of PostgreSQL, and container runtimes
-- split lines that are too long for them.

alter table ingest_state
    drop constraint open_trace_is_known,
    add constraint open_trace_is_known check (open_trace in
        ('python', 'go', 'rust', 'node', 'quoted', 'split_stdout', 'split_stderr'));
comment on column ingest_state.open_trace is 'What has begun in the last lines read, where the next line is known only by its place: the stack trace of python, go, rust or node; a text in quotes (quoted); a line of a container''s output that its runtime split (split_stdout, split_stderr); null: nothing.';

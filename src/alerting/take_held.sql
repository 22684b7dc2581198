-- What was held back of the sources $1 is to be evaluated again.
update ingest_state
set dirty       = dirty + held,
    counted     = counted + held,
    held        = '{}',
    judge_at    = null,
    judge_again = true
where source_id = any ($1)

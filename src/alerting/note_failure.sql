-- Rule $2 could not evaluate what is dirty of source $1 from $3 to $4 at tick $5, because of $6;
-- it is tried again at $7. Returns whether people are to be told.
insert into rule_backlog as known (source_id, rule_id, dirty, failures, failed_since, last_error, shown_at, next_try_at)
values ($1, $2, tstzmultirange(tstzrange($3, $4, '[]')), 1, $5, $6, $5, $7)
on conflict on constraint rule_backlog_pkey do update set
    dirty        = known.dirty + excluded.dirty,
    failures     = known.failures + 1,
    failed_since = coalesce(known.failed_since, excluded.failed_since),
    last_error   = excluded.last_error,
    shown_at     = case
        when known.shown_at > excluded.shown_at - interval '1 hour' then known.shown_at
        else excluded.shown_at
    end,
    next_try_at  = excluded.next_try_at
returning shown_at = $5 as tell

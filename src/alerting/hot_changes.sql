-- What new lines of the sources $1 say of rules whose intervals are replaced, of rules $2, or of
-- all, but not of $3: those that hold, those that no longer hold and are kept, and those that say
-- for which time.
select
    one.source_id, change.rule_id, change.group_key, change.hot_from,
    nullif(change.hot_until, 'infinity') as hot_until, change.full_from, change.known_from,
    change.measured,
    -- Null: the rule has no such limit (any more).
    coalesce(change.is_hot, false) as is_hot
from unnest($1) as one (source_id)
cross join lateral (
    select *
    from {view} change
    where change.source_id = one.source_id
      and change.rule_id = any ($2)
      and (
          change.is_hot
          or {replaces_range}
          or exists (
              select from hot_intervals kept
              where kept.source_id = change.source_id
                and kept.rule_id = change.rule_id
                and kept.group_key = change.group_key
                and kept.hot_from = change.hot_from
          )
      )
    offset 0
) change
order by one.source_id, change.rule_id, change.group_key, change.hot_from

-- Keeps intervals of source $1: $2 rules, $3 groups, $4 from, $5 until (null: for ever), $6 from
-- when there is an alert, $7 measured.
insert into hot_intervals (source_id, rule_id, group_key, hot_from, hot_until, full_from, measured)
select $1, rule_id, group_key, hot_from, coalesce(hot_until, 'infinity'), full_from, measured
from unnest($2, $3, $4, $5, $6, $7)
    as new (rule_id, group_key, hot_from, hot_until, full_from, measured)
on conflict on constraint hot_intervals_pkey do update set
    hot_until = excluded.hot_until,
    full_from = excluded.full_from,
    measured  = excluded.measured

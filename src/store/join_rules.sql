-- What rules of host $1 found that host $2 has as well goes over to the rules of $2.
with pair as (
    select old.id as old_id, new.id as new_id
    from alert_rules old
    join alert_rules new on new.name = old.name
    where old.host = $1
      and new.host = $2
), alert as (
    update alerts
    set rule_id = pair.new_id
    from pair
    where alerts.rule_id = pair.old_id
), hot_interval as (
    update hot_intervals
    set rule_id = pair.new_id
    from pair
    where hot_intervals.rule_id = pair.old_id
), bucket as (
    delete from bucket_counts using pair where rule_id = pair.old_id
), span as (
    delete from counted_spans using pair where rule_id = pair.old_id
)
update rule_backlog
set rule_id = pair.new_id
from pair
where rule_backlog.rule_id = pair.old_id

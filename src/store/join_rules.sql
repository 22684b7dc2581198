-- Alerts of host $1 by rules that host $2 has as well go over to the rules of $2.
with pair as (
    select old.id as old_id, new.id as new_id
    from alert_rules old
    join alert_rules new on new.name = old.name
    where old.host = $1
      and new.host = $2
)
update alerts
set rule_id = pair.new_id
from pair
where alerts.rule_id = pair.old_id

-- What the run at tick $1 announced.
select notification.kind, rule.name as rule, source.name as source,
       alert.started_at, alert.ended_at, alert.measured
from notifications notification
join alerts alert on alert.source_id = notification.source_id and alert.id = notification.alert_id
join alert_rules rule on rule.id = alert.rule_id
join sources source on source.id = alert.source_id
where notification.created_at = $1
order by alert.started_at, notification.id

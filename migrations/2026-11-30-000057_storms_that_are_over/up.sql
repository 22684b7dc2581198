-- Which storms still go on is asked by every run: those that are over are not looked at again.
alter table notifications
    add column over_at timestamptz;
comment on column notifications.over_at is 'Of a storm: the tick at which none of its alerts fired any more, and who wants to know it was told; null: not yet, or nobody wants to.';
update notifications storm
set over_at = told.created_at
from notifications told
where storm.kind = 'storm'
  and told.source_id = storm.source_id
  and told.alert_id = storm.alert_id
  and told.channel = storm.channel
  and told.kind = 'storm_over'
  and told.number = storm.number;
drop index notifications_storms;
create index notifications_storms on notifications (channel) where kind = 'storm' and over_at is null;
create index alerts_in_storms on alerts (rule_id)
    where held_back = 'storm' and resolved_at is null and merged_into is null;

drop index alerts_in_storms;
drop index notifications_storms;
create index notifications_storms on notifications (source_id, alert_id)
    where kind = 'storm';
alter table notifications
    drop column over_at;

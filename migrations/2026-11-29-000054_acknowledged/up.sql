-- Who can show it hears that somebody has taken an alert on, and that a storm is over.
alter table notifications
    drop constraint kind_is_known,
    add constraint kind_is_known check (kind in ('fired', 'reminder', 'resolved', 'storm', 'acknowledged', 'storm_over'));
comment on column notifications.kind is 'fired, reminder, resolved, storm, acknowledged or storm_over. A resolved one without a fired one before it tells both.';
-- Few are, and those of one rule are wanted when one of its alerts is over.
create index notifications_storms on notifications (source_id, alert_id)
    where kind = 'storm';

-- What is told again in each run waits too when the other side asks for time.
alter table channel_states
    add column leave_alone_until timestamptz;
comment on column channel_states.leave_alone_until is 'Until when the other side has asked to be left alone; null: it has not.';

delete from silences where weekly is not null or ended_at is not null or ends_at is null;
drop index silences_in_force;
alter table silences
    drop column ended_by,
    drop column ended_at,
    drop column weekly,
    alter column ends_at set not null;
comment on table  silences is 'Times in which alerts are recorded but not announced. Not used by this version.';
comment on column silences.group_key is 'Group it mutes; null: any.';
comment on column silences.ends_at is 'Until when, by the wall clock.';

delete from notifications where kind = 'storm';
alter table notifications
    drop column further,
    drop constraint kind_is_known,
    add constraint kind_is_known check (kind in ('fired', 'reminder', 'resolved'));

drop table alert_events;

drop index alerts_to_look_at;
alter table alerts
    drop constraint held_back_is_known,
    drop column closed_at,
    drop column acked_by,
    drop column acked_at,
    drop column reminders,
    drop column look_at,
    drop column held_back,
    drop column told_at;
comment on column alerts.fired_at  is 'The tick at which it was announced as firing; null: not announced yet.';
alter table alert_rules drop column remind_every;

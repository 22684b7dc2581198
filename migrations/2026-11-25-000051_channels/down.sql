drop table channel_states;
drop index notifications_undelivered;
create index notifications_due on notifications (host, next_attempt_at)
    where delivered_at is null and given_up_at is null;
comment on column notifications.channel is 'Where it goes: stdout.';
alter table notifications drop column why;

-- Messages that people give up, and those that the program has given up, found without the others.
alter table notifications
    add column given_up_by text,
    add constraint given_up_by_is_given_up check (given_up_by is null or given_up_at is not null);
comment on column notifications.given_up_by is 'Who gave it up by hand; null: the program, after its channel had failed for too long.';
create index notifications_given_up on notifications (given_up_at)
    where given_up_at is not null;

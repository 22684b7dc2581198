alter table channel_states
    drop column leave_alone_until;
drop index notifications_storms;
delete from notifications where kind in ('acknowledged', 'storm_over');
alter table notifications
    drop constraint kind_is_known,
    add constraint kind_is_known check (kind in ('fired', 'reminder', 'resolved', 'storm'));
comment on column notifications.kind is 'fired, reminder or resolved. A resolved one without a fired one before it tells both.';

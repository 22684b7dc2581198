drop index notifications_given_up;
alter table notifications
    drop constraint given_up_by_is_given_up,
    drop column given_up_by;

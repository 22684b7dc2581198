-- Messages to channels of different kinds, of which each can fail by itself.
alter table notifications
    add column why text not null default 'no channel is configured';
comment on column notifications.why is 'Why this channel was chosen.';
comment on column notifications.channel is 'Where it goes: the name of a channel of the config, or stdout.';

-- A channel takes its messages in the order in which they were written.
drop index notifications_due;
create index notifications_undelivered on notifications (host, channel, id)
    where delivered_at is null and given_up_at is null;

create table channel_states (
    host          text        not null,
    channel       text        not null,
    delivered_at  timestamptz,
    failing_since timestamptz,
    told_at       timestamptz,
    last_error    text,
    constraint channel_states_pkey primary key (host, channel),
    constraint a_failure_has_a_reason check ((failing_since is null) = (last_error is null))
);
comment on table  channel_states is 'How the last deliveries of a host to a channel went.';
comment on column channel_states.host is 'The host that delivers.';
comment on column channel_states.channel is 'The channel.';
comment on column channel_states.delivered_at is 'The last tick that delivered something; null: none so far.';
comment on column channel_states.failing_since is 'The tick from which on deliveries have failed; null: the last one did not.';
comment on column channel_states.told_at is 'The tick at which the failure was last told on standard error.';
comment on column channel_states.last_error is 'Why the last delivery failed; null: it did not.';

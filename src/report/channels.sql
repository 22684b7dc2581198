-- How the channels of host $1 do: what waits, and since when each has failed.
select
    channel,
    (
        select count(*)
        from notifications notification
        where notification.host = $1
          and notification.channel = known.channel
          and notification.delivered_at is null
          and notification.given_up_at is null
    ) as waiting,
    state.failing_since,
    state.last_error,
    state.delivered_at
from (
    select channel from channel_states where host = $1
    union
    select channel from notifications where host = $1 and delivered_at is null and given_up_at is null
) known
left join channel_states state using (channel)
where state.host = $1 or state.host is null

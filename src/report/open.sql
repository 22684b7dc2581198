-- How many alerts are open, how many of them people should know of, by severity; how many
-- notifications wait, and how many the program has given up since $1.
select alert.*, notification.*
from (
    select
        count(*) as alerts,
        count(*) filter (where severity = 'critical' and is_to_be_known) as critical,
        count(*) filter (where severity = 'warning' and is_to_be_known) as warning,
        count(*) filter (where severity = 'info' and is_to_be_known) as info
    from (
        select severity, fired_at is not null and coalesce(held_back, '') not in ('for', 'hours', 'silenced') as is_to_be_known
        from alerts
        where resolved_at is null and merged_into is null and retracted_at is null
    ) open_alert
) alert
cross join (
    select
        (select count(*) from notifications where delivered_at is null and given_up_at is null) as undelivered,
        (select count(*) from notifications where given_up_at > $1 and given_up_by is null) as given_up
) notification

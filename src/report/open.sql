-- How many alerts fire, and how many notifications wait.
select
    (
        select count(*) from alerts
        where resolved_at is null and merged_into is null and retracted_at is null
    ) as open_alerts,
    (
        select count(*) from notifications
        where delivered_at is null and given_up_at is null
    ) as undelivered

-- Whose transaction is the oldest of those that hold locks on tables of our schema. PostgreSQL
-- hides state and beginning from roles that may not see them.
select
    activity.pid,
    activity.usename::text as user_name,
    nullif(activity.application_name, '') as application,
    activity.state,
    activity.xact_start as began_at
from pg_stat_activity activity
where activity.datname = current_database()
  and activity.pid <> pg_backend_pid()
  and exists (
      select
      from pg_locks held
      join pg_database database on database.oid = held.database
      join pg_class locked on locked.oid = held.relation
      join pg_class ours on ours.relnamespace = locked.relnamespace
      where held.pid = activity.pid
        and held.granted
        and database.datname = current_database()
        and ours.oid = 'ingest_state'::regclass
  )
order by activity.xact_start nulls last, activity.pid
limit 1

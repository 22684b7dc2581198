-- Entries that are asked for. $1 sources, $2 from when on, $3 before when, $4 levels, $5 a regular
-- expression: each null where anything will do. $6 keys of fields and $7 their values, all of
-- which must be so. A key with dots is looked up as it is, and then as a path.
with matching as not materialized (
    select source_id, logged_at, line_no, byte_offset, fingerprint, level, message, fields
    from log_entries
    where ($2 is null or logged_at >= $2)
      and ($3 is null or logged_at < $3)
      -- In a query of its own the levels are converted once, not for each row.
      and ($4 is null or level = any ((select $4::log_level[])::log_level[]))
      and ($5 is null or message ~ $5)
      and (cardinality($6) = 0 or not exists (
          select
          from unnest($6, $7) as wanted (key, value)
          where coalesce(fields ->> wanted.key, fields #>> string_to_array(wanted.key, '.'))
              is distinct from wanted.value
      ))
)

-- Takes back how the last line of source $1 was stored and counted although it had no end.
-- $2 time of the entry it was stored as or null, $3 number of its first line, $4 characters that
-- it added to an entry before it, $5 and $6 time and line number of that, $7 minute in which it
-- was counted and $8 by which counter, $9 parsed, $10 unparsed, $11 cut, $12 redated, $13 NUL
-- bytes, $14 and $15 first and last time of the lines counted in that minute before it, or null,
-- $16 lines of it besides the first, which were counted as unparsed too or as continued
with entry as (
    delete from log_entries
    where source_id = $1 and logged_at = $2 and line_no = $3
), added as (
    update log_entries
    set message = left(message, -$4)
    where source_id = $1 and logged_at = $5 and line_no = $6 and $4 > 0
), counted as (
    update line_counts
    set trace     = trace     - ($8 = 'trace')::int,
        debug     = debug     - ($8 = 'debug')::int,
        info      = info      - ($8 = 'info')::int,
        warning   = warning   - ($8 = 'warning')::int,
        error     = error     - ($8 = 'error')::int,
        fatal     = fatal     - ($8 = 'fatal')::int,
        continued = continued - ($8 = 'continued')::int - ($8 <> 'unparsed')::int * $16,
        unparsed  = unparsed  - $10,
        first_at  = coalesce($14, first_at),
        last_at   = coalesce($15, last_at)
    where source_id = $1 and minute = $7
), forgotten as (
    delete from ingest_tails
    where source_id = $1
)
update ingest_state
set line_no         = line_no - 1 - $16,
    parsed_lines    = parsed_lines - $9,
    unparsed_lines  = unparsed_lines - $10,
    cut_lines       = cut_lines - $11,
    redated_entries = redated_entries - $12,
    nul_bytes       = nul_bytes - $13
where source_id = $1

-- Adds the counts of a chunk and moves the offset to $4 in file $2 of source $1, which is the one
-- at the path or an earlier one. $3 hash of the first bytes,
-- $5 head, $6 marker, $7 size, $8 lines, $9 parsed, $10 unparsed, $11 cut, $12 redated,
-- $13 last time read, $14 to $18 the open entry, $19 tick if the end of the file was reached,
-- $20 and $21 dirty ranges, $22 minutes and $23 to $30 their counts, $31 the open trace,
-- $32 skipped NUL bytes, $33 cursor or null, $34 detected format,
-- $35 lines that could not be parsed, the last ones, at most three, $36 and $37 dirty ranges of
-- counts, $38 and $39 the first and last times of the minutes, $40 whether stored entries were
-- changed
with counted as (
    insert into line_counts as known (source_id, minute, trace, debug, info, warning, error,
                                      fatal, continued, unparsed, first_at, last_at)
    select $1, new.*
    from unnest($22, $23, $24, $25, $26, $27, $28, $29, $30, $38, $39)
        as new (minute, trace, debug, info, warning, error, fatal, continued, unparsed, first_at, last_at)
    on conflict on constraint line_counts_pkey do update set
        trace     = known.trace     + excluded.trace,
        debug     = known.debug     + excluded.debug,
        info      = known.info      + excluded.info,
        warning   = known.warning   + excluded.warning,
        error     = known.error     + excluded.error,
        fatal     = known.fatal     + excluded.fatal,
        continued = known.continued + excluded.continued,
        unparsed  = known.unparsed  + excluded.unparsed,
        first_at  = least(known.first_at, excluded.first_at),
        last_at   = greatest(known.last_at, excluded.last_at)
), earlier as (
    update generations
    set byte_offset = $4, head_hash = $5, marker_hash = $6, begin_hash = $3, size_bytes = $7
    where source_id = $1 and generation = $2
), stretch as (
    insert into generation_lines (source_id, first_line_no, generation)
    select $1, state.line_no + 1, $2
    from ingest_state state
    where state.source_id = $1
      and $2 is distinct from (
          select lines.generation from generation_lines lines
          where lines.source_id = $1
          order by lines.first_line_no desc
          limit 1
      )
    -- A chunk that ended before its first line may have left its row.
    on conflict on constraint generation_lines_pkey do update set generation = excluded.generation
)
update ingest_state
set byte_offset     = case when generation = $2 then $4 else byte_offset end,
    head_hash       = case when generation = $2 then $5 else head_hash end,
    marker_hash     = case when generation = $2 then $6 else marker_hash end,
    begin_hash      = case when generation = $2 then $3 else begin_hash end,
    size_bytes      = case when generation = $2 then $7 else size_bytes end,
    line_no         = line_no + $8,
    parsed_lines    = parsed_lines + $9,
    unparsed_lines  = unparsed_lines + $10,
    cut_lines       = cut_lines + $11,
    nul_bytes       = nul_bytes + $32,
    redated_entries = redated_entries + $12,
    last_logged_at  = $13,
    open_line_no    = $14,
    open_logged_at  = $15,
    open_level      = $16::log_level,
    open_lines      = $17,
    open_bytes      = $18,
    open_trace      = $31,
    journal_cursor  = coalesce($33, journal_cursor),
    detected_format = $34,
    unparsed_samples = (unparsed_samples || $35)[
        greatest(1, cardinality(unparsed_samples || $35) - 2):
    ],
    read_to_end_at  = case when generation = $2 then $19 end,
    dirty           = (
        select coalesce(range_agg(tstzrange(dirty_from, dirty_to, '[]')), '{}')
        from unnest($20, $21) as new_dirty (dirty_from, dirty_to)
    ),
    counted         = (
        select coalesce(range_agg(tstzrange(dirty_from, dirty_to, '[]')), '{}')
        from unnest($36, $37) as new_counted (dirty_from, dirty_to)
    ),
    judge_again     = judge_again or $40
where source_id = $1

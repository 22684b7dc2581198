-- Leaves generation $2, read up to $3, and goes to the beginning of the file at the path.
-- $1 source, $4 where the old file lies, $5 complete, $6 reason of a gap or null, $7 bytes lost,
-- $8 device, $9 inode, $10 and $11 hashes of an empty head and marker, $12 tick
with kept as (
    insert into generations (source_id, generation, path, device, inode, byte_offset, head_hash,
                             marker_hash, first_line_no, complete, superseded_at)
    select source_id, generation, $4, device, inode, byte_offset, head_hash, marker_hash,
           first_line_no, $5, $12
    from ingest_state
    where source_id = $1 and generation = $2 and byte_offset = $3
), gap as (
    insert into ingest_gaps (source_id, generation, byte_offset, lost_bytes, reason, detected_at)
    select source_id, generation, byte_offset, $7, $6, $12
    from ingest_state
    where source_id = $1 and generation = $2 and byte_offset = $3 and $6::text is not null
)
-- The open entry stays open: a stack trace may go on in the next file.
update ingest_state
set generation = generation + 1, device = $8, inode = $9, byte_offset = 0, head_hash = $10,
    marker_hash = $11, size_bytes = 0, first_line_no = line_no + 1, read_to_end_at = null
where source_id = $1 and generation = $2 and byte_offset = $3

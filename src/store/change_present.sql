-- Goes to file $2 of source $1: $3 device, $4 inode, $5 offset, $6 head, $7 marker, $8 beginning,
-- $9 where it lies really. The open entry stays open: a stack trace may go on in the next file.
update ingest_state
set generation     = $2,
    device         = $3,
    inode          = $4,
    byte_offset    = $5,
    head_hash      = $6,
    marker_hash    = $7,
    begin_hash     = $8,
    file_path      = $9,
    size_bytes     = case when generation = $2 then size_bytes else $5 end,
    read_to_end_at = case when generation = $2 then read_to_end_at end,
    archives_noted = true
where source_id = $1

-- Notes files of source $1 at tick $2: new ones, and what changed of those that are known.
-- $3 numbers, $4 paths, $5 devices, $6 inodes, $7 offsets, $8 heads, $9 markers, $10 beginnings,
-- $11 sizes, $12 hashes of archives, $13 whether they are archives, $14 states
insert into generations as known (source_id, generation, path, device, inode, byte_offset,
                                  head_hash, marker_hash, begin_hash, size_bytes, file_hash,
                                  state, superseded_at)
select $1, file.generation, file.path, file.device, file.inode, file.byte_offset, file.head_hash,
       file.marker_hash, file.begin_hash, file.size_bytes,
       case when file.is_archive then file.file_hash end, file.state, $2
from unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    as file (generation, path, device, inode, byte_offset, head_hash, marker_hash, begin_hash,
             size_bytes, file_hash, is_archive, state)
on conflict on constraint generations_pkey do update set
    path        = excluded.path,
    device      = excluded.device,
    inode       = excluded.inode,
    byte_offset = excluded.byte_offset,
    head_hash   = excluded.head_hash,
    marker_hash = excluded.marker_hash,
    begin_hash  = excluded.begin_hash,
    size_bytes  = excluded.size_bytes,
    file_hash   = excluded.file_hash,
    state       = excluded.state

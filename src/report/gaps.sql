-- All gaps with their sources, those of a source together and the latest first.
select
    source.name as source, source.host, source.path,
    gap.detected_at, gap.byte_offset, gap.lost_bytes, gap.reason
from ingest_gaps gap
join sources source on source.id = gap.source_id
order by source.host, source.name, source.path, gap.detected_at desc, gap.id desc

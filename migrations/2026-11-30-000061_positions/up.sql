-- How far a source was read does not depend on how many others there are.
create or replace view reader_positions as
select
    source.id as source_id,
    case when source.host = '*' then members.read_to_end_at else state.read_to_end_at end as read_to_end_at,
    case
        when source.host = '*' then members.read_until
        else coalesce(state.read_to_end_at, state.last_logged_at)
    end as read_until
from sources source
join ingest_state state on state.source_id = source.id
left join lateral (
    -- One that is behind holds all of them back.
    select
        case when count(*) = count(member_state.read_to_end_at) then max(member_state.read_to_end_at) end as read_to_end_at,
        coalesce(
            min(member_state.last_logged_at) filter (where member_state.read_to_end_at is null),
            max(member_state.read_to_end_at)
        ) as read_until
    from sources member
    join ingest_state member_state on member_state.source_id = member.id
    -- The others are not looked through for each source.
    where source.host = '*'
      and member.host <> '*'
      and source.path in (member.host, '*')
      and member_state.line_no > 0
) members on source.host = '*';

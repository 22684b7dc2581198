-- Of the words of a pattern all are looked for, not only the longest. And whatever the planner knows of
-- the tables, the entries are scanned once for each rule, within the times that are asked for.
comment on column alert_rules.literals is 'For each of its patterns, in their order: what every text has in it that the pattern matches; null: not known. It is looked for before the pattern. Of a rule with one pattern also what every text is like (LIKE), if that says more.';

create or replace view pattern_entries as
-- Whoever reads this view gives source_id, rule_id and a range of logged_at: values that are known
-- where it is read, not those of a table that it is joined with. Each rule is one index range scan
-- of each member then. Rules with several patterns have a view of their own.
select
    scope.source_id,
    scope.rule_id,
    entry.source_id as member_id,
    entry.logged_at,
    entry.line_no,
    -- Cut, or it would not fit into an index.
    case when scope.key = '{}' then '' else (
        select left(string_agg(coalesce(
            case
                when part.name = 'host' then (select host from sources where id = entry.source_id)
                when part.name = 'level' then entry.level::text
                when part.name = 'fingerprint' then entry.fingerprint::text
                when part.name = 'message' then split_part(entry.message, e'\n', 1)
                when part.name ~ '^\$' then entry.captures[substr(part.name, 2)::int]
                else coalesce(
                    entry.fields ->> substr(part.name, 8),
                    entry.fields #>> string_to_array(substr(part.name, 8), '.')
                )
            end, ''
        ), ' | ' order by part.place), 200)
        from unnest(scope.key) with ordinality as part (name, place)
    ) end as group_key,
    case
        when scope.value is null then null
        when scope.value ~ '^\$' then entry.captures[substr(scope.value, 2)::int]
        else coalesce(
            entry.fields ->> substr(scope.value, 8),
            entry.fields #>> string_to_array(substr(scope.value, 8), '.')
        )
    end as value,
    entry.fingerprint
from rule_scopes scope
-- The same for all entries, and so only once.
cross join lateral (
    select
        coalesce(scope.literals[1], '') as literal,
        scope.literals[2] as likeness,
        scope.literals[1] = scope.pattern as is_whole,
        coalesce(scope.value ~ '^\$', false)
            or exists (select from unnest(scope.key) as part (name) where part.name ~ '^\$') as captures
    offset 0
) word
cross join lateral (
    -- Where groups of the pattern are asked for, it is matched only once.
    select
        entry.*,
        case when word.captures then regexp_match(
            case when scope.match_entry then entry.message else split_part(entry.message, e'\n', 1) end,
            scope.pattern
        ) end as captures
    from log_entries entry
    where entry.source_id = any (scope.members)
      and entry.level = any (scope.levels)
      -- Most entries lack the literal, so it is looked for before anything else.
      and strpos(entry.message, word.literal) > 0
      and (word.likeness is null or entry.message like word.likeness)
      and (
          scope.pattern is null
          or word.captures
          or word.is_whole and (
              scope.match_entry
              or strpos(entry.message, e'\n') = 0
              or strpos(split_part(entry.message, e'\n', 1), scope.pattern) > 0
          )
          or case when scope.match_entry then entry.message else split_part(entry.message, e'\n', 1) end ~ scope.pattern
      )
      and (
          cardinality(scope.exclude) = 0
          or not split_part(entry.message, e'\n', 1) ~ any (scope.exclude)
      )
    -- As in step_entries.
    union all
    select entry.*, null::text[] as captures from log_entries entry where false
) entry
where cardinality(scope.steps) = 1
  and (not word.captures or entry.captures is not null);

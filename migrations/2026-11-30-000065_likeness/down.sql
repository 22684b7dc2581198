create or replace view pattern_entries as
-- Whoever reads this view gives source_id, rule_id and a range of logged_at. It is flattened into
-- the query then: one index range scan of each member. A join with the patterns would be made for
-- each entry, so rules with several of them have a view of their own.
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
                when part.name ~ '^\$' then (regexp_match(
                    case when scope.match_entry then entry.message else split_part(entry.message, e'\n', 1) end,
                    scope.pattern
                ))[substr(part.name, 2)::int]
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
        when scope.value ~ '^\$' then (regexp_match(
            case when scope.match_entry then entry.message else split_part(entry.message, e'\n', 1) end,
            scope.pattern
        ))[substr(scope.value, 2)::int]
        else coalesce(
            entry.fields ->> substr(scope.value, 8),
            entry.fields #>> string_to_array(substr(scope.value, 8), '.')
        )
    end as value,
    entry.fingerprint
from rule_scopes scope
join log_entries entry on entry.source_id = any (scope.members)
where cardinality(scope.steps) = 1
  and entry.level = any (scope.levels)
  -- Most entries lack the literal, so it is looked for before anything else.
  and strpos(entry.message, coalesce(scope.literals[1], '')) > 0
  and (
      scope.pattern is null
      or scope.literals[1] = scope.pattern and (scope.match_entry or strpos(split_part(entry.message, e'\n', 1), scope.literals[1]) > 0)
      or case when scope.match_entry then entry.message else split_part(entry.message, e'\n', 1) end ~ scope.pattern
  )
  and (
      scope.exclude = '{}'
      or not split_part(entry.message, e'\n', 1) ~ any (scope.exclude)
  );

comment on column alert_rules.literals is 'For each of its patterns, in their order: what every text has in it that the pattern matches; null: not known. It is looked for before the pattern.';

-- Of the sources $1 and rules $2, forgets the counts of buckets that are counted anew, and of those
-- that nobody looks at any more.
delete from bucket_counts
using unnest($1) as one (source_id)
cross join lateral (
    select * from rules_to_count where source_id = one.source_id and rule_id = any ($2) offset 0
) rule
where bucket_counts.source_id = rule.source_id
  and bucket_counts.rule_id = rule.rule_id
  and case
      -- What may be left from before it had changed.
      when rule.counted_from is null then true
      when rule.dirty_from < rule.counted_until
          then bucket_counts.bucket >= rule.first_bucket and bucket_counts.bucket < rule.last_end
      else bucket_counts.bucket < rule.needed_from
  end

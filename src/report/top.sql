-- What they say, the most frequent first.
select count(*), left((array_agg(matching.message order by matching.logged_at desc, matching.line_no desc))[1], 4000) as message
from matching
group by matching.fingerprint
order by count(*) desc, max(matching.logged_at) desc
limit 5

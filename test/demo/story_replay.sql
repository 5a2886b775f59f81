-- Every decision of the demo, made again: by the versions it was made by, and by what was in force at its instant.

\ir story.psqlrc
\echo
\echo '10. ONCE MORE: every decision, judged again'
CREATE TEMP TABLE made AS
SELECT d.merchant_id, d.decision_id, d.at, d.listing, d.recorded_at,
       COALESCE((SELECT jsonb_agg(to_jsonb(f) - '{merchant_id,decision_id,finding}'::text[] ORDER BY f.finding)
                 FROM quality_gov.listing_finding f WHERE f.merchant_id = d.merchant_id AND f.decision_id = d.decision_id), '[]') AS findings
FROM quality_gov.listing_decision d;
CREATE TEMP TABLE again AS
SELECT m.*,
       COALESCE((SELECT jsonb_agg(to_jsonb(r)) FROM quality_gov.listing_replay(m.merchant_id, m.decision_id) r), '[]') AS replayed,
       COALESCE((SELECT jsonb_agg(to_jsonb(c)) FROM quality_gov.listing_check(m.listing, m.at) c), '[]') AS checked,
       -- Who was let off after the decision: the one thing here that was published later for an earlier instant.
       EXISTS (SELECT FROM quality_gov.listing_exception e WHERE e.merchant_id = m.merchant_id
               AND e.listing_id = m.listing ->> 'listing_id' AND e.created_at > m.recorded_at) AS let_off
FROM made m;
SELECT format('listing_replay(): %s decisions, %s differ.', count(*), count(*) FILTER (WHERE replayed <> findings)) AS replay,
       format('listing_check(listing, at): %s decisions, %s differ; %s was released since.', count(*),
              count(*) FILTER (WHERE checked <> findings AND NOT let_off), count(*) FILTER (WHERE let_off)) AS check
FROM again \gset
\echo :replay
\echo :check
DO $$
BEGIN
  IF EXISTS (SELECT FROM again WHERE replayed <> findings OR checked <> findings AND NOT let_off) THEN
    RAISE EXCEPTION 'decisions do not replay: %', (SELECT string_agg(decision_id::text, ', ') FROM again
      WHERE replayed <> findings OR checked <> findings AND NOT let_off);
  END IF;
END
$$;

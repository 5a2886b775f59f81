-- Whatever is recorded and taken back, in whatever order of happening: what was imposed follows, as counted in another way.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
INSERT INTO merchant (merchant_id, name, kind, self_declaration, admitted_at)
SELECT 'm-' || g, 'Li Si ' || g, 'unregistered', 'home_handicraft', '2020-01-01' FROM generate_series(1, 8) g;
INSERT INTO violation_track (track, title, reset, counted, ladder, effect, legal_basis) VALUES
  ('window', 't', 'window', '1 month 15 days', 'points', '[2020-01-01,)', 'b'),
  -- yearly at first, then a window, then yearly with a carry-over
  ('mixed', 't', 'yearly', NULL, 'points', '[2020-01-01,2022-07-01)', 'b'), ('mixed', 't', 'window', '200 days', 'points', '[2022-07-01,2024-03-01)', 'b');
INSERT INTO violation_track (track, title, reset, carry, ladder, effect, legal_basis) VALUES ('mixed', 't', 'yearly', '[10,20)', 'points', '[2024-03-01,)', 'b');

-- 100 steps of each merchant, an entry or the taking back of one, some of what happened long before
SELECT setseed(0.42);
DO $$
DECLARE
  m text;
  instant timestamptz;
  victim bigint;
BEGIN
  FOR i IN 1..8 LOOP
    m := 'm-' || i;
    instant := '2021-01-01';
    FOR j IN 1..100 LOOP
      -- now and then two at the same instant
      instant := instant + CASE WHEN random() < 0.06 THEN 200 ELSE floor(random() * 5) END * interval '1 day';
      victim := (SELECT v.violation_id FROM quality_gov.violation v
                 WHERE v.merchant_id = m AND NOT EXISTS (SELECT FROM quality_gov.violation_void x WHERE x.merchant_id = m AND x.violation_id = v.violation_id)
                 ORDER BY random() LIMIT 1);
      IF random() < 0.25 AND victim IS NOT NULL THEN
        PERFORM quality_gov.violation_revoke(m, victim, 'r', 'x', instant);
      ELSE
        PERFORM quality_gov.violation_record(m, (ARRAY['general', 'counterfeit', 'window', 'mixed'])[1 + floor(random() * 4)], floor(random() * 16)::numeric,
          'r', 'f', 'b', at => instant, happened_at => instant - CASE WHEN random() < 0.2 THEN floor(random() * 200) ELSE 0 END * interval '1 day');
      END IF;
    END LOOP;
  END LOOP;
END $$;
SELECT count(*) > 200 AS entries, (SELECT count(*) > 50 FROM violation_void) AS voids, (SELECT count(*) > 50 FROM sanction) AS sanctions,
       (SELECT count(*) > 5 FROM sanction WHERE lift_cause = 'recomputed') AS lifted, (SELECT count(*) > 2 FROM sanction WHERE reasons LIKE 'once violation%') AS imposed_instead FROM violation;
SELECT * FROM sanction_check();
-- both ways of counting agree at any instant
SELECT count(*) > 500 AS compared, count(*) FILTER (WHERE (violation_standing(m, track, t, t, NULL, t)).points <> violation_balance(m, track, t, 1000000, t)) AS differ
FROM (SELECT DISTINCT merchant_id AS m, track FROM violation) x, generate_series('2021-01-01'::timestamptz, '2026-12-31', '83 days 7 hours') t;
-- what was answered is answered again, whatever was recorded since
CREATE TABLE answered AS SELECT m, p.* FROM unnest('{m-1,m-2}'::text[]) m, generate_series('2021-02-01'::timestamptz, '2024-01-01', '91 days') t, violation_points(m, t) p;
CREATE TABLE allowed AS SELECT m, t, p.* FROM unnest('{m-1,m-2}'::text[]) m, generate_series('2021-02-01'::timestamptz, '2024-01-01', '13 days') t, merchant_may(m, 'list', NULL, t) p;
SELECT count(violation_revoke(v.merchant_id, v.violation_id, 'r', 'x', '2030-01-01')) > 5 AS revoked FROM violation v
WHERE v.merchant_id IN ('m-1', 'm-2') AND NOT EXISTS (SELECT FROM violation_void x WHERE x.merchant_id = v.merchant_id AND x.violation_id = v.violation_id);
TABLE answered EXCEPT SELECT m, p.* FROM unnest('{m-1,m-2}'::text[]) m, generate_series('2021-02-01'::timestamptz, '2024-01-01', '91 days') t, violation_points(m, t) p;
SELECT m, t, a.allowed FROM allowed a EXCEPT SELECT m, t, p.allowed FROM unnest('{m-1,m-2}'::text[]) m, generate_series('2021-02-01'::timestamptz, '2024-01-01', '13 days') t, merchant_may(m, 'list', NULL, t) p;
-- with every entry of theirs taken back nothing stands
SELECT count(*) AS points FROM unnest('{m-1,m-2}'::text[]) m, violation_points(m, '2030-01-01') WHERE points > 0;
SELECT count(*) AS in_force FROM sanction WHERE merchant_id IN ('m-1', 'm-2') AND lifted_at IS NULL;
SELECT count(*) AS restrictions FROM merchant_restriction WHERE merchant_id IN ('m-1', 'm-2') AND effect @> '2030-01-01'::timestamptz;
SELECT * FROM sanction_check();
DROP TABLE answered, allowed;
DROP EXTENSION quality_gov;

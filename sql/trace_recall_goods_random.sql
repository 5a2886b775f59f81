-- recall_bar() beside a judgement by hand: for random recalls, goods and instants, whether the goods are stopped as
-- told by what was declared, released and in force at that instant.
\set SHOW_CONTEXT never
SET client_min_messages = error;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
CREATE FUNCTION pick(what text, n int) RETURNS int LANGUAGE sql IMMUTABLE RETURN abs(hashtextextended(what, 42) % n)::int;
CREATE FUNCTION code(n int) RETURNS text LANGUAGE sql IMMUTABLE RETURN ('{73513537,96385074,12345670,6901234567892}'::text[])[1 + n];
-- four GTINs, one of which was another from day 40 on; eight lots of each, some of no known day; links with diamonds
INSERT INTO lot (gtin, lot_code, made_on)
SELECT code(g)::gtin, 'L' || l, CASE WHEN pick('day' || g || l, 4) > 0 THEN date '2026-01-01' + pick('made' || g || l, 20) END
FROM generate_series(0, 3) g, generate_series(0, 7) l;
INSERT INTO lot_link (parent, child)
SELECT DISTINCT p.lot_id, c.lot_id FROM generate_series(1, 40) n, LATERAL (SELECT pick('p' || n, 32) AS p, pick('c' || n, 32) AS c) k
JOIN lot p ON p.lot_id = 1 + k.p JOIN lot c ON c.lot_id = 1 + k.c WHERE p.lot_id <> c.lot_id;
INSERT INTO gtin_alias (old, gtin, reason, since) VALUES ('96385074', '73513537', 'misprint', '2026-02-10');

-- scopes of every kind; a recall has three revisions and goes through states in between
CREATE FUNCTION a_scope(seed text) RETURNS jsonb LANGUAGE sql IMMUTABLE RETURN (
  SELECT jsonb_agg(CASE pick(seed || n, 5)
    WHEN 0 THEN jsonb_build_object('gtin', g, 'lot', l)
    WHEN 1 THEN jsonb_build_object('gtin', g, 'serial_from', lpad(s::text, 2, '0'), 'serial_to', lpad((s + 15)::text, 2, '0'))
    WHEN 2 THEN jsonb_build_object('gtin', g, 'made_from', to_char(date '2026-01-01' + s / 4, 'YYYY-MM-DD'), 'made_until', to_char(date '2026-01-04' + s / 4, 'YYYY-MM-DD'))
    WHEN 3 THEN jsonb_build_object('ingredient', jsonb_build_object('gtin', g, 'lot', l))
    ELSE jsonb_build_object('gtin', g, 'lot', l, 'serial_from', lpad(s::text, 2, '0'), 'serial_to', lpad((s + 15)::text, 2, '0')) END)
  FROM generate_series(0, pick(seed, 2)) n, LATERAL (SELECT code(pick(seed || 'g' || n, 4)) AS g, 'L' || pick(seed || 'l' || n, 8) AS l, pick(seed || 's' || n, 60) AS s) x);
CREATE TABLE declared AS
SELECT r, v, a_scope('r' || r || 'v' || v) AS scope, timestamptz '2026-02-01' + (10 * (v - 1) + pick('at' || r || v, 9)) * interval '1 day' AS since
FROM generate_series(1, 20) r, generate_series(1, 3) v;
SELECT count(recall_open('r' || r, scope, 'r', 'b', at => since)) AS recalls FROM (SELECT * FROM declared WHERE v = 1 ORDER BY r) d;
DO $$ DECLARE d record; BEGIN
  FOR d IN SELECT * FROM declared WHERE v > 1 ORDER BY r, v LOOP
    PERFORM quality_gov.recall_scope_compute(d.r, d.scope, d.since);
  END LOOP;
END $$;
INSERT INTO recall_step (recall_id, state, at) SELECT r, s, timestamptz '2026-02-11' + (n * 7 + pick('step' || r || n, 6)) * interval '1 day'
FROM generate_series(1, 20) r, unnest(CASE pick('path' || r, 3) WHEN 0 THEN '{dismissed}' WHEN 1 THEN '{ordered,plan_reported}' ELSE '{ordered,plan_reported,ordered}' END::text[]) WITH ORDINALITY u(s, n);
INSERT INTO recall_release (recall_id, gtin, lot_code, serial_from, serial_to, remedy, evidence, at)
SELECT 1 + pick('rel' || n, 20), code(pick('rg' || n, 4))::gtin, CASE WHEN pick('rk' || n, 3) > 0 THEN 'L' || pick('rl' || n, 8) END,
       CASE WHEN pick('rk' || n, 3) < 2 THEN '00' END, CASE WHEN pick('rk' || n, 3) < 2 THEN '50' END, 'repaired', 'e', timestamptz '2026-02-20' + pick('ra' || n, 20) * interval '1 day'
FROM generate_series(1, 100) n;

-- the same goods as of an instant: the same number, or numbers known then to be of the same goods
CREATE FUNCTION same(a text, b text, at timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN
  a::gtin = b::gtin OR at >= '2026-02-10' AND a::gtin IN ('96385074', '73513537') AND b::gtin IN ('96385074', '73513537');
CREATE TABLE criterion AS
SELECT d.r, d.v, e.n, e.c, CASE d.v WHEN 1 THEN '-infinity' ELSE d.since END AS since, COALESCE(x.since, 'infinity') AS until
FROM declared d LEFT JOIN declared x ON x.r = d.r AND x.v = d.v + 1 CROSS JOIN LATERAL jsonb_array_elements(d.scope) WITH ORDINALITY e(c, n);
-- lots that a criterion takes in, and those of a GTIN recalled by days made that it leaves out
CREATE TABLE reached AS
WITH RECURSIVE reach AS (
  SELECT k.r, k.v, k.n, i.lot_id FROM criterion k JOIN lot i ON same(i.gtin::text, k.c #>> '{ingredient,gtin}', 'infinity') AND i.lot_code = k.c #>> '{ingredient,lot}'
  UNION SELECT x.r, x.v, x.n, l.child FROM reach x JOIN lot_link l ON l.parent = x.lot_id)
SELECT r, v, n, l.gtin::text, l.lot_code, true AS inside FROM reach JOIN lot l USING (lot_id)
UNION ALL
SELECT k.r, k.v, k.n, l.gtin::text, l.lot_code, COALESCE(l.made_on BETWEEN (k.c ->> 'made_from')::date AND (k.c ->> 'made_until')::date, true)
FROM criterion k JOIN lot l ON same(l.gtin::text, k.c ->> 'gtin', 'infinity') WHERE k.c ? 'made_from';
CREATE TABLE asked AS SELECT n, code(pick('ag' || n, 4)) AS g, CASE WHEN pick('a0' || n, 5) > 0 THEN 'L' || pick('al' || n, 9) END AS l,
  CASE WHEN pick('a1' || n, 5) > 0 THEN lpad(pick('as' || n, 80)::text, 2, '0') END AS s, timestamptz '2026-02-01 12:00' + pick('aa' || n, 45) * interval '1 day' AS at
FROM generate_series(1, 400) n;
CREATE TABLE want AS
SELECT h.n, h.r, t.verdict
FROM (SELECT DISTINCT a.*, k.r FROM asked a JOIN criterion k ON a.at >= k.since AND a.at < k.until
      WHERE NOT k.c ?| '{made_from,ingredient}' AND same(k.c ->> 'gtin', a.g, a.at) AND (NOT k.c ? 'lot' OR a.l IS NULL OR a.l = k.c ->> 'lot')
            AND (NOT k.c ? 'serial_from' OR a.s IS NULL OR a.s BETWEEN k.c ->> 'serial_from' AND k.c ->> 'serial_to')
         OR EXISTS (SELECT FROM reached x WHERE x.r = k.r AND x.v = k.v AND x.n = k.n AND x.inside AND same(x.gtin, a.g, a.at) AND (a.l IS NULL OR x.lot_code = a.l))
         OR k.c ? 'made_from' AND same(k.c ->> 'gtin', a.g, a.at) AND NOT EXISTS (
              SELECT FROM reached x WHERE x.r = k.r AND x.v = k.v AND x.n = k.n AND NOT x.inside AND same(x.gtin, a.g, a.at) AND x.lot_code = a.l)) h
JOIN recall_state t ON t.state = (SELECT p.state FROM recall_step p WHERE p.recall_id = h.r AND p.at <= h.at ORDER BY p.at DESC LIMIT 1)
WHERE t.verdict <> 'pass'
  AND NOT EXISTS (SELECT FROM recall_release f WHERE f.recall_id = h.r AND f.at <= h.at AND same(f.gtin::text, h.g, h.at)
                    AND (f.lot_code IS NULL OR f.lot_code = h.l) AND (f.serial_from IS NULL OR h.s BETWEEN f.serial_from AND f.serial_to)
                    AND NOT EXISTS (SELECT FROM recall_step p WHERE p.recall_id = h.r AND p.state = 'ordered' AND p.at > f.at AND p.at <= h.at));
CREATE TABLE found AS
SELECT a.n, substring(b.reason FROM 'recall ([0-9]+) ')::bigint AS r, b.verdict
FROM asked a CROSS JOIN LATERAL recall_bar(a.g, a.l, a.s) b WHERE b.since <= a.at AND (b.until IS NULL OR b.until > a.at);
SELECT count(*) > 500 AS many_stopped, count(*) < 4000 AS many_not, count(DISTINCT verdict) AS verdicts FROM want;
SELECT 'missed' AS problem, a.*, w.r, w.verdict FROM (TABLE want EXCEPT TABLE found) w JOIN asked a USING (n)
UNION ALL SELECT 'too much', a.*, f.r, f.verdict FROM (TABLE found EXCEPT ALL TABLE want) f JOIN asked a USING (n) ORDER BY 2, 7 LIMIT 5;
SELECT relation, problem FROM recall_scope_check();
SELECT count(*) AS stale FROM recall_scope_stale();
DROP TABLE declared, criterion, reached, asked, want, found;
DROP FUNCTION pick, code, a_scope, same;
DROP EXTENSION quality_gov;

-- Recalls: duties of eighty random recalls, at random instants, equal those of a clerk who goes through the file day by day.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
-- a draw from 0 to n - 1 that is the same everywhere
CREATE FUNCTION draw(VARIADIC v int[], OUT d int) LANGUAGE sql IMMUTABLE AS $$
  SELECT (('x' || substr(md5(array_to_string(v[2:], ' ')), 1, 8))::bit(32)::int8 % v[1])::int $$;
-- every state in an order that may be, some of them left out, an hour to ninety days apart; documents, facts and levels in between
DO $$
DECLARE
  r bigint; t timestamptz; s record; doc jsonb; food boolean; lvl int; what text; n int := 0;
BEGIN
  FOR g IN 1 .. 80 LOOP
    food := g % 2 = 0;
    t := '2026-10-20 00:00+08'::timestamptz + draw(3000, g, 1) * '1 h'::interval;
    lvl := CASE WHEN food THEN 1 + draw(3, g, 2) END;
    r := quality_gov.recall_open('r' || g, '[{"gtin": "6901234567892"}]', 'r', 'b', CASE WHEN food THEN 'food' ELSE 'consumer' END, lvl,
      (ARRAY['suspected', 'notified', 'voluntary', 'ordered'])[1 + draw(4, g, 3)], at => t,
      discovered_at => CASE WHEN draw(2, g, 4) = 0 THEN t - draw(100, g, 5) * '1 h'::interval END,
      harm => CASE WHEN draw(3, g, 6) = 0 THEN '{death}'::text[] ELSE '{}' END);
    FOR i IN 1 .. 14 LOOP
      t := t + (1 + draw(CASE WHEN food THEN 200 ELSE 1200 END, g, i, 7)) * '1 h'::interval;
      SELECT x.* INTO s FROM quality_gov.recall_step p
      CROSS JOIN LATERAL quality_gov.recall_transition_at(CASE WHEN food THEN 'food' ELSE 'consumer' END, p.state, t) x
      WHERE p.recall_id = r AND p.at = (SELECT max(q.at) FROM quality_gov.recall_step q WHERE q.recall_id = r)
      ORDER BY md5(x.to_state || g || i) LIMIT 1;
      EXIT WHEN NOT FOUND;
      doc := CASE WHEN s.document_required THEN quality_gov.recall_report_template(s.regime, s.document, t) END;
      BEGIN
        PERFORM quality_gov.recall_advance(r, s.to_state, t, document => doc);
      EXCEPTION WHEN object_not_in_prerequisite_state THEN
        n := n + 1;  -- an objection after its term
      END;
      FOR j IN 1 .. draw(4, g, i, 8) LOOP
        what := (ARRAY['defect_report', 'stage_summary', 'progress', 'final_summary'])[1 + draw(4, g, i, j, 9)];
        IF EXISTS (SELECT FROM quality_gov.recall_report_kind k WHERE k.kind = what AND s.to_state = ANY (k.states) AND s.regime = ANY (k.regimes)) THEN
          t := t + draw(100, g, i, j, 10) * '1 h'::interval;
          BEGIN
            PERFORM quality_gov.recall_report_add(r, what, '{}', t);
          EXCEPTION WHEN object_not_in_prerequisite_state THEN n := n + 1;
          END;
        END IF;
      END LOOP;
      IF draw(4, g, i, 11) = 0 THEN
        PERFORM quality_gov.recall_fact_add(r, 'overseas_recall', t);
      END IF;
      IF food AND draw(4, g, i, 12) = 0 AND s.to_state <> 'dismissed' THEN
        lvl := 1 + lvl % 3;
        t := t + '1 h'::interval;
        PERFORM quality_gov.recall_level_set(r, lvl, 'x', t);
      END IF;
    END LOOP;
  END LOOP;
END $$;
SELECT count(*) > 400 AS steps, count(DISTINCT state) AS states, (SELECT count(*) > 80 FROM recall_report) AS reports, (SELECT count(*) > 20 FROM recall_level_change) AS changes FROM recall_step;
SELECT * FROM recall_check();

-- the clerk: turns the pages of the file, and keeps a list of what is open
CREATE FUNCTION clerk(r bigint, until timestamptz) RETURNS TABLE (duty text, since timestamptz, ended timestamptz, how text) LANGUAGE plpgsql AS $$
DECLARE
  page record; k record; open timestamptz[]; o timestamptz; kept timestamptz[]; lvl int;
BEGIN
  FOR k IN SELECT d.* FROM quality_gov.recall_duty_kind d JOIN quality_gov.recall x ON x.regime = d.regime WHERE x.recall_id = r LOOP
    open := '{}';
    SELECT COALESCE((SELECT c.was FROM quality_gov.recall_level_change c WHERE c.recall_id = r ORDER BY c.at LIMIT 1), x.level) INTO lvl FROM quality_gov.recall x WHERE x.recall_id = r;
    FOR page IN
      SELECT e.at, array_agg(e.sign) AS signs, max(e.level) AS level FROM (
        SELECT at, 'state:' || state AS sign, NULL::int AS level FROM quality_gov.recall_step WHERE recall_id = r
        UNION ALL SELECT at, 'report:' || kind, NULL FROM quality_gov.recall_report WHERE recall_id = r
        UNION ALL SELECT at, 'fact:' || fact, NULL FROM quality_gov.recall_fact WHERE recall_id = r
        UNION ALL SELECT at, 'level', level FROM quality_gov.recall_level_change WHERE recall_id = r
        UNION ALL SELECT COALESCE(x.discovered_at, (SELECT min(at) FROM quality_gov.recall_step WHERE recall_id = r)), 'fact:discovered', NULL FROM quality_gov.recall x WHERE recall_id = r) e
      WHERE e.at <= until GROUP BY 1 ORDER BY 1
    LOOP
      lvl := COALESCE(page.level, lvl);
      duty := k.duty || CASE WHEN k.by_level THEN ' level ' || lvl ELSE '' END;
      IF page.signs && k.meets OR page.signs && k.lapses THEN
        how := CASE WHEN page.signs && k.meets THEN 'met' ELSE 'lapsed' END;
        ended := page.at;
        FOREACH since IN ARRAY open LOOP RETURN NEXT; END LOOP;
        open := '{}';
      END IF;
      IF page.signs && k.starts THEN
        IF EXISTS (SELECT FROM unnest(page.signs) g WHERE g = ANY (k.meets) AND g <> ALL (k.starts)) THEN
          since := page.at; ended := page.at; how := 'met';
          RETURN NEXT;
        ELSE
          open := open || page.at;
        END IF;
      END IF;
    END LOOP;
    duty := k.duty || CASE WHEN k.by_level THEN ' level ' || lvl ELSE '' END;
    ended := NULL; how := 'open';
    FOREACH since IN ARRAY open LOOP RETURN NEXT; END LOOP;
  END LOOP;
END $$;
-- a right (D16) ends with its term by itself: it is left out here, and looked at in trace_recall_duty
CREATE TABLE compared AS
SELECT i.recall_id, i.at, c.*, d.* FROM (
  SELECT r.recall_id, '2026-10-20 00:00+08'::timestamptz + draw(9000, r.recall_id::int, n, 13) * '1 h'::interval AS at FROM recall r CROSS JOIN generate_series(1, 5) n) i
CROSS JOIN LATERAL (SELECT array_agg(ROW(d.duty, d.from_when, COALESCE(d.met_at, d.lapsed_at), d.state)::text ORDER BY ROW(d.duty, d.from_when, COALESCE(d.met_at, d.lapsed_at), d.state)::text) AS ours,
    count(*) AS duties, array_agg(d.duty || d.from_when ORDER BY d.duty, d.from_when) FILTER (WHERE d.state = 'open') AS open,
    bool_and(d.overdue = COALESCE(d.due <= COALESCE(d.met_at, d.lapsed_at, i.at), false)) AS judged, bool_and(d.due > d.from_when) AS later
  FROM recall_duties(i.recall_id, i.at) d WHERE d.duty <> 'D16') d
CROSS JOIN LATERAL (SELECT array_agg(ROW(c.duty, c.since, c.ended, c.how)::text ORDER BY ROW(c.duty, c.since, c.ended, c.how)::text) AS clerks FROM clerk(i.recall_id, i.at) c WHERE c.duty <> 'D16') c;
SELECT count(*) AS compared, sum(duties) > 800 AS duties, count(*) FILTER (WHERE ours IS DISTINCT FROM clerks) AS different,
       count(*) FILTER (WHERE NOT judged) AS misjudged, count(*) FILTER (WHERE NOT later) AS before_they_began FROM compared;
SELECT recall_id, at, ours, clerks FROM compared WHERE ours IS DISTINCT FROM clerks ORDER BY 1, 2 LIMIT 3;
-- open_only gives the open ones and no others; of all recalls what it gives of each
SELECT count(*) AS differ FROM compared c WHERE c.open IS DISTINCT FROM (SELECT array_agg(d.duty || d.from_when ORDER BY d.duty, d.from_when) FROM recall_duties(c.recall_id, c.at, open_only => true) d WHERE d.duty <> 'D16');
SELECT count(*) AS differ FROM (
  (SELECT * FROM recall_duties(NULL, '2027-02-01') EXCEPT ALL SELECT d.* FROM recall r CROSS JOIN recall_duties(r.recall_id, '2027-02-01') d)
  UNION ALL (SELECT d.* FROM recall r CROSS JOIN recall_duties(r.recall_id, '2027-02-01') d EXCEPT ALL SELECT * FROM recall_duties(NULL, '2027-02-01'))) x;
DROP TABLE compared;
DROP FUNCTION clerk;
DROP FUNCTION draw;
DROP EXTENSION quality_gov;

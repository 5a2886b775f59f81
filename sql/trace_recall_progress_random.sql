-- Random histories of sales, returns, responses, counts and disposals: the figures always sum, and tampering makes the check speak.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO gtin_alias VALUES ('73513537', '4006381333931', 'misprint');
CREATE FUNCTION pick(n int) RETURNS int LANGUAGE sql AS $$ SELECT floor(random() * n)::int $$;
CREATE FUNCTION refused() RETURNS TABLE (code text, n bigint) LANGUAGE plpgsql AS $$
DECLARE
  s record; step int; q numeric; t timestamptz; rec bigint; codes text[] := '{}';
BEGIN
  FOR step IN 1 .. 600 LOOP
    t := '2026-10-01'::timestamptz + step * interval '1 hour';
    rec := 1 + pick(2);
    SELECT * INTO s FROM sale OFFSET pick(60) LIMIT 1;
    q := 1 + pick(3);
    BEGIN
      CASE pick(14)
        WHEN 0 THEN PERFORM recall_response_void(r.recall_id, r.response_id, 'x', r.at) FROM (SELECT * FROM recall_response_standing OFFSET pick(20) LIMIT 1) r;
        WHEN 1 THEN PERFORM recall_disposal_add(rec, '6901234567892', 'L' || pick(5), (ARRAY['returned', 'stock'])[1 + pick(2)], 'm', q, 'p', t);
        WHEN 2 THEN INSERT INTO lot_event (lot_id, kind, at, quantity, order_id) VALUES (1 + pick(6), (ARRAY['sold', 'destroyed', 'observed'])[1 + pick(3)], t, q,
                      CASE pick(2) WHEN 0 THEN s.order_id END);
                    INSERT INTO lot_event (lot_id, kind, at, quantity, order_id) SELECT l.lot_id, 'returned', t, q, s.order_id FROM lot l WHERE (l.gtin, l.lot_code) = (s.gtin, s.lot_code);
        WHEN 3 THEN UPDATE sale SET state = (ARRAY['shipped', 'delivered', 'returned'])[1 + pick(3)], changed_at = t WHERE merchant_id = s.merchant_id AND order_id = s.order_id AND state <> 'cancelled';
        WHEN 4 THEN PERFORM recall_disposal_void(d.recall_id, d.disposal_id, 'x', d.at) FROM (SELECT * FROM recall_disposal_standing OFFSET pick(5) LIMIT 1) d;
        ELSE PERFORM recall_response_add(rec, (ARRAY['warned', 'repaired', 'exchanged', 'returned', 'refunded', 'destroyed'])[1 + pick(6)], q, s.merchant_id, s.order_id, s.line, at => t);
      END CASE;
    EXCEPTION WHEN OTHERS THEN
      codes := codes || SQLSTATE;
    END;
  END LOOP;
  RETURN QUERY SELECT c, count(*) FROM unnest(codes) c GROUP BY c;
END $$;
SELECT setseed(0.42) IS NULL AS seeded;
INSERT INTO lot (gtin, lot_code, producer, quantity, unit) SELECT '6901234567892', 'L' || g, 'p', 400, CASE WHEN g = 4 THEN 'KGM' END FROM generate_series(0, 4) g;
INSERT INTO lot (gtin, lot_code, quantity) VALUES ('73513537', 'L0', 300);
INSERT INTO lot_link (parent, child, quantity) VALUES (1, 2, 17), (1, 3, 4), (6, 1, 5);
INSERT INTO sale (merchant_id, order_id, line, gtin, lot_code, quantity, buyer, sold_at, state, shipped_at)
SELECT 'm-' || pick(3), 'O-' || g, '', (ARRAY['6901234567892', '4006381333931', '73513537']::gtin[])[1 + pick(3)], CASE WHEN pick(5) > 0 THEN 'L' || pick(5) END, 1 + pick(6), 'b-' || pick(20),
  '2026-09-01'::timestamptz + g * interval '1 hour', (ARRAY['open', 'shipped', 'delivered', 'cancelled', 'returned'])[1 + pick(5)], NULL FROM generate_series(1, 60) g;
UPDATE sale SET shipped_at = sold_at WHERE state NOT IN ('open', 'cancelled');
SELECT recall_open('One', '[{"gtin": "6901234567892"}, {"gtin": "73513537", "lot": "L0"}]', 'r', 'b', state => 'voluntary', at => '2026-09-30'),
       recall_open('Two', '[{"gtin": "6901234567892", "lot": "L1"}, {"gtin": "6901234567892", "lot": "L2"}, {"gtin": "4006381333931"}]', 'r', 'b', state => 'voluntary', at => '2026-09-30');
SELECT recall_notice_generate(1, '2026-09-30') > 0 AND recall_notice_generate(2, '2026-09-30') > 0 AS told;
-- refusals of four kinds happen on the way, and no others
SELECT bool_and(code IN ('23514', '22023', '55000', 'P0002')) AS known, count(*) > 2 AS several FROM refused();
SELECT count(*) > 70 AS responses, count(*) FILTER (WHERE voids IS NOT NULL) > 10 AS voided, count(DISTINCT kind) AS kinds, (SELECT count(*) > 8 FROM recall_disposal) AS disposals,
  (SELECT count(*) > 30 FROM recall_response_standing) AS standing FROM recall_response;

-- the identities, at every day, from the printed figures alone
SELECT count(*) > 200 AS rows, count(DISTINCT (r, lot_code)) AS lots,
  count(*) FILTER (WHERE made IS DISTINCT FROM in_stock + used + shipped + destroyed_in_stock + unaccounted AND made IS NOT NULL) AS stock,
  count(*) FILTER (WHERE sold <> open + shipped) AS sold,
  count(*) FILTER (WHERE shipped <> warned + repaired + exchanged + returned + refunded + destroyed_by_buyers + elsewhere + outstanding) AS shipped,
  count(*) FILTER (WHERE exchanged + returned <> disposed + held) AS back
FROM generate_series('2026-09-01'::timestamptz, '2026-10-27', '2 days') t, generate_series(1, 2) r, recall_progress(r, t);
-- the same sums, the slow way: row by row from orders, events and responses
SELECT count(*) AS rows, count(*) FILTER (WHERE p.sold + p.restocked <> b.sold) AS sold, count(*) FILTER (WHERE p.destroyed_in_stock <> b.destroyed) AS destroyed,
  count(*) FILTER (WHERE p.used <> b.used) AS used, count(*) FILTER (WHERE p.returned <> (SELECT COALESCE(sum(x.quantity), 0) FROM recall_response_standing x
    WHERE x.recall_id = 1 AND x.kind = 'returned' AND x.gtin = p.gtin AND x.lot_code = p.lot_code)) AS returned
FROM recall_progress(1, 'infinity') p JOIN lot_balance b USING (lot_id) WHERE p.gtin = '6901234567892';
SELECT count(*) AS units, sum(t.made) = (SELECT sum(quantity) FROM lot WHERE lot_id <= 6) AS made FROM recall_progress_total(1, '2026-10-27') t;
-- the check is silent
SELECT DISTINCT problem FROM recall_progress_check();

-- whatever is tampered with, the check says so
CREATE FUNCTION tampered(what text) RETURNS TABLE (problems text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE what;
  SELECT string_agg(DISTINCT p.problem, '; ' ORDER BY p.problem) INTO problems FROM recall_progress_check(1) p;
  RETURN NEXT;
  RAISE EXCEPTION SQLSTATE 'ZZ001' USING MESSAGE = COALESCE(problems, 'nothing');
END $$;
CREATE FUNCTION says(what text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN PERFORM tampered(what); RETURN NULL; EXCEPTION WHEN SQLSTATE 'ZZ001' THEN RETURN SQLERRM; END $$;
SELECT w, says(w) FROM unnest(ARRAY[
  $$SELECT 1$$,
  $$UPDATE quality_gov.lot SET quantity = 5 WHERE lot_id = 2$$,
  $$INSERT INTO quality_gov.lot_event (lot_id, kind, at, quantity) VALUES (2, 'counted', '2026-10-20', 399)$$,
  $$INSERT INTO quality_gov.recall_response (recall_id, kind, quantity, at, gtin, lot_code, merchant_id, order_id, line) SELECT 1, 'refunded', 50, '2026-10-20', gtin, lot_code, merchant_id, order_id, line FROM quality_gov.sale WHERE gtin = '6901234567892' AND state = 'shipped' LIMIT 1$$,
  $$INSERT INTO quality_gov.recall_response (recall_id, kind, quantity, at, gtin, lot_code, merchant_id, order_id, line) VALUES (1, 'refunded', 1, '2026-10-20', '6901234567892', 'L1', 'm-1', 'gone', '')$$,
  $$INSERT INTO quality_gov.recall_response (recall_id, kind, quantity, at, gtin, lot_code) VALUES (1, 'refunded', 1, '2026-10-20', '614141123452', 'L1')$$,
  $$INSERT INTO quality_gov.recall_response (recall_id, kind, quantity, at, gtin, lot_code, serial) SELECT 1, 'refunded', 1, '2026-10-20', '6901234567892', 'L1', 's' FROM generate_series(1, 2)$$,
  $$INSERT INTO quality_gov.recall_response (recall_id, kind, quantity, at, gtin, lot_code) VALUES (1, 'confirmed', 1, '2026-10-20', '6901234567892', 'L1')$$,
  $$INSERT INTO quality_gov.recall_disposal (recall_id, gtin, lot_code, origin, measure, quantity, at, place) VALUES (1, '6901234567892', 'L1', 'returned', 'm', 5000, '2026-10-20', 'p')$$,
  $$UPDATE quality_gov.sale SET state = 'cancelled' WHERE EXISTS (SELECT FROM quality_gov.recall_response_standing r WHERE r.order_id = sale.order_id)$$,
  $$UPDATE quality_gov.recall_notice SET state = 'dead', attempts = 8 WHERE audience = 'regulator'$$,
  $$DELETE FROM quality_gov.recall_notice WHERE audience = 'merchant'$$]) WITH ORDINALITY AS u(w, n) ORDER BY n;
DROP FUNCTION says, tampered, refused, pick;
DROP EXTENSION quality_gov;

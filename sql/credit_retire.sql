-- Retention beside what is still to come: decisions of authorities that stand, models published since the last roll-up.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2015-01-01'), ('clean', 'b', 'company', '91350100M000100Y43', '2015-01-01');
CREATE FUNCTION load(at timestamptz, feed jsonb) RETURNS bigint LANGUAGE sql
  AS 'SELECT count(*) FROM quality_gov.regulatory_import(jsonb_build_array(feed || ''{"reason": "r", "legal_basis": "b"}''), ''samr'', false, at) i WHERE i.status = ''loaded''';
-- a flag that does not fade, which the authority keeps up for years; and a list entry that was removed
SELECT load('2021-10-02', '{"item": "s", "type": "list", "list": "serious_violation", "uscc": "91110000600037341L", "from": "2021-10-01", "until": "2027-01-01"}'),
       load('2017-01-02', '{"item": "a", "type": "list", "list": "abnormal_operation", "uscc": "91110000600037341L", "from": "2017-01-01"}'),
       load('2022-03-01', '{"item": "a-", "type": "removal", "of": "a", "ground": "cure", "from": "2022-03-01"}');
SELECT credit_collect('2017-01-03'), credit_collect('2021-10-03'), credit_collect('2022-03-02');
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source, ref)
SELECT 'm-1', 'recall', t, t, 1, 't', t::date FROM generate_series('2018-01-01'::timestamptz, '2021-12-01', '1 month') t;
SELECT credit_rollup();
-- a model of another half-life is published after the roll-up
INSERT INTO credit_model (model, version, state, title, owner, purpose, basis) VALUES ('trial', 1, 'shadow', 't', 'o', 'p', 'b');
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, half_life, point_cost, title) VALUES
  ('trial', 1, 'recall', 'goods_quality', 'points', 100, '3000 days', 1, 'r');
CREATE VIEW told AS
SELECT merchant_id, at, credit_score(merchant_id, at) AS score, credit_grade(merchant_id, at) AS grade,
       (SELECT t.score FROM credit_standings(ARRAY[m.merchant_id], at, 'trial', 1) t) AS trial
FROM merchant m, unnest('{2022-05-01,2024-06-01}'::timestamptz[]) at;
CREATE TABLE before AS SELECT * FROM told;
SELECT count(*) FROM credit_event WHERE recorded_at < '2022-01-01';
SELECT credit_retire('2022-01-01', 7) AS first, credit_retire('2022-01-01') AS rest, credit_retire('2022-01-01') AS more;
SELECT indicator, ref FROM credit_event WHERE recorded_at < '2022-01-01' ORDER BY 1, 2;
SELECT * FROM told EXCEPT SELECT * FROM before;
SELECT * FROM credit_check();
SELECT credit_rollup();
SELECT * FROM told EXCEPT SELECT * FROM before;
-- what stood all the time comes down when it ends; a removal that is old goes with what it removed, in whatever batches
SELECT grade FROM told WHERE merchant_id = 'm-1' AND at = '2024-06-01';
SELECT credit_collect('2027-01-01 00:00:01');
SELECT credit_grade('m-1', '2026-12-31') AS listed, credit_grade('m-1', '2027-01-02') AS lapsed;
SELECT * FROM credit_check();
SELECT credit_rollup();
SELECT credit_retire('2022-06-01', 1);
SELECT * FROM credit_check();
SELECT credit_retire('2022-06-01', 1);
SELECT count(*) FROM credit_event WHERE ref LIKE 'samr/a/%';
SELECT * FROM credit_check();
DROP VIEW told;
DROP TABLE before;
DROP FUNCTION load;
-- what was voided leaves a residue of rounding, here another in the opening than in the account: the oracle knows its size
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('residue', 'm', 'company', '91110000600037341L', '2015-01-01');
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source)
SELECT 'residue', 'recall', t, '2021-01-01', b, 't' FROM (VALUES ('2020-01-03 05:06'::timestamptz, 0.1), ('2020-02-04 07:08', 0.7), ('2020-03-05 09:10', 0.3)) e(t, b);
SELECT count(*) FROM credit_rollup();
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source, void)
SELECT merchant_id, indicator, at, '2021-02-01', -bad, source, true FROM credit_event WHERE merchant_id = 'residue' ORDER BY event_id;
SELECT count(*) FROM credit_rollup();
DO $$ BEGIN WHILE credit_retire('2022-01-01', 1) > 0 LOOP NULL; END LOOP; END $$;
SELECT count(*) > 0 AS residue FROM credit_opening WHERE merchant_id = 'residue' AND (credit_tally_at(tally, until)).bad <> 0;
SELECT * FROM credit_check() WHERE merchant_id = 'residue';
SELECT * FROM credit_check('residue');
DROP EXTENSION quality_gov;

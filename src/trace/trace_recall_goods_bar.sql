
-- trace: what recalls hold or stop, with periods; listing and order guards ask here

CREATE TABLE recall_release (
  recall_id bigint NOT NULL,
  release_id bigint GENERATED ALWAYS AS IDENTITY,
  gtin gtin NOT NULL,
  lot_code text,
  serial_from text,
  serial_to text,
  remedy text NOT NULL,
  evidence text NOT NULL,
  at timestamptz NOT NULL,
  CONSTRAINT recall_release_pkey PRIMARY KEY (recall_id, release_id),
  CONSTRAINT recall_release_goods CHECK (num_nonnulls(lot_code, serial_from) > 0),
  CONSTRAINT recall_release_serial CHECK (
    (serial_from IS NULL) = (serial_to IS NULL)
    AND length(serial_from) = length(serial_to) AND serial_from <= serial_to COLLATE "C"),
  CONSTRAINT recall_release_remedy CHECK (remedy IN ('warned', 'repaired', 'part_exchanged')),
  CONSTRAINT recall_release_evidence CHECK (btrim(evidence) <> ''),
  CONSTRAINT recall_release_at CHECK (isfinite(at))
);
CREATE INDEX recall_release_goods ON recall_release (gtin, lot_code);
COMMENT ON TABLE recall_release IS
  'Recalled goods that were made safe and may be sold again (Order 19 art 20): a lot, serial numbers or both, by what remedy, on what evidence and since when; it ends when the recall is notified or ordered again; append-only';
COMMENT ON COLUMN recall_release.remedy IS
  'What was done to the goods themselves: warned (warnings added or corrected), repaired, part_exchanged';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_release', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_release_release_id_seq', '');
CREATE TRIGGER recall_release_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recall_release
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER recall_release_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON recall_release
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();

CREATE FUNCTION gtin_try(code text) RETURNS gtin
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN (SELECT CASE WHEN plain ~ '^([0-9]{8}|[0-9]{12,14})$' AND plain !~ '^0+$'
                      THEN CASE WHEN gs1_is_valid(plain, length(plain)) THEN gtin(plain) END END
          FROM (SELECT btrim(normalize(code, NFKC)) AS plain) p);
COMMENT ON FUNCTION gtin_try(text) IS 'The GTIN a text spells, or null where it spells none';

CREATE FUNCTION recall_release_period(recall bigint, since timestamptz) RETURNS tstzrange
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT tstzrange(since, (SELECT min(t.at) FROM recall_step t
                           WHERE t.recall_id = recall AND t.at > since AND t.state IN ('notified', 'voluntary', 'ordered', 're_recall')));
END;
COMMENT ON FUNCTION recall_release_period(bigint, timestamptz) IS
  'From when to when a release holds: until the goods are recalled anew, since the remedy then proved insufficient (Order 19 art 22)';

CREATE FUNCTION recall_bar(gtin text, lot_code text, serial text DEFAULT NULL,
                           OUT since timestamptz, OUT until timestamptz, OUT verdict text, OUT reason text,
                           OUT legal_basis text)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
  -- Planning takes ten times as long as the answer.
  SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  goods quality_gov.gtin := quality_gov.gtin_try(gtin);
BEGIN
  -- Most goods are in no scope: the index tells, which the order makes the planner use.
  IF NOT EXISTS (SELECT FROM quality_gov.gtin_codes(goods) k CROSS JOIN LATERAL (
                   SELECT x.gtin FROM quality_gov.recall_scope x WHERE x.gtin = k.code ORDER BY x.gtin, x.lot_code LIMIT 1) x) THEN
    RETURN;
  END IF;
  RETURN QUERY
    WITH code AS MATERIALIZED (SELECT * FROM quality_gov.gtin_codes(goods)),
    named AS (
      -- Of goods whose lot is not known, every lot may be meant.
      SELECT x.*, c.since AS known FROM code c JOIN quality_gov.recall_scope x ON x.gtin = c.code AND x.lot_code IS NULL
      UNION ALL
      SELECT x.*, c.since FROM code c JOIN quality_gov.recall_scope x ON x.gtin = c.code AND x.lot_code = recall_bar.lot_code
      UNION ALL
      SELECT x.*, c.since FROM code c JOIN quality_gov.recall_scope x ON x.gtin = c.code AND x.lot_code IS NOT NULL
      WHERE recall_bar.lot_code IS NULL),
    revised AS (
      SELECT DISTINCT n.recall_id, n.revision, n.since, n.known,
             CASE WHEN n.made IS NOT NULL AND n.lot_code IS NULL THEN
               (SELECT min(greatest(s.since, c.since)) FROM code c JOIN quality_gov.recall_spared s
                  ON s.recall_id = n.recall_id AND s.gtin = c.code AND s.lot_code = recall_bar.lot_code) END AS spared
      FROM named n
      -- An order that names no number may be of any.
      WHERE n.serial_from IS NULL OR serial IS NULL OR quality_gov.serial_within(serial, n.serial_from, n.serial_to)),
    bounded AS MATERIALIZED (
      -- The first revision says what the recall was opened for; each holds until the next.
      SELECT v.recall_id, greatest(CASE WHEN v.revision > 1 THEN v.since ELSE '-infinity' END, v.known) AS lower,
             least(v.spared, (SELECT n.since FROM quality_gov.recall_scope n
                              WHERE n.recall_id = v.recall_id AND n.revision = v.revision + 1 LIMIT 1)) AS upper
      FROM revised v),
    scope AS (
      SELECT b.recall_id, range_agg(tstzrange(b.lower, b.upper)) AS held
      FROM bounded b WHERE b.upper IS NULL OR b.lower < b.upper GROUP BY b.recall_id)
    SELECT lower(p.period), upper(p.period), t.verdict,
           format('recall %s (%s): %s', r.recall_id, t.title, r.title), r.legal_basis
    FROM scope s
    JOIN quality_gov.recall r USING (recall_id)
    CROSS JOIN LATERAL (
      SELECT range_agg(quality_gov.recall_release_period(l.recall_id, l.at) * tstzrange(c.since, NULL)) AS free
      FROM code c JOIN quality_gov.recall_release l ON l.gtin = c.code
      WHERE l.recall_id = s.recall_id AND (l.lot_code IS NULL OR l.lot_code = recall_bar.lot_code)
        AND (l.serial_from IS NULL OR quality_gov.serial_within(serial, l.serial_from, l.serial_to))) released
    CROSS JOIN LATERAL (
      SELECT x.state, x.at, lead(x.at) OVER (ORDER BY x.at) AS until
      FROM quality_gov.recall_step x WHERE x.recall_id = r.recall_id) step
    JOIN quality_gov.recall_state t ON t.state = step.state
    CROSS JOIN LATERAL unnest(tstzmultirange(tstzrange(step.at, step.until)) * s.held - COALESCE(released.free, '{}')) p(period)
    WHERE t.verdict <> 'pass';
END
$$;
COMMENT ON FUNCTION recall_bar(text, text, text) IS
  'Recalls that hold (quarantine) or stop (deny) goods of a GTIN, lot and serial number, with the period of each; goods whose lot, serial number or day made is not known count as in scope; released goods (recall_release) do not';

CREATE FUNCTION recall_scope_at(recall bigint, at timestamptz) RETURNS SETOF recall_scope
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT x.* FROM recall_scope x
  WHERE x.recall_id = recall
    AND x.revision = (SELECT COALESCE(max(n.revision) FILTER (WHERE n.since <= recall_scope_at.at), min(n.revision))
                      FROM recall_scope n WHERE n.recall_id = recall);
END;
COMMENT ON FUNCTION recall_scope_at(bigint, timestamptz) IS 'Scope of a recall as of an instant: the revision in force then, at first the first';

CREATE FUNCTION recall_release(recall bigint, scope jsonb, remedy text, evidence text, at timestamptz DEFAULT now()) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  state text;
  goods record;
  n integer := 0;
BEGIN
  IF remedy IS NULL OR remedy NOT IN ('warned', 'repaired', 'part_exchanged') THEN
    RAISE EXCEPTION 'remedy must be warned, repaired or part_exchanged, found %', COALESCE(quote_literal(remedy), 'null')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Goods that were not made safe may not be sold again (Order 19 art 20).';
  END IF;
  IF COALESCE(btrim(evidence), '') = '' THEN
    RAISE EXCEPTION 'evidence must say how the remedy is proved' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'a release needs a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  UPDATE quality_gov.recall r SET title = r.title WHERE r.recall_id = recall;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'recall % does not exist', recall USING ERRCODE = 'no_data_found';
  END IF;
  SELECT t.state INTO state FROM quality_gov.recall_step t
  WHERE t.recall_id = recall AND t.at <= recall_release.at ORDER BY t.at DESC LIMIT 1;
  IF state IS NULL OR state NOT IN ('plan_reported', 'published', 'running', 'completed', 'final_summary') THEN
    RAISE EXCEPTION 'recall % is "%" as of %, nothing can be released yet', recall, COALESCE(state, 'not begun'), at
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Goods are made safe by the plan: it may be from "plan_reported" on.';
  END IF;
  FOR goods IN SELECT row_number() OVER () - 1 AS place, s.* FROM quality_gov.recall_scope_read(scope) s LOOP
    IF goods.ingredient IS NOT NULL OR goods.made IS NOT NULL OR num_nonnulls(goods.lot_code, goods.serial_from) = 0 THEN
      RAISE EXCEPTION 'scope[%] must name a lot or serial numbers', goods.place USING ERRCODE = 'invalid_parameter_value',
        HINT = 'Name what was made safe; a whole GTIN, days or an ingredient say nothing about that.';
    END IF;
    IF NOT EXISTS (
      SELECT FROM quality_gov.recall_scope_at(recall, recall_release.at) x
      JOIN quality_gov.gtin_codes(goods.gtin) k ON k.code = x.gtin AND k.since <= recall_release.at
      WHERE (x.lot_code IS NULL OR x.lot_code = goods.lot_code)
        AND (x.serial_from IS NULL OR goods.serial_from IS NULL
             OR quality_gov.serial_within(goods.serial_from, x.serial_from, x.serial_to)
                AND quality_gov.serial_within(goods.serial_to, x.serial_from, x.serial_to))
        AND NOT (x.made IS NOT NULL AND x.lot_code IS NULL AND EXISTS (
                   SELECT FROM quality_gov.gtin_codes(x.gtin) o JOIN quality_gov.recall_spared s ON s.gtin = o.code
                   WHERE s.recall_id = recall AND s.lot_code = goods.lot_code AND s.since <= recall_release.at))) THEN
      RAISE EXCEPTION 'scope[%] is not in the scope of recall %', goods.place, recall USING ERRCODE = 'invalid_parameter_value',
        HINT = 'quality_gov.recall_goods() lists it; where it names a lot, name it too, and serial numbers must lie in one of its ranges.';
    END IF;
    INSERT INTO quality_gov.recall_release (recall_id, gtin, lot_code, serial_from, serial_to, remedy, evidence, at)
    VALUES (recall, goods.gtin, goods.lot_code, goods.serial_from, goods.serial_to, remedy, evidence, at);
    n := n + 1;
  END LOOP;
  PERFORM quality_gov.ledger_record('recall_release', 'recall ' || recall, jsonb_build_object(
    'recall_id', recall, 'scope', scope, 'remedy', remedy, 'evidence', evidence, 'at', at));
  RETURN n;
END
$$;
COMMENT ON FUNCTION recall_release(bigint, jsonb, text, text, timestamptz) IS
  'Lets goods of a recall that were made safe be listed and sold again from at on (Order 19 art 20): lots, serial numbers, in the form of recall_open(); 22023 for goods that are not in scope, 55000 before a plan is reported; gives the number of entries';

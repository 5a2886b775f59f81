
-- merchant: how every item of the record stands, and what may be asked for

CREATE FUNCTION regulatory_standing(at timestamptz, subjects uscc[] DEFAULT NULL,
    OUT source text, OUT item text, OUT version integer, OUT type text, OUT uscc uscc, OUT decided_at timestamptz,
    OUT severity text, OUT class text, OUT class_reason text, OUT published_from timestamptz,
    OUT published_until timestamptz, OUT earliest timestamptz, OUT state text, OUT since timestamptz,
    OUT barred_until timestamptz, OUT governed_by text, OUT repair text, OUT conditions text[], OUT papers text[],
    OUT legal_basis text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET timezone = 'Asia/Shanghai' SET datestyle = 'ISO, MDY'
BEGIN ATOMIC
  WITH candidate AS (
    SELECT r.source, r.item FROM regulatory_record r
    WHERE r.uscc = ANY (subjects) AND r.of_item IS NULL
    UNION
    SELECT r.source, r.item FROM regulatory_record r
    WHERE subjects IS NULL AND r.uscc IS NOT NULL AND r.of_item IS NULL),
  thing AS MATERIALIZED (
    SELECT r.* FROM candidate c
    CROSS JOIN LATERAL (
      SELECT x.* FROM regulatory_record x
      WHERE x.source = c.source AND x.item = c.item AND x.recorded_at <= regulatory_standing.at
      ORDER BY x.version DESC LIMIT 1) r
    WHERE r.uscc IS NOT NULL AND (subjects IS NULL OR r.uscc = ANY (subjects))),
  -- Decisions that were known and had been taken; one sent again as withdrawn was never taken.
  decision AS MATERIALIZED (
    SELECT d.source, t.item, d.item AS by_item, d.version, d.at, d.recorded_at, d.content, t.uscc,
           CASE d.type WHEN 'removal' THEN 'removed' WHEN 'annulment' THEN 'annulled' ELSE d.content ->> 'decision' END AS code
    FROM thing t
    JOIN regulatory_record d ON d.source = t.source AND d.of_item = t.item
    WHERE d.recorded_at <= regulatory_standing.at AND d.at <= regulatory_standing.at
      AND NOT EXISTS (SELECT FROM regulatory_record x WHERE x.source = d.source AND x.item = d.item
                        AND x.version > d.version AND x.recorded_at <= regulatory_standing.at)
      AND NOT COALESCE((d.content ->> 'withdrawn')::boolean, false)
      AND (d.uscc = t.uscc) IS NOT FALSE),
  acted AS (
    SELECT d.source, d.item, min(d.at) FILTER (WHERE d.code = 'annulled') AS annulled_at,
           max(d.at) FILTER (WHERE d.code = 'revoked') AS revoked_at,
           (array_agg(d.code ORDER BY d.at DESC, d.recorded_at DESC, d.by_item DESC)
              FILTER (WHERE d.code IN ('granted', 'removed', 'revoked', 'restored')))[1] AS last_code,
           (array_agg(d.at ORDER BY d.at DESC, d.recorded_at DESC, d.by_item DESC)
              FILTER (WHERE d.code IN ('granted', 'removed', 'revoked', 'restored')))[1] AS last_at
    FROM decision d GROUP BY d.source, d.item),
  whole AS (
    SELECT t.source, t.item, t.version, t.type, t.uscc, t.at, t.severity, t.content,
           CASE WHEN (t.content ->> 'withdrawn')::boolean THEN t.recorded_at ELSE a.annulled_at END AS annulled_at,
           a.revoked_at, a.last_code, a.last_at
    FROM thing t LEFT JOIN acted a ON a.source = t.source AND a.item = t.item
    UNION ALL
    -- A decision that tells of fraud is published itself.
    SELECT d.source, d.by_item, d.version, 'repair', d.uscc, d.at, 'none', d.content, NULL, NULL, NULL, NULL
    FROM decision d WHERE d.code = 'revoked' OR d.code = 'refused' AND (d.content ->> 'fraud')::boolean),
  -- Most items are of few sorts, and telling a class is slow.
  keyed AS MATERIALIZED (SELECT w.*, repair_class_key(w.content) AS key FROM whole w),
  sort AS MATERIALIZED (
    SELECT d.key, k.class, k.reason FROM (SELECT DISTINCT x.key FROM keyed x) d
    JOIN LATERAL repair_class_of(d.key, regulatory_standing.at) k ON true),
  class_now AS MATERIALIZED (
    SELECT DISTINCT ON (x.class) x.* FROM repair_class x WHERE x.effect @> regulatory_standing.at
    ORDER BY x.class, x.builtin),
  classed AS (
    SELECT w.*, c.class, k.reason AS class_reason, c.published, c.max_months, c.repair, c.repair_months, c.conditions, c.papers,
           c.legal_basis, c.severity AS class_severity,
           COALESCE(w.revoked_at, (w.content ->> 'published_from')::timestamptz, w.at) AS base,
           CASE WHEN c.severity = 'serious' THEN
             COALESCE((w.content ->> 'ban_until')::timestamptz, CASE WHEN c.awaits_ban THEN 'infinity'::timestamptz END) END AS ban_end,
           w.annulled_at IS NULL AND COALESCE(w.last_code NOT IN ('granted', 'removed'), true) AS stands
    FROM keyed w
    LEFT JOIN sort k ON k.key = w.key
    LEFT JOIN class_now c ON c.class = k.class),
  ended AS (
    SELECT c.*,
           CASE WHEN NOT c.published THEN c.base
                WHEN c.type = 'list' AND c.revoked_at IS NULL AND c.content ->> 'until' IS NOT NULL
                  THEN (c.content ->> 'until')::timestamptz
                WHEN c.class IS NULL THEN 'infinity'
                ELSE greatest(COALESCE(publication_end(c.base, c.max_months), 'infinity'), c.ban_end) END AS own_end
    FROM classed c),
  bound AS (
    SELECT e.*,
           -- A term that began anew after fraud is not ended early (art 23).
           CASE WHEN e.repair = 'cure' THEN e.base
                WHEN e.repair = 'application' AND e.revoked_at IS NULL
                  THEN greatest(publication_end(e.base, e.repair_months), e.ban_end)
                ELSE e.own_end END AS own_bound,
           -- What was repaired or annulled lengthens another's term up to that day and no further.
           CASE WHEN e.annulled_at IS NOT NULL THEN least(e.annulled_at, e.own_end)
                WHEN NOT e.stands THEN least(e.last_at, e.own_end) ELSE e.own_end END AS reach,
           CASE WHEN e.type = 'penalty' AND e.published AND e.at <= regulatory_standing.at AND e.content ->> 'fact' IS NOT NULL
                THEN 'fact ' || (e.content ->> 'fact') ELSE 'item ' || e.item END AS part
    FROM ended e),
  -- Of several penalties on one fact the longest term governs (Order 107 arts 6 and 10).
  governed AS (
    SELECT b.*, CASE WHEN b.stands THEN max(b.reach) OVER fact ELSE b.own_end END AS fact_end,
           max(b.own_bound) FILTER (WHERE b.stands) OVER fact AS fact_bound,
           first_value(b.item) OVER first AS governor, first_value(b.repair) OVER first AS fact_repair,
           first_value(b.conditions) OVER first AS fact_conditions, first_value(b.papers) OVER first AS fact_papers
    FROM bound b
    WINDOW fact AS (PARTITION BY b.source, b.uscc, b.part),
           first AS (PARTITION BY b.source, b.uscc, b.part ORDER BY b.stands DESC, b.own_end DESC, b.own_bound DESC, b.item)),
  -- A spot check is published as long as what followed from it, and for its own term where that is minor.
  linked AS (
    SELECT g.source, g.uscc, g.content ->> 'fact' AS fact,
           max(e.until) FILTER (WHERE g.class_severity <> 'minor' AND g.annulled_at IS NULL) AS weighty,
           max(e.until) AS any_end
    FROM governed g
    CROSS JOIN LATERAL (SELECT CASE WHEN g.stands THEN g.fact_end ELSE g.reach END AS until) e
    WHERE g.type IN ('penalty', 'list') AND g.class IS NOT NULL AND g.at <= regulatory_standing.at
      AND g.content ->> 'fact' IS NOT NULL
    GROUP BY 1, 2, 3),
  term AS (
    SELECT g.*, CASE WHEN g.type IN ('sampling', 'spot_check') THEN COALESCE(l.weighty, greatest(g.fact_end, l.any_end))
                     ELSE g.fact_end END AS final_end
    FROM governed g
    LEFT JOIN linked l ON l.source = g.source AND l.uscc = g.uscc AND l.fact = g.content ->> 'fact'),
  judged AS (
    SELECT t.*,
           CASE WHEN t.annulled_at IS NOT NULL THEN 'annulled'
                WHEN t.type <> 'repair' AND t.severity = 'none' THEN 'clear'
                WHEN NOT t.published THEN 'unpublished'
                -- What had lapsed before it was repaired had lapsed.
                WHEN NOT t.stands AND t.last_at < t.final_end THEN CASE t.last_code WHEN 'granted' THEN 'repaired' ELSE 'removed' END
                WHEN t.final_end <= regulatory_standing.at THEN 'lapsed'
                ELSE 'standing' END AS state
    FROM term t)
  SELECT j.source, j.item, j.version, j.type, j.uscc, j.at, j.severity, j.class, j.class_reason,
         CASE WHEN j.published THEN j.base END,
         CASE j.state WHEN 'annulled' THEN j.annulled_at WHEN 'repaired' THEN j.last_at WHEN 'removed' THEN j.last_at
                      WHEN 'unpublished' THEN NULL WHEN 'clear' THEN NULL ELSE j.final_end END,
         CASE WHEN j.state = 'standing' AND j.fact_repair IN ('application', 'cure') AND j.fact_bound < j.final_end
                   THEN j.fact_bound END,
         j.state,
         CASE j.state WHEN 'annulled' THEN j.annulled_at WHEN 'repaired' THEN j.last_at WHEN 'removed' THEN j.last_at
                      WHEN 'lapsed' THEN j.final_end WHEN 'standing' THEN COALESCE(j.revoked_at, j.at) ELSE j.at END,
         max(j.final_end) FILTER (WHERE j.class = '23') OVER (PARTITION BY j.uscc),
         j.governor, j.fact_repair, j.fact_conditions, j.fact_papers, j.legal_basis
  FROM judged j;
END;
COMMENT ON FUNCTION regulatory_standing(timestamptz, uscc[]) IS
  'How each item of the record with a code stands as of an instant, as known then, of all subjects or some: class, publication, earliest application, and state: standing, clear (a passed check), unpublished, lapsed, repaired, removed, annulled; infinity is an end that is not known';

CREATE FUNCTION repair_terms_of(subjects uscc[], at timestamptz, OUT uscc uscc,
    OUT source text, OUT item text, OUT type text, OUT decided_at timestamptz, OUT severity text, OUT class text,
    OUT state text, OUT since timestamptz, OUT published_from timestamptz, OUT published_until timestamptz,
    OUT earliest timestamptz, OUT barred_until timestamptz, OUT may_ask text[], OUT papers text[], OUT conditions text[],
    OUT reason text, OUT legal_basis text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT s.uscc, s.source, s.item, s.type, s.decided_at, s.severity, s.class, s.state, s.since, s.published_from,
         s.published_until, s.earliest, barred.until, asks.may,
         CASE WHEN asks.may && '{repair,removal}'::text[] THEN s.papers END,
         CASE WHEN asks.may && '{repair,removal}'::text[] THEN s.conditions END,
         concat_ws('; ', CASE WHEN s.class IS NOT NULL THEN s.class_reason END,
           CASE WHEN s.class IS NULL AND s.state = 'standing' AND s.type <> 'list' THEN 'no class is in force' END,
           CASE WHEN s.governed_by <> s.item AND s.state = 'standing'
                THEN format('the term of item "%s" on the same fact governs', s.governed_by) END,
           CASE WHEN s.published_until = 'infinity' AND s.class = '8.2' THEN 'the end of the ban is not told, or never comes' END,
           CASE WHEN s.state = 'standing' AND s.class IS NOT NULL AND s.earliest IS NULL AND s.type <> 'repair'
                THEN 'nothing ends it before it lapses' END,
           CASE WHEN s.earliest > repair_terms_of.at THEN 'the time to apply has not come' END,
           CASE WHEN s.earliest IS NOT NULL AND barred.until > repair_terms_of.at
                THEN 'after fraud in a repair no application is open' END),
         s.legal_basis
  FROM regulatory_standing(repair_terms_of.at, subjects) s
  CROSS JOIN LATERAL (SELECT CASE WHEN s.barred_until > repair_terms_of.at THEN s.barred_until END AS until) barred
  CROSS JOIN LATERAL (
    SELECT array_remove(ARRAY[
      CASE WHEN s.earliest <= repair_terms_of.at AND barred.until IS NULL THEN
        CASE s.type WHEN 'list' THEN 'removal' ELSE 'repair' END END,
      CASE WHEN s.class = 'abnormal' AND s.state = 'standing'
             AND repair_terms_of.at < duty_deadline('D38 objection', s.published_from) THEN 'objection' END], NULL) AS may) asks
  WHERE s.decided_at <= repair_terms_of.at;
END;
COMMENT ON FUNCTION repair_terms_of(uscc[], timestamptz) IS
  'What repair_terms() tells, of some subjects or, where null, of all; for functions that know who asks';

CREATE FUNCTION repair_terms(merchant_id text, at timestamptz DEFAULT now(),
    OUT source text, OUT item text, OUT type text, OUT decided_at timestamptz, OUT severity text, OUT class text,
    OUT state text, OUT since timestamptz, OUT published_from timestamptz, OUT published_until timestamptz,
    OUT earliest timestamptz, OUT barred_until timestamptz, OUT may_ask text[], OUT papers text[], OUT conditions text[],
    OUT reason text, OUT legal_basis text)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  subject quality_gov.uscc;
BEGIN
  IF merchant_id IS NULL OR at IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN at IS NULL THEN 'at' ELSE 'merchant_id' END
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF NOT isfinite(at) THEN
    RAISE EXCEPTION 'the instant to judge as of must be finite' USING ERRCODE = 'datetime_field_overflow';
  END IF;
  IF NOT quality_gov.session_acts_for(merchant_id, '{quality_gov_admin,quality_gov_app,quality_gov_regulator}') THEN
    RAISE EXCEPTION 'permission denied for merchant "%"', merchant_id USING ERRCODE = 'insufficient_privilege',
      HINT = 'A database role is tied to its merchant by quality_gov.merchant_member_add().';
  END IF;
  SELECT m.uscc INTO subject FROM quality_gov.merchant m WHERE m.merchant_id = repair_terms.merchant_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'merchant "%" does not exist', merchant_id USING ERRCODE = 'no_data_found';
  END IF;
  RETURN QUERY
    SELECT t.source, t.item, t.type, t.decided_at, t.severity, t.class, t.state, t.since, t.published_from, t.published_until,
           t.earliest, t.barred_until, t.may_ask, t.papers, t.conditions, t.reason, t.legal_basis
    FROM quality_gov.repair_terms_of(ARRAY[subject], repair_terms.at) t ORDER BY t.decided_at, t.source, t.item;
END
$$;
COMMENT ON FUNCTION repair_terms(text, timestamptz) IS
  'What authorities hold against a merchant as of an instant, as known then: class, publication, the earliest application, a bar after fraud, what may be asked of the authority now (repair, removal, objection) with papers and conditions (Order 107); the authority decides. 42501 for a merchant of somebody else';

CREATE FUNCTION repair_terms_all(at timestamptz DEFAULT now(), OUT merchant_id text, OUT name text,
    OUT source text, OUT item text, OUT type text, OUT decided_at timestamptz, OUT severity text, OUT class text,
    OUT state text, OUT since timestamptz, OUT published_from timestamptz, OUT published_until timestamptz,
    OUT earliest timestamptz, OUT barred_until timestamptz, OUT may_ask text[], OUT papers text[], OUT conditions text[],
    OUT reason text, OUT legal_basis text)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  reads_all boolean := quality_gov.session_acts_for(NULL, '{quality_gov_admin,quality_gov_regulator}');
  subjects quality_gov.uscc[];
BEGIN
  IF NOT reads_all THEN
    subjects := ARRAY(SELECT m.uscc FROM quality_gov.merchant m
                      WHERE m.merchant_id IN (SELECT b.merchant_id FROM quality_gov.merchant_member b)
                        AND quality_gov.session_acts_for(m.merchant_id, '{}') AND m.uscc IS NOT NULL);
  END IF;
  RETURN QUERY
    SELECT m.merchant_id, m.name, t.source, t.item, t.type, t.decided_at, t.severity, t.class, t.state, t.since,
           t.published_from, t.published_until, t.earliest, t.barred_until, t.may_ask, t.papers, t.conditions, t.reason,
           t.legal_basis
    FROM quality_gov.repair_terms_of(subjects, repair_terms_all.at) t
    JOIN quality_gov.merchant m ON m.uscc = t.uscc
    WHERE reads_all OR quality_gov.session_acts_for(m.merchant_id, '{}');
END
$$;
COMMENT ON FUNCTION repair_terms_all(timestamptz) IS
  'repair_terms() of every merchant that the session may read: all for an administrator or a regulator, else its own';

CREATE VIEW repair_overview WITH (security_barrier) AS
  SELECT t.* FROM repair_terms_all(now()) t;
COMMENT ON VIEW repair_overview IS
  'repair_terms() of every merchant now; a merchant sees its own';

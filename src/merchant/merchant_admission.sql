
-- merchant: watch-lists

CREATE TABLE watchlist (
  watchlist text NOT NULL,
  title text NOT NULL,
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT watchlist_pkey PRIMARY KEY (watchlist)
);
COMMENT ON TABLE watchlist IS 'Lists that merchants and people can be on; the platform adds its own';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.watchlist', 'WHERE NOT builtin');

CREATE TABLE watchlist_effect (
  watchlist text NOT NULL,
  action text NOT NULL,
  verdict text NOT NULL,
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT watchlist_effect_pkey PRIMARY KEY (watchlist, action, builtin),
  CONSTRAINT watchlist_effect_action CHECK (action IN ('admit', 'list', 'sell', 'live')),
  CONSTRAINT watchlist_effect_verdict CHECK (verdict IN ('deny', 'warn', 'pass'))
);
COMMENT ON TABLE watchlist_effect IS
  'What being on a list does to an action; a row of the platform (builtin false) goes before the shipped one';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.watchlist_effect', 'WHERE NOT builtin');

CREATE TABLE watchlist_entry (
  entry_id bigint GENERATED ALWAYS AS IDENTITY,
  watchlist text NOT NULL,
  uscc uscc,
  name text,
  identity_digest text,
  reason text NOT NULL,
  legal_basis text NOT NULL,
  source text NOT NULL,
  source_item text,
  term tstzrange NOT NULL,
  appeal_state text NOT NULL DEFAULT 'none',
  period integer NOT NULL DEFAULT 1,
  CONSTRAINT watchlist_entry_pkey PRIMARY KEY (entry_id),
  CONSTRAINT watchlist_entry_source_item UNIQUE (source, source_item, period),
  CONSTRAINT watchlist_entry_period CHECK (period > 0),
  CONSTRAINT watchlist_entry_subject CHECK (num_nonnulls(uscc, name_key(name), identity_digest) > 0),
  CONSTRAINT watchlist_entry_identity_digest CHECK (identity_digest ~ '^[0-9a-f]{64}$'),
  CONSTRAINT watchlist_entry_term CHECK (NOT lower_inf(term)),
  CONSTRAINT watchlist_entry_appeal_state CHECK (appeal_state IN ('none', 'open', 'upheld', 'lifted'))
);
CREATE INDEX watchlist_entry_uscc ON watchlist_entry (uscc) WHERE uscc IS NOT NULL;
CREATE INDEX watchlist_entry_name ON watchlist_entry (name_key(name)) WHERE name IS NOT NULL;
CREATE INDEX watchlist_entry_digest ON watchlist_entry (identity_digest) WHERE identity_digest IS NOT NULL;
COMMENT ON TABLE watchlist_entry IS
  'Subjects on the lists: by uscc, by name (compared as name_key), or by keyed digest of an identity number; an entry whose appeal lifted it (appeal_state lifted) has no effect';
COMMENT ON COLUMN watchlist_entry.period IS
  'Of an imported entry that was ended and restored, the how manieth time it stands';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.watchlist_entry', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.watchlist_entry_entry_id_seq', '');

INSERT INTO watchlist VALUES
  ('abnormal_operation', 'Abnormal operations (经营异常名录)', '企业经营异常名录管理办法, as amended by Order 108/2025', true),
  ('serious_violation', 'Serious violations and loss of credit (严重违法失信名单)', '市场监督管理严重违法失信名单管理办法, Order 44/2021', true),
  ('platform', 'Blacklist of the platform', 'Service agreement of the platform (电子商务法 art 32)', true),
  ('live_commerce', 'Blacklist of live commerce (直播电商黑名单)', '直播电商监督管理办法, Order 117, art 14', true),
  ('live_registration', 'Barred from registering again for live commerce (禁止重新注册)', '直播电商监督管理办法, Order 117, art 12', true);
INSERT INTO watchlist_effect VALUES
  ('abnormal_operation', 'admit', 'warn', 'Policy of the platform; the list is public (Order 108/2025)', true),
  ('serious_violation', 'admit', 'deny', 'Policy of the platform; consequences of the list in Order 44/2021 art 15', true),
  ('platform', 'admit', 'deny', 'Service agreement of the platform', true),
  ('platform', 'list', 'deny', 'Service agreement of the platform', true),
  ('platform', 'sell', 'deny', 'Service agreement of the platform', true),
  ('live_commerce', 'live', 'deny', 'Order 117 art 14', true),
  ('live_registration', 'admit', 'warn', 'Policy of the platform; the bar is of live commerce (Order 117 art 12)', true),
  ('live_registration', 'live', 'deny', 'Order 117 art 12', true);
CREATE TRIGGER watchlist_builtin BEFORE INSERT OR UPDATE OR DELETE ON watchlist
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();
CREATE TRIGGER watchlist_effect_builtin BEFORE INSERT OR UPDATE OR DELETE ON watchlist_effect
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE TABLE merchant_person (
  merchant_id text NOT NULL,
  identity_digest text NOT NULL,
  position text NOT NULL,
  CONSTRAINT merchant_person_pkey PRIMARY KEY (merchant_id, identity_digest),
  CONSTRAINT merchant_person_identity_digest CHECK (identity_digest ~ '^[0-9a-f]{64}$')
);
CREATE INDEX merchant_person_digest ON merchant_person (identity_digest);
COMMENT ON TABLE merchant_person IS
  'People behind a merchant, by keyed digest of the identity number, so that a barred person is known under a new shop';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.merchant_person', '');

CREATE TRIGGER watchlist_effect_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON watchlist_effect FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER watchlist_entry_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON watchlist_entry FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER merchant_person_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON merchant_person FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();

CREATE FUNCTION watchlist_hit(uscc uscc, name text, digests text[]) RETURNS SETOF watchlist_entry
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  key text := quality_gov.name_key(name);
BEGIN
  -- A name speaks only where one side has no code, since firms share names.
  RETURN QUERY
    SELECT e.* FROM quality_gov.watchlist_entry e
    WHERE e.appeal_state <> 'lifted' AND e.uscc = watchlist_hit.uscc
    UNION
    SELECT e.* FROM quality_gov.watchlist_entry e
    WHERE e.appeal_state <> 'lifted' AND e.identity_digest = ANY (digests)
    UNION
    SELECT e.* FROM quality_gov.watchlist_entry e
    WHERE e.appeal_state <> 'lifted' AND e.name IS NOT NULL
      AND quality_gov.name_key(e.name) = key
      AND (e.uscc IS NULL OR watchlist_hit.uscc IS NULL);
END
$$;
COMMENT ON FUNCTION watchlist_hit(uscc, text, text[]) IS
  'Entries of every list that speak of a subject, whatever their term: by code, by digest of an identity number, or by name where one side has no code';

CREATE FUNCTION watchlist_verdict(watchlist text, action text) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT e.verdict FROM watchlist_effect e
  WHERE e.watchlist = watchlist_verdict.watchlist AND e.action = watchlist_verdict.action
  ORDER BY e.builtin LIMIT 1;
END;
COMMENT ON FUNCTION watchlist_verdict(text, text) IS
  'What being on a list does to an action: deny, warn, pass, or null where nothing is set';

-- merchant: what stands in a merchant's way, with periods; merchant_may() and the guards both ask here

CREATE FUNCTION license_gap(merchant_id text, license_kind text, category text, within tstzrange)
  RETURNS tstzmultirange
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  RETURN tstzmultirange(within) - COALESCE((
    SELECT range_agg(
      tstzrange(lower(l.valid)::timestamp AT TIME ZONE 'Asia/Shanghai',
                upper(l.valid)::timestamp AT TIME ZONE 'Asia/Shanghai')
      * CASE l.status WHEN 'valid' THEN '(,)'::tstzrange ELSE tstzrange(NULL, l.status_since) END)
    FROM quality_gov.merchant_license l
    WHERE l.merchant_id = license_gap.merchant_id AND l.kind = license_gap.license_kind
      AND (license_gap.category IS NULL OR quality_gov.category_covers(l.categories, license_gap.category))
  ), '{}');
END
$$;
COMMENT ON FUNCTION license_gap(text, text, text, tstzrange) IS
  'Periods within which a merchant holds no valid licence of a kind for a category';

CREATE FUNCTION merchant_bar(merchant_id text, test text, argument text, category text,
                             OUT since timestamptz, OUT until timestamptz, OUT verdict text, OUT reason text,
                             OUT legal_basis text)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  m quality_gov.merchant;
BEGIN
  SELECT * INTO m FROM quality_gov.merchant x WHERE x.merchant_id = merchant_bar.merchant_id;
  verdict := 'deny';
  -- Of somebody unknown it is enough to say so once.
  IF m.merchant_id IS NULL AND test <> 'may' THEN
    RETURN;
  ELSIF m.merchant_id IS NULL THEN
    reason := format('merchant "%s" is not admitted', merchant_id);
    RETURN NEXT;
    RETURN;
  END IF;
  IF test = 'license' THEN
    RETURN QUERY
      SELECT lower(gap), upper(gap), 'deny', format('no valid licence "%s"%s', argument,
               COALESCE(format(' for category "%s"', merchant_bar.category), '')), NULL::text
      FROM unnest(quality_gov.license_gap(merchant_bar.merchant_id, argument, merchant_bar.category, '(,)')) gap;
    RETURN;
  END IF;
  IF test = 'watchlist' THEN
    RETURN QUERY
      SELECT lower(h.term), upper(h.term), 'deny', format('on list "%s": %s', h.watchlist, h.reason), h.legal_basis
      FROM quality_gov.watchlist_hit(m.uscc, m.name, ARRAY(
        SELECT p.identity_digest FROM quality_gov.merchant_person p
        WHERE p.merchant_id = merchant_bar.merchant_id)) h
      WHERE h.watchlist = argument AND NOT isempty(h.term);
    RETURN;
  END IF;
  RETURN QUERY
    SELECT NULL::timestamptz, m.admitted_at, 'deny', format('merchant "%s" is not admitted yet', m.merchant_id), NULL::text
    UNION ALL
    SELECT m.closed_at, NULL, 'deny', format('merchant "%s" has left the platform', m.merchant_id), NULL
    WHERE m.closed_at IS NOT NULL
    UNION ALL
    SELECT lower(r.effect), upper(r.effect), 'deny', r.reason, NULL
    FROM quality_gov.merchant_restriction r
    WHERE r.merchant_id = merchant_bar.merchant_id AND r.action IN (argument, '*')
      AND (r.category IS NULL OR quality_gov.category_covers(ARRAY[r.category], merchant_bar.category))
    UNION ALL
    SELECT lower(h.term), upper(h.term), 'deny', format('on list "%s": %s', h.watchlist, h.reason), h.legal_basis
    FROM quality_gov.watchlist_hit(m.uscc, m.name, ARRAY(
      SELECT p.identity_digest FROM quality_gov.merchant_person p
      WHERE p.merchant_id = merchant_bar.merchant_id)) h
    WHERE NOT isempty(h.term) AND quality_gov.watchlist_verdict(h.watchlist, argument) = 'deny'
    UNION ALL
    SELECT lower(gap), upper(gap), 'deny',
           format('category "%s" needs a valid licence "%s" (%s)', merchant_bar.category, c.license_kind, c.legal_basis),
           c.legal_basis
    FROM quality_gov.category_license c
    CROSS JOIN LATERAL unnest(quality_gov.license_gap(merchant_bar.merchant_id, c.license_kind,
                                                      merchant_bar.category, c.effect)) gap
    WHERE argument IN ('list', 'sell')
      AND quality_gov.category_covers(ARRAY[c.category], merchant_bar.category);
END
$$;
COMMENT ON FUNCTION merchant_bar(text, text, text, text) IS
  'Everything that stands in a merchant''s way, with its period: test may (argument list, sell or live), license (argument a licence kind) or watchlist (argument a list)';

CREATE FUNCTION merchant_may(merchant_id text, action text, category text DEFAULT NULL,
                             at timestamptz DEFAULT statement_timestamp(),
                             OUT allowed boolean, OUT reasons text[], OUT until timestamptz)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF merchant_id IS NULL OR at IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN at IS NULL THEN 'at' ELSE 'merchant_id' END
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF NOT isfinite(at) THEN
    RAISE EXCEPTION 'the instant to judge as of must be finite' USING ERRCODE = 'datetime_field_overflow';
  END IF;
  IF action IS NULL OR action NOT IN ('list', 'sell', 'live') THEN
    RAISE EXCEPTION 'unknown action "%"', action
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Actions are list, sell and live.';
  END IF;
  SELECT count(*) = 0, COALESCE(array_agg(DISTINCT b.reason), '{}'),
         CASE WHEN bool_and(b.until IS NOT NULL) THEN max(b.until) END
  INTO allowed, reasons, until
  FROM quality_gov.merchant_bar(merchant_id, 'may', action, category) b
  WHERE (b.since IS NULL OR b.since <= at) AND (b.until IS NULL OR b.until > at);
END
$$;
COMMENT ON FUNCTION merchant_may(text, text, text, timestamptz) IS
  'Whether a merchant may list, sell or go live in a category at an instant, every reason why not, and when the last of them ends (null: no end set)';


-- trace: suppliers, their licences, brand authorisations and bars

CREATE TABLE supplier (
  supplier_id text NOT NULL,
  name text NOT NULL,
  uscc uscc,
  address text,
  contact text,
  categories text[] NOT NULL DEFAULT '{}',
  since timestamptz NOT NULL DEFAULT '-infinity',
  ended_at timestamptz,
  CONSTRAINT supplier_pkey PRIMARY KEY (supplier_id),
  CONSTRAINT supplier_supplier_id CHECK (supplier_id <> ''),
  CONSTRAINT supplier_name CHECK (name_key(name) IS NOT NULL),
  CONSTRAINT supplier_since CHECK (since < 'infinity'),
  CONSTRAINT supplier_ended_at CHECK (ended_at > since)
);
CREATE INDEX supplier_uscc_idx ON supplier (uscc) WHERE uscc IS NOT NULL;
COMMENT ON TABLE supplier IS
  'Suppliers, by the platform''s own identifier: name, unified social credit code, address, contact, categories supplied, since when (-infinity: always) and until when they supply';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.supplier', '');

CREATE TABLE supplier_license (
  supplier_id text NOT NULL,
  license_id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  number text NOT NULL,
  categories text[] NOT NULL,
  valid daterange NOT NULL,
  status text NOT NULL DEFAULT 'valid',
  status_since timestamptz NOT NULL DEFAULT '-infinity',
  CONSTRAINT supplier_license_pkey PRIMARY KEY (supplier_id, license_id),
  CONSTRAINT supplier_license_number UNIQUE (supplier_id, kind, number),
  CONSTRAINT supplier_license_valid CHECK (NOT isempty(valid)),
  CONSTRAINT supplier_license_status CHECK (status IN ('valid', 'suspended', 'revoked', 'cancelled'))
);
COMMENT ON TABLE supplier_license IS
  'Licences of a supplier: kind, number, categories covered (a category covers those below it, * all), days of validity in Asia/Shanghai; status (as in merchant_license) holds from status_since';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.supplier_license', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.supplier_license_license_id_seq', '');

CREATE TABLE supplier_brand (
  supplier_id text NOT NULL,
  brand text NOT NULL,
  valid daterange NOT NULL,
  evidence text NOT NULL,
  CONSTRAINT supplier_brand_pkey PRIMARY KEY (supplier_id, brand, valid),
  CONSTRAINT supplier_brand_brand CHECK (name_key(brand) IS NOT NULL),
  CONSTRAINT supplier_brand_valid CHECK (NOT isempty(valid))
);
COMMENT ON TABLE supplier_brand IS
  'Brands a supplier may supply, on which days (Asia/Shanghai), and the letter that says so; brands are compared as name_key';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.supplier_brand', '');

CREATE TABLE supplier_bar (
  supplier_id text NOT NULL,
  bar_id bigint GENERATED ALWAYS AS IDENTITY,
  category text,
  reason text NOT NULL,
  source text NOT NULL,
  effect tstzrange NOT NULL,
  ended_because text,
  CONSTRAINT supplier_bar_pkey PRIMARY KEY (supplier_id, bar_id),
  CONSTRAINT supplier_bar_effect CHECK (NOT isempty(effect) AND NOT lower_inf(effect))
);
COMMENT ON TABLE supplier_bar IS
  'Bars of suppliers: the category barred and those below it (null: everything), why, what imposed it (source), over what period, and why it was ended early';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.supplier_bar', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.supplier_bar_bar_id_seq', '');

CREATE TABLE supplier_category (
  category text NOT NULL,
  license_kind text NOT NULL,
  effect tstzrange NOT NULL DEFAULT '(,)',
  legal_basis text NOT NULL,
  CONSTRAINT supplier_category_pkey PRIMARY KEY (category, license_kind)
);
COMMENT ON TABLE supplier_category IS
  'Which licence a supplier of a category must hold, from when to when, and why; a category covers those below it. Filled by the platform';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.supplier_category', '');

CREATE FUNCTION supplier_require(supplier_id text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  PERFORM FROM quality_gov.supplier s WHERE s.supplier_id = supplier_require.supplier_id FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'supplier "%" does not exist', supplier_id USING ERRCODE = 'no_data_found',
      HINT = 'Record it with quality_gov.supplier_record().';
  END IF;
END
$$;
COMMENT ON FUNCTION supplier_require(text) IS 'Raises P0002 unless the supplier exists, and keeps it to the end of the transaction';

CREATE FUNCTION supplier_record(supplier jsonb) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  id text := supplier ->> 'supplier_id';
  known quality_gov.supplier;
  part jsonb;
BEGIN
  PERFORM quality_gov.fields_require(supplier,
    '{supplier_id,name,uscc,address,contact,categories,since,ended_at,licenses,brands}', 'supplier');
  PERFORM quality_gov.text_require(id, '"supplier_id" of the supplier');
  SELECT * INTO known FROM quality_gov.supplier s WHERE s.supplier_id = id FOR NO KEY UPDATE;
  PERFORM quality_gov.text_require(COALESCE(supplier ->> 'name', known.name), '"name" of the supplier');
  -- One organisation has one code for life.
  IF known.uscc <> (supplier ->> 'uscc')::quality_gov.uscc THEN
    RAISE EXCEPTION 'supplier "%" has the code %, found %', id, known.uscc, supplier ->> 'uscc'
      USING ERRCODE = 'unique_violation', HINT = 'Another organisation is another supplier.';
  END IF;
  INSERT INTO quality_gov.supplier AS s (supplier_id, name, uscc, address, contact, categories, since, ended_at)
  VALUES (id, COALESCE(supplier ->> 'name', known.name), (supplier ->> 'uscc')::quality_gov.uscc, supplier ->> 'address', supplier ->> 'contact',
          ARRAY(SELECT jsonb_array_elements_text(supplier -> 'categories')), COALESCE((supplier ->> 'since')::timestamptz, '-infinity'),
          (supplier ->> 'ended_at')::timestamptz)
  ON CONFLICT ON CONSTRAINT supplier_pkey DO UPDATE
  SET name = EXCLUDED.name, uscc = COALESCE(EXCLUDED.uscc, s.uscc),
      address = CASE WHEN supplier ? 'address' THEN EXCLUDED.address ELSE s.address END,
      contact = CASE WHEN supplier ? 'contact' THEN EXCLUDED.contact ELSE s.contact END,
      categories = CASE WHEN supplier ? 'categories' THEN EXCLUDED.categories ELSE s.categories END,
      since = CASE WHEN supplier ? 'since' THEN EXCLUDED.since ELSE s.since END,
      ended_at = CASE WHEN supplier ? 'ended_at' THEN EXCLUDED.ended_at ELSE s.ended_at END;
  PERFORM quality_gov.items_require(COALESCE(supplier -> 'licenses', '[]'), '"licenses" of the supplier');
  FOR part IN SELECT jsonb_array_elements(COALESCE(supplier -> 'licenses', '[]')) LOOP
    PERFORM quality_gov.fields_require(part, '{kind,number,categories,valid_from,valid_until,status,status_since}', 'a licence of the supplier');
    PERFORM quality_gov.text_require(part ->> 'kind', '"kind" of a licence');
    PERFORM quality_gov.text_require(part ->> 'number', '"number" of a licence');
    PERFORM quality_gov.items_require(part -> 'categories', '"categories" of a licence');
    INSERT INTO quality_gov.supplier_license (supplier_id, kind, number, categories, valid, status, status_since)
    VALUES (id, part ->> 'kind', part ->> 'number', ARRAY(SELECT jsonb_array_elements_text(part -> 'categories')),
            daterange((part ->> 'valid_from')::date, (part ->> 'valid_until')::date, '[]'), COALESCE(part ->> 'status', 'valid'),
            COALESCE((part ->> 'status_since')::timestamptz, CASE WHEN part ->> 'status' <> 'valid' THEN now() ELSE '-infinity' END))
    ON CONFLICT ON CONSTRAINT supplier_license_number DO UPDATE
    SET categories = EXCLUDED.categories, valid = EXCLUDED.valid, status = EXCLUDED.status, status_since = EXCLUDED.status_since;
  END LOOP;
  PERFORM quality_gov.items_require(COALESCE(supplier -> 'brands', '[]'), '"brands" of the supplier');
  FOR part IN SELECT jsonb_array_elements(COALESCE(supplier -> 'brands', '[]')) LOOP
    PERFORM quality_gov.fields_require(part, '{brand,valid_from,valid_until,evidence}', 'a brand of the supplier');
    PERFORM quality_gov.text_require(part ->> 'evidence', '"evidence" of a brand');
    INSERT INTO quality_gov.supplier_brand (supplier_id, brand, valid, evidence)
    VALUES (id, part ->> 'brand', daterange((part ->> 'valid_from')::date, (part ->> 'valid_until')::date, '[]'), part ->> 'evidence')
    ON CONFLICT ON CONSTRAINT supplier_brand_pkey DO UPDATE SET evidence = EXCLUDED.evidence;
  END LOOP;
  PERFORM quality_gov.ledger_record('supplier', 'supplier ' || id, supplier);
  RETURN id;
END
$$;
COMMENT ON FUNCTION supplier_record(jsonb) IS
  'Records a supplier, or brings one up to date, with a ledger entry: {"supplier_id", "name", "uscc", "address", "contact", "categories", "since", "ended_at", "licenses": [{"kind", "number", "categories", "valid_from", "valid_until" (last day), "status", "status_since"}], "brands": [{"brand", "valid_from", "valid_until", "evidence"}]}; what is not given stays, a licence is known by kind and number; another uscc is refused (23505)';

CREATE FUNCTION supplier_bar_add(supplier_id text, reason text, since timestamptz DEFAULT now(), until timestamptz DEFAULT NULL,
                                 category text DEFAULT NULL, source text DEFAULT 'platform') RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  added bigint;
BEGIN
  PERFORM quality_gov.text_require(reason, 'reason');
  PERFORM quality_gov.text_require(source, 'source');
  PERFORM quality_gov.instant_require(since, 'since');
  IF until <= since THEN
    RAISE EXCEPTION 'a bar from % on cannot end at %', since, until USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.supplier_require(supplier_id);
  INSERT INTO quality_gov.supplier_bar (supplier_id, category, reason, source, effect)
  VALUES (supplier_id, category, reason, source, tstzrange(since, until)) RETURNING bar_id INTO added;
  PERFORM quality_gov.ledger_record('supplier_bar', 'supplier ' || supplier_id, jsonb_build_object('bar_id', added,
    'category', category, 'reason', reason, 'source', source, 'since', since, 'until', until));
  RETURN added;
END
$$;
COMMENT ON FUNCTION supplier_bar_add(text, text, timestamptz, timestamptz, text, text) IS
  'Bars a supplier, from everything or from a category and those below it, with a ledger entry, and gives the id of the bar; until null: no end set';

CREATE FUNCTION supplier_bar_end(supplier_id text, bar_id bigint, reason text, at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  bar quality_gov.supplier_bar;
BEGIN
  PERFORM quality_gov.text_require(reason, 'reason');
  PERFORM quality_gov.instant_require(at, 'at');
  SELECT * INTO bar FROM quality_gov.supplier_bar b
  WHERE b.supplier_id = supplier_bar_end.supplier_id AND b.bar_id = supplier_bar_end.bar_id FOR UPDATE;
  IF bar.bar_id IS NULL THEN
    RAISE EXCEPTION 'supplier "%" has no bar %', supplier_id, bar_id USING ERRCODE = 'no_data_found';
  END IF;
  IF at <= lower(bar.effect) OR at >= upper(bar.effect) THEN
    RAISE EXCEPTION 'bar % of supplier "%" holds %, it cannot be ended at %', bar_id, supplier_id, bar.effect, at
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  UPDATE quality_gov.supplier_bar b SET effect = tstzrange(lower(bar.effect), supplier_bar_end.at), ended_because = supplier_bar_end.reason
  WHERE b.supplier_id = bar.supplier_id AND b.bar_id = bar.bar_id;
  PERFORM quality_gov.ledger_record('supplier_bar_end', 'supplier ' || supplier_id,
    jsonb_build_object('bar_id', bar_id, 'at', at, 'reason', reason));
END
$$;
COMMENT ON FUNCTION supplier_bar_end(text, bigint, text, timestamptz) IS
  'Ends a bar of a supplier early, with a ledger entry; P0002 where there is no such bar, 55000 for an instant at which it does not hold';

CREATE FUNCTION supplier_against(supplier_id text, category text, brand text, OUT since timestamptz, OUT until timestamptz,
                                 OUT kind text, OUT reason text, OUT legal_basis text)
  RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  s quality_gov.supplier;
BEGIN
  SELECT * INTO s FROM quality_gov.supplier x WHERE x.supplier_id = supplier_against.supplier_id;
  IF s.supplier_id IS NULL THEN
    RETURN QUERY SELECT NULL::timestamptz, NULL::timestamptz, 'unknown', format('supplier "%s" is not recorded', supplier_against.supplier_id), NULL;
    RETURN;
  END IF;
  RETURN QUERY
    SELECT NULL::timestamptz, s.since, 'unknown', format('supplier "%s" does not supply yet', s.supplier_id), NULL::text
    UNION ALL
    SELECT s.ended_at, NULL, 'ended', format('supplier "%s" supplies no more', s.supplier_id), NULL
    WHERE s.ended_at IS NOT NULL
    UNION ALL
    SELECT lower(b.effect), upper(b.effect), 'barred', b.reason, NULL
    FROM quality_gov.supplier_bar b
    WHERE b.supplier_id = s.supplier_id
      AND (b.category IS NULL OR quality_gov.category_covers(ARRAY[b.category], supplier_against.category))
    UNION ALL
    -- Who may not be admitted as a merchant is no source of goods either.
    SELECT lower(h.term), upper(h.term), 'barred', format('on list "%s": %s', h.watchlist, h.reason), h.legal_basis
    FROM quality_gov.watchlist_hit(s.uscc, s.name, NULL) h
    WHERE NOT isempty(h.term) AND quality_gov.watchlist_verdict(h.watchlist, 'admit') = 'deny'
    UNION ALL
    SELECT lower(gap), upper(gap), 'expired',
           CASE WHEN need.required THEN format('category "%s" needs a valid licence "%s" of the supplier (%s)', supplier_against.category, need.kind, need.legal_basis)
                ELSE format('licence "%s" is not valid', need.kind) END, need.legal_basis
    FROM (
      SELECT c.license_kind AS kind, c.effect, c.legal_basis, true AS required FROM quality_gov.supplier_category c
      WHERE quality_gov.category_covers(ARRAY[c.category], supplier_against.category)
      UNION ALL
      -- What a supplier ever held for the goods it holds still, or it has expired.
      SELECT l.kind, tstzrange(min(lower(l.valid))::timestamp AT TIME ZONE 'Asia/Shanghai', NULL), NULL, false
      FROM quality_gov.supplier_license l
      WHERE l.supplier_id = s.supplier_id
        AND (supplier_against.category IS NULL OR quality_gov.category_covers(l.categories, supplier_against.category))
      GROUP BY l.kind) need
    CROSS JOIN LATERAL unnest(tstzmultirange(need.effect) - COALESCE((
      SELECT range_agg(
        tstzrange(lower(l.valid)::timestamp AT TIME ZONE 'Asia/Shanghai', upper(l.valid)::timestamp AT TIME ZONE 'Asia/Shanghai')
        * CASE l.status WHEN 'valid' THEN '(,)'::tstzrange ELSE tstzrange(NULL, l.status_since) END)
      FROM quality_gov.supplier_license l
      WHERE l.supplier_id = s.supplier_id AND l.kind = need.kind
        AND (supplier_against.category IS NULL OR quality_gov.category_covers(l.categories, supplier_against.category))), '{}')) gap
    UNION ALL
    SELECT lower(gap), upper(gap), 'unauthorized', format('no authorisation for brand "%s"', supplier_against.brand), NULL
    FROM unnest(tstzmultirange('(,)'::tstzrange) - COALESCE((
      SELECT range_agg(tstzrange(lower(b.valid)::timestamp AT TIME ZONE 'Asia/Shanghai', upper(b.valid)::timestamp AT TIME ZONE 'Asia/Shanghai'))
      FROM quality_gov.supplier_brand b
      WHERE b.supplier_id = s.supplier_id AND quality_gov.name_key(b.brand) = quality_gov.name_key(supplier_against.brand)), '{}')) gap
    WHERE supplier_against.brand IS NOT NULL;
END
$$;
COMMENT ON FUNCTION supplier_against(text, text, text) IS
  'Everything that stands against a supplier of a category (null: any) and brand (null: none asked), with its period: kind unknown, ended, barred (by the platform, or on a watch-list that keeps merchants out), expired (a licence it must hold or held) or unauthorized';

CREATE FUNCTION supplier_may(supplier_id text, category text DEFAULT NULL, brand text DEFAULT NULL,
                             at timestamptz DEFAULT statement_timestamp(),
                             OUT allowed boolean, OUT reasons text[], OUT until timestamptz)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF supplier_id IS NULL THEN
    RAISE EXCEPTION 'supplier_id must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM quality_gov.instant_require(at, 'at');
  SELECT count(*) = 0, COALESCE(array_agg(DISTINCT b.reason), '{}'),
         CASE WHEN bool_and(b.until IS NOT NULL) THEN max(b.until) END
  INTO allowed, reasons, until
  FROM quality_gov.supplier_against(supplier_id, category, brand) b
  WHERE (b.since IS NULL OR b.since <= at) AND (b.until IS NULL OR b.until > at);
END
$$;
COMMENT ON FUNCTION supplier_may(text, text, text, timestamptz) IS
  'Whether a supplier may supply goods of a category and brand at an instant, every reason why not, and when the last of them ends (null: no end set)';

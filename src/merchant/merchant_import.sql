
-- merchant: credit-regulatory data fed into the platform

CREATE TABLE regulatory_record (
  source text NOT NULL,
  item text NOT NULL,
  version integer NOT NULL,
  type text NOT NULL,
  uscc uscc,
  name text,
  at timestamptz NOT NULL,
  severity text NOT NULL,
  content jsonb NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT regulatory_record_pkey PRIMARY KEY (source, item, version),
  CONSTRAINT regulatory_record_type CHECK (type IN ('list', 'penalty', 'sampling')),
  CONSTRAINT regulatory_record_severity CHECK (severity IN ('none', 'minor', 'general', 'serious'))
);
CREATE INDEX regulatory_record_uscc ON regulatory_record (uscc) WHERE uscc IS NOT NULL;
COMMENT ON TABLE regulatory_record IS
  'What authorities decided, as imported: list entries, penalties, sampling results, every version of an item; append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.regulatory_record', '');
CREATE TRIGGER regulatory_record_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON regulatory_record
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION regulatory_item(content jsonb, OUT item text, OUT type text, OUT uscc uscc, OUT name text,
                                OUT at timestamptz, OUT severity text, OUT term tstzrange)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  missing text;
BEGIN
  IF jsonb_typeof(content) <> 'object' THEN
    RAISE EXCEPTION 'item must be a JSON object, found %', jsonb_typeof(content)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  item := content ->> 'item';
  type := content ->> 'type';
  IF type IS NULL OR type NOT IN ('list', 'penalty', 'sampling') THEN
    RAISE EXCEPTION 'unknown type "%", expected list, penalty or sampling', type
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT string_agg(quote_ident(f), ', ') INTO missing
  FROM unnest(CASE type WHEN 'list' THEN '{item,list,reason,legal_basis,from}'
                        WHEN 'penalty' THEN '{item,reason,legal_basis,from,severity}'
                        ELSE '{item,product,result,from}' END::text[]) f
  WHERE COALESCE(btrim(content ->> f), '') = '';
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'missing: %', missing USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF num_nonnulls(content ->> 'uscc', content ->> 'name', content ->> 'identity_digest') = 0 THEN
    RAISE EXCEPTION 'no subject: "uscc", "name" or "identity_digest" is needed' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  uscc := (content ->> 'uscc')::quality_gov.uscc;
  name := content ->> 'name';
  at := (content ->> 'from')::timestamptz;
  term := tstzrange(at, (content ->> 'until')::timestamptz);
  severity := CASE type
    WHEN 'penalty' THEN content ->> 'severity'
    WHEN 'sampling' THEN CASE content ->> 'result' WHEN 'pass' THEN 'none' WHEN 'fail' THEN 'general' END
    ELSE CASE content ->> 'list' WHEN 'serious_violation' THEN 'serious' ELSE 'general' END END;
  IF severity IS NULL OR severity NOT IN ('none', 'minor', 'general', 'serious') THEN
    RAISE EXCEPTION '%', CASE type WHEN 'sampling' THEN 'result must be pass or fail'
                                   ELSE 'severity must be minor, general or serious' END
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF type = 'list' AND NOT EXISTS (SELECT FROM quality_gov.watchlist w WHERE w.watchlist = content ->> 'list') THEN
    RAISE EXCEPTION 'unknown list "%"', content ->> 'list' USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;
COMMENT ON FUNCTION regulatory_item(jsonb) IS
  'Reads one item of a feed; an error says what is wrong with it';

CREATE FUNCTION regulatory_import(feed jsonb, source text, dry_run boolean DEFAULT false,
                                  at timestamptz DEFAULT now(),
                                  OUT item text, OUT status text, OUT reason text)
  RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  entry record;
  parsed record;
  latest quality_gov.regulatory_record;
  report jsonb := '[]';
  counts jsonb := '{}';
BEGIN
  IF feed IS NULL OR jsonb_typeof(feed) <> 'array' THEN
    RAISE EXCEPTION 'feed must be a JSON array of items, found %', COALESCE(jsonb_typeof(feed), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF COALESCE(source, '') = '' THEN
    RAISE EXCEPTION 'source must name where the feed comes from' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- Two imports of one source at once would both find an item new.
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov regulatory_import ' || source, 0));
  BEGIN
    FOR entry IN SELECT value, ordinality FROM jsonb_array_elements(feed) WITH ORDINALITY LOOP
      reason := NULL;
      item := CASE jsonb_typeof(entry.value) WHEN 'object' THEN entry.value ->> 'item' END;
      item := COALESCE(item, '#' || entry.ordinality);
      BEGIN
        SELECT * INTO parsed FROM quality_gov.regulatory_item(entry.value);
        SELECT * INTO latest FROM quality_gov.regulatory_record r
        WHERE r.source = regulatory_import.source AND r.item = parsed.item
        ORDER BY r.version DESC LIMIT 1;
        status := CASE WHEN latest.item IS NULL THEN 'loaded' WHEN latest.content = entry.value THEN 'unchanged'
                       ELSE 'changed' END;
        IF status <> 'unchanged' THEN
          INSERT INTO quality_gov.regulatory_record
          VALUES (source, parsed.item, COALESCE(latest.version, 0) + 1, parsed.type, parsed.uscc, parsed.name,
                  parsed.at, parsed.severity, entry.value, regulatory_import.at);
          IF parsed.type = 'list' THEN
            INSERT INTO quality_gov.watchlist_entry
              (watchlist, uscc, name, identity_digest, reason, legal_basis, source, source_item, term)
            VALUES (entry.value ->> 'list', parsed.uscc, parsed.name, entry.value ->> 'identity_digest',
                    entry.value ->> 'reason', entry.value ->> 'legal_basis', source, parsed.item, parsed.term)
            ON CONFLICT ON CONSTRAINT watchlist_entry_source_item DO UPDATE
            SET watchlist = EXCLUDED.watchlist, uscc = EXCLUDED.uscc, name = EXCLUDED.name,
                identity_digest = EXCLUDED.identity_digest, reason = EXCLUDED.reason,
                legal_basis = EXCLUDED.legal_basis, term = EXCLUDED.term;
          END IF;
        END IF;
      EXCEPTION WHEN data_exception OR integrity_constraint_violation OR invalid_text_representation THEN
        status := 'refused';
        reason := SQLERRM;
      END;
      counts := jsonb_set(counts, ARRAY[status], to_jsonb(COALESCE((counts ->> status)::int, 0) + 1));
      report := report || jsonb_build_array(jsonb_build_object('item', item, 'status', status, 'reason', reason));
    END LOOP;
    IF dry_run THEN
      RAISE EXCEPTION 'dry run' USING ERRCODE = 'QG000';
    END IF;
    PERFORM quality_gov.ledger_record('regulatory_import', source, counts);
  EXCEPTION WHEN SQLSTATE 'QG000' THEN
    NULL; -- a dry run does the same work and undoes it; the report outlives that
  END;
  RETURN QUERY SELECT r.value ->> 'item', r.value ->> 'status', r.value ->> 'reason'
    FROM jsonb_array_elements(report) WITH ORDINALITY r ORDER BY r.ordinality;
END
$$;
COMMENT ON FUNCTION regulatory_import(jsonb, text, boolean, timestamptz) IS
  'Imports a credit-regulatory feed: an array of items of type list, penalty or sampling; per item loaded, changed, unchanged or refused with the reason; the same feed again changes nothing';

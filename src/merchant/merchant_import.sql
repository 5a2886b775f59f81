
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
  of_item text,
  CONSTRAINT regulatory_record_pkey PRIMARY KEY (source, item, version),
  CONSTRAINT regulatory_record_type CHECK (type IN (
    'list', 'penalty', 'sampling', 'spot_check', 'repair', 'removal', 'annulment')),
  CONSTRAINT regulatory_record_severity CHECK (severity IN ('none', 'minor', 'general', 'serious')),
  CONSTRAINT regulatory_record_of_item CHECK (
    (of_item IS NOT NULL) = (type IN ('repair', 'removal', 'annulment')) AND of_item <> item)
);
CREATE INDEX regulatory_record_uscc ON regulatory_record (uscc) WHERE uscc IS NOT NULL;
CREATE INDEX regulatory_record_of ON regulatory_record (source, of_item) WHERE of_item IS NOT NULL;
COMMENT ON TABLE regulatory_record IS
  'What authorities decided, as imported: list entries, penalties, results of sampling and spot checks, and their decisions on those (of_item): repairs, removals, annulments; every version of an item; append-only';
COMMENT ON COLUMN regulatory_record.of_item IS
  'The item of the same source that a repair, removal or annulment is about; it may arrive later';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.regulatory_record', '');
CREATE TRIGGER regulatory_record_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON regulatory_record
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION regulatory_shape_require(content jsonb) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wrong text;
  field text;
BEGIN
  FOR field, wrong IN
    SELECT f.key, CASE WHEN f.key IN ('lenient', 'withdrawn', 'fraud', 'temporary') THEN 'true or false'
                       WHEN f.key = 'amount' THEN 'a number from 0 on'
                       WHEN f.key = 'kinds' THEN 'an array of kinds of penalty' ELSE 'text' END
    FROM jsonb_each(jsonb_strip_nulls(content)) f
    WHERE CASE WHEN f.key IN ('lenient', 'withdrawn', 'fraud', 'temporary') THEN jsonb_typeof(f.value) <> 'boolean'
               WHEN f.key = 'amount' THEN jsonb_typeof(f.value) <> 'number' OR f.value < '0'
               WHEN f.key = 'kinds' THEN jsonb_typeof(f.value) <> 'array' OR f.value = '[]'
                 OR jsonb_path_exists(f.value, 'strict $[*] ? (@.type() != "string")')
               WHEN f.key IN ('fact', 'class', 'field', 'subject', 'of', 'decision', 'ground', 'ban_until', 'published_from')
                 THEN jsonb_typeof(f.value) <> 'string' OR f.value #>> '{}' !~ '\S' END
    ORDER BY f.key
  LOOP
    RAISE EXCEPTION '"%" must be %, found %', field, wrong, content -> field USING ERRCODE = 'invalid_parameter_value';
  END LOOP;
  FOR field IN SELECT k FROM jsonb_array_elements_text(jsonb_strip_nulls(content) -> 'kinds') k
               WHERE NOT EXISTS (SELECT FROM quality_gov.repair_ground g WHERE g.attribute = 'kind' AND g.code = k) LOOP
    RAISE EXCEPTION 'unknown kind of penalty "%"', field USING ERRCODE = 'invalid_parameter_value';
  END LOOP;
  IF content ->> 'field' IS NOT NULL AND NOT EXISTS (
    SELECT FROM quality_gov.repair_ground g WHERE g.attribute = 'field' AND g.code = content ->> 'field') THEN
    RAISE EXCEPTION 'unknown field "%"', content ->> 'field' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT format('"%s" must be one of %s, found "%s"', c.field, array_to_string(c.expected, ', '), content ->> c.field) INTO wrong
  FROM (VALUES ('subject', '{entity,person}'::text[]), ('decision', '{granted,refused,revoked,restored}'),
               ('ground', '{application,cure,lapse,deregistration,correction}')) AS c(field, expected)
  WHERE NOT content ->> c.field = ANY (c.expected) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '%', wrong USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF content -> 'kinds' ? 'fine' AND content ->> 'amount' IS NULL THEN
    RAISE EXCEPTION 'a fine needs its "amount"' USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;
COMMENT ON FUNCTION regulatory_shape_require(jsonb) IS
  'Raises an error that says what is wrong with the optional fields of an item of a feed';

CREATE FUNCTION regulatory_instant(content jsonb, field text) RETURNS timestamptz
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
  SET timezone = 'Asia/Shanghai' SET datestyle = 'ISO, MDY'
AS $$
DECLARE
  instant timestamptz := (content ->> field)::timestamptz;
BEGIN
  -- One instant that no term can be counted from would keep every other item from being counted.
  IF instant < '1900-01-01 00:00+00' OR instant > '2200-01-01 00:00+00' AND NOT (field = 'ban_until' AND instant = 'infinity') THEN
    RAISE EXCEPTION '"%" must be between 1900 and 2200, found "%"', field, content ->> field
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- The text is read again whenever the item is judged: what another day or session reads otherwise is no instant.
  IF isfinite(instant) AND content ->> field !~ '^\s*\d{4}-\d{2}-\d{2}' THEN
    RAISE EXCEPTION '"%" must be a date such as 2026-10-01, with or without a time, found "%"', field, content ->> field
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN instant;
END
$$;
COMMENT ON FUNCTION regulatory_instant(jsonb, text) IS
  'An instant of an item of a feed, of Asia/Shanghai where it tells no zone, null where it has none; ban_until may be infinity, of a ban for life';

CREATE FUNCTION regulatory_item(content jsonb, at timestamptz DEFAULT now(), OUT item text, OUT type text, OUT uscc uscc,
                                OUT name text, OUT decided_at timestamptz, OUT severity text, OUT term tstzrange, OUT of_item text)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  missing text;
  known quality_gov.repair_class;
BEGIN
  IF jsonb_typeof(content) <> 'object' THEN
    RAISE EXCEPTION 'item must be a JSON object, found %', jsonb_typeof(content)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  item := content ->> 'item';
  type := content ->> 'type';
  IF type IS NULL OR type NOT IN ('list', 'penalty', 'sampling', 'spot_check', 'repair', 'removal', 'annulment') THEN
    RAISE EXCEPTION 'unknown type "%", expected list, penalty, sampling, spot_check, repair, removal or annulment', type
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT string_agg(quote_ident(f), ', ') INTO missing
  FROM unnest(CASE type WHEN 'list' THEN '{item,list,reason,legal_basis,from}'
                        WHEN 'penalty' THEN CASE WHEN num_nonnulls(content ->> 'kinds', content ->> 'class') > 0 THEN '{item,reason,legal_basis,from}'
                                                 ELSE '{item,reason,legal_basis,from,severity}' END
                        WHEN 'sampling' THEN '{item,product,result,from}'
                        WHEN 'spot_check' THEN '{item,checked,result,from}'
                        -- A grant states no reasons; what goes against the party does.
                        WHEN 'repair' THEN CASE content ->> 'decision' WHEN 'granted' THEN '{item,of,decision,legal_basis,from}'
                                                                       ELSE '{item,of,decision,reason,legal_basis,from}' END
                        ELSE '{item,of,reason,legal_basis,from}' END::text[]) f
  WHERE COALESCE(btrim(content ->> f), '') = '';
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'missing: %', missing USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.regulatory_shape_require(content);
  IF type IN ('repair', 'removal', 'annulment') THEN
    of_item := content ->> 'of';
  ELSIF num_nonnulls(content ->> 'uscc', content ->> 'name', content ->> 'identity_digest') = 0 THEN
    RAISE EXCEPTION 'no subject: "uscc", "name" or "identity_digest" is needed' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF of_item = item THEN
    RAISE EXCEPTION 'item "%" cannot be of itself', item USING ERRCODE = 'invalid_parameter_value';
  END IF;
  uscc := (content ->> 'uscc')::quality_gov.uscc;
  name := content ->> 'name';
  decided_at := quality_gov.regulatory_instant(content, 'from');
  term := tstzrange(decided_at, quality_gov.regulatory_instant(content, 'until'));
  PERFORM quality_gov.regulatory_instant(content, 'ban_until');
  -- A day may be told without its hour, so days are compared.
  IF (quality_gov.regulatory_instant(content, 'published_from') AT TIME ZONE 'Asia/Shanghai')::date
     < (decided_at AT TIME ZONE 'Asia/Shanghai')::date THEN
    RAISE EXCEPTION '"published_from" is before "from"' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- The class is copied where the authority gives it; severity is then the class's.
  IF content ->> 'class' IS NOT NULL THEN
    SELECT c.* INTO known FROM quality_gov.repair_class c
    WHERE c.class = content ->> 'class' ORDER BY c.effect @> regulatory_item.at DESC, c.builtin LIMIT 1;
    IF NOT FOUND OR NOT type = ANY (known.types) THEN
      RAISE EXCEPTION 'unknown class "%" of type %', content ->> 'class', type USING ERRCODE = 'invalid_parameter_value';
    ELSIF content ->> 'severity' <> known.severity THEN
      RAISE EXCEPTION 'severity is "%", but class "%" is %', content ->> 'severity', known.class, known.severity
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
  ELSIF type = 'penalty' AND content ->> 'severity' IS NULL THEN
    SELECT c.* INTO known FROM quality_gov.repair_class_of(content, at) k
    JOIN quality_gov.repair_class c ON c.class = k.class AND c.effect @> regulatory_item.at ORDER BY c.builtin LIMIT 1;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'severity is needed: no repair classes are in force at %', at USING ERRCODE = 'invalid_parameter_value';
    END IF;
  END IF;
  severity := CASE type
    WHEN 'penalty' THEN COALESCE(content ->> 'severity', known.severity)
    WHEN 'sampling' THEN CASE content ->> 'result' WHEN 'pass' THEN 'none' WHEN 'fail' THEN 'general' END
    WHEN 'spot_check' THEN CASE content ->> 'result' WHEN 'pass' THEN 'none' WHEN 'fail' THEN 'minor' END
    WHEN 'list' THEN CASE content ->> 'list' WHEN 'serious_violation' THEN 'serious' ELSE 'general' END
    ELSE 'none' END;
  IF severity IS NULL OR severity NOT IN ('none', 'minor', 'general', 'serious') THEN
    RAISE EXCEPTION '%', CASE WHEN type IN ('sampling', 'spot_check') THEN 'result must be pass or fail'
                              ELSE 'severity must be minor, general or serious' END
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF type = 'list' AND NOT EXISTS (SELECT FROM quality_gov.watchlist w WHERE w.watchlist = content ->> 'list') THEN
    RAISE EXCEPTION 'unknown list "%"', content ->> 'list' USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;
COMMENT ON FUNCTION regulatory_item(jsonb, timestamptz) IS
  'Reads one item of a feed, as of the instant of its import; an error says what is wrong with it';

CREATE FUNCTION regulatory_item_fits(source text, item text, type text, uscc uscc, of_item text) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  other quality_gov.regulatory_record;
BEGIN
  SELECT * INTO other FROM quality_gov.regulatory_record r
  WHERE r.source = regulatory_item_fits.source AND r.item = regulatory_item_fits.item ORDER BY r.version DESC LIMIT 1;
  IF other.type <> type OR other.of_item <> of_item THEN
    RAISE EXCEPTION 'item "%" is a %, found %', item, concat_ws(' of ', other.type, other.of_item), concat_ws(' of ', type, of_item)
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Send it again with "withdrawn": true, and the other under a number of its own.';
  END IF;
  SELECT * INTO other FROM quality_gov.regulatory_record r
  WHERE r.source = regulatory_item_fits.source AND r.item = regulatory_item_fits.of_item ORDER BY r.version DESC LIMIT 1;
  IF other.of_item IS NOT NULL THEN
    RAISE EXCEPTION 'item "%" is a % itself, so no % can be of it', of_item, other.type, type
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Send that item again with "withdrawn": true.';
  ELSIF other.uscc <> uscc THEN
    RAISE EXCEPTION 'item "%" is of %, not of %', of_item, other.uscc, uscc USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF of_item IS NOT NULL THEN
    SELECT * INTO other FROM quality_gov.regulatory_record r
    WHERE r.source = regulatory_item_fits.source AND r.of_item = regulatory_item_fits.item LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'item "%" is what % "%" is of, so it cannot be a % itself', item, other.type, other.item, type
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
  END IF;
END
$$;
COMMENT ON FUNCTION regulatory_item_fits(text, text, text, uscc, text) IS
  'Raises an error where an item contradicts what is on record: another type, a decision on a decision, a decision on somebody else''s item';

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
  report jsonb[] := '{}';
  counts jsonb := '{}';
BEGIN
  IF feed IS NULL OR jsonb_typeof(feed) <> 'array' THEN
    RAISE EXCEPTION 'feed must be a JSON array of items, found %', COALESCE(jsonb_typeof(feed), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF COALESCE(source, '') = '' THEN
    RAISE EXCEPTION 'source must name where the feed comes from' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- References are source/item/version, and entries on lists that sanctions make are of source sanction.
  IF source = 'sanction' OR source ~ '/' THEN
    RAISE EXCEPTION 'source must be a name without "/" other than sanction, found "%"', source
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'the instant of an import must be finite' USING ERRCODE = 'datetime_field_overflow';
  END IF;
  -- Two imports of one source at once would both find an item new.
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov regulatory_import ' || source, 0));
  BEGIN
    FOR entry IN SELECT value, ordinality FROM jsonb_array_elements(feed) WITH ORDINALITY LOOP
      reason := NULL;
      item := CASE jsonb_typeof(entry.value) WHEN 'object' THEN entry.value ->> 'item' END;
      item := COALESCE(item, '#' || entry.ordinality);
      BEGIN
        SELECT * INTO latest FROM quality_gov.regulatory_record r
        WHERE r.source = regulatory_import.source AND r.item = regulatory_import.item
        ORDER BY r.version DESC LIMIT 1;
        status := CASE WHEN latest.item IS NULL THEN 'loaded' WHEN latest.content = entry.value THEN 'unchanged'
                       ELSE 'changed' END;
        IF status <> 'unchanged' THEN
          SELECT * INTO parsed FROM quality_gov.regulatory_item(entry.value, regulatory_import.at);
          PERFORM quality_gov.regulatory_item_fits(source, parsed.item, parsed.type, parsed.uscc, parsed.of_item);
          -- A later version is not known before the one it takes the place of.
          INSERT INTO quality_gov.regulatory_record
            (source, item, version, type, uscc, name, at, severity, content, recorded_at, of_item)
          VALUES (source, parsed.item, COALESCE(latest.version, 0) + 1, parsed.type, parsed.uscc, parsed.name,
                  parsed.decided_at, parsed.severity, entry.value, greatest(regulatory_import.at, latest.recorded_at), parsed.of_item);
          PERFORM quality_gov.watchlist_entry_follow(source, COALESCE(parsed.of_item, parsed.item));
          IF parsed.of_item IS NOT NULL THEN
            PERFORM quality_gov.ledger_record('regulatory_' || parsed.type, source || '/' || parsed.of_item, jsonb_build_object(
              'item', parsed.item, 'version', COALESCE(latest.version, 0) + 1, 'content', entry.value));
          END IF;
        END IF;
      EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
        status := 'refused';
        reason := SQLERRM;
      END;
      counts := jsonb_set(counts, ARRAY[status], to_jsonb(COALESCE((counts ->> status)::int, 0) + 1));
      report := report || jsonb_build_object('item', item, 'status', status, 'reason', reason);
    END LOOP;
    IF dry_run THEN
      RAISE EXCEPTION 'dry run' USING ERRCODE = 'QG000';
    END IF;
    PERFORM quality_gov.ledger_record('regulatory_import', source, counts);
  EXCEPTION WHEN SQLSTATE 'QG000' THEN
    NULL; -- a dry run does the same work and undoes it; the report outlives that
  END;
  RETURN QUERY SELECT r.value ->> 'item', r.value ->> 'status', r.value ->> 'reason'
    FROM unnest(report) WITH ORDINALITY AS r(value, n) ORDER BY r.n;
END
$$;
COMMENT ON FUNCTION regulatory_import(jsonb, text, boolean, timestamptz) IS
  'Imports a credit-regulatory feed: an array of items of type list, penalty, sampling, spot_check, or a decision on one (repair, removal, annulment); per item loaded, changed, unchanged or refused with the reason; the same feed again changes nothing; a decision that comes before its item is kept and holds once that is there';

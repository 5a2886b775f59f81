
-- passport: where a code leads, as GS1 resolvers tell it

CREATE TABLE passport_link (
  link_id bigint GENERATED ALWAYS AS IDENTITY,
  gtin gtin NOT NULL,
  lot_code text,
  serial text,
  link_type text NOT NULL,
  href text NOT NULL,
  title text NOT NULL,
  hreflang text,
  media_type text,
  effect tstzrange NOT NULL DEFAULT '(,)',
  CONSTRAINT passport_link_pkey PRIMARY KEY (link_id),
  CONSTRAINT passport_link_lot_code CHECK (lot_code <> ''),
  CONSTRAINT passport_link_serial CHECK (serial <> ''),
  CONSTRAINT passport_link_link_type CHECK (link_type ~ '^gs1:[a-zA-Z][a-zA-Z0-9]{0,60}$'),
  CONSTRAINT passport_link_href CHECK (length(href) <= 2048 AND href ~ '^https://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[!#-;=?-\[\]_a-z~]*)?$'),
  CONSTRAINT passport_link_title CHECK (title <> '' AND length(title) <= 200),
  CONSTRAINT passport_link_hreflang CHECK (hreflang ~ '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}$'),
  CONSTRAINT passport_link_media_type CHECK (media_type ~ '^[a-z]+/[a-z0-9][a-z0-9.+-]{0,100}$'),
  CONSTRAINT passport_link_effect CHECK (NOT isempty(effect))
);
CREATE INDEX passport_link_goods ON passport_link (gtin, lot_code, serial);
COMMENT ON TABLE passport_link IS
  'Where the code of goods leads (https only): GTIN, of it a lot or a serial number, type of link (GS1 Web Vocabulary, such as gs1:pip product information, gs1:dpp digital passport, gs1:safetyInfo, gs1:recallStatus; gs1:defaultLink where a code leads by default), title, language (BCP 47; null: any), media type, period';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_link', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_link_link_id_seq', '');

CREATE FUNCTION passport_link_add(gtin gtin, link_type text, href text, title text, lot_code text DEFAULT NULL, serial text DEFAULT NULL,
                                  hreflang text DEFAULT NULL, media_type text DEFAULT 'text/html', effective timestamptz DEFAULT now())
  RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  added bigint;
BEGIN
  IF effective IS NULL THEN
    RAISE EXCEPTION 'a link leads from an instant on' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  -- A number or word that no link can hold would never be asked for.
  PERFORM quality_gov.digital_link(gtin, lot_code, serial);
  -- Of a default link and language there is one at a time: who adds two at once must wait.
  PERFORM pg_advisory_xact_lock(hashtextextended('quality_gov passport_link ' || gtin, 0));
  IF link_type = 'gs1:defaultLink' AND EXISTS (
       SELECT FROM quality_gov.passport_link l
       WHERE l.gtin = passport_link_add.gtin AND l.link_type = 'gs1:defaultLink' AND l.lot_code IS NOT DISTINCT FROM passport_link_add.lot_code
         AND l.serial IS NOT DISTINCT FROM passport_link_add.serial AND l.hreflang IS NOT DISTINCT FROM passport_link_add.hreflang
         AND l.effect && tstzrange(effective, NULL)) THEN
    RAISE EXCEPTION 'these goods have a default link % already', COALESCE('of language ' || hreflang, 'of no language')
      USING ERRCODE = 'unique_violation', HINT = 'End it first: quality_gov.passport_link_end().';
  END IF;
  INSERT INTO quality_gov.passport_link (gtin, lot_code, serial, link_type, href, title, hreflang, media_type, effect)
  VALUES (gtin, lot_code, serial, link_type, href, title, hreflang, media_type, tstzrange(nullif(effective, '-infinity'), NULL))
  RETURNING link_id INTO added;
  PERFORM quality_gov.ledger_record('passport_link', quality_gov.digital_link(gtin, lot_code, serial),
    jsonb_build_object('link_id', added, 'link_type', link_type, 'href', href, 'hreflang', hreflang));
  RETURN added;
END
$$;
COMMENT ON FUNCTION passport_link_add(gtin, text, text, text, text, text, text, text, timestamptz) IS
  'Lets the code of goods lead somewhere, from an instant on, and gives the link''s id; 23514 where it is no https address or no type of link, 23505 for a second default link of a language';

CREATE FUNCTION passport_link_end(link_id bigint, at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  l quality_gov.passport_link;
BEGIN
  SELECT * INTO l FROM quality_gov.passport_link x WHERE x.link_id = passport_link_end.link_id FOR UPDATE;
  IF NOT FOUND OR at IS NULL OR NOT l.effect @> at OR lower(l.effect) = at THEN
    RAISE EXCEPTION 'link % does not lead anywhere at %', COALESCE(link_id::text, 'null'), COALESCE(at::text, 'null') USING ERRCODE = 'undefined_object';
  END IF;
  UPDATE quality_gov.passport_link x SET effect = x.effect * tstzrange(NULL, at) WHERE x.link_id = passport_link_end.link_id;
  PERFORM quality_gov.ledger_record('passport_link', quality_gov.digital_link(l.gtin, l.lot_code, l.serial),
    jsonb_build_object('link_id', link_id, 'ended', at));
END
$$;
COMMENT ON FUNCTION passport_link_end(bigint, timestamptz) IS 'Ends a link at an instant; 42704 where it does not lead anywhere then';

CREATE FUNCTION passport_link_target(l passport_link) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN jsonb_strip_nulls(jsonb_build_object('href', l.href, 'title', l.title, 'type', l.media_type,
    'hreflang', CASE WHEN l.hreflang IS NOT NULL THEN jsonb_build_array(l.hreflang) END,
    'title*', CASE WHEN l.hreflang IS NOT NULL
                   THEN jsonb_build_array(jsonb_build_object('value', l.title, 'language', l.hreflang)) END));
COMMENT ON FUNCTION passport_link_target(passport_link) IS 'A link as a target object of RFC 9264 section 4.2.3';

CREATE FUNCTION passport_linkset(gtin gtin, lot_code text DEFAULT NULL, serial text DEFAULT NULL, at timestamptz DEFAULT now(),
                                 resolver text DEFAULT 'https://id.gs1.org') RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
  IF gtin IS NULL OR at IS NULL THEN
    RAISE EXCEPTION 'gtin and at must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  RETURN jsonb_build_object('linkset', COALESCE((
    SELECT jsonb_agg(jsonb_build_object('anchor', c.anchor) || c.links ORDER BY c.depth)
    FROM (
      SELECT v.depth, quality_gov.digital_link(gtin, v.lot, v.serial, resolver) AS anchor, jsonb_object_agg(t.relation, t.targets) AS links
      FROM (SELECT 1 AS depth, NULL::text AS lot, NULL::text AS serial
            UNION ALL SELECT 2, lot_code, NULL WHERE lot_code IS NOT NULL
            UNION ALL SELECT 3, lot_code, serial WHERE serial IS NOT NULL) v
      CROSS JOIN LATERAL (
        SELECT 'https://gs1.org/voc/' || r.name AS relation, jsonb_agg(r.target ORDER BY r.link_id) AS targets
        FROM (SELECT substr(l.link_type, 5) AS name, l.link_id, quality_gov.passport_link_target(l) AS target
              FROM quality_gov.passport_link l
              WHERE l.gtin = passport_linkset.gtin AND l.effect @> at AND l.serial IS NOT DISTINCT FROM v.serial
                AND (l.lot_code IS NOT DISTINCT FROM v.lot OR v.serial IS NOT NULL AND l.lot_code IS NULL)
                AND NOT (l.link_type = 'gs1:defaultLink' AND l.hreflang IS NOT NULL)
              UNION ALL
              -- Default links of languages are one list; the one without a language, else the oldest, is the default of all.
              SELECT 'defaultLinkMulti', l.link_id, quality_gov.passport_link_target(l)
              FROM quality_gov.passport_link l
              WHERE l.gtin = passport_linkset.gtin AND l.effect @> at AND l.serial IS NOT DISTINCT FROM v.serial
                AND (l.lot_code IS NOT DISTINCT FROM v.lot OR v.serial IS NOT NULL AND l.lot_code IS NULL)
                AND l.link_type = 'gs1:defaultLink' AND l.hreflang IS NOT NULL
              UNION ALL
              (SELECT 'defaultLink', l.link_id, quality_gov.passport_link_target(l)
               FROM quality_gov.passport_link l
               WHERE l.gtin = passport_linkset.gtin AND l.effect @> at AND l.serial IS NOT DISTINCT FROM v.serial
                 AND (l.lot_code IS NOT DISTINCT FROM v.lot OR v.serial IS NOT NULL AND l.lot_code IS NULL)
                 AND l.link_type = 'gs1:defaultLink' AND l.hreflang IS NOT NULL
                 AND NOT EXISTS (SELECT FROM quality_gov.passport_link n
                                 WHERE n.gtin = l.gtin AND n.effect @> at AND n.link_type = l.link_type AND n.hreflang IS NULL
                                   AND n.lot_code IS NOT DISTINCT FROM l.lot_code AND n.serial IS NOT DISTINCT FROM l.serial)
               ORDER BY l.link_id LIMIT 1)) r
        GROUP BY r.name) t
      GROUP BY v.depth, v.lot, v.serial) c), '[]'));
END
$$;
COMMENT ON FUNCTION passport_linkset(gtin, text, text, timestamptz, text) IS
  'Links of goods at an instant as a link set (application/linkset+json, RFC 9264 section 4.2) in the words of GS1 resolvers: an object for the GTIN, the lot and the serial number, relations as https://gs1.org/voc/ names, one defaultLink and defaultLinkMulti by language; an empty list where there are none';

CREATE FUNCTION passport_linkset(uri text, at timestamptz DEFAULT now(), resolver text DEFAULT 'https://id.gs1.org') RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  link record := quality_gov.digital_link_read(COALESCE(btrim(uri, E' \t\r\n'), ''));
BEGIN
  IF link.fault IS NOT NULL OR NOT EXISTS (SELECT FROM quality_gov.passport_resolver h WHERE h.host = link.host) THEN
    RETURN '{"linkset": []}';
  END IF;
  RETURN quality_gov.passport_linkset(link.gtin, link.lot, link.serial, at, resolver);
END
$$;
COMMENT ON FUNCTION passport_linkset(text, timestamptz, text) IS
  'Links of what a GS1 Digital Link names, as passport_linkset(gtin, …) has them; an empty list for what is no link of a host of passport_resolver';

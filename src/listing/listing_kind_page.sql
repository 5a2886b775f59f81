
-- listing: rule kinds page (what a page must show) and claim (what it must not say), by regime

CREATE FUNCTION rule_page_params_valid(params jsonb) RETURNS text
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wanted text := params_check(params, '{"fields": "texts?", "any_of": "texts?", "statement": "text?", "in": "texts?"}');
BEGIN
  IF wanted IS NULL AND NOT params ?| '{fields,any_of,statement}' THEN
    wanted := '"fields", "any_of" or "statement"';
  ELSIF wanted IS NULL AND (params ? 'statement') <> (params ? 'in') THEN
    wanted := '"statement" together with "in"';
  END IF;
  RETURN wanted;
END
$$;
COMMENT ON FUNCTION rule_page_params_valid(jsonb) IS
  'What is wanted of params of kind page: {"fields", "any_of", "statement" with "in"}, at least one of the three; null where all is well';

CREATE FUNCTION rule_page(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  choice text[] := params_texts(params -> 'any_of');
  places text[] := params_texts(params -> 'in');
BEGIN
  FOREACH field IN ARRAY COALESCE(params_texts(params -> 'fields'), '{}') LOOP
    -- What has no letter and no digit, such as a dash, tells nothing.
    outcome := CASE WHEN name_key(listing_value(listing, field)) IS NULL THEN 'violation' ELSE 'pass' END;
    message := CASE outcome WHEN 'violation' THEN format('"%s" is not shown', field) END;
    RETURN NEXT;
  END LOOP;
  IF choice IS NOT NULL THEN
    field := choice[1];
    outcome := CASE WHEN EXISTS (SELECT FROM unnest(choice) AS c WHERE name_key(listing_value(listing, c)) IS NOT NULL)
                    THEN 'pass' ELSE 'violation' END;
    message := CASE outcome WHEN 'violation' THEN format('none of %s is shown',
      (SELECT string_agg(format('"%s"', c), ', ' ORDER BY n) FROM unnest(choice) WITH ORDINALITY AS u(c, n))) END;
    detail := CASE outcome WHEN 'violation' THEN jsonb_build_object('failed', 'any_of', 'any_of', choice) END;
    RETURN NEXT;
  END IF;
  IF params ? 'statement' THEN
    field := places[1];
    outcome := CASE WHEN EXISTS (SELECT FROM unnest(places) AS p
                                 WHERE strpos(text_fold(listing_value(listing, p)), text_fold(params ->> 'statement')) > 0)
                    THEN 'pass' ELSE 'violation' END;
    message := CASE outcome WHEN 'violation' THEN format('"%s" is not said', params ->> 'statement') END;
    detail := CASE outcome WHEN 'violation' THEN jsonb_build_object('failed', 'statement', 'statement', params ->> 'statement', 'in', places) END;
    RETURN NEXT;
  END IF;
END
$$;
COMMENT ON FUNCTION rule_page(jsonb, jsonb, timestamptz) IS
  'Rule kind page: fields that must all be shown, names of which one must be, a statement that one of the texts must contain';

CREATE FUNCTION rule_claim_params_valid(params jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN params_check(params, '{"lexicon": "text", "fields": "texts"}');
COMMENT ON FUNCTION rule_claim_params_valid(jsonb) IS
  'What is wanted of params of kind claim: {"lexicon", "fields"}; null where all is well';

CREATE FUNCTION rule_claim(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb)
  LANGUAGE sql STABLE PARALLEL UNSAFE
BEGIN ATOMIC
  -- Many of one term, which an exception may let pass, must not hide another.
  WITH hit AS (
    SELECT f.name, h.*, row_number() OVER (ORDER BY f.n, lower(h.span)) AS place,
           row_number() OVER (PARTITION BY f.name, h.matched ORDER BY lower(h.span)) AS again
    FROM unnest(params_texts(params -> 'fields')) WITH ORDINALITY AS f(name, n)
    CROSS JOIN LATERAL rule_scan(params, listing_value(listing, f.name), listing_value(listing, 'category'), at) AS h
    WHERE listing_value(listing, f.name) IS NOT NULL
  )
  (SELECT 'violation', h.name, format('"%s" in %s', h.matched, h.name),
          jsonb_build_object('lexicon', h.lexicon, 'lexicon_version', h.version, 'term', h.term, 'matched', h.matched,
                             'span', jsonb_build_array(lower(h.span), upper(h.span)), 'folds', h.folds)
          || jsonb_strip_nulls(jsonb_build_object('legal_basis', h.legal_basis))
   FROM hit h WHERE h.place <= 20 OR h.again = 1 ORDER BY h.place LIMIT 200);
END;
COMMENT ON FUNCTION rule_claim(jsonb, jsonb, timestamptz) IS
  'Rule kind claim: terms of a lexicon in texts of listings that the rule''s regimes cover; after 20 hits each term once';

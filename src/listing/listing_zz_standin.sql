
-- Stand-in until the rules' own functions arrive; this file goes then.

CREATE FUNCTION listing_rule_check(rule text, version int, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, verdict text, severity text, field text, message text, legal_basis text, detail jsonb)
  LANGUAGE sql STABLE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT 'violation', r.verdict, r.severity, f, s.term, r.legal_basis, NULL::jsonb
  FROM quality_gov.listing_rule r, jsonb_array_elements_text(r.params -> 'fields') f,
    quality_gov.lexicon_scan(listing_rule_check.listing ->> f, ARRAY[r.params ->> 'lexicon'], NULL, listing_rule_check.at) s
  WHERE r.rule = listing_rule_check.rule AND r.version = listing_rule_check.version
$$;
COMMENT ON FUNCTION listing_rule_check(text, int, jsonb, timestamptz) IS 'stand-in';
CREATE FUNCTION listing_exception_add(rule text, merchant_id text, until timestamptz, reason text, owner text,
    verdict text, listing_id text, effective timestamptz, finding text) RETURNS bigint
  LANGUAGE sql SET search_path = pg_catalog, quality_gov, pg_temp AS $$ SELECT 1::bigint $$;
COMMENT ON FUNCTION listing_exception_add(text, text, timestamptz, text, text, text, text, timestamptz, text) IS 'stand-in';


-- listing: stands in for sets of versions until rules give them

CREATE FUNCTION listing_ruleset_id(ruleset jsonb) RETURNS bigint
  LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE
  RETURN 0::bigint;
COMMENT ON FUNCTION listing_ruleset_id(jsonb) IS 'Id of a set of rule and lexicon versions';

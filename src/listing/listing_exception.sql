
-- listing: exceptions

CREATE TABLE listing_exception (
  merchant_id text NOT NULL,
  exception_id bigint GENERATED ALWAYS AS IDENTITY,
  rule text NOT NULL,
  listing_id text,
  verdict text NOT NULL,
  reason text NOT NULL,
  owner text NOT NULL,
  effect tstzrange NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by text NOT NULL DEFAULT session_user,
  finding text,
  relation text,
  CONSTRAINT listing_exception_pkey PRIMARY KEY (merchant_id, exception_id),
  CONSTRAINT listing_exception_rule CHECK (rule NOT IN ('merchant_may', 'recall')),
  CONSTRAINT listing_exception_verdict CHECK (verdict IN ('pass', 'shadow', 'warn')),
  CONSTRAINT listing_exception_reason CHECK (reason <> '' AND owner <> ''),
  CONSTRAINT listing_exception_effect CHECK (
    isempty(effect) OR COALESCE(isfinite(lower(effect)) AND isfinite(upper(effect)), false)
    AND lower_inc(effect) AND NOT upper_inc(effect))
);
COMMENT ON TABLE listing_exception IS
  'What a merchant, or one of its listings, is let off: findings of the rule (* every rule), or only those with exactly the message that finding names, or of listings of one table, get the verdict over effect, which always ends; the finding stays and names the exception; admission and recalls know none; rows only end sooner';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_exception', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.listing_exception_exception_id_seq', '');
ALTER TABLE listing_exception ENABLE ROW LEVEL SECURITY;
CREATE POLICY listing_exception_read ON listing_exception FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));

CREATE FUNCTION listing_exception_protect() RETURNS trigger
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF to_jsonb(NEW) - 'effect' IS DISTINCT FROM to_jsonb(OLD) - 'effect'
     OR NOT NEW.effect <@ OLD.effect OR lower(NEW.effect) <> lower(OLD.effect) THEN
    RAISE EXCEPTION 'exception % of merchant "%" cannot be changed, only ended', OLD.exception_id, OLD.merchant_id
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Use quality_gov.listing_exception_end(), and add another.';
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION listing_exception_protect() IS 'Trigger: an exception changes in one way, by ending sooner';
CREATE TRIGGER listing_exception_protect BEFORE UPDATE ON listing_exception
  FOR EACH ROW EXECUTE FUNCTION listing_exception_protect();
CREATE TRIGGER listing_exception_append_only BEFORE DELETE OR TRUNCATE ON listing_exception
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER listing_exception_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON listing_exception
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();

CREATE FUNCTION listing_exception_add(rule text, merchant_id text, until timestamptz, reason text, owner text,
    verdict text DEFAULT 'pass', listing_id text DEFAULT NULL, effective timestamptz DEFAULT now(),
    finding text DEFAULT NULL, relation text DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  id bigint;
BEGIN
  IF until IS NULL OR effective IS NULL OR NOT isfinite(until) OR NOT isfinite(effective) OR until <= effective THEN
    RAISE EXCEPTION 'an exception needs a finite period, found % to %', COALESCE(effective::text, 'null'), COALESCE(until::text, 'null')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Say when it ends; it can be renewed by another.';
  END IF;
  PERFORM FROM quality_gov.merchant m WHERE m.merchant_id = listing_exception_add.merchant_id FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'merchant "%" does not exist', merchant_id USING ERRCODE = 'undefined_object';
  END IF;
  IF rule IN ('merchant_may', 'recall') THEN
    RAISE EXCEPTION 'there is no exception from "%"', rule
      USING ERRCODE = 'invalid_parameter_value', DETAIL = 'It is asked without any rule.';
  ELSIF rule <> '*' AND NOT EXISTS (
    SELECT FROM quality_gov.listing_rule r WHERE r.rule = listing_exception_add.rule AND r.state <> 'draft') THEN
    RAISE EXCEPTION 'rule "%" does not exist', rule
      USING ERRCODE = 'undefined_object', HINT = 'Name a published rule, or * for every rule.';
  END IF;
  INSERT INTO quality_gov.listing_exception (merchant_id, rule, listing_id, verdict, reason, owner, effect, finding, relation)
  VALUES (merchant_id, rule, listing_id, verdict, reason, owner, tstzrange(effective, until), finding, relation)
  RETURNING exception_id INTO id;
  PERFORM quality_gov.ledger_record('listing_exception', merchant_id, jsonb_build_object(
    'exception_id', id, 'rule', rule, 'listing_id', listing_id, 'verdict', verdict, 'reason', reason, 'owner', owner,
    'effective', effective, 'until', until, 'finding', finding, 'relation', relation));
  RETURN id;
END
$$;
COMMENT ON FUNCTION listing_exception_add(text, text, timestamptz, text, text, text, text, timestamptz, text, text) IS
  'Lowers findings of a rule (* every rule) on a merchant''s listings, or on one, to verdict pass, shadow or warn until an instant, with reason and owner; finding confines it to findings with exactly that message, relation to the listings of a table as decisions name it; gives the exception_id';

CREATE FUNCTION listing_exception_end(merchant_id text, exception_id bigint, at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  UPDATE quality_gov.listing_exception e
  SET effect = e.effect * tstzrange(NULL, at)
  WHERE e.merchant_id = listing_exception_end.merchant_id AND e.exception_id = listing_exception_end.exception_id
    AND upper(e.effect) > at;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'exception % of merchant "%" is not in force then', exception_id, merchant_id
      USING ERRCODE = 'undefined_object';
  END IF;
  PERFORM quality_gov.ledger_record('listing_exception', merchant_id,
    jsonb_build_object('exception_id', exception_id, 'ended', at));
END
$$;
COMMENT ON FUNCTION listing_exception_end(text, bigint, timestamptz) IS 'Ends an exception before its time';

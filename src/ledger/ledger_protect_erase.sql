
-- ledger: erasing the values that entries only commit to

CREATE FUNCTION ledger_erase(subject text, basis text, dry_run boolean DEFAULT true,
                             OUT entry_id bigint, OUT field text, OUT state text, OUT until timestamptz)
  RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  fields text[] := '{}';
  entries bigint[] := '{}';
  kept timestamptz;
BEGIN
  IF subject IS NULL OR dry_run IS NULL THEN
    RAISE EXCEPTION 'subject and dry_run cannot be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF btrim(COALESCE(basis, ''), E' \t\n\r') = '' THEN
    RAISE EXCEPTION 'an erasure needs its legal basis' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Say who asked for it and by which article.';
  END IF;
  IF NOT EXISTS (SELECT FROM quality_gov.ledger_entry e WHERE e.subject = ledger_erase.subject) THEN
    RAISE EXCEPTION 'the ledger has no entry about "%"', subject USING ERRCODE = 'undefined_object',
      HINT = 'Subjects of a row are the table''s name in the ledger and the key, as ledger_row_subject() gives it.';
  END IF;
  FOR entry_id, field, until IN
    SELECT s.entry_id, s.field, e.recorded_at + quality_gov.ledger_keep(COALESCE(p.retention, 'record_retention'))
    FROM quality_gov.ledger_entry e
    JOIN quality_gov.ledger_secret s ON s.entry_id = e.entry_id
    LEFT JOIN quality_gov.ledger_protected p ON p.label = e.body ->> 'relation'
    WHERE e.subject = ledger_erase.subject
    ORDER BY s.entry_id, s.field COLLATE "C" FOR UPDATE OF s LOOP
    -- No period in force is no leave to erase.
    state := CASE WHEN until <= statement_timestamp() THEN CASE WHEN dry_run THEN 'erasable' ELSE 'erased' END ELSE 'kept' END;
    kept := GREATEST(kept, CASE WHEN state = 'kept' THEN COALESCE(until, 'infinity') END);
    fields := fields || field;
    entries := entries || entry_id;
    RETURN NEXT;
  END LOOP;
  IF dry_run OR cardinality(entries) = 0 THEN
    RETURN;
  END IF;
  IF kept IS NOT NULL THEN
    RAISE EXCEPTION 'what the ledger holds of "%" is kept %', subject,
        CASE WHEN isfinite(kept) THEN to_char(kept AT TIME ZONE 'UTC', '"until" YYYY-MM-DD HH24:MI:SS"Z"') ELSE 'since no figure says for how long' END
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'The retention of its table has not passed for every entry.',
            HINT = 'With dry_run ledger_erase() shows each value and until when it is kept.';
  END IF;
  DELETE FROM quality_gov.ledger_secret s WHERE s.entry_id = ANY (entries);
  PERFORM quality_gov.ledger_record('ledger_erase', subject, jsonb_build_object(
    'fields', (SELECT jsonb_agg(DISTINCT f ORDER BY f) FROM unnest(fields) f), 'values', cardinality(entries),
    'first_entry', entries[1], 'last_entry', entries[cardinality(entries)], 'basis', basis));
END
$$;
COMMENT ON FUNCTION ledger_erase(text, text, boolean) IS
  'Destroys the sensitive values of a subject and their salts, so that nobody can tell any more what its entries commit to, and enters that it was done and why (个人信息保护法 art 47); a row per value: erased, with dry_run erasable, or kept until when the retention of its table has passed. All or nothing: 55000 while any is kept';

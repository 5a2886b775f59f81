
-- merchant: who gets which receipt of the ledger

CREATE TABLE merchant_receipt_kind (
  kind text COLLATE "C" NOT NULL,
  merchant text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT merchant_receipt_kind_pkey PRIMARY KEY (kind),
  CONSTRAINT merchant_receipt_kind_merchant CHECK (merchant IN ('body', 'subject'))
);
COMMENT ON TABLE merchant_receipt_kind IS
  'Kinds of entries that a merchant gets receipts of, and where they name it: in member merchant_id of the body, or as the subject; what is not listed it does not get';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.merchant_receipt_kind', 'WHERE NOT builtin');
INSERT INTO merchant_receipt_kind
SELECT k, 'subject', true FROM unnest('{merchant_admission,merchant_member,credit_grade,credit_event_void,credit_statement,violation,violation_warning,
  violation_void,sanction,sanction_lifted,sanction_published,listing_exception}'::text[]) k
UNION ALL
SELECT k, 'body', true FROM unnest('{listing_decision,listing_denial,listing_review,listing_appeal,violation_appeal}'::text[]) k;
CREATE TRIGGER merchant_receipt_kind_builtin BEFORE INSERT OR UPDATE OR DELETE ON merchant_receipt_kind
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE FUNCTION ledger_receipt_party(entry bigint) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT CASE k.merchant WHEN 'subject' THEN e.subject ELSE e.body ->> 'merchant_id' END
  FROM ledger_entry e JOIN merchant_receipt_kind k ON k.kind = e.kind
  WHERE e.entry_id = ledger_receipt_party.entry;
END;
COMMENT ON FUNCTION ledger_receipt_party(bigint) IS 'The merchant that may have a receipt of an entry, or null; for ledger_receipt()';

CREATE FUNCTION ledger_discloses(entry bigint, field text) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER
BEGIN ATOMIC
  SELECT EXISTS (
    SELECT FROM ledger_entry e JOIN pg_class c ON c.oid = to_regclass(e.body ->> 'relation')
    JOIN pg_roles r ON r.rolname = CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role') END
    WHERE e.entry_id = ledger_discloses.entry AND starts_with(e.kind, 'row_')
      AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = ledger_discloses.field AND NOT a.attisdropped
                  AND has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT'))
      AND (r.rolsuper OR r.rolbypassrls OR NOT c.relrowsecurity));
END;
COMMENT ON FUNCTION ledger_discloses(bigint, text) IS
  'Whether the session''s role may read the column that an entry only commits to, in its table, whatever the row; for ledger_receipt()';

CREATE FUNCTION ledger_receipt(entry bigint, disclose text[] DEFAULT '{}') RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  party text := quality_gov.ledger_receipt_party(entry);
  field text;
BEGIN
  IF entry IS NULL OR disclose IS NULL THEN
    RAISE EXCEPTION 'entry and disclose must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  -- Of what is not theirs others do not learn whether it is there.
  IF NOT (quality_gov.session_acts_for(NULL, '{quality_gov_admin,quality_gov_regulator}')
          OR party IS NOT NULL AND quality_gov.session_acts_for(party, '{quality_gov_app}')) THEN
    RAISE EXCEPTION 'permission denied for a receipt of entry %', entry USING ERRCODE = 'insufficient_privilege',
      DETAIL = 'A merchant, and an application for it, gets receipts of entries about the merchant; quality_gov.merchant_receipt_kind lists their kinds.';
  END IF;
  FOREACH field IN ARRAY disclose LOOP
    IF NOT quality_gov.ledger_discloses(entry, field) THEN
      RAISE EXCEPTION 'permission denied to disclose field "%" of entry %', field, entry USING ERRCODE = 'insufficient_privilege',
        DETAIL = 'Who may read the column of the protected table, whatever the row, may disclose it.';
    END IF;
  END LOOP;
  RETURN quality_gov.ledger_receipt_make(entry, disclose);
END
$$;
COMMENT ON FUNCTION ledger_receipt(bigint, text[]) IS
  'What somebody outside keeps of an entry as proof, one JSON: leaf, place, proof, signed checkpoint, verifier keys, how to verify; disclose names sensitive columns whose value and salt it shows (42501 unless the role may read them). An administrator or regulator gets any, a merchant and an application for it entries about the merchant (42501); 55000 while no signed checkpoint holds the entry';

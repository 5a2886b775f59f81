
-- ledger: receipts, what somebody outside keeps of an entry and checks without the database

CREATE FUNCTION ledger_receipt_size(leaf bigint) RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT COALESCE(
    (SELECT w.size FROM ledger_signature w
     WHERE w.cosigned_at IS NOT NULL AND w.size > ledger_receipt_size.leaf
       AND EXISTS (SELECT FROM ledger_key k WHERE k.name = w.name AND k.key_hash = w.key_hash)
       AND EXISTS (SELECT FROM ledger_signature s JOIN ledger_key k ON k.name = s.name AND k.key_hash = s.key_hash WHERE s.size = w.size AND k.kind = 'log')
     ORDER BY w.size DESC LIMIT 1),
    (SELECT s.signed FROM ledger_signed_size() s(signed) WHERE s.signed > ledger_receipt_size.leaf));
END;
COMMENT ON FUNCTION ledger_receipt_size(bigint) IS
  'Size of the checkpoint that a receipt of a leaf takes: the last that the log signed and a witness too, else the last that the log signed; null where none holds the leaf';

CREATE FUNCTION ledger_receipt_make(entry bigint, disclose text[]) RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  e quality_gov.ledger_entry;
  leaf bigint := quality_gov.ledger_leaf_of(entry);
  size bigint := quality_gov.ledger_receipt_size(leaf);
  data bytea;
  shown jsonb;
  readable jsonb;
  missing text[];
BEGIN
  SELECT x.* INTO e FROM quality_gov.ledger_entry x WHERE x.entry_id = entry;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'entry % does not exist', entry USING ERRCODE = 'no_data_found';
  END IF;
  IF leaf IS NULL THEN
    RAISE EXCEPTION 'entry % is not sealed yet', entry USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'ledger_seal() gives it a place in the log; then a checkpoint must be signed.';
  END IF;
  IF size IS NULL THEN
    RAISE EXCEPTION 'entry % is under no signed checkpoint yet', entry USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Sign ledger_checkpoint_body() outside and give the signature to ledger_checkpoint_add(), or call ledger_checkpoint() where quality_gov.ledger_key_file names a key.';
  END IF;
  data := quality_gov.ledger_leaf_data(e.entry_id, e.kind, e.subject, e.body, e.role, e.recorded_at);
  readable := convert_from(data, 'UTF8');
  SELECT COALESCE(jsonb_object_agg(x.field, jsonb_build_object('salt', quality_gov.base64_line(x.salt), 'value', quality_gov.ledger_canonical(x.value))), '{}')
    INTO shown FROM quality_gov.ledger_secret x
    WHERE x.entry_id = entry AND x.field = ANY (disclose) AND readable #> ARRAY['body', 'row', x.field, 'commitment'] IS NOT NULL;
  missing := ARRAY(SELECT DISTINCT f FROM unnest(disclose) f WHERE f IS NULL OR NOT shown ? f);
  IF missing <> '{}' THEN
    RAISE EXCEPTION 'entry % has no value to disclose of field "%"', entry, missing[1] USING ERRCODE = 'no_data_found',
      DETAIL = 'Only sensitive columns of protected tables have values behind commitments in the leaf, until ledger_erase() destroys them; a leaf with body_sha256 shows none.';
  END IF;
  RETURN jsonb_build_object(
    'format', 'quality_gov-ledger-receipt', 'version', 1,
    'origin', quality_gov.ledger_origin(),
    'leaf', quality_gov.base64_line(data),
    'entry', readable,
    'index', leaf,
    'proof', (SELECT COALESCE(jsonb_agg(quality_gov.base64_line(p.node) ORDER BY p.n), '[]')
              FROM unnest(quality_gov.ledger_inclusion_proof(leaf, size)) WITH ORDINALITY p(node, n)),
    'checkpoint', quality_gov.ledger_note(size),
    'vkeys', to_jsonb(quality_gov.ledger_vkeys()))
    || CASE WHEN readable ? 'body_sha256' THEN jsonb_build_object('body', quality_gov.ledger_canonical(e.body)) ELSE '{}' END
    || CASE WHEN readable ? 'subject_sha256' THEN jsonb_build_object('subject', e.subject) ELSE '{}' END
    || CASE WHEN shown <> '{}' THEN jsonb_build_object('disclosed', shown) ELSE '{}' END
    || jsonb_build_object('how_to_verify', jsonb_build_array(
      'Take the vkeys (C2SP signed-note) that the log and its witnesses publish, not those in here, and compare them with these.',
      'checkpoint is a signed note (C2SP tlog-checkpoint): up to the empty line its lines are the origin, the size of the log and the root in base 64. Verify the Ed25519 signatures below, of witnesses as C2SP tlog-cosignature says.',
      'leaf is, in base 64, what the log holds: canonical JSON (RFC 8785). Its hash is SHA-256 of a zero byte and those bytes.',
      'From that hash, index, size and proof (hashes in base 64, from the leaf up) follows the root of the checkpoint (RFC 9162, 2.1.3.2).',
      'entry is the leaf, readable. Where the leaf has body_sha256 or subject_sha256, that is SHA-256 of body or subject, in hexadecimal.',
      'A field of disclosed is what its commitment in the leaf hides: SHA-256 of salt (base 64) and value, in hexadecimal.'));
END
$$;
COMMENT ON FUNCTION ledger_receipt_make(bigint, text[]) IS
  'Makes what ledger_receipt() gives, whoever asks; 55000 while the entry is not sealed or under no signed checkpoint, P0002 for no such entry or field';

CREATE FUNCTION note_vkey_read(vkey text, OUT name text, OUT kind text, OUT key_hash bytea, OUT public_key bytea)
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  parts text[] := regexp_match(vkey, '^([^+]+)\+([0-9a-fA-F]{8})\+([A-Za-z0-9+/=]+)$');
  bytes bytea := quality_gov.base64_try(parts[3]);
BEGIN
  name := parts[1];
  kind := CASE substr(bytes, 1, 1) WHEN '\x01' THEN 'log' WHEN '\x04' THEN 'witness' END;
  key_hash := decode(parts[2], 'hex');
  public_key := substr(bytes, 2);
  IF kind IS NULL OR length(public_key) <> 32 OR NOT quality_gov.note_name_valid(name)
     OR key_hash <> quality_gov.note_key_hash(name, kind, public_key) THEN
    RAISE EXCEPTION 'not a verifier key: %', quote_literal(left(vkey, 300)) USING ERRCODE = 'invalid_text_representation',
      DETAIL = 'It is name+hash+base64 of an Ed25519 key (C2SP signed-note, type 1; of a witness type 4), and the hash follows from the rest.';
  END IF;
END
$$;
COMMENT ON FUNCTION note_vkey_read(text) IS
  'Takes a verifier key of signed notes apart: kind is log (type 1) or witness (type 4); 22P02 for other text, other types and a hash that does not fit';

CREATE FUNCTION ledger_note_faults(note text, vkeys text[], OUT origin text, OUT size bigint, OUT root bytea, OUT faults text[])
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  head text[] := regexp_match(note, E'^(([^\n]+)\n(0|[1-9][0-9]{0,17})\n([A-Za-z0-9+/=]+)\n)\n((?:\u2014 [^ \n]+ [A-Za-z0-9+/=]+\n){1,100})$');
  line text;
  given record;
  key record;
  by_log boolean := false;
BEGIN
  faults := '{}';
  root := quality_gov.base64_try(head[4]);
  IF root IS NULL OR length(root) <> 32 OR octet_length(note) > 100000 THEN
    faults := ARRAY['checkpoint is no signed note of origin, size and root'];
    RETURN;
  END IF;
  origin := head[2];
  size := head[3]::bigint;
  FOREACH line IN ARRAY string_to_array(rtrim(head[5], E'\n'), E'\n') LOOP
    CONTINUE WHEN quality_gov.base64_try((regexp_match(line, ' ([A-Za-z0-9+/=]+)$'))[1]) IS NULL OR length(line) < 10;
    SELECT * INTO given FROM quality_gov.note_line(line);
    FOR key IN SELECT k.* FROM unnest(vkeys) v(vkey) CROSS JOIN LATERAL quality_gov.note_vkey_read(v.vkey) k
               WHERE k.name = given.name AND k.key_hash = given.key_hash LOOP
      IF given.signature IS NULL OR (key.kind = 'witness') <> (given.cosigned_at IS NOT NULL)
         OR NOT quality_gov.ledger_signature_valid(head[1], key.kind, key.public_key, given.signature, given.cosigned_at) THEN
        faults := faults || format('the signature of "%s" does not fit the checkpoint', key.name);
      ELSIF key.kind = 'log' AND key.name = origin THEN
        by_log := true;
      END IF;
    END LOOP;
  END LOOP;
  IF NOT by_log THEN
    faults := faults || format('no key of log "%s" that is trusted has signed the checkpoint', origin);
  END IF;
END
$$;
COMMENT ON FUNCTION ledger_note_faults(text, text[]) IS
  'Takes a checkpoint apart and says what is wrong with it and its signatures by these verifier keys; signatures of other keys are passed over; for ledger_receipt_verify()';

CREATE FUNCTION ledger_receipt_verify(receipt jsonb, vkeys text[] DEFAULT NULL, OUT valid boolean, OUT reasons text[])
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  trusted text[] := COALESCE(vkeys, quality_gov.ledger_vkeys());
  leaf bytea := quality_gov.base64_try(receipt ->> 'leaf');
  entry jsonb := receipt -> 'entry';
  proof bytea[];
  note record;
  field record;
BEGIN
  valid := false;
  IF receipt ->> 'format' IS DISTINCT FROM 'quality_gov-ledger-receipt' OR receipt -> 'version' IS DISTINCT FROM '1' THEN
    reasons := '{"not a receipt of version 1"}';
    RETURN;
  END IF;
  SELECT * INTO note FROM quality_gov.ledger_note_faults(receipt ->> 'checkpoint', trusted);
  reasons := COALESCE(note.faults, '{"there is no checkpoint"}');
  IF receipt ->> 'origin' IS DISTINCT FROM note.origin THEN
    reasons := reasons || 'origin is not that of the checkpoint'::text;
  END IF;
  IF leaf IS NULL OR jsonb_typeof(entry) IS DISTINCT FROM 'object' OR convert_to(quality_gov.ledger_canonical(entry), 'UTF8') <> leaf THEN
    reasons := reasons || 'entry is not what the leaf holds'::text;
  END IF;
  IF jsonb_typeof(receipt -> 'proof') = 'array' THEN
    proof := ARRAY(SELECT COALESCE(quality_gov.base64_try(p.node), '') FROM jsonb_array_elements_text(receipt -> 'proof') WITH ORDINALITY p(node, n) ORDER BY p.n LIMIT 70);
  END IF;
  IF NOT COALESCE(receipt ->> 'index' ~ '^(0|[1-9][0-9]{0,17})$'
                  AND quality_gov.merkle_verify_inclusion(quality_gov.merkle_leaf_hash(leaf),
                        CASE WHEN receipt ->> 'index' ~ '^[0-9]{1,18}$' THEN (receipt ->> 'index')::bigint END, note.size, proof, note.root), false) THEN
    reasons := reasons || 'the proof does not lead from the leaf to the root'::text;
  END IF;
  FOR field IN SELECT f AS key FROM unnest('{body,subject}'::text[]) f WHERE entry ? (f || '_sha256') OR receipt ? f LOOP
    IF entry ->> (field.key || '_sha256') IS DISTINCT FROM encode(sha256(convert_to(COALESCE(receipt ->> field.key, ''), 'UTF8')), 'hex') THEN
      reasons := reasons || format('%s is not what the leaf commits to', field.key);
    END IF;
  END LOOP;
  FOR field IN SELECT d.key, d.value FROM jsonb_each(CASE jsonb_typeof(receipt -> 'disclosed') WHEN 'object' THEN receipt -> 'disclosed' ELSE '{}' END) d LOOP
    IF entry #>> ARRAY['body', 'row', field.key, 'commitment'] IS DISTINCT FROM encode(sha256(
         COALESCE(quality_gov.base64_try(field.value ->> 'salt'), '') || convert_to(COALESCE(field.value ->> 'value', ''), 'UTF8')), 'hex') THEN
      reasons := reasons || format('field "%s" is not what the leaf commits to', field.key);
    END IF;
  END LOOP;
  valid := reasons = '{}';
END
$$;
COMMENT ON FUNCTION ledger_receipt_verify(jsonb, text[]) IS
  'Whether a receipt proves its entry to who trusts these verifier keys (null: those of this database), and what is wrong with it; never trusts the keys in the receipt; 22P02 for a text that is no verifier key. For convenience: test/verify/ledger_verify.py does it without the database';

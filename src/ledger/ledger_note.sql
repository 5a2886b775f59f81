
-- ledger: checkpoints, signed notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature)

CREATE FUNCTION note_name_valid(name text) RETURNS boolean
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN name <> '' AND length(name) <= 200
    AND name !~ '[+\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]';
COMMENT ON FUNCTION note_name_valid(text) IS
  'Whether a text can name a key of signed notes (C2SP signed-note): no Unicode space, no control character, no plus, at most 200 characters';

CREATE TABLE ledger_log (
  only_row boolean NOT NULL DEFAULT true,
  origin text NOT NULL,
  CONSTRAINT ledger_log_pkey PRIMARY KEY (only_row),
  CONSTRAINT ledger_log_only_row CHECK (only_row),
  CONSTRAINT ledger_log_origin CHECK (note_name_valid(origin))
);
COMMENT ON TABLE ledger_log IS
  'The log''s origin: the name, unique in the world, that its checkpoints begin with and its keys bear, such as shop.example/quality_gov';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.ledger_log', '');

CREATE TABLE ledger_key (
  name text NOT NULL,
  key_hash bytea NOT NULL,
  kind text NOT NULL,
  public_key bytea NOT NULL,
  added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  retired_at timestamptz,
  CONSTRAINT ledger_key_pkey PRIMARY KEY (name, key_hash),
  CONSTRAINT ledger_key_once UNIQUE (public_key),
  CONSTRAINT ledger_key_name CHECK (note_name_valid(name)),
  CONSTRAINT ledger_key_key_hash CHECK (length(key_hash) = 4),
  CONSTRAINT ledger_key_kind CHECK (kind IN ('log', 'witness')),
  CONSTRAINT ledger_key_public_key CHECK (length(public_key) = 32),
  CONSTRAINT ledger_key_retired_at CHECK (retired_at >= added_at)
);
COMMENT ON TABLE ledger_key IS
  'Public Ed25519 keys whose signatures of checkpoints are taken: of the log itself and of witnesses, from added_at until retired_at; the private ones are elsewhere';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.ledger_key', '');

CREATE TABLE ledger_signature (
  size bigint NOT NULL,
  name text NOT NULL,
  key_hash bytea NOT NULL,
  signature bytea NOT NULL,
  cosigned_at timestamptz,
  added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT ledger_signature_pkey PRIMARY KEY (size, name, key_hash),
  CONSTRAINT ledger_signature_signature CHECK (length(signature) = 64),
  CONSTRAINT ledger_signature_cosigned_at CHECK (isfinite(cosigned_at) AND extract(epoch FROM cosigned_at) > 0
    AND extract(epoch FROM cosigned_at) % 1 = 0)
);
COMMENT ON TABLE ledger_signature IS
  'Signatures of checkpoints: size of the log, key, the 64 bytes of Ed25519, and of a witness the instant it signed (whole seconds); append-only';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.ledger_signature', '');
CREATE INDEX ledger_signature_cosigned ON ledger_signature (size) WHERE cosigned_at IS NOT NULL;
CREATE TRIGGER ledger_signature_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_signature
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION base64_line(data bytea) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN translate(encode(data, 'base64'), E'\n', '');
COMMENT ON FUNCTION base64_line(bytea) IS 'Base 64 (RFC 4648, section 4) in one line';

CREATE FUNCTION base64_try(line text) RETURNS bytea
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN CASE WHEN length(line) % 4 = 0 AND line ~ '^[A-Za-z0-9+/]*={0,2}$' THEN decode(line, 'base64') END;
COMMENT ON FUNCTION base64_try(text) IS 'The bytes of base 64 (RFC 4648, section 4) with its padding, or null where it is none';

CREATE FUNCTION note_key_hash(name text, kind text, public_key bytea) RETURNS bytea
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN substr(sha256(convert_to(name, 'UTF8') || '\x0a'::bytea
                       || CASE kind WHEN 'witness' THEN '\x04'::bytea ELSE '\x01'::bytea END || public_key), 1, 4);
COMMENT ON FUNCTION note_key_hash(text, text, bytea) IS
  'The four bytes that name an Ed25519 key in a signed note (C2SP signed-note; of a witness: tlog-cosignature)';

CREATE FUNCTION note_vkey(name text, kind text, public_key bytea) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN format('%s+%s+%s', name, encode(note_key_hash(name, kind, public_key), 'hex'),
                base64_line(CASE kind WHEN 'witness' THEN '\x04'::bytea ELSE '\x01'::bytea END || public_key));
COMMENT ON FUNCTION note_vkey(text, text, bytea) IS
  'A verifier key as tools of signed notes take it: name+hash+base64; kind is log or witness';

CREATE FUNCTION ledger_origin() RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  named text := (SELECT l.origin FROM quality_gov.ledger_log l);
BEGIN
  IF named IS NULL THEN
    RAISE EXCEPTION 'the log has no origin yet' USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Name it once: SELECT quality_gov.ledger_origin_set(''shop.example/quality_gov'').';
  END IF;
  RETURN named;
END
$$;
COMMENT ON FUNCTION ledger_origin() IS 'The log''s name in its checkpoints; 55000 until ledger_origin_set() has named it';

CREATE FUNCTION ledger_origin_set(origin text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  named text;
BEGIN
  IF origin IS NULL OR NOT quality_gov.note_name_valid(origin) THEN
    RAISE EXCEPTION 'not an origin of a log: %', COALESCE(quote_literal(left(origin, 200)), 'null') USING ERRCODE = 'invalid_parameter_value',
      DETAIL = 'It has 1 to 200 characters, none of them a space, a control character or a plus.',
      HINT = 'Take a name of your own domain, such as shop.example/quality_gov.';
  END IF;
  -- ledger_key_add() reads the name under a lock that this one waits for.
  LOCK TABLE quality_gov.ledger_log IN EXCLUSIVE MODE;
  SELECT l.origin INTO named FROM quality_gov.ledger_log l;
  IF named = origin THEN
    RETURN;
  END IF;
  IF named IS NOT NULL AND (EXISTS (SELECT FROM quality_gov.ledger_signature)
                            OR EXISTS (SELECT FROM quality_gov.ledger_key k WHERE k.kind = 'log')) THEN
    RAISE EXCEPTION 'the log is known as "%" and has keys or signed checkpoints', named
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'A key of the log bears its name; under another name it would be another log.';
  END IF;
  INSERT INTO quality_gov.ledger_log AS l (origin) VALUES (origin)
  ON CONFLICT ON CONSTRAINT ledger_log_pkey DO UPDATE SET origin = excluded.origin;
  PERFORM quality_gov.ledger_record('ledger_origin', 'ledger', jsonb_build_object('origin', origin));
END
$$;
COMMENT ON FUNCTION ledger_origin_set(text) IS
  'Names the log, in a way that is unique in the world; the same name again does nothing; another 55000 once the log has a key or a signed checkpoint; an entry of the ledger';

CREATE FUNCTION ledger_key_add(public_key text, kind text DEFAULT 'log', name text DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  key bytea;
  hash bytea;
  given record;
  held quality_gov.ledger_key;
BEGIN
  IF public_key IS NULL THEN
    RAISE EXCEPTION 'a public key is needed' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF kind IS NULL OR kind NOT IN ('log', 'witness') THEN
    RAISE EXCEPTION 'a key is of kind log or witness, found %', COALESCE(quote_literal(kind), 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM FROM quality_gov.ledger_log FOR SHARE;
  -- A verifier key names itself.
  IF public_key ~ '^[^+ ]+\+[0-9a-fA-F]{8}\+' THEN
    SELECT * INTO given FROM quality_gov.note_vkey_read(public_key);
    IF given.kind <> kind OR given.name <> name THEN
      RAISE EXCEPTION 'the verifier key is of kind % and name "%", not % and "%"', given.kind, given.name, kind, COALESCE(name, given.name)
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
    name := given.name;
    public_key := '\x' || encode(given.public_key, 'hex');
  END IF;
  IF kind = 'log' AND name IS DISTINCT FROM quality_gov.ledger_origin() AND name IS NOT NULL THEN
    RAISE EXCEPTION 'the key of a log bears its origin "%", found "%"', quality_gov.ledger_origin(), name
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF kind = 'witness' AND (name IS NULL OR NOT quality_gov.note_name_valid(name)) THEN
    RAISE EXCEPTION 'not a name of a witness: %', COALESCE(quote_literal(left(name, 200)), 'null') USING ERRCODE = 'invalid_parameter_value',
      DETAIL = 'It has 1 to 200 characters, none of them a space, a control character or a plus.';
  END IF;
  name := COALESCE(name, quality_gov.ledger_origin());
  key := quality_gov.public_key_read('Ed25519', public_key);
  hash := quality_gov.note_key_hash(name, kind, key);
  INSERT INTO quality_gov.ledger_key (name, key_hash, kind, public_key) VALUES (name, hash, kind, key) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    SELECT k.* INTO held FROM quality_gov.ledger_key k WHERE k.public_key = key;
    RAISE EXCEPTION 'the key is known already' USING ERRCODE = 'unique_violation',
      DETAIL = CASE WHEN held.name IS NULL THEN format('Another key of "%s" has the same hash %s.', name, encode(hash, 'hex'))
                    ELSE format('It is a key of kind %s by the name "%s"%s.', held.kind, held.name,
                                CASE WHEN held.retired_at IS NULL THEN '' ELSE ', retired' END) END,
      HINT = 'The log and each witness sign with keys of their own, and a retired key does not come back.';
  END IF;
  PERFORM quality_gov.ledger_record('ledger_key', 'ledger key ' || name, jsonb_build_object(
    'act', 'added', 'name', name, 'kind', kind, 'vkey', quality_gov.note_vkey(name, kind, key)));
  RETURN quality_gov.note_vkey(name, kind, key);
END
$$;
COMMENT ON FUNCTION ledger_key_add(text, text, text) IS
  'Takes the public Ed25519 key of the log, or of a witness by its name, given as public_key_read() reads it or as a verifier key; gives its verifier key; 23505 for a key that is known, under whatever name; an entry of the ledger';

CREATE FUNCTION ledger_key_retire(name text, key_hash bytea) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  UPDATE quality_gov.ledger_key k SET retired_at = greatest(clock_timestamp(), k.added_at)
  WHERE k.name = ledger_key_retire.name AND k.key_hash = ledger_key_retire.key_hash AND k.retired_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no key "%" with hash % is in use', name, encode(key_hash, 'hex') USING ERRCODE = 'no_data_found',
      HINT = 'Table quality_gov.ledger_key lists the keys.';
  END IF;
  PERFORM quality_gov.ledger_record('ledger_key', 'ledger key ' || name, jsonb_build_object(
    'act', 'retired', 'name', name, 'key_hash', encode(key_hash, 'hex')));
END
$$;
COMMENT ON FUNCTION ledger_key_retire(text, bytea) IS
  'Takes no further signatures of a key; those it gave stay and verify; P0002 where no such key is in use; an entry of the ledger';

CREATE FUNCTION ledger_vkeys() RETURNS text[]
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT COALESCE(array_agg(note_vkey(k.name, k.kind, k.public_key) ORDER BY k.kind COLLATE "C", k.added_at, k.key_hash), '{}') FROM ledger_key k;
END;
COMMENT ON FUNCTION ledger_vkeys() IS
  'Verifier keys of the log and of its witnesses, retired ones too, as tools of signed notes take them; whoever verifies should have them from another place than the database';

CREATE FUNCTION ledger_checkpoint_body(size bigint DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  sealed quality_gov.ledger_seal;
BEGIN
  SELECT s.* INTO sealed FROM quality_gov.ledger_seal s
  WHERE s.size = COALESCE(ledger_checkpoint_body.size, quality_gov.ledger_size());
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the log was never sealed%', COALESCE(' at ' || size || ' leaves', '')
      USING ERRCODE = 'no_data_found', HINT = 'Table quality_gov.ledger_seal lists the sizes; ledger_seal() makes one.';
  END IF;
  RETURN format(E'%s\n%s\n%s\n', quality_gov.ledger_origin(), sealed.size, quality_gov.base64_line(sealed.root));
END
$$;
COMMENT ON FUNCTION ledger_checkpoint_body(bigint) IS
  'The text that is signed for the log at a sealed size (null: the last): origin, size and root in three lines, each ended by a line feed (C2SP tlog-checkpoint)';

CREATE FUNCTION ledger_signature_valid(body text, kind text, public_key bytea, signature bytea, cosigned_at timestamptz)
  RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT signature_verify('Ed25519', public_key, convert_to(CASE kind WHEN 'witness' THEN
           format(E'cosignature/v1\ntime %s\n%s', extract(epoch FROM cosigned_at)::bigint, body) ELSE body END, 'UTF8'), signature);
END;
COMMENT ON FUNCTION ledger_signature_valid(text, text, bytea, bytea, timestamptz) IS
  'Whether a signature of a checkpoint''s body is its key''s; of a witness over the instant too (C2SP tlog-cosignature)';

CREATE FUNCTION note_line(line text, OUT name text, OUT key_hash bytea, OUT cosigned_at timestamptz, OUT signature bytea)
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  parts text[] := regexp_match(line, '^\u2014 ([^ ]+) ([A-Za-z0-9+/=]+)$');
  bytes bytea := quality_gov.base64_try(parts[2]);
  seconds bigint;
BEGIN
  IF parts IS NULL OR bytes IS NULL OR length(bytes) <= 4 OR NOT quality_gov.note_name_valid(parts[1]) THEN
    RAISE EXCEPTION 'not a signature line of a signed note: %', quote_literal(left(line, 100)) USING ERRCODE = 'invalid_text_representation',
      DETAIL = 'A line is an em dash, the key''s name, and base 64 of the key''s hash (4 bytes), of a witness the time (8), and the signature (64).';
  END IF;
  name := parts[1];
  key_hash := substr(bytes, 1, 4);
  -- Of another length it is of another algorithm; a time beyond 2^42 seconds is none.
  IF length(bytes) = 76 AND substr(bytes, 5, 2) = '\x0000' THEN
    seconds := ('x' || encode(substr(bytes, 7, 6), 'hex'))::bit(48)::bigint;
    cosigned_at := CASE WHEN seconds BETWEEN 1 AND 4398046511103 THEN to_timestamp(seconds::double precision) END;
  END IF;
  signature := CASE WHEN length(bytes) = 68 OR cosigned_at IS NOT NULL THEN substr(bytes, length(bytes) - 63) END;
END
$$;
COMMENT ON FUNCTION note_line(text) IS
  'Takes a signature line of a signed note apart; signature is null where it is neither an Ed25519 signature nor a cosignature/v1; 22P02 for what is no such line';

CREATE FUNCTION ledger_checkpoint_add(signature text, size bigint DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  line text;
  given record;
  key quality_gov.ledger_key;
  body text;
  stored integer := 0;
  known integer := 0;
  unknown text;
  retired text;
BEGIN
  IF signature IS NULL THEN
    RAISE EXCEPTION 'a signature is needed' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF octet_length(signature) > 100000 THEN
    RAISE EXCEPTION 'a note of % bytes is too long', octet_length(signature) USING ERRCODE = 'program_limit_exceeded',
      DETAIL = 'At most 100,000 are taken.';
  END IF;
  -- A whole note says its size itself.
  IF strpos(signature, E'\n\n') > 0 THEN
    size := COALESCE(size, (regexp_match(signature, E'^[^\n]+\n([1-9][0-9]{0,17})\n'))[1]::bigint);
    body := quality_gov.ledger_checkpoint_body(size);
    IF NOT starts_with(signature, body || E'\n') THEN
      RAISE EXCEPTION 'the note is not of this log at % leaves', COALESCE(size, quality_gov.ledger_size()) USING ERRCODE = 'invalid_parameter_value',
        DETAIL = format('Expected it to begin with %s.', quote_literal(body)),
        HINT = 'A note with another root at the same size is evidence of two logs: keep it.';
    END IF;
    signature := substr(signature, length(body) + 2);
  END IF;
  body := COALESCE(body, quality_gov.ledger_checkpoint_body(size));
  size := split_part(body, E'\n', 2)::bigint;
  signature := CASE WHEN right(signature, 1) = E'\n' THEN left(signature, -1) ELSE signature END;
  FOREACH line IN ARRAY CASE WHEN signature = '' THEN '{""}' ELSE string_to_array(signature, E'\n') END LOOP
    SELECT * INTO given FROM quality_gov.note_line(line);
    -- Who retires the key waits, or this does.
    SELECT k.* INTO key FROM quality_gov.ledger_key k WHERE k.name = given.name AND k.key_hash = given.key_hash FOR SHARE;
    IF NOT FOUND THEN
      unknown := format('No key "%s" with hash %s is known.', given.name, encode(given.key_hash, 'hex'));
      CONTINUE;
    END IF;
    IF given.signature IS NULL OR (key.kind = 'witness') <> (given.cosigned_at IS NOT NULL)
       OR NOT quality_gov.ledger_signature_valid(body, key.kind, key.public_key, given.signature, given.cosigned_at) THEN
      RAISE EXCEPTION 'the signature of key "%" does not fit the log at % leaves', key.name, size USING ERRCODE = 'invalid_parameter_value',
        DETAIL = format('What must be signed is %s%s.', CASE key.kind WHEN 'witness' THEN 'cosignature/v1, the time, and ' ELSE '' END, quote_literal(body));
    END IF;
    IF given.cosigned_at > clock_timestamp() + interval '1 hour' THEN
      RAISE EXCEPTION 'witness "%" says it signed at %, which is to come', key.name, given.cosigned_at USING ERRCODE = 'invalid_parameter_value',
        HINT = 'Compare the clocks; an hour is let pass.';
    END IF;
    IF EXISTS (SELECT FROM quality_gov.ledger_signature s
               WHERE s.size = ledger_checkpoint_add.size AND s.name = key.name AND s.key_hash = key.key_hash) THEN
      known := known + 1;
    ELSIF key.retired_at IS NOT NULL THEN
      retired := format('Key "%s" with hash %s was retired.', key.name, encode(key.key_hash, 'hex'));
    ELSE
      INSERT INTO quality_gov.ledger_signature (size, name, key_hash, signature, cosigned_at)
      VALUES (ledger_checkpoint_add.size, key.name, key.key_hash, given.signature, given.cosigned_at)
      ON CONFLICT ON CONSTRAINT ledger_signature_pkey DO NOTHING;
      IF FOUND THEN
        stored := stored + 1;
      ELSE
        known := known + 1;
      END IF;
    END IF;
  END LOOP;
  IF stored + known = 0 THEN
    RAISE EXCEPTION 'no key in use has signed this' USING
      ERRCODE = CASE WHEN retired IS NULL THEN 'invalid_parameter_value' ELSE 'object_not_in_prerequisite_state' END,
      DETAIL = COALESCE(retired, unknown), HINT = 'ledger_key_add() takes keys of the log and of witnesses.';
  END IF;
  RETURN stored;
END
$$;
COMMENT ON FUNCTION ledger_checkpoint_add(text, bigint) IS
  'Verifies and stores signatures of a checkpoint, lines of a signed note or the whole note, and gives how many were new; lines of unknown and retired keys are passed over (C2SP signed-note), but one must be of a key in use; 22023 for a signature that does not fit, none of a known key, or a note of another root; 55000 where all keys are retired; 22P02 for other text';

CREATE FUNCTION ledger_note(size bigint) RETURNS text
  LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
  SELECT ledger_checkpoint_body(ledger_note.size) || E'\n' || string_agg(format(E'— %s %s\n', s.name, base64_line(
           s.key_hash || CASE WHEN s.cosigned_at IS NULL THEN ''::bytea ELSE int8send(extract(epoch FROM s.cosigned_at)::bigint) END
           || s.signature)), '' ORDER BY k.kind COLLATE "C", s.added_at, s.name COLLATE "C", s.key_hash)
  FROM ledger_signature s JOIN ledger_key k ON k.name = s.name AND k.key_hash = s.key_hash
  WHERE s.size = ledger_note.size;
END;
COMMENT ON FUNCTION ledger_note(bigint) IS 'The signed note of the log at a size, or null where nobody signed it; for ledger_checkpoint()';

CREATE FUNCTION ledger_signed_size() RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT s.size FROM ledger_signature s
  WHERE EXISTS (SELECT FROM ledger_key k WHERE k.name = s.name AND k.key_hash = s.key_hash AND k.kind = 'log')
  ORDER BY s.size DESC LIMIT 1;
END;
COMMENT ON FUNCTION ledger_signed_size() IS 'Leaves of the log at its last signed checkpoint; null where there is none';

CREATE FUNCTION ledger_sign(message bytea, OUT signature bytea, OUT public_key bytea)
  AS 'MODULE_PATHNAME', 'qg_ledger_sign' LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION ledger_sign(bytea) IS
  'Signs with the Ed25519 key of quality_gov.ledger_key_file; for ledger_checkpoint(); 55000 where the setting names no file';

CREATE FUNCTION ledger_checkpoint() RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  sealed bigint := quality_gov.ledger_size();
  signed bigint := quality_gov.ledger_signed_size();
  made record;
BEGIN
  IF sealed > 0 AND sealed IS DISTINCT FROM signed AND current_setting('quality_gov.ledger_key_file', true) <> ''
     AND current_setting('transaction_read_only') = 'off' THEN
    IF quality_gov.ledger_tree_root(sealed) IS DISTINCT FROM (SELECT s.root FROM quality_gov.ledger_seal s WHERE s.size = sealed) THEN
      RAISE EXCEPTION 'the seal of % leaves has another root than the tiles', sealed USING ERRCODE = 'data_corrupted',
        HINT = 'SELECT * FROM quality_gov.ledger_verify() tells what is wrong.';
    END IF;
    SELECT * INTO made FROM quality_gov.ledger_sign(convert_to(quality_gov.ledger_checkpoint_body(sealed), 'UTF8'));
    IF NOT EXISTS (SELECT FROM quality_gov.ledger_key k WHERE k.kind = 'log' AND k.public_key = made.public_key AND k.retired_at IS NULL) THEN
      RAISE EXCEPTION 'the key that "quality_gov.ledger_key_file" names is no key of the log in use' USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = format('ledger_key_add(''\x%s'') takes it.', encode(made.public_key, 'hex'));
    END IF;
    PERFORM quality_gov.ledger_checkpoint_add(format('— %s %s', quality_gov.ledger_origin(), quality_gov.base64_line(
      quality_gov.note_key_hash(quality_gov.ledger_origin(), 'log', made.public_key) || made.signature)), sealed);
    signed := sealed;
  END IF;
  IF signed IS NULL THEN
    RAISE EXCEPTION 'no checkpoint of the log is signed yet' USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Sign ledger_checkpoint_body() outside and give the signature to ledger_checkpoint_add(), or name a key file by quality_gov.ledger_key_file.';
  END IF;
  RETURN quality_gov.ledger_note(signed);
END
$$;
COMMENT ON FUNCTION ledger_checkpoint() IS
  'The log''s last signed checkpoint, a signed note (C2SP tlog-checkpoint); where quality_gov.ledger_key_file names a key of the log, what is sealed is signed first, by a key that any superuser of this machine holds; XX001 where tiles and seal differ';

CREATE VIEW ledger_anchor WITH (security_barrier) AS
  SELECT z.size, z.root, z.at AS sealed_at, s.name, k.kind, s.key_hash, k.retired_at AS key_retired_at, s.cosigned_at, s.added_at,
         now() - COALESCE(s.cosigned_at, s.added_at) AS age
  FROM ledger_signature s
  LEFT JOIN ledger_seal z ON z.size = s.size
  LEFT JOIN ledger_key k ON k.name = s.name AND k.key_hash = s.key_hash;
COMMENT ON VIEW ledger_anchor IS
  'Signed checkpoints: leaves, root, when sealed, who signed (kind log or witness), when by the witness''s own clock and when it came in, and how long ago; root or kind is null where seal or key is gone';

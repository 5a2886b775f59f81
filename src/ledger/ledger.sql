
-- ledger: the record that every deciding function writes to

CREATE TABLE ledger_entry (
  entry_id bigint GENERATED ALWAYS AS IDENTITY,
  kind text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  body jsonb NOT NULL,
  role text NOT NULL,
  recorded_at timestamptz NOT NULL,
  xid xid8 NOT NULL,
  CONSTRAINT ledger_entry_pkey PRIMARY KEY (entry_id),
  CONSTRAINT ledger_entry_kind CHECK (kind >= 'a' AND length(kind) <= 63
    AND translate(kind, 'abcdefghijklmnopqrstuvwxyz0123456789_', '') = ''),
  CONSTRAINT ledger_entry_body CHECK (jsonb_typeof(body) = 'object')
);
CREATE INDEX ledger_entry_subject ON ledger_entry (subject, entry_id);
COMMENT ON TABLE ledger_entry IS
  'Record of decisions, append-only: kind, subject (identifier of what it is about), body, the session''s role, wall-clock time, transaction';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.ledger_entry', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.ledger_entry_entry_id_seq', '');

CREATE TRIGGER ledger_entry_stamp BEFORE INSERT ON ledger_entry
  FOR EACH ROW EXECUTE FUNCTION stamp_xid('xid');
CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION ledger_record(kind text, subject text, body jsonb) RETURNS bigint
  AS 'MODULE_PATHNAME', 'qg_ledger_record' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ledger_record(text, text, jsonb) IS
  'Enters one decision in the record and gives its id; every deciding function calls it; kind is lower-case words, body a JSON object; 42501 for kinds row_... and ledger_..., which only the extension''s own functions enter';

CREATE FUNCTION ledger_record_all(kind text, subjects text[], bodies jsonb[]) RETURNS void
  AS 'MODULE_PATHNAME', 'qg_ledger_record_all' LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION ledger_record_all(text, text[], jsonb[]) IS
  'Enters many decisions of a kind in the record, as ledger_record() does one';

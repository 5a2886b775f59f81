
-- trace: EPCIS documents that wait to be captured

CREATE TABLE epcis_inbox (
  document_no bigint GENERATED ALWAYS AS IDENTITY,
  document jsonb,
  source text NOT NULL,
  state text NOT NULL DEFAULT 'pending',
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  done_at timestamptz,
  result jsonb,
  sqlstate text,
  error text,
  detail text,
  CONSTRAINT epcis_inbox_pkey PRIMARY KEY (document_no),
  CONSTRAINT epcis_inbox_state CHECK (state IN ('pending', 'captured', 'refused')),
  CONSTRAINT epcis_inbox_document CHECK ((document IS NULL) = (state = 'captured')),
  CONSTRAINT epcis_inbox_done_at CHECK ((done_at IS NULL) = (state = 'pending')),
  CONSTRAINT epcis_inbox_error CHECK ((error IS NOT NULL) = (state = 'refused'))
);
CREATE INDEX epcis_inbox_pending ON epcis_inbox (document_no) WHERE state = 'pending';
COMMENT ON TABLE epcis_inbox IS
  'EPCIS documents handed in: pending, captured (the events are in epcis_event, result has the counts) or refused (sqlstate, error with the JSON path, detail; the document is kept)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.epcis_inbox', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.epcis_inbox_document_no_seq', '');

CREATE FUNCTION epcis_submit(document jsonb, source text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  number bigint;
BEGIN
  IF document IS NULL OR source IS NULL THEN
    RAISE EXCEPTION 'document and source must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  INSERT INTO quality_gov.epcis_inbox (document, source) VALUES (epcis_submit.document, epcis_submit.source)
  RETURNING document_no INTO number;
  RETURN number;
END
$$;
COMMENT ON FUNCTION epcis_submit(jsonb, text) IS
  'Hands in an EPCIS document to be captured by epcis_capture_pending(), and gives its number in epcis_inbox; source says whom it came from';

CREATE FUNCTION epcis_capture_next() RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  item record;
  counts jsonb;
  failed_state text;
  failed text;
  failed_detail text;
BEGIN
  SELECT i.document_no, i.document INTO item
  FROM quality_gov.epcis_inbox i WHERE i.state = 'pending'
  ORDER BY i.document_no LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  BEGIN
    SELECT to_jsonb(c) INTO counts FROM quality_gov.epcis_capture(item.document) c;
  EXCEPTION
    -- What is wrong with the document; what is wrong with the moment leaves it waiting.
    WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
      GET STACKED DIAGNOSTICS failed_state = RETURNED_SQLSTATE, failed = MESSAGE_TEXT, failed_detail = PG_EXCEPTION_DETAIL;
  END;
  UPDATE quality_gov.epcis_inbox i
  SET state = CASE WHEN failed IS NULL THEN 'captured' ELSE 'refused' END, done_at = clock_timestamp(), result = counts,
      document = CASE WHEN failed IS NOT NULL THEN i.document END, sqlstate = failed_state, error = failed,
      detail = NULLIF(failed_detail, '')
  WHERE i.document_no = item.document_no;
  RETURN item.document_no;
END
$$;
COMMENT ON FUNCTION epcis_capture_next() IS
  'Captures the first document of the inbox that no other session is at, or notes why it is refused, and gives its number; null where none waits';

CREATE PROCEDURE epcis_capture_pending(max bigint DEFAULT NULL)
  AS 'MODULE_PATHNAME', 'qg_epcis_capture_pending' LANGUAGE c;
COMMENT ON PROCEDURE epcis_capture_pending(bigint) IS
  'Captures the documents of the inbox in their order, a transaction each, until none waits or so many are done; several sessions share the work, and what is cut short goes on where it stopped; 2D000 inside a transaction block';

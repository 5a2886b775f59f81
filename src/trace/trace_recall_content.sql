
-- trace: documents of a recall, and what the law wants in them

CREATE TABLE recall_report_kind (
  kind text NOT NULL,
  title text NOT NULL,
  regimes text[] NOT NULL,
  parties text[] NOT NULL,
  states text[] NOT NULL,
  legal_basis text NOT NULL,
  CONSTRAINT recall_report_kind_pkey PRIMARY KEY (kind)
);
COMMENT ON TABLE recall_report_kind IS
  'Kinds of documents of a recall: of which regimes, whose they are (authority, producer; an administrator files any), and in which states they are filed; shipped, not dumped';
INSERT INTO recall_report_kind VALUES
  ('defect_report', 'Report of a defect', '{consumer,food}', '{producer}',
   '{suspected,investigating,notified,voluntary,ordered,objected,plan_reported,published,running,completed,final_summary,re_recall}',
   'Order 19 art 8'),
  ('investigation', 'Result of an investigation', '{consumer,food}', '{producer,authority}', '{suspected,investigating,objected}',
   'Order 19 art 9'),
  ('objection', 'Objection to a notice of recall', '{consumer,food}', '{producer}', '{notified,objected}', 'Order 19 art 13'),
  ('plan', 'Recall plan', '{consumer,food}', '{producer}',
   '{notified,voluntary,ordered,re_recall,plan_reported,published,running}', 'Order 19 arts 17, 18; Order 122 art 12'),
  ('notice', 'Publication of the recall', '{consumer,food}', '{producer}', '{plan_reported,published,running}', 'Order 19 art 19'),
  ('stage_summary', 'Stage summary', '{consumer,food}', '{producer}', '{published,running}', 'Order 19 art 21'),
  ('progress', 'Progress report', '{food}', '{producer}', '{plan_reported,published,running}', 'Order 122 art 24'),
  ('final_summary', 'Final summary', '{consumer,food}', '{producer}', '{completed,final_summary}', 'Order 19 art 21; Order 122 art 24'),
  ('return_record', 'Record of goods that came back', '{consumer,food}', '{producer}',
   '{notified,voluntary,ordered,objected,plan_reported,published,running,completed,final_summary,re_recall}', 'Order 122 art 23'),
  ('disposal_record', 'Record of goods disposed of', '{consumer,food}', '{producer}',
   '{notified,voluntary,ordered,objected,plan_reported,published,running,completed,final_summary,re_recall}', 'Order 122 art 23');

CREATE TABLE recall_content (
  regime text NOT NULL,
  kind text NOT NULL,
  field text NOT NULL,
  alternative text,
  title text NOT NULL,
  place integer NOT NULL DEFAULT 100,
  effect tstzrange NOT NULL DEFAULT '(,)',
  legal_basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT recall_content_pkey PRIMARY KEY (regime, kind, field, effect, builtin),
  CONSTRAINT recall_content_regime CHECK (regime IN ('consumer', 'food')),
  CONSTRAINT recall_content_field CHECK (field <> '' AND alternative <> ''),
  CONSTRAINT recall_content_effect CHECK (NOT isempty(effect))
);
COMMENT ON TABLE recall_content IS
  'Fields that a document of a kind must have, by regime and period: a key of its JSON object, or the alternative instead of it; place is its order in the rule. A row of one''s own asks for a field more; kinds without rows have no fields that they must have';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_content', 'WHERE NOT builtin');
INSERT INTO recall_content
SELECT c.regime, c.kind, f.field, CASE f.field WHEN 'licence_number' THEN 'filing_number' END, replace(f.field, '_', ' '), f.place,
       c.effect, c.basis, true
FROM (VALUES
  ('consumer', 'plan', '{scope,defect,emergency_measures,measures,responsible_body,contact,schedule}'::text[],
   '[2020-01-01 00:00+08,)'::tstzrange, '消费品召回管理暂行规定 (Order 19) art 18'),
  ('food', 'plan', '{operator_name,address,licence_number,head,contact,product_name,trademark,specification,production_date,
     expiry,batch,production,sales,quantity_to_recall,cause,harm,level,term,region,measures,notice,announcement,
     handling,cost}', '[2026-12-01 00:00+08,)', '食品召回管理办法 (Order 122) art 12'),
  ('food', 'return_record', '{name,specification,quantity,batch,production_date,producer,return_date,returner_name,
     returner_address,returner_contact}', '[2026-12-01 00:00+08,)', '食品召回管理办法 (Order 122) art 23'),
  ('food', 'disposal_record', '{measure,time,place,pictures}', '[2026-12-01 00:00+08,)',
   '食品召回管理办法 (Order 122) art 23')) AS c(regime, kind, fields, effect, basis)
CROSS JOIN unnest(c.fields) WITH ORDINALITY AS f(field, place);
CREATE TRIGGER recall_content_builtin BEFORE INSERT OR UPDATE OR DELETE ON recall_content
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE TABLE recall_report (
  recall_id bigint NOT NULL,
  report_id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  at timestamptz NOT NULL,
  content jsonb NOT NULL,
  party text NOT NULL,
  role text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT recall_report_pkey PRIMARY KEY (recall_id, report_id),
  CONSTRAINT recall_report_at CHECK (isfinite(at)),
  CONSTRAINT recall_report_content CHECK (jsonb_typeof(content) = 'object'),
  CONSTRAINT recall_report_party CHECK (party IN ('authority', 'producer', 'platform'))
);
COMMENT ON TABLE recall_report IS
  'Documents of recalls: kind, since when it is filed, the document itself (a JSON object), as what party and by which role; append-only, a later one of the kind takes its place';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_report', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.recall_report_report_id_seq', '');
CREATE TRIGGER recall_report_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recall_report
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION recall_content_missing(regime text, kind text, content jsonb, at timestamptz DEFAULT now()) RETURNS text[]
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT COALESCE(array_agg(w.field ORDER BY w.place, w.field), '{}')
  FROM (SELECT concat_ws(' or ', c.field, c.alternative) AS field, min(c.place) AS place,
               bool_or(EXISTS (
                 SELECT FROM unnest(ARRAY[c.field, c.alternative]) AS k(key)
                 -- Null, blank and empty values say nothing.
                 WHERE recall_content_missing.content ->> k.key ~ '\S'
                   AND recall_content_missing.content -> k.key NOT IN ('[]', '{}'))) AS there
        FROM quality_gov.recall_content c
        WHERE c.regime = recall_content_missing.regime AND c.kind = recall_content_missing.kind
          AND c.effect @> recall_content_missing.at
        GROUP BY 1) w
  WHERE NOT w.there
$$;
COMMENT ON FUNCTION recall_content_missing(text, text, jsonb, timestamptz) IS
  'Fields that the law, as of an instant, wants in a document of a kind and that the document lacks, in the rule''s order; none when it is complete';

CREATE FUNCTION recall_report_template(regime text, kind text, at timestamptz DEFAULT now()) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT COALESCE(jsonb_object_agg(c.field, c.title), '{}') FROM quality_gov.recall_content c
  WHERE c.regime = recall_report_template.regime AND c.kind = recall_report_template.kind
    AND c.effect @> recall_report_template.at
$$;
COMMENT ON FUNCTION recall_report_template(text, text, timestamptz) IS
  'A document to fill in: each field that the law, as of an instant, wants in a document of a kind, with its title as value';

CREATE FUNCTION recall_report_hint(regime text, kind text, at timestamptz) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT COALESCE('For example ' || nullif(quality_gov.recall_report_template(regime, kind, at), '{}')::text || '.', 'Any JSON object will do.')
$$;
COMMENT ON FUNCTION recall_report_hint(text, text, timestamptz) IS 'What to do about a document that is missing or incomplete: an example';

CREATE FUNCTION recall_report_write(recall recall, kind text, content jsonb, at timestamptz, party text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  missing text[];
  filed bigint;
BEGIN
  IF content IS NULL OR jsonb_typeof(content) <> 'object' THEN
    RAISE EXCEPTION 'a document of kind "%" must be a JSON object, found %', kind, COALESCE(jsonb_typeof(content), 'null')
      USING ERRCODE = 'invalid_parameter_value',
            HINT = quality_gov.recall_report_hint(recall.regime, kind, at);
  END IF;
  missing := quality_gov.recall_content_missing(recall.regime, kind, content, at);
  IF missing <> '{}' THEN
    RAISE EXCEPTION 'the document of kind "%" for recall % lacks %', kind, recall.recall_id, array_to_string(missing, ', ')
      USING ERRCODE = 'invalid_parameter_value',
            DETAIL = (SELECT string_agg(DISTINCT c.legal_basis, '; ') || '.' FROM quality_gov.recall_content c
                      WHERE c.regime = recall.regime AND c.kind = recall_report_write.kind AND c.effect @> recall_report_write.at),
            HINT = quality_gov.recall_report_hint(recall.regime, kind, at);
  END IF;
  INSERT INTO quality_gov.recall_report (recall_id, kind, at, content, party, role)
  VALUES (recall.recall_id, kind, at, content, party, session_user) RETURNING report_id INTO filed;
  -- The record proves the document; names and addresses in it stay here, and go with it.
  PERFORM quality_gov.ledger_record('recall_report', 'recall ' || recall.recall_id, jsonb_build_object(
    'recall_id', recall.recall_id, 'report_id', filed, 'kind', kind, 'at', at, 'party', party,
    'sha256', encode(sha256(convert_to(content::text, 'UTF8')), 'hex')));
  RETURN filed;
END
$$;
COMMENT ON FUNCTION recall_report_write(recall, text, jsonb, timestamptz, text) IS
  'Checks and files a document, and records its digest (SHA-256 of its text as jsonb); recall_report_add() and recall_advance() call it';

CREATE FUNCTION recall_report_require(recall recall, step recall_transition, at timestamptz) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  filed quality_gov.recall_report;
  missing text[];
BEGIN
  -- A recall anew needs documents of its own.
  SELECT * INTO filed FROM quality_gov.recall_report p
  WHERE p.recall_id = recall.recall_id AND p.kind = step.document AND p.at <= recall_report_require.at
    AND NOT EXISTS (SELECT FROM quality_gov.recall_step s
                    WHERE s.recall_id = recall.recall_id AND s.state = 're_recall' AND s.at > p.at AND s.at <= recall_report_require.at)
  ORDER BY p.at DESC, p.report_id DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'recall % cannot go from "%" to "%" without a document of kind "%"',
        recall.recall_id, step.from_state, step.to_state, step.document
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = step.legal_basis || '.',
            HINT = 'Give it as document, or file it with quality_gov.recall_report_add(). '
                   || quality_gov.recall_report_hint(recall.regime, step.document, at);
  END IF;
  missing := quality_gov.recall_content_missing(recall.regime, step.document, filed.content, at);
  IF missing <> '{}' THEN
    RAISE EXCEPTION 'the document of kind "%" filed for recall % lacks %', step.document, recall.recall_id,
        array_to_string(missing, ', ')
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = step.legal_basis || '.',
            HINT = 'File a complete one with quality_gov.recall_report_add(). '
                   || quality_gov.recall_report_hint(recall.regime, step.document, at);
  END IF;
END
$$;
COMMENT ON FUNCTION recall_report_require(recall, recall_transition, timestamptz) IS
  'Raises 55000 unless the document that a step needs is filed, since the latest re-recall, and complete as of the instant';

CREATE FUNCTION recall_report_add(recall_id bigint, kind text, content jsonb, at timestamptz DEFAULT now()) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  taken quality_gov.recall := quality_gov.recall_take(recall_id, '{authority,producer}', 'file a document');
  form quality_gov.recall_report_kind;
  began quality_gov.recall_step;
  state text;
BEGIN
  SELECT * INTO form FROM quality_gov.recall_report_kind k
  WHERE k.kind = recall_report_add.kind AND taken.regime = ANY (k.regimes);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a recall of regime "%" has no documents of kind "%"', taken.regime, kind
      USING ERRCODE = 'invalid_parameter_value',
            HINT = (SELECT format('Kinds are %s.', string_agg(k.kind, ', ' ORDER BY k.kind))
                    FROM quality_gov.recall_report_kind k WHERE taken.regime = ANY (k.regimes));
  END IF;
  SELECT * INTO began FROM quality_gov.recall_step s WHERE s.recall_id = recall_report_add.recall_id ORDER BY s.at LIMIT 1;
  IF at IS NULL OR at < LEAST(began.at, taken.discovered_at) THEN
    RAISE EXCEPTION 'recall % began at %, a later instant is needed', recall_id, LEAST(began.at, taken.discovered_at)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  state := COALESCE((SELECT s.state FROM quality_gov.recall_step s
                     WHERE s.recall_id = recall_report_add.recall_id AND s.at <= recall_report_add.at
                     ORDER BY s.at DESC LIMIT 1), began.state);
  IF NOT state = ANY (form.states) THEN
    RAISE EXCEPTION 'recall % is "%" at %, documents of kind "%" are not filed then', recall_id, state, at, kind
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('They are filed in %s.', array_to_string(form.states, ', '));
  END IF;
  RETURN quality_gov.recall_report_write(taken, kind, content, at, quality_gov.recall_party_require(
    recall_id, taken.merchant_id, form.parties, format('file a document of kind "%s"', kind)));
END
$$;
COMMENT ON FUNCTION recall_report_add(bigint, text, jsonb, timestamptz) IS
  'Files a document of a recall and gives its id: kind (recall_report_kind), a JSON object with what recall_content wants, since when. 22023 for an unknown kind and for fields that are missing, naming them; 55000 in a state that has no such documents; 42501 for who is not one of the kind''s parties';

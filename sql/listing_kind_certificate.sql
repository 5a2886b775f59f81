-- Rule kind certificate: register, product type, status and validity over time, holder; and page and regimes.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION asked(kind text, params jsonb, listing jsonb, at timestamptz) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT concat_ws('' | '', outcome, field, message) FROM quality_gov.rule_%s($1, $2, $3)', kind) USING params, listing, at;
END $$;
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-1', '北京某某贸易有限公司', 'company', '91110000600037341L', '2026-01-01');
INSERT INTO product_certificate (kind, number, product_type, models, holder, holder_uscc, valid_from, valid_until, source) VALUES
  ('ccc', '2024010101000001', '电热水壶', '{K-1,K-2}', '某某电器厂', NULL, '2024-01-01', '2026-12-31', 'test'),
  ('ccc', '2024010101000002', '玩具', NULL, NULL, '91110000600037341L', '2024-01-01', NULL, 'test'),
  ('production_licence', 'XK16-001-00001', '化肥', NULL, NULL, NULL, NULL, '2030-01-01', 'test'),
  ('ccc', 'NEW', '玩具', NULL, NULL, NULL, '2026-12-01', '2031-11-30', 'test');
INSERT INTO product_certificate_state VALUES
  ('ccc', '2024010101000001', '2024-01-01 00:00+08', 'valid', NULL, 'test'),
  ('ccc', '2024010101000001', '2026-06-01 00:00+08', 'suspended', 'no follow-up inspection', 'test'),
  ('ccc', '2024010101000001', '2026-07-01 00:00+08', 'valid', NULL, 'test'),
  ('ccc', '2024010101000001', '2026-11-01 00:00+08', 'revoked', NULL, 'test'),
  ('ccc', 'NEW', '2026-12-01 00:00+08', 'valid', NULL, 'test');
\set kettle '{"certificate": " 2024010101000001 ", "product_type": "电热 水壶", "model": "k-2", "producer": "某某电器厂", "merchant_id": "m-1"}'

-- accepted; each part that fails is told, with the register's values and the article
SELECT asked('certificate', '{"kind": "ccc", "holder": true, "checks": ["register", "type", "status", "validity", "model"]}', :'kettle', '2026-05-01');
SELECT asked('certificate', '{"kind": "ccc", "holder": true, "checks": ["register", "type", "status", "validity", "model"]}', :'kettle' || '{"product_type": "玩具", "model": "K-3", "producer": "别的厂", "merchant_id": "m-9"}'::jsonb, '2027-01-01');
SELECT detail FROM rule_certificate('{"kind": "ccc", "checks": ["type"]}', '{"certificate": "2024010101000001", "product_type": "玩具"}', '2026-05-01');
-- not in the register; a certificate of another kind is not one
SELECT asked('certificate', '{"kind": "ccc"}', '{"certificate": "1"}', '2026-05-01');
SELECT asked('certificate', '{"kind": "ccc"}', '{"certificate": "XK16-001-00001"}', '2026-05-01');
SELECT asked('certificate', '{"kind": "ccc", "checks": ["status"]}', '{"certificate": "1"}', '2026-05-01');
-- missing: no number (blank and null too), no type, no state, no last day, no holder
SELECT asked('certificate', '{"kind": "ccc"}', l, '2026-05-01') FROM unnest('{"{}","{\"certificate\": \" \"}","{\"certificate\": null}"}'::jsonb[]) l;
SELECT asked('certificate', '{"kind": "production_licence", "holder": true}', '{"certificate": "xk16-001-00001"}', '2026-05-01');
SELECT asked('certificate', '{"kind": "ccc", "checks": "validity"}', '{"certificate": "2024010101000002"}', '2026-05-01');
-- the holder is the merchant by its code
SELECT asked('certificate', '{"kind": "ccc", "checks": ["register"], "holder": true}', '{"certificate": "2024010101000002", "merchant_id": "m-1"}', '2026-05-01');
-- states over time: suspended, valid again, revoked, to the instant
SELECT t, asked('certificate', '{"kind": "ccc", "checks": ["status"]}', :'kettle', t)
FROM unnest('{"2026-05-31 23:59:59.999+08","2026-06-01 00:00+08","2026-06-30 23:59:59.999+08","2026-07-01 00:00+08","2026-11-01 00:00+08"}'::timestamptz[]) t;
-- the last valid day counts whole, in Beijing
SELECT t, asked('certificate', '{"kind": "ccc", "checks": ["validity"]}', :'kettle', t)
FROM unnest('{"2023-12-31 23:59:59+08","2024-01-01 00:00+08","2026-12-31 23:59:59.999+08","2027-01-01 00:00+08"}'::timestamptz[]) t;
-- the register is read whatever time zone the session is in
SET timezone = 'America/New_York';
SELECT asked('certificate', '{"kind": "ccc", "checks": ["validity"]}', :'kettle', '2026-12-31 23:59:59.999+08');
SET timezone = 'Asia/Shanghai';

-- regimes: only what is under them, from when to when; without a category it is not known
CREATE FUNCTION said(rule text, listing jsonb, at timestamptz) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT concat_ws(' | ', outcome, field, message) FROM quality_gov.listing_rule_check(said.rule, 1, listing, at) $$;
SELECT listing_rule_draft('ccc', 'certificate', '{"kind": "ccc", "regime": ["ccc"]}', 'deny', 't', 'b'), listing_rule_draft('one', 'certificate', '{"kind": "ccc", "regime": "ccc"}', 'deny', 't', 'b'), listing_rule_draft('none', 'certificate', '{"kind": "ccc", "regime": ["water_label"]}', 'deny', 't', 'b');
SELECT regime_assign('ccc', '{home/kettles,toys}', 'our catalogue', '2026-01-01 00:00+08');
SELECT c, said('ccc', jsonb_build_object('category', c), '2026-05-01') FROM unnest('{home,home/kettles,home/kettles/steel,toys,toyshop,NULL}'::text[]) c;
SELECT t, said('one', '{"category": "toys"}', t) FROM unnest('{"2025-12-31 23:59:59.999+08","2026-01-01 00:00+08"}'::timestamptz[]) t;
SELECT said('none', '{}', '2026-05-01');
SELECT regime_release('ccc', '{toys}', '2026-06-01');
SELECT said('ccc', '{"category": "toys"}', t) FROM unnest('{2026-05-31,2026-06-01}'::timestamptz[]) t;

-- bad params, bad rows
SELECT p, rule_certificate_params_valid(p) FROM unnest(ARRAY['{"kind": "ccc"}', '{"kind": ["ccc", "x"], "holder": true, "regime": "ccc"}', '[]', 'null', '{}', '{"kind": 1}', '{"kind": []}',
  '{"kind": "ccc", "checks": ["all"]}', '{"kind": "ccc", "holder": "yes"}', '{"kind": "ccc", "what": 1}', '{"kind": "ccc", "regime": [""]}']::jsonb[]) p;
SELECT rule_certificate_params_valid(NULL);
\set VERBOSITY terse
SELECT regime_assign('vat', '{toys}');
SELECT regime_assign('ccc', '{}');
SELECT regime_assign('ccc', '{toys}', effective => '2026-05-01');
SELECT regime_assign('ccc', '{x}', effective => '2026-05-01', until => '2026-05-01');
SELECT regime_release('ccc', '{books}');
INSERT INTO listing_regime VALUES ('x', 'x', 'x', true);
INSERT INTO product_certificate (kind, number, product_type, source) VALUES ('ccc', 'abc', 't', 's');
INSERT INTO product_certificate_state VALUES ('ccc', 'NEW', now(), 'expired', NULL, 's');

-- page: all of some, one of some, a statement however it is spaced
SELECT asked('page', '{"fields": ["producer", "model"], "any_of": ["gtin", "barcode"]}', l, '2026-05-01') FROM unnest(ARRAY['{"producer": "p", "model": "m", "barcode": "1"}', '{"producer": "p", "model": "  "}', '{"producer": "-", "model": "／", "gtin": "…"}']::jsonb[]) l;
SELECT asked('page', '{"statement": "本品不能代替药物", "in": ["title", "description"]}', l, '2026-05-01')
FROM unnest(ARRAY['{"title": "维生素", "description": "注意：本品 不能代替药物。"}', '{"title": "本品不能代替药品"}', '{}']::jsonb[]) l;
SELECT p, rule_page_params_valid(p) FROM unnest(ARRAY['{"fields": ["a"]}', '{"statement": "s", "in": "title"}', '{}', '{"statement": "s"}', '{"in": ["a"], "fields": ["b"]}', '{"fields": [1]}']::jsonb[]) p;
DROP FUNCTION asked, said;
DROP EXTENSION quality_gov;

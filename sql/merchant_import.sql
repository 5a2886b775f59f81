-- Credit-regulatory feeds: idempotent, bad rows refused and reported, good ones loaded.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', '某某食品', 'company', '91110000600037341L', '2026-01-01');
CREATE TABLE feed (n int PRIMARY KEY, body jsonb);
INSERT INTO feed VALUES (1, '[
  {"item": "L1", "type": "list", "list": "serious_violation", "uscc": "91110000600037341L", "reason": "false test reports",
   "legal_basis": "Order 44 art 7", "from": "2026-10-01T00:00:00+08:00"},
  {"item": "P1", "type": "penalty", "uscc": "91110000600037341L", "reason": "below-safety goods", "legal_basis": "产品质量法 art 49",
   "from": "2026-10-02", "severity": "serious"},
  {"item": "S1", "type": "sampling", "uscc": "91110000600037341L", "product": "kettle", "result": "fail", "from": "2026-10-03"},
  {"item": "S2", "type": "sampling", "uscc": "91110000600037341L", "product": "cup", "result": "pass", "from": "2026-10-03"},
  {"item": "B1", "type": "gossip", "uscc": "91110000600037341L"},
  {"item": "B2", "type": "penalty", "uscc": "91110000600037341L", "reason": "r"},
  {"item": "B3", "type": "penalty", "reason": "r", "legal_basis": "b", "from": "2026-10-02", "severity": "minor"},
  {"item": "B4", "type": "penalty", "uscc": "91110000600037341N", "reason": "r", "legal_basis": "b", "from": "2026-10-02", "severity": "minor"},
  {"item": "B5", "type": "penalty", "uscc": "91110000600037341L", "reason": "r", "legal_basis": "b", "from": "some day", "severity": "minor"},
  {"item": "B6", "type": "penalty", "uscc": "91110000600037341L", "reason": "r", "legal_basis": "b", "from": "2026-10-02", "severity": "awful"},
  {"item": "B7", "type": "list", "list": "nobody''s", "uscc": "91110000600037341L", "reason": "r", "legal_basis": "b", "from": "2026-10-02"},
  {"item": "B8", "type": "sampling", "uscc": "91110000600037341L", "product": "cup", "result": "maybe", "from": "2026-10-03"},
  {"item": "B9", "type": "list", "list": "platform", "uscc": "91110000600037341L", "reason": "r", "legal_basis": "b", "from": "2026-10-02", "until": "2026-10-01"},
  {"item": "B10", "type": "list", "list": "platform", "identity_digest": "short", "reason": "r", "legal_basis": "b", "from": "2026-10-02"},
  "not an object", null, {"type": "penalty"}]');

-- a dry run says what would happen and changes nothing
SELECT status, count(*) FROM feed, regulatory_import(body, 'samr', true, '2026-10-10') GROUP BY 1 ORDER BY 1;
SELECT (SELECT count(*) FROM regulatory_record) + (SELECT count(*) FROM watchlist_entry) + (SELECT count(*) FROM ledger_entry) AS written;

-- the real one; the same again changes nothing
SELECT item, status, reason FROM feed, regulatory_import(body, 'samr', false, '2026-10-10');
SELECT status, count(*) FROM feed, regulatory_import(body, 'samr', false, '2026-10-11') GROUP BY 1 ORDER BY 1;
SELECT source, item, version, type, severity, at, recorded_at FROM regulatory_record ORDER BY item;
SELECT watchlist, uscc, reason, source, source_item, term FROM watchlist_entry;
-- another source may use the same numbers
SELECT status, count(*) FROM feed, regulatory_import(body, 'other', false, '2026-10-12') GROUP BY 1 ORDER BY 1;

-- a changed item is a new version; a list entry that ends gets its end
SELECT item, status FROM regulatory_import((SELECT jsonb_build_array(body -> 0 || '{"until": "2026-11-01"}', body -> 1 || '{"severity": "minor"}') FROM feed),
                                           'samr', false, '2026-11-01');
SELECT item, version, severity FROM regulatory_record WHERE source = 'samr' AND item IN ('L1', 'P1') ORDER BY 1, 2;
SELECT term FROM watchlist_entry WHERE source = 'samr';
SELECT allowed, reasons FROM unnest('{2026-10-15,2026-11-15}'::timestamptz[]) t,
  LATERAL (SELECT count(*) = 0 AS allowed, array_agg(reason) AS reasons FROM merchant_bar('m-1', 'watchlist', 'serious_violation', NULL) b
           WHERE b.since <= t AND (b.until IS NULL OR b.until > t)) x;

-- imported decisions become credit events once; a changed one takes the place of the one before
SELECT task, outcome, detail FROM maintenance('2026-10-20') WHERE task = 'credit_collect';
SELECT ref, at, bad, void, recorded_at FROM credit_event WHERE ref LIKE 'samr/%' ORDER BY event_id;
SELECT task, detail FROM maintenance('2026-11-02') WHERE task = 'credit_collect';
SELECT task, detail FROM maintenance('2026-11-03') WHERE task = 'credit_collect';
SELECT ref, bad, void FROM credit_event WHERE ref LIKE 'samr/P1%' ORDER BY event_id;
-- a corrected subject: whom the item named by mistake is cleared
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES ('m-2', '另一家', 'company', '91350100M000100Y43', '2026-01-01');
SELECT item, status FROM regulatory_import((SELECT jsonb_build_array(body -> 1 || '{"uscc": "91350100M000100Y43"}') FROM feed), 'samr', false, '2026-11-04');
SELECT task, detail FROM maintenance('2026-11-05') WHERE task = 'credit_collect';
SELECT merchant_id, ref, bad, void FROM credit_event WHERE ref LIKE 'samr/P1%' ORDER BY event_id;
SELECT kind, subject, body FROM ledger_entry WHERE kind = 'regulatory_import' ORDER BY entry_id;

-- bad input
SELECT regulatory_import(NULL, 'samr');
SELECT regulatory_import('{}', 'samr');
SELECT regulatory_import('[]', '');
SELECT regulatory_import('[]', NULL);
SELECT count(*) FROM regulatory_import('[]', 'samr');
DELETE FROM regulatory_record;
DROP TABLE feed;
DROP EXTENSION quality_gov;

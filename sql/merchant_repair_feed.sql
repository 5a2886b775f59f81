-- Feeds with repairs: what is refused and why, any order, corrections, list entries that follow the authority.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
CREATE FUNCTION item(item text, type text, more jsonb) RETURNS jsonb LANGUAGE sql RETURN jsonb_strip_nulls(
  jsonb_build_object('item', item, 'type', type, 'reason', 'r', 'legal_basis', 'b', 'from', '2026-01-10') || more
  || CASE WHEN type IN ('repair', 'removal', 'annulment') THEN '{}' ELSE '{"uscc": "91110000600037341L"}'::jsonb || more END);
CREATE FUNCTION load(source text, at timestamptz, VARIADIC feed jsonb[]) RETURNS TABLE (item text, status text, reason text) LANGUAGE sql
  AS 'SELECT i.item, i.status, i.reason FROM quality_gov.regulatory_import(to_jsonb(feed), source, false, at) i';

-- refusals
SELECT * FROM load('samr', '2026-01-11',
  item('kinds 1', 'penalty', '{"kinds": "fine"}'), item('kinds 2', 'penalty', '{"kinds": []}'), item('kinds 3', 'penalty', '{"kinds": [1]}'),
  item('kinds 4', 'penalty', '{"kinds": ["fine"]}'), item('kinds 5', 'penalty', '{"kinds": ["whipping"]}'),
  item('amount', 'penalty', '{"kinds": ["fine"], "amount": -1}'), item('amount 2', 'penalty', '{"kinds": ["fine"], "amount": "1"}'),
  item('lenient', 'penalty', '{"kinds": ["fine"], "amount": 1, "lenient": "yes"}'), item('field', 'penalty', '{"kinds": ["fine"], "amount": 1, "field": "toys"}'),
  item('subject', 'penalty', '{"kinds": ["fine"], "amount": 1, "subject": "dog"}'), item('fact', 'penalty', '{"severity": "minor", "fact": " "}'),
  item('ban', 'penalty', '{"kinds": ["stopped"], "ban_until": "some day"}'), item('class', 'penalty', '{"class": "12"}'), item('class 2', 'penalty', '{"class": "8.4"}'),
  item('class 3', 'penalty', '{"class": "8.3", "severity": "minor"}'), item('class 4', 'sampling', '{"class": "9", "product": "p", "result": "fail"}'),
  item('bare', 'penalty', '{}'), item('far', 'penalty', '{"severity": "minor", "from": "infinity"}'), item('far 2', 'penalty', '{"severity": "minor", "published_from": "9999-01-01"}'),
  item('before', 'list', '{"list": "serious_violation", "published_from": "2026-01-09"}'),
  item('check', 'spot_check', '{"checked": "c", "result": "so so"}'), item('check 2', 'spot_check', '{"result": "fail"}'),
  item('of', 'repair', '{"decision": "granted"}'), item('decision', 'repair', '{"of": "x", "decision": "maybe"}'), item('why', 'repair', '{"of": "x", "decision": "refused", "reason": null}'),
  item('self', 'annulment', '{"of": "self"}'), item('ground', 'removal', '{"of": "x", "ground": "whim"}'), item('fraud', 'repair', '{"of": "x", "decision": "refused", "fraud": 1}'));
SELECT count(*) AS written FROM regulatory_record;
SELECT * FROM load('samr', '2025-01-11', item('early', 'penalty', '{"kinds": ["stopped"]}'));
SELECT regulatory_import('[]', 'samr', at => NULL), regulatory_import('[]', 'samr', at => '-infinity');
-- a null is an absent field; without the new fields an item is taken as it was
SELECT i.item, i.status FROM regulatory_import('[{"item": "nulls", "type": "penalty", "uscc": "91110000600037341L", "reason": "r", "legal_basis": "b",
  "from": "2026-01-10", "severity": "minor", "kinds": null, "class": null, "fact": null, "until": null}]', 'samr', at => '2026-01-11') i;
SELECT item, severity, class, reason FROM repair_terms('m-1', '2026-01-11');
-- an instant is the same in every session and on every day, a source has one name, and no item keeps others from being loaded
SET datestyle = 'ISO, DMY';
SET timezone = 'America/New_York';
SELECT item, status, left(reason, 120) AS reason FROM load('dates', '2026-02-11 00:00+08', item('dmy', 'penalty', '{"kinds": ["stopped"], "ban_until": "13/02/2027"}'),
  item('either', 'penalty', '{"severity": "minor", "from": "02/01/2026"}'), item('today', 'penalty', '{"severity": "minor", "published_from": "now"}'),
  item('day', 'penalty', '{"severity": "minor", "until": "2026-03-01"}'));
SELECT left(item, 3) AS item, status FROM load('dates', '2026-02-11 00:00+08',
  item((SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) i), 'penalty', '{"severity": "minor"}'), item('next', 'penalty', '{"severity": "minor"}'));
SELECT regulatory_import('[]', 'a/b');
SELECT regulatory_import('[]', 'sanction');
SELECT count(*) AS published_to_10_april FROM repair_terms('m-1', '2027-01-01 00:00+08') WHERE published_until AT TIME ZONE 'Asia/Shanghai' = '2026-04-11' AND source = 'dates';
SET datestyle = 'ISO, YMD';
SET timezone = 'Asia/Shanghai';
SELECT item, at FROM regulatory_record WHERE source = 'dates' ORDER BY item;

-- what contradicts the record
SELECT * FROM load('samr', '2026-02-01', item('P', 'penalty', '{"kinds": ["confiscation"]}'), item('R', 'repair', '{"of": "P", "decision": "refused"}'));
SELECT * FROM load('samr', '2026-02-02', item('P', 'sampling', '{"product": "p", "result": "pass"}'), item('R', 'repair', '{"of": "Q", "decision": "granted"}'),
  item('R2', 'annulment', '{"of": "R"}'), item('R3', 'repair', '{"of": "P", "decision": "granted", "uscc": "91350100M000100Y43"}'));
SELECT * FROM load('samr', '2026-02-02', item('W', 'repair', '{"of": "later", "decision": "granted"}'), item('later', 'repair', '{"of": "P", "decision": "granted"}'));

-- a repair before its penalty is kept and holds once that is there; another source's item of the name is another
SELECT status, subject, detail FROM doctor() WHERE check_name = 'regulatory';
SELECT * FROM load('other', '2026-03-01', item('later', 'penalty', '{"severity": "general"}'));
SELECT source, item, state FROM repair_terms('m-1', '2026-03-01') WHERE item = 'later';
SELECT * FROM load('samr', '2026-03-02', item('later', 'penalty', '{"severity": "general"}'));
SELECT source, item, state, since FROM repair_terms('m-1', '2026-03-02') WHERE item = 'later' ORDER BY 1;
SELECT count(*) FROM doctor() WHERE check_name = 'regulatory';
-- again changes nothing
SELECT * FROM load('samr', '2026-03-03', item('W', 'repair', '{"of": "later", "decision": "granted"}'), item('later', 'penalty', '{"severity": "general"}'));

-- corrections: a decision is changed, withdrawn; an annulled penalty; what was said before stays
SELECT * FROM load('samr', '2026-04-01', item('W', 'repair', '{"of": "later", "decision": "refused"}'));
SELECT * FROM load('samr', '2026-04-02', item('A', 'annulment', '{"of": "P", "from": "2026-04-02"}'));
SELECT * FROM load('samr', '2026-04-04', item('A', 'annulment', '{"of": "P", "from": "2026-04-02", "withdrawn": true}'));
SELECT * FROM load('samr', '2026-04-05', item('nulls', 'penalty', '{"severity": "minor", "withdrawn": true}'));
SELECT at, item, state, since FROM unnest('{2026-03-31,2026-04-03,2026-04-05}'::timestamptz[]) at, repair_terms('m-1', at) WHERE source = 'samr' ORDER BY 1, 2;
SELECT item, version, of_item, severity FROM regulatory_record WHERE source = 'samr' ORDER BY 1, 2;

-- lists: D40, removal, cure, fraud; the term of the entry is the authority's and the law's
SELECT * FROM load('l', '2026-05-01', item('S', 'list', '{"list": "serious_violation"}'), item('S ban', 'list', '{"list": "serious_violation", "ban_until": "2027-06-01", "uscc": "91350100M000100Y43"}'),
  item('A', 'list', '{"list": "abnormal_operation", "from": "2026-05-01"}'), item('P', 'list', '{"list": "platform"}'), item('S told', 'list', '{"list": "serious_violation", "until": "2026-09-01", "uscc": "91350100M000100Y43"}'));
SELECT item, class, state, published_until, earliest, may_ask FROM unnest('{m-1,m-2}'::text[]) m, repair_terms(m, '2026-05-01') WHERE source = 'l' ORDER BY 1;
SELECT b.item, b.at, t.state, t.may_ask FROM (VALUES ('S', '2027-01-10 23:59:59'::timestamptz), ('S', '2027-01-11'), ('S', '2029-01-10 23:59:59'), ('S', '2029-01-11'),
  ('A', '2026-05-31 23:59:59'), ('A', '2026-06-02'), ('A', '2030-01-01'), ('S ban', '2027-01-11'), ('S ban', '2027-06-01')) AS b(item, at)
CROSS JOIN unnest('{m-1,m-2}'::text[]) m JOIN LATERAL repair_terms(m, b.at) t ON t.source = 'l' AND t.item = b.item ORDER BY 1, 2;
SELECT source_item, period, term FROM watchlist_entry WHERE source = 'l' ORDER BY 1, 2;
SELECT * FROM load('l', '2027-04-01', item('S-', 'removal', '{"of": "S", "ground": "application", "from": "2027-03-01"}'), item('A-', 'removal', '{"of": "A", "ground": "cure", "from": "2026-06-15"}'));
SELECT * FROM load('l', '2027-06-01', item('S+', 'repair', '{"of": "S", "decision": "revoked", "from": "2027-05-01"}'));
SELECT source_item, period, term FROM watchlist_entry WHERE source = 'l' AND source_item IN ('S', 'A') ORDER BY 1, 2;
SELECT at, listed.allowed FROM unnest('{2027-02-28,2027-03-01,2027-05-01,2030-05-01,2030-05-02}'::timestamptz[]) at,
  LATERAL (SELECT count(*) = 0 AS allowed FROM merchant_bar('m-1', 'watchlist', 'serious_violation', NULL) b WHERE b.since <= at AND b.until > at) listed;
SELECT at, item, state, published_until FROM unnest('{2027-04-01,2027-06-01}'::timestamptz[]) at, repair_terms('m-1', at) WHERE source = 'l' AND item IN ('A', 'S') ORDER BY 1, 2;
-- the revocation is withdrawn, the removal annulled with the entry; a removal may come first here, too
SELECT * FROM load('l', '2027-07-01', item('S+', 'repair', '{"of": "S", "decision": "revoked", "from": "2027-05-01", "withdrawn": true}'));
SELECT * FROM load('l', '2027-07-02', item('P-', 'annulment', '{"of": "P", "from": "2026-02-01"}'), item('Z-', 'removal', '{"of": "Z", "from": "2026-03-01"}'), item('Z', 'list', '{"list": "platform"}'));
SELECT * FROM load('l', '2027-07-03', item('S told', 'list', '{"list": "serious_violation", "withdrawn": true, "uscc": "91350100M000100Y43"}'));
SELECT source_item, period, term FROM watchlist_entry WHERE source = 'l' ORDER BY 1, 2;
SELECT subject, body - 'content' AS body FROM ledger_entry WHERE kind IN ('regulatory_repair', 'regulatory_removal', 'regulatory_annulment') AND subject LIKE 'l/%' ORDER BY entry_id;
SELECT * FROM watchlist_check();
-- the platform ends no list of the authority: the oracle notices
UPDATE watchlist_entry SET term = tstzrange(lower(term), '2026-08-01') WHERE source = 'l' AND source_item = 'S ban';
SELECT relation, key, problem FROM integrity_check();
DROP FUNCTION item, load;
DROP EXTENSION quality_gov;

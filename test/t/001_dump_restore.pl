# A dump brings back every row with no special option, counts nothing twice, and governs again.
use strict;
use warnings;
use QG;
use Test::More;

my $source = 'qg_dump_source';
database_create($source);
sql($source, <<'SQL');
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
CREATE SCHEMA shop;
CREATE TABLE shop.product (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, shop_id text, title text, producer text,
  code gtin, status text DEFAULT 'live', listed timestamptz);
CREATE TABLE shop.orders (id bigint PRIMARY KEY, shop_id text, code gtin, lot text, ordered timestamptz, late boolean) PARTITION BY RANGE (id);
CREATE TABLE shop.orders_1 PARTITION OF shop.orders FOR VALUES FROM (0) TO (1000000);
CREATE TABLE shop.complaint (id bigint PRIMARY KEY, shop_id text, filed timestamptz);

-- something in every table that users fill
INSERT INTO category_license VALUES ('food', 'food_operation', '(,)', 'test');
INSERT INTO merchant_field VALUES ('company', 'contact', 'our policy');
INSERT INTO watchlist VALUES ('ours', 'Ours', 'policy');
INSERT INTO watchlist_effect VALUES ('ours', 'sell', 'deny', 'policy');
INSERT INTO duty_rule (duty, title, amount, unit, effect, legal_basis) VALUES ('ours', 't', 3, 'day', '(,)', 'policy');
INSERT INTO legal_figure VALUES ('ours', 5, 'CNY', '(,)', 'policy');
INSERT INTO calendar VALUES ('OURS', 'UTC', '{7}');
SELECT calendar_load('CN', 2026, '{2026-10-01}', '{2026-10-10}', 'test'), calendar_load('OURS', 2026, '{2026-01-01}');
INSERT INTO maintenance_task VALUES ('ours', 90, 'public.ours', 'test');
INSERT INTO doctor_check VALUES ('ours', 'public.ours', 'test');
SELECT count(*) FROM generate_series(1, 3) g, merchant_admit(jsonb_build_object('merchant_id', 'm-' || g, 'kind', 'company', 'name', 'n' || g,
  'uscc', ('{91110000600037341L,91350100M000100Y43,9144030071526726XG}'::text[])[g], 'organization_type', 'x', 'legal_representative', 'x',
  'registered_address', 'x', 'registered_capital', 'x', 'contact', 'x', 'categories', '["food"]'::jsonb,
  'licenses', jsonb_build_array(jsonb_build_object('kind', 'food_operation', 'number', g, 'categories', '["food"]'::jsonb, 'valid_from', '2026-01-01', 'valid_until', '2027-01-01')),
  'persons', jsonb_build_array(jsonb_build_object('identity_digest', repeat(g::text, 64)))), '2026-01-02');
INSERT INTO merchant_verification (merchant_id, verified_at, checked, verified_by, result) VALUES ('m-1', '2026-06-01', '{identity}', 'x', 'confirmed');
INSERT INTO merchant_restriction (merchant_id, action, reason, source, effect) VALUES ('m-3', 'sell', 'r', 'platform', '[2026-05-01,)');
INSERT INTO merchant_turnover VALUES ('m-1', 2026, 5);
SELECT merchant_member_add(current_user, 'm-1');
SELECT count(*) FROM regulatory_import('[{"item": "L1", "type": "list", "list": "ours", "uscc": "91350100M000100Y43", "reason": "r", "legal_basis": "b", "from": "2026-06-01"},
  {"item": "P1", "type": "penalty", "uscc": "91350100M000100Y43", "reason": "r", "legal_basis": "b", "from": "2026-06-01", "severity": "minor"}]', 'samr', false, '2026-06-02');
INSERT INTO repair_class SELECT 'ours', title, severity, precedence, types, published, max_months, repair, repair_months, awaits_ban, conditions, papers, effect, 'policy'
  FROM repair_class WHERE class = '9';
INSERT INTO repair_ground VALUES ('kind', 'ours', 't', 'ours', 'policy');
INSERT INTO supervision_intensity VALUES ('high', 'D', 3, 'ours', '(,)', 'policy');
SELECT supervision_class_set('91350100M000100Y43', 'high', 'r', '2026-01-01');
INSERT INTO credit_model VALUES ('ours', 1, 'draft', 't', '[2030-01-01,)');
INSERT INTO credit_indicator (model, version, indicator, dimension, kind, weight, half_life, point_cost, title) VALUES ('ours', 1, 'i', 'service', 'points', 1, '1 day', 1, 't');
INSERT INTO credit_severity VALUES ('ours', 1, 'i', 'low', 1);
INSERT INTO credit_grade_band VALUES ('ours', 1, 'Z', 0);
SELECT credit_model_draft(credit_model_document('default', 1) || '{"model": "mine"}'), credit_model_publish('mine', effective => '2035-01-01');
SELECT credit_model_draft(credit_model_document('mine', 1) || '{"hysteresis": 5}'), credit_model_publish('mine', 2, '2035-06-01', 'shadow');
SELECT lexicon_load('ads', '{国家级,best}', '{最佳赏味期}'), lexicon_publish('ads', effective => '2026-01-01'), lexicon_load('ads', '{draft}');
INSERT INTO listing_transition VALUES ('ours', 'Our way', false, true, 'policy');
SELECT lexicon_load('ads', '{trial}'), lexicon_publish('ads', 3, '2026-02-01', 'shadow'), lexicon_load('ended', '{trial}'), lexicon_publish('ended', 1, '2026-02-01', 'shadow'),
  lexicon_end('ended', 1, '2026-03-01'), lexicon_load('rules', '{rule}'), listing_notice_add('lexicon', 'rules', 1, '2026-05-01', true, 'ours', at => '2026-03-02', source => 'home page'),
  lexicon_publish('rules', 1), lexicon_load('rules', '{rules}'), lexicon_publish('rules', 2, '2026-06-01'), lexicon_retire('rules', '2026-07-01');
SELECT listing_rule_add('ad-words', 'lexicon', '{"lexicon": "ads", "fields": ["title"]}', 'deny', 't', 'b', effective => '2026-01-01'),
       listing_rule_add('producer', 'required', '{"fields": ["producer"]}', 'quarantine', 't', 'b', effective => '2026-01-01');
SELECT listing_rule_add('producer', 'required', '{"fields": ["producer"]}', 'quarantine', 't2', 'b', effective => '2026-02-01');
INSERT INTO listing_regime VALUES ('ours', 'Ours', 'policy');
SELECT regime_assign('ccc', '{kettles}'), regime_assign('ours', '{cups}', effective => '2026-01-01');
INSERT INTO product_certificate (kind, number, product_type, holder_uscc, source) VALUES ('ccc', 'C-1', 'kettle', '91110000600037341L', 'test');
INSERT INTO product_certificate_state VALUES ('ccc', 'C-1', '2026-01-01', 'valid', NULL, 'test');
INSERT INTO product_report (merchant_id, number, basis, source) VALUES ('m-1', 'R-1', 'GB 1', 'test');
INSERT INTO product_label (scheme, record, producer, model, gtin, grade, source) VALUES ('energy', 'E-1', 'p', 'm', '6901234567892', 1, 'test');
INSERT INTO listing_deal (merchant_id, item, at, price) VALUES ('m-1', '1', '2026-01-01', 9.90);
INSERT INTO brand (brand, owner) VALUES ('Nike', 'Nike Inc'), ('小米', 'x');
INSERT INTO brand_authorization VALUES ('m-1', 'Nike', '[2026-01-01,)', 'letter');
INSERT INTO absolute_term_context (context, outcome, pattern, legal_basis) VALUES ('ours', 'exempt', 'x', 'policy');
SELECT listing_take_down('shop.product', 'm-1', '7', 'an unsafe kettle', 'unsafe', at => '2026-01-01');
INSERT INTO ruleset_rule (ruleset, rule, kind, params, verdict, on_missing, severity, title, legal_basis, effect) VALUES
  ('ours', 'ours.a', 'page', '{"fields": ["a"]}', 'warn', 'skip', 'low', 't', 'policy', '(,)');
SELECT count(*) FROM ruleset_enable('cn', '{cn.absolute,cn.certificate,cn.compared-price}', '2026-01-01') cn, ruleset_enable('ours', effective => '2026-01-01', trial => true) ours;
INSERT INTO listing_kind (kind, title, params) VALUES ('ours', 't', 'an object');
SELECT listing_rule_add('producer', 'required', '{"fields": ["model"]}', 'shadow', 't3', 'b', effective => '2026-02-10'),
       listing_rule_draft('ad-words', 'expression', '{"expression": "$.price.double() > 1"}', 'warn', 't', 'b', on_missing => 'skip'),
       listing_exception_add('ad-words', 'm-1', '2026-02-01', 'r', 'o', effective => '2026-01-05'), listing_ruleset_id(listing_ruleset_json('2026-02-15'));
SELECT guard_listing('shop.product', '{"listing_id": "id", "merchant_id": "shop_id", "title": "title", "producer": "producer", "gtin": "code", "status": "status", "at": "listed"}'),
       guard_order('shop.orders', '{"order_id": "id", "merchant_id": "shop_id", "gtin": "code", "lot": "lot", "at": "ordered"}'),
       credit_attach('shop.complaint', '{"merchant_id": "shop_id", "at": "filed", "recorded_at": "filed", "ref": "id"}', 'complaint'),
       credit_attach('shop.orders', '{"merchant_id": "shop_id", "at": "ordered", "recorded_at": "ordered", "ref": "id"}', 'complaint', 1, 0);
INSERT INTO shop.product (shop_id, title, producer, code, listed) SELECT 'm-' || 1 + g % 3, 'tea ' || g, nullif(g % 5, 0)::text, '6901234567892', '2026-03-01' FROM generate_series(1, 200) g;
-- (rows lprotect)
INSERT INTO ledger_decision VALUES ('ours', 'quality_gov.recall_step_verify', 't');
SELECT ledger_seal();
COPY (SELECT unnest(ARRAY['-----BEGIN PRIVATE KEY-----', encode('\x302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'base64'),
  '-----END PRIVATE KEY-----'])) TO PROGRAM 'umask 077; cat > ledger_dump.pem';
INSERT INTO merchant_receipt_kind VALUES ('ours', 'body');
SELECT ledger_origin_set('shop.example/log'), ledger_key_add('\xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'), ledger_seal();
SET quality_gov.ledger_key_file = 'ledger_dump.pem';
SELECT ledger_checkpoint();
COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; rm ledger_dump.pem';
INSERT INTO listing_template VALUES ('de', 'appeal', 'x');
INSERT INTO listing_translation VALUES ('de', 't', 'x');
SELECT listing_appeal_file(merchant_id, decision_id, 'x'), listing_review_decide(merchant_id, decision_id, 'release', 'x') FROM listing_queue LIMIT 1;
DO $$ BEGIN INSERT INTO shop.product (shop_id, title, producer, listed) VALUES ('m-1', 'best', 'p', '2026-03-01'); EXCEPTION WHEN SQLSTATE 'QG401' THEN NULL; END $$;
INSERT INTO shop.orders SELECT g, 'm-' || 1 + g % 2, '73513537', 'x', '2026-04-01', false FROM generate_series(1, 300) g;
-- (rows passport)
-- (rows scan)
INSERT INTO shop.complaint SELECT g, 'm-1', '2026-04-02' FROM generate_series(1, 20) g;
DELETE FROM shop.complaint WHERE id = 1;
-- (rows walk)
-- (rows epcis)
-- (rows supply)
-- (rows law)
-- (rows scope)
-- (rows progress)
INSERT INTO lot (gtin, lot_code, quantity) VALUES ('6901234567892', 'A1', 10);
SELECT recall_advance(recall_open('Kettle', '[{"gtin": "6901234567892", "lot": "A1"}]', 'r', 'b', merchant_id => 'm-1', at => '2026-05-01'), 'ordered', '2026-05-02');
INSERT INTO sanction_ladder (ladder, step, measure, title, threshold, warn_before, legal_basis) VALUES ('ours', 1, 'talk', 'A talk', 5, 1, 'policy');
INSERT INTO violation_track (track, title, reset, counted, ladder, legal_basis) VALUES ('ours', 'Ours', 'window', '90 days', 'ours', 'policy');
INSERT INTO sanction_template VALUES ('de', 'appeal', 'x');
SELECT violation_record('m-2', 'general', 7, 'r', 'f', 'b', at => '2026-05-01'), violation_record('m-2', 'general', 17, 'r', 'f', 'b', at => '2026-05-02'), violation_record('m-1', 'serious', 30, 'r', 'f', 'b', at => '2026-05-02');
SELECT violation_appeal_decide('m-1', violation_appeal_file('m-1', 3, 'x'), 'overturned', 'x', 'x', at => '2026-05-03'), violation_appeal_file('m-2', 1, 'x'),
  sanction_publish('m-2', sanction_impose('m-2', 'live_order_117', 'bar_registration', 'f', 'r', 'x', at => '2026-05-03'), 'notice', at => '2026-05-03'), sanction_report_add('m-2', 5, 'county', 'letter', '2026-05-03');
CALL listing_audit('shop.product', 150, '2026-06-01');
INSERT INTO credit_event (merchant_id, indicator, at, recorded_at, bad, source) VALUES ('m-1', 'recall', '2020-01-01', '2020-01-01', 1, 't');
SELECT count(*) FROM maintenance('2026-06-03');
SELECT credit_retire();
SQL

my $empty = sql($source, q{SET client_min_messages = error; SELECT string_agg(c.relname, ' ') FROM pg_class c JOIN pg_extension e ON c.oid = ANY (e.extconfig)
	WHERE c.relkind = 'r' AND (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM quality_gov.%I', c.relname), false, true, '')))[1]::text = '0'});
is($empty, '', 'every table that users fill has rows');

# A digest of each table, without transaction ids, which are stamped anew, what is derived, and files, which are of the cluster.
my $digests = <<'SQL';
SELECT format('%I.%I', n.nspname, c.relname) || ' ' || (xpath('/row/d/text()', query_to_xml(format(
  $$SELECT count(*) || ' ' || md5(string_agg(t, '' ORDER BY t)) AS d FROM (SELECT (to_jsonb(x) - 'xid')::text AS t FROM %I.%I x) y$$,
  n.nspname, c.relname), false, true, '')))[1]::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('quality_gov', 'shop') AND c.relkind IN ('r', 'p') AND c.relname NOT IN ('listing_denial_spool', 'credit_account', 'credit_account_day', 'credit_rollup', 'ledger_watermark', 'ledger_mark') ORDER BY 1;
SQL
my $scores = q{SELECT m.merchant_id, quality_gov.credit_score(m.merchant_id, '2026-06-03') FROM quality_gov.merchant m ORDER BY 1};
my %want = (tables => sql($source, $digests), scores => sql($source, $scores),
	guards => sql($source, 'SELECT relation, kind, mapping, options, enabled FROM quality_gov.guard ORDER BY relation::text, kind'));
my $scratch = scratch();
my %way = (
	plain     => sub { command('pg_dump', '-f', "$scratch/d.sql", $source); command('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $_[0], '-f', "$scratch/d.sql") },
	custom    => sub { command('pg_dump', '-Fc', '-f', "$scratch/d.dump", $source); command('pg_restore', '--exit-on-error', '-d', $_[0], "$scratch/d.dump") },
	directory => sub { command('pg_dump', '-Fd', '-j', '2', '-f', "$scratch/d.dir", $source); command('pg_restore', '-j', '4', '-d', $_[0], "$scratch/d.dir") });

for my $name (sort keys %way)
{
	my $copy = "qg_dump_$name";
	database_create($copy);
	$way{$name}->($copy);
	is(sql($copy, $digests), $want{tables}, "$name: every row is back, once");
	is(sql($copy, $scores), $want{scores}, "$name: scores are the same");
	is(sql($copy, 'SELECT relation, kind, mapping, options, enabled FROM quality_gov.guard ORDER BY relation::text, kind'), $want{guards}, "$name: guards are back");
	is(sql($copy, q{SELECT (SELECT count(*) FROM quality_gov.credit_check()) + (SELECT count(*) FROM quality_gov.lexicon_check())
		+ (SELECT count(*) FROM quality_gov.credit_model_check()) + (SELECT count(*) FROM quality_gov.integrity_check())}), '0', "$name: the oracles are empty");
	is(sql($copy, q{SELECT string_agg(scope || ': ' || reason, ' ') FROM quality_gov.ledger_verify() WHERE status = 'problem'}), '', "$name: the ledger verifies");
	is(sql_error($copy, q{UPDATE quality_gov.credit_indicator SET weight = 1 WHERE model = 'mine'}), '55000', "$name: a published credit model is fixed again");
	is(sql_error($copy, q{INSERT INTO shop.product (shop_id, title, producer, listed) VALUES ('m-1', '国 家 级', 'p', '2026-06-01')}), 'QG401', "$name: a listing is refused again");
	is(sql_error($copy, q{INSERT INTO shop.orders VALUES (900, 'm-1', '6901234567892', 'A1', '2026-06-01')}), 'QG601', "$name: an order is refused again");
	is(sql($copy, q{INSERT INTO shop.product (shop_id, title, listed) VALUES ('m-1', 'cup', '2026-06-01') RETURNING status}), 'quarantined', "$name: a listing is held again");
	is(sql($copy, q{INSERT INTO shop.complaint VALUES (500, 'm-2', '2026-06-02');
		SELECT count(*) = count(DISTINCT event_id) AND max(event_id) = max(event_id) FILTER (WHERE ref = '500') FROM quality_gov.credit_event}), 't', "$name: identities go on behind those restored");
	is(sql($copy, q{SELECT (quality_gov.ledger_receipt_verify(quality_gov.ledger_receipt(entry_id))).valid FROM quality_gov.ledger_place WHERE leaf = 0}), 't', "$name: receipts verify again");
	is(sql($copy, q{SELECT count(*) FROM quality_gov.sanction_check()}), '0', "$name: sanctions follow from what was restored");
	is(sql($copy, q{SELECT bool_and(quality_gov.snapshot_delta(xid, NULL, pg_current_snapshot())) FROM quality_gov.credit_event}), 't',
		"$name: ids of transactions are of this cluster");
	# Each identity is behind the rows that were restored.
	is(sql($copy, q{SELECT string_agg(c.relname, ' ') FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attidentity = 'a'
		WHERE c.relnamespace = 'quality_gov'::regnamespace AND (xpath('/row/behind/text()', query_to_xml(format('SELECT max(%I) > pg_sequence_last_value(%L) AS behind FROM quality_gov.%I',
		a.attname, pg_get_serial_sequence('quality_gov.' || quote_ident(c.relname), a.attname), c.relname), false, true, '')))[1]::text = 'true'}), '', "$name: no identity would collide");
	is(sql($copy, q{SET client_min_messages = error; DROP TABLE shop.product, shop.orders; DROP EXTENSION quality_gov; SELECT count(*) FROM shop.complaint}), '20', "$name: the extension drops without CASCADE");
	database_drop($copy);
}
database_drop($source);
done_testing();

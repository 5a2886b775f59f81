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
CREATE TABLE shop.person (id int PRIMARY KEY, phone text);
INSERT INTO shop.person VALUES (1, '139');
SELECT ledger_protect('shop.person', sensitive => '{phone}');
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
SELECT set_config('quality_gov.passport_key_file', current_setting('data_directory') || '/dump_passport.pem', false);
DO $$ BEGIN EXECUTE format('COPY (VALUES (''-----BEGIN PRIVATE KEY-----''), (%L), (''-----END PRIVATE KEY-----'')) TO PROGRAM %L', encode('\x302e020100300506032b657004220420c96ef9ea10c5e414c471723aff9de72c35fa5b70fae97e8832ecac7d2e2b8ed6', 'base64'), format('umask 077; cat > ''%s''', current_setting('quality_gov.passport_key_file'))); END $$;
INSERT INTO passport_field (category, field, audience, title, legal_basis) VALUES ('ours', 'cost', 'regulator', 't', 'policy');
INSERT INTO passport_category VALUES ('kettles', 'order_110');
SELECT passport_key_add('did:web:a.example#1', 'did:web:a.example', 'A', algorithm, public_key::text, '{6901234}', '[2026-01-01,)', merchant_id => 'm-1') FROM passport_signer();
SELECT passport_version(passport_issue('6901234567892', NULL, NULL, '{"cost": "1"}', 'ours', at => '2026-03-01'), '{"cost": "2"}', 'r', at => '2026-03-02'), passport_lot_assign('6901234567892', 'A1', 1, 'r', '2026-03-03');
SELECT passport_key_revoke('did:web:a.example#1', 'r', at => '2026-04-01');
COPY (SELECT 'k1:' || repeat('0a', 32)) TO PROGRAM 'cat > dump_code_key && chmod 600 dump_code_key';
SET quality_gov.code_key_file = 'dump_code_key';
INSERT INTO lot (gtin, lot_code, quantity) VALUES ('6901234567892', 'C1', 10);
SELECT code_revoke(code_register('6901234567892', 'C1', '{A,B}', '2026-01-01'), 'r', at => '2026-06-01'), passport_link_add('6901234567892', 'gs1:pip', 'https://a.example/', 't', effective => '2026-01-01');
INSERT INTO passport_resolver VALUES ('a.example', 'ours');
INSERT INTO scan_policy VALUES ('ours', '[2026-01-01,)', '1 day', 10, 500, 50, 3, 3, 'policy');
SELECT count(v.scan_id) FROM unnest('{2026-02-01,2026-05-01}'::timestamptz[]) t, passport_verify('https://a.example/01/06901234567892/10/C1/21/A', t, place => 'x') v;
SELECT passport_scan_retire('2026-03-01', '2026-06-01');
COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; rm dump_code_key';
INSERT INTO shop.complaint SELECT g, 'm-1', '2026-04-02' FROM generate_series(1, 20) g;
DELETE FROM shop.complaint WHERE id = 1;
SELECT epcis_capture('{"@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", "type": "TransformationEvent", "eventTime": "2026-04-01T08:00:00+08:00", "eventTimeZoneOffset": "+08:00",
  "inputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.E1", "quantity": 4}], "outputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.E2", "quantity": 4}],
  "outputEPCList": ["urn:epc:id:sgtin:4012345.012345.1"], "ilmd": {"cbvmda:lotNumber": "E2"}}'), epcis_submit('{"type": "x"}', 'a supplier');
SELECT supplier_record('{"supplier_id": "s-1", "name": "works", "since": "2026-01-01", "licenses": [{"kind": "k", "number": "n", "categories": ["*"], "valid_from": "2026-01-01"}],
  "brands": [{"brand": "Nike", "valid_from": "2026-01-01", "evidence": "letter"}]}'), supplier_bar_add('s-1', 'r', '2026-10-01', '2026-11-01');
INSERT INTO supplier_category VALUES ('toys', 'k', '(,)', 'policy');
INSERT INTO supply_field VALUES ('sale', 'buyer', 'all', '[2030-01-01,)', 'policy');
SELECT purchase_record('{"merchant_id": "m-1", "supplier_id": "s-1", "gtin": "4006381333931", "lot": "S1", "supplier_lot": "X", "purchased_at": "2026-01-05"}');
SELECT lot_use(lot_find('4006381333931', 'S1'), lot_record('4006381333931', 'S2'), 2), lot_inspect(lot_find('4006381333931', 'S1'), 'accepted', 'x', '2026-01-06');
SELECT lot_item_add(lot_find('4006381333931', 'S2'), '{1,2}'), gtin_alias_add('4006381333931', '96385074', 'misprint');
CREATE TABLE shop.line (shop_id text, ord text, no int, lot text, state text, PRIMARY KEY (ord, no));
SELECT sale_attach('shop.line', '{"merchant_id": "shop_id", "order_id": "ord", "line": "no", "lot": "lot", "state": "state"}', '{"paid": "open"}');
INSERT INTO shop.line SELECT 'm-1', 'o-' || g, 1, 'S1', 'paid' FROM generate_series(1, 30) g;
UPDATE shop.line SET state = 'delivered' WHERE ord = 'o-2';
DELETE FROM shop.line WHERE ord = 'o-3';
INSERT INTO recall_transition VALUES ('consumer', 'voluntary', 'ordered', '{authority}', NULL, false, '(,)', 'policy');
INSERT INTO recall_content (regime, kind, field, title, legal_basis) VALUES ('consumer', 'stage_summary', 'ours', 't', 'policy');
SELECT recall_open('Soup', '[{"gtin": "4006381333931"}]', 'r', 'b', 'food', 3, 'voluntary', at => '2026-12-02', harm => '{death}') AS soup \gset
SELECT recall_advance(:soup, 'plan_reported', '2026-12-03', document => recall_report_template('food', 'plan', '2026-12-03'));
SELECT recall_level_set(:soup, 2, 'r', '2026-12-04'), recall_extend(:soup, '2027-03-01', 'x', '2026-12-05');
INSERT INTO lot (gtin, lot_code, made_on) VALUES ('9780471117094', 'S1', '2026-01-01');
SELECT recall_open('Days', '[{"gtin": "9780471117094", "made_from": "2026-05-01"}]', 'r', 'b', at => '2026-05-01') AS days \gset
INSERT INTO recall_release (recall_id, gtin, lot_code, remedy, evidence, at) VALUES (:days, '9780471117094', 'S2', 'repaired', 'r', '2026-05-03');
INSERT INTO recall_notice_rule (occasion, audience, states, legal_basis) VALUES ('ours', 'platform', '{running}', 'policy');
INSERT INTO recall_notice_setting VALUES ('attempts', 3, 'attempts');
INSERT INTO recall_notice_template VALUES ('en', 'contact', 'ours');
INSERT INTO lot (gtin, lot_code, producer, quantity) VALUES ('5412345000013', 'R1', 'p', 10);
INSERT INTO sale (merchant_id, order_id, gtin, lot_code, quantity, buyer, sold_at, state) VALUES ('m-1', 'R-1', '5412345000013', 'R1', 2, 'b', '2026-04-01', 'shipped');
SELECT recall_notice_generate(r, '2026-05-01'), recall_response_add(r, 'returned', 1, 'm-1', 'R-1', at => '2026-05-02'), recall_cause_record(r, 'making', lot_find('5412345000013', 'R1'), 's', '2026-05-02')
  FROM recall_open('Pan', '[{"gtin": "5412345000013", "lot": "R1"}]', 'r', 'b', at => '2026-05-01') r;
SELECT recall_disposal_add(recall_id, '5412345000013', 'R1', 'stock', 'burnt', 1, 'x', '2026-05-03'), recall_drill_record(lot_find('5412345000013', 'R1'), '2026-05-03') FROM recall WHERE title = 'Pan';
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
		+ (SELECT count(*) FROM quality_gov.credit_model_check()) + (SELECT count(*) FROM quality_gov.integrity_check())
		+ (SELECT count(*) FROM quality_gov.passport_check())}), '0', "$name: the oracles are empty");
	is(sql($copy, q{SELECT string_agg(scope || ': ' || reason, ' ') FROM quality_gov.ledger_verify() WHERE status = 'problem'}), '', "$name: the ledger verifies");
	is(sql_error($copy, q{UPDATE quality_gov.credit_indicator SET weight = 1 WHERE model = 'mine'}), '55000', "$name: a published credit model is fixed again");
	is(sql_error($copy, q{INSERT INTO shop.product (shop_id, title, producer, listed) VALUES ('m-1', '国 家 级', 'p', '2026-06-01')}), 'QG401', "$name: a listing is refused again");
	is(sql_error($copy, q{INSERT INTO shop.orders VALUES (900, 'm-1', '6901234567892', 'A1', '2026-06-01')}), 'QG601', "$name: an order is refused again");
	is(sql($copy, q{INSERT INTO shop.product (shop_id, title, listed) VALUES ('m-1', 'cup', '2026-06-01') RETURNING status}), 'quarantined', "$name: a listing is held again");
	is(sql($copy, q{INSERT INTO shop.complaint VALUES (500, 'm-2', '2026-06-02');
		SELECT count(*) = count(DISTINCT event_id) AND max(event_id) = max(event_id) FILTER (WHERE ref = '500') FROM quality_gov.credit_event}), 't', "$name: identities go on behind those restored");
	is(sql($copy, q{SELECT (quality_gov.ledger_receipt_verify(quality_gov.ledger_receipt(entry_id))).valid FROM quality_gov.ledger_place WHERE leaf = 0}), 't', "$name: receipts verify again");
	is(sql($copy, q{SELECT count(*) FROM quality_gov.sale; UPDATE shop.line SET state = 'shipped' WHERE ord = 'o-1'; INSERT INTO shop.line VALUES ('m-1', 'o-31', 1);
		SELECT count(*), count(*) FILTER (WHERE state = 'shipped') FROM quality_gov.sale WHERE order_id IN ('o-1', 'o-31')}), "31\n2|1", "$name: sales are followed again, once");
	is(sql($copy, q{SELECT count(*) FROM quality_gov.sanction_check()}), '0', "$name: sanctions follow from what was restored");
	is(sql($copy, q{SELECT bool_and(quality_gov.snapshot_delta(xid, NULL, pg_current_snapshot())) FROM quality_gov.credit_event}), 't',
		"$name: ids of transactions are of this cluster");
	# Each identity is behind the rows that were restored.
	is(sql($copy, q{SELECT string_agg(c.relname, ' ') FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attidentity = 'a'
		WHERE c.relnamespace = 'quality_gov'::regnamespace AND (xpath('/row/behind/text()', query_to_xml(format('SELECT max(%I) > pg_sequence_last_value(%L) AS behind FROM quality_gov.%I',
		a.attname, pg_get_serial_sequence('quality_gov.' || quote_ident(c.relname), a.attname), c.relname), false, true, '')))[1]::text = 'true'}), '', "$name: no identity would collide");
	is(sql($copy, q{SET client_min_messages = error; DROP TABLE shop.product, shop.orders, shop.line; DROP EXTENSION quality_gov; SELECT count(*) FROM shop.complaint}), '20', "$name: the extension drops without CASCADE");
	database_drop($copy);
}
database_drop($source);
done_testing();

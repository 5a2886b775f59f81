-- Notice of rules that change a platform rule (D11): given with the publication or before it, and kept to.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
-- with the publication
SELECT listing_rule_add('fee', 'required', '{"fields": ["fee"]}', 'deny', 'say the fee', 'b', effective => '2100-01-01', platform_rule => true, transition => 'immediate', summary => 'fees must be said');
SELECT n.kind, n.name, n.version, n.effective = '2100-01-01' AS at, n.transition, n.summary, r.notice_id = n.notice_id AS linked
FROM listing_notice n JOIN listing_rule r ON r.rule = n.name AND r.version = n.version;
-- before it: it begins as announced, and not sooner
SELECT listing_rule_draft('fee', 'required', '{"fields": ["fee", "tax"]}', 'deny', 'say fee and tax', 'b');
SELECT listing_notice_add('rule', 'fee', 2, '2100-06-01', transition => 'immediate') > 0 AS announced;
SELECT listing_rule_publish('fee', 2, effective => '2100-05-01');
SELECT listing_rule_publish('fee', 2, effective => '2100-06-01', platform_rule => true, transition => 'immediate');
SELECT listing_rule_publish('fee', 2);
SELECT version, lower(effect) AS begins, notice_id IS NOT NULL AS noticed FROM listing_rule ORDER BY version;
-- a draft that was rewritten since, or dropped and begun anew, is not what was announced
SELECT listing_rule_draft('tax', 'required', '{"fields": ["tax"]}', 'warn', 'say the tax', 'b');
SELECT listing_notice_add('rule', 'tax', 1, '2100-06-01', transition => 'immediate') > 0 AS announced;
SELECT listing_rule_draft('tax', 'required', '{"fields": ["tax"]}', 'deny', 'say the tax', 'b', draft => 1);
SELECT listing_rule_publish('tax', 1);
SELECT listing_rule_discard('tax', 1), listing_rule_draft('tax', 'required', '{"fields": ["duty"]}', 'warn', 'say the tax', 'b');
SELECT listing_rule_publish('tax', 1);
SELECT listing_rule_draft('tax', 'required', '{"fields": ["tax"]}', 'warn', 'say the tax', 'b', draft => 1), listing_rule_publish('tax', 1) AS as_announced;
-- too close, without a transition, unknown
\set VERBOSITY sqlstate
SELECT listing_rule_add('soon', 'required', '{"fields": ["x"]}', 'deny', 't', 'b', effective => now() + interval '6 days', platform_rule => true, transition => 'immediate');
SELECT listing_rule_add('soon', 'required', '{"fields": ["x"]}', 'deny', 't', 'b', effective => '2100-01-01', platform_rule => true);
SELECT listing_rule_add('soon', 'required', '{"fields": ["x"]}', 'deny', 't', 'b', effective => '2100-01-01', platform_rule => true, transition => 'never');
SELECT count(*) AS soon FROM listing_rule WHERE rule = 'soon';
DROP EXTENSION quality_gov;

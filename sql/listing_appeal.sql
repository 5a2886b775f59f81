-- Appeals: who may file, the order of steps, a person on request, and what an overturned decision gives back.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
SELECT count(*) AS roles FROM roles_create();
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2026-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2026-01-01');
SELECT lexicon_load('ads', '{best}'), lexicon_publish('ads', effective => '2026-01-01');
SELECT listing_rule_add('ad-words', 'lexicon', '{"lexicon": "ads", "fields": ["title"]}', 'quarantine', 'wording', 'law', 'high', effective => '2026-01-01'),
       listing_rule_add('producer', 'required', '{"fields": ["producer"]}', 'warn', 'producer', 'law', effective => '2026-01-01'),
       listing_rule_add('trial', 'required', '{"fields": ["care"]}', 'shadow', 'on trial', 'policy', 'low', '{clothes}', effective => '2026-01-01');
CREATE TABLE product (id int PRIMARY KEY, shop text, title text, producer text, cat text, status text DEFAULT 'live');
SELECT guard_listing('product', '{"listing_id": "id", "merchant_id": "shop", "title": "title", "producer": "producer", "category": "cat", "status": "status"}');
INSERT INTO product VALUES (1, 'm-1', 'best tea', 'p', NULL), (2, 'm-1', 'cup', NULL, NULL), (3, 'm-1', 'best pot', 'p', NULL), (4, 'm-1', 'jar', 'p', 'clothes'), (5, 'm-2', 'best jar', 'p', NULL);
CREATE ROLE regress_admin; CREATE ROLE "regress shop'1"; CREATE ROLE regress_shop_2; CREATE ROLE regress_app; CREATE ROLE regress_reg;
GRANT quality_gov_admin TO regress_admin; GRANT quality_gov_merchant TO "regress shop'1", regress_shop_2;
GRANT quality_gov_app TO regress_app; GRANT quality_gov_regulator TO regress_reg;
GRANT SELECT, UPDATE ON product TO regress_admin;
SELECT merchant_member_add('regress shop''1', 'm-1'), merchant_member_add('regress_shop_2', 'm-2');

-- the merchant files for itself, its application for it, another merchant not
SET ROLE "regress shop'1";
SELECT quality_gov.listing_appeal_file('m-1', 1, 'Best is our brand', '{"certificate": "TM 123"}') AS appeal;
SELECT quality_gov.listing_appeal_file('m-2', 5, 'for a friend');
SET ROLE regress_shop_2;
SELECT quality_gov.listing_appeal_file('m-1', 3, 'not mine');
SELECT quality_gov.listing_appeal_request_person('m-1', 1);
SELECT quality_gov.listing_appeal_withdraw('m-1', 1);
SELECT count(*) AS foreign_appeals FROM quality_gov.listing_appeal;
SET ROLE regress_reg;
SELECT quality_gov.listing_appeal_file('m-1', 3, 'x');
SET ROLE regress_app;
SELECT quality_gov.listing_appeal_file('m-1', 2, 'the producer is on the picture', '["https://example.org/1.png"]') AS appeal;
SELECT quality_gov.listing_appeal_decide('m-1', 2, 'overturned', 'x', 'x');
RESET ROLE;
SELECT listing_id, appeal_id, appeal_state FROM listing_queue WHERE merchant_id = 'm-1';
-- bad filings
SELECT listing_appeal_file('m-1', 1, 'twice');
SELECT listing_appeal_file('m-1', 3, '  ');
SELECT listing_appeal_file('m-1', 3, 'x', '"text"');
SELECT listing_appeal_file('m-1', 99, 'x');
SELECT listing_appeal_file('m-1', 4, 'nothing was done');

-- decided automatically; the party asks for a person; from then on only a person can
SET ROLE regress_admin;
SELECT quality_gov.listing_appeal_request_person('m-1', 1);
SELECT quality_gov.listing_appeal_decide('m-1', 1, 'upheld', 'the term is listed', 'model appeals-2', true);
SELECT quality_gov.listing_appeal_decide('m-1', 1, 'upheld', 'again', 'ann');
SET ROLE "regress shop'1";
SELECT quality_gov.listing_appeal_withdraw('m-1', 1);
SELECT quality_gov.listing_appeal_request_person('m-1', 1);
SELECT quality_gov.listing_appeal_request_person('m-1', 1);
SET ROLE regress_admin;
SELECT quality_gov.listing_appeal_decide('m-1', 1, 'upheld', 'the term is listed', 'model appeals-2', true);
-- overturned: the event is taken back, the listing released and set free
SELECT quality_gov.listing_appeal_decide('m-1', 1, 'overturned', 'a registered mark', 'ann', status => 'live') AS rows_freed;
SELECT quality_gov.listing_appeal_decide('m-1', 1, 'upheld', 'changed my mind', 'ann');
RESET ROLE;
SELECT id, status FROM product WHERE id = 1;
SELECT bad, void FROM credit_event WHERE merchant_id = 'm-1' AND ref = '1' ORDER BY event_id;
SELECT reviewer, outcome, reasons FROM listing_review WHERE decision_id = 1;
SELECT state, outcome, reasons, decided_by, role <> '' AS role FROM listing_appeal_step WHERE appeal_id = 1 ORDER BY step_id;
SELECT subject, body ->> 'state' AS state, body ->> 'outcome' AS outcome FROM ledger_entry WHERE kind = 'listing_appeal' ORDER BY entry_id;
UPDATE listing_appeal_step SET reasons = '';
\echo :LAST_ERROR_SQLSTATE
-- a warning has nothing to release; partly changes nothing by itself; decided automatically for the party is the end
SELECT listing_appeal_decide('m-1', 2, 'overturned', 'it is there', 'model appeals-2', true, 'live') AS rows_freed;
SELECT sum(bad) AS bad FROM credit_event WHERE merchant_id = 'm-1' AND ref = '2' GROUP BY ref;
SELECT listing_appeal_request_person('m-1', 2);
SELECT listing_appeal_file('m-1', 3, 'half of it') AS appeal \gset
SELECT listing_appeal_decide('m-1', :appeal, 'partly', 'the second finding falls', 'ann', status => 'live') AS rows_freed;
SELECT (SELECT count(*) FROM credit_event WHERE void) AS voids, (SELECT status FROM product WHERE id = 3) AS status;
-- an appeal withdrawn may be filed again
SET ROLE regress_shop_2;
SELECT quality_gov.listing_appeal_file('m-2', 5, 'x') AS appeal \gset
SELECT quality_gov.listing_appeal_withdraw('m-2', :appeal);
SELECT quality_gov.listing_appeal_file('m-2', 5, 'y') AS appeal \gset
SELECT merchant_id, grounds, state FROM quality_gov.listing_appeal ORDER BY 1;
SELECT count(*) FROM quality_gov.listing_appeal_step;
RESET ROLE;
-- a listing that was confirmed in review and is overturned on appeal is released; one changed since is not
SELECT listing_review_decide('m-2', 5, 'confirm', 'a claim');
SELECT listing_appeal_decide('m-2', :appeal, 'overturned', 'no claim', 'ann', status => 'live') AS rows_freed;
SELECT status FROM product WHERE id = 5;
INSERT INTO product VALUES (6, 'm-2', 'best bowl', NULL);
SELECT listing_appeal_file('m-2', decision_id, 'z') AS appeal FROM listing_decision WHERE listing_id = '6' \gset
UPDATE product SET title = 'best bowl', producer = 'p' WHERE id = 6;
SELECT listing_appeal_decide('m-2', :appeal, 'overturned', 'no claim', 'ann', status => 'live') AS rows_freed;
SELECT status, (SELECT count(*) FROM credit_event WHERE ref = '6' AND void) AS voids FROM product WHERE id = 6;

-- a refused attempt is stated and appealed against, too; overturned, the same may be written again, by this merchant
SELECT listing_rule_add('worst', 'required', '{"fields": ["title"]}', 'deny', 'untitled', 'law', 'low', effective => '2026-01-01');
INSERT INTO product VALUES (7, 'm-1', ' ', 'p');
\echo :LAST_ERROR_SQLSTATE
SELECT listing_denial_drain() AS recorded;
SET ROLE "regress shop'1";
SELECT quality_gov.listing_denial_statement('m-1', denial_id, 'en') ~ 'Reference: R1\n.*Field "title" is missing.*untitled.*basis: law.*The listing is not published.*You may appeal' AS stated,
       quality_gov.listing_denial_appeal('m-1', denial_id, 'a picture says it') AS appeal FROM quality_gov.listing_denial \gset
SELECT :'stated' AS stated;
SELECT quality_gov.listing_denial_appeal('m-1', 1, 'again');
SELECT quality_gov.listing_denial_appeal('m-1', 99, 'x');
SELECT quality_gov.listing_denial_statement('m-2', 1);
RESET ROLE;
SELECT listing_appeal_decide('m-1', :appeal, 'overturned', 'it does', 'ann') AS rows_freed;
SELECT rule, listing_id, finding FROM listing_exception WHERE rule = 'worst';
SELECT sum(bad) AS bad, count(*) AS events FROM credit_event WHERE ref = '7';
INSERT INTO product VALUES (8, 'm-1', ' ', 'p') RETURNING status;
INSERT INTO product VALUES (9, 'm-2', ' ', 'p');
\echo :LAST_ERROR_SQLSTATE

-- bad decisions
SELECT listing_appeal_decide('m-1', 99, 'upheld', 'x', 'ann');
SELECT listing_appeal_decide('m-1', 1, 'maybe', 'x', 'ann');
SELECT listing_appeal_decide('m-1', 1, 'upheld', '', 'ann');
SELECT listing_appeal_decide('m-1', 1, 'upheld', 'x', NULL);
-- a period that the platform set has ended; an administrator may still file
INSERT INTO duty_rule (duty, title, amount, unit, effect, legal_basis) VALUES ('listing_appeal', 'appeal', 1, 'hour', '(,)', 'our rules');
INSERT INTO listing_decision (merchant_id, relation, operation, at, verdict, guard_mode, role, recorded_at)
VALUES ('m-2', 'public.product', 'INSERT', '2026-11-01', 'warn', 'enforce', 'x', '2026-11-01 00:00+00') RETURNING decision_id AS late \gset
SET ROLE regress_shop_2;
\set VERBOSITY sqlstate
SELECT quality_gov.listing_appeal_file('m-2', :late, 'late');
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
SET ROLE regress_admin;
SELECT quality_gov.listing_appeal_file('m-2', :late, 'late') IS NOT NULL AS filed;
RESET ROLE;
-- of events that are alike no more are taken back than there are
SELECT count(credit_event_add('m-1', 'listing', 'high', '2026-11-03', 't', 'x')) AS added FROM generate_series(1, 2);
SELECT credit_event_void('m-1', 'listing', 'low', '2026-11-03', 't', 'x') AS of_low, credit_event_void('m-1', 'listing', 'high', '2026-11-04', 't', 'x') AS of_another_day;
SELECT credit_event_void('m-1', 'listing', 'high', '2026-11-03', 't', 'x') AS one;
SELECT credit_event_void('m-1', 'listing', 'high', '2026-11-03', 't', 'x') AS two;
SELECT credit_event_void('m-1', 'listing', 'high', '2026-11-03', 't', 'x') AS three;
-- appeals and reviews go with what they are about
INSERT INTO listing_decision (merchant_id, relation, listing_id, operation, at, verdict, guard_mode, role, recorded_at)
VALUES ('m-2', 'public.product', 'old', 'INSERT', '2020-01-01', 'quarantine', 'enforce', 'x', '2020-01-01 00:00+00') RETURNING decision_id AS old \gset
INSERT INTO listing_denial (merchant_id, relation, operation, at, verdict, guard_mode, role, findings, attempted_at, recorded_at)
VALUES ('m-2', 'public.product', 'INSERT', '2020-01-01', 'deny', 'enforce', 'x', '[]', '2020-01-01', '2020-01-01 00:00+00') RETURNING denial_id AS denied \gset
SELECT count(listing_appeal_file('m-2', :old, 'x')), count(listing_denial_appeal('m-2', :denied, 'x')), count(listing_review_decide('m-2', :old, 'confirm', 'x')) FROM (SELECT) once;
SELECT (SELECT count(*) FROM listing_appeal) AS appeals, (SELECT count(*) FROM listing_appeal_step) AS steps, (SELECT count(*) FROM listing_review) AS reviews \gset before_
-- not while they are open, nor before they are old themselves
SELECT listing_retire() AS decisions, listing_denial_retire() AS denials;
SELECT listing_appeal_decide('m-2', appeal_id, 'upheld', 'x', 'ann') FROM listing_appeal WHERE decision_id = :old OR denial_id = :denied;
SELECT listing_retire() AS decisions, listing_denial_retire() AS denials;
ALTER TABLE listing_appeal_step DISABLE TRIGGER listing_appeal_step_append_only;
UPDATE listing_appeal_step s SET at = '2020-02-01' FROM listing_appeal a
WHERE a.merchant_id = s.merchant_id AND a.appeal_id = s.appeal_id AND (a.decision_id = :old OR a.denial_id = :denied);
ALTER TABLE listing_appeal_step ENABLE TRIGGER listing_appeal_step_append_only;
SELECT listing_retire() AS decisions, listing_denial_retire() AS denials;
UPDATE listing_review SET assigned_at = '2020-01-02', decided_at = '2020-01-02' WHERE decision_id = :old;
SELECT listing_retire() AS decisions;
SELECT :before_appeals - (SELECT count(*) FROM listing_appeal) AS appeals, :before_steps - (SELECT count(*) FROM listing_appeal_step) AS steps,
       :before_reviews - (SELECT count(*) FROM listing_review) AS reviews;
DELETE FROM listing_appeal_step;
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM credit_check();
SELECT * FROM integrity_check();
DROP TABLE product;
DROP EXTENSION quality_gov;
DROP ROLE regress_admin, "regress shop'1", regress_shop_2, regress_app, regress_reg;
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$;

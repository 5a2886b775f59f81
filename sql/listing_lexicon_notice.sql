-- notice of a change of a platform rule: long enough before, with a transition (duty D11)
CREATE EXTENSION quality_gov;
SET search_path = quality_gov, public;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
-- the message names the hour
CREATE FUNCTION public.attempt(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE command;
  RETURN 'allowed';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END
$$;
-- 2026-10-01 to 07 are days off, 10-10 is worked
SELECT calendar_load('CN', 2026, '{2026-10-01,2026-10-02,2026-10-05,2026-10-06,2026-10-07}', '{2026-10-10}', 'test');

-- the day of the notice does not count; a term that would end on a day off ends on the next working day
SELECT at, weighty, t.* FROM (VALUES
  ('2026-03-02 00:00'::timestamptz), ('2026-03-02 23:59:59'), ('2026-03-01 09:00'), ('2026-09-25 09:00'), ('2026-10-03 09:00'),
  ('2026-01-31 23:59'), ('2026-02-01'), ('2018-12-31')) v (at), unnest('{f,t}'::boolean[]) weighty, listing_notice_term(weighty, at) t
ORDER BY at, weighty;
SELECT (listing_notice_term()).earliest BETWEEN now() + '7 days' AND now() + '20 days' AS from_now;

-- to the second
SELECT listing_notice_add('rule', 'words', 1, '2026-03-10 00:00', transition => 'immediate', at => '2026-03-02 10:00', source => 'home page');
SELECT listing_notice_add('rule', 'words', 1, '2026-03-09 23:59:59', transition => 'immediate', at => '2026-03-02 10:00', source => 'home page');
SELECT listing_notice_add('rule', 'words', 2, '2026-03-18 00:00', true, 'old_listings_keep', at => '2026-03-02 10:00', source => 'home page');
SELECT listing_notice_add('rule', 'words', 2, '2026-03-17 23:59:59', true, 'old_listings_keep', at => '2026-03-02 10:00', source => 'home page');
SELECT listing_notice_add('rule', 'words', 3, '2026-03-10', transition => 'grace_period', until => '2026-04-10', summary => 'No superlatives', at => '2026-03-02', source => 's');
-- the notice given now
SELECT attempt($$SELECT listing_notice_add('rule', 'words', 4, now() + '7 days', transition => 'immediate')$$);
SELECT listing_notice_add('rule', 'words', 4, (listing_notice_term()).earliest, transition => 'immediate') IS NOT NULL AS accepted;
SELECT listing_notice_add('rule', 'words', 4, now() + '30 days', true, 'old_listings_until', now() + '60 days') IS NOT NULL AS accepted;

-- refused: no transition, unknown, not for a weighty change, end missing, superfluous, too early
\set add 'SELECT listing_notice_add(''rule'', ''words'', 5, ''2026-06-01'', at => ''2026-03-02'', source => ''s'', '
:add weighty => false);
:add transition => 'at_once');
:add weighty => true, transition => 'at_once');
:add weighty => true, transition => 'immediate');
:add transition => 'grace_period');
:add transition => 'immediate', until => '2026-07-01');
:add transition => 'grace_period', until => '2026-06-01');
:add transition => 'grace_period', until => 'infinity');
:add weighty => NULL, transition => 'immediate');
SELECT listing_notice_add('rule', 'words', 5, '2026-06-01', transition => 'immediate', at => '2020-03-02');
SELECT listing_notice_add('rule', 'words', 5, 'infinity', transition => 'immediate');
SELECT listing_notice_add('law', 'words', 5, '2026-06-01', transition => 'immediate');
SELECT listing_notice_add(NULL, 'words', 5, '2026-06-01', transition => 'immediate');
SELECT listing_notice_add('rule', '', 5, '2026-06-01', transition => 'immediate');
SELECT listing_notice_add('rule', 'words', 0, '2026-06-01', transition => 'immediate');
SELECT listing_notice_add('lexicon', 'none', 1, '2026-06-01', transition => 'immediate', at => '2026-03-02', source => 's');
-- a platform's own way, and the shipped ones stay
INSERT INTO listing_transition VALUES ('at_once', 'Applies at once; many are concerned, none heavily', false, true, 'our policy');
:add weighty => true, transition => 'at_once');
UPDATE listing_transition SET weighty = true WHERE transition = 'immediate';

-- a lexicon's version that changes a rule: announced first, then published as announced
SELECT lexicon_load('ads', '{国家级}'), lexicon_publish('ads', 1, '2026-01-01');
SELECT lexicon_load('ads', '{最佳}');
SELECT listing_notice_add('lexicon', 'ads', 2, '2026-03-18', true, 'old_listings_keep', summary => 'No superlatives', at => '2026-03-02', source => 's') AS notice \gset
SELECT lexicon_publish('ads', 2, '2026-03-17');
SELECT lexicon_publish('ads', 2, '2026-03-18', transition => 'immediate');
SELECT lexicon_publish('ads', 2, '2026-03-18', weighty => false);
BEGIN;
SELECT lexicon_load('ads', '{最好}', draft => 2);
SELECT lexicon_publish('ads', 2, '2026-03-18');
ROLLBACK;
SELECT lexicon_publish('ads');
SELECT effect, notice_id = :notice AS by_notice FROM lexicon WHERE version = 2;
-- in one step
SELECT lexicon_load('ads', '{顶级}');
SELECT lexicon_publish('ads', 3, platform_rule => true);
SELECT attempt($$SELECT lexicon_publish('ads', 3, now() + '3 days', platform_rule => true, transition => 'immediate')$$);
SELECT lexicon_publish('ads', 3, now() + '30 days', transition => 'immediate');
SELECT lexicon_publish('ads', 3, now() + '30 days', platform_rule => true, weighty => true, transition => 'grace_period',
  transition_until => now() + '60 days', summary => 'No top') AS published;
-- terms that change no rule need no notice, and a trial changes none
SELECT lexicon_load('ads', '{极品}'), lexicon_publish('ads', 4, '2026-03-18', 'shadow');
SELECT version, state, notice_id IS NOT NULL AS announced FROM lexicon WHERE NOT builtin ORDER BY version;
SELECT lexicon_publish('ads', 4, state => 'shadow', transition => 'immediate');
SELECT listing_notice_add('lexicon', 'ads', 2, '2026-06-01', transition => 'immediate', at => '2026-03-02', source => 's');
SELECT listing_notice_add('lexicon', 'ads', 4, '2026-06-01', transition => 'immediate', at => '2026-03-02', source => 's') IS NOT NULL AS of_one_on_trial;
SELECT * FROM lexicon_check();

-- a version whose notice says something else is found
BEGIN;
INSERT INTO lexicon (lexicon, version, state, folds, effect, published_at, digest, notice_id)
SELECT 'other', 1, 'active', '{}', '[2026-03-18,)', now(), '\x00', :notice;
SELECT * FROM lexicon_check() ORDER BY reason;
ROLLBACK;

-- what merchants read; the newest of a version counts
SELECT kind, name, version, summary, announced_at, effective, transition, transition_title, transition_until, source, replaced
FROM listing_notice_public WHERE (name, version) NOT IN (('words', 4), ('ads', 3)) ORDER BY notice_id;
SELECT name, version, replaced FROM listing_notice_public WHERE (name, version) IN (('words', 4), ('ads', 3)) ORDER BY notice_id;
SELECT DISTINCT exit FROM listing_notice_public;
SELECT listing_notice_add('rule', 'past', 1, '2020-06-01', transition => 'immediate', at => '2020-03-02', source => 's') IS NOT NULL AS never_published,
  lexicon_load('past', '{a}'), listing_notice_add('lexicon', 'past', 1, '2020-06-01', transition => 'grace_period', until => now() + '1 day',
    at => '2020-03-02', source => 's') IS NOT NULL AS in_transition, lexicon_publish('past'),
  lexicon_load('past', '{a}'), listing_notice_add('lexicon', 'past', 2, '2020-06-02', transition => 'immediate',
    at => '2020-03-02', source => 's') IS NOT NULL AS nothing_left, lexicon_publish('past');
SELECT kind, name, version, status FROM listing_notice_due WHERE (name, version) IN (('words', 4), ('ads', 3)) OR name = 'past' ORDER BY notice_id;
SELECT days_required, count(*), count(DISTINCT legal_basis) FROM listing_notice GROUP BY 1 ORDER BY 1;

-- append-only
UPDATE listing_notice SET effective = '2026-03-01';
DELETE FROM listing_notice;
TRUNCATE listing_notice;
SELECT subject, body ->> 'kind' AS kind, body ->> 'version' AS version, body ->> 'transition' AS transition FROM ledger_entry
WHERE kind = 'listing_notice' ORDER BY entry_id;
SELECT body ->> 'version' AS version, (body ->> 'notice')::bigint = :notice AS by_notice FROM ledger_entry
WHERE kind = 'lexicon_publish' AND body ->> 'notice' IS NOT NULL ORDER BY entry_id;
DROP FUNCTION public.attempt;
DROP EXTENSION quality_gov;

-- Points tracks: year ends, windows, what is carried over, the steps of a ladder and the warnings before them.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
INSERT INTO merchant (merchant_id, name, kind, uscc, admitted_at) VALUES
  ('m-1', 'a', 'company', '91110000600037341L', '2025-01-01'), ('m-2', 'b', 'company', '91350100M000100Y43', '2025-01-01'),
  ('m-3', 'c', 'company', '9144030071526726XG', '2025-01-01');
SELECT track, reset, carry, ladder FROM violation_track ORDER BY 1;
SELECT step, measure, threshold, warn_before, duration, restricts FROM sanction_ladder WHERE ladder = 'points' ORDER BY 1;

-- up the ladder: nothing, a warning 5 points before, a step, one entry that reaches two steps
SELECT total, cardinality(warnings) AS warned, cardinality(sanctions) AS sanctioned FROM violation_record('m-1', 'general', 6, 'late_dispatch', '12 parcels late', 'rules 3.1', at => '2026-03-01 10:00');
SELECT total, cardinality(warnings) AS warned, cardinality(sanctions) AS sanctioned FROM violation_record('m-1', 'general', 1, 'late_dispatch', '2 parcels late', 'rules 3.1', at => '2026-03-02 10:00');
SELECT total, cardinality(warnings) AS warned, cardinality(sanctions) AS sanctioned FROM violation_record('m-1', 'general', 4.5, 'late_dispatch', '9 parcels late', 'rules 3.1', at => '2026-03-03 10:00');
SELECT total, cardinality(warnings) AS warned, cardinality(sanctions) AS sanctioned FROM violation_record('m-1', 'general', 0.5, 'late_dispatch', '1 parcel late', 'rules 3.1', at => '2026-03-04 10:00');
SELECT total, cardinality(warnings) AS warned, cardinality(sanctions) AS sanctioned FROM violation_record('m-1', 'general', 24, 'not_as_described', 'copper sold as silver', 'rules 4.2', '{"inspection": 7}', at => '2026-03-20 10:00');
SELECT violation_id, track, step, measure, points, threshold, at FROM violation_warning ORDER BY warning_id;
SELECT sanction_id, step, measure, points, violation_id, facts, reasons, legal_basis, at, effect, restricts, automatic FROM sanction ORDER BY sanction_id;
-- merchant_may() enforces them, over their periods
SELECT t, a, allowed, reasons, until FROM unnest('{2026-03-10,2026-03-20 10:00,2026-04-10,2026-04-20}'::timestamptz[]) t, unnest('{list,sell}'::text[]) a, merchant_may('m-1', a, NULL, t);
-- as known at any instant: before, between, after the year end
SELECT t, p.* FROM unnest('{2026-03-01 09:59:59,2026-03-02 10:00,2026-03-03 10:00,2026-03-20 10:00,2026-12-31 23:59:59.999999,2027-01-01}'::timestamptz[]) t,
  violation_points('m-1', t) p WHERE track = 'general' ORDER BY t;
-- the last moment of a year and the first of the next
SELECT total FROM violation_record('m-2', 'serious', 10, 'r', 'f', 'b', at => '2026-12-31 23:59:59.999999');
SELECT total FROM violation_record('m-2', 'serious', 3, 'r', 'f', 'b', at => '2027-01-01 00:00');
SELECT count(*) AS sanctions FROM sanction WHERE merchant_id = 'm-2';
-- found in the new year, of the old one: it counts there, and reaches nothing now
SELECT total, sanctions FROM violation_record('m-2', 'serious', 12, 'r', 'f', 'b', at => '2027-01-05', happened_at => '2026-12-30');
SELECT t, known, points, step FROM (VALUES ('2026-12-31'::timestamptz, NULL::timestamptz), ('2026-12-31', '2027-01-05'), ('2027-01-05', NULL)) x(t, known), violation_points('m-2', t, known) WHERE track = 'serious';

-- counterfeits: 24 <= N < 48 is carried into the next year, again and again; less and more is not
SELECT count(*) AS carried FROM violation_record('m-2', 'counterfeit', 24, 'fake', 'f', 'b', at => '2027-05-01');
SELECT count(*) AS below FROM violation_record('m-3', 'counterfeit', 23.9, 'fake', 'f', 'b', at => '2026-05-01');
SELECT merchant_id, t, points, step, next_step, resets_at FROM unnest('{m-2,m-3}'::text[]) merchant_id, unnest('{2026-12-31,2027-12-31,2028-01-01,2029-01-01}'::timestamptz[]) t,
  violation_points(merchant_id, t) WHERE track = 'counterfeit' ORDER BY 1, 2;
SELECT total, cardinality(sanctions) AS sanctioned FROM violation_record('m-2', 'counterfeit', 23.9, 'fake', 'f', 'b', at => '2028-02-01');
SELECT total, cardinality(sanctions) AS sanctioned FROM violation_record('m-2', 'counterfeit', 0.1, 'fake', 'f', 'b', at => '2029-02-01');
SELECT t, points, step, next_step, resets_at FROM unnest('{2028-12-31,2029-01-31,2029-12-31,2030-01-01}'::timestamptz[]) t, violation_points('m-2', t) WHERE track = 'counterfeit';
SELECT measure, effect FROM sanction WHERE merchant_id = 'm-2' AND track = 'counterfeit' ORDER BY sanction_id;

-- a platform's own track with a window, on a ladder of its own; the step may be reached again when points have lapsed
INSERT INTO sanction_ladder (ladder, step, measure, title, threshold, warn_before, duration, restricts, effect, legal_basis) VALUES
  ('ours', 1, 'pause', 'Pause', 6, 2, '1 day', '{live}', '[2026-01-01,)', 'rules 9');
INSERT INTO violation_track (track, title, reset, counted, ladder, effect, legal_basis) VALUES
  ('service', 'Service', 'window', '90 days', 'ours', '[2026-01-01,)', 'rules 9'), ('general', 'General', 'window', '90 days', 'ours', '[2030-01-01,)', 'rules 9');
SELECT total, cardinality(warnings) AS warned, cardinality(sanctions) AS sanctioned FROM violation_record('m-3', 'service', 4, 'rude', 'f', 'b', at => '2026-06-01 08:00');
SELECT total, cardinality(warnings) AS warned, cardinality(sanctions) AS sanctioned FROM violation_record('m-3', 'service', 3, 'rude', 'f', 'b', at => '2026-08-30 07:59:59');
SELECT t, points, next_step, points_to_next, warned, resets_at FROM unnest('{2026-08-30 07:59:59,2026-08-30 08:00,2026-11-28 07:59:58,2026-11-28 07:59:59}'::timestamptz[]) t, violation_points('m-3', t) WHERE track = 'service';
SELECT total, cardinality(warnings) AS warned, cardinality(sanctions) AS sanctioned FROM violation_record('m-3', 'service', 3, 'rude', 'f', 'b', at => '2026-09-15');
SELECT measure, points, effect FROM sanction WHERE merchant_id = 'm-3' AND track = 'service' ORDER BY sanction_id;
-- what a year end has cleared stays cleared when the track changes to a window; the window then passes over year ends
SELECT total FROM violation_record('m-1', 'general', 8, 'r', 'f', 'b', at => '2029-12-20');
SELECT total FROM violation_record('m-1', 'general', 5, 'r', 'f', 'b', at => '2030-12-20');
SELECT t, points FROM unnest('{2029-12-31,2030-01-05,2031-01-05,2031-04-01}'::timestamptz[]) t, violation_points('m-1', t) WHERE track = 'general';
-- the same in any time zone
SET timezone = 'America/New_York';
SELECT track, points FROM violation_points('m-3', '2026-08-30 08:00+08') WHERE track = 'service';
SELECT track, points FROM violation_points('m-1', '2026-12-31 23:30+08') WHERE track = 'general';
SET timezone = 'Asia/Shanghai';

-- called again with the same reference it is the same entry
SELECT total, violation_id = (SELECT max(violation_id) FROM violation) AS newest FROM violation_record('m-3', 'general', 2, 'r', 'f', 'b', ref => 'case 1', at => '2026-10-01');
SELECT total, violation_id = (SELECT max(violation_id) FROM violation) AS newest, (SELECT count(*) FROM violation WHERE merchant_id = 'm-3') AS entries FROM violation_record('m-3', 'general', 2, 'r', 'f', 'b', ref => 'case 1', at => '2026-10-02');
SELECT violation_record('m-3', 'general', 3, 'r', 'f', 'b', ref => 'case 1', at => '2026-10-02');
-- also when it is repeated as of the first time, for all that was decided since
SELECT violation_id = (SELECT max(violation_id) FROM violation) AS newest FROM violation_record('m-3', 'general', 2, 'r', 'f', 'b', ref => 'case 1', at => '2026-09-30');
-- refused
SELECT violation_record('ghost', 'general', 1, 'r', 'f', 'b');
SELECT violation_record('m-3', 'speeding', 1, 'r', 'f', 'b', at => '2026-10-02');
SELECT violation_record('m-3', 'general', -1, 'r', 'f', 'b');
SELECT violation_record('m-3', 'general', 'NaN', 'r', 'f', 'b');
SELECT violation_record('m-3', 'general', 1, 'r', ' ', 'b');
SELECT violation_record('m-3', 'general', 1, 'r', 'f', 'b', '"text"');
SELECT violation_record('m-3', 'general', 1, 'r', 'f', 'b', at => '2026-10-03', happened_at => '2026-10-04');
SELECT violation_record('m-3', 'general', 1, 'r', 'f', 'b', at => '2026-09-01');
SELECT violation_record('m-3', 'general', 1, 'r', 'f', 'b', at => 'infinity');
SELECT violation_points('m-3', '9999-01-01');
SELECT violation_points('ghost');
UPDATE violation SET points = 0;
\echo :LAST_ERROR_SQLSTATE
DELETE FROM violation_warning;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO violation_track (track, title, reset, ladder, effect, legal_basis) VALUES ('x', 't', 'window', 'ours', '[2026-01-01,)', 'b');
INSERT INTO violation_track (track, title, reset, counted, ladder, effect, legal_basis) VALUES ('x', 't', 'window', '292000 years', 'ours', '[2026-01-01,)', 'b');
INSERT INTO sanction_ladder (ladder, step, measure, title, threshold, duration, effect, legal_basis) VALUES ('ours', 9, 'x', 't', 9, '292000 years', '[2026-01-01,)', 'b');
UPDATE violation_track SET carry = NULL;
UPDATE sanction_ladder SET threshold = 1;

-- nothing is enforced that does not follow, the record has it all, and the score knows of it where a model does
SELECT * FROM sanction_check();
SELECT kind, count(*) FROM ledger_entry GROUP BY 1 ORDER BY 1;
SELECT count(*) AS events FROM credit_event WHERE source = 'violation' AND NOT EXISTS (SELECT FROM credit_severity s WHERE s.indicator = 'violation');
DROP EXTENSION quality_gov;

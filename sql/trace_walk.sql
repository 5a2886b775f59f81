-- Where a lot went and what it came from: rows, limits, cycles, paths, and what is refused to whom.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
-- flour 1, salt 2, dough 3 (of both), 4 and 5 (of dough), 6 (of 4, 5 and salt); 7 on its own; sources said twice
INSERT INTO lot (gtin, lot_code, quantity, unit) SELECT '6901234567892', 'L' || g, 100, 'KGM' FROM generate_series(1, 9) g;
INSERT INTO lot_link (parent, child, source, quantity) VALUES (1, 3, 0, 10), (1, 3, 5, 2.5), (2, 3, 0, NULL), (2, 3, 5, 0.25),
  (3, 4, 0, 4), (3, 5, 0, NULL), (4, 6, 0, 1), (5, 6, 0, 2), (2, 6, 0, 0.125);
SELECT * FROM trace_forward(1);
SELECT * FROM trace_forward(2);
SELECT * FROM trace_backward(6);
SELECT trace_forward_count(1), trace_forward_count(1, 1), trace_backward_count(6), trace_backward_count(6, 1), trace_forward_count(7), trace_backward_count(1);
-- a lot without links
SELECT * FROM trace_forward(7);
SELECT * FROM trace_backward(1);

-- a limit is seen: in more, on the lots that lead further, and in truncated, on every row
SELECT * FROM trace_forward(1, 1);
SELECT * FROM trace_forward(1, max_depth => 2);
SELECT * FROM trace_forward(1, 3);
SELECT * FROM trace_forward(1, max_rows => 1);
SELECT * FROM trace_forward(2, max_rows => 1);
SELECT * FROM trace_forward(2, max_rows => 4);
SELECT * FROM trace_forward(1, 2147483647, 9223372036854775807) LIMIT 1;

-- a path, the shortest; none the other way
SELECT * FROM trace_path(2, 6);
SELECT * FROM trace_path(1, 6);
SELECT * FROM trace_path(6, 1);
SELECT * FROM trace_path(7, 7);
SELECT trace_path_lots(1, 6);

-- cycles are reported and not followed
INSERT INTO lot_link (parent, child, quantity) VALUES (6, 3, 1);
SELECT * FROM trace_forward(1);
SELECT lot, depth, via, cycle FROM trace_forward(3);
SELECT lot, depth, via, cycle FROM trace_backward(3);
SELECT * FROM trace_path(3, 3);
SELECT * FROM trace_cycle() ORDER BY lot;
SELECT lot, cycle FROM trace_forward(3, 2);
DELETE FROM lot_link WHERE parent = 6;
SELECT * FROM trace_cycle();

-- links to lots that are not there are followed all the same: trace_check() lists them
INSERT INTO lot_link (parent, child) VALUES (9, 1000), (1000, 9223372036854775807), (-9223372036854775808, 9);
SELECT lot, depth, via FROM trace_forward(-9223372036854775808);
SELECT lot, depth, via FROM trace_backward(9223372036854775807);
SELECT * FROM trace_path(1000, 1);

-- bad input
SELECT * FROM trace_forward(NULL);
SELECT * FROM trace_backward(NULL);
SELECT trace_forward_count(NULL);
SELECT * FROM trace_path(NULL, 1);
SELECT * FROM trace_path(1, NULL);
SELECT * FROM trace_forward(1, 0);
SELECT * FROM trace_forward(1, -1);
SELECT * FROM trace_backward(1, NULL, 0);
SELECT trace_backward_count(1, 0);
SELECT * FROM trace_forward(10);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM trace_backward(-10);
SELECT trace_forward_count(10);
SELECT * FROM trace_path(10, 1);
SELECT * FROM trace_path(1, 10);

-- an index that is not the one it was is not read
BEGIN;
ALTER TABLE lot_link DROP CONSTRAINT lot_link_pkey;
SELECT * FROM trace_forward(1);
ROLLBACK;
BEGIN;
DROP INDEX lot_link_child_parent;
CREATE INDEX lot_link_child_parent ON lot_link (child);
SELECT * FROM trace_backward(1);
ROLLBACK;
BEGIN;
DROP INDEX lot_link_child_parent;
CREATE INDEX lot_link_child_parent ON lot_link (child DESC, parent) INCLUDE (quantity);
SELECT * FROM trace_backward(1);
ROLLBACK;
BEGIN;
DROP INDEX lot_link_child_parent;
CREATE INDEX lot_link_child_parent ON lot_link (parent, child) INCLUDE (quantity);
SELECT * FROM trace_backward(1);
ROLLBACK;
BEGIN;
DROP INDEX lot_link_child_parent;
CREATE INDEX lot_link_child_parent ON lot_link (child, parent) INCLUDE (quantity) WHERE quantity > 1;
SELECT * FROM trace_backward(1);
ROLLBACK;
REINDEX TABLE lot_link;
SELECT count(*) FROM trace_forward(1);

-- rights: the function is what is granted, not the table; merchants have neither
SELECT count(*) FROM roles_create();
CREATE ROLE regress_reader;
SET ROLE regress_reader;
SELECT quality_gov.trace_forward_count(1);
RESET ROLE;
CREATE FUNCTION may(role name) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(p.proname::text, ' ' ORDER BY p.oid) FROM pg_proc p
  WHERE p.pronamespace = 'quality_gov'::regnamespace AND p.proname ~ '^trace_(for|back|path|cyc|check|bal|link_c|event_c)' AND has_function_privilege(role, p.oid, 'EXECUTE')
$$;
SELECT r, may(r) FROM unnest('{quality_gov_admin,quality_gov_app,quality_gov_analyst,quality_gov_regulator,quality_gov_merchant,regress_reader}'::name[]) r;
GRANT quality_gov_analyst TO regress_reader;
SET ROLE regress_reader;
SELECT quality_gov.trace_forward_count(1), (SELECT count(*) FROM quality_gov.trace_backward(6)) AS backward, (SELECT count(*) FROM quality_gov.trace_path(1, 6)) AS path;
SELECT count(*) FROM quality_gov.lot_link;
RESET ROLE;
DROP FUNCTION may;
DROP EXTENSION quality_gov;
DROP ROLE regress_reader;
DO $$ BEGIN
  DROP ROLE quality_gov_admin, quality_gov_app, quality_gov_analyst, quality_gov_regulator, quality_gov_merchant;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$;

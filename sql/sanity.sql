-- What must be so of every object of the extension; each query expects nothing.
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;

-- operator classes that do not hold together
SELECT opcname FROM pg_opclass WHERE opcnamespace = 'quality_gov'::regnamespace AND NOT amvalidate(oid);

-- members without a comment
SELECT pg_describe_object(d.classid, d.objid, 0)
FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'quality_gov') AND d.deptype = 'e'
  AND obj_description(d.objid, d.classid::regclass::name) IS NULL
  AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = d.objid AND d.classid = 'pg_class'::regclass AND c.relkind NOT IN ('r', 'v'))
  AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = d.objid AND d.classid = 'pg_type'::regclass AND (t.typrelid <> 0 OR t.typelem <> 0 AND t.typlen = -1))
ORDER BY 1;

-- functions that run SQL and do not pin their search path (BEGIN ATOMIC is bound already; procedures that commit cannot)
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'quality_gov'::regnamespace AND l.lanname IN ('plpgsql', 'sql') AND p.prosqlbody IS NULL AND p.prokind <> 'p'
  AND (p.proconfig @> '{"search_path=pg_catalog, quality_gov, pg_temp"}') IS NOT TRUE ORDER BY 1;

-- SECURITY DEFINER in C, where the search path is not pinned by the declaration
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'quality_gov'::regnamespace AND l.lanname = 'c' AND p.prosecdef;

-- volatility and parallel label: triggers change things, a function that writes cannot run in a worker
SELECT p.oid::regprocedure FROM pg_proc p
WHERE p.pronamespace = 'quality_gov'::regnamespace
  AND (p.prorettype = 'trigger'::regtype AND (p.provolatile <> 'v' OR p.proparallel <> 'u')
       OR p.provolatile = 'v' AND p.proparallel = 's') ORDER BY 1;

-- type input and output: immutable, strict, parallel safe
SELECT p.oid::regprocedure FROM pg_type t JOIN pg_proc p ON p.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend)
WHERE t.typnamespace = 'quality_gov'::regnamespace AND t.typtype = 'b' AND t.typelem = 0
  AND NOT (p.provolatile = 'i' AND p.proisstrict AND p.proparallel = 's');

-- tables without primary key, with foreign keys, or partitioned
SELECT c.oid::regclass FROM pg_class c
WHERE c.relnamespace = 'quality_gov'::regnamespace
  AND (c.relkind = 'p' OR c.relkind = 'r'
       AND (NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p')
            OR EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'))) ORDER BY 1;

-- constraints not named after their table
SELECT conrelid::regclass, conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = 'quality_gov'::regnamespace AND c.relkind = 'r' AND NOT starts_with(conname, relname || '_') ORDER BY 1, 2;

-- tables and sequences that a dump would leave out: accounts and sums of scans are derived, states, kinds and levels are shipped whole, one is of the cluster
SELECT c.oid::regclass FROM pg_class c, pg_extension e
WHERE c.relnamespace = 'quality_gov'::regnamespace AND c.relkind IN ('r', 'S') AND e.extname = 'quality_gov'
  AND NOT c.oid = ANY (e.extconfig) ORDER BY 1;

-- tables with shipped rows that a dump would bring twice, and rows that could be changed and lost
SELECT c.oid::regclass FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'builtin'
CROSS JOIN pg_extension e
WHERE c.relnamespace = 'quality_gov'::regnamespace AND c.relkind = 'r' AND e.extname = 'quality_gov'
  AND e.extcondition[array_position(e.extconfig, c.oid)] IS DISTINCT FROM 'WHERE NOT builtin' ORDER BY 1;

-- triggers on INSERT that do more than stamp, invalidate or refuse; only invalidation and the stamps of events and scans,
-- which are compared with snapshots of this cluster, fire in replication
SELECT t.tgrelid::regclass, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'quality_gov'::regnamespace AND NOT t.tgisinternal
  AND (t.tgtype & 4 > 0 AND t.tgfoid::regproc::text NOT IN (
         'quality_gov.stamp_xid', 'quality_gov.cache_invalidate', 'quality_gov.builtin_protect')
       OR t.tgenabled <> CASE WHEN t.tgfoid::regproc::text = 'quality_gov.cache_invalidate' OR t.tgname IN ('credit_event_stamp', 'passport_scan_stamp')
                       THEN 'A' ELSE 'O' END) ORDER BY 1, 2;

-- views without security_barrier
SELECT c.oid::regclass FROM pg_class c
WHERE c.relnamespace = 'quality_gov'::regnamespace AND c.relkind = 'v'
  AND NOT COALESCE(c.reloptions @> '{security_barrier=true}', false) ORDER BY 1;

-- what PUBLIC may do beyond naming the schema and using the identifiers
SELECT p.oid::regprocedure FROM pg_proc p
WHERE p.pronamespace = 'quality_gov'::regnamespace
  AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0))
  AND (p.prosecdef OR p.proname !~ '^(uscc|gtin|organization_code|registration_number|food_licence|ccc_number|gs1|digital_link)(_|$)')
  AND p.proname NOT IN ('text', 'int8') ORDER BY 1;
SELECT c.oid::regclass FROM pg_class c, aclexplode(c.relacl) a
WHERE c.relnamespace = 'quality_gov'::regnamespace AND a.grantee = 0 ORDER BY 1;

-- rows of the operations tables that name nothing
SET search_path = quality_gov, public;
SELECT task FROM quality_gov.maintenance_task WHERE to_regprocedure(function || '(timestamptz)') IS NULL;
SELECT check_name FROM quality_gov.doctor_check WHERE to_regprocedure(function || '()') IS NULL;
SELECT object FROM quality_gov.role_grant
WHERE CASE object_type WHEN 'TABLE' THEN to_regclass('quality_gov.' || object) IS NULL
                       WHEN 'FUNCTION' THEN to_regprocedure('quality_gov.' || object) IS NULL END;

-- settings outside the extension's prefix, or that a plain user could use against a guard
SELECT name FROM pg_settings WHERE name LIKE 'quality_gov.%' AND context <> 'superuser';
DROP EXTENSION quality_gov;

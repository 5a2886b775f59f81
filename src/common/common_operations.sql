
-- common: the one call a scheduler makes, and the one a DBA makes

CREATE TABLE maintenance_task (
  task text NOT NULL,
  "position" integer NOT NULL,
  function text NOT NULL,
  description text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT maintenance_task_pkey PRIMARY KEY (task)
);
COMMENT ON TABLE maintenance_task IS
  'What maintenance() calls, in the order of position: functions (timestamptz) returning text';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.maintenance_task', 'WHERE NOT builtin');

CREATE TABLE doctor_check (
  check_name text NOT NULL,
  function text NOT NULL,
  description text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT doctor_check_pkey PRIMARY KEY (check_name)
);
COMMENT ON TABLE doctor_check IS
  'What doctor() calls: functions without arguments returning rows (status, subject, detail, hint)';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.doctor_check', 'WHERE NOT builtin');

CREATE FUNCTION maintenance(at timestamptz DEFAULT now(),
                            OUT task text, OUT outcome text, OUT detail text)
  RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  todo quality_gov.maintenance_task;
BEGIN
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'maintenance needs a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'maintenance must run at isolation level read committed'
      USING ERRCODE = 'active_sql_transaction', DETAIL = 'With an older snapshot it would do again what another run has done.';
  END IF;
  -- Of two calls at once the second leaves the work to the first, by a row: an advisory lock is anybody's to take.
  PERFORM FROM quality_gov.maintenance_task m
  WHERE m.task = (SELECT min(x.task) FROM quality_gov.maintenance_task x WHERE x.builtin) FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    task := 'maintenance';
    outcome := 'skipped';
    detail := 'another session is running maintenance';
    RETURN NEXT;
    RETURN;
  END IF;
  FOR todo IN SELECT * FROM quality_gov.maintenance_task m ORDER BY m.position, m.task LOOP
    task := todo.task;
    BEGIN
      IF to_regprocedure(todo.function || '(timestamptz)') IS NULL THEN
        RAISE EXCEPTION 'function %(timestamptz) does not exist', todo.function
          USING ERRCODE = 'undefined_function';
      END IF;
      EXECUTE format('SELECT %s($1)', to_regprocedure(todo.function || '(timestamptz)')::regproc)
        INTO detail USING at;
      outcome := 'done';
    EXCEPTION WHEN OTHERS THEN
      -- One task that fails must not keep the others from their work.
      outcome := 'failed';
      detail := format('%s (%s)', SQLERRM, SQLSTATE);
      RAISE WARNING 'maintenance task "%" failed: %', todo.task, SQLERRM USING ERRCODE = SQLSTATE;
    END;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION maintenance(timestamptz) IS
  'Does everything that is due as of an instant; any scheduler calls it, as often as it likes; one row per task: done, failed or skipped, with detail';

CREATE FUNCTION doctor(OUT check_name text, OUT status text, OUT subject text, OUT detail text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  todo quality_gov.doctor_check;
BEGIN
  FOR todo IN SELECT * FROM quality_gov.doctor_check c ORDER BY c.check_name LOOP
    check_name := todo.check_name;
    BEGIN
      FOR status, subject, detail, hint IN
        EXECUTE format('SELECT * FROM %s()', (todo.function || '()')::regprocedure::regproc) LOOP
        RETURN NEXT;
      END LOOP;
    EXCEPTION WHEN OTHERS THEN
      status := 'problem';
      subject := todo.function;
      detail := format('the check itself failed: %s (%s)', SQLERRM, SQLSTATE);
      hint := NULL;
      RETURN NEXT;
    END;
  END LOOP;
END
$$;
COMMENT ON FUNCTION doctor() IS
  'State of the installation: rows of status ok, warning or problem, with subject, detail and what to do';

CREATE FUNCTION library_version() RETURNS text
  AS 'MODULE_PATHNAME', 'qg_library_version' LANGUAGE c STABLE PARALLEL SAFE;
COMMENT ON FUNCTION library_version() IS 'Version of the loaded library with the ICU and OpenSSL it runs on';

CREATE FUNCTION doctor_installation(OUT status text, OUT subject text, OUT detail text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT 'ok', 'versions', format('SQL %s; library %s; server %s', extversion,
           quality_gov.library_version(), current_setting('server_version')), NULL
  FROM pg_extension WHERE extname = 'quality_gov'
  UNION ALL
  SELECT CASE WHEN count(*) < 5 THEN 'warning' ELSE 'ok' END, 'roles',
         format('%s of 5 roles exist', count(*)),
         CASE WHEN count(*) < 5 THEN 'Run SELECT * FROM quality_gov.roles_create().' END
  FROM pg_roles
  WHERE rolname IN ('quality_gov_admin', 'quality_gov_app', 'quality_gov_analyst',
                    'quality_gov_regulator', 'quality_gov_merchant')
  UNION ALL
  SELECT 'ok', 'cache ' || cache, format('%s, built %s times, %s bytes in this backend',
           CASE WHEN valid THEN 'current' ELSE 'dropped' END, builds, bytes), NULL
  FROM quality_gov.cache_state()
$$;
COMMENT ON FUNCTION doctor_installation() IS 'Check: versions, roles, caches';

CREATE FUNCTION doctor_settings(OUT status text, OUT subject text, OUT detail text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  -- A session that has not loaded the library yet has no setting, and the default.
  SELECT CASE mode WHEN 'enforce' THEN 'ok' ELSE 'problem' END, 'quality_gov.guard_mode', mode,
         CASE mode WHEN 'enforce' THEN NULL ELSE 'Guards do not refuse anything; set it back to "enforce".' END
  FROM COALESCE(current_setting('quality_gov.guard_mode', true), 'enforce') AS mode
  UNION ALL
  SELECT 'problem', 'setting of ' || COALESCE('database ' || d.datname, 'all databases')
           || COALESCE(', role ' || r.rolname, ''), conf,
         'It weakens every guard; reset it with ALTER DATABASE or ALTER ROLE … RESET.'
  FROM pg_db_role_setting s
  CROSS JOIN LATERAL unnest(s.setconfig) conf
  LEFT JOIN pg_database d ON d.oid = s.setdatabase
  LEFT JOIN pg_roles r ON r.oid = s.setrole
  WHERE conf ~ '^(quality_gov\.guard_mode=(?!enforce)|session_replication_role=(?!origin))'
    AND (s.setdatabase = 0 OR d.datname = current_database())
  UNION ALL
  SELECT 'problem', 'setting ' || p.parname, 'granted to ' || COALESCE(r.rolname, 'PUBLIC'),
         format('Run REVOKE SET ON PARAMETER %s.', p.parname)
  FROM pg_parameter_acl p
  CROSS JOIN LATERAL aclexplode(p.paracl) a
  LEFT JOIN pg_roles r ON r.oid = a.grantee
  WHERE p.parname IN ('quality_gov.guard_mode', 'session_replication_role')
    AND NOT COALESCE(r.rolsuper, false)
$$;
COMMENT ON FUNCTION doctor_settings() IS 'Check: settings and grants that weaken governance';

CREATE FUNCTION doctor_guards(OUT status text, OUT subject text, OUT detail text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT CASE WHEN broken.columns IS NOT NULL OR NOT g.enabled THEN 'problem' ELSE 'ok' END,
         format('%s guard of %s', g.kind, g.relation),
         CASE WHEN broken.columns IS NOT NULL THEN 'mapped columns are gone: ' || broken.columns
              WHEN NOT g.enabled THEN 'disabled' ELSE 'enabled' END,
         CASE WHEN broken.columns IS NOT NULL THEN 'Remove the guard and attach it again with the present columns.'
              WHEN NOT g.enabled THEN format('ALTER TABLE %s ENABLE TRIGGER %s.', g.relation, array_to_string(g.triggers, ', ')) END
  FROM quality_gov.guard g
  CROSS JOIN LATERAL (
    SELECT string_agg(m.value, ', ' ORDER BY m.value) AS columns FROM jsonb_each_text(g.mapping) m
    WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = g.relation
                        AND a.attname = (quality_gov.mapping_parse(m.value)).column_name AND NOT a.attisdropped)) broken
$$;
COMMENT ON FUNCTION doctor_guards() IS 'Check: guards that are disabled or whose columns are gone';

INSERT INTO doctor_check VALUES
  ('calendar', 'quality_gov.doctor_calendar', 'Calendars whose current year is not loaded', true),
  ('installation', 'quality_gov.doctor_installation', 'Versions, roles, caches', true),
  ('settings', 'quality_gov.doctor_settings', 'Settings and grants that weaken governance', true),
  ('guards', 'quality_gov.doctor_guards', 'Guards disabled or broken', true);

-- common: roles; the grants themselves are rows, written in one place (report_grants.sql)

CREATE TABLE role_grant (
  role_name text NOT NULL,
  privilege text NOT NULL,
  object_type text NOT NULL,
  object text NOT NULL,
  CONSTRAINT role_grant_pkey PRIMARY KEY (role_name, object_type, object, privilege),
  CONSTRAINT role_grant_privilege CHECK (privilege IN ('SELECT', 'INSERT', 'UPDATE', 'EXECUTE')),
  CONSTRAINT role_grant_object_type CHECK (object_type IN ('TABLE', 'FUNCTION'))
);
COMMENT ON TABLE role_grant IS
  'What each role may do: every grant that roles_create() makes; shipped, not dumped';

CREATE FUNCTION roles_create(OUT role_name text, OUT grants bigint) RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  todo quality_gov.role_grant;
BEGIN
  FOR role_name IN SELECT DISTINCT g.role_name FROM quality_gov.role_grant g ORDER BY 1 LOOP
    IF to_regrole(role_name) IS NULL THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
    END IF;
    grants := 0;
    FOR todo IN SELECT * FROM quality_gov.role_grant g WHERE g.role_name = roles_create.role_name LOOP
      EXECUTE format('GRANT %s ON %s quality_gov.%s TO %I', todo.privilege,
                     CASE todo.object_type WHEN 'FUNCTION' THEN 'ROUTINE' ELSE todo.object_type END, todo.object, role_name);
      grants := grants + 1;
    END LOOP;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION roles_create() IS
  'Creates the roles quality_gov_admin, _app, _analyst, _regulator and _merchant where missing and grants what role_grant lists; idempotent; roles belong to the cluster';

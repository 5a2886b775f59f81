
-- trace: the outbox of notices as workers see it: take, deliver, give up, confirm

CREATE FUNCTION recall_notice_take(n integer DEFAULT 100, lease interval DEFAULT '5 minutes', language text DEFAULT 'zh',
    audiences text[] DEFAULT NULL, at timestamptz DEFAULT clock_timestamp(),
    OUT notice_id bigint, OUT attempt integer, OUT recall_id bigint, OUT occasion text, OUT audience text, OUT recipient text,
    OUT body text, OUT orders jsonb, OUT lease_until timestamptz)
  RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  most integer := quality_gov.recall_notice_setting_value('attempts');
  taken record;
BEGIN
  IF n IS NULL OR n NOT BETWEEN 1 AND 10000 THEN
    RAISE EXCEPTION 'a worker takes from 1 to 10000 notices, found %', COALESCE(n::text, 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF lease IS NULL OR lease NOT BETWEEN '1 second' AND '1 day' THEN
    RAISE EXCEPTION 'a lease is from a second to a day long, found %', COALESCE(lease::text, 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'notices need a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM quality_gov.recall_notice_fill(language, 'notice', '{}'); -- refuses unknown languages
  FOR taken IN
    WITH due AS MATERIALIZED (
      SELECT x.notice_id FROM quality_gov.recall_notice x
      WHERE x.state IN ('pending', 'taken') AND x.due_at <= recall_notice_take.at
        AND (recall_notice_take.audiences IS NULL OR x.audience = ANY (recall_notice_take.audiences))
      ORDER BY x.due_at, x.notice_id LIMIT recall_notice_take.n FOR UPDATE SKIP LOCKED)
    UPDATE quality_gov.recall_notice x
    -- Whoever was lost as often as notices are tried is not waited for again.
    SET state = CASE WHEN x.attempts >= most THEN 'dead' ELSE 'taken' END,
        attempts = LEAST(x.attempts + 1, GREATEST(most, x.attempts)),
        error = CASE WHEN x.state = 'taken' THEN 'the worker did not answer within its lease' ELSE x.error END,
        lease_until = CASE WHEN x.attempts < most THEN recall_notice_take.at + recall_notice_take.lease END,
        due_at = CASE WHEN x.attempts < most THEN recall_notice_take.at + recall_notice_take.lease ELSE x.due_at END
    FROM due WHERE x.notice_id = due.notice_id RETURNING x.*
  LOOP
    CONTINUE WHEN taken.state = 'dead';
    SELECT taken.notice_id, taken.attempts, taken.recall_id, taken.occasion, taken.audience, taken.recipient,
           COALESCE(quality_gov.recall_notice_text(taken.recall_id, taken.round, taken.occasion, taken.audience, recall_notice_take.language),
                    quality_gov.recall_notice_text(taken.recall_id, taken.round, taken.occasion, taken.audience)),
           CASE WHEN taken.audience = 'consumer' THEN quality_gov.recall_notice_orders(taken.recall_id, taken.recipient, recall_notice_take.at) END,
           taken.lease_until
    INTO notice_id, attempt, recall_id, occasion, audience, recipient, body, orders, lease_until;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION recall_notice_take(integer, interval, text, text[], timestamptz) IS
  'Gives a worker up to n notices that are due and nobody else''s until the lease ends: recipient, text in a language (zh where the notice was not written in it), and for a consumer its orders; a lease that ended is an attempt that failed; workers at once get different notices';

CREATE FUNCTION recall_notice_lock(notice_id bigint) RETURNS recall_notice
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  n quality_gov.recall_notice;
BEGIN
  -- A write, not only a lock, so that a repeatable read that waited does not go on from a stale state.
  UPDATE quality_gov.recall_notice x SET attempts = x.attempts WHERE x.notice_id = recall_notice_lock.notice_id
  RETURNING x.* INTO n;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'notice % does not exist', notice_id USING ERRCODE = 'no_data_found';
  END IF;
  IF n.attempts = 0 THEN
    RAISE EXCEPTION 'notice % was not sent yet', notice_id USING ERRCODE = 'object_not_in_prerequisite_state',
      DETAIL = format('It is %s.', n.state), HINT = 'quality_gov.recall_notice_take() gives notices to send.';
  END IF;
  RETURN n;
END
$$;
COMMENT ON FUNCTION recall_notice_lock(bigint) IS
  'Locks a notice that was sent at least once and gives it; an error where there is none or it was not sent';

CREATE FUNCTION recall_notice_done(notice_id bigint, reference text DEFAULT NULL, at timestamptz DEFAULT clock_timestamp())
  RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  n quality_gov.recall_notice;
BEGIN
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'a delivery needs a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  n := quality_gov.recall_notice_lock(notice_id);
  IF n.state = 'delivered' THEN
    RETURN false;
  END IF;
  -- Also after the lease ended or the notice was given up: what arrived, arrived.
  UPDATE quality_gov.recall_notice x
  SET state = 'delivered', delivered_at = at, reference = recall_notice_done.reference, lease_until = NULL, error = NULL
  WHERE x.notice_id = n.notice_id;
  RETURN true;
END
$$;
COMMENT ON FUNCTION recall_notice_done(bigint, text, timestamptz) IS
  'Marks a notice delivered, with the channel''s reference; true, or false and no change where it was already; refuses one that nobody took (55000)';

CREATE FUNCTION recall_notice_failed(notice_id bigint, error text, attempt integer DEFAULT NULL,
                                     at timestamptz DEFAULT clock_timestamp()) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  n quality_gov.recall_notice;
  delay numeric;
BEGIN
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'a failure needs a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  n := quality_gov.recall_notice_lock(notice_id);
  -- What another attempt has settled, or has in hand, is left to it.
  IF n.state <> 'taken' OR n.attempts <> COALESCE(attempt, n.attempts) THEN
    RETURN n.state;
  END IF;
  delay := LEAST(quality_gov.recall_notice_setting_value('first_delay') * power(2::numeric, LEAST(n.attempts, 40) - 1),
                 quality_gov.recall_notice_setting_value('longest_delay'));
  UPDATE quality_gov.recall_notice x
  SET state = CASE WHEN x.attempts >= quality_gov.recall_notice_setting_value('attempts') THEN 'dead' ELSE 'pending' END,
      due_at = at + make_interval(secs => delay::double precision), lease_until = NULL,
      error = left(COALESCE(nullif(recall_notice_failed.error, ''), 'no reason given'), 1000)
  WHERE x.notice_id = n.notice_id RETURNING x.* INTO n;
  RETURN n.state;
END
$$;
COMMENT ON FUNCTION recall_notice_failed(bigint, text, integer, timestamptz) IS
  'Marks an attempt failed and gives the notice''s state: pending again after a delay that doubles, or dead after as many attempts as recall_notice_setting says; no change where the notice is not taken, or by another attempt than the one named';

CREATE FUNCTION recall_notice_confirm(notice_id bigint, at timestamptz DEFAULT clock_timestamp()) RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  n quality_gov.recall_notice;
BEGIN
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'a confirmation needs a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT x.* INTO n FROM quality_gov.recall_notice x WHERE x.notice_id = recall_notice_confirm.notice_id;
  -- Whose it is not learns nothing of it, not even that it is there.
  IF NOT quality_gov.session_acts_for(CASE WHEN n.audience = 'merchant' THEN n.recipient END, '{quality_gov_admin,quality_gov_app}') THEN
    RAISE EXCEPTION 'permission denied for notice %', notice_id USING ERRCODE = 'insufficient_privilege';
  END IF;
  n := quality_gov.recall_notice_lock(notice_id);
  IF n.confirmed_at IS NOT NULL THEN
    RETURN false;
  END IF;
  -- Who confirms has got it, also where the worker died before it could say so.
  UPDATE quality_gov.recall_notice x
  SET state = 'delivered', delivered_at = COALESCE(x.delivered_at, at), confirmed_at = at, lease_until = NULL, error = NULL
  WHERE x.notice_id = n.notice_id;
  RETURN true;
END
$$;
COMMENT ON FUNCTION recall_notice_confirm(bigint, timestamptz) IS
  'Marks a notice confirmed by its recipient, and so delivered; true, or false and no change where it was already; a merchant confirms its own (42501 for others)';

CREATE FUNCTION recall_notice_requeue(recall_id bigint DEFAULT NULL, at timestamptz DEFAULT clock_timestamp()) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
  SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  todo record;
  total bigint := 0;
BEGIN
  IF at IS NULL OR NOT isfinite(at) THEN
    RAISE EXCEPTION 'notices need a finite instant' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  FOR todo IN
    WITH again AS (
      UPDATE quality_gov.recall_notice x SET state = 'pending', attempts = 0, due_at = recall_notice_requeue.at
      WHERE x.state = 'dead' AND (recall_notice_requeue.recall_id IS NULL OR x.recall_id = recall_notice_requeue.recall_id)
      RETURNING x.recall_id)
    SELECT a.recall_id, count(*) AS notices FROM again a GROUP BY a.recall_id ORDER BY a.recall_id LOOP
    total := total + todo.notices;
    PERFORM quality_gov.ledger_record('recall_notice_requeue', 'recall ' || todo.recall_id,
      jsonb_build_object('recall_id', todo.recall_id, 'notices', todo.notices));
    PERFORM pg_notify('quality_gov_recall_notice', todo.recall_id::text);
  END LOOP;
  RETURN total;
END
$$;
COMMENT ON FUNCTION recall_notice_requeue(bigint, timestamptz) IS
  'Has notices that were given up tried again from the beginning, of one recall or all, and gives their number';

CREATE FUNCTION doctor_recall_notice(OUT status text, OUT subject text, OUT detail text, OUT hint text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT 'problem', format('notices of recall %s', n.recall_id), format('%s were given up, the last one for: %s', count(*),
           (array_agg(n.error ORDER BY n.due_at DESC))[1]),
         'Mend the channel, then call recall_notice_requeue().'
  FROM quality_gov.recall_notice n WHERE n.state = 'dead' GROUP BY n.recall_id
  UNION ALL
  SELECT 'warning', format('notices of recall %s', n.recall_id), format('%s are due since %s', count(*), min(n.due_at)),
         'Let a worker call recall_notice_take().'
  FROM quality_gov.recall_notice n WHERE n.state IN ('pending', 'taken') AND n.due_at < now() - interval '1 hour' GROUP BY n.recall_id
$$;
COMMENT ON FUNCTION doctor_recall_notice() IS 'Check: notices of recalls that were given up or that nobody sends';
INSERT INTO doctor_check VALUES
  ('recall_notice', 'quality_gov.doctor_recall_notice', 'Notices of recalls that were given up or that nobody sends', true);

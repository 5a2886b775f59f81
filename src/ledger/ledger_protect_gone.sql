
-- ledger: rows that left a protected table together with their partition

CREATE FUNCTION ledger_gone_fault(relation regclass, label text) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  start bigint := (SELECT COALESCE(max(x.entry_id), -1) FROM quality_gov.ledger_entry x WHERE x.subject = label
                   AND (x.kind = 'ledger_protect' OR x.kind = 'row_truncate' AND NOT x.body ? 'partition'));
  left_ids bigint[];
  held record;
  gone record;
BEGIN
  SELECT array_agg(x.entry_id ORDER BY x.entry_id) AS ids, sum((x.body ->> 'rows')::bigint) AS n,
         ARRAY[sum((x.body #>> '{keys,0}')::numeric), sum((x.body #>> '{keys,1}')::numeric), sum((x.body #>> '{keys,2}')::numeric),
               sum((x.body #>> '{keys,3}')::numeric)] AS keys
  INTO held FROM quality_gov.ledger_entry x
  WHERE x.subject = label AND x.kind = 'row_truncate' AND x.body ? 'partition' AND x.entry_id > start;
  IF held.ids IS NULL THEN
    RETURN NULL;
  END IF;
  -- A row left with its partition where one did between an entry by which it is there and the next one, if any.
  WITH entered AS (
    SELECT e.subject, e.entry_id, e.kind, lead(e.kind) OVER w AS next_kind, lead(e.entry_id) OVER w AS next_id
    FROM quality_gov.ledger_entry e
    WHERE e.kind IN ('row_insert', 'row_update', 'row_delete', 'row_baseline') AND e.body ->> 'relation' = ledger_gone_fault.label AND e.entry_id > start
    WINDOW w AS (PARTITION BY e.subject ORDER BY e.entry_id)),
  live AS (SELECT l.subject FROM quality_gov.ledger_live(ledger_gone_fault.relation, ledger_gone_fault.label) l),
  gone AS (
    SELECT e.subject FROM entered e
    WHERE e.kind <> 'row_delete'
      AND CASE WHEN e.next_id IS NULL THEN NOT EXISTS (SELECT FROM live l WHERE l.subject = e.subject) ELSE e.next_kind IN ('row_insert', 'row_baseline') END
      AND EXISTS (SELECT FROM unnest(held.ids) t WHERE t > e.entry_id AND (e.next_id IS NULL OR t < e.next_id)))
  SELECT count(*) AS n, ARRAY[COALESCE(sum(k[1]), 0), COALESCE(sum(k[2]), 0), COALESCE(sum(k[3]), 0), COALESCE(sum(k[4]), 0)] AS keys
  FROM gone g CROSS JOIN LATERAL quality_gov.ledger_key_digest(g.subject) k
  INTO gone;
  RETURN CASE WHEN gone.n <> held.n THEN format('%s rows are gone without an entry of their own, but partitions held %s when they were emptied', gone.n, held.n)
              WHEN gone.keys <> held.keys THEN format('the %s rows that are gone without an entry of their own are not those that partitions held when they were emptied', gone.n) END;
END
$$;
COMMENT ON FUNCTION ledger_gone_fault(regclass, text) IS
  'What is wrong about the rows of a protected table that left with their partitions (TRUNCATE, ledger_detach()): null where they are just those that were entered then; for ledger_verify()';

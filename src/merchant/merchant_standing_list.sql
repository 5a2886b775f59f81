
-- merchant: list entries follow the authority

CREATE FUNCTION watchlist_entry_terms(entry regulatory_record) RETURNS tstzrange[]
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
  SET timezone = 'Asia/Shanghai' SET datestyle = 'ISO, MDY'
AS $$
DECLARE
  known quality_gov.repair_class;
  act record;
  told_at timestamptz;
  since timestamptz;
  natural_end timestamptz;
  terms tstzrange[] := '{}';
BEGIN
  IF COALESCE((entry.content ->> 'withdrawn')::boolean, false) THEN
    RETURN terms;
  END IF;
  SELECT greatest(entry.recorded_at, max(d.recorded_at)) INTO told_at FROM quality_gov.regulatory_record d
  WHERE d.source = entry.source AND d.of_item = entry.item;
  SELECT c.* INTO known FROM quality_gov.repair_class_of(entry.content, told_at) k
  JOIN quality_gov.repair_class c ON c.class = k.class AND c.effect @> told_at ORDER BY c.builtin LIMIT 1;
  since := entry.at;
  natural_end := COALESCE((entry.content ->> 'until')::timestamptz, greatest(
    quality_gov.publication_end(COALESCE((entry.content ->> 'published_from')::timestamptz, since), known.max_months),
    CASE WHEN known.severity = 'serious' THEN (entry.content ->> 'ban_until')::timestamptz END));
  FOR act IN
    SELECT d.at, CASE d.type WHEN 'removal' THEN 'removed' WHEN 'annulment' THEN 'annulled' ELSE d.content ->> 'decision' END AS code
    FROM quality_gov.regulatory_record d
    WHERE d.source = entry.source AND d.of_item = entry.item AND (d.uscc = entry.uscc) IS NOT FALSE
      AND NOT COALESCE((d.content ->> 'withdrawn')::boolean, false)
      AND NOT EXISTS (SELECT FROM quality_gov.regulatory_record x
                      WHERE x.source = d.source AND x.item = d.item AND x.version > d.version)
    ORDER BY d.at, d.recorded_at, d.item
  LOOP
    IF act.code IN ('granted', 'removed', 'annulled') AND since IS NOT NULL THEN
      terms := terms || tstzrange(since, least(greatest(act.at, since), natural_end));
      since := NULL;
    ELSIF act.code = 'restored' AND since IS NULL AND (act.at < natural_end) IS NOT FALSE THEN
      since := act.at;
    ELSIF act.code = 'revoked' THEN
      -- What had lapsed before goes on, after a gap, from the day of the revocation.
      IF since IS NOT NULL AND natural_end < act.at THEN
        terms := terms || tstzrange(since, natural_end);
        since := NULL;
      END IF;
      natural_end := greatest(quality_gov.publication_end(act.at, known.max_months),
                              CASE WHEN known.severity = 'serious' THEN (entry.content ->> 'ban_until')::timestamptz END);
      since := COALESCE(since, act.at);
    END IF;
    EXIT WHEN act.code = 'annulled';
  END LOOP;
  IF since IS NOT NULL THEN
    terms := terms || tstzrange(since, natural_end);
  END IF;
  RETURN terms;
END
$$;
COMMENT ON FUNCTION watchlist_entry_terms(regulatory_record) IS
  'Periods that the authority''s decisions on record leave an imported list entry: until it is removed or annulled, again from a restoration, anew from a revocation for fraud, at most until the list lets go by itself';

CREATE FUNCTION watchlist_entry_follow(source text, item text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  entry quality_gov.regulatory_record;
  terms tstzrange[];
BEGIN
  SELECT * INTO entry FROM quality_gov.regulatory_record r
  WHERE r.source = watchlist_entry_follow.source AND r.item = watchlist_entry_follow.item
  ORDER BY r.version DESC LIMIT 1;
  IF entry.type IS DISTINCT FROM 'list' THEN
    RETURN;
  END IF;
  terms := quality_gov.watchlist_entry_terms(entry);
  -- An entry that never was keeps its row, with no term.
  INSERT INTO quality_gov.watchlist_entry
    (watchlist, uscc, name, identity_digest, reason, legal_basis, source, source_item, term, period)
  SELECT entry.content ->> 'list', entry.uscc, entry.name, entry.content ->> 'identity_digest', entry.content ->> 'reason',
         entry.content ->> 'legal_basis', entry.source, entry.item, t.term, t.period
  FROM unnest(CASE WHEN terms = '{}' THEN '{empty}'::tstzrange[] ELSE terms END) WITH ORDINALITY AS t(term, period)
  ON CONFLICT ON CONSTRAINT watchlist_entry_source_item DO UPDATE
  SET watchlist = EXCLUDED.watchlist, uscc = EXCLUDED.uscc, name = EXCLUDED.name,
      identity_digest = EXCLUDED.identity_digest, reason = EXCLUDED.reason,
      legal_basis = EXCLUDED.legal_basis, term = EXCLUDED.term;
  UPDATE quality_gov.watchlist_entry e SET term = 'empty'
  WHERE e.source = entry.source AND e.source_item = entry.item AND e.period > greatest(cardinality(terms), 1)
    AND NOT isempty(e.term);
END
$$;
COMMENT ON FUNCTION watchlist_entry_follow(text, text) IS
  'Writes the periods of an imported list entry that watchlist_entry_terms() tells; another item is passed over';

CREATE FUNCTION watchlist_check(OUT source text, OUT item text, OUT problem text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT r.source, r.item, format('is listed over %s, the authority''s decisions leave %s', have.terms, want.terms)
  FROM (SELECT DISTINCT ON (x.source, x.item) x AS entry, x.source, x.item FROM quality_gov.regulatory_record x
        WHERE x.type = 'list' ORDER BY x.source, x.item, x.version DESC) r
  CROSS JOIN LATERAL (SELECT COALESCE(range_agg(t), '{}') AS terms FROM unnest(quality_gov.watchlist_entry_terms(r.entry)) t) want
  CROSS JOIN LATERAL (SELECT COALESCE(range_agg(e.term), '{}') AS terms FROM quality_gov.watchlist_entry e
                      WHERE e.source = r.source AND e.source_item = r.item) have
  WHERE have.terms <> want.terms
$$;
COMMENT ON FUNCTION watchlist_check() IS
  'Oracle: imported list entries whose term is not what the authority''s decisions leave; no rows when all is well';

-- merchant: what the record waits for

CREATE FUNCTION doctor_regulatory(OUT status text, OUT subject text, OUT detail text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
  SELECT 'warning', format('%s "%s" of source "%s"', d.type, d.item, d.source),
         CASE WHEN t.item IS NULL THEN format('item "%s", which it is of, has not arrived', d.of_item)
              ELSE format('item "%s", which it is of, is of %s, not of %s', d.of_item, t.uscc, d.uscc) END,
         'It takes effect once the feed brings the item; where the number is wrong, let the source send it again withdrawn.'
  FROM quality_gov.regulatory_record d
  LEFT JOIN LATERAL (SELECT r.* FROM quality_gov.regulatory_record r WHERE r.source = d.source AND r.item = d.of_item
                     ORDER BY r.version DESC LIMIT 1) t ON true
  WHERE d.of_item IS NOT NULL AND (t.item IS NULL OR d.uscc <> t.uscc)
    AND NOT COALESCE((d.content ->> 'withdrawn')::boolean, false)
    AND NOT EXISTS (SELECT FROM quality_gov.regulatory_record x
                    WHERE x.source = d.source AND x.item = d.item AND x.version > d.version)
$$;
COMMENT ON FUNCTION doctor_regulatory() IS
  'Check: imported decisions whose item has not arrived, or is of another subject; they have no effect until then';
INSERT INTO doctor_check VALUES
  ('regulatory', 'quality_gov.doctor_regulatory', 'Imported repairs, removals and annulments without effect', true);


-- listing: whether lexicons are what was published

CREATE FUNCTION lexicon_digest(lexicon text, version integer) RETURNS bytea
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT sha256(convert_to(to_jsonb(l.folds)::text, 'UTF8') || COALESCE((
           SELECT string_agg(sha256(convert_to(jsonb_build_array(
                    t.term, t.allow, t.severity, t.categories, t.tags, t.legal_basis)::text, 'UTF8')), ''::bytea
                    ORDER BY t.allow, t.term COLLATE "C")
           FROM lexicon_term t
           WHERE t.lexicon = l.lexicon AND t.version = l.version), ''))
  FROM lexicon l
  WHERE l.lexicon = lexicon_digest.lexicon AND l.version = lexicon_digest.version;
END;
COMMENT ON FUNCTION lexicon_digest(text, integer) IS
  'SHA-256 of a version''s folds and terms; null where there is no such version';

CREATE FUNCTION lexicon_check(OUT lexicon text, OUT version integer, OUT reason text) RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT l.lexicon, l.version, 'terms or folds changed since it was published'
  FROM lexicon l
  WHERE l.state <> 'draft' AND l.digest IS DISTINCT FROM lexicon_digest(l.lexicon, l.version)
  UNION ALL
  SELECT DISTINCT t.lexicon, t.version, 'terms of a version that does not exist'
  FROM lexicon_term t
  WHERE NOT EXISTS (SELECT FROM lexicon l WHERE l.lexicon = t.lexicon AND l.version = t.version)
  UNION ALL
  SELECT a.lexicon, a.version, format('in force together with version %s', b.version)
  FROM lexicon a
  JOIN lexicon b ON b.lexicon = a.lexicon AND b.version <> a.version AND b.effect && a.effect
  WHERE a.state <> 'shadow' AND b.state <> 'shadow'
  UNION ALL
  SELECT l.lexicon, l.version, format('its notice %s does not exist or announced something else', l.notice_id)
  FROM lexicon l
  WHERE l.notice_id IS NOT NULL AND NOT isempty(l.effect)
    AND NOT EXISTS (SELECT FROM listing_notice n
                    WHERE n.notice_id = l.notice_id AND n.kind = 'lexicon' AND n.name = l.lexicon
                      AND n.version = l.version AND n.effective = lower(l.effect) AND n.digest = l.digest);
END;
COMMENT ON FUNCTION lexicon_check() IS
  'Versions of lexicons that are not what was published, with the reason; no rows when all is well';

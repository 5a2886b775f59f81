
-- listing: protected brands, and rule kind brand

CREATE FUNCTION brand_key(name text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN replace(text_fold(text_skeleton(text_fold(text_skeleton(text_fold(name, '{nfkc,invisible,separator}')), '{case}')),
                           '{case,separator}'), 'i', 'l');
COMMENT ON FUNCTION brand_key(text) IS
  'Form of a name in which look-alikes are equal: its skeleton as written, and that of it in lower case; i, l and 1 are one';

CREATE TABLE brand (
  brand text NOT NULL,
  owner text NOT NULL,
  ordinary text[] NOT NULL DEFAULT '{}',
  effect tstzrange NOT NULL DEFAULT '(,)',
  key text GENERATED ALWAYS AS (brand_key(brand)) STORED,
  letters integer GENERATED ALWAYS AS (char_length(name_key(brand))) STORED,
  CONSTRAINT brand_pkey PRIMARY KEY (brand),
  CONSTRAINT brand_brand CHECK (name_key(brand) IS NOT NULL AND char_length(brand) <= 100)
);
CREATE INDEX brand_key ON brand (key);
COMMENT ON TABLE brand IS
  'Protected brands: owner, ordinary words and phrases that are no imitation of it (小米粥 of 小米), period; key and letters are what listings are compared by';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.brand', '');

CREATE TABLE brand_authorization (
  merchant_id text NOT NULL,
  brand text NOT NULL,
  effect tstzrange NOT NULL,
  document text NOT NULL,
  CONSTRAINT brand_authorization_pkey PRIMARY KEY (merchant_id, brand, effect)
);
COMMENT ON TABLE brand_authorization IS 'Which merchant may use which brand, over what period, by which document';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.brand_authorization', '');
ALTER TABLE brand_authorization ENABLE ROW LEVEL SECURITY;
CREATE POLICY brand_authorization_read ON brand_authorization FOR SELECT
  USING ((SELECT session_reads_all()) OR merchant_id IN (SELECT merchant_id FROM session_merchant));
CREATE POLICY brand_authorization_write ON brand_authorization FOR INSERT WITH CHECK ((SELECT session_administers()));
CREATE POLICY brand_authorization_change ON brand_authorization FOR UPDATE USING ((SELECT session_administers()));

CREATE FUNCTION rule_brand_params_valid(params jsonb) RETURNS text
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  wanted text := params_check(params, '{"fields": "texts", "exact": "boolean?", "one_from": "number?", "two_from": "number?"}');
  letters numeric;
  name text;
BEGIN
  FOREACH name IN ARRAY '{one_from,two_from}'::text[] LOOP
    letters := CASE WHEN wanted IS NULL THEN (params ->> name)::numeric END;
    IF letters NOT BETWEEN 2 AND 100 OR letters <> trunc(letters) THEN
      wanted := format('"%s" a whole number from 2 to 100', name);
    END IF;
  END LOOP;
  RETURN wanted;
END
$$;
COMMENT ON FUNCTION rule_brand_params_valid(jsonb) IS
  'What is wanted of params of kind brand: {"fields", and optionally "exact" (the name itself counts, too: true), "one_from" (5) and "two_from" (9): letters from which one and two edits are allowed}; null where all is well';

CREATE FUNCTION brand_candidates(body text) RETURNS TABLE (candidate text, cjk boolean)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  WITH words AS (
    SELECT w."position", w.word, w.cjk, char_length(w.word) = 1 AS single,
           w."position" - row_number() OVER (PARTITION BY w.cjk, char_length(w.word) = 1 ORDER BY w."position") AS island,
           w."position" - row_number() OVER (PARTITION BY w.cjk ORDER BY w."position") AS run
    FROM text_words(body) w)
  SELECT w.word, w.cjk FROM words w
  UNION
  -- Names of two and three words, and a name spelled letter by letter.
  SELECT a.word || b.word || COALESCE(c.word, ''), false
  FROM words a JOIN words b ON b."position" = a."position" + 1 AND NOT b.cjk
  LEFT JOIN words c ON c."position" = a."position" + 2 AND NOT c.cjk
  WHERE NOT a.cjk
  UNION
  SELECT a.word || b.word, false FROM words a JOIN words b ON b."position" = a."position" + 1 AND NOT b.cjk WHERE NOT a.cjk
  UNION
  SELECT string_agg(w.word, '' ORDER BY w."position"), false FROM words w WHERE w.single AND NOT w.cjk
  GROUP BY w.island HAVING count(*) > 2
  UNION
  SELECT string_agg(w.word, '' ORDER BY w."position"), true FROM words w WHERE w.cjk
  GROUP BY w.run HAVING count(*) > 1;
END;
COMMENT ON FUNCTION brand_candidates(text) IS
  'What of a text is compared with brands: its words, two and three of them as one, letters spelled one by one, runs of Han, Kana or Hangul (cjk)';

CREATE FUNCTION brand_rest(key text, ordinary text[]) RETURNS text
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  word text;
BEGIN
  FOREACH word IN ARRAY ordinary LOOP
    word := COALESCE(brand_key(word), '');
    key := replace(key, word, repeat(' ', char_length(word)));
  END LOOP;
  RETURN key;
END
$$;
COMMENT ON FUNCTION brand_rest(text, text[]) IS
  'A text''s form by brand_key() with ordinary words and phrases blanked, every character in its place';

CREATE FUNCTION rule_brand(params jsonb, listing jsonb, at timestamptz)
  RETURNS TABLE (outcome text, field text, message text, detail jsonb)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  one integer := COALESCE((params ->> 'one_from')::numeric, 5);
  two integer := COALESCE((params ->> 'two_from')::numeric, 9);
  merchant text := listing_value(listing, 'merchant_id');
  hit record;
BEGIN
  FOREACH field IN ARRAY params_texts(params -> 'fields') LOOP
    IF char_length(listing_value(listing, field)) > 10000 THEN
      RETURN QUERY SELECT 'missing', field, format('only the first 10000 characters of %s are compared with brands', field), NULL::jsonb;
    END IF;
    FOR hit IN
      WITH parts AS MATERIALIZED (
        SELECT c.candidate, c.cjk, brand_key(c.candidate) AS key, char_length(name_key(c.candidate)) AS letters
        FROM brand_candidates(left(listing_value(listing, field), 10000)) c WHERE char_length(c.candidate) <= 100 OR c.cjk),
      near AS (
        SELECT b.brand, b.owner, b.ordinary, p.candidate, edit_distance(b.key, p.key, CASE WHEN b.letters >= two THEN 2
                 WHEN b.letters >= one THEN 1 ELSE 0 END) AS distance,
               CASE WHEN b.letters >= two THEN 2 WHEN b.letters >= one THEN 1 ELSE 0 END AS allowed
        FROM parts p JOIN brand b ON NOT p.cjk AND abs(b.letters - p.letters) <= CASE WHEN b.letters >= two THEN 2
                 WHEN b.letters >= one THEN 1 ELSE 0 END
          AND (b.letters >= one OR b.key = p.key) AND b.effect @> at AND char_length(p.key) <= 200
        UNION ALL
        -- Words are not marked off in these scripts: the brand may stand anywhere in the run, beside ordinary words.
        SELECT b.brand, b.owner, b.ordinary, substr(p.candidate, strpos(r.rest, b.key), b.letters), 0, 0
        FROM parts p JOIN brand b ON p.cjk AND strpos(p.key, b.key) > 0 AND b.effect @> at
        CROSS JOIN LATERAL brand_rest(p.key, b.ordinary) AS r(rest) WHERE strpos(r.rest, b.key) > 0)
      SELECT DISTINCT ON (n.brand) n.*, name_key(n.candidate) = name_key(n.brand) AS exact
      FROM near n
      WHERE n.distance <= n.allowed AND NOT listing_agrees(n.candidate, n.ordinary)
        AND NOT (params @> '{"exact": false}' AND name_key(n.candidate) = name_key(n.brand))
      ORDER BY n.brand, n.distance, name_key(n.candidate) = name_key(n.brand) DESC, n.candidate
    LOOP
      outcome := CASE WHEN EXISTS (SELECT FROM brand_authorization a WHERE a.merchant_id = merchant
                                   AND a.brand = hit.brand AND a.effect @> at) THEN 'exempt' ELSE 'violation' END;
      message := format(CASE WHEN hit.exact THEN '"%s" uses the brand "%s" %s' ELSE '"%s" imitates the brand "%s" %s' END,
                        hit.candidate, hit.brand,
                        CASE outcome WHEN 'exempt' THEN 'with authorisation' ELSE 'without authorisation' END);
      detail := jsonb_build_object('brand', hit.brand, 'owner', hit.owner, 'matched', hit.candidate,
                                   'distance', hit.distance, 'exact', hit.exact);
      RETURN NEXT;
    END LOOP;
  END LOOP;
END
$$;
COMMENT ON FUNCTION rule_brand(jsonb, jsonb, timestamptz) IS
  'Rule kind brand: a protected brand, or what looks like it or is nearly spelled as it, used by a merchant without authorisation';

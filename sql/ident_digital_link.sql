-- GS1 Digital Link: written and read, percent-encoding, order of qualifiers, hostile links.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;

-- the vector of GS1's own toolkit, both ways
SELECT gs1_digital_link('(3103)000189(01)05412345000013(3923)2172(10)ABC&+123') AS link;
SELECT * FROM digital_link_elements('https://id.gs1.org/01/05412345000013/10/ABC%26%2B123?3103=000189&3923=2172');
SELECT gs1_element_string('https://id.gs1.org/01/05412345000013/10/ABC%26%2B123?3103=000189&3923=2172', true) AS bracketed,
       gs1_digital_link(gs1_element_string(link)) = link AS same
FROM (VALUES ('https://id.gs1.org/01/05412345000013/10/ABC%26%2B123?3103=000189&3923=2172')) AS v (link);
SELECT * FROM digital_link_parse('https://id.gs1.org/01/05412345000013/10/ABC%26%2B123?3103=000189&3923=2172');

-- from parts: qualifiers in the order of the path, none where null
SELECT digital_link('09506000134352', 'L1', 'S1');
SELECT digital_link('09506000134352', 'L1', 'S1', variant => 'V1');
SELECT digital_link('9506000134352', NULL, NULL) AS bare, digital_link('9506000134352', NULL, 'S/1') AS serial,
       digital_link('73513537', 'L', NULL, 'https://shop.example/q/', 'V') AS resolver,
       digital_link(NULL, 'L', 'S') AS no_gtin, digital_link('73513537', 'L', 'S', NULL) AS no_resolver;

-- percent-encoding: every character of set 82 comes back; RFC 3986's unreserved ones stay as they are
SELECT count(*) AS characters, count(*) FILTER (WHERE (digital_link_parse(link)).lot = c) AS back,
       count(*) FILTER (WHERE (digital_link_parse(link)).lot = c AND link ~ '/10/%[0-9A-F]{2}$') AS encoded,
       string_agg(c, '') FILTER (WHERE link !~ '%') = '-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz' AS unreserved
FROM (SELECT chr(n) AS c, digital_link('09506000134352', chr(n), NULL) AS link FROM generate_series(33, 126) AS n
      WHERE strpos('#$@[\]^`{|}~', chr(n)) = 0 ORDER BY chr(n) COLLATE "C") AS s;
SELECT (digital_link_parse('https://id.gs1.org/01/09506000134352/10/%61%2f%2F')).lot AS small_hex,
       (digital_link_parse('https://id.gs1.org/01/%30%39506000134352/10/a+b')).* AS plus_is_plus;

-- reading what was written gives the parts
SELECT count(*) AS links, count(*) FILTER (WHERE digital_link_parse(digital_link(g::gtin, l, s, r, v)) = ROW(g::gtin, v, l, s)) AS same
FROM unnest(ARRAY['73513537', '614141123452', '9506000134352', '98412345678908']) AS g,
  unnest(ARRAY[NULL, 'L/1', '%25', '01', '10']) AS l, unnest(ARRAY[NULL, 'S?1=2&3', '21']) AS s, unnest(ARRAY[NULL, 'V;1']) AS v,
  unnest(ARRAY['https://id.gs1.org', 'http://shop.example/a/b', 'HTTPS://shop.example:8443/']) AS r;

-- of any resolver, in the older form with words, with shorter GTINs, attributes that are no AI, and a fragment
SELECT link, (digital_link_parse(link)).* FROM (VALUES ('https://shop.example/01/09506000134352'),
  ('http://shop.example:8080/some/path/01/09506000134352/10/A/'), ('https://id.gs1.org/gtin/09506000134352/lot/A/ser/B'),
  ('https://id.gs1.org/01/9506000134352/22/V/21/B'), ('https://id.gs1.org/01/73513537?linkType=gs1:pip&x=y;17=260400#10=Z'),
  ('https://id.gs1.org/01/09506000134352?21=B'), ('https://id.gs1.org/01/09506000134352/235/T')) AS v (link);
SELECT * FROM digital_link_elements('https://id.gs1.org/01/73513537?linkType=gs1:pip&x=y;17=260400&999=1&0=1&=1&17=260400#10=Z');
-- the resolver's own path may look like a key
SELECT link, (digital_link_parse(link)).gtin FROM (VALUES ('https://shop.example/01/item/01/09506000134352'),
  ('https://shop.example/gtin/gtin/9506000134352'), ('https://shop.example/01/2026/01/73513537?01=00000073513537')) AS v (link);
-- a value that looks like another element stays what it is, all the way round
SELECT link, bracketed, gs1_digital_link(bracketed) = link AS same
FROM digital_link('09506000134352', 'A(21)B', NULL) AS link, gs1_element_string(link, true) AS bracketed;
-- elements that are kept as they came may have any characters
SELECT link, gs1_element_string(link, true) AS back FROM gs1_digital_link('(01)09506000134352(91)批次 1') AS link;
-- 235 stands in the path alone, behind other qualifiers in the query
SELECT gs1_digital_link('(01)09506000134352(235)T') AS alone, gs1_digital_link('(235)T(10)A(01)09506000134352') AS behind,
       gs1_element_string(gs1_digital_link('(235)T(10)A(01)09506000134352'), true) AS back;

-- wrong order, doubled, missing or empty qualifiers
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/21/B/10/A');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10/A/22/V');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10/A/10/B');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10/A/235/T');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/17/260400');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10/');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10//21/B');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10/A?10=B');
SELECT digital_link_parse('https://id.gs1.org/10/A/01/09506000134352/01/09506000134352');
-- broken escapes, what they must not hide, and what is too long
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10/A%');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10/A%4');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10/A%GG');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10/A%00B');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10/A%1DB');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10/%E6%89%B9');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10/批');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352?3103=00018910A');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352?91=%FF');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352?91=%C0%AF');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352?91=%ED%A0%80');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352?91=%E6%89');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10/%20');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352/10/' || repeat('A', 21));
SELECT digital_link_parse('https://id.gs1.org/01/09506000134352?91=' || repeat('%41', 91));
-- wrong keys, and what is no link
SELECT digital_link_parse('https://id.gs1.org/01/09506000134353');
SELECT digital_link_parse('https://id.gs1.org/01/0950600013435');
SELECT digital_link_parse('https://id.gs1.org/01/');
SELECT digital_link_parse('https://id.gs1.org/01/09506000134353/01/09506000134352');
DO $$
DECLARE
  link text;
BEGIN
  FOREACH link IN ARRAY ARRAY['', 'x', 'https://', 'https:///01/09506000134352', 'https://id.gs1.org', 'https://id.gs1.org/',
    'https://id.gs1.org/02/09506000134352', 'ftp://id.gs1.org/01/09506000134352', 'javascript:alert(1)//01/09506000134352',
    '//id.gs1.org/01/09506000134352', 'https://id.gs1.org?x=/01/09506000134352', 'https://id.gs1.org#/01/09506000134352', 'https://id.gs1.org/#/01/09506000134352',
    'https://id.gs1.org/01', '(01)09506000134352', 'https://id.gs1.org/01/09506000134352?91=' || repeat('A', 2048)] LOOP
    BEGIN
      PERFORM digital_link_parse(link);
      RAISE WARNING 'read: %', left(link, 60);
    EXCEPTION WHEN invalid_text_representation THEN
      NULL;
    END;
  END LOOP;
  -- the message shows the beginning of the link, in whole characters
  BEGIN
    PERFORM digital_link_parse('xx' || repeat('链', 100));
  EXCEPTION WHEN invalid_text_representation THEN
    RAISE WARNING '% characters', length(convert_from(SQLERRM::bytea, 'UTF8'));
  END;
END
$$;
-- values that cannot be written
SELECT digital_link('09506000134352', '', NULL);
SELECT digital_link('09506000134352', '批次', NULL);
SELECT digital_link('09506000134352', NULL, repeat('A', 21));
SELECT digital_link('09506000134352', NULL, NULL, variant => 'a b');
SELECT digital_link('09506000134352', NULL, NULL, 'id.gs1.org');
SELECT digital_link('09506000134352', NULL, NULL, 'https://');
SELECT digital_link('09506000134352', NULL, NULL, 'https:///');
SELECT digital_link('09506000134352', NULL, NULL, 'https://a.example/?x=');
SELECT digital_link('09506000134352', NULL, NULL, 'https://a.example/"><b');
SELECT digital_link('09506000134352', NULL, NULL, 'https://店.example');
SELECT digital_link('09506000134352', NULL, NULL, 'https://' || repeat('a', 200));
SELECT gs1_digital_link('(10)A');
SELECT gs1_digital_link('(01)09506000134352' || string_agg(format('(%s)%s', n, repeat('批', 30)), '')) FROM generate_series(91, 99) AS n;
SELECT digital_link_parse(NULL), gs1_digital_link(NULL);

DROP EXTENSION quality_gov;

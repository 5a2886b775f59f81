-- Where codes lead: link sets of RFC 9264 in the words of GS1 resolvers, and what is no link.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\pset format unaligned
\pset tuples_only on
SELECT passport_link_add('6901234567892', 'gs1:pip', 'https://works.example/p?id=7&x=%C3%A9', 'Product information', effective => '2026-01-01'),
       passport_link_add('6901234567892', 'gs1:pip', 'https://works.example/zh', '产品信息', hreflang => 'zh-Hans', effective => '2026-01-01'),
       passport_link_add('6901234567892', 'gs1:defaultLink', 'https://works.example/zh', '产品信息', hreflang => 'zh-Hans', effective => '2026-01-01'),
       passport_link_add('6901234567892', 'gs1:defaultLink', 'https://works.example/en', 'Product', hreflang => 'en', effective => '2026-01-01'),
       passport_link_add('6901234567892', 'gs1:recallStatus', 'https://works.example/recall/L1', 'Recall', 'L1', media_type => 'application/json', effective => '2026-01-01'),
       passport_link_add('6901234567892', 'gs1:dpp', 'https://works.example/dpp/S1', 'Passport', 'L1', 'S1', media_type => NULL, effective => '2026-01-01'),
       passport_link_add('6901234567892', 'gs1:certificationInfo', 'https://works.example/cert/S1', 'Certificate', serial => 'S1', effective => '2026-01-01');
-- one object for the GTIN, the lot and the serial number; relations are addresses (RFC 9264 4.2.4.1)
SELECT jsonb_pretty(passport_linkset('6901234567892', NULL, NULL, '2026-02-01'));
SELECT c ->> 'anchor', array(SELECT k FROM jsonb_object_keys(c) k WHERE k <> 'anchor' ORDER BY k) FROM jsonb_array_elements(passport_linkset('6901234567892', 'L1', 'S1', '2026-02-01', 'https://r.example/x') -> 'linkset') c;
SELECT jsonb_array_length(passport_linkset('6901234567892', 'L2', 'S1', '2026-02-01') -> 'linkset'), jsonb_array_length(passport_linkset('6901234567892', 'L1', NULL, '2026-02-01') -> 'linkset');
SELECT passport_linkset('https://id.gs1.org/01/06901234567892/10/L1/21/S1', at => '2026-02-01') = passport_linkset('6901234567892', 'L1', 'S1', '2026-02-01') AS same;
-- each relation an array of objects with an address, each language an array (4.2.3, 4.2.4.2)
SELECT bool_and(jsonb_typeof(r.value) = 'array'), bool_and(t ->> 'href' LIKE 'https://%'), bool_and(COALESCE(jsonb_typeof(t -> 'hreflang') = 'array', true)), bool_and(r.key LIKE 'https://gs1.org/voc/%'), count(*)
FROM jsonb_array_elements(passport_linkset('6901234567892', 'L1', 'S1', '2026-02-01') -> 'linkset') c, jsonb_each(c - 'anchor') r, jsonb_array_elements(r.value) t;
-- the default of no language goes before the oldest of one
SELECT passport_linkset('6901234567892', NULL, NULL, '2026-02-01') #>> '{linkset,0,https://gs1.org/voc/defaultLink,0,href}';
SELECT passport_link_add('6901234567892', 'gs1:defaultLink', 'https://works.example/', 'Product', effective => '2026-03-01');
SELECT l #>> '{linkset,0,https://gs1.org/voc/defaultLink,0,href}', jsonb_array_length(l #> '{linkset,0,https://gs1.org/voc/defaultLink}'), jsonb_array_length(l #> '{linkset,0,https://gs1.org/voc/defaultLinkMulti}') FROM passport_linkset('6901234567892', NULL, NULL, '2026-03-01') l;
-- over time
SELECT passport_link_end(1, '2026-04-01');
SELECT t, jsonb_array_length(passport_linkset('6901234567892', NULL, NULL, t) #> '{linkset,0,https://gs1.org/voc/pip}') FROM unnest('{"2026-01-01","2026-03-31 23:59:59","2026-04-01"}'::timestamptz[]) t;
SELECT passport_linkset('6901234567892', NULL, NULL, '2025-12-31'), passport_linkset('73513537', at => '2026-02-01');
SELECT kind, subject, body FROM ledger_entry ORDER BY entry_id OFFSET 6;
-- refused
SELECT passport_link_end(1, '2026-05-01');
SELECT passport_link_end(99, '2026-01-01');
SELECT passport_link_end(2, '2026-01-01');
SELECT passport_link_add('6901234567892', 'gs1:defaultLink', 'https://works.example/fr', 'x', hreflang => 'en', effective => '2026-05-01');
SELECT passport_link_add('6901234567892', 'gs1:defaultLink', 'https://works.example/fr', 'x', effective => '2026-02-01');
\set VERBOSITY sqlstate
SELECT passport_link_add('6901234567892', t, 'https://works.example/', 'x') FROM unnest('{pip,gs1:,gs1:a b,"gs1:<x>"}'::text[]) t LIMIT 1;
SELECT passport_link_add('6901234567892', 'gs1:<x>', 'https://works.example/', 'x');
SELECT passport_link_add('6901234567892', 'gs1:pip', 'http://works.example/', 'x');
SELECT passport_link_add('6901234567892', 'gs1:pip', 'javascript:alert(1)', 'x');
SELECT passport_link_add('6901234567892', 'gs1:pip', 'https://works.example/"><script>', 'x');
SELECT passport_link_add('6901234567892', 'gs1:pip', 'https://user@works.example/', 'x');
SELECT passport_link_add('6901234567892', 'gs1:pip', 'https://works.example/a b', 'x');
SELECT passport_link_add('6901234567892', 'gs1:pip', 'https:///x', 'x');
SELECT passport_link_add('6901234567892', 'gs1:pip', 'https://works.example/' || repeat('x', 2048), 'x');
SELECT passport_link_add('6901234567892', 'gs1:pip', 'https://works.example/', '');
SELECT passport_link_add('6901234567892', 'gs1:pip', 'https://works.example/', 'x', hreflang => 'english language');
SELECT passport_link_add('6901234567892', 'gs1:pip', 'https://works.example/', 'x', media_type => 'html');
SELECT passport_link_add('6901234567892', 'gs1:pip', 'https://works.example/', 'x', 'lot 1');
SELECT passport_link_add('6901234567892', 'gs1:pip', 'https://works.example/', 'x', effective => NULL);
SELECT passport_link_add(NULL, 'gs1:pip', 'https://works.example/', 'x');
SELECT passport_linkset(NULL::gtin);
\set VERBOSITY default
SELECT passport_linkset(NULL::text), passport_linkset('https://evil.example/01/06901234567892'), passport_linkset('x');
DROP EXTENSION quality_gov;

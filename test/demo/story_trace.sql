-- A recall reaches goods through an ingredient: its lots, orders, notices and figures; and a passport.

\ir story.psqlrc
\echo
\echo '7. AN INGREDIENT'
SET search_path = quality_gov;
-- Two shops sell what one kitchen made of one lot of sesame.
CREATE TEMP TABLE made AS
SELECT row_number() OVER (ORDER BY id) AS n, f.*
FROM (SELECT p.id, p.gtin, p.lot, p.shop_id, p.title, p.producer FROM shop.product p
      WHERE p.category = 'food' AND p.gtin IS NOT NULL AND p.title LIKE '%芝麻酱%'
        AND (SELECT count(*) FROM shop.orders o WHERE o.product_id = p.id) >= 6
      ORDER BY p.id LIMIT 2) f;
SELECT count(*) FROM lot_record_all((
  SELECT jsonb_agg(l) FROM (
    SELECT demo.gtin(900001) AS gtin, 'F7' AS lot, '某某粮油厂' AS producer, '2026-05-20' AS made_on, 500 AS quantity, 'KGM' AS unit
    UNION ALL SELECT demo.gtin(900002), 'P1', '某某酱料厂', '2026-06-01', 400, 'KGM'
    UNION ALL SELECT m.gtin, m.lot, m.producer, '2026-06-10', 60, 'piece' FROM made m) l)) \gset
SELECT lot_use(lot_find(demo.gtin(900001)::gtin, 'F7'), lot_find(demo.gtin(900002)::gtin, 'P1'), 450) AS done \gset
SELECT count(lot_use(lot_find(demo.gtin(900002)::gtin, 'P1'), lot_find(m.gtin::gtin, m.lot), 150)) FROM made m \gset
SELECT sale_record(jsonb_agg(jsonb_build_object('merchant_id', o.shop_id, 'order_id', o.id, 'gtin', o.gtin, 'lot', o.lot, 'quantity', 1,
  'buyer', 'b-' || o.id % 997, 'at', o.ordered_at, 'state', CASE WHEN o.ordered_at < '2026-12-01 00:00+08' THEN 'delivered' ELSE 'open' END)))
  AS sold FROM shop.orders o JOIN made m ON m.id = o.product_id \gset
SELECT format('Sesame of lot F7 went into paste P1, and that into jars of %s; %s order lines are recorded. Recall on 2026-12-05:',
              string_agg(shop_id, ' and ' ORDER BY n), :sold) AS line FROM made \gset
\echo :line
\echo
SELECT recall_open('芝麻黄曲霉毒素超标', jsonb_build_array(jsonb_build_object('ingredient', jsonb_build_object('gtin', demo.gtin(900001), 'lot', 'F7'))),
  'aflatoxin in the sesame', 'Order 122 (食品召回) arts 9, 11', regime => 'food', level => 1, state => 'voluntary',
  severity => 'serious', at => '2026-12-05 10:00+08') AS recall \gset
SELECT g.gtin, g.lot_code AS lot, g.depth AS steps, COALESCE(m.title, CASE g.depth WHEN 0 THEN 'sesame' ELSE 'sesame paste' END) AS goods,
       m.shop_id AS shop
FROM recall_goods(:recall, '2026-12-05 10:00+08') g LEFT JOIN made m ON m.gtin::gtin = g.gtin ORDER BY g.depth, m.n;
SELECT id FROM made WHERE n = 1 \gset first_
SET ROLE demo_platform;
SELECT demo.order_try(p, p.lot, '2026-12-05 10:30+08') AS line FROM shop.product p WHERE p.id = :first_id \gset
RESET ROLE;
\echo 'An order of it half an hour later:'
\echo ' ' :line

-- It is published, who is concerned is told, and goods come back.
SELECT recall_advance(:recall, 'plan_reported', '2026-12-05 18:00+08', document => recall_report_template('food', 'plan', '2026-12-05')) AS done \gset
SELECT recall_advance(:recall, 'published', '2026-12-05 20:00+08', document => recall_report_template('food', 'notice', '2026-12-05')) AS done \gset
SELECT count(recall_notice_generate(recall_id, '2026-12-05 20:01+08')) AS recalls FROM recall \gset
SELECT count(recall_response_add(:recall, 'returned', 1, s.merchant_id, s.order_id, s.line, at => '2026-12-08 12:00+08'))
FROM (SELECT * FROM recall_orders(:recall, '2026-12-05 21:00+08') WHERE state = 'delivered' ORDER BY sold_at LIMIT 3) s \gset
\echo
\echo 'recall_notice: who is told'
\echo
SELECT audience, occasion, count(*) AS notices, min(recipient) AS "the first", count(*) FILTER (WHERE state = 'pending') AS "to send"
FROM recall_notice WHERE recall_id = :recall GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2;
\echo 'recall_progress: three days later, when three buyers have sent theirs back'
\echo
SELECT gtin, lot_code AS lot, unit, made, used, in_stock AS "in stock", open, shipped, returned, outstanding
FROM recall_progress(:recall, '2026-12-08 20:00+08');

\echo
\echo '8. A PASSPORT'
-- The key is made from its seed, so that every run signs alike; a producer's own never comes near a database.
SELECT current_setting('data_directory') || '/demo_passport.pem' AS key_file \gset
SELECT format('umask 077; cat > ''%s''', :'key_file') AS write \gset
COPY (VALUES ('-----BEGIN PRIVATE KEY-----'), (encode('\x302e020100300506032b657004220420' || sha256('quality_gov demo'), 'base64')),
  ('-----END PRIVATE KEY-----')) TO PROGRAM :'write';
SET quality_gov.passport_key_file = :'key_file';
SELECT passport_key_add('did:web:works.example#1', 'did:web:works.example', '成都启辰制造有限公司', algorithm, public_key::text, '{6901234}',
                        '[2026-01-01,)') AS done FROM passport_signer() \gset
INSERT INTO passport_category VALUES ('electronics', 'order_110');
INSERT INTO passport_field (category, field, audience, title, legal_basis)
VALUES ('electronics', 'supplier', 'authorised', 'Supplier of parts', 'policy of the platform');
CREATE FUNCTION pg_temp.try(claims jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  detail text;
BEGIN
  RETURN 'passport ' || quality_gov.passport_issue('6901234567892', 'L202611', NULL, claims, 'electronics', at => '2026-12-05 16:00+08');
EXCEPTION WHEN check_violation THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN SQLERRM || ': ' || detail;
END
$$;
\set claims '{"title": "电热水壶", "producer": "成都启辰制造有限公司", "producer_address": "成都", "model": "K-9", "standard": "GB 4706.19", "supplier": "某某电子元件厂"}'
SELECT pg_temp.try(:'claims') AS line \gset
\echo 'A batch of kettles, without and with its CCC certificate:'
\echo ' ' :line
SELECT pg_temp.try(:'claims'::jsonb || '{"certificate": "2024010101000001"}') AS line \gset
\echo ' ' :line
SELECT passport_find('6901234567892', 'L202611', 'S0042', '2026-12-05 17:00+08') AS found \gset
SELECT passport_export(:found) AS document \gset
\echo
\echo 'Found by the code on piece S0042; what it says, and to whom:'
\echo
SELECT 'public' AS audience, passport_claims(:found) AS claims
UNION ALL SELECT 'regulator', passport_claims(:found, 'regulator');
SELECT format('Its signature verifies: %s; with the model changed: %s.',
  passport_proof_verify(:'document', 'Ed25519', public_key),
  passport_proof_verify(jsonb_set(:'document', '{credentialSubject,claims,model}', '"K-10"'), 'Ed25519', public_key)) AS line FROM passport_signer() \gset
\echo :line

-- Real sellers of a Brazilian marketplace (olist) as merchants, and the catalogue of a real shop (saleor)
-- as their listings.

SET timezone = 'Asia/Shanghai';
\set sellers `cat "$SHARED/olist/sellers.csv"`
\set catalogue `cat "$SHARED/catalogue/saleor_populatedb.json"`

CREATE TABLE demo.olist AS
SELECT row_number() OVER () AS n, split_part(line, ',', 1) AS seller_id, split_part(line, ',', 3) AS city,
       split_part(line, ',', 4) AS state
FROM string_to_table(:'sellers', E'\n') WITH ORDINALITY AS s(line, number)
WHERE number > 1 AND line <> '';

SELECT count(*) FROM demo.olist o
CROSS JOIN LATERAL quality_gov.merchant_admit(jsonb_build_object(
  'merchant_id', 'olist-' || o.n, 'kind', 'other_organization',
  'name', 'Seller ' || left(o.seller_id, 8) || ', ' || o.city, 'uscc', demo.uscc('54000000', 500000 + o.n::integer),
  'registered_address', o.city || ' ' || o.state, 'shop_name', left(o.seller_id, 8)),
  '2026-06-25 09:00+08') a \gset
INSERT INTO shop.account SELECT 'olist-' || n, 'Seller ' || left(seller_id, 8), '2026-06-25 09:00+08' FROM demo.olist;

CREATE TABLE demo.catalogue AS
WITH item AS (SELECT i ->> 'model' AS model, i ->> 'pk' AS pk, i -> 'fields' AS f
              FROM jsonb_array_elements(:'catalogue'::jsonb) i)
SELECT 60000 + row_number() OVER (ORDER BY v.pk::integer) AS id, p.f ->> 'name' || ' ' || (v.f ->> 'name') AS title,
       p.f ->> 'description_plaintext' AS descr,
       CASE WHEN c.f ->> 'name' IN ('Groceries', 'Juices') THEN 'food/' ELSE '' END || lower(c.f ->> 'name') AS category
FROM item v
JOIN item p ON p.model = 'product.product' AND p.pk = v.f ->> 'product'
LEFT JOIN item c ON c.model = 'product.category' AND c.pk = p.f ->> 'category'
WHERE v.model = 'product.productvariant';
GRANT SELECT ON demo.catalogue TO demo_platform;

SET ROLE demo_platform;
DO $$
DECLARE
  c record;
BEGIN
  FOR c IN SELECT * FROM demo.catalogue ORDER BY id LOOP
    BEGIN
      INSERT INTO shop.product (id, shop_id, title, descr, category, listed_at)
      VALUES (c.id, 'olist-' || c.id - 60000, c.title, c.descr, c.category, '2026-11-18 10:00+08');
    EXCEPTION WHEN SQLSTATE 'QG401' THEN
      NULL; -- on record
    END;
  END LOOP;
END
$$;
RESET ROLE;
SELECT quality_gov.listing_denial_drain() AS recorded \gset
\pset tuples_only on
\pset format unaligned
SELECT format('    %s sellers admitted; of %s real items %s were listed, %s refused for want of a food licence',
  (SELECT count(*) FROM quality_gov.merchant WHERE merchant_id LIKE 'olist-%'),
  (SELECT count(*) FROM demo.catalogue), (SELECT count(*) FROM shop.product WHERE id > 60000),
  (SELECT count(*) FROM quality_gov.listing_denial WHERE merchant_id LIKE 'olist-%'));

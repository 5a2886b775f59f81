-- 200,000 orders until 2026-12-05 and the complaints about them; a score of 2026-11-20 counts what had
-- happened by then. A tenth of the orders goes to forty shops, and most of the complaints.

SET timezone = 'Asia/Shanghai';
SET ROLE demo_platform;

INSERT INTO shop.orders
SELECT row_number() OVER (ORDER BY ordered_at, n), id, shop_id, category, gtin, lot, price, ordered_at,
       -- Most ship late in 2 of 100 orders, the forty in 2 to 20.
       demo.h('late' || n) % 100 < CASE WHEN merchant <= 40 THEN 2 + merchant % 10 * 2 ELSE 2 END
FROM (
  SELECT n, p.*, p.id % 2000 + 1 AS merchant,
         p.listed_at + (timestamptz '2026-12-05 00:00+08' - p.listed_at) * (demo.h('when' || n) % 10000 / 10000.0) AS ordered_at
  FROM generate_series(1, 200000) n
  CROSS JOIN LATERAL (SELECT CASE WHEN n % 10 = 0 THEN 1 + demo.h('bad' || n) % 39 + 2000 * (n / 10 % 24)
                                  ELSE 1 + demo.h('good' || n) % 49000 END AS product) which
  JOIN shop.product p ON p.id = which.product) o;

INSERT INTO shop.complaint
SELECT row_number() OVER (ORDER BY filed_at, id), id, shop_id, filed_at
FROM (
  SELECT o.id, o.shop_id, o.ordered_at + (2 + demo.h('days' || o.id) % 8) * interval '1 day' AS filed_at
  FROM shop.orders o
  WHERE demo.h('complains' || o.id) % 1000 < CASE WHEN o.product_id % 2000 < 40 THEN 40 + (o.product_id % 2000) * 4 ELSE 4 END) c
WHERE filed_at < '2026-12-05 00:00+08';
RESET ROLE;
ANALYZE;

-- What any scheduler would call, on three days of that autumn.
SELECT count(*) FROM quality_gov.maintenance('2026-09-30 23:00+08') \gset
SELECT count(*) FROM quality_gov.maintenance('2026-11-20 09:00+08') \gset

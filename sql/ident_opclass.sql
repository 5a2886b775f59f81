-- uscc and gtin where the server compares and hashes: indexes, joins, partitions, DISTINCT, GROUP BY.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;

SELECT opcname, amname, amvalidate(c.oid) FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
WHERE opcintype IN ('uscc'::regtype, 'gtin'::regtype) ORDER BY 1, 2;
-- equal ones are equal byte by byte, which lets btree deduplicate; gtin sorts as int8 does
SELECT amproclefttype::regtype AS type, amprocnum, amproc FROM pg_amproc
WHERE amproclefttype IN ('uscc'::regtype, 'gtin'::regtype) AND amprocnum IN (2, 4)
  AND amprocfamily IN (SELECT f.oid FROM pg_opfamily f JOIN pg_am a ON a.oid = opfmethod WHERE amname = 'btree') ORDER BY 1, 2;

-- 3,000 codes with a right check character, some of them twice, in no order; 1,000 GTINs alike
CREATE TABLE shop AS
  SELECT n, (body || c)::uscc AS code
  FROM (SELECT n, '91' || lpad((n * 7919 % 900000 + 100000)::text, 6, '0') || '71526726X' AS body FROM generate_series(1, 3000) AS n) AS b,
    regexp_split_to_table('0123456789ABCDEFGHJKLMNPQRTUWXY', '') AS c
  WHERE uscc_is_valid(body || c);
INSERT INTO shop SELECT n + 10000, code FROM shop WHERE n <= 100;
CREATE TABLE product AS
  SELECT n, (digits || gs1_check_digit(digits))::gtin AS code
  FROM (SELECT n, '690' || lpad((n * 7919 % 1000000)::text, 9, '0') AS digits FROM generate_series(1, 1000) AS n) AS d;
INSERT INTO product SELECT n + 10000, code FROM product WHERE n <= 50;
SELECT (SELECT count(*) FROM shop) AS shops, (SELECT count(*) FROM product) AS products;

-- equal codes have equal hashes, with a seed too
SELECT count(*) FILTER (WHERE uscc_hash(a.code) <> uscc_hash(b.code) OR uscc_hash_extended(a.code, 42) <> uscc_hash_extended(b.code, 42)) AS differ
FROM shop a JOIN shop b ON a.code::text = b.code::text;
SELECT count(DISTINCT uscc_hash(code)) > 2990 AS spread, count(DISTINCT uscc_hash_extended(code, 1)) > 2990 AS spread_64,
       count(*) FILTER (WHERE uscc_hash_extended(code, 1) = uscc_hash_extended(code, 2)) AS seedless FROM shop;
SELECT count(DISTINCT gtin_hash(code)) > 990 AS spread, bool_and(gtin_hash(code) = hashint8(code::bigint)) AS as_int8,
       bool_and(gtin_hash_extended(code, 7) = hashint8extended(code::bigint, 7)) AS as_int8_64 FROM product;

-- shows how a query is run, without costs
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  FOR query IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
    IF query ~ 'Scan|Join|Aggregate|Unique' THEN
      RETURN NEXT trim(regexp_replace(query, '\(?->', ''));
    END IF;
  END LOOP;
END
$$;

-- indexes of both kinds find what a sequential scan finds
CREATE INDEX shop_btree ON shop (code);
CREATE INDEX shop_hash ON shop USING hash (code);
CREATE INDEX product_btree ON product (code);
CREATE INDEX product_hash ON product USING hash (code);
ANALYZE shop, product;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT pg_temp.plan($$SELECT n FROM shop WHERE code BETWEEN '91100000000000000W!' AND '91200000000000000W!'$$);
SELECT count(*) AS indexed FROM shop WHERE code >= '91100000000000000W!' AND code < '91200000000000000W!';
SELECT count(*) AS counted FROM shop WHERE code::text COLLATE "C" >= '91100000000000000W' AND code::text COLLATE "C" < '91200000000000000W';
DROP INDEX shop_btree, product_btree;
SELECT pg_temp.plan(format('SELECT n FROM shop WHERE code = %L', s.code)), pg_temp.plan(format('SELECT n FROM product WHERE code = %L', p.code))
FROM shop AS s JOIN product AS p USING (n) WHERE n = 7;
SELECT sum((SELECT count(*) FROM shop s WHERE s.code = t.code)) AS found_by_hash FROM shop AS t WHERE t.n <= 200;
SELECT sum((SELECT count(*) FROM product s WHERE s.code = t.code)) AS found_by_hash FROM product AS t WHERE t.n <= 200;
CREATE INDEX shop_btree ON shop (code);
CREATE INDEX product_btree ON product (code);
SELECT count(*) AS disorder FROM (SELECT code, lag(code) OVER () AS before FROM (SELECT code FROM shop ORDER BY code) AS o) AS s WHERE code < before;
SELECT count(*) AS disorder FROM (SELECT code::bigint AS code, lag(code::bigint) OVER () AS before FROM (SELECT code FROM product ORDER BY code DESC) AS o) AS s
WHERE code > before;

-- joins of every kind agree
SET enable_nestloop = off;
SET enable_mergejoin = off;
SELECT pg_temp.plan('SELECT * FROM shop a JOIN shop b USING (code)') ~ 'Hash Join' AS hash LIMIT 1;
SELECT count(*) AS hash_join FROM shop a JOIN shop b USING (code);
SELECT count(*) AS hash_join FROM product a JOIN product b USING (code);
RESET enable_mergejoin;
SET enable_hashjoin = off;
SELECT pg_temp.plan('SELECT * FROM shop a JOIN shop b USING (code)') ~ 'Merge Join' AS merge LIMIT 1;
SELECT count(*) AS merge_join FROM shop a JOIN shop b USING (code);
SELECT count(*) AS merge_join FROM product a JOIN product b USING (code);
RESET enable_hashjoin;
RESET enable_nestloop;
SELECT count(*) AS by_text FROM shop a JOIN shop b ON a.code::text = b.code::text;
SELECT count(*) AS by_text FROM product a JOIN product b ON a.code::text = b.code::text;

-- groups, by hash and by sort
SET enable_sort = off;
SELECT count(*) AS groups, max(n) AS largest FROM (SELECT count(*) AS n FROM shop GROUP BY code OFFSET 0) AS g;
RESET enable_sort;
SET enable_hashagg = off;
SELECT count(*) AS groups, max(n) AS largest FROM (SELECT count(*) AS n FROM shop GROUP BY code OFFSET 0) AS g;
RESET enable_hashagg;
SELECT count(DISTINCT code) AS items FROM product;
SELECT (SELECT code FROM product ORDER BY code LIMIT 1) <= ALL (SELECT code FROM product) AS first,
       (SELECT code FROM shop ORDER BY code DESC LIMIT 1) >= ALL (SELECT code FROM shop) AS last;

-- unique: the same characters are the same code, with or without !
CREATE TABLE register (code uscc PRIMARY KEY, item gtin UNIQUE);
INSERT INTO register VALUES ('91110000600037341L', '73513537'), ('91110000600037341N!', '614141123452');
INSERT INTO register VALUES ('91110000600037341n！', NULL);
INSERT INTO register VALUES ('91440300708461136T', '00000073513537') ON CONFLICT DO NOTHING;
INSERT INTO register VALUES ('91440300708461136T', '00000073513537');
SELECT * FROM register ORDER BY code;
-- text is taken on assignment, and nowhere in silence
INSERT INTO register SELECT '91440300708461136T'::text, '6901234567892'::text;
SELECT count(*) FROM register WHERE code = '91440300708461136T'::text;

-- partition keys
CREATE TABLE by_hash (code uscc, item gtin) PARTITION BY HASH (code, item);
CREATE TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_hash_1 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO by_hash SELECT s.code, p.code FROM shop s JOIN product p USING (n);
SELECT count(*) AS parts, bool_and(n > 300) AS even, sum(n) AS items FROM (SELECT count(*) AS n FROM by_hash GROUP BY tableoid) AS t;
CREATE TABLE by_range (code uscc, item gtin) PARTITION BY RANGE (code);
CREATE TABLE by_range_low PARTITION OF by_range FOR VALUES FROM (MINVALUE) TO ('915000000000000000!');
CREATE TABLE by_range_high PARTITION OF by_range FOR VALUES FROM ('915000000000000000!') TO (MAXVALUE);
INSERT INTO by_range SELECT code FROM shop;
SELECT tableoid::regclass AS part, count(*) > 1000 AS filled, bool_and((code::text COLLATE "C" < '915') = (tableoid = 'by_range_low'::regclass)) AS right_place
FROM by_range GROUP BY 1 ORDER BY 1;
SELECT pg_temp.plan($$SELECT * FROM by_range WHERE code = '91110000600037341L'$$);
CREATE TABLE by_list (item gtin) PARTITION BY LIST (item);
CREATE TABLE by_list_one PARTITION OF by_list FOR VALUES IN ('73513537');
INSERT INTO by_list VALUES ('00000073513537');
INSERT INTO by_list VALUES ('614141123452');

DROP TABLE shop, product, register, by_hash, by_range, by_list;
DROP EXTENSION quality_gov;

-- 50,000 listings. The bulk goes in as one statement; the doubtful share row by row, as an application
-- would, which goes on where one is refused.

SET timezone = 'Asia/Shanghai';
SET ROLE demo_platform;

INSERT INTO shop.product SELECT l.* FROM generate_series(1, 49000) n CROSS JOIN LATERAL demo.listing(n) l;

-- The application goes on; the attempt is on record without it.
CREATE PROCEDURE pg_temp.list(p shop.product) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO shop.product VALUES (p.*);
EXCEPTION WHEN SQLSTATE 'QG401' THEN
  NULL;
END
$$;

DO $$
DECLARE
  p shop.product;
  spelled text;
BEGIN
  FOR n IN 49001..50000 LOOP
    SELECT * INTO p FROM demo.listing(n);
    p.listed_at := timestamptz '2026-07-02 10:00+08' + (n - 49000) * interval '200 minutes';
    CASE demo.h('doubt' || n) % 10
      WHEN 0 THEN -- the statutory words in disguise
        spelled := demo.pick(ARRAY['国 家 级', '最-佳', '國家級', '国国家家级级', '国.家.级', '最' || chr(8203) || '高' || chr(8203) || '级', '最★佳', '最　高　级'], 'e' || n);
        p.title := spelled || ' ' || p.title;
      WHEN 1 THEN p.title := p.title || ' ' || demo.pick('{销量第一,全网最低,首选,顶级,No.1}', 'e' || n);
      WHEN 2 THEN
        SELECT l.shop_id, l.title, l.category INTO p.shop_id, p.title, p.category
        FROM demo.listing(n % 200 * 10 + 7) l; -- a cooperative's food
        p.title := p.title || ' ' || demo.pick('{根治失眠,辅助治疗糖尿病,降 血 压,药到病除,巴氏杀菌,anti-cancer}', 'e' || n);
      WHEN 3 THEN p.title := demo.pick('{高仿,精仿,A货,原单,专柜同款}', 'e' || n) || ' ' || p.title;
      WHEN 4 THEN p.producer := NULL;
      WHEN 5 THEN p.category := 'food'; -- whoever may not sell it
      WHEN 6 THEN p.descr := demo.pick('{最佳赏味期九十天,最佳使用温度二十度,secures your bag}', 'e' || n);
      WHEN 7 THEN p.title := p.title || ' ' || demo.pick('{最佳,国家级,最高级}', 'e' || n);
      WHEN 8 THEN p.title := demo.pick('{ｒｅｐｌｉｃａ,①：① COPY,Super-Clone,rерlicа,R.e.p.l.i.c.a,reeeplica,1比1}', 'e' || n) || ' ' || p.title;
      ELSE p.shop_id := demo.pick('{r-fields,r-listed,m-barred,m-lapsing}', 'e' || n);
           p.category := CASE p.shop_id WHEN 'm-lapsing' THEN 'food' ELSE 'toys' END;
           -- After m-barred was barred and the licence of m-lapsing ran out.
           p.listed_at := greatest(p.listed_at, '2026-11-05 10:00+08');
    END CASE;
    CALL pg_temp.list(p);
  END LOOP;
END
$$;
RESET ROLE;
ANALYZE;

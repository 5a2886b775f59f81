-- Generators: everything is computed from a row's number, so that every run makes the same data.

CREATE SCHEMA demo;
GRANT USAGE ON SCHEMA demo TO demo_platform;

CREATE FUNCTION demo.h(key text) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN ('x' || substr(md5(key), 1, 7))::bit(28)::integer;
COMMENT ON FUNCTION demo.h(text) IS 'A number from 0 to 2^28 - 1 that looks random and is always the same';

CREATE FUNCTION demo.pick(words text[], key text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN words[1 + demo.h(key) % cardinality(words)];

CREATE FUNCTION demo.uscc(head text, n integer) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
  alphabet constant text := '0123456789ABCDEFGHJKLMNPQRTUWXY';
  organization text := 'MA' || lpad(n::text, 6, '0');
  code text;
  total integer := 0;
  factor integer := 1;
BEGIN
  -- GB 11714: letters count from A = 10.
  SELECT 11 - sum(w * CASE c WHEN 'M' THEN 22 WHEN 'A' THEN 10 ELSE c::integer END) % 11 INTO total
  FROM unnest(string_to_array(organization, NULL), '{3,7,9,10,5,8,4,2}'::integer[]) AS x(c, w);
  code := head || organization || CASE total WHEN 10 THEN 'X' WHEN 11 THEN '0' ELSE total::text END;
  -- GB 32100: weights are the powers of 3 modulo 31.
  total := 0;
  FOR i IN 1..17 LOOP
    total := total + (strpos(alphabet, substr(code, i, 1)) - 1) * factor;
    factor := factor * 3 % 31;
  END LOOP;
  RETURN code || substr(alphabet, (31 - total % 31) % 31 + 1, 1);
END
$$;
COMMENT ON FUNCTION demo.uscc(text, integer) IS 'A valid unified social credit code: 8 characters and the n-th organisation';

CREATE FUNCTION demo.gtin(n integer) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN '692' || lpad(n::text, 9, '0') || quality_gov.gs1_check_digit('692' || lpad(n::text, 9, '0'));

CREATE FUNCTION demo.category(merchant integer) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE merchant % 10
    WHEN 8 THEN 'food' -- farmers' cooperatives
    WHEN 9 THEN 'home' -- unregistered sellers: handicraft
    ELSE ('{home,clothing,electronics,toys,beauty,food}'::text[])[1 + merchant % 6] END;

CREATE FUNCTION demo.shop_id(merchant integer) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN 'm-' || lpad(merchant::text, 4, '0');

CREATE FUNCTION demo.application(merchant integer) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT jsonb_strip_nulls(jsonb_build_object(
    'merchant_id', demo.shop_id(merchant),
    'name', city || word || trade || CASE kind WHEN 'company' THEN '有限公司' WHEN 'individual_business' THEN '经营部'
              WHEN 'farmers_cooperative' THEN '农民专业合作社' ELSE '手作' END,
    'kind', kind,
    'uscc', CASE kind WHEN 'company' THEN demo.uscc('91' || region, merchant)
              WHEN 'individual_business' THEN demo.uscc('92' || region, merchant)
              WHEN 'farmers_cooperative' THEN demo.uscc('93' || region, merchant) END,
    'organization_type', CASE kind WHEN 'company' THEN '有限责任公司' END,
    'legal_representative', CASE WHEN kind IN ('company', 'farmers_cooperative') THEN person END,
    'operator', CASE kind WHEN 'individual_business' THEN person END,
    'composition', CASE kind WHEN 'individual_business' THEN '个人经营' END,
    'registered_address', CASE WHEN kind <> 'unregistered' THEN city || '市' || word || '路' || merchant || '号' END,
    'actual_address', city || '市' || word || '路' || merchant || '号',
    'registered_capital', CASE kind WHEN 'company' THEN (10 + merchant % 490) || '万元' END,
    'member_contribution', CASE kind WHEN 'farmers_cooperative' THEN (5 + merchant % 95) || '万元' END,
    'contact', merchant || '@example.com',
    'self_declaration', CASE kind WHEN 'unregistered' THEN 'home_handicraft' END,
    'shop_name', word || '的店',
    'categories', jsonb_build_array(demo.category(merchant)),
    -- As identity_digest() computes it under the platform's key; no identity number is stored.
    'persons', jsonb_build_array(jsonb_build_object('position', 'legal_representative',
      'identity_digest', encode(sha256(convert_to('person ' || merchant, 'UTF8')), 'hex'))),
    'licenses', CASE demo.category(merchant) WHEN 'food' THEN jsonb_build_array(jsonb_build_object(
      'kind', 'food_business', 'number', 'FB' || lpad(merchant::text, 6, '0'), 'categories', '["food"]'::jsonb,
      'valid_from', '2024-01-01', 'valid_until', '2029-12-31')) END))
  FROM (SELECT demo.pick('{company,company,company,company,company,individual_business}', 'kind' || merchant) AS corporate) c
  CROSS JOIN LATERAL (SELECT CASE merchant % 10 WHEN 8 THEN 'farmers_cooperative' WHEN 9 THEN 'unregistered'
                             ELSE corporate END AS kind) k
  CROSS JOIN LATERAL (SELECT 1 + merchant % 10 AS place) p
  CROSS JOIN LATERAL (
    SELECT ('{杭州,宁波,广州,深圳,成都,武汉,苏州,青岛,厦门,西安}'::text[])[place] AS city,
           ('{330100,330200,440100,440300,510100,420100,320500,370200,350200,610100}'::text[])[place] AS region,
           demo.pick('{明,远,和,瑞,嘉,恒,启,青,云,宏,丰,泰,雅,星,海,晨}', 'w' || merchant)
             || demo.pick('{达,源,顺,禾,宁,景,航,岚,川,悦,博,逸,安,辰,林,舟}', 'v' || merchant) AS word,
           CASE demo.category(merchant) WHEN 'food' THEN '食品' WHEN 'clothing' THEN '服饰' WHEN 'electronics' THEN '电子'
             WHEN 'toys' THEN '玩具' WHEN 'beauty' THEN '美妆' ELSE '家居' END AS trade,
           demo.pick('{王,李,张,刘,陈,杨,赵,黄}', 's' || merchant) || demo.pick('{伟,芳,敏,静,强,磊,洋,艳}', 'g' || merchant) AS person) n;
END;

-- Titles of ordinary goods: who makes it, what it is like, what it is, how much.
CREATE FUNCTION demo.title(category text, n integer) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN demo.h('lang' || n) % 10 < 7 THEN
    demo.pick('{明禾,远航,和悦,瑞景,嘉宁,恒川,启辰,青岚,云舟,宏博,丰源,雅林}', 'b' || n) || ' '
    || demo.pick('{新款,家用,轻便,简约,加厚,便携,经典,手工,原色,四季,大容量,送礼}', 'a' || n)
    || CASE category
      WHEN 'food' THEN demo.pick('{山核桃仁,龙井茶,燕麦片,牛肉干,五常大米,蜂蜜,菌菇汤包,芝麻酱,红枣,苹果脆}', 'n' || n)
      WHEN 'clothing' THEN demo.pick('{棉质衬衫,羊毛围巾,针织开衫,帆布鞋,牛仔裤,羽绒背心,运动短袜,连衣裙}', 'n' || n)
      WHEN 'electronics' THEN demo.pick('{电热水壶,蓝牙音箱,台灯,充电器,吹风机,电饭煲,加湿器,路由器}', 'n' || n)
      WHEN 'toys' THEN demo.pick('{积木,毛绒熊,拼图,遥控车,木质火车,彩泥套装,望远镜,风筝}', 'n' || n)
      WHEN 'beauty' THEN demo.pick('{洁面乳,护手霜,身体乳,口红,防晒霜,发膜,沐浴露,香薰蜡烛}', 'n' || n)
      ELSE demo.pick('{收纳箱,棉麻桌布,陶瓷杯,竹编篮,四件套,衣架,地垫,羊毛毡杯垫}', 'n' || n) END
    || ' ' || demo.pick('{250克,500克,两件装,礼盒,大号,中号,升级版,2026款}', 'u' || n)
  ELSE
    demo.pick('{Mingyuan,Bluefold,Harrow,Kestrel,Linden,Oakline,Pinewood,Rivermark}', 'b' || n) || ' '
    || demo.pick('{light,soft,classic,compact,handmade,warm,everyday,travel}', 'a' || n) || ' '
    || CASE category
      WHEN 'food' THEN demo.pick('{green tea,oat flakes,beef jerky,wild honey,sesame paste,dried dates}', 'n' || n)
      WHEN 'clothing' THEN demo.pick('{cotton shirt,wool scarf,canvas shoes,denim trousers,down vest,socks}', 'n' || n)
      WHEN 'electronics' THEN demo.pick('{kettle,bluetooth speaker,desk lamp,charger,hair dryer,rice cooker}', 'n' || n)
      WHEN 'toys' THEN demo.pick('{building blocks,plush bear,jigsaw,remote car,wooden train,kite}', 'n' || n)
      WHEN 'beauty' THEN demo.pick('{hand cream,body lotion,lipstick,sunscreen,hair mask,shower gel}', 'n' || n)
      ELSE demo.pick('{storage box,linen tablecloth,ceramic mug,bamboo basket,bed set,coaster}', 'n' || n) END
    || ' ' || demo.pick('{250 g,500 g,set of two,gift box,large,medium,2026}', 'u' || n) END;

-- Ordinary listings, as rows of shop.product; the n-th belongs to the merchant of its number modulo 2,000.
-- It gives a set and is not strict, so that the planner can look into it.
CREATE FUNCTION demo.listing(n integer) RETURNS SETOF shop.product
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT n::bigint, demo.shop_id(merchant), demo.title(category, n), '产地直发，七天无理由退货', category,
    CASE WHEN demo.h('gtin' || n) % 10 < 7 THEN demo.gtin(n) END,
    'L' || to_char(listed - interval '20 days', 'YYYYMM'),
    demo.pick('{杭州明远,广州瑞景,成都启辰,青岛宏博,厦门云舟}', 'p' || n) || '制造有限公司',
    CASE WHEN category IN ('electronics', 'toys') THEN '20240109' || '01' || lpad(n::text, 6, '0') END,
    (5 + demo.h('price' || n) % 49500 / 100.0)::numeric(10, 2), 'on_sale', listed, NULL::jsonb
  FROM (SELECT n % 2000 + 1 AS merchant) m
  CROSS JOIN LATERAL (SELECT demo.category(merchant) AS category,
                             timestamptz '2026-07-01 08:00+08' + n * interval '240 seconds' AS listed) c;
END;

-- What a statement says to a role that has no right to it.
CREATE FUNCTION demo.refused(statement text) RETURNS text
  LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
  EXECUTE statement;
  RETURN 'done';
EXCEPTION WHEN insufficient_privilege THEN
  RETURN SQLERRM;
END
$$;

-- What the application is told when it takes an order, or puts up a listing, that nobody has cleaned.
CREATE FUNCTION demo.order_try(product shop.product, lot text, at timestamptz) RETURNS text
  LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
  INSERT INTO shop.orders VALUES ((SELECT max(id) + 1 FROM shop.orders), product.id, product.shop_id, product.category,
                                  product.gtin, order_try.lot, product.price, at);
  RETURN 'sold';
EXCEPTION WHEN SQLSTATE 'QG601' THEN
  RETURN SQLERRM;
END
$$;
CREATE FUNCTION demo.listing_try(product shop.product) RETURNS text
  LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  kept text;
BEGIN
  INSERT INTO shop.product VALUES (product.*) RETURNING status INTO kept;
  RETURN kept;
EXCEPTION WHEN SQLSTATE 'QG401' THEN
  RETURN SQLERRM;
END
$$;

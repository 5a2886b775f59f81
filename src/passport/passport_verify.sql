
-- passport: what is behind a scanned code

-- Of a serial number it is asked each time where else it was sold, whatever the lot.
CREATE INDEX sale_item ON sale (gtin, serial) WHERE serial IS NOT NULL;

CREATE TABLE passport_status (
  reason text NOT NULL,
  status text NOT NULL,
  rank integer NOT NULL,
  title text NOT NULL,
  title_zh text NOT NULL,
  genuine boolean NOT NULL,
  CONSTRAINT passport_status_pkey PRIMARY KEY (reason)
);
COMMENT ON TABLE passport_status IS
  'Reasons that passport_verify() gives, the status that each leads to, and which goes before which (lowest rank), whether goods may still be genuine; shipped, not dumped';
INSERT INTO passport_status VALUES
  ('no_link', 'invalid', 10, 'Neither a GS1 Digital Link nor a code', '不是有效的商品码', false),
  ('too_long', 'invalid', 10, 'Longer than a link can be', '商品码过长', false),
  ('wrong_path', 'invalid', 10, 'Parts of the link are missing or in the wrong order', '链接结构错误', false),
  ('wrong_value', 'invalid', 10, 'A number in the link is wrong', '链接中的编号错误', false),
  ('wrong_host', 'invalid', 10, 'The link hides its host', '链接主机名异常', false),
  ('foreign_host', 'invalid', 10, 'The link leads to a host that is not ours', '链接指向非本平台主机', false),
  ('recalled', 'recalled', 20, 'The goods are recalled', '商品已召回', true),
  ('code_revoked', 'revoked', 30, 'The code was revoked', '赋码已作废', false),
  ('revoked', 'revoked', 30, 'The passport was revoked', '护照已撤销', false),
  ('suspended', 'revoked', 31, 'The passport is suspended', '护照已暂停', false),
  ('bad_signature', 'not_authentic', 40, 'The passport was changed after it was signed', '护照签名无效', false),
  ('unknown_key', 'not_authentic', 40, 'The key that signed is not known', '签名密钥未知', false),
  ('key_revoked', 'not_authentic', 40, 'The key that signed was revoked', '签名密钥已撤销', false),
  ('key_not_valid', 'not_authentic', 40, 'The key was not valid when it signed', '签名时密钥无效', false),
  ('key_not_for_goods', 'not_authentic', 40, 'The key does not sign for these goods', '密钥无权签署该商品', false),
  ('unknown_code', 'not_authentic', 41, 'The goods have codes, and this is none of them', '该商品无此赋码', false),
  ('wrong_lot', 'not_authentic', 42, 'The serial number belongs to another lot', '序列号不属于该批次', false),
  ('code_not_issued', 'not_authentic', 43, 'The code was not issued yet', '赋码尚未发出', false),
  ('sold_twice', 'suspected_copy', 50, 'The serial number was sold under several orders', '同一序列号多次售出', false),
  ('sold_elsewhere', 'suspected_copy', 50, 'The serial number was sold under another order', '该序列号已在其他订单售出', false),
  ('impossible_speed', 'suspected_copy', 51, 'It was scanned in places too far apart for the time between', '短时间内异地扫码', false),
  ('many_places', 'suspected_copy', 51, 'It was scanned in too many places', '扫码地点过多', false),
  ('many_scanners', 'suspected_copy', 51, 'It was scanned by too many', '扫码人数过多', false),
  ('beyond_quantity', 'suspected_copy', 52, 'More codes of the lot came before than pieces were made', '赋码数量超过生产数量', false),
  ('no_proof', 'unknown', 60, 'Neither a passport nor a code is known of the goods', '无护照或赋码记录', false),
  ('code_unread', 'unknown', 61, 'The key of the code is not there', '无法核验赋码', false),
  ('expired', 'expired', 70, 'The passport''s validity has ended', '护照已过期', false),
  ('lot_expired', 'expired', 70, 'The lot is past its last day', '商品已过期', true),
  ('not_yet_valid', 'not_yet_valid', 71, 'The passport is not valid yet', '护照尚未生效', false),
  ('recall_suspected', 'authentic', 90, 'Goods are held while a defect is suspected', '疑似缺陷，暂停销售', true),
  ('returned', 'authentic', 91, 'It was sold and returned', '该商品曾退货', true);

CREATE FUNCTION passport_code_open(short_form text, OUT host text, OUT gtin gtin, OUT lot text, OUT serial text, OUT fault text)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  SELECT b.gtin, b.lot_code, s.code INTO gtin, lot, serial
  FROM quality_gov.code_short_read(short_form) s JOIN quality_gov.code_batch b ON b.batch_id = s.batch_id;
  fault := CASE WHEN gtin IS NULL THEN 'no_link' END;
END
$$;
COMMENT ON FUNCTION passport_code_open(text) IS
  'Goods of a code in its short form, as digital_link_read() has those of a link';

CREATE FUNCTION passport_recalls(gtin gtin, lot text, serial text, at timestamptz, OUT reasons text[], OUT recalls jsonb)
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  r record;
BEGIN
  reasons := '{}';
  FOR r IN SELECT DISTINCT b.verdict, b.reason, b.since, b.legal_basis FROM quality_gov.recall_bar(gtin::text, lot, serial) b
           WHERE b.since <= at AND COALESCE(b.until, 'infinity') > at ORDER BY b.since, b.reason LOOP
    IF r.verdict <> 'deny' THEN
      reasons := array_remove(reasons, 'recall_suspected') || 'recall_suspected'::text;
    ELSE
      reasons := array_remove(reasons, 'recalled') || 'recalled'::text;
      recalls := COALESCE(recalls, '[]') || jsonb_build_object('recall', r.reason, 'since', r.since, 'legal_basis', r.legal_basis);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION passport_recalls(gtin, text, text, timestamptz) IS
  'Recalls of goods at an instant, as reasons and, of those that stop the goods, for everybody to read; a mere suspicion is not told';

CREATE FUNCTION passport_sales(gtin gtin, serial text, at timestamptz, merchant_id text, order_id text) RETURNS text[]
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  sold record;
  orders text[] := '{}';
  elsewhere boolean := false;
BEGIN
  FOR sold IN SELECT s.merchant_id, s.order_id, s.state FROM quality_gov.sale s
              WHERE s.gtin = passport_sales.gtin AND s.serial = passport_sales.serial AND s.sold_at <= at
                AND s.state <> 'cancelled' ORDER BY s.sold_at, s.merchant_id, s.order_id LOOP
    IF sold.state <> 'returned' THEN
      orders := array_remove(orders, sold.merchant_id || E'\n' || sold.order_id) || (sold.merchant_id || E'\n' || sold.order_id);
      elsewhere := elsewhere OR COALESCE(sold.order_id <> order_id, false) OR COALESCE(sold.merchant_id <> merchant_id, false);
    END IF;
  END LOOP;
  RETURN CASE WHEN cardinality(orders) > 1 THEN '{sold_twice}'::text[] ELSE '{}' END
    || CASE WHEN elsewhere THEN '{sold_elsewhere}'::text[] ELSE '{}' END
    || CASE WHEN sold.state = 'returned' THEN '{returned}'::text[] ELSE '{}' END;
END
$$;
COMMENT ON FUNCTION passport_sales(gtin, text, timestamptz, text, text) IS
  'What sales of a serial number until an instant, as they stand now, say against it: under several orders, under another order or merchant than the one asked about, returned';

CREATE FUNCTION passport_scan_clone(goods text, at timestamptz, place text, latitude float8, longitude float8, scanner bytea)
  RETURNS text[]
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
DECLARE
  found record;
BEGIN
  -- Two places that are one to a hundredth of a degree may lie 1.6 km apart: hence the least distance_km.
  SELECT min(p.places) < count(DISTINCT x.place) AS places, min(p.scanners) < count(DISTINCT x.scanner) AS scanners,
         bool_or(x.km > p.distance_km AND x.km > p.speed_kmh * x.hours) AS jumped
  INTO found
  FROM (SELECT y.* FROM quality_gov.scan_policy y WHERE y.effect @> passport_scan_clone.at
        ORDER BY y.builtin, lower(y.effect) DESC NULLS LAST, y.policy LIMIT 1) p
  CROSS JOIN LATERAL (
    SELECT y.place, y.scanner, extract(epoch FROM y.at - y.at_before)::float8 / 3600 AS hours,
           quality_gov.geo_distance_km(y.latitude, y.longitude, y.latitude_before, y.longitude_before) AS km
    FROM (
    SELECT s.*, lag(s.at) OVER w AS at_before, lag(s.latitude) OVER w AS latitude_before, lag(s.longitude) OVER w AS longitude_before
    FROM (SELECT passport_scan_clone.at, passport_scan_clone.place, passport_scan_clone.latitude, passport_scan_clone.longitude, passport_scan_clone.scanner
          UNION ALL
          (SELECT r.at, r.place, r.latitude, r.longitude, r.scanner FROM quality_gov.passport_scan r
           WHERE r.goods = passport_scan_clone.goods AND r.at <= passport_scan_clone.at AND r.at > passport_scan_clone.at - p.period
           ORDER BY r.at DESC LIMIT p.scans)) s
    -- A scan that tells no place lies between no two that do.
    WINDOW w AS (PARTITION BY s.latitude IS NULL ORDER BY s.at)) y) x;
  RETURN CASE WHEN found.jumped THEN '{impossible_speed}'::text[] ELSE '{}' END
    || CASE WHEN found.places THEN '{many_places}'::text[] ELSE '{}' END
    || CASE WHEN found.scanners THEN '{many_scanners}'::text[] ELSE '{}' END;
END
$$;
COMMENT ON FUNCTION passport_scan_clone(text, timestamptz, text, float8, float8, bytea) IS
  'What says that the last scans of a serial number until an instant, with one more there and then, are not of one thing, by the scan_policy in force';

CREATE FUNCTION passport_scan_arguments(at timestamptz, record boolean, place text, latitude float8, longitude float8, scanner text,
                                        channel text) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, quality_gov, pg_temp
AS $$
BEGIN
  IF at IS NULL OR NOT isfinite(at) OR record IS NULL OR channel IS NULL THEN
    RAISE EXCEPTION 'a scan is verified at a finite instant, with record and channel given' USING ERRCODE = 'invalid_parameter_value';
  ELSIF channel !~ '^[a-z][a-z0-9_]{0,40}$' THEN
    RAISE EXCEPTION 'channel must be a word of small letters, digits and _, found "%"', left(channel, 60) USING ERRCODE = 'invalid_parameter_value';
  ELSIF length(place) > 200 OR length(scanner) > 200 THEN
    RAISE EXCEPTION 'place and scanner have at most 200 characters' USING ERRCODE = 'string_data_right_truncation';
  ELSIF (latitude IS NULL) <> (longitude IS NULL) OR NOT (latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180) THEN
    RAISE EXCEPTION 'a place is a latitude of -90 to 90 and a longitude of -180 to 180 degrees, found % and %',
      COALESCE(latitude::text, 'null'), COALESCE(longitude::text, 'null') USING ERRCODE = 'invalid_parameter_value';
  ELSIF record AND current_setting('transaction_read_only')::boolean THEN
    RAISE EXCEPTION 'a scan cannot be recorded in a read-only transaction' USING ERRCODE = 'read_only_sql_transaction',
      HINT = 'Verify with record => false, as on a standby.';
  END IF;
END
$$;
COMMENT ON FUNCTION passport_scan_arguments(timestamptz, boolean, text, float8, float8, text, text) IS
  'Raises an error unless what an application tells of a scan can be kept: 22023, 22001, 25006';

-- One query reads what several could, and functions are called by assignment where they can be: a scan has few microseconds.
CREATE FUNCTION passport_verify_full(uri text, at timestamptz, record boolean, place text, latitude float8, longitude float8,
                                scanner text, channel text, merchant_id text, order_id text,
                                OUT authentic boolean, OUT status text, OUT reasons text[], OUT gtin gtin, OUT lot text, OUT serial text,
                                OUT passport_id bigint, OUT first_scan timestamptz, OUT scans bigint, OUT clone_suspected boolean,
                                OUT claims jsonb, OUT recalls jsonb, OUT expires_on date, OUT level text, OUT is_first boolean,
                                OUT scans_exact boolean, OUT scan_id bigint)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, quality_gov, pg_temp
  -- Plans are made once, and those made while the tables were small must serve when they are not.
  SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
DECLARE
  link record := quality_gov.digital_link_read(COALESCE(btrim(uri, E' \t\r\n'), ''));
  code record;
  counted record;
  added text[];
  scanned text;
  fault text := link.fault;
  batch bigint;
  faults text[];
  settled boolean := false;
  ours boolean;
  coded boolean;
  item_lot text;
  recalled boolean;
  sold boolean;
  known boolean;
  claimed boolean;
  who bytea;
  tail integer := 0;
  written text;
BEGIN
  -- What is said of a merchant's goods is said by it, or by who speaks for all.
  IF merchant_id IS NOT NULL THEN
    PERFORM quality_gov.session_party_require(merchant_id, '{quality_gov_admin,quality_gov_app,quality_gov_regulator}');
  END IF;
  IF record IS NULL OR NOT COALESCE(isfinite(at), false) OR channel IS DISTINCT FROM 'consumer' OR COALESCE(place, scanner) IS NOT NULL
     OR latitude IS NOT NULL OR longitude IS NOT NULL OR record AND current_setting('transaction_read_only') <> 'off' THEN
    PERFORM quality_gov.passport_scan_arguments(at, record, place, latitude, longitude, scanner, channel);
  END IF;
  IF fault = 'no_link' THEN
    link := quality_gov.passport_code_open(uri);
    fault := link.fault;
  END IF;
  WHILE fault IS NULL LOOP
    SELECT COALESCE(k.lot, p.lot_code), k.serial, k.goods, k.coded, COALESCE(k.item_lot, CASE p.level WHEN 'item' THEN p.lot_code END), k.ours, b.id, p.level, quality_gov.passport_fault(b.id, passport_verify_full.at),
           p.credential #> '{credentialSubject,claims}',
           (SELECT l.expires_on FROM quality_gov.lot l WHERE l.gtin = link.gtin AND l.lot_code = COALESCE(k.lot, p.lot_code)),
           EXISTS (SELECT FROM quality_gov.recall_scope x WHERE x.gtin = link.gtin)
             OR EXISTS (SELECT FROM quality_gov.gtin_alias a WHERE a.old = link.gtin)
             OR EXISTS (SELECT FROM quality_gov.gtin_alias a WHERE a.gtin = link.gtin),
           EXISTS (SELECT FROM quality_gov.sale s WHERE s.gtin = link.gtin AND s.serial = k.serial),
           EXISTS (SELECT FROM quality_gov.passport_scan s WHERE s.goods = k.goods)
             OR EXISTS (SELECT FROM quality_gov.passport_scan_opening o WHERE o.goods = k.goods),
           EXISTS (SELECT FROM quality_gov.passport_scan_first f WHERE f.goods = k.goods)
    INTO lot, serial, scanned, coded, item_lot, ours, passport_id, level, faults, claims, expires_on, recalled, sold, known, claimed
    FROM (SELECT link.lot, link.serial, quality_gov.passport_goods(link.gtin, link.lot, link.serial) AS goods,
                 EXISTS (SELECT FROM quality_gov.code_batch b WHERE b.gtin = link.gtin) AND link.serial IS NOT NULL AS coded,
                 (SELECT l.lot_code FROM quality_gov.lot_item i JOIN quality_gov.lot l ON l.lot_id = i.lot_id
                  WHERE i.gtin = link.gtin AND i.serial = link.serial) AS item_lot,
                 link.host IS NULL OR EXISTS (SELECT FROM quality_gov.passport_resolver h WHERE h.host = link.host) AS ours OFFSET 0) k
    CROSS JOIN LATERAL (
      SELECT CASE WHEN settled OR k.ours AND NOT k.coded AND k.item_lot IS NULL
                  THEN quality_gov.passport_find(link.gtin, k.lot, k.serial, passport_verify_full.at) END AS id OFFSET 0) b
    LEFT JOIN quality_gov.passport p ON p.passport_id = b.id;
    IF NOT ours THEN
      fault := 'foreign_host';
    ELSIF settled OR NOT coded AND (item_lot IS NULL OR passport_id IS NOT NULL) THEN
      -- The lot of an item is the one that its passport tells, or that its number was entered under.
      reasons := CASE WHEN item_lot <> link.lot THEN '{wrong_lot}' END;
      settled := true;
      EXIT;
    ELSE
      -- What a serial number is of may correct lot and number, and all is read once more.
      settled := true;
      IF coded THEN
        code := quality_gov.code_lookup(serial, link.gtin, lot);
        batch := code.batch_id;
        link.serial := code.serial;
        link.lot := COALESCE(link.lot, code.lot);
      END IF;
      link.lot := COALESCE(link.lot, item_lot);
    END IF;
  END LOOP;
  clone_suspected := false;
  is_first := false;
  IF fault IS NOT NULL THEN
    reasons := ARRAY[fault];
    lot := NULL;
    serial := NULL;
    scanned := NULL;
    claims := NULL;
  ELSE
    gtin := link.gtin;
    IF reasons IS NOT NULL OR faults IS DISTINCT FROM '{}' OR coded OR recalled OR sold OR expires_on IS NOT NULL THEN
      reasons := reasons || faults;
      IF batch IS NOT NULL THEN
        level := 'item';
        reasons := reasons || quality_gov.code_fault(batch, code.item, code.nth, code.since, gtin, lot, at);
      ELSIF coded AND level IS DISTINCT FROM 'item' THEN
        reasons := reasons || CASE WHEN code.unread THEN '{code_unread}'::text[] WHEN code.batches > 0 THEN '{unknown_code}' END;
      END IF;
      IF passport_id IS NULL AND batch IS NULL AND COALESCE(reasons, '{}') = '{}' THEN
        reasons := '{no_proof}';
      END IF;
      IF recalled THEN
        SELECT r.reasons, r.recalls INTO added, recalls FROM quality_gov.passport_recalls(gtin, lot, serial, at) r;
        reasons := reasons || added;
      END IF;
      IF expires_on IS NULL AND recalled THEN
        expires_on := (SELECT l.expires_on FROM quality_gov.lot l
                       WHERE l.gtin = quality_gov.gtin_current(link.gtin) AND l.lot_code = passport_verify_full.lot);
      END IF;
      IF expires_on < (at AT TIME ZONE 'Asia/Shanghai')::date THEN
        reasons := reasons || 'lot_expired'::text;
      END IF;
      IF sold THEN
        reasons := reasons || quality_gov.passport_sales(gtin, serial, at, merchant_id, order_id);
      END IF;
    END IF;
    IF record THEN
      scan_id := nextval('quality_gov.passport_scan_scan_id_seq');
      IF scanner IS NOT NULL THEN
        who := quality_gov.code_digest(quality_gov.code_key(), 4, scanned || ' ' || scanner);
      END IF;
      IF level = 'item' AND NOT claimed THEN
        -- Of two at once the second waits here, and counts what the first has left.
        INSERT INTO quality_gov.passport_scan_first (goods, scan_id, at) VALUES (scanned, scan_id, at) ON CONFLICT DO NOTHING;
        is_first := FOUND;
        known := known OR NOT is_first;
      END IF;
    END IF;
    scans := 0;
    scans_exact := true;
    IF known THEN
      counted := quality_gov.passport_scan_count(scanned, at);
      scans := counted.scans;
      scans_exact := counted.exact;
      first_scan := counted.first_at;
      tail := counted.tail;
      IF serial IS NOT NULL AND counted.last_at IS NOT NULL THEN
        added := quality_gov.passport_scan_clone(scanned, at, place, latitude, longitude, who);
        clone_suspected := added <> '{}';
        reasons := reasons || added;
      END IF;
    END IF;
  END IF;
  reasons := COALESCE(reasons, '{}');
  authentic := reasons = '{}';
  status := 'authentic';
  IF NOT authentic THEN
    SELECT COALESCE((array_agg(COALESCE(s.status, 'not_authentic') ORDER BY s.rank))[1], 'not_authentic'), bool_and(COALESCE(s.genuine, false))
    INTO status, authentic
    FROM unnest(reasons) AS r(reason) LEFT JOIN quality_gov.passport_status s USING (reason);
  END IF;
  IF record THEN
    scans := scans + 1;
    first_scan := CASE WHEN scanned IS NOT NULL THEN COALESCE(first_scan, at) END;
    scan_id := COALESCE(scan_id, nextval('quality_gov.passport_scan_scan_id_seq'));
    written := quality_gov.passport_scan_write(ROW(scan_id, at, clock_timestamp(), scanned, gtin, lot, serial, status, reasons,
      passport_id, batch, channel, place, latitude, longitude, who, merchant_id, order_id, pg_current_xact_id())::quality_gov.passport_scan);
    IF status NOT IN ('authentic', 'invalid', 'unknown') THEN
      PERFORM quality_gov.ledger_record('passport_scan', scanned, jsonb_build_object('scan_id', scan_id, 'status', status,
        'reasons', reasons, 'at', at));
    END IF;
    -- Now and then, for what this transaction has not committed stays in the tail.
    IF tail >= 32 AND (tail % 16 = 0 OR scan_id % 32 = 0) THEN
      PERFORM quality_gov.passport_scan_tally_add(scanned);
    END IF;
  END IF;
END
$$;
COMMENT ON FUNCTION passport_verify_full(text, timestamptz, boolean, text, float8, float8, text, text, text, text) IS
  'What passport_verify() answers, decided in full; that asks it wherever a scan is not plain';

-- Facts that a scan remembers until they change.
CREATE TRIGGER passport_key_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON passport_key
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER passport_key_goods_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON passport_key_goods
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER passport_key_revocation_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON passport_key_revocation
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER passport_resolver_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON passport_resolver
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CREATE TRIGGER code_batch_invalidate AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON code_batch
  FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();

CREATE FUNCTION passport_verify(uri text, at timestamptz DEFAULT now(), record boolean DEFAULT true, place text DEFAULT NULL,
                                latitude float8 DEFAULT NULL, longitude float8 DEFAULT NULL, scanner text DEFAULT NULL,
                                channel text DEFAULT 'consumer', merchant_id text DEFAULT NULL, order_id text DEFAULT NULL,
                                OUT authentic boolean, OUT status text, OUT reasons text[], OUT gtin gtin, OUT lot text, OUT serial text,
                                OUT passport_id bigint, OUT first_scan timestamptz, OUT scans bigint, OUT clone_suspected boolean,
                                OUT claims jsonb, OUT recalls jsonb, OUT expires_on date, OUT level text, OUT is_first boolean,
                                OUT scans_exact boolean, OUT scan_id bigint)
  AS 'MODULE_PATHNAME', 'qg_passport_verify' LANGUAGE c VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION passport_verify(text, timestamptz, boolean, text, float8, float8, text, text, text, text) IS
  'What is behind a scanned text as of an instant: authentic says whether the goods are proven genuine, status the first thing to know (invalid, recalled, revoked, not_authentic, suspected_copy, unknown, expired, not_yet_valid, authentic), reasons all of them (passport_status); whose and how often it was scanned, what the public may read; record writes the scan, with place, coordinates (kept to about 1 km), scanner (kept as a keyed digest that differs for all goods), merchant and order where given, and needs a transaction that can write (25006); whatever the text, an answer and never an error';

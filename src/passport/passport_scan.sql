
-- passport: what was scanned, where and when; nothing of who scanned

CREATE TABLE passport_resolver (
  host text NOT NULL,
  title text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT passport_resolver_pkey PRIMARY KEY (host),
  CONSTRAINT passport_resolver_host CHECK (host ~ '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$')
);
COMMENT ON TABLE passport_resolver IS
  'Hosts whose links are taken for ours, in small letters: a right number under another host leads whoever scans it elsewhere';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_resolver', 'WHERE NOT builtin');
INSERT INTO passport_resolver VALUES ('id.gs1.org', 'Resolver of GS1', true);
CREATE TRIGGER passport_resolver_builtin BEFORE INSERT OR UPDATE OR DELETE ON passport_resolver
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE TABLE scan_policy (
  policy text NOT NULL,
  effect tstzrange NOT NULL,
  period interval NOT NULL,
  scans integer NOT NULL,
  speed_kmh float8 NOT NULL,
  distance_km float8 NOT NULL,
  places integer NOT NULL,
  scanners integer NOT NULL,
  basis text NOT NULL,
  builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT scan_policy_pkey PRIMARY KEY (policy, effect),
  CONSTRAINT scan_policy_effect CHECK (NOT isempty(effect)),
  CONSTRAINT scan_policy_period CHECK (period > '0' AND period <= '366 days'),
  CONSTRAINT scan_policy_scans CHECK (scans BETWEEN 2 AND 1000),
  CONSTRAINT scan_policy_speed_kmh CHECK (speed_kmh > 0 AND speed_kmh < 'Infinity'),
  CONSTRAINT scan_policy_distance_km CHECK (distance_km >= 3 AND distance_km < 20038),
  CONSTRAINT scan_policy_places CHECK (places > 0),
  CONSTRAINT scan_policy_scanners CHECK (scanners > 0)
);
COMMENT ON TABLE scan_policy IS
  'When scans of one serial number say that it was copied, by period of effect: faster than speed_kmh between places further apart than distance_km, or more than places places or scanners scanners, over the last scans of period; the platform''s rule and no law; a row of the platform''s goes before ours';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.scan_policy', 'WHERE NOT builtin');
INSERT INTO scan_policy VALUES
  ('default', '(,)', '7 days', 64, 1000, 100, 5, 20, 'rule of the platform: an airliner flies about 900 km/h', true);
CREATE TRIGGER scan_policy_builtin BEFORE INSERT OR UPDATE OR DELETE ON scan_policy
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

CREATE TABLE passport_scan (
  scan_id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  goods text,
  gtin gtin,
  lot_code text,
  serial text,
  status text NOT NULL,
  reasons text[] NOT NULL,
  passport_id bigint,
  batch_id bigint,
  channel text NOT NULL,
  place text,
  latitude numeric(4,2),
  longitude numeric(5,2),
  scanner bytea,
  merchant_id text,
  order_id text,
  xid xid8 NOT NULL,
  CONSTRAINT passport_scan_pkey PRIMARY KEY (scan_id),
  CONSTRAINT passport_scan_at CHECK (isfinite(at)),
  CONSTRAINT passport_scan_channel CHECK (channel ~ '^[a-z][a-z0-9_]{0,40}$'),
  CONSTRAINT passport_scan_place CHECK (length(place) <= 200),
  CONSTRAINT passport_scan_latitude CHECK (latitude BETWEEN -90 AND 90 AND (latitude IS NULL) = (longitude IS NULL)),
  CONSTRAINT passport_scan_longitude CHECK (longitude BETWEEN -180 AND 180),
  CONSTRAINT passport_scan_scanner CHECK (octet_length(scanner) = 16)
);
CREATE INDEX passport_scan_goods ON passport_scan (goods, at);
CREATE INDEX passport_scan_tail ON passport_scan (goods, xid);
CREATE INDEX passport_scan_suspect ON passport_scan (at) WHERE status <> 'authentic';
COMMENT ON TABLE passport_scan IS
  'Scans, append-only: goods (what passport_goods() makes of GTIN, lot and serial number), the verdict, and as far as was told the channel, the place by name or to a hundredth of a degree (about 1 km), a keyed digest of the scanner, merchant and order; of a link that is none only the verdict';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_scan', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_scan_scan_id_seq', '');
CREATE TRIGGER passport_scan_stamp BEFORE INSERT ON passport_scan
  FOR EACH ROW EXECUTE FUNCTION stamp_xid('xid');
-- Sums are compared with snapshots of this cluster, also for rows that replication brings.
ALTER TABLE passport_scan ENABLE ALWAYS TRIGGER passport_scan_stamp;
CREATE TRIGGER passport_scan_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON passport_scan
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION passport_scan_write(scan passport_scan) RETURNS void
  AS 'MODULE_PATHNAME', 'qg_passport_scan_write' LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION passport_scan_write(passport_scan) IS
  'Inserts a scan without a query; passport_verify() calls it';

CREATE TABLE passport_scan_first (
  goods text NOT NULL,
  scan_id bigint NOT NULL,
  at timestamptz NOT NULL,
  CONSTRAINT passport_scan_first_pkey PRIMARY KEY (goods)
);
COMMENT ON TABLE passport_scan_first IS
  'The one scan of each proven serial number that was the first: of two at once the second waits until the first is certain; never changed';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_scan_first', '');
CREATE TRIGGER passport_scan_first_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON passport_scan_first
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE passport_scan_opening (
  goods text NOT NULL,
  opening_id bigint GENERATED ALWAYS AS IDENTITY,
  scans bigint NOT NULL,
  first_at timestamptz NOT NULL,
  CONSTRAINT passport_scan_opening_pkey PRIMARY KEY (goods, opening_id),
  CONSTRAINT passport_scan_opening_scans CHECK (scans > 0)
);
COMMENT ON TABLE passport_scan_opening IS
  'Scans that passport_scan_retire() deleted: how many, and the earliest; a fact, and dumped';
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_scan_opening', '');
SELECT pg_catalog.pg_extension_config_dump('quality_gov.passport_scan_opening_opening_id_seq', '');

CREATE TABLE passport_scan_tally (
  goods text NOT NULL,
  tally_id bigint GENERATED ALWAYS AS IDENTITY,
  scans bigint NOT NULL,
  seen pg_snapshot NOT NULL,
  CONSTRAINT passport_scan_tally_pkey PRIMARY KEY (goods, tally_id)
);
COMMENT ON TABLE passport_scan_tally IS
  'Numbers of scans of goods, each of those that the snapshot seen shows; whoever counts many adds a row and updates none, so that nobody waits; derived, not dumped';

CREATE FUNCTION passport_goods(gtin gtin, lot_code text, serial text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN gtin::text || CASE WHEN serial IS NOT NULL THEN '/21/' || serial WHEN lot_code IS NOT NULL THEN '/10/' || lot_code ELSE '' END;
COMMENT ON FUNCTION passport_goods(gtin, text, text) IS
  'What scans are counted by: a serial number within its GTIN, else the lot, else the GTIN';

CREATE FUNCTION geo_distance_km(latitude1 float8, longitude1 float8, latitude2 float8, longitude2 float8) RETURNS float8
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN latitude1 + longitude1 + latitude2 + longitude2 IS NOT NULL
    THEN 12742.0176 * asin(sqrt(least(1, (sind((latitude2 - latitude1) / 2)) ^ 2
           + cosd(latitude1) * cosd(latitude2) * (sind((longitude2 - longitude1) / 2)) ^ 2))) END;
COMMENT ON FUNCTION geo_distance_km(float8, float8, float8, float8) IS
  'Great-circle distance of two places given in degrees, in km on a sphere of the mean radius 6371.0088 km (haversine formula)';

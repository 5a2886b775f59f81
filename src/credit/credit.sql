
-- credit: the tally type

CREATE TYPE credit_tally;
CREATE FUNCTION credit_tally_in(cstring) RETURNS credit_tally
  AS 'MODULE_PATHNAME', 'qg_credit_tally_in' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_in(cstring) IS 'Input of credit_tally: (good,bad)@cell/half_life; 22P02 where malformed';
CREATE FUNCTION credit_tally_out(credit_tally) RETURNS cstring
  AS 'MODULE_PATHNAME', 'qg_credit_tally_out' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_out(credit_tally) IS 'Output of credit_tally, lossless';
CREATE FUNCTION credit_tally_recv(internal) RETURNS credit_tally
  AS 'MODULE_PATHNAME', 'qg_credit_tally_recv' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_recv(internal) IS 'Binary input of credit_tally: version byte, half-life, cell, good, bad';
CREATE FUNCTION credit_tally_send(credit_tally) RETURNS bytea
  AS 'MODULE_PATHNAME', 'qg_credit_tally_send' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_send(credit_tally) IS 'Binary output of credit_tally';
CREATE TYPE credit_tally (
  INPUT = credit_tally_in, OUTPUT = credit_tally_out, RECEIVE = credit_tally_recv, SEND = credit_tally_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = plain
);
COMMENT ON TYPE credit_tally IS 'Exactly linear, time-decayed pair (good, bad): adding, merging and voiding give the same in any order, up to the rounding of additions';

-- credit: aggregates

CREATE FUNCTION credit_tally_accum(internal, float8, float8, timestamptz, interval) RETURNS internal
  AS 'MODULE_PATHNAME', 'qg_credit_tally_accum' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_accum(internal, float8, float8, timestamptz, interval) IS 'Transition of the aggregate credit_tally';
CREATE FUNCTION credit_tally_combine(internal, internal) RETURNS internal
  AS 'MODULE_PATHNAME', 'qg_credit_tally_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_combine(internal, internal) IS 'Combines states of the aggregate credit_tally';
CREATE FUNCTION credit_tally_serial(internal) RETURNS bytea
  AS 'MODULE_PATHNAME', 'qg_credit_tally_serial' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_serial(internal) IS 'Packs a state of the aggregate credit_tally';
CREATE FUNCTION credit_tally_deserial(bytea, internal) RETURNS internal
  AS 'MODULE_PATHNAME', 'qg_credit_tally_deserial' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_deserial(bytea, internal) IS 'Unpacks a state of the aggregate credit_tally';
CREATE FUNCTION credit_tally_final(internal) RETURNS credit_tally
  AS 'MODULE_PATHNAME', 'qg_credit_tally_final' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_final(internal) IS 'Makes the tally of a state of the aggregate credit_tally';
CREATE FUNCTION credit_tally_add(credit_tally, credit_tally) RETURNS credit_tally
  AS 'MODULE_PATHNAME', 'qg_credit_tally_add' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_add(credit_tally, credit_tally) IS 'Merges two tallies of one half-life (22023 where they differ)';
CREATE AGGREGATE credit_tally(good float8, bad float8, at timestamptz, half_life interval) (
  SFUNC = credit_tally_accum, STYPE = internal, SSPACE = 32, FINALFUNC = credit_tally_final,
  COMBINEFUNC = credit_tally_combine, SERIALFUNC = credit_tally_serial, DESERIALFUNC = credit_tally_deserial, PARALLEL = SAFE
);
COMMENT ON AGGREGATE credit_tally(float8, float8, timestamptz, interval) IS 'Tally of events: amounts of good and bad (negative to void), when they happened, and the half-life, in days or smaller units, one for all rows (100000 days: nothing fades); rows with a null are passed over';
CREATE AGGREGATE credit_tally_merge(tally credit_tally) (
  SFUNC = credit_tally_add, STYPE = credit_tally, COMBINEFUNC = credit_tally_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE credit_tally_merge(credit_tally) IS 'Sum of tallies of one half-life';
CREATE FUNCTION credit_tally_at(tally credit_tally, at timestamptz, OUT good float8, OUT bad float8)
  AS 'MODULE_PATHNAME', 'qg_credit_tally_at' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_at(credit_tally, timestamptz) IS 'What the sums of a tally are worth at an instant';
CREATE OPERATOR + (LEFTARG = credit_tally, RIGHTARG = credit_tally, FUNCTION = credit_tally_add, COMMUTATOR = +);
COMMENT ON OPERATOR + (credit_tally, credit_tally) IS 'Merges two tallies of one half-life';

-- credit: order and hash of tallies, without meaning, so that DISTINCT and GROUP BY work

CREATE FUNCTION credit_tally_eq(credit_tally, credit_tally) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_credit_tally_eq' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_eq(credit_tally, credit_tally) IS 'Same parts';
CREATE FUNCTION credit_tally_ne(credit_tally, credit_tally) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_credit_tally_ne' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_ne(credit_tally, credit_tally) IS 'Different parts';
CREATE FUNCTION credit_tally_lt(credit_tally, credit_tally) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_credit_tally_lt' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_lt(credit_tally, credit_tally) IS 'Before, in an order without meaning';
CREATE FUNCTION credit_tally_le(credit_tally, credit_tally) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_credit_tally_le' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_le(credit_tally, credit_tally) IS 'Before or same, in an order without meaning';
CREATE FUNCTION credit_tally_gt(credit_tally, credit_tally) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_credit_tally_gt' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_gt(credit_tally, credit_tally) IS 'After, in an order without meaning';
CREATE FUNCTION credit_tally_ge(credit_tally, credit_tally) RETURNS boolean
  AS 'MODULE_PATHNAME', 'qg_credit_tally_ge' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_ge(credit_tally, credit_tally) IS 'After or same, in an order without meaning';
CREATE OPERATOR = (LEFTARG = credit_tally, RIGHTARG = credit_tally, FUNCTION = credit_tally_eq,
  COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR = (credit_tally, credit_tally) IS 'Same parts';
CREATE OPERATOR <> (LEFTARG = credit_tally, RIGHTARG = credit_tally, FUNCTION = credit_tally_ne,
  COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR <> (credit_tally, credit_tally) IS 'Different parts';
CREATE OPERATOR < (LEFTARG = credit_tally, RIGHTARG = credit_tally, FUNCTION = credit_tally_lt,
  COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
COMMENT ON OPERATOR < (credit_tally, credit_tally) IS 'Before, in an order without meaning';
CREATE OPERATOR <= (LEFTARG = credit_tally, RIGHTARG = credit_tally, FUNCTION = credit_tally_le,
  COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
COMMENT ON OPERATOR <= (credit_tally, credit_tally) IS 'Before or same, in an order without meaning';
CREATE OPERATOR > (LEFTARG = credit_tally, RIGHTARG = credit_tally, FUNCTION = credit_tally_gt,
  COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
COMMENT ON OPERATOR > (credit_tally, credit_tally) IS 'After, in an order without meaning';
CREATE OPERATOR >= (LEFTARG = credit_tally, RIGHTARG = credit_tally, FUNCTION = credit_tally_ge,
  COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR >= (credit_tally, credit_tally) IS 'After or same, in an order without meaning';
CREATE FUNCTION credit_tally_cmp(credit_tally, credit_tally) RETURNS integer
  AS 'MODULE_PATHNAME', 'qg_credit_tally_cmp' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_cmp(credit_tally, credit_tally) IS 'Comparison of tallies for btree';
CREATE FUNCTION credit_tally_hash(credit_tally) RETURNS integer
  AS 'MODULE_PATHNAME', 'qg_credit_tally_hash' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_hash(credit_tally) IS 'Hash of a tally';
CREATE FUNCTION credit_tally_hash_extended(credit_tally, bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'qg_credit_tally_hash_extended' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION credit_tally_hash_extended(credit_tally, bigint) IS 'Hash of a tally with a seed';
CREATE OPERATOR FAMILY credit_tally_ops USING btree;
COMMENT ON OPERATOR FAMILY credit_tally_ops USING btree IS 'Order of tallies';
CREATE OPERATOR CLASS credit_tally_ops DEFAULT FOR TYPE credit_tally USING btree FAMILY credit_tally_ops AS
  OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
  FUNCTION 1 credit_tally_cmp(credit_tally, credit_tally);
COMMENT ON OPERATOR CLASS credit_tally_ops USING btree IS 'Order of tallies';
CREATE OPERATOR FAMILY credit_tally_ops USING hash;
COMMENT ON OPERATOR FAMILY credit_tally_ops USING hash IS 'Equality of tallies';
CREATE OPERATOR CLASS credit_tally_ops DEFAULT FOR TYPE credit_tally USING hash FAMILY credit_tally_ops AS
  OPERATOR 1 =, FUNCTION 1 credit_tally_hash(credit_tally),
  FUNCTION 2 credit_tally_hash_extended(credit_tally, bigint);
COMMENT ON OPERATOR CLASS credit_tally_ops USING hash IS 'Equality of tallies';

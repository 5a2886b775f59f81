/*
 * document.c
 *		A passport as a W3C Verifiable Credential (VC Data Model 2.0), before it is signed.
 *
 * In C since a hundred thousand may be issued at once, and putting one together from SQL's
 * jsonb functions takes longer than signing it:
 *
 *		{"@context": [...], "id": LINK#passport-VERSION, "type": [...], "issuer", "validFrom",
 *		 "validUntil", "credentialSubject": {"id": LINK, "gtin", "lot", "serial", "level",
 *		 "version", "category", "claims": {...}, "claimDigests": [...]}}
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#define FIELD_MAX 63 /* bytes of a claim's name */

/* Where SQL's arguments stand. */
enum
{
	ARG_LINK,
	ARG_GTIN,
	ARG_LOT,
	ARG_SERIAL,
	ARG_VERSION,
	ARG_CATEGORY,
	ARG_ISSUER,
	ARG_CLAIMS,
	ARG_DIGESTS,
	ARG_FROM,
	ARG_UNTIL
};

/* The @context: undefined-terms gives claims a vocabulary of their issuer. */
static const char *const contexts[] = {"https://www.w3.org/ns/credentials/v2",
									   "https://www.w3.org/ns/credentials/undefined-terms/v2"};
static const char *const types[] = {"VerifiableCredential", "ProductPassport"};

static void
push_string(JsonbParseState **state, JsonbIteratorToken token, const char *string, int length)
{
	JsonbValue value = {.type = jbvString};

	value.val.string.val = unconstify(char *, string);
	value.val.string.len = length;
	pushJsonbValue(state, token, &value);
}

static void
push_key(JsonbParseState **state, const char *key)
{
	push_string(state, WJB_KEY, key, (int) strlen(key));
}

/* Adds a member with an array of constant strings. */
static void
push_constants(JsonbParseState **state, const char *key, const char *const *strings, int count)
{
	push_key(state, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < count; i++)
		push_string(state, WJB_ELEM, strings[i], (int) strlen(strings[i]));
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* Adds a member with a text. */
static void
push_text(JsonbParseState **state, const char *key, text *value)
{
	push_key(state, key);
	push_string(state, WJB_VALUE, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

/* Adds a member with a text argument, unless that is null. */
static void
push_argument(JsonbParseState **state, const char *key, FunctionCallInfo fcinfo, int argument)
{
	if (!PG_ARGISNULL(argument))
		push_text(state, key, PG_GETARG_TEXT_PP(argument));
}

/* Adds a member with an instant in UTC, to the second. */
static void
push_instant(JsonbParseState **state, const char *key, TimestampTz at)
{
	char *string;
	struct pg_tm tm;
	fsec_t fraction;

	if (TIMESTAMP_NOT_FINITE(at) || timestamp2tm(at, NULL, &tm, &fraction, NULL, NULL) != 0 ||
		tm.tm_year < 1 || tm.tm_year > 9999)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
						errmsg("\"%s\" of a passport must be in the years 1 to 9999", key)));
	string = psprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year, tm.tm_mon, tm.tm_mday,
					  tm.tm_hour, tm.tm_min, tm.tm_sec);
	push_key(state, key);
	push_string(state, WJB_VALUE, string, (int) strlen(string));
}

/* Tells whether a claim's name is one that JSON-LD gives no meaning of its own. */
static bool
is_field_name(const char *name, int length)
{
	if (length < 1 || length > FIELD_MAX || name[0] < 'a' || name[0] > 'z' ||
		(length == 2 && memcmp(name, "id", 2) == 0) ||
		(length == 4 && memcmp(name, "type", 4) == 0))
		return false;
	for (int i = 1; i < length; i++)
		if (!isalnum((unsigned char) name[i]) && name[i] != '_')
			return false;
	return true;
}

/* Adds the claims as they are; names and nulls are judged, fields and types are not. */
static void
push_claims(JsonbParseState **state, Jsonb *claims)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;

	if (!JB_ROOT_IS_OBJECT(claims))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("claims must be an object of fields and their values")));
	push_key(state, "claims");
	iterator = JsonbIteratorInit(&claims->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY && !is_field_name(value.val.string.val, value.val.string.len))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("claim \"%.*s\" is no name of a field", Min(value.val.string.len, 100),
							value.val.string.val),
					 errhint("It is a letter in lower case, then letters, digits and _, but not id "
							 "or type.")));
		if (token == WJB_VALUE && value.type == jbvNull)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a claim is null"),
							errhint("Leave it out.")));
		pushJsonbValue(state, token, token < WJB_BEGIN_ARRAY ? &value : NULL);
	}
}

/* Adds the digests of the claims that are not for everybody. */
static void
push_digests(JsonbParseState **state, ArrayType *digests)
{
	Datum *elements;
	int count;

	deconstruct_array(digests, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &count);
	push_key(state, "claimDigests");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < count; i++)
	{
		text *digest = DatumGetTextPP(elements[i]);

		push_string(state, WJB_ELEM, VARDATA_ANY(digest), VARSIZE_ANY_EXHDR(digest));
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* Adds what the passport is about. */
static void
push_subject(JsonbParseState **state, FunctionCallInfo fcinfo)
{
	JsonbValue version = {.type = jbvNumeric};
	const char *level = !PG_ARGISNULL(ARG_SERIAL) ? "item"
						: !PG_ARGISNULL(ARG_LOT)  ? "batch"
												  : "model";

	version.val.numeric = int64_to_numeric(PG_GETARG_INT32(ARG_VERSION));
	push_key(state, "credentialSubject");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_argument(state, "id", fcinfo, ARG_LINK);
	push_argument(state, "gtin", fcinfo, ARG_GTIN);
	push_argument(state, "lot", fcinfo, ARG_LOT);
	push_argument(state, "serial", fcinfo, ARG_SERIAL);
	push_argument(state, "category", fcinfo, ARG_CATEGORY);
	push_key(state, "level");
	push_string(state, WJB_VALUE, level, (int) strlen(level));
	push_key(state, "version");
	pushJsonbValue(state, WJB_VALUE, &version);
	push_claims(state, PG_GETARG_JSONB_P(ARG_CLAIMS));
	if (!PG_ARGISNULL(ARG_DIGESTS))
		push_digests(state, PG_GETARG_ARRAYTYPE_P(ARG_DIGESTS));
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* passport_document(link, gtin, lot, serial, version, category, issuer, claims, digests, from, until) */
PG_FUNCTION_INFO_V1(qg_passport_document);
Datum
qg_passport_document(PG_FUNCTION_ARGS)
{
	JsonbParseState *state = NULL;
	text *link;
	char *id;

	qg_argument_require(fcinfo, ARG_LINK, "goods");
	qg_argument_require(fcinfo, ARG_GTIN, "gtin");
	qg_argument_require(fcinfo, ARG_VERSION, "version");
	qg_argument_require(fcinfo, ARG_ISSUER, "issuer");
	qg_argument_require(fcinfo, ARG_CLAIMS, "claims");
	qg_argument_require(fcinfo, ARG_FROM, "valid_from");
	link = PG_GETARG_TEXT_PP(ARG_LINK);
	id = psprintf("%.*s#passport-%d", (int) VARSIZE_ANY_EXHDR(link), VARDATA_ANY(link),
				  PG_GETARG_INT32(ARG_VERSION));
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_constants(&state, "@context", contexts, lengthof(contexts));
	push_key(&state, "id");
	push_string(&state, WJB_VALUE, id, (int) strlen(id));
	push_constants(&state, "type", types, lengthof(types));
	push_argument(&state, "issuer", fcinfo, ARG_ISSUER);
	push_instant(&state, "validFrom", PG_GETARG_TIMESTAMPTZ(ARG_FROM));
	if (!PG_ARGISNULL(ARG_UNTIL))
		push_instant(&state, "validUntil", PG_GETARG_TIMESTAMPTZ(ARG_UNTIL));
	push_subject(&state, fcinfo);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

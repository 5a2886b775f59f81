/*
 * epcis_content.c
 *		What makes two EPCIS events the same: the digest of their content.
 *
 * The content of an event is all its fields but @context and recordTime, of which the one says how
 * names are written and the other is the capturing repository's; and of the context in force only
 * the terms that the event uses, for a document says for all its events together what one needs.
 * It is written as a text in which keys stand in jsonb's order, numbers without needless digits, and
 * strings behind their length; the digest is its SHA-256.  A second digest leaves out the error
 * declaration: by it an event without eventID is known, and so is what declares it an error.
 */
#include "quality_gov.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "trace/epcis.h"

#define TERMS_MAX 100
/* Each event keeps its own, so a document could have a large one stored many times. */
#define CONTEXT_BYTES_MAX 65536

typedef struct Term
{
	JsonbValue key;
	JsonbValue value;
	bool used;
	bool followed; /* the terms that its definition uses are marked */
} Term;

/* The context that an event is read in, without the one that the standard gives. */
typedef struct Context
{
	int nterms;
	Term terms[TERMS_MAX];
	int nlinks;
	JsonbValue links[TERMS_MAX];
} Context;

/* Tells whether a string begins with another. */
static bool
begins(const JsonbValue *text, const JsonbValue *start)
{
	return text->val.string.len >= start->val.string.len &&
		   memcmp(text->val.string.val, start->val.string.val, start->val.string.len) == 0;
}

/* Marks the terms that a string uses: as its prefix, or, where it is a key, as a whole. */
static void
mark_used(Context *context, const JsonbValue *text, bool key)
{
	for (int i = 0; i < context->nterms; i++)
	{
		const JsonbValue *term = &context->terms[i].key;
		int length = term->val.string.len;

		if (!context->terms[i].used && begins(text, term) &&
			(text->val.string.len == length ? key : text->val.string.val[length] == ':'))
			context->terms[i].used = true;
	}
}

/* Appends a string behind its length. */
static void
append_string(StringInfo out, const JsonbValue *text)
{
	char length[16];

	appendBinaryStringInfo(out, length,
						   snprintf(length, sizeof(length), "%d:", text->val.string.len));
	appendBinaryStringInfo(out, text->val.string.val, text->val.string.len);
}

/* Appends a value that is neither list nor object. */
static void
append_scalar(StringInfo out, const JsonbValue *value, Context *context)
{
	switch (value->type)
	{
		case jbvString:
			mark_used(context, value, false);
			append_string(out, value);
			break;
		case jbvNumeric:
			appendStringInfoString(out, numeric_normalize(value->val.numeric));
			appendStringInfoChar(out, ',');
			break;
		case jbvBool:
			appendStringInfoChar(out, value->val.boolean ? 't' : 'f');
			break;
		default:
			appendStringInfoChar(out, 'n');
	}
}

/* Appends any value, of any depth; marks the terms that it uses. */
static void
append_value(StringInfo out, const JsonbValue *value, Context *context)
{
	JsonbIterator *it;
	JsonbValue item;

	if (value->type != jbvBinary)
	{
		append_scalar(out, value, context);
		return;
	}
	it = JsonbIteratorInit(value->val.binary.data);
	for (JsonbIteratorToken token; (token = JsonbIteratorNext(&it, &item, false)) != WJB_DONE;)
	{
		CHECK_FOR_INTERRUPTS();
		switch (token)
		{
			case WJB_KEY:
				mark_used(context, &item, true);
				append_string(out, &item);
				break;
			case WJB_ELEM:
			case WJB_VALUE:
				append_scalar(out, &item, context);
				break;
			case WJB_BEGIN_ARRAY:
				appendStringInfoChar(out, '[');
				break;
			case WJB_BEGIN_OBJECT:
				appendStringInfoChar(out, '{');
				break;
			default:
				appendStringInfoChar(out, '.');
		}
	}
}

/* Tells whether a link is to the context of the standard, in whichever version. */
static bool
is_standard(const JsonbValue *link)
{
	static const char name[] = "/epcis-context.jsonld";
	int length = (int) sizeof(name) - 1;

	return link->val.string.len > length &&
		   memcmp(link->val.string.val + link->val.string.len - length, name, length) == 0;
}

static bool
same_string(const JsonbValue *a, const JsonbValue *b)
{
	return a->val.string.len == b->val.string.len && begins(a, b);
}

/* Notes a term; a later definition takes the place of an earlier. */
static void
add_term(Context *context, const JsonbValue *key, const JsonbValue *value)
{
	int place = 0;

	while (place < context->nterms && !same_string(&context->terms[place].key, key))
		place++;
	if (place == TERMS_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("more than %d terms in the context of an EPCIS event", TERMS_MAX)));
	/* Keywords are in force whether or not anything names them. */
	context->terms[place] = (Term){*key, *value,
								   key->val.string.len > 0 && key->val.string.val[0] == '@', false};
	if (place == context->nterms)
		context->nterms++;
}

/* Notes a link to a context that is elsewhere. */
static void
add_link(Context *context, const JsonbValue *link)
{
	if (is_standard(link))
		return;
	for (int i = 0; i < context->nlinks; i++)
		if (same_string(&context->links[i], link))
			return;
	if (context->nlinks == TERMS_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("more than %d contexts of an EPCIS event", TERMS_MAX)));
	context->links[context->nlinks++] = *link;
}

/* Adds what a context gives: a link, an object of terms, or a list of both. */
static void
add_context(Context *context, const JsonbValue *value, bool inside)
{
	JsonbIterator *it;
	JsonbValue item;
	JsonbValue term;
	JsonbIteratorToken token;

	if (value == NULL)
		return;
	if (value->type == jbvString)
		add_link(context, value);
	if (value->type != jbvBinary || (inside && JsonContainerIsArray(value->val.binary.data)))
		return;
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
			add_context(context, &item, true);
		else if (token == WJB_KEY)
		{
			(void) JsonbIteratorNext(&it, &term, true);
			add_term(context, &item, &term);
		}
	}
}

/* Marks what the definitions of used terms use in turn. */
static void
follow_terms(Context *context)
{
	StringInfoData nothing;
	bool found = true;

	initStringInfo(&nothing);
	while (found)
	{
		found = false;
		for (int i = 0; i < context->nterms; i++)
			if (context->terms[i].used && !context->terms[i].followed)
			{
				context->terms[i].followed = found = true;
				append_value(&nothing, &context->terms[i].value, context);
			}
	}
}

/* Makes the context that an event needs beside the standard's, NULL where it needs none. */
static Jsonb *
make_context(const Context *context)
{
	JsonbParseState *state = NULL;
	bool terms = false;
	Jsonb *result;

	for (int i = 0; i < context->nterms; i++)
		terms |= context->terms[i].used;
	if (!terms && context->nlinks == 0)
		return NULL;
	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < context->nlinks; i++)
		(void) pushJsonbValue(&state, WJB_ELEM, unconstify(JsonbValue *, &context->links[i]));
	if (terms)
	{
		(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		for (int i = 0; i < context->nterms; i++)
			if (context->terms[i].used)
			{
				(void) pushJsonbValue(&state, WJB_KEY,
									  unconstify(JsonbValue *, &context->terms[i].key));
				(void) pushJsonbValue(&state, WJB_VALUE,
									  unconstify(JsonbValue *, &context->terms[i].value));
			}
		(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	result = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
	if (VARSIZE(result) > CONTEXT_BYTES_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("context that an EPCIS event needs has more than %d bytes",
							   CONTEXT_BYTES_MAX)));
	return result;
}

/* Gives the digest of a text. */
static void
digest_text(const StringInfo text, uint8 digest[QG_EPCIS_DIGEST])
{
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);

	if (hash == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	if (pg_cryptohash_init(hash) < 0 ||
		pg_cryptohash_update(hash, (const uint8 *) text->data, text->len) < 0 ||
		pg_cryptohash_final(hash, digest, PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(hash));
	pg_cryptohash_free(hash);
}

static bool
key_is(const JsonbValue *key, const char *name)
{
	return key->val.string.len == (int) strlen(name) &&
		   memcmp(key->val.string.val, name, key->val.string.len) == 0;
}

/*
 * Gives the context that an event of a document needs beside the standard's (NULL: none), and the
 * digests of its content, with and without error declaration.
 */
Jsonb *
qg_epcis_content(JsonbContainer *document, JsonbContainer *event, uint8 digest[QG_EPCIS_DIGEST],
				 uint8 undeclared[QG_EPCIS_DIGEST])
{
	Context *context = palloc(sizeof(Context));
	JsonbIterator *it;
	JsonbValue key;
	JsonbValue value;
	JsonbValue declaration = {.type = jbvNull};
	StringInfoData text;
	Jsonb *result;

	context->nterms = context->nlinks = 0;
	add_context(context, qg_epcis_get(document, "@context", &value), false);
	if (event != document)
		add_context(context, qg_epcis_get(event, "@context", &value), false);
	initStringInfo(&text);
	it = JsonbIteratorInit(event);
	for (JsonbIteratorToken token; (token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE;)
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&it, &value, true);
		if (key_is(&key, "@context") || key_is(&key, "recordTime"))
			continue;
		if (key_is(&key, "errorDeclaration"))
		{
			declaration = value;
			continue;
		}
		mark_used(context, &key, true);
		append_string(&text, &key);
		append_value(&text, &value, context);
	}
	follow_terms(context);
	result = make_context(context);
	if (result != NULL)
		append_value(&text,
					 &(JsonbValue){.type = jbvBinary,
								   .val.binary = {VARSIZE(result) - VARHDRSZ, &result->root}},
					 context);
	digest_text(&text, undeclared);
	if (declaration.type != jbvNull)
	{
		append_value(&text, &declaration, context);
		follow_terms(context);
		result = make_context(context);
		digest_text(&text, digest);
	}
	else
		memcpy(digest, undeclared, QG_EPCIS_DIGEST);
	return result;
}

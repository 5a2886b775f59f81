/*
 * fuzz_matcher.c
 *		libFuzzer target: compiles a dictionary and scans a text, both of arbitrary bytes; where all is
 *		valid UTF-8 and short, the hits must be those of the slow twin.
 *
 * Input: two bytes of folds, a byte of options, then the text and the terms, each ended by a line
 * feed.  A term's first byte says whether it is an allow term, how severe it is and whether it counts.
 * The dictionary is scanned from a copy of its image, as another backend would.
 *
 *		CC=clang CFLAGS="-O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined" \
 *			test/fuzz/build fuzz_matcher test/fuzz/{fuzz_matcher,oracle_fold,oracle_match,memo}.c \
 *			-Wl,--wrap=qg_char_is_plain,--wrap=qg_fold_learn
 *		mkdir -p corpus && ./fuzz_matcher -max_len=400 -max_total_time=300 corpus
 */
#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>

#define TERMS_MAX 16
#define LENGTH_MAX 400
#define HITS_MAX 20000

static Hit got[HITS_MAX];
static Hit want[HITS_MAX];
static int ngot;
static bool applies[TERMS_MAX];
static const QgMatcher *matcher;

/* Dictionaries compiled last: most inputs differ from others in their text only. */
#define KEPT 64

typedef struct Kept
{
	uint32 folds;
	size_t length; /* of the terms' bytes */
	uint8_t *bytes;
	void *image;
	const QgMatcher *matcher;
	MemoryContext context;
} Kept;

static Kept kept[KEPT];

static bool
found(const QgHit *qg, void *arg)
{
	Hit hit = core_hit(qg);
	if (hit.byte_first < 0 || hit.byte_end <= hit.byte_first || hit.byte_end > *(int *) arg)
		abort();
	if (ngot < HITS_MAX)
		got[ngot] = hit;
	ngot++;
	return true;
}

static bool
term_applies(int entry, void *arg)
{
	return applies[core_number(matcher, entry)];
}

/* Reads bytes as code points; tells whether they are what the server would store. */
static bool
read_codes(const char *bytes, int length, Codes *codes)
{
	uint32 *code = palloc((length + 1) * sizeof(uint32));
	int *at = palloc((length + 1) * sizeof(int));
	int pos = 0;

	codes->n = 0;
	codes->code = code;
	codes->at = at;
	while (pos < length)
	{
		unsigned char first = (unsigned char) bytes[pos];
		int n = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
		uint32 c = n == 1 ? first : first & (0xFF >> (n + 1));
		char again[4];

		if (pos + n > length)
			return false;
		for (int i = 1; i < n; i++)
			c = (c << 6) | ((unsigned char) bytes[pos + i] & 0x3F);
		if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF) || qg_codepoint_to_utf8(c, again) != n ||
			memcmp(again, bytes + pos, n) != 0)
			return false;
		at[codes->n] = pos;
		code[codes->n++] = c;
		pos += n;
	}
	at[codes->n] = pos;
	return true;
}

/* Gives the dictionary of some terms, which end in bytes of the input. */
static const QgMatcher *
compile(uint32 folds, const uint8_t *bytes, size_t length, const QgTerm *terms, int nterms)
{
	uint32 slot = folds;
	Kept *k;
	const void *image;
	size_t size;
	MemoryContext caller = CurrentMemoryContext;

	for (size_t i = 0; i < length; i++)
		slot = slot * 31 + bytes[i];
	k = &kept[slot % KEPT];
	if (k->context != NULL && k->folds == folds && k->length == length &&
		memcmp(k->bytes, bytes, length) == 0)
		return k->matcher;
	if (k->context != NULL)
	{
		MemoryContextDelete(k->context);
		free(k->image);
		free(k->bytes);
	}
	*k = (Kept){.folds = folds, .length = length, .bytes = malloc(length + 1)};
	memcpy(k->bytes, bytes, length);
	k->context = AllocSetContextCreate(TopMemoryContext, "dictionary", ALLOCSET_DEFAULT_SIZES);
	image = qg_matcher_image(qg_matcher_build(terms, nterms, folds), &size);
	k->image = malloc(size);
	memcpy(k->image, image, size);
	CurrentMemoryContext = k->context;
	k->matcher = qg_matcher_open(k->image, size);
	CurrentMemoryContext = caller;
	if (k->matcher == NULL)
		abort();
	return k->matcher;
}

/* Copies a line so that a sanitizer sees its ends. */
static char *
next_line(const uint8_t **data, const uint8_t *end, int *length)
{
	const uint8_t *start = *data;
	const uint8_t *stop = start;
	char *line;

	while (stop < end && *stop != '\n')
		stop++;
	*length = (int) (stop - start);
	line = palloc(*length);
	memcpy(line, start, *length);
	*data = stop < end ? stop + 1 : stop;
	return line;
}

static void
one(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;
	const uint8_t *given;
	uint32 folds = (data[0] | data[1] << 8) & QG_FOLD_ALL;
	bool overlaps = data[2] & 1;
	bool filter = data[2] & 2;
	QgTerm terms[TERMS_MAX];
	OracleTerm twins[TERMS_MAX];
	bool valid = size <= LENGTH_MAX;
	int nterms = 0;
	Codes codes;
	char *text;
	int length;
	int nwant;

	/* Every mask has tables of its own: keep to a few. */
	if (data[2] & 4)
		folds = QG_FOLD_ALL;
	else
		folds &= QG_FOLD_NFKC | QG_FOLD_SEPARATOR | QG_FOLD_REPEAT | QG_FOLD_DIGIT;
	data += 3;
	text = next_line(&data, end, &length);
	given = data;
	while (data < end && nterms < TERMS_MAX)
	{
		uint8_t option = *data++;
		int n;
		char *term = next_line(&data, end, &n);

		terms[nterms] = core_term(nterms, term, n, option & 1, 1 + ((option >> 1) & 3));
		applies[nterms] = !filter || !(option & 8);
		valid &= read_codes(term, n, &codes);
		twins[nterms] = (OracleTerm){codes, terms[nterms].allow, terms[nterms].severity,
									 applies[nterms]};
		nterms++;
	}
	ngot = 0;
	matcher = compile(folds, given, end - given, terms, nterms);
	if (!qg_matcher_scan(matcher, text, length, overlaps, filter ? term_applies : NULL, found,
						 &length))
		abort();
	valid &= read_codes(text, length, &codes);
	if (!valid)
		return;
	nwant = oracle_match(folds, twins, nterms, codes, overlaps, want, HITS_MAX);
	if (nwant != ngot)
		abort();
	for (int i = 0; i < nwant && i < HITS_MAX; i++)
		if (want[i].term != got[i].term || want[i].first != got[i].first ||
			want[i].end != got[i].end || want[i].byte_first != got[i].byte_first ||
			want[i].byte_end != got[i].byte_end)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MemoryContext work;

	if (size < 4)
		return 0;
	work = shim_context();
	PG_TRY();
	{
		one(data, size);
	}
	PG_CATCH();
	{
		/* an error that a user can cause is no finding */
	}
	PG_END_TRY();
	shim_drop(work);
	return 0;
}

/*
 * jcs.c
 *		Writes jsonb as canonical JSON (RFC 8785): one text for one value, whoever writes it.
 *
 * jsonb has dropped white space and duplicate keys and decoded the escapes; what is left is to order
 * keys as RFC 8785 does (jsonb: the shorter first), to escape no more than it does and to write numbers
 * its way (jcs_core.c).  The containers are walked in place.  Members of all objects that are
 * open lie in one stack, so that only its growth allocates:
 *
 *		{"bb": 1, "a": {"c": 2}}	members: a bb | c
 */
#include "quality_gov.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "common/jcs.h"

#define MEMBERS_INITIAL 32

/* A key and where its value lies in the object. */
typedef struct Member
{
	const char *key;
	int keylength;
	int child;
	uint32 offset;
} Member;

/* What becomes of a number that would be rounded. */
typedef enum Rounding
{
	RAISE, /* the error that says so */
	NOTE,  /* the writer has failed */
	QUOTE  /* a string of its digits */
} Rounding;

typedef struct Writer
{
	StringInfo out;
	Member *members;
	int nmembers;
	int room;
	Rounding rounding;
	bool failed;
} Writer;

#define ST_SORT members_sort
#define ST_ELEMENT_TYPE Member
#define ST_COMPARE(a, b) qg_jcs_key_compare((a)->key, (a)->keylength, (b)->key, (b)->keylength)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static void write_container(Writer *writer, JsonbContainer *container);

/* Gives the letter behind the backslash, 'u' for \u00xx, or 0 where a byte stands for itself. */
static inline char
escape_of(uint8 byte)
{
	if (likely(byte >= 0x20 && byte != '"' && byte != '\\'))
		return 0;
	switch (byte)
	{
		case '\b':
			return 'b';
		case '\t':
			return 't';
		case '\n':
			return 'n';
		case '\f':
			return 'f';
		case '\r':
			return 'r';
		case '"':
		case '\\':
			return byte;
		default:
			return 'u';
	}
}

/* Writes a string with its quotes (RFC 8785, 3.2.2.2). */
void
qg_jcs_string(StringInfo out, const char *text, int length)
{
	int from = 0;

	appendStringInfoCharMacro(out, '"');
	for (int i = 0; i < length; i++)
	{
		char escape = escape_of(text[i]);

		if (likely(escape == 0))
			continue;
		CHECK_FOR_INTERRUPTS();
		appendBinaryStringInfo(out, text + from, i - from);
		from = i + 1;
		if (escape == 'u')
			appendStringInfo(out, "\\u%04x", (uint8) text[i]);
		else
		{
			appendStringInfoCharMacro(out, '\\');
			appendStringInfoCharMacro(out, escape);
		}
	}
	appendBinaryStringInfo(out, text + from, length - from);
	appendStringInfoCharMacro(out, '"');
}

/* Writes a number; one that would be rounded is an error, or noted, or a string of its digits. */
static void
write_number(Writer *writer, Numeric number)
{
	StringInfo out = writer->out;
	char *decimal = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
	int length;

	enlargeStringInfo(out, QG_JCS_NUMBER_SIZE);
	length = qg_jcs_number(decimal, out->data + out->len, writer->rounding != RAISE);
	if (length >= 0)
		out->len += length;
	else if (writer->rounding == QUOTE)
	{
		char *digits = DatumGetCString(DirectFunctionCall1(
			numeric_out, DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(number))));

		qg_jcs_string(out, digits, strlen(digits));
		pfree(digits);
	}
	else
		writer->failed = true;
	pfree(decimal);
}

/* The length of a container's child that begins at an offset. */
static inline uint32
child_length(JEntry entry, uint32 offset)
{
	return JBE_HAS_OFF(entry) ? JBE_OFFLENFLD(entry) - offset : JBE_OFFLENFLD(entry);
}

/* Writes a child of a container; its data begins at an offset from base. */
static void
write_child(Writer *writer, JEntry entry, char *base, uint32 offset)
{
	if (JBE_ISSTRING(entry))
		qg_jcs_string(writer->out, base + offset, child_length(entry, offset));
	else if (JBE_ISNUMERIC(entry))
		write_number(writer, (Numeric) (base + INTALIGN(offset)));
	else if (JBE_ISCONTAINER(entry))
		write_container(writer, (JsonbContainer *) (base + INTALIGN(offset)));
	else if (JBE_ISNULL(entry))
		appendBinaryStringInfo(writer->out, "null", 4);
	else if (JBE_ISBOOL_TRUE(entry))
		appendBinaryStringInfo(writer->out, "true", 4);
	else
		appendBinaryStringInfo(writer->out, "false", 5);
}

/* Puts an object's members on the stack in canonical order, gives the place of the first. */
static int
members_push(Writer *writer, JsonbContainer *object, int count, char *base)
{
	int first = writer->nmembers;
	uint32 offset = 0;
	Member *members;

	/* jsonb bounds a document to far fewer members than an int counts. */
	if (first + count > writer->room)
	{
		writer->room = Max(first + count, 2 * writer->room);
		writer->members = repalloc_huge(writer->members, writer->room * sizeof(Member));
	}
	members = writer->members + first;
	for (int i = 0; i < count; i++)
	{
		members[i].key = base + offset;
		members[i].keylength = child_length(object->children[i], offset);
		JBE_ADVANCE_OFFSET(offset, object->children[i]);
	}
	for (int i = 0; i < count; i++)
	{
		members[i].child = count + i;
		members[i].offset = offset;
		JBE_ADVANCE_OFFSET(offset, object->children[count + i]);
	}
	members_sort(members, count);
	writer->nmembers += count;
	return first;
}

/* Tells whether an object's member has a name. */
static inline bool
is_named(const Member *member, const char *name)
{
	return name != NULL && (int) strlen(name) == member->keylength &&
		   memcmp(name, member->key, member->keylength) == 0;
}

/* Writes an object; with an edit, without a member or with another value in its place. */
static void
write_object(Writer *writer, JsonbContainer *object, const QgJcsEdit *edit)
{
	int count = JsonContainerSize(object);
	char *base = (char *) &object->children[2 * count];
	int first = members_push(writer, object, count, base);
	bool begun = false;

	appendStringInfoCharMacro(writer->out, '{');
	for (int i = 0; i < count; i++)
	{
		/* Inner objects may move the stack. */
		Member member = writer->members[first + i];

		CHECK_FOR_INTERRUPTS();
		if (edit != NULL && is_named(&member, edit->drop))
			continue;
		if (begun)
			appendStringInfoCharMacro(writer->out, ',');
		begun = true;
		qg_jcs_string(writer->out, member.key, member.keylength);
		appendStringInfoCharMacro(writer->out, ':');
		if (edit != NULL && is_named(&member, edit->replace))
			appendBinaryStringInfo(writer->out, edit->by, edit->bylength);
		else
			write_child(writer, object->children[member.child], base, member.offset);
	}
	appendStringInfoCharMacro(writer->out, '}');
	writer->nmembers = first;
}

/* Writes an array; a scalar document is one of a single element and writes as that. */
static void
write_array(Writer *writer, JsonbContainer *array)
{
	int count = JsonContainerSize(array);
	bool scalar = JsonContainerIsScalar(array);
	char *base = (char *) &array->children[count];
	uint32 offset = 0;

	if (!scalar)
		appendStringInfoCharMacro(writer->out, '[');
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			appendStringInfoCharMacro(writer->out, ',');
		write_child(writer, array->children[i], base, offset);
		JBE_ADVANCE_OFFSET(offset, array->children[i]);
	}
	if (!scalar)
		appendStringInfoCharMacro(writer->out, ']');
}

static void
write_container(Writer *writer, JsonbContainer *container)
{
	check_stack_depth();
	if (JsonContainerIsObject(container))
		write_object(writer, container, NULL);
	else
		write_array(writer, container);
}

/*
 * Appends a container as canonical JSON, an object as an edit changes it; false where a number in it
 * would be rounded.
 */
bool
qg_jcs_try(JsonbContainer *container, const QgJcsEdit *edit, StringInfo out)
{
	Writer writer = {.out = out, .room = MEMBERS_INITIAL, .rounding = NOTE};

	writer.members = palloc(writer.room * sizeof(Member));
	if (edit != NULL && JsonContainerIsObject(container))
		write_object(&writer, container, edit);
	else
		write_container(&writer, container);
	pfree(writer.members);
	return !writer.failed;
}

static void
write_document(Jsonb *document, StringInfo out, Rounding rounding)
{
	Writer writer = {.out = out, .rounding = rounding, .room = MEMBERS_INITIAL};

	writer.members = palloc(writer.room * sizeof(Member));
	enlargeStringInfo(out, VARSIZE(document));
	write_container(&writer, &document->root);
	pfree(writer.members);
}

/* Appends a document as canonical JSON; a number that would be rounded is an error. */
void
qg_jcs(Jsonb *document, StringInfo out)
{
	write_document(document, out, RAISE);
}

/* Appends a document as canonical JSON; a number that would be rounded becomes a string of its digits. */
void
qg_jcs_lenient(Jsonb *document, StringInfo out)
{
	write_document(document, out, QUOTE);
}

/* jcs(jsonb): canonical JSON as text. */
PG_FUNCTION_INFO_V1(qg_jcs_text);
Datum
qg_jcs_text(PG_FUNCTION_ARGS)
{
	Jsonb *document = PG_GETARG_JSONB_P(0);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	qg_jcs(document, &out);
	SET_VARSIZE(out.data, out.len);
	PG_FREE_IF_COPY(document, 0);
	PG_RETURN_TEXT_P((text *) out.data);
}

/*
 * corpus.c
 *		Deterministic listings and dictionaries for benchmarks, made of real Chinese phrases.
 *
 * A listing is made of words of two and three characters, of which a share are phrases of the
 * dictionary, and of English words; a phrase of four characters and more is in it where it was planted
 * (5 % of listings).  20 % are mostly English.  30 % have
 * segments written in one of the ways that folding undoes.  Units and signs of several code points
 * (㎡, ℃, ①, a combining accent) stand where sellers write them.
 */
#include "corpus.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

#define lengthof(array) ((int) (sizeof(array) / sizeof((array)[0])))

static const char *const english[] = {
	"Quality",	 "cotton",	 "waterproof", "Bluetooth", "stainless", "steel",	   "kitchen",
	"USB-C",	 "wireless", "charger",	   "Men's",		"women",	 "summer",	   "vintage",
	"organic",	 "green",	 "tea",		   "Gift",		"box",		 "set",		   "phone",
	"case",		 "for",		 "iPhone",	   "the",		"with",		 "and",		   "of",
	"new",		 "arrival",	 "free",	   "shipping",	"LED",		 "lamp",	   "desk",
	"chair",	 "leather",	 "wallet",	   "running",	"shoes",	 "outdoor",	   "camping",
	"tent",		 "baby",	 "soft",	   "toy",		"puzzle",	 "board",	   "ceramic",
	"mug",		 "hand",	 "made",	   "premium",	"ultra",	 "light",	   "backpack",
	"travel",	 "storage",	 "portable",   "speaker",	"noise",	 "cancelling", "screen",
	"protector", "smart",	 "watch",	   "fitness",	"yoga",		 "mat",		   "pet",
	"food",		 "garden",	 "tools",	   "drill",		"battery",	 "powered",	   "adjustable",
	"size",		 "colour",	 "black",	   "white",		"navy",		 "in",		   "stock",
	"only",		 "our",		 "shop",	   "guarantee", "days",		 "return",	   "policy",
	"customer",	 "service",	 "please",	   "contact",	"us",		 "before",	   "order",
	"made",		 "from",	 "natural",	   "material",	"durable",	 "design",	   "modern",
	"style"};
static const char *const signs[] = {"㎡", "℃", "①", "②",  "㎏", "cafe\xCC\x81",
									"№",  "Ⅲ", "½", "ｶﾞ", "㏄", "e\xCC\x81lite",
									"™",  "®", "﹪"};
static const char *const stops[] = {"，", "。", "！", "、", " ", " ", "：", "/"};
static const char *const separators[] = {" ", ".", "-", "*", "·", "_", "/", "。", "|", "~"};
static const char *const invisibles[] = {"\xE2\x80\x8B", "\xE2\x80\x8D", "\xE2\x81\xA0",
										 "\xEF\xBB\xBF", "\xC2\xAD"};
static const char *const emoji[] = {"🌟", "❤️", "👍🏽", "🔥", "✨", "🎁"};

/* Counts the code points of a text. */
static int
characters(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += (*text & 0xC0) != 0x80;
	return n;
}

/* Gives the bytes of the code point that begins there. */
static int
width(const char *pos)
{
	unsigned char c = (unsigned char) *pos;

	return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

static void
add(Strings *list, char *text)
{
	if ((list->n & (list->n - 1)) == 0)
	{
		int room = list->n == 0 ? 1 : list->n * 2;

		list->text = realloc(list->text, room * sizeof(char *));
		list->bytes = realloc(list->bytes, room * sizeof(int));
	}
	list->text[list->n] = text;
	list->bytes[list->n++] = (int) strlen(text);
}

/* Reads a file's lines. */
static bool
read_lines(Strings *list, const char *folder, const char *name)
{
	char path[1024];
	char line[4096];
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if ((in = fopen(path, "r")) == NULL)
		return false;
	while (fgets(line, sizeof(line), in) != NULL)
	{
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] != '\0')
			add(list, strdup(line));
	}
	fclose(in);
	return true;
}

/* Reads the phrases; tells whether they are there. */
bool
corpus_open(Corpus *corpus, const char *folder, int share)
{
	Strings pairs = {0};

	memset(corpus, 0, sizeof(*corpus));
	corpus->share = share;
	if (!read_lines(&corpus->words, folder, "phrases_zh.txt") ||
		!read_lines(&pairs, folder, "opencc_TSCharacters.txt"))
		return false;
	for (int i = 0; i < corpus->words.n; i++)
		add(characters(corpus->words.text[i]) >= 4 ? &corpus->idioms : &corpus->fillers,
			corpus->words.text[i]);
	for (int i = 0; i < corpus->words.n; i++)
		for (const char *pos = corpus->words.text[i]; *pos != '\0'; pos += width(pos))
			add(&corpus->letters, strndup(pos, width(pos)));
	/* a traditional character, a tab, simplified ones */
	for (int i = 0; i < pairs.n; i++)
	{
		char *tab = strchr(pairs.text[i], '\t');

		if (tab == NULL || width(tab + 1) != width(pairs.text[i]))
			continue;
		*tab = '\0';
		tab[1 + width(tab + 1)] = '\0';
		if (strcmp(tab + 1, pairs.text[i]) != 0)
		{
			add(&corpus->traditional, tab + 1);
			add(&corpus->traditional, pairs.text[i]);
		}
	}
	return true;
}

/* Text that grows to a wanted number of code points. */
typedef struct Writer
{
	char *start;
	char *pos;
	int left; /* code points */
} Writer;

static void
put(Writer *w, const char *text)
{
	while (*text != '\0' && w->left > 0)
	{
		int n = width(text);

		memcpy(w->pos, text, n);
		w->pos += n;
		text += n;
		w->left--;
	}
}

/* Writes the full-width form of a text's ASCII. */
static void
put_wide(Writer *w, const char *text)
{
	for (; *text != '\0'; text += width(text))
	{
		char piece[5] = {0};

		if ((unsigned char) *text < 0x80 && *text > ' ')
		{
			unsigned c = 0xFF00 + (unsigned char) *text - 0x20;

			piece[0] = (char) (0xE0 | (c >> 12));
			piece[1] = (char) (0x80 | ((c >> 6) & 0x3F));
			piece[2] = (char) (0x80 | (c & 0x3F));
		}
		else
			memcpy(piece, text, width(text));
		put(w, piece);
	}
}

/* Writes a text with something between its characters. */
static void
put_apart(Writer *w, const char *text, const char *between)
{
	for (bool first = true; *text != '\0'; text += width(text))
	{
		char piece[5] = {0};

		if (!first)
			put(w, between);
		first = false;
		memcpy(piece, text, width(text));
		put(w, piece);
	}
}

/* Writes a text in traditional characters. */
static void
put_traditional(Writer *w, const Corpus *corpus, const char *text)
{
	for (; *text != '\0'; text += width(text))
	{
		char piece[5] = {0};
		const char *form = piece;

		memcpy(piece, text, width(text));
		for (int i = 0; i < corpus->traditional.n; i += 2)
			if (strcmp(corpus->traditional.text[i], piece) == 0)
			{
				form = corpus->traditional.text[i + 1];
				break;
			}
		put(w, form);
	}
}

#define PICK(r, list) ((list)[random_below((r), lengthof(list))])
#define WORD(r, strings) ((strings).text[random_below((r), (strings).n)])

/* Gives a word: a phrase, or two characters, rarely three; valid until the next call. */
static const char *
word(Random *r, const Corpus *corpus)
{
	static char made[13];

	if (random_below(r, 100) < (uint32_t) corpus->share)
		return WORD(r, corpus->fillers);
	strcpy(made, WORD(r, corpus->letters));
	strcat(made, WORD(r, corpus->letters));
	if (random_below(r, 4) == 0)
		strcat(made, WORD(r, corpus->letters));
	return made;
}

/* Writes a phrase so that it dodges a plain search. */
static void
put_evasive(Writer *w, Random *r, const Corpus *corpus, const char *phrase)
{
	switch (random_below(r, 6))
	{
		case 0:
			put_wide(w, PICK(r, english));
			put(w, phrase);
			break;
		case 1:
			put_apart(w, phrase, PICK(r, separators));
			break;
		case 2:
			put_apart(w, phrase, PICK(r, invisibles));
			break;
		case 3:
			put_apart(w, phrase, PICK(r, emoji));
			break;
		case 4:
			put_traditional(w, corpus, phrase);
			break;
		default:
			put(w, PICK(r, signs));
			put(w, phrase);
	}
}

/* Fills a field with what sellers write; planted stands somewhere in it, where given. */
static void
fill(Writer *w, Random *r, const Corpus *corpus, bool foreign, bool evasive, const char *planted)
{
	int plant_at = planted == NULL ? -1 : (int) random_below(r, w->left / 2);
	int total = w->left;

	while (w->left > 0)
	{
		if (plant_at >= 0 && total - w->left >= plant_at && w->left > characters(planted) * 3)
		{
			if (evasive)
				put_evasive(w, r, corpus, planted);
			else
				put(w, planted);
			plant_at = -1;
		}
		else if (evasive && random_below(r, 20) == 0)
			put_evasive(w, r, corpus, word(r, corpus));
		else if (random_below(r, 10) < (foreign ? 8u : 1u))
		{
			put(w, PICK(r, english));
			put(w, " ");
		}
		else if (random_below(r, 40) == 0)
		{
			char model[32];

			snprintf(model, sizeof(model), "%c%c-%u ", 'A' + (int) random_below(r, 26),
					 'A' + (int) random_below(r, 26), random_below(r, 9000) + 100);
			put(w, model);
		}
		else if (random_below(r, 60) == 0)
			put(w, PICK(r, signs));
		else
			put(w, word(r, corpus));
		if (random_below(r, 6) == 0)
			put(w, PICK(r, stops));
	}
}

/* Makes the listing of a number. */
void
corpus_listing(const Corpus *corpus, int number, Listing *listing)
{
	Random r;
	Writer w = {listing->text, listing->text, 0};
	bool foreign;
	bool evasive;
	const char *planted = NULL;
	bool in_title;

	random_seed(&r, 42 + (uint64_t) number);
	foreign = random_below(&r, 100) < 20;
	evasive = random_below(&r, 100) < 30;
	in_title = random_below(&r, 5) == 0;
	if (random_below(&r, 100) < 5)
		planted = WORD(&r, corpus->idioms);
	w.left = (int) random_between(&r, TITLE_MIN, TITLE_MAX);
	fill(&w, &r, corpus, foreign, evasive, in_title ? planted : NULL);
	listing->title = (int) (w.pos - w.start);
	*w.pos++ = '\n';
	w.left = (int) random_between(&r, BODY_MIN, BODY_MAX);
	fill(&w, &r, corpus, foreign, evasive, in_title ? NULL : planted);
	listing->bytes = (int) (w.pos - w.start);
	*w.pos = '\0';
}

/* Makes `count` terms of two phrases each that are no phrases themselves. */
static void
add_pairs(Strings *list, const Corpus *corpus, int count, int salt)
{
	int n = corpus->fillers.n;

	for (int i = 0; i < count; i++)
	{
		const char *first = corpus->fillers.text[(i + salt) % n];
		const char *second = corpus->fillers.text[((long) i * 7919 + i / n * 104729 + salt) % n];
		char *term = malloc(strlen(first) + strlen(second) + 1);

		strcpy(term, first);
		strcat(term, second);
		add(list, term);
	}
}

/*
 * Gives a dictionary: "everyday" is all phrases, "everyday64k" the same with synthetic terms up to
 * 64,000, "guard" those of four and more characters with synthetic ones up to 50,000, "million" a
 * million synthetic ones.
 */
Strings
corpus_dictionary(const Corpus *corpus, const char *name)
{
	Strings list = {0};

	if (strncmp(name, "everyday", 8) == 0)
		for (int i = 0; i < corpus->words.n; i++)
			add(&list, corpus->words.text[i]);
	if (strcmp(name, "guard") == 0)
		for (int i = 0; i < corpus->idioms.n; i++)
			add(&list, corpus->idioms.text[i]);
	if (strcmp(name, "everyday64k") == 0)
		add_pairs(&list, corpus, 64000 - list.n, 17);
	if (strcmp(name, "guard") == 0)
		add_pairs(&list, corpus, 50000 - list.n, 17);
	if (strcmp(name, "million") == 0)
		add_pairs(&list, corpus, 1000000, 17);
	return list;
}

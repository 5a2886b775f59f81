/*
 * corpus.h
 *		Deterministic listings and dictionaries for benchmarks.
 */
#ifndef QG_CORPUS_H
#define QG_CORPUS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Strings
{
	int n;
	char **text;
	int *bytes;
} Strings;

typedef struct Corpus
{
	Strings words;		 /* the phrases */
	Strings fillers;	 /* those of two and three characters, of which listings are made */
	Strings idioms;		 /* those of four and more */
	Strings traditional; /* pairs: a simplified character and its traditional form */
	Strings letters;	 /* the characters of the phrases, as often as they occur */
	int share; /* percent of words that are phrases; the others are of random characters */
} Corpus;

#define CORPUS_SHARE 10 /* percent of words that are phrases, as a rule */

#define TITLE_MIN 45
#define TITLE_MAX 75
#define BODY_MIN 250
#define BODY_MAX 550

/* A listing; title and description lie one after the other, parted by a line feed, in text. */
typedef struct Listing
{
	char text[(TITLE_MAX + BODY_MAX) * 8];
	int title; /* bytes of the title */
	int bytes; /* of all, with the line feed */
} Listing;

extern bool corpus_open(Corpus *corpus, const char *folder, int share);
extern void corpus_listing(const Corpus *corpus, int number, Listing *listing);
extern Strings corpus_dictionary(const Corpus *corpus, const char *name);

#endif

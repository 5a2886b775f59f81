/*
 * corpus_main.c
 *		Prints the corpus for COPY:
 *
 *		corpus FOLDER listings COUNT	number, merchant, title, description
 *		corpus FOLDER terms DICTIONARY	a term a line
 *
 * Exit code 3: the phrases are not there.
 */
#include "corpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
main(int argc, char **argv)
{
	Corpus corpus;
	static Listing listing;

	if (argc != 4)
		return 2;
	if (!corpus_open(&corpus, argv[1], CORPUS_SHARE))
		return 3;
	if (strcmp(argv[2], "terms") == 0)
	{
		Strings list = corpus_dictionary(&corpus, argv[3]);

		for (int i = 0; i < list.n; i++)
			puts(list.text[i]);
		return 0;
	}
	for (int i = 1; i <= atoi(argv[3]); i++)
	{
		corpus_listing(&corpus, i, &listing);
		printf("%d\tm-%d\t%.*s\t%s\n", i, i % 1000, listing.title, listing.text,
			   listing.text + listing.title + 1);
	}
	return 0;
}

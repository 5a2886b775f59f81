/*
 * lexicon_image.h
 *		Compiled lexicons as a backend holds them: mapped from a file that all backends share, or its
 *		own.
 */
#ifndef QG_LEXICON_IMAGE_H
#define QG_LEXICON_IMAGE_H

#include "lib/ilist.h"

#include "listing/listing.h"
#include "listing/matcher.h"

typedef struct QgLexiconImage
{
	dlist_node link; /* in the list of this backend's images */
	char *name;
	int version;
	bool fixed;
	uint8 digest[QG_LEXICON_DIGEST];
	int references;
	QgMatcher *matcher;
	MemoryContext context; /* of the matcher; holds the image where it is not mapped */
	void *mapped;		   /* the file's bytes, or NULL */
	size_t mapped_size;
	double compile_ms; /* 0 where another backend compiled it */
	double load_ms;
} QgLexiconImage;

extern QgLexiconImage *qg_lexicon_image_get(const QgLexicon *lexicon);
extern void qg_lexicon_image_release(QgLexiconImage *image);

/* lexicon_compile.c: compiles the terms of a version in the current memory context */
extern QgMatcher *qg_lexicon_compile(const QgLexicon *lexicon, bool *published);

/* lexicon_file.c: image files */
extern bool qg_lexicon_file_map(const uint8 *digest, void **mapped, size_t *size,
								const void **image, size_t *length);
extern bool qg_lexicon_file_write(const uint8 *digest, const void *image, size_t length);
extern int qg_lexicon_file_lock(const uint8 *digest);
extern void qg_lexicon_file_unlock(int lock);

#endif

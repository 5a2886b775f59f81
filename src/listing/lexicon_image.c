/*
 * lexicon_image.c
 *		The compiled lexicons of this backend.
 *
 * A published version is compiled once for all: the first backend that needs it writes the image to a
 * file named by the digest of its content, every backend maps that file.  Where no file can be
 * written, and for drafts, which change, the image is the backend's own.  An image lives as long as
 * some content of the cache of versions refers to it; content that replaces other content in a
 * transaction takes the image over before the other lets go of it.
 */
#include "quality_gov.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include <sys/mman.h>

#include "listing/lexicon_image.h"

static dlist_head images = DLIST_STATIC_INIT(images);

/* Gives the milliseconds since an instant. */
static double
elapsed_ms(instr_time since)
{
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, since);
	return INSTR_TIME_GET_MILLISEC(now);
}

/* Maps the file of a digest, if there is a usable one. */
static bool
map_image(QgLexiconImage *image)
{
	MemoryContext caller;
	const void *bytes;
	size_t length;

	if (!qg_lexicon_file_map(image->digest, &image->mapped, &image->mapped_size, &bytes, &length))
		return false;
	caller = MemoryContextSwitchTo(image->context);
	image->matcher = qg_matcher_open(bytes, length);
	MemoryContextSwitchTo(caller);
	if (image->matcher != NULL)
		return true;
	/* Folded by another version of Unicode, or of another format. */
	munmap(image->mapped, image->mapped_size);
	image->mapped = NULL;
	return false;
}

/*
 * Compiles a version into the image's own memory.  One whose terms are not what was published stands
 * for the content that refers to it only, as a draft does.
 */
static void
compile_image(QgLexiconImage *image, const QgLexicon *lexicon)
{
	MemoryContext caller = MemoryContextSwitchTo(image->context);
	instr_time since;

	INSTR_TIME_SET_CURRENT(since);
	image->matcher = qg_lexicon_compile(lexicon, &image->fixed);
	image->compile_ms = elapsed_ms(since);
	MemoryContextSwitchTo(caller);
}

/* Compiles a published version, shares it, and keeps what is shared if that went well. */
static void
compile_shared(QgLexiconImage *image, const QgLexicon *lexicon)
{
	MemoryContext own;
	size_t length;
	const void *bytes;
	int lock = qg_lexicon_file_lock(image->digest);

	/* Another backend may have compiled it while this one waited. */
	if (map_image(image))
	{
		qg_lexicon_file_unlock(lock);
		return;
	}
	compile_image(image, lexicon);
	bytes = qg_matcher_image(image->matcher, &length);
	own = image->context;
	if (image->fixed && qg_lexicon_file_write(image->digest, bytes, length))
	{
		image->context = AllocSetContextCreate(TopMemoryContext, "quality_gov lexicon",
											   ALLOCSET_SMALL_SIZES);
		if (map_image(image))
			MemoryContextDelete(own);
		else
		{
			MemoryContextDelete(image->context);
			image->context = own;
			MemoryContextSwitchTo(own);
			image->matcher = qg_matcher_open(bytes, length);
		}
	}
	qg_lexicon_file_unlock(lock);
}

/* Gives an image that this backend holds already. */
static QgLexiconImage *
find_image(const QgLexicon *lexicon)
{
	dlist_iter iter;

	dlist_foreach(iter, &images)
	{
		QgLexiconImage *image = dlist_container(QgLexiconImage, link, iter.cur);

		if (image->fixed && lexicon->fixed && image->version == lexicon->version &&
			strcmp(image->name, lexicon->name) == 0 &&
			memcmp(image->digest, lexicon->digest, QG_LEXICON_DIGEST) == 0)
			return image;
	}
	return NULL;
}

/* Moves an image that is complete out of the transaction. */
static QgLexiconImage *
keep(QgLexiconImage *image, const char *name)
{
	QgLexiconImage *kept = MemoryContextAlloc(TopMemoryContext, sizeof(QgLexiconImage));

	*kept = *image;
	kept->name = MemoryContextStrdup(TopMemoryContext, name);
	MemoryContextSetParent(kept->context, TopMemoryContext);
	pfree(image);
	return kept;
}

/* Gives the dictionary of a version, for its content to release. */
QgLexiconImage *
qg_lexicon_image_get(const QgLexicon *lexicon)
{
	QgLexiconImage *image = find_image(lexicon);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	instr_time since;

	if (image != NULL)
	{
		image->references++;
		return image;
	}
	INSTR_TIME_SET_CURRENT(since);
	/* Of the transaction, until all went well. */
	context = AllocSetContextCreate(CurTransactionContext, "quality_gov lexicon",
									ALLOCSET_SMALL_SIZES);
	image = MemoryContextAllocZero(CurTransactionContext, sizeof(QgLexiconImage));
	image->context = context;
	image->version = lexicon->version;
	image->fixed = lexicon->fixed;
	memcpy(image->digest, lexicon->digest, QG_LEXICON_DIGEST);
	if (!image->fixed)
		compile_image(image, lexicon);
	else if (!map_image(image))
		compile_shared(image, lexicon);
	MemoryContextSwitchTo(caller);
	image = keep(image, lexicon->name);
	image->references = 1;
	image->load_ms = elapsed_ms(since);
	dlist_push_head(&images, &image->link);
	return image;
}

/* Lets go of an image, which goes when nobody refers to it. */
void
qg_lexicon_image_release(QgLexiconImage *image)
{
	if (--image->references > 0)
		return;
	dlist_delete(&image->link);
	if (image->mapped != NULL)
		munmap(image->mapped, image->mapped_size);
	MemoryContextDelete(image->context);
	pfree(image->name);
	pfree(image);
}

/* lexicon_images(): the compiled lexicons that this backend holds. */
PG_FUNCTION_INFO_V1(qg_lexicon_images);
Datum
qg_lexicon_images(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	dlist_iter iter;

	InitMaterializedSRF(fcinfo, 0);
	dlist_foreach(iter, &images)
	{
		const QgLexiconImage *image = dlist_container(QgLexiconImage, link, iter.cur);
		Datum values[6];
		bool nulls[6] = {false};
		size_t length;

		(void) qg_matcher_image(image->matcher, &length);
		values[0] = CStringGetTextDatum(image->name);
		values[1] = Int32GetDatum(image->version);
		values[2] = Int64GetDatum((int64) length);
		values[3] = BoolGetDatum(image->mapped != NULL);
		values[4] = Float8GetDatum(image->compile_ms);
		values[5] = Float8GetDatum(image->load_ms);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

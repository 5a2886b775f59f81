/*
 * lexicon_file.c
 *		Files of compiled lexicons under the data directory.
 *
 * A file is named by the database and the digest of its content.  It is written in full under another
 * name, flushed, then renamed, and never changed afterwards: a page that vanished from under a mapping
 * would end the server with a SIGBUS.  Removing it is safe, since a mapping keeps its file.  The
 * directory's name makes base backups and pg_rewind leave it out.  Nothing here is needed: the tables
 * are the truth, and what is missing, damaged or of another version is made again.
 */
#include "quality_gov.h"

#include "catalog/pg_type.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/files.h"
#include "listing/lexicon_image.h"

#define IMAGE_DIR QG_FILES_DIR "/lexicon"
#define ASIDE_SUFFIX ".tmp"

/* How long to wait for another backend's compilation. */
#define LOCK_NAP_US 10000L
#define LOCK_NAPS 3000

/* What stands before an image in its file; 64 bytes, so that the image's arrays stay aligned. */
typedef struct FileHeader
{
	char magic[8];
	uint64 length; /* of the image */
	pg_crc32c crc; /* of the image */
	uint32 reserved;
	uint8 digest[QG_LEXICON_DIGEST];
	char filler[8];
} FileHeader;

StaticAssertDecl(sizeof(FileHeader) == 64, "the header of an image file must fill 64 bytes");

/* Names the file of a digest, with a suffix. */
static char *
file_name(const uint8 *digest, const char *suffix)
{
	StringInfoData name;

	initStringInfo(&name);
	appendStringInfo(&name, "%s/%u.", IMAGE_DIR, MyDatabaseId);
	for (int i = 0; i < QG_LEXICON_DIGEST; i++)
		appendStringInfo(&name, "%02x", digest[i]);
	appendStringInfoString(&name, suffix);
	return name.data;
}

/* Tells whether mapped bytes are the image of a digest, undamaged. */
static bool
is_sound(const void *mapped, size_t size, const uint8 *digest)
{
	const FileHeader *header = mapped;
	pg_crc32c crc;

	if (size < sizeof(FileHeader) || memcmp(header->magic, "qgimage", 8) != 0 ||
		header->length != size - sizeof(FileHeader) ||
		memcmp(header->digest, digest, QG_LEXICON_DIGEST) != 0)
		return false;
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, (const char *) mapped + sizeof(FileHeader), header->length);
	FIN_CRC32C(crc);
	return EQ_CRC32C(crc, header->crc);
}

/* Maps the image of a digest read-only; false where there is none that is sound. */
bool
qg_lexicon_file_map(const uint8 *digest, void **mapped, size_t *size, const void **image,
					size_t *length)
{
	char *name = file_name(digest, "");
	int fd = OpenTransientFile(name, O_RDONLY | PG_BINARY);
	struct stat status;
	void *bytes = MAP_FAILED;

	pfree(name);
	if (fd < 0)
		return false;
	if (fstat(fd, &status) == 0 && status.st_size > (off_t) sizeof(FileHeader))
		bytes = mmap(NULL, (size_t) status.st_size, PROT_READ, MAP_SHARED, fd, 0);
	CloseTransientFile(fd);
	if (bytes == MAP_FAILED)
		return false;
	if (!is_sound(bytes, (size_t) status.st_size, digest))
	{
		munmap(bytes, (size_t) status.st_size);
		return false;
	}
	*mapped = bytes;
	*size = (size_t) status.st_size;
	*image = (const char *) bytes + sizeof(FileHeader);
	*length = *size - sizeof(FileHeader);
	return true;
}

/* Writes bytes to a file; tells whether all went well. */
static bool
write_all(int fd, const void *bytes, size_t length)
{
	const char *pos = bytes;

	while (length > 0)
	{
		ssize_t written;

		CHECK_FOR_INTERRUPTS();
		written = write(fd, pos, Min(length, 1024 * 1024));
		if (written <= 0)
		{
			if (written < 0 && errno == EINTR)
				continue;
			if (written == 0)
				errno = ENOSPC;
			return false;
		}
		pos += written;
		length -= written;
	}
	return true;
}

/* Leaves a line in the server log about a file that could not be made. */
static void
complain(const char *name)
{
	ereport(LOG,
			(errcode_for_file_access(), errmsg("could not write compiled lexicon \"%s\": %m", name),
			 errdetail("Each backend that needs it compiles its own.")));
}

/* Writes the image of a digest; tells whether it is there now. */
bool
qg_lexicon_file_write(const uint8 *digest, const void *image, size_t length)
{
	FileHeader header = {.magic = "qgimage", .length = length};
	char *name = file_name(digest, "");
	char *aside = psprintf("%s.%d" ASIDE_SUFFIX, name, MyProcPid);
	bool written;
	int fd;

	memcpy(header.digest, digest, QG_LEXICON_DIGEST);
	INIT_CRC32C(header.crc);
	COMP_CRC32C(header.crc, image, length);
	FIN_CRC32C(header.crc);
	qg_files_dir_make(IMAGE_DIR);
	(void) unlink(aside);
	fd = OpenTransientFile(aside, O_WRONLY | O_CREAT | O_EXCL | PG_BINARY);
	if (fd < 0)
	{
		complain(aside);
		return false;
	}
	written = write_all(fd, &header, sizeof(header)) && write_all(fd, image, length) &&
			  pg_fsync(fd) == 0;
	if (!written)
		complain(aside);
	CloseTransientFile(fd);
	if (!written || durable_rename(aside, name, LOG) != 0)
	{
		(void) unlink(aside);
		return false;
	}
	return true;
}

/* Lets others go on. */
void
qg_lexicon_file_unlock(int lock)
{
	if (lock >= 0)
		CloseTransientFile(lock);
}

/*
 * Waits until nobody else compiles the lexicon of a digest and gives a lock, -1 where there is none
 * to be had; it goes with the transaction where an error comes between.  The wait has an end, since
 * whoever compiles may itself wait for a lock on the tables that this transaction holds.
 */
int
qg_lexicon_file_lock(const uint8 *digest)
{
	char *name = file_name(digest, ".lock");
	int fd;

	qg_files_dir_make(IMAGE_DIR);
	fd = OpenTransientFile(name, O_RDWR | O_CREAT | PG_BINARY);
	pfree(name);
	for (int nap = 0; fd >= 0 && nap < LOCK_NAPS; nap++)
	{
		CHECK_FOR_INTERRUPTS();
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		if (errno != EWOULDBLOCK && errno != EINTR)
			break;
		pg_usleep(LOCK_NAP_US);
	}
	qg_lexicon_file_unlock(fd);
	return -1;
}

/* Tells whether a name among the files is of an array of texts; the name may go on with a dot. */
static bool
is_listed(const char *name, Datum *wanted, int count)
{
	for (int i = 0; i < count; i++)
	{
		char *item = TextDatumGetCString(wanted[i]);
		size_t length = strlen(item);

		if (strncmp(name, item, length) == 0 && (name[length] == '\0' || name[length] == '.'))
			return true;
		pfree(item);
	}
	return false;
}

/* Tells whether a file was to become an image, and is left of a crash once it is old. */
static bool
is_aside(const char *name)
{
	size_t length = strlen(name);
	size_t suffix = strlen(ASIDE_SUFFIX);

	return length > suffix && strcmp(name + length - suffix, ASIDE_SUFFIX) == 0;
}

/*
 * lexicon_files_sweep(keep): removes image files that are not of those named ("oid.digest", or "oid"
 * for all of another database), once they are an hour old; gives their number.
 */
PG_FUNCTION_INFO_V1(qg_lexicon_files_sweep);
Datum
qg_lexicon_files_sweep(PG_FUNCTION_ARGS)
{
	Datum *keep;
	int nkeep;
	int removed = 0;
	DIR *dir = AllocateDir(IMAGE_DIR);
	struct dirent *entry;
	time_t old = time(NULL) - 3600;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &keep, NULL,
					  &nkeep);
	if (dir == NULL)
		PG_RETURN_INT32(0);
	while ((entry = ReadDirExtended(dir, IMAGE_DIR, LOG)) != NULL)
	{
		char path[MAXPGPATH];
		struct stat status;

		CHECK_FOR_INTERRUPTS();
		if (entry->d_name[0] == '.' ||
			(!is_aside(entry->d_name) && is_listed(entry->d_name, keep, nkeep)))
			continue;
		snprintf(path, sizeof(path), "%s/%s", IMAGE_DIR, entry->d_name);
		if (stat(path, &status) == 0 && status.st_mtime < old && unlink(path) == 0)
			removed++;
	}
	FreeDir(dir);
	PG_RETURN_INT32(removed);
}

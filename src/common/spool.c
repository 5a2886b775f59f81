/*
 * spool.c
 *		Records on disk that outlive the transaction which wrote them, until they are read.
 *
 * Each backend appends to a file of its own, DIR/<database>.<instance>.<start>.<pid>.<n>, which it
 * opens for one record and closes again.  A record is a length, a CRC-32C and the payload, written
 * by one write(); nothing is flushed, so a killed backend or server loses nothing, and a power
 * failure may lose the last seconds.  A file that has grown to FILE_MAX is followed by a new one;
 * a name never comes again.
 *
 * While it writes, the writer holds a shared lock (flock) on its file; a reader removes a file
 * under an exclusive one.  Neither waits: a writer that does not get its lock, or finds that the
 * file it has locked is gone, begins a new file.  A reader that meets a broken record reads again
 * under the exclusive lock: no one is writing then, so what is still broken was torn.
 *
 * DIR/<database>.<instance>.state is one page, mapped shared by every backend of the database:
 * counters, and the bytes on disk, by which the bound is kept without a look at the folder.  It is
 * written in full before it gets its name and never truncated, so that touching it cannot fail.
 * Its lock is held by the one worker that drains.
 *
 * Base backups and pg_rewind leave out whatever begins with pgsql_tmp; the server's clean-up at
 * start looks elsewhere.  The writer's half never raises an error and never waits.
 */
#include "quality_gov.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/pg_crc32c.h"
#include "storage/fd.h"
#include "utils/timestamp.h"

#include "common/files.h"
#include "common/spool.h"

#define SPOOL_DIR QG_FILES_DIR "/spool"
#define SPOOL_PATH_MAX (sizeof(SPOOL_DIR) + QG_SPOOL_NAME_MAX + 16)
#define STATE_MAGIC UINT64CONST(0x3130736c6f6f7051) /* names the layout, too */
#define STATE_BYTES 4096
#define FILE_MAX (1024 * 1024)
#define RECORD_MAX (1024 * 1024)

/* The file this backend appends to; size 0 where the next record begins a new one. */
static QgSpoolKey own_key;
static char own_path[SPOOL_PATH_MAX];
static off_t own_size = 0;
static uint32 own_number = 0;

/* The mapped page, and whose it is. */
static QgSpoolState *mapped = NULL;
static QgSpoolKey mapped_key;

static bool
same_key(const QgSpoolKey *a, const QgSpoolKey *b)
{
	return a->database == b->database && a->instance == b->instance;
}

/* Writes the whole or nothing that counts; false with errno. */
static bool
write_all(int fd, const char *data, size_t size)
{
	ssize_t written;

	do
	{
		errno = 0;
		written = write(fd, data, size);
	} while (written < 0 && errno == EINTR);
	if (written >= 0 && written < (ssize_t) size && errno == 0)
		errno = ENOSPC;
	return written == (ssize_t) size;
}

static void
state_path(char *path, const QgSpoolKey *key)
{
	snprintf(path, SPOOL_PATH_MAX, SPOOL_DIR "/%u.%u.state", key->database, key->instance);
}

/* Makes the page's file in full before it gets its name; of two backends the first one's stays. */
static bool
make_state(const char *path)
{
	union
	{
		char bytes[STATE_BYTES];
		QgSpoolState state;
	} page;
	char temporary[SPOOL_PATH_MAX + 16];
	bool done;
	int fd;

	memset(&page, 0, sizeof(page));
	page.state.magic = STATE_MAGIC;
	snprintf(temporary, sizeof(temporary), "%s.%d", path, MyProcPid);
	(void) unlink(temporary);
	if (!qg_files_dir_make(SPOOL_DIR))
		return false;
	fd = BasicOpenFilePerm(temporary, O_CREAT | O_EXCL | O_WRONLY, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return false;
	done = write_all(fd, page.bytes, STATE_BYTES);
	close(fd);
	if (done)
		done = link(temporary, path) == 0 || errno == EEXIST;
	(void) unlink(temporary);
	return done;
}

/* Maps the page, which is never truncated; NULL where it is missing or of another layout. */
static QgSpoolState *
map_state(const char *path)
{
	QgSpoolState *state = NULL;
	struct stat st;
	void *page;
	int fd = BasicOpenFile(path, O_RDWR);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size == STATE_BYTES)
	{
		page = mmap(NULL, STATE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (page != MAP_FAILED && ((QgSpoolState *) page)->magic != STATE_MAGIC)
			munmap(page, STATE_BYTES);
		else if (page != MAP_FAILED)
			state = page;
	}
	close(fd);
	/* What a crash of the machine or another version left is made anew. */
	if (state == NULL)
		(void) unlink(path);
	return state;
}

/* Gives the page that all backends of the key share, or NULL where there is no room for it. */
QgSpoolState *
qg_spool_state(const QgSpoolKey *key)
{
	char path[SPOOL_PATH_MAX];

	if (mapped != NULL && same_key(&mapped_key, key))
		return mapped;
	if (mapped != NULL)
		munmap(mapped, STATE_BYTES);
	state_path(path, key);
	mapped_key = *key;
	mapped = map_state(path);
	if (mapped == NULL && make_state(path))
		mapped = map_state(path);
	return mapped;
}

/* Opens the file to append to, a new one where needed; -1 where that fails for good. */
static int
open_own(const QgSpoolKey *key, size_t length, bool *new)
{
	int fd;

	if (!same_key(&own_key, key) || own_size + (off_t) length > FILE_MAX)
		own_size = 0;
	*new = own_size == 0;
	if (!*new)
	{
		fd = BasicOpenFile(own_path, O_WRONLY | O_APPEND);
		if (fd >= 0 || errno != ENOENT)
			return fd;
		*new = true;
	}
	own_key = *key;
	own_size = 0;
	for (int attempt = 0; attempt < 3; attempt++)
	{
		snprintf(own_path, sizeof(own_path), SPOOL_DIR "/%u.%u." UINT64_FORMAT ".%d.%u",
				 key->database, key->instance, (uint64) MyStartTimestamp, MyProcPid, ++own_number);
		fd = BasicOpenFilePerm(own_path, O_CREAT | O_EXCL | O_WRONLY | O_APPEND, S_IRUSR | S_IWUSR);
		if (fd >= 0 || (errno != ENOENT && errno != EEXIST) || !qg_files_dir_make(SPOOL_DIR))
			return fd;
	}
	return -1;
}

/* Appends a record to this backend's file; what was written in part is taken back. */
static bool
write_record(const QgSpoolKey *key, const char *record, size_t length, bool *new)
{
	for (int attempt = 0; attempt < 3; attempt++)
	{
		struct stat st;
		bool done;
		int fd = open_own(key, length, new);

		if (fd < 0)
			return false;
		/* A reader that removes the file at this moment leaves the record to another file. */
		if (flock(fd, LOCK_SH | LOCK_NB) != 0 || fstat(fd, &st) != 0 || st.st_nlink == 0)
		{
			close(fd);
			own_size = 0;
			continue;
		}
		done = write_all(fd, record, length);
		own_size = done ? st.st_size + (off_t) length : 0;
		/* A full disk keeps no file for each record that found no room. */
		if (!done && *new)
			(void) unlink(own_path);
		/* Where even that fails the reader finds a broken record at the end of the file. */
		else if (!done && ftruncate(fd, st.st_size) != 0)
			own_size = 0;
		close(fd);
		return done;
	}
	return false;
}

/*
 * Appends a record, whose first QG_SPOOL_HEADER bytes it fills in.  False where the limit of bytes
 * is reached or the disk or the kernel refuses; never raises an error, never waits.
 */
bool
qg_spool_append(const QgSpoolKey *key, char *record, size_t length, uint64 limit)
{
	QgSpoolState *state = qg_spool_state(key);
	uint32 size = (uint32) (length - QG_SPOOL_HEADER);
	bool new = false;
	pg_crc32c crc;

	if (state == NULL || size == 0 || size > RECORD_MAX)
		return false;
	/* Taken before it is written, so that writers together stay within the limit. */
	if ((int64) pg_atomic_add_fetch_u64(&state->bytes, length) > (int64) limit)
	{
		pg_atomic_fetch_sub_u64(&state->bytes, length);
		return false;
	}
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, record + QG_SPOOL_HEADER, size);
	FIN_CRC32C(crc);
	memcpy(record, &size, sizeof(size));
	memcpy(record + sizeof(size), &crc, sizeof(crc));
	if (!write_record(key, record, length, &new))
	{
		pg_atomic_fetch_sub_u64(&state->bytes, length);
		return false;
	}
	if (new)
		pg_atomic_fetch_add_u64(&state->bytes, QG_SPOOL_FILE_COST);
	pg_atomic_fetch_add_u64(&state->spooled, 1);
	return true;
}

/* Tells whether a name in the folder is one of a key's files of records, and whose. */
static bool
is_records(const char *name, QgSpoolKey *key)
{
	int end = 0;

	return strlen(name) < QG_SPOOL_NAME_MAX &&
		   sscanf(name, "%u.%u.%*[0-9].%*[0-9].%*[0-9]%n", &key->database, &key->instance, &end) ==
			   2 &&
		   end > 0 && name[end] == '\0';
}

/* Lists the key's files of records with their sizes. */
List *
qg_spool_files(const QgSpoolKey *key)
{
	DIR *dir = AllocateDir(SPOOL_DIR);
	List *files = NIL;
	struct dirent *entry;

	if (dir == NULL && errno == ENOENT)
		return NIL;
	while ((entry = ReadDir(dir, SPOOL_DIR)) != NULL)
	{
		char path[SPOOL_PATH_MAX];
		QgSpoolFile *file;
		QgSpoolKey whose;
		struct stat st;

		if (!is_records(entry->d_name, &whose) || !same_key(&whose, key))
			continue;
		snprintf(path, sizeof(path), SPOOL_DIR "/%s", entry->d_name);
		if (stat(path, &st) != 0)
			continue;
		file = palloc(sizeof(QgSpoolFile));
		strlcpy(file->name, entry->d_name, sizeof(file->name));
		file->size = (uint64) st.st_size;
		file->changed = (pg_time_t) st.st_mtime;
		files = lappend(files, file);
	}
	FreeDir(dir);
	return files;
}

/*
 * Reads a file from an offset on.  With settled it reads while nobody writes, and gives false when
 * somebody does.
 */
bool
qg_spool_load(const char *name, uint64 offset, bool settled, char **data, size_t *size)
{
	char path[SPOOL_PATH_MAX];
	struct stat st;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), SPOOL_DIR "/%s", name);
	*data = NULL;
	*size = 0;
	fd = OpenTransientFile(path, O_RDONLY);
	if (fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(), errmsg("could not open spool file \"%s\": %m", path)));
	if (settled && flock(fd, LOCK_EX | LOCK_NB) != 0)
	{
		CloseTransientFile(fd);
		return false;
	}
	if (fstat(fd, &st) != 0)
		ereport(ERROR,
				(errcode_for_file_access(), errmsg("could not stat spool file \"%s\": %m", path)));
	if ((uint64) st.st_size > offset)
		*data = palloc(st.st_size - offset);
	while (offset + *size < (uint64) st.st_size)
	{
		got = pg_pread(fd, *data + *size, st.st_size - offset - *size, offset + *size);
		if (got < 0)
			ereport(ERROR, (errcode_for_file_access(),
							errmsg("could not read spool file \"%s\": %m", path)));
		if (got == 0)
			break;
		*size += (size_t) got;
	}
	CloseTransientFile(fd);
	return true;
}

/* Finds the next record in what was read of a file and moves the offset behind it. */
QgSpoolNext
qg_spool_next(const char *data, size_t size, size_t *offset, const char **record, size_t *length)
{
	const char *at = data + *offset;
	size_t rest = size - *offset;
	uint32 stored_length;
	pg_crc32c stored_crc;
	pg_crc32c crc;

	if (rest == 0)
		return QG_SPOOL_END;
	if (rest < QG_SPOOL_HEADER)
		return QG_SPOOL_BROKEN;
	memcpy(&stored_length, at, sizeof(stored_length));
	memcpy(&stored_crc, at + sizeof(stored_length), sizeof(stored_crc));
	if (stored_length == 0 || stored_length > rest - QG_SPOOL_HEADER)
		return QG_SPOOL_BROKEN;
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, at + QG_SPOOL_HEADER, stored_length);
	FIN_CRC32C(crc);
	if (!EQ_CRC32C(crc, stored_crc))
		return QG_SPOOL_BROKEN;
	*record = at + QG_SPOOL_HEADER;
	*length = stored_length;
	*offset += QG_SPOOL_HEADER + stored_length;
	return QG_SPOOL_RECORD;
}

/* Removes a file that holds no more than what was consumed; false where it does, or is written. */
bool
qg_spool_remove(const char *name, uint64 consumed)
{
	char path[SPOOL_PATH_MAX];
	struct stat st;
	bool removed;
	int fd;

	snprintf(path, sizeof(path), SPOOL_DIR "/%s", name);
	fd = OpenTransientFile(path, O_RDONLY);
	if (fd < 0)
		return false;
	removed = flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 &&
			  (uint64) st.st_size <= consumed && unlink(path) == 0;
	CloseTransientFile(fd);
	return removed;
}

/* Makes removals last, also through a power failure. */
void
qg_spool_sync(void)
{
	if (access(SPOOL_DIR, F_OK) == 0)
		(void) fsync_fname_ext(SPOOL_DIR, true, false, ERROR);
}

/* Removes whatever belongs to keys that are gone. */
void
qg_spool_purge(bool (*gone)(const QgSpoolKey *key))
{
	DIR *dir = AllocateDir(SPOOL_DIR);
	QgSpoolKey last = {InvalidOid, InvalidOid};
	bool last_gone = false;
	struct dirent *entry;

	if (dir == NULL && errno == ENOENT)
		return;
	while ((entry = ReadDir(dir, SPOOL_DIR)) != NULL)
	{
		char path[SPOOL_PATH_MAX];
		QgSpoolKey key;

		if (sscanf(entry->d_name, "%u.%u.", &key.database, &key.instance) != 2 ||
			strlen(entry->d_name) >= QG_SPOOL_NAME_MAX)
			continue;
		if (!same_key(&key, &last))
			last_gone = gone(&key);
		last = key;
		snprintf(path, sizeof(path), SPOOL_DIR "/%s", entry->d_name);
		if (last_gone)
			(void) unlink(path);
	}
	FreeDir(dir);
}

/* Locks the key's page in a mode; gives the descriptor that holds the lock, or -1. */
static int
lock_state(const QgSpoolKey *key, int mode)
{
	char path[SPOOL_PATH_MAX];
	int fd;

	state_path(path, key);
	fd = BasicOpenFile(path, O_RDWR);
	if (fd >= 0 && flock(fd, mode | LOCK_NB) != 0)
	{
		close(fd);
		errno = EWOULDBLOCK;
		fd = -1;
	}
	return fd;
}

/* Makes this process the key's one worker until the descriptor is closed; -1 where one works. */
int
qg_spool_worker_lock(const QgSpoolKey *key)
{
	/* A backend that looks whether there is a worker has the lock for a moment. */
	for (int attempt = 0; attempt < 20; attempt++)
	{
		int fd = lock_state(key, LOCK_EX);

		if (fd >= 0)
			return fd;
		pg_usleep(1000L);
	}
	return -1;
}

/* Tells whether a worker of the key runs. */
bool
qg_spool_worker_runs(const QgSpoolKey *key)
{
	int fd = lock_state(key, LOCK_SH);

	if (fd < 0)
		return errno == EWOULDBLOCK;
	close(fd);
	return false;
}

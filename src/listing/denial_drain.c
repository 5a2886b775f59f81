/*
 * denial_drain.c
 *		Records the refused attempts that wait in the spool.
 *
 * Exactly once: how far a file has been read is a row of listing_denial_spool, written in the
 * transaction that writes the attempts.  A file is removed only when a row that an earlier
 * transaction has committed says that it was read to its end, and the row only when the file is
 * gone for good.  Drains come one after the other, by an advisory lock.
 *
 * An attempt that the tables refuse (a merchant's name of two kilobytes does not fit into an
 * index) must not keep the others waiting: it goes to the server log.
 */
#include "quality_gov.h"

#include "access/xact.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "common/finding.h"
#include "listing/denial.h"

/* Attempts that are written by one statement. */
#define BATCH_ROWS 5000
#define BATCH_BYTES (8 * 1024 * 1024)

/* A file: what a committed row says of it, and what this drain reads. */
typedef struct DrainFile
{
	char name[QG_SPOOL_NAME_MAX]; /* hash key */
	bool present;
	bool committed; /* consumed is of an earlier transaction */
	int64 consumed;
	int64 recorded; /* by this drain */
	bool torn;
	bool read;
} DrainFile;

/* One drain. */
typedef struct Drain
{
	QgSpoolKey key;
	QgSpoolState *state;
	HTAB *files;
	MemoryContext context; /* of the drain */
	MemoryContext batch;   /* reset with each batch */
	Datum *attempts;
	int nattempts;
	size_t bytes;
	int64 recorded;
	int64 limit;
} Drain;

/* Runs one statement and, where there is a function, gives it each row. */
static void
run(const char *sql, int nargs, Oid *types, Datum *values,
	void (*row)(Drain *, HeapTuple, TupleDesc), Drain *drain)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args(sql, nargs, types, values, NULL, false, 0) < 0)
		elog(ERROR, "could not execute \"%s\"", sql);
	for (uint64 i = 0; row != NULL && i < SPI_processed; i++)
		row(drain, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
	SPI_finish();
}

static DrainFile *
find_file(Drain *drain, const char *name)
{
	char key[QG_SPOOL_NAME_MAX];
	bool found;
	DrainFile *file;

	strlcpy(key, name, sizeof(key));
	file = hash_search(drain->files, key, HASH_ENTER, &found);
	if (!found)
	{
		memset((char *) file + sizeof(file->name), 0, sizeof(*file) - sizeof(file->name));
		file->committed = true;
	}
	return file;
}

/* Takes in what a row says of a file. */
static void
load_position(Drain *drain, HeapTuple tuple, TupleDesc desc)
{
	bool isnull;
	DrainFile *file = find_file(drain, TextDatumGetCString(SPI_getbinval(tuple, desc, 1, &isnull)));

	file->consumed = DatumGetInt64(SPI_getbinval(tuple, desc, 2, &isnull));
	/* What an earlier drain of this same transaction has read can still be rolled back. */
	file->committed = !TransactionIdIsCurrentTransactionId(
		DatumGetTransactionId(SPI_getbinval(tuple, desc, 3, &isnull)));
}

/*
 * Takes stock: files, and how far each was read; removes those that were read to their end, and
 * forgets the rows of those that are gone.
 */
static void
take_stock(Drain *drain)
{
	int64 known = (int64) pg_atomic_read_u64(&drain->state->bytes);
	int64 bytes = 0;
	List *gone = NIL;
	List *files;
	ListCell *cell;
	HASH_SEQ_STATUS all;
	DrainFile *file;
	uint64 expected = (uint64) known;

	run("SELECT file, consumed, xmin FROM quality_gov.listing_denial_spool WHERE file <> ''", 0,
		NULL, NULL, load_position, drain);
	files = qg_spool_files(&drain->key);
	foreach (cell, files)
	{
		QgSpoolFile *found = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		file = find_file(drain, found->name);
		file->present = true;
		if (file->committed && found->size <= (uint64) file->consumed &&
			qg_spool_remove(file->name, (uint64) file->consumed))
			file->present = false;
		else
			bytes += (int64) found->size + QG_SPOOL_FILE_COST;
	}
	/* Where nobody wrote meanwhile the sum is put right, whatever a crash made of it. */
	(void) pg_atomic_compare_exchange_u64(&drain->state->bytes, &expected, (uint64) bytes);

	hash_seq_init(&all, drain->files);
	while ((file = hash_seq_search(&all)) != NULL)
		if (!file->present && file->committed)
			gone = lappend(gone, file->name);
	if (gone != NIL)
	{
		Oid type = TEXTARRAYOID;
		Datum *names = palloc(sizeof(Datum) * list_length(gone));
		Datum array;
		int n = 0;

		foreach (cell, gone)
			names[n++] = CStringGetTextDatum((char *) lfirst(cell));
		array = PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
		/* A file that came back after a power failure would be read again. */
		qg_spool_sync();
		run("SELECT quality_gov.listing_denial_forget($1)", 1, &type, &array, NULL, drain);
	}
}

/* Attempts that are written together. */
typedef struct Entry
{
	Drain *drain;
	Datum *attempts;
	int n;
} Entry;

static void
write_entry(void *arg)
{
	const Entry *this = arg;
	Oid type = TEXTARRAYOID;
	Datum array = PointerGetDatum(
		construct_array(this->attempts, this->n, TEXTOID, -1, false, TYPALIGN_INT));

	run("SELECT quality_gov.listing_denial_enter($1)", 1, &type, &array, NULL, this->drain);
}

/* Writes attempts; false where the tables refuse them for what they are. */
static bool
try_enter(Drain *drain, Datum *attempts, int n)
{
	Entry entry = {.drain = drain, .attempts = attempts, .n = n};
	ErrorData *error = qg_subtransaction_try(write_entry, &entry);

	if (error == NULL)
		return true;
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_DATA_EXCEPTION:
		case ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION:
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
			return false;
		default:
			ReThrowError(error);
	}
	return false;
}

/* Writes attempts; where they are refused, each half by itself, down to the one that is at fault. */
static void
enter(Drain *drain, Datum *attempts, int n)
{
	CHECK_FOR_INTERRUPTS();
	if (try_enter(drain, attempts, n))
		return;
	if (n == 1)
		qg_denial_log(VARDATA_ANY(DatumGetPointer(attempts[0])),
					  VARSIZE_ANY_EXHDR(DatumGetPointer(attempts[0])), drain->state);
	else
	{
		enter(drain, attempts, n / 2);
		enter(drain, attempts + n / 2, n - n / 2);
	}
}

/* Writes the batch and begins another. */
static void
enter_batch(Drain *drain)
{
	MemoryContext context = MemoryContextSwitchTo(drain->batch);

	if (drain->nattempts > 0)
		enter(drain, drain->attempts, drain->nattempts);
	MemoryContextSwitchTo(context);
	MemoryContextReset(drain->batch);
	drain->nattempts = 0;
	drain->bytes = 0;
}

/* Adds an attempt to the batch. */
static void
add_attempt(Drain *drain, DrainFile *file, const char *record, size_t length)
{
	MemoryContext context = MemoryContextSwitchTo(drain->batch);

	drain->attempts[drain->nattempts++] = PointerGetDatum(
		cstring_to_text_with_len(record, (int) length));
	MemoryContextSwitchTo(context);
	drain->bytes += length;
	drain->recorded++;
	file->recorded++;
	if (drain->nattempts >= BATCH_ROWS || drain->bytes >= BATCH_BYTES)
		enter_batch(drain);
}

/*
 * Reads a file from where it was read to.  What is broken is read again while nobody writes; what
 * is still broken then was torn by a crash of the machine, and the rest of the file with it.
 */
static void
read_file(Drain *drain, DrainFile *file)
{
	QgSpoolNext next = QG_SPOOL_BROKEN;

	for (int settled = 0; settled <= 1 && next == QG_SPOOL_BROKEN; settled++)
	{
		const char *record;
		size_t length;
		size_t offset = 0;
		size_t size;
		char *data;

		if (!qg_spool_load(file->name, (uint64) file->consumed, settled != 0, &data, &size))
			break;
		while (drain->recorded < drain->limit &&
			   (next = qg_spool_next(data, size, &offset, &record, &length)) == QG_SPOOL_RECORD)
			add_attempt(drain, file, record, length);
		if (next == QG_SPOOL_BROKEN && settled)
		{
			ereport(WARNING,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("refused attempts in spool file \"%s\" are torn from byte %lld on and "
							"left out",
							file->name, (long long) (file->consumed + (int64) offset))));
			file->torn = true;
			offset = size;
		}
		file->read |= offset > 0;
		file->consumed += (int64) offset;
		if (data != NULL)
			pfree(data);
	}
}

/* Writes how far the files were read. */
static void
write_positions(Drain *drain)
{
	Oid types[4] = {TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, BOOLARRAYOID};
	long most = hash_get_num_entries(drain->files);
	Datum *columns[4];
	Datum values[4];
	HASH_SEQ_STATUS all;
	DrainFile *file;
	int n = 0;

	for (int i = 0; i < 4; i++)
		columns[i] = palloc(sizeof(Datum) * (most + 1));
	hash_seq_init(&all, drain->files);
	while ((file = hash_seq_search(&all)) != NULL)
	{
		if (!file->read)
			continue;
		columns[0][n] = CStringGetTextDatum(file->name);
		columns[1][n] = Int64GetDatum(file->consumed);
		columns[2][n] = Int64GetDatum(file->recorded);
		columns[3][n++] = BoolGetDatum(file->torn);
	}
	if (n == 0)
		return;
	values[0] = PointerGetDatum(construct_array(columns[0], n, TEXTOID, -1, false, TYPALIGN_INT));
	values[1] = PointerGetDatum(
		construct_array(columns[1], n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[2] = PointerGetDatum(
		construct_array(columns[2], n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[3] = PointerGetDatum(construct_array(columns[3], n, BOOLOID, 1, true, TYPALIGN_CHAR));
	run("SELECT quality_gov.listing_denial_consume($1, $2, $3, $4)", 4, types, values, NULL, drain);
}

/* Tells whether a key's database, or in this one the extension, does not exist any more. */
static bool
key_gone(const QgSpoolKey *key)
{
	if (key->database != MyDatabaseId)
		return !SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(key->database));
	return !SearchSysCacheExists1(NAMESPACEOID, ObjectIdGetDatum(key->instance));
}

/* Keeps DROP EXTENSION away, or lets it go first; false where the extension is gone. */
bool
qg_denial_hold(QgSpoolKey *key)
{
	Oid extension = get_extension_oid("quality_gov", true);

	if (!OidIsValid(extension))
		return false;
	LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
	AcceptInvalidationMessages();
	return get_extension_oid("quality_gov", true) == extension && qg_denial_key(key);
}

/* Waits for another drain, or does not; false where one is at work. */
static bool
lock_drain(bool wait)
{
	LOCKTAG tag;

	/* In the space of advisory locks, by which pg_locks shows it; of a kind that no function takes. */
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0x5147, 0x4401, 3);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

/* Reads every file, as far as the limit allows. */
static void
read_files(Drain *drain)
{
	HASH_SEQ_STATUS all;
	DrainFile *file;

	hash_seq_init(&all, drain->files);
	while ((file = hash_seq_search(&all)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (file->present && drain->recorded < drain->limit)
			read_file(drain, file);
	}
	enter_batch(drain);
}

/*
 * Takes at most so many attempts from the spool, records them and gives their number;
 * QG_DENIAL_GONE where the extension is gone, QG_DENIAL_BUSY where another drain is at work and
 * was not to be waited for.
 */
int64
qg_denial_drain(int64 limit, bool wait)
{
	Drain drain = {.limit = limit};
	MemoryContext caller = CurrentMemoryContext;
	HASHCTL form = {.keysize = QG_SPOOL_NAME_MAX, .entrysize = sizeof(DrainFile)};
	QgOwner owner;

	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("refused attempts must be recorded at isolation level read committed"),
				 errdetail("With an older snapshot they would be recorded again.")));
	if (!qg_denial_hold(&drain.key))
		return QG_DENIAL_GONE;
	if (!lock_drain(wait))
		return QG_DENIAL_BUSY;
	/* A file must not be removed on the word of a commit that a crash undoes. */
	if (synchronous_commit == SYNCHRONOUS_COMMIT_OFF)
		(void) set_config_option("synchronous_commit", "local", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_LOCAL, true, 0, false);
	drain.state = qg_spool_state(&drain.key);
	if (drain.state == NULL)
		return 0;
	drain.context = AllocSetContextCreate(caller, "quality_gov drain", ALLOCSET_DEFAULT_SIZES);
	drain.batch = AllocSetContextCreate(drain.context, "quality_gov drain batch",
										ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(drain.context);
	form.hcxt = drain.context;
	drain.files = hash_create("quality_gov spool files", 64, &form,
							  HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	drain.attempts = palloc(sizeof(Datum) * BATCH_ROWS);

	qg_owner_begin(&owner);
	take_stock(&drain);
	read_files(&drain);
	write_positions(&drain);
	qg_owner_end(&owner);

	MemoryContextSwitchTo(caller);
	MemoryContextDelete(drain.context);
	return drain.recorded;
}

/* listing_denial_drain(wait): records the refused attempts of this database. */
PG_FUNCTION_INFO_V1(qg_listing_denial_drain);
Datum
qg_listing_denial_drain(PG_FUNCTION_ARGS)
{
	int64 recorded = qg_denial_drain(PG_INT64_MAX, PG_GETARG_BOOL(0));

	/* What dropped databases have left is nobody else's to clear away. */
	qg_spool_purge(key_gone);
	if (recorded < 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(recorded);
}

/* listing_denial_spool_state(): what is on disk, and the counters that all backends share. */
PG_FUNCTION_INFO_V1(qg_listing_denial_spool_state);
Datum
qg_listing_denial_spool_state(PG_FUNCTION_ARGS)
{
	QgSpoolKey key;
	QgSpoolState *state;
	TupleDesc desc;
	Datum values[6] = {0};
	bool nulls[6] = {false};
	int64 bytes = 0;
	List *files;
	ListCell *cell;
	pg_time_t oldest = 0;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!qg_denial_key(&key))
		PG_RETURN_NULL();
	state = qg_spool_state(&key);
	files = qg_spool_files(&key);
	foreach (cell, files)
	{
		const QgSpoolFile *file = lfirst(cell);

		bytes += (int64) file->size;
		if (oldest == 0 || file->changed < oldest)
			oldest = file->changed;
	}
	values[0] = Int64GetDatum(state ? (int64) pg_atomic_read_u64(&state->spooled) : 0);
	values[1] = Int64GetDatum(state ? (int64) pg_atomic_read_u64(&state->logged) : 0);
	values[2] = TimestampTzGetDatum(state ? (TimestampTz) pg_atomic_read_u64(&state->logged_at)
										  : 0);
	nulls[2] = state == NULL || pg_atomic_read_u64(&state->logged_at) == 0;
	values[3] = Int64GetDatum(list_length(files));
	values[4] = Int64GetDatum(bytes);
	values[5] = TimestampTzGetDatum(time_t_to_timestamptz(oldest));
	nulls[5] = files == NIL;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

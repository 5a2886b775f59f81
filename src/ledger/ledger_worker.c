/*
 * ledger_worker.c
 *		The background worker that seals the log soon after entries were written.
 *
 * It needs no preloading.  A transaction that has written entries asks for a worker when it commits,
 * where quality_gov.ledger_seal_interval is not 0 and none waits already.  The worker waits for the
 * interval before it connects to a database, so that it keeps nobody from dropping one; then it
 * seals once, and goes.
 *
 * Nothing is forgotten: while a worker waits it holds the lock (flock) of a file of its database and
 * gives it back before it looks, and one that sealed something, or saw transactions at work, leaves
 * another behind.  So the last of them has found nothing to do and nobody writing, and a backend
 * that saw one waiting need not look again for as long as that one waits.
 */
#include "quality_gov.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "common/files.h"
#include "ledger/ledger.h"

#define LOCK_PATH_MAX 64

/* How long a worker that was asked for may take to start, and how often it tries to get the lock. */
#define ASKED_SECONDS 2
#define LOCK_ATTEMPTS 20

/* Entries were written in the transaction at work, or in one that could not ask for a worker. */
static bool written = false;

/* This backend need not look again before. */
static TimestampTz rest_until = 0;

static void
lock_path(char path[LOCK_PATH_MAX], Oid database)
{
	snprintf(path, LOCK_PATH_MAX, QG_FILES_DIR "/ledger_seal.%u", database);
}

/* Opens the database's file and takes its lock; -1 where another has it, or it cannot be made. */
static int
lock_take(Oid database)
{
	char path[LOCK_PATH_MAX];
	int fd;

	lock_path(path, database);
	fd = BasicOpenFile(path, O_RDWR | O_CREAT);
	if (fd < 0 && errno == ENOENT && qg_files_dir_make(QG_FILES_DIR))
		fd = BasicOpenFile(path, O_RDWR | O_CREAT);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0)
	{
		close(fd);
		errno = EWOULDBLOCK;
		fd = -1;
	}
	return fd;
}

/* Tells whether a worker waits or was asked for just now; if not, it is for the caller to ask. */
static bool
worker_expected(Oid database)
{
	struct stat st;
	bool asked;
	int fd = lock_take(database);

	if (fd < 0)
		return errno == EWOULDBLOCK;
	/* A byte is written when a worker is asked for, and counts not of an earlier server; the worker removes the file. */
	asked = fstat(fd, &st) == 0 && st.st_size > 0 && time(NULL) - st.st_mtime < ASKED_SECONDS &&
			st.st_mtime >= (time_t) timestamptz_to_time_t(PgStartTime);
	if (!asked && pg_pwrite(fd, "1", 1, 0) != 1)
		ereport(DEBUG1, (errmsg("could not note that a worker is asked for: %m")));
	close(fd);
	return asked;
}

/* Asks the postmaster for a worker that seals after the interval; false where it has no room. */
static bool
worker_ask(Oid database, int interval)
{
	BackgroundWorker worker;

	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	snprintf(worker.bgw_name, sizeof(worker.bgw_name), "quality_gov ledger seal of database %u",
			 database);
	strlcpy(worker.bgw_type, "quality_gov ledger seal", sizeof(worker.bgw_type));
	strlcpy(worker.bgw_library_name, "$libdir/quality_gov", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "qg_ledger_worker_main", sizeof(worker.bgw_function_name));
	worker.bgw_main_arg = ObjectIdGetDatum(database);
	memcpy(worker.bgw_extra, &interval, sizeof(interval));
	return RegisterDynamicBackgroundWorker(&worker, NULL);
}

/* At commit: sees to it that a worker waits.  What commits afterwards is what the next one seals. */
static void
ledger_worker_commit(XactEvent event, void *arg)
{
	TimestampTz now;

	if (event == XACT_EVENT_ABORT)
		written = false;
	if (!written || (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE))
		return;
	written = false;
	if (qg_ledger_seal_interval == 0 || !IsUnderPostmaster || IsBinaryUpgrade ||
		RecoveryInProgress())
		return;
	now = GetCurrentTimestamp();
	if (now < rest_until)
		return;
	if (worker_expected(MyDatabaseId) || worker_ask(MyDatabaseId, qg_ledger_seal_interval))
		rest_until = TimestampTzPlusMilliseconds(now, qg_ledger_seal_interval * INT64CONST(500));
}

/* Notes that the transaction writes entries. */
void
qg_ledger_worker_note(void)
{
	static bool registered = false;

	if (!registered)
	{
		RegisterXactCallback(ledger_worker_commit, NULL);
		registered = true;
	}
	written = true;
}

/* Waits without a database; false where the server stops. */
static bool
worker_wait(int interval)
{
	TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													interval * INT64CONST(1000));

	while (!ShutdownRequestPending)
	{
		long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), until);

		if (left <= 0)
			return true;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
	return false;
}

/* Whether the log is there: the extension may have been dropped, or be of a version without one. */
static bool
log_is_there(void)
{
	if (!OidIsValid(get_namespace_oid(QG_SCHEMA, true)))
		return false;
	if (SPI_execute(
			"SELECT 1 WHERE pg_catalog.to_regprocedure('quality_gov.ledger_seal()') IS NOT NULL",
			true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look for ledger_seal()");
	return SPI_processed == 1;
}

/* Seals; tells whether something was. */
static bool
log_seal(void)
{
	bool isnull;

	if (SPI_execute("WITH before AS MATERIALIZED (SELECT quality_gov.ledger_size() AS size) "
					"SELECT quality_gov.ledger_seal() OPERATOR(pg_catalog.>) b.size FROM before b",
					false, 1) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "could not seal the log");
	return DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/* One transaction of the worker; tells whether there may be more to do. */
static bool
worker_seal(void)
{
	bool more = false;
	FullTransactionId next;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	/* Whatever the database's settings say. */
	XactIsoLevel = XACT_READ_COMMITTED;
	XactReadOnly = false;
	/* Whoever is at work now is told by the ids; a snapshot does not show the newest of them. */
	next = ReadNextFullTransactionId();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, "SELECT quality_gov.ledger_seal()");
	if (qg_ledger_seal_interval > 0)
	{
		more = TransactionIdPrecedes(GetActiveSnapshot()->xmin, XidFromFullTransactionId(next));
		SPI_connect();
		more = log_is_there() && (log_seal() || more);
		SPI_finish();
	}
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(true);
	pgstat_report_activity(STATE_IDLE, NULL);
	return more;
}

/* The background worker of one database.  Of two that wait the second goes at once. */
extern PGDLLEXPORT void qg_ledger_worker_main(Datum arg);

void
qg_ledger_worker_main(Datum arg)
{
	Oid database = DatumGetObjectId(arg);
	char path[LOCK_PATH_MAX];
	int interval;
	int lock = -1;
	bool more;

	memcpy(&interval, MyBgworkerEntry->bgw_extra, sizeof(interval));
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	/* A backend that looks whether a worker waits has the lock for a moment. */
	for (int attempt = 0; lock < 0 && attempt < LOCK_ATTEMPTS; attempt++)
	{
		lock = lock_take(database);
		if (lock < 0)
			pg_usleep(1000L);
	}
	if (lock < 0)
		proc_exit(0);
	more = worker_wait(interval);
	/* Whoever commits from now on finds nobody waiting. */
	lock_path(path, database);
	(void) unlink(path);
	close(lock);
	pqsignal(SIGTERM, die);
	if (!more || ShutdownRequestPending)
		proc_exit(0);
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	if (worker_seal() && !worker_expected(database))
		(void) worker_ask(database, qg_ledger_seal_interval);
	proc_exit(0);
}

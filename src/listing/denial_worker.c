/*
 * denial_worker.c
 *		The background worker that records refused attempts soon after they were made.
 *
 * It needs no preloading: the backend that refuses registers it when it has noted an attempt, once
 * a second at most and only where no worker holds the spool's lock.  A rollback does not undo
 * that.  The worker drains as long as there is something, lingers a little, and goes.
 */
#include "quality_gov.h"

#include <unistd.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "common/version.h"
#include "listing/denial.h"

/* The worker's transactions, its naps, and the naps with nothing to do after which it goes. */
#define WORKER_ROWS 10000
#define WORKER_NAP_MS 500
#define WORKER_IDLE_NAPS 6

/* How often a worker is asked for. */
#define WORKER_PATIENCE USECS_PER_SEC

/* Asks the postmaster for a worker that drains the spool, unless there is one. */
void
qg_denial_worker_ask(const QgSpoolKey *key, QgSpoolState *state)
{
	BackgroundWorker worker;
	uint64 asked = pg_atomic_read_u64(&state->asked_at);
	TimestampTz now = GetCurrentTimestamp();

	if (!qg_denial_worker || !IsUnderPostmaster || IsBinaryUpgrade || RecoveryInProgress())
		return;
	/* Of all backends one looks, once a second; what was asked of an earlier server counts not. */
	if ((TimestampTz) asked >= PgStartTime && (TimestampTz) asked <= now &&
		now - (TimestampTz) asked < WORKER_PATIENCE)
		return;
	if (!pg_atomic_compare_exchange_u64(&state->asked_at, &asked, (uint64) now) ||
		qg_spool_worker_runs(key))
		return;
	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	snprintf(worker.bgw_name, sizeof(worker.bgw_name), "quality_gov denials of database %u",
			 key->database);
	strlcpy(worker.bgw_type, "quality_gov denials", sizeof(worker.bgw_type));
	strlcpy(worker.bgw_library_name, "$libdir/quality_gov", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "qg_denial_worker_main", sizeof(worker.bgw_function_name));
	worker.bgw_main_arg = ObjectIdGetDatum(key->database);
	memcpy(worker.bgw_extra, key, sizeof(*key));
	(void) RegisterDynamicBackgroundWorker(&worker, NULL);
}

/* One transaction of the worker; gives what the drain gives. */
static int64
worker_round(const QgSpoolKey *key)
{
	QgSpoolKey now;
	int64 recorded = QG_DENIAL_GONE;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	/* Whatever the database's settings say. */
	XactIsoLevel = XACT_READ_COMMITTED;
	XactReadOnly = false;
	PushActiveSnapshot(GetTransactionSnapshot());
	qg_version_require();
	pgstat_report_activity(STATE_RUNNING, "recording refused attempts");
	if (qg_denial_hold(&now) && now.instance == key->instance)
		recorded = qg_denial_drain(WORKER_ROWS, false);
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(true);
	pgstat_report_activity(STATE_IDLE, NULL);
	return recorded;
}

/* Drains until there has been nothing to do for a while; false where the extension is gone. */
static bool
worker_loop(const QgSpoolKey *key, QgSpoolState *state, uint64 *seen)
{
	int idle = 0;
	bool clean = false;

	while (idle < WORKER_IDLE_NAPS)
	{
		uint64 spooled = pg_atomic_read_u64(&state->spooled);

		/* Once more after the last attempts, to remove their files. */
		if (spooled != *seen || !clean)
		{
			int64 recorded = worker_round(key);

			if (recorded == QG_DENIAL_GONE)
				return false;
			idle = recorded > 0 ? 0 : idle;
			clean = recorded == 0;
			if (recorded >= WORKER_ROWS)
				continue;
			/* Where somebody else drains, there may be more to do afterwards. */
			if (recorded != QG_DENIAL_BUSY)
				*seen = spooled;
		}
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, WORKER_NAP_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		if (ProcDiePending)
			proc_exit(0);
		CHECK_FOR_INTERRUPTS();
		idle++;
	}
	return true;
}

/*
 * The background worker of one database.  Of two the second goes at once; it lingers for some
 * seconds less than DROP DATABASE waits.
 */
extern PGDLLEXPORT void qg_denial_worker_main(Datum arg);

void
qg_denial_worker_main(Datum arg)
{
	QgSpoolKey key;
	QgSpoolState *state;
	uint64 seen = PG_UINT64_MAX;
	bool more = true;

	memcpy(&key, MyBgworkerEntry->bgw_extra, sizeof(key));
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg), InvalidOid, 0);
	while (more)
	{
		int lock = qg_spool_worker_lock(&key);

		state = lock < 0 ? NULL : qg_spool_state(&key);
		if (state == NULL)
			break;
		more = worker_loop(&key, state, &seen);
		close(lock);
		/* Whoever wrote just now has seen a worker at work and asked for none. */
		more = more && pg_atomic_read_u64(&state->spooled) != seen;
	}
	proc_exit(0);
}

/*
 * spool.h
 *		Records on disk that outlive the transaction which wrote them, until they are read.
 */
#ifndef QG_SPOOL_H
#define QG_SPOOL_H

#include "quality_gov.h"

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "port/atomics.h"

/* Room that a record leaves at its beginning for the spool to fill in. */
#define QG_SPOOL_HEADER 8
#define QG_SPOOL_NAME_MAX 64

/* Whose records: a database and the schema's oid in it, which a re-created extension has anew. */
typedef struct QgSpoolKey
{
	Oid database;
	Oid instance;
} QgSpoolKey;

/* What all backends of a key share: one page of a file, mapped. */
typedef struct QgSpoolState
{
	uint64 magic;
	pg_atomic_uint64 spooled;	/* records written */
	pg_atomic_uint64 bytes;		/* size of the files, signed, with QG_SPOOL_FILE_COST for each */
	pg_atomic_uint64 logged;	/* records that went to the server log instead */
	pg_atomic_uint64 logged_at; /* when last, TimestampTz */
	pg_atomic_uint64 asked_at;	/* when a worker was last asked for, TimestampTz */
} QgSpoolState;

/* What a file takes beside its bytes, so that many small ones count as what they are. */
#define QG_SPOOL_FILE_COST 4096

/* A file of records. */
typedef struct QgSpoolFile
{
	char name[QG_SPOOL_NAME_MAX];
	uint64 size;
	pg_time_t changed;
} QgSpoolFile;

typedef enum QgSpoolNext
{
	QG_SPOOL_RECORD, /* a complete record */
	QG_SPOOL_END,	 /* nothing follows */
	QG_SPOOL_BROKEN	 /* being written, or torn by a crash of the machine */
} QgSpoolNext;

extern QgSpoolState *qg_spool_state(const QgSpoolKey *key);
extern bool qg_spool_append(const QgSpoolKey *key, char *record, size_t length, uint64 limit);
extern List *qg_spool_files(const QgSpoolKey *key);
extern bool qg_spool_load(const char *name, uint64 offset, bool settled, char **data, size_t *size);
extern QgSpoolNext qg_spool_next(const char *data, size_t size, size_t *offset, const char **record,
								 size_t *length);
extern bool qg_spool_remove(const char *name, uint64 consumed);
extern void qg_spool_sync(void);
extern void qg_spool_purge(bool (*gone)(const QgSpoolKey *key));
extern int qg_spool_worker_lock(const QgSpoolKey *key);
extern bool qg_spool_worker_runs(const QgSpoolKey *key);

#endif

/*
 * passport_verify.h
 *		A scan on its way from the arguments of passport_verify() to its answer.
 */
#ifndef QG_PASSPORT_VERIFY_H
#define QG_PASSPORT_VERIFY_H

#include "quality_gov.h"

#include "common/guard.h"

#include "passport/passport.h"

#define QG_LINK_BYTES 200
#define QG_TALLY_FROM 32

/* Arguments of passport_verify(). */
enum
{
	ARG_URI,
	ARG_AT,
	ARG_RECORD,
	ARG_PLACE,
	ARG_LATITUDE,
	ARG_LONGITUDE,
	ARG_SCANNER,
	ARG_CHANNEL,
	ARG_MERCHANT,
	ARG_ORDER,
	NARGS
};

/* Functions in SQL that are called, looked up once a statement. */
typedef struct QgVerifyCallees
{
	FmgrInfo full;
	FmgrInfo read;
	FmgrInfo clone;
	FmgrInfo tally;
} QgVerifyCallees;

/* A link that was read, and what it names; texts that are NULL are not in it. */
typedef struct QgVerifyLink
{
	int length; /* 0 while the place is free */
	char uri[QG_LINK_BYTES];
	int64 gtin;
	bool lotted;
	bool numbered;
	char host[QG_LINK_BYTES];
	char lot[QG_LINK_BYTES];
	char serial[QG_LINK_BYTES];
} QgVerifyLink;

/* What a scan comes to before it is written. */
typedef struct QgVerifyAnswer
{
	QgPassportCase goods;
	text *name; /* of the goods, as passport_goods() has it */
	QgScanCount count;
	bool first;
	int64 scan_id;
	Datum seen; /* the snapshot that it was counted with, where it may be kept, else 0 */
} QgVerifyAnswer;

extern QgVerifyCallees *qg_verify_callees(FunctionCallInfo fcinfo);
extern void qg_verify_find_function(FunctionCallInfo fcinfo, FmgrInfo *callee, const char *name,
									oidvector *arguments);
extern void qg_verify_begin_sql(QgOwner *owner);
extern const QgVerifyLink *qg_verify_link(FunctionCallInfo fcinfo, text *scanned);
extern bool qg_verify_record(FunctionCallInfo fcinfo, QgVerifyAnswer *answer);

#endif

/*
 * errors.h
 *		The registry of private SQLSTATEs: class QG, third character the domain.
 *
 * A condition has a code here only where an application would branch on it; everything else
 * uses PostgreSQL's own codes.  The README lists the same table.
 */
#ifndef QG_ERRORS_H
#define QG_ERRORS_H

/* common */
#define ERRCODE_QG_VERSION_MISMATCH MAKE_SQLSTATE('Q', 'G', '0', '0', '1')
#define ERRCODE_QG_GUARD_FAILED MAKE_SQLSTATE('Q', 'G', '0', '0', '2')
#define ERRCODE_QG_APPEND_ONLY MAKE_SQLSTATE('Q', 'G', '0', '0', '3')

/* listing */
#define ERRCODE_QG_LISTING_DENIED MAKE_SQLSTATE('Q', 'G', '4', '0', '1')

/* passport */
#define ERRCODE_QG_PASSPORT_SIGNATURE MAKE_SQLSTATE('Q', 'G', '5', '0', '1')
#define ERRCODE_QG_PASSPORT_KEY MAKE_SQLSTATE('Q', 'G', '5', '0', '2')

/* trace */
#define ERRCODE_QG_ORDER_DENIED MAKE_SQLSTATE('Q', 'G', '6', '0', '1')

#endif

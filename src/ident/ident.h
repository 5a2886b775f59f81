/*
 * ident.h
 *		Identifiers of organisations, licences and goods: their forms and check digits.
 */
#ifndef QG_IDENT_H
#define QG_IDENT_H

#include "quality_gov.h"

#define QG_USCC_LENGTH 18

/* A unified social credit code; stored, compared by its characters. */
typedef struct QgUscc
{
	char code[QG_USCC_LENGTH];
	char unchecked; /* '!' where the check character is known to be wrong, else 0 */
} QgUscc;

/* What is wrong with an identifier; 0 is nothing. */
typedef enum QgIdentFault
{
	QG_IDENT_OK,
	QG_IDENT_LENGTH,
	QG_IDENT_CHARACTER,
	QG_IDENT_CHECK
} QgIdentFault;

/* Where and how an identifier is wrong. */
typedef struct QgIdentError
{
	QgIdentFault fault;
	int position; /* of a character outside the alphabet, from 1 */
	int length;
	char found;
	char expected; /* check character */
} QgIdentError;

/* Folds an identifier as people type it into plain ASCII; -1 where it does not fit. */
extern int qg_ident_plain(const char *input, size_t length, char *plain, int size);

extern bool qg_uscc_parse(const char *input, size_t length, QgUscc *uscc, QgIdentError *error);
extern bool qg_organization_code_valid(const char code[9]);
extern char qg_organization_code_check(const char code[8]);

extern int qg_gs1_check_digit(const char *digits, int length);
extern int qg_mod11_10_check_digit(const char *digits, int length);
extern bool qg_gtin_parse(const char *input, size_t length, int64 *gtin, QgIdentError *error);
extern bool qg_all_digits(const char *text, int length);

#endif

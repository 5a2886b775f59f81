/*
 * signature.h
 *		Algorithms and public keys as SQL names them.
 */
#ifndef QG_SIGNATURE_H
#define QG_SIGNATURE_H

#include "quality_gov.h"

#include "common/crypto_sign.h"

extern bool qg_algorithm_named(text *name, QgAlgorithm *algorithm);
extern QgAlgorithm qg_algorithm_require(text *name);
extern const char *qg_algorithm_name(QgAlgorithm algorithm);

#endif

/*
 * version.h
 *		The check that the loaded library and the installed SQL belong together.
 */
#ifndef QG_VERSION_H
#define QG_VERSION_H

extern void qg_version_require(void);

#endif

/*
 * files.h
 *		Files that the extension keeps under the data directory.
 */
#ifndef QG_FILES_H
#define QG_FILES_H

#include "quality_gov.h"

/* Base backups and pg_rewind leave out what begins with pgsql_tmp. */
#define QG_FILES_DIR "pgsql_tmp_quality_gov"

extern bool qg_files_dir_make(const char *dir);

#endif

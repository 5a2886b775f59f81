/*
 * files.c
 *		Files that the extension keeps under the data directory.
 */
#include "quality_gov.h"

#include "storage/fd.h"

#include "common/files.h"

/* Makes a directory under QG_FILES_DIR where it is missing; tells whether it is there. */
bool
qg_files_dir_make(const char *dir)
{
	if ((MakePGDirectory(QG_FILES_DIR) != 0 && errno != EEXIST) ||
		(MakePGDirectory(dir) != 0 && errno != EEXIST))
	{
		ereport(LOG,
				(errcode_for_file_access(), errmsg("could not create directory \"%s\": %m", dir)));
		return false;
	}
	return true;
}

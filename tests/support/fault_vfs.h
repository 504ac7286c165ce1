/* fault_vfs.h - SQLite's disk, failing on purpose.
 *
 * A layer above SQLite's own, under which every file of the process lies once it is installed: calls pass through, but for
 * those that a test has asked to fail.  Waiting for a lock takes no time.
 */
#pragma once
#include "base.h"

enum fault_op {
	FAULT_WRITE, /* SQLITE_FULL, SQLITE_IOERR_WRITE */
	FAULT_SYNC,  /* SQLITE_IOERR_FSYNC */
	FAULT_LOCK,  /* SQLITE_BUSY: the locks of the log, which all share */
	FAULT_READ,  /* SQLITE_IOERR_READ; SQLITE_OK: what is read is rubbish */
};
enum { FAULT_ALWAYS = 1 << 30 };

void fault_vfs_install(void); /* before SQLite's first use */
/* Lets `skip` calls pass, then the next `count` give `result`.  files: SQLITE_OPEN_MAIN_DB, SQLITE_OPEN_WAL, both or'ed, or
 * 0: any.  One fault at a time. */
void fault_vfs_fail(enum fault_op op, int result, int files, int skip, int count);
unsigned fault_vfs_heal(void); /* no more faults; how many there were since fault_vfs_fail */

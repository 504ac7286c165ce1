/* store_sqlite_vfs.c - SQLite's log, written in few calls.
 *
 * SQLite writes each page of its log in two calls, of 24 bytes and of a page: ten or so for a message.  Here they are
 * gathered, and go to SQLite's own file in one call for some thirty pages.  All other files are SQLite's own; the main
 * file, and the locks and the index of the log that it leads to, are its own behind a thin layer, so that connections
 * with and without this one share them.
 *
 * Why nobody sees the difference (SQLite's wal.c, sqlite3WalFrames; its "WAL-mode file format", 2.2 and 2.3):
 * - With synchronous=FULL a commit syncs the log first and then shows its pages to others, by the header of the
 *   log's index.  A sync writes what is gathered, so what is shown is written.  Where there is no such sync, the barrier
 *   that SQLite makes between the two copies of that header does the same; it can't fail, so if the disk does then, the
 *   program ends rather than show what isn't there.
 * - Pages that a large transaction has moved out of its cache are read by its own connection only, through this file,
 *   which looks at what is gathered too.
 * - Another connection that moves the log into the file takes what was shown and no more.
 *
 * What is gathered stays so when writing it fails, and the call that had to write it gives SQLite's own result for that: for
 * this connection the file holds what it wrote, as before.  SQLite then undoes the transaction.  When it lets go of the
 * log's write lock, nothing gathered belongs to anybody, and it is forgotten: the next transaction begins where this one
 * did, and a full disk may have space for a smaller one.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store_sqlite_priv.h"

#define VFS_NAME "kentongan-log"

enum {
	GATHER_MAX = 0x1ffff, /* bytes: SQLite's own file gives the system no more in one call */
	WRITE_LOCK = 0,       /* the log's, among the locks of its index */
};

struct file {
	sqlite3_file file; /* first */
	sqlite3_file *own; /* behind this struct */
	struct file *
		peer; /* borrowed: the log of a main file that has one open, and the other way round */
	char *gathered; /* owned: a log's */
	int len;
	sqlite3_int64 at; /* where it belongs */
};

static sqlite3_vfs *below;

static struct file *self(sqlite3_file *file)
{
	return (struct file *)file;
}

static sqlite3_file *own(sqlite3_file *file)
{
	return self(file)->own;
}

static int flush(struct file *log)
{
	int rc = SQLITE_OK;

	if (log->len > 0)
		rc = log->own->pMethods->xWrite(log->own, log->gathered, log->len, log->at);
	if (rc == SQLITE_OK)
		log->len = 0;
	return rc;
}

/* a log */

static int log_close(sqlite3_file *file)
{
	struct file *log = self(file);
	int rc = flush(log), closed = log->own->pMethods->xClose(log->own);

	if (log->peer)
		log->peer->peer = NULL;
	free(log->gathered);
	return rc == SQLITE_OK ? closed : rc;
}

static int log_write(sqlite3_file *file, const void *from, int len, sqlite3_int64 at)
{
	struct file *log = self(file);
	const char *next = from;
	int rc = SQLITE_OK, part;

	if (at != log->at + log->len || log->len == GATHER_MAX)
		rc = flush(log);
	for (; rc == SQLITE_OK && len > 0; next += part, at += part, len -= part) {
		if (log->len == 0)
			log->at = at;
		part = len < GATHER_MAX - log->len ? len : GATHER_MAX - log->len;
		memcpy(log->gathered + log->len, next, (size_t)part);
		log->len += part;
		if (log->len == GATHER_MAX)
			rc = flush(log);
	}
	return rc;
}

static int log_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
	struct file *log = self(file);
	sqlite3_int64 end = log->at + log->len;
	int rc = SQLITE_OK;

	if (at >= log->at && at + len <= end) {
		memcpy(to, log->gathered + (at - log->at), (size_t)len);
		return SQLITE_OK;
	}
	if (at < end && at + len > log->at)
		rc = flush(log);
	return rc == SQLITE_OK ? log->own->pMethods->xRead(log->own, to, len, at) : rc;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int rc = flush(self(file));

	return rc == SQLITE_OK ? own(file)->pMethods->xTruncate(own(file), size) : rc;
}

static int log_sync(sqlite3_file *file, int flags)
{
	int rc = flush(self(file));

	return rc == SQLITE_OK ? own(file)->pMethods->xSync(own(file), flags) : rc;
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size)
{
	const struct file *log = self(file);
	int rc = log->own->pMethods->xFileSize(log->own, size);

	if (rc == SQLITE_OK && log->len > 0 && *size < log->at + log->len)
		*size = log->at + log->len;
	return rc;
}

/* both */

static int file_lock(sqlite3_file *file, int level)
{
	return own(file)->pMethods->xLock(own(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
	return own(file)->pMethods->xUnlock(own(file), level);
}

static int file_check_lock(sqlite3_file *file, int *out)
{
	return own(file)->pMethods->xCheckReservedLock(own(file), out);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
	return own(file)->pMethods->xFileControl(own(file), op, arg);
}

static int file_sector_size(sqlite3_file *file)
{
	return own(file)->pMethods->xSectorSize(own(file));
}

static int file_traits(sqlite3_file *file)
{
	return own(file)->pMethods->xDeviceCharacteristics(own(file));
}

/* a main file */

static int main_close(sqlite3_file *file)
{
	if (self(file)->peer)
		self(file)->peer->peer = NULL;
	return own(file)->pMethods->xClose(own(file));
}

static int main_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
	return own(file)->pMethods->xRead(own(file), to, len, at);
}

static int main_write(sqlite3_file *file, const void *from, int len, sqlite3_int64 at)
{
	return own(file)->pMethods->xWrite(own(file), from, len, at);
}

static int main_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return own(file)->pMethods->xTruncate(own(file), size);
}

static int main_sync(sqlite3_file *file, int flags)
{
	return own(file)->pMethods->xSync(own(file), flags);
}

static int main_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return own(file)->pMethods->xFileSize(own(file), size);
}

static int main_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
	return own(file)->pMethods->xShmMap(own(file), page, size, extend, out);
}

static int main_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	struct file *log = self(file)->peer;

	if (log && offset == WRITE_LOCK && flags == (SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE))
		log->len = 0; /* of a transaction that was undone */
	return own(file)->pMethods->xShmLock(own(file), offset, count, flags);
}

static void main_shm_barrier(sqlite3_file *file)
{
	if (self(file)->peer && flush(self(file)->peer) != SQLITE_OK)
		abort();
	own(file)->pMethods->xShmBarrier(own(file));
}

static int main_shm_unmap(sqlite3_file *file, int remove)
{
	return own(file)->pMethods->xShmUnmap(own(file), remove);
}

/* the file system */

/* Of version 2: without the memory maps of version 3. */
static const sqlite3_io_methods main_methods = {
	.iVersion = 2,
	.xClose = main_close,
	.xRead = main_read,
	.xWrite = main_write,
	.xTruncate = main_truncate,
	.xSync = main_sync,
	.xFileSize = main_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_traits,
	.xShmMap = main_shm_map,
	.xShmLock = main_shm_lock,
	.xShmBarrier = main_shm_barrier,
	.xShmUnmap = main_shm_unmap,
};

static const sqlite3_io_methods log_methods = {
	.iVersion = 1,
	.xClose = log_close,
	.xRead = log_read,
	.xWrite = log_write,
	.xTruncate = log_truncate,
	.xSync = log_sync,
	.xFileSize = log_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_traits,
};

static void join(struct file *log, struct file *main)
{
	log->gathered = xmalloc(GATHER_MAX);
	log->peer = main;
	main->peer = log;
}

static int vfs_open(sqlite3_vfs *vfs UNUSED, const char *name, sqlite3_file *out, int flags,
		    int *out_flags)
{
	const sqlite3_io_methods *methods = flags & SQLITE_OPEN_MAIN_DB ? &main_methods
					    : flags & SQLITE_OPEN_WAL   ? &log_methods
									: NULL;
	struct file *file = self(out);
	int rc;

	if (!methods)
		return below->xOpen(below, name, out, flags, out_flags);
	*file = (struct file){ .own = (sqlite3_file *)(file + 1) };
	file->own->pMethods = NULL;
	rc = below->xOpen(below, name, file->own, flags, out_flags);
	if (file->own->pMethods) /* it is to be closed then, whatever rc says */
		out->pMethods = methods;
	if (rc == SQLITE_OK && methods == &log_methods)
		join(file, self(sqlite3_database_file_object(name)));
	return rc;
}

static void make_vfs(void)
{
	static sqlite3_vfs vfs;

	below = sqlite3_vfs_find(NULL);
	if (!below)
		abort(); /* SQLite has been built without one */
	vfs = *below;    /* the others of its functions need no file of ours */
	vfs.zName = VFS_NAME;
	vfs.szOsFile = (int)sizeof(struct file) + below->szOsFile;
	vfs.xOpen = vfs_open;
	if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
		abort(); /* no memory */
}

const char *store_vfs(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_vfs);
	return VFS_NAME;
}

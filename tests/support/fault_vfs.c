/* fault_vfs.c - SQLite's disk, failing on purpose.
 *
 * Each open file is a struct fault_file with SQLite's own file behind it.  The store's threads call from all sides, so
 * what fails is decided under a lock.
 */
#include "fault_vfs.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

struct fault_file {
	sqlite3_file file; /* first */
	int kind;          /* SQLITE_OPEN_MAIN_DB, ... */
	sqlite3_file *own; /* behind this struct */
};

static sqlite3_vfs *below;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
	enum fault_op op;
	int result, files, skip, count;
	unsigned hits;
} fault;

void fault_vfs_fail(enum fault_op op, int result, int files, int skip, int count)
{
	pthread_mutex_lock(&mutex);
	fault.op = op;
	fault.result = result;
	fault.files = files;
	fault.skip = skip;
	fault.count = count;
	fault.hits = 0;
	pthread_mutex_unlock(&mutex);
}

unsigned fault_vfs_heal(void)
{
	unsigned hits;

	pthread_mutex_lock(&mutex);
	hits = fault.hits;
	fault.count = 0;
	pthread_mutex_unlock(&mutex);
	return hits;
}

static bool hit_locked(enum fault_op op, const struct fault_file *file)
{
	if (fault.count == 0 || fault.op != op || (fault.files && !(fault.files & file->kind)))
		return false;
	if (fault.skip > 0) {
		fault.skip--;
		return false;
	}
	fault.count--;
	fault.hits++;
	return true;
}

static bool hit(enum fault_op op, sqlite3_file *file, int *result)
{
	bool is;

	pthread_mutex_lock(&mutex);
	is = hit_locked(op, (struct fault_file *)file);
	*result = fault.result;
	pthread_mutex_unlock(&mutex);
	if (is)
		errno = *result == SQLITE_FULL ? ENOSPC : EIO;
	return is;
}

/* a file */

static sqlite3_file *own(sqlite3_file *file)
{
	return ((struct fault_file *)file)->own;
}

static int file_close(sqlite3_file *file)
{
	return own(file)->pMethods->xClose(own(file));
}

static int file_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
	int result;

	if (!hit(FAULT_READ, file, &result))
		return own(file)->pMethods->xRead(own(file), to, len, at);
	memset(to, 0x5a, (size_t)len);
	return result;
}

static int file_write(sqlite3_file *file, const void *from, int len, sqlite3_int64 at)
{
	int result;

	return hit(FAULT_WRITE, file, &result)
		       ? result
		       : own(file)->pMethods->xWrite(own(file), from, len, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return own(file)->pMethods->xTruncate(own(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
	int result;

	return hit(FAULT_SYNC, file, &result) ? result
					      : own(file)->pMethods->xSync(own(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return own(file)->pMethods->xFileSize(own(file), size);
}

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

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
	return own(file)->pMethods->xShmMap(own(file), page, size, extend, out);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	int result;

	if ((flags & SQLITE_SHM_LOCK) && hit(FAULT_LOCK, file, &result))
		return result;
	return own(file)->pMethods->xShmLock(own(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
	own(file)->pMethods->xShmBarrier(own(file));
}

static int file_shm_unmap(sqlite3_file *file, int remove)
{
	return own(file)->pMethods->xShmUnmap(own(file), remove);
}

/* Version 2: without the memory maps of version 3, so that every page is read by xRead. */
static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_traits,
	.xShmMap = file_shm_map,
	.xShmLock = file_shm_lock,
	.xShmBarrier = file_shm_barrier,
	.xShmUnmap = file_shm_unmap,
};

/* the file system */

static int vfs_open(sqlite3_vfs *vfs UNUSED, const char *name, sqlite3_file *out, int flags,
		    int *out_flags)
{
	struct fault_file *file = (struct fault_file *)out;
	int rc;

	file->own = (sqlite3_file *)(file + 1);
	file->kind = flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL);
	rc = below->xOpen(below, name, file->own, flags, out_flags);
	file->file.pMethods = rc == SQLITE_OK ? &methods : NULL;
	return rc;
}

static int vfs_sleep(sqlite3_vfs *vfs UNUSED, int us)
{
	return us;
}

void fault_vfs_install(void)
{
	static sqlite3_vfs vfs;

	below = sqlite3_vfs_find(NULL);
	vfs = *below; /* the others of its functions need no file of ours */
	vfs.zName = "fault";
	vfs.szOsFile = (int)sizeof(struct fault_file) + below->szOsFile;
	vfs.xOpen = vfs_open;
	vfs.xSleep = vfs_sleep;
	sqlite3_vfs_register(&vfs, 1);
}

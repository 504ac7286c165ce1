/* store_sqlite_lock.c - one process a store.
 *
 * SQLite would let two processes take turns, but each has citizens and messages in its memory that the other would
 * change behind its back.  The lock is a file of its own beside the store: the kernel gives it back when the process
 * ends, however it ends, and the pid in it tells an operator whom to look for.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store_sqlite_priv.h"

static long read_holder(int fd)
{
	char text[24] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	return strtol(text, NULL, 10);
}

/* The pid is for people, so that failing to write it is no reason to fail. */
static void write_holder(int fd)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) != len)
		return;
}

int store_lock(const char *path, long *holder)
{
	struct arena arena = { 0 };
	int fd = open(arena_printf(&arena, "%s.lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -errno : fd;

	*holder = 0;
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
		*holder = read_holder(fd);
		close(fd);
	} else if (fd >= 0) {
		write_holder(fd);
	}
	arena_free(&arena);
	return rc;
}

int sync_folder_of(const char *path)
{
	char *copy = xstrdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	free(copy);
	return rc;
}

int store_say(int rc, const char *path, const char *what, char *text, size_t size)
{
	if (size > 0)
		snprintf(text, size, "%s: %s", path, what ? what : strerror(-rc));
	return rc;
}

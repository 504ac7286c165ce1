/* store_sqlite_copy.c - a store's copy, and back.
 *
 * A backup reads within one transaction, which a writer beside it does not disturb, into a file of another name that
 * gets its own once it is on disk: a copy is whole or isn't there.  Restoring goes the same way, after the copy was
 * checked, and only into a store that nobody has open.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_sqlite_priv.h"

static int open_source(struct db *db, const char *path)
{
	int rc = access(path, R_OK) < 0 ? -errno : db_open(db, path, SQLITE_OPEN_READWRITE);

	return rc == 0 ? schema_check(db) : rc;
}

/* Damage, as SQLite's own check of the whole file finds it. */
static int check_whole(struct db *db)
{
	sqlite3_stmt *statement;
	int rc = db_query(db, "PRAGMA integrity_check(1)", NULL, 0, &statement);

	if (rc == 0)
		rc = db_next(db, statement);
	if (rc == 1 && strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0)
		rc = 0;
	else if (rc >= 0)
		rc = db_damaged("integrity");
	sqlite3_reset(statement);
	return rc;
}

static int copy_pages(struct db *from, struct db *to)
{
	sqlite3_backup *backup = sqlite3_backup_init(to->handle, "main", from->handle, "main");
	int rc;

	if (!backup)
		return db_error(to, sqlite3_errcode(to->handle));
	rc = sqlite3_backup_step(backup, -1);
	sqlite3_backup_finish(backup);
	if (rc != SQLITE_DONE)
		return db_error(to, rc);
	/* One file, that can be carried away: no log beside it. */
	return db_exec(to, "PRAGMA journal_mode = DELETE");
}

static int sync_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

static int make_empty(const char *path)
{
	int fd;

	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* All of `from` into a new file, on disk when this returns; on an error there is none. */
static int copy_to(struct db *from, const char *path)
{
	struct db to = { 0 };
	int rc = make_empty(path);

	if (rc < 0)
		return rc;
	rc = db_open(&to, path, SQLITE_OPEN_READWRITE);
	if (rc == 0)
		rc = copy_pages(from, &to);
	db_close(&to);
	if (rc == 0)
		rc = sync_file(path);
	if (rc < 0)
		unlink(path);
	return rc;
}

static int put_in_place(const char *from, const char *to)
{
	if (rename(from, to) < 0)
		return -errno;
	return sync_folder_of(to);
}

static const char *words_for(int rc)
{
	if (rc == -EPROTO)
		return "a newer version of this program made it";
	return rc == -EIO ? "can't be read as a store" : NULL;
}

int store_sqlite_backup(const char *path, const char *copy, char *error_text, size_t error_size)
{
	struct arena arena = { 0 };
	const char *unfinished = arena_printf(&arena, "%s.unfinished", copy), *about = path;
	struct db db = { 0 };
	int rc = open_source(&db, path);

	if (rc == 0) {
		about = copy;
		rc = copy_to(&db, unfinished);
	}
	if (rc == 0)
		rc = put_in_place(unfinished, copy);
	db_close(&db);
	if (rc < 0)
		rc = store_say(rc, about, about == path ? words_for(rc) : NULL, error_text,
			       error_size);
	arena_free(&arena);
	return rc;
}

/* What the log of the store that goes holds belongs to it alone: beside the new file it would destroy that. */
static int remove_logs(const char *path)
{
	static const char *const ends[] = { "-wal", "-shm", "-journal" };
	struct arena arena = { 0 };
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < ARRAY_LEN(ends); i++)
		if (unlink(arena_printf(&arena, "%s%s", path, ends[i])) < 0 && errno != ENOENT)
			rc = -errno;
	arena_free(&arena);
	return rc;
}

/* Brings what is in the log into the file, so that a crash before the rename leaves the old store whole. */
static void settle_old(const char *path)
{
	struct db old = { 0 };

	if (access(path, F_OK) < 0)
		return;
	if (db_open(&old, path, SQLITE_OPEN_READWRITE) == 0)
		sqlite3_wal_checkpoint_v2(old.handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	db_close(&old);
}

static int restore_checked(struct db *from, const char *path)
{
	struct arena arena = { 0 };
	const char *unfinished = arena_printf(&arena, "%s.unfinished", path);
	int rc = copy_to(from, unfinished);

	if (rc == 0) {
		settle_old(path);
		rc = remove_logs(path);
	}
	if (rc == 0)
		rc = put_in_place(unfinished, path);
	arena_free(&arena);
	return rc;
}

static int restore_locked(const char *copy, const char *path, const char **about)
{
	struct db db = { 0 };
	int rc = open_source(&db, copy);

	if (rc == 0)
		rc = check_whole(&db);
	if (rc == 0) {
		*about = path;
		rc = restore_checked(&db, path);
	}
	db_close(&db);
	return rc;
}

int store_sqlite_restore(const char *copy, const char *path, char *error_text, size_t error_size)
{
	const char *about = copy;
	long holder;
	int lock = store_lock(path, &holder), rc;

	if (lock < 0)
		return store_say(lock, path, lock == -EBUSY ? "another process has it open" : NULL,
				 error_text, error_size);
	rc = restore_locked(copy, path, &about);
	close(lock);
	return rc < 0 ? store_say(rc, about, about == copy ? words_for(rc) : NULL, error_text,
				  error_size)
		      : rc;
}

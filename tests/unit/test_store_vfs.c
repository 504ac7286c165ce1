/* test_store_vfs.c - SQLite's log gathered: when it is written, who sees it, and what a disk that fails leaves. */
#include <criterion/criterion.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault_vfs.h"
#include "store_sqlite_priv.h"

enum {
	ROW = 3000,   /* bytes: one to a page */
	GROUP = 31,   /* pages that are written at once */
	FRAME = 4120, /* a page in the log, with its header */
};

struct place {
	char folder[64], path[96];
	sqlite3 *db;    /* gathers */
	sqlite3 *other; /* SQLite's own files */
};

static void run(sqlite3 *db, const char *sql)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	cr_assert_eq(rc, SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
}

static sqlite3 *open_at(const char *name, const char *vfs)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
	sqlite3 *db;

	cr_assert_eq(sqlite3_open_v2(name, &db, flags, vfs), SQLITE_OK);
	sqlite3_extended_result_codes(db, 1);
	run(db, "PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL;"
		"PRAGMA wal_autocheckpoint = 0");
	return db;
}

/* options: of the file's URI */
static void begin_with(struct place *place, const char *options)
{
	const char *tmp = getenv("TMPDIR");
	char uri[160];

	*place = (struct place){ 0 };
	fault_vfs_install();
	snprintf(place->folder, sizeof(place->folder), "%.40s/vfs-XXXXXX", tmp ? tmp : "/tmp");
	cr_assert_not_null(mkdtemp(place->folder));
	snprintf(place->path, sizeof(place->path), "%s/a.db", place->folder);
	snprintf(uri, sizeof(uri), "file:%s%s", place->path, options);
	place->db = open_at(uri, store_vfs());
	run(place->db, "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)");
	place->other = open_at(place->path, NULL);
}

static void begin(struct place *place)
{
	begin_with(place, "");
}

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
		      struct FTW *ftw UNUSED)
{
	return remove(path);
}

static void end(struct place *place)
{
	fault_vfs_heal();
	sqlite3_close(place->other);
	cr_expect_eq(sqlite3_close(place->db), SQLITE_OK);
	nftw(place->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;
	int64_t value = -1;

	cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	if (sqlite3_step(statement) == SQLITE_ROW)
		value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

static int system_error; /* of what add_rows gave; SQLite forgets it with the statement */

static int add_rows(sqlite3 *db, int count)
{
	sqlite3_stmt *statement;
	char sql[192];
	int rc;

	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		 " INSERT INTO t (v) SELECT zeroblob(%d) FROM n",
		 count, ROW);
	cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	rc = sqlite3_step(statement);
	system_error = sqlite3_system_errno(db);
	sqlite3_finalize(statement);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int64_t rows(sqlite3 *db)
{
	return number(db, "SELECT count(*) FROM t WHERE length(v) = 3000");
}

static void expect_whole(sqlite3 *db, int64_t count)
{
	cr_expect_eq(rows(db), count);
	cr_expect_eq(number(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

/* Whether `count` more rows are stored in at most `writes` calls for the log; a call more would fail. */
static bool stored_within(struct place *place, int count, int writes)
{
	int rc;

	fault_vfs_fail(FAULT_WRITE, SQLITE_IOERR_WRITE, SQLITE_OPEN_WAL, writes, 1);
	rc = add_rows(place->db, count);
	fault_vfs_heal();
	return rc == SQLITE_OK;
}

static sqlite3_file *log_of(sqlite3 *db)
{
	sqlite3_file *file = NULL;

	cr_assert_eq(sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file),
		     SQLITE_OK);
	return file;
}

Test(store_vfs, a_commit_is_one_write_of_the_log_for_each_thirty_pages)
{
	struct place place;

	begin(&place);
	cr_assert_eq(add_rows(place.db, 10), SQLITE_OK);
	cr_expect(stored_within(&place, 10, 1));
	cr_expect_not(stored_within(&place, 1, 0));
	cr_expect(stored_within(&place, 4 * GROUP, 5));
	cr_expect_not(stored_within(&place, 4 * GROUP, 3));
	expect_whole(place.db, 20 + 4 * GROUP);
	expect_whole(place.other, 20 + 4 * GROUP);
	end(&place);
}

Test(store_vfs, others_see_what_was_committed_and_nothing_else)
{
	struct place place;

	begin(&place);
	for (int i = 1; i <= 50; i++) {
		run(place.db, "BEGIN IMMEDIATE");
		cr_assert_eq(add_rows(place.db, i), SQLITE_OK);
		cr_expect_eq(rows(place.other), i * (i - 1) / 2);
		run(place.db, "COMMIT");
		cr_expect_eq(rows(place.other), i * (i + 1) / 2);
	}
	run(place.other, "PRAGMA wal_checkpoint(PASSIVE)");
	cr_assert_eq(add_rows(place.db, 5), SQLITE_OK);
	expect_whole(place.other, 1280);
	expect_whole(place.db, 1280);
	end(&place);
}

/* A cache of ten pages: the others of a transaction go into the log before its end, and come back from there. */
Test(store_vfs, what_does_not_fit_the_cache_is_read_back_and_written_again)
{
	struct place place;

	begin(&place);
	run(place.db, "PRAGMA cache_size = 10; BEGIN IMMEDIATE");
	cr_assert_eq(add_rows(place.db, 300), SQLITE_OK);
	cr_expect_eq(rows(place.db), 300);
	for (int i = 0; i < 40; i++) {
		run(place.db,
		    "UPDATE t SET v = randomblob(3000) WHERE id % 40 = abs(random()) % 40");
		cr_expect_eq(rows(place.db), 300);
	}
	run(place.db, "SAVEPOINT s; DELETE FROM t WHERE id % 3 = 0");
	cr_expect_eq(rows(place.db), 200);
	run(place.db, "ROLLBACK TO s; RELEASE s; DELETE FROM t WHERE id % 2 = 0");
	cr_expect_eq(rows(place.other), 0);
	run(place.db, "COMMIT");
	expect_whole(place.db, 150);
	expect_whole(place.other, 150);
	run(place.db, "BEGIN IMMEDIATE; DELETE FROM t");
	cr_assert_eq(add_rows(place.db, 200), SQLITE_OK);
	run(place.db, "ROLLBACK");
	expect_whole(place.db, 150);
	run(place.db, "DELETE FROM t WHERE id = 1");
	expect_whole(place.other, 149);
	end(&place);
}

/* Behind the last page, where SQLite would go on. */
Test(store_vfs, the_file_is_what_was_written_to_it_wherever_that_is)
{
	const int first = 100 * FRAME;
	char page[FRAME], back[2 * FRAME];
	struct place place;
	sqlite3_int64 size;
	sqlite3_file *log;

	begin(&place);
	cr_assert_eq(add_rows(place.db, 3), SQLITE_OK);
	log = log_of(place.db);
	memset(page, 'a', sizeof(page));
	cr_expect_eq(log->pMethods->xWrite(log, page, FRAME, first), SQLITE_OK);
	memset(page, 'b', sizeof(page));
	cr_expect_eq(log->pMethods->xWrite(log, page, FRAME, first + FRAME), SQLITE_OK);
	cr_expect_eq(log->pMethods->xFileSize(log, &size), SQLITE_OK);
	cr_expect_eq(size, first + 2 * FRAME);
	cr_expect_eq(log->pMethods->xRead(log, back, 8, first + FRAME - 4), SQLITE_OK);
	cr_expect_eq(memcmp(back, "aaaabbbb", 8), 0);
	cr_expect_eq(log->pMethods->xRead(log, back, 8, first - 4), SQLITE_OK);
	cr_expect_eq(memcmp(back, "\0\0\0\0aaaa", 8), 0);
	cr_expect_eq(log->pMethods->xRead(log, back, 8, first + 2 * FRAME - 4),
		     SQLITE_IOERR_SHORT_READ);
	cr_expect_eq(memcmp(back, "bbbb\0\0\0\0", 8), 0);
	cr_expect_eq(log->pMethods->xWrite(log, "cc", 2, first + FRAME - 1), SQLITE_OK);
	cr_expect_eq(log->pMethods->xRead(log, back, 4, first + FRAME - 2), SQLITE_OK);
	cr_expect_eq(memcmp(back, "accb", 4), 0);
	cr_expect_eq(log->pMethods->xWrite(log, page, FRAME, first + FRAME + 1), SQLITE_OK);
	cr_expect_eq(log->pMethods->xTruncate(log, first + 1), SQLITE_OK);
	cr_expect_eq(log->pMethods->xFileSize(log, &size), SQLITE_OK);
	cr_expect_eq(size, first + 1);
	expect_whole(place.other, 3);
	end(&place);
}

Test(store_vfs, a_write_larger_than_what_is_gathered_goes_through)
{
	const int len = 1 << 20;
	char *large = xcalloc(1, (size_t)len), *back = xcalloc(1, (size_t)len);
	struct place place;
	sqlite3_file *log;

	begin(&place);
	cr_assert_eq(add_rows(place.db, 3), SQLITE_OK);
	log = log_of(place.db);
	for (int i = 0; i < len; i++)
		large[i] = (char)(i % 251);
	cr_expect_eq(log->pMethods->xWrite(log, "ab", 2, len), SQLITE_OK);
	cr_expect_eq(log->pMethods->xWrite(log, large, len - 7, len + 2), SQLITE_OK);
	cr_expect_eq(log->pMethods->xRead(log, back, len - 7, len + 2), SQLITE_OK);
	cr_expect_eq(memcmp(large, back, (size_t)len - 7), 0);
	free(large);
	free(back);
	end(&place);
}

/* For whoever wrote it the file holds it, until it is written. */
Test(store_vfs, what_could_not_be_written_is_neither_lost_nor_said_to_be_written)
{
	struct place place;
	sqlite3_file *log;
	char back[8];
	char path[112];
	struct stat st;

	begin(&place);
	snprintf(path, sizeof(path), "%s-wal", place.path);
	cr_assert_eq(add_rows(place.db, 3), SQLITE_OK);
	log = log_of(place.db);
	cr_expect_eq(log->pMethods->xWrite(log, "abcd", 4, 1 << 20), SQLITE_OK);
	fault_vfs_fail(FAULT_WRITE, SQLITE_FULL, SQLITE_OPEN_WAL, 0, FAULT_ALWAYS);
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(log->pMethods->xSync(log, SQLITE_SYNC_NORMAL), SQLITE_FULL);
		cr_expect_eq(log->pMethods->xWrite(log, "x", 1, 1 << 19), SQLITE_FULL);
		cr_expect_eq(log->pMethods->xTruncate(log, 1 << 19), SQLITE_FULL);
		cr_expect_eq(log->pMethods->xRead(log, back, 4, 1 << 20), SQLITE_OK);
		cr_expect_eq(memcmp(back, "abcd", 4), 0);
	}
	cr_expect_eq(fault_vfs_heal(), 6);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_lt(st.st_size, 1 << 20);
	cr_expect_eq(log->pMethods->xWrite(log, "ef", 2, (1 << 20) + 4), SQLITE_OK);
	cr_expect_eq(log->pMethods->xSync(log, SQLITE_SYNC_NORMAL), SQLITE_OK);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_size, (1 << 20) + 6);
	end(&place);
}

Test(store_vfs, a_write_that_fails_late_undoes_the_transaction)
{
	struct place place;
	int64_t count = 7;

	begin(&place);
	cr_assert_eq(add_rows(place.db, 7), SQLITE_OK);
	for (int skip = 0; skip < 4; skip++) {
		fault_vfs_fail(FAULT_WRITE, SQLITE_IOERR_WRITE, SQLITE_OPEN_WAL, skip,
			       FAULT_ALWAYS);
		cr_expect_eq(add_rows(place.db, 100), SQLITE_IOERR_WRITE);
		expect_whole(place.other, count);
		fault_vfs_fail(FAULT_WRITE, SQLITE_FULL, SQLITE_OPEN_WAL, skip, FAULT_ALWAYS);
		cr_expect_eq(add_rows(place.db, 100), SQLITE_FULL);
		expect_whole(place.other, count);
		fault_vfs_heal();
		expect_whole(place.db, count);
		cr_expect_eq(add_rows(place.db, 100), SQLITE_OK);
		count += 100;
		expect_whole(place.other, count);
		expect_whole(place.db, count);
	}
	end(&place);
}

/* More than the cache and what is gathered hold, so that it meets the disk before its end. */
static void fail_large(struct place *place, int result)
{
	fault_vfs_fail(FAULT_WRITE, result, SQLITE_OPEN_WAL, 0, FAULT_ALWAYS);
	run(place->db, "PRAGMA cache_size = 40; BEGIN IMMEDIATE");
	cr_expect_eq(add_rows(place->db, 100), result);
	run(place->db, sqlite3_get_autocommit(place->db) ? "SELECT 1" : "ROLLBACK");
}

Test(store_vfs, a_transaction_that_the_disk_refuses_leaves_nothing_to_the_next)
{
	struct place place;

	begin(&place);
	cr_assert_eq(add_rows(place.db, 7), SQLITE_OK);
	fail_large(&place, SQLITE_FULL);
	cr_expect(stored_within(&place, 1, 1));
	fail_large(&place, SQLITE_IOERR_WRITE);
	cr_expect_eq(system_error, EIO);
	cr_expect(stored_within(&place, 1, 1));
	expect_whole(place.db, 9);
	expect_whole(place.other, 9);
	end(&place);
}

/* SQLite doesn't sync then, or pads the log and syncs before its last bytes. */
Test(store_vfs, what_is_shown_without_a_sync_is_written_too)
{
	struct place place;

	begin_with(&place, "?psow=0");
	for (int i = 1; i <= 20; i++) {
		cr_assert_eq(add_rows(place.db, 3), SQLITE_OK);
		expect_whole(place.other, 3 * i);
	}
	run(place.db, "PRAGMA synchronous = OFF");
	for (int i = 21; i <= 40; i++) {
		cr_assert_eq(add_rows(place.db, 3), SQLITE_OK);
		expect_whole(place.other, 3 * i);
	}
	end(&place);
}

/* Tells each commit, and ends within the transaction behind the last, with pages in the log or not. */
static void write_and_end(const struct place *place, int commits, int spilled, int told)
{
	sqlite3 *db = open_at(place->path, store_vfs());

	run(db, "PRAGMA cache_size = 10");
	for (int i = 0; i < commits; i++)
		if (add_rows(db, 1 + 17 * (i % 4)) != SQLITE_OK || write(told, "x", 1) != 1)
			_exit(1);
	run(db, "BEGIN IMMEDIATE; UPDATE t SET v = x'00' WHERE id < 5");
	if (add_rows(db, spilled) != SQLITE_OK)
		_exit(1);
	_exit(0);
}

static int commits_told(const struct place *place, int commits, int spilled)
{
	int told[2], status, count = 0;
	char byte;
	pid_t pid;

	cr_assert_eq(pipe(told), 0);
	pid = fork();
	if (pid == 0)
		write_and_end(place, commits, spilled, told[1]);
	close(told[1]);
	while (read(told[0], &byte, 1) == 1)
		count++;
	close(told[0]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	return count;
}

Test(store_vfs, a_process_that_ends_anywhere_leaves_all_commits_and_nothing_else)
{
	static const int spilled[] = { 0, 1, 9, 40, 150 };
	struct place place;
	int64_t count = 0;

	begin(&place);
	sqlite3_close(place.other);
	cr_assert_eq(sqlite3_close(place.db), SQLITE_OK);
	for (unsigned i = 0; i < ARRAY_LEN(spilled); i++) {
		cr_expect_eq(commits_told(&place, 8, spilled[i]), 8);
		count += 2 * (1 + 18 + 35 + 52);
		place.other = open_at(place.path, NULL);
		expect_whole(place.other, count);
		sqlite3_close(place.other);
	}
	place.other = NULL;
	place.db = open_at(place.path, store_vfs());
	expect_whole(place.db, count);
	end(&place);
}

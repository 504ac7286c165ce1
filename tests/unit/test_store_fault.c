/* test_store_fault.c - the SQLite store on a disk that is full, fails, is locked, forgets or lies. */
#include <criterion/criterion.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "clock.h"
#include "fault_vfs.h"
#include "log.h"
#include "store_suite.h"

#define ALICE "+62811000001"
#define BUDI "+62811000002"

struct disk {
	char folder[64], path[80], error[512];
	int log; /* what was logged */
	struct suite suite;
	int64_t version, serial; /* of ALICE; the next message's */
	unsigned stored;
};

/* Stands in for the C library's: the disk has as much free as a test wants. */
static uint64_t free_bytes = UINT64_C(1) << 40;

int statvfs(const char *restrict path UNUSED, struct statvfs *restrict out)
{
	*out = (struct statvfs){ .f_frsize = 4096, .f_bavail = free_bytes / 4096 };
	return 0;
}

static int open_disk(struct disk *disk)
{
	const struct store_sqlite_options options = { .path = disk->path,
						      .readers = 2,
						      .group_max = 64,
						      .group_wait_us = 2000,
						      .queue_max = 1000,
						      .reserve_bytes = 1 << 20,
						      .dedupe_seconds = SUITE_DEDUPE };

	return store_sqlite_open(disk->suite.base, &options, &disk->suite.store, disk->error,
				 sizeof(disk->error));
}

static void begin(struct disk *disk)
{
	const char *tmp = getenv("TMPDIR");

	*disk = (struct disk){ .serial = 1 };
	fault_vfs_install();
	clock_fake(SUITE_NOW * INT64_C(1000));
	evthread_use_pthreads();
	snprintf(disk->folder, sizeof(disk->folder), "%.40s/fault-XXXXXX", tmp ? tmp : "/tmp");
	cr_assert_not_null(mkdtemp(disk->folder));
	snprintf(disk->path, sizeof(disk->path), "%s/a.db", disk->folder);
	disk->log = open(disk->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	cr_assert_geq(disk->log, 0);
	log_set_output(disk->log);
	disk->suite.base = event_base_new();
	cr_assert_eq(open_disk(disk), 0, "%s", disk->error);
}

static void close_disk(struct disk *disk)
{
	store_close(disk->suite.store);
	disk->suite.store = NULL;
}

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
		      struct FTW *ftw UNUSED)
{
	return remove(path);
}

static void end(struct disk *disk)
{
	fault_vfs_heal();
	close_disk(disk);
	event_base_free(disk->suite.base);
	log_set_output(2);
	close(disk->log);
	nftw(disk->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* How many lines were logged of an event, by the writer or the readers. */
static unsigned logged(const struct disk *disk, const char *event, const char *who)
{
	char text[16384], find[96];
	ssize_t len = pread(disk->log, text, sizeof(text) - 1, 0);
	unsigned count = 0;

	cr_assert_geq(len, 0);
	text[len] = '\0';
	snprintf(find, sizeof(find), "\"event\":\"%s\",\"who\":\"%s\"", event, who);
	for (const char *at = text; (at = strstr(at, find)); at++)
		count++;
	return count;
}

static void expect_logged(const struct disk *disk, const char *who, unsigned failing,
			  unsigned works, unsigned failed)
{
	cr_expect_eq(logged(disk, "store.failing", who), failing, "%s", who);
	cr_expect_eq(logged(disk, "store.works_again", who), works, "%s", who);
	cr_expect_eq(logged(disk, "store.failed", who), failed, "%s", who);
}

static struct step *next_step(struct disk *disk)
{
	struct step *step = suite_message(ALICE, disk->version, disk->serial, "");

	suite_add_outbound(step, disk->serial++);
	return step;
}

/* The error of one more step, 0 where it is stored. */
static int put(struct disk *disk)
{
	int error = suite_commit_error(&disk->suite, next_step(disk));

	disk->version += error == 0;
	return error;
}

/* A step with a text that fills pages. */
static int put_text(struct disk *disk, size_t len)
{
	struct step *step = next_step(disk);
	char *text = arena_alloc(&step->arena, len);
	int error;

	memset(text, 'x', len);
	STAILQ_FIRST(&step->outbound)->msg.text = (struct bytes){ text, len };
	error = suite_commit_error(&disk->suite, step);
	disk->version += error == 0;
	return error;
}

static int put_large(struct disk *disk)
{
	return put_text(disk, 4 << 20);
}

static unsigned count(struct disk *disk, enum find_kind kind)
{
	return suite_count(&disk->suite, &(struct find){ .kind = kind });
}

/* All of each step that was said to be stored, and nothing of the others. */
static void expect_stored(struct disk *disk)
{
	cr_expect_eq(suite_version(&disk->suite, ALICE), disk->version);
	cr_expect_eq(count(disk, FIND_INBOUND), disk->version);
	cr_expect_eq(count(disk, FIND_OUTBOUND), disk->version);
}

static void fails_and_goes_on(int result, int error)
{
	struct disk disk;

	begin(&disk);
	cr_expect_eq(put(&disk), 0);
	fault_vfs_fail(FAULT_WRITE, result, 0, 0, FAULT_ALWAYS);
	for (int i = 0; i < 5; i++)
		cr_expect_eq(put(&disk), error);
	expect_stored(&disk);
	expect_logged(&disk, "writer", 1, 0, 0);
	cr_expect_geq(fault_vfs_heal(), 5);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(put(&disk), 0);
	expect_stored(&disk);
	expect_logged(&disk, "writer", 1, 1, 0);
	expect_logged(&disk, "reader", 0, 0, 0);
	close_disk(&disk);
	cr_assert_eq(open_disk(&disk), 0, "%s", disk.error);
	expect_stored(&disk);
	end(&disk);
}

Test(store_fault, a_full_disk_refuses_whole_steps_and_is_used_again_when_there_is_space)
{
	fails_and_goes_on(SQLITE_FULL, -ENOSPC);
}

Test(store_fault, a_disk_that_refuses_writes_is_used_again_when_it_takes_them)
{
	fails_and_goes_on(SQLITE_IOERR_WRITE, -EIO);
}

/* The n-th write from here on fails, for each n that a few steps need. */
static void whichever_write_fails(int result, int error)
{
	struct disk disk;
	unsigned hits;
	int skip = 0;

	begin(&disk);
	do {
		fault_vfs_fail(FAULT_WRITE, result, 0, skip++, 1);
		for (int i = 0; i < 3; i++) {
			int rc = put_text(&disk, i == 1 ? 1 << 20 : 1);

			cr_expect(rc == 0 || rc == error, "%d at write %d", rc, skip);
		}
		hits = fault_vfs_heal();
		expect_stored(&disk);
	} while (hits > 0 && skip < 200);
	cr_expect_gt(skip, 6);
	cr_expect_lt(skip, 200);
	end(&disk);
}

Test(store_fault, whichever_write_finds_the_disk_full_a_step_is_whole_or_not_there)
{
	whichever_write_fails(SQLITE_FULL, -ENOSPC);
}

Test(store_fault, whichever_write_fails_a_step_is_whole_or_not_there)
{
	whichever_write_fails(SQLITE_IOERR_WRITE, -EIO);
}

struct answers { /* those with the error that is expected, and the others */
	unsigned failed, other;
	int error;
};

static void answer_cb(enum store_result result, int error, struct step *step, void *arg)
{
	struct answers *answers = arg;

	if (result == STORE_FAILED && error == answers->error && !step->seen)
		answers->failed++;
	else
		answers->other++;
	step_free(step);
}

static void wait_for_answers(struct disk *disk, const struct answers *answers, unsigned count)
{
	while (answers->failed + answers->other < count)
		event_base_loop(disk->suite.base, EVLOOP_ONCE);
}

/* The last is a repeat of the first, which it is told only if the first is stored. */
Test(store_fault, a_group_that_the_disk_refuses_is_refused_to_every_caller)
{
	struct answers answers = { .error = -ENOSPC };
	char citizens[20][16];
	struct disk disk;

	begin(&disk);
	fault_vfs_fail(FAULT_WRITE, SQLITE_FULL, 0, 0, FAULT_ALWAYS);
	for (int i = 0; i < 20; i++) {
		snprintf(citizens[i], sizeof(citizens[i]), "+6281100%04d", i % 19);
		cr_assert_eq(store_commit(disk.suite.store,
					  suite_message(citizens[i], 0, i + 1, "m1"), answer_cb,
					  &answers),
			     0);
	}
	wait_for_answers(&disk, &answers, 20);
	cr_expect_eq(answers.failed, 20);
	cr_expect_eq(count(&disk, FIND_INBOUND), 0);
	fault_vfs_heal();
	expect_stored(&disk);
	cr_expect_eq(put(&disk), 0);
	end(&disk);
}

/* One of them is refused after its first change, so all are applied again before the disk is tried. */
Test(store_fault, a_group_that_is_applied_again_is_refused_with_the_disk)
{
	struct answers answers = { .error = -ENOSPC };
	struct disk disk;
	struct step *step;

	begin(&disk);
	fault_vfs_fail(FAULT_WRITE, SQLITE_FULL, 0, 0, FAULT_ALWAYS);
	for (int i = 0; i < 6; i++) {
		step = suite_message(i % 3 ? ALICE : BUDI, i / 3, i + 1, "");
		suite_add_outbound(step, i % 3 ? 1 : i + 1);
		cr_assert_eq(store_commit(disk.suite.store, step, answer_cb, &answers), 0);
	}
	wait_for_answers(&disk, &answers, 6);
	cr_expect_eq(answers.failed, 6);
	cr_expect_eq(count(&disk, FIND_INBOUND), 0);
	fault_vfs_heal();
	expect_stored(&disk);
	cr_expect_eq(put(&disk), 0);
	end(&disk);
}

static void retain_cb(int error, void *arg)
{
	struct answers *answers = arg;

	*(error == answers->error ? &answers->failed : &answers->other) += 1;
}

static int64_t put_done(struct disk *disk)
{
	struct step *step = suite_message(ALICE, disk->version, disk->serial, "");

	step->inbound->state = INBOUND_DONE;
	cr_assert_eq(suite_commit(&disk->suite, step), STORE_DONE);
	disk->version++;
	return disk->serial++;
}

Test(store_fault, what_is_old_stays_while_the_disk_refuses_and_goes_when_it_does_not)
{
	const struct retention all = { INT64_MAX, 1, 1, 1, 1 };
	struct answers answers = { .error = -EIO };
	struct disk disk;

	begin(&disk);
	put_done(&disk);
	clock_fake((SUITE_NOW + 2 * (int64_t)SUITE_DEDUPE) * 1000);
	fault_vfs_fail(FAULT_WRITE, SQLITE_IOERR_WRITE, 0, 0, FAULT_ALWAYS);
	cr_assert_eq(store_retain(disk.suite.store, &all, retain_cb, &answers), 0);
	wait_for_answers(&disk, &answers, 1);
	cr_expect_eq(answers.failed, 1);
	cr_expect_eq(count(&disk, FIND_INBOUND), 1);
	expect_logged(&disk, "writer", 1, 0, 0);
	fault_vfs_heal();
	answers = (struct answers){ 0 };
	cr_assert_eq(store_retain(disk.suite.store, &all, retain_cb, &answers), 0);
	wait_for_answers(&disk, &answers, 1);
	cr_expect_eq(answers.failed, 1, "0 is what is expected");
	cr_expect_eq(count(&disk, FIND_INBOUND), 0);
	expect_logged(&disk, "writer", 1, 1, 0);
	end(&disk);
}

Test(store_fault, a_file_that_another_program_has_locked_is_busy_until_it_lets_go)
{
	struct disk disk;
	sqlite3 *other;

	begin(&disk);
	cr_expect_eq(put(&disk), 0);
	cr_assert_eq(sqlite3_open(disk.path, &other), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	cr_expect_eq(put(&disk), -EBUSY);
	cr_expect_eq(put(&disk), -EBUSY);
	expect_stored(&disk); /* reading goes on */
	expect_logged(&disk, "writer", 1, 0, 0);
	cr_assert_eq(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	cr_expect_eq(put(&disk), 0);
	expect_stored(&disk);
	expect_logged(&disk, "writer", 1, 1, 0);
	end(&disk);
}

struct loaded {
	bool done;
	int error;
};

static void loaded_cb(int error, struct citizen_state *state UNUSED, struct arena *arena, void *arg)
{
	struct loaded *loaded = arg;

	loaded->done = true;
	loaded->error = error;
	if (error == 0)
		arena_free(arena);
}

static int load_error(struct disk *disk)
{
	struct loaded loaded = { 0 };

	cr_assert_eq(store_load_citizen(disk->suite.store, ALICE, NULL, NULL, loaded_cb, &loaded),
		     0);
	while (!loaded.done)
		event_base_loop(disk->suite.base, EVLOOP_ONCE);
	return loaded.error;
}

Test(store_fault, locks_that_are_refused_make_reads_and_commits_busy_for_a_while)
{
	struct disk disk;

	begin(&disk);
	cr_expect_eq(put(&disk), 0);
	fault_vfs_fail(FAULT_LOCK, SQLITE_BUSY, 0, 0, FAULT_ALWAYS);
	for (int i = 0; i < 4; i++)
		cr_expect_eq(load_error(&disk), -EBUSY);
	cr_expect_eq(put(&disk), -EBUSY);
	expect_logged(&disk, "reader", 1, 0, 0);
	fault_vfs_heal();
	cr_expect_eq(put(&disk), 0);
	for (int i = 0; i < 100 && logged(&disk, "store.works_again", "reader") == 0; i++)
		expect_stored(&disk); /* until each reader has had a turn */
	expect_logged(&disk, "writer", 1, 1, 0);
	expect_logged(&disk, "reader", 1, 1, 0);
	end(&disk);
}

Test(store_fault, reads_that_the_disk_refuses_fail_and_come_back)
{
	struct disk disk;

	begin(&disk);
	cr_expect_eq(put(&disk), 0);
	fault_vfs_fail(FAULT_READ, SQLITE_IOERR_READ, 0, 0, FAULT_ALWAYS);
	cr_expect_eq(load_error(&disk), -EIO);
	fault_vfs_heal();
	expect_stored(&disk);
	cr_expect_eq(put(&disk), 0);
	end(&disk);
}

static off_t log_size(const struct disk *disk)
{
	char path[96];
	struct stat st;

	snprintf(path, sizeof(path), "%s-wal", disk->path);
	return stat(path, &st) == 0 ? st.st_size : 0;
}

/* Nothing more is accepted before a start, which finds each step whole or not at all. */
static void expect_lost(struct disk *disk, int64_t at_most)
{
	unsigned before = fault_vfs_heal();

	cr_expect_eq(before, 1, "it was not tried again");
	for (int i = 0; i < 5; i++)
		cr_expect_eq(put(disk), -EIO);
	expect_stored(disk); /* reading goes on */
	expect_logged(disk, "writer", 0, 0, 1);
	close_disk(disk);
	cr_expect_gt(log_size(disk), 0, "what a start recovers from is left alone");
	cr_assert_eq(open_disk(disk), 0, "%s", disk->error);
	cr_expect_eq(log_size(disk), 0, "it is in the file before anything is written");
	cr_expect(suite_version(&disk->suite, ALICE) == disk->version ||
		  suite_version(&disk->suite, ALICE) == at_most);
	disk->version = suite_version(&disk->suite, ALICE);
	expect_stored(disk);
	cr_expect_eq(put(disk), 0);
	expect_stored(disk);
}

Test(store_fault, after_a_failed_fsync_nothing_is_accepted_before_a_start)
{
	struct disk disk;

	begin(&disk);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(put(&disk), 0);
	fault_vfs_fail(FAULT_SYNC, SQLITE_IOERR_FSYNC, SQLITE_OPEN_WAL, 0, FAULT_ALWAYS);
	cr_expect_eq(put(&disk), -EIO);
	expect_lost(&disk, disk.version + 1);
	end(&disk);
}

/* SQLite moves its log into the file behind a commit, and would not tell what comes of that. */
Test(store_fault, a_failed_fsync_of_the_file_behind_the_log_is_no_less)
{
	struct disk disk;
	int puts = 0;

	begin(&disk);
	fault_vfs_fail(FAULT_SYNC, SQLITE_IOERR_FSYNC, SQLITE_OPEN_MAIN_DB, 0, 1);
	while (put_large(&disk) == 0)
		cr_assert_lt(++puts, 50);
	expect_lost(&disk, disk.version);
	end(&disk);
}

Test(store_fault, a_file_that_cannot_grow_is_told_once_while_the_log_takes_steps)
{
	struct disk disk;

	begin(&disk);
	fault_vfs_fail(FAULT_WRITE, SQLITE_FULL, SQLITE_OPEN_MAIN_DB, 0, FAULT_ALWAYS);
	for (int i = 0; i < 50; i++)
		cr_expect_eq(put_large(&disk), 0);
	expect_logged(&disk, "writer", 1, 0, 0);
	cr_expect_geq(fault_vfs_heal(), 2);
	for (int i = 0; i < 4; i++)
		cr_expect_eq(put_large(&disk), 0);
	expect_logged(&disk, "writer", 1, 1, 0);
	expect_stored(&disk);
	end(&disk);
}

/* As a copy of the store does. */
Test(store_fault, a_long_reader_makes_the_log_grow_until_it_ends)
{
	const off_t most = 48000 * 4120, kept = 134217728;
	struct disk disk;
	sqlite3 *other;

	begin(&disk);
	cr_expect_eq(put(&disk), 0);
	cr_assert_eq(sqlite3_open(disk.path, &other), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(other, "BEGIN; SELECT * FROM meta", NULL, NULL, NULL), SQLITE_OK);
	for (int i = 0; i < 50; i++)
		cr_expect_eq(put_large(&disk), 0);
	cr_expect_gt(log_size(&disk), most);
	sqlite3_close(other);
	for (int i = 0; i < 4; i++)
		cr_expect_eq(put_large(&disk), 0);
	cr_expect_leq(log_size(&disk), kept);
	expect_logged(&disk, "writer", 0, 0, 0);
	expect_stored(&disk);
	end(&disk);
}

Test(store_fault, the_log_stays_within_its_bounds_while_steps_go_on)
{
	const off_t most = (48000 + 1100) * 4120; /* a step of put_large more */
	struct disk disk;

	begin(&disk);
	for (int i = 0; i < 60; i++) {
		cr_expect_eq(put_large(&disk), 0);
		cr_expect_leq(log_size(&disk), most);
	}
	expect_logged(&disk, "writer", 0, 0, 0);
	expect_stored(&disk);
	end(&disk);
}

Test(store_fault, into_a_damaged_file_nothing_more_is_written)
{
	struct disk disk;

	begin(&disk);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(put(&disk), 0);
	close_disk(&disk);
	cr_assert_eq(open_disk(&disk), 0, "%s", disk.error);
	fault_vfs_fail(FAULT_READ, SQLITE_OK, SQLITE_OPEN_MAIN_DB, 0, FAULT_ALWAYS);
	cr_expect_eq(put(&disk), -EIO);
	fault_vfs_heal();
	cr_expect_eq(put(&disk), -EIO);
	expect_logged(&disk, "writer", 0, 0, 1);
	expect_stored(&disk);
	end(&disk);
}

Test(store_fault, a_start_says_what_the_disk_does)
{
	static const struct {
		enum fault_op op;
		int result, error;
		const char *words;
	} table[] = {
		{ FAULT_WRITE, SQLITE_FULL, -ENOSPC, "the disk is full" },
		{ FAULT_WRITE, SQLITE_IOERR_WRITE, -EIO, "gives an error" },
		{ FAULT_SYNC, SQLITE_IOERR_FSYNC, -EIO, "fsync" },
		{ FAULT_READ, SQLITE_IOERR_READ, -EIO, "gives an error" },
		{ FAULT_READ, SQLITE_OK, -EIO, "can't be read" },
	};
	struct disk disk;

	begin(&disk);
	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		close_disk(&disk);
		if (table[i].op != FAULT_READ)
			unlink(disk.path);
		fault_vfs_fail(table[i].op, table[i].result, 0, 0, FAULT_ALWAYS);
		cr_expect_eq(open_disk(&disk), table[i].error, "line %u: %s", i, disk.error);
		cr_expect_not_null(strstr(disk.error, table[i].words), "line %u: %s", i,
				   disk.error);
		fault_vfs_heal();
		cr_assert_eq(open_disk(&disk), 0, "line %u: %s", i, disk.error);
	}
	end(&disk);
}

/* The disk is looked at once a second. */
static int put_until(struct disk *disk, int error)
{
	int rc;

	for (int i = 0; (rc = put(disk)) != error && i < 3000; i++)
		usleep(1000);
	return rc;
}

Test(store_fault, below_the_reserve_nothing_is_accepted_until_there_is_more)
{
	struct disk disk;

	begin(&disk);
	cr_expect_eq(put(&disk), 0);
	free_bytes = 1 << 19;
	cr_expect_eq(put_until(&disk, -ENOSPC), -ENOSPC);
	cr_expect_eq(put(&disk), -ENOSPC);
	free_bytes = 1 << 21;
	cr_expect_eq(put_until(&disk, 0), 0);
	expect_stored(&disk);
	end(&disk);
}

Test(store_fault, a_copy_on_a_full_disk_is_none)
{
	struct disk disk;
	char copy[96];

	begin(&disk);
	cr_expect_eq(put(&disk), 0);
	snprintf(copy, sizeof(copy), "%s/copy.db", disk.folder);
	fault_vfs_fail(FAULT_WRITE, SQLITE_FULL, 0, 0, FAULT_ALWAYS);
	cr_expect_eq(store_sqlite_backup(disk.path, copy, disk.error, sizeof(disk.error)), -ENOSPC);
	cr_expect_neq(access(copy, F_OK), 0);
	fault_vfs_fail(FAULT_SYNC, SQLITE_IOERR_FSYNC, 0, 0, FAULT_ALWAYS);
	cr_expect_eq(store_sqlite_backup(disk.path, copy, disk.error, sizeof(disk.error)), -EIO);
	cr_expect_neq(access(copy, F_OK), 0);
	fault_vfs_heal();
	cr_expect_eq(store_sqlite_backup(disk.path, copy, disk.error, sizeof(disk.error)), 0);
	cr_expect_eq(put(&disk), 0);
	end(&disk);
}

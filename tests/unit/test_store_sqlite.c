/* test_store_sqlite.c - the store's contract on SQLite, and what is the file's own: reopening, locks, copies. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "store_suite.h"

#define ALICE "+62811000001"

struct folder {
	char folder[64], path[80], copy[80];
	char error[512];
	struct suite suite;
};

static struct store_sqlite_options options_for(const struct folder *folder)
{
	return (struct store_sqlite_options){ .path = folder->path,
					      .readers = 2,
					      .group_max = 64,
					      .queue_max = 1000,
					      .dedupe_seconds = SUITE_DEDUPE };
}

static int open_with(struct folder *folder, const struct store_sqlite_options *options)
{
	return store_sqlite_open(folder->suite.base, options, &folder->suite.store, folder->error,
				 sizeof(folder->error));
}

static void open_store(struct folder *folder)
{
	struct store_sqlite_options options = options_for(folder);

	cr_assert_eq(open_with(folder, &options), 0, "%s", folder->error);
}

static void close_store(struct folder *folder)
{
	store_close(folder->suite.store);
	folder->suite.store = NULL;
}

static void begin(struct folder *folder)
{
	const char *tmp = getenv("TMPDIR");

	*folder = (struct folder){ 0 };
	log_set_level(LOG_ERROR);
	clock_fake(SUITE_NOW * INT64_C(1000));
	evthread_use_pthreads();
	snprintf(folder->folder, sizeof(folder->folder), "%.40s/store-XXXXXX", tmp ? tmp : "/tmp");
	cr_assert_not_null(mkdtemp(folder->folder));
	snprintf(folder->path, sizeof(folder->path), "%s/a.db", folder->folder);
	snprintf(folder->copy, sizeof(folder->copy), "%s/b.db", folder->folder);
	folder->suite.base = event_base_new();
}

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
		      struct FTW *ftw UNUSED)
{
	return remove(path);
}

static void end(struct folder *folder)
{
	close_store(folder);
	event_base_free(folder->suite.base);
	nftw(folder->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define RUN_ON_SQLITE(name)                  \
	Test(store_sqlite, name)             \
	{                                    \
		struct folder folder;        \
                                             \
		begin(&folder);              \
		open_store(&folder);         \
		suite_##name(&folder.suite); \
		end(&folder);                \
	}
SUITE_TESTS(RUN_ON_SQLITE)

static void put_one(struct folder *folder, int64_t version)
{
	struct step *step = suite_message(ALICE, version, version + 1, "");

	suite_add_outbound(step, version + 1);
	cr_assert_eq(suite_commit(&folder->suite, step), STORE_DONE);
}

Test(store_sqlite, a_store_that_is_opened_again_has_all_and_the_same_secret)
{
	struct folder folder;
	uint64_t secret;

	begin(&folder);
	open_store(&folder);
	secret = store_secret(folder.suite.store);
	put_one(&folder, 0);
	close_store(&folder);
	open_store(&folder);
	cr_expect_eq(store_secret(folder.suite.store), secret);
	cr_expect_eq(suite_version(&folder.suite, ALICE), 1);
	cr_expect_eq(suite_count(&folder.suite, &(struct find){ .kind = FIND_OUTBOUND }), 1);
	put_one(&folder, 1);
	end(&folder);
}

Test(store_sqlite, two_stores_have_two_secrets)
{
	struct folder one, two;

	begin(&one);
	begin(&two);
	open_store(&one);
	open_store(&two);
	cr_expect_neq(store_secret(one.suite.store), store_secret(two.suite.store));
	end(&one);
	end(&two);
}

static void count_cb(enum store_result result, int error UNUSED, struct step *step, void *arg)
{
	unsigned *count = arg;

	*count += result == STORE_DONE;
	step_free(step);
}

Test(store_sqlite, closing_commits_what_waits_and_answers_it)
{
	struct folder folder;
	unsigned count = 0;

	begin(&folder);
	open_store(&folder);
	for (int i = 0; i < 300; i++)
		cr_assert_eq(store_commit(folder.suite.store, suite_message(ALICE, i, i + 1, ""),
					  count_cb, &count),
			     0);
	close_store(&folder);
	cr_expect_eq(count, 300);
	open_store(&folder);
	cr_expect_eq(suite_version(&folder.suite, ALICE), 300);
	end(&folder);
}

Test(store_sqlite, a_full_queue_refuses_and_leaves_the_step_with_its_caller)
{
	struct folder folder;
	struct store_sqlite_options options;
	struct step *step = suite_message(ALICE, 3, 4, "");
	unsigned count = 0;

	begin(&folder);
	options = options_for(&folder);
	options.queue_max = 3;
	cr_assert_eq(open_with(&folder, &options), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(store_commit(folder.suite.store, suite_message(ALICE, i, i + 1, ""),
					  count_cb, &count),
			     0);
	/* However fast the writer is: a call waits until its callback has run, and the loop hasn't. */
	cr_expect_eq(store_commit(folder.suite.store, step, count_cb, &count), -EAGAIN);
	while (count < 3)
		event_base_loop(folder.suite.base, EVLOOP_ONCE);
	cr_expect_eq(suite_commit(&folder.suite, step), STORE_DONE);
	end(&folder);
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static int refused_with(struct folder *folder, const char *words)
{
	struct store_sqlite_options options = options_for(folder);
	int rc = open_with(folder, &options);

	cr_expect_not_null(strstr(folder->error, folder->path), "%s", folder->error);
	cr_expect_not_null(strstr(folder->error, words), "%s", folder->error);
	return rc;
}

Test(store_sqlite, a_newer_store_is_refused_and_left_alone)
{
	struct folder folder;

	begin(&folder);
	open_store(&folder);
	put_one(&folder, 0);
	close_store(&folder);
	run_sql(folder.path, "PRAGMA user_version = 1000");
	cr_expect_eq(refused_with(&folder, "newer"), -EPROTO);
	run_sql(folder.path, "PRAGMA user_version = 1");
	open_store(&folder);
	cr_expect_eq(suite_version(&folder.suite, ALICE), 1);
	end(&folder);
}

Test(store_sqlite, what_is_no_store_of_ours_is_refused)
{
	struct folder folder;
	FILE *file;

	begin(&folder);
	log_set_output(open("/dev/null", O_WRONLY));
	run_sql(folder.path, "CREATE TABLE other (a)");
	cr_expect_eq(refused_with(&folder, "can't be read"), -EIO);
	file = fopen(folder.path, "w");
	for (int i = 0; i < 1000; i++)
		fputs("this is no database\n", file);
	fclose(file);
	cr_expect_eq(refused_with(&folder, "can't be read"), -EIO);
	snprintf(folder.path, sizeof(folder.path), "%s/none/a.db", folder.folder);
	cr_expect_eq(refused_with(&folder, "No such file"), -ENOENT);
	end(&folder);
}

/* Its parent has the store open when it may begin. */
static int second_process(const struct folder *folder, int begin_fd, const char *pid)
{
	struct store_sqlite_options options = options_for(folder);
	struct store *store;
	char error[512] = "", begun;
	int rc;

	if (read(begin_fd, &begun, 1) != 1)
		return 2;
	rc = store_sqlite_open(folder->suite.base, &options, &store, error, sizeof(error));
	return rc == -EBUSY && strstr(error, pid) ? 0 : 1;
}

Test(store_sqlite, a_second_process_is_refused_with_the_firsts_pid)
{
	struct folder folder;
	char pid[32];
	int status, begin_fds[2];
	pid_t child;

	begin(&folder);
	snprintf(pid, sizeof(pid), "pid %ld", (long)getpid());
	cr_assert_eq(pipe(begin_fds), 0);
	child = fork(); /* before the store's threads: one may hold malloc's lock */
	if (child == 0)
		_exit(second_process(&folder, begin_fds[0], pid));
	open_store(&folder);
	cr_assert_eq(write(begin_fds[1], "b", 1), 1);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0);
	close(begin_fds[0]);
	close(begin_fds[1]);
	end(&folder);
}

Test(store_sqlite, files_are_the_owners_alone)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
	struct folder folder;
	struct stat st;
	char path[96];

	umask(0);
	begin(&folder);
	open_store(&folder);
	put_one(&folder, 0);
	for (unsigned i = 0; i < ARRAY_LEN(ends); i++) {
		snprintf(path, sizeof(path), "%s%s", folder.path, ends[i]);
		cr_assert_eq(stat(path, &st), 0, "%s", path);
		cr_expect_eq(st.st_mode & 0777, 0600, "%s", path);
	}
	end(&folder);
}

Test(store_sqlite, below_the_reserve_commits_fail_and_reads_go_on)
{
	struct folder folder;
	struct store_sqlite_options options;

	begin(&folder);
	log_set_output(open("/dev/null", O_WRONLY));
	options = options_for(&folder);
	options.reserve_bytes = INT64_MAX;
	cr_assert_eq(open_with(&folder, &options), 0);
	cr_expect_eq(suite_commit_error(&folder.suite, suite_message(ALICE, 0, 1, "")), -ENOSPC);
	cr_expect_eq(suite_version(&folder.suite, ALICE), 0);
	end(&folder);
}

Test(store_sqlite, a_refused_step_takes_no_other_of_its_group_with_it)
{
	struct folder folder;
	struct store_sqlite_options options;
	unsigned count = 0;

	begin(&folder);
	options = options_for(&folder);
	options.group_wait_us = 5000;
	cr_assert_eq(open_with(&folder, &options), 0);
	for (int i = 0; i < 40; i++) /* every fourth repeats the version before */
		cr_assert_eq(store_commit(folder.suite.store,
					  suite_message(ALICE, i - i / 4 - (i % 4 == 3), i + 1, ""),
					  count_cb, &count),
			     0);
	close_store(&folder);
	cr_expect_eq(count, 30);
	open_store(&folder);
	cr_expect_eq(suite_version(&folder.suite, ALICE), 30);
	cr_expect_eq(suite_count(&folder.suite, &(struct find){ .kind = FIND_INBOUND }), 30);
	end(&folder);
}

/* What each of a group came to. */
struct told {
	enum store_result result;
	int error;
	struct step *step;
};

struct group {
	struct told told[16];
	unsigned count;
};

static void told_cb(enum store_result result, int error, struct step *step, void *arg)
{
	struct group *group = arg;

	group->told[group->count++] = (struct told){ result, error, step };
}

static void ask(struct folder *folder, struct group *group, struct step *step)
{
	cr_assert_eq(store_commit(folder->suite.store, step, told_cb, group), 0);
}

static struct step *insert_record(const char *key)
{
	struct step *step = step_new();
	struct record_write *row = step_add_record(step);

	*row = (struct record_write){ .kind = RECORD_INSERT,
				      .plugin = "survey",
				      .table = "answers",
				      .key = key,
				      .json = { "{}", 2 },
				      .citizen = "" };
	return step;
}

static struct step *update_outbound(int64_t serial)
{
	struct step *step = step_new();
	struct outbound_update *update = step_add_update(step);

	update->id = (struct id){ .shard = 0xf000000000000001, .serial = serial };
	update->attempts = 1;
	return step;
}

/* The last but one is refused after its first change: all are applied once more, and told what then was true. */
Test(store_sqlite, a_group_is_applied_again_when_one_is_refused_late)
{
	const enum store_result results[] = { STORE_DONE,     STORE_DUPLICATE, STORE_DONE,
					      STORE_DONE,     STORE_DONE,      STORE_DONE,
					      STORE_CONFLICT, STORE_FAILED,    STORE_DONE };
	struct step *step, *late;
	struct store_sqlite_options options;
	struct group group = { 0 };
	struct folder folder;

	begin(&folder);
	log_set_output(open("/dev/null", O_WRONLY));
	options = options_for(&folder);
	options.group_wait_us = 5000;
	cr_assert_eq(open_with(&folder, &options), 0);
	step = suite_message(ALICE, 0, 1, "m1");
	suite_add_outbound(step, 1);
	ask(&folder, &group, step);
	ask(&folder, &group, suite_message(ALICE, 1, 2, "m1"));
	ask(&folder, &group, insert_record("[1]"));
	ask(&folder, &group, insert_record("[1]"));
	ask(&folder, &group, update_outbound(1));
	ask(&folder, &group, update_outbound(1));
	ask(&folder, &group, suite_message(ALICE, 7, 3, "m3"));
	late = suite_message(ALICE, 1, 4, "m4");
	suite_add_outbound(late, 1);
	ask(&folder, &group, late);
	ask(&folder, &group, suite_message(ALICE, 1, 5, "m4"));
	close_store(&folder);
	cr_assert_eq(group.count, ARRAY_LEN(results));
	for (unsigned i = 0; i < group.count; i++)
		cr_expect_eq(group.told[i].result, results[i], "step %u", i);
	cr_assert_not_null(group.told[1].step->seen);
	cr_expect_eq(group.told[1].step->seen->msg.id.serial, 1);
	cr_expect_null(group.told[8].step->seen);
	cr_expect_eq(STAILQ_FIRST(&group.told[2].step->records)->outcome, RECORD_DONE);
	cr_expect_eq(STAILQ_FIRST(&group.told[3].step->records)->outcome, RECORD_EXISTS);
	cr_expect_not(STAILQ_FIRST(&group.told[4].step->updates)->lost);
	cr_expect(STAILQ_FIRST(&group.told[5].step->updates)->lost);
	for (unsigned i = 0; i < group.count; i++)
		step_free(group.told[i].step);
	open_store(&folder);
	cr_expect_eq(suite_version(&folder.suite, ALICE), 2);
	cr_expect_eq(suite_count(&folder.suite, &(struct find){ .kind = FIND_INBOUND }), 2);
	cr_expect_eq(suite_count(&folder.suite, &(struct find){ .kind = FIND_OUTBOUND }), 1);
	end(&folder);
}

Test(store_sqlite, a_live_store_is_copied_and_the_copy_restored)
{
	struct folder folder;
	struct stat st;

	begin(&folder);
	open_store(&folder);
	put_one(&folder, 0);
	cr_assert_eq(
		store_sqlite_backup(folder.path, folder.copy, folder.error, sizeof(folder.error)),
		0, "%s", folder.error);
	cr_assert_eq(stat(folder.copy, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	put_one(&folder, 1);
	cr_expect_eq(
		store_sqlite_restore(folder.copy, folder.path, folder.error, sizeof(folder.error)),
		-EBUSY, "it is open");
	cr_expect_eq(suite_version(&folder.suite, ALICE), 2);
	close_store(&folder);
	cr_assert_eq(
		store_sqlite_restore(folder.copy, folder.path, folder.error, sizeof(folder.error)),
		0, "%s", folder.error);
	open_store(&folder);
	cr_expect_eq(suite_version(&folder.suite, ALICE), 1);
	put_one(&folder, 1);
	end(&folder);
}

/* Their numbers rise, and what went gives its own to no other. */
Test(store_sqlite, reports_are_paged_by_the_number_that_each_got)
{
	struct find what = { .kind = FIND_REPORTS };
	struct folder folder;

	begin(&folder);
	open_store(&folder);
	for (int i = 0; i < 5; i++) {
		struct step *step = step_new();
		struct report_row *row = step_add_report(step);

		row->report = (struct report){ .connection = "k1",
					       .ref = i < 4 ? "t-1" : "t-2",
					       .status = (enum report_status)i,
					       .code = "" };
		row->forget = i == 3; /* the three before */
		cr_assert_eq(suite_commit(&folder.suite, step), STORE_DONE);
	}
	what.after.serial = 3;
	cr_expect_eq(suite_count(&folder.suite, &what), 1);
	what.after.serial = 4;
	cr_expect_eq(suite_count(&folder.suite, &what), 0);
	end(&folder);
}

/* Damages what lies behind the first page. */
static void damage(const char *path)
{
	char rubbish[4096];
	int fd = open(path, O_WRONLY);

	memset(rubbish, 0x5a, sizeof(rubbish));
	cr_assert_geq(fd, 0);
	for (int page = 1; page < 5; page++)
		cr_assert_eq(pwrite(fd, rubbish, sizeof(rubbish), page * 4096), 4096);
	close(fd);
}

Test(store_sqlite, a_damaged_copy_is_not_restored)
{
	struct folder folder;

	begin(&folder);
	log_set_output(open("/dev/null", O_WRONLY));
	open_store(&folder);
	put_one(&folder, 0);
	close_store(&folder);
	cr_assert_eq(
		store_sqlite_backup(folder.path, folder.copy, folder.error, sizeof(folder.error)),
		0);
	damage(folder.copy);
	cr_expect_eq(
		store_sqlite_restore(folder.copy, folder.path, folder.error, sizeof(folder.error)),
		-EIO);
	cr_expect_not_null(strstr(folder.error, folder.copy), "%s", folder.error);
	snprintf(folder.copy, sizeof(folder.copy), "%s/none.db", folder.folder);
	cr_expect_eq(
		store_sqlite_restore(folder.copy, folder.path, folder.error, sizeof(folder.error)),
		-ENOENT);
	open_store(&folder);
	cr_expect_eq(suite_version(&folder.suite, ALICE), 1, "the store is as it was");
	end(&folder);
}

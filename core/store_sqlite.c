/* store_sqlite.c - the store in one file beside the program: who does what, and in which order.
 *
 * SQLite waits for the disk, so the loop never calls it.  One thread writes: it takes all steps that wait, up to a
 * limit, and commits them as one, because the disk's time is one flush whatever is in it.  A few threads read, each with a
 * connection of its own, and see what was committed before they began.  What is done goes back to the loop in a list
 * behind one eventfd, so that a hundred answers cost one wake-up, and no callback ever runs inside a call.
 * Read before store_sqlite_write.c and store_sqlite_read.c.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "crash.h"
#include "log.h"
#include "store_sqlite_priv.h"

enum {
	READERS_MAX = 8,
	GROUP_MAX = 1024,
	READ_MAX = 32, /* calls that a reader answers in one transaction */
};

struct queue {
	pthread_mutex_t mutex;
	pthread_cond_t filled;
	struct call_list calls;
	unsigned length;
	unsigned idle, wanted; /* threads that wait, and for how many calls */
	bool closing;
	unsigned waiting; /* loop thread only: from the call to its callback */
};

struct worker {
	pthread_t thread;
	struct store_sqlite *store; /* borrowed */
	struct db db;
	bool opened, started;
};

struct store_sqlite {
	struct store store; /* first */
	struct store_sqlite_options options;
	char *path, *folder; /* owned */
	int lock;            /* owned descriptor, -1: none */
	int wake;            /* owned eventfd, -1: none */
	struct event *event; /* owned: wake is readable */
	struct event *
		kick; /* owned: what this turn of the loop has asked for is handed to the threads at once */
	bool kicked;
	struct queue writes, reads;
	pthread_mutex_t done_mutex;
	struct call_list done;
	struct worker writer, readers[READERS_MAX];
	uint64_t secret;
	bool closing;
	atomic_bool lost; /* the writer's state is one that lasts */
	struct db_health writing, reading;
	/* the writer's */
	int64_t looked_ms; /* when the disk was looked at */
	bool below_reserve;
	struct mover *mover; /* owned */
	int log_frames;      /* pages in SQLite's log */
	bool log_stuck;      /* they could not be moved into the file */
};

/* queues */

static void queue_init(struct queue *queue)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&queue->mutex, NULL);
	pthread_cond_init(&queue->filled, &attributes);
	pthread_condattr_destroy(&attributes);
	STAILQ_INIT(&queue->calls);
	queue->wanted = 1;
}

static void queue_destroy(struct queue *queue)
{
	pthread_cond_destroy(&queue->filled);
	pthread_mutex_destroy(&queue->mutex);
}

static void queue_put(struct queue *queue, struct call *call)
{
	pthread_mutex_lock(&queue->mutex);
	STAILQ_INSERT_TAIL(&queue->calls, call, next);
	queue->length++;
	pthread_mutex_unlock(&queue->mutex);
}

static void queue_kick(struct queue *queue)
{
	bool filled;

	pthread_mutex_lock(&queue->mutex);
	filled = queue->idle > 0 && queue->length >= queue->wanted;
	pthread_mutex_unlock(&queue->mutex);
	if (filled)
		pthread_cond_signal(&queue->filled);
}

static struct timespec deadline_in(unsigned us)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += (long)us * 1000;
	at.tv_sec += at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	return at;
}

/* Waits for the first call, then at most wait_us for more up to max; gives them in order.  0: the queue is closed and
 * empty. */
static unsigned queue_take(struct queue *queue, unsigned max, unsigned wait_us,
			   struct call_list *out)
{
	unsigned count = 0;
	struct timespec until;
	struct call *call;

	STAILQ_INIT(out);
	pthread_mutex_lock(&queue->mutex);
	queue->idle++;
	while (queue->length == 0 && !queue->closing)
		pthread_cond_wait(&queue->filled, &queue->mutex);
	queue->wanted = max; /* until then nobody needs to be woken for each */
	if (wait_us > 0 && queue->length < max && !queue->closing)
		until = deadline_in(wait_us);
	while (wait_us > 0 && queue->length < max && !queue->closing)
		if (pthread_cond_timedwait(&queue->filled, &queue->mutex, &until) != 0)
			break;
	queue->wanted = 1;
	queue->idle--;
	while (count < max && (call = STAILQ_FIRST(&queue->calls))) {
		STAILQ_REMOVE_HEAD(&queue->calls, next);
		STAILQ_INSERT_TAIL(out, call, next);
		queue->length--;
		count++;
	}
	pthread_mutex_unlock(&queue->mutex);
	return count;
}

static void queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	queue->closing = true;
	pthread_cond_broadcast(&queue->filled);
	pthread_mutex_unlock(&queue->mutex);
}

/* From any thread: hands calls back to the loop. */
static void give_back(struct store_sqlite *store, struct call_list *calls)
{
	static const uint64_t one = 1;
	bool was_empty;

	pthread_mutex_lock(&store->done_mutex);
	was_empty = STAILQ_EMPTY(&store->done);
	STAILQ_CONCAT(&store->done, calls);
	pthread_mutex_unlock(&store->done_mutex);
	if (was_empty && write(store->wake, &one, sizeof(one)) < 0 && errno != EAGAIN)
		abort(); /* an eventfd of ours */
}

/* the writer */

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool below_reserve(struct store_sqlite *store)
{
	int64_t now = monotonic_ms();
	bool was = store->below_reserve;
	struct statvfs disk;

	if (store->looked_ms && now - store->looked_ms < 1000)
		return was;
	store->looked_ms = now;
	if (statvfs(store->folder, &disk) == 0)
		store->below_reserve = (uint64_t)disk.f_bavail <
				       (uint64_t)store->options.reserve_bytes / disk.f_frsize;
	if (store->below_reserve != was)
		log_event(was ? LOG_INFO : LOG_ERROR,
			  was ? "store.above_reserve" : "store.below_reserve", "sfolder",
			  store->folder, NULL);
	return store->below_reserve;
}

static bool in_transaction(struct db *db)
{
	return !sqlite3_get_autocommit(db->handle);
}

static int apply_commit(struct store_sqlite *store, struct db *db, struct call *call)
{
	enum store_result *result = &call->commit.result;
	int rc;

	*result = STORE_FAILED;
	if (below_reserve(store))
		return -ENOSPC;
	rc = write_step(db, call->commit.step, result);
	if (rc < 0)
		*result = STORE_FAILED;
	return rc;
}

/* Whether what it did may stay. */
static bool run_call(struct store_sqlite *store, struct db *db, struct call *call)
{
	if (call->kind == CALL_COMMIT) {
		call->error = apply_commit(store, db, call);
		return call->commit.result == STORE_DONE;
	}
	call->error = write_retain(db, &call->retain.what);
	return call->error >= 0;
}

/* The error of a call that has lost the transaction, or 0. */
static int lost_by(struct db *db, const struct call *call)
{
	if (in_transaction(db) && !db_lost(db))
		return 0;
	return call->error < 0 ? call->error : -EIO;
}

enum { APPLY_AGAIN = 1 };

/* One call of a group.  A refusal seldom comes after the first change; then the group must be applied again, guarded. */
static int apply(struct store_sqlite *store, struct db *db, struct call *call)
{
	int changes = sqlite3_total_changes(db->handle), rc;
	bool keep = run_call(store, db, call);

	rc = lost_by(db, call);
	crash_point("store.after_step");
	if (rc == 0 && !keep && sqlite3_total_changes(db->handle) != changes)
		return APPLY_AGAIN;
	return rc;
}

/* One call of a group, undone by itself where it is refused. */
static int apply_guarded(struct store_sqlite *store, struct db *db, struct call *call)
{
	int rc = db_do(db, "SAVEPOINT step");
	struct db_progress before = db->progress;
	bool keep;

	if (rc < 0)
		return rc;
	keep = run_call(store, db, call);
	rc = lost_by(db, call);
	if (rc == 0 && !keep) {
		db->progress = before;
		rc = db_do(db, "ROLLBACK TO step");
	}
	if (rc == 0)
		rc = db_do(db, "RELEASE step");
	crash_point("store.after_step");
	return rc;
}

/* What was found out within a transaction that is lost is worth nothing either. */
static void fail_all(struct call_list *calls, int error)
{
	struct call *call;

	STAILQ_FOREACH (call, calls, next) {
		call->error = error;
		if (call->kind == CALL_COMMIT) {
			call->commit.result = STORE_FAILED;
			call->commit.step->seen = NULL;
		}
	}
}

/* What was refused by itself has not tried the disk. */
static bool any_done(const struct call_list *calls)
{
	const struct call *call;

	STAILQ_FOREACH (call, calls, next)
		if (call->kind == CALL_COMMIT ? call->commit.result == STORE_DONE
					      : call->error >= 0)
			return true;
	return false;
}

static void roll_back(struct db *db)
{
	if (in_transaction(db))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

typedef int apply_cb(struct store_sqlite *store, struct db *db, struct call *call);

/* 0: it is on disk; APPLY_AGAIN, or an error: nothing of it is, and nothing of it is remembered. */
static int commit_group(struct store_sqlite *store, struct db *db, struct call_list *calls,
			apply_cb *apply_one)
{
	struct db_progress before = db->progress;
	int rc = db_lost(db) ? -EIO : db_do(db, "BEGIN IMMEDIATE");
	struct call *call;

	STAILQ_FOREACH (call, calls, next)
		if (rc == 0)
			rc = apply_one(store, db, call);
	if (rc == 0) {
		crash_point("store.before_commit");
		rc = db_do(db, "COMMIT");
		crash_point("store.after_commit");
	}
	if (rc != 0) {
		roll_back(db);
		db->progress = before;
	}
	return rc;
}

/* A savepoint around each step would copy every page that the step is the first to change since. */
static void write_group(struct store_sqlite *store, struct db *db, struct call_list *calls)
{
	int rc = commit_group(store, db, calls, apply);

	if (rc == APPLY_AGAIN)
		rc = commit_group(store, db, calls, apply_guarded);
	if (rc < 0)
		fail_all(calls, rc);
	else if (any_done(calls) && !store->log_stuck)
		db_works(db);
}

static int log_grew_cb(void *arg, sqlite3 *handle UNUSED, const char *name UNUSED, int frames)
{
	struct store_sqlite *store = arg;

	store->log_frames = frames;
	return SQLITE_OK;
}

static void *writer_main(void *arg)
{
	struct worker *worker = arg;
	struct store_sqlite *store = worker->store;
	struct call_list calls;

	while (queue_take(&store->writes, store->options.group_max, store->options.group_wait_us,
			  &calls) > 0) {
		write_group(store, &worker->db, &calls);
		if (db_lost(&worker->db))
			atomic_store(&store->lost, true);
		give_back(store, &calls);
		store->log_stuck = mover_look(store->mover, store->log_frames);
	}
	return NULL;
}

/* the readers */

static int read_call(struct db *db, struct call *call)
{
	switch (call->kind) {
	case CALL_CITIZEN:
		return read_citizen(db, call);
	case CALL_RECORDS:
		return read_records(db, call);
	case CALL_BUNDLE:
		return read_bundle(db, call);
	default:
		return read_find(db, call);
	case CALL_VERIFY:
		return read_chain(db, call);
	}
}

static void read_group(struct db *db, struct call_list *calls)
{
	int rc = db_do(db, "BEGIN");
	bool works = false;
	struct call *call;

	STAILQ_FOREACH (call, calls, next)
		if ((call->error = rc < 0 ? rc : read_call(db, call)) == 0)
			works = true;
	if (in_transaction(db))
		sqlite3_exec(db->handle, "COMMIT", NULL, NULL, NULL);
	if (works)
		db_works(db);
}

static void *reader_main(void *arg)
{
	struct worker *worker = arg;
	struct store_sqlite *store = worker->store;
	struct db *db = &worker->db;
	struct call_list calls;

	while (queue_take(&store->reads, READ_MAX, 0, &calls) > 0) {
		read_group(db, &calls);
		give_back(store, &calls);
	}
	return NULL;
}

/* back on the loop */

static void answer_citizen(struct call *call)
{
	if (call->error)
		arena_free(&call->arena);
	call->citizen.cb(call->error, call->error ? NULL : call->citizen.state, &call->arena,
			 call->arg);
}

static void answer(struct call *call)
{
	int error = call->error;

	switch (call->kind) {
	case CALL_COMMIT:
		call->commit.cb(call->commit.result, error, call->commit.step, call->arg);
		break;
	case CALL_RETAIN:
		call->retain.cb(error > 0 ? -EAGAIN : error, call->arg);
		break;
	case CALL_CITIZEN:
		answer_citizen(call);
		return; /* the arena is the callback's */
	case CALL_RECORDS:
		call->records.cb(error, error ? NULL : &call->records.result, call->arg);
		break;
	case CALL_VERIFY:
		call->verify.cb(error, error ? NULL : &call->verify.chain, call->arg);
		break;
	case CALL_FIND:
		call->find.cb(error, error ? NULL : &call->find.rows, call->arg);
		break;
	case CALL_BUNDLE:
		call->bundle.cb(error, call->bundle.content, call->arg);
		break;
	}
	arena_free(&call->arena);
}

static bool is_write(const struct call *call)
{
	return call->kind == CALL_COMMIT || call->kind == CALL_RETAIN;
}

static void answer_done(struct store_sqlite *store)
{
	struct call_list calls = STAILQ_HEAD_INITIALIZER(calls);
	struct call *call;

	pthread_mutex_lock(&store->done_mutex);
	STAILQ_CONCAT(&calls, &store->done);
	pthread_mutex_unlock(&store->done_mutex);
	while ((call = STAILQ_FIRST(&calls))) {
		STAILQ_REMOVE_HEAD(&calls, next);
		(is_write(call) ? &store->writes : &store->reads)->waiting--;
		answer(call);
		free(call);
	}
}

static void wake_cb(evutil_socket_t fd, short events UNUSED, void *arg)
{
	uint64_t count;

	if (read((int)fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		abort();
	answer_done(arg);
}

static void kick_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct store_sqlite *store = arg;

	store->kicked = false;
	queue_kick(&store->writes);
	queue_kick(&store->reads);
}

/* Threads are woken once for all that a turn of the loop asks for, and don't contend for the queue meanwhile. */
static void put(struct store_sqlite *store, struct queue *queue, struct call *call)
{
	queue_put(queue, call);
	if (store->kicked)
		return;
	store->kicked = true;
	event_active(store->kick, EV_TIMEOUT, 0);
}

/* the contract's calls */

static struct store_sqlite *self(struct store *store)
{
	return (struct store_sqlite *)store;
}

/* NULL: too many wait, or the store is closing. */
static struct call *call_new(struct store_sqlite *store, enum call_kind kind, void *arg)
{
	struct call *call, probe = { .kind = kind };
	struct queue *queue = is_write(&probe) ? &store->writes : &store->reads;

	if (store->closing || queue->waiting >= store->options.queue_max)
		return NULL;
	queue->waiting++;
	call = xcalloc(1, sizeof(*call));
	call->kind = kind;
	call->arg = arg;
	return call;
}

static int sqlite_commit(struct store *store, struct step *step, store_commit_cb *cb, void *arg)
{
	struct call *call = call_new(self(store), CALL_COMMIT, arg);

	if (!call)
		return -EAGAIN;
	call->commit.step = step;
	call->commit.cb = cb;
	put(self(store), &self(store)->writes, call);
	return 0;
}

static int sqlite_retain(struct store *store, const struct retention *retention, store_done_cb *cb,
			 void *arg)
{
	struct call *call = call_new(self(store), CALL_RETAIN, arg);

	if (!call)
		return -EAGAIN;
	call->retain.what = *retention;
	call->retain.cb = cb;
	put(self(store), &self(store)->writes, call);
	return 0;
}

static int sqlite_load_citizen(struct store *store, const char *citizen, const char *connection,
			       const char *provider_id, store_citizen_cb *cb, void *arg)
{
	struct call *call = call_new(self(store), CALL_CITIZEN, arg);

	if (!call)
		return -EAGAIN;
	call->citizen.citizen = arena_strdup(&call->arena, citizen);
	call->citizen.connection = arena_strdup(&call->arena, connection);
	call->citizen.provider_id = arena_strdup(&call->arena, provider_id);
	call->citizen.cb = cb;
	put(self(store), &self(store)->reads, call);
	return 0;
}

static struct record_term *copy_terms(struct arena *arena, const struct record_query *query)
{
	struct record_term *terms = arena_alloc(arena, (query->term_count + 1) * sizeof(*terms));

	for (unsigned i = 0; i < query->term_count; i++) {
		terms[i] = query->terms[i];
		terms[i].field = arena_strdup(arena, query->terms[i].field);
		terms[i].value.text = arena_bytes(arena, query->terms[i].value.text.data,
						  query->terms[i].value.text.len);
	}
	return terms;
}

static const struct record_cursor *copy_cursor(struct arena *arena,
					       const struct record_cursor *cursor)
{
	struct record_cursor *copy;

	if (!cursor)
		return NULL;
	copy = arena_alloc(arena, sizeof(*copy));
	*copy = *cursor;
	copy->value.text = arena_bytes(arena, cursor->value.text.data, cursor->value.text.len);
	return copy;
}

static int sqlite_records(struct store *store, const struct record_query *query,
			  store_records_cb *cb, void *arg)
{
	struct call *call = call_new(self(store), CALL_RECORDS, arg);
	struct record_query *copy;

	if (!call)
		return -EAGAIN;
	copy = &call->records.query;
	*copy = *query;
	copy->plugin = arena_strdup(&call->arena, query->plugin);
	copy->table = arena_strdup(&call->arena, query->table);
	copy->key = arena_strdup(&call->arena, query->key);
	copy->order = arena_strdup(&call->arena, query->order);
	copy->by = arena_strdup(&call->arena, query->by);
	copy->terms = copy_terms(&call->arena, query);
	copy->after = copy_cursor(&call->arena, query->after);
	call->records.cb = cb;
	put(self(store), &self(store)->reads, call);
	return 0;
}

static int sqlite_verify(struct store *store, const char *plugin, const char *table,
			 const struct record_chain *from, store_chain_cb *cb, void *arg)
{
	struct call *call = call_new(self(store), CALL_VERIFY, arg);

	if (!call)
		return -EAGAIN;
	call->verify.plugin = arena_strdup(&call->arena, plugin);
	call->verify.table = arena_strdup(&call->arena, table);
	call->verify.chain = *from;
	call->verify.cb = cb;
	put(self(store), &self(store)->reads, call);
	return 0;
}

static int sqlite_find(struct store *store, const struct find *find, store_find_cb *cb, void *arg)
{
	struct call *call = call_new(self(store), CALL_FIND, arg);
	struct find *copy;

	if (!call)
		return -EAGAIN;
	copy = &call->find.find;
	*copy = *find;
	copy->citizen = arena_strdup(&call->arena, find->citizen);
	copy->plugin = arena_strdup(&call->arena, find->plugin);
	copy->connection = arena_strdup(&call->arena, find->connection);
	copy->provider_id = arena_strdup(&call->arena, find->provider_id);
	copy->after_citizen = arena_strdup(&call->arena, find->after_citizen);
	call->find.cb = cb;
	put(self(store), &self(store)->reads, call);
	return 0;
}

static int sqlite_bundle(struct store *store, const unsigned char hash[static BUNDLE_SIZE],
			 store_bundle_cb *cb, void *arg)
{
	struct call *call = call_new(self(store), CALL_BUNDLE, arg);

	if (!call)
		return -EAGAIN;
	memcpy(call->bundle.hash, hash, BUNDLE_SIZE);
	call->bundle.cb = cb;
	put(self(store), &self(store)->reads, call);
	return 0;
}

static bool sqlite_lost(const struct store *store)
{
	return atomic_load(&((const struct store_sqlite *)store)->lost);
}

static uint64_t sqlite_secret(struct store *store)
{
	return self(store)->secret;
}

/* opening and closing */

static void worker_join(struct worker *worker)
{
	if (worker->started)
		pthread_join(worker->thread, NULL);
}

static void worker_close(struct worker *worker)
{
	if (worker->opened)
		db_close(&worker->db);
}

static void stop_workers(struct store_sqlite *store)
{
	queue_close(&store->reads);
	queue_close(&store->writes);
	for (unsigned i = 0; i < READERS_MAX; i++) {
		worker_join(&store->readers[i]);
		worker_close(&store->readers[i]);
	}
	worker_join(&store->writer); /* it may wait for the mover */
	mover_stop(store->mover);
	worker_close(
		&store->writer); /* the last one to close its connection moves the log into the file */
}

static void store_free(struct store_sqlite *store)
{
	if (store->event)
		event_free(store->event);
	if (store->kick)
		event_free(store->kick);
	if (store->wake >= 0)
		close(store->wake);
	if (store->lock >= 0)
		close(store->lock);
	queue_destroy(&store->writes);
	queue_destroy(&store->reads);
	pthread_mutex_destroy(&store->done_mutex);
	free(store->path);
	free(store->folder);
	free(store);
}

/* Whoever waits still gets an answer, and the step with it; what she asks for then is refused. */
static void sqlite_close(struct store *base)
{
	struct store_sqlite *store = self(base);

	store->closing = true;
	stop_workers(store);
	answer_done(store);
	store_free(store);
}

static int make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	close(fd);
	return sync_folder_of(path);
}

/* Enough for the inner pages of a million citizens' trees; what lies below is met once, and the kernel has it too. */
enum { WRITER_KIB = 16384, READER_KIB = 4096 };

static int set_cache(struct db *db, int kib)
{
	char sql[48];

	snprintf(sql, sizeof(sql), "PRAGMA cache_size = -%d", kib);
	return db_exec(db, sql);
}

/* journal_size_limit: a log that begins again keeps a file that holds LOG_FRAMES of store_sqlite_mover.c, as writing over what
 * is there costs the disk less than growing. */
static int prepare_connection(struct db *db, bool writer)
{
	int rc = db_exec(db, "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
			     "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
			     "PRAGMA journal_size_limit = 134217728");

	if (rc == 0 && writer)
		rc = set_cache(db, WRITER_KIB);
	else if (rc == 0)
		rc = set_cache(db, READER_KIB);
	if (rc == 0 && !writer)
		rc = db_exec(db, "PRAGMA query_only = ON");
	return rc;
}

/* What a log holds that its fsync failed for, the kernel may show and the disk not have: it goes into the file before
 * anything is written behind it.  Where the disk is full or another reads, what waits in the log can wait on. */
static int settle_log(struct db *db)
{
	int rc = db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)");

	return rc == -ENOSPC || rc == -EBUSY ? 0 : rc;
}

static int open_writer(struct store_sqlite *store)
{
	struct db *db = &store->writer.db;
	int rc = make_file(store->path);

	if (rc < 0)
		return rc;
	store->writer.opened = true;
	db->health = &store->writing;
	db->vfs = store_vfs();
	rc = db_open(db, store->path, SQLITE_OPEN_READWRITE);
	if (rc < 0)
		return sqlite3_system_errno(db->handle) == EACCES ? -EACCES : rc;
	rc = schema_check(db);
	if (rc == 0 && chmod(store->path, 0600) < 0)
		rc = -errno;
	if (rc == 0)
		rc = db_exec(db, "PRAGMA journal_mode = WAL");
	if (rc == 0)
		rc = prepare_connection(db, true);
	if (rc == 0)
		rc = settle_log(db);
	if (rc == 0)
		rc = schema_migrate(db);
	sqlite3_wal_hook(db->handle, log_grew_cb, store);
	return rc == 0 ? schema_secret(db, &store->secret) : rc;
}

int store_thread(pthread_t *thread, void *(*main_of)(void *arg), void *arg)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the loop's */
	rc = pthread_create(thread, NULL, main_of, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

static int start_worker(struct store_sqlite *store, struct worker *worker,
			void *(*main_of)(void *arg))
{
	int rc;

	worker->store = store;
	worker->db.dedupe_seconds = store->options.dedupe_seconds;
	rc = store_thread(&worker->thread, main_of, worker);
	worker->started = rc == 0;
	return rc;
}

static int start_workers(struct store_sqlite *store)
{
	int rc = mover_start(store->path, &store->writer.db, &store->mover);

	if (rc == 0)
		rc = start_worker(store, &store->writer, writer_main);
	for (unsigned i = 0; rc == 0 && i < store->options.readers; i++) {
		struct worker *reader = &store->readers[i];

		reader->opened = true;
		reader->db.health = &store->reading;
		rc = db_open(&reader->db, store->path, SQLITE_OPEN_READWRITE);
		if (rc == 0)
			rc = prepare_connection(&reader->db, false);
		if (rc == 0)
			rc = start_worker(store, reader, reader_main);
	}
	return rc;
}

static int listen_for_done(struct store_sqlite *store, struct event_base *base)
{
	store->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (store->wake < 0)
		return -errno;
	store->event = event_new(base, store->wake, EV_READ | EV_PERSIST, wake_cb, store);
	store->kick = event_new(base, -1, 0, kick_cb, store);
	return store->event && store->kick && event_add(store->event, NULL) == 0 ? 0 : -EIO;
}

static unsigned within(unsigned value, unsigned least, unsigned most)
{
	return value < least ? least : value > most ? most : value;
}

static struct store_sqlite *store_new(const struct store_sqlite_options *options)
{
	static const struct store_ops ops = {
		.close = sqlite_close,
		.commit = sqlite_commit,
		.load_citizen = sqlite_load_citizen,
		.records = sqlite_records,
		.verify = sqlite_verify,
		.find = sqlite_find,
		.bundle = sqlite_bundle,
		.retain = sqlite_retain,
		.secret = sqlite_secret,
		.lost = sqlite_lost,
	};
	struct store_sqlite *store = xcalloc(1, sizeof(*store));
	char *copy = xstrdup(options->path);

	store->store.ops = &ops;
	store->options = *options;
	store->options.readers = within(options->readers, 1, READERS_MAX);
	store->options.group_max = within(options->group_max, 1, GROUP_MAX);
	store->path = xstrdup(options->path);
	store->folder = xstrdup(dirname(copy));
	store->lock = store->wake = -1;
	store->writing.who = "writer";
	store->reading.who = "reader";
	queue_init(&store->writes);
	queue_init(&store->reads);
	pthread_mutex_init(&store->done_mutex, NULL);
	STAILQ_INIT(&store->done);
	free(copy);
	return store;
}

static int take_lock(struct store_sqlite *store, char *text, size_t size)
{
	char what[128] = "another process has it open";
	long holder;
	int rc = store_lock(store->path, &holder);

	if (rc >= 0) {
		store->lock = rc;
		return 0;
	}
	if (rc == -EBUSY && holder > 0)
		snprintf(what, sizeof(what),
			 "another process (pid %ld) has it open; stop that one, or set state to "
			 "another folder",
			 holder);
	return store_say(rc, store->path, rc == -EBUSY ? what : NULL, text, size);
}

static const char *words_for(const struct db *writer, int rc)
{
	if (rc == -EPROTO)
		return "a newer version of this program made it";
	if (db_cause(writer, rc))
		return db_cause(writer, rc);
	return rc == -EIO ? "can't be read as a store" : NULL;
}

int store_sqlite_open(struct event_base *base, const struct store_sqlite_options *options,
		      struct store **out, char *error_text, size_t error_size)
{
	struct store_sqlite *store = store_new(options);
	int rc = take_lock(store, error_text, error_size);

	if (rc < 0)
		goto out;
	/* Only before SQLite's first use.  Counting what it has allocated would take a lock for each piece. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	/* A connection's pages in one piece: readers give theirs back after every commit. */
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, -WRITER_KIB);
	rc = open_writer(store);
	if (rc == 0)
		rc = listen_for_done(store, base);
	if (rc == 0)
		rc = start_workers(store);
	if (rc < 0)
		rc = store_say(rc, store->path, words_for(&store->writer.db, rc), error_text,
			       error_size);
	else
		*out = &store->store;
out:
	if (rc < 0) {
		stop_workers(store);
		store_free(store);
	}
	return rc;
}

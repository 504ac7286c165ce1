/* store_sqlite_mover.c - keeps SQLite's log short, beside the writer.
 *
 * What is in the log has to be moved into the file, page by page, before the log can begin again at its start.  SQLite
 * would do this within a commit, and keep to itself what the disk then says.  Here a thread with a connection of its own
 * moves while the writer goes on.  That alone never ends, as there is always more in the log, so the writer moves the
 * rest between two groups, when it is little and what was moved before is on disk.
 *
 * A page that many commits change is moved once, so a longer log costs less: 0.43 pages were moved for a message with
 * 16,000 pages in the log, 0.29 with 32,000, 0.23 with 64,000.  But it takes disk (132 MB; 198 MB at LOG_FRAMES_MAX) and time
 * at a start.  At LOG_FRAMES_MAX the writer waits for the thread, and a moment for readers to end.  A reader that takes
 * longer, as a copy of the store does, makes the log grow.
 *
 * What the disk says to the thread is told by its connection; that it is lost is handed to the writer's.
 */
#include <stdlib.h>

#include "store_sqlite_priv.h"

enum {
	LOG_FRAMES = 32000,     /* pages, of 4120 bytes: more are moved into the file */
	LOG_FRAMES_MAX = 48000, /* then whoever is in the way is waited for */
	LOG_FRAMES_AGAIN = LOG_FRAMES / 16,
	REST_FRAMES = 500, /* so few are left to the writer */
	PASSES_MAX = 8,
	LOG_WAIT_MS = 50,
};

enum mover_state { MOVER_RESTS, MOVER_MOVES, MOVER_HAS_MOVED, MOVER_ENDS };

struct mover {
	struct db *writer; /* borrowed */
	struct db db;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	enum mover_state state; /* under the mutex */
	atomic_int frames;      /* in the log */
	bool moved; /* by the thread: all that was in the log when its last pass began */
	/* the writer's */
	int next;    /* when there are as many, they are moved */
	bool moving; /* the thread was asked to */
	bool stuck;  /* the writer itself could not */
};

/* the thread */

static int sync_file(sqlite3 *handle)
{
	sqlite3_file *file = NULL;
	int rc = sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);

	return rc == SQLITE_OK ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : rc;
}

/* SQLite syncs the file only when nothing is left, which would be in the writer's time. */
static int move_once(struct mover *mover, int *left)
{
	int in_log, moved;
	int rc = sqlite3_wal_checkpoint_v2(mover->db.handle, NULL, SQLITE_CHECKPOINT_PASSIVE,
					   &in_log, &moved);

	if (rc == SQLITE_OK)
		rc = sync_file(mover->db.handle);
	mover->moved = rc == SQLITE_OK && moved == in_log; /* else a reader is in the way */
	*left = atomic_load(&mover->frames) - moved;
	return rc;
}

static void move(struct mover *mover)
{
	int left, rc, passes = 0;

	do
		rc = move_once(mover, &left);
	while (mover->moved && left > REST_FRAMES && ++passes < PASSES_MAX);
	if (rc == SQLITE_OK)
		db_works(&mover->db);
	else if (rc != SQLITE_BUSY && db_error(&mover->db, rc) < 0)
		mover->moved = false;
}

static void *mover_main(void *arg)
{
	struct mover *mover = arg;

	pthread_mutex_lock(&mover->mutex);
	while (mover->state != MOVER_ENDS) {
		if (mover->state == MOVER_MOVES) {
			pthread_mutex_unlock(&mover->mutex);
			move(mover);
			pthread_mutex_lock(&mover->mutex);
			mover->state = MOVER_HAS_MOVED;
			pthread_cond_broadcast(&mover->changed);
		} else {
			pthread_cond_wait(&mover->changed, &mover->mutex);
		}
	}
	pthread_mutex_unlock(&mover->mutex);
	return NULL;
}

/* the writer */

/* Waits for the thread to have moved, if it was asked to. */
static void set_state(struct mover *mover, enum mover_state state)
{
	pthread_mutex_lock(&mover->mutex);
	while (mover->state == MOVER_MOVES)
		pthread_cond_wait(&mover->changed, &mover->mutex);
	mover->state = state;
	pthread_mutex_unlock(&mover->mutex);
	pthread_cond_broadcast(&mover->changed);
}

static bool has_moved(struct mover *mover)
{
	bool has;

	pthread_mutex_lock(&mover->mutex);
	has = mover->state == MOVER_HAS_MOVED;
	pthread_mutex_unlock(&mover->mutex);
	return has;
}

static void checkpoint(struct mover *mover, int mode)
{
	int rc = sqlite3_wal_checkpoint_v2(mover->writer->handle, NULL, mode, NULL, NULL);

	if (rc == SQLITE_OK)
		db_works(&mover->db);
	mover->stuck = rc != SQLITE_OK && rc != SQLITE_BUSY && db_error(mover->writer, rc) < 0;
}

/* Waits a moment for readers to end, so that the log may begin again at its start. */
static void restart_log(struct mover *mover)
{
	sqlite3_busy_timeout(mover->writer->handle, LOG_WAIT_MS);
	checkpoint(mover, SQLITE_CHECKPOINT_RESTART);
	sqlite3_busy_timeout(mover->writer->handle, BUSY_MS);
}

static void ask(struct mover *mover)
{
	mover->moving = true;
	set_state(mover, MOVER_MOVES);
}

static void take_over(struct mover *mover, int frames)
{
	set_state(mover, MOVER_RESTS);
	mover->moving = false;
	if (db_lost(&mover->db))
		db_lose(mover->writer, &mover->db);
	else if (mover->moved && frames >= LOG_FRAMES) /* or it has begun again already */
		checkpoint(mover, SQLITE_CHECKPOINT_PASSIVE);
}

bool mover_look(struct mover *mover, int frames)
{
	bool full = frames >= LOG_FRAMES_MAX;

	atomic_store(&mover->frames, frames);
	if (db_lost(mover->writer))
		return mover->stuck;
	if (frames < LOG_FRAMES)
		mover->next = LOG_FRAMES;
	if (mover->moving && (full || has_moved(mover))) {
		mover->next = frames + LOG_FRAMES_AGAIN;
		take_over(mover, frames);
	} else if (frames >= mover->next && !mover->moving) {
		mover->next = frames + LOG_FRAMES_AGAIN;
		if (full)
			restart_log(mover);
		else
			ask(mover);
	}
	return mover->stuck;
}

/* starting and stopping */

static int open_connection(struct mover *mover, const char *path)
{
	int rc = db_open(&mover->db, path, SQLITE_OPEN_READWRITE);

	if (rc == 0)
		rc = db_exec(&mover->db, "PRAGMA synchronous = FULL");
	return rc == 0 ? schema_check(&mover->db) : rc; /* which opens the log */
}

static void mover_free(struct mover *mover)
{
	db_close(&mover->db);
	pthread_cond_destroy(&mover->changed);
	pthread_mutex_destroy(&mover->mutex);
	free(mover);
}

int mover_start(const char *path, struct db *writer, struct mover **out)
{
	struct mover *mover = xcalloc(1, sizeof(*mover));
	int rc;

	mover->writer = writer;
	mover->next = LOG_FRAMES;
	mover->db.health = writer->health;
	pthread_mutex_init(&mover->mutex, NULL);
	pthread_cond_init(&mover->changed, NULL);
	rc = open_connection(mover, path);
	if (rc == 0)
		rc = store_thread(&mover->thread, mover_main, mover);
	if (rc == 0)
		*out = mover;
	else
		mover_free(mover);
	return rc;
}

void mover_stop(struct mover *mover)
{
	if (!mover)
		return;
	set_state(mover, MOVER_ENDS);
	pthread_join(mover->thread, NULL);
	if (db_lost(&mover->db))
		db_lose(mover->writer, &mover->db);
	mover_free(mover);
}

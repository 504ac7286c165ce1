/* worker.c - the threads that run Lua.
 *
 * Threads fetch their work: under one lock, held for a few instructions, a thread takes the next plugin's turn.  So a plugin that
 * fills its thread for its whole budget delays itself; and under load threads find the next work without being woken.
 * A thread keeps Lua states of its own (programs) and in them the runs of dialogs that wait: a cache and no more.
 */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#define uthash_fatal(text) abort()
#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>

#include "clock.h"
#include "crash.h"
#include "log.h"
#include "metrics.h"

enum {
	STACK_SIZE = 8 << 20, /* Lua 5.4.4 nests 200 C calls */
	PROGRAMS_MAX = 32,    /* in each thread */
	KEPT_MAX = 256 << 10, /* bytes; a dialog that keeps more is not cached */
	LOOK_AHEAD = 8,       /* works of a plugin that are looked at for one that is live here */
	SLOW_SECONDS = 60,    /* after a breach */
	HANG_CPU_US = 2000000,
	WATCH_MS = 500,
};

/* A program in a thread, and how many live runs it has. */
struct loaded {
	UT_hash_handle hh; /* by the bundle's hash; the oldest use first */
	struct program *program;
	unsigned live;
};

struct live {
	UT_hash_handle hh; /* by the dialog's id; the oldest use first */
	struct id id;
	struct run *run;
	struct loaded *loaded;
};

struct forget {
	STAILQ_ENTRY(forget)
	next;
	struct id id;
};
STAILQ_HEAD(forget_list, forget);

struct worker {
	struct workers *workers;
	pthread_t thread;
	pthread_cond_t wake;
	int number;
	bool idle;
	struct forget_list forgets; /* under the lock */
	struct loaded *programs;    /* the thread's own, like the next */
	struct live *lives;
	/* For the watch: */
	atomic_ulong works;     /* odd: in one */
	unsigned long watched;  /* the loop's: as it was last, */
	int64_t watched_cpu_us; /* and what the thread had used when it was first seen so */
	char busy_with[64];     /* the plugin, under the lock */
};

/* One plugin's works. */
struct lane {
	UT_hash_handle hh;
	TAILQ_ENTRY(lane) next; /* in the ring of those with work */
	TAILQ_HEAD(, work) works;
	unsigned waiting, running;
	int64_t slow_until; /* seconds */
	char plugin[64];
};

struct workers {
	pthread_mutex_t lock;
	struct worker *worker; /* owned, count of them */
	unsigned count, cache;
	const char *folder;
	bool stopping;
	struct lane *lanes; /* owned */
	TAILQ_HEAD(, lane) ring;
	TAILQ_HEAD(work_list, work) done;
	int fd;
	struct event *event, *watch, *kick;
	bool kicked;
	unsigned waiting; /* the loop's */
};

/* ---- a thread's cache ---- */

static void live_drop(struct worker *worker, struct live *live)
{
	HASH_DEL(worker->lives, live);
	live->loaded->live--;
	run_free(live->run);
	free(live);
}

static void program_drop(struct worker *worker, struct loaded *loaded)
{
	struct live *live = NULL, *next = NULL;

	HASH_ITER (hh, worker->lives, live, next) {
		if (live->loaded == loaded)
			live_drop(worker, live);
	}
	HASH_DEL(worker->programs, loaded);
	program_free(loaded->program);
	free(loaded);
}

static struct loaded *program_get(struct worker *worker, struct work *work, char *error,
				  size_t size)
{
	struct loaded *loaded;

	HASH_FIND(hh, worker->programs, work->bundle->hash, BUNDLE_SIZE, loaded);
	if (loaded && !loaded->hh.next)
		return loaded; /* as it was used last */
	if (loaded) {
		HASH_DEL(worker->programs, loaded); /* to the end: used last */
	} else {
		struct program *program = program_new(work->bundle, error, size);

		if (!program)
			return NULL;
		if (HASH_COUNT(worker->programs) >= PROGRAMS_MAX)
			program_drop(worker, worker->programs);
		loaded = xcalloc(1, sizeof(*loaded));
		loaded->program = program;
	}
	HASH_ADD_KEYPTR(hh, worker->programs, program_bundle(loaded->program)->hash, BUNDLE_SIZE,
			loaded);
	return loaded;
}

/* Takes the dialog's live run out of the cache, where it has seen exactly what it should. */
static struct run *live_take(struct worker *worker, const struct work *work, struct loaded **loaded)
{
	struct live *live;
	struct run *run;

	HASH_FIND(hh, worker->lives, &work->call.dialog, sizeof(struct id), live);
	if (!live)
		return NULL;
	if (work->known == 0 || run_position(live->run) != work->known ||
	    memcmp(program_bundle(live->loaded->program)->hash, work->bundle->hash, BUNDLE_SIZE) !=
		    0) {
		live_drop(worker, live);
		return NULL;
	}
	run = live->run;
	*loaded = live->loaded;
	live->loaded->live--;
	HASH_DEL(worker->lives, live);
	free(live);
	return run;
}

static void live_keep(struct worker *worker, const struct work *work, struct run *run,
		      struct loaded *loaded)
{
	struct live *live;

	if (worker->workers->cache == 0 || run_kept(run) > KEPT_MAX) {
		run_free(run);
		return;
	}
	if (HASH_COUNT(worker->lives) >= worker->workers->cache)
		live_drop(worker, worker->lives);
	live = xcalloc(1, sizeof(*live));
	live->id = work->call.dialog;
	live->run = run;
	live->loaded = loaded;
	loaded->live++;
	HASH_ADD(hh, worker->lives, id, sizeof(live->id), live);
}

/* ---- running ---- */

static void refuse(struct work *work, const char *error)
{
	work->end = RUN_FAILED;
	work->call.error = arena_strdup(work->call.arena, error);
	work->call.said = work->call.log = work->call.appended = (struct bytes){ "", 0 };
}

static void run_work(struct worker *worker, struct work *work)
{
	char error[1200] = "";
	struct loaded *loaded = NULL;
	struct run *run = live_take(worker, work, &loaded);

	crash_point("worker.before_run");
	work->worker = worker->number;
	if (!run) {
		loaded = program_get(worker, work, error, sizeof(error));
		run = loaded ? run_new(loaded->program, work->dialog, error, sizeof(error)) : NULL;
	}
	if (!run) {
		refuse(work, error);
	} else {
		work->end = run_go(run, &work->call);
		if (work->end == RUN_WAITS || work->end == RUN_READS)
			live_keep(worker, work, run, loaded);
		else
			run_free(run);
	}
	if (loaded && program_spoiled(loaded->program))
		program_drop(worker, loaded);
}

/* ---- whose turn ---- */

static unsigned lane_limit(const struct workers *workers, const struct lane *lane)
{
	return lane->slow_until > 0 || workers->count < 4 ? 1 : workers->count / 2;
}

static struct lane *next_lane(struct workers *workers)
{
	int64_t now = clock_now();
	struct lane *lane, *slow = NULL;

	TAILQ_FOREACH (lane, &workers->ring, next) {
		if (lane->slow_until > 0 && lane->slow_until <= now)
			lane->slow_until = 0;
		if (lane->running >= lane_limit(workers, lane))
			continue;
		if (lane->slow_until == 0)
			return lane;
		if (!slow)
			slow = lane;
	}
	return slow;
}

static struct work *lane_take(struct workers *workers, struct lane *lane,
			      const struct worker *worker)
{
	struct work *work, *best = TAILQ_FIRST(&lane->works);
	unsigned seen = 0;

	TAILQ_FOREACH (work, &lane->works, next) {
		if (work->worker == worker->number) {
			best = work;
			break;
		}
		if (++seen == LOOK_AHEAD)
			break;
	}
	TAILQ_REMOVE(&lane->works, best, next);
	TAILQ_REMOVE(&workers->ring, lane, next);
	lane->running++;
	if (--lane->waiting > 0)
		TAILQ_INSERT_TAIL(&workers->ring, lane, next);
	return best;
}

static void do_forgets(struct worker *worker, struct forget_list *forgets)
{
	struct forget *forget;
	struct live *live;

	while ((forget = STAILQ_FIRST(forgets))) {
		STAILQ_REMOVE_HEAD(forgets, next);
		HASH_FIND(hh, worker->lives, &forget->id, sizeof(forget->id), live);
		if (live)
			live_drop(worker, live);
		free(forget);
	}
}

/* true: the loop is to be told. */
static bool finish(struct workers *workers, struct lane *lane, struct work *work)
{
	bool first = TAILQ_EMPTY(&workers->done);

	lane->running--;
	if (work->end == RUN_BREACHED)
		lane->slow_until = clock_now() + SLOW_SECONDS;
	TAILQ_INSERT_TAIL(&workers->done, work, next);
	return first;
}

/* Without the lock, which the loop takes as soon as it is told. */
static void tell(struct workers *workers)
{
	if (eventfd_write(workers->fd, 1) != 0)
		abort();
}

/* The next work, or NULL. */
static struct work *take_work(struct worker *worker, struct lane **lane)
{
	struct work *work;

	*lane = next_lane(worker->workers);
	if (!*lane)
		return NULL;
	work = lane_take(worker->workers, *lane, worker);
	snprintf(worker->busy_with, sizeof(worker->busy_with), "%s", (*lane)->plugin);
	return work;
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct workers *workers = worker->workers;
	struct forget_list forgets = STAILQ_HEAD_INITIALIZER(forgets);
	struct lane *lane;
	struct work *work;
	bool told = true;

	pthread_mutex_lock(&workers->lock);
	while (!workers->stopping) {
		work = take_work(worker, &lane);
		STAILQ_CONCAT(&forgets, &worker->forgets);
		if (!work && told && STAILQ_EMPTY(&forgets)) {
			worker->idle = true;
			pthread_cond_wait(&worker->wake, &workers->lock);
			worker->idle = false;
			continue;
		}
		pthread_mutex_unlock(&workers->lock);
		if (!told)
			tell(workers);
		told = true;
		do_forgets(worker, &forgets);
		if (work) {
			atomic_fetch_add(&worker->works, 1);
			run_work(worker, work);
			atomic_fetch_add(&worker->works, 1);
		}
		pthread_mutex_lock(&workers->lock);
		if (work)
			told = !finish(workers, lane, work);
	}
	pthread_mutex_unlock(&workers->lock);
	while (worker->programs)
		program_drop(worker, worker->programs);
	return NULL;
}

/* ---- the loop's side ---- */

static void done_cb(evutil_socket_t fd, short events UNUSED, void *arg)
{
	struct workers *workers = arg;
	struct work_list done = TAILQ_HEAD_INITIALIZER(done);
	struct work *work;
	eventfd_t count;

	if (eventfd_read(fd, &count) != 0)
		return;
	pthread_mutex_lock(&workers->lock);
	TAILQ_CONCAT(&done, &workers->done, next);
	pthread_mutex_unlock(&workers->lock);
	while ((work = TAILQ_FIRST(&done))) {
		TAILQ_REMOVE(&done, work, next);
		workers->waiting--;
		work->cb(work, work->arg);
	}
}

/* Lua's limits hold everywhere we know of.  Where they don't, nothing but the end of the process stops the thread: what came in
 * is stored, and the plugin's name in the folder keeps it from being loaded again. */
static void hung(const struct worker *worker)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", worker->workers->folder, worker->busy_with);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	log_event(LOG_ERROR, "worker.hung", "splugin", worker->busy_with, "sfile", path, "swhat",
		  "the plugin could not be stopped; it stays off until this file is removed", NULL);
	abort();
}

/* Whether a thread has been in one and the same work for too long, by its own clock. */
static bool is_hung(struct worker *worker)
{
	unsigned long works = atomic_load(&worker->works);
	struct timespec now;
	clockid_t clock;
	int64_t cpu_us;

	if (works % 2 == 0 || pthread_getcpuclockid(worker->thread, &clock) != 0 ||
	    clock_gettime(clock, &now) != 0)
		return false;
	cpu_us = now.tv_sec * 1000000LL + now.tv_nsec / 1000;
	if (works != worker->watched) {
		worker->watched = works;
		worker->watched_cpu_us = cpu_us;
	}
	return cpu_us - worker->watched_cpu_us > HANG_CPU_US &&
	       works == atomic_load(&worker->works);
}

static void watch_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct workers *workers = arg;

	for (unsigned i = 0; i < workers->count; i++)
		if (is_hung(&workers->worker[i]))
			hung(&workers->worker[i]);
}

/* As many idle threads as there is work for; the one that has a dialog live first. */
static void wake_some(struct workers *workers)
{
	struct lane *lane;
	unsigned wanted = 0;

	TAILQ_FOREACH (lane, &workers->ring, next) {
		unsigned room = lane_limit(workers, lane) - lane->running, waiting = lane->waiting;
		const struct work *first = TAILQ_FIRST(&lane->works);

		if (lane->running >= lane_limit(workers, lane))
			continue;
		wanted += waiting < room ? waiting : room;
		if (first->worker >= 0 && workers->worker[first->worker].idle) {
			workers->worker[first->worker].idle = false;
			pthread_cond_signal(&workers->worker[first->worker].wake);
			wanted--;
		}
	}
	for (unsigned i = 0; i < workers->count && wanted > 0; i++) {
		if (!workers->worker[i].idle)
			continue;
		workers->worker[i].idle = false; /* so that the next work wakes another */
		pthread_cond_signal(&workers->worker[i].wake);
		wanted--;
	}
}

/* Threads are woken once for all that a turn of the loop has put. */
static void kick_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct workers *workers = arg;

	workers->kicked = false;
	pthread_mutex_lock(&workers->lock);
	wake_some(workers);
	pthread_mutex_unlock(&workers->lock);
}

static unsigned cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 2 ? 2 : (unsigned)n;
}

static void start_thread(struct workers *workers, unsigned number)
{
	struct worker *worker = &workers->worker[number];
	pthread_attr_t attributes;

	worker->workers = workers;
	worker->number = (int)number;
	STAILQ_INIT(&worker->forgets);
	atomic_init(&worker->works, 0);
	pthread_cond_init(&worker->wake, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	if (pthread_create(&worker->thread, &attributes, worker_main, worker) != 0)
		abort();
	pthread_attr_destroy(&attributes);
}

struct workers *workers_new(struct event_base *base, const struct worker_options *options)
{
	struct workers *workers = xcalloc(1, sizeof(*workers));
	struct timeval often = { 0, WATCH_MS * 1000 };

	pthread_mutex_init(&workers->lock, NULL);
	workers->count = options->count ? options->count : cores();
	workers->cache = options->cache;
	workers->folder = options->folder;
	TAILQ_INIT(&workers->ring);
	TAILQ_INIT(&workers->done);
	workers->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (workers->fd < 0)
		abort();
	workers->event = event_new(base, workers->fd, EV_READ | EV_PERSIST, done_cb, workers);
	workers->watch = event_new(base, -1, EV_PERSIST, watch_cb, workers);
	workers->kick = event_new(base, -1, 0, kick_cb, workers);
	event_add(workers->event, NULL);
	if (workers->folder)
		event_add(workers->watch, &often);
	workers->worker = xcalloc(workers->count, sizeof(*workers->worker));
	for (unsigned i = 0; i < workers->count; i++)
		start_thread(workers, i);
	return workers;
}

static void give_back(struct workers *workers)
{
	struct lane *lane = NULL, *next = NULL;
	struct work *work;

	HASH_ITER (hh, workers->lanes, lane, next) {
		while ((work = TAILQ_FIRST(&lane->works))) {
			TAILQ_REMOVE(&lane->works, work, next);
			work->end = RUN_AGAIN;
			TAILQ_INSERT_TAIL(&workers->done, work, next);
		}
		HASH_DEL(workers->lanes, lane);
		free(lane);
	}
	while ((work = TAILQ_FIRST(&workers->done))) {
		TAILQ_REMOVE(&workers->done, work, next);
		workers->waiting--;
		work->end = RUN_AGAIN;
		work->cb(work, work->arg);
	}
}

void workers_free(struct workers *workers)
{
	struct forget *forget;

	if (!workers)
		return;
	pthread_mutex_lock(&workers->lock);
	workers->stopping = true;
	for (unsigned i = 0; i < workers->count; i++)
		pthread_cond_signal(&workers->worker[i].wake);
	pthread_mutex_unlock(&workers->lock);
	for (unsigned i = 0; i < workers->count; i++) {
		pthread_join(workers->worker[i].thread, NULL);
		pthread_cond_destroy(&workers->worker[i].wake);
		while ((forget = STAILQ_FIRST(&workers->worker[i].forgets))) {
			STAILQ_REMOVE_HEAD(&workers->worker[i].forgets, next);
			free(forget);
		}
	}
	event_free(workers->event);
	event_free(workers->watch);
	event_free(workers->kick);
	give_back(workers);
	close(workers->fd);
	pthread_mutex_destroy(&workers->lock);
	free(workers->worker);
	free(workers);
}

static struct lane *lane_get(struct workers *workers, const char *plugin)
{
	struct lane *lane;

	HASH_FIND_STR(workers->lanes, plugin, lane);
	if (lane)
		return lane;
	lane = xcalloc(1, sizeof(*lane));
	snprintf(lane->plugin, sizeof(lane->plugin), "%s", plugin);
	TAILQ_INIT(&lane->works);
	HASH_ADD_STR(workers->lanes, plugin, lane);
	return lane;
}

void workers_put(struct workers *workers, struct work *work)
{
	struct lane *lane;

	workers->waiting++;
	pthread_mutex_lock(&workers->lock);
	lane = lane_get(workers, work->bundle->plugin);
	TAILQ_INSERT_TAIL(&lane->works, work, next);
	if (lane->waiting++ == 0)
		TAILQ_INSERT_TAIL(&workers->ring, lane, next);
	pthread_mutex_unlock(&workers->lock);
	if (workers->kicked)
		return;
	workers->kicked = true;
	event_active(workers->kick, EV_TIMEOUT, 0);
}

void workers_forget(struct workers *workers, int worker, struct id dialog)
{
	struct forget *forget;

	if (worker < 0 || workers->cache == 0)
		return;
	forget = xcalloc(1, sizeof(*forget));
	forget->id = dialog;
	pthread_mutex_lock(&workers->lock);
	STAILQ_INSERT_TAIL(&workers->worker[worker].forgets, forget, next);
	pthread_mutex_unlock(&workers->lock);
}

unsigned workers_waiting(const struct workers *workers)
{
	return workers->waiting;
}

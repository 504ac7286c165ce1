/* world.c - a gateway within a tool.
 *
 * Nothing of the path is a fake but time, the telco and HTTP: what a tool shows is what citizens will read, and what is lost by
 * world_restart was in memory alone.
 */
#include "world.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "inbox.h"
#include "outbox.h"
#include "plugin.h"
#include "settings.h"
#include "timers.h"
#include "worker.h"

enum {
	SETTINGS_MAX = 64,
	WAIT_TURNS =
		20000, /* of the loop, a millisecond each at most: a conversation that hangs is a failure */
};

static const int64_t START_MS = 1795489200000; /* 2026-11-24T03:00:00Z */

struct world {
	const char *name, *own; /* borrowed */
	char folder[64];        /* of the store; "": none */
	char *plugins;          /* owned */
	bool real;
	struct settings *settings; /* owned, as all below */
	struct plugin_setting values[SETTINGS_MAX];
	unsigned value_count;
	struct arena arena;
	struct event_base *base;
	struct timers *timers;
	struct store *store;
	struct workers *workers;
	struct inbox *inbox; /* NULL: not open */
	struct world_person people[WORLD_PEOPLE];
	unsigned messages;
	char *error;
	/* the call that is under way */
	unsigned citizen;
	bool come;
	enum inbox_result result;
	store_records_cb *records_cb;
	store_find_cb *find_cb;
	void *arg;
	int call_error;
};

static bool wrong(struct world *world, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool wrong(struct world *world, const char *fmt, ...)
{
	va_list args;

	free(world->error);
	va_start(args, fmt);
	if (vasprintf(&world->error, fmt, args) < 0)
		abort();
	va_end(args);
	return false;
}

const char *world_error(const struct world *world)
{
	return world->error ? world->error : "";
}

const struct settings *world_settings(const struct world *world)
{
	return world->settings;
}

struct world_person *world_person(struct world *world, unsigned citizen)
{
	return &world->people[citizen];
}

/* ---- time ---- */

static int64_t ahead_ms; /* of the machine's clock; it outlives a world, like the clock */

static void tick(const struct world *world)
{
	if (world->real) {
		clock_real();
		clock_fake(clock_now_ms() + ahead_ms);
	} else {
		clock_fake(clock_now_ms() + 1000);
	}
}

void world_wait(int64_t seconds)
{
	ahead_ms += seconds * 1000;
	clock_fake(clock_now_ms() + seconds * 1000);
}

bool world_span(const char *text, int64_t *seconds, const char **rest)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = { { "second", 1 }, { "minute", 60 }, { "hour", 3600 }, { "day", 86400 } };
	int count, used = 0;

	if (sscanf(text, "%9d %n", &count, &used) != 1 || used == 0 || count < 0)
		return false;
	for (unsigned i = 0; i < ARRAY_LEN(units); i++) {
		size_t len = strlen(units[i].name);

		if (strncmp(text + used, units[i].name, len) != 0)
			continue;
		*seconds = count * units[i].seconds;
		*rest = text + used + len;
		*rest += **rest == 's';
		*rest += strspn(*rest, " ");
		return true;
	}
	return false;
}

/* ---- plugins ---- */

static struct plugin_set *load_plugins(struct world *world)
{
	struct plugin_set *set;
	char error[1024];

	if (plugins_load(world->plugins, world->values, world->value_count, world->name, &set,
			 error, sizeof(error)) < 0) {
		wrong(world, "%s", error);
		return NULL;
	}
	for (unsigned i = 0; i < set->count; i++)
		if (set->plugins[i].error &&
		    (!world->own || strcmp(set->plugins[i].name, world->own) == 0)) {
			wrong(world, "%s", set->plugins[i].error);
			plugins_free(set);
			return NULL;
		}
	return set;
}

bool world_load(struct world *world, const char *folder)
{
	struct plugin_set *set;

	if (folder) {
		free(world->plugins);
		world->plugins = xstrdup(folder);
	}
	if (!world->inbox)
		return true;
	set = load_plugins(world);
	if (set)
		inbox_reload(world->inbox, set, NULL, world->settings);
	return set != NULL;
}

static struct plugin_setting *value_of(struct world *world, const char *plugin, const char *name)
{
	for (unsigned i = 0; i < world->value_count; i++)
		if (strcmp(world->values[i].plugin, plugin) == 0 &&
		    strcmp(world->values[i].name, name) == 0)
			return &world->values[i];
	return world->value_count < SETTINGS_MAX ? &world->values[world->value_count++] : NULL;
}

bool world_set(struct world *world, const char *plugin, const char *name, const char *value,
	       int line)
{
	struct plugin_setting *row = value_of(world, plugin, name);
	char *end;

	if (!row)
		return wrong(world, "more than %d settings", SETTINGS_MAX);
	*row = (struct plugin_setting){ .plugin = arena_strdup(&world->arena, plugin),
					.name = arena_strdup(&world->arena, name),
					.text = arena_strdup(&world->arena, value),
					.number = strtod(value, &end),
					.line = line };
	row->boolean = strcmp(value, "true") == 0;
	row->type = row->boolean || strcmp(value, "false") == 0 ? PLUGIN_SETTING_BOOLEAN
		    : *end == '\0'                              ? PLUGIN_SETTING_NUMBER
								: PLUGIN_SETTING_TEXT;
	return world_load(world, NULL);
}

const struct plugin_set *world_plugins(const struct world *world)
{
	return inbox_plugins(world->inbox);
}

/* ---- opening and closing ---- */

static void close_path(struct world *world)
{
	if (world->inbox)
		inbox_close(world->inbox);
	workers_free(world->workers);
	store_close(world->store);
	inbox_free(world->inbox);
	timers_free(world->timers);
	world->workers = NULL;
	world->store = NULL;
	world->inbox = NULL;
	world->timers = NULL;
}

bool world_is_open(const struct world *world)
{
	return world->inbox != NULL;
}

static bool open_with(struct world *world, struct plugin_set *set)
{
	struct worker_options workers = { 2, world->settings->dialog_cache, NULL };
	char path[128], error[512];
	struct store_sqlite_options store = { .path = path,
					      .readers = 1,
					      .group_max = 16,
					      .queue_max = 1000,
					      .dedupe_seconds = 7 * 86400 };

	snprintf(path, sizeof(path), "%s/store.db", world->folder);
	if (store_sqlite_open(world->base, &store, &world->store, error, sizeof(error)) < 0) {
		plugins_free(set);
		return wrong(world, "%s", error);
	}
	id_init(store_secret(world->store), 0);
	world->timers = timers_new(world->base);
	world->workers = workers_new(world->base, &workers);
	world->inbox = inbox_new(&(struct inbox_parts){ .base = world->base,
							.store = world->store,
							.timers = world->timers,
							.workers = world->workers,
							.plugins = set,
							.settings = world->settings });
	return true;
}

bool world_open(struct world *world)
{
	struct plugin_set *set;

	if (world->inbox)
		return true;
	set = world->settings ? load_plugins(world) : NULL;
	return set && open_with(world, set);
}

bool world_restart(struct world *world)
{
	struct plugin_set *set = load_plugins(world);

	if (!set)
		return false;
	close_path(world);
	return open_with(world, set);
}

/* What is thrown away needs no disk: in memory a commit costs no waiting for it. */
static const char *folder_for_stores(void)
{
	const char *tmp = getenv("TMPDIR");

	if (tmp && tmp[0])
		return tmp;
	return access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
}

struct world *world_new(const char *name, const char *own, bool real)
{
	struct world *world = xcalloc(1, sizeof(*world));
	char error[512];

	world->name = name;
	world->own = own;
	world->real = real;
	world->base = event_base_new();
	for (unsigned i = 0; i < WORLD_PEOPLE; i++)
		snprintf(world->people[i].number, sizeof(world->people[i].number), "+62812000000%u",
			 i);
	ahead_ms = 0;
	if (real)
		tick(world);
	else
		clock_fake(START_MS);
	snprintf(world->folder, sizeof(world->folder), "%.40s/kentongan-XXXXXX",
		 folder_for_stores());
	if (!mkdtemp(world->folder)) {
		wrong(world, "%s: %s", world->folder, strerror(errno));
		world->folder[0] = '\0';
	} else if (settings_read(NULL, world->folder, &world->settings, error, sizeof(error)) < 0) {
		wrong(world, "%s", error);
		world->settings = NULL;
	} else {
		world->plugins = xstrdup(world->settings->plugins);
	}
	return world;
}

static int remove_cb(const char *path, const struct stat *info UNUSED, int type UNUSED,
		     struct FTW *ftw UNUSED)
{
	return remove(path);
}

void world_free(struct world *world)
{
	if (!world)
		return;
	close_path(world);
	event_base_free(world->base);
	for (unsigned i = 0; i < WORLD_PEOPLE; i++) {
		for (unsigned s = 0; s < world->people[i].said_count; s++)
			free(world->people[i].said[s]);
		free(world->people[i].screen);
	}
	if (world->folder[0])
		nftw(world->folder, remove_cb, 16, FTW_DEPTH | FTW_PHYS);
	if (world->settings)
		settings_free(world->settings);
	arena_free(&world->arena);
	free(world->plugins);
	free(world->error);
	free(world);
}

/* ---- messages ---- */

/* Runs the loop until what was asked for has come, and nothing is in work any more. */
static bool run(struct world *world)
{
	struct timeval turn = { 0, 1000 };

	for (unsigned i = 0; !world->come || inbox_in_work(world->inbox) > 0; i++) {
		if (i == WAIT_TURNS)
			return wrong(world, "no answer came");
		event_base_loopexit(world->base, &turn);
		event_base_loop(world->base, EVLOOP_ONCE);
	}
	return true;
}

static void found_cb(int error, const struct find_rows *rows, void *arg)
{
	struct world *world = arg;

	world->call_error = error;
	if (!error)
		world->find_cb(error, rows, world->arg);
	world->come = true;
}

bool world_find(struct world *world, const struct find *find, store_find_cb *cb, void *arg)
{
	world->find_cb = cb;
	world->arg = arg;
	world->come = false;
	if (store_find(world->store, find, found_cb, world) < 0)
		return wrong(world, "the store can't be read");
	return run(world) && (world->call_error == 0 || wrong(world, "the store can't be read"));
}

static void records_cb(int error, const struct record_result *result, void *arg)
{
	struct world *world = arg;

	world->call_error = error;
	if (!error)
		world->records_cb(error, result, world->arg);
	world->come = true;
}

bool world_records(struct world *world, const struct record_query *query, store_records_cb *cb,
		   void *arg)
{
	world->records_cb = cb;
	world->arg = arg;
	world->come = false;
	if (store_records(world->store, query, records_cb, world) < 0)
		return wrong(world, "the store can't be read");
	return run(world) && (world->call_error == 0 || wrong(world, "the store can't be read"));
}

/* What the store has for her since the last look. */
static void said_cb(int error UNUSED, const struct find_rows *rows, void *arg)
{
	struct world_person *person = arg;

	for (unsigned i = 0; i < rows->count && person->said_count < WORLD_SAID; i++) {
		const struct outbound *msg = &rows->outbound[i];

		person->last = msg->id;
		if (msg->state != OUTBOUND_SCREEN)
			person->said[person->said_count++] = xmemdup(msg->text.data, msg->text.len);
	}
}

static bool look(struct world *world, struct world_person *person)
{
	return world_find(world,
			  &(struct find){ .kind = FIND_OUTBOUND,
					  .citizen = person->number,
					  .after = person->last,
					  .limit = WORLD_SAID },
			  said_cb, person);
}

static void answer_cb(const struct inbox_answer *answer, void *arg)
{
	struct world *world = arg;
	struct world_person *person = &world->people[world->citizen];

	world->come = true;
	world->result = answer->result;
	if (answer->screen.len == 0)
		return;
	free(person->screen);
	person->screen = xmemdup(answer->screen.data, answer->screen.len);
	person->more = answer->more;
}

static bool bring(struct world *world, unsigned citizen, struct inbound *msg)
{
	struct world_person *person = &world->people[citizen];
	char id[32];

	tick(world);
	snprintf(id, sizeof(id), "t%u", ++world->messages);
	msg->provider_id = id;
	msg->connection = "telco";
	msg->sender = SENDER_NUMBER;
	msg->from = person->number;
	msg->time = clock_now();
	msg->network = msg->meta = "";
	world->citizen = citizen;
	world->come = false;
	if (inbox_take(world->inbox, msg, answer_cb, world) < 0)
		return wrong(world, "the gateway takes nothing more");
	if (!run(world))
		return false;
	return world->result == INBOX_TAKEN ? look(world, person)
					    : wrong(world, "the message was not taken");
}

bool world_sms(struct world *world, unsigned citizen, const char *text)
{
	struct inbound msg = {
		.channel = CHANNEL_SMS, .to = "2772", .text = { text, strlen(text) }, .session = ""
	};

	return bring(world, citizen, &msg);
}

static bool ussd(struct world *world, unsigned citizen, const char *code, const char *text,
		 enum ussd_event event)
{
	struct inbound msg = { .channel = CHANNEL_USSD,
			       .to = code,
			       .text = { text, strlen(text) },
			       .session = world->people[citizen].session,
			       .ussd = event };

	return bring(world, citizen, &msg);
}

bool world_dial(struct world *world, unsigned citizen, const char *code)
{
	struct world_person *person = &world->people[citizen];

	snprintf(person->session, sizeof(person->session), "s%u-%u", citizen, ++person->calls);
	person->dialled = true;
	return ussd(world, citizen, code, "", USSD_START);
}

bool world_key(struct world *world, unsigned citizen, const char *text)
{
	if (!world->people[citizen].dialled)
		return wrong(world, "there is no session: dial first");
	return ussd(world, citizen, world->settings->ussd_code, text, USSD_INPUT);
}

bool world_hang_up(struct world *world, unsigned citizen)
{
	world->people[citizen].dialled = false;
	return ussd(world, citizen, world->settings->ussd_code, "", USSD_END);
}

char *world_heard(struct world *world, unsigned citizen)
{
	struct world_person *person = &world->people[citizen];
	char *text;

	if (person->said_count == 0)
		return NULL;
	text = person->said[0];
	memmove(person->said, person->said + 1, --person->said_count * sizeof(person->said[0]));
	return text;
}

char *world_seen(struct world *world, unsigned citizen)
{
	char *text = world->people[citizen].screen;

	world->people[citizen].screen = NULL;
	return text;
}

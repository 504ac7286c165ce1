/* serve.c - start-up, running, reloading, shutting down.
 *
 * Modules are made in the order in which a message leaves, so that what was left over from the last run is taken up before
 * anything new can come in, and they are freed in reverse.  Everything that can take long (plugins' files, the store)
 * is done on other threads while the loop runs.
 */
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/thread.h>

#include "admin.h"
#include "clock.h"
#include "control.h"
#include "crash.h"
#include "gateway.h"
#include "http.h"
#include "http_client.h"
#include "inbox.h"
#include "log.h"
#include "metrics.h"
#include "operate.h"
#include "outbox.h"
#include "parts.h"
#include "phone.h"
#include "plugin.h"
#include "settings.h"
#include "store.h"
#include "telco.h"
#include "timers.h"
#include "worker.h"

enum {
	STOP_SECONDS = 10,
	STOP_LOOK_MS = 20,
	PAGE = 1000,
	TICK_MS = 1000,
	MINUTE_MS = 60000,
	RETAIN_MS = 600000,
	EXPIRED_GRACE = 7 * 86400, /* until then the citizen's next message tells her */
	LOADER_STACK = 8 << 20,
	ERROR_SIZE = 1024,
	SECRET_DIGITS = 32,
	CLIENT_CONNECTIONS = 256,
};

/* Plugins and telcos as they shall be: made beside the loop. */
struct reload {
	pthread_t thread;
	struct serve *serve;
	struct settings *settings;
	struct plugin_set *plugins;
	struct telco *telco;
	int rc;
	char error[ERROR_SIZE];
};

struct serve {
	const char *program, *config, *state_option;
	struct settings *first,
		*settings; /* first: owned, what listeners and store began with; settings: owned, today's */
	struct event_base *base;
	struct timers *timers;
	struct store *store;
	struct telco *telco;
	struct http_client *client;
	struct outbox *outbox;
	struct workers *workers;
	struct inbox *inbox;
	struct gateway *gateway;
	struct phone *phone;
	struct admin *admin;
	struct operate operate;
	struct http_server *public_server, *admin_server;
	struct http_limits public_limits, admin_limits;
	struct event *signals[4], *reloaded;
	struct timer *tick, *stop_look;
	struct reload *reload; /* while it is being loaded; NULL: not */
	bool reload_again;
	char *quarantine;
	/* start-up's scan */
	struct find scan;
	bool scanned;
	int scan_error;
	/* the minute's work */
	bool more_expired;
	int64_t minute_ms, retain_ms; /* when next */
	bool retaining;
	int64_t stop_ms; /* when to stop at the latest; 0: not stopping */
	int status;
};

static bool fail(const char *what)
{
	fprintf(stderr, "kentongan: %s\n", what);
	return false;
}

/* ---- parts of the start ---- */

static bool make_state(struct serve *serve)
{
	const char *state = serve->settings->state;
	char text[ERROR_SIZE];

	if (mkdir(state, 0700) != 0 && errno != EEXIST) {
		snprintf(text, sizeof(text),
			 "%s: the state folder can't be made: %s; the setting `state` names it",
			 state, strerror(errno));
		return fail(text);
	}
	serve->quarantine = NULL;
	if (asprintf(&serve->quarantine, "%s/quarantine", state) < 0)
		abort();
	mkdir(serve->quarantine, 0700);
	return true;
}

/* A plugin that once could not be stopped stays off until its file here is removed. */
static void skip_quarantined(const struct serve *serve, struct plugin_set *set)
{
	for (unsigned i = 0; i < set->count; i++) {
		char *path = arena_printf(&set->arena, "%s/%s", serve->quarantine,
					  set->plugins[i].name);

		if (access(path, F_OK) == 0)
			set->plugins[i].error = arena_printf(
				&set->arena,
				"it could not be stopped and ended the gateway once; remove %s to "
				"load it again",
				path);
	}
}

static void load(struct reload *reload)
{
	const struct settings *settings = reload->settings;
	char folder[4096];

	reload->rc = plugins_load(settings->plugins, settings->plugin_settings,
				  settings->plugin_setting_count, settings->file, &reload->plugins,
				  reload->error, sizeof(reload->error));
	if (reload->rc < 0)
		return;
	skip_quarantined(reload->serve, reload->plugins);
	snprintf(folder, sizeof(folder), "%s/telco", settings->plugins);
	reload->rc = telco_open(folder, settings->connections, settings->connection_count,
				&reload->telco, reload->error, sizeof(reload->error));
}

static void *load_main(void *arg)
{
	struct reload *reload = arg;

	load(reload);
	if (reload->serve->reloaded) /* at the start nobody waits in the loop */
		event_active(reload->serve->reloaded, EV_WRITE, 0);
	return NULL;
}

/* Lua wants a stack of a size that the caller's may not have. */
static bool start_loading(struct reload *reload)
{
	pthread_attr_t attributes;
	int rc;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, LOADER_STACK);
	rc = pthread_create(&reload->thread, &attributes, load_main, reload);
	pthread_attr_destroy(&attributes);
	return rc == 0;
}

/* What a message passes on its way, but for the listeners. */
static void make_path(struct serve *serve, struct plugin_set *plugins)
{
	const struct settings *settings = serve->settings;
	struct worker_options workers = { settings->workers, settings->dialog_cache,
					  serve->quarantine };
	struct outbox_options outbox = { .waiting_max = settings->outbox_max };

	serve->client = http_client_new(serve->base, CLIENT_CONNECTIONS);
	serve->outbox = outbox_new(serve->store, serve->telco, serve->client, serve->timers,
				   &outbox);
	serve->workers = workers_new(serve->base, &workers);
	serve->inbox = inbox_new(&(struct inbox_parts){ serve->base, serve->store, serve->timers,
							serve->workers, serve->outbox, serve->telco,
							plugins, settings });
}

/* Plugins and telcos are looked at before anything is made: a mistake changes nothing. */
static bool load_first(struct serve *serve, struct plugin_set **plugins)
{
	struct reload reload = { .serve = serve, .settings = serve->settings };

	if (!start_loading(&reload))
		return fail("no thread can be made");
	pthread_join(reload.thread, NULL);
	serve->telco = reload.telco;
	*plugins = reload.plugins;
	if (reload.rc < 0)
		return fail(reload.error);
	plugins_log(reload.plugins);
	return true;
}

static bool open_store(struct serve *serve)
{
	const struct settings *settings = serve->settings;
	const char *path = settings->store + strlen("sqlite:");
	char error[ERROR_SIZE], full[4096];
	struct store_sqlite_options options = {
		.path = full,
		.readers = settings->readers,
		.group_max = settings->commit_group,
		.group_wait_us = settings->commit_wait_us,
		.queue_max = settings->store_max,
		.reserve_bytes = settings->reserve_mib << 20,
		.dedupe_seconds = settings->dedupe_days * 86400,
	};

	if (path[0] == '/')
		snprintf(full, sizeof(full), "%s", path);
	else
		snprintf(full, sizeof(full), "%s/%s", settings->state, path);
	if (store_sqlite_open(serve->base, &options, &serve->store, error, sizeof(error)) < 0)
		return fail(error);
	id_init(store_secret(serve->store), 0);
	return true;
}

/* ---- what was left over ---- */

static void scan_next(struct serve *serve);

static void scan_take(struct serve *serve, const struct find_rows *rows)
{
	for (unsigned i = 0; i < rows->count; i++) {
		if (serve->scan.kind == FIND_OUTBOUND_UNFINISHED) {
			outbox_resume(serve->outbox, &rows->outbound[i]);
			serve->scan.after = rows->outbound[i].id;
		} else {
			inbox_resume(serve->inbox, &rows->dialogs[i]);
			serve->scan.after = rows->dialogs[i].id;
			free((char *)serve->scan.after_citizen);
			serve->scan.after_citizen = xstrdup(rows->dialogs[i].citizen);
		}
	}
}

static void scan_cb(int error, const struct find_rows *rows, void *arg)
{
	struct serve *serve = arg;

	serve->scan_error = error;
	if (error) {
		event_base_loopbreak(serve->base);
		return;
	}
	scan_take(serve, rows);
	if (rows->count < PAGE && serve->scan.kind == FIND_OUTBOUND_UNFINISHED) {
		serve->scan = (struct find){ .kind = FIND_DIALOGS_RUNNABLE, .limit = PAGE };
	} else if (rows->count < PAGE) {
		serve->scanned = true;
		event_base_loopbreak(serve->base);
		return;
	}
	scan_next(serve);
}

static void scan_next(struct serve *serve)
{
	serve->scan_error = store_find(serve->store, &serve->scan, scan_cb, serve);
	if (serve->scan_error)
		event_base_loopbreak(serve->base);
}

/* Takes up what the last run left: messages out first, because dialogs add to them. */
static bool take_up(struct serve *serve)
{
	char text[ERROR_SIZE];

	crash_point("start.before_scan");
	outbox_pause(serve->outbox, true);
	serve->scan = (struct find){ .kind = FIND_OUTBOUND_UNFINISHED, .limit = PAGE };
	scan_next(serve);
	while (!serve->scanned && !serve->scan_error)
		event_base_loop(serve->base, EVLOOP_ONCE);
	free((char *)serve->scan.after_citizen);
	outbox_pause(serve->outbox, false);
	crash_point("start.after_scan");
	if (!serve->scan_error)
		return true;
	snprintf(text, sizeof(text), "the store can't be read: %s", strerror(-serve->scan_error));
	return fail(text);
}

/* ---- listeners ---- */

static bool listen_at(struct serve *serve, const char *host, unsigned port,
		      struct http_limits *limits, http_handler *handler, void *arg,
		      const char *setting, struct http_server **out)
{
	char text[ERROR_SIZE];
	int rc = http_server_open(serve->base, host, port, limits, handler, arg, out);

	if (rc == 0)
		return true;
	if (rc == -EADDRINUSE)
		snprintf(text, sizeof(text),
			 "%s port %u is taken by another program; stop that, or set %s_port to "
			 "another in a settings file "
			 "(kentongan serve --config FILE)",
			 host, port, setting);
	else if (rc == -EACCES)
		snprintf(text, sizeof(text),
			 "%s port %u may not be opened by this user; set %s_port to one above 1023",
			 host, port, setting);
	else
		snprintf(text, sizeof(text),
			 "%s port %u can't be opened: %s; see %s_host and %s_port", host, port,
			 strerror(-rc), setting, setting);
	return fail(text);
}

/* The operators' secret, made on the first run. */
static char *admin_secret(const struct serve *serve)
{
	unsigned char bytes[SECRET_DIGITS / 2];
	char path[4096], text[128] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/admin.secret", serve->settings->state);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0) {
		if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
			abort();
		for (unsigned i = 0; i < sizeof(bytes); i++)
			snprintf(text + 2 * i, 3, "%02x", bytes[i]);
		n = write(fd, text, SECRET_DIGITS);
		fsync(fd);
		close(fd);
		return n == SECRET_DIGITS ? xstrdup(text) : NULL;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	if (strlen(text) >= SECRET_DIGITS)
		return xstrdup(text);
	fprintf(stderr,
		"kentongan: %s: must hold a secret of at least %d characters; remove it and a new "
		"one is made\n",
		path, SECRET_DIGITS);
	return NULL;
}

static const struct telco_config *config_of(const struct settings *settings, const char *adapter)
{
	for (unsigned i = 0; i < settings->connection_count; i++)
		if (strcmp(settings->connections[i].adapter, adapter) == 0)
			return &settings->connections[i];
	return NULL;
}

static const char *setting_of(const struct telco_config *config, const char *name)
{
	for (unsigned i = 0; config && i < config->setting_count; i++)
		if (strcmp(config->settings[i].name, name) == 0)
			return config->settings[i].value.data;
	return NULL;
}

static void own_base(char *out, size_t size, const char *host, unsigned port)
{
	bool six = strchr(host, ':') != NULL;

	snprintf(out, size, "http://%s%s%s:%u", six ? "[" : "", host, six ? "]" : "", port);
}

static void make_phone(struct serve *serve, const char *public_base)
{
	const struct telco_config *config = config_of(serve->settings, "phone");
	const char *secret = setting_of(config, "secret");
	char url[300];

	if (!secret)
		return;
	snprintf(url, sizeof(url), "%s/telco/%s", public_base, config->name);
	serve->phone = phone_new(serve->base, serve->client, secret, url);
}

static void limits_of(const struct settings *settings, struct http_limits *limits)
{
	*limits = http_default_limits;
	limits->connections = settings->connections_max;
	limits->trusted = settings->trusted;
	limits->proxies = settings->proxies;
}

static bool open_listeners(struct serve *serve)
{
	const struct settings *settings = serve->settings;
	char public_base[160], admin_base[160], *secret = admin_secret(serve);
	int rc;

	if (!secret)
		return false;
	serve->operate = (struct operate){ .store = serve->store,
					   .outbox = serve->outbox,
					   .inbox = serve->inbox,
					   .country = serve->settings->country };
	serve->gateway = gateway_new(serve->inbox, serve->outbox, serve->telco, settings);
	limits_of(settings, &serve->public_limits);
	limits_of(settings, &serve->admin_limits);
	if (!listen_at(serve, settings->public_host, settings->public_port, &serve->public_limits,
		       gateway_handle, serve->gateway, "public", &serve->public_server)) {
		free(secret);
		return false;
	}
	own_base(public_base, sizeof(public_base), settings->public_host,
		 http_server_port(serve->public_server));
	make_phone(serve, public_base);
	serve->admin = admin_new(secret, &operate_ops, &serve->operate, serve->phone);
	free(secret);
	if (!listen_at(serve, settings->admin_host, settings->admin_port, &serve->admin_limits,
		       admin_handle, serve->admin, "admin", &serve->admin_server))
		return false;
	own_base(admin_base, sizeof(admin_base), settings->admin_host,
		 http_server_port(serve->admin_server));
	rc = control_addresses_put(settings->state, public_base, admin_base);
	if (rc < 0)
		fprintf(stderr, "kentongan: %s/addresses can't be written: %s\n", settings->state,
			strerror(-rc));
	return rc == 0;
}

/* ---- stopping ---- */

static void stop_look_cb(void *arg)
{
	struct serve *serve = arg;
	bool idle = inbox_in_work(serve->inbox) == 0 && outbox_in_flight(serve->outbox) == 0 &&
		    http_server_in_work(serve->public_server) == 0;

	serve->stop_look = NULL;
	if (idle || clock_now_ms() >= serve->stop_ms) {
		log_event(LOG_INFO, "serve.stopped", "iturns", (int64_t)inbox_in_work(serve->inbox),
			  "icalls", (int64_t)outbox_in_flight(serve->outbox), "iwaiting",
			  (int64_t)outbox_waiting(serve->outbox), NULL);
		event_base_loopbreak(serve->base);
		return;
	}
	serve->stop_look = timers_at(serve->timers, clock_now_ms() + STOP_LOOK_MS, stop_look_cb,
				     serve);
}

static void stop_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct serve *serve = arg;

	if (serve->stop_ms) { /* asked again: at once */
		event_base_loopbreak(serve->base);
		return;
	}
	serve->stop_ms = clock_now_ms() + STOP_SECONDS * 1000;
	serve->operate.stopping = true;
	log_event(LOG_INFO, "serve.stopping", NULL);
	http_server_stop(serve->public_server);
	inbox_stop(serve->inbox);
	outbox_pause(serve->outbox, true);
	if (serve->phone)
		phone_stop(serve->phone);
	stop_look_cb(serve);
}

/* ---- reloading ---- */

static bool same_text(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* What a running gateway can't change. */
static void tell_restart(const struct settings *old, const struct settings *new)
{
	struct {
		const char *name;
		bool same;
	} rows[] = {
		{ "state", same_text(old->state, new->state) },
		{ "store", same_text(old->store, new->store) },
		{ "public_host", same_text(old->public_host, new->public_host) },
		{ "public_port", old->public_port == new->public_port },
		{ "admin_host", same_text(old->admin_host, new->admin_host) },
		{ "admin_port", old->admin_port == new->admin_port },
		{ "workers", old->workers == new->workers },
		{ "dialog_cache", old->dialog_cache == new->dialog_cache },
		{ "readers", old->readers == new->readers },
		{ "commit_wait_us", old->commit_wait_us == new->commit_wait_us },
		{ "commit_group", old->commit_group == new->commit_group },
		{ "outbox_max", old->outbox_max == new->outbox_max },
		{ "store_max", old->store_max == new->store_max },
		{ "connections_max", old->connections_max == new->connections_max },
		{ "reserve_mib", old->reserve_mib == new->reserve_mib },
		{ "dedupe_days", old->dedupe_days == new->dedupe_days },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		if (!rows[i].same)
			log_event(LOG_WARN, "settings.needs_restart", "ssetting", rows[i].name,
				  NULL);
}

static void reload_free(struct reload *reload)
{
	plugins_free(reload->plugins);
	telco_close(reload->telco);
	settings_free(reload->settings);
	free(reload);
}

static void log_level_from(const struct settings *settings)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };

	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(settings->log_level, names[i]) == 0)
			log_set_level((enum log_level)i);
}

/* The new takes the old one's place at one moment of the loop. */
static void swap(struct serve *serve, struct reload *reload)
{
	struct telco *telco = serve->telco;
	struct settings *settings = serve->settings;

	tell_restart(serve->first, reload->settings);
	plugins_log(reload->plugins);
	serve->settings = reload->settings;
	serve->telco = reload->telco;
	inbox_reload(serve->inbox, reload->plugins, reload->telco, reload->settings);
	outbox_telco(serve->outbox, reload->telco);
	gateway_reload(serve->gateway, reload->telco, reload->settings);
	serve->operate.country = reload->settings->country;
	log_level_from(reload->settings);
	reload->settings = NULL;
	reload->plugins = NULL;
	reload->telco = NULL;
	telco_close(telco);
	if (settings != serve->first)
		settings_free(settings);
	log_event(LOG_INFO, "settings.reloaded", "sfile", serve->settings->file, NULL);
}

static void begin_reload(struct serve *serve);

static void reloaded_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct serve *serve = arg;
	struct reload *reload = serve->reload;

	if (!reload)
		return;
	serve->reload = NULL;
	pthread_join(reload->thread, NULL);
	if (reload->rc < 0)
		log_event(LOG_ERROR, "settings.not_reloaded", "serror", reload->error, "swhat",
			  "the old ones stay", NULL);
	else
		swap(serve, reload);
	reload_free(reload);
	if (serve->reload_again)
		begin_reload(serve);
}

static void begin_reload(struct serve *serve)
{
	struct reload *reload = xcalloc(1, sizeof(*reload));

	serve->reload_again = false;
	reload->serve = serve;
	reload->rc = settings_read(serve->config, serve->state_option, &reload->settings,
				   reload->error, sizeof(reload->error));
	if (reload->rc == 0 && start_loading(reload)) {
		serve->reload = reload;
		return;
	}
	log_event(LOG_ERROR, "settings.not_reloaded", "serror", reload->error, "swhat",
		  "the old ones stay", NULL);
	reload_free(reload);
}

static void hangup_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct serve *serve = arg;

	if (serve->stop_ms)
		return;
	if (serve->reload)
		serve->reload_again = true;
	else
		begin_reload(serve);
}

/* ---- the minute's work ---- */

static void expired_cb(int error, const struct find_rows *rows, void *arg)
{
	struct serve *serve = arg;

	if (error || serve->stop_ms)
		return;
	for (unsigned i = 0; i < rows->count; i++)
		inbox_end_dialog(serve->inbox, rows->dialogs[i].citizen, rows->dialogs[i].id,
				 DIALOG_EXPIRED, NULL, NULL);
	serve->more_expired = rows->count == PAGE;
}

static void parts_cb(int error, const struct find_rows *rows, void *arg)
{
	struct serve *serve = arg;

	for (unsigned i = 0; !error && !serve->stop_ms && i < rows->count; i++)
		inbox_give_up_parts(serve->inbox, rows->citizens[i].citizen);
}

static void retain(struct serve *serve);

static void retained_cb(int error, void *arg)
{
	struct serve *serve = arg;

	serve->retaining = false;
	if (error == -EAGAIN && !serve->stop_ms)
		retain(serve);
	else if (error)
		log_event(LOG_ERROR, "store.not_retained", "eerror", error, NULL);
}

static void retain(struct serve *serve)
{
	const struct settings *settings = serve->settings;
	int64_t now = clock_now(), messages = now - settings->keep_messages_days * 86400;
	struct retention retention = { .inbound = messages,
				       .outbound = messages,
				       .dialogs_ended = now - settings->keep_dialogs_days * 86400,
				       .reports = now - 7 * 86400,
				       .parts = now - 30 * 86400 };

	serve->retaining = store_retain(serve->store, &retention, retained_cb, serve) == 0;
}

/* What time does to what waits in the store. */
static void minute(struct serve *serve, int64_t now_ms)
{
	struct find expired = { .kind = FIND_DIALOGS_EXPIRED,
				.before = now_ms / 1000 - EXPIRED_GRACE,
				.limit = PAGE };
	struct find parts = { .kind = FIND_PARTS,
			      .before = now_ms / 1000 - PARTS_SECONDS_MAX,
			      .limit = PAGE };

	serve->more_expired = false;
	if (store_find(serve->store, &expired, expired_cb, serve) < 0 ||
	    store_find(serve->store, &parts, parts_cb, serve) < 0)
		log_event(LOG_WARN, "store.busy", NULL);
	if (now_ms >= serve->retain_ms && !serve->retaining) {
		serve->retain_ms = now_ms + RETAIN_MS;
		retain(serve);
	}
}

static void tick_cb(void *arg)
{
	struct serve *serve = arg;
	int64_t now_ms = clock_now_ms();

	serve->tick = timers_at(serve->timers, now_ms + TICK_MS, tick_cb, serve);
	if (serve->stop_ms)
		return;
	if (store_lost(
		    serve->store)) { /* nothing can be taken any more: a new start recovers what is on disk */
		fail("the store failed for good (see the log); ending, so that a new start can "
		     "recover it");
		serve->status = 1;
		event_base_loopbreak(serve->base);
		return;
	}
	inbox_probe_store(serve->inbox);
	if (now_ms >= serve->minute_ms ||
	    (serve->more_expired && inbox_in_work(serve->inbox) == 0)) {
		serve->minute_ms = now_ms + MINUTE_MS;
		minute(serve, now_ms);
	}
}

static void optout_cb(const char *citizen, const char *connection, void *arg)
{
	struct serve *serve = arg;

	inbox_optout(serve->inbox, citizen, connection);
}

/* ---- all of it ---- */

/* Threads hand memory to each other all the time; giving it back to the system in between costs more than it saves. */
static void tune_memory(void)
{
	mallopt(M_TOP_PAD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 32 << 20);
}

static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static struct event_base *make_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static void watch_signals(struct serve *serve)
{
	static const struct {
		int signal;
		event_callback_fn cb;
	} rows[] = { { SIGTERM, stop_cb }, { SIGINT, stop_cb }, { SIGHUP, hangup_cb } };

	signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		serve->signals[i] = evsignal_new(serve->base, rows[i].signal, rows[i].cb, serve);
		event_add(serve->signals[i], NULL);
	}
	serve->reloaded = event_new(serve->base, -1, EV_PERSIST, reloaded_cb, serve);
}

/* What to try, where the embedded default runs. */
static void welcome(const struct serve *serve)
{
	const struct settings *settings = serve->settings;
	const struct telco_config *kannel = config_of(settings, "kannel");
	const char *secret = setting_of(kannel, "secret");
	char base[160];

	own_base(base, sizeof(base), settings->public_host, http_server_port(serve->public_server));
	printf("%s runs.  Telcos call %s; ", PACKAGE_STRING, base);
	own_base(base, sizeof(base), settings->admin_host, http_server_port(serve->admin_server));
	printf("/healthz and /metrics are at %s.\n", base);
	if (settings->file[0] == '\0' && secret) {
		own_base(base, sizeof(base), settings->public_host,
			 http_server_port(serve->public_server));
		printf("\nTo try it, in another terminal:\n\n"
		       "  a phone (write SURVEI, HASIL or BANTUAN; with --ussd it dials %s):\n"
		       "    %s chat --state %s\n\n"
		       "  an SMS as Kannel would bring it:\n"
		       "    curl \"%s/telco/%s/sms?key=%s&id=$(date "
		       "+%%s%%N)&from=%%2B6281234567890&to=2772&text=SURVEI\"\n\n"
		       "Ctrl-C stops it.\n",
		       settings->ussd_code, serve->program, settings->state, base, kannel->name,
		       secret);
	}
	fflush(stdout);
	log_event(LOG_INFO, "serve.started", "sversion", PACKAGE_VERSION, NULL);
}

static bool start(struct serve *serve)
{
	struct plugin_set *plugins = NULL;
	char error[ERROR_SIZE];

	if (settings_read(serve->config, serve->state_option, &serve->settings, error,
			  sizeof(error)) < 0)
		return fail(error);
	serve->first = serve->settings;
	log_level_from(serve->settings);
	raise_limits();
	serve->base = make_base();
	serve->timers = timers_new(serve->base);
	if (!make_state(serve) || !load_first(serve, &plugins) || !open_store(serve)) {
		plugins_free(plugins);
		return false;
	}
	make_path(serve, plugins);
	outbox_on_optout(serve->outbox, optout_cb, serve);
	watch_signals(serve);
	if (!take_up(serve) || !open_listeners(serve))
		return false;
	serve->tick = timers_at(serve->timers, clock_now_ms() + 1000, tick_cb, serve);
	return true;
}

static void close_servers(struct serve *serve)
{
	http_server_close(serve->public_server);
	http_server_close(serve->admin_server);
	phone_free(serve->phone);
}

static void finish(struct serve *serve)
{
	if (serve->reload) {
		pthread_join(serve->reload->thread, NULL);
		reload_free(serve->reload);
	}
	if (serve->inbox)
		inbox_close(serve->inbox);
	workers_free(serve->workers);
	close_servers(serve);
	if (serve->gateway)
		gateway_detach(serve->gateway);
	outbox_free(serve->outbox);
	http_client_free(serve->client);
	store_close(serve->store);
	inbox_free(serve->inbox);
	gateway_free(serve->gateway);
	if (serve->admin)
		admin_free(serve->admin);
	telco_close(serve->telco);
	for (unsigned i = 0; i < ARRAY_LEN(serve->signals); i++)
		if (serve->signals[i])
			event_free(serve->signals[i]);
	if (serve->reloaded)
		event_free(serve->reloaded);
	timers_free(serve->timers);
	if (serve->base)
		event_base_free(serve->base);
	if (serve->settings != serve->first)
		settings_free(serve->settings);
	settings_free(serve->first);
	free(serve->quarantine);
}

static int usage(FILE *out)
{
	fprintf(out, "usage: kentongan serve [--config FILE] [--state FOLDER]\n"
		     "  --config FILE    settings (contrib/kentongan.conf.lua has each with its "
		     "default); without it the embedded default\n"
		     "  --state FOLDER   where the store and secrets are, instead of ./state; "
		     "`state` in FILE wins\n");
	return out == stdout ? 0 : 2;
}

static int parse(struct serve *serve, int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
						 { "state", required_argument, NULL, 's' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout) + 100;
		if (option == '?')
			return usage(stderr);
		*(option == 'c' ? &serve->config : &serve->state_option) = optarg;
	}
	return optind < argc ? usage(stderr) : 0;
}

int serve_main(const char *program, int argc, char **argv)
{
	struct serve serve = { .program = program };
	int status = parse(&serve, argc, argv);

	if (status)
		return status % 100;
	tune_memory();
	evthread_use_pthreads();
	if (start(&serve)) {
		welcome(&serve);
		event_base_dispatch(serve.base);
	} else {
		serve.status = 1;
	}
	finish(&serve);
	return serve.status;
}

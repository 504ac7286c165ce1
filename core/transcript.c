/* transcript.c - plays conversations against the gateway.
 *
 * The real inbox, workers and SQLite store run, in a folder that is removed afterwards; only time, the telco and HTTP are not
 * there.  So a transcript shows what citizens will read, and a `restart` in it that nothing of the dialog was in memory alone.
 */
#include "transcript.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/thread.h>

#include "clock.h"
#include "inbox.h"
#include "log.h"
#include "outbox.h"
#include "plugin.h"
#include "settings.h"
#include "store.h"
#include "timers.h"
#include "worker.h"

enum {
	CITIZENS = 40,
	NAMES_MAX = 32,
	SETTINGS_MAX = 64,
	TEXT_BYTES = 16384,
	WAIT_TURNS =
		20000, /* of the loop, a millisecond each at most: a conversation that hangs is a failure */
	PAGE = 100,
};

static const int64_t START_MS = 1795489200000; /* 2026-11-24T03:00:00Z */

struct line {
	int number;
	char word[32];
	unsigned citizen; /* from 0 */
	char *text;
};

/* One citizen: what she was told and has not yet been expected. */
struct person {
	char number[24];
	char session[32];
	unsigned step;
	bool dialled;
	struct id last;   /* the last message out that was seen */
	char *said[PAGE]; /* owned */
	unsigned said_count;
	char *screen; /* owned; what the session shows and wasn't expected yet */
	bool more;
};

struct play {
	const char *path;
	char folder[64]; /* of the store */
	char *plugins;   /* owned */
	struct settings *settings;
	struct plugin_setting values[SETTINGS_MAX];
	unsigned value_count;
	struct arena arena;
	struct event_base *base;
	struct timers *timers;
	struct store *store;
	struct workers *workers;
	struct inbox *inbox;
	struct person people[CITIZENS];
	struct {
		char *name, *text;
	} names[NAMES_MAX];
	unsigned name_count;
	unsigned messages;
	bool answered;
	enum inbox_result result;
	const struct line *line;
	struct find find;
	bool found;
	char *failure; /* owned; NULL: none */
};

static bool wrong(struct play *play, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool wrong(struct play *play, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	free(play->failure);
	if (asprintf(&play->failure, "%s:%d: %s", play->path, play->line ? play->line->number : 0,
		     text) < 0)
		abort();
	free(text);
	return false;
}

/* ---- the gateway ---- */

static void close_path(struct play *play)
{
	if (play->inbox)
		inbox_close(play->inbox);
	workers_free(play->workers);
	store_close(play->store);
	inbox_free(play->inbox);
	timers_free(play->timers);
	play->workers = NULL;
	play->store = NULL;
	play->inbox = NULL;
	play->timers = NULL;
}

static struct plugin_set *load_plugins(struct play *play)
{
	struct plugin_set *set;
	char error[1024];

	if (plugins_load(play->plugins, play->values, play->value_count, play->path, &set, error,
			 sizeof(error)) < 0) {
		wrong(play, "%s", error);
		return NULL;
	}
	for (unsigned i = 0; i < set->count; i++)
		if (set->plugins[i].error) {
			wrong(play, "%s", set->plugins[i].error);
			plugins_free(set);
			return NULL;
		}
	return set;
}

static bool open_path(struct play *play)
{
	struct worker_options workers = { 2, play->settings->dialog_cache, NULL };
	struct plugin_set *set = load_plugins(play);
	char path[128], error[512];
	struct store_sqlite_options store = { .path = path,
					      .readers = 1,
					      .group_max = 16,
					      .queue_max = 1000,
					      .dedupe_seconds = 7 * 86400 };

	if (!set)
		return false;
	snprintf(path, sizeof(path), "%s/store.db", play->folder);
	if (store_sqlite_open(play->base, &store, &play->store, error, sizeof(error)) < 0) {
		plugins_free(set);
		return wrong(play, "%s", error);
	}
	id_init(store_secret(play->store), 0);
	play->timers = timers_new(play->base);
	play->workers = workers_new(play->base, &workers);
	play->inbox = inbox_new(&(struct inbox_parts){ .base = play->base,
						       .store = play->store,
						       .timers = play->timers,
						       .workers = play->workers,
						       .plugins = set,
						       .settings = play->settings });
	return true;
}

/* Runs the loop until something has come about. */
static bool run_until(struct play *play, const bool *come)
{
	struct timeval tick = { 0, 1000 };

	for (unsigned i = 0; !*come || inbox_in_work(play->inbox) > 0; i++) {
		if (i == WAIT_TURNS)
			return wrong(play, "no answer came");
		event_base_loopexit(play->base, &tick);
		event_base_loop(play->base, EVLOOP_ONCE);
	}
	return true;
}

/* ---- what was said ---- */

static void found_cb(int error, const struct find_rows *rows, void *arg)
{
	struct play *play = arg;
	struct person *person = &play->people[play->line->citizen];

	play->found = true;
	for (unsigned i = 0; !error && i < rows->count && person->said_count < PAGE; i++) {
		const struct outbound *msg = &rows->outbound[i];

		person->last = msg->id;
		if (msg->state != OUTBOUND_SCREEN)
			person->said[person->said_count++] = xmemdup(msg->text.data, msg->text.len);
	}
}

static bool look(struct play *play)
{
	struct person *person = &play->people[play->line->citizen];

	play->find = (struct find){ .kind = FIND_OUTBOUND,
				    .citizen = person->number,
				    .after = person->last,
				    .limit = PAGE };
	play->found = false;
	if (store_find(play->store, &play->find, found_cb, play) < 0)
		return wrong(play, "the store can't be read");
	return run_until(play, &play->found);
}

static void answer_cb(const struct inbox_answer *answer, void *arg)
{
	struct play *play = arg;
	struct person *person = &play->people[play->line->citizen];

	play->answered = true;
	play->result = answer->result;
	if (answer->screen.len == 0)
		return;
	free(person->screen);
	person->screen = xmemdup(answer->screen.data, answer->screen.len);
	person->more = answer->more;
}

/* ---- texts with holes ---- */

static const char *name_get(const struct play *play, const char *name, size_t len)
{
	for (unsigned i = 0; i < play->name_count; i++)
		if (strlen(play->names[i].name) == len &&
		    strncmp(play->names[i].name, name, len) == 0)
			return play->names[i].text;
	return NULL;
}

static void name_put(struct play *play, const char *name, size_t len, const char *text,
		     size_t text_len)
{
	if (play->name_count == NAMES_MAX)
		return;
	play->names[play->name_count].name = arena_memdup(&play->arena, name, len);
	play->names[play->name_count++].text = arena_memdup(&play->arena, text, text_len);
}

/* A text that is sent: {name} is what it stood for. */
static char *fill(struct play *play, const char *text)
{
	struct buf out = { 0 };
	char *filled;

	for (const char *at = text; *at; at++) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		const char *known = end ? name_get(play, at + 1, (size_t)(end - at - 1)) : NULL;

		if (known) {
			buf_addstr(&out, known);
			at = end;
		} else {
			buf_add(&out, at, 1);
		}
	}
	filled = arena_strdup(&play->arena, out.data ? out.data : "");
	buf_free(&out);
	return filled;
}

/* Whether what was said is what is expected; {name} takes as little as fits. */
static bool fits(struct play *play, const char *wanted, const char *said)
{
	const char *end, *known;
	size_t len;

	while (*wanted && *wanted != '{') {
		if (*wanted++ != *said++)
			return false;
	}
	if (!*wanted)
		return !*said;
	end = strchr(wanted, '}');
	if (!end)
		return strcmp(wanted, said) == 0;
	len = (size_t)(end - wanted - 1);
	known = name_get(play, wanted + 1, len);
	if (known && len > 0)
		return strncmp(said, known, strlen(known)) == 0 &&
		       fits(play, end + 1, said + strlen(known));
	for (size_t taken = 0;; taken++) {
		if (fits(play, end + 1, said + taken)) {
			if (len > 0)
				name_put(play, wanted + 1, len, said, taken);
			return true;
		}
		if (!said[taken])
			return false;
	}
}

static bool differ(struct play *play, const char *what, const char *wanted, const char *said)
{
	return wrong(play, "%s\n--- expected ---\n%s\n--- said ---\n%s\n---", what, wanted, said);
}

/* ---- the words ---- */

static bool nothing_left(struct play *play)
{
	for (unsigned i = 0; i < CITIZENS; i++) {
		struct person *person = &play->people[i];

		if (person->said_count > 0)
			return wrong(play, "before this the gateway also said to citizen %u:\n%s",
				     i + 1, person->said[0]);
		if (person->screen)
			return wrong(play, "before this the gateway also showed citizen %u:\n%s",
				     i + 1, person->screen);
	}
	return true;
}

static bool bring(struct play *play, struct inbound *msg)
{
	char id[32];

	clock_fake(clock_now_ms() + 1000);
	snprintf(id, sizeof(id), "t%u", ++play->messages);
	msg->provider_id = id;
	msg->connection = "telco";
	msg->sender = SENDER_NUMBER;
	msg->from = play->people[play->line->citizen].number;
	msg->time = clock_now();
	msg->network = msg->meta = "";
	play->answered = false;
	if (inbox_take(play->inbox, msg, answer_cb, play) < 0)
		return wrong(play, "the gateway takes nothing more");
	if (!run_until(play, &play->answered))
		return false;
	return play->result == INBOX_TAKEN ? look(play) : wrong(play, "the message was not taken");
}

static bool do_citizen(struct play *play, const char *text)
{
	const char *filled = fill(play, text);
	struct inbound msg = { .channel = CHANNEL_SMS,
			       .to = "2772",
			       .text = { filled, strlen(filled) },
			       .session = "" };

	return nothing_left(play) && bring(play, &msg);
}

static bool do_gateway(struct play *play, const char *text)
{
	struct person *person = &play->people[play->line->citizen];
	bool fine;

	if (strcmp(text, "(nothing)") == 0)
		return person->said_count == 0 ||
		       differ(play, "nothing was expected", "", person->said[0]);
	if (person->said_count == 0)
		return differ(play,
			      person->screen ? "it is a screen, not a message" : "nothing was said",
			      text, "");
	fine = fits(play, text, person->said[0]) ||
	       differ(play, "it said something else", text, person->said[0]);
	free(person->said[0]);
	memmove(person->said, person->said + 1, --person->said_count * sizeof(person->said[0]));
	return fine;
}

static bool ussd(struct play *play, const char *code, const char *text, enum ussd_event event)
{
	struct person *person = &play->people[play->line->citizen];
	struct inbound msg = { .channel = CHANNEL_USSD,
			       .to = code,
			       .text = { text, strlen(text) },
			       .session = person->session,
			       .ussd = event };

	return nothing_left(play) && bring(play, &msg);
}

static bool do_dial(struct play *play, const char *text)
{
	struct person *person = &play->people[play->line->citizen];

	snprintf(person->session, sizeof(person->session), "s%u-%u", play->line->citizen,
		 ++person->step);
	person->dialled = true;
	return ussd(play, text, "", USSD_START);
}

static bool do_key(struct play *play, const char *text)
{
	if (!play->people[play->line->citizen].dialled)
		return wrong(play, "there is no session: dial first");
	return ussd(play, play->settings->ussd_code, fill(play, text), USSD_INPUT);
}

static bool do_hang_up(struct play *play, const char *text UNUSED)
{
	play->people[play->line->citizen].dialled = false;
	return ussd(play, play->settings->ussd_code, "", USSD_END);
}

static bool shows(struct play *play, const char *text, bool more)
{
	struct person *person = &play->people[play->line->citizen];
	char *screen = person->screen;
	bool fine;

	person->screen = NULL;
	if (!screen)
		return differ(play, "there is no screen", text, "");
	fine = fits(play, text, screen) || differ(play, "it shows something else", text, screen);
	if (fine && person->more != more)
		fine = wrong(play, more ? "the session is over" : "the session goes on");
	free(screen);
	return fine;
}

static bool do_screen(struct play *play, const char *text)
{
	return shows(play, text, true);
}

static bool do_end(struct play *play, const char *text)
{
	return shows(play, text, false);
}

static bool do_wait(struct play *play, const char *text)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = { { "second", 1 }, { "minute", 60 }, { "hour", 3600 }, { "day", 86400 } };
	char unit[16] = "";
	int count;

	if (sscanf(text, "%d %15s", &count, unit) == 2)
		for (unsigned i = 0; i < ARRAY_LEN(units); i++)
			if (strncmp(unit, units[i].name, strlen(units[i].name)) == 0) {
				clock_fake(clock_now_ms() + count * units[i].seconds * 1000);
				return true;
			}
	return wrong(play, "wait for a time such as 8 days, 3 hours, 10 minutes or 5 seconds");
}

static bool do_restart(struct play *play, const char *text UNUSED)
{
	close_path(play);
	return open_path(play);
}

/* New plugins take the old ones' place while dialogs are open. */
static bool reload(struct play *play)
{
	struct plugin_set *set;

	if (!play->inbox)
		return true;
	set = load_plugins(play);
	if (set)
		inbox_reload(play->inbox, set, NULL, play->settings);
	return set != NULL;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? xmemdup(path, (size_t)(slash - path)) : xstrdup(".");
}

static bool do_plugins(struct play *play, const char *text)
{
	char *folder = folder_of(play->path), *old = play->plugins;

	if (asprintf(&play->plugins, "%s/%s", folder, text) < 0)
		abort();
	free(folder);
	free(old);
	return reload(play);
}

static struct plugin_setting *value_of(struct play *play, const char *plugin, const char *name)
{
	for (unsigned i = 0; i < play->value_count; i++)
		if (strcmp(play->values[i].plugin, plugin) == 0 &&
		    strcmp(play->values[i].name, name) == 0)
			return &play->values[i];
	return &play->values[play->value_count++];
}

static bool do_set(struct play *play, const char *text)
{
	char plugin[PLUGIN_NAME_MAX + 1], name[32], value[512] = "", *end;
	struct plugin_setting *row;
	double number;

	if (sscanf(text, "%31[a-z0-9_-].%31[a-z0-9_] = %511[^\n]", plugin, name, value) != 3 ||
	    play->value_count == SETTINGS_MAX)
		return wrong(play, "set: PLUGIN.NAME = VALUE");
	number = strtod(value, &end);
	row = value_of(play, plugin, name);
	*row = (struct plugin_setting){ .plugin = arena_strdup(&play->arena, plugin),
					.name = arena_strdup(&play->arena, name),
					.text = arena_strdup(&play->arena, value),
					.number = number,
					.line = play->line->number };
	row->boolean = strcmp(value, "true") == 0;
	row->type = row->boolean || strcmp(value, "false") == 0 ? PLUGIN_SETTING_BOOLEAN
		    : *end == '\0'                              ? PLUGIN_SETTING_NUMBER
								: PLUGIN_SETTING_TEXT;
	return reload(play);
}

static const struct {
	const char *word;
	bool (*play)(struct play *play, const char *text);
	bool set_up; /* may come before anything is opened */
} words[] = {
	{ "citizen", do_citizen, false }, { "gateway", do_gateway, false },
	{ "dial", do_dial, false },       { "key", do_key, false },
	{ "hang up", do_hang_up, false }, { "screen", do_screen, false },
	{ "end", do_end, false },         { "wait", do_wait, false },
	{ "restart", do_restart, false }, { "plugins", do_plugins, true },
	{ "set", do_set, true },
};

static bool play_line(struct play *play, const struct line *line)
{
	play->line = line;
	for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].word, line->word) != 0)
			continue;
		if (!words[i].set_up && !play->inbox && !open_path(play))
			return false;
		return words[i].play(play, line->text);
	}
	return wrong(play,
		     "'%s' is no word of a transcript; there are citizen, gateway, dial, key, hang "
		     "up, screen, end, wait, restart, plugins "
		     "and set",
		     line->word);
}

/* ---- files ---- */

/* "citizen 2: text".  false: neither that nor empty. */
static bool read_line(char *text, struct line *out)
{
	char *colon = strchr(text, ':'), *digit, *end;
	size_t len;
	long number;

	if (!colon || colon - text >= (ptrdiff_t)sizeof(out->word))
		return false;
	len = (size_t)(colon - text);
	memcpy(out->word, text, len);
	out->word[len] = '\0';
	digit = strrchr(out->word, ' ');
	out->citizen = 0;
	number = digit ? strtol(digit, &end, 10) : 0;
	if (number >= 1 && number <= CITIZENS && *end == '\0') {
		out->citizen = (unsigned)number - 1;
		*digit = '\0';
	}
	out->text = colon + 1 + strspn(colon + 1, " \t");
	return true;
}

/* Plays the file's lines, each with those that go on with it. */
static bool play_lines(struct play *play, FILE *file)
{
	char *text = NULL, *whole = xmalloc(TEXT_BYTES);
	size_t size = 0;
	struct line line = { 0 };
	bool fine = true, have = false;

	for (int number = 1; fine && getline(&text, &size, file) >= 0; number++) {
		text[strcspn(text, "\r\n")] = '\0';
		if (text[0] == '#')
			continue;
		if (have && (text[0] == ' ' || text[0] == '\t')) {
			size_t len = strlen(whole);

			snprintf(whole + len, TEXT_BYTES - len, "\n%s", text + strspn(text, " \t"));
			continue;
		}
		if (have)
			fine = play_line(play, &line);
		have = false;
		if (!fine || text[strspn(text, " \t")] == '\0')
			continue;
		line.number = number;
		play->line = &line;
		snprintf(whole, TEXT_BYTES, "%s", text);
		have = read_line(whole, &line);
		if (!have)
			fine = wrong(play, "a line is \"word: text\"");
	}
	if (fine && have)
		fine = play_line(play, &line);
	if (fine) {
		line.number++;
		fine = nothing_left(play);
	}
	play->line = NULL;
	free(whole);
	free(text);
	return fine;
}

static int remove_cb(const char *path, const struct stat *info UNUSED, int type UNUSED,
		     struct FTW *ftw UNUSED)
{
	return remove(path);
}

/* The plugins that lie around the file, else those of the settings. */
static char *plugins_around(const struct play *play)
{
	char *folder = folder_of(play->path), *around = NULL, *name = strrchr(folder, '/');
	struct stat info;

	if (asprintf(&around, "%s/%s.lua", folder, name ? name + 1 : folder) < 0)
		abort();
	if (stat(around, &info) == 0) {
		free(around);
		if (asprintf(&around, "%s/..", folder) < 0)
			abort();
	} else {
		free(around);
		around = xstrdup(play->settings->plugins);
	}
	free(folder);
	return around;
}

static void clean_up(struct play *play)
{
	close_path(play);
	event_base_free(play->base);
	for (unsigned i = 0; i < CITIZENS; i++) {
		for (unsigned s = 0; s < play->people[i].said_count; s++)
			free(play->people[i].said[s]);
		free(play->people[i].screen);
	}
	nftw(play->folder, remove_cb, 16, FTW_DEPTH | FTW_PHYS);
	settings_free(play->settings);
	arena_free(&play->arena);
	free(play->plugins);
	free(play->failure);
	free(play);
}

static bool set_up(struct play *play)
{
	const char *tmp = getenv("TMPDIR");
	char error[512];

	snprintf(play->folder, sizeof(play->folder), "%.40s/kentongan-XXXXXX", tmp ? tmp : "/tmp");
	play->base = event_base_new();
	if (!mkdtemp(play->folder))
		return wrong(play, "%s: %s", play->folder, strerror(errno));
	if (settings_read(NULL, play->folder, &play->settings, error, sizeof(error)) < 0)
		return wrong(play, "%s", error);
	play->plugins = plugins_around(play);
	clock_fake(START_MS);
	for (unsigned i = 0; i < CITIZENS; i++)
		snprintf(play->people[i].number, sizeof(play->people[i].number), "+62812000000%u",
			 i);
	return true;
}

static bool play_file(const char *path)
{
	struct play *play = xcalloc(1, sizeof(*play));
	FILE *file = fopen(path, "r");
	bool fine;

	play->path = path;
	fine = set_up(play);
	if (fine && !file)
		fine = wrong(play, "%s", strerror(errno));
	fine = fine && play_lines(play, file);
	if (!fine)
		printf("%s\n", play->failure);
	if (file)
		fclose(file);
	clean_up(play);
	return fine;
}

/* ---- the command ---- */

static unsigned passed, failed;

static void play_one(const char *path)
{
	*(play_file(path) ? &passed : &failed) += 1;
	fflush(stdout);
}

static void play_all(const char *path)
{
	struct dirent **entries;
	struct stat info;
	int count;

	if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
		play_one(path);
		return;
	}
	count = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char *below = NULL;
		size_t len = strlen(entries[i]->d_name);

		if (asprintf(&below, "%s/%s", path, entries[i]->d_name) < 0)
			abort();
		if (entries[i]->d_name[0] != '.' && stat(below, &info) == 0 &&
		    (S_ISDIR(info.st_mode) ||
		     (len > 7 && strcmp(below + strlen(below) - 7, ".dialog") == 0)))
			play_all(below);
		free(below);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

int transcript_main(int argc, char **argv)
{
	const char *plugins = getenv("KENTONGAN_PLUGINS");

	if (argc > 1 && argv[1][0] == '-') {
		FILE *out = strcmp(argv[1], "--help") == 0 ? stdout : stderr;

		fprintf(out, "usage: kentongan test [FILE.dialog|FOLDER...]\n"
			     "  plays transcripts, by default those of all plugins; see "
			     "plugins/README.md\n");
		return out == stdout ? 0 : 2;
	}
	evthread_use_pthreads();
	log_set_level(LOG_ERROR);
	passed = failed = 0;
	for (int i = 1; i < argc; i++)
		play_all(argv[i]);
	if (argc == 1)
		play_all(plugins && plugins[0] ? plugins : KENTONGAN_PLUGINS);
	printf("%u passed, %u failed\n", passed, failed);
	return failed > 0 || passed == 0;
}

/* transcript_play.c - one transcript, played line by line.
 *
 * With restart_everywhere all that is in memory is lost between every two lines, so a dialog that passes that way
 * holds nothing that isn't stored.
 */
#include "transcript_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "plugin.h"
#include "settings.h"
#include "world.h"

enum { RECORDS_MAX = 1000 };

struct play {
	const struct play_options *options;
	struct script script;
	struct line behind; /* the script's last line */
	struct world *world;
	struct holes holes;
	bool by_ussd[WORLD_PEOPLE]; /* what she writes are keys */
	bool memory_counts;         /* no restarts between lines */
	const struct line *line;
	char *failure; /* owned; NULL: none */
};

static bool wrong(struct play *play, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool wrong(struct play *play, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	script_fault(&play->failure, play->script.path, play->line ? play->line->number : 0, fmt,
		     args);
	va_end(args);
	return false;
}

/* What the world did, or why it could not. */
static bool did(struct play *play, bool fine)
{
	return fine || wrong(play, "%s", world_error(play->world));
}

static bool differ(struct play *play, const char *what, const char *wanted, const char *said,
		   size_t wanted_at, size_t said_at)
{
	struct buf text = { 0 };

	texts_beside(&text, wanted, said, wanted_at, said_at);
	text.data[--text.len] = '\0'; /* the last newline */
	wrong(play, "%s\n%s", what, text.data);
	buf_free(&text);
	return false;
}

/* Compares, and frees what was said.  said NULL: nothing was. */
static bool compare(struct play *play, const char *wanted, char *said, const char *nothing,
		    const char *other)
{
	size_t wanted_at = 0, said_at = 0;
	bool fine;

	if (!said)
		return differ(play, nothing, wanted, "", 0, 0);
	fine = holes_fit(&play->holes, wanted, said, &wanted_at, &said_at) ||
	       differ(play, other, wanted, said, wanted_at, said_at);
	free(said);
	return fine;
}

static bool nothing_left(struct play *play)
{
	for (unsigned i = 0; i < WORLD_PEOPLE; i++) {
		struct world_person *person = world_person(play->world, i);

		if (person->said_count > 0)
			return wrong(play, "before this the gateway also said to citizen %u:\n%s",
				     i + 1, person->said[0]);
		if (person->screen)
			return wrong(play, "before this the gateway also showed citizen %u:\n%s",
				     i + 1, person->screen);
	}
	return true;
}

static struct world_person *person_of(struct play *play)
{
	return world_person(play->world, play->line->citizen);
}

/* ---- the words ---- */

static bool do_dial(struct play *play, const char *text)
{
	return nothing_left(play) && did(play, world_dial(play->world, play->line->citizen,
							  holes_fill(&play->holes, text)));
}

static bool do_key(struct play *play, const char *text)
{
	return nothing_left(play) && did(play, world_key(play->world, play->line->citizen,
							 holes_fill(&play->holes, text)));
}

static bool do_hang_up(struct play *play, const char *text UNUSED)
{
	play->by_ussd[play->line->citizen] = false;
	return nothing_left(play) && did(play, world_hang_up(play->world, play->line->citizen));
}

static bool do_citizen(struct play *play, const char *text)
{
	if (play->by_ussd[play->line->citizen])
		return do_key(play, text);
	return nothing_left(play) && did(play, world_sms(play->world, play->line->citizen,
							 holes_fill(&play->holes, text)));
}

static bool shows(struct play *play, const char *text, bool more)
{
	if (!compare(play, text, world_seen(play->world, play->line->citizen), "there is no screen",
		     "it shows something else"))
		return false;
	if (person_of(play)->more != more)
		return wrong(play, more ? "the session is over" : "the session goes on");
	return true;
}

static bool do_screen(struct play *play, const char *text)
{
	return shows(play, text, true);
}

static bool do_end(struct play *play, const char *text)
{
	return shows(play, text, false);
}

/* A session's last screen: from here on she writes messages again. */
static bool hear_screen(struct play *play, const char *text)
{
	play->by_ussd[play->line->citizen] = person_of(play)->more;
	return shows(play, text, person_of(play)->more);
}

static bool do_gateway(struct play *play, const char *text)
{
	struct world_person *person = person_of(play);
	bool screen = play->by_ussd[play->line->citizen] && person->screen;

	if (strcmp(text, "(nothing)") == 0) {
		const char *said = screen                   ? person->screen
				   : person->said_count > 0 ? person->said[0]
							    : NULL;

		return !said || differ(play, "nothing was expected", "", said, 0, 0);
	}
	if (screen)
		return hear_screen(play, text);
	return compare(play, text, world_heard(play->world, play->line->citizen),
		       person->screen ? "it is a screen, not a message" : "nothing was said",
		       "it said something else");
}

static bool do_wait(struct play *play, const char *text)
{
	const char *rest;
	int64_t seconds;

	if (!world_span(text, &seconds, &rest))
		return wrong(play,
			     "wait for a time such as 8 days, 3 hours, 10 minutes or 5 seconds");
	world_wait(seconds);
	return true;
}

static bool do_restart(struct play *play, const char *text UNUSED)
{
	return did(play, world_restart(play->world));
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? xmemdup(path, (size_t)(slash - path)) : xstrdup(".");
}

static bool do_plugins(struct play *play, const char *text)
{
	char *folder = folder_of(play->script.path), *plugins = NULL;
	bool fine;

	if (asprintf(&plugins, "%s/%s", folder, text) < 0)
		abort();
	fine = did(play, world_load(play->world, plugins));
	free(plugins);
	free(folder);
	return fine;
}

static bool do_set(struct play *play, const char *text)
{
	char plugin[PLUGIN_NAME_MAX + 1], name[32], value[512] = "";

	if (sscanf(text, "%31[a-z0-9_-].%31[a-z0-9_] = %511[^\n]", plugin, name, value) != 3)
		return wrong(play, "set: PLUGIN.NAME = VALUE");
	return did(play, world_set(play->world, plugin, name, value, play->line->number));
}

/* ---- records ---- */

struct look {
	const char *fields; /* "rating = 1, title = \"Jalan\""; NULL: they are only counted */
	struct play *play;
	unsigned found;
	struct buf rows; /* all of them, for a failure */
};

/* A value as a transcript has it: without quotes, true, false, nil. */
static void value_text(const json_t *value, struct buf *out)
{
	char *text;

	buf_reset(out);
	buf_addstr(out, "");
	if (json_is_string(value)) {
		buf_add(out, json_string_value(value), json_string_length(value));
	} else if (!value || json_is_null(value)) {
		buf_addstr(out, "nil");
	} else {
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
		buf_addstr(out, text ? text : "");
		free(text);
	}
}

/* Takes `name = value` off the front of a list.  false: it is something else. */
static bool take_field(char **list, char **name, char **value)
{
	char *at = *list + strspn(*list, " \n"), *end;

	*name = at;
	at += strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	end = at;
	at += strspn(at, " ");
	if (end == *name || *at != '=')
		return false;
	*end = '\0';
	at += 1 + strspn(at + 1, " ");
	if (*at == '"') {
		*value = ++at;
		end = strchr(at, '"');
		if (!end)
			return false;
		at = end + 1;
		at += strspn(at, " ");
	} else {
		*value = at;
		at += strcspn(at, ",");
		for (end = at; end > *value && end[-1] == ' '; end--)
			;
	}
	if (*at != '\0' && *at != ',')
		return false;
	*list = at + (*at == ',');
	*end = '\0';
	return true;
}

static bool has_fields(struct look *look, const json_t *row)
{
	char *copy = xstrdup(look->fields), *list = copy, *name, *value;
	size_t wanted_at, said_at;
	struct buf text = { 0 };
	bool fine = true;

	while (fine && *list && take_field(&list, &name, &value)) {
		value_text(json_object_get(row, name), &text);
		fine = holes_fit(&look->play->holes, value, text.data, &wanted_at, &said_at);
	}
	buf_free(&text);
	free(copy);
	return fine;
}

static void records_cb(int error UNUSED, const struct record_result *result, void *arg)
{
	struct look *look = arg;

	for (unsigned i = 0; i < result->row_count; i++) {
		json_t *row = json_loadb(result->rows[i].data, result->rows[i].len, 0, NULL);

		if (!look->fields || has_fields(look, row))
			look->found++;
		buf_addf(&look->rows, "\n  %.*s", (int)result->rows[i].len, result->rows[i].data);
		json_decref(row);
	}
}

/* "survey.answers: 3" */
static bool find_table(struct play *play, const char *text, struct record_query *query,
		       const struct record_table **table, const char **rest)
{
	char plugin[PLUGIN_NAME_MAX + 1], name[64];
	struct plugin *found;
	int used = 0;

	if (sscanf(text, "%31[a-z0-9_-].%63[a-z0-9_A-Z]: %n", plugin, name, &used) != 2 || !used) {
		wrong(play, "-- records PLUGIN.TABLE: NUMBER, or -- record PLUGIN.TABLE: field = "
			    "value, field = \"value\"");
		return false;
	}
	found = plugins_find(world_plugins(play->world), plugin);
	*table = found ? bundle_table(found->bundle, name) : NULL;
	if (!*table) {
		wrong(play, "there is no table %s of a plugin %s", name, plugin);
		return false;
	}
	*query = (struct record_query){ .plugin = arena_strdup(&play->script.arena, plugin),
					.table = arena_strdup(&play->script.arena, name),
					.limit = RECORDS_MAX };
	*rest = text + used;
	return true;
}

static bool look_up(struct play *play, const struct record_query *query, struct look *look)
{
	look->play = play;
	return did(play, world_records(play->world, query, records_cb, look));
}

static bool do_records(struct play *play, const char *text)
{
	const struct record_table *table;
	struct record_query query;
	struct look look = { 0 };
	const char *rest;
	unsigned wanted;
	bool fine;
	int used = 0;

	if (!find_table(play, text, &query, &table, &rest))
		return false;
	if (sscanf(rest, "%9u%n", &wanted, &used) != 1 || rest[used])
		return wrong(play, "how many records? -- records %s.%s: 3", query.plugin,
			     query.table);
	fine = look_up(play, &query, &look);
	if (fine && look.found != wanted)
		fine = wrong(play, "%s.%s has %u records, not %u%s", query.plugin, query.table,
			     look.found, wanted, look.rows.data ? look.rows.data : "");
	buf_free(&look.rows);
	return fine;
}

/* That each is a field of the table, so that a mistyped one isn't simply never there. */
static bool check_fields(struct play *play, const struct record_table *table, const char *fields)
{
	char *copy = xstrdup(fields), *list = copy, *name, *value;
	bool fine = *list != '\0';

	while (fine && *list) {
		fine = take_field(&list, &name, &value);
		if (fine && !table_field(table, name)) {
			wrong(play, "the table %s has no field %s", table->name, name);
			free(copy);
			return false;
		}
	}
	free(copy);
	return fine ||
	       wrong(play, "fields are written like this: rating = 1, title = \"Jalan rusak\"");
}

static bool do_record(struct play *play, const char *text)
{
	const struct record_table *table;
	struct record_query query;
	struct look look = { 0 };
	bool fine;

	if (!find_table(play, text, &query, &table, &look.fields) ||
	    !check_fields(play, table, look.fields))
		return false;
	fine = look_up(play, &query, &look);
	if (fine && look.found == 0)
		fine = wrong(play, "no record of %s.%s is like that%s%s", query.plugin, query.table,
			     look.rows.data ? "; there are:" : "; there is none at all",
			     look.rows.data ? look.rows.data : "");
	buf_free(&look.rows);
	return fine;
}

/* ---- stage directions ---- */

static bool do_by_ussd(struct play *play, const char *text)
{
	play->by_ussd[play->line->citizen] = true;
	return do_dial(play, text);
}

static bool do_by_sms(struct play *play, const char *text UNUSED)
{
	play->by_ussd[play->line->citizen] = false;
	return true;
}

static bool do_memory_counts(struct play *play, const char *text UNUSED)
{
	play->memory_counts = true;
	return true;
}

static const struct word {
	const char *word; /* of a direction: how it begins; what follows is its text */
	bool (*play)(struct play *play, const char *text);
	bool set_up; /* may come before anything is opened */
} words[] = {
	{ "citizen", do_citizen, false }, { "gateway", do_gateway, false },
	{ "dial", do_dial, false },       { "key", do_key, false },
	{ "hang up", do_hang_up, false }, { "screen", do_screen, false },
	{ "end", do_end, false },         { "wait", do_wait, false },
	{ "restart", do_restart, false }, { "plugins", do_plugins, true },
	{ "set", do_set, true },
}, directions[] = {
	{ "restart", do_restart, false },
	{ "the call drops", do_hang_up, false },
	{ "by USSD ", do_by_ussd, false },
	{ "by SMS", do_by_sms, false },
	{ "records ", do_records, false },
	{ "record ", do_record, false },
	{ "what is in memory counts", do_memory_counts, true },
};

static bool play_word(struct play *play, const struct word *word, const char *text)
{
	return (word->set_up || did(play, world_open(play->world))) && word->play(play, text);
}

static bool play_direction(struct play *play, const char *text)
{
	const char *rest;
	int64_t seconds;

	for (unsigned i = 0; i < ARRAY_LEN(directions); i++) {
		size_t len = strlen(directions[i].word);

		if (strncmp(text, directions[i].word, len) == 0 &&
		    (directions[i].word[len - 1] == ' ' || text[len] == '\0'))
			return play_word(play, &directions[i],
					 text + len + strspn(text + len, " "));
	}
	if (world_span(text, &seconds, &rest) &&
	    (strcmp(rest, "pass") == 0 || strcmp(rest, "passes") == 0)) {
		world_wait(seconds);
		return true;
	}
	return wrong(
		play,
		"'-- %s' is nothing that can happen; there are -- 2 days pass, -- restart, -- "
		"the call drops, -- by USSD CODE, -- by SMS, -- citizens NAME, NAME, -- records "
		"PLUGIN.TABLE: NUMBER, -- record PLUGIN.TABLE: FIELD = VALUE and -- what is in "
		"memory counts",
		text);
}

static bool play_line(struct play *play, const struct line *line)
{
	play->line = line;
	if (strcmp(line->word, "--") == 0)
		return play_direction(play, line->text);
	for (unsigned i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].word, line->word) == 0)
			return play_word(play, &words[i], line->text);
	return wrong(
		play,
		"'%s' is no word of a transcript and no citizen's name; there are citizen, "
		"gateway, dial, key, hang up, screen, end, wait, restart, plugins and set, and "
		"names after -- citizens NAME, NAME",
		line->word);
}

static bool play_lines(struct play *play)
{
	for (unsigned i = 0; i < play->script.count; i++) {
		play->line = &play->script.lines[i];
		if (play->options->restart_everywhere && !play->memory_counts &&
		    world_is_open(play->world) && !do_restart(play, ""))
			return false;
		if (!play_line(play, play->line))
			return false;
	}
	play->behind = (struct line){ .number = play->line ? play->line->number + 1 : 0 };
	play->line = &play->behind;
	return nothing_left(play);
}

char *transcript_plugins(const char *path, const char *otherwise)
{
	char *folder = folder_of(path), *around = NULL, *name = strrchr(folder, '/');
	struct stat info;

	if (asprintf(&around, "%s/%s.lua", folder, name ? name + 1 : folder) < 0)
		abort();
	if (stat(around, &info) == 0) {
		free(around);
		if (asprintf(&around, "%s/..", folder) < 0)
			abort();
	} else {
		free(around);
		around = xstrdup(otherwise);
	}
	free(folder);
	return around;
}

static bool set_up(struct play *play, const char *path)
{
	char *plugins;
	bool fine;

	script_read(path, &play->script);
	if (play->script.error) {
		play->failure = xstrdup(play->script.error);
		return false;
	}
	play->world = world_new(path, NULL, false);
	if (!world_settings(play->world))
		return did(play, false);
	plugins = transcript_plugins(path, world_settings(play->world)->plugins);
	fine = did(play, world_load(play->world, plugins));
	free(plugins);
	return fine;
}

bool transcript_play(const char *path, const struct play_options *options, char **failure)
{
	struct play play = { .options = options };
	bool fine = set_up(&play, path) && play_lines(&play);

	*failure = play.failure;
	world_free(play.world);
	holes_free(&play.holes);
	script_free(&play.script);
	return fine;
}

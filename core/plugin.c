/* plugin.c - finds, checks and loads plugins.
 *
 * Loading is reading files and running each plugin once in a sandbox of its own; it touches nothing that is live, so a
 * reload does it on a thread beside the loop and hands over a whole new set.  What is wrong with a plugin is kept as its
 * error: one line that names file, line and field.
 */
#include "plugin.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keywords.h"
#include "log.h"
#include "plugin_manifest.h"
#include "plugin_run.h"
#include "plugin_sandbox.h"
#include "settings.h"
#include "settings_priv.h"
#include "utf8.h"

enum { FILES_MAX = 64, FILE_BYTES_MAX = 32 << 10, ERROR_SIZE = 1400 };

/* One plugin while it is loaded. */
struct loader {
	struct plugin_set *set;
	struct plugin *plugin;
	const char *folder; /* of all plugins */
	const struct plugin_setting *values;
	unsigned value_count;
	const char *settings_file;
	struct bundle bundle; /* being gathered */
	struct bundle_file files[FILES_MAX];
	char error[ERROR_SIZE];
};

static bool refuse(struct loader *loader, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool refuse(struct loader *loader, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(loader->error, sizeof(loader->error), fmt, args);
	va_end(args);
	return false;
}

static bool is_name(const char *name, size_t len)
{
	return len >= 1 && len <= PLUGIN_NAME_MAX && islower((unsigned char)name[0]) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") >= len;
}

/* ---- files ---- */

/* The bytes of a file, at most `most`; advice: what to do about a larger one. */
static bool read_bytes(struct loader *loader, const char *path, size_t most, const char *advice,
		       struct bytes *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *data = xmalloc(most + 1);
	ssize_t n = 0;
	size_t len = 0;
	bool fine;

	while (fd >= 0 && len <= most && (n = read(fd, data + len, most + 1 - len)) > 0)
		len += (size_t)n;
	fine = fd >= 0 && n >= 0;
	if (!fine)
		refuse(loader, "%s: %s", path, strerror(errno));
	if (fine && len > most)
		fine = refuse(loader, "%s: the file is larger than %zu bytes%s", path, most,
			      advice);
	if (fine)
		*out = arena_bytes(&loader->set->arena, data, len);
	free(data);
	if (fd >= 0)
		close(fd);
	return fine;
}

static bool read_source(struct loader *loader, const char *path, struct bytes *out)
{
	if (!read_bytes(loader, path, FILE_BYTES_MAX, ": split it and require the parts", out))
		return false;
	return utf8_valid(out->data, out->len) ||
	       refuse(loader, "%s: the file is not valid UTF-8", path);
}

/* Adds folder/stem.lua under a name. */
static bool add_file(struct loader *loader, const char *folder, const char *stem, const char *name)
{
	struct bundle_file *file = &loader->files[loader->bundle.file_count];
	char *path = arena_printf(&loader->set->arena, "%s/%s.lua", folder, stem);

	if (loader->bundle.file_count == FILES_MAX)
		return refuse(loader, "%s: a plugin has at most %d files", folder, FILES_MAX);
	file->name = name;
	if (!read_source(loader, path, &file->source))
		return false;
	loader->bundle.file_count++;
	return true;
}

/* The names of *.lua in a folder, without that, in order; -1: it can't be read. */
static int list_stems(struct arena *arena, const char *folder, char ***out)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, alphasort), stems = 0;

	*out = arena_alloc(arena, (size_t)(count > 0 ? count : 0) * sizeof(**out) + 1);
	for (int i = 0; i < count; i++) {
		size_t len = strlen(entries[i]->d_name);

		if (len > 4 && strcmp(entries[i]->d_name + len - 4, ".lua") == 0 &&
		    is_name(entries[i]->d_name, len - 4))
			(*out)[stems++] = arena_memdup(arena, entries[i]->d_name, len - 4);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return count < 0 ? -1 : stems;
}

/* Whether a file of the bundle names this one in quotes, as require "lib.dates" does. */
static bool is_named(const struct loader *loader, const char *name)
{
	char quoted[2][PLUGIN_NAME_MAX + 16];

	snprintf(quoted[0], sizeof(quoted[0]), "\"%s\"", name);
	snprintf(quoted[1], sizeof(quoted[1]), "'%s'", name);
	for (unsigned i = 0; i < loader->bundle.file_count; i++)
		for (unsigned q = 0; q < 2; q++)
			if (memmem(loader->files[i].source.data, loader->files[i].source.len,
				   quoted[q], strlen(quoted[q])))
				return true;
	return false;
}

/* The parts of plugins/lib that this one names, and those that they name. */
static bool add_library(struct loader *loader)
{
	struct arena *arena = &loader->set->arena;
	const char *folder = arena_printf(arena, "%s/lib", loader->folder);
	char **stems;
	int count = list_stems(arena, folder, &stems);
	bool more = true;

	while (more) {
		more = false;
		for (int i = 0; i < count; i++) {
			char *name = stems[i] ? arena_printf(arena, "lib.%s", stems[i]) : NULL;

			if (!name || !is_named(loader, name))
				continue;
			if (!add_file(loader, folder, stems[i], name))
				return false;
			stems[i] = NULL;
			more = true;
		}
	}
	return true;
}

static bool add_files(struct loader *loader)
{
	struct arena *arena = &loader->set->arena;
	const char *folder = arena_printf(arena, "%s/%s", loader->folder, loader->plugin->name);
	char **stems;
	int count = list_stems(arena, folder, &stems);

	if (!add_file(loader, folder, loader->plugin->name, loader->plugin->name))
		return false;
	for (int i = 0; i < count; i++)
		if (strcmp(stems[i], loader->plugin->name) != 0 &&
		    !add_file(loader, folder, stems[i], stems[i]))
			return false;
	return add_library(loader);
}

/* ---- the manifest ---- */

static int any_table(lua_State *L)
{
	lua_newtable(L);
	return 1;
}

static int nothing(lua_State *L UNUSED)
{
	return 0;
}

/* For the file's own sake, which may name what it needs at its top: what the plugin really may touch is known afterwards. */
static void provide_stand_ins(lua_State *L, void *arg)
{
	static const char *const tables[] = { "records", "tables" };
	struct sandbox *sandbox = arg;

	for (unsigned i = 0; i < ARRAY_LEN(tables); i++) {
		lua_newtable(L);
		lua_newtable(L);
		lua_pushcfunction(L, any_table);
		lua_setfield(L, -2, "__index");
		lua_setmetatable(L, -2);
		sandbox_provide(sandbox, tables[i]);
	}
	lua_pushcfunction(L, nothing);
	sandbox_provide(sandbox, "code");
	lua_pushcfunction(L, nothing);
	sandbox_provide(sandbox, "log");
}

struct reading {
	struct sandbox_run *run;
	struct manifest *manifest;
	bool fine;
};

static void read_manifest(lua_State *L UNUSED, void *arg)
{
	struct reading *reading = arg;

	reading->fine = manifest_read(sandbox_run_thread(reading->run), reading->manifest);
}

/* The first: a function in the manifest may have locals of that name behind it. */
static int first_line_of(const struct field_lines *lines, const char *path)
{
	for (unsigned i = 0; i < lines->count; i++)
		if (strcmp(lines->rows[i].path, path) == 0)
			return lines->rows[i].line;
	return 0;
}

/* The line of a field in the manifest: the table that the file returns. */
static int line_of(struct loader *loader, const char *field)
{
	struct bytes source = loader->files[0].source;
	struct field_lines lines;
	const char *at = source.data, *found = NULL;
	int before = 0, line = 0;
	char *path = arena_strdup(&loader->set->arena, field);

	for (const char *next = at; (next = strstr(next, "return {")); next++)
		if (next == at || next[-1] == '\n')
			found = next;
	if (!found || !field[0])
		return 0;
	for (const char *c = at; c < found; c++)
		before += *c == '\n';
	found += strlen("return {");
	lines = settings_scan(&loader->set->arena,
			      (struct bytes){ found, source.len - (size_t)(found - at) });
	while (path[0] && (line = first_line_of(&lines, path)) == 0) {
		char *dot = strrchr(path, '.');

		*(dot ? dot : path) = '\0'; /* the field around it */
	}
	return line > 0 ? before + line : 0;
}

static bool wrong_field(struct loader *loader, const char *field, const char *why)
{
	int line = line_of(loader, field);
	char where[32] = "";

	if (line > 0)
		snprintf(where, sizeof(where), ":%d", line);
	return refuse(loader, "%s%s: %s%s%s", loader->plugin->path, where, field,
		      field[0] ? ": " : "", why);
}

/* Runs the file once, and reads what it returns. */
static bool run_file(struct loader *loader, struct sandbox *sandbox, struct manifest *manifest)
{
	struct reading reading = { .manifest = manifest };
	bool fine = false;

	if (!sandbox_protected(sandbox, provide_stand_ins, sandbox))
		return refuse(loader, "%s: out of memory", loader->plugin->path);
	for (unsigned i = 0; i < loader->bundle.file_count; i++)
		if (!sandbox_add(sandbox, loader->files[i].name, loader->files[i].source.data,
				 loader->files[i].source.len, loader->error, sizeof(loader->error)))
			return false;
	reading.run = sandbox_run_new(sandbox, NULL);
	if (sandbox_run_load(reading.run, loader->files[0].name) != SANDBOX_DONE)
		refuse(loader, "%s", sandbox_run_error(reading.run));
	else if (!sandbox_protected(sandbox, read_manifest, &reading))
		refuse(loader, "%s: the manifest can't be read", loader->plugin->path);
	else
		fine = reading.fine || wrong_field(loader, manifest->field, manifest->why);
	sandbox_run_free(reading.run);
	return fine;
}

static bool load_manifest(struct loader *loader)
{
	struct manifest manifest = { .arena = &loader->set->arena, .plugin = loader->plugin };
	struct sandbox *sandbox = sandbox_new(&sandbox_default_limits);
	bool fine = run_file(loader, sandbox, &manifest);

	sandbox_free(sandbox);
	loader->bundle.tables = manifest.tables;
	loader->bundle.table_count = manifest.table_count;
	loader->bundle.records = manifest.records;
	loader->bundle.data = manifest.data;
	loader->bundle.data_count = manifest.data_count;
	return fine;
}

/* ---- tables of data ---- */

static const char *folder_of(const struct loader *loader)
{
	return arena_printf(&loader->set->arena, "%s/%s", loader->folder, loader->plugin->name);
}

static bool add_data(struct loader *loader)
{
	const char *folder = folder_of(loader);

	for (unsigned i = 0; i < loader->bundle.data_count; i++) {
		struct data_table *table = &loader->bundle.data[i];
		const char *path = arena_printf(&loader->set->arena, "%s/%s", folder, table->file);

		if (!read_bytes(loader, path, DATA_BYTES_MAX, "", &table->content))
			return false;
	}
	return true;
}

/* ---- settings ---- */

static bool wrong_value(struct loader *loader, const struct plugin_setting *value, const char *why)
{
	return refuse(loader, "%s:%d: plugin_settings.%s.%s: %s", loader->settings_file,
		      value->line, value->plugin, value->name, why);
}

static bool in_bounds(struct loader *loader, const struct plugin_setting_row *row,
		      const struct plugin_setting *value)
{
	struct bytes text = { value->text, strlen(value->text) };
	double n = row->type == SETTING_IS_TEXT ? (double)utf8_length(text) : value->number;
	char why[128];

	if (!row->has_bounds || row->type == SETTING_IS_BOOLEAN || (n >= row->min && n <= row->max))
		return true;
	snprintf(why, sizeof(why), "must %s %g to %g",
		 row->type == SETTING_IS_TEXT ? "have characters from" : "be from", row->min,
		 row->max);
	return wrong_value(loader, value, why);
}

static bool is_choice(const struct plugin_setting_row *row, const char *text)
{
	for (const char *const *choice = row->choices; choice && *choice; choice++)
		if (strcmp(*choice, text) == 0)
			return true;
	return !row->choices;
}

/* Takes the operator's value, where it is of the row's type. */
static bool take_value(struct loader *loader, const struct plugin_setting_row *row,
		       const struct plugin_setting *value, struct bundle_setting *out)
{
	static const char *const wanted[] = {
		[SETTING_IS_TEXT] = "must be a text",
		[SETTING_IS_INTEGER] = "must be a whole number",
		[SETTING_IS_NUMBER] = "must be a number",
		[SETTING_IS_BOOLEAN] = "must be true or false",
	};
	static const int types[] = {
		[SETTING_IS_TEXT] = PLUGIN_SETTING_TEXT,
		[SETTING_IS_INTEGER] = PLUGIN_SETTING_NUMBER,
		[SETTING_IS_NUMBER] = PLUGIN_SETTING_NUMBER,
		[SETTING_IS_BOOLEAN] = PLUGIN_SETTING_BOOLEAN,
	};
	struct buf allowed = { 0 };

	if ((int)value->type != types[row->type] ||
	    (row->type == SETTING_IS_INTEGER && value->number != (double)(int64_t)value->number))
		return wrong_value(loader, value, wanted[row->type]);
	if (!is_choice(row, value->text)) {
		buf_addstr(&allowed, "must be one of");
		for (const char *const *choice = row->choices; *choice; choice++)
			buf_addf(&allowed, " \"%s\"", *choice);
		wrong_value(loader, value, allowed.data);
		buf_free(&allowed);
		return false;
	}
	out->text = arena_bytes(&loader->set->arena, value->text, strlen(value->text));
	out->number = value->number;
	out->integer = row->type == SETTING_IS_BOOLEAN ? value->boolean : (int64_t)value->number;
	return in_bounds(loader, row, value);
}

static const struct plugin_setting_row *find_row(const struct plugin *plugin, const char *name)
{
	for (unsigned i = 0; i < plugin->setting_count; i++)
		if (strcmp(plugin->settings[i].name, name) == 0)
			return &plugin->settings[i];
	return NULL;
}

static bool unknown_setting(struct loader *loader, const struct plugin_setting *value)
{
	struct buf names = { 0 };

	buf_addstr(&names, "the plugin has no such setting; it has");
	for (unsigned i = 0; i < loader->plugin->setting_count; i++)
		buf_addf(&names, "%s %s", i > 0 ? "," : "", loader->plugin->settings[i].name);
	if (loader->plugin->setting_count == 0)
		buf_addstr(&names, " none");
	wrong_value(loader, value, names.data);
	buf_free(&names);
	return false;
}

static bool take_settings(struct loader *loader)
{
	struct plugin *plugin = loader->plugin;
	struct bundle_setting *out = arena_alloc(&loader->set->arena,
						 (plugin->setting_count + 1) * sizeof(*out));

	for (unsigned i = 0; i < plugin->setting_count; i++)
		out[i] = plugin->settings[i].def;
	for (unsigned i = 0; i < loader->value_count; i++) {
		const struct plugin_setting *value = &loader->values[i];
		const struct plugin_setting_row *row = find_row(plugin, value->name);

		if (strcmp(value->plugin, plugin->name) != 0)
			continue;
		if (!row)
			return unknown_setting(loader, value);
		if (!take_value(loader, row, value, &out[row - plugin->settings]))
			return false;
	}
	loader->bundle.settings = out;
	loader->bundle.setting_count = plugin->setting_count;
	return true;
}

/* ---- the bundle ---- */

/* Makes the bundle, and runs the file as a worker would: with what the plugin may touch and no more. */
static bool make_bundle(struct loader *loader)
{
	struct plugin *plugin = loader->plugin;
	struct buf content = { 0 };
	struct program *program;
	struct run *run = NULL;

	loader->bundle.plugin = plugin->name;
	loader->bundle.files = loader->files;
	bundle_encode(&content, &loader->bundle);
	plugin->bundle = bundle_new((struct bytes){ content.data, content.len });
	buf_free(&content);
	if (!plugin->bundle)
		return refuse(loader, "%s: the plugin is larger than %d bytes", plugin->path,
			      BUNDLE_CONTENT_MAX);
	if (!bundle_index(plugin->bundle, folder_of(loader), loader->error, sizeof(loader->error)))
		return false;
	program = program_new(plugin->bundle, loader->error, sizeof(loader->error));
	if (program)
		run = run_new(program, plugin->dialogs[0], loader->error, sizeof(loader->error));
	run_free(run);
	program_free(program);
	return run != NULL;
}

/* ---- between plugins ---- */

static struct plugin *with_keyword(const struct plugin_set *set, const char *keyword)
{
	const char *dialog;

	return plugins_keyword(set, keyword, &dialog);
}

/* No other plugin has one of these words. */
static bool check_words(struct loader *loader, const char *where, const struct plugin_keyword *rows,
			unsigned count)
{
	char field[96], why[160];

	for (unsigned i = 0; i < count; i++) {
		const struct plugin *other = with_keyword(loader->set, rows[i].keyword);

		if (!other)
			continue;
		snprintf(field, sizeof(field), "triggers.%s.%s", where, rows[i].keyword);
		snprintf(why, sizeof(why), "the plugin %s has this keyword already", other->name);
		return wrong_field(loader, field, why);
	}
	return true;
}

static bool check_unique(struct loader *loader)
{
	struct plugin *plugin = loader->plugin, *other;
	const char *dialog;
	char field[96], why[160];

	if (!check_words(loader, "keywords", plugin->keywords, plugin->keyword_count) ||
	    !check_words(loader, "aliases", plugin->aliases, plugin->alias_count) ||
	    !check_words(loader, "prefixes", plugin->prefixes, plugin->prefix_count))
		return false;
	for (enum topic topic = 0; topic < TOPICS; topic++) {
		other = plugin->texts[topic] ? plugins_topic(loader->set, topic, &dialog) : NULL;
		snprintf(field, sizeof(field), "triggers.texts.%s", topic_names[topic]);
		snprintf(why, sizeof(why), "the plugin %s takes these texts already",
			 other ? other->name : "");
		if (other)
			return wrong_field(loader, field, why);
	}
	for (unsigned i = 0; i < plugin->anchor_count; i++) {
		other = plugins_anchor(loader->set, plugin->anchors[i].anchor, &dialog);
		snprintf(why, sizeof(why), "the plugin %s has the number %s in the menu already",
			 other ? other->name : "", plugin->anchors[i].anchor);
		if (other)
			return wrong_field(loader, "triggers.ussd", why);
	}
	return true;
}

static void load_one(struct loader *loader)
{
	struct plugin *plugin = loader->plugin;

	if (add_files(loader) && load_manifest(loader) && check_unique(loader) &&
	    take_settings(loader) && add_data(loader) && make_bundle(loader)) {
		plugin->error = NULL;
		return;
	}
	bundle_unref(plugin->bundle);
	plugin->bundle = NULL;
	plugin->error = arena_strdup(&loader->set->arena, loader->error);
}

static bool has_file(const char *folder, const char *name)
{
	char path[4096];
	struct stat info;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return stat(path, &info) == 0 && S_ISDIR(info.st_mode) && strcmp(name, "telco") != 0 &&
	       strcmp(name, "lib") != 0 && name[0] != '.';
}

static void add_plugin(struct plugin_set *set, const char *folder, const char *name,
		       const struct loader *settings)
{
	struct loader *loader = xcalloc(1, sizeof(*loader));
	struct plugin *plugin = &set->plugins[set->count];

	loader->set = set;
	loader->plugin = plugin;
	loader->folder = folder;
	loader->values = settings->values;
	loader->value_count = settings->value_count;
	loader->settings_file = settings->settings_file;
	plugin->name = arena_strdup(&set->arena, name);
	plugin->path = arena_printf(&set->arena, "%s/%s/%s.lua", folder, name, name);
	plugin->error = "";
	if (is_name(name, strlen(name)))
		load_one(loader);
	else
		plugin->error = arena_printf(
			&set->arena,
			"%s/%s: a plugin's name is made of a-z, 0-9, _ and -, begins with a letter "
			"and has at most %d of them",
			folder, name, PLUGIN_NAME_MAX);
	set->count++; /* from here on others find it */
	free(loader);
}

/* Also one that could not be loaded: its own error says why. */
static bool is_there(const struct plugin_set *set, const char *name)
{
	for (unsigned i = 0; i < set->count; i++)
		if (strcmp(set->plugins[i].name, name) == 0)
			return true;
	return false;
}

int plugins_load(const char *folder, const struct plugin_setting *values, unsigned value_count,
		 const char *settings_file, struct plugin_set **out, char *error_text,
		 size_t error_size)
{
	struct loader settings = { .values = values,
				   .value_count = value_count,
				   .settings_file = settings_file };
	struct plugin_set *set = xcalloc(1, sizeof(*set));
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, alphasort);

	if (count < 0) {
		int rc = -errno;

		snprintf(error_text, error_size,
			 "%s: the folder of plugins can't be read: %s; the setting `plugins` names "
			 "it",
			 folder, strerror(-rc));
		free(set);
		return rc;
	}
	set->plugins = arena_alloc(&set->arena, PLUGINS_MAX * sizeof(*set->plugins));
	for (int i = 0; i < count; i++) {
		if (has_file(folder, entries[i]->d_name) && set->count < PLUGINS_MAX)
			add_plugin(set, folder, entries[i]->d_name, &settings);
		free(entries[i]);
	}
	free(entries);
	keywords_index(set);
	for (unsigned i = 0; i < value_count; i++)
		if (!is_there(set, values[i].plugin))
			log_event(LOG_WARN, "plugin.settings_unused", "sfile", settings_file,
				  "iline", (int64_t)values[i].line, "splugin", values[i].plugin,
				  "swhat", "there is no such plugin, or it isn't loaded", NULL);
	*out = set;
	return 0;
}

void plugins_free(struct plugin_set *set)
{
	if (!set)
		return;
	for (unsigned i = 0; i < set->count; i++)
		bundle_unref(set->plugins[i].bundle);
	arena_free(&set->arena);
	free(set);
}

void plugins_log(const struct plugin_set *set)
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->plugins[i].error)
			log_event(LOG_ERROR, "plugin.not_loaded", "splugin", set->plugins[i].name,
				  "serror", set->plugins[i].error, NULL);
}

/* ---- finding ---- */

struct plugin *plugins_find(const struct plugin_set *set, const char *name)
{
	for (unsigned i = 0; i < set->count; i++)
		if (!set->plugins[i].error && strcmp(set->plugins[i].name, name) == 0)
			return &set->plugins[i];
	return NULL;
}

static const char *dialog_of(const struct plugin_keyword *rows, unsigned count, const char *keyword)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(rows[i].keyword, keyword) == 0)
			return rows[i].dialog;
	return NULL;
}

struct plugin *plugins_keyword(const struct plugin_set *set, const char *keyword,
			       const char **dialog)
{
	for (unsigned i = 0; i < set->count; i++) {
		struct plugin *plugin = &set->plugins[i];

		if (plugin->error)
			continue;
		*dialog = dialog_of(plugin->keywords, plugin->keyword_count, keyword);
		if (!*dialog)
			*dialog = dialog_of(plugin->aliases, plugin->alias_count, keyword);
		if (!*dialog)
			*dialog = dialog_of(plugin->prefixes, plugin->prefix_count, keyword);
		if (*dialog)
			return plugin;
	}
	return NULL;
}

struct plugin *plugins_topic(const struct plugin_set *set, enum topic topic, const char **dialog)
{
	for (unsigned i = 0; i < set->count; i++)
		if (!set->plugins[i].error && set->plugins[i].texts[topic]) {
			*dialog = set->plugins[i].texts[topic];
			return &set->plugins[i];
		}
	return NULL;
}

struct plugin *plugins_anchor(const struct plugin_set *set, const char *anchor, const char **dialog)
{
	for (unsigned i = 0; i < set->count; i++) {
		struct plugin *plugin = &set->plugins[i];

		for (unsigned k = 0; !plugin->error && k < plugin->anchor_count; k++)
			if (strcmp(plugin->anchors[k].anchor, anchor) == 0) {
				*dialog = plugin->anchors[k].dialog;
				return plugin;
			}
	}
	return NULL;
}

const char *plugin_keyword_of(const struct plugin_set *set, const char *name, const char *dialog)
{
	const struct plugin *plugin = plugins_find(set, name);
	const char *best = NULL;

	for (unsigned k = 0; plugin && k < plugin->keyword_count; k++) {
		const struct plugin_keyword *keyword = &plugin->keywords[k];

		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): each row has its keyword */
		if (strcmp(keyword->dialog, dialog) == 0 && !strchr(keyword->keyword, ' ') &&
		    (!best || strlen(keyword->keyword) > strlen(best)))
			best = keyword->keyword;
	}
	if (!best && plugin && plugin->keyword_count > 0)
		best = plugin->keywords[0].keyword;
	return best;
}

/* One keyword for each dialog, as long as they fit. */
static bool add_keywords(const struct plugin_set *set, const struct plugin *plugin, struct buf *out,
			 size_t most)
{
	for (unsigned i = 0; i < plugin->dialog_count; i++) {
		const char *keyword = plugin_keyword_of(set, plugin->name, plugin->dialogs[i]);
		const char *dialog;

		if (!keyword || !plugins_keyword(set, keyword, &dialog) ||
		    strcmp(dialog, plugin->dialogs[i]) != 0)
			continue; /* it is begun by a number in the menu alone */
		if (out->len + strlen(keyword) + (out->len > 0 ? 2 : 0) > most)
			return false;
		buf_addf(out, "%s%s", out->len > 0 ? ", " : "", keyword);
	}
	return true;
}

const char *plugins_keywords(const struct plugin_set *set, struct arena *arena, size_t most)
{
	struct buf out = { 0 };
	const char *text;

	for (unsigned i = 0; i < set->count; i++)
		if (!set->plugins[i].error && !set->plugins[i].paused &&
		    !add_keywords(set, &set->plugins[i], &out, most))
			break;
	text = arena_strdup(arena, out.data ? out.data : "");
	buf_free(&out);
	return text;
}

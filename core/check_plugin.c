/* check_plugin.c - a plugin's dialogs, records and settings.
 *
 * Each dialog is explored on both channels and for several kinds of citizen, with the settings as they are, and with each other value of
 * those that have but a few; they share the budget of the dialog.
 */
#include <stdio.h>
#include <string.h>

#include "check_priv.h"

/* ---- source ---- */

/* The line of the plugin's own file where a word is set: `word =`. */
static int line_of(const struct plugin *plugin, const char *word)
{
	struct bytes source = plugin->bundle->files[0].source;
	size_t len = strlen(word);
	int line = 1;

	for (size_t i = 0; i + len < source.len; i++) {
		const char *at = source.data + i;
		size_t blanks = strspn(at + len, " \t");

		if (*at == '\n')
			line++;
		else if (strncmp(at, word, len) == 0 && at[len + blanks] == '=' &&
			 (i == 0 || strchr(" \t\n{,", at[-1])))
			return line;
	}
	return 0;
}

static bool has_word(const struct plugin *plugin, const char *word)
{
	for (unsigned i = 0; i < plugin->bundle->file_count; i++)
		if (memmem(plugin->bundle->files[i].source.data,
			   plugin->bundle->files[i].source.len, word, strlen(word)))
			return true;
	return false;
}

/* ---- a plugin ---- */

static const struct profile_try profiles[] = {
	{ { "id", "", "" }, NULL },
	{ { "id", "Siti Rahayu", "35.22.01.2001" }, "citizen.name" },
	{ { "id", "Siti Rahayu", "35.22.01.2001" }, "citizen.area" },
	{ { "jv", "", "" }, "language" },
	{ { "en", "", "" }, "language" },
};

static bool is_tried(const struct plugin *plugin, unsigned profile)
{
	if (profiles[profile].needs && !has_word(plugin, profiles[profile].needs))
		return false;
	return profile != 2 || !is_tried(plugin, 1); /* the same citizen */
}

static bool has_start(const struct plugin *plugin, const char *dialog, enum channel channel)
{
	for (unsigned i = 0; channel == CHANNEL_SMS && i < plugin->keyword_count; i++)
		if (strcmp(plugin->keywords[i].dialog, dialog) == 0)
			return true;
	for (unsigned i = 0; channel == CHANNEL_USSD && i < plugin->anchor_count; i++)
		if (strcmp(plugin->anchors[i].dialog, dialog) == 0)
			return true;
	return false;
}

static void check_dialog(struct check *check, const struct plugin *plugin, const char *dialog,
			 const char *variant, unsigned variants, struct plugin_use *use)
{
	static const enum channel channels[] = { CHANNEL_SMS, CHANNEL_USSD };
	unsigned ways = 0, count = 0, share;

	for (unsigned i = 0; i < ARRAY_LEN(profiles); i++)
		count += is_tried(plugin, i);
	for (unsigned c = 0; c < ARRAY_LEN(channels); c++)
		ways += has_start(plugin, dialog, channels[c]);
	if (ways == 0) {
		check_add(check, FOUND_UNREACHED, plugin->path, line_of(plugin, dialog), 0,
			  "no keyword and no code leads to the dialog '%s'", dialog);
		return;
	}
	share = ways * count * variants;
	for (unsigned i = 0; i < ARRAY_LEN(profiles) * ARRAY_LEN(channels); i++) {
		struct explore explore = { .check = check,
					   .plugin = plugin,
					   .dialog = dialog,
					   .channel = channels[i % 2],
					   .citizen = &profiles[i / 2].citizen,
					   .variant = variant,
					   .use = use,
					   .budget = (check->budget + share - 1) / share,
					   .ms = check->seconds * 1000 / share };

		if (is_tried(plugin, i / 2) && has_start(plugin, dialog, channels[i % 2]))
			check_explore(&explore);
	}
}

static void check_indexes(struct check *check, const struct plugin *plugin,
			  const struct record_table *table, const struct table_use *use)
{
	for (unsigned i = 0; i < table->field_count; i++)
		if (table->fields[i].indexed && !use->fields[i])
			check_add(check, FOUND_INDEX, plugin->path, line_of(plugin, table->name), i,
				  "no dialog searches records.%s by '%s': its index is of no use",
				  table->name, table->fields[i].name);
}

/* What no way has touched; with a budget that was too small nothing is said. */
static void check_tables(struct check *check, const struct plugin *plugin,
			 const struct plugin_use *use)
{
	const struct bundle *bundle = plugin->bundle;

	for (unsigned i = 0; use->untried == 0 && i < bundle->table_count; i++) {
		const struct record_table *table = &bundle->tables[i];
		const struct table_use *of = &use->tables[i];
		int line = line_of(plugin, table->name);

		if (!of->read && !of->written)
			check_add(check, FOUND_TABLE, plugin->path, line, 0,
				  "no dialog uses records.%s", table->name);
		else if (!of->read)
			check_add(check, FOUND_TABLE, plugin->path, line, 0,
				  "no dialog reads records.%s", table->name);
		else
			check_indexes(check, plugin, table, of);
	}
}

static void print_use(const struct check *check, const struct plugin *plugin,
		      const struct plugin_use *use)
{
	if (check->json)
		return;
	printf("%s: %u runs, %u states; at most: questions %u%s, SMS segments %u\n", plugin->name,
	       use->runs, use->states, use->longest, use->loops ? " (and circles)" : "", use->cost);
	if (use->untried > 0)
		printf("%s: %u runs and %u seconds for a dialog left %u answers untried, the first "
		       "of them at %s.lua:%d\n",
		       plugin->name, check->budget, check->seconds, use->untried,
		       use->untried_at.file, use->untried_at.line);
}

static struct table_use *new_tables(struct arena *arena, const struct bundle *bundle)
{
	struct table_use *tables = arena_alloc(arena, (bundle->table_count + 1) * sizeof(*tables));

	for (unsigned i = 0; i < bundle->table_count; i++)
		tables[i].fields = arena_alloc(arena, (bundle->tables[i].field_count + 1) *
							      sizeof(*tables[i].fields));
	return tables;
}

/* ---- settings ---- */

static const struct bundle_setting *setting_of(const struct plugin *plugin, const char *name)
{
	for (unsigned i = 0; i < plugin->bundle->setting_count; i++)
		if (strcmp(plugin->bundle->settings[i].name, name) == 0)
			return &plugin->bundle->settings[i];
	return NULL;
}

/* Other values of a setting that has but a few, in turn; false: no more. */
static bool other_value(const struct plugin *plugin, const struct plugin_setting_row *row,
			unsigned *at, struct plugin_setting *out)
{
	const struct bundle_setting *now = setting_of(plugin, row->name);

	*out = (struct plugin_setting){ .plugin = plugin->name, .name = row->name };
	if (now && row->type == SETTING_IS_BOOLEAN && (*at)++ == 0) {
		out->type = PLUGIN_SETTING_BOOLEAN;
		out->boolean = now->integer == 0;
		out->text = out->boolean ? "true" : "false";
		out->number = out->boolean;
		return true;
	}
	while (now && row->choices && row->choices[*at]) {
		out->type = PLUGIN_SETTING_TEXT;
		out->text = row->choices[(*at)++];
		if (strlen(out->text) != now->text.len ||
		    memcmp(out->text, now->text.data, now->text.len) != 0)
			return true;
	}
	return false;
}

/* The plugins with one setting of one of them changed. */
static struct plugin_set *load_with(const struct check *check, const char *folder,
				    const struct plugin_setting *value)
{
	const struct settings *settings = check->settings;
	unsigned count = 0;
	struct plugin_setting *values = xcalloc(settings->plugin_setting_count + 1,
						sizeof(*values));
	struct plugin_set *set = NULL;
	char error[1024];

	for (unsigned i = 0; i < settings->plugin_setting_count; i++)
		if (strcmp(settings->plugin_settings[i].plugin, value->plugin) != 0 ||
		    strcmp(settings->plugin_settings[i].name, value->name) != 0)
			values[count++] = settings->plugin_settings[i];
	values[count++] = *value;
	if (plugins_load(folder, values, count, settings->file, &set, error, sizeof(error)) < 0)
		set = NULL;
	free(values);
	return set;
}

/* Each value by itself: all of them with all others would be too many. */
static void check_values(struct check *check, const struct plugin *plugin, const char *folder,
			 unsigned variants, struct plugin_use *use)
{
	for (unsigned i = 0; i < plugin->setting_count; i++) {
		struct plugin_setting value;
		unsigned at = 0;

		while (other_value(plugin, &plugin->settings[i], &at, &value)) {
			struct plugin_set *set = load_with(check, folder, &value);
			const struct plugin *with = set ? plugins_find(set, plugin->name) : NULL;
			const char *variant = arena_printf(&check->arena, "%s = %s", value.name,
							   value.text);

			for (unsigned d = 0; with && d < with->dialog_count; d++)
				check_dialog(check, with, with->dialogs[d], variant, variants, use);
			plugins_free(set);
		}
	}
}

static unsigned count_variants(const struct plugin *plugin)
{
	unsigned count = 1;

	for (unsigned i = 0; i < plugin->setting_count; i++) {
		struct plugin_setting value;
		unsigned at = 0;

		while (other_value(plugin, &plugin->settings[i], &at, &value))
			count++;
	}
	return count;
}

/* ---- all of a plugin ---- */

/* "FILE:LINE: what", as the loader says it. */
static void check_error(struct check *check, const struct plugin *plugin)
{
	char *error = arena_strdup(&check->arena, plugin->error), *colon = strchr(error, ':');
	int line = 0, at = 0;

	if (colon && sscanf(colon, ":%d: %n", &line, &at) == 1 && at > 0) {
		*colon = '\0';
		check_add(check, FOUND_LOAD, error, line, 0, "%s", colon + at);
	} else {
		check_add(check, FOUND_LOAD, plugin->path, 0, 0, "%s", error);
	}
}

void check_plugin(struct check *check, const struct plugin *plugin, const char *folder)
{
	unsigned first = check->finding_count, variants;
	struct plugin_use use = { 0 };

	if (plugin->error) {
		check_error(check, plugin);
		check_tell(check, first);
		return;
	}
	use.tables = new_tables(&check->arena, plugin->bundle);
	variants = count_variants(plugin);
	for (unsigned i = 0; i < plugin->dialog_count; i++)
		check_dialog(check, plugin, plugin->dialogs[i], NULL, variants, &use);
	check_values(check, plugin, folder, variants, &use);
	check_tables(check, plugin, &use);
	check_tell(check, first);
	print_use(check, plugin, &use);
}

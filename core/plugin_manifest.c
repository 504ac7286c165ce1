/* plugin_manifest.c - what a plugin's file returns, checked field by field.
 *
 * The first thing that is wrong is told with the field's path and what is allowed; tables are walked in the order
 * of their keys, so that it is always the same one.  What a later issue brings is refused with its name rather than
 * passed over: a plugin that counts on it must not go live.
 */
#include "plugin_manifest.h"

#include <ctype.h>
#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plugin_keys.h"
#include "utf8.h"
#include "words.h"

enum {
	SUMMARY_MAX = 160,
	LABEL_MAX = 40, /* bytes of a line in the root menu */
	KEYWORD_MAX = 20,
	IDENTIFIER_MAX = 31,
	ROWS_MAX = 64, /* of each table in the manifest */
	FILE_NAME_MAX = 64,
	COLUMN_MAX = 120,
};

struct reader {
	lua_State *L;
	struct manifest *manifest;
	int top; /* index of the manifest */
};

static bool refuse(struct reader *reader, const char *field, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
static bool refuse(struct reader *reader, const char *field, const char *fmt, ...)
{
	struct manifest *manifest = reader->manifest;
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	manifest->field = arena_strdup(manifest->arena, field);
	manifest->why = arena_strdup(manifest->arena, text);
	return false;
}

static bool is_identifier(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= IDENTIFIER_MAX && islower((unsigned char)text[0]) &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

static int push_field(lua_State *L, int table, const char *name)
{
	table = lua_absindex(L, table);
	lua_pushstring(L, name);
	return lua_rawget(L, table);
}

/* The text at idx without NUL, or NULL. */
static const char *text_at(lua_State *L, int idx)
{
	size_t len;
	const char *text = lua_type(L, idx) == LUA_TSTRING ? lua_tolstring(L, idx, &len) : NULL;

	return text && strlen(text) == len && utf8_valid(text, len) ? text : NULL;
}

static char *path_of(struct reader *reader, const char *at, const char *name)
{
	return arena_printf(reader->manifest->arena, at[0] ? "%s.%s" : "%s%s", at, name);
}

/* The names in a table at the top of the stack, in order; each a text.  -1: refused. */
static int names_in(struct reader *reader, const char *field, const char ***out)
{
	lua_State *L = reader->L;
	const char *refused;
	size_t count;
	const struct table_key *keys = table_keys(L, -1, NULL, &count, &refused);

	if (!keys || count > ROWS_MAX) {
		refuse(reader, field,
		       keys ? "has more than %d entries" : "only texts can be names here",
		       ROWS_MAX);
		return -1;
	}
	*out = arena_alloc(reader->manifest->arena, (count + 1) * sizeof(**out));
	for (size_t i = 0; i < count; i++) {
		if (keys[i].kind != TABLE_KEY_TEXT) {
			refuse(reader, field, "every entry must have a name, as in { name = ... }");
			return -1;
		}
		if (memchr(keys[i].text.data, '\0', keys[i].text.len)) {
			refuse(reader, field, "a name has no NUL in it");
			return -1;
		}
		(*out)[i] = arena_memdup(reader->manifest->arena, keys[i].text.data,
					 keys[i].text.len);
	}
	lua_pop(L, 1);
	return (int)count;
}

/* Pushes the field of the table at idx, which must be a table or absent.  1: pushed; 0: absent, nothing pushed; -1: refused. */
static int enter(struct reader *reader, int idx, const char *name, const char *field,
		 const char *example)
{
	int type = push_field(reader->L, idx, name);

	if (type == LUA_TTABLE)
		return 1;
	if (type != LUA_TNIL)
		refuse(reader, field, "must be a table such as %s, not a %s", example,
		       lua_typename(reader->L, type));
	lua_pop(reader->L, 1);
	return type == LUA_TNIL ? 0 : -1;
}

/* A text of the table on top; absent is "" where it isn't required. */
static bool read_text(struct reader *reader, const char *name, const char *field, bool required,
		      size_t most, const char **out)
{
	lua_State *L = reader->L;
	int type = push_field(L, -1, name);
	const char *text = text_at(L, -1);

	*out = "";
	if (type == LUA_TNIL && !required) {
		lua_pop(L, 1);
		return true;
	}
	if (!text || !text[0] || strlen(text) > most) {
		lua_pop(L, 1);
		return refuse(reader, field, "must be a text of 1 to %zu bytes", most);
	}
	*out = arena_strdup(reader->manifest->arena, text);
	lua_pop(L, 1);
	return true;
}

/* ---- the manifest itself ---- */

static const char *const later[] = { "strings", "on", "every", "http", "desk", NULL };
static const char *const known[] = { "api",    "dialog",   "dialogs",  "name",
				     "needs",  "records",  "settings", "summary",
				     "tables", "triggers", NULL };

static bool listed(const char *const *list, const char *name)
{
	for (; *list; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

static bool check_fields(struct reader *reader)
{
	const char **names;
	int count = names_in(reader, "", &names);

	for (int i = 0; i < count; i++) {
		if (listed(later, names[i]))
			return refuse(reader, names[i],
				      "is not part of plugin API %d yet; leave it out", PLUGIN_API);
		if (!listed(known, names[i]))
			return refuse(reader, names[i],
				      "no such field; there are api, dialog, dialogs, name, needs, "
				      "records, settings, summary, tables and triggers");
	}
	return count >= 0;
}

static bool read_head(struct reader *reader)
{
	struct plugin *plugin = reader->manifest->plugin;
	lua_State *L = reader->L;
	lua_Integer api;
	const char *name;

	if (!read_text(reader, "name", "name", true, PLUGIN_NAME_MAX, &name))
		return false;
	if (strcmp(name, plugin->name) != 0)
		return refuse(reader, "name", "must be \"%s\", as the folder, not \"%s\"",
			      plugin->name, name);
	push_field(L, -1, "api");
	api = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : lua_isnil(L, -1) ? 0 : -1;
	lua_pop(L, 1);
	if (api != PLUGIN_API)
		return refuse(reader, "api", "must be %d, the plugin API of this version, not %s",
			      PLUGIN_API, api ? "another" : "absent");
	return read_text(reader, "summary", "summary", false, SUMMARY_MAX, &plugin->summary);
}

/* ---- dialogs and triggers ---- */

static bool read_dialogs(struct reader *reader)
{
	struct plugin *plugin = reader->manifest->plugin;
	lua_State *L = reader->L;
	bool single = push_field(L, -1, "dialog") != LUA_TNIL, fine = lua_isfunction(L, -1);
	int entered, count;

	lua_pop(L, 1);
	if (single && !fine)
		return refuse(reader, "dialog", "must be a function(citizen, settings, message)");
	entered = enter(reader, -1, "dialogs", "dialogs", "{ take = take }");
	if (entered < 0)
		return false;
	if (single == (entered == 1)) {
		lua_pop(L, entered);
		return refuse(reader, "dialogs",
			      "there must be either dialog, a function, or dialogs, a "
			      "table of functions by name");
	}
	if (single) {
		plugin->dialogs = arena_alloc(reader->manifest->arena, sizeof(*plugin->dialogs));
		plugin->dialogs[0] = "dialog";
		plugin->dialog_count = 1;
		return true;
	}
	count = names_in(reader, "dialogs", &plugin->dialogs);
	plugin->dialog_count = count > 0 ? (unsigned)count : 0;
	for (int i = 0; i < count; i++) {
		char *field = path_of(reader, "dialogs", plugin->dialogs[i]);

		fine = push_field(L, -1, plugin->dialogs[i]) == LUA_TFUNCTION;
		lua_pop(L, 1);
		if (!fine)
			return refuse(reader, field,
				      "must be a function(citizen, settings, message)");
		if (!is_identifier(plugin->dialogs[i]))
			return refuse(reader, field,
				      "a dialog's name is made of a-z, 0-9 and _, up to %d",
				      IDENTIFIER_MAX);
	}
	lua_pop(L, 1);
	return count > 0   ? true
	       : count < 0 ? false
			   : refuse(reader, "dialogs", "there must be at least one");
}

/* A trigger's dialog: the text on top, which is popped. */
static const char *read_target(struct reader *reader, const char *field)
{
	struct plugin *plugin = reader->manifest->plugin;
	const char *name = text_at(reader->L, -1), *found = NULL;
	struct buf all = { 0 };

	for (unsigned i = 0; i < plugin->dialog_count; i++) {
		if (name && strcmp(plugin->dialogs[i], name) == 0)
			found = plugin->dialogs[i];
		buf_addf(&all, "%s%s", i > 0 ? ", " : "", plugin->dialogs[i]);
	}
	if (!found)
		refuse(reader, field, "must be the name of a dialog; the dialogs are %s",
		       all.data ? all.data : "");
	buf_free(&all);
	lua_pop(reader->L, 1);
	return found;
}

/* Of letters and digits up to a blank or the end, and not of digits alone. */
static bool good_word(const char *word)
{
	size_t len = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	return len > 0 && (word[len] == '\0' || word[len] == ' ') &&
	       strspn(word, "0123456789") < len;
}

static bool good_keyword(struct reader *reader, const char *keyword, const char *field)
{
	size_t len = strlen(keyword);
	const char *blank = strchr(keyword, ' ');
	struct bytes text = { keyword, len };
	enum word word = words_whole(text);

	if (len < 2 || len > KEYWORD_MAX || !good_word(keyword) ||
	    (blank && (!good_word(blank + 1) || strchr(blank + 1, ' '))))
		return refuse(reader, field,
			      "a keyword is 2 to %d capital letters and digits, or two such words "
			      "with a blank between",
			      KEYWORD_MAX);
	if (word != WORD_NONE && strcmp(keyword, "INFO") != 0 && strcmp(keyword, "MULAI") != 0 &&
	    strcmp(keyword, "DAFTAR") != 0)
		return refuse(reader, field,
			      "this word is the gateway's own (stop, start, help, cancel) and "
			      "never reaches a plugin");
	return true;
}

/* What a word leads to: a dialog, or of another name the keyword that it stands for. */
static struct plugin_keyword read_word(struct reader *reader, const char *word, const char *field,
				       bool alias)
{
	const struct plugin *plugin = reader->manifest->plugin;
	const char *means;

	if (!alias)
		return (struct plugin_keyword){ word, read_target(reader, field), NULL };
	means = text_at(reader->L, -1);
	for (unsigned i = 0; means && i < plugin->keyword_count; i++) {
		const struct plugin_keyword *keyword = &plugin->keywords[i];

		if (strcmp(keyword->keyword, means) != 0)
			continue;
		lua_pop(reader->L, 1);
		return (struct plugin_keyword){ word, keyword->dialog, keyword->keyword };
	}
	refuse(reader, field, "must be a keyword of this plugin, such as \"%s\"",
	       plugin->keyword_count > 0 ? plugin->keywords[0].keyword : "LAPOR");
	lua_pop(reader->L, 1);
	return (struct plugin_keyword){ word, NULL, NULL };
}

/* A table by a word: triggers.keywords, .aliases, .prefixes. */
static bool read_words(struct reader *reader, const char *name, const char *example,
		       struct plugin_keyword **words, unsigned *word_count)
{
	char *path = path_of(reader, "triggers", name);
	int entered = enter(reader, -1, name, path, example);
	bool alias = strcmp(name, "aliases") == 0;
	const char **names;
	int count;

	if (entered <= 0)
		return entered == 0;
	count = names_in(reader, path, &names);
	if (count < 0)
		return false;
	*words = arena_alloc(reader->manifest->arena, ((size_t)count + 1) * sizeof(**words));
	for (int i = 0; i < count; i++) {
		char *field = path_of(reader, path, names[i]);

		push_field(reader->L, -1, names[i]);
		(*words)[i] = read_word(reader, names[i], field, alias);
		if (!(*words)[i].dialog || !good_keyword(reader, names[i], field))
			return false;
		++*word_count;
	}
	lua_pop(reader->L, 1);
	return true;
}

static bool read_keywords(struct reader *reader)
{
	struct plugin *plugin = reader->manifest->plugin;

	return read_words(reader, "keywords", "{ SURVEI = \"take\" }", &plugin->keywords,
			  &plugin->keyword_count) &&
	       read_words(reader, "aliases", "{ SURVEY = \"SURVEI\" }", &plugin->aliases,
			  &plugin->alias_count) &&
	       read_words(reader, "prefixes", "{ BJN = \"take\" }", &plugin->prefixes,
			  &plugin->prefix_count);
}

/* triggers.texts = { problem = "report" }: who takes what has no keyword. */
static bool read_texts(struct reader *reader)
{
	struct plugin *plugin = reader->manifest->plugin;
	int entered = enter(reader, -1, "texts", "triggers.texts", "{ problem = \"report\" }");
	const char **names;
	int count;

	if (entered <= 0)
		return entered == 0;
	count = names_in(reader, "triggers.texts", &names);
	for (int i = 0; i < count; i++) {
		char *field = path_of(reader, "triggers.texts", names[i]);
		enum topic topic = 0;

		while (topic < TOPICS && strcmp(topic_names[topic], names[i]) != 0)
			topic++;
		if (topic == TOPICS)
			return refuse(reader, field,
				      "no such field; there are problem, question and status");
		push_field(reader->L, -1, names[i]);
		plugin->texts[topic] = read_target(reader, field);
		if (!plugin->texts[topic])
			return false;
	}
	lua_pop(reader->L, 1);
	return count >= 0;
}

static bool good_anchor(struct reader *reader, const char *anchor, const char *field)
{
	size_t len = strlen(anchor);

	if (len < 1 || len > 3 || strspn(anchor, "0123456789") != len || anchor[0] == '0' ||
	    strcmp(anchor, "98") == 0)
		return refuse(reader, field,
			      "an anchor is a number of 1 to 3 digits as a text, without 0 in "
			      "front and not 98, such as \"1\"");
	return true;
}

/* The label of an anchor: triggers.menu is a text for the only anchor, or a table by anchor. */
static bool read_label(struct reader *reader, struct plugin_anchor *anchor, bool only)
{
	lua_State *L = reader->L;
	int type = push_field(L, -1, "menu");
	char *field = type != LUA_TTABLE ? path_of(reader, "triggers", "menu")
					 : path_of(reader, "triggers.menu", anchor->anchor);
	bool fine;

	if (type == LUA_TTABLE) {
		fine = read_text(reader, anchor->anchor, field, true, LABEL_MAX, &anchor->label);
		lua_pop(L, 1);
		return fine;
	}
	lua_pop(L, 1);
	if (type == LUA_TNIL || !only)
		return refuse(reader, "triggers.menu",
			      only ? "must be the line of the root menu, such as \"Survei\""
				   : "must be a table with a text for each anchor, such as "
				     "{ [\"1\"] = \"Survei\", [\"2\"] = \"Hasil\" }");
	return read_text(reader, "menu", field, true, LABEL_MAX, &anchor->label);
}

int plugin_anchor_order(const struct plugin_anchor *a, const struct plugin_anchor *b)
{
	size_t one = strlen(a->anchor), other = strlen(b->anchor);

	return one != other ? (one < other ? -1 : 1) : strcmp(a->anchor, b->anchor);
}

static void add_anchor(struct plugin *plugin, const struct plugin_anchor *anchor)
{
	unsigned at = plugin->anchor_count++;

	for (; at > 0 && plugin_anchor_order(anchor, &plugin->anchors[at - 1]) < 0; at--)
		plugin->anchors[at] = plugin->anchors[at - 1];
	plugin->anchors[at] = *anchor;
}

/* triggers.ussd = "1" where there is one dialog, or { ["1"] = "take", ["2"] = "results" }. */
static bool read_ussd(struct reader *reader)
{
	struct plugin *plugin = reader->manifest->plugin;
	lua_State *L = reader->L;
	int type = push_field(L, -1, "ussd"), count;
	struct plugin_anchor anchor;
	const char **names;

	if (type == LUA_TNIL) {
		lua_pop(L, 1);
		return true;
	}
	if (type == LUA_TSTRING && plugin->dialog_count == 1) {
		plugin->anchors = arena_alloc(reader->manifest->arena, sizeof(*plugin->anchors));
		anchor = (struct plugin_anchor){ arena_strdup(reader->manifest->arena,
							      lua_tostring(L, -1)),
						 plugin->dialogs[0], "" };
		lua_pop(L, 1);
		if (!good_anchor(reader, anchor.anchor, "triggers.ussd") ||
		    !read_label(reader, &anchor, true))
			return false;
		add_anchor(plugin, &anchor);
		return true;
	}
	if (type != LUA_TTABLE)
		return refuse(reader, "triggers.ussd",
			      "must be a table of dialogs by their number in the menu, such "
			      "as { [\"1\"] = \"%s\" }",
			      plugin->dialogs[0]);
	count = names_in(reader, "triggers.ussd", &names);
	if (count < 0)
		return false;
	plugin->anchors = arena_alloc(reader->manifest->arena,
				      ((size_t)count + 1) * sizeof(*plugin->anchors));
	for (int i = 0; i < count; i++) {
		char *field = path_of(reader, "triggers.ussd", names[i]);

		push_field(L, -1, names[i]);
		anchor = (struct plugin_anchor){ names[i], read_target(reader, field), "" };
		if (!anchor.dialog || !good_anchor(reader, names[i], field))
			return false;
		lua_pushvalue(L, -2);
		if (!read_label(reader, &anchor, count == 1))
			return false;
		lua_pop(L, 1);
		add_anchor(plugin, &anchor);
	}
	lua_pop(L, 1);
	return true;
}

/* Every line of the menu belongs to an anchor. */
static bool check_menu(struct reader *reader)
{
	struct plugin *plugin = reader->manifest->plugin;
	lua_State *L = reader->L;
	int type = push_field(L, -1, "menu"), count;
	const char **names;

	if (type != LUA_TNIL && plugin->anchor_count == 0)
		return refuse(reader, "triggers.menu",
			      "there is no ussd, so there is nothing to name in the menu");
	if (type == LUA_TTABLE) {
		count = names_in(reader, "triggers.menu", &names);
		if (count < 0)
			return false;
		for (int i = 0; i < count; i++) {
			bool found = false;

			for (unsigned a = 0; a < plugin->anchor_count; a++)
				found = found || strcmp(plugin->anchors[a].anchor, names[i]) == 0;
			if (!found)
				return refuse(reader, path_of(reader, "triggers.menu", names[i]),
					      "there is no such anchor in ussd");
		}
	}
	lua_pop(L, 1);
	return true;
}

static bool read_triggers(struct reader *reader)
{
	static const char *const allowed[] = { "aliases", "keywords", "menu", "prefixes",
					       "texts",   "ussd",     NULL };
	int entered = enter(reader, -1, "triggers", "triggers",
			    "{ keywords = { SURVEI = \"take\" } }");
	const char **names;
	int count;

	if (entered <= 0)
		return entered == 0;
	count = names_in(reader, "triggers", &names);
	for (int i = 0; i < count; i++)
		if (!listed(allowed, names[i]))
			return refuse(reader, path_of(reader, "triggers", names[i]),
				      "no such field; there are aliases, keywords, menu, prefixes, "
				      "texts and ussd");
	if (count < 0 || !read_keywords(reader) || !read_texts(reader) || !read_ussd(reader) ||
	    !check_menu(reader))
		return false;
	lua_pop(reader->L, 1);
	return true;
}

/* ---- needs ---- */

static bool read_needs(struct reader *reader)
{
	lua_State *L = reader->L;
	int entered = enter(reader, -1, "needs", "needs", "{ \"records\" }");

	if (entered <= 0)
		return entered == 0;
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		const char *need = lua_isinteger(L, -2) ? text_at(L, -1) : NULL;

		if (!need || strcmp(need, "records") != 0)
			return refuse(reader, "needs",
				      "may list \"records\" alone in plugin API %d", PLUGIN_API);
		reader->manifest->records = true;
	}
	lua_pop(L, 1);
	return true;
}

/* ---- settings ---- */

static const struct {
	const char *name;
	enum setting_value_type type;
} setting_types[] = {
	{ "text", SETTING_IS_TEXT },     { "integer", SETTING_IS_INTEGER },
	{ "number", SETTING_IS_NUMBER }, { "boolean", SETTING_IS_BOOLEAN },
	{ "choice", SETTING_IS_TEXT },
};

static bool read_choices(struct reader *reader, struct plugin_setting_row *row, const char *field)
{
	lua_State *L = reader->L;
	const char **choices;
	lua_Integer count;

	if (push_field(L, -1, "choices") != LUA_TTABLE || lua_rawlen(L, -1) < 1 ||
	    lua_rawlen(L, -1) > ROWS_MAX)
		return refuse(reader, field, "a choice needs choices = { \"...\", \"...\" }");
	count = (lua_Integer)lua_rawlen(L, -1);
	choices = arena_alloc(reader->manifest->arena, ((size_t)count + 1) * sizeof(*choices));
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, -1, i);
		if (!text_at(L, -1))
			return refuse(reader, field, "each of choices must be a text");
		choices[i - 1] = arena_strdup(reader->manifest->arena, text_at(L, -1));
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	row->choices = choices;
	return true;
}

static bool read_bound(struct reader *reader, const char *name, const char *field, double *out,
		       bool *given)
{
	lua_State *L = reader->L;
	int type = push_field(L, -1, name);

	if (type == LUA_TNUMBER) {
		*out = lua_tonumber(L, -1);
		*given = true;
	}
	lua_pop(L, 1);
	return type == LUA_TNIL || type == LUA_TNUMBER ||
	       refuse(reader, field, "%s must be a number", name);
}

/* The default, on top of the stack; popped. */
static bool read_default(struct reader *reader, struct plugin_setting_row *row, const char *field)
{
	lua_State *L = reader->L;
	struct bundle_setting *def = &row->def;
	const char *text = text_at(L, -1);
	bool fine;

	*def = (struct bundle_setting){ .name = row->name, .type = row->type, .text = { "", 0 } };
	switch (row->type) {
	case SETTING_IS_TEXT:
		fine = text != NULL;
		if (fine)
			def->text = arena_bytes(reader->manifest->arena, text, strlen(text));
		break;
	case SETTING_IS_INTEGER:
		fine = lua_isinteger(L, -1);
		def->integer = lua_tointeger(L, -1);
		break;
	case SETTING_IS_NUMBER:
		fine = lua_type(L, -1) == LUA_TNUMBER;
		def->number = lua_tonumber(L, -1);
		break;
	default:
		fine = lua_isboolean(L, -1);
		def->integer = lua_toboolean(L, -1);
		break;
	}
	lua_pop(L, 1);
	if (fine && row->choices && !listed(row->choices, def->text.data))
		fine = false;
	return fine || refuse(reader, field, "needs default = a value of its type%s",
			      row->choices ? ", one of its choices" : "");
}

static bool within(const struct plugin_setting_row *row)
{
	double n = row->type == SETTING_IS_TEXT      ? (double)utf8_length(row->def.text)
		   : row->type == SETTING_IS_INTEGER ? (double)row->def.integer
						     : row->def.number;

	return !row->has_bounds || row->type == SETTING_IS_BOOLEAN ||
	       (n >= row->min && n <= row->max);
}

/* Beside its type in front a setting has these alone. */
static bool check_setting_fields(struct reader *reader, const struct plugin_setting_row *row,
				 const char *field)
{
	static const char *const allowed[] = { "choices", "default", "help", "max", "min", NULL };
	lua_State *L = reader->L;

	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		const char *name = text_at(L, -2);

		if (lua_isinteger(L, -2) && lua_tointeger(L, -2) == 1)
			continue;
		if (!name || !listed(allowed, name) ||
		    (!row->choices && strcmp(name, "choices") == 0))
			return refuse(reader, name ? path_of(reader, field, name) : field,
				      "no such field; there are default, help, min and max, and "
				      "choices of a choice");
	}
	return true;
}

/* { "text", default = "...", help = "..." }, on top of the stack. */
static bool read_setting(struct reader *reader, struct plugin_setting_row *row, const char *field)
{
	lua_State *L = reader->L;
	bool low = false, high = false;
	const char *type;
	unsigned i = 0;

	lua_rawgeti(L, -1, 1);
	type = text_at(L, -1);
	while (i < ARRAY_LEN(setting_types) && (!type || strcmp(type, setting_types[i].name) != 0))
		i++;
	lua_pop(L, 1);
	if (i == ARRAY_LEN(setting_types))
		return refuse(
			reader, field,
			"begins with its type: \"text\", \"integer\", \"number\", \"boolean\" "
			"or \"choice\"");
	row->type = setting_types[i].type;
	if (strcmp(setting_types[i].name, "choice") == 0 && !read_choices(reader, row, field))
		return false;
	if (!read_bound(reader, "min", field, &row->min, &low) ||
	    !read_bound(reader, "max", field, &row->max, &high))
		return false;
	if (low != high)
		return refuse(reader, field, "has one of min and max; give both");
	if (low && row->min > row->max)
		return refuse(reader, field, "min is above max");
	row->has_bounds = low;
	push_field(L, -1, "default");
	if (!read_default(reader, row, field) ||
	    !read_text(reader, "help", field, false, SUMMARY_MAX, &row->help))
		return false;
	if (!within(row))
		return refuse(reader, field, "its default is not from min to max");
	return check_setting_fields(reader, row, field);
}

static bool read_settings(struct reader *reader)
{
	struct plugin *plugin = reader->manifest->plugin;
	int entered = enter(reader, -1, "settings", "settings",
			    "{ question = { \"text\", default = \"...\" } }");
	const char **names;
	int count;

	if (entered <= 0)
		return entered == 0;
	count = names_in(reader, "settings", &names);
	if (count < 0)
		return false;
	plugin->settings = arena_alloc(reader->manifest->arena,
				       ((size_t)count + 1) * sizeof(*plugin->settings));
	for (int i = 0; i < count; i++) {
		char *field = path_of(reader, "settings", names[i]);

		plugin->settings[i].name = names[i];
		if (!is_identifier(names[i]))
			return refuse(reader, field, "a setting's name is made of a-z, 0-9 and _");
		entered = enter(reader, -1, names[i], field, "{ \"text\", default = \"...\" }");
		if (entered <= 0 || !read_setting(reader, &plugin->settings[i], field))
			return false;
		lua_pop(reader->L, 1);
		plugin->setting_count++;
	}
	lua_pop(reader->L, 1);
	return true;
}

/* ---- records ---- */

static const struct {
	const char *name;
	enum table_field_type type;
} field_types[] = {
	{ "text", FIELD_TEXT },       { "integer", FIELD_INTEGER }, { "number", FIELD_NUMBER },
	{ "boolean", FIELD_BOOLEAN }, { "area", FIELD_TEXT },       { "date", FIELD_TEXT },
};

static bool read_field(struct reader *reader, struct record_table *table, const char *name,
		       const char *field)
{
	const char *type = push_field(reader->L, -1, name) == LUA_TSTRING ? text_at(reader->L, -1)
									  : NULL;
	unsigned i = 0;

	while (i < ARRAY_LEN(field_types) && (!type || strcmp(type, field_types[i].name) != 0))
		i++;
	lua_pop(reader->L, 1);
	if (i == ARRAY_LEN(field_types))
		return refuse(reader, field,
			      "must be \"text\", \"integer\", \"number\", \"boolean\", \"area\" or "
			      "\"date\"");
	if (!is_identifier(name) || strcmp(name, "citizen") == 0)
		return refuse(reader, field,
			      "a field's name is made of a-z, 0-9 and _, and not citizen: every "
			      "record has that by itself");
	table->fields[table->field_count++] = (struct table_field){ .name = name,
								    .type = field_types[i].type };
	return true;
}

/* index or unique: a list of names of fields.  each is called for every one. */
static bool read_list(struct reader *reader, struct record_table *table, const char *at,
		      const char *name)
{
	lua_State *L = reader->L;
	char *field = path_of(reader, at, name);
	int entered = enter(reader, -1, name, field, "{ \"citizen\" }");
	bool unique = strcmp(name, "unique") == 0;
	lua_Integer count;

	if (entered <= 0)
		return entered == 0;
	count = (lua_Integer)lua_rawlen(L, -1);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
		if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 1 ||
		    lua_tointeger(L, -2) > count || count > ROWS_MAX)
			return refuse(reader, field, "must be a list of fields, such as { \"%s\" }",
				      unique ? "citizen" : "rating");
	table->unique = unique ? arena_alloc(reader->manifest->arena,
					     ROWS_MAX * sizeof(*table->unique))
			       : table->unique;
	for (lua_Integer i = 1; i <= count && i <= ROWS_MAX; i++) {
		struct table_field *found = NULL;
		const char *text;

		lua_rawgeti(L, -1, i);
		text = text_at(L, -1);
		for (unsigned f = 0; text && f < table->field_count; f++)
			if (strcmp(table->fields[f].name, text) == 0)
				found = &table->fields[f];
		if (!found && !(unique && text && strcmp(text, "citizen") == 0))
			return refuse(reader, field, "must list fields of this table%s",
				      unique ? ", or citizen" : "");
		if (unique)
			table->unique[table->unique_count++] = found ? found->name : "citizen";
		else
			found->indexed = true;
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return true;
}

static bool read_append_only(struct reader *reader, struct record_table *table, const char *at)
{
	lua_State *L = reader->L;
	int type = push_field(L, -1, "append_only");

	table->append_only = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return type == LUA_TNIL || type == LUA_TBOOLEAN ||
	       refuse(reader, path_of(reader, at, "append_only"), "must be true or false");
}

static bool read_table(struct reader *reader, struct record_table *table, const char *at)
{
	static const char *const others[] = { "append_only", "index", "unique", NULL };
	const char **names;
	int count = names_in(reader, at, &names);

	if (count < 0)
		return false;
	table->fields = arena_alloc(reader->manifest->arena,
				    ((size_t)count + 1) * sizeof(*table->fields));
	for (int i = 0; i < count; i++)
		if (!listed(others, names[i]) &&
		    !read_field(reader, table, names[i], path_of(reader, at, names[i])))
			return false;
	return read_list(reader, table, at, "index") && read_list(reader, table, at, "unique") &&
	       read_append_only(reader, table, at);
}

static bool read_records(struct reader *reader)
{
	struct manifest *manifest = reader->manifest;
	int entered = enter(reader, -1, "records", "records",
			    "{ answers = { rating = \"integer\" } }");
	const char **names;
	int count;

	if (entered <= 0)
		return entered == 0
			       ? !manifest->records || refuse(reader, "needs",
							      "lists \"records\", but there is no "
							      "table in records")
			       : false;
	if (!manifest->records)
		return refuse(reader, "needs",
			      "must list \"records\", because the plugin has some: needs = { "
			      "\"records\" }");
	count = names_in(reader, "records", &names);
	if (count < 0)
		return false;
	manifest->tables = arena_alloc(manifest->arena,
				       ((size_t)count + 1) * sizeof(*manifest->tables));
	for (int i = 0; i < count; i++) {
		char *field = path_of(reader, "records", names[i]);

		manifest->tables[i].name = names[i];
		if (!is_identifier(names[i]))
			return refuse(reader, field, "a table's name is made of a-z, 0-9 and _");
		entered = enter(reader, -1, names[i], field, "{ rating = \"integer\" }");
		if (entered <= 0 || !read_table(reader, &manifest->tables[i], field))
			return false;
		lua_pop(reader->L, 1);
		manifest->table_count++;
	}
	lua_pop(reader->L, 1);
	return true;
}

/* ---- tables of data ---- */

/* A file of the plugin's own folder: a name, and no way out of there. */
static bool is_data_file(const char *name)
{
	size_t len = strlen(name);

	return len >= 5 && len <= FILE_NAME_MAX && isalnum((unsigned char)name[0]) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
		       len &&
	       strcmp(name + len - 4, ".csv") == 0;
}

/* search: a list of columns, on top of the stack or absent. */
static bool read_search(struct reader *reader, struct data_table *table, const char *at)
{
	lua_State *L = reader->L;
	char *field = path_of(reader, at, "search");
	int entered = enter(reader, -1, "search", field, "{ \"name\" }");
	lua_Integer count, keys = 0;

	table->search = arena_alloc(reader->manifest->arena,
				    DATA_SEARCH_MAX * sizeof(*table->search));
	if (entered <= 0)
		return entered == 0;
	count = (lua_Integer)lua_rawlen(L, -1);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
		keys++;
	if (count < 1 || count > DATA_SEARCH_MAX || keys != count)
		return refuse(reader, field, "must list 1 to %d columns, such as { \"name\" }",
			      DATA_SEARCH_MAX);
	for (lua_Integer i = 1; i <= count; i++) {
		const char *text;

		lua_rawgeti(L, -1, i);
		text = text_at(L, -1);
		if (!text || !text[0])
			return refuse(reader, field, "must list names of columns");
		table->search[table->search_count++] = arena_strdup(reader->manifest->arena, text);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return true;
}

/* { file = "places.csv", key = "code", search = { "name" } }, on top of the stack. */
static bool read_data(struct reader *reader, struct data_table *table, const char *at)
{
	static const char *const allowed[] = { "file", "key", "search", NULL };
	char *file = path_of(reader, at, "file"), *key = path_of(reader, at, "key");
	const char **names;
	int count;

	count = names_in(reader, at, &names);
	for (int i = 0; i < count; i++)
		if (!listed(allowed, names[i]))
			return refuse(reader, path_of(reader, at, names[i]),
				      "no such field; there are file, key and search");
	if (count < 0 || !read_text(reader, "file", file, true, FILE_NAME_MAX, &table->file) ||
	    !read_text(reader, "key", key, false, COLUMN_MAX, &table->key))
		return false;
	if (!is_data_file(table->file))
		return refuse(reader, file,
			      "must be a file of the plugin's own folder that ends in .csv, made "
			      "of letters, digits, _, - and .");
	if (!read_search(reader, table, at))
		return false;
	return table->key[0] || table->search_count > 0 ||
	       refuse(reader, at, "needs key, search or both: what its rows are found by");
}

static bool read_tables(struct reader *reader)
{
	struct manifest *manifest = reader->manifest;
	int entered = enter(reader, -1, "tables", "tables",
			    "{ places = { file = \"places.csv\", key = \"code\", search = { "
			    "\"name\" } } }");
	const char **names;
	int count;

	if (entered <= 0)
		return entered == 0;
	count = names_in(reader, "tables", &names);
	if (count < 0)
		return false;
	manifest->data = arena_alloc(manifest->arena,
				     ((size_t)count + 1) * sizeof(*manifest->data));
	for (int i = 0; i < count; i++) {
		char *field = path_of(reader, "tables", names[i]);

		manifest->data[i].name = names[i];
		if (!is_identifier(names[i]))
			return refuse(reader, field, "a table's name is made of a-z, 0-9 and _");
		entered = enter(reader, -1, names[i], field,
				"{ file = \"places.csv\", search = { \"name\" } }");
		if (entered <= 0 || !read_data(reader, &manifest->data[i], field))
			return false;
		lua_pop(reader->L, 1);
		manifest->data_count++;
	}
	lua_pop(reader->L, 1);
	return true;
}

bool manifest_read(lua_State *L, struct manifest *manifest)
{
	static bool (*const parts[])(struct reader *) = {
		check_fields, read_head,     read_dialogs, read_triggers,
		read_needs,   read_settings, read_records, read_tables,
	};
	struct reader reader = { .L = L, .manifest = manifest, .top = lua_gettop(L) };

	manifest->field = manifest->why = "";
	if (!lua_istable(L, -1))
		return refuse(&reader, "",
			      "the file must return a table, the manifest: return { name = \"%s\", "
			      "api = %d, ... }",
			      manifest->plugin->name, PLUGIN_API);
	luaL_checkstack(L, 30, "manifest");
	for (unsigned i = 0; i < ARRAY_LEN(parts); i++) {
		if (!parts[i](&reader))
			return false;
		lua_settop(L, reader.top);
	}
	return true;
}

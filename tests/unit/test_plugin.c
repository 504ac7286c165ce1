/* test_plugin.c - plugins are found, checked and bundled; what is wrong with one is told with file, line and field, and
 * stops that one alone. */
#include "plugin.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "plugin_run.h"
#include "settings.h"

enum { PATH_SIZE = 256, ERROR_SIZE = 1400 };

static char folder[PATH_SIZE];
static struct plugin_set *set;
static struct arena arena;

static void make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/kentongan-plugins-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
}

static int remove_one(const char *path, const struct stat *info UNUSED, int type UNUSED,
		      struct FTW *at UNUSED)
{
	return remove(path);
}

static void remove_folder(void)
{
	plugins_free(set);
	arena_free(&arena);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(plugin, .init = make_folder, .fini = remove_folder);

static void put_bytes(const char *name, const char *content, size_t len)
{
	char path[PATH_SIZE * 2];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/'));
	     *slash++ = '/') {
		*slash = '\0';
		mkdir(path, 0700);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert(fd >= 0 && write(fd, content, len) == (ssize_t)len, "%s", path);
	close(fd);
}

static void put_file(const char *name, const char *content)
{
	put_bytes(name, content, strlen(content));
}

static void load_with(const struct plugin_setting *values, unsigned count)
{
	char error[ERROR_SIZE] = "";

	plugins_free(set);
	set = NULL;
	cr_assert_eq(plugins_load(folder, values, count, "conf.lua", &set, error, sizeof(error)), 0,
		     "%s", error);
}

static void load(void)
{
	load_with(NULL, 0);
}

/* The plugin, loaded or not. */
static const struct plugin *find(const char *name)
{
	for (unsigned i = 0; i < set->count; i++)
		if (strcmp(set->plugins[i].name, name) == 0)
			return &set->plugins[i];
	cr_assert_fail("there is no plugin %s", name);
	abort(); /* not reached */
}

static const char *error_of(const char *name)
{
	const struct plugin *plugin = find(name);

	return plugin->error ? plugin->error : "";
}

static void expect_loaded(const char *name)
{
	cr_expect_null(find(name)->error, "%s", error_of(name));
	cr_expect_eq(plugins_find(set, name), (struct plugin *)find(name));
}

/* The whole error: the folder in front where `where` begins with '/'. */
static void expect_error(const char *name, const char *where, const char *what, const char *source)
{
	char wanted[ERROR_SIZE];

	snprintf(wanted, sizeof(wanted), "%s%s%s", where[0] == '/' ? folder : "", where, what);
	cr_expect_str_eq(error_of(name), wanted, "is     %s\nwanted %s\nof     %s", error_of(name),
			 wanted, source);
	cr_expect_null(plugins_find(set, name));
	cr_expect_null(find(name)->bundle);
}

/* ---- broken manifests ---- */

#define HEAD "local function f() end\nreturn {\n  name = \"a\", api = 1,\n"
#define ONE HEAD "  dialog = f,\n"                                /* what follows is line 5 */
#define TWO HEAD "  dialogs = { apply = f, status = f },\n"       /* as well */
#define RECORDS ONE "  needs = { \"records\" },\n  records = {\n" /* line 7 */

struct row {
	const char *source, *where, *what;
};

static void expect_rows(const struct row *rows, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		put_file("a/a.lua", rows[i].source);
		load();
		expect_error("a", rows[i].where, rows[i].what, rows[i].source);
	}
}

Test(plugin, a_manifest_with_a_wrong_field_names_file_line_and_field_and_what_is_allowed)
{
	static const struct row rows[] = {
		{ ONE "  colour = 1,\n}", "/a/a.lua:5",
		  ": colour: no such field; there are api, dialog, dialogs, name, needs, records, "
		  "settings, summary, tables and triggers" },
		{ ONE "\n\n  strings = { id = {} },\n}", "/a/a.lua:7",
		  ": strings: is not part of plugin API 1 yet; leave it out" },
		{ ONE "  http = {},\n}", "/a/a.lua:5",
		  ": http: is not part of plugin API 1 yet; leave it out" },
		{ ONE "  \"x\",\n}", "/a/a.lua",
		  ": every entry must have a name, as in { name = ... }" },
		{ "local function f() end\nreturn {\n  name = \"a\",\n  api = 2, dialog = f,\n}",
		  "/a/a.lua:4", ": api: must be 1, the plugin API of this version, not another" },
		{ "return {\n  name = \"a\", dialog = function() end }", "/a/a.lua",
		  ": api: must be 1, the plugin API of this version, not absent" },
		{ "return {\n  api = 1,\n  name = \"b\", dialog = function() end }", "/a/a.lua:3",
		  ": name: must be \"a\", as the folder, not \"b\"" },
		{ "return { api = 1, dialog = function() end }", "/a/a.lua",
		  ": name: must be a text of 1 to 31 bytes" },
		{ "return { api = 1, name = 5, dialog = function() end }", "/a/a.lua:1",
		  ": name: must be a text of 1 to 31 bytes" },
		{ ONE "  summary = \"\",\n}", "/a/a.lua:5",
		  ": summary: must be a text of 1 to 160 bytes" },
		{ ONE "  summary = { },\n}", "/a/a.lua:5",
		  ": summary: must be a text of 1 to 160 bytes" },
		{ ONE "  summary = (\"x\"):rep(161),\n}", "/a/a.lua:5",
		  ": summary: must be a text of 1 to 160 bytes" },
		{ "return 5", "/a/a.lua",
		  ": the file must return a table, the manifest: return { name = \"a\", api = 1, "
		  "... }" },
		{ "", "/a/a.lua",
		  ": the file must return a table, the manifest: return { name = \"a\", api = 1, "
		  "... }" },
	};

	expect_rows(rows, ARRAY_LEN(rows));
}

Test(plugin, wrong_dialogs_name_file_line_and_field_and_what_is_allowed)
{
	static const char either[] = ": dialogs: there must be either dialog, a function, or "
				     "dialogs, a table of functions by name";
	const struct row rows[] = {
		{ HEAD "}", "/a/a.lua", either },
		{ ONE "  dialogs = { take = f },\n}", "/a/a.lua:5", either },
		{ HEAD "  dialog = 5,\n}", "/a/a.lua:4",
		  ": dialog: must be a function(citizen, settings, message)" },
		{ HEAD "  dialogs = f,\n}", "/a/a.lua:4",
		  ": dialogs: must be a table such as { take = take }, not a function" },
		{ HEAD "  dialogs = {\n    take = f,\n    results = 5,\n  },\n}", "/a/a.lua:6",
		  ": dialogs.results: must be a function(citizen, settings, message)" },
		{ HEAD "  dialogs = {\n    Take = f },\n}", "/a/a.lua:5",
		  ": dialogs.Take: a dialog's name is made of a-z, 0-9 and _, up to 31" },
		{ HEAD "  dialogs = {},\n}", "/a/a.lua:4",
		  ": dialogs: there must be at least one" },
		{ HEAD "  dialogs = { f },\n}", "/a/a.lua:4",
		  ": dialogs: every entry must have a name, as in { name = ... }" },
	};

	expect_rows(rows, ARRAY_LEN(rows));
}

Test(plugin, wrong_triggers_name_file_line_and_field_and_what_is_allowed)
{
	static const char own[] = ": this word is the gateway's own (stop, start, help, cancel) "
				  "and never reaches a plugin";
	static const char word[] = ": a keyword is 2 to 20 capital letters and digits, or two "
				   "such words with a blank between";
	static const char anchor[] = ": an anchor is a number of 1 to 3 digits as a text, without "
				     "0 in front and not 98, such as \"1\"";
	char texts[12][200];
	struct row rows[] = {
		{ ONE "  triggers = {\n    keywords = {\n      STOP = \"dialog\" } } }",
		  "/a/a.lua:7", "STOP" },
		{ ONE "  triggers = {\n    keywords = {\n      BERHENTI = \"dialog\" } } }",
		  "/a/a.lua:7", "BERHENTI" },
		{ ONE "  triggers = {\n    keywords = {\n      BANTUAN = \"dialog\" } } }",
		  "/a/a.lua:7", "BANTUAN" },
		{ ONE "  triggers = {\n    keywords = {\n      BATAL = \"dialog\" } } }",
		  "/a/a.lua:7", "BATAL" },
		{ ONE "  triggers = {\n    keywords = {\n      lapor = \"dialog\" } } }",
		  "/a/a.lua:7", "lapor" },
		{ ONE "  triggers = {\n    keywords = {\n      L = \"dialog\" } } }", "/a/a.lua:7",
		  "L" },
		{ ONE "  triggers = {\n    keywords = {\n      [\"12\"] = \"dialog\" } } }",
		  "/a/a.lua:7", "12" },
		{ ONE "  triggers = {\n    keywords = {\n      [\"LAPOR JALAN DESA\"] = \"dialog\" "
		      "} } }",
		  "/a/a.lua:7", "LAPOR JALAN DESA" },
		{ ONE "  triggers = {\n    keywords = {\n      LAPORLAPORLAPORLAPORL = \"dialog\" "
		      "} } }",
		  "/a/a.lua:7", "LAPORLAPORLAPORLAPORL" },
	};
	static const struct row others[] = {
		{ ONE "  triggers = { keywords = {\n    LAPOR = \"take\" } } }", "/a/a.lua:6",
		  ": triggers.keywords.LAPOR: must be the name of a dialog; the dialogs are "
		  "dialog" },
		{ TWO "  triggers = { keywords = {\n    LAPOR = 5 } } }", "/a/a.lua:6",
		  ": triggers.keywords.LAPOR: must be the name of a dialog; the dialogs are apply, "
		  "status" },
		{ TWO "  triggers = { keywords = { \"LAPOR\" } } }", "/a/a.lua:5",
		  ": triggers.keywords: every entry must have a name, as in { name = ... }" },
		{ ONE "  triggers = { keywords = \"LAPOR\" } }", "/a/a.lua:5",
		  ": triggers.keywords: must be a table such as { SURVEI = \"take\" }, not a "
		  "string" },
		{ ONE "  triggers = \"LAPOR\" }", "/a/a.lua:5",
		  ": triggers: must be a table such as { keywords = { SURVEI = \"take\" } }, not a "
		  "string" },
		{ ONE "  triggers = {\n    colour = 1 } }", "/a/a.lua:6",
		  ": triggers.colour: no such field; there are aliases, keywords, menu, prefixes, "
		  "texts and ussd" },
		{ ONE "  triggers = {\n    prefixes = {\n      [\"1\"] = \"dialog\" } } }",
		  "/a/a.lua:7",
		  ": triggers.prefixes.1: a keyword is 2 to 20 capital letters and digits, or two "
		  "such words with a blank between" },
		{ ONE
		  "  triggers = {\n    keywords = { LAPOR = \"dialog\" },\n    aliases = {\n      "
		  "ADUAN = \"dialog\" } } }",
		  "/a/a.lua:8",
		  ": triggers.aliases.ADUAN: must be a keyword of this plugin, such as \"LAPOR\"" },
		{ ONE "  triggers = {\n    texts = {\n      jokes = \"dialog\" } } }", "/a/a.lua:7",
		  ": triggers.texts.jokes: no such field; there are problem, question and status" },
		{ ONE "  triggers = {\n    texts = {\n      problem = \"report\" } } }",
		  "/a/a.lua:7",
		  ": triggers.texts.problem: must be the name of a dialog; the dialogs are "
		  "dialog" },
		{ ONE "  triggers = {\n    ussd = \"1\" } }", "/a/a.lua:5",
		  ": triggers.menu: must be the line of the root menu, such as \"Survei\"" },
		{ ONE "  triggers = { ussd = 1, menu = \"A\" } }", "/a/a.lua:5",
		  ": triggers.ussd: must be a table of dialogs by their number in the menu, such "
		  "as { [\"1\"] = \"dialog\" }" },
		{ TWO "  triggers = { ussd = \"1\", menu = \"A\" } }", "/a/a.lua:5",
		  ": triggers.ussd: must be a table of dialogs by their number in the menu, such "
		  "as { [\"1\"] = \"apply\" }" },
		{ TWO "  triggers = { ussd = {\n    [\"1\"] = \"apply\",\n    [\"2\"] = \"take\" "
		      "},\n    menu = { [\"1\"] = \"A\", [\"2\"] = \"B\" } } }",
		  "/a/a.lua:7",
		  ": triggers.ussd.2: must be the name of a dialog; the dialogs are apply, "
		  "status" },
		{ TWO "  triggers = { ussd = { [\"1\"] = \"apply\", [\"2\"] = \"status\" },\n    "
		      "menu = { [\"1\"] = \"A\" } } }",
		  "/a/a.lua:6", ": triggers.menu.2: must be a text of 1 to 40 bytes" },
		{ TWO "  triggers = { ussd = { [\"1\"] = \"apply\", [\"2\"] = \"status\" },\n    "
		      "menu = \"A\" } }",
		  "/a/a.lua:6",
		  ": triggers.menu: must be a table with a text for each anchor, such as { [\"1\"] "
		  "= \"Survei\", [\"2\"] = \"Hasil\" }" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(texts[i], sizeof(texts[i]), ": triggers.keywords.%s%s", rows[i].what,
			 i < 4 ? own : word);
		rows[i].what = texts[i];
	}
	expect_rows(rows, ARRAY_LEN(rows));
	expect_rows(others, ARRAY_LEN(others));
	for (unsigned i = 0; i < 6; i++) {
		static const char *const anchors[] = { "0", "01", "98", "1234", "a", "" };
		char source[512], what[256];

		snprintf(source, sizeof(source),
			 ONE "  triggers = { menu = \"A\",\n    ussd = \"%s\" } }", anchors[i]);
		snprintf(what, sizeof(what), ": triggers.ussd%s", anchor);
		put_file("a/a.lua", source);
		load();
		expect_error("a", "/a/a.lua:6", what, source);
		snprintf(source, sizeof(source),
			 TWO "  triggers = { menu = { [\"%s\"] = \"A\" },\n    ussd = {\n [\"%s\"] "
			     "= \"apply\" } } }",
			 anchors[i], anchors[i]);
		snprintf(what, sizeof(what), ": triggers.ussd.%s%s", anchors[i], anchor);
		put_file("a/a.lua", source);
		load();
		cr_expect(strstr(error_of("a"), what) != NULL, "%s", error_of("a"));
	}
}

Test(plugin, wrong_needs_and_records_name_file_line_and_field_and_what_is_allowed)
{
	static const struct row rows[] = {
		{ ONE "  needs = { \"http\" } }", "/a/a.lua:5",
		  ": needs: may list \"records\" alone in plugin API 1" },
		{ ONE "  needs = { records = true } }", "/a/a.lua:5",
		  ": needs: may list \"records\" alone in plugin API 1" },
		{ ONE "  needs = \"records\" }", "/a/a.lua:5",
		  ": needs: must be a table such as { \"records\" }, not a string" },
		{ ONE "  records = { t = { n = \"integer\" } } }", "/a/a.lua",
		  ": needs: must list \"records\", because the plugin has some: needs = { "
		  "\"records\" }" },
		{ ONE "  needs = { },\n  records = { t = { n = \"integer\" } } }", "/a/a.lua:5",
		  ": needs: must list \"records\", because the plugin has some: needs = { "
		  "\"records\" }" },
		{ ONE "  needs = { \"records\" } }", "/a/a.lua:5",
		  ": needs: lists \"records\", but there is no table in records" },
		{ RECORDS "    t = 5 } }", "/a/a.lua:7",
		  ": records.t: must be a table such as { rating = \"integer\" }, not a number" },
		{ RECORDS "    T = {} } }", "/a/a.lua:7",
		  ": records.T: a table's name is made of a-z, 0-9 and _" },
		{ RECORDS "    t = {\n      n = \"int\" } } }", "/a/a.lua:8",
		  ": records.t.n: must be \"text\", \"integer\", \"number\", \"boolean\", \"area\" "
		  "or \"date\"" },
		{ RECORDS "    t = {\n      n = { } } } }", "/a/a.lua:8",
		  ": records.t.n: must be \"text\", \"integer\", \"number\", \"boolean\", \"area\" "
		  "or \"date\"" },
		{ RECORDS "    t = {\n      citizen = \"text\" } } }", "/a/a.lua:8",
		  ": records.t.citizen: a field's name is made of a-z, 0-9 and _, and not citizen: "
		  "every record has that by itself" },
		{ RECORDS "    t = {\n      n = \"text\",\n      index = { \"m\" } } } }",
		  "/a/a.lua:9", ": records.t.index: must list fields of this table" },
		{ RECORDS "    t = {\n      n = \"text\",\n      index = { \"citizen\" } } } }",
		  "/a/a.lua:9", ": records.t.index: must list fields of this table" },
		{ RECORDS "    t = {\n      n = \"text\",\n      unique = { \"m\" } } } }",
		  "/a/a.lua:9", ": records.t.unique: must list fields of this table, or citizen" },
		{ RECORDS "    t = {\n      n = \"text\",\n      unique = \"n\" } } }",
		  "/a/a.lua:9",
		  ": records.t.unique: must be a table such as { \"citizen\" }, not a string" },
	};

	expect_rows(rows, ARRAY_LEN(rows));
}

Test(plugin, wrong_settings_name_file_line_and_field_and_what_is_allowed)
{
	static const struct row rows[] = {
		{ ONE "  settings = {\n    q = \"x\" } }", "/a/a.lua:6",
		  ": settings.q: must be a table such as { \"text\", default = \"...\" }, not a "
		  "string" },
		{ ONE "  settings = {\n    Q = { \"text\", default = \"\" } } }", "/a/a.lua:6",
		  ": settings.Q: a setting's name is made of a-z, 0-9 and _" },
		{ ONE "  settings = {\n    q = { default = 1 } } }", "/a/a.lua:6",
		  ": settings.q: begins with its type: \"text\", \"integer\", \"number\", "
		  "\"boolean\" or \"choice\"" },
		{ ONE "  settings = {\n    q = { \"string\" } } }", "/a/a.lua:6",
		  ": settings.q: begins with its type: \"text\", \"integer\", \"number\", "
		  "\"boolean\" or \"choice\"" },
		{ ONE "  settings = {\n    q = { \"text\" } } }", "/a/a.lua:6",
		  ": settings.q: needs default = a value of its type" },
		{ ONE "  settings = {\n    q = { \"integer\", default = 1.5 } } }", "/a/a.lua:6",
		  ": settings.q: needs default = a value of its type" },
		{ ONE "  settings = {\n    q = { \"number\", default = \"1\" } } }", "/a/a.lua:6",
		  ": settings.q: needs default = a value of its type" },
		{ ONE "  settings = {\n    q = { \"boolean\", default = 1 } } }", "/a/a.lua:6",
		  ": settings.q: needs default = a value of its type" },
		{ ONE "  settings = {\n    q = { \"choice\", default = \"a\" } } }", "/a/a.lua:6",
		  ": settings.q: a choice needs choices = { \"...\", \"...\" }" },
		{ ONE
		  "  settings = {\n    q = { \"choice\", choices = { 1 }, default = \"a\" } } }",
		  "/a/a.lua:6", ": settings.q: each of choices must be a text" },
		{ ONE "  settings = {\n    q = { \"choice\", choices = { \"a\", \"b\" }, default = "
		      "\"c\" } } }",
		  "/a/a.lua:6",
		  ": settings.q: needs default = a value of its type, one of its choices" },
		{ ONE "  settings = {\n    q = { \"integer\", default = 1, min = 1 } } }",
		  "/a/a.lua:6", ": settings.q: has one of min and max; give both" },
		{ ONE
		  "  settings = {\n    q = { \"integer\", default = 1, min = \"1\", max = 2 } } }",
		  "/a/a.lua:6", ": settings.q: min must be a number" },
		{ ONE "  settings = {\n    q = { \"text\", default = \"\", help = 5 } } }",
		  "/a/a.lua:6", ": settings.q: must be a text of 1 to 160 bytes" },
	};

	expect_rows(rows, ARRAY_LEN(rows));
}

/* A refusal whose words are not fixed here: file, line and field are. */
static void expect_refused(const char *source, const char *where)
{
	char wanted[ERROR_SIZE];

	snprintf(wanted, sizeof(wanted), "%s%s", folder, where);
	put_file("a/a.lua", source);
	load();
	cr_expect_eq(strncmp(error_of("a"), wanted, strlen(wanted)), 0,
		     "is     %s\nwanted %s\nof     %s", error_of("a"), wanted, source);
}

Test(plugin, a_settings_default_lies_within_its_own_bounds)
{
	expect_refused(
		ONE "  settings = {\n    q = { \"integer\", default = 50, min = 1, max = 10 } } }",
		"/a/a.lua:6: settings.q: ");
	expect_refused(
		ONE "  settings = {\n    q = { \"text\", default = \"\", min = 1, max = 10 } } }",
		"/a/a.lua:6: settings.q: ");
	expect_refused(ONE
		       "  settings = {\n    q = { \"number\", default = 1, min = 10, max = 1 } } }",
		       "/a/a.lua:6: settings.q: ");
}

Test(plugin, an_unknown_field_deeper_in_the_manifest_is_refused_as_well)
{
	expect_refused(ONE "  settings = {\n    q = { \"text\", default = \"\", hlep = \"x\" } } }",
		       "/a/a.lua:6: settings.q");
	expect_refused(ONE "  settings = {\n    q = { \"text\", \"more\", default = \"\" } } }",
		       "/a/a.lua:6: settings.q");
	expect_refused(TWO "  triggers = { ussd = { [\"1\"] = \"apply\" },\n    menu = { [\"1\"] = "
			   "\"A\", [\"2\"] = \"B\" } } }",
		       "/a/a.lua:6: triggers.menu");
	expect_refused(ONE "  triggers = {\n    menu = 5 } }", "/a/a.lua:6: triggers.menu");
	expect_refused(RECORDS "    t = { n = \"text\",\n      index = { first = \"n\" } } } }",
		       "/a/a.lua:8: records.t.index");
}

Test(plugin, a_field_of_another_type_is_named_as_the_manifest_has_it)
{
	expect_refused(ONE "  triggers = {\n    ussd = \"1\",\n    menu = 5 } }",
		       "/a/a.lua:7: triggers.menu: ");
	expect_refused(
		"local function f() end\nreturn {\n  name = \"a\",\n  api = \"1\", dialog = f,\n}",
		"/a/a.lua:4: api: must be 1, the plugin API of this version, not another");
}

Test(plugin, a_name_with_a_nul_in_it_is_refused_with_its_field_and_why)
{
	static const char field[] = "/a/a.lua:5: settings";

	expect_refused(ONE "  settings = { [\"q\\0r\"] = { \"text\", default = \"\" } } }", field);
	cr_expect_gt(strlen(error_of("a")), strlen(folder) + strlen(field) + 10, "%s",
		     error_of("a"));
}

Test(plugin, the_line_is_the_manifests_also_where_a_function_has_a_local_of_that_name)
{
	static const struct row rows[] = {
		{ "return {\n  api = 1,\n  name = \"b\",\n  dialog = function(citizen)\n    local "
		  "name = citizen:ask(\"?\")\n  end,\n}",
		  "/a/a.lua:3", ": name: must be \"a\", as the folder, not \"b\"" },
	};

	expect_rows(rows, ARRAY_LEN(rows));
}

/* ---- broken files ---- */

Test(plugin, a_file_that_cannot_be_loaded_names_itself_and_its_line)
{
	static char large[(32 << 10) + 2];
	static const struct row rows[] = {
		{ "local x = 1\nlocal y = = 2", "a:2", ": unexpected symbol near '='" },
		{ "local x = 1\nerror(\"no\")", "a:2", ": no" },
		{ "local x = 1\n\nwhile true do end", "a:3",
		  ": stopped: too many instructions in one step" },
		{ "pcall(function() while true do end end)\nreturn {}", "a:1",
		  ": stopped: too many instructions in one step" },
		{ "return {\n  name = \"\xFF\" }", "/a/a.lua", ": the file is not valid UTF-8" },
		{ "local t = records.x\n" ONE "}", "a:1",
		  ": attempt to index a nil value (global 'records')" },
		{ "local c = code()\n" ONE "}", "a:1",
		  ": this can't be called while the file is loaded, only in a dialog" },
		{ "local x = require \"nowhere\"\n" ONE "}", "a:1",
		  ": attempt to call a nil value (global 'require')" },
	};

	expect_rows(rows, ARRAY_LEN(rows));
	memset(large, '\n', sizeof(large) - 1);
	put_file("a/a.lua", large);
	load();
	expect_error("a", "/a/a.lua",
		     ": the file is larger than 32768 bytes: split it and require the parts",
		     "large");
	put_bytes("a/a.lua", "\033LuaS\0", 6);
	load();
	cr_expect_not_null(strstr(error_of("a"), "binary"), "%s", error_of("a"));
	put_file("a/part.lua", "x");
	put_file("a/a.lua", "return {}");
	load();
	cr_expect_eq(strncmp(error_of("a"), "part:1: ", 8), 0, "%s", error_of("a"));
}

Test(plugin, a_file_that_runs_out_of_memory_names_itself_and_its_line)
{
	put_file("a/a.lua", "local t = {}\nfor i = 1, 200000 do t[i] = i end");
	load();
	expect_error("a", "a:2", ": out of memory", "");
}

Test(plugin, a_file_of_exactly_the_largest_size_is_loaded)
{
	static char large[(32 << 10) + 1];

	memset(large, '\n', sizeof(large) - 1);
	for (size_t i = 0; i < sizeof(ONE "}") - 1; i++)
		large[i] = (ONE "}")[i];
	put_file("a/a.lua", large);
	load();
	expect_loaded("a");
}

Test(plugin, a_folder_without_its_file_or_with_a_strange_name_says_so)
{
	put_file("a/b.lua", ONE "}");
	put_file("Big/Big.lua", ONE "}");
	put_file(".hidden/x.lua", "x");
	put_file("telco/x.lua", "x");
	put_file("lib/x.lua", "x");
	put_file("README.md", "x");
	load();
	expect_error("a", "/a/a.lua", ": No such file or directory", "");
	expect_error("Big", "/Big",
		     ": a plugin's name is made of a-z, 0-9, _ and -, begins with a letter and has "
		     "at most 31 of them",
		     "");
	cr_expect_eq(set->count, 2, "nothing else is a plugin");
}

Test(plugin, a_folder_of_plugins_that_is_not_there_is_an_error)
{
	char error[ERROR_SIZE] = "", missing[PATH_SIZE + 16], wanted[ERROR_SIZE];

	snprintf(missing, sizeof(missing), "%s/none", folder);
	cr_expect_eq(plugins_load(missing, NULL, 0, "conf.lua", &set, error, sizeof(error)),
		     -ENOENT);
	snprintf(wanted, sizeof(wanted),
		 "%s: the folder of plugins can't be read: No such file or directory; the setting "
		 "`plugins` names it",
		 missing);
	cr_expect_str_eq(error, wanted);
	cr_expect_null(set);
	load();
	cr_expect_eq(set->count, 0, "an empty one is none");
}

/* ---- several plugins ---- */

static void put_plugin(const char *name, const char *more)
{
	char path[128], source[2048];

	snprintf(path, sizeof(path), "%s/%s.lua", name, name);
	snprintf(source, sizeof(source),
		 "local function f() end\nreturn {\n  name = \"%s\", api = 1,\n%s}", name, more);
	put_file(path, source);
}

Test(plugin, a_broken_plugin_does_not_stop_the_others)
{
	put_plugin("a", "  dialog = f,\n");
	put_plugin("b", "  dialog = 5,\n");
	put_file("c/c.lua", "while true do end");
	put_file("d/d.lua", "local t = {} for i = 1, 200000 do t[i] = i end");
	put_plugin("e", "  dialog = f,\n");
	load();
	cr_assert_eq(set->count, 5);
	expect_loaded("a");
	expect_loaded("e");
	cr_expect(find("b")->error && find("c")->error && find("d")->error);
}

Test(plugin, a_keyword_or_a_number_in_the_menu_is_the_first_ones)
{
	put_plugin("a", "  dialog = f,\n  triggers = { keywords = { LAPOR = \"dialog\" }, ussd = "
			"\"1\", menu = \"A\" },\n");
	put_plugin("b", "  dialog = f,\n  triggers = { keywords = {\n    ADUAN = \"dialog\",\n    "
			"LAPOR = \"dialog\" } },\n");
	put_plugin("c", "  dialog = f,\n  triggers = {\n    ussd = \"1\", menu = \"C\" },\n");
	load();
	expect_loaded("a");
	expect_error("b", "/b/b.lua:7",
		     ": triggers.keywords.LAPOR: the plugin a has this keyword already", "");
	expect_error("c", "/c/c.lua:6",
		     ": triggers.ussd: the plugin a has the number 1 in the menu already", "");
}

Test(plugin, a_broken_plugin_has_no_keywords)
{
	put_plugin(
		"a",
		"  dialog = f,\n  triggers = { keywords = { LAPOR = \"dialog\" } }, colour = 1,\n");
	put_plugin("b", "  dialog = f,\n  triggers = { keywords = { LAPOR = \"dialog\" } },\n");
	load();
	cr_expect_not_null(find("a")->error);
	expect_loaded("b");
}

static const char *const names[] = { "complaint", "info", "survey" };

static void load_three(void)
{
	put_plugin(
		"complaint",
		"  dialogs = { take = f, status = f },\n  triggers = {\n    keywords = { LAPOR = "
		"\"take\", ADUAN = \"take\", "
		"CEK = \"status\" },\n    ussd = { [\"10\"] = \"status\", [\"2\"] = \"take\" },\n"
		"    menu = { [\"2\"] = \"Lapor\", [\"10\"] = \"Cek\" } },\n");
	put_plugin("info", "  dialog = f, summary = \"Answers\",\n  triggers = { ussd = \"7\", "
			   "menu = \"Info\" },\n");
	put_plugin("survey", "  dialogs = { results = f, take = f },\n  triggers = { keywords = { "
			     "SURVEI = \"take\", SKM = \"take\", "
			     "HASIL = \"results\" } },\n");
	load();
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		expect_loaded(names[i]);
}

Test(plugin, keywords_and_anchors_lead_to_a_plugin_and_its_dialog)
{
	const char *dialog = "";

	load_three();
	cr_expect_str_eq(plugins_keyword(set, "CEK", &dialog)->name, "complaint");
	cr_expect_str_eq(dialog, "status");
	cr_expect_str_eq(plugins_keyword(set, "SKM", &dialog)->name, "survey");
	cr_expect_str_eq(dialog, "take");
	cr_expect_null(plugins_keyword(set, "cek", &dialog));
	cr_expect_null(plugins_keyword(set, "", &dialog));
	cr_expect_str_eq(plugins_anchor(set, "10", &dialog)->name, "complaint");
	cr_expect_str_eq(dialog, "status");
	cr_expect_str_eq(plugins_anchor(set, "7", &dialog)->name, "info");
	cr_expect_str_eq(dialog, "dialog");
	cr_expect_null(plugins_anchor(set, "1", &dialog));
	cr_expect_null(plugins_find(set, "nothing"));
}

Test(plugin, lists_are_in_order)
{
	const struct plugin *plugin;

	load_three();
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		cr_expect_str_eq(set->plugins[i].name, names[i]);
	plugin = find("complaint");
	cr_assert(plugin->keyword_count == 3 && plugin->anchor_count == 2 &&
		  plugin->dialog_count == 2);
	cr_expect_str_eq(plugin->keywords[0].keyword, "ADUAN");
	cr_expect_str_eq(plugin->keywords[2].keyword, "LAPOR");
	cr_expect_str_eq(plugin->anchors[0].anchor, "2");
	cr_expect_str_eq(plugin->anchors[0].label, "Lapor");
	cr_expect_str_eq(plugin->anchors[1].anchor, "10");
	cr_expect_str_eq(plugin->dialogs[0], "status");
	cr_expect_str_eq(find("info")->summary, "Answers");
	cr_expect_str_eq(find("info")->dialogs[0], "dialog");
}

Test(plugin, people_know_a_dialog_by_its_longest_keyword)
{
	load_three();
	cr_expect_str_eq(plugin_keyword_of(set, "survey", "take"), "SURVEI");
	cr_expect_str_eq(plugin_keyword_of(set, "survey", "results"), "HASIL");
	cr_expect_str_eq(plugin_keyword_of(set, "complaint", "take"), "ADUAN",
			 "of two as long the first");
	cr_expect_str_eq(plugin_keyword_of(set, "complaint", "old"), "ADUAN",
			 "else the plugin's first");
}

Test(plugin, a_dialog_of_a_plugin_without_keywords_has_none)
{
	load_three();
	cr_expect_null(plugin_keyword_of(set, "info", "dialog"));
	cr_expect_null(plugin_keyword_of(set, "gone", "dialog"));
}

Test(plugin, the_list_of_keywords_has_one_for_each_dialog_and_as_many_as_fit)
{
	static const char all[] = "CEK, ADUAN, HASIL, SURVEI";

	load_three();
	cr_expect_str_eq(plugins_keywords(set, &arena, 100), all);
	cr_expect_str_eq(plugins_keywords(set, &arena, strlen(all)), all, "it fits exactly");
	cr_expect_str_eq(plugins_keywords(set, &arena, strlen(all) - 1), "CEK, ADUAN, HASIL");
	cr_expect_str_eq(plugins_keywords(set, &arena, 3), "CEK");
	cr_expect_str_eq(plugins_keywords(set, &arena, 2), "");
	for (size_t most = 0; most < 40; most++)
		cr_expect_leq(strlen(plugins_keywords(set, &arena, most)), most);
	set->plugins[0].paused = true;
	cr_expect_str_eq(plugins_keywords(set, &arena, 100), "HASIL, SURVEI",
			 "a paused plugin offers nothing");
}

Test(plugin, each_dialog_of_a_loaded_plugin_can_be_begun)
{
	char error[ERROR_SIZE] = "";

	put_plugin("a", "  dialogs = { apply = f, dialog = f },\n");
	load();
	for (unsigned i = 0; !find("a")->error && i < find("a")->dialog_count; i++) {
		struct program *program = program_new(find("a")->bundle, error, sizeof(error));
		struct run *run = run_new(program, find("a")->dialogs[i], error, sizeof(error));

		cr_expect_not_null(run, "%s", error);
		run_free(run);
		program_free(program);
	}
}

static const char *logged(const struct plugin_setting *values, unsigned count)
{
	static char text[4096];
	int fd = memfd_create("log", MFD_CLOEXEC);
	ssize_t n;

	log_set_output(fd);
	load_with(values, count);
	plugins_log(set);
	log_set_output(2);
	n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	return text;
}

Test(plugin, what_is_not_loaded_is_logged_with_its_error_and_nothing_else_is)
{
	const char *text;

	put_plugin("a", "  dialog = f,\n");
	put_plugin("b", "  dialog = 5,\n");
	text = logged(NULL, 0);
	cr_expect_not_null(strstr(text, "\"plugin.not_loaded\",\"plugin\":\"b\""), "%s", text);
	cr_expect_not_null(strstr(text, "b.lua:4: dialog: must be a function"), "%s", text);
	cr_expect_eq(strchr(text, '\n'), text + strlen(text) - 1, "one line: %s", text);
}

/* ---- what the operator set ---- */

static const char with_settings[] =
	"  dialog = f,\n  settings = {\n    office = { \"text\", default = \"Balai\", min = 2, max "
	"= 5 },\n"
	"    limit = { \"integer\", default = 3, min = 1, max = 10 },\n    share = { \"number\", "
	"default = 0.5, min = 0, max = 1 },\n"
	"    open = { \"boolean\", default = true },\n    mode = { \"choice\", choices = { "
	"\"each\", \"largest\" }, default = \"each\" },\n  },\n";

#define TEXT_VALUE(what, value)                                                                    \
	{                                                                                          \
		.plugin = "a", .name = what, .type = PLUGIN_SETTING_TEXT, .text = value, .line = 7 \
	}
#define NUMBER_VALUE(what, value, as_text)                                                   \
	{                                                                                    \
		.plugin = "a", .name = what, .type = PLUGIN_SETTING_NUMBER, .text = as_text, \
		.number = value, .line = 8                                                   \
	}
#define BOOLEAN_VALUE(what, value)                                            \
	{                                                                     \
		.plugin = "a", .name = what, .type = PLUGIN_SETTING_BOOLEAN,  \
		.text = value ? "true" : "false", .boolean = value, .line = 9 \
	}

Test(plugin, a_wrong_value_of_the_operators_names_the_settings_file_its_line_and_what_is_allowed)
{
	static const struct {
		struct plugin_setting value;
		const char *error;
	} rows[] = {
		{ TEXT_VALUE("colour", "x"),
		  "conf.lua:7: plugin_settings.a.colour: the plugin has no such setting; it has "
		  "limit, mode, office, open, share" },
		{ NUMBER_VALUE("office", 5, "5"),
		  "conf.lua:8: plugin_settings.a.office: must be a text" },
		{ TEXT_VALUE("office", "B"),
		  "conf.lua:7: plugin_settings.a.office: must have characters from 2 to 5" },
		{ TEXT_VALUE("office", "Balai6"),
		  "conf.lua:7: plugin_settings.a.office: must have characters from 2 to 5" },
		{ TEXT_VALUE("limit", "3"),
		  "conf.lua:7: plugin_settings.a.limit: must be a whole number" },
		{ NUMBER_VALUE("limit", 1.5, "1.5"),
		  "conf.lua:8: plugin_settings.a.limit: must be a whole number" },
		{ NUMBER_VALUE("limit", 1e300, "1e300"),
		  "conf.lua:8: plugin_settings.a.limit: must be a whole number" },
		{ NUMBER_VALUE("limit", 0, "0"),
		  "conf.lua:8: plugin_settings.a.limit: must be from 1 to 10" },
		{ NUMBER_VALUE("limit", 11, "11"),
		  "conf.lua:8: plugin_settings.a.limit: must be from 1 to 10" },
		{ NUMBER_VALUE("share", 1.01, "1.01"),
		  "conf.lua:8: plugin_settings.a.share: must be from 0 to 1" },
		{ BOOLEAN_VALUE("share", true),
		  "conf.lua:9: plugin_settings.a.share: must be a number" },
		{ NUMBER_VALUE("open", 1, "1"),
		  "conf.lua:8: plugin_settings.a.open: must be true or false" },
		{ TEXT_VALUE("mode", "all"),
		  "conf.lua:7: plugin_settings.a.mode: must be one of \"each\" \"largest\"" },
		{ BOOLEAN_VALUE("mode", true),
		  "conf.lua:9: plugin_settings.a.mode: must be a text" },
	};

	put_plugin("a", with_settings);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		load_with(&rows[i].value, 1);
		expect_error("a", "", rows[i].error, rows[i].value.name);
	}
	put_plugin("a", "  dialog = f,\n");
	load_with(&rows[0].value, 1);
	expect_error(
		"a", "",
		"conf.lua:7: plugin_settings.a.colour: the plugin has no such setting; it has none",
		"");
}

Test(plugin, the_bundle_has_the_operators_values_and_else_the_defaults)
{
	static const struct plugin_setting values[] = {
		TEXT_VALUE("office", "B\xC3\xA9lai"), /* five characters in six bytes */
		NUMBER_VALUE("limit", 10, "10"),
		BOOLEAN_VALUE("open", false),
		TEXT_VALUE("mode", "largest"),
	};
	const struct bundle *bundle;

	put_plugin("a", with_settings);
	load();
	bundle = find("a")->bundle;
	cr_assert_eq(bundle->setting_count, 5);
	cr_expect(strcmp(bundle->settings[0].name, "limit") == 0 &&
		  bundle->settings[0].integer == 3);
	cr_expect_str_eq(bundle->settings[1].text.data, "each");
	cr_expect_str_eq(bundle->settings[2].text.data, "Balai");
	cr_expect_eq(bundle->settings[3].integer, 1);
	cr_expect_eq(bundle->settings[4].number, 0.5);
	load_with(values, ARRAY_LEN(values));
	expect_loaded("a");
	bundle = find("a")->bundle;
	cr_expect_eq(bundle->settings[0].integer, 10);
	cr_expect_str_eq(bundle->settings[1].text.data, "largest");
	cr_expect_str_eq(bundle->settings[2].text.data, "B\xC3\xA9lai");
	cr_expect_eq(bundle->settings[3].integer, 0);
	cr_expect_eq(bundle->settings[4].number, 0.5);
}

Test(plugin, a_value_for_a_plugin_that_is_not_there_is_a_warning)
{
	static const struct plugin_setting value = {
		.plugin = "gone", .name = "x", .type = PLUGIN_SETTING_TEXT, .text = "y", .line = 12
	};
	const char *text;

	put_plugin("a", with_settings);
	text = logged(&value, 1);
	expect_loaded("a");
	cr_expect_not_null(strstr(text, "\"plugin.settings_unused\",\"file\":\"conf.lua\",\"line\":"
					"12,\"plugin\":\"gone\""),
			   "%s", text);
}

/* ---- the hash ---- */

static unsigned char hash[BUNDLE_SIZE];

/* Whether the hash of plugin a is another than it was the last time. */
static bool has_changed(const struct plugin_setting *values, unsigned count)
{
	unsigned char before[BUNDLE_SIZE];

	memcpy(before, hash, sizeof(before));
	load_with(values, count);
	cr_assert_null(find("a")->error, "%s", error_of("a"));
	memcpy(hash, find("a")->bundle->hash, sizeof(hash));
	return memcmp(before, hash, sizeof(before)) != 0;
}

static void put_a(const char *comment)
{
	char source[1024];

	snprintf(source, sizeof(source),
		 "local part, dates = require \"part\", require 'lib.dates'\nlocal function f() "
		 "end -- %s\n"
		 "return { name = \"a\", api = 1, dialog = f, settings = { q = { \"text\", default "
		 "= \"\" } } }",
		 comment);
	put_file("a/a.lua", source);
}

static void put_all(void)
{
	put_a("one");
	put_file("a/part.lua", "return 1");
	put_file("lib/dates.lua", "return require \"lib.deep\"");
	put_file("lib/deep.lua", "return 1");
	put_file("lib/other.lua", "return 1");
}

Test(plugin, the_hash_changes_with_code_parts_libraries_and_settings)
{
	static const struct plugin_setting value = TEXT_VALUE("q", "x"),
					   same_as_default = TEXT_VALUE("q", "");

	put_all();
	has_changed(NULL, 0);
	cr_expect_not(has_changed(NULL, 0), "nothing has changed");
	put_a("two");
	cr_expect(has_changed(NULL, 0), "code");
	put_a("one");
	cr_expect(has_changed(NULL, 0), "back again");
	put_file("a/part.lua", "return 2");
	cr_expect(has_changed(NULL, 0), "a part");
	put_file("lib/dates.lua", "return require \"lib.deep\" + 1");
	cr_expect(has_changed(NULL, 0), "a library");
	put_file("lib/deep.lua", "return 2");
	cr_expect(has_changed(NULL, 0), "a library's library");
	cr_expect(has_changed(&value, 1), "a setting");
	cr_expect(has_changed(&same_as_default, 1), "the setting's default");
	cr_expect_not(has_changed(NULL, 0), "which is the same as none");
}

Test(plugin, the_hash_does_not_change_with_anything_else)
{
	static const struct plugin_setting value = {
		.plugin = "b", .name = "x", .type = PLUGIN_SETTING_TEXT, .text = "y", .line = 1
	};
	char first[PATH_SIZE];

	put_all();
	has_changed(NULL, 0);
	put_file("a/README.md", "what it is");
	put_file("a/a.dialog", "citizen: LAPOR");
	put_file("a/a.lua~", "x");
	put_file("a/.part.lua.swp", "x");
	put_file("a/data/places.csv", "x");
	put_file("lib/other.lua", "return 2");
	put_file("lib/new.lua", "return 2");
	put_file("telco/k.lua", "x");
	cr_expect_not(has_changed(NULL, 0));
	put_plugin("b", "  dialog = f,\n  settings = { x = { \"text\", default = \"\" } },\n");
	cr_expect_not(has_changed(NULL, 0), "another plugin");
	cr_expect_not(has_changed(&value, 1), "another plugin's setting");
	put_a("one"); /* written anew */
	cr_expect_not(has_changed(NULL, 0));
	snprintf(first, sizeof(first), "%s", folder);
	make_folder();
	put_all();
	cr_expect_not(has_changed(NULL, 0), "where it lies");
	nftw(first, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- tables of data ---- */

#define DATA ONE "  tables = {\n    places = {\n      " /* line 7 */
#define PLACES DATA "file = \"p.csv\", key = \"code\", search = { \"name\" } } } }"

Test(plugin, wrong_tables_name_file_line_and_field_and_what_is_allowed)
{
	static const struct row rows[] = {
		{ ONE "  tables = 5 }", "/a/a.lua:5",
		  ": tables: must be a table such as { places = { file = \"places.csv\", key = "
		  "\"code\", search = { \"name\" } } }, not a number" },
		{ ONE "  tables = {\n    Places = {} } }", "/a/a.lua:6",
		  ": tables.Places: a table's name is made of a-z, 0-9 and _" },
		{ ONE "  tables = {\n    places = 5 } }", "/a/a.lua:6",
		  ": tables.places: must be a table such as { file = \"places.csv\", search = { "
		  "\"name\" } }, not a number" },
		{ DATA "key = \"code\" } } }", "/a/a.lua:6",
		  ": tables.places.file: must be a text of 1 to 64 bytes" },
		{ DATA "file = \"../b/p.csv\", key = \"code\" } } }", "/a/a.lua:7",
		  ": tables.places.file: must be a file of the plugin's own folder that ends in "
		  ".csv, made of letters, digits, _, - and ." },
		{ DATA "file = \"p.txt\", key = \"code\" } } }", "/a/a.lua:7",
		  ": tables.places.file: must be a file of the plugin's own folder that ends in "
		  ".csv, made of letters, digits, _, - and ." },
		{ DATA "file = \"p.csv\" } } }", "/a/a.lua:6",
		  ": tables.places: needs key, search or both: what its rows are found by" },
		{ DATA "file = \"p.csv\",\n      colour = 1 } } }", "/a/a.lua:8",
		  ": tables.places.colour: no such field; there are file, key and search" },
		{ DATA "file = \"p.csv\",\n      search = {} } } }", "/a/a.lua:8",
		  ": tables.places.search: must list 1 to 8 columns, such as { \"name\" }" },
		{ DATA "file = \"p.csv\",\n      search = { x = \"name\" } } } }", "/a/a.lua:8",
		  ": tables.places.search: must list 1 to 8 columns, such as { \"name\" }" },
		{ DATA "file = \"p.csv\",\n      search = { 5 } } } }", "/a/a.lua:8",
		  ": tables.places.search: must list names of columns" },
		{ DATA "file = \"p.csv\",\n      key = 5 } } }", "/a/a.lua:8",
		  ": tables.places.key: must be a text of 1 to 120 bytes" },
		{ PLACES, "/a/p.csv", ": No such file or directory" },
	};

	expect_rows(rows, ARRAY_LEN(rows));
}

Test(plugin, a_wrong_file_of_a_table_names_file_and_line)
{
	static const struct row rows[] = {
		{ "", "/a/p.csv:1", ": the file is empty; its first row names the columns" },
		{ "kode,name\n", "/a/p.csv:1",
		  ": there is no column 'code'; there are kode, name" },
		{ "code,nama\n", "/a/p.csv:1",
		  ": there is no column 'name'; there are code, nama" },
		{ "code,,name\n", "/a/p.csv:1", ": column 2 has no name" },
		{ "code,name,name\n", "/a/p.csv:1", ": two columns have the name 'name'" },
		{ "code,\"na\nme\"\n", "/a/p.csv:1", ": the name of column 2 is more than a line" },
		{ "code,name\nA,1\n\nA,2\n", "/a/p.csv:4", ": the key 'A' is there already" },
		{ "code,name\n,1\n", "/a/p.csv:2", ": the key is empty" },
		{ "code,name\nA,1\nB\n", "/a/p.csv:3:1",
		  ": the row has 1 field, the first row has 2" },
		{ "code,name\nA,\"1\n", "/a/p.csv:2:3", ": this quote is never closed" },
		{ "code,name\nA,1\n\"B\n\",\x01\n", "/a/p.csv:3",
		  ": the column 'name' has a control character" },
		{ "code,name\nA,\xFF\n", "/a/p.csv:2:3", ": the field is not valid UTF-8" },
	};

	put_file("a/a.lua", PLACES);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		put_file("a/p.csv", rows[i].source);
		load();
		expect_error("a", rows[i].where, rows[i].what, rows[i].source);
	}
}

Test(plugin, a_table_is_part_of_the_bundle_and_its_hash)
{
	unsigned char first[BUNDLE_SIZE];
	struct bundle *again;
	char error[ERROR_SIZE] = "";

	put_file("a/a.lua", PLACES);
	put_file("a/p.csv", "code,name\nA,Kalitidu\n");
	load();
	expect_loaded("a");
	memcpy(first, find("a")->bundle->hash, sizeof(first));
	again = bundle_new(find("a")->bundle->content);
	cr_assert_not_null(again);
	cr_expect_eq(again->data_count, 1);
	cr_expect_null(again->data[0].index, "made when a program is");
	cr_expect(bundle_index(again, "a", error, sizeof(error)), "%s", error);
	cr_expect_str_eq(data_version(again->data[0].index),
			 data_version(find("a")->bundle->data[0].index));
	bundle_unref(again);
	put_file("a/p.csv", "code,name\nA,Kalitidu \n");
	load();
	cr_expect_arr_neq(find("a")->bundle->hash, first, sizeof(first));
}

Test(plugin, a_file_of_a_table_has_a_greatest_size_and_number_of_rows)
{
	struct buf text = { 0 };

	put_file("a/a.lua", PLACES);
	buf_addstr(&text, "code,name\n");
	for (int i = 0; i <= DATA_ROWS_MAX; i++)
		buf_addf(&text, "%d,x\n", i);
	put_bytes("a/p.csv", text.data, text.len);
	load();
	expect_error("a", "/a/p.csv:200002", ": a table has at most 200000 rows", "");
	while (text.len <= DATA_BYTES_MAX)
		buf_addstr(&text, "\n");
	put_bytes("a/p.csv", text.data, text.len);
	load();
	expect_error("a", "/a/p.csv", ": the file is larger than 8388608 bytes", "");
	buf_free(&text);
}

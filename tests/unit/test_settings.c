/* test_settings.c - a file of settings: what is read, and how each kind of mistake is told. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "settings.h"
#include "settings_priv.h"

static char folder[] = "/tmp/kentongan-settings-XXXXXX";
static char path[256], state[256];
static char error[1024];
static struct settings *settings;

static void start(void)
{
	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	cr_assert(eq(int, chdir(folder), 0)); /* the state folder of a file is taken from there */
	snprintf(path, sizeof(path), "%s/kentongan.conf.lua", folder);
	snprintf(state, sizeof(state), "%s/state", folder);
	unsetenv("KENTONGAN_DIALOG_CACHE");
	unsetenv("KENTONGAN_PLUGINS");
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void stop(void)
{
	char command[512];

	settings_free(settings);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	cr_expect(eq(int, system(command), 0)); /* NOLINT(cert-env33-c) */
}

TestSuite(settings, .init = start, .fini = stop);

static void write_file(const char *name, const char *content, size_t len)
{
	FILE *file = fopen(name, "wb");

	cr_assert(ne(ptr, file, NULL));
	cr_assert(eq(sz, fwrite(content, 1, len, file), len));
	fclose(file);
}

static int read_text(const char *source)
{
	write_file(path, source, strlen(source));
	settings_free(settings);
	settings = NULL;
	error[0] = '\0';
	return settings_read(path, state, &settings, error, sizeof(error));
}

static const char *adapter_setting(const struct telco_config *config, const char *name)
{
	unsigned i;

	for (i = 0; i < config->setting_count; i++)
		if (strcmp(config->settings[i].name, name) == 0)
			return config->settings[i].value.data;
	return "(none)";
}

Test(settings, an_empty_file_gives_every_default)
{
	cr_assert(eq(int, read_text(""), 0), "%s", error);
	cr_expect(eq(str, (char *)settings->file, path));
	cr_expect(eq(str, (char *)settings->state, state));
	cr_expect(eq(str, (char *)settings->public_host, "127.0.0.1"));
	cr_expect(eq(uint, settings->public_port, 8080));
	cr_expect(eq(uint, settings->admin_port, 8081));
	cr_expect(eq(i64, settings->dialog_expiry, 604800));
	cr_expect(eq(str, (char *)settings->language, "id"));
	cr_expect(eq(str, (char *)settings->ussd_code, "*123#"));
	cr_expect(eq(ptr, (void *)settings->trusted[0], NULL));
	cr_expect(eq(uint, settings->connection_count, 0));
	cr_expect(eq(uint, settings->plugin_setting_count, 0));
}

Test(settings, reads_a_connection_with_what_is_its_own_and_what_is_its_adapters)
{
	const struct telco_config *k1, *k2;

	cr_assert(
		eq(int,
		   read_text(
			   "country = 'KE'\n"
			   "public_url = 'https://gw.example.org'\n"
			   "connections = {\n"
			   "  k2 = { adapter = 'kannel', numbers = { '2020' }, country = 'ID' },\n"
			   "  k1 = {\n"
			   "    adapter = 'kannel', numbers = { '2772', '*123#' }, tps = 30, "
			   "in_flight = 5,\n"
			   "    on_unknown = 'hold', on_unknown_broadcast = 'resend_once',\n"
			   "    secret = 's', port = 13013, ratio = 0.5, premium = true, whole = "
			   "3.0,\n"
			   "  },\n"
			   "}\n"),
		   0),
		"%s", error);
	cr_assert(eq(uint, settings->connection_count, 2));
	k2 = &settings->connections[0]; /* in the order of the file */
	k1 = &settings->connections[1];
	cr_expect(eq(str, (char *)k2->name, "k2"));
	cr_expect(eq(str, (char *)k2->country, "ID"));
	cr_expect(eq(int, (int)k2->unknown_reply, ON_UNKNOWN_RESEND_ONCE));
	cr_expect(eq(int, (int)k2->unknown_broadcast, ON_UNKNOWN_HOLD));
	cr_expect(eq(uint, k2->unknown_seconds, 60));
	cr_expect(eq(uint, k2->validity_seconds, 86400));
	cr_expect(eq(str, (char *)k1->name, "k1"));
	cr_expect(eq(str, (char *)k1->country, "KE"));
	cr_expect(eq(str, (char *)k1->public_url, "https://gw.example.org"));
	cr_expect(eq(str, (char *)k1->numbers[1], "*123#"));
	cr_expect(eq(ptr, (void *)k1->numbers[2], NULL));
	cr_expect(eq(uint, k1->tps, 30));
	cr_expect(eq(int, (int)k1->unknown_reply, ON_UNKNOWN_HOLD));
	cr_expect(eq(int, (int)k1->unknown_broadcast, ON_UNKNOWN_RESEND_ONCE));
	cr_expect(eq(uint, k1->setting_count, 5));
	cr_expect(eq(str, (char *)adapter_setting(k1, "secret"), "s"));
	cr_expect(eq(str, (char *)adapter_setting(k1, "port"), "13013"));
	cr_expect(eq(str, (char *)adapter_setting(k1, "ratio"), "0.5"));
	cr_expect(eq(str, (char *)adapter_setting(k1, "premium"), "true"));
	cr_expect(eq(str, (char *)adapter_setting(k1, "whole"), "3"));
}

Test(settings, reads_what_plugins_are_set_to)
{
	const struct plugin_setting *set;

	cr_assert(
		eq(int,
		   read_text("plugin_settings = { survey = {\n question = 'Puas?',\n rounds = 2,\n "
			     "replace = false } }\n"),
		   0),
		"%s", error);
	cr_assert(eq(uint, settings->plugin_setting_count, 3));
	set = settings->plugin_settings;
	cr_expect(eq(str, (char *)set[0].plugin, "survey"));
	cr_expect(eq(str, (char *)set[0].name, "question"));
	cr_expect(eq(str, (char *)set[0].text, "Puas?"));
	cr_expect(eq(int, set[0].line, 2));
	cr_expect(eq(int, (int)set[1].type, PLUGIN_SETTING_NUMBER));
	cr_expect(eq(dbl, set[1].number, 2.0));
	cr_expect(eq(str, (char *)set[1].text, "2"));
	cr_expect(eq(int, (int)set[2].type, PLUGIN_SETTING_BOOLEAN));
	cr_expect(not(set[2].boolean));
	cr_expect(eq(str, (char *)set[2].text, "false"));
}

/* Each mistake with what is said about it, behind the file's path. */
static const struct {
	const char *source, *said;
} mistakes[] = {
	{ "\n\ndialog_expiry = 5\n", ":3: dialog_expiry: must be 60 to 7776000 seconds, not 5" },
	{ "dialog_expiry = 60.5\n", ":1: dialog_expiry: must be 60 to 7776000 seconds, not 60.5" },
	{ "dialog_expiry = 1e300\n",
	  ":1: dialog_expiry: must be 60 to 7776000 seconds, not 1e+300" },
	{ "dialog_expiry = 0/0\n", ":1: dialog_expiry: must be 60 to 7776000 seconds, not nan" },
	{ "dialog_expiry = 'long'\n",
	  ":1: dialog_expiry: must be 60 to 7776000 seconds, not \"long\"" },
	{ "workers = -1\n", ":1: workers: must be 0 to 64, not -1" },
	{ "workers = true\n", ":1: workers: must be 0 to 64, not true" },
	{ "workers = {}\n", ":1: workers: must be 0 to 64, not a list" },
	{ "workers = { a = 1 }\n", ":1: workers: must be 0 to 64, not a table" },
	{ "commit_wait_us = 5001\n",
	  ":1: commit_wait_us: must be 0 to 5000 microseconds, not 5001" },
	{ "public_port = 65536\n", ":1: public_port: must be 0 to 65535, not 65536" },
	{ "public_host = 'localhost'\n", ":1: public_host: must be an IPv4 or IPv6 address, such "
					 "as \"127.0.0.1\", not \"localhost\"" },
	{ "language = 'fr'\n", ":1: language: must be \"id\", \"jv\" or \"en\", not \"fr\"" },
	{ "country = 'Indonesia'\n", ":1: country: must be a country's two capital letters, such "
				     "as \"ID\", not \"Indonesia\"" },
	{ "public_url = 'https://gw.example.org/'\n",
	  ":1: public_url: must be \"https://host\" without a slash at its end, or \"\", not "
	  "\"https://gw.example.org/\"" },
	{ "store = 'mysql://x'\n", ":1: store: must be \"sqlite:\" and a path, not \"mysql://x\"" },
	{ "trusted = '127.0.0.1'\n", ":1: trusted: must be a list of texts, each an IPv4 or IPv6 "
				     "address, such as \"127.0.0.1\", not "
				     "\"127.0.0.1\"" },
	{ "trusted = { '127.0.0.1', 'kannel' }\n",
	  ":1: trusted: must be a list of texts, each an IPv4 or IPv6 address, such as "
	  "\"127.0.0.1\", not a "
	  "list" },
	{ "office = ''\n", ":1: office: must be a name, not \"\"" },
	{ "office = 'a\\0b'\n", ":1: office: must be text in UTF-8, without a NUL" },
	{ "office = '\\xff'\n", ":1: office: must be text in UTF-8, without a NUL" },
	{ "dialog_expirey = 60\n",
	  ":1: dialog_expirey: no such setting; the nearest is dialog_expiry" },
	{ "connection = {}\n", ":1: connection: no such setting; the nearest is connections" },
	{ "colour = 'red'\n", ":1: colour: no such setting; `kentongan settings` lists all" },
	{ "office = Pemkab\n", ":1: 'Pemkab' is not known here; a text stands in quotes" },
	{ "office = 'x'\nworkers == 2\n", ":2: syntax error near '=='" },
	{ "office = 'x\n", ":1: unfinished string near ''x'" },
	{ "office = os.getenv('HOME')\n", ":1: 'os' is not known here; a text stands in quotes" },
	{ "while true do end\n", ":1: this takes too long: a setting is a plain value" },
	{ "office = function() end\n",
	  ":1: office: must be a text, a number, true, false or a table" },
	{ "office = env 'KENTONGAN_NOT_THERE'\n",
	  ":1: env: KENTONGAN_NOT_THERE is not set in the environment" },
	{ "office = secret 'key'\n",
	  ":1: secret: CREDENTIALS_DIRECTORY is not set, so there is no key" },
	{ "office = secret '../key'\n", ":1: bad argument #1 to 'secret' (a name of letters, "
					"digits, '_', '.' and '-' is needed)" },
	{ "connections = 5\n",
	  ":1: connections: must be a table such as { k1 = { adapter = \"kannel\", ... } }" },
	{ "connections = {\n { adapter = 'kannel' } }\n",
	  ":1: connections: must be a table such as { k1 = { adapter = \"kannel\", ... } }" },
	{ "connections = {\n k1 = 5 }\n",
	  ":2: connections.k1: must be a table such as { adapter = \"kannel\", ... }" },
	{ "connections = {\n K1 = { adapter = 'kannel' } }\n",
	  ":2: connections.K1: its name must be 1 to 31 small letters, digits, '_' and '-'" },
	{ "connections = {\n k1 = { numbers = { '1' } } }\n",
	  ":2: connections.k1: adapter is missing: the name of a file in telco/, such as "
	  "\"kannel\"" },
	{ "connections = {\n k1 = { adapter = 'kannel' } }\n",
	  ":2: connections.k1: numbers is missing: our numbers there, such as { \"2772\" }" },
	{ "connections = {\n k1 = { adapter = '../x', numbers = { '1' } } }\n",
	  ":2: connections.k1.adapter: must be the name of a file in telco/, such as \"kannel\", "
	  "not \"../x\"" },
	{ "connections = {\n k1 = {\n adapter = 'kannel',\n numbers = {},\n } }\n",
	  ":4: connections.k1.numbers: must be a list of texts, at least one, each a short code, a "
	  "number, a "
	  "service code or a name of up to 20 characters, not a list" },
	{ "-- tps = 1\nconnections = { k1 = {\n adapter = [[kannel]], --[[ tps = 2\n]] numbers = { "
	  "'1' },\n tps "
	  "= -1 } }\n",
	  ":5: connections.k1.tps: must be 0 to 10000, not -1" },
	{ "connections = { k1 = { adapter = 'kannel', numbers = { '1' },\n on_unknown = 'drop' } "
	  "}\n",
	  ":2: connections.k1.on_unknown: must be \"hold\" or \"resend_once\", not \"drop\"" },
	{ "connections = { k1 = { adapter = 'kannel', numbers = { '1' },\n ['unknown_seconds'] = 0 "
	  "} }\n",
	  ":2: connections.k1.unknown_seconds: must be 1 to 86400 seconds, not 0" },
	{ "connections = { k1 = { adapter = 'kannel', numbers = { '1' },\n secret = {} } }\n",
	  ":2: connections.k1.secret: must be a text, a number, true or false" },
	{ "connections = {}\nconnections.k1 = {\n adapter = 5 }\n",
	  ":3: connections.k1.adapter: must be the name of a file in telco/, such as \"kannel\", "
	  "not 5" },
	{ "plugin_settings = { survey = 5 }\n",
	  ":1: survey: must be a table such as { survey = { question = \"...\" } }" },
	{ "plugin_settings = { survey = {\n question = { 'a' } } }\n",
	  ":2: plugin_settings.survey.question: must be a text, a number, true or false" },
	{ "trusted = { '127.0.0.1', a = 1 }\n",
	  ":1: trusted: must be a list or have names, not both" },
	{ "trusted = { [1] = '127.0.0.1', [3] = '127.0.0.1' }\n",
	  ":1: trusted: must be a list without gaps" },
	{ "trusted = { [1.5] = 'x' }\n", ":1: trusted: has a field whose name is not text" },
	{ "trusted = { { { { { { } } } } } }\n", ":1: trusted: is nested too deeply" },
	{ "public_port = 8081\n", ":1: admin_port: must be another than public_port, 8081" },
};

Test(settings, every_mistake_names_file_line_field_and_what_is_allowed)
{
	unsigned i;

	for (i = 0; i < ARRAY_LEN(mistakes); i++) {
		cr_expect(eq(int, read_text(mistakes[i].source), -EINVAL), "%s",
			  mistakes[i].source);
		cr_expect(eq(ptr, settings, NULL));
		cr_assert(eq(int, strncmp(error, path, strlen(path)), 0), "%s: %s",
			  mistakes[i].source, error);
		cr_expect(eq(str, error + strlen(path), (char *)mistakes[i].said));
	}
}

Test(settings, a_file_that_is_not_there_or_too_much_is_refused)
{
	char *large = xmalloc(2 << 20);

	cr_expect(eq(int, settings_read("/nowhere/x.lua", state, &settings, error, sizeof(error)),
		     -ENOENT));
	cr_expect(eq(str, error, "/nowhere/x.lua: No such file or directory"));
	memset(large, ' ', (2 << 20) - 1);
	large[(2 << 20) - 1] = '\0';
	cr_expect(eq(int, read_text(large), -EFBIG));
	cr_expect(eq(int,
		     read_text("local t = {} for i = 1, 20 do t[i] = ('x') .. (t[i - 1] or '') .. "
			       "(t[i - 1] or "
			       "'') end local s = t[20] office = s .. s .. s .. s .. s .. s .. s "
			       ".. s .. s .. "
			       "s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s "
			       ".. s .. s "
			       ".. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s"),
		     -EINVAL));
	cr_expect(ne(ptr, strstr(error, "memory"), NULL), "%s", error);
	cr_expect(eq(int, read_text("\x1bLua"), -EINVAL)); /* no bytecode */
	free(large);
}

Test(settings, the_environment_and_credentials_give_values)
{
	char name[300];

	setenv("KENTONGAN_TEST_OFFICE", "Pemkab", 1);
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	snprintf(name, sizeof(name), "%s/k1-key", folder);
	write_file(name, "0123456789abcdef\n", 17);
	cr_assert(eq(int,
		     read_text("office = env 'KENTONGAN_TEST_OFFICE'\n"
			       "connections = { k1 = { adapter = 'kannel', numbers = { '1' }, "
			       "secret = secret "
			       "'k1-key' } }\n"),
		     0),
		  "%s", error);
	cr_expect(eq(str, (char *)settings->office, "Pemkab"));
	cr_expect(eq(str, (char *)adapter_setting(&settings->connections[0], "secret"),
		     "0123456789abcdef"));
	cr_expect(eq(int, read_text("office = secret 'k2-key'\n"), -EINVAL));
}

Test(settings, without_a_file_there_are_a_phone_and_a_kannel_with_secrets_of_their_own)
{
	char secret[64], name[300];
	struct settings *again;
	struct stat info;

	cr_assert(eq(int, settings_read(NULL, state, &settings, error, sizeof(error)), 0), "%s",
		  error);
	cr_assert(eq(uint, settings->connection_count, 2));
	cr_expect(eq(str, (char *)settings->connections[0].adapter, "phone"));
	cr_expect(eq(str, (char *)adapter_setting(&settings->connections[0], "url"),
		     "http://127.0.0.1:8081/phone/send"));
	cr_expect(eq(str, (char *)settings->connections[1].adapter, "kannel"));
	cr_expect(eq(str, (char *)settings->connections[1].numbers[0], "2772"));
	cr_expect(eq(str, (char *)settings->connections[1].country, "ID"));
	cr_expect(eq(str, (char *)settings->connections[1].public_url, "http://127.0.0.1:8080"));
	cr_expect(eq(str, (char *)adapter_setting(&settings->connections[1], "send_url"),
		     "http://127.0.0.1:13013/cgi-bin/sendsms"));
	snprintf(secret, sizeof(secret), "%s",
		 adapter_setting(&settings->connections[1], "secret"));
	cr_expect(eq(sz, strlen(secret), 32));
	cr_expect(ne(str, secret, (char *)adapter_setting(&settings->connections[0], "secret")));
	snprintf(name, sizeof(name), "%s/secrets/kannel", state);
	cr_assert(eq(int, stat(name, &info), 0));
	cr_expect(eq(uint, info.st_mode & 0777, 0600));
	snprintf(name, sizeof(name), "%s/secrets", state);
	cr_assert(eq(int, stat(name, &info), 0));
	cr_expect(eq(uint, info.st_mode & 0777, 0700));
	cr_assert(eq(int, settings_read(NULL, state, &again, error, sizeof(error)), 0), "%s",
		  error);
	cr_expect(eq(str, (char *)adapter_setting(&again->connections[1], "secret"), secret));
	settings_free(again);
}

Test(settings, a_phone_in_a_file_gets_its_secret_and_address_too)
{
	cr_assert(eq(int,
		     read_text("admin_port = 9000\nconnections = { hp = { adapter = 'phone', "
			       "numbers = { '2772' } } }\n"),
		     0),
		  "%s", error);
	cr_expect(eq(sz, strlen(adapter_setting(&settings->connections[0], "secret")), 32));
	cr_expect(eq(str, (char *)adapter_setting(&settings->connections[0], "url"),
		     "http://127.0.0.1:9000/phone/send"));
	cr_assert(eq(int,
		     read_text("admin_host = '::1'\nconnections = { hp = { adapter = 'phone', "
			       "numbers = { '2772' } } }\n"),
		     0),
		  "%s", error);
	cr_expect(eq(str, (char *)adapter_setting(&settings->connections[0], "url"),
		     "http://[::1]:8081/phone/send"));
}

Test(settings, a_secret_file_that_holds_none_is_refused)
{
	char name[300];

	cr_assert(eq(int, mkdir(state, 0700), 0));
	snprintf(name, sizeof(name), "%s/secrets", state);
	cr_assert(eq(int, mkdir(name, 0700), 0));
	snprintf(name, sizeof(name), "%s/secrets/phone", state);
	write_file(name, "short\n", 6);
	cr_expect(eq(int, settings_read(NULL, state, &settings, error, sizeof(error)), -EINVAL));
	cr_expect(ne(ptr, strstr(error, "must hold a secret of 32 to 255 bytes"), NULL), "%s",
		  error);
}

Test(settings, tests_turn_the_caches_off_by_the_environment)
{
	setenv("KENTONGAN_DIALOG_CACHE", "0", 1);
	cr_assert(eq(int, read_text("dialog_cache = 5\n"), 0), "%s", error);
	cr_expect(eq(uint, settings->dialog_cache, 0));
	cr_expect(eq(uint, settings->citizen_cache, 0));
	setenv("KENTONGAN_DIALOG_CACHE", "many", 1);
	cr_expect(eq(int, read_text(""), -EINVAL));
}

Test(settings, plugins_of_another_folder_come_by_the_environment_where_there_is_no_file)
{
	setenv("KENTONGAN_PLUGINS", "/elsewhere", 1);
	cr_assert(eq(int, settings_read(NULL, state, &settings, error, sizeof(error)), 0), "%s",
		  error);
	cr_expect(eq(str, (char *)settings->plugins, "/elsewhere"));
	cr_assert(eq(int, read_text("plugins = '/here'\n"), 0), "%s", error);
	cr_expect(eq(str, (char *)settings->plugins, "/here"));
}

static struct buf read_file(const char *name)
{
	FILE *file = fopen(name, "rb");
	struct buf content = { 0 };
	char chunk[4096];
	size_t n;

	cr_assert(ne(ptr, file, NULL), "%s", name);
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(&content, chunk, n);
	fclose(file);
	return content;
}

/* Its lines, which are one list, stand in the sample too. */
Test(settings, the_sample_file_has_every_row_with_its_default_and_bounds)
{
	const char *source = getenv("KENTONGAN_SOURCE");
	struct buf printed = { 0 }, sample;
	char name[1024], line[512], *next;

	snprintf(name, sizeof(name), "%s/contrib/kentongan.conf.lua", source ? source : ".");
	sample = read_file(name);
	settings_print(&printed);
	for (next = strtok(printed.data, "\n"); next; next = strtok(NULL, "\n")) {
		if (strncmp(next, "plugins = ", 10) == 0)
			continue; /* where it was installed */
		snprintf(line, sizeof(line), "%s\n", next);
		cr_expect(ne(ptr, strstr(sample.data, line), NULL), "the sample has no line \"%s\"",
			  next);
	}
	buf_free(&printed);
	buf_free(&sample);
}

Test(settings, the_sample_file_can_be_read)
{
	const char *source = getenv("KENTONGAN_SOURCE");
	char name[1024], credential[300];

	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	snprintf(credential, sizeof(credential), "%s/k1-key", folder);
	write_file(credential, "0123456789abcdef0123456789abcdef\n", 33);
	snprintf(credential, sizeof(credential), "%s/k1-password", folder);
	write_file(credential, "password\n", 9);
	snprintf(name, sizeof(name), "%s/contrib/kentongan.conf.lua", source ? source : ".");
	cr_assert(eq(int, settings_read(name, state, &settings, error, sizeof(error)), 0), "%s",
		  error);
	cr_expect(gt(uint, settings->connection_count, 0));
}

Test(settings, lines_are_found_whatever_stands_between)
{
	static const char source[] = "a = 1 -- b = 2\n"
				     "b = { c = { d = 1,\n"
				     " ['e f'] = 2 }, g = \"h = 3 } \\\" }\",\n"
				     " i = [==[ j = 4 ]] }\n]==],\n"
				     " k = 5 }\n"
				     "l . m = { n = 6 }\n"
				     "a = 7";
	static const struct {
		const char *path;
		int line;
	} rows[] = { { "a", 8 },   { "b", 2 },   { "b.c.d", 2 }, { "b.c.e f", 3 },
		     { "b.g", 3 }, { "b.h", 0 }, { "b.i", 4 },   { "b.j", 0 },
		     { "b.k", 6 }, { "l.m", 7 }, { "l.m.n", 7 } };
	struct arena arena = { 0 };
	struct field_lines lines = settings_scan(&arena,
						 (struct bytes){ source, sizeof(source) - 1 });
	unsigned i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect(eq(int, settings_line_of(&lines, rows[i].path), rows[i].line), "%s",
			  rows[i].path);
	arena_free(&arena);
}

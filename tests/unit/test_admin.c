/* test_admin.c - who is let in, which operation a path names, and what an answer looks like. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "admin.h"
#include "http_client.h"
#include "log.h"
#include "metrics.h"

#define ID "0123456789abcdef0123456789abcdef"
#define SECRET "a-secret-of-this-test"

static struct event_base *base;
static struct http_client *client;
static struct http_server *server;
static struct admin *admin;
static struct admin_call *held;
static char called[128];
static bool is_well = true;

static bool well(void *arg UNUSED, char *why, size_t size)
{
	snprintf(why, size, "the disk is full");
	return is_well;
}

static void message_find(void *arg UNUSED, const char *number, struct admin_call *call)
{
	snprintf(called, sizeof(called), "find %s", number);
	admin_answer(call, 200, json_pack("{s:[]}", "messages"));
}

static void message_show(void *arg UNUSED, struct id id, struct admin_call *call)
{
	char text[ID_TEXT_SIZE];

	id_format(id, text);
	snprintf(called, sizeof(called), "show %s", text);
	held = call;
}

static void message_release(void *arg UNUSED, struct id id UNUSED, struct admin_call *call)
{
	snprintf(called, sizeof(called), "release");
	admin_answer_error(call, -EALREADY);
}

static void dialog_list(void *arg UNUSED, const char *citizen, const char *plugin,
			struct admin_call *call)
{
	snprintf(called, sizeof(called), "dialogs %s %s", citizen ? citizen : "any",
		 plugin ? plugin : "any");
	admin_answer(call, 200, json_pack("{s:[]}", "dialogs"));
}

static void records_verify(void *arg UNUSED, const char *plugin, const char *table,
			   struct admin_call *call)
{
	snprintf(called, sizeof(called), "verify %s %s", plugin, table);
	admin_answer_error(call, -ENOENT);
}

static const struct admin_ops ops = {
	.well = well,
	.message_find = message_find,
	.message_show = message_show,
	.message_release = message_release,
	.dialog_list = dialog_list,
	.records_verify = records_verify,
};

struct outcome {
	bool done;
	int status;
	char body[8192];
};

static void result_cb(const struct http_result *result, void *arg)
{
	struct outcome *outcome = arg;

	outcome->done = true;
	outcome->status = result->error ? result->error : result->status;
	snprintf(outcome->body, sizeof(outcome->body), "%.*s", (int)result->body.len,
		 result->body.data ? result->body.data : "");
}

static void begin(const char *path, const char *body, const char *token, struct outcome *outcome)
{
	struct http_field header = { "Authorization", { token, token ? strlen(token) : 0 } };
	char url[256];
	struct http_call call = { .method = body ? "POST" : "GET",
				  .url = url,
				  .headers = { &header, token ? 1 : 0 },
				  .body = { body, body ? strlen(body) : 0 } };

	*outcome = (struct outcome){ 0 };
	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", http_server_port(server), path);
	cr_assert(http_client_call(client, &call, result_cb, outcome) == 0);
}

static struct outcome ask_as(const char *path, const char *body, const char *token)
{
	static struct outcome outcome;

	begin(path, body, token, &outcome);
	while (!outcome.done)
		event_base_loop(base, EVLOOP_ONCE);
	return outcome;
}

static struct outcome ask(const char *path, const char *body)
{
	return ask_as(path, body, "Bearer " SECRET);
}

static void setup(void)
{
	log_set_level(LOG_ERROR);
	base = event_base_new();
	client = http_client_new(base, 8);
	admin = admin_new(SECRET, &ops, NULL, NULL);
	cr_assert(http_server_open(base, "127.0.0.1", 0, &http_default_limits, admin_handle, admin,
				   &server) == 0);
}

static void teardown(void)
{
	http_client_free(client);
	http_server_close(server);
	admin_free(admin);
	event_base_free(base);
}

TestSuite(admin, .init = setup, .fini = teardown, .timeout = 20);

Test(admin, health_is_told_to_anyone_with_its_reason)
{
	struct outcome outcome = ask_as("/healthz", NULL, NULL);

	cr_expect(eq(int, outcome.status, 200));
	cr_expect(eq(str, outcome.body, (char *)"ok\n"));
	is_well = false;
	outcome = ask_as("/healthz", NULL, NULL);
	cr_expect(eq(int, outcome.status, 503));
	cr_expect(eq(str, outcome.body, (char *)"the disk is full"));
}

Test(admin, metrics_are_prometheus_text)
{
	struct outcome outcome;

	metrics_add(METRIC_STEPS, 7);
	outcome = ask_as("/metrics", NULL, NULL);
	cr_expect(eq(int, outcome.status, 200));
	cr_expect(strstr(outcome.body, "\nkentongan_steps_total 7\n") != NULL);
}

Test(admin, only_the_bearer_of_the_secret_is_let_in)
{
	static const char *const wrong[] = {
		NULL,
		"",
		"Bearer",
		"Bearer ",
		SECRET,
		"Basic " SECRET,
		"Bearer " SECRET "x",
		"Bearer a-secret-of-this-tes",
		"Bearer A-SECRET-OF-THIS-TEST",
	};
	unsigned i;

	for (i = 0; i < ARRAY_LEN(wrong); i++)
		cr_expect(eq(int, ask_as("/api/v1/dialogs/find", "{}", wrong[i]).status, 401), "%s",
			  wrong[i] ? wrong[i] : "none");
	cr_expect(eq(str, called, (char *)""));
	cr_expect(eq(int, ask_as("/api/v1/dialogs/find", "{}", "bearer " SECRET).status, 200));
}

Test(admin, an_empty_secret_lets_nobody_in)
{
	cr_expect(not(admin_secret_equal((struct bytes){ "", 0 }, "")));
	cr_expect(admin_secret_equal((struct bytes){ "ab", 2 }, "ab"));
}

Test(admin, a_path_names_an_operation)
{
	static const struct {
		const char *path, *body, *called;
		int status;
	} rows[] = {
		{ "/api/v1/messages/find", "{\"number\":\"+62812\"}", "find +62812", 200 },
		{ "/api/v1/messages/find", "{}", "", 400 },
		{ "/api/v1/messages/find", "{\"number\":1}", "", 400 },
		{ "/api/v1/messages/find", "[]", "", 400 },
		{ "/api/v1/messages/find", "{\"number\":\"1\",\"number\":\"2\"}", "", 400 },
		{ "/api/v1/messages/find", NULL, "", 405 },
		{ "/api/v1/messages/" ID "/release", "", "release", 409 },
		{ "/api/v1/messages/" ID "/release", NULL, "", 405 },
		{ "/api/v1/messages/" ID "/drop", "", "",
		  404 }, /* not among the operations of this test */
		{ "/api/v1/messages/" ID "/delete", "", "", 404 },
		{ "/api/v1/messages/" ID "0", NULL, "", 404 },
		{ "/api/v1/messages/xyz", NULL, "", 404 },
		{ "/api/v1/messages/0123456789ABCDEF0123456789ABCDEF", NULL, "", 404 },
		{ "/api/v1/dialogs/find", "", "dialogs any any", 200 },
		{ "/api/v1/dialogs/find", "{\"citizen\":\"+62812\",\"plugin\":\"survey\"}",
		  "dialogs +62812 survey", 200 },
		{ "/api/v1/records/verify", "{\"plugin\":\"survey\",\"table\":\"log\"}",
		  "verify survey log", 404 },
		{ "/api/v1/records/verify", "{\"plugin\":\"survey\"}", "", 400 },
		{ "/api/v1/records/verify", NULL, "", 405 },
		{ "/api/v1/optouts", NULL, "", 404 },
		{ "/api/v1/", NULL, "", 404 },
		{ "/api/v2/optouts", NULL, "", 404 },
		{ "/phone/messages", NULL, "", 404 },
		{ "/", NULL, "", 404 },
		{ "/healthz", "", "", 405 },
	};
	unsigned i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		called[0] = '\0';
		cr_expect(eq(int, ask(rows[i].path, rows[i].body).status, rows[i].status), "%s",
			  rows[i].path);
		cr_expect(eq(str, called, (char *)rows[i].called), "%s", rows[i].path);
	}
}

Test(admin, an_operation_may_answer_later)
{
	static struct outcome outcome;

	begin("/api/v1/messages/" ID, NULL, "Bearer " SECRET, &outcome);
	while (!held)
		event_base_loop(base, EVLOOP_ONCE);
	cr_expect(eq(str, called, (char *)"show " ID));
	cr_expect(not(outcome.done));
	admin_answer(held, 200, json_pack("{s:s}", "id", ID));
	while (!outcome.done)
		event_base_loop(base, EVLOOP_ONCE);
	cr_expect(eq(int, outcome.status, 200));
	cr_expect(eq(str, outcome.body, (char *)"{\"id\":\"" ID "\"}"));
}

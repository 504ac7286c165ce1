/* test_phone.c - the simulated network: mailboxes, waiting phones, receipts. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include <event2/event.h>
#include <jansson.h>

#include "admin.h"
#include "clock.h"
#include "http_client.h"
#include "log.h"
#include "phone.h"

#define SECRET "a-secret-of-this-test"

static struct event_base *base;
static struct http_client *client;
static struct http_server *server, *gateway;
static struct phone *phone;
static struct admin *admin;
static const struct admin_ops ops = { 0 };
static unsigned receipts, receipt_status = 200;
static char last_receipt[256];

/* The gateway's side: takes receipts. */
static void gateway_handle(struct http_exchange *exchange, const struct http_request *request,
			   void *arg UNUSED)
{
	const struct http_field *secret = http_field(&request->headers, "x-kentongan-secret", true);

	cr_expect(eq(str, (char *)request->path, (char *)"/telco/phone/receipt"));
	cr_expect(secret && strcmp(secret->value.data, SECRET) == 0);
	snprintf(last_receipt, sizeof(last_receipt), "%.*s", (int)request->body.len,
		 request->body.data);
	receipts++;
	http_reply_status(exchange, (int)receipt_status);
}

struct outcome {
	bool done;
	int status;
	json_t *body;
};

static void result_cb(const struct http_result *result, void *arg)
{
	struct outcome *outcome = arg;

	outcome->done = true;
	outcome->status = result->error ? result->error : result->status;
	outcome->body = json_loadb(result->body.data ? result->body.data : "", result->body.len, 0,
				   NULL);
}

static void begin(const char *path, const char *body, const char *secret, struct outcome *outcome)
{
	struct http_field header = { "X-Kentongan-Secret", { secret, strlen(secret) } };
	char url[256];
	struct http_call call = { .method = body ? "POST" : "GET",
				  .url = url,
				  .headers = { &header, 1 },
				  .body = { body, body ? strlen(body) : 0 } };

	json_decref(outcome->body);
	*outcome = (struct outcome){ 0 };
	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", http_server_port(server), path);
	cr_assert(http_client_call(client, &call, result_cb, outcome) == 0);
}

static void until_done(const struct outcome *outcome)
{
	while (!outcome->done)
		event_base_loop(base, EVLOOP_ONCE);
}

static struct outcome answer;

static int ask(const char *path, const char *body)
{
	begin(path, body, SECRET, &answer);
	until_done(&answer);
	return answer.status;
}

static int send_text(const char *to, const char *text)
{
	char body[256];

	snprintf(body, sizeof(body),
		 "{\"id\":\"our-id\",\"from\":\"2772\",\"to\":\"%s\",\"text\":\"%s\"}", to, text);
	return ask("/phone/send", body);
}

static size_t count(const struct outcome *outcome)
{
	return json_array_size(json_object_get(outcome->body, "messages"));
}

static const char *text_at(const struct outcome *outcome, size_t i)
{
	return json_string_value(json_object_get(
		json_array_get(json_object_get(outcome->body, "messages"), i), "text"));
}

static json_int_t next_of(const struct outcome *outcome)
{
	return json_integer_value(json_object_get(outcome->body, "next"));
}

static void setup(void)
{
	char url[64];

	log_set_level(LOG_ERROR);
	base = event_base_new();
	client = http_client_new(base, 8);
	cr_assert(http_server_open(base, "127.0.0.1", 0, &http_default_limits, gateway_handle, NULL,
				   &gateway) == 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/telco/phone", http_server_port(gateway));
	phone = phone_new(base, client, SECRET, url);
	admin = admin_new("another", &ops, NULL, phone);
	cr_assert(http_server_open(base, "127.0.0.1", 0, &http_default_limits, admin_handle, admin,
				   &server) == 0);
}

static void teardown(void)
{
	json_decref(answer.body);
	phone_free(phone);
	http_client_free(client);
	http_server_close(server);
	http_server_close(gateway);
	admin_free(admin);
	event_base_free(base);
}

TestSuite(phone, .init = setup, .fini = teardown, .timeout = 20);

Test(phone, a_message_waits_in_its_number_s_mailbox)
{
	cr_expect(eq(int, send_text("+62811", "halo"), 202));
	cr_expect(json_string_value(json_object_get(answer.body, "id")) != NULL);
	cr_expect(eq(int, ask("/phone/messages?number=%2B62812&wait=0", NULL), 200));
	cr_expect(eq(sz, count(&answer), 0));
	cr_expect(eq(int, ask("/phone/messages?number=%2B62811&wait=0", NULL), 200));
	cr_assert(eq(sz, count(&answer), 1));
	cr_expect(eq(str, (char *)text_at(&answer, 0), (char *)"halo"));
}

Test(phone, a_fetched_message_is_told_to_the_gateway_once)
{
	send_text("+62811", "halo");
	cr_expect(eq(uint, receipts, 0));
	ask("/phone/messages?number=+62811&wait=0&after=0",
	    NULL); /* a blank for '+' is understood */
	ask("/phone/messages?number=+62811&wait=0&after=0", NULL);
	cr_expect(eq(sz, count(&answer), 1), "after=0 gives all that is kept");
	while (receipts == 0)
		event_base_loop(base, EVLOOP_ONCE);
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_expect(eq(uint, receipts, 1));
	cr_expect(strstr(last_receipt, "\"ref\":\"our-id\"") != NULL);
	cr_expect(strstr(last_receipt, "\"status\":\"delivered\"") != NULL);
}

Test(phone, a_phone_asks_on_where_it_was)
{
	char path[128];

	send_text("+62811", "satu");
	ask("/phone/messages?number=%2B62811&wait=0", NULL);
	send_text("+62811", "dua");
	snprintf(path, sizeof(path), "/phone/messages?number=%%2B62811&wait=0&after=%lld",
		 (long long)next_of(&answer));
	ask("/phone/messages?number=%2B62811&wait=0", NULL); /* unread: the second only */
	cr_assert(eq(sz, count(&answer), 1));
	cr_expect(eq(str, (char *)text_at(&answer, 0), (char *)"dua"));
}

Test(phone, a_waiting_phone_gets_a_message_when_it_comes)
{
	static struct outcome waiting, other;

	begin("/phone/messages?number=%2B62811", NULL, SECRET, &waiting);
	begin("/phone/messages?number=%2B62812", NULL, SECRET, &other);
	ask("/phone/messages?number=%2B62813&wait=0",
	    NULL); /* those before it have arrived too, or will */
	send_text("+62811", "halo");
	until_done(&waiting);
	cr_assert(eq(sz, count(&waiting), 1));
	cr_expect(eq(str, (char *)text_at(&waiting, 0), (char *)"halo"));
	cr_expect(not(other.done));
	phone_stop(phone);
	until_done(&other);
	cr_expect(eq(sz, count(&other), 0));
	json_decref(waiting.body);
	json_decref(other.body);
}

Test(phone, a_mailbox_keeps_its_newest_hundred)
{
	char text[16];
	unsigned i;

	for (i = 0; i < PHONE_MESSAGES_MAX + 5; i++) {
		snprintf(text, sizeof(text), "pesan %u", i);
		cr_assert(eq(int, send_text("+62811", text), 202));
	}
	ask("/phone/messages?number=%2B62811&wait=0", NULL);
	cr_assert(eq(sz, count(&answer), PHONE_MESSAGES_MAX));
	cr_expect(eq(str, (char *)text_at(&answer, 0), (char *)"pesan 5"));
}

Test(phone, a_thousand_numbers_have_mailboxes_and_the_longest_unused_goes)
{
	char number[24];
	unsigned i;

	send_text("+62811", "lama");
	for (i = 0; i < PHONE_NUMBERS_MAX; i++) {
		snprintf(number, sizeof(number), "+62812%06u", i);
		cr_assert(eq(int, send_text(number, "halo"), 202));
	}
	ask("/phone/messages?number=%2B62811&wait=0", NULL);
	cr_expect(eq(sz, count(&answer), 0));
}

Test(phone, nothing_works_without_the_secret)
{
	static const char *const wrong[] = { "x", SECRET "x", "a-secret-of-this-tes" };
	unsigned i;

	for (i = 0; i < ARRAY_LEN(wrong); i++) {
		begin("/phone/messages?number=%2B62811&wait=0", NULL, wrong[i], &answer);
		until_done(&answer);
		cr_expect(eq(int, answer.status, 401));
		begin("/phone/send", "{\"id\":\"1\",\"from\":\"2\",\"to\":\"3\",\"text\":\"4\"}",
		      wrong[i], &answer);
		until_done(&answer);
		cr_expect(eq(int, answer.status, 401));
	}
}

Test(phone, what_is_not_as_it_must_be_is_refused)
{
	static const char *const bodies[] = {
		"",
		"[]",
		"{}",
		"{\"id\":\"1\",\"from\":\"2\",\"to\":\"\",\"text\":\"4\"}",
		"{\"id\":\"1\",\"from\":\"2\",\"to\":\"3\"}",
		"{\"id\":1,\"from\":\"2\",\"to\":\"3\",\"text\":\"4\"}",
		"{\"id\":\"1\",\"from\":\"2\",\"to\":\"3\",\"text\":\"\\u0000\"}",
		"{\"id\":\"1\",\"from\":\"2\",\"to\":\"3\",\"to\":\"4\",\"text\":\"4\"}",
	};
	static const char *const paths[] = {
		"/phone/messages",
		"/phone/messages?number=",
		"/phone/messages?number=%2B62811&after=x",
		"/phone/messages?number=%2B62811&after=-1",
		"/phone/messages?number=%2B62811&wait=26",
		"/phone/messages?number=%2B62811%00&wait=0",
	};
	unsigned i;

	for (i = 0; i < ARRAY_LEN(bodies); i++)
		cr_expect(eq(int, ask("/phone/send", bodies[i]), 400), "%s", bodies[i]);
	for (i = 0; i < ARRAY_LEN(paths); i++)
		cr_expect(eq(int, ask(paths[i], NULL), 400), "%s", paths[i]);
	cr_expect(eq(int, ask("/phone/other", NULL), 404));
	cr_expect(eq(int, ask("/phone/send", NULL), 404));
}

/* test_control.c - the operator's commands and the phone in the terminal, each as a process beside a small gateway. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>

#include "admin.h"
#include "chat.h"
#include "control.h"
#include "http_client.h"
#include "log.h"
#include "phone.h"

#define ID "0123456789abcdef0123456789abcdef"
#define SECRET "a-secret-of-this-test"
#define ADMIN_SECRET "another-secret"

static struct event_base *base;
static struct http_client *client;
static struct http_server *public_server, *admin_server;
static struct phone *phone;
static struct admin *admin;
static char state[256];
static char heard[1024]; /* what the gateway was sent, in order */
static bool refuse;

static void note(const char *what)
{
	strncat(heard, what, sizeof(heard) - strlen(heard) - 2);
	strcat(heard, "|");
}

static void sent_cb(const struct http_result *result UNUSED, void *arg UNUSED)
{
}

/* Sends a text to a number, as the outbox would. */
static void send_back(const char *to, const char *text)
{
	struct http_field header = { "X-Kentongan-Secret", { SECRET, strlen(SECRET) } };
	char url[128], *body_text;
	json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "id", ID, "from", "2772", "to", to, "text",
				 text);
	struct http_call call = { .method = "POST", .url = url, .headers = { &header, 1 } };

	body_text = json_dumps(body, 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/phone/send",
		 http_server_port(admin_server));
	call.body = (struct bytes){ body_text, strlen(body_text) };
	cr_assert(http_client_call(client, &call, sent_cb, NULL) == 0);
	free(body_text);
	json_decref(body);
}

static void answer_screen(struct http_exchange *exchange, const json_t *body)
{
	const char *input = json_string_value(json_object_get(body, "input"));
	bool end = json_is_true(json_object_get(body, "end"));
	const char *text = "{\"text\":\"Puas?\\n1. Ya\",\"more\":true}";
	struct http_response response = { .status = 200 };

	note(end ? "hung up" : input ? input : "dialled");
	if (input)
		text = "{\"text\":\"Terima kasih\",\"more\":false}";
	response.body = (struct bytes){ text, strlen(text) };
	http_reply(exchange, &response, NULL, NULL);
}

static void handle_public(struct http_exchange *exchange, const struct http_request *request,
			  void *arg UNUSED)
{
	json_t *body = json_loadb(request->body.data, request->body.len, 0, NULL);
	char text[256];

	if (refuse) {
		http_reply_status(exchange, 503);
	} else if (strcmp(request->path, "/telco/phone/ussd") == 0) {
		answer_screen(exchange, body);
	} else {
		note(json_string_value(json_object_get(body, "text"))
			     ? json_string_value(json_object_get(body, "text"))
			     : "receipt");
		http_reply_status(exchange, 200);
		if (strcmp(request->path, "/telco/phone/sms") == 0) {
			snprintf(text, sizeof(text), "Anda menulis:\n%s",
				 json_string_value(json_object_get(body, "text")));
			send_back(json_string_value(json_object_get(body, "from")), text);
		}
	}
	json_decref(body);
}

static json_t *a_message(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "id", ID, "direction", "out",
			 "state", "held", "citizen", "+6281200000001", "connection", "k1", "text",
			 "Halo\nsemua", "time", (json_int_t)1764000000);
}

static void message_find(void *arg UNUSED, const char *number, struct admin_call *call)
{
	note(number);
	admin_answer(call, 200, json_pack("{s:[o]}", "messages", a_message()));
}

static void message_show(void *arg UNUSED, struct id id UNUSED, struct admin_call *call)
{
	admin_answer(call, 200, a_message());
}

static void message_drop(void *arg UNUSED, struct id id UNUSED, struct admin_call *call)
{
	admin_answer_error(call, -EALREADY);
}

static void optout_list(void *arg UNUSED, struct admin_call *call)
{
	admin_answer(call, 200, json_pack("{s:[{s:s}]}", "citizens", "citizen", "+6281200000009"));
}

static void dialog_list(void *arg UNUSED, const char *citizen, const char *plugin,
			struct admin_call *call)
{
	note(citizen ? citizen : "any");
	note(plugin ? plugin : "any");
	admin_answer(call, 200, json_pack("{s:[]}", "dialogs"));
}

static void records_verify(void *arg UNUSED, const char *plugin, const char *table,
			   struct admin_call *call)
{
	const char *state = strcmp(table, "log") == 0 ? "whole" : table;

	note(plugin);
	note(table);
	admin_answer(call, 200,
		     json_pack("{s:s, s:i, s:i, s:s, s:i}", "state", state, "records", 12, "number",
			       14, "hash", "ab12", "unchained", 2));
}

static const struct admin_ops ops = {
	.message_find = message_find,
	.message_show = message_show,
	.message_drop = message_drop,
	.optout_list = optout_list,
	.dialog_list = dialog_list,
	.records_verify = records_verify,
};

static void write_file(const char *name, const char *text)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", state, name);
	file = fopen(path, "w");
	cr_assert(file != NULL);
	fputs(text, file);
	fclose(file);
}

static void setup(void)
{
	char url[64], admin_url[64], folder[300];

	log_set_level(LOG_ERROR);
	snprintf(state, sizeof(state), "%s/kentongan-test-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : P_tmpdir);
	cr_assert(mkdtemp(state) != NULL);
	snprintf(folder, sizeof(folder), "%s/secrets", state);
	cr_assert(mkdir(folder, 0700) == 0);
	write_file("secrets/phone", SECRET "\n");
	write_file("admin.secret", ADMIN_SECRET);
	base = event_base_new();
	client = http_client_new(base, 8);
	cr_assert(http_server_open(base, "127.0.0.1", 0, &http_default_limits, handle_public, NULL,
				   &public_server) == 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/telco/phone",
		 http_server_port(public_server));
	phone = phone_new(base, client, SECRET, url);
	url[strlen(url) - strlen("/telco/phone")] = '\0';
	admin = admin_new(ADMIN_SECRET, &ops, NULL, phone);
	cr_assert(http_server_open(base, "127.0.0.1", 0, &http_default_limits, admin_handle, admin,
				   &admin_server) == 0);
	snprintf(admin_url, sizeof(admin_url), "http://127.0.0.1:%u",
		 http_server_port(admin_server));
	cr_assert(control_addresses_put(state, url, admin_url) == 0);
}

static void remove_file(const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", state, name);
	remove(path);
}

static void teardown(void)
{
	phone_free(phone);
	http_client_free(client);
	http_server_close(public_server);
	http_server_close(admin_server);
	admin_free(admin);
	event_base_free(base);
	remove_file("secrets/phone");
	remove_file("secrets");
	remove_file("admin.secret");
	remove_file("addresses");
	rmdir(state);
}

struct ran {
	int status; /* of exit */
	char out[8192];
};

static void out_cb(evutil_socket_t fd, short events UNUSED, void *arg)
{
	struct ran *ran = arg;
	size_t have = strlen(ran->out);
	ssize_t n = read(fd, ran->out + have, sizeof(ran->out) - 1 - have);

	if (n <= 0)
		event_base_loopbreak(base);
	else
		ran->out[have + (size_t)n] = '\0';
}

/* In the child: the words of a command line, then --state and the folder. */
static _Noreturn void run_child(const char *const *words, int in, int out)
{
	char *argv[16];
	int argc = 0;

	while (words[argc]) {
		argv[argc] = (char *)words[argc];
		argc++;
	}
	argv[argc++] = (char *)"--state";
	argv[argc++] = state;
	argv[argc] = NULL;
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	closefrom(3);
	argc = strcmp(words[0], "chat") == 0 ? chat_main(argc, argv) : control_main(argc, argv);
	fflush(NULL);
	_exit(argc);
}

/* Runs a command beside the gateway, with that input, until it ends. */
static struct ran run(const char *const *words, const char *input)
{
	struct ran ran = { 0 };
	int in[2], out[2], status = 0;
	struct event *event;
	pid_t pid;

	cr_assert(pipe(in) == 0 && pipe(out) == 0);
	fflush(NULL);
	pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0)
		run_child(words, (close(in[1]), in[0]), (close(out[0]), out[1]));
	close(in[0]);
	close(out[1]);
	cr_assert(write(in[1], input, strlen(input)) == (ssize_t)strlen(input));
	close(in[1]);
	event = event_new(base, out[0], EV_READ | EV_PERSIST, out_cb, &ran);
	event_add(event, NULL);
	event_base_dispatch(base);
	event_free(event);
	close(out[0]);
	waitpid(pid, &status, 0);
	ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return ran;
}

#define RUN(input, ...) run((const char *const[]){ __VA_ARGS__, NULL }, input)

TestSuite(control, .init = setup, .fini = teardown, .timeout = 30);

Test(control, messages_are_found_and_shown_for_people)
{
	struct ran ran = RUN("", "message", "find", "+6281200000001");

	cr_expect(eq(int, ran.status, 0));
	cr_expect(eq(str, heard, (char *)"+6281200000001|"));
	cr_expect(strstr(ran.out, ID) && strstr(ran.out, "held") &&
			  strstr(ran.out, "    Halo\n    semua\n"),
		  "%s", ran.out);
	ran = RUN("", "message", "show", ID);
	cr_expect(eq(int, ran.status, 0));
	cr_expect(strstr(ran.out, "state        held\n") != NULL, "%s", ran.out);
}

Test(control, json_is_printed_as_it_came)
{
	struct ran ran = RUN("", "message", "show", ID, "--json");

	cr_expect(eq(int, ran.status, 0));
	cr_expect(ran.out[0] == '{' && strstr(ran.out, "\"state\":\"held\""), "%s", ran.out);
}

Test(control, a_refusal_says_why_and_fails)
{
	struct ran ran = RUN("", "message", "drop", ID);

	cr_expect(eq(int, ran.status, 1));
	cr_expect(strstr(ran.out, "it is final already") != NULL, "%s", ran.out);
}

Test(control, lists_of_opt_outs_and_dialogs_are_printed)
{
	struct ran ran = RUN("", "optout", "list");

	cr_expect(eq(int, ran.status, 0));
	cr_expect(strstr(ran.out, "+6281200000009") != NULL, "%s", ran.out);
	ran = RUN("", "dialog", "list", "--citizen", "+62812", "--plugin", "survey");
	cr_expect(eq(int, ran.status, 0));
	cr_expect(eq(str, heard, (char *)"+62812|survey|"));
	cr_expect(eq(str, ran.out, (char *)"No open dialogs.\n"));
}

Test(control, a_broken_chain_is_told_and_fails)
{
	struct ran ran = RUN("", "records", "verify", "survey.log");

	cr_expect(eq(int, ran.status, 0));
	cr_expect(eq(str, heard, (char *)"survey|log|"));
	cr_expect(strstr(ran.out, "Whole: 12 records, the last one's hash is ab12") &&
			  strstr(ran.out, "2 records from before"),
		  "%s", ran.out);
	ran = RUN("", "records", "verify", "survey.broken");
	cr_expect(eq(int, ran.status, 1));
	cr_expect(strstr(ran.out, "BROKEN at record 14") != NULL, "%s", ran.out);
	ran = RUN("", "records", "verify", "survey.short");
	cr_expect(eq(int, ran.status, 1));
	cr_expect(strstr(ran.out, "missing behind number 14") != NULL, "%s", ran.out);
}

Test(control, wrong_words_get_the_usage)
{
	static const char *const wrong[][4] = {
		{ "message" },
		{ "message", "find" },
		{ "message", "show", "12" },
		{ "message", "eat", ID },
		{ "optout", "list", "x" },
		{ "dialog", "list", "--colour" },
		{ "records", "verify" },
		{ "chat", "halo" },
		{ "chat", "--wait", "x" },
	};
	unsigned i;

	for (i = 0; i < ARRAY_LEN(wrong); i++)
		cr_expect(eq(int, run(wrong[i], "").status, 2), "case %u", i);
	cr_expect(eq(int, RUN("", "dialog", "--help").status, 0));
}

Test(control, without_a_gateway_or_its_secret_a_command_says_what_to_do)
{
	struct ran ran;

	cr_assert(control_addresses_put(state, "http://127.0.0.1:1", "http://127.0.0.1:1") == 0);
	ran = RUN("", "optout", "list");
	cr_expect(eq(int, ran.status, 1));
	cr_expect(strstr(ran.out, "no gateway answers at http://127.0.0.1:1") != NULL, "%s",
		  ran.out);
	ran = RUN("halo\n", "chat");
	cr_expect(eq(int, ran.status, 1));
	cr_expect(strstr(ran.out, "no gateway answers") != NULL, "%s", ran.out);
	remove_file("admin.secret");
	ran = RUN("", "optout", "list");
	cr_expect(eq(int, ran.status, 1));
	cr_expect(strstr(ran.out, "admin.secret: No such file") != NULL, "%s", ran.out);
}

Test(control, a_wrong_secret_says_which_folder_it_came_from)
{
	struct ran ran;

	write_file("admin.secret", "not the gateway's");
	ran = RUN("", "optout", "list");
	cr_expect(eq(int, ran.status, 1));
	cr_expect(strstr(ran.out, "refused the secret") && strstr(ran.out, state), "%s", ran.out);
}

TestSuite(chat, .init = setup, .fini = teardown, .timeout = 30);

Test(chat, each_line_is_an_sms_and_answers_are_printed)
{
	struct ran ran = RUN("SURVEI\r\nsatu dua\n3", "chat", "--wait", "0.5");

	cr_expect(eq(int, ran.status, 0));
	cr_expect(strstr(heard, "SURVEI|") == heard, "%s", heard);
	cr_expect(strstr(heard, "satu dua|") && strstr(heard, "3|") && strstr(heard, "receipt|"),
		  "%s", heard);
	cr_expect(strstr(ran.out, "2772: Anda menulis:\n  SURVEI\n2772: Anda menulis:\n  satu "
				  "dua\n2772: Anda menulis:\n  3\n") != NULL,
		  "%s", ran.out);
}

Test(chat, ussd_shows_screens_until_the_session_ends)
{
	struct ran ran = RUN("1\n", "chat", "--ussd", "*123*1#", "--wait", "0.2");

	cr_expect(eq(int, ran.status, 0));
	cr_expect(eq(str, heard, (char *)"dialled|1|"));
	cr_expect(strstr(ran.out, "Puas?\n1. Ya\n") && strstr(ran.out, "Terima kasih\n") &&
			  strstr(ran.out, "session ended"),
		  "%s", ran.out);
}

Test(chat, the_end_of_the_input_hangs_up)
{
	struct ran ran = RUN("", "chat", "--ussd", "--wait", "0.2");

	cr_expect(eq(int, ran.status, 0));
	cr_expect(eq(str, heard, (char *)"dialled|hung up|"));
}

Test(chat, a_busy_gateway_is_told)
{
	struct ran ran;

	refuse = true;
	ran = RUN("halo\n", "chat", "--wait", "0.2");
	cr_expect(eq(int, ran.status, 1));
	cr_expect(strstr(ran.out, "busy") != NULL, "%s", ran.out);
}

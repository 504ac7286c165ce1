/* chat.c - a phone in the terminal.
 *
 * It sends through the gateway's public listener like a telco and fetches what was sent to its number from the simulated
 * network (phone.h), so what is tried here is the whole path.  One process is one phone; start as many as you like, each
 * with a --from of its own.  Where the input is no terminal, each line waits for an answer to the line before, so
 * that a script reads like a conversation; at its end the phone listens on until it has been quiet for a while.
 */
#include "chat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/util.h>

#include "control_priv.h"
#include "rehearsal.h"

enum {
	LINE_MAX_BYTES = 40000,
	POLL_SECONDS = 25,    /* how long the network holds a question for news */
	POLL_AGAIN_MS = 1000, /* after a failed one */
	USSD_MS = 15000,      /* a screen that takes longer is given up */
	SEND_MS = 20000,
};

struct line {
	STAILQ_ENTRY(line)
	next;
	char *text; /* owned */
};

struct chat {
	struct link link;
	const char *from, *to, *code; /* code: NULL where it is SMS */
	double wait;                  /* seconds of quiet */
	bool terminal;
	struct http_field secret;
	struct event *input; /* owned; more lines may come */
	struct event *quiet; /* owned; runs while nothing happens */
	struct event *poll;  /* owned; asks again */
	struct buf text;     /* input that is not a whole line yet */
	STAILQ_HEAD(line_list, line)
	lines;      /* owned; not sent yet */
	bool ended; /* no more input */
	bool sending, polling,
		waiting; /* a request is under way; an answer to the last line is waited for */
	bool ready;      /* the mailbox was looked into */
	bool failed, done;
	int64_t after;    /* the mailbox's last message that we have; -1: not asked yet */
	char session[32]; /* USSD */
	unsigned step;
	bool open, hung_up; /* the USSD session */
};

static void chat_go_on(struct chat *chat);

static void chat_fail(struct chat *chat, const char *base_url, const struct http_result *result)
{
	link_explain(&chat->link, base_url, result);
	chat->failed = true;
	chat->done = true;
}

/* Something happened: the quiet begins anew. */
static void chat_stir(struct chat *chat)
{
	struct timeval wait = { (time_t)chat->wait,
				(suseconds_t)((chat->wait - (double)(time_t)chat->wait) * 1e6) };

	event_add(chat->quiet, &wait);
}

static void quiet_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct chat *chat = arg;

	chat->waiting = false; /* no answer came: go on with the next line */
	if (chat->ended && STAILQ_EMPTY(&chat->lines) && !chat->sending)
		chat->done = true;
	chat_go_on(chat);
}

static void random_id(char out[static 32])
{
	unsigned char bytes[8];
	unsigned i;

	evutil_secure_rng_get_bytes(bytes, sizeof(bytes));
	for (i = 0; i < sizeof(bytes); i++)
		snprintf(out + (size_t)2 * i, 3, "%02x", bytes[i]);
}

static void prompt(const struct chat *chat)
{
	if (chat->terminal && !chat->done) {
		printf("> ");
		fflush(stdout);
	}
}

static void print_message(struct chat *chat, const json_t *message)
{
	const char *from = json_string_value(json_object_get(message, "from"));
	const char *text = json_string_value(json_object_get(message, "text"));

	if (!from || !text)
		return;
	if (chat->terminal)
		printf("\r");
	printf("%s: ", from);
	link_print_text(text, "  ");
	fflush(stdout);
}

static void poll_result_cb(const struct http_result *result, void *arg)
{
	struct chat *chat = arg;
	struct timeval again = { 0, POLL_AGAIN_MS * 1000 };
	const json_t *list, *message;
	json_t *body;
	size_t i;

	chat->polling = false;
	if (result->error == -ECANCELED)
		return;
	if (result->error != 0 || result->status != 200) {
		if (!chat->ready || result->status == 401)
			chat_fail(chat, chat->link.admin_base, result);
		else
			event_add(chat->poll,
				  &again); /* the gateway restarts: this is a phone, it goes on */
		return;
	}
	body = json_loadb(result->body.data, result->body.len, 0, NULL);
	list = json_object_get(body, "messages");
	if (json_is_integer(json_object_get(body, "next")))
		chat->after = json_integer_value(json_object_get(body, "next"));
	json_array_foreach (list, i, message) {
		print_message(chat, message);
	}
	if (json_array_size(list) > 0) {
		chat->waiting = false;
		chat_stir(chat);
		prompt(chat);
	}
	if (!chat->ready && !chat->code && json_array_size(list) == 0)
		prompt(chat);
	chat->ready = true;
	json_decref(body);
	event_active(chat->poll, EV_TIMEOUT, 0);
	chat_go_on(chat);
}

/* A number as part of a query. */
static void add_number(struct buf *out, const char *number)
{
	for (; *number; number++) {
		if (strchr("0123456789", *number))
			buf_add(out, number, 1);
		else
			buf_addf(out, "%%%02X", (unsigned char)*number);
	}
}

static void poll_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct chat *chat = arg;
	struct buf url = { 0 };

	if (chat->polling || chat->done)
		return;
	chat->polling = true;
	buf_addf(&url, "%s/phone/messages?number=", chat->link.admin_base);
	add_number(&url, chat->from);
	if (chat->ready)
		buf_addf(&url, "&after=%lld", (long long)chat->after);
	buf_addf(&url, "&wait=%d", chat->ready ? POLL_SECONDS : 0);
	link_call(&chat->link, url.data, &chat->secret, NULL, (POLL_SECONDS + 10) * 1000,
		  poll_result_cb, chat);
	buf_free(&url);
}

static void sms_result_cb(const struct http_result *result, void *arg)
{
	struct chat *chat = arg;

	chat->sending = false;
	if (result->error == -ECANCELED)
		return;
	if (result->error != 0 || result->status >= 300) {
		chat_fail(chat, chat->link.public_base, result);
		return;
	}
	chat_stir(chat);
	chat_go_on(chat);
}

static void send_sms(struct chat *chat, const char *text)
{
	struct buf url = { 0 };
	char id[32];
	json_t *body;

	random_id(id);
	body = json_pack("{s:s, s:s, s:s, s:s}", "id", id, "from", chat->from, "to", chat->to,
			 "text", text);
	if (!body) {
		fprintf(stderr, "kentongan: that line is not UTF-8; it was not sent\n");
		return;
	}
	chat->sending = chat->waiting = true;
	buf_addf(&url, "%s/telco/phone/sms", chat->link.public_base);
	link_call(&chat->link, url.data, &chat->secret, body, SEND_MS, sms_result_cb, chat);
	buf_free(&url);
}

static void show_screen(struct chat *chat, const json_t *body)
{
	const char *text = json_string_value(json_object_get(body, "text"));

	chat->open = json_is_true(json_object_get(body, "more"));
	printf("----------------------------------------\n");
	link_print_text(text ? text : "", "");
	printf("%s\n", chat->open ? "----------------------------------------"
				  : "------------------------- session ended");
	fflush(stdout);
	if (chat->open)
		prompt(chat);
	else
		chat->ended = true;
}

static void ussd_result_cb(const struct http_result *result, void *arg)
{
	struct chat *chat = arg;
	json_t *body;

	chat->sending = chat->waiting = false;
	if (result->error == -ECANCELED)
		return;
	if (result->error != 0 || result->status != 200) {
		if (result->error == -ETIMEDOUT)
			fprintf(stderr,
				"kentongan: no screen within %d seconds; dial again to go on\n",
				USSD_MS / 1000);
		else
			link_explain(&chat->link, chat->link.public_base, result);
		chat->failed = chat->done = true;
		return;
	}
	if (!chat->hung_up) {
		body = json_loadb(result->body.data, result->body.len, 0, NULL);
		show_screen(chat, body);
		json_decref(body);
	}
	chat_stir(chat);
	chat_go_on(chat);
}

/* One request of the session: input NULL dials; end: the citizen hangs up. */
static void send_ussd(struct chat *chat, const char *input, bool end)
{
	json_t *body = json_pack("{s:s, s:s, s:s, s:i, s:b}", "session", chat->session, "from",
				 chat->from, "code", chat->code, "step", (int)chat->step, "end",
				 end);
	struct buf url = { 0 };

	if (input && json_object_set_new(body, "input", json_string(input)) < 0) {
		fprintf(stderr, "kentongan: that line is not UTF-8; it was not sent\n");
		json_decref(body);
		return;
	}
	chat->step++;
	chat->sending = chat->waiting = true;
	buf_addf(&url, "%s/telco/phone/ussd", chat->link.public_base);
	link_call(&chat->link, url.data, &chat->secret, body, USSD_MS, ussd_result_cb, chat);
	buf_free(&url);
}

static void hang_up(struct chat *chat)
{
	chat->open = false;
	chat->hung_up = true;
	send_ussd(chat, "", true);
}

static char *take_line(struct chat *chat)
{
	struct line *line = STAILQ_FIRST(&chat->lines);
	char *text = line ? line->text : NULL;

	if (!line)
		return NULL;
	STAILQ_REMOVE_HEAD(&chat->lines, next);
	free(line);
	return text;
}

/* Does what can be done now: the next line, hanging up, the end. */
static void chat_go_on(struct chat *chat)
{
	char *text;

	if (chat->done || !chat->ready || chat->sending || (chat->waiting && !chat->terminal))
		return;
	if (chat->code && chat->step == 0) {
		send_ussd(chat, NULL, false);
		return;
	}
	text = chat->code && !chat->open ? NULL : take_line(chat);
	if (!text) {
		if (chat->ended && chat->open)
			hang_up(chat);
		else if (chat->ended && !event_pending(chat->quiet, EV_TIMEOUT, NULL))
			chat_stir(chat);
		return;
	}
	if (chat->code)
		send_ussd(chat, text, false);
	else
		send_sms(chat, text);
	free(text);
	if (!chat->sending) /* it could not be sent: the next one */
		event_active(chat->quiet, EV_TIMEOUT, 0);
	prompt(chat);
}

static void put_line(struct chat *chat, const char *text, size_t len)
{
	struct line *line = xcalloc(1, sizeof(*line));

	while (len > 0 && text[len - 1] == '\r')
		len--;
	line->text = xmemdup(text, len);
	STAILQ_INSERT_TAIL(&chat->lines, line, next);
}

static void take_lines(struct chat *chat)
{
	char *start = chat->text.data, *end = start ? start + chat->text.len : NULL, *feed;

	while (start && (feed = memchr(start, '\n', (size_t)(end - start)))) {
		put_line(chat, start, (size_t)(feed - start));
		start = feed + 1;
	}
	if (!start)
		return;
	chat->text.len = (size_t)(end - start);
	memmove(chat->text.data, start, chat->text.len);
	if (chat->text.len > LINE_MAX_BYTES || (chat->ended && chat->text.len > 0)) {
		put_line(chat, chat->text.data, chat->text.len);
		buf_reset(&chat->text);
	}
}

static void input_cb(evutil_socket_t fd, short events UNUSED, void *arg)
{
	struct chat *chat = arg;
	char data[4096];
	ssize_t n = read(fd, data, sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0)
		buf_add(&chat->text, data, (size_t)n);
	else
		chat->ended = true;
	take_lines(chat);
	if (chat->ended) {
		event_del(chat->input);
		chat_stir(chat);
	}
	chat_go_on(chat);
}

/* A file can't be waited for, and need not be. */
static void read_file(struct chat *chat)
{
	while (!chat->ended)
		input_cb(STDIN_FILENO, EV_READ, chat);
}

static void chat_run(struct chat *chat)
{
	struct event_base *base = chat->link.base;
	struct stat file;
	struct line *line;

	STAILQ_INIT(&chat->lines);
	chat->input = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, input_cb, chat);
	chat->quiet = evtimer_new(base, quiet_cb, chat);
	chat->poll = evtimer_new(base, poll_cb, chat);
	chat->secret = (struct http_field){ "X-Kentongan-Secret",
					    { chat->link.secret, strlen(chat->link.secret) } };
	random_id(chat->session);
	event_active(chat->poll, EV_TIMEOUT, 0);
	if (fstat(STDIN_FILENO, &file) == 0 && S_ISREG(file.st_mode))
		read_file(chat);
	else if (event_add(chat->input, NULL) < 0)
		chat->ended = true; /* nothing to read from, as with /dev/null */
	while (!chat->done)
		event_base_loop(base, EVLOOP_ONCE);
	http_client_free(chat->link.client);
	chat->link.client = NULL;
	while ((line = STAILQ_FIRST(&chat->lines))) {
		STAILQ_REMOVE_HEAD(&chat->lines, next);
		free(line->text);
		free(line);
	}
	event_free(chat->input);
	event_free(chat->quiet);
	event_free(chat->poll);
	buf_free(&chat->text);
}

static void print_usage(FILE *out)
{
	fprintf(out,
		"usage: kentongan chat [--from NUMBER] [--to 2772] [--ussd [CODE]] [--state DIR]\n"
		"                      [--url BASE] [--admin BASE] [--wait SECONDS]\n"
		"A phone in the terminal: each line is an SMS; with --ussd it dials CODE (*123#) "
		"and each line is an input.\n"
		"Start it several times with other numbers for several phones.  At the end of a "
		"script it waits until it\n"
		"has been quiet for --wait seconds (3).\n"
		"\n"
		"       kentongan chat [--record FILE.dialog] FOLDER\n"
		"Talks with the plugin in a folder (plugins/x) without a gateway; :help lists what "
		"can be done there.\n");
}

struct options {
	struct link_options link;
	const char *url;
};

static bool parse_options(int argc, char **argv, struct chat *chat, struct options *out)
{
	static const struct option names[] = {
		{ "from", required_argument, NULL, 'f' }, { "to", required_argument, NULL, 't' },
		{ "ussd", optional_argument, NULL, 'u' }, { "url", required_argument, NULL, 'l' },
		{ "wait", required_argument, NULL, 'w' }, LINK_OPTIONS /* and the end */
	};
	int option;
	char *end;

	*out = (struct options){ .link.state = "state" };
	*chat = (struct chat){ .from = "+6281200000001", .to = "2772", .wait = 3, .after = -1 };
	optind = 1;
	while ((option = link_getopt(argc, argv, names, &out->link)) != -1) {
		switch (option) {
		case 'f':
			chat->from = optarg;
			break;
		case 't':
			chat->to = optarg;
			break;
		case 'u':
			if (!optarg && optind < argc && argv[optind][0] == '*')
				optarg = argv[optind++];
			chat->code = optarg ? optarg : "*123#";
			break;
		case 'l':
			out->url = optarg;
			break;
		case 'w':
			chat->wait = optarg ? strtod(optarg, &end) : 0;
			if (!optarg || *end || end == optarg ||
			    !(chat->wait > 0 && chat->wait <= 3600))
				return false;
			break;
		default:
			return false;
		}
	}
	return optind == argc;
}

int chat_main(int argc, char **argv)
{
	struct options options;
	struct chat chat;

	if (argc > 1 && (argv[1][0] != '-' || strcmp(argv[1], "--record") == 0))
		return rehearsal_main(argc, argv);
	if (!parse_options(argc, argv, &chat, &options)) {
		print_usage(stderr);
		return 2;
	}
	if (options.link.help) {
		print_usage(stdout);
		return 0;
	}
	if (!link_open(&chat.link, &options.link, "secrets/phone"))
		return 1;
	if (options.url)
		snprintf(chat.link.public_base, sizeof(chat.link.public_base), "%s", options.url);
	chat.terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (chat.terminal)
		printf("%s, a phone.  %s  Ctrl-D switches it off.\n", chat.from,
		       chat.code ? "It dials; answer the screens."
				 : "Each line is an SMS; try SURVEI.");
	chat_run(&chat);
	link_close(&chat.link);
	return chat.failed ? 1 : 0;
}

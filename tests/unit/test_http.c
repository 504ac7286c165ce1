/* test_http.c - the strict listener: what passes, what is refused and how, and what becomes of an answer. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "http.h"
#include "http_head.h"
#include "log.h"

#define LF "\r\n"
#define HOST "Host: gw.example" LF
#define FORM "Content-Type: application/x-www-form-urlencoded" LF

/* Text with its length, so that it may hold NUL. */
#define TEXT(text) (text), sizeof(text) - 1

static int parse(const char *text, size_t len, struct arena *arena, struct http_head *head)
{
	size_t seen = 0;
	ssize_t end = http_head_end(text, len, &seen);

	if (end < 0)
		return 400;
	cr_assert(eq(sz, (size_t)end, len), "not one whole head: %s", text);
	return http_head_parse(arena, arena_memdup(arena, text, len), len, 65536, head);
}

Test(http, a_head_that_may_be_read_in_two_ways_is_refused)
{
	static const struct {
		int status;
		const char *text;
		size_t len;
	} rows[] = {
		{ 400, TEXT("\r\n\r\n") },
		{ 400, TEXT("GET\r\n\r\n") },
		{ 400, TEXT("GET /\r\n" HOST LF) },
		{ 400, TEXT("GET  / HTTP/1.1\r\n" HOST LF) },
		{ 400, TEXT("GET / HTTP/1.1 \r\n" HOST LF) },
		{ 400, TEXT("GET\t/\tHTTP/1.1\r\n" HOST LF) },
		{ 400, TEXT(" GET / HTTP/1.1\r\n" HOST LF) },
		{ 400, TEXT("GET / http/1.1\r\n" HOST LF) },
		{ 505, TEXT("GET / HTTP/1.2\r\n" HOST LF) },
		{ 505, TEXT("GET / HTTP/2.0\r\n" HOST LF) },
		{ 505, TEXT("GET / HTTP/1.10\r\n" HOST LF) },
		{ 505, TEXT("GET / HTTP/4294967297.1\r\n" HOST LF) },
		{ 405, TEXT("PUT / HTTP/1.1\r\n" HOST LF) },
		{ 405, TEXT("get / HTTP/1.1\r\n" HOST LF) },
		{ 400, TEXT("G(T / HTTP/1.1\r\n" HOST LF) },
		{ 400, TEXT("GET * HTTP/1.1\r\n" HOST LF) },
		{ 400, TEXT("GET http://gw.example/ HTTP/1.1\r\n" HOST LF) },
		{ 400, TEXT("GET //gw.example/admin HTTP/1.1\r\n" HOST LF) },
		{ 400, TEXT("GET /a#b HTTP/1.1\r\n" HOST LF) },
		{ 400, TEXT("GET /a\x80 HTTP/1.1\r\n" HOST LF) },
		{ 400, TEXT("GET /a\0b HTTP/1.1\r\n" HOST LF) },
		{ 400, TEXT("GET /a?b=%zz HTTP/1.1\r\n" HOST LF) },
		{ 400, TEXT("GET /a?b=1&b=2 HTTP/1.1\r\n" HOST LF) },
		{ 400, TEXT("GET /../a HTTP/1.1\r\n" HOST LF) },
		{ 400, TEXT("GET / HTTP/1.1\r\n\r\n") },
		{ 400, TEXT("GET / HTTP/1.1\r\nHost: \r\n\r\n") },
		{ 400, TEXT("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n") },
		{ 400, TEXT("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n") },
		{ 400, TEXT("GET / HTTP/1.1\r\n" HOST HOST LF) },
		{ 400, TEXT("GET / HTTP/1.1\r\n" HOST ": x" LF LF) },
		{ 400, TEXT("GET / HTTP/1.1\r\n" HOST "X" LF LF) },
		{ 400, TEXT("GET / HTTP/1.1\r\n" HOST "X : y" LF LF) },
		{ 400, TEXT("GET / HTTP/1.1\r\n" HOST "X: y" LF " folded" LF LF) },
		{ 400, TEXT("GET / HTTP/1.1\r\n" HOST "X: y\rz" LF LF) },
		{ 400, TEXT("GET / HTTP/1.1\r\n" HOST "X: y\0z" LF LF) },
		{ 400, TEXT("GET / HTTP/1.1\r\n" HOST "X: y\x01z" LF LF) },
		{ 400, TEXT("GET / HTTP/1.1\r\n" HOST "X\0: y" LF LF) },
		{ 400, TEXT("GET / HTTP/1.1\n" HOST LF) },
		{ 400, TEXT("GET / HTTP/1.1\r\n" HOST "X: y\n" LF) },
		{ 400, TEXT("GET / HTTP/1.1\r\n" HOST "Content-Length: 5" LF LF) },
		{ 411, TEXT("POST / HTTP/1.1\r\n" HOST LF) },
		{ 411, TEXT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked" LF LF) },
		{ 411, TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 5" LF
			    "transfer-encoding: identity" LF LF) },
		{ 411, TEXT("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding:" LF LF) },
		{ 400, TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 5" LF
			    "Content-Length: 5" LF LF) },
		{ 400, TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5" LF LF) },
		{ 400, TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: +5" LF LF) },
		{ 400, TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: -1" LF LF) },
		{ 400, TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5" LF LF) },
		{ 400, TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length:" LF LF) },
		{ 413, TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 65537" LF LF) },
		{ 413,
		  TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551621" LF LF) },
		{ 415, TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 5" LF
			    "Content-Encoding: gzip" LF LF) },
		{ 400, TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 5" LF FORM FORM LF) },
		{ 400,
		  TEXT("GET / HTTP/1.1\r\n" HOST "Authorization: a" LF "Authorization: b" LF LF) },
		{ 417,
		  TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 5" LF "Expect: cake" LF LF) },
		{ 0, TEXT("GET / HTTP/1.1\r\n" HOST LF) },
		{ 0, TEXT("GET / HTTP/1.0\r\n\r\n") },
		{ 0, TEXT("HEAD /a%20b?c=d&e HTTP/1.1\r\nhost:[::1]:8080\r\n\r\n") },
		{ 0, TEXT("GET / HTTP/1.1\r\n" HOST "Content-Length: 0" LF LF) },
		{ 0, TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 65536" LF
			  "X: \xff\t y  " LF LF) },
		{ 0, TEXT("POST / HTTP/1.1\r\n" HOST "Content-Length: 0000005" LF LF) },
	};
	unsigned i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena arena = { 0 };
		struct http_head head;

		cr_expect(eq(int, parse(rows[i].text, rows[i].len, &arena, &head), rows[i].status),
			  "row %u: %s", i, rows[i].text);
		arena_free(&arena);
	}
}

Test(http, a_good_head_gives_its_values)
{
	struct arena arena = { 0 };
	struct http_head head;
	static const char text[] = "POST /telco/k%201?a=b+c&d=%00 HTTP/1.1\r\nHost: gw\r\nX-One:  "
				   "satu  \r\nContent-Length: 12\r\n\r\n";

	cr_assert(eq(int, parse(TEXT(text), &arena, &head), 0));
	cr_expect(eq(str, (char *)head.request.path, (char *)"/telco/k 1"));
	cr_expect(eq(str, (char *)head.request.target, (char *)"/telco/k%201?a=b+c&d=%00"));
	cr_expect(eq(str, (char *)http_field(&head.request.query, "a", false)->value.data,
		     (char *)"b c"));
	cr_expect(eq(sz, http_field(&head.request.query, "d", false)->value.len, 1));
	cr_expect(eq(str, (char *)http_field(&head.request.headers, "x-one", true)->value.data,
		     (char *)"satu"));
	cr_expect(eq(ptr, (void *)http_field(&head.request.headers, "x-one", false), NULL));
	cr_expect(eq(sz, head.body, 12));
	cr_expect(head.keep);
	arena_free(&arena);
}

Test(http, more_than_64_header_lines_are_refused)
{
	struct arena arena = { 0 };
	struct http_head head;
	unsigned count;

	for (count = 63; count <= 64; count++) {
		struct buf text = { 0 };
		unsigned i;

		buf_addstr(&text, "GET / HTTP/1.1\r\n" HOST);
		for (i = 0; i < count; i++)
			buf_addstr(&text, "a:b\r\n");
		buf_addstr(&text, LF);
		cr_expect(
			eq(int, parse(text.data, text.len, &arena, &head), count == 63 ? 0 : 431));
		buf_free(&text);
	}
	arena_free(&arena);
}

Test(http, a_path_is_decoded_once_and_must_be_plain)
{
	static const struct {
		const char *text, *path; /* NULL: refused */
	} rows[] = {
		{ "", NULL },         { "a", NULL },        { "%2fa", "/a" },
		{ "/%", NULL },       { "/%2", NULL },      { "/%zz", NULL },
		{ "/%00", NULL },     { "/a%0d", NULL },    { "/a%7f", NULL },
		{ "/a\\b", NULL },    { "/a%5cb", NULL },   { "/%2561", NULL },
		{ "//", NULL },       { "/%2f", NULL },     { "/.", NULL },
		{ "/..", NULL },      { "/a/./b", NULL },   { "/a/../b", NULL },
		{ "/%2e%2e/", NULL }, { "/a/%2e", NULL },   { "/", "/" },
		{ "/a/", "/a/" },     { "/.a", "/.a" },     { "/a..b", "/a..b" },
		{ "/...", "/..." },   { "/%41+b", "/A+b" },
	};
	unsigned i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena arena = { 0 };
		char *path = http_path_decode(&arena, rows[i].text, strlen(rows[i].text));

		if (rows[i].path)
			cr_expect(path && strcmp(path, rows[i].path) == 0, "%s", rows[i].text);
		else
			cr_expect(eq(ptr, path, NULL), "%s", rows[i].text);
		arena_free(&arena);
	}
}

Test(http, a_form_with_a_name_twice_or_a_bad_escape_is_refused)
{
	static const struct {
		const char *text;
		int count; /* -1: refused */
	} rows[] = {
		{ "a=%", -1 },      { "a=%2", -1 },    { "a=%zz", -1 },     { "a=%u0041", -1 },
		{ "%zz=a", -1 },    { "a=1&a=2", -1 }, { "a=1&%61=2", -1 }, { "=1", -1 },
		{ "%00=1", -1 },    { "a=1&a", -1 },   { "", 0 },           { "&&", 0 },
		{ "a", 1 },         { "a=", 1 },       { "a==", 1 },        { "a=1&b=2&", 2 },
		{ "a=b+c%20d", 1 }, { "a=%00b", 1 },   { "A=1&a=2", 2 },
	};
	unsigned i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena arena = { 0 };
		struct http_fields fields;
		bool ok = http_parse_form(&arena, rows[i].text, strlen(rows[i].text), &fields);

		cr_expect(eq(int, ok ? (int)fields.count : -1, rows[i].count), "%s", rows[i].text);
		arena_free(&arena);
	}
}

Test(http, a_form_s_values_are_decoded_and_may_hold_nul)
{
	struct arena arena = { 0 };
	struct http_fields fields;

	cr_assert(http_parse_form(&arena, TEXT("t=a+b%2B%00c&empty=&bare"), &fields));
	cr_expect(eq(sz, fields.items[0].value.len, 6));
	cr_expect(memcmp(fields.items[0].value.data, "a b+\0c", 6) == 0);
	cr_expect(eq(sz, fields.items[1].value.len, 0));
	cr_expect(eq(sz, fields.items[2].value.len, 0));
	arena_free(&arena);
}

Test(http, a_form_of_more_than_64_items_is_refused)
{
	struct arena arena = { 0 };
	struct http_fields fields;
	struct buf text = { 0 };
	unsigned i;

	for (i = 0; i < 64; i++)
		buf_addf(&text, "%sn%u=1", i ? "&" : "", i);
	cr_expect(http_parse_form(&arena, text.data, text.len, &fields));
	buf_addstr(&text, "&more=1");
	cr_expect(not(http_parse_form(&arena, text.data, text.len, &fields)));
	buf_free(&text);
	arena_free(&arena);
}

/* A client: bytes out, bytes in. */
struct talk {
	struct bufferevent *bev;
	struct buf in;
	bool closed;
};

static struct event_base *base;
static struct http_server *server;
static struct http_exchange *held; /* a request for /hold that waits */
static unsigned handled, sent_whole, sent_not;
static char last_body[256], last_peer[64];
static size_t last_len;

static void sent_cb(bool whole, void *arg UNUSED)
{
	sent_whole += whole;
	sent_not += !whole;
}

static void answer(struct http_exchange *exchange, const char *text)
{
	struct http_response response = { .status = 200, .body = { text, strlen(text) } };

	http_reply(exchange, &response, sent_cb, NULL);
}

static void handle(struct http_exchange *exchange, const struct http_request *request,
		   void *arg UNUSED)
{
	handled++;
	last_len = request->body.len;
	snprintf(last_body, sizeof(last_body), "%.*s", (int)(last_len < 200 ? last_len : 200),
		 request->body.data ? request->body.data : "");
	snprintf(last_peer, sizeof(last_peer), "%s", request->peer);
	if (strcmp(request->path, "/hold") == 0)
		held = exchange;
	else if (strcmp(request->path, "/none") == 0)
		http_reply_status(exchange, 404);
	else
		answer(exchange, request->path);
}

static void talk_read_cb(struct bufferevent *bev, void *arg)
{
	struct talk *talk = arg;
	char data[4096];
	size_t n;

	while ((n = bufferevent_read(bev, data, sizeof(data))) > 0)
		buf_add(&talk->in, data, n);
}

static void talk_event_cb(struct bufferevent *bev UNUSED, short what, void *arg)
{
	struct talk *talk = arg;

	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		talk->closed = true;
}

static struct talk *talk_new(void)
{
	struct talk *talk = xcalloc(1, sizeof(*talk));
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)http_server_port(server)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	talk->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(talk->bev, talk_read_cb, NULL, talk_event_cb, talk);
	bufferevent_enable(talk->bev, EV_READ | EV_WRITE);
	cr_assert(bufferevent_socket_connect(talk->bev, (struct sockaddr *)&address,
					     sizeof(address)) == 0);
	return talk;
}

static void talk_free(struct talk *talk)
{
	bufferevent_free(talk->bev);
	buf_free(&talk->in);
	free(talk);
}

static unsigned answers(const struct talk *talk)
{
	const char *at = talk->in.data;
	unsigned count = 0;

	for (; at && (at = strstr(at, "HTTP/1.1 ")); at++)
		count++;
	return count;
}

static void turn(void)
{
	struct timeval wait = { 0, 50000 };

	event_base_loopexit(base, &wait);
	event_base_loop(base, EVLOOP_ONCE);
}

/* Until so many answers came, or the connection was closed. */
static void until_answers(const struct talk *talk, unsigned count)
{
	while (answers(talk) < count && !talk->closed)
		turn();
}

static void until_closed(const struct talk *talk)
{
	while (!talk->closed)
		turn();
}

static void say(struct talk *talk, const char *text, size_t len)
{
	bufferevent_write(talk->bev, text, len);
}

static void start(const struct http_limits *limits)
{
	base = event_base_new();
	log_set_level(LOG_ERROR);
	cr_assert(http_server_open(base, "127.0.0.1", 0, limits, handle, NULL, &server) == 0);
}

static void setup(void)
{
	start(&http_default_limits);
}

static void teardown(void)
{
	http_server_close(server);
	event_base_free(base);
}

TestSuite(http_server, .init = setup, .fini = teardown, .timeout = 20);

Test(http_server, a_request_is_answered_and_the_connection_kept)
{
	struct talk *talk = talk_new();

	say(talk, TEXT("GET /satu HTTP/1.1\r\n" HOST LF));
	until_answers(talk, 1);
	say(talk, TEXT("POST /dua HTTP/1.1\r\n" HOST "Content-Length: 4" LF LF "a\0bc"));
	until_answers(talk, 2);
	cr_expect(eq(uint, handled, 2));
	cr_expect(eq(sz, last_len, 4));
	cr_expect(strstr(talk->in.data, "\r\n\r\n/satu") != NULL);
	cr_expect(strstr(talk->in.data, "\r\n\r\n/dua") != NULL);
	cr_expect(eq(uint, sent_whole, 2));
	cr_expect(eq(str, last_peer, (char *)"127.0.0.1"));
	cr_expect(not(talk->closed));
	talk_free(talk);
}

Test(http_server, requests_sent_ahead_are_answered_in_order)
{
	struct talk *talk = talk_new();

	say(talk, TEXT("GET /1 HTTP/1.1\r\n" HOST LF "POST /2 HTTP/1.1\r\n" HOST
		       "Content-Length: 2" LF LF "okGET /3 HTTP/1.1\r\n" HOST LF "GET /4 HT"));
	until_answers(talk, 3);
	say(talk, TEXT("TP/1.1\r\n" HOST LF));
	until_answers(talk, 4);
	cr_expect(eq(uint, handled, 4));
	cr_expect(strstr(strstr(strstr(strstr(talk->in.data, "/1"), "/2"), "/3"), "/4") != NULL);
	talk_free(talk);
}

Test(http_server, how_the_bytes_are_cut_makes_no_difference)
{
	static const char text[] = "POST /a HTTP/1.1\r\n" HOST FORM "Content-Length: 8" LF LF
				   "text=abc";
	struct talk *talk = talk_new();
	size_t i;

	for (i = 0; i < sizeof(text) - 1; i++) {
		say(talk, text + i, 1);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	until_answers(talk, 1);
	cr_expect(eq(str, last_body, (char *)"text=abc"));
	talk_free(talk);
}

Test(http_server, nothing_behind_a_refused_request_is_read)
{
	struct talk *talk = talk_new();

	say(talk, TEXT("GET /a HTTP/1.1\r\n" HOST LF "POST /b HTTP/1.1\r\n" HOST
		       "Transfer-Encoding: x" LF LF "GET /c HTTP/1.1\r\n" HOST LF));
	until_closed(talk);
	cr_expect(eq(uint, handled, 1));
	cr_expect(eq(uint, answers(talk), 2));
	cr_expect(strstr(talk->in.data, "HTTP/1.1 411 Length Required\r\n") != NULL);
	cr_expect(strstr(talk->in.data, "Connection: close\r\n") != NULL);
	talk_free(talk);
}

Test(http_server, a_wrong_method_is_told_the_right_ones)
{
	struct talk *talk = talk_new();

	say(talk, TEXT("DELETE / HTTP/1.1\r\n" HOST LF));
	until_closed(talk);
	cr_expect(strstr(talk->in.data, "HTTP/1.1 405 ") != NULL);
	cr_expect(strstr(talk->in.data, "Allow: GET, HEAD, POST\r\n") != NULL);
	talk_free(talk);
}

Test(http_server, a_refusal_never_repeats_what_came)
{
	struct talk *talk = talk_new();

	say(talk,
	    TEXT("GET /marker HTTP/4294967295.255\r\nHost: marker\r\nX-marker: marker\r\n\r\n"));
	until_closed(talk);
	cr_expect(strstr(talk->in.data, "HTTP/1.1 505 ") == talk->in.data);
	cr_expect(eq(ptr, strstr(talk->in.data, "marker"), NULL));
	talk_free(talk);
}

Test(http_server, a_sender_of_too_much_still_sees_why)
{
	struct talk *talk = talk_new();
	char *body = xcalloc(1, 100000);

	memset(body, 'a', 100000);
	say(talk, TEXT("POST /a HTTP/1.1\r\n" HOST "Content-Length: 100000" LF LF));
	say(talk, body, 100000);
	until_closed(talk);
	cr_expect(strstr(talk->in.data ? talk->in.data : "", "HTTP/1.1 413 ") != NULL);
	cr_expect(eq(uint, handled, 0));
	free(body);
	talk_free(talk);
}

Test(http_server, a_head_over_its_limit_is_refused_before_it_is_whole)
{
	struct talk *talk = talk_new();
	char *line = xcalloc(1, 20000);

	memset(line, 'a', 20000);
	say(talk, TEXT("GET / HTTP/1.1\r\n" HOST "X: "));
	say(talk, line, 20000);
	until_closed(talk);
	cr_expect(strstr(talk->in.data ? talk->in.data : "", "HTTP/1.1 431 ") != NULL);
	talk_free(talk);
	talk = talk_new();
	say(talk, TEXT("GET /"));
	say(talk, line, 20000);
	until_closed(talk);
	cr_expect(strstr(talk->in.data ? talk->in.data : "", "HTTP/1.1 414 ") != NULL);
	free(line);
	talk_free(talk);
}

Test(http_server, a_sender_who_asks_may_send_its_body)
{
	struct talk *talk = talk_new();

	say(talk,
	    TEXT("POST /a HTTP/1.1\r\n" HOST "Expect: 100-continue" LF "Content-Length: 2" LF LF));
	until_answers(talk, 1);
	cr_expect(strstr(talk->in.data, "HTTP/1.1 100 Continue\r\n\r\n") == talk->in.data);
	say(talk, TEXT("ok"));
	until_answers(talk, 2);
	cr_expect(eq(str, last_body, (char *)"ok"));
	talk_free(talk);
}

Test(http_server, a_head_request_gets_no_body)
{
	struct talk *talk = talk_new();

	say(talk, TEXT("HEAD /abc HTTP/1.1\r\n" HOST LF "GET /d HTTP/1.1\r\n" HOST LF));
	until_answers(talk, 2);
	cr_expect(eq(ptr, strstr(talk->in.data, "/abc"), NULL));
	talk_free(talk);
}

Test(http_server, version_and_word_say_whether_the_connection_is_kept)
{
	static const struct {
		const char *text;
		bool kept;
	} rows[] = {
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: TE, Close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\n" HOST LF, true },
	};
	unsigned i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct talk *talk = talk_new();

		say(talk, rows[i].text, strlen(rows[i].text));
		until_answers(talk, 1);
		cr_expect(eq(int, strstr(talk->in.data, "Connection: close") == NULL, rows[i].kept),
			  "%s", rows[i].text);
		if (!rows[i].kept)
			until_closed(talk);
		talk_free(talk);
	}
}

Test(http_server, an_answer_may_come_later_and_a_half_closed_sender_gets_it)
{
	struct talk *talk = talk_new();

	say(talk, TEXT("GET /hold HTTP/1.1\r\n" HOST LF));
	while (!held)
		turn();
	shutdown(bufferevent_getfd(talk->bev), SHUT_WR);
	turn();
	cr_expect(eq(uint, http_server_in_work(server), 1));
	answer(held, "late");
	cr_expect(eq(uint, sent_whole, 0), "the callback ran inside the call");
	until_closed(talk);
	cr_expect(strstr(talk->in.data, "\r\n\r\nlate") != NULL);
	cr_expect(eq(uint, sent_whole, 1));
	cr_expect(eq(uint, http_server_in_work(server), 0));
	talk_free(talk);
}

Test(http_server, an_answer_that_nobody_can_get_is_told)
{
	struct talk *talk = talk_new();
	struct linger reset = { 1, 0 };
	char *much = xcalloc(1, 8 * 1024 * 1024);

	memset(much, 'a', 8 * 1024 * 1024 - 1);
	say(talk, TEXT("GET /hold HTTP/1.1\r\n" HOST LF));
	while (!held)
		turn();
	setsockopt(bufferevent_getfd(talk->bev), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	talk_free(talk);
	answer(held, much); /* more than the socket takes at once */
	while (sent_whole + sent_not == 0)
		turn();
	cr_expect(eq(uint, sent_not, 1));
	free(much);
}

Test(http_server, stopping_finishes_what_is_in_work)
{
	struct talk *talk = talk_new(), *idle = talk_new();

	say(idle, TEXT("GET /a HTTP/1.1\r\n" HOST LF));
	until_answers(idle, 1);
	say(talk, TEXT("GET /hold HTTP/1.1\r\n" HOST LF "GET /b HTTP/1.1\r\n" HOST LF));
	while (!held)
		turn();
	http_server_stop(server);
	until_closed(idle);
	answer(held, "late");
	until_closed(talk);
	cr_expect(strstr(talk->in.data, "Connection: close\r\n") != NULL);
	cr_expect(eq(uint, answers(talk), 1));
	cr_expect(eq(uint, handled, 2));
	talk_free(talk);
	talk_free(idle);
}

Test(http_server, closing_with_an_answer_owed_is_safe)
{
	struct talk *talk = talk_new();

	say(talk, TEXT("GET /hold HTTP/1.1\r\n" HOST LF));
	while (!held)
		turn();
	http_server_close(server);
	server = NULL;
	answer(held, "too late");
	cr_expect(eq(uint, sent_not, 1));
	talk_free(talk);
}

Test(http_server, an_address_that_is_none_or_taken_is_refused)
{
	struct http_server *other;

	cr_expect(eq(
		int,
		http_server_open(base, "localhost", 0, &http_default_limits, handle, NULL, &other),
		-EINVAL));
	cr_expect(eq(int,
		     http_server_open(base, "127.0.0.1", 70000, &http_default_limits, handle, NULL,
				      &other),
		     -EINVAL));
	cr_expect(eq(int,
		     http_server_open(base, "127.0.0.1", http_server_port(server),
				      &http_default_limits, handle, NULL, &other),
		     -EADDRINUSE));
}

TestSuite(http_limits, .fini = teardown, .timeout = 20);

Test(http_limits, more_connections_than_one_address_may_have_are_cut)
{
	struct http_limits limits = http_default_limits;
	struct talk *talks[3];
	unsigned i;

	limits.per_address = 2;
	start(&limits);
	for (i = 0; i < 3; i++) {
		talks[i] = talk_new();
		say(talks[i], TEXT("GET /a HTTP/1.1\r\n" HOST LF));
		if (i < 2)
			until_answers(talks[i], 1);
	}
	until_closed(talks[2]);
	cr_expect(eq(uint, answers(talks[2]), 0));
	talk_free(talks[0]);
	while (answers(talks[1]) < 2) {
		say(talks[1], TEXT("GET /a HTTP/1.1\r\n" HOST LF));
		until_answers(talks[1], 2);
	}
	talk_free(talks[2]);
	talks[2] = talk_new(); /* there is room again */
	say(talks[2], TEXT("GET /a HTTP/1.1\r\n" HOST LF));
	until_answers(talks[2], 1);
	cr_expect(eq(uint, answers(talks[2]), 1));
	talk_free(talks[1]);
	talk_free(talks[2]);
}

Test(http_limits, an_aggregator_may_have_more_but_not_more_than_all)
{
	static const char *const trusted[] = { "127.0.0.1", NULL };
	struct http_limits limits = http_default_limits;
	struct talk *talks[4];
	unsigned i;

	limits.per_address = 1;
	limits.connections = 3;
	limits.trusted = trusted;
	start(&limits);
	for (i = 0; i < 4; i++) {
		talks[i] = talk_new();
		say(talks[i], TEXT("GET /a HTTP/1.1\r\n" HOST LF));
		until_answers(talks[i], 1);
	}
	cr_expect(eq(uint, answers(talks[2]), 1));
	cr_expect(talks[3]->closed);
	cr_expect(eq(uint, answers(talks[3]), 0));
	for (i = 0; i < 4; i++)
		talk_free(talks[i]);
}

Test(http_limits, a_sender_who_drips_is_cut)
{
	struct http_limits limits = http_default_limits;
	struct talk *talk;

	limits.request_seconds = 1;
	start(&limits);
	talk = talk_new();
	say(talk, TEXT("GET / HTTP/1.1\r\n"));
	while (!talk->closed) {
		say(talk, TEXT("a:b\r\n"));
		turn();
	}
	cr_expect(eq(uint, handled, 0));
	talk_free(talk);
}

Test(http_limits, an_idle_connection_is_closed_and_one_in_work_is_not)
{
	struct http_limits limits = http_default_limits;
	struct talk *idle, *busy;

	limits.request_seconds = limits.idle_seconds = 1;
	start(&limits);
	idle = talk_new();
	busy = talk_new();
	say(busy, TEXT("GET /hold HTTP/1.1\r\n" HOST LF));
	say(idle, TEXT("GET / HTTP/1.1\r\n" HOST LF));
	until_answers(idle, 1);
	until_closed(idle);
	cr_assert(held != NULL);
	answer(held, "ok");
	until_answers(busy, 1);
	cr_expect(eq(uint, answers(busy), 1));
	talk_free(idle);
	talk_free(busy);
}

Test(http_limits, only_a_proxy_of_ours_may_say_whom_it_forwards)
{
	static const char *const proxies[] = { "127.0.0.1", "10.0.0.1", NULL };
	static const struct {
		const char *header, *peer;
	} rows[] = {
		{ "X-Forwarded-For: 203.0.113.9", "203.0.113.9" },
		{ "X-Forwarded-For: 198.51.100.7, 203.0.113.9", "203.0.113.9" },
		{ "X-Forwarded-For: 198.51.100.7, 203.0.113.9,10.0.0.1", "203.0.113.9" },
		{ "X-Forwarded-For: 2001:db8::1", "2001:db8::1" },
		{ "X-Forwarded-For: unknown", "127.0.0.1" },
		{ "X-Forwarded-For:", "127.0.0.1" },
		{ "X-Real-IP: 203.0.113.9", "127.0.0.1" },
	};
	struct http_limits limits = http_default_limits;
	unsigned i;

	limits.proxies = proxies;
	start(&limits);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct talk *talk = talk_new();
		struct buf text = { 0 };

		buf_addf(&text, "GET / HTTP/1.1\r\n" HOST "%s\r\n\r\n", rows[i].header);
		say(talk, text.data, text.len);
		until_answers(talk, 1);
		cr_expect(eq(str, last_peer, (char *)rows[i].peer), "%s", rows[i].header);
		buf_free(&text);
		talk_free(talk);
	}
}

Test(http_limits, without_proxies_a_forwarded_address_is_not_believed)
{
	struct talk *talk;

	start(&http_default_limits);
	talk = talk_new();
	say(talk, TEXT("GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: 203.0.113.9" LF LF));
	until_answers(talk, 1);
	cr_expect(eq(str, last_peer, (char *)"127.0.0.1"));
	talk_free(talk);
}

/* test_http_client.c - what a call comes to when the other side is there, is not, or goes away in the middle. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "http_client.h"

/* A server that does one thing to whoever comes. */
enum peer_kind {
	PEER_ANSWERS,    /* as often as asked, on a kept connection */
	PEER_READS,      /* and never answers */
	PEER_READS_ENDS, /* reads a request, then closes without an answer */
	PEER_ONCE_ENDS, /* answers the first request of a connection, closes on reading the second */
	PEER_FLOODS,    /* an answer of more than 64 KiB */
	PEER_REDIRECTS,
	PEER_BABBLES, /* no HTTP */
};

struct peer {
	enum peer_kind kind;
	struct evconnlistener *listener;
	unsigned port, connections, requests;
	struct bufferevent *open[16];
	char last[4096]; /* the last request */
};

struct outcome {
	bool done;
	struct http_result result;
	char body[128], header[128];
};

static struct event_base *base;
static struct http_client *client;

static void answer(struct bufferevent *bev, const char *head, size_t body)
{
	struct evbuffer *out = bufferevent_get_output(bev);
	size_t i;

	evbuffer_add_printf(out, "HTTP/1.1 %s\r\nX-One: satu\r\nContent-Length: %zu\r\n\r\n", head,
			    body);
	for (i = 0; i < body; i++)
		evbuffer_add(out, "a", 1);
}

static void peer_cut(struct peer *peer, struct bufferevent *bev)
{
	unsigned i;

	for (i = 0; i < 16; i++) {
		if (peer->open[i] == bev)
			peer->open[i] = NULL;
	}
	bufferevent_free(bev);
}

static void peer_read_cb(struct bufferevent *bev, void *arg)
{
	struct peer *peer = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(in);
	bool again = peer->requests > 0;

	len = len < sizeof(peer->last) - 1 ? len : sizeof(peer->last) - 1;
	evbuffer_remove(in, peer->last, len);
	peer->last[len] = '\0';
	evbuffer_drain(in, evbuffer_get_length(in));
	peer->requests++;
	if (peer->kind == PEER_ANSWERS || (peer->kind == PEER_ONCE_ENDS && !again))
		answer(bev, "202 Accepted", 5);
	else if (peer->kind == PEER_FLOODS)
		answer(bev, "200 OK", 65 * 1024);
	else if (peer->kind == PEER_REDIRECTS)
		answer(bev, "302 Found\r\nLocation: http://127.0.0.1:1/", 2);
	else if (peer->kind == PEER_BABBLES)
		evbuffer_add_printf(bufferevent_get_output(bev), "mooo\r\n\r\n\r\n");
	else if (peer->kind != PEER_READS)
		peer_cut(peer, bev);
}

static void peer_event_cb(struct bufferevent *bev, short what UNUSED, void *arg)
{
	peer_cut(arg, bev);
}

static void accept_cb(struct evconnlistener *listener UNUSED, evutil_socket_t fd,
		      struct sockaddr *from UNUSED, int len UNUSED, void *arg)
{
	struct peer *peer = arg;
	struct bufferevent *bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	peer->open[peer->connections++ % 16] = bev;
	bufferevent_setcb(bev, peer_read_cb, NULL, peer_event_cb, peer);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static struct sockaddr_in loopback(unsigned port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static unsigned port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);

	cr_assert(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	return ntohs(address.sin_port);
}

static void peer_open(struct peer *peer, enum peer_kind kind)
{
	struct sockaddr_in address = loopback(0);

	*peer = (struct peer){ .kind = kind };
	peer->listener = evconnlistener_new_bind(base, accept_cb, peer, LEV_OPT_CLOSE_ON_FREE, 16,
						 (struct sockaddr *)&address, sizeof(address));
	peer->port = port_of(evconnlistener_get_fd(peer->listener));
}

static void peer_close(struct peer *peer)
{
	unsigned i;

	evconnlistener_free(peer->listener);
	for (i = 0; i < 16; i++) {
		if (peer->open[i])
			bufferevent_free(peer->open[i]);
	}
}

static void result_cb(const struct http_result *result, void *arg)
{
	struct outcome *outcome = arg;
	const struct http_field *one = http_field(&result->headers, "x-one", true);

	outcome->done = true;
	outcome->result = *result;
	snprintf(outcome->body, sizeof(outcome->body), "%.*s",
		 (int)(result->body.len < 100 ? result->body.len : 100),
		 result->body.data ? result->body.data : "");
	snprintf(outcome->header, sizeof(outcome->header), "%s", one ? one->value.data : "");
}

static struct outcome call_url(const char *url, const char *body, unsigned total_ms)
{
	struct http_field type = { "Content-Type", { "text/plain", 10 } };
	struct http_call call = { .method = body ? "POST" : "GET",
				  .url = url,
				  .headers = { &type, 1 },
				  .body = { body, body ? strlen(body) : 0 },
				  .connect_ms = total_ms,
				  .total_ms = total_ms };
	struct outcome outcome = { 0 };

	cr_assert(http_client_call(client, &call, result_cb, &outcome) == 0);
	cr_assert(not(outcome.done), "the callback ran inside the call");
	while (!outcome.done)
		event_base_loop(base, EVLOOP_ONCE);
	return outcome;
}

static struct outcome call_port(unsigned port, const char *body, unsigned total_ms)
{
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/send?a=1", port);
	return call_url(url, body, total_ms);
}

static void setup(void)
{
	base = event_base_new();
	client = http_client_new(base, 8);
}

static void teardown(void)
{
	http_client_free(client);
	event_base_free(base);
}

TestSuite(http_client, .init = setup, .fini = teardown, .timeout = 20);

Test(http_client, an_answer_comes_with_status_headers_and_body)
{
	struct peer peer;
	struct outcome outcome;

	peer_open(&peer, PEER_ANSWERS);
	outcome = call_port(peer.port, "halo", 0);
	cr_expect(eq(int, outcome.result.error, 0));
	cr_expect(outcome.result.left);
	cr_expect(eq(int, outcome.result.status, 202));
	cr_expect(eq(str, outcome.body, (char *)"aaaaa"));
	cr_expect(eq(str, outcome.header, (char *)"satu"));
	cr_expect(strstr(peer.last, "POST /send?a=1 HTTP/1.1\r\n") == peer.last);
	cr_expect(strstr(peer.last, "Content-Type: text/plain\r\n") != NULL);
	cr_expect(strstr(peer.last, "Expect:") == NULL);
	cr_expect(strstr(peer.last, "\r\n\r\nhalo") != NULL);
	peer_close(&peer);
}

Test(http_client, what_stands_behind_the_host_goes_out_as_it_is)
{
	static const struct {
		const char *behind, *line;
	} cases[] = {
		{ "", "GET / HTTP/1.1\r\n" },
		{ "/", "GET / HTTP/1.1\r\n" },
		{ "?a=1&b=%20", "GET /?a=1&b=%20 HTTP/1.1\r\n" },
		{ "/a/../b;c?to=%2B62#part", "GET /a/../b;c?to=%2B62 HTTP/1.1\r\n" },
		{ "#part", "GET / HTTP/1.1\r\n" },
	};
	struct peer peer;
	char url[96], host[64];

	peer_open(&peer, PEER_ANSWERS);
	snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%u\r\n", peer.port);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", peer.port, cases[i].behind);
		cr_expect(eq(int, call_url(url, NULL, 0).result.error, 0), "%s", url);
		cr_expect(strstr(peer.last, cases[i].line) == peer.last, "%s: %s", url, peer.last);
		cr_expect(strstr(peer.last, host) != NULL, "%s: %s", url, peer.last);
	}
	peer_close(&peer);
}

Test(http_client, a_connection_is_kept_for_the_next_call)
{
	struct peer peer;
	unsigned i;

	peer_open(&peer, PEER_ANSWERS);
	for (i = 0; i < 5; i++)
		cr_expect(eq(int, call_port(peer.port, i % 2 ? "halo" : NULL, 0).result.error, 0));
	cr_expect(eq(uint, peer.requests, 5));
	cr_expect(eq(uint, peer.connections, 1));
	peer_close(&peer);
}

Test(http_client, a_refused_connection_has_not_left)
{
	struct peer peer;
	struct outcome outcome;

	peer_open(&peer, PEER_ANSWERS);
	peer_close(&peer);
	outcome = call_port(peer.port, "halo", 0);
	cr_expect(eq(int, outcome.result.error, -ECONNREFUSED));
	cr_expect(not(outcome.result.left));
}

Test(http_client, a_refused_connection_has_not_left_on_a_handle_that_was_used_before)
{
	struct peer peer, gone;
	struct outcome outcome;

	peer_open(&peer, PEER_ANSWERS);
	peer_open(&gone, PEER_ANSWERS);
	peer_close(&gone);
	cr_expect(call_port(peer.port, "halo", 0).result.left);
	outcome = call_port(gone.port, "halo", 0);
	cr_expect(eq(int, outcome.result.error, -ECONNREFUSED));
	cr_expect(not(outcome.result.left));
	peer_close(&peer);
}

Test(http_client, a_server_that_reads_and_closes_may_have_it)
{
	struct peer peer;
	struct outcome outcome;

	peer_open(&peer, PEER_READS_ENDS);
	outcome = call_port(peer.port, "halo", 0);
	cr_expect(eq(int, outcome.result.error, -EIO));
	cr_expect(outcome.result.left);
	cr_expect(eq(uint, peer.requests, 1));
	peer_close(&peer);
}

Test(http_client, a_timeout_while_connecting_has_not_left)
{
	struct sockaddr_in address = loopback(0);
	socklen_t len = sizeof(address);
	int full = socket(AF_INET, SOCK_STREAM, 0), waiting[4];
	struct outcome outcome;
	unsigned i;

	/* A queue of none is full after two: the next is not answered. */
	cr_assert(bind(full, (struct sockaddr *)&address, len) == 0 && listen(full, 0) == 0);
	address = loopback(port_of(full));
	for (i = 0; i < 4; i++) {
		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(waiting[i], (struct sockaddr *)&address, len);
	}
	outcome = call_port(port_of(full), "halo", 300);
	cr_expect(eq(int, outcome.result.error, -ETIMEDOUT));
	cr_expect(not(outcome.result.left));
	for (i = 0; i < 4; i++)
		close(waiting[i]);
	close(full);
}

Test(http_client, a_timeout_after_writing_may_have_it)
{
	struct peer peer;
	struct outcome outcome;

	peer_open(&peer, PEER_READS);
	outcome = call_port(peer.port, "halo", 300);
	cr_expect(eq(int, outcome.result.error, -ETIMEDOUT));
	cr_expect(outcome.result.left);
	peer_close(&peer);
}

Test(http_client, a_message_is_not_repeated_when_a_kept_connection_dies_under_it)
{
	struct peer peer;
	struct outcome outcome;

	peer_open(&peer, PEER_ONCE_ENDS);
	cr_expect(eq(int, call_port(peer.port, "satu", 0).result.status, 202));
	outcome = call_port(peer.port, "dua",
			    0); /* read, and the connection closed: it may have been taken */
	cr_expect(ne(int, outcome.result.error, 0));
	cr_expect(outcome.result.left);
	cr_expect(eq(uint, peer.requests, 2), "libcurl sent it once more");
	peer_close(&peer);
}

Test(http_client, a_kept_connection_that_was_closed_before_is_not_used)
{
	struct peer peer;
	struct outcome outcome;

	peer_open(&peer, PEER_ANSWERS);
	cr_expect(eq(int, call_port(peer.port, "satu", 0).result.status, 202));
	peer_cut(&peer, peer.open[0]);
	outcome = call_port(peer.port, "dua", 0);
	cr_expect(eq(int, outcome.result.error, 0));
	cr_expect(eq(int, outcome.result.status, 202));
	cr_expect(eq(uint, peer.connections, 2));
	peer_close(&peer);
}

Test(http_client, an_answer_over_64_kib_is_cut_off)
{
	struct peer peer;
	struct outcome outcome;

	peer_open(&peer, PEER_FLOODS);
	outcome = call_port(peer.port, NULL, 0);
	cr_expect(eq(int, outcome.result.error, -EMSGSIZE));
	cr_expect(outcome.result.left);
	peer_close(&peer);
}

Test(http_client, a_redirect_is_an_answer)
{
	struct peer peer;

	peer_open(&peer, PEER_REDIRECTS);
	cr_expect(eq(int, call_port(peer.port, NULL, 0).result.status, 302));
	peer_close(&peer);
}

Test(http_client, what_is_not_http_is_an_error)
{
	struct peer peer;

	peer_open(&peer, PEER_BABBLES);
	cr_expect(eq(int, call_port(peer.port, "halo", 0).result.error, -EIO));
	peer_close(&peer);
}

Test(http_client, tls_that_is_none_is_a_tls_error_and_has_not_left)
{
	struct peer peer;
	struct outcome outcome;
	char url[64];

	peer_open(&peer, PEER_BABBLES);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", peer.port);
	outcome = call_url(url, "halo", 0);
	cr_expect(eq(int, outcome.result.error, -EPROTO));
	cr_expect(not(outcome.result.left));
	peer_close(&peer);
}

Test(http_client, what_can_not_be_sent_safely_is_refused)
{
	struct http_field bad = { "X-A", { "a\r\nX-B: b", 9 } }, nul = { "X-A", { "a\0b", 3 } },
			  name = { "X A", { "a", 1 } };
	struct http_call calls[] = {
		{ .method = "GET", .url = "ftp://127.0.0.1/" },
		{ .method = "GET", .url = "file:///etc/passwd" },
		{ .method = "GET", .url = "http://" },
		{ .method = "GET", .url = "http:///path" },
		{ .method = "GET", .url = "/path" },
		{ .method = "GET", .url = "http://127.0.0.1/a b" },
		{ .method = "GET", .url = "http://127.0.0.1/\r\nX: y" },
		{ .method = "GET", .url = "http://127.0.0.1/", .https_only = true },
		{ .method = "DELETE", .url = "http://127.0.0.1/" },
		{ .method = "GET", .url = "http://127.0.0.1/", .body = { "a", 1 } },
		{ .method = "GET", .url = "http://127.0.0.1/", .headers = { &bad, 1 } },
		{ .method = "GET", .url = "http://127.0.0.1/", .headers = { &nul, 1 } },
		{ .method = "GET", .url = "http://127.0.0.1/", .headers = { &name, 1 } },
	};
	struct outcome outcome = { 0 };
	unsigned i;

	for (i = 0; i < ARRAY_LEN(calls); i++)
		cr_expect(
			eq(int, http_client_call(client, &calls[i], result_cb, &outcome), -EINVAL),
			"case %u", i);
	cr_expect(eq(uint, http_client_in_work(client), 0));
}

Test(http_client, more_calls_than_connections_wait_their_turn)
{
	struct outcome outcomes[24] = { 0 };
	struct peer peer;
	char url[64];
	struct http_call call = { .method = "GET", .url = url };
	unsigned i;

	peer_open(&peer, PEER_ANSWERS);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", peer.port);
	for (i = 0; i < ARRAY_LEN(outcomes); i++)
		cr_assert(http_client_call(client, &call, result_cb, &outcomes[i]) == 0);
	while (http_client_in_work(client) > 0)
		event_base_loop(base, EVLOOP_ONCE);
	for (i = 0; i < ARRAY_LEN(outcomes); i++)
		cr_expect(eq(int, outcomes[i].result.status, 202));
	cr_expect(le(uint, peer.connections, 8));
	peer_close(&peer);
}

Test(http_client, freeing_it_calls_back_what_waits)
{
	struct http_call call = { .method = "GET", .url = "http://127.0.0.1:9/" };
	struct outcome outcome = { 0 };

	cr_assert(http_client_call(client, &call, result_cb, &outcome) == 0);
	cr_expect(eq(uint, http_client_in_work(client), 1));
	http_client_free(client);
	cr_expect(outcome.done);
	cr_expect(eq(int, outcome.result.error, -ECANCELED));
	cr_expect(not(outcome.result.left));
	client = NULL;
}

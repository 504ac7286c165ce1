/* http_hostile.c - a small server on core/http.c for tests of the listener alone.
 *
 * usage: http-hostile-server
 * Prints its port.  POST /sms/in and GET /sms/in with a "text" store one message (count: GET /stored) and answer 200; GET /healthz answers;
 * all else is 404.  A body of JSON must be an object.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>
#include <jansson.h>

#include "http.h"

static unsigned stored;

static void answer(struct http_exchange *exchange, const char *text)
{
	struct http_response response = { .status = 200, .body = { text, strlen(text) } };

	http_reply(exchange, &response, NULL, NULL);
}

static bool is_form(const struct http_request *request)
{
	const struct http_field *type = http_field(&request->headers, "Content-Type", true);

	return type && strncmp(type->value.data, "application/x-www-form-urlencoded", 33) == 0;
}

static void take_message(struct http_exchange *exchange, const struct http_request *request)
{
	struct arena arena = { 0 };
	struct http_fields form;
	json_t *json;

	if (is_form(request)) {
		if (!http_parse_form(&arena, request->body.data, request->body.len, &form) ||
		    !http_field(&form, "text", false))
			http_reply_status(exchange, 400);
		else if (++stored)
			answer(exchange, "OK");
		arena_free(&arena);
		return;
	}
	json = json_loadb(request->body.data, request->body.len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(json) && ++stored)
		answer(exchange, "OK");
	else
		http_reply_status(exchange, 400);
	json_decref(json);
}

static void handle(struct http_exchange *exchange, const struct http_request *request,
		   void *arg UNUSED)
{
	char count[16];

	snprintf(count, sizeof(count), "%u", stored);
	if (strcmp(request->path, "/healthz") == 0)
		answer(exchange, "ok");
	else if (strcmp(request->path, "/stored") == 0)
		answer(exchange, count);
	else if (strcmp(request->path, "/sms/in") == 0 && request->method == HTTP_POST)
		take_message(exchange, request);
	else
		http_reply_status(exchange, 404);
}

static void stop_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *base)
{
	event_base_loopbreak(base);
}

int main(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;
	struct event *term;
	struct http_server *server;
	struct http_limits limits = http_default_limits;

	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	base = event_base_new_with_config(config);
	event_config_free(config);
	term = evsignal_new(base, SIGTERM, stop_cb, base);
	event_add(term, NULL);
	if (http_server_open(base, "127.0.0.1", 0, &limits, handle, NULL, &server) < 0)
		return 1;
	printf("%u\n", http_server_port(server));
	fflush(stdout);
	event_base_dispatch(base);
	http_server_close(server);
	event_free(term);
	event_base_free(base);
	return 0;
}

/* server.c - an evhttp server on a free port of 127.0.0.1. */
#include "server.h"

#include <err.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <event2/http.h>

static void stop_cb(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	event_base_loopbreak(arg);
}

static void print_port(struct evhttp_bound_socket *bound)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);

	getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &len);
	printf("%u\n", ntohs(at.sin_port));
	fflush(stdout);
}

void server_run(bool changelist, void (*handler)(struct evhttp_request *request, void *arg))
{
	struct event_config *config = event_config_new();
	struct event_base *base;
	struct evhttp *http;
	struct evhttp_bound_socket *bound;
	struct event *stop;

	if (changelist)
		event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	base = event_base_new_with_config(config);
	http = evhttp_new(base);
	bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	stop = evsignal_new(base, SIGTERM, stop_cb, base);
	if (!bound || !stop || event_add(stop, NULL) < 0)
		errx(1, "can't listen");
	evhttp_set_gencb(http, handler, NULL);
	print_port(bound);
	event_base_dispatch(base);
	event_free(stop);
	evhttp_free(http);
	event_base_free(base);
	event_config_free(config);
}

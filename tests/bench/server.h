/* server.h - an evhttp server on a free port of 127.0.0.1, for what the bench compares with. */
#pragma once
#include "base.h"

struct evhttp_request;

/* Prints its port as the first line and serves until SIGTERM.  changelist: the loop batches its calls to the
 * kernel (EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST). */
void server_run(bool changelist, void (*handler)(struct evhttp_request *request, void *arg));

/* http_priv.h - what http.c (the server and its exchanges) and http_conn.c (one connection) share. */
#pragma once
#include <sys/queue.h>

#include <event2/event.h>
#include <event2/http.h>

#include "http.h"
#include "http_head.h"

enum {
	PEER_SIZE = 46,     /* an IPv6 address as text */
	QUEUE_MAX = 32,     /* requests that one connection may send ahead of their answers */
	WRITE_SECONDS = 30, /* to take an answer */
	SWEEP_MS = 250,     /* how exactly time limits are kept */
};

struct http_conn;

/* One request and what becomes of it.  Lives in its own arena. */
struct http_exchange {
	struct arena arena;         /* owned: holds the exchange itself */
	struct http_server *server; /* borrowed; outlives its exchanges */
	struct http_conn *conn;     /* borrowed; NULL: the connection is gone */
	struct evhttp_request
		*answer; /* evhttp's, from the handler's call to the answer; else NULL */
	STAILQ_ENTRY(http_exchange)
	next;
	struct http_head head;
	int refused; /* a status: no handler sees it */
	bool handed; /* to the handler: counted in server->in_work until replied */
	bool replied;
	size_t body_have; /* bytes of the body so far */
	http_sent_cb *sent;
	void *sent_arg;
};
STAILQ_HEAD(http_exchanges, http_exchange);

struct http_server {
	struct event_base *base; /* borrowed */
	struct http_limits limits;
	http_handler *handler;
	void *arg;
	struct evhttp *evhttp;             /* owned */
	struct evhttp_bound_socket *bound; /* evhttp's; NULL: stopped */
	struct event *accept_again;        /* owned */
	struct event *sweep;               /* owned; runs while there are connections */
	struct event *begin;               /* owned; active while there are fresh connections */
	struct event
		*finish; /* owned; active while there are finished exchanges or written answers */
	LIST_HEAD(http_conns, http_conn) fresh, conns; /* accepted just now, and known to us */
	struct http_conns written;                     /* those of conns whose answer is written */
	struct http_conn *by_evcon;                    /* hash of conns */
	unsigned conn_count;
	unsigned in_work;   /* handed and not yet replied */
	unsigned exchanges; /* that exist */
	LIST_HEAD(http_rests, http_rest)
	rests; /* refused connections whose unread rest is thrown away */
	unsigned rest_count;
	struct http_exchanges finished; /* whose connection went before their answer */
	unsigned port;
	bool stopping, closed;
	int64_t log_second;
	unsigned logged;
};

int64_t http_now_ms(void); /* monotonic */

/* http_conn.c */
struct bufferevent *http_conn_new_cb(struct event_base *base, void *server); /* evhttp's bevcb */
void http_conn_begin(struct http_conn *conn); /* evhttp knows it now: limits, address */
void http_conn_sweep(struct http_server *server);
void http_conn_drop_idle(struct http_server *server);
void http_conn_drop_rests(struct http_server *server);
struct http_exchange *http_conn_next(struct http_server *server, struct evhttp_connection *evcon);
void http_conn_answering(struct http_conn *conn, bool last); /* an answer is on its way */
void http_conn_end_written(struct http_server *server);
void http_conn_answered(struct http_conn *conn); /* and was written */
const char *http_conn_peer(const struct http_conn *conn);

/* http.c */
struct http_exchange *http_exchange_new(struct http_server *server, struct http_conn *conn);
void http_exchange_free(struct http_exchange *exchange);
void http_exchange_cut(struct http_exchange *exchange); /* its connection is gone */
void http_server_release(struct http_server *server); /* frees it where nothing needs it any more */

/* control_priv.h - the way to a running gateway, for the commands that use it. */
#pragma once
#include <getopt.h>

#include <jansson.h>

#include "base.h"
#include "http_client.h"

struct event_base;

enum { LINK_URL_SIZE = 160, LINK_SECRET_SIZE = 256 };

struct link {
	const char *state;          /* borrowed */
	struct event_base *base;    /* owned */
	struct http_client *client; /* owned */
	char public_base[LINK_URL_SIZE], admin_base[LINK_URL_SIZE];
	char secret[LINK_SECRET_SIZE];
};

/* What every command may be told. */
struct link_options {
	const char *state;
	const char *admin; /* or NULL: as the gateway's note says */
	bool help;
};

/* The last rows of a command's table for getopt_long(): these options, and its end. */
#define LINK_OPTIONS                                                                          \
	{ "state", required_argument, NULL, 's' }, { "admin", required_argument, NULL, 'a' }, \
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },

/* getopt_long() with such a table: fills out, and gives the command's own options, '?' or, at the end, -1. */
int link_getopt(int argc, char **argv, const struct option *names, struct link_options *out);

/* Finds out where the gateway listens and reads the secret in that file of the state folder.
 * false: said why on standard error. */
bool link_open(struct link *link, const struct link_options *options,
	       const char *secret_file) MUST_CHECK;
void link_close(struct link *link);

/* One call; header is the secret's header line.  Whatever comes, cb is told once, from the loop. body: taken, or NULL for a GET. */
void link_call(struct link *link, const char *url, const struct http_field *header, json_t *body,
	       unsigned total_ms, http_result_cb *cb, void *arg);

/* Says on standard error what went wrong with a call, and what to do about it. */
void link_explain(const struct link *link, const char *base_url, const struct http_result *result);

/* Text of a citizen or plugin, for a terminal: control bytes as blanks, lines after the first indented. */
void link_print_text(const char *text, const char *indent);

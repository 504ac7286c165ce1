/* telco.h - runs plugins/telco/<adapter>.lua: raw request -> our messages, our message -> raw request.
 *
 * Adapters are the operator's code and pure; they run on the loop thread, each call within 2 ms.  This file holds
 * what an adapter may not keep itself: its settings, and the comparing of cumulative USSD input.
 */
#pragma once
#include "base.h"
#include "http.h"
#include "http_client.h"
#include "message.h"

struct telco;            /* all connections */
struct telco_connection; /* one row of `connections` in the settings */

enum telco_kind { TELCO_SMS, TELCO_USSD, TELCO_RECEIPT };

/* What becomes of a message whose outcome stays unknown. */
enum on_unknown { ON_UNKNOWN_HOLD, ON_UNKNOWN_RESEND_ONCE };

/* The settings of one connection, as settings.c read them. */
struct telco_setting {
	const char *name;
	struct bytes value; /* numbers and booleans as text */
	int line;           /* in the settings file, 0 unknown */
};
struct telco_config {
	const char *name;           /* [a-z0-9_-]{1,31} */
	const char *adapter;        /* file name without .lua */
	const char *country;        /* default country, ISO 3166 two letters */
	const char *const *numbers; /* our numbers and service codes there, ended by NULL */
	/* "https://gw.example.org", for receipts and signatures; no slash at the end; or "". */
	const char *public_url;
	const struct telco_setting *settings; /* the adapter's own */
	unsigned setting_count;
	unsigned tps;       /* messages a second out, 0: the adapter's limit */
	unsigned in_flight; /* calls at once, 0: 16 */
	enum on_unknown unknown_reply, unknown_broadcast;
	unsigned unknown_seconds;  /* how long a receipt is awaited, 60 */
	unsigned validity_seconds; /* how long a message is tried, 86,400 */
	const char *file;          /* of the settings, for people; NULL: none */
	int line;                  /* where the connection begins in it */
};

struct telco_limits {
	double tps;            /* messages a second out; 0: no limit */
	unsigned in_flight;    /* calls at once */
	unsigned ussd_chars;   /* GSM-7 characters of a screen */
	unsigned ussd_seconds; /* to answer a screen */
	bool splits;           /* the telco splits long texts itself */
};

/* folder: where the adapters lie.  error_text names connection, adapter, file and line, and what to do.
 * Errors: -EINVAL a setting or an adapter is wrong; -ENOENT no such adapter. */
int telco_open(const char *folder, const struct telco_config *configs, unsigned count,
	       struct telco **out, char *error_text, size_t error_size) MUST_CHECK;
void telco_close(struct telco *telco); /* NULL is fine */

struct telco_connection *telco_find(struct telco *telco, const char *name); /* NULL: none */
const struct telco_config *telco_config(const struct telco_connection *connection);
const struct telco_limits *telco_limits(const struct telco_connection *connection);
/* Digits compared. */
bool telco_is_our_number(const struct telco_connection *connection, const char *number);

/* What a request turned out to be.  All in the arena. */
struct telco_events {
	enum telco_verdict {
		TELCO_TAKE,         /* messages and reports below, any number */
		TELCO_IGNORE,       /* understood, not wanted: acknowledge */
		TELCO_UNAUTHORIZED, /* 401: wrong secret or signature */
		TELCO_BAD,          /* 400: an id or number or name of a field that can't be */
		TELCO_BROKEN,       /* 500: the adapter failed; logged with file and line */
	} verdict;
	struct inbound *messages;
	unsigned message_count;
	struct report *reports;
	unsigned report_count;
	const char *why; /* for the log, never with input; or "" */
};
void telco_decode(struct telco_connection *connection, enum telco_kind kind,
		  const struct http_request *request, int64_t now, struct arena *arena,
		  struct telco_events *out);

/* The answer to the callback: kind SMS or RECEIPT acknowledges; USSD gives the screen (may be NULL else). */
void telco_answer(struct telco_connection *connection, enum telco_kind kind,
		  const struct bytes *screen, bool more, const struct http_request *request,
		  struct arena *arena, struct http_response *out);

/* -EINVAL: the adapter can't send this (permanent; logged). */
int telco_encode(struct telco_connection *connection, const struct outbound *message, int64_t now,
		 struct arena *arena, struct http_call *out) MUST_CHECK;

/* vectors/README.md of the reference says what each means and its retry rule. */
enum telco_outcome_kind {
	OUTCOME_ACCEPTED,
	OUTCOME_PARTIAL,
	OUTCOME_PERMANENT,
	OUTCOME_TEMPORARY,
	OUTCOME_THROTTLED,
	OUTCOME_INSUFFICIENT_FUNDS,
	OUTCOME_AUTH,
	OUTCOME_CONFIG,
	OUTCOME_UNKNOWN,
};
struct telco_outcome {
	enum telco_outcome_kind kind;
	const char *provider_id; /* or "" */
	const char *code;        /* or "" */
	int64_t retry_after_ms;  /* 0: not said */
	bool opted_out;
};
/* Classifies what the call came to, connection failures included (before the request left: TEMPORARY; after: UNKNOWN). */
void telco_outcome(struct telco_connection *connection, const struct http_result *result,
		   struct arena *arena, struct telco_outcome *out);

/* What is new in a cumulative USSD input: raw against the session's previous raw (empty: a new session).
 * Gives 0 or more inputs in order; -EALREADY: the same as before (a repeat); -EINVAL: it does not extend it. */
int telco_ussd_inputs(struct bytes previous, bool first, struct bytes raw, struct arena *arena,
		      struct bytes **inputs, unsigned *count) MUST_CHECK;

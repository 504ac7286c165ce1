/* vectors.h - runs a folder of test vectors against the real adapters and codecs; each file's
 * format stands in the README.md beside the vectors (tests/vectors/README.md).
 *
 * A vector's request goes through the same calls as a telco's: telco_decode, parts, telco_encode;
 * what a store would remember between two requests is kept here.
 */
#pragma once
#include <jansson.h>

#include "base.h"
#include "telco.h"

struct tally {
	const char *file;        /* being run, for failures */
	const char *adapters;    /* folder of the adapters */
	const char *folder;      /* of the vectors */
	const char *const *only; /* providers, ended by NULL; NULL: all that have an adapter */
	json_t *signatures;      /* by id, for "@signature NAME"; or NULL */
	json_t *skipped;         /* providers without an adapter, as keys */
	unsigned passed, failed;
};

/* Counts one vector; a failure is one line: file, id, why. */
void tally_pass(struct tally *tally);
void tally_fail(struct tally *tally, const char *id, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Counts one: why is NULL, or what is wrong. */
void tally_result(struct tally *tally, const char *id, const char *why);

/* A connection to the provider's adapter with a vector's `config`, and what was put around it. */
struct subject {
	struct telco *telco;
	struct telco_connection *connection;
	struct arena arena; /* for one vector */
	char error[512];
};
/* Runs each of these whose `provider` is to be run: it was named, or has an adapter. */
void vectors_each(struct tally *tally, const json_t *rows,
		  void (*run)(struct tally *tally, const json_t *row));
/* false: subject->error says why.  smart: the connection's setting. */
bool subject_open(struct tally *tally, struct subject *subject, const char *provider,
		  const json_t *config, bool smart);
void subject_close(struct subject *subject);

/* Builds a request of a vector's `request`; the secret stands in the path. false: its query is
 * broken. */
bool vector_request(struct subject *subject, const json_t *request, enum telco_kind kind,
		    struct http_request *out);
int64_t vector_now(const json_t *config);
/* Checks an answer against a vector's `reply`; NULL, or what differs (in the arena). */
const char *check_reply(struct subject *subject, const struct http_response *response,
			const json_t *reply);
/* The answer that the gateway gives for a verdict, where nothing else is said. */
void verdict_reply(struct subject *subject, enum telco_kind kind, const struct telco_events *events,
		   const struct http_request *request, struct http_response *out);
/* Text of a member, or NULL where it is null or absent. */
const char *text_of(const json_t *object, const char *key);

void run_inbound_samples(struct tally *tally, const json_t *samples);
void run_inbound_sequences(struct tally *tally, const json_t *sequences);
void run_dlr_samples(struct tally *tally, const json_t *samples);
void run_dlr_order(struct tally *tally, const json_t *cases);
void run_mt_samples(struct tally *tally, const json_t *samples);
void run_ussd_sequences(struct tally *tally, const json_t *sequences);

/* Runs each of these files that lies in tally->folder; skipped is an object. */
void run_vectors(struct tally *tally);

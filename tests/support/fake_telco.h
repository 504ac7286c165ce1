/* fake_telco.h - connections and the HTTP client as a test wants them, in place of telco.c and http_client.c.
 *
 * A call that the outbox makes waits here until the test answers it, with words:
 * "accepted", "accepted ID", "partial", "permanent CODE", "temporary", "throttled MILLISECONDS", "funds", "auth",
 * "config", "unknown", "optout" (permanent, and wants no more).
 */
#pragma once
#include "http_client.h"
#include "telco.h"

struct fake_out {
	http_result_cb *cb; /* NULL: answered */
	void *arg;
	char to[CITIZEN_MAX + 1], text[64], connection[32];
	struct id id;
};

struct telco_connection {
	struct telco_config config;
	struct telco_limits limits;
};

struct telco {
	struct telco_connection connections[4];
	unsigned count;
};

extern struct fake_out *fake_outs; /* all calls, oldest first */
extern unsigned fake_out_count;
extern bool fake_url_refused; /* the HTTP client takes no URL */
extern void (*fake_on_call)(
	const struct fake_out *out); /* sees each call as it leaves; NULL: nobody */

struct telco_connection *fake_telco_add(struct telco *telco,
					const char *name); /* no rate, 16 at once */
bool fake_telco_answer(unsigned n, const char *words); /* false: no such call, or answered before */
void fake_telco_reset(void);                           /* forgets all calls */

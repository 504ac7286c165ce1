/* phone.h - the simulated telco network behind `kentongan chat`: a mailbox a number, on the admin listener.
 *
 * All with the header X-Kentongan-Secret (the file secrets/phone in the state folder):
 *   POST /phone/send {"id","from","to","text"}   from plugins/telco/phone.lua; 202 {"id"}
 *   GET  /phone/messages?number=N[&after=K][&wait=S]  a phone's new messages, waiting up to S (25) seconds for one:
 *        {"next": K, "messages": [{"n","id","from","text"}]}; ask again with after=K.  Without `after`: from the first
 *        message that no phone has fetched yet.
 * When a message was fetched, its receipt goes to the gateway as a telco's would: POST GATEWAY/receipt {"ref","status"}.
 */
#pragma once
#include "base.h"
#include "http.h"

struct event_base;
struct http_client;
struct phone;

enum {
	PHONE_NUMBERS_MAX = 1000,
	PHONE_MESSAGES_MAX = 100
}; /* mailboxes; messages in each: the oldest go first */

/* gateway: "http://127.0.0.1:8080/telco/phone", copied like the secret; base and client are borrowed. */
struct phone *phone_new(struct event_base *base, struct http_client *client, const char *secret,
			const char *gateway) MUST_CHECK;
void phone_stop(struct phone *phone); /* answers those who wait: shutting down */
void phone_free(
	struct phone *phone); /* NULL is fine; while its listener is open or after phone_stop */

/* Answers a request whose path begins with "/phone/". */
void phone_handle(struct phone *phone, struct http_exchange *exchange,
		  const struct http_request *request);

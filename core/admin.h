/* admin.h - the admin listener: health, metrics, the operators' JSON API, and the simulated phones.
 *
 *   GET  /healthz                          "ok", or 503 and why not
 *   GET  /metrics                          Prometheus text
 *   /api/v1/...                            with "Authorization: Bearer SECRET"; JSON in and out
 *   POST messages/find {"number"}          {"messages": [message...]}, oldest first
 *   GET  messages/ID                       message
 *   POST messages/ID/release, .../drop     {"id", "state"}
 *   GET  optouts                           {"citizens": [{"citizen", "since"}]}
 *   POST dialogs/find {"citizen", "plugin"}  {"dialogs": [dialog...]}; both may be left out
 *   GET  dialogs/ID                        dialog with "journal": [text...]
 *   POST dialogs/ID/end                    {"id", "state"}
 *   POST records/verify {"plugin", "table"}  {"state" ("whole", "broken", "short"), "records", "number", "hash"}, and where there are
 *                                          some from before it was a chain: "unchained"
 *   /phone/...                             see phone.h
 * message: id, direction ("in", "out"), citizen, connection, number (ours), text, state, time (seconds UTC), and where it has
 *          them: reply_to, attempts, note, code, provider_id
 * dialog:  id, citizen, plugin, dialog, state, reason, time, expires, error
 * A failure is {"error": TEXT}.  Here, and nowhere else over HTTP, numbers are shown whole: numbers go in bodies, never in URLs.
 */
#pragma once
#include <jansson.h>

#include "base.h"
#include "http.h"

struct admin;
struct admin_call; /* one API call that waits for its answer */
struct phone;

enum { ADMIN_LIST_MAX = 200 }; /* entries of a list */

/* What the API acts on.  Each answers with admin_answer, at once or later; what it is given is lent until it returns.
 * NULL members answer 404. */
struct admin_ops {
	bool (*well)(void *arg, char *why, size_t size); /* false: why, for people, without input */
	void (*message_find)(void *arg, const char *number, struct admin_call *call);
	void (*message_show)(void *arg, struct id id, struct admin_call *call);
	void (*message_release)(void *arg, struct id id, struct admin_call *call);
	void (*message_drop)(void *arg, struct id id, struct admin_call *call);
	void (*optout_list)(void *arg, struct admin_call *call);
	void (*dialog_list)(void *arg, const char *citizen, const char *plugin,
			    struct admin_call *call); /* NULL: any */
	void (*dialog_show)(void *arg, struct id id, struct admin_call *call);
	void (*dialog_end)(void *arg, struct id id, struct admin_call *call);
	void (*records_verify)(void *arg, const char *plugin, const char *table,
			       struct admin_call *call);
};

/* Once for each call.  body: the reference is taken; NULL only with an error status, whose text is then fixed. */
void admin_answer(struct admin_call *call, int status, json_t *body);
/* The same for what came of it: 0, or a negative errno: -ENOENT 404, -EALREADY 409, -EAGAIN 503, -EINVAL 400, else 500. */
void admin_answer_error(struct admin_call *call, int error);

/* secret: of the bearer token; copied.  ops, arg and phone (may be NULL) are borrowed. */
struct admin *admin_new(const char *secret, const struct admin_ops *ops, void *arg,
			struct phone *phone) MUST_CHECK;
void admin_free(struct admin *admin); /* NULL is fine; calls that wait must have been answered */
http_handler admin_handle;            /* the admin listener's; its argument is the admin */

/* Compares without telling by its time where the difference is. */
bool admin_secret_equal(struct bytes given, const char *secret);

/* admin.c - a table of routes between HTTP and the program.
 *
 * The API knows JSON and status codes, the operations know messages and dialogs, and neither knows the other.  The token
 * is a file that only the operator can read, so whoever has it may see everything: there are no roles here.
 * Source: RFC 6750 (bearer tokens).
 */
#include "admin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "metrics.h"
#include "phone.h"

struct admin {
	char *secret;                /* owned */
	const struct admin_ops *ops; /* borrowed */
	void *arg;
	struct phone *phone; /* borrowed, or NULL */
};

struct admin_call {
	struct admin *admin;
	struct http_exchange *exchange;
	const char *id_text; /* lent; "" in routes without one */
	const struct http_request *request;
};

bool admin_secret_equal(struct bytes given, const char *secret)
{
	size_t len = strlen(secret);

	return len > 0 && given.len == len && CRYPTO_memcmp(given.data, secret, len) == 0;
}

static void reply_json(struct http_exchange *exchange, int status, const json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
	struct http_field store = { "Cache-Control", { "no-store", 8 } };
	struct http_response response = { .status = status,
					  .content_type = "application/json",
					  .headers = { &store, 1 } };

	if (!text) {
		http_reply_status(exchange, 500);
		return;
	}
	response.body = (struct bytes){ text, strlen(text) };
	if (status == 503)
		response.retry_after = 5;
	http_reply(exchange, &response, NULL, NULL);
	free(text);
}

static const char *status_words(int status)
{
	switch (status) {
	case 400:
		return "the request is not as it must be";
	case 401:
		return "wrong or missing token";
	case 404:
		return "there is no such thing";
	case 405:
		return "not with this method";
	case 409:
		return "it is final already";
	case 503:
		return "busy, try again";
	default:
		return "it failed; the log says why";
	}
}

static void reply_error(struct http_exchange *exchange, int status)
{
	json_t *body = json_pack("{s:s}", "error", status_words(status));

	reply_json(exchange, status, body);
	json_decref(body);
}

void admin_answer(struct admin_call *call, int status, json_t *body)
{
	if (body)
		reply_json(call->exchange, status, body);
	else
		reply_error(call->exchange, status);
	json_decref(body);
	free(call);
}

void admin_answer_error(struct admin_call *call, int error)
{
	int status = 500;

	if (error == -ENOENT)
		status = 404;
	else if (error == -EALREADY)
		status = 409;
	else if (error == -EAGAIN)
		status = 503;
	else if (error == -EINVAL)
		status = 400;
	else if (error == 0)
		status = 200;
	admin_answer(call, status, error == 0 ? json_object() : NULL);
}

/* The body as a JSON object; an empty one is an empty object.  NULL: it is neither. */
static json_t *body_object(const struct http_request *request)
{
	json_t *body;

	if (request->body.len == 0)
		return json_object();
	body = json_loadb(request->body.data, request->body.len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(body))
		return body;
	json_decref(body);
	return NULL;
}

static void find_messages(struct admin_call *call)
{
	const struct admin_ops *ops = call->admin->ops;
	json_t *body = body_object(call->request);
	const char *number = json_string_value(json_object_get(body, "number"));

	if (!number)
		admin_answer(call, 400, NULL);
	else if (!ops->message_find)
		admin_answer(call, 404, NULL);
	else
		ops->message_find(call->admin->arg, number, call);
	json_decref(body);
}

static void find_dialogs(struct admin_call *call)
{
	const struct admin_ops *ops = call->admin->ops;
	json_t *body = body_object(call->request);

	if (!body)
		admin_answer(call, 400, NULL);
	else if (!ops->dialog_list)
		admin_answer(call, 404, NULL);
	else
		ops->dialog_list(call->admin->arg,
				 json_string_value(json_object_get(body, "citizen")),
				 json_string_value(json_object_get(body, "plugin")), call);
	json_decref(body);
}

static void verify_records(struct admin_call *call)
{
	const struct admin_ops *ops = call->admin->ops;
	json_t *body = body_object(call->request);
	const char *plugin = json_string_value(json_object_get(body, "plugin"));
	const char *table = json_string_value(json_object_get(body, "table"));

	if (!plugin || !table)
		admin_answer(call, 400, NULL);
	else if (!ops->records_verify)
		admin_answer(call, 404, NULL);
	else
		ops->records_verify(call->admin->arg, plugin, table, call);
	json_decref(body);
}

static void list_optouts(struct admin_call *call)
{
	if (call->admin->ops->optout_list)
		call->admin->ops->optout_list(call->admin->arg, call);
	else
		admin_answer(call, 404, NULL);
}

/* An operation on the thing that the path names. */
static void on_id(struct admin_call *call,
		  void (*operation)(void *arg, struct id id, struct admin_call *call))
{
	struct id id;

	if (operation && id_parse(call->id_text, &id))
		operation(call->admin->arg, id, call);
	else
		admin_answer(call, 404, NULL);
}

static void show_message(struct admin_call *call)
{
	on_id(call, call->admin->ops->message_show);
}

static void release_message(struct admin_call *call)
{
	on_id(call, call->admin->ops->message_release);
}

static void drop_message(struct admin_call *call)
{
	on_id(call, call->admin->ops->message_drop);
}

static void show_dialog(struct admin_call *call)
{
	on_id(call, call->admin->ops->dialog_show);
}

static void end_dialog(struct admin_call *call)
{
	on_id(call, call->admin->ops->dialog_end);
}

/* Paths under /api/v1/; '*' stands for one id. */
static const struct route {
	enum http_method method;
	const char *path;
	void (*handle)(struct admin_call *call);
} routes[] = {
	{ HTTP_POST, "messages/find", find_messages },
	{ HTTP_GET, "messages/*", show_message },
	{ HTTP_POST, "messages/*/release", release_message },
	{ HTTP_POST, "messages/*/drop", drop_message },
	{ HTTP_GET, "optouts", list_optouts },
	{ HTTP_POST, "dialogs/find", find_dialogs },
	{ HTTP_GET, "dialogs/*", show_dialog },
	{ HTTP_POST, "dialogs/*/end", end_dialog },
	{ HTTP_POST, "records/verify", verify_records },
};

/* Does the path fit?  What '*' stands for is copied to id. */
static bool path_fits(const char *pattern, const char *path, char id[static ID_TEXT_SIZE])
{
	const char *star = strchr(pattern, '*');
	size_t front = star ? (size_t)(star - pattern) : 0, len;

	id[0] = '\0';
	if (!star)
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, front) != 0)
		return false;
	len = strcspn(path + front, "/");
	if (len != ID_TEXT_SIZE - 1 || strcmp(path + front + len, star + 1) != 0)
		return false;
	memcpy(id, path + front, len);
	id[len] = '\0';
	return true;
}

static bool has_token(const struct admin *admin, const struct http_request *request)
{
	const struct http_field *field = http_field(&request->headers, "Authorization", true);
	static const char bearer[] = "Bearer ";
	const size_t len = sizeof(bearer) - 1;

	if (!field || field->value.len <= len || strncasecmp(field->value.data, bearer, len) != 0)
		return false;
	return admin_secret_equal((struct bytes){ field->value.data + len, field->value.len - len },
				  admin->secret);
}

static void handle_api(struct admin *admin, struct http_exchange *exchange,
		       const struct http_request *request, const char *path)
{
	char id[ID_TEXT_SIZE];
	struct admin_call *call;
	int status = 404;
	unsigned i;

	if (!has_token(admin, request)) {
		reply_error(exchange, 401);
		return;
	}
	for (i = 0; i < ARRAY_LEN(routes); i++) {
		if (!path_fits(routes[i].path, path, id))
			continue;
		status = 405;
		if (routes[i].method != request->method)
			continue;
		call = xcalloc(1, sizeof(*call));
		*call = (struct admin_call){ admin, exchange, id, request };
		routes[i].handle(call);
		return;
	}
	reply_error(exchange, status);
}

static void handle_health(struct admin *admin, struct http_exchange *exchange)
{
	char why[256] = "";
	struct http_response response = { .status = 200, .body = { "ok\n", 3 } };

	if (admin->ops->well && !admin->ops->well(admin->arg, why, sizeof(why)))
		response = (struct http_response){ .status = 503,
						   .body = { why, strlen(why) },
						   .retry_after = 5 };
	http_reply(exchange, &response, NULL, NULL);
}

static void handle_metrics(struct http_exchange *exchange)
{
	struct buf text = { 0 };
	struct http_response response = {
		.status = 200, .content_type = "text/plain; version=0.0.4; charset=utf-8"
	};

	metrics_print(&text);
	response.body = (struct bytes){ text.data, text.len };
	http_reply(exchange, &response, NULL, NULL);
	buf_free(&text);
}

void admin_handle(struct http_exchange *exchange, const struct http_request *request, void *arg)
{
	static const char api[] = "/api/v1/", phone[] = "/phone/";
	struct admin *admin = arg;

	if (strncmp(request->path, api, sizeof(api) - 1) == 0)
		handle_api(admin, exchange, request, request->path + sizeof(api) - 1);
	else if (admin->phone && strncmp(request->path, phone, sizeof(phone) - 1) == 0)
		phone_handle(admin->phone, exchange, request);
	else if (strcmp(request->path, "/healthz") != 0 && strcmp(request->path, "/metrics") != 0)
		http_reply_status(exchange, 404);
	else if (request->method == HTTP_POST)
		http_reply_status(exchange, 405);
	else if (strcmp(request->path, "/healthz") == 0)
		handle_health(admin, exchange);
	else
		handle_metrics(exchange);
}

struct admin *admin_new(const char *secret, const struct admin_ops *ops, void *arg,
			struct phone *phone)
{
	struct admin *admin = xcalloc(1, sizeof(*admin));

	*admin =
		(struct admin){ .secret = xstrdup(secret), .ops = ops, .arg = arg, .phone = phone };
	return admin;
}

void admin_free(struct admin *admin)
{
	if (!admin)
		return;
	OPENSSL_cleanse(admin->secret, strlen(admin->secret));
	free(admin->secret);
	free(admin);
}

/* control_link.c - from a state folder to a running gateway.
 *
 * The gateway may listen anywhere, so it leaves a note of where in its state folder, beside the secrets: one option,
 * --state, is enough to find it and to be let in.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "control.h"
#include "control_priv.h"

enum { API_ANSWER_MAX = 8 * 1024 * 1024 };

int control_addresses_put(const char *state, const char *public_base, const char *admin_base)
{
	struct buf path = { 0 }, fresh = { 0 };
	FILE *file;
	int rc = 0;

	buf_addf(&path, "%s/addresses", state);
	buf_addf(&fresh, "%s.new", path.data);
	file = fopen(fresh.data, "we");
	if (!file) {
		rc = -errno;
		goto out;
	}
	fprintf(file, "%s\n%s\n", public_base, admin_base);
	if (fclose(file) != 0 || rename(fresh.data, path.data) < 0)
		rc = -errno;
out:
	buf_free(&path);
	buf_free(&fresh);
	return rc;
}

/* One line without its end. */
static bool read_line(FILE *file, char *out, size_t size)
{
	if (!fgets(out, (int)size, file))
		return false;
	out[strcspn(out, "\r\n")] = '\0';
	return out[0] != '\0';
}

static void read_addresses(struct link *link)
{
	struct buf path = { 0 };
	FILE *file;

	buf_addf(&path, "%s/addresses", link->state);
	file = fopen(path.data, "re");
	if (!file || !read_line(file, link->public_base, sizeof(link->public_base)) ||
	    !read_line(file, link->admin_base, sizeof(link->admin_base))) {
		snprintf(link->public_base, sizeof(link->public_base), "http://127.0.0.1:8080");
		snprintf(link->admin_base, sizeof(link->admin_base), "http://127.0.0.1:8081");
	}
	if (file)
		fclose(file);
	buf_free(&path);
}

static bool read_secret(struct link *link, const char *name)
{
	struct buf path = { 0 };
	FILE *file;
	bool ok;

	buf_addf(&path, "%s/%s", link->state, name);
	errno = 0;
	file = fopen(path.data, "re");
	ok = file && read_line(file, link->secret, sizeof(link->secret));
	if (!ok)
		fprintf(stderr,
			"kentongan: %s: %s\n"
			"The gateway makes this file when it first runs.  Is --state its state "
			"folder, and are you its user?\n",
			path.data, errno ? strerror(errno) : "is empty");
	if (file)
		fclose(file);
	buf_free(&path);
	return ok;
}

int link_getopt(int argc, char **argv, const struct option *names, struct link_options *out)
{
	int option;

	while ((option = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		switch (option) {
		case 's':
			out->state = optarg;
			break;
		case 'a':
			out->admin = optarg;
			break;
		case 'h':
			out->help = true;
			break;
		default:
			return option;
		}
	}
	return -1;
}

bool link_open(struct link *link, const struct link_options *options, const char *secret_file)
{
	*link = (struct link){ .state = options->state };
	read_addresses(link);
	if (options->admin)
		snprintf(link->admin_base, sizeof(link->admin_base), "%s", options->admin);
	if (!read_secret(link, secret_file))
		return false;
	link->base = event_base_new();
	link->client = http_client_new(link->base, 8);
	return true;
}

void link_close(struct link *link)
{
	http_client_free(link->client);
	if (link->base)
		event_base_free(link->base);
	explicit_bzero(link->secret, sizeof(link->secret));
}

struct refused {
	http_result_cb *cb;
	void *arg;
};

static void refused_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct refused *refused = arg;
	struct http_result result = { .error = -EINVAL };

	refused->cb(&result, refused->arg);
	free(refused);
}

void link_call(struct link *link, const char *url, const struct http_field *header, json_t *body,
	       unsigned total_ms, http_result_cb *cb, void *arg)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct http_field headers[] = { *header, { "Content-Type", { "application/json", 16 } } };
	struct http_call call = {
		.method = body ? "POST" : "GET",
		.url = url,
		.headers = { headers, body ? 2 : 1 },
		.body = { text, text ? strlen(text) : 0 },
		.total_ms = total_ms,
		.answer_max = API_ANSWER_MAX,
	};
	struct timeval now = { 0, 0 };
	struct refused *refused;

	if (http_client_call(link->client, &call, cb, arg) < 0) { /* a base URL that is none */
		refused = xcalloc(1, sizeof(*refused));
		*refused = (struct refused){ cb, arg };
		event_base_once(link->base, -1, EV_TIMEOUT, refused_cb, refused, &now);
	}
	free(text);
	json_decref(body);
}

void link_explain(const struct link *link, const char *base_url, const struct http_result *result)
{
	json_t *body = json_loadb(result->body.data ? result->body.data : "", result->body.len, 0,
				  NULL);
	const char *said = json_string_value(json_object_get(body, "error"));

	if (result->error == -EINVAL)
		fprintf(stderr, "kentongan: %s is not a base URL such as http://127.0.0.1:8080\n",
			base_url);
	else if (result->error == -ECONNREFUSED)
		fprintf(stderr,
			"kentongan: no gateway answers at %s.  Is `kentongan serve` (or "
			"scripts/run) running?\n",
			base_url);
	else if (result->error)
		fprintf(stderr, "kentongan: %s: %s\n", base_url, strerror(-result->error));
	else if (result->status == 401)
		fprintf(stderr,
			"kentongan: %s refused the secret in %s: is that the state folder of this "
			"gateway?\n",
			base_url, link->state);
	else if (result->status == 503)
		fprintf(stderr, "kentongan: the gateway is busy or its store fails; try again (its "
				"log says why)\n");
	else
		fprintf(stderr, "kentongan: %s (HTTP status %d)\n",
			said ? said : "the gateway refused", result->status);
	json_decref(body);
}

void link_print_text(const char *text, const char *indent)
{
	const unsigned char *c = (const unsigned char *)text;

	for (; *c; c++) {
		if (*c == '\n')
			printf("\n%s", indent);
		else
			putchar(*c < 0x20 || *c == 0x7f ? ' ' : *c);
	}
	putchar('\n');
}

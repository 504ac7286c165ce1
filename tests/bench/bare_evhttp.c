/* bare_evhttp.c - the least that a web server on libevent can do: parse a form and answer a line.
 *
 * The unit that other costs are told in.
 */
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "server.h"

static void form_cb(struct evhttp_request *request, void *arg UNUSED)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(request);
	struct evbuffer *out = evhttp_request_get_output_buffer(request);
	struct evkeyvalq form;
	const char *text;

	evbuffer_add(in, "", 1);
	if (evhttp_parse_query_str((const char *)evbuffer_pullup(in, -1), &form) < 0) {
		evhttp_send_error(request, HTTP_BADREQUEST, NULL);
		return;
	}
	text = evhttp_find_header(&form, "text");
	evbuffer_add_printf(out, "CON Bagaimana layanan kami? %s", text ? text : "");
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
			  "text/plain; charset=utf-8");
	evhttp_send_reply(request, HTTP_OK, NULL, out);
	evhttp_clear_headers(&form);
}

int main(int argc, char **argv)
{
	server_run(argc > 1 && strcmp(argv[1], "--changelist") == 0, form_cb);
	return 0;
}

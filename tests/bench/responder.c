/* responder.c - the application behind Kannel's smsbox: answers a get-url with the reply's text.
 *
 * It says what the survey plugin says, so that the same bytes travel; it stores nothing and remembers nothing.
 * Its CPU is told apart from Kannel's.
 */
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "server.h"

#define QUESTION                                                                             \
	"Bagaimana pelayanan kami?\n1. Sangat puas\n2. Puas\n3. Cukup puas\n4. Tidak puas\n" \
	"Balas dengan angka 1-4."
#define THANKS "Terima kasih atas jawaban Anda."

static void reply_cb(struct evhttp_request *request, void *arg UNUSED)
{
	struct evbuffer *out = evhttp_request_get_output_buffer(request);
	const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));
	struct evkeyvalq items;
	const char *text;

	if (!query || evhttp_parse_query_str(query, &items) < 0) {
		evhttp_send_error(request, HTTP_BADREQUEST, NULL);
		return;
	}
	text = evhttp_find_header(&items, "text");
	evbuffer_add_printf(out, "%s", text && strcmp(text, "SURVEI") == 0 ? QUESTION : THANKS);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
			  "text/plain; charset=UTF-8");
	evhttp_send_reply(request, HTTP_OK, NULL, out);
	evhttp_clear_headers(&items);
}

int main(void)
{
	server_run(false, reply_cb);
	return 0;
}

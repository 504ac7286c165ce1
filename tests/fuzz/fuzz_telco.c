/* fuzz_telco.c - callbacks of any content, with the right secret, through the shipped adapters
 * and the joining of parts.
 *
 * Input: one byte for adapter and kind, then the query, a NUL, and the body.  The folder of the
 * adapters is $TELCO_ADAPTERS, or plugins/telco beneath the current one.
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "parts.h"
#include "telco.h"
#include "utf8.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define SETTING(setting, text)                                          \
	{                                                               \
		.name = (setting), .value = {(text), sizeof(text) - 1 } \
	}

static struct telco *telco;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc UNUSED, char ***argv UNUSED)
{
	static const char *const numbers[] = { "2020", NULL };
	static const struct telco_setting kannel[] = { SETTING("secret", SECRET),
						       SETTING("username", "u"),
						       SETTING("password", "p") };
	static const struct telco_setting at[] = { SETTING("secret", SECRET),
						   SETTING("username", "u"),
						   SETTING("api_key", "k") };
	static const struct telco_setting phone[] = { SETTING("secret", SECRET) };
	struct telco_config configs[] = {
		{ .name = "k",
		  .adapter = "kannel",
		  .country = "ID",
		  .numbers = numbers,
		  .settings = kannel,
		  .setting_count = 3 },
		{ .name = "a",
		  .adapter = "africastalking",
		  .country = "KE",
		  .numbers = numbers,
		  .settings = at,
		  .setting_count = 3 },
		{ .name = "p",
		  .adapter = "phone",
		  .country = "ID",
		  .numbers = numbers,
		  .settings = phone,
		  .setting_count = 1 },
	};
	const char *folder = getenv("TELCO_ADAPTERS");
	static char error[512];

	log_set_level(LOG_ERROR);
	if (telco_open(folder ? folder : "plugins/telco", configs, 3, &telco, error,
		       sizeof(error)) != 0)
		abort();
	return 0;
}

/* What must hold of anything that is taken. */
static void check(const struct inbound *message, struct arena *arena)
{
	struct part_row row = { .msg = *message, .arrived = 0 };
	struct inbound joined;
	struct part_key key;

	if (!utf8_valid(message->from, strlen(message->from)) ||
	    strlen(message->from) > CITIZEN_MAX || strlen(message->provider_id) > PROVIDER_ID_MAX)
		abort();
	if (message->part_total > 1) {
		if (parts_add(&row, 1, message, arena, &joined) != PARTS_REPEATED)
			abort();
		if (!parts_give_up(&row, 1, NULL, PARTS_SECONDS_MAX, arena, &key, &joined))
			abort();
		message = &joined;
	}
	if (message->part_coding == PART_TEXT &&
	    (!utf8_valid(message->text.data, message->text.len) ||
	     memchr(message->text.data, '\0', message->text.len)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "k", "a", "p" };
	struct http_field headers[] = { { "Content-Type",
					  { "application/x-www-form-urlencoded", 33 } },
					SETTING("X-Kentongan-Secret", SECRET) };
	struct http_request request = { .path = "/telco/x/sms/" SECRET, .headers = { headers, 2 } };
	struct arena arena = { 0 };
	struct telco_events events;
	enum telco_kind kind;
	const char *text = (const char *)data + 1, *nul;

	if (size < 1)
		return 0;
	kind = (enum telco_kind)(data[0] / 3 % 3);
	nul = memchr(text, '\0', --size);
	if (data[0] & 0x40)
		headers[0].value = (struct bytes){ "application/json", 16 };
	if (http_parse_form(&arena, text, nul ? (size_t)(nul - text) : size, &request.query)) {
		request.method = nul ? HTTP_POST : HTTP_GET;
		if (nul)
			request.body = (struct bytes){ nul + 1, size - (size_t)(nul + 1 - text) };
		telco_decode(telco_find(telco, names[data[0] % 3]), kind, &request, 1795489500,
			     &arena, &events);
		if (events.verdict == TELCO_BROKEN)
			abort();
		for (unsigned i = 0; events.verdict == TELCO_TAKE && i < events.message_count; i++)
			check(&events.messages[i], &arena);
	}
	arena_free(&arena);
	return 0;
}

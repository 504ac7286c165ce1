/* bench_telco.c - what one call of an adapter costs, in nanoseconds: the four that a Kannel
 * message takes, and a USSD step.
 *
 * bench_telco FOLDER [ROUNDS] with the folder of the adapters; prints one line a call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "telco.h"

#define SECRET "0123456789abcdef0123456789abcdef"
enum { NOW = 1795489500, ROUNDS = 200000 };

static struct telco_connection *kannel, *at;
static struct arena arena;

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct http_field fields[16];

static void set_query(struct http_request *request, struct arena *keep, const char *query)
{
	if (!http_parse_form(keep, query, strlen(query), &request->query))
		abort();
}

static struct arena requests;
static struct http_request kannel_request, ussd_request;

static void decode_sms(void)
{
	struct telco_events events;

	telco_decode(kannel, TELCO_SMS, &kannel_request, NOW, &arena, &events);
	if (events.verdict != TELCO_TAKE)
		abort();
}

static void decode_ussd(void)
{
	struct telco_events events;

	telco_decode(at, TELCO_USSD, &ussd_request, NOW, &arena, &events);
	if (events.verdict != TELCO_TAKE)
		abort();
}

static void answer_sms(void)
{
	struct http_response response;

	telco_answer(kannel, TELCO_SMS, NULL, false, &kannel_request, &arena, &response);
}

static void answer_ussd(void)
{
	static const struct bytes screen = {
		"Survei\n1. Sangat puas\n2. Puas\n3. Cukup puas\n4. Tidak puas", 57
	};
	struct http_response response;

	telco_answer(at, TELCO_USSD, &screen, true, &ussd_request, &arena, &response);
}

static const struct outbound message = {
	.id = { 0x0123456789abcdef, 0x0123456789abcdef },
	.citizen = "+6281234567890",
	.connection = "k1",
	.from = "2020",
	.meta = "",
	.text = { "Seberapa puas Anda dengan layanan kami? 1. Sangat puas 2. Puas 3. Cukup puas 4. "
		  "Tidak puas",
		  90 },
	.provider_id = "",
	.note = "",
	.code = "",
	.expires = NOW + 86400,
};

static void encode(void)
{
	struct http_call call;

	if (telco_encode(kannel, &message, NOW, &arena, &call) != 0)
		abort();
}

static void outcome(void)
{
	static const struct http_result result = { .left = true,
						   .status = 202,
						   .body = { "0: Accepted for delivery", 24 } };
	struct telco_outcome out;

	telco_outcome(kannel, &result, &arena, &out);
	if (out.kind != OUTCOME_ACCEPTED)
		abort();
}

static void nothing(void)
{
}

static void measure(const char *name, void (*fn)(void), long rounds)
{
	int64_t from;

	for (int i = 0; i < 1000; i++) {
		fn();
		arena_free(&arena);
	}
	from = cpu_ns();
	for (long i = 0; i < rounds; i++) {
		fn();
		arena_free(&arena);
	}
	printf("%-12s %6lld ns\n", name, (long long)((cpu_ns() - from) / rounds));
}

int main(int argc, char **argv)
{
	static const char *const numbers[] = { "2020", NULL };
	static const struct telco_setting kannel_settings[] = {
		{ "secret", { SECRET, 32 } },
		{ "username", { "telco", 5 } },
		{ "password", { "bench", 5 } },
	};
	static const struct telco_setting at_settings[] = {
		{ "secret", { SECRET, 32 } },
		{ "username", { "telco", 5 } },
		{ "api_key", { "bench", 5 } },
	};
	struct telco_config configs[] = {
		{ .name = "k1",
		  .adapter = "kannel",
		  .country = "ID",
		  .numbers = numbers,
		  .public_url = "http://127.0.0.1:8080",
		  .settings = kannel_settings,
		  .setting_count = 3 },
		{ .name = "a1",
		  .adapter = "africastalking",
		  .country = "ID",
		  .numbers = numbers,
		  .public_url = "",
		  .settings = at_settings,
		  .setting_count = 3 },
	};
	long rounds = argc > 2 ? atol(argv[2]) : ROUNDS;
	struct telco *telco;
	char error[512];

	if (argc < 2 || rounds < 1 ||
	    telco_open(argv[1], configs, 2, &telco, error, sizeof(error)) != 0) {
		fprintf(stderr, "usage: %s FOLDER [ROUNDS]\n%s\n", argv[0], argc < 2 ? "" : error);
		return 2;
	}
	kannel = telco_find(telco, "k1");
	at = telco_find(telco, "a1");
	fields[0] = (struct http_field){ "Host", { "127.0.0.1:8080", 14 } };
	fields[1] = (struct http_field){ "User-Agent", { "Kannel/1.4.5", 12 } };
	fields[2] = (struct http_field){ "Content-Type",
					 { "application/x-www-form-urlencoded", 33 } };
	kannel_request = (struct http_request){ .path = "/telco/k1/sms", .headers = { fields, 2 } };
	set_query(&kannel_request, &requests,
		  "key=" SECRET "&id=bf197c86-b50d-4963-a022-7d91e912e555&from=%2B6281234567890&to="
		  "2020&text=SURVEI&ts=1795489498&"
		  "coding=0&charset=UTF-8&udh=&smsc=smsc1");
	ussd_request = (struct http_request){ .method = HTTP_POST,
					      .path = "/telco/a1/ussd",
					      .headers = { fields, 3 } };
	set_query(&ussd_request, &requests, "key=" SECRET);
	ussd_request.body = (struct bytes){
		"sessionId=ATUid_aaa1&phoneNumber=%2B6281234567890&networkCode=63902&"
		"serviceCode=%2A123%23&text=1%2A2",
		99
	};
	ussd_request.body.len = strlen(ussd_request.body.data);
	measure("nothing", nothing, rounds);
	measure("decode sms", decode_sms, rounds);
	measure("answer sms", answer_sms, rounds);
	measure("encode", encode, rounds);
	measure("outcome", outcome, rounds);
	measure("decode ussd", decode_ussd, rounds);
	measure("answer ussd", answer_ussd, rounds);
	telco_close(telco);
	arena_free(&requests);
	return 0;
}

/* fuzz_msisdn.c - any sender field: what is called a number is one, and stays the same when it
 * comes again.
 *
 * Input: a byte for country and international digits, then the field.
 */
#include <stdlib.h>
#include <string.h>

#include "msisdn.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_number(const char *country, const char *number, bool digits)
{
	char again[64];
	size_t len = strlen(number);

	require(number[0] == '+' && len >= 9 && len <= 16 && number[1] != '0');
	require(strspn(number + 1, "0123456789") == len - 1);
	if (digits) /* then nothing is corrected at first, but with its plus it would be */
		return;
	require(msisdn_complete((struct bytes){ number, len }, country, digits, again,
				sizeof(again)) == MSISDN_NUMBER);
	require(strcmp(again, number) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const countries[] = { "ID", "KE", "GH", "NG", "TZ", "IN", "PH", "" };
	const char *country;
	char out[64];
	bool digits;

	if (size == 0)
		return 0;
	country = countries[data[0] & 7];
	digits = data[0] & 8;
	switch (msisdn_complete((struct bytes){ (const char *)data + 1, size - 1 }, country, digits,
				out, sizeof(out))) {
	case MSISDN_NUMBER:
		check_number(country, out, digits);
		break;
	case MSISDN_SHORT:
		require(strlen(out) >= 3 && strlen(out) <= 6 &&
			strspn(out, "0123456789") == strlen(out));
		break;
	case MSISDN_ALNUM:
		require(out[0] && utf8_valid(out, strlen(out)) &&
			utf8_length((struct bytes){ out, strlen(out) }) <= 11);
		break;
	case MSISDN_INVALID:
		require(out[0] == '\0');
		break;
	}
	return 0;
}

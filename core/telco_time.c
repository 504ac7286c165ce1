/* telco_time.c - times as telcos write them: RFC 3339, date and time with a blank, or Unix
 * seconds.
 *
 * Without a zone a time is UTC.  The calendar is computed here: the C library's would ask for the
 * process's zone.
 */
#include "calendar.h"
#include "telco_priv.h"

struct text {
	const char *at, *end;
};

/* Exactly `count` digits. */
static bool digits(struct text *text, unsigned count, int *out)
{
	*out = 0;
	for (; count > 0; count--, text->at++) {
		if (text->at == text->end || *text->at < '0' || *text->at > '9')
			return false;
		*out = *out * 10 + (*text->at - '0');
	}
	return true;
}

static bool one_of(struct text *text, const char *chars)
{
	if (text->at == text->end)
		return false;
	for (; *chars; chars++)
		if (*text->at == *chars) {
			text->at++;
			return true;
		}
	return false;
}

/* "Z", "+07:00", "+0700" or nothing; *out is what UTC is behind. */
static bool zone(struct text *text, int64_t *out)
{
	int hours, minutes, sign;

	*out = 0;
	if (text->at == text->end || one_of(text, "Zz"))
		return true;
	sign = *text->at == '-' ? -1 : 1;
	if (!one_of(text, "+-") || !digits(text, 2, &hours))
		return false;
	one_of(text, ":");
	if (!digits(text, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*out = sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool calendar_time(struct text text, int64_t *out)
{
	int year, month, day, hour, minute, second;
	int64_t offset;

	if (!digits(&text, 4, &year) || !one_of(&text, "-") || !digits(&text, 2, &month) ||
	    !one_of(&text, "-") || !digits(&text, 2, &day) || !one_of(&text, "Tt +") ||
	    !digits(&text, 2, &hour) || !one_of(&text, ":") || !digits(&text, 2, &minute) ||
	    !one_of(&text, ":") || !digits(&text, 2, &second))
		return false;
	if (year < 1970 || !calendar_is_day(year, month, day) || hour > 23 || minute > 59 ||
	    second > 60)
		return false;
	if (one_of(&text, ".")) {
		if (!one_of(&text, "0123456789"))
			return false;
		while (one_of(&text, "0123456789"))
			;
	}
	if (!zone(&text, &offset) || text.at != text.end)
		return false;
	*out = calendar_days(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second -
	       offset;
	return true;
}

bool telco_parse_time(const char *raw, size_t len, int64_t *out)
{
	struct text text = { raw, raw + len };
	int64_t seconds = 0;

	if (len == 0)
		return false;
	for (; text.at < text.end && text.at - raw < 12 && *text.at >= '0' && *text.at <= '9';
	     text.at++)
		seconds = seconds * 10 + (*text.at - '0');
	if (text.at == text.end) {
		*out = seconds;
		return true;
	}
	return calendar_time((struct text){ raw, raw + len }, out);
}

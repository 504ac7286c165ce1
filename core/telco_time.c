/* telco_time.c - times as telcos write them: RFC 3339, date and time with a blank, or Unix
 * seconds.
 *
 * Without a zone a time is UTC.  The calendar is computed here: the C library's would ask for the
 * process's zone.
 */
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

/* Days from 1970-01-01 in the Gregorian calendar: years begin in March, so that the leap day is
 * the last. */
static int64_t days(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = month <= 2 ? month + 9 : month - 3;

	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static bool day_exists(int year, int month, int day)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return year >= 1970 && month >= 1 && month <= 12 && day >= 1 &&
	       day <= lengths[month - 1] + (month == 2 && leap);
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
	if (!day_exists(year, month, day) || hour > 23 || minute > 59 || second > 60)
		return false;
	if (one_of(&text, ".")) {
		if (!one_of(&text, "0123456789"))
			return false;
		while (one_of(&text, "0123456789"))
			;
	}
	if (!zone(&text, &offset) || text.at != text.end)
		return false;
	*out = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
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

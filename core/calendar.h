/* calendar.h - days of the Gregorian calendar, and the time of day that people mean. */
#pragma once
#include "base.h"

enum {
	DAY_SECONDS = 86400,
	WIB_SECONDS = 7 * 3600, /* Western Indonesian Time is ahead of UTC, without summer time */
};

/* Whether there is such a day, in the years 1 to 9999. */
bool calendar_is_day(int year, int month, int day);
/* Days since 1970-01-01 of a day that there is; the other way round. */
int64_t calendar_days(int year, int month, int day);
void calendar_date(int64_t days, int *year, int *month, int *day);

/* clock.h - the time, replaceable in tests. */
#pragma once
#include "base.h"

int64_t clock_now(void);    /* seconds UTC */
int64_t clock_now_ms(void); /* milliseconds UTC */
void clock_fake(
	int64_t ms);   /* from here on the time stands at ms until it is set again; tests only */
void clock_real(void); /* undoes clock_fake */

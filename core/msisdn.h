/* msisdn.h - a phone number as telcos write it, completed to E.164.
 *
 * Source: ITU-T E.164; the reference's rules of sms-encoding.md, section 7; tests/vectors/e164.csv.
 */
#pragma once
#include "base.h"
#include "message.h"

enum msisdn_kind { MSISDN_NUMBER, MSISDN_SHORT, MSISDN_ALNUM, MSISDN_INVALID };

/* raw: as received.  country: ISO 3166 two letters of the connection's default country (ID KE GH NG
 * TZ IN PH, others "": only full international numbers are understood).  international_digits: the
 * telco writes digits with the country code and no plus. A number that no rule is sure of is
 * MSISDN_INVALID, as is one that doesn't fit out (17 bytes hold any number, 45 any name). out gets
 * "+digits", or the short code or name as it is; it is always ended, and empty where invalid. size
 * is at least 1. */
enum msisdn_kind msisdn_complete(struct bytes raw, const char *country, bool international_digits,
				 char *out, size_t size);
bool msisdn_country_known(const char *country);

/* gateway.h - the public listener's routes: telco callbacks in, USSD screens out.
 *
 *   GET|POST /telco/<connection>/sms       a message, or several
 *   GET|POST /telco/<connection>/ussd      one step of a session; the answer is the screen
 *   GET|POST /telco/<connection>/receipt   delivery reports
 * The secret of a connection may be one more element of the path.  200 says that all of it is stored.
 */
#pragma once
#include "base.h"
#include "http.h"

struct gateway;
struct inbox;
struct outbox;
struct settings;
struct telco;

/* All borrowed. */
struct gateway *gateway_new(struct inbox *inbox, struct outbox *outbox, struct telco *telco,
			    const struct settings *settings) MUST_CHECK;
/* NULL is fine.  Callbacks that wait must have been answered. */
void gateway_free(struct gateway *gateway);
void gateway_reload(struct gateway *gateway, struct telco *telco, const struct settings *settings);
void gateway_detach(struct gateway *gateway); /* the outbox is about to go */
http_handler gateway_handle;                  /* its argument is the gateway */

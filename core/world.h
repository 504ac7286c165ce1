/* world.h - a gateway within a tool: the real inbox, workers and store, with a clock, a telco and people of its own.
 *
 * `kentongan test` plays transcripts in one, `kentongan chat FOLDER` is a talk in one.  The store lies in a folder that is
 * removed with the world.  Where a call gives false, world_error says why.  There is one world at a time: it owns the clock.
 */
#pragma once
#include "base.h"
#include "store.h"

struct plugin_set;
struct settings;
struct world;

enum { WORLD_PEOPLE = 40, WORLD_SAID = 100 };

/* One citizen, with what she was told and nobody has taken notice of yet: whoever reads it takes it away (world_heard, world_seen). */
struct world_person {
	char number[24];
	char *said[WORLD_SAID]; /* owned; messages, the oldest first */
	unsigned said_count;
	char *screen; /* owned; what the USSD session shows; NULL: nothing new */
	bool more;    /* and it goes on */
	bool dialled; /* there is, or was, a session */
	/* the world's own */
	char session[32];
	unsigned calls;
	struct id last;
};

/* name: of the file whose settings are set, for errors.  own: the one plugin that must be right; NULL: all must.
 * real: time begins at the machine's and runs; else it stands, and each message brings a second. */
struct world *world_new(const char *name, const char *own, bool real) MUST_CHECK;
void world_free(struct world *world); /* NULL is fine */
const char *world_error(const struct world *world);
const struct settings *world_settings(const struct world *world);
struct world_person *world_person(struct world *world, unsigned citizen); /* from 0 */

/* The plugins' folder, NULL: the one of before; where the world is open they are loaded anew and dialogs stay.  On an error
 * the old ones do. */
bool world_load(struct world *world, const char *folder) MUST_CHECK;
/* A plugin's setting from now on.  Errors: too many */
bool world_set(struct world *world, const char *plugin, const char *name, const char *value,
	       int line) MUST_CHECK;
bool world_is_open(const struct world *world);
bool world_open(struct world *world) MUST_CHECK; /* where it isn't */
/* All that is in memory is lost.  Where plugins can't be loaded nothing happens. */
bool world_restart(struct world *world) MUST_CHECK;
const struct plugin_set *world_plugins(const struct world *world); /* of an open world */
void world_wait(int64_t seconds);

/* Each brings one message and waits for all that it causes. */
bool world_sms(struct world *world, unsigned citizen, const char *text) MUST_CHECK;
bool world_dial(struct world *world, unsigned citizen, const char *code) MUST_CHECK;
bool world_key(struct world *world, unsigned citizen, const char *text) MUST_CHECK;
bool world_hang_up(struct world *world, unsigned citizen) MUST_CHECK;
char *world_heard(struct world *world, unsigned citizen) MUST_CHECK; /* the caller's; NULL: none */
char *world_seen(struct world *world, unsigned citizen) MUST_CHECK;

/* cb is called within the call. */
bool world_records(struct world *world, const struct record_query *query, store_records_cb *cb,
		   void *arg) MUST_CHECK;
bool world_find(struct world *world, const struct find *find, store_find_cb *cb,
		void *arg) MUST_CHECK;

/* "8 days", "1 hour and what follows": its seconds, and what stands behind it.  false: no such thing. */
bool world_span(const char *text, int64_t *seconds, const char **rest) MUST_CHECK;

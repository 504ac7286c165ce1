/* transcript_record.h - what was said in a talk, saved as a transcript that passes `kentongan test`. */
#pragma once
#include "base.h"

struct recording;
struct world;

enum deed { DEED_SMS, DEED_DIAL, DEED_KEY, DEED_BY_SMS, DEED_DROP, DEED_WAIT, DEED_RESTART };

struct recording *recording_new(void) MUST_CHECK;
void recording_free(struct recording *recording); /* NULL is fine */
/* What is done, in order.  text: what she writes or dials, or the time that passes ("2 days"); else "". */
void recording_deed(struct recording *recording, enum deed deed, unsigned citizen,
		    const char *text);
void recording_said(struct recording *recording, unsigned citizen, const char *text);
/* Does it to a world.  text: a DEED_WAIT's as above */
bool deed_do(struct world *world, enum deed deed, unsigned citizen, const char *text) MUST_CHECK;

/* All is done a few times more with the plugins as they are now: words that come out otherwise (codes, chance) become {code}.
 * folder: of all plugins; own: as world_new.  false: it is written, but would not pass, or it could not be written;
 * *why is the caller's. */
bool recording_save(struct recording *recording, const char *path, const char *folder,
		    const char *own, char **why) MUST_CHECK;

/* citizen.c - what is kept of a citizen in memory.
 *
 * The store is the truth; this is what the loop would else read again for each message.  How many idle citizens are
 * kept is a setting, and with none everything works the same: each event then begins with a read.
 */
#include "citizen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define uthash_fatal(text) abort()
#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>

#include "plugin_bundle.h"
#include "turn.h"

struct citizen {
	UT_hash_handle hh;
	struct citizens *citizens;
	TAILQ_ENTRY(citizen) idle; /* in the list of those without turns, the longest first */
	struct turn_list line;
	unsigned waiting;
	struct citizen_data *data; /* owned; NULL: not loaded */
	citizen_loaded_cb *loaded; /* while it is being loaded */
	void *loaded_arg;
	char key[];
};

struct citizens {
	struct store *store;
	unsigned cached;
	struct citizen *all; /* owned */
	TAILQ_HEAD(, citizen) idle;
	unsigned idle_count;
};

struct citizens *citizens_new(struct store *store, unsigned cached)
{
	struct citizens *citizens = xcalloc(1, sizeof(*citizens));

	citizens->store = store;
	citizens->cached = cached;
	TAILQ_INIT(&citizens->idle);
	return citizens;
}

/* ---- dialogs ---- */

static void row_set(struct dialog *dialog, const struct dialog_row *row)
{
	struct arena old = dialog->arena;
	struct dialog_row copy = *row;

	copy.journal = (struct bytes){ "", 0 }; /* it is in a buffer of its own */
	dialog->arena = (struct arena){ 0 };
	dialog_row_copy(&dialog->arena, &dialog->row, &copy);
	arena_free(&old);
}

struct dialog *dialog_add(struct citizen_data *data, const struct dialog_row *row)
{
	struct dialog *dialog = xcalloc(1, sizeof(*dialog));

	dialog->worker = -1;
	row_set(dialog, row);
	buf_add(&dialog->journal, row->journal.data, row->journal.len);
	TAILQ_INSERT_TAIL(&data->dialogs, dialog, next);
	return dialog;
}

void dialog_remove(struct citizen_data *data, struct dialog *dialog)
{
	TAILQ_REMOVE(&data->dialogs, dialog, next);
	bundle_unref(dialog->bundle);
	arena_free(&dialog->arena);
	buf_free(&dialog->journal);
	free(dialog);
}

struct dialog *dialog_find(struct citizen_data *data, struct id id)
{
	struct dialog *dialog;

	TAILQ_FOREACH (dialog, &data->dialogs, next)
		if (dialog->row.id.serial == id.serial && dialog->row.state != DIALOG_ENDED)
			return dialog;
	return NULL;
}

struct dialog *dialog_front(struct citizen_data *data)
{
	struct dialog *dialog, *parked = NULL;

	TAILQ_FOREACH (dialog, &data->dialogs, next) {
		if (dialog->row.state == DIALOG_WAITING || dialog->row.state == DIALOG_RUNNABLE)
			return dialog;
		if (dialog->row.state == DIALOG_PARKED &&
		    (!parked || dialog->row.touched >= parked->row.touched))
			parked = dialog;
	}
	if (parked) {
		parked->row.state = DIALOG_WAITING;
		parked->dirty = true;
	}
	return parked;
}

/* ---- a citizen's data ---- */

static void profile_set(struct citizen_data *data, const struct profile *profile,
			const struct ussd_session *session)
{
	struct arena old = data->arena;

	data->arena = (struct arena){ 0 };
	profile_copy(&data->arena, &data->profile, profile);
	session_copy(&data->arena, &data->session, session);
	arena_free(&old);
}

static void data_free(struct citizen_data *data)
{
	struct dialog *dialog;

	if (!data)
		return;
	while ((dialog = TAILQ_FIRST(&data->dialogs)))
		dialog_remove(data, dialog);
	arena_free(&data->arena);
	arena_free(&data->parts_arena);
	free(data);
}

/* Takes over what was loaded; the arena is kept where parts lie in it. */
static struct citizen_data *data_new(const struct citizen_state *state, struct arena *arena)
{
	struct citizen_data *data = xcalloc(1, sizeof(*data));

	TAILQ_INIT(&data->dialogs);
	data->version = state->version;
	profile_set(data, &state->profile, &state->session);
	for (unsigned i = 0; i < state->dialog_count; i++) {
		struct dialog *dialog = dialog_add(data, &state->dialogs[i]);

		dialog->is_stored = true;
		dialog->stored = dialog->journal.len;
	}
	if (state->part_count > 0) {
		data->parts = state->parts;
		data->part_count = state->part_count;
		data->parts_arena = *arena;
		*arena = (struct arena){ 0 };
	}
	return data;
}

/* ---- lines ---- */

static void citizen_free(struct citizen *citizen)
{
	struct citizens *citizens = citizen->citizens;

	TAILQ_REMOVE(&citizens->idle, citizen, idle);
	citizens->idle_count--;
	HASH_DEL(citizens->all, citizen);
	data_free(citizen->data);
	free(citizen);
}

/* Those above the number that is kept go, the longest idle first; one that was just handed out stays. */
static void shrink(struct citizens *citizens, const struct citizen *stays)
{
	struct citizen *citizen, *next;

	for (citizen = TAILQ_FIRST(&citizens->idle);
	     citizen && citizens->idle_count > citizens->cached; citizen = next) {
		next = TAILQ_NEXT(citizen, idle);
		if (citizen != stays)
			citizen_free(citizen);
	}
}

void citizens_free(struct citizens *citizens)
{
	struct citizen *citizen, *next;

	if (!citizens)
		return;
	HASH_ITER (hh, citizens->all, citizen, next)
		citizen_free(citizen);
	free(citizens);
}

void citizens_cached(struct citizens *citizens, unsigned cached)
{
	citizens->cached = cached;
	shrink(citizens, NULL);
}

struct citizen *citizen_get(struct citizens *citizens, const char *key)
{
	size_t len = strlen(key);
	struct citizen *citizen;

	HASH_FIND(hh, citizens->all, key, len, citizen);
	if (!citizen) {
		citizen = xcalloc(1, sizeof(*citizen) + len + 1);
		citizen->citizens = citizens;
		TAILQ_INIT(&citizen->line);
		memcpy(citizen->key, key, len);
		HASH_ADD_KEYPTR(hh, citizens->all, citizen->key, len, citizen);
		TAILQ_INSERT_TAIL(&citizens->idle, citizen, idle);
		citizens->idle_count++;
	}
	shrink(citizens, citizen);
	return citizen;
}

const char *citizen_key(const struct citizen *citizen)
{
	return citizen->key;
}

static void count_turn(struct citizen *citizen)
{
	if (citizen->waiting++ > 0)
		return;
	TAILQ_REMOVE(&citizen->citizens->idle, citizen, idle);
	citizen->citizens->idle_count--;
}

void citizen_push(struct citizen *citizen, struct turn *turn)
{
	count_turn(citizen);
	TAILQ_INSERT_TAIL(&citizen->line, turn, next);
}

void citizen_push_front(struct citizen *citizen, struct turn *turn)
{
	count_turn(citizen);
	TAILQ_INSERT_HEAD(&citizen->line, turn, next);
}

struct turn *citizen_first(const struct citizen *citizen)
{
	return TAILQ_FIRST(&citizen->line);
}

void citizen_pop(struct citizen *citizen)
{
	struct citizens *citizens = citizen->citizens;

	TAILQ_REMOVE(&citizen->line, TAILQ_FIRST(&citizen->line), next);
	if (--citizen->waiting > 0)
		return;
	TAILQ_INSERT_TAIL(&citizens->idle, citizen, idle);
	citizens->idle_count++;
	shrink(citizens, NULL);
}

unsigned citizen_waiting(const struct citizen *citizen)
{
	return citizen->waiting;
}

/* ---- state ---- */

struct citizen_data *citizen_data(struct citizen *citizen)
{
	return citizen->data;
}

static void state_cb(int error, struct citizen_state *state, struct arena *arena, void *arg)
{
	struct citizen *citizen = arg;
	citizen_loaded_cb *cb = citizen->loaded;
	struct arena own = *arena;

	citizen->loaded = NULL;
	if (error == 0) {
		data_free(citizen->data);
		citizen->data = data_new(state, &own);
	}
	cb(error, error == 0 ? state->seen : NULL, citizen->loaded_arg);
	arena_free(&own);
}

int citizen_load(struct citizen *citizen, const char *connection, const char *provider_id,
		 citizen_loaded_cb *cb, void *arg)
{
	int rc = store_load_citizen(citizen->citizens->store, citizen->key, connection, provider_id,
				    state_cb, citizen);

	if (rc < 0)
		return rc;
	citizen->loaded = cb;
	citizen->loaded_arg = arg;
	return 0;
}

void citizen_drop(struct citizen *citizen, citizen_forget_cb *forget, void *arg)
{
	struct dialog *dialog;

	if (!citizen->data)
		return;
	TAILQ_FOREACH (dialog, &citizen->data->dialogs, next)
		forget(dialog, arg);
	data_free(citizen->data);
	citizen->data = NULL;
}

static void gather_dialog(struct step *step, struct dialog *dialog)
{
	struct dialog_change *change = step_add_dialog(step);

	change->kind = dialog->is_stored ? DIALOG_CHANGE_APPEND : DIALOG_CHANGE_OPEN;
	dialog_row_copy(&step->arena, &change->row, &dialog->row);
	change->row.journal = arena_bytes(
		&step->arena, dialog->journal.data ? dialog->journal.data + dialog->stored : "",
		dialog->journal.len - dialog->stored);
}

static const struct profile *gathered_profile(const struct citizen_data *data, struct arena *arena)
{
	struct profile *profile = arena_alloc(arena, sizeof(*profile));

	profile_copy(arena, profile, &data->profile);
	return profile;
}

static const struct ussd_session *gathered_session(const struct citizen_data *data,
						   struct arena *arena)
{
	struct ussd_session *session = arena_alloc(arena, sizeof(*session));

	session_copy(arena, session, &data->session);
	return session;
}

void citizen_gather(struct citizen *citizen, struct step *step)
{
	struct citizen_data *data = citizen->data;
	struct dialog *dialog;

	step->citizen = arena_strdup(&step->arena, citizen->key);
	step->version = data->version;
	if (data->profile_dirty)
		step->profile = gathered_profile(data, &step->arena);
	if (data->session_dirty)
		step->session = gathered_session(data, &step->arena);
	TAILQ_FOREACH (dialog, &data->dialogs, next)
		if (dialog->dirty)
			gather_dialog(step, dialog);
}

static void append_entry(struct citizen_data *data, const struct record_write *write)
{
	struct bytes entry = write->entry;
	struct dialog *dialog = write->dialog.serial ? dialog_find(data, write->dialog) : NULL;

	if (!dialog)
		return;
	buf_add(&dialog->journal, entry.data, entry.len);
	dialog->stored += entry.len;
}

void citizen_committed(struct citizen *citizen, const struct step *step)
{
	struct citizen_data *data = citizen->data;
	const struct record_write *write;
	struct dialog *dialog, *next;

	data->version++;
	for (dialog = TAILQ_FIRST(&data->dialogs); dialog; dialog = next) {
		next = TAILQ_NEXT(dialog, next);
		if (!dialog->dirty)
			continue;
		if (dialog->row.state == DIALOG_ENDED) {
			dialog_remove(data, dialog);
			continue;
		}
		dialog->dirty = false;
		dialog->is_stored = true;
		dialog->stored = dialog->journal.len;
		row_set(dialog, &dialog->row); /* gives back what changes have left behind */
	}
	STAILQ_FOREACH (write, &step->records, next)
		append_entry(data, write);
	if (data->profile_dirty || data->session_dirty)
		profile_set(data, &data->profile, &data->session);
	data->profile_dirty = data->session_dirty = false;
}

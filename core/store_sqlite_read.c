/* store_sqlite_read.c - a citizen, a plugin's records, a bundle.
 *
 * Each call reads within one transaction, so that what it brings together was true at one moment.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "store_sqlite_priv.h"

static struct id column_id(sqlite3_stmt *statement, int column)
{
	return (struct id){ .shard = (uint64_t)sqlite3_column_int64(statement, column),
			    .serial = sqlite3_column_int64(statement, column + 1) };
}

int inbound_from_row(struct arena *arena, sqlite3_stmt *statement, struct inbound_row *out)
{
	if (!unpack_inbound(arena, column_bytes(statement, 8), &out->msg))
		return db_damaged("inbound");
	out->msg.id = column_id(statement, 0);
	out->state = (enum inbound_state)sqlite3_column_int(statement, 3);
	out->arrived = sqlite3_column_int64(statement, 4);
	out->done_at = sqlite3_column_int64(statement, 5);
	out->answer.screen = column_copy(arena, statement, 6);
	out->answer.more = sqlite3_column_int(statement, 7);
	return 0;
}

int dialog_from_row(struct arena *arena, sqlite3_stmt *statement, struct dialog_row *out)
{
	if (!unpack_dialog(arena, column_bytes(statement, 4), out))
		return db_damaged("dialog");
	out->id = column_id(statement, 0);
	out->citizen = column_text(arena, statement, 2);
	out->plugin = column_text(arena, statement, 3);
	out->journal = column_copy(arena, statement, 5);
	return 0;
}

int read_seen(struct db *db, struct arena *arena, const char *citizen, struct bytes key,
	      struct inbound_row **out)
{
	int64_t forgotten = clock_now() - db->dedupe_seconds;
	struct inbound_row *row;
	sqlite3_stmt *statement;
	int rc = DB_QUERY(db, &statement,
			  "SELECT " INBOUND_COLUMNS " FROM inbound WHERE serial ="
			  " (SELECT version FROM home WHERE citizen = ? AND kind IN (3, 5)"
			  " AND key = ? AND due > ? ORDER BY kind LIMIT 1)",
			  bind_text(citizen), BIND_B(key), BIND_I(forgotten));

	*out = NULL;
	if (rc == 0)
		rc = db_next(db, statement);
	if (rc <= 0)
		return rc;
	row = arena_alloc(arena, sizeof(*row));
	rc = inbound_from_row(arena, statement, row);
	if (rc == 0)
		*out = row;
	sqlite3_reset(statement);
	return rc;
}

static int add_citizen(struct arena *arena, struct citizen_state *state, sqlite3_stmt *statement)
{
	state->version = sqlite3_column_int64(statement, 6);
	if (!unpack_profile(arena, column_bytes(statement, 4), &state->profile) ||
	    !unpack_session(arena, column_bytes(statement, 5), &state->session))
		return db_damaged("citizen");
	return 0;
}

static int add_dialog(struct arena *arena, struct citizen_state *state, sqlite3_stmt *statement)
{
	state->dialogs = rows_grow(arena, state->dialogs, state->dialog_count,
				   sizeof(state->dialogs[0]));
	return dialog_from_row(arena, statement, &state->dialogs[state->dialog_count++]);
}

static int add_part(struct arena *arena, struct citizen_state *state, sqlite3_stmt *statement)
{
	struct part_row *part;

	state->parts = rows_grow(arena, state->parts, state->part_count, sizeof(state->parts[0]));
	part = &state->parts[state->part_count++];
	if (!unpack_inbound(arena, column_bytes(statement, 4), &part->msg))
		return db_damaged("part");
	part->msg.id.shard = (uint64_t)sqlite3_column_int64(statement, 0);
	part->msg.id.serial = sqlite3_column_int64(statement, 6);
	part->arrived = sqlite3_column_int64(statement, 7);
	return 0;
}

static int add_home(struct arena *arena, struct citizen_state *state, sqlite3_stmt *statement)
{
	switch (sqlite3_column_int(statement, 8)) {
	case HOME_CITIZEN:
		return add_citizen(arena, state, statement);
	case HOME_DIALOG:
		return add_dialog(arena, state, statement);
	default:
		return add_part(arena, state, statement);
	}
}

static int read_home(struct db *db, struct arena *arena, struct citizen_state *state)
{
	sqlite3_stmt *statement;
	int rc = DB_QUERY(db, &statement,
			  "SELECT shard, key, citizen, plugin, head, body, version, due, kind"
			  " FROM home WHERE citizen = ? AND kind < 3 ORDER BY kind, key",
			  bind_text(state->citizen));

	while (rc == 0 && (rc = db_next(db, statement)) == 1) {
		rc = add_home(arena, state, statement);
		if (rc < 0)
			sqlite3_reset(statement);
	}
	/* The rows have their places now; a list runs through the parts. */
	for (unsigned i = 0; i + 1 < state->part_count; i++)
		state->parts[i].next.stqe_next = &state->parts[i + 1];
	return rc;
}

int read_citizen(struct db *db, struct call *call)
{
	struct arena *arena = &call->arena;
	struct citizen_state *state = arena_alloc(arena, sizeof(*state));
	struct inbound_row *seen = NULL;
	int rc;

	state->citizen = call->citizen.citizen;
	state->profile = (struct profile){ .language = "", .name = "", .area = "", .fields = "" };
	state->session = (struct ussd_session){
		.connection = "", .session = "", .service_code = "", .raw = { "", 0 }
	};
	rc = read_home(db, arena, state);
	if (rc == 0 && call->citizen.connection && call->citizen.provider_id &&
	    call->citizen.provider_id[0])
		rc = read_seen(db, arena, state->citizen,
			       seen_key(arena, call->citizen.connection, call->citizen.provider_id),
			       &seen);
	state->seen = seen;
	call->citizen.state = state;
	return rc;
}

/* Only values of the term's own type hold: SQLite would put every text above every number. */
static const char *within_type(const struct record_term *term)
{
	bool below = term->op == RECORD_LT || term->op == RECORD_LE;

	if (term->op == RECORD_EQ)
		return "";
	switch (term->value.type) {
	case RECORD_NULL:
		return term->op == RECORD_LE || term->op == RECORD_GE ? "" : " AND 0";
	case RECORD_TEXT:
		return below ? " AND value >= ''" : " AND value < x''";
	default:
		return below ? "" : " AND value < ''";
	}
}

static void add_term(struct query *query, const struct record_term *term)
{
	static const char *const comparisons[] = {
		[RECORD_EQ] = " AND value = ?",  [RECORD_LT] = " AND value < ?",
		[RECORD_LE] = " AND value <= ?", [RECORD_GT] = " AND value > ?",
		[RECORD_GE] = " AND value >= ?",
	};

	query_bind(query,
		   " AND r.id IN (SELECT record FROM record_index"
		   " WHERE plugin = ?1 AND tbl = ?2 AND field = ?",
		   bind_text(term->field));
	query_bind(query, comparisons[term->op], bind_value(&term->value));
	query_add(query, within_type(term));
	query_add(query, ")");
}

static void add_terms(struct query *query, const struct record_query *asked)
{
	if (asked->key)
		query_bind(query, " AND r.key = ?", bind_text(asked->key));
	for (unsigned i = 0; !asked->key && i < asked->term_count; i++)
		add_term(query, &asked->terms[i]);
}

static void groups_query(struct query *query, const struct record_query *asked)
{
	query_bind(query,
		   "SELECT r.value, count(*) FROM (SELECT value, record AS id FROM record_index"
		   " WHERE plugin = ?",
		   bind_text(asked->plugin));
	query_bind(query, " AND tbl = ?", bind_text(asked->table));
	query_bind(query, " AND field = ? AND value < x'') r WHERE 1", bind_text(asked->by));
	add_terms(query, asked);
	query_add(query, " GROUP BY r.value ORDER BY r.value");
}

static void behind(struct query *query, const struct record_query *asked, bool ordered)
{
	const struct record_cursor *after = asked->after;

	if (!after)
		return;
	if (!ordered) {
		query_bind(query, asked->descending ? " AND r.id < ?" : " AND r.id > ?",
			   BIND_I(after->number));
		return;
	}
	query_bind(query,
		   asked->descending ? " AND (o.value, o.record) < (?"
				     : " AND (o.value, o.record) > (?",
		   bind_value(&after->value));
	query_bind(query, ", ?)", BIND_I(after->number));
}

static void rows_query(struct query *query, const struct record_query *asked)
{
	bool ordered = asked->order && !asked->count && !asked->key;

	query_add(query, asked->count ? "SELECT count(*)"
			 : ordered    ? "SELECT r.json, r.id, o.value"
				      : "SELECT r.json, r.id, NULL");
	query_bind(query,
		   ordered ? " FROM record_index o JOIN record r ON r.plugin = o.plugin"
			     " AND r.tbl = o.tbl AND r.id = o.record WHERE o.plugin = ?"
			   : " FROM record r WHERE r.plugin = ?",
		   bind_text(asked->plugin));
	query_bind(query, ordered ? " AND o.tbl = ?" : " AND r.tbl = ?", bind_text(asked->table));
	if (ordered)
		query_bind(query, " AND o.field = ?", bind_text(asked->order));
	add_terms(query, asked);
	if (asked->count)
		return;
	behind(query, asked, ordered);
	if (ordered)
		query_add(query, asked->descending ? " ORDER BY o.value DESC, o.record DESC"
						   : " ORDER BY o.value, o.record");
	else
		query_add(query, asked->descending ? " ORDER BY r.id DESC" : " ORDER BY r.id");
}

static struct record_value column_value(struct arena *arena, sqlite3_stmt *statement, int column)
{
	struct record_value value = { .type = RECORD_NULL, .text = { "", 0 } };

	switch (sqlite3_column_type(statement, column)) {
	case SQLITE_INTEGER:
		value.type = RECORD_INTEGER;
		value.integer = sqlite3_column_int64(statement, column);
		break;
	case SQLITE_FLOAT:
		value.type = RECORD_REAL;
		value.real = sqlite3_column_double(statement, column);
		break;
	case SQLITE_TEXT:
		value.type = RECORD_TEXT;
		value.text = column_copy(arena, statement, column);
		break;
	default:
		break;
	}
	return value;
}

static void add_group(struct call *call, sqlite3_stmt *statement)
{
	struct record_result *result = &call->records.result;

	result->groups = rows_grow(&call->arena, result->groups, result->group_count,
				   sizeof(result->groups[0]));
	result->groups[result->group_count].value = column_value(&call->arena, statement, 0);
	result->groups[result->group_count++].count = sqlite3_column_int64(statement, 1);
}

static void add_row(struct call *call, sqlite3_stmt *statement)
{
	struct record_result *result = &call->records.result;

	result->rows = rows_grow(&call->arena, result->rows, result->row_count,
				 sizeof(result->rows[0]));
	result->rows[result->row_count++] = column_copy(&call->arena, statement, 0);
	result->count = result->row_count;
}

/* One more than asked for says that there is more; where that begins is the row before. */
static void add_record(struct call *call, sqlite3_stmt *statement, unsigned limit)
{
	const struct record_query *asked = &call->records.query;
	struct record_result *result = &call->records.result;

	if (asked->count && !asked->by) {
		result->count = sqlite3_column_int64(statement, 0);
		return;
	}
	if (result->row_count + result->group_count == limit) {
		result->more = true;
		return;
	}
	if (asked->by)
		add_group(call, statement);
	else
		add_row(call, statement);
	if (!asked->by && result->row_count == limit) {
		result->last.number = sqlite3_column_int64(statement, 1);
		result->last.value = column_value(&call->arena, statement, 2);
	}
}

int read_records(struct db *db, struct call *call)
{
	const struct record_query *asked = &call->records.query;
	unsigned limit = asked->limit > 0 && asked->limit < STORE_ROWS_MAX ? asked->limit
									   : STORE_ROWS_MAX;
	struct query query = { 0 };
	sqlite3_stmt *statement;
	int rc;

	if (asked->count && asked->by)
		groups_query(&query, asked);
	else
		rows_query(&query, asked);
	if (!asked->count || asked->by)
		query_bind(&query, " LIMIT ?", BIND_I(limit + 1));
	rc = query_start(db, &query, &statement);
	while (rc == 0 && (rc = db_next(db, statement)) == 1) {
		add_record(call, statement, limit);
		rc = 0;
	}
	query_free(&query);
	return rc;
}

int read_bundle(struct db *db, struct call *call)
{
	struct bytes hash = { (const char *)call->bundle.hash, BUNDLE_SIZE };
	sqlite3_stmt *statement;
	int rc = DB_QUERY(db, &statement, "SELECT content FROM bundle WHERE hash = ?",
			  BIND_B(hash));

	if (rc == 0)
		rc = db_next(db, statement);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	call->bundle.content = column_copy(&call->arena, statement, 0);
	sqlite3_reset(statement);
	return 0;
}

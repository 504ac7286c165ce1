/* store_sqlite_find.c - what operators, receipts and a start look for.
 *
 * Each kind has one look at one index; what is asked for besides narrows it.  Messages and open dialogs come by their
 * serial; what a start or a timer takes up comes by citizen, so that it may go on behind the last one.  Receipts that
 * wait come in the order in which they were stored, which numbers them.
 */
#include "store_sqlite_priv.h"

#define INBOUND_SELECT "SELECT " INBOUND_COLUMNS " FROM inbound WHERE "
#define OUTBOUND_SELECT                                                                  \
	"SELECT shard, serial, citizen, connection, asked_for, state, attempts, doubts," \
	" provider_id, note, code, created, not_before, msg FROM outbound WHERE "
#define DIALOG_COLUMNS "shard, key, citizen, plugin, head, body"
#define DIALOG_SELECT "SELECT " DIALOG_COLUMNS " FROM home WHERE kind = 1"
/* Without being told, SQLite would go through all citizens to save sorting the few that are due. */
#define EXPIRED_SELECT \
	"SELECT " DIALOG_COLUMNS " FROM home INDEXED BY home_expires WHERE kind = 1 AND slot <= ?"
#define RUNNABLE_SELECT \
	"SELECT " DIALOG_COLUMNS " FROM home INDEXED BY home_marked WHERE kind = 1 AND state = 1"
#define ENDED_SELECT "SELECT shard, serial, citizen, plugin, head, journal FROM ended WHERE "

static void by_citizen(struct query *query, const struct find *find)
{
	if (find->citizen)
		query_bind(query, " AND citizen = ?", bind_text(find->citizen));
}

/* Her messages, one way. */
static void by_writer(struct query *query, const struct find *find, bool out)
{
	if (!find->citizen)
		return;
	if (out) {
		query_bind(query,
			   " AND serial IN (SELECT key FROM home WHERE citizen = ? AND kind = 4 "
			   "AND key > 0",
			   bind_text(find->citizen));
		query_bind(query,
			   " UNION ALL SELECT slot FROM home WHERE citizen = ? AND kind = 3)",
			   bind_text(find->citizen));
		return;
	}
	query_bind(
		query,
		" AND serial IN (SELECT -key FROM home WHERE citizen = ? AND kind = 4 AND key < 0",
		bind_text(find->citizen));
	query_bind(query, " UNION ALL SELECT version FROM home WHERE citizen = ? AND kind = 3)",
		   bind_text(find->citizen));
}

static void by_plugin(struct query *query, const struct find *find)
{
	if (find->plugin)
		query_bind(query, " AND plugin = ?", bind_text(find->plugin));
}

static void inbound_query(struct query *query, const struct find *find)
{
	query_bind(query, INBOUND_SELECT "serial > ?", BIND_I(find->after.serial));
	if (find->id.serial) {
		query_bind(query, " AND serial = ?", BIND_I(find->id.serial));
		query_bind(query, " AND shard = ?", BIND_I(find->id.shard));
	}
	if (find->kind == FIND_INBOUND_UNFINISHED)
		query_add(query, " AND state = 0");
	by_writer(query, find, false);
	query_add(query, " ORDER BY serial");
}

static void outbound_query(struct query *query, const struct find *find)
{
	query_bind(query, OUTBOUND_SELECT "serial > ?", BIND_I(find->after.serial));
	if (find->id.serial) {
		query_bind(query, " AND serial = ?", BIND_I(find->id.serial));
		query_bind(query, " AND shard = ?", BIND_I(find->id.shard));
	}
	if (find->connection && find->provider_id) {
		query_bind(query, " AND provider_id <> '' AND connection = ?",
			   bind_text(find->connection));
		query_bind(query, " AND provider_id = ?", bind_text(find->provider_id));
	}
	if (find->kind == FIND_OUTBOUND_UNFINISHED)
		query_add(query, " AND " UNFINISHED);
	by_writer(query, find, true);
	query_add(query, " ORDER BY serial");
}

static void dialog_by_id(struct query *query, const struct find *find)
{
	query_bind(query, DIALOG_SELECT " AND key = ?", BIND_I(find->id.serial));
	query_bind(query, " AND shard = ?", BIND_I(find->id.shard));
	by_citizen(query, find);
	by_plugin(query, find);
	query_bind(query, " UNION ALL " ENDED_SELECT "serial = ?", BIND_I(find->id.serial));
	query_bind(query, " AND shard = ?", BIND_I(find->id.shard));
	by_citizen(query, find);
	by_plugin(query, find);
}

static void dialogs_query(struct query *query, const struct find *find)
{
	if (find->id.serial) {
		dialog_by_id(query, find);
		return;
	}
	query_bind(query, DIALOG_SELECT " AND key > ?", BIND_I(find->after.serial));
	by_citizen(query, find);
	if (find->plugin && !find->citizen)
		query_bind(
			query,
			" AND key IN (SELECT key FROM home INDEXED BY home_expires"
			" WHERE kind = 1 AND bundle IN (SELECT mark FROM bundle WHERE plugin = ?))",
			bind_text(find->plugin));
	by_plugin(query, find);
	query_add(query, " ORDER BY key");
}

/* Behind a citizen, or behind one dialog of hers where both are named. */
static void behind_citizen(struct query *query, const struct find *find)
{
	if (!find->after_citizen)
		return;
	if (find->after.serial) {
		query_bind(query, " AND (citizen, key) > (?", bind_text(find->after_citizen));
		query_bind(query, ", ?)", BIND_I(find->after.serial));
	} else {
		query_bind(query, " AND citizen > ?", bind_text(find->after_citizen));
	}
}

static void due_query(struct query *query, const struct find *find)
{
	if (find->kind == FIND_DIALOGS_RUNNABLE) {
		query_add(query, RUNNABLE_SELECT);
	} else {
		query_bind(query, EXPIRED_SELECT, BIND_I(find->before / DIALOG_SLOT));
		query_bind(query, " AND due <= ?", BIND_I(find->before));
	}
	by_citizen(query, find);
	by_plugin(query, find);
	behind_citizen(query, find);
	query_add(query, " ORDER BY citizen, key");
}

static void stopped_query(struct query *query, const struct find *find)
{
	query_add(query, "SELECT citizen, version, head FROM home INDEXED BY home_marked"
			 " WHERE kind = 0 AND state = 1");
	by_citizen(query, find);
	if (find->after_citizen)
		query_bind(query, " AND citizen > ?", bind_text(find->after_citizen));
	query_add(query, " ORDER BY citizen");
}

static void parts_query(struct query *query, const struct find *find)
{
	query_bind(query,
		   "SELECT DISTINCT citizen FROM home INDEXED BY home_marked"
		   " WHERE kind = 2 AND state = 1 AND due <= ?",
		   BIND_I(find->before));
	if (find->after_citizen)
		query_bind(query, " AND citizen > ?", bind_text(find->after_citizen));
	query_add(query, " ORDER BY citizen");
}

static void reports_query(struct query *query, const struct find *find)
{
	query_bind(
		query,
		"SELECT connection, ref, own_id, status, code, opted_out, arrived, id FROM report"
		" WHERE id > ?",
		BIND_I(find->after.serial));
	if (find->connection)
		query_bind(query, " AND connection = ?", bind_text(find->connection));
	if (find->provider_id)
		query_bind(query, " AND ref = ?", bind_text(find->provider_id));
	query_add(query, " ORDER BY id");
}

static int add_inbound(struct arena *arena, sqlite3_stmt *statement, struct find_rows *rows)
{
	rows->inbound = rows_grow(arena, rows->inbound, rows->count, sizeof(rows->inbound[0]));
	return inbound_from_row(arena, statement, &rows->inbound[rows->count++]);
}

static int add_outbound(struct arena *arena, sqlite3_stmt *statement, struct find_rows *rows)
{
	struct outbound *msg;

	rows->outbound = rows_grow(arena, rows->outbound, rows->count, sizeof(rows->outbound[0]));
	msg = &rows->outbound[rows->count++];
	if (!unpack_outbound(arena, column_bytes(statement, 13), msg))
		return db_damaged("outbound");
	msg->id.shard = (uint64_t)sqlite3_column_int64(statement, 0);
	msg->id.serial = sqlite3_column_int64(statement, 1);
	msg->citizen = column_text(arena, statement, 2);
	msg->connection = column_text(arena, statement, 3);
	msg->asked_for = sqlite3_column_int(statement, 4);
	msg->state = (enum outbound_state)sqlite3_column_int(statement, 5);
	msg->attempts = (unsigned)sqlite3_column_int64(statement, 6);
	msg->doubts = (unsigned)sqlite3_column_int64(statement, 7);
	msg->provider_id = column_text(arena, statement, 8);
	msg->note = column_text(arena, statement, 9);
	msg->code = column_text(arena, statement, 10);
	msg->created = sqlite3_column_int64(statement, 11);
	msg->not_before = sqlite3_column_int64(statement, 12);
	return 0;
}

static int add_dialog(struct arena *arena, sqlite3_stmt *statement, struct find_rows *rows)
{
	rows->dialogs = rows_grow(arena, rows->dialogs, rows->count, sizeof(rows->dialogs[0]));
	return dialog_from_row(arena, statement, &rows->dialogs[rows->count++]);
}

static int add_citizen(struct arena *arena, sqlite3_stmt *statement, struct find_rows *rows)
{
	struct citizen_state *state;

	rows->citizens = rows_grow(arena, rows->citizens, rows->count, sizeof(rows->citizens[0]));
	state = &rows->citizens[rows->count++];
	state->session = (struct ussd_session){
		.connection = "", .session = "", .service_code = "", .raw = { "", 0 }
	};
	state->citizen = column_text(arena, statement, 0);
	state->version = sqlite3_column_int64(statement, 1);
	if (!unpack_profile(arena, column_bytes(statement, 2), &state->profile))
		return db_damaged("citizen");
	return 0;
}

static int add_key(struct arena *arena, sqlite3_stmt *statement, struct find_rows *rows)
{
	rows->citizens = rows_grow(arena, rows->citizens, rows->count, sizeof(rows->citizens[0]));
	rows->citizens[rows->count++].citizen = column_text(arena, statement, 0);
	return 0;
}

static int add_report(struct arena *arena, sqlite3_stmt *statement, struct find_rows *rows)
{
	struct report_row *row;

	rows->reports = rows_grow(arena, rows->reports, rows->count, sizeof(rows->reports[0]));
	row = &rows->reports[rows->count++];
	row->report.connection = column_text(arena, statement, 0);
	row->report.ref = column_text(arena, statement, 1);
	row->report.own_id = sqlite3_column_int(statement, 2);
	row->report.status = (enum report_status)sqlite3_column_int(statement, 3);
	row->report.code = column_text(arena, statement, 4);
	row->report.opted_out = sqlite3_column_int(statement, 5);
	row->arrived = sqlite3_column_int64(statement, 6);
	row->order = sqlite3_column_int64(statement, 7);
	return 0;
}

static const struct {
	void (*query)(struct query *query, const struct find *find);
	int (*add)(struct arena *arena, sqlite3_stmt *statement, struct find_rows *rows);
} kinds[] = {
	[FIND_INBOUND] = { inbound_query, add_inbound },
	[FIND_INBOUND_UNFINISHED] = { inbound_query, add_inbound },
	[FIND_OUTBOUND] = { outbound_query, add_outbound },
	[FIND_OUTBOUND_UNFINISHED] = { outbound_query, add_outbound },
	[FIND_DIALOGS] = { dialogs_query, add_dialog },
	[FIND_DIALOGS_RUNNABLE] = { due_query, add_dialog },
	[FIND_DIALOGS_EXPIRED] = { due_query, add_dialog },
	[FIND_STOPPED] = { stopped_query, add_citizen },
	[FIND_REPORTS] = { reports_query, add_report },
	[FIND_PARTS] = { parts_query, add_key },
};

int read_find(struct db *db, struct call *call)
{
	const struct find *find = &call->find.find;
	int64_t limit = find->limit > 0 && find->limit < STORE_ROWS_MAX ? find->limit
									: STORE_ROWS_MAX;
	struct query query = { 0 };
	sqlite3_stmt *statement;
	int rc;

	kinds[find->kind].query(&query, find);
	query_bind(&query, " LIMIT ?", BIND_I(limit));
	rc = query_start(db, &query, &statement);
	while (rc == 0 && (rc = db_next(db, statement)) == 1) {
		rc = kinds[find->kind].add(&call->arena, statement, &call->find.rows);
		if (rc < 0)
			sqlite3_reset(statement);
	}
	query_free(&query);
	return rc;
}

/* store_sqlite_write.c - one step, applied within the writer's transaction.
 *
 * Whether a step may be applied at all is found out by its first writes: a remembered id that is taken, or a
 * version that is another, changes no row.  The caller sees to it that nothing stays of a step that was refused later.
 */
#include <string.h>

#include "clock.h"
#include "store_sqlite_priv.h"

/* Behind a body what comes with the step; SQLite would make a text of it. */
#define APPENDED(column) "CAST(" column " || ? AS BLOB)"

enum { BUNDLE_TOUCH = 3600 }; /* seconds */

struct write {
	struct db *db;
	struct step *step;
	struct buf buf, more; /* owned: what is packed, until it is bound no more */
	enum store_result result;
	const struct outbound_row *linked; /* the seen row says whose it is */
};

static int refuse(struct write *write, enum store_result result)
{
	write->result = result;
	return 0;
}

/* Where the step is about one row that must be there. */
static int must_change(struct write *write, int changed)
{
	if (changed < 0)
		return changed;
	return changed > 0 ? 0 : refuse(write, STORE_CONFLICT);
}

static struct bytes packed_inbound(struct write *write, const struct inbound *msg)
{
	buf_reset(&write->buf);
	pack_inbound(&write->buf, msg);
	return buf_bytes(&write->buf);
}

/* The reply, which the seen row knows, so that it needs no row of its own. */
static const struct outbound_row *first_reply(const struct step *step)
{
	const struct outbound_row *row = STAILQ_FIRST(&step->outbound);

	return row && strcmp(row->msg.citizen, step->citizen) == 0 ? row : NULL;
}

/* A provider's id that was forgotten is given to another message: those that it led to get rows of their own. */
static int forget_seen(struct write *write, struct bytes key, int64_t forgotten)
{
	struct bind citizen = bind_text(write->step->citizen), seen = BIND_B(key),
		    due = BIND_I(forgotten);
	int rc = DB_RUN(
		write->db,
		"INSERT OR IGNORE INTO home (citizen, kind, key) SELECT citizen, 4, slot FROM home"
		" WHERE citizen = ? AND kind = 3 AND key = ? AND due <= ?"
		" AND slot IS NOT NULL",
		citizen, seen, due);

	if (rc >= 0)
		rc = DB_RUN(write->db,
			    "INSERT OR IGNORE INTO home (citizen, kind, key)"
			    " SELECT citizen, 4, -version FROM home"
			    " WHERE citizen = ? AND kind = 3 AND key = ? AND due <= ?",
			    citizen, seen, due);
	if (rc >= 0)
		rc = DB_RUN(write->db,
			    "DELETE FROM home"
			    " WHERE citizen = ? AND kind = 3 AND key = ? AND due <= ?",
			    citizen, seen, due);
	return rc;
}

static int insert_seen(struct write *write, struct bytes key)
{
	const struct inbound_row *row = write->step->inbound;
	const struct outbound_row *reply = first_reply(write->step);
	struct bind none = { .type = BIND_NULL };
	int rc = DB_RUN(write->db,
			"INSERT OR IGNORE INTO home (citizen, kind, key, version, due, slot)"
			" VALUES (?, 3, ?, ?, ?, ?)",
			bind_text(write->step->citizen), BIND_B(key), BIND_I(row->msg.id.serial),
			BIND_I(row->arrived), reply ? BIND_I(reply->msg.id.serial) : none);

	if (rc > 0)
		write->linked = reply;
	return rc;
}

static int write_seen(struct write *write)
{
	struct step *step = write->step;
	const struct inbound_row *row = step->inbound;
	struct bytes key;
	int rc;

	if (!row || !row->msg.provider_id || !row->msg.provider_id[0])
		return 0;
	key = seen_key(&step->arena, row->msg.connection, row->msg.provider_id);
	rc = insert_seen(write, key);
	if (rc == 0) {
		rc = forget_seen(write, key, clock_now() - write->db->dedupe_seconds);
		if (rc > 0)
			rc = insert_seen(write, key);
	}
	if (rc != 0)
		return rc < 0 ? rc : 0;
	write->result = STORE_DUPLICATE;
	return read_seen(write->db, &step->arena, step->citizen, key, &step->seen);
}

static int insert_citizen(struct write *write)
{
	const struct step *step = write->step;
	const struct profile *profile = step->profile ? step->profile : &(struct profile){ 0 };
	const struct ussd_session *session = step->session ? step->session
							   : &(struct ussd_session){ 0 };

	pack_profile(&write->buf, profile);
	pack_session(&write->more, session);
	return DB_RUN(write->db,
		      "INSERT OR IGNORE INTO home (citizen, kind, key, version, state, head, body)"
		      " VALUES (?, 0, '', 1, ?, ?, ?)",
		      bind_text(step->citizen), BIND_I(profile->stopped),
		      BIND_B(buf_bytes(&write->buf)), BIND_B(buf_bytes(&write->more)));
}

/* A column that is named is written, and its indexes looked at, even with the value that it has. */
static int update_citizen(struct write *write)
{
	const struct step *step = write->step;
	struct bind citizen = bind_text(step->citizen), version = BIND_I(step->version),
		    none = { .type = BIND_NULL }, session = none;

	if (step->session) {
		pack_session(&write->more, step->session);
		session = BIND_B(buf_bytes(&write->more));
	}
	if (step->profile) {
		pack_profile(&write->buf, step->profile);
		return DB_RUN(write->db,
			      "UPDATE home SET version = version + 1, state = ?, head = ?,"
			      " body = coalesce(?, body)"
			      " WHERE citizen = ? AND kind = 0 AND key = '' AND version = ?",
			      BIND_I(step->profile->stopped), BIND_B(buf_bytes(&write->buf)),
			      session, citizen, version);
	}
	if (step->session)
		return DB_RUN(write->db,
			      "UPDATE home SET version = version + 1, body = ?"
			      " WHERE citizen = ? AND kind = 0 AND key = '' AND version = ?",
			      session, citizen, version);
	return DB_RUN(write->db,
		      "UPDATE home SET version = version + 1"
		      " WHERE citizen = ? AND kind = 0 AND key = '' AND version = ?",
		      citizen, version);
}

static int write_citizen(struct write *write)
{
	if (!write->step->citizen)
		return 0;
	buf_reset(&write->buf);
	buf_reset(&write->more);
	return must_change(write, write->step->version == 0 ? insert_citizen(write)
							    : update_citizen(write));
}

/* Where a citizen's messages are found. */
static int write_link(struct write *write, const char *citizen, int64_t key)
{
	int rc = DB_RUN(write->db,
			"INSERT OR IGNORE INTO home (citizen, kind, key) VALUES (?, 4, ?)",
			bind_text(citizen), BIND_I(key));

	return rc < 0 ? rc : 0;
}

static int write_inbound(struct write *write)
{
	const struct inbound_row *row = write->step->inbound;
	int rc;

	if (!row)
		return 0;
	rc = DB_RUN(write->db,
		    "INSERT INTO inbound (" INBOUND_COLUMNS ")"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		    BIND_I(row->msg.id.shard), BIND_I(row->msg.id.serial),
		    bind_text(write->step->citizen), BIND_I(row->state), BIND_I(row->arrived),
		    BIND_I(row->done_at), BIND_B(row->answer.screen), BIND_I(row->answer.more),
		    BIND_B(packed_inbound(write, &row->msg)));
	if (rc >= 0 && !(row->msg.provider_id && row->msg.provider_id[0]))
		rc = write_link(write, write->step->citizen, -row->msg.id.serial);
	return rc < 0 ? rc : 0;
}

static int write_done(struct write *write)
{
	const struct inbound_done *done;
	int rc = 0;

	STAILQ_FOREACH (done, &write->step->done, next) {
		rc = DB_RUN(write->db,
			    "UPDATE inbound SET state = 1, done_at = ?, answer = ?, more = ?"
			    " WHERE serial = ? AND shard = ?",
			    BIND_I(clock_now()), BIND_B(done->answer.screen),
			    BIND_I(done->answer.more), BIND_I(done->id.serial),
			    BIND_I(done->id.shard));
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Connection and number, ended by a NUL each, then ref and total, which no other message shares for a while. */
static void part_prefix(struct buf *buf, const char *connection, const char *to, unsigned ref,
			unsigned total)
{
	buf_reset(buf);
	buf_add(buf, connection, strlen(connection) + 1);
	buf_add(buf, to, strlen(to) + 1);
	buf_addf(buf, "%08x%08x", ref, total);
}

/* Whether the part belongs to a message that was joined already, and is remembered. */
static int part_is_seen(struct write *write, const struct inbound *part)
{
	struct step *step = write->step;
	struct bytes key = seen_key(&step->arena, part->connection, part->provider_id);
	int rc;

	if (!part->provider_id[0])
		return 0;
	rc = read_seen(write->db, &step->arena, part->from, key, &step->seen);
	if (rc == 0 && step->seen)
		write->result = STORE_DUPLICATE;
	return rc;
}

static int write_parts(struct write *write)
{
	const struct part_row *row;
	int rc;

	STAILQ_FOREACH (row, &write->step->parts, next) {
		rc = part_is_seen(write, &row->msg);
		if (rc < 0 || write->result != STORE_DONE)
			return rc;
		part_prefix(&write->more, row->msg.connection, row->msg.to, row->msg.part_ref,
			    row->msg.part_total);
		buf_addf(&write->more, "%08x", row->msg.part_number);
		rc = DB_RUN(write->db,
			    "INSERT OR IGNORE INTO home"
			    " (citizen, kind, key, version, state, due, shard, head)"
			    " VALUES (?, 2, ?, ?, 1, ?, ?, ?)",
			    bind_text(row->msg.from), BIND_B(buf_bytes(&write->more)),
			    BIND_I(row->msg.id.serial), BIND_I(row->arrived),
			    BIND_I(row->msg.id.shard), BIND_B(packed_inbound(write, &row->msg)));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int remember_part(struct write *write, const char *connection, const char *provider_id)
{
	const struct inbound_row *row = write->step->inbound;
	int rc;

	if (!provider_id[0] || strcmp(provider_id, row->msg.provider_id) == 0)
		return 0;
	rc = DB_RUN(write->db,
		    "INSERT OR REPLACE INTO home (citizen, kind, key, version, due)"
		    " VALUES (?, 5, ?, ?, ?)",
		    bind_text(write->step->citizen),
		    BIND_B(seen_key(&write->step->arena, connection, provider_id)),
		    BIND_I(row->msg.id.serial), BIND_I(row->arrived));
	return rc < 0 ? rc : 0;
}

/* A telco that repeats one of the parts names it by the part's own id.  The bounds of the parts are in buf and more. */
static int remember_parts(struct write *write, const struct part_key *key)
{
	struct arena *arena = &write->step->arena;
	const char *ids[256];
	unsigned count = 0;
	sqlite3_stmt *statement;
	int rc = DB_QUERY(write->db, &statement,
			  "SELECT head FROM home WHERE citizen = ? AND kind = 2 AND key >= ?"
			  " AND key < ?",
			  bind_text(key->citizen), BIND_B(buf_bytes(&write->buf)),
			  BIND_B(buf_bytes(&write->more)));

	while (rc == 0 && (rc = db_next(write->db, statement)) == 1) {
		struct inbound part = { 0 };

		rc = 0;
		if (!unpack_inbound(arena, column_bytes(statement, 0), &part))
			rc = db_damaged("part");
		else if (count < ARRAY_LEN(ids))
			ids[count++] = part.provider_id;
		if (rc < 0)
			sqlite3_reset(statement);
	}
	for (unsigned i = 0; rc >= 0 && i < count; i++)
		rc = remember_part(write, key->connection, ids[i]);
	return rc < 0 ? rc : remember_part(write, key->connection, key->last_id);
}

static int write_joined(struct write *write)
{
	const struct part_key *key = write->step->parts_joined;
	int rc = 0;

	if (!key)
		return 0;
	part_prefix(&write->buf, key->connection, key->to, key->ref, key->total);
	part_prefix(&write->more, key->connection, key->to, key->ref, key->total);
	buf_addstr(&write->more, "g"); /* behind every hexadecimal number */
	if (write->step->inbound)
		rc = remember_parts(write, key);
	if (rc < 0)
		return rc;
	rc = DB_RUN(write->db,
		    "DELETE FROM home WHERE citizen = ? AND kind = 2 AND key >= ? AND key < ?",
		    bind_text(key->citizen), BIND_B(buf_bytes(&write->buf)),
		    BIND_B(buf_bytes(&write->more)));
	return rc < 0 ? rc : 0;
}

/* One that is there stays, and counts as put now: to the hour, so that not every dialog that begins writes it. */
static int write_bundles(struct write *write)
{
	const struct bundle_row *row;
	int rc;

	STAILQ_FOREACH (row, &write->step->bundles, next) {
		rc = DB_RUN(write->db,
			    "INSERT INTO bundle (hash, mark, plugin, put, content)"
			    " VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE"
			    " SET put = excluded.put WHERE put <= excluded.put - ?",
			    BIND_B(((struct bytes){ (const char *)row->hash, BUNDLE_SIZE })),
			    BIND_I(bundle_mark(row->hash)), bind_text(row->plugin),
			    BIND_I(clock_now()), BIND_B(row->content), BIND_I(BUNDLE_TOUCH));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int open_dialog(struct write *write, const struct dialog_row *row)
{
	if (row->state == DIALOG_ENDED) /* began and ended within one step */
		return DB_RUN(write->db,
			      "INSERT OR IGNORE INTO ended"
			      " (serial, shard, citizen, plugin, bundle, touched, head, journal)"
			      " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			      BIND_I(row->id.serial), BIND_I(row->id.shard),
			      bind_text(row->citizen), bind_text(row->plugin),
			      BIND_I(bundle_mark(row->bundle)), BIND_I(row->touched),
			      BIND_B(buf_bytes(&write->buf)), BIND_B(row->journal));
	return DB_RUN(write->db,
		      "INSERT OR IGNORE INTO home"
		      " (citizen, kind, key, state, due, slot, shard, plugin, bundle, head, body)"
		      " VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		      bind_text(row->citizen), BIND_I(row->id.serial), BIND_I(row->state),
		      BIND_I(row->expires), BIND_I(row->expires / DIALOG_SLOT),
		      BIND_I(row->id.shard), bind_text(row->plugin),
		      BIND_I(bundle_mark(row->bundle)), BIND_B(buf_bytes(&write->buf)),
		      BIND_B(row->journal));
}

/* Naming a column rewrites its indexes, even with the value that it has: what seldom changes is named only if it did.  The
 * slot stays where it is only too early. */
static int append_dialog(struct write *write, const struct dialog_row *row)
{
	struct bind state = BIND_I(row->state), due = BIND_I(row->expires),
		    slot = BIND_I(row->expires / DIALOG_SLOT), plugin = bind_text(row->plugin),
		    bundle = BIND_I(bundle_mark(row->bundle)),
		    head = BIND_B(buf_bytes(&write->buf)), journal = BIND_B(row->journal),
		    citizen = bind_text(row->citizen), serial = BIND_I(row->id.serial),
		    shard = BIND_I(row->id.shard);
	int rc = DB_RUN(write->db,
			"UPDATE home SET state = ?, due = ?, head = ?, body = " APPENDED(
				"body") " WHERE citizen = ? AND kind = 1 AND key = ? AND shard = ?"
					" AND slot BETWEEN ? AND ? AND plugin = ? AND bundle = ?",
			state, due, head, journal, citizen, serial, shard,
			BIND_I(clock_now() / DIALOG_SLOT), slot, plugin, bundle);

	if (rc != 0)
		return rc;
	return DB_RUN(write->db,
		      "UPDATE home SET state = ?, due = ?, slot = ?, plugin = ?, bundle = ?,"
		      " head = ?, body = " APPENDED(
			      "body") " WHERE citizen = ? AND kind = 1 AND key = ? AND shard = ?",
		      state, due, slot, plugin, bundle, head, journal, citizen, serial, shard);
}

static int end_dialog(struct write *write, const struct dialog_row *row)
{
	/* OR FAIL: else SQLite would be ready to undo this statement alone. */
	int rc = DB_RUN(write->db,
			"INSERT OR FAIL INTO ended"
			" (serial, shard, citizen, plugin, bundle, touched, head, journal)"
			" SELECT key, shard, citizen, ?, ?, ?, ?, " APPENDED(
				"body") " FROM home WHERE citizen = ? AND kind = 1 AND key = ? AND "
					"shard = ?",
			bind_text(row->plugin), BIND_I(bundle_mark(row->bundle)),
			BIND_I(row->touched), BIND_B(buf_bytes(&write->buf)), BIND_B(row->journal),
			bind_text(row->citizen), BIND_I(row->id.serial), BIND_I(row->id.shard));

	if (rc <= 0)
		return rc;
	return DB_RUN(write->db, "DELETE FROM home WHERE citizen = ? AND kind = 1 AND key = ?",
		      bind_text(row->citizen), BIND_I(row->id.serial));
}

static int write_dialogs(struct write *write)
{
	const struct dialog_change *change;
	int rc = 0;

	STAILQ_FOREACH (change, &write->step->dialogs, next) {
		buf_reset(&write->buf);
		pack_dialog(&write->buf, &change->row);
		if (change->kind == DIALOG_CHANGE_OPEN)
			rc = open_dialog(write, &change->row);
		else if (change->row.state == DIALOG_ENDED)
			rc = end_dialog(write, &change->row);
		else
			rc = append_dialog(write, &change->row);
		rc = must_change(write, rc);
		if (rc < 0 || write->result != STORE_DONE)
			return rc;
	}
	return 0;
}

/* What the write came to is the next entry of the dialog's journal. */
static int append_entry(struct write *write, struct record_write *row)
{
	buf_reset(&write->buf);
	row->add_entry(&write->buf, row);
	row->entry = arena_bytes(&write->step->arena, write->buf.data, write->buf.len);
	return must_change(write,
			   DB_RUN(write->db,
				  "UPDATE home SET body = " APPENDED(
					  "body") " WHERE kind = 1 AND key = ? AND shard = ?",
				  BIND_B(row->entry), BIND_I(row->dialog.serial),
				  BIND_I(row->dialog.shard)));
}

static int write_records(struct write *write)
{
	struct record_write *row;
	int rc;

	STAILQ_FOREACH (row, &write->step->records, next) {
		rc = write_record(write->db, &write->step->arena, row);
		if (rc == 0 && row->dialog.serial != 0)
			rc = append_entry(write, row);
		if (rc < 0 || write->result != STORE_DONE)
			return rc;
	}
	return 0;
}

static int write_drop(struct write *write)
{
	int rc = 0;

	if (write->step->drop_unasked && write->step->citizen)
		rc = DB_RUN(write->db,
			    "UPDATE outbound SET state = ?1 WHERE serial IN"
			    " (SELECT key FROM home WHERE citizen = ?2 AND kind = 4 AND key > 0"
			    " UNION ALL SELECT slot FROM home WHERE citizen = ?2 AND kind = 3)"
			    " AND asked_for = 0 AND state IN (?, ?)",
			    BIND_I(OUTBOUND_DROPPED), bind_text(write->step->citizen),
			    BIND_I(OUTBOUND_QUEUED), BIND_I(OUTBOUND_HELD));
	return rc < 0 ? rc : 0;
}

static int write_outbound(struct write *write)
{
	const struct outbound_row *row;
	const struct outbound *msg;
	int rc;

	STAILQ_FOREACH (row, &write->step->outbound, next) {
		msg = &row->msg;
		buf_reset(&write->buf);
		pack_outbound(&write->buf, msg);
		rc = DB_RUN(write->db,
			    "INSERT INTO outbound (serial, shard, citizen, connection, asked_for,"
			    " state, attempts, doubts, provider_id, note, code, created,"
			    " not_before, msg) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			    BIND_I(msg->id.serial), BIND_I(msg->id.shard), bind_text(msg->citizen),
			    bind_text(msg->connection), BIND_I(msg->asked_for), BIND_I(msg->state),
			    BIND_I(msg->attempts), BIND_I(msg->doubts), bind_text(msg->provider_id),
			    bind_text(msg->note), bind_text(msg->code), BIND_I(msg->created),
			    BIND_I(msg->not_before), BIND_B(buf_bytes(&write->buf)));
		if (rc >= 0 && row != write->linked)
			rc = write_link(write, msg->citizen, msg->id.serial);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The indexes of what is not named are not looked at. */
static int update_outbound(struct write *write, const struct outbound_update *row)
{
	struct bind attempts = BIND_I(row->attempts), doubts = BIND_I(row->doubts),
		    state = BIND_I(row->state), not_before = BIND_I(row->not_before),
		    serial = BIND_I(row->id.serial), shard = BIND_I(row->id.shard),
		    seen = BIND_I(row->attempts_seen);

	if (!row->provider_id && !row->note && !row->code)
		return DB_RUN(write->db,
			      "UPDATE outbound SET attempts = ?, doubts = ?, state = ?,"
			      " not_before = ? WHERE serial = ? AND shard = ? AND attempts = ?",
			      attempts, doubts, state, not_before, serial, shard, seen);
	return DB_RUN(write->db,
		      "UPDATE outbound SET attempts = ?, doubts = ?, state = ?, not_before = ?,"
		      " provider_id = coalesce(?, provider_id), note = coalesce(?, note),"
		      " code = coalesce(?, code) WHERE serial = ? AND shard = ? AND attempts = ?",
		      attempts, doubts, state, not_before, bind_optional(row->provider_id),
		      bind_optional(row->note), bind_optional(row->code), serial, shard, seen);
}

static int write_updates(struct write *write)
{
	struct outbound_update *row;
	int rc;

	STAILQ_FOREACH (row, &write->step->updates, next) {
		rc = update_outbound(write, row);
		if (rc < 0)
			return rc;
		row->lost = rc == 0;
	}
	return 0;
}

/* A telco repeats receipts too: one of each status is enough. */
static int write_report(struct write *write, const struct report_row *row)
{
	const struct report *report = &row->report;

	if (row->forget)
		return DB_RUN(write->db, "DELETE FROM report WHERE connection = ? AND ref = ?",
			      bind_text(report->connection), bind_text(report->ref));
	return DB_RUN(write->db,
		      "INSERT INTO report"
		      " (connection, ref, own_id, status, code, opted_out, arrived)"
		      " VALUES (?, ?, ?, ?, ?, ?, ?)"
		      " ON CONFLICT (connection, ref, status) DO UPDATE SET code = excluded.code,"
		      " opted_out = opted_out OR excluded.opted_out, arrived = excluded.arrived",
		      bind_text(report->connection), bind_text(report->ref), BIND_I(report->own_id),
		      BIND_I(report->status), bind_text(report->code), BIND_I(report->opted_out),
		      BIND_I(row->arrived));
}

static int write_reports(struct write *write)
{
	const struct report_row *row;
	int rc;

	STAILQ_FOREACH (row, &write->step->reports, next) {
		rc = write_report(write, row);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int write_step(struct db *db, struct step *step, enum store_result *result)
{
	static int (*const parts[])(struct write * write) = {
		write_seen,     write_citizen, write_inbound, write_done,    write_parts,
		write_joined,   write_bundles, write_dialogs, write_records, write_drop,
		write_outbound, write_updates, write_reports,
	};
	struct write write = { .db = db, .step = step, .result = STORE_DONE };
	int rc = 0;

	step->seen = NULL;
	for (unsigned i = 0; rc == 0 && write.result == STORE_DONE && i < ARRAY_LEN(parts); i++)
		rc = parts[i](&write);
	buf_free(&write.buf);
	buf_free(&write.more);
	*result = write.result;
	return rc;
}

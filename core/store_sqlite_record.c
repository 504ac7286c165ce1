/* store_sqlite_record.c - one change of one record, within the writer's transaction.
 *
 * What is read to be changed is read by the writer, so that no other change comes between.
 */
#include <string.h>

#include "record.h"
#include "store_sqlite_priv.h"

struct change {
	struct db *db;
	struct arena *arena; /* the step's */
	struct record_write *row;
	struct bind plugin, table;
	struct buf fields, json; /* owned: the record as it is to be */
};

struct old_record {
	int64_t id;
	struct record_field *fields; /* in the step's arena */
	unsigned count;
	struct bytes packed; /* the same */
	struct bytes json;   /* where it is asked for */
};

/* sql: takes plugin, table, field, value and id; a literal, by whose address its statement is known. */
static int each_field(struct change *change, const char *sql, int64_t id,
		      const struct record_field *fields, unsigned count)
{
	int rc = 0;

	for (unsigned i = 0; rc >= 0 && i < count; i++)
		rc = DB_RUN(change->db, sql, change->plugin, change->table,
			    bind_text(fields[i].name), bind_value(&fields[i].value), BIND_I(id));
	return rc < 0 ? rc : 0;
}

static int index_fields(struct change *change, int64_t id, const struct record_field *fields,
			unsigned count)
{
	return each_field(change,
			  "INSERT OR IGNORE INTO record_index (plugin, tbl, field, value, record)"
			  " VALUES (?, ?, ?, ?, ?)",
			  id, fields, count);
}

static int unindex_fields(struct change *change, int64_t id, const struct record_field *fields,
			  unsigned count)
{
	return each_field(change,
			  "DELETE FROM record_index WHERE plugin = ? AND tbl = ? AND field = ?"
			  " AND value = ? AND record = ?",
			  id, fields, count);
}

/* 1: there is one. */
static int find_record(struct change *change, bool json, struct old_record *out)
{
	sqlite3_stmt *statement;
	int rc = json ? DB_QUERY(change->db, &statement,
				 "SELECT id, fields, json FROM record"
				 " WHERE plugin = ? AND tbl = ? AND key = ?",
				 change->plugin, change->table, bind_text(change->row->key))
		      : DB_QUERY(change->db, &statement,
				 "SELECT id, fields FROM record"
				 " WHERE plugin = ? AND tbl = ? AND key = ?",
				 change->plugin, change->table, bind_text(change->row->key));

	if (rc == 0)
		rc = db_next(change->db, statement);
	if (rc <= 0)
		return rc;
	out->id = sqlite3_column_int64(statement, 0);
	out->packed = column_copy(change->arena, statement, 1);
	if (json)
		out->json = column_copy(change->arena, statement, 2);
	sqlite3_reset(statement);
	if (!unpack_fields(change->arena, out->packed, &out->fields, &out->count))
		rc = db_damaged("record");
	return rc;
}

static int next_id(struct change *change, int64_t *id)
{
	sqlite3_stmt *statement;
	int rc = DB_QUERY(change->db, &statement,
			  "SELECT max(id) FROM record WHERE plugin = ? AND tbl = ?", change->plugin,
			  change->table);

	if (rc == 0)
		rc = db_next(change->db, statement);
	if (rc < 0)
		return rc;
	*id = 1 + sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

/* The number of rows that were inserted: none where the key is taken. */
static int new_record(struct change *change, struct bytes json)
{
	const struct record_write *row = change->row;
	int64_t id;
	int rc = next_id(change, &id);

	if (rc < 0)
		return rc;
	pack_fields(&change->fields, row->index, row->index_count);
	rc = DB_RUN(change->db,
		    "INSERT OR IGNORE INTO record (plugin, tbl, id, key, citizen, fields, json)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?)",
		    change->plugin, change->table, BIND_I(id), bind_text(row->key),
		    bind_text(row->citizen), BIND_B(buf_bytes(&change->fields)), BIND_B(json));
	if (rc <= 0)
		return rc;
	rc = index_fields(change, id, row->index, row->index_count);
	if (rc >= 0 && row->chained)
		rc = chain_record(change->db, row, id);
	return rc < 0 ? rc : 1;
}

static int insert_record(struct change *change)
{
	int rc = new_record(change, change->row->json);

	if (rc == 0)
		change->row->outcome = RECORD_EXISTS;
	return rc;
}

/* citizen NULL: as it is. */
static int replace_record(struct change *change, const struct old_record *old,
			  const struct record_field *fields, unsigned count, struct bytes json,
			  const char *citizen)
{
	struct bytes packed;
	int rc;

	pack_fields(&change->fields, fields, count);
	packed = buf_bytes(&change->fields);
	if (packed.len == old->packed.len && memcmp(packed.data, old->packed.data, packed.len) == 0)
		return DB_RUN(change->db,
			      "UPDATE record SET citizen = coalesce(?, citizen), json = ?"
			      " WHERE plugin = ? AND tbl = ? AND id = ?",
			      bind_optional(citizen), BIND_B(json), change->plugin, change->table,
			      BIND_I(old->id));
	rc = unindex_fields(change, old->id, old->fields, old->count);
	if (rc == 0)
		rc = index_fields(change, old->id, fields, count);
	if (rc < 0)
		return rc;
	return DB_RUN(change->db,
		      "UPDATE record SET citizen = coalesce(?, citizen), fields = ?, json = ?"
		      " WHERE plugin = ? AND tbl = ? AND id = ?",
		      bind_optional(citizen), BIND_B(packed), BIND_B(json), change->plugin,
		      change->table, BIND_I(old->id));
}

/* A record that is there keeps its place in the order of insertion. */
static int put_record(struct change *change)
{
	const struct record_write *row = change->row;
	struct old_record old = { 0 };
	int rc = find_record(change, false, &old);

	if (rc < 0)
		return rc;
	return rc > 0 ? replace_record(change, &old, row->index, row->index_count, row->json,
				       row->citizen ? row->citizen : "")
		      : new_record(change, row->json);
}

static int delete_record(struct change *change)
{
	struct old_record old = { 0 };
	int rc = find_record(change, false, &old);

	if (rc <= 0)
		return rc;
	rc = unindex_fields(change, old.id, old.fields, old.count);
	if (rc == 0)
		rc = DB_RUN(change->db,
			    "DELETE FROM record WHERE plugin = ? AND tbl = ? AND id = ?",
			    change->plugin, change->table, BIND_I(old.id));
	return rc;
}

static const struct record_field *field_of(const struct record_field *fields, unsigned count,
					   const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

/* The record that is there, with members and indexed fields of the change in place of its own. */
static int change_record(struct change *change, struct old_record *old, struct bytes members,
			 const struct record_field *index, unsigned count)
{
	struct record_field *fields = arena_alloc(change->arena,
						  (old->count + count + 1) * sizeof(*fields));
	unsigned total = old->count;

	if (!record_merge(old->json, members, &change->json))
		return db_damaged("record");
	if (change->json.len > RECORD_BYTES_MAX) {
		change->row->outcome = RECORD_BOUND;
		return 0;
	}
	if (old->count > 0)
		memcpy(fields, old->fields, old->count * sizeof(*fields));
	for (unsigned i = 0; i < total; i++) {
		const struct record_field *changed = field_of(index, count, fields[i].name);

		if (changed)
			fields[i].value = changed->value;
	}
	for (unsigned i = 0; i < count; i++)
		if (!field_of(old->fields, old->count, index[i].name))
			fields[total++] = index[i]; /* indexed since */
	return replace_record(change, old, fields, total, buf_bytes(&change->json), NULL);
}

static int update_record(struct change *change)
{
	struct record_write *row = change->row;
	struct old_record old = { 0 };
	int rc = find_record(change, true, &old);

	if (rc == 0)
		row->outcome = RECORD_MISSING;
	if (rc > 0)
		rc = change_record(change, &old, row->json, row->index, row->index_count);
	if (rc > 0)
		row->row = arena_bytes(change->arena, change->json.data, change->json.len);
	return rc;
}

static int increment_old(struct change *change, struct old_record *old)
{
	struct record_write *row = change->row;
	const struct record_field *indexed;
	struct record_field field;
	struct record_value number;
	struct buf members = { 0 };
	int rc;

	if (!record_number(old->json, row->increment.field, &number))
		return db_damaged("record");
	if (!record_sum(&number, row, &row->sum)) {
		row->outcome = RECORD_BOUND;
		return 0;
	}
	indexed = field_of(row->index, row->index_count, row->increment.field);
	field = (struct record_field){ row->increment.field, row->sum };
	record_add_number(&members, row->increment.field, &row->sum);
	rc = change_record(change, old, buf_bytes(&members), &field, indexed ? 1 : 0);
	buf_free(&members);
	return rc;
}

static int increment_record(struct change *change)
{
	const struct record_value none = { .type = RECORD_NULL };
	struct record_write *row = change->row;
	struct old_record old = { 0 };
	int rc = find_record(change, true, &old);

	if (rc > 0)
		return increment_old(change, &old);
	if (rc == 0 && record_sum(&none, row, &row->sum))
		return new_record(change, row->json);
	if (rc == 0)
		row->outcome = RECORD_BOUND;
	return rc;
}

int write_record(struct db *db, struct arena *arena, struct record_write *row)
{
	static int (*const kinds[])(struct change * change) = {
		[RECORD_INSERT] = insert_record,       [RECORD_PUT] = put_record,
		[RECORD_DELETE] = delete_record,       [RECORD_UPDATE] = update_record,
		[RECORD_INCREMENT] = increment_record,
	};
	struct change change = { .db = db,
				 .arena = arena,
				 .row = row,
				 .plugin = bind_text(row->plugin),
				 .table = bind_text(row->table) };
	int rc;

	row->outcome = RECORD_DONE;
	row->row = row->entry = (struct bytes){ "", 0 };
	rc = kinds[row->kind](&change);
	buf_free(&change.fields);
	buf_free(&change.json);
	return rc < 0 ? rc : 0;
}

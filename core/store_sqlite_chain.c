/* store_sqlite_chain.c - records that nobody changes unseen.
 *
 * A chained record's link is the SHA-256 of the link before it (zeros for the first) and its own JSON.  The last link and how
 * many there are lie beside the records, so that a record is missed at the end too.  Whoever can write the file can make the
 * whole chain anew; against that its last hash can be written down elsewhere.
 */
#include <errno.h>
#include <openssl/sha.h>
#include <string.h>

#include "store_sqlite_priv.h"

enum { SHARE = 1000 }; /* records of one call */
static_assert(CHAIN_HASH_SIZE == SHA256_DIGEST_LENGTH, "SHA-256");

static void link_of(const unsigned char before[static CHAIN_HASH_SIZE], struct bytes json,
		    unsigned char out[static CHAIN_HASH_SIZE])
{
	struct buf both = { 0 };

	buf_add(&both, before, CHAIN_HASH_SIZE);
	buf_add(&both, json.data, json.len);
	SHA256((const unsigned char *)both.data, both.len, out);
	buf_free(&both);
}

/* The end as it was left; zeros where there is no chain yet. */
static int chain_end(struct db *db, const char *plugin, const char *table, int64_t *count,
		     unsigned char hash[static CHAIN_HASH_SIZE])
{
	sqlite3_stmt *statement;
	struct bytes stored;
	int rc = DB_QUERY(db, &statement,
			  "SELECT count, hash FROM record_chain WHERE plugin = ? AND tbl = ?",
			  bind_text(plugin), bind_text(table));

	*count = 0;
	memset(hash, 0, CHAIN_HASH_SIZE);
	if (rc == 0)
		rc = db_next(db, statement);
	if (rc <= 0)
		return rc;
	*count = sqlite3_column_int64(statement, 0);
	stored = column_bytes(statement, 1);
	if (stored.len == CHAIN_HASH_SIZE)
		memcpy(hash, stored.data, stored.len);
	sqlite3_reset(statement);
	return 0;
}

int chain_record(struct db *db, const struct record_write *row, int64_t id)
{
	struct bind plugin = bind_text(row->plugin), table = bind_text(row->table);
	unsigned char before[CHAIN_HASH_SIZE], hash[CHAIN_HASH_SIZE];
	struct bytes link = { (const char *)hash, sizeof(hash) };
	int64_t count;
	int rc = chain_end(db, row->plugin, row->table, &count, before);

	if (rc < 0)
		return rc;
	link_of(before, row->json, hash);
	rc = DB_RUN(db, "UPDATE record SET link = ? WHERE plugin = ? AND tbl = ? AND id = ?",
		    BIND_B(link), plugin, table, BIND_I(id));
	if (rc < 0)
		return rc;
	return DB_RUN(db,
		      "INSERT INTO record_chain (plugin, tbl, count, hash) VALUES (?, ?, ?, ?)"
		      " ON CONFLICT (plugin, tbl)"
		      " DO UPDATE SET count = excluded.count, hash = excluded.hash",
		      plugin, table, BIND_I(count + 1), BIND_B(link));
}

/* Looks at one record: id, json, link. */
static void walk(struct record_chain *chain, sqlite3_stmt *statement)
{
	unsigned char hash[CHAIN_HASH_SIZE];
	struct bytes link = column_bytes(statement, 2);

	chain->number = sqlite3_column_int64(statement, 0);
	if (chain->count == 0 && sqlite3_column_type(statement, 2) == SQLITE_NULL) {
		chain->unchained++;
		return;
	}
	link_of(chain->hash, column_bytes(statement, 1), hash);
	if (link.len != sizeof(hash) || memcmp(link.data, hash, sizeof(hash)) != 0) {
		chain->state = CHAIN_BROKEN;
		return;
	}
	memcpy(chain->hash, hash, sizeof(hash));
	chain->count++;
}

static int compare_end(struct db *db, struct call *call)
{
	struct record_chain *chain = &call->verify.chain;
	unsigned char hash[CHAIN_HASH_SIZE];
	int64_t count;
	int rc = chain_end(db, call->verify.plugin, call->verify.table, &count, hash);

	if (rc < 0)
		return rc;
	if (chain->number == 0 && count == 0)
		return -ENOENT;
	chain->state = chain->count == count && memcmp(chain->hash, hash, sizeof(hash)) == 0
			       ? CHAIN_WHOLE
			       : CHAIN_SHORT;
	return 0;
}

int read_chain(struct db *db, struct call *call)
{
	struct record_chain *chain = &call->verify.chain;
	sqlite3_stmt *statement;
	unsigned walked = 0;
	int rc = DB_QUERY(db, &statement,
			  "SELECT id, json, link FROM record WHERE plugin = ? AND tbl = ?"
			  " AND id > ? ORDER BY id LIMIT ?",
			  bind_text(call->verify.plugin), bind_text(call->verify.table),
			  BIND_I(chain->number), BIND_I(SHARE));

	chain->state = CHAIN_MORE;
	while (rc == 0 && chain->state == CHAIN_MORE && (rc = db_next(db, statement)) == 1) {
		walk(chain, statement);
		walked++;
		rc = 0;
	}
	if (rc < 0)
		return rc;
	sqlite3_reset(statement);
	return walked < SHARE && chain->state == CHAIN_MORE ? compare_end(db, call) : 0;
}

/* plugin_bundle.h - all that a dialog was begun with: code, parts, settings, tables of records; one content hash.
 *
 * A dialog keeps the bundle it began with over every later change, so a bundle is stored as long as a dialog needs
 * it.  It is plain data, never changed once made but for the indexes that bundle_index adds, and shared by the loop and the workers.
 */
#pragma once
#include <pthread.h>

#include "base.h"
#include "plugin_data.h"
#include "step.h"

struct bundle_file {
	const char *name; /* as `require` names it: "survey", "texts", "lib.dates" */
	struct bytes source;
};

/* A setting with its value, as the dialog sees it. */
struct bundle_setting {
	const char *name;
	enum setting_value_type {
		SETTING_IS_TEXT,
		SETTING_IS_INTEGER,
		SETTING_IS_NUMBER,
		SETTING_IS_BOOLEAN
	} type;
	struct bytes text; /* of a text */
	int64_t integer;   /* of an integer; 0 or 1 of a boolean */
	double number;
};

struct table_field {
	const char *name;
	enum table_field_type { FIELD_TEXT, FIELD_INTEGER, FIELD_NUMBER, FIELD_BOOLEAN } type;
	bool indexed;
};

/* One table of the plugin's records.  Beside its fields each record belongs to the dialog's citizen. */
struct record_table {
	const char *name;
	struct table_field *fields; /* by name, rising */
	unsigned field_count;
	const char **
		unique; /* fields, or "citizen": the record's key; none: each record has a key of its own */
	unsigned unique_count;
	bool append_only; /* its records are a chain, and never changed */
};

struct bundle {
	_Atomic(unsigned) references;
	unsigned char hash[BUNDLE_SIZE]; /* SHA-256 of content */
	struct bytes content;            /* as it is stored */
	int64_t stored_at; /* the loop's: seconds UTC of the last commit that held it; 0: none */
	/* All below lies in the content or the arena. */
	struct arena arena;
	const char *plugin;
	struct bundle_file *files; /* the first is the plugin's own */
	unsigned file_count;
	struct bundle_setting *settings; /* by name, rising */
	unsigned setting_count;
	struct record_table *tables; /* by name, rising */
	unsigned table_count;
	bool records;            /* the plugin may touch records */
	struct data_table *data; /* by name, rising */
	unsigned data_count;
	pthread_mutex_t lock; /* of the indexes, while they are made */
};

enum { BUNDLE_CONTENT_MAX = 16 << 20 }; /* bytes */

/* Writes the members that are content (from plugin to data) as bytes. */
void bundle_encode(struct buf *buf, const struct bundle *bundle);
/* From such bytes, which are copied; with one reference.  NULL: damaged, or of a later version. */
struct bundle *bundle_new(struct bytes content) MUST_CHECK;
/* Makes the indexes of the tables of data, once, whichever thread comes first; it takes 2 to 12 us a row.  folder: of their files, for
 * people.  false: a table is wrong, and error names file, line and what. */
bool bundle_index(struct bundle *bundle, const char *folder, char *error,
		  size_t error_size) MUST_CHECK;
struct bundle *bundle_ref(struct bundle *bundle);
void bundle_unref(struct bundle *bundle); /* NULL is fine */
const struct record_table *bundle_table(const struct bundle *bundle,
					const char *name); /* NULL: none */
const struct table_field *table_field(const struct record_table *table,
				      const char *name); /* NULL: none */

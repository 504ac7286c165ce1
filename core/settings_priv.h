/* settings_priv.h - what settings.c's files share: a file of settings as plain values, and secrets on disk. */
#pragma once
#include "base.h"

/* One value of the file, and where it stands. */
struct setting_value {
	const char *name; /* "" in a list */
	enum { VALUE_TEXT, VALUE_NUMBER, VALUE_BOOLEAN, VALUE_TABLE } type;
	struct bytes text; /* of all but tables, also numbers and booleans as text */
	double number;
	bool whole; /* the number is one, and fits 2^53 */
	bool boolean;
	bool list;                   /* the table has no names, or is empty */
	struct setting_value *items; /* by line, then by name; a list's in order */
	unsigned count;
	int line; /* from 1; 0: not found */
};

/* Runs the file with nothing but table syntax, env and secret.  root is a table in the arena.
 * Errors: -ENOENT, -EACCES, -EIO; -EINVAL: what it holds is not plain settings.  error_text names file and line. */
int settings_file_read(const char *path, struct arena *arena, struct setting_value *root,
		       char *error_text, size_t error_size) MUST_CHECK;

/* Finds where each field is set: "connections.k1.tps" is at line 12.  The whole file is scanned for names before a '=',
 * at the nesting of their braces; a field that is computed isn't found. */
struct field_line {
	const char *path; /* as above */
	int line;
};
struct field_lines {
	struct field_line *rows;
	unsigned count;
};
struct field_lines settings_scan(struct arena *arena, struct bytes source);
int settings_line_of(const struct field_lines *lines, const char *path); /* the last one; 0: none */

/* The secret of a connection in the state folder, 32 hexadecimal digits, made by chance on the first call: STATE/secrets/NAME,
 * for its owner alone.
 * Errors: a negative errno; error_text names the file. */
int settings_secret(const char *state, const char *name, struct arena *arena, const char **out,
		    char *error_text, size_t error_size) MUST_CHECK;

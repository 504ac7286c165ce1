/* check_model.c - what a citizen could answer, and what the store could hold.
 *
 * Of an endless number of answers the ends count: the smallest, the largest, a usual one.  The store holds what the dialog itself has
 * written on its way, and beside that nothing, a row, or as many as it asks for; what it was told once stays so.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "check_priv.h"
#include "record.h"

enum { SEED = 7 };

static const int64_t TIME = 1795489200; /* 2026-11-24T03:00:00Z */
static const char usual[] = "Jalan Merdeka 12";

static struct bytes from_buf(struct arena *arena, struct buf *buf)
{
	struct bytes out = arena_bytes(arena, buf->data ? buf->data : "", buf->len);

	buf_free(buf);
	return out;
}

static struct choice *choice_add(struct explore *explore, struct node *node, unsigned room)
{
	if (!node->choices)
		node->choices = arena_alloc(&explore->arena, room * sizeof(*node->choices));
	return &node->choices[node->choice_count++];
}

/* ---- beginnings ---- */

static void add_event(struct explore *explore, struct buf *buf, const char *keyword,
		      const char *rest, const char *text, bool start)
{
	struct journal_event event = { .time = TIME,
				       .seed = SEED,
				       .channel = explore->channel,
				       .citizen = *explore->citizen,
				       .start = start,
				       .keyword = { keyword, strlen(keyword) },
				       .rest = { rest, strlen(rest) },
				       .text = { text, strlen(text) } };

	journal_add_event(buf, &event);
}

/* "SURVEI in language jv with replace = false" */
static const char *start_label(struct explore *explore, const char *text)
{
	struct arena *arena = &explore->arena;

	if (strcmp(explore->citizen->language, "id") != 0)
		text = arena_printf(arena, "%s in language %s", text, explore->citizen->language);
	return explore->variant ? arena_printf(arena, "%s with %s", text, explore->variant) : text;
}

static void add_start(struct explore *explore, struct node *node, const char *keyword,
		      const char *rest, const char *text)
{
	enum { STARTS_MAX = 2 * 64 };
	struct choice *choice;
	struct buf buf = { 0 };

	if (node->choice_count == STARTS_MAX)
		return;
	choice = choice_add(explore, node, STARTS_MAX);
	choice->label = start_label(explore, text);
	add_event(explore, &buf, keyword, rest, text, true);
	choice->entry = from_buf(&explore->arena, &buf);
}

/* By each keyword alone and with words behind it; by each code. */
void model_starts(struct explore *explore, struct node *node)
{
	const struct plugin *plugin = explore->plugin;
	struct arena *arena = &explore->arena;

	for (unsigned i = 0; explore->channel == CHANNEL_SMS && i < plugin->keyword_count; i++) {
		const char *keyword = plugin->keywords[i].keyword;

		if (strcmp(plugin->keywords[i].dialog, explore->dialog) != 0)
			continue;
		add_start(explore, node, keyword, "", keyword);
		add_start(explore, node, keyword, usual,
			  arena_printf(arena, "%s %s", keyword, usual));
	}
	for (unsigned i = 0; explore->channel == CHANNEL_USSD && i < plugin->anchor_count; i++)
		if (strcmp(plugin->anchors[i].dialog, explore->dialog) == 0)
			add_start(explore, node, "", "",
				  arena_printf(arena, "*123*%s#", plugin->anchors[i].anchor));
}

/* ---- answers ---- */

enum { ANSWERS_ROOM = 100 };

/* Takes the packed result. */
static void add_answer(struct explore *explore, struct node *node, const char *label,
		       struct buf *result)
{
	const struct request *request = &node->request;
	struct choice *choice = choice_add(explore, node, ANSWERS_ROOM);
	struct journal_call call = {
		request->kind, request->hash, request->shape, { result->data, result->len }
	};
	struct buf buf = { 0 };

	choice->label = label;
	add_event(explore, &buf, "", "", "", false);
	journal_add_call(&buf, &call);
	buf_free(result);
	choice->entry = from_buf(&explore->arena, &buf);
}

static void answer_options(struct explore *explore, struct node *node)
{
	const struct request *request = &node->request;

	for (unsigned i = 0; i < request->option_count; i++) {
		struct buf result = { 0 };

		buf_add(&result, request->values[i].data, request->values[i].len);
		add_answer(explore, node,
			   arena_printf(&explore->arena, "%u %s", i + 1, request->options[i].data),
			   &result);
	}
}

static void answer_yes_no(struct explore *explore, struct node *node)
{
	for (unsigned i = 0; i < 2; i++) {
		struct buf result = { 0 };

		journal_result_boolean(&result, i == 0);
		add_answer(explore, node, i == 0 ? "yes" : "no", &result);
	}
}

static void answer_integer(struct explore *explore, struct node *node)
{
	int64_t min = node->request.min, max = node->request.max;
	int64_t tries[] = { min, max, min <= 7 && max >= 7 ? 7 : min + (max - min) / 2 };

	for (unsigned i = 0; i < ARRAY_LEN(tries); i++) {
		struct buf result = { 0 };

		if ((i > 0 && tries[i] == min) || (i > 1 && tries[i] == max))
			continue;
		journal_result_integer(&result, tries[i]);
		add_answer(explore, node, arena_printf(&explore->arena, "%" PRId64, tries[i]),
			   &result);
	}
}

/* A usual text repeated and cut to a length. */
static struct bytes text_of(struct arena *arena, size_t len)
{
	char *text = arena_alloc(arena, len + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = i % sizeof(usual) < sizeof(usual) - 1 ? usual[i % sizeof(usual)] : ' ';
	if (len > 0 && text[len - 1] == ' ')
		text[len - 1] = '.'; /* an answer has no blanks at its ends */
	return (struct bytes){ text, len };
}

static void answer_text(struct explore *explore, struct node *node)
{
	size_t min = (size_t)node->request.min, max = (size_t)node->request.max;
	size_t typical = sizeof(usual) - 1;
	size_t tries[] = { min, max, typical < min ? min : typical > max ? max : typical };

	for (unsigned i = 0; i < ARRAY_LEN(tries); i++) {
		struct buf result = { 0 };
		struct bytes text;

		if ((i > 0 && tries[i] == min) || (i > 1 && tries[i] == max))
			continue;
		text = text_of(&explore->arena, tries[i]);
		journal_result_text(&result, text);
		add_answer(explore, node,
			   tries[i] > 40 ? arena_printf(&explore->arena, "%zu characters", tries[i])
					 : arena_printf(&explore->arena, "\"%s\"", text.data),
			   &result);
	}
}

/* Smallest, largest, and where they leave room something in between. */
static void answer_bounds(struct explore *explore, struct node *node)
{
	const struct request *request = &node->request;
	int64_t tries[] = { request->min, request->max,
			    request->min + (request->max - request->min) / 2 };

	for (unsigned i = 0; i < ARRAY_LEN(tries); i++) {
		struct buf result = { 0 };
		const char *label;

		if ((i > 0 && tries[i] == tries[0]) || (i > 1 && tries[i] == tries[1]))
			continue;
		if (request->answer == ANSWER_DATE) {
			struct bytes date = answer_date(&explore->arena, tries[i]);

			label = date.data;
			journal_result_text(&result, date);
		} else {
			double value = (double)tries[i] / DECIMAL_PARTS;

			label = arena_printf(&explore->arena, "%g", value);
			journal_result_real(&result, value);
		}
		add_answer(explore, node, label, &result);
	}
}

static void answer_phone(struct explore *explore, struct node *node)
{
	static const char number[] = "+6281234567890";
	struct buf result = { 0 };

	journal_result_text(&result, (struct bytes){ number, sizeof(number) - 1 });
	add_answer(explore, node, number, &result);
}

/* Each option alone, and all of them. */
static void answer_several(struct explore *explore, struct node *node)
{
	const struct request *request = &node->request;
	struct buf all = { 0 };

	journal_result_list(&all, request->option_count);
	for (unsigned i = 0; i < request->option_count; i++) {
		struct buf one = { 0 };

		journal_result_list(&one, 1);
		journal_result_integer(&one, 1);
		buf_add(&one, request->values[i].data, request->values[i].len);
		journal_result_integer(&all, i + 1);
		buf_add(&all, request->values[i].data, request->values[i].len);
		add_answer(explore, node,
			   arena_printf(&explore->arena, "%u %s", i + 1, request->options[i].data),
			   &one);
	}
	if (request->option_count > 1)
		add_answer(explore, node, "all of them", &all);
	else
		buf_free(&all);
}

void model_answers(struct explore *explore, struct node *node)
{
	static void (*const models[])(struct explore *, struct node *) = {
		[ANSWER_TEXT] = answer_text,      [ANSWER_INTEGER] = answer_integer,
		[ANSWER_CHOICE] = answer_options, [ANSWER_YES_NO] = answer_yes_no,
		[ANSWER_DECIMAL] = answer_bounds, [ANSWER_DATE] = answer_bounds,
		[ANSWER_PHONE] = answer_phone,    [ANSWER_CHOICES] = answer_several,
	};
	const struct request *request = &node->request;

	models[request->answer](explore, node);
	if (request->optional) {
		struct buf result = { 0 };

		journal_result_nil(&result);
		add_answer(explore, node, "-", &result);
	}
}

/* ---- records ---- */

static const struct fact *known_record(const struct fact *facts, const char *table, const char *key)
{
	for (; facts; facts = facts->before)
		if (facts->key && strcmp(facts->table, table) == 0 && strcmp(facts->key, key) == 0)
			return facts;
	return NULL;
}

static const struct fact *known_query(const struct fact *facts, const char *table,
				      const char *where)
{
	for (; facts && (!facts->key || strcmp(facts->table, table) != 0); facts = facts->before)
		if (!facts->key && strcmp(facts->table, table) == 0 &&
		    strcmp(facts->where, where) == 0)
			return facts;
	return NULL; /* or something was written since */
}

static const struct fact *fact_new(struct explore *explore, const struct fact *before,
				   const struct fact *from)
{
	struct fact *fact = arena_alloc(&explore->arena, sizeof(*fact));

	*fact = *from;
	fact->before = before;
	return fact;
}

const struct fact *model_wrote(struct explore *explore, const struct fact *facts,
			       const struct record_write *write)
{
	struct arena *arena = &explore->arena;

	return fact_new(
		explore, facts,
		&(struct fact){ .table = arena_strdup(arena, write->table),
				.key = arena_strdup(arena, write->key),
				.json = arena_bytes(arena, write->json.data, write->json.len) });
}

static json_t *field_value(enum table_field_type type)
{
	switch (type) {
	case FIELD_TEXT:
		return json_string("Contoh");
	case FIELD_INTEGER:
		return json_integer(1);
	case FIELD_NUMBER:
		return json_real(1.5);
	default:
		return json_true();
	}
}

/* A value that fulfils a condition. */
static json_t *term_value(const struct record_term *term, enum table_field_type type)
{
	const struct record_value *value = &term->value;

	if (type == FIELD_BOOLEAN)
		return json_boolean(value->integer != 0);
	if (value->type == RECORD_INTEGER)
		return json_integer(value->integer);
	if (value->type == RECORD_REAL)
		return json_real(value->real);
	return json_stringn(value->text.data, value->text.len);
}

static void set_key(json_t *row, const struct record_table *table, const char *key)
{
	json_t *values = key ? json_loads(key, JSON_DECODE_ANY, NULL) : NULL;

	for (unsigned i = 0; i < table->unique_count; i++)
		if (json_is_array(values) && strcmp(table->unique[i], "citizen") != 0)
			json_object_set(row, table->unique[i], json_array_get(values, i));
	json_decref(values);
}

/* A row that could be there: with this key, and fulfilling the conditions of the query. */
static struct bytes plausible_row(struct explore *explore, const struct record_table *table,
				  const char *key, const struct record_query *query)
{
	json_t *row = json_object();
	struct bytes out;
	char *text;

	for (unsigned i = 0; i < table->field_count; i++)
		json_object_set_new(row, table->fields[i].name, field_value(table->fields[i].type));
	for (unsigned i = 0; query && i < query->term_count; i++) {
		const struct table_field *field = table_field(table, query->terms[i].field);

		if (field)
			json_object_set_new(row, field->name,
					    term_value(&query->terms[i], field->type));
	}
	set_key(row, table, key);
	text = json_dumps(row, JSON_COMPACT | JSON_SORT_KEYS);
	out = arena_bytes(&explore->arena, text, strlen(text));
	free(text);
	json_decref(row);
	return out;
}

static int compare(const json_t *value, const struct record_value *with)
{
	double number = json_is_boolean(value) ? json_is_true(value) : json_number_value(value);
	double other = with->type == RECORD_REAL ? with->real : (double)with->integer;

	if (with->type == RECORD_TEXT)
		return strcmp(json_string_value(value) ? json_string_value(value) : "",
			      with->text.data);
	return number < other ? -1 : number > other;
}

static bool fulfils(const json_t *row, const struct record_query *query)
{
	for (unsigned i = 0; i < query->term_count; i++) {
		const struct record_term *term = &query->terms[i];
		const json_t *value = json_object_get(row, term->field);
		int order = value ? compare(value, &term->value) : 0;

		if (!value || (term->op == RECORD_EQ && order != 0) ||
		    (term->op == RECORD_GE && order < 0) || (term->op == RECORD_LE && order > 0))
			return false;
	}
	return true;
}

/* The rows that the dialog itself has written and that a query finds, the newest first; at most `most`. */
static unsigned own_rows(const struct node *node, const char *table, struct bytes *rows,
			 unsigned most)
{
	unsigned count = 0;

	for (const struct fact *fact = node->facts; fact && count < most; fact = fact->before) {
		json_t *row;

		if (!fact->key || !fact->json.data || strcmp(fact->table, table) != 0 ||
		    known_record(node->facts, table, fact->key) != fact)
			continue;
		row = json_loadb(fact->json.data, fact->json.len, 0, NULL);
		if (row && fulfils(row, &node->query))
			rows[count++] = fact->json;
		json_decref(row);
	}
	return count;
}

/* All that is counted is of one value. */
static void add_group(struct explore *explore, const struct node *node, struct read_result *read)
{
	const struct record_table *table = bundle_table(explore->plugin->bundle, node->query.table);
	const struct table_field *field = table_field(table, node->query.by);
	struct record_group *group = arena_alloc(&explore->arena, sizeof(*group));

	group->count = read->count;
	group->value = (struct record_value){ .type = RECORD_TEXT, .text = { usual, 5 } };
	if (field && field->type == FIELD_INTEGER)
		group->value = (struct record_value){ .type = RECORD_INTEGER, .integer = 2 };
	read->groups = group;
	read->group_count = 1;
}

static void add_read(struct explore *explore, struct node *node, const char *label,
		     const struct bytes *rows, unsigned count, const struct fact *fact)
{
	enum { READS_ROOM = 3 };
	struct choice *choice = choice_add(explore, node, READS_ROOM);
	struct read_result *read = arena_alloc(&explore->arena, sizeof(*read));

	*read = (struct read_result){ .rows = rows, .row_count = count, .count = count };
	if (node->query.by && count > 0)
		add_group(explore, node, read);
	*choice = (struct choice){ .label = arena_printf(&explore->arena, "records.%s: %s",
							 node->query.table, label),
				   .read = read,
				   .fact = fact };
}

static void read_record(struct explore *explore, struct node *node,
			const struct record_table *table)
{
	const struct record_query *query = &node->query;
	const struct fact *known = known_record(node->facts, query->table, query->key);
	struct fact fact = { .table = query->table, .key = query->key };

	if (!known || !known->json.data)
		add_read(explore, node, "none", NULL, 0,
			 known ? NULL : fact_new(explore, node->facts, &fact));
	if (known && !known->json.data)
		return;
	fact.json = known ? known->json : plausible_row(explore, table, query->key, NULL);
	add_read(explore, node, "one", &fact_new(explore, NULL, &fact)->json, 1,
		 known ? NULL : fact_new(explore, node->facts, &fact));
}

/* What tells the conditions of two queries apart. */
static const char *where_of(struct explore *explore, const struct record_query *query)
{
	struct buf buf = { 0 };

	for (unsigned i = 0; i < query->term_count; i++)
		buf_addf(&buf, "%s %d %" PRId64 " %g %.*s;", query->terms[i].field,
			 (int)query->terms[i].op, query->terms[i].value.integer,
			 query->terms[i].value.real, (int)query->terms[i].value.text.len,
			 query->terms[i].value.text.data ? query->terms[i].value.text.data : "");
	return from_buf(&explore->arena, &buf).data;
}

static void read_rows(struct explore *explore, struct node *node, const struct record_table *table)
{
	const struct record_query *query = &node->query;
	unsigned most = query->count ? 100 : query->limit;
	struct bytes *rows = arena_alloc(&explore->arena, (most + 1) * sizeof(*rows));
	const char *where = where_of(explore, query);
	const struct fact *known = known_query(node->facts, query->table, where);
	unsigned own = own_rows(node, query->table, rows, most);
	unsigned counts[] = { own, own + 1, most };

	for (unsigned i = own; i < most; i++)
		rows[i] = plausible_row(explore, table, NULL, query);
	for (unsigned i = 0; i < ARRAY_LEN(counts); i++) {
		unsigned count = known ? known->count : counts[i];
		struct fact fact = { .table = query->table, .where = where, .count = count };

		count = count > most ? most : count;
		if ((i > 0 && known) || (i > 0 && count <= counts[i - 1]) ||
		    (i > 1 && query->count))
			continue;
		add_read(explore, node, arena_printf(&explore->arena, "%u", count), rows, count,
			 known ? NULL : fact_new(explore, node->facts, &fact));
	}
}

/* ---- writes that wait for what they come to ---- */

/* The entry of one outcome; the write is the step's. */
static void add_outcome(struct explore *explore, struct node *node, struct record_write *write,
			enum record_outcome outcome, const struct fact *fact)
{
	static const char *const names[] = { [RECORD_DONE] = "done",
					     [RECORD_EXISTS] = "exists",
					     [RECORD_MISSING] = "missing",
					     [RECORD_BOUND] = "bound" };
	struct waiting *waiting = node->waiting;
	struct buf buf = { 0 };

	write->outcome = outcome;
	write->add_entry(&buf, write);
	waiting->outcomes[waiting->count++] = (struct choice){
		.label = arena_printf(&explore->arena, "records.%s: %s", write->table,
				      names[outcome]),
		.entry = from_buf(&explore->arena, &buf),
		.fact = fact,
	};
}

static const struct fact *known_as(struct explore *explore, const struct node *node,
				   const struct record_write *write, struct bytes json)
{
	struct record_write copy = *write;

	copy.json = json;
	return model_wrote(explore, node->facts, &copy);
}

static void wait_insert(struct explore *explore, struct node *node,
			const struct record_table *table UNUSED, struct record_write *write,
			const struct fact *known)
{
	const struct fact *now = known_as(explore, node, write, write->json);

	if (!known || !known->json.data)
		add_outcome(explore, node, write, RECORD_DONE, now);
	if (!known || known->json.data)
		add_outcome(explore, node, write, RECORD_EXISTS, known ? NULL : now);
}

static void wait_update(struct explore *explore, struct node *node,
			const struct record_table *table, struct record_write *write,
			const struct fact *known)
{
	struct buf merged = { 0 };
	struct bytes row;
	struct fact none = { .table = write->table, .key = write->key };

	if (!known || known->json.data) {
		row = known ? known->json : plausible_row(explore, table, write->key, NULL);
		write->row = record_merge(row, write->json, &merged)
				     ? from_buf(&explore->arena, &merged)
				     : row;
		add_outcome(explore, node, write, RECORD_DONE,
			    known_as(explore, node, write, write->row));
	}
	if (!known || !known->json.data) {
		none.table = arena_strdup(&explore->arena, write->table);
		none.key = arena_strdup(&explore->arena, write->key);
		add_outcome(explore, node, write, RECORD_MISSING,
			    known ? NULL : fact_new(explore, node->facts, &none));
	}
}

/* Counted from what is known, or from 0. */
static void wait_increment(struct explore *explore, struct node *node,
			   const struct record_table *table UNUSED, struct record_write *write,
			   const struct fact *known)
{
	struct bytes row = known && known->json.data ? known->json : write->json;
	struct record_value number = { .type = RECORD_NULL };
	struct buf changes = { 0 }, merged = { 0 };

	if (known && known->json.data && !record_number(row, write->increment.field, &number))
		number.type = RECORD_NULL;
	if (record_sum(&number, write, &write->sum)) {
		record_add_number(&changes, write->increment.field, &write->sum);
		if (record_merge(row, (struct bytes){ changes.data, changes.len }, &merged))
			row = from_buf(&explore->arena, &merged);
		add_outcome(explore, node, write, RECORD_DONE, known_as(explore, node, write, row));
	}
	buf_free(&changes);
	if (write->increment.min.type != RECORD_NULL || write->increment.max.type != RECORD_NULL)
		add_outcome(explore, node, write, RECORD_BOUND, NULL);
}

void model_waits(struct explore *explore, struct node *node, const struct record_table *table,
		 struct record_write *write)
{
	static void (*const kinds[])(struct explore *, struct node *, const struct record_table *,
				     struct record_write *, const struct fact *) = {
		[RECORD_INSERT] = wait_insert,
		[RECORD_UPDATE] = wait_update,
		[RECORD_INCREMENT] = wait_increment,
	};

	node->waiting = arena_alloc(&explore->arena, sizeof(*node->waiting));
	kinds[write->kind](explore, node, table, write,
			   known_record(node->facts, write->table, write->key));
}

void model_reads(struct explore *explore, struct node *node)
{
	const struct record_table *table;

	if (node->waiting) {
		for (unsigned i = 0; i < node->waiting->count; i++)
			*choice_add(explore, node, OUTCOMES_MAX) = node->waiting->outcomes[i];
		return;
	}
	table = bundle_table(explore->plugin->bundle, node->query.table);
	if (node->query.key)
		read_record(explore, node, table);
	else
		read_rows(explore, node, table);
}

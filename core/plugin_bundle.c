/* plugin_bundle.c - a plugin's bundle as bytes, and back.
 *
 * What a worker needs to run a dialog is in here and nothing else, so that a dialog of last year's code runs without
 * last year's folder.  The bytes are canonical: the same code and settings give the same hash on every machine.
 */
#include "plugin_bundle.h"

#include <openssl/sha.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"

enum { FORM = 1, COUNT_MAX = 1000 };

static void encode_setting(struct buf *buf, const struct bundle_setting *setting)
{
	uint64_t bits;

	pack_text(buf, setting->name);
	pack_number(buf, setting->type);
	switch (setting->type) {
	case SETTING_IS_TEXT:
		pack_bytes(buf, setting->text);
		break;
	case SETTING_IS_NUMBER:
		memcpy(&bits, &setting->number, sizeof(bits));
		pack_word(buf, bits);
		break;
	default:
		pack_signed(buf, setting->integer);
		break;
	}
}

static void encode_table(struct buf *buf, const struct record_table *table)
{
	pack_text(buf, table->name);
	pack_number(buf, table->field_count);
	for (unsigned i = 0; i < table->field_count; i++) {
		pack_text(buf, table->fields[i].name);
		pack_number(buf, table->fields[i].type);
		pack_number(buf, table->fields[i].indexed);
	}
	pack_number(buf, table->unique_count);
	for (unsigned i = 0; i < table->unique_count; i++)
		pack_text(buf, table->unique[i]);
	pack_number(buf, table->append_only);
}

static void encode_data(struct buf *buf, const struct data_table *table)
{
	pack_text(buf, table->name);
	pack_text(buf, table->file);
	pack_text(buf, table->key);
	pack_number(buf, table->search_count);
	for (unsigned i = 0; i < table->search_count; i++)
		pack_text(buf, table->search[i]);
	pack_bytes(buf, table->content);
}

void bundle_encode(struct buf *buf, const struct bundle *bundle)
{
	pack_number(buf, FORM);
	pack_text(buf, bundle->plugin);
	pack_number(buf, bundle->records);
	pack_number(buf, bundle->file_count);
	for (unsigned i = 0; i < bundle->file_count; i++) {
		pack_text(buf, bundle->files[i].name);
		pack_bytes(buf, bundle->files[i].source);
	}
	pack_number(buf, bundle->setting_count);
	for (unsigned i = 0; i < bundle->setting_count; i++)
		encode_setting(buf, &bundle->settings[i]);
	pack_number(buf, bundle->table_count);
	for (unsigned i = 0; i < bundle->table_count; i++)
		encode_table(buf, &bundle->tables[i]);
	pack_number(buf, bundle->data_count);
	for (unsigned i = 0; i < bundle->data_count; i++)
		encode_data(buf, &bundle->data[i]);
}

static void decode_setting(struct unpack *unpack, struct bundle_setting *out)
{
	uint64_t bits;

	out->name = unpack_bytes(unpack).data;
	out->type = (enum setting_value_type)unpack_count(unpack, SETTING_IS_BOOLEAN);
	switch (out->type) {
	case SETTING_IS_TEXT:
		out->text = unpack_bytes(unpack);
		break;
	case SETTING_IS_NUMBER:
		bits = unpack_word(unpack);
		memcpy(&out->number, &bits, sizeof(bits));
		break;
	default:
		out->integer = unpack_signed(unpack);
		break;
	}
}

static void decode_table(struct unpack *unpack, struct arena *arena, struct record_table *out)
{
	out->name = unpack_bytes(unpack).data;
	out->field_count = unpack_count(unpack, COUNT_MAX);
	out->fields = arena_alloc(arena, (out->field_count + 1) * sizeof(*out->fields));
	for (unsigned i = 0; i < out->field_count; i++) {
		out->fields[i].name = unpack_bytes(unpack).data;
		out->fields[i].type = (enum table_field_type)unpack_count(unpack, FIELD_BOOLEAN);
		out->fields[i].indexed = unpack_count(unpack, 1);
	}
	out->unique_count = unpack_count(unpack, COUNT_MAX);
	out->unique = arena_alloc(arena, (out->unique_count + 1) * sizeof(*out->unique));
	for (unsigned i = 0; i < out->unique_count; i++)
		out->unique[i] = unpack_bytes(unpack).data;
	out->append_only = unpack_count(unpack, 1);
}

static void decode_data(struct unpack *unpack, struct arena *arena, struct data_table *out)
{
	out->name = unpack_bytes(unpack).data;
	out->file = unpack_bytes(unpack).data;
	out->key = unpack_bytes(unpack).data;
	out->search_count = unpack_count(unpack, DATA_SEARCH_MAX);
	out->search = arena_alloc(arena, (out->search_count + 1) * sizeof(*out->search));
	for (unsigned i = 0; i < out->search_count; i++)
		out->search[i] = unpack_bytes(unpack).data;
	out->content = unpack_bytes(unpack);
}

static bool decode(struct bundle *bundle)
{
	struct unpack unpack = unpack_from(bundle->content);

	if (unpack_number(&unpack) != FORM)
		return false;
	bundle->plugin = unpack_bytes(&unpack).data;
	bundle->records = unpack_count(&unpack, 1);
	bundle->file_count = unpack_count(&unpack, COUNT_MAX);
	bundle->files = arena_alloc(&bundle->arena,
				    (bundle->file_count + 1) * sizeof(*bundle->files));
	for (unsigned i = 0; i < bundle->file_count; i++) {
		bundle->files[i].name = unpack_bytes(&unpack).data;
		bundle->files[i].source = unpack_bytes(&unpack);
	}
	bundle->setting_count = unpack_count(&unpack, COUNT_MAX);
	bundle->settings = arena_alloc(&bundle->arena,
				       (bundle->setting_count + 1) * sizeof(*bundle->settings));
	for (unsigned i = 0; i < bundle->setting_count; i++)
		decode_setting(&unpack, &bundle->settings[i]);
	bundle->table_count = unpack_count(&unpack, COUNT_MAX);
	bundle->tables = arena_alloc(&bundle->arena,
				     (bundle->table_count + 1) * sizeof(*bundle->tables));
	for (unsigned i = 0; i < bundle->table_count; i++)
		decode_table(&unpack, &bundle->arena, &bundle->tables[i]);
	bundle->data_count = unpack_count(&unpack, COUNT_MAX);
	bundle->data = arena_alloc(&bundle->arena,
				   (bundle->data_count + 1) * sizeof(*bundle->data));
	for (unsigned i = 0; i < bundle->data_count; i++)
		decode_data(&unpack, &bundle->arena, &bundle->data[i]);
	return unpack_done(&unpack) && bundle->file_count > 0;
}

struct bundle *bundle_new(struct bytes content)
{
	struct bundle *bundle;

	if (content.len > BUNDLE_CONTENT_MAX)
		return NULL;
	bundle = xcalloc(1, sizeof(*bundle));
	atomic_init(&bundle->references, 1);
	pthread_mutex_init(&bundle->lock, NULL);
	bundle->content = arena_bytes(&bundle->arena, content.data, content.len);
	SHA256((const unsigned char *)content.data, content.len, bundle->hash);
	if (decode(bundle))
		return bundle;
	bundle_unref(bundle);
	return NULL;
}

bool bundle_index(struct bundle *bundle, const char *folder, char *error, size_t error_size)
{
	bool fine = true;

	pthread_mutex_lock(&bundle->lock);
	for (unsigned i = 0; fine && i < bundle->data_count; i++) {
		struct data_table *table = &bundle->data[i];

		if (!table->index)
			table->index = data_index_new(table, folder, error, error_size);
		fine = table->index != NULL;
	}
	pthread_mutex_unlock(&bundle->lock);
	return fine;
}

struct bundle *bundle_ref(struct bundle *bundle)
{
	atomic_fetch_add(&bundle->references, 1);
	return bundle;
}

void bundle_unref(struct bundle *bundle)
{
	if (!bundle || atomic_fetch_sub(&bundle->references, 1) > 1)
		return;
	for (unsigned i = 0; i < bundle->data_count; i++)
		data_index_free(bundle->data[i].index);
	pthread_mutex_destroy(&bundle->lock);
	arena_free(&bundle->arena);
	free(bundle);
}

const struct record_table *bundle_table(const struct bundle *bundle, const char *name)
{
	for (unsigned i = 0; i < bundle->table_count; i++)
		if (strcmp(bundle->tables[i].name, name) == 0)
			return &bundle->tables[i];
	return NULL;
}

const struct table_field *table_field(const struct record_table *table, const char *name)
{
	for (unsigned i = 0; i < table->field_count; i++)
		if (strcmp(table->fields[i].name, name) == 0)
			return &table->fields[i];
	return NULL;
}

/* store_sqlite_pack.c - values as bytes, for what no query asks for.
 *
 * A column of its own costs a bind and a byte in every row; what is only read whole with its row lies together in one.
 * Each value begins with the version of its form, so that a later one can read what this one wrote.  Numbers
 * are zigzag and seven bits a byte, texts have their length before them.
 */
#include <string.h>

#include "store_sqlite_priv.h"

enum { FORM = 1 };

struct reader {
	const unsigned char *at, *end;
	struct arena *arena;
	bool bad;
};

struct bytes buf_bytes(const struct buf *buf)
{
	return (struct bytes){ buf->data ? buf->data : "", buf->len };
}

static void put_int(struct buf *buf, int64_t value)
{
	uint64_t left = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
	unsigned char out[10];
	size_t len = 0;

	for (; left > 0x7f; left >>= 7)
		out[len++] = (unsigned char)(left | 0x80);
	out[len++] = (unsigned char)left;
	buf_add(buf, out, len);
}

static void put_bytes(struct buf *buf, struct bytes bytes)
{
	put_int(buf, (int64_t)bytes.len);
	if (bytes.len > 0)
		buf_add(buf, bytes.data, bytes.len);
}

static void put_text(struct buf *buf, const char *text)
{
	put_bytes(buf, (struct bytes){ text, text ? strlen(text) : 0 });
}

static int64_t take_int(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned shift = 0; reader->at < reader->end && shift < 64; shift += 7) {
		unsigned char byte = *reader->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return (int64_t)(value >> 1 ^ (value & 1 ? UINT64_MAX : 0));
	}
	reader->bad = true;
	return 0;
}

static struct bytes take_bytes(struct reader *reader)
{
	int64_t len = take_int(reader);
	struct bytes out;

	if (reader->bad || len < 0 || len > reader->end - reader->at) {
		reader->bad = true;
		return (struct bytes){ "", 0 };
	}
	out = arena_bytes(reader->arena, reader->at, (size_t)len);
	reader->at += len;
	return out;
}

static const char *take_text(struct reader *reader)
{
	return take_bytes(reader).data;
}

static struct reader reader_of(struct arena *arena, struct bytes from)
{
	struct reader reader = { .at = (const unsigned char *)from.data,
				 .end = (const unsigned char *)from.data + from.len,
				 .arena = arena };

	if (take_int(&reader) != FORM)
		reader.bad = true;
	return reader;
}

void pack_profile(struct buf *buf, const struct profile *profile)
{
	put_int(buf, FORM);
	put_int(buf, profile->stopped);
	put_int(buf, profile->stopped_at);
	put_text(buf, profile->language);
	put_text(buf, profile->name);
	put_text(buf, profile->area);
	put_text(buf, profile->fields);
}

bool unpack_profile(struct arena *arena, struct bytes from, struct profile *out)
{
	struct reader reader = reader_of(arena, from);

	out->stopped = take_int(&reader);
	out->stopped_at = take_int(&reader);
	out->language = take_text(&reader);
	out->name = take_text(&reader);
	out->area = take_text(&reader);
	out->fields = take_text(&reader);
	return !reader.bad;
}

void pack_session(struct buf *buf, const struct ussd_session *session)
{
	put_int(buf, FORM);
	put_text(buf, session->connection);
	put_text(buf, session->session);
	put_text(buf, session->service_code);
	put_bytes(buf, session->raw);
	put_int(buf, session->touched);
	put_int(buf, session->open);
	put_int(buf, session->view);
	put_int(buf, session->page);
	put_int(buf, session->view);
	put_int(buf, session->page);
}

bool unpack_session(struct arena *arena, struct bytes from, struct ussd_session *out)
{
	struct reader reader = reader_of(arena, from);

	out->connection = take_text(&reader);
	out->session = take_text(&reader);
	out->service_code = take_text(&reader);
	out->raw = take_bytes(&reader);
	out->touched = take_int(&reader);
	out->open = take_int(&reader);
	out->view = (enum ussd_view)take_int(&reader);
	out->page = (unsigned)take_int(&reader);
	out->view = (enum ussd_view)take_int(&reader);
	out->page = (unsigned)take_int(&reader);
	return !reader.bad;
}

void pack_dialog(struct buf *buf, const struct dialog_row *row)
{
	put_int(buf, FORM);
	put_text(buf, row->dialog);
	put_bytes(buf, (struct bytes){ (const char *)row->bundle, BUNDLE_SIZE });
	put_int(buf, row->state);
	put_int(buf, row->reason);
	put_text(buf, row->error);
	put_text(buf, row->connection);
	put_text(buf, row->number);
	put_text(buf, row->meta);
	put_int(buf, row->asked_for);
	put_bytes(buf, row->pending);
	put_int(buf, row->steps);
	put_int(buf, row->started);
	put_int(buf, row->touched);
	put_int(buf, row->expires);
}

bool unpack_dialog(struct arena *arena, struct bytes from, struct dialog_row *out)
{
	struct reader reader = reader_of(arena, from);
	struct bytes bundle;

	out->dialog = take_text(&reader);
	bundle = take_bytes(&reader);
	if (bundle.len == BUNDLE_SIZE)
		memcpy(out->bundle, bundle.data, BUNDLE_SIZE);
	else
		reader.bad = true;
	out->state = (enum dialog_state)take_int(&reader);
	out->reason = (enum dialog_reason)take_int(&reader);
	out->error = take_text(&reader);
	out->connection = take_text(&reader);
	out->number = take_text(&reader);
	out->meta = take_text(&reader);
	out->asked_for = take_int(&reader);
	out->pending = take_bytes(&reader);
	out->steps = (unsigned)take_int(&reader);
	out->started = take_int(&reader);
	out->touched = take_int(&reader);
	out->expires = take_int(&reader);
	return !reader.bad;
}

void pack_inbound(struct buf *buf, const struct inbound *msg)
{
	put_int(buf, FORM);
	put_int(buf, msg->channel);
	put_int(buf, msg->sender);
	put_text(buf, msg->connection);
	put_text(buf, msg->provider_id);
	put_text(buf, msg->from);
	put_text(buf, msg->to);
	put_bytes(buf, msg->text);
	put_int(buf, msg->time);
	put_int(buf, msg->time_is_telcos);
	put_text(buf, msg->network);
	put_text(buf, msg->meta);
	put_int(buf, msg->part_ref);
	put_int(buf, msg->part_total);
	put_int(buf, msg->part_number);
	put_int(buf, msg->part_coding);
	put_int(buf, msg->joined);
	put_text(buf, msg->session);
	put_int(buf, msg->ussd);
	put_int(buf, msg->cumulative);
}

bool unpack_inbound(struct arena *arena, struct bytes from, struct inbound *out)
{
	struct reader reader = reader_of(arena, from);

	out->channel = (enum channel)take_int(&reader);
	out->sender = (enum sender_kind)take_int(&reader);
	out->connection = take_text(&reader);
	out->provider_id = take_text(&reader);
	out->from = take_text(&reader);
	out->to = take_text(&reader);
	out->text = take_bytes(&reader);
	out->time = take_int(&reader);
	out->time_is_telcos = take_int(&reader);
	out->network = take_text(&reader);
	out->meta = take_text(&reader);
	out->part_ref = (unsigned)take_int(&reader);
	out->part_total = (unsigned)take_int(&reader);
	out->part_number = (unsigned)take_int(&reader);
	out->part_coding = (enum part_coding)take_int(&reader);
	out->joined = take_int(&reader);
	out->session = take_text(&reader);
	out->ussd = (enum ussd_event)take_int(&reader);
	out->cumulative = take_int(&reader);
	return !reader.bad;
}

void pack_outbound(struct buf *buf, const struct outbound *msg)
{
	put_int(buf, FORM);
	put_int(buf, (int64_t)msg->reply_to.shard);
	put_int(buf, msg->reply_to.serial);
	put_text(buf, msg->from);
	put_text(buf, msg->meta);
	put_bytes(buf, msg->text);
	put_int(buf, msg->class);
	put_int(buf, msg->expires);
}

bool unpack_outbound(struct arena *arena, struct bytes from, struct outbound *out)
{
	struct reader reader = reader_of(arena, from);

	out->reply_to.shard = (uint64_t)take_int(&reader);
	out->reply_to.serial = take_int(&reader);
	out->from = take_text(&reader);
	out->meta = take_text(&reader);
	out->text = take_bytes(&reader);
	out->class = (enum message_class)take_int(&reader);
	out->expires = take_int(&reader);
	return !reader.bad;
}

static void put_value(struct buf *buf, const struct record_value *value)
{
	int64_t bits;

	put_int(buf, value->type);
	switch (value->type) {
	case RECORD_NULL:
		break;
	case RECORD_INTEGER:
		put_int(buf, value->integer);
		break;
	case RECORD_REAL:
		memcpy(&bits, &value->real, sizeof(bits));
		put_int(buf, bits);
		break;
	case RECORD_TEXT:
		put_bytes(buf, value->text);
		break;
	}
}

static void take_value(struct reader *reader, struct record_value *out)
{
	int64_t type = take_int(reader), bits;

	switch (type) {
	case RECORD_NULL:
		break;
	case RECORD_INTEGER:
		out->integer = take_int(reader);
		break;
	case RECORD_REAL:
		bits = take_int(reader);
		memcpy(&out->real, &bits, sizeof(bits));
		break;
	case RECORD_TEXT:
		out->text = take_bytes(reader);
		break;
	default:
		reader->bad = true;
		return;
	}
	out->type = (int)type;
}

void pack_fields(struct buf *buf, const struct record_field *fields, unsigned count)
{
	put_int(buf, FORM);
	for (unsigned i = 0; i < count; i++) {
		put_text(buf, fields[i].name);
		put_value(buf, &fields[i].value);
	}
}

bool unpack_fields(struct arena *arena, struct bytes from, struct record_field **out,
		   unsigned *count)
{
	struct reader reader = reader_of(arena, from);
	struct record_field *field;

	*out = NULL;
	*count = 0;
	while (!reader.bad && reader.at < reader.end) {
		*out = rows_grow(arena, *out, *count, sizeof(**out));
		field = &(*out)[(*count)++];
		field->name = take_text(&reader);
		take_value(&reader, &field->value);
	}
	return !reader.bad;
}

int64_t bundle_mark(const unsigned char hash[static BUNDLE_SIZE])
{
	uint64_t mark = 0;

	for (int i = 0; i < 8; i++)
		mark = mark << 8 | hash[i];
	return (int64_t)mark;
}

struct bytes seen_key(struct arena *arena, const char *connection, const char *provider_id)
{
	size_t head = strlen(connection) + 1, tail = strlen(provider_id);
	char *key = arena_alloc(arena, head + tail + 1);

	memcpy(key, connection, head);
	memcpy(key + head, provider_id, tail + 1);
	return (struct bytes){ key, head + tail };
}

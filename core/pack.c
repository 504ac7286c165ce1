/* pack.c - values as bytes that are stored. */
#include "pack.h"

#include <string.h>

void pack_number(struct buf *buf, uint64_t n)
{
	unsigned char out[10];
	size_t len = 0;

	for (; n > 0x7F; n >>= 7)
		out[len++] = (unsigned char)(n | 0x80);
	out[len++] = (unsigned char)n;
	buf_add(buf, out, len);
}

void pack_signed(struct buf *buf, int64_t n)
{
	pack_number(buf, (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0));
}

void pack_word(struct buf *buf, uint64_t n)
{
	unsigned char out[8];

	for (unsigned i = 0; i < sizeof(out); i++)
		out[i] = (unsigned char)(n >> (8 * i));
	buf_add(buf, out, sizeof(out));
}

void pack_bytes(struct buf *buf, struct bytes bytes)
{
	pack_number(buf, bytes.len);
	buf_add(buf, bytes.data, bytes.len);
	buf_add(buf, "", 1);
}

void pack_text(struct buf *buf, const char *text)
{
	pack_bytes(buf, (struct bytes){ text, text ? strlen(text) : 0 });
}

struct unpack unpack_from(struct bytes data)
{
	const unsigned char *at = (const unsigned char *)data.data;

	return (struct unpack){ .at = at, .end = at + data.len };
}

bool unpack_done(const struct unpack *unpack)
{
	return !unpack->broken && unpack->at == unpack->end;
}

uint64_t unpack_number(struct unpack *unpack)
{
	uint64_t n = 0;

	for (unsigned shift = 0; !unpack->broken && shift < 64 && unpack->at < unpack->end;
	     shift += 7) {
		unsigned char byte = *unpack->at++;

		if (shift == 63 && byte > 1)
			break; /* more than 64 bits */
		n |= (uint64_t)(byte & 0x7F) << shift;
		if (!(byte & 0x80))
			return n;
	}
	unpack->broken = true;
	return 0;
}

unsigned unpack_count(struct unpack *unpack, unsigned most)
{
	uint64_t n = unpack_number(unpack);

	if (n > most) {
		unpack->broken = true;
		return 0;
	}
	return (unsigned)n;
}

int64_t unpack_signed(struct unpack *unpack)
{
	uint64_t n = unpack_number(unpack);

	return (int64_t)(n >> 1 ^ (n & 1 ? UINT64_MAX : 0));
}

uint64_t unpack_word(struct unpack *unpack)
{
	uint64_t n = 0;

	if (unpack->broken || unpack->end - unpack->at < 8) {
		unpack->broken = true;
		return 0;
	}
	for (unsigned i = 0; i < 8; i++)
		n |= (uint64_t)*unpack->at++ << (8 * i);
	return n;
}

struct bytes unpack_bytes(struct unpack *unpack)
{
	uint64_t len = unpack_number(unpack);
	struct bytes out = { "", 0 };

	if (unpack->broken || len >= (uint64_t)(unpack->end - unpack->at) ||
	    unpack->at[len] != '\0') {
		unpack->broken = true;
		return out;
	}
	out = (struct bytes){ (const char *)unpack->at, (size_t)len };
	unpack->at += len + 1;
	return out;
}

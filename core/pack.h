/* pack.h - values as bytes that are stored: journals, requests, bundles.
 *
 * Numbers are seven bits a byte, low ones first; signed ones zigzag; a text has its length before it and a NUL behind
 * it, so that reading copies nothing.
 */
#pragma once
#include "base.h"

void pack_number(struct buf *buf, uint64_t n);
void pack_signed(struct buf *buf, int64_t n);
void pack_word(struct buf *buf, uint64_t n); /* eight bytes: hashes and seeds */
void pack_bytes(struct buf *buf, struct bytes bytes);
void pack_text(struct buf *buf, const char *text); /* NULL is "" */

/* Reads until something is wrong, and gives zeros and "" from then on. */
struct unpack {
	const unsigned char *at, *end;
	bool broken;
};
struct unpack unpack_from(struct bytes data);
bool unpack_done(const struct unpack *unpack); /* nothing is left, and nothing was wrong */
uint64_t unpack_number(struct unpack *unpack);
unsigned unpack_count(struct unpack *unpack, unsigned most); /* more is wrong */
int64_t unpack_signed(struct unpack *unpack);
uint64_t unpack_word(struct unpack *unpack);
struct bytes unpack_bytes(struct unpack *unpack); /* lent from the data, with a NUL behind it */

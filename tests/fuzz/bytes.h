/* SPDX-License-Identifier: BSD-3-Clause */
/* An input, read from its front. Behind its end are zeros, and zeros should mean what is usual. */
#ifndef FUZZ_BYTES_H
#define FUZZ_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t bytes_8(struct bytes *b)
{
	if (b->left == 0)
		return 0;
	b->left--;
	return *b->at++;
}

static inline uint16_t bytes_16(struct bytes *b)
{
	const unsigned high = bytes_8(b);

	return (uint16_t)(high << 8 | bytes_8(b));
}

/* The next len octets, or fewer. @return how many */
static inline size_t bytes_take(struct bytes *b, size_t len, const uint8_t **octets)
{
	const size_t n = len < b->left ? len : b->left;

	*octets = b->at;
	b->at += n;
	b->left -= n;
	return n;
}

#endif

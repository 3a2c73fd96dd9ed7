/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Internet checksum (RFC 1071; RFC 9293 3.1, RFC 8200 8.1). parse.c and build.c use it on
 * headers, io/ on text it has copied or attached.
 *
 * A partial sum is a uint32_t in the machine's own octet order, as RFC 1071 2 (B) allows; sums are
 * added with csum_add, and csum_fold makes the 16 bits that are compared or, inverted, stored.
 */
#ifndef HF_CSUM_H
#define HF_CSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/octets.h"

static inline uint64_t csum_add64(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b); /* the carry comes in again at the low end */
}

static inline uint32_t csum_add(uint32_t a, uint32_t b)
{
	a += b;
	return a + (a < b);
}

static inline uint32_t csum_narrow(uint64_t sum)
{
	return csum_add((uint32_t)sum, (uint32_t)(sum >> 32));
}

/* Up to seven octets. */
static inline uint64_t csum_tail(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	if (len & 4) {
		sum += load32(p);
		p += 4;
	}
	if (len & 2) {
		sum += load16(p);
		p += 2;
	}
	return len & 1 ? sum + be16((uint16_t)(*p << 8)) : sum;
}

/* Of the word that ends at end, the last octets, one to eight, as if zeros followed them. */
static inline uint64_t csum_last(const uint8_t *end, size_t octets)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return load64(end - 8) >> (64 - 8 * octets);
#else
	return load64(end - 8) << (64 - 8 * octets);
#endif
}

/* Sum of len octets at any address, not narrowed yet. An odd last octet is padded with a zero on its right. */
static inline uint64_t csum_wide(const void *octets, size_t len)
{
	const uint8_t *p = octets;
	uint64_t a = 0, b = 0;

	for (; len >= 32; p += 32, len -= 32) { /* two chains, so that carries overlap */
		a = csum_add64(csum_add64(a, load64(p)), load64(p + 8));
		b = csum_add64(csum_add64(b, load64(p + 16)), load64(p + 24));
	}
	for (; len >= 8; p += 8, len -= 8)
		a = csum_add64(a, load64(p));
	return csum_add64(a, csum_add64(b, csum_tail(p, len)));
}

static inline uint32_t csum_partial(const void *octets, size_t len)
{
	return csum_narrow(csum_wide(octets, len));
}

/* The sum of a piece that begins at an odd place of the whole: all its words are turned round. */
static inline uint32_t csum_odd(uint32_t sum)
{
	return sum << 8 | sum >> 24;
}

/* 0xffff when the octets summed hold their own right checksum. */
static inline uint16_t csum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}

/* The checksum to store, of a wide sum of octets whose own checksum field is zero. */
static inline uint16_t csum_make(uint64_t sum)
{
	return (uint16_t)~csum_fold(csum_narrow(sum));
}

/* Whether octets that are not all zero hold their own right checksum, by a wide sum of them: what csum_fold
 * gives is the sum modulo 65535, and 0xffff stands for 0. */
static inline bool csum_right(uint64_t sum)
{
	return sum % 0xffff == 0;
}

/* Pseudo-headers. Addresses are words in wire order; len counts TCP header and text. */
static inline uint32_t csum_pseudo4(uint32_t src, uint32_t dst, uint8_t protocol, uint16_t len)
{
	const uint64_t rest = (uint32_t)be16(protocol) + be16(len);

	return csum_narrow((uint64_t)src + dst + rest);
}

static inline uint32_t csum_pseudo6(const uint32_t src[4], const uint32_t dst[4], uint8_t protocol,
				    uint16_t len)
{
	uint64_t sum = (uint64_t)be16(protocol) + be16(len);

	for (unsigned i = 0; i < 4; i++)
		sum += (uint64_t)src[i] + dst[i];
	return csum_narrow(sum);
}

#endif

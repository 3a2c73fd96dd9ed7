/* SPDX-License-Identifier: BSD-3-Clause */
/* Words at any address, in the machine's order (load, store) or the network's (get, put). */
#ifndef HF_OCTETS_H
#define HF_OCTETS_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static inline uint16_t be16(uint16_t v)
{
	return __builtin_bswap16(v);
}

static inline uint32_t be32(uint32_t v)
{
	return __builtin_bswap32(v);
}

static inline uint64_t be64(uint64_t v)
{
	return __builtin_bswap64(v);
}
#else
static inline uint16_t be16(uint16_t v)
{
	return v;
}

static inline uint32_t be32(uint32_t v)
{
	return v;
}

static inline uint64_t be64(uint64_t v)
{
	return v;
}
#endif

static inline uint16_t load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void store16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void store32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline uint16_t get16(const uint8_t *p)
{
	return be16(load16(p));
}

static inline uint32_t get32(const uint8_t *p)
{
	return be32(load32(p));
}

static inline void put16(uint8_t *p, uint16_t v)
{
	store16(p, be16(v));
}

/* Returns the word as stored, for the checksum. */
static inline uint32_t put32(uint8_t *p, uint32_t v)
{
	v = be32(v);
	store32(p, v);
	return v;
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* SipHash (Aumasson, Bernstein 2012) over a few 64-bit words, made for inputs whose length is known
 * when compiled. SipHash-1-3 spreads tuples over tables, SipHash-2-4 makes what a peer gets to see:
 * ISS, cookies, ports, timestamp offsets (RFC 6528, RFC 6056). */
#ifndef HF_SIPHASH_H
#define HF_SIPHASH_H

#include <stdint.h>

#define SIPHASH_INLINE static inline __attribute__((always_inline))

struct siphash {
	uint64_t v0, v1, v2, v3;
};

/* What the last word of an input of this many octets holds in its top octet. */
#define SIPHASH_LENGTH(octets) ((uint64_t)(octets) << 56)

SIPHASH_INLINE uint64_t siphash_rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

SIPHASH_INLINE void siphash_rounds(struct siphash *s, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
		s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
		s->v0 = siphash_rotate(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
		s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
		s->v2 = siphash_rotate(s->v2, 32);
	}
}

SIPHASH_INLINE void siphash_start(struct siphash *s, const uint64_t key[2])
{
	s->v0 = key[0] ^ 0x736f6d6570736575u;
	s->v1 = key[1] ^ 0x646f72616e646f6du;
	s->v2 = key[0] ^ 0x6c7967656e657261u;
	s->v3 = key[1] ^ 0x7465646279746573u;
}

SIPHASH_INLINE void siphash_word(struct siphash *s, uint64_t word, int rounds)
{
	s->v3 ^= word;
	siphash_rounds(s, rounds);
	s->v0 ^= word;
}

SIPHASH_INLINE uint64_t siphash_end(struct siphash *s, int rounds)
{
	s->v2 ^= 0xff;
	siphash_rounds(s, rounds);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* The words of an input: its octets as the machine (little-endian) reads them, and in the last one,
 * which is never full, SIPHASH_LENGTH of the whole. */
SIPHASH_INLINE uint64_t siphash13(const uint64_t key[2], const uint64_t *words, int count)
{
	struct siphash s;

	siphash_start(&s, key);
	for (int i = 0; i < count; i++)
		siphash_word(&s, words[i], 1);
	return siphash_end(&s, 3);
}

SIPHASH_INLINE uint64_t siphash24(const uint64_t key[2], const uint64_t *words, int count)
{
	struct siphash s;

	siphash_start(&s, key);
	for (int i = 0; i < count; i++)
		siphash_word(&s, words[i], 2);
	return siphash_end(&s, 4);
}

#endif

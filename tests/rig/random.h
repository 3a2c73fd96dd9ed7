/* SPDX-License-Identifier: BSD-3-Clause */
/* SplitMix64: seeded numbers for tests, the same everywhere; its mixer also serves as a hash. */
#ifndef HF_RIG_RANDOM_H
#define HF_RIG_RANDOM_H

#include <stdint.h>

static inline uint64_t random_mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static inline uint64_t random_next(uint64_t *state)
{
	return random_mix(*state += 0x9e3779b97f4a7c15u);
}

/* Uniform in [0, bound), bound > 0. */
static inline uint32_t random_below(uint64_t *state, uint32_t bound)
{
	return (uint32_t)((random_next(state) >> 32) * bound >> 32);
}

#endif

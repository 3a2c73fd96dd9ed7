/* SPDX-License-Identifier: BSD-3-Clause */
/* Sizes of tables and rings that are indexed by a mask. */
#ifndef HF_POW2_H
#define HF_POW2_H

#include <stdint.h>

/* The least power of two from n on, and from least on, which is one itself; 2^32 is one that a configuration may ask
 * for before it is refused. */
static inline uint64_t pow2_from(uint32_t least, uint32_t n)
{
	uint64_t power = least;

	while (power < n)
		power *= 2;
	return power;
}

#endif

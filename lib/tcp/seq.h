/* SPDX-License-Identifier: BSD-3-Clause */
/* Sequence numbers live on a 2^32 circle (RFC 9293 3.4): comparisons hold while less than 2^31 apart. */
#ifndef HF_SEQ_H
#define HF_SEQ_H

#include <stdbool.h>
#include <stdint.h>

static inline bool seq_lt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool seq_le(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}

static inline bool seq_gt(uint32_t a, uint32_t b)
{
	return seq_lt(b, a);
}

static inline bool seq_ge(uint32_t a, uint32_t b)
{
	return seq_le(b, a);
}

/* first <= x < first + size, also across the wrap */
static inline bool seq_in(uint32_t x, uint32_t first, uint32_t size)
{
	return x - first < size;
}

static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
	return seq_gt(a, b) ? a : b;
}

#endif

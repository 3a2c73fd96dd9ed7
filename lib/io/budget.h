/* SPDX-License-Identifier: BSD-3-Clause */
/* A budget of answers to strangers (HF-RL4, HF-RL5): so many a second, dealt out in slices of 100 ms
 * whose size varies at random, so that nobody can count on where it ends (SEC-23). */
#ifndef HF_BUDGET_H
#define HF_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "table/siphash.h"

#define BUDGET_SLICE_MS 100

struct budget {
	uint32_t rate; /* a second */
	uint32_t left; /* in this slice */
	uint32_t slice;
	uint64_t key[2];
};

/* Budgets of one secret differ by number. */
static inline void budget_init(struct budget *b, uint32_t rate, const uint64_t key[2], uint64_t number)
{
	*b = (struct budget){ .rate = rate, .slice = UINT32_MAX };
	for (uint64_t i = 0; i < 2; i++)
		b->key[i] = siphash24(key, (const uint64_t[]){ 2 * number + i }, 1);
}

/* Whether one more may go now. */
static inline bool budget_take(struct budget *b, uint32_t now_ms)
{
	const uint32_t slice = now_ms / BUDGET_SLICE_MS;

	if (slice != b->slice) {
		const uint64_t word[1] = { slice }, random = siphash24(b->key, word, 1);
		const uint64_t mean = (uint64_t)b->rate * BUDGET_SLICE_MS; /* thousandths of one */
		const uint64_t half = mean / 1000 / 2;

		/* between a half and one and a half of the mean; what is less than one, now and then */
		b->slice = slice;
		b->left = (uint32_t)(mean / 1000 - half + random % (2 * half + 1) +
				     ((random >> 32) % 1000 < mean % 1000));
	}
	if (b->left == 0)
		return false;
	b->left--;
	return true;
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What a budget of answers tells whoever counts them (HF-RL4, HF-RL5, SEC-23): which answer of a slice is the first to
 * be withheld is guessed no better than by chance, whatever was seen before and of the other budgets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/budget.h"

#define RATE 1000 /* a second: 100 the mean of a slice, 50 to 150 in each */
#define SLICES 100000u
#define VALUES 101
#define CHANCE (SLICES / VALUES) /* 990; sigma is 31 */
#define FIVE_SIGMA (5 * 32)

/* So many go in the slice that begins now. */
static unsigned dealt(struct budget *b, uint32_t slice)
{
	unsigned n = 0;

	for (uint32_t ms = 0; ms < BUDGET_SLICE_MS; ms += 25)
		while (budget_take(b, slice * BUDGET_SLICE_MS + ms))
			n++;
	return n;
}

/* What somebody may say who has seen the slices before this one: the last again, one of those before, the step again,
 * the mean. */
static unsigned guess(unsigned how, const uint16_t *seen)
{
	switch (how) {
	case 0:
		return RATE * BUDGET_SLICE_MS / 1000;
	case 1:
		return 2u * seen[-1] - seen[-2];
	case 2:
		return 2u * (RATE * BUDGET_SLICE_MS / 1000) - seen[-1];
	default:
		return seen[2 - (int)how];
	}
}

static void slices__foretold__by_chance_alone(void **state)
{
	static uint16_t seen[SLICES];
	struct budget budget;
	uint64_t sum = 0;

	(void)state;
	budget_init(&budget, RATE, (const uint64_t[]){ 1, 2 }, 0);
	for (uint32_t i = 0; i < SLICES; i++)
		sum += seen[i] = (uint16_t)dealt(&budget, i);
	assert_in_range(sum / SLICES, 99, 101);
	for (unsigned how = 0; how < 16; how++) {
		unsigned hits = 0;

		for (uint32_t i = 16; i < SLICES; i++)
			hits += seen[i] == guess(how, &seen[i]);
		assert_true(hits < CHANCE + FIVE_SIGMA);
	}
}

/* No value comes more often than others: what is guessed at random hits no better. */
static void slices__each_size__as_often(void **state)
{
	unsigned often[VALUES] = { 0 };
	struct budget budget;

	(void)state;
	budget_init(&budget, RATE, (const uint64_t[]){ 3, 4 }, 0);
	for (uint32_t i = 0; i < SLICES; i++) {
		const unsigned n = dealt(&budget, i);

		assert_in_range(n, 50, 150);
		often[n - 50]++;
	}
	for (unsigned i = 0; i < VALUES; i++)
		assert_in_range(often[i], CHANCE - FIVE_SIGMA, CHANCE + FIVE_SIGMA);
}

/* Few a second are as many, over time, as was said: not every slice has one. */
static void rate__not_of_whole_slices__kept_on_the_mean(void **state)
{
	static const uint32_t rates[] = { 1, 3, 9, 10, 15, 19, 101, 109 };

	(void)state;
	for (unsigned i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		const uint32_t spread = rates[i] < 20 ? 5 * 160 : 5 * 1050;
		struct budget budget;
		uint64_t sum = 0;

		budget_init(&budget, rates[i], (const uint64_t[]){ 8, 9 }, 0);
		for (uint32_t slice = 0; slice < SLICES; slice++)
			sum += dealt(&budget, slice);
		/* in 10,000 seconds; sigma of a slice is a half, with its jitter 3.3 */
		assert_in_range(sum, rates[i] * 10000 - spread, rates[i] * 10000 + spread);
	}
}

static void rate__none__none(void **state)
{
	struct budget budget;

	(void)state;
	budget_init(&budget, 0, (const uint64_t[]){ 8, 9 }, 0);
	for (uint32_t slice = 0; slice < 1000; slice++)
		assert_int_equal(dealt(&budget, slice), 0);
}

/* Budgets of one secret, and one budget of two secrets, have nothing to do with each other; what one has used up is
 * nothing to the other. */
static void budgets__of_one_secret__apart(void **state)
{
	const uint64_t key[2] = { 5, 6 }, other[2] = { 5, 7 };
	struct budget rst, icmp, elsewhere;
	unsigned equal[2] = { 0 };

	(void)state;
	budget_init(&rst, RATE, key, 0);
	budget_init(&icmp, RATE, key, 1);
	budget_init(&elsewhere, RATE, other, 0);
	for (uint32_t i = 0; i < SLICES; i++) {
		const unsigned n = dealt(&rst, i);

		equal[0] += n == dealt(&icmp, i);
		equal[1] += n == dealt(&elsewhere, i);
	}
	assert_true(equal[0] < CHANCE + FIVE_SIGMA);
	assert_true(equal[1] < CHANCE + FIVE_SIGMA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "HF-RL4-foretold, SEC-23", slices__foretold__by_chance_alone, NULL, NULL, NULL },
		{ "HF-RL4-even, SEC-23", slices__each_size__as_often, NULL, NULL, NULL },
		{ "HF-RL5-few", rate__not_of_whole_slices__kept_on_the_mean, NULL, NULL, NULL },
		{ "HF-RL5-none", rate__none__none, NULL, NULL, NULL },
		{ "HF-RL5-apart, SEC-23", budgets__of_one_secret__apart, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}

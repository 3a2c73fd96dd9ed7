/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tables cost: TSC cycles per lookup, insertion and removal, and per act of the wheel.
 * Each lookup stands alone or in bursts with both prefetches, as a turn does it. Not a test: it
 * prints. */
#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#include "bed.h"
#include "rig/random.h"
#include "table/flow.h"
#include "table/wheel.h"

#define LOOKUPS 2000000u

struct bed {
	struct pools pools;
	struct flow_table flows;
	struct wheel wheel;
	uint32_t count;
};

static struct flow tuple_number(uint64_t n)
{
	return (struct flow){ .v4 = { .local = (uint32_t)n, .remote = (uint32_t)(n >> 32) },
			      .version = 4 };
}

static handle bed_insert(struct bed *b, uint64_t n)
{
	const handle h = pools_take(&b->pools, KIND_BUCKET, 4);

	*(struct tuple4 *)pools_tuple(&b->pools, h) = tuple_number(n).v4;
	if (flow_insert(&b->flows, random_mix(n), h) != 0) {
		pools_give(&b->pools, h);
		return HANDLE_NONE;
	}
	return h;
}

/* Cycles per lookup of tuples [first, first + count), at random. */
static double lookup(const struct bed *b, uint64_t first, unsigned burst)
{
	uint64_t seed = first, start, spent = 0, found = 0;

	for (uint32_t i = 0; i < LOOKUPS; i += burst) {
		struct flow flow[BURST];
		uint64_t hash[BURST];

		for (unsigned k = 0; k < burst; k++) {
			const uint64_t n = first + random_below(&seed, b->count);

			flow[k] = tuple_number(n);
			hash[k] = random_mix(n);
		}
		_mm_lfence();
		start = __rdtsc();
		if (burst > 1) {
			for (unsigned k = 0; k < burst; k++)
				flow_prefetch(&b->flows, hash[k]);
			for (unsigned k = 0; k < burst; k++)
				flow_prefetch_entry(&b->flows, hash[k]);
		}
		for (unsigned k = 0; k < burst; k++)
			found += flow_find(&b->flows, hash[k], &flow[k]) != HANDLE_NONE;
		_mm_lfence();
		spent += __rdtsc() - start;
	}
	if (found != 0 && found < LOOKUPS)
		printf("!");
	return (double)spent / LOOKUPS;
}

static double empty_timing(void)
{
	uint64_t spent = 0, start;

	for (uint32_t i = 0; i < LOOKUPS; i++) {
		_mm_lfence();
		start = __rdtsc();
		_mm_lfence();
		spent += __rdtsc() - start;
	}
	return (double)spent / LOOKUPS;
}

/* Cycles of one removal and one insertion, pool included. */
static double churn(struct bed *b, handle *to, uint64_t *number, uint64_t *next)
{
	uint64_t seed = 3, start;

	start = __rdtsc();
	for (uint32_t i = 0; i < LOOKUPS; i++) {
		const uint32_t at = random_below(&seed, b->count);

		flow_remove(&b->flows, random_mix(number[at]), to[at]);
		pools_give(&b->pools, to[at]);
		do {
			number[at] = (*next)++;
			to[at] = bed_insert(b, number[at]);
		} while (to[at] == HANDLE_NONE);
	}
	return (double)(__rdtsc() - start) / LOOKUPS;
}

static void bench_flow(uint32_t count, unsigned percent, double base)
{
	const uint32_t capacity = (uint32_t)((uint64_t)count * 75 / percent);
	struct bed b = { .count = count };
	void *lines = memory_take(flow_memory(capacity));
	void *entries = memory_take((uint64_t)count * RECORD_OCTETS(4, BODY));
	handle *to = malloc(count * sizeof(handle));
	uint64_t *number = malloc(count * sizeof(uint64_t)), next = 0;
	double hit, miss, hits, misses;

	if (to == NULL || number == NULL)
		exit(1);
	pools_init(&b.pools, entries);
	pool_init(&b.pools, KIND_BUCKET, 4, entries, BODY, count);
	flow_init(&b.flows, lines, capacity, &b.pools);
	for (uint32_t i = 0; i < count; i++) {
		number[i] = next++;
		to[i] = bed_insert(&b, number[i]);
	}
	hit = lookup(&b, 0, 1) - base;
	miss = lookup(&b, 1ull << 40, 1) - base;
	hits = lookup(&b, 0, BURST);
	misses = lookup(&b, 1ull << 40, BURST);
	printf("%u entries, %u %%, one by one, hit: %.0f cycles\n", count, percent, hit);
	printf("%u entries, %u %%, one by one, miss: %.0f cycles\n", count, percent, miss);
	printf("%u entries, %u %%, in bursts of %u, hit: %.0f cycles\n", count, percent, BURST, hits);
	printf("%u entries, %u %%, in bursts of %u, miss: %.0f cycles\n", count, percent, BURST,
	       misses);
	printf("%u entries, %u %%, one removed, one inserted: %.0f cycles\n", count, percent,
	       churn(&b, to, number, &next));
	free(lines);
	free(entries);
	free(to);
	free(number);
}

/* 2^20 entries go through the wheel as TIME-WAIT does; and are moved at random. */
static void bench_wheel(uint32_t count)
{
	struct bed b = { .count = count };
	void *slots = memory_take(wheel_memory(WHEEL_BITS));
	void *entries = memory_take((uint64_t)count * RECORD_OCTETS(4, BODY));
	handle *to = malloc(count * sizeof(handle)), due[BURST], seen = 0;
	uint64_t seed = 5, start, arm, move, oldest, expire, idle, step;
	uint32_t n, now = 1000, fired = 0;

	if (to == NULL)
		exit(1);
	pools_init(&b.pools, entries);
	pool_init(&b.pools, KIND_BUCKET, 4, entries, BODY, count);
	wheel_init(&b.wheel, slots, WHEEL_BITS, &b.pools, now);
	for (uint32_t i = 0; i < count; i++)
		to[i] = pools_take(&b.pools, KIND_BUCKET, 4);
	start = __rdtsc();
	for (uint32_t i = 0; i < count; i++)
		wheel_arm(&b.wheel, to[i], now + 60000 + i / 500);
	arm = __rdtsc() - start;
	start = __rdtsc();
	for (uint32_t i = 0; i < count; i++) {
		const handle h = to[random_below(&seed, count)];

		wheel_move(&b.wheel, h, now + 60000 + random_below(&seed, 2000));
	}
	move = __rdtsc() - start;
	start = __rdtsc();
	for (uint32_t i = 0; i < LOOKUPS; i++)
		seen ^= wheel_oldest(&b.wheel) + i;
	oldest = __rdtsc() - start;
	start = __rdtsc();
	for (uint32_t i = 0; i < LOOKUPS; i++)
		seen += wheel_advance(&b.wheel, now, due, BURST);
	idle = __rdtsc() - start;
	start = __rdtsc();
	for (uint32_t i = 0; i < 50000; i++)
		seen += wheel_advance(&b.wheel, ++now, due, BURST);
	step = __rdtsc() - start;
	start = __rdtsc();
	while (fired < count) {
		n = wheel_advance(&b.wheel, now, due, BURST);
		fired += n;
		now += n < BURST;
	}
	expire = __rdtsc() - start;
	printf("%u timers, arm: %.0f cycles\n", count, (double)arm / count);
	printf("%u timers, move: %.0f cycles\n", count, (double)move / count);
	printf("%u timers, expire: %.0f cycles\n", count, (double)expire / count);
	printf("%u timers, find the oldest: %.0f cycles\n", count, (double)oldest / LOOKUPS);
	printf("%u timers, a look when no time has passed: %.0f cycles\n", count,
	       (double)idle / LOOKUPS);
	printf("%u timers, a tick with nothing due: %.0f cycles%s\n", count, (double)step / 50000,
	       seen == 1 ? " " : "");
	free(slots);
	free(entries);
	free(to);
}

int main(int argc, char **argv)
{
	static const uint32_t counts[] = { 10000, 1000000, 10000000 };
	static const unsigned loads[] = { 50, 75, 90 };
	const unsigned sizes = argc > 1 ? 2 : 3; /* bench_table small */
	const double base = empty_timing();

	(void)argv;
	for (unsigned i = 0; i < sizes; i++)
		for (unsigned k = 0; k < 3; k++)
			bench_flow(counts[i], loads[k], base);
	for (unsigned i = 0; i < sizes; i++)
		bench_wheel(counts[i]);
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The wheel against a heap of 64-bit deadlines: what fires, in which order, never early, from any
 * tick. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "rig/random.h"
#include "rig/share.h"
#include "table/flow.h"
#include "table/wheel.h"

#ifdef __SANITIZE_ADDRESS__
#define OPERATIONS 1000000u
#else
#define OPERATIONS 10000000u
#endif

struct bed {
	struct pools pools;
	struct wheel wheel;
	void *things;
	void *slots;
	handle *all;
	uint32_t count;
};

static void bed_make(struct bed *b, uint32_t count, unsigned bits, uint32_t now)
{
	memset(b, 0, sizeof(*b));
	b->count = count;
	b->things = aligned_alloc(64, (count * RECORD_OCTETS(4, 0) + 63) / 64 * 64);
	b->all = malloc(count * sizeof(handle));
	b->slots = aligned_alloc(64, wheel_memory(bits));
	assert_true(b->things && b->all && b->slots);
	pools_init(&b->pools, b->things);
	pool_init(&b->pools, KIND_BUCKET, 4, b->things, 0, count);
	for (uint32_t i = 0; i < count; i++)
		b->all[i] = pools_take(&b->pools, KIND_BUCKET, 4);
	wheel_init(&b->wheel, b->slots, bits, &b->pools, now);
}

static void bed_free(struct bed *b)
{
	free(b->things);
	free(b->all);
	free(b->slots);
}

static bool bed_armed(const struct bed *b, uint32_t i)
{
	return wheel_armed(pools_entry(&b->pools, b->all[i]));
}

/* The oracle: a heap of all that was ever armed; what has since been cancelled is passed over. */
struct alarm {
	uint64_t deadline, order;
	uint32_t thing;
};

struct oracle {
	struct alarm *heap;
	uint32_t size, room, armed;
	uint64_t order;
	uint64_t *order_of; /* by thing; 0: not armed */
	uint64_t now;	    /* true time; the wheel sees its low 32 bits */
	uint64_t stand;	    /* where time stands while something is left behind */
};

static bool alarm_before(const struct alarm *a, const struct alarm *b)
{
	return a->deadline < b->deadline || (a->deadline == b->deadline && a->order < b->order);
}

static void oracle_sink(struct oracle *o, uint32_t at)
{
	const struct alarm x = o->heap[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child + 1 < o->size && alarm_before(&o->heap[child + 1], &o->heap[child]))
			child++;
		if (child >= o->size || !alarm_before(&o->heap[child], &x))
			break;
		o->heap[at] = o->heap[child];
		at = child;
	}
	o->heap[at] = x;
}

/* Forget what is no longer armed, when it has filled the heap. */
static void oracle_sweep(struct oracle *o)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < o->size; i++)
		if (o->order_of[o->heap[i].thing] == o->heap[i].order)
			o->heap[kept++] = o->heap[i];
	o->size = kept;
	for (uint32_t i = o->size / 2; i-- > 0;)
		oracle_sink(o, i);
}

static void oracle_arm(struct oracle *o, uint32_t thing, uint64_t deadline)
{
	struct alarm x = { .order = ++o->order, .thing = thing };
	uint32_t at;

	x.deadline = deadline < o->stand ? o->stand : deadline;
	o->armed += o->order_of[thing] == 0;
	o->order_of[thing] = x.order;
	if (o->size == o->room)
		oracle_sweep(o);
	for (at = o->size++; at > 0 && alarm_before(&x, &o->heap[(at - 1) / 2]); at = (at - 1) / 2)
		o->heap[at] = o->heap[(at - 1) / 2];
	o->heap[at] = x;
}

static void oracle_cancel(struct oracle *o, uint32_t thing)
{
	o->order_of[thing] = 0;
	o->armed--;
}

static const struct alarm *oracle_first(struct oracle *o)
{
	while (o->size && o->order_of[o->heap[0].thing] != o->heap[0].order) {
		o->heap[0] = o->heap[--o->size];
		oracle_sink(o, 0);
	}
	return o->size ? &o->heap[0] : NULL;
}

static void oracle_make(struct oracle *o, uint32_t count, uint64_t now)
{
	*o = (struct oracle){ .room = 4 * count, .now = now, .stand = now };
	o->heap = malloc(o->room * sizeof(struct alarm));
	o->order_of = calloc(count, sizeof(uint64_t));
	assert_true(o->heap && o->order_of);
}

static void oracle_free(struct oracle *o)
{
	free(o->heap);
	free(o->order_of);
}

/* A delay as the protocol has them, or from the edges. */
static uint64_t random_delay(uint64_t *seed, unsigned bits)
{
	switch (random_below(seed, 8)) {
	case 0:
		return random_below(seed, 4);
	case 1:
		return random_below(seed, 1000);
	case 2:
		return 60000;
	case 3:
		return random_below(seed, 240000);
	case 4:
		return (1u << bits) - 2 + random_below(seed, 4);
	case 5:
		return (1u << bits) - (1u << (bits - 4)) - 2 + random_below(seed, 4);
	case 6:
		return random_below(seed, 1u << (bits + 2));
	}
	return random_below(seed, 0x40000000u); /* time may stand that far behind */
}

static uint64_t random_step(uint64_t *seed)
{
	const uint32_t die = random_below(seed, 10000);

	if (die == 0)
		return random_below(seed, 0x40000000u);
	if (die < 20)
		return random_below(seed, 300000);
	if (die < 2000)
		return random_below(seed, 100);
	return random_below(seed, 3);
}

static void check_next(const struct bed *b, struct oracle *o, unsigned bits)
{
	const struct alarm *first = oracle_first(o);
	uint32_t tick;
	const uint64_t exact = o->stand + (1u << bits) - (1u << (bits - 4));
	bool waits; /* the horizon, and the first one is of the crowd that it waits for */

	assert_int_equal(wheel_next(&b->wheel, &tick), first != NULL);
	if (first == NULL) {
		assert_int_equal(wheel_oldest(&b->wheel), HANDLE_NONE);
		return;
	}
	waits = (int32_t)((uint32_t)first->deadline - b->wheel.horizon) >= 0;
	assert_true(!waits || first->deadline > exact || o->armed > 64);
	if (!waits && first->deadline <= exact) {
		assert_int_equal(tick, (uint32_t)first->deadline);
		assert_int_equal(wheel_oldest(&b->wheel), b->all[first->thing]);
	} else {
		assert_true((int32_t)((uint32_t)first->deadline - tick) >= 0);
		tick = pools_entry(&b->pools, wheel_oldest(&b->wheel))->tick;
		assert_true(tick - (uint32_t)first->deadline < 1u << (bits - 4));
	}
}

/* One call of wheel_advance gives what the oracle says. */
static uint32_t check_advance(struct bed *b, struct oracle *o, uint32_t max)
{
	handle due[64];
	const uint32_t n = wheel_advance(&b->wheel, (uint32_t)o->now, due, max);

	assert_true(n <= max);
	for (uint32_t i = 0; i < n; i++) {
		const struct alarm *first = oracle_first(o);

		assert_non_null(first);
		assert_true(first->deadline <= o->now);
		assert_int_equal(due[i], b->all[first->thing]);
		assert_false(bed_armed(b, first->thing));
		o->stand = first->deadline;
		oracle_cancel(o, first->thing);
	}
	if (n < max) {
		const struct alarm *first = oracle_first(o);

		assert_true(first == NULL || first->deadline > o->now);
		o->stand = o->now;
	}
	return n;
}

static void random_operation(struct bed *b, struct oracle *o, uint64_t *seed, unsigned bits)
{
	const uint32_t i = random_below(seed, b->count);
	uint64_t deadline = o->now + random_delay(seed, bits);

	if (random_below(seed, 16) == 0)
		deadline -= 1 + random_below(seed, 1000); /* perhaps past */
	if (!bed_armed(b, i)) {
		wheel_arm(&b->wheel, b->all[i], (uint32_t)deadline);
		oracle_arm(o, i, deadline);
	} else if (random_below(seed, 2)) {
		wheel_move(&b->wheel, b->all[i], (uint32_t)deadline);
		oracle_arm(o, i, deadline);
	} else {
		wheel_cancel(&b->wheel, b->all[i]);
		oracle_cancel(o, i);
	}
}

static void run_random(uint64_t start, uint32_t count, unsigned bits, const struct share *share,
		       uint32_t operations)
{
	struct bed b;
	struct oracle o;
	uint64_t seed = start + count + share->seed;

	bed_make(&b, count, bits, (uint32_t)start);
	oracle_make(&o, count, start);
	for (uint32_t i = 0; i < operations; i++) {
		if (random_below(&seed, 4)) {
			random_operation(&b, &o, &seed, bits);
			continue;
		}
		if (o.stand == o.now)
			o.now += random_step(&seed);
		i += check_advance(&b, &o, 1 + random_below(&seed, 64));
		if (i % 8 == 0)
			check_next(&b, &o, bits);
		assert_int_equal(b.wheel.armed, o.armed);
	}
	oracle_free(&o);
	bed_free(&b);
}

static void random__against_oracle__same_order(void **state)
{
	const struct share *const share = *state;

	run_random(1ull << 33, 1000, WHEEL_BITS_MIN, share, share->operations / 2);
	run_random(1ull << 33, 30000, WHEEL_BITS, share, share->operations / 2);
}

static void random__from_before_every_wrap__same_order(void **state)
{
	static const uint64_t wraps[] = { 1ull << WHEEL_BITS, 1ull << 31, 1ull << 32 };
	const struct share *const share = *state;

	for (unsigned i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++)
		for (uint32_t before = 0; before < 3; before++)
			run_random(wraps[i] - before, 300, WHEEL_BITS, share,
				   share->operations / 100);
	run_random((1ull << 32) - 5, 300, WHEEL_BITS_MAX, share, share->operations / 100);
}

/* 10^6 with one deadline leave in the order they were armed, so many a call, while time stands. */
static void advance__crowd_in_one_tick__spread(void **state)
{
	const uint32_t crowd = 1000000, start = UINT32_MAX - 100;
	struct bed b;
	handle due[256];
	uint32_t n, taken = 0, tick;

	(void)state;
	bed_make(&b, crowd + 1, WHEEL_BITS, start);
	for (uint32_t i = 0; i < crowd; i++)
		wheel_arm(&b.wheel, b.all[i], start + 60000);
	wheel_arm(&b.wheel, b.all[crowd], start + 60001);
	assert_int_equal(wheel_advance(&b.wheel, start + 59999, due, 256), 0);
	while (taken < crowd) {
		n = wheel_advance(&b.wheel, start + 60000 + taken / 1000, due, 256);
		assert_int_equal(n, crowd - taken < 256 ? crowd - taken + 1 : 256);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(due[i], b.all[taken++]);
	}
	assert_int_equal(b.wheel.armed, 0);
	assert_false(wheel_next(&b.wheel, &tick));
	bed_free(&b);
}

/* Many timers of the same far slot: each fires at its tick though few are sorted in a call. */
static void advance__crowd_of_long_timers__each_in_time(void **state)
{
	const uint32_t crowd = 200000, start = 0x7fffff00;
	struct bed b;
	handle due[64];
	uint32_t n, fired = 0;
	uint64_t seed = 9;

	(void)state;
	bed_make(&b, crowd, WHEEL_BITS_MIN, start);
	for (uint32_t i = 0; i < crowd; i++)
		wheel_arm(&b.wheel, b.all[i],
			  start + (3u << WHEEL_BITS_MIN) + random_below(&seed, 5000));
	for (uint32_t now = start; fired < crowd; now++) {
		do {
			n = wheel_advance(&b.wheel, now, due, 64);
			for (uint32_t i = 0; i < n; i++)
				assert_int_equal(pools_entry(&b.pools, due[i])->tick, now);
			fired += n;
		} while (n == 64);
	}
	bed_free(&b);
}

static void cancel__while_others_fire__not_seen_again(void **state)
{
	struct bed b;
	handle due[2];

	(void)state;
	bed_make(&b, 6, WHEEL_BITS, 100);
	for (uint32_t i = 0; i < 6; i++)
		wheel_arm(&b.wheel, b.all[i], 110);
	assert_int_equal(wheel_advance(&b.wheel, 120, due, 2), 2);
	wheel_cancel(&b.wheel, b.all[2]);
	wheel_move(&b.wheel, b.all[3], 121);
	wheel_arm(&b.wheel, due[0], 0); /* long past: due at once, behind those left */
	assert_int_equal(wheel_advance(&b.wheel, 120, due, 2), 2);
	assert_int_equal(due[0], b.all[4]);
	assert_int_equal(due[1], b.all[5]);
	assert_int_equal(wheel_advance(&b.wheel, 120, due, 2), 1);
	assert_int_equal(due[0], b.all[0]);
	assert_int_equal(wheel_advance(&b.wheel, 120, due, 2), 0);
	assert_int_equal(wheel_advance(&b.wheel, 121, due, 2), 1);
	assert_int_equal(due[0], b.all[3]);
	assert_int_equal(b.wheel.armed, 0);
	bed_free(&b);
}

#define LIMIT 1000u

/* At the limit each new bucket turns out the oldest: it leaves wheel, table and pool together. */
static void evict__million__wheel_and_table_in_step(void **state)
{
	struct bed b;
	struct flow_table flows;
	void *lines = aligned_alloc(64, flow_memory(LIMIT));
	uint32_t now = UINT32_MAX - 5000;

	(void)state;
	bed_make(&b, LIMIT, WHEEL_BITS, now);
	assert_int_equal(flow_init(&flows, lines, LIMIT, &b.pools), 0);
	for (uint32_t i = 0; i < LIMIT; i++)
		pools_give(&b.pools, b.all[i]);
	for (uint32_t n = 0; n < 1000000 + LIMIT; n++) {
		handle h = pools_take(&b.pools, KIND_BUCKET, 4);

		assert_int_equal(h == HANDLE_NONE, n >= LIMIT);
		if (h == HANDLE_NONE) {
			const struct tuple4 *oldest;

			h = wheel_oldest(&b.wheel);
			oldest = pools_tuple(&b.pools, h);
			assert_int_equal(oldest->local, n - LIMIT);
			flow_remove(&flows, random_mix(n - LIMIT), h);
			wheel_cancel(&b.wheel, h);
			pools_give(&b.pools, h);
			h = pools_take(&b.pools, KIND_BUCKET, 4);
		}
		((struct tuple4 *)pools_tuple(&b.pools, h))->local = n;
		assert_int_equal(flow_insert(&flows, random_mix(n), h), 0);
		wheel_arm(&b.wheel, h, now + 60000);
		if (n % 100 == 0)
			assert_int_equal(wheel_advance(&b.wheel, ++now, &h, 1), 0);
		if (n % 65536 == 0)
			assert_true(flow_check(&flows) && flow_count(&flows) == b.wheel.armed);
	}
	assert_int_equal(b.wheel.armed, LIMIT);
	assert_int_equal(flow_count(&flows), LIMIT);
	bed_free(&b);
	free(lines);
}

int main(int argc, char **argv)
{
	struct share share = share_of(argc, argv, OPERATIONS);
	const struct CMUnitTest tests[] = {
		{ "HF-M8", random__against_oracle__same_order, NULL, NULL, &share },
		{ "HF-M8-cancel", cancel__while_others_fire__not_seen_again, NULL, NULL, NULL },
		{ "HF-M8-long", advance__crowd_of_long_timers__each_in_time, NULL, NULL, NULL },
		{ "HF-G7", random__from_before_every_wrap__same_order, NULL, NULL, &share },
		{ "TW-L4", evict__million__wheel_and_table_in_step, NULL, NULL, NULL },
		{ "TW-L5, SEC-36", advance__crowd_in_one_tick__spread, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

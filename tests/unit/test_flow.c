/* SPDX-License-Identifier: BSD-3-Clause */
/* The flow table against a map by tuple number, and what a lookup costs in cache lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rig/random.h"
#include "rig/share.h"
#include "table/flow.h"

#ifdef __SANITIZE_ADDRESS__
#define CHURN 1000000u
#else
#define CHURN 10000000u
#endif

/* A table and the pools behind it. */
struct bed {
	struct pools pools;
	struct flow_table flows;
	void *things, *lines;
};

static void bed_make(struct bed *b, uint32_t capacity, uint32_t entries)
{
	const size_t octets = (entries * RECORD_OCTETS(4, 0) + 63) / 64 * 64; /* IPv6: twice as many */

	memset(b, 0, sizeof(*b));
	b->things = aligned_alloc(64, 4 * octets);
	b->lines = aligned_alloc(64, flow_memory(capacity));
	assert_true(b->things && b->lines);
	pools_init(&b->pools, b->things);
	pool_init(&b->pools, KIND_CONNECTION, 4, b->things, 0, entries);
	pool_init(&b->pools, KIND_BUCKET, 4, (char *)b->things + octets, 0, entries);
	pool_init(&b->pools, KIND_CONNECTION, 6, (char *)b->things + 2 * octets, 0, entries);
	assert_int_equal(flow_init(&b->flows, b->lines, capacity, &b->pools), 0);
}

static void bed_free(struct bed *b)
{
	free(b->things);
	free(b->lines);
}

/* The n-th tuple of this version. */
static struct flow tuple_number(uint64_t n, uint8_t version)
{
	struct flow flow = { .version = version };

	if (version == 4) {
		flow.v4 = (struct tuple4){ .local = (uint32_t)n,
					   .remote = (uint32_t)(n >> 32),
					   .local_port = 80 };
	} else {
		flow.v6.local[3] = (uint32_t)n;
		flow.v6.remote[3] = (uint32_t)(n >> 32);
	}
	return flow;
}

static handle thing_make(struct bed *b, enum handle_kind kind, const struct flow *flow)
{
	const handle h = pools_take(&b->pools, kind, flow->version);

	assert_int_not_equal(h, HANDLE_NONE);
	if (flow->version == 4)
		memcpy(pools_tuple(&b->pools, h), &flow->v4, sizeof(flow->v4));
	else
		memcpy(pools_tuple(&b->pools, h), &flow->v6, sizeof(flow->v6));
	return h;
}

/* Enter the n-th IPv4 tuple under its own hash. */
static handle bed_insert(struct bed *b, uint64_t n)
{
	const struct flow flow = tuple_number(n, 4);
	const handle h = thing_make(b, KIND_CONNECTION, &flow);

	if (flow_insert(&b->flows, random_mix(n), h) == 0)
		return h;
	pools_give(&b->pools, h);
	return HANDLE_NONE;
}

static void bed_remove(struct bed *b, uint64_t n, handle h)
{
	flow_remove(&b->flows, random_mix(n), h);
	pools_give(&b->pools, h);
}

static handle bed_find(const struct bed *b, uint64_t n)
{
	const struct flow flow = tuple_number(n, 4);

	return flow_find(&b->flows, random_mix(n), &flow);
}

/* What is in a churned table: tuple numbers and what they lead to. */
struct live {
	uint64_t *number;
	handle *to;
	uint32_t count;
	uint64_t next; /* tuple number */
};

static void live_fill(struct bed *b, struct live *live, uint32_t count)
{
	live->number = malloc(sizeof(uint64_t) * count);
	live->to = malloc(sizeof(handle) * count);
	assert_true(live->number && live->to);
	while (live->count < count) {
		live->number[live->count] = live->next;
		live->to[live->count] = bed_insert(b, live->next++);
		assert_int_not_equal(live->to[live->count++], HANDLE_NONE);
	}
}

static void live_free(struct live *live)
{
	free(live->number);
	free(live->to);
}

struct cost {
	double hit, miss;
	unsigned worst;
};

static struct cost live_cost(const struct bed *b, const struct live *live)
{
	struct cost c = { 0 };
	uint64_t hits = 0, misses = 0;

	for (uint32_t i = 0; i < live->count; i++) {
		const struct flow here = tuple_number(live->number[i], 4);
		const struct flow gone = tuple_number(live->next + i, 4);
		const unsigned hit = flow_lines(&b->flows, random_mix(live->number[i]), &here);
		const unsigned miss = flow_lines(&b->flows, random_mix(live->next + i), &gone);

		hits += hit;
		misses += miss;
		c.worst = hit > c.worst ? hit : c.worst;
		c.worst = miss > c.worst ? miss : c.worst;
		assert_int_equal(bed_find(b, live->number[i]), live->to[i]);
		assert_int_equal(bed_find(b, live->next + i), HANDLE_NONE);
	}
	c.hit = (double)hits / live->count;
	c.miss = (double)misses / live->count;
	return c;
}

/* Remove one at random and enter a new tuple, so many times. Returns how often that failed. */
static uint32_t live_churn(struct bed *b, struct live *live, uint32_t times, uint64_t *seed)
{
	uint32_t full = 0;

	for (uint32_t i = 0; i < times; i++) {
		const uint32_t at = random_below(seed, live->count);

		bed_remove(b, live->number[at], live->to[at]);
		if (i % 16 == 0)
			assert_int_equal(bed_find(b, live->number[at]), HANDLE_NONE);
		do {
			live->number[at] = live->next++;
			live->to[at] = bed_insert(b, live->number[at]);
			full += live->to[at] == HANDLE_NONE;
		} while (live->to[at] == HANDLE_NONE);
	}
	return full;
}

static uint32_t slots_at(const struct flow_table *t, unsigned percent)
{
	return (uint32_t)((uint64_t)t->lines * FLOW_SLOTS * percent / 100);
}

static void find__at_90_percent__few_lines(void **state)
{
	struct bed b;
	struct live live = { 0 };
	struct cost c;
	uint64_t seed = 4;

	(void)state;
	bed_make(&b, 100000, 125000);
	live_fill(&b, &live, slots_at(&b.flows, 90));
	c = live_cost(&b, &live);
	assert_true(c.hit <= 1.35 && c.miss <= 1.15 && c.worst <= 2);
	assert_true(live_churn(&b, &live, CHURN / 10, &seed) <= 1);
	c = live_cost(&b, &live);
	assert_true(c.hit <= 1.4 && c.miss <= 1.2 && c.worst <= 2);
	assert_true(flow_check(&b.flows));
	live_free(&live);
	bed_free(&b);
}

static void churn__at_80_percent__cost_stays_flat(void **state)
{
	struct bed b;
	struct live live = { 0 };
	struct cost settled, c;
	const struct share *const share = *state;
	uint64_t seed = 5 + share->seed;

	bed_make(&b, 20000, 25000);
	live_fill(&b, &live, slots_at(&b.flows, 80));
	assert_int_equal(live_churn(&b, &live, share->operations / 10, &seed), 0);
	settled = live_cost(&b, &live);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(live_churn(&b, &live, share->operations / 10 * 3, &seed), 0);
		c = live_cost(&b, &live);
		assert_true(c.hit < settled.hit + 0.02 && c.miss < settled.miss + 0.02);
		assert_true(flow_check(&b.flows));
	}
	for (uint32_t i = 0; i < live.count; i++)
		bed_remove(&b, live.number[i], live.to[i]);
	for (uint32_t i = 0; i < b.flows.lines; i++)
		assert_memory_equal(&b.flows.line[i], &(struct flow_line){ 0 },
				    sizeof(struct flow_line));
	live_free(&live);
	bed_free(&b);
}

static void replace_one(struct bed *b, uint64_t hash, const struct flow *flow, handle *was)
{
	const handle to = thing_make(b, KIND_BUCKET, flow);

	flow_replace(&b->flows, hash, *was, to);
	pools_give(&b->pools, *was);
	*was = to;
}

/* Random inserts, removals and changes of kind. `keep` are the bits left of the hash: with few of
 * them tags and lines collide. */
static void run_random(const struct share *share, uint32_t capacity, uint32_t universe, uint64_t keep)
{
	handle *map = calloc(universe, sizeof(handle)), h;
	struct bed b;
	uint64_t seed = 6 + share->seed, cursor = 0;
	uint32_t count = 0, shown = 0;

	assert_non_null(map);
	bed_make(&b, capacity, universe);
	for (uint32_t i = 0; i < share->operations / 20; i++) {
		const uint32_t n = random_below(&seed, universe);
		const struct flow flow = tuple_number(n, n % 2 ? 6 : 4);
		const uint64_t hash = random_mix(n / 6) & keep;

		assert_int_equal(flow_find(&b.flows, hash, &flow), map[n]);
		if (map[n] == HANDLE_NONE) {
			h = thing_make(&b, KIND_CONNECTION, &flow);
			if (flow_insert(&b.flows, hash, h) == 0) {
				map[n] = h;
				count++;
			} else {
				pools_give(&b.pools, h);
			}
		} else if (handle_kind(map[n]) == KIND_CONNECTION && flow.version == 4) {
			replace_one(&b, hash, &flow, &map[n]);
		} else {
			flow_remove(&b.flows, hash, map[n]);
			pools_give(&b.pools, map[n]);
			map[n] = HANDLE_NONE;
			count--;
		}
		assert_int_equal(flow_count(&b.flows), count);
	}
	assert_true(flow_check(&b.flows));
	while ((h = flow_next(&b.flows, &cursor)) != HANDLE_NONE) {
		uint32_t n;

		memcpy(&n, (char *)pools_tuple(&b.pools, h) + (handle_version(h) == 4 ? 0 : 12),
		       sizeof(n));
		assert_int_equal(map[n], h);
		shown++;
	}
	assert_int_equal(shown, count);
	bed_free(&b);
	free(map);
}

static void random__against_a_map__each_tuple_once(void **state)
{
	run_random(*state, 4096, 4096, 0xffffffff000000ffu);
	run_random(*state, 20, 120, UINT64_MAX); /* a few lines, full to the last slot */
	run_random(*state, 1, 100, UINT64_MAX);
}

/* Enter flows of these hashes until one fails; all must be found. Returns how many went in. */
static unsigned fill_colliding(struct bed *b, uint64_t (*hash)(unsigned), handle *h)
{
	unsigned n = 0;

	for (;; n++) {
		const struct flow flow = tuple_number(n, 4);

		h[n] = thing_make(b, KIND_CONNECTION, &flow);
		if (flow_insert(&b->flows, hash(n), h[n]) != 0)
			break;
		assert_true(n < 1000);
	}
	pools_give(&b->pools, h[n]);
	for (unsigned i = 0; i <= n; i++) {
		const struct flow flow = tuple_number(i, 4);

		assert_int_equal(flow_find(&b->flows, hash(i), &flow), i < n ? h[i] : HANDLE_NONE);
		assert_true(flow_lines(&b->flows, hash(i), &flow) <= 2);
	}
	return n;
}

static uint64_t hash_same(unsigned n)
{
	(void)n;
	return 0x123456789abcdef0u;
}

/* One home line and one class of tags, but other lines all over the table. */
static uint64_t hash_class(unsigned n)
{
	return 0x1234567800000000u | n << 6;
}

/* One home line, tags as they come: every class of it can have 15 away. */
static uint64_t hash_home(unsigned n)
{
	return 0x1234567800000000u | (uint32_t)random_mix(n);
}

static void insert__colliding_tuples__table_full(void **state)
{
	static const struct {
		uint64_t (*hash)(unsigned);
		unsigned least, most;
	} cases[] = {
		{ hash_same, 14, 14 },	 /* both lines */
		{ hash_class, 22, 22 },	 /* the home line, and 15 away */
		{ hash_home, 100, 247 }, /* the home line, and 16 times 15 away */
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bed b;
		handle h[1000];
		unsigned n;

		bed_make(&b, 20000, 1000);
		n = fill_colliding(&b, cases[i].hash, h);
		assert_in_range(n, cases[i].least, cases[i].most);
		assert_true(flow_check(&b.flows));
		for (unsigned j = 0; j < n; j++)
			flow_remove(&b.flows, cases[i].hash(j), h[j]);
		assert_true(flow_check(&b.flows));
		assert_int_equal(flow_count(&b.flows), 0);
		bed_free(&b);
	}
}

/* In a crowded table room comes from moving others; what collides is still bounded, and counted
 * right. */
static void insert__colliding_in_a_crowd__table_full(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 200; round++) {
		struct bed b;
		struct live live = { .next = round << 32 };
		handle h[1000];
		unsigned n;

		bed_make(&b, 500, 1000);
		live_fill(&b, &live, slots_at(&b.flows, 94));
		n = fill_colliding(&b, hash_class, h);
		assert_in_range(n, 2, 22);
		assert_true(flow_check(&b.flows));
		live_cost(&b, &live);
		live_free(&live);
		bed_free(&b);
	}
}

static void insert__nth__fails_once(void **state)
{
	struct bed b;

	(void)state;
	bed_make(&b, 100, 100);
	for (uint64_t n = 1; n <= 10; n++) {
		b.pools.fail_in = 2 * n; /* each bed_insert asks the pool, then the table */
		for (uint64_t i = 1; i <= n; i++)
			assert_int_equal(bed_insert(&b, 100 * n + i) == HANDLE_NONE, i == n);
		assert_int_equal(bed_find(&b, 101 * n), HANDLE_NONE);
		assert_int_not_equal(bed_insert(&b, 101 * n), HANDLE_NONE);
	}
	assert_int_equal(flow_count(&b.flows), 55);
	assert_true(flow_check(&b.flows));
	bed_free(&b);
}

static void init__misaligned__einval(void **state)
{
	static _Alignas(64) char memory[4096];
	struct flow_table t;
	struct pools pools = { 0 };

	(void)state;
	assert_int_equal(flow_init(&t, memory + 8, 10, &pools), -EINVAL);
	assert_int_equal(flow_init(&t, memory, 0, &pools), 0);
}

int main(int argc, char **argv)
{
	struct share share = share_of(argc, argv, CHURN);
	const struct CMUnitTest tests[] = {
		{ "HF-M4", find__at_90_percent__few_lines, NULL, NULL, NULL },
		{ "HF-M5", churn__at_80_percent__cost_stays_flat, NULL, NULL, &share },
		{ "HF-M6", random__against_a_map__each_tuple_once, NULL, NULL, &share },
		{ "HF-L6", insert__colliding_tuples__table_full, NULL, NULL, NULL },
		{ "HF-L6-crowd", insert__colliding_in_a_crowd__table_full, NULL, NULL, NULL },
		{ "HF-H3", insert__nth__fails_once, NULL, NULL, NULL },
		{ "flow_init on misaligned memory: -EINVAL", init__misaligned__einval, NULL, NULL,
		  NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

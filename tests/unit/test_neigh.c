/* SPDX-License-Identifier: BSD-3-Clause */
/* The neighbour table alone: states, timers, what is learned and from whom, who makes room (RFC 826,
 * RFC 4861 7.2, 7.3; RFC826-c to -e). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "rig/random.h"
#include "table/neigh.h"

#define SIZE 8
#define SECOND 1000u
#define BOTH (NEIGH_SOLICITED | NEIGH_OVERRIDE)

static const uint8_t mac_a[6] = { 2, 0, 0, 0, 0, 0xa }, mac_b[6] = { 2, 0, 0, 0, 0, 0xb };

struct room {
	struct neighbours t;
	void *memory;
	uint32_t now;
};

static int room_open(void **state)
{
	const size_t octets = (neigh_memory(SIZE) + 63) / 64 * 64;
	struct room *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->memory = aligned_alloc(64, octets);
	assert_non_null(r->memory);
	memset(r->memory, 0, octets);
	neigh_init(&r->t, r->memory, SIZE, (const uint64_t[]){ 1, 2 });
	r->now = UINT32_MAX - 5 * SECOND; /* the clock wraps on the way */
	*state = r;
	return 0;
}

static int room_close(void **state)
{
	struct room *r = *state;

	assert_true(neigh_check(&r->t));
	free(r->memory);
	free(r);
	return 0;
}

static const uint32_t *address(uint32_t i)
{
	static uint32_t words[4];

	words[0] = i;
	return words;
}

static struct neigh *add(struct room *r, uint32_t i)
{
	return neigh_add(&r->t, 4, address(i), false);
}

static enum neigh_verdict use(struct room *r, struct neigh *n, bool *ask)
{
	return neigh_use(&r->t, n, r->now, r->now + SECOND, ask);
}

static struct neigh *known(struct room *r, uint32_t i)
{
	struct neigh *const n = add(r, i);
	bool ask;

	assert_int_equal(use(r, n, &ask), NEIGH_HOLD);
	assert_true(ask);
	assert_true(neigh_learn(n, mac_a, BOTH, r->now));
	assert_int_equal(n->state, NEIGH_KNOWN);
	assert_false(neigh_deadline(&r->t, &(uint32_t){ 0 }));
	return n;
}

/* What is due next comes at this time, and is this. */
static enum neigh_expiry expire_at(struct room *r, uint32_t tick, const struct neigh *n)
{
	uint32_t next;

	assert_true(neigh_deadline(&r->t, &next));
	assert_int_equal(next, tick);
	assert_null(neigh_due(&r->t, tick - 1));
	r->now = tick;
	assert_ptr_equal(neigh_due(&r->t, r->now), n);
	return neigh_expire(&r->t, neigh_due(&r->t, r->now), r->now + SECOND);
}

static void unknown__nobody_answers__three_requests_then_failure(void **state)
{
	struct room *r = *state;
	struct neigh *const n = add(r, 1);
	const uint32_t start = r->now;
	bool ask;

	assert_int_equal(use(r, n, &ask), NEIGH_HOLD);
	assert_true(ask);
	assert_int_equal(use(r, n, &ask), NEIGH_HOLD);
	assert_false(ask);
	assert_int_equal(expire_at(r, start + 1 * SECOND, n), NEIGH_ASK);
	assert_int_equal(n->state, NEIGH_INCOMPLETE);
	assert_int_equal(expire_at(r, start + 2 * SECOND, n), NEIGH_ASK);
	assert_int_equal(expire_at(r, start + 3 * SECOND, n), NEIGH_FAIL);
	assert_int_equal(use(r, n, &ask), NEIGH_REFUSE);
	assert_false(ask);
	neigh_postpone(&r->t, n, start + 4 * SECOND);
	assert_int_equal(expire_at(r, start + 4 * SECOND, n), NEIGH_GONE);
	neigh_forget(&r->t, n);
	assert_null(neigh_find(&r->t, 4, address(1)));
	assert_int_equal(r->t.used, 0);
}

static void stale__is_probed_while_frames_pass(void **state)
{
	struct room *r = *state;
	struct neigh *const n = known(r, 1);
	uint32_t start;
	bool ask;

	r->now += NEIGH_REACHABLE_MS - 1;
	assert_int_equal(use(r, n, &ask), NEIGH_PASS);
	assert_false(ask);
	start = ++r->now;
	assert_int_equal(use(r, n, &ask), NEIGH_PASS);
	assert_true(ask);
	assert_int_equal(n->state, NEIGH_PROBE);
	assert_int_equal(use(r, n, &ask), NEIGH_PASS);
	assert_false(ask);
	assert_int_equal(expire_at(r, start + SECOND, n), NEIGH_ASK);
	assert_true(neigh_learn(n, mac_a, BOTH, r->now));
	assert_int_equal(n->state, NEIGH_KNOWN);
	r->now += NEIGH_REACHABLE_MS;
	start = r->now;
	assert_int_equal(use(r, n, &ask), NEIGH_PASS);
	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(expire_at(r, start + i * SECOND, n), i < 3 ? NEIGH_ASK : NEIGH_GONE);
	assert_int_equal(use(r, n, &ask), NEIGH_PASS);
	neigh_forget(&r->t, n);
}

/* RFC 4861 7.2.5, and ARP as io/neigh.c puts it in these words. */
static void learning__by_state_and_word(void **state)
{
	static const struct {
		enum neigh_state in;
		const uint8_t *mac;
		unsigned word;
		bool learned;
		enum neigh_state then;
		const uint8_t *now; /* its address then */
		bool stale;
	} cases[] = {
		{ NEIGH_IDLE, mac_a, BOTH, false, NEIGH_IDLE, NULL, false },
		{ NEIGH_INCOMPLETE, NULL, BOTH, false, NEIGH_INCOMPLETE, NULL, false },
		{ NEIGH_INCOMPLETE, mac_a, 0, false, NEIGH_INCOMPLETE, NULL, false },
		{ NEIGH_INCOMPLETE, mac_a, NEIGH_OVERRIDE, false, NEIGH_INCOMPLETE, NULL, false },
		{ NEIGH_INCOMPLETE, mac_a, NEIGH_SOLICITED, true, NEIGH_KNOWN, mac_a, false },
		{ NEIGH_INCOMPLETE, mac_a, BOTH, true, NEIGH_KNOWN, mac_a, false },
		{ NEIGH_FAILED, mac_a, NEIGH_OVERRIDE, false, NEIGH_FAILED, NULL, false },
		{ NEIGH_FAILED, mac_a, BOTH, true, NEIGH_KNOWN, mac_a, false },
		{ NEIGH_KNOWN, mac_a, 0, true, NEIGH_KNOWN, mac_a, false },
		{ NEIGH_KNOWN, mac_b, 0, true, NEIGH_KNOWN, mac_a, true },
		{ NEIGH_KNOWN, mac_b, NEIGH_SOLICITED, true, NEIGH_KNOWN, mac_a, true },
		{ NEIGH_KNOWN, mac_b, NEIGH_OVERRIDE, true, NEIGH_KNOWN, mac_b, true },
		{ NEIGH_KNOWN, mac_b, BOTH, true, NEIGH_KNOWN, mac_b, false },
		{ NEIGH_KNOWN, NULL, BOTH, true, NEIGH_KNOWN, mac_a, false },
		{ NEIGH_PROBE, mac_a, 0, true, NEIGH_PROBE, mac_a, false },
		{ NEIGH_PROBE, NULL, NEIGH_SOLICITED, true, NEIGH_KNOWN, mac_a, false },
		{ NEIGH_PROBE, mac_b, NEIGH_SOLICITED, true, NEIGH_PROBE, mac_a, false },
		{ NEIGH_PROBE, mac_b, NEIGH_OVERRIDE, true, NEIGH_KNOWN, mac_b, true },
		{ NEIGH_PROBE, mac_b, BOTH, true, NEIGH_KNOWN, mac_b, false },
	};
	struct room *r = *state;
	bool ask;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct neigh *const n = add(r, 1);

		if (cases[i].in != NEIGH_IDLE)
			use(r, n, &ask);
		while (cases[i].in == NEIGH_FAILED && n->state != NEIGH_FAILED)
			neigh_expire(&r->t, n, r->now + SECOND);
		if (cases[i].in == NEIGH_KNOWN || cases[i].in == NEIGH_PROBE)
			neigh_learn(n, mac_a, BOTH, r->now);
		if (cases[i].in == NEIGH_PROBE) {
			r->now += NEIGH_REACHABLE_MS;
			use(r, n, &ask);
		}
		assert_int_equal(n->state, cases[i].in);
		if (neigh_learn(n, cases[i].mac, cases[i].word, r->now) != cases[i].learned ||
		    n->state != cases[i].then ||
		    (cases[i].now && memcmp(n->mac, cases[i].now, 6) != 0))
			fail_msg("case %zu: state %u", i, n->state);
		assert_true(neigh_check(&r->t));
		if (cases[i].then == NEIGH_KNOWN) {
			assert_int_equal(use(r, n, &ask), NEIGH_PASS);
			if (ask != cases[i].stale)
				fail_msg("case %zu: stale %d", i, ask);
		}
		neigh_forget(&r->t, n);
	}
}

static void full__the_one_used_longest_ago_goes(void **state)
{
	struct room *r = *state;
	struct neigh *n[SIZE];
	bool ask;

	n[0] = neigh_add(&r->t, 4, address(0), true);
	for (uint32_t i = 1; i < SIZE; i++)
		n[i] = add(r, i);
	assert_null(add(r, 99));
	assert_int_equal(r->t.peak, SIZE);
	use(r, n[1], &ask);
	use(r, n[0], &ask);
	assert_ptr_equal(neigh_oldest(&r->t), n[2]);
	for (uint32_t i = 2; i < SIZE; i++) {
		assert_ptr_equal(neigh_oldest(&r->t), n[i]);
		neigh_forget(&r->t, n[i]);
	}
	assert_ptr_equal(neigh_oldest(&r->t), n[1]);
	neigh_forget(&r->t, n[1]);
	assert_null(neigh_oldest(&r->t));
	neigh_forget(&r->t, n[0]); /* stays, as a gateway does */
	assert_ptr_equal(neigh_find(&r->t, 4, address(0)), n[0]);
	assert_int_equal(n[0]->state, NEIGH_IDLE);
	assert_false(neigh_deadline(&r->t, &(uint32_t){ 0 }));
}

/* The same octets under two versions, and IPv6 addresses that differ in one word. */
static void addresses__do_not_mix(void **state)
{
	struct room *r = *state;

	for (uint32_t i = 0; i < 4; i++) {
		uint32_t words[4] = { 1, 2, 3, 4 };

		words[i] = 99;
		assert_non_null(neigh_add(&r->t, 6, words, false));
	}
	assert_non_null(add(r, 1));
	assert_non_null(neigh_add(&r->t, 6, address(1), false));
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t words[4] = { 1, 2, 3, 4 };

		words[i] = 99;
		assert_memory_equal(neigh_find(&r->t, 6, words)->address, words, 16);
		assert_null(neigh_find(&r->t, 4, words));
	}
	assert_int_equal(neigh_find(&r->t, 4, address(1))->version, 4);
	assert_int_equal(neigh_find(&r->t, 6, address(1))->version, 6);
}

/* Whatever happens, lists and counts agree, and nothing is due twice. */
static void random_life__stays_sound(void **state)
{
	struct room *r = *state;
	uint64_t random = 7;

	for (unsigned i = 0; i < 200000; i++) {
		const uint32_t who = random_below(&random, 3 * SIZE);
		struct neigh *n = neigh_find(&r->t, 4, address(who));
		bool ask;

		switch (random_below(&random, 4)) {
		case 0:
			if (n == NULL && r->t.unused == NULL)
				neigh_forget(&r->t, neigh_oldest(&r->t));
			if (n == NULL)
				n = add(r, who);
			use(r, n, &ask);
			break;
		case 1:
			if (n != NULL)
				neigh_learn(n, random_below(&random, 2) ? mac_a : mac_b,
					    random_below(&random, 4), r->now);
			break;
		case 2:
			if (n != NULL && random_below(&random, 4) == 0)
				neigh_forget(&r->t, n);
			break;
		case 3:
			r->now += random_below(&random, 3000);
			break;
		}
		while ((n = neigh_due(&r->t, r->now)) != NULL)
			if (neigh_expire(&r->t, n, r->now + SECOND) == NEIGH_GONE)
				neigh_forget(&r->t, n);
		if (i % 64 == 0)
			assert_true(neigh_check(&r->t));
	}
}

#define TEST(id, test)                                \
	{                                             \
		id, test, room_open, room_close, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("RFC826-d-tries", unknown__nobody_answers__three_requests_then_failure),
		TEST("RFC826-e-probe", stale__is_probed_while_frames_pass),
		TEST("RFC826-c-table", learning__by_state_and_word),
		TEST("RFC826-d-lru, SEC-33", full__the_one_used_longest_ago_goes),
		TEST("RFC826-keys", addresses__do_not_mix),
		TEST("RFC826-random", random_life__stays_sound),
	};

	return cmocka_run_group_tests_name("Neighbour table", tests, NULL, NULL);
}

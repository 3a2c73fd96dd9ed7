/* SPDX-License-Identifier: BSD-3-Clause */
/* Local ports: RFC 6056 3.3, TW-A4, TW-A7, TW-A12, HF-P1, HF-P2. The world below is what the
 * worker's flow table would say of each port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "rig/random.h"
#include "table/ports.h"

#define DELAY 1000u
#define TW_LEN 60000u

enum what { NOTHING, CONNECTION, BUCKET };

struct world {
	struct secrets secrets;
	struct ports ports;
	void *memory;
	enum what what[65536];
	uint32_t since[65536]; /* BUCKET: it entered TIME-WAIT; NOTHING: the port came free */
	bool before[65536];    /* the list handed it out, and it is what was last in use */
	bool listed[65536];    /* the list has handed it out, or waits for it */
	uint32_t steps;	       /* of the last connect */
};

static int world_open(void **state)
{
	*state = calloc(1, sizeof(struct world));
	return *state == NULL;
}

static int world_close(void **state)
{
	struct world *w = *state;

	free(w->memory);
	free(w);
	return 0;
}

static struct flow target(uint32_t remote)
{
	return (struct flow){ .v4 = { .local = 1, .remote = remote, .remote_port = 80 },
			      .version = 4 };
}

static void make(struct world *w, uint64_t seed, uint32_t lists, uint16_t first, uint16_t last)
{
	const size_t octets = ports_memory(lists, first, last);

	free(w->memory);
	w->memory = aligned_alloc(64, octets);
	assert_non_null(w->memory);
	memset(w->memory, 0, octets);
	memset(w->what, 0, sizeof(w->what));
	memset(w->before, 0, sizeof(w->before));
	memset(w->listed, 0, sizeof(w->listed));
	secrets_seed(&w->secrets, seed);
	assert_int_equal(ports_init(&w->ports, w->memory, lists, first, last, &w->secrets), 0);
}

static struct port_list *one_list(struct world *w, uint16_t first, uint16_t last)
{
	const struct flow flow = target(2);

	make(w, 1, 1, first, last);
	return ports_list(&w->ports, &flow, true);
}

/* An active OPEN as the worker does it: a port, or -EADDRNOTAVAIL. */
static int connect(struct world *w, struct port_list *list, uint32_t now, bool reuse)
{
	struct port_candidate c = { 0 };
	uint16_t drawn = 0;
	int rc;

	if (now % 2)
		ports_draw(list, now, &drawn);
	while ((rc = ports_next(list, now, DELAY, reuse, &c)) == 0) {
		const uint32_t since = w->since[c.port];

		assert_true(drawn == 0 || c.steps > 1 || c.port == drawn);
		if (w->what[c.port] == NOTHING ||
		    (w->what[c.port] == BUCKET && reuse && now - since > DELAY))
			break;
		ports_skip(list, &c);
	}
	assert_in_range(c.steps, 0, PORT_STEPS);
	w->steps = c.steps;
	if (rc != 0)
		return rc;
	/* TW-A12: two timestamp ticks since the port was last used */
	assert_true(w->what[c.port] == BUCKET || !w->before[c.port] || now - w->since[c.port] >= 2);
	ports_take(list, &c);
	w->what[c.port] = CONNECTION;
	w->listed[c.port] = true;
	w->before[c.port] = true;
	return c.port;
}

static void release(struct world *w, struct port_list *list, uint16_t port, uint32_t now)
{
	const bool bucket = w->what[port] == BUCKET, listed = w->listed[port];

	w->what[port] = NOTHING;
	w->listed[port] = false;
	w->since[port] = now;
	if (listed && bucket)
		ports_release(list, port, now);
	else if (listed)
		ports_return(list, port, now);
}

static void enter_time_wait(struct world *w, struct port_list *list, uint16_t port, uint32_t now)
{
	w->what[port] = BUCKET;
	w->since[port] = now;
	if (w->listed[port])
		ports_wait(list, port, now);
	assert_true(list->waiting_tail - list->waiting_head <= list->mask + 1);
}

/* Ports of count connects, each held for a while, the clock going on 1 ms every 64 of them. */
static void sequence(struct world *w, struct port_list *list, uint16_t *out, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const int port = connect(w, list, i / 64, false);

		assert_true(port > 0);
		out[i] = (uint16_t)port;
		w->what[port] = NOTHING; /* the lists share one world; each has its own tuples */
		w->before[port] = false;
		if (i >= 500)
			ports_return(list, out[i - 500], i / 64);
	}
}

/* Pearson's r times sqrt(n): normal if x and y have nothing to do with each other. */
static double correlation(const double *x, const double *y, uint32_t n)
{
	double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;

	for (uint32_t i = 0; i < n; i++) {
		sx += x[i];
		sy += y[i];
		sxx += x[i] * x[i];
		syy += y[i] * y[i];
		sxy += x[i] * y[i];
	}
	return (sxy - sx * sy / n) / sqrt((sxx - sx * sx / n) * (syy - sy * sy / n)) * sqrt(n);
}

#define CONNECTS 100000u
#define RANGE 64512u

static void two_targets__many_connects__sequences_independent(void **state)
{
	struct world *w = *state;
	const struct flow flow_a = target(2), flow_b = target(3);
	uint16_t *a = calloc(CONNECTS, sizeof(*a)), *b = calloc(CONNECTS, sizeof(*b));
	double *x = calloc(CONNECTS, sizeof(*x)), *y = calloc(CONNECTS, sizeof(*y));
	uint32_t same = 0, same_step = 0, ahead = 0;

	make(w, 1, 2, 1024, 65535);
	sequence(w, ports_list(&w->ports, &flow_a, true), a, CONNECTS);
	sequence(w, ports_list(&w->ports, &flow_b, true), b, CONNECTS);
	for (uint32_t i = 1; i < CONNECTS; i++) {
		same += a[i] == b[i];
		same_step += (uint16_t)(a[i] - a[i - 1]) == (uint16_t)(b[i] - b[i - 1]);
		ahead += (uint16_t)(a[i] - a[i - 1]) == 1;
	}
	/* by chance 1.5 of each */
	assert_in_range(same, 0, 12);
	assert_in_range(same_step, 0, 12);
	assert_in_range(ahead, 0, 12);
	for (uint32_t lag = 0; lag < 8; lag++) {
		for (uint32_t i = 0; i + lag < CONNECTS; i++) {
			x[i] = a[i];
			y[i] = b[i + lag];
		}
		assert_true(fabs(correlation(x, y, CONNECTS - lag)) < 5);
		for (uint32_t i = 0; lag > 0 && i + lag < RANGE; i++)
			y[i] = a[i + lag];
		if (lag > 0)
			assert_true(fabs(correlation(x, y, RANGE - lag)) < 5);
	}
	free(a);
	free(b);
	free(x);
	free(y);
}

static void range__many_rounds__all_used_in_another_order(void **state)
{
	struct world *w = *state;
	const uint32_t range = 4096;
	struct port_list *list = one_list(w, 1024, 5119);
	uint16_t *ports = calloc(4 * (size_t)range, sizeof(*ports));
	uint8_t *times = calloc(65536, 1);
	uint32_t same_pair = 0;
	uint16_t after[65536] = { 0 }; /* which port followed this one in the first round */

	sequence(w, list, ports, 4 * range);
	for (uint32_t i = 0; i < 4 * range; i++) {
		assert_in_range(ports[i], 1024, 5119);
		times[ports[i]]++;
	}
	/* near enough the same number of times, so none is left out */
	for (uint32_t port = 1024; port <= 5119; port++)
		assert_in_range(times[port], 3, 5);
	for (uint32_t i = 1; i < range; i++)
		after[ports[i - 1]] = ports[i];
	for (uint32_t i = range + 1; i < 2 * range; i++)
		same_pair += after[ports[i - 1]] == ports[i];
	assert_true(same_pair < range / 4);
	free(ports);
	free(times);
}

static void seeds__two__two_orders(void **state)
{
	struct world *w = *state;
	const struct flow flow = target(2);
	uint16_t order[3][1000];
	uint32_t same = 0;

	for (uint64_t i = 0; i < 3; i++) {
		make(w, 1 + i % 2, 1, 1024, 65535);
		sequence(w, ports_list(&w->ports, &flow, true), order[i], 1000);
	}
	assert_memory_equal(order[0], order[2], sizeof(order[0]));
	for (int i = 0; i < 1000; i++)
		same += order[0][i] == order[1][i];
	assert_in_range(same, 0, 3);
}

static void ten_ports__eleven_connects__the_last_has_none(void **state)
{
	struct world *w = *state;
	struct port_list *list = one_list(w, 40000, 40009);
	int port = 0;

	for (int i = 0; i < 10; i++) {
		port = connect(w, list, 5, true);
		assert_in_range(port, 40000, 40009);
	}
	assert_int_equal(connect(w, list, 5, true), -EADDRNOTAVAIL);
	release(w, list, (uint16_t)port, 100);
	assert_int_equal(connect(w, list, 102, true), port);
}

/* So that TW-A12 has a newer TSval: not at t and t + 1; also where the clock wraps. */
static void port_released__asked_again__after_two_ticks(void **state)
{
	static const uint32_t times[] = { 0,	      1,	  12345,     0x7fffffff,
					  0xfffffffd, 0xfffffffe, 0xffffffff };
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		const uint32_t t = times[i];
		struct port_list *list = one_list(w, 40000, 40002);
		int ports[3];

		for (int p = 0; p < 3; p++) /* never used: at once, whatever the clock says */
			assert_true((ports[p] = connect(w, list, t, true)) > 0);
		release(w, list, (uint16_t)ports[0], t);
		assert_int_equal(connect(w, list, t, true), -EADDRNOTAVAIL);
		release(w, list, (uint16_t)ports[1], t + 1);
		assert_int_equal(connect(w, list, t + 1, true), -EADDRNOTAVAIL);
		release(w, list, (uint16_t)ports[2], t + 2);
		assert_int_equal(connect(w, list, t + 2, true), ports[0]);
		assert_int_equal(connect(w, list, t + 2, true), -EADDRNOTAVAIL);
		assert_int_equal(connect(w, list, t + 3, true), ports[1]);
		assert_int_equal(connect(w, list, t + 3, true), -EADDRNOTAVAIL);
		assert_int_equal(connect(w, list, t + 4, true), ports[2]);
		/* two that came far apart */
		release(w, list, (uint16_t)ports[0], t + 100);
		release(w, list, (uint16_t)ports[1], t + 200);
		assert_int_equal(connect(w, list, t + 200, true), ports[0]);
		assert_int_equal(connect(w, list, t + 201, true), -EADDRNOTAVAIL);
		assert_int_equal(connect(w, list, t + 202, true), ports[1]);
		/* nothing is left, even when the clock comes round to that tick again */
		for (uint32_t later = t + 199; later != t + 203; later++)
			assert_int_equal(connect(w, list, later, true), -EADDRNOTAVAIL);
	}
}

static void port_waiting__delay_over__reused_one_tick_after(void **state)
{
	static const uint32_t times[] = { 0, 5, 0x7ffffe00, 0xfffffc17, 0xffffffff };
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct port_list *list = one_list(w, 40000, 40000);

		assert_int_equal(connect(w, list, times[i] - 1, true), 40000);
		enter_time_wait(w, list, 40000, times[i]);
		assert_int_equal(connect(w, list, times[i], true), -EADDRNOTAVAIL);
		assert_int_equal(connect(w, list, times[i] + 1000, true), -EADDRNOTAVAIL);
		assert_int_equal(connect(w, list, times[i] + 1001, false), -EADDRNOTAVAIL);
		assert_int_equal(connect(w, list, times[i] + 1001, true), 40000);
		assert_int_equal(connect(w, list, times[i] + 1001, true), -EADDRNOTAVAIL);
	}
}

/* Free ones first; when there are none, waiting ones from the oldest on; one or two steps each. */
static void shares_waiting__connects__cost_the_same(void **state)
{
	static const uint32_t shares[] = { 0, 50, 100 };
	struct world *w = *state;

	for (size_t s = 0; s < 3; s++) {
		struct port_list *list = one_list(w, 1024, 65535);
		const uint32_t waiting = RANGE * shares[s] / 100;
		uint32_t last = 0;

		for (uint32_t i = 0; i < waiting; i++) {
			const int port = connect(w, list, i / 1000, true);

			assert_true(port > 0);
			enter_time_wait(w, list, (uint16_t)port, i / 1000);
		}
		for (uint32_t i = 0; i < RANGE; i++) {
			struct port_candidate c = { 0 };

			assert_int_equal(ports_next(list, 5000, DELAY, true, &c), 0);
			assert_int_equal(c.steps, 1);
			assert_true(c.from_waiting == (i >= RANGE - waiting));
			if (c.from_waiting) {
				assert_true(w->since[c.port] >= last);
				last = w->since[c.port];
			}
			ports_take(list, &c);
		}
		assert_int_equal(connect(w, list, 5000, true), -EADDRNOTAVAIL);
	}
}

/* Connects at a steady rate for several times 2MSL, every connection ends in TIME-WAIT and its
 * bucket expires: a search is one step, and the waiting ring holds no more than what waits. */
static void steady_state__connects__one_step_each(void **state)
{
	struct world *w = *state;
	struct port_list *list =
		one_list(w, 1024, 9215); /* 8192 ports, at 100 a second 6000 of them wait */
	uint16_t fifo[8192];
	uint32_t head = 0, tail = 0;

	for (uint32_t now = 0; now < 5 * TW_LEN; now += 10) {
		const int port = connect(w, list, now, true);

		assert_true(port > 0);
		assert_int_equal(w->steps, 1);
		enter_time_wait(w, list, (uint16_t)port, now);
		fifo[tail++ % 8192] = (uint16_t)port;
		while (now - w->since[fifo[head % 8192]] >= TW_LEN && head != tail)
			release(w, list, fifo[head++ % 8192], now);
		assert_in_range(list->waiting_tail - list->waiting_head, 0, tail - head + 1);
	}
}

/* More waiting entries gone stale than a search may look at: it ends, and the next ones get on. */
static void stale_entries__searched__bounded(void **state)
{
	struct world *w = *state;
	struct port_list *list = one_list(w, 1000, 1999);
	uint32_t failed = 0;
	int port;

	for (int i = 0; i < 1000; i++) {
		assert_true((port = connect(w, list, 0, true)) > 0);
		enter_time_wait(w, list, (uint16_t)port, 0);
	}
	/* all but the last one are reopened by users' choice of port, which the list is not told */
	for (int i = 1000; i < 2000; i++)
		w->what[i] = i == port ? BUCKET : CONNECTION;
	while (connect(w, list, 2000, true) < 0) {
		assert_int_equal(w->steps, PORT_STEPS);
		failed++;
	}
	assert_int_equal(failed, 999 / PORT_STEPS);
	assert_int_equal(w->what[port], CONNECTION);
}

/* Entries never taken off because something old blocks the head: the ring does not overflow. */
static void waiting_ring__full__drops_the_oldest(void **state)
{
	struct world *w = *state;
	struct port_list *list = one_list(w, 2000, 2015);
	const int blocked = connect(w, list, 0, true);
	uint32_t now = 0;

	enter_time_wait(w, list, (uint16_t)blocked, 0);
	for (; now < 1000; now++) { /* evicted at once, over and over */
		const int port = connect(w, list, now, true);

		assert_true(port > 0);
		enter_time_wait(w, list, (uint16_t)port, now);
		release(w, list, (uint16_t)port, now);
	}
	release(w, list, (uint16_t)blocked, now);
	for (int i = 0; i < 16; i++)
		assert_true(connect(w, list, now + 2, true) > 0);
	assert_int_equal(connect(w, list, now + 2, true), -EADDRNOTAVAIL);
}

/* Whatever happens, in any order: no port is handed out twice, early, or lost. */
static void random_life__whatever_happens__no_port_lost_or_doubled(void **state)
{
	struct world *w = *state;
	uint64_t seed = 7;

	for (int round = 0; round < 8; round++) {
		const uint16_t first = 30000, last = (uint16_t)(first + 20 * round + 1);
		struct port_list *list = one_list(w, first, last);
		uint32_t now = 0xffffffffu - 10000, count = 0;

		for (int i = 0; i < 50000; i++) {
			const uint16_t port =
				(uint16_t)(first + random_below(&seed, last - first + 1u));
			const bool bucket = w->what[port] == BUCKET;

			now += random_below(&seed, 8) == 0 ? random_below(&seed, 40) : 0;
			switch (random_below(&seed, 8)) {
			case 0: /* the user's choice of port, unknown to the list */
				if (w->what[port] == NOTHING)
					w->before[port] = false;
				if (bucket && w->listed[port])
					ports_claim(list, port);
				w->what[port] = CONNECTION;
				break;
			case 1: /* TIME-WAIT ends, or is evicted */
				if (bucket)
					release(w, list, port, now);
				break;
			case 2:
				if (w->what[port] == CONNECTION)
					release(w, list, port, now);
				break;
			case 3:
				if (w->what[port] == CONNECTION)
					enter_time_wait(w, list, port, now);
				break;
			case 4: /* a second release of it, or of a port that is not in the list */
				if (w->what[port] == NOTHING && w->before[port])
					ports_release(list, port, now);
				ports_release(list, (uint16_t)(last + 1), now);
				ports_wait(list, (uint16_t)(first - 1), now);
				break;
			default:
				(void)connect(w, list, now, random_below(&seed, 4) > 0);
			}
		}
		for (uint32_t port = first; port <= last; port++)
			release(w, list, (uint16_t)port, now);
		while (connect(w, list, now + 2, true) > 0)
			count++;
		assert_int_equal(count, last - first + 1u);
	}
}

static bool every_third(void *arg, const struct flow *flow)
{
	++*(uint32_t *)arg;
	return flow->v4.remote == 2 && flow->v4.local_port % 3 == 0;
}

static void filter__list_made__holds_only_our_ports(void **state)
{
	struct world *w = *state;
	const struct flow flow = target(2);
	struct port_list *list;
	uint32_t asked = 0;

	make(w, 1, 1, 3000, 3299);
	ports_filter(&w->ports, every_third, &asked);
	list = ports_list(&w->ports, &flow, true);
	ports_release(list, 3001, 0); /* another worker's */
	for (int i = 0; i < 100; i++) {
		const int port = connect(w, list, 10, true);

		assert_in_range(port, 3000, 3299);
		assert_int_equal(port % 3, 0);
	}
	assert_int_equal(connect(w, list, 10, true), -EADDRNOTAVAIL);
	assert_int_equal(asked, 300);
}

static void lists__made__found_by_tuple_and_number(void **state)
{
	struct world *w = *state;
	struct flow flow;

	make(w, 1, 64, 1000, 1010);
	for (uint16_t i = 0; i < 64; i++) {
		flow = i % 2 ? target(i) : (struct flow){ .v6.remote = { i }, .version = 6 };
		assert_null(ports_list(&w->ports, &flow, false));
		assert_ptr_equal(ports_list(&w->ports, &flow, true), ports_at(&w->ports, i));
	}
	for (uint16_t i = 0; i < 64; i++) {
		flow = i % 2 ? target(i) : (struct flow){ .v6.remote = { i }, .version = 6 };
		if (i % 2)
			flow.v4.local_port = i;
		assert_int_equal(ports_number(&w->ports, ports_list(&w->ports, &flow, true)), i);
	}
	flow = target(100);
	assert_null(ports_list(&w->ports, &flow, true));
	flow = target(1);
	flow.v4.remote_port++;
	assert_null(ports_list(&w->ports, &flow, true));
}

/* An IPv6 list whose first octets read like an IPv4 tuple, wherever the hash puts it. */
static void lists__versions__kept_apart(void **state)
{
	struct world *w = *state;
	const struct flow v4 = target(2);

	for (uint32_t i = 0; i < 500; i++) {
		struct flow v6 = { .v6.remote = { i }, .version = 6 };

		memcpy(v6.v6.local, &v4.v4, sizeof(v4.v4));
		make(w, i, 1, 1000, 1000);
		assert_non_null(ports_list(&w->ports, &v6, true));
		assert_null(ports_list(&w->ports, &v4, false));
	}
}

static void memory__sizes__bounded(void **state)
{
	struct ports ports;

	(void)state;
	assert_true(ports_memory(64, 1024, 65535) <= (size_t)36 << 20);
	assert_int_equal(ports_init(&ports, NULL, 1, 0, 10, NULL), -EINVAL);
	assert_int_equal(ports_init(&ports, NULL, 1, 11, 10, NULL), -EINVAL);
	assert_int_equal(ports_init(&ports, NULL, 0, 1, 10, NULL), -EINVAL);
	assert_int_equal(ports_init(&ports, NULL, 32769, 1, 10, NULL), -EINVAL);
}

#define TEST(name, function)                                  \
	{                                                     \
		name, function, world_open, world_close, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("RFC6056-3.3, SEC-24", two_targets__many_connects__sequences_independent),
		TEST("RFC6056-3.3-rounds", range__many_rounds__all_used_in_another_order),
		TEST("RFC6056-3.3-seeds, SEC-24", seeds__two__two_orders),
		TEST("HF-P1", filter__list_made__holds_only_our_ports),
		TEST("HF-P2", ten_ports__eleven_connects__the_last_has_none),
		TEST("TW-A4", port_waiting__delay_over__reused_one_tick_after),
		TEST("TW-A7", shares_waiting__connects__cost_the_same),
		TEST("TW-A7-ticks", port_released__asked_again__after_two_ticks),
		TEST("TW-A7-steady", steady_state__connects__one_step_each),
		TEST("TW-A7-bound", stale_entries__searched__bounded),
		TEST("TW-A7-full", waiting_ring__full__drops_the_oldest),
		TEST("TW-A7-random", random_life__whatever_happens__no_port_lost_or_doubled),
		TEST("ports-lists", lists__made__found_by_tuple_and_number),
		TEST("ports-lists-versions", lists__versions__kept_apart),
		TEST("HF-L12", memory__sizes__bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

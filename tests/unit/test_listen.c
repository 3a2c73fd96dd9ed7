/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners: RFC 9293 3.9.1.1, MUST-41..43. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "rig/random.h"
#include "table/listen.h"

#define SIZE 1000

struct room {
	struct listeners listeners;
	void *memory;
};

static int room_open(void **state)
{
	struct room *r = calloc(1, sizeof(*r));
	const size_t octets = listen_memory(SIZE);

	assert_non_null(r);
	r->memory = aligned_alloc(64, octets);
	assert_non_null(r->memory);
	memset(r->memory, 0, octets);
	assert_int_equal(listen_init(&r->listeners, r->memory, SIZE), 0);
	*state = r;
	return 0;
}

static int room_close(void **state)
{
	struct room *r = *state;

	free(r->memory);
	free(r);
	return 0;
}

static struct flow flow4(uint32_t local, uint16_t port)
{
	return (struct flow){
		.v4 = { .local = local, .remote = 7, .local_port = port, .remote_port = 9 },
		.version = 4
	};
}

static struct flow flow6(uint32_t local, uint16_t port)
{
	return (struct flow){ .v6 = { .local = { 1, 2, 3, local },
				      .remote = { 7 },
				      .local_port = port,
				      .remote_port = 9 },
			      .version = 6 };
}

static int add(struct room *r, struct flow flow, bool any)
{
	return listen_add(&r->listeners, &flow, any, 42);
}

static int find(struct room *r, struct flow flow)
{
	return listen_find(&r->listeners, &flow);
}

/* Three listeners on one port, exact address wins over wildcard, in every order of coming. */
static void listeners_of_a_port__syn__meets_the_most_exact(void **state)
{
	static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					  { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	struct room *r = *state;

	for (int version = 4; version <= 6; version += 2) {
		struct flow (*const flow)(uint32_t, uint16_t) = version == 4 ? flow4 : flow6;

		for (int o = 0; o < 6; o++) {
			int index[3];

			for (int i = 0; i < 3; i++) { /* 0: any; 1, 2: on that address */
				const int which = orders[o][i];

				index[which] = add(r, flow((uint32_t)which, 80), which == 0);
				assert_true(index[which] >= 0);
			}
			assert_int_equal(find(r, flow(1, 80)), index[1]);
			assert_int_equal(find(r, flow(2, 80)), index[2]);
			assert_int_equal(find(r, flow(3, 80)), index[0]);
			assert_int_equal(find(r, flow(1, 81)), -1);
			assert_int_equal(r->listeners.at[index[1]].cookie, 42);
			listen_remove(&r->listeners, index[0]);
			assert_int_equal(find(r, flow(3, 80)), -1);
			assert_int_equal(find(r, flow(2, 80)), index[2]);
			listen_remove(&r->listeners, index[2]);
			listen_remove(&r->listeners, index[1]);
			assert_int_equal(find(r, flow(1, 80)), -1);
		}
	}
	assert_int_equal(r->listeners.count, 0);
}

/* A passive OPEN disturbs no other listener. */
static void listener__another_opened__keeps_its_books(void **state)
{
	struct room *r = *state;
	const int index = add(r, flow4(1, 80), false);
	struct listener *l = &r->listeners.at[index];
	struct listener before;

	l->backlog_used = 3;
	l->accept_used = 2;
	l->accept_head = 5;
	l->accept_tail = 6;
	before = *l;
	assert_true(add(r, flow4(2, 80), false) >= 0);
	assert_true(add(r, flow4(1, 81), false) >= 0);
	assert_true(add(r, flow6(1, 80), false) >= 0);
	assert_true(add(r, flow4(0, 80), true) >= 0);
	assert_int_equal(l->backlog_used, before.backlog_used);
	assert_int_equal(l->accept_used, before.accept_used);
	assert_int_equal(l->accept_head, before.accept_head);
	assert_int_equal(l->accept_tail, before.accept_tail);
	assert_int_equal(find(r, flow4(1, 80)), index);
}

static void listener__opened_twice__says_in_use(void **state)
{
	struct room *r = *state;
	const int index = add(r, flow4(1, 80), false);

	assert_int_equal(add(r, flow4(1, 80), false), -EADDRINUSE);
	assert_true(add(r, flow4(1, 80), true) >= 0);
	assert_int_equal(add(r, flow4(2, 80), true), -EADDRINUSE);
	assert_true(add(r, flow6(0, 80), true) >= 0);
	assert_int_equal(add(r, flow6(1, 80), true), -EADDRINUSE);
	listen_remove(&r->listeners, index);
	assert_int_equal(add(r, flow4(1, 80), false), index);
}

static void versions__any_of_one__is_not_the_others(void **state)
{
	struct room *r = *state;
	const int any6 = add(r, flow6(0, 80), true);

	assert_int_equal(find(r, flow4(1, 80)), -1);
	assert_int_equal(find(r, flow6(1, 80)), any6);
	/* an IPv6 address that begins with the octets of an IPv4 one */
	assert_true(add(r, flow4(1, 443), false) >= 0);
	assert_int_equal(find(r, flow6(1, 443)), -1);
}

/* All ports and many addresses against a plain array; every place is used and given back. */
static void random_changes__found_as_a_plain_search_finds(void **state)
{
	struct room *r = *state;
	int model[2][4][SIZE]; /* version, address (3: any), port: index or -1 */
	uint64_t seed = 4;

	memset(model, 0xff, sizeof(model));
	for (int i = 0; i < 100000; i++) {
		const uint32_t address = random_below(&seed, 4), port = random_below(&seed, SIZE);
		const uint32_t six = random_below(&seed, 2);
		const uint16_t real = (uint16_t)(65535 - port * 65);
		const struct flow flow = six ? flow6(address, real) : flow4(address, real);
		int *at = &model[six][address][port];
		const int any = model[six][3][port];

		assert_int_equal(find(r, flow), *at >= 0 ? *at : any);
		if (*at >= 0) {
			listen_remove(&r->listeners, *at);
			*at = -1;
		} else if (r->listeners.count == SIZE) {
			assert_int_equal(add(r, flow, address == 3), -ENOBUFS);
		} else {
			*at = add(r, flow, address == 3);
			assert_in_range(*at, 0, SIZE - 1);
		}
	}
}

static void sizes__outside_the_range__are_refused(void **state)
{
	struct listeners listeners;

	(void)state;
	assert_int_equal(listen_init(&listeners, NULL, 0), -EINVAL);
	assert_int_equal(listen_init(&listeners, NULL, LISTEN_MAX + 1), -EINVAL);
}

#define TEST(name, function)                                \
	{                                                   \
		name, function, room_open, room_close, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("MUST-41", listener__another_opened__keeps_its_books),
		TEST("MUST-42", listeners_of_a_port__syn__meets_the_most_exact),
		TEST("MUST-43", versions__any_of_one__is_not_the_others),
		TEST("MUST-41-in-use", listener__opened_twice__says_in_use),
		TEST("MUST-42-random", random_changes__found_as_a_plain_search_finds),
		TEST("listen-sizes", sizes__outside_the_range__are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

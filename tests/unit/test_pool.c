/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools: handles name distinct entries, levels are counted, faults come when asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "table/pool.h"

#define SIZE 5

#define BODY 40
#define STRIDE4 64
#define STRIDE6 96

struct bed {
	struct pools pools;
	alignas(64) char requests[SIZE * STRIDE4], requests6[SIZE * STRIDE6];
};

static void bed_make(struct bed *b)
{
	memset(b, 0, sizeof(*b));
	pools_init(&b->pools, b->requests);
	pool_init(&b->pools, KIND_REQUEST, 4, b->requests, BODY, SIZE);
	pool_init(&b->pools, KIND_REQUEST, 6, b->requests6, BODY, SIZE);
}

static void take__until_empty__refused_and_counted(void **state)
{
	struct bed b;
	const struct pool *p = pools_pool(&b.pools, KIND_REQUEST, 4);
	handle h[SIZE];

	(void)state;
	bed_make(&b);
	for (unsigned i = 0; i < SIZE; i++) {
		h[i] = pools_take(&b.pools, KIND_REQUEST, 4);
		assert_int_equal(handle_kind(h[i]), KIND_REQUEST);
		assert_int_equal(handle_version(h[i]), 4);
		assert_int_equal(h[i], pool_nth(p, i));
		assert_ptr_equal(pools_tuple(&b.pools, h[i]), b.requests + i * STRIDE4);
		assert_ptr_equal(pools_body(&b.pools, h[i]), b.requests + i * STRIDE4 + 24);
	}
	assert_int_equal(pools_take(&b.pools, KIND_REQUEST, 4), HANDLE_NONE);
	assert_int_equal(pools_take(&b.pools, KIND_BUCKET, 4), HANDLE_NONE);
	assert_int_equal(p->refused, 1);
	assert_int_equal(p->used, SIZE);
	for (unsigned i = 0; i < SIZE; i++)
		pools_give(&b.pools, h[i]);
	assert_int_equal(p->used, 0);
	assert_int_equal(p->peak, SIZE);
	assert_int_equal(pools_take(&b.pools, KIND_REQUEST, 4), h[SIZE - 1]); /* the warm one */
	assert_int_equal(p->peak, SIZE);
}

static void take__other_version__other_pool(void **state)
{
	struct bed b;
	handle h;

	(void)state;
	bed_make(&b);
	h = pools_take(&b.pools, KIND_REQUEST, 6);
	assert_int_equal(handle_version(h), 6);
	assert_ptr_equal(pools_tuple(&b.pools, h), b.requests6 + 8);
	assert_ptr_equal(pools_body(&b.pools, h), b.requests6 + 8 + 36 + sizeof(struct entry));
	assert_int_equal(pools_pool(&b.pools, KIND_REQUEST, 4)->used, 0);
}

static void give__then_take__generation_survives(void **state)
{
	struct bed b;
	uint32_t *generation;
	handle h;

	(void)state;
	bed_make(&b);
	h = pools_take(&b.pools, KIND_REQUEST, 4);
	generation = pools_body(&b.pools, h);
	*generation = 7;
	pools_give(&b.pools, h);
	assert_int_equal(pools_take(&b.pools, KIND_REQUEST, 4), h);
	assert_int_equal(*generation, 7);
}

static void hold__handle_of_none__told(void **state)
{
	const struct pool *p;
	struct bed b;

	(void)state;
	bed_make(&b);
	p = pools_pool(&b.pools, KIND_REQUEST, 6);
	for (unsigned i = 0; i < SIZE; i++)
		assert_true(pools_hold(&b.pools, pool_nth(p, i)));
	assert_false(pools_hold(&b.pools, pool_nth(p, SIZE)));
	assert_false(pools_hold(&b.pools, p->first - 1));
	assert_false(pools_hold(&b.pools, HANDLE_NONE));
	assert_false(pools_hold(&b.pools, handle_make(KIND_BUCKET, 6, handle_place(p->first))));
}

static void take__nth__fails_once(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= SIZE; n++) {
		struct bed b;

		bed_make(&b);
		b.pools.fail_in = n;
		for (unsigned i = 1; i <= SIZE; i++)
			assert_int_equal(pools_take(&b.pools, KIND_REQUEST, 4) == HANDLE_NONE,
					 i == n);
		assert_int_equal(pools_pool(&b.pools, KIND_REQUEST, 4)->refused, 1);
		assert_int_equal(pools_pool(&b.pools, KIND_REQUEST, 4)->used, SIZE - 1);
		assert_int_not_equal(pools_take(&b.pools, KIND_REQUEST, 4), HANDLE_NONE);
		assert_int_equal(b.pools.fail_in, 0);
	}
}

/* Whether the second pools_give of one entry ends a process. */
static void give__twice__aborts(void **state)
{
	struct bed b;
	handle h;
	int status;
	pid_t child;

	(void)state;
	bed_make(&b);
	h = pools_take(&b.pools, KIND_REQUEST, 4);
	pools_give(&b.pools, h);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)signal(SIGABRT, SIG_DFL);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(1);
		pools_give(&b.pools, h);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "HF-L5", take__until_empty__refused_and_counted, NULL, NULL, NULL },
		{ "HF-H4", take__other_version__other_pool, NULL, NULL, NULL },
		{ "HF-H3", take__nth__fails_once, NULL, NULL, NULL },
		{ "give, then take: generation survives", give__then_take__generation_survives,
		  NULL, NULL, NULL },
		{ "hold: a handle of none is told", hold__handle_of_none__told, NULL, NULL, NULL },
		{ "give twice: aborts", give__twice__aborts, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools: handles name distinct entries, levels are counted, faults come when asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "table/pool.h"

#define SIZE 5

struct thing {
	struct entry entry;
	uint32_t tuple[3];
	uint32_t generation;
};

struct bed {
	struct pools pools;
	struct thing requests[SIZE], requests6[SIZE];
};

static void bed_make(struct bed *b)
{
	memset(b, 0, sizeof(*b));
	pool_init(pools_of(&b->pools, KIND_REQUEST, 4), b->requests, sizeof(struct entry),
		  sizeof(struct thing), SIZE);
	pool_init(pools_of(&b->pools, KIND_REQUEST, 6), b->requests6, sizeof(struct entry),
		  sizeof(struct thing), SIZE);
}

static void take__until_empty__refused_and_counted(void **state)
{
	struct bed b;
	struct pool *p = pools_of(&b.pools, KIND_REQUEST, 4);
	handle h[SIZE];

	(void)state;
	bed_make(&b);
	for (unsigned i = 0; i < SIZE; i++) {
		h[i] = pools_take(&b.pools, KIND_REQUEST, 4);
		assert_int_equal(handle_kind(h[i]), KIND_REQUEST);
		assert_int_equal(handle_version(h[i]), 4);
		assert_ptr_equal(pools_at(&b.pools, h[i]), &b.requests[i]);
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
	assert_ptr_equal(pools_at(&b.pools, h), &b.requests6[0]);
	assert_int_equal(pools_of(&b.pools, KIND_REQUEST, 4)->used, 0);
}

static void give__then_take__generation_survives(void **state)
{
	struct bed b;
	struct thing *t;
	handle h;

	(void)state;
	bed_make(&b);
	h = pools_take(&b.pools, KIND_REQUEST, 4);
	t = pools_at(&b.pools, h);
	t->generation = 7;
	pools_give(&b.pools, h);
	assert_int_equal(pools_take(&b.pools, KIND_REQUEST, 4), h);
	assert_int_equal(t->generation, 7);
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
		assert_int_equal(pools_of(&b.pools, KIND_REQUEST, 4)->refused, 1);
		assert_int_equal(pools_of(&b.pools, KIND_REQUEST, 4)->used, SIZE - 1);
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
		{ "give twice: aborts", give__twice__aborts, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

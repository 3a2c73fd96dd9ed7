/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyed numbers: RFC 9293 3.4.1, RFC 6528 3, RFC 7323 5.4. The distribution tests see 10^6 numbers
 * of neighbouring tuples and allow five sigma; they are seeded, so they do not flap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "table/iss.h"

#define N 1000000u
#define NOW 123456789u

static struct flow flow_of(uint8_t version, uint32_t i)
{
	struct flow flow = { .version = version };

	/* neighbours: remote port, then local port, then address */
	if (version == 4) {
		flow.v4 = (struct tuple4){ .local = 0x0100120a,
					   .remote = 0x0200120a + (i >> 16 << 24),
					   .local_port = (uint16_t)(1024 + (i >> 8 & 0xff)),
					   .remote_port = (uint16_t)(i & 0xff) };
	} else {
		flow.v6 = (struct tuple6){ .local = { 0xb80d0120, 0, 0, 1 },
					   .remote = { 0xb80d0120, 0, 0, 2 + (i >> 16) },
					   .local_port = (uint16_t)(1024 + (i >> 8 & 0xff)),
					   .remote_port = (uint16_t)(i & 0xff) };
	}
	return flow;
}

static int numbers_open(void **state)
{
	*state = calloc(N, sizeof(uint32_t));
	return *state == NULL;
}

static int numbers_close(void **state)
{
	free(*state);
	return 0;
}

static void generate(uint32_t *x, uint8_t version)
{
	struct secrets secrets;

	secrets_seed(&secrets, 1);
	for (uint32_t i = 0; i < N; i++) {
		const struct flow flow = flow_of(version, i);

		x[i] = iss_generate(&secrets, &flow, NOW);
	}
}

static void iss__tuples_at_one_instant__bits_balanced(void **state)
{
	uint32_t *x = *state;

	for (uint8_t version = 4; version <= 6; version += 2) {
		generate(x, version);
		for (int bit = 0; bit < 32; bit++) {
			double ones = 0,
			       flips = 0; /* against the tuple before: it differs in a port */

			for (uint32_t i = 0; i < N; i++) {
				ones += x[i] >> bit & 1;
				flips += (x[i] ^ x[i == 0 ? N - 1 : i - 1]) >> bit & 1;
			}
			assert_true(fabs(ones - N / 2.0) < 5 * sqrt(N) / 2);
			assert_true(fabs(flips - N / 2.0) < 5 * sqrt(N) / 2);
		}
	}
}

static void iss__tuples_at_one_instant__no_serial_correlation(void **state)
{
	static const uint32_t lags[] = { 1, 2, 3, 4, 8, 16, 255, 256, 257, 65536 };
	uint32_t *x = *state;

	for (uint8_t version = 4; version <= 6; version += 2) {
		generate(x, version);
		for (size_t l = 0; l < sizeof(lags) / sizeof(lags[0]); l++) {
			double sum =
				0; /* of products of numbers even in -1/2 .. 1/2: variance 1/144 */

			for (uint32_t i = 0; i + lags[l] < N; i++)
				sum += (x[i] / 0x1p32 - 0.5) * (x[i + lags[l]] / 0x1p32 - 0.5);
			assert_true(fabs(sum) < 5 * sqrt(N) / 12);
		}
	}
}

static int compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Pairs of equal numbers among N; even ones have N * N / 2 / 2^32 = 116.4, sigma 10.8. */
static void assert_collisions(uint32_t *x)
{
	int pairs = 0;

	qsort(x, N, sizeof(*x), compare);
	for (uint32_t i = 1; i < N; i++)
		pairs += x[i] == x[i - 1];
	assert_in_range(pairs, 62, 171);
}

static void iss__tuples_at_one_instant__deltas_collide_by_chance(void **state)
{
	uint32_t *x = *state;

	generate(x, 4);
	for (uint32_t i = 0; i < N; i++)
		x[i] = (i + 1 < N ? x[i + 1] : 0) - x[i];
	assert_collisions(x);
	generate(x, 6);
	assert_collisions(x);
}

static void iss__time_passes__grows_a_tick_every_4_us(void **state)
{
	static const uint64_t starts[] = { 0, 1, 3, 17179869183u /* 4.77 h */ };
	struct secrets secrets;

	(void)state;
	secrets_seed(&secrets, 2);
	for (uint8_t version = 4; version <= 6; version += 2) {
		const struct flow flow = flow_of(version, 5);

		for (size_t s = 0; s < 4; s++)
			for (uint64_t delta = 0; delta < 2000000; delta += 997) {
				const uint32_t a = iss_generate(&secrets, &flow, starts[s]);
				const uint32_t b = iss_generate(&secrets, &flow, starts[s] + delta);

				assert_in_range(b - a + 1, delta / 4 + 1, delta / 4 + 2);
			}
		assert_int_equal(iss_generate(&secrets, &flow, 7 + (UINT64_C(4) << 32)),
				 iss_generate(&secrets, &flow, 7));
	}
}

static void iss__two_starts__have_nothing_in_common(void **state)
{
	struct secrets a, b, c;
	int same = 0;

	(void)state;
	secrets_seed(&a, 1);
	secrets_seed(&b, 2);
	secrets_seed(&c, 1);
	for (uint32_t i = 0; i < 100000; i++) {
		const struct flow flow = flow_of(i % 2 ? 4 : 6, i);

		same += iss_generate(&a, &flow, NOW) == iss_generate(&b, &flow, NOW);
		assert_int_equal(iss_generate(&a, &flow, NOW), iss_generate(&c, &flow, NOW));
	}
	assert_in_range(same, 0, 2);
}

static void iss__fixed__is_the_fixed_one(void **state)
{
	struct secrets secrets;

	(void)state;
	secrets_seed(&secrets, 1);
	secrets.iss_fixed = true;
	secrets.iss_value = 1000;
	for (uint32_t i = 0; i < 100; i++) {
		const struct flow flow = flow_of(4, i);

		assert_int_equal(iss_generate(&secrets, &flow, i * 1000), 1000);
	}
}

/* Every octet of the random lands in some secret, and no two secrets are the same octets. */
static void secrets__filled__take_every_octet(void **state)
{
	uint8_t random[SECRETS_OCTETS] = { 0 };
	struct secrets none, one;

	(void)state;
	assert_true(SECRETS_OCTETS == 11 * 16);
	assert_int_equal(secrets_fill(&none, random, sizeof(random) - 1), -EINVAL);
	assert_int_equal(secrets_fill(&none, random, sizeof(random)), 0);
	assert_false(none.iss_fixed);
	for (size_t i = 0; i < sizeof(random); i++) {
		random[i] = 1;
		assert_int_equal(secrets_fill(&one, random, sizeof(random)), 0);
		assert_memory_not_equal(&one, &none, sizeof(one));
		random[i] = 0;
	}
	secrets_seed(&one, 0);
	for (size_t i = 0; i < SECRETS_OCTETS; i += 16)
		for (size_t j = 0; j < i; j += 16)
			assert_memory_not_equal((uint8_t *)&one + i, (uint8_t *)&one + j, 16);
}

static void ts_offset__address_pair__is_one_for_all_ports(void **state)
{
	uint32_t *x = *state;
	struct secrets secrets, others;

	secrets_seed(&secrets, 1);
	secrets_seed(&others, 2);
	for (uint8_t version = 4; version <= 6; version += 2) {
		const struct flow first = flow_of(version, 0), other = flow_of(version, 1u << 16);
		struct flow back = first;

		for (uint32_t i = 0; i < 65536; i++) {
			const struct flow flow = flow_of(version, i);

			assert_int_equal(ts_offset(&secrets, &flow), ts_offset(&secrets, &first));
		}
		assert_int_not_equal(ts_offset(&secrets, &first), ts_offset(&secrets, &other));
		assert_int_not_equal(ts_offset(&secrets, &first), ts_offset(&others, &first));
		if (version == 4) {
			back.v4.local = first.v4.remote;
			back.v4.remote = first.v4.local;
		} else {
			memcpy(back.v6.local, first.v6.remote, 16);
			memcpy(back.v6.remote, first.v6.local, 16);
		}
		assert_int_not_equal(ts_offset(&secrets, &first), ts_offset(&secrets, &back));
	}
	for (uint32_t i = 0; i < N; i++) {
		const struct flow flow = { .v4 = { .local = 1, .remote = i }, .version = 4 };

		x[i] = ts_offset(&secrets, &flow);
	}
	assert_collisions(x);
}

#define TEST(name, function)                     \
	{                                        \
		name, function, NULL, NULL, NULL \
	}
#define TEST_N(name, function)                                    \
	{                                                         \
		name, function, numbers_open, numbers_close, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("MUST-8", iss__time_passes__grows_a_tick_every_4_us),
		TEST_N("SHLD-1-balance, SEC-6", iss__tuples_at_one_instant__bits_balanced),
		TEST_N("SHLD-1-correlation, SEC-6", iss__tuples_at_one_instant__no_serial_correlation),
		TEST_N("SHLD-1-deltas, SEC-6", iss__tuples_at_one_instant__deltas_collide_by_chance),
		TEST("MUST-9, SEC-6", iss__two_starts__have_nothing_in_common),
		TEST("MUST-9-secrets", secrets__filled__take_every_octet),
		TEST("iss-fixed", iss__fixed__is_the_fixed_one),
		TEST_N("HF-TS1", ts_offset__address_pair__is_one_for_all_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN cookies as numbers (RFC 4987 3.6; RFC4987-cookie1, RFC6528-3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig/random.h"
#include "rig/share.h"
#include "table/cookie.h"

#define SEC(n) ((uint64_t)(n)*1000000)
#define FORGED (1u << 22) /* tries at a MAC of 26 bits: 0.06 of them get through */

static const struct flow flow4 = { .v4 = { 0x0102a8c0, 0x0202a8c0, 80, 40000 }, .version = 4 };
static const struct flow flow6 = { .v6 = { { 1, 2, 3, 4 }, { 5, 6, 7, 8 }, 80, 40000 }, .version = 6 };

static void lives_between_112_and_128_s(void **state)
{
	struct secrets secrets;
	uint16_t mss;

	(void)state;
	secrets_seed(&secrets, 1);
	for (uint64_t at = SEC(1000); at < SEC(1032); at += SEC(1)) {
		const uint32_t iss = cookie_make(&secrets, &flow4, 77, 1460, at);

		assert_true(cookie_check(&secrets, &flow4, 77, iss, at, &mss));
		assert_true(cookie_check(&secrets, &flow4, 77, iss, at + SEC(60), &mss));
		assert_true(cookie_check(&secrets, &flow4, 77, iss, at + SEC(112), &mss));
		for (uint64_t age = SEC(129); age < SEC(600); age += SEC(1))
			assert_false(cookie_check(&secrets, &flow4, 77, iss, at + age, &mss));
	}
}

static void keeps_the_largest_mss_not_above(void **state)
{
	static const uint16_t offered[] = { 48, 500, 536, 1219, 1220, 1399, 1460, 1500, 8960, 65535 };
	static const uint16_t kept[] = { 48, 48, 536, 536, 1220, 1360, 1460, 1460, 8960, 8960 };
	struct secrets secrets;
	uint16_t mss;

	(void)state;
	secrets_seed(&secrets, 2);
	for (unsigned i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const uint32_t iss = cookie_make(&secrets, &flow6, 1, offered[i], SEC(5));

		assert_true(cookie_check(&secrets, &flow6, 1, iss, SEC(6), &mss));
		assert_int_equal(mss, kept[i]);
	}
}

static void is_bound_to_flow_irs_and_secret(void **state)
{
	struct secrets secrets, others;
	struct flow other = flow4;
	uint16_t mss;
	uint32_t iss;

	(void)state;
	secrets_seed(&secrets, 3);
	secrets_seed(&others, 4);
	iss = cookie_make(&secrets, &flow4, 9, 1460, SEC(50));
	other.v4.remote_port++;
	assert_false(cookie_check(&secrets, &other, 9, iss, SEC(50), &mss));
	assert_false(cookie_check(&secrets, &flow4, 10, iss, SEC(50), &mss));
	assert_false(cookie_check(&others, &flow4, 9, iss, SEC(50), &mss));
	for (unsigned bit = 0; bit < 32; bit++)
		assert_false(cookie_check(&secrets, &flow4, 9, iss ^ 1u << bit, SEC(50), &mss));
}

static void forged_ones_pass_at_2_to_the_minus_24_at_most(void **state)
{
	const struct share *const share = *state;
	uint64_t random = 5 + share->seed;
	struct secrets secrets;
	unsigned passed = 0;
	uint16_t mss;

	secrets_seed(&secrets, 6);
	for (uint32_t i = 0; i < share->operations; i++) {
		const uint64_t guess = random_next(&random);

		passed += cookie_check(&secrets, &flow4, (uint32_t)(guess >> 32), (uint32_t)guess,
				       SEC(300), &mss);
	}
	assert_true(passed <= 10);
}

/* Each bit of cookies for many flows at one instant is set half of the time, within 6 sigma. */
static void bits_are_balanced(void **state)
{
	enum { N = 1 << 18 };
	struct flow flow = flow4;
	struct secrets secrets;
	unsigned set[32] = { 0 };

	(void)state;
	secrets_seed(&secrets, 7);
	for (unsigned i = 0; i < N; i++) {
		uint32_t iss;

		flow.v4.remote = i;
		iss = cookie_make(&secrets, &flow, 1, 1460, SEC(400));
		for (unsigned bit = 0; bit < 32; bit++)
			set[bit] += iss >> bit & 1;
	}
	for (unsigned bit = 0; bit < 32; bit++) /* sigma is sqrt(N) / 2 = 256 */
		assert_in_range(set[bit], N / 2 - 6 * 256, N / 2 + 6 * 256);
}

static uint64_t hash_of(uint32_t i)
{
	return random_mix(i);
}

static void used_ones_are_known_for_128_s(void **state)
{
	enum { REQUESTS = 64, N = 16 * REQUESTS / 8 };
	_Alignas(64) uint8_t memory[REQUESTS * 16 * 8] = { 0 };
	struct cookies_used used;

	(void)state;
	assert_int_equal(cookies_memory(REQUESTS), sizeof(memory));
	cookies_init(&used, memory, REQUESTS);
	for (unsigned round = 0; round < 20; round++) {
		const uint64_t at = SEC(128 * round);

		for (uint32_t i = round * N; i < (round + 1) * N; i++) {
			assert_false(cookie_used(&used, hash_of(i), i, at));
			assert_false(cookie_use(&used, hash_of(i), i, at));
		}
		for (uint32_t i = round * N; i < (round + 1) * N; i++) {
			assert_true(cookie_used(&used, hash_of(i), i, at));
			assert_true(cookie_used(&used, hash_of(i), i, at + SEC(127)));
			assert_false(cookie_used(&used, hash_of(i), i, at + SEC(128)));
			assert_false(cookie_used(&used, hash_of(i), i + (1u << 20), at));
		}
	}
}

static void used_ones_give_way_the_oldest_first(void **state)
{
	_Alignas(64) uint8_t memory[128] = { 0 };
	struct cookies_used used;

	(void)state;
	assert_int_equal(cookies_memory(0), sizeof(memory));
	cookies_init(&used, memory, 0);
	for (uint32_t i = 0; i < 24; i++) { /* the first twelve at one instant */
		const uint64_t at = i < 12 ? 0 : SEC(10 * (i - 12));

		assert_int_equal(cookie_use(&used, 0, i, at), i >= 8);
		for (uint32_t j = 0; j < 24; j++)
			assert_int_equal(cookie_used(&used, 0, j, at), j <= i && j + 8 > i);
	}
}

int main(int argc, char **argv)
{
	struct share share = share_of(argc, argv, FORGED);
	const struct CMUnitTest tests[] = {
		{ "RFC4987-cookie1-age", lives_between_112_and_128_s, NULL, NULL, NULL },
		{ "RFC4987-cookie2-mss", keeps_the_largest_mss_not_above, NULL, NULL, NULL },
		{ "RFC4987-cookie1-bound", is_bound_to_flow_irs_and_secret, NULL, NULL, NULL },
		{ "RFC4987-cookie1-forged, SEC-16", forged_ones_pass_at_2_to_the_minus_24_at_most,
		  NULL, NULL, &share },
		{ "RFC4987-cookie4-used", used_ones_are_known_for_128_s, NULL, NULL, NULL },
		{ "RFC4987-cookie4-oldest", used_ones_give_way_the_oldest_first, NULL, NULL, NULL },
		{ "RFC6528-3", bits_are_balanced, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("cookie", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum against RFC 1071 read word by word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "packet.h"
#include "rig/random.h"
#include "wire/csum.h"

/* The fold in network order. Zero has two forms in one's complement; both count as the same. */
static uint16_t canonical(uint32_t sum)
{
	const uint16_t folded = be16(csum_fold(sum));

	return folded == 0xffff ? 0 : folded;
}

static uint16_t slow(const uint8_t *p, uint32_t len)
{
	const uint16_t sum = slow_sum(0, p, len);

	return sum == 0xffff ? 0 : sum;
}

/* RFC 1071 3: the octets 00 01 f2 03 f4 f5 f6 f7 sum to ddf2. */
static void rfc_example__summed__is_ddf2(void **state)
{
	static const uint8_t octets[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	(void)state;
	assert_int_equal(be16(csum_fold(csum_partial(octets, 8))), 0xddf2);
}

/* Exact-size buffers: the sanitizer sees any octet read beside them. */
static void every_length_and_alignment__summed__equals_the_oracle(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (uint32_t len = 0; len <= 300; len++) {
		for (uint32_t shift = 0; shift < 9; shift++) {
			uint8_t *p = malloc(shift + len);

			assert_true(p != NULL || shift + len == 0);
			for (uint32_t i = 0; i < shift + len; i++)
				p[i] = (uint8_t)random_next(&seed);
			assert_int_equal(canonical(csum_partial(p + shift, len)),
					 slow(p + shift, len));
			free(p);
		}
	}
}

/* Where carries are many, and where there are none. */
static void longest_text__all_ones_or_zeros__equals_the_oracle(void **state)
{
	static uint8_t p[65535];

	(void)state;
	for (uint32_t len = 65400; len <= sizeof(p); len++) {
		memset(p, 0xff, sizeof(p));
		assert_int_equal(be16(csum_fold(csum_partial(p, len))), slow_sum(0, p, len));
		memset(p, 0, sizeof(p));
		assert_int_equal(csum_fold(csum_partial(p, len)), 0);
	}
}

/* A text in pieces of any length, odd ones too. */
static void pieces__added__equal_the_whole(void **state)
{
	uint64_t seed = 2;
	uint8_t p[200];

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		const uint32_t len = random_below(&seed, sizeof(p));
		uint32_t sum = 0, at = 0;

		for (uint32_t i = 0; i < len; i++)
			p[i] = (uint8_t)random_next(&seed);
		while (at < len) {
			const uint32_t n = 1 + random_below(&seed, len - at);
			const uint32_t part = csum_partial(p + at, n);

			sum = csum_add(sum, at & 1 ? csum_odd(part) : part);
			at += n;
		}
		assert_int_equal(canonical(sum), slow(p, len));
	}
}

static void pseudo_headers__summed__equal_the_oracle(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (unsigned round = 0; round < 10000; round++) {
		uint8_t octets[40] = { 0 };
		uint32_t src[4], dst[4];
		const uint16_t len = (uint16_t)random_next(&seed);
		const uint8_t protocol = (uint8_t)random_next(&seed);

		for (unsigned i = 0; i < 32; i++)
			octets[i] = (uint8_t)random_next(&seed);
		packet_put32(octets + 32, len);
		octets[39] = protocol;
		memcpy(src, octets, 16);
		memcpy(dst, octets + 16, 16);
		assert_int_equal(canonical(csum_pseudo6(src, dst, protocol, len)), slow(octets, 40));
		memmove(octets + 4, octets + 16, 4);
		octets[8] = 0;
		octets[9] = protocol;
		packet_put16(octets + 10, len);
		assert_int_equal(canonical(csum_pseudo4(src[0], dst[0], protocol, len)),
				 slow(octets, 12));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ .name = "RFC1071-3", .test_func = rfc_example__summed__is_ddf2 },
		{ .name = "RFC1071-1",
		  .test_func = every_length_and_alignment__summed__equals_the_oracle },
		{ .name = "HF-CK5-sums",
		  .test_func = longest_text__all_ones_or_zeros__equals_the_oracle },
		{ .name = "RFC1071-2", .test_func = pieces__added__equal_the_whole },
		{ .name = "MUST-2-pseudo", .test_func = pseudo_headers__summed__equal_the_oracle },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

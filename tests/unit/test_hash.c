/* SPDX-License-Identifier: BSD-3-Clause */
/* The flow table's hash (HF-M3), by AES rounds and by SipHash: against plain ones, and how it spreads
 * neighbouring tuples. Seeded, five sigma allowed, so nothing flaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "rig/random.h"
#include "table/iss.h"

#define N 20000

/* ---- AES rounds as FIPS 197 5.1 describes them ----------------------------------------------- */

static uint8_t gf_times(uint8_t a, uint8_t b)
{
	uint8_t product = 0;

	for (; b != 0; b >>= 1) {
		if (b & 1)
			product ^= a;
		a = (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
	}
	return product;
}

static uint8_t sub_byte(uint8_t x)
{
	uint8_t inverse = 1, out;

	for (int i = 0; i < 254; i++)
		inverse = gf_times(inverse, x);
	out = inverse;
	for (int i = 1; i <= 4; i++)
		out ^= (uint8_t)(inverse << i | inverse >> (8 - i));
	return out ^ 0x63;
}

static void aes_round(uint8_t state[16], const uint8_t key[16])
{
	static const uint8_t mix[4] = { 2, 3, 1, 1 };
	uint8_t shifted[16];

	for (int column = 0; column < 4; column++)
		for (int row = 0; row < 4; row++)
			shifted[4 * column + row] = sub_byte(state[4 * ((column + row) % 4) + row]);
	for (int i = 0; i < 16; i++) {
		uint8_t mixed = 0;

		for (int k = 0; k < 4; k++)
			mixed ^= gf_times(shifted[i / 4 * 4 + (i + k) % 4], mix[k]);
		state[i] = mixed ^ key[i];
	}
}

static uint64_t plain_aes(const struct secrets *secrets, const uint8_t *blocks, unsigned count)
{
	uint8_t state[16], key[16];
	uint64_t hash;

	memcpy(state, secrets->table_aes[0], 16);
	for (unsigned i = 0; i < count; i++) {
		for (int k = 0; k < 16; k++)
			state[k] ^= blocks[16 * i + (unsigned)k];
		for (int round = 1; round <= 4; round++) {
			memcpy(key, secrets->table_aes[round], 16);
			aes_round(state, key);
		}
	}
	memcpy(&hash, state, sizeof(hash));
	return hash;
}

static struct flow flow_random(uint8_t version, uint64_t *seed)
{
	struct flow flow = { .version = version };
	uint8_t *const octets = (uint8_t *)&flow.v6;

	for (size_t i = 0; i < (version == 4 ? sizeof(flow.v4) : sizeof(flow.v6)); i++)
		octets[i] = (uint8_t)random_next(seed);
	return flow;
}

static void flow__hashed__is_aes_of_its_octets(void **state)
{
	struct secrets secrets;
	uint64_t seed = 4;

	(void)state;
	secrets_seed(&secrets, 4);
	if (!hash_has_aes()) {
		print_message("[  SKIPPED ] this CPU has no AES rounds\n");
		return;
	}
	for (int i = 0; i < 200; i++) {
		const uint8_t version = i % 2 ? 4 : 6;
		const struct flow flow = flow_random(version, &seed);
		uint8_t blocks[48] = { 0 };

		memcpy(blocks, &flow.v6, version == 6 ? sizeof(flow.v6) : sizeof(flow.v4));
		assert_true(flow_hash(&secrets, &flow) ==
			    plain_aes(&secrets, blocks, version == 6 ? 3 : 1));
	}
}

/* ---- How it spreads ------------------------------------------------------------------------------ */

/* Each bit of a tuple changes each bit of the hash half the times. */
static void assert_avalanche(const struct secrets *secrets, uint8_t version)
{
	const unsigned bits = version == 4 ? 96 : 288, tries = 400;
	uint64_t seed = version;

	for (unsigned bit = 0; bit < bits; bit++) {
		unsigned flips[64] = { 0 };

		for (unsigned t = 0; t < tries; t++) {
			struct flow flow = flow_random(version, &seed);
			uint64_t hash = flow_hash(secrets, &flow);

			((uint8_t *)&flow.v6)[bit / 8] ^= (uint8_t)(1u << bit % 8);
			hash ^= flow_hash(secrets, &flow);
			for (unsigned i = 0; i < 64; i++)
				flips[i] += hash >> i & 1;
		}
		for (unsigned i = 0; i < 64; i++) /* sigma is 10 */
			assert_in_range(flips[i], tries / 2 - 60, tries / 2 + 60);
	}
}

/* Neighbouring ports and addresses fall on lines as if by chance. */
static void assert_even(const struct secrets *secrets, uint8_t version)
{
	enum { LINES = 512 };
	static unsigned low[LINES], high[LINES];
	double chi_low = 0, chi_high = 0;
	const double mean = (double)N / LINES;

	memset(low, 0, sizeof(low));
	memset(high, 0, sizeof(high));
	for (unsigned i = 0; i < N; i++) {
		struct flow flow = { .version = version };
		uint64_t hash;

		if (version == 4)
			flow.v4 = (struct tuple4){ 0x0100120a, 0x0200120a + (i >> 12 << 24),
						   (uint16_t)(1024 + (i & 0xfff)), 80 };
		else
			flow.v6 = (struct tuple6){ { 0xb80d0120, 0, 0, 1 },
						   { 0xb80d0120, 0, 0, 2 + (i >> 12) },
						   (uint16_t)(1024 + (i & 0xfff)),
						   80 };
		hash = flow_hash(secrets, &flow);
		low[hash % LINES]++;
		high[hash >> 32 & (LINES - 1)]++;
	}
	for (unsigned i = 0; i < LINES; i++) {
		chi_low += pow(low[i] - mean, 2) / mean;
		chi_high += pow(high[i] - mean, 2) / mean;
	}
	assert_true(chi_low < LINES + 5 * sqrt(2 * LINES));
	assert_true(chi_high < LINES + 5 * sqrt(2 * LINES));
}

static void flow__hashed__spreads(void **state)
{
	struct secrets secrets;

	(void)state;
	secrets_seed(&secrets, 5);
	for (unsigned i = 0; i < 2; i++) {
		secrets.has_aes = i == 0 && hash_has_aes();
		for (uint8_t version = 4; version <= 6; version += 2) {
			assert_avalanche(&secrets, version);
			assert_even(&secrets, version);
		}
	}
}

/* Two starts differ: what collides under one key does not under the next. */
static void flow__other_key__other_hash(void **state)
{
	struct secrets a, b;
	uint64_t seed = 6;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		unsigned equal = 0;

		secrets_seed(&a, 1);
		secrets_seed(&b, 2);
		a.has_aes = b.has_aes = i == 0 && hash_has_aes();
		for (unsigned n = 0; n < N; n++) {
			const struct flow flow = flow_random(n % 2 ? 4 : 6, &seed);

			equal += (uint16_t)flow_hash(&a, &flow) == (uint16_t)flow_hash(&b, &flow);
		}
		assert_true(equal < 8); /* 0.3 are to be expected */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "HF-M3-aes", flow__hashed__is_aes_of_its_octets, NULL, NULL, NULL },
		{ "HF-M3-spread", flow__hashed__spreads, NULL, NULL, NULL },
		{ "HF-M3-key, SEC-35", flow__other_key__other_hash, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

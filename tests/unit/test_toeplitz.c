/* SPDX-License-Identifier: BSD-3-Clause */
/* The Toeplitz hash against the verification suite of the Microsoft RSS specification. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "table/toeplitz.h"

static const uint8_t key[TOEPLITZ_KEY] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

static const struct {
	const char *to, *from;
	uint16_t to_port, from_port;
	uint32_t hash;
} vectors[] = {
	{ "161.142.100.80", "66.9.149.187", 1766, 2794, 0x51ccc178 },
	{ "65.69.140.83", "199.92.111.2", 4739, 14230, 0xc626b0ea },
	{ "12.22.207.184", "24.19.198.95", 38024, 12898, 0x5c2b394a },
	{ "209.142.163.6", "38.27.205.30", 2217, 48228, 0xafc7327f },
	{ "202.188.127.2", "153.39.163.191", 1303, 44251, 0x10e828a2 },
	{ "3ffe:2501:200:3::1", "3ffe:2501:200:1fff::7", 1766, 2794, 0x40207d3d },
	{ "ff02::1", "3ffe:501:8::260:97ff:fe40:efab", 4739, 14230, 0xdde51bbf },
	{ "fe80::200:f8ff:fe21:67cf", "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 38024, 44251,
	  0x02d1feef },
};

static void flow__of_the_specification__its_hash(void **state)
{
	struct toeplitz t;

	(void)state;
	toeplitz_init(&t, key);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct flow flow = { .version = 4 };

		if (inet_pton(AF_INET, vectors[i].to, &flow.v4.local) == 1) {
			inet_pton(AF_INET, vectors[i].from, &flow.v4.remote);
			flow.v4.local_port = vectors[i].to_port;
			flow.v4.remote_port = vectors[i].from_port;
		} else {
			flow.version = 6;
			inet_pton(AF_INET6, vectors[i].to, flow.v6.local);
			inet_pton(AF_INET6, vectors[i].from, flow.v6.remote);
			flow.v6.local_port = vectors[i].to_port;
			flow.v6.remote_port = vectors[i].from_port;
		}
		assert_int_equal(toeplitz_flow(&t, &flow), vectors[i].hash);
	}
}

/* A key that repeats itself every second bit gives a hash that does, too: its bits 0 and 2 are the same. */
static void spread__of_keys__tells_good_from_bad(void **state)
{
	uint8_t poor[TOEPLITZ_KEY];
	struct toeplitz t;

	(void)state;
	toeplitz_init(&t, key);
	assert_true(toeplitz_spreads(&t, 7));
	for (size_t i = 0; i < sizeof(poor); i++)
		poor[i] = 0xaa;
	toeplitz_init(&t, poor);
	assert_false(toeplitz_spreads(&t, 3));
}

/* What toeplitz_spreads promises: each value of the low bits equally often, over all ports. */
static void spread__over_all_ports__is_even(void **state)
{
	struct flow flow = { .version = 4, .v4 = { .local = 1, .remote = 2, .remote_port = 80 } };
	unsigned n[512] = { 0 };
	struct toeplitz t;

	(void)state;
	toeplitz_init(&t, key);
	assert_true(toeplitz_spreads(&t, 9));
	for (unsigned port = 0; port < 65536; port++) {
		flow.v4.local_port = (uint16_t)port;
		n[toeplitz_flow(&t, &flow) & 511]++;
	}
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(n[i], 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flow__of_the_specification__its_hash),
		cmocka_unit_test(spread__of_keys__tells_good_from_bad),
		cmocka_unit_test(spread__over_all_ports__is_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses as text (RFC 4291 2.2, RFC 3986 3.2.2) and the names of states (RFC 9293 3.3.2). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "handfast.h"

static void text__of_an_address__is_read_and_written(void **state)
{
	static const struct {
		const char *text, *written; /* NULL: as it was read */
		uint8_t version;
		uint16_t port;
		uint8_t octets[16];
	} cases[] = {
		{ "192.0.2.1", NULL, 4, 0, { 192, 0, 2, 1 } },
		{ "192.0.2.1:80", NULL, 4, 80, { 192, 0, 2, 1 } },
		{ "0.0.0.0:65535", NULL, 4, 65535, { 0 } },
		{ "255.255.255.255:1", NULL, 4, 1, { 255, 255, 255, 255 } },
		{ "10.0.0.1:0", "10.0.0.1", 4, 0, { 10, 0, 0, 1 } },
		{ "10.0.0.1:00080", "10.0.0.1:80", 4, 80, { 10, 0, 0, 1 } },
		{ "2001:db8::1", NULL, 6, 0, { 0x20, 1, 0x0d, 0xb8, [15] = 1 } },
		{ "[2001:db8::1]:80", NULL, 6, 80, { 0x20, 1, 0x0d, 0xb8, [15] = 1 } },
		{ "::", NULL, 6, 0, { 0 } },
		{ "[::]:443", NULL, 6, 443, { 0 } },
		{ "::1", NULL, 6, 0, { [15] = 1 } },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1", 6, 0, { 0x20, 1, 0x0d, 0xb8, [15] = 1 } },
		{ "::ffff:192.0.2.1", NULL, 6, 0, { [10] = 255, 255, 192, 0, 2, 1 } },
		{ "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535",
		  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
		  6,
		  65535,
		  { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *written = cases[i].written != NULL ? cases[i].written : cases[i].text;
		struct hf_addr addr;
		char text[HF_ADDR_TEXT];

		memset(&addr, 0xff, sizeof(addr));
		assert_int_equal(hf_addr_parse(cases[i].text, &addr), 0);
		assert_int_equal(addr.ip.version, cases[i].version);
		assert_int_equal(addr.port, cases[i].port);
		assert_memory_equal(addr.ip.octets, cases[i].octets, 16);
		assert_ptr_equal(hf_addr_format(&addr, text), text);
		assert_string_equal(text, written);
	}
}

static void text__of_no_address__is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		":",
		":80",
		"192.0.2",
		"192.0.2.1.",
		"192.0.2.256",
		"192.0.2.1:",
		"192.0.2.1:x",
		"192.0.2.1:65536",
		"192.0.2.1:000080",
		"192.0.2.1:-1",
		"192.0.2.1:+1",
		"192.0.2.1: 80",
		" 192.0.2.1",
		"192.0.2.1 ",
		"192.0.2.1:80:81",
		"192.0.2.1/24",
		"[192.0.2.1]:80",
		"2001:db8::1::2",
		"2001:db8",
		"[2001:db8::1]",
		"[2001:db8::1]80",
		"[2001:db8::1]:",
		"[2001:db8::1",
		"2001:db8::1]:80",
		"[]:80",
		"[",
		"fe80::1%eth0",
		"example.com",
		"example.com:80",
		"1:2:3:4:5:6:7:8:9",
		"10000::1",
		"0000000000000000000000000000000000000000000000000000000000000000:0:0",
	};
	struct hf_addr addr, untouched;

	(void)state;
	memset(&addr, 0x5a, sizeof(addr));
	memset(&untouched, 0x5a, sizeof(untouched));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (hf_addr_parse(cases[i], &addr) != -EINVAL)
			fail_msg("\"%s\" was read", cases[i]);
		assert_memory_equal(&addr, &untouched, sizeof(addr));
	}
}

static void state__of_any_number__has_a_name(void **state)
{
	(void)state;
	assert_string_equal(hf_state_name(HF_CLOSED), "CLOSED");
	assert_string_equal(hf_state_name(HF_SYN_RECEIVED), "SYN-RECEIVED");
	assert_string_equal(hf_state_name(HF_TIME_WAIT), "TIME-WAIT");
	assert_string_equal(hf_state_name((enum hf_state)HF_STATES), "UNKNOWN");
	for (unsigned i = 0; i < HF_STATES; i++)
		assert_non_null(hf_state_name((enum hf_state)i));
	assert_string_equal(hf_version(), "0.1.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text__of_an_address__is_read_and_written),
		cmocka_unit_test(text__of_no_address__is_refused),
		cmocka_unit_test(state__of_any_number__has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

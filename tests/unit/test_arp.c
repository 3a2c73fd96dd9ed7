/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP as octets (RFC 826; RFC826-a). Messages are judged in a copy of exactly their size, so that the
 * sanitizer sees an octet read beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "wire/arp.h"

#define LEN 28

/* Who has 192.0.2.1? Tell 192.0.2.9 */
static const uint8_t request[LEN] = { 0,   1, 8, 0, 6, 4, 0, 1, 2, 0, 0,   0, 0, 2,
				      192, 0, 2, 9, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1 };

static bool judge(const uint8_t *octets, uint32_t len, struct arp *arp)
{
	uint8_t *const copy = malloc(len + 1);
	bool good;

	assert_non_null(copy);
	memcpy(copy + 1, octets, len); /* at an odd address too */
	good = arp_parse(copy + 1, len, arp);
	free(copy);
	return good;
}

static void request__is_taken_apart(void **state)
{
	struct arp arp;

	(void)state;
	assert_true(judge(request, LEN, &arp));
	assert_int_equal(arp.op, ARP_REQUEST);
	assert_memory_equal(arp.sender_mac, request + 8, 6);
	assert_memory_equal(&arp.sender_ip, request + 14, 4);
	assert_memory_equal(arp.target_mac, request + 18, 6);
	assert_memory_equal(&arp.target_ip, request + 24, 4);
}

/* Each of the first eight octets with each value but its own; op may also be 2. */
static void each_fixed_field__other_value__refused(void **state)
{
	struct arp arp;

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		for (unsigned value = 0; value < 256; value++) {
			uint8_t wrong[LEN];

			memcpy(wrong, request, LEN);
			wrong[i] = (uint8_t)value;
			assert_int_equal(judge(wrong, LEN, &arp),
					 value == request[i] || (i == 7 && value == ARP_REPLY));
		}
	}
}

static void every_truncation__refused(void **state)
{
	struct arp arp;

	(void)state;
	for (uint32_t len = 0; len < LEN; len++)
		assert_false(judge(request, len, &arp));
}

static void built__is_what_was_said(void **state)
{
	const struct wire_link plain = { .dst_mac = { 2, 0, 0, 0, 0, 9 },
					 .src_mac = { 2, 0, 0, 0, 0, 1 } };
	struct wire_link link = plain;
	uint8_t frame[ARP_FRAME_MAX];
	struct arp arp;

	(void)state;
	assert_true(arp_parse(request, LEN, &arp));
	for (unsigned tagged = 0; tagged < 2; tagged++) {
		const uint32_t at = tagged ? 18 : 14;

		link.vlan = tagged ? 100 : 0;
		assert_int_equal(arp_build(frame, &link, &arp), at + LEN);
		assert_memory_equal(frame, plain.dst_mac, 6);
		assert_memory_equal(frame + 6, plain.src_mac, 6);
		if (tagged)
			assert_memory_equal(frame + 12, "\x81\0\0\x64", 4);
		assert_memory_equal(frame + at - 2, "\x08\x06", 2);
		assert_memory_equal(frame + at, request, LEN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "RFC826-a-good", request__is_taken_apart, NULL, NULL, NULL },
		{ "RFC826-a-fields", each_fixed_field__other_value__refused, NULL, NULL, NULL },
		{ "RFC826-a-short", every_truncation__refused, NULL, NULL, NULL },
		{ "RFC826-build", built__is_what_was_said, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("ARP messages", tests, NULL, NULL);
}

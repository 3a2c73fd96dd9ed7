/* SPDX-License-Identifier: BSD-3-Clause */
/* The rig's own oracle: what it builds it accepts, and one wrong bit anywhere it does not (HF-G1's
 * tests stand on it). Sums are checked against octets worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rig/frame.h"

static const struct frame_form l3 = { .ttl = 64 };

static const struct seg data = {
	.seq = 0x01020304,
	.ack = 0x05060708,
	.wnd = 0x1000,
	.flags = SEG_ACK | SEG_PSH,
	.text_len = 3,
	.options = OPT_TS,
	.tsval = 9,
	.tsecr = 10,
};

static void addresses(struct hf_addr *src, struct hf_addr *dst, bool v6)
{
	assert_int_equal(hf_addr_parse(v6 ? "[2001:2::1]:80" : "198.18.0.1:80", src), 0);
	assert_int_equal(hf_addr_parse(v6 ? "[2001:2::2]:4000" : "198.19.0.1:4000", dst), 0);
}

static struct frame build(const struct seg *seg, bool v6, const struct frame_form *form)
{
	struct hf_addr src, dst;
	struct frame f;

	addresses(&src, &dst, v6);
	f.len = frame_build(f.raw, form, &src, &dst, seg, (const uint8_t *)"abc", NULL, 0);
	return f;
}

/* An IPv4 SYN whose sums were added up by hand: words c612+0001+c613+0001+0006+0014 of the
 * pseudo-header, 0050+0fa0+0001+5002+0001 of the segment. */
static void sums__by_hand(void **state)
{
	const struct seg syn = { .seq = 1, .flags = SEG_SYN, .wnd = 1 };
	struct frame f = build(&syn, false, &l3);

	(void)state;
	assert_int_equal(f.len, 40);
	assert_int_equal(f.raw[36] << 8 | f.raw[37], 0x13c9);
	assert_int_equal(f.raw[10] << 8 | f.raw[11], 0xaea8);
}

static void built__is_accepted(void **state)
{
	struct frame_form l2 = { .l2 = true, .ttl = 9, .to = { 2 }, .from = { 4 } };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct frame f = build(&data, i & 1, i & 2 ? &l2 : &l3);

		assert_null(frame_parse(&f, i & 2 ? &l2 : &l3));
		assert_int_equal(f.seg.seq, data.seq);
		assert_int_equal(f.seg.ack, data.ack);
		assert_int_equal(f.seg.wnd, data.wnd);
		assert_int_equal(f.seg.flags, data.flags);
		assert_int_equal(f.seg.options, OPT_TS);
		assert_int_equal(f.seg.tsval, 9);
		assert_int_equal(f.seg.tsecr, 10);
		assert_int_equal(f.seg.text_len, 3);
		assert_int_equal(f.seg.len, 3);
		assert_memory_equal(f.raw + f.text, "abc", 3);
		assert_int_equal(f.src.port, 80);
		assert_int_equal(f.dst.port, 4000);
	}
}

/* But for IPv6's flow label, which no sum covers. */
static void one_bit_flipped__is_refused(void **state)
{
	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		const struct frame good = build(&data, v6, &l3);

		for (size_t bit = 0; bit < good.len * 8; bit++) {
			struct frame f = good;

			if (v6 && bit >= 12 && bit < 32)
				continue;
			f.raw[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			if (!frame_parse(&f, &l3) && f.tcp != 0)
				fail_msg("bit %zu of an IPv%u frame", bit, v6 ? 6 : 4);
		}
	}
}

/* Right sums do not save what must not be sent. */
static void sealed_but_wrong__is_refused(void **state)
{
	static const struct {
		size_t octet;
		uint8_t value;
	} wrong[] = {
		{ 1, 4 },	      /* type of service */
		{ 5, 1 },	      /* ID */
		{ 6, 0 },	      /* DF */
		{ 8, 63 },	      /* TTL */
		{ 20 + 12, 0x81 },    /* a reserved bit */
		{ 20 + 13, SEG_FIN }, /* no ACK */
		{ 20 + 13, SEG_ACK | SEG_SYN | SEG_FIN },
		{ 20 + 13, SEG_ACK | SEG_ECE },
		{ 20 + 19, 1 },	   /* urgent pointer */
		{ 20 + 20, 2 },	   /* MSS without SYN, and of a wrong length */
		{ 20 + 21, 9 },	   /* length of timestamps */
		{ 20 + 31, 0x40 }, /* padding */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct frame f = build(&data, false, &l3);

		f.raw[wrong[i].octet] = wrong[i].value;
		frame_seal(f.raw, f.len, &l3);
		if (!frame_parse(&f, &l3))
			fail_msg("octet %zu set to %u", wrong[i].octet, wrong[i].value);
	}
}

static void offload__wants_the_pseudo_header_sum(void **state)
{
	const struct frame_form offload = { .ttl = 64, .sum_offload = true };
	const struct seg syn = { .seq = 1, .flags = SEG_SYN, .wnd = 1, .options = OPT_MSS, .mss = 1460 };
	struct frame f = build(&syn, false, &l3);

	(void)state;
	assert_non_null(frame_parse(&f, &offload));
	f.raw[36] = 0x8c; /* c612+0001+c613+0001+0006+0018 */
	f.raw[37] = 0x46;
	assert_null(frame_parse(&f, &offload));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "MUST-2-oracle-sums", sums__by_hand, NULL, NULL, NULL },
		{ "MUST-2-oracle-built", built__is_accepted, NULL, NULL, NULL },
		{ "MUST-2-oracle-bits", one_bit_flipped__is_refused, NULL, NULL, NULL },
		{ "MUST-69-oracle", sealed_but_wrong__is_refused, NULL, NULL, NULL },
		{ "HF-CK2-oracle", offload__wants_the_pseudo_header_sum, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("Frames", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP options (REQUIREMENTS 4). Option areas are exact-size copies: ASan sees an over-read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "rig/random.h"
#include "wire/csum.h"
#include "wire/opts.h"

#define TS_OCTETS 8, 10, 1, 2, 3, 4, 5, 6, 7, 8
#define OCTETS(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static struct seg parse(uint8_t flags, const uint8_t *octets, size_t len, bool good)
{
	struct seg seg = { .flags = flags };
	uint8_t *exact = malloc(len);

	assert_true(exact != NULL || len == 0);
	if (len > 0)
		memcpy(exact, octets, len);
	assert_int_equal(opts_parse(exact, (uint32_t)len, &seg), good);
	free(exact);
	return seg;
}

static void assert_ts(const struct seg *seg)
{
	assert_true(seg->options & OPT_TS);
	assert_int_equal(seg->tsval, 0x01020304);
	assert_int_equal(seg->tsecr, 0x05060708);
}

static void eol_nop_mss__in_syn__are_taken(void **state)
{
	struct seg seg;

	(void)state;
	seg = parse(SEG_SYN, OCTETS(2, 4, 5, 0xb4), true);
	assert_int_equal(seg.options, OPT_MSS);
	assert_int_equal(seg.mss, 1460);
	seg = parse(SEG_SYN | SEG_ACK, OCTETS(1, 1, 1, 2, 4, 0xff, 0xff, 0), true);
	assert_int_equal(seg.options, OPT_MSS);
	assert_int_equal(seg.mss, 65535);
	assert_int_equal(parse(SEG_SYN, NULL, 0, true).options, 0);
	assert_int_equal(parse(SEG_SYN, OCTETS(0, 0, 0, 0), true).options, 0);
	assert_int_equal(parse(SEG_SYN, OCTETS(1, 1, 1, 1), true).options, 0);
}

static void ts_and_sack__in_any_segment__are_taken(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		struct seg seg = parse((uint8_t)flags, OCTETS(1, 1, TS_OCTETS), true);

		assert_int_equal(seg.options, OPT_TS);
		assert_ts(&seg);
		seg = parse((uint8_t)flags,
			    OCTETS(TS_OCTETS, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff,
				   0, 0, 0, 3),
			    true);
		assert_int_equal(seg.options, OPT_TS | OPT_SACK);
		assert_ts(&seg);
		assert_int_equal(seg.sacks, 2);
		assert_int_equal(seg.sack[0].left, 1);
		assert_int_equal(seg.sack[0].right, 2);
		assert_int_equal(seg.sack[1].left, UINT32_MAX);
		assert_int_equal(seg.sack[1].right, 3);
	}
}

static bool known(unsigned kind)
{
	return kind <= 5 || kind == 8 || kind == 19 || kind == 29;
}

/* Every unknown kind at every length, a timestamp behind it where there is room. */
static void unknown_kinds__every_length__are_skipped(void **state)
{
	(void)state;
	for (unsigned kind = 2; kind < 256; kind++) {
		if (known(kind))
			continue;
		for (uint32_t len = 2; len <= OPTS_MAX; len++) {
			static const uint8_t ts[] = { TS_OCTETS };
			uint8_t octets[OPTS_MAX];
			uint32_t total = len;
			struct seg seg;

			memset(octets, 8, sizeof(octets));
			octets[0] = (uint8_t)kind;
			octets[1] = (uint8_t)len;
			if (len <= OPTS_MAX - sizeof(ts)) {
				memcpy(octets + len, ts, sizeof(ts));
				total = len + sizeof(ts);
			}
			seg = parse(SEG_SYN, octets, total, true);
			assert_int_equal(seg.options, total > len ? OPT_TS : 0);
			if (total > len)
				assert_ts(&seg);
		}
	}
}

/* Every kind, at every offset, with length 0, 1, or past the end: what came before stands. */
static void bad_lengths__everywhere__stop_parsing(void **state)
{
	(void)state;
	for (unsigned kind = 2; kind < 256; kind++) {
		for (uint32_t at = 0; at < OPTS_MAX; at++) {
			for (uint32_t len = 0; len < 256; len++) {
				uint8_t octets[OPTS_MAX];
				const bool mss_before = at >= 4;

				if (len >= 2 && len <= OPTS_MAX - at && at + 1 < OPTS_MAX)
					continue;
				memset(octets, 1, sizeof(octets));
				if (mss_before)
					memcpy(octets, (const uint8_t[]){ 2, 4, 1, 0 }, 4);
				octets[at] = (uint8_t)kind;
				if (at + 1 < OPTS_MAX)
					octets[at + 1] = (uint8_t)len;
				assert_int_equal(parse(SEG_SYN, octets, OPTS_MAX, false).options,
						 mss_before ? OPT_MSS : 0);
				if (at + 1 == OPTS_MAX)
					break; /* no length octet at all */
			}
		}
	}
}

/* Every area shorter than the option in it. */
static void every_truncation__of_all_options__never_reads_on(void **state)
{
	static const uint8_t octets[] = { 2, 4, 1, 0, 4, 2, TS_OCTETS, 3, 3, 7, 5, 18, 1, 2, 3, 4,
					  5, 6, 7, 8, 1, 2, 3,	       4, 5, 6, 7, 8,  1, 1, 0 };

	(void)state;
	for (size_t len = 0; len <= sizeof(octets); len++) {
		struct seg seg = { .flags = SEG_SYN };
		uint8_t *exact = malloc(len);

		assert_true(exact != NULL || len == 0);
		memcpy(exact, octets, len);
		opts_parse(exact, (uint32_t)len, &seg);
		assert_int_equal(!!(seg.options & OPT_MSS), len >= 4);
		assert_int_equal(!!(seg.options & OPT_SACK_PERMITTED), len >= 6);
		assert_int_equal(!!(seg.options & OPT_TS), len >= 16);
		assert_int_equal(!!(seg.options & OPT_WSCALE), len >= 19);
		assert_int_equal(!!(seg.options & OPT_SACK), len >= 37);
		free(exact);
	}
}

static void ts__at_any_offset__is_taken(void **state)
{
	(void)state;
	for (uint32_t at = 0; at <= OPTS_MAX - 10; at++) {
		uint8_t octets[OPTS_MAX];
		struct seg seg;

		memset(octets, 1, sizeof(octets));
		memcpy(octets + at, (const uint8_t[]){ TS_OCTETS }, 10);
		for (uint32_t len = at + 10; len <= OPTS_MAX; len++) {
			seg = parse(SEG_ACK, octets, len, true);
			assert_int_equal(seg.options, OPT_TS);
			assert_ts(&seg);
		}
	}
}

static void eol__then_a_forged_ts__ends_parsing(void **state)
{
	struct seg seg;

	(void)state;
	seg = parse(SEG_ACK, OCTETS(0, 1, TS_OCTETS), true);
	assert_int_equal(seg.options, 0);
	seg = parse(SEG_SYN, OCTETS(2, 4, 1, 0, 0, TS_OCTETS, 9, 0), true);
	assert_int_equal(seg.options, OPT_MSS);
}

static void repeated_options__first_valid_counts(void **state)
{
	struct seg seg;

	(void)state;
	seg = parse(SEG_SYN, OCTETS(2, 4, 1, 0, 2, 4, 2, 0), true);
	assert_int_equal(seg.mss, 0x100);
	seg = parse(SEG_SYN, OCTETS(2, 6, 9, 9, 9, 9, 2, 4, 2, 0), true);
	assert_int_equal(seg.mss, 0x200);
	seg = parse(SEG_SYN, OCTETS(3, 3, 5, 3, 3, 6), true);
	assert_int_equal(seg.wscale, 5);
	seg = parse(SEG_SYN, OCTETS(3, 2, 3, 4, 9, 9, 3, 3, 6), true);
	assert_int_equal(seg.wscale, 6);
	seg = parse(SEG_ACK, OCTETS(TS_OCTETS, 8, 10, 9, 9, 9, 9, 9, 9, 9, 9), true);
	assert_ts(&seg);
	seg = parse(SEG_ACK, OCTETS(5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 5, 10, 0, 0, 0, 3, 0, 0, 0, 4),
		    true);
	assert_int_equal(seg.sacks, 1);
	assert_int_equal(seg.sack[0].left, 1);
}

/* Fixed-length options at every length but their own. SACK: 2 + 8n, n from 1. */
static void wrong_lengths__of_known_kinds__are_ignored(void **state)
{
	static const struct {
		uint8_t kind, len, option;
	} fixed[] = { { 2, 4, OPT_MSS },
		      { 3, 3, OPT_WSCALE },
		      { 4, 2, OPT_SACK_PERMITTED },
		      { 8, 10, OPT_TS },
		      { 19, 18, OPT_AUTH } };

	(void)state;
	for (uint8_t len = 2; len <= OPTS_MAX; len++) {
		uint8_t octets[OPTS_MAX] = { 0, len, 9, 9 };
		struct seg seg;

		for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
			octets[0] = fixed[i].kind;
			assert_int_equal(parse(SEG_SYN, octets, len, true).options,
					 len == fixed[i].len ? fixed[i].option : 0);
		}
		octets[0] = 5;
		seg = parse(SEG_ACK, octets, len, true);
		assert_int_equal(seg.sacks, len > 2 && len % 8 == 2 ? len / 8 : 0);
		assert_int_equal(seg.options, seg.sacks > 0 ? OPT_SACK : 0);
	}
}

static void opening_options__without_syn__are_ignored(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		const struct seg seg =
			parse((uint8_t)flags, OCTETS(2, 4, 0, 100, 4, 2, 3, 3, 7, 0), true);

		assert_int_equal(seg.options,
				 flags & SEG_SYN ? OPT_MSS | OPT_SACK_PERMITTED | OPT_WSCALE : 0);
	}
}

static void mss_0__in_syn__is_none(void **state)
{
	struct seg seg;

	(void)state;
	assert_int_equal(parse(SEG_SYN, OCTETS(2, 4, 0, 0), true).options, 0);
	seg = parse(SEG_SYN, OCTETS(2, 4, 0, 0, 4, 2, TS_OCTETS, 1, 3, 3, 7), true);
	assert_int_equal(seg.options, OPT_SACK_PERMITTED | OPT_TS | OPT_WSCALE);
	seg = parse(SEG_SYN, OCTETS(2, 4, 0, 1), true);
	assert_int_equal(seg.mss, 1);
}

static void wscale__any_value__is_handed_on(void **state)
{
	(void)state;
	for (unsigned shift = 0; shift < 256; shift++) {
		const uint8_t plain[] = { 3, 3, (uint8_t)shift };
		const uint8_t usual[] = { 2, 4, 5, 0xb4, 4, 2, TS_OCTETS, 1, 3, 3, (uint8_t)shift };

		assert_int_equal(parse(SEG_SYN, plain, sizeof(plain), true).wscale, shift);
		assert_int_equal(parse(SEG_SYN, usual, sizeof(usual), true).wscale, shift);
	}
}

/* Behind NOPs these 20 octets are read as they are by themselves. */
static void assert_walked(const uint8_t octets[20])
{
	struct seg usual = { .flags = SEG_SYN }, walked = usual;
	uint8_t behind[24] = { 1, 1, 1, 1 };

	memcpy(behind + 4, octets, 20);
	assert_int_equal(opts_parse(behind + 4, 20, &usual), opts_parse(behind, 24, &walked));
	assert_memory_equal(&usual, &walked, sizeof(usual));
}

static void usual_syn__all_but_one_bit_or_octet__is_walked(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 160; bit++) {
		uint8_t octets[] = { 2, 4, 5, 0xb4, 4, 2, TS_OCTETS, 1, 3, 3, 7 };

		octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_walked(octets);
	}
	assert_walked((const uint8_t[]){ 2, 4, 5, 0xb4, 4, 2, TS_OCTETS, 1, 1, 3, 3 });
	assert_walked((const uint8_t[]){ 2, 4, 5, 0xb4, 4, 2, TS_OCTETS, 3, 3, 7, 0 });
}

static void auth__md5_or_ao__is_flagged(void **state)
{
	uint8_t octets[OPTS_MAX] = { 19, 18 };

	(void)state;
	assert_int_equal(parse(SEG_SYN, octets, 20, true).options, OPT_AUTH);
	assert_int_equal(parse(SEG_ACK, octets, 20, true).options, OPT_AUTH);
	octets[0] = 29;
	for (uint8_t len = 2; len <= OPTS_MAX; len++) {
		octets[1] = len;
		assert_int_equal(parse(SEG_SYN, octets, OPTS_MAX, true).options,
				 len >= 4 ? OPT_AUTH : 0);
	}
}

/* The two short cuts see what the walk sees, any one octet of the options being anything. */
static void short_cuts__any_octet_changed__equal_the_walk(void **state)
{
	static const uint8_t ack[] = { 1, 1, TS_OCTETS };
	static const uint8_t syn[] = { 2, 4, 5, 0xb4, 4, 2, TS_OCTETS, 1, 3, 3, 7 };

	(void)state;
	for (unsigned which = 0; which < 2; which++) {
		const uint8_t *from = which ? syn : ack;
		const uint32_t len = which ? sizeof(syn) : sizeof(ack);

		for (uint32_t at = 0; at < len; at++) {
			for (unsigned v = 0; v < 256; v++) {
				uint8_t octets[21] = { 1 }; /* a NOP more: no short cut */
				struct seg cut = { .flags = SEG_SYN }, walked = { .flags = SEG_SYN };

				memcpy(octets + 1, from, len);
				octets[1 + at] = (uint8_t)v;
				assert_int_equal(opts_parse(octets + 1, len, &cut),
						 opts_walk(octets, len + 1, &walked));
				assert_memory_equal(&cut, &walked, sizeof(cut));
			}
		}
	}
}

static struct seg random_seg(uint64_t *seed)
{
	struct seg seg = { .flags = SEG_SYN,
			   .options = (uint8_t)(random_next(seed) & (OPT_AUTH - 1)),
			   .mss = (uint16_t)(1 + random_below(seed, 65535)),
			   .wscale = (uint8_t)random_next(seed),
			   .tsval = (uint32_t)random_next(seed),
			   .tsecr = (uint32_t)random_next(seed),
			   .sacks = (uint8_t)random_below(seed, SEG_SACK_MAX + 1) };

	for (unsigned i = 0; i < SEG_SACK_MAX; i++) {
		seg.sack[i].left = (uint32_t)random_next(seed);
		seg.sack[i].right = (uint32_t)random_next(seed);
	}
	return seg;
}

/* All sets of options: at most 40 octets, nothing written beyond, the sum right, SACK gives way. */
static void every_set__built__comes_back(void **state)
{
	uint64_t seed = 4;

	(void)state;
	for (unsigned round = 0; round < 50000; round++) {
		const struct seg seg = random_seg(&seed);
		const uint64_t before = random_next(&seed) >> 16;
		uint8_t octets[OPTS_MAX + 8];
		uint64_t sum = before;
		uint32_t len, fits, rest;
		struct seg back;

		memset(octets, 0xa5, sizeof(octets));
		len = opts_build(&seg, octets, &sum);
		assert_true(len <= OPTS_MAX && len % 4 == 0);
		assert_int_equal(len, opts_len(&seg));
		for (uint32_t i = len; i < sizeof(octets); i++)
			assert_int_equal(octets[i], 0xa5);
		assert_int_equal(csum_fold(csum_narrow(sum - before)),
				 csum_fold(csum_partial(octets, len)));
		back = parse(SEG_SYN, octets, len, true);
		rest = (seg.options & OPT_MSS ? 4u : 0) + (seg.options & OPT_TS ? 12u : 0) +
		       (seg.options & OPT_WSCALE ? 4u : 0) +
		       ((seg.options & (OPT_SACK_PERMITTED | OPT_TS)) == OPT_SACK_PERMITTED ? 4u : 0);
		fits = seg.options & OPT_SACK ? (36 - rest) / 8 : 0;
		fits = fits < seg.sacks ? fits : seg.sacks;
		assert_int_equal(back.options & ~OPT_SACK, seg.options & ~OPT_SACK);
		assert_int_equal(back.options & OPT_SACK, fits > 0 ? OPT_SACK : 0);
		assert_int_equal(back.sacks, fits);
		assert_memory_equal(back.sack, seg.sack, fits * sizeof(seg.sack[0]));
		if (seg.options & OPT_MSS)
			assert_int_equal(back.mss, seg.mss);
		if (seg.options & OPT_WSCALE)
			assert_int_equal(back.wscale, seg.wscale);
		if (seg.options & OPT_TS)
			assert_true(back.tsval == seg.tsval && back.tsecr == seg.tsecr);
	}
}

static void ts_and_four_blocks__built__three_are_sent(void **state)
{
	struct seg seg = { .options = OPT_TS | OPT_SACK, .sacks = 4 };
	uint8_t octets[OPTS_MAX];
	uint64_t sum = 0;

	(void)state;
	assert_int_equal(opts_build(&seg, octets, &sum), 40);
	assert_int_equal(parse(SEG_ACK, octets, 40, true).sacks, 3);
	seg.options = OPT_SACK;
	assert_int_equal(opts_build(&seg, octets, &sum), 36);
	assert_int_equal(parse(SEG_ACK, octets, 36, true).sacks, 4);
	seg.sacks = 0;
	assert_int_equal(opts_build(&seg, octets, &sum), 0);
}

/* What Linux sends, octet by octet. */
static void syn_options__built__lie_as_linux_lays_them(void **state)
{
	static const uint8_t want[] = { 2, 4, 5, 0xb4, 4, 2, TS_OCTETS, 1, 3, 3, 7 };
	static const uint8_t want_nots[] = { 2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7 };
	struct seg seg = { .options = OPT_MSS | OPT_SACK_PERMITTED | OPT_TS | OPT_WSCALE,
			   .mss = 1460,
			   .wscale = 7,
			   .tsval = 0x01020304,
			   .tsecr = 0x05060708 };
	uint8_t octets[OPTS_MAX];
	uint64_t sum = 0;

	(void)state;
	assert_int_equal(opts_build(&seg, octets, &sum), sizeof(want));
	assert_memory_equal(octets, want, sizeof(want));
	seg.options &= (uint8_t)~OPT_TS;
	assert_int_equal(opts_build(&seg, octets, &sum), sizeof(want_nots));
	assert_memory_equal(octets, want_nots, sizeof(want_nots));
}

#define TEST(id, function)                             \
	{                                              \
		.name = (id), .test_func = (function), \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("MUST-4", eol_nop_mss__in_syn__are_taken),
		TEST("MUST-5", ts_and_sack__in_any_segment__are_taken),
		TEST("MUST-6", unknown_kinds__every_length__are_skipped),
		TEST("MUST-7, SEC-2", bad_lengths__everywhere__stop_parsing),
		TEST("MUST-7-truncated", every_truncation__of_all_options__never_reads_on),
		TEST("MUST-64", ts__at_any_offset__is_taken),
		TEST("HF-O1", eol__then_a_forged_ts__ends_parsing),
		TEST("HF-O2", repeated_options__first_valid_counts),
		TEST("HF-O3", wrong_lengths__of_known_kinds__are_ignored),
		TEST("MUST-65-received", opening_options__without_syn__are_ignored),
		TEST("HF-O4-zero", mss_0__in_syn__is_none),
		TEST("RFC7323-2.3-received", wscale__any_value__is_handed_on),
		TEST("HF-O1-usual", usual_syn__all_but_one_bit_or_octet__is_walked),
		TEST("HF-O5-received", auth__md5_or_ao__is_flagged),
		TEST("RFC7323-A", short_cuts__any_octet_changed__equal_the_walk),
		TEST("MUST-69-options", every_set__built__comes_back),
		TEST("HF-O6", ts_and_four_blocks__built__three_are_sent),
		TEST("MUST-14-layout", syn_options__built__lie_as_linux_lays_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

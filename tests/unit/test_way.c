/* SPDX-License-Identifier: BSD-3-Clause */
/* The link model's decisions (HF-H6): rates within six sigma, delays in order, rules to the frame, one
 * seed one story; and the frames that wait, against a list kept by insertion. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/way.h"
#include "rig/random.h"
#include "tcp/seg.h"

#define FRAMES 200000
#define ROOM 512
#define TCP(flags) (HF_FRAME_TCP | (flags))

static struct waiting heap[ROOM];

static struct way way_of(const struct hf_impair_way *config, uint64_t seed)
{
	struct way way;

	way_init(&way, config, seed, heap, ROOM);
	return way;
}

static bool same(struct fate a, struct fate b)
{
	return a.at_us == b.at_us && a.lost == b.lost && a.corrupt == b.corrupt &&
	       a.twice == b.twice && a.late == b.late && a.behind == b.behind;
}

/* ---- Rates ----------------------------------------------------------------------------------- */

/* n of FRAMES, for events of this probability each. */
static void expect_share(double n, double p)
{
	const double sigma = sqrt(FRAMES * p * (1 - p));

	assert_true(fabs(n - FRAMES * p) <= 6 * sigma);
}

struct shares {
	uint32_t lost, corrupt, twice, late, corrupt_and_twice;
};

static struct shares shares_of(const struct hf_impair_way *config, uint64_t seed)
{
	struct way way = way_of(config, seed);
	struct shares n = { 0 };

	for (uint32_t i = 0; i < FRAMES; i++) {
		const struct fate fate = way_fate(&way, TCP(SEG_ACK), 10 * i);

		n.lost += fate.lost;
		n.corrupt += fate.corrupt;
		n.twice += fate.twice;
		n.late += fate.late;
		n.corrupt_and_twice += fate.corrupt && fate.twice;
		assert_true(!fate.lost || !(fate.corrupt || fate.twice || fate.late));
		assert_false(fate.behind);
	}
	return n;
}

static void rates__of_many_frames__are_kept(void **state)
{
	static const uint32_t rates[] = { 0, 100, 1000, 50000, 250000, 500000, 999900, HF_EVER };

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		const double p = rates[i] / 1e6;
		const struct shares alone = shares_of(&(struct hf_impair_way){ .loss = rates[i] }, i);
		const struct shares rest = shares_of(&(struct hf_impair_way){ .corrupt = rates[i],
									      .duplicate = rates[i],
									      .reorder = rates[i] },
						     ~i);

		expect_share(alone.lost, p);
		expect_share(rest.corrupt, p);
		expect_share(rest.twice, p);
		expect_share(rest.late, p);
		expect_share(rest.corrupt_and_twice, p * p); /* each by itself */
	}
}

static void rates__with_loss__are_of_what_is_left(void **state)
{
	const struct hf_impair_way config = { .loss = 200000, .duplicate = 100000 };
	const struct shares n = shares_of(&config, 1);

	(void)state;
	expect_share(n.lost, 0.2);
	expect_share(n.twice, 0.8 * 0.1);
}

static void nothing__asked_for__comes_at_once(void **state)
{
	const struct hf_impair_way config = { 0 };
	struct way way = way_of(&config, 1);

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		const struct fate fate = way_fate(&way, (uint16_t)i, i);

		assert_true(same(fate, (struct fate){ .at_us = i }));
	}
}

/* ---- Seeds ----------------------------------------------------------------------------------- */

static void seed__again__same_fates(void **state)
{
	static const struct hf_impair_way config = { .loss = 100000,
						     .duplicate = 100000,
						     .reorder = 100000,
						     .corrupt = 100000,
						     .delay_us = 500,
						     .jitter_us = 300 };
	struct way a = way_of(&config, 7), b = way_of(&config, 7), c = way_of(&config, 8);
	unsigned differ = 0;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		const struct fate x = way_fate(&a, 0, i), y = way_fate(&b, 0, i),
				  z = way_fate(&c, 0, i);

		assert_true(same(x, y));
		assert_int_equal(way_pick(&a, 1000), way_pick(&b, 1000));
		way_pick(&c, 1000);
		differ += !same(x, z);
	}
	assert_true(differ > 5000);
}

/* ---- Delays ---------------------------------------------------------------------------------- */

static void jitter__of_frames_far_apart__is_even_over_its_span(void **state)
{
	const struct hf_impair_way config = { .delay_us = 5000, .jitter_us = 1000 };
	struct way way = way_of(&config, 3);
	uint64_t least = UINT64_MAX, most = 0;
	double sum = 0;

	(void)state;
	for (uint64_t i = 0; i < FRAMES; i++) {
		const uint64_t took_us = way_fate(&way, 0, i * 10000).at_us - i * 10000;

		least = took_us < least ? took_us : least;
		most = took_us > most ? took_us : most;
		sum += (double)took_us;
	}
	assert_int_equal(least, 4000);
	assert_int_equal(most, 6000);
	/* of an even spread over 2001 values */
	assert_true(fabs(sum / FRAMES - 5000) <= 6 * sqrt((2001.0 * 2001 - 1) / 12 / FRAMES));
}

static void jitter__of_frames_close_together__keeps_their_order(void **state)
{
	const struct hf_impair_way config = { .delay_us = 5000, .jitter_us = 5000 };
	struct way way = way_of(&config, 4);
	uint64_t last_us = 0;

	(void)state;
	for (uint64_t i = 0; i < FRAMES; i++) {
		const struct fate fate = way_fate(&way, 0, i);

		assert_true(fate.at_us >= last_us && fate.at_us >= i && fate.at_us <= i + 10000);
		last_us = fate.at_us;
	}
}

static void reorder__lets_later_frames_pass__within_its_span(void **state)
{
	static const uint32_t spans[] = { 0, 1, 500, 20000 };

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		const struct hf_impair_way config = { .reorder = 250000,
						      .reorder_us = spans[k],
						      .delay_us = 100 };
		const uint32_t span_us = spans[k] ? spans[k] : 1000;
		struct way way = way_of(&config, k);
		uint64_t most = 0;

		for (uint64_t i = 0; i < FRAMES; i++) {
			const struct fate fate = way_fate(&way, 0, i);
			const uint64_t late_us = fate.at_us - i - 100;

			assert_true(fate.late ? late_us >= 1 && late_us <= span_us : late_us == 0);
			most = late_us > most ? late_us : most;
		}
		assert_int_equal(most, span_us);
	}
}

/* ---- Rules ----------------------------------------------------------------------------------- */

#define MASK_SYN (HF_FRAME_TCP | SEG_SYN | SEG_ACK)

static void rule__of_some_frames__meets_these_alone(void **state)
{
	const struct hf_impair_way config = {
		.rule_count = 4,
		.rules = { { HF_IMPAIR_DROP, TCP(SEG_FIN), TCP(SEG_FIN), 1, 1, 0 },
			   { HF_IMPAIR_TWICE, MASK_SYN, TCP(SEG_SYN | SEG_ACK), 1, 3, 0 },
			   { HF_IMPAIR_LATER, HF_FRAME_TEXT, HF_FRAME_TEXT, 2, 0, 700 },
			   { HF_IMPAIR_CORRUPT, 0, 0, 9, 10, 0 } },
	};
	/* flags, and what is to happen */
	static const struct {
		uint16_t kind;
		struct fate fate;
	} script[] = {
		{ TCP(SEG_SYN), { 0 } },
		{ TCP(SEG_SYN | SEG_ACK), { .twice = true } },
		{ TCP(SEG_SYN | SEG_ACK), { .twice = true } },
		{ 0, { 0 } }, /* no TCP */
		{ TCP(SEG_SYN | SEG_ACK | SEG_PSH), { .twice = true } },
		{ TCP(SEG_SYN | SEG_ACK), { 0 } },
		{ TCP(SEG_ACK) | HF_FRAME_TEXT, { 0 } },
		{ TCP(SEG_ACK) | HF_FRAME_TEXT, { .late = true } },
		{ TCP(SEG_ACK), { .corrupt = true } },	      /* the ninth of all */
		{ TCP(SEG_FIN | SEG_ACK), { .lost = true } }, /* and the tenth: the first fits */
		{ TCP(SEG_FIN | SEG_ACK), { 0 } },	      /* retransmitted: the second one */
		{ TCP(SEG_FIN) | HF_FRAME_TEXT, { .late = true } }, /* the third text */
	};
	struct way way = way_of(&config, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(script) / sizeof(script[0]); i++) {
		struct fate want = script[i].fate;
		const struct fate fate = way_fate(&way, script[i].kind, 1000);

		want.at_us = want.lost ? 0 : want.late ? 1700 : 1000;
		assert_true(same(fate, want));
	}
}

static void rule__that_fits__keeps_chance_away(void **state)
{
	const struct hf_impair_way config = {
		.loss = HF_EVER,
		.rule_count = 1,
		.rules = { { HF_IMPAIR_LATER, TCP(SEG_RST), TCP(SEG_RST), 0, 0, 0 } },
	};
	struct way way = way_of(&config, 1);

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		assert_false(way_fate(&way, TCP(SEG_RST), 0).lost);
		assert_true(way_fate(&way, TCP(SEG_ACK), 0).lost);
	}
}

static void behind__the_next_frame__or_ten_seconds(void **state)
{
	const struct hf_impair_way config = {
		.delay_us = 10,
		.rule_count = 1,
		.rules = { { HF_IMPAIR_BEHIND, TCP(SEG_SYN), TCP(SEG_SYN), 0, 0, 0 } },
	};
	struct way way = way_of(&config, 1);
	char frames[4];
	struct fate fate;

	(void)state;
	for (unsigned i = 0; i < 3;
	     i++) { /* the second SYN overtakes the first, then waits for nobody */
		fate = way_fate(&way, TCP(i < 2 ? SEG_SYN : SEG_ACK), 100 * i);
		assert_int_equal(fate.behind, i < 2);
		assert_true(way_hold(&way, &frames[i], &fate));
		assert_int_equal(way_next(&way), i == 0 ? 10 + WAY_BEHIND_US : 110);
	}
	assert_null(way_take(&way, 109));
	assert_ptr_equal(way_take(&way, 110), &frames[1]);
	assert_ptr_equal(way_take(&way, 110), &frames[0]);
	assert_null(way_take(&way, 209));
	assert_ptr_equal(way_take(&way, 210), &frames[2]);

	fate = way_fate(&way, TCP(SEG_SYN), 1000);
	assert_true(way_hold(&way, &frames[3], &fate));
	assert_int_equal(way_held(&way), 1);
	assert_null(way_take(&way, 1009 + WAY_BEHIND_US));
	assert_ptr_equal(way_take(&way, 1010 + WAY_BEHIND_US), &frames[3]);
	assert_int_equal(way_held(&way), 0);
	assert_int_equal(way_next(&way), UINT64_MAX);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static void frames__held_and_taken__come_by_time_then_in_order(void **state)
{
	static const struct hf_impair_way config;
	struct way way = way_of(&config, 1);
	struct {
		uint64_t at_us;
		char *frame;
	} list[ROOM];
	char frames[ROOM];
	uint64_t random = 1;
	unsigned n = 0;

	(void)state;
	for (unsigned step = 0; step < 100000; step++) {
		const uint64_t now_us = step / 100;

		if (n < ROOM && random_below(&random, 2) == 0) {
			const struct fate fate = { .at_us = now_us + random_below(&random, 10) };
			unsigned i = n++;

			for (; i > 0 && list[i - 1].at_us > fate.at_us; i--)
				list[i] = list[i - 1];
			list[i].at_us = fate.at_us;
			list[i].frame = &frames[random_below(&random, ROOM)];
			assert_true(way_hold(&way, list[i].frame, &fate));
		} else {
			char *const frame = way_take(&way, now_us);

			if (n == 0 || list[0].at_us > now_us) {
				assert_null(frame);
				continue;
			}
			assert_ptr_equal(frame, list[0].frame);
			memmove(list, list + 1, --n * sizeof(list[0]));
		}
		assert_int_equal(way_held(&way), n);
		assert_int_equal(way_next(&way), n > 0 ? list[0].at_us : UINT64_MAX);
	}
}

static void frames__over_the_limit__are_refused(void **state)
{
	static const struct hf_impair_way config;
	const struct fate fate = { .at_us = 5 }, behind = { .at_us = 9, .behind = true };
	struct way way = way_of(&config, 1);
	char frame;

	(void)state;
	assert_true(way_hold(&way, &frame, &behind));
	for (unsigned i = 1; i < ROOM; i++)
		assert_true(way_hold(&way, &frame, &fate));
	assert_false(way_hold(&way, &frame, &fate));
	assert_false(way_hold(&way, &frame, &behind));
	assert_int_equal(way.refused, 2);
	assert_int_equal(way.peak, ROOM);
	for (unsigned i = 0; i < ROOM; i++)
		assert_non_null(way_take(&way, 5));
	assert_null(way_take(&way, UINT64_MAX));
}

/* ---- Kinds ----------------------------------------------------------------------------------- */

/* Ethernet of this type, IP of this version, TCP with these flags and so much text. */
static size_t make_frame(uint8_t *raw, unsigned tags, uint8_t version, uint8_t flags, unsigned text)
{
	const size_t ip = 14 + 4 * tags, tcp = ip + (version == 4 ? 24 : 40);
	const uint16_t len = (uint16_t)(version == 4 ? 24 + 32 + text : 32 + text);

	memset(raw, 0, 128);
	for (unsigned i = 0; i < tags; i++)
		memcpy(raw + 12 + 4 * i, i == 0 && tags == 2 ? "\x88\xa8" : "\x81\x00", 2);
	memcpy(raw + ip - 2, version == 4 ? "\x08\x00" : "\x86\xdd", 2);
	raw[ip] = version == 4 ? 0x46 : 0x60; /* four octets of options */
	raw[ip + (version == 4 ? 3 : 5)] = (uint8_t)len;
	raw[ip + (version == 4 ? 9 : 6)] = 6;
	raw[tcp + 12] = 8 << 4;
	raw[tcp + 13] = flags;
	return tcp + 32 + text;
}

static void kind__of_any_frame__is_known(void **state)
{
	uint8_t raw[128];
	size_t ip;

	(void)state;
	for (unsigned tags = 0; tags < 3; tags++) {
		for (uint8_t version = 4; version <= 6; version += 2) {
			for (unsigned flags = 0; flags < 256; flags++) {
				const unsigned text = flags % 3;
				const size_t len =
					make_frame(raw, tags, version, (uint8_t)flags, text);
				const uint16_t want =
					(uint16_t)(TCP(flags) | (text > 0 ? HF_FRAME_TEXT : 0));

				/* Ethernet pads to 60 octets; that is no text */
				assert_int_equal(frame_kind(raw, len, false, &ip), want);
				assert_int_equal(frame_kind(raw, len + 6, false, &ip), want);
				assert_int_equal(ip, 14 + 4 * tags);
				assert_int_equal(frame_kind(raw + ip, len - ip, true, &ip), want);
				assert_int_equal(ip, 0);
			}
		}
	}
}

static void kind__of_other_or_cut_frames__is_none(void **state)
{
	uint8_t raw[128];
	size_t ip;

	(void)state;
	for (uint8_t version = 4; version <= 6; version += 2) {
		const size_t tcp = version == 4 ? 24 : 40;

		make_frame(raw, 1, version, SEG_FIN, 0);
		for (size_t len = 0; len < 18 + tcp + 20; len++) { /* sanitizers watch the end */
			uint8_t cut[128];

			memcpy(cut + 128 - len, raw, len);
			assert_int_equal(frame_kind(cut + 128 - len, len, false, &ip), 0);
			assert_true(ip == (len < 18 ? SIZE_MAX : 18));
		}
		raw[18 + (version == 4 ? 9 : 6)] = 17;
		assert_int_equal(frame_kind(raw, 128, false, &ip), 0);
		assert_int_equal(ip, 18);
	}
	make_frame(raw, 0, 4, SEG_FIN, 0);
	raw[14 + 7] = 1; /* a fragment that is not the first: what looks like a header is text */
	assert_int_equal(frame_kind(raw, 128, false, &ip), 0);
	memcpy(raw + 12, "\x08\x06", 2); /* ARP */
	assert_int_equal(frame_kind(raw, 128, false, &ip), 0);
	assert_true(ip == SIZE_MAX);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates__of_many_frames__are_kept),
		cmocka_unit_test(rates__with_loss__are_of_what_is_left),
		cmocka_unit_test(nothing__asked_for__comes_at_once),
		cmocka_unit_test(seed__again__same_fates),
		cmocka_unit_test(jitter__of_frames_far_apart__is_even_over_its_span),
		cmocka_unit_test(jitter__of_frames_close_together__keeps_their_order),
		cmocka_unit_test(reorder__lets_later_frames_pass__within_its_span),
		cmocka_unit_test(rule__of_some_frames__meets_these_alone),
		cmocka_unit_test(rule__that_fits__keeps_chance_away),
		cmocka_unit_test(behind__the_next_frame__or_ten_seconds),
		cmocka_unit_test(frames__held_and_taken__come_by_time_then_in_order),
		cmocka_unit_test(frames__over_the_limit__are_refused),
		cmocka_unit_test(kind__of_any_frame__is_known),
		cmocka_unit_test(kind__of_other_or_cut_frames__is_none),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("way", tests, NULL, NULL);
}

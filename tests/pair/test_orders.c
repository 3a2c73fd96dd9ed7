/* SPDX-License-Identifier: BSD-3-Clause */
/* Two engines open and close in every order (RFC 9293 3.5, 3.6; sections 7 to 9 of the requirements). */
#include <errno.h>
#include <string.h>

#include "rig/frame.h"
#include "rig/talk.h"
#include "tcp/seg.h"

#define MIB (1024u * 1024)

#define TW_NONE 0
#define TW_FIRST 1  /* of side 0 */
#define TW_SECOND 2 /* of side 1 */

/* Until both ends are over; then who waits? */
static void run_to_end(struct pair *p, struct talk *t, unsigned waits, uint64_t us)
{
	pair_until(p, talk_over, us);
	pair_run(p, MS(50)); /* the last ACK arrives */
	talk_expect_whole(p, t);
	for (unsigned i = 0; i < 2; i++) {
		const enum hf_state want = waits & (1u << i) ? HF_TIME_WAIT : HF_CLOSED;

		if (talk_state(p, t, i) != want)
			pair_fail(p, "side %u is in %s, not %s", i,
				  hf_state_name(talk_state(p, t, i)), hf_state_name(want));
	}
}

static void exchange(struct pair *p, const struct plan *a, const struct plan *b, unsigned waits)
{
	struct talk t = { 0 };

	talk_begin(p, &t, a, b);
	talk_open(p, &t, 0);
	run_to_end(p, &t, waits, SEC(10));
	p->app = NULL;
}

static uint64_t entered(const struct pair *p, unsigned side, enum hf_state state)
{
	struct hf_state_level levels[HF_STATES];

	hf_state_levels(p->side[side].w, levels);
	return levels[state].entered;
}

/* ---- Closing in order ------------------------------------------------------------------------ */

static void close__opener_first_without_text__waits(struct pair *p)
{
	exchange(p, &(struct plan){ 0 }, &(struct plan){ .eof = true }, TW_FIRST);
	assert_int_equal(entered(p, 0, HF_FIN_WAIT_1), 1);
	assert_int_equal(entered(p, 0, HF_CLOSING), 0);
	assert_int_equal(entered(p, 1, HF_LAST_ACK), 1);
}

static void close__listener_first_without_text__waits(struct pair *p)
{
	exchange(p, &(struct plan){ .eof = true }, &(struct plan){ 0 }, TW_SECOND);
}

static void close__fin_with_text__is_taken_whole(struct pair *p)
{
	exchange(p, &(struct plan){ .send = 100 }, &(struct plan){ .until = 100, .eof = true },
		 TW_FIRST);
}

static void close__opener_first_after_response__waits(struct pair *p)
{
	exchange(p, &(struct plan){ .send = 100, .until = 200 },
		 &(struct plan){ .after = 100, .send = 200, .eof = true }, TW_FIRST);
}

static void close__listener_first_with_response__takes_six_segments(struct pair *p)
{
	exchange(p, &(struct plan){ .send = 100, .until = 200, .eof = true },
		 &(struct plan){ .after = 100, .send = 200 }, TW_SECOND);
	assert_in_range(p->link->sent[0] + p->link->sent[1], 6, 7);
}

static void close__both_at_once__both_wait(struct pair *p)
{
	const struct plan plan = { .send = 100, .until = 100, .at_us = p->now_us + MS(50) };

	exchange(p, &plan, &plan, TW_FIRST | TW_SECOND);
	assert_int_equal(entered(p, 0, HF_CLOSING), 1);
	assert_int_equal(entered(p, 1, HF_CLOSING), 1);
}

static void close_both_losing(struct pair *p, bool first, bool second)
{
	const struct plan plan = { .send = 100, .until = 100, .at_us = p->now_us + MS(50) };

	for (unsigned i = 0; i < 2; i++)
		if (i == 0 ? first : second)
			link_rule(p->link, (struct link_rule){ .from = i,
							       .mask = SEG_FIN,
							       .flags = SEG_FIN,
							       .nth = 1,
							       .act = LINK_DROP });
	exchange(p, &plan, &plan, TW_FIRST | TW_SECOND);
}

static void close__both_at_once_first_fin_lost__both_wait(struct pair *p)
{
	close_both_losing(p, true, false);
}

static void close__both_at_once_second_fin_lost__both_wait(struct pair *p)
{
	close_both_losing(p, false, true);
}

static void close__both_at_once_fins_lost__both_wait(struct pair *p)
{
	close_both_losing(p, true, true);
}

/* FIN and the ACK of ours in one segment: FIN-WAIT-1 to TIME-WAIT with no record between. */
static void close__fin_acks_fin__waits_at_once(struct pair *p)
{
	exchange(p, &(struct plan){ 0 }, &(struct plan){ .eof = true }, TW_FIRST);
	assert_int_equal(entered(p, 0, HF_FIN_WAIT_2), 1); /* within the segment */
	assert_int_equal(pair_counter(p, 0, "fw2_entered"), 0);
	assert_int_equal(p->link->sent[1], 2); /* SYN-ACK, FIN-ACK */
}

/* ---- Half-close ------------------------------------------------------------------------------ */

static void half_close__opener_first__mebibyte_comes_back(struct pair *p)
{
	exchange(p, &(struct plan){ .send = 100, .end = TALK_SHUTDOWN },
		 &(struct plan){ .after = 100, .send = MIB, .eof = true }, TW_FIRST);
}

static void half_close__listener_first__mebibyte_comes_back(struct pair *p)
{
	exchange(p, &(struct plan){ .after = 100, .send = MIB, .eof = true },
		 &(struct plan){ .send = 100, .end = TALK_SHUTDOWN }, TW_SECOND);
}

/* 10 MiB over two hours; FIN-WAIT-2 has no timer while the application holds on. */
static void half_close__two_hours__each_octet_comes(struct pair *p)
{
	struct talk t = { 0 };

	p->check_every = 64;
	talk_begin(p, &t, &(struct plan){ .end = TALK_SHUTDOWN },
		   &(struct plan){ .send = 10 * MIB, .drip = 14564, .drip_us = SEC(10), .eof = true });
	talk_open(p, &t, 0);
	pair_run(p, SEC(7000));
	assert_int_equal(talk_state(p, &t, 0), HF_FIN_WAIT_2);
	run_to_end(p, &t, TW_FIRST, SEC(1000));
	p->app = NULL;
}

/* ---- Simultaneous open ----------------------------------------------------------------------- */

static void open_both(struct pair *p, const struct link_rule *rules, unsigned n)
{
	const struct plan plan = { .send = 1000, .until = 1000, .eof = true };
	struct talk t = { 0 };

	talk_begin(p, &t, &(struct plan){ .send = 1000, .until = 1000 }, &plan);
	for (unsigned i = 0; i < n; i++)
		link_rule(p->link, rules[i]);
	talk_open_both(p, &t);
	run_to_end(p, &t, TW_FIRST, SEC(20));
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pair_counter(p, i, "active_attempted"), 1);
		assert_int_equal(pair_counter(p, i, "active_established"), 1);
		assert_int_equal(pair_counter(p, i, "closed"), 1);
	}
	p->app = NULL;
}

#define SYN_ACK_OF(side) .from = (side), .mask = SEG_SYN | SEG_ACK, .flags = SEG_SYN | SEG_ACK
#define SYN_OF(side) .from = (side), .mask = SEG_SYN | SEG_ACK, .flags = SEG_SYN

static void open__syns_cross__one_connection(struct pair *p)
{
	open_both(p, NULL, 0);
	assert_int_equal(entered(p, 0, HF_SYN_RECEIVED), 1);
	assert_int_equal(entered(p, 1, HF_SYN_RECEIVED), 1);
}

static void open__syns_cross_one_syn_ack_lost__one_connection(struct pair *p)
{
	const unsigned side = p->variant % 2;

	open_both(p, &(struct link_rule){ SYN_ACK_OF(side), .nth = 1, .act = LINK_DROP }, 1);
}

static void open__syns_cross_both_syn_acks_lost__one_connection(struct pair *p)
{
	const struct link_rule rules[2] = {
		{ SYN_ACK_OF(0), .nth = 1, .act = LINK_DROP },
		{ SYN_ACK_OF(1), .nth = 1, .act = LINK_DROP },
	};

	open_both(p, rules, 2);
}

static void open__syn_ack_overtakes_syn__one_connection(struct pair *p)
{
	const unsigned side = p->variant % 2;

	open_both(p,
		  &(struct link_rule){ SYN_OF(side), .nth = 1, .act = LINK_LATER, .later_us = 50000 },
		  1);
}

/* ---- Aborts ---------------------------------------------------------------------------------- */

/* One side aborts at a moment of an exchange that passes through all states. @return the state it was in */
static enum hf_state abort_at(struct pair *p, unsigned side, bool both_open, uint64_t after_us)
{
	struct plan plan[2] = {
		{ .send = 100, .end = TALK_SHUTDOWN, .at_us = p->now_us + MS(6) },
		{ .send = 100, .end = TALK_SHUTDOWN, .at_us = p->now_us + (both_open ? MS(6) : MS(12)) },
	};
	struct talk t = { 0 };
	enum hf_state was;

	plan[side].abort_us = p->now_us + after_us;
	talk_begin(p, &t, &plan[0], &plan[1]);
	t.strict = false;
	if (both_open)
		talk_open_both(p, &t);
	else
		talk_open(p, &t, 0);
	pair_run(p, SEC(100));
	was = t.side[side].aborted;
	for (unsigned i = 0; i < 2; i++)
		if (t.side[i].id != 0)
			pair_fail(p, "side %u lives on after an abort in %s", i, hf_state_name(was));
	if (was != HF_CLOSED && was != HF_TIME_WAIT && t.side[side].error != ECONNABORTED)
		pair_fail(p, "an abort in %s ended with %s", hf_state_name(was),
			  strerrorname_np(t.side[side].error));
	if ((was == HF_ESTABLISHED || was == HF_FIN_WAIT_1 || was == HF_FIN_WAIT_2 ||
	     was == HF_CLOSE_WAIT) &&
	    t.side[!side].connected && t.side[!side].error != ECONNRESET)
		pair_fail(p, "the peer of an abort in %s heard %s", hf_state_name(was),
			  strerrorname_np(t.side[!side].error));
	return was;
}

static void abort__in_every_state__both_ends_go(struct pair *p)
{
	unsigned seen = 0;

	for (unsigned both = 0; both < 2; both++) {
		for (unsigned side = 0; side < 2; side++)
			for (uint64_t us = 300; us < MS(20); us += 500) {
				seen |= 1u << abort_at(p, side, both, us);
				pair_expect_empty(p);
			}
	}
	for (unsigned i = HF_SYN_SENT; i <= HF_TIME_WAIT; i++)
		if (!(seen & 1u << i))
			pair_fail(p, "no abort fell into %s", hf_state_name((enum hf_state)i));
}

static void close__unread_text__resets(struct pair *p)
{
	struct talk t = { 0 };

	talk_begin(p, &t, &(struct plan){ .send = 100, .end = TALK_HOLD },
		   &(struct plan){ .deaf = true, .at_us = p->now_us + MS(100) });
	t.strict = false;
	talk_open(p, &t, 0);
	pair_until(p, talk_over, SEC(1));
	assert_int_equal(t.side[0].error, ECONNRESET);
	assert_int_equal(t.side[1].error, ECONNABORTED);
	assert_int_equal(pair_counter(p, 1, "rst_out_unread"), 1);
	p->app = NULL;
}

static void close__text_after_it__resets(struct pair *p)
{
	struct talk t = { 0 };

	talk_begin(p, &t, &(struct plan){ .send = 10 * MIB, .drip = 100, .drip_us = MS(10) },
		   &(struct plan){ .until = 1000 });
	t.strict = false;
	talk_open(p, &t, 0);
	pair_until(p, talk_over, SEC(10));
	assert_int_equal(t.side[0].error, ECONNRESET);
	assert_int_equal(pair_counter(p, 1, "abort_on_data"), 1);
	p->app = NULL;
}

/* ---- Silence --------------------------------------------------------------------------------- */

static void cut(struct pair *p, unsigned from)
{
	p->link->rates[from].loss = LINK_EVER;
}

/* After n frames nothing gets through any more (from one side, or from both). */
static bool cut_after(struct pair *p, uint64_t n, unsigned sides)
{
	const uint64_t start = p->link->sent[0] + p->link->sent[1];
	struct talk t = { 0 };
	bool over = false;

	talk_begin(p, &t, &(struct plan){ .send = 5000, .until = 5000 },
		   &(struct plan){ .after = 5000, .send = 5000, .eof = true });
	t.strict = false;
	talk_open(p, &t, 0);
	while (!over && p->link->sent[0] + p->link->sent[1] - start < n) {
		pair_step(p, UINT64_MAX);
		over = talk_over(p);
	}
	for (unsigned i = 0; i < 2; i++)
		if (sides & 1u << i)
			cut(p, i);
	pair_run(p, SEC(100));
	talk_release(p, &t);
	pair_run(p, SEC(1400)); /* R2, 15 retransmissions of 120 s at most, ends all */
	pair_expect_empty(p);
	link_heal(p->link);
	return over;
}

static void silence__after_every_frame__both_ends_go(struct pair *p)
{
	for (unsigned sides = 1; sides <= 3; sides++)
		for (uint64_t n = 1; !cut_after(p, n, sides); n++)
			assert_true(n < 100);
}

/* ---- Tuples used again ----------------------------------------------------------------------- */

static void free_iss(struct pair *p)
{
	p->side[0].config.seed.iss_fixed = p->side[1].config.seed.iss_fixed = false;
	p->side[0].config.seed.seed += 2 * p->variant;
}

static const struct plan first_closer = { .send = 100, .until = 100 };
static const struct plan second_closer = { .send = 100, .until = 100, .eof = true };

/* Closed by side 0, which sits in TIME-WAIT; side 1 is still in LAST-ACK as no ACK reaches it. */
static void reopen__peer_in_last_ack__connects(struct pair *p)
{
	struct talk t = { 0 }, again = { 0 };
	uint64_t start_us;

	talk_begin(p, &t, &first_closer, &second_closer);
	talk_open(p, &t, 2000);
	while (talk_state(p, &t, 0) != HF_TIME_WAIT)
		pair_step(p, UINT64_MAX);
	link_heal(p->link); /* the last ACK is lost */
	cut(p, 0);
	cut(p, 1);
	pair_run(p, MS(1100));
	assert_int_equal(talk_state(p, &t, 1), HF_LAST_ACK);
	link_heal(p->link);
	talk_begin(p, &again, &first_closer, &second_closer);
	again.strict = false; /* the old connection of side 1 ends too */
	start_us = p->now_us;
	talk_open(p, &again, 2000);
	pair_until(p, talk_connected, MS(1050));
	assert_true(p->now_us - start_us >= SEC(1)); /* the SYN's retransmission did it */
	pair_until(p, talk_over, SEC(1));
	talk_expect_whole(p, &again);
	assert_int_equal(pair_counter(p, 0, "tw_reused_active"), 1);
	assert_int_equal(pair_counter(p, 1, "lost_reset"), 1);
	p->app = NULL;
}

static void reopen__peer_in_time_wait_too__connects_at_once(struct pair *p)
{
	const struct plan plan = { .send = 100, .until = 100, .at_us = p->now_us + MS(50) };
	struct talk t = { 0 };

	talk_begin(p, &t, &plan, &plan);
	talk_open(p, &t, 2000);
	run_to_end(p, &t, TW_FIRST | TW_SECOND, SEC(1));
	pair_run(p, MS(1001));
	talk_begin(p, &t, &first_closer, &second_closer);
	talk_open(p, &t, 2000);
	run_to_end(p, &t, TW_FIRST, MS(50));
	assert_int_equal(pair_counter(p, 0, "tw_reused_active"), 1);
	assert_int_equal(pair_counter(p, 1, "tw_reused_passive"), 1);
	assert_int_equal(pair_counter(p, 0, "retransmit_syn"), 0);
	p->app = NULL;
}

/* Side 1 closed first and waits; the tuple is free at side 0 and used again at once. Without timestamps
 * only the ISN clock shows order, which 10 MiB outrun. */
static void reopen_after(struct pair *p, uint64_t us, uint32_t sent)
{
	struct talk t = { 0 };

	talk_begin(p, &t, &(struct plan){ .send = sent, .until = 100, .eof = true },
		   &(struct plan){ .send = 100, .until = sent });
	talk_open(p, &t, 2000);
	pair_until(p, talk_over, SEC(60));
	pair_run(p, us);
	assert_int_equal(talk_state(p, &t, 0), HF_CLOSED);
	assert_int_equal(talk_state(p, &t, 1), HF_TIME_WAIT);
	talk_begin(p, &t, &first_closer, &second_closer);
	talk_open(p, &t, 2000);
	run_to_end(p, &t, TW_FIRST, MS(us > 0 || sent == 0 ? 100 : 1200));
	p->app = NULL;
	pair_settle(p);
}

static void reopen__only_peer_in_time_wait__connects(struct pair *p)
{
	static const uint64_t after_us[3] = { 0, 1000, 10000 };

	p->check_every = 64;
	for (unsigned i = 0; i < 3; i++) {
		reopen_after(p, after_us[i], 0);
		if (p->side[0].config.tcp.timestamps)
			reopen_after(p, after_us[i], 10 * MIB);
	}
}

/* ---- One end has forgotten ------------------------------------------------------------------- */

static void forget__opener__reconnects_within_a_retransmission(struct pair *p)
{
	struct talk t = { 0 };
	uint64_t start_us;

	talk_begin(p, &t, &(struct plan){ .send = 100, .end = TALK_HOLD },
		   &(struct plan){ .send = 100, .until = 100, .end = TALK_HOLD });
	talk_open(p, &t, 2000);
	pair_run(p, SEC(1));
	pair_forget(p, 0);
	talk_begin(p, &t, &first_closer, &second_closer);
	t.strict = false;
	start_us = p->now_us;
	talk_open(p, &t, 2000);
	pair_until(p, talk_connected, SEC(2));
	assert_in_range(p->now_us - start_us, SEC(1), SEC(1) + MS(5)); /* an RTO and an RTT */
	assert_int_equal(pair_counter(p, 1, "lost_reset"), 1);
	assert_int_equal(pair_counter(p, 1, "syn_challenged"), 1);
	t.strict = true;
	run_to_end(p, &t, TW_FIRST, SEC(1));
	p->app = NULL;
}

static void forget__listener__text_is_refused(struct pair *p)
{
	struct talk t = { 0 };

	talk_begin(p, &t, &(struct plan){ .send = 100, .end = TALK_HOLD },
		   &(struct plan){ .send = 100, .end = TALK_HOLD });
	t.strict = false;
	talk_open(p, &t, 2000);
	pair_run(p, SEC(1));
	pair_forget(p, 1);
	t.side[1].id = 0;
	t.side[0].plan.send = 200;
	p->wake_us = p->now_us;
	pair_run(p, SEC(1));
	assert_int_equal(t.side[0].error, ECONNRESET);
	p->app = NULL;
}

/* ---- Both are wrong -------------------------------------------------------------------------- */

/* The last segment that a side has sent. */
static struct seg last_seg(const struct pair *p, unsigned side)
{
	const struct frame_form form = { .ttl = 64 };
	struct frame f = { 0 };
	unsigned i = p->logged;

	while (p->log[--i % PAIR_LOG].from != side)
		continue;
	f.len = p->log[i % PAIR_LOG].len;
	memcpy(f.raw, p->log[i % PAIR_LOG].raw, f.len);
	frame_parse(&f, &form);
	return f.seg;
}

/* A segment as side 0 might have sent it comes to side 1. */
static void forge(struct pair *p, const struct hf_addr *from, const struct seg *seg)
{
	const struct frame_form form = { .ttl = 64 };
	uint8_t raw[FRAME_MAX];
	const size_t len = frame_build(raw, &form, from, &p->side[1].addr, seg, NULL, NULL, 0);

	assert_int_equal(hf_memport_push(p->side[1].port, raw, len, NULL), 0);
	p->wake_us = p->now_us;
	pair_run(p, 1);
}

/* Side 1 begins anew on the tuple of side 0's live connection, with numbers so far off. */
static void force_apart(struct pair *p, struct talk *t, uint32_t seq_off, uint32_t ack_off)
{
	struct seg seg = last_seg(p, 0);
	uint32_t listener;

	cut(p, 1);
	p->side[1].config.seed.iss = seg.ack - 1 + ack_off;
	pair_forget(p, 1);
	t->side[1].id = 0;
	t->side[1].connected = false;
	assert_int_equal(hf_listen(p->side[1].w, &p->side[1].addr, 1, &listener), 0);
	seg = (struct seg){ .seq = seg.seq + seg.len - 1 + seq_off,
			    .flags = SEG_SYN,
			    .wnd = 1000,
			    .options = (uint8_t)(seg.options | OPT_MSS),
			    .mss = 1460,
			    .tsval = seg.tsval };
	forge(p, &t->side[0].local, &seg);
	seg.seq++;
	seg.ack = p->side[1].config.seed.iss + 1;
	seg.flags = SEG_ACK;
	seg.options &= OPT_TS;
	forge(p, &t->side[0].local, &seg);
	link_heal(p->link);
	if (!t->side[1].connected)
		pair_fail(p, "side 1 did not take the forged handshake");
}

/* Each end takes the other's segments for wrong ones, and says so: that must not go on for ever. */
static void apart__both_settle_to_two_a_second(struct pair *p)
{
	static const uint32_t offs[] = { 1, -1u, 1000, -1000u, 1u << 30, 1u << 31, -(1u << 30), 0 };
	const unsigned n = sizeof(offs) / sizeof(offs[0]);
	const struct plan plan = { .send = 10, .deaf = true, .end = TALK_HOLD };
	uint64_t sent[2];

	p->check_every = 16;
	for (unsigned i = 0; i < n; i++) {
		struct talk t = { 0 };

		talk_begin(p, &t, &plan, &plan);
		t.strict = false;
		talk_open(p, &t, 0);
		pair_run(p, SEC(1));
		force_apart(p, &t, offs[i], offs[(i * 3 + 1) % n]);
		t.side[0].plan.send = 20;
		p->wake_us = p->now_us;
		pair_run(p, SEC(5));
		memcpy(sent, p->link->sent, sizeof(sent));
		pair_run(p, SEC(60));
		for (unsigned side = 0; side < 2; side++)
			if (p->link->sent[side] - sent[side] > 120)
				pair_fail(p, "off by %d and %d: side %u sent %u segments a minute",
					  (int)offs[i], (int)offs[(i * 3 + 1) % n], side,
					  (unsigned)(p->link->sent[side] - sent[side]));
		talk_release(p, &t);
		pair_settle(p);
	}
	p->app = NULL;
}

/* An old SYN comes again (figure 8 of 3.5): the peer's RST takes the half-open away. */
static void old_syn__is_reset__then_true_one_connects(struct pair *p)
{
	const struct seg syn = {
		.seq = 90, .flags = SEG_SYN, .wnd = 1000, .options = OPT_MSS, .mss = 1460
	};
	struct hf_addr from = p->side[0].addr;
	struct talk t = { 0 };

	from.port = 2000;
	talk_begin(p, &t, &first_closer, &second_closer);
	forge(p, &from, &syn);
	pair_run(p, MS(5));
	assert_int_equal(pair_counter(p, 1, "request_reset"), 1);
	talk_open(p, &t, 2000);
	run_to_end(p, &t, TW_FIRST, MS(100));
	p->app = NULL;
}

static const struct pair_row rows[] = {
	{ "HF-CL1", close__opener_first_without_text__waits, NULL, PAIR_ALL },
	{ "HF-CL1", close__listener_first_without_text__waits, NULL, PAIR_ALL },
	{ "HF-CL1", close__fin_with_text__is_taken_whole, NULL, PAIR_ALL },
	{ "HF-CL1", close__opener_first_after_response__waits, NULL, PAIR_ALL },
	{ "HF-CL1", close__listener_first_with_response__takes_six_segments, NULL, PAIR_ALL },
	{ "HF-CL2", close__both_at_once__both_wait, NULL, PAIR_ALL },
	{ "HF-CL2", close__both_at_once_first_fin_lost__both_wait, NULL, PAIR_ALL },
	{ "HF-CL2", close__both_at_once_second_fin_lost__both_wait, NULL, PAIR_ALL },
	{ "HF-CL2", close__both_at_once_fins_lost__both_wait, NULL, PAIR_ALL },
	{ "HF-CL2", close__fin_acks_fin__waits_at_once, NULL, PAIR_ALL },
	{ "HF-CL3", half_close__opener_first__mebibyte_comes_back, NULL, PAIR_ALL },
	{ "HF-CL3", half_close__listener_first__mebibyte_comes_back, NULL, PAIR_ALL },
	{ "HF-CL3", half_close__two_hours__each_octet_comes, NULL, PAIR_ONCE },
	{ "MUST-10", open__syns_cross__one_connection, NULL, PAIR_ALL },
	{ "MUST-10", open__syns_cross_one_syn_ack_lost__one_connection, NULL, PAIR_ALL },
	{ "MUST-10", open__syns_cross_both_syn_acks_lost__one_connection, NULL, PAIR_ALL },
	{ "MUST-10", open__syn_ack_overtakes_syn__one_connection, NULL, PAIR_ALL },
	{ "HF-LK1", abort__in_every_state__both_ends_go, NULL, PAIR_ALL },
	{ "SHLD-3", close__unread_text__resets, NULL, PAIR_ALL },
	{ "SHLD-3", close__text_after_it__resets, NULL, PAIR_ALL },
	{ "HF-LK1", silence__after_every_frame__both_ends_go, NULL, PAIR_ALL },
	{ "TW-A8", reopen__peer_in_last_ack__connects, free_iss, 6 },
	{ "TW-A9", reopen__peer_in_time_wait_too__connects_at_once, free_iss, 6 },
	{ "TW-A12", reopen__only_peer_in_time_wait__connects, free_iss, PAIR_ALL },
	{ "RFC9293-3.5.1", forget__opener__reconnects_within_a_retransmission, free_iss, PAIR_ALL },
	{ "RFC9293-3.5.1", forget__listener__text_is_refused, free_iss, PAIR_ALL },
	{ "HF-RL2, SEC-29", apart__both_settle_to_two_a_second, NULL, PAIR_ALL },
	{ "RFC9293-old-SYN", old_syn__is_reset__then_true_one_connects, NULL, PAIR_ALL },
};

int main(int argc, char **argv)
{
	return pair_rows_run("orders", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Text out of order: held, trimmed, joined, told by SACK (SHLD-31, HF-D1, HF-D2, RFC2018, MAY-13). */
#include "tcp/reassembly.h"
#include "test_tcp.h"

static void text(struct tcb_rig *r, uint32_t seq, uint16_t len, uint8_t more)
{
	rig_send(r, (struct seg){ .seq = IRS + seq,
				  .ack = r->tcb.snd_una,
				  .text_len = len,
				  .flags = (uint8_t)(SEG_ACK | more) });
}

/* An ACK of so many octets, at once. @return it */
static const struct seg *acked(struct tcb_rig *r, uint32_t octets)
{
	return rig_expect(r,
			  (struct seg){ .seq = ISS + 1, .ack = IRS + 1 + octets, .flags = SEG_ACK });
}

static void gap__filled__all_is_delivered_and_acked_at_once(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	text(r, 101, 100, 0);
	acked(r, 0);
	text(r, 301, 100, 0);
	acked(r, 0);
	assert_int_equal(r->delivered, 0);
	text(r, 1, 100, 0);
	acked(r, 200);
	assert_int_equal(r->delivered, 200);
	assert_int_equal(r->events, TCP_EV_READABLE);
	text(r, 201, 100, 0);
	acked(r, 400);
	assert_int_equal(r->delivered, 400);
	assert_int_equal(r->tcb.held_count, 0);
	rig_counted(r, STAT_OOO_QUEUED, 2);
	rig_counted(r, STAT_OOO_MERGED, 2);
}

/* What came first is kept: overlap on the left, on the right, inside, around. */
static void overlaps__are_trimmed_to_what_is_new(struct tcb_rig *r)
{
	static const struct {
		uint32_t seq;
		uint16_t len, held, skip; /* held 0: nothing of it is new */
	} pieces[] = {
		{ 101, 100, 100, 0 }, { 101, 100, 0, 0 },   { 120, 50, 0, 0 },
		{ 51, 100, 50, 0 },   { 151, 100, 50, 50 }, { 41, 400, 400, 0 },
		{ 240, 20, 0, 0 },    { 400, 10, 0, 0 },    { 300, 400, 259, 141 },
	};

	rig_to(r, TCPS_ESTABLISHED);
	for (unsigned i = 0; i < COUNT(pieces); i++) {
		text(r, pieces[i].seq, pieces[i].len, 0);
		acked(r, 0);
		assert_int_equal(r->out.hold != RANGE_NONE, pieces[i].held > 0);
		if (pieces[i].held == 0)
			continue;
		assert_int_equal(r->out.text_len, pieces[i].held);
		assert_int_equal(r->out.text_skip, pieces[i].skip);
	}
	text(r, 1, 300, 0); /* only what lies before the held text is taken of it */
	assert_int_equal(r->out.text_len, 40);
	acked(r, 700 - 1);
	assert_int_equal(r->delivered, 700 - 1);
}

/* In order, and it goes on behind two held ranges: up to the end of what is contiguous, at once. */
static void overlap__in_order__all_is_delivered_at_once(struct tcb_rig *r)
{
	r->config->ooo_segs = 3;
	rig_to(r, TCPS_ESTABLISHED);
	text(r, 11, 10, 0);
	text(r, 31, 10, 0);
	text(r, 51, 20, 0);
	rig_forget(r);
	text(r, 1, 60, 0); /* ends within the third */
	assert_int_equal(r->out.text_len, 50);
	acked(r, 70);
	assert_int_equal(r->delivered, 70);
	assert_int_equal(r->tcb.held_count, 0);
}

static void window__ends__held_text_is_cut_there(struct tcb_rig *r)
{
	const uint32_t edge = 20000; /* rcv_buf */

	rig_to(r, TCPS_ESTABLISHED);
	text(r, 1 + edge - 10, 100, 0);
	acked(r, 0);
	assert_int_equal(r->out.text_len, 10);
}

static void limit__reached__newest_is_dropped(struct tcb_rig *r)
{
	r->config->ooo_segs = 4;
	rig_to(r, TCPS_ESTABLISHED);
	for (uint32_t i = 0; i < 6; i++) {
		text(r, 11 + 20 * i, 10, 0);
		acked(r, 0);
	}
	assert_int_equal(r->tcb.held_count, 4);
	rig_counted(r, STAT_OOO_DROPPED, 2);
	reassembly_drop(&r->host, &r->tcb); /* as when buffers are short */
	text(r, 11, 10, 0);
	assert_int_equal(r->tcb.held_count, 1);
}

static void no_range_left__text_is_dropped(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	r->host.ranges.spare = RANGE_NONE;
	r->ranges_used = RIG_RANGES;
	text(r, 101, 100, 0);
	acked(r, 0);
	assert_int_equal(r->tcb.held_count, 0);
	rig_counted(r, STAT_OOO_DROPPED, 1);
	r->ranges_used = r->ranges_freed;
}

static void fin__behind_a_gap__counts_when_it_fills(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	text(r, 11, 10, SEG_FIN);
	acked(r, 0);
	rig_state(r, TCPS_ESTABLISHED);
	text(r, 1, 10, 0);
	acked(r, 21);
	rig_state(r, TCPS_CLOSE_WAIT);
	assert_int_equal(r->events, TCP_EV_READABLE | TCP_EV_EOF);
}

static void orphan__held_text_is_let_go(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	text(r, 101, 100, 0);
	acked(r, 0);
	rig_abort(r);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_RST | SEG_ACK });
}

/* RFC 2018 4: the newest block first, the others after it; timestamps leave room for three. */
static void blocks__tell_what_is_held_newest_first(struct tcb_rig *r)
{
	const struct seg *seg;

	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.flags |= TCB_SACK;
	text(r, 101, 100, 0);
	seg = acked(r, 0);
	assert_int_equal(seg->sacks, 1);
	assert_int_equal(seg->sack[0].left, IRS + 101);
	assert_int_equal(seg->sack[0].right, IRS + 201);
	text(r, 401, 100, 0);
	acked(r, 0);
	text(r, 201, 50, 0); /* joins the first */
	seg = acked(r, 0);
	assert_true(seg->options & OPT_SACK);
	assert_int_equal(seg->sacks, 2);
	assert_int_equal(seg->sack[0].left, IRS + 101);
	assert_int_equal(seg->sack[0].right, IRS + 251);
	assert_int_equal(seg->sack[1].left, IRS + 401);
	assert_int_equal(seg->sack[1].right, IRS + 501);
	text(r, 1, 100, 0);
	seg = acked(r, 250);
	assert_int_equal(seg->sacks, 1);
	assert_int_equal(seg->sack[0].left, IRS + 401);
	text(r, 251, 150, 0);
	seg = acked(r, 500);
	assert_int_equal(seg->sacks, 0);
	assert_false(seg->options & OPT_SACK);
}

/* What was reported first before is repeated first now, whichever way the numbers run (RFC 2018 4). */
static void blocks__others_follow_as_they_came(struct tcb_rig *r)
{
	static const uint32_t came[] = { 201, 601, 401, 801 };
	const struct seg *seg = NULL;

	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.flags |= TCB_SACK;
	for (unsigned i = 0; i < 4; i++) {
		text(r, came[i], 100, 0);
		seg = acked(r, 0);
	}
	assert_int_equal(seg->sacks, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(seg->sack[i].left, IRS + came[3 - i]);
	text(r, 221, 10, 0); /* again: a D-SACK, then the block that holds it */
	seg = acked(r, 0);
	assert_int_equal(seg->sack[0].left, IRS + 221);
	assert_int_equal(seg->sack[1].left, IRS + 201);
	assert_int_equal(seg->sack[2].left, IRS + 801);
	assert_int_equal(seg->sack[3].left, IRS + 401);
}

static void blocks__more_than_fit__four_at_most(struct tcb_rig *r)
{
	const struct seg *seg = NULL;

	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.flags |= TCB_SACK;
	for (uint32_t i = 0; i < 7; i++) {
		text(r, 11 + 20 * i, 10, 0);
		seg = acked(r, 0);
	}
	assert_int_equal(seg->sacks, SEG_SACK_MAX);
	assert_int_equal(seg->sack[0].left, IRS + 11 + 120);
	assert_int_equal(seg->sack[1].left, IRS + 11 + 100);
	assert_int_equal(seg->sack[3].left, IRS + 11 + 60);
}

static void blocks__not_agreed__none(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.flags &= ~(uint32_t)TCB_SACK;
	text(r, 101, 100, 0);
	assert_int_equal(acked(r, 0)->options & OPT_SACK, 0);
}

static const struct tcb_row rows[] = {
	{ "SHLD-31-fill", gap__filled__all_is_delivered_and_acked_at_once, 0 },
	{ "HF-D1", overlaps__are_trimmed_to_what_is_new, 0 },
	{ "HF-D1-in-order", overlap__in_order__all_is_delivered_at_once, 0 },
	{ "SHLD-31-window", window__ends__held_text_is_cut_there, 0 },
	{ "HF-D2, SEC-8", limit__reached__newest_is_dropped, 0 },
	{ "HF-L9, SEC-8", no_range_left__text_is_dropped, 0 },
	{ "SE-F-ESTABLISHED-gap", fin__behind_a_gap__counts_when_it_fills, 0 },
	{ "SHLD-31-abort", orphan__held_text_is_let_go, 0 },
	{ "RFC2018-4", blocks__tell_what_is_held_newest_first, 0 },
	{ "RFC2018-4-order", blocks__others_follow_as_they_came, 0 },
	{ "RFC2018-4-most", blocks__more_than_fit__four_at_most, 0 },
	{ "RFC2018-2", blocks__not_agreed__none, 0 },
};

GROUP(reassembly);

/* SPDX-License-Identifier: BSD-3-Clause */
/* SACK at the sender (RFC 6675, RFC 2018, RFC 2883, RFC 9937), and duplicates told by the receiver. */
#include "tcp/sack.h"
#include "test_tcp.h"

/* ESTABLISHED with SACK, so many full segments on their way. */
static void in_flight(struct tcb_rig *r, uint32_t segments)
{
	r->wnd = 30000 >> 3;
	r->wscale = 3;
	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.flags |= TCB_SACK;
	r->tcb.sent_ms = r->host.now_ms; /* not idle */
	if (segments > 10)
		r->tcb.cwnd = segments * r->tcb.snd_mss;
	rig_write(r, segments * r->tcb.snd_mss);
	for (uint32_t i = 0; i < segments; i++)
		rig_expect_text(r, i, r->tcb.snd_mss);
}

static void one_lost__goes_again_and_nothing_else(struct tcb_rig *r)
{
	const uint32_t mss = (in_flight(r, 8), r->tcb.snd_mss);

	rig_sack(r, 0, 1, 2, 0, 0);
	rig_sack(r, 0, 1, 3, 0, 0);
	rig_silent(r);
	rig_sack(r, 0, 1, 4, 0, 0);
	rig_expect_text(r, 0, r->tcb.snd_mss);
	rig_silent(r);
	assert_int_equal(r->tcb.ssthresh, 4 * mss);
	for (uint32_t i = 5; i <= 7; i++)
		rig_sack(r, 0, 1, i, 0, 0);
	rig_sack(r, 8, 0, 0, 0, 0);
	assert_int_equal(r->tcb.cwnd, 4 * mss); /* RFC 9937 6.4 */
	assert_int_equal(r->tcb.flight, 0);
	assert_int_equal(r->host.flights.used, 0);
	rig_counted(r, STAT_SACK_RECOVERY, 1);
	rig_counted(r, STAT_RETRANSMIT_TEXT, 1 + (r->sent_count > 0));
	rig_counted(r, STAT_RTO_EXPIRED, 0);
}

/* Segments 0, 2 and 4 of 9 are lost: each goes again in one round trip, and once (NextSeg 1). */
static void three_lost__each_goes_again_once(struct tcb_rig *r)
{
	in_flight(r, 9);
	rig_sack(r, 0, 1, 2, 0, 0);
	rig_sack(r, 0, 3, 4, 1, 2);
	rig_silent(r);
	rig_sack(r, 0, 5, 6, 3, 4); /* three spans beyond 0: lost */
	rig_expect_text(r, 0, r->tcb.snd_mss);
	rig_sack(r, 0, 5, 7, 3, 4); /* 2 too; but 4, 7, 8 and what was sent again fill the pipe */
	rig_silent(r);
	rig_sack(r, 0, 5, 8, 3, 4);
	rig_expect_text(r, 2, r->tcb.snd_mss);
	rig_expect_text(r, 4, r->tcb.snd_mss);
	rig_silent(r);
	rig_sack(r, 0, 5, 9, 3, 4);
	rig_sack(r, 9, 0, 0, 0, 0);
	rig_silent(r);
	rig_counted(r, STAT_RETRANSMIT_TEXT, 3);
	rig_counted(r, STAT_RTO_EXPIRED, 0);
	assert_int_equal(r->tcb.flags & (TCB_RECOVERY | TCB_BY_SACK), 0);
}

/* One block can say as much as three (IsLost by octets). */
static void one_wide_block__begins_recovery(struct tcb_rig *r)
{
	in_flight(r, 8);
	rig_sack(r, 0, 1, 3, 0, 0);
	rig_silent(r);
	rig_sack(r, 0, 1, 5, 0, 0);
	rig_expect_text(r, 0, r->tcb.snd_mss);
	rig_counted(r, STAT_DUP_ACK_IN, 2);
	rig_counted(r, STAT_SACK_RECOVERY, 1);
}

/* An ACK that moves SND.UNA is a duplicate as well when it tells of new octets (RFC 6675 2). */
static void blocks_on_a_cumulative_ack__begin_recovery(struct tcb_rig *r)
{
	in_flight(r, 8);
	rig_sack(r, 1, 2, 6, 0, 0);
	rig_expect_text(r, 1, r->tcb.snd_mss);
	rig_counted(r, STAT_DUP_ACK_IN, 1);
	rig_counted(r, STAT_SACK_RECOVERY, 1);
	rig_counted(r, STAT_RTO_EXPIRED, 0);
	rig_sack(r, 8, 0, 0, 0, 0);
}

/* Pipe falls with each block: new text goes out for what has arrived (NextSeg 2), none before. */
static void recovery__new_text_by_the_pipe(struct tcb_rig *r)
{
	in_flight(r, 10);
	rig_write(r, 4u * r->tcb.snd_mss);
	rig_sack(r, 0, 1, 4, 0, 0); /* pipe 6 and the one sent again, cwnd 5 */
	rig_expect_text(r, 0, r->tcb.snd_mss);
	rig_silent(r);
	rig_sack(r, 0, 1, 6, 0, 0);
	rig_silent(r);
	rig_sack(r, 0, 1, 7, 0, 0); /* pipe 4 */
	rig_expect_text(r, 10, r->tcb.snd_mss);
	rig_silent(r);
	rig_sack(r, 0, 1, 9, 0, 0);
	rig_expect_text(r, 11, r->tcb.snd_mss);
	rig_expect_text(r, 12, r->tcb.snd_mss);
	rig_silent(r);
}

/* The last segments of a flight are lost and nothing new is there: one goes again (NextSeg 4). */
static void tail_lost__one_rescue(struct tcb_rig *r)
{
	in_flight(r, 10);
	rig_sack(r, 0, 1, 7, 0, 0);
	rig_expect_text(r, 0, r->tcb.snd_mss);
	rig_expect_text(r, 9, r->tcb.snd_mss);
	rig_silent(r);
	rig_sack(r, 0, 1, 7, 9, 10); /* and one that may be lost (NextSeg 3) */
	rig_expect_text(r, 7, r->tcb.snd_mss);
	rig_expect_text(r, 8, r->tcb.snd_mss);
	rig_silent(r);
	rig_sack(r, 10, 0, 0, 0, 0);
	rig_counted(r, STAT_RTO_EXPIRED, 0);
}

static void second_recovery__has_a_rescue_of_its_own(struct tcb_rig *r)
{
	in_flight(r, 10);
	rig_sack(r, 0, 1, 7, 0, 0);
	rig_expect_text(r, 0, r->tcb.snd_mss);
	rig_expect_text(r, 9, r->tcb.snd_mss);
	rig_write(r, 5u * r->tcb.snd_mss);
	rig_expect_text(r, 10, r->tcb.snd_mss);
	rig_silent(r);
	rig_sack(r, 10, 0, 0, 0, 0);
	for (uint32_t i = 11; i < 15; i++)
		rig_expect_text(r, i, r->tcb.snd_mss);
	rig_sack(r, 10, 11, 14, 0, 0);
	rig_expect_text(r, 10, r->tcb.snd_mss);
	rig_silent(r);
	rig_sack(r, 14, 0, 0, 0, 0);
	rig_expect_text(r, 14, r->tcb.snd_mss);
	rig_silent(r);
}

static void lost_fin__is_part_of_the_last_segment(struct tcb_rig *r)
{
	uint32_t mss;

	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.flags |= TCB_SACK;
	mss = r->tcb.snd_mss;
	r->turn_open = true;
	rig_write(r, 5 * mss);
	rig_shutdown(r);
	r->turn_open = false;
	rig_flush(r);
	for (uint32_t i = 0; i < 4; i++)
		rig_expect_text(r, i, (uint16_t)mss);
	rig_expect(r, (struct seg){ .seq = ISS + 1 + 4 * mss,
				    .ack = IRS + 1,
				    .text_len = (uint16_t)mss,
				    .flags = SEG_ACK | SEG_PSH | SEG_FIN });
	rig_sack(r, 0, 1, 4, 0, 0);
	rig_expect_text(r, 0, (uint16_t)mss);
	rig_sack(r, 4, 0, 0, 0, 0); /* not all that was in flight: it has its rescue */
	rig_expect(r, (struct seg){ .seq = ISS + 1 + 4 * mss,
				    .ack = IRS + 1,
				    .text_len = (uint16_t)mss,
				    .flags = SEG_ACK | SEG_PSH | SEG_FIN });
}

/* The first segment was only late, as the echo says, but one behind it is lost: that begins a recovery of its own. */
static void none_lost_after_all__the_next_goes_again(struct tcb_rig *r)
{
	const uint16_t mss = (in_flight(r, 10), r->tcb.snd_mss);
	const uint32_t first = r->last_tsval;

	rig_advance(r, MS(20));
	rig_sack(r, 0, 1, 4, 0, 0);
	rig_expect_text(r, 0, mss);
	rig_send(r, (struct seg){ .seq = IRS + 1,
				  .ack = ISS + 1 + 4 * mss,
				  .flags = SEG_ACK,
				  .options = OPT_TS,
				  .tsval = r->tsval,
				  .tsecr = first });
	rig_counted(r, STAT_SPURIOUS, 1);
	rig_silent(r);
	rig_sack(r, 4, 5, 8, 0, 0);
	rig_expect_text(r, 4, mss);
	rig_advance(r, MS(100));
	rig_silent(r);
	rig_counted(r, STAT_RTO_EXPIRED, 0);
}

/* RFC 2018 8: after a timeout nothing that was said to be held is believed; all goes again. */
static void timeout__blocks_are_forgotten(struct tcb_rig *r)
{
	in_flight(r, 4);
	rig_sack(r, 0, 2, 3, 0, 0);
	rig_silent(r);
	rig_advance(r, SEC(1) + MS(1));
	rig_expect_text(r, 0, r->tcb.snd_mss);
	rig_sack(r, 1, 0, 0, 0, 0);
	rig_expect_text(r, 1, r->tcb.snd_mss);
	rig_expect_text(r, 2, r->tcb.snd_mss);
	rig_silent(r);
}

/* ... but what is said from then on is (RFC 6675 5.1). */
static void timeout__new_blocks_are_skipped(struct tcb_rig *r)
{
	in_flight(r, 5);
	rig_advance(r, SEC(1) + MS(1));
	rig_expect_text(r, 0, r->tcb.snd_mss);
	rig_sack(r, 1, 2, 4, 0, 0);
	rig_expect_text(r, 1, r->tcb.snd_mss);
	rig_expect_text(r, 4, r->tcb.snd_mss);
	rig_silent(r);
	rig_sack(r, 5, 0, 0, 0, 0);
	assert_int_equal(r->host.flights.used, 0);
	rig_counted(r, STAT_RETRANSMIT_FAST, 0);
}

/* Behind what went again all is held: nothing is left to go before its timer. */
static void timeout__the_rest_is_held__nothing_more(struct tcb_rig *r)
{
	in_flight(r, 3);
	rig_advance(r, SEC(1) + MS(1));
	rig_expect_text(r, 0, r->tcb.snd_mss);
	rig_sack(r, 0, 1, 3, 0, 0);
	rig_silent(r);
	rig_state(r, TCPS_ESTABLISHED);
	rig_advance(r, SEC(2));
	rig_expect_text(r, 0, r->tcb.snd_mss);
	rig_sack(r, 3, 0, 0, 0, 0);
	rig_silent(r);
}

static void peer_asks_for_what_it_held__survived(struct tcb_rig *r)
{
	in_flight(r, 5);
	rig_sack(r, 0, 2, 3, 0, 0);
	rig_sack(r, 2, 0, 0, 0, 0); /* it has 2 by its own word */
	rig_counted(r, STAT_SACK_RENEGED, 1);
	rig_advance(r, SEC(1) + MS(1));
	rig_expect_text(r, 2, r->tcb.snd_mss);
	rig_sack(r, 5, 0, 0, 0, 0);
	rig_advance(r, SEC(10));
	rig_silent(r);
}

static void block(struct tcb_rig *r, uint32_t left, uint32_t right)
{
	struct seg seg = { .seq = IRS + 1,
			   .ack = ISS + 1 + 2u * r->tcb.snd_mss,
			   .flags = SEG_ACK,
			   .options = OPT_SACK,
			   .sacks = 2 };

	seg.sack[0].left = left;
	seg.sack[0].right = right;
	seg.sack[1] = seg.sack[0]; /* no D-SACK: it would be first and within the second */
	seg.sack[1].right++;
	rig_send(r, seg);
}

static void absurd_blocks__are_ignored(struct tcb_rig *r)
{
	const uint32_t mss = (in_flight(r, 6), r->tcb.snd_mss);
	const uint32_t una = ISS + 1 + 2 * mss, nxt = ISS + 1 + 6 * mss;

	rig_sack(r, 2, 0, 0, 0, 0);
	for (unsigned i = 0; i < 4; i++) {
		block(r, una, una + mss);		      /* SND.UNA is not held */
		block(r, nxt - mss, nxt + 1);		      /* never sent */
		block(r, nxt - mss, una + mss);		      /* reversed */
		block(r, una + mss, una + mss - 1);	      /* empty, or worse */
		block(r, una + (1u << 31), nxt + (1u << 31)); /* half a circle away */
		block(r, una + INT32_MAX, una - 2);	      /* nearly the whole circle */
	}
	assert_int_equal(r->tcb.flight, 0);
	rig_counted(r, STAT_SACK_REFUSED, 4 * 6); /* the second of each pair */
	rig_counted(r, STAT_RETRANSMIT_TEXT, 0);
	rig_counted(r, STAT_DUP_ACK_IN, 0);
	rig_silent(r);
}

/* RFC 2883: a duplicate that the peer reports is no sign of a loss. */
static void dsack__is_no_duplicate_ack(struct tcb_rig *r)
{
	in_flight(r, 6);
	rig_sack(r, 2, 0, 0, 0, 0);
	for (unsigned i = 0; i < 4; i++)
		rig_sack(r, 2, 1, 2, 0, 0);
	rig_counted(r, STAT_DSACK_IN, 4);
	rig_sack(r, 2, 3, 4, 3, 5); /* the first lies within the second: D-SACK and news */
	rig_sack(r, 2, 3, 4, 3, 5);
	rig_sack(r, 2, 3, 4, 3, 5);
	rig_counted(r, STAT_DSACK_IN, 7);
	rig_counted(r, STAT_SACK_REFUSED, 0);
	assert_int_equal(r->tcb.dupacks, 1);
	rig_silent(r);
}

static void no_flight_left__newreno(struct tcb_rig *r)
{
	in_flight(r, 8);
	r->host.flights.free = 0;
	for (uint32_t i = 2; i < 5; i++)
		rig_sack(r, 0, 1, i, 0, 0);
	rig_expect_text(r, 0, r->tcb.snd_mss);
	rig_counted(r, STAT_SACK_RECOVERY, 0);
	rig_counted(r, STAT_RETRANSMIT_FAST, 1);
	assert_true(r->stats[STAT_FLIGHTS_EMPTY] > 0);
	rig_sack(r, 3, 4, 5, 0, 0); /* a partial acknowledgement */
	rig_expect_text(r, 3, r->tcb.snd_mss);
	rig_sack(r, 8, 0, 0, 0, 0);
}

static void first_two_duplicates__let_a_segment_each_out(struct tcb_rig *r)
{
	for (unsigned sack = 0; sack < 2; sack++) {
		const uint32_t una = sack ? 13 : 0;

		if (sack == 0) {
			in_flight(r, 10);
			rig_write(r, 3u * r->tcb.snd_mss);
			r->tcb.flags &= ~(uint32_t)TCB_SACK;
		} else {
			r->tcb.flags |= TCB_SACK;
			r->tcb.cwnd = 5u * r->tcb.snd_mss;
			rig_write(r, 8u * r->tcb.snd_mss);
			for (uint32_t i = 0; i < 5; i++)
				rig_expect_text(r, una + i, r->tcb.snd_mss);
		}
		rig_silent(r);
		rig_sack(r, una, sack ? una + 1 : 0, una + 2, 0, 0);
		rig_expect_text(r, una + (sack ? 5 : 10), r->tcb.snd_mss);
		rig_sack(r, una, sack ? una + 1 : 0, una + 3, 0, 0);
		rig_expect_text(r, una + (sack ? 6 : 11), r->tcb.snd_mss);
		rig_silent(r);
		rig_sack(r, una, sack ? una + 1 : 0, una + 4, 0, 0);
		rig_expect_text(r, una, r->tcb.snd_mss);
		/* and they do not count (RFC 5681 3.2 step 2) */
		assert_int_equal(r->tcb.ssthresh, (sack ? 5u : 10u) * r->tcb.snd_mss / 2);
		if (sack)
			return;
		rig_sack(r, 12, 0, 0, 0, 0);
		rig_expect_text(r, 12, r->tcb.snd_mss);
		rig_sack(r, 13, 0, 0, 0, 0);
	}
}

/* ---- PRR ---- */

/* 6.2: half of what was in flight is to stay, so every second segment that arrives lets one out; once half
 * of it is left, every one. */
static void one_lost__every_second_ack_lets_one_out(struct tcb_rig *r)
{
	const uint32_t mss = (r->config->snd_buf = 60000, in_flight(r, 20), r->tcb.snd_mss);
	uint32_t next = 20;

	rig_sack(r, 0, 1, 4, 0, 0);
	rig_expect_text(r, 0, r->tcb.snd_mss);
	rig_write(r, 9 * mss);
	for (uint32_t delivered = 4; delivered <= 19; delivered++) {
		rig_sack(r, 0, 1, 1 + delivered, 0, 0);
		if (delivered < 16 ? delivered % 2 == 0 : delivered > 16)
			rig_expect_text(r, next++, r->tcb.snd_mss);
		rig_silent(r);
		rig_sack(r, 0, 1, 1 + delivered, 0, 0); /* no news */
		rig_silent(r);
	}
	assert_int_equal(sack_pipe(&r->host, &r->tcb), 10 * mss);
	assert_int_equal(r->tcb.ssthresh, 10 * mss);
}

/* 6.2: what is in flight is below ssthresh. As much goes again as has arrived (PRR-CRB), and with each ACK
 * that mends without another loss a segment more (PRR-SSRB), up to ssthresh. */
static void many_lost__grows_to_ssthresh(struct tcb_rig *r)
{
	in_flight(r, 10);
	rig_write(r, 10u * r->tcb.snd_mss);
	rig_sack(r, 0, 7, 10, 0, 0);
	for (uint32_t i = 0; i < 3; i++)
		rig_expect_text(r, i, r->tcb.snd_mss);
	rig_silent(r);
	for (uint32_t una = 1; una <= 2; una++) {
		rig_sack(r, una, 7, 10, 0, 0);
		rig_expect_text(r, 1 + 2 * una, r->tcb.snd_mss);
		rig_expect_text(r, 2 + 2 * una, r->tcb.snd_mss);
		rig_silent(r);
	}
	rig_sack(r, 3, 7, 10, 0, 0); /* 5 in flight */
	rig_expect_text(r, 10, r->tcb.snd_mss);
	rig_silent(r);
}

/* ... whatever else is on its way. */
static void some_lost__grows_too(struct tcb_rig *r)
{
	in_flight(r, 20);
	rig_sack(r, 0, 13, 16, 0, 0); /* 4 in flight, ssthresh 10 */
	for (uint32_t i = 0; i < 3; i++)
		rig_expect_text(r, i, r->tcb.snd_mss);
	rig_silent(r);
	rig_sack(r, 1, 13, 16, 0, 0);
	rig_expect_text(r, 3, r->tcb.snd_mss);
	rig_expect_text(r, 4, r->tcb.snd_mss);
	rig_silent(r);
}

/* SafeACK: not with an ACK that tells of more losses. */
static void more_lost__no_segment_more(struct tcb_rig *r)
{
	in_flight(r, 16);
	rig_sack(r, 0, 7, 10, 0, 0); /* 6 in flight, ssthresh 8 */
	rig_expect_text(r, 0, r->tcb.snd_mss);
	rig_expect_text(r, 1, r->tcb.snd_mss);
	rig_silent(r);
	rig_sack(r, 1, 13, 16, 7, 10); /* 10 to 12 are lost too */
	for (uint32_t i = 2; i <= 6; i++)
		rig_expect_text(r, i, r->tcb.snd_mss);
	rig_silent(r);
}

/* SafeACK: nor with one that moves nothing. */
static void not_moved__no_segment_more(struct tcb_rig *r)
{
	in_flight(r, 10);
	rig_sack(r, 0, 7, 10, 0, 0);
	for (uint32_t i = 0; i < 3; i++)
		rig_expect_text(r, i, r->tcb.snd_mss);
	rig_sack(r, 1, 7, 10, 0, 0);
	rig_expect_text(r, 3, r->tcb.snd_mss);
	rig_expect_text(r, 4, r->tcb.snd_mss);
	rig_sack(r, 1, 2, 3, 7, 10); /* 3 in flight, ssthresh 5 */
	rig_expect_text(r, 5, r->tcb.snd_mss);
	rig_silent(r);
}

/* ---- The receiver ------------------------------------------------------------------------------- */

static void text(struct tcb_rig *r, uint32_t from, uint16_t len)
{
	rig_send(r, (struct seg){
			    .seq = IRS + from, .ack = ISS + 1, .text_len = len, .flags = SEG_ACK });
}

/* The first block, and how many there are. */
static void expect_blocks(struct tcb_rig *r, uint32_t got, uint32_t left, uint32_t right,
			  unsigned blocks)
{
	const struct seg *const seg =
		rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + got, .flags = SEG_ACK });

	assert_int_equal(seg->sacks, blocks);
	assert_int_equal(seg->sack[0].left, IRS + left);
	assert_int_equal(seg->sack[0].right, IRS + right);
}

static void duplicates__are_told_once(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.flags |= TCB_SACK;
	text(r, 1, 100);
	text(r, 101, 100);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 201, .flags = SEG_ACK });
	text(r, 101, 100); /* 4.1.1: all of it */
	expect_blocks(r, 201, 101, 201, 1);
	text(r, 151, 100); /* 4.2: half of it */
	expect_blocks(r, 251, 151, 201, 1);
	text(r, 301, 100);
	expect_blocks(r, 251, 301, 401, 1);
	text(r, 501, 100);
	expect_blocks(r, 251, 501, 601, 2);
	text(r, 301, 50); /* 4.1.3: in a block, which follows */
	expect_blocks(r, 251, 301, 351, 3);
	rig_counted(r, STAT_DSACK_OUT, 3);
	text(r, 351, 100);
	expect_blocks(r, 251, 351, 401, 3); /* 4.2.3: part of it is new */
	text(r, 251, 50);
	expect_blocks(r, 451, 501, 601, 1);
	rig_counted(r, STAT_DSACK_OUT, 4);
}

/* 4.2: text in order that goes on into held text, or around it; the first such part is told. */
static void in_order_over_held_text__is_told(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.flags |= TCB_SACK;
	text(r, 101, 100);
	text(r, 301, 100);
	text(r, 501, 100);
	text(r, 701, 100);
	rig_forget(r);
	text(r, 1, 150); /* ends in the first */
	expect_blocks(r, 201, 101, 151, 4);
	text(r, 201, 350); /* around the second, ends in the third */
	expect_blocks(r, 601, 301, 401, 2);
	text(r, 551, 150); /* old at its begin, nothing held: touches the fourth */
	expect_blocks(r, 801, 551, 601, 1);
	rig_counted(r, STAT_DSACK_OUT, 3);
	rig_silent(r);
}

static void dsack__is_followed_by_the_block_around_it(struct tcb_rig *r)
{
	const struct seg *seg;

	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.flags |= TCB_SACK;
	text(r, 101, 100);
	text(r, 301, 100);
	text(r, 501, 100);
	for (unsigned i = 0; i < 3; i++)
		rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK });
	text(r, 311, 20);
	seg = rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK });
	assert_int_equal(seg->sacks, 4);
	assert_int_equal(seg->sack[0].left, IRS + 311);
	assert_int_equal(seg->sack[1].left, IRS + 301);
	assert_int_equal(seg->sack[1].right, IRS + 401);
}

static void sack_not_agreed__no_dsack(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.flags &= ~(uint32_t)TCB_SACK;
	text(r, 1, 100);
	text(r, 1, 100);
	assert_int_equal(
		rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 101, .flags = SEG_ACK })->sacks,
		0);
	rig_counted(r, STAT_DSACK_OUT, 0);
}

static const struct tcb_row rows[] = {
	{ "RFC6675", one_lost__goes_again_and_nothing_else, 0 },
	{ "RFC6675-nextseg1", three_lost__each_goes_again_once, 0 },
	{ "RFC6675-islost", one_wide_block__begins_recovery, 0 },
	{ "RFC6675-2", blocks_on_a_cumulative_ack__begin_recovery, 0 },
	{ "RFC6675-nextseg2", recovery__new_text_by_the_pipe, 0 },
	{ "RFC6675-nextseg4", tail_lost__one_rescue, 0 },
	{ "RFC6675-nextseg4-again", second_recovery__has_a_rescue_of_its_own, 0 },
	{ "RFC6675-fin", lost_fin__is_part_of_the_last_segment, 0 },
	{ "RFC3522-next", none_lost_after_all__the_next_goes_again, ROW_TS },
	{ "RFC2018-8", timeout__blocks_are_forgotten, 0 },
	{ "RFC6675-5.1", timeout__new_blocks_are_skipped, 0 },
	{ "RFC6675-5.1-held", timeout__the_rest_is_held__nothing_more, 0 },
	{ "RFC2018-renege", peer_asks_for_what_it_held__survived, 0 },
	{ "RFC2018-absurd", absurd_blocks__are_ignored, 0 },
	{ "RFC2883-5", dsack__is_no_duplicate_ack, 0 },
	{ "HF-SACK1-pool", no_flight_left__newreno, 0 },
	{ "RFC3042", first_two_duplicates__let_a_segment_each_out, 0 },
	{ "RFC9937-6.2", one_lost__every_second_ack_lets_one_out, 0 },
	{ "RFC9937-6.2-bound", many_lost__grows_to_ssthresh, 0 },
	{ "RFC9937-6.2-some", some_lost__grows_too, 0 },
	{ "RFC9937-6.2-safeack", more_lost__no_segment_more, 0 },
	{ "RFC9937-6.2-unmoved", not_moved__no_segment_more, 0 },
	{ "RFC2883-4", duplicates__are_told_once, 0 },
	{ "RFC2883-4-order", dsack__is_followed_by_the_block_around_it, 0 },
	{ "RFC2883-4.2", in_order_over_held_text__is_told, 0 },
	{ "RFC2883-off", sack_not_agreed__no_dsack, 0 },
};

GROUP(sack);

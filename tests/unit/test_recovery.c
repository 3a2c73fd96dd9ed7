/* SPDX-License-Identifier: BSD-3-Clause */
/* Fast retransmit and fast recovery (RFC 5681 3.2, RFC 6582). */
#include "test_tcp.h"

/* Text from this octet on; PSH where all that was written ends. */
static void expect_text(struct tcb_rig *r, uint32_t octets, uint16_t len)
{
	const uint32_t seq = ISS + 1 + octets;
	const uint8_t psh = seq + len == r->tcb.snd_end ? SEG_PSH : 0;

	rig_expect(r, (struct seg){ .seq = seq,
				    .ack = IRS + 1,
				    .text_len = len,
				    .flags = (uint8_t)(SEG_ACK | psh) });
}

/* ESTABLISHED, with so many full segments on their way. */
static uint16_t in_flight(struct tcb_rig *r, uint32_t segments)
{
	uint16_t mss;

	rig_to(r, TCPS_ESTABLISHED);
	mss = r->tcb.snd_mss;
	rig_write(r, segments * mss);
	for (uint32_t i = 0; i < segments; i++)
		expect_text(r, i * mss, mss);
	return mss;
}

static void ack(struct tcb_rig *r, uint32_t octets)
{
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1 + octets, .flags = SEG_ACK });
}

static void third_duplicate__lost_segment_goes_again(struct tcb_rig *r)
{
	const uint16_t mss = in_flight(r, 8);

	ack(r, 0);
	ack(r, 0);
	rig_silent(r);
	ack(r, 0);
	expect_text(r, 0, mss);
	rig_silent(r);
	assert_int_equal(r->tcb.ssthresh, 4 * mss);
	assert_int_equal(r->tcb.cwnd, 7 * mss);
	rig_counted(r, STAT_RETRANSMIT_FAST, 1);
	ack(r, 8 * mss); /* a full acknowledgement ends it */
	assert_int_equal(r->tcb.cwnd, 2 * mss);
	assert_false(r->tcb.flags & TCB_RECOVERY);
	rig_advance(r, SEC(10));
	rig_silent(r);
}

/* RFC 6582 3.2: a partial acknowledgement shows the next hole. */
static void partial_ack__next_hole_goes_again(struct tcb_rig *r)
{
	const uint16_t mss = in_flight(r, 8);

	for (unsigned i = 0; i < 3; i++)
		ack(r, 0);
	expect_text(r, 0, mss);
	ack(r, 3 * mss);
	expect_text(r, 3 * mss, mss);
	rig_silent(r);
	ack(r, 5 * mss);
	expect_text(r, 5 * mss, mss);
	ack(r, 8 * mss);
	assert_false(r->tcb.flags & TCB_RECOVERY);
	rig_counted(r, STAT_RETRANSMIT_FAST, 1);
	rig_counted(r, STAT_RTO_EXPIRED, 0);
}

/* ... but one of less than a segment adds none back to the window: who divides ACKs gains nothing. */
static void partial_ack__of_an_octet__gains_nothing(struct tcb_rig *r)
{
	uint32_t cwnd;

	in_flight(r, 8);
	for (unsigned i = 0; i < 3; i++)
		ack(r, 0);
	cwnd = r->tcb.cwnd;
	for (uint32_t i = 1; i < 10; i++) {
		ack(r, i);
		assert_int_equal(r->tcb.cwnd, cwnd - i);
	}
	rig_forget(r);
}

/* Segments so large that it does not take many to go half round the circle of sequence numbers. */
static uint16_t large(struct tcb_rig *r, uint32_t segments)
{
	r->mss = r->config->mss[0] = 60000;
	r->config->snd_buf = 4 * 60000;
	r->wscale = 3;
	r->wnd = 60000;
	return in_flight(r, segments);
}

/* From these octets on, of which one segment is on its way, as one always is. @return what was acknowledged last */
static uint32_t two_gib(struct tcb_rig *r, uint32_t octets)
{
	const uint16_t mss = r->tcb.snd_mss;
	const uint32_t used = r->ranges_used;

	for (; octets < 0x90000000; octets += mss) {
		r->ranges_used = used + octets / mss % 4; /* those of the last four are free again */
		rig_write(r, mss);
		expect_text(r, octets + mss, mss);
		ack(r, octets + mss);
	}
	rig_silent(r);
	return octets;
}

static void three_duplicates__it_goes_again(struct tcb_rig *r, uint32_t octets)
{
	for (unsigned i = 0; i < 3; i++)
		ack(r, octets);
	expect_text(r, octets, r->tcb.snd_mss);
	rig_silent(r);
}

/* RECOVER of the last loss lies on the same circle as SND.UNA, which has left it behind (HF-D6). */
static void after_2_gib__lost_segment_goes_again(struct tcb_rig *r)
{
	large(r, 1);
	three_duplicates__it_goes_again(r, two_gib(r, 0));
}

/* So does the range in which what went again was found last: it is long another's. */
static void after_2_gib__lost_segment_is_found_again(struct tcb_rig *r)
{
	const uint16_t mss = large(r, 2);

	three_duplicates__it_goes_again(r, 0);
	rig_write(r, mss);
	expect_text(r, 2 * mss, mss);
	ack(r, 2 * mss);
	three_duplicates__it_goes_again(r, two_gib(r, 2 * mss));
}

/* What the first two let out does not count as in flight (RFC 5681 3.2 step 2). */
static void limited_transmit__is_not_halved(struct tcb_rig *r)
{
	const uint16_t mss = (r->wnd = 20000, in_flight(r, 10));

	rig_write(r, mss);
	rig_silent(r);
	ack(r, 0);
	expect_text(r, 10 * mss, mss);
	ack(r, 0);
	ack(r, 0);
	expect_text(r, 0, mss);
	assert_int_equal(r->tcb.ssthresh, 5 * mss);
}

static void more_duplicates__let_new_text_out(struct tcb_rig *r)
{
	const uint16_t mss = in_flight(r, 8);

	rig_write(r, 2u * mss);
	expect_text(r, 8 * mss, mss);
	expect_text(r, 9 * mss, mss);
	rig_write(r, 4u * mss); /* more than cwnd lets out now */
	for (unsigned i = 0; i < 3; i++)
		ack(r, 0);
	expect_text(r, 0, mss);
	rig_silent(r); /* cwnd is 5 + 3 of 10 in flight */
	ack(r, 0);
	ack(r, 0);
	rig_silent(r);
	r->wnd = 20000;
	ack(r, 0); /* a window update is no duplicate */
	rig_silent(r);
	ack(r, 0);
	expect_text(r, 10 * mss, mss);
}

static void not_duplicates__nothing_goes_again(struct tcb_rig *r)
{
	in_flight(r, 4);
	for (unsigned i = 0; i < 6; i++) { /* with text; with other windows */
		rig_send(r, (struct seg){ .seq = IRS + 1 + i,
					  .ack = ISS + 1,
					  .text_len = 1,
					  .flags = SEG_ACK });
		r->wnd++;
	}
	rig_counted(r, STAT_DUP_ACK_IN, 0);
	rig_counted(r, STAT_RETRANSMIT_FAST, 0);
}

static void duplicates_apart__nothing_goes_again(struct tcb_rig *r)
{
	const uint16_t mss = in_flight(r, 8);

	for (unsigned i = 0; i < 4; i++) {
		ack(r, i * mss);
		ack(r, i * mss);
	}
	rig_counted(r, STAT_DUP_ACK_IN, 5); /* the first ACK of all was one too */
	rig_counted(r, STAT_RETRANSMIT_FAST, 0);
}

static void nothing_in_flight__acks_again_are_nothing(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	for (unsigned i = 0; i < 6; i++)
		ack(r, 0);
	rig_counted(r, STAT_DUP_ACK_IN, 0);
	rig_silent(r);
}

/* After a timeout duplicates of what was in flight then begin no recovery (RFC 6582 3.2 step 2, 4). */
static void duplicates_after_timeout__begin_nothing(struct tcb_rig *r)
{
	const uint16_t mss = in_flight(r, 6);

	rig_advance(r, SEC(1) + MS(1));
	expect_text(r, 0, mss);
	for (unsigned i = 0; i < 5; i++)
		ack(r, 0);
	rig_counted(r, STAT_RETRANSMIT_FAST, 0);
	rig_silent(r);
}

static void timeout__in_recovery__ends_it(struct tcb_rig *r)
{
	const uint16_t mss = in_flight(r, 8);

	for (unsigned i = 0; i < 3; i++)
		ack(r, 0);
	expect_text(r, 0, mss);
	rig_advance(r, SEC(1) + MS(1));
	expect_text(r, 0, mss);
	rig_silent(r);
	assert_false(r->tcb.flags & TCB_RECOVERY);
}

static void lost_fin__goes_again_by_duplicates(struct tcb_rig *r)
{
	const uint16_t mss = in_flight(r, 4);

	rig_shutdown(r);
	rig_expect(r, (struct seg){ .seq = ISS + 1 + 4u * mss,
				    .ack = IRS + 1,
				    .flags = SEG_FIN | SEG_ACK });
	ack(r, 4u * mss);
	for (unsigned i = 0; i < 3; i++)
		ack(r, 4u * mss);
	rig_expect(r, (struct seg){ .seq = ISS + 1 + 4u * mss,
				    .ack = IRS + 1,
				    .flags = SEG_FIN | SEG_ACK });
}

static const struct tcb_row rows[] = {
	{ "RFC5681-3.2", third_duplicate__lost_segment_goes_again, 0 },
	{ "RFC6582-partial", partial_ack__next_hole_goes_again, 0 },
	{ "RFC6582-3.2-division", partial_ack__of_an_octet__gains_nothing, 0 },
	{ "RFC5681-3.2-limited", limited_transmit__is_not_halved, 0 },
	{ "RFC5681-3.2-inflate", more_duplicates__let_new_text_out, 0 },
	{ "RFC5681-2", not_duplicates__nothing_goes_again, 0 },
	{ "RFC5681-3.2-apart", duplicates_apart__nothing_goes_again, 0 },
	{ "RFC5681-2-idle", nothing_in_flight__acks_again_are_nothing, 0 },
	{ "RFC6582-3.2-timeout", timeout__in_recovery__ends_it, 0 },
	{ "RFC6582-3.2", duplicates_after_timeout__begin_nothing, 0 },
	{ "HF-D6-recover", after_2_gib__lost_segment_goes_again, ROW_PLAIN },
	{ "HF-D6-range", after_2_gib__lost_segment_is_found_again, ROW_PLAIN },
	{ "RFC5681-3.2-fin", lost_fin__goes_again_by_duplicates, 0 },
};

GROUP(recovery);

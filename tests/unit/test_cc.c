/* SPDX-License-Identifier: BSD-3-Clause */
/* Slow start and congestion avoidance (RFC 5681 3.1, RFC 6928). */
#include "test_tcp.h"

static void begin(struct tcb_rig *r)
{
	r->tcb.snd_mss = 1000;
	cc_init(&r->tcb);
}

static void cc__begins_with_ten_segments(struct tcb_rig *r)
{
	begin(r);
	assert_int_equal(r->tcb.cwnd, 10000);
	r->tcb.flags = TCB_SYN_RETRIED; /* a lost SYN: one */
	cc_init(&r->tcb);
	assert_int_equal(r->tcb.cwnd, 1000);
}

static void cc__slow_start__grows_by_what_is_acked(struct tcb_rig *r)
{
	begin(r);
	cc_ack(&r->tcb, 400);
	assert_int_equal(r->tcb.cwnd, 10400);
	cc_ack(&r->tcb, 5000); /* at most a segment an ACK */
	assert_int_equal(r->tcb.cwnd, 11400);
}

/* Ack division: a thousand ACKs of an octet are worth one of a segment. */
static void cc__ack_division__gains_nothing(struct tcb_rig *r)
{
	begin(r);
	for (unsigned n = 0; n < 1000; n++)
		cc_ack(&r->tcb, 1);
	assert_int_equal(r->tcb.cwnd, 11000);
}

/* About a segment a round trip. */
static void cc__avoidance__a_segment_a_round_trip(struct tcb_rig *r)
{
	begin(r);
	r->tcb.ssthresh = 5000;
	for (unsigned n = 0; n < 10; n++)
		cc_ack(&r->tcb, 1000);
	assert_in_range(r->tcb.cwnd, 10900, 11000);
	r->tcb.cwnd = 2000000; /* mss^2 / cwnd is 0 */
	cc_ack(&r->tcb, 1000);
	assert_int_equal(r->tcb.cwnd, 2000001);
}

static void cc__timeout__one_segment_and_half_the_flight(struct tcb_rig *r)
{
	begin(r);
	r->tcb.snd_una = ISS;
	r->tcb.snd_nxt = ISS + 9000;
	r->tcb.retransmits = 1;
	cc_timeout(&r->tcb);
	assert_int_equal(r->tcb.cwnd, 1000);
	assert_int_equal(r->tcb.ssthresh, 4500);
	r->tcb.snd_nxt = ISS + 20000;
	r->tcb.retransmits = 2; /* once a flight, not once a try */
	cc_timeout(&r->tcb);
	assert_int_equal(r->tcb.ssthresh, 4500);
	r->tcb.snd_nxt = ISS + 5000;
	r->tcb.retransmits = 1;
	cc_timeout(&r->tcb);
	assert_int_equal(r->tcb.ssthresh, 2500);
	r->tcb.snd_nxt = ISS + 1000;
	r->tcb.retransmits = 1;
	cc_timeout(&r->tcb);
	assert_int_equal(r->tcb.ssthresh, 2000);
}

static void cc__largest__does_not_wrap(struct tcb_rig *r)
{
	begin(r);
	r->tcb.cwnd = UINT32_MAX / 2;
	for (unsigned n = 0; n < 100; n++)
		cc_ack(&r->tcb, 1000);
	assert_in_range(r->tcb.cwnd, UINT32_MAX / 2, UINT32_MAX / 2 + 1000);
}

/* RFC5681-opt: an ACK of what was never sent does not raise it. */
static void cc__optimistic_ack__gains_nothing(struct tcb_rig *r)
{
	uint32_t cwnd;

	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 100);
	cwnd = r->tcb.cwnd;
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 102, .flags = SEG_ACK });
	assert_int_equal(r->tcb.cwnd, cwnd);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
	assert_int_equal(r->tcb.cwnd, cwnd);
}

static const struct tcb_row rows[] = {
	{ "RFC6928", cc__begins_with_ten_segments, ROW_ONCE },
	{ "RFC5681-3.1", cc__slow_start__grows_by_what_is_acked, ROW_ONCE },
	{ "RFC5681-3.1-division", cc__ack_division__gains_nothing, ROW_ONCE },
	{ "RFC5681-3.1-avoidance", cc__avoidance__a_segment_a_round_trip, ROW_ONCE },
	{ "RFC5681-3.1-timeout", cc__timeout__one_segment_and_half_the_flight, 0 },
	{ "RFC5681-3.1-wrap", cc__largest__does_not_wrap, ROW_ONCE },
	{ "RFC5681-opt-cwnd", cc__optimistic_ack__gains_nothing, 0 },
};
GROUP(cc);

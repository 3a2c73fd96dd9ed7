/* SPDX-License-Identifier: BSD-3-Clause */
/* Slow start and congestion avoidance (RFC 5681 3.1, RFC 6928). */
#include <math.h>

#include "tcp/cc.h"
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
	r->tcb.flags = 0;
	r->tcb.snd_mss = 3000; /* of long segments no more than their octets, */
	cc_init(&r->tcb);
	assert_int_equal(r->tcb.cwnd, 14600);
	r->tcb.snd_mss = 8960; /* but two of them at least */
	cc_init(&r->tcb);
	assert_int_equal(r->tcb.cwnd, 17920);
}

static void cc__slow_start__grows_by_what_is_acked(struct tcb_rig *r)
{
	begin(r);
	cc_ack(&r->host, &r->tcb, 400);
	assert_int_equal(r->tcb.cwnd, 10400);
	cc_ack(&r->host, &r->tcb, 5000); /* at most a segment an ACK */
	assert_int_equal(r->tcb.cwnd, 11400);
}

/* RFC 3465 2.2, 2.3: so many segments an ACK, but one in the slow start after a timeout. */
static void cc__slow_start__an_ack_is_worth_its_limit(struct tcb_rig *r)
{
	static const uint32_t worth[][2] = { { 1, 1000 }, { 2, 2000 }, { 0, 5000 } };

	for (unsigned i = 0; i < 3; i++) {
		r->config->abc_limit = (uint8_t)worth[i][0];
		begin(r);
		cc_ack(&r->host, &r->tcb, 5000);
		assert_int_equal(r->tcb.cwnd, 10000 + worth[i][1]);
		cc_ack(&r->host, &r->tcb, 400);
		assert_int_equal(r->tcb.cwnd, 10400 + worth[i][1]);
		r->tcb.snd_una = ISS;
		r->tcb.snd_nxt = ISS + 40000;
		r->tcb.retransmits = 1;
		cc_timeout(&r->host, &r->tcb);
		cc_ack(&r->host, &r->tcb, 5000);
		cc_ack(&r->host, &r->tcb, 5000);
		assert_int_equal(r->tcb.cwnd, 3000);
		r->tcb.cwnd = 19000; /* it grew on, then nothing was sent for long */
		r->tcb.sent_ms = r->host.now_ms - r->tcb.rto_ms - 1;
		cc_idle(&r->host, &r->tcb);
		cc_ack(&r->host, &r->tcb, 5000);
		assert_int_equal(r->tcb.cwnd, 10000 + worth[i][1]);
		cc_timeout(&r->host, &r->tcb);
		cc_recovery(&r->host, &r->tcb, false);
		r->tcb.cwnd = 1000; /* as a flight that was short leaves it */
		cc_ack(&r->host, &r->tcb, 5000);
		assert_int_equal(r->tcb.cwnd, 1000 + worth[i][1]);
	}
}

/* Ack division: a thousand ACKs of an octet are worth one of a segment. */
static void cc__ack_division__gains_nothing(struct tcb_rig *r)
{
	begin(r);
	for (unsigned n = 0; n < 1000; n++)
		cc_ack(&r->host, &r->tcb, 1);
	assert_int_equal(r->tcb.cwnd, 11000);
}

/* ... in congestion avoidance too. */
static void cc__ack_division_in_avoidance__gains_nothing(struct tcb_rig *r)
{
	begin(r);
	r->tcb.ssthresh = 5000;
	for (unsigned n = 0; n < 20; n++)
		cc_ack(&r->host, &r->tcb, 50);
	assert_in_range(r->tcb.cwnd, 10000, 10100); /* as one ACK of a segment */
}

/* About a segment a round trip. */
static void cc__avoidance__a_segment_a_round_trip(struct tcb_rig *r)
{
	begin(r);
	r->tcb.ssthresh = 5000;
	for (unsigned n = 0; n < 10; n++)
		cc_ack(&r->host, &r->tcb, 1000);
	assert_in_range(r->tcb.cwnd, 10900, 11000);
	r->tcb.cwnd = 2000000; /* mss^2 / cwnd is 0 */
	cc_ack(&r->host, &r->tcb, 1000);
	assert_int_equal(r->tcb.cwnd, 2000001);
}

static void cc__timeout__one_segment_and_half_the_flight(struct tcb_rig *r)
{
	begin(r);
	r->tcb.snd_una = ISS;
	r->tcb.snd_nxt = ISS + 9000;
	r->tcb.retransmits = 1;
	cc_timeout(&r->host, &r->tcb);
	assert_int_equal(r->tcb.cwnd, 1000);
	assert_int_equal(r->tcb.ssthresh, 4500);
	r->tcb.snd_nxt = ISS + 20000;
	r->tcb.retransmits = 2; /* once a flight, not once a try */
	cc_timeout(&r->host, &r->tcb);
	assert_int_equal(r->tcb.ssthresh, 4500);
	r->tcb.snd_nxt = ISS + 5000;
	r->tcb.retransmits = 1;
	cc_timeout(&r->host, &r->tcb);
	assert_int_equal(r->tcb.ssthresh, 2500);
	r->tcb.snd_nxt = ISS + 1000;
	r->tcb.retransmits = 1;
	cc_timeout(&r->host, &r->tcb);
	assert_int_equal(r->tcb.ssthresh, 2000);
}

static void cc__largest__does_not_wrap(struct tcb_rig *r)
{
	begin(r);
	r->tcb.cwnd = UINT32_MAX / 2;
	for (unsigned n = 0; n < 100; n++)
		cc_ack(&r->host, &r->tcb, 1000);
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

static void write_and_ack(struct tcb_rig *r, uint32_t len)
{
	rig_write(r, len);
	rig_forget(r);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = r->tcb.snd_nxt, .flags = SEG_ACK });
}

/* Silent for longer than an RTO: an old window may not burst into a path that has changed. */
static void cc__idle__restarts_with_ten_segments(struct tcb_rig *r)
{
	uint32_t grown;

	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.srtt_us = 100000; /* RTO 200 ms */
	r->tcb.rttvar_us = 0;
	for (unsigned n = 0; n < 10; n++)
		write_and_ack(r, 3 * r->tcb.snd_mss);
	grown = r->tcb.cwnd;
	assert_true(grown > 10u * r->tcb.snd_mss);
	rig_advance(r, MS(r->tcb.rto_ms));
	write_and_ack(r, 1);
	assert_true(r->tcb.cwnd >= grown);
	rig_advance(r, MS(r->tcb.rto_ms + 1));
	rig_write(r, 1);
	assert_int_equal(r->tcb.cwnd, 10 * r->tcb.snd_mss);
	rig_forget(r);
}

/* The ACK that comes after a retransmission echoes what was sent first: nothing was lost, all is as before. */
static void cc__timeout_too_early__is_taken_back(struct tcb_rig *r)
{
	const uint32_t first = (rig_to(r, TCPS_ESTABLISHED), r->last_tsval);
	const uint32_t mss = r->tcb.snd_mss, ssthresh = r->tcb.ssthresh;

	rig_advance(r, MS(5));
	rig_write(r, 4 * mss);
	rig_advance(r, SEC(1) + MS(10));
	assert_int_equal(r->tcb.cwnd, mss);
	rig_forget(r);
	rig_send(r, (struct seg){ .seq = IRS + 1,
				  .ack = ISS + 1 + mss,
				  .flags = SEG_ACK,
				  .options = OPT_TS,
				  .tsval = r->tsval,
				  .tsecr = first + 5 });
	rig_counted(r, STAT_SPURIOUS, 1);
	assert_false(r->tcb.flags & TCB_RTO_START);
	assert_int_equal(r->tcb.ssthresh, ssthresh);
	assert_int_equal(r->tcb.cwnd,
			 3 * mss + mss); /* RFC 4015: in flight, and what was acknowledged */
	rig_silent(r);			 /* nothing more goes again */
}

/* ... and where little was in flight the window still has room for a segment. */
static void cc__timeout_too_early__lets_a_segment_out(struct tcb_rig *r)
{
	const uint32_t first = (rig_to(r, TCPS_ESTABLISHED), r->last_tsval);

	rig_advance(r, MS(5));
	rig_write(r, 100);
	rig_advance(r, SEC(1) + MS(10));
	rig_forget(r);
	rig_send(r, (struct seg){ .seq = IRS + 1,
				  .ack = ISS + 101,
				  .flags = SEG_ACK,
				  .options = OPT_TS,
				  .tsval = r->tsval,
				  .tsecr = first + 5 });
	rig_counted(r, STAT_SPURIOUS, 1);
	rig_write(r, 3 * r->tcb.snd_mss);
	rig_expect(r, (struct seg){ .seq = ISS + 101,
				    .ack = IRS + 1,
				    .text_len = r->tcb.snd_mss,
				    .flags = SEG_ACK });
	rig_forget(r);
}

static void cc__timeout_in_time__stands(struct tcb_rig *r)
{
	const uint32_t mss = (rig_to(r, TCPS_ESTABLISHED), r->tcb.snd_mss);

	rig_write(r, 4 * mss);
	rig_advance(r, SEC(1) + MS(10));
	rig_forget(r);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1 + mss, .flags = SEG_ACK });
	rig_counted(r, STAT_SPURIOUS, 0);
	assert_int_equal(r->tcb.ssthresh, 2 * mss);
	assert_int_equal(r->tcb.cwnd, 2 * mss);
	rig_forget(r);
}

/* Congestion that the peer tells of is no loss that may be none, whatever the next ACK echoes. */
static void cc__congestion_told__stands(struct tcb_rig *r)
{
	const uint32_t first = (rig_to(r, TCPS_ESTABLISHED), r->last_tsval);
	struct seg ack = { .seq = IRS + 1,
			   .ack = ISS + 1 + r->tcb.snd_mss,
			   .flags = SEG_ACK | SEG_ECE,
			   .options = OPT_TS,
			   .tsval = r->tsval,
			   .tsecr = first + 5 };

	rig_advance(r, MS(5));
	rig_write(r, 8 * r->tcb.snd_mss);
	rig_advance(r, MS(5));
	rig_forget(r);
	r->tcb.flags |= TCB_ECN;
	rig_send(r, ack);
	rig_counted(r, STAT_ECN_REDUCED, 1);
	ack.ack += r->tcb.snd_mss;
	ack.flags = SEG_ACK;
	rig_send(r, ack);
	rig_counted(r, STAT_SPURIOUS, 0);
	assert_int_equal(r->tcb.ssthresh, 4 * r->tcb.snd_mss);
	rig_forget(r);
}

/* A window of one segment is not raised to two by it (RFC 3168 6.1.2). */
static void cc__congestion_told__raises_nothing(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 10);
	r->tcb.cwnd = r->tcb.snd_mss; /* as after a timeout */
	r->tcb.flags |= TCB_ECN;
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 11, .flags = SEG_ACK | SEG_ECE });
	rig_counted(r, STAT_ECN_REDUCED, 1);
	assert_int_equal(r->tcb.cwnd, r->tcb.snd_mss);
	rig_forget(r);
}

/* A peer that leaves its timestamps out echoes nothing, whatever an earlier segment left there. */
static void cc__timeout_without_an_echo__stands(struct tcb_rig *r)
{
	const uint32_t mss =
		(r->config->ts_lenient = true, rig_to(r, TCPS_ESTABLISHED), r->tcb.snd_mss);
	const struct seg seg = { .seq = IRS + 1,
				 .ack = ISS + 1 + mss,
				 .flags = SEG_ACK,
				 .wnd = r->wnd,
				 .tsecr = r->last_tsval };

	rig_write(r, 4 * mss);
	rig_advance(r, SEC(1) + MS(10));
	rig_send_raw(r, &seg);
	rig_counted(r, STAT_SPURIOUS, 0);
}

/* RFC 9438 4.2 to 4.6 as they are written, in floating point: seconds and segments. */
struct oracle {
	double w_max, k, w_est, cwnd_prior, cwnd;
};

static void oracle_ack(struct oracle *o, double t, double rtt, double acked)
{
	const double wanted = 0.4 * pow(t + rtt - o->k, 3) + o->w_max;
	const double target = fmin(fmax(wanted, o->cwnd), 1.5 * o->cwnd);

	o->w_est += (o->w_est < o->cwnd_prior ? 9.0 / 17 : 1) * acked / o->cwnd;
	if (0.4 * pow(t - o->k, 3) + o->w_max < o->w_est)
		o->cwnd = fmax(o->cwnd, o->w_est);
	else
		o->cwnd += (target - o->cwnd) / o->cwnd * acked;
}

/* After a loss at 100 segments, over the flat part and beyond; 100 ms and 10 ms round trips. */
static void cubic__grows_as_its_oracle(struct tcb_rig *r)
{
	(void)r;
	for (unsigned rtt_ms = 10; rtt_ms <= 100; rtt_ms += 90) {
		struct cubic cubic = { 0 };
		struct oracle o = { .w_max = 100, .cwnd_prior = 100 };
		const uint32_t mss = 1000;
		uint32_t now_ms = UINT32_MAX - 3000, cwnd;

		cwnd = cubic_reduce(&cubic, 100 * mss, 100 * mss);
		assert_int_equal(cwnd, 70 * mss);
		o.cwnd = o.w_est = 70;
		o.k = cbrt((100 - 70) / 0.4);
		for (uint32_t t_ms = 0; t_ms < 12000; t_ms += rtt_ms / 10) {
			const uint32_t acked = cwnd / 10; /* ten ACKs a round trip */

			oracle_ack(&o, t_ms / 1e3, rtt_ms / 1e3, (double)acked / mss);
			cwnd += cubic_growth(&cubic, cwnd, mss, acked, rtt_ms, now_ms + t_ms);
			assert_true(fabs(cwnd / o.cwnd / mss - 1) < 0.01);
		}
		assert_true(cwnd > 200 * mss);
	}
}

/* 4.7: a window that has not come back makes room. 4.8: a timeout begins a cubic of its own. */
static void cubic__smaller_each_time__makes_room(struct tcb_rig *r)
{
	struct cubic cubic = { 0 };

	(void)r;
	cubic_reduce(&cubic, 100000, 100000);
	assert_int_equal(cubic.w_max, 100000);
	cubic_reduce(&cubic, 90000, 90000);
	assert_int_equal(cubic.w_max, 76500);
	cubic_timeout(&cubic);
	cubic_growth(&cubic, 50000, 1000, 1000, 10, 0);
	assert_int_equal(cubic.w_max, 50000);
	assert_int_equal(cubic.k_ms, 0);
}

/* Through segments: 0.7 of what was in flight, and on along the cubic while the flight lasts. */
static void cubic__loss__leaves_seven_tenths(struct tcb_rig *r)
{
	uint32_t mss;

	r->config->cubic = true;
	rig_to(r, TCPS_ESTABLISHED);
	mss = r->tcb.snd_mss;
	rig_write(r, 10 * mss);
	for (unsigned i = 0; i < 3; i++)
		rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
	assert_int_equal(r->tcb.ssthresh, 7 * mss);
	rig_forget(r);
}

/* 4.6, 5.8: it is flat at what was in flight, however far the window had grown that nobody filled. */
static void cubic__window_never_filled__is_flat_at_the_flight(struct tcb_rig *r)
{
	uint32_t mss;

	r->config->cubic = true;
	rig_to(r, TCPS_ESTABLISHED);
	mss = r->tcb.snd_mss;
	r->tcb.cwnd = 1000 * mss;
	r->tcb.sent_ms = r->host.now_ms; /* not idle */
	rig_write(r, 10 * mss);
	for (unsigned i = 0; i < 3; i++)
		rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
	assert_int_equal(r->tcb.ssthresh, 7 * mss);
	assert_int_equal(flight_of(&r->host, &r->tcb)->cubic.w_max, 10 * mss);
	assert_int_equal(flight_of(&r->host, &r->tcb)->cubic.cwnd_prior, 10 * mss);
	rig_forget(r);
}

/* Congestion avoidance goes along the flight's cubic, and a timeout begins it anew (RFC 9438 4.2, 4.8). */
static void cubic__flight__steers_the_window(struct tcb_rig *r)
{
	struct cubic *cubic, same;
	uint32_t mss, window;

	r->config->cubic = true;
	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.flags |= TCB_SACK;
	mss = r->tcb.snd_mss;
	rig_write(r, 10 * mss);
	rig_sack(r, 0, 5, 6, 0, 0);
	cubic = &flight_of(&r->host, &r->tcb)->cubic;
	window = r->tcb.cwnd = r->tcb.ssthresh = 20 * mss;
	cubic->w_max = 40 * mss;
	same = *cubic;
	r->host.now_ms += 1000;
	cc_ack(&r->host, &r->tcb, mss);
	window += cubic_growth(&same, window, mss, mss, r->tcb.srtt_us / 1000, r->host.now_ms);
	assert_int_equal(r->tcb.cwnd, window);
	assert_int_equal(cubic->k_ms, same.k_ms);
	r->tcb.retransmits = 2;
	cc_timeout(&r->host, &r->tcb);
	assert_int_equal(cubic->w_max, 0);
	rig_forget(r);
}

/* 4.9: with the window its cubic is taken back. */
static void cubic__none_was_lost__is_what_it_was(struct tcb_rig *r)
{
	struct cubic *cubic, before;
	uint32_t mss, first;

	r->config->cubic = true;
	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.flags |= TCB_SACK;
	mss = r->tcb.snd_mss;
	rig_write(r, 8 * mss);
	first = r->last_tsval;
	rig_sack(r, 0, 5, 6, 0, 0);
	cubic = &flight_of(&r->host, &r->tcb)->cubic;
	*cubic = before = (struct cubic){ .w_max = 40 * mss,
					  .w_est = 20 * mss,
					  .cwnd_prior = 40 * mss,
					  .k_ms = 3000,
					  .began_ms = r->host.now_ms - 1000,
					  .running = true };
	rig_advance(r, SEC(1) + MS(10));
	assert_int_equal(cubic->w_max, 0);
	rig_send(r, (struct seg){ .seq = IRS + 1,
				  .ack = ISS + 1 + mss,
				  .flags = SEG_ACK,
				  .options = OPT_TS,
				  .tsval = r->tsval,
				  .tsecr = first });
	rig_counted(r, STAT_SPURIOUS, 1);
	assert_int_equal(cubic->w_max, before.w_max);
	assert_int_equal(cubic->cwnd_prior, before.cwnd_prior);
	assert_int_equal(cubic->k_ms, before.k_ms);
	assert_int_equal(cubic->began_ms, before.began_ms);
	assert_true(cubic->running);
	rig_forget(r);
}

static const struct tcb_row rows[] = {
	{ "RFC6928", cc__begins_with_ten_segments, ROW_ONCE },
	{ "RFC5681-3.1", cc__slow_start__grows_by_what_is_acked, ROW_ONCE },
	{ "RFC3465", cc__slow_start__an_ack_is_worth_its_limit, ROW_ONCE },
	{ "RFC5681-3.1-division, SEC-30", cc__ack_division__gains_nothing, ROW_ONCE },
	{ "RFC5681-3.1-avoidance", cc__avoidance__a_segment_a_round_trip, ROW_ONCE },
	{ "RFC5681-3.1-timeout", cc__timeout__one_segment_and_half_the_flight, 0 },
	{ "RFC5681-3.1-wrap", cc__largest__does_not_wrap, ROW_ONCE },
	{ "RFC5681-3.1-avoidance-division", cc__ack_division_in_avoidance__gains_nothing, ROW_ONCE },
	{ "RFC5681-4.1", cc__idle__restarts_with_ten_segments, 0 },
	{ "RFC3522", cc__timeout_too_early__is_taken_back, ROW_TS },
	{ "RFC3522-least", cc__timeout_too_early__lets_a_segment_out, ROW_TS },
	{ "RFC3522-not", cc__timeout_in_time__stands, 0 },
	{ "RFC3168-6.1.2-undo", cc__congestion_told__stands, ROW_TS },
	{ "RFC3168-6.1.2-one", cc__congestion_told__raises_nothing, 0 },
	{ "RFC3522-lenient", cc__timeout_without_an_echo__stands, ROW_TS },
	{ "RFC9438", cubic__grows_as_its_oracle, ROW_ONCE },
	{ "RFC9438-4.7", cubic__smaller_each_time__makes_room, ROW_ONCE },
	{ "RFC9438-4.6, MAY-18", cubic__loss__leaves_seven_tenths, 0 },
	{ "RFC9438-5.8", cubic__window_never_filled__is_flat_at_the_flight, 0 },
	{ "RFC9438-4.2", cubic__flight__steers_the_window, 0 },
	{ "RFC9438-4.9", cubic__none_was_lost__is_what_it_was, ROW_TS },
	{ "RFC5681-opt-cwnd", cc__optimistic_ack__gains_nothing, 0 },
};
GROUP(cc);

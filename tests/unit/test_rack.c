/* SPDX-License-Identifier: BSD-3-Clause */
/* RACK-TLP (RFC 8985): losses by time, the reordering window, and tail loss probes. */
#include "tcp/sentlog.h"
#include "test_tcp.h"

#define RTT MS(40)

static void whole(struct tcb_rig *r, uint32_t segment)
{
	rig_expect_text(r, segment, r->tcb.snd_mss);
}

/* So many full segments leave now, of a connection whose round trip is known. */
static void in_flight(struct tcb_rig *r, uint32_t segments)
{
	r->config->rack = true;
	r->wnd = 60000 >> 3;
	r->wscale = 3;
	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.flags |= TCB_SACK;
	r->tcb.srtt_us = RTT;
	r->tcb.rttvar_us = RTT / 4;
	rig_write(r, segments * r->tcb.snd_mss);
	for (uint32_t i = 0; i < segments; i++)
		whole(r, i);
}

static struct rack *rack(struct tcb_rig *r)
{
	return &flight_of(&r->host, &r->tcb)->rack;
}

/* ---- 6: RACK ---- */

static void three_held__earlier_one_is_lost_at_once(struct tcb_rig *r)
{
	in_flight(r, 6);
	rig_advance(r, RTT);
	rig_sack(r, 0, 1, 4, 0, 0); /* 6.2 step 4: no reordering was seen, so the window is 0 */
	whole(r, 0);
	rig_silent(r);
	rig_counted(r, STAT_RACK_RECOVERY, 1);
	assert_int_equal(r->tcb.ssthresh, 3 * r->tcb.snd_mss);
	rig_sack(r, 4, 0, 0, 0, 0);
	rig_advance(r, MS(30));
	rig_silent(r);
}

static void one_held__reordering_window_passes_first(struct tcb_rig *r)
{
	in_flight(r, 4);
	rig_advance(r, RTT);
	rig_sack(r, 0, 1, 2, 0, 0);
	rig_silent(r);
	rig_advance(r, RTT / 4 - MS(1));
	rig_silent(r);
	rig_advance(r, MS(2));
	whole(r, 0);
	rig_silent(r);
	rig_counted(r, STAT_RETRANSMIT_TEXT, 1);
	rig_counted(r, STAT_RTO_EXPIRED, 0);
}

/* All left at one time: what is before the one held is late once it is. */
static void last_held__all_before_it_goes_again(struct tcb_rig *r)
{
	in_flight(r, 4);
	rig_advance(r, RTT);
	rig_sack(r, 0, 3, 4, 0, 0);
	rig_silent(r);
	rig_advance(r, RTT / 4 + MS(1));
	whole(r, 0);
	rig_silent(r);
	rig_sack(r, 1, 3, 4, 0, 0);
	whole(r, 1);
	whole(r, 2); /* two are half of the flight */
	rig_silent(r);
}

/* The timer is of what is missing, not of what came and left later. */
static void sent_apart__timer_is_of_the_missing_one(struct tcb_rig *r)
{
	in_flight(r, 1);
	rig_advance(r, MS(5));
	rig_write(r, r->tcb.snd_mss);
	whole(r, 1);
	rig_advance(r, RTT);
	rig_sack(r, 0, 1, 2, 0, 0);
	rig_advance(r, RTT / 4 - MS(5) - MS(1));
	rig_silent(r);
	rig_advance(r, MS(2));
	whole(r, 0);
}

/* RFC 9937 6.2: nothing was delivered, so one goes; the ACKs that come of it tell how many more. */
static void many_lost_by_the_timer__one_goes_again(struct tcb_rig *r)
{
	in_flight(r, 10);
	rig_advance(r, RTT);
	rig_sack(r, 0, 8, 10, 0, 0);
	rig_silent(r);
	rig_advance(r, RTT / 4 + MS(1));
	rig_counted(r, STAT_RACK_RECOVERY, 1);
	whole(r, 0);
	rig_silent(r);
	rig_sack(r, 1, 8, 10, 0, 0);
	whole(r, 1);
	whole(r, 2);
	rig_silent(r);
}

static void one_overtaken__nothing_goes_again(struct tcb_rig *r)
{
	in_flight(r, 4);
	rig_advance(r, RTT);
	rig_sack(r, 0, 1, 3, 0, 0); /* below DupThresh */
	rig_advance(r, RTT / 8);
	rig_sack(r, 4, 0, 0, 0, 0);
	rig_advance(r, SEC(2));
	rig_silent(r);
}

/* Step 3: what arrives late, sent once, is reordering; from then on the window is there from the first. */
static void reordering_seen__window_stays(struct tcb_rig *r)
{
	in_flight(r, 8);
	rig_advance(r, RTT);
	rig_sack(r, 0, 1, 2, 0, 0);
	assert_false(rack(r)->reordering_seen);
	rig_advance(r, MS(5));
	rig_sack(r, 2, 0, 0, 0, 0); /* 0 comes after 1 */
	assert_true(rack(r)->reordering_seen);
	rig_sack(r, 2, 3, 7, 0, 0); /* DupThresh is reached, and is no reason any more */
	rig_silent(r);
	rig_advance(r, RTT / 4 + MS(1));
	whole(r, 2);
}

/* The first two blocks let a new segment each out, whatever cwnd says (RFC 3042). */
static void blocks__new_text_by_limited_transmit(struct tcb_rig *r)
{
	in_flight(r, 10);
	rig_write(r, 3 * r->tcb.snd_mss);
	rig_silent(r);
	rig_advance(r, RTT);
	rig_sack(r, 0, 1, 2, 0, 0);
	whole(r, 10);
	rig_silent(r);
	rig_sack(r, 0, 1, 3, 0, 0);
	whole(r, 11);
	rig_silent(r);
}

/* A retransmission that is lost in turn is found by what left after it. */
static void retransmission_lost__found_without_timeout(struct tcb_rig *r)
{
	in_flight(r, 8);
	rig_write(r, 10 * r->tcb.snd_mss);
	whole(r, 8);
	whole(r, 9);
	rig_advance(r, RTT);
	rig_sack(r, 0, 1, 7, 0, 0);
	whole(r, 0);
	whole(r, 10); /* new text by the pipe */
	rig_advance(r, RTT);
	rig_forget(r);
	rig_sack(r, 0, 1, 11, 0, 0); /* what left with or after it has come, it has not */
	rig_advance(r, RTT / 4 + MS(2));
	whole(r, 0);
	rig_counted(r, STAT_RTO_EXPIRED, 0);
}

/* A D-SACK widens the window, once a round trip (6.2 step 4). */
static void dsack__widens_the_window(struct tcb_rig *r)
{
	const uint32_t mss = (in_flight(r, 8), r->tcb.snd_mss);

	rig_advance(r, RTT);
	rig_sack(r, 1, 2, 3, 0, 0);
	assert_int_equal(rack(r)->reo_wnd_mult, 1);
	for (unsigned i = 0; i < 2; i++) {
		struct seg seg = { .seq = IRS + 1,
				   .ack = ISS + 1 + mss,
				   .flags = SEG_ACK,
				   .options = OPT_SACK,
				   .sacks = 1 };

		seg.sack[0].left = ISS + 1;
		seg.sack[0].right = ISS + 1 + mss;
		rig_send(r, seg);
		assert_int_equal(rack(r)->reo_wnd_mult, 2);
	}
	rack(r)->reo_wnd_mult = UINT8_MAX;
	rack(r)->in_dsack_round = false;
	rig_send(r, (struct seg){ .seq = IRS + 1,
				  .ack = ISS + 1 + mss,
				  .flags = SEG_ACK,
				  .options = OPT_SACK,
				  .sacks = 1,
				  .sack = { { ISS + 1, ISS + 1 + mss } } });
	assert_int_equal(rack(r)->reo_wnd_mult, UINT8_MAX);
}

/* Step 2: an ACK sooner than any round trip may be of the first transmission, and dates nothing. */
static void ack_of_the_first_time__no_timer_by_it(struct tcb_rig *r)
{
	in_flight(r, 2);
	rig_advance(r, 2 * RTT + MS(2));
	whole(r, 1);
	rig_advance(r, SEC(1));
	whole(r, 0);
	rig_sack(r, 1, 0, 0, 0, 0);
	whole(r, 1);
	rig_advance(r, MS(999));
	rig_silent(r);
	rig_advance(r, MS(2));
	whole(r, 1);
}

/* ... as do timestamps that echo the first, however late. */
static void echo_of_the_first__dates_nothing(struct tcb_rig *r)
{
	const uint32_t mss = (in_flight(r, 3), r->tcb.snd_mss), first = r->last_tsval;

	rig_advance(r, 2 * RTT + MS(2));
	whole(r, 2);
	rig_advance(r, 2 * RTT);
	rig_send(r, (struct seg){ .seq = IRS + 1,
				  .ack = ISS + 1,
				  .flags = SEG_ACK,
				  .options = OPT_TS | OPT_SACK,
				  .tsval = r->tsval,
				  .tsecr = first,
				  .sacks = 1,
				  .sack = { { ISS + 1 + 2 * mss, ISS + 1 + 3 * mss } } });
	rig_silent(r);
}

/* ... or tell that the first was not lost. What is lost behind it goes again all the same. */
static void echo_of_the_first__the_next_goes_again(struct tcb_rig *r)
{
	const uint32_t mss = (in_flight(r, 10), r->tcb.snd_mss), first = r->last_tsval;

	rig_advance(r, RTT);
	rig_sack(r, 0, 1, 4, 0, 0);
	whole(r, 0);
	rig_send(r, (struct seg){ .seq = IRS + 1,
				  .ack = ISS + 1 + 4 * mss,
				  .flags = SEG_ACK,
				  .options = OPT_TS,
				  .tsval = r->tsval,
				  .tsecr = first });
	rig_counted(r, STAT_SPURIOUS, 1);
	rig_silent(r);
	rig_sack(r, 4, 5, 8, 0, 0);
	whole(r, 4);
	rig_silent(r);
}

/* SHLD-29: a window that shuts is probed after the retransmission timeout, whatever RACK waits for. */
static void window_shuts(struct tcb_rig *r, bool reo)
{
	in_flight(r, 4);
	rig_advance(r, RTT);
	if (reo)
		rig_sack(r, 0, 1, 2, 0, 0);
	assert_int_equal(r->tcb.timers & (TIMER_PTO | TIMER_REO), reo ? TIMER_REO : TIMER_PTO);
	r->wnd = 0;
	rig_sack(r, 0, 1, 3, 0, 0);
	assert_int_equal(r->tcb.timers, TIMER_PERSIST);
	rig_advance(r, MS(999));
	rig_silent(r);
	rig_advance(r, MS(2));
	rig_expect_text(r, 0, 1);
}

static void window_shuts__before_the_probe__asked_after_rto(struct tcb_rig *r)
{
	window_shuts(r, false);
}

static void window_shuts__before_a_loss_is_sure__asked_after_rto(struct tcb_rig *r)
{
	window_shuts(r, true);
}

/* ... and narrows again, when 16 recoveries have gone without a D-SACK. */
static void recoveries__without_dsack__narrow_the_window(struct tcb_rig *r)
{
	for (uint8_t left = 2; left > 0; left--) {
		in_flight(r, 10);
		rig_write(r, r->tcb.snd_mss);
		rig_advance(r, RTT);
		rig_sack(r, 0, 1, 7, 0, 0);
		whole(r, 0);
		whole(r, 10);
		rack(r)->reo_wnd_mult = 3;
		rack(r)->reo_wnd_persist = left;
		rig_sack(r, 5, 0, 0, 0, 0);
		assert_int_equal(rack(r)->reo_wnd_persist, left);
		rig_sack(r, 10, 0, 0, 0, 0);
		assert_int_equal(rack(r)->reo_wnd_persist, left - 1);
		assert_int_equal(rack(r)->reo_wnd_mult, left > 1 ? 3 : 1);
		rig_sack(r, 11, 0, 0, 0, 0);
	}
}

/* Step 4: however wide it grows, the window is one round trip at most. */
static void reo_wnd__wider_than_srtt__is_srtt(struct tcb_rig *r)
{
	in_flight(r, 4);
	rig_advance(r, RTT);
	rig_sack(r, 0, 2, 3, 0, 0);
	rack(r)->reo_wnd_mult = 5;
	r->tcb.srtt_us = MS(44);
	rig_sack(r, 0, 1, 3, 0, 0);
	assert_int_equal(r->tcb.rtx_tick, r->host.ceil_ms + 44);
}

/* ---- 7: TLP ---- */

static void tail__lost__probe_then_recovery(struct tcb_rig *r)
{
	in_flight(r, 4);
	rig_advance(r, 2 * RTT - MS(1));
	rig_silent(r);
	rig_advance(r, MS(3));
	whole(r, 3); /* 7.3: no new text, so the last once more */
	rig_silent(r);
	rig_counted(r, STAT_TLP_PROBES, 1);
	rig_advance(r, RTT);
	rig_sack(r, 0, 3, 4, 0, 0); /* all before it left long ago */
	whole(r, 0);
	rig_silent(r);
	rig_sack(r, 1, 3, 4, 0, 0);
	whole(r, 1);
	whole(r, 2);
	rig_sack(r, 4, 0, 0, 0, 0);
	rig_advance(r, SEC(2));
	rig_silent(r);
	rig_counted(r, STAT_RTO_EXPIRED, 0);
}

static void tail__shorter_than_a_segment__probe_is_all_of_it(struct tcb_rig *r)
{
	in_flight(r, 1);
	rig_sack(r, 1, 0, 0, 0, 0);
	rig_write(r, 100);
	rig_expect_text(r, 1, 100);
	rig_advance(r, MS(300));
	rig_expect_text(r, 1, 100);
}

static void new_text__is_the_probe(struct tcb_rig *r)
{
	in_flight(r, 10); /* as many as cwnd lets out */
	rig_write(r, 2 * r->tcb.snd_mss);
	rig_silent(r);
	rig_advance(r, 2 * RTT + MS(2));
	whole(r, 10);
	rig_silent(r);
	rig_counted(r, STAT_RETRANSMIT_TEXT, 0);
}

/* With nothing to remember a probe by there is none. */
static void probe__no_flight_left__timeout(struct tcb_rig *r)
{
	in_flight(r, 2);
	r->host.flights.free = 0;
	rig_advance(r, 2 * RTT + MS(2));
	rig_silent(r);
	rig_advance(r, SEC(1));
	whole(r, 0);
	rig_counted(r, STAT_TLP_PROBES, 0);
}

/* One probe, then the retransmission timer. */
static void probe__unanswered__timeout(struct tcb_rig *r)
{
	in_flight(r, 4);
	rig_advance(r, 2 * RTT + MS(2));
	whole(r, 3);
	rig_advance(r, MS(990));
	rig_silent(r);
	rig_advance(r, MS(20));
	whole(r, 0);
	rig_counted(r, STAT_RTO_EXPIRED, 1);
	rig_counted(r, STAT_TLP_PROBES, 1);
}

/* A probe that had no chance to leave before the retransmission timer expired does not follow it. */
static void probe__overtaken_by_the_timeout__none(struct tcb_rig *r)
{
	in_flight(r, 2);
	r->turn_open = true;
	rig_advance(r, SEC(2));
	rig_flush(r);
	whole(r, 0);
	rig_sack(r, 1, 0, 0, 0, 0);
	whole(r, 1);
	rig_silent(r);
	rig_counted(r, STAT_TLP_PROBES, 0);
}

/* A FIN that left before our SYN was acknowledged is not asked for: the SYN-ACK goes again (Table U). */
static void fin_before_the_handshake_ends__no_probe(struct tcb_rig *r)
{
	r->config->rack = r->active = true;
	rig_to(r, TCPS_SYN_RECEIVED);
	r->tcb.flags |= TCB_SACK;
	rig_shutdown(r);
	rig_forget(r);
	rig_advance(r, MS(1100));
	rig_expect(r, (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SEG_SYN | SEG_ACK });
	rig_silent(r);
}

/* ... nor does one follow the ACK of all that it would have asked for, nor keep what would have remembered it. */
static void probe__overtaken_by_the_ack__none(struct tcb_rig *r)
{
	in_flight(r, 2);
	r->turn_open = true;
	rig_advance(r, 2 * RTT + MS(2));
	rig_sack(r, 2, 0, 0, 0, 0);
	rig_flush(r);
	rig_silent(r);
	rig_counted(r, STAT_TLP_PROBES, 0);
}

/* 7.2: two round trips, what a peer may wait, and the rest of a millisecond. */
static void round_trip__of_microseconds__probe_is_not_early(struct tcb_rig *r)
{
	static const struct {
		uint32_t srtt_us, pto_ms;
	} cases[] = { { 600000, 1400 }, { 600001, 1401 }, { 600500, 1401 }, { 0, 1200 } };

	r->config->rto_initial_ms = 3000;
	in_flight(r, 1);
	for (uint32_t i = 0; i < COUNT(cases); i++) {
		rig_sack(r, i + 1, 0, 0, 0, 0);
		r->tcb.srtt_us = r->tcb.rttvar_us = cases[i].srtt_us;
		rig_write(r, r->tcb.snd_mss);
		whole(r, i + 1);
		assert_int_equal(r->tcb.rtx_tick, r->host.ceil_ms + cases[i].pto_ms);
	}
}

/* 7.2: one segment's ACK may be delayed by the peer. */
static void one_segment__waits_for_a_delayed_ack(struct tcb_rig *r)
{
	in_flight(r, 1);
	rig_advance(r, 2 * RTT + MS(199));
	rig_silent(r);
	rig_advance(r, MS(2));
	whole(r, 0);
	rig_counted(r, STAT_TLP_PROBES, 1);
}

/* ... and the probe goes no later than the timer would expire. */
static void timer__is_nearer__probe_in_its_place(struct tcb_rig *r)
{
	r->config->rto_min_ms = 200;
	in_flight(r, 1);
	rig_advance(r, MS(199));
	rig_silent(r);
	rig_advance(r, MS(2));
	whole(r, 0);
	rig_counted(r, STAT_TLP_PROBES, 1);
	rig_counted(r, STAT_RTO_EXPIRED, 0);
	rig_advance(r, MS(201));
	whole(r, 0);
	rig_counted(r, STAT_RTO_EXPIRED, 1);
}

/* Each new segment restarts the probe's timer, but not the other. */
static void text_goes_on__probe_comes_with_the_timer(struct tcb_rig *r)
{
	r->config->nagle = false;
	in_flight(r, 1);
	for (uint32_t i = 1; i < 20; i++) {
		rig_advance(r, MS(50));
		rig_counted(r, STAT_TLP_PROBES, 0);
		rig_write(r, 1);
		assert_int_equal(r->sent_count, 1);
		rig_forget(r);
	}
	rig_advance(r, MS(51));
	rig_counted(r, STAT_TLP_PROBES, 1);
	rig_counted(r, STAT_RTO_EXPIRED, 0);
}

/* 7.4: the probe has mended the loss by itself; or D-SACK says there was none. */
static void probe__mended_it__window_shrinks(struct tcb_rig *r)
{
	uint32_t cwnd;

	in_flight(r, 4);
	rig_advance(r, 2 * RTT + MS(2));
	whole(r, 3);
	rig_sack(r, 4, 0, 0, 0, 0);
	cwnd = r->tcb.cwnd;
	rig_write(r, r->tcb.snd_mss);
	whole(r, 4);
	rig_advance(r, RTT);
	rig_sack(r, 5, 0, 0, 0, 0);
	rig_counted(r, STAT_TLP_RECOVERY, 1);
	assert_in_range(r->tcb.cwnd, cwnd / 2, cwnd / 2 + r->tcb.snd_mss);
	assert_int_equal(r->tcb.flight, 0);
}

/* ... and stays so: what it took for a loss was one, whatever the next ACK echoes. */
static void probe__mended_it__is_not_taken_back(struct tcb_rig *r)
{
	in_flight(r, 4);
	rig_advance(r, 2 * RTT + MS(2));
	whole(r, 3);
	rig_sack(r, 4, 0, 0, 0, 0);
	rig_write(r, 2 * r->tcb.snd_mss);
	whole(r, 4);
	whole(r, 5);
	rig_advance(r, RTT);
	rig_sack(r, 5, 0, 0, 0, 0);
	rig_counted(r, STAT_TLP_RECOVERY, 1);
	rig_sack(r, 6, 0, 0, 0, 0);
	rig_counted(r, STAT_SPURIOUS, 0);
}

/* The probe may have told nothing when all is acknowledged. What leaves later is not dated by what was delivered
 * then, which after half of the circle of microseconds lies ahead. */
static void probe__mended_it_long_ago__nothing_is_late(struct tcb_rig *r)
{
	in_flight(r, 4);
	rig_advance(r, 2 * RTT + MS(2));
	whole(r, 3);
	rig_sack(r, 4, 0, 0, 0, 0);
	rig_advance(r, SEC(2400));
	rig_write(r, 2 * r->tcb.snd_mss);
	whole(r, 4);
	whole(r, 5);
	rig_advance(r, RTT);
	rig_sack(r, 5, 0, 0, 0, 0);
	rig_advance(r, 3 * RTT);
	rig_silent(r);
	rig_counted(r, STAT_RACK_RECOVERY, 0);
}

static void probe__was_needless__window_stays(struct tcb_rig *r)
{
	uint32_t cwnd;

	in_flight(r, 4);
	rig_advance(r, 2 * RTT + MS(2));
	whole(r, 3);
	rig_sack(r, 4, 0, 0, 0, 0);
	rig_sack(r, 4, 3, 4, 0, 0); /* it has come twice */
	cwnd = r->tcb.cwnd;
	rig_write(r, r->tcb.snd_mss);
	whole(r, 4);
	rig_advance(r, RTT);
	rig_sack(r, 5, 0, 0, 0, 0);
	rig_counted(r, STAT_TLP_RECOVERY, 0);
	assert_true(r->tcb.cwnd >= cwnd);
	assert_int_equal(r->tcb.flight, 0);
}

/* ---- The log ---- */

/* Against an oracle that knows each octet: none is missing, earlier, lost when it is not or sent but once. */
static void log__anything__bounded_and_never_early(struct tcb_rig *r)
{
	static struct sent octet[4000];
	struct sentlog log = { .count = 0 };
	uint32_t una = 0, nxt = 0, us = 1, dice = 12345, fullest = 0;

	for (unsigned step = 0; step < 6000 && nxt < COUNT(octet); step++, us += dice >> 28) {
		uint32_t left, right;
		bool again;

		dice = dice * 1664525 + 1013904223;
		left = una + (nxt > una ? (dice >> 8) % (nxt - una) : 0);
		right = left + 1 + (dice >> 20) % 5;
		again = !(dice >> 31) && right <= nxt;
		if (!again) {
			left = nxt;
			right = ++nxt;
		}
		sentlog_add(&log, ISS + una, ISS + left, ISS + right, us, again);
		for (uint32_t i = left; i < right; i++)
			octet[i] = (struct sent){ .us = us, .again = again };
		if (dice % 13 == 0)
			una += (nxt - una) / 64;
		sentlog_advance(&log, ISS + una);
		assert_true(log.count <= SENTLOG_SPANS);
		fullest = log.count > fullest ? log.count : fullest;
		if (dice % 7 == 0)
			log.span[(dice >> 4) % log.count].lost = true;
		for (uint32_t i = una, k = 0; i < nxt; i++) {
			while (seq_le(log.span[k].end, ISS + i))
				k++;
			assert_true(k < log.count && log.span[k].us >= octet[i].us);
			assert_true(log.span[k].again || !octet[i].again);
			if (dice % 7 == 0 && k == (dice >> 4) % log.count)
				octet[i].lost = true;
			assert_true(octet[i].lost || !log.span[k].lost);
		}
		assert_true(una == nxt || log.span[log.count - 1].end == ISS + nxt);
	}
	assert_int_equal(fullest, SENTLOG_SPANS); /* and has been bounded */
}

/* One segment alone needs no flight; the next one, at another time, makes that both are written down. */
static void log__second_time__has_both(struct tcb_rig *r)
{
	const uint32_t mss = (in_flight(r, 1), r->tcb.snd_mss);

	assert_null(flight_of(&r->host, &r->tcb));
	rig_advance(r, MS(5));
	rig_write(r, mss);
	whole(r, 1);
	assert_non_null(flight_of(&r->host, &r->tcb));
	assert_int_equal(rack(r)->log.count, 2);
	assert_int_equal(rack(r)->log.span[1].us - rack(r)->log.span[0].us, MS(5));
}

/* What leaves in one microsecond has one span, but not what leaves again with what does not. */
static void log__again_and_new_at_once__apart(struct tcb_rig *r)
{
	struct sentlog log = { .count = 0 };

	(void)r;
	sentlog_add(&log, ISS, ISS, ISS + 1, 1, false);
	sentlog_add(&log, ISS, ISS, ISS + 1, 5, true);
	sentlog_add(&log, ISS, ISS + 1, ISS + 2, 5, false);
	sentlog_add(&log, ISS, ISS + 2, ISS + 3, 5, false);
	assert_int_equal(log.count, 2);
	assert_true(log.span[0].again && log.span[0].end == ISS + 1);
	assert_true(!log.span[1].again && log.span[1].end == ISS + 3);
	log.span[1].lost = true;
	sentlog_add(&log, ISS, ISS + 3, ISS + 4, 5, false);
	assert_int_equal(log.count, 3);
}

/* Spans become one when there is no room, not before. */
static void log__room_left__none_joined(struct tcb_rig *r)
{
	struct sentlog log = { .count = 0 };

	(void)r;
	for (uint32_t i = 0; i < SENTLOG_SPANS - 2; i++)
		sentlog_add(&log, ISS, ISS + 3 * i, ISS + 3 * i + 3, i, false);
	sentlog_add(&log, ISS, ISS + 1, ISS + 2, SENTLOG_SPANS, true); /* three in the place of one */
	assert_int_equal(log.count, SENTLOG_SPANS);
	sentlog_advance(&log, ISS + 3); /* 61 are left */
	sentlog_add(&log, ISS + 3, log.span[60].end, log.span[60].end + 1, SENTLOG_SPANS + 1, false);
	sentlog_add(&log, ISS + 3, log.span[61].end, log.span[61].end + 1, SENTLOG_SPANS + 2, false);
	for (uint32_t i = 2; i < log.count; i++)
		log.span[i].lost = i & 1;
	sentlog_add(&log, ISS + 3, log.span[62].end, log.span[62].end + 1, SENTLOG_SPANS + 3, false);
	assert_int_equal(log.count, SENTLOG_SPANS - 1); /* two that are alike made room enough */
	sentlog_split(&log, ISS + 3, ISS + 4);
	assert_in_range(log.count, 1, SENTLOG_SPANS - 1);
}

/* Neighbours of which one is lost and one is not: they become one where there is no room, and that is not lost. */
static void log__full_of_unlike__joined(struct tcb_rig *r)
{
	struct sentlog log = { .count = 0 };

	(void)r;
	for (uint32_t i = 0; i < 2 * SENTLOG_SPANS; i++) {
		sentlog_add(&log, ISS, ISS + i, ISS + i + 1, i, false);
		assert_in_range(log.count, 1, SENTLOG_SPANS);
		log.span[log.count - 1].lost = i & 1;
	}
	assert_false(log.span[0].lost);
	assert_int_equal(log.span[log.count - 1].end, ISS + 2 * SENTLOG_SPANS);
}

static const struct tcb_row rows[] = {
	{ "RFC8985-6.2", three_held__earlier_one_is_lost_at_once, 0 },
	{ "RFC8985-6.2-timer", one_held__reordering_window_passes_first, 0 },
	{ "RFC8985-6.2-last", last_held__all_before_it_goes_again, 0 },
	{ "RFC8985-6.2-apart", sent_apart__timer_is_of_the_missing_one, 0 },
	{ "RFC9937-6.2-timer", many_lost_by_the_timer__one_goes_again, 0 },
	{ "RFC8985-6.2-late", one_overtaken__nothing_goes_again, 0 },
	{ "RFC8985-6.2-3", reordering_seen__window_stays, 0 },
	{ "RFC3042-rack", blocks__new_text_by_limited_transmit, 0 },
	{ "RFC8985-6.2-again", retransmission_lost__found_without_timeout, 0 },
	{ "RFC8985-6.2-2", ack_of_the_first_time__no_timer_by_it, 0 },
	{ "RFC8985-6.2-2-ts", echo_of_the_first__dates_nothing, ROW_TS },
	{ "RFC8985-6.2-undo", echo_of_the_first__the_next_goes_again, ROW_TS },
	{ "SHLD-29-pto", window_shuts__before_the_probe__asked_after_rto, 0 },
	{ "SHLD-29-reo", window_shuts__before_a_loss_is_sure__asked_after_rto, 0 },
	{ "RFC8985-6.2-4", dsack__widens_the_window, 0 },
	{ "RFC8985-6.2-4-persist", recoveries__without_dsack__narrow_the_window, 0 },
	{ "RFC8985-6.2-4-most", reo_wnd__wider_than_srtt__is_srtt, 0 },
	{ "RFC8985-7.3", tail__lost__probe_then_recovery, 0 },
	{ "RFC8985-7.3-short", tail__shorter_than_a_segment__probe_is_all_of_it, 0 },
	{ "RFC8985-7.3-new", new_text__is_the_probe, 0 },
	{ "RFC8985-7.3-pool", probe__no_flight_left__timeout, 0 },
	{ "RFC8985-7.3-once", probe__unanswered__timeout, 0 },
	{ "RFC8985-7.3-late", probe__overtaken_by_the_timeout__none, 0 },
	{ "SEC-20-probe", fin_before_the_handshake_ends__no_probe, 0 },
	{ "RFC8985-7.3-ack", probe__overtaken_by_the_ack__none, 0 },
	{ "RFC8985-7.2", one_segment__waits_for_a_delayed_ack, 0 },
	{ "RFC8985-7.2-us", round_trip__of_microseconds__probe_is_not_early, 0 },
	{ "RFC8985-7.2-rto", timer__is_nearer__probe_in_its_place, 0 },
	{ "RFC8985-7.2-text", text_goes_on__probe_comes_with_the_timer, 0 },
	{ "RFC8985-7.4", probe__mended_it__window_shrinks, 0 },
	{ "RFC8985-7.4-stands", probe__mended_it__is_not_taken_back, ROW_TS },
	{ "RFC8985-7.4-idle", probe__mended_it_long_ago__nothing_is_late, 0 },
	{ "RFC8985-7.4-dsack", probe__was_needless__window_stays, 0 },
	{ "HF-SACK1-log", log__anything__bounded_and_never_early, ROW_PLAIN },
	{ "HF-SACK1-times", log__second_time__has_both, 0 },
	{ "HF-SACK1-apart", log__again_and_new_at_once__apart, ROW_PLAIN },
	{ "HF-SACK1-room", log__room_left__none_joined, ROW_PLAIN },
	{ "HF-SACK1-unlike", log__full_of_unlike__joined, ROW_PLAIN },
};

GROUP(rack);

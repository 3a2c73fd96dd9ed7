/* SPDX-License-Identifier: BSD-3-Clause */
/* The first four checks of RFC 9293 3.10.7.4: sequence number, RST, SYN, ACK; RFC 5961; Tables S, K, R. */
#include <errno.h>

#include "tcp/reassembly.h"
#include "test_tcp.h"

static const enum tcp_state synchronised[] = { TCPS_ESTABLISHED, TCPS_FIN_WAIT_1, TCPS_FIN_WAIT_2,
					       TCPS_CLOSE_WAIT,	 TCPS_CLOSING,	  TCPS_LAST_ACK };

/* All that have a TCB, the application still reading; SN and RN follow from the state. */
static void each_state(struct tcb_rig *r, size_t i)
{
	r->hold = true;
	rig_to(r, synchronised[i]);
}

static uint32_t sn(const struct tcb_rig *r)
{
	return r->tcb.state == TCPS_ESTABLISHED || r->tcb.state == TCPS_CLOSE_WAIT ? ISS + 1 :
										     ISS + 2;
}

static uint32_t rn(const struct tcb_rig *r)
{
	return r->tcb.state == TCPS_CLOSE_WAIT || r->tcb.state == TCPS_CLOSING ||
			       r->tcb.state == TCPS_LAST_ACK ?
		       IRS + 2 :
		       IRS + 1;
}

static void expect_challenge(struct tcb_rig *r)
{
	rig_expect(r, (struct seg){ .seq = sn(r), .ack = rn(r), .flags = SEG_ACK });
	rig_silent(r);
	rig_counted(r, STAT_CHALLENGE_SENT, 1);
}

/* ---- First: sequence number ---- */

/* The table of 3.10.7.4 in whole numbers: a segment from p on, p counted from RN. At a zero window the text of
 * a segment at RN is not taken, but the segment passes (MUST-66). */
static bool oracle_acceptable(int64_t p, int64_t len, int64_t wnd)
{
	if (wnd == 0)
		return p == 0;
	if (len == 0)
		return p >= 0 && p < wnd;
	return (p >= 0 && p < wnd) || (p + len - 1 >= 0 && p + len - 1 < wnd);
}

static bool refused(const struct tcb_rig *r)
{
	static const enum stat why[] = { STAT_OUT_OF_WINDOW, STAT_OLD_TEXT, STAT_KEEPALIVES_IN };

	for (size_t i = 0; i < COUNT(why); i++) {
		if (r->stats[why[i]] != r->marks[why[i]])
			return true;
	}
	return false;
}

static void try_segment(struct tcb_rig *r, int64_t p, uint16_t len, uint32_t wnd)
{
	const bool want = oracle_acceptable(p, len, wnd);
	int64_t fresh = 0;

	r->tcb.rcv_nxt = r->tcb.last_ack_sent = IRS + 1;
	r->tcb.rcv_adv = IRS + 1 + wnd;
	r->tcb.rcv_queued = 0;
	reassembly_drop(&r->host, &r->tcb);
	r->tcb.challenge_ms = r->host.now_ms - 1000;
	r->edge_known = false;
	rig_forget(r);
	rig_send(r, (struct seg){ .seq = (uint32_t)(IRS + 1 + p),
				  .ack = ISS + 1,
				  .text_len = len,
				  .flags = SEG_ACK });
	if (refused(r) == want)
		fail_msg("SEQ RN%+d, LEN %u, RW %u: acceptable is %d", (int)p, len, wnd, want);
	if (want && p <= 0 && p + len > 0)
		fresh = p + len < (int64_t)wnd ? p + len : (int64_t)wnd;
	assert_int_equal(r->delivered, fresh);
	assert_int_equal(r->tcb.rcv_nxt, IRS + 1 + (uint32_t)fresh);
	if (fresh > 0)
		assert_int_equal(r->out.text_skip, -p);
}

static void seq__four_cases__at_every_edge(struct tcb_rig *r)
{
	static const uint32_t wnds[] = { 0, 1, 2, 7, 1000, 20000 };
	static const uint16_t lens[] = { 0, 1, 2, 7, 1000 };

	rig_to(r, TCPS_ESTABLISHED);
	for (size_t w = 0; w < COUNT(wnds); w++) {
		for (size_t l = 0; l < COUNT(lens); l++) {
			const int64_t edges[] = { 0,
						  (int64_t)wnds[w],
						  -(int64_t)lens[l],
						  (int64_t)wnds[w] - lens[l],
						  1 << 30,
						  -(1 << 30) };

			for (size_t e = 0; e < COUNT(edges); e++) {
				for (int64_t p = edges[e] - 2; p <= edges[e] + 2; p++)
					try_segment(r, p, lens[l], wnds[w]);
			}
		}
	}
}

static void seq__outside__is_challenged_in_every_state(struct tcb_rig *r)
{
	for (size_t i = 0; i < COUNT(synchronised); i++) {
		each_state(r, i);
		rig_send(r, (struct seg){ .seq = r->tcb.rcv_adv, .ack = ISS + 1, .flags = SEG_ACK });
		expect_challenge(r);
		rig_counted(r, STAT_OUT_OF_WINDOW, 1);
	}
}

static void text__behind_the_fin__is_challenged(struct tcb_rig *r)
{
	static const enum tcp_state states[] = { TCPS_CLOSE_WAIT, TCPS_CLOSING, TCPS_LAST_ACK };

	for (size_t i = 0; i < COUNT(states); i++) {
		rig_to(r, states[i]);
		rig_send(r, (struct seg){
				    .seq = rn(r), .ack = ISS + 1, .text_len = 5, .flags = SEG_ACK });
		expect_challenge(r);
		rig_counted(r, STAT_OUT_OF_WINDOW, 1);
	}
}

/* Nothing else of a refused segment is used, whether it was answered or the limiter was spent. seq is from RN. */
static void seq__refused__neither_ack_nor_text_counts(struct tcb_rig *r)
{
	static const struct {
		uint32_t seq, ack;
	} cases[] = { { 30000, 3 }, { 0u - 3, 3 }, { 0, 7 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		rig_to(r, TCPS_ESTABLISHED);
		rig_write(r, 5);
		for (unsigned n = 0; n < 2; n++)
			rig_send(r, (struct seg){ .seq = IRS + 1 + cases[i].seq,
						  .ack = ISS + cases[i].ack,
						  .text_len = i == 1 ? 1 : 9,
						  .flags = SEG_ACK });
		assert_int_equal(r->tcb.snd_una, ISS + 1);
		assert_int_equal(r->delivered, 0);
		assert_int_equal(r->tcb.rcv_nxt, IRS + 1);
		rig_abort(r);
	}
}

/* Nothing is remembered of a connection's beginning that a wrapped clock could mistake for just now. */
static void seq__young_connection__is_answered_at_once(struct tcb_rig *r)
{
	rig_clock(r, MS(0x100 + 44));
	for (unsigned active = 0; active < 2; active++) {
		r->active = active;
		rig_to(r, TCPS_ESTABLISHED);
		rig_send(r, (struct seg){ .seq = IRS, .ack = ISS + 1, .flags = SEG_ACK });
		rig_counted(r, STAT_KEEPALIVES_IN, 1);
		rig_send(r, (struct seg){ .seq = IRS + 9, .flags = SEG_RST });
		rig_counted(r, STAT_CHALLENGE_SENT, 1);
	}
}

static void seq__no_syn_rst_ack__is_dropped(struct tcb_rig *r)
{
	for (size_t i = 0; i < COUNT(synchronised); i++) {
		each_state(r, i);
		rig_send(r, (struct seg){ .seq = rn(r), .text_len = 5, .flags = SEG_PSH | SEG_FIN });
		rig_send(r, (struct seg){ .seq = rn(r), .flags = 0 });
		rig_silent(r);
		rig_counted(r, STAT_NO_ACK, 2);
		rig_state(r, synchronised[i]);
		assert_int_equal(r->delivered, 0);
	}
}

/* HF-KA1: one answer a second, beside the limiter of challenge ACKs. */
static void seq__keepalive__is_answered_once_a_second(struct tcb_rig *r)
{
	for (size_t i = 0; i < COUNT(synchronised); i++) {
		each_state(r, i);
		r->tcb.challenge_ms = r->host.now_ms;
		for (unsigned n = 0; n < 3; n++) {
			rig_send(r,
				 (struct seg){ .seq = rn(r) - 1, .ack = ISS + 1, .flags = SEG_ACK });
			rig_clock(r, MS(n == 0 ? 10 : 1000));
		}
		rig_counted(r, STAT_KEEPALIVES_IN, 2);
		rig_state(r, synchronised[i]);
		rig_expect(r, (struct seg){ .seq = sn(r), .ack = rn(r), .flags = SEG_ACK });
		rig_expect(r, (struct seg){ .seq = sn(r), .ack = rn(r), .flags = SEG_ACK });
	}
}

static void seq__keepalive_with_octet__is_answered(struct tcb_rig *r)
{
	for (size_t i = 0; i < COUNT(synchronised); i++) {
		each_state(r, i);
		rig_send(r,
			 (struct seg){
				 .seq = rn(r) - 1, .ack = ISS + 1, .text_len = 1, .flags = SEG_ACK });
		rig_expect(r, (struct seg){ .seq = sn(r), .ack = rn(r), .flags = SEG_ACK });
		rig_silent(r);
		rig_state(r, synchronised[i]);
		assert_int_equal(r->delivered, 0);
	}
}

/* ---- Second: RST ---- */

static void rst__at_rcv_nxt__ends_it(struct tcb_rig *r)
{
	for (size_t i = 0; i < COUNT(synchronised); i++) {
		each_state(r, i);
		rig_send(r, (struct seg){ .seq = rn(r), .text_len = 20, .flags = SEG_RST });
		rig_state(r, TCPS_CLOSED);
		assert_int_equal(r->error, ECONNRESET);
		rig_silent(r);
		rig_counted(r, STAT_RST_IN, 1);
		rig_counted(r, STAT_RST_OK, 1);
	}
}

static void rst__in_window__is_challenged(struct tcb_rig *r)
{
	for (size_t i = 0; i < COUNT(synchronised); i++) {
		each_state(r, i);
		rig_send(r, (struct seg){ .seq = rn(r) + 1, .flags = SEG_RST });
		expect_challenge(r);
		rig_clock(r, MS(500));
		rig_forget(r);
		rig_send(r, (struct seg){ .seq = r->tcb.rcv_adv - 1, .flags = SEG_RST | SEG_ACK });
		expect_challenge(r);
		rig_state(r, synchronised[i]);
		rig_counted(r, STAT_RST_CHALLENGED, 1);
	}
}

static void rst__outside__is_ignored(struct tcb_rig *r)
{
	for (size_t i = 0; i < COUNT(synchronised); i++) {
		each_state(r, i);
		rig_send(r, (struct seg){ .seq = rn(r) - 1, .flags = SEG_RST });
		rig_send(r, (struct seg){ .seq = r->tcb.rcv_adv,
					  .flags = SEG_RST | SEG_ACK | SEG_SYN });
		rig_silent(r);
		rig_state(r, synchronised[i]);
		rig_counted(r, STAT_RST_IGNORED, 2);
	}
}

/* RFC5961-3.2-heal: what a peer that is gone makes of the challenge is at RCV.NXT. */
static void rst__after_challenge__heals(struct tcb_rig *r)
{
	uint32_t ack;

	rig_to(r, TCPS_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = IRS + 11, .flags = SEG_RST });
	ack = rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK })->ack;
	rig_send(r, (struct seg){ .seq = ack, .flags = SEG_RST });
	rig_state(r, TCPS_CLOSED);
}

static void rst__after_simultaneous_open__is_refusal(struct tcb_rig *r)
{
	r->active = true;
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_send(r, (struct seg){ .seq = IRS, .flags = SEG_RST });
	rig_silent(r);
	rig_send(r, (struct seg){ .seq = IRS + 2, .flags = SEG_RST });
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK });
	rig_send(r, (struct seg){ .seq = IRS + 1, .flags = SEG_RST });
	rig_state(r, TCPS_CLOSED);
	assert_int_equal(r->error, ECONNREFUSED);
	rig_silent(r);
}

/* ---- Fourth: SYN ---- */

static void syn__whatever_its_seq__is_challenged(struct tcb_rig *r)
{
	static const uint32_t from_rn[] = { 0, 1, 0u - 1, 0u - 2, 0x40000000, 0xc0000000 };
	static const uint8_t flags[] = { SEG_SYN, SEG_SYN | SEG_ACK, SEG_SYN | SEG_FIN,
					 SEG_SYN | SEG_ACK | SEG_FIN | SEG_PSH };

	for (size_t i = 0; i < COUNT(synchronised); i++) {
		each_state(r, i);
		for (size_t n = 0; n < COUNT(from_rn) * COUNT(flags); n++) {
			rig_clock(r, MS(500));
			rig_forget(r);
			rig_send(r, (struct seg){ .seq = rn(r) + from_rn[n % COUNT(from_rn)],
						  .ack = ISS + 1,
						  .text_len = 4,
						  .flags = flags[n / COUNT(from_rn)] });
			expect_challenge(r);
			rig_counted(r, STAT_SYN_CHALLENGED, 1);
			rig_state(r, synchronised[i]);
		}
		assert_int_equal(r->delivered, 0);
	}
}

/* Table S, SYN_RCVD/a; HF-RL6 */
static void syn__again_in_simultaneous_open__draws_synack(struct tcb_rig *r)
{
	r->active = true;
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_advance(r, MS(500));
	rig_send(r, (struct seg){ .seq = IRS, .flags = SEG_SYN });
	rig_expect(r, (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SEG_SYN | SEG_ACK });
	rig_send(r, (struct seg){ .seq = IRS, .flags = SEG_SYN });
	rig_silent(r);
	rig_counted(r, STAT_SYNACK_SUPPRESSED, 1);
	rig_state(r, TCPS_SYN_RECEIVED);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
	rig_write(r, 10);
	assert_int_equal(r->tcb.rto_ms, 3000); /* RFC6298-5.7 */
}

static void syn__another_in_simultaneous_open__is_challenged(struct tcb_rig *r)
{
	static const struct {
		uint32_t seq, ack;
		uint8_t flags;
	} cases[] = { { 1, 1, SEG_SYN },
		      { 0u - 1, 1, SEG_SYN },
		      { 1, 1, SEG_SYN | SEG_ACK },
		      { 0, 0, SEG_SYN | SEG_ACK },
		      { 0, 2, SEG_SYN | SEG_ACK },
		      { 0, 1, SEG_SYN | SEG_FIN },
		      { 0, 1, SEG_SYN | SEG_FIN | SEG_ACK } };

	r->active = true;
	for (size_t i = 0; i < COUNT(cases); i++) {
		rig_to(r, TCPS_SYN_RECEIVED);
		rig_send(r, (struct seg){ .seq = IRS + cases[i].seq,
					  .ack = ISS + cases[i].ack,
					  .flags = cases[i].flags });
		rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK });
		rig_silent(r);
		rig_state(r, TCPS_SYN_RECEIVED);
		rig_abort(r);
	}
}

/* ---- Fifth: ACK ---- */

/* MW is 10000. */
static void ack__outside_una_minus_mw_to_nxt__drops_the_segment(struct tcb_rig *r)
{
	static const struct {
		uint32_t ack; /* from SND.NXT; SND.UNA is there too */
		bool good;
	} cases[] = { { 0, true },	     { 0u - 10000, true },  { 1, false },
		      { 0u - 10001, false }, { 0x7fffffff, false }, { 0x80000001, false } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		rig_to(r, TCPS_ESTABLISHED);
		rig_send(r, (struct seg){ .seq = IRS + 1,
					  .ack = ISS + 1 + cases[i].ack,
					  .text_len = 3,
					  .flags = SEG_ACK });
		assert_int_equal(r->delivered, cases[i].good ? 3 : 0);
		rig_counted(r, STAT_ACK_OUT_OF_RANGE, !cases[i].good);
		if (!cases[i].good)
			expect_challenge(r);
		rig_abort(r);
	}
}

static void ack__out_of_range__in_every_state(struct tcb_rig *r)
{
	for (size_t i = 0; i < COUNT(synchronised); i++) {
		each_state(r, i);
		rig_send(r,
			 (struct seg){ .seq = rn(r), .ack = sn(r) + 1, .flags = SEG_ACK | SEG_FIN });
		expect_challenge(r);
		rig_state(r, synchronised[i]);
	}
}

static void ack__of_our_fin__moves_the_state(struct tcb_rig *r)
{
	static const enum tcp_state after[] = {
		[TCPS_FIN_WAIT_1] = TCPS_FIN_WAIT_2,
		[TCPS_CLOSING] = TCPS_TIME_WAIT,
		[TCPS_LAST_ACK] = TCPS_CLOSED,
	};

	for (size_t i = 0; i < COUNT(synchronised); i++) {
		if (synchronised[i] >= COUNT(after) || after[synchronised[i]] == TCPS_CLOSED)
			if (synchronised[i] != TCPS_LAST_ACK)
				continue;
		each_state(r, i);
		rig_send(r, (struct seg){ .seq = rn(r), .ack = ISS + 1, .flags = SEG_ACK });
		rig_state(r, synchronised[i]);
		rig_send(r, (struct seg){ .seq = rn(r), .ack = ISS + 2, .flags = SEG_ACK });
		rig_state(r, after[synchronised[i]]);
		rig_silent(r);
		assert_int_equal(r->error, 0);
	}
}

/* Table K, SYN_RCVD/a: what was never sent, or is older than our SYN, draws a reset. */
static void ack__bad_in_simultaneous_open__draws_reset(struct tcb_rig *r)
{
	static const uint32_t bad[] = { 0, 2, 0u - 5, 0x80000000 };

	r->active = true;
	rig_to(r, TCPS_SYN_RECEIVED);
	for (size_t i = 0; i < COUNT(bad); i++) {
		rig_send(r, (struct seg){ .seq = IRS + 1,
					  .ack = ISS + bad[i],
					  .text_len = 4,
					  .flags = SEG_ACK });
		assert_int_equal(
			rig_expect(r, (struct seg){ .seq = ISS + bad[i], .flags = SEG_RST })->options,
			0);
		rig_silent(r);
		rig_state(r, TCPS_SYN_RECEIVED);
	}
	assert_int_equal(r->delivered, 0);
	rig_counted(r, STAT_RST_OUT_BAD_ACK, COUNT(bad));
}

/* One segment earns one ACK, be it wrong in two ways. */
static void ack__out_of_range_on_old_text__is_answered_once(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = IRS, .ack = ISS + 2, .text_len = 1, .flags = SEG_ACK });
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK });
	rig_silent(r);
	rig_counted(r, STAT_ACK_OUT_OF_RANGE, 1);
	rig_counted(r, STAT_CHALLENGE_SENT, 0);
}

/* SND.WND from the newest segment only (WL1, WL2). */
static void ack__older_segment__does_not_move_the_window(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 100);
	rig_send(r, (struct seg){ .seq = IRS + 6, .ack = ISS + 1, .flags = SEG_ACK, .wnd = 500 });
	assert_int_equal(r->tcb.snd_wnd, 500);
	rig_send(r, (struct seg){ .seq = IRS + 5, .ack = ISS + 51, .flags = SEG_ACK, .wnd = 600 });
	assert_int_equal(r->tcb.snd_wnd, 500); /* older SEQ */
	rig_send(r, (struct seg){ .seq = IRS + 6, .ack = ISS + 51, .flags = SEG_ACK, .wnd = 700 });
	assert_int_equal(r->tcb.snd_wnd, 700); /* newer ACK */
	rig_send(r, (struct seg){ .seq = IRS + 6, .ack = ISS + 51, .flags = SEG_ACK, .wnd = 650 });
	assert_int_equal(r->tcb.snd_wnd, 650); /* the same: a window update */
	rig_send(r, (struct seg){ .seq = IRS + 7, .ack = ISS + 50, .flags = SEG_ACK, .wnd = 1 });
	assert_int_equal(r->tcb.snd_wnd, 650); /* ACK older than SND.UNA */
	assert_int_equal(r->tcb.max_wnd, 10000);
}

static void ack__of_all__says_sent_and_writable(struct tcb_rig *r)
{
	r->config->snd_buf = 100;
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 100);
	assert_int_equal(tcp_room(&r->host, &r->tcb), 0);
	r->tcb.flags |= TCB_WANT_WRITE;
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 51, .flags = SEG_ACK });
	assert_int_equal(r->events, TCP_EV_WRITABLE);
	assert_int_equal(r->ranges_freed, 0);
	r->events = 0; /* it is said once */
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 101, .flags = SEG_ACK });
	assert_int_equal(r->events, TCP_EV_SENT);
	assert_int_equal(r->ranges_freed, 1);
	assert_int_equal(tcp_room(&r->host, &r->tcb), 100);
}

/* With SHUTDOWN all that is to be sent has gone when the FIN has, and not before. */
static void ack__of_all_and_the_fin__says_sent(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 100);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK, .wnd = 100 });
	assert_int_equal(rig_shutdown(r), 0); /* the window has no room for it */
	rig_send_raw(r, &(struct seg){ .seq = IRS + 1,
				       .ack = ISS + 101,
				       .flags = SEG_ACK,
				       .options = r->timestamps ? OPT_TS : 0,
				       .tsval = r->tsval,
				       .tsecr = r->last_tsval });
	assert_int_equal(r->events, 0);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 101, .flags = SEG_ACK });
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 102, .flags = SEG_ACK });
	assert_int_equal(r->events, TCP_EV_SENT);
	rig_state(r, TCPS_FIN_WAIT_2);
}

/* Text in the same segment is news of its own, and its delayed ACK a timer of its own. */
static void ack__with_text__does_both(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 5);
	rig_write(r, 5);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 6, .text_len = 4, .flags = SEG_ACK });
	rig_send(r, (struct seg){ .seq = IRS + 5, .ack = ISS + 11, .text_len = 4, .flags = SEG_ACK });
	assert_int_equal(r->events, TCP_EV_READABLE | TCP_EV_SENT);
	rig_write(r, 2000);
	rig_send(r, (struct seg){ .seq = IRS + 9, .ack = ISS + 11, .text_len = 4, .flags = SEG_ACK });
	rig_send(r, (struct seg){ .seq = IRS + 13, .ack = ISS + 12, .flags = SEG_ACK });
	assert_int_equal(r->tcb.timers, TIMER_RTX | TIMER_DELACK);
}

/* ---- The limiter of challenge ACKs ---- */

static void challenge__limiter__one_in_500_ms_a_connection(struct tcb_rig *r)
{
	static const struct {
		uint32_t seq, ack;
		uint8_t flags;
	} provocations[] = {
		{ 9, 1, SEG_SYN }, { 9, 1, SEG_RST }, { 1, 2, SEG_ACK }, { 20001, 1, SEG_ACK }
	};

	rig_to(r, TCPS_ESTABLISHED);
	for (unsigned ms = 0; ms < 2000; ms++) {
		rig_send(r, (struct seg){ .seq = IRS + provocations[ms % 4].seq,
					  .ack = ISS + provocations[ms % 4].ack,
					  .flags = provocations[ms % 4].flags });
		rig_clock(r, MS(1));
	}
	rig_counted(r, STAT_CHALLENGE_SENT, 4);
	rig_counted(r, STAT_CHALLENGE_SUPPRESSED, 1996);
	for (unsigned n = 0; n < 4; n++)
		rig_expect_at(r, MS(500) * n,
			      (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK });
	rig_silent(r);
}

static void challenge__limit_0__always(struct tcb_rig *r)
{
	r->config->invalid_ratelimit_ms = 0;
	rig_to(r, TCPS_ESTABLISHED);
	for (unsigned n = 0; n < 10; n++)
		rig_send(r, (struct seg){ .seq = IRS + 9, .flags = SEG_RST });
	rig_counted(r, STAT_CHALLENGE_SENT, 10);
}

/* HF-RL1: replies to duplicate text are not limited. */
static void challenge__old_text__is_beside_the_limiter(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	for (unsigned n = 0; n < 100; n++)
		rig_send(r,
			 (struct seg){
				 .seq = IRS - 4, .ack = ISS + 1, .text_len = 5, .flags = SEG_ACK });
	assert_int_equal(r->sent_count, 100);
	rig_counted(r, STAT_OLD_TEXT, 100);
	rig_counted(r, STAT_DUP_ACK_OUT, 100);
	rig_counted(r, STAT_CHALLENGE_SENT, 0);
}

static const struct tcb_row rows[] = {
	{ "RFC9293-3.10.7.4-1", seq__four_cases__at_every_edge, 0 },
	{ "RFC9293-3.10.7.4-1-states", seq__outside__is_challenged_in_every_state, 0 },
	{ "RFC9293-3.10.7.4-7-fin", text__behind_the_fin__is_challenged, 0 },
	{ "RFC9293-3.10.7.4-1-refused", seq__refused__neither_ack_nor_text_counts, 0 },
	{ "HF-G7", seq__young_connection__is_answered_at_once, 0 },
	{ "SE-S-none", seq__no_syn_rst_ack__is_dropped, 0 },
	{ "HF-KA1", seq__keepalive__is_answered_once_a_second, 0 },
	{ "HF-KA1-octet", seq__keepalive_with_octet__is_answered, 0 },
	{ "RFC5961-3.2-exact", rst__at_rcv_nxt__ends_it, 0 },
	{ "RFC5961-3.2, SEC-11", rst__in_window__is_challenged, 0 },
	{ "RFC5961-3.2-outside", rst__outside__is_ignored, 0 },
	{ "RFC5961-3.2-heal", rst__after_challenge__heals, 0 },
	{ "SE-R-SYN_RCVD_A", rst__after_simultaneous_open__is_refusal, 0 },
	{ "RFC5961-4.2, SEC-11", syn__whatever_its_seq__is_challenged, 0 },
	{ "SE-S-SYN_RCVD_A-syn, RFC6298-5.7-simultaneous",
	  syn__again_in_simultaneous_open__draws_synack, 0 },
	{ "SE-S-SYN_RCVD_A-other", syn__another_in_simultaneous_open__is_challenged, 0 },
	{ "RFC5961-5.2, SEC-11", ack__outside_una_minus_mw_to_nxt__drops_the_segment, 0 },
	{ "RFC5681-opt", ack__out_of_range__in_every_state, 0 },
	{ "SE-K-SYN_RCVD_A", ack__bad_in_simultaneous_open__draws_reset, 0 },
	{ "SE-K-old-text", ack__out_of_range_on_old_text__is_answered_once, 0 },
	{ "SE-K-fin", ack__of_our_fin__moves_the_state, 0 },
	{ "SE-K-window", ack__older_segment__does_not_move_the_window, 0 },
	{ "SE-K-text", ack__with_text__does_both, 0 },
	{ "SE-K-sent", ack__of_all__says_sent_and_writable, 0 },
	{ "SE-K-sent-fin", ack__of_all_and_the_fin__says_sent, 0 },
	{ "RFC5961-7", challenge__limiter__one_in_500_ms_a_connection, 0 },
	{ "RFC5961-7-off", challenge__limit_0__always, 0 },
	{ "HF-RL1", challenge__old_text__is_beside_the_limiter, 0 },
};
GROUP(input);

/* SPDX-License-Identifier: BSD-3-Clause */
/* Expiries (Table T): exact times of everything that is sent again, and when it is given up. */
#include <errno.h>

#include "test_tcp.h"

#define FIN_ACK (SEG_FIN | SEG_ACK)

static void at_each(struct tcb_rig *r, const uint64_t *at_s, size_t n, struct seg want)
{
	for (size_t i = 0; i < n; i++)
		rig_expect_at(r, SEC(at_s[i]), want);
	rig_silent(r);
}

static void syn__silent_peer__exact_times(struct tcb_rig *r)
{
	static const uint64_t at_s[] = { 0, 1, 3, 7, 15, 31, 63, 127 };

	rig_open(r);
	rig_advance(r, SEC(247) - MS(1));
	rig_state(r, TCPS_SYN_SENT);
	at_each(r, at_s, COUNT(at_s), (struct seg){ .seq = ISS, .flags = SEG_SYN });
	rig_counted(r, STAT_RETRANSMIT_SYN, 7);
	rig_advance(r, MS(2));
	rig_state(r, TCPS_CLOSED);
	assert_int_equal(r->error, ETIMEDOUT);
	rig_silent(r); /* nobody is told who never answered */
	rig_counted(r, STAT_TIMEOUT_SYN_SENT, 1);
}

static void syn__retries_0__one_try(struct tcb_rig *r)
{
	r->config->syn_retries = 0;
	rig_open(r);
	rig_advance(r, MS(1001));
	rig_state(r, TCPS_CLOSED);
	assert_int_equal(r->sent_count, 1);
}

static void simultaneous_open__silent_peer__gives_up(struct tcb_rig *r)
{
	static const uint64_t at_s[] = { 0, 1, 3, 7, 15, 31, 63, 127 };

	r->active = true;
	rig_open(r);
	rig_send(r, (struct seg){ .seq = IRS, .flags = SEG_SYN });
	rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN });
	rig_advance(r, SEC(247) - MS(1));
	at_each(r, at_s, COUNT(at_s),
		(struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SEG_SYN | SEG_ACK });
	rig_advance(r, MS(2));
	rig_state(r, TCPS_CLOSED);
	assert_int_equal(r->error, ETIMEDOUT);
	rig_counted(r, STAT_TIMEOUT_SYN_RECEIVED, 1);
}

/* RFC6298-5.7 on the active side. */
static void syn__repeated__rto_is_3_s_when_text_starts(struct tcb_rig *r)
{
	r->config->rto_min_ms = 200;
	rig_to(r, TCPS_SYN_SENT);
	rig_advance(r, MS(1100));
	rig_send(r, (struct seg){ .seq = IRS,
				  .ack = ISS + 1,
				  .flags = SEG_SYN | SEG_ACK,
				  .options = OPT_MSS,
				  .mss = MSS });
	rig_forget(r);
	rig_write(r, 10);
	assert_int_equal(r->tcb.rto_ms, 3000);
	rig_counted(r, STAT_RTT_SAMPLES, 0);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 11, .flags = SEG_ACK });
	rig_write(r, 10);
	assert_int_equal(r->tcb.rto_ms, 200); /* a sample at last */
}

/* MUST-20: R1 after 3 retransmissions, R2 after 15; the peer gets a RST. */
static void text__silent_peer__r1_then_r2(struct tcb_rig *r)
{
	static const enum tcp_state states[] = { TCPS_ESTABLISHED, TCPS_CLOSE_WAIT };

	for (size_t i = 0; i < COUNT(states); i++) {
		const uint32_t rcv_nxt = i == 0 ? IRS + 1 : IRS + 2;
		uint64_t start;

		r->config->rto_max_ms = 64000;
		rig_to(r, states[i]);
		start = rig_now(r);
		rig_write(r, 10);
		rig_advance(r, MS(6999));
		assert_int_equal(r->events, 0);
		rig_advance(r, MS(3));
		assert_int_equal(r->events, TCP_EV_SUSPECT);
		rig_advance(r, SEC(60 + 64 * 9));
		rig_counted(r, STAT_RETRANSMIT_TEXT, 15);
		rig_state(r, states[i]);
		for (unsigned n = 0, at_s = 0; n < 16; n++) {
			rig_expect_at(r, start + SEC(at_s),
				      (struct seg){ .seq = ISS + 1,
						    .ack = rcv_nxt,
						    .text_len = 10,
						    .flags = SEG_ACK | SEG_PSH });
			at_s += n < 6 ? 1u << n : 64;
		}
		rig_silent(r);
		rig_advance(r, SEC(64));
		rig_state(r, TCPS_CLOSED);
		assert_int_equal(r->error, ETIMEDOUT);
		rig_expect(r, (struct seg){
				      .seq = ISS + 11, .ack = rcv_nxt, .flags = SEG_RST | SEG_ACK });
		rig_silent(r);
		rig_counted(r, i == 0 ? STAT_TIMEOUT_ESTABLISHED : STAT_TIMEOUT_CLOSE_WAIT, 1);
		rig_counted(r, STAT_RST_OUT_TIMEOUT, 1);
	}
}

/* R2 is at least 100 s by default. */
static void text__default_r2__is_over_100_s(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 10);
	rig_advance(r, SEC(100));
	rig_state(r, TCPS_ESTABLISHED);
	rig_advance(r, SEC(1200));
	rig_state(r, TCPS_CLOSED);
}

/* MUST-19, RFC6298-5: starts with text, restarts by new ACK, stops when all is acknowledged. */
static void timer__starts_restarts_stops(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	assert_int_equal(r->tcb.timers, 0);
	rig_write(r, 100);
	assert_int_equal(r->tcb.timers, TIMER_RTX);
	rig_advance(r, MS(600));
	rig_write(r, 2000); /* does not restart it */
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
	assert_in_range(r->tcb.rtx_tick - r->host.now_ms, 400, 401);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 51, .flags = SEG_ACK });
	assert_in_range(r->tcb.rtx_tick - r->host.now_ms, 1000, 1001);
	rig_advance(r, MS(1002));
	assert_int_equal(r->tcb.retransmits, 1);
	assert_int_equal(r->tcb.rto_ms, 2000);
	while (r->tcb.snd_una != r->tcb.snd_end)
		rig_send(r, (struct seg){ .seq = IRS + 1, .ack = r->tcb.snd_nxt, .flags = SEG_ACK });
	assert_int_equal(r->tcb.snd_una, ISS + 2101);
	assert_int_equal(r->tcb.timers, 0);
	assert_int_equal(r->tcb.backoff, 0);
	assert_int_equal(r->tcb.retransmits, 0);
	rig_forget(r);
	rig_advance(r, SEC(1000));
	rig_silent(r);
}

/* ---- HF-LA1: the end always comes ---- */

static void orphan__silent_peer__gives_up(struct tcb_rig *r)
{
	static const struct {
		enum tcp_state state;
		enum stat stat;
	} cases[] = { { TCPS_FIN_WAIT_1, STAT_TIMEOUT_FIN_WAIT_1 },
		      { TCPS_CLOSING, STAT_TIMEOUT_CLOSING },
		      { TCPS_LAST_ACK, STAT_TIMEOUT_LAST_ACK } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		rig_to(r, cases[i].state);
		rig_advance(r, SEC(370));
		rig_state(r, TCPS_CLOSED);
		assert_int_equal(r->error, ETIMEDOUT);
		assert_int_equal(r->sent_count, 8); /* orphan_retries, and no RST */
		rig_counted(r, STAT_RETRANSMIT_FIN, 8);
		rig_counted(r, cases[i].stat, 1);
		for (unsigned n = 0; n < 8; n++)
			assert_int_equal(r->sent[n].seg.flags, FIN_ACK);
	}
}

/* The peer acknowledges all but the FIN, for ever. */
static void orphan__ack_of_fin_minus_1_for_ever__gives_up(struct tcb_rig *r)
{
	static const enum tcp_state states[] = { TCPS_FIN_WAIT_1, TCPS_CLOSING, TCPS_LAST_ACK };

	for (size_t i = 0; i < COUNT(states); i++) {
		rig_to(r, states[i]);
		for (unsigned n = 0; n < 400 && r->tcb.state != TCPS_CLOSED; n++) {
			rig_send(r, (struct seg){ .seq = r->tcb.rcv_nxt,
						  .ack = ISS + 1,
						  .flags = SEG_ACK });
			rig_advance(r, SEC(1));
		}
		rig_state(r, TCPS_CLOSED);
		rig_counted(r, STAT_RETRANSMIT_FIN, 8);
	}
}

/* The peer's window is shut for ever; it answers every probe. Text waits before the FIN, or the FIN alone. */
static void orphan__shut_window_for_ever__gives_up(struct tcb_rig *r)
{
	for (uint32_t octets = 0; octets <= 20; octets += 20) {
		unsigned answered = 0;

		r->wnd = 10000;
		rig_to(r, TCPS_ESTABLISHED);
		r->wnd = 0;
		rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
		if (octets > 0)
			rig_write(r, octets);
		rig_close(r);
		for (unsigned n = 0; n < 600 && r->tcb.state != TCPS_CLOSED; n++) {
			rig_advance(r, SEC(1));
			if (r->sent_count > 0 && r->tcb.state != TCPS_CLOSED) {
				rig_send(r, (struct seg){ .seq = IRS + 1,
							  .ack = ISS + 1,
							  .flags = SEG_ACK });
				answered++;
			}
			r->sent_first = r->sent_count = 0;
		}
		rig_state(r, TCPS_CLOSED);
		assert_int_equal(answered, 8);
		assert_int_equal(r->error, ETIMEDOUT);
	}
}

/* The peer opens and shuts its window without end, and takes nothing. */
static void orphan__window_opened_and_shut_for_ever__gives_up(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 20);
	rig_close(r);
	for (unsigned n = 0; n < 2000 && r->tcb.state != TCPS_CLOSED; n++) {
		r->wnd = n % 2 ? 10000 : 0;
		rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
		if (n % 2)
			rig_advance(r, MS(700));
		r->sent_first = r->sent_count = 0;
	}
	rig_state(r, TCPS_CLOSED);
}

/* A connection still held is probed for as long as the peer answers; silence ends it by R2. */
static void shut_window__silent_peer__ends_by_r2(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	r->wnd = 0;
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
	rig_write(r, 5);
	rig_advance(r, SEC(3600));
	rig_state(r, TCPS_CLOSED);
	rig_counted(r, STAT_WINDOW_PROBES, 15);
	assert_int_equal(r->error, ETIMEDOUT);
}

static void held_fin__uses_r2(struct tcb_rig *r)
{
	r->hold = true;
	rig_to(r, TCPS_FIN_WAIT_1);
	rig_advance(r, SEC(3600));
	rig_state(r, TCPS_CLOSED);
	rig_counted(r, STAT_RETRANSMIT_FIN, 15);
}

static void timeout__too_early__does_nothing(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 5);
	rig_forget(r);
	rig_clock(r, MS(100));
	out_init(&r->out);
	tcp_timeout(&r->host, &r->tcb, &r->out);
	rig_flush(r);
	rig_silent(r);
	assert_int_equal(r->tcb.retransmits, 0);
}

/* The earlier of the two timers is the deadline; the later one survives it. */
static void deadline__is_the_earlier(struct tcb_rig *r)
{
	uint32_t tick;

	rig_to(r, TCPS_ESTABLISHED);
	assert_false(tcp_deadline(&r->tcb, &tick));
	r->tcb.timers = TIMER_DELACK | TIMER_RTX;
	r->tcb.ack_tick = 0xfffffff0;
	r->tcb.rtx_tick = 5;
	assert_true(tcp_deadline(&r->tcb, &tick));
	assert_int_equal(tick, 0xfffffff0);
	r->tcb.rtx_tick = 0xffffffe0;
	assert_true(tcp_deadline(&r->tcb, &tick));
	assert_int_equal(tick, 0xffffffe0);
	r->tcb.timers = TIMER_DELACK;
	assert_true(tcp_deadline(&r->tcb, &tick));
	assert_int_equal(tick, 0xfffffff0);
	r->tcb.timers = TIMER_PERSIST;
	assert_true(tcp_deadline(&r->tcb, &tick));
	assert_int_equal(tick, 0xffffffe0);
}

static const struct tcb_row rows[] = {
	{ "MUST-23", syn__silent_peer__exact_times, 0 },
	{ "MUST-22", syn__retries_0__one_try, 0 },
	{ "MUST-23-simultaneous", simultaneous_open__silent_peer__gives_up, 0 },
	{ "RFC6298-5.7-active", syn__repeated__rto_is_3_s_when_text_starts, 0 },
	{ "MUST-20", text__silent_peer__r1_then_r2, 0 },
	{ "SHLD-11", text__default_r2__is_over_100_s, 0 },
	{ "MUST-19", timer__starts_restarts_stops, 0 },
	{ "HF-LA1-silent, SEC-13", orphan__silent_peer__gives_up, 0 },
	{ "HF-LA1-ack", orphan__ack_of_fin_minus_1_for_ever__gives_up, 0 },
	{ "HF-LA1-window, SEC-13", orphan__shut_window_for_ever__gives_up, 0 },
	{ "HF-ZW1", orphan__window_opened_and_shut_for_ever__gives_up, 0 },
	{ "MUST-37-silent", shut_window__silent_peer__ends_by_r2, 0 },
	{ "MUST-20-fin", held_fin__uses_r2, 0 },
	{ "RFC6298-5", timeout__too_early__does_nothing, 0 },
	{ "HF-T-INV", deadline__is_the_earlier, ROW_ONCE },
};
GROUP(timeout);

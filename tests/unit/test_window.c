/* SPDX-License-Identifier: BSD-3-Clause */
/* Windows, the peer's and ours: Nagle, silly windows, shrinking, shut and opened again (RFC 9293 3.7.4, 3.8.6). */
#include <errno.h>

#include "test_tcp.h"

#define PSH_ACK (SEG_PSH | SEG_ACK)

static void ack(struct tcb_rig *r, uint32_t n, uint16_t wnd)
{
	r->wnd = wnd;
	rig_send(r, (struct seg){ .seq = r->tcb.rcv_nxt, .ack = ISS + n, .flags = SEG_ACK });
}

static const struct seg *expect_text(struct tcb_rig *r, uint32_t seq, uint16_t len, uint8_t flags)
{
	return rig_expect(r, (struct seg){ .seq = ISS + seq,
					   .ack = r->tcb.rcv_nxt,
					   .text_len = len,
					   .flags = flags });
}

static void receive(struct tcb_rig *r, uint16_t len)
{
	rig_send(r, (struct seg){ .seq = r->tcb.rcv_nxt,
				  .ack = r->tcb.snd_nxt,
				  .text_len = len,
				  .flags = SEG_ACK });
}

/* ---- Sending ---- */

static void nagle__small_write_waits_for_the_ack(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 10);
	expect_text(r, 1, 10, PSH_ACK);
	rig_write(r, 10);
	rig_write(r, 10);
	rig_silent(r);
	ack(r, 11, 10000);
	expect_text(r, 11, 20, PSH_ACK);
	rig_silent(r);
}

static void nagle__full_segment_goes(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 10);
	rig_write(r, r->tcb.snd_mss);
	expect_text(r, 1, 10, PSH_ACK);
	expect_text(r, 11, r->tcb.snd_mss, PSH_ACK);
	rig_silent(r);
}

static void nagle__off__each_write_goes(struct tcb_rig *r)
{
	r->config->nagle = false;
	rig_to(r, TCPS_ESTABLISHED);
	for (uint32_t n = 0; n < 3; n++) {
		rig_write(r, 10);
		expect_text(r, 1 + 10 * n, 10, PSH_ACK);
	}
}

/* MUST-17: for one connection, either way, and again. */
static void nagle__of_a_connection__as_it_was_told(struct tcb_rig *r)
{
	for (unsigned off = 0; off < 2; off++) {
		r->config->nagle = off;
		if (!off)
			rig_to(r, TCPS_ESTABLISHED);
		tcp_nagle(&r->host, &r->tcb, false);
		rig_write(r, 10);
		rig_write(r, 10);
		expect_text(r, 1 + 30 * off, 10, PSH_ACK);
		expect_text(r, 11 + 30 * off, 10, PSH_ACK);
		tcp_nagle(&r->host, &r->tcb, true);
		rig_write(r, 10);
		rig_silent(r);
		ack(r, 21 + 30 * off, 1000);
		expect_text(r, 21 + 30 * off, 10, PSH_ACK);
		ack(r, 31 + 30 * off, 1000);
	}
}

static void nagle__last_before_fin_goes(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 10);
	rig_write(r, 10);
	rig_forget(r);
	rig_shutdown(r);
	expect_text(r, 11, 10, PSH_ACK | SEG_FIN);
}

/* A peer whose whole window is less than a segment: with something unacknowledged, Nagle keeps what is not
 * full-sized, though half the window is open. */
static void nagle__half_a_small_window_waits_too(struct tcb_rig *r)
{
	r->wnd = 600;
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 2000);
	expect_text(r, 1, 600, SEG_ACK);
	ack(r, 401, 600);
	rig_silent(r);
	ack(r, 601, 600);
	expect_text(r, 601, 600, SEG_ACK);
}

/* MUST-38: with much to send, less than a segment waits for half of the largest window. */
static void silly_window__small_opening_is_not_used(struct tcb_rig *r)
{
	r->wnd = 1600;
	rig_to(r, TCPS_ESTABLISHED);
	ack(r, 1, 799);
	rig_write(r, 9000);
	rig_silent(r);
	ack(r, 1, 800);
	expect_text(r, 1, 800, SEG_ACK);
	rig_silent(r);
}

/* ... and an ACK is sure to come only while something is on its way: then the persist timer overrides. */
static void silly_window__override_timer_sends(struct tcb_rig *r)
{
	r->wnd = 3000;
	rig_to(r, TCPS_ESTABLISHED);
	receive(r, 1);
	ack(r, 1, 300);
	rig_write(r, 2000);
	rig_silent(r);
	assert_int_equal(r->tcb.timers, TIMER_PERSIST | TIMER_DELACK);
	rig_advance(r, MS(1002));
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 2, .flags = SEG_ACK });
	expect_text(r, 1, 300, SEG_ACK);
}

/* ... nor does it wait for the peer to be silent: other segments do not put it off. */
static void silly_window__override_timer__is_not_put_off(struct tcb_rig *r)
{
	r->wnd = 3000;
	rig_to(r, TCPS_ESTABLISHED);
	r->wnd = 300;
	rig_write(r, 1);
	for (unsigned n = 0; n < 20 && r->sent_count < 2; n++) {
		rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 2, .flags = SEG_ACK });
		if (n == 0)
			rig_write(r, 2000);
		rig_advance(r, MS(100));
	}
	expect_text(r, 1, 1, PSH_ACK);
	expect_text(r, 2, 300, SEG_ACK);
}

/* SHLD-15..17: nothing new beyond, what is within is sent again, the rest waits, all is well later. */
static void peer_shrinks__old_text_within_the_window_again(struct tcb_rig *r)
{
	r->wnd = 4000;
	r->config->timestamps = false;
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 6000);
	assert_int_equal(r->sent_count, 4);
	rig_forget(r);
	ack(r, 1001, 1500);
	rig_silent(r);
	rig_advance(r, MS(1100));
	expect_text(r, 1001, 1000, SEG_ACK);
	rig_silent(r);
	ack(r, 2001, 1500); /* cwnd would let two segments pass, the window one and a half */
	expect_text(r, 2001, 1000, SEG_ACK);
	assert_true(seq_le(r->tcb.rtx_nxt, ISS + 2001 + 1500));
	rig_forget(r);
	ack(r, 4001, 4000);
	assert_true(r->sent_count > 0);
	assert_int_equal(r->sent[0].seg.seq, ISS + 4001);
	rig_state(r, TCPS_ESTABLISHED);
}

/* MUST-35, SHLD-29, SHLD-30: after one RTO, then doubled each time, up to rto_max. */
static void shut_window__is_probed(struct tcb_rig *r)
{
	static const uint64_t at_s[] = { 1, 3, 7, 15, 31, 63, 127, 247, 367, 487 };

	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.srtt_us = 0;
	ack(r, 1, 0);
	rig_write(r, 50);
	rig_silent(r);
	for (size_t i = 0; i < COUNT(at_s); i++) {
		rig_advance(r, SEC(at_s[i]) + MS(1) - rig_now(r));
		rig_expect_at(
			r, SEC(at_s[i]),
			(struct seg){
				.seq = ISS + 1, .ack = IRS + 1, .text_len = 1, .flags = SEG_ACK });
		rig_silent(r);
		ack(r, 1, 0);
		rig_silent(r);
		assert_int_equal(r->tcb.retransmits, 0);
	}
	rig_counted(r, STAT_WINDOW_PROBES, COUNT(at_s));
	rig_counted(r, STAT_ZERO_WINDOW_IN, 1);
}

/* MUST-37: for as long as the peer answers. */
static void window__shut_by_the_last_ack_of_the_handshake__is_counted(struct tcb_rig *r)
{
	rig_to(r, TCPS_SYN_RECEIVED);
	r->wnd = 0;
	rig_send_rq(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
	rig_state(r, TCPS_ESTABLISHED);
	rig_counted(r, STAT_ZERO_WINDOW_IN, 1);
}

static void shut_window__answered__lives_on(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	ack(r, 1, 0);
	rig_write(r, 50);
	while (rig_now(r) < SEC(24 * 3600)) {
		rig_advance(r, SEC(1));
		if (r->sent_count > 0)
			ack(r, 1, 0);
		r->sent_first = r->sent_count = 0;
	}
	rig_state(r, TCPS_ESTABLISHED);
	assert_int_equal(r->events & TCP_EV_SUSPECT, 0);
}

/* HF-ZW2: the update was lost, the answer to the probe has it. */
static void shut_window__opens_by_the_answer_to_a_probe(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	ack(r, 1, 0);
	rig_write(r, 50);
	rig_advance(r, MS(1002));
	expect_text(r, 1, 1, SEG_ACK);
	ack(r, 2, 10000); /* the probe's octet was taken */
	expect_text(r, 2, 49, PSH_ACK);
	rig_silent(r);
	ack(r, 51, 10000);
	assert_int_equal(r->events, TCP_EV_SENT);
}

static void shut_window__opens__refused_octet_goes_again(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	ack(r, 1, 0);
	rig_write(r, 50);
	rig_advance(r, MS(7002));
	rig_forget(r);
	ack(r, 1, 10000); /* the probe's octet was not taken */
	expect_text(r, 1, 1, SEG_ACK);
	assert_int_equal(r->tcb.rto_ms, 1000); /* no longer backed off */
	assert_in_range(r->tcb.rtx_tick - r->host.now_ms, 1000, 1001);
	ack(r, 2, 10000);
	rig_counted(r, STAT_RTT_SAMPLES, 0);
	expect_text(r, 2, 49, PSH_ACK);
	rig_silent(r);
}

static void asked_with_text_on_its_way(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 100);
	rig_forget(r);
	ack(r, 1, 0);
	rig_advance(r, MS(1002));
	expect_text(r, 1, 1, SEG_ACK);
}

static void shut_window__with_text_on_its_way__is_probed_with_it(struct tcb_rig *r)
{
	asked_with_text_on_its_way(r);
	rig_counted(r, STAT_WINDOW_PROBES, 1);
	rig_silent(r);
	ack(r, 101, 10000);
	rig_silent(r);
	assert_int_equal(r->tcb.timers, 0);
}

/* ... and a peer that takes the octet but keeps the window shut is asked as seldom as before. */
static void shut_window__takes_what_asks__next_waits(struct tcb_rig *r)
{
	asked_with_text_on_its_way(r);
	ack(r, 2, 0);
	rig_silent(r);
	rig_advance(r, MS(1002));
	expect_text(r, 2, 1, SEG_ACK);
	rig_counted(r, STAT_WINDOW_PROBES, 2);
	ack(r, 3, 10000);
	expect_text(r, 3, 98, PSH_ACK);
	rig_silent(r);
}

/* ... nor does what the same ACK shows to be lost go into it. */
static void shut_window__with_a_loss__is_probed(struct tcb_rig *r)
{
	uint32_t left;

	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.flags |= TCB_SACK;
	rig_write(r, 6 * r->tcb.snd_mss);
	rig_forget(r);
	left = ISS + 1 + r->tcb.snd_mss;
	r->wnd = 0;
	rig_send(r, (struct seg){ .seq = IRS + 1,
				  .ack = ISS + 1,
				  .flags = SEG_ACK,
				  .options = OPT_SACK,
				  .sacks = 1,
				  .sack = { { left, left + 4 * r->tcb.snd_mss } } });
	rig_silent(r);
	rig_advance(r, MS(1002));
	expect_text(r, 1, 1, SEG_ACK);
	rig_silent(r);
	ack(r, 1, 10000);
	expect_text(r, 1, r->tcb.snd_mss, SEG_ACK);
	rig_forget(r);
}

/* A window shut before the FIN: the FIN itself asks. */
static void shut_window__fin_alone__probes(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	ack(r, 1, 0);
	rig_close(r);
	rig_silent(r);
	rig_advance(r, MS(1002));
	expect_text(r, 1, 0, SEG_FIN | SEG_ACK);
	rig_advance(r, SEC(3));
	expect_text(r, 1, 0, SEG_FIN | SEG_ACK);
	ack(r, 2, 0);
	rig_state(r, TCPS_FIN_WAIT_2);
	assert_int_equal(r->tcb.timers, 0);
}

/* ---- Receiving ---- */

static void our_window__shuts_without_moving_left(struct tcb_rig *r)
{
	r->config->rcv_buf = 4000;
	r->config->delack_ms = 0;
	rig_to(r, TCPS_ESTABLISHED);
	for (uint16_t n = 1; n <= 4; n++) {
		receive(r, 1000);
		assert_int_equal(expect_text(r, 1, 0, SEG_ACK)->wnd, 4000 - 1000 * n);
	}
	rig_counted(r, STAT_ZERO_WINDOW_OUT, 1);
	rig_send(r, (struct seg){ .seq = IRS + 4001, .ack = ISS + 1, .flags = SEG_FIN | SEG_ACK });
	expect_text(r, 1, 0, SEG_ACK); /* it has no room for the FIN either */
	rig_state(r, TCPS_ESTABLISHED);
	rig_send(r, (struct seg){
			    .seq = IRS + 4002, .ack = ISS + 1, .text_len = 1000, .flags = SEG_ACK });
	rig_counted(r, STAT_OUT_OF_WINDOW, 1);
	rig_counted(r, STAT_OLD_TEXT, 0);
}

/* MUST-39: from zero it opens at min(MSS, half the buffer), at once, and by an ACK of its own. */
static void our_window__opens_from_zero(struct tcb_rig *r)
{
	static const struct {
		uint32_t buf, step;
	} cases[] = { { 4000, 1000 }, { 1000, 500 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		r->config->rcv_buf = cases[i].buf;
		rig_to(r, TCPS_ESTABLISHED);
		for (uint32_t n = 0; n < cases[i].buf; n += 500)
			receive(r, 500);
		rig_advance(r, MS(50));
		assert_int_equal(r->sent[r->sent_count - 1].seg.wnd, 0);
		rig_forget(r);
		rig_read(r, cases[i].step - 1);
		rig_silent(r);
		rig_read(r, 1);
		assert_int_equal(expect_text(r, 1, 0, SEG_ACK)->wnd, cases[i].step);
		rig_silent(r);
		rig_abort(r);
	}
}

/* An octet read at a time: no ACK for each, and the window stays shut to what is silly. */
static void our_window__octet_by_octet__two_updates(struct tcb_rig *r)
{
	r->config->rcv_buf = 4000;
	rig_to(r, TCPS_ESTABLISHED);
	for (unsigned n = 0; n < 4; n++)
		receive(r, 1000);
	rig_forget(r);
	for (unsigned n = 0; n < 4000; n++)
		rig_read(r, 1);
	assert_int_equal(expect_text(r, 1, 0, SEG_ACK)->wnd, 1000);
	assert_int_equal(expect_text(r, 1, 0, SEG_ACK)->wnd, 3000);
	rig_silent(r);
}

/* Without a scale no more than 65535 can be said of a larger buffer: reading it is no news. */
static void our_window__buffer_beyond_the_field__no_empty_updates(struct tcb_rig *r)
{
	r->config->rcv_buf = 1000000;
	r->config->delack_ms = 0;
	rig_to(r, TCPS_ESTABLISHED);
	receive(r, 1000);
	rig_forget(r);
	for (unsigned n = 0; n < 1000; n++)
		rig_read(r, 1);
	rig_silent(r);
}

/* ... and half of what can be said is much. */
static void our_window__buffer_beyond_the_field__opens(struct tcb_rig *r)
{
	uint32_t promised;

	r->config->rcv_buf = 200000;
	rig_to(r, TCPS_ESTABLISHED);
	for (unsigned n = 0; n < 399; n++) {
		receive(r, 500);
		r->sent_first = r->sent_count = 0;
	}
	rig_advance(r, MS(50));
	rig_forget(r);
	promised = r->tcb.rcv_adv - r->tcb.rcv_nxt;
	assert_in_range(promised, 1, 500);
	rig_read(r, promised + UINT16_MAX / 2 - 501);
	rig_silent(r);
	rig_read(r, 1);
	assert_int_equal(expect_text(r, 1, 0, SEG_ACK)->wnd, promised + UINT16_MAX / 2);
	rig_silent(r);
}

/* RFC7323-2.4: the right edge as the peer computes it never moves left by a unit or more, and what it
 * promises is taken; odd sizes, shift 7. */
static void our_window__scaled__keeps_its_promise(struct tcb_rig *r)
{
	uint32_t edge = IRS + 1;
	uint16_t len = 1;

	r->config->rcv_buf = 100001;
	r->config->rcv_wscale = 7;
	r->config->delack_ms = 0;
	r->wscale = 0;
	rig_to(r, TCPS_ESTABLISHED);
	for (unsigned n = 0; n < 400; n++) {
		const struct seg *got;
		uint32_t now;

		len = (uint16_t)(1 + (len * 31u + n) % 977);
		if (r->tcb.rcv_queued > 0 && n % 3)
			rig_read(r, 1 + r->tcb.rcv_queued * (n % 5) / 5);
		receive(r, len);
		got = &r->sent[(r->sent_first + r->sent_count - 1) % RIG_SENT].seg;
		now = got->ack + ((uint32_t)got->wnd << 7);
		assert_true(seq_lt(edge - 128, now));
		edge = seq_max(edge, now);
		assert_true(seq_le(now, r->tcb.rcv_adv));
		r->sent_first = r->sent_count = 0;
	}
	rig_forget(r);
	rig_send(r, (struct seg){ .seq = edge - 1, .ack = ISS + 1, .flags = SEG_ACK });
	rig_counted(r, STAT_OUT_OF_WINDOW, 0);
}

/* What the field shows as zero is a shut window, though a few octets below a unit were promised. */
static void our_window__less_than_a_unit__opens_as_from_zero(struct tcb_rig *r)
{
	r->config->rcv_buf = 8100;
	r->config->rcv_wscale = 7;
	r->config->delack_ms = 0;
	r->wscale = 0;
	rig_to(r, TCPS_ESTABLISHED);
	for (unsigned n = 0; n < 8; n++)
		receive(r, 1000);
	assert_int_equal(r->sent[r->sent_count - 1].seg.wnd, 0);
	rig_forget(r);
	rig_read(r, 1500);
	assert_int_equal(expect_text(r, 1, 0, SEG_ACK)->wnd, 1600 >> 7);
}

/* ... once it is a unit: with a large scale that is more than a segment, and until then there is nothing to say. */
static void our_window__unit_beyond_a_segment__no_empty_updates(struct tcb_rig *r)
{
	r->config->rcv_buf = 20000;
	r->config->rcv_wscale = 14;
	r->config->delack_ms = 0;
	r->wscale = 0;
	rig_to(r, TCPS_ESTABLISHED);
	for (unsigned n = 0; n < 20; n++)
		receive(r, 1000);
	assert_int_equal(r->sent[r->sent_count - 1].seg.wnd, 0);
	rig_forget(r);
	for (unsigned n = 0; n < 16; n++)
		rig_read(r, 1000);
	rig_silent(r);
	rig_read(r, 1000);
	assert_int_equal(expect_text(r, 1, 0, SEG_ACK)->wnd, 1);
}

/* HF-ZW3: one too many of them, and one that has been probed three times goes; below the limit it stays. */
static void shut_windows__too_many__old_ones_are_reset(struct tcb_rig *r)
{
	r->config->max_shut = 100000;
	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.srtt_us = 0;
	r->host.shut = 99999; /* others */
	ack(r, 1, 0);
	rig_write(r, 50);
	assert_int_equal(r->host.shut, 100000);
	for (unsigned i = 0; i < 5; i++) {
		rig_advance(r, SEC(1u << i) + MS(2));
		ack(r, 1, 0);
	}
	rig_state(r, TCPS_ESTABLISHED);
	ack(r, 1, 1000); /* it opens, and is counted no more */
	assert_int_equal(r->host.shut, 99999);
	ack(r, 2, 1000); /* the octet that probed; then the rest */
	ack(r, 51, 0);
	rig_forget(r);
	r->host.shut = 100000; /* one more of the others */
	r->tcb.srtt_us = 0;
	rig_write(r, 50);
	rig_advance(r, SEC(1) + SEC(2) + SEC(4) + MS(10));
	rig_state(r, TCPS_ESTABLISHED);
	rig_counted(r, STAT_WINDOW_PROBES, 3);
	rig_forget(r);
	rig_advance(r, SEC(8));
	rig_state(r, TCPS_CLOSED);
	rig_counted(r, STAT_ZERO_WINDOW_RESET, 1);
	assert_int_equal(r->error, ECONNABORTED);
	assert_int_equal(r->host.shut, 100000);
	/* where the peer is, not behind the probe that it has not taken (RFC 5961 3.2) */
	rig_expect(r, (struct seg){ .seq = ISS + 51, .ack = IRS + 1, .flags = SEG_RST | SEG_ACK });
}

/* Of those too many the ones that have been probed most often go, whoever's turn is first. */
static void shut_windows__too_many__the_oldest_go_first(struct tcb_rig *r)
{
	r->config->max_shut = 10;
	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.srtt_us = 0;
	r->host.shut = 12; /* others: three too many with this one, and so many ... */
	r->host.shut_by[9] = 2;
	r->host.shut_by[SHUT_CLASSES - 1] = 1; /* ... are older */
	ack(r, 1, 0);
	rig_write(r, 50);
	rig_advance(r, SEC(1 + 2 + 4 + 8 + 16 + 32) + MS(10));
	rig_state(r, TCPS_ESTABLISHED);
	rig_counted(r, STAT_WINDOW_PROBES, 6);
	r->host.shut_by[SHUT_CLASSES - 1] = 0; /* ... but one, which opened */
	rig_advance(r, SEC(64));
	rig_state(r, TCPS_CLOSED);
	assert_int_equal(r->error, ECONNABORTED);
	assert_int_equal(r->host.shut_by[6], 0);
}

static const struct tcb_row rows[] = {
	{ "SHLD-7", nagle__small_write_waits_for_the_ack, 0 },
	{ "SHLD-7-full", nagle__full_segment_goes, 0 },
	{ "MUST-17", nagle__off__each_write_goes, 0 },
	{ "MUST-17-connection", nagle__of_a_connection__as_it_was_told, 0 },
	{ "SHLD-7-fin", nagle__last_before_fin_goes, 0 },
	{ "SHLD-7-small-window", nagle__half_a_small_window_waits_too, ROW_PLAIN },
	{ "MUST-38", silly_window__small_opening_is_not_used, 0 },
	{ "MUST-38-override", silly_window__override_timer_sends, 0 },
	{ "MUST-38-put-off", silly_window__override_timer__is_not_put_off, 0 },
	{ "SHLD-15", peer_shrinks__old_text_within_the_window_again, ROW_PLAIN },
	{ "MUST-35, SHLD-29, SHLD-30", shut_window__is_probed, 0 },
	{ "MUST-35-ack", window__shut_by_the_last_ack_of_the_handshake__is_counted, 0 },
	{ "MUST-37", shut_window__answered__lives_on, 0 },
	{ "HF-ZW3, SEC-14", shut_windows__too_many__old_ones_are_reset, 0 },
	{ "HF-ZW3-oldest", shut_windows__too_many__the_oldest_go_first, 0 },
	{ "HF-ZW2", shut_window__opens_by_the_answer_to_a_probe, 0 },
	{ "HF-ZW2-refused", shut_window__opens__refused_octet_goes_again, 0 },
	{ "MUST-36", shut_window__with_text_on_its_way__is_probed_with_it, 0 },
	{ "SHLD-30-taken", shut_window__takes_what_asks__next_waits, 0 },
	{ "SHLD-30-lost", shut_window__with_a_loss__is_probed, 0 },
	{ "HF-LA3-zero-window", shut_window__fin_alone__probes, 0 },
	{ "SHLD-14", our_window__shuts_without_moving_left, 0 },
	{ "MUST-39", our_window__opens_from_zero, 0 },
	{ "MUST-39-octets", our_window__octet_by_octet__two_updates, 0 },
	{ "MUST-39-unscaled", our_window__buffer_beyond_the_field__no_empty_updates, 0 },
	{ "MUST-39-field", our_window__buffer_beyond_the_field__opens, 0 },
	{ "RFC7323-2.4", our_window__scaled__keeps_its_promise, 0 },
	{ "RFC7323-2.4-zero", our_window__less_than_a_unit__opens_as_from_zero, 0 },
	{ "RFC7323-2.4-unit", our_window__unit_beyond_a_segment__no_empty_updates, 0 },
};
GROUP(window);

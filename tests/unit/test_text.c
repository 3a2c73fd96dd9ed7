/* SPDX-License-Identifier: BSD-3-Clause */
/* Text and FIN of a segment (RFC 9293 3.10.7.4, seventh and eighth; Tables D, F), and the orders in which two
 * ends may close. */
#include <errno.h>

#include "test_tcp.h"

#define FIN_ACK (SEG_FIN | SEG_ACK)

static void text(struct tcb_rig *r, uint32_t seq, uint16_t len, uint8_t more)
{
	rig_send(r, (struct seg){ .seq = IRS + seq,
				  .ack = r->tcb.snd_una,
				  .text_len = len,
				  .flags = (uint8_t)(SEG_ACK | more) });
}

/* ---- Text ---- */

static void text__in_order__is_delivered_and_acked_later(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	text(r, 1, 10, SEG_PSH);
	assert_int_equal(r->delivered, 10);
	assert_int_equal(r->events, TCP_EV_READABLE);
	rig_silent(r);
	rig_advance(r, MS(42));
	rig_expect_at(r, MS(40), (struct seg){ .seq = ISS + 1, .ack = IRS + 11, .flags = SEG_ACK });
	rig_silent(r);
	rig_counted(r, STAT_DELAYED_ACK, 1);
}

static void text__second_segment__is_acked_at_once(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	text(r, 1, 988, 0);
	rig_silent(r);
	text(r, 989, 988, 0);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1977, .flags = SEG_ACK });
	rig_advance(r, SEC(1));
	rig_silent(r);
}

static void text__delack_0__is_acked_at_once(struct tcb_rig *r)
{
	r->config->delack_ms = 0;
	rig_to(r, TCPS_ESTABLISHED);
	text(r, 1, 1, 0);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 2, .flags = SEG_ACK });
}

/* MUST-58: what one turn receives earns one ACK. */
static void text__burst_in_a_turn__earns_one_ack(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	r->turn_open = true;
	for (uint32_t n = 0; n < 15; n++)
		text(r, 1 + n * 1000, 1000, 0);
	rig_silent(r);
	rig_flush(r);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 15001, .flags = SEG_ACK });
	rig_silent(r);
}

/* The ACK rides on the reply. */
static void text__reply_in_the_turn__carries_the_ack(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	r->turn_open = true;
	text(r, 1, 1, 0);
	rig_write(r, 1);
	rig_shutdown(r);
	rig_flush(r);
	rig_expect(r, (struct seg){ .seq = ISS + 1,
				    .ack = IRS + 2,
				    .text_len = 1,
				    .flags = SEG_ACK | SEG_PSH | SEG_FIN });
	rig_advance(r, MS(100));
	rig_silent(r);
}

static void text__overlapping__is_trimmed(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	text(r, 1, 10, 0);
	text(r, 6, 10, 0);
	assert_int_equal(r->out.text_skip, 5);
	assert_int_equal(r->out.text_len, 5);
	assert_int_equal(r->tcb.rcv_nxt, IRS + 16);
}

static void text__past_the_window__is_cut(struct tcb_rig *r)
{
	r->config->rcv_buf = 100;
	rig_to(r, TCPS_ESTABLISHED);
	text(r, 1, 150, SEG_FIN);
	assert_int_equal(r->delivered, 100);
	assert_int_equal(r->out.text_skip, 0);
	rig_state(r, TCPS_ESTABLISHED); /* the FIN lay beyond */
	rig_counted(r, STAT_ZERO_WINDOW_OUT, 1);
}

static void text__ahead_of_a_gap__asks_again_at_once(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	for (unsigned n = 0; n < 3; n++) {
		text(r, 11, 10, 0);
		rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK });
	}
	rig_silent(r);
	assert_int_equal(r->delivered, 0);
	rig_counted(r, STAT_OOO_QUEUED, 1); /* the others bring nothing new */
	rig_counted(r, STAT_DUP_ACK_OUT, 3);
}

static void text__after_the_peers_fin__is_challenged(struct tcb_rig *r)
{
	static const enum tcp_state states[] = { TCPS_CLOSE_WAIT, TCPS_CLOSING, TCPS_LAST_ACK };

	for (size_t i = 0; i < COUNT(states) * 3; i++) {
		const uint32_t snd_nxt = states[i / 3] == TCPS_CLOSE_WAIT ? ISS + 1 : ISS + 2;

		rig_to(r, states[i / 3]);
		text(r, i % 3 ? 2 : 7, i % 3 == 2 ? 0 : 10, SEG_FIN);
		rig_expect(r, (struct seg){ .seq = snd_nxt, .ack = IRS + 2, .flags = SEG_ACK });
		rig_silent(r);
		rig_state(r, states[i / 3]);
		assert_int_equal(r->delivered, 0);
		assert_int_equal(r->tcb.rcv_nxt, IRS + 2);
	}
}

/* ... and its ACK field counts all the same; the C is that of the state it leads to. */
static void text__after_the_peers_fin__its_ack_counts(struct tcb_rig *r)
{
	rig_to(r, TCPS_LAST_ACK);
	rig_send(r, (struct seg){ .seq = IRS + 2, .ack = ISS + 2, .text_len = 9, .flags = SEG_ACK });
	rig_state(r, TCPS_CLOSED);
	rig_silent(r);
	rig_to(r, TCPS_CLOSING);
	rig_send(r, (struct seg){ .seq = IRS + 2, .ack = ISS + 2, .text_len = 9, .flags = SEG_ACK });
	rig_state(r, TCPS_TIME_WAIT);
	rig_expect(r, (struct seg){ .seq = ISS + 2, .ack = IRS + 2, .flags = SEG_ACK });
}

/* SHLD-3 */
static void text__for_an_orphan__draws_reset(struct tcb_rig *r)
{
	for (uint32_t seq = 1; seq <= 6; seq += 5) {
		rig_to(r, TCPS_FIN_WAIT_1);
		text(r, seq, 5, 0);
		rig_state(r, TCPS_CLOSED);
		assert_int_equal(r->error, ECONNABORTED);
		rig_expect(r, (struct seg){
				      .seq = ISS + 2, .ack = IRS + 1, .flags = SEG_RST | SEG_ACK });
		rig_silent(r);
		rig_counted(r, STAT_ABORT_ON_DATA, 1);
		assert_int_equal(r->delivered, 0);
	}
}

static void text__half_closed__goes_on(struct tcb_rig *r)
{
	static const enum tcp_state states[] = { TCPS_FIN_WAIT_1, TCPS_FIN_WAIT_2 };

	r->hold = true;
	for (size_t i = 0; i < COUNT(states); i++) {
		rig_to(r, states[i]);
		for (uint32_t n = 0; n < 50; n++) {
			text(r, 1 + n * 1000, 1000, 0);
			rig_read(r, 1000);
		}
		assert_int_equal(r->delivered, 50000);
		rig_state(r, states[i]);
		rig_abort(r);
	}
}

/* MUST-66: at a zero window ACK and RST of a segment at RN count. */
static void zero_window__text_at_rcv_nxt__only_its_ack_is_taken(struct tcb_rig *r)
{
	r->config->rcv_buf = 100;
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 5);
	rig_send(r,
		 (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .text_len = 100, .flags = SEG_ACK });
	rig_advance(r, MS(50));
	rig_forget(r);
	rig_send(r,
		 (struct seg){ .seq = IRS + 101, .ack = ISS + 6, .text_len = 1, .flags = FIN_ACK });
	assert_int_equal(
		rig_expect(r, (struct seg){ .seq = ISS + 6, .ack = IRS + 101, .flags = SEG_ACK })->wnd,
		0);
	rig_silent(r);
	assert_int_equal(r->tcb.snd_una, ISS + 6);
	assert_int_equal(r->delivered, 0);
	rig_state(r, TCPS_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = IRS + 101, .ack = ISS + 6, .flags = FIN_ACK });
	rig_state(r, TCPS_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = IRS + 101, .flags = SEG_RST });
	rig_state(r, TCPS_CLOSED);
}

/* ---- FIN ---- */

static void fin__in_order__is_eof(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	text(r, 1, 3, SEG_FIN);
	rig_state(r, TCPS_CLOSE_WAIT);
	assert_int_equal(r->events, TCP_EV_READABLE | TCP_EV_EOF);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 5, .flags = SEG_ACK });
	rig_silent(r);
}

static void fin__after_old_text__is_in_order(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	text(r, 1, 3, 0);
	text(r, 1, 3, SEG_FIN);
	rig_state(r, TCPS_CLOSE_WAIT);
	assert_int_equal(r->delivered, 3);
	assert_int_equal(r->tcb.rcv_nxt, IRS + 5);
}

/* Remembered, and takes effect when the gap fills. */
static void fin__ahead_of_a_gap__waits(struct tcb_rig *r)
{
	static const struct {
		enum tcp_state state, after;
	} cases[] = { { TCPS_ESTABLISHED, TCPS_CLOSE_WAIT },
		      { TCPS_FIN_WAIT_1, TCPS_CLOSING },
		      { TCPS_FIN_WAIT_2, TCPS_TIME_WAIT } };

	r->hold = true;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const uint32_t snd_nxt = i == 0 ? ISS + 1 : ISS + 2;

		rig_to(r, cases[i].state);
		text(r, 11, 0, SEG_FIN);
		rig_state(r, cases[i].state);
		rig_expect(r, (struct seg){ .seq = snd_nxt, .ack = IRS + 1, .flags = SEG_ACK });
		rig_counted(r, STAT_OOO_DROPPED, 0);
		text(r, 1, 10, 0);
		rig_state(r, cases[i].after);
		assert_false(r->tcb.flags & TCB_FIN_AHEAD);
		assert_int_equal(r->delivered, 10);
		assert_int_equal(r->events, TCP_EV_READABLE | TCP_EV_EOF);
		rig_expect(r, (struct seg){ .seq = snd_nxt, .ack = IRS + 12, .flags = SEG_ACK });
		rig_silent(r);
	}
}

/* An orphan still takes a FIN: only what came before it and is missing would be text for nobody. */
static void fin__ahead_of_a_gap__orphan_in_fin_wait_1_waits(struct tcb_rig *r)
{
	rig_to(r, TCPS_FIN_WAIT_1);
	text(r, 11, 0, SEG_FIN);
	rig_state(r, TCPS_FIN_WAIT_1);
	rig_expect(r, (struct seg){ .seq = ISS + 2, .ack = IRS + 1, .flags = SEG_ACK });
	rig_silent(r);
	text(r, 1, 10, 0);
	rig_state(r, TCPS_CLOSED);
	rig_expect(r, (struct seg){ .seq = ISS + 2, .ack = IRS + 1, .flags = SEG_RST | SEG_ACK });
}

static void fin__seen_before__is_acked(struct tcb_rig *r)
{
	static const enum tcp_state states[] = { TCPS_CLOSE_WAIT, TCPS_CLOSING, TCPS_LAST_ACK };

	for (size_t i = 0; i < COUNT(states); i++) {
		const uint32_t snd_nxt = states[i] == TCPS_CLOSE_WAIT ? ISS + 1 : ISS + 2;

		rig_to(r, states[i]);
		for (unsigned n = 0; n < 3; n++) {
			text(r, 1, 0, SEG_FIN);
			rig_expect(r,
				   (struct seg){ .seq = snd_nxt, .ack = IRS + 2, .flags = SEG_ACK });
		}
		rig_silent(r);
		rig_state(r, states[i]);
		assert_int_equal(r->events, 0);
	}
}

/* HF-T5: ... and the ACK of ours that it carries ends CLOSING and LAST-ACK. */
static void fin__seen_before__its_ack_counts(struct tcb_rig *r)
{
	static const enum tcp_state states[] = { TCPS_CLOSING, TCPS_LAST_ACK };
	static const enum tcp_state after[] = { TCPS_TIME_WAIT, TCPS_CLOSED };

	for (size_t i = 0; i < COUNT(states); i++) {
		rig_to(r, states[i]);
		rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 2, .flags = FIN_ACK });
		rig_state(r, after[i]);
		rig_expect(r, (struct seg){ .seq = ISS + 2, .ack = IRS + 2, .flags = SEG_ACK });
		rig_silent(r);
	}
}

/* A FIN that acknowledges ours: by way of FIN-WAIT-2 in one step. */
static void fin__with_ack_of_ours__ends_in_time_wait(struct tcb_rig *r)
{
	rig_to(r, TCPS_FIN_WAIT_1);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 2, .flags = FIN_ACK });
	rig_state(r, TCPS_TIME_WAIT);
	rig_expect(r, (struct seg){ .seq = ISS + 2, .ack = IRS + 2, .flags = SEG_ACK });
	rig_silent(r);
}

static void close__simultaneous__through_closing(struct tcb_rig *r)
{
	rig_to(r, TCPS_FIN_WAIT_1);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = FIN_ACK });
	rig_state(r, TCPS_CLOSING);
	rig_expect(r, (struct seg){ .seq = ISS + 2, .ack = IRS + 2, .flags = SEG_ACK });
	rig_send(r, (struct seg){ .seq = IRS + 2, .ack = ISS + 2, .flags = SEG_ACK });
	rig_state(r, TCPS_TIME_WAIT);
	rig_silent(r);
}

static void close__ours_first__to_time_wait(struct tcb_rig *r)
{
	r->hold = true;
	rig_to(r, TCPS_FIN_WAIT_2);
	rig_advance(r, SEC(7200)); /* no timer while the application holds it */
	rig_state(r, TCPS_FIN_WAIT_2);
	text(r, 1, 0, SEG_FIN);
	rig_state(r, TCPS_TIME_WAIT);
	rig_expect(r, (struct seg){ .seq = ISS + 2, .ack = IRS + 2, .flags = SEG_ACK });
	rig_silent(r);
}

static void close__peer_first__to_closed(struct tcb_rig *r)
{
	rig_to(r, TCPS_CLOSE_WAIT);
	assert_int_equal(rig_close(r), 0);
	rig_state(r, TCPS_LAST_ACK);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 2, .flags = FIN_ACK });
	rig_send(r, (struct seg){ .seq = IRS + 2, .ack = ISS + 2, .flags = SEG_ACK });
	rig_state(r, TCPS_CLOSED);
	assert_int_equal(r->error, 0);
	rig_silent(r);
}

/* What may not wait for the delayed-ACK timer: the clock stands still. */
static void acks__at_once__where_they_must(struct tcb_rig *r)
{
	const struct seg ack = { .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK };
	struct seg wanted = ack;
	uint32_t at = 201;

	rig_to(r, TCPS_ESTABLISHED);
	rig_send(r,
		 (struct seg){ .seq = IRS + 101, .ack = ISS + 1, .text_len = 100, .flags = SEG_ACK });
	rig_expect(r, ack); /* ahead of a gap */
	rig_send(r,
		 (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .text_len = 100, .flags = SEG_ACK });
	wanted.ack = IRS + at;
	rig_expect(r, wanted); /* the gap fills */
	if (r->timestamps) {
		struct seg old = { .seq = IRS + at, .ack = ISS + 1, .text_len = 10, .flags = SEG_ACK };

		old = rig_fill(r, old);
		old.tsval = r->tsval - 1;
		rig_send_raw(r, &old);
		rig_expect(r, wanted); /* PAWS */
	}
	while (r->tcb.rcv_adv != r->tcb.rcv_nxt) { /* the window shuts */
		const uint32_t left = r->tcb.rcv_adv - r->tcb.rcv_nxt;
		const uint16_t len = left < 1000 ? (uint16_t)left : 1000;

		rig_send(r, (struct seg){ .seq = IRS + at,
					  .ack = ISS + 1,
					  .text_len = len,
					  .flags = SEG_ACK });
		at += len;
	}
	rig_advance(r, MS(100));
	rig_forget(r);
	rig_read(r, r->tcb.rcv_queued);
	rig_flush(r);
	wanted.ack = IRS + at;
	assert_true(rig_expect(r, wanted)->wnd > 0); /* ... and opens */
	rig_send(r, (struct seg){ .seq = IRS + at, .ack = ISS + 1, .flags = SEG_FIN | SEG_ACK });
	wanted.ack++;
	rig_expect(r, wanted); /* FIN */
	rig_silent(r);
}

static const struct tcb_row rows[] = {
	{ "MUST-40", text__in_order__is_delivered_and_acked_later, 0 },
	{ "SHLD-19", text__second_segment__is_acked_at_once, 0 },
	{ "SHLD-18", text__delack_0__is_acked_at_once, 0 },
	{ "HF-D3", acks__at_once__where_they_must, 0 },
	{ "MUST-58", text__burst_in_a_turn__earns_one_ack, 0 },
	{ "MUST-59", text__reply_in_the_turn__carries_the_ack, 0 },
	{ "HF-D1", text__overlapping__is_trimmed, 0 },
	{ "SE-D-ESTABLISHED-past", text__past_the_window__is_cut, 0 },
	{ "SE-D-ESTABLISHED-ahead", text__ahead_of_a_gap__asks_again_at_once, 0 },
	{ "SE-D-after-fin", text__after_the_peers_fin__is_challenged, 0 },
	{ "SE-D-after-fin-ack", text__after_the_peers_fin__its_ack_counts, 0 },
	{ "SHLD-3", text__for_an_orphan__draws_reset, 0 },
	{ "HF-CL3", text__half_closed__goes_on, 0 },
	{ "MUST-66", zero_window__text_at_rcv_nxt__only_its_ack_is_taken, 0 },
	{ "SE-F-ESTABLISHED", fin__in_order__is_eof, 0 },
	{ "SE-F-ESTABLISHED-old-text", fin__after_old_text__is_in_order, 0 },
	{ "SE-F-ahead", fin__ahead_of_a_gap__waits, 0 },
	{ "SE-F-FIN_WAIT_1-ahead", fin__ahead_of_a_gap__orphan_in_fin_wait_1_waits, 0 },
	{ "SE-F-seen", fin__seen_before__is_acked, 0 },
	{ "HF-T5", fin__seen_before__its_ack_counts, 0 },
	{ "HF-CL2-fin-ack", fin__with_ack_of_ours__ends_in_time_wait, 0 },
	{ "HF-CL2", close__simultaneous__through_closing, 0 },
	{ "HF-CL1-ours", close__ours_first__to_time_wait, 0 },
	{ "HF-CL1-peers", close__peer_first__to_closed, 0 },
};
GROUP(text);

/* SPDX-License-Identifier: BSD-3-Clause */
/* Header-only replies by themselves: limiter across wraps, window field, RST of a live connection. */
#include "tcp/answer.h"
#include "test_tcp.h"

static void due__across_the_wrap(struct tcb_rig *r)
{
	uint32_t last = 0xffffff00;

	r->host.now_ms = 0xffffff00 + 499;
	assert_false(answer_due(&r->host, &last));
	r->host.now_ms = 0xffffff00 + 500;
	assert_true(answer_due(&r->host, &last));
	assert_int_equal(last, r->host.now_ms);
	assert_false(answer_due(&r->host, &last));
}

static void reset__is_at_snd_nxt_with_ack(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 5);
	out_init(&r->out);
	answer_reset(&r->host, &r->tcb, STAT_RST_OUT_LIMIT, &r->out);
	assert_int_equal(r->out.answers, 1);
	assert_int_equal(r->out.answer[0].flags, SEG_RST | SEG_ACK);
	assert_int_equal(r->out.answer[0].seq, ISS + 6);
	assert_int_equal(r->out.answer[0].ack, IRS + 1);
	rig_counted(r, STAT_RST_OUT_LIMIT, 1);
}

static void ack__pays_what_was_owed(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .text_len = 5, .flags = SEG_ACK });
	assert_int_equal(r->tcb.timers, TIMER_DELACK);
	rig_write(r, 5);
	assert_int_equal(r->tcb.timers, TIMER_RTX);
	assert_int_equal(r->tcb.unacked_segs, 0);
	assert_int_equal(r->tcb.last_ack_sent, IRS + 6);
}

static void paws__edges(struct tcb_rig *r)
{
	const uint32_t day_ms = 24u * 3600 * 1000;

	r->host.now_ms = 1000;
	assert_false(paws_old(&r->host, 7, 7, 1000));
	assert_true(paws_old(&r->host, 6, 7, 1000));
	assert_true(paws_old(&r->host, 0xffffffff, 7, 1000));
	assert_false(paws_old(&r->host, 7, 0xffffffff, 1000));
	assert_true(paws_old(&r->host, 6, 7, 1000u - 24 * day_ms + 1));
	assert_false(paws_old(&r->host, 6, 7, 1000u - 24 * day_ms));
}

static const struct tcb_row rows[] = {
	{ "RFC5961-7-wrap", due__across_the_wrap, ROW_ONCE },
	{ "SE-U-reset", reset__is_at_snd_nxt_with_ack, 0 },
	{ "SHLD-18-paid", ack__pays_what_was_owed, 0 },
	{ "RFC7323-5.3-edges", paws__edges, ROW_ONCE },
};
GROUP(answer);

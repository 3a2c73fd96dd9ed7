/* SPDX-License-Identifier: BSD-3-Clause */
/* Keepalive (RFC 9293 3.8.4; MUST-24..29, SHLD-12) and user timeout (3.8.3; MUST-21, HF-UT1). */
#include <errno.h>

#include "test_tcp.h"

#define HOURS(n) SEC(3600 * (n))

static void probe(struct tcb_rig *r, uint64_t at_us)
{
	rig_expect_at(r, at_us, (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SEG_ACK });
}

static void off__by_default__silent_for_days(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_advance(r, HOURS(100));
	rig_silent(r);
	rig_state(r, TCPS_ESTABLISHED);
}

static void idle__nine_probes_unanswered__timeout(struct tcb_rig *r)
{
	r->config->keepalive_ms = 7200000;
	rig_to(r, TCPS_ESTABLISHED);
	rig_advance(r, HOURS(2) + SEC(9 * 75) + MS(1));
	for (unsigned i = 0; i < 9; i++)
		probe(r, HOURS(2) + SEC(75 * i));
	rig_expect_at(r, HOURS(2) + SEC(75 * 9),
		      (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_RST | SEG_ACK });
	rig_state(r, TCPS_CLOSED);
	assert_int_equal(r->error, ETIMEDOUT);
	rig_counted(r, STAT_KEEPALIVES, 9);
}

static void idle__ninth_probe_answered__lives(struct tcb_rig *r)
{
	uint64_t heard;

	r->config->keepalive_ms = 7200000;
	rig_to(r, TCPS_ESTABLISHED);
	rig_advance(r, HOURS(2) + SEC(8 * 75) + MS(1));
	for (unsigned i = 0; i < 9; i++)
		probe(r, HOURS(2) + SEC(75 * i));
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
	heard = rig_now(r);
	rig_advance(r, HOURS(2) - SEC(1));
	rig_silent(r);
	rig_advance(r, SEC(2));
	probe(r, heard + HOURS(2));
	rig_state(r, TCPS_ESTABLISHED);
}

static void traffic__puts_the_probe_off(struct tcb_rig *r)
{
	r->config->keepalive_ms = 7200000;
	rig_to(r, TCPS_ESTABLISHED);
	for (unsigned i = 0; i < 5; i++) {
		rig_advance(r, HOURS(1));
		rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
		rig_silent(r);
	}
	rig_advance(r, HOURS(2) + SEC(1));
	probe(r, HOURS(7));
}

/* In the very turn, within a millisecond that has begun. */
static void traffic__as_the_timer_expires__no_probe(struct tcb_rig *r)
{
	uint64_t heard;

	r->config->keepalive_ms = 7200000;
	rig_to(r, TCPS_ESTABLISHED);
	rig_advance(r, HOURS(2) - MS(1));
	rig_clock(r, MS(2) + 500);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
	heard = rig_now(r);
	rig_advance(r, 1);
	rig_silent(r);
	rig_advance(r, HOURS(2) + MS(1));
	probe(r, heard + HOURS(2));
}

static void user_timeout__counts_from_what_is_not_acked(struct tcb_rig *r)
{
	r->config->user_timeout_ms = 5000;
	rig_to(r, TCPS_ESTABLISHED);
	rig_advance(r, SEC(100));
	rig_state(r, TCPS_ESTABLISHED);
	rig_write(r, 10);
	rig_advance(r, SEC(4));
	rig_state(r, TCPS_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 6, .flags = SEG_ACK });
	rig_advance(r, SEC(5) - MS(2));
	rig_state(r, TCPS_ESTABLISHED);
	rig_forget(r);
	rig_advance(r, MS(4));
	rig_expect(r, (struct seg){ .seq = ISS + 11, .ack = IRS + 1, .flags = SEG_RST | SEG_ACK });
	rig_state(r, TCPS_CLOSED);
	assert_int_equal(r->error, ETIMEDOUT);
}

static void user_timeout__all_acked__never(struct tcb_rig *r)
{
	r->config->user_timeout_ms = 5000;
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 10);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 11, .flags = SEG_ACK });
	rig_advance(r, SEC(1000));
	rig_state(r, TCPS_ESTABLISHED);
	rig_forget(r);
}

static void user_timeout__of_an_open__spans_the_handshake(struct tcb_rig *r)
{
	r->config->user_timeout_ms = 5000;
	r->active = true;
	rig_to(r, TCPS_SYN_SENT);
	rig_advance(r, SEC(5) - MS(2));
	rig_state(r, TCPS_SYN_SENT);
	rig_forget(r);
	rig_advance(r, MS(4));
	rig_state(r, TCPS_CLOSED);
	assert_int_equal(r->error, ETIMEDOUT);
}

static void user_timeout__taken_back__others_go_on(struct tcb_rig *r)
{
	r->config->user_timeout_ms = 5000;
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 10);
	assert_int_equal(r->tcb.timers, TIMER_RTX | TIMER_USER);
	tcp_set_user_timeout(&r->host, &r->tcb, 0);
	assert_int_equal(r->tcb.timers, TIMER_RTX);
}

static const struct tcb_row rows[] = {
	{ "MUST-25", off__by_default__silent_for_days, 0 },
	{ "MUST-29, SHLD-12, MAY-6", idle__nine_probes_unanswered__timeout, 0 },
	{ "MUST-29-answered", idle__ninth_probe_answered__lives, 0 },
	{ "MUST-26", traffic__puts_the_probe_off, 0 },
	{ "MUST-26-turn", traffic__as_the_timer_expires__no_probe, 0 },
	{ "HF-UT1", user_timeout__counts_from_what_is_not_acked, 0 },
	{ "HF-UT1-open", user_timeout__of_an_open__spans_the_handshake, 0 },
	{ "HF-UT1-off", user_timeout__taken_back__others_go_on, 0 },
	{ "MUST-21", user_timeout__all_acked__never, 0 },
};

GROUP(idle);

/* SPDX-License-Identifier: BSD-3-Clause */
/* Timestamps of a connection (RFC 7323 3.2, 4.3, 5): TS.Recent, PAWS, and that every reply carries them; the
 * rig itself looks at each segment for that. */
#include "test_tcp.h"

#define DAY SEC(24 * 3600)

static void stamped(struct tcb_rig *r, uint32_t seq, uint16_t len, uint32_t tsval)
{
	rig_send(r, (struct seg){ .seq = IRS + seq,
				  .ack = ISS + 1,
				  .text_len = len,
				  .flags = SEG_ACK,
				  .options = OPT_TS,
				  .tsval = tsval });
}

/* The RFC's example: delayed ACKs, TSecr is that of the first segment not yet acknowledged. */
static void ts_recent__delayed_acks__first_unacked_counts(struct tcb_rig *r)
{
	const uint32_t t = r->tsval;

	rig_to(r, TCPS_ESTABLISHED);
	stamped(r, 1, 10, t + 1);
	stamped(r, 11, 10, t + 2);
	assert_int_equal(
		rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 21, .flags = SEG_ACK })->tsecr,
		t + 1);
	stamped(r, 21, 10, t + 3);
	assert_int_equal(r->tcb.ts_recent, t + 3);
}

/* The RFC's other example: a segment is lost. */
static void ts_recent__gap__last_in_order_counts(struct tcb_rig *r)
{
	const uint32_t t = r->tsval;
	const struct seg dup = { .seq = ISS + 1, .ack = IRS + 11, .flags = SEG_ACK };

	r->config->delack_ms = 0;
	rig_to(r, TCPS_ESTABLISHED);
	stamped(r, 1, 10, t + 1);
	assert_int_equal(rig_expect(r, dup)->tsecr, t + 1);
	stamped(r, 21, 10, t + 3);
	assert_int_equal(rig_expect(r, dup)->tsecr, t + 1);
	stamped(r, 11, 10, t + 2);
	assert_int_equal(
		rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 31, .flags = SEG_ACK })->tsecr,
		t + 2);
}

static void ts_recent__never_goes_back(struct tcb_rig *r)
{
	const uint32_t t = r->tsval;

	rig_to(r, TCPS_ESTABLISHED);
	stamped(r, 1, 0, t + 9);
	stamped(r, 1, 0, t + 9);
	assert_int_equal(r->tcb.ts_recent, t + 9);
	stamped(r, 1, 0, t + 8);
	assert_int_equal(r->tcb.ts_recent, t + 9);
}

/* SEC-25: a forged TSval far ahead does not get in by a segment that is refused. */
static void ts_recent__refused_segment__does_not_count(struct tcb_rig *r)
{
	const uint32_t t = r->tsval;
	const uint32_t far = t + 0x40000000;

	rig_to(r, TCPS_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = IRS + 1,
				  .ack = ISS + 2,
				  .flags = SEG_ACK,
				  .options = OPT_TS,
				  .tsval = far });
	stamped(r, 20001, 0, far);
	stamped(r, 0, 0, far);
	rig_send(r,
		 (struct seg){ .seq = IRS + 9, .flags = SEG_RST, .options = OPT_TS, .tsval = far });
	rig_send(r,
		 (struct seg){ .seq = IRS + 1, .flags = SEG_SYN, .options = OPT_TS, .tsval = far });
	assert_int_equal(r->tcb.ts_recent, t);
}

static void paws__older__is_refused_in_every_state(struct tcb_rig *r)
{
	static const enum tcp_state states[] = { TCPS_ESTABLISHED, TCPS_FIN_WAIT_1, TCPS_FIN_WAIT_2,
						 TCPS_CLOSE_WAIT,  TCPS_CLOSING,    TCPS_LAST_ACK };

	r->hold = true;
	for (size_t i = 0; i < COUNT(states); i++) {
		rig_to(r, states[i]);
		rig_send(r, (struct seg){ .seq = r->tcb.rcv_nxt,
					  .ack = r->tcb.snd_nxt,
					  .text_len = 4,
					  .flags = SEG_ACK,
					  .options = OPT_TS,
					  .tsval = r->tsval - 1 });
		rig_expect(r, (struct seg){ .seq = r->tcb.snd_nxt,
					    .ack = r->tcb.rcv_nxt,
					    .flags = SEG_ACK });
		rig_silent(r);
		rig_counted(r, STAT_PAWS_REFUSED, 1);
		rig_counted(r, STAT_CHALLENGE_SENT, 1);
		rig_state(r, states[i]);
		assert_int_equal(r->delivered, 0);
	}
}

static void paws__rst__is_not_asked(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = IRS + 1,
				  .flags = SEG_RST,
				  .options = OPT_TS,
				  .tsval = r->tsval - 1 });
	rig_state(r, TCPS_CLOSED);
}

/* RFC 7323 5.5: after 24 days TS.Recent says nothing, and the next segment's becomes TS.Recent. */
static void paws__outdated__lets_in_and_begins_anew(struct tcb_rig *r)
{
	const uint32_t t = r->tsval;

	rig_to(r, TCPS_ESTABLISHED);
	rig_advance(r, 24 * DAY - SEC(1));
	stamped(r, 1, 4, t - 1);
	assert_int_equal(r->delivered, 0);
	rig_counted(r, STAT_PAWS_REFUSED, 1);
	rig_advance(r, DAY);
	stamped(r, 1, 4, t - 1000);
	assert_int_equal(r->delivered, 4);
	assert_int_equal(r->tcb.ts_recent, t - 1000);
	stamped(r, 5, 4, t - 1001);
	assert_int_equal(r->delivered, 4);
	rig_counted(r, STAT_PAWS_REFUSED, 2);
}

static void agreed__segment_without__is_dropped(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	r->timestamps = false;
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .text_len = 4, .flags = SEG_ACK });
	rig_silent(r);
	assert_int_equal(r->delivered, 0);
	rig_counted(r, STAT_TS_MISSING, 1);
	rig_state(r, TCPS_ESTABLISHED);
	r->config->ts_lenient = true;
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .text_len = 4, .flags = SEG_ACK });
	assert_int_equal(r->delivered, 4);
}

static void not_agreed__stamps_mean_nothing(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	stamped(r, 1, 4, 5);
	stamped(r, 5, 4, 4);
	assert_int_equal(r->delivered, 8);
	assert_int_equal(
		rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 9, .flags = SEG_ACK })->options,
		0);
}

/* RFC7323-3.2a2: ACK, challenge ACK, text, FIN, probe, RST of a live connection; the rig looks at each. */
static void agreed__every_kind_of_segment__has_them(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = IRS + 9, .flags = SEG_RST });
	stamped(r, 0, 1, r->tsval);
	rig_write(r, 10);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
	rig_advance(r, SEC(2));
	rig_shutdown(r);
	rig_abort(r);
	assert_true(r->sent_count >= 6);
	for (unsigned i = 0; i < r->sent_count; i++)
		assert_int_equal(r->sent[i].seg.options, OPT_TS);
	assert_int_equal(r->sent[r->sent_count - 1].seg.flags, SEG_RST | SEG_ACK);
}

/* RFC7323-5.4: a millisecond a tick, and never back. */
static void tsval__moves_with_the_clock(struct tcb_rig *r)
{
	uint32_t before;

	rig_to(r, TCPS_ESTABLISHED);
	before = r->last_tsval;
	rig_clock(r, 60 * DAY);
	stamped(r, 0, 1, r->tsval);
	assert_int_equal(r->last_tsval - before, (uint32_t)(60ull * 24 * 3600 * 1000));
}

static const struct tcb_row rows[] = {
	{ "RFC7323-3.2c", ts_recent__delayed_acks__first_unacked_counts, ROW_TS },
	{ "RFC7323-3.2c-gap", ts_recent__gap__last_in_order_counts, ROW_TS },
	{ "RFC7323-4.3", ts_recent__never_goes_back, ROW_TS },
	{ "SEC-25", ts_recent__refused_segment__does_not_count, ROW_TS },
	{ "RFC7323-5.3", paws__older__is_refused_in_every_state, ROW_TS },
	{ "RFC7323-5.2", paws__rst__is_not_asked, ROW_TS },
	{ "RFC7323-5.5", paws__outdated__lets_in_and_begins_anew, ROW_TS },
	{ "RFC7323-3.2b", agreed__segment_without__is_dropped, ROW_TS },
	{ "RFC7323-3.2", not_agreed__stamps_mean_nothing, ROW_PLAIN },
	{ "RFC7323-3.2a2", agreed__every_kind_of_segment__has_them, ROW_TS },
	{ "RFC7323-5.4", tsval__moves_with_the_clock, ROW_TS },
};
GROUP(stamp);

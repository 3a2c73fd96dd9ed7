/* SPDX-License-Identifier: BSD-3-Clause */
/* The 2MSL record: TIME-WAIT, and FIN-WAIT-2 whose application is gone (sections 8, 9; RFC 6191, RFC 1337). */
#include "test_tcp.h"

#define FIN_ACK (SEG_FIN | SEG_ACK)

/* In both kinds SN is ISS+2; RN is IRS+2 in TIME-WAIT, IRS+1 in FIN-WAIT-2; MW is 10000. */
static uint32_t rn(const struct tcb_rig *r)
{
	return r->tw.flags & TW_FIN_WAIT_2 ? IRS + 1 : IRS + 2;
}

static void expect_ack(struct tcb_rig *r)
{
	const struct seg *a =
		rig_expect(r, (struct seg){ .seq = ISS + 2, .ack = rn(r), .flags = SEG_ACK });

	assert_int_equal(a->options, r->timestamps ? OPT_TS : 0);
	if (r->timestamps)
		assert_int_equal(a->tsecr, r->tw.ts_recent);
	assert_int_equal(a->wnd, r->tw.rcv_wnd);
	rig_silent(r);
}

static void expect_challenge(struct tcb_rig *r)
{
	expect_ack(r);
	rig_counted(r, STAT_CHALLENGE_SENT, 1);
}

/* ---- How long ---- */

static void time_wait__lasts_tw_len(struct tcb_rig *r)
{
	static const uint32_t len_ms[] = { 60000, 240000, 1000 };

	r->config->rto_min_ms = 200;
	for (size_t i = 0; i < COUNT(len_ms); i++) {
		r->config->tw_len_ms = len_ms[i];
		rig_to(r, TCPS_TIME_WAIT);
		rig_advance(r, MS(len_ms[i]) - MS(1));
		assert_false(r->done);
		rig_advance(r, MS(2));
		assert_true(r->done);
		rig_silent(r);
	}
}

static void time_wait__lasts_3_and_a_half_rto(struct tcb_rig *r)
{
	static const uint32_t rto_ms[] = { 17142, 17143, 20001, 120000 };

	for (size_t i = 0; i < COUNT(rto_ms); i++) {
		const uint32_t rto_3_5 = (rto_ms[i] * 7 + 1) / 2;
		const uint32_t want = rto_3_5 > 60000 ? rto_3_5 : 60000;

		rig_to(r, TCPS_TIME_WAIT);
		r->tcb.rto_ms = rto_ms[i];
		rig_bucket(r);
		assert_in_range(timewait_deadline(&r->host, &r->tw) - r->host.ceil_ms, want,
				want + 8);
	}
}

/* Fixed when entered. */
static void time_wait__length_is_that_of_its_beginning(struct tcb_rig *r)
{
	rig_to(r, TCPS_TIME_WAIT);
	r->config->tw_len_ms = 1000;
	rig_send_tw(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 2, .flags = FIN_ACK }, true);
	assert_int_equal(r->deadline - r->host.ceil_ms, 60000);
}

static void time_wait__fin_again__starts_anew(struct tcb_rig *r)
{
	rig_to(r, TCPS_TIME_WAIT);
	rig_advance(r, SEC(30));
	assert_int_equal(
		rig_send_tw(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 2, .flags = FIN_ACK }, true),
		TW_RESTART);
	expect_ack(r);
	rig_advance(r, SEC(60) - MS(1));
	assert_false(r->done);
	rig_advance(r, MS(2));
	assert_true(r->done);
}

static void time_wait__fin_again_with_old_text__starts_anew(struct tcb_rig *r)
{
	rig_to(r, TCPS_TIME_WAIT);
	assert_int_equal(rig_send_tw(r,
				     (struct seg){ .seq = IRS + 1 - 7,
						   .ack = ISS + 2,
						   .text_len = 7,
						   .flags = FIN_ACK },
				     true),
			 TW_RESTART);
	expect_ack(r);
}

/* TW-4: nothing else does. seq is from RN, ack from SN. */
static void time_wait__anything_else__does_not_restart(struct tcb_rig *r)
{
	static const struct {
		uint32_t seq, ack;
		uint16_t len;
		uint8_t flags;
		bool challenged;
	} junk[] = {
		{ 0, 0, 0, SEG_ACK, false },	      { 0, 0u - 10000, 0, SEG_ACK, false },
		{ 1, 0, 0, SEG_ACK, true },	      { 0u - 1, 0, 0, SEG_ACK, true },
		{ 0u - 6, 0, 5, SEG_ACK, true },      { 0u - 5, 0, 5, SEG_ACK, true },
		{ 0, 0, 5, SEG_ACK, true },	      { 0, 0, 0, FIN_ACK, true },
		{ 5, 0, 0, FIN_ACK, true },	      { 0u - 2, 0, 0, FIN_ACK, true },
		{ 0u - 1, 1, 0, FIN_ACK, true },      { 0u - 1, 0u - 10001, 0, FIN_ACK, true },
		{ 0, 1, 0, SEG_ACK, true },	      { 30000, 0, 5, SEG_ACK, true },
		{ 0u - 2, 0, 0, SEG_SYN, true },      { 0, 0, 0, 0, false },
		{ 0, 0, 0, SEG_FIN, false },	      { 1, 0, 0, SEG_SYN | SEG_ACK, true },
		{ 1, 0, 0, SEG_SYN | SEG_FIN, true }, { 1, 0, 0, SEG_RST, false },
		{ 0, 0, 0, SEG_RST, false },
	};

	for (size_t i = 0; i < COUNT(junk); i++) {
		uint32_t deadline;

		rig_to(r, TCPS_TIME_WAIT);
		deadline = r->deadline;
		rig_advance(r, SEC(1));
		assert_int_equal(rig_send_tw(r,
					     (struct seg){ .seq = IRS + 2 + junk[i].seq,
							   .ack = ISS + 2 + junk[i].ack,
							   .text_len = junk[i].len,
							   .flags = junk[i].flags },
					     true),
				 TW_KEEP);
		assert_int_equal(r->deadline, deadline);
		if (junk[i].challenged)
			expect_challenge(r);
		rig_counted(r, STAT_ACK_OUT_OF_RANGE,
			    (junk[i].flags & ~SEG_FIN) == SEG_ACK &&
				    (junk[i].ack == 1 || junk[i].ack == 0u - 10001));
		rig_silent(r);
		rig_advance(r, SEC(59) + MS(2));
		assert_true(r->done);
	}
}

/* ---- RFC 1337 ---- */

/* An old duplicate draws a challenge, the peer that is gone answers with a RST: the wait goes on. */
static void time_wait__assassination__fails(struct tcb_rig *r)
{
	uint32_t ack;

	rig_to(r, TCPS_TIME_WAIT);
	rig_send_tw(r,
		    (struct seg){
			    .seq = IRS + 2 - 500, .ack = ISS + 2, .text_len = 100, .flags = SEG_ACK },
		    true);
	ack = rig_expect(r, (struct seg){ .seq = ISS + 2, .ack = IRS + 2, .flags = SEG_ACK })->ack;
	assert_int_equal(rig_send_tw(r, (struct seg){ .seq = ack, .flags = SEG_RST }, true), TW_KEEP);
	rig_silent(r);
	rig_counted(r, STAT_RST_IGNORED, 1);
	rig_advance(r, SEC(60) - MS(1));
	assert_false(r->done);
}

static void time_wait__rst_believed__by_knob(struct tcb_rig *r)
{
	r->config->rfc1337 = false;
	rig_to(r, TCPS_TIME_WAIT);
	assert_int_equal(rig_send_tw(r, (struct seg){ .seq = IRS + 1, .flags = SEG_RST }, true),
			 TW_KEEP);
	rig_silent(r);
	assert_int_equal(rig_send_tw(r, (struct seg){ .seq = IRS + 3, .flags = SEG_RST }, true),
			 TW_KEEP);
	expect_challenge(r);
	assert_int_equal(rig_send_tw(r, (struct seg){ .seq = IRS + 2, .flags = SEG_RST }, true),
			 TW_FREE);
	rig_silent(r);
	rig_counted(r, STAT_RST_OK, 1);
}

/* ---- TW-P1 to TW-P7: a new SYN. seq is from RN-1, tsval from TS.Recent. ---- */

struct reuse {
	uint32_t seq, tsval;
	bool stamped, newer;
};

static void try_reuse(struct tcb_rig *r, const struct reuse *c)
{
	struct seg syn = { .seq = IRS + 1 + c->seq, .flags = SEG_SYN };
	const bool timestamps = r->timestamps;

	rig_to(r, TCPS_TIME_WAIT);
	r->timestamps = false; /* of the SYN; the record has its own */
	if (c->stamped) {
		syn.options = OPT_TS;
		syn.tsval = r->tsval + c->tsval;
	}
	if (rig_send_tw(r, syn, true) != (c->newer ? TW_REOPEN : TW_KEEP))
		fail_msg("SYN at RN-1%+d, TSval %+d: newer is %d", (int)c->seq, (int)c->tsval,
			 c->newer);
	r->timestamps = timestamps;
	if (!c->newer) {
		const bool by_ts = c->stamped && timestamps && c->tsval != 0;

		rig_counted(r, STAT_TW_REFUSED_TS, by_ts);
		rig_counted(r, STAT_TW_REFUSED_SEQ, !by_ts);
		expect_challenge(r);
		return;
	}
	rig_silent(r);
	rig_to(r, TCPS_TIME_WAIT);
	r->timestamps = false;
	assert_int_equal(rig_send_tw(r, syn, false), TW_KEEP); /* TW-P7 */
	r->timestamps = timestamps;
	expect_challenge(r);
	rig_counted(r, STAT_TW_REFUSED_NO_LISTENER, 1);
}

static void time_wait__syn__timestamps_on_both(struct tcb_rig *r)
{
	static const struct reuse cases[] = {
		/* TW-P1 */
		{ 1, 1, true, true },
		{ 0, 1, true, true },
		{ 0u - 100000, 1, true, true },
		{ 0x80000000, 0x7fffffff, true, true },
		/* TW-P2 */
		{ 0, 0, true, false },
		{ 0u - 1, 0, true, false },
		{ 1, 0, true, true },
		{ 0x7fffffff, 0, true, true },
		{ 0x80000001, 0, true, false },
		/* TW-P3 */
		{ 1, 0u - 1, true, false },
		{ 1000, 0x80000001, true, false },
		/* TW-P4 */
		{ 0, 0, false, false },
		{ 1, 0, false, true },
		{ 0u - 1, 0, false, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		try_reuse(r, &cases[i]);
}

static void time_wait__syn__old_without_timestamps(struct tcb_rig *r)
{
	static const struct reuse cases[] = {
		/* TW-P5 */
		{ 1, 5, true, true },
		{ 0, 5, true, false },
		{ 0u - 1, 5, true, false },
		/* TW-P6 */
		{ 1, 0, false, true },
		{ 0x7fffffff, 0, false, true },
		{ 0, 0, false, false },
		{ 0u - 1, 0, false, false },
		{ 0x80000001, 0, false, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		try_reuse(r, &cases[i]);
}

static void time_wait__syn__new_timestamps_by_knob(struct tcb_rig *r)
{
	static const struct reuse cases[] = { { 0u - 1, 5, true, true }, { 0u - 1, 0, false, false } };

	r->config->tw_accept_ts_new = true;
	for (size_t i = 0; i < COUNT(cases); i++)
		try_reuse(r, &cases[i]);
}

static void time_wait__iss__is_past_the_old(struct tcb_rig *r)
{
	rig_to(r, TCPS_TIME_WAIT);
	assert_int_equal(timewait_iss(&r->tw), ISS + 2 + 65537);
	r->tw.snd_nxt = 0u - 65537;
	assert_int_equal(timewait_iss(&r->tw), 1);
}

/* ---- What it remembers, and the limiter ---- */

static void time_wait__record__is_of_the_tcb(struct tcb_rig *r)
{
	r->wscale = 2;
	rig_to(r, TCPS_TIME_WAIT);
	assert_int_equal(r->tw.snd_nxt, ISS + 2);
	assert_int_equal(r->tw.rcv_nxt, IRS + 2);
	assert_int_equal(r->tw.max_wnd, 40000);
	assert_int_equal(r->tw.rcv_wscale, 3);
	assert_int_equal(r->tw.rcv_wnd, (r->tcb.rcv_adv - r->tcb.rcv_nxt) >> 3);
	assert_int_equal(r->tw.flags, r->timestamps ? TW_TS : 0);
	assert_int_equal(r->tw.entered_ms, r->host.now_ms);
	if (r->timestamps)
		assert_int_equal(r->tw.ts_recent, r->tsval);
	assert_int_equal(sizeof(r->tw), 40);
}

static void time_wait__challenges__one_in_500_ms(struct tcb_rig *r)
{
	rig_to(r, TCPS_TIME_WAIT);
	for (unsigned ms = 0; ms < 1000; ms++) {
		rig_send_tw(r, (struct seg){ .seq = IRS + 9, .ack = ISS + 2, .flags = SEG_ACK },
			    true);
		rig_clock(r, MS(1));
	}
	rig_counted(r, STAT_CHALLENGE_SENT, 2);
	rig_counted(r, STAT_CHALLENGE_SUPPRESSED, 998);
}

/* The FIN again is answered beside the limiter: the peer needs it. */
static void time_wait__fin_again__is_beside_the_limiter(struct tcb_rig *r)
{
	rig_to(r, TCPS_TIME_WAIT);
	for (unsigned n = 0; n < 50; n++)
		rig_send_tw(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 2, .flags = FIN_ACK },
			    true);
	assert_int_equal(r->sent_count, 50);
}

static void record__timestamps__missing_or_old(struct tcb_rig *r)
{
	static const enum tcp_state states[] = { TCPS_TIME_WAIT, TCPS_FIN_WAIT_2 };

	for (size_t i = 0; i < COUNT(states); i++) {
		r->config->ts_lenient = false;
		rig_to(r, states[i]);
		rig_send_tw(r,
			    (struct seg){ .seq = rn(r),
					  .ack = ISS + 2,
					  .flags = SEG_ACK,
					  .options = OPT_TS,
					  .tsval = r->tsval - 1 },
			    true);
		expect_challenge(r);
		rig_counted(r, STAT_PAWS_REFUSED, 1);
		r->timestamps = false;
		rig_send_tw(r, (struct seg){ .seq = rn(r) - 1, .ack = ISS + 2, .flags = FIN_ACK },
			    true);
		rig_silent(r);
		rig_counted(r, STAT_TS_MISSING, 1);
		r->config->ts_lenient = true;
		rig_clock(r, SEC(1));
		rig_send_tw(r, (struct seg){ .seq = rn(r) - 1, .ack = ISS + 2, .flags = FIN_ACK },
			    true);
		assert_int_equal(r->sent_count, 1);
		r->timestamps = true;
	}
}

/* RFC7323-3.2c holds here too, so that TW-P1 compares with the newest. */
static void record__ts_recent__moves_on(struct tcb_rig *r)
{
	static const enum tcp_state states[] = { TCPS_TIME_WAIT, TCPS_FIN_WAIT_2 };

	for (size_t i = 0; i < COUNT(states); i++) {
		rig_to(r, states[i]);
		rig_send_tw(r,
			    (struct seg){ .seq = rn(r),
					  .ack = ISS + 2,
					  .flags = SEG_ACK,
					  .options = OPT_TS,
					  .tsval = r->tsval + 9 },
			    true);
		rig_silent(r);
		assert_int_equal(r->tw.ts_recent, r->tsval + 9);
		rig_send_tw(r,
			    (struct seg){ .seq = rn(r) + 1,
					  .ack = ISS + 2,
					  .flags = SEG_ACK,
					  .options = OPT_TS,
					  .tsval = r->tsval + 10 },
			    true);
		assert_int_equal(r->tw.ts_recent, r->tsval + 9);
	}
}

/* ---- FIN-WAIT-2, orphaned ---- */

static void fin_wait_2__lasts_fin_timeout(struct tcb_rig *r)
{
	r->config->fin_timeout_ms = 30000;
	rig_to(r, TCPS_FIN_WAIT_2);
	assert_int_equal(r->tw.flags, TW_FIN_WAIT_2 | (r->timestamps ? TW_TS : 0));
	while (rig_now(r) < SEC(29)) { /* HF-FW2-3: ACKs do not keep it */
		rig_advance(r, SEC(1));
		rig_send_tw(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 2, .flags = SEG_ACK },
			    true);
		rig_send_tw(r, (struct seg){ .seq = IRS, .ack = ISS + 2, .flags = SEG_ACK }, true);
	}
	rig_forget(r);
	rig_advance(r, MS(900));
	assert_false(r->done);
	rig_advance(r, MS(200));
	assert_true(r->done);
	rig_silent(r);
}

static void fin_wait_2__fin_in_order__becomes_time_wait(struct tcb_rig *r)
{
	rig_to(r, TCPS_FIN_WAIT_2);
	rig_advance(r, SEC(10));
	assert_int_equal(rig_send_tw(r,
				     (struct seg){ .seq = IRS + 1,
						   .ack = ISS + 2,
						   .flags = FIN_ACK,
						   .options = r->timestamps ? OPT_TS : 0,
						   .tsval = r->tsval + 1 },
				     true),
			 TW_START);
	expect_ack(r);
	assert_int_equal(r->tw.rcv_nxt, IRS + 2);
	assert_int_equal(r->tw.entered_ms, r->host.now_ms);
	if (r->timestamps)
		assert_int_equal(r->tw.ts_recent, r->tsval + 1);
	rig_advance(r, SEC(60) - MS(1));
	assert_false(r->done);
	rig_advance(r, MS(2));
	assert_true(r->done);
}

/* The peer may send the last of its text again together with its FIN: only the FIN is new. */
static void fin_wait_2__fin_behind_old_text__becomes_time_wait(struct tcb_rig *r)
{
	rig_to(r, TCPS_FIN_WAIT_2);
	assert_int_equal(rig_send_tw(r,
				     (struct seg){ .seq = IRS + 1 - 20,
						   .ack = ISS + 2,
						   .text_len = 20,
						   .flags = FIN_ACK },
				     true),
			 TW_START);
	expect_ack(r);
}

static void fin_wait_2__text__resets(struct tcb_rig *r)
{
	static const struct {
		uint32_t seq; /* from RN */
		uint16_t len;
		uint8_t flags;
	} cases[] = { { 0, 1, SEG_ACK },      { 0, 5, FIN_ACK },  { 0u - 3, 5, SEG_ACK },
		      { 0u - 3, 5, FIN_ACK }, { 10, 5, SEG_ACK }, { 10, 0, FIN_ACK } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		rig_to(r, TCPS_FIN_WAIT_2);
		assert_int_equal(rig_send_tw(r,
					     (struct seg){ .seq = IRS + 1 + cases[i].seq,
							   .ack = ISS + 2,
							   .text_len = cases[i].len,
							   .flags = cases[i].flags },
					     true),
				 TW_FREE);
		assert_int_equal(rig_expect(r, (struct seg){ .seq = ISS + 2,
							     .ack = IRS + 1,
							     .flags = SEG_RST | SEG_ACK })
					 ->options,
				 r->timestamps ? OPT_TS : 0);
		rig_silent(r);
		rig_counted(r, STAT_ABORT_ON_DATA, 1);
	}
}

static void fin_wait_2__other_segments(struct tcb_rig *r)
{
	static const struct {
		uint32_t seq, ack; /* from RN, SN */
		uint16_t len;
		uint8_t flags;
		enum timewait_verdict verdict;
		bool challenged;
	} cases[] = {
		{ 0, 0, 0, SEG_ACK, TW_KEEP, false },
		{ 0, 0u - 10000, 0, SEG_ACK, TW_KEEP, false },
		{ 0, 1, 0, SEG_ACK, TW_KEEP, true },
		{ 0, 0u - 10001, 5, SEG_ACK, TW_KEEP, true },
		{ 0u - 5, 0, 5, SEG_ACK, TW_KEEP, true },
		{ 0u - 1, 0, 0, FIN_ACK, TW_KEEP, true },
		{ 20000, 0, 5, SEG_ACK, TW_KEEP, true },
		{ 0u - 1, 0, 0, SEG_ACK, TW_KEEP, true },
		{ 0, 0, 0, SEG_SYN, TW_KEEP, true },
		{ 99999, 0, 0, SEG_SYN, TW_KEEP, true },
		{ 0, 0, 0, SEG_SYN | SEG_ACK, TW_KEEP, true },
		{ 0, 0, 0, SEG_RST, TW_FREE, false },
		{ 1, 0, 0, SEG_RST, TW_KEEP, true },
		{ 0u - 1, 0, 0, SEG_RST, TW_KEEP, false },
		{ 20000, 0, 0, SEG_RST, TW_KEEP, false },
		{ 0, 0, 5, SEG_PSH, TW_KEEP, false },
		{ 0, 0, 0, SEG_FIN, TW_KEEP, false },
		{ 20000, 0, 0, SEG_ACK, TW_KEEP, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		rig_to(r, TCPS_FIN_WAIT_2);
		if (rig_send_tw(r,
				(struct seg){ .seq = IRS + 1 + cases[i].seq,
					      .ack = ISS + 2 + cases[i].ack,
					      .text_len = cases[i].len,
					      .flags = cases[i].flags },
				true) != cases[i].verdict)
			fail_msg("case %u", (unsigned)i);
		if (cases[i].challenged)
			expect_challenge(r);
		rig_silent(r);
	}
}

/* A window that the field shows as zero lets only RN in. */
static void fin_wait_2__zero_window(struct tcb_rig *r)
{
	rig_to(r, TCPS_FIN_WAIT_2);
	r->tw.rcv_wnd = 0;
	rig_send_tw(r, (struct seg){ .seq = IRS + 2, .ack = ISS + 2, .flags = SEG_ACK }, true);
	expect_challenge(r);
	assert_int_equal(
		rig_send_tw(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 2, .flags = FIN_ACK }, true),
		TW_START);
}

static const struct tcb_row rows[] = {
	{ "MUST-13", time_wait__lasts_tw_len, 0 },
	{ "MUST-13-rto", time_wait__lasts_3_and_a_half_rto, 0 },
	{ "MUST-13-fixed", time_wait__length_is_that_of_its_beginning, 0 },
	{ "TW-3", time_wait__fin_again__starts_anew, 0 },
	{ "TW-3-text", time_wait__fin_again_with_old_text__starts_anew, 0 },
	{ "TW-4", time_wait__anything_else__does_not_restart, 0 },
	{ "RFC1337-F1", time_wait__assassination__fails, 0 },
	{ "SE-R-TIME_WAIT", time_wait__rst_believed__by_knob, 0 },
	{ "TW-P1", time_wait__syn__timestamps_on_both, ROW_TS },
	{ "TW-P6", time_wait__syn__old_without_timestamps, ROW_PLAIN },
	{ "TW-P5", time_wait__syn__new_timestamps_by_knob, ROW_PLAIN },
	{ "TW-P8", time_wait__iss__is_past_the_old, 0 },
	{ "TW-2", time_wait__record__is_of_the_tcb, 0 },
	{ "TW-5", time_wait__challenges__one_in_500_ms, 0 },
	{ "TW-3-limiter", time_wait__fin_again__is_beside_the_limiter, 0 },
	{ "RFC7323-3.2b-record", record__timestamps__missing_or_old, ROW_TS },
	{ "RFC7323-3.2c-record", record__ts_recent__moves_on, ROW_TS },
	{ "HF-FW2-3", fin_wait_2__lasts_fin_timeout, 0 },
	{ "HF-FW2-2-fin", fin_wait_2__fin_in_order__becomes_time_wait, 0 },
	{ "HF-FW2-2-fin-text", fin_wait_2__fin_behind_old_text__becomes_time_wait, 0 },
	{ "HF-FW2-2-text", fin_wait_2__text__resets, 0 },
	{ "HF-FW2-2", fin_wait_2__other_segments, 0 },
	{ "HF-FW2-2-window", fin_wait_2__zero_window, 0 },
};
GROUP(timewait);

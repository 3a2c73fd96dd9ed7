/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN-RECEIVED from LISTEN: the SYN-ACK, its repeats, and every segment that can meet a request
 * (Tables S, K, D, F, R, rows SYN_RCVD/p). */
#include <errno.h>

#include "test_tcp.h"

#define SYNACK (SEG_SYN | SEG_ACK)

static const struct seg *expect_synack(struct tcb_rig *r)
{
	return rig_expect(r, (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SYNACK });
}

static void expect_challenge(struct tcb_rig *r)
{
	const struct seg *c =
		rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK });

	if (r->timestamps) {
		assert_int_equal(c->options, OPT_TS);
		assert_int_equal(c->tsecr, r->tsval);
	}
	rig_silent(r);
	rig_counted(r, STAT_CHALLENGE_SENT, 1);
}

static void listen__syn__is_answered(struct tcb_rig *r)
{
	const struct seg *synack;

	r->wscale = 4;
	rig_listen(r);
	synack = expect_synack(r);
	rig_silent(r);
	assert_int_equal(synack->options, OPT_MSS | OPT_WSCALE | (r->timestamps ? OPT_TS : 0));
	assert_int_equal(synack->mss, MSS);
	assert_int_equal(synack->wscale, 3);
	assert_int_equal(synack->wnd, 20000);
	if (r->timestamps)
		assert_int_equal(synack->tsecr, r->tsval);
	assert_int_equal(r->host.levels[TCPS_SYN_RECEIVED].now, 1);
	rig_counted(r, STAT_REQUEST_OPENED, 1);
}

static void listen__syn_without_options__gets_mss_alone(struct tcb_rig *r)
{
	r->mss = 0;
	rig_listen(r);
	assert_int_equal(expect_synack(r)->options, OPT_MSS);
}

static void request__timer__repeats_the_synack(struct tcb_rig *r)
{
	static const uint64_t at_s[] = { 0, 1, 3, 7, 15, 31 };

	rig_listen(r);
	rig_advance(r, SEC(62));
	for (size_t i = 0; i < COUNT(at_s); i++)
		rig_expect_at(r, SEC(at_s[i]) + (i ? 0 : 0),
			      (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SYNACK });
	rig_silent(r);
	assert_false(r->done);
	rig_counted(r, STAT_RETRANSMIT_SYNACK, 5);
	rig_advance(r, SEC(1) + MS(7)); /* each tick may be one late */
	assert_true(r->done);
	assert_in_range(rig_now(r), SEC(63), SEC(63) + MS(7));
	rig_silent(r);
	assert_int_equal(r->host.levels[TCPS_SYN_RECEIVED].now, 0);
}

static void request__repeated_syn__at_most_two_a_second(struct tcb_rig *r)
{
	rig_listen(r);
	rig_forget(r);
	for (unsigned ms = 0; ms < 1000; ms += 10) {
		rig_clock(r, MS(10));
		rig_send_rq(r, (struct seg){ .seq = IRS, .flags = SEG_SYN });
	}
	rig_expect_at(r, MS(500), (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SYNACK });
	rig_expect_at(r, MS(1000), (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SYNACK });
	rig_silent(r);
	rig_counted(r, STAT_SYNACK_SUPPRESSED, 98);
	rig_counted(r, STAT_REQUEST_OPENED, 0);
}

/* Table S: beside the first SYN again. seq is from RN; the window is 20000. */
static void request__other_syn__challenged_or_back_to_listen(struct tcb_rig *r)
{
	static const struct {
		uint32_t seq;
		uint8_t flags;
		enum request_verdict verdict;
	} cases[] = {
		{ 0, SEG_SYN, REQUEST_FREE },
		{ 19999, SEG_SYN, REQUEST_FREE },
		{ 20000, SEG_SYN, REQUEST_KEEP },
		{ 0u - 2, SEG_SYN, REQUEST_KEEP },
		{ 0, SYNACK, REQUEST_FREE },
		{ 19999, SYNACK, REQUEST_FREE },
		{ 20000, SYNACK, REQUEST_KEEP },
		{ 0u - 1, SYNACK, REQUEST_KEEP },
		{ 0u - 1, SEG_SYN | SEG_FIN, REQUEST_KEEP },
		{ 5, SEG_SYN | SEG_FIN, REQUEST_KEEP },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		rig_to(r, TCPS_SYN_RECEIVED);
		assert_int_equal(rig_send_rq(r, (struct seg){ .seq = IRS + 1 + cases[i].seq,
							      .ack = ISS + 1,
							      .flags = cases[i].flags }),
				 cases[i].verdict);
		if (cases[i].verdict == REQUEST_KEEP) {
			expect_challenge(r);
			tcp_level_leave(&r->host, TCPS_SYN_RECEIVED);
		}
		rig_silent(r);
	}
}

/* Table R */
static void request__rst__exact_inside_outside(struct tcb_rig *r)
{
	rig_to(r, TCPS_SYN_RECEIVED);
	assert_int_equal(rig_send_rq(r, (struct seg){ .seq = IRS, .flags = SEG_RST }), REQUEST_KEEP);
	assert_int_equal(rig_send_rq(r, (struct seg){ .seq = IRS + 20001, .flags = SEG_RST }),
			 REQUEST_KEEP);
	rig_silent(r);
	rig_counted(r, STAT_RST_IGNORED, 2);
	assert_int_equal(rig_send_rq(r, (struct seg){ .seq = IRS + 20000, .flags = SEG_RST }),
			 REQUEST_KEEP);
	expect_challenge(r);
	rig_counted(r, STAT_RST_CHALLENGED, 1);
	assert_int_equal(rig_send_rq(r, (struct seg){ .seq = IRS + 1, .flags = SEG_RST | SEG_SYN }),
			 REQUEST_FREE);
	rig_silent(r);
}

/* Table K */
static void request__bad_ack__draws_reset(struct tcb_rig *r)
{
	static const uint32_t bad[] = { 0, 2, 0u - 9000, 0u - 20000, 0x7fffffff };

	rig_to(r, TCPS_SYN_RECEIVED);
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(rig_send_rq(r, (struct seg){ .seq = IRS + 1,
							      .ack = ISS + bad[i],
							      .text_len = 7,
							      .flags = SEG_ACK }),
				 REQUEST_KEEP);
		rig_expect(r, (struct seg){ .seq = ISS + bad[i], .flags = SEG_RST });
	}
	rig_silent(r);
	rig_counted(r, STAT_RST_OUT_BAD_ACK, COUNT(bad));
}

static void request__no_syn_rst_ack__is_dropped(struct tcb_rig *r)
{
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_send_rq(r, (struct seg){ .seq = IRS + 1, .flags = 0 });
	rig_send_rq(r, (struct seg){ .seq = IRS + 1, .flags = SEG_FIN });
	rig_send_rq(r, (struct seg){ .seq = IRS + 1, .text_len = 9, .flags = SEG_PSH });
	rig_silent(r);
	rig_counted(r, STAT_NO_ACK, 3);
}

/* Table D: whatever is not acceptable draws C, wholly old text too, for nothing old can exist. */
static void request__out_of_window__is_challenged(struct tcb_rig *r)
{
	static const struct {
		uint32_t seq;
		uint16_t len;
		uint8_t flags;
	} cases[] = { { 0u - 1, 0, 0 },
		      { 0u - 5, 5, 0 },
		      { 20000, 0, 0 },
		      { 20000, 5, 0 },
		      { 0u - 1, 0, SEG_FIN } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		rig_to(r, TCPS_SYN_RECEIVED);
		rig_send_rq(r, (struct seg){ .seq = IRS + 1 + cases[i].seq,
					     .ack = ISS + 1,
					     .text_len = cases[i].len,
					     .flags = (uint8_t)(SEG_ACK | cases[i].flags) });
		assert_int_equal(r->out.answer[0].wnd, 20000); /* no scale was agreed */
		expect_challenge(r);
		rig_counted(r, STAT_OUT_OF_WINDOW, 1);
	}
}

static void request__challenges__one_in_500_ms(struct tcb_rig *r)
{
	rig_to(r, TCPS_SYN_RECEIVED);
	for (unsigned ms = 0; ms < 1000; ms++) {
		rig_send_rq(r, (struct seg){ .seq = IRS + 9, .flags = SEG_RST });
		rig_clock(r, MS(1));
	}
	rig_counted(r, STAT_CHALLENGE_SENT, 2);
	rig_counted(r, STAT_CHALLENGE_SUPPRESSED, 998);
}

static void request__last_ack__establishes(struct tcb_rig *r)
{
	r->wnd = 4321;
	r->wscale = 2;
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_clock(r, MS(50));
	assert_int_equal(rig_send_rq(r, (struct seg){ .seq = IRS + 1,
						      .ack = ISS + 1,
						      .flags = SEG_ACK,
						      .wnd = 111 }),
			 REQUEST_PROMOTE);
	rig_state(r, TCPS_ESTABLISHED);
	rig_silent(r);
	assert_int_equal(r->events, 0); /* ACCEPT is the worker's to say */
	assert_int_equal(r->tcb.version, 4);
	assert_int_equal(r->tcb.snd_wnd, 444);
	assert_int_equal(r->tcb.snd_wl1, IRS + 1);
	assert_int_equal(r->tcb.snd_wl2, ISS + 1);
	assert_int_equal(r->tcb.max_wnd, 4321);
	assert_int_equal(r->tcb.rcv_adv, IRS + 1 + 20000);
	assert_int_equal(r->tcb.snd_mss, MSS - (r->timestamps ? 12 : 0));
	assert_int_equal(r->tcb.srtt_us, 50000);
	rig_counted(r, STAT_PASSIVE_ESTABLISHED, 1);
	assert_int_equal(r->host.levels[TCPS_SYN_RECEIVED].now, 0);
}

/* HF-OP4 */
static void request__last_ack_with_text_and_fin__does_all(struct tcb_rig *r)
{
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_send_rq(r, (struct seg){ .seq = IRS + 1,
				     .ack = ISS + 1,
				     .text_len = 10,
				     .flags = SEG_ACK | SEG_FIN });
	rig_state(r, TCPS_CLOSE_WAIT);
	assert_int_equal(r->delivered, 10);
	assert_int_equal(r->events, TCP_EV_READABLE | TCP_EV_EOF);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 12, .flags = SEG_ACK });
	rig_silent(r);
}

/* RFC 6298 5.7, Karn: after a SYN-ACK sent twice no round trip is known, and RTO is 3 s. */
static void request__synack_repeated_by_timer__rto_is_3_s(struct tcb_rig *r)
{
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_advance(r, MS(1100));
	rig_send_rq(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
	rig_counted(r, STAT_RTT_SAMPLES, 0);
	assert_int_equal(r->tcb.cwnd, r->tcb.snd_mss);
	rig_write(r, 10);
	assert_int_equal(r->tcb.rto_ms, 3000);
}

static void request__synack_repeated_by_syn__rto_is_3_s_too(struct tcb_rig *r)
{
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_clock(r, MS(600));
	rig_send_rq(r, (struct seg){ .seq = IRS, .flags = SEG_SYN });
	rig_send_rq(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
	rig_state(r, TCPS_ESTABLISHED);
	rig_counted(r, STAT_RTT_SAMPLES, 0);
	rig_write(r, 10);
	assert_int_equal(r->tcb.rto_ms, 3000);
}

/* RFC 7323 4.3: it echoes the SYN that it answers, not the first; a peer takes its round trip from that. */
static void request__repeated_syn__is_echoed(struct tcb_rig *r)
{
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_clock(r, MS(1000));
	r->tsval += 1000;
	rig_send_rq(r, (struct seg){ .seq = IRS, .flags = SEG_SYN });
	assert_int_equal(expect_synack(r)->tsecr, r->tsval);
	rig_clock(r, MS(1000));
	rig_send_rq(r, (struct seg){ .seq = IRS,
				     .flags = SEG_SYN,
				     .options = OPT_TS,
				     .tsval = r->tsval - 1000 });
	assert_int_equal(expect_synack(r)->tsecr, r->tsval); /* the first one, late */
}

static void request__old_tsval__is_challenged(struct tcb_rig *r)
{
	const struct seg old = { .seq = IRS + 1,
				 .ack = ISS + 1,
				 .flags = SEG_ACK,
				 .options = OPT_TS,
				 .tsval = r->tsval - 1 };

	rig_to(r, TCPS_SYN_RECEIVED);
	assert_int_equal(rig_send_rq(r, old), REQUEST_KEEP);
	rig_counted(r, STAT_PAWS_REFUSED, 1);
	expect_challenge(r);
}

static void request__no_timestamp__is_dropped(struct tcb_rig *r)
{
	const struct seg bare = { .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK };

	rig_to(r, TCPS_SYN_RECEIVED);
	r->timestamps = false;
	assert_int_equal(rig_send_rq(r, bare), REQUEST_KEEP);
	rig_silent(r);
	rig_counted(r, STAT_TS_MISSING, 1);
	r->config->ts_lenient = true;
	assert_int_equal(rig_send_rq(r, bare), REQUEST_PROMOTE);
	rig_state(r, TCPS_ESTABLISHED);
}

/* RFC4987-cookie2: what the SYN offered comes back with the last ACK, in TSval's low bits or not at all. */
static void cookie__terms__ride_on_the_timestamp(struct tcb_rig *r)
{
	static const int wscales[] = { -1, 0, 7, 14 };

	for (unsigned n = 0; n < COUNT(wscales) * 2; n++) {
		const bool sack = n % 2;
		const int wscale = wscales[n / 2];
		struct seg syn =
			rig_fill(r, (struct seg){ .seq = IRS,
						  .flags = SEG_SYN,
						  .options = sack ? OPT_SACK_PERMITTED : 0 });
		struct seg ack = { .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK };
		const struct seg *synack;

		if (wscale >= 0) {
			syn.options |= OPT_WSCALE;
			syn.wscale = (uint8_t)wscale;
		}
		rig_clock(r, MS(1));
		out_init(&r->out);
		request_cookie(&r->host, &syn, 4, r->host.config.mss[0], ISS, 0x12345678, &r->out);
		assert_int_equal(r->out.answers, 1);
		synack = &r->out.answer[0];
		assert_int_equal(synack->flags, SYNACK);
		assert_int_equal(synack->seq, ISS);
		assert_int_equal(synack->ack, IRS + 1);
		assert_int_equal(synack->options,
				 OPT_MSS | (r->timestamps ? syn.options & ~OPT_MSS : 0));
		if (r->timestamps) { /* the clock, less than its 64 ticks behind */
			assert_in_range(r->host.now_ms + 0x12345678 - synack->tsval, 0, 127);
			ack.options = OPT_TS;
			ack.tsval = r->tsval + 3;
			ack.tsecr = synack->tsval;
		}
		request_recall(&r->host, &r->rq, &ack, 4, 888, 0x12345678);
		request_promote(&r->host, &r->rq, &r->tcb);
		assert_int_equal(r->tcb.iss, ISS);
		assert_int_equal(r->tcb.irs, IRS);
		assert_int_equal(r->tcb.snd_mss, r->timestamps ? 876 : 888);
		assert_int_equal(r->tcb.flags & (TCB_TS | TCB_SACK | TCB_WSCALE | TCB_TIMING),
				 !r->timestamps ? 0 :
						  TCB_TS | (sack ? TCB_SACK : 0) |
							  (wscale >= 0 ? TCB_WSCALE : 0));
		assert_int_equal(r->tcb.snd_wscale, r->timestamps && wscale > 0 ? wscale : 0);
		if (r->timestamps)
			assert_int_equal(r->tcb.ts_recent, r->tsval + 3);
		tcp_level_leave(&r->host, TCPS_SYN_RECEIVED);
	}
}

/* And the ACK that carried it establishes. */
static void cookie__its_ack__establishes(struct tcb_rig *r)
{
	struct seg ack = rig_fill(
		r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .text_len = 3, .flags = SEG_ACK });

	request_recall(&r->host, &r->rq, &ack, 4, MSS, 0xfffff000);
	r->kind = RIG_REQUEST;
	assert_int_equal(rig_send_rq(r, ack), REQUEST_PROMOTE);
	rig_state(r, TCPS_ESTABLISHED);
	assert_int_equal(r->delivered, 3);
	assert_int_equal(r->tcb.snd_wnd, 10000);
	rig_counted(r, STAT_RTT_SAMPLES, 0);
}

static const struct tcb_row rows[] = {
	{ "HF-OP1-synack", listen__syn__is_answered, 0 },
	{ "RFC7323-3.2a-synack", listen__syn_without_options__gets_mss_alone, ROW_PLAIN },
	{ "HF-OP2", request__timer__repeats_the_synack, 0 },
	{ "HF-RL6", request__repeated_syn__at_most_two_a_second, 0 },
	{ "SE-S-SYN_RCVD_P", request__other_syn__challenged_or_back_to_listen, 0 },
	{ "SE-R-SYN_RCVD_P", request__rst__exact_inside_outside, 0 },
	{ "SE-K-SYN_RCVD_P", request__bad_ack__draws_reset, 0 },
	{ "SE-S-SYN_RCVD_P-none", request__no_syn_rst_ack__is_dropped, 0 },
	{ "SE-D-SYN_RCVD_P", request__out_of_window__is_challenged, 0 },
	{ "RFC5961-7-request", request__challenges__one_in_500_ms, 0 },
	{ "SE-K-SYN_RCVD_P-new", request__last_ack__establishes, 0 },
	{ "HF-OP4", request__last_ack_with_text_and_fin__does_all, 0 },
	{ "RFC6298-5.7", request__synack_repeated_by_timer__rto_is_3_s, 0 },
	{ "RFC6298-5.7-syn, MUST-18-synack", request__synack_repeated_by_syn__rto_is_3_s_too, 0 },
	{ "RFC7323-3.2c-syn", request__repeated_syn__is_echoed, ROW_TS },
	{ "RFC7323-5.3-request", request__old_tsval__is_challenged, ROW_TS },
	{ "RFC7323-3.2b-request", request__no_timestamp__is_dropped, ROW_TS },
	{ "RFC4987-cookie2", cookie__terms__ride_on_the_timestamp, 0 },
	{ "RFC4987-cookie2-ack", cookie__its_ack__establishes, 0 },
};
GROUP(request);

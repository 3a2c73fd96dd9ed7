/* SPDX-License-Identifier: BSD-3-Clause */
/* CLOSED, LISTEN, SYN-SENT (RFC 9293 3.10.7.1 to .3); what SYNs offer and settle (section 4). */
#include <errno.h>

#include "tcp/open.h"
#include "test_tcp.h"

#define SYNACK (SEG_SYN | SEG_ACK)

static struct seg peer_synack(const struct tcb_rig *r)
{
	return (struct seg){
		.seq = IRS, .ack = ISS + 1, .flags = SYNACK, .options = OPT_MSS, .mss = r->mss
	};
}

/* ---- CLOSED, LISTEN ---- */

/* The reset of 3.10.7.1, written down a second time. */
static void expect_stranger(struct tcb_rig *r, const struct seg *in)
{
	const struct seg *const got = &r->out.answer[0];

	assert_int_equal(r->out.answers, 1);
	if (in->flags & SEG_ACK) {
		assert_int_equal(got->flags, SEG_RST);
		assert_int_equal(got->seq, in->ack);
		assert_int_equal(got->ack, 0);
	} else {
		assert_int_equal(got->flags, SEG_RST | SEG_ACK);
		assert_int_equal(got->seq, 0);
		assert_int_equal(got->ack, in->seq + in->text_len + (in->flags & SEG_SYN ? 1u : 0) +
						   (in->flags & SEG_FIN ? 1u : 0));
	}
	assert_int_equal(got->options, 0);
	assert_int_equal(got->len, 0);
}

static void closed__any_flags__reset_unless_rst(struct tcb_rig *r)
{
	for (unsigned flags = 0; flags < 256; flags++) {
		const struct seg in = rig_fill(
			r, (struct seg){
				   .seq = IRS, .ack = ISS, .text_len = 3, .flags = (uint8_t)flags });

		out_init(&r->out);
		input_closed(&in, &r->out);
		if (flags & SEG_RST)
			assert_int_equal(r->out.answers, 0);
		else
			expect_stranger(r, &in);
	}
}

static void listen__any_flags__opens_by_syn_alone(struct tcb_rig *r)
{
	for (unsigned flags = 0; flags < 256; flags++) {
		const struct seg in = rig_fill(
			r, (struct seg){
				   .seq = IRS, .ack = ISS, .text_len = 3, .flags = (uint8_t)flags });
		enum listen_verdict verdict;

		out_init(&r->out);
		verdict = input_listen(&in, &r->out);
		if (!(flags & SEG_RST) && (flags & SEG_ACK)) {
			assert_int_equal(verdict, LISTEN_ANSWER);
			expect_stranger(r, &in);
			continue;
		}
		assert_int_equal(r->out.answers, 0);
		assert_int_equal(verdict, (flags & (SEG_RST | SEG_SYN | SEG_FIN)) == SEG_SYN ?
						  LISTEN_REQUEST :
						  LISTEN_DROP);
	}
}

/* ---- What SYNs settle ---- */

static struct syn_terms terms_of(struct tcb_rig *r, struct seg syn, uint8_t version)
{
	struct syn_terms terms;

	syn.flags = SEG_SYN;
	rig_forget(r);
	syn_options(&r->host, &syn, version, r->host.config.mss[version == 6], &terms);
	return terms;
}

static void syn__with_mss__is_obeyed(struct tcb_rig *r)
{
	static const uint16_t offered[] = { 216, 217, 536, 999, 1000, 1001, 1460, 65535 };

	for (size_t i = 0; i < COUNT(offered); i++) {
		const uint16_t want = offered[i] < MSS ? offered[i] : MSS;

		assert_int_equal(
			terms_of(r, (struct seg){ .options = OPT_MSS, .mss = offered[i] }, 4).mss,
			want);
		rig_counted(r, STAT_MSS_RAISED, 0);
	}
}

static void syn__without_mss__takes_the_default(struct tcb_rig *r)
{
	r->config->mss[0] = 1400;
	r->config->mss[1] = 1300;
	assert_int_equal(terms_of(r, (struct seg){ .options = OPT_MSS, .mss = 9000 }, 4).mss, 1400);
	assert_int_equal(terms_of(r, (struct seg){ .options = OPT_MSS, .mss = 9000 }, 6).mss, 1300);
	assert_int_equal(terms_of(r, (struct seg){ 0 }, 4).mss, 536);
	assert_int_equal(terms_of(r, (struct seg){ 0 }, 6).mss, 1220);
	assert_int_equal(terms_of(r, (struct seg){ .options = OPT_MSS, .mss = 0 }, 4).mss, 536);
	assert_int_equal(terms_of(r, (struct seg){ .mss = 100 }, 6).mss, 1220);
	rig_counted(r, STAT_MSS_RAISED, 0);
}

static void syn__with_tiny_mss__is_raised(struct tcb_rig *r)
{
	static const uint16_t offered[] = { 1, 8, 48, 215 };

	for (size_t i = 0; i < COUNT(offered); i++) {
		assert_int_equal(
			terms_of(r, (struct seg){ .options = OPT_MSS, .mss = offered[i] }, 4).mss,
			216);
		rig_counted(r, STAT_MSS_RAISED, 1);
	}
}

static void syn__with_shift_above_14__counts_as_14(struct tcb_rig *r)
{
	static const struct {
		uint8_t offered, used;
		uint64_t capped;
	} cases[] = { { 0, 0, 0 }, { 13, 13, 0 }, { 14, 14, 0 }, { 15, 14, 1 }, { 255, 14, 1 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct syn_terms t = terms_of(
			r, (struct seg){ .options = OPT_WSCALE, .wscale = cases[i].offered }, 4);

		assert_int_equal(t.snd_wscale, cases[i].used);
		rig_counted(r, STAT_WSCALE_CAPPED, cases[i].capped);
	}
}

/* Both sides want an option or it is off. */
static void options__are_what_both_want(struct tcb_rig *r)
{
	for (unsigned n = 0; n < 4; n++) {
		const bool ours = n & 1;
		const bool theirs = n & 2;
		const uint8_t all = OPT_TS | OPT_WSCALE | OPT_SACK_PERMITTED;
		struct syn_terms t;

		r->config->timestamps = r->config->window_scaling = r->config->sack = ours;
		t = terms_of(r, (struct seg){ .options = theirs ? all : 0, .wscale = 5 }, 4);
		assert_int_equal(t.timestamps, ours && theirs);
		assert_int_equal(t.wscale, ours && theirs);
		assert_int_equal(t.sack, ours && theirs);
		assert_int_equal(t.snd_wscale, ours && theirs ? 5 : 0);
	}
}

/* ---- SYN-SENT ---- */

static void open__sends_syn_with_all_it_offers(struct tcb_rig *r)
{
	const struct seg *syn;

	rig_open(r);
	syn = rig_expect(r, (struct seg){ .seq = ISS, .ack = 0, .flags = SEG_SYN });
	assert_int_equal(syn->mss, MSS);
	assert_int_equal(syn->wscale, 3);
	assert_int_equal(syn->wnd, 20000);
	assert_int_equal(syn->options,
			 OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | (r->timestamps ? OPT_TS : 0));
	if (r->timestamps)
		assert_int_equal(syn->tsecr, 0);
	rig_silent(r);
}

static void open__with_all_switched_off__offers_mss_alone(struct tcb_rig *r)
{
	r->config->window_scaling = r->config->sack = false;
	rig_open(r);
	assert_int_equal(rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN })->options,
			 OPT_MSS);
}

static void open__window_of_syn__is_never_scaled(struct tcb_rig *r)
{
	r->config->rcv_buf = 1000000;
	r->wscale = 2;
	rig_open(r);
	assert_int_equal(rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN })->wnd, 65535);
	r->wnd = 50000;
	rig_send(r, peer_synack(r));
	assert_int_equal(r->tcb.snd_wnd, 50000);
}

static void syn_sent__good_synack__establishes(struct tcb_rig *r)
{
	r->mss = 700;
	rig_to(r, TCPS_SYN_SENT);
	rig_clock(r, MS(30));
	rig_send(r, peer_synack(r));
	rig_state(r, TCPS_ESTABLISHED);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK });
	rig_silent(r);
	assert_false(tcp_owes(&r->host, &r->tcb));
	assert_int_equal(r->tcb.srtt_us, 30000);
	assert_int_equal(r->events, TCP_EV_CONNECTED);
	assert_int_equal(r->tcb.snd_wnd, 10000);
	assert_int_equal(r->tcb.max_wnd, 10000);
	assert_int_equal(r->tcb.snd_mss, 700 - (r->timestamps ? 12 : 0));
	rig_counted(r, STAT_ACTIVE_ESTABLISHED, 1);
}

/* The SYN is due again in the very turn that its answer comes: it stays. */
static void syn_sent__synack_in_the_turn_of_the_timeout(struct tcb_rig *r)
{
	rig_to(r, TCPS_SYN_SENT);
	r->turn_open = true;
	rig_advance(r, MS(1001));
	rig_send(r, peer_synack(r));
	rig_flush(r);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK });
	rig_silent(r);
	assert_int_equal(r->tcb.retransmits, 0);
	assert_int_equal(r->tcb.backoff, 0);
}

static void syn_sent__synack_scales__both_ways(struct tcb_rig *r)
{
	struct seg synack;

	rig_to(r, TCPS_SYN_SENT);
	synack = peer_synack(r);
	synack.options |= OPT_WSCALE | OPT_SACK_PERMITTED;
	synack.wscale = 14;
	rig_send(r, synack);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK });
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK, .wnd = 65535 });
	assert_int_equal(r->tcb.snd_wnd, 1073725440); /* REC-1 */
	assert_int_equal(r->tcb.rcv_wscale, 3);
	assert_true(r->tcb.flags & TCB_SACK);
}

static void syn_sent__bad_ack__draws_reset(struct tcb_rig *r)
{
	static const uint32_t bad[] = { 0, 0xffffffff, 2, 0x80000000 };

	rig_to(r, TCPS_SYN_SENT);
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct seg in = peer_synack(r);

		in.ack = ISS + bad[i];
		rig_send(r, in);
		assert_int_equal(
			rig_expect(r, (struct seg){ .seq = ISS + bad[i], .flags = SEG_RST })->options,
			0);
		in.flags = SEG_ACK;
		rig_send(r, in);
		rig_expect(r, (struct seg){ .seq = ISS + bad[i], .flags = SEG_RST });
	}
	rig_silent(r);
	rig_counted(r, STAT_RST_OUT_BAD_ACK, 8);
	rig_state(r, TCPS_SYN_SENT);
}

/* A RST needs an ACK of our SYN. */
static void syn_sent__rst__needs_good_ack(struct tcb_rig *r)
{
	rig_to(r, TCPS_SYN_SENT);
	rig_send(r, (struct seg){ .seq = IRS, .flags = SEG_RST });
	rig_send(r, (struct seg){ .seq = IRS, .ack = ISS, .flags = SEG_RST | SEG_ACK });
	rig_send(r, (struct seg){ .seq = IRS, .ack = ISS + 2, .flags = SEG_RST | SEG_ACK });
	rig_state(r, TCPS_SYN_SENT);
	rig_counted(r, STAT_RST_IGNORED, 3);
	rig_send(r, (struct seg){ .seq = IRS, .ack = ISS + 1, .flags = SEG_RST | SEG_ACK | SEG_SYN });
	rig_state(r, TCPS_CLOSED);
	assert_int_equal(r->error, ECONNREFUSED);
	rig_silent(r);
}

static void syn_sent__no_syn__is_dropped(struct tcb_rig *r)
{
	static const uint8_t flags[] = { 0,
					 SEG_FIN,
					 SEG_ACK,
					 SEG_ACK | SEG_FIN,
					 SEG_SYN | SEG_FIN,
					 SEG_SYN | SEG_FIN | SEG_ACK,
					 SEG_PSH | SEG_URG };

	rig_to(r, TCPS_SYN_SENT);
	for (size_t i = 0; i < COUNT(flags); i++)
		rig_send(r, (struct seg){
				    .seq = IRS, .ack = ISS + 1, .text_len = 5, .flags = flags[i] });
	rig_silent(r);
	rig_state(r, TCPS_SYN_SENT);
	rig_counted(r, STAT_NO_ACK, COUNT(flags));
}

/* HF-OP3: a SYN-ACK's text and FIN are not taken. */
static void syn_sent__text_in_synack__is_left(struct tcb_rig *r)
{
	struct seg synack;

	rig_to(r, TCPS_SYN_SENT);
	synack = peer_synack(r);
	synack.text_len = 100;
	rig_send(r, synack);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK });
	assert_int_equal(r->delivered, 0);
	rig_send(r,
		 (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .text_len = 100, .flags = SEG_ACK });
	assert_int_equal(r->delivered, 100);
}

/* MUST-10 */
static void open__simultaneous__is_one_connection(struct tcb_rig *r)
{
	struct seg syn = { .seq = IRS,
			   .flags = SEG_SYN,
			   .options = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED,
			   .mss = MSS - 100,
			   .wscale = 1 };
	struct seg their_synack = peer_synack(r);
	const struct seg *synack;

	r->config->rcv_buf = 200000;
	rig_to(r, TCPS_SYN_SENT);
	assert_int_equal(r->tcb.rcv_adv - r->tcb.rcv_nxt, 65535);
	rig_send(r, syn);
	rig_state(r, TCPS_SYN_RECEIVED);
	synack = rig_expect(r, (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SYNACK });
	assert_int_equal(synack->options,
			 OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | (r->timestamps ? OPT_TS : 0));
	assert_int_equal(synack->wnd, 65535);
	assert_int_equal(synack->mss, MSS);
	rig_silent(r);
	assert_int_equal(r->events, 0);
	their_synack.text_len = 9;
	rig_send(r, their_synack);
	rig_state(r, TCPS_ESTABLISHED);
	assert_int_equal(r->events, TCP_EV_CONNECTED);
	assert_int_equal(r->delivered, 0);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK });
	rig_silent(r);
}

static void open__simultaneous__ends_by_plain_ack_too(struct tcb_rig *r)
{
	r->active = true;
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
	rig_state(r, TCPS_ESTABLISHED);
	assert_int_equal(r->events, TCP_EV_CONNECTED);
	rig_silent(r);
}

/* The window promised is the one the SYN and ACK showed, not one that a scale would have allowed. */
static void open__simultaneous__promises_what_it_shows(struct tcb_rig *r)
{
	r->config->rcv_buf = 200000;
	r->active = true;
	r->wscale = 2;
	rig_to(r, TCPS_SYN_RECEIVED);
	assert_int_equal(r->tcb.rcv_adv, IRS + 1 + 65535);
}

/* MW is the largest window the peer has offered, in either of its SYNs. */
static void open__simultaneous__takes_the_window_of_the_synack(struct tcb_rig *r)
{
	struct seg synack;

	r->active = true;
	rig_to(r, TCPS_SYN_RECEIVED);
	synack = peer_synack(r);
	synack.wnd = 12345;
	rig_send(r, synack);
	assert_int_equal(r->tcb.snd_wnd, 12345);
	assert_int_equal(r->tcb.max_wnd, 12345);
}

/* RFC 7323 4.3: what answers the peer's SYN again, or its SYN-ACK, echoes that. */
static void open__simultaneous__echoes_what_it_answers(struct tcb_rig *r)
{
	r->active = true;
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_clock(r, MS(600));
	r->tsval += 600;
	rig_send(r, (struct seg){ .seq = IRS, .flags = SEG_SYN });
	assert_int_equal(
		rig_expect(r, (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SYNACK })->tsecr,
		r->tsval);
	r->tsval += 10;
	rig_send(r, (struct seg){ .seq = IRS, .ack = ISS + 1, .flags = SYNACK });
	assert_int_equal(
		rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK })->tsecr,
		r->tsval);
}

/* ---- RFC 7323 3.2 ---- */

/* Three SYNs leave, at 0, 1 and 3 s; a SYN-ACK at 3.5 s may echo anything from the first to the last. */
static void syn_sent__tsecr__is_one_we_sent(struct tcb_rig *r)
{
	static const struct {
		int32_t apart; /* from the first TSval */
		bool good;
	} cases[] = { { -1, false }, { 3001, false }, { 3400, false },
		      { 0, true },   { 1000, true },  { 3000, true } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct seg in;
		uint32_t first, last;

		rig_to(r, TCPS_SYN_SENT);
		first = r->last_tsval;
		rig_advance(r, MS(3500));
		last = r->last_tsval;
		assert_in_range(last - first, 3000, 3002);
		in = peer_synack(r);
		in.options |= OPT_TS;
		in.tsval = r->tsval;
		in.tsecr = cases[i].apart < 3000 ? first + (uint32_t)cases[i].apart :
						   last + (uint32_t)(cases[i].apart - 3000);
		rig_forget(r);
		rig_send(r, in);
		if (cases[i].good) {
			rig_state(r, TCPS_ESTABLISHED);
		} else {
			rig_state(r, TCPS_SYN_SENT);
			rig_expect(r, (struct seg){ .seq = ISS + 1, .flags = SEG_RST });
			rig_counted(r, STAT_TSECR_REFUSED, 1);
		}
		rig_abort(r);
	}
}

static void syn_sent__no_timestamps_of_ours__tsecr_is_nothing(struct tcb_rig *r)
{
	struct seg in;

	rig_to(r, TCPS_SYN_SENT);
	in = peer_synack(r);
	in.options |= OPT_TS;
	in.tsecr = 77;
	rig_send(r, in);
	rig_state(r, TCPS_ESTABLISHED);
	assert_int_equal(
		rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK })->options,
		0);
}

static const struct tcb_row rows[] = {
	{ "RFC9293-3.10.7.1", closed__any_flags__reset_unless_rst, 0 },
	{ "RFC9293-3.10.7.2", listen__any_flags__opens_by_syn_alone, 0 },
	{ "MUST-14", syn__with_mss__is_obeyed, ROW_ONCE },
	{ "MUST-15", syn__without_mss__takes_the_default, ROW_ONCE },
	{ "HF-O4", syn__with_tiny_mss__is_raised, ROW_ONCE },
	{ "RFC7323-2.3", syn__with_shift_above_14__counts_as_14, ROW_ONCE },
	{ "RFC7323-2.2", options__are_what_both_want, ROW_ONCE },
	{ "SHLD-5", open__sends_syn_with_all_it_offers, 0 },
	{ "RFC2018-2", open__with_all_switched_off__offers_mss_alone, ROW_PLAIN },
	{ "RFC7323-2.3-syn", open__window_of_syn__is_never_scaled, 0 },
	{ "HF-OP1", syn_sent__good_synack__establishes, 0 },
	{ "HF-OP1-late", syn_sent__synack_in_the_turn_of_the_timeout, 0 },
	{ "REC-1", syn_sent__synack_scales__both_ways, 0 },
	{ "SE-K-SYN_SENT", syn_sent__bad_ack__draws_reset, 0 },
	{ "SE-R-SYN_SENT", syn_sent__rst__needs_good_ack, 0 },
	{ "SE-S-SYN_SENT", syn_sent__no_syn__is_dropped, 0 },
	{ "HF-OP3", syn_sent__text_in_synack__is_left, 0 },
	{ "MUST-10", open__simultaneous__is_one_connection, 0 },
	{ "MUST-10-ack", open__simultaneous__ends_by_plain_ack_too, 0 },
	{ "SHLD-14-syn", open__simultaneous__promises_what_it_shows, 0 },
	{ "RFC5961-5.2-mw", open__simultaneous__takes_the_window_of_the_synack, 0 },
	{ "RFC7323-3.2c-open", open__simultaneous__echoes_what_it_answers, ROW_TS },
	{ "RFC7323-3.2d", syn_sent__tsecr__is_one_we_sent, ROW_TS },
	{ "RFC7323-3.2a", syn_sent__no_timestamps_of_ours__tsecr_is_nothing, ROW_PLAIN },
};
GROUP(open);

/* SPDX-License-Identifier: BSD-3-Clause */
/* REQUIREMENTS 18: ECN (RFC 3168). The rig refuses ECT on whatever carries no text, in every row. */
#include <string.h>

#include "rig/rig.h"

#define SETUP (SEG_ECE | SEG_CWR)

static void set_never(struct rig *r)
{
	r->wnd = 60000;
}

static void set_answer(struct rig *r)
{
	r->wnd = 60000;
	r->config.tcp.ecn = 2;
}

static void set_ask(struct rig *r)
{
	r->wnd = 60000;
	r->config.tcp.ecn = 1;
}

static void set_answer_tso(struct rig *r)
{
	set_answer(r);
	r->memport.tso = true;
}

static void set_cookies(struct rig *r)
{
	set_answer(r);
	r->config.tcp.syncookies = 2;
}

/* Wanted to the bit: ECT as well. */
static void expect(struct rig *r, struct seg want)
{
	assert_int_equal(rig_expect(r, want)->seg.options & OPT_ECT, want.options & OPT_ECT);
}

/* The next n segments of ours are full ones of new text, the first with these flags beside. */
static void expect_text(struct rig *r, unsigned n, uint8_t flags, uint8_t ect)
{
	const uint16_t mss = (uint16_t)rig_status(r).snd_mss;

	for (unsigned i = 0; i < n; i++) {
		expect(r, (struct seg){ .seq = r->sn,
					.ack = r->rn,
					.flags = SEG_ACK | (i == 0 ? flags : 0),
					.options = ect,
					.text_len = mss });
		r->sn += mss;
	}
}

static void write_and_expect(struct rig *r, unsigned n, uint8_t flags, uint8_t ect)
{
	rig_write(r, n * rig_status(r).snd_mss);
	rig_flush(r);
	expect_text(r, n, flags, ect);
}

static void send_ack(struct rig *r, uint32_t ack, uint8_t flags)
{
	rig_send(r, (struct seg){ .seq = r->rn, .ack = ack, .flags = SEG_ACK | flags });
	rig_flush(r);
	r->su = ack;
}

static void begin(struct rig *r)
{
	r->su = r->sn = ISS + 1;
	r->rn = IRS + 1;
	r->ts_agreed = r->timestamps;
}

static void let_go(struct rig *r)
{
	hf_abort(r->w, r->id);
	rig_discard(r);
	rig_forget_events(r);
	rig_another(r);
}

/* A SYN with these flags; ours with those. Then one full segment, ECN-capable or not. */
static void passive(struct rig *r, uint8_t theirs, uint8_t ours)
{
	struct seg syn = rig_syn(r);

	if (r->listener_count == 0)
		rig_listen(r);
	syn.flags |= theirs;
	rig_send(r, syn);
	rig_expect(r, (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SEG_SYN | SEG_ACK | ours });
	begin(r);
	send_ack(r, r->sn, 0);
	rig_event(r, HF_EV_ACCEPT);
	rig_accept(r);
}

static void active(struct rig *r, uint8_t theirs)
{
	struct seg synack = rig_syn(r);

	synack.flags |= SEG_ACK | theirs;
	synack.ack = ISS + 1;
	synack.tsecr = r->tsecr;
	rig_send(r, synack);
	begin(r);
	rig_event(r, HF_EV_CONNECTED);
	rig_expect_ack(r);
}

/* 6.1.1: a server. Half a setup is none. */
static void syn__setup__answered(struct rig *r)
{
	static const uint8_t flags[] = { 0, SEG_ECE, SEG_CWR, SETUP };

	for (unsigned i = 0; i < sizeof(flags); i++) {
		const bool agreed = flags[i] == SETUP && r->config.tcp.ecn != 0;

		rig_mark(r);
		passive(r, flags[i], agreed ? SEG_ECE : 0);
		rig_expect_rose(r, "ecn_agreed", agreed);
		write_and_expect(r, 1, 0, agreed ? OPT_ECT : 0);
		let_go(r);
	}
}

/* RFC 9768 3.1.1: AE, CWR and ECE ask for more than we have; answered as the classic one. */
static void syn__accurate__answered_as_classic(struct rig *r)
{
	struct seg syn = rig_syn(r);
	uint8_t raw[FRAME_MAX];
	size_t len;

	rig_listen(r);
	syn.flags |= SETUP;
	syn.wnd = r->wnd;
	len = frame_build(raw, &r->in_form, &r->peer, &r->local, &syn, NULL, NULL, 0);
	raw[(r->local.ip.version == 4 ? 20 : 40) + 12] |= 1;
	frame_seal(raw, len, &r->in_form);
	rig_push_raw(r, raw, len, NULL);
	rig_expect(r,
		   (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SEG_SYN | SEG_ACK | SEG_ECE });
	begin(r);
	send_ack(r, r->sn, 0);
	rig_event(r, HF_EV_ACCEPT);
	rig_accept(r);
	write_and_expect(r, 1, 0, OPT_ECT);
}

/* 6.1.1: a client. Both flags in a SYN-ACK are an echo of ours by who knows nothing of it. */
static void open__asks(struct rig *r)
{
	static const uint8_t flags[] = { 0, SEG_CWR, SETUP, SEG_ECE };
	const bool asks = r->config.tcp.ecn == 1;

	for (unsigned i = 0; i < sizeof(flags); i++) {
		const bool agreed = asks && flags[i] == SEG_ECE;

		rig_mark(r);
		rig_connect(r);
		rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN | (asks ? SETUP : 0) });
		active(r, flags[i]);
		rig_expect_rose(r, "ecn_agreed", agreed);
		write_and_expect(r, 1, 0, agreed ? OPT_ECT : 0);
		let_go(r);
	}
}

/* 6.1.1.1: what dropped the SYN may have done so for its flags; from then on there is no ECN. */
static void open__syn_lost__without(struct rig *r)
{
	rig_connect(r);
	rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN | SETUP });
	rig_advance(r, SEC(1) + MS(1));
	rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN });
	rig_mark(r);
	active(r, SEG_ECE); /* of the first, late */
	rig_expect_rose(r, "ecn_agreed", 0);
	write_and_expect(r, 1, 0, 0);
}

/* Both SYNs cross, and each is answered: there is ECN if all four have it. */
static void open__simultaneous__all_four(struct rig *r)
{
	static const struct {
		uint8_t syn, synack;
	} theirs[] = {
		{ SETUP, SEG_ECE }, { SETUP, 0 }, { SETUP, SETUP }, { 0, SEG_ECE }, { SEG_ECE, SEG_ECE }
	};
	const bool asks = r->config.tcp.ecn == 1;

	for (unsigned i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++) {
		const uint8_t ece = asks && theirs[i].syn == SETUP ? SEG_ECE : 0;
		struct seg syn = rig_syn(r);

		rig_connect(r);
		rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN | (asks ? SETUP : 0) });
		syn.flags |= theirs[i].syn;
		rig_send(r, syn);
		rig_expect(r, (struct seg){
				      .seq = ISS, .ack = IRS + 1, .flags = SEG_SYN | SEG_ACK | ece });
		active(r, theirs[i].synack);
		write_and_expect(r, 1, 0, ece && theirs[i].synack == SEG_ECE ? OPT_ECT : 0);
		let_go(r);
	}
}

/* The peer gave ECN up, as above; our SYN-ACK does then. */
static void syn__again_without__answered_without(struct rig *r)
{
	struct seg syn = rig_syn(r);

	rig_listen(r);
	syn.flags |= SETUP;
	rig_send(r, syn);
	rig_expect(r,
		   (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SEG_SYN | SEG_ACK | SEG_ECE });
	rig_advance(r, MS(600));
	rig_send(r, rig_syn(r));
	rig_expect(r, (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SEG_SYN | SEG_ACK });
	begin(r);
	send_ack(r, r->sn, 0);
	rig_event(r, HF_EV_ACCEPT);
	rig_accept(r);
	write_and_expect(r, 1, 0, 0);
}

static void send_text(struct rig *r, uint8_t flags, uint8_t ecn)
{
	rig_send(r, (struct seg){ .seq = r->rn,
				  .ack = r->sn,
				  .flags = SEG_ACK | flags,
				  .options = ecn,
				  .text_len = 10 });
	r->rn += 10;
	rig_event(r, HF_EV_READABLE);
	rig_flush(r);
}

/* 6.1.3, HF-D3: told at once, then in every ACK until CWR; text of ours that carries it counts as one. */
static void congestion__told_until_cwr(struct rig *r)
{
	passive(r, SETUP, SEG_ECE);
	rig_mark(r);
	send_text(r, 0, OPT_ECT);
	rig_expect_silence(r, 0); /* delayed */
	send_text(r, 0, OPT_CE);
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = SEG_ACK | SEG_ECE });
	write_and_expect(r, 1, SEG_ECE, OPT_ECT);
	send_text(r, 0, OPT_ECT);
	rig_advance(r, MS(50));
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = SEG_ACK | SEG_ECE });
	send_text(r, SEG_CWR, OPT_CE); /* heard, and met more */
	rig_advance(r, MS(50));
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = SEG_ACK | SEG_ECE });
	send_text(r, SEG_CWR, OPT_ECT);
	rig_advance(r, MS(50));
	rig_expect_ack(r);
	rig_expect_rose(r, "ecn_ce_in", 2);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .options = OPT_CE });
	send_text(r, 0, 0); /* a bare ACK is not ECN-capable, whatever its header says */
	rig_advance(r, MS(50));
	rig_expect_ack(r);
	rig_expect_rose(r, "ecn_ce_in", 2);
}

/* Whoever agreed on nothing marks and tells in vain. */
static void not_agreed__nothing_is_looked_at(struct rig *r)
{
	uint32_t cwnd;

	passive(r, 0, 0);
	send_text(r, 0, OPT_CE);
	rig_advance(r, MS(50));
	rig_expect_ack(r);
	write_and_expect(r, 10, 0, 0);
	cwnd = rig_status(r).cwnd;
	send_ack(r, r->sn, SEG_ECE);
	assert_true(rig_status(r).cwnd > cwnd);
	write_and_expect(r, 1, 0, 0);
	rig_expect_rose(r, "ecn_reduced", 0);
	rig_expect_rose(r, "ecn_ce_in", 0);
}

/* 6.1.2: half of what was in flight, once a window; the first new text says so. */
static void told__window_halved_once(struct rig *r)
{
	uint32_t mss, high;

	passive(r, SETUP, SEG_ECE);
	mss = rig_status(r).snd_mss;
	write_and_expect(r, 10, 0, OPT_ECT);
	high = r->sn;
	rig_mark(r);
	send_ack(r, r->su + mss, SEG_ECE);
	assert_int_equal(rig_status(r).cwnd, 5 * mss);
	assert_int_equal(rig_status(r).ssthresh, 5 * mss);
	for (unsigned i = 0; i < 5; i++)
		send_ack(r, r->su + mss, SEG_ECE);
	assert_int_equal(rig_status(r).cwnd, 5 * mss); /* nor does it grow by these */
	write_and_expect(r, 1, SEG_CWR, OPT_ECT);
	send_ack(r, high, SEG_ECE);
	rig_expect_rose(r, "ecn_reduced", 1);
	write_and_expect(r, 4, 0, OPT_ECT);
	send_ack(r, high + mss, 0);
	assert_true(rig_status(r).cwnd > 5 * mss);
	write_and_expect(r, 1, 0, OPT_ECT);
	send_ack(r, r->sn, SEG_ECE); /* of the next window */
	rig_expect_rose(r, "ecn_reduced", 2);
	write_and_expect(r, 1, SEG_CWR, OPT_ECT);
	rig_expect_rose(r, "retransmit_text", 0);
	rig_discard(r);
}

/* 6.1.5: what is sent again is not ECN-capable; and the window that a loss reduced is told of too. */
static void lost__again_without(struct rig *r)
{
	uint32_t mss;

	passive(r, SETUP, SEG_ECE);
	mss = rig_status(r).snd_mss;
	write_and_expect(r, 1, 0, OPT_ECT);
	r->sn -= mss;
	rig_advance(r, SEC(2));
	expect_text(r, 1, 0, 0);
	rig_discard(r);
	send_ack(r, r->sn, 0);
	write_and_expect(r, 1, SEG_CWR, OPT_ECT);
	send_ack(r, r->sn, 0);
	write_and_expect(r, 1, 0, OPT_ECT);
	rig_discard(r);
}

/* 6.1.6: an octet beyond the window. */
static void window_probe__without(struct rig *r)
{
	passive(r, SETUP, SEG_ECE);
	r->wnd = 0;
	send_ack(r, r->sn, 0);
	rig_write(r, 10);
	rig_advance(r, SEC(2));
	expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = SEG_ACK, .text_len = 1 });
	rig_discard(r);
}

static void cookie__keeps_it_with_timestamps(struct rig *r)
{
	struct seg syn = rig_syn(r);
	const struct frame *f;

	rig_listen(r);
	syn.flags |= SETUP;
	rig_send(r, syn);
	f = rig_pop(r);
	assert_non_null(f);
	assert_int_equal(f->seg.flags, SEG_SYN | SEG_ACK | (r->timestamps ? SEG_ECE : 0));
	begin(r);
	r->su = r->sn = f->seg.seq + 1;
	send_ack(r, r->sn, 0);
	rig_event(r, HF_EV_ACCEPT);
	rig_accept(r);
	rig_expect_rose(r, "ecn_agreed", r->timestamps);
	rig_discard(r);
	hf_abort(r->w, r->id);
	rig_discard(r);
}

int main(int argc, char **argv)
{
	const struct row rows[] = {
		{ "SHLD-8, RFC3168-6.1.1", syn__setup__answered, NULL, set_answer, 0 },
		{ "SHLD-8-never", syn__setup__answered, NULL, set_never, 0 },
		{ "SHLD-8-open", open__asks, NULL, set_ask, 0 },
		{ "SHLD-8-open-never", open__asks, NULL, set_answer, 0 },
		{ "SHLD-8-fallback", open__syn_lost__without, NULL, set_ask, 0 },
		{ "SHLD-8-simultaneous", open__simultaneous__all_four, NULL, set_ask, 0 },
		{ "SHLD-8-simultaneous-never", open__simultaneous__all_four, NULL, set_answer, 0 },
		{ "SHLD-8-again", syn__again_without__answered_without, NULL, set_answer, 0 },
		{ "RFC9768", syn__accurate__answered_as_classic, NULL, set_answer, 0 },
		{ "RFC3168-6.1.3, HF-D3", congestion__told_until_cwr, NULL, set_answer, 0 },
		{ "RFC3168-6.1", not_agreed__nothing_is_looked_at, NULL, set_answer, 0 },
		{ "RFC3168-6.1.2", told__window_halved_once, NULL, set_answer, 0 },
		{ "RFC3168-6.1.2-tso", told__window_halved_once, NULL, set_answer_tso, 0 },
		{ "RFC3168-6.1.5", lost__again_without, NULL, set_answer, 0 },
		{ "RFC3168-6.1.6", window_probe__without, NULL, set_answer, 0 },
		{ "RFC4987-cookie2", cookie__keeps_it_with_timestamps, NULL, set_cookies, 0 },
	};

	return rig_run("ECN", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

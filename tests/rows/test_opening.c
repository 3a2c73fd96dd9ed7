/* SPDX-License-Identifier: BSD-3-Clause */
/* REQUIREMENTS 7: opening, from both sides and at once (RFC 9293 3.5, 3.10.1, 3.10.7.2 to .4). */
#include <errno.h>

#include "rig/rig.h"

#define SYNACK (SEG_SYN | SEG_ACK)

static void set_passive(struct rig *r)
{
	r->active = false;
}

static void set_active(struct rig *r)
{
	r->active = true;
}

/* The peer's bare ACK of all that we sent, from where its stream stands. */
static struct seg peer_ack(const struct rig *r)
{
	return (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK };
}

/* The peer's SYN-ACK to our SYN. */
static struct seg peer_synack(const struct rig *r)
{
	struct seg seg = rig_syn(r);

	seg.flags = SYNACK;
	seg.ack = r->iss + 1;
	seg.tsecr = r->tsecr;
	return seg;
}

/* ---- HF-OP1: which options go out, and with what in them ---- */

static uint16_t our_mss(const struct rig *r)
{
	return r->local.ip.version == 4 ? 1460 : 1440;
}

static void active__all_options__offered_and_exact(struct rig *r)
{
	const struct seg *seg;

	rig_connect(r);
	rig_flush(r);
	seg = &rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN })->seg;
	assert_int_equal(seg->options, OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_TS);
	assert_int_equal(seg->mss, our_mss(r));
	assert_int_equal(seg->tsecr, 0);
	assert_int_equal(seg->wnd, 8192);
	rig_send(r, (struct seg){ .seq = IRS,
				  .ack = ISS + 1,
				  .flags = SYNACK,
				  .options = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_TS,
				  .mss = 1400,
				  .wscale = 7,
				  .tsval = 12345,
				  .tsecr = r->tsecr });
	r->ts_agreed = true;
	r->ts_base = 12345 - (uint32_t)(r->now_us / 1000);
	rig_event(r, HF_EV_CONNECTED);
	seg = &rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK })->seg;
	assert_int_equal(seg->options, OPT_TS);
	assert_int_equal(seg->tsecr, 12345);
	rig_expect_silence(r, MS(100));
}

static void set_no_options(struct rig *r)
{
	r->config.tcp.timestamps = false;
	r->config.tcp.window_scaling = false;
	r->config.tcp.sack = false;
}

static void active__options_off__mss_alone(struct rig *r)
{
	struct hf_status status;

	rig_connect(r);
	rig_flush(r);
	assert_int_equal(rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN })->seg.options,
			 OPT_MSS);
	rig_send(r, (struct seg){ .seq = IRS, .ack = ISS + 1, .flags = SYNACK });
	rig_event(r, HF_EV_CONNECTED);
	assert_int_equal(
		rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = SEG_ACK })->seg.options,
		0);
	assert_int_equal(hf_status(r->w, r->id, &status), 0);
	assert_int_equal(status.state, HF_ESTABLISHED);
	assert_int_equal(status.snd_mss, r->local.ip.version == 4 ? 536 : 1220);
	assert_int_equal(status.iss, ISS);
	assert_int_equal(status.irs, IRS);
	assert_int_equal(status.snd_una, ISS + 1);
	assert_int_equal(status.snd_nxt, ISS + 1);
	assert_int_equal(status.rcv_nxt, IRS + 1);
	assert_int_equal(status.snd_wnd, 1000);
	assert_int_equal(status.rcv_wnd, 8192);
	rig_expect_silence(r, MS(100));
}

/* What a SYN offers and the configuration allows comes back in the SYN-ACK, nothing else. */
static void passive__options__echo_what_was_offered(struct rig *r)
{
	static const uint8_t offers[] = { OPT_TS, OPT_WSCALE, OPT_SACK_PERMITTED };
	const struct seg *seg;

	rig_listen(r);
	for (unsigned i = 0; i < 8; i++) {
		uint8_t options = OPT_MSS;

		for (unsigned k = 0; k < 3; k++)
			if (i & 1u << k)
				options |= offers[k];
		r->peer.port++;
		rig_send(r, (struct seg){ .seq = IRS,
					  .flags = SEG_SYN,
					  .options = options,
					  .mss = 1000,
					  .wscale = 3,
					  .tsval = 777 });
		seg = &rig_expect(r, (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SYNACK })->seg;
		assert_int_equal(seg->options, options);
		assert_int_equal(seg->mss, our_mss(r));
		assert_int_equal(seg->wnd, 8192);
		if (options & OPT_TS)
			assert_int_equal(seg->tsecr, 777);
		r->tsecr = 0;
	}
	rig_expect_silence(r, MS(100));
}

static void passive__options_off__mss_alone(struct rig *r)
{
	rig_listen(r);
	rig_send(r, (struct seg){ .seq = IRS,
				  .flags = SEG_SYN,
				  .options = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_TS,
				  .mss = 1000,
				  .wscale = 3,
				  .tsval = 777 });
	assert_int_equal(
		rig_expect(r, (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SYNACK })->seg.options,
		OPT_MSS);
}

/* The whole of it: three segments, two states a side, one event. */
static void both_sides__plain__established(struct rig *r)
{
	struct hf_state_level levels[HF_STATES];
	uint64_t before[HF_STATES];

	hf_state_levels(r->w, levels);
	for (unsigned i = 0; i < HF_STATES; i++)
		before[i] = levels[i].entered;
	rig_to(r, RIG_ESTABLISHED);
	hf_state_levels(r->w, levels);
	assert_int_equal(levels[HF_SYN_SENT].entered - before[HF_SYN_SENT], r->active ? 1 : 0);
	assert_int_equal(levels[HF_SYN_RECEIVED].entered - before[HF_SYN_RECEIVED],
			 r->active ? 0 : 1);
	assert_int_equal(levels[HF_ESTABLISHED].entered - before[HF_ESTABLISHED], 1);
	assert_int_equal(levels[HF_ESTABLISHED].now, 1);
	assert_int_equal(rig_counter(r, r->active ? "active_established" : "passive_established"), 1);
	assert_int_equal(rig_counter(r, "accepted"), r->active ? 0 : 1);
	assert_int_equal(rig_counter(r, "tx_frames"), r->active ? 2 : 1);
	rig_expect_silence(r, SEC(3600));
	rig_expect_state(r, HF_ESTABLISHED);
}

/* ---- MUST-10: simultaneous open ---- */

static void simultaneous__syns_cross__established(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_A);
	rig_send(r, peer_synack(r));
	rig_event(r, HF_EV_CONNECTED);
	rig_expect_ack(r);
	rig_expect_state(r, HF_ESTABLISHED);
	rig_expect_silence(r, SEC(10));
}

/* The peer has seen our SYN-ACK, and its own ACK of it comes bare. */
static void simultaneous__bare_ack__established(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_A);
	rig_send(r, peer_ack(r));
	rig_event(r, HF_EV_CONNECTED);
	rig_expect_silence(r, SEC(10));
	rig_expect_state(r, HF_ESTABLISHED);
}

/* Both SYN-ACKs are lost: ours is repeated by its timer, the peer's by its own. */
static void simultaneous__synacks_lost__timer_recovers(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_A);
	rig_advance(r, MS(999));
	assert_int_equal(r->out_count, 0);
	rig_advance(r, MS(2));
	rig_expect_sa(r);
	rig_send(r, peer_synack(r));
	rig_event(r, HF_EV_CONNECTED);
	rig_expect_ack(r);
	rig_expect_silence(r, SEC(10));
	rig_expect_state(r, HF_ESTABLISHED);
}

/* Only ours is lost: the peer, in SYN-RECEIVED, repeats its SYN-ACK to us who are ESTABLISHED. */
static void simultaneous__our_synack_lost__challenge_repairs(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_A);
	rig_send(r, peer_synack(r));
	rig_event(r, HF_EV_CONNECTED);
	rig_expect_ack(r); /* lost too */
	rig_advance(r, SEC(1));
	rig_send(r, peer_synack(r));
	rig_expect_ack(r);
	rig_expect_state(r, HF_ESTABLISHED);
	rig_expect_silence(r, SEC(10));
}

/* Both come before our SYN has left: an ACK of nothing sent opens nothing (RFC 5961 4.2). */
static void simultaneous__synack_before_our_syn__acks_nothing(struct rig *r)
{
	struct seg synack = peer_synack(r);

	synack.ack = ISS;
	rig_connect(r);
	rig_push(r, rig_syn(r));
	rig_push(r, synack);
	rig_turn(r);
	rig_no_event(r);
	rig_expect_state(r, HF_SYN_RECEIVED);
	r->ts_agreed = r->timestamps;
	rig_expect(r, (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SEG_ACK });
	rig_expect_sa(r);
	r->sn = ISS + 1;
	r->rn = IRS + 1;
	rig_send(r, peer_ack(r));
	rig_event(r, HF_EV_CONNECTED);
	rig_expect_state(r, HF_ESTABLISHED);
}

/* The SYN-ACK overtakes the SYN, which then comes late. */
static void simultaneous__synack_overtakes__late_syn_challenged(struct rig *r)
{
	rig_open_active(r);
	rig_send(r, rig_syn(r));
	rig_expect_ack(r);
	rig_no_event(r);
	rig_expect_state(r, HF_ESTABLISHED);
	rig_expect_silence(r, SEC(10));
}

/* The peer's SYN again draws our SYN-ACK again, half a second after the last one left, which its timer may
 * have sent; what else was challenged does not matter (HF-RL6). */
static void simultaneous__repeated_syn__at_most_two_a_second(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_A);
	rig_send(r, rig_syn(r));
	rig_advance(r, MS(498));
	rig_send(r, rig_syn(r));
	rig_expect_silence(r, MS(1));
	rig_send(r, (struct seg){ .seq = IRS - 1, .flags = SEG_SYN });
	rig_expect_ack(r);
	rig_advance(r, MS(1));
	rig_send(r, rig_syn(r));
	rig_expect_sa(r);
	assert_int_equal(rig_counter(r, "synack_suppressed"), 2);
	rig_advance(r, MS(501));
	rig_expect_sa(r);
	rig_send(r, rig_syn(r));
	rig_expect_silence(r, MS(100));
}

/* ---- MUST-11 ---- */

static void syn_rcvd__rst__origin_decides(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_P);
	rig_send(r, (struct seg){ .seq = r->rn, .flags = SEG_RST });
	rig_expect_silence(r, MS(100));
	rig_no_event(r);
	assert_int_equal(rig_levels(r).flows.used, 0);

	r->local.port++; /* the listener keeps its own */
	r->ts_agreed = false;
	rig_to(r, RIG_SYN_RCVD_A);
	rig_send(r, (struct seg){ .seq = r->rn, .flags = SEG_RST });
	rig_event_closed(r, ECONNREFUSED);
	rig_expect_silence(r, MS(100));
	assert_int_equal(rig_levels(r).flows.used, 0);
}

/* ---- RFC9293-3.5.1: one side has lost its state ---- */

/* We are the live side: C, the peer's RST, and the next SYN is taken. */
static void established__peer_restarts__old_ends_new_opens(struct rig *r)
{
	const struct frame *challenge;
	struct seg syn;

	rig_to(r, RIG_ESTABLISHED);
	rig_advance(r, SEC(10));
	syn = rig_syn(r);
	syn.seq = IRS + 1000000;
	rig_send(r, syn);
	challenge = rig_expect_ack(r);
	rig_send(r, (struct seg){ .seq = challenge->seg.ack, .flags = SEG_RST });
	rig_event_closed(r, ECONNRESET);
	rig_expect_silence(r, MS(1));
	rig_expect_state(r, HF_CLOSED);
	rig_advance(r, SEC(1));
	r->irs += 1000000;
	r->ts_agreed = false;
	rig_open_passive(r);
}

/* We are the one that lost it: our SYN draws an ACK of something old, we answer with a RST, and our
 * SYN's repetition opens. */
static void syn_sent__peer_is_live__rst_then_open(struct rig *r)
{
	const uint32_t theirs = IRS + 5000, expected = ISS - 7000;

	rig_to(r, RIG_SYN_SENT);
	rig_send(r, (struct seg){ .seq = theirs, .ack = expected, .flags = SEG_ACK });
	rig_expect(r, (struct seg){ .seq = expected, .flags = SEG_RST });
	rig_expect_state(r, HF_SYN_SENT);
	rig_expect_silence(r, MS(999));
	rig_advance(r, MS(2));
	rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN });
	rig_send(r, peer_synack(r));
	r->rn = IRS + 1;
	r->ts_agreed = r->timestamps;
	rig_event(r, HF_EV_CONNECTED);
	rig_expect_ack(r);
}

/* RFC9293-old-SYN: a SYN of the past, the peer's RST to our SYN-ACK, then the true SYN. */
static void listen__old_syn__true_one_works(struct rig *r)
{
	const uint32_t irs = r->irs;
	const struct frame *sa;

	r->irs -= 100000;
	rig_to(r, RIG_SYN_RCVD_P);
	r->irs = irs;
	rig_send(r, (struct seg){ .seq = r->rn, .flags = SEG_RST });
	rig_expect_silence(r, 0);
	rig_no_event(r);
	assert_int_equal(rig_levels(r).requests.used, 0);
	rig_send(r, rig_syn(r));
	sa = rig_expect_sa(r);
	r->rn = IRS + 1;
	rig_send(r, (struct seg){ .seq = sa->seg.ack, .ack = sa->seg.seq + 1, .flags = SEG_ACK });
	rig_event(r, HF_EV_ACCEPT);
	rig_expect_silence(r, SEC(3));
	rig_expect_state(r, HF_ESTABLISHED);
}

/* ---- Times ---- */

/* Frames come at start + these seconds, each at most a tick late, and nothing else does. */
static void expect_times(struct rig *r, struct seg want, const unsigned *seconds, unsigned count,
			 uint64_t start_us)
{
	for (unsigned i = 0; i < count; i++) {
		const struct frame *f;

		rig_advance(r, start_us + SEC(seconds[i]) - r->now_us - 1);
		rig_expect_silence(r, 0);
		rig_advance(r, MS(1) + 1);
		f = rig_expect(r, want);
		assert_in_range(f->at_us, start_us + SEC(seconds[i]),
				start_us + SEC(seconds[i]) + MS(1));
	}
}

static void syn_sent__silence__given_up_at_247s(struct rig *r)
{
	static const unsigned seconds[] = { 1, 3, 7, 15, 31, 63, 127 };
	const uint64_t start_us = r->now_us;

	rig_to(r, RIG_SYN_SENT);
	expect_times(r, (struct seg){ .seq = ISS, .flags = SEG_SYN, .options = OPT_MSS }, seconds,
		     7, start_us);
	rig_expect_silence(r, start_us + SEC(247) - r->now_us - 1);
	rig_no_event(r);
	rig_expect_silence(r, MS(1) + 1);
	rig_event_closed(r, ETIMEDOUT);
	assert_int_equal(rig_counter(r, "failed_timeout"), 1);
	assert_int_equal(rig_counter(r, "timeout_syn_sent"), 1);
	assert_int_equal(rig_counter(r, "retransmit_syn"), 7);
	assert_int_equal(rig_counter(r, "syn_out"), 8);
	rig_expect_state(r, HF_CLOSED);
}

/* A load generator's shorter patience. */
static void set_two_retries(struct rig *r)
{
	r->config.tcp.syn_retries = 2;
}

static void syn_sent__two_retries__given_up_at_7s(struct rig *r)
{
	const uint64_t start_us = r->now_us;

	rig_to(r, RIG_SYN_SENT);
	rig_advance(r, start_us + SEC(7) - r->now_us - 1);
	rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN });
	rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN });
	rig_no_event(r);
	rig_expect_silence(r, MS(1) + 1);
	rig_event_closed(r, ETIMEDOUT);
}

static void syn_rcvd_p__silence__freed_at_63s(struct rig *r)
{
	static const unsigned seconds[] = { 1, 3, 7, 15, 31 };
	const uint64_t start_us = r->now_us;

	rig_to(r, RIG_SYN_RCVD_P);
	expect_times(r,
		     (struct seg){ .seq = ISS,
				   .ack = IRS + 1,
				   .flags = SYNACK,
				   .options = r->timestamps ? OPT_MSS | OPT_TS : OPT_MSS },
		     seconds, 5, start_us);
	rig_expect_silence(r, start_us + SEC(63) - r->now_us - 1);
	rig_expect_state(r, HF_SYN_RECEIVED);
	rig_expect_silence(r, MS(1) + 1);
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_counter(r, "synack_timeout"), 1);
	assert_int_equal(rig_counter(r, "retransmit_synack"), 5);
	rig_no_event(r);
	rig_open_passive(r);
}

/* ---- MUST-44..46 ---- */

/* MUST-44, MUST-45: the engine chooses, and stays with it. */
static void connect__source_chosen__same_in_every_segment(struct rig *r)
{
	const struct frame *f;

	assert_int_equal(hf_connect(r->w, NULL, &r->peer, 1, &r->id), 0);
	r->ids[r->id_count++] = r->id;
	rig_flush(r);
	f = rig_pop(r);
	assert_non_null(f);
	assert_int_equal(f->src.ip.version, r->peer.ip.version);
	assert_in_range(f->src.port, r->config.port_first, r->config.port_last);
	r->local = f->src;
	r->sn = ISS + 1;
	rig_advance(r, SEC(2));
	rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN });
	rig_send(r, peer_synack(r));
	r->ts_agreed = r->timestamps;
	rig_event(r, HF_EV_CONNECTED);
	rig_expect_ack(r);
	rig_write(r, 10);
	rig_flush(r);
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = SEG_ACK, .text_len = 10 });
	r->sn += 10;
	rig_send(r, peer_ack(r));
	assert_int_equal(hf_close(r->w, r->id), 0);
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = SEG_FIN | SEG_ACK });
	rig_expect_silence(r, MS(100));
}

static void connect__bad_peer__refused_without_a_frame(struct rig *r)
{
	static const char *const bad4[] = { "255.255.255.255:80", "224.0.0.1:80",
					    "239.255.255.255:80", "0.0.0.0:80", "198.19.0.1:0" };
	static const char *const bad6[] = { "[ff02::1]:80", "[ff0e::1]:80", "[::]:80",
					    "[2001:2::9]:0" };
	const bool v4 = r->local.ip.version == 4;
	struct hf_addr addr, not_ours;
	uint64_t id;

	for (unsigned i = 0;
	     i < (v4 ? sizeof(bad4) / sizeof(bad4[0]) : sizeof(bad6) / sizeof(bad6[0])); i++) {
		const char *text = v4 ? bad4[i] : bad6[i];

		if (hf_addr_parse(text, &addr) != 0) { /* a parser may refuse port 0 */
			addr = r->peer;
			addr.port = 0;
		}
		if (hf_connect(r->w, NULL, &addr, 0, &id) != -EINVAL)
			rig_fail(r, "hf_connect to %s is not refused", text);
	}
	not_ours = r->peer;
	assert_int_equal(hf_connect(r->w, &not_ours, &r->peer, 0, &id), -EADDRNOTAVAIL);
	rig_expect_silence(r, SEC(3));
	assert_int_equal(rig_levels(r).connections.used, 0);
}

static void set_24(struct rig *r)
{
	r->config.local_prefix[0] = 24;
}

static void set_31(struct rig *r)
{
	r->config.local_prefix[0] = 31;
}

static void connect__broadcast_of_our_network__refused(struct rig *r)
{
	uint64_t id;

	hf_addr_parse("198.18.0.255:80", &r->peer);
	assert_int_equal(hf_connect(r->w, NULL, &r->peer, 0, &id), -EINVAL);
	rig_expect_silence(r, SEC(3));
}

/* RFC 3021: there all addresses are hosts'. */
static void connect__last_of_two_addresses__opens(struct rig *r)
{
	const struct hf_addr any = { .ip = r->local.ip };

	hf_addr_parse("198.18.0.0:80", &r->peer);
	assert_int_equal(hf_connect(r->w, &any, &r->peer, 0, &r->id), 0);
	rig_discard(r);
}

static void connect__tuple_taken__eaddrinuse(struct rig *r)
{
	uint64_t id;

	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_connect(r->w, &r->local, &r->peer, 0, &id), -EADDRINUSE);
	rig_expect_silence(r, SEC(3));
	rig_expect_state(r, HF_ESTABLISHED);
}

/* Addresses of the other version, whole /96s of them, are passed over at once; more than can be numbered are refused. */
static void connect__addresses_of_the_other_version__passed_over(struct rig *r)
{
	struct hf_config config = r->config;
	struct hf_error why;
	struct hf_worker *w;
	uint64_t id;

	config.locals = 2;
	config.local[1] = config.local[0];
	config.local[1].count = 1;
	config.ipv4.connections = 32;
	config.local[0] = (struct hf_ip_range){ { { 0x20, 1, 0xd, 0xb8 }, 6 }, UINT32_MAX };
	assert_int_equal(hf_worker_create(&config, r->port, &w, &why), -EINVAL);
	assert_string_equal(why.text, "local[1]: with it there are more than 4294967295 addresses");
	config.local[0].count--;
	assert_int_equal(hf_worker_create(&config, r->port, &w, &why), 0);
	for (unsigned i = 1; i <= 32; i++) {
		hf_turn(w, MS(1) * i, NULL, 0);
		assert_int_equal(hf_connect(w, NULL, &r->peer, 0, &id), 0);
	}
	hf_worker_destroy(w);
}

/* ---- HF-OP3, HF-OP4, HF-OP6 ---- */

/* Text of a SYN is not acknowledged; the peer sends it again, and it is delivered once. */
static void listen__syn_with_text__delivered_once_later(struct rig *r)
{
	struct seg syn, text;

	rig_listen(r);
	syn = rig_syn(r);
	syn.text_len = 100;
	rig_send(r, syn);
	rig_expect_sa(r);
	r->sn = ISS + 1;
	r->rn = IRS + 1;
	r->ts_agreed = r->timestamps;
	text = peer_ack(r);
	text.text_len = 100;
	rig_send(r, text);
	assert_true(rig_event_bits(r) & HF_EV_ACCEPT);
	rig_accept(r);
	rig_read(r, 100);
	rig_discard(r);
	assert_int_equal(rig_counter(r, "text_in"), 100);
	rig_expect_state(r, HF_ESTABLISHED);
}

static void syn_rcvd_p__ack_text_fin__all_taken(struct rig *r)
{
	struct seg seg;
	uint8_t octet;

	rig_to(r, RIG_SYN_RCVD_P);
	seg = peer_ack(r);
	seg.flags |= SEG_FIN | SEG_PSH;
	seg.text_len = 20;
	rig_send(r, seg);
	r->rn += 21;
	assert_true(rig_event_bits(r) & HF_EV_ACCEPT);
	rig_accept(r);
	rig_expect_ack(r);
	rig_expect_state(r, HF_CLOSE_WAIT);
	rig_read(r, 20);
	assert_int_equal(hf_recv(r->w, r->id, &octet, 1), 0);
	assert_int_equal(hf_close(r->w, r->id), 0);
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = SEG_FIN | SEG_ACK });
	r->sn++;
	rig_send(r, peer_ack(r));
	rig_expect_silence(r, 0);
	rig_expect_state(r, HF_CLOSED);
}

static void connect__refused__told_and_counted(struct rig *r)
{
	rig_to(r, RIG_SYN_SENT);
	rig_send(r, (struct seg){ .ack = ISS + 1, .flags = SEG_RST | SEG_ACK });
	rig_event_closed(r, ECONNREFUSED);
	assert_int_equal(rig_counter(r, "failed_refused"), 1);
	rig_expect_silence(r, SEC(3));
}

static void connect__timed_out__told_and_counted(struct rig *r)
{
	rig_to(r, RIG_SYN_SENT);
	rig_advance(r, SEC(10));
	rig_discard(r);
	rig_event_closed(r, ETIMEDOUT);
	assert_int_equal(rig_counter(r, "failed_timeout"), 1);
}

static void connect__aborted__told_and_counted(struct rig *r)
{
	rig_to(r, RIG_SYN_SENT);
	assert_int_equal(hf_abort(r->w, r->id), 0);
	rig_expect_silence(r, 0);
	rig_turn(r);
	rig_event_closed(r, ECONNABORTED);
	assert_int_equal(rig_counter(r, "failed_aborted"), 1);
	rig_expect_silence(r, SEC(3));
}

static void established__reset__told_and_counted(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = r->rn, .flags = SEG_RST });
	rig_event_closed(r, ECONNRESET);
	assert_int_equal(rig_counter(r, "lost_reset"), 1);
	rig_expect_silence(r, SEC(3));
}

/* HF-P3: two hosts behind one address, their timestamp clocks a world apart, by turns: nothing that one has
 * said is held against the other. */
static void two_hosts__one_address__all_succeed(struct rig *r)
{
	for (unsigned i = 0; i < 12; i++) {
		rig_another(r);
		r->ts_base = i % 2 ? 5 : 0x90000000;
		rig_to(r, RIG_TIME_WAIT);
	}
	assert_int_equal(rig_counter(r, "paws_refused"), 0);
	assert_int_equal(rig_counter(r, "tw_entered"), 12);
}

static const struct row rows[] = {
	{ .name = "HF-OP1-active", .test = active__all_options__offered_and_exact },
	{ .name = "HF-OP1-active-plain",
	  .test = active__options_off__mss_alone,
	  .set_up = set_no_options,
	  .variants = ROW_PLAIN },
	{ .name = "HF-OP1-passive", .test = passive__options__echo_what_was_offered },
	{ .name = "HF-OP1-passive-plain",
	  .test = passive__options_off__mss_alone,
	  .set_up = set_no_options,
	  .variants = ROW_PLAIN },
	{ .name = "HF-OP1-active-whole", .test = both_sides__plain__established, .set_up = set_active },
	{ .name = "HF-OP1-passive-whole",
	  .test = both_sides__plain__established,
	  .set_up = set_passive },

	{ .name = "MUST-10-cross", .test = simultaneous__syns_cross__established },
	{ .name = "MUST-10-ack", .test = simultaneous__bare_ack__established },
	{ .name = "MUST-10-both-lost", .test = simultaneous__synacks_lost__timer_recovers },
	{ .name = "MUST-10-ours-lost", .test = simultaneous__our_synack_lost__challenge_repairs },
	{ .name = "MUST-10-overtaken", .test = simultaneous__synack_overtakes__late_syn_challenged },
	{ .name = "HF-RL6-simultaneous", .test = simultaneous__repeated_syn__at_most_two_a_second },
	{ .name = "MUST-10-early", .test = simultaneous__synack_before_our_syn__acks_nothing },
	{ .name = "MUST-11", .test = syn_rcvd__rst__origin_decides },

	{ .name = "RFC9293-3.5.1-live",
	  .test = established__peer_restarts__old_ends_new_opens,
	  .set_up = set_passive },
	{ .name = "RFC9293-3.5.1-lost", .test = syn_sent__peer_is_live__rst_then_open },
	{ .name = "RFC9293-old-SYN", .test = listen__old_syn__true_one_works },

	{ .name = "MUST-22, MUST-23", .test = syn_sent__silence__given_up_at_247s },
	{ .name = "MUST-23-short",
	  .test = syn_sent__two_retries__given_up_at_7s,
	  .set_up = set_two_retries },
	{ .name = "HF-OP2, SEC-28", .test = syn_rcvd_p__silence__freed_at_63s },

	{ .name = "MUST-44, MUST-45", .test = connect__source_chosen__same_in_every_segment },
	{ .name = "MUST-46", .test = connect__bad_peer__refused_without_a_frame },
	{ .name = "MUST-46-broadcast",
	  .test = connect__broadcast_of_our_network__refused,
	  .set_up = set_24,
	  .variants = ROW_ONCE },
	{ .name = "MUST-46-point-to-point",
	  .test = connect__last_of_two_addresses__opens,
	  .set_up = set_31,
	  .variants = ROW_ONCE },
	{ .name = "MUST-44-versions",
	  .test = connect__addresses_of_the_other_version__passed_over,
	  .variants = ROW_ONCE },
	{ .name = "SE-U-ESTABLISHED-OPEN", .test = connect__tuple_taken__eaddrinuse },

	{ .name = "HF-P3, SEC-18", .test = two_hosts__one_address__all_succeed, .set_up = set_passive },
	{ .name = "HF-OP3", .test = listen__syn_with_text__delivered_once_later },
	{ .name = "HF-OP4", .test = syn_rcvd_p__ack_text_fin__all_taken },
	{ .name = "HF-OP6-refused", .test = connect__refused__told_and_counted },
	{ .name = "HF-OP6-timeout",
	  .test = connect__timed_out__told_and_counted,
	  .set_up = set_two_retries },
	{ .name = "HF-OP6-aborted", .test = connect__aborted__told_and_counted },
	{ .name = "HF-OP6-reset", .test = established__reset__told_and_counted },
};

int main(int argc, char **argv)
{
	return rig_run("Opening", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

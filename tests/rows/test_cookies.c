/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN cookies end to end (RFC 4987 3.6; REQUIREMENTS 7, and LISTEN in Table K). */
#include <errno.h>

#include "rig/rig.h"

static void set_always(struct rig *r)
{
	r->active = false;
	r->config.tcp.syncookies = 2;
	r->config.seed.iss_fixed = false;
}

static void set_full(struct rig *r)
{
	set_always(r);
	r->config.tcp.syncookies = 1;
	r->config.tcp.syn_backlog = 1;
}

static void set_never(struct rig *r)
{
	set_full(r);
	r->config.tcp.syncookies = 0;
}

/* Our SYN-ACK to the peer's SYN, which leaves nothing behind. */
static struct seg cookie_of(struct rig *r, struct seg syn)
{
	const struct frame *frame;
	struct seg seg;

	rig_mark(r);
	rig_send(r, syn);
	rig_flush(r);
	frame = rig_pop(r);
	assert_non_null(frame);
	seg = frame->seg;
	assert_int_equal(seg.flags, SEG_SYN | SEG_ACK);
	assert_int_equal(seg.ack, syn.seq + 1);
	rig_expect_rose(r, "cookie_sent", 1);
	return seg;
}

/* The handshake's last ACK to that SYN-ACK. */
static struct seg last_ack(const struct rig *r, struct seg synack)
{
	struct seg seg = { .seq = IRS + 1, .ack = synack.seq + 1, .flags = SEG_ACK };

	if (synack.options & OPT_TS) {
		seg.options = OPT_TS;
		seg.tsval = r->ts_base + 5;
		seg.tsecr = synack.tsval;
	}
	return seg;
}

static void take_up(struct rig *r, struct seg synack)
{
	r->iss = synack.seq;
	r->su = r->sn = synack.seq + 1;
	r->rn = IRS + 1;
	r->ts_agreed = synack.options & OPT_TS;
}

static void listen__good_cookie__established(struct rig *r)
{
	struct seg synack;

	rig_listen(r);
	synack = cookie_of(r, rig_syn(r));
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_levels(r).requests.used, 0);
	rig_advance(r, SEC(60));
	rig_expect_silence(r, SEC(1)); /* a cookie is never sent again */
	rig_send(r, last_ack(r, synack));
	take_up(r, synack);
	rig_event(r, HF_EV_ACCEPT);
	rig_expect_state(r, HF_ESTABLISHED);
	rig_expect_rose(r, "cookie_ok", 1);
	rig_accept(r);
	rig_write(r, 100);
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = SEG_ACK, .text_len = 100 });
}

static void listen__cookie_too_old__ra(struct rig *r)
{
	struct seg synack, ack;

	rig_listen(r);
	synack = cookie_of(r, rig_syn(r));
	rig_advance(r, SEC(129));
	rig_mark(r);
	ack = last_ack(r, synack);
	rig_send(r, ack);
	rig_expect_ra(r, ack);
	rig_expect_state(r, HF_CLOSED);
	rig_expect_rose(r, "cookie_checked", 0); /* nobody looks so long after the last one */
}

/* The ACK of a cookie is one for the listener that sent it, no other. */
static void expect_no_cookie_asked(struct rig *r, struct seg synack)
{
	const struct seg ack = last_ack(r, synack);

	rig_mark(r);
	rig_send(r, ack);
	rig_expect_ra(r, ack);
	rig_expect_rose(r, "cookie_checked", 0);
	rig_expect_state(r, HF_CLOSED);
}

static void listen__cookie_of_another__not_checked(struct rig *r)
{
	struct hf_addr other = r->local;
	struct seg synack;

	rig_listen(r);
	other.port++;
	rig_listen_at(r, &other, 0);
	synack = cookie_of(r, rig_syn(r));
	r->local = other;
	expect_no_cookie_asked(r, synack);
}

/* Of the same number and port, but it has sent none. */
static void listen__anew__not_checked(struct rig *r)
{
	struct seg synack;

	rig_listen(r);
	synack = cookie_of(r, rig_syn(r));
	assert_int_equal(hf_unlisten(r->w, r->listener), 0);
	rig_listen(r);
	expect_no_cookie_asked(r, synack);
}

static void listen__wrong_cookie__ra(struct rig *r)
{
	struct seg synack, ack;

	rig_listen(r);
	synack = cookie_of(r, rig_syn(r));
	ack = last_ack(r, synack);
	ack.ack += 64; /* the MAC's lowest bit */
	rig_send(r, ack);
	rig_expect_ra(r, ack);
	rig_expect_rose(r, "cookie_bad", 1);
	rig_expect_state(r, HF_CLOSED);
}

/* Whichever octets of the MAC are guessed, the answer and what is counted are the same: cookies are compared as
 * one word (HF-RL7). */
static void listen__cookie_right_in_part__as_if_all_wrong(struct rig *r)
{
	struct seg synack, ack;

	rig_listen(r);
	synack = cookie_of(r, rig_syn(r));
	for (unsigned wrong = 1; wrong < 16; wrong++) { /* a bit for each octet */
		ack = last_ack(r, synack);
		for (unsigned i = 0; i < 4; i++)
			if (wrong >> i & 1)
				ack.ack = ((ack.ack - 1) ^ 0x40u << 8 * i) + 1;
		rig_mark(r);
		rig_send(r, ack);
		rig_expect_ra(r, ack);
		rig_expect_silence(r, 0);
		rig_expect_rose(r, "cookie_checked", 1);
		rig_expect_rose(r, "cookie_bad", 1);
		rig_expect_rose(r, "rst_out_bad_ack", 1);
	}
}

static void listen__acks_and_no_flood__no_mac(struct rig *r)
{
	rig_listen(r);
	rig_mark(r);
	for (uint32_t i = 0; i < 100; i++) {
		const struct seg ack = { .seq = IRS + i, .ack = i * 7919, .flags = SEG_ACK };

		rig_send(r, ack);
		rig_expect_ra(r, ack);
	}
	rig_expect_rose(r, "cookie_checked", 0);
}

static void established__cookie_replayed__finds_the_connection(struct rig *r)
{
	struct seg synack;

	rig_listen(r);
	synack = cookie_of(r, rig_syn(r));
	rig_send(r, last_ack(r, synack));
	take_up(r, synack);
	rig_event(r, HF_EV_ACCEPT);
	rig_accept(r);
	for (unsigned i = 0; i < 10; i++) {
		rig_send(r, last_ack(r, synack));
		rig_expect_silence(r, MS(1));
	}
	rig_expect_rose(r, "cookie_ok", 1);
	rig_expect_rose(r, "passive_established", 1);
}

static void establish(struct rig *r, struct seg synack)
{
	rig_send(r, last_ack(r, synack));
	take_up(r, synack);
	rig_event(r, HF_EV_ACCEPT);
	rig_accept(r);
	rig_expect_state(r, HF_ESTABLISHED);
}

static void expect_replay_is_refused(struct rig *r, struct seg synack)
{
	rig_expect_state(r, HF_CLOSED);
	rig_mark(r);
	for (unsigned i = 0; i < 10; i++) {
		const struct seg ack = last_ack(r, synack);

		rig_send(r, ack);
		rig_expect_ra(r, ack);
		rig_expect_state(r, HF_CLOSED);
		rig_advance(r, SEC(5));
	}
	rig_expect_rose(r, "cookie_ok", 0);
	rig_expect_rose(r, "cookie_replayed", 10);
}

static void peer_closes(struct rig *r)
{
	rig_send(r, (struct seg){ .seq = r->rn++, .ack = r->sn, .flags = SEG_FIN | SEG_ACK });
	rig_event(r, HF_EV_EOF);
	assert_int_equal(hf_close(r->w, r->id), 0);
	rig_expect(r, (struct seg){ .seq = r->sn++, .ack = r->rn, .flags = SEG_FIN | SEG_ACK });
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_event_closed(r, 0);
	r->ts_agreed = false;
}

/* The peer closed first, and nothing is left here that would know the connection. */
static void closed__cookie_replayed__ra(struct rig *r)
{
	struct seg synack;

	rig_listen(r);
	synack = cookie_of(r, rig_syn(r));
	establish(r, synack);
	peer_closes(r);
	expect_replay_is_refused(r, synack);
}

static void reset__cookie_replayed__ra(struct rig *r)
{
	struct seg synack;

	rig_listen(r);
	synack = cookie_of(r, rig_syn(r));
	establish(r, synack);
	rig_send(r, (struct seg){ .seq = r->rn, .flags = SEG_RST });
	rig_event_closed(r, ECONNRESET);
	r->ts_agreed = false;
	expect_replay_is_refused(r, synack);
}

/* ... and the tuple is free for the next connection, whose cookie is another one. */
static void closed__another_cookie__established(struct rig *r)
{
	struct seg first, second;

	rig_listen(r);
	first = cookie_of(r, rig_syn(r));
	establish(r, first);
	peer_closes(r);
	r->irs += 100000;
	second = cookie_of(r, rig_syn(r));
	establish(r, second);
	peer_closes(r);
	expect_replay_is_refused(r, second);
	r->irs -= 100000;
	expect_replay_is_refused(r, first);
}

/* Two have cookies; the first one's ACK fills the queue. */
static void fill_queue(struct rig *r, struct seg *second)
{
	struct seg first;

	rig_listen(r);
	r->peer.port++;
	*second = cookie_of(r, rig_syn(r));
	r->peer.port--;
	first = cookie_of(r, rig_syn(r));
	rig_send(r, last_ack(r, first));
	rig_event(r, HF_EV_ACCEPT);
	rig_expect_silence(r, 0);
	r->peer.port++;
	rig_mark(r);
}

static void set_queue_1(struct rig *r)
{
	set_always(r);
	r->config.tcp.accept_queue = 1;
}

static void set_queue_1_abort(struct rig *r)
{
	set_queue_1(r);
	r->config.tcp.abort_on_overflow = true;
}

static void accept_queue__full__last_ack_dropped_then_taken(struct rig *r)
{
	struct seg synack;

	fill_queue(r, &synack);
	rig_send(r, last_ack(r, synack));
	rig_expect_silence(r, SEC(1));
	rig_expect_rose(r, "accept_overflow", 1);
	rig_accept(r);
	rig_send(r, last_ack(r, synack));
	rig_event(r, HF_EV_ACCEPT);
	rig_expect_state(r, HF_ESTABLISHED);
}

/* No half-open is there whose SYN-ACK would come again: without this a client that waits to be spoken to hangs. */
static void accept_queue__full_and_abort__ra(struct rig *r)
{
	struct seg synack, ack;

	fill_queue(r, &synack);
	ack = last_ack(r, synack);
	rig_send(r, ack);
	rig_expect_ra(r, ack);
	rig_expect_rose(r, "accept_overflow", 1);
	rig_expect_rose(r, "rst_out_limit", 1);
	rig_expect_state(r, HF_CLOSED);
}

/* What the SYN offered comes back from TSval; without timestamps only the MSS is kept. */
static void listen__cookie__keeps_options(struct rig *r)
{
	struct seg syn = rig_syn(r);
	struct seg synack, ack;
	struct hf_status status;

	syn.options |= OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED;
	syn.mss = 1400;
	syn.wscale = 9;
	rig_listen(r);
	synack = cookie_of(r, syn);
	assert_int_equal(synack.options,
			 OPT_MSS | (r->timestamps ? OPT_TS | OPT_WSCALE | OPT_SACK_PERMITTED : 0));
	ack = last_ack(r, synack);
	ack.wnd = 40;
	rig_send(r, ack);
	take_up(r, synack);
	rig_event(r, HF_EV_ACCEPT);
	rig_accept(r);
	assert_int_equal(hf_status(r->w, r->id, &status), 0);
	assert_int_equal(status.timestamps, r->timestamps);
	assert_int_equal(status.sack, r->timestamps);
	assert_int_equal(status.snd_wnd, r->timestamps ? 40 << 9 : 40);
	assert_int_equal(status.snd_mss, r->timestamps ? 1400 - 12 : 1400);
}

static void set_small(struct rig *r)
{
	set_always(r);
	r->config.tcp.min_snd_mss = 48;
}

/* Whoever asked for less than the cookie's least MSS gets no more than that. */
static void listen__cookie__mss_never_above_the_agreed(struct rig *r)
{
	static const struct {
		uint16_t ours, peers, most;
	} cases[] = { { 100, 1460, 100 }, { 1460, 60, 60 }, { 1460, 215, 215 }, { 64, 48, 48 } };

	rig_listen(r);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seg syn, synack;

		rig_another(r);
		syn = rig_syn(r);
		syn.options |= OPT_MSS;
		syn.mss = cases[i].peers;
		assert_int_equal(hf_set_listener(r->w, r->listener, HF_MSS, cases[i].ours), 0);
		synack = cookie_of(r, syn);
		rig_send(r, last_ack(r, synack));
		take_up(r, synack);
		rig_event(r, HF_EV_ACCEPT);
		rig_accept(r);
		assert_in_range(rig_status(r).snd_mss, 48 - 12,
				cases[i].most - (r->timestamps ? 12 : 0));
	}
}

static struct seg syn_from(struct rig *r, struct hf_addr *peer)
{
	peer->port++;
	return rig_syn(r);
}

static void backlog_full__cookies_on__stateless(struct rig *r)
{
	struct hf_addr other = r->peer;

	rig_listen(r);
	rig_push_from(r, &other, syn_from(r, &other), NULL);
	rig_turn(r);
	rig_discard(r);
	assert_int_equal(rig_levels(r).requests.used, 1);
	cookie_of(r, rig_syn(r));
	assert_int_equal(rig_levels(r).requests.used, 1);
	rig_expect_rose(r, "syn_backlog_drop", 0);
}

static void backlog_full__cookies_off__dropped(struct rig *r)
{
	struct hf_addr other = r->peer;

	rig_listen(r);
	rig_push_from(r, &other, syn_from(r, &other), NULL);
	rig_turn(r);
	rig_discard(r);
	rig_mark(r);
	rig_send(r, rig_syn(r));
	rig_expect_silence(r, MS(10));
	rig_expect_rose(r, "syn_backlog_drop", 1);
	rig_expect_rose(r, "cookie_sent", 0);
}

/* HF-B5: a SYN from everywhere, a hundred to each of a client's segments, and every client gets through. */
static void flood__from_everywhere__clients_get_through(struct rig *r)
{
	uint32_t spoofed = 0;

	rig_listen(r);
	for (unsigned client = 0; client < 20; client++) {
		struct seg synack;

		rig_another(r);
		r->ts_agreed = false;
		r->written = r->read = 0;
		for (unsigned step = 0; step < 3; step++) {
			struct hf_addr from = r->peer;

			for (unsigned i = 0; i < 100; i++) {
				from.port = (uint16_t)(1 + spoofed % 60000);
				from.ip.octets[from.ip.version == 4 ? 3 : 15] =
					(uint8_t)(3 + spoofed++ % 200);
				rig_push_from(r, &from, rig_syn(r), NULL);
			}
			for (unsigned i = 0; i < 5; i++)
				rig_discard(r);
			if (step == 0) {
				synack = cookie_of(r, rig_syn(r));
			} else if (step == 1) {
				rig_send(r, last_ack(r, synack));
				take_up(r, synack);
				rig_event(r, HF_EV_ACCEPT);
				rig_accept(r);
			} else {
				rig_send(r, (struct seg){ .seq = r->rn,
							  .ack = r->sn,
							  .flags = SEG_ACK,
							  .text_len = 100 });
				rig_event(r, HF_EV_READABLE);
				rig_read(r, 100);
				assert_int_equal(hf_abort(r->w, r->id), 0);
				rig_discard(r);
				rig_turn(r);
				rig_forget_events(r);
			}
		}
	}
	assert_int_equal(rig_counter(r, "cookie_ok"), 20);
	assert_true(rig_levels(r).requests.peak <= r->config.tcp.syn_backlog);
}

static const struct row rows[] = {
	{ "SE-K-LISTEN-cookie", listen__good_cookie__established, .set_up = set_always },
	{ "RFC4987-cookie1-age", listen__cookie_too_old__ra, .set_up = set_always },
	{ "RFC4987-cookie1-forged", listen__wrong_cookie__ra, .set_up = set_always },
	{ "HF-RL7", listen__cookie_right_in_part__as_if_all_wrong, .set_up = set_always },
	{ "RFC4987-cookie2", listen__cookie__keeps_options, .set_up = set_always },
	{ "RFC4987-cookie2-mss", listen__cookie__mss_never_above_the_agreed, .set_up = set_small },
	{ "RFC4987-cookie3, SEC-16", listen__acks_and_no_flood__no_mac, .set_up = set_full },
	{ "RFC4987-cookie3-listener", listen__cookie_of_another__not_checked, .set_up = set_always },
	{ "RFC4987-cookie3-anew", listen__anew__not_checked, .set_up = set_always },
	{ "HF-B3-cookie", accept_queue__full__last_ack_dropped_then_taken, .set_up = set_queue_1 },
	{ "HF-B3-cookie-abort", accept_queue__full_and_abort__ra, .set_up = set_queue_1_abort },
	{ "RFC4987-cookie4", established__cookie_replayed__finds_the_connection,
	  .set_up = set_always },
	{ "RFC4987-cookie4-closed", closed__cookie_replayed__ra, .set_up = set_always },
	{ "RFC4987-cookie4-reset", reset__cookie_replayed__ra, .set_up = set_always },
	{ "RFC4987-cookie4-another", closed__another_cookie__established, .set_up = set_always },
	{ "HF-B5, SEC-15", flood__from_everywhere__clients_get_through, .set_up = set_full },
	{ "HF-B2-cookie", backlog_full__cookies_on__stateless, .set_up = set_full },
	{ "HF-B2-drop", backlog_full__cookies_off__dropped, .set_up = set_never },
};

int main(int argc, char **argv)
{
	return rig_run("cookies", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* REQUIREMENTS 7: listeners and their limits, the backlog of half-opens and the accept queue
 * (RFC 9293 3.9.1.1 passive OPEN, RFC 4987; Table U row LISTEN). */
#include <errno.h>

#include "rig/rig.h"

/* The peer's bare ACK of all that we sent, from where its stream stands. */
static struct seg peer_ack(const struct rig *r)
{
	return (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK };
}

/* ---- MUST-41..43 ---- */

static void listen__three_on_a_port__exact_address_wins(struct rig *r)
{
	const struct hf_addr first = r->local;
	struct hf_addr second = first, any = first, other = first;
	uint32_t exact, exact2, wild;

	second.ip.octets[first.ip.version == 4 ? 3 : 15]++;
	other.ip.octets[first.ip.version == 4 ? 3 : 15] += 2;
	any.ip = (struct hf_ip){ .version = first.ip.version };
	wild = rig_listen_at(r, &any, 100);
	exact = rig_listen_at(r, &first, 101);
	exact2 = rig_listen_at(r, &second, 102);

	r->listener = exact;
	rig_open_passive(r);
	r->ts_agreed = false;
	r->local = second;
	r->listener = exact2;
	rig_open_passive(r);
	r->ts_agreed = false;
	r->local = other;
	r->listener = wild;
	rig_open_passive(r);
	r->ts_agreed = false;

	/* CLOSE of one leaves the others and their connections alone. */
	assert_int_equal(hf_unlisten(r->w, exact), 0);
	assert_int_equal(hf_unlisten(r->w, exact), -EBADF);
	r->local = first;
	rig_expect_state(r, HF_ESTABLISHED);
	r->peer.port++;
	r->listener = wild;
	rig_open_passive(r);
	assert_int_equal(rig_levels(r).connections.used, 4);
	r->listeners[1] = r->listeners[--r->listener_count];
}

static void listen__event__names_listener_and_cookie(struct rig *r)
{
	const struct hf_event *e;
	uint64_t id;

	r->listener = rig_listen_at(r, &r->local, 4711);
	rig_to(r, RIG_SYN_RCVD_P);
	rig_send(r, peer_ack(r));
	e = rig_event(r, HF_EV_ACCEPT);
	assert_int_equal(e->cookie, 4711);
	assert_int_equal(e->listener, r->listener);
	assert_int_equal(e->readable, 0);
	rig_accept(r);
	assert_int_equal(hf_accept(r->w, r->listener, 1, &id), -EAGAIN);
	assert_int_equal(hf_accept(r->w, r->listener + 5, 1, &id), -EBADF);
}

static void listen__bad_calls__errors(struct rig *r)
{
	struct hf_addr addr = r->local;
	uint32_t listener;

	rig_listen(r);
	assert_int_equal(hf_listen(r->w, &addr, 0, &listener), -EADDRINUSE);
	addr.port = 0;
	assert_int_equal(hf_listen(r->w, &addr, 0, &listener), -EINVAL);
	addr = r->peer;
	assert_int_equal(hf_listen(r->w, &addr, 0, &listener), -EADDRNOTAVAIL);
	rig_expect_silence(r, MS(10));
}

/* ---- HF-B1, HF-B2, HF-B3, HF-RL6 ---- */

static void set_backlog_4(struct rig *r)
{
	r->config.tcp.syn_backlog = 4;
	r->config.tcp.syncookies = 0;
}

static void listen__backlog_full__syn_dropped(struct rig *r)
{
	rig_listen(r);
	for (unsigned i = 0; i < 4; i++, r->peer.port++) {
		rig_send(r, rig_syn(r));
		rig_expect_sa(r);
	}
	rig_send(r, rig_syn(r));
	rig_expect_silence(r, MS(600));
	assert_int_equal(rig_levels(r).requests.used, 4);
	assert_int_equal(rig_counter(r, "syn_backlog_drop"), 1);

	/* A known half-open's SYN is not a new one. */
	r->peer.port--;
	rig_send(r, rig_syn(r));
	rig_expect_sa(r);
	assert_int_equal(rig_counter(r, "syn_backlog_drop"), 1);

	/* One goes, one comes. */
	rig_send(r, (struct seg){ .seq = IRS + 1, .flags = SEG_RST });
	rig_expect_silence(r, 0);
	r->peer.port++;
	rig_send(r, rig_syn(r));
	rig_expect_sa(r);
	assert_int_equal(rig_levels(r).requests.used, 4);
	rig_discard(r);
}

/* The backlog is each listener's own. */
static void listen__backlog_full__other_listener_serves(struct rig *r)
{
	struct hf_addr other = r->local;

	rig_listen(r);
	for (unsigned i = 0; i < 4; i++, r->peer.port++) {
		rig_send(r, rig_syn(r));
		rig_expect_sa(r);
	}
	other.port++;
	rig_listen_at(r, &other, 0);
	r->local = other;
	rig_send(r, rig_syn(r));
	rig_expect_sa(r);
	assert_int_equal(rig_levels(r).requests.used, 5);
	rig_discard(r);
}

static void set_queue_1(struct rig *r)
{
	r->config.tcp.accept_queue = 1;
}

static void set_queue_1_abort(struct rig *r)
{
	set_queue_1(r);
	r->config.tcp.abort_on_overflow = true;
}

/* Three half-opens; the first client's last ACK fills the queue. */
static void three_clients(struct rig *r)
{
	rig_listen(r);
	r->peer.port += 2;
	for (unsigned i = 0; i < 3; i++) {
		r->ts_agreed = false;
		rig_send(r, rig_syn(r));
		rig_expect_sa(r);
		if (i != 2)
			r->peer.port--;
	}
	r->sn = ISS + 1;
	r->rn = IRS + 1;
	r->ts_agreed = r->timestamps;
	rig_send(r, peer_ack(r));
	rig_event(r, HF_EV_ACCEPT);
	rig_expect_silence(r, 0);
	rig_expect_state(r, HF_ESTABLISHED);
}

static void accept_queue__full__last_ack_dropped_then_taken(struct rig *r)
{
	const uint16_t first = r->peer.port;

	three_clients(r);
	r->peer.port = (uint16_t)(first + 1);
	rig_send(r, peer_ack(r));
	rig_expect_silence(r, MS(10));
	rig_no_event(r);
	rig_expect_state(r, HF_SYN_RECEIVED);
	assert_int_equal(rig_counter(r, "accept_overflow"), 1);

	/* A new SYN is dropped, too. */
	r->peer.port = (uint16_t)(first + 10);
	rig_send(r, rig_syn(r));
	rig_expect_silence(r, MS(10));
	assert_int_equal(rig_counter(r, "accept_overflow"), 2);
	assert_int_equal(rig_levels(r).requests.used, 2);

	/* The half-open's SYN-ACK comes again; there is room by now, and its ACK completes. */
	rig_accept(r);
	rig_advance(r, SEC(1));
	rig_discard(r);
	r->peer.port = (uint16_t)(first + 1);
	rig_expect_state(r, HF_SYN_RECEIVED);
	assert_int_equal(rig_counter(r, "retransmit_synack"), 2);
	rig_send(r, peer_ack(r));
	rig_event(r, HF_EV_ACCEPT);
	rig_accept(r);
	rig_expect_state(r, HF_ESTABLISHED);
	rig_expect_silence(r, MS(100));
}

static void accept_queue__full_abort__rst_and_freed(struct rig *r)
{
	const uint16_t first = r->peer.port;
	struct seg ack;

	three_clients(r);
	r->peer.port = (uint16_t)(first + 1);
	ack = peer_ack(r);
	rig_send(r, ack);
	rig_expect_ra(r, ack);
	rig_no_event(r);
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_levels(r).requests.used, 1);
	assert_int_equal(rig_counter(r, "request_overflow"), 1);
	rig_expect_silence(r, MS(100));
}

/* HF-B4: data that comes after the dropped ACK completes the handshake once there is room. */
static void accept_queue__room_again__data_completes(struct rig *r)
{
	const uint16_t first = r->peer.port;
	struct seg text;

	three_clients(r);
	r->peer.port = (uint16_t)(first + 1);
	rig_send(r, peer_ack(r));
	rig_expect_silence(r, 0);
	r->peer.port = first;
	rig_accept(r);
	r->peer.port = (uint16_t)(first + 1);
	text = peer_ack(r);
	text.text_len = 10;
	rig_send(r, text);
	assert_true(rig_event_bits(r) & HF_EV_ACCEPT);
	rig_accept(r);
	rig_expect_state(r, HF_ESTABLISHED);
	rig_read(r, 10);
	rig_discard(r);
}

static void syn_rcvd_p__thousand_equal_syns__one_synack_in_500ms(struct rig *r)
{
	unsigned count = 0;

	rig_to(r, RIG_SYN_RCVD_P);
	for (unsigned i = 0; i < 999; i++) {
		rig_advance(r, 999);
		rig_send(r, rig_syn(r));
		while (rig_pop(r))
			count++;
	}
	assert_int_equal(count, 1);
	assert_int_equal(rig_counter(r, "synack_suppressed"), 998);
	assert_int_equal(rig_levels(r).requests.used, 1);
}

/* ---- HF-OP5 ---- */

static void unlisten__half_opens__vanish(struct rig *r)
{
	struct seg late;

	rig_to(r, RIG_SYN_RCVD_P);
	r->peer.port++;
	r->ts_agreed = false;
	rig_to(r, RIG_SYN_RCVD_P);
	assert_int_equal(hf_unlisten(r->w, r->listener), 0);
	r->listener_count = 0;
	rig_expect_silence(r, SEC(2));
	rig_no_event(r);
	assert_int_equal(rig_levels(r).requests.used, 0);
	assert_int_equal(rig_levels(r).timers, 0);
	assert_int_equal(rig_counter(r, "request_unlistened"), 2);
	late = peer_ack(r);
	rig_send(r, late);
	rig_expect_ra(r, late);
	rig_expect_silence(r, SEC(1));
}

/* Connections that nobody has accepted are reset when their listener goes (Table U). */
static void unlisten__not_accepted__reset(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_P);
	rig_send(r, peer_ack(r));
	rig_event(r, HF_EV_ACCEPT);
	rig_flush(r);
	assert_int_equal(hf_unlisten(r->w, r->listener), 0);
	r->listener_count = 0;
	rig_flush(r);
	rig_expect_rs(r);
	rig_expect_silence(r, SEC(1));
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_levels(r).flows.used, 0);
}

/* ---- HF-M7 ---- */

/* One socket of the peer, three of ours: another address, another port. Each is a connection of its own. */
static void one_peer__three_of_our_sockets__three_connections(struct rig *r)
{
	struct hf_addr local[3] = { r->local, r->local, r->local };
	uint64_t id[3];
	struct seg text[3];

	local[1].ip.octets[r->local.ip.version == 4 ? 3 : 15]++;
	local[2].port++;
	for (unsigned i = 0; i < 3; i++) {
		r->local = local[i];
		r->ts_agreed = false;
		r->listener = rig_listen_at(r, &local[i], i);
		rig_open_passive(r);
		id[i] = r->id;
		text[i] = (struct seg){
			.seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .text_len = (uint16_t)(i + 1)
		};
	}
	for (unsigned i = 0; i < 3; i++) {
		const struct hf_event *e;

		r->local = local[i];
		rig_send(r, text[i]);
		e = rig_event(r, HF_EV_READABLE);
		assert_int_equal(e->id, id[i]);
		assert_int_equal(e->readable, i + 1);
	}
	r->local = local[1];
	rig_send(r, (struct seg){ .seq = text[1].seq + 2, .flags = SEG_RST });
	assert_int_equal(rig_event_closed(r, ECONNRESET)->id, id[1]);
	rig_expect_state(r, HF_CLOSED);
	for (unsigned i = 0; i < 3; i += 2) {
		r->local = local[i];
		rig_expect_state(r, HF_ESTABLISHED);
	}
}

static const struct row rows[] = {
	{ .name = "MUST-41..43", .test = listen__three_on_a_port__exact_address_wins },
	{ .name = "MUST-41-event", .test = listen__event__names_listener_and_cookie },
	{ .name = "HF-M7", .test = one_peer__three_of_our_sockets__three_connections },
	{ .name = "MUST-43-errors", .test = listen__bad_calls__errors },
	{ .name = "HF-B1, HF-L8", .test = listen__backlog_full__syn_dropped, .set_up = set_backlog_4 },
	{ .name = "HF-B1-each",
	  .test = listen__backlog_full__other_listener_serves,
	  .set_up = set_backlog_4 },
	{ .name = "HF-B3, HF-L8",
	  .test = accept_queue__full__last_ack_dropped_then_taken,
	  .set_up = set_queue_1 },
	{ .name = "HF-B3-abort",
	  .test = accept_queue__full_abort__rst_and_freed,
	  .set_up = set_queue_1_abort },
	{ .name = "HF-B4", .test = accept_queue__room_again__data_completes, .set_up = set_queue_1 },
	{ .name = "HF-RL6",
	  .test = syn_rcvd_p__thousand_equal_syns__one_synack_in_500ms,
	  .variants = ROW_ONCE },
	{ .name = "HF-OP5", .test = unlisten__half_opens__vanish },
	{ .name = "HF-OP5-waiting", .test = unlisten__not_accepted__reset },
};

int main(int argc, char **argv)
{
	return rig_run("Listeners", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

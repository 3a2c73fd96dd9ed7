/* SPDX-License-Identifier: BSD-3-Clause */
/* REQUIREMENTS 20 and the harness contract: what happens when something runs out, be it for one
 * allocation or for good; clocks near their wraps; the same input twice; and storms of anything. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rig/random.h"
#include "rig/rig.h"

#define FINACK (SEG_FIN | SEG_ACK)

static void set_passive(struct rig *r)
{
	r->active = false;
}

static void peer_sends(struct rig *r, unsigned flags, uint16_t len)
{
	const struct seg seg = {
		.seq = r->rn, .ack = r->sn, .flags = (uint8_t)(flags | SEG_ACK), .text_len = len
	};

	r->rn += rig_len(seg);
	r->su = r->sn;
	rig_send(r, seg);
}

static void expect_ours(struct rig *r, unsigned flags, uint16_t len)
{
	struct seg seg = rig_ack(r);

	seg.flags |= (uint8_t)flags;
	seg.text_len = len;
	rig_expect(r, seg);
	r->sn += rig_len(seg);
}

/* ---- HF-H3: one allocation fails -------------------- */

#define OURS 20 /* octets of text, either way */
#define THEIRS 30

/* A peer that knows nothing of lost allocations: it answers, and repeats what is not acknowledged. */
struct peer {
	bool answered; /* our SYN or SYN-ACK has come */
	bool reset;
	uint32_t una, nxt; /* of its own stream */
	bool ours_ended;   /* our FIN has come, in order */
	/* the application on our side */
	bool opened, closed, done;
	size_t sent, got;
};

static void peer_takes(struct rig *r, struct peer *p, const struct seg *seg)
{
	if (seg->flags & SEG_RST) {
		p->reset = true;
		return;
	}
	if (seg->flags & SEG_SYN) {
		p->answered = true;
		r->sn = seg->seq + 1; /* what the peer expects next */
		r->ts_agreed = r->timestamps;
	} else if (seg->seq == r->sn) {
		r->sn += rig_len(*seg);
		p->ours_ended |= seg->flags & SEG_FIN;
	}
	if (seg->flags & SEG_ACK && (int32_t)(seg->ack - p->una) > 0)
		p->una = seg->ack;
}

/* Once in a step the peer says all it has to say, whether it did before or not. */
static void peer_speaks(struct rig *r, struct peer *p)
{
	struct seg seg = rig_syn(r);
	const uint32_t text = r->irs + 1, fin = text + THEIRS;

	if (p->reset || (p->ours_ended && p->una == fin + 1 && p->nxt == r->sn))
		return;
	if (!p->answered && !r->active) {
		rig_push(r, seg);
		return;
	}
	if (!p->answered)
		return;
	if (r->active && p->una == r->irs) {
		seg.flags |= SEG_ACK;
		seg.ack = r->sn;
		seg.tsecr = r->tsecr;
		rig_push(r, seg);
		return;
	}
	seg = (struct seg){ .seq = p->una, .ack = r->sn, .flags = SEG_ACK };
	if ((int32_t)(fin - p->una) > 0)
		seg.text_len = (uint16_t)(fin - p->una);
	if (p->ours_ended && p->una != fin + 1)
		seg.flags |= SEG_FIN;
	p->nxt = r->sn;
	rig_push(r, seg);
}

/* HF-L10: nothing is on its way that could tell of room by being acknowledged. */
static void no_memory__send__event_next_turn(struct rig *r)
{
	static const uint8_t octets[10];

	rig_to(r, RIG_ESTABLISHED);
	rig_forget_events(r);
	for (unsigned i = 0; i < 2; i++) {
		hf_fail_allocation(r->w, 1);
		assert_int_equal(hf_send(r->w, r->id, octets, sizeof(octets)), 0);
		rig_advance(r, 0);
		rig_event(r, HF_EV_WRITABLE);
	}
	assert_int_equal(hf_send(r->w, r->id, octets, sizeof(octets)), sizeof(octets));
	rig_discard(r);
}

static void application(struct rig *r, struct peer *p)
{
	uint8_t text[THEIRS];
	ssize_t n;

	if (!p->opened && !r->active && hf_accept(r->w, r->listener, 9, &r->id) == 0)
		p->opened = true;
	while (r->event_count != 0) {
		const uint32_t what = rig_event_bits(r);

		p->opened |= what & HF_EV_CONNECTED;
		p->done |= what & HF_EV_CLOSED;
	}
	if (!p->opened || p->done || p->closed)
		return;
	while ((n = hf_recv(r->w, r->id, text, sizeof(text))) > 0)
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(text[i], rig_octet((uint32_t)p->got++));
	for (unsigned i = 0; i < OURS; i++)
		text[i] = rig_octet(i);
	if (p->sent < OURS && (n = hf_send(r->w, r->id, text + p->sent, OURS - p->sent)) > 0)
		p->sent += (size_t)n;
	if (p->sent == OURS && p->got == THEIRS)
		p->closed = hf_close(r->w, r->id) == 0;
}

/* Open, transfer, close, to the end. @return false when OPEN was refused */
static bool live(struct rig *r)
{
	struct peer p = { .una = r->irs, .nxt = r->irs };

	if (r->active) {
		const int rc = hf_connect(r->w, &r->local, &r->peer, 9, &r->id);

		if (rc != 0) {
			assert_int_equal(rc, -ENOBUFS);
			return false;
		}
	}
	r->sn = r->iss + 1;
	for (unsigned i = 0; i < 300 && !p.done && !p.reset; i++) {
		const struct frame *f;

		while ((f = rig_pop(r)) != NULL)
			peer_takes(r, &p, &f->seg);
		if (i % 3 == 0 || p.nxt != r->sn)
			peer_speaks(r, &p);
		rig_turn(r);
		application(r, &p);
		rig_flush(r);
		rig_advance(r, MS(100));
	}
	if (!p.done || p.reset)
		rig_fail(r, "not at the end after 30 s");
	assert_int_equal(p.got, THEIRS);
	return true;
}

static uint64_t refusals(const struct rig *r)
{
	return rig_counter(r, "tx_nombuf") + rig_counter(r, "conn_limit") +
	       rig_counter(r, "table_full") + rig_counter(r, "ranges_empty") +
	       rig_counter(r, "tw_overflow") + rig_counter(r, "tw_refused_no_room");
}

/* A life whose n-th allocation fails, and all of it over. OPEN may be refused, which is counted.
 * @return false: it has fewer allocations */
static bool live_without(struct rig *r, unsigned n, unsigned *refused)
{
	const uint64_t before = refusals(r);

	hf_fail_allocation(r->w, n);
	if (!live(r))
		++*refused;
	hf_fail_allocation(r->w, 0);
	rig_discard(r);
	rig_advance(r, SEC(61));
	assert_int_equal(rig_levels(r).flows.used, 0);
	assert_int_equal(rig_levels(r).queued_mbufs, 0);
	if (refusals(r) == before)
		return false;
	assert_int_equal(refusals(r), before + 1);
	return true;
}

static void life__nth_allocation_fails__ends_in_order(struct rig *r)
{
	unsigned n, refused = 0;

	r->config.tcp.syncookies = 0;
	if (!r->active)
		rig_listen(r);
	for (n = 1; n < 100; n++) {
		rig_another(r);
		r->tsecr = 0;
		if (!live_without(r, n, &refused))
			break;
	}
	if (n < 8 || n == 100)
		rig_fail(r, "%u allocations in a life", n - 1);
	assert_int_equal(refused, r->active ? 2 : 0);
}

static uint64_t reuses(const struct rig *r)
{
	return rig_counter(r, "tw_reused_active") + rig_counter(r, "tw_reused_passive");
}

/* The same tuple again, out of TIME-WAIT: by our SYN (TW-A6) or the peer's (TW-P1). */
static void reuse__nth_allocation_fails__ends_in_order(struct rig *r)
{
	unsigned n, refused = 0;

	r->config.tcp.syncookies = 0;
	if (!r->active)
		rig_listen(r);
	for (n = 1; n < 100; n++) {
		unsigned before;
		uint64_t reused;
		bool more;

		rig_another(r);
		r->tsecr = 0;
		assert_true(live(r));
		assert_int_equal(rig_levels(r).buckets.used, 1);
		rig_advance(r, SEC(2));
		r->irs += 1000000;
		before = refused;
		reused = reuses(r);
		more = live_without(r, n, &refused);
		if (refused == before)
			assert_int_equal(reuses(r), reused + 1);
		if (!more)
			break;
	}
	if (n < 7 || n == 100)
		rig_fail(r, "%u allocations in a second life", n - 1);
	assert_int_equal(refused, r->active ? 1 : 0);
}

/* ---- HF-L1 to HF-L4: buffers -------------------- */

static void set_64_mbufs(struct rig *r)
{
	r->memport.mbufs = 64;
	r->memport.name = "rig-64";
	r->active = false;
}

/* Bursts of 10^4 frames: what finds no buffer is lost before the engine, which takes the rest. */
static void receive__pool_empty__resumes(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	for (unsigned burst = 0; burst < 3; burst++) {
		struct seg seg = { .flags = SEG_ACK, .text_len = 10, .wnd = 1000 };
		unsigned taken = 0;

		for (unsigned i = 0; i < 10000; i++) {
			uint8_t raw[FRAME_MAX], text[10];
			size_t len;

			seg.seq = r->rn + 10 * taken;
			seg.ack = r->sn;
			seg.options = r->ts_agreed ? OPT_TS : 0;
			seg.tsval = r->ts_base + (uint32_t)(r->now_us / 1000);
			seg.tsecr = r->tsecr;
			for (unsigned k = 0; k < 10; k++)
				text[k] = rig_octet(seg.seq - r->irs - 1 + k);
			len = frame_build(raw, &r->in_form, &r->peer, &r->local, &seg, text, NULL, 0);
			if (hf_memport_push(r->port, raw, len, &(struct hf_push){ 0 }) == 0)
				taken++;
		}
		assert_in_range(taken, 1, 64);
		rig_advance(r, MS(40));
		rig_discard(r);
		rig_forget_events(r);
		r->rn += 10 * taken;
		rig_read(r, 10 * taken);
		rig_flush(r); /* which gives buffers back */
		assert_int_equal(rig_levels(r).queued_mbufs, 0);
		assert_int_equal(hf_port_mbufs_used(r->port), r->mbufs);
	}
	rig_expect_state(r, HF_ESTABLISHED);
}

/* HF-L2: a reply that cannot be made is as one lost on the wire. */
static void reply__no_mbuf__as_if_lost(struct rig *r)
{
	const struct seg stranger = { .seq = 5, .ack = 6, .flags = SEG_ACK };
	struct seg bad;

	hf_fail_allocation(r->w, 1);
	rig_mark(r);
	rig_send(r, stranger);
	rig_expect_silence(r, 0);
	rig_expect_rose(r, "tx_nombuf", 1);
	rig_expect_rose(r, "rx_drop_no_mbuf", 1);
	rig_send(r, stranger);
	rig_expect_ra(r, stranger);

	rig_to(r, RIG_ESTABLISHED);
	bad = (struct seg){ .seq = r->rn, .ack = r->sn + 1, .flags = SEG_ACK };
	hf_fail_allocation(r->w, 1);
	rig_send(r, bad);
	rig_expect_silence(r, MS(500));
	rig_send(r, bad);
	rig_expect_ack(r);

	hf_fail_allocation(r->w, 1); /* the A of a FIN: the peer's FIN again draws it */
	peer_sends(r, SEG_FIN, 0);
	rig_event(r, HF_EV_EOF);
	rig_expect_silence(r, MS(300));
	rig_expect_state(r, HF_CLOSE_WAIT);
	rig_send(r, (struct seg){ .seq = r->rn - 1, .ack = r->sn, .flags = FINACK });
	rig_expect_ack(r);
	assert_int_equal(rig_counter(r, "tx_nombuf"), 3);
}

static void synack__no_mbuf__timer_repeats(struct rig *r)
{
	rig_listen(r);
	hf_fail_allocation(r->w, 3); /* request, flow slot, mbuf */
	rig_send(r, rig_syn(r));
	rig_expect_silence(r, SEC(1) - 1);
	assert_int_equal(rig_counter(r, "tx_nombuf"), 1);
	rig_expect_state(r, HF_SYN_RECEIVED);
	rig_advance(r, 1);
	rig_expect_sa(r);
}

/* HF-L3: what takes sequence numbers counts as sent, and the timer brings it. */
static void ours__no_mbuf__timer_repeats(struct rig *r)
{
	rig_connect(r);
	hf_fail_allocation(r->w, 1);
	rig_expect_silence(r, SEC(1) - 1);
	rig_advance(r, 1);
	rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN });
	assert_int_equal(hf_abort(r->w, r->id), 0);
	rig_turn(r);
	rig_event_closed(r, ECONNABORTED);

	rig_another(r);
	rig_to(r, RIG_ESTABLISHED);
	rig_write(r, 10);
	hf_fail_allocation(r->w, 1);
	rig_expect_silence(r, MS(200) - 1);
	rig_advance(r, 1);
	expect_ours(r, 0, 10);
	peer_sends(r, 0, 0);
	assert_int_equal(hf_close(r->w, r->id), 0);
	hf_fail_allocation(r->w, 1);
	rig_expect_silence(r, MS(200) - 1);
	rig_expect_state(r, HF_FIN_WAIT_1);
	rig_advance(r, 1);
	expect_ours(r, SEG_FIN, 0);
	assert_int_equal(rig_counter(r, "tx_nombuf"), 3);
}

/* hf_send without a buffer takes nothing, and says so. */
static void send__no_mbuf_or_range__takes_nothing(struct rig *r)
{
	uint8_t octet = rig_octet(0);

	rig_to(r, RIG_ESTABLISHED);
	for (unsigned n = 1; n <= 2; n++) {
		rig_mark(r);
		hf_fail_allocation(r->w, n);
		assert_int_equal(hf_send(r->w, r->id, &octet, 1), 0);
		rig_expect_rose(r, n == 1 ? "ranges_empty" : "tx_nombuf", 1);
		rig_expect_silence(r, MS(500));
	}
	rig_write(r, 1);
	rig_flush(r);
	expect_ours(r, 0, 1);
}

/* HF-L4: so many tries a flush, and what was not taken goes with the next ones, in its order. */
static void transmit__port_takes_k__rest_follows(struct rig *r)
{
	const uint32_t mbufs = hf_port_mbufs_used(r->port);

	for (uint32_t k = 1; k <= 4; k++) {
		hf_memport_tx_limit(r->port, k);
		rig_mark(r);
		for (unsigned i = 0; i < 10; i++)
			rig_push(r, (struct seg){ .seq = i, .ack = 7 + i, .flags = SEG_ACK });
		rig_flush(r);
		assert_int_equal(rig_levels(r).queued_mbufs, 3 * k < 10 ? 10 - 3 * k : 0);
		for (unsigned i = 0; i < 10; i++)
			rig_expect(r, (struct seg){ .seq = 7 + i, .flags = SEG_RST });
		rig_expect_rose(r, "tx_frames", 10);
		rig_expect_rose(r, "tx_ring_full", 0);
		assert_int_equal(hf_port_mbufs_used(r->port), mbufs);
	}
}

/* HF-L4: a port that takes nothing at all is down: its frames are lost, their mbufs free, and timers bring
 * what matters when it is back. */
static void transmit__port_takes_nothing__lost(struct rig *r)
{
	rig_mark(r);
	rig_connect(r);
	hf_memport_tx_limit(r->port, 0);
	rig_expect_silence(r, MS(99));
	assert_int_equal(rig_levels(r).queued_mbufs, 1);
	rig_expect_rose(r, "tx_ring_full", 0);
	rig_expect_silence(r, MS(2));
	assert_int_equal(rig_levels(r).queued_mbufs, 0);
	rig_expect_rose(r, "tx_ring_full", 1);
	rig_expect_silence(r, SEC(1) - MS(101) - 1);
	hf_memport_tx_limit(r->port, UINT32_MAX);
	rig_advance(r, 1);
	rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN });
}

#define STAGED 128 /* frames that wait for the port at most */

/* HF-L4: with the staged frames no longer room for a burst's answers, what comes waits in the device: nothing is lost. */
static void transmit__behind_with_answers__receives_no_more(struct rig *r)
{
	const unsigned n = 120; /* more than are staged, fewer than the rig holds */

	rig_expect_silence(r, SEC(1)); /* the limiter of RSTs is full */
	rig_mark(r);
	hf_memport_tx_limit(r->port, 0);
	for (unsigned i = 0; i < n; i++)
		rig_push(r, (struct seg){ .seq = i, .ack = 7 + i, .flags = SEG_ACK });
	for (unsigned i = 0; i < 10; i++)
		rig_flush(r);
	assert_in_range(rig_levels(r).queued_mbufs, 1, STAGED);
	rig_expect_rose(r, "rx_frames", rig_levels(r).queued_mbufs);
	hf_memport_tx_limit(r->port, UINT32_MAX);
	rig_flush(r);
	assert_int_equal(hf_next_deadline(r->w), 0); /* the others have come, and nobody will say so */
	for (unsigned i = 0; i < n; i++)
		rig_expect(r, (struct seg){ .seq = 7 + i, .flags = SEG_RST });
	rig_expect_rose(r, "tx_ring_full", 0);
	assert_true(rig_counter(r, "rx_held_up") > 0);
}

#define BULK 24 /* connections */

static void set_bulk(struct rig *r)
{
	r->config.ipv4.connections = r->config.ipv6.connections = 2 * BULK;
	r->config.ranges = 1024;
	r->memport.mbufs = 2048;
	r->memport.frames = 16;
	r->memport.name = "rig-bulk";
	r->active = true;
	r->wnd = 60000;
}

/* HF-L4: a port with a short ring. What it is not ready for is not built, so that nothing is lost or sent
 * twice, and a handshake is not behind all of it. */
static void transmit__bulk_on_short_ring__stays_owed(struct rig *r)
{
	static const uint8_t text[14600];
	/* ten full segments, which the first window lets go */
	const size_t len =
		10u * ((r->local.ip.version == 4 ? 1460u : 1440u) - (r->timestamps ? 12u : 0));
	unsigned frames = 0, before_syn = 0, octets = 0;
	uint64_t ids[BULK];

	for (unsigned i = 0; i < BULK; i++) {
		rig_to(r, RIG_ESTABLISHED);
		ids[i] = r->id;
		rig_another(r);
	}
	rig_mark(r);
	rig_turn(r);
	for (unsigned i = 0; i < BULK; i++)
		assert_int_equal(hf_send(r->w, ids[i], text, len), len);
	rig_flush(r);
	rig_connect(r);
	for (unsigned flushes = 0; flushes < BULK * 5; flushes++) {
		const struct frame *f;

		for (; (f = rig_pop(r)) != NULL; frames++) {
			octets += f->seg.text_len;
			if (f->seg.flags & SEG_SYN)
				before_syn = frames;
		}
	}
	assert_in_range(before_syn, 1, STAGED);
	assert_int_equal(octets, BULK * len);
	rig_expect_rose(r, "text_out", BULK * len);
	rig_expect_rose(r, "retransmit_text", 0);
	rig_expect_rose(r, "tx_ring_full", 0);
	assert_true(rig_counter(r, "tx_held_up") > 0);
	for (unsigned i = 0; i < BULK; i++)
		hf_abort(r->w, ids[i]);
	rig_discard(r);
	rig_forget_events(r);
}

/* ---- HF-L5, HF-L6: pools and table -------------------- */

static void set_no_cookies(struct rig *r)
{
	r->active = false;
	r->config.tcp.syncookies = 0;
}

/* What the caller's array has no room for comes with the next turn. */
static void events__no_room__deferred(struct rig *r)
{
	struct hf_event event;

	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_abort(r->w, r->id), 0);
	rig_mark(r);
	assert_int_equal(hf_turn(r->w, r->now_us, &event, 0), 0);
	rig_expect_rose(r, "events_deferred", 1);
	assert_int_equal(hf_next_deadline(r->w), 0);
	rig_turn(r);
	rig_expect_rose(r, "events_deferred", 1);
	rig_event_closed(r, ECONNABORTED);
	rig_discard(r);
}

#define POOL 16 /* of each, and version */

static void connections__all_taken__others_live_on(struct rig *r)
{
	uint64_t id;

	for (unsigned i = 0; i < POOL; i++) {
		rig_another(r);
		rig_to(r, RIG_ESTABLISHED);
	}
	assert_int_equal(rig_levels(r).connections.used, POOL);
	assert_int_equal(rig_levels(r).connections.peak, POOL);
	assert_int_equal(rig_levels(r).flows.peak, POOL);
	assert_true(rig_levels(r).flows.size > POOL);
	assert_int_equal(hf_connect(r->w, NULL, &r->peer, 0, &id), -ENOBUFS);
	assert_int_equal(rig_counter(r, "failed_no_memory"), 1);
	assert_int_equal(rig_counter(r, "conn_limit"), 1);
	peer_sends(r, 0, 10); /* what exists is served */
	rig_event(r, HF_EV_READABLE);
	rig_read(r, 10);

	/* one more client: its half-open waits for a place */
	id = r->id;
	rig_discard(r);
	rig_another(r);
	rig_to(r, RIG_SYN_RCVD_P);
	peer_sends(r, 0, 0);
	rig_expect_silence(r, 0);
	rig_no_event(r);
	assert_int_equal(rig_counter(r, "conn_limit"), 2);
	rig_expect_state(r, HF_SYN_RECEIVED);
	assert_int_equal(hf_abort(r->w, id), 0);
	rig_turn(r);
	rig_event_closed(r, ECONNABORTED);
	rig_discard(r);
	peer_sends(r, 0, 10);
	assert_true(rig_event_bits(r) & HF_EV_ACCEPT);
	rig_accept(r);
	rig_read(r, 10);
	assert_true(rig_levels(r).connections.refused >= 2);
}

static void requests__all_taken__syn_dropped(struct rig *r)
{
	rig_listen(r);
	for (unsigned i = 0; i < POOL; i++) {
		rig_another(r);
		rig_to(r, RIG_SYN_RCVD_P);
	}
	rig_another(r);
	rig_mark(r);
	rig_send(r, rig_syn(r));
	rig_expect_silence(r, 0);
	rig_expect_rose(r, "conn_limit", 1);
	rig_expect_rose(r, "rx_drop_no_room", 1);
	rig_advance(r, SEC(70)); /* they time out, and the peer's next SYN finds room */
	rig_discard(r);
	assert_int_equal(rig_levels(r).requests.used, 0);
	rig_open_passive(r);
}

static void table__no_slot__as_pool_empty(struct rig *r)
{
	uint64_t id;

	rig_mark(r);
	hf_fail_allocation(r->w, 2); /* connection, flow slot */
	assert_int_equal(hf_connect(r->w, NULL, &r->peer, 0, &id), -ENOBUFS);
	rig_expect_rose(r, "table_full", 1);
	rig_expect_rose(r, "failed_no_memory", 1);
	assert_int_equal(rig_levels(r).connections.used, 0);

	rig_listen(r);
	hf_fail_allocation(r->w, 2); /* request, flow slot */
	rig_send(r, rig_syn(r));
	rig_expect_silence(r, SEC(3));
	rig_expect_rose(r, "table_full", 2);
	rig_expect_rose(r, "rx_drop_no_room", 1);
	assert_int_equal(rig_levels(r).requests.used, 0);
	assert_int_equal(rig_levels(r).timers, 0);
	rig_open_passive(r);
}

/* HF-L7: a timer is part of what it times. With all pools full of things that wait, each has one. */
static void timers__pools_full__none_is_without(struct rig *r)
{
	struct hf_levels levels;
	unsigned buckets;

	r->unacked = 10;
	do { /* as many records as there are, then connections and half-opens in all that is left */
		rig_another(r);
		rig_to(r, RIG_TIME_WAIT);
		buckets = rig_levels(r).buckets.used;
	} while (buckets < POOL);
	for (unsigned i = 0; i < POOL; i++) {
		rig_another(r);
		rig_to(r, RIG_ESTABLISHED);
	}
	for (unsigned i = 0; i < POOL; i++) {
		rig_another(r);
		rig_to(r, RIG_SYN_RCVD_P);
	}
	levels = rig_levels(r);
	assert_int_equal(levels.requests.used, POOL);
	assert_int_equal(levels.connections.used, POOL);
	assert_int_equal(levels.timers, 3 * POOL);
	rig_discard(r);
	for (unsigned i = 0; i < 3600 && rig_levels(r).timers != 0; i++) {
		rig_advance(r, SEC(1));
		rig_discard(r);
		rig_forget_events(r);
	}
	assert_int_equal(rig_levels(r).timers, 0);
	assert_int_equal(rig_levels(r).flows.used, 0);
	r->id = 0;
}

/* HF-L11: text beyond the receive buffer finds the window shut, and is not taken. */
static void receive_buffer__full__window_shuts(struct rig *r)
{
	struct hf_status status;
	size_t held = 0;

	r->hold = true;
	rig_to(r, RIG_ESTABLISHED);
	while (r->rw != 0) {
		const uint16_t len = (uint16_t)(r->rw < 1000 ? r->rw : 1000);

		peer_sends(r, 0, len);
		held += len;
		rig_advance(r, MS(40));
		rig_discard(r);
	}
	rig_forget_events(r);
	assert_int_equal(hf_status(r->w, r->id, &status), 0);
	assert_int_equal(status.readable, held);
	assert_true(held <= r->config.tcp.rcv_buf);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .text_len = 100 });
	assert_int_equal(rig_expect_ack(r)->seg.wnd, 0);
	rig_no_event(r);
	assert_int_equal(hf_status(r->w, r->id, &status), 0);
	assert_int_equal(status.readable, held);
	rig_read(r, held);
	assert_true(rig_expect_ack(r)->seg.wnd != 0);
	peer_sends(r, 0, 100);
	rig_event(r, HF_EV_READABLE);
	rig_read(r, 100);
}

static void set_64_mbufs_large_buffers(struct rig *r)
{
	set_64_mbufs(r);
	r->memport.name = "rig-64-large";
	r->config.tcp.snd_buf = 1 << 20;
	r->config.tcp.rcv_buf = 65535;
}

/* HF-L10: the send buffer allows more than there are mbufs. Some are left for frames, either way. */
static void send_buffer__wants_all_mbufs__frames_still_pass(struct rig *r)
{
	static const uint8_t octets[1 << 18];
	ssize_t taken;

	rig_to(r, RIG_ESTABLISHED);
	taken = hf_send(r->w, r->id, octets, sizeof(octets));
	assert_in_range(taken, 40000, 48 * 2048);
	assert_int_equal(hf_send(r->w, r->id, octets, 1), 0);
	rig_discard(r);
	peer_sends(r, 0, 10);
	rig_event(r, HF_EV_READABLE);
	rig_read(r, 10);
	for (ssize_t gone = 0; gone < taken;) { /* as fast as the peer's window lets it */
		const ssize_t more = taken - gone < r->wnd ? taken - gone : r->wnd;

		r->sn += (uint32_t)more;
		gone += more;
		peer_sends(r, 0, 0);
		rig_discard(r);
	}
	assert_int_equal(rig_levels(r).queued_mbufs, 0);
	rig_event(r, HF_EV_WRITABLE);
	rig_forget_events(r);
	assert_int_equal(hf_send(r->w, r->id, octets, 100), 100);
	rig_discard(r);
	r->sn += 100;
	peer_sends(r, 0, 0);
}

/* HF-L1: nobody reads what the receive buffer allows, which is more than there are mbufs: the rest is as if
 * lost, but for its ACK. */
static void receive_buffer__wants_all_mbufs__frames_still_pass(struct rig *r)
{
	uint32_t taken = 0;

	rig_to(r, RIG_ESTABLISHED);
	rig_write(r, 10);
	rig_discard(r);
	r->sn += 10;
	rig_forget_events(r);
	rig_mark(r);
	for (unsigned i = 0; i < 64; i++) {
		const struct seg seg = { .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .text_len = 300 };
		struct hf_status status;

		rig_send(r, seg);
		rig_advance(r, MS(40));
		assert_int_equal(hf_status(r->w, r->id, &status), 0);
		if (status.readable == taken)
			break;
		r->rn += 300;
		taken += 300;
	}
	assert_in_range(taken, 30 * 300, 56 * 300);
	rig_discard(r);
	rig_expect_rose(r, "text_refused", 1);
	rig_forget_events(r);
	rig_read(r, taken);
	rig_discard(r);
	peer_sends(r, 0, 300); /* again */
	rig_event(r, HF_EV_READABLE);
	rig_read(r, 300);
	rig_discard(r);
}

/* ---- HF-G7: clocks -------------------- */

/* Both handshakes and both ends, with a loss in each, and every wait exact. */
static void life__clock_near_wrap__as_ever(struct rig *r)
{
	rig_to(r, RIG_SYN_SENT);
	rig_expect_silence(r, SEC(1) - 1);
	rig_advance(r, 1);
	rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN });
	assert_int_equal(hf_abort(r->w, r->id), 0);
	rig_turn(r);
	rig_event_closed(r, ECONNABORTED);

	rig_another(r);
	rig_to(r, RIG_ESTABLISHED);
	rig_write(r, 10);
	rig_flush(r);
	expect_ours(r, 0, 10);
	rig_expect_silence(r, MS(200) - 1);
	rig_advance(r, 1);
	r->sn -= 10;
	expect_ours(r, 0, 10);
	peer_sends(r, 0, 10);
	rig_event(r, HF_EV_READABLE);
	rig_read(r, 10);
	rig_expect_silence(r, MS(40) - 1);
	rig_advance(r, 1);
	rig_expect_ack(r);
	assert_int_equal(hf_close(r->w, r->id), 0);
	expect_ours(r, SEG_FIN, 0);
	rig_expect_silence(r, MS(200) - 1);
	rig_advance(r, 1);
	r->sn--;
	expect_ours(r, SEG_FIN, 0);
	peer_sends(r, 0, 0);
	rig_expect_silence(r, SEC(10));
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_FIN_WAIT_2);
	peer_sends(r, SEG_FIN, 0);
	rig_expect_ack(r);
	rig_expect_silence(r, SEC(60) - 1);
	rig_expect_state(r, HF_TIME_WAIT);
	rig_expect_silence(r, 1);
	rig_expect_state(r, HF_CLOSED);

	rig_another(r);
	rig_to(r, RIG_LAST_ACK);
	rig_expect_silence(r, MS(200) - 1);
	rig_advance(r, 1);
	r->sn--;
	expect_ours(r, SEG_FIN, 0);
	peer_sends(r, 0, 0);
	rig_expect_silence(r, 0);
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_CLOSED);
}

/* A counter of milliseconds that is about to wrap, or a wheel's: so long before. */
#define WRAP_ROW(name_of, at, before_ms)                                                         \
	{                                                                                        \
		.name = "HF-G7-" name_of "-" #before_ms, .test = life__clock_near_wrap__as_ever, \
		.set_up = set_clock_start, .arg = &(const uint64_t)                              \
		{                                                                                \
			(uint64_t)(at) - (before_ms)                                             \
		}                                                                                \
	}
#define WRAP(name, at)                                                                         \
	WRAP_ROW(name, at, 1), WRAP_ROW(name, at, 1100), WRAP_ROW(name, at, 1300),             \
		WRAP_ROW(name, at, 1450), WRAP_ROW(name, at, 5000), WRAP_ROW(name, at, 40000), \
		WRAP_ROW(name, at, 71500)

/* The rig's clock is at 1 s. */
static void set_clock_start(struct rig *r)
{
	r->config.clock_start_ms = (uint32_t)(*(const uint64_t *)r->row->arg - 1000);
}

#define DAY ((uint64_t)86400 * 1000000)

/* The caller's clock itself: its low 32 bits, and machines that have been up for long. */
static void set_now(struct rig *r)
{
	r->now_us = *(const uint64_t *)r->row->arg;
}

#define NOW(id, us)                                                                             \
	{                                                                                       \
		.name = "HF-G7-" id, .test = life__clock_near_wrap__as_ever, .set_up = set_now, \
		.arg = &(const uint64_t)                                                        \
		{                                                                               \
			us                                                                      \
		}                                                                               \
	}

/* Nothing happens for days; then everything is as it was, and what was due is done. */
static void idle__for_days__goes_on(struct rig *r)
{
	static const unsigned days[] = { 1, 24, 25, 49, 50, 200 };

	for (unsigned i = 0; i < 6; i++) {
		rig_another(r);
		r->timestamps = false;
		rig_to(r, i % 2 ? RIG_ESTABLISHED : RIG_TIME_WAIT);
		r->now_us += days[i] * DAY; /* not even a turn */
		if (r->row->arg != NULL)
			hf_flush(r->w, r->now_us); /* the other half of the last one */
		rig_turn(r);
		rig_flush(r);
		rig_expect_state(r, i % 2 ? HF_ESTABLISHED : HF_CLOSED);
		if (i % 2) {
			peer_sends(r, 0, 10);
			rig_event(r, HF_EV_READABLE);
			rig_read(r, 10);
			rig_expect_silence(r, MS(40) - 1);
			rig_advance(r, 1);
			rig_expect_ack(r);
		}
	}
}

/* ---- HF-H1, HF-H2: the same again -------------------- */

struct record {
	uint8_t octets[20000];
	size_t len;
};

static void record_out(struct hf_port *port, struct record *record)
{
	ssize_t n;

	while ((n = hf_memport_pop(port, record->octets + record->len,
				   sizeof(record->octets) - record->len)) > 0)
		record->len += (size_t)n;
	assert_int_equal(n, -EAGAIN);
}

/* Opens of both kinds, strangers, and a minute of timers, on a worker of its own. */
static void run_script(struct rig *r, const char *name, uint64_t seed, struct record *record)
{
	const struct hf_memport memport = { .name = name, .l3 = true, .mbufs = 128 };
	struct hf_config config = r->config;
	struct hf_event events[32];
	struct hf_error why;
	struct hf_port *port;
	struct hf_worker *w;
	uint32_t listener;
	uint64_t id;

	config.seed = (struct hf_seed){ .seeded = true, .seed = seed };
	record->len = 0;
	assert_int_equal(hf_port_memory(&memport, &port, &why), 0);
	assert_int_equal(hf_worker_create(&config, port, &w, &why), 0);
	assert_int_equal(hf_listen(w, &r->local, 0, &listener), 0);
	for (uint64_t us = SEC(1); us < SEC(61); us += MS(50)) {
		struct seg seg = rig_syn(r);
		uint8_t raw[FRAME_MAX];
		size_t len;

		if (us < SEC(2)) {
			struct hf_addr peer = r->peer;

			peer.port = (uint16_t)(5000 + us / MS(50));
			seg.flags = us / MS(50) % 3 ? SEG_SYN : SEG_ACK;
			len = frame_build(raw, &r->in_form, &peer, &r->local, &seg, NULL, NULL, 0);
			assert_int_equal(hf_memport_push(port, raw, len, &(struct hf_push){ 0 }), 0);
		}
		hf_turn(w, us, events, 32);
		if (us % SEC(1) == 0 && us < SEC(5))
			assert_int_equal(hf_connect(w, NULL, &r->peer, 0, &id), 0);
		hf_flush(w, us);
		record_out(port, record);
	}
	hf_worker_destroy(w);
	hf_port_free(port);
}

static void script__same_seed__same_octets(struct rig *r)
{
	struct record *a = calloc(3, sizeof(*a));

	assert_non_null(a);
	run_script(r, "rig-script", 42, &a[0]);
	run_script(r, "rig-script", 42, &a[1]);
	run_script(r, "rig-script", 43, &a[2]);
	assert_true(a[0].len > 2000);
	assert_int_equal(a[0].len, a[1].len);
	assert_memory_equal(a[0].octets, a[1].octets, a[0].len);
	assert_true(a[0].len != a[2].len || memcmp(a[0].octets, a[2].octets, a[0].len) != 0);
	free(a);
}

/* 60 million connections of 288 octets. */
static void more_records_than_handles_reach__refused(struct rig *r)
{
	struct hf_config config = r->config;
	struct hf_error why;
	struct hf_worker *w;

	config.ipv6.connections = 60u << 20;
	assert_true(hf_config_pools(&config) > HF_POOLS_MAX);
	assert_int_equal(hf_worker_create(&config, r->port, &w, &why), -EINVAL);
	assert_non_null(strstr(why.text, "16 GiB"));
}

/* What is absurd is told, not reckoned with. */
static void sizes_without_sense__refused(struct rig *r)
{
	struct hf_config configs[6] = { r->config, r->config, r->config,
					r->config, r->config, r->config };
	static const char *const names[] = { "port_first", "port_lists", "neighbours",
					     "ranges",	   "abc_limit",	 "tw_overflow" };
	struct hf_error why;
	struct hf_worker *w;

	configs[0].port_last = (uint16_t)(configs[0].port_first - 1);
	configs[1].port_lists = UINT32_MAX / 2;
	configs[2].neighbours = UINT32_MAX;
	configs[3].ranges = 1;
	configs[4].tcp.abc_limit = 256;
	configs[5].tcp.tw_overflow = 2;
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(hf_worker_create(&configs[i], r->port, &w, &why), -EINVAL);
		assert_non_null(strstr(why.text, names[i]));
	}
}

/* ---- HF-G1, HF-G2, HF-G3: storms -------------------- */

/* Any segment: near something that matters, or far from all. */
static struct seg any_segment(const struct rig *r, uint64_t *random)
{
	const uint32_t seqs[] = { r->rn,
				  r->rn - 1,
				  r->rn + 1,
				  r->irs,
				  r->rn + r->rw - 1,
				  r->rn + r->rw,
				  (uint32_t)random_next(random) };
	const uint32_t acks[] = {
		r->sn, r->su, r->sn + 1, r->iss, r->su - r->mw - 1, (uint32_t)random_next(random)
	};
	struct seg seg = {
		.seq = seqs[random_below(random, 7)],
		.ack = acks[random_below(random, 6)],
		.flags = (uint8_t)random_next(random),
		.wnd = (uint16_t)(random_below(random, 3) ? 1000 : random_below(random, 65536)),
		.text_len = (uint16_t)(random_below(random, 3) ? 0 : random_below(random, 1400)),
		.up = (uint16_t)random_next(random),
	};

	if (random_below(random, 3) == 0)
		seg.flags = SEG_ACK;
	if (random_below(random, 2)) {
		seg.options = OPT_TS;
		seg.tsval = r->ts_base + (uint32_t)(r->now_us / 1000) - random_below(random, 3);
		seg.tsecr = r->tsecr;
	}
	return seg;
}

/* One id at a time: what the application held before, TIME-WAIT's perhaps, it lets go. */
static void storm_keep(struct rig *r, uint64_t id)
{
	hf_close(r->w, r->id);
	r->id = id;
}

static void storm_call(struct rig *r, uint64_t *random)
{
	uint8_t text[200] = { 0 };
	uint64_t id;

	switch (random_below(random, 12)) {
	case 0:
		hf_close(r->w, r->id);
		break;
	case 1:
		hf_abort(r->w, r->id);
		break;
	case 2:
		hf_shutdown(r->w, r->id);
		break;
	case 3:
		if (hf_connect(r->w, &r->local, &r->peer, 0, &id) == 0)
			storm_keep(r, id);
		break;
	case 4:
	case 5:
		hf_send(r->w, r->id, text, sizeof(text));
		break;
	case 6:
		hf_fail_allocation(r->w, 1 + random_below(random, 4));
		break;
	default:
		hf_recv(r->w, r->id, text, sizeof(text));
		break;
	}
}

/* Segments and calls of every kind on one tuple; hf_check after each step, the books at the end. */
static void storm__anything__books_balance(struct rig *r)
{
	uint64_t random = r->iss + r->local.ip.version + (r->timestamps ? 99 : 0);

	rig_listen(r);
	for (unsigned i = 0; i < 2500; i++) {
		struct hf_status status;
		uint64_t id;

		if (hf_lookup(r->w, &r->local, &r->peer, &status) == 0) {
			r->sn = status.snd_nxt ? status.snd_nxt : r->sn;
			r->su = status.snd_una ? status.snd_una : r->sn;
			r->rn = status.rcv_nxt;
			r->rw = status.rcv_wnd;
		} else if (random_below(&random, 2)) {
			rig_send(r, rig_syn(r));
		}
		r->ts_agreed = false; /* segments say themselves */
		rig_push(r, any_segment(r, &random));
		if (random_below(&random, 4) == 0)
			rig_push(r, any_segment(r, &random));
		rig_turn(r);
		if (hf_accept(r->w, r->listener, 0, &id) == 0)
			storm_keep(r, id);
		if (random_below(&random, 3) == 0)
			storm_call(r, &random);
		rig_discard(r);
		rig_forget_events(r);
		if (random_below(&random, 4) == 0)
			rig_advance(r, MS(random_below(&random, 3000)));
		rig_discard(r);
	}
	assert_int_equal(hf_unlisten(r->w, r->listener), 0);
	r->listener_count = 0;
	hf_close(r->w, r->id);
}

#define ROW(id, function, set)                              \
	{                                                   \
		.name = id, .test = function, .set_up = set \
	}

static const struct row rows[] = {
	ROW("HF-H3", life__nth_allocation_fails__ends_in_order, set_no_cookies),
	{ .name = "HF-H3-reuse",
	  .test = reuse__nth_allocation_fails__ends_in_order,
	  .set_up = set_no_cookies,
	  .variants = ROW_TS },

	ROW("HF-L1", receive__pool_empty__resumes, set_64_mbufs),
	ROW("HF-L2", reply__no_mbuf__as_if_lost, NULL),
	ROW("HF-L3-synack", synack__no_mbuf__timer_repeats, set_passive),
	ROW("HF-L3", ours__no_mbuf__timer_repeats, NULL),
	ROW("HF-L10-event", no_memory__send__event_next_turn, NULL),
	ROW("HF-L3-send", send__no_mbuf_or_range__takes_nothing, NULL),
	ROW("HF-L4", transmit__port_takes_k__rest_follows, NULL),
	ROW("HF-L4-down", transmit__port_takes_nothing__lost, NULL),
	ROW("HF-L4-answers", transmit__behind_with_answers__receives_no_more, NULL),
	ROW("HF-L4-bulk", transmit__bulk_on_short_ring__stays_owed, set_bulk),
	ROW("events-deferred", events__no_room__deferred, NULL),
	ROW("HF-L5", connections__all_taken__others_live_on, set_no_cookies),
	ROW("HF-L5-requests", requests__all_taken__syn_dropped, set_no_cookies),
	{ .name = "HF-L5-too-many",
	  .test = more_records_than_handles_reach__refused,
	  .variants = ROW_PLAIN },
	{ .name = "HF-L5-absurd", .test = sizes_without_sense__refused, .variants = ROW_PLAIN },
	ROW("HF-L7", timers__pools_full__none_is_without, set_no_cookies),
	ROW("HF-L11", receive_buffer__full__window_shuts, NULL),
	ROW("HF-L10-mbufs", send_buffer__wants_all_mbufs__frames_still_pass,
	    set_64_mbufs_large_buffers),
	ROW("HF-L1-mbufs", receive_buffer__wants_all_mbufs__frames_still_pass,
	    set_64_mbufs_large_buffers),
	ROW("HF-L6", table__no_slot__as_pool_empty, set_no_cookies),

	WRAP("ms", 1ull << 32),
	WRAP("half", 1ull << 31),
	WRAP("2^16", 1ull << 16),
	WRAP("2^12", (1ull << 20) + (1ull << 12)),
	NOW("us-wrap", (1ull << 32) - 100),
	NOW("us-wrap-later", (1ull << 32) - SEC(2)),
	NOW("us-half", (1ull << 31) - 100),
	NOW("24-days", 24 * DAY),
	NOW("25-days", 25 * DAY),
	NOW("49-days", 49 * DAY + 61000 * MS(1000)),
	NOW("50-days", 50 * DAY),
	NOW("20-years", 7300 * DAY),
	ROW("HF-G7-idle", idle__for_days__goes_on, NULL),
	{ .name = "HF-G7-idle-before-the-flush", .test = idle__for_days__goes_on, .arg = "" },

	{ .name = "HF-H1, HF-H2", .test = script__same_seed__same_octets, .variants = ROW_PLAIN },
	ROW("HF-G1, HF-G2, HF-G3, HF-G6", storm__anything__books_balance, NULL),
};

int main(int argc, char **argv)
{
	return rig_run("Limits", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

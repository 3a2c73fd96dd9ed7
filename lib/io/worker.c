/* SPDX-License-Identifier: BSD-3-Clause */
/* The turn (hf_turn, hf_flush): a burst is parsed and its table lines fetched, then each segment goes to
 * what its flow leads to, then what is due expires; events go out, and at the flush the segments. */
#include "io/neigh.h"
#include "io/recorder.h"
#include "io/watch.h"

#define FIRST_SHARE 16 /* segments of one connection, so that one does not hold up the others */
#define LATE_SHARE 48  /* ... when all have had that: 64 in all */
#define PIECES 8       /* of a frame */
#define AHEAD 4	       /* arrivals whose neighbours are fetched before their turn */
#define LEAP_US (1ull << 39) /* 6 days */
#define TX_AGAIN_US 50	     /* until a device that was behind is asked again */

void worker_time(struct hf_worker *w, uint64_t now_us)
{
	w->host.now_us = now_us;
	w->host.now_ms = (uint32_t)(now_us / 1000) + w->config.clock_start_ms;
	w->host.ceil_ms = (uint32_t)((now_us + 999) / 1000) + w->config.clock_start_ms;
}

static unsigned checksum_hints(const struct hf_port *port, const struct rte_mbuf *m)
{
	if (!port->rx_ip_csum && !port->rx_l4_csum)
		return 0;
	const enum hf_checksum ip = port_ip_checksum(port, m);
	const enum hf_checksum l4 = port_l4_checksum(port, m);

	return (ip == HF_CHECKSUM_GOOD ? WIRE_IP_GOOD : 0u) |
	       (ip == HF_CHECKSUM_BAD ? WIRE_IP_BAD : 0u) |
	       (l4 == HF_CHECKSUM_GOOD ? WIRE_L4_GOOD : 0u) |
	       (l4 == HF_CHECKSUM_BAD ? WIRE_L4_BAD : 0u);
}

/* A frame in several segments. */
COLD static enum wire_kind parse_chain(const struct hf_worker *w, const struct rte_mbuf *m,
				       struct wire_in *in)
{
	struct wire_piece pieces[PIECES];
	unsigned n = 0;

	for (const struct rte_mbuf *s = m; s != NULL; s = s->next) {
		if (n == PIECES) {
			in->drop = STAT_RX_DROP_CHAIN;
			return WIRE_DROP;
		}
		pieces[n].octets = rte_pktmbuf_mtod(s, const uint8_t *);
		pieces[n++].len = s->data_len;
	}
	return wire_parse(&w->wire, pieces, n, checksum_hints(w->port, m), in);
}

/* Octets to a segment, or a counted drop. */
static enum wire_kind parse_frame(const struct hf_worker *w, const struct rte_mbuf *m,
				  struct wire_in *in)
{
	const struct wire_piece piece = { rte_pktmbuf_mtod(m, const uint8_t *), m->data_len };

	if (m->nb_segs > 1)
		return parse_chain(w, m, in);
	return wire_parse(&w->wire, &piece, 1, checksum_hints(w->port, m), in);
}

/* Where an answer may go at once, should its way not be known (HF-N2). */
static void note_sender(struct hf_worker *w, const uint8_t *frame)
{
	if (__builtin_expect(w->resolves, 0)) {
		memcpy(w->reply_mac, frame + 6, 6);
		w->replying = true;
	}
}

/* First stage: the burst becomes arrivals, and their table lines are on their way. */
static unsigned parse_burst(struct hf_worker *w, struct rte_mbuf **rx, unsigned n,
			    struct arrival *arrivals)
{
	unsigned k = 0;

	for (unsigned i = 0; i < n; i++) {
		struct arrival *const a = &arrivals[k];
		const uint8_t *const frame = rte_pktmbuf_mtod(rx[i], const uint8_t *);

		if (i + 1 < n)
			rte_prefetch0(rte_pktmbuf_mtod(rx[i + 1], void *));
		w->stats[STAT_RX_OCTETS] += rx[i]->pkt_len;
		switch (parse_frame(w, rx[i], &a->in)) {
		case WIRE_TCP:
			a->m = rx[i];
			a->hash = flow_hash(&w->secrets, &a->in.flow);
			flow_prefetch(&w->flows, a->hash);
			k++;
			continue;
		case WIRE_DROP:
			count(w, a->in.drop);
			break;
		case WIRE_ARP:
			neigh_arp(w, frame, &a->in);
			break;
		case WIRE_ICMP:
		case WIRE_ICMP6:
			note_sender(w, frame);
			icmp_arrival(w, rx[i], &a->in);
			break;
		}
		worker_free(w, rx[i]);
	}
	return k;
}

/* Third stage: a SYN that finds a 2MSL record most likely ends it, and its neighbours on the wheel, of
 * tuples long gone by, close ranks. */
static void fetch_neighbours(const struct hf_worker *w, const struct arrival *a)
{
	handle h;

	if (!(a->in.seg.flags & SEG_SYN))
		return;
	h = flow_guess(&w->flows, a->hash);
	if (handle_kind(h) == KIND_BUCKET)
		wheel_prefetch(&w->waits[handle_version(h) == 6], pools_entry(&w->pools, h));
}

/* Somebody records or watches what arrives. */
COLD static void observe_before(struct hf_worker *w, const struct arrival *a)
{
	if (w->recorder != NULL)
		recorder_arrives(w, &a->in.flow, &a->in.seg);
}

COLD static void observe_after(struct hf_worker *w, const struct rte_mbuf *m, const struct arrival *a)
{
	if (w->recorder != NULL)
		recorder_arrived(w);
	if (w->watch != NULL)
		watch_taken(w, m, &a->in.flow);
}

/* @return whether anything came, were it others' */
static bool receive(struct hf_worker *w)
{
	struct rte_mbuf *rx[BURST];
	struct arrival arrivals[BURST];
	const bool observed = w->watch != NULL || w->recorder != NULL;
	const uint64_t before = w->stats[STAT_RX_FRAMES];
	unsigned n, k;

	if (__builtin_expect(w->detour, 0)) {
		n = steer_receive(w, rx);
	} else {
		n = port_receive(w->port, rx, BURST);
		w->stats[STAT_RX_FRAMES] += n;
		w->rx_more = n == BURST;
	}
	if (n > 0 && w->watch != NULL)
		watch_arrived(w, rx, n);
	k = n > 0 ? parse_burst(w, rx, n, arrivals) : 0;
	w->stats[STAT_SEG_IN] += k;
	if (__builtin_expect(w->held_mbufs >= w->receive_most, 0))
		text_refuse(w, arrivals, k);
	for (unsigned i = 0; i < k; i++)
		flow_prefetch_entry(&w->flows, arrivals[i].hash);
	for (unsigned i = 0; i < k; i++) {
		const struct rte_mbuf *const m = arrivals[i].m;

		if (i + AHEAD < k)
			fetch_neighbours(w, &arrivals[i + AHEAD]);
		note_sender(w, rte_pktmbuf_mtod(m, const uint8_t *));
		if (__builtin_expect(observed, 0))
			observe_before(w, &arrivals[i]);
		arrival_segment(w, &arrivals[i]);
		if (__builtin_expect(observed, 0))
			observe_after(w, m, &arrivals[i]);
		if (arrivals[i].m != NULL)
			worker_free(w, arrivals[i].m);
	}
	w->replying = false;
	return n > 0 || w->stats[STAT_RX_FRAMES] != before;
}

/* The events of one connection. A listener's, before it is accepted, has one: HF_EV_ACCEPT, once; what
 * comes later is kept until hf_accept. @return whether there is anything to tell */
static bool tell(struct hf_worker *w, handle h, struct connection *c, struct hf_event *event)
{
	if ((c->flags & CONN_WAITING) && (c->flags & CONN_ANNOUNCED))
		return false;
	*event = (struct hf_event){
		.id = connection_id(c, h),
		.what = c->events,
		.readable = c->tcb.rcv_queued,
	};
	if (c->flags & CONN_WAITING) {
		c->flags |= CONN_ANNOUNCED;
		event->cookie = w->listeners.at[c->listener].cookie;
		event->listener = c->listener;
	} else {
		event->cookie = c->cookie;
		event->error = c->flags & CONN_CLOSED ? c->error : 0;
	}
	c->events = 0;
	return event->what != 0;
}

static unsigned deliver(struct hf_worker *w, struct hf_event *events, unsigned max)
{
	unsigned n = 0;

	while (n < max && w->ready_head != HANDLE_NONE) {
		const handle h = w->ready_head;
		struct connection *const c = connection_at(w, h);

		w->ready_head = c->ready_next;
		c->flags &= (uint16_t)~CONN_READY;
		if (tell(w, h, c, &events[n]))
			n++;
		if (c->flags & CONN_CLOSED)
			connection_release(w, h, c);
	}
	if (w->ready_head != HANDLE_NONE)
		count(w, STAT_EVENTS_DEFERRED);
	return n;
}

/* Ticks are compared on a circle of 49 days. A clock that leaps farther, as one that counts from the
 * start of the machine does in the first turn, is followed in steps. */
static void leap(struct hf_worker *w, uint64_t now_us)
{
	while (now_us > w->host.now_us + LEAP_US) {
		worker_time(w, w->host.now_us + LEAP_US);
		do
			worker_expire(w);
		while (w->overdue);
	}
}

unsigned hf_turn(struct hf_worker *w, uint64_t now_us, struct hf_event *events, unsigned max)
{
	bool busy = false;

	leap(w, now_us);
	worker_time(w, now_us);
	if (w->local_used) {
		w->local_used = false;
		w->local_next = w->local_next + 1 < w->local_count ? w->local_next + 1 : 0;
	}
	if (__builtin_expect(w->tx_count > TX_HELD_UP, 0)) {
		count(w, STAT_RX_HELD_UP); /* what comes now could not be answered: it waits in the device */
		w->rx_more = true;
	} else {
		busy = receive(w);
	}
	busy |= worker_expire(w);
	text_done(w);
	count(w, STAT_TURNS);
	if (busy)
		count(w, STAT_TURNS_BUSY);
	if (__builtin_expect(ask_waits(w), 0))
		ask_answer(w);
	return deliver(w, events, max);
}

/* Everything one connection may send now, up to its share. @return whether it wants to go on */
static bool flush_connection(struct hf_worker *w, handle h, struct connection *c, unsigned share)
{
	struct flow flow;
	struct seg seg;
	struct text text = { 0 };

	if (!tcp_owes(&w->host, &c->tcb))
		return false;
	entry_flow(w, h, &flow);
	for (unsigned sent = 0; sent < share;) {
		if (!tcp_next(&w->host, &c->tcb, &seg, &text))
			return false;
		emit_segment(w, &flow, &seg, &text);
		sent += seg.text_len > seg.mss ? (unsigned)seg.text_len / seg.mss : 1;
		if (!tcp_owes(&w->host, &c->tcb))
			return false;
		if (emit_held_up(w))
			return true;
	}
	return true;
}

COLD static void add_late(struct hf_worker *w, handle h, struct connection *c)
{
	owed_append(w, &w->late_head, &w->late_tail, h, c);
}

/* The first of a list gets its share, and joins the late ones if that was not enough. */
static inline void flush_first(struct hf_worker *w, handle *head, unsigned share)
{
	const handle h = *head;
	struct connection *const c = connection_at(w, h);

	*head = c->owed_next;
	c->flags &= (uint16_t)~CONN_OWED;
	if (c->flags & CONN_DEAD) {
		pools_give(&w->pools, h);
	} else if (!(c->flags & (CONN_CLOSED | CONN_DETACHED))) {
		if (flush_connection(w, h, c, share))
			add_late(w, h, c);
		connection_rearm(w, h, c);
	}
}

/* Once round, as far as the device keeps up. */
COLD static void flush_late(struct hf_worker *w)
{
	const handle last = w->late_tail;
	handle h;

	do {
		if (emit_held_up(w))
			return;
		h = w->late_head;
		flush_first(w, &w->late_head, LATE_SHARE);
	} while (h != last);
}

/* The device was behind, and these have not had their turn: who has much text gives way, once. */
COLD static void flush_parted(struct hf_worker *w)
{
	while (w->owed_head != HANDLE_NONE && !emit_held_up(w)) {
		const handle h = w->owed_head;
		struct connection *const c = connection_at(w, h);

		if ((int32_t)(c->tcb.snd_end - c->tcb.snd_nxt) > c->tcb.snd_mss &&
		    !(c->tcb.flags & TCB_SYN_NOW)) {
			w->owed_head = c->owed_next;
			add_late(w, h, c);
		} else {
			flush_first(w, &w->owed_head, FIRST_SHARE);
		}
	}
}

/* Who has more to say than a share is late: behind all others, so that no handshake waits for megabytes of
 * text; but one of them comes first every other time, so that they always get on. What the device is not ready for
 * is not built but stays owed, in its order (HF-L4). */
void hf_flush(struct hf_worker *w, uint64_t now_us)
{
	leap(w, now_us);
	worker_time(w, now_us);
	w->tx_high = TX_HELD_UP;
	w->late_first = !w->late_first;
	if (w->late_head != HANDLE_NONE && w->late_first && !emit_held_up(w))
		flush_first(w, &w->late_head, FIRST_SHARE);
	if (__builtin_expect(w->parted, 0))
		flush_parted(w);
	while (w->owed_head != HANDLE_NONE && !emit_held_up(w))
		flush_first(w, &w->owed_head, FIRST_SHARE);
	if (w->late_head != HANDLE_NONE)
		flush_late(w);
	w->parted = w->owed_head != HANDLE_NONE;
	if (w->parted || emit_held_up(w))
		count(w, STAT_TX_HELD_UP);
	text_done(w);
	emit_flush(w);
	rte_pktmbuf_free_bulk(w->spare, w->spare_count);
	w->spare_count = 0;
	if (w->watch != NULL)
		watch_publish(w);
}

static uint32_t earlier(uint32_t now_ms, bool has, uint32_t tick, uint32_t best)
{
	const uint32_t in_ms = tick_due(tick, now_ms) ? 0 : tick - now_ms;

	return has && in_ms < best ? in_ms : best;
}

uint64_t hf_next_deadline(const struct hf_worker *w)
{
	const uint32_t now_ms = w->host.now_ms;
	const uint64_t held_us = w->impair ? impair_next(w->impair) : UINT64_MAX;
	uint32_t best = UINT32_MAX;
	uint32_t tick = 0;
	bool has;

	if (w->ready_head != HANDLE_NONE || w->overdue || w->opener_left > 0 || ask_waits(w))
		return 0;
	if (w->tx_count > 0) /* the device is behind */
		return w->host.now_us + TX_AGAIN_US;
	if (w->owed_head != HANDLE_NONE || w->late_head != HANDLE_NONE || w->rx_more)
		return 0;
	has = wheel_next(&w->timers, &tick);
	best = earlier(now_ms, has, tick, best);
	for (unsigned i = 0; i < 2; i++) {
		has = wheel_next(&w->waits[i], &tick);
		best = earlier(now_ms, has, tick, best);
	}
	has = neigh_deadline(&w->neighbours, &tick);
	best = earlier(now_ms, has, tick, best);
	if (best == UINT32_MAX)
		return held_us;
	return RTE_MIN((w->host.now_us / 1000 + best) * 1000, held_us);
}

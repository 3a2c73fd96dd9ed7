/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments to frames, gathered for one burst a flush. A frame is a fresh mbuf; text of the send queue is
 * copied into it, or attached when it is long and the port takes chains (DESIGN 2.7, HF-CK4). */
#include "io/recorder.h"
#include "io/watch.h"
#include "wire/csum.h"

#define COPY_MAX 256	/* octets of text that are cheaper to copy than to attach */
#define USES_MOST 60000 /* of a store */
#define TX_TRIES 3	/* of one burst (HF-L4) */
#define TX_DEAD_MS 100	/* a device that has taken nothing for so long takes nothing */

/* Those behind move up. */
COLD static void unstage(struct hf_worker *w, uint16_t first, uint16_t n)
{
	w->tx_count = (uint16_t)(w->tx_count - n);
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	memmove(w->tx + first, w->tx + first + n, (size_t)(w->tx_count - first) * sizeof(w->tx[0]));
}

/* Lost, as on a wire; timers mend it. */
COLD static void lose(struct hf_worker *w, uint16_t first, uint16_t n)
{
	for (uint16_t i = first; i < first + n; i++)
		rte_pktmbuf_free(w->tx[i]);
	w->stats[STAT_TX_RING_FULL] += n;
	unstage(w, first, n);
}

/* The device has taken no more than these: the rest keeps its place. One that has stood still for long is
 * down, or will never take the first frame. @return whether to ask it again, without that one */
COLD static bool keep(struct hf_worker *w, uint16_t sent)
{
	unstage(w, 0, sent);
	if (!w->tx_behind || sent > 0)
		w->tx_behind_ms = w->host.now_ms;
	w->tx_behind = true;
	if (w->host.now_ms - w->tx_behind_ms < TX_DEAD_MS)
		return false;
	lose(w, 0, 1);
	return w->tx_count > 0;
}

/* @return frames taken, from the front */
static uint16_t offer(struct hf_worker *w)
{
	uint16_t sent = 0;
	uint64_t octets = 0;

	for (uint16_t i = 0; i < w->tx_count; i++)
		octets += w->tx[i]->pkt_len;
	for (unsigned i = 0; i < TX_TRIES && sent < w->tx_count; i++)
		sent = (uint16_t)(sent + port_transmit(w->port, w->tx + sent,
						       (uint16_t)(w->tx_count - sent)));
	for (uint16_t i = sent; i < w->tx_count; i++)
		octets -= w->tx[i]->pkt_len;
	w->stats[STAT_TX_FRAMES] += sent;
	w->stats[STAT_TX_OCTETS] += octets;
	return sent;
}

static void transmit(struct hf_worker *w)
{
	uint16_t sent;

	while ((sent = offer(w)) < w->tx_count)
		if (!keep(w, sent))
			return;
	w->tx_count = 0;
	w->tx_behind = false;
}

void emit_flush(struct hf_worker *w)
{
	if (w->impair == NULL) {
		transmit(w);
		return;
	}
	impair_send(w, w->tx, w->tx_count);
	while ((w->tx_count = impair_leave(w, w->tx, TX_QUEUE)) > 0) {
		transmit(w);
		lose(w, 0, w->tx_count); /* what is kept here has yet to meet the bad link */
	}
}

bool emit_still_held_up(struct hf_worker *w)
{
	emit_flush(w);
	return w->tx_count >= w->tx_high;
}

uint32_t emit_mbufs(const struct hf_worker *w)
{
	uint32_t n = 0;

	for (uint16_t i = 0; i < w->tx_count; i++) {
		const struct rte_mbuf *const m = w->tx[i];

		n += m != NULL ? m->nb_segs : 0; /* to another thread the count may come first */
	}
	return n;
}

static void count_segment(struct hf_worker *w, uint8_t flags)
{
	count(w, STAT_SEG_OUT);
	if (flags & SEG_SYN)
		count(w, flags & SEG_ACK ? STAT_SYNACK_OUT : STAT_SYN_OUT);
	if (flags & SEG_FIN)
		count(w, STAT_FIN_OUT);
	if (flags & SEG_RST)
		count(w, STAT_RST_OUT);
}

/* Whether a device gathers as they lie all pieces of a text that it cuts, and, beside the header, those
 * under each of its frames. */
COLD static bool gathers(const struct hf_worker *w, struct text text, uint32_t len, uint16_t cut)
{
	uint32_t all = 1, under = 1, end = cut;

	for (uint32_t gone = 0; cut > 0 && gone < len;) {
		const struct range *const range = &w->host.ranges.at[text.range];

		if (gone >= end) {
			end = (gone / cut + 1) * cut;
			under = gone % cut == 0 ? 1 : 2;
		}
		if (++under > w->port->segs || ++all > w->port->segs_all)
			return false;
		gone += range->len - text.offset;
		text = (struct text){ .range = range->next };
	}
	return cut > 0;
}

/* Text in more pieces than the device gathers, or of a store that is used up, in full buffers instead: one, but for a
 * text that the device cuts, and sums up itself. */
COLD static bool copy_chain(struct hf_worker *w, struct rte_mbuf *m, struct text text, uint32_t len,
			    uint32_t *sum)
{
	struct rte_mbuf *last = m, *piece;
	uint32_t n;

	rte_pktmbuf_free(m->next);
	m->nb_segs = 1;
	for (m->next = NULL; len > 0; len -= n) {
		const struct range *const range = &w->host.ranges.at[text.range];

		if (last == m || rte_pktmbuf_tailroom(last) == 0) {
			piece = worker_mbuf(w);
			if (piece == NULL)
				return false;
			last->next = piece;
			last = piece;
			m->nb_segs++;
		}
		n = RTE_MIN(RTE_MIN(range->len - text.offset, len),
			    (uint32_t)rte_pktmbuf_tailroom(last));
		memcpy(rte_pktmbuf_append(last, (uint16_t)n),
		       rte_pktmbuf_mtod_offset(w->buffer[text.range], uint8_t *, text.offset), n);
		text.offset += n;
		if (text.offset == range->len)
			text = (struct text){ .range = range->next };
	}
	*sum = csum_partial(rte_pktmbuf_mtod(last, uint8_t *), last->data_len);
	return true;
}

/* DPDK counts in 16 bits who uses a store; where a device's queue or a peer's holds so many frames of it, the next
 * ones are of their own. */
static bool is_used_up(const struct rte_mbuf *m)
{
	return RTE_MBUF_HAS_EXTBUF(m) && rte_mbuf_ext_refcnt_read(m->shinfo) >= USES_MOST;
}

/* The send queue's own buffers stay where they are; indirect mbufs point into them. @return the sum */
static __attribute__((noinline)) bool attach_text(struct hf_worker *w, struct rte_mbuf *m,
						  struct text text, uint32_t len, uint16_t cut,
						  uint32_t *sum)
{
	const struct text whole = text;
	uint32_t most = w->port->segs;
	struct rte_mbuf *last = m;
	uint32_t gone = 0;

	*sum = 0;
	while (gone < len) {
		const struct range *const range = &w->host.ranges.at[text.range];
		const uint32_t rest = range->len - text.offset;
		const uint32_t n = rest < len - gone ? rest : len - gone;
		struct rte_mbuf *piece;
		uint32_t part;

		if (unlikely(m->nb_segs >= most)) {
			if (!gathers(w, whole, len, cut))
				return copy_chain(w, m, whole, len, sum);
			most = UINT32_MAX;
		}
		if (unlikely(is_used_up(w->buffer[text.range])))
			return copy_chain(w, m, whole, len, sum);
		piece = worker_mbuf(w);
		if (piece == NULL)
			return false;
		rte_pktmbuf_attach(piece, w->buffer[text.range]);
		piece->data_off = (uint16_t)(piece->data_off + text.offset);
		piece->data_len = (uint16_t)n;
		piece->pkt_len = n;
		if (!(w->offload & WIRE_OFFLOAD_L4)) {
			part = csum_partial(rte_pktmbuf_mtod(piece, void *), n);
			*sum = csum_add(*sum, gone & 1 ? csum_odd(part) : part);
		}
		last->next = piece;
		last = piece;
		m->nb_segs++;
		gone += n;
		text = (struct text){ .range = range->next };
	}
	return true;
}

/* @param cut  octets of text of each frame that the device makes of this one; 0: it is one */
static __attribute__((noinline)) void ask_offload(const struct hf_worker *w, struct rte_mbuf *m,
						  uint8_t version, uint16_t cut)
{
	m->l2_len = w->link.l3 ? 0 : (w->link.vlan ? 18 : 14);
	if (version == 4) {
		m->l3_len = 20;
		m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM;
	} else {
		m->l3_len = 40;
		m->ol_flags |= RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_TCP_CKSUM;
	}
	if (cut > 0) {
		m->l4_len = (uint8_t)(m->data_len - m->l2_len - m->l3_len);
		m->tso_segsz = cut;
		m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
	}
}

/* The text of a frame: attached, or copied in behind where its header will be. @return false: no mbuf */
static bool put_text(struct hf_worker *w, struct rte_mbuf *m, uint8_t version,
		     const struct seg *seg, const struct text *text, uint16_t cut, uint32_t *sum)
{
	uint8_t *const frame = rte_pktmbuf_mtod(m, uint8_t *);

	if (seg->text_len > COPY_MAX && w->port->multi_segs)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): where there is a length there is text */
		return attach_text(w, m, *text, seg->text_len, cut, sum);
	m->data_len = seg->text_len;
	*sum = text_copy(w, text, seg->text_len, frame + wire_header_len(&w->link, version, seg));
	return true;
}

static inline struct rte_mbuf *build_frame(struct hf_worker *w, const struct flow *flow,
					   const struct seg *seg, const struct text *text)
{
	struct rte_mbuf *const m = worker_mbuf(w);
	const uint16_t cut = seg->text_len > seg->mss ? seg->mss : 0;
	uint32_t header, sum = 0;

	if (m == NULL)
		return NULL;
	if (seg->text_len > 0 && !put_text(w, m, flow->version, seg, text, cut, &sum)) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	header = wire_build(rte_pktmbuf_mtod(m, uint8_t *), &w->link, flow, seg, sum,
			    w->offload | (cut ? WIRE_OFFLOAD_TSO : 0u));
	m->data_len = (uint16_t)(m->data_len + header);
	m->pkt_len = header + seg->text_len;
	if (w->offload != 0)
		ask_offload(w, m, flow->version, cut);
	return m;
}

/* The queue is full, or somebody watches it fill. */
static void emit_full(struct hf_worker *w, const struct rte_mbuf *m)
{
	if (w->watch != NULL)
		watch_sent(w, m);
	if (w->tx_count == TX_QUEUE)
		emit_flush(w);
	if (w->tx_count == TX_QUEUE) /* answers, more than may wait */
		lose(w, TX_QUEUE - 1, 1);
}

void emit_frame(struct hf_worker *w, struct rte_mbuf *m)
{
	w->tx[w->tx_count++] = m;
	if (w->tx_count >= w->tx_full)
		emit_full(w, m);
}

bool emit_segment(struct hf_worker *w, const struct flow *flow, const struct seg *seg,
		  const struct text *text)
{
	struct rte_mbuf *const m = build_frame(w, flow, seg, text);

	if (m == NULL) {
		count(w, STAT_TX_NOMBUF);
		w->tx_high = 0; /* others would fare no better */
		return false;
	}
	count_segment(w, seg->flags);
	if (seg->text_len > seg->mss)
		w->stats[STAT_SEG_OUT] += (uint64_t)(seg->text_len - 1) / seg->mss;
	record_sent(w, flow, seg);
	emit_to(w, flow, m, seg->flags & (SEG_SYN | SEG_RST));
	return true;
}

void emit_answers(struct hf_worker *w, const struct flow *flow, const struct out *out)
{
	for (uint8_t i = 0; i < out->answers; i++)
		emit_segment(w, flow, &out->answer[i], NULL);
}

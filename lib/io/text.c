/* SPDX-License-Identifier: BSD-3-Clause */
/* What holds text: the mbufs behind the protocol's ranges, and the receive queues. A range's number is
 * also the number of its buffer. */
#include <errno.h>

#include "io/worker.h"
#include "wire/csum.h"

#define COALESCE_MAX 256   /* octets: text so short moves in with its neighbour, if there is room */
#define STORE_PIECE 32768u /* octets of a store that one range holds, given back together */
/* Ranges of a store at once; text beyond is copied. DPDK counts uses in 16 bits, and frames have the rest (emit.c). */
#define STORE_USES 16384

/* ---- Sending ------------------------------------------------------------------------------------ */

/* A range that stands for nothing yet. Text that waits, either way, leaves buffers for the frames that
 * make it go: an ACK that finds none could not free any (HF-L10). */
static uint32_t range_pop(struct hf_worker *w)
{
	const uint32_t range = w->range_free;

	if (range == RANGE_NONE || w->held_mbufs >= w->queue_most || pools_fault(&w->pools)) {
		w->range_refused++;
		count(w, STAT_RANGES_EMPTY);
		return RANGE_NONE;
	}
	w->range_free = w->host.ranges.at[range].next;
	return range;
}

static void range_push(struct hf_worker *w, uint32_t range)
{
	w->host.ranges.at[range].next = w->range_free;
	w->range_free = range;
}

/* From now on it stands for this mbuf. */
static void range_fill(struct hf_worker *w, uint32_t range, struct rte_mbuf *m)
{
	w->buffer[range] = m;
	w->held_mbufs++;
	if (++w->range_used > w->range_peak)
		w->range_peak = w->range_used;
}

static inline uint32_t range_take(struct hf_worker *w)
{
	const uint32_t range = range_pop(w);
	struct rte_mbuf *m;

	if (range == RANGE_NONE)
		return range;
	m = worker_mbuf(w);
	if (m == NULL) {
		count(w, STAT_TX_NOMBUF);
		range_push(w, range);
		return RANGE_NONE;
	}
	range_fill(w, range, m);
	return range;
}

void text_done(struct hf_worker *w)
{
	struct ranges *const ranges = &w->host.ranges;

	while (ranges->done != RANGE_NONE) {
		const uint32_t range = ranges->done;

		ranges->done = ranges->at[range].next;
		if (w->buffer[range] != NULL)
			worker_free(w, w->buffer[range]);
		range_push(w, range);
		w->range_used--;
		w->held_mbufs--;
	}
}

/* Text behind what is queued already: the last buffer takes it while nothing else points there. */
static uint32_t append_to_tail(struct hf_worker *w, struct tcb *tcb, const uint8_t *text, uint32_t len)
{
	struct rte_mbuf *m;
	uint32_t n;

	if (tcb->sndq_tail == RANGE_NONE)
		return 0;
	m = w->buffer[tcb->sndq_tail];
	n = rte_pktmbuf_tailroom(m) < len ? rte_pktmbuf_tailroom(m) : len;
	if (n == 0 || !port_mbuf_writable(m, m->data_len + n))
		return 0;
	memcpy(rte_pktmbuf_append(m, (uint16_t)n), text, n);
	tcp_lengthen(&w->host, tcb, n);
	return n;
}

ssize_t text_queue(struct hf_worker *w, struct tcb *tcb, const void *text, size_t len)
{
	const int64_t room = tcp_room(&w->host, tcb);
	const uint8_t *const from = text;
	uint32_t want, taken;

	if (room < 0)
		return (ssize_t)room;
	want = len < (uint64_t)room ? (uint32_t)len : (uint32_t)room;
	taken = append_to_tail(w, tcb, from, want);
	while (taken < want) {
		const uint32_t range = range_take(w);
		uint32_t n;

		if (range == RANGE_NONE)
			break;
		n = rte_pktmbuf_tailroom(w->buffer[range]);
		n = n < want - taken ? n : want - taken;
		memcpy(rte_pktmbuf_append(w->buffer[range], (uint16_t)n), from + taken, n);
		tcp_queue(&w->host, tcb, range, n);
		taken += n;
	}
	if (taken < len)
		tcb->flags |= TCB_WANT_WRITE;
	return (ssize_t)taken;
}

ssize_t text_queue_mbuf(struct hf_worker *w, struct tcb *tcb, struct rte_mbuf *m)
{
	const int64_t room = tcp_room(&w->host, tcb);
	uint32_t range = RANGE_NONE;

	if (room < 0)
		return (ssize_t)room;
	if (room >= m->data_len || tcb->sndq_head == RANGE_NONE) /* else it might never fit */
		range = range_pop(w);
	if (range == RANGE_NONE) {
		tcb->flags |= TCB_WANT_WRITE;
		return 0;
	}
	range_fill(w, range, m);
	tcp_queue(&w->host, tcb, range, m->data_len);
	return m->data_len;
}

ssize_t text_queue_store(struct hf_worker *w, struct tcb *tcb,
			 struct rte_mbuf_ext_shared_info *info, const uint8_t *octets, size_t len)
{
	const int64_t room = tcp_room(&w->host, tcb);
	uint32_t want, taken = 0;

	if (rte_mbuf_ext_refcnt_read(info) >= STORE_USES)
		return text_queue(w, tcb, octets, len);
	if (room < 0)
		return (ssize_t)room;
	want = len < (uint64_t)room ? (uint32_t)len : (uint32_t)room;
	while (taken < want && rte_mbuf_ext_refcnt_read(info) < STORE_USES) {
		const uint32_t range = range_take(w);
		const uint16_t n = (uint16_t)RTE_MIN(want - taken, STORE_PIECE);
		void *const at = (void *)(uintptr_t)(octets + taken); /* only ever read */

		if (range == RANGE_NONE)
			break;
		rte_mbuf_ext_refcnt_update(info, 1);
		rte_pktmbuf_attach_extbuf(w->buffer[range], at, (rte_iova_t)(uintptr_t)at, n, info);
		w->buffer[range]->data_len = n;
		tcp_queue(&w->host, tcb, range, n);
		taken += n;
	}
	if (taken < len)
		tcb->flags |= TCB_WANT_WRITE;
	return (ssize_t)taken;
}

uint32_t text_copy(const struct hf_worker *w, const struct text *text, uint32_t len, uint8_t *to)
{
	struct text at = *text;
	uint32_t gone = 0;

	while (gone < len) {
		const struct range *const range = &w->host.ranges.at[at.range];
		const uint32_t rest = range->len - at.offset;
		const uint32_t n = rest < len - gone ? rest : len - gone;

		memcpy(to + gone,
		       rte_pktmbuf_mtod_offset(w->buffer[at.range], uint8_t *, at.offset), n);
		gone += n;
		at = (struct text){ .range = range->next };
	}
	return csum_partial(to, len);
}

/* ---- Receiving ---------------------------------------------------------------------------------- */

static void free_segment(struct hf_worker *w, struct rte_mbuf *m)
{
	m->next = NULL;
	m->nb_segs = 1;
	worker_free(w, m);
	w->held_mbufs--;
}

/* Into the room behind the last text of the queue, which is ours alone to write. */
static bool coalesce(struct connection *c, struct rte_mbuf *m, uint32_t offset, uint32_t len)
{
	struct rte_mbuf *const tail = c->rxq_tail;
	const void *text;
	char *room;

	if (tail == NULL || len > COALESCE_MAX || rte_pktmbuf_tailroom(tail) < len ||
	    !port_mbuf_writable(tail, tail->data_len + len))
		return false;
	room = rte_pktmbuf_mtod_offset(tail, char *, tail->data_len);
	text = rte_pktmbuf_read(m, offset, len, room);
	if (text == NULL)
		return false;
	if (text != room)
		memcpy(room, text, len);
	tail->data_len = (uint16_t)(tail->data_len + len);
	return true;
}

static void append(struct connection *c, struct rte_mbuf *m)
{
	if (c->rxq_tail == NULL)
		c->rxq_head = m;
	else
		c->rxq_tail->next = m;
	c->rxq_tail = m;
}

void text_receive(struct hf_worker *w, struct connection *c, struct rte_mbuf *m, uint32_t offset,
		  uint32_t len)
{
	struct rte_mbuf *next;

	if (coalesce(c, m, offset, len)) {
		worker_free(w, m);
		return;
	}
	for (; m != NULL; m = next) {
		next = m->next;
		w->held_mbufs++;
		if (offset >= m->data_len || len == 0) { /* headers, or what lies past the text */
			offset -= offset >= m->data_len ? m->data_len : 0;
			free_segment(w, m);
			continue;
		}
		m->data_off = (uint16_t)(m->data_off + offset);
		m->data_len = (uint16_t)(m->data_len - offset);
		offset = 0;
		if (m->data_len > len)
			m->data_len = (uint16_t)len;
		len -= m->data_len;
		m->next = NULL;
		m->nb_segs = 1;
		append(c, m);
	}
}

/* ---- Out of order ------------------------------------------------------------------------------- */

void text_spare(struct hf_worker *w)
{
	if (w->host.ranges.spare == RANGE_NONE && w->range_free != RANGE_NONE &&
	    w->held_mbufs < w->queue_most)
		w->host.ranges.spare = range_pop(w);
}

/* What remains is an ACK at the segment's SEQ, which is as good where it is in order. */
void text_refuse(struct hf_worker *w, struct arrival *arrivals, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct seg *const seg = &arrivals[i].in.seg;

		if (seg->text_len == 0)
			continue;
		count(w, STAT_TEXT_REFUSED);
		seg->len = seg->flags & SEG_SYN ? 1 : 0;
		seg->flags &= (uint8_t) ~(SEG_FIN | SEG_PSH);
		seg->text_len = 0;
		arrivals[i].in.text_len = 0;
	}
}

/* An mbuf of our own with len octets of a frame. NULL: there is none, or it has no room for them */
static struct rte_mbuf *copy_octets(struct hf_worker *w, const struct rte_mbuf *m, uint32_t offset,
				    uint32_t len)
{
	struct rte_mbuf *const copy = worker_mbuf(w);
	const void *octets;
	char *room;

	if (copy == NULL || rte_pktmbuf_tailroom(copy) < len) {
		rte_pktmbuf_free(copy);
		return NULL;
	}
	room = rte_pktmbuf_append(copy, (uint16_t)len);
	octets = rte_pktmbuf_read(m, offset, len, room);
	if (octets != room)
		memcpy(room, octets, len);
	return copy;
}

void text_own(struct hf_worker *w, struct arrival *a)
{
	struct rte_mbuf *copy;

	if (a->in.text_len == 0 || port_mbuf_writable(a->m, a->m->data_len))
		return;
	copy = copy_octets(w, a->m, 0, a->in.text_offset + a->in.text_len);
	if (copy == NULL) {
		if (w->host.ranges.spare != RANGE_NONE)
			range_push(w, w->host.ranges.spare);
		w->host.ranges.spare = RANGE_NONE;
		return;
	}
	rte_pktmbuf_free(a->m);
	a->m = copy;
}

/* One mbuf with just this text: the frame's own when it lies there in one piece, else a copy. */
static struct rte_mbuf *one_piece(struct hf_worker *w, struct rte_mbuf *m, uint32_t offset,
				  uint32_t len)
{
	struct rte_mbuf *copy;

	if (m->nb_segs == 1) {
		m->data_off = (uint16_t)(m->data_off + offset);
		m->data_len = (uint16_t)len;
		m->pkt_len = len;
		return m;
	}
	copy = copy_octets(w, m, offset, len);
	rte_pktmbuf_free(m);
	return copy;
}

/* What came first wins (HF-D1). */
static void lay_over(struct hf_worker *w, uint32_t range, uint32_t covered)
{
	const struct range *const at = w->host.ranges.at;

	while (covered != RANGE_NONE) {
		const uint32_t next = at[covered].next;

		memcpy(rte_pktmbuf_mtod_offset(w->buffer[range], char *,
					       at[covered].seq - at[range].seq),
		       rte_pktmbuf_mtod(w->buffer[covered], const char *), at[covered].len);
		range_let_go(&w->host.ranges, covered);
		covered = next;
	}
}

void text_hold(struct hf_worker *w, struct connection *c, const struct out *out, struct rte_mbuf *m,
	       uint32_t offset)
{
	struct rte_mbuf *const piece = one_piece(w, m, offset + out->text_skip, out->text_len);

	range_fill(w, out->hold, piece);
	if (piece == NULL) /* the first that is held; as if lost (RFC 2018 8) */
		reassembly_drop(&w->host, &c->tcb);
	else
		lay_over(w, out->hold, out->covered);
}

void text_join(struct hf_worker *w, struct connection *c, uint32_t range)
{
	while (range != RANGE_NONE) {
		const uint32_t next = w->host.ranges.at[range].next;

		append(c, w->buffer[range]);
		w->range_used--;
		range_push(w, range);
		range = next;
	}
}

size_t text_peek(const struct connection *c, void *to, size_t room)
{
	size_t seen = 0;

	for (const struct rte_mbuf *m = c->rxq_head; m != NULL && seen < room; m = m->next) {
		const size_t n = m->data_len < room - seen ? m->data_len : room - seen;

		memcpy((char *)to + seen, rte_pktmbuf_mtod(m, const void *), n);
		seen += n;
	}
	return seen;
}

size_t text_take(struct hf_worker *w, struct connection *c, void *to, size_t room)
{
	size_t taken = 0;

	while (c->rxq_head != NULL && taken < room) {
		struct rte_mbuf *const m = c->rxq_head;
		const size_t n = m->data_len < room - taken ? m->data_len : room - taken;

		memcpy((char *)to + taken, rte_pktmbuf_mtod(m, void *), n);
		taken += n;
		m->data_off = (uint16_t)(m->data_off + n);
		m->data_len = (uint16_t)(m->data_len - n);
		if (m->data_len > 0)
			break;
		c->rxq_head = m->next;
		if (c->rxq_head == NULL)
			c->rxq_tail = NULL;
		free_segment(w, m);
	}
	return taken;
}

struct rte_mbuf *text_hand_over(struct hf_worker *w, struct connection *c)
{
	struct rte_mbuf *const m = c->rxq_head;

	c->rxq_head = m->next;
	if (c->rxq_head == NULL)
		c->rxq_tail = NULL;
	m->next = NULL;
	m->pkt_len = m->data_len;
	w->held_mbufs--;
	return m;
}

void text_drop(struct hf_worker *w, struct connection *c)
{
	while (c->rxq_head != NULL) {
		struct rte_mbuf *const m = c->rxq_head;

		c->rxq_head = m->next;
		free_segment(w, m);
	}
	c->rxq_tail = NULL;
	c->tcb.rcv_queued = 0;
	reassembly_drop(&w->host, &c->tcb);
}

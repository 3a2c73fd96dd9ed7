/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames, and words of neighbours, that go from one worker to another (HF-M2, HF-IC3, HF-N1). A ring of one
 * writer and one reader leads from each to each; what a full one does not take is dropped and counted,
 * and nobody waits (HF-L13). Called from the turn of a worker whose device others share.
 */
#include <assert.h>

#include "io/neigh.h"
#include "io/steer.h"
#include "wire/peek.h"

#define DRAIN (BURST / 2) /* of a turn's frames: others' must not starve those of our own queue */

/* What a neighbour said, in an mbuf's data. */
struct neigh_word_said {
	uint32_t address[4];
	uint32_t word; /* enum neigh_word */
	uint8_t version;
	bool has_mac;
	uint8_t mac[6];
};

static struct rte_ring *ring_between(const struct steer *steer, unsigned from, unsigned to)
{
	return (struct rte_ring *)(steer->rings + (from * steer->workers + to) * steer->ring_octets);
}

/* The frame goes to another worker, or, its ring full, is gone. */
static bool hand_over(struct hf_worker *w, struct rte_mbuf *m, unsigned to)
{
	if (rte_ring_sp_enqueue(ring_between(w->steer, w->port->queue, to), m) == 0)
		return true;
	rte_pktmbuf_free(m);
	return false;
}

static void count_handed(struct hf_worker *w, bool taken)
{
	count(w, taken ? STAT_RX_HANDED_OVER : STAT_RX_DROP_RING_FULL);
}

/* To all others, a copy each: what lies in a ring is one mbuf, and whoever takes it out owns it. @return whether
 * any got it */
static bool share(struct hf_worker *w, const struct rte_mbuf *m)
{
	const struct steer *const steer = w->steer;
	bool any = false;

	for (unsigned to = 0; to < steer->workers; to++) {
		struct rte_mbuf *const copy = to != w->port->queue ? port_copy(w->port, m) : NULL;

		if (copy == NULL)
			continue;
		copy->ol_flags |= steer->shared;
		any |= hand_over(w, copy, to);
	}
	return any;
}

/* ---- What arrives ------------------------------------------------------------------------------------ */

/* What one ring holds, up to so many. @return frames; a word is heard and gone */
static unsigned take_over(struct hf_worker *w, unsigned from, struct rte_mbuf **rx, unsigned room)
{
	const unsigned n = rte_ring_sc_dequeue_burst(ring_between(w->steer, from, w->port->queue),
						     (void **)rx, room, NULL);
	unsigned frames = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct neigh_word_said *const said =
			rte_pktmbuf_mtod(rx[i], const struct neigh_word_said *);

		if (!(rx[i]->ol_flags & w->steer->word)) {
			rx[frames++] = rx[i];
			continue;
		}
		neigh_hear(w, said->version, said->address, said->has_mac ? said->mac : NULL,
			   said->word);
		rte_pktmbuf_free(rx[i]);
	}
	w->stats[STAT_RX_TAKEN_OVER] += frames;
	return frames;
}

/* All rings in turn, each turn beginning with the next one. */
static unsigned take_over_all(struct hf_worker *w, struct rte_mbuf **rx)
{
	const unsigned workers = w->steer->workers;
	unsigned k = 0;

	w->steer_next = w->steer_next + 1 < workers ? w->steer_next + 1 : 0;
	for (unsigned i = 0; i < workers && k < DRAIN; i++) {
		const unsigned from = (w->steer_next + i) % workers;

		if (from != w->port->queue)
			k += take_over(w, from, rx + k, DRAIN - k);
	}
	return k;
}

/* The device does not tell flows apart: what is not ours goes to whose it is. Its own hash is not looked
 * at, flagged or not: its key is not ours. @return how many stay, from the front */
static unsigned sort_out(struct hf_worker *w, struct rte_mbuf **rx, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		struct flow flow;
		unsigned home = w->port->queue;

		if (wire_peek(&w->wire, rte_pktmbuf_mtod(rx[i], const uint8_t *), rx[i]->data_len,
			      &flow))
			home = steer_home(w->steer, &flow);
		if (home == w->port->queue)
			rx[kept++] = rx[i];
		else
			count_handed(w, hand_over(w, rx[i], home));
	}
	return kept;
}

unsigned steer_receive(struct hf_worker *w, struct rte_mbuf **rx)
{
	const unsigned k = w->steer != NULL ? take_over_all(w, rx) : 0;
	const uint16_t room = (uint16_t)(BURST - k);
	const unsigned n = w->impair != NULL ? impair_receive(w, rx + k, room) :
					       port_receive(w->port, rx + k, room);

	w->stats[STAT_RX_FRAMES] += n;
	w->rx_more = n == room || k == DRAIN;
	if (w->steer != NULL && w->steer->steering == HF_STEERING_SOFTWARE)
		return k + sort_out(w, rx + k, n);
	return k + n;
}

bool steer_stranger(struct hf_worker *w, struct arrival *a)
{
	const unsigned home = steer_home(w->steer, &a->in.flow);

	if (home == w->port->queue)
		return false;
	count(w, STAT_WRONG_CORE);
	count_handed(w, hand_over(w, a->m, home));
	a->m = NULL;
	return true;
}

bool steer_error(struct hf_worker *w, struct rte_mbuf *m, const struct flow *quoted, bool known)
{
	struct rte_mbuf *copy;
	unsigned home;

	if (known || (m->ol_flags & w->steer->shared))
		return false;
	if (w->steer->steering == HF_STEERING_QUEUE) { /* the peer chose the queue: no telling */
		count_handed(w, share(w, m));
		return true;
	}
	home = steer_home(w->steer, quoted);
	if (home == w->port->queue)
		return false;
	copy = port_copy(w->port, m); /* the turn still frees what it received */
	count_handed(w, copy != NULL && hand_over(w, copy, home));
	return true;
}

/* ---- Neighbours, ports, the end ---------------------------------------------------------------------- */

void steer_tell(struct hf_worker *w, uint8_t version, const uint32_t address[4], const uint8_t *mac,
		unsigned word)
{
	struct rte_mbuf *const m = port_mbuf(w->port);
	struct neigh_word_said *said;

	if (m == NULL) { /* they ask for themselves */
		count(w, STAT_TX_NOMBUF);
		return;
	}
	said = rte_pktmbuf_mtod(m, struct neigh_word_said *);
	*said = (struct neigh_word_said){ .version = version, .word = word };
	memcpy(said->address, address, sizeof(said->address));
	said->has_mac = mac != NULL;
	if (mac != NULL)
		memcpy(said->mac, mac, sizeof(said->mac));
	m->ol_flags |= w->steer->word;
	m->data_len = sizeof(*said);
	m->pkt_len = sizeof(*said);
	share(w, m);
	rte_pktmbuf_free(m);
}

bool steer_is_mine(void *worker, const struct flow *flow)
{
	const struct hf_worker *const w = worker;

	return steer_home(w->steer, flow) == w->port->queue;
}

unsigned steer_waiting(const struct hf_worker *w)
{
	unsigned n = 0;

	for (unsigned from = 0; w->steer != NULL && from < w->steer->workers; from++)
		n += rte_ring_count(ring_between(w->steer, from, w->port->queue));
	return n;
}

void steer_drop_all(struct hf_worker *w)
{
	void *m;

	for (unsigned from = 0; w->steer != NULL && from < w->steer->workers; from++)
		while (rte_ring_sc_dequeue(ring_between(w->steer, from, w->port->queue), &m) == 0)
			rte_pktmbuf_free(m);
}

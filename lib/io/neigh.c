/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Next hops on a link (REQUIREMENTS 16): a frame goes to its neighbour's MAC address, or waits until that
 * is known, or until nobody has answered (RFC 826, RFC 4861 7.2, 7.3). solicit.c asks and listens. With
 * config.gateway_mac there is one answer for all, and none of this is called.
 */
#include "io/neigh.h"

#define ASK_MS 1000 /* between requests (RFC826-d) */
#define EXPIRIES_A_TURN 64

/* ---- Frames that wait --------------------------------------------------------------------------------- */

static struct rte_mbuf **place(const struct hf_worker *w, const struct neigh *n, uint32_t i)
{
	return &w->waiting[(size_t)(n - w->neighbours.at) * NEIGH_WAITING + (n->first + i) % NEIGH_WAITING];
}

static struct rte_mbuf *take_waiting(struct hf_worker *w, struct neigh *n)
{
	struct rte_mbuf *const m = *place(w, n, 0);

	n->first = (uint8_t)((n->first + 1) % NEIGH_WAITING);
	n->waiting--;
	w->waiting_mbufs -= m->nb_segs;
	return m;
}

static void drop_frame(struct hf_worker *w, struct rte_mbuf *m)
{
	count(w, STAT_NEIGHBOUR_DROP);
	rte_pktmbuf_free(m);
}

static void drop_waiting(struct hf_worker *w, struct neigh *n)
{
	while (n->waiting > 0)
		drop_frame(w, take_waiting(w, n));
}

/* It may wait longer than its connection lives: what it points at of the send queue becomes its own. */
static void hold_frame(struct hf_worker *w, struct neigh *n, struct rte_mbuf *m)
{
	struct rte_mbuf *own = m;

	if (pools_fault(&w->pools))
		own = NULL;
	else if (m->nb_segs > 1)
		own = port_copy(w->port, m);
	if (own == NULL) {
		drop_frame(w, m);
		return;
	}
	if (own != m)
		rte_pktmbuf_free(m);
	if (n->waiting == NEIGH_WAITING)
		drop_frame(w, take_waiting(w, n));
	*place(w, n, n->waiting++) = own;
	w->waiting_mbufs += own->nb_segs;
}

uint32_t neigh_mbufs(const struct hf_worker *w)
{
	uint32_t mbufs = 0;

	for (uint32_t i = 0; i < w->neighbours.size; i++)
		for (uint32_t k = 0; k < w->neighbours.at[i].waiting; k++)
			mbufs += (*place(w, &w->neighbours.at[i], k))->nb_segs;
	return mbufs;
}

static void pass_frame(struct hf_worker *w, struct rte_mbuf *m, const uint8_t mac[6])
{
	memcpy(rte_pktmbuf_mtod(m, uint8_t *), mac, 6);
	emit_frame(w, m);
}

void neigh_pass_waiting(struct hf_worker *w, struct neigh *n)
{
	while (n->waiting > 0)
		pass_frame(w, take_waiting(w, n), n->mac);
}

/* ---- Where frames go ---------------------------------------------------------------------------------- */

static bool prefix_holds(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	const unsigned rest = bits % 8;

	return memcmp(a, b, bits / 8) == 0 &&
	       (rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0);
}

/* Any of our prefixes; and fe80::/10, which is on every link (RFC 4291 2.5.6). */
static bool is_on_link(const struct hf_worker *w, uint8_t version, const uint32_t address[4])
{
	static const uint8_t link_local[2] = { 0xfe, 0x80 };
	const struct hf_config *const c = &w->config;
	uint8_t octets[16];

	memcpy(octets, address, 16);
	for (uint32_t i = 0; i < c->locals; i++)
		if (c->local[i].first.version == version &&
		    prefix_holds(octets, c->local[i].first.octets, c->local_prefix[i]))
			return true;
	return version == 6 && prefix_holds(octets, link_local, 10);
}

void neigh_hop(const struct hf_worker *w, const struct flow *flow, uint32_t hop[4])
{
	const bool v6 = flow->version == 6;
	const struct hf_ip *const gateway = &w->config.gateway[v6];

	memset(hop, 0, 16);
	if (v6)
		memcpy(hop, flow->v6.remote, 16);
	else
		hop[0] = flow->v4.remote;
	if (gateway->version != 0 && !is_on_link(w, flow->version, hop))
		memcpy(hop, gateway->octets, 16);
}

/* Room for one more; whoever was used longest ago makes it. NULL: an injected fault, or gateways alone */
static struct neigh *make_entry(struct hf_worker *w, uint8_t version, const uint32_t hop[4])
{
	struct neighbours *const t = &w->neighbours;
	struct neigh *oldest;

	if (pools_fault(&w->pools))
		return NULL;
	if (t->unused == NULL) {
		oldest = neigh_oldest(t);
		if (oldest == NULL)
			return NULL;
		drop_waiting(w, oldest);
		neigh_forget(t, oldest);
		t->evicted++;
	}
	return neigh_add(t, version, hop, false);
}

void neigh_send(struct hf_worker *w, const struct flow *flow, struct rte_mbuf *m, bool reply)
{
	struct neigh *n;
	uint32_t hop[4];
	bool wants;

	neigh_hop(w, flow, hop);
	n = neigh_find(&w->neighbours, flow->version, hop);
	if (reply && w->replying && (n == NULL || !neigh_is_known(n)) &&
	    neigh_is_station(w, w->reply_mac)) {
		pass_frame(w, m, w->reply_mac); /* HF-N2 */
		return;
	}
	if (n == NULL)
		n = make_entry(w, flow->version, hop);
	if (n == NULL) {
		drop_frame(w, m);
		return;
	}
	switch (neigh_use(&w->neighbours, n, w->host.now_ms, tcp_after(&w->host, ASK_MS), &wants)) {
	case NEIGH_PASS:
		pass_frame(w, m, n->mac);
		break;
	case NEIGH_HOLD:
		hold_frame(w, n, m);
		break;
	case NEIGH_REFUSE:
		drop_frame(w, m);
		break;
	}
	if (!wants)
		return;
	if (flow->version == 6)
		memcpy(n->local, flow->v6.local, 16);
	else
		n->local[0] = flow->v4.local;
	neigh_ask(w, n);
}

/* ---- Time ------------------------------------------------------------------------------------------------- */

static void expire(struct hf_worker *w, struct neigh *n)
{
	switch (neigh_expire(&w->neighbours, n, tcp_after(&w->host, ASK_MS))) {
	case NEIGH_ASK:
		neigh_ask(w, n);
		break;
	case NEIGH_FAIL:
		count(w, STAT_NEIGHBOUR_FAILED);
		drop_waiting(w, n);
		opener_fail(w, n);
		break;
	case NEIGH_GONE:
		if (n->state == NEIGH_FAILED && !opener_done(w, n))
			neigh_postpone(&w->neighbours, n, tcp_after(&w->host, ASK_MS));
		else
			neigh_forget(&w->neighbours, n);
		break;
	}
}

bool neigh_turn(struct hf_worker *w)
{
	struct neigh *n = neigh_due(&w->neighbours, w->host.now_ms);
	const bool any = n != NULL || w->opener_left > 0;

	for (unsigned i = 0; n != NULL && i < EXPIRIES_A_TURN; i++) {
		expire(w, n);
		n = neigh_due(&w->neighbours, w->host.now_ms);
	}
	w->overdue |= n != NULL;
	opener_turn(w);
	return any;
}

void neigh_drop_all(struct hf_worker *w)
{
	for (uint32_t i = 0; i < w->neighbours.size; i++)
		while (w->neighbours.at[i].waiting > 0)
			rte_pktmbuf_free(take_waiting(w, &w->neighbours.at[i]));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Next hops on a link (RFC 826, RFC 4861 7.2, REQUIREMENTS 16): frames wait here until their neighbour's
 * MAC address is known, requests go out for it, and what neighbours ask and tell is heard. With
 * config.gateway_mac there is one answer for all, and only others' questions come here.
 */
#include "io/neigh.h"

#include "wire/arp.h"
#include "wire/octets.h"

#define ASK_MS 1000 /* between requests (RFC826-d) */
#define EXPIRIES_A_TURN 64

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static bool same_mac(const uint8_t a[6], const uint8_t b[6])
{
	return memcmp(a, b, 6) == 0;
}

/* One station's, and not our own (RFC826-c). */
static bool is_station(const struct hf_worker *w, const uint8_t mac[6])
{
	static const uint8_t nobody[6];

	return !(mac[0] & 1) && !same_mac(mac, nobody) && !same_mac(mac, w->link.src_mac);
}

static bool is_ours(const struct hf_worker *w, uint8_t version, const uint32_t address[4])
{
	struct hf_ip ip = { .version = version };

	memcpy(ip.octets, address, version == 6 ? 16 : 4);
	return worker_owns(w, &ip);
}

/* ---- Messages of ours ------------------------------------------------------------------------------ */

static struct wire_link link_to(const struct hf_worker *w, const uint8_t mac[6])
{
	struct wire_link link = w->link;

	memcpy(link.dst_mac, mac, 6);
	return link;
}

static bool send_arp(struct hf_worker *w, const uint8_t to[6], const struct arp *arp)
{
	const struct wire_link link = link_to(w, to);
	struct rte_mbuf *const m = worker_mbuf(w);

	if (m == NULL) {
		count(w, STAT_TX_NOMBUF);
		return false;
	}
	m->data_len = (uint16_t)arp_build(rte_pktmbuf_mtod(m, uint8_t *), &link, arp);
	m->pkt_len = m->data_len;
	count(w, STAT_ARP_OUT);
	emit_frame(w, m);
	return true;
}

static bool send_nd(struct hf_worker *w, const uint8_t to[6], const struct flow *flow,
		    enum icmp_kind kind, const uint32_t target[4], uint8_t flags)
{
	const struct wire_link link = link_to(w, to);
	struct rte_mbuf *const m = worker_mbuf(w);

	if (m == NULL) {
		count(w, STAT_TX_NOMBUF);
		return false;
	}
	m->data_len = (uint16_t)icmp_nd_build(rte_pktmbuf_mtod(m, uint8_t *), &link, flow, kind,
					      target, flags);
	m->pkt_len = m->data_len;
	count(w, STAT_ND_OUT);
	emit_frame(w, m);
	return true;
}

/* Everybody while nothing is known, else the station itself (RFC 1122 2.3.2.1, RFC 4861 7.3.3). */
static void ask(struct hf_worker *w, const struct neigh *n)
{
	const bool probe = n->state == NEIGH_PROBE;
	struct flow flow = { .version = 6 };
	uint8_t group_mac[6];

	if (n->version == 4) {
		struct arp arp = { .op = ARP_REQUEST,
				   .sender_ip = n->local[0],
				   .target_ip = n->address[0] };

		memcpy(arp.sender_mac, w->link.src_mac, 6);
		send_arp(w, probe ? n->mac : everybody, &arp);
		return;
	}
	memcpy(flow.v6.local, n->local, 16);
	if (probe) {
		memcpy(flow.v6.remote, n->address, 16);
		send_nd(w, n->mac, &flow, ICMP_SOLICIT, n->address, 0);
		return;
	}
	nd_group(n->address, flow.v6.remote);
	nd_group_mac(flow.v6.remote, group_mac);
	send_nd(w, group_mac, &flow, ICMP_SOLICIT, n->address, 0);
}

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
	w->waiting_frames--;
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

static void hold_frame(struct hf_worker *w, struct neigh *n, struct rte_mbuf *m)
{
	if (pools_fault(&w->pools)) {
		drop_frame(w, m);
		return;
	}
	if (n->waiting == NEIGH_WAITING)
		drop_frame(w, take_waiting(w, n));
	*place(w, n, n->waiting++) = m;
	w->waiting_frames++;
}

static void pass_frame(struct hf_worker *w, struct rte_mbuf *m, const uint8_t mac[6])
{
	memcpy(rte_pktmbuf_mtod(m, uint8_t *), mac, 6);
	emit_frame(w, m);
}

static void pass_waiting(struct hf_worker *w, struct neigh *n)
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
	if (reply && w->replying && (n == NULL || !neigh_is_known(n)) && is_station(w, w->reply_mac)) {
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
	ask(w, n);
}

/* ---- What neighbours say -------------------------------------------------------------------------------- */

/* @return whether anything was learned */
static bool learn(struct hf_worker *w, uint8_t version, const uint32_t address[4],
		  const uint8_t *mac, unsigned word)
{
	struct neigh *const n = neigh_find(&w->neighbours, version, address);

	if (n == NULL || !neigh_learn(n, mac, word, w->host.now_ms))
		return false;
	pass_waiting(w, n);
	return true;
}

static void refuse(struct hf_worker *w, enum stat refused, enum stat drop)
{
	count(w, refused);
	count(w, drop);
}

/* Whether the budget allows one more answer (HF-RL5). */
static bool may_answer(struct hf_worker *w)
{
	if (budget_take(&w->arp_budget, w->host.now_ms))
		return true;
	refuse(w, STAT_ARP_SUPPRESSED, STAT_RX_DROP_BUDGET);
	return false;
}

static void count_answer(struct hf_worker *w, bool sent)
{
	count(w, sent ? STAT_RX_ANSWERED : STAT_RX_DROP_NO_MBUF);
}

static void answer_arp(struct hf_worker *w, const struct arp *asked)
{
	struct arp arp = { .op = ARP_REPLY,
			   .sender_ip = asked->target_ip,
			   .target_ip = asked->sender_ip };

	memcpy(arp.sender_mac, w->link.src_mac, 6);
	memcpy(arp.target_mac, asked->sender_mac, 6);
	if (may_answer(w))
		count_answer(w, send_arp(w, asked->sender_mac, &arp));
}

void neigh_arp(struct hf_worker *w, const uint8_t *frame, const struct wire_in *in)
{
	uint32_t sender[4] = { 0 }, target[4] = { 0 };
	struct arp arp;
	bool to_us, learned;

	count(w, STAT_ARP_IN);
	if (!arp_parse(frame + in->text_offset, in->text_len, &arp) ||
	    !is_station(w, arp.sender_mac)) {
		refuse(w, STAT_ARP_REFUSED, STAT_RX_DROP_ARP);
		return;
	}
	sender[0] = arp.sender_ip;
	target[0] = arp.target_ip;
	if (is_ours(w, 4, sender)) { /* RFC 5227 2.4 (a): the address is kept */
		refuse(w, STAT_ARP_CONFLICT, STAT_RX_DROP_ARP);
		return;
	}
	to_us = is_ours(w, 4, target);
	learned = learn(w, 4, sender, arp.sender_mac,
			arp.op == ARP_REPLY && to_us ? NEIGH_OVERRIDE | NEIGH_SOLICITED :
						       NEIGH_OVERRIDE);
	if (arp.op == ARP_REQUEST && to_us)
		answer_arp(w, &arp);
	else if (learned)
		count(w, STAT_RX_CONSUMED);
	else
		refuse(w, STAT_ARP_REFUSED, STAT_RX_DROP_ARP);
}

/* To all nodes when the asker has no address yet (RFC 4861 7.2.4). */
static void answer_solicitation(struct hf_worker *w, const struct flow *asked,
				const struct icmp *icmp, const uint8_t asker[6])
{
	static const uint32_t unspecified[4];
	const bool nobody = memcmp(asked->v6.remote, unspecified, 16) == 0;
	struct flow flow = { .version = 6 };
	uint8_t all_mac[6];

	memcpy(flow.v6.local, icmp->target, 16);
	memcpy(flow.v6.remote, asked->v6.remote, 16);
	if (!may_answer(w))
		return;
	if (!nobody) {
		count_answer(w, send_nd(w, asker, &flow, ICMP_ADVERTISE, icmp->target,
					ND_SOLICITED | ND_OVERRIDE));
		return;
	}
	flow.v6.remote[0] = be32(0xff020000);
	flow.v6.remote[3] = be32(1);
	nd_group_mac(flow.v6.remote, all_mac);
	count_answer(w, send_nd(w, all_mac, &flow, ICMP_ADVERTISE, icmp->target, ND_OVERRIDE));
}

static void solicited(struct hf_worker *w, const uint8_t *frame, const struct flow *flow,
		      const struct icmp *icmp)
{
	const uint8_t *const asker = icmp->has_mac ? icmp->mac : frame + 6;

	if (!is_station(w, asker) || !is_ours(w, 6, icmp->target)) {
		refuse(w, STAT_ND_REFUSED, STAT_RX_DROP_ND);
		return;
	}
	if (icmp->has_mac)
		learn(w, 6, flow->v6.remote, icmp->mac, NEIGH_OVERRIDE);
	answer_solicitation(w, flow, icmp, asker);
}

static void advertised(struct hf_worker *w, const struct icmp *icmp)
{
	unsigned word = 0;

	if (is_ours(w, 6, icmp->target)) {
		refuse(w, STAT_ARP_CONFLICT, STAT_RX_DROP_ND);
		return;
	}
	if (icmp->flags & ND_SOLICITED)
		word |= NEIGH_SOLICITED;
	if (icmp->flags & ND_OVERRIDE)
		word |= NEIGH_OVERRIDE;
	if ((icmp->has_mac && !is_station(w, icmp->mac)) ||
	    !learn(w, 6, icmp->target, icmp->has_mac ? icmp->mac : NULL, word))
		refuse(w, STAT_ND_REFUSED, STAT_RX_DROP_ND);
	else
		count(w, STAT_RX_CONSUMED);
}

void neigh_nd(struct hf_worker *w, const uint8_t *frame, const struct flow *flow,
	      enum icmp_kind kind, const struct icmp *icmp)
{
	count(w, STAT_ND_IN);
	if (kind == ICMP_ND_MALFORMED || w->link.l3)
		refuse(w, STAT_ND_REFUSED, STAT_RX_DROP_ND);
	else if (kind == ICMP_SOLICIT)
		solicited(w, frame, flow, icmp);
	else
		advertised(w, icmp);
}

/* ---- Time ------------------------------------------------------------------------------------------------- */

static void expire(struct hf_worker *w, struct neigh *n)
{
	switch (neigh_expire(&w->neighbours, n, tcp_after(&w->host, ASK_MS))) {
	case NEIGH_ASK:
		ask(w, n);
		break;
	case NEIGH_FAIL:
		count(w, STAT_NEIGHBOUR_FAILED);
		drop_waiting(w, n);
		opener_fail(w);
		break;
	case NEIGH_GONE:
		if (n->state == NEIGH_FAILED && w->opener_left > 0) /* not all have heard of it */
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
	opener_turn(w);
	return any;
}

void neigh_drop_all(struct hf_worker *w)
{
	for (uint32_t i = 0; i < w->neighbours.size; i++)
		while (w->neighbours.at[i].waiting > 0)
			rte_pktmbuf_free(take_waiting(w, &w->neighbours.at[i]));
}

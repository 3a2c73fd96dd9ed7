/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is said between neighbours (RFC 826; RFC 4861 4.3, 4.4, 7.2): we ask for theirs, answer for our
 * addresses within a budget (HF-RL5), and learn what was asked for, no more (RFC826-c).
 */
#include "io/neigh.h"
#include "wire/arp.h"
#include "wire/octets.h"

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static bool same_mac(const uint8_t a[6], const uint8_t b[6])
{
	return memcmp(a, b, 6) == 0;
}

bool neigh_is_station(const struct hf_worker *w, const uint8_t mac[6])
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

void neigh_ask(struct hf_worker *w, const struct neigh *n)
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

/* ---- What neighbours say -------------------------------------------------------------------------------- */

bool neigh_hear(struct hf_worker *w, uint8_t version, const uint32_t address[4], const uint8_t *mac,
		unsigned word)
{
	struct neigh *const n = neigh_find(&w->neighbours, version, address);

	if (n == NULL || !neigh_learn(n, mac, word, w->host.now_ms))
		return false;
	neigh_pass_waiting(w, n);
	return true;
}

/* @return whether anything was learned, here or maybe by a worker that shares the device */
static bool learn(struct hf_worker *w, uint8_t version, const uint32_t address[4],
		  const uint8_t *mac, unsigned word)
{
	const bool learned = neigh_hear(w, version, address, mac, word);

	if (w->steer == NULL)
		return learned;
	steer_tell(w, version, address, mac, word);
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
	    !neigh_is_station(w, arp.sender_mac)) {
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

	if (!neigh_is_station(w, asker) || !is_ours(w, 6, icmp->target)) {
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

	if (icmp->flags & ND_SOLICITED)
		word |= NEIGH_SOLICITED;
	if (icmp->flags & ND_OVERRIDE)
		word |= NEIGH_OVERRIDE;
	if (!learn(w, 6, icmp->target, icmp->has_mac ? icmp->mac : NULL, word))
		refuse(w, STAT_ND_REFUSED, STAT_RX_DROP_ND);
	else
		count(w, STAT_RX_CONSUMED);
}

/* The address is kept, as RFC 5227 2.4 (a) has it. */
static bool claims_ours(const struct hf_worker *w, const struct flow *flow, enum icmp_kind kind,
			const struct icmp *icmp)
{
	return is_ours(w, 6, flow->v6.remote) ||
	       (kind == ICMP_ADVERTISE && is_ours(w, 6, icmp->target));
}

void neigh_nd(struct hf_worker *w, const uint8_t *frame, const struct flow *flow,
	      enum icmp_kind kind, const struct icmp *icmp)
{
	count(w, STAT_ND_IN);
	if (kind == ICMP_ND_MALFORMED || w->link.l3 ||
	    (icmp->has_mac && !neigh_is_station(w, icmp->mac)))
		refuse(w, STAT_ND_REFUSED, STAT_RX_DROP_ND);
	else if (claims_ours(w, flow, kind, icmp))
		refuse(w, STAT_ARP_CONFLICT, STAT_RX_DROP_ND);
	else if (kind == ICMP_SOLICIT)
		solicited(w, frame, flow, icmp);
	else
		advertised(w, icmp);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* One pass over a frame, layer by layer, each check with its reason. usual.c has taken most frames before. */
#include "wire/parse.h"

#include "wire/csum.h"
#include "wire/ext6.h"
#include "wire/frame.h"
#include "wire/judge.h"
#include "wire/octets.h"
#include "wire/opts.h"

/* A frame on its way through the layers. */
struct walk {
	const struct wire_config *c;
	const struct wire_piece *pieces;
	unsigned n, hints;
	const uint8_t *frame;
	uint32_t have;	  /* octets in the first piece */
	uint32_t total;	  /* octets in all pieces */
	uint32_t at;	  /* where the next layer begins */
	uint32_t len;	  /* its octets, once IP has said so */
	uint32_t pseudo;  /* sum of the pseudo-header */
	uint16_t type;	  /* EtherType */
	uint8_t protocol; /* of IP */
	bool group;	  /* the frame's destination is a broadcast or multicast address */
};

static enum wire_kind drop(struct wire_in *in, enum stat why)
{
	in->drop = why;
	return WIRE_DROP;
}

/* Too little is here for len octets of header: a short frame, or a chain that cuts it in two. */
static bool refuse_short(const struct walk *w, struct wire_in *in, uint32_t len)
{
	return refuse(in, w->total >= w->at + len ? STAT_RX_DROP_CHAIN : STAT_RX_DROP_ETH);
}

/* Sum of len octets from offset at of the first piece on, through as many pieces as it takes. */
static uint32_t sum_pieces(const struct walk *w, uint32_t at, uint32_t len)
{
	uint32_t sum = 0, done = 0;

	for (unsigned i = 0; i < w->n && done < len; i++) {
		const struct wire_piece *p = &w->pieces[i];
		const uint32_t take = p->len - at < len - done ? p->len - at : len - done;
		const uint32_t part = csum_partial(p->octets + at, take);

		sum = csum_add(sum, done & 1 ? csum_odd(part) : part);
		done += take;
		at = 0;
	}
	return sum;
}

/* RFC 9293 3.1. The checksum comes first: no field of a damaged segment is believed (MUST-3). */
static enum wire_kind parse_tcp(const struct walk *w, struct wire_in *in)
{
	const uint32_t at = w->at, len = w->len;
	const uint8_t *tcp = w->frame + at;
	struct seg *seg = &in->seg;
	uint32_t ports, sum, header;

	if (unlikely(len < TCP_LEN))
		return drop(in, STAT_RX_DROP_TCP_LEN);
	if (unlikely(at + TCP_LEN > w->have))
		return drop(in, STAT_RX_DROP_CHAIN);
	if (!(w->hints & (WIRE_L4_GOOD | WIRE_L4_BAD))) {
		sum = at + len <= w->have ? csum_partial(tcp, len) : sum_pieces(w, at, len);
		if (unlikely(csum_fold(csum_add(sum, w->pseudo)) != 0xffff))
			return drop(in, STAT_RX_DROP_TCP_CSUM);
	} else if (unlikely(w->hints & WIRE_L4_BAD)) {
		return drop(in, STAT_RX_DROP_TCP_CSUM);
	}
	header = (uint32_t)(tcp[12] >> 4) * 4;
	if (unlikely(header < TCP_LEN || header > len)) /* HF-T1 */
		return drop(in, STAT_RX_DROP_TCP_LEN);
	if (unlikely(at + header > w->have))
		return drop(in, STAT_RX_DROP_CHAIN);
	ports = get32(tcp);
	if (unlikely(ports <= 0xffff || (uint16_t)ports == 0)) /* HF-T2 */
		return drop(in, STAT_RX_DROP_PORT0);
	flow_set_ports(&in->flow, (uint16_t)ports, (uint16_t)(ports >> 16));
	seg->seq = get32(tcp + 4);
	seg->ack = get32(tcp + 8);
	seg->flags = tcp[13]; /* the reserved bits stay behind in octet 12 */
	seg->wnd = get16(tcp + 14);
	seg->up = get16(tcp + 18);
	seg->text_len = (uint16_t)(len - header);
	seg->len = len - header + (seg->flags & SEG_FIN) + (seg->flags >> 1 & 1);
	in->text_offset = at + header;
	in->text_len = len - header;
	in->opt_bad = !opts_parse(tcp + TCP_LEN, header - TCP_LEN, seg);
	if (unlikely((in->tos & ECN_CE) == ECN_CE))
		seg->options |= OPT_CE;
	return WIRE_TCP;
}

/* An ICMP or ARP message is io/'s to judge, but only in one piece. */
static enum wire_kind parse_message(const struct walk *w, enum wire_kind kind, struct wire_in *in)
{
	if (w->at + w->len > w->have)
		return drop(in, STAT_RX_DROP_CHAIN);
	if (kind != WIRE_ARP)
		flow_set_ports(&in->flow, 0, 0);
	in->text_offset = w->at;
	in->text_len = w->len;
	return kind;
}

/* RFC 791 3.1: a bounded walk, for source routes and bad lengths only (MUST-50, HF-IP3). */
static bool options4_pass(const uint8_t *o, uint32_t len, struct wire_in *in)
{
	uint32_t at = 0;

	while (at < len && o[at] != 0) {
		if (o[at] == 1) {
			at++;
			continue;
		}
		if (len - at < 2 || o[at + 1] < 2 || o[at + 1] > len - at)
			return refuse(in, STAT_RX_DROP_IP_OPT);
		if (o[at] == 131 || o[at] == 137) /* loose, strict source and record route */
			return refuse(in, STAT_RX_DROP_IP_SRCROUTE);
		at += o[at + 1];
	}
	return true;
}

/* RFC 791 3.1. The header checksum is verified as soon as the header's own length is known. */
static bool parse_ipv4(struct walk *w, struct wire_in *in)
{
	const uint8_t *ip = w->frame + w->at;
	uint32_t header = IPV4_LEN, len, src, dst, sum;

	if (unlikely(w->have < w->at + IPV4_LEN))
		return refuse_short(w, in, IPV4_LEN);
	if (unlikely(ip[0] != 0x45)) {
		header = (uint32_t)(ip[0] & 0xf) * 4;
		if (ip[0] >> 4 != 4 || header < IPV4_LEN || w->at + header > w->total)
			return refuse(in, STAT_RX_DROP_IP_LEN);
		if (w->at + header > w->have)
			return refuse(in, STAT_RX_DROP_CHAIN);
	}
	if (!(w->hints & (WIRE_IP_GOOD | WIRE_IP_BAD))) {
		sum = csum_add(csum_partial(ip, IPV4_LEN),
			       csum_partial(ip + IPV4_LEN, header - IPV4_LEN));
		if (unlikely(csum_fold(sum) != 0xffff))
			return refuse(in, STAT_RX_DROP_IP_CSUM);
	} else if (unlikely(w->hints & WIRE_IP_BAD)) {
		return refuse(in, STAT_RX_DROP_IP_CSUM);
	}
	len = get16(ip + 2);
	if (unlikely(len < header || w->at + len > w->total))
		return refuse(in, STAT_RX_DROP_IP_LEN);
	if (unlikely(header > IPV4_LEN) && !options4_pass(ip + IPV4_LEN, header - IPV4_LEN, in))
		return false;
	if (unlikely(get16(ip + 6) & IPV4_MF_OFFSET))
		return refuse(in, STAT_RX_DROP_FRAG);
	if (unlikely(ip[8] == 0))
		return refuse(in, STAT_RX_DROP_TTL);
	src = load32(ip + 12);
	dst = load32(ip + 16);
	if (unlikely(!addresses4_pass(w->c, be32(src), be32(dst), in)))
		return false;
	if (unlikely(w->group)) /* MUST-57, RFC 1122 3.3.6 */
		return refuse(in, STAT_RX_DROP_GROUP);
	in->flow.version = 4;
	in->flow.v4.local = dst;
	in->flow.v4.remote = src;
	in->ttl = ip[8];
	in->tos = ip[1];
	in->group = false;
	w->at += header;
	w->len = len - header;
	w->pseudo = csum_pseudo4(src, dst, PROTOCOL_TCP, (uint16_t)w->len);
	w->protocol = ip[9];
	return true;
}

static bool ours6(const struct wire_config *c, const uint8_t *address)
{
	const uint64_t high = be64(load64(address)), low = be64(load64(address + 8));

	for (unsigned i = 0; i < c->ranges6; i++)
		if (high == c->range6[i].high && low - c->range6[i].low < c->range6[i].count)
			return true;
	return false;
}

/* RFC 4291 2: not multicast, unspecified, loopback or IPv4-mapped. */
static bool source6_valid(const uint8_t *src)
{
	const uint64_t low = be64(load64(src + 8));

	if (src[0] == 0xff)
		return false;
	return load64(src) != 0 || (low > 1 && low >> 32 != 0xffff);
}

/* :: asks whether an address is taken (RFC 4862 5.4.2). */
static bool unspecified6(const uint8_t *address)
{
	return (load64(address) | load64(address + 8)) == 0;
}

/* Neighbour discovery, by which another station tells that it has an address of ours: from that address. */
static bool may_be_claim(const struct walk *w, const struct ext6 *ext)
{
	return ext->next == PROTOCOL_ICMP6 && ext->at < w->have &&
	       (w->frame[ext->at] == ND_SOLICIT || w->frame[ext->at] == ND_ADVERTISE);
}

/* RFC 8200 3. Groups may be the destination of ICMPv6 only: neighbour discovery lives there. */
static bool parse_ipv6(struct walk *w, struct wire_in *in)
{
	const uint8_t *ip = w->frame + w->at, *src = ip + 8, *dst = ip + 24;
	struct ext6 ext = { .at = w->at + IPV6_LEN };
	uint32_t end;

	if (unlikely(w->have < ext.at))
		return refuse_short(w, in, IPV6_LEN);
	end = ext.at + get16(ip + 4);
	if (unlikely(ip[0] >> 4 != 6 || end > w->total))
		return refuse(in, STAT_RX_DROP_IP_LEN);
	if (unlikely(ip[7] == 0))
		return refuse(in, STAT_RX_DROP_TTL);
	ext.next = ip[6];
	if (unlikely(ext.next != PROTOCOL_TCP) && !ext6_walk(&ext, w->frame, end, w->have))
		return refuse(in, ext.drop);
	if (unlikely(ours6(w->c, src)) && !may_be_claim(w, &ext))
		return refuse(in, STAT_RX_DROP_LAND);
	if (unlikely(!source6_valid(src)) && !(ext.next == PROTOCOL_ICMP6 && unspecified6(src)))
		return refuse(in, STAT_RX_DROP_IP_ADDR);
	in->group = dst[0] == 0xff;
	if (unlikely(in->group)) {
		if (ext.next != PROTOCOL_ICMP6)
			return refuse(in, STAT_RX_DROP_GROUP);
	} else if (unlikely(!ours6(w->c, dst))) {
		return refuse(in, STAT_RX_DROP_NOT_OURS);
	} else if (unlikely(w->group)) {
		return refuse(in, STAT_RX_DROP_GROUP);
	}
	in->flow.version = 6;
	memcpy(in->flow.v6.remote, src, 16);
	memcpy(in->flow.v6.local, dst, 16);
	in->ttl = ip[7];
	in->tos = (uint8_t)(get16(ip) >> 4);
	in->fragment = ext.fragment;
	w->at = ext.at;
	w->len = end - ext.at;
	w->pseudo =
		csum_pseudo6(in->flow.v6.remote, in->flow.v6.local, PROTOCOL_TCP, (uint16_t)w->len);
	w->protocol = ext.next;
	return true;
}

/* The station the frame is for: us, a group, or another (HF-E2). Its tag (HF-E3), its type. */
static bool parse_ether(struct walk *w, struct wire_in *in)
{
	const uint8_t *f = w->frame;

	if (unlikely(w->have < ETHER_LEN))
		return refuse_short(w, in, ETHER_LEN);
	if (unlikely(load32(f) != load32(w->c->mac) || load16(f + 4) != load16(w->c->mac + 4))) {
		w->group = f[0] & 1;
		if (!w->group)
			return refuse(in, STAT_RX_DROP_MAC);
	}
	w->at = ETHER_LEN;
	w->type = get16(f + 12);
	if (unlikely(w->c->vlan != 0)) {
		if (w->type != ETHERTYPE_VLAN)
			return refuse(in, STAT_RX_DROP_VLAN);
		if (w->have < ETHER_LEN + VLAN_LEN)
			return refuse_short(w, in, VLAN_LEN);
		if ((get16(f + 14) & 0xfff) != w->c->vlan)
			return refuse(in, STAT_RX_DROP_VLAN);
		w->at += VLAN_LEN;
		w->type = get16(f + 16);
	}
	if (unlikely(w->type == ETHERTYPE_VLAN || w->type == ETHERTYPE_QINQ))
		return refuse(in, STAT_RX_DROP_VLAN);
	return true;
}

static bool parse_arp(struct walk *w, struct wire_in *in)
{
	if (w->have < w->at + ARP_LEN)
		return refuse_short(w, in, ARP_LEN);
	in->group = w->group;
	w->len = ARP_LEN;
	return true;
}

/* What the frame carries, when it bears no EtherType. */
static uint16_t type_l3(const struct walk *w)
{
	return w->have > 0 && w->frame[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
}

enum wire_kind wire_walk(const struct wire_config *c, const struct wire_piece *pieces, unsigned n,
			 unsigned hints, struct wire_in *in)
{
	struct walk w = {
		.c = c,
		.pieces = pieces,
		.n = n,
		.hints = hints,
		.frame = pieces[0].octets,
		.have = pieces[0].len,
		.total = pieces[0].len,
	};

	for (unsigned i = 1; i < n; i++)
		w.total += pieces[i].len;
	if (c->l3)
		w.type = type_l3(&w);
	else if (!parse_ether(&w, in))
		return WIRE_DROP;
	if (w.type == ETHERTYPE_IPV4) {
		if (!parse_ipv4(&w, in))
			return WIRE_DROP;
	} else if (w.type == ETHERTYPE_IPV6) {
		if (!parse_ipv6(&w, in))
			return WIRE_DROP;
	} else if (w.type == ETHERTYPE_ARP) {
		return parse_arp(&w, in) ? parse_message(&w, WIRE_ARP, in) : WIRE_DROP;
	} else {
		return drop(in, STAT_RX_DROP_ETH);
	}
	if (w.protocol == PROTOCOL_TCP)
		return parse_tcp(&w, in);
	if (w.protocol == PROTOCOL_ICMP && in->flow.version == 4)
		return parse_message(&w, WIRE_ICMP, in);
	if (w.protocol == PROTOCOL_ICMP6 && in->flow.version == 6)
		return parse_message(&w, WIRE_ICMP6, in);
	return drop(in, STAT_RX_DROP_PROTO);
}

bool wire_config_range(struct wire_config *c, uint8_t version, const uint8_t *first, uint32_t count,
		       unsigned subnet_bits)
{
	if (count == 0)
		return false;
	if (version == 6) {
		const uint64_t low = be64(load64(first + 8));

		if (c->ranges6 == WIRE_RANGES || low + (count - 1) < low)
			return false;
		c->range6[c->ranges6].high = be64(load64(first));
		c->range6[c->ranges6].low = low;
		c->range6[c->ranges6++].count = count;
	} else {
		const uint32_t low = get32(first);

		if (c->ranges4 == WIRE_RANGES || low + (count - 1) < low || subnet_bits > 32)
			return false;
		c->range4[c->ranges4].first = low;
		c->range4[c->ranges4].count = count;
		/* A /31 and a /32 have none (RFC 3021). */
		c->range4[c->ranges4++].broadcast =
			subnet_bits == 0 || subnet_bits > 30 ? 0 : low | UINT32_MAX >> subnet_bits;
	}
	return true;
}

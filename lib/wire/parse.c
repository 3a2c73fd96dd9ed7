/* SPDX-License-Identifier: BSD-3-Clause */
/* One pass over a frame. The usual one (IPv4, no IP options, one piece, TS) falls through all checks. */
#include "wire/parse.h"

#include "wire/csum.h"
#include "wire/ext6.h"
#include "wire/frame.h"
#include "wire/octets.h"
#include "wire/opts.h"

#define unlikely(x) __builtin_expect(!!(x), 0)

/* A frame on its way through the layers. */
struct walk {
	const struct wire_config *c;
	const struct wire_piece *pieces;
	unsigned n, hints;
	const uint8_t *frame;
	uint32_t have;	/* octets in the first piece */
	uint32_t total; /* octets in all pieces */
};

static enum wire_kind drop(struct wire_in *in, enum stat why)
{
	in->drop = why;
	return WIRE_DROP;
}

/* Too little is here for a header: the frame was short, or a chain cut the header in two. */
static enum wire_kind drop_short(const struct walk *w, struct wire_in *in, uint32_t need, enum stat why)
{
	return drop(in, w->total >= need ? STAT_RX_DROP_CHAIN : why);
}

/* Sum of len octets from frame offset at on, through as many pieces as it takes. */
static uint32_t sum_pieces(const struct walk *w, uint32_t at, uint32_t len)
{
	uint32_t sum = 0, done = 0;

	for (unsigned i = 0; i < w->n && done < len; i++) {
		const struct wire_piece *p = &w->pieces[i];
		uint32_t part, take;

		if (at >= p->len) {
			at -= p->len;
			continue;
		}
		take = p->len - at < len - done ? p->len - at : len - done;
		part = csum_partial(p->octets + at, take);
		sum = csum_add(sum, done & 1 ? csum_odd(part) : part);
		done += take;
		at = 0;
	}
	return sum;
}

/* RFC 9293 3.1. The segment's len octets begin at frame offset at; pseudo is the pseudo-header's sum.
 * The checksum is verified first, so that no field of a damaged segment is believed (MUST-3). */
static enum wire_kind parse_tcp(const struct walk *w, uint32_t at, uint32_t len, uint32_t pseudo,
				struct wire_in *in)
{
	const uint8_t *tcp = w->frame + at;
	struct seg *seg = &in->seg;
	uint32_t ports, sum, header;

	if (unlikely(len < TCP_LEN))
		return drop(in, STAT_RX_DROP_TCP_LEN);
	if (unlikely(at + TCP_LEN > w->have))
		return drop(in, STAT_RX_DROP_CHAIN);
	if (!(w->hints & (WIRE_L4_GOOD | WIRE_L4_BAD))) {
		sum = at + len <= w->have ? csum_partial(tcp, len) : sum_pieces(w, at, len);
		if (unlikely(csum_fold(csum_add(sum, pseudo)) != 0xffff))
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
	if (in->flow.version == 4) {
		in->flow.v4.local_port = (uint16_t)ports;
		in->flow.v4.remote_port = (uint16_t)(ports >> 16);
	} else {
		in->flow.v6.local_port = (uint16_t)ports;
		in->flow.v6.remote_port = (uint16_t)(ports >> 16);
	}
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
	return WIRE_TCP;
}

/* An ICMP or ARP message is io/'s to judge, but only in one piece. */
static enum wire_kind message(const struct walk *w, enum wire_kind kind, uint32_t at, uint32_t len,
			      struct wire_in *in)
{
	if (at + len > w->have)
		return drop(in, STAT_RX_DROP_CHAIN);
	in->text_offset = at;
	in->text_len = len;
	return kind;
}

/* RFC 791 3.1: a bounded walk, for source routes and bad lengths only (MUST-50, HF-IP3). */
static bool options4(const uint8_t *o, uint32_t len, struct wire_in *in)
{
	uint32_t at = 0;

	while (at < len && o[at] != 0) {
		if (o[at] == 1) {
			at++;
			continue;
		}
		if (len - at < 2 || o[at + 1] < 2 || o[at + 1] > len - at) {
			in->drop = STAT_RX_DROP_IP_OPT;
			return false;
		}
		if (o[at] == 131 || o[at] == 137) { /* loose, strict source and record route */
			in->drop = STAT_RX_DROP_IP_SRCROUTE;
			return false;
		}
		at += o[at + 1];
	}
	return true;
}

/* RFC 1122 3.2.1.3: 0/8, 127/8, 224/4, 240/4 send nothing. */
static bool source4_valid(const struct wire_config *c, uint32_t src)
{
	const uint32_t net = src >> 24;

	if (net - 1 < 126 || net - 128 < 96)
		return true;
	return c->accept_reserved && (net == 127 || net >= 240) && src != UINT32_MAX;
}

/* Both addresses against the ranges that are ours, and the source on its own. */
static bool addresses4(const struct wire_config *c, uint32_t src, uint32_t dst, struct wire_in *in)
{
	bool ours = false;

	in->drop = STAT_RX_DROP_NOT_OURS;
	for (unsigned i = 0; i < c->ranges4; i++) {
		const uint32_t first = c->range4[i].first, count = c->range4[i].count;
		const uint32_t broadcast = c->range4[i].broadcast;

		if (unlikely(src - first < count)) {
			in->drop = STAT_RX_DROP_LAND; /* HF-IP1 */
			return false;
		}
		if (unlikely(src == broadcast)) {
			in->drop = STAT_RX_DROP_IP_ADDR;
			return false;
		}
		if (dst - first < count)
			ours = true;
		else if (dst == broadcast)
			in->drop = STAT_RX_DROP_GROUP;
	}
	if (unlikely(!ours)) {
		if (dst >> 28 == 0xe || dst == UINT32_MAX)
			in->drop = STAT_RX_DROP_GROUP;
		return false;
	}
	in->drop = STAT_RX_DROP_IP_ADDR;
	return source4_valid(c, src);
}

/* RFC 791 3.1. The header checksum is verified as soon as its own length is known. */
static enum wire_kind parse_ipv4(const struct walk *w, uint32_t at, bool group, struct wire_in *in)
{
	const uint8_t *ip = w->frame + at;
	uint32_t header, len, src, dst;

	if (unlikely(w->have < at + IPV4_LEN))
		return drop_short(w, in, at + IPV4_LEN, STAT_RX_DROP_ETH);
	header = (uint32_t)(ip[0] & 0xf) * 4;
	if (unlikely(ip[0] != 0x45)) {
		if (ip[0] >> 4 != 4 || header < IPV4_LEN || at + header > w->total)
			return drop(in, STAT_RX_DROP_IP_LEN);
		if (at + header > w->have)
			return drop(in, STAT_RX_DROP_CHAIN);
	}
	if (unlikely(w->hints & WIRE_IP_BAD))
		return drop(in, STAT_RX_DROP_IP_CSUM);
	if (!(w->hints & WIRE_IP_GOOD) && unlikely(csum_fold(csum_partial(ip, header)) != 0xffff))
		return drop(in, STAT_RX_DROP_IP_CSUM);
	len = get16(ip + 2);
	if (unlikely(len < header || at + len > w->total))
		return drop(in, STAT_RX_DROP_IP_LEN);
	if (unlikely(header > IPV4_LEN) && !options4(ip + IPV4_LEN, header - IPV4_LEN, in))
		return WIRE_DROP;
	if (unlikely(get16(ip + 6) & IPV4_MF_OFFSET))
		return drop(in, STAT_RX_DROP_FRAG);
	if (unlikely(ip[8] == 0))
		return drop(in, STAT_RX_DROP_TTL);
	src = load32(ip + 12);
	dst = load32(ip + 16);
	if (unlikely(!addresses4(w->c, be32(src), be32(dst), in)))
		return WIRE_DROP;
	if (unlikely(group)) /* MUST-57, RFC 1122 3.3.6 */
		return drop(in, STAT_RX_DROP_GROUP);
	in->flow.version = 4;
	in->flow.v4.local = dst;
	in->flow.v4.remote = src;
	in->l3_offset = at;
	in->ttl = ip[8];
	in->tos = ip[1];
	in->group = false;
	len -= header;
	if (ip[9] == PROTOCOL_TCP)
		return parse_tcp(w, at + header, len,
				 csum_pseudo4(src, dst, PROTOCOL_TCP, (uint16_t)len), in);
	if (ip[9] != PROTOCOL_ICMP)
		return drop(in, STAT_RX_DROP_PROTO);
	in->flow.v4.local_port = in->flow.v4.remote_port = 0;
	return message(w, WIRE_ICMP, at + header, len, in);
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

/* RFC 8200 3. Groups may be the destination of ICMPv6 only: neighbour discovery lives there. */
static enum wire_kind parse_ipv6(const struct walk *w, uint32_t at, bool group, struct wire_in *in)
{
	const uint8_t *ip = w->frame + at, *src = ip + 8, *dst = ip + 24;
	struct ext6 ext = { .at = at + IPV6_LEN };
	uint32_t end;

	if (unlikely(w->have < at + IPV6_LEN))
		return drop_short(w, in, at + IPV6_LEN, STAT_RX_DROP_ETH);
	end = at + IPV6_LEN + get16(ip + 4);
	if (unlikely(ip[0] >> 4 != 6 || end > w->total))
		return drop(in, STAT_RX_DROP_IP_LEN);
	if (unlikely(ip[7] == 0))
		return drop(in, STAT_RX_DROP_TTL);
	if (unlikely(ours6(w->c, src)))
		return drop(in, STAT_RX_DROP_LAND);
	ext.next = ip[6];
	if (unlikely(ext.next != PROTOCOL_TCP) && !ext6_walk(&ext, w->frame, end, w->have))
		return drop(in, ext.drop);
	if (unlikely(!source6_valid(src)) && !(ext.next == PROTOCOL_ICMP6 && unspecified6(src)))
		return drop(in, STAT_RX_DROP_IP_ADDR);
	if (unlikely(dst[0] == 0xff)) {
		if (ext.next != PROTOCOL_ICMP6)
			return drop(in, STAT_RX_DROP_GROUP);
	} else if (unlikely(!ours6(w->c, dst))) {
		return drop(in, STAT_RX_DROP_NOT_OURS);
	} else if (unlikely(group)) {
		return drop(in, STAT_RX_DROP_GROUP);
	}
	in->flow.version = 6;
	memcpy(in->flow.v6.remote, src, 16);
	memcpy(in->flow.v6.local, dst, 16);
	in->l3_offset = at;
	in->ttl = ip[7];
	in->tos = (uint8_t)(get16(ip) >> 4);
	in->group = dst[0] == 0xff;
	if (ext.next == PROTOCOL_TCP) {
		const struct tuple6 *t = &in->flow.v6;

		return parse_tcp(w, ext.at, end - ext.at,
				 csum_pseudo6(t->remote, t->local, PROTOCOL_TCP,
					      (uint16_t)(end - ext.at)),
				 in);
	}
	if (ext.next != PROTOCOL_ICMP6)
		return drop(in, STAT_RX_DROP_PROTO);
	in->flow.v6.local_port = in->flow.v6.remote_port = 0;
	return message(w, WIRE_ICMP6, ext.at, end - ext.at, in);
}

/* The station the frame is for: us, a group, or another (HF-E2). */
static enum wire_kind parse_ether(const struct walk *w, struct wire_in *in)
{
	const uint8_t *f = w->frame;
	uint32_t at = ETHER_LEN;
	bool group = false;
	uint16_t type;

	if (unlikely(w->have < ETHER_LEN))
		return drop_short(w, in, ETHER_LEN, STAT_RX_DROP_ETH);
	if (unlikely(load32(f) != load32(w->c->mac) || load16(f + 4) != load16(w->c->mac + 4))) {
		group = f[0] & 1;
		if (!group)
			return drop(in, STAT_RX_DROP_MAC);
	}
	type = get16(f + 12);
	if (unlikely(w->c->vlan != 0)) {
		if (type != ETHERTYPE_VLAN)
			return drop(in, STAT_RX_DROP_VLAN);
		at += VLAN_LEN;
		if (w->have < at)
			return drop_short(w, in, at, STAT_RX_DROP_ETH);
		if ((get16(f + 14) & 0xfff) != w->c->vlan)
			return drop(in, STAT_RX_DROP_VLAN);
		type = get16(f + 16);
	}
	switch (type) {
	case ETHERTYPE_IPV4:
		return parse_ipv4(w, at, group, in);
	case ETHERTYPE_IPV6:
		return parse_ipv6(w, at, group, in);
	case ETHERTYPE_ARP:
		if (w->have < at + ARP_LEN)
			return drop_short(w, in, at + ARP_LEN, STAT_RX_DROP_ETH);
		in->l3_offset = at;
		in->group = group;
		return message(w, WIRE_ARP, at, ARP_LEN, in);
	case ETHERTYPE_VLAN:
	case ETHERTYPE_QINQ:
		return drop(in, STAT_RX_DROP_VLAN);
	}
	return drop(in, STAT_RX_DROP_ETH);
}

enum wire_kind wire_parse(const struct wire_config *c, const struct wire_piece *pieces, unsigned n,
			  unsigned hints, struct wire_in *in)
{
	struct walk w = { c, pieces, n, hints, pieces[0].octets, pieces[0].len, pieces[0].len };

	for (unsigned i = 1; i < n; i++)
		w.total += pieces[i].len;
	if (!c->l3)
		return parse_ether(&w, in);
	if (unlikely(w.have < 1))
		return drop_short(&w, in, 1, STAT_RX_DROP_ETH);
	if (w.frame[0] >> 4 == 6)
		return parse_ipv6(&w, 0, false, in);
	return parse_ipv4(&w, 0, false, in);
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

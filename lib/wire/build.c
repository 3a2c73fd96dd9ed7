/* SPDX-License-Identifier: BSD-3-Clause */
/* Each header is written once, front to back, and summed on the way: nothing is read back. */
#include "wire/build.h"

#include "wire/csum.h"
#include "wire/frame.h"
#include "wire/octets.h"
#include "wire/opts.h"

static uint32_t ether_len(const struct wire_link *link)
{
	if (link->l3)
		return 0;
	return link->vlan == 0 ? ETHER_LEN : ETHER_LEN + VLAN_LEN;
}

static uint8_t *put_ether(uint8_t *p, const struct wire_link *link, uint16_t type)
{
	if (link->l3)
		return p;
	memcpy(p, link->dst_mac, 6);
	memcpy(p + 6, link->src_mac, 6);
	p += 12;
	if (link->vlan != 0) {
		put32(p, (uint32_t)ETHERTYPE_VLAN << 16 | link->vlan);
		p += VLAN_LEN;
	}
	put16(p, type);
	return p + 2;
}

/* RFC 791 3.1. len counts what follows the header. */
static inline void put_ipv4(uint8_t *p, uint8_t tos, const struct tuple4 *t, uint8_t protocol,
			    uint8_t ttl, uint32_t len, unsigned offload)
{
	uint64_t sum = (uint64_t)t->local + t->remote;
	uint16_t check = 0;

	sum += put32(p, UINT32_C(0x45) << 24 | (uint32_t)tos << 16 | (IPV4_LEN + len));
	sum += put32(p + 4, IPV4_DF);
	sum += be32((uint32_t)ttl << 24 | (uint32_t)protocol << 16);
	if (!(offload & WIRE_OFFLOAD_IP))
		check = csum_make(sum);
	p[8] = ttl;
	p[9] = protocol;
	store16(p + 10, check);
	store32(p + 12, t->local);
	store32(p + 16, t->remote);
}

/* RFC 8200 3. */
static inline void put_ipv6(uint8_t *p, uint8_t tos, const struct tuple6 *t, uint8_t protocol,
			    uint8_t ttl, uint32_t len)
{
	put32(p, UINT32_C(6) << 28 | (uint32_t)tos << 20);
	put32(p + 4, len << 16 | (uint32_t)protocol << 8 | ttl);
	memcpy(p + 8, t->local, 16);
	memcpy(p + 24, t->remote, 16);
}

/* RFC 9293 3.1. ports: ours in the high half. pseudo: the pseudo-header's sum, its length apart. */
static uint32_t put_tcp(uint8_t *p, uint32_t ports, const struct seg *seg, uint32_t pseudo,
			uint32_t text_sum, unsigned offload)
{
	uint64_t sum = put32(p, ports);
	uint32_t len;

	sum += put32(p + 4, seg->seq);
	sum += put32(p + 8, seg->ack);
	len = TCP_LEN + opts_build(seg, p + TCP_LEN, &sum);
	sum += put32(p + 12, len << 26 | (uint32_t)seg->flags << 16 | seg->wnd);
	sum += be16(seg->up);
	put16(p + 18, seg->up);
	if (!(offload & WIRE_OFFLOAD_TSO))
		pseudo = csum_add(pseudo, be16((uint16_t)(len + seg->text_len)));
	if (offload & WIRE_OFFLOAD_L4)
		store16(p + 16, csum_fold(pseudo));
	else
		store16(p + 16, csum_make(sum + pseudo + text_sum));
	return len;
}

uint32_t wire_header_len(const struct wire_link *link, uint8_t version, const struct seg *seg)
{
	return ether_len(link) + (version == 4 ? IPV4_LEN : IPV6_LEN) + TCP_LEN + opts_len(seg);
}

uint32_t wire_build_any(uint8_t *frame, const struct wire_link *link, const struct flow *flow,
			const struct seg *seg, uint32_t text_sum, unsigned offload)
{
	const uint8_t tos = link->tos | (seg->options & OPT_ECT ? ECN_ECT0 : 0);
	uint8_t *ip, *tcp;
	uint32_t ports, pseudo, len;

	if (flow->version == 4) {
		const struct tuple4 *t = &flow->v4;

		ip = put_ether(frame, link, ETHERTYPE_IPV4);
		tcp = ip + IPV4_LEN;
		ports = (uint32_t)t->local_port << 16 | t->remote_port;
		pseudo = csum_pseudo4(t->local, t->remote, PROTOCOL_TCP, 0);
		len = put_tcp(tcp, ports, seg, pseudo, text_sum, offload);
		put_ipv4(ip, tos, t, PROTOCOL_TCP, link->ttl, len + seg->text_len, offload);
	} else {
		const struct tuple6 *t = &flow->v6;

		ip = put_ether(frame, link, ETHERTYPE_IPV6);
		tcp = ip + IPV6_LEN;
		ports = (uint32_t)t->local_port << 16 | t->remote_port;
		pseudo = csum_pseudo6(t->local, t->remote, PROTOCOL_TCP, 0);
		len = put_tcp(tcp, ports, seg, pseudo, text_sum, offload);
		put_ipv6(ip, tos, t, PROTOCOL_TCP, link->ttl, len + seg->text_len);
	}
	return (uint32_t)(tcp - frame) + len;
}

uint32_t wire_ether_build(uint8_t *frame, const struct wire_link *link, uint16_t type)
{
	return (uint32_t)(put_ether(frame, link, type) - frame);
}

uint32_t wire_ip_build(uint8_t *frame, const struct wire_link *link, const struct flow *flow,
		       uint8_t protocol, uint8_t ttl, uint32_t len)
{
	uint8_t *ip;

	if (flow->version == 4) {
		ip = put_ether(frame, link, ETHERTYPE_IPV4);
		put_ipv4(ip, link->tos, &flow->v4, protocol, ttl, len, 0);
		return (uint32_t)(ip - frame) + IPV4_LEN;
	}
	ip = put_ether(frame, link, ETHERTYPE_IPV6);
	put_ipv6(ip, link->tos, &flow->v6, protocol, ttl, len);
	return (uint32_t)(ip - frame) + IPV6_LEN;
}

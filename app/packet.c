/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of a capture, as far as `trace` prints them: link, IP with its extension headers, TCP. */
#include "packet.h"

#include <string.h>

#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_IP6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define ETHERTYPE_VLAN_9100 0x9100 /* before 802.1ad */
#define PROTOCOL_TCP 6
#define IP6_HEADER 40u
#define TCP_HEADER 20u

/* What is left of a frame; `wire` counts what the wire had of it. */
struct rest {
	const uint8_t *at;
	uint32_t here, wire;
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* @return false: that many octets are not here */
static bool skip(struct rest *r, uint32_t n)
{
	if (r->here < n)
		return false;
	r->at += n;
	r->here -= n;
	r->wire -= n;
	return true;
}

/* To the IP header. @return its EtherType, 0 when it is not here */
static uint16_t skip_link(enum packet_link link, struct rest *r)
{
	uint16_t type = 0;

	switch (link) {
	case LINK_LOOPBACK: /* IP6's number is another on each system; the header tells as well */
		if (!skip(r, 4))
			return 0;
		__attribute__((fallthrough));
	case LINK_IP:
		if (r->here > 0)
			type = r->at[0] >> 4 == 6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4;
		return type;
	case LINK_ETHERNET:
		if (!skip(r, 14))
			return 0;
		break;
	case LINK_COOKED:
		if (!skip(r, 16))
			return 0;
		break;
	case LINK_COOKED2:
		if (!skip(r, 20))
			return 0;
		break;
	}
	type = get16(r->at - (link == LINK_COOKED2 ? 20 : 2));
	while (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_VLAN_9100) {
		if (!skip(r, 4))
			return 0;
		type = get16(r->at - 2);
	}
	return type;
}

/* The packet ends where its header says: an Ethernet frame may be padded (RFC 894). */
static bool end_at(struct rest *r, uint32_t len)
{
	if (len > r->wire)
		return false;
	r->wire = len;
	r->here = r->here < len ? r->here : len;
	return true;
}

static enum packet_kind read_ip4(struct rest *r, struct packet *p)
{
	const uint8_t *const ip = r->at;
	uint32_t header, total;

	if (r->here < 20)
		return PACKET_CUT;
	header = (ip[0] & 15u) * 4;
	total = get16(ip + 2);
	if (ip[0] >> 4 != 4 || header < 20)
		return PACKET_BAD;
	if (ip[9] != PROTOCOL_TCP || (get16(ip + 6) & 0x1fff) != 0)
		return PACKET_OTHER;
	if (total == 0) /* left to a device that cuts segments: all that was handed to it */
		total = r->wire;
	if (total < header || !end_at(r, total))
		return PACKET_BAD;
	p->src.ip.version = p->dst.ip.version = 4;
	memcpy(p->src.ip.octets, ip + 12, 4);
	memcpy(p->dst.ip.octets, ip + 16, 4);
	return skip(r, header) ? PACKET_TCP : PACKET_CUT;
}

/* RFC 8200 4: hop-by-hop, routing, destination options, and a first fragment. */
static enum packet_kind skip_extensions(struct rest *r, uint8_t next)
{
	while (next != PROTOCOL_TCP) {
		const bool fragment = next == 44;

		if (next != 0 && next != 43 && next != 60 && !fragment)
			return PACKET_OTHER;
		if (r->here < 8)
			return PACKET_CUT;
		if (fragment && get16(r->at + 2) >> 3 != 0)
			return PACKET_OTHER;
		next = r->at[0];
		if (!skip(r, fragment ? 8 : (r->at[1] + 1u) * 8))
			return PACKET_CUT;
	}
	return PACKET_TCP;
}

static enum packet_kind read_ip6(struct rest *r, struct packet *p)
{
	const uint8_t *const ip = r->at;
	uint32_t total;

	if (r->here < IP6_HEADER)
		return PACKET_CUT;
	total = get16(ip + 4) ? IP6_HEADER + get16(ip + 4) : r->wire;
	if (ip[0] >> 4 != 6 || !end_at(r, total))
		return PACKET_BAD;
	p->src.ip.version = p->dst.ip.version = 6;
	memcpy(p->src.ip.octets, ip + 8, 16);
	memcpy(p->dst.ip.octets, ip + 24, 16);
	return skip(r, IP6_HEADER) ? skip_extensions(r, ip[6]) : PACKET_CUT;
}

static enum packet_kind read_tcp(struct rest *r, struct packet *p)
{
	const uint8_t *const tcp = r->at;
	uint32_t header;

	if (r->here < TCP_HEADER)
		return r->wire < TCP_HEADER ? PACKET_BAD : PACKET_CUT;
	header = (tcp[12] >> 4) * 4u;
	if (header < TCP_HEADER || header > r->wire)
		return PACKET_BAD;
	p->src.port = get16(tcp);
	p->dst.port = get16(tcp + 2);
	p->seq = get32(tcp + 4);
	p->ack = get32(tcp + 8);
	p->flags = tcp[13];
	p->window = get16(tcp + 14);
	p->urgent = get16(tcp + 18);
	p->options = tcp + TCP_HEADER;
	p->options_len = (uint8_t)(header - TCP_HEADER);
	p->options_here = (uint8_t)((r->here < header ? r->here : header) - TCP_HEADER);
	p->len = r->wire - header;
	return PACKET_TCP;
}

enum packet_kind packet_read(enum packet_link link, const uint8_t *frame, uint32_t len,
			     uint32_t wire_len, struct packet *p)
{
	struct rest r = { .at = frame, .here = len, .wire = wire_len < len ? len : wire_len };
	const uint64_t at_ns = p->at_ns;
	enum packet_kind kind;

	*p = (struct packet){ .at_ns = at_ns };
	switch (skip_link(link, &r)) {
	case ETHERTYPE_IP4:
		kind = read_ip4(&r, p);
		break;
	case ETHERTYPE_IP6:
		kind = read_ip6(&r, p);
		break;
	default:
		return PACKET_OTHER;
	}
	return kind == PACKET_TCP ? read_tcp(&r, p) : kind;
}

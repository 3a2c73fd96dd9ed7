/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP, ICMPv6, neighbour discovery and ARP as a peer sends them, octet by octet (RFC 792, RFC 4443,
 * RFC 4861 4, RFC 826). Nothing here comes from lib/wire, so that each is the other's oracle.
 */
#ifndef RIG_MESSAGE_H
#define RIG_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MESSAGE_MAX 2048
#define MESSAGE_ETHER 14
#define MESSAGE_ND 24 /* octets of a solicitation or advertisement without options */

static inline void message_put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void message_put32(uint8_t *p, uint32_t v)
{
	message_put16(p, v >> 16);
	message_put16(p + 2, v & 0xffff);
}

/* RFC 1071, a word at a time. */
static inline uint32_t message_sum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += (uint32_t)p[i] << (i & 1 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Of a whole message, its checksum included: 0xffff when that is right. src, dst: of IPv6, else ignored */
static inline uint32_t message_icmp_sum(unsigned version, const uint8_t *src, const uint8_t *dst,
					const uint8_t *body, size_t len)
{
	const uint8_t tail[4] = { (uint8_t)(len >> 8), (uint8_t)len, 0, 58 };
	uint32_t sum = 0;

	if (version == 6)
		sum = message_sum(message_sum(message_sum(0, src, 16), dst, 16), tail, 4);
	return message_sum(sum, body, len);
}

static inline void message_seal(unsigned version, const uint8_t *src, const uint8_t *dst,
				uint8_t *body, size_t len)
{
	message_put16(body + 2, 0);
	message_put16(body + 2, ~message_icmp_sum(version, src, dst, body, len) & 0xffff);
}

/* A packet of IP around a body. @return its length */
static inline size_t message_ip(uint8_t *p, unsigned version, const uint8_t *src, const uint8_t *dst,
				uint8_t protocol, uint8_t hops, const uint8_t *body, size_t len)
{
	const size_t header = version == 4 ? 20 : 40;

	memset(p, 0, header);
	if (version == 4) {
		p[0] = 0x45;
		message_put16(p + 2, (unsigned)(header + len));
		message_put16(p + 6, 0x4000);
		p[8] = hops;
		p[9] = protocol;
		memcpy(p + 12, src, 4);
		memcpy(p + 16, dst, 4);
		message_put16(p + 10, ~message_sum(0, p, 20) & 0xffff);
	} else {
		p[0] = 0x60;
		message_put16(p + 4, (unsigned)len);
		p[6] = protocol;
		p[7] = hops;
		memcpy(p + 8, src, 16);
		memcpy(p + 24, dst, 16);
	}
	memcpy(p + header, body, len);
	return header + len;
}

/* The head of a segment as an error quotes it: IP header and eight octets. @return its length */
static inline size_t message_quote(uint8_t *p, unsigned version, const uint8_t *src,
				   const uint8_t *dst, uint16_t src_port, uint16_t dst_port,
				   uint32_t seq)
{
	uint8_t tcp[8];

	message_put16(tcp, src_port);
	message_put16(tcp + 2, dst_port);
	message_put32(tcp + 4, seq);
	return message_ip(p, version, src, dst, 6, 64, tcp, sizeof(tcp));
}

/* An ICMP message that carries something, not sealed yet. @return its length */
static inline size_t message_body(uint8_t *body, uint8_t type, uint8_t code, uint32_t rest,
				  const uint8_t *carried, size_t len)
{
	body[0] = type;
	body[1] = code;
	message_put16(body + 2, 0);
	message_put32(body + 4, rest);
	memcpy(body + 8, carried, len);
	return 8 + len;
}

/* type 135 or 136; option 0: none, 1 source, 2 target link-layer address. @return its length */
static inline size_t message_nd(uint8_t *body, uint8_t type, uint8_t flags, const uint8_t *target,
				uint8_t option, const uint8_t *mac)
{
	message_body(body, type, 0, (uint32_t)flags << 24, target, 16);
	if (option == 0)
		return MESSAGE_ND;
	body[MESSAGE_ND] = option;
	body[MESSAGE_ND + 1] = 1;
	memcpy(body + MESSAGE_ND + 2, mac, 6);
	return MESSAGE_ND + 8;
}

static inline size_t message_ether(uint8_t *p, const uint8_t *to, const uint8_t *from, unsigned type)
{
	memcpy(p, to, 6);
	memcpy(p + 6, from, 6);
	message_put16(p + 12, type);
	return MESSAGE_ETHER;
}

/* A whole frame, its Ethernet source the sender's. @return its length */
static inline size_t message_arp(uint8_t *p, const uint8_t *to, unsigned op,
				 const uint8_t *sender_mac, const uint8_t *sender_ip,
				 const uint8_t *target_mac, const uint8_t *target_ip)
{
	uint8_t *const arp = p + message_ether(p, to, sender_mac, 0x0806);

	message_put16(arp, 1);
	message_put16(arp + 2, 0x0800);
	message_put16(arp + 4, 0x0604);
	message_put16(arp + 6, op);
	memcpy(arp + 8, sender_mac, 6);
	memcpy(arp + 14, sender_ip, 4);
	memcpy(arp + 18, target_mac, 6);
	memcpy(arp + 24, target_ip, 4);
	return MESSAGE_ETHER + 28;
}

#endif

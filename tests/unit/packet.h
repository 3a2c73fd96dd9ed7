/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames made octet by octet, and a checksum as RFC 1071 1 words it, for the tests of lib/wire.
 * Nothing here comes from lib/wire, so that each is the other's oracle. */
#ifndef HF_TEST_PACKET_H
#define HF_TEST_PACKET_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PACKET_MAX 2048

struct packet {
	uint8_t octets[PACKET_MAX];
	uint32_t len;	  /* of the frame */
	uint32_t ip, tcp; /* where these headers begin */
	uint32_t tcp_len; /* header, options and text */
};

/* The 16-bit one's complement sum, a word at a time, the carry brought round at once. */
static inline uint16_t slow_sum(uint16_t sum, const uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i += 2) {
		const uint32_t word = (uint32_t)p[i] << 8 | (i + 1 < len ? p[i + 1] : 0u);
		const uint32_t wide = sum + word;

		sum = (uint16_t)(wide > 0xffff ? wide - 0xffff : wide);
	}
	return sum;
}

static inline void packet_put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void packet_put32(uint8_t *p, uint32_t v)
{
	packet_put16(p, v >> 16);
	packet_put16(p + 2, v);
}

static inline bool packet_v6(const struct packet *p)
{
	return p->octets[p->ip] >> 4 == 6;
}

/* Sum of the pseudo-header and of the TCP octets as they stand (RFC 9293 3.1, RFC 8200 8.1). */
static inline uint16_t packet_tcp_sum(const struct packet *p)
{
	const uint8_t *ip = p->octets + p->ip;
	uint8_t pseudo[40] = { 0 };

	if (packet_v6(p)) {
		memcpy(pseudo, ip + 8, 32);
		packet_put32(pseudo + 32, p->tcp_len);
		pseudo[39] = 6;
	} else {
		memcpy(pseudo, ip + 12, 8);
		pseudo[9] = 6;
		packet_put16(pseudo + 10, p->tcp_len);
	}
	return slow_sum(slow_sum(0, pseudo, 40), p->octets + p->tcp, p->tcp_len);
}

static inline void packet_seal_ip(struct packet *p)
{
	uint8_t *ip = p->octets + p->ip;
	const uint32_t header = (uint32_t)(ip[0] & 0xf) * 4;

	if (packet_v6(p))
		return;
	packet_put16(ip + 10, 0);
	packet_put16(ip + 10, 0xffffu ^ slow_sum(0, ip, header));
}

/* Make both checksums right again after a change. */
static inline void packet_seal(struct packet *p)
{
	uint8_t *tcp = p->octets + p->tcp;

	packet_seal_ip(p);
	packet_put16(tcp + 16, 0);
	packet_put16(tcp + 16, 0xffffu ^ packet_tcp_sum(p));
}

static const uint8_t packet_us[6] = { 2, 0, 0, 0, 0, 1 }, packet_them[6] = { 2, 0, 0, 0, 0, 2 };
static const uint8_t packet_us4[4] = { 192, 0, 2, 1 }, packet_them4[4] = { 192, 0, 2, 9 };
static const uint8_t packet_us6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
static const uint8_t packet_them6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 9 };

/* A segment from them:1025 to us:80, SEQ 0x11223344, ACK 0x55667788, window 0x9abc, text 0, 1, 2 ...
 * options_len is a multiple of 4. l2: with an Ethernet header. */
static inline struct packet packet_make(int version, bool l2, uint8_t flags, const uint8_t *options,
					uint32_t options_len, uint32_t text_len)
{
	struct packet p = { .ip = l2 ? 14 : 0 };
	uint8_t *ip = p.octets + p.ip, *tcp;

	p.tcp = p.ip + (version == 4 ? 20u : 40u);
	p.tcp_len = 20 + options_len + text_len;
	p.len = p.tcp + p.tcp_len;
	tcp = p.octets + p.tcp;
	if (l2) {
		memcpy(p.octets, packet_us, 6);
		memcpy(p.octets + 6, packet_them, 6);
		packet_put16(p.octets + 12, version == 4 ? 0x0800 : 0x86dd);
	}
	if (version == 4) {
		ip[0] = 0x45;
		packet_put16(ip + 2, 20 + p.tcp_len);
		packet_put16(ip + 6, 0x4000);
		ip[8] = 64;
		ip[9] = 6;
		memcpy(ip + 12, packet_them4, 4);
		memcpy(ip + 16, packet_us4, 4);
	} else {
		ip[0] = 0x60;
		packet_put16(ip + 4, p.tcp_len);
		ip[6] = 6;
		ip[7] = 64;
		memcpy(ip + 8, packet_them6, 16);
		memcpy(ip + 24, packet_us6, 16);
	}
	packet_put32(tcp, 1025u << 16 | 80);
	packet_put32(tcp + 4, 0x11223344);
	packet_put32(tcp + 8, 0x55667788);
	tcp[12] = (uint8_t)((20 + options_len) << 2);
	tcp[13] = flags;
	packet_put16(tcp + 14, 0x9abc);
	if (options_len > 0)
		memcpy(tcp + 20, options, options_len);
	for (uint32_t i = 0; i < text_len; i++)
		tcp[20 + options_len + i] = (uint8_t)i;
	packet_seal(&p);
	return p;
}

#endif

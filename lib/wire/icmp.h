/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP (RFC 792, RFC 1191), ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861 4.3, 4.4): octets to a
 * struct and back. io/icmp.c and io/neigh.c decide what messages mean; nothing quoted is believed here.
 */
#ifndef HF_ICMP_H
#define HF_ICMP_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/build.h"
#include "wire/parse.h"

enum icmp_kind {
	ICMP_MALFORMED, /* checksum, length, or a quote that names no segment (HF-IC2) */
	ICMP_UNWANTED,	/* quench, redirect, router messages and all else (MUST-55, HF-IC1) */
	ICMP_ECHO,	/* an echo request */
	/* errors about a segment: quoted, seq, error */
	ICMP_SOFT,
	ICMP_HARD,    /* protocol or port unreachable (SHLD-26) */
	ICMP_TOO_BIG, /* mtu */
	/* neighbour discovery */
	ICMP_ND_MALFORMED,
	ICMP_SOLICIT,	/* target, mac */
	ICMP_ADVERTISE, /* target, mac, flags */
};

enum nd_flags {
	ND_ROUTER = 0x80,
	ND_SOLICITED = 0x40,
	ND_OVERRIDE = 0x20,
};

struct icmp {
	struct flow quoted; /* as the sender of the segment sees it: local is its source */
	uint32_t seq;
	int32_t error; /* positive errno */
	uint32_t mtu;
	uint32_t target[4];
	uint8_t mac[6]; /* source or target link-layer address option, with has_mac */
	bool has_mac;
	uint8_t flags; /* ND_* */
};

/**
 * Judge the message of a frame that wire_parse found to be WIRE_ICMP or WIRE_ICMP6.
 * @param frame  its first piece
 * @param icmp   out: what its kind is said to have
 */
enum icmp_kind icmp_parse(const uint8_t *frame, const struct wire_in *in, struct icmp *icmp);

/* Octets that icmp_nd_build may write. */
#define ICMP_ND_FRAME_MAX (18 + 40 + 32)

/* The answer to an echo request whose message is len octets; flow.local is us. @return octets written */
uint32_t icmp_echo_build(uint8_t *frame, const struct wire_link *link, const struct flow *flow,
			 const uint8_t *message, uint32_t len);

/**
 * A neighbour solicitation or advertisement, with our link-layer address in it.
 * @param kind   ICMP_SOLICIT or ICMP_ADVERTISE
 * @param flow   IPv6 source and destination
 * @param flags  ND_*, of an advertisement
 * @return octets written
 */
uint32_t icmp_nd_build(uint8_t *frame, const struct wire_link *link, const struct flow *flow,
		       enum icmp_kind kind, const uint32_t target[4], uint8_t flags);

/* The solicited-node group of an address (RFC 4291 2.7.1), and the MAC address of a group (RFC 2464 7). */
void nd_group(const uint32_t address[4], uint32_t group[4]);
void nd_group_mac(const uint32_t group[4], uint8_t mac[6]);

#endif

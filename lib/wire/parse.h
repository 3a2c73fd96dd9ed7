/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Octets -> struct seg, and whether to believe them: the rules for Ethernet and IP input
 * (RFC 791, RFC 1122 3.2.1, RFC 8200 4; MUST-50, -57, -63) and for the TCP header (RFC 9293 3.1).
 * The worker calls wire_parse once a frame. Each drop names its counter; the frame is not written.
 */
#ifndef HF_PARSE_H
#define HF_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "stats.h"
#include "tcp/seg.h"
#include "tcp/tuple.h"

enum wire_kind {
	WIRE_TCP,
	WIRE_ARP,
	WIRE_ICMP,
	WIRE_ICMP6,
	WIRE_DROP,
};

/* What the device says of a frame's checksums; none set: they are verified here (HF-CK1). */
enum wire_hints {
	WIRE_IP_GOOD = 0x01,
	WIRE_IP_BAD = 0x02,
	WIRE_L4_GOOD = 0x04,
	WIRE_L4_BAD = 0x08,
};

#define WIRE_RANGES 8

/* Which frames are for us. Filled by wire_config_range and io/, then read-only. */
struct wire_config {
	uint8_t mac[6];
	uint16_t vlan; /* 1 to 4094: frames carry this tag; 0: no frame carries one (HF-E3) */
	bool l3;       /* frames begin with the IP header */
	bool usual;    /* Ethernet without a tag: usual frames take the short way */
	bool accept_reserved; /* sources in 127/8 and 240/4 are taken (RFC1122-3.2.1.3) */
	uint8_t ranges4, ranges6;
	struct {
		uint32_t first, count; /* host order */
		uint32_t broadcast;    /* of the subnet; 0: none known */
	} range4[WIRE_RANGES];
	struct {
		uint64_t high, low, count; /* host order */
	} range6[WIRE_RANGES];
};

/* A stretch of a frame. Headers must lie in the first one whole (HF-E4). */
struct wire_piece {
	const uint8_t *octets;
	uint32_t len;
};

struct wire_in {
	struct flow flow;     /* local: the destination. Not set for ARP; ICMP has ports 0 */
	struct seg seg;	      /* of TCP only */
	uint32_t text_offset; /* of TCP's text, or of the ICMP or ARP message */
	uint32_t text_len;    /* octets there; Ethernet padding is not counted (RFC 791 3.1) */
	bool opt_bad;	      /* a TCP option's length was bad (MUST-7); the segment stands */
	uint8_t ttl, tos;     /* not of ARP */
	bool group;	      /* ARP, ICMPv6: sent to a link-layer or IP group, not to us alone */
	bool fragment;	      /* IPv6: behind a fragment header, though it is whole (RFC 6946) */
	enum stat drop;	      /* with WIRE_DROP */
};

/**
 * Add count addresses from first on (wire order; 4 or 16 octets) to those that are ours.
 * @param subnet_bits  of IPv4, the prefix length: its broadcast address is no source; 0: not known
 * @return false when WIRE_RANGES are there already, or the range leaves its /64 (IPv6) or wraps
 */
bool wire_config_range(struct wire_config *c, uint8_t version, const uint8_t *first, uint32_t count,
		       unsigned subnet_bits);

/* The two ways to do so: any frame, layer by layer (parse.c); or Ethernet without a tag, with an IPv4 header of
 * 20 octets and TCP for us, all in one piece and right in everything (usual.c), else false. */
enum wire_kind wire_walk(const struct wire_config *c, const struct wire_piece *pieces, unsigned n,
			 unsigned hints, struct wire_in *in);
bool usual_parse(const struct wire_config *c, const uint8_t *frame, uint32_t have, unsigned hints,
		 struct wire_in *in);

/**
 * Judge one frame of one or more pieces.
 * @param hints  WIRE_IP_*, WIRE_L4_*
 * @param in     out: only what its kind is said to have
 * @return its kind; ARP and ICMP messages lie in the first piece whole, their insides not looked at
 */
static inline enum wire_kind wire_parse(const struct wire_config *c, const struct wire_piece *pieces,
					unsigned n, unsigned hints, struct wire_in *in)
{
	if (c->usual && n == 1 && !(hints & (WIRE_IP_BAD | WIRE_L4_BAD)) &&
	    usual_parse(c, pieces[0].octets, pieces[0].len, hints, in))
		return WIRE_TCP;
	return wire_walk(c, pieces, n, hints, in);
}

#endif

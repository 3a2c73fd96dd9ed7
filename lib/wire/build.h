/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct seg -> octets: Ethernet, IP and TCP headers in front of a text that the caller has.
 * The worker calls wire_build once a frame. Every IPv4 datagram has DF set and identification 0
 * (RFC 6864 4, RFC1191-a), every field that is not used is zero, and nothing is left unwritten.
 */
#ifndef HF_BUILD_H
#define HF_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "tcp/seg.h"
#include "tcp/tuple.h"

/* Octets that wire_build may write: Ethernet with a tag, IPv6, TCP with all options. */
#define WIRE_HEADER_MAX (18 + 40 + 60)

/* How frames leave. */
struct wire_link {
	uint8_t dst_mac[6], src_mac[6];
	uint16_t vlan; /* 1 to 4094: tagged so; 0: no tag */
	bool l3;       /* frames begin with the IP header */
	bool usual;    /* Ethernet without a tag: usual segments take the short way */
	uint8_t ttl;   /* MUST-49 */
	uint8_t tos;   /* DSCP and ECN */
};

/* What the device will finish (HF-CK2). */
enum wire_offload {
	WIRE_OFFLOAD_IP = 0x01,	 /* the IPv4 header checksum is left zero */
	WIRE_OFFLOAD_TSO = 0x04, /* ... without its length, which the device adds to each piece */
	WIRE_OFFLOAD_L4 = 0x02,	 /* the TCP checksum holds the sum of the pseudo-header */
};

/* Octets wire_build will write for this segment. */
uint32_t wire_header_len(const struct wire_link *link, uint8_t version, const struct seg *seg);

/* The two ways to do so: any segment (build.c); or, in Ethernet without a tag, over IPv4, not ECN-capable,
 * checksums made here (usual.c). */
uint32_t wire_build_any(uint8_t *frame, const struct wire_link *link, const struct flow *flow,
			const struct seg *seg, uint32_t text_sum, unsigned offload);
uint32_t usual_build(uint8_t *frame, const struct wire_link *link, const struct tuple4 *tuple,
		     const struct seg *seg, uint32_t text_sum);

/**
 * Write all headers of a segment.
 * @param frame     room for WIRE_HEADER_MAX octets; the text belongs right behind what is written
 * @param flow      local is the source
 * @param seg       text_len octets of text follow; seg->len is not looked at
 * @param text_sum  csum_partial of the text; not used with WIRE_OFFLOAD_L4
 * @param offload   WIRE_OFFLOAD_*
 * @return octets written
 */
static inline uint32_t wire_build(uint8_t *frame, const struct wire_link *link,
				  const struct flow *flow, const struct seg *seg, uint32_t text_sum,
				  unsigned offload)
{
	if (link->usual && flow->version == 4 && offload == 0 && !(seg->options & OPT_ECT))
		return usual_build(frame, link, &flow->v4, seg, text_sum);
	return wire_build_any(frame, link, flow, seg, text_sum, offload);
}

/* The Ethernet header alone, in front of what is neither IPv4 nor IPv6. @return octets written */
uint32_t wire_ether_build(uint8_t *frame, const struct wire_link *link, uint16_t type);

/* Ethernet and IP header of a packet that is not TCP: len octets of protocol follow. Ports do not
 * matter; the IPv4 checksum is always there. @return octets written */
uint32_t wire_ip_build(uint8_t *frame, const struct wire_link *link, const struct flow *flow,
		       uint8_t protocol, uint8_t ttl, uint32_t len);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame as a capture holds it, down to its TCP header (RFC 791, RFC 8200, RFC 9293 3.1). For reading by
 * people: nothing is judged here, no checksum is looked at; what the engine makes of a frame is
 * wire_parse's business. Used by `trace`.
 */
#ifndef HF_APP_PACKET_H
#define HF_APP_PACKET_H

#include "handfast.h"

/** What comes before the IP header. */
enum packet_link {
	LINK_ETHERNET, /* with or without VLAN tags (IEEE 802.1Q, 802.1ad) */
	LINK_IP,
	LINK_COOKED,   /* Linux "any", version 1 */
	LINK_COOKED2,  /* ... and 2 */
	LINK_LOOPBACK, /* BSD: the address family goes before */
};
#define LINK_OCTETS 22 /* of Ethernet with two tags */

enum packet_flags {
	FLAG_FIN = 0x01,
	FLAG_SYN = 0x02,
	FLAG_RST = 0x04,
	FLAG_PSH = 0x08,
	FLAG_ACK = 0x10,
	FLAG_URG = 0x20,
	FLAG_ECE = 0x40,
	FLAG_CWR = 0x80,
};

struct packet {
	uint64_t at_ns; /* the caller's to set */
	struct hf_addr src, dst;
	uint32_t seq, ack;
	uint16_t window, urgent;
	uint8_t flags;		/* FLAG_* */
	uint8_t options_len;	/* of them, as the header says ... */
	uint8_t options_here;	/* ... and captured */
	const uint8_t *options; /* in the frame */
	uint32_t len;		/* octets of text, as the IP header says */
};

enum packet_kind {
	PACKET_TCP,
	PACKET_OTHER, /* not TCP, or a fragment without its header */
	PACKET_CUT,   /* the capture holds too little of it */
	PACKET_BAD,   /* lengths that contradict each other */
};

/** Read a frame of which `len` octets are here and `wire_len` were on the wire. */
enum packet_kind packet_read(enum packet_link link, const uint8_t *frame, uint32_t len,
			     uint32_t wire_len, struct packet *p);

/** Octets of sequence space: text, SYN and FIN (RFC 9293 3.4, SEG.LEN). */
static inline uint32_t packet_span(const struct packet *p)
{
	return p->len + !!(p->flags & FLAG_SYN) + !!(p->flags & FLAG_FIN);
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* A TCP segment in host order (RFC 9293 3.1): what wire/ makes of octets and what tcp/ thinks in. */
#ifndef HF_SEG_H
#define HF_SEG_H

#include <stdbool.h>
#include <stdint.h>

/* What few segments come to: kept out of the way of the others. */
#define COLD __attribute__((cold))

enum seg_flags {
	SEG_FIN = 0x01,
	SEG_SYN = 0x02,
	SEG_RST = 0x04,
	SEG_PSH = 0x08,
	SEG_ACK = 0x10,
	SEG_URG = 0x20,
	SEG_ECE = 0x40,
	SEG_CWR = 0x80,
};
#define SEG_ECN (SEG_ECE | SEG_CWR)

/* Which options a segment carries. */
enum seg_options {
	OPT_MSS = 0x01,
	OPT_WSCALE = 0x02,
	OPT_SACK_PERMITTED = 0x04,
	OPT_TS = 0x08,
	OPT_SACK = 0x10,
	OPT_AUTH = 0x20, /* TCP-MD5 (kind 19) or TCP-AO (kind 29); received only (HF-O5) */
	/* Not of TCP's options, but of the IP header (RFC 3168 5): */
	OPT_ECT = 0x40, /* sent as ECN-capable, ECT(0) */
	OPT_CE = 0x80,	/* came with congestion experienced */
};

/* The ECN field of TOS and traffic class. */
#define ECN_ECT0 2
#define ECN_CE 3

/* All that a SYN bears, most often. */
#define OPTS_SYN (OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_TS)

#define SEG_SACK_MAX 4

struct seg {
	uint32_t seq, ack;
	uint32_t len; /* SEG.LEN: octets of text, SYN and FIN counted */
	uint32_t tsval, tsecr;
	uint16_t wnd;	   /* as on the wire, never scaled here */
	uint16_t up;	   /* urgent pointer */
	uint16_t text_len; /* octets of text */
	uint16_t mss;	 /* with OPT_MSS; of ours, text longer than this is for the device to cut */
	uint8_t flags;	 /* SEG_* */
	uint8_t options; /* OPT_* */
	uint8_t wscale;	 /* with OPT_WSCALE, as received: may exceed 14 */
	uint8_t sacks;	 /* blocks in sack, with OPT_SACK */
	struct {
		uint32_t left, right;
	} sack[SEG_SACK_MAX];
};

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The peer's side of the wire: builds frames from a struct seg and takes apart, and fully verifies,
 * those that come out. Shares no code with lib/wire, so that each is the other's oracle.
 * RFC 791, RFC 8200, RFC 9293 3.1, RFC 7323, RFC 2018.
 */
#ifndef RIG_FRAME_H
#define RIG_FRAME_H

#include <stddef.h>

#include "handfast.h"
#include "tcp/seg.h"

#define FRAME_MAX (HF_MTU_MAX + 18)

/* What all frames of a link have in common. */
struct frame_form {
	bool l2;
	bool sum_offload; /* sums are left to the device: TCP's field holds the pseudo-header's */
	bool ecn;	  /* frame_parse: ECE, CWR and ECT(0) on text are let pass (RFC 3168) */
	bool no_mss;	  /* frame_parse: SYNs are without MSS */
	bool any_to;	  /* frame_parse: to whom is for the test to look at */
	uint8_t to[6], from[6];
	uint8_t ttl;
};

/* One frame as it was on the wire, and what it says. */
struct frame {
	struct hf_addr src, dst;
	struct seg seg; /* meaningless when tcp is 0 */
	uint64_t at_us;
	size_t len;
	uint8_t tos;	      /* or traffic class */
	size_t ip, tcp, text; /* where the headers and the text begin; tcp 0: not a TCP segment */
	uint8_t raw[FRAME_MAX];
};

/**
 * Build a frame that carries seg.
 * @param text     seg->text_len octets
 * @param options  raw octets that stand in for seg's options when options_len is not 0
 * @return its length
 */
size_t frame_build(uint8_t raw[FRAME_MAX], const struct frame_form *form, const struct hf_addr *src,
		   const struct hf_addr *dst, const struct seg *seg, const uint8_t *text,
		   const uint8_t *options, size_t options_len);

/* Make all sums right again after octets of a built frame were changed. */
void frame_seal(uint8_t *raw, size_t len, const struct frame_form *form);

/**
 * Take raw apart; nothing a conforming endpoint would not send passes (TTL, DF, ID 0, both sums,
 * lengths, reserved bits, options and where they may stand, padding; MUST-2, MUST-65, MUST-69).
 * @return NULL; or what is wrong with it
 */
const char *frame_parse(struct frame *f, const struct frame_form *form);

/* "SYN ACK seq 5 ack 7 wnd 1000 text 3 mss 1460 ts 1/2", into text. @return text */
char *frame_describe(char *text, size_t room, const struct seg *seg);

#endif

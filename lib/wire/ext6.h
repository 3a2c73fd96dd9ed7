/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 extension headers (RFC 8200 4), walked for parse.c alone; at most 8, at most 256 octets. */
#ifndef HF_EXT6_H
#define HF_EXT6_H

#include <stdbool.h>
#include <stdint.h>

#include "stats.h"

struct ext6 {
	uint32_t at;	/* frame offset of the header that next names */
	uint8_t next;	/* its protocol */
	enum stat drop; /* when the chain is refused */
	bool fragment;	/* one was a fragment header, of an atomic fragment */
};

/**
 * Move from the IPv6 header to TCP or ICMPv6.
 * @param end   frame offset of the packet's end
 * @param have  octets of the frame that may be read
 * @return false when the packet is to be dropped, ext->drop says why
 */
bool ext6_walk(struct ext6 *ext, const uint8_t *frame, uint32_t end, uint32_t have);

#endif

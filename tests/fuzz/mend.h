/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames that get past the first checks: well-formed ones of every kind to begin with, and lengths and
 * checksums put right again after octets were changed. Shares no code with lib/wire.
 */
#ifndef FUZZ_MEND_H
#define FUZZ_MEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rig/frame.h"

/* Where the IP packet of a frame is, and the message in it; 0: there is none whole. */
struct mend {
	size_t ip, message;
	uint8_t protocol;
};

/* Find them; the length fields of IP, and TCP's data offset, become what the frame's length allows. */
struct mend mend_lengths(uint8_t *frame, size_t len, bool l2);

/* The checksums of IPv4, TCP, ICMP and ICMPv6, as found. */
void mend_sums(uint8_t *frame, size_t len, const struct mend *found);

/* A frame from the peer to us: TCP with some options and text, ICMP, ARP, neighbour discovery, now and
 * then behind extension headers or a tag, or a fragment. @return its length, at most 256 */
size_t mend_craft(uint8_t frame[FRAME_MAX], bool l2, uint64_t random);

/* One step of a mutator on a frame, in 7 of 8 mended. @return its new length */
size_t mend_mutate(uint8_t *frame, size_t len, size_t max, bool l2, uint64_t random);

#endif

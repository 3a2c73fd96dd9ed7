/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One direction of a bad link (HF-H6): what becomes of its n-th frame, and the frames that wait for
 * their time. Frames are pointers of the caller's, and so is the memory; no DPDK. impair.c does to mbufs
 * what a fate says, tests/rig/link.c to the frames between two engines. One seed, the same frames, the
 * same fates.
 */
#ifndef HF_WAY_H
#define HF_WAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handfast.h"

#define WAY_BEHIND_US 10000000 /* an overtaken frame waits so long for the one that overtakes it */

struct fate {
	uint64_t at_us; /* when it comes */
	bool lost;	/* ... or never; then nothing else is set */
	bool corrupt, twice, late;
	bool behind; /* after the next frame, at_us at the latest */
};

struct waiting {
	uint64_t at_us, number;
	void *frame;
};

struct way {
	const struct hf_impair_way *config; /* may change between two frames */
	struct waiting *heap;		    /* the earliest first, then in the order of way_hold */
	struct waiting behind;		    /* frame NULL: none */
	uint32_t size, used;		    /* of the heap */
	uint32_t peak;			    /* of way_held */
	uint64_t random, number;
	uint64_t refused; /* by way_hold */
	uint64_t last_us; /* when the latest frame in order comes */
	uint32_t seen[HF_IMPAIR_RULES];
};

/** What rules know a frame by: TCP flags, HF_FRAME_TCP, HF_FRAME_TEXT; 0 when there is no TCP header.
 *  @param l3  there is no Ethernet header
 *  @param ip  out: where the IP packet begins; SIZE_MAX when it is none */
uint16_t frame_kind(const uint8_t *frame, size_t len, bool l3, size_t *ip);

/** @param heap  of size frames; what does not fit is refused */
void way_init(struct way *way, const struct hf_impair_way *config, uint64_t seed,
	      struct waiting *heap, uint32_t size);

/** The next frame's fate. */
struct fate way_fate(struct way *way, uint16_t kind, uint64_t now_us);

/** A number below bound: which bit is flipped. */
uint32_t way_pick(struct way *way, uint32_t bound);

/** Keep a frame until its time. @return false: no room */
bool way_hold(struct way *way, void *frame, const struct fate *fate);

/** How many wait. */
static inline uint32_t way_held(const struct way *way)
{
	return way->used + (way->behind.frame != NULL);
}

/** When the next frame comes; UINT64_MAX: none waits. */
uint64_t way_next(const struct way *way);

/** The earliest frame whose time has come; NULL: none. */
void *way_take(struct way *way, uint64_t now_us);

#endif

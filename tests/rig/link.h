/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bad link between two ends, in virtual time (HF-H6): loss, duplication, reordering, delay with
 * jitter and bit flips, seeded and set apart for each direction; and exact rules for single frames.
 * Frames are IP packets without Ethernet. One seed, the same frames, the same fates: those of the
 * library's own link model (lib/io/way.h), which people know as --impair.
 */
#ifndef RIG_LINK_H
#define RIG_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "io/way.h"

#define LINK_FRAME_MAX 2048
#define LINK_EVER HF_EVER /* of a rate: every frame */

/* Of one direction; rates are in a million frames. */
struct link_rates {
	uint32_t loss, duplicate, reorder, corrupt;
	uint32_t delay_us, jitter_us; /* a frame takes delay and up to jitter more, in order */
	uint32_t reorder_us;	      /* ... but one that is reordered comes up to so much later */
};

enum link_act {
	LINK_DROP = HF_IMPAIR_DROP,
	LINK_TWICE = HF_IMPAIR_TWICE,
	LINK_CORRUPT = HF_IMPAIR_CORRUPT, /* one bit is flipped */
	LINK_LATER = HF_IMPAIR_LATER,	  /* by later_us */
	LINK_BEHIND = HF_IMPAIR_BEHIND, /* right after the next frame of its direction, or 10 s late */
};

/* What happens to a frame instead of what the rates say. */
struct link_rule {
	unsigned from;	     /* whose frames: 0 or 1 */
	uint8_t mask, flags; /* only frames whose TCP flags, masked, are these */
	uint32_t nth;	     /* the n-th of these, from 1 on; 0: each */
	enum link_act act;
	uint32_t later_us;
};

struct link_frame {
	unsigned from;
	size_t len;
	uint8_t raw[LINK_FRAME_MAX];
};

struct link {
	/* anybody may set these at any time */
	struct link_rates rates[2];
	uint64_t grain_us; /* arrivals are rounded up to multiples of this */
	/* anybody may read these */
	uint64_t sent[2], lost[2]; /* frames by sender */
	/* the link's own */
	struct hf_impair_way config[2]; /* the rates, and the rules */
	struct way way[2];
	struct waiting *heap[2];
	struct link_frame **spare; /* not in flight */
	uint32_t spare_count;
};

/* What became of a frame, in a word for a trace, and when it arrives (0: never). */
struct link_fate {
	const char *word;
	uint64_t at_us;
};

/* A link that delays and harms nothing, and holds so many frames; what does not fit is lost. NULL: no memory */
struct link *link_make(uint32_t room, uint64_t seed);
void link_free(struct link *l);

/* No rules, no harm, nothing in flight; delays stay. */
void link_heal(struct link *l);

/* The next frames from one side meet this rule, beside those there are. */
void link_rule(struct link *l, struct link_rule rule);

struct link_fate link_send(struct link *l, unsigned from, const void *raw, size_t len,
			   uint64_t now_us);

/* When the next frame arrives; UINT64_MAX: none is on its way. */
uint64_t link_next(const struct link *l);

/* Take the earliest frame that has arrived by now. @return it, valid until the next call; NULL: none */
const struct link_frame *link_receive(struct link *l, uint64_t now_us);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Timer wheel: deadlines in ticks of 1 ms on a 32-bit circle, one for each entry, held in struct
 * entry itself. The worker arms, moves and cancels; wheel_advance takes out what is due, in order
 * of deadline and within a tick in the order it was armed (HF-M8). Nothing fires early; all but a
 * search is O(1). */
#ifndef HF_WHEEL_H
#define HF_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "table/handle.h"
#include "table/pool.h"

#define WHEEL_BITS 18 /* usual: 262 s, so that a TIME-WAIT of 240 s sits in its exact slot */
#define WHEEL_BITS_MIN 16
#define WHEEL_BITS_MAX 24
#define WHEEL_MAPS 4 /* one level of bitmap for each 6 bits */

struct wheel_slot {
	handle first, last;
};

/* A ring of slots, each 2^shift ticks wide, and which of them are not empty: a bit a slot, above it
 * a bit for each word, and so on up to one word. */
struct wheel_ring {
	struct wheel_slot *slot;
	uint64_t *map[WHEEL_MAPS];
	uint32_t mask;
	uint8_t shift, maps;
	handle end; /* stands in next of a last entry, in prev of a first one */
};

struct wheel {
	const struct pools *pools;
	uint32_t now;	  /* what was due before this tick has been taken out */
	uint32_t horizon; /* near holds what is due before it, far the rest */
	uint32_t armed;	  /* entries in the wheel */
	struct wheel_ring near, far;
};

/* Octets that wheel_init wants. */
uint64_t wheel_memory(unsigned bits);

/**
 * Make an empty wheel.
 * @param memory  wheel_memory(bits) octets, aligned to 64; must outlive the wheel
 * @param bits    2^bits ticks ahead are kept to the tick; what is later, sorted in as it comes near
 * @param ps      where handles lead
 * @param now     the present tick
 */
void wheel_init(struct wheel *w, void *memory, unsigned bits, const struct pools *ps, uint32_t now);

/* Have an unarmed entry fire at this tick, less than 2^31 ahead; one now or in the past fires at
 * the next wheel_advance. entry.tick then says when. */
void wheel_arm(struct wheel *w, handle h, uint32_t tick);

/* Take an armed entry out. */
void wheel_cancel(struct wheel *w, handle h);

/* Have an armed entry fire at another tick: wheel_cancel, then wheel_arm. */
void wheel_move(struct wheel *w, handle h, uint32_t tick);

/**
 * Take out what is due, no longer armed then. Others may be cancelled, moved and armed before the
 * next call.
 * @param now  the present tick, not before the last one
 * @param due  out: handles by deadline, within a tick in the order they were armed
 * @param max  as many at most; time stands still at what was left behind (TW-L5), so call again
 * @return how many; less than max: nothing more is due
 */
uint32_t wheel_advance(struct wheel *w, uint32_t now, handle *due, uint32_t max);

/* Whether anything is armed, and the tick of the earliest. Exact before the horizon, which is
 * 2^bits - 2^(bits-4) ticks ahead (less while it waits for a crowd); beyond, the tick may be too
 * early, never too late. */
bool wheel_next(const struct wheel *w, uint32_t *tick);

/* The armed entry that would fire first, of whatever kind; HANDLE_NONE: none is armed. Exact before
 * the horizon; beyond, one due in the same 2^(bits-4) ticks. */
handle wheel_oldest(const struct wheel *w);

/* Have what wheel_cancel of this entry will touch come: its neighbours. */
static inline void wheel_prefetch(const struct wheel *w, const struct entry *e)
{
	if (handle_kind(e->next) != KIND_NONE)
		__builtin_prefetch(pools_entry(w->pools, e->next), 1);
	if (handle_kind(e->prev) != KIND_NONE)
		__builtin_prefetch(pools_entry(w->pools, e->prev), 1);
}

static inline bool wheel_armed(const struct entry *e)
{
	return e->prev > ENTRY_FREE;
}

#endif

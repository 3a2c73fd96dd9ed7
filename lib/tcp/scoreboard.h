/* SPDX-License-Identifier: BSD-3-Clause */
/* What the peer says it holds beyond SND.UNA (RFC 2018, RFC 6675 4): stretches of octets, ascending, none
 * touching another. It holds a bounded number of them, so an ACK costs a bounded walk (HF-SACK1). */
#ifndef HF_SCOREBOARD_H
#define HF_SCOREBOARD_H

#include <stdbool.h>
#include <stdint.h>

#define SCOREBOARD_SPANS 64
#define DUP_THRESH 3 /* RFC 6675 2 */

struct span {
	uint32_t left, right; /* as in a block: the octet behind the last one */
};

struct scoreboard {
	uint32_t octets; /* in all spans */
	uint32_t count;
	struct span span[SCOREBOARD_SPANS];
};

static inline void scoreboard_clear(struct scoreboard *board)
{
	board->octets = 0;
	board->count = 0;
}

/* Add a block that lies within what is in flight. A full board forgets its highest span: its octets are
 * then taken to be in flight. @return how many octets were not known */
uint32_t scoreboard_add(struct scoreboard *board, uint32_t left, uint32_t right);

/* Forget what lies before una. @return false: the peer had said to hold the octet at una, and still asks
 * for it, so it has reneged (RFC 2018 8) */
bool scoreboard_advance(struct scoreboard *board, uint32_t una);

/* Octets held in [from, to). */
uint32_t scoreboard_between(const struct scoreboard *board, uint32_t from, uint32_t to);

/* IsLost (RFC 6675 4): what is not held and lies before this octet is lost; una: nothing is. */
uint32_t scoreboard_lost_edge(const struct scoreboard *board, uint32_t una, uint32_t smss);

/* The first octets in [from, to) that are not held. @return false: all are */
bool scoreboard_hole(const struct scoreboard *board, uint32_t from, uint32_t to, struct span *hole);

#endif

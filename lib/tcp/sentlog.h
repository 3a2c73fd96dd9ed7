/* SPDX-License-Identifier: BSD-3-Clause */
/* When what is in flight last left (RFC 8985 5.1): spans from SND.UNA on, each with its time, for segments that
 * left in the same turn have one. A bounded number of them, so an ACK costs a bounded walk: neighbours then
 * become one, with the later time, which can only delay that a loss is seen. */
#ifndef HF_SENTLOG_H
#define HF_SENTLOG_H

#include <stdbool.h>
#include <stdint.h>

#define SENTLOG_SPANS 64

/* It begins where the one before it ends. */
struct sent {
	uint32_t end;
	uint32_t us; /* the low 32 bits of the time */
	bool again;  /* not the first time */
	bool lost;   /* and to be sent again */
};

struct sentlog {
	uint32_t count;
	struct sent span[SENTLOG_SPANS];
};

/* [left, right) leaves now: behind all that is known, or again. */
void sentlog_add(struct sentlog *log, uint32_t una, uint32_t left, uint32_t right, uint32_t us,
		 bool again);

/* Let a span end at seq, if one goes on there. */
void sentlog_split(struct sentlog *log, uint32_t una, uint32_t seq);

/* Forget what lies before una. */
void sentlog_advance(struct sentlog *log, uint32_t una);

#endif

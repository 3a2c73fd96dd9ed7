/* SPDX-License-Identifier: BSD-3-Clause */
/* Local ports for active opens (RFC 6056 3.3; TW-A7, HF-P1, HF-P2): one list for each (local address,
 * remote address, remote port), made once, holding this worker's ports in a keyed random order. The
 * worker asks for a candidate, looks the tuple up, and takes or skips it:
 *
 *     struct port_candidate c = { 0 };
 *     while ((rc = ports_next(list, now_ms, delay_ms, true, &c)) == 0) {
 *             if (<the tuple c.port makes is free, or its bucket may be reused>) { ports_take(list, &c); break; }
 *             ports_skip(list, &c);
 *     }
 */
#ifndef HF_PORTS_H
#define HF_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table/iss.h"
#include "tcp/tuple.h"

#define PORT_STEPS 64 /* of a search, then -EADDRNOTAVAIL (TW-A7) */

/* Two first-in first-out rings: ports known free, and ports whose tuple entered TIME-WAIT here. */
struct port_list {
	/* set when made, then read-only */
	uint16_t *free, *waiting; /* rings of ports */
	uint32_t *entered;	  /* beside each waiting port: when its tuple entered TIME-WAIT, ms */
	uint32_t *states;	  /* two bits a port, from first on: enum port_state */
	uint32_t mask;		  /* both rings hold mask + 1 */
	uint16_t first, last;
	uint64_t key[2];
	/* positions count on and on; those in the ring are from head to tail - 1 */
	uint32_t free_head, free_tail;
	uint32_t waiting_head, waiting_tail;
	uint32_t released_ms;		    /* when a port last came to the free ring; and its position there: */
	uint32_t from_released, from_prior; /* of the first that came at released_ms; at that - 1 or later */
	/* which of the ports at the head goes next */
	uint32_t draws;
	uint64_t random;
	struct flow key_flow; /* whose list it is; local port 0 */
};

/* A step of a search. All zero before the first one. */
struct port_candidate {
	uint16_t port;
	bool from_waiting; /* its tuple entered TIME-WAIT more than the delay ago, unless the entry is stale */
	uint32_t steps;	   /* so far */
	uint32_t now_ms;   /* of this step */
};

/* Finds the next port worth trying: one free for two timestamp ticks or for ever, from among the first
 * few; else, when allowed, the longest waiting one if that is more than delay_ms (TW-A4). Nothing else
 * may be done with the list until the candidate is taken or skipped (or the search given up).
 *
 * A waiting candidate may be stale: the port left TIME-WAIT and waits again. So the caller goes by the
 * bucket it finds: is it in TIME-WAIT, with timestamps, long enough by its own entry time?
 * 0, or -EADDRNOTAVAIL: nothing qualifies, or PORT_STEPS were made. */
int ports_next(struct port_list *list, uint32_t now_ms, uint32_t delay_ms, bool waiting_allowed,
	       struct port_candidate *c);

/* The candidate is used: out of its ring. */
void ports_take(struct port_list *list, const struct port_candidate *c);

/* The candidate is no good: a free one (a connection with a port of the user's choice has it) goes to
 * the tail, a waiting one loses its place and comes back when its bucket goes. */
void ports_skip(struct port_list *list, const struct port_candidate *c);

/* A connection ended without TIME-WAIT, or a bucket expired or was evicted: the port is free from now.
 * Harmless for a port that is free already, out of the range or not this worker's. */
void ports_release(struct port_list *list, uint16_t port, uint32_t now_ms);

/* The port's tuple entered TIME-WAIT now. As harmless. */
void ports_wait(struct port_list *list, uint16_t port, uint32_t now_ms);

/* All lists of a worker. */
struct ports {
	/* set at start, then read-only */
	const struct secrets *secrets;
	bool (*mine)(void *arg, const struct flow *flow);
	void *arg;
	uint32_t max;
	uint32_t index_mask;
	uint16_t first, last;
	uint8_t *rings; /* of all lists, ring_octets each */
	size_t ring_octets;
	/* this worker only */
	struct port_list *lists;
	uint16_t *index; /* open addressing: number of a list + 1; 0: none */
	uint32_t count;
};

/* Octets that ports_init needs for so many lists of the ports first to last. */
size_t ports_memory(uint32_t lists, uint16_t first, uint16_t last);

/* Sets up no list yet, room for so many. memory: ports_memory() octets, zero, aligned to 64, the
 * caller's for as long as the ports are used; secrets likewise.
 * 0, or -EINVAL: first is 0 or above last, or lists is 0 or above 32768. */
int ports_init(struct ports *ports, void *memory, uint32_t lists, uint16_t first, uint16_t last,
	       const struct secrets *secrets);

/* Lists made from here on hold only the ports for which mine() says true of the flow (local port filled
 * in): those whose replies are steered to this worker (HF-P1). Called only while a list is made. */
void ports_filter(struct ports *ports, bool (*mine)(void *arg, const struct flow *flow), void *arg);

/* The list of the flow's local address, remote address and remote port (the local port is ignored).
 * NULL: there is none, and either create is false or all lists are taken. Making one takes a shuffle of
 * all its ports: at start-up, not between packets. */
struct port_list *ports_list(struct ports *ports, const struct flow *flow, bool create);

/* A list by its number, and the reverse, for connections to remember theirs in 16 bits. */
static inline struct port_list *ports_at(const struct ports *ports, uint16_t number)
{
	return &ports->lists[number];
}

static inline uint16_t ports_number(const struct ports *ports, const struct port_list *list)
{
	return (uint16_t)(list - ports->lists);
}

#endif

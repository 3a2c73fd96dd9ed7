/* SPDX-License-Identifier: BSD-3-Clause */
/* Local ports for active opens (RFC 6056 3.3; TW-A7, HF-P1, HF-P2): one list for each (local
 * address, remote address, remote port), made once, of this worker's ports in a keyed random order.
 * The worker asks for a candidate, looks its tuple up, then takes it (free, or a bucket that may be
 * reused) or skips it and asks again:
 *     struct port_candidate c = { 0 };
 *     while ((rc = ports_next(list, now_ms, delay_ms, true, &c)) == 0 && !usable(c.port))
 *             ports_skip(list, &c);
 *     if (rc == 0)
 *             ports_take(list, &c); */
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
	uint32_t *entered; /* beside each waiting port: when its tuple entered TIME-WAIT, ms */
	uint32_t *states;  /* two bits a port, from first on: enum port_state */
	uint32_t mask;	   /* both rings hold mask + 1 */
	uint16_t first, last;
	uint64_t key[2];
	/* positions count on and on; those in the ring are from head to tail - 1 */
	uint32_t free_head, free_tail;
	uint32_t waiting_head, waiting_tail;
	uint32_t released_ms;	/* when a port last came to the free ring */
	uint32_t from_released; /* position there of the first that came in this tick */
	uint32_t from_prior;	/* and of the first that came in this one or the tick before */
	uint32_t draws;		/* so many, each of them an octet */
	bool drawn;		/* the head of the free ring is the next candidate already */
	uint64_t random;	/* octets for the next draws */
	struct flow flow;	/* whose list it is; local port 0 */
	uint32_t ts_offset;	/* of its address pair (iss.h) */
};

/* A step of a search. All zero before the first one. */
struct port_candidate {
	uint16_t port;
	bool from_waiting; /* found in TIME-WAIT, and not in the free ring */
	uint32_t steps;	   /* so far */
	uint32_t now_ms;   /* of this step */
};

/* Finds the next port worth trying: one never used or free for two timestamp ticks (TW-A12), at
 * random from the first few of them; else, when allowed, the one that has waited longest if that is
 * more than delay_ms (TW-A4). Before anything else is done with the list the candidate is taken or
 * skipped, or forgotten.
 *
 * A waiting one may have left TIME-WAIT and entered it again since. So the caller goes by the
 * bucket it finds: is it in TIME-WAIT, with timestamps, long enough by its own entry time?
 * 0, or -EADDRNOTAVAIL: nothing qualifies, or PORT_STEPS were made. */
int ports_next(struct port_list *list, uint32_t now_ms, uint32_t delay_ms, bool waiting_allowed,
	       struct port_candidate *c);

/* Says which port ports_next will most likely find next, so that what it leads to can be fetched ahead.
 * false: none is free. */
bool ports_draw(struct port_list *list, uint32_t now_ms, uint16_t *port);

/* The candidate is used: out of its ring. */
void ports_take(struct port_list *list, const struct port_candidate *c);

/* The candidate is no good: a free one (a connection whose port the user chose has it) goes to the
 * tail, a waiting one loses its place and comes back when its bucket goes. */
void ports_skip(struct port_list *list, const struct port_candidate *c);

/* A connection ended without TIME-WAIT: the port that was taken for it is free from now. */
void ports_return(struct port_list *list, uint16_t port, uint32_t now_ms);

/* A bucket expired or was evicted: its port is free from now. Harmless for a port that does not wait. */
void ports_release(struct port_list *list, uint16_t port, uint32_t now_ms);

/* The user chose the port of a bucket: it is taken. As harmless. */
void ports_claim(struct port_list *list, uint16_t port);

/* The tuple of a port that was taken entered TIME-WAIT now. Harmless for one that is out of the range or
 * not this worker's. */
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

/* Lists made from here on hold only the ports for which mine() says true of the flow (local port
 * filled in): those whose replies come to this worker (HF-P1). Called only while one is made. */
void ports_filter(struct ports *ports, bool (*mine)(void *arg, const struct flow *flow), void *arg);

/* The list of the flow's local address, remote address and remote port (the local port is ignored).
 * NULL: there is none, and either create is false or all lists are taken. Making one shuffles all
 * its ports: at start-up, not between packets. */
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

/* SPDX-License-Identifier: BSD-3-Clause */
/* The listeners of a worker (RFC 9293 3.10.1, passive OPEN; MUST-41..43): found by local port, then
 * by local address. One on an address wins over one on any address; IPv4 and IPv6 do not mix. */
#ifndef HF_LISTEN_H
#define HF_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table/handle.h"
#include "tcp/tuple.h"

#define LISTEN_MAX 65535u /* listeners of a worker */

struct listener {
	/* set when added, then read-only */
	uint32_t local[4]; /* in wire order; IPv4 uses the first; all zero when any */
	uint64_t cookie;   /* the user's, for its events */
	uint16_t port;
	uint8_t version; /* 4 or 6 */
	bool any;	 /* on all our addresses of this version */
	bool used;
	uint16_t mss;  /* that its connections are told at most; 0: the worker's */
	uint16_t next; /* of this port, or unused too: index + 1; 0: none */
	/* the worker's books; zero when added */
	uint32_t backlog_used; /* half-opens (HF-B1) */
	uint32_t accept_used;  /* established and not accepted yet (HF-B3) */
	handle accept_head, accept_tail;
	bool cookies; /* has sent SYN cookies, the last one at: */
	uint32_t cookie_ms; /* so that an ACK is taken for one no longer than it can be (RFC4987-cookie3) */
};

struct listeners {
	struct listener *at;
	uint16_t *by_port; /* 65536 of them: index + 1 of a port's first listener; 0: none */
	uint32_t size, count;
	uint16_t unused; /* index + 1 of the first; 0: none */
};

/* Octets that listen_init needs for so many listeners. */
size_t listen_memory(uint32_t size);

/* memory: listen_memory() octets, zero, aligned to 64, the caller's while the listeners are used.
 * 0, or -EINVAL: size is 0 or above LISTEN_MAX. */
int listen_init(struct listeners *listeners, void *memory, uint32_t size);

/* Adds a listener on the flow's local address and port (its remote end is ignored), or with any on
 * all our addresses of the flow's version. Others are not disturbed (MUST-41).
 * The listener's index, good until listen_remove; or
 *   -EADDRINUSE  there is one on just this address and port
 *   -ENOBUFS     no room */
int listen_add(struct listeners *listeners, const struct flow *flow, bool any, uint64_t cookie);

/* The index of the listener for a SYN of this flow, or -1. Walks the listeners of one port, at most
 * one an address of ours: nothing a sender can lengthen. */
int listen_find(const struct listeners *listeners, const struct flow *flow);

/* Takes a listener out. What its accept queue holds is the caller's to end first. */
void listen_remove(struct listeners *listeners, int index);

#endif

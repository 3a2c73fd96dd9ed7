/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers that share a memory port of as many queues, one thread playing all of them and the wire. Which
 * queue a frame comes to is the test's choice; team_home says, by DPDK's own Toeplitz hash, whose it is.
 */
#ifndef RIG_TEAM_H
#define RIG_TEAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "handfast.h"
#include "rig/frame.h"

#define TEAM_MAX 8

extern const uint8_t team_key[40];

struct team {
	unsigned n;
	struct hf_memport memport; /* set before team_make, as config */
	struct hf_config config;
	struct hf_worker *w[TEAM_MAX];
	struct hf_port *port[TEAM_MAX];
	struct hf_event event; /* the last one */
	unsigned events;       /* of the last turn */
	struct frame_form in, out;
	struct hf_addr local, peer; /* 198.18.0.1:80 or 2001:2::1, .9:40000 or ::9 */
	uint64_t now_us;
};

/* The usual set-up: no Ethernet, the key above. */
void team_init(struct team *t, unsigned n, enum hf_steering steering, uint8_t version);
/* team_init's Ethernet addresses, ARP and ND; ours, and those of two stations. */
extern const uint8_t team_us[6], team_station[2][6];
void team_on_a_link(struct team *t);
void team_make(struct team *t);
/* Each worker's books balance, nothing is left over, not an mbuf. */
void team_end(struct team *t);

/* By rte_softrss and a table that goes round. */
unsigned team_home(const struct team *t, const struct hf_addr *local, const struct hf_addr *peer);

/* A frame from peer to local comes to this queue. */
void team_push(struct team *t, unsigned queue, const struct hf_addr *local,
	       const struct hf_addr *peer, struct seg seg);
void team_push_raw(struct team *t, unsigned queue, const void *raw, size_t len);

/* A turn and its flush of one worker, or of each twice, so that what one hands over has arrived. */
void team_turn(struct team *t, unsigned i);
void team_turns(struct team *t);

/* The oldest frame a worker has sent. @return false: none */
bool team_pop(struct team *t, unsigned i, struct frame *f);

uint64_t team_counter(const struct team *t, unsigned i, const char *name);
uint64_t team_sum(const struct team *t, const char *name);

/* A connection opened by this worker to t->peer, established; *id and *local are its. */
void team_connect(struct team *t, unsigned i, uint64_t *id, struct hf_addr *local, struct seg *last);

#endif

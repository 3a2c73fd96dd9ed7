/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections in SYN-SENT whose next hop does not answer end with EHOSTUNREACH (RFC826-d). They are
 * looked for by walking the pools round, a few places a turn, so that no neighbour costs a long turn. */
#include <errno.h>

#include "io/neigh.h"

#define PLACES_A_TURN 64

static uint32_t pool_size(const struct hf_worker *w, uint8_t version)
{
	return pools_pool(&w->pools, KIND_CONNECTION, version)->size;
}

void opener_fail(struct hf_worker *w, struct neigh *n)
{
	const uint32_t all = pool_size(w, 4) + pool_size(w, 6);
	const bool any = w->host.levels[TCPS_SYN_SENT].now > 0;

	if (any)
		w->opener_left = all;
	n->until = w->opener_walked + (any ? all : 0);
}

bool opener_done(const struct hf_worker *w, const struct neigh *n)
{
	return w->opener_left == 0 || (int32_t)(w->opener_walked - n->until) >= 0;
}

/* In the table, and waiting for its first answer. */
static bool is_opener(const struct hf_worker *w, handle h)
{
	const struct entry *const e = pools_entry(&w->pools, h);
	const struct connection *const c = connection_at(w, h);

	return e->prev != ENTRY_FREE && c->tcb.state == TCPS_SYN_SENT &&
	       !(c->flags & (CONN_DETACHED | CONN_CLOSED | CONN_DEAD));
}

static void look_at(struct hf_worker *w, handle h)
{
	const struct neigh *n;
	struct connection *c;
	uint32_t hop[4];
	struct flow flow;
	struct out out;

	if (!is_opener(w, h))
		return;
	entry_flow(w, h, &flow);
	neigh_hop(w, &flow, hop);
	n = neigh_find(&w->neighbours, flow.version, hop);
	if (n == NULL || n->state != NEIGH_FAILED)
		return;
	out_init(&out);
	c = connection_at(w, h);
	tcp_refused(&w->host, &c->tcb, EHOSTUNREACH, &out);
	connection_after(w, h, c, &out);
}

void opener_turn(struct hf_worker *w)
{
	const uint32_t v4 = pool_size(w, 4), all = v4 + pool_size(w, 6);

	for (unsigned i = 0; i < PLACES_A_TURN && w->opener_left > 0; i++) {
		const uint32_t at = w->opener_next;

		look_at(w, at < v4 ? pool_nth(pools_pool(&w->pools, KIND_CONNECTION, 4), at) :
				     pool_nth(pools_pool(&w->pools, KIND_CONNECTION, 6), at - v4));
		w->opener_next = at + 1 < all ? at + 1 : 0;
		w->opener_left--;
		w->opener_walked++;
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* hf_check: the invariants of a worker, by walking everything (HF-G6, HF-M6, HF-T-INV, SEC-40). For tests
 * and debugging; slow. */
#include <errno.h>
#include <inttypes.h>

#include "io/why.h"
#include "io/worker.h"
#include "tcp/flight.h"

struct walk {
	uint32_t kinds[4], armed, orphans, held, flights, shut[SHUT_CLASSES];
	uint32_t states[TCPS_COUNT];
};

/* No state but these may stand without a timer (HF-T-INV). */
static bool may_be_idle(const struct tcb *tcb)
{
	const bool idle = tcb->state == TCPS_ESTABLISHED || tcb->state == TCPS_CLOSE_WAIT ||
			  (tcb->state == TCPS_FIN_WAIT_2 && !(tcb->flags & TCB_ORPHAN));

	return idle && tcb->snd_una == tcb->snd_nxt;
}

static uint32_t receive_mbufs(const struct connection *c)
{
	uint32_t n = 0;

	for (const struct rte_mbuf *m = c->rxq_head; m != NULL; m = m->next)
		n++;
	return n;
}

static int check_connection(const struct hf_worker *w, handle h, struct walk *walk,
			    struct hf_error *why)
{
	const struct connection *const c = connection_at(w, h);
	const struct tcb *const tcb = &c->tcb;
	const struct entry *const e = pools_entry(&w->pools, h);
	uint32_t octets = 0;
	uint32_t tick;

	walk->states[tcb->state]++;
	walk->orphans += tcb->flags & TCB_ORPHAN ? 1 : 0;
	walk->flights += tcb->flight != 0 ? 1 : 0;
	walk->shut[shut_class(tcb->backoff)] += tcb->timers & TIMER_PERSIST ? 1 : 0;
	if (tcb->flight != 0 && tcb->snd_una == tcb->snd_nxt && !flight_of(&w->host, tcb)->rack.tlp)
		return why_say(why, -EFAULT, "handle %08x: a flight, and nothing is on its way", h);
	for (const struct rte_mbuf *m = c->rxq_head; m != NULL; m = m->next)
		octets += m->data_len;
	if (octets != tcb->rcv_queued)
		return why_say(why, -EFAULT,
			       "handle %08x: %u octets in the receive queue, %u counted", h, octets,
			       tcb->rcv_queued);
	if (tcb->state == TCPS_CLOSED || tcb->state == TCPS_LISTEN || tcb->state == TCPS_TIME_WAIT)
		return why_say(why, -EFAULT, "handle %08x: %s in the flow table", h,
			       tcp_state_name((enum tcp_state)tcb->state));
	if (seq_gt(tcb->snd_una, tcb->snd_nxt) || seq_gt(tcb->rcv_nxt, tcb->rcv_adv + 1))
		return why_say(why, -EFAULT, "handle %08x: SND.UNA %u SND.NXT %u RCV.NXT %u edge %u",
			       h, tcb->snd_una, tcb->snd_nxt, tcb->rcv_nxt, tcb->rcv_adv);
	if (c->flags & CONN_OWED)
		return 0; /* its timers are looked at by the flush */
	if (tcp_deadline(tcb, &tick)) {
		/* one that passed while the device was behind, and so the flush, is due now */
		if (!wheel_armed(e) || (seq_gt(e->tick, tick) && seq_gt(e->tick, w->host.now_ms)))
			return why_say(why, -EFAULT,
				       "handle %08x: deadline at tick %u is not on the wheel", h,
				       tick);
	} else if (!may_be_idle(tcb)) {
		return why_say(why, -EFAULT, "handle %08x: no timer in %s", h,
			       tcp_state_name((enum tcp_state)tcb->state));
	}
	return 0;
}

static int check_flow(const struct hf_worker *w, handle h, struct walk *walk, struct hf_error *why)
{
	const struct entry *const e = pools_entry(&w->pools, h);
	struct flow flow;

	walk->kinds[handle_kind(h)]++;
	walk->armed += wheel_armed(e) ? 1 : 0;
	entry_flow(w, h, &flow);
	if (flow_find(&w->flows, flow_hash(&w->secrets, &flow), &flow) != h)
		return why_say(why, -EFAULT, "handle %08x: its flow leads to another", h);
	switch (handle_kind(h)) {
	case KIND_CONNECTION:
		return check_connection(w, h, walk, why);
	case KIND_REQUEST:
		walk->states[TCPS_SYN_RECEIVED]++;
		break;
	case KIND_BUCKET:
		walk->states[bucket_at(w, h)->flags & TW_FIN_WAIT_2 ? TCPS_FIN_WAIT_2 : TCPS_TIME_WAIT]++;
		break;
	case KIND_NONE:
		break;
	}
	if (handle_kind(h) != KIND_CONNECTION && !wheel_armed(e))
		return why_say(why, -EFAULT, "handle %08x: not on the wheel", h);
	return 0;
}

/* Connections in no table: held by the application, or on the way out. */
static uint32_t count_outside(const struct hf_worker *w, struct walk *walk)
{
	uint32_t outside = 0;

	for (uint8_t version = 4; version <= 6; version += 2) {
		const struct pool *const pool = pools_pool(&w->pools, KIND_CONNECTION, version);

		for (uint32_t i = 0; i < pool->size; i++) {
			const handle h = pool_nth(pool, i);
			const struct connection *const c = connection_at(w, h);

			if (pools_entry(&w->pools, h)->prev == ENTRY_FREE)
				continue;
			walk->held += receive_mbufs(c);
			outside += c->flags & (CONN_DETACHED | CONN_CLOSED | CONN_DEAD) ? 1 : 0;
		}
	}
	return outside;
}

static int check_listeners(const struct hf_worker *w, struct hf_error *why)
{
	for (uint32_t i = 0; i < w->listeners.size; i++) {
		const struct listener *const l = &w->listeners.at[i];
		uint32_t waiting = 0;

		if (!l->used)
			continue;
		for (handle h = l->accept_head; h != HANDLE_NONE; h = connection_at(w, h)->accept.next)
			waiting++;
		if (waiting != l->accept_used)
			return why_say(why, -EFAULT,
				       "listener %u: %u wait to be accepted, %u counted", i,
				       waiting, l->accept_used);
	}
	return 0;
}

static int check_neighbours(const struct hf_worker *w, struct hf_error *why)
{
	const uint32_t waiting = neigh_mbufs(w);

	if (!neigh_check(&w->neighbours))
		return why_say(why, -EFAULT, "the neighbour table is not sound");
	if (waiting != w->waiting_mbufs)
		return why_say(why, -EFAULT, "%u mbufs wait for neighbours, %u counted", waiting,
			       w->waiting_mbufs);
	return 0;
}

static int compare(const char *what, uint64_t walked, uint64_t kept, struct hf_error *why)
{
	if (walked == kept)
		return 0;
	return why_say(why, -EFAULT, "%s: %" PRIu64 " found, %" PRIu64 " kept", what, walked, kept);
}

static int check_gauges(const struct hf_worker *w, struct walk *walk, struct hf_error *why)
{
	const uint32_t outside = count_outside(w, walk);
	struct hf_levels levels;
	uint32_t shut = 0;
	int rc;

	hf_levels(w, &levels);
	rc = compare("connections", walk->kinds[KIND_CONNECTION] + outside, levels.connections.used,
		     why);
	rc = rc ? rc : compare("requests", walk->kinds[KIND_REQUEST], levels.requests.used, why);
	rc = rc ? rc : compare("buckets", walk->kinds[KIND_BUCKET], levels.buckets.used, why);
	rc = rc ? rc : compare("timers", walk->armed, levels.timers, why);
	rc = rc ? rc : compare("orphans", walk->orphans, w->orphans, why);
	for (unsigned i = 0; i < SHUT_CLASSES; i++) {
		rc = rc ? rc : compare("shut windows", walk->shut[i], w->host.shut_by[i], why);
		shut += walk->shut[i];
	}
	rc = rc ? rc : compare("shut windows", shut, levels.shut_windows, why);
	rc = rc ? rc : compare("flights", walk->flights, levels.flights.used, why);
	rc = rc ? rc : compare("mbufs held", walk->held + w->range_used, w->held_mbufs, why);
	if (w->impair != NULL)
		rc = rc ? rc :
			  compare("mbufs impaired", impair_walk(w->impair), w->impair->mbufs, why);
	for (unsigned i = TCPS_SYN_SENT; rc == 0 && i < TCPS_COUNT; i++)
		rc = compare(tcp_state_name((enum tcp_state)i), walk->states[i],
			     w->host.levels[i].now, why);
	return rc;
}

int hf_check(const struct hf_worker *w, struct hf_error *why)
{
	struct walk walk = { 0 };
	uint64_t cursor = 0;
	handle h;

	while ((h = flow_next(&w->flows, &cursor)) != HANDLE_NONE) {
		const int rc = check_flow(w, h, &walk, why);

		if (rc != 0)
			return rc;
	}
	if (!flow_check(&w->flows))
		return why_say(why, -EFAULT, "the flow table is not sound");
	if (check_listeners(w, why) != 0 || check_neighbours(w, why) != 0)
		return -EFAULT;
	return check_gauges(w, &walk, why);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What may be read of a worker: counters, levels, one connection's status (RFC 9293 3.10.6), what a
 * tuple stands for. Nothing here changes anything; counters may be read from any thread (HF-CT1). */
#include <errno.h>
#include <string.h>

#include "io/worker.h"

struct counter {
	const char *unit, *help;
};

static const struct counter counters[STAT_COUNT] = {
#define STAT(name, unit, help) [STAT_##name] = { unit, help },
#include "stats.def"
#undef STAT
};

static const char *const names[STAT_COUNT] = {
#include "stat_names.inc" /* made of stats.def at build time */
};

_Static_assert((int)HF_STATES == (int)TCPS_COUNT && (int)HF_TIME_WAIT == (int)TCPS_TIME_WAIT &&
		       (int)HF_SYN_SENT == (int)TCPS_SYN_SENT &&
		       (int)HF_LAST_ACK == (int)TCPS_LAST_ACK,
	       "public and inner states are the same numbers");

unsigned hf_counters(void)
{
	return STAT_COUNT;
}

const char *hf_counter_name(unsigned counter)
{
	return names[counter];
}

const char *hf_counter_unit(unsigned counter)
{
	return counters[counter].unit;
}

const char *hf_counter_help(unsigned counter)
{
	return counters[counter].help;
}

uint64_t hf_counter(const struct hf_worker *w, unsigned counter)
{
	return __atomic_load_n(&w->stats[counter], __ATOMIC_RELAXED);
}

uint64_t hf_counter_named(const struct hf_worker *w, const char *name)
{
	for (unsigned i = 0; i < STAT_COUNT; i++)
		if (strcmp(hf_counter_name(i), name) == 0)
			return hf_counter(w, i);
	return UINT64_MAX;
}

void hf_state_levels(const struct hf_worker *w, struct hf_state_level levels[HF_STATES])
{
	for (unsigned i = 0; i < HF_STATES; i++) {
		levels[i].entered = __atomic_load_n(&w->host.levels[i].entered, __ATOMIC_RELAXED);
		levels[i].now = __atomic_load_n(&w->host.levels[i].now, __ATOMIC_RELAXED);
		levels[i].peak = __atomic_load_n(&w->host.levels[i].peak, __ATOMIC_RELAXED);
	}
}

static struct hf_level pool_level(const struct hf_worker *w, enum handle_kind kind)
{
	const struct pool *const v4 = &w->pools.pool[handle_make(kind, 4, 0) >> HANDLE_INDEX_BITS];
	const struct pool *const v6 = &w->pools.pool[handle_make(kind, 6, 0) >> HANDLE_INDEX_BITS];

	return (struct hf_level){
		.used = v4->used + v6->used,
		.peak = v4->peak + v6->peak,
		.size = v4->size + v6->size,
		.refused = v4->refused + v6->refused,
	};
}

static struct hf_level way_level(const struct way *way)
{
	return (struct hf_level){
		.used = way_held(way),
		.peak = way->peak,
		.size = way->size,
		.refused = way->refused,
	};
}

void hf_levels(const struct hf_worker *w, struct hf_levels *levels)
{
	*levels = (struct hf_levels){
		.connections = pool_level(w, KIND_CONNECTION),
		.requests = pool_level(w, KIND_REQUEST),
		.buckets = pool_level(w, KIND_BUCKET),
		.ranges = { .used = w->range_used,
			    .peak = w->range_peak,
			    .size = w->config.ranges,
			    .refused = w->range_refused },
		.neighbours = { .used = w->neighbours.used,
				.peak = w->neighbours.peak,
				.size = w->neighbours.size,
				.refused = w->neighbours.evicted },
		.flows = { .used = flow_count(&w->flows), .refused = w->stats[STAT_TABLE_FULL] },
		.timers = w->timers.armed + w->waits[0].armed + w->waits[1].armed,
		.orphans = w->orphans,
		.queued_mbufs = w->held_mbufs + w->tx_count + w->spare_count + w->waiting_frames,
		.memory = w->memory_octets,
	};
	if (w->impair != NULL) {
		levels->impair_in = way_level(&w->impair->in);
		levels->impair_out = way_level(&w->impair->out);
		levels->queued_mbufs += w->impair->mbufs;
	}
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t version = i == 0 ? 4 : 6;

		levels->bytes_per_connection[i] =
			w->pools.pool[handle_make(KIND_CONNECTION, version, 0) >> HANDLE_INDEX_BITS].stride;
		levels->bytes_per_request[i] =
			w->pools.pool[handle_make(KIND_REQUEST, version, 0) >> HANDLE_INDEX_BITS].stride;
		levels->bytes_per_bucket[i] =
			w->pools.pool[handle_make(KIND_BUCKET, version, 0) >> HANDLE_INDEX_BITS].stride;
	}
}

/* ---- One thing ------------------------------------------------------------------------------------ */

static void flow_addresses(const struct flow *flow, struct hf_addr *local, struct hf_addr *peer)
{
	local->ip.version = peer->ip.version = flow->version;
	local->port = flow_local_port(flow);
	peer->port = flow_remote_port(flow);
	if (flow->version == 6) {
		memcpy(local->ip.octets, flow->v6.local, 16);
		memcpy(peer->ip.octets, flow->v6.remote, 16);
	} else {
		memcpy(local->ip.octets, &flow->v4.local, 4);
		memcpy(peer->ip.octets, &flow->v4.remote, 4);
	}
}

/* Ticks are told as microseconds of the caller's clock. */
static uint64_t tick_us(const struct hf_worker *w, uint32_t tick)
{
	return (w->host.now_us / 1000 + (uint64_t)(int64_t)(int32_t)(tick - w->host.now_ms)) * 1000;
}

static void connection_status(const struct hf_worker *w, handle h, struct hf_status *s)
{
	const struct connection *const c = connection_at(w, h);
	const struct tcb *const tcb = &c->tcb;
	uint32_t tick;

	s->state = (enum hf_state)tcb->state;
	s->snd_una = tcb->snd_una;
	s->snd_nxt = tcb->snd_nxt;
	s->snd_wnd = tcb->snd_wnd;
	s->iss = tcb->iss;
	s->rcv_nxt = tcb->rcv_nxt;
	s->rcv_wnd = tcb->rcv_adv - tcb->rcv_nxt;
	s->irs = tcb->irs;
	s->unacked = tcb->snd_nxt - tcb->snd_una;
	s->unsent = tcb->flags & TCB_FIN_SENT || tcb->snd_nxt == tcb->iss ?
			    0 :
			    tcb->snd_end - tcb->snd_nxt;
	s->readable = tcb->rcv_queued;
	s->snd_mss = tcb->snd_mss;
	s->soft_error = tcb->soft_error;
	s->srtt_us = tcb->srtt_us;
	s->rto_ms = tcb->rto_ms;
	s->cwnd = tcb->cwnd;
	s->retransmits = tcb->retransmits;
	s->timestamps = tcb->flags & TCB_TS;
	s->sack = tcb->flags & TCB_SACK;
	s->accepted = !(c->flags & CONN_WAITING);
	s->closed = tcb->flags & TCB_ORPHAN;
	if (!(c->flags & CONN_DETACHED) && tcp_deadline(tcb, &tick))
		s->deadline_us = tick_us(w, tick);
}

static void request_status(const struct hf_worker *w, handle h, struct hf_status *s)
{
	const struct request *const rq = request_at(w, h);

	s->state = HF_SYN_RECEIVED;
	s->snd_una = s->iss = rq->iss;
	s->snd_nxt = rq->iss + 1;
	s->snd_wnd = rq->wnd;
	s->irs = rq->irs;
	s->rcv_nxt = rq->irs + 1;
	s->retransmits = rq->retransmits;
	s->timestamps = rq->flags & REQUEST_TS;
	s->sack = rq->flags & REQUEST_SACK;
	s->deadline_us = tick_us(w, ((const struct entry *)pools_at(&w->pools, h))->tick);
}

static void bucket_status(const struct hf_worker *w, handle h, struct hf_status *s)
{
	const struct timewait *const tw = bucket_at(w, h);

	s->state = tw->flags & TW_FIN_WAIT_2 ? HF_FIN_WAIT_2 : HF_TIME_WAIT;
	s->snd_una = s->snd_nxt = tw->snd_nxt;
	s->rcv_nxt = tw->rcv_nxt;
	s->rcv_wnd = (uint32_t)tw->rcv_wnd << tw->rcv_wscale;
	s->timestamps = tw->flags & TW_TS;
	s->closed = true;
	s->deadline_us = tick_us(w, ((const struct entry *)pools_at(&w->pools, h))->tick);
}

static void status_of(const struct hf_worker *w, handle h, struct hf_status *s)
{
	struct flow flow;

	*s = (struct hf_status){ .deadline_us = UINT64_MAX };
	entry_flow(w, h, &flow);
	flow_addresses(&flow, &s->local, &s->peer);
	switch (handle_kind(h)) {
	case KIND_CONNECTION:
		connection_status(w, h, s);
		break;
	case KIND_REQUEST:
		request_status(w, h, s);
		break;
	case KIND_BUCKET:
		bucket_status(w, h, s);
		break;
	case KIND_NONE:
		break;
	}
}

int hf_status(const struct hf_worker *w, uint64_t id, struct hf_status *status)
{
	const handle h = connection_find(w, id);

	if (h == HANDLE_NONE)
		return -EBADF;
	status_of(w, h, status);
	return 0;
}

int hf_lookup(const struct hf_worker *w, const struct hf_addr *local, const struct hf_addr *peer,
	      struct hf_status *status)
{
	struct flow flow;
	handle h;

	flow_of(local, peer, &flow);
	h = flow_find(&w->flows, flow_hash(&w->secrets, &flow), &flow);
	if (h == HANDLE_NONE)
		return -ENOENT;
	status_of(w, h, status);
	return 0;
}

void hf_fail_allocation(struct hf_worker *w, uint64_t n)
{
	w->pools.fail_in = n;
}

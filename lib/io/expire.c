/* SPDX-License-Identifier: BSD-3-Clause */
/* What is due: retransmissions, delayed ACKs, SYN-ACKs, FIN-WAIT-2 and 2MSL (RFC 9293 3.10.8). A crowd
 * with one deadline is spread over turns (TW-L5). */
#include "io/worker.h"

#define EXPIRIES_A_TURN 64 /* of each wheel */

static void expire_connection(struct hf_worker *w, handle h)
{
	struct connection *const c = connection_at(w, h);
	struct out out;

	out_init(&out);
	tcp_timeout(&w->host, &c->tcb, &out);
	connection_after(w, h, c, &out);
}

static void expire_request(struct hf_worker *w, handle h)
{
	struct flow flow;
	struct out out;

	out_init(&out);
	if (!request_timeout(&w->host, request_at(w, h), &out)) {
		request_release(w, h, STAT_SYNACK_TIMEOUT);
		return;
	}
	wheel_arm(&w->timers, h, request_deadline(&w->host, request_at(w, h)));
	entry_flow(w, h, &flow);
	emit_answers(w, &flow, &out);
}

static void expire_bucket(struct hf_worker *w, handle h, uint64_t hash)
{
	flow_remove(&w->flows, hash, h);
	if (bucket_at(w, h)->flags & TW_FIN_WAIT_2) {
		count(w, STAT_LOST_TIMEOUT);
		bucket_drop(w, h, STAT_FW2_TIMEOUT);
	} else {
		bucket_drop(w, h, STAT_TW_EXPIRED);
	}
}

/* What a million records cost is the misses of their table lines: fetch them all, then take them out. */
static void prefetch_buckets(struct hf_worker *w, const handle *due, uint32_t n, uint64_t *hash)
{
	struct flow flow;

	for (uint32_t i = 0; i < n; i++) {
		if (handle_kind(due[i]) != KIND_BUCKET)
			continue;
		entry_flow(w, due[i], &flow);
		hash[i] = flow_hash(&w->secrets, &flow);
		flow_prefetch(&w->flows, hash[i]);
	}
}

/* @return whether there was anything */
static bool expire_wheel(struct hf_worker *w, struct wheel *wheel)
{
	handle due[EXPIRIES_A_TURN];
	uint64_t hash[EXPIRIES_A_TURN];
	const uint32_t n = wheel_advance(wheel, w->host.now_ms, due, EXPIRIES_A_TURN);

	prefetch_buckets(w, due, n, hash);
	for (uint32_t i = 0; i < n; i++) {
		switch (handle_kind(due[i])) {
		case KIND_CONNECTION:
			expire_connection(w, due[i]);
			break;
		case KIND_REQUEST:
			expire_request(w, due[i]);
			break;
		case KIND_BUCKET:
			expire_bucket(w, due[i], hash[i]);
			break;
		case KIND_NONE:
			break;
		}
	}
	w->stats[STAT_EXPIRIES] += n;
	w->overdue |= n == EXPIRIES_A_TURN;
	return n > 0;
}

bool worker_expire(struct hf_worker *w)
{
	bool any;

	w->overdue = false;
	any = expire_wheel(w, &w->timers);
	any |= expire_wheel(w, &w->waits[0]);
	any |= expire_wheel(w, &w->waits[1]);
	if (w->resolves)
		any |= neigh_turn(w);
	return any;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What other threads want of a worker (hf_ask): they put a question into its ring, it answers between turns
 * (DESIGN 2.1), a list in bounded pieces. Listeners, then the pools in the order in which a
 * thing passes through them, each by place: what moves on while it is listed is not lost. */
#include <errno.h>

#include "io/worker.h"

#define LOOK_AT 512 /* places a turn */
#define TELL 64	    /* entries a turn */
#define AHEAD 8	    /* places that are fetched before they are looked at */

/* Of a cursor: what is walked, and how far. */
#define CURSOR(walk, index) ((uint64_t)(walk) << 32 | (index))

static const struct walk {
	enum handle_kind kind; /* KIND_NONE: the listeners */
	uint8_t version;
} walks[] = {
	{ KIND_NONE, 0 },	{ KIND_REQUEST, 4 }, { KIND_REQUEST, 6 }, { KIND_CONNECTION, 4 },
	{ KIND_CONNECTION, 6 }, { KIND_BUCKET, 4 },  { KIND_BUCKET, 6 },
};
#define WALKS (sizeof(walks) / sizeof(walks[0]))

size_t ask_memory(void)
{
	return (size_t)rte_ring_get_memsize(QUESTIONS);
}

void ask_init(struct hf_worker *w, void *memory)
{
	w->questions = memory;
	rte_ring_init(w->questions, "questions", QUESTIONS, RING_F_SC_DEQ);
}

int hf_ask(struct hf_worker *w, struct hf_question *q)
{
	if (q->what == HF_ASK_LIST && (q->entries == NULL || q->max == 0))
		return -EINVAL;
	q->count = 0;
	q->more = false;
	__atomic_store_n(&q->answered, 0, __ATOMIC_RELAXED);
	return rte_ring_mp_enqueue(w->questions, q) == 0 ? 0 : -EAGAIN;
}

bool hf_answered(const struct hf_question *q)
{
	return __atomic_load_n(&q->answered, __ATOMIC_ACQUIRE) != 0;
}

/* ---- Is it wanted? -------------------------------------------------------------------------------- */

static bool end_matches(const struct hf_match *match, const struct hf_addr *addr)
{
	const unsigned octets = match->prefix / 8u, bits = match->prefix % 8u;

	if ((match->port_first | match->port_last) != 0 &&
	    (addr->port < match->port_first || addr->port > match->port_last))
		return false;
	if (match->ip.version == 0)
		return true;
	return match->ip.version == addr->ip.version && match->prefix <= 128 &&
	       memcmp(match->ip.octets, addr->ip.octets, octets) == 0 &&
	       (bits == 0 || (match->ip.octets[octets] ^ addr->ip.octets[octets]) >> (8 - bits) == 0);
}

bool filter_matches(const struct hf_filter *filter, const struct hf_addr *local,
		    const struct hf_addr *peer)
{
	return end_matches(&filter->local, local) && end_matches(&filter->peer, peer);
}

static bool state_matches(const struct hf_filter *filter, unsigned state)
{
	return filter->states != 0 ? filter->states >> state & 1 : state != HF_LISTEN;
}

/* CLOSED: it is no entry of a list. A connection that is over, or whose record has taken its place, waits
 * here only for its application. */
static enum tcp_state state_of(const struct hf_worker *w, handle h)
{
	const struct connection *c;

	switch (handle_kind(h)) {
	case KIND_REQUEST:
		return TCPS_SYN_RECEIVED;
	case KIND_BUCKET:
		return bucket_at(w, h)->flags & TW_FIN_WAIT_2 ? TCPS_FIN_WAIT_2 : TCPS_TIME_WAIT;
	case KIND_CONNECTION:
		c = connection_at(w, h);
		return c->flags & (CONN_CLOSED | CONN_DEAD | CONN_DETACHED) ?
			       TCPS_CLOSED :
			       (enum tcp_state)c->tcb.state;
	case KIND_NONE:
		break;
	}
	return TCPS_CLOSED;
}

/* ---- What it is ------------------------------------------------------------------------------------- */

static void tell_thing(const struct hf_worker *w, handle h, struct hf_question *q)
{
	static const enum hf_kind kinds[] = {
		[KIND_REQUEST] = HF_KIND_REQUEST, [KIND_CONNECTION] = HF_KIND_CONNECTION, [KIND_BUCKET] = HF_KIND_BUCKET
	};
	struct hf_entry *const e = &q->entries[q->count];
	struct hf_addr local = { 0 }, peer = { 0 };
	const enum tcp_state state = state_of(w, h);
	struct flow flow;

	if (state == TCPS_CLOSED || !state_matches(&q->filter, state))
		return;
	entry_flow(w, h, &flow);
	flow_addresses(&flow, &local, &peer);
	if (!filter_matches(&q->filter, &local, &peer))
		return;
	*e = (struct hf_entry){ .kind = kinds[handle_kind(h)], .cursor = q->cursor + 1 };
	status_of(w, h, &e->status);
	if (e->kind == HF_KIND_CONNECTION && e->status.accepted)
		e->id = connection_id(connection_at(w, h), h);
	q->count++;
}

static void tell_listener(const struct hf_worker *w, uint32_t i, struct hf_question *q)
{
	const struct listener *const l = &w->listeners.at[i];
	struct hf_entry *const e = &q->entries[q->count];
	struct hf_addr local = { .port = l->port, .ip.version = l->version }, none = { 0 };

	none.ip.version = l->version;
	memcpy(local.ip.octets, l->local, l->version == 6 ? 16 : 4);
	if (!l->used || !state_matches(&q->filter, HF_LISTEN) ||
	    !filter_matches(&q->filter, &local, &none))
		return;
	*e = (struct hf_entry){
		.kind = HF_KIND_LISTENER,
		.status = { .local = local, .peer = none, .state = HF_LISTEN, .deadline_us = UINT64_MAX },
		.half_open = l->backlog_used,
		.waiting = l->accept_used,
		.cursor = q->cursor + 1,
	};
	q->count++;
}

/* ---- The walk ------------------------------------------------------------------------------------------ */

/* Places of a walk that have ever been used. A pool gives what came back before what is new. */
static uint32_t walk_size(const struct hf_worker *w, const struct walk *walk)
{
	if (walk->kind == KIND_NONE)
		return w->listeners.size;
	return pools_pool(&w->pools, walk->kind, walk->version)->peak;
}

static void look_at(const struct hf_worker *w, const struct walk *walk, uint32_t i,
		    struct hf_question *q)
{
	const struct pool *const pool = pools_pool(&w->pools, walk->kind, walk->version);
	const handle h = pool_nth(pool, i);
	const struct entry *e;

	if (walk->kind == KIND_NONE) {
		tell_listener(w, i, q);
		return;
	}
	e = pools_entry(&w->pools, h);
	__builtin_prefetch((const char *)e + (size_t)AHEAD * pool->stride);
	if (e->prev != ENTRY_FREE)
		tell_thing(w, h, q);
}

static void finish(struct hf_worker *w, struct hf_question *q, bool more)
{
	q->more = more;
	q->now_us = w->host.now_us;
	w->question = NULL;
	__atomic_store_n(&q->answered, 1, __ATOMIC_RELEASE); /* from here on it is the asker's */
}

/* A page, or as much of it as one turn may take. */
static void list(struct hf_worker *w, struct hf_question *q)
{
	const uint32_t told = q->count;

	for (unsigned looked = 0; looked < LOOK_AT && q->count - told < TELL; looked++) {
		const uint32_t n = (uint32_t)(q->cursor >> 32), i = (uint32_t)q->cursor;

		if (n >= WALKS) {
			finish(w, q, false);
			return;
		}
		if (i >= walk_size(w, &walks[n])) {
			q->cursor = CURSOR(n + 1, 0);
			continue;
		}
		look_at(w, &walks[n], i, q);
		q->cursor++;
		if (q->count == q->max) {
			finish(w, q, true);
			return;
		}
	}
}

void ask_answer(struct hf_worker *w)
{
	void *next = NULL;

	if (w->question == NULL) {
		if (rte_ring_sc_dequeue(w->questions, &next) != 0)
			return;
		w->question = next;
	}
	switch (w->question->what) {
	case HF_ASK_LIST:
		list(w, w->question);
		return;
	case HF_ASK_LISTEN:
		w->question->error = hf_listen(w, &w->question->local, w->question->cookie,
					       &w->question->listener);
		break;
	case HF_ASK_UNLISTEN:
		w->question->error = hf_unlisten(w, w->question->listener);
		break;
	}
	finish(w, w->question, false);
}

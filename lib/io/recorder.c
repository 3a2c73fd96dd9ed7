/* SPDX-License-Identifier: BSD-3-Clause */
/* The flight recorder. Each connection that begins gets a place, found by the hash of its flow among PROBES; there
 * the last HF_RECORDS events go round. A place is anybody's again when its connection has ended in order or by its own
 * application's ABORT; what ended badly stays until it has been read. The state is looked up after each event, so a
 * change tells itself; while an arrival is dealt with, it is the arrival's. */
#include <errno.h>

#include "io/recorder.h"
#include "table/pow2.h"

#define PROBES 4

struct place {
	bool used, kept;
	bool aborted;  /* by its own application, last it called */
	uint8_t state; /* enum hf_state, as last seen */
	int32_t error;
	uint32_t count; /* events in all */
	struct flow flow;
	struct hf_record events[HF_RECORDS];
};

struct recorder {
	uint32_t mask; /* places - 1 */
	uint64_t refused;
	struct place *arriving; /* whose segment is being dealt with; NULL: nobody's */
	struct hf_record *arrival;
	struct place places[];
};

static uint64_t places(uint32_t connections)
{
	return pow2_from(PROBES, connections);
}

size_t recorder_memory(uint32_t connections)
{
	return connections == 0 ?
		       0 :
		       sizeof(struct recorder) + places(connections) * sizeof(struct place);
}

void recorder_init(struct hf_worker *w, void *memory)
{
	if (w->config.record == 0)
		return;
	w->recorder = memory;
	w->recorder->mask = (uint32_t)places(w->config.record) - 1;
}

/* ---- Places ------------------------------------------------------------------------------------------ */

static bool same_flow(const struct flow *a, const struct flow *b)
{
	return a->version == b->version &&
	       (a->version == 6 ? memcmp(&a->v6, &b->v6, sizeof(a->v6)) == 0 :
				  memcmp(&a->v4, &b->v4, sizeof(a->v4)) == 0);
}

static enum hf_state state_of(const struct hf_worker *w, const struct flow *flow)
{
	const handle h = flow_find(&w->flows, flow_hash(&w->secrets, flow), flow);
	struct hf_status s;

	if (h == HANDLE_NONE)
		return HF_CLOSED;
	status_of(w, h, &s);
	return s.state;
}

static bool wanted(const struct hf_worker *w, const struct flow *flow)
{
	struct hf_addr local = { 0 }, peer = { 0 };

	flow_addresses(flow, &local, &peer);
	return filter_matches(&w->config.record_filter, &local, &peer);
}

/* The flow's own place; or with begin one that is free, or whose connection has ended in order. */
static struct place *place_find(struct hf_worker *w, const struct flow *flow, bool begin)
{
	struct recorder *const r = w->recorder;
	const uint32_t home = (uint32_t)flow_hash(&w->secrets, flow);
	struct place *room = NULL;

	for (uint32_t i = 0; i < PROBES; i++) {
		struct place *const p = &r->places[(home + i) & r->mask];

		if (p->used && !p->kept && same_flow(&p->flow, flow))
			return p;
		if (room == NULL && begin &&
		    (!p->used || (!p->kept && state_of(w, &p->flow) == HF_CLOSED)))
			room = p;
	}
	if (!begin || !wanted(w, flow))
		return NULL;
	if (room == NULL) {
		r->refused++;
		return NULL;
	}
	memset(room, 0, offsetof(struct place, events));
	room->used = true;
	room->flow = *flow;
	room->state = HF_CLOSED;
	return room;
}

static struct hf_record *next_event(struct hf_worker *w, struct place *p, enum hf_record_what what)
{
	struct hf_record *const e = &p->events[p->count++ % HF_RECORDS];

	*e = (struct hf_record){ .at_us = w->host.now_us, .what = what };
	return e;
}

static void look(struct hf_worker *w, struct place *p, struct hf_record *e)
{
	e->before = (enum hf_state)p->state;
	e->after = state_of(w, &p->flow);
	p->state = (uint8_t)e->after;
	if (w->recorder->arriving == p) {
		w->recorder->arrival->after = e->after;
		e->before = e->after;
	}
}

/* ---- Events -------------------------------------------------------------------------------------------- */

static struct hf_record *segment_event(struct hf_worker *w, struct place *p,
				       enum hf_record_what what, const struct seg *seg)
{
	struct hf_record *const e = next_event(w, p, what);

	e->flags = seg->flags;
	e->seq = seg->seq;
	e->ack = seg->ack;
	e->wnd = (uint16_t)seg->wnd;
	e->text_len = seg->text_len;
	return e;
}

void recorder_sent(struct hf_worker *w, const struct flow *flow, const struct seg *seg)
{
	struct place *const p = place_find(w, flow, seg->flags & SEG_SYN);

	if (p != NULL)
		look(w, p, segment_event(w, p, HF_RECORD_OUT, seg));
}

void recorder_arrives(struct hf_worker *w, const struct flow *flow, const struct seg *seg)
{
	struct recorder *const r = w->recorder;
	struct place *const p = place_find(w, flow, seg->flags & SEG_SYN);

	if (p == NULL)
		return;
	r->arrival = segment_event(w, p, HF_RECORD_IN, seg);
	look(w, p, r->arrival);
	r->arriving = p;
}

void recorder_arrived(struct hf_worker *w)
{
	struct recorder *const r = w->recorder;

	if (r->arriving != NULL && !r->arriving->kept) {
		r->arrival->after = state_of(w, &r->arriving->flow);
		r->arriving->state = (uint8_t)r->arrival->after;
	}
	r->arriving = NULL;
}

void recorder_call(struct hf_worker *w, handle h, enum hf_record_what what)
{
	struct flow flow;
	struct place *p;

	if (connection_at(w, h)->flags & CONN_DETACHED)
		return; /* its tuple may be another's by now */
	entry_flow(w, h, &flow);
	p = place_find(w, &flow, what == HF_RECORD_CONNECT);
	if (p == NULL)
		return;
	p->aborted = what == HF_RECORD_ABORT;
	look(w, p, next_event(w, p, what));
}

void recorder_keep(struct hf_worker *w, const struct flow *flow, int32_t error)
{
	struct place *const p = place_find(w, flow, false);

	if (p == NULL)
		return;
	look(w, p, next_event(w, p, HF_RECORD_END));
	p->kept = !(p->aborted && error == ECONNABORTED);
	p->error = error;
}

/* ---- Reading ------------------------------------------------------------------------------------------- */

bool hf_recording(struct hf_worker *w, uint32_t *cursor, struct hf_recording *out)
{
	struct recorder *const r = w->recorder;

	while (r != NULL && *cursor <= r->mask) {
		const struct place *const p = &r->places[(*cursor)++];
		const uint32_t n = p->count < HF_RECORDS ? p->count : HF_RECORDS;

		if (!p->used)
			continue;
		memset(out, 0, sizeof(*out));
		flow_addresses(&p->flow, &out->local, &out->peer);
		out->kept = p->kept;
		out->error = p->error;
		out->lost = p->count - n;
		out->count = n;
		for (uint32_t i = 0; i < n; i++)
			out->events[i] = p->events[(p->count - n + i) % HF_RECORDS];
		return true;
	}
	return false;
}

uint64_t hf_recordings_refused(const struct hf_worker *w)
{
	return w->recorder != NULL ? w->recorder->refused : 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A ring of frame copies from one worker to one reader (hf_watch). Places are of one size and taken in the
 * order in which frames pass; an arrival's is filled before the segment is judged, for its buffer may be
 * another frame's a moment later, and gets the state afterwards. The reader sees a turn at a time.
 */
#include "io/watch.h"

#include <errno.h>
#include <stdatomic.h>

#include <rte_cycles.h>

#include "io/memory.h"
#include "io/why.h"
#include "wire/octets.h"

#define PROTOCOL_TCP 6
#define WATCH_OCTETS_MIN 78 /* a tagged frame up to the ports of IPv6, and more */

struct place {
	struct hf_seen seen;
	const struct rte_mbuf *m; /* which one it was, to find the place again; not to be followed */
	uint8_t octets[];
};

struct watch {
	/* set by hf_watch, then read-only */
	size_t memory_octets;
	uint32_t frames, octets, size; /* places, octets of a frame that are kept, of a place */
	/* the worker's */
	alignas(RTE_CACHE_LINE_SIZE) uint64_t next; /* place to be filled */
	uint64_t arrival, arrival_end; /* places of the burst that is being dealt with */
	_Atomic uint64_t published, lost;
	/* the reader's */
	alignas(RTE_CACHE_LINE_SIZE) _Atomic uint64_t read;
	uint64_t held; /* 1: the place at read is being looked at */
	alignas(RTE_CACHE_LINE_SIZE) uint8_t places[];
};

static struct place *place_at(const struct watch *watch, uint64_t i)
{
	return (struct place *)(uintptr_t)(watch->places + (i & (watch->frames - 1)) * watch->size);
}

/* ---- The worker's end ---------------------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
	return (uint64_t)((unsigned __int128)rte_rdtsc() * 1000000000 / rte_get_tsc_hz());
}

/* @return the place that the frame has got; NULL: there was none */
static struct place *copy(struct hf_worker *w, const struct rte_mbuf *m, uint64_t at_ns, bool out)
{
	struct watch *const watch = w->watch;
	struct place *const place = place_at(watch, watch->next);
	const uint32_t len = RTE_MIN(m->pkt_len, watch->octets);
	const void *octets;

	if (watch->next - atomic_load_explicit(&watch->read, memory_order_acquire) == watch->frames) {
		atomic_fetch_add_explicit(&watch->lost, 1, memory_order_relaxed);
		return NULL;
	}
	octets = rte_pktmbuf_read(m, 0, len, place->octets);
	if (octets != place->octets) /* NULL never: it is that long */
		memcpy(place->octets, octets, len);
	place->m = m;
	place->seen = (struct hf_seen){
		.at_us = w->host.now_us,
		.at_ns = at_ns,
		.len = len,
		.wire_len = m->pkt_len,
		.octets = place->octets,
		.out = out,
	};
	watch->next++;
	return place;
}

/* What the tuple stands for now, to this end (hf_lookup, and LISTEN told from CLOSED). */
static void tell_state(const struct hf_worker *w, const struct flow *flow, struct hf_seen *seen)
{
	const handle h = flow_find(&w->flows, flow_hash(&w->secrets, flow), flow);
	struct hf_status status;

	seen->known = true;
	if (h == HANDLE_NONE) {
		seen->state = listen_find(&w->listeners, flow) >= 0 ? HF_LISTEN : HF_CLOSED;
		return;
	}
	status_of(w, h, &status);
	seen->state = status.state;
	if (status.state != HF_TIME_WAIT)
		return;
	if (status.deadline_us == UINT64_MAX) /* its record is about to be made */
		seen->wait_us = w->config.tcp.tw_len_ms * 1000ull;
	else if (status.deadline_us > w->host.now_us)
		seen->wait_us = status.deadline_us - w->host.now_us;
}

void watch_arrived(struct hf_worker *w, struct rte_mbuf **rx, unsigned n)
{
	struct watch *const watch = w->watch;
	const uint64_t at_ns = n > 0 ? now_ns() : 0;

	watch->arrival = watch->next;
	for (unsigned i = 0; i < n; i++)
		copy(w, rx[i], at_ns, false);
	watch->arrival_end = watch->next;
}

void watch_taken(struct hf_worker *w, const struct rte_mbuf *m, const struct flow *flow)
{
	struct watch *const watch = w->watch;

	for (uint64_t i = watch->arrival; i < watch->arrival_end; i++) {
		struct place *const place = place_at(watch, i);

		if (place->m == m) {
			tell_state(w, flow, &place->seen);
			watch->arrival = i + 1;
			return;
		}
	}
}

/* The flow of a frame of ours, which has neither options nor extension headers. @return false: not TCP */
static bool sent_flow(const struct hf_worker *w, const struct hf_seen *seen, struct flow *flow)
{
	const uint32_t link = w->link.l3 ? 0 : w->link.vlan ? 18 : 14;
	const uint8_t *const ip = seen->octets + link;
	const bool v6 = seen->len > link && ip[0] >> 4 == 6;
	const uint8_t *const tcp = ip + (v6 ? 40 : 20);

	memset(flow, 0, sizeof(*flow));
	flow->version = v6 ? 6 : 4;
	if (seen->len < link + (v6 ? 60 : 40) || ip[v6 ? 6 : 9] != PROTOCOL_TCP)
		return false;
	if (v6) {
		memcpy(flow->v6.local, ip + 8, 16);
		memcpy(flow->v6.remote, ip + 24, 16);
		flow->v6.local_port = get16(tcp);
		flow->v6.remote_port = get16(tcp + 2);
	} else {
		memcpy(&flow->v4.local, ip + 12, 4);
		memcpy(&flow->v4.remote, ip + 16, 4);
		flow->v4.local_port = get16(tcp);
		flow->v4.remote_port = get16(tcp + 2);
	}
	return ip[0] >> 4 == (v6 ? 6 : 4);
}

void watch_sent(struct hf_worker *w, const struct rte_mbuf *m)
{
	struct place *const place = copy(w, m, now_ns(), true);
	struct flow flow;

	if (place != NULL && sent_flow(w, &place->seen, &flow))
		tell_state(w, &flow, &place->seen);
}

void watch_publish(struct hf_worker *w)
{
	atomic_store_explicit(&w->watch->published, w->watch->next, memory_order_release);
}

/* ---- Set-up, and the reader's end ------------------------------------------------------------------------ */

int hf_watch(struct hf_worker *w, uint32_t frames, uint32_t octets, struct hf_error *why)
{
	const uint32_t least = sizeof(struct place) + octets;
	const uint32_t size = (least + RTE_CACHE_LINE_SIZE - 1) & ~(RTE_CACHE_LINE_SIZE - 1u);
	const size_t memory_octets = sizeof(struct watch) + (size_t)frames * size;
	struct watch *watch;

	if (frames == 0 || (frames & (frames - 1)) != 0)
		return why_say(why, -EINVAL, "hf_watch: frames is a power of two, not %u", frames);
	if (octets < WATCH_OCTETS_MIN || octets > UINT16_MAX)
		return why_say(why, -EINVAL, "hf_watch: octets is %d to %d, not %u",
			       WATCH_OCTETS_MIN, UINT16_MAX, octets);
	if (w->watch != NULL)
		return why_say(why, -EBUSY, "hf_watch: the worker is watched already");
	watch = memory_take(memory_octets);
	if (watch == NULL)
		return why_say(why, -ENOMEM, "hf_watch: no memory for %u frames", frames);
	watch->memory_octets = memory_octets;
	watch->frames = frames;
	watch->octets = octets;
	watch->size = size;
	w->watch = watch;
	w->tx_full = 1; /* emit_frame asks after each */
	return 0;
}

bool hf_watch_next(struct hf_worker *w, struct hf_seen *seen)
{
	struct watch *const watch = w->watch;
	uint64_t read;

	if (watch == NULL)
		return false;
	read = atomic_load_explicit(&watch->read, memory_order_relaxed) + watch->held;
	watch->held = 0;
	atomic_store_explicit(&watch->read, read, memory_order_release);
	if (read == atomic_load_explicit(&watch->published, memory_order_acquire))
		return false;
	*seen = place_at(watch, read)->seen;
	watch->held = 1;
	return true;
}

uint64_t hf_watch_lost(const struct hf_worker *w)
{
	return w->watch != NULL ? atomic_load_explicit(&w->watch->lost, memory_order_relaxed) : 0;
}

void watch_drop(struct hf_worker *w)
{
	if (w->watch != NULL)
		memory_give(w->watch, w->watch->memory_octets);
	w->watch = NULL;
}

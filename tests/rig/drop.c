/* SPDX-License-Identifier: BSD-3-Clause */
/* A frame of which nothing may come but one counter. See rig.h. */
#include <string.h>

#include "rig/rig.h"

/* Rise with every frame and turn. */
static bool always_rises(const char *name)
{
	static const char *const names[] = { "rx_frames", "rx_octets", "turns", "turns_busy" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool same_status(const struct hf_status *a, const struct hf_status *b)
{
	return a->state == b->state && a->snd_una == b->snd_una && a->snd_nxt == b->snd_nxt &&
	       a->snd_wnd == b->snd_wnd && a->rcv_nxt == b->rcv_nxt && a->rcv_wnd == b->rcv_wnd &&
	       a->unsent == b->unsent && a->unacked == b->unacked && a->readable == b->readable &&
	       a->cwnd == b->cwnd && a->rto_ms == b->rto_ms && a->retransmits == b->retransmits &&
	       a->deadline_us == b->deadline_us;
}

static bool same_levels(const struct hf_levels *a, const struct hf_levels *b)
{
	return a->connections.used == b->connections.used && a->requests.used == b->requests.used &&
	       a->buckets.used == b->buckets.used && a->ranges.used == b->ranges.used &&
	       a->flows.used == b->flows.used && a->timers == b->timers &&
	       a->orphans == b->orphans && a->queued_mbufs == b->queued_mbufs;
}

static void expect_counted(const char *file, int line, struct rig *r, const char *counter)
{
	unsigned drops = 0;

	for (unsigned i = 0; i < hf_counters(); i++) {
		const char *const name = hf_counter_name(i);
		const uint64_t rose = hf_counter(r->w, i) - r->marks[i];
		const bool is_drop = strncmp(name, "rx_drop_", 8) == 0;

		if (rose == 0 || always_rises(name))
			continue;
		if (rose != 1 || !is_drop || (counter && strcmp(name, counter) != 0))
			rig_fail_at(file, line, r, "%s rose by %llu", name, (unsigned long long)rose);
		drops++;
	}
	if (drops != 1)
		rig_fail_at(file, line, r, "wanted one drop counted, by %s",
			    counter ? counter : "any");
}

void rig_expect_dropped_at(const char *file, int line, struct rig *r, const void *frame, size_t len,
			   const char *counter)
{
	struct hf_status before = { 0 }, after = { 0 };
	struct hf_levels levels, levels_after;

	if (r->turn_open)
		rig_flush(r);
	rig_mark(r);
	levels = rig_levels(r);
	hf_lookup(r->w, &r->local, &r->peer, &before);
	rig_push_raw(r, frame, len, NULL);
	rig_turn(r);
	rig_flush(r);
	hf_lookup(r->w, &r->local, &r->peer, &after);
	levels_after = rig_levels(r);
	if (r->out_count != 0 || r->event_count != 0)
		rig_fail_at(file, line, r, "it drew a frame or an event");
	if (!same_status(&before, &after) || !same_levels(&levels, &levels_after))
		rig_fail_at(file, line, r, "it changed a connection or a level");
	expect_counted(file, line, r, counter);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What may be read of a worker as a whole: counters and levels, from any thread (HF-CT1). Nothing here
 * changes anything. */
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

/* NOLINTNEXTLINE(misc-redundant-expression): two enums */
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
	const struct pool *const v4 = pools_pool(&w->pools, kind, 4);
	const struct pool *const v6 = pools_pool(&w->pools, kind, 6);

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

/* The record that ends first is the oldest, but for those that a FIN has restarted. When another thread asks it
 * may go meanwhile, or be another one, entered after the time that was read: places stay where they are. */
static uint32_t oldest_wait_ms(const struct hf_worker *w)
{
	const uint32_t now_ms = __atomic_load_n(&w->host.now_ms, __ATOMIC_RELAXED);
	int32_t oldest_ms = 0;

	for (unsigned i = 0; i < 2; i++) {
		const handle h = wheel_oldest(&w->waits[i]);
		const int32_t age_ms =
			h == HANDLE_NONE ? 0 : (int32_t)(now_ms - bucket_at(w, h)->entered_ms);

		if (age_ms > oldest_ms)
			oldest_ms = age_ms;
	}
	return (uint32_t)oldest_ms;
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
		.flights = { .used = w->host.flights.used,
			     .peak = w->host.flights.peak,
			     .size = w->config.flights,
			     .refused = w->stats[STAT_FLIGHTS_EMPTY] },
		.neighbours = { .used = w->neighbours.used,
				.peak = w->neighbours.peak,
				.size = w->neighbours.size,
				.refused = w->neighbours.evicted },
		.flows = { .used = flow_count(&w->flows),
			   .peak = w->flows.peak,
			   .size = w->flows.lines * FLOW_SLOTS,
			   .refused = w->stats[STAT_TABLE_FULL] },
		.timers = w->timers.armed + w->waits[0].armed + w->waits[1].armed,
		.oldest_wait_ms = oldest_wait_ms(w),
		.orphans = w->orphans,
		.shut_windows = w->host.shut,
		.queued_mbufs = w->held_mbufs + emit_mbufs(w) + w->spare_count + w->waiting_mbufs +
				steer_waiting(w),
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
			pools_pool(&w->pools, KIND_CONNECTION, version)->stride;
		levels->bytes_per_request[i] = pools_pool(&w->pools, KIND_REQUEST, version)->stride;
		levels->bytes_per_bucket[i] = pools_pool(&w->pools, KIND_BUCKET, version)->stride;
	}
}

void hf_fail_allocation(struct hf_worker *w, uint64_t n)
{
	w->pools.fail_in = n;
}

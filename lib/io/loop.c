/* SPDX-License-Identifier: BSD-3-Clause */
/* hf_run: turns, answers and flushes until nobody has anything left to do, and the clock it reads. */
#include <unistd.h>

#include <rte_cycles.h>

#include "io/worker.h"

#define EVENTS 64 /* a turn */
#define IDLE_BEFORE_SLEEP_US 1000
#define SLEEP_US 50

uint64_t hf_now_us(void)
{
	const uint64_t hz = rte_get_tsc_hz();

	return (uint64_t)((unsigned __int128)rte_rdtsc() * 1000000 / hz);
}

/* Microseconds of a TSC value without a division: multiply by 2^32 * 10^6 / hz, keep the upper part. */
struct clock {
	uint64_t scale;
};

static uint64_t clock_us(const struct clock *clock, uint64_t tsc)
{
	return (uint64_t)((unsigned __int128)tsc * clock->scale >> 44);
}

/* @return whether the task has more to do, were it only to have the device take what is gathered */
static bool run_task(const struct hf_task *task, const struct clock *clock, bool *busy)
{
	struct hf_worker *const w = task->worker;
	const uint64_t work = w->stats[STAT_TURNS_BUSY] + w->stats[STAT_SEG_OUT];
	const uint64_t start = rte_rdtsc();
	const uint64_t now_us = clock_us(clock, start);
	struct hf_event events[EVENTS];
	const unsigned n = hf_turn(w, now_us, events, EVENTS);
	const bool more = task->answer(task->arg, w, now_us, events, n);

	hf_flush(w, now_us);
	if (w->stats[STAT_TURNS_BUSY] + w->stats[STAT_SEG_OUT] != work) {
		w->stats[STAT_BUSY_CYCLES] += rte_rdtsc() - start;
		*busy = true;
	}
	return more || w->tx_count > 0;
}

void hf_run(const struct hf_task *tasks, unsigned n, enum hf_idle idle)
{
	const struct clock clock = { .scale = (uint64_t)(((unsigned __int128)1000000 << 44) /
							 rte_get_tsc_hz()) };
	uint64_t idle_since_us = 0;
	bool more = true;

	while (more) {
		bool busy = false;

		more = false;
		for (unsigned i = 0; i < n; i++)
			more |= run_task(&tasks[i], &clock, &busy);
		if (idle == HF_IDLE_SPIN)
			continue;
		if (busy || idle_since_us == 0)
			idle_since_us = clock_us(&clock, rte_rdtsc());
		else if (clock_us(&clock, rte_rdtsc()) - idle_since_us > IDLE_BEFORE_SLEEP_US)
			usleep(SLEEP_US);
	}
}

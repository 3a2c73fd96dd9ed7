/* SPDX-License-Identifier: BSD-3-Clause */
/* The books of a worker; see books.h. The sums are those that lib/stats.def states. */
#include "rig/books.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static uint64_t counter(const struct hf_worker *w, const char *name)
{
	const uint64_t value = hf_counter_named(w, name);

	assert(value != UINT64_MAX);
	return value;
}

static uint64_t starting(const struct hf_worker *w, const char *prefix)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < hf_counters(); i++)
		if (strncmp(hf_counter_name(i), prefix, strlen(prefix)) == 0)
			sum += hf_counter(w, i);
	return sum;
}

/* Sums of what is named up to a NULL. */
static uint64_t sum(const struct hf_worker *w, ...)
{
	uint64_t n = 0;
	const char *name;
	va_list names;

	va_start(names, w);
	while ((name = va_arg(names, const char *)) != NULL)
		n += counter(w, name);
	va_end(names);
	return n;
}

static const char *differ(struct hf_error *why, const char *what, uint64_t left, uint64_t right)
{
	if (left == right)
		return NULL;
	snprintf(why->text, sizeof(why->text), "%s: %llu, what became of them %llu", what,
		 (unsigned long long)left, (unsigned long long)right);
	return why->text;
}

static const char *requests_wrong(const struct hf_worker *w, uint64_t live, struct hf_error *why)
{
	return differ(why, "request_opened", counter(w, "request_opened"),
		      live + sum(w, "request_established", "synack_timeout", "request_reset",
				 "request_unreachable", "request_unlistened", "request_overflow",
				 NULL));
}

static const char *buckets_wrong(const struct hf_worker *w, uint64_t live, struct hf_error *why)
{
	return differ(why, "tw_entered", counter(w, "tw_entered"),
		      live + sum(w, "tw_expired", "tw_reused_active", "tw_reused_passive",
				 "tw_evicted", "tw_reset", NULL));
}

/* Of a worker whose link is bad. */
static const char *impair_wrong(const struct hf_worker *w, const struct hf_levels *levels,
				struct hf_error *why)
{
	if (sum(w, "impair_in", "impair_out", NULL) == 0)
		return NULL;
	return differ(why, "impair_in and impair_out",
		      sum(w, "impair_in", "impair_out", "impair_duplicated", NULL),
		      levels->impair_in.used + levels->impair_out.used +
			      sum(w, "rx_frames", "tx_frames", "tx_ring_full", "impair_lost",
				  "impair_overflow", NULL));
}

const char *books_wrong(const struct hf_worker *w, struct hf_error *why)
{
	struct hf_state_level states[HF_STATES];
	struct hf_levels levels;
	uint64_t live = 0;
	const char *wrong;

	hf_levels(w, &levels);
	hf_state_levels(w, states);
	for (unsigned i = HF_SYN_SENT; i < HF_TIME_WAIT; i++)
		live += states[i].now;
	wrong = differ(why, "rx_frames", sum(w, "rx_frames", "rx_taken_over", NULL),
		       starting(w, "rx_drop_") +
			       sum(w, "rx_consumed", "rx_answered", "rx_handed_over", NULL));
	if (!wrong)
		wrong = differ(why, "active_attempted and passive_established",
			       sum(w, "active_attempted", "passive_established", NULL),
			       live - levels.requests.used + counter(w, "closed") +
				       starting(w, "failed_") + starting(w, "lost_"));
	if (!wrong)
		wrong = impair_wrong(w, &levels, why);
	if (!wrong)
		wrong = requests_wrong(w, levels.requests.used, why);
	return wrong ? wrong : buckets_wrong(w, states[HF_TIME_WAIT].now, why);
}

static const char *left(struct hf_error *why, const char *what, uint64_t n)
{
	if (n == 0)
		return NULL;
	snprintf(why->text, sizeof(why->text), "%llu %s left", (unsigned long long)n, what);
	return why->text;
}

const char *books_open(const struct hf_worker *w, struct hf_error *why)
{
	struct hf_levels levels;
	const char *wrong;

	hf_levels(w, &levels);
	wrong = left(why, "connections", levels.connections.used);
	wrong = wrong ? wrong : left(why, "requests", levels.requests.used);
	wrong = wrong ? wrong : left(why, "buckets", levels.buckets.used);
	wrong = wrong ? wrong : left(why, "ranges", levels.ranges.used);
	wrong = wrong ? wrong : left(why, "flights", levels.flights.used);
	wrong = wrong ? wrong : left(why, "flows", levels.flows.used);
	wrong = wrong ? wrong : left(why, "timers", levels.timers);
	wrong = wrong ? wrong : left(why, "orphans", levels.orphans);
	wrong = wrong ? wrong : left(why, "queued mbufs", levels.queued_mbufs);
	wrong = wrong ? wrong : books_wrong(w, why);
	if (!wrong)
		wrong = differ(why, "active_attempted", counter(w, "active_attempted"),
			       counter(w, "active_established") + starting(w, "failed_"));
	if (!wrong)
		wrong = differ(why, "established",
			       sum(w, "active_established", "passive_established", NULL),
			       counter(w, "closed") + starting(w, "lost_"));
	if (!wrong)
		wrong = differ(why, "fw2_entered", counter(w, "fw2_entered"),
			       sum(w, "fw2_timeout", "fw2_finished", "fw2_reset", NULL));
	return wrong;
}

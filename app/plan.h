/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `pair` makes of its settings on so many cores: how many workers, what each one owns, how much
 * memory that takes. Used by pair.c to start and by `config --print` to tell.
 */
#ifndef HF_APP_PLAN_H
#define HF_APP_PLAN_H

#include "config.h"

enum side { CLIENT, SERVER };
#define SIDES 2

struct plan {
	unsigned cores; /* that are used */
	unsigned pairs; /* client workers, and server workers */
	bool split; /* pair n: its client on core n, its server on core pairs + n; else both on core n */
	enum closing close;
	uint64_t duration_us; /* UINT64_MAX: until the count */
	uint32_t concurrency; /* of all client workers */
	unsigned openers; /* client workers that open: fewer than all when there is little to do */
	uint32_t addresses; /* of the clients */
	uint64_t tuples;    /* T: addresses times ports */
	uint32_t ring, mbufs, memory_mb;
};

/** CPUs the settings allow. */
unsigned plan_cores(const struct settings *s);

/** @return 0; -EINVAL, why says which settings do not fit so many cores */
int plan_make(const struct settings *s, unsigned cores, struct plan *plan, struct hf_error *why);

/** The i-th of n shares of a whole. */
static inline uint64_t plan_share(uint64_t whole, unsigned i, unsigned n)
{
	return whole / n + (i < whole % n);
}

/** What the i-th worker of a side is to be. */
void plan_worker(const struct settings *s, const struct plan *plan, enum side side, unsigned i,
		 struct hf_config *config);

/** Octets of all workers' tables, mbufs apart. */
uint64_t plan_memory(const struct settings *s, const struct plan *plan);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The counters of stats.def, numbered. All rooms name them; the worker keeps and counts them. */
#ifndef HF_STATS_H
#define HF_STATS_H

enum stat {
#define STAT(name, unit, help) STAT_##name,
#include "stats.def"
#undef STAT
};

/* How many there are. Not of enum stat, so that no switch has to name it. */
enum {
#define STAT(name, unit, help) STAT_PLACE_##name,
#include "stats.def"
#undef STAT
	STAT_COUNT
};

#endif

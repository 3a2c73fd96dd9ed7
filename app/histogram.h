/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Latencies in HdrHistogram's layout: 1 us to 134 s, three significant digits (HF-LG5). Each worker
 * records into its own; histogram_add puts them together for the report.
 */
#ifndef HF_APP_HISTOGRAM_H
#define HF_APP_HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

#define HISTOGRAM_HALF 1024  /* linear steps of an octave: 2 x 10^3, to a power of two, halved */
#define HISTOGRAM_OCTAVES 17 /* 2048 us and 16 doublings */
#define HISTOGRAM_MAX ((2ull * HISTOGRAM_HALF << (HISTOGRAM_OCTAVES - 1)) - 1)

struct histogram {
	uint64_t total, max;
	uint64_t counts[(HISTOGRAM_OCTAVES + 1) * HISTOGRAM_HALF];
};

static inline unsigned histogram_index(uint64_t value)
{
	const unsigned octave = 53 - (unsigned)__builtin_clzll(value | (2 * HISTOGRAM_HALF - 1));

	return octave * HISTOGRAM_HALF + (unsigned)(value >> octave);
}

/** Count one value; what is longer than HISTOGRAM_MAX counts as that. */
static inline void histogram_record(struct histogram *h, uint64_t value)
{
	if (value > HISTOGRAM_MAX)
		value = HISTOGRAM_MAX;
	h->total++;
	h->counts[histogram_index(value)]++;
	if (value > h->max)
		h->max = value;
}

void histogram_add(struct histogram *sum, const struct histogram *h);

/** The value that the share of all values (0 to 1) does not exceed; 0 when there are none. */
uint64_t histogram_percentile(const struct histogram *h, double share);

/** Write .hgrm text, as HdrHistogram's plotter reads it. */
void histogram_print(const struct histogram *h, FILE *out);

#endif

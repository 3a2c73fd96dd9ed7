/* SPDX-License-Identifier: BSD-3-Clause */
/* Latency histograms after the run: sums, percentiles, .hgrm text; called by report.c. */
#include "histogram.h"

#include <math.h>

#define COUNTS ((HISTOGRAM_OCTAVES + 1) * HISTOGRAM_HALF)

void histogram_add(struct histogram *sum, const struct histogram *h)
{
	for (unsigned i = 0; i < COUNTS; i++)
		sum->counts[i] += h->counts[i];
	sum->total += h->total;
	if (h->max > sum->max)
		sum->max = h->max;
}

/* The greatest value that is counted at this index. */
static uint64_t greatest(unsigned index)
{
	const unsigned octave = index < 2 * HISTOGRAM_HALF ? 0 : index / HISTOGRAM_HALF - 1;
	const uint64_t step = index - octave * HISTOGRAM_HALF;

	return ((step + 1) << octave) - 1;
}

/* @param seen  out: how many values are not greater */
static uint64_t value_at(const struct histogram *h, double share, uint64_t *seen)
{
	const double wanted = share * (double)h->total;

	*seen = 0;
	for (unsigned i = 0; i < COUNTS; i++) {
		*seen += h->counts[i];
		if (*seen > 0 && (double)*seen >= wanted) {
			const uint64_t value = greatest(i);

			return value < h->max ? value : h->max;
		}
	}
	return h->max;
}

uint64_t histogram_percentile(const struct histogram *h, double share)
{
	uint64_t seen;

	return h->total ? value_at(h, share, &seen) : 0;
}

static double mean(const struct histogram *h, double *deviation)
{
	double sum = 0, squares = 0, average;

	for (unsigned i = 0; i < COUNTS; i++)
		sum += (double)h->counts[i] * (double)greatest(i);
	average = h->total ? sum / (double)h->total : 0;
	for (unsigned i = 0; i < COUNTS; i++)
		squares += (double)h->counts[i] * ((double)greatest(i) - average) *
			   ((double)greatest(i) - average);
	*deviation = h->total ? sqrt(squares / (double)h->total) : 0;
	return average;
}

void histogram_print(const struct histogram *h, FILE *out)
{
	double deviation, share = 0;
	const double average = mean(h, &deviation);
	uint64_t seen = 0;

	fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
		"1/(1-Percentile)");
	while (h->total && seen < h->total) {
		const double value = (double)value_at(h, share, &seen);
		double reached = (double)seen / (double)h->total, half;

		if (seen == h->total)
			break;
		fprintf(out, "%12.3f %2.12f %10llu %14.2f\n", value, share,
			(unsigned long long)seen, 1 / (1 - share));
		half = exp2(floor(log2(1 / (1 - reached))) +
			    1); /* five steps to each halving of what is left */
		do
			share += 1 / (half * 5);
		while (share <= reached);
	}
	if (h->total)
		fprintf(out, "%12.3f %2.12f %10llu\n", (double)h->max, 1.0,
			(unsigned long long)h->total);
	fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", average, deviation);
	fprintf(out, "#[Max     = %12.3f, Total count    = %12llu]\n", (double)h->max,
		(unsigned long long)h->total);
	fprintf(out, "#[Buckets = %12d, SubBuckets     = %12d]\n", HISTOGRAM_OCTAVES,
		2 * HISTOGRAM_HALF);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Latency histograms: every value within a percent (HF-LG5), sums, percentiles, .hgrm text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "histogram.h"

static struct histogram *histogram_new(void)
{
	struct histogram *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	return h;
}

/* HF-LG5: 1 us to 100 s */
static void one_value__is_found_again__within_a_percent(void **state)
{
	struct histogram *h = histogram_new();

	(void)state;
	for (uint64_t v = 1; v <= 100000000; v += 1 + v / 97) {
		uint64_t p;

		memset(h, 0, sizeof(*h));
		histogram_record(h, v);
		histogram_record(h, HISTOGRAM_MAX); /* so that max does not hide the step */
		p = histogram_percentile(h, 0.5);
		assert_true(p >= v && (p - v) * 100 <= v);
	}
	free(h);
}

static void index__rises_without_gap__to_the_end(void **state)
{
	const unsigned last = sizeof(((struct histogram *)NULL)->counts) / sizeof(uint64_t) - 1;
	unsigned before = 0;

	(void)state;
	for (uint64_t v = 1; v <= 5000000; v++) {
		const unsigned index = histogram_index(v);

		assert_true(index == before || index == before + 1);
		before = index;
	}
	assert_int_equal(histogram_index(HISTOGRAM_MAX), last);
}

static void too_long__counts__as_the_longest(void **state)
{
	struct histogram *h = histogram_new();

	(void)state;
	histogram_record(h, UINT64_MAX);
	assert_int_equal(h->total, 1);
	assert_int_equal(histogram_percentile(h, 1), HISTOGRAM_MAX);
	free(h);
}

static void percentiles__of_1_to_1000__are_themselves(void **state)
{
	struct histogram *h = histogram_new(), *sum = histogram_new();

	(void)state;
	assert_int_equal(histogram_percentile(h, 0.5), 0); /* empty */
	for (uint64_t v = 1; v <= 1000; v++)
		histogram_record(h, v);
	histogram_add(sum, h);
	histogram_add(sum, h);
	assert_int_equal(sum->total, 2000);
	assert_int_equal(histogram_percentile(sum, 0), 1);
	assert_int_equal(histogram_percentile(sum, 0.5), 500);
	assert_int_equal(histogram_percentile(sum, 0.9), 900);
	assert_int_equal(histogram_percentile(sum, 0.999), 999);
	assert_int_equal(histogram_percentile(sum, 1), 1000);
	free(h);
	free(sum);
}

static void hgrm__lists_rising_percentiles__up_to_all(void **state)
{
	struct histogram *h = histogram_new();
	char *text = NULL, *line, *rest;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	double share = -1, value = 0;
	unsigned long long seen = 0;

	(void)state;
	for (uint64_t v = 1; v <= 100000; v++)
		histogram_record(h, v % 977 + 1);
	histogram_print(h, out);
	fclose(out);
	strtok_r(text, "\n", &rest); /* the heading */
	while ((line = strtok_r(NULL, "\n", &rest)) && line[0] != '#') {
		double v, p;

		assert_int_equal(sscanf(line, "%lf %lf %llu", &v, &p, &seen), 3);
		assert_true(v >= value && p > share);
		value = v;
		share = p;
	}
	assert_true(share == 1.0);
	assert_int_equal(seen, 100000);
	assert_true(value == 977);
	free(text);
	free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "HF-LG5", one_value__is_found_again__within_a_percent, NULL, NULL, NULL },
		cmocka_unit_test(index__rises_without_gap__to_the_end),
		cmocka_unit_test(too_long__counts__as_the_longest),
		cmocka_unit_test(percentiles__of_1_to_1000__are_themselves),
		cmocka_unit_test(hgrm__lists_rising_percentiles__up_to_all),
	};
	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}

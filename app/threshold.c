/* SPDX-License-Identifier: BSD-3-Clause */
/* FIGURE>=NUMBER or FIGURE<=NUMBER, by commas; see threshold.h. */
#include "threshold.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct threshold {
	char figure[96]; /* a path in the report, by dots */
	bool least;	 /* else at most */
	double bound;
};

/* "100k" and the like. @return NULL: it is no number */
static const char *read_bound(const char *text, double *bound)
{
	char *end;

	if (strspn(text, "0123456789.") == 0 || text[1] == 'x' || text[1] == 'X') /* hexadecimal */
		return NULL;
	*bound = strtod(text, &end);
	if (*end == 'k' || *end == 'M') {
		*bound *= *end == 'k' ? 1e3 : 1e6;
		end++;
	}
	return *end == ',' || *end == '\0' ? end : NULL;
}

/* The one that begins at *text, which then is behind it. @return false: it cannot be read */
static bool read_threshold(const char **text, struct threshold *t)
{
	const char *const figure = *text + strspn(*text, " ");
	const size_t len = strcspn(figure, "<>=,");
	const char *const sign = figure + len;

	if (len == 0 || len >= sizeof(t->figure) || (*sign != '<' && *sign != '>') || sign[1] != '=')
		return false;
	memcpy(t->figure, figure, len);
	t->figure[len] = '\0';
	t->least = *sign == '>';
	*text = read_bound(sign + 2, &t->bound);
	if (*text == NULL)
		return false;
	*text += **text == ',';
	return true;
}

int threshold_check(const char *text, struct hf_error *why)
{
	struct threshold t;

	for (const char *at = text; *at != '\0';) {
		const char *const from = at;

		if (read_threshold(&at, &t))
			continue;
		snprintf(why->text, sizeof(why->text),
			 "--threshold: '%.60s': give FIGURE>=NUMBER or FIGURE<=NUMBER, by commas, such as "
			 "rate.connections_per_second>=100k",
			 from);
		return -EINVAL;
	}
	return 0;
}

/* @param figure  out: NAN when it is of a latency that was never measured @return false: it is no figure */
static bool figure_of(const json_t *report, const char *path, double *figure)
{
	const json_t *value = report, *count = NULL;
	const char *key;
	json_t *each;
	char part[96];

	while (value && *path != '\0') {
		const size_t len = strcspn(path, ".");

		snprintf(part, sizeof(part), "%.*s", (int)len, path);
		count = json_object_get(value, "count");
		value = json_object_get(value, part);
		path += len + (path[len] == '.');
	}
	*figure = json_number_value(value);
	json_object_foreach((json_t *)(uintptr_t)value, key, each) *figure += json_number_value(each);
	if (count && value != count && json_integer_value(count) == 0)
		*figure = NAN;
	return json_is_number(value) || json_is_object(value);
}

unsigned threshold_missed(const char *text, const json_t *report, const char *program, FILE *out)
{
	unsigned missed = 0;
	struct threshold t;

	while (*text != '\0' && read_threshold(&text, &t)) {
		double figure;

		if (!figure_of(report, t.figure, &figure))
			fprintf(out,
				"%s: threshold: the report has no figure %s; --json - shows all\n",
				program, t.figure);
		else if (isnan(figure))
			fprintf(out, "%s: threshold: %s: nothing was measured\n", program, t.figure);
		else if (t.least ? figure < t.bound : figure > t.bound)
			fprintf(out, "%s: threshold: %s is %.10g, %s than %.10g\n", program,
				t.figure, figure, t.least ? "less" : "more", t.bound);
		else
			continue;
		missed++;
	}
	return missed;
}

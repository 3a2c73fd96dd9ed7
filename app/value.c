/* SPDX-License-Identifier: BSD-3-Clause */
/* One value as text and as a field: numbers with units, times, words. Called for each row by
 * profile.c, options.c and config.c. */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "impair.h"

__attribute__((format(printf, 2, 3))) static int wrong(struct hf_error *why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why->text, sizeof(why->text), format, ap);
	va_end(ap);
	return -EINVAL;
}

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit counts[] = { { "", 1 },	   { "Gi", 1ull << 30 },
				      { "G", 1000000000 }, { "Mi", 1ull << 20 },
				      { "M", 1000000 },	   { "Ki", 1ull << 10 },
				      { "k", 1000 },	   { "K", 1000 },
				      { NULL, 0 } };
static const struct unit times[] = { { "", 1000000 }, /* as sleep(1) and wrk: seconds */
				     { "h", 3600000000 }, { "m", 60000000 }, { "s", 1000000 },
				     { "ms", 1000 },	  { "us", 1 },	     { NULL, 0 } };

static const struct unit *units_of(const struct row *row)
{
	return row->type == VALUE_MSEC || row->type == VALUE_USEC ? times : counts;
}

/* "1.5ms" and the like in units of the smallest suffix. @return 0, or -1 when it is no such number */
static int number(const char *text, const struct unit *units, uint64_t *out)
{
	uint64_t whole = 0, part = 0, scale = 1;
	const char *p = text;

	if (*p < '0' || *p > '9')
		return -1;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(whole, 10u, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
			return -1;
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9' && scale < 1000000000; p++) {
			part = part * 10 + (uint64_t)(*p - '0');
			scale *= 10;
		}
		if (scale == 1)
			return -1;
	}
	for (; units->suffix; units++) {
		if (strcmp(units->suffix, p) != 0)
			continue;
		if (part * units->factor % scale ||
		    __builtin_mul_overflow(whole, units->factor, out) ||
		    __builtin_add_overflow(*out, part * units->factor / scale, out))
			return -1;
		return 0;
	}
	return -1;
}

static void field_store(const struct row *row, struct settings *s, uint64_t value)
{
	void *field = (char *)s + row->offset;

	switch (row->size) {
	case 1:
		*(uint8_t *)field = (uint8_t)value;
		break;
	case 2:
		*(uint16_t *)field = (uint16_t)value;
		break;
	case 4:
		*(uint32_t *)field = (uint32_t)value;
		break;
	case 8:
		*(uint64_t *)field = value;
		break;
	}
}

static uint64_t field_load(const struct row *row, const struct settings *s)
{
	const void *field = (const char *)s + row->offset;

	switch (row->size) {
	case 1:
		return *(const uint8_t *)field;
	case 2:
		return *(const uint16_t *)field;
	case 4:
		return *(const uint32_t *)field;
	default:
		return *(const uint64_t *)field;
	}
}

static int parse_number(const struct row *row, const char *text, struct settings *s,
			struct hf_error *why)
{
	const uint64_t unit = row->type == VALUE_MSEC ? 1000 : 1;
	char digits[64], range[TEXT_ROOM];
	size_t len;
	uint64_t value;

	if (row->words && strcmp(text, row->words) == 0) {
		field_store(row, s, 0);
		return 0;
	}
	snprintf(digits, sizeof(digits), "%s", text);
	len = strlen(digits);
	if (row->type == VALUE_RATE && len > 2 && strcmp(digits + len - 2, "/s") == 0)
		digits[len - 2] = '\0';
	value_range(row, range);
	if (number(digits, units_of(row), &value) < 0 || value % unit)
		return wrong(why, "'%.40s' is no %s%s; %s", text,
			     units_of(row) == times  ? "time, such as 60s or 500ms" :
			     row->type == VALUE_RATE ? "rate, such as 2M/s" :
						       "number, such as 4096 or 4Mi",
			     unit == 1000 ? " (not finer than 1ms)" : "", range);
	value /= unit;
	if (value < row->min || value > row->max)
		return wrong(why, "'%.40s' is out of range; %s", text, range);
	field_store(row, s, value);
	return 0;
}

static int parse_word(const struct row *row, const char *text, struct settings *s,
		      struct hf_error *why)
{
	const size_t len = strlen(text);
	uint64_t index = 0;

	for (const char *word = row->words;; index++) {
		const size_t n = strcspn(word, "|");

		if (n == len && strncmp(word, text, n) == 0) {
			field_store(row, s, index);
			return 0;
		}
		if (!word[n])
			return wrong(why, "'%.40s' is none of %s", text, row->words);
		word += n + 1;
	}
}

static int parse_bool(const struct row *row, const char *text, struct settings *s,
		      struct hf_error *why)
{
	static const char *const spellings[] = { "false", "true", "no", "yes", "off", "on", "0", "1" };

	for (unsigned i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		if (strcmp(text, spellings[i]) == 0) {
			field_store(row, s, i & 1);
			return 0;
		}
	}
	return wrong(why, "'%.40s' is neither true nor false", text);
}

static int parse_ports(const struct row *row, const char *text, struct settings *s,
		       struct hf_error *why)
{
	struct port_span span;
	unsigned first, last;
	int end = 0;

	/* NOLINTNEXTLINE(cert-err34-c): five digits fit */
	if (sscanf(text, "%5u-%5u%n", &first, &last, &end) != 2 || text[end] || first < row->min ||
	    last > row->max || first > last)
		return wrong(why, "'%.40s' is no range of ports, such as %s", text, row->preset);
	span.first = (uint16_t)first;
	span.last = (uint16_t)last;
	memcpy((char *)s + row->offset, &span, sizeof(span));
	return 0;
}

int cores_count(const char *list)
{
	int n = 0;

	while (*list) {
		unsigned first, last;
		int end = 0;

		/* NOLINTNEXTLINE(cert-err34-c): four digits fit */
		if (*list < '0' || *list > '9' || sscanf(list, "%4u%n", &first, &end) != 1)
			return -EINVAL;
		list += end;
		last = first;
		if (*list == '-') {
			end = 0;
			/* NOLINTNEXTLINE(cert-err34-c): four digits fit */
			if (sscanf(list, "-%4u%n", &last, &end) != 1 || list[1] < '0' ||
			    list[1] > '9' || last < first)
				return -EINVAL;
			list += end;
		}
		n += (int)(last - first + 1);
		if (*list == ',' && list[1])
			list++;
		else if (*list)
			return -EINVAL;
	}
	return n;
}

int value_parse(const struct row *row, const char *text, struct settings *s, struct hf_error *why)
{
	struct hf_impair impair = { 0 };

	for (const char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			return wrong(why, "holds a control character, octet %u; leave it out",
				     (unsigned)(c - text) + 1);
	switch (row->type) {
	case VALUE_BOOL:
		return parse_bool(row, text, s, why);
	case VALUE_COUNT:
	case VALUE_SIZE:
	case VALUE_RATE:
	case VALUE_MSEC:
	case VALUE_USEC:
		return parse_number(row, text, s, why);
	case VALUE_WORD:
		return parse_word(row, text, s, why);
	case VALUE_ADDRESS4:
	case VALUE_ADDRESS6:
	case VALUE_RANGE4:
	case VALUE_RANGE6:
	case VALUE_PREFIXES:
	case VALUE_HOSTS:
	case VALUE_SPANS:
	case VALUE_LISTENS:
	case VALUE_TARGETS:
	case VALUE_MAC:
		return address_parse(row, text, s, why);
	case VALUE_PORTS:
		return parse_ports(row, text, s, why);
	case VALUE_CORES:
		if (cores_count(text) < 0)
			return wrong(why, "'%.40s' is no list of CPUs, such as 0-1,3", text);
		break;
	case VALUE_IMPAIR:
		if (impair_parse(text, &impair, why) < 0)
			return -EINVAL;
		break;
	case VALUE_TEXT:
	case VALUE_SET:
		break;
	}
	if (strlen(text) >= TEXT_ROOM)
		return wrong(why, "'%.40s...' is too long; at most %d octets", text, TEXT_ROOM - 1);
	memcpy((char *)s + row->offset, text, strlen(text) + 1);
	return 0;
}

/* In the largest unit that leaves a whole number. */
static void format_number(const struct row *row, uint64_t value, char text[TEXT_ROOM])
{
	const struct unit *unit = units_of(row);
	const bool time = unit == times, size = row->type == VALUE_SIZE;

	if (value == 0 && row->words) {
		snprintf(text, TEXT_ROOM, "%s", row->words);
		return;
	}
	if (row->type == VALUE_MSEC)
		value *= 1000;
	if (time) {
		for (unit = times + 3; value % unit->factor;) /* from seconds down */
			unit++;
	} else if (size) {
		for (unit++;
		     unit->suffix && (unit->suffix[1] != 'i' || value % unit->factor || !value);)
			unit++;
	}
	if (!unit->suffix)
		unit = counts;
	snprintf(text, TEXT_ROOM, "%llu%s%s", (unsigned long long)(value / unit->factor),
		 unit->suffix, row->type == VALUE_RATE ? "/s" : "");
}

void value_format(const struct row *row, const struct settings *s, char text[TEXT_ROOM])
{
	const char *field = (const char *)s + row->offset;
	struct port_span span;

	switch (row->type) {
	case VALUE_BOOL:
		snprintf(text, TEXT_ROOM, "%s", field_load(row, s) ? "true" : "false");
		return;
	case VALUE_COUNT:
	case VALUE_SIZE:
	case VALUE_RATE:
	case VALUE_MSEC:
	case VALUE_USEC:
		format_number(row, field_load(row, s), text);
		return;
	case VALUE_WORD: {
		const char *word = row->words;

		for (uint64_t i = field_load(row, s); i; i--)
			word += strcspn(word, "|") + 1;
		snprintf(text, TEXT_ROOM, "%.*s", (int)strcspn(word, "|"), word);
		return;
	}
	case VALUE_ADDRESS4:
	case VALUE_ADDRESS6:
	case VALUE_RANGE4:
	case VALUE_RANGE6:
	case VALUE_PREFIXES:
	case VALUE_HOSTS:
	case VALUE_SPANS:
	case VALUE_LISTENS:
	case VALUE_TARGETS:
	case VALUE_MAC:
		address_format(row, s, text);
		return;
	case VALUE_PORTS:
		memcpy(&span, field, sizeof(span));
		snprintf(text, TEXT_ROOM, "%u-%u", span.first, span.last);
		return;
	case VALUE_CORES:
	case VALUE_IMPAIR:
	case VALUE_TEXT:
	case VALUE_SET:
		snprintf(text, TEXT_ROOM, "%s", field);
		return;
	}
}

void value_range(const struct row *row, char text[TEXT_ROOM])
{
	char least[TEXT_ROOM], most[TEXT_ROOM];
	struct row bare = *row;

	text[0] = '\0';
	if (row->type == VALUE_WORD) {
		snprintf(text, TEXT_ROOM, "%s", row->words);
	} else if (row->type == VALUE_COUNT || row->type == VALUE_SIZE || row->type == VALUE_RATE ||
		   row->type == VALUE_MSEC || row->type == VALUE_USEC) {
		bare.words = NULL;
		format_number(&bare, row->min, least);
		format_number(&bare, row->max, most);
		snprintf(text, TEXT_ROOM, "%.60s to %.60s%s%.20s", least, most,
			 row->words ? ", or " : "", row->words ? row->words : "");
	}
}

bool value_is_list(const struct row *row)
{
	return row->type >= VALUE_PREFIXES && row->type <= VALUE_TARGETS;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of --impair, item by item; see impair.h. */
#include "impair.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10
#define BARE (HF_FRAME_TCP | HF_FRAME_TEXT | TCP_FIN | TCP_SYN | TCP_RST)

#define DELAY_MAX_US 60000000u
#define COUNT_MAX 1000000000u
#define HOLD_MAX (1u << 24)

/* Where the text is read, and the item it is in. */
struct reader {
	const char *at, *item;
	size_t item_len;
	struct hf_error *why;
};

__attribute__((format(printf, 2, 3))) static int wrong(const struct reader *r, const char *format, ...)
{
	char what[128];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	snprintf(r->why->text, sizeof(r->why->text), "'%.*s': %s",
		 (int)(r->item_len < 60 ? r->item_len : 60), r->item, what);
	return -EINVAL;
}

/* Whether this comes next; if so it is read. */
static bool take(struct reader *r, const char *word)
{
	const size_t n = strlen(word);

	if (strncmp(r->at, word, n) != 0)
		return false;
	r->at += n;
	return true;
}

static bool at_end(const struct reader *r)
{
	return r->at == r->item + r->item_len;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static bool take_count(struct reader *r, uint32_t most, uint32_t *out)
{
	uint64_t n = 0;
	const char *const start = r->at;

	for (; *r->at >= '0' && *r->at <= '9' && n <= most; r->at++)
		n = n * 10 + (uint64_t)(*r->at - '0');
	*out = (uint32_t)n;
	return r->at > start && n <= most;
}

/* "1.5" in millionths, six places at most. */
static bool take_decimal(struct reader *r, uint64_t *out)
{
	uint32_t whole, unit = 1000000;
	uint64_t part = 0;

	if (!take_count(r, 1000000000, &whole))
		return false;
	if (*r->at == '.') {
		const char *const dot = r->at++;

		for (; *r->at >= '0' && *r->at <= '9' && unit > 1; r->at++) {
			unit /= 10;
			part += (uint64_t)(*r->at - '0') * unit;
		}
		if (r->at == dot + 1)
			return false;
	}
	*out = (uint64_t)whole * 1000000 + part;
	return true;
}

static bool take_rate(struct reader *r, uint32_t *out)
{
	uint64_t millionths;

	if (!take_decimal(r, &millionths) || !take(r, "%") || millionths % 100 != 0 ||
	    millionths > 100 * 1000000ull)
		return false;
	*out = (uint32_t)(millionths / 100);
	return true;
}

static bool take_time(struct reader *r, uint32_t *out_us)
{
	uint64_t millionths, unit;

	if (!take_decimal(r, &millionths))
		return false;
	unit = take(r, "us") ? 1 : take(r, "ms") ? 1000 : take(r, "s") ? 1000000 : 0;
	if (unit == 0 || millionths > UINT64_MAX / unit || millionths * unit % 1000000 != 0 ||
	    millionths * unit / 1000000 > DELAY_MAX_US)
		return false;
	*out_us = (uint32_t)(millionths * unit / 1000000);
	return true;
}

/* ---- Rules ----------------------------------------------------------------------------------- */

static const struct kind {
	const char *name;
	uint16_t mask, kind;
} kinds[] = {
	{ "any", 0, 0 },
	{ "syn-ack", HF_FRAME_TCP | TCP_SYN | TCP_ACK, HF_FRAME_TCP | TCP_SYN | TCP_ACK },
	{ "syn", HF_FRAME_TCP | TCP_SYN | TCP_ACK, HF_FRAME_TCP | TCP_SYN },
	{ "ack", BARE | TCP_ACK, HF_FRAME_TCP | TCP_ACK },
	{ "text", HF_FRAME_TCP | HF_FRAME_TEXT, HF_FRAME_TCP | HF_FRAME_TEXT },
	{ "fin", HF_FRAME_TCP | TCP_FIN, HF_FRAME_TCP | TCP_FIN },
	{ "rst", HF_FRAME_TCP | TCP_RST, HF_FRAME_TCP | TCP_RST },
};

static const struct act {
	const char *name;
	enum hf_impair_act act;
} acts[] = {
	{ "drop:", HF_IMPAIR_DROP },	   { "dup:", HF_IMPAIR_TWICE },
	{ "corrupt:", HF_IMPAIR_CORRUPT }, { "delay:", HF_IMPAIR_LATER },
	{ "behind:", HF_IMPAIR_BEHIND },
};

/* "1", "2-5", "3-" */
static bool take_span(struct reader *r, struct hf_impair_rule *rule)
{
	if (!take_count(r, COUNT_MAX, &rule->first) || rule->first == 0)
		return false;
	rule->last = rule->first;
	if (!take(r, "-"))
		return true;
	rule->last = 0;
	if (*r->at < '0' || *r->at > '9')
		return true;
	return take_count(r, COUNT_MAX, &rule->last) && rule->last >= rule->first;
}

static bool take_ways(struct reader *r, unsigned *ways)
{
	if (take(r, "in:"))
		*ways = 1;
	else if (take(r, "out:"))
		*ways = 2;
	else
		return false;
	return true;
}

/* ACT:[in:|out:]KIND[:FIRST[-[LAST]]][=TIME] */
static int read_rule(struct reader *r, unsigned ways, struct hf_impair *impair)
{
	struct hf_impair_rule rule = { 0 };
	size_t act = 0, kind = 0;

	while (act < sizeof(acts) / sizeof(acts[0]) && !take(r, acts[act].name))
		act++;
	if (act == sizeof(acts) / sizeof(acts[0]))
		return wrong(r,
			     "no such act; drop:, dup:, corrupt:, delay: or behind: must begin it");
	rule.act = acts[act].act;
	take_ways(r, &ways);
	while (kind < sizeof(kinds) / sizeof(kinds[0]) && !take(r, kinds[kind].name))
		kind++;
	if (kind == sizeof(kinds) / sizeof(kinds[0]))
		return wrong(r, "no such frame; any, syn, syn-ack, ack, text, fin or rst");
	rule.mask = kinds[kind].mask;
	rule.kind = kinds[kind].kind;
	if (take(r, ":") && !take_span(r, &rule))
		return wrong(r, "which of them? such as :1, :2-5 or :3-");
	if (rule.act == HF_IMPAIR_LATER && (!take(r, "=") || !take_time(r, &rule.later_us)))
		return wrong(r, "how long? such as delay:out:fin:1=50ms, 60s at most");
	if (!at_end(r))
		return wrong(r, "'%.20s' is too much; such as drop:out:fin:1", r->at);
	for (unsigned i = 0; i < 2; i++) {
		struct hf_impair_way *const way = i == 0 ? &impair->in : &impair->out;

		if (!(ways & 1u << i))
			continue;
		if (way->rule_count == HF_IMPAIR_RULES)
			return wrong(r, "one rule too many; %d each way", HF_IMPAIR_RULES);
		way->rules[way->rule_count++] = rule;
	}
	return 0;
}

/* ---- Items ----------------------------------------------------------------------------------- */

/* One direction takes what both were given. */
static int read_delay(struct reader *r, struct hf_impair_way *way)
{
	way->jitter_us = 0;
	if (!take_time(r, &way->delay_us) ||
	    ((take(r, "±") || take(r, "+-")) && !take_time(r, &way->jitter_us)) || !at_end(r))
		return wrong(r, "such as delay=50ms or delay=50ms±10ms, 60s at most");
	if (way->jitter_us > way->delay_us)
		return wrong(r, "no frame comes before it has left: more jitter than delay");
	return 0;
}

static int read_rate(struct reader *r, uint32_t *rate, const char *name)
{
	if (!take_rate(r, rate) || !at_end(r))
		return wrong(r, "such as %s=0.1%%, 0%% to 100%% in steps of 0.0001%%", name);
	return 0;
}

static int read_reorder(struct reader *r, struct hf_impair_way *way)
{
	way->reorder_us = 0;
	if (!take_rate(r, &way->reorder) ||
	    (take(r, "/") && (!take_time(r, &way->reorder_us) || way->reorder_us == 0)) || !at_end(r))
		return wrong(r, "such as reorder=2%% or reorder=2%%/5ms, 60s at most");
	return 0;
}

/* @return -ENOENT: none of these */
static int read_way(struct reader *r, struct hf_impair_way *way)
{
	if (take(r, "loss="))
		return read_rate(r, &way->loss, "loss");
	if (take(r, "dup="))
		return read_rate(r, &way->duplicate, "dup");
	if (take(r, "corrupt="))
		return read_rate(r, &way->corrupt, "corrupt");
	if (take(r, "reorder="))
		return read_reorder(r, way);
	if (take(r, "delay="))
		return read_delay(r, way);
	return -ENOENT;
}

static int read_item(struct reader *r, struct hf_impair *impair)
{
	unsigned ways = 3;
	const bool one_way = take_ways(r, &ways);
	const char *const start = r->at;
	int rc = 0;

	if (take(r, "rule="))
		return read_rule(r, ways, impair);
	if (!one_way && take(r, "hold=")) {
		if (!take_count(r, HOLD_MAX, &impair->hold) || impair->hold == 0 || !at_end(r))
			return wrong(r, "how many frames? 1 to %u", HOLD_MAX);
		return 0;
	}
	for (unsigned i = 0; i < 2 && rc == 0; i++) {
		if (!(ways & 1u << i))
			continue;
		r->at = start;
		rc = read_way(r, i == 0 ? &impair->in : &impair->out);
	}
	if (rc == -ENOENT)
		rc = wrong(
			r,
			"no such impairment; loss=, dup=, reorder=, delay=, corrupt=, rule= or hold=");
	return rc;
}

int impair_parse(const char *text, struct hf_impair *impair, struct hf_error *why)
{
	struct hf_impair read = { .seed = impair->seed };
	struct reader r = { .at = text, .why = why };
	int rc = 0;

	if (text[0] != '\0')
		do {
			r.item = r.at;
			r.item_len = strcspn(r.at, ",");
			rc = read_item(&r, &read);
		} while (rc == 0 && *r.at++ == ',');
	if (rc == 0)
		*impair = read;
	return rc;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The link model; see link.h. Frames on their way stand in a binary heap by arrival. */
#include "rig/link.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "rig/random.h"

#define BEHIND_MAX_US 10000000

/* ---- The heap -------------------------------------------------------------------------------- */

static bool earlier(const struct link_frame *a, const struct link_frame *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->number < b->number);
}

static void heap_swap(struct link *l, uint32_t a, uint32_t b)
{
	struct link_frame *const f = l->heap[a];

	l->heap[a] = l->heap[b];
	l->heap[b] = f;
}

static void heap_add(struct link *l, struct link_frame *f)
{
	uint32_t i = l->in_flight++;

	f->number = l->number++;
	l->heap[i] = f;
	for (; i > 0 && earlier(f, l->heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap_swap(l, i, (i - 1) / 2);
}

static struct link_frame *heap_take(struct link *l)
{
	struct link_frame *const first = l->heap[0];
	uint32_t i = 0, child;

	l->heap[0] = l->heap[--l->in_flight];
	while ((child = 2 * i + 1) < l->in_flight) {
		if (child + 1 < l->in_flight && earlier(l->heap[child + 1], l->heap[child]))
			child++;
		if (!earlier(l->heap[child], l->heap[i]))
			break;
		heap_swap(l, i, child);
		i = child;
	}
	return first;
}

/* ---- Set-up ---------------------------------------------------------------------------------- */

struct link *link_make(uint32_t room, uint64_t seed)
{
	struct link *const l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->heap = calloc(room, sizeof(*l->heap));
	l->spare = calloc(room, sizeof(*l->spare));
	l->room = room;
	l->random = seed;
	l->grain_us = 1;
	for (uint32_t i = 0; l->heap && l->spare && i < room; i++) {
		l->spare[i] = malloc(sizeof(**l->spare));
		if (!l->spare[i])
			break;
		l->spare_count++;
	}
	if (l->spare_count == room)
		return l;
	link_free(l);
	return NULL;
}

static void drop_all(struct link *l)
{
	while (l->in_flight > 0)
		l->spare[l->spare_count++] = heap_take(l);
	for (unsigned i = 0; i < 2; i++) {
		if (l->held[i])
			l->spare[l->spare_count++] = l->held[i];
		l->held[i] = NULL;
	}
}

void link_free(struct link *l)
{
	if (!l)
		return;
	drop_all(l);
	while (l->spare_count > 0)
		free(l->spare[--l->spare_count]);
	free(l->spare);
	free(l->heap);
	free(l);
}

void link_heal(struct link *l)
{
	drop_all(l);
	l->rule_count = 0;
	for (unsigned i = 0; i < 2; i++)
		l->rates[i] = (struct link_rates){ .delay_us = l->rates[i].delay_us,
						   .jitter_us = l->rates[i].jitter_us };
}

void link_rule(struct link *l, struct link_rule rule)
{
	assert(l->rule_count < LINK_RULES);
	l->rules[l->rule_count++] = rule;
}

/* ---- Fates ----------------------------------------------------------------------------------- */

static uint8_t tcp_flags(const uint8_t *ip, size_t len)
{
	const size_t tcp = ip[0] >> 4 == 4 ? (ip[0] & 15u) * 4 : 40;

	return len > tcp + 13 ? ip[tcp + 13] : 0;
}

static bool chance(struct link *l, uint32_t rate)
{
	return rate != 0 && random_below(&l->random, LINK_EVER) < rate;
}

/* The first rule that fits decides, but all that fit count. */
static const struct link_rule *find_rule(struct link *l, unsigned from, uint8_t flags)
{
	const struct link_rule *found = NULL;

	for (unsigned i = 0; i < l->rule_count; i++) {
		struct link_rule *const rule = &l->rules[i];

		if (rule->from != from || (flags & rule->mask) != rule->flags)
			continue;
		rule->seen++;
		if (!found && (rule->nth == 0 || rule->seen == rule->nth))
			found = rule;
	}
	return found;
}

static struct link_rule by_chance(struct link *l, unsigned from)
{
	const struct link_rates *const rates = &l->rates[from];
	struct link_rule rule = { .act = LINK_LATER };

	if (chance(l, rates->loss))
		rule.act = LINK_DROP;
	else if (chance(l, rates->corrupt))
		rule.act = LINK_CORRUPT;
	else if (chance(l, rates->duplicate))
		rule.act = LINK_TWICE;
	else if (chance(l, rates->reorder))
		rule.later_us = 1 + random_below(&l->random, rates->reorder_us + 1);
	return rule;
}

static uint64_t arrival(struct link *l, unsigned from, uint64_t now_us, uint32_t later_us)
{
	const struct link_rates *const rates = &l->rates[from];
	uint64_t at_us = now_us + rates->delay_us;

	if (rates->jitter_us > 0)
		at_us += random_below(&l->random, rates->jitter_us + 1);
	at_us += later_us;
	at_us = (at_us + l->grain_us - 1) / l->grain_us * l->grain_us;
	if (later_us > 0)
		return at_us;
	if (at_us < l->last_us[from])
		at_us = l->last_us[from];
	l->last_us[from] = at_us;
	return at_us;
}

static struct link_frame *copy(struct link *l, unsigned from, const void *raw, size_t len,
			       uint64_t at_us)
{
	struct link_frame *f;

	assert(len <= LINK_FRAME_MAX);
	if (l->spare_count == 0)
		return NULL;
	f = l->spare[--l->spare_count];
	f->from = from;
	f->at_us = at_us;
	f->len = len;
	memcpy(f->raw, raw, len);
	return f;
}

/* The frame that waited for this one to go first. */
static void release_held(struct link *l, unsigned from, uint64_t at_us)
{
	if (!l->held[from])
		return;
	l->held[from]->at_us = at_us;
	heap_add(l, l->held[from]);
	l->held[from] = NULL;
}

struct link_fate link_send(struct link *l, unsigned from, const void *raw, size_t len, uint64_t now_us)
{
	static const char *const words[] = { "lost", "twice", "corrupt", "late", "behind" };
	const struct link_rule *const found = find_rule(l, from, tcp_flags(raw, len));
	const struct link_rule rule = found ? *found : by_chance(l, from);
	struct link_fate fate = { words[rule.act], 0 };
	struct link_frame *f;

	l->sent[from]++;
	fate.at_us = rule.act == LINK_DROP ? 0 : arrival(l, from, now_us, rule.later_us);
	f = rule.act == LINK_DROP ? NULL : copy(l, from, raw, len, fate.at_us);
	if (!f) {
		l->lost[from]++;
		return (struct link_fate){ words[LINK_DROP], 0 };
	}
	if (rule.act == LINK_BEHIND && !l->held[from]) {
		fate.at_us = f->at_us += BEHIND_MAX_US;
		l->held[from] = f;
		return fate;
	}
	if (rule.act == LINK_CORRUPT)
		f->raw[random_below(&l->random, (uint32_t)len)] ^=
			(uint8_t)(1u << random_below(&l->random, 8));
	heap_add(l, f);
	if (rule.act == LINK_TWICE) {
		f = copy(l, from, raw, len, fate.at_us);
		if (f)
			heap_add(l, f);
	}
	release_held(l, from, fate.at_us);
	if (rule.act == LINK_LATER && rule.later_us == 0)
		fate.word = "";
	return fate;
}

/* ---- Arrivals -------------------------------------------------------------------------------- */

uint64_t link_next(const struct link *l)
{
	uint64_t at_us = l->in_flight > 0 ? l->heap[0]->at_us : UINT64_MAX;

	for (unsigned i = 0; i < 2; i++)
		if (l->held[i] && l->held[i]->at_us < at_us)
			at_us = l->held[i]->at_us;
	return at_us;
}

const struct link_frame *link_receive(struct link *l, uint64_t now_us)
{
	struct link_frame *f;

	for (unsigned i = 0; i < 2; i++)
		if (l->held[i] && l->held[i]->at_us <= now_us)
			release_held(l, i, now_us);
	if (l->in_flight == 0 || l->heap[0]->at_us > now_us)
		return NULL;
	f = heap_take(l);
	l->spare[l->spare_count++] = f; /* nobody takes it before the next link_send */
	return f;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The link model; see way.h. Frames that wait stand in a binary heap by time. */
#include "io/way.h"

#include <assert.h>

#include "tcp/seg.h"
#include "wire/frame.h"
#include "wire/octets.h"

#define REORDER_US 1000 /* how much later, where nothing is said */

/* ---- What kind of frame ---------------------------------------------------------------------- */

/* @return where the IP packet begins; SIZE_MAX: it is none */
static size_t ether_skip(const uint8_t *frame, size_t len)
{
	size_t at = ETHER_LEN;

	while (at <= len &&
	       (get16(frame + at - 2) == ETHERTYPE_VLAN || get16(frame + at - 2) == ETHERTYPE_QINQ))
		at += VLAN_LEN;
	if (at > len ||
	    (get16(frame + at - 2) != ETHERTYPE_IPV4 && get16(frame + at - 2) != ETHERTYPE_IPV6))
		return SIZE_MAX;
	return at;
}

uint16_t frame_kind(const uint8_t *frame, size_t len, bool l3, size_t *ip)
{
	const size_t at = *ip = l3 ? 0 : ether_skip(frame, len);
	size_t end, tcp;

	if (at > len)
		return 0;
	if (at + IPV4_LEN <= len && frame[at] >> 4 == 4 && frame[at + 9] == PROTOCOL_TCP &&
	    (get16(frame + at + 6) & IPV4_MF_OFFSET) == 0) {
		end = at + get16(frame + at + 2);
		tcp = at + 4 * (size_t)(frame[at] & 15u);
	} else if (at + IPV6_LEN <= len && frame[at] >> 4 == 6 && frame[at + 6] == PROTOCOL_TCP) {
		end = at + IPV6_LEN + get16(frame + at + 4);
		tcp = at + IPV6_LEN;
	} else {
		return 0;
	}
	if (tcp + TCP_LEN > len)
		return 0;
	return (uint16_t)(HF_FRAME_TCP | frame[tcp + 13] |
			  (tcp + 4 * (size_t)(frame[tcp + 12] >> 4) < end ? HF_FRAME_TEXT : 0));
}

/* ---- Fates ----------------------------------------------------------------------------------- */

/* SplitMix64. */
uint32_t way_pick(struct way *way, uint32_t bound)
{
	uint64_t x = way->random += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)(((x ^ x >> 31) >> 32) * bound >> 32);
}

static bool chance(struct way *way, uint32_t rate)
{
	return rate != 0 && way_pick(way, HF_EVER) < rate;
}

void way_init(struct way *way, const struct hf_impair_way *config, uint64_t seed,
	      struct waiting *heap, uint32_t size)
{
	*way = (struct way){ .config = config, .random = seed, .heap = heap, .size = size };
}

/* The first rule that fits decides, but all that fit count. */
static const struct hf_impair_rule *find_rule(struct way *way, uint16_t kind)
{
	const struct hf_impair_rule *found = NULL;

	assert(way->config->rule_count <= HF_IMPAIR_RULES);
	for (uint32_t i = 0; i < way->config->rule_count; i++) {
		const struct hf_impair_rule *const rule = &way->config->rules[i];

		if ((kind & rule->mask) != rule->kind)
			continue;
		way->seen[i]++;
		if (!found && way->seen[i] >= rule->first &&
		    (rule->last == 0 || way->seen[i] <= rule->last))
			found = rule;
	}
	return found;
}

/* @return how much later it comes */
static uint32_t by_rule(const struct hf_impair_rule *rule, struct fate *fate)
{
	switch (rule->act) {
	case HF_IMPAIR_DROP:
		fate->lost = true;
		break;
	case HF_IMPAIR_TWICE:
		fate->twice = true;
		break;
	case HF_IMPAIR_CORRUPT:
		fate->corrupt = true;
		break;
	case HF_IMPAIR_LATER:
		fate->late = rule->later_us > 0;
		return rule->later_us;
	case HF_IMPAIR_BEHIND:
		fate->behind = true;
		break;
	}
	return 0;
}

static uint32_t by_chance(struct way *way, struct fate *fate)
{
	const struct hf_impair_way *const c = way->config;

	fate->lost = chance(way, c->loss);
	if (fate->lost)
		return 0;
	fate->corrupt = chance(way, c->corrupt);
	fate->twice = chance(way, c->duplicate);
	fate->late = chance(way, c->reorder);
	return fate->late ? 1 + way_pick(way, c->reorder_us ? c->reorder_us : REORDER_US) : 0;
}

struct fate way_fate(struct way *way, uint16_t kind, uint64_t now_us)
{
	const struct hf_impair_way *const c = way->config;
	const struct hf_impair_rule *const rule = find_rule(way, kind);
	struct fate fate = { 0 };
	const uint32_t later_us = rule ? by_rule(rule, &fate) : by_chance(way, &fate);

	if (fate.lost)
		return fate;
	fate.at_us = now_us + c->delay_us - c->jitter_us;
	if (c->jitter_us > 0)
		fate.at_us += way_pick(way, 2 * c->jitter_us + 1);
	if (fate.late) {
		fate.at_us += later_us;
		return fate;
	}
	if (fate.at_us < way->last_us)
		fate.at_us = way->last_us;
	if (fate.behind && !way->behind.frame)
		fate.at_us += WAY_BEHIND_US;
	else
		way->last_us = fate.at_us;
	return fate;
}

/* ---- Frames that wait ------------------------------------------------------------------------ */

static bool earlier(const struct waiting *a, const struct waiting *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->number < b->number);
}

/* Room there is. */
static void heap_put(struct way *way, uint64_t at_us, void *frame)
{
	const struct waiting new = { at_us, way->number++, frame };
	uint32_t i = way->used++;

	for (; i > 0 && earlier(&new, &way->heap[(i - 1) / 2]); i = (i - 1) / 2)
		way->heap[i] = way->heap[(i - 1) / 2];
	way->heap[i] = new;
}

static void *heap_take(struct way *way)
{
	const uint32_t n = --way->used;
	const struct waiting last = way->heap[n];
	void *const frame = way->heap[0].frame;
	uint32_t i = 0, child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && earlier(&way->heap[child + 1], &way->heap[child]))
			child++;
		if (!earlier(&way->heap[child], &last))
			break;
		way->heap[i] = way->heap[child];
		i = child;
	}
	way->heap[i] = last;
	return frame;
}

/* The frame that waited for another to go first. */
static void overtaken(struct way *way, uint64_t at_us)
{
	if (!way->behind.frame)
		return;
	heap_put(way, at_us, way->behind.frame);
	way->behind.frame = NULL;
}

bool way_hold(struct way *way, void *frame, const struct fate *fate)
{
	if (way_held(way) == way->size) {
		way->refused++;
		return false;
	}
	if (fate->behind && !way->behind.frame) {
		way->behind = (struct waiting){ .at_us = fate->at_us, .frame = frame };
	} else {
		heap_put(way, fate->at_us, frame);
		overtaken(way, fate->at_us);
	}
	if (way_held(way) > way->peak)
		way->peak = way_held(way);
	return true;
}

uint64_t way_next(const struct way *way)
{
	const uint64_t heap_us = way->used > 0 ? way->heap[0].at_us : UINT64_MAX;
	const uint64_t behind_us = way->behind.frame ? way->behind.at_us : UINT64_MAX;

	return heap_us < behind_us ? heap_us : behind_us;
}

void *way_take(struct way *way, uint64_t now_us)
{
	if (way->behind.frame && way->behind.at_us <= now_us)
		overtaken(way, way->behind.at_us);
	if (way->used == 0 || way->heap[0].at_us > now_us)
		return NULL;
	return heap_take(way);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* A bad link between two ends; see link.h. What becomes of a frame, and when, lib/io/way.c says. */
#include "rig/link.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- Set-up ---------------------------------------------------------------------------------- */

struct link *link_make(uint32_t room, uint64_t seed)
{
	struct link *const l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->grain_us = 1;
	l->spare = calloc(room, sizeof(*l->spare));
	for (unsigned i = 0; i < 2; i++) {
		l->heap[i] = calloc(room, sizeof(*l->heap[i]));
		way_init(&l->way[i], &l->config[i], seed + i, l->heap[i], room);
	}
	for (uint32_t i = 0; l->heap[0] && l->heap[1] && l->spare && i < room; i++) {
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
	struct link_frame *f;

	for (unsigned i = 0; i < 2; i++)
		while ((f = way_take(&l->way[i], UINT64_MAX)) != NULL)
			l->spare[l->spare_count++] = f;
}

void link_free(struct link *l)
{
	if (!l)
		return;
	drop_all(l);
	while (l->spare_count > 0)
		free(l->spare[--l->spare_count]);
	free(l->spare);
	free(l->heap[0]);
	free(l->heap[1]);
	free(l);
}

void link_heal(struct link *l)
{
	drop_all(l);
	for (unsigned i = 0; i < 2; i++) {
		l->config[i].rule_count = 0;
		l->rates[i] = (struct link_rates){ .delay_us = l->rates[i].delay_us,
						   .jitter_us = l->rates[i].jitter_us };
	}
}

void link_rule(struct link *l, struct link_rule rule)
{
	struct hf_impair_way *const config = &l->config[rule.from];

	assert(config->rule_count < HF_IMPAIR_RULES);
	l->way[rule.from].seen[config->rule_count] = 0;
	config->rules[config->rule_count++] = (struct hf_impair_rule){
		.act = (enum hf_impair_act)rule.act,
		.mask = rule.mask,
		.kind = rule.flags,
		.first = rule.nth,
		.last = rule.nth,
		.later_us = rule.later_us,
	};
}

/* ---- Frames ---------------------------------------------------------------------------------- */

/* The rates as they are now. */
static void configure(struct hf_impair_way *config, const struct link_rates *rates)
{
	config->loss = rates->loss;
	config->duplicate = rates->duplicate;
	config->reorder = rates->reorder;
	config->corrupt = rates->corrupt;
	config->jitter_us = rates->jitter_us / 2;
	config->delay_us = rates->delay_us + config->jitter_us;
	config->reorder_us = rates->reorder_us;
}

static struct link_frame *copy(struct link *l, unsigned from, const void *raw, size_t len)
{
	struct link_frame *f;

	assert(len <= LINK_FRAME_MAX);
	if (l->spare_count == 0)
		return NULL;
	f = l->spare[--l->spare_count];
	f->from = from;
	f->len = len;
	memcpy(f->raw, raw, len);
	return f;
}

static const char *word(const struct fate *fate)
{
	return fate->lost    ? "lost" :
	       fate->corrupt ? "corrupt" :
	       fate->twice   ? "twice" :
	       fate->behind  ? "behind" :
	       fate->late    ? "late" :
			       "";
}

struct link_fate link_send(struct link *l, unsigned from, const void *raw, size_t len, uint64_t now_us)
{
	struct way *const way = &l->way[from];
	struct link_frame *f = NULL;
	struct fate fate;
	size_t ip;

	configure(&l->config[from], &l->rates[from]);
	fate = way_fate(way, frame_kind(raw, len, true, &ip), now_us);
	fate.at_us = (fate.at_us + l->grain_us - 1) / l->grain_us * l->grain_us;
	l->sent[from]++;
	if (!fate.lost)
		f = copy(l, from, raw, len);
	if (!f) {
		l->lost[from]++;
		return (struct link_fate){ "lost", 0 };
	}
	if (fate.corrupt) {
		const uint32_t bit = way_pick(way, (uint32_t)len * 8);

		f->raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	way_hold(way, f, &fate); /* it has room for as many as there are */
	f = fate.twice ? copy(l, from, raw, len) : NULL;
	if (f)
		way_hold(way, f, &fate);
	return (struct link_fate){ word(&fate), fate.at_us };
}

uint64_t link_next(const struct link *l)
{
	const uint64_t a_us = way_next(&l->way[0]), b_us = way_next(&l->way[1]);

	return a_us < b_us ? a_us : b_us;
}

const struct link_frame *link_receive(struct link *l, uint64_t now_us)
{
	const unsigned first = way_next(&l->way[1]) < way_next(&l->way[0]);
	struct link_frame *const f = way_take(&l->way[first], now_us);

	if (f)
		l->spare[l->spare_count++] = f; /* nobody takes it before the next link_send */
	return f;
}

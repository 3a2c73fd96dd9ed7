/* SPDX-License-Identifier: BSD-3-Clause */
/* The flow table: a tuple leads to the handle of its request, connection or bucket. One for each
 * worker. The caller hashes (flow_hash, keyed), prefetches for the whole burst, then looks up.
 * flow.c says why the table is built as it is. */
#ifndef HF_FLOW_H
#define HF_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "table/pool.h"
#include "tcp/tuple.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define FLOW_SLOTS 7	/* in one line */
#define FLOW_AT_HOME 1u /* the low bits of a tag: 0 empty, 1 in its home line, */
#define FLOW_AWAY 3u	/* 3 in its other line */

/* One cache line. For each of 16 classes of tags, four bits of `away` count the entries whose home
 * is this line but which sit in their other one; so a miss seldom reads a second line. */
struct flow_line {
	uint32_t tag[FLOW_SLOTS];
	handle to[FLOW_SLOTS];
	uint64_t away;
};

_Static_assert(sizeof(struct flow_line) == 64, "one cache line");

struct flow_table {
	struct flow_line *line;
	struct pools *pools;
	uint32_t lines;
	uint32_t count, peak;
};

/* Octets that flow_init wants for this many flows at 75 % load. */
uint64_t flow_memory(uint32_t capacity);

/**
 * Make an empty table.
 * @param memory    flow_memory(capacity) octets, aligned to 64; must outlive the table
 * @param capacity  flows at 75 % load; it takes a fifth more before it refuses any
 * @param pools     where handles lead; also its injected faults
 * @return 0, or -EINVAL: memory is not aligned
 */
int flow_init(struct flow_table *t, void *memory, uint32_t capacity, struct pools *pools);

/**
 * Enter a handle, whose entry's tuple is written and not yet in the table (HF-M6).
 * @return 0, or -ENOSPC: no room within the bounded search (ctr: table_full)
 */
int flow_insert(struct flow_table *t, uint64_t hash, handle h);

/* One kind of thing becomes another: the same tuple leads to `to` from now on. */
void flow_replace(struct flow_table *t, uint64_t hash, handle from, handle to);

/* Take out what flow_insert entered. Of its entry nothing is read. */
void flow_remove(struct flow_table *t, uint64_t hash, handle h);

/* All handles, one a call, until HANDLE_NONE; *cursor starts at 0. An insertion between two calls
 * can make it miss one or show it twice; a removal cannot. */
handle flow_next(const struct flow_table *t, uint64_t *cursor);

/* Lines that flow_find would read. */
unsigned flow_lines(const struct flow_table *t, uint64_t hash, const struct flow *flow);

/* Whether the table is sound; slow. */
bool flow_check(const struct flow_table *t);

static inline uint32_t flow_count(const struct flow_table *t)
{
	return t->count;
}

static inline uint32_t flow_tag(uint64_t hash)
{
	return ((uint32_t)hash & ~FLOW_AWAY) | FLOW_AT_HOME;
}

static inline uint32_t flow_home(const struct flow_table *t, uint64_t hash)
{
	return (uint32_t)((hash >> 32) * t->lines >> 32);
}

/* The other one of an entry's two lines, from either. */
static inline uint32_t flow_other(const struct flow_table *t, uint32_t line, uint32_t tag)
{
	const uint32_t mixed = (tag | FLOW_AWAY) * 0x9e3779b1u;
	const uint32_t sum = (uint32_t)((uint64_t)mixed * t->lines >> 32);

	return sum >= line ? sum - line : sum - line + t->lines;
}

/* How many of this tag's class sit in their other line. */
static inline unsigned flow_away(const struct flow_line *l, uint32_t tag)
{
	return (unsigned)(l->away >> (tag & 0x3c)) & 15;
}

/* A bit for each slot whose tag is this one; tag 0 finds the empty ones. */
static inline unsigned flow_match(const struct flow_line *l, uint32_t tag)
{
#ifdef __SSE2__
	const __m128i want = _mm_set1_epi32((int)tag), *have = (const __m128i *)(const void *)l;
	const __m128i low = _mm_cmpeq_epi32(_mm_load_si128(have), want);
	const __m128i high = _mm_cmpeq_epi32(_mm_load_si128(have + 1), want);
	const __m128i both = _mm_packs_epi16(_mm_packs_epi32(low, high), low);

	return (unsigned)_mm_movemask_epi8(both) & ((1u << FLOW_SLOTS) - 1);
#else
	unsigned found = 0;

	for (unsigned i = 0; i < FLOW_SLOTS; i++)
		found |= (unsigned)(l->tag[i] == tag) << i;
	return found;
#endif
}

static inline handle flow_look(const struct flow_table *t, const struct flow_line *l, uint32_t tag,
			       const struct flow *flow)
{
	for (unsigned found = flow_match(l, tag); found; found &= found - 1) {
		const handle h = l->to[__builtin_ctz(found)];

		if (handle_version(h) == flow->version &&
		    tuple_is(entry_tuple(pools_entry(t->pools, h), flow->version), flow))
			return h;
	}
	return HANDLE_NONE;
}

/* What this flow leads to, or HANDLE_NONE. */
static inline handle flow_find(const struct flow_table *t, uint64_t hash, const struct flow *flow)
{
	const uint32_t tag = flow_tag(hash), home = flow_home(t, hash);
	const struct flow_line *l = &t->line[home];
	const handle h = flow_look(t, l, tag, flow);

	if (h != HANDLE_NONE || !flow_away(l, tag))
		return h;
	return flow_look(t, &t->line[flow_other(t, home, tag)], tag | FLOW_AWAY, flow);
}

/* First stage for a burst: have the line come. */
static inline void flow_prefetch(const struct flow_table *t, uint64_t hash)
{
	__builtin_prefetch(&t->line[flow_home(t, hash)]);
}

/* What a flow of this hash leads to, most likely: no tuple is compared. */
static inline handle flow_guess(const struct flow_table *t, uint64_t hash)
{
	const struct flow_line *l = &t->line[flow_home(t, hash)];
	const unsigned found = flow_match(l, flow_tag(hash));

	return found ? l->to[__builtin_ctz(found)] : HANDLE_NONE;
}

/* Second stage: have the entry come that the line, here by now, leads to; else the other line. */
static inline void flow_prefetch_entry(const struct flow_table *t, uint64_t hash)
{
	const uint32_t tag = flow_tag(hash), home = flow_home(t, hash);
	const struct flow_line *l = &t->line[home];
	const unsigned found = flow_match(l, tag);

	if (found)
		__builtin_prefetch(pools_entry(t->pools, l->to[__builtin_ctz(found)]));
	else if (flow_away(l, tag))
		__builtin_prefetch(&t->line[flow_other(t, home, tag)]);
}

#endif

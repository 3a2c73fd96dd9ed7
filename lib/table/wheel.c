/* SPDX-License-Identifier: BSD-3-Clause */
/* The timer wheel: a near ring with a slot for each tick, a far ring whose slots are 2^(bits-4)
 * ticks wide. All that is due before the horizon is near, the rest far; as time comes on a far slot
 * is sorted in, a few entries a call, and only then does the horizon pass it. So what is armed for
 * one tick stays in the order it was armed, and no call pays for a crowd that is not yet due. */
#include "table/wheel.h"

#include <assert.h>
#include <string.h>

#define NEAR_END 2u /* handles of no kind, see wheel_ring.end */
#define FAR_END 3u
#define FAR_PARTS 4 /* 2^FAR_PARTS far slots span the near ring */
#define SORT_MAX 64 /* far entries sorted in at a time */

static bool tick_lt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static struct entry *wheel_at(const struct wheel *w, handle h)
{
	return pools_entry(w->pools, h);
}

/* Words of one level of a bitmap; map_from may look one bit past the last. */
static uint64_t map_words(uint64_t bits)
{
	return bits / 64 + 1;
}

static uint64_t ring_memory(unsigned bits)
{
	uint64_t words = 0;

	for (uint64_t n = 1ull << bits; n > 1; n = (n + 63) / 64)
		words += map_words(n);
	return (sizeof(struct wheel_slot) << bits) + (words * sizeof(uint64_t) + 63) / 64 * 64;
}

static unsigned far_bits(unsigned bits)
{
	return 31 - (bits - FAR_PARTS); /* half the circle */
}

uint64_t wheel_memory(unsigned bits)
{
	return ring_memory(bits) + ring_memory(far_bits(bits));
}

static void ring_init(struct wheel_ring *r, void *memory, unsigned bits, unsigned shift, handle end)
{
	uint64_t *word;

	memset(memory, 0, ring_memory(bits));
	*r = (struct wheel_ring){
		.slot = memory, .mask = (1u << bits) - 1, .shift = (uint8_t)shift, .end = end
	};
	word = (uint64_t *)(void *)(r->slot + (1u << bits));
	for (uint64_t n = 1ull << bits; n > 1; n = (n + 63) / 64) {
		r->map[r->maps++] = word;
		word += map_words(n);
	}
}

static void map_set(struct wheel_ring *r, uint32_t at)
{
	for (unsigned i = 0; i < r->maps; i++, at >>= 6) {
		uint64_t *const word = &r->map[i][at >> 6], old = *word;

		*word |= 1ull << (at & 63);
		if (old)
			return;
	}
}

static void map_clear(struct wheel_ring *r, uint32_t at)
{
	for (unsigned i = 0; i < r->maps; i++, at >>= 6) {
		uint64_t *const word = &r->map[i][at >> 6];

		*word &= ~(1ull << (at & 63));
		if (*word)
			return;
	}
}

/* The first set bit from here to the end of the map. Another thread may look while the worker clears it
 * (wheel_oldest, for hf_levels): what is found then may be a slot that is empty, but it is one. */
static bool map_from(const struct wheel_ring *r, uint32_t from, uint32_t *at)
{
	for (unsigned i = 0; i < r->maps; i++, from = (from >> 6) + 1) {
		const uint64_t word = r->map[i][from >> 6] & ~0ull << (from & 63);

		if (word == 0)
			continue;
		from = (from & ~63u) | (uint32_t)__builtin_ctzll(word);
		while (i-- > 0)
			from = from << 6 | (uint32_t)__builtin_ctzll(r->map[i][from] | 1ull << 63);
		*at = from;
		return true;
	}
	return false;
}

/* The first tick of the first slot that is not empty, going round from the slot of this tick. */
static bool ring_next(const struct wheel_ring *r, uint32_t tick, uint32_t *next)
{
	const uint32_t from = tick >> r->shift & r->mask;
	uint32_t at;

	if (!map_from(r, from, &at) && !map_from(r, 0, &at))
		return false;
	*next = ((tick >> r->shift) + ((at - from) & r->mask)) << r->shift;
	return true;
}

static struct wheel_slot *ring_slot(const struct wheel_ring *r, uint32_t tick)
{
	return &r->slot[tick >> r->shift & r->mask];
}

/* Append to the slot of its tick. */
static void ring_put(const struct wheel *w, struct wheel_ring *r, handle h, struct entry *e)
{
	struct wheel_slot *slot = ring_slot(r, e->tick);

	e->next = r->end;
	if (slot->first == HANDLE_NONE) {
		slot->first = h;
		e->prev = r->end;
		map_set(r, e->tick >> r->shift & r->mask);
	} else {
		wheel_at(w, slot->last)->next = h;
		e->prev = slot->last;
	}
	slot->last = h;
}

static void ring_drop(const struct wheel *w, struct wheel_ring *r, struct entry *e)
{
	struct wheel_slot *slot = ring_slot(r, e->tick);

	if (e->next != r->end)
		wheel_at(w, e->next)->prev = e->prev;
	else
		slot->last = e->prev;
	if (e->prev != r->end) {
		wheel_at(w, e->prev)->next = e->next;
	} else if (e->next != r->end) {
		slot->first = e->next;
	} else {
		slot->first = HANDLE_NONE;
		map_clear(r, e->tick >> r->shift & r->mask);
	}
}

void wheel_init(struct wheel *w, void *memory, unsigned bits, const struct pools *ps, uint32_t now)
{
	const unsigned shift = bits - FAR_PARTS;

	assert(bits >= WHEEL_BITS_MIN && bits <= WHEEL_BITS_MAX);
	*w = (struct wheel){ .pools = ps, .now = now };
	w->horizon = (now >> shift << shift) + (1u << bits);
	ring_init(&w->near, memory, bits, 0, NEAR_END);
	ring_init(&w->far, (char *)memory + ring_memory(bits), far_bits(bits), shift, FAR_END);
}

void wheel_arm(struct wheel *w, handle h, uint32_t tick)
{
	struct entry *e = wheel_at(w, h);

	assert(e->prev == HANDLE_NONE);
	e->tick = tick_lt(tick, w->now) ? w->now : tick;
	ring_put(w, tick_lt(e->tick, w->horizon) ? &w->near : &w->far, h, e);
	w->armed++;
}

void wheel_cancel(struct wheel *w, handle h)
{
	struct entry *e = wheel_at(w, h);
	const bool far = e->prev == FAR_END || e->next == FAR_END; /* of no account in mid-list */

	assert(wheel_armed(e));
	ring_drop(w, far ? &w->far : &w->near, e);
	e->next = e->prev = HANDLE_NONE;
	w->armed--;
}

void wheel_move(struct wheel *w, handle h, uint32_t tick)
{
	wheel_cancel(w, h);
	wheel_arm(w, h, tick);
}

/* Move the horizon on, as far as the near ring goes, and what it passes from far to near. */
static void wheel_sort(struct wheel *w)
{
	const uint32_t width = 1u << w->far.shift;
	const uint32_t end = (w->now & ~(width - 1)) + w->near.mask + 1;
	uint32_t next, moved = 0;

	while (w->horizon != end) {
		const struct wheel_slot *slot;

		if (!ring_next(&w->far, w->horizon, &next) || !tick_lt(next, end)) {
			w->horizon = end;
			return;
		}
		w->horizon = next;
		slot = ring_slot(&w->far, next);
		while (slot->first != HANDLE_NONE) {
			const handle h = slot->first;
			struct entry *e = wheel_at(w, h);

			if (moved++ == SORT_MAX)
				return;
			ring_drop(w, &w->far, e);
			ring_put(w, &w->near, h, e);
		}
		w->horizon += width;
	}
}

/* Bring the wheel to the first tick up to this one at which something is due; false: to this one,
 * nothing is. */
static bool wheel_reach(struct wheel *w, uint32_t now)
{
	for (;;) {
		uint32_t reach = now, next;
		const bool any = ring_next(&w->near, w->now, &next);

		if (any && tick_lt(next, w->horizon) && !tick_lt(now, next)) {
			w->now = next;
			return true;
		}
		if (tick_lt(now, w->horizon)) {
			w->now = now;
			return false;
		}
		/* Nothing before the horizon: go to it, or over what is empty behind it. */
		if (any && tick_lt(next, reach))
			reach = next;
		if (ring_next(&w->far, w->horizon, &next) && tick_lt(next, reach))
			reach = next;
		w->now = reach;
		wheel_sort(w);
	}
}

uint32_t wheel_advance(struct wheel *w, uint32_t now, handle *due, uint32_t max)
{
	const struct wheel_slot *slot = ring_slot(&w->near, w->now);
	uint32_t n = 0;

	if (now == w->now && slot->first == HANDLE_NONE)
		return 0;
	assert(!tick_lt(now, w->now));
	while (n < max && wheel_reach(w, now)) {
		slot = ring_slot(&w->near, w->now);
		for (; n < max && slot->first != HANDLE_NONE; n++) {
			due[n] = slot->first;
			wheel_cancel(w, slot->first);
		}
	}
	wheel_sort(w);
	return n;
}

bool wheel_next(const struct wheel *w, uint32_t *tick)
{
	uint32_t far;
	const bool any = ring_next(&w->near, w->now, tick);

	if (any && tick_lt(*tick, w->horizon))
		return true;
	if (!ring_next(&w->far, w->horizon, &far))
		return any;
	if (!any || tick_lt(far, *tick))
		*tick = far;
	return true;
}

handle wheel_oldest(const struct wheel *w)
{
	uint32_t tick;

	if (ring_next(&w->near, w->now, &tick))
		return ring_slot(&w->near, tick)->first;
	if (ring_next(&w->far, w->horizon, &tick))
		return ring_slot(&w->far, tick)->first;
	return HANDLE_NONE;
}

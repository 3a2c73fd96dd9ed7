/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools of records, one for each kind and IP version, named by handles. The worker takes a record when
 * something begins and gives it back when it is over; memory is the caller's, touched once at
 * pool_init. The free list is threaded through struct entry, the body behind it is left alone, so a
 * generation counter outlives its owner. Any take can be made to fail (HF-H3). */
#ifndef HF_POOL_H
#define HF_POOL_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table/handle.h"

/* In entry.prev of what lies in the free list. A handle of no kind, which no pool gives. A record
 * that is taken but in no wheel has HANDLE_NONE there. */
#define ENTRY_FREE 1u

struct pool {
	handle first;
	handle free;	 /* HANDLE_NONE: none */
	uint32_t stride; /* octets from one record to the next */
	uint32_t size;	 /* records */
	uint32_t used, peak;
	uint64_t refused; /* takes that got nothing */
};

struct pools {
	char *entries;			/* the entry of place 0 would be here */
	uint64_t fail_in;		/* the n-th allocation from now fails, once; 0: off */
	struct pool pool[HANDLE_POOLS]; /* by handle_pool; KIND_NONE: empty */
};

#define POOLS_MAX \
	((uint64_t)PLACE_OCTETS << HANDLE_PLACE_BITS) /* octets that handles reach: 16 GiB */

/* No pool yet; theirs is the memory from here on, POOLS_MAX at most, aligned to 64. */
void pools_init(struct pools *ps, void *memory);

/**
 * Make a pool, and touch all of it.
 * @param memory  size records of RECORD_OCTETS(version, body), aligned to 64, behind that of pools_init;
 *                must outlive the pool
 * @param body    octets of a record's body
 * @param size    records; may be 0
 */
void pool_init(struct pools *ps, enum handle_kind kind, uint8_t version, void *memory, size_t body,
	       uint32_t size);

static inline const struct pool *pools_pool(const struct pools *ps, enum handle_kind kind,
					    uint8_t version)
{
	return &ps->pool[handle_pool(handle_make(kind, version, 0))];
}

/* The i-th record of a pool, taken or free. */
static inline handle pool_nth(const struct pool *p, uint32_t i)
{
	return p->first + i * (p->stride / PLACE_OCTETS);
}

/* Whether a handle may lead into the memory of its pool. */
static inline bool pools_hold(const struct pools *ps, handle h)
{
	const struct pool *const p = &ps->pool[handle_pool(h)];

	return h - p->first < p->size * (p->stride / PLACE_OCTETS);
}

/* The entry of a record. */
static inline struct entry *pools_entry(const struct pools *ps, handle h)
{
	return (struct entry *)(void *)(ps->entries + (uint64_t)handle_place(h) * PLACE_OCTETS);
}

static inline void *pools_tuple(const struct pools *ps, handle h)
{
	return entry_tuple(pools_entry(ps, h), handle_version(h));
}

static inline void *pools_body(const struct pools *ps, handle h)
{
	return pools_entry(ps, h) + 1;
}

/* Whether the injected fault is due now. A worker's allocators ask once for each allocation. */
static inline bool pools_fault(struct pools *ps)
{
	return __builtin_expect(ps->fail_in != 0, 0) && --ps->fail_in == 0;
}

/* A record, in no wheel, else as its last owner left it; HANDLE_NONE when all are in use. */
static inline handle pools_take(struct pools *ps, enum handle_kind kind, uint8_t version)
{
	struct pool *p = &ps->pool[handle_pool(handle_make(kind, version, 0))];
	const handle h = p->free;
	struct entry *e;

	if (pools_fault(ps) || h == HANDLE_NONE) {
		p->refused++;
		return HANDLE_NONE;
	}
	e = pools_entry(ps, h);
	p->free = e->next;
	e->next = e->prev = HANDLE_NONE;
	if (++p->used > p->peak)
		p->peak = p->used;
	return h;
}

/* Back into its pool. It must be out of the wheel by now, and not be given twice. */
static inline void pools_give(struct pools *ps, handle h)
{
	struct pool *p = &ps->pool[handle_pool(h)];
	struct entry *e = pools_entry(ps, h);

	assert(e->prev == HANDLE_NONE);
	e->next = p->free;
	e->prev = ENTRY_FREE;
	p->free = h;
	p->used--;
}

#endif

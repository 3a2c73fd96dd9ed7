/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools of fixed-size entries, one for each kind and IP version, named by handles. The worker takes
 * an entry when something begins and gives it back when it is over; memory is the caller's, touched
 * once at pool_init. The free list is threaded through struct entry, the octets behind it are left
 * alone, so a generation counter outlives its owner. Any take can be made to fail (HF-H3). */
#ifndef HF_POOL_H
#define HF_POOL_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "table/handle.h"

/* In entry.prev of what lies in the free list. A handle of no kind, which no pool gives. An entry
 * that is taken but in no wheel has HANDLE_NONE there, so its owner may clear it whole. */
#define ENTRY_FREE 1u

struct pool {
	char *base;
	char *body;	 /* of the first entry: what follows its tuple */
	uint32_t stride; /* octets from one entry to the next */
	uint32_t size;	 /* entries */
	uint32_t free;	 /* 1 + index of the first free one; 0: none */
	uint32_t used, peak;
	uint64_t refused; /* takes that got nothing */
};

struct pools {
	struct pool pool[HANDLE_POOLS]; /* by handle >> HANDLE_INDEX_BITS; KIND_NONE: empty */
	uint64_t fail_in;		/* the n-th allocation from now fails, once; 0: off */
};

/**
 * Make a pool of memory, and touch all of it.
 * @param memory  size * stride octets, aligned as the entries want it; must outlive the pool
 * @param head    octets of an entry's struct entry and tuple: pools_body finds what follows
 * @param stride  octets of one entry; a multiple of 4, no less than struct entry
 * @param size    entries; may be 0, less than 2^29
 */
void pool_init(struct pool *p, void *memory, uint32_t head, uint32_t stride, uint32_t size);

static inline struct pool *pools_of(struct pools *ps, enum handle_kind kind, uint8_t version)
{
	return &ps->pool[handle_make(kind, version, 0) >> HANDLE_INDEX_BITS];
}

/* The entry that a handle from pools_take names. */
static inline void *pools_at(const struct pools *ps, handle h)
{
	const struct pool *p = &ps->pool[h >> HANDLE_INDEX_BITS];

	return p->base + (uint64_t)handle_index(h) * p->stride;
}

/* What follows its tuple. */
static inline void *pools_body(const struct pools *ps, handle h)
{
	const struct pool *p = &ps->pool[h >> HANDLE_INDEX_BITS];

	return p->body + (uint64_t)handle_index(h) * p->stride;
}

/* Whether the injected fault is due now. A worker's allocators ask once for each allocation. */
static inline bool pools_fault(struct pools *ps)
{
	return __builtin_expect(ps->fail_in != 0, 0) && --ps->fail_in == 0;
}

/* An entry, in no wheel, else as its last owner left it; HANDLE_NONE when all are in use. */
static inline handle pools_take(struct pools *ps, enum handle_kind kind, uint8_t version)
{
	struct pool *p = pools_of(ps, kind, version);
	struct entry *e;
	handle h;

	if (pools_fault(ps) || p->free == 0) {
		p->refused++;
		return HANDLE_NONE;
	}
	h = handle_make(kind, version, p->free - 1);
	e = pools_at(ps, h);
	p->free = e->next;
	e->next = e->prev = HANDLE_NONE;
	if (++p->used > p->peak)
		p->peak = p->used;
	return h;
}

/* Back into its pool. It must be out of the wheel by now, and not be given twice. */
static inline void pools_give(struct pools *ps, handle h)
{
	struct pool *p = &ps->pool[h >> HANDLE_INDEX_BITS];
	struct entry *e = pools_at(ps, h);

	assert(handle_index(h) < p->size && e->prev == HANDLE_NONE);
	e->next = p->free;
	e->prev = ENTRY_FREE;
	p->free = handle_index(h) + 1;
	p->used--;
}

#endif

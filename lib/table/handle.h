/* SPDX-License-Identifier: BSD-3-Clause */
/* A handle is a tagged 32-bit name for what a flow leads to: its kind, its IP version, its place in
 * that kind's pool. Everything a handle can name begins with a struct entry and then its tuple. */
#ifndef HF_HANDLE_H
#define HF_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t handle; /* kind (2 bits), version (1 bit), index (29 bits); 0: none */

#define HANDLE_NONE 0u
#define HANDLE_INDEX_BITS 29
#define HANDLE_POOLS 8 /* handle >> HANDLE_INDEX_BITS */

enum handle_kind {
	KIND_NONE,
	KIND_REQUEST,	 /* SYN-RECEIVED from LISTEN */
	KIND_CONNECTION, /* has a TCB */
	KIND_BUCKET,	 /* TIME-WAIT, or orphaned FIN-WAIT-2 */
};

static inline handle handle_make(enum handle_kind kind, uint8_t version, uint32_t index)
{
	return (uint32_t)kind << 30 | (uint32_t)(version == 6) << HANDLE_INDEX_BITS | index;
}

static inline enum handle_kind handle_kind(handle h)
{
	return (enum handle_kind)(h >> 30);
}

static inline uint8_t handle_version(handle h)
{
	return (h >> HANDLE_INDEX_BITS & 1) ? 6 : 4;
}

static inline uint32_t handle_index(handle h)
{
	return h & ((1u << HANDLE_INDEX_BITS) - 1);
}

/* The first octets of every request, connection and bucket; a struct tuple4 or tuple6 follows at once. */
struct entry {
	handle next, prev; /* neighbours in a wheel's slot, or in the pool's free list */
	uint32_t tick;	   /* when the wheel has it fire */
};

_Static_assert(sizeof(struct entry) == 12, "the tuple follows at octet 12");

static inline void *entry_tuple(struct entry *e)
{
	return e + 1;
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* A handle is a tagged 32-bit name for what a flow leads to: its kind, its IP version, its place. What it names
 * is a record. Its place counts in units of 32 octets, so that one shift and one sum find it, whatever its size:
 *
 *     octet of the place  -24            0              12             24
 *     IPv4                               tuple4 ------- entry -------- body (request, connection, bucket) ...
 *     IPv6                tuple6 ---------------------- entry -------- body ...
 */
#ifndef HF_HANDLE_H
#define HF_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "tcp/tuple.h"

typedef uint32_t handle; /* kind (2 bits), version (1 bit), place (29 bits); 0: none */

#define HANDLE_NONE 0u
#define HANDLE_PLACE_BITS 29
#define HANDLE_POOLS 8 /* handle_pool(h) is less */
#define PLACE_OCTETS 32u

enum handle_kind {
	KIND_NONE,
	KIND_REQUEST,	 /* SYN-RECEIVED from LISTEN */
	KIND_CONNECTION, /* has a TCB */
	KIND_BUCKET,	 /* TIME-WAIT, or orphaned FIN-WAIT-2 */
};

static inline handle handle_make(enum handle_kind kind, uint8_t version, uint32_t place)
{
	return (uint32_t)kind << 30 | (uint32_t)(version == 6) << HANDLE_PLACE_BITS | place;
}

static inline enum handle_kind handle_kind(handle h)
{
	return (enum handle_kind)(h >> 30);
}

static inline uint8_t handle_version(handle h)
{
	return (h >> HANDLE_PLACE_BITS & 1) ? 6 : 4;
}

static inline uint32_t handle_place(handle h)
{
	return h & ((1u << HANDLE_PLACE_BITS) - 1);
}

/* Kind and version in one. */
static inline unsigned handle_pool(handle h)
{
	return h >> HANDLE_PLACE_BITS;
}

/* In every record. */
struct entry {
	handle next, prev; /* neighbours in a wheel's slot, or in the pool's free list */
	uint32_t tick;	   /* when the wheel has it fire */
};

#define RECORD_BODY (sizeof(struct tuple4) + sizeof(struct entry)) /* octet of the place */

_Static_assert(RECORD_BODY == 24 && sizeof(struct tuple6) <= PLACE_OCTETS + sizeof(struct tuple4),
	       "bodies are aligned to 8, an IPv6 tuple fits the unit before the place");

/* Of a record whose body has so many: whole units, one more for the head of an IPv6 tuple. */
#define RECORD_OCTETS(version, body)                                                        \
	((((version) == 6 ? PLACE_OCTETS : 0u) + RECORD_BODY + (body) + PLACE_OCTETS - 1) / \
	 PLACE_OCTETS * PLACE_OCTETS)

static inline void *entry_tuple(const struct entry *e, uint8_t version)
{
	return (char *)(uintptr_t)e - (version == 6 ? sizeof(struct tuple6) : sizeof(struct tuple4));
}

#endif

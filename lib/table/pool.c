/* SPDX-License-Identifier: BSD-3-Clause */
/* Setting up pools; taking and giving are inline in pool.h. */
#include "table/pool.h"

void pools_init(struct pools *ps, void *memory)
{
	*ps = (struct pools){ .entries = (char *)memory + sizeof(struct tuple4) };
}

void pool_init(struct pools *ps, enum handle_kind kind, uint8_t version, void *memory, size_t body,
	       uint32_t size)
{
	const uint64_t before = (uint64_t)((char *)memory + sizeof(struct tuple4) - ps->entries);
	const uint32_t place = (uint32_t)(before / PLACE_OCTETS) + (version == 6);
	const handle first = handle_make(kind, version, place);
	const uint32_t stride = (uint32_t)RECORD_OCTETS(version, body);
	struct pool *const p = &ps->pool[handle_pool(first)];

	assert(before % PLACE_OCTETS == 0 && before + (uint64_t)stride * size <= POOLS_MAX);
	*p = (struct pool){ .first = first,
			    .free = size != 0 ? first : HANDLE_NONE,
			    .stride = stride,
			    .size = size };
	for (uint32_t i = 0; i < size; i++)
		*pools_entry(ps, pool_nth(p, i)) = (struct entry){
			.next = i + 1 < size ? pool_nth(p, i + 1) : HANDLE_NONE,
			.prev = ENTRY_FREE,
		};
}

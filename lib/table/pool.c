/* SPDX-License-Identifier: BSD-3-Clause */
/* Setting up pools; taking and giving are inline in pool.h. */
#include "table/pool.h"

void pool_init(struct pool *p, void *memory, uint32_t head, uint32_t stride, uint32_t size)
{
	assert(stride >= sizeof(struct entry) && stride % 4 == 0 && size < 1u << HANDLE_INDEX_BITS);
	*p = (struct pool){ .base = memory,
			    .body = (char *)memory + head,
			    .stride = stride,
			    .size = size,
			    .free = size != 0 };
	for (uint32_t i = 0; i < size; i++) {
		struct entry *e = (struct entry *)(void *)(p->base + (uint64_t)i * stride);

		e->next = i + 1 < size ? i + 2 : 0;
		e->prev = ENTRY_FREE;
		e->tick = 0;
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory for tables and pools: ours, not EAL's, whose pages are 4 KiB where there are no hugepages.
 * The worker takes it once, at its creation. */
#ifndef HF_MEMORY_H
#define HF_MEMORY_H

#include <stddef.h>

/**
 * Zeroed memory, touched here and now on the calling thread's NUMA node. From 2 MiB on it is
 * aligned to that and made of transparent hugepages where the kernel has them.
 * @return NULL: there is not so much
 */
void *memory_take(size_t octets);

/** Give it back, with the same size. NULL is allowed. */
void memory_give(void *memory, size_t octets);

#endif

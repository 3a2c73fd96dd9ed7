/* SPDX-License-Identifier: BSD-3-Clause */
/* What bench_table.c and bench_hash.c share: records of buckets, looked up in bursts, in huge pages. */
#ifndef HF_BENCH_BED_H
#define HF_BENCH_BED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define BURST 32
#define BODY 40 /* octets of a bucket's body */

static inline void *memory_take(uint64_t size)
{
	void *p = aligned_alloc(1 << 21, (size + (1 << 21) - 1) >> 21 << 21);

	if (p == NULL) {
		perror("aligned_alloc");
		exit(1);
	}
	(void)madvise(p, size, MADV_HUGEPAGE);
	return p;
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Anonymous memory, aligned to the 2 MiB of a transparent hugepage, on this thread's NUMA node.
 */
#include <assert.h>
#include <numa.h>
#include <numaif.h>
#include <stdint.h>
#include <sys/mman.h>

#include "io/memory.h"

#define PAGE ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)

static size_t round_up(size_t octets, size_t unit)
{
	return (octets + unit - 1) & ~(unit - 1);
}

/* size octets that begin at a multiple of align: a longer mapping, its ends cut off. */
static uint8_t *map_aligned(size_t size, size_t align)
{
	const size_t slack = align - PAGE;
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	uint8_t *whole = mmap(NULL, size + slack, PROT_READ | PROT_WRITE, flags, -1, 0);
	size_t front;

	if (whole == MAP_FAILED)
		return NULL;
	front = round_up((uintptr_t)whole, align) - (uintptr_t)whole;
	if (front > 0)
		munmap(whole, front);
	if (front < slack)
		munmap(whole + front + size, slack - front);
	return whole + front;
}

void *memory_take(size_t octets)
{
	const size_t size = round_up(octets, PAGE);
	const size_t align = size >= HUGE_PAGE ? HUGE_PAGE : PAGE;
	uint8_t *memory;

	assert(octets > 0);
	if (size < octets || size > SIZE_MAX - align)
		return NULL;
	memory = map_aligned(size, align);
	if (memory == NULL)
		return NULL;
	if (align == HUGE_PAGE)
		madvise(memory, size, MADV_HUGEPAGE);
	/* Preferred, no node named: that of the thread which touches a page first, and that is this
	 * one. Where a container forbids the call the kernel's default, the same, stays. */
	if (numa_available() == 0)
		mbind(memory, size, MPOL_PREFERRED, NULL, 0, 0);
	madvise(memory, size, MADV_DONTDUMP); /* secrets are among it, and whom it speaks to */
	for (size_t at = 0; at < size; at += PAGE)
		((volatile uint8_t *)memory)[at] = 0;
	return memory;
}

void memory_give(void *memory, size_t octets)
{
	if (memory != NULL)
		munmap(memory, round_up(octets, PAGE));
}

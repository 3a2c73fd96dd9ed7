/* SPDX-License-Identifier: BSD-3-Clause */
/* mbufs come from EAL's own memory, where AddressSanitizer sees no borders. These draw them by hand
 * round the frames of the memory port. Nothing at all in a build without AddressSanitizer. */
#ifndef HF_POISON_H
#define HF_POISON_H

#include <rte_mbuf.h>

#if defined(__SANITIZE_ADDRESS__)
#define HF_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HF_ASAN 1
#endif
#endif

#ifdef HF_ASAN
#include <sanitizer/asan_interface.h>

/* Only [data_off, data_off + data_len) of this one segment may be touched. */
static inline void poison_round(const struct rte_mbuf *m)
{
	const char *end = rte_pktmbuf_mtod(m, const char *) + m->data_len;

	__asan_poison_memory_region(m->buf_addr, m->data_off);
	__asan_poison_memory_region(end, (size_t)((const char *)m->buf_addr + m->buf_len - end));
}

/* The whole room of this one segment may be touched again. */
static inline void poison_lift(const struct rte_mbuf *m)
{
	__asan_unpoison_memory_region(m->buf_addr, m->buf_len);
}
#else
static inline void poison_round(const struct rte_mbuf *m)
{
	(void)m;
}
static inline void poison_lift(const struct rte_mbuf *m)
{
	(void)m;
}
#endif

/*
 * Mbufs pass from core to core by rings inside DPDK's libraries, which ThreadSanitizer does not see into: it
 * is told not to look at them. Nor at counters and levels: aligned words with one writer, which others read
 * whole (HF-M10), and which a plain addition writes because that is cheapest. All else is looked at (HF-M1).
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HF_TSAN
#endif
#endif

#ifdef HF_TSAN
void AnnotateBenignRaceSized(const char *file, int line, const volatile void *at, size_t octets,
			     const char *why);

static inline void poison_unwatch(const volatile void *at, size_t octets)
{
	AnnotateBenignRaceSized(__FILE__, __LINE__, at, octets, "shared on purpose");
}
#else
static inline void poison_unwatch(const volatile void *at, size_t octets)
{
	(void)at, (void)octets;
}
#endif

#endif

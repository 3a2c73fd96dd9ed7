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

#endif

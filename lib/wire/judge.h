/* SPDX-License-Identifier: BSD-3-Clause */
/* What parse.c and usual.c judge alike: whether an IPv4 packet is for us, from somebody who may be. */
#ifndef HF_JUDGE_H
#define HF_JUDGE_H

#include "wire/parse.h"

#define unlikely(x) __builtin_expect(!!(x), 0)

/* A drop, for a layer that says whether the next one may look. */
static inline bool refuse(struct wire_in *in, enum stat why)
{
	in->drop = why;
	return false;
}

/* RFC 1122 3.2.1.3: 0/8, 127/8, 224/4, 240/4 send nothing. */
static inline bool source4_valid(const struct wire_config *c, uint32_t src)
{
	const uint32_t net = src >> 24;

	if (net - 1 < 126 || net - 128 < 96)
		return true;
	return c->accept_reserved && (net == 127 || net >= 240) && src != UINT32_MAX;
}

/* Both addresses against the ranges that are ours, and the source on its own. */
static inline bool addresses4_pass(const struct wire_config *c, uint32_t src, uint32_t dst,
				   struct wire_in *in)
{
	bool ours = false;

	in->drop = STAT_RX_DROP_NOT_OURS;
	for (unsigned i = 0; i < c->ranges4; i++) {
		const uint32_t first = c->range4[i].first, count = c->range4[i].count;
		const uint32_t broadcast = c->range4[i].broadcast;

		if (unlikely(src - first < count))
			return refuse(in, STAT_RX_DROP_LAND); /* HF-IP1 */
		if (unlikely(src == broadcast))
			return refuse(in, STAT_RX_DROP_IP_ADDR);
		if (dst - first < count)
			ours = true;
		else if (dst == broadcast)
			in->drop = STAT_RX_DROP_GROUP;
	}
	if (unlikely(!ours)) {
		if (dst >> 28 == 0xe || dst == UINT32_MAX)
			in->drop = STAT_RX_DROP_GROUP;
		return false;
	}
	in->drop = STAT_RX_DROP_IP_ADDR;
	return source4_valid(c, src);
}

#endif

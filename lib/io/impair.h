/* SPDX-License-Identifier: BSD-3-Clause */
/* The bad link at the port's edge (HF-H6): mbufs meet the fates of way.h. A worker without hf_impair
 * has none of it. Lost frames of either way are no rx_frames and no tx_frames: they were lost outside. */
#ifndef HF_IMPAIR_H
#define HF_IMPAIR_H

#include <rte_mbuf.h>

#include "io/way.h"

struct hf_worker;

struct impair {
	struct hf_impair config;
	struct way in, out;
	uint32_t mbufs; /* of the frames that wait */
};

/** @return 0; -EINVAL, why names the value */
int impair_judge(const struct hf_impair *config, struct hf_error *why);

/** Frames that may wait each way. */
uint32_t impair_hold(const struct hf_impair *config);

/** @param heaps  of impair_hold frames each */
void impair_init(struct impair *impair, const struct hf_impair *config, struct waiting *heaps[2]);

/** Free all that waits. */
void impair_drop(struct impair *impair);

/** Receive a burst. @return frames in rx whose time has come, at most n */
uint16_t impair_receive(struct hf_worker *w, struct rte_mbuf **rx, uint16_t n);

/** Take over n frames to be sent. */
void impair_send(struct hf_worker *w, struct rte_mbuf **tx, uint16_t n);

/** @return frames in tx that are to leave now, at most n */
uint16_t impair_leave(struct hf_worker *w, struct rte_mbuf **tx, uint16_t n);

/** When the next frame of either way comes; UINT64_MAX: none waits. */
uint64_t impair_next(const struct impair *impair);

/** Mbufs of the frames that wait, by walking them. */
uint32_t impair_walk(const struct impair *impair);

#endif

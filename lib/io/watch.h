/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies of the frames that pass a worker, for another thread to read (hf_watch). Off, it costs the turn two
 * branches and a frame none; on, nothing ever waits: what does not fit the ring is counted.
 */
#ifndef HF_IO_WATCH_H
#define HF_IO_WATCH_H

#include "io/worker.h"

/* This burst has arrived; nothing is judged yet. */
void watch_arrived(struct hf_worker *w, struct rte_mbuf **rx, unsigned n);
/* The segment in this frame of the burst has been dealt with; so were those before it. */
void watch_taken(struct hf_worker *w, const struct rte_mbuf *m, const struct flow *flow);
/* This frame has been gathered for the device. */
void watch_sent(struct hf_worker *w, const struct rte_mbuf *m);
/* The reader may see what has been copied so far. */
void watch_publish(struct hf_worker *w);
void watch_drop(struct hf_worker *w);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* A flight recorder: the last events of some connections, for when one of them comes to a bad end. Off (w->recorder
 * is NULL), each place that would tell it something costs a branch. */
#ifndef HF_RECORDER_H
#define HF_RECORDER_H

#include "io/worker.h"

struct recorder;

/* Octets for so many connections; 0 for none. */
size_t recorder_memory(uint32_t connections);
/* Memory is zero, aligned to 64. */
void recorder_init(struct hf_worker *w, void *memory);

/* A segment has been sent; one has arrived and is dealt with next, and has been; a call has been made. */
COLD void recorder_sent(struct hf_worker *w, const struct flow *flow, const struct seg *seg);
COLD void recorder_arrives(struct hf_worker *w, const struct flow *flow, const struct seg *seg);
COLD void recorder_arrived(struct hf_worker *w);
COLD void recorder_call(struct hf_worker *w, handle h, enum hf_record_what what);
/* It has not ended in order: what led there is kept, but for an ABORT of its own application. */
void recorder_keep(struct hf_worker *w, const struct flow *flow, int32_t error);

static inline void record_sent(struct hf_worker *w, const struct flow *flow, const struct seg *seg)
{
	if (__builtin_expect(w->recorder != NULL, 0))
		recorder_sent(w, flow, seg);
}

static inline void record_call(struct hf_worker *w, handle h, enum hf_record_what what)
{
	if (__builtin_expect(w->recorder != NULL, 0))
		recorder_call(w, h, what);
}

#endif

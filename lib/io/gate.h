/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A gate: the bursts of a device's workers and EAL's interrupt thread take turns. net_memif unmaps the
 * memory that it shares with its peer in that thread, whenever the peer goes, and does not ask whether a
 * worker is reading it. Alarms run in the same thread ("Alarm Handling in Host Thread" of DPDK's guide),
 * so while ours is in its callback the driver does nothing. Used by port.c and port.h.
 */
#ifndef HF_GATE_H
#define HF_GATE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

enum gate_state {
	GATE_OPEN,   /* the interrupt thread is ours: bursts may go on */
	GATE_PAUSED, /* ... has a few microseconds for what has come to the driver */
	GATE_DOWN,   /* ... is the driver's: there is no peer and nothing to poll */
};

struct gate {
	atomic_int state;
	atomic_bool ending, ended;
	uint16_t device, queues;
	struct gate_side { /* a queue's worker */
		alignas(RTE_CACHE_LINE_SIZE) atomic_bool inside;
	} sides[];
};

/** Begin to hold the interrupt thread. @return NULL: no memory */
struct gate *gate_make(uint16_t device, uint16_t queues);

/** Stop the device and remove it, by the thread that drives it; and free the gate. */
void gate_end(struct gate *gate);

/** @return whether a burst may begin; if so, gate_leave ends it */
static inline bool gate_enter(struct gate *gate, uint16_t queue)
{
	atomic_store(&gate->sides[queue].inside, true); /* seen before the state is looked at */
	if (likely(atomic_load(&gate->state) == GATE_OPEN))
		return true;
	atomic_store(&gate->sides[queue].inside, false);
	return false;
}

static inline void gate_leave(struct gate *gate, uint16_t queue)
{
	atomic_store_explicit(&gate->sides[queue].inside, false, memory_order_release);
}

#endif

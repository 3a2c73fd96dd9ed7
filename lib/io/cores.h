/* SPDX-License-Identifier: BSD-3-Clause */
/* Which CPUs workers run on: hf_env_start reads the list and gives EAL one lcore for each. */
#ifndef HF_CORES_H
#define HF_CORES_H

#include <stdint.h>

#include <rte_config.h>

#include "handfast.h"

/* CPUs of workers in order; one CPU may come more than once. Lcore 0 is the calling thread's. */
struct cores {
	unsigned count;
	uint16_t cpu[RTE_MAX_LCORE - 1];
};

/**
 * Read "0-1,3".
 * @param list  NULL: every CPU this process may use
 * @return 0; -EINVAL, and why names the part that is wrong
 */
int cores_read(const char *list, struct cores *cores, struct hf_error *why);

/** EAL's --lcores: "0@(0,1),1@0,2@1". @return to be freed; NULL: no memory */
char *cores_option(const struct cores *cores);

/*
 * net_tap is told of frames by a real-time signal, and read only once a thread has taken that. The kernel would
 * have the main thread take it, and while that waits for a CPU so would frames, though their worker runs: on a
 * busy machine for longer than a SYN's RTO. So threads that EAL makes after cores_leave_signals leave such
 * signals to the first worker, which takes them from cores_take_signals on. To one thread: net_tap counts them
 * without a lock.
 */
void cores_leave_signals(void);
void cores_take_signals(void);

#endif

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

#endif

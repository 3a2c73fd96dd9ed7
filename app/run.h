/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A run of pair, load or serve: start DPDK, the workers of each end on their cores, mind signals and
 * progress, have the report made. Called by main.c; pair.c and one.c open the ports.
 */
#ifndef HF_APP_RUN_H
#define HF_APP_RUN_H

#include "plan.h"
#include "status.h"

/** What DPDK is to make at its start, and where the text of that is kept. */
struct wanted {
	const char *vdevs[1];
	int vdev_count;
	const char *eal[2]; /* more options of EAL */
	int eal_count;
	char text[TEXT_ROOM];
};

/** How a command comes by its ports. */
struct wire {
	/* Before DPDK starts. @return 0 or a negative errno */
	int (*want)(const struct settings *s, unsigned queues, struct wanted *wanted,
		    struct hf_error *why);
	/* After: plan->pairs ports of each end that there is. */
	int (*open)(const struct settings *s, const struct plan *plan,
		    struct hf_port **ports[SIDES], struct hf_error *why);
};

/** Start DPDK with what the wire wants. @return STATUS_OK, or what to exit with and why */
int run_begin(const struct settings *s, const struct plan *plan, const struct wire *wire,
	      const char *program, const char *const *eal, int eal_count, struct hf_error *why);

extern const struct wire wire_pair, wire_one;

/** @return the program's exit status */
int run_command(const struct settings *s, enum command command, const char *program,
		const char *const *eal, int eal_count);

#endif

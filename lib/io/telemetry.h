/* SPDX-License-Identifier: BSD-3-Clause */
/* The workers that telemetry tells of; telemetry.c keeps them, telemetry_list.c asks one of them. */
#ifndef HF_TELEMETRY_H
#define HF_TELEMETRY_H

#include <stdatomic.h>

#include "io/compat.h"
#include "io/worker.h"

#define TOLD_PAGE 128  /* entries asked for at a time: more than fit into an answer */
#define TOLD_BRIEF 352 /* ... and of those that are told in brief */

struct told {
	struct hf_worker *w;
	char name[32];
	/* Outlives a request that was not answered in time: the worker may still come to it. */
	struct hf_question question;
	struct hf_entry entries[TOLD_BRIEF];
	bool asked;
	const atomic_uint *wanted; /* not 0: whoever waits for an answer gives up */
};

/* "/handfast/connections,WORKER,CURSOR,WHAT..." and the same of listeners; params follow WORKER.
 * @return 0; or a negative errno, and why says what to tell the asker */
int tell_connections(struct told *told, const char *params, struct rte_tel_data *d,
		     struct hf_error *why);
int tell_listeners(struct told *told, const char *params, struct rte_tel_data *d,
		   struct hf_error *why);

#endif

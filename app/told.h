/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a run tells of itself to other processes by telemetry, `ss` and `top` among them, while it runs: its
 * books as /handfast/report. run.c begins and ends it, end.c has each worker answer.
 */
#ifndef HF_APP_TOLD_H
#define HF_APP_TOLD_H

#include "end.h"

struct told_run {
	const struct run *run;
	struct end *const *ends; /* of each side; there, with their workers, until told_end */
};

/** A telemetry that does not start is no reason not to run. */
void told_begin(const struct told_run *told);
void told_end(void);

/** The name of a worker there: "client0". @return 0 or a negative errno */
int told_worker(struct end *e, unsigned i);

#endif

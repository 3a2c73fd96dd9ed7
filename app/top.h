/* SPDX-License-Identifier: BSD-3-Clause */
/* `handfast top`: a running instance, live. Called by main.c. */
#ifndef HF_APP_TOP_H
#define HF_APP_TOP_H

#include "instance.h"
#include "status.h"

/** argv[0] is "top". @return the program's exit status */
int top_run(int argc, char **argv, const char *program);

/* top_view.c */

#define TOP_WORKERS 128

/** What the instance said at one time. */
struct top_sample {
	json_t *info, *counters, *states, *levels, *report;
	json_t *worker_counters[TOP_WORKERS], *worker_states[TOP_WORKERS]; /* in info's order */
};

/** @return 0; -EIO it has gone, why says so */
int top_sample_take(struct instance *in, struct top_sample *sample, struct hf_error *why);
void top_sample_drop(struct top_sample *sample);

/** What there is to see, with the rates from one sample to the next. */
void top_view(const struct instance *in, const struct top_sample *last,
	      const struct top_sample *now, FILE *out);

#endif

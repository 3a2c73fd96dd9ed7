/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * --record and --record-filter: what the workers' flight recorders hold at the end of a run, printed as trace
 * does. Used by plan.c, which tells the workers, and run.c.
 */
#ifndef HF_APP_RECORDED_H
#define HF_APP_RECORDED_H

#include "end.h"

/** Whether the two options are right. @return 0; -EINVAL, why says what is wrong */
int recorded_check(const struct settings *s, struct hf_error *why);

/** What a worker is to record. */
void recorded_config(const struct settings *s, struct hf_config *config);

/** Nobody runs the workers any more: print those that ended badly, with a filter all that it chose. */
void recorded_print(const struct settings *s, struct end *const ends[SIDES], unsigned n, FILE *out);

#endif

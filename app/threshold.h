/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a run has to reach, by figures of its report: --threshold
 * "rate.connections_per_second>=100k,latency_us.connect.p99<=500,connections.failed<=0". Called by run.c.
 */
#ifndef HF_APP_THRESHOLD_H
#define HF_APP_THRESHOLD_H

#include <jansson.h>
#include <stdio.h>

#include "config.h"

/** Whether the text can be read; whether there are such figures the report alone knows. @return 0 or -EINVAL */
int threshold_check(const char *text, struct hf_error *why);

/** Say of each that is missed what was measured. An object's figure is the sum of its own.
 *  @return how many are */
unsigned threshold_missed(const char *text, const json_t *report, const char *program, FILE *out);

#endif

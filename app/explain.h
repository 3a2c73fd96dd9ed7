/* SPDX-License-Identifier: BSD-3-Clause */
/* `--explain`: one sentence a segment, for a reader who is learning. Used by trace.c. */
#ifndef HF_APP_EXPLAIN_H
#define HF_APP_EXPLAIN_H

#include "follow.h"

/**
 * @param base     what the line above it subtracts from its numbers
 * @param wait_us  of an end in TIME-WAIT after this segment: how long still
 */
void explain_print(FILE *out, const struct packet *p, const struct follow_step *step,
		   const struct line_base *base, uint64_t wait_us);

#endif

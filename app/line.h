/* SPDX-License-Identifier: BSD-3-Clause */
/* A segment as `tcpdump -n` prints it, up to "length N". Used by trace.c. */
#ifndef HF_APP_LINE_H
#define HF_APP_LINE_H

#include <stdio.h>

#include "packet.h"

/** What to subtract from the numbers of a segment before they are shown; all 0: as they are (-S). */
struct line_base {
	uint32_t seq, ack;
	uint32_t sack; /* from both edges of each block */
};

/** "12:00:00.000000" */
void line_stamp(FILE *out, uint64_t at_ns);

void line_print(FILE *out, const struct packet *p, const struct line_base *base);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's log, stderr and stdout, held back while something starts: drivers cry wolf, and what they say is wanted only
 * when the start fails. env.c and port.c use it. */
#ifndef HF_HOLD_H
#define HF_HOLD_H

#include <stdbool.h>
#include <stdio.h>

struct hold {
	FILE *before, *held;
	char *text;
	size_t size;
	int errors; /* stderr as it was; -1: it is still there */
};

/* From here on the log goes nowhere else. Where there is no memory it just goes on. */
void hold_begin(struct hold *hold);

/* The first complaint, without the name of who made it; good until hold_end, and only once. */
const char *hold_complaint(struct hold *hold);

/* The log goes on as before. What was held is gone. */
void hold_end(struct hold *hold);

/* stdout too: EAL prints its usage there. @return what hold_stdout_end wants */
int hold_stdout(void);

/* stdout as it was. @return whether anything was printed, which is gone */
bool hold_stdout_end(int out);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* `handfast ss`: the connections of a running instance, as ss(8) lists a kernel's. Called by main.c. */
#ifndef HF_APP_SS_H
#define HF_APP_SS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "status.h"

/** What is shown of an entry. */
struct ss_columns {
	bool timer, details, header;
};

/** argv[0] is "ss". @return the program's exit status */
int ss_run(int argc, char **argv, const char *program);

/* ss_print.c */

void ss_print_header(const struct ss_columns *columns);

/** An entry of /handfast/connections or /handfast/listeners. */
void ss_print(const json_t *entry, const struct ss_columns *columns);

/** The answers of /handfast/states, levels and report, as `ss -s` sums up. */
void ss_print_summary(const json_t *states, const json_t *levels, const json_t *counters);

/** A time as ss prints it. @return text */
char *ss_time(uint64_t ms, char text[24]);

#endif

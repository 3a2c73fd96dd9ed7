/* SPDX-License-Identifier: BSD-3-Clause */
/* `handfast ss`: the connections of a running instance, as ss(8) lists a kernel's. Called by main.c. */
#ifndef HF_APP_SS_H
#define HF_APP_SS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "handfast.h"
#include "status.h"

/** An entry, as every line shows it. */
struct ss_row {
	enum hf_state state;
	enum hf_timer timer;
	struct hf_addr local, peer;
	uint32_t recv_q, send_q;
	uint32_t timer_ms, retransmits; /* or keepalive probes */
	uint32_t leak_ms; /* 1 + since when CLOSE-WAIT has not been closed; 0: it is no such leak */
};

/** What is shown of an entry. */
struct ss_columns {
	bool timer, details, header;
};

/** argv[0] is "ss". @return the program's exit status */
int ss_run(int argc, char **argv, const char *program);

/* ss_row.c */

/** Of the rows of an answer in brief, and of the entries of one in full. @return false: it is none */
bool ss_row_brief(const char *text, struct ss_row *row);
bool ss_row_entry(const json_t *entry, struct ss_row *row);

/* ss_print.c */

void ss_print_header(const struct ss_columns *columns);

/** With the entry of /handfast/connections, for its details; else NULL. */
void ss_print(const struct ss_row *row, const json_t *entry, const struct ss_columns *columns);

/** The answers of /handfast/states, levels and report, as `ss -s` sums up. */
void ss_print_summary(const json_t *states, const json_t *levels, const json_t *counters);

/** A time as ss prints it. @return text */
char *ss_time(uint64_t ms, char text[24]);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Two workers on memory ports, a client and a server, of bench_connection.c and bench_steps.c. */
#ifndef HF_BENCH_ENDS_H
#define HF_BENCH_ENDS_H

#include "handfast.h"

#define FRAMES 1024 /* that a port holds */

struct how {
	unsigned batch, ports; /* connections under way; of the client, 1024 and up */
	unsigned timestamps, time_wait, verify;
};

struct end {
	struct hf_worker *w;
	struct hf_port *port;
	uint64_t closed, cycles;
};

#define HOW_USUAL                                                                         \
	{                                                                                 \
		.batch = 32, .ports = 64512, .timestamps = 1, .time_wait = 1, .verify = 1 \
	}

uint64_t cycles(void); /* of the TSC; 0 where there is none */
void end_make(struct end *e, unsigned i, const char *address, uint8_t version, const struct how *how);
void end_free(struct end *e);
void carry(struct hf_port *from, struct hf_port *to, const struct how *how);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* `handfast pair`: both ends in one process over net_ring. Used by run.c. */
#include "run.h"

static int pair_want(const struct settings *s, unsigned queues, struct wanted *wanted,
		     struct hf_error *why)
{
	(void)s, (void)queues, (void)wanted, (void)why;
	return 0;
}

static int pair_open(const struct settings *s, const struct plan *plan,
		     struct hf_port **ports[SIDES], struct hf_error *why)
{
	return hf_port_ring_pair("pair", plan->pairs, plan->ring, plan->mbufs, s->mtu,
				 ports[CLIENT], ports[SERVER], why);
}

const struct wire wire_pair = { .want = pair_want, .open = pair_open };

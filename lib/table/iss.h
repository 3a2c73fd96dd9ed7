/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyed numbers: the initial send sequence number (RFC 9293 3.4.1, RFC 6528), the timestamp offset
 * (RFC 7323 5.4) and the flow table's hash, each under a secret of its own. */
#ifndef HF_ISS_H
#define HF_ISS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "table/siphash.h"
#include "tcp/tuple.h"

/* Set once at start, never shown (MUST-9). All workers of a process have the same ones, so that an
 * address pair has one timestamp offset whichever worker a port belongs to. */
struct secrets {
	uint64_t table[2], iss[2], ports[2], cookie[2][2], ts[2];
	uint64_t table_aes[5][2]; /* hash.c */
	bool has_aes;		  /* the CPU does */
	bool iss_fixed;		  /* tests only: every ISS is iss_value */
	uint32_t iss_value;
};

#define SECRETS_OCTETS offsetof(struct secrets, has_aes) /* of random that secrets_fill needs */

/* Takes the secrets from octets of a CSPRNG (getrandom; MUST-9). 0, or -EINVAL: size is less than
 * SECRETS_OCTETS. */
int secrets_fill(struct secrets *secrets, const uint8_t *random, size_t size);

/* Derives the secrets from a seed, the same each time: replay and tests only. */
void secrets_seed(struct secrets *secrets, uint64_t seed);

#define FLOW_WORDS4 2 /* 12 octets and the length */
#define FLOW_WORDS6 5 /* 36 octets and the length */

/* The words that SipHash reads of a tuple; the last one is half a word and the length. */
static inline void flow_words4(const struct tuple4 *tuple, uint64_t words[FLOW_WORDS4])
{
	uint32_t ports;

	memcpy(words, tuple, 8);
	memcpy(&ports, &tuple->local_port, 4);
	words[1] = ports | SIPHASH_LENGTH(sizeof(*tuple));
}

static inline void flow_words6(const struct tuple6 *tuple, uint64_t words[FLOW_WORDS6])
{
	uint32_t ports;

	memcpy(words, tuple, 32);
	memcpy(&ports, &tuple->local_port, 4);
	words[4] = ports | SIPHASH_LENGTH(sizeof(*tuple));
}

/* Where a flow goes in the flow table (HF-M3): hash.c. */
uint64_t flow_hash(const struct secrets *secrets, const struct flow *flow);
bool hash_has_aes(void);

/* SipHash-2-4 of the tuple: for numbers that a peer gets to see. */
uint64_t flow_prf(const uint64_t key[2], const struct flow *flow);

/* A new connection's ISS: a clock of 4 us ticks (MUST-8) plus a PRF of the tuple (SHLD-1). A tuple
 * out of TIME-WAIT gets its ISS elsewhere (TW-P8, TW-A5). */
uint32_t iss_generate(const struct secrets *secrets, const struct flow *flow, uint64_t now_us);

/* What is added to the millisecond clock in TSval: one number an address pair, so that TSval grows
 * from one incarnation of a tuple to the next (HF-TS1). Ports do not matter. */
uint32_t ts_offset(const struct secrets *secrets, const struct flow *flow);

#endif

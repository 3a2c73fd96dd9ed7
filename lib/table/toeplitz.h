/* SPDX-License-Identifier: BSD-3-Clause */
/* The Toeplitz hash of a flow as NICs compute it for RSS (the Microsoft RSS specification; the order of
 * its input is that of an arriving frame). io/steer.c tells by it which worker a flow belongs to.
 * The key is public: the flow table has a hash of its own (HF-M3). */
#ifndef HF_TOEPLITZ_H
#define HF_TOEPLITZ_H

#include <stdbool.h>
#include <stdint.h>

#include "tcp/tuple.h"

#define TOEPLITZ_INPUT 36 /* octets: two IPv6 addresses and two ports */
#define TOEPLITZ_KEY (TOEPLITZ_INPUT + 4)

/* What each half octet of the input, by its place and value, adds to the hash: 4.5 KiB. */
struct toeplitz {
	uint32_t half[2 * TOEPLITZ_INPUT][16];
};

/** @param key  TOEPLITZ_KEY octets */
void toeplitz_init(struct toeplitz *t, const uint8_t *key);

/** The hash of frames that arrive for the flow: its remote end is their source. */
uint32_t toeplitz_flow(const struct toeplitz *t, const struct flow *flow);

/** Whether either port alone, in both IP versions, and the remote address's last 16 bits reach every
 *  value of the hash's low bits evenly, so that no worker of a small test gets more than its share. */
bool toeplitz_spreads(const struct toeplitz *t, unsigned bits);

#endif

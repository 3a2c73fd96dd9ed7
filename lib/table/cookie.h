/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN cookies (RFC 4987 3.6): an ISS that says by itself which SYN it answers. 26 bits of MAC over tuple,
 * IRS, time and MSS; 3 bits of time in slots of 16 s, so none lives longer than 128 s; 3 bits of MSS. The six
 * open bits are masked by a PRF of the tuple, so that a cookie looks like any other ISS (RFC6528-3). */
#ifndef HF_COOKIE_H
#define HF_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table/iss.h"

#define COOKIE_LIFE_MS 128000

/* The ISS for a SYN with this IRS and MSS; the largest MSS of the table that is not above it is kept. */
uint32_t cookie_make(const struct secrets *secrets, const struct flow *flow, uint32_t irs,
		     uint16_t mss, uint64_t now_us);

/* Whether this ISS is a cookie of ours, made for this flow and IRS less than COOKIE_LIFE_MS ago.
 * @param mss  out: what it keeps; set only if true */
bool cookie_check(const struct secrets *secrets, const struct flow *flow, uint32_t irs,
		  uint32_t iss, uint64_t now_us, uint16_t *mss);

/* Cookies that have made a connection, as long as they live: none makes two (RFC4987-cookie4). What a flow
 * hashes to and the cookie lead to one line; when that is full of living ones the oldest is forgotten. */
struct cookies_used {
	struct cookies_line *at;
	uint64_t mask;
};

/* Octets that cookies_init needs: 16 places for each half-open. With a quarter of them in use 1 in 900 is
 * forgotten too early, with half of them 1 in 20. */
size_t cookies_memory(uint32_t requests);

/* memory: cookies_memory() octets, zero, aligned to 64, the caller's while it is used. */
void cookies_init(struct cookies_used *used, void *memory, uint32_t requests);

bool cookie_used(const struct cookies_used *used, uint64_t hash, uint32_t iss, uint64_t now_us);

/* This cookie, right just now, has made its connection.
 * @return whether another one that may still come was forgotten for it */
bool cookie_use(struct cookies_used *used, uint64_t hash, uint32_t iss, uint64_t now_us);

#endif

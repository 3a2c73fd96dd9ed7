/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN cookies (RFC 4987 3.6): an ISS that says by itself which SYN it answers. 26 bits of MAC over tuple,
 * IRS, time and MSS; 3 bits of time in slots of 16 s, so none lives longer than 128 s; 3 bits of MSS. The six
 * open bits are masked by a PRF of the tuple, so that a cookie looks like any other ISS (RFC6528-3). */
#ifndef HF_COOKIE_H
#define HF_COOKIE_H

#include <stdbool.h>
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

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a worker's books balance (DESIGN 2.4, HF-G1) and whether it has let go of everything (HF-LK1). */
#ifndef RIG_BOOKS_H
#define RIG_BOOKS_H

#include "handfast.h"

/* The sums of stats.def that hold between any two turns, with what lives. @return NULL; or what is
 * wrong, in why */
const char *books_wrong(const struct hf_worker *w, struct hf_error *why);

/* No connection, record, timer or mbuf is left, and the books of what has ended balance. @return likewise */
const char *books_open(const struct hf_worker *w, struct hf_error *why);

#endif

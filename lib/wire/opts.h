/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP options <-> struct seg (RFC 9293 3.2, RFC 7323, RFC 2018). parse.c and build.c call it. */
#ifndef HF_OPTS_H
#define HF_OPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "tcp/seg.h"
#include "wire/octets.h"

#define OPTS_MAX 40 /* octets: data offset 15 (HF-O6) */

enum option {
	OPTION_EOL = 0,
	OPTION_NOP = 1,
	OPTION_MSS = 2,
	OPTION_WSCALE = 3,
	OPTION_SACK_PERMITTED = 4,
	OPTION_SACK = 5,
	OPTION_TS = 8,
	OPTION_MD5 = 19,
	OPTION_AO = 29,
};

/* Four octets of options, the first of which comes first on the wire. */
#define OPTS_WORD(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))
#define OPTS_TS OPTS_WORD(OPTION_NOP, OPTION_NOP, OPTION_TS, 10)

/* opts_parse for any layout; seg->options and seg->sacks are already zero. */
bool opts_walk(const uint8_t *opts, uint32_t len, struct seg *seg);

/**
 * Fill in the options of a segment whose flags are set already: MSS, window scale, SACK-permitted
 * count only in a SYN (MUST-65, RFC 7323 2.2, RFC 2018 2), and an MSS of 0 is none (HF-O4).
 * @return false when a length was bad: what came before it stands (MUST-7)
 */
static inline bool opts_parse(const uint8_t *opts, uint32_t len, struct seg *seg)
{
	seg->options = 0;
	seg->sacks = 0;
	if (len == 0)
		return true;
	if (len == 12 && load32(opts) == be32(OPTS_TS)) { /* RFC 7323 appendix A */
		seg->options = OPT_TS;
		seg->tsval = get32(opts + 4);
		seg->tsecr = get32(opts + 8);
		return true;
	}
	return opts_walk(opts, len, seg);
}

/* Octets that opts_build will write: a multiple of 4, at most OPTS_MAX. */
uint32_t opts_len(const struct seg *seg);

/* opts_build for any set of options. */
uint32_t opts_write(const struct seg *seg, uint8_t *opts, uint64_t *sum);

/**
 * Write a segment's options as Linux orders them. SACK blocks that do not fit are left out (HF-O6).
 * @param sum  the sum of the words written is added to it, for the checksum
 * @return octets written: a multiple of 4, at most OPTS_MAX; all padding is NOPs
 */
static inline uint32_t opts_build(const struct seg *seg, uint8_t *opts, uint64_t *sum)
{
	if (seg->options == OPT_TS) {
		*sum += put32(opts, OPTS_TS);
		*sum += put32(opts + 4, seg->tsval);
		*sum += put32(opts + 8, seg->tsecr);
		return 12;
	}
	if (seg->options == OPTS_SYN) {
		*sum += put32(opts, OPTS_WORD(OPTION_MSS, 4, 0, 0) | seg->mss);
		*sum += put32(opts + 4, OPTS_WORD(OPTION_SACK_PERMITTED, 2, OPTION_TS, 10));
		*sum += put32(opts + 8, seg->tsval);
		*sum += put32(opts + 12, seg->tsecr);
		*sum += put32(opts + 16, OPTS_WORD(OPTION_NOP, OPTION_WSCALE, 3, seg->wscale));
		return 20;
	}
	return seg->options == 0 ? 0 : opts_write(seg, opts, sum);
}

#endif

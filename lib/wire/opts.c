/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP options: a bounded walk over what came; what we send, in words of four octets (RFC 9293 3.1). */
#include "wire/opts.h"

/* RFC 2018 3: 2 + 8n octets, n from 1 to 4. */
static void take_sack(const uint8_t *o, uint32_t len, struct seg *seg)
{
	if (len < 10 || (len - 2) % 8 != 0)
		return;
	seg->sacks = (uint8_t)((len - 2) / 8);
	o += 2;
	for (uint32_t i = 0; i < seg->sacks; i++, o += 8) {
		seg->sack[i].left = get32(o);
		seg->sack[i].right = get32(o + 4);
	}
	seg->options |= OPT_SACK;
}

/* One option of len octets at o. A length that is not its kind's makes it unknown (HF-O3), and only
 * the first of a kind counts (HF-O2). */
static void take(const uint8_t *o, uint32_t len, struct seg *seg)
{
	const bool syn = seg->flags & SEG_SYN;

	switch (o[0]) {
	case OPTION_MSS:
		if (len != 4 || !syn || (seg->options & OPT_MSS) || get16(o + 2) == 0)
			return;
		seg->mss = get16(o + 2);
		seg->options |= OPT_MSS;
		return;
	case OPTION_WSCALE:
		if (len != 3 || !syn || (seg->options & OPT_WSCALE))
			return;
		seg->wscale = o[2];
		seg->options |= OPT_WSCALE;
		return;
	case OPTION_SACK_PERMITTED:
		if (len == 2 && syn)
			seg->options |= OPT_SACK_PERMITTED;
		return;
	case OPTION_SACK:
		if (!(seg->options & OPT_SACK))
			take_sack(o, len, seg);
		return;
	case OPTION_TS:
		if (len != 10 || (seg->options & OPT_TS))
			return;
		seg->tsval = get32(o + 2);
		seg->tsecr = get32(o + 6);
		seg->options |= OPT_TS;
		return;
	case OPTION_MD5:
		if (len == 18) /* RFC 2385 3 */
			seg->options |= OPT_AUTH;
		return;
	case OPTION_AO:
		if (len >= 4) /* RFC 5925 2.2 */
			seg->options |= OPT_AUTH;
		return;
	}
}

/* The SYN of Linux and of handfast: MSS, SACK-permitted, TS, NOP, window scale. */
static bool take_usual_syn(const uint8_t *o, struct seg *seg)
{
	if (load16(o) != be16(OPTION_MSS << 8 | 4) || load16(o + 2) == 0 ||
	    load32(o + 4) != be32(OPTS_WORD(OPTION_SACK_PERMITTED, 2, OPTION_TS, 10)) ||
	    get32(o + 16) >> 8 != OPTS_WORD(OPTION_NOP, OPTION_WSCALE, 3, 0) >> 8)
		return false;
	seg->options = OPTS_SYN;
	seg->mss = get16(o + 2);
	seg->tsval = get32(o + 8);
	seg->tsecr = get32(o + 12);
	seg->wscale = o[19];
	return true;
}

bool opts_walk(const uint8_t *opts, uint32_t len, struct seg *seg)
{
	uint32_t at = 0;

	if (len == 20 && (seg->flags & SEG_SYN) && take_usual_syn(opts, seg))
		return true;
	while (at < len && opts[at] != OPTION_EOL) { /* nothing after EOL is looked at (HF-O1) */
		if (opts[at] == OPTION_NOP) {
			at++;
			continue;
		}
		if (len - at < 2 || opts[at + 1] < 2 || opts[at + 1] > len - at)
			return false;
		take(opts + at, opts[at + 1], seg);
		at += opts[at + 1];
	}
	return true;
}

/* How many SACK blocks the segment's other options leave room for. */
static uint32_t sacks_sent(const struct seg *seg, uint32_t others)
{
	const uint32_t room = (OPTS_MAX - 4 - others) / 8;

	if (!(seg->options & OPT_SACK))
		return 0;
	return seg->sacks < room ? seg->sacks : room;
}

uint32_t opts_len(const struct seg *seg)
{
	uint32_t len = 0, sacks;

	if (seg->options == OPT_TS)
		return 12;
	if (seg->options & OPT_MSS)
		len += 4;
	if (seg->options & OPT_TS)
		len += 12;
	else if (seg->options & OPT_SACK_PERMITTED)
		len += 4;
	if (seg->options & OPT_WSCALE)
		len += 4;
	sacks = sacks_sent(seg, len);
	return sacks > 0 ? len + 4 + 8 * sacks : len;
}

uint32_t opts_write(const struct seg *seg, uint8_t *opts, uint64_t *sum)
{
	const bool permitted = seg->options & OPT_SACK_PERMITTED;
	uint8_t *o = opts;
	uint64_t s = *sum;
	uint32_t sacks;

	if (seg->options & OPT_MSS) {
		s += put32(o, OPTS_WORD(OPTION_MSS, 4, 0, 0) | seg->mss);
		o += 4;
	}
	if (seg->options & OPT_TS) {
		s += put32(o, permitted ? OPTS_WORD(OPTION_SACK_PERMITTED, 2, OPTION_TS, 10) :
					  OPTS_TS);
		s += put32(o + 4, seg->tsval);
		s += put32(o + 8, seg->tsecr);
		o += 12;
	} else if (permitted) {
		s += put32(o, OPTS_WORD(OPTION_NOP, OPTION_NOP, OPTION_SACK_PERMITTED, 2));
		o += 4;
	}
	if (seg->options & OPT_WSCALE) {
		s += put32(o, OPTS_WORD(OPTION_NOP, OPTION_WSCALE, 3, seg->wscale));
		o += 4;
	}
	sacks = sacks_sent(seg, (uint32_t)(o - opts));
	if (sacks > 0) {
		s += put32(o, OPTS_WORD(OPTION_NOP, OPTION_NOP, OPTION_SACK, 2 + 8 * sacks));
		o += 4;
		for (uint32_t i = 0; i < sacks; i++, o += 8) {
			s += put32(o, seg->sack[i].left);
			s += put32(o + 4, seg->sack[i].right);
		}
	}
	*sum = s;
	return (uint32_t)(o - opts);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Reassembly: ranges ahead of RCV.NXT in order of sequence number, none overlapping another, at most
 * ooo_segs of them (RFC 9293 3.10.7.4, SHLD-31; HF-D1, HF-D2), and the SACK blocks that tell the peer of
 * them (RFC 2018). What a new segment has that is held already is not taken again, nor is what it has
 * behind held text: that is asked for anew. */
#include "tcp/reassembly.h"

static uint32_t range_end(const struct range *range)
{
	return range->seq + range->len;
}

/* What of [first, end) is held in one piece, the lowest of it (RFC 2883 4). */
static struct span first_held(const struct range *at, uint32_t before, uint32_t after,
			      uint32_t first, uint32_t end)
{
	const uint32_t by =
		before != RANGE_NONE && seq_gt(range_end(&at[before]), first) ? before : after;
	struct span span = { end, end };

	if (by == RANGE_NONE || seq_ge(at[by].seq, end))
		return span;
	span.left = seq_max(at[by].seq, first);
	if (seq_lt(range_end(&at[by]), end))
		span.right = range_end(&at[by]);
	return span;
}

/* Keep [first, end), which is new, between two ranges. */
static void hold(struct tcp_host *host, struct tcb *tcb, uint32_t before, uint32_t first, uint32_t end)
{
	struct range *const at = host->ranges.at;
	const uint32_t spare = host->ranges.spare;
	uint32_t *const link = before == RANGE_NONE ? &tcb->held : &at[before].next;

	at[spare] = (struct range){ .next = *link, .seq = first, .len = end - first };
	*link = spare;
	host->ranges.spare = RANGE_NONE;
	tcb->held_count++;
	tcb->held_newest = first;
	tcp_count(host, STAT_OOO_QUEUED);
}

struct span reassembly_hold(struct tcp_host *host, struct tcb *tcb, const struct seg *seg,
			    struct out *out)
{
	const struct range *const at = host->ranges.at;
	uint32_t first = seg->seq, end = seg->seq + seg->text_len;
	uint32_t before = RANGE_NONE, after = tcb->held;
	struct span again;

	if (seq_gt(end, tcb->rcv_adv))
		end = tcb->rcv_adv;
	while (after != RANGE_NONE && seq_le(at[after].seq, first)) {
		before = after;
		after = at[after].next;
	}
	again = first_held(at, before, after, first, end);
	if (again.left != again.right)
		tcb->held_newest = again.left;
	if (before != RANGE_NONE)
		first = seq_max(first, range_end(&at[before]));
	if (after != RANGE_NONE && seq_gt(end, at[after].seq))
		end = at[after].seq;
	if (!seq_lt(first, end))
		return again;
	if (tcb->held_count >= host->config.ooo_segs || host->ranges.spare == RANGE_NONE) {
		tcp_count(host, STAT_OOO_DROPPED);
		return again;
	}
	out->hold = host->ranges.spare;
	out->text_skip = (uint16_t)(first - seg->seq);
	out->text_len = (uint16_t)(end - first);
	hold(host, tcb, before, first, end);
	return again;
}

uint32_t reassembly_room(const struct tcp_host *host, const struct tcb *tcb, uint32_t len)
{
	uint32_t gap;

	if (tcb->held == RANGE_NONE)
		return len;
	gap = host->ranges.at[tcb->held].seq - tcb->rcv_nxt;
	return gap < len ? gap : len;
}

bool reassembly_join(struct tcp_host *host, struct tcb *tcb, struct out *out)
{
	struct range *const at = host->ranges.at;
	uint32_t last = RANGE_NONE;

	out->join = tcb->held;
	while (tcb->held != RANGE_NONE && at[tcb->held].seq == tcb->rcv_nxt) {
		last = tcb->held;
		tcb->rcv_nxt += at[last].len;
		tcb->rcv_queued += at[last].len;
		tcp_stat_add(host, STAT_TEXT_IN, at[last].len);
		tcp_count(host, STAT_OOO_MERGED);
		tcb->held = at[last].next;
		tcb->held_count--;
	}
	if (last == RANGE_NONE) {
		out->join = RANGE_NONE;
		return false;
	}
	at[last].next = RANGE_NONE;
	if (tcb->held != RANGE_NONE && seq_lt(tcb->held_newest, tcb->rcv_nxt))
		tcb->held_newest = at[tcb->held].seq;
	return true;
}

void reassembly_drop(struct tcp_host *host, struct tcb *tcb)
{
	while (tcb->held != RANGE_NONE) {
		const uint32_t first = tcb->held;

		tcb->held = host->ranges.at[first].next;
		range_let_go(&host->ranges, first);
	}
	tcb->held_count = 0;
}

/* The block, of ranges that touch, which begins with this one. @return the range behind it */
static uint32_t block_from(const struct range *at, uint32_t first, uint32_t *right)
{
	uint32_t next = at[first].next;

	*right = range_end(&at[first]);
	while (next != RANGE_NONE && at[next].seq == *right) {
		*right = range_end(&at[next]);
		next = at[next].next;
	}
	return next;
}

void reassembly_blocks(struct tcp_host *host, const struct tcb *tcb, struct seg *seg)
{
	const struct range *const at = host->ranges.at;
	const uint8_t newest = seg->sacks; /* behind a D-SACK block, if there is one */
	uint32_t range = tcb->held;
	uint32_t right;

	if (range == RANGE_NONE)
		return;
	seg->sacks++; /* kept for the newest, wherever it is met */
	while (range != RANGE_NONE) {
		const uint32_t left = at[range].seq;

		range = block_from(at, range, &right);
		if (seq_in(tcb->held_newest, left, right - left)) {
			seg->sack[newest].left = left;
			seg->sack[newest].right = right;
		} else if (seg->sacks < SEG_SACK_MAX) {
			seg->sack[seg->sacks].left = left;
			seg->sack[seg->sacks++].right = right;
		}
	}
	seg->options |= OPT_SACK;
	tcp_stat_add(host, STAT_SACK_OUT, seg->sacks);
}

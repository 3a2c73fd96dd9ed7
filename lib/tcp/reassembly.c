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

/* What of [first, end) is held in one piece, the lowest of it (RFC 2883 4): it has come again. */
static struct span first_held(struct ranges *ranges, uint32_t before, uint32_t after,
			      uint32_t first, uint32_t end)
{
	struct range *const at = ranges->at;
	const uint32_t by =
		before != RANGE_NONE && seq_gt(range_end(&at[before]), first) ? before : after;
	struct span span = { end, end };

	if (by == RANGE_NONE || seq_ge(at[by].seq, end))
		return span;
	at[by].came = ++ranges->arrivals;
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

	at[spare] = (struct range){
		.next = *link, .seq = first, .len = end - first, .came = ++host->ranges.arrivals
	};
	*link = spare;
	host->ranges.spare = RANGE_NONE;
	tcb->held_count++;
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
	again = first_held(&host->ranges, before, after, first, end);
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

/* Ranges that touch, as the peer is told of them. */
struct block {
	uint32_t left, right;
	uint32_t came; /* the last of them */
};

/* The block that begins with this range. @return the range behind it */
static uint32_t block_from(const struct range *at, uint32_t first, struct block *block)
{
	uint32_t next = first;

	*block = (struct block){ at[first].seq, at[first].seq, at[first].came };
	do {
		block->right = range_end(&at[next]);
		if (seq_gt(at[next].came, block->came))
			block->came = at[next].came;
		next = at[next].next;
	} while (next != RANGE_NONE && at[next].seq == block->right);
	return next;
}

/* Among the first room of them, the one that came last before the others; the oldest may fall out. */
static uint32_t block_insert(struct block *blocks, uint32_t count, uint32_t room,
			     const struct block *new)
{
	uint32_t i = count < room ? count : room;

	while (i > 0 && seq_gt(new->came, blocks[i - 1].came)) {
		if (i < room)
			blocks[i] = blocks[i - 1];
		i--;
	}
	if (i < room)
		blocks[i] = *new;
	return count < room ? count + 1 : room;
}

/* The block of what came last first, then those that were told before it (RFC 2018 4). */
void reassembly_blocks(struct tcp_host *host, const struct tcb *tcb, struct seg *seg)
{
	const struct range *const at = host->ranges.at;
	const uint32_t room = SEG_SACK_MAX - seg->sacks; /* behind a D-SACK block, if there is one */
	struct block blocks[SEG_SACK_MAX], block;
	uint32_t count = 0;

	if (tcb->held == RANGE_NONE)
		return;
	for (uint32_t range = tcb->held; range != RANGE_NONE;) {
		range = block_from(at, range, &block);
		count = block_insert(blocks, count, room, &block);
	}
	for (uint32_t i = 0; i < count; i++) {
		seg->sack[seg->sacks].left = blocks[i].left;
		seg->sack[seg->sacks++].right = blocks[i].right;
	}
	seg->options |= OPT_SACK;
	tcp_stat_add(host, STAT_SACK_OUT, seg->sacks);
}

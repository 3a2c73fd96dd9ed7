/* SPDX-License-Identifier: BSD-3-Clause */
/* Reassembly: ranges ahead of RCV.NXT in order of sequence number, none overlapping another, at most
 * ooo_segs of them (RFC 9293 3.10.7.4, SHLD-31; HF-D1, HF-D2), and the SACK blocks that tell the peer of
 * them (RFC 2018). What a new segment has that is held already is not taken again: it is cut off at the
 * ends, and in between the held octets go over the segment's. */
#include "tcp/reassembly.h"
#include "tcp/answer.h"

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

/* Where what is new of a segment's text goes: [first, end), behind the range before and ahead of the range
 * beyond. Ranges between those two lie wholly in it. */
struct place {
	uint32_t first, end;
	uint32_t before, beyond;
};

/* The last range that begins at seq or ahead of it, the next one in *after. */
static uint32_t find_before(const struct ranges *ranges, const struct tcb *tcb, uint32_t seq,
			    uint32_t *after)
{
	uint32_t before = RANGE_NONE;

	*after = tcb->held;
	while (*after != RANGE_NONE && seq_le(ranges->at[*after].seq, seq)) {
		before = *after;
		*after = ranges->at[before].next;
	}
	return before;
}

/* Cut off what is held at either end. @return whether anything is left, which has gaps at both */
static bool trim(const struct range *at, struct place *p, uint32_t after)
{
	const uint32_t end = p->end;
	uint32_t edge;

	if (p->before != RANGE_NONE)
		p->first = seq_max(p->first, range_end(&at[p->before]));
	for (; after != RANGE_NONE && at[after].seq == p->first; after = at[after].next) {
		p->before = after;
		p->first = range_end(&at[after]);
	}
	edge = p->end = p->first;
	for (; after != RANGE_NONE && seq_lt(at[after].seq, end); after = at[after].next) {
		if (at[after].seq != edge) { /* a gap ahead of it */
			p->end = at[after].seq;
			p->beyond = after;
		}
		edge = range_end(&at[after]);
	}
	if (seq_lt(edge, end)) {
		p->end = end;
		p->beyond = after;
	}
	return p->end != p->first;
}

static bool covers(const struct range *at, const struct tcb *tcb, const struct place *p)
{
	return (p->before == RANGE_NONE ? tcb->held : at[p->before].next) != p->beyond;
}

/* Keep what is new as one range, in the place of those that it covers: their octets go over its own. */
static void hold(struct tcp_host *host, struct tcb *tcb, const struct seg *seg,
		 const struct place *p, struct out *out)
{
	struct range *const at = host->ranges.at;
	const uint32_t spare = host->ranges.spare;
	uint32_t *const link = p->before == RANGE_NONE ? &tcb->held : &at[p->before].next;
	uint32_t *covered = link;

	while (*covered != p->beyond) {
		covered = &at[*covered].next;
		tcb->held_count--;
	}
	*covered = RANGE_NONE;
	out->covered = *link; /* RANGE_NONE when covered is link */
	at[spare] = (struct range){ .next = p->beyond,
				    .seq = p->first,
				    .len = p->end - p->first,
				    .came = ++host->ranges.arrivals };
	*link = spare;
	host->ranges.spare = RANGE_NONE;
	tcb->held_count++;
	out->hold = spare;
	out->text_skip = (uint16_t)(p->first - seg->seq);
	out->text_len = (uint16_t)(p->end - p->first);
	tcp_count(host, STAT_OOO_QUEUED);
}

/* @return what of it was held already, the first of several such spans */
static struct span hold_text(struct tcp_host *host, struct tcb *tcb, const struct seg *seg,
			     struct out *out)
{
	struct place p = { .first = seg->seq, .end = seg->seq + seg->text_len };
	struct span again;
	uint32_t after;

	if (seq_gt(p.end, tcb->rcv_adv))
		p.end = tcb->rcv_adv;
	p.before = find_before(&host->ranges, tcb, p.first, &after);
	again = first_held(&host->ranges, p.before, after, p.first, p.end);
	if (!trim(host->ranges.at, &p, after))
		return again;
	if (host->ranges.spare == RANGE_NONE ||
	    (tcb->held_count >= host->config.ooo_segs && !covers(host->ranges.at, tcb, &p))) {
		tcp_count(host, STAT_OOO_DROPPED);
		return again;
	}
	hold(host, tcb, seg, &p, out);
	return again;
}

void reassembly_ahead(struct tcp_host *host, struct tcb *tcb, const struct seg *seg, struct out *out)
{
	const uint32_t end = seg->seq + seg->text_len;
	struct span again = { 0, 0 };

	if ((seg->flags & SEG_FIN) && seq_in(end, tcb->rcv_nxt, tcp_rcv_wnd(tcb))) {
		tcb->flags |= TCB_FIN_AHEAD;
		tcb->fin_seq = end;
	}
	if (seg->text_len > 0)
		again = hold_text(host, tcb, seg, out);
	tcp_count(host, STAT_DUP_ACK_OUT);
	answer_duplicate(host, tcb, again.left, again.right, out);
}

bool reassembly_span(struct tcp_host *host, struct tcb *tcb, const struct seg *seg, struct out *out)
{
	struct place p = { .first = tcb->rcv_nxt,
			   .end = seg->seq + seg->text_len,
			   .before = RANGE_NONE };

	if (seq_gt(p.end, tcb->rcv_adv))
		p.end = tcb->rcv_adv;
	if (host->ranges.spare == RANGE_NONE || !trim(host->ranges.at, &p, tcb->held) ||
	    !covers(host->ranges.at, tcb, &p))
		return false;
	hold(host, tcb, seg, &p, out);
	return true;
}

struct span reassembly_again(struct tcp_host *host, const struct tcb *tcb, uint32_t len)
{
	return first_held(&host->ranges, RANGE_NONE, tcb->held, tcb->rcv_nxt, tcb->rcv_nxt + len);
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

/* Among the room newest, newest first; where there are so many the oldest falls out. @return how many there are */
static uint32_t block_insert(struct block *blocks, uint32_t count, uint32_t room,
			     const struct block *new)
{
	uint32_t i = count < room ? count : room - 1;

	for (; i > 0 && seq_gt(new->came, blocks[i - 1].came); i--)
		blocks[i] = blocks[i - 1];
	blocks[i] = *new;
	return count < room ? count + 1 : room;
}

/* The block of what came last first, then those that were told before it (RFC 2018 4). */
void reassembly_blocks(struct tcp_host *host, const struct tcb *tcb, struct seg *seg)
{
	const struct range *const at = host->ranges.at;
	const uint32_t left = seg->text_len < tcb->snd_mss ? tcb->snd_mss - seg->text_len : 0;
	/* behind a D-SACK block, if there is one, and two octets of padding and two of the option */
	const uint32_t room = min_u32(SEG_SACK_MAX - seg->sacks, left < 4 ? 0 : (left - 4) / 8);
	struct block blocks[SEG_SACK_MAX], block;
	uint32_t count = 0, range = tcb->held;

	if (room == 0)
		return;
	while (range != RANGE_NONE) {
		block = (struct block){ at[range].seq, range_end(&at[range]), at[range].came };
		range = at[range].next;
		while (range != RANGE_NONE && at[range].seq == block.right) {
			block.right = range_end(&at[range]);
			block.came = seq_max(block.came, at[range].came);
			range = at[range].next;
		}
		if (count < room || seq_gt(block.came, blocks[count - 1].came))
			count = block_insert(blocks, count, room, &block);
	}
	if (count == 0)
		return;
	for (uint32_t i = 0; i < count; i++) {
		seg->sack[seg->sacks].left = blocks[i].left;
		seg->sack[seg->sacks++].right = blocks[i].right;
	}
	seg->options |= OPT_SACK;
	tcp_stat_add(host, STAT_SACK_OUT, seg->sacks);
}

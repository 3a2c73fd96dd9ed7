/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 6675: Update, SetPipe and NextSeg over the scoreboard; which blocks are believed (RFC 2018 3, 8) and
 * which report a duplicate (RFC 2883 4). cc.c begins and ends recovery, output.c sends. */
#include "tcp/sack.h"
#include "tcp/cc.h"

/* The first block is no news of a gap: it lies before the ACK, or within the block behind it. */
bool sack_is_duplicate(const struct seg *seg)
{
	const bool within = seg->sacks > 1 && seq_ge(seg->sack[0].left, seg->sack[1].left) &&
			    seq_le(seg->sack[0].right, seg->sack[1].right);

	return seg->sacks > 0 && (seq_le(seg->sack[0].right, seg->ack) || within);
}

/* Whether it lies in what is in flight beyond una, all measured from there: two by two they may be in order and yet
 * go round the circle. */
static bool is_in_flight(const struct tcb *tcb, const struct span *span, uint32_t una)
{
	const uint32_t left = span->left - una, right = span->right - una;

	return 0 < left && left < right && right <= tcb->snd_nxt - una;
}

bool sack_take(struct tcp_host *host, struct tcb *tcb, const struct seg *seg)
{
	const uint32_t una = seq_max(tcb->snd_una, seg->ack);
	uint8_t i = 0;
	uint32_t fresh = 0;

	if (tcb->flight != 0)
		prr_watch(tcb, flight_of(host, tcb));
	tcp_stat_add(host, STAT_SACK_IN, seg->sacks);
	if (sack_is_duplicate(seg)) {
		tcp_count(host, STAT_DSACK_IN);
		i++;
	}
	for (; i < seg->sacks; i++) {
		const struct span span = { seg->sack[i].left, seg->sack[i].right };
		struct flight *flight;

		if (!is_in_flight(tcb, &span, una)) {
			tcp_count(host, STAT_SACK_REFUSED);
			continue;
		}
		/* one that comes free in the midst of NewReno's recovery does not change it */
		flight = tcb->flags & TCB_RECOVERY ? flight_of(host, tcb) : flight_begin(host, tcb);
		if (flight != NULL && rack_is_on(host, tcb))
			rack_delivered(host, tcb, seg, tcb->snd_una, span.left, span.right);
		fresh += flight != NULL ? scoreboard_add(&flight->board, span.left, span.right) :
					  1; /* nobody can tell */
	}
	return fresh > 0;
}

/* A peer that takes back what it said to hold is not believed for the rest of it either (RFC 2018 8);
 * nothing is lost by that, for text is kept until SND.UNA has passed it. */
void sack_advance(struct tcp_host *host, struct tcb *tcb)
{
	struct flight *const flight = flight_of(host, tcb);

	sentlog_advance(&flight->rack.log, tcb->snd_una);
	flight->reduced = seq_max(flight->reduced, tcb->snd_una);
	if (!seq_gt(flight->range_end, tcb->snd_una)) /* it may be another's from now on */
		flight->range = RANGE_NONE;
	if (tcb->snd_una == tcb->snd_nxt) {
		scoreboard_clear(&flight->board);
		if (!flight->rack.tlp) /* else rack_acked does */
			flight_end(host, tcb);
		return;
	}
	if (scoreboard_advance(&flight->board, tcb->snd_una))
		return;
	tcp_count(host, STAT_SACK_RENEGED);
	scoreboard_clear(&flight->board);
}

bool sack_una_lost(const struct tcp_host *host, const struct tcb *tcb)
{
	const struct flight *const flight = flight_of(host, tcb);

	return flight != NULL &&
	       scoreboard_lost_edge(&flight->board, tcb->snd_una, tcb->snd_mss) != tcb->snd_una;
}

uint32_t sack_pipe(const struct tcp_host *host, const struct tcb *tcb)
{
	const struct flight *const flight = flight_of(host, tcb);
	const struct scoreboard *const board = &flight->board;
	const uint32_t una = tcb->snd_una;

	if (flight->rack.log.count > 0)
		return rack_pipe(host, tcb);
	const uint32_t edge = scoreboard_lost_edge(board, una, tcb->snd_mss);
	const uint32_t again = seq_max(flight->high_rxt, una);

	return tcb->snd_nxt - edge - scoreboard_between(board, edge, tcb->snd_nxt) + again - una -
	       scoreboard_between(board, una, again);
}

uint32_t sack_window(const struct tcp_host *host, const struct tcb *tcb)
{
	const uint32_t pipe = sack_pipe(host, tcb);
	const uint32_t in_flight = tcb->snd_nxt - tcb->snd_una;

	return in_flight + (tcb->cwnd > pipe ? tcb->cwnd - pipe : 0);
}

/* Step C of recovery: nothing leaves unless a whole segment may, nor beyond the peer's window. */
static bool may_leave(const struct tcp_host *host, const struct tcb *tcb, uint32_t seq)
{
	return sack_pipe(host, tcb) + tcb->snd_mss <= tcb->cwnd && seq - tcb->snd_una < tcb->snd_wnd;
}

/* A segment's worth of what is not held and was not sent again yet, from HighRxt to this octet. */
static bool take_hole(const struct tcp_host *host, const struct tcb *tcb, uint32_t to,
		      struct span *span)
{
	struct flight *const flight = flight_of(host, tcb);
	const uint32_t from = seq_max(flight->high_rxt, tcb->snd_una);

	if (!scoreboard_hole(&flight->board, from, to, span) || !may_leave(host, tcb, span->left))
		return false;
	span_clip(span, tcb);
	flight->high_rxt = span->right;
	return true;
}

bool sack_next_lost(const struct tcp_host *host, struct tcb *tcb, struct span *span)
{
	const struct flight *const flight = flight_of(host, tcb);
	const struct scoreboard *const board = &flight->board;

	prr_acked(host, tcb);
	if (flight->rack.log.count > 0)
		return rack_lost(host, tcb, span) && may_leave(host, tcb, span->left);
	return take_hole(host, tcb, scoreboard_lost_edge(board, tcb->snd_una, tcb->snd_mss), span);
}

/* The last octets in flight, if they are neither held nor sent again already: what waits for its second
 * loss to be found is the timer's. */
static bool take_tail(const struct flight *flight, const struct tcb *tcb, struct span *span)
{
	const struct scoreboard *const board = &flight->board;
	const uint32_t above = board->count > 0 ? board->span[board->count - 1].right : tcb->snd_una;

	*span = (struct span){ seq_max(above, flight->high_rxt), tcb->snd_nxt };
	if (span->right - span->left > segment_most(tcb, span))
		span->left = span->right - segment_most(tcb, span);
	return seq_lt(span->left, span->right);
}

bool sack_next_doubtful(const struct tcp_host *host, const struct tcb *tcb, struct span *span)
{
	struct flight *const flight = flight_of(host, tcb);
	const struct scoreboard *const board = &flight->board;

	if (flight->rack.log.count > 0)
		return false; /* a probe will tell (RFC 8985 7) */
	if (board->count > 0 && take_hole(host, tcb, board->span[board->count - 1].left, span))
		return true;
	if (flight->rescued || !take_tail(flight, tcb, span) || !may_leave(host, tcb, span->left))
		return false;
	flight->rescued = true;
	return true;
}

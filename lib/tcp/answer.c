/* SPDX-License-Identifier: BSD-3-Clause */
/* Replies that carry no text: ACKs, challenge ACKs and RSTs, with the window and the timestamps
 * that every segment of a connection carries (RFC 9293 3.5.3, RFC 5961, RFC 7323 3.2). */
#include <string.h>

#include "tcp/answer.h"
#include "tcp/reassembly.h"

/* The largest that can be said. */
static uint32_t window_most(const struct tcb *tcb)
{
	return (uint32_t)UINT16_MAX << tcb->rcv_wscale;
}

/* What RCV.WND would be if it could be chosen anew: room, but no silly step (3.8.6.2.2). */
static uint32_t window_wanted(const struct tcp_host *host, const struct tcb *tcb)
{
	const uint32_t room =
		host->config.rcv_buf > tcb->rcv_queued ?
			min_u32(host->config.rcv_buf - tcb->rcv_queued, window_most(tcb)) :
			0;
	const uint32_t promised = tcp_rcv_wnd(tcb);
	const uint32_t step = min_u32(host->config.mss[tcb->version == 6], host->config.rcv_buf / 2);

	return room >= promised + step ? room : promised;
}

uint16_t tcp_window(const struct tcp_host *host, struct tcb *tcb)
{
	const uint32_t field = min_u32(window_wanted(host, tcb) >> tcb->rcv_wscale, UINT16_MAX);

	tcb->rcv_adv = seq_max(tcb->rcv_adv, tcb->rcv_nxt + (field << tcb->rcv_wscale));
	return (uint16_t)field;
}

bool tcp_window_opens(const struct tcp_host *host, const struct tcb *tcb)
{
	const uint32_t promised = tcp_rcv_wnd(tcb);
	const uint32_t wanted = window_wanted(host, tcb);

	if (wanted <= promised)
		return false;
	if (promised >> tcb->rcv_wscale == 0)
		return wanted >> tcb->rcv_wscale > 0;
	return wanted - promised >= min_u32(host->config.rcv_buf, window_most(tcb)) / 2;
}

void answer_timestamp(struct seg *seg, uint32_t tsval, uint32_t tsecr)
{
	seg->options |= OPT_TS;
	seg->tsval = tsval;
	seg->tsecr = tsecr;
}

void tcp_segment(struct tcp_host *host, struct tcb *tcb, uint32_t seq, uint8_t flags, struct seg *seg)
{
	seg->seq = seq;
	seg->ack = tcb->rcv_nxt;
	seg->len = 0;
	seg->wnd = tcp_window(host, tcb);
	seg->up = 0;
	seg->text_len = 0;
	seg->flags = flags;
	seg->options = 0;
	seg->sacks = 0;
	if (tcb->flags & TCB_TS)
		answer_timestamp(seg, tcp_tsval(host, tcb->ts_offset), tcb->ts_recent);
	if (__builtin_expect(tcb->flags & TCB_ECE, 0) && !(flags & SEG_RST))
		seg->flags |= SEG_ECE;
	tcb->last_ack_sent = tcb->rcv_nxt;
	tcb->flags &= ~(uint32_t)TCB_ACK_NOW;
	tcb->timers &= (uint8_t)~TIMER_DELACK;
	tcb->unacked_segs = 0;
}

void tcp_blocks(struct tcp_host *host, const struct tcb *tcb, struct seg *seg)
{
	if (tcb->held != RANGE_NONE && (tcb->flags & TCB_SACK))
		reassembly_blocks(host, tcb, seg);
}

void tcp_ack(struct tcp_host *host, struct tcb *tcb, uint32_t seq, struct seg *seg)
{
	tcp_segment(host, tcb, seq, SEG_ACK, seg);
	tcp_blocks(host, tcb, seg);
}

static struct seg *next_answer(struct out *out)
{
	assert(out->answers < TCP_ANSWERS);
	return &out->answer[out->answers++];
}

void answer_ack(struct tcp_host *host, struct tcb *tcb, struct out *out)
{
	tcp_ack(host, tcb, tcb->snd_nxt, next_answer(out));
}

void answer_duplicate(struct tcp_host *host, struct tcb *tcb, uint32_t left, uint32_t right,
		      struct out *out)
{
	struct seg *seg;

	answer_ack(host, tcb, out);
	if (!(tcb->flags & TCB_SACK) || left == right)
		return;
	seg = &out->answer[out->answers - 1];
	if (seg->sacks < SEG_SACK_MAX)
		seg->sacks++;
	for (uint8_t i = (uint8_t)(seg->sacks - 1); i > 0; i--)
		seg->sack[i] = seg->sack[i - 1];
	seg->sack[0].left = left;
	seg->sack[0].right = right;
	seg->options |= OPT_SACK;
	tcp_count(host, STAT_DSACK_OUT);
}

bool answer_due(const struct tcp_host *host, uint32_t *last)
{
	if (host->now_ms - *last < host->config.invalid_ratelimit_ms)
		return false;
	*last = host->now_ms;
	return true;
}

void answer_challenge(struct tcp_host *host, struct tcb *tcb, struct out *out)
{
	if (out->answers > 0)
		return; /* the same ACK is on its way for this very segment */
	if (!answer_due(host, &tcb->challenge_ms)) {
		tcp_count(host, STAT_CHALLENGE_SUPPRESSED);
		return;
	}
	tcp_count(host, STAT_CHALLENGE_SENT);
	answer_ack(host, tcb, out);
}

/* The peer obeys a RST at its RCV.NXT alone (RFC 5961 3.2), which what lies beyond its window, such as a probe, has not
 * moved. */
void answer_reset(struct tcp_host *host, struct tcb *tcb, enum stat why, struct out *out)
{
	const uint32_t edge = tcb->snd_una + tcb->snd_wnd;
	const bool beyond = tcb->flags & TCB_ESTABLISHED && seq_lt(edge, tcb->snd_nxt);

	tcp_count(host, why);
	tcp_segment(host, tcb, beyond ? edge : tcb->snd_nxt, SEG_RST | SEG_ACK, next_answer(out));
}

void answer_plain_ack(struct out *out, uint32_t seq, uint32_t ack, uint16_t wnd)
{
	struct seg *const seg = next_answer(out);

	memset(seg, 0, sizeof(*seg));
	seg->seq = seq;
	seg->ack = ack;
	seg->wnd = wnd;
	seg->flags = SEG_ACK;
}

void answer_stranger(const struct seg *seg, struct out *out)
{
	struct seg *const rst = next_answer(out);

	memset(rst, 0, sizeof(*rst));
	rst->flags = SEG_RST;
	if (seg->flags & SEG_ACK) {
		rst->seq = seg->ack;
	} else {
		rst->flags |= SEG_ACK;
		rst->ack = seg->seq + seg->len;
	}
}

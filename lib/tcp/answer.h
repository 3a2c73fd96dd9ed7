/* SPDX-License-Identifier: BSD-3-Clause */
/* Header-only replies: the A, C, Ra, Rn, Rs of the state-event table (answer.c). */
#ifndef HF_ANSWER_H
#define HF_ANSWER_H

#include "tcp/tcp.h"

/* RCV.WND: octets from RCV.NXT on that were promised. */
static inline uint32_t tcp_rcv_wnd(const struct tcb *tcb)
{
	return tcb->rcv_adv - tcb->rcv_nxt;
}

/* SEG.WND of the next segment we send; what it promises is kept in rcv_adv (SHLD-14, MUST-39). */
uint16_t tcp_window(const struct tcp_host *host, struct tcb *tcb);

/* Whether rcv_nxt may be told a window that is worth an ACK of its own (MUST-39). */
bool tcp_window_opens(const struct tcp_host *host, const struct tcb *tcb);

/* A segment without text of a connection: <SEQ=SND.NXT, ACK=RCV.NXT, CTL=flags>. ACKs that were
 * owed are paid with it. */
void tcp_segment(struct tcp_host *host, struct tcb *tcb, uint32_t seq, uint8_t flags,
		 struct seg *seg);

/* SACK blocks of what is held ahead of RCV.NXT, as many as its text leaves room for (RFC 2018 4, MUST-16). */
void tcp_blocks(struct tcp_host *host, const struct tcb *tcb, struct seg *seg);

/* An ACK alone. */
void tcp_ack(struct tcp_host *host, struct tcb *tcb, uint32_t seq, struct seg *seg);

/* A: an ACK that must not be merged with another. */
void answer_ack(struct tcp_host *host, struct tcb *tcb, struct out *out);

/* ... and tells of octets that had come before (RFC 2883 4), as far as SACK is agreed. */
void answer_duplicate(struct tcp_host *host, struct tcb *tcb, uint32_t left, uint32_t right,
		      struct out *out);

/* C: challenge ACK, one in invalid_ratelimit a connection (RFC 5961 7). */
COLD void answer_challenge(struct tcp_host *host, struct tcb *tcb, struct out *out);

/* Rs: reset a live connection. why: STAT_RST_OUT_*. */
COLD void answer_reset(struct tcp_host *host, struct tcb *tcb, enum stat why, struct out *out);

/* Ra or Rn, as the segment has an ACK or not (3.10.7.1); never for a RST. */
COLD void answer_stranger(const struct seg *seg, struct out *out);

/* Whether a reply stamped *last may leave now; moves the stamp. */
bool answer_due(const struct tcp_host *host, uint32_t *last);

/* An ACK with these numbers, for things that are no TCB. */
void answer_plain_ack(struct out *out, uint32_t seq, uint32_t ack, uint16_t wnd);
void answer_timestamp(struct seg *seg, uint32_t tsval, uint32_t tsecr);

/* TSval (RFC 7323 5.4): milliseconds, offset by address pair. */
static inline uint32_t tcp_tsval(const struct tcp_host *host, uint32_t ts_offset)
{
	return host->now_ms + ts_offset;
}

/* The four cases of 3.10.7.4. At a zero window text at RCV.NXT passes too: its ACK, RST and URG count,
 * the text itself is not taken (MUST-66). */
static inline bool seg_acceptable(const struct seg *seg, uint32_t rcv_nxt, uint32_t rcv_wnd)
{
	if (rcv_wnd == 0)
		return seg->seq == rcv_nxt;
	return seq_in(seg->seq, rcv_nxt, rcv_wnd) ||
	       (seg->len > 0 && seq_in(seg->seq + seg->len - 1, rcv_nxt, rcv_wnd));
}

/* PAWS (RFC 7323 5.3, 5.5): older than what was seen, and that is not itself outdated. */
static inline bool paws_old(const struct tcp_host *host, uint32_t tsval, uint32_t ts_recent,
			    uint32_t ts_recent_ms)
{
	const uint32_t outdated_ms = 24u * 24 * 3600 * 1000;

	return seq_lt(tsval, ts_recent) && host->now_ms - ts_recent_ms < outdated_ms;
}

#endif

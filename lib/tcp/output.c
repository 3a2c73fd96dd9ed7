/* SPDX-License-Identifier: BSD-3-Clause */
/* What a connection has to send, a segment at a time, when the worker asks (RFC 9293 3.7, 3.8):
 * SYN, what is being retransmitted, new text and FIN, and at last a bare ACK that is still owed. */
#include "tcp/answer.h"
#include "tcp/cc.h"
#include "tcp/open.h"
#include "tcp/sack.h"
#include "tcp/sendq.h"

#define TSO_LEAST 256 /* octets a segment: of less some devices think it an attack (i40e, iavf) */
#define TSO_SEGMENTS 32u /* that a device cuts from one: half a connection's share of a flush */

/* Octets queued and never sent. */
static uint32_t unsent(const struct tcb *tcb)
{
	return tcb->flags & TCB_FIN_SENT ? 0 : tcb->snd_end - tcb->snd_nxt;
}

static bool fin_unsent(const struct tcb *tcb)
{
	return (tcb->flags & (TCB_FIN_QUEUED | TCB_FIN_SENT)) == TCB_FIN_QUEUED;
}

/* Something with a sequence number is on its way: a timer watches it (RFC 6298 5.1). Into a shut
 * window that is the persist timer. */
static void watch(struct tcp_host *host, struct tcb *tcb)
{
	if ((tcb->timers & TIMER_RTX) || ((tcb->timers & TIMER_PERSIST) && tcb->snd_wnd == 0))
		return;
	rto_arm(host, tcb);
	persist_end(host, tcb);
	tcb->timers |= TIMER_RTX;
}

/* The user timeout spans from when something is not acknowledged (HF-UT1); take_ack starts it anew. */
static void watch_user(const struct tcp_host *host, struct tcb *tcb)
{
	if (tcb->user_timeout_ms == 0 || (tcb->timers & TIMER_USER))
		return;
	tcb->user_tick = tcp_after(host, tcb->user_timeout_ms);
	tcb->timers |= TIMER_USER;
}

/* What our SYN-ACK after a simultaneous open tells, when the TCB is settled: no more than our SYN did. */
static uint16_t told_mss(const struct tcp_host *host, const struct tcb *tcb)
{
	if (tcb->flags & TCB_OWN_MSS)
		return (uint16_t)(tcb->snd_mss + (tcb->flags & TCB_TS ? TS_OCTETS : 0));
	return host->config.mss[tcb->version == 6];
}

/* Our SYN, or SYN and ACK after a simultaneous open; the first time and again. */
static void send_syn(struct tcp_host *host, struct tcb *tcb, struct seg *seg)
{
	const bool first = tcb->state == TCPS_SYN_SENT;
	const uint32_t first_tsval = tcb->last_ack_sent;
	const uint32_t promised = tcb->rcv_adv;

	tcb->flags &= ~(uint32_t)TCB_SYN_NOW;
	tcp_segment(host, tcb, tcb->iss, first ? SEG_SYN : SEG_SYN | SEG_ACK, seg);
	seg->len = 1;
	seg->wnd = tcp_syn_window(host);
	tcb->rcv_adv = seq_max(promised, tcb->rcv_nxt + seg->wnd); /* not what a scale would allow */
	if (first) {
		/* whoever drops a SYN for it gets the next one without, and that is no agreement (RFC 3168 6.1.1.1) */
		tcb->flags &= ~(uint32_t)TCB_ECN;
		if (tcb->snd_nxt == tcb->iss && host->config.ecn == 1) {
			tcb->flags |= TCB_ECN;
			seg->flags |= SEG_ECN;
		}
		seg->ack = 0;
		syn_offer(host, seg, tcb->snd_mss, host->config.sack, host->config.window_scaling);
		tcb->fin_seq = tcp_tsval(host, tcb->ts_offset); /* see tsecr_is_ours */
		tcb->last_ack_sent = tcb->snd_nxt == tcb->iss ? tcb->fin_seq : first_tsval;
		if (host->config.timestamps)
			answer_timestamp(seg, tcb->fin_seq, 0);
	} else {
		syn_offer(host, seg, told_mss(host, tcb), tcb->flags & TCB_SACK,
			  tcb->flags & TCB_WSCALE);
		if (tcb->flags & TCB_ECN)
			seg->flags |= SEG_ECE;
		tcb->sent_ms = host->now_ms;
	}
	if (tcb->snd_nxt == tcb->iss) {
		tcb->snd_nxt = tcb->iss + 1;
		tcb->flags |= TCB_TIMING;
		tcb->rtt_at_us = (uint32_t)host->now_us;
		tcb->rtt_seq = tcb->snd_nxt;
	} else {
		tcb->flags &= ~(uint32_t)TCB_TIMING; /* Karn (MUST-18) */
		tcp_count(host, first ? STAT_RETRANSMIT_SYN : STAT_RETRANSMIT_SYNACK);
	}
	watch(host, tcb);
	watch_user(host, tcb);
}

/* len octets of text from seq on, PSH at the end of what is queued (MUST-60, MUST-61). */
static void send_text(struct tcp_host *host, struct tcb *tcb, uint32_t seq, uint32_t len, bool fin,
		      struct seg *seg, struct text *text)
{
	uint8_t flags = SEG_ACK;

	if (fin)
		flags |= SEG_FIN;
	if (len > 0) {
		sendq_find(host, tcb, seq, text);
		if (seq + len == tcb->snd_end)
			flags |= SEG_PSH;
	}
	tcp_segment(host, tcb, seq, flags, seg);
	seg->text_len = (uint16_t)len;
	seg->mss = tcb->snd_mss;
	seg->len = len + (fin ? 1 : 0);
	tcp_blocks(host, tcb, seg);
	watch(host, tcb);
	watch_user(host, tcb);
	if (__builtin_expect(host->config.rack, 0))
		rack_sent(host, tcb, seq, seg->len);
	tcb->sent_ms = host->now_ms;
}

/* Octets that were sent before, at most a segment of them; the FIN may be the last one. */
static void send_span(struct tcp_host *host, struct tcb *tcb, const struct span *span,
		      struct seg *seg, struct text *text)
{
	const bool fin = (tcb->flags & TCB_FIN_SENT) && span->right == tcb->snd_nxt;
	const uint32_t len = span->right - span->left - (fin ? 1 : 0);

	tcp_count(host, len > 0 ? STAT_RETRANSMIT_TEXT : STAT_RETRANSMIT_FIN);
	tcb->flags &= ~(uint32_t)TCB_TIMING; /* Karn (MUST-18) */
	if (tcb->flight != 0)
		flight_of(host, tcb)->prr.again += len;
	send_text(host, tcb, span->left, len, fin, seg, text);
}

/* The segment at SND.UNA alone, which duplicate ACKs say is lost (RFC 5681 3.2, RFC 6675 5 step 4.3). */
COLD static void send_fast(struct tcp_host *host, struct tcb *tcb, struct seg *seg, struct text *text)
{
	struct flight *const flight = flight_of(host, tcb);
	struct span span = { tcb->snd_una, tcb->snd_nxt };

	tcb->flags &= ~(uint32_t)TCB_FAST;
	if (flight != NULL)
		scoreboard_hole(&flight->board, span.left, span.right, &span);
	span_clip(&span, tcb);
	if (flight != NULL)
		flight->high_rxt = span.right;
	send_span(host, tcb, &span, seg, text);
}

/* Go back to what the peer has not acknowledged, nor is known to hold, as the windows allow. */
COLD static bool send_again(struct tcp_host *host, struct tcb *tcb, struct seg *seg, struct text *text)
{
	static const struct scoreboard nothing;
	const struct flight *const flight = flight_of(host, tcb);
	const struct scoreboard *const board = flight != NULL ? &flight->board : &nothing;
	const uint32_t una = tcb->snd_una;
	uint32_t room = tcb->snd_wnd > 0 ? tcb->snd_wnd : 1;
	uint32_t gone;
	struct span span;

	if (!scoreboard_hole(board, tcb->rtx_nxt, tcb->snd_nxt, &span)) {
		tcb->flags &= ~(uint32_t)TCB_RTX;
		return false;
	}
	room = min_u32(room, tcb->cwnd + scoreboard_between(board, una, span.left));
	gone = span.left - una;
	if (gone >= room)
		return false;
	span_clip(&span, tcb);
	if (span.right - span.left > room - gone)
		span.right = span.left + room - gone;
	send_span(host, tcb, &span, seg, text);
	tcb->rtx_nxt = span.right;
	if (tcb->rtx_nxt == tcb->snd_nxt)
		tcb->flags &= ~(uint32_t)TCB_RTX;
	return true;
}

/* Whether a segment of len octets, less than all that could fill one, is worth sending now:
 * Nagle (SHLD-7) and the sender's side of silly windows (3.8.6.2.1). */
static bool worth_sending(const struct tcp_host *host, const struct tcb *tcb, uint32_t len,
			  uint32_t waiting)
{
	bool at_once; /* Nagle has no say */

	if (len >= tcb->snd_mss || (tcb->flags & TCB_PROBE))
		return true;
	at_once = host->config.nagle == !!(tcb->flags & TCB_NAGLE_OTHER) ||
		  tcb->snd_una == tcb->snd_nxt;
	if (len == waiting)
		return fin_unsent(tcb) || (at_once && !(tcb->flags & TCB_CORK));
	return len > 0 && len >= tcb->max_wnd / 2 && at_once;
}

/* The congestion window from SND.UNA on. The first two duplicate ACKs let a new segment each out, so that
 * a third may come of it (RFC 3042). */
static uint32_t window_now(const struct tcp_host *host, const struct tcb *tcb)
{
	if (tcb->flags & TCB_BY_SACK)
		return sack_window(host, tcb);
	if (tcb->dupacks == 0 || (tcb->flags & TCB_RECOVERY))
		return tcb->cwnd;
	return tcb->cwnd + min_u32(tcb->dupacks, DUP_THRESH - 1) * tcb->snd_mss;
}

/* Octets of new text a segment may hold: one of the peer's, or as many as the device cuts. */
static uint32_t seg_max(const struct tcp_host *host, const struct tcb *tcb)
{
	const uint32_t cut = min_u32(host->config.tso_max, TSO_SEGMENTS * tcb->snd_mss);

	/* CWR is of one segment alone */
	return cut > tcb->snd_mss && tcb->snd_mss >= TSO_LEAST && !(tcb->flags & TCB_CWR) ?
		       cut :
		       tcb->snd_mss;
}

/* New text within the window is ECN-capable; what is sent again, probes and bare ACKs never (RFC 3168 6.1.4
 * to 6.1.6). */
COLD static void send_capable(struct tcb *tcb, struct seg *seg)
{
	if (seg->text_len == 0 || seq_ge(seg->seq, tcb->snd_una + tcb->snd_wnd))
		return;
	seg->options |= OPT_ECT;
	if (tcb->flags & TCB_CWR)
		seg->flags |= SEG_CWR;
	tcb->flags &= ~(uint32_t)TCB_CWR;
}

static bool send_new(struct tcp_host *host, struct tcb *tcb, struct seg *seg, struct text *text)
{
	const uint32_t waiting = unsent(tcb);
	uint32_t edge, usable, len;
	bool fin;

	if (waiting == 0 && !fin_unsent(tcb))
		return false;
	if (tcb->snd_una == tcb->snd_nxt)
		cc_idle(host, tcb);
	edge = tcb->snd_una + min_u32(tcb->snd_wnd, window_now(host, tcb));
	usable = seq_gt(edge, tcb->snd_nxt) ? edge - tcb->snd_nxt : 0;
	if (usable == 0 && (tcb->flags & TCB_PROBE))
		usable = 1;
	len = min_u32(min_u32(waiting, usable), seg_max(host, tcb));
	if (len > tcb->snd_mss) /* what does not fill one more has its own rules, and its own segment */
		/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): at least min_snd_mss */
		len -= len % tcb->snd_mss;
	fin = fin_unsent(tcb) && len == waiting && len < usable;
	if (len == 0 && !fin)
		return false;
	if (!fin && !worth_sending(host, tcb, len, waiting))
		return false;
	tcb->flags &= ~(uint32_t)TCB_PROBE;
	send_text(host, tcb, tcb->snd_nxt, len, fin, seg, text);
	if (__builtin_expect(tcb->flags & TCB_ECN, 0))
		send_capable(tcb, seg);
	tcp_stat_add(host, STAT_TEXT_OUT, len);
	tcb->snd_nxt += seg->len;
	if (fin)
		tcb->flags |= TCB_FIN_SENT;
	if (!(tcb->flags & TCB_TIMING)) {
		tcb->flags |= TCB_TIMING;
		tcb->rtt_seq = tcb->snd_nxt;
		tcb->rtt_at_us = (uint32_t)host->now_us;
	}
	return true;
}

/* RFC 8985 7.3: new text as if cwnd allowed it, or what was sent last once more. */
COLD static bool send_probe(struct tcp_host *host, struct tcb *tcb, struct seg *seg, struct text *text)
{
	const uint32_t cwnd = tcb->cwnd;
	struct span last = { tcb->snd_una, tcb->snd_nxt };
	bool sent;

	if (!rack_probe(host, tcb))
		return false;
	tcb->cwnd = tcb->snd_nxt - tcb->snd_una + tcb->snd_mss;
	sent = send_new(host, tcb, seg, text);
	tcb->cwnd = cwnd;
	if (!sent) {
		if (last.right - last.left > segment_most(tcb, &last))
			last.left = last.right - segment_most(tcb, &last);
		send_span(host, tcb, &last, seg, text);
	}
	rack_probed(host, tcb, !sent);
	return true;
}

/* What is on its way already, then new text; in recovery by SACK what is lost goes before that, what may
 * be lost after it (RFC 6675 4, NextSeg). */
static bool send_data(struct tcp_host *host, struct tcb *tcb, struct seg *seg, struct text *text)
{
	struct span span;

	if ((tcb->flags & TCB_RTX) && send_again(host, tcb, seg, text))
		return true;
	if (tcb->flags & TCB_RTX)
		return false;
	if ((tcb->flags & TCB_TLP) && send_probe(host, tcb, seg, text))
		return true;
	if ((tcb->flags & TCB_BY_SACK) && sack_next_lost(host, tcb, &span)) {
		send_span(host, tcb, &span, seg, text);
		return true;
	}
	if (send_new(host, tcb, seg, text))
		return true;
	if (!(tcb->flags & TCB_BY_SACK) || !sack_next_doubtful(host, tcb, &span))
		return false;
	send_span(host, tcb, &span, seg, text);
	return true;
}

/* Text waits, nothing is on its way and no ACK will come by itself: probe the window (MUST-35). */
static void persist(struct tcp_host *host, struct tcb *tcb)
{
	if ((unsent(tcb) == 0 && !fin_unsent(tcb)) || tcb->snd_una != tcb->snd_nxt ||
	    (tcb->timers & (TIMER_RTX | TIMER_PERSIST)))
		return;
	rto_arm(host, tcb);
	persist_begin(host, tcb);
}

bool tcp_owes(const struct tcp_host *host, const struct tcb *tcb)
{
	(void)host;
	return (tcb->flags & (TCB_ACK_NOW | TCB_SYN_NOW | TCB_RTX | TCB_PROBE | TCB_FAST |
			      TCB_KEEPALIVE | TCB_RECOVERY | TCB_TLP)) ||
	       fin_unsent(tcb) || unsent(tcb) > 0;
}

bool tcp_next(struct tcp_host *host, struct tcb *tcb, struct seg *seg, struct text *text)
{
	if (tcb->state == TCPS_CLOSED || tcb->state == TCPS_TIME_WAIT)
		return false;
	if (tcb->flags & TCB_SYN_NOW) {
		send_syn(host, tcb, seg);
		return true;
	}
	if (tcb->state == TCPS_SYN_SENT || tcb->state == TCPS_SYN_RECEIVED)
		return false;
	if (tcb->flags & TCB_FAST) {
		send_fast(host, tcb, seg, text);
		return true;
	}
	if (send_data(host, tcb, seg, text))
		return true;
	persist(host, tcb);
	if (tcb->flags & TCB_KEEPALIVE) { /* SHLD-12, MAY-6 */
		tcb->flags &= ~(uint32_t)TCB_KEEPALIVE;
		tcp_ack(host, tcb, tcb->snd_nxt - 1, seg);
		return true;
	}
	if (!(tcb->flags & TCB_ACK_NOW))
		return false;
	tcp_ack(host, tcb, tcb->snd_nxt, seg);
	return true;
}

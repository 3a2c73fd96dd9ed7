/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments for a connection (RFC 9293 3.10.7.4), with RFC 5961 3.2, 4.2, 5.2 and RFC 7323 5.3.
 * One small function a check, in the order of the RFC; section 6 of the requirements is the table. */
#include "tcp/answer.h"
#include "tcp/cc.h"
#include "tcp/open.h"
#include "tcp/reassembly.h"
#include "tcp/sack.h"
#include "tcp/sendq.h"

/* A check passes the segment on, or has dealt with it. */
enum verdict { NEXT, DONE };

/* Timestamps were agreed: the segment has one (RFC 7323 3.2) and it is not old (5.3). */
static enum verdict check_paws(struct tcp_host *host, struct tcb *tcb, const struct seg *seg,
			       struct out *out)
{
	if (!(seg->options & OPT_TS)) {
		if (host->config.ts_lenient)
			return NEXT;
		tcp_count(host, STAT_TS_MISSING);
		return DONE;
	}
	if (!paws_old(host, seg->tsval, tcb->ts_recent, tcb->ts_recent_ms))
		return NEXT;
	tcp_count(host, STAT_PAWS_REFUSED);
	answer_challenge(host, tcb, out);
	return DONE;
}

/* A segment before the window: text or a FIN that has been received already, or a keepalive. */
COLD static enum verdict take_old(struct tcp_host *host, struct tcb *tcb, const struct seg *seg,
				  struct out *out)
{
	if (seg->len > 0 && seq_le(seg->seq + seg->len, tcb->rcv_nxt) &&
	    tcb->state != TCPS_SYN_RECEIVED) {
		tcp_count(host, STAT_OLD_TEXT);
		tcp_count(host, STAT_DUP_ACK_OUT);
		answer_duplicate(host, tcb, seg->seq, seg->seq + seg->text_len, out);
		/* its ACK field is news even so when it ends at RCV.NXT (HF-T5) */
		return seg->seq + seg->len == tcb->rcv_nxt ? NEXT : DONE;
	}
	if (seg->len == 0 && seg->seq == tcb->rcv_nxt - 1 && tcb->state != TCPS_SYN_RECEIVED &&
	    host->now_ms - tcb->keepalive_ms >= KEEPALIVE_ANSWER_MS) {
		tcb->keepalive_ms = host->now_ms;
		tcp_count(host, STAT_KEEPALIVES_IN);
		answer_ack(host, tcb, out);
		return DONE;
	}
	tcp_count(host, STAT_OUT_OF_WINDOW);
	answer_challenge(host, tcb, out);
	return DONE;
}

/* First, check sequence number. RST and SYN are judged by RFC 5961's narrower rules below. */
static enum verdict check_seq(struct tcp_host *host, struct tcb *tcb, const struct seg *seg,
			      struct out *out)
{
	if (seg->flags & (SEG_RST | SEG_SYN))
		return NEXT;
	if ((tcb->flags & TCB_TS) && check_paws(host, tcb, seg, out) == DONE)
		return DONE;
	if (seg_acceptable(seg, tcb->rcv_nxt, tcp_rcv_wnd(tcb)))
		return NEXT;
	return take_old(host, tcb, seg, out);
}

/* Second, check the RST bit. Only one at RCV.NXT exactly resets; elsewhere in the window it draws a
 * challenge ACK (RFC 5961 3.2), so a blind guess cannot kill the connection. */
static enum verdict check_rst(struct tcp_host *host, struct tcb *tcb, const struct seg *seg,
			      struct out *out)
{
	if (!(seg->flags & SEG_RST))
		return NEXT;
	tcp_count(host, STAT_RST_IN);
	if (seg->seq == tcb->rcv_nxt) {
		tcp_count(host, STAT_RST_OK);
		out->error = tcb->state == TCPS_SYN_RECEIVED ? ECONNREFUSED : ECONNRESET;
		tcp_set_state(host, tcb, TCPS_CLOSED);
	} else if (seq_in(seg->seq, tcb->rcv_nxt, tcp_rcv_wnd(tcb))) {
		tcp_count(host, STAT_RST_CHALLENGED);
		answer_challenge(host, tcb, out);
	} else {
		tcp_count(host, STAT_RST_IGNORED);
	}
	return DONE;
}

/* Fourth, check the SYN bit: whatever its SEQ, a SYN draws a challenge ACK (RFC 5961 4.2). In
 * SYN-RECEIVED after a simultaneous open it may be the peer's first SYN again (Table S). */
static enum verdict check_syn(struct tcp_host *host, struct tcb *tcb, const struct seg *seg,
			      struct out *out)
{
	if (!(seg->flags & SEG_SYN))
		return NEXT;
	if (tcb->state == TCPS_SYN_RECEIVED && seg->seq == tcb->irs && !(seg->flags & SEG_FIN)) {
		if (!ecn_setup(seg))
			tcb->flags &= ~(uint32_t)TCB_ECN;
		if ((seg->options & OPT_TS) && seq_gt(seg->tsval, tcb->ts_recent))
			tcb->ts_recent = seg->tsval; /* RFC 7323 4.3 */
		if ((seg->flags & SEG_ACK) && seg->ack == tcb->snd_nxt &&
		    tcb->snd_nxt != tcb->iss) { /* ours has left */
			tcb->snd_wnd = seg->wnd;
			if (tcb->snd_wnd > tcb->max_wnd)
				tcb->max_wnd = tcb->snd_wnd;
			tcb_establish(host, tcb);
			tcb->flags |= TCB_ACK_NOW;
			out->events |= TCP_EV_CONNECTED;
			return DONE;
		}
		if (!(seg->flags & SEG_ACK)) {
			if (host->now_ms - tcb->sent_ms < SYNACK_REPEAT_MS)
				tcp_count(host, STAT_SYNACK_SUPPRESSED);
			else
				tcb->flags |= TCB_SYN_NOW | TCB_SYN_RETRIED; /* RFC6298-5.7 */
			return DONE;
		}
	}
	tcp_count(host, STAT_SYN_CHALLENGED);
	answer_challenge(host, tcb, out);
	return DONE;
}

/* SND.WND from a segment that is newer than the last one that gave it (3.10.7.4). */
static void take_window(struct tcp_host *host, struct tcb *tcb, const struct seg *seg)
{
	const uint32_t wnd = (uint32_t)seg->wnd << tcb->snd_wscale;

	if (!seq_lt(tcb->snd_wl1, seg->seq) &&
	    !(tcb->snd_wl1 == seg->seq && seq_le(tcb->snd_wl2, seg->ack)))
		return;
	if (wnd == 0 && tcb->snd_wnd != 0)
		tcp_count(host, STAT_ZERO_WINDOW_IN);
	tcb->snd_wnd = wnd;
	tcb->snd_wl1 = seg->seq;
	tcb->snd_wl2 = seg->ack;
	if (wnd > tcb->max_wnd)
		tcb->max_wnd = wnd;
}

/* Nothing but an ACK of the same octet again, while text is on its way (RFC 5681 2); with SACK, an ACK
 * of the same octet that tells of others (RFC 6675 2). */
static bool is_duplicate(const struct tcb *tcb, const struct seg *seg, bool sacked)
{
	if ((tcb->flags & TCB_SACK) && (tcb->flight != 0 || (seg->options & OPT_SACK)))
		return sacked && seg->ack == tcb->snd_una;
	return seg->ack == tcb->snd_una && seg->len == 0 && tcb->snd_una != tcb->snd_nxt &&
	       (uint32_t)seg->wnd << tcb->snd_wscale == tcb->snd_wnd && tcb->snd_wnd > 0;
}

/* What went again by the timer: the echo alone tells of which transmission this is the ACK (RFC 6298 3, RFC 7323
 * 4.1). Without it a back-off ends, and the next begins at what was known before. */
COLD static void sample_echo(struct tcp_host *host, struct tcb *tcb, const struct seg *seg)
{
	const uint32_t rtt_ms = tcp_tsval(host, tcb->ts_offset) - seg->tsecr;

	if ((tcb->flags & TCB_TS) && (seg->options & OPT_TS) && rtt_ms <= host->config.rto_max_ms)
		rto_sample(host, tcb, (rtt_ms > 0 ? rtt_ms : 1) * 1000);
}

/* Something was acknowledged: the queue shrinks, the clocks start anew (RFC 6298 5.2, 5.3). */
static void take_ack(struct tcp_host *host, struct tcb *tcb, const struct seg *seg, struct out *out)
{
	const uint32_t acked = seg->ack - tcb->snd_una;
	bool steady = false;

	if (__builtin_expect(seg->flags & SEG_ECE, 0) && (tcb->flags & TCB_ECN)) {
		cc_echo(host, tcb, seg->ack);
		steady = true; /* it makes no window grow (RFC 3168 6.1.2) */
	}
	if ((tcb->flags & TCB_TIMING) && seq_ge(seg->ack, tcb->rtt_seq)) {
		tcb->flags &= ~(uint32_t)TCB_TIMING;
		rto_sample(host, tcb, (uint32_t)host->now_us - tcb->rtt_at_us);
	} else if (__builtin_expect(tcb->backoff > 0, 0)) {
		sample_echo(host, tcb, seg);
	}
	tcb->snd_una = seg->ack;
	persist_end(host, tcb);
	tcb->retransmits = 0;
	tcb->backoff = 0;
	sendq_acked(host, tcb);
	tcb->flags &= ~(uint32_t)(TCB_FAST | TCB_TLP);
	if (__builtin_expect(tcb->flight != 0, 0)) {
		if (rack_is_on(host, tcb))
			rack_delivered(host, tcb, seg, seg->ack - acked, seg->ack - acked, seg->ack);
		steady |= cc_undo(host, tcb, seg, acked);
		sack_advance(host, tcb);
	}
	if (!(tcb->flags & TCB_RECOVERY)) {
		tcb->dupacks = 0;
		if (!steady)
			cc_ack(host, tcb, acked);
	} else if (cc_recover(tcb, tcb->flags & TCB_BY_SACK, acked)) {
		tcb->flags |= TCB_FAST;
	}
	tcb->rtx_nxt = seq_max(tcb->rtx_nxt, tcb->snd_una);
	if (tcb->rtx_nxt == tcb->snd_nxt)
		tcb->flags &= ~(uint32_t)TCB_RTX;
	tcb->timers &= (uint8_t) ~(TIMER_RTX | TIMER_PTO | TIMER_REO | TIMER_USER);
	if (tcb->snd_una == tcb->snd_nxt) {
		if (tcb->snd_nxt - (tcb->flags & TCB_FIN_SENT ? 1 : 0) == tcb->snd_end &&
		    (!(tcb->flags & TCB_FIN_QUEUED) || (tcb->flags & TCB_FIN_SENT)))
			out->events |= TCP_EV_SENT;
	} else {
		rto_arm(host, tcb);
		tcb->timers |= TIMER_RTX;
		if (tcb->user_timeout_ms != 0) {
			tcb->user_tick = tcp_after(host, tcb->user_timeout_ms);
			tcb->timers |= TIMER_USER;
		}
	}
	if ((tcb->flags & TCB_WANT_WRITE) && tcp_room(host, tcb) > 0) {
		tcb->flags &= ~(uint32_t)TCB_WANT_WRITE;
		out->events |= TCP_EV_WRITABLE;
	}
}

/* A peer that shuts its window is probed, not timed out (MUST-37); one that opens it gets at once
 * what it had refused. An orphan's clock spans on all the same: else opening and shutting in turn would
 * keep it for ever (HF-ZW1). With nothing on its way the persist timer goes on, against a window too
 * small to use, until something is sent. */
static void judge_window(struct tcp_host *host, struct tcb *tcb)
{
	if (tcb->snd_wnd == 0 && (tcb->timers & TIMER_RTX)) {
		if (tcb->timers & (TIMER_PTO | TIMER_REO))
			rto_arm(host, tcb); /* theirs is sooner (SHLD-29) */
		persist_begin(host, tcb);
		tcb->flags &= ~(uint32_t)(TCB_RTX | TCB_FAST); /* the rest waits as well (SHLD-30) */
		return;
	}
	if (tcb->snd_wnd == 0 || !(tcb->timers & TIMER_PERSIST))
		return;
	if (!(tcb->flags & TCB_ORPHAN))
		tcb_set_backoff(host, tcb, 0);
	if (tcb->snd_una == tcb->snd_nxt)
		return;
	tcb->flags |= TCB_RTX;
	tcb->rtx_nxt = tcb->snd_una;
	persist_end(host, tcb);
	tcb->timers |= TIMER_RTX;
	if (!(tcb->flags & TCB_ORPHAN))
		rto_arm(host, tcb);
}

/* Nobody will be there at the flush to pay the ACK of a FIN that came in the same turn. */
static void enter_time_wait(struct tcp_host *host, struct tcb *tcb, struct out *out)
{
	tcp_set_state(host, tcb, TCPS_TIME_WAIT);
	if (tcb->flags & TCB_ACK_NOW)
		answer_ack(host, tcb, out);
}

/* SYN-RECEIVED: the ACK that completes the handshake, or one of something never sent. */
static enum verdict check_ack_syn_received(struct tcp_host *host, struct tcb *tcb,
					   const struct seg *seg, struct out *out)
{
	if (!seq_gt(seg->ack, tcb->snd_una) || seq_gt(seg->ack, tcb->snd_nxt)) {
		tcp_count(host, STAT_RST_OUT_BAD_ACK);
		answer_stranger(seg, out);
		return DONE;
	}
	tcb_establish(host, tcb);
	tcb->snd_wl1 = seg->seq - 1; /* so that this segment's window is taken */
	if (!(tcb->flags & TCB_PASSIVE))
		out->events |= TCP_EV_CONNECTED;
	return NEXT;
}

/* Fifth, check the ACK field: in [SND.UNA - MAX.SND.WND, SND.NXT], else the whole segment goes
 * (RFC 5961 5.2). */
static enum verdict check_ack(struct tcp_host *host, struct tcb *tcb, const struct seg *seg,
			      struct out *out)
{
	const uint32_t before = tcb->snd_una;
	bool sacked = false;

	if (tcb->state == TCPS_SYN_RECEIVED && check_ack_syn_received(host, tcb, seg, out) == DONE)
		return DONE;
	if (seq_gt(seg->ack, tcb->snd_nxt) || seq_lt(seg->ack, tcb->snd_una - tcb->max_wnd)) {
		tcp_count(host, STAT_ACK_OUT_OF_RANGE);
		answer_challenge(host, tcb, out);
		return DONE;
	}
	/* RFC 7323 4.3; PAWS has let pass only what is not older, or TS.Recent is outdated (5.5) */
	if ((seg->options & OPT_TS) && seq_le(seg->seq, tcb->last_ack_sent)) {
		tcb->ts_recent = seg->tsval;
		tcb->ts_recent_ms = host->now_ms;
	}
	if (!(tcb->flags & TCB_ESTABLISHED)) { /* FIN-WAIT-1 straight from SYN-RECEIVED (Table U) */
		if (!seq_gt(seg->ack, tcb->iss))
			return NEXT;
		tcb_syn_acked(host, tcb);
		out->events |= TCP_EV_CONNECTED;
	}
	if (__builtin_expect((seg->options & OPT_SACK) != 0, 0) && (tcb->flags & TCB_SACK))
		sacked = sack_take(host, tcb, seg);
	if (seq_gt(seg->ack, tcb->snd_una)) {
		take_ack(host, tcb, seg, out);
		if (__builtin_expect(sacked, 0))
			cc_duplicate(host, tcb); /* as well (RFC 6675 2) */
	} else if (tcb->timers & TIMER_PERSIST) {
		tcb->retransmits = 0; /* the peer lives: it answers probes */
	} else if (is_duplicate(tcb, seg, sacked)) {
		cc_duplicate(host, tcb);
	}
	if (seq_ge(seg->ack, tcb->snd_una)) {
		take_window(host, tcb, seg);
		judge_window(host, tcb);
		if (__builtin_expect(host->config.rack, 0) && rack_is_on(host, tcb))
			rack_acked(host, tcb, seg, before);
	}
	if (!tcb_fin_acked(tcb))
		return NEXT;
	if (tcb->state == TCPS_FIN_WAIT_1) {
		tcp_set_state(host, tcb, TCPS_FIN_WAIT_2);
	} else if (tcb->state == TCPS_CLOSING) {
		enter_time_wait(host, tcb, out);
	} else if (tcb->state == TCPS_LAST_ACK) {
		tcp_set_state(host, tcb, TCPS_CLOSED);
		return DONE;
	}
	return NEXT;
}

/* Text for an application that has closed: it will never be read, and the peer is told (SHLD-3). */
COLD static enum verdict abort_on_data(struct tcp_host *host, struct tcb *tcb, struct out *out)
{
	tcp_count(host, STAT_ABORT_ON_DATA);
	answer_reset(host, tcb, STAT_RST_OUT_UNREAD, out);
	out->error = ECONNABORTED;
	tcp_set_state(host, tcb, TCPS_CLOSED);
	return DONE;
}

/* So many octets of it, from RCV.NXT on, are the application's. */
static inline void deliver(struct tcp_host *host, struct tcb *tcb, uint32_t skip, uint32_t len,
			   struct out *out)
{
	out->text = true;
	out->text_skip = (uint16_t)skip;
	out->text_len = (uint16_t)len;
	tcb->rcv_nxt += len;
	tcb->rcv_queued += len;
	tcp_stat_add(host, STAT_TEXT_IN, len);
}

/* Text in order while some is held: the gap shrinks or is gone, and the peer hears at once (RFC 5681 4.2).
 * @return what of it was held already */
COLD static struct span fill_gap(struct tcp_host *host, struct tcb *tcb, const struct seg *seg,
				 uint32_t old, uint32_t fresh, struct out *out)
{
	const struct span again = reassembly_again(host, tcb, fresh);

	if (!reassembly_span(host, tcb, seg, out))
		deliver(host, tcb, old, reassembly_room(host, tcb, fresh), out);
	reassembly_join(host, tcb, out);
	tcb->flags |= TCB_ACK_NOW;
	return again;
}

/* RFC 3168 6.1.3: congestion is told of from now on, at once, until the peer says that it has heard. */
COLD static void take_ecn(struct tcp_host *host, struct tcb *tcb, const struct seg *seg)
{
	if (seg->flags & SEG_CWR)
		tcb->flags &= ~(uint32_t)TCB_ECE;
	if (!(seg->options & OPT_CE))
		return;
	tcp_count(host, STAT_ECN_CE_IN);
	if (!(tcb->flags & TCB_ECE))
		tcb->flags |= TCB_ECE | TCB_ACK_NOW;
}

/* Seventh, process the segment text: what is new of it and within the window, and what was held behind
 * it (SHLD-31). */
static enum verdict take_text(struct tcp_host *host, struct tcb *tcb, const struct seg *seg,
			      struct out *out)
{
	const uint32_t old = tcb->rcv_nxt - seg->seq;	  /* octets before RCV.NXT */
	struct span again = { seg->seq, seg->seq + old }; /* had come before */
	uint32_t fresh;

	if (seg->len == 0)
		return NEXT;
	if (tcb->state == TCPS_CLOSE_WAIT || tcb->state == TCPS_CLOSING ||
	    tcb->state == TCPS_LAST_ACK || tcb->state == TCPS_TIME_WAIT) {
		tcp_count(host, STAT_OUT_OF_WINDOW); /* nothing can follow a FIN */
		answer_challenge(host, tcb, out);
		return DONE;
	}
	if (__builtin_expect(tcb->flags & TCB_ECN, 0) && seg->text_len > 0)
		take_ecn(host, tcb, seg);
	if (seq_gt(seg->seq, tcb->rcv_nxt)) {
		/* for an orphan a bare FIN there ends it only in FIN-WAIT-2 (Tables D and F) */
		if ((tcb->flags & TCB_ORPHAN) && (seg->text_len > 0 || tcb->state != TCPS_FIN_WAIT_1))
			return abort_on_data(host, tcb, out);
		reassembly_ahead(host, tcb, seg, out);
		return DONE;
	}
	if (seg->text_len <= old)
		return NEXT; /* a FIN is all that is new */
	if (tcb->flags & TCB_ORPHAN)
		return abort_on_data(host, tcb, out);
	fresh = seg->text_len - old;
	if (fresh > tcp_rcv_wnd(tcb))
		fresh = tcp_rcv_wnd(tcb);
	if (fresh == 0) {
		answer_ack(host, tcb, out); /* the window is shut (3.10.7.4) */
		return DONE;
	}
	out->events |= TCP_EV_READABLE;
	if (__builtin_expect(tcb->held == RANGE_NONE, 1)) {
		deliver(host, tcb, old, fresh, out);
	} else {
		const struct span held = fill_gap(host, tcb, seg, old, fresh, out);

		if (old == 0) /* else the first is told of (RFC 2883 4) */
			again = held;
	}
	if (tcp_rcv_wnd(tcb) == 0)
		tcp_count(host, STAT_ZERO_WINDOW_OUT);
	if (again.left != again.right && (tcb->flags & TCB_SACK)) { /* RFC 2883 4.2 */
		answer_duplicate(host, tcb, again.left, again.right, out);
		return NEXT;
	}
	/* SHLD-18, SHLD-19, MUST-40: at least every second segment, and never later than delack */
	if (++tcb->unacked_segs >= 2 || host->config.delack_ms == 0) {
		tcb->flags |= TCB_ACK_NOW;
	} else {
		tcb->ack_tick = tcp_after(host, host->config.delack_ms);
		tcb->timers |= TIMER_DELACK;
	}
	return NEXT;
}

/* Eighth, check the FIN bit, or one that came earlier and whose turn it is now. */
static void take_fin(struct tcp_host *host, struct tcb *tcb, const struct seg *seg, struct out *out)
{
	const bool now = (seg->flags & SEG_FIN) && seg->seq + seg->text_len == tcb->rcv_nxt;
	const bool earlier = (tcb->flags & TCB_FIN_AHEAD) && tcb->fin_seq == tcb->rcv_nxt;

	if (!now && !earlier)
		return;
	if (tcp_rcv_wnd(tcb) == 0) {
		answer_ack(host, tcb, out); /* the window ends before it */
		return;
	}
	tcb->rcv_nxt++;
	tcb->eof_ms = host->now_ms;
	tcb->flags &= ~(uint32_t)TCB_FIN_AHEAD;
	tcb->flags |= TCB_ACK_NOW;
	out->events |= TCP_EV_EOF;
	if (tcb->state == TCPS_ESTABLISHED) {
		tcp_set_state(host, tcb, TCPS_CLOSE_WAIT);
	} else if (tcb->state == TCPS_FIN_WAIT_1) {
		tcp_set_state(host, tcb, TCPS_CLOSING);
	} else {
		enter_time_wait(host, tcb, out);
	}
}

/* A segment has arrived for a connection (RFC 9293 3.10.7). */
void tcp_input(struct tcp_host *host, struct tcb *tcb, const struct seg *seg, struct out *out)
{
	if (seg->flags & SEG_FIN)
		tcp_count(host, STAT_FIN_IN);
	switch ((enum tcp_state)tcb->state) {
	case TCPS_SYN_SENT:
		input_syn_sent(host, tcb, seg, out); /* 3.10.7.3 */
		return;
	case TCPS_SYN_RECEIVED:
	case TCPS_ESTABLISHED:
	case TCPS_FIN_WAIT_1:
	case TCPS_FIN_WAIT_2:
	case TCPS_CLOSE_WAIT:
	case TCPS_CLOSING:
	case TCPS_LAST_ACK:
		break;
	case TCPS_CLOSED:
	case TCPS_LISTEN:
	case TCPS_TIME_WAIT:
		assert(0 && "input_closed, input_listen and timewait_input take these");
		return;
	}
	if (!(seg->flags & (SEG_SYN | SEG_RST | SEG_ACK))) {
		tcp_count(host, STAT_NO_ACK);
		return;
	}
	tcb->heard_ms = host->ceil_ms;
	tcb->keepalive_probes = 0;
	/* 3.10.7.4: a check passes the segment on (NEXT) or has dealt with it (DONE). */
	if (check_seq(host, tcb, seg, out) == DONE || check_rst(host, tcb, seg, out) == DONE ||
	    check_syn(host, tcb, seg, out) == DONE || check_ack(host, tcb, seg, out) == DONE)
		return;
	if (out->answers > 0)
		return; /* wholly old: its ACK field was all there was to use */
	if (take_text(host, tcb, seg, out) == NEXT)
		take_fin(host, tcb, seg, out);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments for CLOSED, LISTEN and SYN-SENT (RFC 9293 3.10.7.1 to 3.10.7.3), and what both sides of
 * a handshake make of the options of a SYN (sections 4 of the requirements; RFC 7323, RFC 2018). */
#include "tcp/open.h"
#include "tcp/answer.h"
#include "tcp/cc.h"

/* 3.10.7.1: no TCB. */
void input_closed(const struct seg *seg, struct out *out)
{
	if (!(seg->flags & SEG_RST))
		answer_stranger(seg, out);
}

/* 3.10.7.2: first RST, second ACK, third SYN. SYN+FIN opens nothing (HF-T3). */
enum listen_verdict input_listen(const struct seg *seg, struct out *out)
{
	if (seg->flags & SEG_RST)
		return LISTEN_DROP;
	if (seg->flags & SEG_ACK) {
		answer_stranger(seg, out);
		return LISTEN_ANSWER;
	}
	if ((seg->flags & (SEG_SYN | SEG_FIN)) != SEG_SYN)
		return LISTEN_DROP;
	return LISTEN_REQUEST;
}

uint8_t window_scale_for(uint32_t rcv_buf)
{
	uint8_t shift = 0;

	while (rcv_buf >> shift > UINT16_MAX && shift < WSCALE_MAX)
		shift++;
	return shift;
}

uint16_t syn_mss(const struct tcp_host *host, const struct seg *syn, uint8_t version, uint16_t ours)
{
	uint16_t mss = version == 6 ? 1220 : 536; /* MUST-15 */

	if ((syn->options & OPT_MSS) && syn->mss != 0)
		mss = syn->mss;
	if (mss < host->config.min_snd_mss) /* HF-O4 */
		mss = host->config.min_snd_mss;
	return mss < ours ? mss : ours;
}

void syn_options(struct tcp_host *host, const struct seg *syn, uint8_t version, uint16_t our_mss,
		 struct syn_terms *terms)
{
	if ((syn->options & OPT_MSS) && syn->mss != 0 && syn->mss < host->config.min_snd_mss)
		tcp_count(host, STAT_MSS_RAISED);
	terms->mss = syn_mss(host, syn, version, our_mss);
	terms->timestamps = host->config.timestamps && (syn->options & OPT_TS);
	terms->sack = host->config.sack && (syn->options & OPT_SACK_PERMITTED);
	terms->wscale = host->config.window_scaling && (syn->options & OPT_WSCALE);
	terms->ecn = host->config.ecn != 0 && ecn_setup(syn);
	terms->snd_wscale = 0;
	if (terms->wscale) {
		if (syn->wscale > WSCALE_MAX)
			tcp_count(host, STAT_WSCALE_CAPPED);
		terms->snd_wscale = syn->wscale < WSCALE_MAX ? syn->wscale : WSCALE_MAX;
	}
}

/* The peer's SYN has told its terms; ours are settled by them. */
void tcb_settle(struct tcp_host *host, struct tcb *tcb, const struct seg *syn)
{
	struct syn_terms terms;

	syn_options(host, syn, tcb->version, tcb->snd_mss, &terms);
	/* without ECN unless our SYN asked for it as well (RFC 3168 6.1.1) */
	if (!terms.ecn)
		tcb->flags &= ~(uint32_t)TCB_ECN;
	tcb->rcv_wscale = 0;
	tcb->snd_wscale = terms.snd_wscale;
	tcb->snd_mss = terms.mss;
	if (terms.sack)
		tcb->flags |= TCB_SACK;
	if (terms.wscale) {
		tcb->flags |= TCB_WSCALE;
		tcb->rcv_wscale = host->config.rcv_wscale;
	}
	if (terms.timestamps) {
		tcb->flags |= TCB_TS;
		tcb->snd_mss = (uint16_t)(tcb->snd_mss - TS_OCTETS);
		tcb->ts_recent = syn->tsval;
		tcb->ts_recent_ms = host->now_ms;
	}
	tcb->irs = syn->seq;
	tcb->rcv_nxt = syn->seq + 1;
	tcb->rcv_adv = tcb->rcv_nxt + tcp_syn_window(host);
	tcb->last_ack_sent = tcb->rcv_nxt;
	tcb->snd_wnd = syn->wnd; /* never scaled in a SYN (RFC 7323 2.2) */
	tcb->max_wnd = syn->wnd;
	tcb->snd_wl1 = syn->seq;
	tcb->snd_wl2 = tcb->iss;
	cc_init(tcb);
}

/* The SYN of ours is acknowledged (3.10.7.3, 3.10.7.4 for SYN-RECEIVED). */
void tcb_syn_acked(struct tcp_host *host, struct tcb *tcb)
{
	tcb->snd_una = tcb->iss + 1;
	tcb->rtx_nxt = tcb->snd_una;
	tcb->flags |= TCB_ESTABLISHED;
	tcb->flags &= ~(uint32_t)(TCB_SYN_NOW | TCB_RTX);
	tcb->timers &= (uint8_t) ~(TIMER_RTX | TIMER_USER);
	tcb->retransmits = 0;
	tcb->backoff = 0;
	if ((tcb->flags & TCB_TIMING) && !(tcb->flags & TCB_SYN_RETRIED))
		rto_sample(host, tcb, (uint32_t)host->now_us - tcb->rtt_at_us);
	tcb->flags &= ~(uint32_t)TCB_TIMING;
	if (tcb->snd_una != tcb->snd_nxt) { /* a FIN left from SYN-RECEIVED (Table U) */
		rto_arm(host, tcb);
		tcb->timers |= TIMER_RTX;
	}
	if (host->config.keepalive_ms != 0) {
		tcb->idle_tick = tcp_after(host, host->config.keepalive_ms);
		tcb->timers |= TIMER_IDLE;
	}
	cc_init(tcb);
	if (tcb->flags & TCB_ECN)
		tcp_count(host, STAT_ECN_AGREED);
	tcp_count(host,
		  tcb->flags & TCB_PASSIVE ? STAT_PASSIVE_ESTABLISHED : STAT_ACTIVE_ESTABLISHED);
}

void tcb_establish(struct tcp_host *host, struct tcb *tcb)
{
	tcb_syn_acked(host, tcb);
	tcp_set_state(host, tcb, TCPS_ESTABLISHED);
	if (tcb->flags & TCB_FIN_QUEUED) /* SHUTDOWN or CLOSE came before (Table U) */
		tcp_set_state(host, tcb, TCPS_FIN_WAIT_1);
}

/* RFC 7323 3.2: a SYN-ACK has to echo a TSval that one of our SYNs carried. In SYN-SENT
 * last_ack_sent and fin_seq, which have no other use there, hold the first one's and the last one's. */
static bool tsecr_is_ours(const struct tcb *tcb, const struct seg *seg)
{
	return seg->tsecr - tcb->last_ack_sent <= tcb->fin_seq - tcb->last_ack_sent;
}

/* A SYN that was sent before the old connection of the tuple ended: no ACK vouches for it (TW-A5). */
static bool is_of_the_old(const struct tcp_host *host, const struct tcb *tcb, const struct seg *syn)
{
	return !(syn->flags & SEG_ACK) && (tcb->flags & TCB_TS_CARRIED) && (syn->options & OPT_TS) &&
	       paws_old(host, syn->tsval, tcb->ts_recent, tcb->ts_recent_ms);
}

/* 3.10.7.3: first ACK, second RST, fourth SYN. Text and FIN are never taken from a SYN (HF-OP3). */
void input_syn_sent(struct tcp_host *host, struct tcb *tcb, const struct seg *seg, struct out *out)
{
	const bool ack_good = (seg->flags & SEG_ACK) && seq_gt(seg->ack, tcb->iss) &&
			      seq_le(seg->ack, tcb->snd_nxt);

	if (seg->flags & SEG_RST) {
		tcp_count(host, STAT_RST_IN);
		if (!ack_good) {
			tcp_count(host, STAT_RST_IGNORED);
			return;
		}
		tcp_count(host, STAT_RST_OK);
		out->error = ECONNREFUSED;
		tcp_set_state(host, tcb, TCPS_CLOSED);
		return;
	}
	if ((seg->flags & SEG_ACK) && !ack_good) {
		tcp_count(host, STAT_RST_OUT_BAD_ACK);
		answer_stranger(seg, out);
		return;
	}
	if ((seg->flags & (SEG_SYN | SEG_FIN)) != SEG_SYN) {
		tcp_count(host, STAT_NO_ACK);
		return;
	}
	if ((seg->flags & SEG_ACK) && (seg->options & OPT_TS) && host->config.timestamps &&
	    !tsecr_is_ours(tcb, seg)) {
		tcp_count(host, STAT_TSECR_REFUSED);
		tcp_count(host, STAT_RST_OUT_BAD_ACK);
		answer_stranger(seg, out);
		return;
	}
	if (is_of_the_old(host, tcb, seg)) {
		tcp_count(host, STAT_PAWS_REFUSED);
		return;
	}
	tcb_settle(host, tcb, seg);
	if (seg->flags & SEG_ACK) {
		tcb_establish(host, tcb);
		tcb->snd_wl2 = seg->ack;
		tcb->flags |= TCB_ACK_NOW;
		out->events |= TCP_EV_CONNECTED;
	} else {
		/* simultaneous open (3.5, MUST-10): the same SYN again, now with an ACK */
		tcp_set_state(host, tcb, TCPS_SYN_RECEIVED);
		tcb->flags |= TCB_SYN_NOW;
	}
}

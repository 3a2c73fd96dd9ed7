/* SPDX-License-Identifier: BSD-3-Clause */
/* The 2MSL record: TIME-WAIT, and FIN-WAIT-2 whose application is gone (RFC 9293 3.6.1, 3.10.7.4;
 * RFC 1337, RFC 6191; sections 8 and 9 of the requirements). A verdict comes out, the worker acts. */
#include "tcp/answer.h"

#define ISS_STEP 65537 /* past all that the old connection used (TW-P8, TW-A5) */

void timewait_enter(const struct tcp_host *host, const struct tcb *tcb, struct timewait *tw)
{
	const uint32_t wait_ms = (tcb->rto_ms * 7 + 1) / 2; /* 3.5 RTO */
	const uint32_t len_ms = wait_ms > host->config.tw_len_ms ? wait_ms : host->config.tw_len_ms;
	const uint32_t wnd = tcp_rcv_wnd(tcb) >> tcb->rcv_wscale;

	*tw = (struct timewait){
		.snd_nxt = tcb->snd_nxt,
		.rcv_nxt = tcb->rcv_nxt,
		.ts_recent = tcb->ts_recent,
		.ts_recent_ms = tcb->ts_recent_ms,
		.ts_offset = tcb->ts_offset,
		.max_wnd = tcb->max_wnd,
		.entered_ms = host->now_ms,
		.challenge_ms = tcb->challenge_ms,
		.rcv_wnd = (uint16_t)(wnd < UINT16_MAX ? wnd : UINT16_MAX),
		.len_8ms = (uint16_t)((len_ms + 7) / 8 < UINT16_MAX ? (len_ms + 7) / 8 : UINT16_MAX),
		.flags = (uint8_t)((tcb->flags & TCB_TS ? TW_TS : 0) |
				   (tcb->state == TCPS_FIN_WAIT_2 ? TW_FIN_WAIT_2 : 0)),
		.rcv_wscale = tcb->rcv_wscale,
	};
}

uint32_t timewait_deadline(const struct tcp_host *host, const struct timewait *tw)
{
	if (tw->flags & TW_FIN_WAIT_2)
		return tcp_after(host, host->config.fin_timeout_ms);
	return tcp_after(host, (uint32_t)tw->len_8ms * 8);
}

uint32_t timewait_iss(const struct timewait *tw)
{
	const uint32_t iss = tw->snd_nxt + ISS_STEP;

	return iss != 0 ? iss : 1;
}

static void answer(struct tcp_host *host, const struct timewait *tw, uint8_t flags, struct out *out)
{
	struct seg *seg;

	answer_plain_ack(out, tw->snd_nxt, tw->rcv_nxt, tw->rcv_wnd);
	seg = &out->answer[out->answers - 1];
	seg->flags = flags;
	if (tw->flags & TW_TS)
		answer_timestamp(seg, tcp_tsval(host, tw->ts_offset), tw->ts_recent);
}

static enum timewait_verdict challenge(struct tcp_host *host, struct timewait *tw, struct out *out)
{
	if (answer_due(host, &tw->challenge_ms)) {
		tcp_count(host, STAT_CHALLENGE_SENT);
		answer(host, tw, SEG_ACK, out);
	} else {
		tcp_count(host, STAT_CHALLENGE_SUPPRESSED);
	}
	return TW_KEEP;
}

static uint32_t rcv_wnd(const struct timewait *tw)
{
	return (uint32_t)tw->rcv_wnd << tw->rcv_wscale;
}

/* Table R; in TIME-WAIT a RST changes nothing unless rfc1337 is off (RFC 1337 fix F1). */
static enum timewait_verdict take_rst(struct tcp_host *host, struct timewait *tw,
				      const struct seg *seg, struct out *out)
{
	tcp_count(host, STAT_RST_IN);
	if (!(tw->flags & TW_FIN_WAIT_2) && host->config.rfc1337) {
		tcp_count(host, STAT_RST_IGNORED);
		return TW_KEEP;
	}
	if (seg->seq == tw->rcv_nxt) {
		tcp_count(host, STAT_RST_OK);
		return TW_FREE;
	}
	if (!seq_in(seg->seq, tw->rcv_nxt, rcv_wnd(tw))) {
		tcp_count(host, STAT_RST_IGNORED);
		return TW_KEEP;
	}
	tcp_count(host, STAT_RST_CHALLENGED);
	return challenge(host, tw, out);
}

/* Whether a SYN proves that it is newer than all of the old connection (TW-P1 to TW-P6, RFC 6191). */
static bool syn_is_newer(struct tcp_host *host, const struct timewait *tw, const struct seg *seg)
{
	const bool seq_newer = seq_gt(seg->seq, tw->rcv_nxt - 1);

	if ((tw->flags & TW_TS) && (seg->options & OPT_TS)) {
		if (seq_gt(seg->tsval, tw->ts_recent))
			return true;
		if (seg->tsval == tw->ts_recent && seq_newer)
			return true;
		tcp_count(host,
			  seg->tsval == tw->ts_recent ? STAT_TW_REFUSED_SEQ : STAT_TW_REFUSED_TS);
		return false;
	}
	if (seq_newer ||
	    (host->config.tw_accept_ts_new && !(tw->flags & TW_TS) && (seg->options & OPT_TS)))
		return true;
	tcp_count(host, STAT_TW_REFUSED_SEQ);
	return false;
}

static enum timewait_verdict take_syn(struct tcp_host *host, struct timewait *tw,
				      const struct seg *seg, bool listener, struct out *out)
{
	if (!(tw->flags & TW_FIN_WAIT_2) &&
	    (seg->flags & (SEG_SYN | SEG_ACK | SEG_FIN)) == SEG_SYN && syn_is_newer(host, tw, seg)) {
		if (listener)
			return TW_REOPEN;
		tcp_count(host, STAT_TW_REFUSED_NO_LISTENER);
	}
	tcp_count(host, STAT_SYN_CHALLENGED);
	return challenge(host, tw, out);
}

/* An orphan in FIN-WAIT-2 waits for one thing, the peer's FIN (HF-FW2-2). */
static enum timewait_verdict fin_wait_2(struct tcp_host *host, struct timewait *tw,
					const struct seg *seg, struct out *out)
{
	if (seg->len == 0)
		return TW_KEEP;
	if ((seg->flags & SEG_FIN) && seg->seq + seg->text_len == tw->rcv_nxt) { /* no new text */
		tw->rcv_nxt++;
		tw->flags &= (uint8_t)~TW_FIN_WAIT_2;
		tw->entered_ms = host->now_ms;
		answer(host, tw, SEG_ACK, out);
		return TW_START;
	}
	tcp_count(host, STAT_ABORT_ON_DATA);
	tcp_count(host, STAT_RST_OUT_UNREAD);
	answer(host, tw, SEG_RST | SEG_ACK, out);
	return TW_FREE;
}

/* Only the peer's FIN again, with an acceptable ACK field, starts 2MSL anew (TW-3, TW-4). */
static enum timewait_verdict take_old(struct tcp_host *host, struct timewait *tw,
				      const struct seg *seg, struct out *out)
{
	if (seg->len == 0 || !seq_le(seg->seq + seg->len, tw->rcv_nxt)) {
		tcp_count(host, STAT_OUT_OF_WINDOW);
		return challenge(host, tw, out);
	}
	if ((tw->flags & TW_FIN_WAIT_2) || !(seg->flags & SEG_FIN) ||
	    seg->seq + seg->len != tw->rcv_nxt) {
		tcp_count(host, STAT_OLD_TEXT);
		return challenge(host, tw, out);
	}
	answer(host, tw, SEG_ACK, out);
	return TW_RESTART;
}

static bool ack_acceptable(const struct timewait *tw, const struct seg *seg)
{
	return seq_le(seg->ack, tw->snd_nxt) && seq_ge(seg->ack, tw->snd_nxt - tw->max_wnd);
}

enum timewait_verdict timewait_input(struct tcp_host *host, struct timewait *tw,
				     const struct seg *seg, bool listener, struct out *out)
{
	if (seg->flags & SEG_RST)
		return take_rst(host, tw, seg, out);
	if (seg->flags & SEG_SYN)
		return take_syn(host, tw, seg, listener, out);
	if (!(seg->flags & SEG_ACK)) {
		tcp_count(host, STAT_NO_ACK);
		return TW_KEEP;
	}
	if ((tw->flags & TW_TS) && !(seg->options & OPT_TS) && !host->config.ts_lenient) {
		tcp_count(host, STAT_TS_MISSING);
		return TW_KEEP;
	}
	if ((tw->flags & TW_TS) && (seg->options & OPT_TS) &&
	    paws_old(host, seg->tsval, tw->ts_recent, tw->ts_recent_ms)) {
		tcp_count(host, STAT_PAWS_REFUSED);
		return challenge(host, tw, out);
	}
	if (!ack_acceptable(tw, seg)) {
		tcp_count(host, STAT_ACK_OUT_OF_RANGE);
		return challenge(host, tw, out);
	}
	if (!seg_acceptable(seg, tw->rcv_nxt, rcv_wnd(tw)))
		return take_old(host, tw, seg, out);
	if ((seg->options & OPT_TS) && seq_le(seg->seq, tw->rcv_nxt)) {
		tw->ts_recent = seg->tsval; /* RFC 7323 4.3 */
		tw->ts_recent_ms = host->now_ms;
	}
	if (tw->flags & TW_FIN_WAIT_2)
		return fin_wait_2(host, tw, seg, out);
	if (seg->len == 0 && seg->seq == tw->rcv_nxt)
		return TW_KEEP;
	return challenge(host, tw, out);
}

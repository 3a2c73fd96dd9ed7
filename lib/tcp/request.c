/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN-RECEIVED from LISTEN as a request of a few octets: no TCB before the handshake's last ACK
 * (RFC 9293 3.10.7.2, 3.10.7.4; RFC 5961; Tables S, K, D, F, R rows SYN_RCVD/p). */
#include <string.h>

#include "tcp/answer.h"
#include "tcp/open.h"

static uint32_t request_rto_ms(const struct tcp_host *host, const struct request *rq)
{
	uint64_t rto_ms = host->config.rto_initial_ms;

	for (uint8_t i = 0; i < rq->retransmits && rto_ms < host->config.rto_max_ms; i++)
		rto_ms *= 2;
	return (uint32_t)(rto_ms < host->config.rto_max_ms ? rto_ms : host->config.rto_max_ms);
}

uint32_t request_deadline(const struct tcp_host *host, const struct request *rq)
{
	return tcp_after(host, request_rto_ms(host, rq));
}

static void answer_synack(struct tcp_host *host, struct request *rq, struct out *out)
{
	struct seg *seg;

	answer_plain_ack(out, rq->iss, rq->irs + 1, tcp_syn_window(host));
	seg = &out->answer[out->answers - 1];
	seg->flags |= SEG_SYN | (rq->flags & REQUEST_ECN ? SEG_ECE : 0);
	seg->len = 1;
	syn_offer(host, seg, rq->our_mss, rq->flags & REQUEST_SACK, rq->flags & REQUEST_WSCALE);
	if (rq->flags & REQUEST_TS)
		answer_timestamp(seg, tcp_tsval(host, rq->ts_offset), rq->ts_recent);
	rq->sent_us = (uint32_t)host->now_us;
}

static void repeat_synack(struct tcp_host *host, struct request *rq, struct out *out)
{
	rq->flags |= REQUEST_REPEATED | REQUEST_RETRIED;
	tcp_count(host, STAT_RETRANSMIT_SYNACK);
	answer_synack(host, rq, out);
}

static void fill(struct tcp_host *host, struct request *rq, const struct seg *syn, uint8_t version,
		 uint16_t our_mss, uint32_t iss, uint32_t ts_offset)
{
	struct syn_terms terms;

	syn_options(host, syn, version, our_mss, &terms);
	*rq = (struct request){
		.irs = syn->seq,
		.iss = iss,
		.ts_recent = syn->tsval,
		.ts_offset = ts_offset,
		.challenge_ms = host->now_ms - host->config.invalid_ratelimit_ms,
		.mss = terms.mss,
		.wnd = syn->wnd,
		.flags = (uint8_t)((terms.timestamps ? REQUEST_TS : 0) |
				   (terms.wscale ? REQUEST_WSCALE : 0) |
				   (terms.sack ? REQUEST_SACK : 0) | (terms.ecn ? REQUEST_ECN : 0)),
		.snd_wscale = terms.snd_wscale,
		.version = version,
		.our_mss = our_mss,
	};
}

void request_open(struct tcp_host *host, struct request *rq, const struct seg *syn, uint8_t version,
		  uint16_t our_mss, uint32_t iss, uint32_t ts_offset, struct out *out)
{
	fill(host, rq, syn, version, our_mss, iss, ts_offset);
	tcp_count(host, STAT_REQUEST_OPENED);
	tcp_level_enter(host, TCPS_SYN_RECEIVED);
	answer_synack(host, rq, out);
}

/* ---- Cookies (RFC 4987 3.6; RFC4987-cookie2) ------------------------------------------------ */

/* The low bits of a cookie SYN-ACK's TSval, which the last ACK echoes. */
#define COOKIE_BITS 0x3fu
#define COOKIE_WSCALE 0x0fu /* COOKIE_NO_WSCALE: not agreed */
#define COOKIE_NO_WSCALE 0x0fu
#define COOKIE_SACK 0x10u
#define COOKIE_ECN 0x20u

void request_cookie(struct tcp_host *host, const struct seg *syn, uint8_t version, uint16_t our_mss,
		    uint32_t iss, uint32_t ts_offset, struct out *out)
{
	struct request rq;
	struct seg *seg;
	uint32_t terms, tsval;

	fill(host, &rq, syn, version, our_mss, iss, ts_offset);
	if (!(rq.flags & REQUEST_TS))
		rq.flags = 0; /* nothing would remember them */
	answer_synack(host, &rq, out);
	if (!(rq.flags & REQUEST_TS))
		return;
	terms = (rq.flags & REQUEST_WSCALE ? rq.snd_wscale : COOKIE_NO_WSCALE) |
		(rq.flags & REQUEST_SACK ? COOKIE_SACK : 0) |
		(rq.flags & REQUEST_ECN ? COOKIE_ECN : 0);
	seg = &out->answer[out->answers - 1];
	tsval = (seg->tsval & ~COOKIE_BITS) | terms;
	seg->tsval = seq_gt(tsval, seg->tsval) ? tsval - COOKIE_BITS - 1 :
						 tsval; /* never ahead of the clock */
}

void request_recall(struct tcp_host *host, struct request *rq, const struct seg *ack,
		    uint8_t version, uint16_t mss, uint32_t ts_offset)
{
	*rq = (struct request){
		.irs = ack->seq - 1,
		.iss = ack->ack - 1,
		.ts_offset = ts_offset,
		.challenge_ms = host->now_ms - host->config.invalid_ratelimit_ms,
		.mss = mss,
		.flags = REQUEST_REPEATED, /* when the SYN-ACK left is not known */
		.version = version,
	};
	if (host->config.timestamps && (ack->options & OPT_TS)) {
		rq->flags |= REQUEST_TS;
		rq->ts_recent = ack->tsval;
		if (ack->tsecr & COOKIE_SACK)
			rq->flags |= REQUEST_SACK;
		if ((ack->tsecr & COOKIE_ECN) && host->config.ecn != 0)
			rq->flags |= REQUEST_ECN;
		if ((ack->tsecr & COOKIE_WSCALE) != COOKIE_NO_WSCALE) {
			rq->flags |= REQUEST_WSCALE;
			rq->snd_wscale = ack->tsecr & COOKIE_WSCALE;
		}
	}
	tcp_level_enter(host, TCPS_SYN_RECEIVED);
}

static void challenge(struct tcp_host *host, struct request *rq, struct out *out)
{
	if (!answer_due(host, &rq->challenge_ms)) {
		tcp_count(host, STAT_CHALLENGE_SUPPRESSED);
		return;
	}
	tcp_count(host, STAT_CHALLENGE_SENT);
	answer_plain_ack(out, rq->iss + 1, rq->irs + 1,
			 (uint16_t)(tcp_syn_window(host) >>
				    (rq->flags & REQUEST_WSCALE ? host->config.rcv_wscale : 0)));
	if (rq->flags & REQUEST_TS)
		answer_timestamp(&out->answer[out->answers - 1], tcp_tsval(host, rq->ts_offset),
				 rq->ts_recent);
}

/* Table R. */
static enum request_verdict take_rst(struct tcp_host *host, struct request *rq,
				     const struct seg *seg, struct out *out)
{
	tcp_count(host, STAT_RST_IN);
	if (seg->seq == rq->irs + 1) {
		tcp_count(host, STAT_RST_OK);
		return REQUEST_FREE;
	}
	if (seq_in(seg->seq, rq->irs + 1, tcp_syn_window(host))) {
		tcp_count(host, STAT_RST_CHALLENGED);
		challenge(host, rq, out);
	} else {
		tcp_count(host, STAT_RST_IGNORED);
	}
	return REQUEST_KEEP;
}

/* Table S: the first SYN again, or one that shows that the first was old. */
static enum request_verdict take_syn(struct tcp_host *host, struct request *rq,
				     const struct seg *seg, struct out *out)
{
	const bool in_window = seq_in(seg->seq, rq->irs + 1, tcp_syn_window(host));

	if (!(seg->flags & SEG_FIN) && in_window)
		return REQUEST_FREE;
	if (!(seg->flags & (SEG_FIN | SEG_ACK)) && seg->seq == rq->irs) {
		if (!ecn_setup(seg)) /* the peer does without now (RFC 3168 6.1.1.1) */
			rq->flags &= (uint8_t)~REQUEST_ECN;
		if ((seg->options & OPT_TS) && seq_gt(seg->tsval, rq->ts_recent))
			rq->ts_recent = seg->tsval; /* RFC 7323 4.3 */
		if ((uint32_t)host->now_us - rq->sent_us < SYNACK_REPEAT_MS * 1000)
			tcp_count(host, STAT_SYNACK_SUPPRESSED);
		else
			repeat_synack(host, rq, out);
		return REQUEST_KEEP;
	}
	tcp_count(host, STAT_SYN_CHALLENGED);
	challenge(host, rq, out);
	return REQUEST_KEEP;
}

enum request_verdict request_input(struct tcp_host *host, struct request *rq, const struct seg *seg,
				   struct out *out)
{
	if (seg->flags & SEG_RST)
		return take_rst(host, rq, seg, out);
	if (seg->flags & SEG_SYN)
		return take_syn(host, rq, seg, out);
	if (!(seg->flags & SEG_ACK)) {
		tcp_count(host, STAT_NO_ACK);
		return REQUEST_KEEP;
	}
	if ((rq->flags & REQUEST_TS) && !(seg->options & OPT_TS) && !host->config.ts_lenient) {
		tcp_count(host, STAT_TS_MISSING);
		return REQUEST_KEEP;
	}
	if ((rq->flags & REQUEST_TS) && (seg->options & OPT_TS) && seq_lt(seg->tsval, rq->ts_recent)) {
		tcp_count(host, STAT_PAWS_REFUSED);
		challenge(host, rq, out);
		return REQUEST_KEEP;
	}
	if (!seg_acceptable(seg, rq->irs + 1, tcp_syn_window(host))) {
		tcp_count(host, STAT_OUT_OF_WINDOW);
		challenge(host, rq, out);
		return REQUEST_KEEP;
	}
	if (seg->ack != rq->iss + 1) {
		tcp_count(host, STAT_RST_OUT_BAD_ACK);
		answer_stranger(seg, out);
		return REQUEST_KEEP;
	}
	return REQUEST_PROMOTE;
}

bool request_timeout(struct tcp_host *host, struct request *rq, struct out *out)
{
	if (rq->retransmits >= host->config.synack_retries)
		return false;
	rq->retransmits++;
	repeat_synack(host, rq, out);
	return true;
}

void request_promote(struct tcp_host *host, const struct request *rq, struct tcb *tcb)
{
	memset(tcb, 0, sizeof(*tcb));
	tcb->state = TCPS_SYN_RECEIVED;
	tcb->version = rq->version;
	tcb->flags = TCB_PASSIVE | (rq->flags & REQUEST_TS ? TCB_TS : 0u) |
		     (rq->flags & REQUEST_WSCALE ? TCB_WSCALE : 0u) |
		     (rq->flags & REQUEST_SACK ? TCB_SACK : 0u) |
		     (rq->flags & REQUEST_ECN ? TCB_ECN : 0u) |
		     (rq->flags & REQUEST_REPEATED ? 0u : TCB_TIMING) |
		     (rq->flags & REQUEST_RETRIED ? TCB_SYN_RETRIED : 0u);
	tcb->iss = rq->iss;
	tcb->snd_una = rq->iss;
	tcb->snd_nxt = rq->iss + 1;
	tcb->snd_end = rq->iss + 1;
	tcb->irs = rq->irs;
	tcb->rcv_nxt = rq->irs + 1;
	tcb->rcv_adv = tcb->rcv_nxt + tcp_syn_window(host);
	tcb->last_ack_sent = tcb->rcv_nxt;
	tcb->snd_wnd = rq->wnd;
	tcb->max_wnd = rq->wnd;
	tcb->snd_wl1 = rq->irs;
	tcb->snd_wl2 = rq->iss;
	tcb->ts_recent = rq->ts_recent;
	tcb->ts_recent_ms = host->now_ms;
	tcb->ts_offset = rq->ts_offset;
	tcb->rtt_at_us = rq->sent_us;
	tcb->snd_mss = (uint16_t)(rq->mss - (rq->flags & REQUEST_TS ? TS_OCTETS : 0));
	tcb->snd_wscale = rq->snd_wscale;
	tcb->rcv_wscale = rq->flags & REQUEST_WSCALE ? host->config.rcv_wscale : 0;
	tcb->challenge_ms = rq->challenge_ms;
	tcb->keepalive_ms = host->now_ms - KEEPALIVE_ANSWER_MS;
	tcb->sndq_head = tcb->sndq_tail = tcb->sndq_next = tcb->held = RANGE_NONE;
	tcb->recover = rq->iss;
	tcb->heard_ms = host->ceil_ms;
	tcb->user_timeout_ms = host->config.user_timeout_ms;
}

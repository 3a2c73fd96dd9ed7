/* SPDX-License-Identifier: BSD-3-Clause */
/* RACK-TLP (RFC 8985). What left before something that has arrived is lost once it is late by the reordering
 * window (6.2); when ACKs stay away a probe draws one (7). What is lost goes again as PRR lets it. */
#include "tcp/rack.h"
#include "tcp/cc.h"
#include "tcp/sack.h"

#define DELAYED_ACK_US 200000 /* TLP.max_ack_delay: what peers wait at most */
#define REO_WND_PERSIST 16

void rack_init(struct rack *rack)
{
	rack->delivered = rack->reordering_seen = rack->in_dsack_round = false;
	rack->recovering = rack->tlp = false;
	rack->min_rtt_us = UINT32_MAX;
	rack->reo_wnd_mult = 1;
	rack->reo_wnd_persist = 0;
	rack->log.count = 0;
}

static uint32_t now(const struct tcp_host *host)
{
	return (uint32_t)host->now_us;
}

/* The flight with a log of all that is on its way; what nobody wrote down left when text last did. */
static struct flight *attach(struct tcp_host *host, struct tcb *tcb)
{
	struct flight *const flight = flight_begin(host, tcb);

	if (flight != NULL && flight->rack.log.count == 0 && tcb->snd_una != tcb->snd_nxt)
		sentlog_add(&flight->rack.log, tcb->snd_una, tcb->snd_una, tcb->snd_nxt,
			    now(host) - (host->now_ms - tcb->sent_ms) * 1000, false);
	return flight;
}

/* ---- 7: tail loss probes --------------------------------------------------------------------------- */

/* 7.2: the probe goes when the retransmission timer would at the latest. Our SYN has no other timer. */
static void schedule(const struct tcp_host *host, struct tcb *tcb, uint32_t in_flight)
{
	const struct flight *const flight = flight_of(host, tcb);
	uint64_t pto_us = tcb->srtt_us > 0 ? 2 * (uint64_t)tcb->srtt_us : 1000000;

	if (!(tcb->flags & TCB_ESTABLISHED) || !(tcb->timers & TIMER_RTX) ||
	    (tcb->timers & TIMER_REO) || tcb->backoff > 0 || tcb->snd_wnd == 0 ||
	    (tcb->flags & (TCB_RECOVERY | TCB_RTX | TCB_TLP)) || (flight != NULL && flight->rack.tlp))
		return;
	if (in_flight <= tcb->snd_mss)
		pto_us += DELAYED_ACK_US;
	if (!(tcb->timers & TIMER_PTO))
		tcb->rto_tick = tcb->rtx_tick;
	tcb->rtx_tick = tcp_after(host, (uint32_t)((pto_us + 999) / 1000));
	if (seq_gt(tcb->rtx_tick, tcb->rto_tick))
		tcb->rtx_tick = tcb->rto_tick;
	tcb->timers |= TIMER_PTO;
}

bool rack_probe(struct tcp_host *host, struct tcb *tcb)
{
	struct flight *const flight = attach(host, tcb);

	tcb->flags &= ~(uint32_t)TCB_TLP;
	if (flight == NULL || tcb->snd_una == tcb->snd_nxt)
		return false;
	flight->rack.tlp = true;
	return true;
}

void rack_probed(struct tcp_host *host, struct tcb *tcb, bool is_retrans)
{
	struct rack *const rack = &flight_of(host, tcb)->rack;

	tcp_count(host, STAT_TLP_PROBES);
	rack->tlp_is_retrans = is_retrans;
	rack->tlp_end_seq = tcb->snd_nxt;
}

static bool reports(const struct seg *seg, uint32_t end)
{
	return sack_is_duplicate(seg) && seg->sack[0].right == end;
}

/* 7.4.2: a probe that mended a loss without more ado hides it from congestion control. */
static void detect_probe(struct tcp_host *host, struct tcb *tcb, const struct seg *seg, bool moved)
{
	struct rack *const rack = &flight_of(host, tcb)->rack;

	if (!rack->tlp || seq_lt(seg->ack, rack->tlp_end_seq))
		return;
	if (rack->tlp_is_retrans && !reports(seg, rack->tlp_end_seq)) {
		if (seq_gt(seg->ack, rack->tlp_end_seq)) {
			tcp_count(host, STAT_TLP_RECOVERY);
			if (!(tcb->flags & TCB_RECOVERY))
				cc_mended(host, tcb);
		} else if (moved || seg->len > 0 || (seg->options & OPT_SACK)) {
			return; /* what comes next will tell */
		}
	}
	rack->tlp = false;
}

/* ---- 6: RACK ----------------------------------------------------------------------------------------- */

static bool sent_after(uint32_t us1, uint32_t seq1, uint32_t us2, uint32_t seq2)
{
	return seq_gt(us1, us2) || (us1 == us2 && seq_gt(seq1, seq2));
}

/* 6.2 step 2: an ACK of something sent again may be one of its first transmission. */
static bool is_of_the_first(const struct tcp_host *host, const struct tcb *tcb,
			    const struct rack *rack, const struct seg *seg, const struct sent *sent)
{
	const uint32_t rtt_us = now(host) - sent->us;
	const uint32_t sent_ms =
		host->now_ms - (uint32_t)(host->now_us / 1000 - (host->now_us - rtt_us) / 1000);
	const uint32_t least = rack->min_rtt_us != UINT32_MAX ? rack->min_rtt_us : tcb->srtt_us;

	if (!sent->again)
		return false;
	if ((tcb->flags & TCB_TS) && (seg->options & OPT_TS) &&
	    seq_lt(seg->tsecr, sent_ms + tcb->ts_offset))
		return true;
	return rtt_us < least;
}

static void take(const struct tcp_host *host, const struct tcb *tcb, struct rack *rack,
		 const struct seg *seg, const struct sent *sent, uint32_t end)
{
	const uint32_t rtt_us = now(host) - sent->us;

	if (!sent->again) {
		rack->min_rtt_us = min_u32(rack->min_rtt_us, rtt_us);
		if (rack->delivered && seq_lt(end, rack->fack))
			rack->reordering_seen = true; /* step 3 */
	}
	rack->fack = rack->delivered ? seq_max(rack->fack, end) : end;
	if (is_of_the_first(host, tcb, rack, seg, sent))
		return;
	if (rack->delivered && !sent_after(sent->us, end, rack->xmit_us, rack->end_seq))
		return;
	rack->xmit_us = sent->us;
	rack->end_seq = end;
	rack->rtt_us = rtt_us;
	rack->delivered = true;
}

void rack_delivered(struct tcp_host *host, struct tcb *tcb, const struct seg *seg, uint32_t una,
		    uint32_t left, uint32_t right)
{
	struct flight *const flight = attach(host, tcb);
	const struct sentlog *const log = &flight->rack.log;
	struct span hole;

	while (seq_lt(left, right) && scoreboard_hole(&flight->board, left, right, &hole)) {
		for (uint32_t i = 0; i < log->count; i++) {
			const uint32_t begin = i > 0 ? log->span[i - 1].end : una;
			const uint32_t end =
				seq_lt(log->span[i].end, hole.right) ? log->span[i].end : hole.right;

			if (seq_gt(end, seq_max(begin, hole.left)))
				take(host, tcb, &flight->rack, seg, &log->span[i], end);
		}
		left = hole.right;
	}
}

/* 6.2 step 4. */
static uint32_t reo_wnd(const struct tcb *tcb, const struct flight *flight)
{
	const struct rack *const rack = &flight->rack;
	const uint32_t dup_thresh =
		scoreboard_lost_edge(&flight->board, tcb->snd_una, tcb->snd_mss) != tcb->snd_una;
	const uint32_t min_rtt_us = rack->min_rtt_us != UINT32_MAX ? rack->min_rtt_us : tcb->srtt_us;

	if (!rack->reordering_seen && ((tcb->flags & TCB_RECOVERY) || dup_thresh))
		return 0;
	return (uint32_t)(min_rtt_us / 4 < tcb->srtt_us / rack->reo_wnd_mult ?
				  (uint64_t)rack->reo_wnd_mult * min_rtt_us / 4 :
				  tcb->srtt_us);
}

/* A D-SACK says that too much was sent again: the window widens, once a round trip; it narrows when 16
 * recoveries have gone without one. */
static void adapt(struct tcb *tcb, struct rack *rack, const struct seg *seg)
{
	if (rack->in_dsack_round && seq_ge(tcb->snd_una, rack->dsack_round))
		rack->in_dsack_round = false;
	if (sack_is_duplicate(seg) && !rack->in_dsack_round) {
		rack->in_dsack_round = true;
		rack->dsack_round = tcb->snd_nxt;
		rack->reo_wnd_persist = REO_WND_PERSIST;
		if (rack->reo_wnd_mult < UINT8_MAX)
			rack->reo_wnd_mult++;
	}
	if (rack->recovering && !(tcb->flags & TCB_RECOVERY)) {
		rack->recovering = false;
		if (rack->reo_wnd_persist == 0 || --rack->reo_wnd_persist == 0)
			rack->reo_wnd_mult = 1;
	}
}

/* Octets of [from, to) that are held, spans from *k on; *k moves along. */
static uint32_t held(const struct scoreboard *board, uint32_t *k, uint32_t from, uint32_t to)
{
	uint32_t octets = 0;

	while (*k < board->count && seq_le(board->span[*k].right, from))
		++*k;
	for (uint32_t i = *k; i < board->count && seq_lt(board->span[i].left, to); i++) {
		const uint32_t right = board->span[i].right;

		octets += (seq_lt(right, to) ? right : to) - seq_max(board->span[i].left, from);
	}
	return octets;
}

/* What is missing of a span that ends at RACK.end_seq ends before it. */
static bool is_older(const struct rack *rack, const struct sent *sent)
{
	return seq_lt(sent->us, rack->xmit_us) ||
	       (sent->us == rack->xmit_us && seq_le(sent->end, rack->end_seq));
}

/* 6.2 step 5. @return microseconds until the next may be lost; 0: none waits for that */
static uint32_t detect(struct tcp_host *host, struct tcb *tcb, struct flight *flight, bool *lost)
{
	struct rack *const rack = &flight->rack;
	const uint32_t limit_us = rack->rtt_us + reo_wnd(tcb, flight);
	uint32_t begin = tcb->snd_una, k = 0, wait_us = 0;

	*lost = false;
	if (!rack->delivered)
		return 0;
	sentlog_split(&rack->log, tcb->snd_una, rack->end_seq);
	for (uint32_t i = 0; i < rack->log.count; i++) {
		struct sent *const sent = &rack->log.span[i];
		const uint32_t gone_us = now(host) - sent->us;
		const bool all_held = held(&flight->board, &k, begin, sent->end) == sent->end - begin;

		begin = sent->end;
		if (all_held || (!sent->lost && !is_older(rack, sent)))
			continue;
		if (!sent->lost && gone_us < limit_us) {
			wait_us = limit_us - gone_us > wait_us ? limit_us - gone_us : wait_us;
			continue;
		}
		sent->lost = true;
		*lost = true;
	}
	return wait_us;
}

/* What is lost by now begins recovery; what may be soon, the reordering timer in the place of others. */
static void act(struct tcp_host *host, struct tcb *tcb, struct flight *flight)
{
	bool lost;
	const uint32_t wait_us = detect(host, tcb, flight, &lost);

	if (lost && !(tcb->flags & (TCB_RECOVERY | TCB_RTX)) && !cc_was_met(tcb)) {
		tcp_count(host, STAT_RACK_RECOVERY);
		cc_recovery(host, tcb, true);
		flight->rack.recovering = true;
	}
	if (wait_us == 0 || !(tcb->timers & TIMER_RTX))
		return;
	tcb->rtx_tick = tcp_after(host, (wait_us + 999) / 1000);
	tcb->timers = (uint8_t)((tcb->timers & ~TIMER_PTO) | TIMER_REO);
}

void rack_acked(struct tcp_host *host, struct tcb *tcb, const struct seg *seg, uint32_t before)
{
	struct flight *const flight = flight_of(host, tcb);
	const bool moved = tcb->snd_una != before;

	if (flight != NULL) {
		detect_probe(host, tcb, seg, moved);
		if (tcb->snd_una == tcb->snd_nxt) {
			if (flight->rack.tlp)
				flight->rack.delivered = false; /* what is next may leave long after */
			else
				flight_end(host, tcb);
			return;
		}
		adapt(tcb, &flight->rack, seg);
		if (moved || (seg->options & OPT_SACK))
			act(host, tcb, flight);
		prr_watch(tcb, flight);
	}
	if (moved && tcb->snd_una != tcb->snd_nxt)
		schedule(host, tcb, tcb->snd_nxt - tcb->snd_una);
}

void rack_sent(struct tcp_host *host, struct tcb *tcb, uint32_t seq, uint32_t len)
{
	const bool again = seq_lt(seq, tcb->snd_nxt);
	struct flight *flight = flight_of(host, tcb);

	if (!rack_is_on(host, tcb))
		return;
	/* what left within this millisecond alone needs no log: sent_ms says when */
	if (again || (tcb->snd_una != tcb->snd_nxt && tcb->sent_ms != host->now_ms))
		flight = attach(host, tcb);
	if (flight != NULL)
		sentlog_add(&flight->rack.log, tcb->snd_una, seq, seq + len, now(host), again);
	if (!again)
		schedule(host, tcb, seq + len - tcb->snd_una);
}

void rack_expired(struct tcp_host *host, struct tcb *tcb)
{
	const bool probe = tcb->timers & TIMER_PTO;
	struct flight *const flight = flight_of(host, tcb);

	rto_arm(host, tcb);
	if (probe)
		tcb->flags |= TCB_TLP;
	else if (flight != NULL)
		act(host, tcb, flight);
}

void rack_timeout(struct rack *rack)
{
	rack->log.count = 0;
	rack->tlp = rack->recovering = false;
}

/* ---- What goes again ---------------------------------------------------------------------------------- */

uint32_t rack_pipe(const struct tcp_host *host, const struct tcb *tcb)
{
	const struct flight *const flight = flight_of(host, tcb);
	uint32_t begin = tcb->snd_una, k = 0, pipe = tcb->snd_nxt - tcb->snd_una;

	pipe -= flight->board.octets;
	for (uint32_t i = 0; i < flight->rack.log.count; i++) {
		const struct sent *const sent = &flight->rack.log.span[i];

		if (sent->lost)
			pipe -= sent->end - begin - held(&flight->board, &k, begin, sent->end);
		begin = sent->end;
	}
	return pipe;
}

bool rack_lost(const struct tcp_host *host, const struct tcb *tcb, struct span *span)
{
	const struct flight *const flight = flight_of(host, tcb);
	uint32_t begin = tcb->snd_una;

	for (uint32_t i = 0; i < flight->rack.log.count; i++) {
		const struct sent *const sent = &flight->rack.log.span[i];

		if (sent->lost && scoreboard_hole(&flight->board, begin, sent->end, span)) {
			span_clip(span, tcb);
			return true;
		}
		begin = sent->end;
	}
	return false;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Expiries of a connection's timers (RFC 9293 3.10.8, RFC 6298 5.4 to 5.7; Table T). */
#include <errno.h>

#include "tcp/answer.h"
#include "tcp/cc.h"
#include "tcp/sendq.h"

#define SHUT_TRIES 3

static enum stat timeout_stat(const struct tcb *tcb)
{
	switch ((enum tcp_state)tcb->state) {
	case TCPS_SYN_SENT:
		return STAT_TIMEOUT_SYN_SENT;
	case TCPS_SYN_RECEIVED:
		return STAT_TIMEOUT_SYN_RECEIVED;
	case TCPS_ESTABLISHED:
		return STAT_TIMEOUT_ESTABLISHED;
	case TCPS_CLOSE_WAIT:
		return STAT_TIMEOUT_CLOSE_WAIT;
	case TCPS_FIN_WAIT_1:
		return STAT_TIMEOUT_FIN_WAIT_1;
	case TCPS_CLOSING:
		return STAT_TIMEOUT_CLOSING;
	case TCPS_LAST_ACK:
		return STAT_TIMEOUT_LAST_ACK;
	case TCPS_FIN_WAIT_2:
		return STAT_TIMEOUT_FIN_WAIT_2;
	case TCPS_CLOSED:
	case TCPS_LISTEN:
	case TCPS_TIME_WAIT:
		break;
	}
	assert(0 && "no retransmission timer runs in this state");
	return STAT_TIMEOUT_ESTABLISHED;
}

/* The limit is reached (3.8.3): a peer that may still be there is told. */
static void give_up(struct tcp_host *host, struct tcb *tcb, struct out *out)
{
	tcp_count(host, timeout_stat(tcb));
	if (tcb->state == TCPS_ESTABLISHED || tcb->state == TCPS_CLOSE_WAIT)
		answer_reset(host, tcb, STAT_RST_OUT_TIMEOUT, out);
	out->error = ETIMEDOUT;
	tcp_set_state(host, tcb, TCPS_CLOSED);
}

/* Whether as many retransmissions or probes have gone as may (MUST-20, MUST-23, HF-LA1). For an
 * orphan only what is acknowledged begins the count anew, for others each answer to a probe (MUST-37). */
static bool limit_reached(const struct tcp_host *host, const struct tcb *tcb)
{
	if (!(tcb->flags & TCB_ESTABLISHED))
		return tcb->retransmits >= host->config.syn_retries;
	if (tcb->flags & TCB_ORPHAN)
		return tcb->backoff >= host->config.orphan_retries;
	return tcb->retransmits >= host->config.retries2;
}

static void count_try(struct tcp_host *host, struct tcb *tcb, struct out *out)
{
	tcb->retransmits++;
	if (tcb->retransmits == host->config.retries1 && (tcb->flags & TCB_ESTABLISHED))
		out->events |= TCP_EV_SUSPECT; /* R1 (SHLD-10) */
	rto_backoff(host, tcb);
}

static void rtx_expired(struct tcp_host *host, struct tcb *tcb, struct out *out)
{
	tcp_count(host, STAT_RTO_EXPIRED);
	if (limit_reached(host, tcb)) {
		give_up(host, tcb, out);
		return;
	}
	if (!(tcb->flags & TCB_ESTABLISHED)) {
		tcb->flags |= TCB_SYN_NOW | TCB_SYN_RETRIED;
		count_try(host, tcb, out);
		return;
	}
	count_try(host, tcb, out);
	cc_timeout(host, tcb);
	if (tcb->flight != 0) { /* the peer may have reneged (RFC 2018 8) */
		scoreboard_clear(&flight_of(host, tcb)->board);
		rack_timeout(&flight_of(host, tcb)->rack);
	}
	tcb->flags &= ~(uint32_t)TCB_TLP;
	tcb->flags |= TCB_RTX;
	tcb->rtx_nxt = tcb->snd_una;
}

/* Too many keep their windows shut, and fewer of them than are too many have done so for longer, by their
 * backoff; which has to be that of three tries (HF-ZW3). */
static bool shut_too_long(const struct tcp_host *host, const struct tcb *tcb)
{
	uint32_t longer = 0;

	if (host->config.max_shut == 0 || host->shut <= host->config.max_shut ||
	    tcb->backoff < SHUT_TRIES)
		return false;
	for (unsigned i = shut_class(tcb->backoff) + 1; i < SHUT_CLASSES; i++)
		longer += host->shut_by[i];
	return longer < host->shut - host->config.max_shut;
}

/* The window is still shut: one octet asks again (MUST-35, SHLD-29, SHLD-30). A peer that answers may keep
 * it shut for ever (MUST-37), unless nobody here waits for it any more (HF-ZW1), or too many do so. */
static void persist_expired(struct tcp_host *host, struct tcb *tcb, struct out *out)
{
	if (limit_reached(host, tcb)) {
		give_up(host, tcb, out);
		return;
	}
	if (shut_too_long(host, tcb)) {
		tcp_count(host, STAT_ZERO_WINDOW_RESET);
		answer_reset(host, tcb, STAT_RST_OUT_LIMIT, out);
		out->error = ECONNABORTED;
		tcp_set_state(host, tcb, TCPS_CLOSED);
		return;
	}
	tcp_count(host, STAT_WINDOW_PROBES);
	count_try(host, tcb, out);
	if (tcb->snd_una == tcb->snd_nxt) {
		tcb->flags |= TCB_PROBE;
	} else {
		tcb->flags |= TCB_RTX;
		tcb->rtx_nxt = tcb->snd_una;
	}
}

/* Nothing has come for long: ask whether the peer is still there (3.8.4, MUST-25 to MUST-29). */
static void idle_expired(struct tcp_host *host, struct tcb *tcb, struct out *out)
{
	const uint32_t silent_tick = tcb->heard_ms + host->config.keepalive_ms;

	if (tcb->state == TCPS_CLOSING || tcb->state == TCPS_LAST_ACK) {
		tcb->timers &= (uint8_t)~TIMER_IDLE; /* the FIN's own timer ends these */
	} else if (tcb->snd_una != tcb->snd_nxt || tcb->state == TCPS_FIN_WAIT_1) {
		tcb->idle_tick = tcp_after(host, host->config.keepalive_ms);
	} else if (!tick_due(silent_tick, host->now_ms)) {
		tcb->idle_tick = silent_tick;
	} else if (tcb->keepalive_probes >= host->config.keepalive_probes) {
		give_up(host, tcb, out);
	} else {
		tcb->keepalive_probes++;
		tcb->flags |= TCB_KEEPALIVE;
		tcp_count(host, STAT_KEEPALIVES);
		tcb->idle_tick = tcp_after(host, host->config.keepalive_interval_ms);
	}
}

static bool due(const struct tcp_host *host, const struct tcb *tcb, uint8_t timers, uint32_t tick)
{
	return (tcb->timers & timers) && tick_due(tick, host->now_ms);
}

void tcp_timeout(struct tcp_host *host, struct tcb *tcb, struct out *out)
{
	if (due(host, tcb, TIMER_USER, tcb->user_tick)) {
		give_up(host, tcb, out);
		return;
	}
	if (due(host, tcb, TIMER_IDLE, tcb->idle_tick)) {
		idle_expired(host, tcb, out);
		if (tcb->state == TCPS_CLOSED)
			return;
	}
	if ((tcb->timers & TIMER_DELACK) && tick_due(tcb->ack_tick, host->now_ms)) {
		tcb->timers &= (uint8_t)~TIMER_DELACK;
		tcb->flags |= TCB_ACK_NOW;
		tcp_count(host, STAT_DELAYED_ACK);
	}
	if (!(tcb->timers & (TIMER_RTX | TIMER_PERSIST)) || !tick_due(tcb->rtx_tick, host->now_ms))
		return;
	if (tcb->timers & (TIMER_PTO | TIMER_REO))
		rack_expired(host, tcb);
	else if (tcb->timers & TIMER_RTX)
		rtx_expired(host, tcb, out);
	else
		persist_expired(host, tcb, out);
}

/* Whether one of these timers runs, or any other so far; the earlier tick of them. */
static inline bool earlier(const struct tcb *tcb, uint8_t timers, uint32_t at, bool any,
			   uint32_t *tick)
{
	if (!(tcb->timers & timers))
		return any;
	if (!any || seq_lt(at, *tick))
		*tick = at;
	return true;
}

bool tcp_deadline(const struct tcb *tcb, uint32_t *tick)
{
	bool any = false;

	any = earlier(tcb, TIMER_RTX | TIMER_PERSIST, tcb->rtx_tick, any, tick);
	any = earlier(tcb, TIMER_DELACK, tcb->ack_tick, any, tick);
	if (tcb->timers & (TIMER_IDLE | TIMER_USER)) {
		any = earlier(tcb, TIMER_IDLE, tcb->idle_tick, any, tick);
		any = earlier(tcb, TIMER_USER, tcb->user_tick, any, tick);
	}
	return any;
}

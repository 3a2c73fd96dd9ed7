/* SPDX-License-Identifier: BSD-3-Clause */
/* The application's calls on a TCB (RFC 9293 3.10.1 to 3.10.5; Table U). Who may call what on which
 * handle is the worker's matter. */
#include <errno.h>
#include <string.h>

#include "tcp/answer.h"
#include "tcp/open.h"
#include "tcp/sendq.h"

/* Active OPEN: the SYN leaves when tcp_next is asked. */
void tcp_open(struct tcp_host *host, struct tcb *tcb, uint8_t version, uint32_t iss,
	      uint32_t ts_offset)
{
	memset(tcb, 0, sizeof(*tcb));
	tcb->version = version;
	tcb->iss = iss;
	tcb->snd_una = iss;
	tcb->snd_nxt = iss;
	tcb->snd_end = iss + 1;
	tcb->ts_offset = ts_offset;
	tcb->snd_mss = host->config.mss[version == 6];
	tcb->flags = TCB_SYN_NOW;
	tcb->challenge_ms = host->now_ms - host->config.invalid_ratelimit_ms;
	tcb->keepalive_ms = host->now_ms - KEEPALIVE_ANSWER_MS;
	tcb->sndq_head = tcb->sndq_tail = tcb->sndq_next = tcb->held = RANGE_NONE;
	tcb->recover = iss;
	tcb->heard_ms = host->ceil_ms;
	tcb->user_timeout_ms = host->config.user_timeout_ms;
	tcp_set_state(host, tcb, TCPS_SYN_SENT);
}

int64_t tcp_room(const struct tcp_host *host, const struct tcb *tcb)
{
	uint32_t queued;

	if (tcb->flags & TCB_FIN_QUEUED)
		return -EPIPE;
	queued = tcb->snd_end - (tcb->flags & TCB_ESTABLISHED ? tcb->snd_una : tcb->iss + 1);
	return queued < host->config.snd_buf ? host->config.snd_buf - queued : 0;
}

void tcp_queue(struct tcp_host *host, struct tcb *tcb, uint32_t range, uint32_t len)
{
	struct range *const at = host->ranges.at;

	at[range] = (struct range){ .next = RANGE_NONE, .seq = tcb->snd_end, .len = len };
	if (tcb->sndq_head == RANGE_NONE)
		tcb->sndq_head = range;
	else
		at[tcb->sndq_tail].next = range;
	tcb->sndq_tail = range;
	tcb->snd_end += len;
}

void tcp_lengthen(struct tcp_host *host, struct tcb *tcb, uint32_t len)
{
	host->ranges.at[tcb->sndq_tail].len += len;
	tcb->snd_end += len;
}

void tcp_nagle(const struct tcp_host *host, struct tcb *tcb, bool on)
{
	if (on == host->config.nagle)
		tcb->flags &= ~(uint32_t)TCB_NAGLE_OTHER;
	else
		tcb->flags |= TCB_NAGLE_OTHER;
}

void tcp_taken(struct tcp_host *host, struct tcb *tcb, uint32_t len)
{
	assert(len <= tcb->rcv_queued);
	tcb->rcv_queued -= len;
	if (tcp_window_opens(host, tcb) && (tcb->flags & TCB_ESTABLISHED))
		tcb->flags |= TCB_ACK_NOW;
}

/* No more SENDs. In SYN-RECEIVED with text queued the FIN waits for ESTABLISHED. */
int tcp_shutdown(struct tcp_host *host, struct tcb *tcb)
{
	if (tcb->flags & TCB_FIN_QUEUED)
		return -EPIPE;
	tcb->flags |= TCB_FIN_QUEUED;
	if (tcb->state == TCPS_ESTABLISHED ||
	    (tcb->state == TCPS_SYN_RECEIVED && tcb->snd_end == tcb->iss + 1))
		tcp_set_state(host, tcb, TCPS_FIN_WAIT_1);
	else if (tcb->state == TCPS_CLOSE_WAIT)
		tcp_set_state(host, tcb, TCPS_LAST_ACK);
	return 0;
}

void tcp_cork(struct tcb *tcb, bool on)
{
	tcb->flags = on ? tcb->flags | TCB_CORK : tcb->flags & ~(uint32_t)TCB_CORK;
}

int tcp_set_mss(struct tcb *tcb, uint16_t mss)
{
	if (tcb->state != TCPS_SYN_SENT || tcb->snd_nxt != tcb->iss)
		return -EISCONN; /* the peer has been told */
	if (mss < tcb->snd_mss) {
		tcb->snd_mss = mss;
		tcb->flags |= TCB_OWN_MSS;
	}
	return 0;
}

/* What waits for an ACK now waits so long from now on. */
void tcp_set_user_timeout(const struct tcp_host *host, struct tcb *tcb, uint32_t ms)
{
	if (ms == tcb->user_timeout_ms)
		return;
	tcb->user_timeout_ms = ms;
	if (!(tcb->timers & TIMER_USER) && tcb->snd_una == tcb->snd_nxt)
		return;
	tcb->timers = (uint8_t)(ms != 0 ? tcb->timers | TIMER_USER : tcb->timers & ~TIMER_USER);
	tcb->user_tick = tcp_after(host, ms);
}

static void end(struct tcp_host *host, struct tcb *tcb, struct out *out)
{
	out->error = ECONNABORTED;
	tcp_set_state(host, tcb, TCPS_CLOSED);
}

int tcp_close(struct tcp_host *host, struct tcb *tcb, struct out *out)
{
	if (tcb->flags & TCB_ORPHAN)
		return -EALREADY;
	tcb->flags |= TCB_ORPHAN;
	switch ((enum tcp_state)tcb->state) {
	case TCPS_SYN_SENT:
		end(host, tcb, out);
		return 0;
	case TCPS_ESTABLISHED:
	case TCPS_FIN_WAIT_1:
	case TCPS_FIN_WAIT_2:
	case TCPS_CLOSE_WAIT:
		if (tcb->rcv_queued > 0) { /* SHLD-3: the peer learns that text was lost */
			answer_reset(host, tcb, STAT_RST_OUT_UNREAD, out);
			end(host, tcb, out);
			return 0;
		}
		if (tcb->state == TCPS_FIN_WAIT_2 &&
		    ((tcb->flags & TCB_ACK_NOW) || (tcb->timers & TIMER_DELACK)))
			answer_ack(host, tcb, out); /* the record that follows owes nothing */
		break;
	case TCPS_SYN_RECEIVED:
	case TCPS_CLOSING:
	case TCPS_LAST_ACK:
	case TCPS_CLOSED:
	case TCPS_LISTEN:
	case TCPS_TIME_WAIT:
		break;
	}
	if (!(tcb->flags & TCB_FIN_QUEUED))
		tcp_shutdown(host, tcb);
	return 0;
}

void tcp_abort(struct tcp_host *host, struct tcb *tcb, struct out *out)
{
	if (tcb->state != TCPS_SYN_SENT && tcb->state != TCPS_CLOSING && tcb->state != TCPS_LAST_ACK)
		answer_reset(host, tcb, STAT_RST_OUT_ABORT, out);
	end(host, tcb, out);
}

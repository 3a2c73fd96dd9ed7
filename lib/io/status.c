/* SPDX-License-Identifier: BSD-3-Clause */
/* STATUS (RFC 9293 3.10.6): what one connection, half-open or 2MSL record is at (HF-H4), by its id, by its
 * tuple, and for ask.c by its handle. Nothing here changes anything. */
#include <errno.h>
#include <string.h>

#include "io/worker.h"
#include "tcp/answer.h"

void flow_addresses(const struct flow *flow, struct hf_addr *local, struct hf_addr *peer)
{
	local->ip.version = peer->ip.version = flow->version;
	local->port = flow_local_port(flow);
	peer->port = flow_remote_port(flow);
	if (flow->version == 6) {
		memcpy(local->ip.octets, flow->v6.local, 16);
		memcpy(peer->ip.octets, flow->v6.remote, 16);
	} else {
		memcpy(local->ip.octets, &flow->v4.local, 4);
		memcpy(peer->ip.octets, &flow->v4.remote, 4);
	}
}

/* Ticks are told as microseconds of the caller's clock. */
static uint64_t tick_us(const struct hf_worker *w, uint32_t tick)
{
	return (w->host.now_us / 1000 + (uint64_t)(int64_t)(int32_t)(tick - w->host.now_ms)) * 1000;
}

/* Whose deadline tcp_deadline has told. */
static enum hf_timer timer_at(const struct tcb *tcb, uint32_t tick)
{
	if ((tcb->timers & (TIMER_RTX | TIMER_PERSIST)) && tcb->rtx_tick == tick)
		return tcb->timers & TIMER_RTX ? HF_TIMER_RETRANSMIT : HF_TIMER_PERSIST;
	if ((tcb->timers & TIMER_DELACK) && tcb->ack_tick == tick)
		return HF_TIMER_DELACK;
	return (tcb->timers & TIMER_IDLE) && tcb->idle_tick == tick ? HF_TIMER_KEEPALIVE :
								      HF_TIMER_USER;
}

/* The peer's FIN has been taken, and tcb->eof_ms says when. */
static bool at_eof(const struct tcb *tcb)
{
	return tcb->state == TCPS_CLOSE_WAIT || tcb->state == TCPS_CLOSING ||
	       tcb->state == TCPS_LAST_ACK;
}

static void connection_status(const struct hf_worker *w, handle h, struct hf_status *s)
{
	const struct connection *const c = connection_at(w, h);
	const struct tcb *const tcb = &c->tcb;
	uint32_t tick;

	s->state = (enum hf_state)tcb->state;
	s->snd_una = tcb->snd_una;
	s->snd_nxt = tcb->snd_nxt;
	s->snd_wnd = tcb->snd_wnd;
	s->iss = tcb->iss;
	s->rcv_nxt = tcb->rcv_nxt;
	s->rcv_wnd = tcp_rcv_wnd(tcb);
	s->irs = tcb->irs;
	s->unacked = tcb->snd_nxt - tcb->snd_una;
	s->unsent = tcb->flags & TCB_FIN_SENT || tcb->snd_nxt == tcb->iss ?
			    0 :
			    tcb->snd_end - tcb->snd_nxt;
	s->readable = tcb->rcv_queued;
	s->snd_mss = tcb->snd_mss;
	s->soft_error = tcb->soft_error;
	s->srtt_us = tcb->srtt_us;
	s->rto_ms = tcb->rto_ms;
	s->rttvar_us = tcb->rttvar_us;
	s->cwnd = tcb->cwnd;
	s->ssthresh = tcb->ssthresh;
	s->retransmits = tcb->retransmits;
	s->keepalive_probes = tcb->keepalive_probes;
	s->timestamps = tcb->flags & TCB_TS;
	s->sack = tcb->flags & TCB_SACK;
	s->window_scaling = tcb->flags & TCB_WSCALE;
	if (s->window_scaling) {
		s->snd_wscale = tcb->snd_wscale;
		s->rcv_wscale = tcb->rcv_wscale;
	}
	s->shut = tcb->flags & TCB_FIN_QUEUED;
	s->accepted = !(c->flags & CONN_WAITING);
	s->closed = tcb->flags & TCB_ORPHAN;
	if (at_eof(tcb))
		s->eof_us = tick_us(w, tcb->eof_ms);
	if (!(c->flags & CONN_DETACHED) && tcp_deadline(tcb, &tick)) {
		s->deadline_us = tick_us(w, tick);
		s->timer = timer_at(tcb, tick);
	}
}

static void request_status(const struct hf_worker *w, handle h, struct hf_status *s)
{
	const struct request *const rq = request_at(w, h);

	s->state = HF_SYN_RECEIVED;
	s->snd_una = s->iss = rq->iss;
	s->snd_nxt = rq->iss + 1;
	s->snd_wnd = rq->wnd;
	s->irs = rq->irs;
	s->rcv_nxt = rq->irs + 1;
	s->retransmits = rq->retransmits;
	s->timestamps = rq->flags & REQUEST_TS;
	s->sack = rq->flags & REQUEST_SACK;
	s->window_scaling = rq->flags & REQUEST_WSCALE;
	s->snd_wscale = s->window_scaling ? rq->snd_wscale : 0;
	s->snd_mss = rq->mss;
	s->timer = HF_TIMER_RETRANSMIT;
	s->deadline_us = tick_us(w, pools_entry(&w->pools, h)->tick);
}

static void bucket_status(const struct hf_worker *w, handle h, struct hf_status *s)
{
	const struct timewait *const tw = bucket_at(w, h);

	s->state = tw->flags & TW_FIN_WAIT_2 ? HF_FIN_WAIT_2 : HF_TIME_WAIT;
	s->snd_una = s->snd_nxt = tw->snd_nxt;
	s->rcv_nxt = tw->rcv_nxt;
	s->rcv_wnd = (uint32_t)tw->rcv_wnd << tw->rcv_wscale;
	s->timestamps = tw->flags & TW_TS;
	s->shut = s->closed = true;
	s->timer = tw->flags & TW_FIN_WAIT_2 ? HF_TIMER_FIN_WAIT_2 : HF_TIMER_TIME_WAIT;
	s->deadline_us = tick_us(w, pools_entry(&w->pools, h)->tick);
}

void status_of(const struct hf_worker *w, handle h, struct hf_status *s)
{
	struct flow flow;

	*s = (struct hf_status){ .deadline_us = UINT64_MAX };
	entry_flow(w, h, &flow);
	flow_addresses(&flow, &s->local, &s->peer);
	switch (handle_kind(h)) {
	case KIND_CONNECTION:
		connection_status(w, h, s);
		break;
	case KIND_REQUEST:
		request_status(w, h, s);
		break;
	case KIND_BUCKET:
		bucket_status(w, h, s);
		break;
	case KIND_NONE:
		break;
	}
}

int hf_status(const struct hf_worker *w, uint64_t id, struct hf_status *status)
{
	if (connection_find(w, id) == NULL)
		return -EBADF;
	status_of(w, (handle)id, status);
	return 0;
}

int hf_lookup(const struct hf_worker *w, const struct hf_addr *local, const struct hf_addr *peer,
	      struct hf_status *status)
{
	struct flow flow;
	handle h;

	flow_of(local, peer, &flow);
	h = flow_find(&w->flows, flow_hash(&w->secrets, &flow), &flow);
	if (h == HANDLE_NONE)
		return -ENOENT;
	status_of(w, h, status);
	return 0;
}

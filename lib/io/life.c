/* SPDX-License-Identifier: BSD-3-Clause */
/* One thing becomes another: a connection ends, or hands its tuple to a 2MSL record; requests and
 * records go. Table, wheel, pools, port lists and books move together (HF-G6). */
#include <errno.h>

#include "io/recorder.h"

struct connection *connection_begin(struct hf_worker *w, handle h, const struct flow *flow)
{
	struct connection *const c = connection_at(w, h);

	entry_set_flow(w, h, flow);
	c->generation++;
	c->flags = 0;
	c->port_list = 0;
	c->events = 0;
	c->error = 0;
	c->rxq_head = c->rxq_tail = NULL;
	return c;
}

void connection_owe(struct hf_worker *w, handle h, struct connection *c)
{
	if (!(c->flags & CONN_OWED))
		owed_append(w, &w->owed_head, &w->owed_tail, h, c);
}

void connection_raise(struct hf_worker *w, handle h, struct connection *c, uint16_t events)
{
	c->events |= events;
	if (c->flags & CONN_READY)
		return;
	c->flags |= CONN_READY;
	c->ready_next = HANDLE_NONE;
	if (w->ready_head == HANDLE_NONE)
		w->ready_head = h;
	else
		connection_at(w, w->ready_tail)->ready_next = h;
	w->ready_tail = h;
}

/* One wheel entry a connection, moved only when a deadline comes nearer. */
void connection_rearm(struct hf_worker *w, handle h, struct connection *c)
{
	const struct entry *const e = connection_entry(c);
	uint32_t tick;

	if (!tcp_deadline(&c->tcb, &tick))
		return;
	if (!wheel_armed(e))
		wheel_arm(&w->timers, h, tick);
	else if (seq_lt(tick, e->tick))
		wheel_move(&w->timers, h, tick);
}

void accept_remove(struct hf_worker *w, struct connection *c)
{
	struct listener *const l = &w->listeners.at[c->listener];

	if (c->accept.prev == HANDLE_NONE)
		l->accept_head = c->accept.next;
	else
		connection_at(w, c->accept.prev)->accept.next = c->accept.next;
	if (c->accept.next == HANDLE_NONE)
		l->accept_tail = c->accept.prev;
	else
		connection_at(w, c->accept.next)->accept.prev = c->accept.prev;
	l->accept_used--;
	c->flags &= (uint16_t)~CONN_WAITING;
}

void connection_release(struct hf_worker *w, handle h, struct connection *c)
{
	text_drop(w, c);
	if (c->flags & CONN_DETACHED)
		w->detached--;
	if (c->flags & CONN_OWED)
		c->flags |= CONN_DEAD;
	else
		pools_give(&w->pools, h);
}

/* The protocol is done with it: nothing of it is on the wheel or in its send queue. */
static void connection_quiet(struct hf_worker *w, handle h, struct connection *c)
{
	if (wheel_armed(connection_entry(c)))
		wheel_cancel(&w->timers, h);
	sendq_drop(&w->host, &c->tcb);
	if (c->tcb.flags & TCB_ORPHAN)
		w->orphans--;
}

/* The application hears how it ended, and with that it is gone; before hf_accept nobody hears. */
static void connection_finish(struct hf_worker *w, handle h, struct connection *c, int32_t error)
{
	c->error = error;
	c->flags |= CONN_CLOSED;
	if (c->flags & CONN_WAITING) {
		count(w, error == ECONNRESET ? STAT_UNACCEPTED_RESET :
			 error == ETIMEDOUT  ? STAT_UNACCEPTED_TIMEOUT :
					       STAT_UNACCEPTED_ABORTED);
		accept_remove(w, c);
		c->events = 0;
		c->cookie = 0;
		connection_raise(w, h, c, 0);
	} else {
		connection_raise(w, h, c, HF_EV_CLOSED);
	}
}

/* Over for TCP, but the application has not closed it: what it has not read stays (TW-1). */
static void connection_detach(struct hf_worker *w, struct connection *c)
{
	c->flags |= CONN_DETACHED;
	w->detached++;
}

/* The books of DESIGN 2.4: how an attempt failed, or how an established connection ended. */
static void count_end(struct hf_worker *w, const struct tcb *tcb, int32_t error)
{
	const bool established = tcb->flags & TCB_ESTABLISHED;

	switch (error) {
	case 0:
		count(w, STAT_CLOSED);
		return;
	case ECONNREFUSED:
		count(w, STAT_FAILED_REFUSED);
		return;
	case EHOSTUNREACH:
		count(w, STAT_FAILED_UNREACHABLE);
		return;
	case ETIMEDOUT:
		count(w, established ? STAT_LOST_TIMEOUT : STAT_FAILED_TIMEOUT);
		return;
	case ECONNRESET:
		count(w, established ? STAT_LOST_RESET : STAT_FAILED_RESET);
		return;
	default:
		count(w, established ? STAT_LOST_ABORTED : STAT_FAILED_ABORTED);
		return;
	}
}

/* The state is CLOSED. */
static void connection_end(struct hf_worker *w, handle h, struct connection *c,
			   const struct flow *flow, uint64_t hash, int32_t error)
{
	connection_quiet(w, h, c);
	flow_remove(&w->flows, hash, h);
	if (error != 0 && w->recorder != NULL)
		recorder_keep(w, flow, error);
	if (c->port_list != 0)
		ports_return(ports_at(&w->ports, (uint16_t)(c->port_list - 1)),
			     flow_local_port(flow), w->host.now_ms);
	count_end(w, &c->tcb, error);
	if (error == 0 && !(c->tcb.flags & TCB_ORPHAN)) {
		connection_detach(w, c);
		return;
	}
	text_drop(w, c);
	connection_finish(w, h, c, error);
}

/* ---- 2MSL records ----------------------------------------------------------------------------------- */

static struct wheel *bucket_wheel(struct hf_worker *w, handle h)
{
	if (bucket_at(w, h)->flags & TW_FIN_WAIT_2)
		return &w->timers;
	return &w->waits[handle_version(h) == 6];
}

void bucket_drop(struct hf_worker *w, handle h, enum stat why)
{
	const struct timewait *const tw = bucket_at(w, h);
	struct port_list *const list = ports_at(&w->ports, tw->port_list);
	struct flow flow;

	if (wheel_armed(pools_entry(&w->pools, h)))
		wheel_cancel(bucket_wheel(w, h), h);
	if (tw->flags & TW_ACTIVE) {
		entry_flow(w, h, &flow);
		if (tw->flags & TW_FIN_WAIT_2)
			ports_return(list, flow_local_port(&flow), w->host.now_ms);
		else
			ports_release(list, flow_local_port(&flow), w->host.now_ms);
	}
	tcp_level_leave(&w->host, tw->flags & TW_FIN_WAIT_2 ? TCPS_FIN_WAIT_2 : TCPS_TIME_WAIT);
	count(w, why);
	pools_give(&w->pools, h);
}

void bucket_release(struct hf_worker *w, handle h, enum stat why)
{
	struct flow flow;

	entry_flow(w, h, &flow);
	flow_remove(&w->flows, flow_hash(&w->secrets, &flow), h);
	bucket_drop(w, h, why);
}

static void bucket_wait(struct hf_worker *w, handle h)
{
	const struct timewait *const tw = bucket_at(w, h);
	struct flow flow;

	wheel_arm(bucket_wheel(w, h), h, timewait_deadline(&w->host, tw));
	if (tw->flags & TW_FIN_WAIT_2) {
		count(w, STAT_FW2_ENTERED);
		return;
	}
	count(w, STAT_TW_ENTERED);
	if (tw->flags & TW_ACTIVE) {
		entry_flow(w, h, &flow);
		ports_wait(ports_at(&w->ports, tw->port_list), flow_local_port(&flow),
			   w->host.now_ms);
	}
}

void bucket_start(struct hf_worker *w, handle h)
{
	wheel_cancel(&w->timers, h);
	tcp_level_leave(&w->host, TCPS_FIN_WAIT_2);
	tcp_level_enter(&w->host, TCPS_TIME_WAIT);
	count(w, STAT_FW2_FINISHED);
	count(w, STAT_CLOSED);
	bucket_wait(w, h);
}

void bucket_restart(struct hf_worker *w, handle h)
{
	count(w, STAT_TW_RESTARTED);
	wheel_move(bucket_wheel(w, h), h, timewait_deadline(&w->host, bucket_at(w, h)));
}

/* A record for one more; when they have run out, the oldest that is old enough goes (TW-L2). */
static handle bucket_take(struct hf_worker *w, uint8_t version)
{
	const handle h = pools_take(&w->pools, KIND_BUCKET, version);
	handle oldest;

	if (h != HANDLE_NONE || w->config.tcp.tw_overflow == HF_TW_KILL)
		return h;
	oldest = wheel_oldest(&w->waits[version == 6]);
	if (oldest == HANDLE_NONE ||
	    w->host.now_ms - bucket_at(w, oldest)->entered_ms < w->config.tcp.tw_reuse_delay_ms)
		return HANDLE_NONE;
	bucket_release(w, oldest, STAT_TW_EVICTED);
	return pools_take(&w->pools, KIND_BUCKET, version);
}

/* TIME-WAIT, or FIN-WAIT-2 that nobody waits for: the record takes the connection's place in the table
 * with no gap in lookup, and the connection is free but for what the application still holds. */
static void connection_to_bucket(struct hf_worker *w, handle h, struct connection *c,
				 const struct flow *flow, uint64_t hash)
{
	const bool waits = c->tcb.state == TCPS_TIME_WAIT;
	const handle to = bucket_take(w, flow->version);
	struct timewait *tw;

	if (to == HANDLE_NONE) {
		count(w, STAT_TW_OVERFLOW);
		tcp_set_state(&w->host, &c->tcb, TCPS_CLOSED);
		connection_end(w, h, c, flow, hash, 0);
		return;
	}
	connection_quiet(w, h, c);
	entry_set_flow(w, to, flow);
	tw = bucket_at(w, to);
	timewait_enter(&w->host, &c->tcb, tw);
	if (c->port_list != 0) {
		tw->port_list = (uint16_t)(c->port_list - 1);
		tw->flags |= TW_ACTIVE;
	}
	flow_replace(&w->flows, hash, h, to);
	bucket_wait(w, to);
	if (waits)
		count(w, STAT_CLOSED);
	if (c->tcb.flags & TCB_ORPHAN)
		connection_finish(w, h, c, 0);
	else
		connection_detach(w, c);
}

/* ---- Requests --------------------------------------------------------------------------------------- */

void request_release(struct hf_worker *w, handle h, enum stat why)
{
	struct flow flow;

	entry_flow(w, h, &flow);
	if (wheel_armed(pools_entry(&w->pools, h)))
		wheel_cancel(&w->timers, h);
	flow_remove(&w->flows, flow_hash(&w->secrets, &flow), h);
	w->listeners.at[request_at(w, h)->listener].backlog_used--;
	tcp_level_leave(&w->host, TCPS_SYN_RECEIVED);
	count(w, why);
	pools_give(&w->pools, h);
}

/* ---- After the protocol has spoken ------------------------------------------------------------------- */

_Static_assert((int)TCP_EV_CONNECTED == HF_EV_CONNECTED && (int)TCP_EV_READABLE == HF_EV_READABLE &&
		       (int)TCP_EV_EOF == HF_EV_EOF && (int)TCP_EV_WRITABLE == HF_EV_WRITABLE &&
		       (int)TCP_EV_SENT == HF_EV_SENT && (int)TCP_EV_SUSPECT == HF_EV_SUSPECT,
	       "the protocol's events are the application's");

/* Whether the connection has no place in the table any more: it is over, or a record takes over. */
static bool leaves_table(const struct tcb *tcb)
{
	return tcb->state == TCPS_CLOSED || tcb->state == TCPS_TIME_WAIT ||
	       (tcb->state == TCPS_FIN_WAIT_2 && (tcb->flags & TCB_ORPHAN));
}

void connection_settle(struct hf_worker *w, handle h, struct connection *c, const struct flow *flow,
		       uint64_t hash, const struct out *out)
{
	if (out->answers > 0)
		emit_answers(w, flow, out);
	if (out->events != 0 && !(c->tcb.flags & TCB_ORPHAN))
		connection_raise(w, h, c, (uint16_t)out->events);
	if (!leaves_table(&c->tcb))
		connection_owe(w, h, c);
	else if (c->tcb.state == TCPS_CLOSED)
		connection_end(w, h, c, flow, hash, out->error);
	else
		connection_to_bucket(w, h, c, flow, hash);
}

void connection_after(struct hf_worker *w, handle h, struct connection *c, const struct out *out)
{
	struct flow flow;
	uint64_t hash = 0;

	entry_flow(w, h, &flow);
	if (leaves_table(&c->tcb))
		hash = flow_hash(&w->secrets, &flow);
	connection_settle(w, h, c, &flow, hash, out);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What an arrived segment comes to, by what its flow leads to: a connection, a 2MSL record, a request,
 * or nothing (RFC 9293 3.10.7). Each frame ends in one fate counter (HF-G1). */
#include "io/worker.h"

static void count_flags(struct hf_worker *w, const struct seg *seg)
{
	const uint8_t syn_ack = seg->flags & (SEG_SYN | SEG_ACK);

	if (syn_ack == SEG_SYN)
		count(w, STAT_SYN_IN);
	else if (syn_ack == (SEG_SYN | SEG_ACK))
		count(w, STAT_SYNACK_IN);
}

static void connection_arrival(struct hf_worker *w, handle h, struct arrival *a)
{
	struct connection *const c = connection_at(w, h);
	const struct flow flow = a->in.flow;
	struct out out;

	out_init(&out);
	tcp_input(&w->host, &c->tcb, &a->in.seg, &out);
	if (out.text) {
		text_receive(w, c, a->m, a->in.text_offset + out.text_skip, out.text_len);
		a->m = NULL;
	}
	count(w, STAT_RX_CONSUMED);
	connection_settle(w, h, &flow, a->hash, &out);
}

/* ---- LISTEN (3.10.7.2) ------------------------------------------------------------------------- */

/* A SYN that a limit refuses: nothing is said, the peer will ask again. */
static void refuse_syn(struct hf_worker *w, enum stat why)
{
	count(w, why);
	count(w, STAT_RX_DROP_NO_ROOM);
}

/* A half-open for this SYN, not in the table yet. */
static handle request_make(struct hf_worker *w, int listener, const struct arrival *a, uint32_t iss,
			   struct out *out)
{
	const handle h = pools_take(&w->pools, KIND_REQUEST, a->in.flow.version);
	struct request *rq;

	if (h == HANDLE_NONE)
		return h;
	entry_set_flow(w, h, &a->in.flow);
	rq = request_at(w, h);
	request_open(&w->host, rq, &a->in.seg, a->in.flow.version, iss,
		     ts_offset(&w->secrets, &a->in.flow), out);
	rq->listener = (uint16_t)listener;
	return h;
}

static void request_begin(struct hf_worker *w, handle h, int listener, const struct arrival *a,
			  const struct out *out)
{
	w->listeners.at[listener].backlog_used++;
	wheel_arm(&w->timers, h, request_deadline(&w->host, request_at(w, h)));
	count(w, STAT_RX_CONSUMED);
	emit_answers(w, &a->in.flow, out);
}

/* Whether the listener takes one more half-open (HF-B1 to HF-B3). */
static bool listener_has_room(struct hf_worker *w, const struct listener *l)
{
	if (l->accept_used >= w->config.tcp.accept_queue) {
		refuse_syn(w, STAT_ACCEPT_OVERFLOW);
		return false;
	}
	if (l->backlog_used >= w->config.tcp.syn_backlog) {
		refuse_syn(w, STAT_SYN_BACKLOG_DROP);
		return false;
	}
	return true;
}

static void listen_arrival(struct hf_worker *w, int listener, struct arrival *a)
{
	struct out out;
	handle h;

	out_init(&out);
	if (!listener_has_room(w, &w->listeners.at[listener]))
		return;
	h = request_make(w, listener, a, iss_generate(&w->secrets, &a->in.flow, w->host.now_us),
			 &out);
	if (h == HANDLE_NONE) {
		refuse_syn(w, STAT_CONN_LIMIT);
		return;
	}
	if (flow_insert(&w->flows, a->hash, h) != 0) {
		tcp_level_leave(&w->host, TCPS_SYN_RECEIVED);
		w->stats[STAT_REQUEST_OPENED]--;
		pools_give(&w->pools, h);
		refuse_syn(w, STAT_TABLE_FULL);
		return;
	}
	request_begin(w, h, listener, a, &out);
}

/* No connection: a listener's, or the RST of 3.10.7.1 within its budget (HF-RL4). */
static void stranger_arrival(struct hf_worker *w, struct arrival *a)
{
	const int listener = listen_find(&w->listeners, &a->in.flow);
	struct out out;

	out_init(&out);
	if (listener >= 0) {
		switch (input_listen(&a->in.seg, &out)) {
		case LISTEN_REQUEST:
			listen_arrival(w, listener, a);
			return;
		case LISTEN_DROP:
			count(w, a->in.seg.flags & SEG_RST ? STAT_RX_DROP_NO_LISTENER :
							     STAT_RX_DROP_FLAGS);
			return;
		case LISTEN_ANSWER:
			break;
		}
	} else {
		input_closed(&a->in.seg, &out);
		if (out.answers == 0) {
			count(w, STAT_RX_DROP_NO_LISTENER);
			return;
		}
	}
	if (!budget_take(&w->rst_budget, w->host.now_ms)) {
		count(w, STAT_RST_SUPPRESSED);
		count(w, STAT_RX_DROP_BUDGET);
		return;
	}
	count(w, listener >= 0 ? STAT_RST_OUT_BAD_ACK : STAT_RST_OUT_CLOSED);
	count(w, emit_segment(w, &a->in.flow, &out.answer[0], NULL) ? STAT_RX_ANSWERED :
								      STAT_RX_DROP_NO_MBUF);
}

/* ---- SYN-RECEIVED from LISTEN -------------------------------------------------------------------- */

static void accept_append(struct hf_worker *w, handle h, struct connection *c)
{
	struct listener *const l = &w->listeners.at[c->listener];

	c->flags |= CONN_WAITING;
	c->accept.next = HANDLE_NONE;
	c->accept.prev = l->accept_tail;
	if (l->accept_tail == HANDLE_NONE)
		l->accept_head = h;
	else
		connection_at(w, l->accept_tail)->accept.next = h;
	l->accept_tail = h;
	l->accept_used++;
}

/* The last ACK, while nobody accepts: dropped, so that the peer's next segment asks again (HF-B3). */
static void accept_overflow(struct hf_worker *w, handle h, const struct arrival *a)
{
	struct out out;

	count(w, STAT_ACCEPT_OVERFLOW);
	if (!w->config.tcp.abort_on_overflow) {
		count(w, STAT_RX_DROP_NO_ROOM);
		return;
	}
	out_init(&out);
	input_closed(&a->in.seg, &out);
	count(w, STAT_RST_OUT_LIMIT);
	count(w, STAT_RX_CONSUMED);
	emit_answers(w, &a->in.flow, &out);
	request_release(w, h, STAT_REQUEST_OVERFLOW);
}

/* The handshake is over: the request's place in the table goes to a connection, and the segment to it. */
static void request_promotion(struct hf_worker *w, handle h, struct arrival *a)
{
	const struct request *const rq = request_at(w, h);
	const uint16_t listener = rq->listener;
	struct connection *c;
	handle to;

	if (w->listeners.at[listener].accept_used >= w->config.tcp.accept_queue) {
		accept_overflow(w, h, a);
		return;
	}
	to = pools_take(&w->pools, KIND_CONNECTION, a->in.flow.version);
	if (to == HANDLE_NONE) {
		refuse_syn(w, STAT_CONN_LIMIT);
		return;
	}
	c = connection_begin(w, to, &a->in.flow);
	c->listener = listener;
	request_promote(&w->host, rq, &c->tcb);
	flow_replace(&w->flows, a->hash, h, to);
	wheel_cancel(&w->timers, h);
	pools_give(&w->pools, h);
	w->listeners.at[listener].backlog_used--;
	count(w, STAT_REQUEST_ESTABLISHED);
	accept_append(w, to, c);
	connection_raise(w, to, HF_EV_ACCEPT);
	connection_arrival(w, to, a);
}

static void request_arrival(struct hf_worker *w, handle h, struct arrival *a)
{
	struct out out;

	out_init(&out);
	switch (request_input(&w->host, request_at(w, h), &a->in.seg, &out)) {
	case REQUEST_PROMOTE:
		request_promotion(w, h, a);
		return;
	case REQUEST_FREE:
		request_release(w, h, STAT_REQUEST_RESET);
		break;
	case REQUEST_KEEP:
		break;
	}
	count(w, STAT_RX_CONSUMED);
	emit_answers(w, &a->in.flow, &out);
}

/* ---- TIME-WAIT and orphaned FIN-WAIT-2 --------------------------------------------------------------- */

/* The peer opens the tuple anew (TW-P1 to TW-P8): a request takes the record's place in the table. */
static void bucket_reopen(struct hf_worker *w, handle h, int listener, struct arrival *a)
{
	struct out out;
	handle to;

	out_init(&out);
	if (!listener_has_room(w, &w->listeners.at[listener])) {
		count(w, STAT_TW_REFUSED_NO_ROOM);
		return;
	}
	to = request_make(w, listener, a, timewait_iss(bucket_at(w, h)), &out);
	if (to == HANDLE_NONE) {
		count(w, STAT_TW_REFUSED_NO_ROOM);
		refuse_syn(w, STAT_CONN_LIMIT);
		return;
	}
	flow_replace(&w->flows, a->hash, h, to);
	bucket_drop(w, h, STAT_TW_REUSED_PASSIVE);
	request_begin(w, to, listener, a, &out);
}

static void bucket_free(struct hf_worker *w, handle h, const struct seg *seg)
{
	if (!(bucket_at(w, h)->flags & TW_FIN_WAIT_2)) {
		bucket_release(w, h, STAT_TW_RESET);
		return;
	}
	count(w, seg->flags & SEG_RST ? STAT_LOST_RESET : STAT_LOST_ABORTED);
	bucket_release(w, h, STAT_FW2_RESET);
}

static void bucket_arrival(struct hf_worker *w, handle h, struct arrival *a)
{
	const bool syn = (a->in.seg.flags & (SEG_SYN | SEG_ACK | SEG_RST)) == SEG_SYN;
	const int listener = syn ? listen_find(&w->listeners, &a->in.flow) : -1;
	struct out out;

	out_init(&out);
	switch (timewait_input(&w->host, bucket_at(w, h), &a->in.seg, listener >= 0, &out)) {
	case TW_REOPEN:
		bucket_reopen(w, h, listener, a);
		return;
	case TW_RESTART:
		bucket_restart(w, h);
		break;
	case TW_START:
		bucket_start(w, h);
		break;
	case TW_FREE:
		bucket_free(w, h, &a->in.seg);
		break;
	case TW_KEEP:
		break;
	}
	count(w, STAT_RX_CONSUMED);
	emit_answers(w, &a->in.flow, &out);
}

/* A key for TCP-MD5 or TCP-AO is never set: what is signed is not for us (HF-O5). */
void arrival_segment(struct hf_worker *w, struct arrival *a)
{
	handle h;

	count_flags(w, &a->in.seg);
	if (a->in.opt_bad)
		count(w, STAT_OPT_BAD);
	if (a->in.seg.options & OPT_AUTH) {
		count(w, STAT_RX_DROP_AUTH);
		return;
	}
	h = flow_find(&w->flows, a->hash, &a->in.flow);
	switch (handle_kind(h)) {
	case KIND_CONNECTION:
		connection_arrival(w, h, a);
		break;
	case KIND_BUCKET:
		bucket_arrival(w, h, a);
		break;
	case KIND_REQUEST:
		request_arrival(w, h, a);
		break;
	case KIND_NONE:
		stranger_arrival(w, a);
		break;
	}
}

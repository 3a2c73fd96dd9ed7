/* SPDX-License-Identifier: BSD-3-Clause */
/* A listener's segments: SYNs become requests or cookies, requests become connections that wait to be
 * accepted (RFC 9293 3.10.7.2, RFC 4987; rows HF-B1 to HF-B4); and strangers draw the RST of 3.10.7.1. */
#include "io/worker.h"

/* A SYN that a limit refuses: nothing is said, the peer will ask again. */
void refuse_syn(struct hf_worker *w, enum stat why)
{
	count(w, why);
	count(w, STAT_RX_DROP_NO_ROOM);
}

static uint16_t listener_mss(const struct hf_worker *w, const struct listener *l, uint8_t version)
{
	const uint16_t ours = w->host.config.mss[version == 6];

	return l->mss != 0 && l->mss < ours ? l->mss : ours;
}

/* A half-open for this SYN, not in the table yet. */
handle request_make(struct hf_worker *w, int listener, const struct arrival *a, uint32_t iss,
		    struct out *out)
{
	const handle h = pools_take(&w->pools, KIND_REQUEST, a->in.flow.version);
	struct request *rq;

	if (h == HANDLE_NONE)
		return h;
	entry_set_flow(w, h, &a->in.flow);
	rq = request_at(w, h);
	request_open(&w->host, rq, &a->in.seg, a->in.flow.version,
		     listener_mss(w, &w->listeners.at[listener], a->in.flow.version), iss,
		     ts_offset(&w->secrets, &a->in.flow), out);
	rq->listener = (uint16_t)listener;
	return h;
}

/* ... which found no place there. */
COLD static void request_unmake(struct hf_worker *w, handle h)
{
	tcp_level_leave(&w->host, TCPS_SYN_RECEIVED);
	w->stats[STAT_REQUEST_OPENED]--;
	pools_give(&w->pools, h);
}

void request_begin(struct hf_worker *w, handle h, int listener, const struct arrival *a,
		   const struct out *out)
{
	w->listeners.at[listener].backlog_used++;
	wheel_arm(&w->timers, h, request_deadline(&w->host, request_at(w, h)));
	count(w, STAT_RX_CONSUMED);
	emit_answers(w, &a->in.flow, out);
}

static bool queue_is_full(const struct hf_worker *w, const struct listener *l)
{
	return l->accept_used >= w->config.tcp.accept_queue;
}

bool listener_is_full(struct hf_worker *w, const struct listener *l)
{
	if (!queue_is_full(w, l))
		return false;
	refuse_syn(w, STAT_ACCEPT_OVERFLOW);
	return true;
}

/* No room for a half-open: the answer has to say all there is to remember (RFC 4987 3.6), or none goes. */
COLD static void send_cookie(struct hf_worker *w, struct listener *l, struct arrival *a, enum stat why)
{
	const struct seg *const syn = &a->in.seg;
	const struct flow *const flow = &a->in.flow;
	const uint16_t our_mss = listener_mss(w, l, flow->version);
	struct out out;
	uint32_t iss;

	if (w->config.tcp.syncookies == 0) {
		refuse_syn(w, why);
		return;
	}
	out_init(&out);
	iss = cookie_make(&w->secrets, flow, syn->seq,
			  syn_mss(&w->host, syn, flow->version, our_mss), w->host.now_us);
	request_cookie(&w->host, syn, flow->version, our_mss, iss, ts_offset(&w->secrets, flow),
		       &out);
	l->cookies = true;
	l->cookie_ms = w->host.now_ms;
	count(w, STAT_COOKIE_SENT);
	count(w, emit_segment(w, flow, &out.answer[0], NULL) ? STAT_RX_ANSWERED :
							       STAT_RX_DROP_NO_MBUF);
}

static void listen_arrival(struct hf_worker *w, int listener, struct arrival *a)
{
	struct listener *const l = &w->listeners.at[listener];
	struct out out;
	handle h;

	if (listener_is_full(w, l))
		return;
	if (l->backlog_used >= w->config.tcp.syn_backlog || w->config.tcp.syncookies == 2) {
		send_cookie(w, l, a, STAT_SYN_BACKLOG_DROP);
		return;
	}
	out_init(&out);
	h = request_make(w, listener, a, iss_generate(&w->secrets, &a->in.flow, w->host.now_us),
			 &out);
	if (h == HANDLE_NONE) {
		send_cookie(w, l, a, STAT_CONN_LIMIT);
		return;
	}
	if (flow_insert(&w->flows, a->hash, h) != 0) {
		request_unmake(w, h);
		refuse_syn(w, STAT_TABLE_FULL);
		return;
	}
	request_begin(w, h, listener, a, &out);
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

/* The last ACK, while nobody accepts: dropped, so that the peer's next segment asks again (HF-B3).
 * @param h  the half-open; HANDLE_NONE where a cookie stands for it */
COLD static void accept_overflow(struct hf_worker *w, handle h, const struct arrival *a)
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
	if (h != HANDLE_NONE)
		request_release(w, h, STAT_REQUEST_OVERFLOW);
}

/* The handshake is over: a TCB in SYN-RECEIVED, to which the same segment goes next. HANDLE_NONE: no room */
static handle promote(struct hf_worker *w, const struct request *rq, uint16_t listener,
		      const struct arrival *a)
{
	const handle h = pools_take(&w->pools, KIND_CONNECTION, a->in.flow.version);
	struct connection *c;

	if (h == HANDLE_NONE) {
		refuse_syn(w, STAT_CONN_LIMIT);
		return h;
	}
	c = connection_begin(w, h, &a->in.flow);
	c->listener = listener;
	request_promote(&w->host, rq, &c->tcb);
	return h;
}

static void promoted(struct hf_worker *w, handle h, struct arrival *a)
{
	struct connection *const c = connection_at(w, h);

	accept_append(w, h, c);
	connection_raise(w, h, c, HF_EV_ACCEPT);
	connection_arrival(w, h, c, a);
}

/* The request's place in the table goes to the connection. */
static void request_promotion(struct hf_worker *w, handle h, struct arrival *a)
{
	const struct request *const rq = request_at(w, h);
	struct listener *const l = &w->listeners.at[rq->listener];
	handle to;

	if (queue_is_full(w, l)) {
		accept_overflow(w, h, a);
		return;
	}
	to = promote(w, rq, rq->listener, a);
	if (to == HANDLE_NONE)
		return;
	flow_replace(&w->flows, a->hash, h, to);
	wheel_cancel(&w->timers, h);
	pools_give(&w->pools, h);
	l->backlog_used--;
	count(w, STAT_REQUEST_ESTABLISHED);
	promoted(w, to, a);
}

/* An ACK for a listener that has sent cookies of late: it may bring one back (RFC4987-cookie1, -cookie3).
 * @return whether it was one */
static bool cookie_arrival(struct hf_worker *w, int listener, struct arrival *a)
{
	struct listener *const l = &w->listeners.at[listener];
	const struct seg *const seg = &a->in.seg;
	const struct flow *const flow = &a->in.flow;
	struct request rq;
	uint16_t mss;
	handle h;

	if (l->cookies && w->host.now_ms - l->cookie_ms >= COOKIE_LIFE_MS)
		l->cookies = false;
	if (!l->cookies || (seg->flags & SEG_SYN))
		return false;
	count(w, STAT_COOKIE_CHECKED);
	if (!cookie_check(&w->secrets, flow, seg->seq - 1, seg->ack - 1, w->host.now_us, &mss)) {
		count(w, STAT_COOKIE_BAD);
		return false;
	}
	if (cookie_used(&w->cookies, a->hash, seg->ack - 1, w->host.now_us)) {
		count(w, STAT_COOKIE_REPLAYED);
		return false;
	}
	count(w, STAT_COOKIE_OK);
	if (queue_is_full(w, l)) {
		accept_overflow(w, HANDLE_NONE, a);
		return true;
	}
	mss = syn_mss(&w->host, &(struct seg){ .options = OPT_MSS, .mss = mss }, flow->version,
		      listener_mss(w, l, flow->version));
	request_recall(&w->host, &rq, seg, flow->version, mss, ts_offset(&w->secrets, flow));
	h = promote(w, &rq, (uint16_t)listener, a);
	if (h == HANDLE_NONE || flow_insert(&w->flows, a->hash, h) != 0) {
		tcp_level_leave(&w->host, TCPS_SYN_RECEIVED);
		if (h != HANDLE_NONE) {
			pools_give(&w->pools, h);
			refuse_syn(w, STAT_TABLE_FULL);
		}
		return true;
	}
	if (cookie_use(&w->cookies, a->hash, seg->ack - 1, w->host.now_us))
		count(w, STAT_COOKIE_FORGOTTEN);
	promoted(w, h, a);
	return true;
}

void request_arrival(struct hf_worker *w, handle h, struct arrival *a)
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

/* ---- No connection ------------------------------------------------------------------------ */

/* No connection: a listener's, or the RST of 3.10.7.1 within its budget (HF-RL4). */
void stranger_arrival(struct hf_worker *w, struct arrival *a)
{
	int listener;
	struct out out;

	if (__builtin_expect(w->hashed, 0) && steer_stranger(w, a))
		return;
	listener = listen_find(&w->listeners, &a->in.flow);
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
			if (cookie_arrival(w, listener, a))
				return;
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

/* SPDX-License-Identifier: BSD-3-Clause */
/* What the application may ask of a listener or a connection (RFC 9293 3.10.1 to 3.10.6; Table U).
 * hf_connect stands in connect.c. */
#include <errno.h>

#include "io/recorder.h"

struct connection *connection_find(const struct hf_worker *w, uint64_t id)
{
	const handle h = (handle)id;
	struct connection *c;

	if (handle_kind(h) != KIND_CONNECTION || !pools_hold(&w->pools, h))
		return NULL;
	c = connection_at(w, h);
	if (c->generation != (uint32_t)(id >> 32) ||
	    (c->flags & (CONN_CLOSED | CONN_DEAD | CONN_WAITING)))
		return NULL;
	return c;
}

static bool all_zero(const struct hf_ip *ip)
{
	static const struct hf_ip zero;

	return memcmp(ip->octets, zero.octets, sizeof(ip->octets)) == 0;
}

void flow_of(const struct hf_addr *local, const struct hf_addr *peer, struct flow *flow)
{
	memset(flow, 0, sizeof(*flow));
	flow->version = local->ip.version;
	if (flow->version == 6) {
		memcpy(flow->v6.local, local->ip.octets, 16);
		memcpy(flow->v6.remote, peer->ip.octets, 16);
		flow->v6.local_port = local->port;
		flow->v6.remote_port = peer->port;
	} else {
		memcpy(&flow->v4.local, local->ip.octets, 4);
		memcpy(&flow->v4.remote, peer->ip.octets, 4);
		flow->v4.local_port = local->port;
		flow->v4.remote_port = peer->port;
	}
}

bool worker_owns(const struct hf_worker *w, const struct hf_ip *ip)
{
	for (uint32_t i = 0; i < w->config.locals; i++) {
		const struct hf_ip_range *const range = &w->config.local[i];
		const unsigned octets = ip->version == 6 ? 16 : 4;
		uint64_t apart = 0;

		if (range->first.version != ip->version)
			continue;
		for (unsigned k = 0; k < octets; k++) /* modulo 2^64: ranges do not leave their /64 */
			apart = (apart << 8) + ip->octets[k] - range->first.octets[k];
		if (octets == 16 && memcmp(ip->octets, range->first.octets, 8) != 0)
			continue;
		if (apart < range->count)
			return true;
	}
	return false;
}

int hf_listen(struct hf_worker *w, const struct hf_addr *local, uint64_t cookie, uint32_t *listener)
{
	const bool any = all_zero(&local->ip);
	struct flow flow;
	int index;

	if ((local->ip.version != 4 && local->ip.version != 6) || local->port == 0)
		return -EINVAL;
	if (!any && !worker_owns(w, &local->ip))
		return -EADDRNOTAVAIL;
	flow_of(local, local, &flow);
	index = listen_add(&w->listeners, &flow, any, cookie);
	if (index < 0)
		return index;
	tcp_level_enter(&w->host, TCPS_LISTEN);
	*listener = (uint32_t)index;
	return 0;
}

bool listener_is(const struct hf_worker *w, uint32_t listener)
{
	return listener < w->listeners.size && w->listeners.at[listener].used;
}

/* HF-OP5: half-opens vanish without a word. They are sought where they lie, not in the table of all flows. */
static void drop_requests(struct hf_worker *w, uint32_t listener)
{
	const struct listener *const l = &w->listeners.at[listener];
	const struct pool *const pool = pools_pool(&w->pools, KIND_REQUEST, l->version);

	for (uint32_t i = 0; i < pool->peak && l->backlog_used > 0; i++) {
		const handle h = pool_nth(pool, i);

		if (pools_entry(&w->pools, h)->prev != ENTRY_FREE &&
		    request_at(w, h)->listener == listener)
			request_release(w, h, STAT_REQUEST_UNLISTENED);
	}
}

static void abort_connection(struct hf_worker *w, handle h, struct connection *c)
{
	struct out out;

	out_init(&out);
	tcp_abort(&w->host, &c->tcb, &out);
	connection_after(w, h, c, &out);
}

/* TIME-WAIT or CLOSED, and now the application lets go as well. */
static void close_detached(struct hf_worker *w, handle h, struct connection *c)
{
	text_drop(w, c);
	c->flags |= CONN_CLOSED;
	connection_raise(w, h, c, HF_EV_CLOSED);
}

int hf_unlisten(struct hf_worker *w, uint32_t listener)
{
	handle h;

	if (!listener_is(w, listener))
		return -EBADF;
	drop_requests(w, listener);
	while ((h = w->listeners.at[listener].accept_head) != HANDLE_NONE)
		abort_connection(w, h, connection_at(w, h));
	listen_remove(&w->listeners, (int)listener);
	tcp_level_leave(&w->host, TCPS_LISTEN);
	return 0;
}

int hf_accept(struct hf_worker *w, uint32_t listener, uint64_t cookie, uint64_t *id)
{
	struct connection *c;
	handle h;

	if (!listener_is(w, listener))
		return -EBADF;
	h = w->listeners.at[listener].accept_head;
	if (h == HANDLE_NONE)
		return -EAGAIN;
	c = connection_at(w, h);
	accept_remove(w, c);
	c->cookie = cookie;
	c->events &= (uint16_t)~HF_EV_ACCEPT;
	if (c->events != 0)
		connection_raise(w, h, c, 0); /* what came after HF_EV_ACCEPT was told */
	record_call(w, h, HF_RECORD_ACCEPT);
	count(w, STAT_ACCEPTED);
	*id = connection_id(c, h);
	return 0;
}

int connection_sending(const struct hf_worker *w, uint64_t id, struct connection **c)
{
	*c = connection_find(w, id);
	if (*c == NULL || ((*c)->tcb.flags & TCB_ORPHAN))
		return -EBADF;
	return (*c)->flags & CONN_DETACHED ? -EPIPE : 0;
}

/* Where nothing is on its way no acknowledgement will tell of room: ranges or mbufs had run out, and the
 * next turn is as good as any to ask again. */
void connection_sent(struct hf_worker *w, uint64_t id, struct connection *c, ssize_t taken)
{
	struct tcb *const tcb = &c->tcb;

	record_call(w, (handle)id, HF_RECORD_SEND);
	if (taken > 0) {
		connection_owe(w, (handle)id, c);
	} else if ((tcb->flags & TCB_WANT_WRITE) && tcb->sndq_head == RANGE_NONE) {
		tcb->flags &= ~(uint32_t)TCB_WANT_WRITE;
		connection_raise(w, (handle)id, c, HF_EV_WRITABLE);
	}
}

ssize_t hf_send(struct hf_worker *w, uint64_t id, const void *text, size_t len)
{
	struct connection *c;
	ssize_t taken = connection_sending(w, id, &c);

	if (taken < 0)
		return taken;
	taken = text_queue(w, &c->tcb, text, len);
	connection_sent(w, id, c, taken);
	return taken;
}

int hf_nagle(struct hf_worker *w, uint64_t id, bool on)
{
	struct connection *c;
	const int rc = connection_sending(w, id, &c);

	if (rc != 0)
		return rc == -EPIPE ? 0 : rc; /* nothing will be sent any more */
	tcp_nagle(&w->host, &c->tcb, on);
	connection_owe(w, (handle)id, c); /* what it held back may go */
	return 0;
}

static bool at_end(const struct connection *c)
{
	switch ((enum tcp_state)c->tcb.state) {
	case TCPS_CLOSE_WAIT:
	case TCPS_CLOSING:
	case TCPS_LAST_ACK:
	case TCPS_TIME_WAIT:
	case TCPS_CLOSED:
		return true;
	case TCPS_LISTEN:
	case TCPS_SYN_SENT:
	case TCPS_SYN_RECEIVED:
	case TCPS_ESTABLISHED:
	case TCPS_FIN_WAIT_1:
	case TCPS_FIN_WAIT_2:
		return false;
	}
	return false;
}

ssize_t connection_waiting(const struct hf_worker *w, uint64_t id, struct connection **c)
{
	*c = connection_find(w, id);
	if (*c == NULL || ((*c)->tcb.flags & TCB_ORPHAN))
		return -EBADF;
	if ((*c)->tcb.rcv_queued == 0)
		return at_end(*c) ? 0 : -EAGAIN;
	return (*c)->tcb.rcv_queued;
}

void connection_taken(struct hf_worker *w, handle h, struct connection *c, size_t taken)
{
	record_call(w, h, HF_RECORD_RECV);
	if (c->flags & CONN_DETACHED) {
		c->tcb.rcv_queued -= (uint32_t)taken;
		return;
	}
	tcp_taken(&w->host, &c->tcb, (uint32_t)taken);
	if (c->tcb.flags & TCB_ACK_NOW)
		connection_owe(w, h, c);
}

ssize_t hf_recv(struct hf_worker *w, uint64_t id, void *text, size_t room)
{
	struct connection *c;
	const ssize_t waiting = connection_waiting(w, id, &c);
	size_t taken;

	if (waiting <= 0)
		return waiting;
	taken = text_take(w, c, text, room);
	connection_taken(w, (handle)id, c, taken);
	return (ssize_t)taken;
}

ssize_t hf_peek(struct hf_worker *w, uint64_t id, void *text, size_t room)
{
	struct connection *c;
	const ssize_t waiting = connection_waiting(w, id, &c);

	return waiting > 0 ? (ssize_t)text_peek(c, text, room) : waiting;
}

int hf_shutdown(struct hf_worker *w, uint64_t id)
{
	struct connection *const c = connection_find(w, id);
	int rc;

	if (c == NULL || (c->tcb.flags & TCB_ORPHAN))
		return -EBADF;
	if (c->flags & CONN_DETACHED)
		return -EPIPE;
	record_call(w, (handle)id, HF_RECORD_SHUTDOWN);
	rc = tcp_shutdown(&w->host, &c->tcb);
	if (rc == 0)
		connection_owe(w, (handle)id, c);
	return rc;
}

/* CLOSE makes an orphan; one too many is reset instead (HF-LA2). */
static int close_or_reset(struct hf_worker *w, struct tcb *tcb, struct out *out)
{
	int rc;

	if (w->config.tcp.max_orphans != 0 && w->orphans >= w->config.tcp.max_orphans &&
	    !(tcb->flags & TCB_ORPHAN)) {
		count(w, STAT_ORPHAN_OVERFLOW);
		tcp_abort(&w->host, tcb, out);
		return 0;
	}
	rc = tcp_close(&w->host, tcb, out);
	if (rc == 0) {
		count(w, STAT_ORPHANS);
		w->orphans++;
	}
	return rc;
}

int hf_close(struct hf_worker *w, uint64_t id)
{
	struct connection *const c = connection_find(w, id);
	const handle h = (handle)id;
	struct out out;
	int rc;

	if (c == NULL)
		return -EBADF;
	if (c->flags & CONN_DETACHED) {
		close_detached(w, h, c);
		return 0;
	}
	record_call(w, h, HF_RECORD_CLOSE);
	out_init(&out);
	rc = close_or_reset(w, &c->tcb, &out);
	if (rc != 0)
		return rc;
	c->events = 0;
	text_drop(w, c);
	connection_after(w, h, c, &out);
	return 0;
}

int hf_abort(struct hf_worker *w, uint64_t id)
{
	struct connection *const c = connection_find(w, id);

	if (c == NULL)
		return -EBADF;
	record_call(w, (handle)id, HF_RECORD_ABORT);
	if (c->flags & CONN_DETACHED)
		close_detached(w, (handle)id, c);
	else
		abort_connection(w, (handle)id, c);
	return 0;
}

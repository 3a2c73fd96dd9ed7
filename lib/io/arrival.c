/* SPDX-License-Identifier: BSD-3-Clause */
/* What an arrived segment comes to, by what its flow leads to: a connection, a 2MSL record, or what
 * passive.c takes (RFC 9293 3.10.7). Each frame ends in one fate counter (HF-G1). */
#include "io/worker.h"

static void count_flags(struct hf_worker *w, const struct seg *seg)
{
	const uint8_t syn_ack = seg->flags & (SEG_SYN | SEG_ACK);

	if (syn_ack == SEG_SYN)
		count(w, STAT_SYN_IN);
	else if (syn_ack == (SEG_SYN | SEG_ACK))
		count(w, STAT_SYNACK_IN);
	if (unlikely(seg->flags & SEG_URG))
		count(w, STAT_URGENT_IN);
}

void connection_arrival(struct hf_worker *w, handle h, struct connection *c, struct arrival *a)
{
	struct out out;

	out_init(&out);
	text_spare(w);
	if (unlikely(c->tcb.held != RANGE_NONE))
		text_own(w, a);
	tcp_input(&w->host, &c->tcb, &a->in.seg, &out);
	if (out.text) {
		text_receive(w, c, a->m, a->in.text_offset + out.text_skip, out.text_len);
		a->m = NULL;
	} else if (out.hold != RANGE_NONE) {
		text_hold(w, c, &out, a->m, a->in.text_offset);
		a->m = NULL;
	}
	if (out.join != RANGE_NONE)
		text_join(w, c, out.join);
	count(w, STAT_RX_CONSUMED);
	connection_settle(w, h, c, &a->in.flow, a->hash, &out);
}

/* ---- TIME-WAIT and orphaned FIN-WAIT-2 --------------------------------------------------------------- */

/* The peer opens the tuple anew (TW-P1 to TW-P8): a request takes the record's place in the table. The record is
 * gone then: should a RST of our SYN-ACK show that the SYN was old after all, the tuple is CLOSED (not TW-P10). */
static void bucket_reopen(struct hf_worker *w, handle h, int listener, struct arrival *a)
{
	const struct listener *const l = &w->listeners.at[listener];
	handle to = HANDLE_NONE;
	struct out out;

	out_init(&out);
	if (listener_is_full(w, l))
		return;
	if (l->backlog_used < w->config.tcp.syn_backlog)
		to = request_make(w, listener, a, timewait_iss(bucket_at(w, h)), &out);
	if (to == HANDLE_NONE) { /* a cookie's ISS could not keep clear of the old connection (TW-P9) */
		refuse_syn(w, STAT_TW_REFUSED_NO_ROOM);
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
		connection_arrival(w, h, connection_at(w, h), a);
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

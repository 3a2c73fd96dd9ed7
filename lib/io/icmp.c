/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP and ICMPv6 that arrive (REQUIREMENTS 15; RFC 1122 3.2.2, 4.2.3.9; RFC 5927): echo requests are
 * answered, errors go to the connection or request whose segment they quote. None is ever sent (HF-IC4). */
#include <errno.h>

#include "io/neigh.h"

static void drop(struct hf_worker *w, enum stat why)
{
	count(w, why);
	count(w, STAT_RX_DROP_ICMP);
}

static void used(struct hf_worker *w, enum stat how)
{
	count(w, how);
	count(w, STAT_RX_CONSUMED);
}

/* The same data back, to whoever sent it (RFC792-echo). */
static void answer_echo(struct hf_worker *w, const uint8_t *frame, const struct wire_in *in)
{
	const uint32_t header = in->flow.version == 6 ? 40 : 20;
	struct rte_mbuf *m;

	if (header + in->text_len > w->config.mtu) {
		drop(w, STAT_ICMP_IGNORED);
		return;
	}
	if (!budget_take(&w->icmp_budget, w->host.now_ms)) {
		count(w, STAT_ICMP_SUPPRESSED);
		count(w, STAT_RX_DROP_BUDGET);
		return;
	}
	m = worker_mbuf(w);
	if (m == NULL || rte_pktmbuf_tailroom(m) < WIRE_HEADER_MAX + in->text_len) {
		rte_pktmbuf_free(m);
		count(w, STAT_TX_NOMBUF);
		count(w, STAT_RX_DROP_NO_MBUF);
		return;
	}
	m->data_len = (uint16_t)icmp_echo_build(rte_pktmbuf_mtod(m, uint8_t *), &w->link, &in->flow,
						frame + in->text_offset, in->text_len);
	m->pkt_len = m->data_len;
	count(w, STAT_ICMP_ECHO);
	count(w, STAT_RX_ANSWERED);
	emit_to(w, &in->flow, m, true);
}

/* ---- Errors -------------------------------------------------------------------------------------------- */

/* Whether an error ends what is not established yet: a hard one does (RFC 1122 4.2.3.9), a soft one if
 * that was asked for (RFC 5461 4.1). */
static bool ends_opening(const struct hf_worker *w, enum icmp_kind kind)
{
	return kind == ICMP_HARD || w->config.tcp.soft_error_abort;
}

/* A half-open has its SYN-ACK on its way, and nothing else. */
static void request_error(struct hf_worker *w, handle h, enum icmp_kind kind, const struct icmp *icmp)
{
	if (icmp->seq != request_at(w, h)->iss || kind == ICMP_TOO_BIG) {
		drop(w, STAT_ICMP_BAD);
		return;
	}
	if (ends_opening(w, kind))
		request_release(w, h, STAT_REQUEST_UNREACHABLE);
	used(w, kind == ICMP_HARD ? STAT_ICMP_HARD : STAT_ICMP_SOFT);
}

static void connection_error(struct hf_worker *w, handle h, enum icmp_kind kind,
			     const struct icmp *icmp)
{
	struct connection *const c = connection_at(w, h);
	struct tcb *const tcb = &c->tcb;
	struct out out;

	if (!tcp_seq_in_flight(tcb, icmp->seq)) {
		drop(w, STAT_ICMP_BAD);
	} else if (kind == ICMP_TOO_BIG) {
		if (!tcp_path_mtu(&w->host, tcb, icmp->mtu)) {
			drop(w, STAT_ICMP_BAD);
			return;
		}
		used(w, STAT_ICMP_PMTU);
		connection_owe(w, h, c);
	} else if (tcp_is_opening(tcb) && ends_opening(w, kind)) {
		out_init(&out);
		tcp_refused(&w->host, tcb, kind == ICMP_HARD ? ECONNREFUSED : EHOSTUNREACH, &out);
		used(w, kind == ICMP_HARD ? STAT_ICMP_HARD : STAT_ICMP_SOFT);
		connection_after(w, h, c, &out);
	} else {
		tcp_soft_error(tcb, icmp->error);
		used(w, STAT_ICMP_SOFT);
	}
}

/* Records of TIME-WAIT have nothing on its way (TW-6). */
static void quoted_error(struct hf_worker *w, struct rte_mbuf *m, enum icmp_kind kind,
			 const struct icmp *icmp)
{
	const handle h = flow_find(&w->flows, flow_hash(&w->secrets, &icmp->quoted), &icmp->quoted);

	if (w->steer != NULL && steer_error(w, m, &icmp->quoted, h != HANDLE_NONE))
		return;
	switch (handle_kind(h)) {
	case KIND_CONNECTION:
		connection_error(w, h, kind, icmp);
		break;
	case KIND_REQUEST:
		request_error(w, h, kind, icmp);
		break;
	case KIND_BUCKET:
	case KIND_NONE:
		drop(w, STAT_ICMP_BAD);
		break;
	}
}

void icmp_arrival(struct hf_worker *w, struct rte_mbuf *m, const struct wire_in *in)
{
	const uint8_t *const frame = rte_pktmbuf_mtod(m, const uint8_t *);
	struct icmp icmp;
	const enum icmp_kind kind = icmp_parse(frame, in, &icmp);

	count(w, STAT_ICMP_IN);
	switch (kind) {
	case ICMP_MALFORMED:
		drop(w, STAT_ICMP_BAD);
		break;
	case ICMP_UNWANTED:
		drop(w, STAT_ICMP_IGNORED);
		break;
	case ICMP_ECHO:
		answer_echo(w, frame, in);
		break;
	case ICMP_SOFT:
	case ICMP_HARD:
	case ICMP_TOO_BIG:
		quoted_error(w, m, kind, &icmp);
		break;
	case ICMP_ND_MALFORMED:
	case ICMP_SOLICIT:
	case ICMP_ADVERTISE:
		neigh_nd(w, frame, &in->flow, kind, &icmp);
		break;
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Proportional Rate Reduction (RFC 9937), in recovery by SACK: what has arrived lets as much leave as brings
 * what is in flight to ssthresh by the end of the round trip; once it is there or below, as much as arrived,
 * and a segment more while nothing else turns out to be lost. The ACKs of a turn count as one. */
#include "tcp/cc.h"
#include "tcp/sack.h"

/* Grows by DeliveredData. */
static uint32_t arrived(const struct tcb *tcb, const struct flight *flight)
{
	return tcb->snd_una + flight->board.octets;
}

static uint32_t delivered_data(const struct tcb *tcb, const struct flight *flight)
{
	const uint32_t now = arrived(tcb, flight);

	return seq_gt(now, flight->prr.arrived) ? now - flight->prr.arrived : 0;
}

/* 6.2. */
static void update(const struct tcp_host *host, struct tcb *tcb, uint32_t delivered)
{
	struct prr *const prr = &flight_of(host, tcb)->prr;
	const uint32_t pipe = sack_pipe(host, tcb);
	const uint32_t prr_out = tcb->snd_nxt - (tcb->recover + 1) + prr->again;
	/* what is in flight no more, and did not arrive, is lost */
	const bool safe_ack =
		tcb->snd_una != prr->una && seq_le(prr->unmoved - (pipe - prr_out), delivered);
	int64_t sndcnt;

	prr->delivered += delivered;
	if (pipe > tcb->ssthresh) {
		const uint64_t share = (uint64_t)prr->delivered * tcb->ssthresh;

		sndcnt = (int64_t)((share + prr->recover_fs - 1) / prr->recover_fs) - prr_out;
	} else {
		sndcnt = (int64_t)prr->delivered - prr_out;
		sndcnt = sndcnt > delivered ? sndcnt : delivered;
		if (safe_ack)
			sndcnt += tcb->snd_mss;
		if (sndcnt > tcb->ssthresh - pipe)
			sndcnt = tcb->ssthresh - pipe;
	}
	if (prr_out == 0 && sndcnt < tcb->snd_mss)
		sndcnt = tcb->snd_mss; /* the fast retransmission */
	tcb->cwnd = pipe + (sndcnt > 0 ? (uint32_t)sndcnt : 0);
	prr->unmoved = pipe - prr_out;
	prr->una = tcb->snd_una;
	prr->arrived += delivered;
}

void prr_watch(const struct tcb *tcb, struct flight *flight)
{
	if (!(tcb->flags & TCB_RECOVERY))
		flight->prr.arrived = arrived(tcb, flight);
}

/* 6.1; nothing was sent again yet. */
void prr_begin(const struct tcp_host *host, struct tcb *tcb)
{
	struct flight *const flight = flight_of(host, tcb);

	flight->high_rxt = tcb->snd_una;
	flight->rescued = false;
	flight->prr = (struct prr){ .arrived = flight->prr.arrived,
				    .una = tcb->snd_una,
				    .recover_fs = tcb->snd_nxt - flight->prr.arrived };
	update(host, tcb, delivered_data(tcb, flight));
}

void prr_acked(const struct tcp_host *host, struct tcb *tcb)
{
	const uint32_t delivered = delivered_data(tcb, flight_of(host, tcb));

	if (delivered > 0)
		update(host, tcb, delivered);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Congestion control: slow start and congestion avoidance (RFC 5681 3.1), initial window of ten
 * segments (RFC 6928). cwnd and ssthresh are octets. */
#include "tcp/tcp.h"

#define INITIAL_WINDOW_SEGMENTS 10

void cc_init(struct tcb *tcb)
{
	/* RFC 5681 3.1: a lost SYN or SYN-ACK lets only one segment go first. */
	tcb->cwnd = (tcb->flags & TCB_SYN_RETRIED ? 1u : INITIAL_WINDOW_SEGMENTS) * tcb->snd_mss;
	tcb->ssthresh = UINT32_MAX;
}

/* New text was acknowledged; growth goes by octets, so dividing ACKs gains nothing. */
void cc_ack(struct tcb *tcb, uint32_t acked)
{
	uint32_t more;

	if (tcb->cwnd < tcb->ssthresh) {
		more = acked < tcb->snd_mss ? acked : tcb->snd_mss;
	} else {
		more = (uint32_t)((uint64_t)tcb->snd_mss * tcb->snd_mss / tcb->cwnd);
		more = more > 0 ? more : 1;
	}
	if (tcb->cwnd <= UINT32_MAX / 2)
		tcb->cwnd += more;
}

/* The retransmission timer expired (RFC 5681 3.1, equation 4): once a flight, not once a try. */
void cc_timeout(struct tcb *tcb)
{
	const uint32_t flight = tcb->snd_nxt - tcb->snd_una;
	const uint32_t floor = 2u * tcb->snd_mss;

	if (tcb->retransmits <= 1)
		tcb->ssthresh = flight / 2 > floor ? flight / 2 : floor;
	tcb->cwnd = tcb->snd_mss;
}

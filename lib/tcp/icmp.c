/* SPDX-License-Identifier: BSD-3-Clause */
/* What ICMP errors about a connection's segment do to it (RFC 9293 3.9.2.2, RFC 5927, RFC 1191 6.4).
 * io/icmp.c calls these when quoted tuple and SEQ have been found good. */
#include "tcp/open.h"

bool tcp_seq_in_flight(const struct tcb *tcb, uint32_t seq)
{
	return seq_le(tcb->snd_una, seq) && seq_lt(seq, tcb->snd_nxt);
}

bool tcp_is_opening(const struct tcb *tcb)
{
	return tcb->state == TCPS_SYN_SENT || tcb->state == TCPS_SYN_RECEIVED;
}

void tcp_soft_error(struct tcb *tcb, int32_t error)
{
	tcb->soft_error = (uint8_t)error;
}

void tcp_refused(struct tcp_host *host, struct tcb *tcb, int32_t error, struct out *out)
{
	assert(tcp_is_opening(tcb));
	out->error = error;
	tcp_set_state(host, tcb, TCPS_CLOSED);
}

/* A router that knows nothing of RFC 1191 quotes 0: the next of the sizes that paths have (HF-PM1). */
static uint32_t plateau_below(uint32_t mtu, uint32_t floor)
{
	static const uint16_t plateaus[] = { 32000, 17914, 8166, 4352, 2002, 1492, 1006 };

	for (unsigned i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++)
		if (plateaus[i] < mtu && plateaus[i] > floor)
			return plateaus[i];
	return floor;
}

/* Once lower it stays so for this connection: nothing raises it again, ICMP least of all (RFC1191-d). */
bool tcp_path_mtu(struct tcp_host *host, struct tcb *tcb, uint32_t mtu)
{
	const uint32_t floor = tcb->version == 6 ? 1280 : host->config.pmtu_floor;
	const uint32_t headers =
		(tcb->version == 6 ? 60u : 40u) + (tcb->flags & TCB_TS ? TS_OCTETS : 0u);

	if (mtu == 0 && tcb->version == 4)
		mtu = plateau_below(tcb->snd_mss + headers, floor);
	if (!(tcb->flags & TCB_ESTABLISHED) || !seq_lt(tcb->snd_una, tcb->snd_end) || mtu < floor ||
	    mtu - headers >= tcb->snd_mss)
		return false;
	tcb->snd_mss = (uint16_t)(mtu - headers);
	tcb->flags |= TCB_RTX; /* at once; cwnd stays, for nothing was congested (RFC1191-c) */
	tcb->rtx_nxt = tcb->snd_una;
	return true;
}

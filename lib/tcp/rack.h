/* SPDX-License-Identifier: BSD-3-Clause */
/* RACK-TLP (RFC 8985), with the knob tcp.rack and SACK agreed: losses by time in the place of duplicate ACKs,
 * and a probe for what was lost last. Its state is part of the flight, so that RACK.reordering_seen and
 * RACK.reo_wnd are those of the data on its way: a connection that was idle starts anew. */
#ifndef HF_RACK_H
#define HF_RACK_H

#include "tcp/sentlog.h"
#include "tcp/tcp.h"

struct span;

/* Names of RFC 8985 5.2, 5.3; times are microseconds. */
struct rack {
	uint32_t xmit_us, end_seq; /* of the segment delivered that left last */
	uint32_t rtt_us, min_rtt_us;
	uint32_t fack;
	uint32_t dsack_round;
	uint32_t tlp_end_seq;
	uint8_t reo_wnd_mult, reo_wnd_persist;
	bool delivered; /* xmit_us and end_seq are there */
	bool reordering_seen;
	bool in_dsack_round;
	bool recovering;	  /* as TCB_RECOVERY was */
	bool tlp, tlp_is_retrans; /* a probe is out */
	struct sentlog log;	  /* empty: RACK is off */
};

static inline bool rack_is_on(const struct tcp_host *host, const struct tcb *tcb)
{
	return host->config.rack && (tcb->flags & TCB_SACK);
}

void rack_init(struct rack *rack);

/* len octets from seq on leave, before SND.NXT moves and with the retransmission timer running. */
COLD void rack_sent(struct tcp_host *host, struct tcb *tcb, uint32_t seq, uint32_t len);

/* What of [left, right) was not known to have arrived now is: steps 1 to 3 of 6.2.
 * @param una  SND.UNA as it was when the log began there */
COLD void rack_delivered(struct tcp_host *host, struct tcb *tcb, const struct seg *seg,
			 uint32_t una, uint32_t left, uint32_t right);

/* An ACK was taken that brought news, or not. Steps 4 and 5 of 6.2, and 7.4.
 * @param before  SND.UNA as it was */
COLD void rack_acked(struct tcp_host *host, struct tcb *tcb, const struct seg *seg, uint32_t before);

/* TIMER_PTO or TIMER_REO has expired. */
COLD void rack_expired(struct tcp_host *host, struct tcb *tcb);

/* The retransmission timer has: everything goes again (6.3). */
void rack_timeout(struct rack *rack);

/* SetPipe() of RFC 6675 with what RACK says is lost. */
uint32_t rack_pipe(const struct tcp_host *host, const struct tcb *tcb);

/* The first octets that are lost. @return false: none are */
bool rack_lost(const struct tcp_host *host, const struct tcb *tcb, struct span *span);

/* A probe is to go (7.3): new text or what was sent last; what it was is told by rack_probed.
 * @return false: nobody would remember it */
bool rack_probe(struct tcp_host *host, struct tcb *tcb);
void rack_probed(struct tcp_host *host, struct tcb *tcb, bool is_retrans);

#endif

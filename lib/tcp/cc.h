/* SPDX-License-Identifier: BSD-3-Clause */
/* Congestion control: when the window shrinks and grows (cc.c), by how much with CUBIC (cc_cubic.c), and what
 * leaves in recovery (prr.c). */
#ifndef HF_CC_H
#define HF_CC_H

#include "tcp/flight.h"

void cc_init(struct tcb *tcb);
void cc_ack(const struct tcp_host *host, struct tcb *tcb, uint32_t acked);
void cc_timeout(struct tcp_host *host, struct tcb *tcb);

/* A duplicate ACK; the third, or with SACK one that shows SND.UNA to be lost, begins fast recovery. */
COLD void cc_duplicate(struct tcp_host *host, struct tcb *tcb);

/* Fast recovery begins, led by SACK or not. */
void cc_recovery(struct tcp_host *host, struct tcb *tcb, bool sack);

/* A loss was mended by a probe alone: the window shrinks all the same (RFC 8985 7.4). */
void cc_mended(struct tcp_host *host, struct tcb *tcb);

/* What was in flight when an earlier loss was met begins no second recovery (RFC 6582 3.2, step 2). By that octet
 * alone: once it is acknowledged it falls behind SND.UNA without end, half the circle and more. */
static inline bool cc_was_met(const struct tcb *tcb)
{
	return seq_in(tcb->recover, tcb->snd_una, tcb->snd_nxt - tcb->snd_una);
}

/* So many octets were acknowledged in fast recovery. @return the same */
bool cc_recover(struct tcb *tcb, bool sack, uint32_t acked);

/* The peer tells of congestion with what it acknowledges: the window is reduced, once a window (RFC 3168 6.1.2). */
void cc_echo(struct tcp_host *host, struct tcb *tcb, uint32_t ack);

/* Something is sent after all was acknowledged: an old window is worth nothing (RFC 5681 4.1). */
void cc_idle(const struct tcp_host *host, struct tcb *tcb);

/* The first ACK after a loss seemed to be met; its echo may tell that none was (RFC 3522), and then the
 * window is what it was (RFC 4015). @return whether it does */
bool cc_undo(struct tcp_host *host, struct tcb *tcb, const struct seg *seg, uint32_t acked);

/* An ACK is about to be taken, or none is: what recovery is counted from should it begin. */
void prr_watch(const struct tcb *tcb, struct flight *flight);
/* Recovery by SACK begins: cwnd is what is in flight and what may leave, from now on with each ACK. */
void prr_begin(const struct tcp_host *host, struct tcb *tcb);
void prr_acked(const struct tcp_host *host, struct tcb *tcb);

uint32_t cubic_reduce(struct cubic *cubic, uint32_t cwnd, uint32_t flight);
void cubic_timeout(struct cubic *cubic);
uint32_t cubic_growth(struct cubic *cubic, uint32_t cwnd, uint32_t mss, uint32_t acked,
		      uint32_t rtt_ms, uint32_t now_ms);

#endif

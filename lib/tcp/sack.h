/* SPDX-License-Identifier: BSD-3-Clause */
/* Loss recovery by selective acknowledgement (RFC 6675), as far as it is not the scoreboard's. */
#ifndef HF_SACK_H
#define HF_SACK_H

#include "tcp/flight.h"

/* Update(): take the blocks of an ACK. @return whether they tell of octets that were not known */
bool sack_take(struct tcp_host *host, struct tcb *tcb, const struct seg *seg);

/* Whether the first block reports a duplicate (RFC 2883 4). */
bool sack_is_duplicate(const struct seg *seg);

/* SND.UNA has moved, and a flight is attached. */
void sack_advance(struct tcp_host *host, struct tcb *tcb);

/* Whether the octet at SND.UNA is lost by what is known to lie beyond it (IsLost). */
bool sack_una_lost(const struct tcp_host *host, const struct tcb *tcb);

/* SetPipe(): octets that are neither held by the peer nor lost, and those sent again, which may be both. */
uint32_t sack_pipe(const struct tcp_host *host, const struct tcb *tcb);

/* The window of recovery, counted from SND.UNA: what is in flight by number, and cwnd - pipe. */
uint32_t sack_window(const struct tcp_host *host, const struct tcb *tcb);

/* NextSeg() but for new text, its rule 2: what is lost (1), or else what may be (3, 4).
 * @return false: nothing is to be sent again */
bool sack_next_lost(const struct tcp_host *host, struct tcb *tcb, struct span *span);
bool sack_next_doubtful(const struct tcp_host *host, const struct tcb *tcb, struct span *span);

#endif

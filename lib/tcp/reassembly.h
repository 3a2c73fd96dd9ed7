/* SPDX-License-Identifier: BSD-3-Clause */
/* Text that came ahead of RCV.NXT, held until the gap before it fills (reassembly.c). */
#ifndef HF_REASSEMBLY_H
#define HF_REASSEMBLY_H

#include "tcp/scoreboard.h"
#include "tcp/tcp.h"

/* A segment ahead of RCV.NXT: hold what is new of its text and within the window; out tells the host which octets,
 * and under what number. A duplicate ACK shows the peer where the gap is (RFC 5681 4.2). */
COLD void reassembly_ahead(struct tcp_host *host, struct tcb *tcb, const struct seg *seg,
			   struct out *out);

/* Text from RCV.NXT on that goes on behind what is held: hold all of it, for reassembly_join. @return false:
 * it does not, or the host has no range for it; reassembly_room tells what to take */
COLD bool reassembly_span(struct tcp_host *host, struct tcb *tcb, const struct seg *seg,
			  struct out *out);

/* What of len octets from RCV.NXT on is held already, the first of several such spans (RFC 2883 4). */
COLD struct span reassembly_again(struct tcp_host *host, const struct tcb *tcb, uint32_t len);

/* How many of len octets from RCV.NXT on come before what is held: first-arrived octets win (HF-D1). */
uint32_t reassembly_room(const struct tcp_host *host, const struct tcb *tcb, uint32_t len);

/* What is held at RCV.NXT now is received too; out names it. @return whether there was any */
COLD bool reassembly_join(struct tcp_host *host, struct tcb *tcb, struct out *out);

/* Let go of everything. */
COLD void reassembly_drop(struct tcp_host *host, struct tcb *tcb);

/* SACK blocks of what is held, the newest first (RFC 2018 4). */
COLD void reassembly_blocks(struct tcp_host *host, const struct tcb *tcb, struct seg *seg);

#endif

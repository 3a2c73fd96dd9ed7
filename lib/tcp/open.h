/* SPDX-License-Identifier: BSD-3-Clause */
/* What a SYN offers and settles, for every way of opening (open.c). */
#ifndef HF_OPEN_H
#define HF_OPEN_H

#include <errno.h>

#include "tcp/tcp.h"

#define WSCALE_MAX 14		 /* RFC 7323 2.3 */
#define TS_OCTETS 12		 /* that timestamps take from every segment, padding counted */
#define KEEPALIVE_ANSWER_MS 1000 /* between answers to keepalive probes (HF-KA1) */
#define SYNACK_REPEAT_MS 500 /* between a SYN-ACK and its answer to the same SYN again (HF-RL6) */

/* What a peer's SYN and our configuration agree on. */
struct syn_terms {
	uint16_t mss; /* text and options together (MUST-16) */
	uint8_t snd_wscale;
	bool timestamps, sack, wscale, ecn;
};

/* ECN-setup SYN, ECN-setup SYN-ACK (RFC 3168 6.1.1); both flags in a SYN-ACK are but an echo. */
static inline bool ecn_setup(const struct seg *syn)
{
	return (syn->flags & SEG_ECN) == (syn->flags & SEG_ACK ? SEG_ECE : SEG_ECN);
}

void syn_options(struct tcp_host *host, const struct seg *syn, uint8_t version, uint16_t our_mss,
		 struct syn_terms *terms);
void tcb_settle(struct tcp_host *host, struct tcb *tcb, const struct seg *syn);
void tcb_syn_acked(struct tcp_host *host, struct tcb *tcb);
void tcb_establish(struct tcp_host *host, struct tcb *tcb); /* ... and the state follows */

/* The shift with which a window field holds this window (RFC 7323 2.3). */
uint8_t window_scale_for(uint32_t rcv_buf);

/* Our window in a SYN, where it is never scaled (RFC 7323 2.2). */
static inline uint16_t tcp_syn_window(const struct tcp_host *host)
{
	return host->config.rcv_buf < UINT16_MAX ? (uint16_t)host->config.rcv_buf : UINT16_MAX;
}

/* The options of a SYN of ours; in a SYN-ACK only what was offered is true. */
static inline void syn_offer(const struct tcp_host *host, struct seg *seg, uint16_t mss, bool sack,
			     bool wscale)
{
	seg->options |= host->config.syn_mss;
	seg->mss = mss;
	if (sack)
		seg->options |= OPT_SACK_PERMITTED;
	if (wscale) {
		seg->options |= OPT_WSCALE;
		seg->wscale = host->config.rcv_wscale;
	}
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The send queue: ranges of text from SND.UNA on, in order (sendq.c). The buffers behind a range
 * are the host's; ranges that are no longer needed go to host->ranges.done. */
#ifndef HF_SENDQ_H
#define HF_SENDQ_H

#include "tcp/tcp.h"

/* Let go of what lies wholly before snd_una. */
void sendq_acked(struct tcp_host *host, struct tcb *tcb);
/* Let go of everything: the flight too, and the place among those who wait for a window. */
void sendq_drop(struct tcp_host *host, struct tcb *tcb);
/* Where the octet with this number lies; it must be queued. New text and what is sent again each begin
 * their search where they ended the last one. */
void sendq_find(const struct tcp_host *host, struct tcb *tcb, uint32_t seq, struct text *text);

#endif

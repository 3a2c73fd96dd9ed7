/* SPDX-License-Identifier: BSD-3-Clause */
/* A Linux peer in a network namespace of its own, at the other end of a tun device: packets in and out, a socket's
 * calls, what the kernel says of a connection. */
#ifndef MODEL_KERNEL_H
#define MODEL_KERNEL_H

#include "handfast.h"
#include "model/model.h"

struct kernel {
	int tun, diag;
	uint16_t asked; /* echo requests: what comes before their reply is all there was */
};

/* @return 0; 77 if this user may not, having said why. Ends the program when something fails. */
int kernel_start(struct kernel *k);

/* Sockets that never block. */
int kernel_listen(const struct hf_addr *local);
int kernel_connect(const struct hf_addr *local, const struct hf_addr *peer);

/* From peer to local, the kernel's address. */
void kernel_send(const struct kernel *k, const struct hf_addr *peer, const struct hf_addr *local,
		 const struct model_seg *seg);

/* All that the kernel has sent to peer from local so far. @return how many */
unsigned kernel_sent(struct kernel *k, const struct hf_addr *peer, const struct hf_addr *local,
		     struct model_seg *out, unsigned room);

struct kernel_says {
	enum model_state state;	  /* no S_LISTEN, and of half-opens S_SYN_RCVD_P alone */
	uint32_t unread, unacked; /* octets, FIN and SYN among them; live states only */
};

void kernel_ask(const struct kernel *k, const struct hf_addr *peer, const struct hf_addr *local,
		struct kernel_says *says);

#endif

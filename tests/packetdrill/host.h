/* SPDX-License-Identifier: BSD-3-Clause */
/* A host for libhandfast_pd.so: what packetdrill does with it, but noticing every packet. One connection at a
 * time, ends and numbers relative to the first SYN of each side. */
#ifndef HOST_H
#define HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "packetdrill/table.h"
#include "rig/frame.h"

struct host {
	struct pd_table t;
	struct hf_addr ours, peer; /* the stack's end and the one that the host plays */
	uint32_t iss, irs;	   /* of the stack, of the host */
	long long at_us;	   /* when the last packet had left */
	struct frame last;	   /* the last packet */
};

/* Load path once, plainly, and init with these flags. */
void host_begin(struct host *h, const char *flags, uint8_t version);
void host_end(struct host *h);

/* The clock, without moving it much. */
uint64_t host_now(struct host *h);

/* A segment from the peer, with len octets of text; seq and ack relative. */
void host_send(struct host *h, uint8_t flags, uint32_t seq, uint32_t ack, uint16_t len);
/* The next packet is this one. */
void host_expect(struct host *h, uint8_t flags, uint32_t seq, uint32_t ack, uint16_t len);
/* Nothing is in the queue (flag `poll`). */
void host_expect_silence(struct host *h);

int host_socket(struct host *h, int flags);
/* connect to the peer's end, and what that returned. */
int host_connect(struct host *h, int fd);
/* A listening socket on our end. */
int host_listen(struct host *h, int flags);
/* SYN, SYN-ACK, ACK from the peer. */
void host_handshake(struct host *h);
/* accept, and what that returned; the address is the peer's. */
int host_accept(struct host *h, int listener);
/* A connection accepted from it, through a whole handshake. */
int host_accepted(struct host *h);

#endif

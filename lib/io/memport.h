/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory port's two bursts; port.h calls them for a port of kind PORT_MEMORY, nobody else. */
#ifndef HF_MEMPORT_H
#define HF_MEMPORT_H

#include <stdint.h>

#include <rte_mbuf.h>

struct hf_port;
struct memport;

uint16_t memport_receive(struct hf_port *port, struct rte_mbuf **rx, uint16_t n);
uint16_t memport_transmit(struct hf_port *port, struct rte_mbuf **tx, uint16_t n);

/* Free what the arrays still hold, and the arrays. */
void memport_free(struct memport *mem);

/* Pushes refused for want of an mbuf or room. */
uint64_t memport_missed(const struct memport *mem);

#endif

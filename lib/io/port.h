/* SPDX-License-Identifier: BSD-3-Clause */
/* A port: one queue of a device, or the memory port, as the one worker that owns it sees it.
 * Set-up and freeing belong to one thread; a burst belongs to the port's worker. */
#ifndef HF_PORT_H
#define HF_PORT_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "handfast.h"
#include "io/gate.h"
#include "io/memport.h"
#include "io/poison.h"

enum port_kind {
	PORT_ETHDEV,
	PORT_MEMORY,
	PORT_GATED, /* a device whose driver does not mind its workers: gate.h */
};

struct steer;
struct port_share; /* what ports made together share: devices, rings, the pool */

struct hf_port {
	/* set at the start, then read-only; what a burst needs comes first */
	alignas(RTE_CACHE_LINE_SIZE) struct rte_mempool *pool; /* of fresh mbufs, received ones */
	struct memport *mem;				       /* PORT_MEMORY only */
	enum port_kind kind;
	uint16_t id;		/* but for PORT_MEMORY */
	uint16_t queue, queues; /* which, of how many that were made together */
	uint16_t mtu;		/* of the device: octets of an IP packet */
	bool l3;		/* frames are IP packets: no Ethernet header, no ARP */
	/* Offloads that the device advertises and that are enabled (HF-CK1, HF-CK3) */
	bool rx_ip_csum, rx_l4_csum;
	bool tx_csum;	   /* IPv4 header and TCP, both or none */
	bool multi_segs;   /* takes segment chains on transmit */
	bool tso;	   /* ... and cuts long ones (HF-CK6) */
	uint16_t segs;	   /* segments it gathers for one frame on the wire, at most */
	uint16_t segs_all; /* ... of a frame that it cuts */
	bool borrows; /* reads what it sends by the CPU, wherever that lies, and only until it is freed */
	bool seedable; /* secrets may come from a seed: memory port and net_pcap (HF-H2) */
	uint8_t mac[6];
	const struct steer *steer; /* of the share; NULL: frames need none */
	struct gate *gate;	   /* PORT_GATED only; the share's */
	struct port_share *share;
};

/** The two bursts of a gated port. */
uint16_t port_receive_gated(struct hf_port *port, struct rte_mbuf **rx, uint16_t n);
uint16_t port_transmit_gated(struct hf_port *port, struct rte_mbuf **tx, uint16_t n);

/** Receive a burst. @return frames in rx; the caller owns them */
static inline uint16_t port_receive(struct hf_port *port, struct rte_mbuf **rx, uint16_t n)
{
	switch (port->kind) {
	case PORT_ETHDEV:
		return rte_eth_rx_burst(port->id, port->queue, rx, n);
	case PORT_MEMORY:
		return memport_receive(port, rx, n);
	case PORT_GATED:
		return port_receive_gated(port, rx, n);
	}
	return 0;
}

/** Transmit a burst. @return frames taken, from the front; the caller keeps the rest */
static inline uint16_t port_transmit(struct hf_port *port, struct rte_mbuf **tx, uint16_t n)
{
	switch (port->kind) {
	case PORT_ETHDEV:
		return rte_eth_tx_burst(port->id, port->queue, tx, n);
	case PORT_MEMORY:
		return memport_transmit(port, tx, n);
	case PORT_GATED:
		return port_transmit_gated(port, tx, n);
	}
	return 0;
}

/** Have the device bring frames to this address, which need not be its own: by its filter, or all there are. */
void port_station(const struct hf_port *port, const uint8_t mac[6]);

/** Have the device bring frames to groups: those of our IPv6 addresses (RFC 4861 7.2.1), or all there are. */
void port_groups(const struct hf_port *port);

/** This port's share of the mbufs of its pool, without those that its device keeps. */
uint32_t port_share_mbufs(const struct hf_port *port);

/** A fresh mbuf, reset, headroom in front. @return NULL: the pool is empty */
static inline struct rte_mbuf *port_mbuf(struct hf_port *port)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(port->pool);

	if (m != NULL)
		poison_lift(m);
	return m;
}

/** n fresh mbufs, all or none. @return whether there were so many */
static inline bool port_mbufs(struct hf_port *port, struct rte_mbuf **fresh, unsigned n)
{
	if (rte_pktmbuf_alloc_bulk(port->pool, fresh, n) != 0)
		return false;
	for (unsigned i = 0; i < n; i++)
		poison_lift(fresh[i]);
	return true;
}

/** The same frame in mbufs that point at no others. @return NULL: the pool is empty */
static inline struct rte_mbuf *port_copy(struct hf_port *port, const struct rte_mbuf *m)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, port->pool, 0, UINT32_MAX);

	for (const struct rte_mbuf *piece = copy; piece != NULL; piece = piece->next)
		poison_lift(piece);
	return copy;
}

/**
 * Whether a received mbuf may be written and sent again (DESIGN 2, 7): ours alone, direct, one
 * segment, room octets from data_off on. If so, the room outside the frame is open from here on.
 */
static inline bool port_mbuf_writable(const struct rte_mbuf *m, uint32_t room)
{
	if (m->nb_segs != 1 || !RTE_MBUF_DIRECT(m) || rte_mbuf_refcnt_read(m) != 1 ||
	    m->data_off + room > m->buf_len)
		return false;
	poison_lift(m);
	return true;
}

/** What the device says of the IPv4 header's checksum (HF-CK1); UNKNOWN when it has no say. */
static inline enum hf_checksum port_ip_checksum(const struct hf_port *port, const struct rte_mbuf *m)
{
	const uint64_t flags = port->rx_ip_csum ? m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK : 0;

	if (flags == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
		return HF_CHECKSUM_GOOD;
	if (flags == RTE_MBUF_F_RX_IP_CKSUM_BAD)
		return HF_CHECKSUM_BAD;
	return flags == 0 ? HF_CHECKSUM_UNKNOWN : HF_CHECKSUM_NONE;
}

/** The same of the TCP checksum. */
static inline enum hf_checksum port_l4_checksum(const struct hf_port *port, const struct rte_mbuf *m)
{
	const uint64_t flags = port->rx_l4_csum ? m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK : 0;

	if (flags == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		return HF_CHECKSUM_GOOD;
	if (flags == RTE_MBUF_F_RX_L4_CKSUM_BAD)
		return HF_CHECKSUM_BAD;
	return flags == 0 ? HF_CHECKSUM_UNKNOWN : HF_CHECKSUM_NONE;
}

/* ---- Set-up, for the files that make ports ------------------------------------------------ */

/**
 * Begin what ports made together will share: a pool of `mbufs` mbufs, each with room for a packet
 * of this MTU (less than 1500: of 1500), every octet of it touched and filled with PORT_CANARY (SEC-4).
 * @param name   of the pool; unique in the process
 * @param share  out: the caller's own hold on it, until port_share_drop
 */
int port_share_make(const char *name, uint32_t mbufs, uint16_t mtu, struct port_share **share,
		    struct hf_error *why);

/** Let go. With the last hold the devices are stopped, and devices, rings and pool are freed. */
void port_share_drop(struct port_share *share);

/** Put a ring under the care of the share. @return NULL: no memory, or the name is taken */
struct rte_ring *port_share_ring(struct port_share *share, const char *name, uint32_t size);

/** A port, blank but for kind, pool, MTU and a MAC address made of its name; holds the share. */
int port_make(struct port_share *share, enum port_kind kind, const char *name,
	      struct hf_port **port, struct hf_error *why);

/** The share's ports are steered like this, and it frees that. */
void port_share_steer(struct port_share *share, struct steer *steer, struct hf_port **ports,
		      unsigned queues);

/**
 * Configure and start a device for the share, which from then on is to remove it: offloads as it offers
 * them, promiscuous off.
 * @param steer  NULL: both ends of each queue are ours, nothing is to be steered
 * @param ports  out: one a queue; none when this fails
 */
int port_start(struct port_share *share, uint16_t id, unsigned queues, const struct hf_steer *steer,
	       struct hf_port **ports, struct hf_error *why);

/** hf_port_open of a device by its number. */
int port_open(uint16_t id, const struct hf_device *device, struct hf_port **ports,
	      struct hf_error *why);

#define PORT_CANARY 0xa5

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* A device of DPDK: what it carries, what is asked of it, its start. Set-up only. */
#ifndef HF_ETHDEV_H
#define HF_ETHDEV_H

#include "io/port.h"

/** Whether the driver is one of these n. */
bool ethdev_driver_in(const char *driver, const char *const *drivers, size_t n);

/** Octets of the largest packets that it carries. */
uint32_t ethdev_mtu(const struct rte_eth_dev_info *info);

/** What is asked of a device, out of what it offers: packets of this MTU, checksums, chains, TSO (HF-CK3). */
struct rte_eth_conf ethdev_conf(const struct rte_eth_dev_info *info, uint16_t mtu);

/** Configure and start it, promiscuous off, with so many queues each way; received frames come from the pool.
 * @return 0, or a negative errno, and why says what would mend it */
int ethdev_start(uint16_t id, unsigned queues, struct rte_mempool *pool,
		 const struct rte_eth_conf *conf, const char *name, struct hf_error *why);

/** Fill in what a port of this queue, of so many, has to know of its device. */
void ethdev_describe(struct hf_port *port, uint16_t id, uint16_t queue, uint16_t queues,
		     const struct rte_eth_conf *conf, const struct rte_eth_dev_info *info);

#endif

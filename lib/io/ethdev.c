/* SPDX-License-Identifier: BSD-3-Clause */
/* A device of DPDK: what it carries, what is asked of it, its start. Called by port.c, at set-up. */
#include <string.h>

#include <rte_errno.h>
#include <rte_log.h>

#include "io/ethdev.h"
#include "io/hold.h"
#include "io/mend.h"
#include "io/why.h"

#define DESCRIPTORS 1024 /* of each queue of a device that has any */
#define TSO_PIECES 40	 /* of a chain: 64 KiB of send queue, header and a piece at each end */

bool ethdev_driver_in(const char *driver, const char *const *drivers, size_t n)
{
	while (n > 0)
		if (strcmp(driver, drivers[--n]) == 0)
			return true;
	return false;
}

/* Drivers whose packets are as long as an argument of theirs, bsize or framesz, makes room for; of
 * themselves they say 1500, whatever it is. */
static bool driver_understates(const char *driver)
{
	static const char *const drivers[] = { "net_memif", "net_af_packet" };

	return ethdev_driver_in(driver, drivers, RTE_DIM(drivers));
}

/* As rte_eth_dev_configure will judge. */
uint32_t ethdev_mtu(const struct rte_eth_dev_info *info)
{
	uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;

	if (driver_understates(info->driver_name))
		return UINT16_MAX;
	if (info->max_mtu != UINT16_MAX && info->max_rx_pktlen > info->max_mtu)
		overhead = info->max_rx_pktlen - info->max_mtu;
	return RTE_MIN(info->max_rx_pktlen - overhead, (uint32_t)info->max_mtu);
}

/* Drivers that with this offload pass on sums which the sender, on the same machine, has left to hardware that
 * there is none of (RTE_MBUF_F_RX_L4_CKSUM_NONE); without it they, or the host, finish them. */
static bool driver_leaves_sums(const char *driver)
{
	static const char *const drivers[] = { "net_virtio", "net_virtio_user", "net_vhost" };

	return ethdev_driver_in(driver, drivers, RTE_DIM(drivers));
}

struct rte_eth_conf ethdev_conf(const struct rte_eth_dev_info *info, uint16_t mtu)
{
	const bool large = mtu > RTE_ETHER_MTU && !driver_understates(info->driver_name);
	const uint64_t rx = driver_leaves_sums(info->driver_name) ?
				    0 :
				    RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
	const uint64_t sums = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	/* net_tap sums up in software, wrongly where a piece of a chain has an odd length. */
	const bool wrong_sums = strcmp(info->driver_name, "net_tap") == 0;
	const uint64_t tx = RTE_ETH_TX_OFFLOAD_MULTI_SEGS |
			    (wrong_sums ? 0 : sums | RTE_ETH_TX_OFFLOAD_TCP_TSO);

	return (struct rte_eth_conf){
		.rxmode.mtu = large ? mtu : 0,
		.rxmode.offloads = rx & info->rx_offload_capa,
		.txmode.offloads = tx & info->tx_offload_capa,
	};
}

static int make_queues(uint16_t id, unsigned queues, struct rte_mempool *pool)
{
	const int socket = rte_eth_dev_socket_id(id);
	const unsigned node = socket < 0 ? (unsigned)SOCKET_ID_ANY : (unsigned)socket;
	uint16_t rx = DESCRIPTORS, tx = DESCRIPTORS;
	int error = rte_eth_dev_adjust_nb_rx_tx_desc(id, &rx, &tx);

	for (uint16_t i = 0; error == 0 && i < queues; i++) {
		error = rte_eth_rx_queue_setup(id, i, rx, node, NULL, pool);
		if (error == 0)
			error = rte_eth_tx_queue_setup(id, i, tx, node, NULL);
	}
	return error;
}

static int start(uint16_t id, unsigned queues, struct rte_mempool *pool,
		 const struct rte_eth_conf *conf)
{
	int error = rte_eth_dev_configure(id, (uint16_t)queues, (uint16_t)queues, conf);

	if (error == -EBUSY)
		return -EALREADY; /* it runs */
	if (error == 0)
		error = make_queues(id, queues, pool);
	if (error == 0)
		error = rte_eth_dev_start(id);
	if (error == 0) { /* port_station and port_groups see to what cannot be told */
		rte_eth_promiscuous_disable(id);
		rte_eth_allmulticast_enable(id); /* solicited-node groups (RFC 4861 7.2.1) */
	}
	return error;
}

/* Drivers' complaints are held back but where more than errors is asked for. */
int ethdev_start(uint16_t id, unsigned queues, struct rte_mempool *pool,
		 const struct rte_eth_conf *conf, const char *name, struct hf_error *why)
{
	const bool quiet = rte_log_get_global_level() <= RTE_LOG_ERR;
	struct hold hold = { .held = NULL, .errors = -1 };
	char line[MEND_ROOM];
	int error;

	if (quiet)
		hold_begin(&hold);
	error = start(id, queues, pool, conf);
	if (error != 0) {
		const char *complaint = hold_complaint(&hold);

		why_say(why, error, "%s does not start: %s: %s; %s", name, rte_strerror(-error),
			complaint, mend_line(name, complaint, line, sizeof(line)));
	}
	hold_end(&hold);
	return error;
}

/* Drivers that need no more of a buffer than its address. Others hand its IOVA to hardware, or its place
 * in shared memory to another process. */
static bool driver_borrows(const char *driver)
{
	static const char *const drivers[] = { "net_ring", "net_tap", "net_af_packet", "net_pcap",
					       "net_null" };

	return ethdev_driver_in(driver, drivers, RTE_DIM(drivers));
}

/* What a driver says of segments; 0 is one that says nothing. */
static uint16_t segs_most(uint16_t said)
{
	return said > 0 ? said : UINT16_MAX;
}

void ethdev_describe(struct hf_port *port, uint16_t id, uint16_t queue, uint16_t queues,
		     const struct rte_eth_conf *conf, const struct rte_eth_dev_info *info)
{
	const uint64_t sums = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	struct rte_ether_addr mac;

	port->id = id;
	port->queue = queue;
	port->queues = queues;
	port->rx_ip_csum = (conf->rxmode.offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM) != 0;
	port->rx_l4_csum = (conf->rxmode.offloads & RTE_ETH_RX_OFFLOAD_TCP_CKSUM) != 0;
	port->tx_csum = (conf->txmode.offloads & sums) == sums;
	port->multi_segs = (conf->txmode.offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
	port->borrows = driver_borrows(info->driver_name);
	port->segs_all = segs_most(info->tx_desc_lim.nb_seg_max);
	port->segs = (uint16_t)RTE_MIN(segs_most(info->tx_desc_lim.nb_mtu_seg_max), port->segs_all);
	port->tso = port->multi_segs && port->tx_csum &&
		    (conf->txmode.offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO) != 0 &&
		    port->segs_all >= TSO_PIECES;
	port->seedable = strcmp(info->driver_name, "net_pcap") == 0;
	if (!driver_understates(info->driver_name))
		rte_eth_dev_get_mtu(id, &port->mtu);
	if (rte_eth_macaddr_get(id, &mac) == 0 && !rte_is_zero_ether_addr(&mac))
		memcpy(port->mac, mac.addr_bytes, sizeof(port->mac));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices that need no rights, one by one (HF-CK3): what each offers is enabled, what it does not is
 * not counted on, and it stops with nothing left behind.
 */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_eal.h>

#include "io/ethdev.h"

static const struct {
	const char *vdev;
	bool seedable, answers; /* a frame sent comes back, or others come by themselves */
} devices[] = {
	{ "net_ring0", false, true },
	{ "net_null0", false, true },
	{ "net_pcap0,tx_pcap=/dev/null", true, false },
};

/* What follows them. */
static const char *const more[] = { "net_ring1", "net_null1", "net_null2", "net_null3",
				    "net_pcap1,tx_pcap=/dev/null" };

static void offloads__of_each_device__are_what_it_offers(void **state)
{
	(void)state;
	for (uint16_t id = 0; id < RTE_DIM(devices); id++) {
		const uint16_t mtu = id % 2 ? HF_MTU_MAX : 1500;
		struct rte_mbuf *m, *rx[32];
		struct rte_eth_rxq_info queue;
		struct rte_eth_dev_info info;
		struct hf_port *port;
		struct hf_error why;
		uint16_t n;

		if (port_open(id, &(struct hf_device){ .mbufs = 1024, .mtu = mtu }, &port, &why) != 0)
			fail_msg("%s", why.text);
		assert_int_equal(rte_eth_dev_info_get(id, &info), 0);
		assert_int_equal(port->multi_segs,
				 (info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0);
		assert_false(port->tx_csum || port->rx_ip_csum || port->rx_l4_csum);
		/* neither merged frames nor tags taken off: what the parser sees is what came */
		if (rte_eth_rx_queue_info_get(id, 0, &queue) == 0)
			assert_int_equal(queue.conf.offloads & (RTE_ETH_RX_OFFLOAD_TCP_LRO |
								RTE_ETH_RX_OFFLOAD_VLAN_STRIP),
					 0);
		assert_int_equal(rte_eth_dev_get_vlan_offload(id), 0);
		assert_int_equal(port->seedable, devices[id].seedable);
		assert_int_equal(port->mtu, mtu);
		assert_true(rte_is_valid_assigned_ether_addr((struct rte_ether_addr *)port->mac));
		m = port_mbuf(port);
		assert_in_range(rte_pktmbuf_tailroom(m), mtu + 18, 9216);
		if (rte_eal_iova_mode() == RTE_IOVA_VA) /* what a NIC is given */
			assert_int_equal(rte_mbuf_data_iova(m),
					 (uintptr_t)rte_pktmbuf_mtod(m, void *));
		memset(rte_pktmbuf_append(m, 60), 0xff, 60);
		assert_int_equal(port_transmit(port, &m, 1), 1);
		n = port_receive(port, rx, 32);
		assert_int_equal(n > 0, devices[id].answers);
		for (uint16_t i = 0; i < n; i++)
			rte_pktmbuf_free(rx[i]);
		assert_int_equal(hf_port_mbufs_used(port), 0);
		assert_int_equal(hf_port_missed(port), 0);
		hf_port_free(port);
	}
}

/* HF-CK1: sums that the sender's machine has not finished are not asked for; a NIC has finished all. */
static void sums__of_a_peer_on_this_machine__are_finished_by_the_driver(void **state)
{
	static const char *const unfinished[] = { "net_virtio", "net_virtio_user", "net_vhost" };
	const uint64_t sums = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
	struct rte_eth_dev_info info = { .driver_name = "net_nic", .rx_offload_capa = sums };

	(void)state;
	assert_int_equal(ethdev_conf(&info, 1500).rxmode.offloads, sums);
	for (size_t i = 0; i < RTE_DIM(unfinished); i++) {
		info.driver_name = unfinished[i];
		assert_int_equal(ethdev_conf(&info, 1500).rxmode.offloads, 0);
	}
}

static uint32_t keeps; /* mbufs that a device takes when it starts */
static struct rte_mbuf *kept[600];

/* In the place of DPDK's, which the library calls. */
int rte_eth_dev_start(uint16_t id)
{
	int (*real)(uint16_t);
	char name[RTE_ETH_NAME_MAX_LEN];

	assert_int_equal(rte_eth_dev_get_name_by_port(id, name), 0);
	if (keeps > 0)
		assert_int_equal(rte_pktmbuf_alloc_bulk(rte_mempool_lookup(name), kept, keeps), 0);
	*(void **)&real = dlsym(RTLD_NEXT, "rte_eth_dev_start");
	return real(id);
}

/* HF-L10: a NIC's queues keep mbufs, on receive from its start on, which are not there for text to wait in: with
 * none left for frames nothing that is acknowledged would ever be heard of. */
static void mbufs__that_a_device_keeps__are_not_shared_out(void **state)
{
	static const struct {
		uint32_t keeps, share;
	} cases[] = { { 200, 624 }, { 600, 256 } };

	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct hf_port *port;

		keeps = cases[i].keeps;
		assert_int_equal(port_open((uint16_t)(RTE_DIM(devices) + 2 + i),
					   &(struct hf_device){ .mbufs = 1024 }, &port, NULL),
				 0);
		assert_int_equal(port_share_mbufs(port), cases[i].share);
		rte_pktmbuf_free_bulk(kept, keeps);
		hf_port_free(port);
	}
	keeps = 0;
}

static void count_end(void *octets, void *opaque)
{
	(void)octets;
	++*(unsigned *)opaque;
}

/* Frames that lie in a ring when its ports are freed let go of what they refer to. */
static void rings__freed__let_go_of_their_frames(void **state)
{
	static char octets[8];
	unsigned ended = 0;
	struct rte_mbuf_ext_shared_info info = { .free_cb = count_end, .fcb_opaque = &ended };
	struct hf_port *a, *b;
	struct rte_mbuf *m;

	(void)state;
	assert_int_equal(hf_port_ring_pair("freed", 1, 64, 64, 0, &a, &b, NULL), 0);
	m = port_mbuf(a);
	rte_mbuf_ext_refcnt_set(&info, 1);
	rte_pktmbuf_attach_extbuf(m, octets, (uintptr_t)octets, sizeof(octets), &info);
	m->pkt_len = m->data_len = sizeof(octets);
	assert_int_equal(port_transmit(a, &m, 1), 1);
	hf_port_free(b);
	assert_int_equal(ended, 0);
	hf_port_free(a);
	assert_int_equal(ended, 1);
}

static unsigned promiscuous; /* devices that were asked for all frames */

/* In the place of DPDK's, which the library calls. */
int rte_eth_promiscuous_enable(uint16_t id)
{
	promiscuous |= 1u << id;
	return 0;
}

/* HF-E2: an address that is not the device's own has to pass its filter; net_null has none to put it in. */
static void address__of_a_worker__is_told_to_its_device(void **state)
{
	struct hf_config config;
	struct rte_ether_addr mac;

	(void)state;
	hf_config_defaults(&config);
	config.locals = 1;
	config.local[0] = (struct hf_ip_range){ { { 192, 0, 2, 1 }, 4 }, 1 };
	memcpy(config.mac, "\x02\x11\x22\x33\x44\x55", 6);
	for (uint16_t id = RTE_DIM(devices); id < RTE_DIM(devices) + 2; id++) {
		struct hf_port *port;
		struct hf_worker *w;

		assert_int_equal(port_open(id, &(struct hf_device){ .mbufs = 1024 }, &port, NULL), 0);
		assert_int_equal(hf_worker_create(&config, port, &w, NULL), 0);
		assert_int_equal(rte_eth_macaddr_get(id, &mac), 0);
		if (id == RTE_DIM(devices))
			assert_memory_equal(mac.addr_bytes, config.mac, 6);
		hf_worker_destroy(w);
		hf_port_free(port);
	}
	assert_int_equal(promiscuous, 1u << (RTE_DIM(devices) + 1));
}

#define LAST (RTE_DIM(devices) + 4)

/* The last device of all, as another part of the program starts it. */
static void start_last(struct rte_mempool *pool)
{
	assert_int_equal(rte_eth_dev_configure(LAST, 1, 1, &(struct rte_eth_conf){ 0 }), 0);
	assert_int_equal(rte_eth_rx_queue_setup(LAST, 0, 64, 0, NULL, pool), 0);
	assert_int_equal(rte_eth_tx_queue_setup(LAST, 0, 64, 0, NULL), 0);
	assert_int_equal(rte_eth_dev_start(LAST), 0);
}

/* A device is stopped and removed by who has configured it. */
static void device__that_is_not_taken__stays_as_it_is(void **state)
{
	const struct hf_device two = { .queues = 2, .mbufs = 64 }, one = { .mbufs = 64 };
	struct rte_mempool *const pool =
		rte_pktmbuf_pool_create("others", 63, 0, 0, 2048, SOCKET_ID_ANY);
	struct hf_port *ports[2];
	struct hf_error why;

	(void)state;
	assert_int_equal(port_open(31, &two, ports, &why), -EINVAL);
	assert_int_equal(port_open(LAST, &two, ports, &why), -EINVAL);
	assert_non_null(strstr(why.text, "1 queues, not 2"));
	assert_int_equal(rte_eth_dev_count_avail(), 1);
	start_last(pool);
	assert_int_equal(port_open(LAST, &one, ports, &why), -EALREADY);
	assert_int_equal(rte_eth_dev_configure(LAST, 1, 1, &(struct rte_eth_conf){ 0 }), -EBUSY);
	assert_int_equal(rte_eth_dev_stop(LAST), 0);
	assert_int_equal(port_open(LAST, &one, ports, &why), 0);
	hf_port_free(ports[0]);
	assert_int_equal(rte_eth_dev_count_avail(), 0);
	rte_mempool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "HF-CK3, HF-CK6, HF-CK7", offloads__of_each_device__are_what_it_offers, NULL,
		  NULL, NULL },
		{ "HF-CK1", sums__of_a_peer_on_this_machine__are_finished_by_the_driver, NULL, NULL,
		  NULL },
		{ "HF-L10", mbufs__that_a_device_keeps__are_not_shared_out, NULL, NULL, NULL },
		cmocka_unit_test(rings__freed__let_go_of_their_frames),
		{ "HF-E2", address__of_a_worker__is_told_to_its_device, NULL, NULL, NULL },
		cmocka_unit_test(device__that_is_not_taken__stays_as_it_is),
	};
	const char *vdevs[RTE_DIM(devices) + RTE_DIM(more)];
	struct hf_env env = { .program = "test_device", .vdevs = vdevs, .memory_mb = 64 };
	struct hf_error why;
	int failed;

	for (size_t i = 0; i < RTE_DIM(devices); i++)
		vdevs[env.vdev_count++] = devices[i].vdev;
	for (size_t i = 0; i < RTE_DIM(more); i++)
		vdevs[env.vdev_count++] = more[i];
	if (hf_env_start(&env, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		return EXIT_FAILURE;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	hf_env_stop();
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

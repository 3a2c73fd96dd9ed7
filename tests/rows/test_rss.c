/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive side scaling (HF-M1, HF-M2, HF-P1): what a device is asked for, and that workers reckon by what it
 * then does. net_null is the one device without hardware that has a key and a redirection table.
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
#include <rte_thash.h>

#include "io/port.h"
#include "io/rss.h"

#define QUEUES 3
#define NULLS 5

static bool stubborn; /* the device keeps the key that it has */

/* In the place of DPDK's, which the library calls. */
int rte_eth_dev_rss_hash_update(uint16_t id, struct rte_eth_rss_conf *conf)
{
	int (*real)(uint16_t, struct rte_eth_rss_conf *);

	if (stubborn)
		return -ENOTSUP;
	*(void **)&real = dlsym(RTLD_NEXT, "rte_eth_dev_rss_hash_update");
	return real(id, conf);
}

static uint8_t given[RSS_KEY_MAX];

static void give_key(void)
{
	for (unsigned i = 0; i < sizeof(given); i++)
		given[i] = (uint8_t)(0x6d * (i + 1) ^ i << 3);
}

/* The next net_null, which is gone when its last port is. */
static int null_open(struct hf_steer steer, struct hf_port **ports, uint16_t *id, struct hf_error *why)
{
	static uint16_t next;

	assert_in_range(next, 0, NULLS - 1);
	*id = next++;
	return port_open(*id, &(struct hf_device){ .queues = QUEUES, .mbufs = 1024, .steer = steer },
			 ports, why);
}

static void null_close(struct hf_port **ports)
{
	for (unsigned i = 0; i < QUEUES; i++)
		hf_port_free(ports[i]);
}

static void key_of(uint16_t id, uint8_t key[TOEPLITZ_KEY])
{
	struct rte_eth_rss_conf conf = { .rss_key = key, .rss_key_len = TOEPLITZ_KEY };

	assert_int_equal(rte_eth_dev_rss_hash_conf_get(id, &conf), 0);
}

/* Each flow's worker is whose queue the device would bring its frames to, by DPDK's own hash. */
static void assert_homes(uint16_t id, const struct hf_port *port)
{
	struct rte_eth_rss_reta_entry64 reta[8] = { 0 };
	struct rte_eth_dev_info info;
	uint8_t key[TOEPLITZ_KEY];
	unsigned seen[QUEUES] = { 0 };

	key_of(id, key);
	assert_int_equal(rte_eth_dev_info_get(id, &info), 0);
	assert_true(info.reta_size > 0 && info.reta_size <= 512);
	for (unsigned i = 0; i < info.reta_size / RTE_ETH_RETA_GROUP_SIZE; i++)
		reta[i].mask = UINT64_MAX;
	assert_int_equal(rte_eth_dev_rss_reta_query(id, reta, info.reta_size), 0);
	for (uint32_t i = 0; i < 1000; i++) {
		const uint8_t last = (uint8_t)(i % 200 + 1);
		const struct hf_addr us = { .ip = { .version = 4, .octets = { 198, 18, 0, 1 } },
					    .port = 80 };
		const struct hf_addr peer = { .ip = { .version = 4, .octets = { 198, 19, 7, last } },
					      .port = (uint16_t)(1024 + 7 * i) };
		uint32_t tuple[] = { 0xc6130700 | last, 0xc6120001,
				     (uint32_t)peer.port << 16 | us.port };
		const uint32_t at = rte_softrss(tuple, 3, key) % info.reta_size;
		const unsigned queue =
			reta[at / RTE_ETH_RETA_GROUP_SIZE].reta[at % RTE_ETH_RETA_GROUP_SIZE];

		assert_int_equal(hf_port_home(port, &us, &peer), queue);
		seen[queue]++;
	}
	for (unsigned i = 0; i < QUEUES; i++)
		assert_in_range(seen[i], 250, 420);
}

static void key__given__is_what_the_device_hashes_by(void **state)
{
	const struct hf_steer steer = { .steering = HF_STEERING_RSS, .key = given, .key_len = 40 };
	struct hf_port *ports[QUEUES];
	uint8_t key[TOEPLITZ_KEY];
	struct hf_error why;
	uint16_t id;

	(void)state;
	assert_int_equal(null_open(steer, ports, &id, &why), 0);
	assert_int_equal(hf_port_steering(ports[0]), HF_STEERING_RSS);
	key_of(id, key);
	assert_memory_equal(key, given, sizeof(key));
	assert_homes(id, ports[0]);
	null_close(ports);
}

static void key__not_given__is_drawn(void **state)
{
	uint8_t key[2][TOEPLITZ_KEY];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct hf_port *ports[QUEUES];
		struct hf_error why;
		uint16_t id;

		assert_int_equal(null_open((struct hf_steer){ .key = NULL }, ports, &id, &why), 0);
		assert_int_equal(hf_port_steering(ports[0]), HF_STEERING_RSS);
		key_of(id, key[i]);
		assert_homes(id, ports[0]);
		null_close(ports);
	}
	assert_memory_not_equal(key[0], key[1], sizeof(key[0]));
}

/* Told as an error where RSS was asked for; where it was not, workers hand frames over. */
static void device__that_keeps_its_key__is_not_believed(void **state)
{
	const struct hf_steer steer = { .steering = HF_STEERING_RSS, .key = given, .key_len = 40 };
	struct hf_port *ports[QUEUES];
	struct hf_error why;
	uint16_t id;

	(void)state;
	stubborn = true;
	assert_int_equal(null_open(steer, ports, &id, &why), -ENOTSUP);
	assert_string_equal(why.text, "net_null does not hash TCP by the key it is given: "
				      "use --steering software");
	assert_int_equal(null_open((struct hf_steer){ .key = NULL }, ports, &id, &why), 0);
	assert_int_equal(hf_port_steering(ports[0]), HF_STEERING_SOFTWARE);
	stubborn = false;
	null_close(ports);
}

/* ---- What is asked, of devices that are not here ---- */

static struct rte_eth_dev_info nic(void)
{
	return (struct rte_eth_dev_info){
		.driver_name = "net_nic",
		.flow_type_rss_offloads = RTE_ETH_RSS_NONFRAG_IPV4_TCP |
					  RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_IPV4,
		.reta_size = 512,
		.hash_key_size = 52,
	};
}

static void offer__that_does_not_serve__is_not_taken(void **state)
{
	struct rte_eth_dev_info info = nic();

	(void)state;
	assert_true(rss_offered(&info));
	info.hash_key_size = 0; /* as old drivers say: 40 */
	assert_true(rss_offered(&info));
	info.driver_name = "net_tap";
	assert_false(rss_offered(&info));
#define WITHOUT(field, value)                     \
	do {                                      \
		info = nic();                     \
		info.field = (value);             \
		assert_false(rss_offered(&info)); \
	} while (0)
	WITHOUT(flow_type_rss_offloads, RTE_ETH_RSS_NONFRAG_IPV4_TCP);
	WITHOUT(flow_type_rss_offloads, RTE_ETH_RSS_NONFRAG_IPV6_TCP);
	WITHOUT(flow_type_rss_offloads, RTE_ETH_RSS_IP);
	WITHOUT(reta_size, 0);
	WITHOUT(reta_size, 96);
	WITHOUT(reta_size, 2 * STEER_RETA);
	WITHOUT(hash_key_size, TOEPLITZ_KEY - 1);
	WITHOUT(hash_key_size, RSS_KEY_MAX + 1);
}

static void conf__of_a_nic__asks_for_tcp_by_the_key(void **state)
{
	const struct rte_eth_dev_info info = nic();
	struct hf_steer wish = { .steering = HF_STEERING_RSS, .key = given, .key_len = 52 };
	struct rte_eth_conf conf = { 0 };
	uint8_t key[RSS_KEY_MAX], other[RSS_KEY_MAX];
	struct hf_error why;

	(void)state;
	assert_int_equal(rss_conf(&info, &wish, key, &conf, &why), 0);
	assert_int_equal(conf.rxmode.mq_mode, RTE_ETH_MQ_RX_RSS);
	assert_int_equal(conf.rx_adv_conf.rss_conf.rss_hf,
			 RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP);
	assert_int_equal(conf.rx_adv_conf.rss_conf.rss_key_len, 52);
	assert_memory_equal(conf.rx_adv_conf.rss_conf.rss_key, given, 52);
	wish.key_len = 40;
	assert_int_equal(rss_conf(&info, &wish, key, &conf, &why), -EINVAL);
	assert_string_equal(why.text, "the RSS key has 40 octets: net_nic takes 52");
	wish.key = NULL;
	assert_int_equal(rss_conf(&info, &wish, key, &conf, &why), 0);
	assert_int_equal(rss_conf(&info, &wish, other, &conf, &why), 0);
	assert_memory_not_equal(key, other, TOEPLITZ_KEY);
	assert_memory_not_equal(key + TOEPLITZ_KEY, other + TOEPLITZ_KEY, 52 - TOEPLITZ_KEY);
}

/* net_ring has no hash; pairs of rings are queue to queue. */
static void rss__on_a_device_without__is_refused(void **state)
{
	struct hf_device device = { .name = "net_ring0", .queues = 1, .mbufs = 64 };
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = { 0 };
	uint8_t key[RSS_KEY_MAX];
	struct hf_error why;
	uint16_t id;

	(void)state;
	assert_int_equal(rte_eth_dev_get_port_by_name(device.name, &id), 0);
	assert_int_equal(rte_eth_dev_info_get(id, &info), 0);
	assert_false(rss_offered(&info));
	assert_int_equal(rss_conf(&info, &device.steer, key, &conf, &why), -ENOTSUP);
	assert_string_equal(why.text, "net_ring does not hash TCP: use --steering software");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "HF-M2", key__given__is_what_the_device_hashes_by, NULL, NULL, NULL },
		{ "HF-M2", key__not_given__is_drawn, NULL, NULL, NULL },
		{ "HF-M2", device__that_keeps_its_key__is_not_believed, NULL, NULL, NULL },
		{ "HF-M2", offer__that_does_not_serve__is_not_taken, NULL, NULL, NULL },
		{ "HF-M2", conf__of_a_nic__asks_for_tcp_by_the_key, NULL, NULL, NULL },
		{ "HF-M2", rss__on_a_device_without__is_refused, NULL, NULL, NULL },
	};
	static const char *const vdevs[] = { "net_null0", "net_null1", "net_null2",
					     "net_null3", "net_null4", "net_ring0" };
	struct hf_env env = {
		.program = "test_rss", .vdevs = vdevs, .vdev_count = NULLS + 1, .memory_mb = 64
	};
	struct hf_error why;
	int failed;

	if (hf_env_start(&env, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		return EXIT_FAILURE;
	}
	give_key();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	hf_env_stop();
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

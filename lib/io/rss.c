/* SPDX-License-Identifier: BSD-3-Clause */
/* RSS is set up before the device starts and read back after: a port that was chosen by another key or
 * table than the device's has its replies come to another worker (HF-P1). */
#include "io/rss.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "io/why.h"

#define HASHED (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP)

static unsigned key_octets(const struct rte_eth_dev_info *info)
{
	return info->hash_key_size != 0 ? info->hash_key_size : TOEPLITZ_KEY;
}

/* net_tap offers it, but only to flow rules that name their flows. */
bool rss_offered(const struct rte_eth_dev_info *info)
{
	return (info->flow_type_rss_offloads & HASHED) == HASHED && info->reta_size > 0 &&
	       info->reta_size <= STEER_RETA && rte_is_power_of_2(info->reta_size) &&
	       key_octets(info) >= TOEPLITZ_KEY && key_octets(info) <= RSS_KEY_MAX &&
	       strcmp(info->driver_name, "net_tap") != 0;
}

int rss_conf(const struct rte_eth_dev_info *info, const struct hf_steer *wish,
	     uint8_t key[RSS_KEY_MAX], struct rte_eth_conf *conf, struct hf_error *why)
{
	const unsigned octets = key_octets(info);
	struct steer_table table = { .reta_size = info->reta_size };
	int error;

	if (!rss_offered(info))
		return why_say(why, -ENOTSUP, "%s does not hash TCP: use --steering software",
			       info->driver_name);
	if (wish->key != NULL && wish->key_len != octets)
		return why_say(why, -EINVAL, "the RSS key has %u octets: %s takes %u",
			       wish->key_len, info->driver_name, octets);
	error = steer_table_make(wish, 1, &table, why);
	if (error != 0)
		return error;
	if (wish->key != NULL)
		memcpy(key, wish->key, octets);
	else if (getrandom(key, RSS_KEY_MAX, 0) != RSS_KEY_MAX) /* what is past a tuple's reach */
		return why_say(why, -EIO, "getrandom gives no key for steering");
	memcpy(key, table.key, TOEPLITZ_KEY);
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf = (struct rte_eth_rss_conf){ .rss_key = key,
								.rss_key_len = (uint8_t)octets,
								.rss_hf = HASHED };
	return 0;
}

static int reta_read(uint16_t id, unsigned queues, struct steer_table *table)
{
	struct rte_eth_rss_reta_entry64 reta[STEER_RETA / RTE_ETH_RETA_GROUP_SIZE];

	for (unsigned i = 0; i < RTE_DIM(reta); i++)
		reta[i].mask = UINT64_MAX;
	if (rte_eth_dev_rss_reta_query(id, reta, (uint16_t)table->reta_size) != 0)
		return -ENOTSUP;
	for (unsigned i = 0; i < table->reta_size; i++) {
		table->reta[i] = reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];
		if (table->reta[i] >= queues)
			return -ENOTSUP;
	}
	return 0;
}

/* Every queue the same number of entries, give or take one; devices differ in what they start with. */
static void reta_write(uint16_t id, unsigned queues, uint32_t size)
{
	struct rte_eth_rss_reta_entry64 reta[STEER_RETA / RTE_ETH_RETA_GROUP_SIZE];

	for (unsigned i = 0; i < RTE_DIM(reta); i++) {
		reta[i].mask = UINT64_MAX;
		for (unsigned k = 0; k < RTE_ETH_RETA_GROUP_SIZE; k++)
			reta[i].reta[k] = (uint16_t)((i * RTE_ETH_RETA_GROUP_SIZE + k) % queues);
	}
	rte_eth_dev_rss_reta_update(id, reta, (uint16_t)size);
}

/* What is asked for at configuration not every driver takes up then. */
static bool key_set(uint16_t id, const struct rte_eth_dev_info *info, const uint8_t *key)
{
	uint8_t set[RSS_KEY_MAX] = { 0 };
	struct rte_eth_rss_conf conf = { .rss_key = set, .rss_key_len = (uint8_t)key_octets(info) };

	for (int tried = 0; tried < 2; tried++) {
		if (rte_eth_dev_rss_hash_conf_get(id, &conf) != 0 || (conf.rss_hf & HASHED) != HASHED)
			return false;
		if (memcmp(set, key, TOEPLITZ_KEY) == 0)
			return true;
		memcpy(set, key, key_octets(info));
		conf.rss_hf = HASHED;
		rte_eth_dev_rss_hash_update(id, &conf); /* what has come of it is read */
	}
	return false;
}

int rss_read(uint16_t id, const struct rte_eth_dev_info *info, unsigned queues, const uint8_t *key,
	     struct steer_table *table, struct hf_error *why)
{
	reta_write(id, queues, info->reta_size);
	table->reta_size = info->reta_size;
	if (!key_set(id, info, key) || reta_read(id, queues, table) != 0)
		return why_say(why, -ENOTSUP,
			       "%s does not hash TCP by the key it is given: use --steering software",
			       info->driver_name);
	memcpy(table->key, key, TOEPLITZ_KEY);
	return 0;
}

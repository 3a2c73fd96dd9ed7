/* SPDX-License-Identifier: BSD-3-Clause */
/* Receive side scaling: what a device is asked for, and what it then says it does. Called by port.c. */
#ifndef HF_RSS_H
#define HF_RSS_H

#include <rte_ethdev.h>

#include "io/steer.h"

#define RSS_KEY_MAX 64

/** Whether the device hashes the four-tuple of TCP, over both IP versions. */
bool rss_offered(const struct rte_eth_dev_info *info);

/**
 * Ask for it when the device is configured.
 * @param key  the caller's room, filled; used until then, and by rss_read
 * @return 0; -ENOTSUP it is not offered; -EINVAL the wish's key is of another length
 */
int rss_conf(const struct rte_eth_dev_info *info, const struct hf_steer *wish,
	     uint8_t key[RSS_KEY_MAX], struct rte_eth_conf *conf, struct hf_error *why);

/** The key and the table that the started device uses.
 *  @param key  what rss_conf has asked for
 *  @return 0; -ENOTSUP it does not tell them, or hashes by another key */
int rss_read(uint16_t id, const struct rte_eth_dev_info *info, unsigned queues, const uint8_t *key,
	     struct steer_table *table, struct hf_error *why);

#endif

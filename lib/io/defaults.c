/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker is told when its application says nothing (REQUIREMENTS 24). */
#include <string.h>

#include "handfast.h"

void hf_config_defaults(struct hf_config *config)
{
	*config = (struct hf_config){
		.tcp = {
			.tw_len_ms = 60000,
			.tw_reuse = 1,
			.tw_reuse_delay_ms = 1000,
			.tw_overflow = HF_TW_EVICT,
			.rfc1337 = true,
			.fin_timeout_ms = 60000,
			.syn_retries = 7,
			.synack_retries = 5,
			.retries1 = 3,
			.retries2 = 15,
			.orphan_retries = 8,
			.syn_backlog = 4096,
			.accept_queue = 4096,
			.syncookies = 1,
			.invalid_ratelimit_ms = 500,
			.rst_budget = 10000,
			.icmp_budget = 1000,
			.arp_budget = 1000,
			.rto_initial_ms = 1000,
			.rto_min_ms = 200,
			.rto_max_ms = 120000,
			.delack_ms = 40,
			.keepalive_interval_ms = 75000,
			.keepalive_probes = 9,
			.min_snd_mss = 216,
			.pmtu_floor = 552,
			.ooo_segs = 64,
			.rcv_buf = 65536,
			.snd_buf = 65536,
			.timestamps = true,
			.window_scaling = true,
			.sack = true,
			.mss_option = true,
			.abc_limit = 1,
			.nagle = true,
		},
		.ipv4 = { .connections = 64, .requests = 64, .buckets = 64 },
		.ipv6 = { .connections = 64, .requests = 64, .buckets = 64 },
		.port_first = 1024,
		.port_last = 65535,
		.port_lists = 16,
		.listeners = 64,
		.ranges = 65536,
		.flights = 1024,
		.neighbours = 256,
		.mtu = 1500,
		.ttl = 64,
	};
}

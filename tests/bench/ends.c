/* SPDX-License-Identifier: BSD-3-Clause */
#include "ends.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const names[2] = { "client", "server" };

uint64_t cycles(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	return 0;
#endif
}

void end_make(struct end *e, unsigned i, const char *address, uint8_t version, const struct how *how)
{
	const struct hf_sizes sizes = { .connections = 4 * how->batch,
					.requests = 4 * how->batch,
					.buckets = how->time_wait ? 1 << 17 : 64 };
	struct hf_config config;
	struct hf_error why;
	struct hf_addr addr;
	int rc;

	rc = hf_port_memory(&(struct hf_memport){ .name = names[i],
						  .mbufs = 4096,
						  .frames = FRAMES,
						  .rx_checksum = !how->verify },
			    &e->port, &why);
	assert(rc == 0);
	hf_config_defaults(&config);
	config.ipv4 = version == 4 ? sizes : (struct hf_sizes){ 0 };
	config.ipv6 = version == 6 ? sizes : (struct hf_sizes){ 0 };
	config.seed = (struct hf_seed){ .seeded = true, .seed = 1 };
	config.ranges = 4096;
	config.port_last = (uint16_t)(config.port_first + how->ports - 1);
	config.tcp.timestamps = how->timestamps;
	if (!how->time_wait) /* once the 64 records are taken, a close is the end */
		config.tcp.tw_overflow = HF_TW_KILL;
	hf_addr_parse(address, &addr);
	config.local[config.locals++] = (struct hf_ip_range){ addr.ip, 1 };
	memcpy(config.mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)i }, 6);
	memcpy(config.gateway_mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)!i }, 6);
	rc = hf_worker_create(&config, e->port, &e->w, &why);
	if (rc != 0)
		fprintf(stderr, "%s\n", why.text);
	assert(rc == 0);
}

void carry(struct hf_port *from, struct hf_port *to, const struct how *how)
{
	const enum hf_checksum sums = how->verify ? HF_CHECKSUM_UNKNOWN : HF_CHECKSUM_GOOD;
	uint8_t frame[2048];
	ssize_t n;

	while ((n = hf_memport_pop(from, frame, sizeof(frame))) > 0) {
		const int rc = hf_memport_push(to, frame, (size_t)n,
					       &(struct hf_push){ .ip = sums, .l4 = sums });

		assert(rc == 0);
	}
}

void end_free(struct end *e)
{
	hf_worker_destroy(e->w);
	hf_port_free(e->port);
}

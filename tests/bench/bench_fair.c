/* SPDX-License-Identifier: BSD-3-Clause */
/* How long an open takes beside so many connections that send as fast as they can: two workers over net_ring, in
 * turns on one core, a thousand opens a second. bench_fair [BULK [SECONDS]] */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handfast.h"

#define SIZE 4096
#define EVENTS 64
#define PIECE 65536
#define EVERY_US 1000
#define SAMPLES 65536

struct side {
	struct hf_port *port;
	struct hf_worker *w;
};

struct bench {
	struct side client, server;
	struct hf_store *store;
	struct hf_addr to;
	uint64_t ids[SIZE]; /* of the first `bulk`; cookies are their numbers */
	unsigned bulk;
	uint64_t received, next_us;
	uint32_t took_us[SAMPLES];
	unsigned samples;
};

static uint8_t text[PIECE];

static void side_make(struct side *s, unsigned i, const char *address)
{
	struct hf_config config;
	struct hf_error why;
	struct hf_addr addr;
	int rc;

	hf_config_defaults(&config);
	config.ipv4 = (struct hf_sizes){ SIZE, SIZE, 1 << 16 };
	config.ranges = 1 << 18;
	config.tcp.snd_buf = config.tcp.rcv_buf = 1 << 18;
	hf_addr_parse(address, &addr);
	config.local[config.locals++] = (struct hf_ip_range){ addr.ip, 1 };
	memcpy(config.mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)i }, 6);
	memcpy(config.gateway_mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)!i }, 6);
	rc = hf_worker_create(&config, s->port, &s->w, &why);
	if (rc != 0)
		fprintf(stderr, "%s\n", why.text);
	assert(rc == 0);
}

static void fill(struct bench *b, uint64_t bulk)
{
	while (hf_send_store(b->client.w, b->ids[bulk], b->store, 0, PIECE) > 0)
		;
}

/* Cookies from SIZE on are the times of opens whose time is taken. */
static void client_turn(struct bench *b, uint64_t now_us)
{
	struct hf_event events[EVENTS];
	const unsigned n = hf_turn(b->client.w, now_us, events, EVENTS);
	uint64_t id;

	for (unsigned i = 0; i < n; i++) {
		const struct hf_event *e = &events[i];

		if (e->what & (HF_EV_CONNECTED | HF_EV_WRITABLE) && e->cookie < SIZE)
			fill(b, e->cookie);
		if (!(e->what & HF_EV_CONNECTED) || e->cookie < SIZE)
			continue;
		if (b->samples < SAMPLES)
			b->took_us[b->samples++] = (uint32_t)(now_us - (e->cookie - SIZE));
		hf_close(b->client.w, e->id);
	}
	for (; now_us >= b->next_us; b->next_us += EVERY_US)
		hf_connect(b->client.w, NULL, &b->to, SIZE + b->next_us, &id);
	hf_flush(b->client.w, now_us);
}

static void server_turn(struct bench *b, uint64_t now_us)
{
	struct hf_event events[EVENTS];
	const unsigned n = hf_turn(b->server.w, now_us, events, EVENTS);
	struct rte_mbuf *m;

	for (unsigned i = 0; i < n; i++) {
		uint64_t id = events[i].id;
		ssize_t got = 1;

		if (events[i].what & HF_EV_ACCEPT &&
		    hf_accept(b->server.w, events[i].listener, 0, &id) != 0)
			continue;
		if (!(events[i].what & HF_EV_CLOSED))
			while ((got = hf_recv_mbuf(b->server.w, id, &m)) > 0) {
				b->received += (uint64_t)got;
				hf_mbuf_free(m);
			}
		if (got == 0)
			hf_close(b->server.w, id);
	}
	hf_flush(b->server.w, now_us);
}

static int by_value(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void run(struct bench *b, uint64_t seconds)
{
	const uint64_t start_us = hf_now_us(), end_us = start_us + seconds * 1000000;
	uint64_t now_us = start_us;

	b->next_us = start_us + 200000; /* when the bulk has got going */
	for (unsigned i = 0; i < b->bulk; i++) {
		const int rc = hf_connect(b->client.w, NULL, &b->to, i, &b->ids[i]);

		assert(rc == 0);
	}
	for (; now_us < end_us; now_us = hf_now_us()) {
		client_turn(b, now_us);
		server_turn(b, now_us);
	}
	qsort(b->took_us, b->samples, sizeof(b->took_us[0]), by_value);
	assert(b->samples > 0);
	printf("%4u bulk connections: %.2f Gbit/s; %u opens took p50 %u, p99 %u, at most %u us\n",
	       b->bulk, (double)b->received * 8 / (double)(now_us - start_us) / 1e3, b->samples,
	       b->took_us[b->samples / 2], b->took_us[b->samples - 1 - b->samples / 100],
	       b->took_us[b->samples - 1]);
}

int main(int argc, char **argv)
{
	const struct hf_env env = { .program = argv[0], .memory_mb = 1024 };
	static struct bench b;
	struct hf_error why;
	uint32_t listener;
	int rc;

	b.bulk = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
	assert(b.bulk <= SIZE / 2);
	rc = hf_env_start(&env, &why);
	if (rc == 0)
		rc = hf_port_ring_pair("fair", 1, 1024, 65536, 0, &b.client.port, &b.server.port,
				       &why);
	if (rc != 0)
		fprintf(stderr, "%s\n", why.text);
	assert(rc == 0);
	side_make(&b.client, 0, "198.18.0.1");
	side_make(&b.server, 1, "198.19.0.1");
	hf_addr_parse("198.19.0.1:80", &b.to);
	rc = hf_listen(b.server.w, &b.to, 0, &listener);
	assert(rc == 0);
	rc = hf_store_make(text, sizeof(text), NULL, NULL, &b.store);
	assert(rc == 0);
	run(&b, argc > 2 ? (uint64_t)atoi(argv[2]) : 3);
	hf_worker_destroy(b.client.w);
	hf_worker_destroy(b.server.w);
	hf_store_free(b.store);
	hf_port_free(b.client.port);
	hf_port_free(b.server.port);
	hf_env_stop();
	return 0;
}

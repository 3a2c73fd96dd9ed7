/* SPDX-License-Identifier: BSD-3-Clause */
/* Millions of established connections that do nothing: made by real handshakes between two workers over net_ring on
 * one core, with the cost of an open and close and of an octet there and back on one of them, at each population.
 * bench_idle [CONNECTIONS]; exits 1 if one is lost, or an octet does not come. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handfast.h"

#define EVENTS 64
#define OPENS 32 /* a turn */
#define STRIDE \
	7919 /* from one sample to the next, a prime: each is another one, far from the last */
#define SAMPLES 100000u /* of each kind, at each population */

struct bench {
	struct hf_port *ports[2];
	struct hf_worker *w[2]; /* client, server */
	struct hf_addr to;
	uint64_t *ids; /* of the client's, by cookie */
	uint32_t size, opened, established, closed, octets;
	bool closing; /* whatever is established now is closed by both */
};

static void end_make(struct bench *b, unsigned i, const char *address, uint32_t addresses)
{
	struct hf_config config;
	struct hf_levels levels;
	struct hf_error why;
	struct hf_addr addr;

	hf_config_defaults(&config);
	config.port_lists = addresses + 1;
	config.ranges = 2 * SAMPLES; /* text is held until a delayed ACK */
	config.ipv4 = (struct hf_sizes){ b->size + 4096, 4096, 8 * SAMPLES };
	hf_addr_parse(address, &addr);
	config.local[config.locals++] = (struct hf_ip_range){ addr.ip, addresses };
	memcpy(config.mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)i }, 6);
	memcpy(config.gateway_mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)!i }, 6);
	if (hf_worker_create(&config, b->ports[i], &b->w[i], &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	hf_levels(b->w[i], &levels);
	if (i == 0)
		printf("an idle connection: %u octets\na request: %u octets\na bucket: %u octets\n",
		       levels.bytes_per_connection[0], levels.bytes_per_request[0],
		       levels.bytes_per_bucket[0]);
}

static void answer(struct bench *b, unsigned i, const struct hf_event *e)
{
	uint64_t id = e->id;
	uint8_t octet;

	if (e->what & HF_EV_ACCEPT)
		(void)hf_accept(b->w[i], e->listener, 0, &id);
	if (e->what & HF_EV_CLOSED) {
		b->closed++;
		return;
	}
	if (e->what & HF_EV_CONNECTED) {
		b->established++;
		if (b->closing)
			hf_close(b->w[i], id);
	}
	while (e->what & (HF_EV_READABLE | HF_EV_ACCEPT) && hf_recv(b->w[i], id, &octet, 1) == 1) {
		if (i == 0)
			b->octets++;
		else
			hf_send(b->w[i], id, &octet, 1); /* and the ACK rides on it */
	}
	if (e->what & HF_EV_EOF)
		hf_close(b->w[i], id);
}

static void turns(struct bench *b, unsigned opens)
{
	struct hf_event events[EVENTS];

	for (unsigned i = 0; i < 2; i++) {
		const uint64_t now_us = hf_now_us();
		const unsigned n = hf_turn(b->w[i], now_us, events, EVENTS);

		for (unsigned k = 0; k < n; k++)
			answer(b, i, &events[k]);
		for (unsigned k = 0; i == 0 && k < opens; k++) {
			uint64_t id;

			if (hf_connect(b->w[0], NULL, &b->to, b->opened, &id) != 0)
				break;
			if (!b->closing)
				b->ids[b->opened] = id;
			b->opened++;
		}
		hf_flush(b->w[i], now_us);
	}
}

static void open_until(struct bench *b, uint32_t n)
{
	while (b->established < n)
		turns(b, b->opened - b->established > 256 ? 0 :
			 n - b->opened < OPENS		  ? n - b->opened :
							    OPENS);
}

/* Opens and closes beside the idle ones. @return ns of each, both ends */
static double churn(struct bench *b)
{
	const uint32_t opened = b->opened, established = b->established;
	const uint64_t from_us = hf_now_us();

	b->closing = true;
	b->closed = 0;
	open_until(b, opened + SAMPLES);
	while (b->closed < 2 * SAMPLES)
		turns(b, 0);
	b->closing = false;
	b->opened = opened;
	b->established = established;
	return (double)(hf_now_us() - from_us) * 1000 / SAMPLES;
}

/* An octet to idle connections here and there, and one back. @return ns of each, both ends */
static double exchange(struct bench *b)
{
	const uint64_t from_us = hf_now_us();

	b->octets = 0;
	for (uint32_t sent = 0; b->octets < SAMPLES;) {
		for (unsigned i = 0; i < OPENS && sent < SAMPLES && sent - b->octets < 256;
		     i++, sent++)
			if (hf_send(b->w[0], b->ids[(uint64_t)sent * STRIDE % b->established], "x",
				    1) != 1)
				abort();
		turns(b, 0);
	}
	return (double)(hf_now_us() - from_us) * 1000 / SAMPLES;
}

int main(int argc, char **argv)
{
	const struct hf_env env = { .program = argv[0], .memory_mb = 2048 };
	static struct bench b;
	struct hf_state_level states[2][HF_STATES];
	struct hf_error why;
	uint32_t listener;
	double churn_ns;

	b.size = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
	b.ids = calloc(b.size, sizeof(b.ids[0]));
	if (!b.ids || hf_env_start(&env, &why) != 0 ||
	    hf_port_ring_pair("idle", 1, 1024, 131072, 0, &b.ports[0], &b.ports[1], &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	end_make(&b, 0, "198.18.0.1", b.size / 50000 + 8);
	end_make(&b, 1, "198.19.0.1", 1);
	hf_addr_parse("198.19.0.1:80", &b.to);
	assert(hf_listen(b.w[1], &b.to, 0, &listener) == 0);
	for (uint32_t n = b.size < 10000 ? b.size : 10000;; n = n < b.size / 10 ? n * 10 : b.size) {
		open_until(&b, n);
		churn_ns = churn(&b);
		printf("%u idle, beside them opened and closed on one core: %.0f connections/s\n",
		       n, 1e9 / churn_ns);
		printf("%u idle, an octet there and back, both ends: %.0f ns\n", n, exchange(&b));
		fflush(stdout);
		if (n == b.size)
			break;
	}
	for (unsigned i = 0; i < 2; i++)
		hf_state_levels(b.w[i], states[i]);
	printf("%lu and %lu are ESTABLISHED\n", (unsigned long)states[0][HF_ESTABLISHED].now,
	       (unsigned long)states[1][HF_ESTABLISHED].now);
	if (states[0][HF_ESTABLISHED].now != b.size || states[1][HF_ESTABLISHED].now != b.size)
		return 1;
	for (unsigned i = 0; i < 2; i++) {
		hf_worker_destroy(b.w[i]);
		hf_port_free(b.ports[i]);
	}
	hf_env_stop();
	free(b.ids);
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole connections of six packets (request and response of one octet, the server closes first) between two
 * workers on memory ports, under a virtual clock, seeded: the same instructions every time. script/bench
 * runs it under callgrind, which counts only what happens inside the library's calls. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handfast.h"

#define BATCH 32 /* connections under way */
#define TURN_US 10

struct end {
	struct hf_worker *w;
	struct hf_port *port;
	uint64_t closed;
};

static const char *const names[2] = { "client", "server" };

static void end_make(struct end *e, unsigned i, const char *address, uint8_t version)
{
	const struct hf_sizes sizes = { .connections = 4 * BATCH,
					.requests = 4 * BATCH,
					.buckets = 1 << 17 };
	struct hf_config config;
	struct hf_error why;
	struct hf_addr addr;
	int rc;

	rc = hf_port_memory(&(struct hf_memport){ .name = names[i], .mbufs = 2048, .frames = 512 },
			    &e->port, &why);
	assert(rc == 0);
	hf_config_defaults(&config);
	config.ipv4 = version == 4 ? sizes : (struct hf_sizes){ 0 };
	config.ipv6 = version == 6 ? sizes : (struct hf_sizes){ 0 };
	config.seed = (struct hf_seed){ .seeded = true, .seed = 1 };
	config.ranges = 4096;
	hf_addr_parse(address, &addr);
	config.local[config.locals++] = (struct hf_ip_range){ addr.ip, 1 };
	memcpy(config.mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)i }, 6);
	memcpy(config.gateway_mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)!i }, 6);
	rc = hf_worker_create(&config, e->port, &e->w, &why);
	if (rc != 0)
		fprintf(stderr, "%s\n", why.text);
	assert(rc == 0);
}

static void carry(struct hf_port *from, struct hf_port *to)
{
	uint8_t frame[2048];
	ssize_t n;

	while ((n = hf_memport_pop(from, frame, sizeof(frame))) > 0) {
		const int rc = hf_memport_push(to, frame, (size_t)n, &(struct hf_push){ 0 });

		assert(rc == 0);
	}
}

static void answer(struct end *e, const struct hf_event *ev, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t id = ev[i].id;
		char octet;

		if (ev[i].what & HF_EV_CONNECTED)
			hf_send(e->w, id, "?", 1);
		if (ev[i].what & HF_EV_ACCEPT)
			hf_accept(e->w, ev[i].listener, 1, &id);
		if (ev[i].what & HF_EV_READABLE)
			hf_recv(e->w, id, &octet, 1);
		if ((ev[i].what & HF_EV_READABLE) && ev[i].cookie == 1) {
			hf_send(e->w, id, "!", 1);
			hf_close(e->w, id);
		} else if (ev[i].what & HF_EV_EOF) {
			hf_close(e->w, id);
		}
		if (ev[i].what & HF_EV_CLOSED)
			e->closed++;
	}
}

static void run(struct end ends[2], const struct hf_addr *target, uint64_t connections)
{
	struct hf_event events[4 * BATCH];
	uint64_t now_us = 1000000, opened = 0, id;

	while (ends[0].closed < connections || ends[1].closed < connections) {
		now_us += TURN_US;
		for (unsigned i = 0; i < 2; i++) {
			const unsigned n = hf_turn(ends[i].w, now_us, events, 4 * BATCH);

			answer(&ends[i], events, n);
			while (i == 0 && opened < connections && opened - ends[0].closed < BATCH &&
			       hf_connect(ends[0].w, NULL, target, 0, &id) == 0)
				opened++;
			hf_flush(ends[i].w, now_us);
			carry(ends[i].port, ends[!i].port);
		}
	}
}

int main(int argc, char **argv)
{
	const uint64_t connections = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;
	const bool six = argc > 2 && strcmp(argv[2], "6") == 0;
	struct end ends[2] = { 0 };
	struct hf_addr target;
	struct hf_error why;
	uint32_t listener;

	if (hf_env_start(&(struct hf_env){ .program = argv[0], .memory_mb = 64 }, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	end_make(&ends[0], 0, six ? "2001:2::1" : "198.18.0.1", six ? 6 : 4);
	end_make(&ends[1], 1, six ? "2001:2:0:1::1" : "198.19.0.1", six ? 6 : 4);
	hf_addr_parse(six ? "[2001:2:0:1::1]:7" : "198.19.0.1:7", &target);
	hf_listen(ends[1].w, &target, 1, &listener);
	run(ends, &target, connections);
	printf("%lu connections, %lu segments\n", (unsigned long)connections,
	       (unsigned long)(hf_counter_named(ends[0].w, "seg_out") +
			       hf_counter_named(ends[1].w, "seg_out")));
	for (unsigned i = 0; i < 2; i++) {
		hf_worker_destroy(ends[i].w);
		hf_port_free(ends[i].port);
	}
	hf_env_stop();
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole connections of six packets (request and response of one octet, the server closes first) between two
 * workers on memory ports, under a virtual clock, seeded: the same instructions every time. script/bench
 * runs it under callgrind, which counts only what happens inside the library's calls.
 * bench_connection [CONNECTIONS [4|6 [KEY=NUMBER ...]]]; the keys, for the price list, are those of struct how. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ends.h"

#define BATCH 256 /* connections under way, at most */
#define TURN_US 10

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

static void run(struct end ends[2], const struct hf_addr *target, uint64_t connections,
		const struct how *how)
{
	struct hf_event events[4 * BATCH];
	uint64_t now_us = 1000000, opened = 0, id;

	while (ends[0].closed < connections || ends[1].closed < connections) {
		now_us += TURN_US;
		for (unsigned i = 0; i < 2; i++) {
			const uint64_t from = cycles();
			const unsigned n = hf_turn(ends[i].w, now_us, events, 4 * BATCH);

			answer(&ends[i], events, n);
			while (i == 0 && opened < connections &&
			       opened - ends[0].closed < how->batch &&
			       hf_connect(ends[0].w, NULL, target, 0, &id) == 0)
				opened++;
			hf_flush(ends[i].w, now_us);
			ends[i].cycles += cycles() - from;
			carry(ends[i].port, ends[!i].port, how);
		}
	}
}

static void how_parse(struct how *how, const char *word)
{
	const struct {
		const char *format;
		unsigned *to;
	} keys[] = { { "batch=%u", &how->batch },
		     { "ports=%u", &how->ports },
		     { "timestamps=%u", &how->timestamps },
		     { "time_wait=%u", &how->time_wait },
		     { "verify=%u", &how->verify } };

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (sscanf(word, keys[i].format, keys[i].to) == 1)
			return;
	fprintf(stderr, "%s: no such key\n", word);
	exit(2);
}

int main(int argc, char **argv)
{
	const uint64_t connections = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;
	const bool six = argc > 2 && strcmp(argv[2], "6") == 0;
	struct how how = HOW_USUAL;
	struct end ends[2] = { 0 };
	struct hf_addr target;
	struct hf_error why;
	uint32_t listener;

	for (int i = 3; i < argc; i++)
		how_parse(&how, argv[i]);
	if (how.batch > BATCH || how.ports > 64512)
		return 2;
	if (hf_env_start(&(struct hf_env){ .program = argv[0], .memory_mb = 64 }, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	end_make(&ends[0], 0, six ? "2001:2::1" : "198.18.0.1", six ? 6 : 4, &how);
	end_make(&ends[1], 1, six ? "2001:2:0:1::1" : "198.19.0.1", six ? 6 : 4, &how);
	hf_addr_parse(six ? "[2001:2:0:1::1]:7" : "198.19.0.1:7", &target);
	hf_listen(ends[1].w, &target, 1, &listener);
	run(ends, &target, connections, &how);
	printf("%lu connections, %lu segments, %lu cycles the client, %lu the server; %lu tuples reused, %lu evicted, %lu overflowed\n",
	       (unsigned long)connections,
	       (unsigned long)(hf_counter_named(ends[0].w, "seg_out") +
			       hf_counter_named(ends[1].w, "seg_out")),
	       (unsigned long)(ends[0].cycles / connections),
	       (unsigned long)(ends[1].cycles / connections),
	       (unsigned long)hf_counter_named(ends[1].w, "tw_reused_passive"),
	       (unsigned long)hf_counter_named(ends[1].w, "tw_evicted"),
	       (unsigned long)hf_counter_named(ends[1].w, "tw_overflow"));
	end_free(&ends[0]);
	end_free(&ends[1]);
	hf_env_stop();
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What each step of a connection's life costs the end that takes it: opens, handshakes and closes of many connections
 * in step, between two workers on memory ports under a virtual clock. bench_steps [ROUNDS] prints TSC cycles a
 * connection, medians of all rounds. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "ends.h"

#define MANY 256 /* connections in step */
#define BURST 32 /* frames that a turn takes */

enum { CLIENT, SERVER };

struct step {
	const char *name;
	unsigned end;
	bool opens, closes; /* by calls; else frames are what it takes */
};

static const struct step steps[] = {
	{ "an open, SYN out", CLIENT, .opens = true },
	{ "a SYN in, SYN-ACK out", SERVER, false, false },
	{ "a SYN-ACK in, ACK out", CLIENT, false, false },
	{ "an ACK in, accepted", SERVER, false, false },
	{ "a close, FIN out", SERVER, .closes = true },
	{ "a FIN in, closed, FIN out", CLIENT, false, false },
	{ "a FIN in, ACK out, TIME-WAIT", SERVER, false, false },
	{ "the last ACK in", CLIENT, false, false },
	{ "a turn and flush with nothing to do", SERVER, false, false },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

struct bench {
	struct end ends[2];
	struct hf_addr target;
	uint64_t accepted[MANY], now_us;
	unsigned accepts;
};

static void turn(struct bench *b, struct end *e)
{
	struct hf_event events[4 * BURST];
	const unsigned n = hf_turn(e->w, b->now_us, events, 4 * BURST);

	for (unsigned i = 0; i < n; i++) {
		if (events[i].what & HF_EV_ACCEPT &&
		    hf_accept(e->w, events[i].listener, 0, &b->accepted[b->accepts]) == 0)
			b->accepts++;
		if (events[i].what & HF_EV_EOF)
			hf_close(e->w, events[i].id);
		e->closed += (events[i].what & HF_EV_CLOSED) != 0;
	}
	hf_flush(e->w, b->now_us);
}

/* @return cycles a connection */
static uint64_t take(struct bench *b, const struct step *s)
{
	struct end *const e = &b->ends[s->end];
	const uint64_t from = cycles();
	uint64_t id;

	for (unsigned i = 0; i < MANY / BURST; i++) {
		for (unsigned k = 0; (s->opens || s->closes) && k < BURST; k++)
			if (s->opens)
				hf_connect(e->w, NULL, &b->target, 1, &id);
			else
				hf_close(e->w, b->accepted[i * BURST + k]);
		if (s->opens || s->closes)
			hf_flush(e->w, b->now_us);
		else
			turn(b, e);
	}
	return (cycles() - from) / MANY;
}

static int ascending(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	const unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2000;
	static struct bench b = { .now_us = 1000000 };
	const struct how how = {
		.batch = MANY, .ports = 64512, .timestamps = 1, .time_wait = 1, .verify = 1
	};
	uint64_t *spent[STEPS], handshake = 0, close = 0;
	struct hf_error why;
	uint32_t listener;

	if (hf_env_start(&(struct hf_env){ .program = argv[0], .memory_mb = 64 }, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	end_make(&b.ends[CLIENT], CLIENT, "198.18.0.1", 4, &how);
	end_make(&b.ends[SERVER], SERVER, "198.19.0.1", 4, &how);
	hf_addr_parse("198.19.0.1:7", &b.target);
	hf_listen(b.ends[SERVER].w, &b.target, 1, &listener);
	for (unsigned s = 0; s < STEPS; s++)
		if ((spent[s] = calloc(rounds, sizeof(spent[s][0]))) == NULL)
			return 1;
	for (unsigned r = 0; r < rounds; r++, b.now_us += 1000) {
		b.accepts = 0;
		for (unsigned s = 0; s < STEPS; s++) {
			struct end *const e = &b.ends[steps[s].end];

			spent[s][r] = take(&b, &steps[s]);
			carry(e->port, b.ends[!steps[s].end].port, &how);
		}
		assert(b.accepts == MANY && b.ends[CLIENT].closed == (r + 1) * MANY);
	}
	for (unsigned s = 0; s < STEPS; s++) {
		qsort(spent[s], rounds, sizeof(spent[s][0]), ascending);
		printf("%s: %lu cycles\n", steps[s].name,
		       (unsigned long)spent[s][rounds / 2] * (s == STEPS - 1 ? BURST : 1));
		*(s < 4 ? &handshake : &close) += s < 8 ? spent[s][rounds / 2] : 0;
		free(spent[s]);
	}
	printf("a handshake, both ends: %lu cycles\na close, both ends: %lu cycles\n",
	       (unsigned long)handshake, (unsigned long)close);
	end_free(&b.ends[CLIENT]);
	end_free(&b.ends[SERVER]);
	hf_env_stop();
	return 0;
}

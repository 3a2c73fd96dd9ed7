/* SPDX-License-Identifier: BSD-3-Clause */
/* What it costs a worker to be asked (hf_ask): a million half-open connections are listed in pages of 64,
 * and the longest turn is told beside those without a question. The budget is 100 us a turn. Each list is made
 * ROUNDS times, and of a turn, which does the same work in each, the fastest counts: what interrupts take is not ours. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "handfast.h"

#define PAGE 64
#define ROUNDS 5

/* This thread's own time: what others take of the core meanwhile is not the question's. */
static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int longer(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void print(const char *what, uint64_t *took, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += took[i];
	qsort(took, n, sizeof(*took), longer);
	printf("%-28s %8zu turns, mean %6.2f us, p99 %6.2f, p99.9 %6.2f, longest %7.2f\n", what, n,
	       (double)sum / (double)n / 1e3, (double)took[n * 99 / 100] / 1e3,
	       (double)took[n * 999 / 1000] / 1e3, (double)took[n - 1] / 1e3);
}

/* No timer is due meanwhile: the clock stands. */
static uint64_t turn(struct hf_worker *w, uint64_t now_us)
{
	const uint64_t start = now_ns();

	hf_turn(w, now_us, NULL, 0);
	hf_flush(w, now_us);
	return now_ns() - start;
}

static void open_all(struct hf_worker *w, struct hf_port *port, uint32_t n)
{
	struct hf_addr from, to;
	uint8_t frame[128];
	uint64_t id;

	hf_addr_parse("198.18.0.1", &from);
	hf_addr_parse("198.19.0.1:7", &to);
	for (uint32_t i = 0; i < n; i++) {
		from.port = (uint16_t)(1024 + i % 60000);
		from.ip.octets[3] = (uint8_t)(1 + i / 60000);
		if (hf_connect(w, &from, &to, 0, &id) != 0)
			abort();
		if (i % 64 == 63 || i + 1 == n) {
			hf_flush(w, 1000000);
			while (hf_memport_pop(port, frame, sizeof(frame)) > 0)
				;
		}
	}
}

static void keep_faster(uint64_t *took, uint64_t now)
{
	if (*took == 0 || now < *took)
		*took = now;
}

/* @return turns; each one's time in took, where that is 0 or more than it */
static size_t list_all(struct hf_worker *w, uint64_t *took, size_t room, uint32_t want)
{
	static struct hf_entry entries[PAGE];
	struct hf_question q = { .entries = entries, .max = PAGE };
	uint32_t got = 0;
	size_t n = 0;

	do {
		if (hf_ask(w, &q) != 0)
			abort();
		while (!hf_answered(&q) && n < room)
			keep_faster(&took[n++], turn(w, 1000000));
		got += q.count;
	} while (q.more);
	if (got != want)
		abort();
	return n;
}

int main(int argc, char **argv)
{
	const uint32_t connections = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
	const size_t room = connections;
	uint64_t *const took = calloc(room, sizeof(*took));
	struct hf_port *port;
	struct hf_config config;
	struct hf_worker *w;
	struct hf_error why;
	struct hf_addr addr;
	size_t n = 0;
	int rc = hf_env_start(&(struct hf_env){ .program = argv[0], .memory_mb = 64 }, &why);

	if (rc == 0)
		rc = hf_port_memory(&(struct hf_memport){ .name = "ask" }, &port, &why);
	hf_config_defaults(&config);
	config.ipv4 = (struct hf_sizes){ .connections = connections, .requests = 64, .buckets = 64 };
	hf_addr_parse("198.18.0.1", &addr);
	config.local[config.locals++] = (struct hf_ip_range){ addr.ip, 64 };
	config.mac[5] = config.gateway_mac[5] = 2;
	if (rc == 0)
		rc = hf_worker_create(&config, port, &w, &why);
	if (rc != 0 || took == NULL) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	hf_turn(w, 1000000, NULL, 0);
	open_all(w, port, connections);
	for (size_t i = 0; i < room / 100 * ROUNDS; i++)
		keep_faster(&took[i / ROUNDS], turn(w, 1000000));
	print("without a question", took, room / 100);
	memset(took, 0, room * sizeof(*took));
	for (unsigned i = 0; i < ROUNDS; i++)
		n = list_all(w, took, room, connections);
	print("while all are listed", took, n);
	hf_worker_destroy(w);
	hf_port_free(port);
	hf_env_stop();
	free(took);
	return 0;
}

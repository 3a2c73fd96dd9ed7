/* SPDX-License-Identifier: BSD-3-Clause */
/* What other processes may ask: the commands /handfast/... of DPDK's telemetry (docs/telemetry.md). DPDK
 * calls from threads of its own, one for each asker; they read counters and levels as any thread may, and ask
 * over the worker's ring for the rest, so no worker notices more than a piece of an answer. */
#include "io/telemetry.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "io/env.h"
#include "io/why.h"

#define WORKERS 128
#define NUMBERS 240 /* in one dictionary, which holds 256 */

/*
 * DPDK hands its callbacks nothing of ours (22.11), so what they speak of has to be found from here: the
 * one thing in this library that is not some worker's. No worker ever looks at it.
 */
static struct board {
	pthread_mutex_t lock;
	char title[32];
	struct told *workers[WORKERS];
	atomic_uint wanted; /* by how many of the program's threads */
	unsigned (*fill)(void *arg, struct hf_number *numbers, unsigned room);
	void *arg;
} board = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The program does not wait for an asker: who holds the lock until a worker answers that nobody runs yet, or any
 * more, lets go of it. */
static void board_take(void)
{
	atomic_fetch_add(&board.wanted, 1);
	pthread_mutex_lock(&board.lock);
}

static void board_give(void)
{
	pthread_mutex_unlock(&board.lock);
	atomic_fetch_sub(&board.wanted, 1);
}

/* ---- Who is told of ---------------------------------------------------------------------------------- */

int hf_telemetry_add(struct hf_worker *w, const char *name)
{
	struct told *const told = calloc(1, sizeof(*told));
	unsigned i = 0;

	if (told == NULL)
		return -ENOMEM;
	told->w = w;
	told->wanted = &board.wanted;
	snprintf(told->name, sizeof(told->name), "%s", name);
	board_take();
	while (i < WORKERS && board.workers[i] != NULL)
		i++;
	if (i < WORKERS)
		board.workers[i] = told;
	board_give();
	if (i < WORKERS)
		return 0;
	free(told);
	return -ENOSPC;
}

void hf_telemetry_remove(struct hf_worker *w)
{
	board_take();
	for (unsigned i = 0; i < WORKERS; i++) {
		if (board.workers[i] == NULL || board.workers[i]->w != w)
			continue;
		free(board.workers[i]);
		board.workers[i] = NULL;
	}
	board_give();
}

void hf_telemetry_report(unsigned (*fill)(void *arg, struct hf_number *numbers, unsigned room),
			 void *arg)
{
	board_take();
	board.fill = fill;
	board.arg = arg;
	board_give();
}

/* ---- Answers ------------------------------------------------------------------------------------------- */

static int refuse(struct rte_tel_data *d, const char *why)
{
	char text[RTE_TEL_MAX_STRING_LEN];

	snprintf(text, sizeof(text), "%.*s", (int)sizeof(text) - 1, why);
	rte_tel_data_start_dict(d);
	return rte_tel_data_add_dict_string(d, "error", text);
}

/* The worker that params begin with. @return NULL, why says what there is */
static struct told *told_find(const char *params, const char **rest, struct hf_error *why)
{
	char *end = NULL;
	const unsigned long n = params != NULL && isdigit((unsigned char)*params) ?
					strtoul(params, &end, 10) :
					WORKERS;

	if (n >= WORKERS || board.workers[n] == NULL || (*end != '\0' && *end != ',')) {
		why_say(why, -EINVAL, "'%.32s' is no worker: /handfast/info lists them",
			params != NULL ? params : "");
		return NULL;
	}
	*rest = *end == ',' ? end + 1 : end;
	return board.workers[n];
}

/* Have each worker, or the one that params name, add to the answer. */
static int each(const char *params, struct rte_tel_data *d,
		void (*add)(const struct hf_worker *w, void *sum), void *sum)
{
	const char *rest;
	struct hf_error why;
	struct told *one = NULL;

	if (params != NULL && *params != '\0') {
		one = told_find(params, &rest, &why);
		if (one == NULL) {
			refuse(d, why.text);
			return -EINVAL;
		}
	}
	for (unsigned i = 0; i < WORKERS; i++)
		if (board.workers[i] != NULL && (one == NULL || board.workers[i] == one))
			add(board.workers[i]->w, sum);
	return 0;
}

static void add_counters(const struct hf_worker *w, void *sum)
{
	uint64_t *const counters = sum;

	for (unsigned i = 0; i < STAT_COUNT; i++)
		counters[i] += hf_counter(w, i);
}

static int tell_counters(const char *params, struct rte_tel_data *d)
{
	uint64_t sum[STAT_COUNT] = { 0 };

	if (each(params, d, add_counters, sum) != 0)
		return 0;
	rte_tel_data_start_dict(d);
	for (unsigned i = 0; i < STAT_COUNT; i++)
		tel_add_uint(d, hf_counter_name(i), sum[i]);
	return 0;
}

static void add_states(const struct hf_worker *w, void *sum)
{
	struct hf_state_level levels[HF_STATES], *const all = sum;

	hf_state_levels(w, levels);
	for (unsigned i = 0; i < HF_STATES; i++) {
		all[i].entered += levels[i].entered;
		all[i].now += levels[i].now;
		all[i].peak += levels[i].peak;
	}
}

static void tell_number(struct rte_tel_data *d, const char *what, const char *which, uint64_t value)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_%s", what, which);
	for (char *c = name; *c != '\0'; c++) /* what a name may hold */
		*c = *c == '-' ? '_' : (char)tolower((unsigned char)*c);
	tel_add_uint(d, name, value);
}

static int tell_states(const char *params, struct rte_tel_data *d)
{
	struct hf_state_level sum[HF_STATES] = { 0 };

	if (each(params, d, add_states, sum) != 0)
		return 0;
	rte_tel_data_start_dict(d);
	for (unsigned i = 0; i < HF_STATES; i++) {
		const char *const name = hf_state_name((enum hf_state)i);

		tell_number(d, name, "entered", sum[i].entered);
		tell_number(d, name, "now", sum[i].now);
		tell_number(d, name, "peak", sum[i].peak);
	}
	return 0;
}

static void add_level(struct hf_level *sum, const struct hf_level *level)
{
	sum->used += level->used;
	sum->peak += level->peak;
	sum->size += level->size;
	sum->refused += level->refused;
}

static void add_levels(const struct hf_worker *w, void *sum)
{
	struct hf_levels levels, *const all = sum;

	hf_levels(w, &levels);
	add_level(&all->connections, &levels.connections);
	add_level(&all->requests, &levels.requests);
	add_level(&all->buckets, &levels.buckets);
	add_level(&all->ranges, &levels.ranges);
	add_level(&all->flights, &levels.flights);
	add_level(&all->flows, &levels.flows);
	add_level(&all->neighbours, &levels.neighbours);
	all->timers += levels.timers;
	all->oldest_wait_ms = RTE_MAX(all->oldest_wait_ms, levels.oldest_wait_ms);
	all->orphans += levels.orphans;
	all->shut_windows += levels.shut_windows;
	all->queued_mbufs += levels.queued_mbufs;
	all->memory += levels.memory;
}

static void tell_level(struct rte_tel_data *d, const char *name, const struct hf_level *level)
{
	tell_number(d, name, "used", level->used);
	tell_number(d, name, "peak", level->peak);
	tell_number(d, name, "size", level->size);
	tell_number(d, name, "refused", level->refused);
}

static int tell_levels(const char *params, struct rte_tel_data *d)
{
	struct hf_levels sum = { .timers = 0 };

	if (each(params, d, add_levels, &sum) != 0)
		return 0;
	rte_tel_data_start_dict(d);
	tell_level(d, "connections", &sum.connections);
	tell_level(d, "requests", &sum.requests);
	tell_level(d, "buckets", &sum.buckets);
	tell_level(d, "ranges", &sum.ranges);
	tell_level(d, "flights", &sum.flights);
	tell_level(d, "flows", &sum.flows);
	tell_level(d, "neighbours", &sum.neighbours);
	tel_add_uint(d, "timers", sum.timers);
	tel_add_uint(d, "oldest_wait_ms", sum.oldest_wait_ms);
	tel_add_uint(d, "orphans", sum.orphans);
	tel_add_uint(d, "shut_windows", sum.shut_windows);
	tel_add_uint(d, "queued_mbufs", sum.queued_mbufs);
	tel_add_uint(d, "memory", sum.memory);
	return 0;
}

static int tell_info(const char *params, struct rte_tel_data *d)
{
	struct rte_tel_data *const workers = rte_tel_data_alloc();

	(void)params;
	if (workers == NULL)
		return -ENOMEM;
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "handfast", hf_version());
	rte_tel_data_add_dict_string(d, "command", board.title);
	tel_add_uint(d, "pid", (uint64_t)getpid());
	tel_add_uint(d, "now_us", hf_now_us());
	tel_add_uint(d, "tsc_hz", rte_get_tsc_hz());
	rte_tel_data_start_dict(workers);
	for (unsigned i = 0; i < WORKERS; i++) {
		if (board.workers[i] == NULL)
			continue;
		tel_add_uint(workers, board.workers[i]->name, i);
	}
	return rte_tel_data_add_dict_container(d, "workers", workers, 0);
}

static int tell_report(const char *params, struct rte_tel_data *d)
{
	struct hf_number numbers[NUMBERS];
	const unsigned n = board.fill != NULL ? board.fill(board.arg, numbers, NUMBERS) : 0;

	(void)params;
	rte_tel_data_start_dict(d);
	for (unsigned i = 0; i < n; i++)
		tel_add_uint(d, numbers[i].name, numbers[i].value);
	return 0;
}

static int tell_list(const char *params, struct rte_tel_data *d,
		     int (*tell)(struct told *, const char *, struct rte_tel_data *,
				 struct hf_error *))
{
	const char *rest;
	struct hf_error why = { "no memory" };
	struct told *const told = told_find(params, &rest, &why);

	return told == NULL || tell(told, rest, d, &why) != 0 ? refuse(d, why.text) : 0;
}

/* ---- Commands --------------------------------------------------------------------------------------------- */

static const struct command {
	const char *name, *help;
	int (*tell)(const char *params, struct rte_tel_data *d);
	int (*list)(struct told *, const char *, struct rte_tel_data *, struct hf_error *);
} commands[] = {
	{ "/handfast/info", "What runs, and its workers. No parameters", tell_info, NULL },
	{ "/handfast/counters", "All counters. Parameters: [WORKER]", tell_counters, NULL },
	{ "/handfast/levels", "Levels of pools and timers. Parameters: [WORKER]", tell_levels, NULL },
	{ "/handfast/states", "Connections by state. Parameters: [WORKER]", tell_states, NULL },
	{ "/handfast/report", "The program's own books. No parameters", tell_report, NULL },
	{ "/handfast/connections",
	  "A page of connections. Parameters: WORKER[,CURSOR][,state=|local=|peer=|local_port=|peer_port=...][,brief]",
	  NULL, tell_connections },
	{ "/handfast/listeners", "A page of a worker's listeners. Parameters: WORKER[,CURSOR]",
	  NULL, tell_listeners },
};

static int answer(const char *name, const char *params, struct rte_tel_data *d)
{
	int rc = -ENOENT;

	pthread_mutex_lock(&board.lock);
	for (size_t i = 0; i < RTE_DIM(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			rc = commands[i].tell != NULL ? commands[i].tell(params, d) :
							tell_list(params, d, commands[i].list);
	pthread_mutex_unlock(&board.lock);
	return rc;
}

int hf_telemetry_start(const char *title, struct hf_error *why)
{
	pthread_mutex_lock(&board.lock);
	snprintf(board.title, sizeof(board.title), "%s", title);
	pthread_mutex_unlock(&board.lock);
	for (size_t i = 0; i < RTE_DIM(commands); i++) {
		const int rc = rte_telemetry_register_cmd(commands[i].name, answer, commands[i].help);

		if (rc != 0 && rc != -EEXIST)
			return why_say(why, -ENOTSUP, "telemetry does not take %s: %s",
				       commands[i].name, strerror(-rc));
	}
	telemetry_socket_is_ours();
	return 0;
}

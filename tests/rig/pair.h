/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two engines back to back on memory ports, a link model between them, one virtual clock. Side 0 opens,
 * side 1 listens, unless a test does otherwise. pair_rows_run runs each row through its variants with a
 * fresh pair; afterwards the leak oracle runs at both ends (HF-LK1). A run that takes more steps than a
 * sane one can is a livelock and fails; what crossed the link last is then printed.
 */
#ifndef RIG_PAIR_H
#define RIG_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "handfast.h"
#include "rig/link.h"

#define MS(n) ((uint64_t)(n)*1000)
#define SEC(n) ((uint64_t)(n)*1000000)

/* A sanitized build does so much less of what is counted. */
#if defined(__SANITIZE_ADDRESS__)
#define PAIR_SLOWER 20
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PAIR_SLOWER 20
#endif
#endif
#ifndef PAIR_SLOWER
#define PAIR_SLOWER 1
#endif

#define PAIR_EVENTS 64
#define PAIR_LOG 64
#define PAIR_MBUFS 8191

struct pair;

/* Called for one side after each of its half turns, with n 0 too; its calls join that turn. */
typedef void pair_app(struct pair *p, unsigned side, const struct hf_event *events, unsigned n);

struct pair_row {
	const char *name; /* a row ID */
	void (*test)(struct pair *p);
	void (*set_up)(struct pair *p); /* may change the sides' config before anything is made */
	unsigned variants;		/* PAIR_* */
};

/* Sequence numbers from 1, across 2^31 and 2^32; IPv4, IPv6; with timestamps, without. */
#define PAIR_ALL 12
#define PAIR_ONCE 1 /* the first of each */

struct pair_side {
	struct hf_config config;
	struct hf_port *port;
	struct hf_worker *w;
	struct hf_addr addr; /* side 1 listens here; side 0: no port */
	uint32_t mbufs;	     /* in use before the worker was made */
};

struct pair_log {
	uint64_t at_us;
	unsigned from;
	struct link_fate fate;
	size_t len;
	uint8_t raw[LINK_FRAME_MAX];
};

struct pair {
	const struct pair_row *row;
	unsigned variant;
	unsigned long count; /* --count: how much a row does; 0: its CI share */
	uint64_t seed;	     /* --seed, and what is at random in a row comes of it */
	struct pair_side side[2];
	struct link *link;
	uint64_t now_us;
	uint64_t wake_us; /* when the application wants its next turn without an event; it sets this anew */
	uint64_t check_every;  /* steps between two hf_check; 0: never */
	uint64_t verify_every; /* frames between two that are taken apart (frame_parse) */
	pair_app *app;
	void *arg; /* the application's */
	uint64_t steps;
	struct pair_log *log;
	unsigned logged;
};

/* Run all rows as one cmocka group. argv: [--count N] [--seed N] [pattern of names]. @return main's status */
int pair_rows_run(const char *group, const struct pair_row *rows, size_t count, int argc,
		  char **argv);

/* The clock moves to whatever comes first, a deadline or an arrival, but not past end_us; both sides
 * that have something get a turn, the application, and the flush. */
void pair_step(struct pair *p, uint64_t end_us);

/* Steps for so long. */
void pair_run(struct pair *p, uint64_t us);

/* Steps until done(p) or, which fails, for longer than us. */
void pair_until(struct pair *p, bool (*done)(const struct pair *p), uint64_t us);

/* Steps until neither engine has a timer left and nothing is on its way; at most 3 hours. */
void pair_settle(struct pair *p);

/* The side forgets all it knew, as a machine does that loses power: a new worker with another seed. */
void pair_forget(struct pair *p, unsigned side);

/* Both ends are empty and their books balance. */
void pair_expect_empty(struct pair *p);

/* The state of a tuple as one side sees it; HF_CLOSED when it knows nothing of it. */
enum hf_state pair_state(const struct pair *p, unsigned side, const struct hf_addr *local,
			 const struct hf_addr *peer);

uint64_t pair_counter(const struct pair *p, unsigned side, const char *name);

#define pair_fail(p, ...) pair_fail_at(__FILE__, __LINE__, (p), __VA_ARGS__)
__attribute__((format(printf, 4, 5), noreturn)) void
pair_fail_at(const char *file, int line, const struct pair *p, const char *format, ...);

#endif

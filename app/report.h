/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What came of a run: the books of both ends, checked against each other (books.c), for people
 * (report.c) and for programs (report_json.c; docs/report.schema.json). Called by run.c.
 */
#ifndef HF_APP_REPORT_H
#define HF_APP_REPORT_H

#include <jansson.h>

#include "end.h"

#define MAX_PROBLEMS 24

struct end_report {
	struct books books;
	uint64_t opening, open; /* connections of the application in these phases now */
	struct hf_state_level states[HF_STATES]; /* peaks of workers are added up */
	struct hf_levels levels;		 /* the same */
	uint64_t *counters;			 /* hf_counters() of them */
	double cycles;				 /* a connection */
	uint64_t missed;			 /* frames the device dropped */
};

enum latency { LATENCY_CONNECT, LATENCY_CLOSE, LATENCY_TRANSACTION };
#define LATENCIES 3

struct report {
	const struct settings *s;
	const struct plan *plan;
	enum hf_steering steering;
	struct end_report ends[SIDES];
	double seconds, connections_per_s, packets_per_s, bits_per_s;
	double text_bits_per_s, responses_per_s;
	double offered_per_s, achieved_per_s; /* opens, when there is a --rate */
	struct histogram latency[LATENCIES];
	uint64_t leaked_mbufs, leaked_connections, leaked_timers;
	uint64_t peak_octets;
	uint64_t watched, unwatched; /* frames traced or captured, and those that found no place */
	bool interrupted;
	unsigned problems; /* that make the run a failure */
	char problem[MAX_PROBLEMS][200];
};

extern const char *const failure_names[FAILURES];
extern const char *const loss_names[LOSSES];
extern const char *const latency_names[LATENCIES];

/* books.c */

/** Whether --break-books can find this name. */
bool books_name(const char *name);

/** Add up the ends of both sides, then compare; the workers stand still. @return 0 or -ENOMEM */
int report_gather(struct report *r, struct end *const ends[SIDES]);
void report_free(struct report *r);

/** A counter of a side, by its name. */
uint64_t report_counter(const struct report *r, enum side side, const char *name);

/** The books of serve, out of the engine's counters where the application cannot know: half-opens. */
struct server_books {
	uint64_t attempted, established, closed, open, opening;
	uint64_t failed[FAILURES], lost[LOSSES];
};
struct server_books server_books(const struct report *r);

/* How long the TIME-WAIT record that ends first has been there, at either end. */
uint32_t report_oldest_wait_ms(const struct report *r);

/* report.c, report_json.c */

/** The end that stands for the run: the client's, if there is one. */
const struct hf_levels *report_levels(const struct report *r);

/** The IP version of most of its connections: 4 or 6. */
unsigned report_version(const struct report *r);

void report_print(const struct report *r, FILE *out);

/** The report as docs/report.schema.json says; the caller's. @return NULL: no memory */
json_t *report_object(const struct report *r);

/** @return 0, or -1 when it cannot be written */
int report_json(const json_t *report, FILE *out);
int report_hgrm(const struct report *r, const char *prefix);
void report_hgrm_path(const char *prefix, unsigned latency, char path[TEXT_ROOM + 32]);

/** The processor's name, as provenance has it. */
void report_cpu(char text[128]);

#endif

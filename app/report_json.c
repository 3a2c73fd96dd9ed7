/* SPDX-License-Identifier: BSD-3-Clause */
/* The report for programs, as docs/report.schema.json says; called by run.c. */
#include "report.h"

#include <string.h>

#include <jansson.h>

#include "commit.h"

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static uint64_t both(const struct report *r, const char *name)
{
	return report_counter(r, CLIENT, name) + report_counter(r, SERVER, name);
}

static json_t *failed(const uint64_t n[FAILURES])
{
	json_t *o = json_object();

	for (unsigned i = 0; i < FAILURES; i++)
		json_object_set_new(o, failure_names[i], number(n[i]));
	return o;
}

static json_t *lost(const uint64_t n[LOSSES])
{
	json_t *o = json_object();

	for (unsigned i = 0; i < LOSSES; i++)
		json_object_set_new(o, loss_names[i], number(n[i]));
	return o;
}

static json_t *counters(const struct report *r, bool client, bool server)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < hf_counters(); i++)
		json_object_set_new(o, hf_counter_name(i),
				    number((client ? r->ends[CLIENT].counters[i] : 0) +
					   (server ? r->ends[SERVER].counters[i] : 0)));
	return o;
}

static json_t *end_json(const struct report *r, enum side side)
{
	const struct end_report *e = &r->ends[side];

	return json_pack("{s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o}", "cut_short",
			 number(e->books.cut_short), "attempted", number(e->books.attempted),
			 "established",
			 number(side == CLIENT ? e->books.established :
						 report_counter(r, side, "passive_established")),
			 "accepted", number(e->books.accepted), "closed",
			 number(e->books.closed + e->books.closed_by_rst), "open", number(e->open),
			 "opening", number(side == CLIENT ? e->opening : e->levels.requests.used),
			 "failed", failed(e->books.failed), "lost", lost(e->books.lost),
			 "time_wait_peak", number(e->states[HF_TIME_WAIT].peak), "counters",
			 counters(r, side == CLIENT, side == SERVER));
}

static json_t *ends(const struct report *r)
{
	json_t *o = json_object();

	if (plan_has(r->plan, CLIENT))
		json_object_set_new(o, "client", end_json(r, CLIENT));
	if (plan_has(r->plan, SERVER))
		json_object_set_new(o, "server", end_json(r, SERVER));
	return o;
}

static json_t *connections(const struct report *r)
{
	const struct end_report *c = &r->ends[CLIENT];
	struct server_books b = server_books(r);

	if (plan_has(r->plan, CLIENT)) {
		b = (struct server_books){ c->books.attempted,
					   c->books.established,
					   c->books.closed + c->books.closed_by_rst,
					   c->open,
					   c->opening,
					   { 0 },
					   { 0 } };
		memcpy(b.failed, c->books.failed, sizeof(b.failed));
		memcpy(b.lost, c->books.lost, sizeof(b.lost));
	}
	return json_pack("{s:o s:o s:o s:o s:o s:o s:o s:o}", "attempted", number(b.attempted),
			 "established", number(b.established), "accepted",
			 number(r->ends[SERVER].books.accepted), "closed", number(b.closed), "open",
			 number(b.open), "opening", number(b.opening), "failed", failed(b.failed),
			 "lost", lost(b.lost));
}

static json_t *rate(const struct report *r)
{
	json_t *o = json_pack("{s:f s:f s:f s:f}", "connections_per_second", r->connections_per_s,
			      "packets_per_second", r->packets_per_s, "bits_per_second",
			      r->bits_per_s, "text_bits_per_second", r->text_bits_per_s);

	if (r->s->rate) {
		json_object_set_new(o, "offered_per_second", json_real(r->offered_per_s));
		json_object_set_new(o, "achieved_per_second", json_real(r->achieved_per_s));
	}
	return o;
}

static json_t *http(const struct report *r)
{
	const struct books *b = &r->ends[plan_has(r->plan, CLIENT) ? CLIENT : SERVER].books;

	return json_pack("{s:o s:o s:o s:f}", "responses", number(b->responses), "wrong_status",
			 number(b->wrong_status), "wrong_length", number(b->wrong_length),
			 "responses_per_second", r->responses_per_s);
}

static json_t *latencies(const struct report *r)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < LATENCIES; i++) {
		const struct histogram *h = &r->latency[i];

		json_object_set_new(o, latency_names[i],
				    json_pack("{s:o s:o s:o s:o s:o s:o}", "count", number(h->total),
					      "p50", number(histogram_percentile(h, 0.5)), "p90",
					      number(histogram_percentile(h, 0.9)), "p99",
					      number(histogram_percentile(h, 0.99)), "p999",
					      number(histogram_percentile(h, 0.999)), "max",
					      number(h->max)));
	}
	return o;
}

static json_t *states(const struct report *r)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < HF_STATES; i++) {
		const struct hf_state_level *c = &r->ends[CLIENT].states[i],
					    *s = &r->ends[SERVER].states[i];

		json_object_set_new(o, hf_state_name((enum hf_state)i),
				    json_pack("{s:o s:o s:o}", "entered",
					      number(c->entered + s->entered), "peak",
					      number((uint64_t)c->peak + s->peak), "now",
					      number((uint64_t)c->now + s->now)));
	}
	return o;
}

static json_t *refused(const struct report *r)
{
	static const char *const why[] = { "ts", "seq", "no_listener", "no_room" };
	json_t *o = json_object();

	for (unsigned i = 0; i < sizeof(why) / sizeof(why[0]); i++) {
		char name[32];

		snprintf(name, sizeof(name), "tw_refused_%s", why[i]);
		json_object_set_new(o, why[i], number(both(r, name)));
	}
	json_object_set_new(o, "young", number(both(r, "tw_reuse_young")));
	json_object_set_new(o, "no_timestamps", number(both(r, "tw_reuse_nots")));
	return o;
}

static json_t *time_wait(const struct report *r)
{
	const struct hf_state_level *c = &r->ends[CLIENT].states[HF_TIME_WAIT],
				    *s = &r->ends[SERVER].states[HF_TIME_WAIT];

	return json_pack(
		"{s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o}", "entered",
		number(both(r, "tw_entered")), "expired", number(both(r, "tw_expired")),
		"reused_active", number(both(r, "tw_reused_active")), "reused_passive",
		number(both(r, "tw_reused_passive")), "evicted", number(both(r, "tw_evicted")),
		"overflow", number(both(r, "tw_overflow")), "reset", number(both(r, "tw_reset")),
		"restarted", number(both(r, "tw_restarted")), "refused", refused(r), "resident",
		number((uint64_t)c->now + s->now), "peak", number((uint64_t)c->peak + s->peak),
		"oldest_ms", number(report_oldest_wait_ms(r)));
}

static json_t *memory(const struct report *r)
{
	const struct hf_levels *l = report_levels(r);
	const unsigned v = report_version(r) == 6;

	return json_pack("{s:i s:i s:i s:o s:o}", "bytes_per_connection",
			 (int)l->bytes_per_connection[v], "bytes_per_request",
			 (int)l->bytes_per_request[v], "bytes_per_time_wait",
			 (int)l->bytes_per_bucket[v], "tables_bytes",
			 number(r->ends[CLIENT].levels.memory + r->ends[SERVER].levels.memory),
			 "peak_bytes", number(r->peak_octets));
}

/* A name of the user's: what is no UTF-8, and so no JSON, stands as ?. */
static json_t *user_text(const char *text)
{
	json_t *const whole = json_string(text);
	char plain[TEXT_ROOM];

	if (whole)
		return whole;
	snprintf(plain, sizeof(plain), "%s", text);
	for (char *c = plain; *c; c++)
		if (*c & 0x80)
			*c = '?';
	return json_string(plain);
}

static json_t *provenance(const struct report *r)
{
	const bool pair = r->plan->command == COMMAND_PAIR;
	char cpu[128];

	report_cpu(cpu);
	return json_pack("{s:s s:s s:[o] s:s s:o s:s s:s s:s s:o s:o s:o}", "commit", HF_COMMIT,
			 "dpdk", HF_DPDK, "devices", user_text(pair ? "net_ring" : r->s->dev),
			 "cpu", cpu, "cores", number(r->plan->cores), "layout",
			 r->plan->split ? "split" : "local", "steering",
			 hf_steering_name(r->steering), "secrets", "random", "seed",
			 number(r->s->seed), "tuples", number(r->plan->tuples), "profile",
			 user_text(r->s->profile[0] ? r->s->profile : "built in"));
}

json_t *report_object(const struct report *r)
{
	json_t *problems = json_array(), *all;

	for (unsigned i = 0; i < r->problems; i++)
		json_array_append_new(problems, json_string(r->problem[i]));
	all = json_pack("{s:s s:i s:s s:f s:o s:o s:{s:f s:f} s:o s:o s:o s:o s:o s:{s:o s:o s:o} s:o"
			" s:o s:o}",
			"handfast", hf_version(), "schema", 1, "command", plan_command(r->plan),
			"seconds", r->seconds, "connections", connections(r), "rate", rate(r),
			"cycles_per_connection", "client", r->ends[CLIENT].cycles, "server",
			r->ends[SERVER].cycles, "latency_us", latencies(r), "states", states(r),
			"time_wait", time_wait(r), "counters", counters(r, true, true), "memory",
			memory(r), "leaks", "mbufs", number(r->leaked_mbufs), "connections",
			number(r->leaked_connections), "timers", number(r->leaked_timers), "ends",
			ends(r), "problems", problems, "provenance", provenance(r));
	if (!all)
		return NULL;
	if (r->s->live || r->s->capture[0] != '\0')
		json_object_set_new(all, "watch",
				    json_pack("{s:o s:o}", "frames", number(r->watched), "lost",
					      number(r->unwatched)));
	if (r->s->app == APP_HTTP)
		json_object_set_new(all, "http", http(r));
	return all;
}

int report_json(const json_t *report, FILE *out)
{
	const int rc = json_dumpf(report, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));

	return rc < 0 || fputc('\n', out) == EOF ? -1 : 0;
}

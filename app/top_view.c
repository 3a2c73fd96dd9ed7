/* SPDX-License-Identifier: BSD-3-Clause */
/* What `handfast top` shows, as text: rates, states, books, TIME-WAIT, pools, drops, workers. Called by top.c. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "top.h"

/* ---- Samples ----------------------------------------------------------------------------------- */

void top_sample_drop(struct top_sample *s)
{
	json_decref(s->info);
	json_decref(s->counters);
	json_decref(s->states);
	json_decref(s->levels);
	json_decref(s->report);
	for (unsigned i = 0; i < TOP_WORKERS; i++) {
		json_decref(s->worker_counters[i]);
		json_decref(s->worker_states[i]);
	}
	memset(s, 0, sizeof(*s));
}

int top_sample_take(struct instance *in, struct top_sample *s, struct hf_error *why)
{
	const char *name;
	json_t *number;
	unsigned i = 0;
	bool all;

	memset(s, 0, sizeof(*s));
	s->info = instance_ask(in, why, "/handfast/info");
	all = s->info && (s->counters = instance_ask(in, why, "/handfast/counters")) &&
	      (s->states = instance_ask(in, why, "/handfast/states")) &&
	      (s->levels = instance_ask(in, why, "/handfast/levels")) &&
	      (s->report = instance_ask(in, why, "/handfast/report"));
	json_object_foreach(json_object_get(s->info, "workers"), name, number)
	{
		const unsigned worker = (unsigned)json_integer_value(number);

		if (!all || i == TOP_WORKERS)
			break;
		all = (s->worker_counters[i] =
			       instance_ask(in, why, "/handfast/counters,%u", worker)) &&
		      (s->worker_states[i] = instance_ask(in, why, "/handfast/states,%u", worker));
		i++;
	}
	if (!all)
		top_sample_drop(s);
	return all ? 0 : -EIO;
}

/* ---- Numbers ------------------------------------------------------------------------------------- */

/* In at most six places: 123456, 1234k, 12.3M. */
static const char *brief(double n, char text[16])
{
	static const char units[] = " kMGTPE";
	unsigned unit = 0;

	while (n >= (unit ? 9999.5 : 999999.5) && units[unit + 1]) {
		n /= 1000;
		unit++;
	}
	if (unit)
		snprintf(text, 16, n < 99.95 ? "%.1f%c" : "%.0f%c", n, units[unit]);
	else
		snprintf(text, 16, n < 9.95 && n != (double)(uint64_t)n ? "%.1f" : "%.0f", n);
	return text;
}

struct rates {
	const struct top_sample *last, *now;
	double seconds;
};

static double rate_of(const struct rates *r, const json_t *last, const json_t *now, const char *name)
{
	const uint64_t a = instance_number(last, name), b = instance_number(now, name);

	return b > a ? (double)(b - a) / r->seconds : 0;
}

static double rate(const struct rates *r, const char *counter)
{
	return rate_of(r, r->last->counters, r->now->counters, counter);
}

/* ---- Parts --------------------------------------------------------------------------------------- */

static void view_rates(const struct rates *r, FILE *out)
{
	char a[16], b[16], c[16], d[16], e[16];

	fprintf(out,
		"opened %s/s, accepted %s/s, closed %s/s; frames in %s/s, out %s/s; %sbit/s out\n\n",
		brief(rate(r, "active_established"), a), brief(rate(r, "passive_established"), b),
		brief(rate(r, "closed"), c), brief(rate(r, "rx_frames"), d),
		brief(rate(r, "tx_frames"), e), brief(8 * rate(r, "tx_octets"), (char[16]){ 0 }));
}

/* "SYN-SENT" of "syn_sent". */
static void view_states(const struct rates *r, FILE *out)
{
	fprintf(out, "%-14s %9s %9s %10s\n", "STATE", "now", "peak", "entered/s");
	for (unsigned i = 0; i < HF_STATES; i++) {
		const char *const state = hf_state_name((enum hf_state)i);
		char key[3][32], now[16], peak[16], entered[16];
		static const char *const parts[] = { "now", "peak", "entered" };

		for (unsigned k = 0; k < 3; k++) {
			snprintf(key[k], sizeof(key[k]), "%s_%s", state, parts[k]);
			for (char *c = key[k]; *c; c++)
				*c = *c == '-'		    ? '_' :
				     *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) :
							      *c;
		}
		if (i == HF_CLOSED || !instance_number(r->now->states, key[2]))
			continue;
		fprintf(out, "%-14s %9s %9s %10s\n", state,
			brief((double)instance_number(r->now->states, key[0]), now),
			brief((double)instance_number(r->now->states, key[1]), peak),
			brief(rate_of(r, r->last->states, r->now->states, key[2]), entered));
	}
}

/* How long a tuple waits: as many as there are, by as many as leave in a second (Little's law). */
static void view_time_wait(const struct rates *r, FILE *out)
{
	const double left = rate(r, "tw_expired") + rate(r, "tw_reused_active") +
			    rate(r, "tw_reused_passive") + rate(r, "tw_evicted") +
			    rate(r, "tw_reset");
	const double waiting = (double)instance_number(r->now->states, "time_wait_now");
	char a[16], b[16], c[16], d[16];

	fprintf(out, "\nTIME-WAIT entered %s/s, expired %s/s, reused %s/s, evicted %s/s",
		brief(rate(r, "tw_entered"), a), brief(rate(r, "tw_expired"), b),
		brief(rate(r, "tw_reused_active") + rate(r, "tw_reused_passive"), c),
		brief(rate(r, "tw_evicted"), d));
	if (left > 0)
		fprintf(out, "; a tuple waits %.1f s", waiting / left);
	fputc('\n', out);
}

static void view_books(const struct rates *r, FILE *out)
{
	static const char *const rows[] = {
		"attempted",	      "established",	"accepted",	    "closed",
		"closed_by_rst",      "failed_timeout", "failed_refused",   "failed_reset",
		"failed_unreachable", "failed_no_port", "failed_no_memory", "failed_aborted",
		"lost_reset",	      "lost_timeout",	"lost_aborted",	    "wrong_text",
		"cut_short"
	};

	fprintf(out, "\n%-20s %12s %12s\n", "BOOKS", "client", "server");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char key[2][40];

		snprintf(key[0], sizeof(key[0]), "client_%s", rows[i]);
		snprintf(key[1], sizeof(key[1]), "server_%s", rows[i]);
		if (instance_number(r->now->report, key[0]) ||
		    instance_number(r->now->report, key[1]))
			fprintf(out, "%-20s %12" PRIu64 " %12" PRIu64 "\n", rows[i],
				instance_number(r->now->report, key[0]),
				instance_number(r->now->report, key[1]));
	}
}

static void view_pools(const struct rates *r, FILE *out)
{
	static const char *const pools[][2] = { { "connections", "connections" },
						{ "requests", "half-opens" },
						{ "buckets", "2MSL records" },
						{ "ranges", "ranges" } };
	static const char *const parts[] = { "used", "peak", "size", "refused" };

	fprintf(out, "\n%-14s %9s %9s %9s %9s\n", "POOL", "used", "peak", "size", "refused");
	for (unsigned i = 0; i < 4; i++) {
		fprintf(out, "%-14s", pools[i][1]);
		for (unsigned k = 0; k < 4; k++) {
			char key[40], text[16];

			snprintf(key, sizeof(key), "%s_%s", pools[i][0], parts[k]);
			fprintf(out, " %9s",
				brief((double)instance_number(r->now->levels, key), text));
		}
		fputc('\n', out);
	}
}

/* What counts frames or connections that came to nothing. */
static bool is_drop(const char *name)
{
	static const char *const parts[] = { "_drop_", "_full", "_nombuf", "_overflow", "_lost" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(name, parts[i]))
			return true;
	return false;
}

static void view_drops(const struct rates *r, FILE *out)
{
	const uint64_t missed = instance_number(r->now->report, "device_missed");
	const char *name;
	json_t *value;
	char text[16];

	fprintf(out, "\n%-28s %12s %9s\n", "DROPS", "all", "a second");
	json_object_foreach(r->now->counters, name,
			    value) if (is_drop(name) && json_integer_value(value))
		fprintf(out, "%-28s %12" JSON_INTEGER_FORMAT " %9s\n", name,
			json_integer_value(value), brief(rate(r, name), text));
	if (missed)
		fprintf(out, "%-28s %12" PRIu64 " %9s\n", "device_missed", missed,
			brief(rate_of(r, r->last->report, r->now->report, "device_missed"), text));
}

static void view_workers(const struct rates *r, FILE *out)
{
	const char *name;
	json_t *number;
	unsigned i = 0;

	fprintf(out, "\n%-10s %9s %9s %9s %9s %9s %6s\n", "WORKER", "estab", "timewait", "closed/s",
		"in/s", "out/s", "busy");
	json_object_foreach(json_object_get(r->now->info, "workers"), name, number)
	{
		const json_t *const last = r->last->worker_counters[i],
				    *const now = r->now->worker_counters[i],
				    *const states = r->now->worker_states[i];
		const uint64_t hz = instance_number(r->now->info, "tsc_hz");
		char a[16], b[16], c[16], d[16], e[16];

		if (++i > TOP_WORKERS || !now)
			break;
		fprintf(out, "%-10s %9s %9s %9s %9s %9s %5.0f%%\n", name,
			brief((double)instance_number(states, "established_now"), a),
			brief((double)instance_number(states, "time_wait_now"), b),
			brief(rate_of(r, last, now, "closed"), c),
			brief(rate_of(r, last, now, "rx_frames"), d),
			brief(rate_of(r, last, now, "tx_frames"), e),
			hz ? 100 * rate_of(r, last, now, "busy_cycles") / (double)hz : 0);
	}
}

void top_view(const struct instance *in, const struct top_sample *last,
	      const struct top_sample *now, FILE *out)
{
	const size_t workers = json_object_size(json_object_get(now->info, "workers"));
	const uint64_t passed_us =
		instance_number(now->info, "now_us") - instance_number(last->info, "now_us");
	/* while workers are still being made there is nothing to compare */
	const bool same = json_object_size(json_object_get(last->info, "workers")) == workers;
	const struct rates r = { .last = same ? last : now,
				 .now = now,
				 .seconds = passed_us ? (double)passed_us / 1e6 : 1 };

	fprintf(out, "handfast %s, process %ld, %.0f s, %zu workers\n", in->command, in->pid,
		(double)instance_number(now->report, "elapsed_us") / 1e6, workers);
	view_rates(&r, out);
	view_states(&r, out);
	view_time_wait(&r, out);
	view_workers(&r, out);
	view_drops(&r, out);
	view_books(&r, out);
	view_pools(&r, out);
}

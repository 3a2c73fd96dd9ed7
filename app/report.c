/* SPDX-License-Identifier: BSD-3-Clause */
/* The report for people; called by run.c. What went wrong stands first. */
#include "report.h"

#include <errno.h>
#include <string.h>

#include "commit.h"

/* 1234567 as 1,234,567, for columns of %14s */
struct grouped {
	char text[32];
};

static struct grouped group(uint64_t n)
{
	struct grouped out;
	char digits[24];
	const int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	int k = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			out.text[k++] = ',';
		out.text[k++] = digits[i];
	}
	out.text[k] = '\0';
	return out;
}

#define N(x) group(x).text

static uint64_t both(const struct report *r, const char *name)
{
	return report_counter(r, CLIENT, name) + report_counter(r, SERVER, name);
}

/* A tuple comes back when its time in TIME-WAIT is over, or tw_reuse_delay: what that lets through (HF-LG7). */
static void print_portless(const struct report *r, uint64_t portless, FILE *out)
{
	const struct hf_tcp_config *const tcp = &r->s->tcp;
	const bool reused = both(r, "tw_reused_active") > 0;
	const uint64_t after_ms = reused ? tcp->tw_reuse_delay_ms + 1 : tcp->tw_len_ms;

	fprintf(out, "LOCAL PORTS RAN OUT: %s opens found no_port", N(portless));
	if (report_counter(r, CLIENT, "tw_entered"))
		fprintf(out, "; %s tuples, each %s after %s ms, carry %.0f connections/s",
			N(r->plan->tuples), reused ? "reused" : "free", N(after_ms),
			(double)r->plan->tuples * 1000 / (double)after_ms);
	fputs(". ", out);
}

/* What the figures suffer from: one line, before all others. */
static void print_troubles(const struct report *r, FILE *out)
{
	const uint64_t missed = r->ends[CLIENT].missed + r->ends[SERVER].missed;
	const uint64_t dropped = both(r, "tx_ring_full");
	const uint64_t portless = r->ends[CLIENT].books.failed[FAILED_NO_PORT];
	const bool unfinished = both(r, "seg_in") == 0 && both(r, "rx_drop_tcp_csum") > 0;
	const bool slow = r->s->rate && r->achieved_per_s < 0.99 * r->offered_per_s;

	if (slow)
		fprintf(out, "THE RATE WAS NOT KEPT: %.0f of %.0f connections/s were opened. ",
			r->achieved_per_s, r->offered_per_s);
	if (missed || dropped)
		fprintf(out, "FRAMES WERE DROPPED BY THE PORTS: %s received, %s sent. ", N(missed),
			N(dropped));
	if (portless)
		print_portless(r, portless, out);
	if (unfinished)
		fputs("ALL SEGMENTS CAME WITH WRONG CHECKSUMS. ", out);
	if (slow || missed || dropped || portless || unfinished)
		fputc('\n', out);
	for (unsigned i = 0; i < r->problems; i++)
		fprintf(out, "FAILED: %s\n", r->problem[i]);
}

static const char *app_name(enum application app)
{
	static const char *const names[] = {
		[APP_NONE] = "open and close", [APP_RR] = "request/response", [APP_ECHO] = "echo",
		[APP_DISCARD] = "discard",     [APP_CHARGEN] = "chargen",     [APP_HTTP] = "HTTP",
	};

	return names[app];
}

static const char *close_name(enum closing close)
{
	static const char *const names[] = {
		[CLOSE_AUTO] = "",
		[CLOSE_CLIENT] = "closed by the client",
		[CLOSE_SERVER] = "closed by the server",
		[CLOSE_BOTH] = "closed by both",
		[CLOSE_RST] = "closed by RST",
		[CLOSE_HALF] = "half-closed by us",
		[CLOSE_HOLD] = "held",
	};

	return names[close];
}

static void print_what(const struct report *r, FILE *out)
{
	const struct plan *p = r->plan;
	char target[HF_ADDR_TEXT];

	if (p->command == COMMAND_PAIR) {
		fprintf(out, "pair: %s, %s, IPv%d, %s, %u core%s, %u in flight\n\n",
			app_name(r->s->app), close_name(p->close), r->s->ipv6 ? 6 : 4,
			p->split ? "split" : "local", p->cores, p->cores == 1 ? "" : "s",
			p->concurrency);
		return;
	}
	fprintf(out, "%s: %s, %s, %s", plan_command(r->plan), app_name(r->s->app),
		close_name(p->close), r->s->dev);
	if (p->command == COMMAND_LOAD)
		fprintf(out, ", target %s, %u in flight",
			hf_addr_format(&(struct hf_addr){ r->s->target.at[0].range.first,
							  r->s->target.at[0].port },
				       target),
			p->concurrency);
	fputs("\n\n", out);
}

static void print_rate(const struct report *r, FILE *out)
{
	const double cycles = r->ends[CLIENT].cycles + r->ends[SERVER].cycles;

	fprintf(out, "  rate          %14s connections/s over %.3f s%s\n",
		N((uint64_t)r->connections_per_s), r->seconds,
		r->seconds > 0 ? "" : " (it ended before its warm-up)");
	if (r->s->rate)
		fprintf(out, "                %14s offered/s, %s opened/s\n",
			N((uint64_t)r->offered_per_s), N((uint64_t)r->achieved_per_s));
	fprintf(out, "                %14s packets/s, %.3f Gbit/s\n", N((uint64_t)r->packets_per_s),
		r->bits_per_s / 1e9);
	if (r->s->app != APP_NONE)
		fprintf(out, "                %14.3f Gbit/s of text\n", r->text_bits_per_s / 1e9);
	if (r->s->app == APP_HTTP)
		fprintf(out, "                %14s responses/s\n", N((uint64_t)r->responses_per_s));
	if (cycles > 0 && r->plan->command == COMMAND_PAIR)
		fprintf(out,
			"  cycles        %14.0f a connection at the client, %.0f at the server\n",
			r->ends[CLIENT].cycles, r->ends[SERVER].cycles);
	else if (cycles > 0)
		fprintf(out, "  cycles        %14.0f a connection\n", cycles);
	fprintf(out, "\n  latency, us   %14s %10s %10s %10s %10s\n", "p50", "p90", "p99", "p99.9",
		"max");
	for (unsigned i = 0; i < LATENCIES; i++) {
		const struct histogram *h = &r->latency[i];

		if (h->total == 0)
			continue;
		fprintf(out, "  %-13s %14llu %10llu %10llu %10llu %10llu\n", latency_names[i],
			(unsigned long long)histogram_percentile(h, 0.5),
			(unsigned long long)histogram_percentile(h, 0.9),
			(unsigned long long)histogram_percentile(h, 0.99),
			(unsigned long long)histogram_percentile(h, 0.999),
			(unsigned long long)h->max);
	}
}

/* A line of one column an end; "" where an end has no such number. */
static void print_book(const struct report *r, FILE *out, const char *name, const char *client,
		       const char *server)
{
	fprintf(out, "  %-13s", name);
	if (plan_has(r->plan, CLIENT))
		fprintf(out, " %14s", client);
	if (plan_has(r->plan, SERVER))
		fprintf(out, " %14s", server);
	fputc('\n', out);
}

static void print_books(const struct report *r, FILE *out)
{
	const struct books *c = &r->ends[CLIENT].books;
	const struct server_books s = server_books(r);

	fputc('\n', out);
	print_book(r, out, "books", "client", "server");
	print_book(r, out, "attempted", N(c->attempted),
		   plan_has(r->plan, CLIENT) ? "" : N(s.attempted));
	print_book(r, out, "established", N(c->established), N(s.established));
	if (plan_has(r->plan, SERVER))
		print_book(r, out, "accepted", "", N(r->ends[SERVER].books.accepted));
	print_book(r, out, "closed", N(c->closed + c->closed_by_rst), N(s.closed));
	for (unsigned i = 0; i < FAILURES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "failed: %s", failure_names[i]);
		if (c->failed[i] || (s.failed[i] && !plan_has(r->plan, CLIENT)))
			print_book(r, out, name, N(c->failed[i]), N(s.failed[i]));
	}
	for (unsigned i = 0; i < LOSSES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "lost: %s", loss_names[i]);
		if (c->lost[i] || s.lost[i])
			print_book(r, out, name, N(c->lost[i]), N(s.lost[i]));
	}
	if (c->cut_short || r->ends[SERVER].books.cut_short)
		print_book(r, out, "cut short", N(c->cut_short), N(r->ends[SERVER].books.cut_short));
	if (r->s->app == APP_HTTP)
		print_book(r, out, "responses", N(c->responses), N(r->ends[SERVER].books.responses));
	if (c->wrong_status)
		print_book(r, out, "wrong status", N(c->wrong_status), "");
	if (c->wrong_length)
		print_book(r, out, "wrong length", N(c->wrong_length), "");
	print_book(r, out, "open", N(r->ends[CLIENT].open), N(s.open));
	print_book(r, out, "opening", N(r->ends[CLIENT].opening), N(s.opening));
	fprintf(out, "  leaked        %14s mbufs, %s connections, %s timers\n", N(r->leaked_mbufs),
		N(r->leaked_connections), N(r->leaked_timers));
}

static void print_states(const struct report *r, FILE *out)
{
	fprintf(out, "\n  states        %14s %14s %14s%s\n", "entered", "peak", "now",
		r->plan->command == COMMAND_PAIR ? "   (both ends)" : "");
	for (unsigned i = 0; i < HF_STATES; i++) {
		const struct hf_state_level *c = &r->ends[CLIENT].states[i],
					    *s = &r->ends[SERVER].states[i];

		if (c->entered + s->entered)
			fprintf(out, "  %-13s %14s %14s %14s\n", hf_state_name((enum hf_state)i),
				N(c->entered + s->entered), N((uint64_t)c->peak + s->peak),
				N((uint64_t)c->now + s->now));
	}
}

const struct hf_levels *report_levels(const struct report *r)
{
	return &r->ends[plan_has(r->plan, CLIENT) ? CLIENT : SERVER].levels;
}

unsigned report_version(const struct report *r)
{
	const struct settings *s = r->s;

	if (r->plan->command == COMMAND_PAIR)
		return s->ipv6 ? 6 : 4;
	return r->plan->command == COMMAND_LOAD ? s->target.at[0].range.first.version :
						  s->addr.at[0].range.first.version;
}

uint32_t report_oldest_wait_ms(const struct report *r)
{
	const uint32_t client_ms = r->ends[CLIENT].levels.oldest_wait_ms;
	const uint32_t server_ms = r->ends[SERVER].levels.oldest_wait_ms;

	return client_ms > server_ms ? client_ms : server_ms;
}

/* The rest of TIME-WAIT's life, as far as there was any. */
static void print_waits(const struct report *r, FILE *out)
{
	const uint32_t oldest_ms = report_oldest_wait_ms(r);
	static const struct {
		const char *name, *what;
	} line[] = {
		{ "tw_restarted", "restarted by a FIN that came again" },
		{ "tw_refused_ts", "SYNs refused: an older timestamp" },
		{ "tw_refused_seq", "SYNs refused: neither timestamp nor sequence number is newer" },
		{ "tw_refused_no_listener", "SYNs refused: nobody listens" },
		{ "tw_refused_no_room", "SYNs refused: only a cookie could be sent" },
		{ "tw_reuse_young", "opens passed over one: within tcp.tw_reuse_delay" },
		{ "tw_reuse_nots", "opens passed over one: no timestamps" },
		{ "tw_reuse_unsafe", "reused without timestamps, by tcp.tw_reuse_unsafe" },
	};

	for (unsigned i = 0; i < sizeof(line) / sizeof(line[0]); i++)
		if (both(r, line[i].name))
			fprintf(out, "                %14s %s\n", N(both(r, line[i].name)),
				line[i].what);
	if (oldest_ms)
		fprintf(out, "                %14.3f s ago the oldest of those still there entered\n",
			oldest_ms / 1000.0);
}

static void print_time_wait(const struct report *r, FILE *out)
{
	const uint64_t resident = (uint64_t)r->ends[CLIENT].states[HF_TIME_WAIT].now +
				  r->ends[SERVER].states[HF_TIME_WAIT].now;
	const uint64_t peak = (uint64_t)r->ends[CLIENT].states[HF_TIME_WAIT].peak +
			      r->ends[SERVER].states[HF_TIME_WAIT].peak;
	const struct hf_tcp_config *const tcp = &r->s->tcp;
	const bool reused = tcp->tw_reuse != 0 && (tcp->timestamps || tcp->tw_reuse_unsafe);
	const uint64_t after_ms = reused ? tcp->tw_reuse_delay_ms + 1 : tcp->tw_len_ms;

	fprintf(out,
		"\n  TIME-WAIT     %14s entered = %s expired + %s reused by opens + %s by SYNs"
		" + %s evicted + %s reset + %s resident\n",
		N(both(r, "tw_entered")), N(both(r, "tw_expired")), N(both(r, "tw_reused_active")),
		N(both(r, "tw_reused_passive")), N(both(r, "tw_evicted")), N(both(r, "tw_reset")),
		N(resident));
	fprintf(out, "                %14s closed without it for want of a record (overflow)\n",
		N(both(r, "tw_overflow")));
	print_waits(r, out);
	if (!r->plan->tuples)
		return;
	fprintf(out, "  tuples        %14s = %s addresses x %s ports; at most %s were in TIME-WAIT\n",
		N(r->plan->tuples), N(r->plan->addresses), N(r->plan->tuples / r->plan->addresses),
		N(peak));
	if (r->plan->close == CLOSE_CLIENT || r->plan->close == CLOSE_BOTH)
		fprintf(out,
			"                %14s connections/s at most: a tuple is %s after %s ms\n",
			N(r->plan->tuples * 1000 / after_ms), reused ? "reused" : "free",
			N(after_ms));
	if (r->s->max_tw_buckets < r->plan->tuples)
		fprintf(out,
			"                tcp.max_tw_buckets is below the tuples: evictions are to be expected\n");
}

static void print_memory(const struct report *r, FILE *out)
{
	const struct hf_levels *c = report_levels(r);
	const unsigned v = report_version(r) == 6;
	const double client = (double)r->ends[CLIENT].levels.memory / 1048576;
	const double server = (double)r->ends[SERVER].levels.memory / 1048576;

	fprintf(out, "\n  memory        %14.1f MiB at most; ", (double)r->peak_octets / 1048576);
	if (r->plan->command == COMMAND_PAIR)
		fprintf(out, "%.1f MiB of tables at the client, %.1f at the server\n", client,
			server);
	else
		fprintf(out, "%.1f MiB of tables\n", client + server);
	fprintf(out,
		"                %14u octets a connection, %u a half-open, %u a TIME-WAIT record\n",
		c->bytes_per_connection[v], c->bytes_per_request[v], c->bytes_per_bucket[v]);
}

static void print_provenance(const struct report *r, FILE *out)
{
	char cpu[128];

	report_cpu(cpu);
	fprintf(out, "\n  handfast %s (%s), DPDK %s, ", hf_version(), HF_COMMIT, HF_DPDK);
	if (r->plan->command == COMMAND_PAIR)
		fprintf(out, "net_ring of %u frames a queue, queue n to queue n\n", r->plan->ring);
	else
		fprintf(out, "%s, %u queue%s, steering: %s\n", r->s->dev, r->plan->pairs,
			r->plan->pairs == 1 ? "" : "s", hf_steering_name(r->steering));
	fprintf(out, "  %s; secrets: random; profile: %s\n", cpu,
		r->s->profile[0] ? r->s->profile : "built in");
}

static void print_watch(const struct report *r, FILE *out)
{
	if (!r->s->live && r->s->capture[0] == '\0')
		return;
	fprintf(out, "\n  watched      %15s frames", N(r->watched));
	if (r->unwatched)
		fprintf(out, "; %s MORE FOUND NO PLACE: the trace or capture has gaps",
			N(r->unwatched));
	putc('\n', out);
}

void report_print(const struct report *r, FILE *out)
{
	print_troubles(r, out);
	print_what(r, out);
	print_rate(r, out);
	print_books(r, out);
	print_states(r, out);
	print_time_wait(r, out);
	print_memory(r, out);
	print_watch(r, out);
	print_provenance(r, out);
}

void report_cpu(char text[128])
{
	FILE *info = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(text, 128, "unknown CPU");
	while (info && fgets(line, sizeof(line), info)) {
		const char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) == 0 && colon) {
			snprintf(text, 128, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
			break;
		}
	}
	if (info)
		(void)fclose(info);
}

void report_hgrm_path(const char *prefix, unsigned i, char path[TEXT_ROOM + 32])
{
	snprintf(path, TEXT_ROOM + 32, "%s-%s.hgrm", prefix, latency_names[i]);
}

int report_hgrm(const struct report *r, const char *prefix)
{
	for (unsigned i = 0; i < LATENCIES; i++) {
		char path[TEXT_ROOM + 32];
		FILE *out;

		report_hgrm_path(prefix, i, path);
		out = fopen(path, "we");
		if (!out)
			return -errno;
		histogram_print(&r->latency[i], out);
		if (fclose(out) != 0)
			return -errno;
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The books: sums over the workers of each end, and every equation they must satisfy (DESIGN 2, 4).
 * No side of an equation is computed from the other. Called by run.c after the run. */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

const char *const failure_names[FAILURES] = {
	"timeout", "refused", "reset", "unreachable", "no_port", "no_memory", "aborted",
};
const char *const loss_names[LOSSES] = { "reset", "timeout", "aborted" };
const char *const latency_names[LATENCIES] = { "connect", "close", "transaction" };

static const char *const side_names[SIDES] = { "client", "server" };
static const char *const book_names[] = { "attempted", "established", "accepted", "closed",
					  "closed_by_rst" };
#define BOOK_NAMES ((unsigned)(sizeof(book_names) / sizeof(book_names[0])))

/* ---- Breaking one on purpose --------------------------------------------------------------- */

/* "client.established" is a book of the application, "client.tw_entered" a counter of the engine: number
 * BOOK_NAMES and up. "leaks.mbufs" belongs to no side. @return whether there is one of this name */
static bool book_find(const char *name, unsigned *side, unsigned *number)
{
	*number = 0;
	*side = SIDES;
	if (strcmp(name, "leaks.mbufs") == 0)
		return true;
	for (*side = 0; *side < SIDES; ++*side) {
		const size_t n = strlen(side_names[*side]);

		if (strncmp(name, side_names[*side], n) != 0 || name[n] != '.')
			continue;
		for (*number = 0; *number < BOOK_NAMES + hf_counters(); ++*number)
			if (strcmp(name + n + 1, *number < BOOK_NAMES ?
							 book_names[*number] :
							 hf_counter_name(*number - BOOK_NAMES)) == 0)
				return true;
	}
	return false;
}

bool books_name(const char *name)
{
	unsigned side, number;

	return book_find(name, &side, &number);
}

static void book_break(struct report *r, const char *name)
{
	unsigned side, number;

	if (!book_find(name, &side, &number))
		return;
	if (side == SIDES)
		r->leaked_mbufs++;
	else if (number >= BOOK_NAMES)
		r->ends[side].counters[number - BOOK_NAMES]++;
	else /* they open struct books in this order */
		((uint64_t *)&r->ends[side].books)[number]++;
}

/* ---- Sums ---------------------------------------------------------------------------------- */

static void level_add(struct hf_level *sum, const struct hf_level *level)
{
	sum->used += level->used;
	sum->peak += level->peak;
	sum->size += level->size;
	sum->refused += level->refused;
}

static void levels_add(struct hf_levels *sum, const struct hf_levels *levels)
{
	level_add(&sum->connections, &levels->connections);
	level_add(&sum->requests, &levels->requests);
	level_add(&sum->buckets, &levels->buckets);
	level_add(&sum->ranges, &levels->ranges);
	level_add(&sum->flights, &levels->flights);
	level_add(&sum->flows, &levels->flows);
	sum->timers += levels->timers;
	sum->orphans += levels->orphans;
	if (levels->oldest_wait_ms > sum->oldest_wait_ms)
		sum->oldest_wait_ms = levels->oldest_wait_ms;
	sum->queued_mbufs += levels->queued_mbufs;
	level_add(&sum->impair_in, &levels->impair_in);
	level_add(&sum->impair_out, &levels->impair_out);
	sum->memory += levels->memory;
	memcpy(sum->bytes_per_connection, levels->bytes_per_connection,
	       sizeof(sum->bytes_per_connection));
	memcpy(sum->bytes_per_request, levels->bytes_per_request, sizeof(sum->bytes_per_request));
	memcpy(sum->bytes_per_bucket, levels->bytes_per_bucket, sizeof(sum->bytes_per_bucket));
}

static void books_add(struct books *sum, const struct books *books)
{
	sum->attempted += books->attempted;
	sum->established += books->established;
	sum->accepted += books->accepted;
	sum->closed += books->closed;
	sum->closed_by_rst += books->closed_by_rst;
	for (unsigned i = 0; i < FAILURES; i++)
		sum->failed[i] += books->failed[i];
	for (unsigned i = 0; i < LOSSES; i++)
		sum->lost[i] += books->lost[i];
	sum->wrong_text += books->wrong_text;
	sum->cut_short += books->cut_short;
	sum->responses += books->responses;
	sum->wrong_status += books->wrong_status;
	sum->wrong_length += books->wrong_length;
}

static void end_gather(struct end_report *sum, const struct end *e)
{
	struct hf_state_level states[HF_STATES];
	struct hf_levels levels;

	books_add(&sum->books, &e->books);
	sum->opening += end_count(e, CONN_OPENING);
	sum->open += end_count(e, CONN_OPEN);
	hf_state_levels(e->w, states);
	for (unsigned i = 0; i < HF_STATES; i++) {
		sum->states[i].entered += states[i].entered;
		sum->states[i].now += states[i].now;
		sum->states[i].peak += states[i].peak;
	}
	hf_levels(e->w, &levels);
	levels_add(&sum->levels, &levels);
	for (unsigned i = 0; i < hf_counters(); i++)
		sum->counters[i] += hf_counter(e->w, i);
	if (hf_port_queue(e->port) == 0) /* of the whole device */
		sum->missed += hf_port_missed(e->port);
}

static double per_second(uint64_t n, uint64_t from_us, uint64_t to_us)
{
	return to_us > from_us ? (double)n * 1e6 / (double)(to_us - from_us) : 0;
}

/* Opens are offered until the end or --count, and no longer; how long what is open then takes to end is another matter. */
static void opens_gather(struct report *r, const struct end *e)
{
	const struct mark *from = &e->from, *to = &e->to;

	if (to->us == from->us) /* it ended with its first turn */
		return;
	r->offered_per_s += per_second(to->offered - from->offered, from->offered_us, to->offered_us);
	r->achieved_per_s +=
		per_second(to->attempted - from->attempted, from->offered_us, to->opened_us);
}

/* Rates over the time that was measured: from the first worker's start to the last one's end. */
static void rates_gather(struct report *r, struct end *const ends[SIDES])
{
	uint64_t first = UINT64_MAX, last = 0, packets = 0, octets = 0;
	uint64_t closed[SIDES] = { 0 }, cycles[SIDES] = { 0 }, text = 0, responses = 0;
	const enum side one = plan_has(r->plan, CLIENT) ? CLIENT : SERVER;

	r->offered_per_s = r->achieved_per_s = 0;
	for (unsigned side = 0; side < SIDES; side++) {
		for (unsigned i = 0; i < r->plan->pairs; i++) {
			const struct end *e = &ends[side][i];

			if (!e->w || !e->measured)
				continue;
			if (side == one && e->from.us < first)
				first = e->from.us;
			if (side == one && e->to.us > last)
				last = e->to.us;
			closed[side] += e->to.closed - e->from.closed;
			cycles[side] += e->to.cycles - e->from.cycles;
			packets += e->to.packets - e->from.packets;
			octets += e->to.octets - e->from.octets;
			text += e->to.text - e->from.text;
			responses += side == one ? e->to.responses - e->from.responses : 0;
			opens_gather(r, e);
		}
	}
	if (first >= last)
		return;
	if (one == CLIENT && (r->plan->command == COMMAND_LOAD || r->plan->close == CLOSE_RST ||
			      closed[SERVER] > closed[CLIENT]))
		closed[SERVER] = closed[CLIENT]; /* a whole connection has ended at both ends */
	r->seconds = (double)(last - first) / 1e6;
	r->connections_per_s = (double)closed[SERVER] / r->seconds;
	r->packets_per_s = (double)packets / r->seconds;
	r->bits_per_s = (double)octets * 8 / r->seconds;
	r->text_bits_per_s = (double)text * 8 / r->seconds;
	r->responses_per_s = (double)responses / r->seconds;
	for (unsigned side = 0; side < SIDES && closed[SERVER]; side++)
		r->ends[side].cycles = (double)cycles[side] / (double)closed[SERVER];
}

/* ---- Equations ----------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void problem(struct report *r, const char *format, ...)
{
	va_list ap;

	if (r->problems == MAX_PROBLEMS)
		return;
	va_start(ap, format);
	vsnprintf(r->problem[r->problems++], sizeof(r->problem[0]), format, ap);
	va_end(ap);
}

static void equal(struct report *r, const char *side, const char *equation, uint64_t left,
		  uint64_t right)
{
	if (left != right)
		problem(r, "%s%s%s: %llu against %llu", side, side[0] ? ": " : "", equation,
			(unsigned long long)left, (unsigned long long)right);
}

uint64_t report_counter(const struct report *r, enum side side, const char *name)
{
	for (unsigned i = 0; i < hf_counters(); i++)
		if (strcmp(hf_counter_name(i), name) == 0)
			return r->ends[side].counters[i];
	return 0;
}

struct server_books server_books(const struct report *r)
{
	const struct end_report *end = &r->ends[SERVER];
	struct server_books out = {
		.attempted = report_counter(r, SERVER, "request_opened") +
			     report_counter(r, SERVER, "cookie_ok"),
		.established = report_counter(r, SERVER, "passive_established"),
		.closed = end->books.closed + end->books.closed_by_rst,
		.open = end->open,
		.opening = end->levels.requests.used,
	};

	out.failed[FAILED_TIMEOUT] = report_counter(r, SERVER, "synack_timeout");
	out.failed[FAILED_RESET] = report_counter(r, SERVER, "request_reset");
	out.failed[FAILED_UNREACHABLE] = report_counter(r, SERVER, "request_unreachable");
	out.failed[FAILED_NO_MEMORY] = report_counter(r, SERVER, "request_overflow");
	out.failed[FAILED_ABORTED] = report_counter(r, SERVER, "request_unlistened");
	/* those that ended before they were accepted are in nobody's books but the engine's */
	out.lost[LOST_RESET] =
		end->books.lost[LOST_RESET] + report_counter(r, SERVER, "unaccepted_reset");
	out.lost[LOST_TIMEOUT] =
		end->books.lost[LOST_TIMEOUT] + report_counter(r, SERVER, "unaccepted_timeout");
	out.lost[LOST_ABORTED] =
		end->books.lost[LOST_ABORTED] + report_counter(r, SERVER, "unaccepted_aborted");
	return out;
}

static uint64_t sum_failed(const struct books *books)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < FAILURES; i++)
		sum += books->failed[i];
	return sum;
}

static uint64_t sum_lost(const struct books *books)
{
	return books->lost[LOST_RESET] + books->lost[LOST_TIMEOUT] + books->lost[LOST_ABORTED];
}

/* All counters whose names begin so. */
static uint64_t sum_prefixed(const struct report *r, enum side side, const char *prefix)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < hf_counters(); i++)
		if (strncmp(hf_counter_name(i), prefix, strlen(prefix)) == 0)
			sum += r->ends[side].counters[i];
	return sum;
}

/* What the application saw against what the engine counted. */
static void check_application(struct report *r, enum side side)
{
	const struct end_report *end = &r->ends[side];
	const struct books *b = &end->books;
	const char *name = side_names[side];
	const uint64_t begun = side == CLIENT ? b->established : b->accepted;
	const bool pair = r->plan->command == COMMAND_PAIR;

	equal(r, name, "attempted = established + failed + opening", b->attempted,
	      side == CLIENT ? b->established + sum_failed(b) + end->opening : 0);
	equal(r, name,
	      side == CLIENT ? "established = closed + lost + open" :
			       "accepted = closed + lost + open",
	      begun, b->closed + b->closed_by_rst + sum_lost(b) + end->open);
	equal(r, name, "attempted, as the engine counts", b->attempted,
	      report_counter(r, side, "active_attempted"));
	equal(r, name, "established, as the engine counts", b->established,
	      report_counter(r, side, "active_established"));
	equal(r, name, "accepted, as the engine counts", b->accepted,
	      report_counter(r, side, "accepted"));
	/* CLOSE has ended for the application when FIN-WAIT-2 is left to a record (HF-FW2-1). */
	equal(r, name, "closed, as the engine counts", b->closed,
	      report_counter(r, side, "closed") + report_counter(r, side, "fw2_timeout") +
		      report_counter(r, side, "fw2_reset") + end->states[HF_FIN_WAIT_2].now);
	equal(r, name, "failed, as the engine counts", sum_failed(b),
	      sum_prefixed(r, side, "failed_"));
	equal(r, name, "lost by timeout, as the engine counts",
	      b->lost[LOST_TIMEOUT] + report_counter(r, side, "fw2_timeout"),
	      report_counter(r, side, "lost_timeout"));
	if (side == CLIENT)
		equal(r, name, "reset, as the engine counts",
		      b->lost[LOST_RESET] + b->lost[LOST_ABORTED] + b->closed_by_rst +
			      report_counter(r, side, "fw2_reset"),
		      report_counter(r, side, "lost_reset") + report_counter(r, side, "lost_aborted"));
	if (b->wrong_text && (side == CLIENT || pair))
		problem(r, "%s: %llu connections carried %s", name, (unsigned long long)b->wrong_text,
			r->s->app == APP_HTTP ?
				"a response that is not 200, not of the right length or not HTTP" :
				"a text that was not sent");
	if (b->cut_short && pair)
		problem(r, "%s: %llu connections ended before all of their text was there", name,
			(unsigned long long)b->cut_short);
}

/* The engine's own counters and levels. */
static void check_engine(struct report *r, enum side side)
{
	const struct end_report *end = &r->ends[side];
	const char *name = side_names[side];
	const uint64_t established = report_counter(r, side, "active_established") +
				     report_counter(r, side, "passive_established");
	const uint64_t waits = end->states[HF_TIME_WAIT].entered;
	const uint64_t recorded = report_counter(r, side, "tw_entered");
	uint64_t open = 0;

	for (unsigned i = HF_ESTABLISHED; i <= HF_LAST_ACK; i++)
		open += end->states[i].now;
	equal(r, name, "connections established = closed + lost + open", established,
	      report_counter(r, side, "closed") + sum_prefixed(r, side, "lost_") + open);
	equal(r, name, "ESTABLISHED entered", end->states[HF_ESTABLISHED].entered, established);
	/* Of those that found no record (TW-L2) some were in TIME-WAIT, and some in FIN-WAIT-2. */
	if (waits < recorded || waits > recorded + report_counter(r, side, "tw_overflow"))
		equal(r, name, "TIME-WAIT entered", waits, recorded);
	equal(r, name, "TIME-WAIT entered = expired + reused + evicted + reset + resident", recorded,
	      report_counter(r, side, "tw_expired") + report_counter(r, side, "tw_reused_active") +
		      report_counter(r, side, "tw_reused_passive") +
		      report_counter(r, side, "tw_evicted") + report_counter(r, side, "tw_reset") +
		      end->states[HF_TIME_WAIT].now);
	equal(r, name, "half-opens made = ended + resident",
	      report_counter(r, side, "request_opened"),
	      report_counter(r, side, "request_established") +
		      report_counter(r, side, "synack_timeout") +
		      report_counter(r, side, "request_reset") +
		      report_counter(r, side, "request_unreachable") +
		      report_counter(r, side, "request_unlistened") +
		      report_counter(r, side, "request_overflow") + end->levels.requests.used);
	if (report_counter(r, side, "impair_in") + report_counter(r, side, "impair_out") > 0)
		equal(r, name, "frames to the bad link = past it + lost + held",
		      report_counter(r, side, "impair_in") + report_counter(r, side, "impair_out") +
			      report_counter(r, side, "impair_duplicated"),
		      report_counter(r, side, "rx_frames") + report_counter(r, side, "tx_frames") +
			      report_counter(r, side, "tx_ring_full") +
			      report_counter(r, side, "impair_lost") +
			      report_counter(r, side, "impair_overflow") +
			      end->levels.impair_in.used + end->levels.impair_out.used);
	equal(r, name, "frames in = consumed + answered + handed over + dropped",
	      report_counter(r, side, "rx_frames") + report_counter(r, side, "rx_taken_over"),
	      report_counter(r, side, "rx_consumed") + report_counter(r, side, "rx_answered") +
		      report_counter(r, side, "rx_handed_over") + sum_prefixed(r, side, "rx_drop_"));
}

/* One end against the other. A client's connection may end before the server has seen its ACK. */
static void check_across(struct report *r)
{
	const struct books *client = &r->ends[CLIENT].books, *server = &r->ends[SERVER].books;
	const uint64_t seen = report_counter(r, SERVER, "passive_established");
	const uint64_t unseen = client->closed_by_rst + sum_lost(client);

	if (seen > client->established || client->established > seen + unseen)
		equal(r, "", "established at the client and at the server", client->established,
		      seen);
	if (sum_lost(client) + sum_lost(server) + client->closed_by_rst == 0)
		equal(r, "", "closed at the client and at the server", client->closed,
		      server->closed);
	/* what comes to a bad link has been received; what it makes of that is in the books of its end */
	equal(r, "", "frames sent by the client and received by the server",
	      report_counter(r, CLIENT, "tx_frames"), report_counter(r, SERVER, "rx_frames"));
	equal(r, "", "frames sent by the server and received by the client",
	      report_counter(r, SERVER, "tx_frames"),
	      report_counter(r, CLIENT, r->plan->impaired ? "impair_in" : "rx_frames"));
}

static void check_leaks(struct report *r)
{
	for (unsigned side = 0; side < SIDES; side++) {
		const struct hf_levels *levels = &r->ends[side].levels;
		const uint64_t kept = (uint64_t)levels->connections.used + levels->requests.used;

		r->leaked_connections += kept;
		/* every resident bucket has a timer, and nothing else has */
		r->leaked_timers += levels->timers > levels->buckets.used ?
					    levels->timers - levels->buckets.used :
					    levels->buckets.used - levels->timers;
	}
	if (r->leaked_mbufs)
		problem(r, "leak: %llu mbufs", (unsigned long long)r->leaked_mbufs);
	if (r->leaked_connections)
		problem(r, "leak: %llu connections", (unsigned long long)r->leaked_connections);
	if (r->leaked_timers)
		problem(r, "leak: %llu timers", (unsigned long long)r->leaked_timers);
}

/* ---- All of it ----------------------------------------------------------------------------- */

static void verify(struct report *r, struct end *const ends[SIDES])
{
	struct hf_error why;

	for (enum side side = CLIENT; side <= SERVER; side++)
		for (unsigned i = 0; plan_has(r->plan, side) && i < r->plan->pairs; i++)
			if (hf_check(ends[side][i].w, &why) < 0)
				problem(r, "%s %u: %.150s", side_names[side], i, why.text);
}

/* Mbufs that nobody accounts for. Both ports of a pair share one pool; a device of another kind holds some
 * of its own, and where that number varies nothing can be said. */
static uint64_t leaked_mbufs(const struct report *r, struct end *const ends[SIDES])
{
	const enum side one = plan_has(r->plan, CLIENT) ? CLIENT : SERVER;
	const uint32_t used = hf_port_mbufs_used(ends[one][0].port);
	const uint32_t known = r->ends[CLIENT].levels.queued_mbufs +
			       r->ends[SERVER].levels.queued_mbufs + ends[one][0].mbufs;

	return r->plan->exact ? used - known : 0;
}

static void check_all(struct report *r, struct end *const ends[SIDES])
{
	const enum side one = plan_has(r->plan, CLIENT) ? CLIENT : SERVER;

	if (r->s->break_books[0])
		book_break(r, r->s->break_books);
	for (enum side side = CLIENT; side <= SERVER; side++) {
		if (!plan_has(r->plan, side))
			continue;
		check_application(r, side);
		check_engine(r, side);
	}
	if (r->plan->command == COMMAND_PAIR)
		check_across(r);
	check_leaks(r);
	if (r->s->verify)
		verify(r, ends);
	if (one == CLIENT && r->ends[CLIENT].books.established == 0 && !r->interrupted)
		problem(r, "no connection was established");
}

int report_gather(struct report *r, struct end *const ends[SIDES])
{
	struct rusage usage;

	for (enum side side = CLIENT; side <= SERVER; side++) {
		r->ends[side].counters = calloc(hf_counters(), sizeof(uint64_t));
		if (!r->ends[side].counters)
			return -ENOMEM;
		for (unsigned i = 0; plan_has(r->plan, side) && i < r->plan->pairs; i++) {
			const struct end *e = &ends[side][i];

			end_gather(&r->ends[side], e);
			if (side == SERVER && plan_has(r->plan, CLIENT))
				continue;
			histogram_add(&r->latency[LATENCY_CONNECT], &e->connect);
			histogram_add(&r->latency[LATENCY_CLOSE], &e->close);
			histogram_add(&r->latency[LATENCY_TRANSACTION], &e->transaction);
		}
	}
	rates_gather(r, ends);
	r->leaked_mbufs = leaked_mbufs(r, ends);
	getrusage(RUSAGE_SELF, &usage);
	r->peak_octets = (uint64_t)usage.ru_maxrss * 1024;
	check_all(r, ends);
	return 0;
}

void report_free(struct report *r)
{
	free(r->ends[CLIENT].counters);
	free(r->ends[SERVER].counters);
}

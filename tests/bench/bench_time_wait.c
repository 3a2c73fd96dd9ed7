/* SPDX-License-Identifier: BSD-3-Clause */
/* HF-GOAL-12: one worker with millions of 2MSL records, entered by real closes (SYN, ACK and FIN of a peer made here)
 * and left by expiry, a million of each a second of the virtual clock; late FINs and SYNs sample what is there. Then a
 * quarter of all records end in one tick. bench_time_wait [RECORDS [RUNS]] prints figures of real time, and exits 1 if a
 * record is lost, early, evicted, or gives a wrong answer.
 * What a turn does is the same in every run, what the machine does meanwhile is not: a turn that is long for what is
 * done in it is long each time. So the steady state's turns are told by the fastest run of each, too. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "handfast.h"
#include "rig/frame.h"

#define OPENS 10 /* connections begun a turn */
#define EVENTS 64
#define PORTS 50000u /* of one peer address */
#define PORT_FIRST 10000u
#define RECENT (1u << 16) /* closes remembered, to be sampled when they are this old */
#define SAMPLE 64	  /* one of so many closes comes again */
#define LONG_TURN_NS 100000
#define RUNS 3

struct closed {
	uint32_t tuple, seq, ack; /* of the peer's FIN */
};

struct turns {
	uint64_t count, ns, longest_ns, long_ones;
};

struct bench {
	struct hf_worker *w;
	struct hf_port *port;
	struct hf_addr target;
	struct frame_form form;
	struct frame frame; /* the last one out */
	uint64_t now_us;
	uint32_t tuples, next;			   /* tuples are taken by turns */
	uint64_t closes, acks, late_fin, late_syn; /* the peer's FINs, the ACKs of them, samples */
	struct closed recent[RECENT];
	struct turns turns;
	unsigned runs;	 /* so far */
	uint32_t *least; /* ns of each turn in the steady state, in the fastest run */
	bool steady;
};

static uint64_t thread_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t counter(const struct bench *b, const char *name)
{
	return hf_counter_named(b->w, name);
}

/* ---- The peer ------------------------------------------------------------------------------------------------ */

static struct hf_addr tuple_address(uint32_t n)
{
	const uint32_t host = n / PORTS + 1;

	return (struct hf_addr){ .ip = { .octets = { 198, 18, (uint8_t)(host >> 8), (uint8_t)host },
					 .version = 4 },
				 .port = (uint16_t)(PORT_FIRST + n % PORTS) };
}

static uint32_t tuple_of(const struct hf_addr *addr)
{
	const uint32_t host = (uint32_t)addr->ip.octets[2] << 8 | addr->ip.octets[3];

	return (host - 1) * PORTS + addr->port - PORT_FIRST;
}

static void peer_sends(struct bench *b, uint32_t tuple, struct seg seg)
{
	const struct hf_addr from = tuple_address(tuple);
	uint8_t raw[FRAME_MAX];
	size_t len;

	seg.wnd = 8192;
	seg.options |= OPT_TS;
	seg.tsval = (uint32_t)(b->now_us / 1000);
	len = frame_build(raw, &b->form, &from, &b->target, &seg, NULL, NULL, 0);
	if (hf_memport_push(b->port, raw, len, &(struct hf_push){ 0 }) != 0)
		abort();
}

static void peer_opens(struct bench *b, uint32_t tuple, uint32_t seq)
{
	peer_sends(b, tuple,
		   (struct seg){ .seq = seq, .flags = SEG_SYN, .options = OPT_MSS, .mss = 1460 });
}

/* The peer remembers nothing: what came says all that its answer needs. */
static void peer_answers(struct bench *b)
{
	const struct frame_form form = {
		.l2 = true, .to = { 2, 0, 0, 0, 0, 2 }, .from = { 2, 0, 0, 0, 0, 1 }, .ttl = 64
	};
	ssize_t len;

	while ((len = hf_memport_pop(b->port, b->frame.raw, sizeof(b->frame.raw))) > 0) {
		const struct seg *const seg = &b->frame.seg;
		struct seg reply = { .flags = SEG_ACK };
		uint32_t tuple;

		b->frame.len = (size_t)len;
		if (frame_parse(&b->frame, &form) != NULL)
			abort();
		tuple = tuple_of(&b->frame.dst);
		reply.seq = seg->ack;
		reply.ack = seg->seq + 1;
		reply.tsecr = seg->tsval;
		if (seg->flags & SEG_FIN) {
			reply.flags |= SEG_FIN;
			b->recent[b->closes++ % RECENT] =
				(struct closed){ tuple, reply.seq, reply.ack };
		} else if (!(seg->flags & SEG_SYN)) {
			b->acks++;
			continue;
		}
		peer_sends(b, tuple, reply);
	}
}

/* A close of a while ago: its FIN once more, or a SYN that wants the tuple again. */
static void peer_comes_late(struct bench *b, uint64_t close)
{
	const struct closed *const c = &b->recent[close % RECENT];

	if (close / SAMPLE % 2 == 0) {
		b->late_fin++;
		peer_sends(b, c->tuple,
			   (struct seg){ .seq = c->seq, .ack = c->ack, .flags = SEG_FIN | SEG_ACK });
	} else {
		b->late_syn++;
		peer_opens(b, c->tuple, c->seq + 100000);
	}
}

/* ---- The worker ---------------------------------------------------------------------------------------------- */

static void turn(struct bench *b)
{
	const uint64_t from_ns = thread_ns();
	struct hf_event events[EVENTS];
	const unsigned n = hf_turn(b->w, b->now_us, events, EVENTS);
	uint64_t ns;

	for (unsigned i = 0; i < n; i++) {
		uint64_t id;

		if ((events[i].what & HF_EV_ACCEPT) &&
		    hf_accept(b->w, events[i].listener, 1, &id) == 0)
			hf_close(b->w, id);
	}
	hf_flush(b->w, b->now_us);
	ns = thread_ns() - from_ns;
	if (b->steady && (b->runs == 0 || ns < b->least[b->turns.count]))
		b->least[b->turns.count] = (uint32_t)ns;
	b->turns.count++;
	b->turns.ns += ns;
	b->turns.long_ones += ns > LONG_TURN_NS;
	if (ns > b->turns.longest_ns)
		b->turns.longest_ns = ns;
	peer_answers(b);
}

/* Turns with as many new connections in each, the clock moving on by step_us, until so many closes more. */
static void live(struct bench *b, uint64_t closes, uint64_t step_us)
{
	uint64_t sampled = b->closes;

	for (const uint64_t end = b->closes + closes; b->closes < end;) {
		for (unsigned i = 0; i < OPENS; i++) {
			peer_opens(b, b->next, b->next * 2654435761u);
			b->next = (b->next + 1) % b->tuples;
		}
		for (; step_us && sampled + RECENT / 2 < b->closes; sampled++)
			if (sampled % SAMPLE == 0)
				peer_comes_late(b, sampled);
		turn(b);
		b->now_us += step_us;
	}
	for (unsigned i = 0; i < 8; i++) /* what has begun ends */
		turn(b);
}

static void idle(struct bench *b, uint64_t us)
{
	for (const uint64_t end_us = b->now_us + us; b->now_us < end_us; b->now_us += 1000)
		turn(b);
}

static uint32_t resident(const struct bench *b)
{
	struct hf_levels levels;

	hf_levels(b->w, &levels);
	return levels.buckets.used;
}

/* ---- Figures ------------------------------------------------------------------------------------------------- */

static void print_turns(const char *what, const struct turns *t)
{
	printf("HF-GOAL-12: %s: %lu turns, %.2f us the mean, %.1f us the longest, %lu over 100 us\n",
	       what, (unsigned long)t->count, (double)t->ns / 1000 / (double)t->count,
	       (double)t->longest_ns / 1000, (unsigned long)t->long_ones);
}

static void print_least(const struct bench *b)
{
	struct turns least = { .count = b->turns.count };

	for (uint64_t i = 0; i < least.count; i++) {
		least.ns += b->least[i];
		least.long_ones += b->least[i] > LONG_TURN_NS;
		if (b->least[i] > least.longest_ns)
			least.longest_ns = b->least[i];
	}
	print_turns("in the steady state, each in its fastest run so far", &least);
}

/* Entries and exits at one rate, after the records have filled. */
static void steady(struct bench *b, uint64_t records, uint64_t tw_len_us)
{
	const uint64_t step_us = OPENS * tw_len_us / records;
	struct rusage before, after;
	uint64_t entered, expired, from_us;

	live(b, records, step_us);
	print_turns("filling", &b->turns);
	entered = counter(b, "tw_entered");
	expired = counter(b, "tw_expired") + counter(b, "tw_reused_passive");
	from_us = b->now_us;
	b->turns = (struct turns){ 0 };
	b->steady = true;
	getrusage(RUSAGE_THREAD, &before);
	live(b, records, step_us);
	getrusage(RUSAGE_THREAD, &after);
	b->steady = false;
	entered = counter(b, "tw_entered") - entered;
	printf("HF-GOAL-12: %u resident; %lu entered and %lu left in %.2f s of the virtual clock, %.2f s of the CPU: "
	       "%.2f M/s of each\n",
	       resident(b), (unsigned long)entered,
	       (unsigned long)(counter(b, "tw_expired") + counter(b, "tw_reused_passive") - expired),
	       (double)(b->now_us - from_us) / 1e6, (double)b->turns.ns / 1e9,
	       (double)entered * 1000 / (double)b->turns.ns);
	print_turns("in the steady state", &b->turns);
	printf("HF-GOAL-12: meanwhile the CPU was taken away %ld times, and %ld pages were missing\n",
	       after.ru_nivcsw - before.ru_nivcsw, after.ru_minflt - before.ru_minflt);
	if (b->runs > 0)
		print_least(b);
}

/* So many records end in one tick: spread over turns, none early, and the clock goes by what a turn takes. */
static bool crowd(struct bench *b, uint64_t records, uint64_t tw_len_us)
{
	uint64_t due_us, ns, expired;

	idle(b, 2 * tw_len_us);
	live(b, records, 0);
	expired = counter(b, "tw_expired");
	due_us = b->now_us + tw_len_us;
	idle(b, tw_len_us - 1000);
	if (resident(b) < records || counter(b, "tw_expired") != expired)
		return false;
	b->now_us = due_us;
	b->turns = (struct turns){ 0 };
	for (ns = 0; resident(b) != 0; ns = b->turns.ns) {
		turn(b);
		b->now_us = due_us + b->turns.ns / 1000;
	}
	printf("HF-GOAL-12: %lu deadlines in one tick, the last one %.1f ms late\n",
	       (unsigned long)(counter(b, "tw_expired") - expired), (double)ns / 1e6);
	print_turns("of the crowd", &b->turns);
	return true;
}

static bool verify(const struct bench *b)
{
	static const char *const zero[] = { "tw_evicted", "tw_overflow", "challenge_sent",
					    "rst_out", "tx_nombuf" };
	bool right = counter(b, "tw_entered") == b->closes &&
		     counter(b, "tw_restarted") == b->late_fin &&
		     counter(b, "tw_reused_passive") == b->late_syn &&
		     b->acks == b->closes + b->late_fin &&
		     counter(b, "tw_entered") ==
			     counter(b, "tw_expired") + counter(b, "tw_reused_passive");

	for (unsigned i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
		right &= counter(b, zero[i]) == 0;
	printf("HF-GOAL-12: %lu late FINs acknowledged, %lu late SYNs accepted of %lu closes: %s\n",
	       (unsigned long)b->late_fin, (unsigned long)b->late_syn, (unsigned long)b->closes,
	       right ? "the books balance" : "THE BOOKS DO NOT BALANCE");
	return right;
}

static void start(struct bench *b, uint32_t records, uint64_t tw_len_us)
{
	struct hf_config config;
	struct hf_error why;
	struct hf_levels levels;
	uint32_t listener;

	if (hf_port_memory(&(struct hf_memport){ .name = "bench", .mbufs = 8192, .frames = 4096 },
			   &b->port, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	hf_config_defaults(&config);
	config.ipv4 = (struct hf_sizes){ .connections = 4096, .requests = 4096, .buckets = records };
	config.ipv6 = (struct hf_sizes){ 0 };
	config.seed = (struct hf_seed){ .seeded = true, .seed = 1 };
	config.tcp.tw_len_ms = (uint32_t)(tw_len_us / 1000);
	hf_addr_parse("198.19.0.1:80", &b->target);
	config.local[config.locals++] = (struct hf_ip_range){ b->target.ip, 1 };
	memcpy(config.mac, (uint8_t[]){ 2, 0, 0, 0, 0, 1 }, 6);
	memcpy(config.gateway_mac, (uint8_t[]){ 2, 0, 0, 0, 0, 2 }, 6);
	b->form = (struct frame_form){
		.l2 = true, .to = { 2, 0, 0, 0, 0, 1 }, .from = { 2, 0, 0, 0, 0, 2 }, .ttl = 64
	};
	if (hf_worker_create(&config, b->port, &b->w, &why) != 0 ||
	    hf_listen(b->w, &b->target, 1, &listener) != 0) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	hf_levels(b->w, &levels);
	printf("HF-GOAL-12: %u records of %u octets, %.0f MiB of tables\n", records,
	       levels.bytes_per_bucket[0], (double)levels.memory / 1048576);
}

static bool run(struct bench *b, uint32_t records)
{
	const uint32_t kept = records - records / 16; /* late FINs keep some for longer */
	const uint64_t tw_len_us =
		kept < 1000000 ? 1000000 : (kept / 8000 + 1) * 8000; /* 8 ms: a record's unit */
	bool right;

	*b = (struct bench){
		.now_us = 1000000, .tuples = records * 2, .runs = b->runs, .least = b->least
	};
	start(b, records, tw_len_us);
	steady(b, kept, tw_len_us);
	right = crowd(b, records / 4, tw_len_us);
	right &= verify(b);
	hf_worker_destroy(b->w);
	hf_port_free(b->port);
	return right;
}

int main(int argc, char **argv)
{
	static struct bench b;
	const uint32_t records = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 4194304;
	const unsigned runs = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : RUNS;
	struct hf_error why;
	bool right = true;

	b.least = calloc(records, sizeof(*b.least)); /* a turn has OPENS closes or so */
	if (b.least == NULL ||
	    hf_env_start(&(struct hf_env){ .program = "bench_time_wait", .memory_mb = 64 }, &why) != 0)
		return 1;
	for (; b.runs < runs; b.runs++)
		right &= run(&b, records);
	free(b.least);
	hf_env_stop();
	return right ? 0 : 1;
}

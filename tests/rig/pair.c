/* SPDX-License-Identifier: BSD-3-Clause */
/* Steps two engines and the link between them, and runs rows over them. See pair.h. */
#include "rig/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/books.h"
#include "rig/frame.h"

#define BURST 32	     /* frames a turn takes */
#define STEPS_A_RUN 20000000 /* no sane run is longer without a step of the caller's */
#define TIMES_AT_ONCE 100000 /* steps without the clock moving: a livelock */
#define LONGEST SEC(3 * 3600)

/* What cmocka hands to the functions below. */
struct pair_case {
	const struct pair_row *row;
	struct hf_port *port[2];
	unsigned long count;
	uint64_t seed;
	struct pair *pair; /* while a variant runs */
};

static const uint32_t offsets[3] = { 1, 0x7ffffffe, 0xfffffffe };
static const char *const offset_names[3] = { "from 1", "across 2^31", "across 2^32" };

/* ---- Trace ----------------------------------------------------------------------------------- */

static void print_frame(const struct pair_log *log)
{
	const struct frame_form form = { .ttl = 64 };
	char text[256], src[HF_ADDR_TEXT], dst[HF_ADDR_TEXT];
	struct frame f = { .len = log->len };
	const char *wrong;

	memcpy(f.raw, log->raw, log->len);
	wrong = frame_parse(&f, &form);
	print_error("  %12.6f %s > %s: %s", (double)log->at_us / 1e6, hf_addr_format(&f.src, src),
		    hf_addr_format(&f.dst, dst), frame_describe(text, sizeof(text), &f.seg));
	if (log->fate.word[0])
		print_error(" [%s]", log->fate.word);
	if (log->fate.at_us != 0)
		print_error(" +%.6f", (double)(log->fate.at_us - log->at_us) / 1e6);
	print_error("%s%s\n", wrong ? " ! " : "", wrong ? wrong : "");
}

static void print_trace(const struct pair *p)
{
	const unsigned first = p->logged > PAIR_LOG ? p->logged - PAIR_LOG : 0;

	print_error("  variant %u: IPv%u, %s timestamps, sequence numbers %s\n", p->variant,
		    p->side[0].addr.ip.version, p->side[0].config.tcp.timestamps ? "with" : "without",
		    p->side[0].config.seed.iss_fixed ? offset_names[p->variant % 3] : "at random");
	for (unsigned i = first; i < p->logged; i++)
		print_frame(&p->log[i % PAIR_LOG]);
	print_error("  %12.6f now\n", (double)p->now_us / 1e6);
}

void pair_fail_at(const char *file, int line, const struct pair *p, const char *format, ...)
{
	va_list args;

	print_error("  %s: ", p->row->name);
	va_start(args, format);
	vprint_error(format, args);
	va_end(args);
	print_error("\n");
	_fail(file, line);
	abort(); /* _fail does not return */
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static void log_frame(struct pair *p, unsigned from, const uint8_t *raw, size_t len,
		      struct link_fate fate)
{
	struct pair_log *const log = &p->log[p->logged++ % PAIR_LOG];

	log->at_us = p->now_us;
	log->from = from;
	log->fate = fate;
	log->len = len;
	memcpy(log->raw, raw, len);
}

static void verify(const struct pair *p, const uint8_t *raw, size_t len)
{
	const struct frame_form form = { .ttl = 64 };
	struct frame f = { .len = len };
	const char *wrong;

	memcpy(f.raw, raw, len);
	wrong = frame_parse(&f, &form);
	if (wrong)
		pair_fail(p, "a frame came out that should not: %s", wrong);
}

static void collect(struct pair *p, unsigned side)
{
	uint8_t raw[LINK_FRAME_MAX];
	ssize_t len;

	while ((len = hf_memport_pop(p->side[side].port, raw, sizeof(raw))) >= 0) {
		if (len > p->side[side].config.mtu) /* MUST-16 */
			pair_fail(p, "a frame of %zd octets came out of side %u", len, side);
		log_frame(p, side, raw, (size_t)len,
			  link_send(p->link, side, raw, (size_t)len, p->now_us));
		if (p->logged % p->verify_every == 0)
			verify(p, raw, (size_t)len);
	}
}

static void check(struct pair *p, unsigned side)
{
	const struct hf_worker *const w = p->side[side].w;
	struct hf_error why;

	if (p->check_every == 0 || p->steps % p->check_every != 0)
		return;
	if (hf_check(w, &why) != 0)
		pair_fail(p, "hf_check of side %u: %s", side, why.text);
	if (books_wrong(w, &why))
		pair_fail(p, "books of side %u: %s", side, why.text);
}

static void turn(struct pair *p, unsigned side)
{
	struct hf_worker *const w = p->side[side].w;
	struct hf_event events[PAIR_EVENTS];
	const unsigned n = hf_turn(w, p->now_us, events, PAIR_EVENTS);

	if (p->app)
		p->app(p, side, events, n);
	hf_flush(w, p->now_us);
	collect(p, side);
	check(p, side);
}

/* Frames that have arrived, as many as a turn takes. @return how many came to each side */
static void deliver(struct pair *p, unsigned came[2])
{
	const struct link_frame *f;

	while (came[0] < BURST && came[1] < BURST && (f = link_receive(p->link, p->now_us)) != NULL) {
		const unsigned to = !f->from;

		/* a full pool is a loss like another, and the port counts it */
		(void)hf_memport_push(p->side[to].port, f->raw, f->len, NULL);
		came[to]++;
	}
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void pair_step(struct pair *p, uint64_t end_us)
{
	const uint64_t wake_us = p->wake_us;
	uint64_t due_us[2], at_us;
	unsigned came[2] = { 0, 0 };

	for (unsigned i = 0; i < 2; i++)
		due_us[i] = hf_next_deadline(p->side[i].w);
	at_us = earliest(earliest(due_us[0], due_us[1]), earliest(link_next(p->link), wake_us));
	p->now_us = at_us < p->now_us ? p->now_us : earliest(at_us, end_us);
	p->steps++;
	deliver(p, came);
	if (wake_us <= p->now_us)
		p->wake_us = UINT64_MAX;
	for (unsigned i = 0; i < 2; i++)
		if (came[i] > 0 || due_us[i] <= p->now_us || wake_us <= p->now_us || at_us >= end_us)
			turn(p, i);
}

/* Steps until done, if there is such, or the end. @return whether it was done in time */
static bool steps(struct pair *p, bool (*done)(const struct pair *p), uint64_t us)
{
	const uint64_t end_us = p->now_us + us;
	uint64_t same = 0, total = 0;

	while (!done || !done(p)) {
		const uint64_t before_us = p->now_us;

		if (before_us >= end_us)
			return false;
		pair_step(p, end_us);
		same = p->now_us == before_us ? same + 1 : 0;
		if (same > TIMES_AT_ONCE || ++total > STEPS_A_RUN)
			pair_fail(p, "livelock: %llu steps, %llu of them at one time",
				  (unsigned long long)total, (unsigned long long)same);
	}
	return true;
}

void pair_run(struct pair *p, uint64_t us)
{
	steps(p, NULL, us);
}

void pair_until(struct pair *p, bool (*done)(const struct pair *p), uint64_t us)
{
	if (!steps(p, done, us))
		pair_fail(p, "not done after %.3f s", (double)us / 1e6);
}

static bool settled(const struct pair *p)
{
	return link_next(p->link) == UINT64_MAX && p->wake_us == UINT64_MAX &&
	       hf_next_deadline(p->side[0].w) == UINT64_MAX &&
	       hf_next_deadline(p->side[1].w) == UINT64_MAX;
}

void pair_settle(struct pair *p)
{
	if (!steps(p, settled, LONGEST))
		pair_fail(p, "timers still run after 3 hours");
}

/* ---- What is asked of a pair ----------------------------------------------------------------- */

enum hf_state pair_state(const struct pair *p, unsigned side, const struct hf_addr *local,
			 const struct hf_addr *peer)
{
	struct hf_status status;

	return hf_lookup(p->side[side].w, local, peer, &status) == 0 ? status.state : HF_CLOSED;
}

uint64_t pair_counter(const struct pair *p, unsigned side, const char *name)
{
	const uint64_t value = hf_counter_named(p->side[side].w, name);

	if (value == UINT64_MAX)
		pair_fail(p, "no counter is named %s", name);
	return value;
}

void pair_expect_empty(struct pair *p)
{
	struct hf_error why;

	for (unsigned i = 0; i < 2; i++) {
		const struct pair_side *const s = &p->side[i];

		if (books_open(s->w, &why) || hf_check(s->w, &why) != 0)
			pair_fail(p, "side %u: %s", i, why.text);
		if (hf_port_mbufs_used(s->port) != s->mbufs)
			pair_fail(p, "side %u: %d mbufs left", i,
				  (int)(hf_port_mbufs_used(s->port) - s->mbufs));
	}
}

/* ---- Set-up ---------------------------------------------------------------------------------- */

static void configure(struct pair *p, unsigned side)
{
	struct pair_side *const s = &p->side[side];
	struct hf_config *const c = &s->config;
	const bool v6 = p->variant / 3 % 2;
	const struct hf_sizes sizes = { .connections = 16, .requests = 16, .buckets = 64 };
	static const char *const addrs[2][2] = { { "198.18.0.1", "198.19.0.1:80" },
						 { "2001:2::1", "[2001:2:0:1::1]:80" } };

	hf_config_defaults(c);
	c->ipv4 = v6 ? (struct hf_sizes){ 0 } : sizes;
	c->ipv6 = v6 ? sizes : (struct hf_sizes){ 0 };
	c->seed = (struct hf_seed){
		.seeded = true, .iss_fixed = true, .seed = 1 + side, .iss = offsets[p->variant % 3]
	};
	hf_addr_parse(addrs[v6][side], &s->addr);
	c->locals = 1;
	c->local[0] = (struct hf_ip_range){ .first = s->addr.ip, .count = 1 };
	c->port_first = 1024;
	c->port_last = 1151;
	c->port_lists = 4;
	c->listeners = 4;
	c->ranges = 4096;
	c->tcp.timestamps = p->variant < 6;
}

static void make_worker(struct pair *p, unsigned side)
{
	struct pair_side *const s = &p->side[side];
	struct hf_error why;

	if (hf_worker_create(&s->config, s->port, &s->w, &why) != 0)
		pair_fail(p, "hf_worker_create: %s", why.text);
}

void pair_forget(struct pair *p, unsigned side)
{
	struct pair_side *const s = &p->side[side];

	hf_worker_destroy(s->w);
	s->w = NULL;
	s->config.seed.seed += 2;
	make_worker(p, side);
}

static void begin(struct pair_case *c, unsigned variant)
{
	struct pair *const p = calloc(1, sizeof(*p));

	assert_non_null(p);
	c->pair = p;
	p->row = c->row;
	p->variant = variant;
	p->count = c->count;
	p->seed = c->seed * PAIR_ALL + variant;
	p->now_us = SEC(1);
	p->wake_us = UINT64_MAX;
	p->check_every = 1;
	p->verify_every = 1;
	p->log = calloc(PAIR_LOG, sizeof(*p->log));
	p->link = link_make(PAIR_MBUFS, p->seed);
	assert_true(p->log && p->link);
	for (unsigned i = 0; i < 2; i++) {
		p->side[i].port = c->port[i];
		p->side[i].mbufs = hf_port_mbufs_used(c->port[i]);
		p->link->rates[i].delay_us = 1000;
		configure(p, i);
	}
	if (c->row->set_up)
		c->row->set_up(p);
	for (unsigned i = 0; i < 2; i++)
		make_worker(p, i);
}

static void finish(struct pair_case *c)
{
	struct pair *const p = c->pair;
	uint8_t raw[LINK_FRAME_MAX];

	c->pair = NULL;
	for (unsigned i = 0; i < 2; i++) {
		hf_worker_destroy(p->side[i].w);
		while (hf_memport_pop(p->side[i].port, raw, sizeof(raw)) >= 0)
			continue;
	}
	link_free(p->link);
	free(p->log);
	free(p);
}

static void run_variants(void **state)
{
	struct pair_case *const c = *state;

	for (unsigned v = 0; v < c->row->variants; v++) {
		begin(c, v);
		c->row->test(c->pair);
		c->pair->app = NULL;
		pair_settle(c->pair);
		pair_expect_empty(c->pair);
		finish(c);
	}
}

static int post_mortem(void **state)
{
	struct pair_case *const c = *state;

	if (c->pair) {
		print_trace(c->pair);
		finish(c);
	}
	return 0;
}

static int run_group(const char *group, const struct pair_row *rows, size_t count,
		     const struct pair_case *common)
{
	struct CMUnitTest *const tests = calloc(count, sizeof(*tests));
	struct pair_case *const cases = calloc(count, sizeof(*cases));
	int failed = 1;

	for (size_t i = 0; tests && cases && i < count; i++) {
		cases[i] = *common;
		cases[i].row = &rows[i];
		tests[i] = (struct CMUnitTest){ .name = rows[i].name,
						.test_func = run_variants,
						.teardown_func = post_mortem,
						.initial_state = &cases[i] };
	}
	if (tests && cases)
		failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
	free(cases);
	free(tests);
	return failed;
}

static int make_port(const char *name, struct hf_port **port, struct hf_error *why)
{
	const struct hf_memport memport = {
		.name = name, .l3 = true, .mbufs = PAIR_MBUFS, .frames = 4096
	};

	return hf_port_memory(&memport, port, why);
}

int pair_rows_run(const char *group, const struct pair_row *rows, size_t count, int argc, char **argv)
{
	const struct hf_env env = { .program = argv[0], .memory_mb = 96 };
	struct pair_case common = { .seed = 1 };
	struct hf_error why = { "" };
	int i = 1, failed = 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (strcmp(argv[i], "--count") == 0)
			common.count = strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0)
			common.seed = strtoull(argv[i + 1], NULL, 10);
	}
	if (argc > i)
		cmocka_set_test_filter(argv[i]);
	if (hf_env_start(&env, &why) == 0) {
		if (make_port("pair-0", &common.port[0], &why) == 0 &&
		    make_port("pair-1", &common.port[1], &why) == 0)
			failed = run_group(group, rows, count, &common);
		hf_port_free(common.port[0]);
		hf_port_free(common.port[1]);
		hf_env_stop();
	}
	if (why.text[0])
		fprintf(stderr, "%s: %s\n", argv[0], why.text);
	return failed;
}

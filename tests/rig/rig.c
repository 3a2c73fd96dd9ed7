/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes and ends rigs, runs rows through their variants, and asks the leak oracle (HF-LK1). See rig.h. */
#include "rig/rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/books.h"
#include "rig/inner.h"

#define VARIANTS 12
#define LONGEST \
	SEC(3 * 3600) /* no chain of timers is longer: 15 retransmissions of 120 s and 2MSL */

/* A row being run: what cmocka hands to the functions below. */
struct run {
	const struct row *row;
	struct hf_port *port;
	struct rig *rig; /* while a variant runs */
	/* A worker that has passed the leak oracle serves the row's next variant of the same offset. */
	struct hf_worker *kept;
	uint64_t kept_us; /* its clock */
};

/* Sequence offsets so that the first octet of text, or the FIN, is the one that crosses; and clocks: a
 * plain one, one whose microseconds pass 2^32 after 300 ms, one whose milliseconds do (HF-G7). */
static const struct {
	const char *name;
	uint32_t isn, clock_start_ms;
	uint64_t now_us;
} offsets[3] = {
	{ "from 1", 1, 0, SEC(1) },
	{ "across 2^31", 0x7ffffffe, 0, MS(UINT32_MAX / 1000 - 300) },
	{ "across 2^32", 0xfffffffe, UINT32_MAX - 1299, SEC(1) },
};

static bool variant_wanted(unsigned wanted, unsigned v)
{
	if (wanted & ROW_ONCE)
		return v == 0;
	if (wanted & ROW_PLAIN)
		return v < 6;
	if (wanted & ROW_TS)
		return v >= 6;
	return true;
}

static void rig_configure(struct rig *r, unsigned v)
{
	struct hf_config *c = &r->config;
	struct hf_addr addr;

	/* Two in three of each: offset, version, timestamps; and the side that opens in turn. */
	r->iss = r->irs = offsets[v % 3].isn;
	r->timestamps = v >= 6;
	r->active = (v % 3 + v / 3) % 2 == 1;
	r->variant = offsets[v % 3].name;
	r->wnd = 1000;
	r->su = r->iss;
	r->sn = r->iss + 1;
	r->rn = r->irs + 1;
	r->rw = 8192;

	hf_config_defaults(c);
	c->clock_start_ms = offsets[v % 3].clock_start_ms;
	c->long_way = v % 3 == 1; /* the others go short ways where there are any */
	c->ipv4 = c->ipv6 = (struct hf_sizes){ .connections = 16, .requests = 16, .buckets = 16 };
	c->seed = (struct hf_seed){ .seeded = true, .iss_fixed = true, .seed = 1, .iss = r->iss };
	c->locals = 2;
	hf_addr_parse("198.18.0.1", &addr);
	c->local[0] = (struct hf_ip_range){ .first = addr.ip, .count = 4 };
	hf_addr_parse("2001:2::1", &addr);
	c->local[1] = (struct hf_ip_range){ .first = addr.ip, .count = 4 };
	c->port_first = 1024;
	c->port_last = 1151;
	c->port_lists = 4;
	c->listeners = 8;
	c->ranges = 256;
	c->tcp.rcv_buf = 8192; /* so that windows need no scale */
	memcpy(c->mac, (uint8_t[]){ 2, 0, 0, 0, 0, 1 }, 6);
	memcpy(c->gateway_mac, (uint8_t[]){ 2, 0, 0, 0, 0, 2 }, 6);

	hf_addr_parse(v / 3 % 2 ? "[2001:2::1]:1080" : "198.18.0.1:1080", &r->local);
	hf_addr_parse(v / 3 % 2 ? "[2001:2:0:1::1]:40000" : "198.19.0.1:40000", &r->peer);
	r->memport = (struct hf_memport){ .name = "rig-own", .l3 = true, .mbufs = 256 };
}

static void rig_begin(struct run *run, unsigned v)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct hf_memport shared;
	struct hf_error why;

	assert_non_null(r);
	run->rig = r;
	r->row = run->row;
	r->port = run->port;
	r->out = calloc(RIG_OUT, sizeof(*r->out));
	r->marks = calloc(hf_counters(), sizeof(*r->marks));
	r->start = calloc(hf_counters(), sizeof(*r->start));
	assert_true(r->out && r->marks && r->start);
	rig_configure(r, v);
	shared = r->memport;
	if (r->row->set_up)
		r->row->set_up(r);
	if (memcmp(&shared, &r->memport, sizeof(shared)) != 0) {
		if (hf_port_memory(&r->memport, &r->own_port, &why) != 0)
			rig_fail(r, "hf_port_memory: %s", why.text);
		r->port = r->own_port;
	}
	r->out_form = (struct frame_form){ .l2 = !r->memport.l3,
					   .sum_offload = r->memport.tx_checksum || r->memport.tso,
					   .ecn = r->config.tcp.ecn != 0,
					   .no_mss = !r->config.tcp.mss_option,
					   .ttl = r->config.ttl };
	r->in_form = (struct frame_form){ .l2 = !r->memport.l3, .ttl = 64 };
	memcpy(r->out_form.to, r->config.gateway_mac, 6);
	memcpy(r->out_form.from, r->config.mac, 6);
	memcpy(r->in_form.to, r->config.mac, 6);
	memcpy(r->in_form.from, r->config.gateway_mac, 6);
	r->mw = r->wnd;
	r->mbufs = hf_port_mbufs_used(r->port);
	r->w = run->kept;
	r->now_us = run->kept_us;
	run->kept = NULL;
	if (!r->w) {
		if (hf_worker_create(&r->config, r->port, &r->w, &why) != 0)
			rig_fail(r, "hf_worker_create: %s", why.text);
		r->now_us = offsets[v % 3].now_us;
	}
	r->ts_base = r->irs - (uint32_t)(r->now_us / 1000);
	for (unsigned i = 0; i < hf_counters(); i++)
		r->start[i] = hf_counter(r->w, i);
}

static void rig_free(struct run *run, bool keep)
{
	struct rig *r = run->rig;
	uint8_t frame[FRAME_MAX];

	run->rig = NULL;
	if (keep) {
		run->kept = r->w;
		run->kept_us = r->now_us;
	} else {
		hf_worker_destroy(r->w);
	}
	while (hf_memport_pop(r->port, frame, sizeof(frame)) >= 0)
		continue;
	hf_port_free(r->own_port);
	free(r->start);
	free(r->marks);
	free(r->out);
	free(r);
}

/* The peer falls silent, the application lets go of everything, all timers run out (HF-LK1). */
static void rig_end(struct rig *r)
{
	const uint64_t start_us = r->now_us;
	struct hf_error why;

	hf_memport_tx_limit(r->port, UINT32_MAX);
	hf_fail_allocation(r->w, 0);
	rig_flush(r);
	for (unsigned i = 0; i < r->listener_count; i++)
		hf_unlisten(r->w, r->listeners[i]);
	for (unsigned i = 0; i < r->id_count; i++) {
		const int err = hf_close(r->w, r->ids[i]);

		if (err != 0 && err != -EALREADY)
			rig_fail(r, "hf_close of a connection that lives: %d", err);
	}
	rig_flush(r);
	while (r->now_us - start_us < LONGEST && hf_next_deadline(r->w) != UINT64_MAX) {
		rig_step(r, start_us + LONGEST);
		r->out_count = r->event_count = 0;
	}
	rig_collect(r);
	if (books_open(r->w, &why))
		rig_fail(r, "leak: %s", why.text);
	if (r->id_count != 0 || hf_port_mbufs_used(r->port) != r->mbufs)
		rig_fail(r, "leak: %u ids, %d mbufs", r->id_count,
			 (int)(hf_port_mbufs_used(r->port) - r->mbufs));
}

static void rig_variants(void **state)
{
	struct run *run = *state;

	for (unsigned i = 0; i < VARIANTS; i++) {
		const unsigned v = i / 4 + i % 4 * 3; /* all of an offset, then the next */

		if (!variant_wanted(run->row->variants, v))
			continue;
		rig_begin(run, v);
		run->row->test(run->rig);
		rig_end(run->rig);
		rig_free(run, !run->row->set_up && i % 4 != 3);
	}
	hf_worker_destroy(run->kept);
	run->kept = NULL;
}

/* A variant is still there when it has failed: say which, and what crossed the wire. */
static int rig_post_mortem(void **state)
{
	struct run *run = *state;
	const struct rig *r = run->rig;
	char text[256];

	if (!r)
		return 0;
	print_error("  variant: IPv%u, sequence numbers %s, %s timestamps, %s open\n",
		    r->local.ip.version, r->variant, r->timestamps ? "with" : "without",
		    r->active ? "active" : "passive");
	for (unsigned i = r->logged > RIG_LOG ? r->logged - RIG_LOG : 0; i < r->logged; i++)
		print_error("  %10.6f %s %s\n", (double)r->log[i % RIG_LOG].at_us / 1e6,
			    r->log[i % RIG_LOG].sent ? "out" : "in ",
			    frame_describe(text, sizeof(text), &r->log[i % RIG_LOG].seg));
	rig_free(run, false);
	return 0;
}

int rig_run(const char *group, const struct row *rows, size_t count, int argc, char **argv)
{
	const struct hf_env env = { .program = argv[0], .memory_mb = 64 };
	const struct hf_memport memport = { .name = "rig", .l3 = true, .mbufs = 256 };
	struct CMUnitTest *tests = calloc(count, sizeof(*tests));
	struct run *runs = calloc(count, sizeof(*runs));
	struct hf_port *port = NULL;
	struct hf_error why = { "" };
	int failed = 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	if (!tests || !runs || hf_env_start(&env, &why) != 0 ||
	    hf_port_memory(&memport, &port, &why) != 0) {
		fprintf(stderr, "%s: %s\n", argv[0], why.text);
	} else {
		for (size_t i = 0; i < count; i++) {
			runs[i] = (struct run){ .row = &rows[i], .port = port };
			tests[i] = (struct CMUnitTest){ .name = rows[i].name,
							.test_func = rig_variants,
							.teardown_func = rig_post_mortem,
							.initial_state = &runs[i] };
		}
		failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
		hf_port_free(port);
		hf_env_stop();
	}
	free(runs);
	free(tests);
	return failed;
}

void rig_fail_at(const char *file, int line, const struct rig *r, const char *format, ...)
{
	va_list args;

	print_error("  %s: ", r->row->name);
	va_start(args, format);
	vprint_error(format, args);
	va_end(args);
	print_error("\n");
	_fail(file, line);
}

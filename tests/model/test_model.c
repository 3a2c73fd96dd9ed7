/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine against the model of REQUIREMENTS 6 (HF-GOAL-3): random scripts of segments with live numbers
 * (legal, at the edges, old, future, wrong ACKs, all flags), calls and steps of the clock. After each step
 * state, numbers, segments and events must be what the model says.
 * test_model [SCRIPTS] [SEED]: a difference is printed with the script that shows it, made as short as it gets.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handfast.h"
#include "model/script.h"
#include "model/segment.h"
#include "rig/books.h"
#include "rig/frame.h"
#include "rig/random.h"

#define MOST_OUT 32
#define KEEP_FOR 256 /* scripts that a worker serves */
#define ROOM 799     /* octets of ours that may wait: less than any window of the peer */
#define SCRIPT_MS 60000

static const struct model_knobs knobs = {
	.rto = 3000,
	.tw_len = 12000,
	.fin_timeout = 5000,
	.delack = 40,
	.ratelimit = 500,
	.synack_repeat = 500,
	.keepalive = 1000,
	.syn_retries = 2,
	.synack_retries = 2,
	.retries2 = 3,
	.orphan_retries = 2,
};

struct bench {
	struct hf_port *port;
	struct hf_worker *w;
	unsigned served, offset;
	uint64_t now_us;
	uint16_t next_port;
	uint64_t steps, hits[MODEL_STATES];
	bool trace;
	/* the script's */
	struct model m;
	struct hf_addr local, peer;
	uint32_t listener;
	uint64_t id;
	uint32_t happened; /* HF_EV_* */
	int32_t error;
	struct model_seg out[MOST_OUT];
	unsigned outs;
	char why[256];
};

static void make_worker(struct bench *b, unsigned offset)
{
	struct hf_config c;
	struct hf_addr addr;
	struct hf_error why;

	hf_worker_destroy(b->w);
	hf_config_defaults(&c);
	c.seed = (struct hf_seed){
		.seeded = true, .iss_fixed = true, .seed = 1, .iss = script_offsets[offset]
	};
	c.locals = 2;
	hf_addr_parse("198.18.0.1", &addr);
	c.local[0] = (struct hf_ip_range){ .first = addr.ip, .count = 1 };
	hf_addr_parse("2001:2::1", &addr);
	c.local[1] = (struct hf_ip_range){ .first = addr.ip, .count = 1 };
	c.ipv4 = c.ipv6 = (struct hf_sizes){ .connections = 8, .requests = 8, .buckets = 8 };
	c.port_first = 1024;
	c.port_last = 1151;
	c.ranges = 256;
	c.flights = 4;
	c.tcp.rto_initial_ms = c.tcp.rto_min_ms = c.tcp.rto_max_ms = knobs.rto;
	c.tcp.tw_len_ms = knobs.tw_len;
	c.tcp.fin_timeout_ms = knobs.fin_timeout;
	c.tcp.delack_ms = knobs.delack;
	c.tcp.invalid_ratelimit_ms = knobs.ratelimit;
	c.tcp.syn_retries = knobs.syn_retries;
	c.tcp.synack_retries = knobs.synack_retries;
	c.tcp.retries2 = knobs.retries2;
	c.tcp.orphan_retries = knobs.orphan_retries;
	c.tcp.rcv_buf = 2048;
	c.tcp.nagle = c.tcp.timestamps = c.tcp.window_scaling = c.tcp.sack = false;
	memcpy(c.mac, (uint8_t[]){ 2, 0, 0, 0, 0, 1 }, 6);
	memcpy(c.gateway_mac, (uint8_t[]){ 2, 0, 0, 0, 0, 2 }, 6);
	if (hf_worker_create(&c, b->port, &b->w, &why) != 0) {
		fprintf(stderr, "hf_worker_create: %s\n", why.text);
		exit(1);
	}
	b->offset = offset;
	b->served = 0;
	b->now_us = 1000000;
}

static bool differ(struct bench *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(b->why, sizeof(b->why), format, args);
	va_end(args);
	return false;
}

/* ---- The engine's side ---- */

static void hear(struct bench *b)
{
	struct hf_event events[16];
	const unsigned n = hf_turn(b->w, b->now_us, events, 16);

	for (unsigned i = 0; i < n; i++) {
		if (events[i].what & HF_EV_ACCEPT)
			hf_accept(b->w, b->listener, 0, &b->id);
		if (b->id == 0 || events[i].id != b->id)
			continue;
		b->happened |= events[i].what;
		if (events[i].what & HF_EV_CLOSED) {
			b->error = events[i].error;
			b->id = 0;
		}
	}
}

static void say(const struct bench *b, const char *who, const struct model_seg *s)
{
	char text[256];

	if (b->trace)
		printf("  %7llu ms %s %s\n", (unsigned long long)(b->now_us / 1000 - 1000), who,
		       segment_describe(text, sizeof(text), s));
}

static bool collect(struct bench *b)
{
	const struct frame_form form = { .ttl = 64 };
	struct frame f;

	for (;;) {
		const ssize_t len = hf_memport_pop(b->port, f.raw, sizeof(f.raw));
		const char *wrong;

		if (len < 0)
			return true;
		f.len = (size_t)len;
		wrong = frame_parse(&f, &form);
		if (wrong != NULL || f.tcp == 0 || b->outs == MOST_OUT)
			return differ(b, "a frame that should not be: %s", wrong);
		if (f.dst.port != b->peer.port || f.src.port != b->local.port)
			continue; /* of an earlier script */
		b->out[b->outs] = (struct model_seg){ .seq = f.seg.seq,
						      .ack = f.seg.ack,
						      .wnd = f.seg.wnd,
						      .text = f.seg.text_len,
						      .flags = f.seg.flags };
		say(b, "out", &b->out[b->outs++]);
	}
}

static void push(struct bench *b, const struct model_seg *s)
{
	const struct hf_push how = { .ip = HF_CHECKSUM_UNKNOWN };
	uint8_t raw[FRAME_MAX];

	say(b, "in ", s);
	hf_memport_push(b->port, raw, segment_build(raw, &b->peer, &b->local, s), &how);
}

/* ---- Agreement ---- */

static const unsigned told_bits[][2] = { { T_CONNECTED, HF_EV_CONNECTED },
					 { T_ACCEPT, HF_EV_ACCEPT },
					 { T_READABLE, HF_EV_READABLE },
					 { T_EOF, HF_EV_EOF },
					 { T_ENDED, HF_EV_CLOSED } };

static bool same_events(struct bench *b, const struct model_want *want)
{
	static const int errors[] = { 0, ECONNREFUSED, ECONNRESET, ETIMEDOUT, ECONNABORTED };

	for (unsigned i = 0; i < sizeof(told_bits) / sizeof(told_bits[0]); i++) {
		const bool is = b->happened & told_bits[i][1], must = want->told & told_bits[i][0];

		if (want->told & T_ENDED && told_bits[i][0] != T_ENDED)
			continue; /* with the end nothing else matters */
		if (is != must && !(want->told_may & told_bits[i][0]))
			return differ(b, "event 0x%x %s", told_bits[i][1],
				      is ? "came" : "is missing");
	}
	if (want->told & T_ENDED && want->end != END_ANY && b->error != errors[want->end])
		return differ(b, "it ended with %s, not %s", strerror(b->error),
			      strerror(errors[want->end]));
	return true;
}

static bool same_state(struct bench *b)
{
	static const enum hf_state states[MODEL_STATES] = {
		HF_CLOSED,	 HF_CLOSED,	 HF_SYN_SENT,	HF_SYN_RECEIVED,
		HF_SYN_RECEIVED, HF_ESTABLISHED, HF_FIN_WAIT_1, HF_FIN_WAIT_2,
		HF_CLOSE_WAIT,	 HF_CLOSING,	 HF_LAST_ACK,	HF_TIME_WAIT,
	};
	const struct model *const m = &b->m;
	struct hf_status s;

	if (hf_lookup(b->w, &b->local, &b->peer, &s) != 0)
		s = (struct hf_status){ .state = HF_CLOSED };
	if (s.state != states[m->state])
		return differ(b, "the engine is in %s, the model in %s", hf_state_name(s.state),
			      model_names[m->state]);
	if (m->state <= S_SYN_SENT)
		return true;
	if (s.rcv_nxt != 0 && s.rcv_nxt != m->rn)
		return differ(b, "RCV.NXT is %u, not %u", s.rcv_nxt, m->rn);
	if (m->state >= S_ESTABLISHED && s.snd_una != 0 && (s.snd_una != m->su || s.snd_nxt != m->sn))
		return differ(b, "SND.UNA, SND.NXT are %u, %u, not %u, %u", s.snd_una, s.snd_nxt,
			      m->su, m->sn);
	return true;
}

/* The rest of a turn, and one more for what calls have left to tell. */
static bool agree(struct bench *b, const struct model_want *want)
{
	struct hf_error error;
	const char *why = NULL;

	hf_flush(b->w, b->now_us);
	hear(b);
	hf_flush(b->w, b->now_us);
	if (!collect(b))
		return false;
	b->hits[b->m.state]++;
	if (!model_accepts(&b->m, want, b->out, b->outs, &why))
		return differ(b, "%s", why);
	b->outs = 0;
	if (hf_check(b->w, &error) != 0)
		return differ(b, "hf_check: %s", error.text);
	if (!same_events(b, want) || !same_state(b))
		return false;
	b->happened = 0;
	b->error = 0;
	return true;
}

/* ---- Steps ---- */

static bool do_wait(struct bench *b, uint64_t us)
{
	const uint64_t end = b->now_us + us;

	do {
		const uint64_t engine = hf_next_deadline(b->w);
		const uint64_t due = model_due(&b->m), model = due == UINT64_MAX ? due : due * 1000;
		uint64_t next = engine < model ? engine : model;
		struct model_want want;

		if (next <= b->now_us)
			next = b->now_us + 1000;
		b->now_us = next < end ? next : end;
		model_time(&b->m, b->now_us / 1000, &want);
		hear(b);
		if (!agree(b, &want))
			return false;
	} while (b->now_us < end);
	return true;
}

/* The application lets go of what has ended before its tuple begins anew. */
static bool let_go(struct bench *b)
{
	struct model_want want;

	if (!b->m.has || b->m.state > S_LISTEN) {
		if (!b->m.has || b->m.state != S_TIME_WAIT)
			return true;
	}
	model_call(&b->m, CALL_CLOSE, 0, &want);
	hear(b);
	if (b->id != 0 && hf_close(b->w, b->id) != 0)
		return differ(b, "CLOSE of what has ended fails");
	return agree(b, &want);
}

static bool do_segment(struct bench *b, const struct model_seg *seg)
{
	struct model_want want;

	if (seg->flags & M_SYN && !let_go(b))
		return false;
	push(b, seg);
	model_segment(&b->m, seg, &want);
	hear(b);
	return agree(b, &want);
}

static int engine_call(struct bench *b, enum model_call call, uint32_t octets)
{
	static uint8_t text[4096];
	const uint64_t id = b->id;

	switch (call) {
	case CALL_LISTEN:
		return 0;
	case CALL_OPEN:
		return hf_connect(b->w, &b->local, &b->peer, 0, &b->id);
	case CALL_SEND:
		return (int)hf_send(b->w, id, text, octets);
	case CALL_RECEIVE:
		return (int)hf_recv(b->w, id, text, octets);
	case CALL_SHUTDOWN:
		return hf_shutdown(b->w, id);
	case CALL_CLOSE:
		return hf_close(b->w, id);
	case CALL_ABORT:
		return hf_abort(b->w, id);
	}
	return 0;
}

static bool do_call(struct bench *b, enum model_call call, uint32_t octets)
{
	struct model_want want;
	int is, wanted;

	if (call == CALL_OPEN && (b->m.listener || !let_go(b) || !do_wait(b, 3000)))
		return b->m.listener;
	if (call == CALL_SEND) {
		const uint32_t waits = b->m.state > S_LISTEN ? b->m.end - b->m.su : 0;

		if (waits >= ROOM)
			return true;
		octets = octets < ROOM - waits ? octets : ROOM - waits;
	}
	wanted = model_call(&b->m, call, octets, &want);
	hear(b);
	is = engine_call(b, call, octets);
	if (b->trace)
		printf("  %7llu ms %s %u: %d\n", (unsigned long long)(b->now_us / 1000 - 1000),
		       model_calls[call], octets, is);
	if (wanted != MODEL_EITHER && (wanted == MODEL_ERROR ? is >= 0 : is != wanted))
		return differ(b, "%s gives %d, not %d", model_calls[call], is, wanted);
	return agree(b, &want);
}

static bool do_step(struct bench *b, const struct script *script, const struct step *s)
{
	struct model_seg seg;
	enum model_call call;
	uint32_t octets;

	b->steps++;
	switch (s->what) {
	case DO_CONVERSE:
		if (!script_converse(&b->m, script, s, &seg))
			return do_call(b, CALL_OPEN, 0);
		break;
	case DO_WAIT:
		return do_wait(b, script_wait_ms(s) * UINT64_C(1000));
	case DO_CALL:
		call = script_call(s, &octets);
		return do_call(b, call, octets);
	case DO_SEGMENT:
		script_segment(&b->m, s, &seg);
		break;
	}
	return do_segment(b, &seg);
}

/* ---- Scripts ---- */

static bool begin(struct bench *b, const struct script *script)
{
	const bool four = script->version == 4;

	hf_addr_parse(four ? "198.18.0.1:1080" : "[2001:2::1]:1080", &b->local);
	hf_addr_parse(four ? "198.19.0.1:40000" : "[2001:2:0:1::1]:40000", &b->peer);
	b->next_port++;
	if (script->listener)
		b->peer.port = 10000 + b->next_port % 50000;
	else
		b->local.port = 1024 + b->next_port % 50;
	b->id = 0;
	b->outs = 0;
	b->happened = 0;
	b->error = 0;
	model_begin(&b->m, &knobs, b->now_us / 1000, script_offsets[b->offset], script->listener);
	return !script->listener || hf_listen(b->w, &b->local, 0, &b->listener) == 0 ||
	       differ(b, "hf_listen fails");
}

/* Everybody lets go, time passes: nothing is left (HF-LK1). */
static bool finish(struct bench *b, const struct script *script)
{
	struct hf_error why;
	uint8_t frame[FRAME_MAX];

	if (script->listener)
		hf_unlisten(b->w, b->listener);
	if (b->id != 0)
		hf_abort(b->w, b->id);
	for (unsigned i = 0; i < 200 && hf_next_deadline(b->w) != UINT64_MAX; i++) {
		struct hf_event events[16];
		const uint64_t next = hf_next_deadline(b->w);

		b->now_us = next > b->now_us ? next : b->now_us + 1000;
		hf_turn(b->w, b->now_us, events, 16);
		hf_flush(b->w, b->now_us);
	}
	while (hf_memport_pop(b->port, frame, sizeof(frame)) >= 0)
		continue;
	b->now_us = (b->now_us / 1000 + 10) * 1000;
	return books_open(b->w, &why) == NULL || differ(b, "leak: %s", why.text);
}

static bool run(struct bench *b, const struct script *script)
{
	if (b->w == NULL || b->served++ == KEEP_FOR)
		make_worker(b, script->offset);
	if (!begin(b, script))
		return false;
	for (unsigned i = 0; i < script->count && !b->m.over; i++)
		if (!do_step(b, script, &script->steps[i]))
			return false;
	return finish(b, script);
}

static bool run_alone(struct bench *b, const struct script *script)
{
	make_worker(b, script->offset);
	b->next_port = 0;
	return run(b, script);
}

static bool fails(void *arg, const struct script *script)
{
	return !run_alone(arg, script);
}

static int report(struct bench *b, struct script *script, unsigned long n, uint64_t seed)
{
	printf("script %lu of seed %llu: %s\n", n, (unsigned long long)seed, b->why);
	if (run_alone(b, script)) {
		printf("which does not happen to a new worker\n");
		return 1;
	}
	script_minimise(script, fails, b);
	b->trace = true;
	printf("IPv%u, %s, %u steps:\n", script->version,
	       script->listener ? "a listener" : "no listener", script->count);
	run_alone(b, script);
	printf("  %s (model: %s)\n", b->why, model_names[b->m.state]);
	return 1;
}

int main(int argc, char **argv)
{
	const unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
	const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	const struct hf_env env = { .program = argv[0], .memory_mb = 64 };
	const struct hf_memport memport = { .name = "model", .l3 = true, .mbufs = 512 };
	struct bench b = { 0 };
	struct script script;
	struct hf_error why;
	int status = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (hf_env_start(&env, &why) != 0 || hf_port_memory(&memport, &b.port, &why) != 0) {
		fprintf(stderr, "%s: %s\n", argv[0], why.text);
		return 1;
	}
	printf("%lu scripts, seed %llu\n", count, (unsigned long long)seed);
	for (unsigned long n = 0; n < count && status == 0; n++) {
		script_make(&script, random_mix(seed) + n * 0x9e3779b97f4a7c15u);
		script.offset = (uint8_t)(n / KEEP_FOR % 3);
		if (!run(&b, &script))
			status = report(&b, &script, n, seed);
	}
	printf("%llu steps; they ended in", (unsigned long long)b.steps);
	for (unsigned i = 0; i < MODEL_STATES; i++)
		printf(" %s %llu", model_names[i], (unsigned long long)b.hits[i]);
	printf("\n");
	hf_worker_destroy(b.w);
	hf_port_free(b.port);
	hf_env_stop();
	return status;
}

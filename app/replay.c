/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `handfast replay`: one engine, the frames of a capture, and the capture's clock. Frames go through the
 * memory port, not net_pcap: that reads a whole burst ahead of the clock, takes a damaged file for a short
 * one, does not tell the link type or that a frame was cut, and stamps what it writes by the wall clock.
 */
#include "replay.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capfile.h"
#include "files.h"
#include "impair.h"
#include "plan.h"
#include "replay_report.h"
#include "script.h"
#include "status.h"
#include "trace.h"

#define EVENTS 64
#define FRAME_ROOM (HF_MTU_MAX + LINK_OCTETS)
#define TRACE_FRAMES 1024 /* of a turn */
#define TRACE_OCTETS 192
#define MBUFS 4096
#define SPINS 1000000 /* turns without the clock moving: the engine would be wrong */

struct replay {
	const struct settings *s;
	struct hf_error *why;
	struct capfile *cap;
	struct hf_port *port;
	struct hf_worker *w;
	struct hf_impair impair;
	struct script script;
	struct trace trace;
	struct capfile_frame frame; /* the next one */
	bool more;		    /* there is one */
	uint64_t start_us;	    /* the stamp at which the clock starts */
	uint64_t now_us, input_us;  /* since then; input_us: of the last frame or call */
	uint64_t in, out, cut, refused, back;
};

/* Where what people read goes: --json - takes stdout. */
static FILE *people(const struct settings *s)
{
	return strcmp(s->json, "-") == 0 ? stderr : stdout;
}

/* ---- The clock ----------------------------------------------------------------------------- */

static int next_frame(struct replay *r)
{
	const int rc = capfile_read(r->cap, &r->frame, r->why);

	r->more = rc > 0;
	return rc < 0 ? rc : 0;
}

/* A stamp earlier than one before it does not turn the clock back. */
static uint64_t frame_us(const struct replay *r)
{
	if (!r->more)
		return UINT64_MAX;
	return r->frame.at_us > r->start_us + r->now_us ? r->frame.at_us - r->start_us : r->now_us;
}

static int take_frame(struct replay *r)
{
	static const struct hf_push plain;

	r->in++;
	r->cut += r->frame.len < r->frame.wire_len;
	r->back += r->frame.at_us < r->start_us + r->now_us;
	r->refused += hf_memport_push(r->port, r->frame.octets, r->frame.len, &plain) < 0;
	return next_frame(r);
}

static void write_frames(struct replay *r)
{
	uint8_t frame[FRAME_ROOM];
	ssize_t len;

	while ((len = hf_memport_pop(r->port, frame, sizeof(frame))) > 0) {
		capfile_write(r->cap, r->start_us + r->now_us, frame, (uint32_t)len);
		r->out++;
	}
}

/* Nothing is lost: it is looked at after every turn. */
static void print_frames(struct replay *r)
{
	struct hf_seen seen;

	while (r->s->live && hf_watch_next(r->w, &seen))
		trace_take(&r->trace, &(struct trace_frame){
					      .link = capfile_link(r->cap),
					      .octets = seen.octets,
					      .len = seen.len,
					      .wire_len = seen.wire_len,
					      .at_ns = (r->start_us + seen.at_us) * 1000,
					      .own = &seen,
				      });
}

/* One turn at the earliest of a timer, a frame and a call; a timer comes before the frame of its instant.
 * @return 1; 0 when nothing is left to happen; -EINVAL */
static int step(struct replay *r)
{
	const uint64_t call_us = script_next(&r->script), next_us = frame_us(r);
	const uint64_t input_us = next_us < call_us ? next_us : call_us;
	const uint64_t due_us = hf_next_deadline(r->w);
	const bool timer = due_us != UINT64_MAX && due_us <= input_us;
	struct hf_event events[EVENTS];
	unsigned n;
	int rc = 0;

	if (input_us == UINT64_MAX && (!timer || due_us > r->input_us + r->s->replay.linger_us))
		return 0;
	if (timer) {
		r->now_us = due_us > r->now_us ? due_us : r->now_us;
	} else {
		r->now_us = r->input_us = input_us;
		if (next_us <= input_us)
			rc = take_frame(r);
	}
	n = hf_turn(r->w, r->now_us, events, EVENTS);
	replay_answer(&r->script, events, n);
	if (!timer)
		script_run(&r->script, r->now_us);
	hf_flush(r->w, r->now_us);
	write_frames(r);
	print_frames(r);
	script_tell(&r->script, r->now_us, r->s->quiet ? NULL : people(r->s));
	return rc < 0 ? rc : 1;
}

static int steps(struct replay *r)
{
	uint64_t before_us = UINT64_MAX;
	uint64_t before_in = 0;
	unsigned spins = 0;
	int rc;

	while ((rc = step(r)) > 0) {
		spins = r->now_us == before_us && r->in == before_in ? spins + 1 : 0;
		assert(spins < SPINS && "timers are due for ever");
		before_us = r->now_us;
		before_in = r->in;
	}
	return rc;
}

/* ---- Before -------------------------------------------------------------------------------- */

/* Without a frame to us there is nobody to answer, and any address will do. */
static void find_stations(const struct settings *s, struct hf_config *config)
{
	static const uint8_t mac[6] = { 2, 0x68, 0x66, 0, 0, 2 };
	struct hf_ip ours[HF_MAX_RANGES];

	for (unsigned i = 0; i < config->locals; i++)
		ours[i] = config->local[i].first;
	if (!capfile_stations(s->replay.in, ours, config->locals, config->mac, config->gateway_mac))
		memcpy(config->mac, mac, sizeof(mac));
}

static void configure(const struct replay *r, struct hf_config *config)
{
	const struct settings *s = r->s;
	const struct hf_sizes sizes = { .connections = 4096, .requests = 4096, .buckets = 4096 };

	hf_config_defaults(config);
	config->locals = s->replay.addr.count;
	for (uint32_t i = 0; i < config->locals; i++)
		config->local[i] = s->replay.addr.at[i].range;
	config->tcp = s->tcp;
	config->tcp.keepalive_ms = s->keepalive ? s->keepalive_time_ms : 0;
	config->mtu = s->mtu;
	config->ttl = s->ttl;
	config->ipv4 = config->ipv6 = sizes;
	config->seed = (struct hf_seed){ .seeded = true, .seed = s->replay.seed };
	config->impair = s->impair[0] ? &r->impair : NULL;
	config->clock_start_ms = (uint32_t)(r->start_us / 1000);
	if (!capfile_l3(r->cap))
		find_stations(s, config);
}

static int listen_one(struct replay *r, const struct hf_addr *addr)
{
	char text[HF_ADDR_TEXT];
	uint32_t listener;
	const int rc = hf_listen(r->w, addr, 0, &listener);

	if (rc < 0)
		snprintf(r->why->text, sizeof(r->why->text), "--listen: %s: %s",
			 hf_addr_format(addr, text), strerror(-rc));
	return rc;
}

static int listen_all(struct replay *r)
{
	const struct nets *listen = &r->s->replay.listen;
	int rc = 0;

	for (uint32_t i = 0; i < listen->count && rc == 0; i++) {
		const struct net *net = &listen->at[i];

		for (unsigned port = net->port; port <= net->port_last && rc == 0; port++)
			rc = listen_one(r, &(struct hf_addr){ .ip = net->range.first,
							      .port = (uint16_t)port });
	}
	return rc;
}

/* All that the user's input can make fail, before DPDK is started. @return 0 or -EINVAL */
static int prepare(struct replay *r, struct hf_config *config)
{
	int rc = script_parse(&r->script, r->s->replay.calls, r->why);

	r->impair.seed = r->s->replay.seed;
	if (rc == 0)
		rc = impair_parse(r->s->impair, &r->impair, r->why);
	if (rc == 0)
		rc = files_check(r->s, r->why);
	if (rc == 0)
		rc = capfile_open(r->s->replay.in, r->s->replay.out, &r->cap, r->why);
	if (rc == 0)
		rc = next_frame(r);
	if (rc < 0)
		return rc;
	r->start_us = r->s->replay.start_us ? r->s->replay.start_us : r->more ? r->frame.at_us : 0;
	configure(r, config);
	return 0;
}

/* ---- The whole ----------------------------------------------------------------------------- */

static uint32_t mbufs(const struct replay *r)
{
	return MBUFS + (r->s->impair[0] ? 2 * impair_frames(&r->impair) : 0);
}

/* @return STATUS_OK, or what to exit with */
static int start(const struct replay *r, const char *program, const char *const *eal, int eal_count)
{
	const struct hf_env env = {
		.program = program,
		.eal = eal,
		.eal_count = eal_count,
		.memory_mb = plan_port_mb(r->s, mbufs(r)),
	};

	return env_status(hf_env_start(&env, r->why));
}

static int make(struct replay *r, const struct hf_config *config)
{
	const struct hf_memport memport = {
		.name = "replay",
		.l3 = capfile_l3(r->cap),
		.mbufs = mbufs(r),
		.mtu = r->s->mtu,
		.frames = 1024,
		.multi_segs = true,
	};
	int rc = hf_port_memory(&memport, &r->port, r->why);

	if (rc == 0)
		rc = hf_worker_create(config, r->port, &r->w, r->why);
	if (rc == 0 && r->s->live) {
		rc = hf_watch(r->w, TRACE_FRAMES, TRACE_OCTETS, r->why);
		rc = rc == 0 ? trace_open(&r->trace, r->s, people(r->s)) : rc;
	}
	r->script.s = r->s;
	r->script.w = r->w;
	return rc;
}

/* @return 0, or -1 when it cannot be written */
static int report(const struct replay *r)
{
	const struct replay_sum sum = {
		.s = r->s,
		.w = r->w,
		.script = &r->script,
		.us = r->now_us,
		.in = r->in,
		.out = r->out,
		.cut = r->cut,
		.refused = r->refused,
		.back = r->back,
	};

	if (!r->s->quiet)
		replay_print(&sum, people(r->s));
	return r->s->json[0] ? replay_json(&sum, r->s->json) : 0;
}

/* @return an exit status; all but 0 and STATUS_FAILED with the reason in why */
static int run(struct replay *r, const struct hf_config *config)
{
	uint32_t left;

	const int rc = make(r, config);

	if (rc < 0)
		return rc == -EINVAL ? STATUS_USAGE : STATUS_ENVIRONMENT;
	if (listen_all(r) < 0 || steps(r) < 0)
		return STATUS_USAGE;
	if (hf_check(r->w, r->why) < 0)
		return STATUS_FAILED;
	if (report(r) < 0) {
		snprintf(r->why->text, sizeof(r->why->text), "--json: %.100s: %s", r->s->json,
			 strerror(errno));
		return STATUS_FAILED;
	}
	hf_worker_destroy(r->w);
	r->w = NULL;
	left = hf_port_mbufs_used(r->port);
	if (left) {
		snprintf(r->why->text, sizeof(r->why->text), "%u mbufs leaked", left);
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

int replay_run(const struct settings *s, const char *program, const char *const *eal, int eal_count)
{
	struct hf_error why = { "no memory" }, written;
	struct replay *r = calloc(1, sizeof(*r));
	struct hf_config config;
	int status = STATUS_USAGE;

	if (!r)
		return STATUS_FAILED;
	r->s = s;
	r->why = &why;
	if (prepare(r, &config) == 0) {
		status = start(r, program, eal, eal_count);
		if (status == STATUS_OK) {
			status = run(r, &config);
			hf_worker_destroy(r->w);
			hf_port_free(r->port);
			hf_env_stop();
		}
	}
	if (r->cap && capfile_close(r->cap, &written) < 0 && status == STATUS_OK) {
		why = written;
		status = STATUS_FAILED;
	}
	script_free(&r->script);
	trace_close(&r->trace);
	free(r);
	if (status != STATUS_OK)
		fprintf(stderr, "%s: %s\n", program, why.text);
	return status;
}

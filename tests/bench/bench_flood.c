/* SPDX-License-Identifier: BSD-3-Clause */
/* HF-GOAL-5, -6, -8: floods at a server on a memory port, beside clients of its own kind, on one core and under a
 * virtual clock: what a frame costs, whether all clients get through, and whether a live connection comes to harm.
 * bench_flood [FRAMES [--json]] exits 1 if a client failed, a foreign octet was delivered or the live one was harmed. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "handfast.h"
#include "rig/frame.h"
#include "rig/random.h"

#define BURST 25  /* of the 32 frames that a turn takes: four fifths */
#define TURN_US 6 /* four million frames a second of the virtual clock */
#define EVERY 10  /* turns from one client to the next */
#define EVENTS 256
#define BACKLOG 256

struct end {
	struct hf_worker *w;
	struct hf_port *port;
};

struct flood {
	const char *name;
	uint8_t flags;
	uint16_t text_len;
	bool live; /* to the live connection, with numbers that are guessed */
	bool one;  /* from one address, by all its ports */
};

static const struct flood floods[] = {
	{ "SYN", SEG_SYN, 0, false, false },
	{ "SYN of one", SEG_SYN, 0, false, true },
	{ "ACK", SEG_ACK, 0, false, false },
	{ "RST", SEG_RST, 0, false, false },
	{ "FIN", SEG_FIN | SEG_ACK, 0, false, false },
	{ "data", SEG_ACK, 100, false, false },
	{ "blind SYN", SEG_SYN, 0, true, false },
	{ "blind ACK", SEG_ACK, 0, true, false },
	{ "blind RST", SEG_RST, 0, true, false },
	{ "blind FIN", SEG_FIN | SEG_ACK, 0, true, false },
	{ "blind data", SEG_ACK, 100, true, false },
};

struct bench {
	struct end client, server;
	struct hf_addr target, live_from;
	uint64_t live; /* the server's id of it */
	uint64_t now_us, random;
	uint64_t opened, connected, failed, slowest_us, foreign, lost; /* lost: the live one */
	uint64_t cycles;
};

static void end_make(struct end *e, const char *name, const char *address, uint8_t mac)
{
	struct hf_config config;
	struct hf_error why;
	struct hf_addr addr;

	hf_config_defaults(&config);
	hf_addr_parse(address, &addr);
	config.ipv4 = config.ipv6 = (struct hf_sizes){ 0 };
	*(addr.ip.version == 4 ? &config.ipv4 : &config.ipv6) =
		(struct hf_sizes){ 4096, 4096, 1 << 17 };
	config.seed = (struct hf_seed){ .seeded = true, .seed = 1 };
	config.tcp.syn_backlog = BACKLOG;
	config.tcp.rcv_buf = 1 << 20;
	config.local[config.locals++] = (struct hf_ip_range){ addr.ip, 1 };
	memcpy(config.mac, (uint8_t[]){ 2, 0, 0, 0, 0, mac }, 6);
	memcpy(config.gateway_mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)(3 - mac) }, 6);
	if (hf_port_memory(&(struct hf_memport){ .name = name, .mbufs = 8191, .frames = 2048 },
			   &e->port, &why) != 0 ||
	    hf_worker_create(&config, e->port, &e->w, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
}

/* What is for this address; answers to anybody else end here. */
static void carry(struct hf_port *from, struct hf_port *to, const struct hf_ip *only)
{
	uint8_t raw[FRAME_MAX];
	ssize_t len;

	while ((len = hf_memport_pop(from, raw, sizeof(raw))) > 0)
		if (only->version == 4 ? memcmp(raw + 30, only->octets, 4) == 0 :
					 memcmp(raw + 38, only->octets, 16) == 0)
			if (hf_memport_push(to, raw, (size_t)len, &(struct hf_push){ 0 }) != 0)
				abort();
}

static void attack(struct bench *b, const struct flood *f)
{
	static const uint8_t text[100] = { 1 };
	const struct frame_form form = {
		.l2 = true, .to = { 2, 0, 0, 0, 0, 2 }, .from = { 2, 0, 0, 0, 0, 1 }, .ttl = 64
	};
	uint8_t raw[FRAME_MAX];

	for (unsigned i = 0; i < BURST; i++) {
		const uint64_t who = random_next(&b->random);
		const uint64_t what = random_next(&b->random);
		struct hf_addr from = { .ip = b->live_from.ip, .port = (uint16_t)(who >> 32 | 1) };
		struct seg seg = { .seq = (uint32_t)what,
				   .ack = f->flags & SEG_ACK ? (uint32_t)(what >> 32) : 0,
				   .flags = f->flags,
				   .wnd = 8192,
				   .text_len = f->text_len };
		size_t len;

		from.ip.octets[0] ^= 0x10;
		if (!f->one)
			memcpy(from.ip.octets + 1, &who, 3);
		if (f->flags == SEG_SYN) {
			seg.options = OPT_MSS;
			seg.mss = 1460;
		}
		if (f->live)
			from = b->live_from;
		len = frame_build(raw, &form, &from, &b->target, &seg, text, NULL, 0);
		if (hf_memport_push(b->server.port, raw, len, &(struct hf_push){ 0 }) != 0)
			abort();
	}
}

static void server_turn(struct bench *b)
{
	struct hf_event events[EVENTS];
	const uint64_t from = __rdtsc();
	const unsigned n = hf_turn(b->server.w, b->now_us, events, EVENTS);
	char text[256];
	uint64_t id;

	for (unsigned i = 0; i < n; i++) {
		if (events[i].what & HF_EV_ACCEPT)
			hf_accept(b->server.w, events[i].listener, 1, &id);
		if (events[i].what & HF_EV_READABLE &&
		    hf_recv(b->server.w, events[i].id, text, sizeof(text)) > 0)
			b->foreign++; /* clients send nothing */
		if (events[i].what & HF_EV_EOF)
			hf_close(b->server.w, events[i].id);
	}
	hf_flush(b->server.w, b->now_us);
	b->cycles += __rdtsc() - from;
}

static void client_turn(struct bench *b, bool open)
{
	struct hf_event events[EVENTS];
	const unsigned n = hf_turn(b->client.w, b->now_us, events, EVENTS);
	uint64_t id;

	for (unsigned i = 0; i < n; i++) {
		const uint64_t took_us = b->now_us - events[i].cookie;

		if (events[i].cookie == 0) { /* the live one */
			b->lost += (events[i].what & (HF_EV_CLOSED | HF_EV_EOF)) != 0;
			continue;
		}
		if (events[i].what & HF_EV_CONNECTED) {
			b->connected++;
			b->slowest_us = took_us > b->slowest_us ? took_us : b->slowest_us;
			hf_close(b->client.w, events[i].id);
		} else if (events[i].what & HF_EV_CLOSED && events[i].error != 0) {
			b->failed++;
		}
	}
	if (open && hf_connect(b->client.w, NULL, &b->target, b->now_us, &id) == 0)
		b->opened++;
	hf_flush(b->client.w, b->now_us);
}

static void turn(struct bench *b, const struct flood *f, bool open)
{
	b->now_us += TURN_US;
	if (f != NULL)
		attack(b, f);
	server_turn(b);
	carry(b->server.port, b->client.port, &b->live_from.ip);
	client_turn(b, open);
	carry(b->client.port, b->server.port, &b->target.ip);
}

static void settle(struct bench *b, unsigned turns)
{
	while (turns-- > 0)
		turn(b, NULL, false);
}

/* Frames' worth of turns with clients in them, then until the last of these is through.
 * @return cycles of the server in them */
static uint64_t pass(struct bench *b, const struct flood *f, uint64_t frames)
{
	uint64_t cycles;

	b->opened = b->connected = b->slowest_us = b->cycles = 0;
	for (uint64_t i = 0; i < frames / BURST; i++)
		turn(b, f, i % EVERY == 0);
	cycles = b->cycles;
	settle(b, 2000);
	return cycles;
}

/* The clients alone, to take them off; then one flood beside them. */
static bool run(struct bench *b, const struct flood *f, uint64_t frames, bool json)
{
	const uint64_t challenges = hf_counter_named(b->server.w, "challenge_sent");
	const uint64_t from_us = b->now_us;
	const uint64_t alone = pass(b, NULL, frames), both = pass(b, f, frames);
	const uint64_t cycles = both > alone ? (both - alone) / frames : 0;
	uint64_t sent;
	bool right;

	sent = hf_counter_named(b->server.w, "challenge_sent") - challenges;
	right = b->connected == b->opened && b->failed == 0 && b->foreign == 0 && b->lost == 0 &&
		sent <= 2 + (b->now_us - from_us) / 500000;
	printf(json ? "{\"flood\":\"%s\",\"ip\":%u,\"cycles_per_frame\":%" PRIu64
		      ",\"opened\":%" PRIu64 ",\"connected\":%" PRIu64 ",\"slowest_us\":%" PRIu64
		      ",\"challenges\":%" PRIu64 ",\"right\":%s}\n" :
		      "flood %-11s IPv%u %5" PRIu64 " cycles a frame; %" PRIu64 " of %" PRIu64
		      " clients connected, the slowest in %" PRIu64 " us; %" PRIu64 " challenges%s\n",
	       f->name, b->target.ip.version, cycles, json ? b->opened : b->connected,
	       json ? b->connected : b->opened, b->slowest_us, sent,
	       json ? (right ? "true" : "false") : (right ? "" : ": WRONG"));
	return right;
}

/* All floods over one IP version. */
static bool run_all(const char *client, const char *server, uint64_t frames, bool json)
{
	struct bench *const b = calloc(1, sizeof(*b));
	struct hf_status status;
	uint32_t listener;
	bool right = true;
	uint64_t id;

	if (!b)
		return false;
	b->now_us = 1000000;
	b->random = 1;
	end_make(&b->client, "client", client, 1);
	end_make(&b->server, "server", server, 2);
	hf_addr_parse(client, &b->live_from);
	hf_addr_parse(server, &b->target);
	b->target.port = 80;
	hf_listen(b->server.w, &b->target, 1, &listener);
	hf_connect(b->client.w, NULL, &b->target, 0, &id);
	hf_flush(b->client.w, b->now_us);
	carry(b->client.port, b->server.port, &b->target.ip);
	settle(b, 10);
	if (hf_status(b->client.w, id, &status) != 0 || status.state != HF_ESTABLISHED)
		return false;
	b->live_from = status.local;
	for (unsigned i = 0; i < sizeof(floods) / sizeof(floods[0]); i++)
		right &= run(b, &floods[i], frames, json);
	hf_abort(b->client.w, id);
	hf_worker_destroy(b->client.w);
	hf_worker_destroy(b->server.w);
	hf_port_free(b->client.port);
	hf_port_free(b->server.port);
	free(b);
	return right;
}

int main(int argc, char **argv)
{
	const uint64_t frames = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	const bool json = argc > 2 && strcmp(argv[2], "--json") == 0;
	struct hf_error why;
	bool right;

	if (hf_env_start(&(struct hf_env){ .program = argv[0], .memory_mb = 128 }, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	right = run_all("198.18.0.1", "198.19.0.1", frames, json);
	right &= run_all("2001:2::1", "2001:2:0:1::1", frames, json);
	hf_env_stop();
	return right ? 0 : 1;
}

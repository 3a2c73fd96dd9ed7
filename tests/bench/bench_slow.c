/* SPDX-License-Identifier: BSD-3-Clause */
/* HF-GOAL-13, SEC-14: peers that shut their window, never acknowledge, say nothing, or send an octet every RTO - 1 ms,
 * so many in all, and beside them one client a millisecond that opens and closes: whether every client gets through,
 * and whether limits act. bench_slow [CONNECTIONS] exits 1 if not. Peers are played here, without a memory of their
 * own: what comes says all that its answer needs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handfast.h"
#include "rig/frame.h"

#define EVENTS 64
#define OPENS 64    /* slow peers a turn, while they come */
#define SECONDS 5   /* of the virtual clock, with all of them there */
#define DRIP_MS 199 /* rto_min - 1 */
#define REQUEST 100 /* octets that the server sends on accept */
#define PORT_FIRST 2000u
#define PORTS 60000u
#define IRS 7000u

enum kind { SHUT, DEAF, SILENT, DRIPPING, KINDS };

struct bench {
	struct hf_worker *w;
	struct hf_port *port;
	struct hf_addr target, client;
	struct frame_form form;
	struct frame frame; /* the last one out */
	uint64_t now_us;
	uint32_t slow, opened;		      /* wanted, and so far */
	uint32_t *dripped, drips;	      /* octets of each DRIPPING one */
	uint64_t clients, served, unanswered; /* opened; closed in order; turns without an answer */
	uint64_t refused, lost;		      /* sends that found no room, frames that found none */
};

static uint64_t counter(const struct bench *b, const char *name)
{
	return hf_counter_named(b->w, name);
}

/* ---- Peers ------------------------------------------------------------------------------------------------- */

/* The n-th slow one's; its network tells it from clients. */
static struct hf_addr slow_address(const struct bench *b, uint32_t n)
{
	struct hf_addr addr = { .ip = b->client.ip, .port = (uint16_t)(PORT_FIRST + n % PORTS) };
	uint8_t *const last = addr.ip.octets + (addr.ip.version == 4 ? 2 : 14);

	last[0] = 1;
	last[1] = (uint8_t)(n / PORTS);
	return addr;
}

static bool is_slow(const struct hf_addr *addr, uint32_t *n)
{
	const uint8_t *const last = addr->ip.octets + (addr->ip.version == 4 ? 2 : 14);

	*n = last[1] * PORTS + addr->port - PORT_FIRST;
	return last[0] == 1;
}

static void peer_sends(struct bench *b, const struct hf_addr *from, struct seg seg)
{
	static const uint8_t octet = 'x';
	uint8_t raw[FRAME_MAX];
	const size_t len = frame_build(raw, &b->form, from, &b->target, &seg, &octet, NULL, 0);

	b->lost += hf_memport_push(b->port, raw, len, &(struct hf_push){ 0 }) != 0;
}

static void peer_opens(struct bench *b, const struct hf_addr *from)
{
	peer_sends(
		b, from,
		(struct seg){
			.seq = IRS, .flags = SEG_SYN, .options = OPT_MSS, .mss = 1460, .wnd = 8192 });
}

static void slow_answers(struct bench *b, uint32_t n, const struct seg *seg)
{
	struct seg reply = { .seq = seg->ack, .ack = seg->seq, .flags = SEG_ACK };

	if (seg->flags & SEG_RST)
		return;
	reply.ack += seg->flags & SEG_SYN ? 1 : 0;
	if (n % KINDS == SHUT) /* probes too, and nothing is ever taken */
		peer_sends(b, &b->frame.dst, reply);
	else if (seg->flags & SEG_SYN) {
		reply.wnd = 8192;
		peer_sends(b, &b->frame.dst, reply);
	} else if (n % KINDS != DEAF && seg->text_len > 0) {
		reply.ack += seg->text_len;
		reply.wnd = 8192;
		peer_sends(b, &b->frame.dst, reply);
	}
}

/* ACK and FIN in one; and the ACK of the server's FIN, whatever it had to say before. */
static void client_answers(struct bench *b, const struct seg *seg)
{
	struct seg reply = { .seq = seg->ack,
			     .ack = seg->seq + seg->text_len +
				    (seg->flags & (SEG_SYN | SEG_FIN) ? 1 : 0),
			     .flags = SEG_ACK,
			     .wnd = 8192 };

	if (seg->flags & SEG_SYN)
		reply.flags |= SEG_FIN;
	else if (seg->flags & SEG_FIN)
		b->served++;
	else if (seg->text_len == 0)
		return;
	peer_sends(b, &b->frame.dst, reply);
}

static void peers_answer(struct bench *b)
{
	const struct frame_form form = {
		.l2 = true, .to = { 2, 0, 0, 0, 0, 2 }, .from = { 2, 0, 0, 0, 0, 1 }, .ttl = 64
	};
	ssize_t len;
	uint32_t n;

	while ((len = hf_memport_pop(b->port, b->frame.raw, sizeof(b->frame.raw))) > 0) {
		b->frame.len = (size_t)len;
		if (frame_parse(&b->frame, &form) != NULL)
			abort();
		if (is_slow(&b->frame.dst, &n))
			slow_answers(b, n, &b->frame.seg);
		else
			client_answers(b, &b->frame.seg);
	}
}

/* An octet of each of those whose turn it is, so that each sends one every DRIP_MS. */
static void drip(struct bench *b)
{
	const uint32_t each = b->opened / KINDS / DRIP_MS + 1;

	for (uint32_t i = 0; i < each && b->opened >= KINDS; i++, b->drips++) {
		const uint32_t n = b->drips % (b->opened / KINDS);
		const struct hf_addr from = slow_address(b, n * KINDS + DRIPPING);
		struct hf_status status;

		if (hf_lookup(b->w, &b->target, &from, &status) == 0 && status.state == HF_ESTABLISHED)
			peer_sends(b, &from,
				   (struct seg){ .seq = IRS + 1 + b->dripped[n]++,
						 .ack = status.snd_nxt,
						 .flags = SEG_ACK,
						 .wnd = 8192,
						 .text_len = 1 });
	}
}

/* ---- The server -------------------------------------------------------------------------------------------- */

static void turn(struct bench *b)
{
	static const char text[REQUEST];
	struct hf_event events[EVENTS];
	const unsigned n = hf_turn(b->w, b->now_us, events, EVENTS);

	for (unsigned i = 0; i < n; i++) {
		uint64_t id = events[i].id;
		char octets[64];

		if (events[i].what & HF_EV_ACCEPT && hf_accept(b->w, events[i].listener, 1, &id) == 0)
			b->refused += hf_send(b->w, id, text, sizeof(text)) < (ssize_t)sizeof(text);
		if (events[i].what & HF_EV_READABLE)
			hf_recv(b->w, id, octets, sizeof(octets));
		if (events[i].what & HF_EV_EOF)
			hf_close(b->w, id);
	}
	hf_flush(b->w, b->now_us);
	peers_answer(b);
}

/* A millisecond, with one client in it. */
static void step(struct bench *b)
{
	struct hf_addr from = b->client;

	from.port = (uint16_t)(PORT_FIRST + b->clients++ % PORTS);
	b->now_us += 1000;
	peer_opens(b, &from);
	drip(b);
	for (unsigned i = 0; i < 6 + b->opened / KINDS / DRIP_MS / 32; i++) /* 32 frames each */
		turn(b);
}

/* ------------------------------------------------------------------------------------------------------------- */

static bool start(struct bench *b, const char *server, const char *client)
{
	struct hf_config config;
	struct hf_error why;
	uint32_t listener;

	hf_addr_parse(server, &b->target);
	hf_addr_parse(client, &b->client);
	hf_config_defaults(&config);
	config.ipv4 = config.ipv6 = (struct hf_sizes){ 0 };
	*(b->target.ip.version == 4 ? &config.ipv4 : &config.ipv6) =
		(struct hf_sizes){ b->slow + 1024, 4096, 65536 };
	config.seed = (struct hf_seed){ .seeded = true, .seed = 1 };
	config.tcp.max_shut_windows = b->slow / 64 < 1000 ? b->slow / 64 : 1000;
	config.ranges = b->slow;
	config.local[config.locals++] = (struct hf_ip_range){ b->target.ip, 1 };
	memcpy(config.mac, (uint8_t[]){ 2, 0, 0, 0, 0, 1 }, 6);
	memcpy(config.gateway_mac, (uint8_t[]){ 2, 0, 0, 0, 0, 2 }, 6);
	b->form = (struct frame_form){
		.l2 = true, .to = { 2, 0, 0, 0, 0, 1 }, .from = { 2, 0, 0, 0, 0, 2 }, .ttl = 64
	};
	b->dripped = calloc(b->slow / KINDS + 1, sizeof(*b->dripped));
	if (b->dripped == NULL ||
	    hf_port_memory(&(struct hf_memport){ .name = "slow", .mbufs = 32767, .frames = 16384 },
			   &b->port, &why) != 0 ||
	    hf_worker_create(&config, b->port, &b->w, &why) != 0 ||
	    hf_listen(b->w, &b->target, 1, &listener) != 0) {
		fprintf(stderr, "%s\n", why.text);
		return false;
	}
	return true;
}

static bool verify(const struct bench *b, uint64_t memory)
{
	const unsigned v6 = b->target.ip.version == 6;
	const uint64_t reset = counter(b, "zero_window_reset");
	struct hf_levels levels;
	struct hf_error why;
	bool right;

	hf_levels(b->w, &levels);
	right = b->served * 1000 >= b->clients * 999 && levels.memory == memory &&
		levels.bytes_per_connection[v6] <= (v6 ? 320u : 256u) &&
		hf_check(b->w, &why) == 0 && levels.connections.peak <= b->slow + 1024 && reset > 0;
	printf("HF-GOAL-13: IPv%u, %u slow peers, %u octets a connection, %.0f MiB of tables: %" PRIu64
	       " of %" PRIu64 " clients served; %" PRIu64 " shut windows reset, %" PRIu64
	       " probes, %" PRIu64 " retransmissions, %" PRIu64 " octets dripped, %" PRIu64
	       " sends refused, %" PRIu64 " frames lost%s\n",
	       v6 ? 6u : 4u, b->slow, levels.bytes_per_connection[v6], (double)memory / 1048576,
	       b->served, b->clients, reset, counter(b, "window_probes"),
	       counter(b, "retransmit_text"), counter(b, "text_in"), b->refused, b->lost,
	       right ? "" : ": WRONG");
	return right;
}

static bool run(uint32_t slow, const char *server, const char *client)
{
	struct bench *const b = calloc(1, sizeof(*b));
	struct hf_levels levels;
	bool right;

	if (b == NULL)
		return false;
	b->slow = slow;
	b->now_us = 1000000;
	if (!start(b, server, client))
		return false;
	hf_levels(b->w, &levels);
	while (b->opened < b->slow) {
		for (unsigned i = 0; i < OPENS && b->opened < b->slow; i++) {
			const struct hf_addr from = slow_address(b, b->opened++);

			peer_opens(b, &from);
		}
		step(b);
	}
	for (unsigned ms = 0; ms < SECONDS * 1000; ms++)
		step(b);
	b->clients--; /* this one has had no time */
	b->served -= b->served > b->clients;
	right = verify(b, levels.memory);
	hf_worker_destroy(b->w);
	right &= hf_port_mbufs_used(b->port) == 0;
	hf_port_free(b->port);
	free(b->dripped);
	free(b);
	return right;
}

int main(int argc, char **argv)
{
	const uint32_t slow = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
	struct hf_error why;
	bool right;

	if (hf_env_start(&(struct hf_env){ .program = argv[0], .memory_mb = 192 }, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	right = run(slow, "198.19.0.1:80", "198.18.0.1");
	right &= run(slow, "[2001:2::1]:80", "2001:2:0:1::1");
	hf_env_stop();
	return right ? 0 : 1;
}

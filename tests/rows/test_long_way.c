/* SPDX-License-Identifier: BSD-3-Clause */
/* The short way of usual frames and the long way of all others give the same octets: two workers of one seed, of which
 * one goes the long way only (hf_config.long_way), take the same random frames, calls and time. */
#include <stdlib.h>
#include <string.h>

#include "rig/random.h"
#include "rig/rig.h"

#define STEPS 4000 /* of a seed */
#define SEEDS 3
#define HELD 8 /* connections that the application holds */

struct end {
	struct hf_port *port;
	struct hf_worker *w;
	uint32_t listener;
};

struct twins {
	struct end ends[2]; /* 0: the usual one, which calls and segments go by */
	uint64_t ids[HELD];
	uint64_t random, now_us, frames;
};

static void end_make(struct rig *r, struct end *e, bool long_way, uint64_t seed)
{
	const struct hf_memport memport = { .name = long_way ? "rig-long" : "rig-usual",
					    .l3 = true,
					    .mbufs = 512 };
	struct hf_config config = r->config;
	struct hf_error why;

	config.seed = (struct hf_seed){ .seeded = true, .seed = seed };
	config.long_way = long_way;
	assert_int_equal(hf_port_memory(&memport, &e->port, &why), 0);
	assert_int_equal(hf_worker_create(&config, e->port, &e->w, &why), 0);
	assert_int_equal(hf_listen(e->w, &r->local, 0, &e->listener), 0);
}

/* A segment of the n-th tuple: often what the connection waits for, sometimes beside it, sometimes anything. */
static struct seg any_segment(struct rig *r, struct twins *t, const struct hf_addr *peer)
{
	static const uint8_t flags[] = { SEG_SYN,	    SEG_ACK,
					 SEG_ACK,	    SEG_ACK,
					 SEG_ACK | SEG_PSH, SEG_FIN | SEG_ACK,
					 SEG_SYN | SEG_ACK, SEG_RST };
	struct hf_status status = { .state = HF_CLOSED };
	struct seg seg = { .wnd = (uint16_t)random_below(&t->random, 3000) };

	hf_lookup(t->ends[0].w, &r->local, peer, &status);
	seg.flags = flags[random_below(&t->random, sizeof(flags))];
	seg.seq = status.rcv_nxt +
		  (random_below(&t->random, 4) ? 0 : (uint32_t)random_below(&t->random, 99) - 50);
	seg.ack = status.snd_nxt -
		  (random_below(&t->random, 4) ? 0 : (uint32_t)random_below(&t->random, 99));
	if (!(seg.flags & SEG_ACK))
		seg.ack = 0;
	if (!(seg.flags & (SEG_SYN | SEG_RST)))
		seg.text_len =
			(uint16_t)(random_below(&t->random, 2) ? random_below(&t->random, 64) : 0);
	if (random_below(&t->random, 8))
		seg.options |= OPT_TS;
	if (seg.flags & SEG_SYN)
		seg.options |= OPT_MSS;
	seg.mss = 536;
	seg.tsval = (uint32_t)(t->now_us / 1000);
	seg.tsecr = (uint32_t)random_below(&t->random, 2) ? 0 : seg.tsval;
	return seg;
}

static void push(struct rig *r, struct twins *t)
{
	static const uint8_t text[64];
	struct hf_addr peer = r->peer;
	struct seg seg;
	uint8_t raw[FRAME_MAX];
	size_t len;

	peer.port = (uint16_t)(40000 + random_below(&t->random, HELD));
	seg = any_segment(r, t, &peer);
	len = frame_build(raw, &r->in_form, &peer, &r->local, &seg, text, NULL, 0);
	if (random_below(&t->random, 16) == 0) /* not usual at all, or not right */
		raw[random_below(&t->random, (uint32_t)len)] ^=
			(uint8_t)(1u << random_below(&t->random, 8));
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(hf_memport_push(t->ends[i].port, raw, len, &(struct hf_push){ 0 }),
				 0);
}

/* The same call of both, which must come to the same. */
static void call(struct rig *r, struct twins *t)
{
	uint64_t *const held = &t->ids[random_below(&t->random, HELD)];
	const unsigned what = (unsigned)random_below(&t->random, 6);
	const size_t len = random_below(&t->random, 700);
	uint64_t ids[2] = { *held, *held };
	uint8_t text[2][700] = { { 1 }, { 1 } };
	ssize_t came[2] = { 0, 0 };

	for (unsigned i = 0; i < 2; i++) {
		struct hf_worker *const w = t->ends[i].w;

		if (*held == 0 && what == 0)
			came[i] = hf_connect(w, &r->local, &r->peer, 0, &ids[i]);
		else if (*held == 0)
			came[i] = hf_accept(w, t->ends[i].listener, 0, &ids[i]);
		else if (what < 3)
			came[i] = hf_send(w, *held, text[i], len);
		else if (what < 5)
			came[i] = hf_recv(w, *held, text[i], len);
		else
			came[i] = len % 4 ? hf_close(w, *held) : hf_abort(w, *held);
	}
	assert_int_equal(came[0], came[1]);
	assert_true(ids[0] == ids[1]);
	assert_memory_equal(text[0], text[1], sizeof(text[0]));
	*held = what == 5 || (*held == 0 && came[0] != 0) ? 0 : ids[0];
}

static void compare(struct twins *t)
{
	uint8_t octets[2][FRAME_MAX];
	ssize_t len[2];

	do {
		for (unsigned i = 0; i < 2; i++)
			len[i] = hf_memport_pop(t->ends[i].port, octets[i], FRAME_MAX);
		assert_int_equal(len[0], len[1]);
		if (len[0] > 0)
			assert_memory_equal(octets[0], octets[1], (size_t)len[0]);
		t->frames += len[0] > 0;
	} while (len[0] > 0);
}

static void step(struct rig *r, struct twins *t)
{
	struct hf_event events[2][64];
	unsigned n[2];

	for (uint64_t i = random_below(&t->random, 6); i > 0; i--)
		push(r, t);
	for (unsigned i = 0; i < 2; i++)
		n[i] = hf_turn(t->ends[i].w, t->now_us, events[i], 64);
	assert_int_equal(n[0], n[1]);
	for (unsigned i = 0; i < n[0]; i++)
		assert_true(events[0][i].id == events[1][i].id &&
			    events[0][i].what == events[1][i].what);
	call(r, t);
	for (unsigned i = 0; i < 2; i++)
		hf_flush(t->ends[i].w, t->now_us);
	compare(t);
	t->now_us += random_below(&t->random, 8) ? random_below(&t->random, 2000) :
						   MS(random_below(&t->random, 900));
}

static void random_traffic__both_ways__same_octets(struct rig *r)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct twins t = { .random = seed, .now_us = SEC(1) };

		for (unsigned i = 0; i < 2; i++)
			end_make(r, &t.ends[i], i == 1, seed);
		for (unsigned i = 0; i < STEPS; i++)
			step(r, &t);
		assert_true(t.frames > STEPS / 2);
		for (unsigned i = 0; i < hf_counters(); i++)
			assert_true(hf_counter(t.ends[0].w, i) == hf_counter(t.ends[1].w, i));
		for (unsigned i = 0; i < 2; i++) {
			hf_worker_destroy(t.ends[i].w);
			hf_port_free(t.ends[i].port);
		}
	}
}

static const struct row rows[] = {
	{ .name = "HF-H1-both-ways",
	  .test = random_traffic__both_ways__same_octets,
	  .variants = ROW_PLAIN },
};

int main(int argc, char **argv)
{
	return rig_run("Both ways", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

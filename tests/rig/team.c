/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig/team.h"

#include <stdlib.h>
#include <string.h>

#include <rte_thash.h>

#define ISS_PEER 5000u

const uint8_t team_key[40] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};
const uint8_t team_us[6] = { 2, 0, 0, 0, 0, 1 };
const uint8_t team_station[2][6] = { { 2, 0, 0, 0, 0, 9 }, { 2, 0, 0, 0, 0, 10 } };

void team_init(struct team *t, unsigned n, enum hf_steering steering, uint8_t version)
{
	const struct hf_ip ours[2] = {
		{ .octets = { 198, 18, 0, 1 }, .version = 4 },
		{ .octets = { 0x20, 1, 0, 2, [15] = 1 }, .version = 6 },
	};

	*t = (struct team){
		.n = n,
		.memport = { .name = "team",
			     .l3 = true,
			     .mbufs = 4096,
			     .queues = n,
			     .steer = { .steering = steering, .key = team_key, .key_len = 40 } },
		.local = { ours[version == 6], 80 },
		.peer = { ours[version == 6], 40000 },
		.in = { .ttl = 64 },
		.out = { .ttl = 64 },
		.now_us = 1000000,
	};
	t->peer.ip.octets[version == 6 ? 15 : 3] = 9;
	hf_config_defaults(&t->config);
	t->config.ipv4 = t->config.ipv6 =
		(struct hf_sizes){ .connections = 128, .requests = 128, .buckets = 128 };
	t->config.seed = (struct hf_seed){ .seeded = true, .seed = 7 };
	t->config.locals = 1;
	t->config.local[0] = (struct hf_ip_range){ t->local.ip, 4 };
	t->config.ranges = 1024;
}

void team_on_a_link(struct team *t)
{
	t->memport.l3 = false;
	t->in.l2 = t->out.l2 = t->out.any_to = true;
	memcpy(t->config.mac, team_us, 6);
	memcpy(t->in.to, team_us, 6);
	memcpy(t->in.from, team_station[0], 6);
	memcpy(t->out.from, team_us, 6);
	t->config.local_prefix[0] = t->local.ip.version == 6 ? 64 : 24;
}

void team_make(struct team *t)
{
	struct hf_error why;

	if (hf_port_memory(&t->memport, t->port, &why) != 0)
		fail_msg("%s", why.text);
	for (unsigned i = 0; i < t->n; i++) {
		assert_int_equal(hf_port_queue(t->port[i]), i);
		if (hf_worker_create(&t->config, t->port[i], &t->w[i], &why) != 0)
			fail_msg("%s", why.text);
	}
}

/* HF-G1, with what is handed over. */
static void assert_fates(const struct team *t, unsigned i)
{
	uint64_t fates = 0;

	for (unsigned c = 0; c < hf_counters(); c++) {
		const char *const name = hf_counter_name(c);

		if (strncmp(name, "rx_drop_", 8) == 0 || strcmp(name, "rx_consumed") == 0 ||
		    strcmp(name, "rx_answered") == 0 || strcmp(name, "rx_handed_over") == 0)
			fates += hf_counter(t->w[i], c);
	}
	assert_int_equal(team_counter(t, i, "rx_frames") + team_counter(t, i, "rx_taken_over"),
			 fates);
}

void team_end(struct team *t)
{
	struct frame f;
	struct hf_error why;

	team_turns(t);
	for (unsigned i = 0; i < t->n; i++) {
		assert_fates(t, i);
		if (hf_check(t->w[i], &why) != 0)
			fail_msg("worker %u: %s", i, why.text);
	}
	for (unsigned i = 0; i < t->n; i++) {
		hf_worker_destroy(t->w[i]);
		while (team_pop(t, i, &f))
			;
	}
	assert_int_equal(hf_port_mbufs_used(t->port[0]), 0);
	for (unsigned i = 0; i < t->n; i++)
		hf_port_free(t->port[i]);
}

/* Octets in wire order to the words that rte_softrss reads. */
static unsigned words(const struct hf_ip *ip, uint32_t *out)
{
	const unsigned n = ip->version == 6 ? 4 : 1;

	for (unsigned i = 0; i < n; i++)
		out[i] = (uint32_t)ip->octets[4 * i] << 24 | (uint32_t)ip->octets[4 * i + 1] << 16 |
			 (uint32_t)ip->octets[4 * i + 2] << 8 | ip->octets[4 * i + 3];
	return n;
}

unsigned team_home(const struct team *t, const struct hf_addr *local, const struct hf_addr *peer)
{
	uint32_t tuple[9];
	unsigned n = words(&peer->ip, tuple);

	n += words(&local->ip, tuple + n);
	tuple[n++] = (uint32_t)peer->port << 16 | local->port;
	return (rte_softrss(tuple, n, team_key) & 511) % t->n;
}

void team_push_raw(struct team *t, unsigned queue, const void *raw, size_t len)
{
	assert_int_equal(hf_memport_push(t->port[queue], raw, len, NULL), 0);
}

void team_push(struct team *t, unsigned queue, const struct hf_addr *local,
	       const struct hf_addr *peer, struct seg seg)
{
	static const uint8_t text[64];
	uint8_t raw[FRAME_MAX];

	assert_true(seg.text_len <= sizeof(text));
	if (seg.wnd == 0)
		seg.wnd = 1000;
	team_push_raw(t, queue, raw, frame_build(raw, &t->in, peer, local, &seg, text, NULL, 0));
}

void team_turn(struct team *t, unsigned i)
{
	struct hf_event events[64];

	t->events = hf_turn(t->w[i], t->now_us, events, 64);
	if (t->events > 0)
		t->event = events[t->events - 1];
	hf_flush(t->w[i], t->now_us);
}

void team_turns(struct team *t)
{
	t->now_us += 1000;
	for (unsigned i = 0; i < 2 * t->n; i++)
		team_turn(t, i % t->n);
}

bool team_pop(struct team *t, unsigned i, struct frame *f)
{
	const ssize_t len = hf_memport_pop(t->port[i], f->raw, sizeof(f->raw));
	const char *wrong;

	if (len < 0)
		return false;
	f->len = (size_t)len;
	wrong = frame_parse(f, &t->out);
	if (wrong != NULL)
		fail_msg("worker %u: %s", i, wrong);
	return true;
}

uint64_t team_counter(const struct team *t, unsigned i, const char *name)
{
	const uint64_t n = hf_counter_named(t->w[i], name);

	assert_true(n != UINT64_MAX);
	return n;
}

uint64_t team_sum(const struct team *t, const char *name)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < t->n; i++)
		sum += team_counter(t, i, name);
	return sum;
}

void team_connect(struct team *t, unsigned i, uint64_t *id, struct hf_addr *local, struct seg *last)
{
	struct frame syn;

	assert_int_equal(hf_connect(t->w[i], NULL, &t->peer, 0, id), 0);
	team_turn(t, i);
	assert_true(team_pop(t, i, &syn));
	assert_int_equal(syn.seg.flags, SEG_SYN);
	*local = syn.src;
	team_push(t, team_home(t, local, &t->peer), local, &t->peer,
		  (struct seg){ .seq = ISS_PEER, .ack = syn.seg.seq + 1, .flags = SEG_SYN | SEG_ACK });
	team_turn(t, i);
	assert_int_equal(t->events, 1);
	assert_true(t->event.id == *id && t->event.what & HF_EV_CONNECTED);
	assert_true(team_pop(t, i, &syn));
	*last = syn.seg;
}

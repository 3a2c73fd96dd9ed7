/* SPDX-License-Identifier: BSD-3-Clause */
/* Many workers on one device (REQUIREMENTS 21; HF-P1, HF-IC3, HF-L13, HF-N1): whatever queue a frame comes
 * to, the worker that owns its flow gets it, and no other one touches it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/message.h"
#include "rig/random.h"
#include "rig/team.h"

#define WORKERS 4
#define CONNECTS 10000u

static const enum hf_steering hashed[] = { HF_STEERING_SOFTWARE, HF_STEERING_RSS };
static const uint8_t versions[] = { 4, 6 };

/* The test for both ways of steering by hash, in both IP versions. */
static void each(void (*test)(struct team *t))
{
	for (unsigned i = 0; i < 4; i++) {
		struct team t;

		team_init(&t, WORKERS, hashed[i / 2], versions[i % 2]);
		test(&t);
	}
}

static void listen_everywhere(struct team *t)
{
	uint32_t listener;

	for (unsigned i = 0; i < t->n; i++)
		assert_int_equal(hf_listen(t->w[i], &t->local, 0, &listener), 0);
}

/* ---- HF-M1, HF-M2 ---- */

/* SYNs of 64 peers, each to every queue in turn: the owner alone answers, once. */
static void syn__on_every_queue__owner_answers_at(struct team *t)
{
	struct frame f;
	struct hf_status status;
	unsigned strays = 0;

	t->config.tcp.rst_budget = 1000000;
	team_make(t);
	listen_everywhere(t);
	for (unsigned k = 0; k < 64; k++) {
		const unsigned home = team_home(t, &t->local, &t->peer);

		assert_int_equal(hf_port_home(t->port[k % t->n], &t->local, &t->peer), home);
		team_push(t, k % t->n, &t->local, &t->peer,
			  (struct seg){ .seq = 100, .flags = SEG_SYN });
		strays += k % t->n != home;
		team_turns(t);
		for (unsigned i = 0; i < t->n; i++) {
			assert_int_equal(team_pop(t, i, &f), i == home);
			assert_int_equal(hf_lookup(t->w[i], &t->local, &t->peer, &status),
					 i == home ? 0 : -ENOENT);
		}
		team_push(t, (k + 1) % t->n, &t->local, &t->peer,
			  (struct seg){ .seq = 101, .flags = SEG_RST });
		strays += (k + 1) % t->n != home;
		team_turns(t);
		assert_int_equal(hf_lookup(t->w[home], &t->local, &t->peer, &status), -ENOENT);
		t->peer.port++;
	}
	assert_true(strays > 64);
	assert_int_equal(team_sum(t, "rx_handed_over"), strays);
	assert_int_equal(team_sum(t, "rx_taken_over"), strays);
	assert_int_equal(team_sum(t, "request_opened"), 64);
	assert_int_equal(team_sum(t, "request_reset"), 64);
	assert_int_equal(team_sum(t, "wrong_core"),
			 t->memport.steer.steering == HF_STEERING_RSS ? strays : 0);
	team_end(t);
}

static void syn__on_every_queue__owner_answers(void **state)
{
	(void)state;
	each(syn__on_every_queue__owner_answers_at);
}

/* A connection's segments come to any queue, in a burst with others', and stay in order for the owner. */
static void segments__on_any_queue__reach_the_connection_at(struct team *t)
{
	struct hf_addr local[WORKERS];
	struct seg last[WORKERS];
	uint64_t id[WORKERS];
	struct hf_status status;

	team_make(t);
	for (unsigned i = 0; i < t->n; i++)
		team_connect(t, i, &id[i], &local[i], &last[i]);
	for (unsigned k = 0; k < 32; k++)
		for (unsigned i = 0; i < t->n; i++)
			team_push(t, k / 8, &local[i], &t->peer,
				  (struct seg){ .seq = last[i].ack + k,
						.ack = last[i].seq,
						.flags = SEG_ACK,
						.text_len = 1 });
	for (unsigned turns = 0; turns < 8; turns++)
		team_turns(t);
	for (unsigned i = 0; i < t->n; i++) {
		assert_int_equal(hf_status(t->w[i], id[i], &status), 0);
		assert_int_equal(status.readable, 32);
		for (unsigned other = 0; other < t->n; other++)
			if (other != i)
				assert_int_equal(hf_lookup(t->w[other], &local[i], &t->peer, &status),
						 -ENOENT);
		hf_abort(t->w[i], id[i]);
	}
	team_end(t);
}

static void segments__on_any_queue__reach_the_connection(void **state)
{
	(void)state;
	each(segments__on_any_queue__reach_the_connection_at);
}

/* A burst that is all others' leaves nothing to this worker, but maybe more in the device: it is not idle. */
static void burst__of_others_frames__another_turn_at_once(void **state)
{
	struct team t;
	unsigned n = 0;

	(void)state;
	team_init(&t, 2, HF_STEERING_SOFTWARE, 4);
	team_make(&t);
	listen_everywhere(&t);
	for (; n < 40; t.peer.port++) {
		if (team_home(&t, &t.local, &t.peer) == 0)
			continue;
		team_push(&t, 0, &t.local, &t.peer, (struct seg){ .seq = 100, .flags = SEG_SYN });
		n++;
	}
	team_turn(&t, 0);
	assert_int_equal(team_counter(&t, 0, "rx_handed_over"), 32);
	assert_int_equal(team_counter(&t, 0, "turns_busy"), 1);
	assert_int_equal(hf_next_deadline(t.w[0]), 0);
	team_turn(&t, 0);
	assert_int_equal(team_counter(&t, 0, "turns_busy"), 2);
	assert_true(hf_next_deadline(t.w[0]) > 0);
	team_turn(&t, 1); /* half a burst of theirs */
	assert_int_equal(hf_next_deadline(t.w[1]), 0);
	team_turns(&t);
	assert_int_equal(team_sum(&t, "request_opened"), 40);
	assert_true(hf_next_deadline(t.w[0]) > 0);
	assert_true(hf_next_deadline(t.w[1]) > 0);
	team_end(&t);
}

/* What is no segment stays where it came, and garbage is nobody's: counted there, one fate each. */
static void garbage__on_every_queue__one_fate(void **state)
{
	uint64_t random = 1;
	uint8_t raw[FRAME_MAX];
	struct team t;

	(void)state;
	for (unsigned v = 0; v < 2; v++) {
		team_init(&t, WORKERS, HF_STEERING_SOFTWARE, versions[v]);
		t.config.tcp.rst_budget = 1000000;
		team_make(&t);
		for (unsigned k = 0; k < 2000; k++) {
			struct seg seg = { .seq = k, .flags = SEG_ACK };
			size_t len = frame_build(raw, &t.in, &t.peer, &t.local, &seg, NULL, NULL, 0);

			for (unsigned i = 0; i < 3; i++)
				raw[random_below(&random, (uint32_t)len)] =
					(uint8_t)random_below(&random, 256);
			team_push_raw(&t, k % t.n, raw, 1 + random_below(&random, (uint32_t)len));
			if (k % 16 == 15) {
				struct frame f;

				team_turns(&t);
				for (unsigned i = 0; i < t.n; i++)
					while (hf_memport_pop(t.port[i], f.raw, sizeof(f.raw)) >= 0)
						;
			}
		}
		team_turns(&t);
		assert_int_equal(team_sum(&t, "rx_frames"), 2000);
		assert_int_equal(team_sum(&t, "rx_handed_over"), team_sum(&t, "rx_taken_over"));
		team_end(&t);
	}
}

/* ---- HF-P1 ---- */

/* 64 at a time; the reply comes to the queue that DPDK's hash says. */
static void connect_many(struct team *t, unsigned i, uint32_t count, unsigned from_queue)
{
	struct hf_event events[64];
	struct frame syn;
	uint64_t id;

	for (uint32_t done = 0; done < count; done += 50) {
		for (unsigned k = 0; k < 50; k++)
			assert_int_equal(hf_connect(t->w[i], NULL, &t->peer, 0, &id), 0);
		hf_flush(t->w[i], t->now_us);
		for (unsigned k = 0; k < 50; k++) {
			assert_true(team_pop(t, i, &syn));
			assert_int_equal(team_home(t, &syn.src, &t->peer), i);
			team_push(t, from_queue, &syn.src, &t->peer,
				  (struct seg){ .seq = 1,
						.ack = syn.seg.seq + 1,
						.flags = SEG_SYN | SEG_ACK });
		}
		for (unsigned turns = 0; from_queue != i && turns < 2; turns++)
			team_turn(t, from_queue);
		for (unsigned turns = 0, n = 0; n < 50; turns++) {
			assert_true(turns < 10);
			n += hf_turn(t->w[i], t->now_us, events, 64);
			hf_flush(t->w[i], t->now_us);
		}
		for (unsigned k = 0; k < 50; k++)
			assert_true(team_pop(t, i, &syn));
		t->now_us += 1000;
	}
}

static void connects__of_every_worker__come_home_at(struct team *t)
{
	const bool rss = t->memport.steer.steering == HF_STEERING_RSS;

	t->config.ipv4.connections = t->config.ipv6.connections = CONNECTS + 64;
	t->config.tcp.keepalive_ms = 0;
	team_make(t);
	for (unsigned i = 0; i < t->n; i++)
		connect_many(t, i, CONNECTS, rss ? i : (i + 1) % t->n);
	for (unsigned i = 0; i < t->n; i++)
		assert_int_equal(team_counter(t, i, "active_established"), CONNECTS);
	assert_int_equal(team_sum(t, "wrong_core"), 0);
	assert_int_equal(team_sum(t, "rst_out"), 0);
	assert_int_equal(team_sum(t, "rx_drop_ring_full"), 0);
	assert_int_equal(team_sum(t, "rx_handed_over"), rss ? 0 : WORKERS * CONNECTS);
	team_end(t);
}

static void connects__of_every_worker__come_home(void **state)
{
	(void)state;
	each(connects__of_every_worker__come_home_at);
}

/* All ports toward a target belong to some worker, none to two; and a port that is named is refused where
 * its replies would not come. */
static void ports__of_all_workers__are_all_ports(void **state)
{
	struct hf_addr local;
	struct team t;
	uint64_t id;
	uint32_t n = 0;

	(void)state;
	team_init(&t, 3, HF_STEERING_SOFTWARE, 4);
	t.config.ipv4.connections = 2048;
	t.config.port_first = 20000;
	t.config.port_last = 23999;
	t.config.local[0].count = 1;
	team_make(&t);
	local = t.local;
	for (unsigned i = 0; i < t.n; i++) {
		local.port = 19999;
		while (team_home(&t, &local, &t.peer) == i)
			local.port--;
		assert_int_equal(hf_connect(t.w[i], &local, &t.peer, 0, &id), -EADDRNOTAVAIL);
		while (team_home(&t, &local, &t.peer) != i)
			local.port--;
		assert_int_equal(hf_connect(t.w[i], &local, &t.peer, 0, &id), 0);
		while (hf_connect(t.w[i], NULL, &t.peer, 0, &id) == 0)
			n++;
		for (struct frame f; hf_flush(t.w[i], t.now_us), team_pop(&t, i, &f);)
			assert_int_equal(team_home(&t, &f.src, &t.peer), i);
	}
	assert_int_equal(n, 4000);
	team_end(&t);
}

/* ---- HF-IC3 ---- */

/* On odd queues the frame is padded, in a segment of its own. */
static void push_error(struct team *t, unsigned queue, const struct hf_addr *local, uint32_t seq)
{
	static const uint8_t router[2][16] = { { 203, 0, 113, 1 }, { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
	const unsigned version = local->ip.version;
	const uint8_t *const from = router[version == 6];
	uint8_t raw[MESSAGE_MAX + 8] = { 0 }, body[128], quote[64];
	struct hf_push how = { 0 };
	size_t len = message_quote(quote, version, local->ip.octets, t->peer.ip.octets, local->port,
				   t->peer.port, seq);

	len = message_body(body, version == 4 ? 3 : 1, version == 4 ? 1 : 3, 0, quote, len);
	message_seal(version, from, local->ip.octets, body, len);
	len = message_ip(raw, version, from, local->ip.octets, version == 4 ? 1 : 58, 64, body, len);
	if (queue % 2 != 0)
		how.cut[0] = (uint16_t)len;
	assert_int_equal(hf_memport_push(t->port[queue], raw, len + (how.cut[0] ? 8 : 0), &how), 0);
}

/* A SYN's on its way for each worker; an error about it comes to each queue. */
static void errors__on_every_queue__follow_the_quoted_tuple_at(struct team *t)
{
	team_make(t);
	for (unsigned i = 0; i < t->n; i++) {
		struct hf_status status;
		struct frame syn;
		uint64_t id;

		assert_int_equal(hf_connect(t->w[i], NULL, &t->peer, 0, &id), 0);
		team_turn(t, i);
		assert_true(team_pop(t, i, &syn));
		for (unsigned queue = 0; queue < t->n; queue++)
			push_error(t, queue, &syn.src, syn.seg.seq);
		team_turns(t);
		assert_int_equal(hf_status(t->w[i], id, &status), 0);
		assert_int_equal(status.soft_error, EHOSTUNREACH);
		assert_int_equal(team_counter(t, i, "icmp_soft"), t->n);
		assert_int_equal(team_sum(t, "icmp_soft"), (i + 1) * t->n);
		hf_abort(t->w[i], id);
	}
	assert_int_equal(team_sum(t, "wrong_core"), 0);
	team_end(t);
}

static void errors__on_every_queue__follow_the_quoted_tuple(void **state)
{
	struct team t;

	(void)state;
	each(errors__on_every_queue__follow_the_quoted_tuple_at);
	/* where queues are joined nobody can reckon whose it is: whoever knows the tuple takes it */
	team_init(&t, WORKERS, HF_STEERING_QUEUE, 4);
	errors__on_every_queue__follow_the_quoted_tuple_at(&t);
}

/* ---- HF-L13 ---- */

/* Worker 1 takes no turns: worker 0 goes on, what does not fit the ring is gone and counted. */
static void ring__of_a_slow_worker__drops_and_blocks_nobody(void **state)
{
	unsigned away = 0, own = 0;
	struct frame f;
	struct team t;

	(void)state;
	team_init(&t, 2, HF_STEERING_SOFTWARE, 4);
	t.memport.steer.ring = 16;
	team_make(&t);
	listen_everywhere(&t);
	for (unsigned k = 0; k < 80; k++, t.peer.port++) {
		if (team_home(&t, &t.local, &t.peer) == 0)
			own++;
		else
			away++;
		team_push(&t, 0, &t.local, &t.peer, (struct seg){ .seq = 100, .flags = SEG_SYN });
		team_turn(&t, 0);
	}
	assert_true(away > 30 && own > 30);
	assert_int_equal(team_counter(&t, 0, "request_opened"), own);
	assert_int_equal(team_counter(&t, 0, "rx_handed_over"), 15);
	assert_int_equal(team_counter(&t, 0, "rx_drop_ring_full"), away - 15);
	team_turns(&t);
	assert_int_equal(team_counter(&t, 1, "rx_taken_over"), 15);
	assert_int_equal(team_counter(&t, 1, "request_opened"), 15);
	for (unsigned i = 0; i < 2; i++)
		while (team_pop(&t, i, &f))
			;
	team_end(&t);
}

/* ---- HF-N1 ---- */

static void push_arp(struct team *t, unsigned queue, unsigned op, const uint8_t *mac)
{
	uint8_t raw[64];

	team_push_raw(
		t, queue, raw,
		message_arp(raw, team_us, op, mac, t->peer.ip.octets, team_us, t->local.ip.octets));
}

/* Both workers wait for a neighbour; its answer comes to one queue, and later its new address does. */
static void neighbour__heard_by_one__known_to_all(void **state)
{
	struct hf_addr local[2];
	struct seg last[2];
	uint64_t id[2];
	struct frame f;
	struct team t;

	(void)state;
	team_init(&t, 2, HF_STEERING_RSS, 4);
	team_on_a_link(&t);
	team_make(&t);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(hf_connect(t.w[i], NULL, &t.peer, 0, &id[i]), 0);
		team_turn(&t, i);
		assert_true(hf_memport_pop(t.port[i], f.raw, sizeof(f.raw)) > 0); /* who has it? */
	}
	push_arp(&t, 0, 2, team_station[0]);
	team_turns(&t);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(team_pop(&t, i, &f));
		assert_memory_equal(f.raw, team_station[0], 6);
		local[i] = f.src;
		team_push(&t, i, &local[i], &t.peer,
			  (struct seg){
				  .seq = 5000, .ack = f.seg.seq + 1, .flags = SEG_SYN | SEG_ACK });
		team_turn(&t, i);
		assert_true(team_pop(&t, i, &f));
		assert_memory_equal(f.raw, team_station[0], 6);
		last[i] = f.seg;
	}
	push_arp(&t, 1, 1, team_station[1]);
	team_turns(&t);
	while (hf_memport_pop(t.port[1], f.raw, sizeof(f.raw)) > 0) /* the answer to what it asked */
		;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(hf_send(t.w[i], id[i], "x", 1), 1);
		team_turn(&t, i);
		assert_true(team_pop(&t, i, &f));
		assert_int_equal(f.seg.seq, last[i].seq);
		assert_memory_equal(f.raw, team_station[1], 6);
		hf_abort(t.w[i], id[i]);
	}
	team_end(&t);
}

/* ---- HF-M2 ---- */

static void assert_held(const struct team *t, uint32_t mbufs)
{
	uint32_t held = 0;

	for (unsigned i = 0; i < t->n; i++) {
		struct hf_levels levels;

		hf_levels(t->w[i], &levels);
		held += levels.queued_mbufs;
	}
	assert_int_equal(held, mbufs);
	assert_int_equal(hf_port_mbufs_used(t->port[0]), mbufs);
}

/* What is for all others lies in each one's ring, and each mbuf is accounted for once. */
static void word_and_error__for_all_others__each_mbuf_held_once(void **state)
{
	struct team t;

	(void)state;
	team_init(&t, WORKERS, HF_STEERING_SOFTWARE, 4);
	team_on_a_link(&t);
	team_make(&t);
	push_arp(&t, 0, 2, team_station[0]);
	team_turn(&t, 0);
	assert_held(&t, WORKERS - 1);
	team_end(&t);
	team_init(&t, WORKERS, HF_STEERING_QUEUE, 4);
	team_make(&t);
	push_error(&t, 0, &t.local, 100);
	team_turn(&t, 0);
	assert_held(&t, WORKERS - 1);
	team_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "HF-M2", syn__on_every_queue__owner_answers, NULL, NULL, NULL },
		{ "HF-M1", segments__on_any_queue__reach_the_connection, NULL, NULL, NULL },
		cmocka_unit_test(burst__of_others_frames__another_turn_at_once),
		{ "HF-G1", garbage__on_every_queue__one_fate, NULL, NULL, NULL },
		{ "HF-P1", connects__of_every_worker__come_home, NULL, NULL, NULL },
		{ "HF-P1", ports__of_all_workers__are_all_ports, NULL, NULL, NULL },
		{ "HF-IC3", errors__on_every_queue__follow_the_quoted_tuple, NULL, NULL, NULL },
		{ "HF-L13", ring__of_a_slow_worker__drops_and_blocks_nobody, NULL, NULL, NULL },
		{ "HF-M2-held", word_and_error__for_all_others__each_mbuf_held_once, NULL, NULL,
		  NULL },
		{ "HF-N1", neighbour__heard_by_one__known_to_all, NULL, NULL, NULL },
	};
	const struct hf_env env = { .program = "test_steering", .memory_mb = 128 };
	struct hf_error why;
	int failed;

	if (hf_env_start(&env, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		return EXIT_FAILURE;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	hf_env_stop();
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

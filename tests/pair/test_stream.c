/* SPDX-License-Identifier: BSD-3-Clause */
/* Streams between two engines over a bad link: what is taken is what was sent, all of it, whatever the
 * link did; and a reader that is slow or small holds the sender up, not the memory (sections 11, 13). */
#include <errno.h>
#include <string.h>

#include "rig/random.h"
#include "rig/talk.h"
#include "tcp/seg.h"

#define MIB (1024u * 1024)
#define ENDLESS UINT32_MAX
#define SEEDS 3

static void over(struct pair *p, struct talk *t, const struct plan *a, const struct plan *b,
		 uint64_t us)
{
	talk_begin(p, t, a, b);
	talk_open(p, t, 0);
	pair_until(p, talk_over, us);
	talk_expect_whole(p, t);
	p->app = NULL;
}

static void settle(struct pair *p)
{
	link_heal(p->link);
	pair_settle(p);
	pair_expect_empty(p);
}

/* A link as bad as the seed says: up to 5 % of each harm, up to 20 ms. */
static void spoil(struct pair *p, uint64_t *random)
{
	for (unsigned i = 0; i < 2; i++)
		p->link->rates[i] = (struct link_rates){
			.loss = random_below(random, LINK_EVER / 20),
			.duplicate = random_below(random, LINK_EVER / 20),
			.reorder = random_below(random, LINK_EVER / 20),
			.corrupt = random_below(random, LINK_EVER / 20),
			.delay_us = random_below(random, 20000),
			.jitter_us = random_below(random, 5000),
			.reorder_us = random_below(random, 50000),
		};
}

static void both_ways__bad_link__every_octet_comes(struct pair *p)
{
	const unsigned long seeds = p->count ? p->count : (SEEDS + PAIR_SLOWER - 1) / PAIR_SLOWER;
	uint64_t random = p->seed;

	for (unsigned long i = 0; i < seeds; i++) {
		struct talk t = { 0 };

		spoil(p, &random);
		over(p, &t, &(struct plan){ .send = MIB, .until = MIB },
		     &(struct plan){ .send = MIB, .until = MIB, .eof = true }, SEC(3600));
		settle(p);
	}
}

/* HF-D4's other half: what is taken before the link breaks for good is a prefix. talk.c compares. */
static void both_ways__link_breaks__prefix_comes(struct pair *p)
{
	uint64_t random = p->seed;
	struct talk t = { 0 };

	spoil(p, &random);
	talk_begin(p, &t, &(struct plan){ .send = ENDLESS, .until = ENDLESS },
		   &(struct plan){ .send = ENDLESS, .until = ENDLESS, .eof = true });
	t.strict = false;
	talk_open(p, &t, 0);
	pair_until(p, talk_connected, SEC(100));
	pair_run(p, SEC(2));
	p->link->rates[0].loss = p->link->rates[1].loss = LINK_EVER;
	pair_until(p, talk_over, SEC(1500)); /* R2 from an RTO of 3 s: 16 waits of up to 120 s */
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(t.side[i].error, ETIMEDOUT);
		assert_true(t.side[i].events & HF_EV_SUSPECT);
		assert_true(t.side[i].taken <= t.side[!i].queued);
	}
	p->app = NULL;
}

static void no_nagle(struct pair *p)
{
	p->side[0].config.tcp.nagle = p->side[1].config.tcp.nagle = false;
	p->check_every = 64;
}

/* What left in small segments is sent again in large ones, and the n-th small one is the first that has
 * not come: the large one overlaps those before it. */
static void one_way__repetition_overlaps__every_octet_comes(struct pair *p)
{
	for (uint32_t n = 2; n < 12; n++) {
		struct talk t = { 0 };

		talk_begin(p, &t, &(struct plan){ .send = 5000, .drip = 100, .drip_us = 500 },
			   &(struct plan){ .until = 5000, .eof = true });
		link_rule(p->link, (struct link_rule){ .from = 0,
						       .mask = SEG_PSH,
						       .flags = SEG_PSH,
						       .nth = n,
						       .act = LINK_DROP });
		talk_open(p, &t, 0);
		pair_until(p, talk_connected, SEC(1));
		p->link->rates[1].loss = LINK_EVER; /* no ACK tells how much has come */
		pair_run(p, MS(100));
		p->link->rates[1].loss = 0;
		pair_until(p, talk_over, SEC(10));
		talk_expect_whole(p, &t);
		settle(p);
	}
	p->app = NULL;
}

/* ---- Windows --------------------------------------------------------------------------------- */

static void small_buffers(struct pair *p)
{
	const struct hf_config *const c = &p->side[1].config;
	const uint32_t headers =
		(c->local[0].first.version == 6 ? 60u : 40u) + (c->tcp.timestamps ? 12u : 0u);

	/* three full segments, so that the window is shut and not just too small for a fourth */
	p->side[1].config.tcp.rcv_buf = 3 * (c->mtu - headers);
	p->check_every = 16;
}

static void one_way__small_window__every_octet_comes(struct pair *p)
{
	struct talk t = { 0 };

	over(p, &t, &(struct plan){ .send = MIB }, &(struct plan){ .until = MIB, .eof = true },
	     SEC(60));
}

/* The reader takes 1000 octets each 10 ms: the window shuts and opens all the time. */
static void one_way__slow_reader__every_octet_comes(struct pair *p)
{
	struct talk t = { 0 };

	over(p, &t, &(struct plan){ .send = MIB / 4 },
	     &(struct plan){ .until = MIB / 4, .eof = true, .sip = 1000, .sip_us = MS(10) }, SEC(60));
	assert_true(pair_counter(p, 1, "zero_window_out") > 0);
}

static void one_way__slow_reader_and_bad_link__every_octet_comes(struct pair *p)
{
	uint64_t random = p->seed;
	struct talk t = { 0 };

	spoil(p, &random);
	over(p, &t, &(struct plan){ .send = MIB / 4 },
	     &(struct plan){ .until = MIB / 4, .eof = true, .sip = 1000, .sip_us = MS(10) },
	     SEC(3600));
	settle(p);
}

/* Nobody reads: no more is held than the buffer says, for hours, and then all of it comes (HF-D5). */
static void one_way__reader_stops__memory_stays(struct pair *p)
{
	const uint32_t rcv_buf = p->side[1].config.tcp.rcv_buf;
	struct hf_status status;
	struct hf_levels levels;
	struct talk t = { 0 };

	p->check_every = 16;
	talk_begin(p, &t, &(struct plan){ .send = MIB },
		   &(struct plan){ .until = MIB, .eof = true, .deaf = true });
	talk_open(p, &t, 0);
	for (unsigned hour = 0; hour < 24; hour++) {
		pair_run(p, SEC(3600));
		assert_int_equal(hf_status(p->side[1].w, t.side[1].id, &status), 0);
		assert_in_range(status.readable, rcv_buf - 2 * 1460, rcv_buf);
		hf_levels(p->side[1].w, &levels);
		/* text in full segments: two buffers' worth of mbufs is plenty */
		assert_in_range(levels.queued_mbufs, 1, 2 * (rcv_buf / 1460 + 1));
	}
	t.side[1].plan.deaf = false;
	p->wake_us = p->now_us;
	pair_until(p, talk_over, SEC(400)); /* the next probe may be 120 s away */
	talk_expect_whole(p, &t);
	p->app = NULL;
}

/* The ACK that opens the window is lost: the next probe finds it open (HF-ZW2). */
static void one_way__window_update_lost__goes_on(struct pair *p)
{
	struct talk t = { 0 };

	talk_begin(p, &t, &(struct plan){ .send = MIB / 4 },
		   &(struct plan){ .until = MIB / 4, .eof = true, .deaf = true });
	talk_open(p, &t, 0);
	pair_run(p, SEC(1));
	p->link->rates[1].loss = LINK_EVER;
	t.side[1].plan.deaf = false;
	p->wake_us = p->now_us;
	pair_run(p, MS(1));
	p->link->rates[1].loss = 0;
	pair_until(p, talk_over, SEC(30));
	talk_expect_whole(p, &t);
	p->app = NULL;
}

/* More than 4 GiB would take both sequence spaces round; from just below it does at once. */
static void both_ways__across_the_wrap__every_octet_comes(struct pair *p)
{
	struct talk t = { 0 };

	p->check_every = 64;
	p->side[0].config.seed.iss = p->side[1].config.seed.iss = 0u - 3 * MIB;
	pair_forget(p, 0);
	pair_forget(p, 1);
	over(p, &t, &(struct plan){ .send = 6 * MIB, .until = 6 * MIB },
	     &(struct plan){ .send = 6 * MIB, .until = 6 * MIB, .eof = true }, SEC(60));
}

static void often(struct pair *p)
{
	p->check_every = 64;
}

static void with_rack(struct pair *p)
{
	often(p);
	p->side[0].config.tcp.rack = p->side[1].config.tcp.rack = true;
}

static const struct pair_row rows[] = {
	{ "HF-D4", both_ways__bad_link__every_octet_comes, often, PAIR_ALL },
	{ "RFC8985-D4", both_ways__bad_link__every_octet_comes, with_rack, PAIR_ALL },
	{ "HF-D4", both_ways__link_breaks__prefix_comes, often, PAIR_ALL },
	{ "HF-D1", one_way__repetition_overlaps__every_octet_comes, no_nagle, PAIR_ALL },
	{ "HF-D5", one_way__small_window__every_octet_comes, small_buffers, PAIR_ALL },
	{ "HF-D5", one_way__slow_reader__every_octet_comes, small_buffers, PAIR_ALL },
	{ "HF-D5", one_way__slow_reader_and_bad_link__every_octet_comes, small_buffers, PAIR_ALL },
	{ "HF-D5", one_way__reader_stops__memory_stays, NULL, PAIR_ALL },
	{ "HF-ZW2", one_way__window_update_lost__goes_on, small_buffers, PAIR_ALL },
	{ "HF-D6", both_ways__across_the_wrap__every_octet_comes, NULL, PAIR_ONCE },
};

int main(int argc, char **argv)
{
	return pair_rows_run("stream", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* HF-H6, HF-LK1: the bad link at the port's edge. Each effect either way, deadlines, limits, what a device
 * says of sums, chains, no mbufs; the rig's oracle adds that nothing is left and the books balance. */
#include <errno.h>
#include <string.h>

#include "rig/books.h"
#include "rig/rig.h"

#define TEXT_RULE(act_)                                                     \
	{                                                                   \
		.act = (act_), .mask = HF_FRAME_TEXT, .kind = HF_FRAME_TEXT \
	}
#define FIRST_SYN_ACK(act_)                                                            \
	{                                                                              \
		.act = (act_), .mask = SEG_SYN, .kind = SEG_SYN, .first = 1, .last = 1 \
	}

static struct seg text_at(const struct rig *r, uint32_t offset, uint16_t len)
{
	return (struct seg){ .seq = r->rn + offset, .ack = r->sn, .flags = SEG_ACK, .text_len = len };
}

/* ---- Off, and wrong ---- */

static void none__asked_for__counts_nothing(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(rig_counter(r, "impair_in") + rig_counter(r, "impair_out"), 0);
	assert_int_equal(rig_levels(r).impair_in.size, 0);
}

static const struct hf_impair nothing = { .seed = 1 };

static void set_nothing(struct rig *r)
{
	r->config.impair = &nothing;
}

static void nothing__asked_for__all_comes_at_once(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	rig_send(r, text_at(r, 0, 100));
	rig_event(r, HF_EV_READABLE);
	rig_read(r, 100);
	assert_int_equal(rig_counter(r, "impair_in"), rig_counter(r, "rx_frames"));
	assert_int_equal(rig_counter(r, "impair_out"), rig_counter(r, "tx_frames"));
	assert_int_equal(rig_counter(r, "impair_delayed"), 0);
}

static void refused(struct rig *r, const struct hf_impair *impair, const char *says)
{
	struct hf_config config = r->config;
	struct hf_worker *w;
	struct hf_error why;

	config.impair = impair;
	assert_int_equal(hf_worker_create(&config, r->port, &w, &why), -EINVAL);
	if (!strstr(why.text, says))
		rig_fail(r, "'%s' does not say '%s'", why.text, says);
}

static void config__out_of_range__is_refused(struct rig *r)
{
	refused(r, &(struct hf_impair){ .in.loss = HF_EVER + 1 }, "impair.in: a rate");
	refused(r, &(struct hf_impair){ .out.duplicate = HF_EVER + 1 }, "impair.out: a rate");
	refused(r, &(struct hf_impair){ .in.reorder = HF_EVER + 1 }, "a rate");
	refused(r, &(struct hf_impair){ .out.corrupt = HF_EVER + 1 }, "a rate");
	refused(r, &(struct hf_impair){ .in.delay_us = 60000001 }, "a delay");
	refused(r, &(struct hf_impair){ .in.reorder_us = 60000001 }, "a delay");
	refused(r, &(struct hf_impair){ .out = { .delay_us = 5, .jitter_us = 6 } }, "jitter 6 us");
	refused(r, &(struct hf_impair){ .out.rule_count = HF_IMPAIR_RULES + 1 }, "17 rules");
	refused(r,
		&(struct hf_impair){
			.out = { .rule_count = 1, .rules = { { .act = HF_IMPAIR_BEHIND + 1 } } } },
		"rule 0");
	refused(r, &(struct hf_impair){ .hold = (1u << 24) + 1 }, "impair.hold");
}

static void config__with_a_bad_link__takes_what_it_says(struct rig *r)
{
	const struct hf_impair impair = { .hold = 1000 };
	struct hf_config config = r->config;
	const uint64_t without = hf_config_memory(&config);

	config.impair = &impair;
	assert_in_range(hf_config_memory(&config) - without, 2 * 1000 * 16, 2 * 1000 * 32);
}

/* ---- Loss ---- */

static const struct hf_impair lose_in = { .in.loss = HF_EVER };

static void set_lose_in(struct rig *r)
{
	r->config.impair = &lose_in;
}

static void in__lost__never_comes(struct rig *r)
{
	rig_listen(r);
	for (unsigned i = 0; i < 3; i++)
		rig_send(r, rig_syn(r));
	rig_expect_silence(r, SEC(2));
	assert_int_equal(rig_counter(r, "impair_in"), 3);
	assert_int_equal(rig_counter(r, "impair_lost"), 3);
	assert_int_equal(rig_counter(r, "rx_frames"), 0);
}

static const struct hf_impair lose_syn_ack = {
	.out = { .rule_count = 1, .rules = { FIRST_SYN_ACK(HF_IMPAIR_DROP) } },
};

static void set_lose_syn_ack(struct rig *r)
{
	r->config.impair = &lose_syn_ack;
}

static void out__first_syn_ack_lost__second_comes(struct rig *r)
{
	rig_listen(r);
	rig_send(r, rig_syn(r));
	rig_expect_silence(r, MS(999));
	assert_int_equal(rig_counter(r, "impair_lost"), 1);
	assert_int_equal(rig_counter(r, "synack_out"), 1);
	assert_int_equal(rig_counter(r, "tx_frames"), 0);
	rig_advance(r, MS(2));
	rig_expect_sa(r);
}

/* ---- Duplication ---- */

static const struct hf_impair twice = {
	.in = { .rule_count = 1, .rules = { TEXT_RULE(HF_IMPAIR_TWICE) } },
	.out = { .rule_count = 1, .rules = { TEXT_RULE(HF_IMPAIR_TWICE) } },
};

static void set_twice(struct rig *r)
{
	r->config.impair = &twice;
}

static void set_twice_chains(struct rig *r)
{
	r->config.impair = &twice;
	r->memport.multi_segs = true;
}

static void text__twice__either_way(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	rig_mark(r);
	rig_send(r, text_at(r, 0, 500));
	r->rn += 500;
	rig_event(r, HF_EV_READABLE);
	rig_read(r, 500);
	rig_expect_rose(r, "rx_frames", 2);
	rig_expect_rose(r, "impair_duplicated", 1);
	rig_expect_rose(r, "old_text", 1);
	rig_advance(r, MS(100));
	rig_discard(r);
	rig_write(r, 700); /* attached where the port takes chains */
	for (unsigned i = 0; i < 2; i++)
		rig_expect(r,
			   (struct seg){
				   .seq = r->sn, .ack = r->rn, .flags = SEG_ACK, .text_len = 700 });
	r->sn += 700;
	rig_expect_rose(r, "impair_duplicated", 2);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
}

static void text__twice_without_mbufs__comes_once(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	rig_mark(r);
	hf_fail_allocation(r->w, 1);
	rig_send(r, text_at(r, 0, 500));
	rig_event(r, HF_EV_READABLE);
	rig_read(r, 500);
	rig_expect_rose(r, "rx_frames", 1);
	rig_expect_rose(r, "impair_duplicated", 0);
}

/* ---- Delay ---- */

static const struct hf_impair delay = { .in.delay_us = 5300, .out.delay_us = 2100 };

static void set_delay(struct rig *r)
{
	r->config.impair = &delay;
}

/* To the microsecond, though the engine's own timers count milliseconds. */
static void frames__delayed__come_in_time(struct rig *r)
{
	rig_listen(r);
	rig_send(r, rig_syn(r));
	rig_flush(r);
	assert_int_equal(hf_next_deadline(r->w), r->now_us + 5300);
	assert_int_equal(rig_levels(r).impair_in.used, 1);
	assert_int_equal(rig_levels(r).queued_mbufs, 1);
	rig_expect_silence(r, 5299);
	assert_int_equal(rig_counter(r, "rx_frames"), 0);
	rig_advance(r, 1);
	assert_int_equal(rig_counter(r, "rx_frames"), 1);
	assert_int_equal(rig_counter(r, "tx_frames"), 0);
	assert_int_equal(hf_next_deadline(r->w), r->now_us + 2100);
	assert_int_equal(rig_levels(r).impair_out.used, 1);
	rig_expect_silence(r, 2099);
	rig_advance(r, 1);
	rig_expect_sa(r);
	assert_int_equal(rig_counter(r, "impair_delayed"), 2);
	assert_int_equal(rig_levels(r).queued_mbufs, 0);
	assert_int_equal(rig_levels(r).impair_in.peak, 1);
}

/* What waits goes with the worker: the rig compares mbufs. */
static void worker__destroyed__frees_what_waits(struct rig *r)
{
	struct hf_error why;

	rig_listen(r);
	rig_send(r, rig_syn(r));
	rig_advance(r, 5300);
	rig_send(r, rig_syn(r));
	rig_flush(r);
	assert_int_equal(rig_levels(r).impair_in.used + rig_levels(r).impair_out.used, 2);
	assert_int_equal(hf_port_mbufs_used(r->port), r->mbufs + 2);
	hf_worker_destroy(r->w);
	assert_int_equal(hf_port_mbufs_used(r->port), r->mbufs);
	assert_int_equal(hf_worker_create(&r->config, r->port, &r->w, &why), 0);
	r->listener_count = 0;
	hf_turn(r->w, r->now_us, r->events, RIG_EVENTS);
}

/* ---- Limits ---- */

static const struct hf_impair few = { .in.delay_us = 1000, .hold = 4 };

static void set_few(struct rig *r)
{
	r->config.impair = &few;
}

static void frames__more_than_may_be_held__are_lost(struct rig *r)
{
	struct hf_levels levels;

	for (uint16_t port = 1; port <= 6; port++) {
		r->peer.port = port;
		rig_push(r, rig_syn(r));
	}
	rig_turn(r);
	rig_flush(r);
	levels = rig_levels(r);
	assert_int_equal(levels.impair_in.used, 4);
	assert_int_equal(levels.impair_in.size, 4);
	assert_int_equal(levels.impair_in.refused, 2);
	assert_int_equal(rig_counter(r, "impair_overflow"), 2);
	assert_int_equal(rig_counter(r, "impair_lost"), 0);
	rig_advance(r, 1000);
	assert_int_equal(rig_counter(r, "rx_frames"), 4);
	rig_discard(r);
}

/* A turn takes 32 frames; what else is due asks for the next one at once. */
static void set_many(struct rig *r)
{
	r->config.impair = &delay;
	r->config.tcp.rst_budget = 0;
}

static void frames__due_together__take_several_turns(struct rig *r)
{
	struct hf_event events[4];

	for (unsigned i = 0; i < 80; i++)
		rig_push(r, rig_syn(r));
	for (unsigned i = 0; i < 3; i++)
		rig_flush(r);
	assert_int_equal(rig_levels(r).impair_in.used, 80);
	r->now_us += 5300;
	for (unsigned i = 0; i < 3; i++) {
		assert_true(hf_next_deadline(r->w) <= r->now_us);
		hf_turn(r->w, r->now_us, events, 4);
		assert_int_equal(rig_counter(r, "rx_frames"), i < 2 ? 32 * (i + 1) : 80);
		hf_flush(r->w, r->now_us);
	}
	assert_int_equal(rig_levels(r).impair_in.used, 0);
	rig_discard(r);
}

/* ---- Order ---- */

static const struct hf_impair overtake = {
	.in = { .rule_count = 1,
		.rules = { { .act = HF_IMPAIR_BEHIND,
			     .mask = HF_FRAME_TEXT,
			     .kind = HF_FRAME_TEXT,
			     .first = 1,
			     .last = 1 } } },
};

static void set_overtake(struct rig *r)
{
	r->config.impair = &overtake;
}

static void text__overtaken__comes_after_the_next(struct rig *r)
{
	uint32_t queued;

	rig_to(r, RIG_ESTABLISHED);
	rig_mark(r);
	rig_send(r, text_at(r, 0, 100));
	rig_no_event(r);
	rig_expect_silence(r, MS(50));
	rig_send(r, text_at(r, 100, 100));
	rig_event(r, HF_EV_READABLE);
	rig_expect_rose(r, "impair_reordered", 1);
	queued = (uint32_t)rig_counter(r, "ooo_queued");
	assert_int_equal(queued + rig_counter(r, "ooo_dropped"), 1);
	rig_read(r, 100 + 100 * queued);
	r->rn += 100 + 100 * queued;
	rig_discard(r);
}

static void text__that_nothing_overtakes__comes_late(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	rig_send(r, text_at(r, 0, 100));
	rig_expect_silence(r, SEC(10) - 1);
	rig_advance(r, 1);
	rig_event(r, HF_EV_READABLE);
	rig_read(r, 100);
	r->rn += 100;
	rig_advance(r, MS(100));
	rig_discard(r);
}

/* ---- Corruption ---- */

static const struct hf_impair corrupt = {
	.in = { .rule_count = 1, .rules = { TEXT_RULE(HF_IMPAIR_CORRUPT) } },
	.out = { .rule_count = 1, .rules = { TEXT_RULE(HF_IMPAIR_CORRUPT) } },
	.seed = 5,
};

static void set_corrupt(struct rig *r)
{
	r->config.impair = &corrupt;
}

static void set_corrupt_l2(struct rig *r)
{
	r->config.impair = &corrupt;
	r->memport.l3 = false;
	r->memport.rx_checksum = r->memport.tx_checksum = r->memport.multi_segs = true;
}

/* One bit: the sums find it, whatever the device had said of them before, or it is where nobody looks. */
static void text__corrupted_on_the_way_in__is_never_believed(struct rig *r)
{
	const struct hf_push how = { .ip = HF_CHECKSUM_GOOD, .l4 = HF_CHECKSUM_GOOD, .cut = { 90, 3 } };
	struct frame_form form = r->in_form;
	uint8_t text[100], raw[FRAME_MAX];
	struct seg seg;
	size_t len;

	r->out_form.sum_offload =
		false; /* the device would sum up what is corrupt, so it is not asked */
	rig_to(r, RIG_ESTABLISHED);
	rig_mark(r);
	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = rig_octet(i);
	for (unsigned i = 0; i < 200; i++) {
		struct hf_status status;

		seg = text_at(r, 0, sizeof(text));
		seg.wnd = r->wnd;
		if (r->ts_agreed) {
			seg.options = OPT_TS;
			seg.tsval = r->ts_base + (uint32_t)(r->now_us / 1000);
			seg.tsecr = r->tsecr;
		}
		len = frame_build(raw, &form, &r->peer, &r->local, &seg, text, NULL, 0);
		rig_push_raw(r, raw, len, r->memport.rx_checksum ? &how : NULL);
		rig_turn(r);
		assert_int_equal(hf_status(r->w, r->id, &status), 0);
		if (status.readable > 0) { /* a flow label's bit, or such */
			rig_read(r, sizeof(text));
			r->rn += (uint32_t)sizeof(text);
			break;
		}
	}
	rig_expect_rose(r, "text_in", r->read);
	assert_true(r->read > 0 || rig_counter(r, "impair_corrupted") == 200);
	assert_true(rig_counter(r, "rx_drop_tcp_csum") > 0);
	rig_advance(r, MS(100));
	rig_discard(r);
	rig_forget_events(r);
}

static void text__corrupted_on_the_way_out__is_seen_to_be(struct rig *r)
{
	unsigned wrong = 0;

	r->out_form.sum_offload = false;
	rig_to(r, RIG_ESTABLISHED);
	rig_flush(r);
	for (unsigned i = 0; i < 20; i++) {
		struct hf_event events[4];
		struct frame f = { 0 };
		uint8_t octets[300];
		ssize_t len;

		memset(octets, (int)i, sizeof(octets));
		hf_turn(r->w, r->now_us, events, 4);
		assert_int_equal(hf_send(r->w, r->id, octets, sizeof(octets)), sizeof(octets));
		hf_flush(r->w, r->now_us);
		len = hf_memport_pop(r->port, f.raw, sizeof(f.raw));
		if (len < 0)
			break; /* its window is full */
		f.len = (size_t)len;
		wrong += frame_parse(&f, &r->out_form) != NULL;
	}
	assert_true(rig_counter(r, "impair_corrupted") > 0);
	assert_true(wrong * 10 >= 8 * rig_counter(r, "impair_corrupted"));
	hf_abort(r->w, r->id);
	rig_discard(r);
	rig_forget_events(r);
}

static void text__corrupted_without_mbufs__is_lost(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	rig_mark(r);
	hf_fail_allocation(r->w, 1);
	rig_send(r, text_at(r, 0, 500));
	rig_expect_rose(r, "impair_lost", 1);
	rig_expect_rose(r, "impair_corrupted", 0);
	rig_expect_rose(r, "rx_frames", 0);
}

/* ARP has no sum: it is lost, not forged. */
static const struct hf_impair corrupt_all = { .in.corrupt = HF_EVER };

static void set_corrupt_all(struct rig *r)
{
	r->config.impair = &corrupt_all;
	r->memport.l3 = false;
}

static void arp__corrupted__is_lost(struct rig *r)
{
	uint8_t arp[60] = { 0 };

	memset(arp, 0xff, 6);
	arp[12] = 0x08;
	arp[13] = 0x06;
	rig_push_raw(r, arp, sizeof(arp), NULL);
	rig_push_raw(r, arp, 10, NULL);
	rig_turn(r);
	assert_int_equal(rig_counter(r, "impair_lost"), 2);
	assert_int_equal(rig_counter(r, "impair_corrupted"), 0);
	assert_int_equal(rig_counter(r, "rx_frames"), 0);
}

/* ---- All of it ---- */

static const struct hf_impair bad = {
	.in = { .loss = 50000,
		.duplicate = 20000,
		.reorder = 250000,
		.corrupt = 10000,
		.delay_us = 50000,
		.jitter_us = 10000,
		.reorder_us = 20000 },
	.out = { .loss = 50000,
		 .duplicate = 20000,
		 .reorder = 250000,
		 .corrupt = 10000,
		 .delay_us = 50000,
		 .jitter_us = 10000,
		 .reorder_us = 20000 },
	.seed = 9,
};

static void set_bad(struct rig *r)
{
	r->config.impair = &bad;
	r->config.tcp.synack_retries = 2;
}

/* SYNs from many, each answered or not: all half-opens end, and the books balance in every step. */
static void syns__over_a_bad_link__leave_nothing(struct rig *r)
{
	struct hf_error why;

	rig_listen(r);
	for (uint16_t port = 1; port <= 400; port++) {
		r->peer.port = port;
		rig_push(r, rig_syn(r));
		rig_advance(r, 2000);
		if (books_wrong(r->w, &why))
			rig_fail(r, "books: %s", why.text);
		r->out_count = 0;
	}
	assert_true(rig_counter(r, "impair_lost") > 10);
	assert_true(rig_counter(r, "impair_duplicated") > 3);
	assert_true(rig_counter(r, "impair_reordered") > 50);
	assert_true(rig_counter(r, "impair_corrupted") > 1);
	assert_true(rig_levels(r).impair_in.used > 0);
}

static const struct row rows[] = {
	{ "HF-H6", none__asked_for__counts_nothing, NULL, NULL, 0 },
	{ "HF-H6", nothing__asked_for__all_comes_at_once, NULL, set_nothing, 0 },
	{ "HF-H6", config__out_of_range__is_refused, NULL, NULL, ROW_ONCE },
	{ "HF-H6", config__with_a_bad_link__takes_what_it_says, NULL, NULL, ROW_ONCE },
	{ "HF-H6", in__lost__never_comes, NULL, set_lose_in, 0 },
	{ "HF-H6", out__first_syn_ack_lost__second_comes, NULL, set_lose_syn_ack, 0 },
	{ "HF-H6", text__twice__either_way, NULL, set_twice, 0 },
	{ "HF-H6", text__twice__either_way, NULL, set_twice_chains, 0 },
	{ "HF-H6", text__twice_without_mbufs__comes_once, NULL, set_twice, 0 },
	{ "HF-H6", frames__delayed__come_in_time, NULL, set_delay, 0 },
	{ "HF-LK1", worker__destroyed__frees_what_waits, NULL, set_delay, 0 },
	{ "HF-H6", frames__more_than_may_be_held__are_lost, NULL, set_few, 0 },
	{ "HF-H6", frames__due_together__take_several_turns, NULL, set_many, 0 },
	{ "HF-H6", text__overtaken__comes_after_the_next, NULL, set_overtake, 0 },
	{ "HF-H6", text__that_nothing_overtakes__comes_late, NULL, set_overtake, 0 },
	{ "HF-H6", text__corrupted_on_the_way_in__is_never_believed, NULL, set_corrupt, 0 },
	{ "HF-H6", text__corrupted_on_the_way_in__is_never_believed, NULL, set_corrupt_l2, 0 },
	{ "HF-H6", text__corrupted_on_the_way_out__is_seen_to_be, NULL, set_corrupt, 0 },
	{ "HF-H6", text__corrupted_on_the_way_out__is_seen_to_be, NULL, set_corrupt_l2, 0 },
	{ "HF-H6", text__corrupted_without_mbufs__is_lost, NULL, set_corrupt, 0 },
	{ "HF-H6", arp__corrupted__is_lost, NULL, set_corrupt_all, ROW_ONCE },
	{ "HF-LK1", syns__over_a_bad_link__leave_nothing, NULL, set_bad, 0 },
};

int main(int argc, char **argv)
{
	return rig_run("impair", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

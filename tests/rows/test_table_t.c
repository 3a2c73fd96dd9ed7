/* SPDX-License-Identifier: BSD-3-Clause */
/* Table T of REQUIREMENTS 6: what timers do in which state when the peer is silent (RFC 9293 3.8.1,
 * 3.8.6, 3.10.8, RFC 6298 5), and that no state which needs one is without (HF-T-INV).
 * Names: SE-T-<state>-<column>[-<case>], the columns being retransmission, limit and other. */
#include <errno.h>

#include "rig/rig.h"

#define TRIES 3	       /* knobs below: SYN, SYN-ACK, an orphan's */
#define HELD_TRIES 2   /* ... while the application waits */
#define FIRST_RTO 1000 /* ms, before any round trip is known */
#define MIN_RTO 200

static void set_few_tries(struct rig *r)
{
	r->config.tcp.syn_retries = TRIES;
	r->config.tcp.synack_retries = TRIES;
	r->config.tcp.orphan_retries = TRIES;
	r->config.tcp.retries1 = HELD_TRIES;
	r->config.tcp.retries2 = HELD_TRIES;
}

/* A state in which something waits to be acknowledged. */
struct watch {
	enum rig_state in;
	bool hold;
	uint16_t unacked;
	uint8_t flags; /* of what is sent again */
	uint32_t rto_ms;
	enum hf_state state;
	unsigned tries;
	/* the limit */
	bool rs, told;
	const char *state_counter, *book;
};

static void watch_to(struct rig *r)
{
	const struct watch *w = r->row->arg;

	r->hold = w->hold;
	r->unacked = w->unacked;
	rig_to(r, w->in);
}

/* What was sent last, from SND.UNA on. */
static void expect_again(struct rig *r)
{
	const struct watch *w = r->row->arg;
	struct seg seg = { .seq = r->su, .ack = r->rn, .flags = w->flags, .text_len = w->unacked };

	if (w->in == RIG_SYN_SENT)
		seg.ack = 0;
	if (w->flags & SEG_SYN)
		seg.options = OPT_MSS;
	rig_expect(r, seg);
}

/* All repeats at their time, each wait twice the one before. @return the next wait */
static uint64_t expect_repeats(struct rig *r, unsigned n)
{
	const struct watch *w = r->row->arg;
	uint64_t wait = MS(w->rto_ms);

	for (unsigned i = 0; i < n; i++, wait *= 2) {
		rig_expect_silence(r, wait - 1);
		rig_advance(r, 1);
		expect_again(r);
		rig_expect_state(r, w->state);
	}
	return wait;
}

static void silence__again_with_backoff(struct rig *r)
{
	const struct watch *w = r->row->arg;

	watch_to(r);
	expect_repeats(r, w->tries);
	assert_int_equal(rig_counter(r, "lost_timeout"), 0);
}

static void silence__given_up_at_limit(struct rig *r)
{
	const struct watch *w = r->row->arg;
	uint64_t wait;

	watch_to(r);
	wait = expect_repeats(r, w->tries);
	rig_forget_events(r); /* HF_EV_SUSPECT */
	rig_mark(r);
	rig_expect_silence(r, wait - 1);
	rig_expect_state(r, w->state);
	rig_advance(r, 1);
	if (w->rs)
		rig_expect_rs(r);
	rig_expect_silence(r, 0);
	rig_turn(r);
	if (w->told)
		rig_event_closed(r, ETIMEDOUT);
	rig_no_event(r);
	rig_expect_state(r, HF_CLOSED);
	rig_expect_rose(r, w->state_counter, 1);
	if (w->book)
		rig_expect_rose(r, w->book, 1);
	assert_int_equal(rig_levels(r).timers, 0);
	assert_int_equal(rig_levels(r).queued_mbufs, 0);
	rig_expect_silence(r, SEC(300));
}

/* The peer answers after all: back-off is forgotten, and the timer stops (RFC 6298 5.2). */
static void silence__answered_late__goes_on(struct rig *r)
{
	const struct watch *w = r->row->arg;
	struct hf_status status;

	watch_to(r);
	expect_repeats(r, w->tries);
	rig_forget_events(r);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_expect_silence(r, SEC(50));
	if (hf_lookup(r->w, &r->local, &r->peer, &status) == 0)
		assert_int_equal(status.retransmits, 0);
	assert_int_equal(rig_counter(r, "lost_timeout"), 0);
}

/* ---- Persist (3.8.6.1) ---- */

static const struct seg *expect_probe(struct rig *r)
{
	return &rig_expect(r,
			   (struct seg){ .seq = r->su, .ack = r->rn, .flags = SEG_ACK, .text_len = 1 })
			->seg;
}

/* In the state of the row, text or text and FIN wait behind a shut window. */
static void shut_window(struct rig *r)
{
	const enum rig_state to = ((const struct watch *)r->row->arg)->in;

	rig_to(r, to == RIG_CLOSE_WAIT || to == RIG_LAST_ACK ? RIG_CLOSE_WAIT : RIG_ESTABLISHED);
	r->wnd = 0;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_write(r, 30);
	if (to == RIG_FIN_WAIT_1 || to == RIG_CLOSING || to == RIG_LAST_ACK)
		assert_int_equal(hf_close(r->w, r->id), 0);
	rig_expect_silence(r, 0);
	if (to == RIG_CLOSING) {
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_FIN | SEG_ACK });
		r->rn++;
		rig_expect_ack(r);
	}
	rig_forget_events(r);
	rig_expect_state(r, ((const struct watch *)r->row->arg)->state);
}

/* The first probe after one RTO, then ever later; the octet is taken when there is room again. */
static void window_shut__probes__then_all_leaves(struct rig *r)
{
	uint64_t wait = MS(MIN_RTO);
	struct seg rest = { .flags = SEG_ACK };

	shut_window(r);
	for (unsigned i = 0; i < 6; i++, wait *= 2) {
		rig_expect_silence(r, wait - 1);
		rig_advance(r, 1);
		expect_probe(r);
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->su, .flags = SEG_ACK });
	}
	assert_int_equal(rig_counter(r, "window_probes"), 6);
	rig_forget_events(r);
	r->wnd = 1000;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->su + 1, .flags = SEG_ACK });
	if (((const struct watch *)r->row->arg)->state >= HF_FIN_WAIT_1 &&
	    ((const struct watch *)r->row->arg)->state != HF_CLOSE_WAIT)
		rest.flags |= SEG_FIN;
	rest.seq = r->su + 1;
	rest.ack = r->rn;
	rest.text_len = 29;
	rig_expect(r, rest);
	r->sn = r->su + 1 + rig_len(rest);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_expect_silence(r, SEC(1));
}

/* HF-ZW1, HF-LA1: an orphan's probes end, be they answered or not. */
static void orphan_window_shut__ends(struct rig *r)
{
	for (unsigned answered = 0; answered < 2; answered++) {
		uint64_t wait = MS(MIN_RTO);

		rig_another(r);
		r->wnd = 1000;
		shut_window(r);
		for (unsigned i = 0; i < TRIES; i++, wait *= 2) {
			rig_expect_silence(r, wait - 1);
			rig_advance(r, 1);
			expect_probe(r);
			if (answered)
				rig_send(r, (struct seg){
						    .seq = r->rn, .ack = r->su, .flags = SEG_ACK });
		}
		rig_expect_silence(r, wait);
		rig_turn(r);
		rig_event_closed(r, ETIMEDOUT);
		rig_expect_state(r, HF_CLOSED);
	}
	assert_int_equal(rig_counter(r, "lost_timeout"), 2);
}

/* MUST-37: while somebody waits here, a peer that answers may keep its window shut. */
static void held_window_shut__peer_answers__lives_on(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	r->wnd = 0;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_write(r, 30);
	rig_expect_silence(r, 0);
	for (unsigned i = 0; i < 40; i++) {
		unsigned waited;

		for (waited = 0; waited <= 120 && r->out_count == 0; waited++)
			rig_advance(r, SEC(1));
		if (waited > 120)
			rig_fail(r, "no probe for two minutes");
		expect_probe(r);
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->su, .flags = SEG_ACK });
	}
	rig_expect_state(r, HF_ESTABLISHED);
}

/* ---- Others ---- */

static void established__text__ack_within_delack(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .text_len = 10 });
	r->rn += 10;
	rig_event(r, HF_EV_READABLE);
	rig_expect_silence(r, MS(40) - 1);
	rig_advance(r, 1);
	rig_expect_ack(r);
	assert_int_equal(rig_counter(r, "delayed_ack"), 1);
	rig_read(r, 10);
	rig_expect_silence(r, SEC(3600));
	assert_int_equal(rig_levels(r).timers, 0);
}

/* The delayed ACK and a retransmission share one wheel entry: both come at their time. */
static void established__two_timers__both_fire(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	rig_write(r, 10);
	rig_flush(r);
	rig_expect(r, (struct seg){ .seq = r->su, .ack = r->rn, .flags = SEG_ACK, .text_len = 10 });
	r->sn += 10;
	rig_advance(r, MS(190));
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->su, .flags = SEG_ACK, .text_len = 10 });
	r->rn += 10;
	rig_event(r, HF_EV_READABLE);
	rig_advance(r, MS(10)); /* carries the ACK */
	rig_expect(r, (struct seg){ .seq = r->su, .ack = r->rn, .flags = SEG_ACK, .text_len = 10 });
	rig_expect_silence(r, MS(190));
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->su, .flags = SEG_ACK, .text_len = 10 });
	r->rn += 10;
	rig_advance(r, MS(40));
	rig_pop(r);
	rig_read(r, 20);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_discard(r);
	rig_expect_silence(r, SEC(5));
}

static void fin_wait_2__held__no_timer(struct rig *r)
{
	r->hold = true;
	rig_to(r, RIG_FIN_WAIT_2);
	rig_expect_silence(r, SEC(7200));
	rig_no_event(r);
	rig_expect_state(r, HF_FIN_WAIT_2);
	assert_int_equal(rig_levels(r).timers, 0);
}

static void fin_wait_2__orphan__closed_without_output(struct rig *r)
{
	rig_to(r, RIG_FIN_WAIT_2);
	rig_expect_silence(r, SEC(60) - 1);
	rig_expect_state(r, HF_FIN_WAIT_2);
	rig_expect_silence(r, 1);
	rig_expect_state(r, HF_CLOSED);
	rig_no_event(r);
	assert_int_equal(rig_counter(r, "fw2_timeout"), 1);
	assert_int_equal(rig_levels(r).timers, 0);
}

static void time_wait__2msl__freed_without_output(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	rig_expect_silence(r, SEC(60) - 1);
	rig_expect_state(r, HF_TIME_WAIT);
	rig_expect_silence(r, 1);
	rig_expect_state(r, HF_CLOSED);
	rig_no_event(r);
	assert_int_equal(rig_counter(r, "tw_expired"), 1);
	assert_int_equal(rig_levels(r).timers, 0);
}

/* Left alone, all but LISTEN, ESTABLISHED, CLOSE-WAIT and a FIN-WAIT-2 that is held come to an end. */
static void each_state__left_alone__ends_or_rests(struct rig *r)
{
	static const struct {
		enum rig_state in;
		bool hold;
		uint16_t unacked;
		enum hf_state rests;
	} cases[] = {
		{ RIG_SYN_SENT, false, 0, HF_CLOSED },
		{ RIG_SYN_RCVD_A, false, 0, HF_CLOSED },
		{ RIG_SYN_RCVD_P, false, 0, HF_CLOSED },
		{ RIG_ESTABLISHED, false, 0, HF_ESTABLISHED },
		{ RIG_ESTABLISHED, false, 10, HF_CLOSED },
		{ RIG_FIN_WAIT_1, false, 0, HF_CLOSED },
		{ RIG_FIN_WAIT_1, true, 10, HF_CLOSED },
		{ RIG_FIN_WAIT_2, false, 0, HF_CLOSED },
		{ RIG_FIN_WAIT_2, true, 0, HF_FIN_WAIT_2 },
		{ RIG_CLOSE_WAIT, false, 0, HF_CLOSE_WAIT },
		{ RIG_CLOSE_WAIT, false, 10, HF_CLOSED },
		{ RIG_CLOSING, false, 0, HF_CLOSED },
		{ RIG_CLOSING, true, 10, HF_CLOSED },
		{ RIG_LAST_ACK, false, 10, HF_CLOSED },
		{ RIG_LAST_ACK, true, 0, HF_CLOSED },
		{ RIG_TIME_WAIT, false, 0, HF_CLOSED },
		{ RIG_TIME_WAIT, true, 0, HF_CLOSED },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig_another(r);
		r->local.port++; /* opens from either side may follow each other */
		if (r->listener_count != 0)
			hf_unlisten(r->w, r->listeners[--r->listener_count]);
		r->hold = cases[i].hold;
		r->unacked = cases[i].unacked;
		rig_to(r, cases[i].in);
		if (cases[i].rests == HF_CLOSED)
			assert_true(rig_levels(r).timers > 0);
		rig_advance(r, SEC(3 * 3600));
		rig_discard(r);
		rig_turn(r);
		rig_forget_events(r);
		rig_expect_state(r, cases[i].rests);
		assert_int_equal(rig_levels(r).timers, 0);
	}
}

#define WATCHED(id, function, ...)                                             \
	{                                                                      \
		.name = "SE-T-" id, .test = function, .set_up = set_few_tries, \
		.arg = &(const struct watch)                                   \
		{                                                              \
			__VA_ARGS__                                            \
		}                                                              \
	}

#define BOTH(id, ...)                                                            \
	WATCHED(id "-retransmission", silence__again_with_backoff, __VA_ARGS__), \
		WATCHED(id "-limit", silence__given_up_at_limit, __VA_ARGS__)

/* Synchronised: an answer, however late, is good. */
#define THREE(id, ...)                                                \
	BOTH(id, __VA_ARGS__), WATCHED(id "-retransmission-answered", \
				       silence__answered_late__goes_on, __VA_ARGS__)

#define SYN .unacked = 0, .rto_ms = FIRST_RTO, .tries = TRIES
#define TEXT .unacked = 10, .flags = SEG_ACK, .rto_ms = MIN_RTO, .tries = HELD_TRIES, .told = true
#define FIN(n)                                                                       \
	.unacked = (n), .flags = SEG_FIN | SEG_ACK, .rto_ms = MIN_RTO, .told = true, \
	.book = "lost_timeout"

#define ENDING(id, in_state, is_state, counter)                                                 \
	THREE(id, .in = in_state, .hold = true, .state = is_state, .tries = HELD_TRIES, FIN(0), \
	      .state_counter = counter),                                                        \
		THREE(id "-text", .in = in_state, .hold = true, .state = is_state,              \
		      .tries = HELD_TRIES, FIN(10), .state_counter = counter),                  \
		THREE(id "-orphan", .in = in_state, .state = is_state, .tries = TRIES, FIN(0),  \
		      .state_counter = counter),                                                \
		THREE(id "-orphan-text", .in = in_state, .state = is_state, .tries = TRIES,     \
		      FIN(10), .state_counter = counter)

#define PERSIST(id, in_state, is_state)                                                            \
	{                                                                                          \
		.name = "SE-T-" id "-other-persist", .test = window_shut__probes__then_all_leaves, \
		.arg = &(const struct watch)                                                       \
		{                                                                                  \
			.in = in_state, .state = is_state                                          \
		}                                                                                  \
	}

#define PERSIST_ORPHAN(id, in_state, is_state)                                               \
	PERSIST(id, in_state, is_state),                                                     \
		WATCHED(id "-other-persist-limit", orphan_window_shut__ends, .in = in_state, \
			.state = is_state)

static const struct row rows[] = {
	BOTH("SYN_SENT", .in = RIG_SYN_SENT, .state = HF_SYN_SENT, .flags = SEG_SYN, SYN,
	     .told = true, .state_counter = "timeout_syn_sent", .book = "failed_timeout"),
	BOTH("SYN_RCVD/p", .in = RIG_SYN_RCVD_P, .state = HF_SYN_RECEIVED,
	     .flags = SEG_SYN | SEG_ACK, SYN, .state_counter = "synack_timeout"),
	BOTH("SYN_RCVD/a", .in = RIG_SYN_RCVD_A, .state = HF_SYN_RECEIVED, .flags = SEG_SYN | SEG_ACK,
	     SYN, .told = true, .state_counter = "timeout_syn_received", .book = "failed_timeout"),
	THREE("ESTABLISHED", .in = RIG_ESTABLISHED, .state = HF_ESTABLISHED, TEXT, .rs = true,
	      .state_counter = "timeout_established", .book = "rst_out_timeout"),
	THREE("CLOSE_WAIT", .in = RIG_CLOSE_WAIT, .state = HF_CLOSE_WAIT, TEXT, .rs = true,
	      .state_counter = "timeout_close_wait", .book = "lost_timeout"),
	ENDING("FIN_WAIT_1", RIG_FIN_WAIT_1, HF_FIN_WAIT_1, "timeout_fin_wait_1"),
	ENDING("CLOSING", RIG_CLOSING, HF_CLOSING, "timeout_closing"),
	ENDING("LAST_ACK", RIG_LAST_ACK, HF_LAST_ACK, "timeout_last_ack"),

	PERSIST("ESTABLISHED", RIG_ESTABLISHED, HF_ESTABLISHED),
	PERSIST("CLOSE_WAIT", RIG_CLOSE_WAIT, HF_CLOSE_WAIT),
	PERSIST_ORPHAN("FIN_WAIT_1", RIG_FIN_WAIT_1, HF_FIN_WAIT_1),
	PERSIST_ORPHAN("CLOSING", RIG_CLOSING, HF_CLOSING),
	PERSIST_ORPHAN("LAST_ACK", RIG_LAST_ACK, HF_LAST_ACK),
	{ .name = "SE-T-ESTABLISHED-other-persist-answered",
	  .test = held_window_shut__peer_answers__lives_on,
	  .set_up = set_few_tries },
	{ .name = "SE-T-ESTABLISHED-other-delayed-ack", .test = established__text__ack_within_delack },
	{ .name = "SE-T-ESTABLISHED-other-both", .test = established__two_timers__both_fire },
	{ .name = "SE-T-FIN_WAIT_2-retransmission", .test = fin_wait_2__held__no_timer },
	{ .name = "SE-T-FIN_WAIT_2-other", .test = fin_wait_2__orphan__closed_without_output },
	{ .name = "SE-T-TIME_WAIT-other", .test = time_wait__2msl__freed_without_output },

	{ .name = "HF-T-INV", .test = each_state__left_alone__ends_or_rests },
};

int main(int argc, char **argv)
{
	return rig_run("Table T", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

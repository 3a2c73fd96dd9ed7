/* SPDX-License-Identifier: BSD-3-Clause */
/* Table D of REQUIREMENTS 6: text, its ACK field valid (RFC 9293 3.10.7.4, SHLD-3, HF-T5), and the
 * four cases of acceptability. Names: SE-D-<state>-<column>[-<case>], the columns being order, ahead,
 * old and past. */
#include <errno.h>

#include "rig/cell.h"

#define TEXT(...) .flags = SEG_ACK, .text_len = 10, __VA_ARGS__

/* No connection: nothing but the flags matters. */
#define STRANGER(id, from, no_ack)                                                                   \
	CELL("D-" id "-order", TEXT(.in = from, .ack_from = FROM_SN), .out = OUT_RA),                \
		CELL("D-" id "-ahead", TEXT(.in = from, .ack_from = FROM_SN, .seq = 10),             \
		     .out = OUT_RA),                                                                 \
		CELL("D-" id "-old", TEXT(.in = from, .ack_from = FROM_SN, .seq = -10),              \
		     .out = OUT_RA),                                                                 \
		CELL("D-" id "-past",                                                                \
		     TEXT(.in = from, .ack_from = FROM_SN, .seq_from = FROM_EDGE), .out = OUT_RA),   \
		CELL("D-" id "-order-no-ack", .in = from, .text_len = 10, .out = no_ack),            \
		CELL("D-" id "-ahead-no-ack", .in = from, .text_len = 10, .seq = 10, .out = no_ack), \
		CELL("D-" id "-old-no-ack", .in = from, .text_len = 10, .seq = -10, .out = no_ack),  \
		CELL("D-" id "-past-no-ack", .in = from, .text_len = 10, .seq_from = FROM_EDGE,      \
		     .out = no_ack)

#define SYN_SENT(id, ...)                                                     \
	CELL("D-SYN_SENT-" id, TEXT(.in = RIG_SYN_SENT, .ack_from = FROM_SN), \
	     .state = HF_SYN_SENT, __VA_ARGS__)

/* Taken and told; the ACK may wait. */
#define TAKEN(id, ...)                                                                           \
	CELL("D-" id "-order", TEXT(.ack_from = FROM_SU), .rn_by = 10, .out = OUT_ACK_LATER,     \
	     .events = HF_EV_READABLE, .reads = 10, __VA_ARGS__),                                \
		CELL("D-" id "-order-one", .flags = SEG_ACK, .text_len = 1, .ack_from = FROM_SU, \
		     .rn_by = 1, .out = OUT_ACK_LATER, .events = HF_EV_READABLE, .reads = 1,     \
		     __VA_ARGS__),                                                               \
		CELL("D-" id "-order-overlap", TEXT(.ack_from = FROM_SU, .seq = -4), .rn_by = 6, \
		     .out = OUT_ACK_LATER, .events = HF_EV_READABLE, .reads = 6, __VA_ARGS__)

/* The peer is shown at once where the gap is. */
#define AHEAD(id, ...)                                                                            \
	CELL("D-" id "-ahead", TEXT(.ack_from = FROM_SU, .seq = 10), .out = OUT_ACK,              \
	     .rises = "dup_ack_out", __VA_ARGS__),                                                \
		CELL("D-" id "-ahead-next", TEXT(.ack_from = FROM_SU, .seq = 1), .out = OUT_ACK,  \
		     __VA_ARGS__),                                                                \
		CELL("D-" id "-ahead-last",                                                       \
		     TEXT(.ack_from = FROM_SU, .seq_from = FROM_EDGE, .seq = -1), .out = OUT_ACK, \
		     __VA_ARGS__)

#define OLD(id, ...)                                                                              \
	CELL("D-" id "-old", TEXT(.ack_from = FROM_SU, .seq = -10), .out = OUT_ACK, __VA_ARGS__), \
		CELL("D-" id "-old-before", TEXT(.ack_from = FROM_SU, .seq = -100),               \
		     .out = OUT_ACK, __VA_ARGS__),                                                \
		CELL("D-" id "-old-octet", .flags = SEG_ACK, .text_len = 1, .seq = -1,            \
		     .ack_from = FROM_SU, .out = OUT_ACK, __VA_ARGS__)

#define PAST(id, ...)                                                                           \
	CELL("D-" id "-past", TEXT(.ack_from = FROM_SU, .seq_from = FROM_EDGE), .out = OUT_ACK, \
	     .rises = "challenge_sent", __VA_ARGS__),                                           \
		CELL("D-" id "-past-far",                                                       \
		     TEXT(.ack_from = FROM_SU, .seq_from = FROM_EDGE, .seq = 100000),           \
		     .out = OUT_ACK, .rises = "out_of_window", __VA_ARGS__)

/* The application has closed: text in the window is a reset, be it acknowledging our FIN or not. */
#define ABORTED(id, ...)                                                                         \
	CELL("D-" id "-order", TEXT(.ack_from = FROM_SU), .out = OUT_RS, .state = HF_CLOSED,     \
	     .rises = "abort_on_data", __VA_ARGS__),                                             \
		CELL("D-" id "-order-acked", TEXT(.ack_from = FROM_SN), .out = OUT_RS,           \
		     .state = HF_CLOSED, .rises = "rst_out_unread", __VA_ARGS__),                \
		CELL("D-" id "-order-overlap", TEXT(.ack_from = FROM_SU, .seq = -9),             \
		     .out = OUT_RS, .state = HF_CLOSED, __VA_ARGS__),                            \
		CELL("D-" id "-ahead", TEXT(.ack_from = FROM_SU, .seq = 10), .out = OUT_RS,      \
		     .state = HF_CLOSED, .rises = "abort_on_data", __VA_ARGS__),                 \
		CELL("D-" id "-ahead-last",                                                      \
		     TEXT(.ack_from = FROM_SU, .seq_from = FROM_EDGE, .seq = -1), .out = OUT_RS, \
		     .state = HF_CLOSED, .rises = "lost_aborted", __VA_ARGS__)

/* After the peer's FIN there is no text: a challenge ACK. */
#define NO_MORE(id, ...)                                                                          \
	CELL("D-" id "-order", TEXT(.ack_from = FROM_SU), .out = OUT_ACK,                         \
	     .rises = "challenge_sent", __VA_ARGS__),                                             \
		CELL("D-" id "-order-one", .flags = SEG_ACK, .text_len = 1, .ack_from = FROM_SU,  \
		     .out = OUT_ACK, .rises = "challenge_sent", __VA_ARGS__),                     \
		CELL("D-" id "-ahead", TEXT(.ack_from = FROM_SU, .seq = 10), .out = OUT_ACK,      \
		     .rises = "challenge_sent", __VA_ARGS__),                                     \
		CELL("D-" id "-ahead-last",                                                       \
		     TEXT(.ack_from = FROM_SU, .seq_from = FROM_EDGE, .seq = -1), .out = OUT_ACK, \
		     .rises = "challenge_sent", __VA_ARGS__),                                     \
		OLD(id, __VA_ARGS__), PAST(id, __VA_ARGS__)

static struct seg text_at(const struct rig *r, int32_t by, uint16_t len)
{
	return (struct seg){
		.seq = r->rn + (uint32_t)by, .ack = r->sn, .flags = SEG_ACK, .text_len = len
	};
}

/* The handshake's last ACK carries text: the connection is there, and so is its text. */
static void syn_rcvd_p__text__accepted_with_it(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_P);
	rig_send(r, text_at(r, 0, 10));
	r->rn += 10;
	assert_true(rig_event_bits(r) & HF_EV_ACCEPT);
	rig_accept(r);
	rig_read(r, 10);
	rig_expect_silence(r, MS(39));
	rig_advance(r, MS(1));
	rig_expect_ack(r);
	rig_expect_state(r, HF_ESTABLISHED);
	rig_expect_silence(r, MS(100));
}

/* Text that came before the application took the connection waits for it. */
static void syn_rcvd_p__text_before_accept__waits(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_P);
	rig_send(r, text_at(r, 0, 10));
	r->rn += 10;
	assert_true(rig_event_bits(r) & HF_EV_ACCEPT);
	rig_advance(r, MS(40));
	rig_expect_ack(r);
	rig_send(r, text_at(r, 0, 10));
	r->rn += 10;
	rig_accept(r);
	rig_advance(r, MS(40));
	rig_expect_ack(r);
	rig_read(r, 20);
	rig_expect_silence(r, MS(100));
}

static void syn_rcvd__text_bad_ack__rst_and_state_kept(struct rig *r)
{
	static const int32_t by[] = { 1, -1, -1000, INT32_MAX };

	for (unsigned i = 0; i < 8; i++) {
		struct seg in;

		rig_another(r);
		rig_to(r, i < 4 ? RIG_SYN_RCVD_A : RIG_SYN_RCVD_P);
		in = text_at(r, 0, 10);
		in.ack += (uint32_t)by[i % 4];
		rig_send(r, in);
		rig_expect_ra(r, in);
		rig_expect_silence(r, MS(100));
		rig_no_event(r);
		rig_expect_state(r, HF_SYN_RECEIVED);
	}
}

/* A gap, told of once for each segment; then it is filled and everything arrives once. */
static void established__gap__told_then_filled(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	for (int32_t by = 10; by < 40; by += 10) {
		rig_send(r, text_at(r, by, 10));
		rig_expect_ack(r);
		rig_no_event(r);
	}
	assert_int_equal(rig_counter(r, "dup_ack_out"), 3);
	rig_send(r, text_at(r, 0, 40));
	r->rn += 40;
	rig_event(r, HF_EV_READABLE);
	rig_advance(r, MS(40));
	rig_expect_ack(r);
	rig_read(r, 40);
	rig_expect_silence(r, MS(100));
}

/* HF-RL1: the peer may need each of these ACKs. */
static void established__old_text__each_acked(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	for (unsigned i = 0; i < 10; i++) {
		rig_send(r, text_at(r, -10, 10));
		rig_expect_ack(r);
	}
	assert_int_equal(rig_counter(r, "challenge_sent"), 0);
	assert_int_equal(rig_counter(r, "old_text"), 10);
	rig_no_event(r);
	rig_expect_silence(r, MS(100));
}

/* Text past the window: one challenge ACK in 500 ms, nothing stored. */
static void established__text_past_window__nothing_stored(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	for (unsigned i = 0; i < 10; i++)
		rig_send(r, text_at(r, (int32_t)r->rw, 1000));
	rig_expect_ack(r);
	rig_expect_silence(r, MS(400));
	rig_no_event(r);
	assert_int_equal(rig_counter(r, "challenge_suppressed"), 9);
	assert_int_equal(rig_levels(r).queued_mbufs, 0);
}

/* The ACK field of text that comes too late to be read still counts. */
static void close_wait__text_with_new_ack__ack_used(struct rig *r)
{
	static const enum rig_state states[] = { RIG_CLOSE_WAIT, RIG_LAST_ACK };

	for (unsigned i = 0; i < 4; i++) {
		struct hf_status status;
		struct seg in;

		rig_another(r);
		r->unacked = 20;
		rig_to(r, states[i / 2]);
		in = text_at(r, i % 2 ? 10 : 0, 10);
		in.ack = r->su + 15;
		rig_send(r, in);
		rig_expect_ack(r);
		assert_int_equal(hf_lookup(r->w, &r->local, &r->peer, &status), 0);
		assert_int_equal(status.snd_una, r->su + 15);
		rig_discard(r);
	}
}

/* CLOSING and LAST-ACK end by such an ACK field; TIME-WAIT answers C, CLOSED does not send one. */
static void closing__text_with_ack_of_fin__time_wait(struct rig *r)
{
	rig_to(r, RIG_CLOSING);
	rig_send(r, text_at(r, 0, 10));
	rig_expect_ack(r);
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_TIME_WAIT);
	rig_expect_silence(r, MS(100));
}

static void last_ack__text_with_ack_of_fin__closed(struct rig *r)
{
	rig_to(r, RIG_LAST_ACK);
	rig_send(r, text_at(r, 0, 10));
	rig_expect_silence(r, MS(100));
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_CLOSED);
}

/* ---- Windows ------------------------------------------------------------------------------ */

static void set_small_window(struct rig *r)
{
	r->config.tcp.rcv_buf = 1024;
}

/* ESTABLISHED with 10 octets of ours unacknowledged and a receive window of wnd octets. */
static void established_with_window(struct rig *r, uint32_t wnd)
{
	const uint16_t len = (uint16_t)(1024 - wnd);

	rig_another(r);
	r->unacked = 0;
	rig_to(r, RIG_ESTABLISHED);
	if (len > 0) {
		rig_send(r, text_at(r, 0, len));
		r->rn += len;
		rig_event(r, HF_EV_READABLE);
	}
	rig_write(r, 10);
	rig_flush(r);
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = SEG_ACK, .text_len = 10 });
	r->sn += 10;
	assert_int_equal(r->rw, wnd);
}

/* What 3.10.7.4 says, in 64-bit integers that do not wrap: seq is relative to RCV.NXT. */
static bool acceptable(int64_t seq, int64_t len, int64_t wnd)
{
	if (len == 0 && wnd == 0)
		return seq == 0;
	if (len == 0)
		return 0 <= seq && seq < wnd;
	if (wnd == 0)
		return false;
	return (0 <= seq && seq < wnd) || (0 <= seq + len - 1 && seq + len - 1 < wnd);
}

/* RFC 9293 3.10.7.4, first check. An acceptable segment's ACK field counts; so does that of text at
 * RN when the window is shut (MUST-66) and of text that ends at RN (HF-T5). */
static void established__edges__four_cases(struct rig *r)
{
	static const uint32_t wnds[] = { 0, 1, 7, 1024 };
	static const int32_t lens[] = { 0, 1, 7, 30 };

	for (unsigned w = 0; w < 4; w++) {
		for (unsigned l = 0; l < 4; l++) {
			const int32_t wnd = (int32_t)wnds[w], len = lens[l];
			const int32_t at[] = { -len - 1, -len,	  -len + 1, -1,	     0,
					       1,	 wnd - 1, wnd,	    wnd + 1, INT32_MIN };

			for (unsigned s = 0; s < 10; s++) {
				const bool used = acceptable(at[s], len, wnd) ||
						  (len > 0 && at[s] == -len) ||
						  (len > 0 && wnd == 0 && at[s] == 0);
				struct hf_status status;

				established_with_window(r, wnds[w]);
				rig_send(r, text_at(r, at[s], (uint16_t)len));
				assert_int_equal(hf_status(r->w, r->id, &status), 0);
				if ((status.snd_una == r->sn) != used)
					rig_fail(r, "window %d, SEQ RN%+d, %d octets: ACK field %s",
						 wnd, at[s], len, used ? "not used" : "used");
				assert_true(status.rcv_nxt - r->rn <= wnds[w]);
				assert_int_equal(hf_abort(r->w, r->id), 0);
				rig_discard(r);
				rig_turn(r);
				rig_forget_events(r);
			}
		}
	}
}

/* The part past the window is cut off; what is left is delivered, once. */
static void established__text_beyond_window__cut(struct rig *r)
{
	established_with_window(r, 7);
	rig_send(r, text_at(r, 0, 30));
	r->rn += 7;
	assert_int_equal(rig_event(r, HF_EV_READABLE)->readable, 1024);
	rig_advance(r, MS(40));
	assert_int_equal(rig_expect_ack(r)->seg.wnd, 0);
	rig_read(r, 1024);
	rig_expect_ack(r); /* the window opens */
	rig_expect_silence(r, MS(100));
	assert_int_equal(rig_counter(r, "zero_window_out"), 1);
}

/* MUST-66: with the window shut, text at RN is not taken but is answered; ACK and RST count. */
static void zero_window__text_at_rn__acked_not_taken(struct rig *r)
{
	struct hf_status status;

	established_with_window(r, 0);
	rig_send(r, text_at(r, 0, 1));
	rig_expect_ack(r);
	rig_no_event(r);
	assert_int_equal(hf_status(r->w, r->id, &status), 0);
	assert_int_equal(status.snd_una, r->sn);
	for (unsigned i = 0; i < 3; i++) { /* probes: the peer needs each answer */
		rig_send(r, text_at(r, 0, 1));
		rig_expect_ack(r);
	}
	rig_send(r, (struct seg){ .seq = r->rn + 1, .flags = SEG_RST });
	rig_expect_silence(r, MS(100));
	rig_expect_state(r, HF_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = r->rn, .flags = SEG_RST });
	rig_event_closed(r, ECONNRESET);
	rig_expect_silence(r, MS(100));
}

/* A FIN does not fit in a shut window either. */
static void zero_window__fin__taken_once_open(struct rig *r)
{
	struct seg fin;

	established_with_window(r, 0);
	fin = text_at(r, 0, 0);
	fin.flags |= SEG_FIN;
	rig_send(r, fin);
	rig_expect_ack(r);
	rig_no_event(r);
	rig_expect_state(r, HF_ESTABLISHED);
	rig_read(r, 1024);
	rig_expect_ack(r);
	rig_send(r, fin);
	r->rn++;
	rig_event(r, HF_EV_EOF);
	rig_expect_ack(r);
	rig_expect_state(r, HF_CLOSE_WAIT);
}

#define ALONE(id, function)                          \
	{                                            \
		.name = "SE-D-" id, .test = function \
	}
#define SMALL(id, function)                                              \
	{                                                                \
		.name = id, .test = function, .set_up = set_small_window \
	}
#define GONE .events = HF_EV_CLOSED, .error = ECONNABORTED

static const struct row rows[] = {
	STRANGER("CLOSED", RIG_CLOSED, OUT_RN),
	STRANGER("LISTEN", RIG_LISTEN, OUT_NOTHING),
	SYN_SENT("order", .seq = 0),
	SYN_SENT("ahead", .seq = 10),
	SYN_SENT("old", .seq = -10),
	SYN_SENT("past", .seq_from = FROM_EDGE),

	ALONE("SYN_RCVD/p-order", syn_rcvd_p__text__accepted_with_it),
	ALONE("SYN_RCVD/p-order-waits", syn_rcvd_p__text_before_accept__waits),
	CELL("D-SYN_RCVD/a-order", TEXT(.ack_from = FROM_SN), .in = RIG_SYN_RCVD_A, .rn_by = 10,
	     .out = OUT_ACK_LATER, .events = HF_EV_CONNECTED | HF_EV_READABLE, .reads = 10,
	     .state = HF_ESTABLISHED),
	ALONE("SYN_RCVD-order-bad-ack", syn_rcvd__text_bad_ack__rst_and_state_kept),
	CELL("D-SYN_RCVD/p-ahead", TEXT(.ack_from = FROM_SN, .seq = 10), .in = RIG_SYN_RCVD_P,
	     .out = OUT_ACK, .events = HF_EV_ACCEPT, .state = HF_ESTABLISHED),
	CELL("D-SYN_RCVD/a-ahead", TEXT(.ack_from = FROM_SN, .seq = 10), .in = RIG_SYN_RCVD_A,
	     .out = OUT_ACK, .events = HF_EV_CONNECTED, .state = HF_ESTABLISHED),
	CELL("D-SYN_RCVD/p-old", TEXT(.ack_from = FROM_SN, .seq = -10), .in = RIG_SYN_RCVD_P,
	     .out = OUT_ACK, .state = HF_SYN_RECEIVED, .rises = "challenge_sent"),
	CELL("D-SYN_RCVD/a-old", TEXT(.ack_from = FROM_SN, .seq = -10), .in = RIG_SYN_RCVD_A,
	     .out = OUT_ACK, .state = HF_SYN_RECEIVED, .rises = "challenge_sent"),
	PAST("SYN_RCVD/p", .in = RIG_SYN_RCVD_P, .ack = 1, .state = HF_SYN_RECEIVED),
	PAST("SYN_RCVD/a", .in = RIG_SYN_RCVD_A, .ack = 1, .state = HF_SYN_RECEIVED),

	TAKEN("ESTABLISHED", .in = RIG_ESTABLISHED, .state = HF_ESTABLISHED),
	AHEAD("ESTABLISHED", .in = RIG_ESTABLISHED, .state = HF_ESTABLISHED),
	OLD("ESTABLISHED", .in = RIG_ESTABLISHED, .state = HF_ESTABLISHED),
	PAST("ESTABLISHED", .in = RIG_ESTABLISHED, .state = HF_ESTABLISHED),
	ALONE("ESTABLISHED-ahead-filled", established__gap__told_then_filled),
	ALONE("ESTABLISHED-old-each", established__old_text__each_acked),
	ALONE("ESTABLISHED-past-stored", established__text_past_window__nothing_stored),

	TAKEN("FIN_WAIT_1", .in = RIG_FIN_WAIT_1, .hold = true, .state = HF_FIN_WAIT_1),
	CELL("D-FIN_WAIT_1-order-acked", TEXT(.ack_from = FROM_SN), .in = RIG_FIN_WAIT_1,
	     .hold = true, .rn_by = 10, .out = OUT_ACK_LATER, .events = HF_EV_READABLE, .reads = 10,
	     .state = HF_FIN_WAIT_2),
	AHEAD("FIN_WAIT_1", .in = RIG_FIN_WAIT_1, .hold = true, .state = HF_FIN_WAIT_1),
	OLD("FIN_WAIT_1", .in = RIG_FIN_WAIT_1, .hold = true, .state = HF_FIN_WAIT_1),
	PAST("FIN_WAIT_1", .in = RIG_FIN_WAIT_1, .hold = true, .state = HF_FIN_WAIT_1),
	TAKEN("FIN_WAIT_2", .in = RIG_FIN_WAIT_2, .hold = true, .state = HF_FIN_WAIT_2),
	AHEAD("FIN_WAIT_2", .in = RIG_FIN_WAIT_2, .hold = true, .state = HF_FIN_WAIT_2),
	OLD("FIN_WAIT_2", .in = RIG_FIN_WAIT_2, .hold = true, .state = HF_FIN_WAIT_2),
	PAST("FIN_WAIT_2", .in = RIG_FIN_WAIT_2, .hold = true, .state = HF_FIN_WAIT_2),

	ABORTED("FIN_WAIT_1-closed", .in = RIG_FIN_WAIT_1, GONE),
	OLD("FIN_WAIT_1-closed", .in = RIG_FIN_WAIT_1, .state = HF_FIN_WAIT_1),
	PAST("FIN_WAIT_1-closed", .in = RIG_FIN_WAIT_1, .state = HF_FIN_WAIT_1),
	ABORTED("FIN_WAIT_2-closed", .in = RIG_FIN_WAIT_2),
	OLD("FIN_WAIT_2-closed", .in = RIG_FIN_WAIT_2, .state = HF_FIN_WAIT_2),
	PAST("FIN_WAIT_2-closed", .in = RIG_FIN_WAIT_2, .state = HF_FIN_WAIT_2),

	NO_MORE("CLOSE_WAIT", .in = RIG_CLOSE_WAIT, .state = HF_CLOSE_WAIT),
	NO_MORE("CLOSING", .in = RIG_CLOSING, .state = HF_CLOSING),
	NO_MORE("CLOSING-held", .in = RIG_CLOSING, .hold = true, .state = HF_CLOSING),
	NO_MORE("LAST_ACK", .in = RIG_LAST_ACK, .state = HF_LAST_ACK),
	NO_MORE("LAST_ACK-held", .in = RIG_LAST_ACK, .hold = true, .state = HF_LAST_ACK),
	ALONE("CLOSE_WAIT-order-ack", close_wait__text_with_new_ack__ack_used),
	ALONE("CLOSING-order-acked", closing__text_with_ack_of_fin__time_wait),
	ALONE("LAST_ACK-order-acked", last_ack__text_with_ack_of_fin__closed),
	NO_MORE("TIME_WAIT", .in = RIG_TIME_WAIT, .state = HF_TIME_WAIT),

	SMALL("RFC9293-3.10.7.4-1", established__edges__four_cases),
	SMALL("SE-D-ESTABLISHED-order-cut", established__text_beyond_window__cut),
	SMALL("MUST-66", zero_window__text_at_rn__acked_not_taken),
	SMALL("MUST-66-fin", zero_window__fin__taken_once_open),
};

int main(int argc, char **argv)
{
	return rig_run("Table D", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

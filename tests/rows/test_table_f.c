/* SPDX-License-Identifier: BSD-3-Clause */
/* Table F of REQUIREMENTS 6: FIN, its ACK field valid (RFC 9293 3.10.7.4, HF-T5, TW-3).
 * Names: SE-F-<state>-<column>[-<case>], the columns being order, gap and again. */
#include "rig/cell.h"

#define FINACK (SEG_FIN | SEG_ACK)

/* The FIN that arrives in order takes effect, is acknowledged at once, and told. */
#define EOF_TOLD .rn_by = 1, .out = OUT_ACK, .events = HF_EV_EOF

/* Ahead of a gap: RN stays and is said again. Seen before: likewise. */
#define ACKED(id, ...)                                                                        \
	CELL("F-" id "-gap", .flags = FINACK, .ack_from = FROM_SU, .seq = 10, .out = OUT_ACK, \
	     __VA_ARGS__),                                                                    \
		CELL("F-" id "-gap-text", .flags = FINACK, .ack_from = FROM_SU, .seq = 10,    \
		     .text_len = 10, .out = OUT_ACK, __VA_ARGS__),                            \
		CELL("F-" id "-gap-last", .flags = FINACK, .ack_from = FROM_SU,               \
		     .seq_from = FROM_EDGE, .seq = -1, .out = OUT_ACK, __VA_ARGS__),          \
		AGAIN(id, __VA_ARGS__)

#define AGAIN(id, ...)                                                                          \
	CELL("F-" id "-again", .flags = FINACK, .ack_from = FROM_SU, .seq = -1, .out = OUT_ACK, \
	     __VA_ARGS__)

/* Past the window: a challenge ACK. */
#define OUTSIDE(id, ...)                                                                      \
	CELL("F-" id "-outside", .flags = FINACK, .ack_from = FROM_SU, .seq_from = FROM_EDGE, \
	     .out = OUT_ACK, .rises = "challenge_sent", __VA_ARGS__)

/* After a FIN there is no later one: a challenge ACK, and RN does not move. */
#define SECOND(id, ...)                                                                           \
	CELL("F-" id "-order", .flags = FINACK, .ack_from = FROM_SU, .out = OUT_ACK,              \
	     .rises = "challenge_sent", __VA_ARGS__),                                             \
		CELL("F-" id "-order-text", .flags = FINACK, .ack_from = FROM_SU, .text_len = 10, \
		     .out = OUT_ACK, .rises = "challenge_sent", __VA_ARGS__),                     \
		CELL("F-" id "-gap", .flags = FINACK, .ack_from = FROM_SU, .seq = 10,             \
		     .out = OUT_ACK, .rises = "challenge_sent", __VA_ARGS__),                     \
		AGAIN(id, __VA_ARGS__), OUTSIDE(id, __VA_ARGS__)

#define STRANGER(id, from)                                                                        \
	CELL("F-" id "-order", .in = from, .flags = FINACK, .ack_from = FROM_SN, .out = OUT_RA,   \
	     .state = HF_CLOSED),                                                                 \
		CELL("F-" id "-gap", .in = from, .flags = FINACK, .ack_from = FROM_SN, .seq = 10, \
		     .text_len = 10, .out = OUT_RA, .state = HF_CLOSED),                          \
		CELL("F-" id "-again", .in = from, .flags = FINACK, .ack_from = FROM_SN,          \
		     .seq = -1, .out = OUT_RA, .state = HF_CLOSED)

static struct seg fin_at(const struct rig *r, int32_t by)
{
	return (struct seg){ .seq = r->rn + (uint32_t)by, .ack = r->sn, .flags = FINACK };
}

/* The handshake's last ACK carries the FIN: accepted, and at end of file (HF-OP4). */
static void syn_rcvd_p__fin__close_wait(struct rig *r)
{
	uint8_t octet;

	rig_to(r, RIG_SYN_RCVD_P);
	rig_send(r, fin_at(r, 0));
	r->rn++;
	assert_true(rig_event_bits(r) & HF_EV_ACCEPT);
	rig_accept(r);
	rig_expect_ack(r);
	rig_expect_state(r, HF_CLOSE_WAIT);
	assert_int_equal(hf_recv(r->w, r->id, &octet, 1), 0);
	rig_expect_silence(r, MS(100));
}

static void syn_rcvd_a__fin__close_wait(struct rig *r)
{
	uint8_t octet;

	rig_to(r, RIG_SYN_RCVD_A);
	rig_send(r, fin_at(r, 0));
	r->rn++;
	rig_event(r, HF_EV_CONNECTED | HF_EV_EOF);
	rig_expect_ack(r);
	rig_expect_state(r, HF_CLOSE_WAIT);
	assert_int_equal(hf_recv(r->w, r->id, &octet, 1), 0);
	rig_expect_silence(r, MS(100));
}

/* Text and FIN: delivered, then end of file; one ACK covers both. */
static void established__text_and_fin__both_delivered(struct rig *r)
{
	struct seg fin;
	uint8_t octet;

	rig_to(r, RIG_ESTABLISHED);
	fin = fin_at(r, 0);
	fin.text_len = 10;
	rig_send(r, fin);
	r->rn += 11;
	assert_int_equal(rig_event(r, HF_EV_READABLE | HF_EV_EOF)->readable, 10);
	rig_expect_ack(r);
	rig_expect_state(r, HF_CLOSE_WAIT);
	rig_read(r, 10);
	assert_int_equal(hf_recv(r->w, r->id, &octet, 1), 0);
	rig_expect_silence(r, MS(100));
}

/* A FIN that overlaps old text is trimmed to what is new. */
static void established__fin_overlaps_old_text__taken(struct rig *r)
{
	struct seg fin;

	rig_to(r, RIG_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .text_len = 10 });
	r->rn += 10;
	rig_event(r, HF_EV_READABLE);
	rig_advance(r, MS(100));
	rig_discard(r);
	fin = fin_at(r, -4);
	fin.text_len = 4;
	rig_send(r, fin);
	r->rn++;
	rig_event(r, HF_EV_EOF);
	rig_expect_ack(r);
	rig_expect_state(r, HF_CLOSE_WAIT);
	rig_read(r, 10);
}

/* The ACK of old FINs is not rationed (HF-RL1): the peer may need each. */
static void close_wait__fin_again__each_acked(struct rig *r)
{
	rig_to(r, RIG_CLOSE_WAIT);
	for (unsigned i = 0; i < 5; i++) {
		rig_send(r, fin_at(r, -1));
		rig_expect_ack(r);
		rig_expect_silence(r, MS(1));
	}
	assert_int_equal(rig_counter(r, "challenge_sent"), 0);
	rig_expect_state(r, HF_CLOSE_WAIT);
}

/* Second, later FINs are answered by challenge ACKs: one in 500 ms (RFC5961-7). */
static void close_wait__later_fins__one_challenge_a_while(struct rig *r)
{
	rig_to(r, RIG_CLOSE_WAIT);
	rig_send(r, fin_at(r, 0));
	rig_expect_ack(r);
	rig_advance(r, MS(499));
	rig_send(r, fin_at(r, 0));
	rig_expect_silence(r, 0);
	assert_int_equal(rig_counter(r, "challenge_suppressed"), 1);
	rig_advance(r, MS(2));
	rig_send(r, fin_at(r, 0));
	rig_expect_ack(r);
	rig_expect_silence(r, MS(100));
}

/* HF-T5: the peer repeats its FIN with the ACK of ours in it, and sends nothing else. */
static void closing__fin_again_acks_ours__time_wait(struct rig *r)
{
	rig_to(r, RIG_CLOSING);
	rig_send(r, fin_at(r, -1));
	rig_expect_ack(r);
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_TIME_WAIT);
	rig_expect_silence(r, SEC(59));
	rig_expect_state(r, HF_TIME_WAIT);
	rig_expect_silence(r, SEC(2));
	rig_expect_state(r, HF_CLOSED);
}

static void last_ack__fin_again_acks_ours__acked_and_closed(struct rig *r)
{
	rig_to(r, RIG_LAST_ACK);
	rig_send(r, fin_at(r, -1));
	rig_expect_ack(r);
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_levels(r).timers, 0);
	rig_expect_silence(r, SEC(2));
}

/* TW-3: a retransmitted FIN starts 2MSL again, and nothing is left when that is over. */
static void time_wait__fin_again__acked_and_restarted(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	rig_advance(r, SEC(30));
	rig_send(r, fin_at(r, -1));
	rig_expect_ack(r);
	assert_int_equal(rig_counter(r, "tw_restarted"), 1);
	rig_expect_silence(r, SEC(60) - MS(10));
	rig_expect_state(r, HF_TIME_WAIT);
	rig_expect_silence(r, MS(20));
	rig_expect_state(r, HF_CLOSED);
}

/* ... but not when its ACK field is out of range: C, no restart. */
static void time_wait__fin_again_bad_ack__not_restarted(struct rig *r)
{
	struct seg fin;

	rig_to(r, RIG_TIME_WAIT);
	rig_advance(r, SEC(30));
	fin = fin_at(r, -1);
	fin.ack = r->sn + 1;
	rig_send(r, fin);
	rig_expect_ack(r);
	assert_int_equal(rig_counter(r, "tw_restarted"), 0);
	rig_expect_silence(r, SEC(31));
	rig_expect_state(r, HF_CLOSED);
}

/* The FIN ends FIN-WAIT-2's own timer: 2MSL is whole (HF-FW2-1). */
static void fin_wait_2__fin_late__whole_2msl(struct rig *r)
{
	rig_to(r, RIG_FIN_WAIT_2);
	rig_advance(r, SEC(59));
	rig_send(r, fin_at(r, 0));
	r->rn++;
	rig_expect_ack(r);
	rig_expect_state(r, HF_TIME_WAIT);
	assert_int_equal(rig_counter(r, "fw2_finished"), 1);
	rig_expect_silence(r, SEC(60) - MS(10));
	rig_expect_state(r, HF_TIME_WAIT);
	rig_expect_silence(r, MS(20));
	rig_expect_state(r, HF_CLOSED);
}

/* A FIN ahead of a gap is remembered: it takes effect when the gap fills. */
static void established__gap_fills__close_wait(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	rig_send(r, fin_at(r, 10));
	rig_no_event(r);
	rig_expect_ack(r);
	rig_expect_state(r, HF_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .text_len = 10 });
	r->rn += 11;
	rig_event(r, HF_EV_READABLE | HF_EV_EOF);
	rig_expect_ack(r);
	rig_expect_state(r, HF_CLOSE_WAIT);
	rig_read(r, 10);
	rig_expect_silence(r, MS(100));
}

/* Text that the application had read before it closed, and the FIN: trimmed to the FIN. */
static void fin_wait_2_closed__fin_overlaps_old_text__time_wait(struct rig *r)
{
	struct seg fin;

	rig_to(r, RIG_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .text_len = 10 });
	r->rn += 10;
	rig_read(r, 10);
	assert_int_equal(hf_close(r->w, r->id), 0);
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = FINACK });
	r->sn++;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_expect_silence(r, 0);
	rig_expect_state(r, HF_FIN_WAIT_2);
	fin = fin_at(r, -4);
	fin.text_len = 4;
	rig_send(r, fin);
	r->rn++;
	rig_expect_ack(r);
	rig_expect_state(r, HF_TIME_WAIT);
	rig_expect_silence(r, MS(100));
}

static const struct row rows[] = {
	STRANGER("CLOSED", RIG_CLOSED),
	STRANGER("LISTEN", RIG_LISTEN),
	CELL("F-SYN_SENT-order", .in = RIG_SYN_SENT, .flags = FINACK, .ack_from = FROM_SN,
	     .state = HF_SYN_SENT),
	CELL("F-SYN_SENT-gap", .in = RIG_SYN_SENT, .flags = FINACK, .ack_from = FROM_SN, .seq = 10,
	     .state = HF_SYN_SENT),
	CELL("F-SYN_SENT-again", .in = RIG_SYN_SENT, .flags = FINACK, .ack_from = FROM_SN,
	     .seq = -1, .state = HF_SYN_SENT),

	{ .name = "SE-F-SYN_RCVD/p-order", .test = syn_rcvd_p__fin__close_wait },
	{ .name = "SE-F-SYN_RCVD/a-order", .test = syn_rcvd_a__fin__close_wait },
	CELL("F-SYN_RCVD/p-gap", .in = RIG_SYN_RCVD_P, .flags = FINACK, .ack_from = FROM_SN,
	     .seq = 10, .out = OUT_ACK, .state = HF_ESTABLISHED, .events = HF_EV_ACCEPT),
	CELL("F-SYN_RCVD/a-gap", .in = RIG_SYN_RCVD_A, .flags = FINACK, .ack_from = FROM_SN,
	     .seq = 10, .out = OUT_ACK, .state = HF_ESTABLISHED, .events = HF_EV_CONNECTED),
	CELL("F-SYN_RCVD/p-again", .in = RIG_SYN_RCVD_P, .flags = FINACK, .ack_from = FROM_SN,
	     .seq = -1, .out = OUT_ACK, .state = HF_SYN_RECEIVED, .rises = "challenge_sent"),
	CELL("F-SYN_RCVD/a-again", .in = RIG_SYN_RCVD_A, .flags = FINACK, .ack_from = FROM_SN,
	     .seq = -1, .out = OUT_ACK, .state = HF_SYN_RECEIVED, .rises = "challenge_sent"),

	CELL("F-ESTABLISHED-order", .in = RIG_ESTABLISHED, .flags = FINACK, .ack_from = FROM_SN,
	     .state = HF_CLOSE_WAIT, EOF_TOLD),
	CELL("F-ESTABLISHED-order-unacked", .in = RIG_ESTABLISHED, .unacked = 10, .flags = FINACK,
	     .ack_from = FROM_SU, .state = HF_CLOSE_WAIT, EOF_TOLD),
	{ .name = "SE-F-ESTABLISHED-order-text", .test = established__text_and_fin__both_delivered },
	{ .name = "SE-F-ESTABLISHED-order-overlap",
	  .test = established__fin_overlaps_old_text__taken },
	{ .name = "SE-F-ESTABLISHED-gap-filled", .test = established__gap_fills__close_wait },
	ACKED("ESTABLISHED", .in = RIG_ESTABLISHED, .state = HF_ESTABLISHED),
	OUTSIDE("ESTABLISHED", .in = RIG_ESTABLISHED, .state = HF_ESTABLISHED),

	CELL("F-FIN_WAIT_1-order-acked", .in = RIG_FIN_WAIT_1, .hold = true, .flags = FINACK,
	     .ack_from = FROM_SN, .state = HF_TIME_WAIT, EOF_TOLD),
	CELL("F-FIN_WAIT_1-order", .in = RIG_FIN_WAIT_1, .hold = true, .flags = FINACK,
	     .ack_from = FROM_SU, .state = HF_CLOSING, EOF_TOLD),
	CELL("F-FIN_WAIT_1-closed-order-acked", .in = RIG_FIN_WAIT_1, .flags = FINACK,
	     .ack_from = FROM_SN, .rn_by = 1, .out = OUT_ACK, .state = HF_TIME_WAIT,
	     .events = HF_EV_CLOSED),
	CELL("F-FIN_WAIT_1-closed-order", .in = RIG_FIN_WAIT_1, .flags = FINACK,
	     .ack_from = FROM_SU, .rn_by = 1, .out = OUT_ACK, .state = HF_CLOSING),
	ACKED("FIN_WAIT_1", .in = RIG_FIN_WAIT_1, .hold = true, .state = HF_FIN_WAIT_1),
	OUTSIDE("FIN_WAIT_1", .in = RIG_FIN_WAIT_1, .hold = true, .state = HF_FIN_WAIT_1),
	CELL("F-FIN_WAIT_1-closed-gap", .in = RIG_FIN_WAIT_1, .flags = FINACK, .ack_from = FROM_SU,
	     .seq = 10, .out = OUT_ACK, .state = HF_FIN_WAIT_1),
	AGAIN("FIN_WAIT_1-closed", .in = RIG_FIN_WAIT_1, .state = HF_FIN_WAIT_1),

	CELL("F-FIN_WAIT_2-order", .in = RIG_FIN_WAIT_2, .hold = true, .flags = FINACK,
	     .ack_from = FROM_SN, .state = HF_TIME_WAIT, EOF_TOLD),
	CELL("F-FIN_WAIT_2-closed-order", .in = RIG_FIN_WAIT_2, .flags = FINACK, .ack_from = FROM_SN,
	     .rn_by = 1, .out = OUT_ACK, .state = HF_TIME_WAIT, .any_event = true),
	{ .name = "SE-F-FIN_WAIT_2-closed-order-overlap",
	  .test = fin_wait_2_closed__fin_overlaps_old_text__time_wait },
	{ .name = "SE-F-FIN_WAIT_2-closed-order-late", .test = fin_wait_2__fin_late__whole_2msl },
	ACKED("FIN_WAIT_2", .in = RIG_FIN_WAIT_2, .hold = true, .state = HF_FIN_WAIT_2),
	OUTSIDE("FIN_WAIT_2", .in = RIG_FIN_WAIT_2, .hold = true, .state = HF_FIN_WAIT_2),
	AGAIN("FIN_WAIT_2-closed", .in = RIG_FIN_WAIT_2, .state = HF_FIN_WAIT_2),
	OUTSIDE("FIN_WAIT_2-closed", .in = RIG_FIN_WAIT_2, .state = HF_FIN_WAIT_2),
	CELL("F-FIN_WAIT_2-closed-gap", .in = RIG_FIN_WAIT_2, .flags = FINACK, .ack_from = FROM_SN,
	     .seq = 10, .out = OUT_RS, .state = HF_CLOSED, .any_event = true, .rises = "fw2_reset"),

	SECOND("CLOSE_WAIT", .in = RIG_CLOSE_WAIT, .state = HF_CLOSE_WAIT),
	{ .name = "SE-F-CLOSE_WAIT-again-each", .test = close_wait__fin_again__each_acked },
	{ .name = "SE-F-CLOSE_WAIT-order-limited",
	  .test = close_wait__later_fins__one_challenge_a_while },
	SECOND("CLOSING", .in = RIG_CLOSING, .state = HF_CLOSING),
	{ .name = "SE-F-CLOSING-again-acked", .test = closing__fin_again_acks_ours__time_wait },
	SECOND("LAST_ACK", .in = RIG_LAST_ACK, .state = HF_LAST_ACK),
	{ .name = "SE-F-LAST_ACK-again-acked",
	  .test = last_ack__fin_again_acks_ours__acked_and_closed },

	SECOND("TIME_WAIT", .in = RIG_TIME_WAIT, .state = HF_TIME_WAIT),
	{ .name = "SE-F-TIME_WAIT-again-restart", .test = time_wait__fin_again__acked_and_restarted },
	{ .name = "SE-F-TIME_WAIT-again-bad-ack",
	  .test = time_wait__fin_again_bad_ack__not_restarted },
};

int main(int argc, char **argv)
{
	return rig_run("Table F", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

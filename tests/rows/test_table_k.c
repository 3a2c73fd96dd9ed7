/* SPDX-License-Identifier: BSD-3-Clause */
/* Table K of REQUIREMENTS 6: the ACK field, SEQ in window (RFC 9293 3.10.7.4, RFC 5961 5.2, MAY-12).
 * Names: SE-K-<state>-<column>[-<case>], the columns being new, old, below (SU-MW) and above (SN). */
#include "rig/cell.h"

/* An ACK field outside [SU-MW, SN] draws a challenge ACK; nothing else in the segment counts. */
#define REFUSED(id, ...)                                                                         \
	CELL("K-" id "-below", .flags = SEG_ACK, .ack_from = FROM_MW, .ack = -1, .out = OUT_ACK, \
	     .rises = "ack_out_of_range", __VA_ARGS__),                                          \
		CELL("K-" id "-below-far", .flags = SEG_ACK, .ack_from = FROM_SN,                \
		     .ack = INT32_MIN, .out = OUT_ACK, .rises = "challenge_sent", __VA_ARGS__),  \
		CELL("K-" id "-below-text", .flags = SEG_ACK, .ack_from = FROM_MW, .ack = -1,    \
		     .text_len = 10, .out = OUT_ACK, __VA_ARGS__),                               \
		CELL("K-" id "-below-fin", .flags = SEG_ACK | SEG_FIN, .ack_from = FROM_MW,      \
		     .ack = -1, .out = OUT_ACK, __VA_ARGS__),                                    \
		CELL("K-" id "-above", .flags = SEG_ACK, .ack_from = FROM_SN, .ack = 1,          \
		     .out = OUT_ACK, .rises = "ack_out_of_range", __VA_ARGS__),                  \
		CELL("K-" id "-above-text", .flags = SEG_ACK, .ack_from = FROM_SN, .ack = 1,     \
		     .text_len = 10, .out = OUT_ACK, __VA_ARGS__),                               \
		CELL("K-" id "-above-fin", .flags = SEG_ACK | SEG_FIN, .ack_from = FROM_SN,      \
		     .ack = 1, .out = OUT_ACK, __VA_ARGS__)

/* ACK = SU, and the oldest that MW allows: nothing comes of them, no answer. */
#define OLD(id, ...)                                                                        \
	CELL("K-" id "-old", .flags = SEG_ACK, .ack_from = FROM_SU, __VA_ARGS__),           \
		CELL("K-" id "-old-by-1", .flags = SEG_ACK, .ack_from = FROM_SU, .ack = -1, \
		     __VA_ARGS__),                                                          \
		CELL("K-" id "-old-by-MW", .flags = SEG_ACK, .ack_from = FROM_MW, __VA_ARGS__)

/* A window update counts by SND.WL1 and WL2: with ACK = SU yes, with an older ACK no. */
#define WINDOW(id, ...)                                                                            \
	CELL("K-" id "-old-window", .flags = SEG_ACK, .ack_from = FROM_SU, .wnd = 777,             \
	     .snd_wnd = 777, __VA_ARGS__),                                                         \
		CELL("K-" id "-old-by-1-window", .flags = SEG_ACK, .ack_from = FROM_SU, .ack = -1, \
		     .wnd = 777, .snd_wnd = 1000, __VA_ARGS__)

/* 10 octets are in flight: all of them acknowledged, some of them. */
#define NEW(id, ...)                                                                            \
	CELL("K-" id "-new", .unacked = 10, .flags = SEG_ACK, .ack_from = FROM_SU, .ack = 10,   \
	     .su_by = 10, .wnd = 900, .snd_wnd = 900, __VA_ARGS__),                             \
		CELL("K-" id "-new-some", .unacked = 10, .flags = SEG_ACK, .ack_from = FROM_SU, \
		     .ack = 4, .su_by = 4, .wnd = 900, .snd_wnd = 900, __VA_ARGS__)

/* SYN-RECEIVED: only the ACK of our SYN will do; every other draws a RST and is forgotten. */
#define SYN_RCVD(id, from, said, count)                                                            \
	CELL("K-" id "-new", .in = from, .flags = SEG_ACK, .ack_from = FROM_SN, .su_by = 1,        \
	     .state = HF_ESTABLISHED, .events = said, .wnd = 555, .snd_wnd = 555, .rises = count), \
		CELL("K-" id "-old", .in = from, .flags = SEG_ACK, .ack_from = FROM_SU,            \
		     .out = OUT_RA, .state = HF_SYN_RECEIVED, .rises = "rst_out_bad_ack"),         \
		CELL("K-" id "-old-by-MW", .in = from, .flags = SEG_ACK, .ack_from = FROM_MW,      \
		     .out = OUT_RA, .state = HF_SYN_RECEIVED),                                     \
		CELL("K-" id "-below", .in = from, .flags = SEG_ACK, .ack_from = FROM_MW,          \
		     .ack = -1, .out = OUT_RA, .state = HF_SYN_RECEIVED),                          \
		CELL("K-" id "-above", .in = from, .flags = SEG_ACK, .ack_from = FROM_SN,          \
		     .ack = 1, .out = OUT_RA, .state = HF_SYN_RECEIVED),                           \
		CELL("K-" id "-above-text", .in = from, .flags = SEG_ACK, .ack_from = FROM_SN,     \
		     .ack = 1, .text_len = 10, .out = OUT_RA, .state = HF_SYN_RECEIVED),           \
		CELL("K-" id "-above-fin", .in = from, .flags = SEG_ACK | SEG_FIN,                 \
		     .ack_from = FROM_SN, .ack = 1, .out = OUT_RA, .state = HF_SYN_RECEIVED)

/* No connection: a RST at SEG.ACK, with no more thought. */
#define STRANGER(id, from)                                                                          \
	CELL("K-" id "-new", .in = from, .flags = SEG_ACK, .ack_from = FROM_SN, .out = OUT_RA,      \
	     .state = HF_CLOSED),                                                                   \
		CELL("K-" id "-old", .in = from, .flags = SEG_ACK, .ack_from = FROM_SU,             \
		     .out = OUT_RA, .state = HF_CLOSED),                                            \
		CELL("K-" id "-below", .in = from, .flags = SEG_ACK, .ack_from = FROM_SU,           \
		     .ack = INT32_MIN, .out = OUT_RA, .state = HF_CLOSED),                          \
		CELL("K-" id "-above", .in = from, .flags = SEG_ACK | SEG_PSH, .ack_from = FROM_SN, \
		     .ack = 1, .text_len = 30, .out = OUT_RA, .state = HF_CLOSED)

/* Nobody restarts 2MSL with an ACK (TW-4). */
static void time_wait__ack_at_rn__deadline_stays(struct rig *r)
{
	struct hf_status before, after;

	rig_to(r, RIG_TIME_WAIT);
	assert_int_equal(hf_lookup(r->w, &r->local, &r->peer, &before), 0);
	rig_advance(r, SEC(30));
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_expect_silence(r, MS(100));
	rig_send(r, (struct seg){ .seq = r->rn + 1, .ack = r->sn, .flags = SEG_ACK });
	rig_expect_ack(r);
	assert_int_equal(hf_lookup(r->w, &r->local, &r->peer, &after), 0);
	assert_int_equal(before.deadline_us, after.deadline_us);
	rig_expect_silence(r, SEC(31));
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_counter(r, "tw_expired"), 1);
}

/* The ACK field of an optimistic receiver moves nothing (RFC5681-opt). */
static void established__ack_of_unsent__send_queue_stays(struct rig *r)
{
	struct hf_status status;

	r->unacked = 10;
	rig_to(r, RIG_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn + 1, .flags = SEG_ACK, .wnd = 60000 });
	rig_expect_ack(r);
	assert_int_equal(hf_status(r->w, r->id, &status), 0);
	assert_int_equal(status.snd_una, r->su);
	assert_int_equal(status.snd_wnd, 1000);
	assert_int_equal(status.unacked, 10);
	/* ... and the octets are still there to be sent again. */
	rig_advance(r, MS(250));
	rig_expect(r, (struct seg){ .seq = r->su, .ack = r->rn, .flags = SEG_ACK, .text_len = 10 });
	rig_expect_silence(r, 0);
}

static const struct row rows[] = {
	STRANGER("CLOSED", RIG_CLOSED),
	STRANGER("LISTEN", RIG_LISTEN),

	CELL("K-SYN_SENT-new", .in = RIG_SYN_SENT, .flags = SEG_ACK, .ack_from = FROM_SN,
	     .state = HF_SYN_SENT),
	CELL("K-SYN_SENT-new-text-fin", .in = RIG_SYN_SENT, .flags = SEG_ACK | SEG_FIN,
	     .ack_from = FROM_SN, .text_len = 10, .state = HF_SYN_SENT),
	CELL("K-SYN_SENT-old", .in = RIG_SYN_SENT, .flags = SEG_ACK, .ack_from = FROM_SU,
	     .out = OUT_RA, .state = HF_SYN_SENT, .rises = "rst_out_bad_ack"),
	CELL("K-SYN_SENT-below", .in = RIG_SYN_SENT, .flags = SEG_ACK, .ack_from = FROM_MW,
	     .ack = -1, .out = OUT_RA, .state = HF_SYN_SENT),
	CELL("K-SYN_SENT-above", .in = RIG_SYN_SENT, .flags = SEG_ACK, .ack_from = FROM_SN,
	     .ack = 1, .out = OUT_RA, .state = HF_SYN_SENT),

	SYN_RCVD("SYN_RCVD/p", RIG_SYN_RCVD_P, HF_EV_ACCEPT, "passive_established"),
	SYN_RCVD("SYN_RCVD/a", RIG_SYN_RCVD_A, HF_EV_CONNECTED, "active_established"),

	NEW("ESTABLISHED", .in = RIG_ESTABLISHED, .state = HF_ESTABLISHED),
	OLD("ESTABLISHED", .in = RIG_ESTABLISHED, .state = HF_ESTABLISHED),
	WINDOW("ESTABLISHED", .in = RIG_ESTABLISHED, .state = HF_ESTABLISHED),
	REFUSED("ESTABLISHED", .in = RIG_ESTABLISHED, .state = HF_ESTABLISHED),
	REFUSED("ESTABLISHED-unacked", .in = RIG_ESTABLISHED, .unacked = 10, .state = HF_ESTABLISHED),
	{ .name = "RFC5681-opt, SEC-30", .test = established__ack_of_unsent__send_queue_stays },

	NEW("CLOSE_WAIT", .in = RIG_CLOSE_WAIT, .state = HF_CLOSE_WAIT),
	OLD("CLOSE_WAIT", .in = RIG_CLOSE_WAIT, .state = HF_CLOSE_WAIT),
	WINDOW("CLOSE_WAIT", .in = RIG_CLOSE_WAIT, .state = HF_CLOSE_WAIT),
	REFUSED("CLOSE_WAIT", .in = RIG_CLOSE_WAIT, .state = HF_CLOSE_WAIT),

	CELL("K-FIN_WAIT_1-new", .in = RIG_FIN_WAIT_1, .hold = true, .flags = SEG_ACK,
	     .ack_from = FROM_SN, .su_by = 1, .state = HF_FIN_WAIT_2),
	CELL("K-FIN_WAIT_1-new-all", .in = RIG_FIN_WAIT_1, .hold = true, .unacked = 10,
	     .flags = SEG_ACK, .ack_from = FROM_SN, .su_by = 11, .state = HF_FIN_WAIT_2),
	NEW("FIN_WAIT_1", .in = RIG_FIN_WAIT_1, .hold = true, .state = HF_FIN_WAIT_1),
	OLD("FIN_WAIT_1", .in = RIG_FIN_WAIT_1, .hold = true, .state = HF_FIN_WAIT_1),
	WINDOW("FIN_WAIT_1", .in = RIG_FIN_WAIT_1, .hold = true, .state = HF_FIN_WAIT_1),
	REFUSED("FIN_WAIT_1", .in = RIG_FIN_WAIT_1, .hold = true, .state = HF_FIN_WAIT_1),
	CELL("K-FIN_WAIT_1-closed-new", .in = RIG_FIN_WAIT_1, .flags = SEG_ACK, .ack_from = FROM_SN,
	     .state = HF_FIN_WAIT_2, .any_event = true),
	NEW("FIN_WAIT_1-closed", .in = RIG_FIN_WAIT_1, .state = HF_FIN_WAIT_1),
	REFUSED("FIN_WAIT_1-closed", .in = RIG_FIN_WAIT_1, .state = HF_FIN_WAIT_1),

	OLD("FIN_WAIT_2", .in = RIG_FIN_WAIT_2, .hold = true, .state = HF_FIN_WAIT_2),
	REFUSED("FIN_WAIT_2", .in = RIG_FIN_WAIT_2, .hold = true, .state = HF_FIN_WAIT_2),
	OLD("FIN_WAIT_2-closed", .in = RIG_FIN_WAIT_2, .state = HF_FIN_WAIT_2),
	REFUSED("FIN_WAIT_2-closed", .in = RIG_FIN_WAIT_2, .state = HF_FIN_WAIT_2),

	CELL("K-CLOSING-new", .in = RIG_CLOSING, .flags = SEG_ACK, .ack_from = FROM_SN,
	     .state = HF_TIME_WAIT, .events = HF_EV_CLOSED, .rises = "tw_entered"),
	CELL("K-CLOSING-held-new", .in = RIG_CLOSING, .hold = true, .flags = SEG_ACK,
	     .ack_from = FROM_SN, .state = HF_TIME_WAIT, .rises = "tw_entered"),
	/* What its own ACK field has moved to TIME-WAIT is judged there: nothing follows a FIN. */
	CELL("K-CLOSING-new-second-fin", .in = RIG_CLOSING, .flags = SEG_ACK | SEG_FIN,
	     .ack_from = FROM_SN, .out = OUT_ACK, .state = HF_TIME_WAIT, .events = HF_EV_CLOSED),
	NEW("CLOSING", .in = RIG_CLOSING, .state = HF_CLOSING),
	OLD("CLOSING", .in = RIG_CLOSING, .state = HF_CLOSING),
	REFUSED("CLOSING", .in = RIG_CLOSING, .state = HF_CLOSING),

	CELL("K-LAST_ACK-new", .in = RIG_LAST_ACK, .flags = SEG_ACK, .ack_from = FROM_SN,
	     .state = HF_CLOSED, .events = HF_EV_CLOSED, .rises = "closed"),
	CELL("K-LAST_ACK-held-new", .in = RIG_LAST_ACK, .hold = true, .flags = SEG_ACK,
	     .ack_from = FROM_SN, .state = HF_CLOSED, .rises = "closed"),
	/* A challenge that is owed for the same segment does not go out of a connection that is gone. */
	CELL("K-LAST_ACK-new-second-fin", .in = RIG_LAST_ACK, .flags = SEG_ACK | SEG_FIN,
	     .ack_from = FROM_SN, .state = HF_CLOSED, .events = HF_EV_CLOSED),
	CELL("K-LAST_ACK-new-text", .in = RIG_LAST_ACK, .flags = SEG_ACK, .ack_from = FROM_SN,
	     .text_len = 10, .state = HF_CLOSED, .events = HF_EV_CLOSED),
	NEW("LAST_ACK", .in = RIG_LAST_ACK, .state = HF_LAST_ACK),
	OLD("LAST_ACK", .in = RIG_LAST_ACK, .state = HF_LAST_ACK),
	REFUSED("LAST_ACK", .in = RIG_LAST_ACK, .state = HF_LAST_ACK),

	CELL("K-TIME_WAIT-new", .in = RIG_TIME_WAIT, .flags = SEG_ACK, .ack_from = FROM_SN,
	     .state = HF_TIME_WAIT),
	CELL("K-TIME_WAIT-new-beyond", .in = RIG_TIME_WAIT, .flags = SEG_ACK, .ack_from = FROM_SN,
	     .seq = 1, .out = OUT_ACK, .state = HF_TIME_WAIT),
	CELL("K-TIME_WAIT-new-last", .in = RIG_TIME_WAIT, .flags = SEG_ACK, .ack_from = FROM_SN,
	     .seq_from = FROM_EDGE, .seq = -1, .out = OUT_ACK, .state = HF_TIME_WAIT),
	OLD("TIME_WAIT", .in = RIG_TIME_WAIT, .state = HF_TIME_WAIT),
	CELL("K-TIME_WAIT-old-beyond", .in = RIG_TIME_WAIT, .flags = SEG_ACK, .ack_from = FROM_MW,
	     .seq = 1, .out = OUT_ACK, .state = HF_TIME_WAIT),
	REFUSED("TIME_WAIT", .in = RIG_TIME_WAIT, .state = HF_TIME_WAIT),
	{ .name = "SE-K-TIME_WAIT-restart", .test = time_wait__ack_at_rn__deadline_stays },
};

int main(int argc, char **argv)
{
	return rig_run("Table K", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

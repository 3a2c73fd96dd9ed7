/* SPDX-License-Identifier: BSD-3-Clause */
/* Table S of REQUIREMENTS 6: SYN without RST, and segments with none of SYN, RST, ACK
 * (RFC 9293 3.10.7, RFC 5961 4.2). Names: SE-S-<state>-<column>[-<case>]. */
#include "rig/cell.h"

#define SYNACK (SEG_SYN | SEG_ACK)

static void set_passive(struct rig *r)
{
	r->active = false;
}

static void set_active(struct rig *r)
{
	r->active = true;
}

/* No SYN, no RST, no ACK: dropped before any other check. */
#define NONE(id, ...)                                                                      \
	CELL("S-" id "-none-null", __VA_ARGS__),                                           \
		CELL("S-" id "-none-fin", .flags = SEG_FIN, __VA_ARGS__),                  \
		CELL("S-" id "-none-text", .text_len = 10, __VA_ARGS__),                   \
		CELL("S-" id "-none-text-fin", .flags = SEG_FIN | SEG_PSH, .text_len = 10, \
		     __VA_ARGS__)

/* A challenge ACK whatever SEQ is; SYN+FIN is a SYN that opens nothing (HF-T3). */
#define CHALLENGED(id, ...)                                                                        \
	CELL("S-" id "-syn", .flags = SEG_SYN, .out = OUT_ACK, __VA_ARGS__),                       \
		CELL("S-" id "-syn-first", .flags = SEG_SYN, .seq_from = FROM_IRS, .out = OUT_ACK, \
		     __VA_ARGS__),                                                                 \
		CELL("S-" id "-syn-last", .flags = SEG_SYN, .seq_from = FROM_EDGE, .seq = -1,      \
		     .out = OUT_ACK, __VA_ARGS__),                                                 \
		CELL("S-" id "-syn-outside", .flags = SEG_SYN, .seq_from = FROM_EDGE,              \
		     .out = OUT_ACK, __VA_ARGS__),                                                 \
		CELL("S-" id "-syn-fin", .flags = SEG_SYN | SEG_FIN, .out = OUT_ACK, __VA_ARGS__), \
		CELL("S-" id "-syn-text", .flags = SEG_SYN, .text_len = 10, .out = OUT_ACK,        \
		     __VA_ARGS__),                                                                 \
		CELL("S-" id "-synack", .flags = SYNACK, .ack_from = FROM_SN, .out = OUT_ACK,      \
		     __VA_ARGS__),                                                                 \
		CELL("S-" id "-synack-again", .flags = SYNACK, .seq_from = FROM_IRS,               \
		     .ack_from = FROM_SN, .out = OUT_ACK, __VA_ARGS__),                            \
		CELL("S-" id "-synack-outside", .flags = SYNACK, .seq_from = FROM_EDGE,            \
		     .ack_from = FROM_SN, .out = OUT_ACK, __VA_ARGS__)

#define SYNCHRONISED(id, ...) CHALLENGED(id, __VA_ARGS__), NONE(id, __VA_ARGS__)

/* SE-S-TIME_WAIT-syn: the rules TW-P1, P4, P6 at their edges */
#define TIME_WAIT_SYN(id, who, which, ...)                                         \
	{                                                                          \
		.name = "SE-S-TIME_WAIT-syn-" id, .test = cell_run, .set_up = who, \
		.variants = which, .arg = &(const struct cell)                     \
		{                                                                  \
			.in = RIG_TIME_WAIT, .flags = SEG_SYN, __VA_ARGS__         \
		}                                                                  \
	}

/* A repeated SYN of a half-open is the same half-open (HF-B1). */
static void syn_rcvd_p__same_syn__charged_once(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_P);
	rig_advance(r, MS(600));
	rig_send(r, rig_syn(r));
	rig_expect_sa(r);
	assert_int_equal(rig_levels(r).requests.used, 1);
	assert_int_equal(rig_counter(r, "request_opened"), 1);
	assert_int_equal(rig_counter(r, "retransmit_synack"), 1);
	rig_expect_silence(r, MS(100));
	rig_expect_state(r, HF_SYN_RECEIVED);
}

/* After the half-open is gone the listener takes the next SYN. */
static void syn_rcvd_p__syn_inside__listener_takes_next(struct rig *r)
{
	struct seg syn;

	rig_to(r, RIG_SYN_RCVD_P);
	syn = rig_syn(r);
	syn.seq = r->rn + 5;
	rig_send(r, syn);
	rig_expect_silence(r, MS(10));
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_levels(r).requests.used, 0);
	assert_int_equal(rig_counter(r, "request_reset"), 1);
	rig_open_passive(r);
}

static const struct row rows[] = {
	CELL("S-CLOSED-syn", .in = RIG_CLOSED, .flags = SEG_SYN, .seq_from = FROM_IRS,
	     .out = OUT_RN, .state = HF_CLOSED, .rises = "rst_out_closed"),
	CELL("S-CLOSED-syn-text", .in = RIG_CLOSED, .flags = SEG_SYN, .seq_from = FROM_IRS,
	     .text_len = 20, .out = OUT_RN, .state = HF_CLOSED),
	CELL("S-CLOSED-syn-fin", .in = RIG_CLOSED, .flags = SEG_SYN | SEG_FIN, .seq_from = FROM_IRS,
	     .out = OUT_RN, .state = HF_CLOSED),
	CELL("S-CLOSED-synack", .in = RIG_CLOSED, .flags = SYNACK, .seq_from = FROM_IRS,
	     .ack_from = FROM_SN, .out = OUT_RA, .state = HF_CLOSED),
	CELL("S-CLOSED-none-null", .in = RIG_CLOSED, .out = OUT_RN, .state = HF_CLOSED),
	CELL("S-CLOSED-none-fin", .in = RIG_CLOSED, .flags = SEG_FIN, .out = OUT_RN,
	     .state = HF_CLOSED),
	CELL("S-CLOSED-none-text", .in = RIG_CLOSED, .text_len = 10, .out = OUT_RN,
	     .state = HF_CLOSED),

	CELL("S-LISTEN-syn", .in = RIG_LISTEN, .flags = SEG_SYN, .seq_from = FROM_IRS,
	     .out = OUT_SA, .state = HF_SYN_RECEIVED, .rises = "request_opened"),
	CELL("S-LISTEN-syn-text", .in = RIG_LISTEN, .flags = SEG_SYN, .seq_from = FROM_IRS,
	     .text_len = 100, .out = OUT_SA, .state = HF_SYN_RECEIVED),
	CELL("S-LISTEN-syn-fin", .in = RIG_LISTEN, .flags = SEG_SYN | SEG_FIN, .seq_from = FROM_IRS,
	     .state = HF_CLOSED, .rises = "rx_drop_flags"),
	CELL("S-LISTEN-synack", .in = RIG_LISTEN, .flags = SYNACK, .seq_from = FROM_IRS,
	     .ack_from = FROM_SN, .out = OUT_RA, .state = HF_CLOSED),
	NONE("LISTEN", .in = RIG_LISTEN, .state = HF_CLOSED),

	CELL("S-SYN_SENT-syn", .in = RIG_SYN_SENT, .flags = SEG_SYN, .seq_from = FROM_IRS,
	     .out = OUT_SA, .state = HF_SYN_RECEIVED),
	CELL("S-SYN_SENT-syn-fin", .in = RIG_SYN_SENT, .flags = SEG_SYN | SEG_FIN,
	     .seq_from = FROM_IRS, .state = HF_SYN_SENT),
	CELL("S-SYN_SENT-synack", .in = RIG_SYN_SENT, .flags = SYNACK, .seq_from = FROM_IRS,
	     .ack_from = FROM_SN, .out = OUT_ACK, .su_by = 1, .state = HF_ESTABLISHED,
	     .events = HF_EV_CONNECTED, .rises = "active_established"),
	CELL("S-SYN_SENT-synack-old", .in = RIG_SYN_SENT, .flags = SYNACK, .seq_from = FROM_IRS,
	     .ack_from = FROM_SU, .out = OUT_RA, .state = HF_SYN_SENT, .rises = "rst_out_bad_ack"),
	CELL("S-SYN_SENT-synack-ahead", .in = RIG_SYN_SENT, .flags = SYNACK, .seq_from = FROM_IRS,
	     .ack_from = FROM_SN, .ack = 1, .out = OUT_RA, .state = HF_SYN_SENT),
	NONE("SYN_SENT", .in = RIG_SYN_SENT, .state = HF_SYN_SENT),

	CELL("S-SYN_RCVD/p-syn-same", .in = RIG_SYN_RCVD_P, .after_us = MS(600), .flags = SEG_SYN,
	     .seq_from = FROM_IRS, .out = OUT_SA, .state = HF_SYN_RECEIVED),
	{ .name = "SE-S-SYN_RCVD/p-syn-charged", .test = syn_rcvd_p__same_syn__charged_once },
	CELL("S-SYN_RCVD/p-syn-same-soon", .in = RIG_SYN_RCVD_P, .after_us = MS(300), .flags = SEG_SYN,
	     .seq_from = FROM_IRS, .state = HF_SYN_RECEIVED, .rises = "synack_suppressed"),
	CELL("S-SYN_RCVD/p-syn-before", .in = RIG_SYN_RCVD_P, .flags = SEG_SYN, .seq_from = FROM_IRS,
	     .seq = -1, .out = OUT_ACK, .state = HF_SYN_RECEIVED, .rises = "challenge_sent"),
	CELL("S-SYN_RCVD/p-syn-outside", .in = RIG_SYN_RCVD_P, .flags = SEG_SYN, .seq_from = FROM_EDGE,
	     .out = OUT_ACK, .state = HF_SYN_RECEIVED, .rises = "challenge_sent"),
	CELL("S-SYN_RCVD/p-syn-inwindow", .in = RIG_SYN_RCVD_P, .flags = SEG_SYN,
	     .state = HF_CLOSED, .rises = "request_reset"),
	CELL("S-SYN_RCVD/p-syn-inwindow-last", .in = RIG_SYN_RCVD_P, .flags = SEG_SYN,
	     .seq_from = FROM_EDGE, .seq = -1, .state = HF_CLOSED, .rises = "request_reset"),
	{ .name = "SE-S-SYN_RCVD/p-syn-inwindow-next",
	  .test = syn_rcvd_p__syn_inside__listener_takes_next },
	CELL("S-SYN_RCVD/p-synack-same", .in = RIG_SYN_RCVD_P, .flags = SYNACK,
	     .seq_from = FROM_IRS, .ack_from = FROM_SN, .out = OUT_ACK, .state = HF_SYN_RECEIVED),
	CELL("S-SYN_RCVD/p-synack-inwindow", .in = RIG_SYN_RCVD_P, .flags = SYNACK,
	     .ack_from = FROM_SN, .state = HF_CLOSED),
	CELL("S-SYN_RCVD/p-synack-inwindow-last", .in = RIG_SYN_RCVD_P, .flags = SYNACK,
	     .seq_from = FROM_EDGE, .seq = -1, .ack_from = FROM_SN, .state = HF_CLOSED),
	CELL("S-SYN_RCVD/p-synack-before", .in = RIG_SYN_RCVD_P, .flags = SYNACK, .seq_from = FROM_IRS,
	     .seq = -1, .ack_from = FROM_SN, .out = OUT_ACK, .state = HF_SYN_RECEIVED),
	CELL("S-SYN_RCVD/p-synack-outside", .in = RIG_SYN_RCVD_P, .flags = SYNACK,
	     .seq_from = FROM_EDGE, .ack_from = FROM_SN, .out = OUT_ACK, .state = HF_SYN_RECEIVED),
	CELL("S-SYN_RCVD/p-syn-fin", .in = RIG_SYN_RCVD_P, .flags = SEG_SYN | SEG_FIN,
	     .out = OUT_ACK, .state = HF_SYN_RECEIVED),
	NONE("SYN_RCVD/p", .in = RIG_SYN_RCVD_P, .state = HF_SYN_RECEIVED),

	CELL("S-SYN_RCVD/a-syn-same", .in = RIG_SYN_RCVD_A, .after_us = MS(600), .flags = SEG_SYN,
	     .seq_from = FROM_IRS, .out = OUT_SA, .state = HF_SYN_RECEIVED),
	CELL("S-SYN_RCVD/a-syn-before", .in = RIG_SYN_RCVD_A, .flags = SEG_SYN, .seq_from = FROM_IRS,
	     .seq = -1, .out = OUT_ACK, .state = HF_SYN_RECEIVED, .rises = "challenge_sent"),
	CELL("S-SYN_RCVD/a-syn-inwindow", .in = RIG_SYN_RCVD_A, .flags = SEG_SYN, .out = OUT_ACK,
	     .state = HF_SYN_RECEIVED, .rises = "challenge_sent"),
	CELL("S-SYN_RCVD/a-syn-inwindow-last", .in = RIG_SYN_RCVD_A, .flags = SEG_SYN,
	     .seq_from = FROM_EDGE, .seq = -1, .out = OUT_ACK, .state = HF_SYN_RECEIVED),
	CELL("S-SYN_RCVD/a-syn-outside", .in = RIG_SYN_RCVD_A, .flags = SEG_SYN,
	     .seq_from = FROM_EDGE, .out = OUT_ACK, .state = HF_SYN_RECEIVED),
	CELL("S-SYN_RCVD/a-synack", .in = RIG_SYN_RCVD_A, .flags = SYNACK, .seq_from = FROM_IRS,
	     .ack_from = FROM_SN, .out = OUT_ACK, .su_by = 1, .state = HF_ESTABLISHED,
	     .events = HF_EV_CONNECTED, .rises = "active_established"),
	CELL("S-SYN_RCVD/a-synack-old-ack", .in = RIG_SYN_RCVD_A, .flags = SYNACK,
	     .seq_from = FROM_IRS, .ack_from = FROM_SU, .out = OUT_ACK, .state = HF_SYN_RECEIVED),
	CELL("S-SYN_RCVD/a-synack-ahead-ack", .in = RIG_SYN_RCVD_A, .flags = SYNACK,
	     .seq_from = FROM_IRS, .ack_from = FROM_SN, .ack = 1, .out = OUT_ACK,
	     .state = HF_SYN_RECEIVED),
	CELL("S-SYN_RCVD/a-synack-inwindow", .in = RIG_SYN_RCVD_A, .flags = SYNACK,
	     .ack_from = FROM_SN, .out = OUT_ACK, .state = HF_SYN_RECEIVED),
	CELL("S-SYN_RCVD/a-synack-outside", .in = RIG_SYN_RCVD_A, .flags = SYNACK,
	     .seq_from = FROM_EDGE, .ack_from = FROM_SN, .out = OUT_ACK, .state = HF_SYN_RECEIVED),
	CELL("S-SYN_RCVD/a-syn-fin", .in = RIG_SYN_RCVD_A, .flags = SEG_SYN | SEG_FIN,
	     .out = OUT_ACK, .state = HF_SYN_RECEIVED),
	NONE("SYN_RCVD/a", .in = RIG_SYN_RCVD_A, .state = HF_SYN_RECEIVED),

	SYNCHRONISED("ESTABLISHED", .in = RIG_ESTABLISHED, .state = HF_ESTABLISHED),
	SYNCHRONISED("FIN_WAIT_1", .in = RIG_FIN_WAIT_1, .state = HF_FIN_WAIT_1, .hold = true),
	SYNCHRONISED("FIN_WAIT_1-closed", .in = RIG_FIN_WAIT_1, .state = HF_FIN_WAIT_1),
	SYNCHRONISED("FIN_WAIT_2", .in = RIG_FIN_WAIT_2, .state = HF_FIN_WAIT_2, .hold = true),
	SYNCHRONISED("FIN_WAIT_2-closed", .in = RIG_FIN_WAIT_2, .state = HF_FIN_WAIT_2),
	SYNCHRONISED("CLOSE_WAIT", .in = RIG_CLOSE_WAIT, .state = HF_CLOSE_WAIT),
	SYNCHRONISED("CLOSING", .in = RIG_CLOSING, .state = HF_CLOSING),
	SYNCHRONISED("LAST_ACK", .in = RIG_LAST_ACK, .state = HF_LAST_ACK),

	/* SYNs of the next incarnation: above RN-1 they open, else their timestamps must be newer. */
	TIME_WAIT_SYN("new", set_passive, 0, .out = OUT_NEW_SA, .state = HF_SYN_RECEIVED,
		      .rises = "tw_reused_passive"),
	TIME_WAIT_SYN("new-far", set_passive, 0, .seq_from = FROM_EDGE, .seq = 70000,
		      .out = OUT_NEW_SA, .state = HF_SYN_RECEIVED),
	TIME_WAIT_SYN("old", set_passive, ROW_PLAIN, .seq = -1, .out = OUT_ACK,
		      .state = HF_TIME_WAIT, .rises = "tw_refused_seq"),
	TIME_WAIT_SYN("old-newer-ts", set_passive, ROW_TS, .after_us = MS(2), .seq = -1,
		      .out = OUT_NEW_SA, .state = HF_SYN_RECEIVED),
	TIME_WAIT_SYN("old-same-ts", set_passive, ROW_TS, .seq = -1, .out = OUT_ACK,
		      .state = HF_TIME_WAIT),
	TIME_WAIT_SYN("no-listener", set_active, 0, .out = OUT_ACK, .state = HF_TIME_WAIT),
	CELL("S-TIME_WAIT-synack", .in = RIG_TIME_WAIT, .flags = SYNACK, .ack_from = FROM_SN,
	     .out = OUT_ACK, .state = HF_TIME_WAIT),
	CELL("S-TIME_WAIT-synack-again", .in = RIG_TIME_WAIT, .flags = SYNACK, .seq_from = FROM_IRS,
	     .ack_from = FROM_SN, .out = OUT_ACK, .state = HF_TIME_WAIT),
	CELL("S-TIME_WAIT-synack-outside", .in = RIG_TIME_WAIT, .flags = SYNACK,
	     .seq_from = FROM_EDGE, .ack_from = FROM_SN, .out = OUT_ACK, .state = HF_TIME_WAIT),
	CELL("S-TIME_WAIT-syn-fin", .in = RIG_TIME_WAIT, .flags = SEG_SYN | SEG_FIN, .out = OUT_ACK,
	     .state = HF_TIME_WAIT),
	NONE("TIME_WAIT", .in = RIG_TIME_WAIT, .state = HF_TIME_WAIT),
};

int main(int argc, char **argv)
{
	return rig_run("Table S", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

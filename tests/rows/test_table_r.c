/* SPDX-License-Identifier: BSD-3-Clause */
/* Table R of REQUIREMENTS 6: RST (RFC 5961 3.2). Names: SE-R-<state>-<column>[-<case>], the columns
 * being exact, inwindow and outside. */
#include <errno.h>

#include "rig/cell.h"

/* In the window but not at RN: a challenge ACK. Outside: nothing. */
#define CHALLENGED(id, ...)                                                                        \
	CELL("R-" id "-inwindow", .flags = SEG_RST, .seq = 1, .out = OUT_ACK,                      \
	     .rises = "rst_challenged", __VA_ARGS__),                                              \
		CELL("R-" id "-inwindow-last", .flags = SEG_RST, .seq_from = FROM_EDGE, .seq = -1, \
		     .out = OUT_ACK, .rises = "challenge_sent", __VA_ARGS__),                      \
		CELL("R-" id "-inwindow-ack", .flags = SEG_RST | SEG_ACK, .seq = 100,              \
		     .ack_from = FROM_SN, .out = OUT_ACK, __VA_ARGS__),                            \
		CELL("R-" id "-inwindow-text", .flags = SEG_RST, .seq = 1, .text_len = 20,         \
		     .out = OUT_ACK, __VA_ARGS__),                                                 \
		CELL("R-" id "-outside", .flags = SEG_RST, .seq = -1, .rises = "rst_ignored",      \
		     __VA_ARGS__),                                                                 \
		CELL("R-" id "-outside-after", .flags = SEG_RST, .seq_from = FROM_EDGE,            \
		     .rises = "rst_ignored", __VA_ARGS__),                                         \
		CELL("R-" id "-outside-far", .flags = SEG_RST, .seq = INT32_MIN, __VA_ARGS__)

/* At RN: believed, whatever its ACK field, and with text too (SHLD-2). */
#define BELIEVED(id, ...)                                                                         \
	CELL("R-" id "-exact", .flags = SEG_RST, .state = HF_CLOSED, .rises = "rst_ok",           \
	     __VA_ARGS__),                                                                        \
		CELL("R-" id "-exact-ack", .flags = SEG_RST | SEG_ACK, .ack_from = FROM_SN,       \
		     .ack = 1000, .state = HF_CLOSED, __VA_ARGS__),                               \
		CELL("R-" id "-exact-text", .flags = SEG_RST, .text_len = 20, .state = HF_CLOSED, \
		     __VA_ARGS__),                                                                \
		CELL("R-" id "-exact-fin-syn", .flags = SEG_RST | SEG_FIN | SEG_SYN | SEG_PSH,    \
		     .state = HF_CLOSED, __VA_ARGS__)

#define RESET .events = HF_EV_CLOSED, .error = ECONNRESET

#define IGNORED(id, ...)                                                                           \
	CELL("R-" id "-exact", .flags = SEG_RST, __VA_ARGS__),                                     \
		CELL("R-" id "-exact-ack", .flags = SEG_RST | SEG_ACK, .ack_from = FROM_SN,        \
		     __VA_ARGS__),                                                                 \
		CELL("R-" id "-exact-syn", .flags = SEG_RST | SEG_SYN, __VA_ARGS__),               \
		CELL("R-" id "-inwindow", .flags = SEG_RST, .seq = 1, __VA_ARGS__),                \
		CELL("R-" id "-inwindow-last", .flags = SEG_RST, .seq_from = FROM_EDGE, .seq = -1, \
		     __VA_ARGS__),                                                                 \
		CELL("R-" id "-outside", .flags = SEG_RST, .seq = -1, __VA_ARGS__),                \
		CELL("R-" id "-outside-after", .flags = SEG_RST, .seq_from = FROM_EDGE, __VA_ARGS__)

/* SYN-SENT: SEQ does not matter, ISS < ACK <= SND.NXT does. */
#define SYN_SENT(id, from, by)                                                                    \
	CELL("R-SYN_SENT-" id, .in = RIG_SYN_SENT, .flags = SEG_RST | SEG_ACK,                    \
	     .ack_from = FROM_SN, .seq_from = from, .seq = by, .state = HF_CLOSED,                \
	     .events = HF_EV_CLOSED, .error = ECONNREFUSED, .rises = "failed_refused"),           \
		CELL("R-SYN_SENT-" id "-no-ack", .in = RIG_SYN_SENT, .flags = SEG_RST,            \
		     .seq_from = from, .seq = by, .state = HF_SYN_SENT),                          \
		CELL("R-SYN_SENT-" id "-old-ack", .in = RIG_SYN_SENT, .flags = SEG_RST | SEG_ACK, \
		     .ack_from = FROM_SU, .seq_from = from, .seq = by, .state = HF_SYN_SENT),     \
		CELL("R-SYN_SENT-" id "-ahead-ack", .in = RIG_SYN_SENT,                           \
		     .flags = SEG_RST | SEG_ACK, .ack_from = FROM_SN, .ack = 1, .seq_from = from, \
		     .seq = by, .state = HF_SYN_SENT)

static void set_no_rfc1337(struct rig *r)
{
	r->config.tcp.rfc1337 = false;
}

#define TIME_WAIT_0(id, ...)                                                              \
	{                                                                                 \
		.name = "SE-R-TIME_WAIT-" id, .test = cell_run, .set_up = set_no_rfc1337, \
		.arg = &(const struct cell)                                               \
		{                                                                         \
			.in = RIG_TIME_WAIT, .flags = SEG_RST, __VA_ARGS__                \
		}                                                                         \
	}

/* RFC 5961 3.2: a peer that is truly gone answers the challenge ACK with an RST at RN. */
static void established__challenged_peer_is_gone__resets(struct rig *r)
{
	const struct frame *challenge;

	rig_to(r, RIG_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = r->rn + 10, .flags = SEG_RST });
	challenge = rig_expect_ack(r);
	rig_send(r, (struct seg){ .seq = challenge->seg.ack, .flags = SEG_RST });
	rig_event_closed(r, ECONNRESET);
	rig_expect_silence(r, SEC(5));
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_counter(r, "lost_reset"), 1);
}

/* MUST-12: text that waits goes with the connection; the application reads a reset, not an end of file. */
static void with_text_unread__rst__reset_not_eof(struct rig *r)
{
	uint8_t text[16];

	rig_to(r, RIG_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .text_len = 10 });
	r->rn += 10;
	rig_event(r, HF_EV_READABLE);
	rig_advance(r, MS(100));
	rig_discard(r);
	rig_send(r, (struct seg){ .seq = r->rn, .flags = SEG_RST });
	rig_event_closed(r, ECONNRESET);
	assert_int_equal(hf_recv(r->w, r->id, text, sizeof(text)), -EBADF);
	rig_expect_silence(r, MS(100));
	assert_int_equal(rig_levels(r).ranges.used, 0);
}

/* RFC 9293 3.10.7.4: a reset half-open of a listener is forgotten, and its listener takes the next SYN. */
static void syn_rcvd_p__rst__listener_takes_next(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_P);
	rig_send(r, (struct seg){ .seq = r->rn, .flags = SEG_RST });
	rig_expect_silence(r, SEC(3));
	rig_no_event(r);
	assert_int_equal(rig_levels(r).requests.used, 0);
	assert_int_equal(rig_counter(r, "request_reset"), 1);
	rig_open_passive(r);
}

static const struct row rows[] = {
	IGNORED("CLOSED", .in = RIG_CLOSED, .state = HF_CLOSED),
	IGNORED("LISTEN", .in = RIG_LISTEN, .state = HF_CLOSED),
	SYN_SENT("exact", FROM_RN, 0),
	SYN_SENT("inwindow", FROM_RN, 77),
	SYN_SENT("outside", FROM_RN, INT32_MIN),
	CELL("R-SYN_SENT-exact-text", .in = RIG_SYN_SENT, .flags = SEG_RST | SEG_ACK,
	     .ack_from = FROM_SN, .text_len = 20, .state = HF_CLOSED, .events = HF_EV_CLOSED,
	     .error = ECONNREFUSED),

	BELIEVED("SYN_RCVD/p", .in = RIG_SYN_RCVD_P),
	{ .name = "SE-R-SYN_RCVD/p-exact-next", .test = syn_rcvd_p__rst__listener_takes_next },
	CHALLENGED("SYN_RCVD/p", .in = RIG_SYN_RCVD_P, .state = HF_SYN_RECEIVED),
	BELIEVED("SYN_RCVD/a", .in = RIG_SYN_RCVD_A, .events = HF_EV_CLOSED, .error = ECONNREFUSED),
	CHALLENGED("SYN_RCVD/a", .in = RIG_SYN_RCVD_A, .state = HF_SYN_RECEIVED),

	BELIEVED("ESTABLISHED", .in = RIG_ESTABLISHED, RESET),
	CHALLENGED("ESTABLISHED", .in = RIG_ESTABLISHED, .state = HF_ESTABLISHED),
	BELIEVED("ESTABLISHED-unacked", .in = RIG_ESTABLISHED, .unacked = 10, RESET),
	BELIEVED("FIN_WAIT_1", .in = RIG_FIN_WAIT_1, .hold = true, RESET),
	CHALLENGED("FIN_WAIT_1", .in = RIG_FIN_WAIT_1, .hold = true, .state = HF_FIN_WAIT_1),
	BELIEVED("FIN_WAIT_1-closed", .in = RIG_FIN_WAIT_1, .unacked = 10, RESET),
	CHALLENGED("FIN_WAIT_1-closed", .in = RIG_FIN_WAIT_1, .state = HF_FIN_WAIT_1),
	BELIEVED("FIN_WAIT_2", .in = RIG_FIN_WAIT_2, .hold = true, RESET),
	CHALLENGED("FIN_WAIT_2", .in = RIG_FIN_WAIT_2, .hold = true, .state = HF_FIN_WAIT_2),
	BELIEVED("FIN_WAIT_2-closed", .in = RIG_FIN_WAIT_2, .any_event = true),
	CHALLENGED("FIN_WAIT_2-closed", .in = RIG_FIN_WAIT_2, .state = HF_FIN_WAIT_2),
	BELIEVED("CLOSE_WAIT", .in = RIG_CLOSE_WAIT, .unacked = 10, RESET),
	CHALLENGED("CLOSE_WAIT", .in = RIG_CLOSE_WAIT, .state = HF_CLOSE_WAIT),
	BELIEVED("CLOSING", .in = RIG_CLOSING, .hold = true, RESET),
	CHALLENGED("CLOSING", .in = RIG_CLOSING, .hold = true, .state = HF_CLOSING),
	BELIEVED("CLOSING-closed", .in = RIG_CLOSING, RESET),
	BELIEVED("LAST_ACK", .in = RIG_LAST_ACK, .hold = true, RESET),
	CHALLENGED("LAST_ACK", .in = RIG_LAST_ACK, .hold = true, .state = HF_LAST_ACK),
	BELIEVED("LAST_ACK-closed", .in = RIG_LAST_ACK, RESET),

	IGNORED("TIME_WAIT", .in = RIG_TIME_WAIT, .state = HF_TIME_WAIT),
	TIME_WAIT_0("exact-rfc1337=0", .state = HF_CLOSED, .rises = "tw_reset"),
	TIME_WAIT_0("inwindow-rfc1337=0", .seq = 1, .out = OUT_ACK, .state = HF_TIME_WAIT),
	TIME_WAIT_0("inwindow-last-rfc1337=0", .seq_from = FROM_EDGE, .seq = -1, .out = OUT_ACK,
		    .state = HF_TIME_WAIT),
	TIME_WAIT_0("outside-rfc1337=0", .seq = -1, .state = HF_TIME_WAIT),
	TIME_WAIT_0("outside-after-rfc1337=0", .seq_from = FROM_EDGE, .state = HF_TIME_WAIT),

	{ .name = "RFC5961-3.2-heal", .test = established__challenged_peer_is_gone__resets },
	{ .name = "MUST-12", .test = with_text_unread__rst__reset_not_eof },
};

int main(int argc, char **argv)
{
	return rig_run("Table R", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The application's calls in every state (RFC 9293 3.10.1 to .5; Table U). */
#include <errno.h>

#include "test_tcp.h"

#define FIN_ACK (SEG_FIN | SEG_ACK)
#define RST_ACK (SEG_RST | SEG_ACK)

enum sends { NOTHING, FIN, RESET };

struct cell {
	enum tcp_state state, after;
	int result;
	enum sends sends;
};

static uint32_t snd_nxt(enum tcp_state state)
{
	return state == TCPS_FIN_WAIT_1 || state == TCPS_FIN_WAIT_2 || state == TCPS_CLOSING ||
			       state == TCPS_LAST_ACK ?
		       2 :
		       1;
}

static void expect_sends(struct tcb_rig *r, const struct cell *cell)
{
	const bool after_fin = cell->state == TCPS_CLOSE_WAIT || cell->state == TCPS_CLOSING ||
			       cell->state == TCPS_LAST_ACK;
	const uint32_t rcv_nxt = IRS + (after_fin ? 2 : 1);

	if (cell->sends != NOTHING)
		rig_expect(r, (struct seg){ .seq = ISS + snd_nxt(cell->state),
					    .ack = rcv_nxt,
					    .flags = cell->sends == FIN ? FIN_ACK : RST_ACK });
	rig_silent(r);
	rig_state(r, cell->after);
}

/* The application still holds the connection in each of these. */
static void to_cell(struct tcb_rig *r, const struct cell *cell)
{
	r->hold = r->active = true;
	rig_to(r, cell->state);
}

static void shutdown__in_every_state(struct tcb_rig *r)
{
	static const struct cell cells[] = {
		{ TCPS_SYN_SENT, TCPS_SYN_SENT, 0, NOTHING },
		{ TCPS_SYN_RECEIVED, TCPS_FIN_WAIT_1, 0, FIN },
		{ TCPS_ESTABLISHED, TCPS_FIN_WAIT_1, 0, FIN },
		{ TCPS_FIN_WAIT_1, TCPS_FIN_WAIT_1, -EPIPE, NOTHING },
		{ TCPS_FIN_WAIT_2, TCPS_FIN_WAIT_2, -EPIPE, NOTHING },
		{ TCPS_CLOSE_WAIT, TCPS_LAST_ACK, 0, FIN },
		{ TCPS_CLOSING, TCPS_CLOSING, -EPIPE, NOTHING },
		{ TCPS_LAST_ACK, TCPS_LAST_ACK, -EPIPE, NOTHING },
	};

	for (size_t i = 0; i < COUNT(cells); i++) {
		to_cell(r, &cells[i]);
		assert_int_equal(rig_shutdown(r), cells[i].result);
		expect_sends(r, &cells[i]);
		assert_int_equal(rig_shutdown(r), -EPIPE);
		assert_int_equal(tcp_room(&r->host, &r->tcb), -EPIPE);
		rig_silent(r);
		rig_abort(r);
	}
}

static void close__in_every_state(struct tcb_rig *r)
{
	static const struct cell cells[] = {
		{ TCPS_SYN_SENT, TCPS_CLOSED, 0, NOTHING },
		{ TCPS_SYN_RECEIVED, TCPS_FIN_WAIT_1, 0, FIN },
		{ TCPS_ESTABLISHED, TCPS_FIN_WAIT_1, 0, FIN },
		{ TCPS_FIN_WAIT_1, TCPS_FIN_WAIT_1, 0, NOTHING },
		{ TCPS_FIN_WAIT_2, TCPS_FIN_WAIT_2, 0, NOTHING },
		{ TCPS_CLOSE_WAIT, TCPS_LAST_ACK, 0, FIN },
		{ TCPS_CLOSING, TCPS_CLOSING, 0, NOTHING },
		{ TCPS_LAST_ACK, TCPS_LAST_ACK, 0, NOTHING },
	};

	for (size_t i = 0; i < COUNT(cells); i++) {
		to_cell(r, &cells[i]);
		assert_int_equal(rig_close(r), cells[i].result);
		expect_sends(r, &cells[i]);
		if (cells[i].after == TCPS_CLOSED) {
			assert_int_equal(r->error, ECONNABORTED);
			continue;
		}
		assert_true(r->tcb.flags & TCB_ORPHAN);
		assert_int_equal(rig_close(r), -EALREADY);
		rig_silent(r);
		rig_state(r, cells[i].after);
	}
}

static void abort__in_every_state(struct tcb_rig *r)
{
	static const struct cell cells[] = {
		{ TCPS_SYN_SENT, TCPS_CLOSED, 0, NOTHING },
		{ TCPS_SYN_RECEIVED, TCPS_CLOSED, 0, RESET },
		{ TCPS_ESTABLISHED, TCPS_CLOSED, 0, RESET },
		{ TCPS_FIN_WAIT_1, TCPS_CLOSED, 0, RESET },
		{ TCPS_FIN_WAIT_2, TCPS_CLOSED, 0, RESET },
		{ TCPS_CLOSE_WAIT, TCPS_CLOSED, 0, RESET },
		{ TCPS_CLOSING, TCPS_CLOSED, 0, NOTHING },
		{ TCPS_LAST_ACK, TCPS_CLOSED, 0, NOTHING },
	};

	for (size_t i = 0; i < COUNT(cells); i++) {
		to_cell(r, &cells[i]);
		rig_abort(r);
		expect_sends(r, &cells[i]);
		assert_int_equal(r->error, ECONNABORTED);
		rig_counted(r, STAT_RST_OUT_ABORT, cells[i].sends == RESET);
	}
}

/* SHLD-3: the peer learns that its text was not read. */
static void close__with_unread_text__resets(struct tcb_rig *r)
{
	static const enum tcp_state states[] = { TCPS_ESTABLISHED, TCPS_FIN_WAIT_1, TCPS_FIN_WAIT_2 };

	for (size_t i = 0; i < COUNT(states) + 1; i++) {
		uint32_t seq;

		r->hold = true;
		rig_to(r, i < COUNT(states) ? states[i] : TCPS_ESTABLISHED);
		rig_send(r, (struct seg){ .seq = IRS + 1,
					  .ack = r->tcb.snd_una,
					  .text_len = 5,
					  .flags = i < COUNT(states) ? SEG_ACK : FIN_ACK });
		rig_advance(r, MS(50));
		seq = r->tcb.snd_nxt;
		rig_forget(r);
		assert_int_equal(rig_close(r), 0);
		rig_state(r, TCPS_CLOSED);
		rig_expect(r, (struct seg){ .seq = seq,
					    .ack = IRS + (i < COUNT(states) ? 6 : 7),
					    .flags = RST_ACK });
		rig_silent(r);
		assert_int_equal(r->error, ECONNABORTED);
		rig_counted(r, STAT_RST_OUT_UNREAD, 1);
	}
}

static void close__with_all_read__is_orderly(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .text_len = 5, .flags = SEG_ACK });
	rig_read(r, 5);
	assert_int_equal(rig_close(r), 0);
	rig_state(r, TCPS_FIN_WAIT_1);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 6, .flags = FIN_ACK });
}

static void shutdown__in_syn_sent__waits_for_the_handshake(struct tcb_rig *r)
{
	rig_to(r, TCPS_SYN_SENT);
	rig_write(r, 3);
	assert_int_equal(rig_shutdown(r), 0);
	rig_send(r, (struct seg){ .seq = IRS,
				  .ack = ISS + 1,
				  .flags = SEG_SYN | SEG_ACK,
				  .options = OPT_MSS,
				  .mss = MSS });
	rig_state(r, TCPS_FIN_WAIT_1);
	assert_int_equal(r->events, TCP_EV_CONNECTED);
	rig_expect(r, (struct seg){ .seq = ISS + 1,
				    .ack = IRS + 1,
				    .text_len = 3,
				    .flags = FIN_ACK | SEG_PSH });
	rig_silent(r);
}

static void shutdown__in_syn_sent__then_simultaneous_open(struct tcb_rig *r)
{
	rig_to(r, TCPS_SYN_SENT);
	assert_int_equal(rig_shutdown(r), 0);
	rig_send(r, (struct seg){ .seq = IRS, .flags = SEG_SYN });
	rig_state(r, TCPS_SYN_RECEIVED);
	rig_expect(r, (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SEG_SYN | SEG_ACK });
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK });
	rig_state(r, TCPS_FIN_WAIT_1);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 1, .flags = FIN_ACK });
}

static void open__call__fills_a_fresh_tcb(struct tcb_rig *r)
{
	r->config->mss[1] = 940;
	tcp_open(&r->host, &r->tcb, 6, ISS, 77);
	rig_state(r, TCPS_SYN_SENT);
	assert_int_equal(r->tcb.version, 6);
	assert_int_equal(r->tcb.snd_mss, 940);
	assert_int_equal(r->tcb.ts_offset, 77);
	assert_int_equal(r->tcb.sndq_head, RANGE_NONE);
	assert_true(tcp_owes(&r->host, &r->tcb));
	assert_int_equal(r->host.levels[TCPS_SYN_SENT].now, 1);
}

static void room__is_what_the_buffer_has_left(struct tcb_rig *r)
{
	r->config->snd_buf = 100;
	rig_to(r, TCPS_SYN_SENT);
	assert_int_equal(tcp_room(&r->host, &r->tcb), 100);
	rig_write(r, 60);
	assert_int_equal(tcp_room(&r->host, &r->tcb), 40);
	r->config->snd_buf = 50; /* a knob turned down */
	assert_int_equal(tcp_room(&r->host, &r->tcb), 0);
}

/* A window update is of no use before the handshake ends. */
static void taken__says_so_only_when_established(struct tcb_rig *r)
{
	r->active = true;
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_read(r, 0);
	rig_silent(r);
}

static const struct tcb_row rows[] = {
	{ "SE-U-shutdown", shutdown__in_every_state, 0 },
	{ "SE-U-close", close__in_every_state, 0 },
	{ "SE-U-abort", abort__in_every_state, 0 },
	{ "SHLD-3-unread", close__with_unread_text__resets, 0 },
	{ "HF-CL1", close__with_all_read__is_orderly, 0 },
	{ "SE-U-SYN_SENT-shutdown", shutdown__in_syn_sent__waits_for_the_handshake, 0 },
	{ "SE-U-SYN_SENT-shutdown-simultaneous", shutdown__in_syn_sent__then_simultaneous_open, 0 },
	{ "RFC9293-3.10.1", open__call__fills_a_fresh_tcb, ROW_ONCE },
	{ "HF-L10", room__is_what_the_buffer_has_left, 0 },
	{ "RFC9293-3.10.3", taken__says_so_only_when_established, 0 },
};
GROUP(user);

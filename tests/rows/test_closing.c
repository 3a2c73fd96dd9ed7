/* SPDX-License-Identifier: BSD-3-Clause */
/* REQUIREMENTS 8: closing, from either side and from both at once, half-close, orphans and the small
 * record of FIN-WAIT-2 (RFC 9293 3.6, 3.10.4, 3.10.7.4; RFC 5961). */
#include <errno.h>

#include "rig/rig.h"

#define FINACK (SEG_FIN | SEG_ACK)

static void set_passive(struct rig *r)
{
	r->active = false;
}

static void set_active(struct rig *r)
{
	r->active = true;
}

/* The peer's next segment in order, acknowledging all of ours. */
static struct seg from_peer(const struct rig *r, unsigned flags, uint16_t len)
{
	return (struct seg){
		.seq = r->rn, .ack = r->sn, .flags = (uint8_t)(flags | SEG_ACK), .text_len = len
	};
}

/* The peer's FIN, sent before it saw ours. */
static struct seg crossing_fin(const struct rig *r)
{
	struct seg fin = from_peer(r, SEG_FIN, 0);

	fin.ack = r->su;
	return fin;
}

static void peer_sends(struct rig *r, unsigned flags, uint16_t len)
{
	const struct seg seg = from_peer(r, flags, len);

	r->rn += rig_len(seg);
	r->su = r->sn;
	rig_send(r, seg);
}

/* Ours, of that length, in order. */
static void expect_ours(struct rig *r, unsigned flags, uint16_t len)
{
	struct seg seg = rig_ack(r);

	seg.flags |= (uint8_t)flags;
	seg.text_len = len;
	rig_expect(r, seg);
	r->sn += rig_len(seg);
}

static void expect_levels(struct rig *r, uint32_t connections, uint32_t buckets)
{
	const struct hf_levels levels = rig_levels(r);

	rig_turn(r); /* what ended is told, and its place is free */
	assert_int_equal(rig_levels(r).connections.used, connections);
	assert_int_equal(levels.buckets.used, buckets);
}

/* ---- HF-CL1 --------------------------------------------------------------------------------- */

/* RFC 9293 figure 12, our side first. */
static void we_close_first__four_segments__time_wait(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_close(r->w, r->id), 0);
	expect_ours(r, SEG_FIN, 0);
	rig_expect_state(r, HF_FIN_WAIT_1);
	peer_sends(r, 0, 0);
	rig_expect_silence(r, 0);
	rig_expect_state(r, HF_FIN_WAIT_2);
	rig_event_closed(r, 0);
	peer_sends(r, SEG_FIN, 0);
	rig_expect_ack(r);
	rig_expect_state(r, HF_TIME_WAIT);
	rig_no_event(r);
	rig_expect_silence(r, SEC(61));
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_counter(r, "closed"), 1);
	expect_levels(r, 0, 0);
}

static void peer_closes_first__four_segments__closed(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	peer_sends(r, SEG_FIN, 0);
	rig_event(r, HF_EV_EOF);
	rig_expect_ack(r);
	rig_expect_state(r, HF_CLOSE_WAIT);
	assert_int_equal(hf_close(r->w, r->id), 0);
	expect_ours(r, SEG_FIN, 0);
	rig_expect_state(r, HF_LAST_ACK);
	peer_sends(r, 0, 0);
	rig_expect_silence(r, SEC(2));
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_counter(r, "closed"), 1);
	expect_levels(r, 0, 0);
}

/* DESIGN 1: request, response and FIN, FIN: with the handshake six segments. */
static void server_closes_first__six_segments(struct rig *r)
{
	rig_to(r, RIG_SYN_RCVD_P);
	peer_sends(r, SEG_PSH, 10);
	rig_event(r, HF_EV_ACCEPT | HF_EV_READABLE);
	rig_accept(r);
	rig_read(r, 10);
	rig_write(r, 20);
	assert_int_equal(hf_close(r->w, r->id), 0);
	expect_ours(r, SEG_FIN, 20);
	peer_sends(r, SEG_FIN, 0);
	rig_expect_ack(r);
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_TIME_WAIT);
	rig_expect_silence(r, SEC(1));
	assert_int_equal(rig_counter(r, "tx_frames"), 3);
}

/* The client's side of the same. */
static void client_answers_fin__six_segments(struct rig *r)
{
	rig_open_active(r);
	rig_write(r, 10);
	rig_flush(r);
	expect_ours(r, 0, 10);
	peer_sends(r, SEG_FIN, 20);
	rig_event(r, HF_EV_READABLE | HF_EV_EOF);
	rig_read(r, 20);
	assert_int_equal(hf_close(r->w, r->id), 0);
	expect_ours(r, SEG_FIN, 0); /* with it the ACK of the peer's */
	peer_sends(r, 0, 0);
	rig_expect_silence(r, SEC(1));
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_counter(r, "tx_frames"), 4);
}

/* FINs with text, both ways, and the application reads to the end. */
static void fins_with_text__all_delivered(struct rig *r)
{
	uint8_t octet;

	rig_to(r, RIG_ESTABLISHED);
	rig_write(r, 30);
	assert_int_equal(hf_shutdown(r->w, r->id), 0);
	expect_ours(r, SEG_FIN, 30);
	peer_sends(r, SEG_FIN, 40);
	rig_event(r, HF_EV_READABLE | HF_EV_EOF);
	rig_expect_ack(r);
	rig_expect_state(r, HF_TIME_WAIT);
	rig_read(r, 40);
	assert_int_equal(hf_recv(r->w, r->id, &octet, 1), 0);
	assert_int_equal(hf_close(r->w, r->id), 0);
	rig_turn(r);
	rig_event_closed(r, 0);
	expect_levels(r, 0, 1);
}

/* ---- HF-CL2 --------------------------------------------------------------------------------- */

/* RFC 9293 figure 13. */
static void both_close__fins_cross__time_wait(struct rig *r)
{
	rig_to(r, RIG_FIN_WAIT_1);
	rig_send(r, crossing_fin(r));
	r->rn++;
	rig_expect_ack(r);
	rig_expect_state(r, HF_CLOSING);
	rig_no_event(r);
	peer_sends(r, 0, 0);
	rig_expect_silence(r, 0);
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_TIME_WAIT);
	rig_expect_silence(r, SEC(61));
	rig_expect_state(r, HF_CLOSED);
}

/* The peer's FIN, and its ACK of ours right behind it: the FIN is acknowledged before there is but a record left. */
static void both_close__fin_and_ack_in_one_burst__acked(struct rig *r)
{
	rig_to(r, RIG_FIN_WAIT_1);
	rig_push(r, crossing_fin(r));
	r->rn++;
	rig_push(r, from_peer(r, 0, 0));
	rig_expect_ack(r);
	rig_expect_silence(r, 0);
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_TIME_WAIT);
}

/* Our FIN is lost, with the text before it: CLOSING repeats it. */
static void both_close__ours_lost__repeated(struct rig *r)
{
	r->unacked = 10;
	rig_to(r, RIG_CLOSING);
	rig_expect_silence(r, MS(200) - 1);
	rig_advance(r, 1);
	r->sn = r->su;
	expect_ours(r, SEG_FIN, 10);
	peer_sends(r, 0, 0);
	rig_expect_silence(r, 0);
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_TIME_WAIT);
}

/* Our ACK of the peer's FIN is lost: the peer repeats its FIN, at last with the ACK of ours in it. */
static void both_close__acks_lost__fin_again_ends(struct rig *r)
{
	struct seg fin;

	rig_to(r, RIG_CLOSING);
	fin = (struct seg){ .seq = r->rn - 1, .ack = r->su, .flags = FINACK };
	rig_send(r, fin);
	rig_expect_ack(r);
	rig_expect_state(r, HF_CLOSING);
	fin.ack = r->sn;
	rig_send(r, fin);
	rig_expect_ack(r);
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_TIME_WAIT);
}

/* The peer's FIN carries the ACK of ours. */
static void both_close__fin_with_ack__time_wait_at_once(struct rig *r)
{
	rig_to(r, RIG_FIN_WAIT_1);
	peer_sends(r, SEG_FIN, 0);
	rig_expect_ack(r);
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_TIME_WAIT);
	rig_expect_silence(r, SEC(59));
	rig_expect_state(r, HF_TIME_WAIT);
}

/* The peer's ACK of our FIN overtakes its FIN, which was sent before. */
static void both_close__ack_overtakes_fin__time_wait(struct rig *r)
{
	struct seg fin;

	rig_to(r, RIG_FIN_WAIT_1);
	fin = crossing_fin(r);
	rig_send(r, (struct seg){ .seq = r->rn + 1, .ack = r->sn, .flags = SEG_ACK });
	rig_expect_silence(r, 0);
	rig_expect_state(r, HF_FIN_WAIT_2);
	rig_forget_events(r);
	rig_send(r, fin);
	r->rn++;
	rig_expect_ack(r);
	rig_expect_state(r, HF_TIME_WAIT);
}

/* ---- HF-CL3 --------------------------------------------------------------------------------- */

#define HALF_OCTETS (10u << 20)

static void shutdown__peer_sends_for_two_hours__all_delivered(struct rig *r)
{
	const uint16_t len = 1400;
	const unsigned segs = (r->row->variants ? HALF_OCTETS : 1u << 18) / len;

	r->hold = true;
	rig_to(r, RIG_FIN_WAIT_2);
	for (unsigned i = 0; i < segs; i++) {
		rig_advance(r, SEC(7200) / segs);
		peer_sends(r, 0, len);
		rig_event(r, HF_EV_READABLE);
		rig_read(r, len);
		rig_discard(r);
	}
	rig_advance(r, SEC(1));
	rig_discard(r);
	rig_expect_state(r, HF_FIN_WAIT_2);
	assert_int_equal(rig_counter(r, "text_in"), segs * len);
	peer_sends(r, SEG_FIN, 0);
	rig_event(r, HF_EV_EOF);
	rig_expect_ack(r);
	rig_expect_state(r, HF_TIME_WAIT);
	assert_int_equal(rig_counter(r, "retransmit_fin"), 0);
}

/* ---- MAY-1, SHLD-3, MUST-12, SHLD-2 ----------------------------------------------------------- */

static void close__unread__rst_not_fin(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	peer_sends(r, 0, 10);
	rig_event(r, HF_EV_READABLE);
	assert_int_equal(hf_close(r->w, r->id), 0);
	rig_expect_rs(r);
	rig_expect_silence(r, SEC(1));
	rig_event_closed(r, ECONNABORTED);
	assert_int_equal(rig_counter(r, "rst_out_unread"), 1);
	assert_int_equal(rig_counter(r, "fin_out"), 0);
	assert_int_equal(rig_counter(r, "lost_aborted"), 1);
	expect_levels(r, 0, 0);
}

/* All read: nothing is lost, and the close is an orderly one. */
static void close__all_read__fin(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	peer_sends(r, 0, 10);
	rig_event(r, HF_EV_READABLE);
	rig_read(r, 10);
	assert_int_equal(hf_close(r->w, r->id), 0);
	expect_ours(r, SEG_FIN, 0);
	rig_expect_state(r, HF_FIN_WAIT_1);
}

/* Text after a full CLOSE, in FIN-WAIT-1 and FIN-WAIT-2. */
static void closed__text_comes__rst_counted(struct rig *r)
{
	static const enum rig_state states[] = { RIG_FIN_WAIT_1, RIG_FIN_WAIT_2 };

	for (unsigned i = 0; i < 2; i++) {
		rig_another(r);
		rig_to(r, states[i]);
		rig_send(r, (struct seg){
				    .seq = r->rn, .ack = r->su, .flags = SEG_ACK, .text_len = 10 });
		rig_expect_rs(r);
		rig_expect_silence(r, SEC(1));
		rig_forget_events(r);
		rig_expect_state(r, HF_CLOSED);
		assert_int_equal(rig_counter(r, "abort_on_data"), i + 1);
		assert_int_equal(rig_counter(r, "lost_aborted"), i + 1);
		expect_levels(r, 0, 0);
	}
}

/* The peer's abort is no end of file, be there one before it or not. */
static void rst__after_fin__reset_told(struct rig *r)
{
	uint8_t octet;

	rig_to(r, RIG_CLOSE_WAIT);
	assert_int_equal(hf_recv(r->w, r->id, &octet, 1), 0);
	rig_send(r, (struct seg){ .seq = r->rn, .flags = SEG_RST });
	rig_event_closed(r, ECONNRESET);
	rig_expect_silence(r, SEC(1));
	assert_int_equal(hf_recv(r->w, r->id, &octet, 1), -EBADF);
	assert_int_equal(rig_counter(r, "lost_reset"), 1);
	assert_int_equal(rig_counter(r, "closed"), 0);
}

static void rst__with_text__accepted_text_ignored(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = r->rn, .flags = SEG_RST, .text_len = 20 });
	rig_event_closed(r, ECONNRESET);
	rig_expect_silence(r, SEC(1));
	assert_int_equal(rig_counter(r, "text_in"), 0);
	expect_levels(r, 0, 0);
}

/* ---- HF-FW2: an orphan in FIN-WAIT-2 ------------------------------------------------------------ */

static void orphan__small_record_for_60s(struct rig *r)
{
	rig_to(r, RIG_FIN_WAIT_2);
	expect_levels(r, 0, 1);
	assert_int_equal(rig_counter(r, "fw2_entered"), 1);
	rig_expect_silence(r, MS(59900));
	rig_expect_state(r, HF_FIN_WAIT_2);
	rig_expect_silence(r, MS(200));
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_counter(r, "fw2_timeout"), 1);
	expect_levels(r, 0, 0);
}

/* Held, there is neither record nor timer; CLOSE starts both. */
static void held__close_starts_timer(struct rig *r)
{
	r->hold = true;
	rig_to(r, RIG_FIN_WAIT_2);
	expect_levels(r, 1, 0);
	rig_expect_silence(r, SEC(600));
	assert_int_equal(hf_close(r->w, r->id), 0);
	rig_turn(r);
	rig_event_closed(r, 0);
	expect_levels(r, 0, 1);
	rig_expect_silence(r, SEC(60) - 1);
	rig_expect_state(r, HF_FIN_WAIT_2);
	rig_expect_silence(r, 1);
	rig_expect_state(r, HF_CLOSED);
}

/* The ACK that its last text still waits for leaves with CLOSE: the record would never send it. */
static void held__close_owing_ack__acks(struct rig *r)
{
	r->hold = true;
	rig_to(r, RIG_FIN_WAIT_2);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .text_len = 6 });
	r->rn += 6;
	rig_read(r, 6);
	assert_int_equal(hf_close(r->w, r->id), 0);
	rig_expect_ack(r);
	rig_forget_events(r);
	rig_expect_state(r, HF_FIN_WAIT_2);
	rig_expect_silence(r, SEC(1));
}

static void set_fin_timeout(struct rig *r)
{
	r->config.tcp.fin_timeout_ms = 5000;
}

static void orphan__fin_timeout__obeyed(struct rig *r)
{
	rig_to(r, RIG_FIN_WAIT_2);
	rig_expect_silence(r, SEC(5) - 1);
	rig_expect_state(r, HF_FIN_WAIT_2);
	rig_expect_silence(r, 1);
	rig_expect_state(r, HF_CLOSED);
}

static void set_one_port(struct rig *r)
{
	r->active = true;
	r->config.port_first = r->config.port_last = 2000;
}

/* The record's port is free with it, which never entered TIME-WAIT: by timeout, by RST. */
static void orphan__gone__port_comes_back(struct rig *r)
{
	for (unsigned i = 0; i < 3; i++) {
		r->local.port = 0;
		rig_to(r, RIG_FIN_WAIT_2);
		if (i == 1)
			rig_send(r, (struct seg){ .seq = r->rn, .flags = SEG_RST });
		else
			rig_advance(r, SEC(60));
		rig_expect_state(r, HF_CLOSED);
		rig_advance(r, SEC(1));
		rig_another(r);
		r->peer.port--;
	}
}

enum fw2_out { FW2_NOTHING, FW2_ACK, FW2_RS };

/* What each kind of segment does to the record (HF-FW2-2). */
static void orphan__segments__as_tables_say(struct rig *r)
{
	static const struct {
		uint8_t flags;
		int32_t seq, ack; /* from RN, SN */
		uint16_t len;
		enum fw2_out out;
		enum hf_state state;
		uint8_t rn_by;
	} cases[] = {
		{ FINACK, 0, 0, 0, FW2_ACK, HF_TIME_WAIT, 1 },
		{ FINACK, -9, 0, 9, FW2_ACK, HF_TIME_WAIT, 1 }, /* old text and the FIN in order */
		{ SEG_ACK, 0, 0, 1, FW2_RS, HF_CLOSED, 0 },
		{ SEG_ACK, 0, 0, 100, FW2_RS, HF_CLOSED, 0 },
		{ SEG_ACK, -9, 0, 10, FW2_RS, HF_CLOSED, 0 },
		{ SEG_ACK, 50, 0, 10, FW2_RS, HF_CLOSED, 0 },
		{ SEG_ACK | SEG_URG, 0, 0, 1, FW2_RS, HF_CLOSED, 0 },
		{ FINACK, 0, 0, 10, FW2_RS, HF_CLOSED, 0 },
		{ FINACK, -9, 0, 10, FW2_RS, HF_CLOSED, 0 },
		{ FINACK, 10, 0, 0, FW2_RS, HF_CLOSED, 0 },
		{ SEG_ACK, -10, 0, 10, FW2_ACK, HF_FIN_WAIT_2, 0 },
		{ SEG_ACK, -20, 0, 10, FW2_ACK, HF_FIN_WAIT_2, 0 },
		{ SEG_ACK, 8192, 0, 10, FW2_ACK, HF_FIN_WAIT_2, 0 },
		{ FINACK, 8192, 0, 0, FW2_ACK, HF_FIN_WAIT_2, 0 },
		{ SEG_ACK, -1, 0, 0, FW2_ACK, HF_FIN_WAIT_2, 0 }, /* a keepalive */
		{ SEG_SYN, 0, 0, 0, FW2_ACK, HF_FIN_WAIT_2, 0 },
		{ SEG_SYN, 100000, 0, 0, FW2_ACK, HF_FIN_WAIT_2, 0 },
		{ SEG_SYN | SEG_ACK, 0, 0, 0, FW2_ACK, HF_FIN_WAIT_2, 0 },
		{ SEG_RST, 0, 0, 0, FW2_NOTHING, HF_CLOSED, 0 },
		{ SEG_RST | SEG_ACK, 0, 0, 5, FW2_NOTHING, HF_CLOSED, 0 },
		{ SEG_RST, 1, 0, 0, FW2_ACK, HF_FIN_WAIT_2, 0 },
		{ SEG_RST, 8191, 0, 0, FW2_ACK, HF_FIN_WAIT_2, 0 },
		{ SEG_RST, -1, 0, 0, FW2_NOTHING, HF_FIN_WAIT_2, 0 },
		{ SEG_RST, 8192, 0, 0, FW2_NOTHING, HF_FIN_WAIT_2, 0 },
		{ SEG_ACK, 0, 0, 0, FW2_NOTHING, HF_FIN_WAIT_2, 0 },
		{ SEG_ACK, 0, -1000, 0, FW2_NOTHING, HF_FIN_WAIT_2, 0 },
		{ SEG_ACK, 0, -1001, 0, FW2_ACK, HF_FIN_WAIT_2, 0 },
		{ SEG_ACK, 0, 1, 0, FW2_ACK, HF_FIN_WAIT_2, 0 },
		{ SEG_ACK, 0, 1, 10, FW2_ACK, HF_FIN_WAIT_2, 0 }, /* a bad ACK field goes first */
		{ FINACK, 0, 1, 0, FW2_ACK, HF_FIN_WAIT_2, 0 },
		{ 0, 0, 0, 0, FW2_NOTHING, HF_FIN_WAIT_2, 0 },
		{ SEG_FIN, 0, 0, 0, FW2_NOTHING, HF_FIN_WAIT_2, 0 },
	};

	r->config.tcp.tw_reuse = 0;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig_another(r);
		rig_to(r, RIG_FIN_WAIT_2);
		rig_send(r, (struct seg){ .seq = r->rn + (uint32_t)cases[i].seq,
					  .ack = r->sn + (uint32_t)cases[i].ack,
					  .flags = cases[i].flags,
					  .text_len = cases[i].len });
		r->rn += cases[i].rn_by;
		if (cases[i].out == FW2_ACK)
			rig_expect_ack(r);
		else if (cases[i].out == FW2_RS)
			rig_expect_rs(r);
		rig_expect_silence(r, MS(10));
		rig_no_event(r);
		if (rig_state(r) != cases[i].state)
			rig_fail(r, "case %u led to %s", i, hf_state_name(rig_state(r)));
		if (cases[i].state == HF_CLOSED)
			continue;
		rig_advance(r, SEC(61)); /* the record's place is needed again */
		rig_expect_state(r, HF_CLOSED);
	}
}

static void orphan__peer_only_acks__ends_all_the_same(struct rig *r)
{
	rig_to(r, RIG_FIN_WAIT_2);
	for (unsigned i = 0; i < 59; i++) {
		rig_advance(r, SEC(1));
		rig_send(r, (struct seg){ .seq = r->rn - (i & 1), .ack = r->sn, .flags = SEG_ACK });
		rig_discard(r);
		rig_expect_state(r, HF_FIN_WAIT_2);
	}
	rig_advance(r, SEC(1));
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_counter(r, "fw2_timeout"), 1);
}

/* ---- HF-LA1 --------------------------------------------------------------------------------- */

enum nuisance { SILENT, ACKS_ALL_BUT_FIN, SHUTS_WINDOW, ACKS_EACH_SECOND };

/* Each orphan that waits for the ACK of its FIN ends after orphan_retries, whatever the peer does. */
static void orphan__no_ack_of_fin__ends(struct rig *r)
{
	static const enum rig_state states[] = { RIG_FIN_WAIT_1, RIG_CLOSING, RIG_LAST_ACK };

	for (unsigned i = 0; i < 12; i++) {
		const enum nuisance nuisance = (enum nuisance)(i / 3);
		uint64_t waited = 0;
		uint32_t fin_seq;

		rig_another(r);
		r->unacked = 10;
		r->wnd = 1000;
		rig_to(r, states[i % 3]);
		fin_seq = r->sn - 1;
		rig_mark(r);
		if (nuisance == SHUTS_WINDOW)
			r->wnd = 0;
		while (rig_state(r) != HF_CLOSED && waited < SEC(1000)) {
			const struct frame *f;
			bool again = nuisance == ACKS_EACH_SECOND && waited % SEC(1) == 0;

			while ((f = rig_pop(r)) != NULL) {
				const uint32_t end = f->seg.seq + f->seg.text_len;

				if (f->seg.flags & SEG_FIN)
					assert_int_equal(end, fin_seq);
				again |= nuisance != SILENT;
			}
			if (again)
				rig_send(r, (struct seg){
						    .seq = r->rn, .ack = fin_seq, .flags = SEG_ACK });
			rig_advance(r, MS(100));
			waited += MS(100);
		}
		rig_discard(r);
		rig_turn(r);
		rig_event_closed(r, ETIMEDOUT);
		if (waited >= SEC(200))
			rig_fail(r, "case %u lived for %u s", i, (unsigned)(waited / SEC(1)));
		rig_expect_rose(r, "lost_timeout", 1);
		assert_int_equal(rig_levels(r).orphans, 0);
		assert_int_equal(rig_levels(r).timers, 0);
		assert_int_equal(rig_levels(r).queued_mbufs, 0);
	}
}

/* Exactly orphan_retries repeats, ever further apart. */
static void orphan__silent_peer__eight_repeats(struct rig *r)
{
	uint64_t wait = MS(200);

	rig_to(r, RIG_LAST_ACK);
	for (unsigned i = 0; i < 8; i++, wait *= 2) {
		rig_expect_silence(r, wait - 1);
		rig_advance(r, 1);
		r->sn = r->su;
		expect_ours(r, SEG_FIN, 0);
	}
	rig_expect_silence(r, wait - 1);
	rig_expect_state(r, HF_LAST_ACK);
	rig_expect_silence(r, 1);
	rig_turn(r);
	rig_event_closed(r, ETIMEDOUT);
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_counter(r, "retransmit_fin"), 8);
	assert_int_equal(rig_counter(r, "timeout_last_ack"), 1);
}

/* ---- HF-LA2 --------------------------------------------------------------------------------- */

static void set_ten_orphans(struct rig *r)
{
	r->config.tcp.max_orphans = 10;
}

static void orphans__one_too_many__reset(struct rig *r)
{
	for (unsigned i = 0; i < 10; i++) {
		rig_another(r);
		rig_to(r, i % 2 ? RIG_FIN_WAIT_1 : RIG_LAST_ACK);
		rig_expect_state(r, i % 2 ? HF_FIN_WAIT_1 : HF_LAST_ACK);
	}
	assert_int_equal(rig_levels(r).orphans, 10);
	rig_another(r);
	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_close(r->w, r->id), 0);
	rig_expect_rs(r);
	rig_expect_silence(r, 0);
	rig_turn(r);
	rig_event_closed(r, ECONNABORTED);
	rig_expect_state(r, HF_CLOSED);
	assert_int_equal(rig_counter(r, "orphan_overflow"), 1);
	assert_int_equal(rig_levels(r).orphans, 10);
	assert_int_equal(rig_levels(r).connections.used, 10);
	rig_advance(r, SEC(300)); /* they end, and there is room again */
	rig_discard(r);
	rig_forget_events(r);
	assert_int_equal(rig_levels(r).orphans, 0);
	rig_another(r);
	rig_to(r, RIG_FIN_WAIT_1);
	rig_expect_state(r, HF_FIN_WAIT_1);
}

/* An orphan's record of FIN-WAIT-2 is not one of them: it costs little and ends by itself. */
static void orphans__records__not_counted(struct rig *r)
{
	for (unsigned i = 0; i < 12; i++) {
		rig_another(r);
		rig_to(r, RIG_FIN_WAIT_2);
		rig_expect_state(r, HF_FIN_WAIT_2);
	}
	assert_int_equal(rig_levels(r).orphans, 0);
	assert_int_equal(rig_counter(r, "orphan_overflow"), 0);
}

/* ---- HF-LA3 --------------------------------------------------------------------------------- */

/* The peer takes all that comes, window by window; the FIN is last, once, and has one number. */
static void close__text_pending__fin_after_all(struct rig *r)
{
	static const uint16_t pending[] = { 0, 1, 999, 1000, 1001, 5000 };

	for (unsigned i = 0; i < 6; i++) {
		const uint32_t first = ISS + 1;
		unsigned fins = 0;
		uint32_t acked;

		rig_another(r);
		r->unacked = 0;
		rig_to(r, RIG_ESTABLISHED);
		acked = r->sn;
		rig_write(r, pending[i]);
		assert_int_equal(hf_close(r->w, r->id), 0);
		for (unsigned k = 0; k < 40 && fins == 0; k++) {
			const struct frame *f = rig_pop(r);

			if (!f) {
				rig_advance(r, MS(10));
				continue;
			}
			assert_int_equal(f->seg.seq, r->sn);
			r->sn += rig_len(f->seg);
			assert_true(r->sn - acked <= 1000); /* the FIN too */
			fins += f->seg.flags & SEG_FIN ? 1 : 0;
			if (r->sn != first + pending[i] + 1)
				assert_false(f->seg.flags & SEG_FIN);
			if (r->out_count != 0)
				continue;
			acked = r->sn;
			rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
		}
		assert_int_equal(fins, 1);
		assert_int_equal(r->sn, first + pending[i] + 1);
		rig_expect_silence(r, MS(300));
		rig_expect_state(r, HF_FIN_WAIT_2);
		rig_forget_events(r);
		rig_send(r, (struct seg){ .seq = r->rn, .flags = SEG_RST });
		rig_discard(r);
	}
	assert_int_equal(rig_counter(r, "fin_out"), 6);
}

/* The whole flight is lost: it comes again with the FIN at the same place. */
static void close__flight_lost__fin_same_number(struct rig *r)
{
	static const uint16_t pending[] = { 0, 1, 500, 999 };

	for (unsigned i = 0; i < 4; i++) {
		rig_another(r);
		r->unacked = pending[i];
		rig_to(r, RIG_FIN_WAIT_1);
		for (unsigned k = 0; k < 3; k++) {
			rig_advance(r, MS(200) << k);
			r->sn = r->su;
			expect_ours(r, SEG_FIN, pending[i]);
		}
		if (pending[i] != 0) { /* the text arrives, the FIN does not */
			rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn - 1, .flags = SEG_ACK });
			r->su = r->sn - 1;
			rig_advance(r, MS(3500));
			r->sn = r->su;
			expect_ours(r, SEG_FIN, 0);
			rig_discard(r);
		}
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
		rig_expect_silence(r, SEC(1));
		rig_expect_state(r, HF_FIN_WAIT_2);
		rig_forget_events(r);
	}
}

#define BOTH_SIDES(id, function)                                             \
	{ .name = id "-passive", .test = function, .set_up = set_passive },  \
	{                                                                    \
		.name = id "-active", .test = function, .set_up = set_active \
	}

static const struct row rows[] = {
	BOTH_SIDES("HF-CL1-us", we_close_first__four_segments__time_wait),
	BOTH_SIDES("HF-CL1-peer", peer_closes_first__four_segments__closed),
	{ .name = "HF-CL1-six-server", .test = server_closes_first__six_segments },
	{ .name = "HF-CL1-six-client", .test = client_answers_fin__six_segments },
	{ .name = "HF-CL1-text", .test = fins_with_text__all_delivered },

	BOTH_SIDES("HF-CL2", both_close__fins_cross__time_wait),
	BOTH_SIDES("HF-CL2-one-burst", both_close__fin_and_ack_in_one_burst__acked),
	{ .name = "HF-CL2-ours-lost", .test = both_close__ours_lost__repeated },
	{ .name = "HF-CL2-acks-lost", .test = both_close__acks_lost__fin_again_ends },
	{ .name = "HF-CL2-combined", .test = both_close__fin_with_ack__time_wait_at_once },
	{ .name = "HF-CL2-overtaken", .test = both_close__ack_overtakes_fin__time_wait },

	{ .name = "HF-CL3",
	  .test = shutdown__peer_sends_for_two_hours__all_delivered,
	  .variants = ROW_ONCE },
	{ .name = "HF-CL3-each", .test = shutdown__peer_sends_for_two_hours__all_delivered },

	{ .name = "MAY-1", .test = close__unread__rst_not_fin },
	{ .name = "MAY-1-read", .test = close__all_read__fin },
	{ .name = "SHLD-3", .test = closed__text_comes__rst_counted },
	{ .name = "MUST-12-eof", .test = rst__after_fin__reset_told },
	{ .name = "SHLD-2", .test = rst__with_text__accepted_text_ignored },

	{ .name = "HF-FW2-1", .test = orphan__small_record_for_60s },
	{ .name = "HF-FW2-1-held", .test = held__close_starts_timer },
	{ .name = "HF-FW2-1-owing", .test = held__close_owing_ack__acks },
	{ .name = "HF-FW2-1-knob", .test = orphan__fin_timeout__obeyed, .set_up = set_fin_timeout },
	{ .name = "HF-FW2-1-port", .test = orphan__gone__port_comes_back, .set_up = set_one_port },
	{ .name = "HF-FW2-2", .test = orphan__segments__as_tables_say },
	{ .name = "HF-FW2-3, SEC-19", .test = orphan__peer_only_acks__ends_all_the_same },

	{ .name = "HF-LA1", .test = orphan__no_ack_of_fin__ends },
	{ .name = "HF-LA1-count", .test = orphan__silent_peer__eight_repeats },
	{ .name = "HF-LA2", .test = orphans__one_too_many__reset, .set_up = set_ten_orphans },
	{ .name = "HF-LA2-records", .test = orphans__records__not_counted, .set_up = set_ten_orphans },
	{ .name = "HF-LA3", .test = close__text_pending__fin_after_all },
	{ .name = "HF-LA3-lost", .test = close__flight_lost__fin_same_number },
};

int main(int argc, char **argv)
{
	return rig_run("Closing", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

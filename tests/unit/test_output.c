/* SPDX-License-Identifier: BSD-3-Clause */
/* What is sent, and sent again: segmentation, PSH, FIN, and the bytes of retransmissions (RFC 9293 3.7, 3.8).
 * The rig checks of each segment that its octets lie where its numbers say and that a FIN has one number. */
#include "test_tcp.h"

#define PSH_ACK (SEG_PSH | SEG_ACK)
#define FIN_ACK (SEG_FIN | SEG_ACK)

static void ack(struct tcb_rig *r, uint32_t n)
{
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + n, .flags = SEG_ACK });
}

static const struct seg *expect_text(struct tcb_rig *r, uint32_t seq, uint16_t len, uint8_t flags)
{
	return rig_expect(
		r, (struct seg){ .seq = ISS + seq, .ack = IRS + 1, .text_len = len, .flags = flags });
}

static void text__much__goes_in_full_segments(struct tcb_rig *r)
{
	uint16_t mss;

	rig_to(r, TCPS_ESTABLISHED);
	mss = r->tcb.snd_mss;
	r->turn_open = true;
	rig_write(r, 1500); /* ranges and segments have nothing to do with each other */
	rig_write(r, 1500);
	rig_flush(r);
	expect_text(r, 1, mss, SEG_ACK);
	expect_text(r, 1 + mss, mss, SEG_ACK);
	expect_text(r, 1 + 2u * mss, mss, mss == 1000 ? PSH_ACK : SEG_ACK);
	if (mss < 1000) { /* Nagle keeps the rest */
		rig_silent(r);
		ack(r, 1 + 3u * mss);
		expect_text(r, 1 + 3u * mss, (uint16_t)(3000 - 3 * mss), PSH_ACK);
	}
	rig_silent(r);
	rig_counted(r, STAT_TEXT_OUT, 3000);
}

/* MUST-16: a block would make more of a full segment than the path takes; what leaves it room has it. */
static void text__with_a_gap_behind_rcv_nxt__has_blocks_if_they_fit(struct tcb_rig *r)
{
	uint16_t mss;

	r->config->nagle = false;
	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.flags |= TCB_SACK;
	rig_send(r,
		 (struct seg){ .seq = IRS + 11, .ack = ISS + 1, .text_len = 10, .flags = SEG_ACK });
	expect_text(r, 1, 0, SEG_ACK);
	rig_counted(r, STAT_SACK_OUT, 1);
	mss = r->tcb.snd_mss;
	rig_write(r, 2u * mss - 12);
	assert_int_equal(expect_text(r, 1, mss, SEG_ACK)->sacks, 0);
	assert_int_equal(expect_text(r, 1u + mss, (uint16_t)(mss - 12), SEG_ACK | SEG_PSH)->sacks, 1);
	rig_write(r, mss - 11u);
	assert_int_equal(
		expect_text(r, 2u * mss - 11, (uint16_t)(mss - 11), SEG_ACK | SEG_PSH)->sacks, 0);
}

/* The initial window is ten segments (RFC 6928); the peer's is larger. */
static void text__initial_window__is_ten_segments(struct tcb_rig *r)
{
	r->wnd = 40000;
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 20000);
	assert_int_equal(r->sent_count, 10);
	assert_int_equal(r->tcb.snd_nxt, ISS + 1 + 10u * r->tcb.snd_mss);
}

static void text__lengthened_range__is_one_piece(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	r->turn_open = true;
	rig_write(r, 10);
	tcp_lengthen(&r->host, &r->tcb, 5);
	rig_flush(r);
	expect_text(r, 1, 15, PSH_ACK);
	rig_silent(r);
}

static void text__queued_before_the_handshake__follows_it(struct tcb_rig *r)
{
	rig_to(r, TCPS_SYN_SENT);
	rig_write(r, 10);
	rig_silent(r);
	rig_send(r, (struct seg){ .seq = IRS,
				  .ack = ISS + 1,
				  .flags = SEG_SYN | SEG_ACK,
				  .options = OPT_MSS,
				  .mss = MSS });
	expect_text(r, 1, 10, PSH_ACK); /* the handshake's ACK rides on it */
	rig_silent(r);
}

/* HF-LA3: FIN with 0, 1, many octets queued. */
static void fin__with_text_queued__goes_with_the_last(struct tcb_rig *r)
{
	static const uint16_t octets[] = { 0, 1, 988, 1000, 2500 };

	for (size_t i = 0; i < COUNT(octets); i++) {
		uint32_t seq = 1;
		uint16_t left = octets[i];

		rig_to(r, TCPS_ESTABLISHED);
		r->turn_open = true;
		if (left > 0)
			rig_write(r, left);
		assert_int_equal(rig_close(r), 0);
		rig_flush(r);
		while (left > r->tcb.snd_mss) {
			expect_text(r, seq, r->tcb.snd_mss, SEG_ACK);
			seq += r->tcb.snd_mss;
			left = (uint16_t)(left - r->tcb.snd_mss);
		}
		expect_text(r, seq, left, (uint8_t)(FIN_ACK | (left ? SEG_PSH : 0)));
		rig_silent(r);
		rig_state(r, TCPS_FIN_WAIT_1);
		ack(r, 2 + octets[i]);
		rig_state(r, TCPS_FIN_WAIT_2);
		rig_silent(r);
	}
}

/* Text of 250 octets, and a window that lets them pass but not the FIN. */
static void fin__beyond_the_window__waits(struct tcb_rig *r)
{
	r->wnd = 250;
	rig_to(r, TCPS_ESTABLISHED);
	r->turn_open = true;
	rig_write(r, 250);
	rig_close(r);
	rig_flush(r);
	expect_text(r, 1, 250, PSH_ACK);
	rig_silent(r);
	ack(r, 251);
	expect_text(r, 251, 0, FIN_ACK);
}

/* Sent, and then the peer's window shrinks to the text alone. */
static void fin__again_beyond_the_window__waits(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	r->turn_open = true;
	rig_write(r, 250);
	rig_close(r);
	rig_flush(r);
	r->wnd = 250;
	ack(r, 1);
	rig_forget(r);
	rig_advance(r, MS(1002));
	expect_text(r, 1, 250, PSH_ACK);
	rig_silent(r);
	ack(r, 251);
	expect_text(r, 251, 0, FIN_ACK);
}

static void fin__lost__is_sent_again_with_its_number(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	r->turn_open = true;
	rig_write(r, 5);
	rig_close(r);
	rig_flush(r);
	expect_text(r, 1, 5, PSH_ACK | SEG_FIN);
	rig_advance(r, MS(1002));
	expect_text(r, 1, 5, PSH_ACK | SEG_FIN);
	ack(r, 6); /* the text, not the FIN */
	rig_forget(r);
	rig_advance(r, MS(1002));
	expect_text(r, 6, 0, FIN_ACK);
	rig_counted(r, STAT_RETRANSMIT_FIN, 1);
	ack(r, 7);
	rig_state(r, TCPS_FIN_WAIT_2);
}

static void fin__after_the_text_was_sent__is_alone(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 5);
	expect_text(r, 1, 5, PSH_ACK);
	rig_close(r);
	expect_text(r, 6, 0, FIN_ACK);
	rig_advance(r, MS(1002)); /* both lost: text and FIN become one */
	expect_text(r, 1, 5, PSH_ACK | SEG_FIN);
	rig_silent(r);
	ack(r, 7);
	rig_state(r, TCPS_FIN_WAIT_2);
}

/* SHUTDOWN in SYN-RECEIVED after a simultaneous open, nothing queued: FIN at once, before our SYN is acknowledged;
 * then every order of losses ends (SEC-20). */
static void fin__before_the_handshake_ends__is_watched(struct tcb_rig *r)
{
	r->active = true;
	rig_to(r, TCPS_SYN_RECEIVED);
	assert_int_equal(rig_close(r), 0);
	rig_state(r, TCPS_FIN_WAIT_1);
	expect_text(r, 1, 0, FIN_ACK);
	ack(r, 0); /* of nothing */
	assert_int_equal(r->events, 0);
	rig_advance(r, MS(1100)); /* the SYN-ACK again */
	rig_expect(r, (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SEG_SYN | SEG_ACK });
	rig_silent(r);
	ack(r, 1); /* of the SYN alone: the FIN was lost */
	assert_int_equal(r->events, TCP_EV_CONNECTED);
	rig_counted(r, STAT_ACTIVE_ESTABLISHED, 1);
	assert_int_equal(r->tcb.rto_ms, 3000); /* RFC6298-5.7 */
	rig_advance(r, SEC(4));
	expect_text(r, 1, 0, FIN_ACK);
	ack(r, 2);
	rig_state(r, TCPS_FIN_WAIT_2);
}

/* What does not acknowledge our SYN says nothing of what follows it: it is no duplicate, and its window is none. */
static void fin__before_the_handshake_ends__acks_of_nothing(struct tcb_rig *r)
{
	r->active = true;
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_shutdown(r);
	expect_text(r, 1, 0, FIN_ACK);
	for (unsigned n = 0; n < 3; n++)
		ack(r, 0);
	rig_silent(r);
	r->wnd = 0;
	rig_send_raw(r, &(struct seg){ .seq = IRS + 1, .ack = ISS, .flags = SEG_ACK });
	rig_silent(r);
	rig_advance(r, MS(1100));
	rig_expect(r, (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SEG_SYN | SEG_ACK });
	rig_silent(r);
}

static void fin__before_the_handshake_ends__acked_with_it(struct tcb_rig *r)
{
	r->active = true;
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_shutdown(r);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 2, .flags = FIN_ACK });
	rig_state(r, TCPS_TIME_WAIT);
	assert_int_equal(r->events & TCP_EV_CONNECTED, TCP_EV_CONNECTED);
}

static void fin__before_the_handshake_ends__silent_peer(struct tcb_rig *r)
{
	r->active = true;
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_close(r);
	rig_advance(r, SEC(400));
	rig_state(r, TCPS_CLOSED);
	rig_counted(r, STAT_TIMEOUT_FIN_WAIT_1, 1);
}

/* With text queued the FIN waits for ESTABLISHED. */
static void fin__before_the_handshake_ends__after_text(struct tcb_rig *r)
{
	r->active = true;
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_write(r, 7);
	rig_shutdown(r);
	rig_state(r, TCPS_SYN_RECEIVED);
	rig_silent(r);
	ack(r, 1);
	rig_state(r, TCPS_FIN_WAIT_1);
	expect_text(r, 1, 7, PSH_ACK | SEG_FIN);
	rig_silent(r);
}

/* ---- Again ---- */

/* HF-RTX1: from SND.UNA on, as the congestion window allows; the rig compares octets with the queue. */
static void again__goes_back_to_snd_una(struct tcb_rig *r)
{
	uint16_t mss;

	rig_to(r, TCPS_ESTABLISHED);
	mss = r->tcb.snd_mss;
	r->turn_open = true;
	for (unsigned n = 0; n < 4; n++)
		rig_write(r, 700);
	rig_shutdown(r);
	rig_flush(r);
	assert_int_equal(r->sent_count, 3);
	ack(r, 101); /* within a segment and a range */
	rig_forget(r);
	rig_advance(r, MS(1002));
	expect_text(r, 101, mss, SEG_ACK);
	rig_silent(r); /* cwnd is one segment */
	ack(r, 101 + mss);
	expect_text(r, 101 + mss, mss, SEG_ACK);
	expect_text(r, 101 + 2u * mss, (uint16_t)(2700 - 2 * mss), PSH_ACK | SEG_FIN);
	rig_silent(r);
	rig_counted(r, STAT_RETRANSMIT_TEXT, 3);
	rig_counted(r, STAT_RTO_EXPIRED, 1);
	ack(r, 2802);
	rig_state(r, TCPS_FIN_WAIT_2);
	assert_int_equal(r->ranges_freed, 4);
}

static void again__ack_of_all__ends_it(struct tcb_rig *r)
{
	const uint32_t octets = 3u * (r->timestamps ? MSS - 12 : MSS);

	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, octets);
	rig_advance(r, MS(1002));
	ack(r, 1 + octets);
	assert_int_equal(r->tcb.flags & TCB_RTX, 0);
	rig_forget(r);
	rig_write(r, 10);
	expect_text(r, 1 + octets, 10, PSH_ACK);
	rig_silent(r);
}

/* Karn's rule (MUST-18): the ACK may be of either; with timestamps its echo tells of which. */
static void again__no_sample_from_what_went_twice(struct tcb_rig *r)
{
	const bool told = r->timestamps;
	uint32_t srtt_us;

	rig_to(r, TCPS_ESTABLISHED);
	rig_clock(r, MS(10));
	rig_write(r, 10);
	rig_clock(r, MS(10));
	ack(r, 11);
	srtt_us = r->tcb.srtt_us;
	rig_forget(r);
	rig_write(r, 10);
	rig_advance(r, MS(1002));
	rig_counted(r, STAT_RETRANSMIT_TEXT, 1);
	rig_clock(r, MS(26));
	ack(r, 21);
	rig_counted(r, STAT_RTT_SAMPLES, told);
	assert_in_range(r->tcb.srtt_us, told ? (7 * srtt_us + MS(27)) / 8 : srtt_us,
			told ? (7 * srtt_us + MS(28)) / 8 : srtt_us);
	rig_write(r, 10);
	ack(r, 31);
	rig_counted(r, STAT_RTT_SAMPLES, told + 1);
}

/* Nothing was sent then. */
static void again__echo_of_no_time__no_sample(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	rig_write(r, 10);
	rig_advance(r, MS(1002));
	r->last_tsval += 10;
	ack(r, 11);
	rig_counted(r, STAT_RTT_SAMPLES, 0);
}

/* After a simultaneous open the SYN went out twice: alone and with an ACK. */
static void again__no_sample_from_a_simultaneous_open(struct tcb_rig *r)
{
	r->active = true;
	rig_to(r, TCPS_SYN_RECEIVED);
	rig_clock(r, MS(100));
	ack(r, 1);
	rig_state(r, TCPS_ESTABLISHED);
	rig_counted(r, STAT_RTT_SAMPLES, 0);
}

/* HF-D6: when 2^32 octets have gone, numbers meet the ISS again and mean nothing by it. */
static void after_4_gib__iss_is_a_number_like_others(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	r->tcb.iss = r->tcb.snd_una;
	assert_int_equal(tcp_room(&r->host, &r->tcb), r->config->snd_buf);
	rig_write(r, 10);
	rig_forget(r);
	rig_advance(r, MS(1002));
	expect_text(r, 1, 10, PSH_ACK);
	rig_silent(r);
	ack(r, 11);
	assert_int_equal(tcp_room(&r->host, &r->tcb), r->config->snd_buf);
}

static void nothing__comes_from_what_is_over(struct tcb_rig *r)
{
	rig_to(r, TCPS_ESTABLISHED);
	r->turn_open = true;
	for (uint32_t n = 0; n < 2; n++) /* an ACK is owed, text waits */
		rig_send(r, (struct seg){ .seq = IRS + 1 + n,
					  .ack = ISS + 1,
					  .text_len = 1,
					  .flags = SEG_ACK });
	rig_write(r, 10);
	r->tcb.flags |= TCB_ACK_NOW;
	rig_abort(r);
	rig_flush(r);
	rig_expect(r, (struct seg){ .seq = ISS + 1, .ack = IRS + 3, .flags = SEG_RST | SEG_ACK });
	rig_silent(r);
}

static const struct tcb_row rows[] = {
	{ "SHLD-28", text__much__goes_in_full_segments, 0 },
	{ "MUST-16", text__with_a_gap_behind_rcv_nxt__has_blocks_if_they_fit, 0 },
	{ "RFC6928-2", text__initial_window__is_ten_segments, 0 },
	{ "MUST-60", text__lengthened_range__is_one_piece, 0 },
	{ "RFC9293-3.10.2-queued", text__queued_before_the_handshake__follows_it, 0 },
	{ "HF-LA3", fin__with_text_queued__goes_with_the_last, 0 },
	{ "HF-LA3-window", fin__beyond_the_window__waits, 0 },
	{ "HF-LA3-again-window", fin__again_beyond_the_window__waits, 0 },
	{ "HF-LA3-lost", fin__lost__is_sent_again_with_its_number, 0 },
	{ "HF-LA3-alone", fin__after_the_text_was_sent__is_alone, 0 },
	{ "SEC-20", fin__before_the_handshake_ends__is_watched, 0 },
	{ "SEC-20-nothing", fin__before_the_handshake_ends__acks_of_nothing, 0 },
	{ "SEC-20-acked", fin__before_the_handshake_ends__acked_with_it, 0 },
	{ "SEC-20-silent", fin__before_the_handshake_ends__silent_peer, 0 },
	{ "SEC-20-text", fin__before_the_handshake_ends__after_text, 0 },
	{ "HF-RTX1", again__goes_back_to_snd_una, 0 },
	{ "HF-RTX1-all", again__ack_of_all__ends_it, 0 },
	{ "MUST-18", again__no_sample_from_what_went_twice, 0 },
	{ "MUST-18-echo", again__echo_of_no_time__no_sample, ROW_TS },
	{ "MUST-18-syn", again__no_sample_from_a_simultaneous_open, 0 },
	{ "HF-D6", after_4_gib__iss_is_a_number_like_others, 0 },
	{ "SE-U-CLOSED-next", nothing__comes_from_what_is_over, 0 },
};
GROUP(output);

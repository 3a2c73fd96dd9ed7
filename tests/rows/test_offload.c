/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums and segments of buffers between engine and device (REQUIREMENTS 3, 19, HF-E4, RFC791-len): a
 * connection's whole life under each kind of port, and frames with wrong sums, padding and cuts. */
#include <errno.h>
#include <string.h>

#include "rig/rig.h"

/* Open, text both ways, both ends close; every frame out is verified by the rig. */
static void life__whole(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	rig_write(r, 700);
	rig_flush(r);
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = SEG_ACK, .text_len = 700 });
	r->sn += 700;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .text_len = 1200 });
	r->rn += 1200;
	rig_event(r, HF_EV_READABLE);
	rig_read(r, 1200);
	rig_advance(r, MS(100));
	rig_discard(r);
	/* sent three times, its sum added once each time: the rig verifies it */
	rig_write(r, 333);
	for (unsigned i = 0; i < 3; i++) {
		rig_advance(r, i == 0 ? 0 : MS(200) << (i - 1));
		rig_expect(r,
			   (struct seg){
				   .seq = r->sn, .ack = r->rn, .flags = SEG_ACK, .text_len = 333 });
	}
	r->sn += 333;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_FIN | SEG_ACK });
	r->rn++;
	rig_event(r, HF_EV_EOF);
	assert_int_equal(hf_close(r->w, r->id), 0);
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = SEG_FIN | SEG_ACK });
	r->sn++;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_event_closed(r, 0);
	rig_expect_silence(r, MS(100));
}

static void set_l2(struct rig *r)
{
	r->memport.l3 = false;
}

static void set_tx(struct rig *r)
{
	r->memport.tx_checksum = true;
}

static void set_tx_segs(struct rig *r)
{
	r->memport.tx_checksum = r->memport.multi_segs = true;
}

static void set_l2_tx_segs(struct rig *r)
{
	r->memport.l3 = false;
	r->memport.tx_checksum = r->memport.multi_segs = true;
}

static void set_segs(struct rig *r)
{
	r->memport.multi_segs = true;
}

static void set_ttl(struct rig *r)
{
	r->config.ttl = 7;
}

/* What answers without a TCB has the same IP header, which the rig looks at too: ID 0, the TTL. */
static void no_tcb__answers(struct rig *r)
{
	rig_to(r, RIG_TIME_WAIT);
	rig_send(r, (struct seg){ .seq = r->rn - 1, .ack = r->sn, .flags = SEG_FIN | SEG_ACK });
	rig_expect_ack(r);
	r->peer.port++;
	rig_send(r, (struct seg){ .seq = 1, .ack = 9, .flags = SEG_ACK });
	rig_expect(r, (struct seg){ .seq = 9, .flags = SEG_RST });
	r->peer.port--;
}

static void set_rx(struct rig *r)
{
	r->memport.rx_checksum = true;
}

/* The peer's text in order, as a frame; TS where agreed. @return its length */
static size_t text_frame(const struct rig *r, uint8_t raw[FRAME_MAX], uint16_t text_len)
{
	struct seg seg = { .seq = r->rn,
			   .ack = r->sn,
			   .wnd = r->wnd,
			   .flags = SEG_ACK,
			   .text_len = text_len,
			   .options = r->ts_agreed ? OPT_TS : 0,
			   .tsval = r->ts_base + (uint32_t)(r->now_us / 1000),
			   .tsecr = r->tsecr };
	uint8_t text[FRAME_MAX];

	for (unsigned i = 0; i < text_len; i++)
		text[i] = rig_octet(seg.seq - r->irs - 1 + i);
	return frame_build(raw, &r->in_form, &r->peer, &r->local, &seg, text, NULL, 0);
}

enum changed { NOTHING, IP_SUM, TEXT };

/* Whether a frame of 10 octets of text is taken though something in it was changed. */
static bool taken(struct rig *r, enum hf_checksum ip, enum hf_checksum l4, enum changed changed)
{
	const struct hf_push how = { .ip = ip, .l4 = l4 };
	const uint64_t before = rig_counter(r, "text_in");
	uint8_t raw[FRAME_MAX];
	const size_t len = text_frame(r, raw, 10);

	if (changed != NOTHING)
		raw[changed == IP_SUM ? 10 : len - 1] ^= 1;
	rig_push_raw(r, raw, len, &how);
	rig_turn(r);
	rig_advance(r, MS(100));
	rig_discard(r);
	rig_forget_events(r);
	if (rig_counter(r, "text_in") == before)
		return false;
	r->rn += 10;
	return true;
}

/* HF-CK1: GOOD and BAD count where the offload was advertised, the others mean: look. */
static void established__flags_of_sums(struct rig *r)
{
	const bool offload = r->memport.rx_checksum;
	const enum hf_checksum good = HF_CHECKSUM_GOOD, bad = HF_CHECKSUM_BAD;
	const enum hf_checksum unknown = HF_CHECKSUM_UNKNOWN, none = HF_CHECKSUM_NONE;

	rig_to(r, RIG_ESTABLISHED);
	assert_true(taken(r, good, good, NOTHING));
	assert_int_equal(taken(r, good, good, TEXT), offload);
	assert_true(taken(r, unknown, unknown, NOTHING));
	assert_false(taken(r, unknown, unknown, TEXT));
	assert_true(taken(r, none, none, NOTHING));
	assert_false(taken(r, none, none, TEXT));
	rig_mark(r);
	assert_false(taken(r, good, bad, TEXT));
	rig_expect_rose(r, "rx_drop_tcp_csum", 1);
	if (offload)
		assert_false(taken(r, good, bad, NOTHING));
	rig_expect_state(r, HF_ESTABLISHED);
}

/* HF-CK1: the same of IPv4's own sum. */
static void established__flags_of_ip_sums(struct rig *r)
{
	const bool offload = r->memport.rx_checksum;
	const enum hf_checksum unknown = HF_CHECKSUM_UNKNOWN;

	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(taken(r, HF_CHECKSUM_GOOD, unknown, IP_SUM), offload);
	assert_int_equal(taken(r, HF_CHECKSUM_BAD, unknown, NOTHING), !offload);
	assert_false(taken(r, HF_CHECKSUM_BAD, unknown, IP_SUM));
	assert_false(taken(r, HF_CHECKSUM_NONE, unknown, IP_SUM));
	rig_mark(r);
	assert_false(taken(r, unknown, unknown, IP_SUM));
	rig_expect_rose(r, "rx_drop_ip_csum", 1);
	assert_false(taken(r, HF_CHECKSUM_GOOD, unknown, TEXT)); /* it says nothing of TCP's */
	rig_expect_state(r, HF_ESTABLISHED);
}

/* RFC 1122 3.2.1.2: and where nobody says anything. */
static void established__ip_sum_wrong__dropped(struct rig *r)
{
	uint8_t raw[FRAME_MAX];
	size_t len;

	if (r->local.ip.version == 6)
		return;
	rig_to(r, RIG_ESTABLISHED);
	for (unsigned bit = 0; bit < 16; bit++) {
		len = text_frame(r, raw, 10);
		raw[10 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		rig_mark(r);
		rig_push_raw(r, raw, len, NULL);
		rig_turn(r);
		rig_expect_silence(r, MS(50));
		rig_expect_rose(r, "rx_drop_ip_csum", 1);
	}
	rig_no_event(r);
	rig_expect_state(r, HF_ESTABLISHED);
}

/* MUST-3: any bit of the segment wrong, and nothing happens at all. */
static void any_state__bit_flipped__nothing_happens(struct rig *r)
{
	const enum rig_state state = *(const enum rig_state *)r->row->arg;
	const uint64_t from = r->local.ip.version == 4 ? 20 : 40;
	uint8_t raw[FRAME_MAX], flipped[FRAME_MAX];
	enum hf_state before;
	size_t len;

	rig_to(r, state);
	before = rig_state(r);
	len = text_frame(r, raw, 3);
	rig_mark(r);
	for (size_t bit = from * 8; bit < len * 8; bit++) {
		memcpy(flipped, raw, len);
		flipped[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		rig_push_raw(r, flipped, len, NULL);
		rig_turn(r);
		rig_expect_silence(r, 0);
	}
	rig_no_event(r);
	rig_expect_rose(r, "rx_consumed", 0);
	rig_expect_rose(r, "rx_answered", 0);
	assert_true(rig_counter(r, "rx_drop_tcp_csum") > 100);
	rig_expect_state(r, before);
}

/* HF-E4: a frame in two buffers, cut anywhere: taken or dropped, and its text right if taken. */
static void established__cut_anywhere__taken_or_dropped(struct rig *r)
{
	unsigned dropped = 0, whole = 0;
	uint8_t raw[FRAME_MAX];

	rig_to(r, RIG_ESTABLISHED);
	for (uint16_t cut = 1; cut <= 120; cut++) {
		const size_t len = text_frame(r, raw, 200);
		const struct hf_push how = { .cut = { cut } };

		rig_mark(r);
		rig_push_raw(r, raw, len, &how);
		rig_turn(r);
		rig_advance(r, MS(50));
		rig_discard(r);
		rig_forget_events(r);
		if (rig_counter(r, "rx_drop_chain") != dropped) {
			dropped++;
			continue;
		}
		whole++;
		r->rn += 200;
		rig_read(r, 200);
	}
	assert_int_equal(dropped + whole, 120);
	assert_int_equal(rig_counter(r, "text_in"), whole * 200);
	rig_expect_state(r, HF_ESTABLISHED);
}

/* RFC791-len: what follows the datagram in a short Ethernet frame is no text. */
static void established__padded_frame__no_text(struct rig *r)
{
	uint8_t raw[FRAME_MAX];
	size_t len;

	rig_to(r, RIG_ESTABLISHED);
	for (unsigned extra = 1; extra < 20; extra++) {
		len = text_frame(r, raw, 0);
		memset(raw + len, 0xaa, extra);
		rig_push_raw(r, raw, len + extra, NULL);
		rig_turn(r);
		rig_expect_silence(r, MS(50));
	}
	rig_no_event(r);
	assert_int_equal(rig_counter(r, "text_in"), 0);
	len = text_frame(r, raw, 5);
	memset(raw + len, 0xaa, 3);
	rig_push_raw(r, raw, len + 3, NULL);
	rig_turn(r);
	assert_int_equal(rig_event(r, HF_EV_READABLE)->readable, 5);
	rig_read(r, 5);
	rig_discard(r);
}

#define MUST_3(text, where)                                                              \
	{                                                                                \
		.name = "MUST-3-" text, .test = any_state__bit_flipped__nothing_happens, \
		.arg = &(const enum rig_state)                                           \
		{                                                                        \
			where                                                            \
		}                                                                        \
	}

static void set_tso(struct rig *r)
{
	r->memport.tso = true;
	r->wnd = 60000;
}

/* HF-CK6: what the device cuts are the segments that we would have sent: full ones, and what does not fill
 * one apart; PSH where the queue ends, FIN on the last; all of it again after a timeout, one by one. */
static void established__long_text__cut_by_the_device(struct rig *r)
{
	uint16_t mss;
	uint64_t frames;

	rig_to(r, RIG_ESTABLISHED);
	mss = (uint16_t)((r->local.ip.version == 4 ? 1460 : 1440) - (r->ts_agreed ? 12 : 0));
	frames = rig_counter(r, "tx_frames");
	rig_mark(r);
	rig_write(r, 8u * mss);
	for (unsigned i = 0; i < 8; i++, r->sn += mss)
		rig_expect(r, (struct seg){ .seq = r->sn,
					    .ack = r->rn,
					    .text_len = mss,
					    .flags = SEG_ACK | (i == 7 ? SEG_PSH : 0) });
	assert_int_equal(rig_counter(r, "tx_frames"), frames + 1);
	rig_expect_rose(r, "seg_out", 8);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_write(r, 3u * mss + 7); /* the rest waits for an ACK (Nagle) */
	for (unsigned i = 0; i < 3; i++, r->sn += mss)
		rig_expect(r,
			   (struct seg){
				   .seq = r->sn, .ack = r->rn, .text_len = mss, .flags = SEG_ACK });
	rig_expect_silence(r, 0);
	assert_int_equal(hf_shutdown(r->w, r->id), 0);
	rig_expect(r, (struct seg){ .seq = r->sn,
				    .ack = r->rn,
				    .text_len = 7,
				    .flags = SEG_ACK | SEG_PSH | SEG_FIN });
	r->sn += 8;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_expect_state(r, HF_FIN_WAIT_2);
	rig_forget_events(r);
}

/* ... FIN with the last of a text that ends where a segment does; and the timeout. */
static void established__long_text_and_fin__cut_by_the_device(struct rig *r)
{
	uint16_t mss;

	rig_to(r, RIG_ESTABLISHED);
	mss = (uint16_t)((r->local.ip.version == 4 ? 1460 : 1440) - (r->ts_agreed ? 12 : 0));
	rig_write(r, 4u * mss);
	assert_int_equal(hf_shutdown(r->w, r->id), 0);
	for (unsigned i = 0; i < 4; i++)
		rig_expect(r, (struct seg){ .seq = r->sn + i * mss,
					    .ack = r->rn,
					    .text_len = mss,
					    .flags = SEG_ACK | (i == 3 ? SEG_PSH | SEG_FIN : 0) });
	rig_advance(r, MS(1000));
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .text_len = mss, .flags = SEG_ACK });
	r->sn += 4u * mss + 1;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_expect_state(r, HF_FIN_WAIT_2);
	rig_discard(r);
	rig_forget_events(r);
}

/* A device may take a frame to be cut into less than 256 octets for an attack, and stop (i40e, iavf); the port
 * asserts it. The peer's MSS may be less than that (HF-O4). */
static void established__small_mss__cut_by_us(struct rig *r)
{
	const uint16_t mss = (uint16_t)(216 - (r->timestamps ? 12 : 0));
	struct seg syn = rig_syn(r);
	uint64_t frames;

	rig_listen(r);
	syn.mss = 216;
	rig_send(r, syn);
	rig_expect_sa(r);
	r->ts_agreed = r->timestamps;
	r->sn = ISS + 1;
	r->rn = IRS + 1;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_event(r, HF_EV_ACCEPT);
	rig_accept(r);
	frames = rig_counter(r, "tx_frames");
	rig_write(r, 8u * mss);
	for (unsigned i = 0; i < 8; i++)
		rig_expect(r, (struct seg){ .seq = r->sn + i * mss,
					    .ack = r->rn,
					    .text_len = mss,
					    .flags = SEG_ACK });
	assert_int_equal(rig_counter(r, "tx_frames"), frames + 8);
	assert_int_equal(hf_abort(r->w, r->id), 0);
	rig_discard(r);
	rig_event_closed(r, ECONNABORTED);
}

/* Not advertised: nothing longer than a segment reaches the port, which asserts it. */
static void established__long_text__cut_by_us(struct rig *r)
{
	uint64_t frames;

	rig_to(r, RIG_ESTABLISHED);
	frames = rig_counter(r, "tx_frames");
	rig_write(r, 10000);
	rig_discard(r);
	rig_forget_events(r);
	assert_true(rig_counter(r, "tx_frames") >= frames + 6);
}

static void set_wide_segs(struct rig *r)
{
	set_tx_segs(r);
	r->wnd = 60000;
}

static void set_few_segs(struct rig *r)
{
	r->memport.multi_segs = true;
	r->memport.segs = 8;
	r->wnd = 60000;
}

static void set_tso_few_segs(struct rig *r)
{
	set_few_segs(r);
	r->memport.tso = true;
}

/* HF-CK3: a text that lies in more pieces than the device gathers for a frame goes out all the same, and again;
 * the port asserts the number. */
static void established__many_pieces__gathered(struct rig *r)
{
	const uint16_t len = *(const uint16_t *)r->row->arg;
	uint8_t octets[12000];
	struct hf_store *store;
	uint16_t mss;

	rig_to(r, RIG_ESTABLISHED);
	mss = (uint16_t)((r->local.ip.version == 4 ? 1460 : 1440) - (r->ts_agreed ? 12 : 0));
	for (unsigned i = 0; i < sizeof(octets); i++)
		octets[i] = rig_octet(i);
	assert_int_equal(hf_store_make(octets, sizeof(octets), NULL, NULL, &store), 0);
	for (unsigned i = 0; i < sizeof(octets); i += len)
		assert_int_equal(hf_send_store(r->w, r->id, store, i, len), len);
	hf_store_free(store);
	for (unsigned i = 0; i < sizeof(octets) / mss; i++)
		rig_expect(r, (struct seg){ .seq = r->sn + i * mss,
					    .ack = r->rn,
					    .text_len = mss,
					    .flags = SEG_ACK });
	rig_advance(r, MS(200));
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .text_len = mss, .flags = SEG_ACK });
	assert_int_equal(hf_abort(r->w, r->id), 0);
	rig_discard(r);
	rig_event_closed(r, ECONNABORTED);
}

#define PIECES(text, len, port)                                                           \
	{                                                                                 \
		.name = text, .test = established__many_pieces__gathered, .set_up = port, \
		.arg = &(const uint16_t)                                                  \
		{                                                                         \
			len                                                               \
		}                                                                         \
	}

static const struct row rows[] = {
	{ .name = "HF-CK2, HF-CK4", .test = life__whole },
	{ .name = "HF-CK2-l2, HF-CK4", .test = life__whole, .set_up = set_l2 },
	{ .name = "HF-CK2-offload, HF-CK4", .test = life__whole, .set_up = set_tx },
	{ .name = "HF-CK2-offload-chains, HF-CK4", .test = life__whole, .set_up = set_tx_segs },
	{ .name = "HF-CK2-l2-offload-chains, HF-CK4", .test = life__whole, .set_up = set_l2_tx_segs },
	{ .name = "HF-CK2-chains, HF-CK4", .test = life__whole, .set_up = set_segs },
	{ .name = "MUST-49, RFC6864-4, MAY-4", .test = life__whole, .set_up = set_ttl },
	{ .name = "MUST-49-answers, RFC6864-4-answers", .test = no_tcb__answers, .set_up = set_ttl },
	{ .name = "HF-CK1, SEC-34", .test = established__flags_of_sums, .set_up = set_rx },
	{ .name = "HF-CK1-not-advertised", .test = established__flags_of_sums },
	{ .name = "HF-CK1-ip",
	  .test = established__flags_of_ip_sums,
	  .set_up = set_rx,
	  .variants = ROW_ONCE },
	{ .name = "HF-CK1-ip-not-advertised",
	  .test = established__flags_of_ip_sums,
	  .variants = ROW_ONCE },
	{ .name = "RFC1122-3.2.1.2", .test = established__ip_sum_wrong__dropped },
	MUST_3("CLOSED", RIG_CLOSED),
	MUST_3("LISTEN", RIG_LISTEN),
	MUST_3("SYN_SENT", RIG_SYN_SENT),
	MUST_3("SYN_RCVD/p", RIG_SYN_RCVD_P),
	MUST_3("SYN_RCVD/a", RIG_SYN_RCVD_A),
	MUST_3("ESTABLISHED", RIG_ESTABLISHED),
	MUST_3("FIN_WAIT_1", RIG_FIN_WAIT_1),
	MUST_3("FIN_WAIT_2", RIG_FIN_WAIT_2),
	MUST_3("CLOSE_WAIT", RIG_CLOSE_WAIT),
	MUST_3("CLOSING", RIG_CLOSING),
	MUST_3("LAST_ACK", RIG_LAST_ACK),
	MUST_3("TIME_WAIT", RIG_TIME_WAIT),
	{ .name = "HF-E4", .test = established__cut_anywhere__taken_or_dropped },
	{ .name = "HF-E4-l2", .test = established__cut_anywhere__taken_or_dropped, .set_up = set_l2 },
	{ .name = "HF-CK6", .test = established__long_text__cut_by_the_device, .set_up = set_tso },
	{ .name = "HF-CK6-fin",
	  .test = established__long_text_and_fin__cut_by_the_device,
	  .set_up = set_tso },
	{ .name = "HF-CK6-small", .test = established__small_mss__cut_by_us, .set_up = set_tso },
	{ .name = "HF-CK6-not-advertised",
	  .test = established__long_text__cut_by_us,
	  .set_up = set_wide_segs },
	PIECES("HF-CK3-pieces", 96, set_few_segs),
	PIECES("HF-CK3-pieces-tso", 96, set_tso_few_segs),
	PIECES("HF-CK3-long-pieces-tso", 500, set_tso_few_segs),
	{ .name = "RFC791-len", .test = established__padded_frame__no_text, .set_up = set_l2 },
};

int main(int argc, char **argv)
{
	return rig_run("Offload", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

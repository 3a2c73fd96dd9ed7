/* SPDX-License-Identifier: BSD-3-Clause */
/* REQUIREMENTS 3 end to end: a segment with a wrong sum, or port 0, touches nothing in any state;
 * reserved bits, urgent pointers and large windows are taken for what they are (RFC 9293 3.1). */
#include "rig/rig.h"

static const enum rig_state states[] = { RIG_CLOSED,	 RIG_LISTEN,	  RIG_SYN_SENT,
					 RIG_SYN_RCVD_P, RIG_ESTABLISHED, RIG_FIN_WAIT_1,
					 RIG_FIN_WAIT_2, RIG_CLOSE_WAIT,  RIG_CLOSING,
					 RIG_LAST_ACK,	 RIG_TIME_WAIT };
#define STATES 11

/* A frame for the connection under test, of a segment that would not be without effect. */
static size_t build(const struct rig *r, uint8_t raw[FRAME_MAX], struct seg seg)
{
	seg.wnd = 500;
	seg.text_len = 4;
	if (r->ts_agreed && !(seg.options & OPT_TS)) {
		seg.options |= OPT_TS;
		seg.tsval = r->ts_base + (uint32_t)(r->now_us / 1000);
		seg.tsecr = r->tsecr;
	}
	return frame_build(raw, &r->in_form, &r->peer, &r->local, &seg, (const uint8_t *)"text",
			   NULL, 0);
}

static size_t tcp_at(const struct rig *r)
{
	return r->local.ip.version == 4 ? 20 : 40;
}

/* Every bit of header, options and text, one at a time. */
static void each_state__one_bit_wrong__nothing(struct rig *r)
{
	static const uint8_t flags[] = { SEG_SYN, SEG_ACK | SEG_FIN, SEG_RST };

	for (unsigned s = 0; s < STATES; s++) {
		rig_another(r);
		r->local.port++;
		if (r->listener_count != 0)
			hf_unlisten(r->w, r->listeners[--r->listener_count]);
		rig_to(r, states[s]);
		for (unsigned k = 0; k < 3; k++) {
			uint8_t raw[FRAME_MAX];
			const size_t len =
				build(r, raw,
				      (struct seg){ .seq = r->rn, .ack = r->sn, .flags = flags[k] });

			for (size_t bit = 8 * tcp_at(r); bit < 8 * len; bit++) {
				/* a data offset that is wrong is seen before the sum */
				const bool offset = bit / 8 == tcp_at(r) + 12;

				raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
				rig_expect_dropped(r, raw, len, offset ? NULL : "rx_drop_tcp_csum");
				raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
			}
		}
		rig_discard(r);
		rig_turn(r);
		rig_forget_events(r);
	}
}

static void each_state__port_0__nothing(struct rig *r)
{
	static const uint8_t flags[] = { SEG_SYN, SEG_ACK, SEG_RST, SEG_SYN | SEG_ACK,
					 SEG_FIN | SEG_ACK };

	for (unsigned s = 0; s < 2; s++) {
		rig_to(r, s ? RIG_ESTABLISHED : RIG_LISTEN);
		for (unsigned i = 0; i < 15; i++) {
			const struct seg seg = { .seq = r->rn, .ack = r->sn, .flags = flags[i / 3] };
			struct hf_addr src = r->peer, dst = r->local;
			uint8_t raw[FRAME_MAX];
			size_t len;

			if (i % 3 != 0)
				src.port = 0;
			if (i % 3 != 1)
				dst.port = 0;
			len = frame_build(raw, &r->in_form, &src, &dst, &seg, NULL, NULL, 0);
			rig_expect_dropped(r, raw, len, "rx_drop_port0");
		}
	}
}

static void set_active(struct rig *r)
{
	r->active = true;
}

static void set_passive(struct rig *r)
{
	r->active = false;
}

static void send_reserved(struct rig *r, struct seg seg, uint8_t bits)
{
	uint8_t raw[FRAME_MAX];
	uint8_t text[16];
	size_t len;

	for (unsigned i = 0; i < seg.text_len; i++)
		text[i] = rig_octet(seg.seq - r->irs - 1 + i);
	seg.wnd = r->wnd;
	if (r->ts_agreed) {
		seg.options |= OPT_TS;
		seg.tsval = r->ts_base + (uint32_t)(r->now_us / 1000);
		seg.tsecr = r->tsecr;
	}
	len = frame_build(raw, &r->in_form, &r->peer, &r->local, &seg, text, NULL, 0);
	raw[tcp_at(r) + 12] |= bits;
	frame_seal(raw, len, &r->in_form);
	rig_push_raw(r, raw, len, NULL);
	rig_turn(r);
}

/* A connection from the peer's SYN, which has these flags too, to its end; reserved bits in all that the
 * peer sends. Ours carry none of either: rig_expect, frame_parse. */
static void whole_connection(struct rig *r, uint8_t syn_flags, uint8_t syn_bits, uint8_t bits)
{
	struct seg syn;

	rig_another(r);
	syn = rig_syn(r);
	syn.flags |= syn_flags;
	send_reserved(r, syn, syn_bits);
	rig_expect_sa(r);
	r->rn = r->irs + 1;
	r->sn = r->iss + 1;
	r->ts_agreed = r->timestamps;
	send_reserved(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK }, bits);
	rig_event(r, HF_EV_ACCEPT);
	rig_accept(r);
	send_reserved(
		r,
		(struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK | SEG_FIN, .text_len = 10 },
		bits);
	r->rn += 11;
	rig_event(r, HF_EV_READABLE | HF_EV_EOF);
	rig_expect_ack(r);
	rig_read(r, 10);
	assert_int_equal(hf_close(r->w, r->id), 0);
	rig_expect(r, (struct seg){ .seq = r->sn, .ack = r->rn, .flags = SEG_FIN | SEG_ACK });
	send_reserved(r, (struct seg){ .seq = r->rn, .ack = r->sn + 1, .flags = SEG_ACK }, bits);
	rig_event_closed(r, 0);
	rig_expect_state(r, HF_CLOSED);
}

static void whole_connection__reserved_bits__ignored(struct rig *r)
{
	static const uint8_t bits[] = { 1, 2, 4, 8, 15 };

	rig_listen(r);
	for (unsigned i = 0; i < 5; i++)
		whole_connection(r, 0, bits[i], bits[i]);
}

/* RFC 9768 3.1.1: AE is the lowest of the reserved bits. An ECN-setup SYN of either kind gets a SYN-ACK
 * that declines (RFC 3168 6.1.1). */
static void syn__ecn_flags__declined(struct rig *r)
{
	rig_listen(r);
	for (uint8_t ae = 0; ae <= 1; ae++) {
		whole_connection(r, SEG_ECE | SEG_CWR, ae, 0);
		whole_connection(r, SEG_ECE, ae, 0);
		whole_connection(r, SEG_CWR, ae, 0);
	}
}

/* We asked for nothing, and a peer that grants it all the same changes nothing. */
static void synack__ecn_flags__ignored(struct rig *r)
{
	for (uint8_t bits = 0; bits < 8; bits++) {
		struct seg synack = { .flags = SEG_SYN | SEG_ACK, .options = OPT_MSS, .mss = 1460 };

		rig_another(r);
		rig_to(r, RIG_SYN_SENT); /* a SYN with neither */
		synack.seq = r->irs;
		synack.ack = r->iss + 1;
		synack.flags |= (uint8_t)((bits & 2 ? SEG_ECE : 0) | (bits & 4 ? SEG_CWR : 0));
		send_reserved(r, synack, bits & 1);
		r->rn = r->irs + 1;
		r->sn = r->iss + 1;
		rig_event(r, HF_EV_CONNECTED);
		rig_expect_ack(r);
		rig_expect_state(r, HF_ESTABLISHED);
		assert_int_equal(hf_abort(r->w, r->id), 0);
		rig_discard(r);
		rig_forget_events(r);
	}
}

/* HF-T4 */
static void urgent__anywhere__text_as_ever(struct rig *r)
{
	static const uint16_t pointers[] = { 0, 1, 9, 10, 11, 0x7fff, 0x8000, 0xffff };

	rig_to(r, RIG_ESTABLISHED);
	for (unsigned i = 0; i < 16; i++) {
		rig_send(r, (struct seg){ .seq = r->rn,
					  .ack = r->sn,
					  .flags = SEG_ACK | SEG_URG,
					  .up = pointers[i / 2],
					  .text_len = i % 2 ? 10 : 0 });
		if (i % 2 == 0) {
			rig_no_event(r);
			continue;
		}
		r->rn += 10;
		rig_event(r, HF_EV_READABLE);
		rig_read(r, 10);
	}
	rig_advance(r, MS(40));
	rig_discard(r);
	rig_expect_state(r, HF_ESTABLISHED);
	assert_int_equal(rig_counter(r, "urgent_in"), 16);
}

/* MUST-1: windows from 2^15 on are no negative ones. */
static void window__large__used_unsigned(struct rig *r)
{
	static const uint16_t windows[] = { 0x7fff, 0x8000, 0x8001, 0xffff };
	struct hf_status status;

	rig_to(r, RIG_ESTABLISHED);
	for (unsigned i = 0; i < 4; i++) {
		r->wnd = windows[i];
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
		assert_int_equal(hf_status(r->w, r->id, &status), 0);
		assert_int_equal(status.snd_wnd, windows[i]);
	}
	rig_write(r, 5000);
	while (r->sn != ISS + 1 + 5000) {
		const struct frame *f = rig_pop(r);

		if (f)
			r->sn += f->seg.text_len;
		else
			rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	}
	assert_int_equal(rig_counter(r, "retransmit_text"), 0);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_expect_silence(r, SEC(1));
}

static const struct row rows[] = {
	{ .name = "MUST-3", .test = each_state__one_bit_wrong__nothing },
	{ .name = "HF-T2", .test = each_state__port_0__nothing, .set_up = set_passive },
	{ .name = "RFC9293-3.1-rsv",
	  .test = whole_connection__reserved_bits__ignored,
	  .set_up = set_passive },
	{ .name = "RFC9768", .test = syn__ecn_flags__declined, .set_up = set_passive },
	{ .name = "RFC9768-synack",
	  .test = synack__ecn_flags__ignored,
	  .set_up = set_active,
	  .variants = ROW_PLAIN },
	{ .name = "HF-T4, SEC-3", .test = urgent__anywhere__text_as_ever },
	{ .name = "MUST-1", .test = window__large__used_unsigned },
};

int main(int argc, char **argv)
{
	return rig_run("TCP header", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

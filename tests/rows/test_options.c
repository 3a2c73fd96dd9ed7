/* SPDX-License-Identifier: BSD-3-Clause */
/* REQUIREMENTS 4 end to end: timestamps in everything that leaves, PAWS, MSS and window scale as the
 * peer states them, Fast Open passed over (RFC 9293 3.7.1, RFC 7323, RFC 7413). */
#include <errno.h>

#include "rig/rig.h"

static void set_passive(struct rig *r)
{
	r->active = false;
}

static void set_active(struct rig *r)
{
	r->active = true;
}

static uint32_t peer_clock(const struct rig *r)
{
	return r->ts_base + (uint32_t)(r->now_us / 1000);
}

/* The next frame has timestamps and echoes the peer's latest in order. */
static void expect_stamped(struct rig *r, uint8_t flags, uint32_t ts_recent)
{
	const struct frame *f = rig_pop(r);

	if (!f)
		rig_fail(r, "nothing came out");
	assert_int_equal(f->seg.flags & (SEG_SYN | SEG_FIN | SEG_RST | SEG_ACK), flags);
	assert_true(f->seg.options & OPT_TS);
	assert_int_equal(f->seg.tsecr, ts_recent);
}

/* RFC7323-3.2a2: what is sent outside the normal path carries TS too. */
static void each_state__challenged__stamped(struct rig *r)
{
	static const enum rig_state states[] = { RIG_SYN_RCVD_P, RIG_ESTABLISHED, RIG_FIN_WAIT_1,
						 RIG_FIN_WAIT_2, RIG_CLOSE_WAIT,  RIG_CLOSING,
						 RIG_LAST_ACK,	 RIG_TIME_WAIT };

	for (unsigned i = 0; i < 16; i++) {
		uint32_t recent;

		rig_another(r);
		r->hold = i >= 8; /* else FIN-WAIT-2 is a small record */
		rig_to(r, states[i % 8]);
		recent = peer_clock(r);
		rig_advance(r, MS(50));
		rig_send(r, (struct seg){ .seq = r->rn + 9000, .ack = r->sn, .flags = SEG_ACK });
		expect_stamped(r, SEG_ACK, recent);
		rig_advance(r, SEC(200)); /* all that end have ended */
		rig_discard(r);
		rig_turn(r);
		rig_forget_events(r);
		if (rig_state(r) != HF_CLOSED)
			hf_abort(r->w, r->id);
		rig_discard(r);
		rig_turn(r);
		rig_forget_events(r);
	}
}

static void syn_rcvd__synack_again__stamped(struct rig *r)
{
	uint32_t recent;

	rig_to(r, RIG_SYN_RCVD_P);
	rig_advance(r, MS(600));
	recent = peer_clock(r);
	rig_send(r, rig_syn(r)); /* the same SYN, with a later TSval (RFC7323-3.2c) */
	expect_stamped(r, SEG_SYN | SEG_ACK, recent);
	rig_advance(r, SEC(1));
	expect_stamped(r, SEG_SYN | SEG_ACK, recent);
}

static void live__resets__stamped(struct rig *r)
{
	static const enum rig_state states[] = { RIG_ESTABLISHED, RIG_FIN_WAIT_1, RIG_CLOSE_WAIT };
	uint32_t recent;

	for (unsigned i = 0; i < 3; i++) {
		rig_another(r);
		rig_to(r, states[i]);
		recent = peer_clock(r);
		rig_advance(r, MS(50));
		assert_int_equal(hf_abort(r->w, r->id), 0);
		expect_stamped(r, SEG_RST | SEG_ACK, recent);
		rig_turn(r);
		rig_forget_events(r);
	}
	for (unsigned i = 0; i < 2; i++) { /* text for nobody: a connection's RST and a record's */
		rig_another(r);
		r->hold = false;
		rig_to(r, i ? RIG_FIN_WAIT_2 : RIG_FIN_WAIT_1);
		rig_advance(r, MS(50));
		rig_send(r, (struct seg){
				    .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .text_len = 10 });
		expect_stamped(r, SEG_RST | SEG_ACK, peer_clock(r));
		rig_turn(r);
		rig_forget_events(r);
	}
}

static void window_shut__probe__stamped(struct rig *r)
{
	uint32_t recent;

	rig_to(r, RIG_ESTABLISHED);
	r->wnd = 0;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	recent = peer_clock(r);
	rig_write(r, 10);
	rig_advance(r, MS(200));
	expect_stamped(r, SEG_ACK, recent);
	assert_int_equal(rig_counter(r, "window_probes"), 1);
}

/* HF-KA1's answer, and the record's A for the peer's FIN again. */
static void keepalive_and_fin_again__stamped(struct rig *r)
{
	uint32_t recent;

	rig_to(r, RIG_ESTABLISHED);
	recent = peer_clock(r);
	rig_advance(r, SEC(2));
	rig_send(r, (struct seg){ .seq = r->rn - 1, .ack = r->sn, .flags = SEG_ACK });
	expect_stamped(r, SEG_ACK, recent); /* SEQ was not acceptable (RFC 7323 5.3 R2) */
	rig_another(r);
	rig_to(r, RIG_TIME_WAIT);
	rig_advance(r, SEC(2));
	rig_send(r, (struct seg){ .seq = r->rn - 1, .ack = r->sn, .flags = SEG_FIN | SEG_ACK });
	assert_true(rig_pop(r)->seg.options & OPT_TS);
}

/* ---- PAWS --------------------------------------------------------------------------------------- */

/* Older than TS.Recent: C and nothing else, whatever the segment carries; but a RST is believed. */
static void each_state__old_tsval__refused(struct rig *r)
{
	static const enum rig_state states[] = { RIG_ESTABLISHED, RIG_FIN_WAIT_1, RIG_FIN_WAIT_2,
						 RIG_CLOSE_WAIT,  RIG_CLOSING,	  RIG_LAST_ACK };

	for (unsigned i = 0; i < 12; i++) {
		struct hf_status before, after;
		struct seg old;

		rig_another(r);
		r->hold = i >= 6;
		rig_to(r, states[i % 6]);
		assert_int_equal(hf_lookup(r->w, &r->local, &r->peer, &before), 0);
		old = (struct seg){ .seq = r->rn,
				    .ack = r->sn,
				    .flags = SEG_ACK | SEG_FIN,
				    .text_len = 10,
				    .options = OPT_TS,
				    .tsval = peer_clock(r) - 1,
				    .tsecr = r->tsecr };
		rig_mark(r);
		rig_send(r, old);
		rig_expect_ack(r);
		rig_expect_silence(r, MS(1));
		rig_no_event(r);
		assert_int_equal(hf_lookup(r->w, &r->local, &r->peer, &after), 0);
		assert_int_equal(after.state, before.state);
		assert_int_equal(after.snd_una, before.snd_una);
		assert_int_equal(after.rcv_nxt, before.rcv_nxt);
		rig_expect_rose(r, "paws_refused", 1);
		old.flags = SEG_RST;
		rig_send(r, old);
		rig_expect_silence(r, 0);
		rig_turn(r);
		rig_forget_events(r);
		rig_expect_state(r, HF_CLOSED);
	}
}

/* After 24 idle days TS.Recent proves nothing any more (RFC 7323 5.5). */
static void established__idle_25_days__any_tsval_good(struct rig *r)
{
	struct seg old;

	for (unsigned days = 23; days <= 25; days += 2) {
		rig_another(r);
		rig_to(r, RIG_ESTABLISHED);
		old = (struct seg){ .seq = r->rn,
				    .ack = r->sn,
				    .flags = SEG_ACK,
				    .text_len = 10,
				    .options = OPT_TS,
				    .tsval = peer_clock(r) - 5,
				    .tsecr = r->tsecr };
		rig_advance(r, days * SEC(86400));
		r->tsecr += days * 86400 * 1000; /* too far for the rig's look at our clock */
		rig_forget_events(r);
		r->ts_base = old.tsval - (uint32_t)(r->now_us / 1000); /* the peer's clock, set back */
		rig_send(r, old);
		if (days < 24) {
			rig_no_event(r);
			rig_discard(r);
			assert_int_equal(rig_counter(r, "paws_refused"), 1);
			continue;
		}
		r->rn += 10;
		rig_event(r, HF_EV_READABLE);
		rig_read(r, 10);
		rig_advance(r, MS(40));
		expect_stamped(r, SEG_ACK, old.tsval);
	}
}

/* ---- MSS ---------------------------------------------------------------------------------------- */

static struct seg syn_with_mss(const struct rig *r, uint16_t mss)
{
	struct seg syn = rig_syn(r);

	syn.mss = mss;
	return syn;
}

/* MSS of nothing, or next to nothing: 64 KiB leave in a bounded number of segments. */
static void listen__small_mss__segments_bounded(struct rig *r)
{
	static const uint16_t sizes[] = { 0, 1, 8, 48, 215, 216, 217 };

	r->wnd = 60000;
	rig_listen(r);
	for (unsigned i = 0; i < 7; i++) {
		const uint32_t absent = r->local.ip.version == 4 ? 536 : 1220;
		const uint32_t least = sizes[i] == 0 ? absent : sizes[i] < 216 ? 216 : sizes[i];
		const uint32_t text = least - (r->timestamps ? 12 : 0);
		struct hf_status status;
		uint32_t left = 65536, segs = 0;

		rig_another(r);
		r->su = r->iss;
		r->sn = r->iss + 1;
		r->rn = r->irs + 1;
		rig_mark(r);
		rig_send(r, syn_with_mss(r, sizes[i]));
		rig_expect_sa(r);
		r->ts_agreed = r->timestamps;
		rig_expect_rose(r, "mss_raised", sizes[i] != 0 && sizes[i] < 216);
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
		rig_event(r, HF_EV_ACCEPT);
		rig_accept(r);
		assert_int_equal(hf_status(r->w, r->id, &status), 0);
		assert_int_equal(status.snd_mss, text);
		rig_write(r, left);
		while (left > 0) {
			const struct frame *f = rig_pop(r);

			if (!f) {
				rig_send(r, (struct seg){
						    .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
				continue;
			}
			assert_true(f->seg.text_len <= text);
			r->sn += f->seg.text_len;
			left -= f->seg.text_len;
			segs++;
		}
		assert_true(segs <= 65536 / text + 2);
		rig_send(r, (struct seg){ .seq = r->rn, .flags = SEG_RST });
		rig_discard(r);
		rig_forget_events(r);
	}
}

/* MUST-65: outside a SYN it means nothing. */
static void established__mss_in_ack__ignored(struct rig *r)
{
	struct hf_status before, after;

	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_status(r->w, r->id, &before), 0);
	rig_send(r, (struct seg){ .seq = r->rn,
				  .ack = r->sn,
				  .flags = SEG_ACK,
				  .options = (uint8_t)(OPT_MSS | (r->ts_agreed ? OPT_TS : 0)),
				  .mss = 100,
				  .tsval = peer_clock(r),
				  .tsecr = r->tsecr });
	assert_int_equal(hf_status(r->w, r->id, &after), 0);
	assert_int_equal(after.snd_mss, before.snd_mss);
	rig_expect_silence(r, MS(100));
}

/* ---- Window scale --------------------------------------------------------------------------------- */

/* The SYN's own window is never scaled, what comes later is, and no shift is above 14. */
static void listen__wscale__windows_scaled_after_syn(struct rig *r)
{
	static const uint8_t shifts[] = { 0, 1, 7, 14, 15, 255 };
	struct hf_status status;

	rig_listen(r);
	for (unsigned i = 0; i < 6; i++) {
		const unsigned used = shifts[i] < 14 ? shifts[i] : 14;
		struct seg syn;

		rig_another(r);
		syn = rig_syn(r);
		syn.options |= OPT_WSCALE;
		syn.wscale = shifts[i];
		syn.wnd = 65535;
		rig_mark(r);
		rig_send(r, syn);
		rig_expect_sa(r);
		rig_expect_rose(r, "wscale_capped", shifts[i] > 14);
		r->ts_agreed = r->timestamps;
		rig_send(r, (struct seg){ .seq = r->irs + 1, .ack = r->iss + 1, .flags = SEG_ACK });
		rig_event(r, HF_EV_ACCEPT);
		rig_accept(r);
		assert_int_equal(hf_status(r->w, r->id, &status), 0);
		assert_int_equal(status.snd_wnd, (uint32_t)r->wnd << used);
		rig_send(r, (struct seg){ .seq = r->irs + 1,
					  .ack = r->iss + 1,
					  .flags = SEG_ACK,
					  .wnd = 65535 });
		assert_int_equal(hf_status(r->w, r->id, &status), 0);
		assert_int_equal(status.snd_wnd, 65535u << used); /* REC-1: 1073725440 at most */
		rig_discard(r);
	}
}

static void set_largest_buffer(struct rig *r)
{
	r->config.tcp.rcv_buf = 1u << 30;
}

/* 2^30 octets are one more than 65535 << 14 can say; what can is said. */
static void largest_buffer__our_shift_is_14(struct rig *r)
{
	rig_connect(r);
	assert_int_equal(rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN })->seg.wscale, 14);
}

/* Both have to offer it: a SYN-ACK without leaves windows as they are. */
static void connect__synack_without_wscale__unscaled(struct rig *r)
{
	struct hf_status status;

	rig_open_active(r);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .wnd = 777 });
	assert_int_equal(hf_status(r->w, r->id, &status), 0);
	assert_int_equal(status.snd_wnd, 777);
	rig_discard(r);
}

/* ---- Fast Open ------------------------------------------------------------------------------------- */

/* RFC7413, HF-OP3: text of a SYN is not taken, be there a cookie with it or not; sent again it is. */
static void listen__syn_with_text__acks_syn_only(struct rig *r)
{
	static const uint8_t tfo[] = { 34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 2, 4, 5, 0xb4 };
	uint8_t raw[FRAME_MAX], text[20];
	struct seg syn;
	size_t len;

	rig_listen(r);
	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = rig_octet(i);
	for (unsigned i = 0; i < 2; i++) {
		rig_another(r);
		r->timestamps = false;
		syn = rig_syn(r);
		syn.wnd = r->wnd;
		syn.text_len = sizeof(text);
		len = frame_build(raw, &r->in_form, &r->peer, &r->local, &syn, text, tfo,
				  i ? sizeof(tfo) : 0);
		rig_push_raw(r, raw, len, NULL);
		rig_turn(r);
		rig_expect_sa(r);
		rig_expect_state(r, HF_SYN_RECEIVED);
		rig_no_event(r);
		rig_send(r, (struct seg){ .seq = r->irs + 1, .ack = r->iss + 1, .flags = SEG_ACK });
		rig_event(r, HF_EV_ACCEPT);
		rig_accept(r);
		assert_int_equal(hf_recv(r->w, r->id, text, sizeof(text)), -EAGAIN);
		rig_send(r, (struct seg){ .seq = r->irs + 1,
					  .ack = r->iss + 1,
					  .flags = SEG_ACK,
					  .text_len = sizeof(text) });
		rig_event(r, HF_EV_READABLE);
		rig_read(r, sizeof(text));
		rig_discard(r);
	}
}

/* ---- None ------------------------------------------------------------------------------------------ */

static void set_bare(struct rig *r)
{
	r->config.tcp.mss_option = r->config.tcp.timestamps = false;
	r->config.tcp.window_scaling = r->config.tcp.sack = false;
}

static void all_off__syns_have_no_options(struct rig *r)
{
	rig_connect(r);
	assert_int_equal(rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN })->seg.options, 0);
	assert_int_equal(hf_abort(r->w, r->id), 0);
	rig_forget_events(r);
	rig_another(r);
	rig_listen(r);
	rig_send(r, rig_syn(r));
	assert_int_equal(
		rig_expect(r, (struct seg){ .seq = ISS, .ack = IRS + 1, .flags = SEG_SYN | SEG_ACK })
			->seg.options,
		0);
}

static const struct row rows[] = {
	{ .name = "RFC7323-3.2a2-challenge, SEC-42",
	  .test = each_state__challenged__stamped,
	  .set_up = set_passive,
	  .variants = ROW_TS },
	{ .name = "RFC7323-3.2a2-synack", .test = syn_rcvd__synack_again__stamped, .variants = ROW_TS },
	{ .name = "RFC7323-3.2a2-rst", .test = live__resets__stamped, .variants = ROW_TS },
	{ .name = "RFC7323-3.2a2-probe", .test = window_shut__probe__stamped, .variants = ROW_TS },
	{ .name = "RFC7323-3.2a2-keepalive, -fin",
	  .test = keepalive_and_fin_again__stamped,
	  .variants = ROW_TS },
	{ .name = "RFC7323-5.3", .test = each_state__old_tsval__refused, .variants = ROW_TS },
	{ .name = "RFC7323-5.3-outdated",
	  .test = established__idle_25_days__any_tsval_good,
	  .variants = ROW_TS },
	{ .name = "HF-O4, SEC-7", .test = listen__small_mss__segments_bounded, .set_up = set_passive },
	{ .name = "SHLD-5-none", .test = all_off__syns_have_no_options, .set_up = set_bare },
	{ .name = "MUST-65", .test = established__mss_in_ack__ignored },
	{ .name = "RFC7323-2.3", .test = listen__wscale__windows_scaled_after_syn },
	{ .name = "RFC7323-2.3-ours",
	  .test = largest_buffer__our_shift_is_14,
	  .set_up = set_largest_buffer },
	{ .name = "RFC7323-2.2-none",
	  .test = connect__synack_without_wscale__unscaled,
	  .set_up = set_active },
	{ .name = "RFC7413, HF-OP3, SEC-31", .test = listen__syn_with_text__acks_syn_only },
};

int main(int argc, char **argv)
{
	return rig_run("Options", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

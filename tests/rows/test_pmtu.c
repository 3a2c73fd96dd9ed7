/* SPDX-License-Identifier: BSD-3-Clause */
/* REQUIREMENTS 14: MSS and path MTU (RFC 9293 3.7.1, 3.7.5; RFC 1191, RFC 8201, RFC 5927 7). */
#include <string.h>

#include "rig/message.h"
#include "rig/rig.h"

static uint32_t headers(const struct rig *r)
{
	return (r->local.ip.version == 4 ? 40u : 60u) + (r->ts_agreed ? 12 : 0);
}

static uint32_t snd_mss(const struct rig *r)
{
	struct hf_status status;

	assert_int_equal(hf_lookup(r->w, &r->local, &r->peer, &status), 0);
	return status.snd_mss;
}

/* Fragmentation needed, packet too big: about our segment of this SEQ. */
static void send_too_big(struct rig *r, uint32_t seq, uint32_t mtu)
{
	const bool v4 = r->local.ip.version == 4;

	rig_flush(r);
	rig_push_error(r, r->peer.ip.octets, v4 ? 3 : 2, v4 ? 4 : 0, mtu, seq);
	rig_mark(r);
	rig_turn(r);
}

/* The next frames are these octets of text from SEQ on, in segments of at most mss. */
static void expect_text(struct rig *r, uint32_t seq, uint32_t len, uint32_t mss)
{
	while (len > 0) {
		struct seg want = rig_ack(r);

		want.seq = seq;
		want.text_len = (uint16_t)(len < mss ? len : mss);
		rig_expect(r, want);
		seq += want.text_len;
		len -= want.text_len;
	}
}

static void set_wide(struct rig *r)
{
	r->wnd = 20000;
}

/* ESTABLISHED, three full segments on their way. @return MSS */
static uint32_t in_flight(struct rig *r)
{
	uint32_t mss;

	rig_to(r, RIG_ESTABLISHED);
	mss = snd_mss(r);
	assert_int_equal(mss, 1500 - headers(r));
	rig_write(r, 3 * mss);
	rig_flush(r);
	expect_text(r, r->sn, 3 * mss, mss);
	r->sn += 3 * mss;
	return mss;
}

/* RFC1191-b, RFC1191-c: all that is on its way again at once, smaller, and cwnd as it was. */
static void accepted__resent_smaller_at_once(struct rig *r)
{
	const uint32_t mss = in_flight(r);
	struct hf_status before, after;

	assert_int_equal(hf_lookup(r->w, &r->local, &r->peer, &before), 0);
	rig_advance(r, MS(10));
	send_too_big(r, r->su, 1400);
	rig_expect_rose(r, "icmp_pmtu", 1);
	rig_expect_rose(r, "rx_consumed", 1);
	expect_text(r, r->su, 3 * mss, 1400 - headers(r));
	rig_expect_silence(r, MS(100));
	assert_int_equal(snd_mss(r), 1400 - headers(r));
	assert_int_equal(hf_lookup(r->w, &r->local, &r->peer, &after), 0);
	assert_int_equal(after.cwnd, before.cwnd);
	assert_int_equal(after.retransmits, before.retransmits);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	r->su = r->sn;
	rig_write(r, 1400); /* and new text is as small */
	rig_flush(r);
	expect_text(r, r->sn, 1400 - headers(r), 1400 - headers(r));
	rig_discard(r);
}

static void expect_ignored(struct rig *r, uint32_t seq, uint32_t mtu, uint32_t mss)
{
	send_too_big(r, seq, mtu);
	rig_expect_silence(r, 0);
	rig_expect_rose(r, "icmp_bad", 1);
	rig_expect_rose(r, "rx_drop_icmp", 1);
	if (mss != 0)
		assert_int_equal(snd_mss(r), mss);
}

/* Each condition of RFC1191-b broken in turn; then an MTU at the floor is taken. */
static void each_condition__broken__ignored(struct rig *r)
{
	const uint32_t floor = r->local.ip.version == 4 ? 552 : 1280;
	const uint32_t mss = in_flight(r);
	const uint16_t port = r->peer.port;

	expect_ignored(r, r->su - 1, 1400, mss);
	expect_ignored(r, r->sn, 1400, mss);
	expect_ignored(r, r->su, 1500, mss);
	expect_ignored(r, r->su, 9000, mss);
	expect_ignored(r, r->su, floor - 1, mss);
	if (r->local.ip.version == 6) /* RFC 1191's old routers spoke IPv4 */
		expect_ignored(r, r->su, 0, mss);
	r->peer.port++;
	expect_ignored(r, r->su, 1400, 0);
	r->peer.port = port;
	send_too_big(r, r->sn - 1, floor);
	rig_expect_rose(r, "icmp_pmtu", 1);
	expect_text(r, r->su, 3 * mss, floor - headers(r));
	expect_ignored(r, r->su, floor, floor - headers(r)); /* the same once more */
	expect_ignored(r, r->su, 1400, floor - headers(r));  /* nothing raises it (RFC1191-d) */
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	expect_ignored(r, r->sn - 1, 1280, floor - headers(r)); /* nothing on its way */
}

/* HF-PM1, RFC1191-d: down the plateaus to the floor; and there it stays, for hours. */
static void quoted_mtu_0__next_plateau(struct rig *r)
{
	static const uint32_t down[] = { 1492, 1006, 552 };
	uint32_t mss = in_flight(r);
	const uint32_t text = 3 * mss;

	if (r->local.ip.version == 6)
		return;
	for (unsigned i = 0; i < 3; i++) {
		send_too_big(r, r->su, 0);
		rig_expect_rose(r, "icmp_pmtu", 1);
		mss = down[i] - headers(r);
		expect_text(r, r->su, text, mss);
		assert_int_equal(snd_mss(r), mss);
	}
	expect_ignored(r, r->su, 0, mss);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	r->su = r->sn;
	rig_advance(r, SEC(3600));
	rig_write(r, 2 * mss);
	rig_flush(r);
	expect_text(r, r->sn, 2 * mss, mss);
	expect_ignored(r, r->su, 1500, mss);
	rig_discard(r);
}

static void set_largest(struct rig *r)
{
	r->wnd = 20000;
	r->config.mtu = r->memport.mtu = HF_MTU_MAX;
}

/* From 9000 there are more of them (RFC 1191 7.1). */
static void large_mtu__all_plateaus(struct rig *r)
{
	static const uint32_t down[] = { 8166, 4352, 2002, 1492, 1006, 552 };
	uint32_t mss;

	if (r->local.ip.version == 6)
		return;
	rig_to(r, RIG_ESTABLISHED);
	mss = snd_mss(r);
	assert_int_equal(mss, HF_MTU_MAX - headers(r));
	rig_write(r, mss);
	rig_flush(r);
	expect_text(r, r->sn, mss, mss);
	for (unsigned i = 0; i < sizeof(down) / sizeof(down[0]); i++) {
		send_too_big(r, r->su, 0);
		expect_text(r, r->su, mss, down[i] - headers(r));
	}
	rig_discard(r);
}

/* Nothing but SYN or FIN is on its way. */
static void no_text__ignored(struct rig *r)
{
	rig_to(r, RIG_SYN_SENT);
	expect_ignored(r, ISS, 1400, 0);
	rig_expect_state(r, HF_SYN_SENT);
	hf_abort(r->w, r->id);
	rig_advance(r, MS(1));
	rig_discard(r);
	rig_forget_events(r);
	rig_another(r);
	rig_to(r, RIG_FIN_WAIT_1);
	expect_ignored(r, r->sn - 1, 1400, 1500 - headers(r));
	rig_another(r);
	rig_to(r, RIG_SYN_RCVD_P);
	expect_ignored(r, ISS, 1400, 0);
	rig_expect_state(r, HF_SYN_RECEIVED);
	rig_discard(r);
}

/* HF-PM2: forged messages fill nothing, whatever they quote. */
static void forged__memory_flat(struct rig *r)
{
	const struct hf_levels before = rig_levels(r);
	const unsigned version = r->local.ip.version;
	const uint32_t used = hf_port_mbufs_used(r->port);
	uint8_t raw[MESSAGE_MAX], body[128], quote[64];
	struct hf_levels after;

	rig_mark(r);
	for (unsigned i = 0; i < 1000000; i++) {
		struct hf_ip to = r->peer.ip;
		size_t len;

		to.octets[2] = (uint8_t)(i >> 8);
		to.octets[3] = (uint8_t)i;
		len = message_quote(quote, version, r->local.ip.octets, to.octets, r->local.port,
				    (uint16_t)(i >> 4), i);
		len = message_body(body, version == 4 ? 3 : 2, version == 4 ? 4 : 0, 1400, quote,
				   len);
		message_seal(version, r->peer.ip.octets, r->local.ip.octets, body, len);
		rig_push_raw(r, raw,
			     message_ip(raw, version, r->peer.ip.octets, r->local.ip.octets,
					version == 4 ? 1 : 58, 64, body, len),
			     NULL);
		if (i % 32 == 31)
			rig_turn(r);
	}
	rig_flush(r);
	after = rig_levels(r);
	rig_expect_rose(r, "icmp_bad", 1000000);
	assert_int_equal(after.memory, before.memory);
	assert_int_equal(after.flows.used, before.flows.used);
	assert_int_equal(after.neighbours.used, before.neighbours.used);
	assert_int_equal(after.queued_mbufs, before.queued_mbufs);
	assert_int_equal(hf_port_mbufs_used(r->port), used);
}

/* ---- MSS ---- */

/* MUST-16: no frame is larger than the peer's MSS and our MTU allow, options counted; each is full. */
static void peer_mss__bounds_each_segment(struct rig *r)
{
	static const uint16_t offers[] = { 0,	 1,    215,  216,  536,	 1000, 1439,
					   1440, 1441, 1459, 1460, 1461, 9000, 65535 };
	const uint32_t ours = r->local.ip.version == 4 ? 1460 : 1440;

	rig_listen(r);
	for (unsigned i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		uint32_t mss = offers[i] ? offers[i] : (r->local.ip.version == 4 ? 536 : 1220);
		struct seg syn = rig_syn(r);

		mss = mss < 216 ? 216 : mss > ours ? ours : mss;
		mss -= r->timestamps ? 12 : 0;
		syn.mss = offers[i];
		r->sn = ISS + 1, r->rn = IRS + 1;
		rig_send(r, syn);
		rig_expect_sa(r);
		r->ts_agreed = r->timestamps;
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
		rig_event(r, HF_EV_ACCEPT);
		rig_accept(r);
		rig_write(r, 2 * mss);
		rig_flush(r);
		expect_text(r, r->sn, 2 * mss, mss);
		hf_abort(r->w, r->id);
		rig_discard(r);
		rig_forget_events(r);
		rig_another(r);
	}
}

/* MUST-67, SHLD-6: what we offer is the MTU less 40 or 60, in SYN and SYN-ACK; our own frames fit, and full
 * ones of the peer's are taken. A port that was made for larger packets carries smaller ones. */
static void set_mtu(struct rig *r)
{
	r->wnd = 20000;
	r->config.mtu = *(const uint16_t *)r->row->arg;
	r->config.ipv6.connections = r->config.mtu < 1280 ? 0 : 16;
	r->config.tcp.rcv_buf = 20000;
	r->memport.mtu = r->config.mtu;
	r->memport.multi_segs = r->config.mtu % 2 == 0;
}

static void mtu__what_we_offer(struct rig *r)
{
	const uint32_t mtu = r->config.mtu, v6 = r->local.ip.version == 6;
	const uint16_t mss = (uint16_t)(mtu - (v6 ? 60 : 40));
	uint16_t text;

	if (v6 && mtu < 1280)
		return;
	rig_connect(r);
	assert_int_equal(rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN })->seg.mss, mss);
	hf_abort(r->w, r->id);
	rig_discard(r);
	rig_forget_events(r);
	rig_another(r);
	rig_listen(r);
	rig_send(r, rig_syn(r));
	assert_int_equal(rig_expect_sa(r)->seg.mss, mss);
	r->sn = ISS + 1, r->rn = IRS + 1;
	r->ts_agreed = r->timestamps;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_event(r, HF_EV_ACCEPT);
	rig_accept(r);
	text = (uint16_t)(mtu - headers(r));
	rig_write(r, 2u * text);
	rig_flush(r);
	expect_text(r, r->sn, 2u * text, text);
	r->sn += 2u * text;
	for (unsigned i = 0; i < 2; i++) {
		rig_push(r, (struct seg){
				    .seq = r->rn, .ack = r->sn, .text_len = text, .flags = SEG_ACK });
		r->rn += text;
	}
	rig_turn(r);
	rig_event(r, HF_EV_READABLE);
	rig_expect_ack(r);
	rig_read(r, 2u * text);
	rig_discard(r);
}

int main(int argc, char **argv)
{
	static const uint16_t mtus[] = { 576, 1280, 1400, 1499, 1500, 1501, 4352, 8999, 9000 };
	const struct row rows[] = {
		{ "RFC1191-c", accepted__resent_smaller_at_once, NULL, set_wide, 0 },
		/* the rig refuses every frame without DF */
		{ "RFC1191-a", accepted__resent_smaller_at_once, NULL, set_wide, ROW_PLAIN },
		{ "RFC1191-b", each_condition__broken__ignored, NULL, set_wide, 0 },
		{ "HF-PM1, RFC1191-d", quoted_mtu_0__next_plateau, NULL, set_wide, 0 },
		{ "RFC5927-7", no_text__ignored, NULL, set_wide, 0 },
		{ "HF-PM2", forged__memory_flat, NULL, NULL, ROW_ONCE },
		{ "MUST-16", peer_mss__bounds_each_segment, NULL, set_wide, 0 },
		{ "MUST-67-576, HF-FR2", mtu__what_we_offer, &mtus[0], set_mtu, 0 },
		{ "MUST-67-1280, HF-FR2", mtu__what_we_offer, &mtus[1], set_mtu, 0 },
		{ "MUST-67-1400, HF-FR2", mtu__what_we_offer, &mtus[2], set_mtu, 0 },
		{ "MUST-67-1499, HF-FR2", mtu__what_we_offer, &mtus[3], set_mtu, 0 },
		{ "MUST-67-1500, HF-FR2", mtu__what_we_offer, &mtus[4], set_mtu, 0 },
		{ "MUST-67-1501, HF-FR2", mtu__what_we_offer, &mtus[5], set_mtu, 0 },
		{ "MUST-67-4352, HF-FR2", mtu__what_we_offer, &mtus[6], set_mtu, 0 },
		{ "MUST-67-8999, HF-FR2", mtu__what_we_offer, &mtus[7], set_mtu, 0 },
		{ "MUST-67-9000, HF-FR2", mtu__what_we_offer, &mtus[8], set_mtu, 0 },
		{ "HF-PM1-9000, RFC1191-d", large_mtu__all_plateaus, NULL, set_largest, ROW_PLAIN },
	};

	return rig_run("MSS and path MTU", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

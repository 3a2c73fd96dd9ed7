/* SPDX-License-Identifier: BSD-3-Clause */
/* REQUIREMENTS 16: ARP (RFC 826), and what holds for ARP and neighbour discovery alike: rows without
 * ROW_ONCE run both, as the variant's IP version says. */
#include <errno.h>
#include <string.h>

#include "rig/lan.h"

static const uint8_t nobody[6];

static uint32_t neighbours(const struct rig *r)
{
	return rig_levels(r).neighbours.used;
}

static void expect_to(struct rig *r, const struct frame *f, const uint8_t mac[6])
{
	if (memcmp(f->raw, mac, 6) != 0)
		rig_fail(r, "a frame went to %02x:...:%02x", f->raw[0], f->raw[5]);
}

/* An active open whose next hop is asked for and answers. */
static void open_resolved(struct rig *r, struct hf_ip hop)
{
	struct seg synack = rig_syn(r);

	rig_connect(r);
	lan_expect_request(r, hop, NULL);
	rig_expect_silence(r, MS(10));
	lan_answer(r, hop, lan_peer);
	expect_to(r, rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN }), lan_peer);
	synack.flags |= SEG_ACK;
	synack.ack = ISS + 1;
	synack.tsecr = r->tsecr;
	rig_send(r, synack);
	r->su = r->sn;
	r->rn = IRS + 1;
	r->ts_agreed = r->timestamps;
	rig_event(r, HF_EV_CONNECTED);
	expect_to(r, rig_expect_ack(r), lan_peer);
}

/* One octet of text; to whom it goes is the caller's to see. */
static const struct frame *speak(struct rig *r)
{
	struct seg text = rig_ack(r);
	const struct frame *f;

	rig_write(r, 1);
	rig_flush(r);
	text.text_len = 1;
	f = rig_expect(r, text);
	r->sn++;
	return f;
}

static void peer_acks(struct rig *r)
{
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	r->su = r->sn;
}

/* ---- Messages that come in ---- */

static size_t request_for(const struct rig *r, uint8_t raw[MESSAGE_MAX], uint8_t last)
{
	return message_arp(raw, lan_all, 1, lan_peer, lan_ip(r, 9).octets, nobody,
			   lan_ip(r, last).octets);
}

static void expect_refused(struct rig *r, const uint8_t *raw, size_t len, const char *counter)
{
	rig_mark(r);
	rig_push_raw(r, raw, len, NULL);
	rig_turn(r);
	rig_expect_silence(r, 0);
	rig_expect_rose(r, counter, 1);
	assert_int_equal(neighbours(r), 0);
}

static void each_field__broken__refused(struct rig *r)
{
	uint8_t raw[MESSAGE_MAX];

	lan_begin(r);
	for (unsigned i = 0; i < 8; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			const size_t len = request_for(r, raw, 1);

			raw[MESSAGE_ETHER + i] ^= (uint8_t)(1 << bit);
			expect_refused(r, raw, len, "arp_refused");
		}
	}
	for (size_t len = 0; len < MESSAGE_ETHER + 28; len++) {
		request_for(r, raw, 1);
		expect_refused(r, raw, len, "rx_drop_eth");
	}
}

/* Sender addresses that no station has. */
static void sender__no_station__refused(struct rig *r)
{
	uint8_t raw[MESSAGE_MAX];
	size_t len;

	lan_begin(r);
	len = request_for(r, raw, 1);
	memcpy(raw + MESSAGE_ETHER + 8, lan_all, 6);
	expect_refused(r, raw, len, "arp_refused");
	raw[MESSAGE_ETHER + 8] = 1; /* a group */
	expect_refused(r, raw, len, "arp_refused");
	memcpy(raw + MESSAGE_ETHER + 8, lan_us, 6);
	expect_refused(r, raw, len, "arp_refused");
	memcpy(raw + MESSAGE_ETHER + 8, nobody, 6);
	expect_refused(r, raw, len, "arp_refused");
}

static void expect_answer(struct rig *r, uint8_t last, const uint8_t *asker_ip)
{
	uint8_t want[MESSAGE_MAX];
	const size_t len =
		message_arp(want, lan_peer, 2, lan_us, lan_ip(r, last).octets, lan_peer, asker_ip);
	const struct frame *f = rig_pop(r);

	assert_non_null(f);
	assert_int_equal(f->len, len);
	assert_memory_equal(f->raw, want, len);
	rig_expect_rose(r, "rx_answered", 1);
	rig_expect_rose(r, "arp_out", 1);
	assert_int_equal(neighbours(r), 0);
}

static void request__for_ours__answered_to_the_asker(struct rig *r)
{
	static const uint8_t zero[4];
	uint8_t raw[MESSAGE_MAX];
	size_t len;

	lan_begin(r);
	for (uint8_t last = 1; last <= 4; last++) {
		rig_mark(r);
		rig_push_raw(r, raw, request_for(r, raw, last), NULL);
		rig_turn(r);
		expect_answer(r, last, lan_ip(r, 9).octets);
	}
	rig_mark(r); /* of us alone, by somebody who has no address yet (RFC 5227 2.1) */
	len = message_arp(raw, lan_us, 1, lan_peer, zero, nobody, lan_ip(r, 2).octets);
	rig_push_raw(r, raw, len, NULL);
	rig_turn(r);
	expect_answer(r, 2, zero);
	for (unsigned last = 5; last < 256; last++)
		expect_refused(r, raw, request_for(r, raw, (uint8_t)last), "arp_refused");
	rig_expect_silence(r, SEC(5));
}

static void sender__has_our_address__conflict(struct rig *r)
{
	uint8_t raw[MESSAGE_MAX];

	lan_begin(r);
	expect_refused(r, raw,
		       message_arp(raw, lan_all, 1, lan_peer, lan_ip(r, 1).octets, nobody,
				   lan_ip(r, 1).octets),
		       "arp_conflict");
	expect_refused(r, raw,
		       message_arp(raw, lan_us, 2, lan_peer, lan_ip(r, 1).octets, lan_us,
				   lan_ip(r, 2).octets),
		       "arp_conflict");
}

/* RFC826-c, both versions. */
static void unsolicited__creates_nothing(struct rig *r)
{
	lan_begin(r);
	lan_announce(r, lan_ip(r, 9), lan_peer);
	lan_answer(r, lan_ip(r, 9), lan_peer);
	rig_expect_silence(r, 0);
	assert_int_equal(neighbours(r), 0);
	lan_ask(r, lan_ip(r, 9), lan_peer, lan_ip(r, 1));
	rig_discard(r); /* our answer */
	assert_int_equal(neighbours(r), 0);
	rig_connect(r);
	lan_expect_request(r, lan_ip(r, 9), NULL);
	lan_announce(r, lan_ip(r, 9), lan_other); /* to all: no answer to us */
	rig_expect_silence(r, MS(10));
	lan_answer(r, lan_ip(r, 8), lan_other);
	rig_expect_silence(r, MS(10));
	assert_int_equal(neighbours(r), 1);
	lan_answer(r, lan_ip(r, 9), lan_peer);
	expect_to(r, rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN }), lan_peer);
	assert_int_equal(neighbours(r), 1);
}

/* ---- RFC826-d ---- */

static void nobody_answers__three_requests_then_the_opener_hears(struct rig *r)
{
	const uint64_t start_us = r->now_us;

	lan_begin(r);
	rig_mark(r);
	rig_connect(r);
	for (unsigned i = 0; i < 3; i++) {
		lan_expect_request(r, lan_ip(r, 9), NULL);
		rig_expect_silence(r, MS(999));
		assert_int_equal(r->now_us - start_us, MS(1000 * i + 999));
		rig_advance(r, MS(1));
	}
	assert_int_equal(r->out_count, 0);
	rig_advance(r, MS(1));
	rig_event_closed(r, EHOSTUNREACH);
	rig_expect_state(r, HF_CLOSED);
	rig_expect_rose(r, "neighbour_failed", 1);
	rig_expect_rose(r, "failed_unreachable", 1);
	rig_expect_silence(r, SEC(60));
	assert_int_equal(neighbours(r), 0);
	rig_another(r); /* and it is asked anew */
	rig_connect(r);
	lan_expect_request(r, lan_ip(r, 9), NULL);
	rig_advance(r, SEC(4));
	rig_discard(r);
}

static void set_up_many(struct rig *r)
{
	lan_set_up(r);
	r->config.ipv4.connections = r->config.ipv6.connections = 32;
}

static void connect_many(struct rig *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		rig_connect(r);
		rig_flush(r);
		r->peer.port++;
	}
	r->peer.port = (uint16_t)(r->peer.port - n);
}

static void more_than_16_wait__oldest_dropped(struct rig *r)
{
	lan_begin(r);
	rig_mark(r);
	connect_many(r, 20);
	lan_expect_request(r, lan_ip(r, 9), NULL);
	rig_expect_silence(r, 0);
	rig_expect_rose(r, "neighbour_drop", 4);
	assert_int_equal(rig_levels(r).queued_mbufs, 16);
	lan_answer(r, lan_ip(r, 9), lan_peer);
	r->peer.port = (uint16_t)(r->peer.port + 4);
	for (unsigned i = 0; i < 16; i++) {
		expect_to(r, rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN }), lan_peer);
		r->peer.port++;
	}
	assert_int_equal(rig_levels(r).queued_mbufs, 0);
	rig_expect_silence(r, 0);
	for (unsigned i = 0; i < r->id_count; i++)
		hf_abort(r->w, r->ids[i]);
}

/* All openers toward it hear, those whose SYN waits no more too; others do not. */
static void nobody_answers__all_openers_hear(struct rig *r)
{
	uint16_t port;

	lan_begin(r);
	connect_many(r, 20);
	port = r->peer.port;
	r->peer.ip = lan_ip(r, 8);
	rig_advance(r, MS(500));
	rig_connect(r);
	rig_discard(r);
	rig_advance(r, MS(2502));
	for (unsigned i = 0; i < 20; i++)
		rig_event_closed(r, EHOSTUNREACH);
	rig_no_event(r);
	rig_discard(r);
	rig_expect_state(r, HF_SYN_SENT);
	rig_advance(r, MS(500));
	rig_event_closed(r, EHOSTUNREACH);
	r->peer.port = port;
	rig_discard(r);
}

/* So many that it takes 64 turns to look for openers. */
static void set_up_wide(struct rig *r)
{
	lan_set_up(r);
	r->config.ipv4.connections = r->config.ipv6.connections = 2048;
}

/* Whether one of the frames that wait asks everybody for this address. */
static bool asked_for(struct rig *r, struct hf_ip ip)
{
	const bool v4 = ip.version == 4;
	const struct frame *f;
	bool asked = false;

	while ((f = rig_pop(r)) != NULL)
		asked |= (f->raw[0] & 1) && memcmp(f->raw + MESSAGE_ETHER + (v4 ? 24 : 40 + 8),
						   ip.octets, v4 ? 4 : 16) == 0;
	return asked;
}

/* Others fail all the time, more often than that: who was not there two seconds ago is asked again nevertheless. */
static void others_fail_too__asked_again(struct rig *r)
{
	lan_begin(r);
	rig_connect(r);
	lan_expect_request(r, lan_ip(r, 9), NULL);
	for (unsigned turn = 0; turn < 600; turn++) {
		if (turn % 30 == 0) {
			r->peer.ip = lan_ip(r, (uint8_t)(10 + turn / 30));
			rig_connect(r);
		}
		rig_discard(r);
		rig_forget_events(r);
		r->now_us += MS(10);
	}
	r->peer.ip = lan_ip(r, 9);
	rig_expect_state(r, HF_CLOSED);
	rig_connect(r);
	assert_true(asked_for(r, r->peer.ip));
	rig_advance(r, SEC(5));
	rig_discard(r);
	rig_forget_events(r);
	assert_int_equal(neighbours(r), 0);
}

static void set_up_few(struct rig *r)
{
	lan_set_up_gateway(r);
	r->config.neighbours = 8;
	r->config.tcp.rst_budget = 10000000;
}

/* Hosts that are not there: as those we open to, and as those that SYNs come from. */
static void fake_hosts__bounded_and_gateway_stays(struct rig *r)
{
	const struct hf_addr real = r->peer;
	struct hf_addr fake = { .port = 9 };
	struct hf_ip gateway = lan_ip(r, 254);

	lan_begin(r);
	open_resolved(r, gateway);
	for (unsigned i = 0; i < 200; i++) {
		r->peer = (struct hf_addr){ lan_ip(r, (uint8_t)(10 + i)), 9 };
		rig_connect(r);
		rig_flush(r);
		lan_expect_request(r, r->peer.ip, NULL);
		assert_int_equal(hf_abort(r->w, r->id), 0);
		assert_true(neighbours(r) <= 8);
		rig_discard(r);
		rig_forget_events(r);
	}
	rig_advance(r, SEC(5));
	rig_discard(r);
	assert_int_equal(neighbours(r), 2); /* both gateways */
	rig_mark(r);
	fake.ip = lan_ip(r, 0);
	for (unsigned i = 0; i < 100000; i++) {
		fake.ip.octets[fake.ip.version == 4 ? 3 : 15] = (uint8_t)(10 + i % 200);
		fake.port = (uint16_t)(1 + i / 200);
		rig_push_from(r, &fake, (struct seg){ .seq = i, .flags = SEG_SYN }, NULL);
		if (i % 32 == 31)
			rig_discard(r);
	}
	rig_discard(r);
	rig_expect_rose(r, "rx_answered", 100000);
	assert_int_equal(neighbours(r), 2);
	r->peer = real;
	r->id = r->ids[0];
	expect_to(r, speak(r), lan_peer); /* the gateway's address is still known */
	peer_acks(r);
}

/* ---- Where frames go ---- */

static void off_link__goes_to_the_gateway(struct rig *r)
{
	struct hf_ip off = r->peer.ip;

	lan_begin(r);
	open_resolved(r, lan_ip(r, 254));
	r->peer = (struct hf_addr){ lan_ip(r, 9), 40001 };
	rig_connect(r);
	lan_expect_request(r, r->peer.ip, NULL);
	r->peer = (struct hf_addr){ off, 40002 };
	rig_connect(r);
	expect_to(r, rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN }), lan_peer);
	assert_int_equal(hf_abort(r->w, r->ids[1]), 0);
	assert_int_equal(hf_abort(r->w, r->id), 0);
	rig_forget_events(r);
}

static void set_up_bare(struct rig *r)
{
	lan_set_up(r);
	memset(r->config.local_prefix, 0, sizeof(r->config.local_prefix));
	hf_addr_parse(r->local.ip.version == 4 ? "203.0.113.9:40000" : "[2001:db8::9]:40000",
		      &r->peer);
}

static void no_prefix__everything_is_on_the_link(struct rig *r)
{
	lan_begin(r);
	open_resolved(r, r->peer.ip);
}

static void gateway_without_prefix__refused(struct rig *r)
{
	struct hf_config config = r->config;
	struct hf_worker *w;
	struct hf_error why;

	lan_begin(r);
	config.local_prefix[r->local.ip.version == 6] = 0;
	assert_int_equal(hf_worker_create(&config, r->port, &w, &why), -EINVAL);
	assert_non_null(strstr(why.text, "local_prefix"));
	config = r->config;
	config.local_prefix[0] = 33;
	assert_int_equal(hf_worker_create(&config, r->port, &w, &why), -EINVAL);
	config = r->config;
	config.gateway[0].version = 6;
	assert_int_equal(hf_worker_create(&config, r->port, &w, &why), -EINVAL);
	config = r->config;
	config.neighbours = 1;
	assert_int_equal(hf_worker_create(&config, r->port, &w, &why), -EINVAL);
}

/* ---- RFC826-e, HF-N1, HF-N2 ---- */

static void stale__probed_alone_while_text_flows(struct rig *r)
{
	lan_begin(r);
	open_resolved(r, lan_ip(r, 9));
	rig_advance(r, MS(29900));
	expect_to(r, speak(r), lan_peer);
	peer_acks(r);
	rig_expect_silence(r, MS(200));
	expect_to(r, speak(r), lan_peer);
	lan_expect_request(r, lan_ip(r, 9), lan_peer);
	peer_acks(r);
	expect_to(r, speak(r), lan_peer);
	peer_acks(r);
	lan_answer(r, lan_ip(r, 9), lan_peer);
	rig_expect_silence(r, SEC(29));
	expect_to(r, speak(r), lan_peer);
	peer_acks(r);
	rig_expect_silence(r, SEC(2));
	expect_to(r, speak(r), lan_peer);
	lan_expect_request(r, lan_ip(r, 9), lan_peer);
	peer_acks(r);
	for (unsigned i = 0; i < 2; i++) {
		rig_advance(r, SEC(1));
		lan_expect_request(r, lan_ip(r, 9), lan_peer);
	}
	rig_expect_silence(r, SEC(1)); /* now it is as if never known */
	rig_write(r, 1);
	rig_flush(r);
	lan_expect_request(r, lan_ip(r, 9), NULL);
	lan_answer(r, lan_ip(r, 9), lan_other);
	expect_to(r,
		  rig_expect(r,
			     (struct seg){
				     .seq = r->sn, .ack = r->rn, .flags = SEG_ACK, .text_len = 1 }),
		  lan_other);
	r->sn++;
	peer_acks(r);
	rig_expect_state(r, HF_ESTABLISHED);
}

static void new_mac__connection_lives_and_follows(struct rig *r)
{
	lan_begin(r);
	open_resolved(r, lan_ip(r, 9));
	for (unsigned i = 0; i < 10; i++) {
		const uint8_t *const mac = i & 1 ? lan_peer : lan_other;

		lan_announce(r, lan_ip(r, 9), mac);
		expect_to(r, speak(r), mac);
		lan_expect_request(r, lan_ip(r, 9), mac); /* and whether it is true is asked */
		lan_answer(r, lan_ip(r, 9), mac);
		peer_acks(r);
		expect_to(r, speak(r), mac);
		peer_acks(r);
		rig_expect_silence(r, MS(100));
	}
	rig_expect_state(r, HF_ESTABLISHED);
	assert_int_equal(neighbours(r), 1);
}

static void syn__from_unknown__answered_at_once(struct rig *r)
{
	struct seg syn = rig_syn(r);

	lan_begin(r);
	rig_listen(r);
	rig_send(r, syn);
	expect_to(r, rig_expect_sa(r), lan_peer);
	assert_int_equal(neighbours(r), 0);
	rig_send(r, (struct seg){ .seq = IRS + 1, .ack = ISS + 9, .flags = SEG_ACK }); /* draws a RST */
	expect_to(r, rig_expect(r, (struct seg){ .seq = ISS + 9, .flags = SEG_RST }), lan_peer);
	assert_int_equal(neighbours(r), 0);
	rig_another(r);
	memcpy(r->in_form.from, lan_all, 6); /* no station: then it has to be asked for */
	r->in_form.from[0] = 3;
	rig_send(r, rig_syn(r));
	lan_expect_request(r, lan_ip(r, 9), NULL);
	rig_expect_silence(r, 0);
	lan_answer(r, lan_ip(r, 9), lan_other);
	expect_to(r, rig_expect_sa(r), lan_other);
}

/* ---- Budget, faults, the end ---- */

static void flood__answers_stay_within_budget(struct rig *r)
{
	uint64_t answered, sent = 0;

	lan_begin(r);
	rig_mark(r);
	for (unsigned i = 0; i < 100; i++) { /* 3200 a second, the budget is 1000 */
		for (unsigned k = 0; k < 32; k++, sent++)
			lan_ask(r, lan_ip(r, 9), lan_peer, lan_ip(r, 1));
		rig_discard(r);
		rig_advance(r, MS(10));
	}
	answered = rig_counter(r, "rx_answered");
	assert_in_range(answered, 500, 1600);
	rig_expect_rose(r, "arp_suppressed", sent - answered);
	rig_expect_rose(r, "rx_drop_budget", sent - answered);
	rig_expect_rose(r, "rst_suppressed", 0);
	rig_send(r, (struct seg){ .seq = IRS, .flags = SEG_SYN }); /* other budgets are untouched */
	assert_non_null(rig_pop(r));
}

static void every_allocation__fails__nothing_leaks(struct rig *r)
{
	lan_begin(r);
	for (uint64_t n = 1; n < 16; n++) {
		rig_another(r);
		hf_fail_allocation(r->w, n);
		if (hf_connect(r->w, &r->local, &r->peer, 1, &r->id) == 0) {
			rig_flush(r);
			lan_ask(r, lan_ip(r, 9), lan_peer, lan_ip(r, 1));
			lan_answer(r, lan_ip(r, 9), lan_peer);
			rig_advance(r, SEC(1));
			hf_abort(r->w, r->id);
		}
		hf_fail_allocation(r->w, 0);
		rig_advance(r, SEC(5));
		rig_discard(r);
		lan_announce(r, lan_ip(r, 9), lan_other);
		rig_connect(r); /* until the entry is forgotten */
		rig_advance(r, SEC(40));
		hf_abort(r->w, r->id);
		rig_advance(r, SEC(5));
		rig_discard(r);
		rig_forget_events(r);
	}
}

static void worker__destroyed_while_frames_wait__nothing_leaks(struct rig *r)
{
	const uint32_t before = hf_port_mbufs_used(r->port);
	uint8_t raw[FRAME_MAX];
	struct hf_levels levels;
	struct hf_event event;
	struct hf_worker *w;
	struct hf_error why;
	uint64_t id;

	lan_begin(r);
	assert_int_equal(hf_worker_create(&r->config, r->port, &w, &why), 0);
	hf_turn(w, SEC(1), &event, 1);
	assert_int_equal(hf_connect(w, &r->local, &r->peer, 1, &id), 0);
	hf_flush(w, SEC(1));
	hf_levels(w, &levels);
	assert_int_equal(levels.queued_mbufs, 1);
	assert_int_equal(hf_check(w, &why), 0);
	hf_worker_destroy(w);
	assert_true(hf_memport_pop(r->port, raw, sizeof(raw)) > 0);
	assert_int_equal(hf_port_mbufs_used(r->port), before);
}

static void set_up_chains(struct rig *r)
{
	lan_set_up(r);
	r->memport.multi_segs = true;
}

static void set_up_chains_and_sums(struct rig *r)
{
	set_up_chains(r);
	r->memport.tx_checksum = true;
}

/* What a frame that waits leans on is counted too when the connection whose text it is has gone. */
static void text__waits_longer_than_its_connection__counted(struct rig *r)
{
	const uint32_t before = hf_port_mbufs_used(r->port);
	struct seg text;

	lan_begin(r);
	open_resolved(r, lan_ip(r, 9));
	rig_advance(r, SEC(31));
	expect_to(r, speak(r), lan_peer);
	peer_acks(r);
	rig_advance(r, SEC(3)); /* and nobody has said that it is still there */
	rig_discard(r);
	text = rig_ack(r);
	text.text_len = 1000;
	rig_write(r, 1000);
	rig_flush(r);
	lan_expect_request(r, lan_ip(r, 9), NULL);
	assert_int_equal(hf_port_mbufs_used(r->port) - before, rig_levels(r).queued_mbufs);
	assert_int_equal(hf_abort(r->w, r->id), 0);
	rig_flush(r);
	assert_int_equal(hf_port_mbufs_used(r->port) - before, rig_levels(r).queued_mbufs);
	lan_answer(r, lan_ip(r, 9), lan_peer);
	expect_to(r, rig_expect(r, text), lan_peer);
	rig_discard(r); /* the RST */
}

static void set_up_vlan(struct rig *r)
{
	lan_set_up(r);
	r->config.vlan = 100;
}

static void vlan__asks_and_answers_with_the_tag(struct rig *r)
{
	uint8_t plain[MESSAGE_MAX], raw[MESSAGE_MAX];
	size_t len = request_for(r, plain, 1);
	const struct frame *f;

	lan_begin(r);
	memcpy(raw, plain, 12);
	memcpy(raw + 12, "\x81\0\0\x64", 4);
	memcpy(raw + 16, plain + 12, len - 12);
	rig_push_raw(r, raw, len + 4, NULL);
	rig_turn(r);
	f = rig_pop(r);
	assert_non_null(f);
	assert_int_equal(f->len, 46);
	assert_memory_equal(f->raw + 12, "\x81\0\0\x64\x08\x06", 6);
	expect_refused(r, plain, len, "rx_drop_vlan");
}

int main(int argc, char **argv)
{
	const struct row rows[] = {
		{ "RFC826-a", each_field__broken__refused, NULL, lan_set_up, ROW_ONCE },
		{ "RFC826-a-sender", sender__no_station__refused, NULL, lan_set_up, ROW_ONCE },
		{ "RFC826-b", request__for_ours__answered_to_the_asker, NULL, lan_set_up, ROW_ONCE },
		{ "RFC5227-count", sender__has_our_address__conflict, NULL, lan_set_up, ROW_ONCE },
		{ "RFC826-c", unsolicited__creates_nothing, NULL, lan_set_up, 0 },
		{ "RFC826-d-blackhole", nobody_answers__three_requests_then_the_opener_hears, NULL,
		  lan_set_up, 0 },
		{ "RFC826-d-16", more_than_16_wait__oldest_dropped, NULL, set_up_many, 0 },
		{ "RFC826-d-openers", nobody_answers__all_openers_hear, NULL, set_up_many, 0 },
		{ "RFC826-d-others", others_fail_too__asked_again, NULL, set_up_wide, ROW_PLAIN },
		{ "RFC826-d-fake, SEC-33", fake_hosts__bounded_and_gateway_stays, NULL, set_up_few,
		  ROW_TS },
		{ "RFC826-gateway", off_link__goes_to_the_gateway, NULL, lan_set_up_gateway, 0 },
		{ "RFC826-bare", no_prefix__everything_is_on_the_link, NULL, set_up_bare, 0 },
		{ "HF-KN1-routes", gateway_without_prefix__refused, NULL, lan_set_up_gateway,
		  ROW_PLAIN },
		{ "RFC826-e", stale__probed_alone_while_text_flows, NULL, lan_set_up, 0 },
		{ "HF-N1", new_mac__connection_lives_and_follows, NULL, lan_set_up, 0 },
		{ "HF-N2", syn__from_unknown__answered_at_once, NULL, lan_set_up, ROW_PLAIN },
		{ "HF-RL5-arp", flood__answers_stay_within_budget, NULL, lan_set_up, ROW_PLAIN },
		{ "HF-H3-neighbour", every_allocation__fails__nothing_leaks, NULL, lan_set_up,
		  ROW_PLAIN },
		{ "HF-LK5-neighbour", worker__destroyed_while_frames_wait__nothing_leaks, NULL,
		  lan_set_up, ROW_PLAIN },
		{ "HF-LK1-neighbour", text__waits_longer_than_its_connection__counted, NULL,
		  set_up_chains, 0 },
		{ "HF-CK4-neighbour", text__waits_longer_than_its_connection__counted, NULL,
		  set_up_chains_and_sums, 0 },
		{ "HF-E3-arp", vlan__asks_and_answers_with_the_tag, NULL, set_up_vlan, ROW_ONCE },
	};

	return rig_run("ARP and neighbours", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* REQUIREMENTS 16: neighbour discovery (RFC 4861), what it shares with ARP apart (test_arp.c). */
#include <string.h>

#include "rig/lan.h"

static const uint8_t all_nodes[16] = { 0xff, 2, [15] = 1 }, all_mac[6] = { 0x33, 0x33, [5] = 1 };
static const uint8_t unspecified[16];

/* The solicited-node group of our address that ends so; all of ours and the peer's begin alike. */
static void group(uint8_t last, uint8_t ip[16], uint8_t mac[6])
{
	static const uint8_t head[16] = { 0xff, 2, [11] = 1, [12] = 0xff };
	static const uint8_t mac_head[6] = { 0x33, 0x33, 0xff };

	memcpy(ip, head, 16);
	ip[15] = last;
	memcpy(mac, mac_head, 6);
	mac[5] = last;
}

static uint32_t neighbours(const struct rig *r)
{
	return rig_levels(r).neighbours.used;
}

/* Our advertisement of the address that ends so. */
static void expect_advert(struct rig *r, uint8_t last, const uint8_t *to_mac, const uint8_t *to,
			  uint8_t flags)
{
	const struct hf_ip target = lan_ip(r, last);
	const struct frame *f = rig_pop(r);
	uint8_t want[MESSAGE_MAX], body[64];
	size_t len = message_nd(body, 136, flags, target.octets, 2, lan_us);

	message_seal(6, target.octets, to, body, len);
	message_ether(want, to_mac, lan_us, 0x86dd);
	len = MESSAGE_ETHER +
	      message_ip(want + MESSAGE_ETHER, 6, target.octets, to, 58, 255, body, len);
	if (!f)
		rig_fail(r, "no advertisement of ...::%u", last);
	assert_int_equal(f->len, len);
	assert_memory_equal(f->raw, want, len);
	rig_expect_rose(r, "rx_answered", 1);
	rig_expect_rose(r, "nd_out", 1);
	assert_int_equal(neighbours(r), 0);
}

static void solicitation__for_ours__answered(struct rig *r)
{
	const struct hf_ip peer = lan_ip(r, 9);
	uint8_t body[64], ip[16], mac[6];
	size_t len;

	lan_begin(r);
	for (uint8_t last = 1; last <= 4; last++) {
		const struct hf_ip target = lan_ip(r, last);

		for (unsigned i = 0; i < 4; i++) { /* to the group or the address, with its MAC or not */
			len = message_nd(body, 135, 0, target.octets, i & 1, lan_other);
			group(last, ip, mac);
			rig_mark(r);
			lan_push_nd(r, i & 2 ? mac : lan_us, lan_peer, peer.octets,
				    i & 2 ? ip : target.octets, body, len);
			rig_turn(r);
			expect_advert(r, last, i & 1 ? lan_other : lan_peer, peer.octets, 0x60);
		}
		group(last, ip, mac); /* somebody wants to have it (RFC 4862 5.4.2) */
		len = message_nd(body, 135, 0, target.octets, 0, NULL);
		rig_mark(r);
		lan_push_nd(r, mac, lan_peer, unspecified, ip, body, len);
		rig_turn(r);
		expect_advert(r, last, all_mac, all_nodes, 0x20);
	}
}

static void expect_refused(struct rig *r, const char *counter)
{
	rig_turn(r);
	rig_expect_silence(r, 0);
	rig_expect_rose(r, counter, 1);
	assert_int_equal(neighbours(r), 0);
}

static void solicitation__not_for_us__dropped(struct rig *r)
{
	const struct hf_ip peer = lan_ip(r, 9);
	uint8_t body[64], ip[16], mac[6];

	lan_begin(r);
	for (unsigned last = 5; last < 256; last++) {
		const struct hf_ip target = lan_ip(r, (uint8_t)last);
		const size_t len = message_nd(body, 135, 0, target.octets, 1, lan_peer);

		group((uint8_t)last, ip, mac);
		rig_mark(r);
		lan_push_nd(r, mac, lan_peer, peer.octets, ip, body, len);
		expect_refused(r, "nd_refused");
	}
}

/* What RFC 4861 7.1.1 and 7.1.2 demand, broken in turn, of a message that is good else. */
static void each_rule__broken__dropped(struct rig *r)
{
	const struct hf_ip peer = lan_ip(r, 9), us = lan_ip(r, 1);

	lan_begin(r);
	for (uint8_t type = 135; type <= 136; type++) {
		const struct hf_ip *const target = type == 135 ? &us : &peer;

		for (unsigned i = 0; i < 8; i++) {
			uint8_t raw[MESSAGE_MAX], body[64] = { 0 };
			const uint8_t *from_mac = lan_peer;
			size_t len =
				message_nd(body, type, 0x60, target->octets, type - 134, lan_peer);
			uint8_t hops = 255;

			if (i == 0)
				hops = 254;
			else if (i == 1)
				body[1] = 1;
			else if (i == 2)
				len = 23;
			else if (i == 3)
				body[25] = 0;
			else if (i == 4)
				body[25] = 2;
			else if (i == 5)
				body[8] = 0xff;
			else if (i == 6)
				memcpy(body + 26, lan_all, 6);
			message_seal(6, peer.octets, us.octets, body, len);
			if (i == 7)
				body[3] ^= 1;
			message_ether(raw, lan_us, from_mac, 0x86dd);
			len = MESSAGE_ETHER + message_ip(raw + MESSAGE_ETHER, 6, peer.octets,
							 us.octets, 58, hops, body, len);
			rig_mark(r);
			rig_push_raw(r, raw, len, NULL);
			expect_refused(r, i == 7 ? "icmp_bad" : "nd_refused");
		}
	}
}

/* A message behind a fragment header, were it the whole packet and good in all else (RFC 6980 5). */
static void atomic_fragment__dropped(struct rig *r)
{
	const struct hf_ip peer = lan_ip(r, 9), us = lan_ip(r, 1);

	lan_begin(r);
	for (uint8_t type = 135; type <= 136; type++) {
		uint8_t raw[MESSAGE_MAX], body[8 + 64] = { 58 }; /* the next header is ICMPv6 */
		const size_t len =
			message_nd(body + 8, type, 0x60, type == 135 ? us.octets : peer.octets,
				   type - 134, lan_peer);

		message_seal(6, peer.octets, us.octets, body + 8, len);
		message_ether(raw, lan_us, lan_peer, 0x86dd);
		rig_mark(r);
		rig_push_raw(r, raw,
			     MESSAGE_ETHER + message_ip(raw + MESSAGE_ETHER, 6, peer.octets,
							us.octets, 44, 255, body, 8 + len),
			     NULL);
		expect_refused(r, "nd_refused");
	}
}

static void every_truncation__dropped(struct rig *r)
{
	const struct hf_ip peer = lan_ip(r, 9), us = lan_ip(r, 1);
	uint8_t raw[MESSAGE_MAX], body[64];
	const size_t whole = message_nd(body, 135, 0, us.octets, 1, lan_peer);

	lan_begin(r);
	for (size_t len = 0; len < whole; len++) {
		if (len == MESSAGE_ND) /* without its option it is whole */
			continue;
		message_nd(body, 135, 0, us.octets, 1, lan_peer);
		message_seal(6, peer.octets, us.octets, body, len < 4 ? 4 : len);
		message_ether(raw, lan_us, lan_peer, 0x86dd);
		message_ip(raw + MESSAGE_ETHER, 6, peer.octets, us.octets, 58, 255, body, len);
		rig_mark(r);
		rig_push_raw(r, raw, MESSAGE_ETHER + 40 + len, NULL);
		rig_turn(r);
		rig_expect_silence(r, 0);
		rig_expect_rose(r, "rx_answered", 0);
		rig_expect_rose(r, "rx_consumed", 0);
	}
}

/* Router solicitation, advertisement with an MTU of 68, redirect. */
static void router_messages__ignored(struct rig *r)
{
	static const uint8_t types[] = { 133, 134, 137 };
	const struct hf_ip peer = lan_ip(r, 9);
	uint8_t body[128];

	lan_begin(r);
	for (unsigned i = 0; i < sizeof(types); i++) {
		memset(body, 0, sizeof(body));
		body[0] = types[i];
		memcpy(body + 16, "\x05\x01\0\0\0\0\0\x44", 8); /* MTU option */
		rig_mark(r);
		lan_push_nd(r, all_mac, lan_peer, peer.octets, all_nodes, body, 40);
		expect_refused(r, "icmp_ignored");
	}
	rig_connect(r);
	lan_expect_request(r, peer, NULL);
	lan_answer(r, peer, lan_peer);
	assert_int_equal(rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN })->seg.mss, 1440);
}

/* Whoever has it says so from this very address, when it tells all and when it asks for others; what comes back
 * to us of our own messages is no conflict. */
static void message__claims_our_address__conflict(struct rig *r)
{
	const struct hf_ip peer = lan_ip(r, 9), us = lan_ip(r, 1), other = lan_ip(r, 2);
	uint8_t body[64], ip[16], mac[6];

	lan_begin(r);
	group(2, ip, mac);
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *const from = i == 0 ? lan_peer : lan_us;
		const char *const counter = i == 0 ? "arp_conflict" : "nd_refused";

		rig_mark(r);
		lan_push_nd(r, lan_us, from, peer.octets, us.octets, body,
			    message_nd(body, 136, 0x20, us.octets, 2, from));
		expect_refused(r, counter);
		rig_mark(r);
		lan_push_nd(r, all_mac, from, us.octets, all_nodes, body,
			    message_nd(body, 136, 0x20, us.octets, 2, from));
		expect_refused(r, counter);
		rig_mark(r);
		lan_push_nd(r, mac, from, us.octets, ip, body,
			    message_nd(body, 135, 0, other.octets, 1, from));
		expect_refused(r, counter);
	}
	memset(body, 0, sizeof(body)); /* an echo request is nothing but a spoofed one */
	body[0] = 128;
	rig_mark(r);
	lan_push_nd(r, lan_us, lan_peer, us.octets, us.octets, body, 40);
	expect_refused(r, "rx_drop_land");
}

/* To whom the next octet of text goes, and whether the neighbour is asked too. */
static void expect_text_to(struct rig *r, const uint8_t mac[6], const uint8_t *asked)
{
	struct seg text = rig_ack(r);
	const struct frame *f;

	rig_write(r, 1);
	rig_flush(r);
	text.text_len = 1;
	f = rig_expect(r, text);
	assert_memory_equal(f->raw, mac, 6);
	r->sn++;
	if (asked)
		lan_expect_request(r, lan_ip(r, 9), asked);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_expect_silence(r, 0);
}

/* RFC 4861 7.2.5: flags S and O, with and without the address. */
static void advertisement__flags__rule_what_is_learned(struct rig *r)
{
	const struct hf_ip peer = lan_ip(r, 9), us = lan_ip(r, 1);
	uint8_t body[64];

	lan_begin(r);
	rig_connect(r);
	lan_expect_request(r, peer, NULL);
	lan_push_nd(r, lan_us, lan_peer, peer.octets, us.octets, body,
		    message_nd(body, 136, 0x60, peer.octets, 0, NULL)); /* no address: no answer */
	rig_turn(r);
	rig_expect_silence(r, 0);
	lan_answer(r, peer, lan_peer);
	rig_expect(r, (struct seg){ .seq = ISS, .flags = SEG_SYN });
	rig_send(r, (struct seg){ .seq = IRS, .ack = ISS + 1, .flags = SEG_SYN | SEG_ACK });
	r->rn = IRS + 1;
	rig_event(r, HF_EV_CONNECTED);
	rig_expect_ack(r);

	lan_push_nd(r, lan_us, lan_other, peer.octets, us.octets, body,
		    message_nd(body, 136, 0, peer.octets, 2, lan_other)); /* not O: doubt, and ask */
	rig_turn(r);
	expect_text_to(r, lan_peer, lan_peer);
	lan_answer(r, peer, lan_peer);
	expect_text_to(r, lan_peer, NULL);

	lan_push_nd(r, lan_us, lan_other, peer.octets, us.octets, body,
		    message_nd(body, 136, 0x20, peer.octets, 2, lan_other)); /* O: take it, and ask */
	rig_turn(r);
	expect_text_to(r, lan_other, lan_other);
	lan_push_nd(r, lan_us, lan_other, peer.octets, us.octets, body,
		    message_nd(body, 136, 0x40, peer.octets, 0, NULL)); /* S: it is there */
	rig_turn(r);
	expect_text_to(r, lan_other, NULL);
	lan_ask(r, peer, lan_peer, us); /* its own solicitation tells too */
	rig_pop(r);
	expect_text_to(r, lan_peer, lan_peer);
	rig_expect_state(r, HF_ESTABLISHED);
	assert_int_equal(neighbours(r), 1);
}

/* A link without Ethernet headers has no neighbours. */
static void solicitation__on_l3__dropped(struct rig *r)
{
	uint8_t raw[MESSAGE_MAX], body[64];
	const size_t len = message_nd(body, 135, 0, r->local.ip.octets, 1, lan_peer);

	message_seal(6, r->peer.ip.octets, r->local.ip.octets, body, len);
	rig_mark(r);
	rig_push_raw(r, raw,
		     message_ip(raw, 6, r->peer.ip.octets, r->local.ip.octets, 58, 255, body, len),
		     NULL);
	expect_refused(r, "nd_refused");
}

#define IF_IPV6(name)                           \
	static void name##_6(struct rig *r)     \
	{                                       \
		if (r->local.ip.version == 6)   \
			name(r);                \
		else if (r->out_form.l2)        \
			r->out_form.any_to = 1; \
	}

IF_IPV6(solicitation__for_ours__answered)
IF_IPV6(solicitation__not_for_us__dropped)
IF_IPV6(each_rule__broken__dropped)
IF_IPV6(atomic_fragment__dropped)
IF_IPV6(every_truncation__dropped)
IF_IPV6(router_messages__ignored)
IF_IPV6(message__claims_our_address__conflict)
IF_IPV6(advertisement__flags__rule_what_is_learned)
IF_IPV6(solicitation__on_l3__dropped)

int main(int argc, char **argv)
{
	const struct row rows[] = {
		{ "RFC4861-7.2", solicitation__for_ours__answered_6, NULL, lan_set_up, ROW_PLAIN },
		{ "RFC4861-7.2-others", solicitation__not_for_us__dropped_6, NULL, lan_set_up,
		  ROW_PLAIN },
		{ "RFC4861-7.1.1, RFC4861-7.1.2, SEC-33", each_rule__broken__dropped_6, NULL,
		  lan_set_up, ROW_PLAIN },
		{ "RFC4861-7.1.1-fragment, RFC6980-5", atomic_fragment__dropped_6, NULL, lan_set_up,
		  ROW_PLAIN },
		{ "RFC4861-7.1.1-truncated", every_truncation__dropped_6, NULL, lan_set_up,
		  ROW_PLAIN },
		{ "RFC4861-6, RFC4861-8", router_messages__ignored_6, NULL, lan_set_up, ROW_PLAIN },
		{ "RFC4861-conflict", message__claims_our_address__conflict_6, NULL, lan_set_up,
		  ROW_PLAIN },
		{ "RFC4861-7.2.5", advertisement__flags__rule_what_is_learned_6, NULL, lan_set_up,
		  ROW_PLAIN },
		{ "RFC4861-l3", solicitation__on_l3__dropped_6, NULL, NULL, ROW_PLAIN },
	};

	return rig_run("Neighbour discovery", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* REQUIREMENTS 2 end to end: a frame from or to an address it must not come from or go to has no
 * effect, whoever listens and whatever is open (RFC 1122 3.2.1.3, 4.2.3.10; RFC 4291 2). */
#include <string.h>

#include "rig/rig.h"

static const uint8_t kinds[] = { SEG_SYN, SEG_ACK, SEG_RST, SEG_SYN | SEG_ACK, SEG_FIN | SEG_ACK };
#define KINDS 5

static struct hf_ip ip(const char *text)
{
	struct hf_addr addr;

	assert_int_equal(hf_addr_parse(text, &addr), 0);
	return addr.ip;
}

/* A segment of four octets that the connection would take. */
static struct seg next_segment(const struct rig *r, unsigned flags)
{
	return (struct seg){ .seq = r->rn,
			     .ack = r->sn,
			     .flags = (uint8_t)flags,
			     .wnd = 500,
			     .text_len = 4,
			     .options = r->ts_agreed ? OPT_TS : 0,
			     .tsval = r->ts_base + (uint32_t)(r->now_us / 1000),
			     .tsecr = r->tsecr };
}

/* From one address to the other, of each kind. */
static void expect_all_dropped(struct rig *r, const struct hf_addr *src, const struct hf_addr *dst,
			       const char *counter)
{
	for (unsigned i = 0; i < KINDS; i++) {
		const struct seg seg = next_segment(r, kinds[i]);
		uint8_t raw[FRAME_MAX];
		const size_t len = frame_build(raw, &r->in_form, src, dst, &seg,
					       (const uint8_t *)"text", NULL, 0);

		rig_expect_dropped(r, raw, len, counter);
	}
}

/* What there is to be disturbed: a listener for every address, and a connection. */
static void to_established(struct rig *r)
{
	struct hf_addr any = { .ip = { .version = r->local.ip.version }, .port = r->local.port };

	r->active = false;
	r->listener = rig_listen_at(r, &any, 7);
	rig_to(r, RIG_ESTABLISHED);
}

static void still_there(struct rig *r)
{
	rig_expect_silence(r, SEC(1));
	rig_expect_state(r, HF_ESTABLISHED);
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK, .text_len = 10 });
	rig_event(r, HF_EV_READABLE);
	rig_read(r, 10);
}

static void to_each(struct rig *r, const char *const addrs[], const char *counter)
{
	struct hf_addr dst = r->local;

	for (unsigned i = 0; addrs[i]; i++) {
		dst.ip = ip(addrs[i]);
		if (dst.ip.version == r->local.ip.version)
			expect_all_dropped(r, &r->peer, &dst, counter);
	}
}

static void from_each(struct rig *r, const char *const addrs[], const char *counter)
{
	struct hf_addr src = r->peer;

	for (unsigned i = 0; addrs[i]; i++) {
		src.ip = ip(addrs[i]);
		if (src.ip.version == r->local.ip.version)
			expect_all_dropped(r, &src, &r->local, counter);
	}
}

/* IPv4 is in a network that has a broadcast address. */
static void set_network(struct rig *r)
{
	r->config.local_prefix[0] = 24;
}

static void group_destination__no_effect(struct rig *r)
{
	static const char *const groups[] = { "255.255.255.255", "224.0.0.1", "239.255.1.2",
					      "198.18.0.255",	 "ff02::1",   "ff0e::1234",
					      "ff05::2",	 NULL };

	to_established(r);
	to_each(r, groups, "rx_drop_group");
	still_there(r);
}

static void set_l2(struct rig *r)
{
	r->memport.l3 = false;
	r->memport.name = "rig-l2";
}

/* The frame was for everybody, though the packet in it is for us. */
static void group_frame__no_effect(struct rig *r)
{
	static const uint8_t groups[][6] = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
					     { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x01 },
					     { 0x33, 0x33, 0x00, 0x00, 0x00, 0x01 } };
	const struct frame_form form = r->in_form;

	to_established(r);
	for (unsigned i = 0; i < 3; i++) {
		memcpy(r->in_form.to, groups[i], 6);
		expect_all_dropped(r, &r->peer, &r->local, "rx_drop_group");
	}
	r->in_form = form;
	still_there(r);
}

/* HF-E2 */
static void other_station__no_effect(struct rig *r)
{
	const struct frame_form form = r->in_form;

	to_established(r);
	r->in_form.to[5] ^= 1;
	expect_all_dropped(r, &r->peer, &r->local, "rx_drop_mac");
	r->in_form = form;
	still_there(r);
}

static void invalid_source__no_effect(struct rig *r)
{
	static const char *const invalid[] = {
		"0.0.0.0",	   "0.1.2.3",	       "127.0.0.1", "224.0.0.1", "240.0.0.1",
		"255.255.255.255", "198.18.0.255",     "::",	    "::1",	 "ff02::1",
		"ff0e::5",	   "::ffff:192.0.2.1", NULL
	};

	to_established(r);
	from_each(r, invalid, "rx_drop_ip_addr");
	still_there(r);
}

static void set_reserved(struct rig *r)
{
	set_network(r);
	r->config.accept_reserved = true;
}

/* Two networks are taken where it is asked for, and still no others. */
static void reserved_source__as_asked(struct rig *r)
{
	static const char *const reserved[] = { "127.0.0.1", "240.0.0.1", "255.255.255.254" };
	static const char *const invalid[] = { "0.0.0.0",	  "0.1.2.3",	  "224.0.0.1",
					       "255.255.255.255", "198.18.0.255", NULL };

	to_established(r);
	from_each(r, invalid, "rx_drop_ip_addr");
	still_there(r);
	rig_discard(r);
	for (unsigned i = 0; i < 3; i++) {
		rig_another(r);
		r->peer.ip = ip(reserved[i]);
		rig_send(r, rig_syn(r));
		rig_expect_sa(r);
	}
}

static void own_source__no_effect(struct rig *r)
{
	static const char *const own[] = { "198.18.0.1", "198.18.0.4", "2001:2::1", "2001:2::4",
					   NULL };

	to_established(r);
	from_each(r, own, "rx_drop_land");
	expect_all_dropped(r, &r->local, &r->local, "rx_drop_land"); /* LAND itself */
	still_there(r);
}

static void foreign_destination__no_effect(struct rig *r)
{
	static const char *const foreign[] = { "198.18.0.0",  "198.18.0.5",    "198.19.0.1",
					       "192.0.2.1",   "2001:2::",      "2001:2::5",
					       "2001:db8::1", "2001:2:0:1::2", NULL };

	to_established(r);
	to_each(r, foreign, "rx_drop_not_ours");
	still_there(r);
}

/* ---- Headers -------------------------------------------------------------------------------------- */

/* A segment of the connection's, and one that would open another. */
static size_t build(struct rig *r, uint8_t raw[FRAME_MAX], unsigned flags)
{
	const struct seg seg = next_segment(r, flags);
	struct hf_addr src = r->peer;
	uint8_t text[4];

	for (unsigned i = 0; i < 4; i++)
		text[i] = rig_octet(r->rn - r->irs - 1 + i);
	src.port = (uint16_t)(src.port + (flags == SEG_SYN));
	return frame_build(raw, &r->in_form, &src, &r->local, &seg, text, NULL, 0);
}

static const unsigned both[] = { SEG_SYN, SEG_ACK };

/* So many octets put behind an IP header: options, or an extension header that it calls so. */
struct insert {
	const char *counter;
	unsigned next, len;
	uint8_t octets[16];
};

/* One octet of an IP header set; HF-E1 has frames of its own. */
struct patch {
	const char *counter;
	unsigned at, value;
};

static void seal_ip(const struct rig *r, uint8_t *raw)
{
	uint8_t *const ip = raw + (r->memport.l3 ? 0 : 14);
	const unsigned ihl = (ip[0] & 15u) * 4;
	uint32_t sum = 0;

	if (r->local.ip.version == 4) {
		ip[10] = ip[11] = 0;
		for (unsigned i = 0; i < ihl; i += 2)
			sum += (uint32_t)ip[i] << 8 | ip[i + 1];
		sum = (sum & 0xffff) + (sum >> 16);
		sum = (sum & 0xffff) + (sum >> 16);
		ip[10] = (uint8_t)(~sum >> 8);
		ip[11] = (uint8_t)~sum;
	}
}

static void header_octet__wrong__no_effect(struct rig *r)
{
	static const struct patch v4[] = {
		{ "rx_drop_ip_len", 0, 0x55 }, { "rx_drop_ip_len", 0, 0x44 },
		{ "rx_drop_ip_len", 0, 0x40 }, { "rx_drop_ip_len", 0, 0x4f },
		{ "rx_drop_ip_len", 2, 1 },    { "rx_drop_ip_len", 3, 19 },
		{ "rx_drop_ttl", 8, 0 },       { "rx_drop_frag", 6, 0x20 },
		{ "rx_drop_frag", 7, 1 },      { "rx_drop_frag", 6, 0x3f },
		{ "rx_drop_proto", 9, 17 },    { "rx_drop_proto", 9, 4 },
	};
	static const struct patch v6[] = {
		{ "rx_drop_ip_len", 0, 0x50 }, { "rx_drop_ip_len", 4, 1 },
		{ "rx_drop_ttl", 7, 0 },       { "rx_drop_proto", 6, 59 },
		{ "rx_drop_proto", 6, 17 },    { "rx_drop_ip_ext", 6, 0 },
	};
	const bool old = r->local.ip.version == 4;
	const struct patch *const patches = old ? v4 : v6;
	const size_t n = old ? sizeof(v4) / sizeof(v4[0]) : sizeof(v6) / sizeof(v6[0]);

	to_established(r);
	for (size_t i = 0; i < 2 * n; i++) {
		const struct patch *const patch = &patches[i / 2];
		uint8_t raw[FRAME_MAX];
		const size_t len = build(r, raw, both[i % 2]);

		raw[patch->at + (r->memport.l3 ? 0 : 14)] = (uint8_t)patch->value;
		seal_ip(r, raw);
		rig_expect_dropped(r, raw, len, patch->counter);
	}
	still_there(r);
}

/* The same with something put in. @return its length */
static size_t build_with(struct rig *r, uint8_t raw[FRAME_MAX + 16], unsigned flags,
			 const struct insert *in)
{
	const bool old = r->local.ip.version == 4;
	uint8_t *const ip = raw + (r->memport.l3 ? 0 : 14), *const at = ip + (old ? 20 : 40);
	const size_t len = build(r, raw, flags);

	memmove(at + in->len, at, len - (size_t)(at - raw));
	memcpy(at, in->octets, in->len);
	if (old) {
		ip[0] = (uint8_t)(0x45 + in->len / 4);
		ip[3] = (uint8_t)(ip[3] + in->len);
	} else {
		ip[5] = (uint8_t)(ip[5] + in->len);
		ip[6] = (uint8_t)in->next;
	}
	seal_ip(r, raw);
	return len + in->len;
}

enum { HOP = 0, ROUTING = 43, FRAGMENT = 44, DESTINATION = 60 };

static void header__inserted__no_effect(struct rig *r)
{
	static const struct insert v4[] = {
		{ "rx_drop_ip_srcroute", 0, 8, { 131, 7, 4, 198, 18, 0, 1, 0 } },
		{ "rx_drop_ip_srcroute", 0, 8, { 137, 7, 4, 198, 18, 0, 1, 0 } },
		{ "rx_drop_ip_opt", 0, 4, { 7, 0, 0, 0 } },
		{ "rx_drop_ip_opt", 0, 4, { 7, 5, 0, 0 } },
	};
	static const struct insert v6[] = {
		{ "rx_drop_frag", FRAGMENT, 8, { 6, 0, 0, 1, 0, 0, 0, 1 } },  /* first, more */
		{ "rx_drop_frag", FRAGMENT, 8, { 6, 0, 0, 8, 0, 0, 0, 1 } },  /* last */
		{ "rx_drop_ip_ext", ROUTING, 8, { 6, 0, 0, 1, 0, 0, 0, 0 } }, /* type 0 */
		{ "rx_drop_ip_ext", ROUTING, 8, { 6, 0, 2, 1, 0, 0, 0, 0 } }, /* segments left */
		{ "rx_drop_ip_ext",
		  DESTINATION,
		  16,
		  { HOP, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0 } }, /* hop-by-hop not first */
	};
	const bool old = r->local.ip.version == 4;
	const size_t n = old ? sizeof(v4) / sizeof(v4[0]) : sizeof(v6) / sizeof(v6[0]);

	to_established(r);
	for (size_t i = 0; i < 2 * n; i++) {
		const struct insert *const in = old ? &v4[i / 2] : &v6[i / 2];
		uint8_t raw[FRAME_MAX + 16];
		const size_t len = build_with(r, raw, both[i % 2], in);

		rig_expect_dropped(r, raw, len, in->counter);
	}
	still_there(r);
}

/* What may be stepped over is, and the text behind it arrives: an atomic fragment's too (RFC 6946). */
static void header__inserted__stepped_over(struct rig *r)
{
	static const struct insert v4[] = {
		{ NULL, 0, 4, { 1, 1, 1, 0 } },
		{ NULL, 0, 8, { 7, 7, 4, 0, 0, 0, 0, 0 } }, /* record route */
		{ NULL, 0, 4, { 148, 4, 0, 0 } },	    /* router alert (RFC 2113) */
		{ NULL, 0, 12, { 68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0 } }, /* timestamps */
		{ NULL, 0, 8, { 0, 131, 7, 4, 198, 18, 0, 1 } },	   /* behind the end */
		{ NULL, 0, 4, { 222, 4, 1, 2 } },			   /* nobody's */
	};
	static const struct insert v6[] = {
		{ NULL, HOP, 8, { 6, 0, 1, 4, 0, 0, 0, 0 } },
		{ NULL, HOP, 8, { 6, 0, 5, 2, 0, 0, 1, 0 } }, /* router alert (RFC 2711) */
		{ NULL, ROUTING, 8, { 6, 0, 2, 0, 0, 0, 0, 0 } },
		{ NULL, FRAGMENT, 8, { 6, 0, 0, 0, 0, 0, 0, 1 } },
		{ NULL, DESTINATION, 8, { 6, 0, 0x3e, 4, 0, 0, 0, 0 } }, /* nobody's */
		{ NULL, HOP, 16, { DESTINATION, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0 } },
	};

	to_established(r);
	for (size_t i = 0; i < 6; i++) {
		uint8_t raw[FRAME_MAX + 16];
		const size_t len =
			build_with(r, raw, SEG_ACK, r->local.ip.version == 4 ? &v4[i] : &v6[i]);

		rig_push_raw(r, raw, len, NULL);
		rig_turn(r);
		assert_int_equal(rig_event(r, HF_EV_READABLE)->readable, 4);
		rig_read(r, 4);
		r->rn += 4;
		rig_advance(r, MS(100));
		rig_discard(r); /* the ACK */
	}
}

/* Every length below Ethernet's and IP's headers, and EtherTypes that nobody here reads. */
static void frame__runt_or_of_other_type__no_effect(struct rig *r)
{
	static const uint16_t types[] = { 0, 0x05ff, 0x0801, 0x6003, 0x8863, 0x88cc, 0xffff };
	uint8_t raw[FRAME_MAX];
	size_t len;

	to_established(r);
	for (unsigned i = 0; i < 2; i++) {
		len = build(r, raw, both[i]);
		for (size_t cut = 1; cut < 14 + (r->local.ip.version == 4 ? 20u : 40u); cut++)
			rig_expect_dropped(r, raw, cut, "rx_drop_eth");
		for (unsigned t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
			raw[12] = (uint8_t)(types[t] >> 8);
			raw[13] = (uint8_t)types[t];
			rig_expect_dropped(r, raw, len, "rx_drop_eth");
		}
	}
	still_there(r);
}

static const struct row rows[] = {
	{ .name = "MUST-57", .test = group_destination__no_effect, .set_up = set_network },
	{ .name = "MUST-57-frame", .test = group_frame__no_effect, .set_up = set_l2 },
	{ .name = "HF-E2", .test = other_station__no_effect, .set_up = set_l2 },
	{ .name = "MUST-63, RFC1122-3.2.1.3, RFC4291-2",
	  .test = invalid_source__no_effect,
	  .set_up = set_network },
	{ .name = "RFC1122-3.2.1.3-reserved",
	  .test = reserved_source__as_asked,
	  .set_up = set_reserved,
	  .variants = ROW_ONCE },
	{ .name = "HF-IP1, SEC-26", .test = own_source__no_effect },
	{ .name = "HF-IP2", .test = foreign_destination__no_effect },
	{ .name = "RFC791-v, RFC8200-4, HF-IP4, HF-FR1", .test = header_octet__wrong__no_effect },
	{ .name = "HF-IP3, MUST-50, RFC8200-4, HF-FR1", .test = header__inserted__no_effect },
	{ .name = "MUST-50-skipped, RFC8200-4-skipped, RFC6946",
	  .test = header__inserted__stepped_over },
	{ .name = "HF-E1", .test = frame__runt_or_of_other_type__no_effect, .set_up = set_l2 },
};

int main(int argc, char **argv)
{
	return rig_run("IP input", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

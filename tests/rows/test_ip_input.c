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

/* From one address to the other, of each kind, segments that the connection would take. */
static void expect_all_dropped(struct rig *r, const struct hf_addr *src, const struct hf_addr *dst,
			       const char *counter)
{
	for (unsigned i = 0; i < KINDS; i++) {
		const struct seg seg = {
			.seq = r->rn, .ack = r->sn, .flags = kinds[i], .wnd = 500, .text_len = 4
		};
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

static void group_destination__no_effect(struct rig *r)
{
	static const char *const groups[] = {
		"255.255.255.255", "224.0.0.1", "239.255.1.2", "ff02::1",
		"ff0e::1234",	   "ff05::2",	NULL
	};

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
		"0.0.0.0",	    "0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1",
		"255.255.255.255",  "::",      "::1",	    "ff02::1",	 "ff0e::5",
		"::ffff:192.0.2.1", NULL
	};

	to_established(r);
	from_each(r, invalid, "rx_drop_ip_addr");
	still_there(r);
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

static const struct row rows[] = {
	{ .name = "MUST-57", .test = group_destination__no_effect },
	{ .name = "MUST-57-frame", .test = group_frame__no_effect, .set_up = set_l2 },
	{ .name = "HF-E2", .test = other_station__no_effect, .set_up = set_l2 },
	{ .name = "MUST-63", .test = invalid_source__no_effect },
	{ .name = "HF-IP1, SEC-26", .test = own_source__no_effect },
	{ .name = "HF-IP2", .test = foreign_destination__no_effect },
};

int main(int argc, char **argv)
{
	return rig_run("IP input", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

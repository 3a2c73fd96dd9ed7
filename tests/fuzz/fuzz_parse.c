/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lib/wire on octets (HF-GOAL-1, HF-G3): wire_parse with and without Ethernet, in pieces cut at any
 * place, each on a heap of its own size; what it finds is built and parsed again, and is the same.
 * ICMP, ARP and neighbour discovery in what it lets through; opts_parse and arp_parse on anything.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/bytes.h"
#include "fuzz/fuzz.h"
#include "fuzz/mend.h"
#include "fuzz/place.h"
#include "rig/random.h"
#include "rig/usual.h"
#include "wire/arp.h"
#include "wire/csum.h"
#include "wire/icmp.h"
#include "wire/opts.h"
#include "wire/parse.h"

#define PIECES 4
#define HEAD 5 /* octets of an input before its frame: form, hints, cuts */
#define FRAME_ROOM 2048

/* The first octet of an input. */
enum form {
	FORM_L2 = 0x01,
	FORM_VLAN = 0x02,
	FORM_RESERVED = 0x04,
	FORM_OPTIONS = 0x08, /* no frame: TCP options */
	FORM_ARP = 0x10,     /* no frame: an ARP message */
	FORM_SYN = 0x20,     /* options of a SYN */
};

static struct wire_config config_of(uint8_t form)
{
	struct wire_config c = { .l3 = !(form & FORM_L2),
				 .vlan = form & FORM_VLAN ? 5 : 0,
				 .accept_reserved = form & FORM_RESERVED };
	struct hf_addr local, peer;

	memcpy(c.mac, place_mac, 6);
	for (unsigned i = 0; i < 2; i++) {
		place_path(i, &local, &peer);
		assert(wire_config_range(&c, local.ip.version, local.ip.octets, 4, 24));
	}
	return c;
}

static uint8_t *copy_of(const uint8_t *octets, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert(copy);
	if (len > 0)
		memcpy(copy, octets, len);
	return copy;
}

static bool same_options(const struct seg *a, const struct seg *b)
{
	const unsigned compared = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_TS;

	return (a->options & compared) == (b->options & compared) &&
	       (!(a->options & OPT_MSS) || a->mss == b->mss) &&
	       (!(a->options & OPT_WSCALE) || a->wscale == b->wscale) &&
	       (!(a->options & OPT_TS) || (a->tsval == b->tsval && a->tsecr == b->tsecr));
}

/* What is built of a segment is the segment; SACK blocks for which there is no room are left out. */
static void build_again(const struct wire_in *in, const uint8_t *text)
{
	const struct wire_link link = { .l3 = true, .ttl = 64 };
	const uint32_t room = WIRE_HEADER_MAX + in->text_len;
	uint8_t *const frame = malloc(room);
	struct wire_config c = config_of(FORM_RESERVED);
	struct flow turned = in->flow;
	struct wire_piece piece;
	struct wire_in again;
	struct seg seg = in->seg;
	uint32_t len;

	assert(frame);
	seg.options &= (uint8_t)~OPT_AUTH;
	if (in->flow.version == 4) {
		turned.v4 = (struct tuple4){ in->flow.v4.remote, in->flow.v4.local,
					     in->flow.v4.remote_port, in->flow.v4.local_port };
	} else {
		memcpy(turned.v6.local, in->flow.v6.remote, 16);
		memcpy(turned.v6.remote, in->flow.v6.local, 16);
		turned.v6.local_port = in->flow.v6.remote_port;
		turned.v6.remote_port = in->flow.v6.local_port;
	}
	len = wire_build(frame, &link, &turned, &seg, csum_partial(text, in->text_len), 0);
	assert(len <= WIRE_HEADER_MAX && len == wire_header_len(&link, in->flow.version, &seg));
	memcpy(frame + len, text, in->text_len);
	piece = (struct wire_piece){ frame, len + in->text_len };
	assert(wire_parse(&c, &piece, 1, 0, &again) == WIRE_TCP);
	assert(again.flow.version == in->flow.version && tuple_is(&again.flow.v4, &in->flow));
	assert(!again.opt_bad && again.text_len == in->text_len && again.text_offset == len);
	assert(again.seg.seq == seg.seq && again.seg.ack == seg.ack && again.seg.wnd == seg.wnd);
	assert(again.seg.flags == seg.flags && again.seg.up == seg.up);
	assert(again.seg.len == seg.len && same_options(&again.seg, &seg));
	assert(again.seg.sacks <= seg.sacks);
	for (unsigned i = 0; i < again.seg.sacks; i++)
		assert(again.seg.sack[i].left == seg.sack[i].left &&
		       again.seg.sack[i].right == seg.sack[i].right);
	free(frame);
}

static void frame_in(uint8_t form, uint8_t hints, const uint8_t cuts[3], struct bytes *b)
{
	const struct wire_config c = config_of(form);
	const size_t total = b->left;
	uint8_t *const whole = copy_of(b->at, b->left);
	struct wire_piece pieces[PIECES];
	uint8_t *owned[PIECES];
	unsigned n = 0;
	struct wire_in in;
	struct icmp icmp;
	struct arp arp;

	while (n < PIECES && (n == 0 || b->left > 0)) {
		const uint8_t *octets;
		const size_t most = n < 3 && cuts[n] > 0 ? cuts[n] : b->left;
		const size_t len = bytes_take(b, n == PIECES - 1 ? b->left : most, &octets);

		owned[n] = copy_of(octets, len);
		pieces[n] = (struct wire_piece){ owned[n], (uint32_t)len };
		n++;
	}
	assert(n > 1 || usual_agrees(&c, pieces, hints & 15));
	switch (wire_parse(&c, pieces, n, hints & 15, &in)) {
	case WIRE_TCP:
		assert(in.text_offset + in.text_len <= total && in.text_len == in.seg.text_len);
		assert(in.text_offset <= pieces[0].len);
		assert(in.seg.len - in.seg.text_len <= 2 && in.seg.sacks <= SEG_SACK_MAX);
		build_again(&in, whole + in.text_offset);
		break;
	case WIRE_ICMP:
	case WIRE_ICMP6:
		assert(in.text_offset + in.text_len <= pieces[0].len);
		icmp_parse(pieces[0].octets, &in, &icmp);
		break;
	case WIRE_ARP:
		assert(in.text_offset + in.text_len <= pieces[0].len);
		arp_parse(pieces[0].octets + in.text_offset, in.text_len, &arp);
		break;
	case WIRE_DROP:
		assert((unsigned)in.drop < STAT_COUNT);
		break;
	}
	while (n > 0)
		free(owned[--n]);
	free(whole);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes b = { data, len };
	const uint8_t form = bytes_8(&b), hints = bytes_8(&b);
	const uint8_t cuts[3] = { bytes_8(&b), bytes_8(&b), bytes_8(&b) };
	struct seg seg = { .flags = form & FORM_SYN ? SEG_SYN : SEG_ACK };
	struct arp arp;
	uint8_t *copy;

	if (!(form & (FORM_OPTIONS | FORM_ARP))) {
		frame_in(form, hints, cuts, &b);
		return 0;
	}
	copy = copy_of(b.at, b.left);
	if (form & FORM_ARP) {
		arp_parse(copy, (uint32_t)b.left, &arp);
	} else {
		opts_parse(copy, (uint32_t)(b.left < OPTS_MAX ? b.left : OPTS_MAX), &seg);
		assert(seg.sacks <= SEG_SACK_MAX);
	}
	free(copy);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t max, unsigned seed)
{
	uint64_t random = seed;

	if (max < HEAD + 64)
		return LLVMFuzzerMutate(data, len, max);
	if (len < HEAD) {
		memset(data + len, 0, HEAD - len);
		len = HEAD;
	}
	if (random_below(&random, 8) == 0)
		LLVMFuzzerMutate(data, HEAD, HEAD);
	if (data[0] & (FORM_OPTIONS | FORM_ARP))
		return HEAD + LLVMFuzzerMutate(data + HEAD, len - HEAD, max - HEAD);
	if (max > HEAD + FRAME_ROOM)
		max = HEAD + FRAME_ROOM;
	len = len < max ? len : max;
	return HEAD + mend_mutate(data + HEAD, len - HEAD, max - HEAD, data[0] & FORM_L2,
				  random_next(&random));
}

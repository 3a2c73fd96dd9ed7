/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames made and mended; see mend.h. RFC 791, RFC 8200 4, RFC 9293 3.1, RFC 792, RFC 4443. */
#include "fuzz/mend.h"

#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/place.h"
#include "rig/message.h"
#include "rig/random.h"

#define ICMP 1
#define TCP 6
#define ICMP6 58

struct place {
	struct hf_addr local, peer;
};

static bool is_extension(uint8_t next)
{
	return next == 0 || next == 43 || next == 60;
}

static void mend_ip4(uint8_t *frame, size_t len, struct mend *found)
{
	uint8_t *const ip = frame + found->ip;
	size_t header = (ip[0] & 15u) * 4;

	if (header < 20 || header > len - found->ip) {
		ip[0] = 0x45;
		header = 20;
	}
	message_put16(ip + 2, (unsigned)(len - found->ip));
	found->protocol = ip[9];
	found->message = found->ip + header;
}

static void mend_ip6(uint8_t *frame, size_t len, struct mend *found)
{
	const uint8_t *const ip = frame + found->ip;
	uint8_t next = ip[6];
	size_t at = found->ip + 40;

	message_put16(frame + found->ip + 4, (unsigned)(len - at));
	while (is_extension(next) && at + 8 <= len && at + 8 + frame[at + 1] * 8u <= len) {
		next = frame[at];
		at += 8 + frame[at + 1] * 8u;
	}
	found->protocol = next;
	found->message = at;
}

struct mend mend_lengths(uint8_t *frame, size_t len, bool l2)
{
	struct mend found = { .ip = l2 ? MESSAGE_ETHER : 0 };

	if (l2 && len > MESSAGE_ETHER + 4 && frame[12] == 0x81 && frame[13] == 0)
		found.ip += 4;
	if (len < found.ip + 20)
		return (struct mend){ 0 };
	if (frame[found.ip] >> 4 == 4)
		mend_ip4(frame, len, &found);
	else if (frame[found.ip] >> 4 == 6 && len >= found.ip + 40)
		mend_ip6(frame, len, &found);
	if (found.message != 0 && found.protocol == TCP && found.message + 20 <= len) {
		uint8_t *const offset = frame + found.message + 12;

		if (*offset >> 4 < 5 || (*offset >> 4) * 4u > len - found.message)
			*offset = 5 << 4;
	}
	return found;
}

/* The pseudo-header of a message of so many octets. */
static uint32_t pseudo(const uint8_t *ip, uint8_t protocol, size_t len)
{
	const uint8_t tail[4] = { 0, protocol, (uint8_t)(len >> 8), (uint8_t)len };
	const bool v4 = ip[0] >> 4 == 4;

	if (v4 && protocol == ICMP)
		return 0;
	return message_sum(message_sum(0, ip + (v4 ? 12 : 8), v4 ? 8 : 32), tail, 4);
}

void mend_sums(uint8_t *frame, size_t len, const struct mend *found)
{
	uint8_t *const ip = frame + found->ip, *const message = frame + found->message;
	const size_t field = found->protocol == TCP ? 16 : 2;
	const size_t octets = len - found->message;

	if (found->message == 0)
		return;
	if (ip[0] >> 4 == 4) {
		message_put16(ip + 10, 0);
		message_put16(ip + 10, ~message_sum(0, ip, found->message - found->ip) & 0xffff);
	}
	if (octets < field + 2 ||
	    (found->protocol != TCP && found->protocol != ICMP && found->protocol != ICMP6))
		return;
	message_put16(message + field, 0);
	message_put16(message + field,
		      ~message_sum(pseudo(ip, found->protocol, octets), message, octets) & 0xffff);
}

/* ---- Fresh frames ---- */

/* Eight octets in front of what an IPv6 header carries: an extension or fragment header. */
static size_t insert_extension(uint8_t *ip, size_t len, uint8_t kind)
{
	memmove(ip + 48, ip + 40, len - 40);
	memset(ip + 40, 0, 8);
	ip[40] = ip[6];
	ip[42] = kind == 44 ? 0 : 1; /* PadN of the rest */
	ip[43] = kind == 44 ? 0 : 4;
	ip[6] = kind;
	return len + 8;
}

static size_t craft_tcp(uint8_t *p, const struct place *path, uint64_t *random)
{
	static const uint8_t flags[8] = {
		SEG_ACK,	   SEG_SYN, SEG_SYN | SEG_ACK, SEG_FIN | SEG_ACK,
		SEG_RST | SEG_ACK, SEG_RST, SEG_ACK | SEG_URG, SEG_SYN | SEG_FIN,
	};
	const struct frame_form form = { .ttl = 64 };
	static const uint8_t text[64];
	struct seg seg = {
		.flags = flags[random_below(random, 8)],
		.wnd = (uint16_t)(random_below(random, 4) ? 1000 : 0),
		.text_len = (uint16_t)(random_below(random, 2) ? random_below(random, 64) : 0),
		.options = (uint8_t)(random_below(random, 32) & ~(unsigned)OPT_SACK),
		.mss = 1400,
		.wscale = (uint8_t)random_below(random, 16),
	};

	if (!(seg.flags & SEG_SYN))
		seg.options &= OPT_TS;
	if (random_below(random, 4) == 0) {
		seg.options = OPT_SACK;
		seg.sacks = (uint8_t)(1 + random_below(random, 3));
		for (unsigned i = 0; i < seg.sacks; i++) {
			seg.sack[i].left = random_below(random, 64);
			seg.sack[i].right = seg.sack[i].left + random_below(random, 64);
		}
	}
	return frame_build(p, &form, &path->peer, &path->local, &seg, text, NULL, 0);
}

/* An echo request, an error about one of our segments, or neighbour discovery. */
static size_t craft_icmp(uint8_t *p, const struct place *path, uint64_t *random)
{
	static const uint8_t types[2][8][2] = {
		{ { 8, 0 }, { 3, 1 }, { 3, 2 }, { 3, 3 }, { 3, 4 }, { 11, 0 }, { 12, 0 }, { 5, 1 } },
		{ { 128, 0 }, { 1, 0 }, { 1, 4 }, { 2, 0 }, { 3, 0 }, { 4, 1 }, { 135, 0 }, { 136, 0 } },
	};
	const uint8_t version = path->local.ip.version;
	const uint8_t *const us = path->local.ip.octets, *const peer = path->peer.ip.octets;
	const uint8_t *const type = types[version == 6][random_below(random, 8)];
	uint8_t body[128], quote[64];
	size_t len;

	if (type[0] == 135 || type[0] == 136) {
		len = message_nd(body, type[0], (uint8_t)(type[0] == 136 ? 0x60 : 0),
				 type[0] == 135 ? us : peer, (uint8_t)(type[0] - 134),
				 place_peer_mac);
	} else {
		len = message_quote(quote, version, us, peer, path->local.port, path->peer.port, 0);
		len = message_body(body, type[0], type[1], random_below(random, 3) ? 1000 : 68,
				   quote, len);
	}
	message_seal(version, peer, us, body, len);
	return message_ip(p, version, peer, us, version == 4 ? ICMP : ICMP6, 255, body, len);
}

size_t mend_craft(uint8_t frame[FRAME_MAX], bool l2, uint64_t random)
{
	struct place path;
	uint8_t ip[FRAME_MAX];
	size_t len, n = 0;
	struct mend found;

	place_path(random_below(&random, PLACE_PATHS), &path.local, &path.peer);
	if (l2 && random_below(&random, 8) == 0) {
		place_path(0, &path.local, &path.peer);
		return message_arp(frame, place_mac, 1 + random_below(&random, 2), place_peer_mac,
				   path.peer.ip.octets, place_mac, path.local.ip.octets);
	}
	if (random_below(&random, 4) == 0)
		len = craft_icmp(ip, &path, &random);
	else
		len = craft_tcp(ip, &path, &random);
	if (path.local.ip.version == 6 && random_below(&random, 8) == 0)
		len = insert_extension(ip, len,
				       (uint8_t[]){ 0, 43, 44, 60 }[random_below(&random, 4)]);
	if (l2) {
		n = message_ether(frame, place_mac, place_peer_mac,
				  path.local.ip.version == 4 ? 0x0800 : 0x86dd);
		if (random_below(&random, 16) == 0) {
			memmove(frame + 16, frame + 12, 2);
			memcpy(frame + 12, (uint8_t[]){ 0x81, 0, 0, 5 }, 4);
			n += 4;
		}
	}
	memcpy(frame + n, ip, len);
	found = mend_lengths(frame, n + len, l2);
	mend_sums(frame, n + len, &found);
	return n + len;
}

size_t mend_mutate(uint8_t *frame, size_t len, size_t max, bool l2, uint64_t random)
{
	uint8_t fresh[FRAME_MAX];
	struct mend found;

	if (len == 0 || random_below(&random, 8) == 0) {
		len = mend_craft(fresh, l2, random_next(&random));
		if (len > max)
			len = max;
		memcpy(frame, fresh, len);
	} else {
		len = LLVMFuzzerMutate(frame, len, max);
	}
	if (random_below(&random, 8) != 0) {
		found = mend_lengths(frame, len, l2);
		mend_sums(frame, len, &found);
	}
	return len;
}

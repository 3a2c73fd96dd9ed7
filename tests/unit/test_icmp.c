/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP, ICMPv6 and neighbour discovery as octets (RFC 792, RFC 4443, RFC 4861 4, 7.1). Messages are judged
 * in a copy of exactly their size, so that the sanitizer sees an octet read beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "rig/message.h"
#include "rig/random.h"
#include "wire/icmp.h"

#define SEQ 0x01020304u

static const uint8_t us[2][16] = { { 198, 18, 0, 1 }, { 0x20, 1, 0, 2, [15] = 1 } };
static const uint8_t them[2][16] = { { 198, 19, 0, 1 }, { 0x20, 1, 0, 2, [15] = 9 } };
static const uint8_t group[16] = { 0xff, 2, [11] = 1, [12] = 0xff, [15] = 1 }; /* of us[1] */
static const uint8_t nobody[16];
static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };

struct said {
	const uint8_t *from, *to;
	uint8_t hops;
	uint8_t body[MESSAGE_MAX];
	size_t len;
};

static struct wire_in in_of(unsigned version, const struct said *s)
{
	struct wire_in in = { .flow.version = (uint8_t)version,
			      .text_len = (uint32_t)s->len,
			      .ttl = s->hops,
			      .group = version == 6 && s->to[0] == 0xff };

	if (version == 6) {
		memcpy(in.flow.v6.local, s->to, 16);
		memcpy(in.flow.v6.remote, s->from, 16);
	} else {
		memcpy(&in.flow.v4.local, s->to, 4);
		memcpy(&in.flow.v4.remote, s->from, 4);
	}
	return in;
}

static enum icmp_kind judge_unsealed(unsigned version, const struct said *s, struct icmp *icmp)
{
	const struct wire_in in = in_of(version, s);
	uint8_t *const copy = malloc(s->len);
	enum icmp_kind kind;

	assert_true(copy != NULL || s->len == 0);
	if (s->len > 0)
		memcpy(copy, s->body, s->len);
	memset(icmp, 0xee, sizeof(*icmp));
	kind = icmp_parse(copy, &in, icmp);
	free(copy);
	return kind;
}

static enum icmp_kind judge(unsigned version, struct said *s, struct icmp *icmp)
{
	if (s->len >= 4)
		message_seal(version, s->from, s->to, s->body, s->len);
	return judge_unsealed(version, s, icmp);
}

static struct said error_of(unsigned version, uint8_t type, uint8_t code, uint32_t rest)
{
	const unsigned v6 = version == 6;
	struct said s = { .from = them[v6], .to = us[v6], .hops = 60 };
	uint8_t quote[64];
	const size_t len = message_quote(quote, version, us[v6], them[v6], 1080, 40000, SEQ);

	s.len = message_body(s.body, type, code, rest, quote, len);
	return s;
}

static struct said nd_of(uint8_t type, uint8_t flags)
{
	struct said s = { .from = them[1], .to = us[1], .hops = 255 };

	s.len = message_nd(s.body, type, flags, type == 135 ? us[1] : them[1], type == 135 ? 1 : 2,
			   mac);
	return s;
}

static void assert_quoted(unsigned version, const struct icmp *icmp)
{
	assert_int_equal(icmp->seq, SEQ);
	assert_int_equal(icmp->quoted.version, version);
	assert_int_equal(flow_local_port(&icmp->quoted), 1080);
	assert_int_equal(flow_remote_port(&icmp->quoted), 40000);
	if (version == 6) {
		assert_memory_equal(icmp->quoted.v6.local, us[1], 16);
		assert_memory_equal(icmp->quoted.v6.remote, them[1], 16);
	} else {
		assert_memory_equal(&icmp->quoted.v4.local, us[0], 4);
		assert_memory_equal(&icmp->quoted.v4.remote, them[0], 4);
	}
}

/* Every type and code there is; those not named here ask for nothing. */
static void types_and_codes__kind_and_errno(void **state)
{
	static const struct {
		unsigned version;
		uint8_t type, first, last;
		enum icmp_kind kind;
		int error;
	} known[] = {
		{ 4, 3, 0, 0, ICMP_SOFT, ENETUNREACH },
		{ 4, 3, 1, 1, ICMP_SOFT, EHOSTUNREACH },
		{ 4, 3, 2, 2, ICMP_HARD, ENOPROTOOPT },
		{ 4, 3, 3, 3, ICMP_HARD, ECONNREFUSED },
		{ 4, 3, 4, 4, ICMP_TOO_BIG, EMSGSIZE },
		{ 4, 3, 5, 5, ICMP_SOFT, EOPNOTSUPP },
		{ 4, 3, 6, 15, ICMP_SOFT, 0 },
		{ 4, 8, 0, 0, ICMP_ECHO, 0 },
		{ 4, 8, 1, 255, ICMP_MALFORMED, 0 },
		{ 4, 11, 0, 255, ICMP_SOFT, EHOSTUNREACH },
		{ 4, 12, 0, 255, ICMP_SOFT, EPROTO },
		{ 6, 1, 0, 0, ICMP_SOFT, ENETUNREACH },
		{ 6, 1, 1, 1, ICMP_SOFT, EACCES },
		{ 6, 1, 2, 3, ICMP_SOFT, EHOSTUNREACH },
		{ 6, 1, 4, 4, ICMP_HARD, ECONNREFUSED },
		{ 6, 1, 5, 6, ICMP_SOFT, EACCES },
		{ 6, 2, 0, 255, ICMP_TOO_BIG, EMSGSIZE },
		{ 6, 3, 0, 255, ICMP_SOFT, EHOSTUNREACH },
		{ 6, 4, 0, 0, ICMP_SOFT, EPROTO },
		{ 6, 4, 1, 1, ICMP_HARD, EPROTO },
		{ 6, 4, 2, 255, ICMP_SOFT, EPROTO },
		{ 6, 128, 0, 0, ICMP_ECHO, 0 },
		{ 6, 128, 1, 255, ICMP_MALFORMED, 0 },
		{ 6, 135, 0, 255, ICMP_ND_MALFORMED, 0 },
		{ 6, 136, 0, 255, ICMP_ND_MALFORMED, 0 },
	};
	struct icmp icmp;

	(void)state;
	for (unsigned version = 4; version <= 6; version += 2) {
		for (unsigned i = 0; i < 65536; i++) {
			struct said s = error_of(version, (uint8_t)(i >> 8), (uint8_t)i, 1400);
			enum icmp_kind want = ICMP_UNWANTED;
			int error = 0;

			for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
				if (known[k].version == version && known[k].type == i >> 8 &&
				    (i & 255) >= known[k].first && (i & 255) <= known[k].last) {
					want = known[k].kind;
					error = known[k].error;
				}
			if (judge(version, &s, &icmp) != want)
				fail_msg("IPv%u type %u code %u", version, i >> 8, i & 255);
			if (want == ICMP_SOFT || want == ICMP_HARD || want == ICMP_TOO_BIG)
				assert_quoted(version, &icmp);
			if (error != 0)
				assert_int_equal(icmp.error, error);
			if (want == ICMP_TOO_BIG)
				assert_int_equal(icmp.mtu, 1400);
		}
	}
}

static void quote__every_truncation__malformed(void **state)
{
	struct icmp icmp;

	(void)state;
	for (unsigned version = 4; version <= 6; version += 2) {
		const struct said whole =
			error_of(version, version == 4 ? 3 : 1, version == 4 ? 1 : 3, 0);

		for (size_t len = 0; len <= whole.len; len++) {
			struct said s = whole;

			s.len = len;
			assert_int_equal(judge(version, &s, &icmp),
					 len < whole.len ? ICMP_MALFORMED : ICMP_SOFT);
		}
	}
}

/* IHL, version, protocol, fragment offset of what is quoted. */
static void quote__broken__malformed(void **state)
{
	struct icmp icmp;

	(void)state;
	for (unsigned value = 0; value < 256; value++) {
		struct said s = error_of(4, 3, 1, 0);

		s.body[8] = (uint8_t)value; /* only 20 octets of header and 8 of TCP are there */
		assert_int_equal(judge(4, &s, &icmp), value == 0x45 ? ICMP_SOFT : ICMP_MALFORMED);
		s = error_of(4, 3, 1, 0);
		s.body[8 + 9] = (uint8_t)value;
		assert_int_equal(judge(4, &s, &icmp), value == 6 ? ICMP_SOFT : ICMP_MALFORMED);
		s = error_of(4, 3, 1, 0);
		s.body[8 + 7] = (uint8_t)value;
		assert_int_equal(judge(4, &s, &icmp), value == 0 ? ICMP_SOFT : ICMP_MALFORMED);
		s = error_of(6, 1, 3, 0);
		s.body[8] = (uint8_t)value;
		assert_int_equal(judge(6, &s, &icmp), value >> 4 == 6 ? ICMP_SOFT : ICMP_MALFORMED);
		s = error_of(6, 1, 3, 0);
		s.body[8 + 6] = (uint8_t)value;
		assert_int_equal(judge(6, &s, &icmp), value == 6 ? ICMP_SOFT : ICMP_MALFORMED);
	}
}

/* A quoted header with options is walked over. */
static void quote__with_options__ports_found(void **state)
{
	struct said s = error_of(4, 3, 1, 0);
	struct icmp icmp;

	(void)state;
	memmove(s.body + 8 + 60, s.body + 8 + 20, 8);
	memset(s.body + 8 + 20, 1, 40);
	s.body[8] = 0x4f;
	s.len = 8 + 68;
	assert_int_equal(judge(4, &s, &icmp), ICMP_SOFT);
	assert_quoted(4, &icmp);
	s.len--;
	assert_int_equal(judge(4, &s, &icmp), ICMP_MALFORMED);
}

/* Each bit, the checksum's own included; of IPv6 the addresses too (RFC4443-2.4). */
static void one_bit_flipped__malformed(void **state)
{
	struct icmp icmp;

	(void)state;
	for (unsigned version = 4; version <= 6; version += 2) {
		struct said good = error_of(version, version == 4 ? 3 : 1, 1, 0);

		assert_int_equal(judge(version, &good, &icmp), ICMP_SOFT);
		for (size_t bit = 0; bit < good.len * 8; bit++) {
			struct said s = good;

			s.body[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(judge_unsealed(version, &s, &icmp), ICMP_MALFORMED);
		}
		if (version == 6) {
			good.from = us[0];
			assert_int_equal(judge_unsealed(version, &good, &icmp), ICMP_MALFORMED);
		}
	}
}

static void nd__good__taken_apart(void **state)
{
	struct said s = nd_of(135, 0);
	struct icmp icmp;

	(void)state;
	assert_int_equal(judge(6, &s, &icmp), ICMP_SOLICIT);
	assert_memory_equal(icmp.target, us[1], 16);
	assert_true(icmp.has_mac);
	assert_memory_equal(icmp.mac, mac, 6);
	s.to = group;
	assert_int_equal(judge(6, &s, &icmp), ICMP_SOLICIT);
	s.from = nobody;
	s.len = MESSAGE_ND;
	assert_int_equal(judge(6, &s, &icmp), ICMP_SOLICIT);
	assert_false(icmp.has_mac);
	s = nd_of(136, 0xe0);
	assert_int_equal(judge(6, &s, &icmp), ICMP_ADVERTISE);
	assert_memory_equal(icmp.target, them[1], 16);
	assert_memory_equal(icmp.mac, mac, 6);
	assert_int_equal(icmp.flags, ND_ROUTER | ND_SOLICITED | ND_OVERRIDE);
}

#define EXPECT_REFUSED(s, ...)                                                 \
	do {                                                                   \
		struct said broken = (s);                                      \
		struct icmp icmp;                                              \
		__VA_ARGS__;                                                   \
		assert_int_equal(judge(6, &broken, &icmp), ICMP_ND_MALFORMED); \
	} while (0)

/* Each rule of RFC 4861 7.1.1 and 7.1.2 broken in turn. */
static void nd__each_rule_broken__malformed(void **state)
{
	static const uint8_t other[16] = { 0xff, 2, [15] = 1 };

	(void)state;
	for (unsigned type = 135; type <= 136; type++) {
		const struct said good = nd_of((uint8_t)type, 0);

		for (unsigned hops = 1; hops < 255; hops++)
			EXPECT_REFUSED(good, broken.hops = (uint8_t)hops);
		for (unsigned code = 1; code < 256; code++)
			EXPECT_REFUSED(good, broken.body[1] = (uint8_t)code);
		for (size_t len = 8; len < good.len; len++)
			if (len != MESSAGE_ND)
				EXPECT_REFUSED(good, broken.len = len);
		EXPECT_REFUSED(good, broken.body[8] = 0xff);	       /* target */
		EXPECT_REFUSED(good, broken.body[MESSAGE_ND + 1] = 0); /* option of no length */
		EXPECT_REFUSED(good, broken.body[MESSAGE_ND + 1] = 2); /* ... past the end */
		EXPECT_REFUSED(good, broken.body[good.len] = 1; broken.len += 8); /* the second one */
	}
	EXPECT_REFUSED(nd_of(135, 0), broken.from = nobody; broken.len = MESSAGE_ND);
	EXPECT_REFUSED(nd_of(135, 0), broken.from = nobody; broken.to = group);
	EXPECT_REFUSED(nd_of(135, 0), broken.to = other);
	EXPECT_REFUSED(nd_of(136, ND_SOLICITED), broken.to = other);
	EXPECT_REFUSED(nd_of(136, 0), broken.from = nobody);
}

/* Octets at random, sealed so that something is looked at. */
static void random__never_reads_beside(void **state)
{
	uint64_t random = 11;
	struct icmp icmp;

	(void)state;
	for (unsigned i = 0; i < 300000; i++) {
		const unsigned version = i & 1 ? 6 : 4;
		struct said s = { .from = them[i & 1], .to = us[i & 1], .hops = 255 };

		s.len = random_below(&random, 90);
		for (size_t k = 0; k < s.len; k++)
			s.body[k] = (uint8_t)random_next(&random);
		if (s.len > 8) {
			s.body[0] = (uint8_t)(version == 4 ? random_below(&random, 13) :
							     random_below(&random, 2) * 133 +
								     random_below(&random, 5));
			s.body[1] = (uint8_t)random_below(&random, 2);
			s.body[8] = version == 4 ? (uint8_t)(0x40 | random_below(&random, 16)) : 0x60;
		}
		judge(version, &s, &icmp);
	}
}

static void built__echo_and_nd__as_the_peer_reads_them(void **state)
{
	const struct wire_link link = { .dst_mac = { 2 }, .src_mac = { 2, 0, 0, 0, 0, 1 }, .ttl = 64 };
	uint8_t frame[MESSAGE_MAX], asked[600], want[MESSAGE_MAX], body[600];

	(void)state;
	for (unsigned version = 4; version <= 6; version += 2) {
		const unsigned v6 = version == 6;
		struct said s = { .from = them[v6], .to = us[v6] };
		struct wire_in in = in_of(version, &s);

		for (size_t len = 8; len < sizeof(asked); len++) {
			for (size_t i = 0; i < len; i++)
				asked[i] = (uint8_t)(i * 5);
			asked[0] = v6 ? 128 : 8;
			asked[1] = 0;
			memcpy(body, asked, len);
			body[0] = v6 ? 129 : 0;
			message_seal(version, us[v6], them[v6], body, len);
			message_ether(want, link.dst_mac, link.src_mac, v6 ? 0x86dd : 0x0800);
			message_ip(want + 14, version, us[v6], them[v6], v6 ? 58 : 1, 64, body, len);
			assert_int_equal(icmp_echo_build(frame, &link, &in.flow, asked, (uint32_t)len),
					 14 + (v6 ? 40u : 20u) + len);
			assert_memory_equal(frame, want, 14 + (v6 ? 40u : 20u) + len);
		}
	}
	for (unsigned type = 135; type <= 136; type++) {
		struct said s = { .from = them[1], .to = us[1] };
		struct wire_in in = in_of(6, &s);
		uint32_t target[4];
		size_t len;

		memcpy(target, us[1], 16);
		len = message_nd(body, (uint8_t)type, 0x60, us[1], type == 135 ? 1 : 2, link.src_mac);
		message_seal(6, us[1], them[1], body, len);
		message_ether(want, link.dst_mac, link.src_mac, 0x86dd);
		message_ip(want + 14, 6, us[1], them[1], 58, 255, body, len);
		assert_int_equal(icmp_nd_build(frame, &link, &in.flow,
					       type == 135 ? ICMP_SOLICIT : ICMP_ADVERTISE, target,
					       ND_SOLICITED | ND_OVERRIDE),
				 ICMP_ND_FRAME_MAX - 4);
		assert_memory_equal(frame, want, ICMP_ND_FRAME_MAX - 4);
	}
}

static void groups__of_an_address(void **state)
{
	const uint8_t want[6] = { 0x33, 0x33, 0xff, 0, 0, 1 };
	uint32_t address[4], got[4];
	uint8_t got_mac[6];

	(void)state;
	memcpy(address, us[1], 16);
	nd_group(address, got);
	assert_memory_equal(got, group, 16);
	nd_group_mac(got, got_mac);
	assert_memory_equal(got_mac, want, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "MUST-54-types", types_and_codes__kind_and_errno, NULL, NULL, NULL },
		{ "HF-IC2-truncated", quote__every_truncation__malformed, NULL, NULL, NULL },
		{ "HF-IC2-broken", quote__broken__malformed, NULL, NULL, NULL },
		{ "HF-IC2-options", quote__with_options__ports_found, NULL, NULL, NULL },
		{ "RFC4443-2.4-sum", one_bit_flipped__malformed, NULL, NULL, NULL },
		{ "RFC4861-7.1.1-good", nd__good__taken_apart, NULL, NULL, NULL },
		{ "RFC4861-7.1.1-broken", nd__each_rule_broken__malformed, NULL, NULL, NULL },
		{ "HF-G3-icmp", random__never_reads_beside, NULL, NULL, NULL },
		{ "RFC792-echo-build", built__echo_and_nd__as_the_peer_reads_them, NULL, NULL, NULL },
		{ "RFC4861-groups", groups__of_an_address, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("ICMP messages", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyed numbers that go out on the wire: ISS (RFC 9293 3.4.1, RFC 6528), timestamp offset (RFC 7323
 * 5.4, HF-TS1), and the secrets under them. The worker calls these as connections are made. */
#include "table/iss.h"

#include <errno.h>

int secrets_fill(struct secrets *secrets, const uint8_t *random, size_t size)
{
	if (size < SECRETS_OCTETS)
		return -EINVAL;
	memset(secrets, 0, sizeof(*secrets));
	memcpy(secrets, random, SECRETS_OCTETS);
	secrets->has_aes = hash_has_aes();
	return 0;
}

void secrets_seed(struct secrets *secrets, uint64_t seed)
{
	const uint64_t key[2] = { seed, 0 };
	uint8_t octets[SECRETS_OCTETS];

	for (size_t i = 0; i < sizeof(octets); i += sizeof(uint64_t)) {
		const uint64_t word = siphash24(key, (const uint64_t[]){ i }, 1);

		memcpy(octets + i, &word, sizeof(word));
	}
	(void)secrets_fill(secrets, octets, sizeof(octets));
}

uint64_t flow_prf(const uint64_t key[2], const struct flow *flow)
{
	uint64_t words[FLOW_WORDS6];

	if (flow->version == 4) {
		flow_words4(&flow->v4, words);
		return siphash24(key, words, FLOW_WORDS4);
	}
	flow_words6(&flow->v6, words);
	return siphash24(key, words, FLOW_WORDS6);
}

uint32_t iss_generate(const struct secrets *secrets, const struct flow *flow, uint64_t now_us)
{
	if (secrets->iss_fixed)
		return secrets->iss_value;
	return (uint32_t)(now_us / 4 + flow_prf(secrets->iss, flow));
}

uint32_t ts_offset(const struct secrets *secrets, const struct flow *flow)
{
	uint64_t words[5] = { 0 };

	if (flow->version == 4) {
		memcpy(words, &flow->v4.local, 4);
		memcpy((uint8_t *)words + 4, &flow->v4.remote, 4);
		words[1] = SIPHASH_LENGTH(8);
		return (uint32_t)siphash24(secrets->ts, words, 2);
	}
	memcpy(words, flow->v6.local, 16);
	memcpy(words + 2, flow->v6.remote, 16);
	words[4] = SIPHASH_LENGTH(32);
	return (uint32_t)siphash24(secrets->ts, words, 5);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The flow table's hash (HF-M3): keyed, and not linear, so that nobody without the key can aim at a line.
 * Four rounds of AES a block where the CPU has them: any difference between two tuples then reaches at least
 * 25 S-boxes, which no input survives with a probability above 2^-113 (Daemen, Rijmen; as in Pelican MAC).
 * Elsewhere SipHash-1-3. Only this process ever sees the value, so the two need not agree. */
#include "table/iss.h"

static uint64_t hash_siphash(const struct secrets *secrets, const struct flow *flow)
{
	uint64_t words[FLOW_WORDS6];

	if (flow->version == 4) {
		flow_words4(&flow->v4, words);
		return siphash13(secrets->table, words, FLOW_WORDS4);
	}
	flow_words6(&flow->v6, words);
	return siphash13(secrets->table, words, FLOW_WORDS6);
}

#ifdef __x86_64__
#include <immintrin.h>

bool hash_has_aes(void)
{
	return __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.1");
}

#define AES_INLINE static inline __attribute__((always_inline, target("aes,sse4.1")))

AES_INLINE __m128i key_at(const struct secrets *secrets, unsigned i)
{
	return _mm_loadu_si128((const __m128i *)(const void *)secrets->table_aes[i]);
}

AES_INLINE __m128i four_rounds(const struct secrets *secrets, __m128i block)
{
	block = _mm_aesenc_si128(block, key_at(secrets, 1));
	block = _mm_aesenc_si128(block, key_at(secrets, 2));
	block = _mm_aesenc_si128(block, key_at(secrets, 3));
	return _mm_aesenc_si128(block, key_at(secrets, 4));
}

static __attribute__((target("aes,sse4.1"))) uint64_t hash_aes(const struct secrets *secrets,
							       const struct flow *flow)
{
	const __m128i *const words = (const __m128i *)(const void *)flow;
	__m128i block = key_at(secrets, 0);
	uint64_t addresses;
	uint32_t ports;

	if (flow->version == 4) { /* 12 octets, and zeros */
		memcpy(&addresses, &flow->v4, sizeof(addresses));
		memcpy(&ports, &flow->v4.local_port, sizeof(ports));
		block = _mm_xor_si128(block, _mm_set_epi64x(ports, (long long)addresses));
	} else { /* CBC of 36 octets: the ports stand alone in the third block */
		memcpy(&ports, &flow->v6.local_port, sizeof(ports));
		block = four_rounds(secrets, _mm_xor_si128(block, _mm_loadu_si128(words)));
		block = four_rounds(secrets, _mm_xor_si128(block, _mm_loadu_si128(words + 1)));
		block = _mm_xor_si128(block, _mm_cvtsi32_si128((int)ports));
	}
	return (uint64_t)_mm_cvtsi128_si64(four_rounds(secrets, block));
}

uint64_t flow_hash(const struct secrets *secrets, const struct flow *flow)
{
	return secrets->has_aes ? hash_aes(secrets, flow) : hash_siphash(secrets, flow);
}

#else

bool hash_has_aes(void)
{
	return false;
}

uint64_t flow_hash(const struct secrets *secrets, const struct flow *flow)
{
	return hash_siphash(secrets, flow);
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The hash is linear: the exclusive or of what each input bit adds, which is the key's 32 bits from that
 * bit's place on. Summed up beforehand by half octets it takes 24 steps for IPv4. */
#include "table/toeplitz.h"

#include <string.h>

/* The key's 32 bits from this bit on. */
static uint32_t key_bits(const uint8_t *key, unsigned bit)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < 5; i++)
		bits = bits << 8 | (bit / 8 + i < TOEPLITZ_KEY ? key[bit / 8 + i] : 0);
	return (uint32_t)(bits >> (8 - bit % 8));
}

void toeplitz_init(struct toeplitz *t, const uint8_t *key)
{
	for (unsigned place = 0; place < 2 * TOEPLITZ_INPUT; place++)
		for (unsigned value = 0; value < 16; value++) {
			uint32_t hash = 0;

			for (unsigned bit = 0; bit < 4; bit++)
				if (value & 8u >> bit)
					hash ^= key_bits(key, 4 * place + bit);
			t->half[place][value] = hash;
		}
}

static uint32_t add(const struct toeplitz *t, unsigned at, const uint8_t *octets, unsigned n)
{
	uint32_t hash = 0;

	for (unsigned i = 0; i < n; i++) {
		hash ^= t->half[2ul * (at + i)][octets[i] >> 4];
		hash ^= t->half[2ul * (at + i) + 1][octets[i] & 15];
	}
	return hash;
}

static uint32_t add_port(const struct toeplitz *t, unsigned at, uint16_t port)
{
	const uint8_t octets[2] = { (uint8_t)(port >> 8), (uint8_t)port };

	return add(t, at, octets, 2);
}

uint32_t toeplitz_flow(const struct toeplitz *t, const struct flow *flow)
{
	if (flow->version == 6)
		return add(t, 0, (const uint8_t *)flow->v6.remote, 16) ^
		       add(t, 16, (const uint8_t *)flow->v6.local, 16) ^
		       add_port(t, 32, flow->v6.remote_port) ^ add_port(t, 34, flow->v6.local_port);
	return add(t, 0, (const uint8_t *)&flow->v4.remote, 4) ^
	       add(t, 4, (const uint8_t *)&flow->v4.local, 4) ^
	       add_port(t, 8, flow->v4.remote_port) ^ add_port(t, 10, flow->v4.local_port);
}

/* Whether the 16 input bits from this octet on have full rank in the hash's low bits (Gauss). */
static bool full_rank(const struct toeplitz *t, unsigned octet, unsigned bits)
{
	uint32_t row[16];
	unsigned rank = 0;

	for (unsigned i = 0; i < 16; i++)
		row[i] = t->half[2 * octet + i / 4][8u >> i % 4];
	for (unsigned bit = 0; bit < bits; bit++) {
		unsigned pivot = rank;

		while (pivot < 16 && !(row[pivot] >> bit & 1))
			pivot++;
		if (pivot == 16)
			return false;
		for (unsigned i = 0; i < 16; i++)
			if (i != pivot && row[i] >> bit & 1)
				row[i] ^= row[pivot];
		row[pivot] = row[rank];
		rank++;
	}
	return true;
}

bool toeplitz_spreads(const struct toeplitz *t, unsigned bits)
{
	static const uint8_t places[] = { 8, 10, 32, 34, 2, 14 };

	for (unsigned i = 0; i < sizeof(places); i++)
		if (!full_rank(t, places[i], bits))
			return false;
	return true;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN cookies; the worker calls these while a listener's backlog is full. */
#include "table/cookie.h"

#include <assert.h>

#include "table/pow2.h"

#define SLOT_US 16000000u
#define LIFE_SLOTS 8
#define OPEN_BITS 6 /* time and MSS */
#define LINE_COOKIES 8

/* The first is the least that may be agreed on; what is raised (HF-O4) is the caller's matter. */
static const uint16_t mss_table[8] = { 48, 536, 1220, 1360, 1400, 1440, 1460, 8960 };

static uint64_t prf(const uint64_t key[2], const struct flow *flow, uint64_t first)
{
	uint64_t words[1 + FLOW_WORDS6];

	words[0] = first;
	if (flow->version == 4) {
		flow_words4(&flow->v4, words + 1);
		return siphash24(key, words, 1 + FLOW_WORDS4);
	}
	flow_words6(&flow->v6, words + 1);
	return siphash24(key, words, 1 + FLOW_WORDS6);
}

static uint32_t seal(const struct secrets *secrets, const struct flow *flow, uint32_t irs,
		     uint64_t slot, unsigned index)
{
	const uint32_t mask = (uint32_t)prf(secrets->cookie[0], flow, irs);
	const uint32_t mac = (uint32_t)prf(secrets->cookie[1], flow,
					   (uint64_t)irs << 32 | (uint32_t)(slot << 3) | index);
	const uint32_t open = ((uint32_t)(slot & 7) << 3 | index) ^ mask;

	return mac << OPEN_BITS | (open & ((1u << OPEN_BITS) - 1));
}

uint32_t cookie_make(const struct secrets *secrets, const struct flow *flow, uint32_t irs,
		     uint16_t mss, uint64_t now_us)
{
	unsigned index = 7;

	while (index > 0 && mss_table[index] > mss)
		index--;
	return seal(secrets, flow, irs, now_us / SLOT_US, index);
}

bool cookie_check(const struct secrets *secrets, const struct flow *flow, uint32_t irs,
		  uint32_t iss, uint64_t now_us, uint16_t *mss)
{
	const uint32_t open = iss ^ (uint32_t)prf(secrets->cookie[0], flow, irs);
	const uint64_t now = now_us / SLOT_US;
	const uint64_t slot = now - ((now - (open >> 3)) & 7);

	if (slot > now || seal(secrets, flow, irs, slot, open & 7) != iss)
		return false;
	*mss = mss_table[open & 7];
	return true;
}

/* ---- Used ones -------------------------------------------------------------------------------------- */

struct cookies_line {
	struct used {
		uint32_t iss;
		uint16_t tag; /* upper bits of the flow's hash */
		uint16_t slot; /* of its use; the first of time is LIFE_SLOTS, so that zero was before */
	} at[LINE_COOKIES];
};

static_assert(sizeof(struct cookies_line) == 64, "a cache line");

static uint64_t lines_for(uint32_t requests)
{
	return pow2_from(1, requests) * (16 / LINE_COOKIES);
}

size_t cookies_memory(uint32_t requests)
{
	return lines_for(requests) * sizeof(struct cookies_line);
}

void cookies_init(struct cookies_used *used, void *memory, uint32_t requests)
{
	*used = (struct cookies_used){ .at = memory, .mask = lines_for(requests) - 1 };
}

/* One tuple's cookies are not all in one line. */
static struct used *line_of(const struct cookies_used *used, uint64_t hash, uint32_t iss)
{
	return used->at[(hash ^ iss >> OPEN_BITS) & used->mask].at;
}

static uint16_t used_at(uint64_t now_us)
{
	return (uint16_t)(now_us / SLOT_US + LIFE_SLOTS);
}

/* In slots. */
static uint16_t age_of(const struct used *u, uint64_t now_us)
{
	return (uint16_t)(used_at(now_us) - u->slot);
}

bool cookie_used(const struct cookies_used *used, uint64_t hash, uint32_t iss, uint64_t now_us)
{
	const struct used *const line = line_of(used, hash, iss);

	for (unsigned i = 0; i < LINE_COOKIES; i++)
		if (line[i].iss == iss && line[i].tag == hash >> 48 &&
		    age_of(&line[i], now_us) < LIFE_SLOTS)
			return true;
	return false;
}

bool cookie_use(struct cookies_used *used, uint64_t hash, uint32_t iss, uint64_t now_us)
{
	struct used *const line = line_of(used, hash, iss);
	struct used *oldest = line;
	bool living;

	for (unsigned i = 1; i < LINE_COOKIES; i++)
		if (age_of(&line[i], now_us) > age_of(oldest, now_us))
			oldest = &line[i];
	living = age_of(oldest, now_us) < LIFE_SLOTS;
	*oldest = (struct used){ iss, (uint16_t)(hash >> 48), used_at(now_us) };
	return living;
}

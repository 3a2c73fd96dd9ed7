/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN cookies, and which of them have made a connection. */
#include "table/cookie.h"

#include <assert.h>
#include <string.h>

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

/* The last one first. Another flow's cookie is taken for one of a line at 2^-29. */
struct cookies_line {
	struct used {
		uint32_t iss;
		uint32_t slot; /* of its use; the first of time is LIFE_SLOTS, so that zero was before */
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

static uint32_t slot_of(uint64_t now_us)
{
	return (uint32_t)(now_us / SLOT_US) + LIFE_SLOTS;
}

static bool lives(const struct used *u, uint64_t now_us)
{
	return slot_of(now_us) - u->slot < LIFE_SLOTS;
}

bool cookie_used(const struct cookies_used *used, uint64_t hash, uint32_t iss, uint64_t now_us)
{
	const struct used *const line = line_of(used, hash, iss);

	for (unsigned i = 0; i < LINE_COOKIES; i++)
		if (line[i].iss == iss && lives(&line[i], now_us))
			return true;
	return false;
}

bool cookie_use(struct cookies_used *used, uint64_t hash, uint32_t iss, uint64_t now_us)
{
	struct used *const line = line_of(used, hash, iss);
	const bool forgets = lives(&line[LINE_COOKIES - 1], now_us);

	memmove(line + 1, line, (LINE_COOKIES - 1) * sizeof(*line));
	line[0] = (struct used){ iss, slot_of(now_us) };
	return forgets;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The scoreboard against a map of single octets, and what it costs at worst (RFC 6675 4, HF-SACK1). */
#include <string.h>

#include "rig/random.h"
#include "test_tcp.h"

#define OCTETS 2000u
#define SMSS 100u

struct map {
	uint32_t first; /* sequence number of held[0] */
	bool held[OCTETS];
};

static uint32_t held(const struct map *m, uint32_t from, uint32_t to)
{
	uint32_t n = 0;

	for (uint32_t i = from; i < to; i++)
		n += m->held[i];
	return n;
}

/* IsLost, octet by octet. */
static bool lost(const struct map *m, uint32_t at)
{
	uint32_t octets = 0, spans = 0;

	for (uint32_t i = at + 1; i < OCTETS; i++) {
		octets += m->held[i];
		spans += m->held[i] && !m->held[i - 1];
	}
	return spans >= DUP_THRESH || octets > (DUP_THRESH - 1) * SMSS;
}

static void expect_same(const struct scoreboard *board, const struct map *m, uint32_t una,
			uint64_t *random)
{
	const uint32_t edge = scoreboard_lost_edge(board, m->first + una, SMSS) - m->first;
	const uint32_t from = una + random_below(random, OCTETS - una);
	const uint32_t to = from + random_below(random, OCTETS - from);
	struct span hole;
	uint32_t at = from;

	assert_int_equal(board->octets, held(m, 0, OCTETS));
	assert_int_equal(scoreboard_between(board, m->first + from, m->first + to),
			 held(m, from, to));
	for (uint32_t i = una; i < OCTETS; i++)
		if (!m->held[i])
			assert_int_equal(i < edge, lost(m, i));
	while (at < to && m->held[at])
		at++;
	assert_int_equal(scoreboard_hole(board, m->first + from, m->first + to, &hole), at < to);
	if (at == to)
		return;
	assert_int_equal(hole.left - m->first, at);
	while (at < to && !m->held[at])
		at++;
	assert_int_equal(hole.right - m->first, at);
}

static void any_blocks__as_an_octet_map_has_it(struct tcb_rig *r)
{
	uint64_t random = 1;

	for (unsigned round = 0; round < 40; round++) {
		struct scoreboard board;
		struct map m = { .first = r->iss };
		uint32_t una = 0;

		scoreboard_clear(&board);
		for (unsigned i = 0; i < 30; i++) {
			const uint32_t left = una + 1 + random_below(&random, OCTETS - una - 50);
			const uint32_t right = left + 1 + random_below(&random, 49);
			const uint32_t known = held(&m, left, right);

			assert_int_equal(scoreboard_add(&board, m.first + left, m.first + right),
					 right - left - known);
			for (uint32_t k = left; k < right; k++)
				m.held[k] = true;
			expect_same(&board, &m, una, &random);
			if (i % 8 != 7)
				continue;
			una += random_below(&random, 200);
			while (m.held[una])
				una++;
			memset(m.held, 0, una * sizeof(m.held[0]));
			assert_true(scoreboard_advance(&board, m.first + una));
			expect_same(&board, &m, una, &random);
		}
	}
}

static void advance__to_a_held_octet__is_reneging(struct tcb_rig *r)
{
	struct scoreboard board;

	scoreboard_clear(&board);
	scoreboard_add(&board, ISS + 100, ISS + 200);
	assert_true(scoreboard_advance(&board, ISS + 99));
	assert_false(scoreboard_advance(&board, ISS + 100));
	assert_false(scoreboard_advance(&board, ISS + 199));
	assert_true(scoreboard_advance(&board, ISS + 200));
	assert_int_equal(board.count, 0);
}

/* Every second of 10^4 segments held: as many spans as there is room for, the lowest, whatever the order. */
static void more_spans_than_fit__highest_are_forgotten(struct tcb_rig *r)
{
	for (unsigned backward = 0; backward < 2; backward++) {
		struct scoreboard board;

		scoreboard_clear(&board);
		for (uint32_t i = 0; i < 5000; i++) {
			const uint32_t n = backward ? 4999 - i : i;
			const uint32_t left = ISS + 100 + 200 * n;

			scoreboard_add(&board, left, left + 100);
			assert_true(board.count <= SCOREBOARD_SPANS);
			assert_int_equal(board.octets, 100 * board.count);
		}
		assert_int_equal(board.count, SCOREBOARD_SPANS);
		assert_int_equal(board.span[0].left, ISS + 100);
		assert_int_equal(board.span[SCOREBOARD_SPANS - 1].left,
				 ISS + 100 + 200 * (SCOREBOARD_SPANS - 1));
		scoreboard_add(&board, ISS + 100, ISS + 100 + 200 * 5000); /* one over all */
		assert_int_equal(board.count, 1);
		assert_int_equal(board.octets, 200 * 5000);
	}
}

static const struct tcb_row rows[] = {
	{ "RFC6675-4", any_blocks__as_an_octet_map_has_it, ROW_PLAIN },
	{ "RFC2018-8-board", advance__to_a_held_octet__is_reneging, ROW_PLAIN },
	{ "HF-SACK1, SEC-7", more_spans_than_fit__highest_are_forgotten, ROW_PLAIN },
};

GROUP(scoreboard);

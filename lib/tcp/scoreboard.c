/* SPDX-License-Identifier: BSD-3-Clause */
/* The scoreboard of a sender (RFC 6675 4): an array of spans, searched from its end, where the news is. */
#include <string.h>

#include "tcp/scoreboard.h"
#include "tcp/seq.h"

static uint32_t size(const struct span *span)
{
	return span->right - span->left;
}

/* Runs first to last (exclusive) go, or make room for one more. */
static void replace(struct scoreboard *board, uint32_t first, uint32_t last, struct span by)
{
	for (uint32_t i = first; i < last; i++)
		board->octets -= size(&board->span[i]);
	if (first == last && board->count == SCOREBOARD_SPANS)
		board->octets -= size(&board->span[--board->count]);
	memmove(&board->span[first + 1], &board->span[last],
		(board->count - last) * sizeof(board->span[0]));
	board->count += first + 1 - last;
	board->span[first] = by;
	board->octets += size(&by);
}

uint32_t scoreboard_add(struct scoreboard *board, uint32_t left, uint32_t right)
{
	struct span by = { left, right };
	const uint32_t known = scoreboard_between(board, left, right);
	uint32_t first, last = board->count;

	if (known == right - left)
		return 0;
	while (last > 0 && seq_gt(board->span[last - 1].left, right))
		last--;
	for (first = last; first > 0 && seq_ge(board->span[first - 1].right, left); first--) {
		const struct span *const span = &board->span[first - 1];

		by.left = seq_lt(span->left, by.left) ? span->left : by.left;
		by.right = seq_max(span->right, by.right);
	}
	if (first == SCOREBOARD_SPANS)
		return 0;
	replace(board, first, last, by);
	return right - left - known;
}

bool scoreboard_advance(struct scoreboard *board, uint32_t una)
{
	uint32_t gone = 0;

	while (gone < board->count && seq_le(board->span[gone].right, una))
		board->octets -= size(&board->span[gone++]);
	board->count -= gone;
	if (gone > 0)
		memmove(&board->span[0], &board->span[gone], board->count * sizeof(board->span[0]));
	return board->count == 0 || seq_gt(board->span[0].left, una);
}

uint32_t scoreboard_between(const struct scoreboard *board, uint32_t from, uint32_t to)
{
	uint32_t octets = 0;

	for (uint32_t i = board->count; i > 0 && seq_gt(board->span[i - 1].right, from); i--) {
		const struct span *const span = &board->span[i - 1];
		const uint32_t left = seq_max(span->left, from);
		const uint32_t right = seq_lt(span->right, to) ? span->right : to;

		if (seq_lt(left, right))
			octets += right - left;
	}
	return octets;
}

uint32_t scoreboard_lost_edge(const struct scoreboard *board, uint32_t una, uint32_t smss)
{
	uint32_t octets = 0, spans = 0;

	for (uint32_t i = board->count; i > 0; i--) {
		octets += size(&board->span[i - 1]);
		if (++spans >= DUP_THRESH || octets > (DUP_THRESH - 1) * smss)
			return board->span[i - 1].left;
	}
	return una;
}

bool scoreboard_hole(const struct scoreboard *board, uint32_t from, uint32_t to, struct span *hole)
{
	uint32_t above = board->count;

	while (above > 0 && seq_gt(board->span[above - 1].left, from))
		above--;
	hole->left = above > 0 ? seq_max(board->span[above - 1].right, from) : from;
	hole->right = above < board->count && seq_lt(board->span[above].left, to) ?
			      board->span[above].left :
			      to;
	return seq_lt(hole->left, hole->right);
}

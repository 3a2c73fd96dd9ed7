/* SPDX-License-Identifier: BSD-3-Clause */
/* Times of transmission (RFC 8985 5.1): an array of spans that touch, in order of sequence number. */
#include <string.h>

#include "tcp/sentlog.h"
#include "tcp/seq.h"

static void unite(struct sent *with, const struct sent *next)
{
	with->end = next->end;
	with->us = seq_max(with->us, next->us);
	with->again |= next->again;
	with->lost &= next->lost;
}

/* Every second span joins the one before it; first those that are as lost as it. */
static void thin(struct sentlog *log, bool alike)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < log->count; i++) {
		struct sent *const to = &log->span[count++];

		*to = log->span[i];
		if (i + 1 < log->count && (!alike || to->lost == log->span[i + 1].lost))
			unite(to, &log->span[++i]);
	}
	log->count = count;
}

/* Room for what one transmission may add. */
static void make_room(struct sentlog *log)
{
	if (log->count + 2 <= SENTLOG_SPANS)
		return;
	thin(log, true);
	if (log->count + 2 > SENTLOG_SPANS)
		thin(log, false);
}

/* The first span that ends behind seq. */
static uint32_t find(const struct sentlog *log, uint32_t seq)
{
	uint32_t i = log->count;

	while (i > 0 && seq_gt(log->span[i - 1].end, seq))
		i--;
	return i;
}

static void split(struct sentlog *log, uint32_t una, uint32_t seq)
{
	const uint32_t i = find(log, seq);

	if (i == log->count || seq_le(seq, i == 0 ? una : log->span[i - 1].end))
		return;
	memmove(&log->span[i + 1], &log->span[i], (log->count - i) * sizeof(log->span[0]));
	log->span[i].end = seq;
	log->count++;
}

void sentlog_split(struct sentlog *log, uint32_t una, uint32_t seq)
{
	make_room(log);
	split(log, una, seq);
}

void sentlog_add(struct sentlog *log, uint32_t una, uint32_t left, uint32_t right, uint32_t us,
		 bool again)
{
	const struct sent sent = { .end = right, .us = us, .again = again };
	uint32_t first, last;

	if (log->count > 0 && !again) {
		struct sent *const newest = &log->span[log->count - 1];

		if (newest->us == us && !newest->again && !newest->lost) {
			newest->end = right;
			return;
		}
	}
	make_room(log);
	if (again) {
		split(log, una, left);
		split(log, una, right);
	}
	first = find(log, left);
	last = find(log, right);
	memmove(&log->span[first + 1], &log->span[last], (log->count - last) * sizeof(log->span[0]));
	log->count += first + 1 - last;
	log->span[first] = sent;
}

void sentlog_advance(struct sentlog *log, uint32_t una)
{
	uint32_t gone = 0;

	while (gone < log->count && seq_le(log->span[gone].end, una))
		gone++;
	log->count -= gone;
	if (gone > 0)
		memmove(&log->span[0], &log->span[gone], log->count * sizeof(log->span[0]));
}

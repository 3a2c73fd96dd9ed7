/* SPDX-License-Identifier: BSD-3-Clause */
/* /handfast/report: the books of both ends as they stand. The workers go on writing them meanwhile, each
 * number for itself, so sums can be a few connections apart; what balances is the report at the end. */
#include "told.h"

#include <stddef.h>

#define BOOK(field)                                                                   \
	{                                                                             \
		{ "client_" #field, "server_" #field }, offsetof(struct books, field) \
	}
#define ENTRY(field, name)                                                        \
	{                                                                         \
		{ "client_" name, "server_" name }, offsetof(struct books, field) \
	}

static const struct book {
	const char *name[SIDES];
	size_t offset;
} books[] = {
	BOOK(attempted),
	BOOK(established),
	BOOK(accepted),
	BOOK(closed),
	BOOK(closed_by_rst),
	BOOK(wrong_text),
	BOOK(cut_short),
	ENTRY(failed[FAILED_TIMEOUT], "failed_timeout"),
	ENTRY(failed[FAILED_REFUSED], "failed_refused"),
	ENTRY(failed[FAILED_RESET], "failed_reset"),
	ENTRY(failed[FAILED_UNREACHABLE], "failed_unreachable"),
	ENTRY(failed[FAILED_NO_PORT], "failed_no_port"),
	ENTRY(failed[FAILED_NO_MEMORY], "failed_no_memory"),
	ENTRY(failed[FAILED_ABORTED], "failed_aborted"),
	ENTRY(lost[LOST_RESET], "lost_reset"),
	ENTRY(lost[LOST_TIMEOUT], "lost_timeout"),
	ENTRY(lost[LOST_ABORTED], "lost_aborted"),
};
#define BOOKS (sizeof(books) / sizeof(books[0]))

static uint64_t book_sum(const struct told_run *told, enum side side, const struct book *book)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < told->run->plan->pairs; i++)
		sum += __atomic_load_n(
			(const uint64_t *)(const void *)((const char *)&told->ends[side][i].books +
							 book->offset),
			__ATOMIC_RELAXED);
	return sum;
}

static unsigned fill(void *arg, struct hf_number *numbers, unsigned room)
{
	const struct told_run *const told = arg;
	uint64_t missed = 0;
	unsigned n = 0;

	numbers[n++] = (struct hf_number){ "elapsed_us", hf_now_us() - told->run->start_us };
	numbers[n++] = (struct hf_number){ "tuples", told->run->plan->tuples };
	for (enum side side = CLIENT; side <= SERVER; side++) {
		if (!plan_has(told->run->plan, side))
			continue;
		for (size_t i = 0; i < BOOKS && n + 1 < room; i++)
			numbers[n++] = (struct hf_number){ books[i].name[side],
							   book_sum(told, side, &books[i]) };
		for (unsigned i = 0; i < told->run->plan->pairs; i++)
			missed += hf_port_missed(told->ends[side][i].port);
	}
	numbers[n++] = (struct hf_number){ "device_missed", missed };
	return n;
}

void told_begin(const struct told_run *told)
{
	hf_telemetry_report(fill, (void *)(uintptr_t)told);
}

void told_end(void)
{
	hf_telemetry_report(NULL, NULL);
}

int told_worker(struct end *e, unsigned i)
{
	char name[32];

	snprintf(name, sizeof(name), "%s%u", e->side == CLIENT ? "client" : "server", i);
	return hf_telemetry_add(e->w, name);
}

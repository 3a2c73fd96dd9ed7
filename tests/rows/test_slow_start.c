/* SPDX-License-Identifier: BSD-3-Clause */
/* What an ACK of several segments is worth in slow start (RFC 5681 3.1, RFC 3465 2.2): tcp.abc_limit. */
#include "rig/rig.h"

#define SEGMENTS 8

struct limit {
	uint32_t limit, worth; /* segments */
};

static const struct limit one = { 1, 1 }, two = { 2, 2 }, none = { 0, SEGMENTS };

static void set_limit(struct rig *r)
{
	const struct limit *const limit = r->row->arg;

	r->wnd = 60000;
	r->config.tcp.abc_limit = limit->limit;
}

static void set_default(struct rig *r)
{
	r->wnd = 60000;
}

static void write_and_ack(struct rig *r)
{
	const uint32_t octets = SEGMENTS * rig_status(r).snd_mss;

	rig_write(r, octets);
	rig_discard(r);
	r->sn += octets;
	r->su = r->sn;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_flush(r);
}

static void slow_start__an_ack_of_eight_segments(struct rig *r)
{
	const struct limit *const limit = r->row->arg;

	rig_to(r, RIG_ESTABLISHED);
	for (unsigned i = 0; i < 2; i++) {
		const struct hf_status before = rig_status(r);

		write_and_ack(r);
		assert_int_equal(rig_status(r).cwnd, before.cwnd + limit->worth * before.snd_mss);
	}
}

static const struct row rows[] = {
	{ "RFC5681-3.1-stretch", slow_start__an_ack_of_eight_segments, &one, set_default, 0 },
	{ "RFC3465-2", slow_start__an_ack_of_eight_segments, &two, set_limit, 0 },
	{ "RFC3465-none", slow_start__an_ack_of_eight_segments, &none, set_limit, 0 },
};

int main(int argc, char **argv)
{
	return rig_run("Slow start", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

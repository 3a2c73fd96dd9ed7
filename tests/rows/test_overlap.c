/* SPDX-License-Identifier: BSD-3-Clause */
/* Text that overlaps held text and has other octets there: those that came first are delivered (HF-D1). */
#include "rig/rig.h"

/* Text of the peer, octets [from, to) of its stream, wrong in all or none. */
static void comes(struct rig *r, uint32_t from, uint32_t to, bool wrong)
{
	r->spoil = wrong ? 0xff : 0;
	rig_send(r, (struct seg){ .seq = r->rn + from,
				  .ack = r->sn,
				  .flags = SEG_ACK,
				  .text_len = (uint16_t)(to - from) });
	r->spoil = 0;
}

/* rig_read compares with the pattern. */
static void all_is_there(struct rig *r, uint32_t len)
{
	rig_discard(r);
	rig_event(r, HF_EV_READABLE);
	rig_read(r, len);
	r->rn += len;
	rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_ACK });
	rig_discard(r);
	rig_forget_events(r);
}

/* What is wrong lies on held text only: left, right, inside. */
static void overlap__ends_and_inside__first_wins(struct rig *r)
{
	rig_to(r, RIG_ESTABLISHED);
	comes(r, 400, 800, false);
	comes(r, 500, 600, true);
	comes(r, 400, 700, true);
	comes(r, 600, 800, true);
	comes(r, 0, 400, false);
	all_is_there(r, 800);
}

/* Octets that came first are right where the later ones are wrong, and the later ones are not taken there;
 * so those around them are wrong by intent, and seen to be. */
static void overlap__around_several__first_wins(struct rig *r)
{
	const bool in_order = r->row->arg != NULL;
	const uint32_t first = in_order ? 0 : 100;
	uint8_t text[1000];

	rig_to(r, RIG_ESTABLISHED);
	comes(r, 200, 300, false);
	comes(r, 400, 500, false);
	comes(r, 800, 1000, false);
	comes(r, first, 900, true); /* around two, left of the third */
	if (!in_order)
		comes(r, 0, 300, false);
	rig_discard(r);
	rig_event(r, HF_EV_READABLE);
	assert_int_equal(hf_recv(r->w, r->id, text, 100), 100);
	for (uint32_t i = 0; i < 1000; i++) {
		const bool right = (i < 100 && !in_order) || (i >= 200 && i < 300) ||
				   (i >= 400 && i < 500) || i >= 800;

		if (i == 100)
			for (uint32_t n = 100; n < 1000;) {
				const ssize_t got = hf_recv(r->w, r->id, text + n, 1000 - n);

				assert_true(got > 0);
				n += (uint32_t)got;
			}
		assert_int_equal(text[i], rig_octet(i) ^ (right ? 0 : 0xff));
	}
	rig_discard(r);
	rig_forget_events(r);
	r->rn += 1000;
}

static const struct row rows[] = {
	{ .name = "HF-D1", .test = overlap__ends_and_inside__first_wins },
	{ .name = "HF-D1-around", .test = overlap__around_several__first_wins },
	{ .name = "HF-D1-in-order", .test = overlap__around_several__first_wins, .arg = "" },
};

int main(int argc, char **argv)
{
	return rig_run("Overlap", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* See segment.h. */
#include "model/segment.h"

static struct seg seg_of(const struct model_seg *s)
{
	return (struct seg){
		.seq = s->seq, .ack = s->ack, .wnd = s->wnd, .text_len = s->text, .flags = s->flags
	};
}

size_t segment_build(uint8_t raw[FRAME_MAX], const struct hf_addr *peer,
		     const struct hf_addr *local, const struct model_seg *s)
{
	static const uint8_t text[1024];
	const struct frame_form form = { .ttl = 64 };
	struct seg seg = seg_of(s);

	if (!(s->flags & M_ACK))
		seg.ack = 0;
	if (s->flags & M_SYN) {
		seg.options = OPT_MSS;
		seg.mss = 1000;
	}
	return frame_build(raw, &form, peer, local, &seg, text, NULL, 0);
}

char *segment_describe(char *text, size_t room, const struct model_seg *s)
{
	const struct seg seg = seg_of(s);

	return frame_describe(text, room, &seg);
}

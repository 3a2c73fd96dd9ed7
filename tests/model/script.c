/* SPDX-License-Identifier: BSD-3-Clause */
/* See script.h. */
#include <string.h>

#include "model/script.h"
#include "rig/random.h"

const uint32_t script_offsets[3] = { 1, 0x7fffff00, 0xffffff00 };

void script_make(struct script *script, uint64_t seed)
{
	uint64_t r = seed;

	script->listener = random_below(&r, 3) != 0;
	script->version = random_below(&r, 2) ? 4 : 6;
	script->offset = 0;
	script->count = 8 + random_below(&r, MOST_STEPS - 8 + 1);
	for (unsigned i = 0; i < script->count; i++) {
		const uint64_t x = random_next(&r);
		const unsigned what = x & 15;

		script->steps[i] = (struct step){
			.what = what < 5  ? DO_CONVERSE :
				what < 11 ? DO_SEGMENT :
				what < 14 ? DO_CALL :
					    DO_WAIT,
			.how = (uint8_t)(x >> 8),
			.flags = (uint8_t)(x >> 16),
			.seq = (uint8_t)(x >> 24),
			.ack = (uint8_t)(x >> 32),
			.text = (uint8_t)(x >> 40),
			.by = (uint16_t)(x >> 48),
		};
	}
}

static uint32_t choose_seq(const struct model *m, const struct step *s)
{
	switch (s->seq % 16) {
	default:
		return m->rn;
	case 6:
		return m->rn - 1;
	case 7:
		return m->rn + 1;
	case 8:
		return m->edge - 1;
	case 9:
		return m->edge;
	case 10:
		return m->edge + 1;
	case 11:
		return m->irs;
	case 12:
		return m->rn - s->by % 700;
	case 13:
		return m->rn + s->by % 700;
	case 14:
		return m->rn - s->text;
	case 15:
		return m->irs + s->by * 0x10001u;
	}
}

static uint32_t choose_ack(const struct model *m, const struct step *s)
{
	switch (s->ack % 16) {
	default:
		return m->sn;
	case 8:
		return m->su;
	case 9:
		return m->su + 1;
	case 10:
		return m->sn + 1;
	case 11:
		return m->sn - 1;
	case 12:
		return m->su - m->mw;
	case 13:
		return m->su - m->mw - 1;
	case 14:
		return m->iss + s->by % 2;
	case 15:
		return m->iss + s->by * 0x10001u;
	}
}

void script_segment(const struct model *m, const struct step *s, struct model_seg *seg)
{
	static const uint8_t flags[16] = { M_ACK,	  M_ACK,	 M_ACK,		M_ACK,
					   M_ACK | M_FIN, M_ACK | M_FIN, M_ACK | M_PSH, M_SYN,
					   M_SYN | M_ACK, M_RST,	 M_RST | M_ACK };

	*seg = (struct model_seg){ .seq = choose_seq(m, s),
				   .ack = choose_ack(m, s),
				   .wnd = (uint16_t)(800 + s->how % 4 * 500),
				   .text = s->how & 4 ? s->text : 0,
				   .flags = s->flags % 16 > 10 ? (uint8_t)(s->by >> 10) :
								 flags[s->flags % 16] };
	if (!(seg->flags & M_ACK))
		seg->ack = 0;
}

bool script_converse(const struct model *m, const struct script *script, const struct step *s,
		     struct model_seg *seg)
{
	const uint32_t first = script_offsets[script->offset] + s->by;

	*seg = (struct model_seg){ .seq = m->rn, .ack = m->sn, .wnd = 1000, .flags = M_ACK };
	if (m->state == S_CLOSED && !m->listener)
		return false;
	if (m->state == S_CLOSED || m->state == S_LISTEN)
		*seg = (struct model_seg){ .seq = first, .wnd = 1000, .flags = M_SYN };
	else if (m->state == S_SYN_SENT)
		*seg = (struct model_seg){
			.seq = first, .ack = m->sn, .wnd = 1000, .flags = M_SYN | M_ACK
		};
	else if (m->state == S_TIME_WAIT && s->how & 1) /* the peer has not heard our ACK */
		seg->seq--, seg->flags |= M_FIN;
	else if (s->how & 1)
		seg->text = s->text;
	else if (s->how % 8 == 2)
		seg->flags |= M_FIN;
	return true;
}

enum model_call script_call(const struct step *s, uint32_t *octets)
{
	static const enum model_call calls[16] = { CALL_SEND,	  CALL_SEND,	 CALL_SEND,
						   CALL_RECEIVE,  CALL_RECEIVE,	 CALL_RECEIVE,
						   CALL_SHUTDOWN, CALL_SHUTDOWN, CALL_CLOSE,
						   CALL_CLOSE,	  CALL_ABORT,	 CALL_OPEN,
						   CALL_OPEN,	  CALL_SEND,	 CALL_RECEIVE,
						   CALL_CLOSE };

	*octets = 1 + s->by % 300u;
	return calls[s->how % 16];
}

uint32_t script_wait_ms(const struct step *s)
{
	static const uint16_t waits[16] = { 1,	  10,	39,   40,   100,  499,	500,   501,
					    1000, 2999, 3000, 5000, 6000, 9000, 11999, 12000 };

	return waits[s->how % 16];
}

void script_minimise(struct script *script, bool (*fails)(void *, const struct script *), void *arg)
{
	for (unsigned i = 0; i < script->count;) {
		struct script less = *script;

		memmove(&less.steps[i], &less.steps[i + 1],
			(less.count - i - 1) * sizeof(less.steps[0]));
		less.count--;
		if (fails(arg, &less)) {
			*script = less;
			i = 0;
		} else {
			i++;
		}
	}
}

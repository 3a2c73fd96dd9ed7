/* SPDX-License-Identifier: BSD-3-Clause */
/* One frame after another: read, followed, filtered, printed. */
#include "trace.h"

#include <errno.h>
#include <string.h>

#include "explain.h"
#include "follow.h"

#define MOST (1u << 20) /* connections followed at once: 256 MiB, seldom reached */

int trace_open(struct trace *t, const struct settings *s, FILE *out)
{
	*t = (struct trace){ .s = s, .out = out };
	t->follow = follow_create(s->tcp.tw_len_ms, MOST);
	return t->follow ? 0 : -ENOMEM;
}

void trace_close(struct trace *t)
{
	follow_destroy(t->follow);
	t->follow = NULL;
}

static bool is_host(const struct nets *hosts, const struct hf_ip *ip)
{
	for (uint32_t i = 0; i < hosts->count; i++)
		if (memcmp(&hosts->at[i].range.first, ip, sizeof(*ip)) == 0)
			return true;
	return false;
}

static bool wanted(const struct trace_settings *s, const struct packet *p, const struct talk *talk)
{
	if (s->conn && s->conn != talk->number)
		return false;
	if (s->port && s->port != p->src.port && s->port != p->dst.port)
		return false;
	return s->host.count == 0 || is_host(&s->host, &p->src.ip) || is_host(&s->host, &p->dst.ip);
}

/* What the engine says of our end goes before what the follower thinks; what it did not judge, damaged or
 * not for us, has moved nobody. */
static void correct(const struct hf_seen *own, const struct packet *p, struct follow_step *step)
{
	const unsigned side = own->out ? step->from : !step->from;
	struct follow_end *const e = &step->talk->end[side];
	const enum hf_state was = step->was[side].state;

	if (!own->known) {
		memcpy(step->talk->end, step->was, sizeof(step->was));
		return;
	}
	if (own->state == HF_TIME_WAIT && e->state != HF_TIME_WAIT)
		e->waits_ns = p->at_ns;
	/* Where somebody listens, the tuple of a connection that has ended is his again. */
	e->state = own->state == HF_LISTEN && was != HF_CLOSED && was != HF_LISTEN ? HF_CLOSED :
										     own->state;
}

static void print_states(FILE *out, const struct follow_step *step, const struct hf_seen *own)
{
	const bool known = own && own->known;

	fprintf(out, "  #%u %s%s > %s%s\n", step->talk->number, known && own->out ? "" : "~",
		hf_state_name(step->talk->end[step->from].state), known && !own->out ? "" : "~",
		hf_state_name(step->talk->end[!step->from].state));
}

/* Of the end that waits; ours says so itself. */
static uint64_t wait_us(const struct trace *t, const struct packet *p,
			const struct follow_step *step, const struct hf_seen *own)
{
	const struct follow_end *const from = &step->talk->end[step->from];
	const uint64_t end_ns = from->waits_ns + t->s->tcp.tw_len_ms * 1000000ull;

	if (from->state != HF_TIME_WAIT)
		return 0;
	if (own && own->known && own->out)
		return own->wait_us;
	return end_ns > p->at_ns ? (end_ns - p->at_ns) / 1000 : 0;
}

static int take_segment(struct trace *t, const struct packet *p, const struct hf_seen *own)
{
	static const struct line_base absolute;
	const struct line_base *base = &absolute;
	struct follow_step step;

	t->segments++;
	if (!follow_segment(t->follow, p, &step))
		return -ENOMEM;
	if (own)
		correct(own, p, &step);
	t->connections += !!(step.notes & NOTE_NEW);
	if (!wanted(&t->s->trace, p, step.talk))
		return 0;
	t->shown++;
	if (!t->s->trace.absolute)
		base = &step.base;
	line_print(t->out, p, base);
	print_states(t->out, &step, own);
	if (t->s->trace.explain)
		explain_print(t->out, p, &step, base, wait_us(t, p, &step, own));
	return 0;
}

int trace_take(struct trace *t, const struct trace_frame *frame)
{
	struct packet p = { .at_ns = frame->at_ns };

	switch (packet_read(frame->link, frame->octets, frame->len, frame->wire_len, &p)) {
	case PACKET_TCP:
		return take_segment(t, &p, frame->own);
	case PACKET_OTHER:
		t->others++;
		break;
	case PACKET_CUT:
		t->cut++;
		break;
	case PACKET_BAD:
		t->bad++;
		break;
	}
	return 0;
}

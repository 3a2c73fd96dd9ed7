/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a segment asks and what it confirms, in words (RFC 9293 3.4 to 3.6). The subject of each sentence is
 * the end that sends; numbers are those of the line above it.
 */
#include "explain.h"

#include <inttypes.h>

struct telling {
	FILE *out;
	const struct packet *p;
	const struct follow_step *step;
	uint32_t seq, ack; /* as shown */
	enum hf_state from, to, from_before, to_before;
	uint64_t wait_us;
};

static bool again(const struct telling *t)
{
	return t->step->notes & NOTE_AGAIN;
}

/* ---- What it confirms --------------------------------------------------------------------------- */

static bool confirms_fin(const struct telling *t)
{
	switch (t->to_before) {
	case HF_FIN_WAIT_1:
		return t->to == HF_FIN_WAIT_2 || t->to == HF_TIME_WAIT;
	case HF_CLOSING:
		return t->to == HF_TIME_WAIT;
	case HF_LAST_ACK:
		return t->to == HF_CLOSED;
	case HF_CLOSED:
	case HF_LISTEN:
	case HF_SYN_SENT:
	case HF_SYN_RECEIVED:
	case HF_ESTABLISHED:
	case HF_FIN_WAIT_2:
	case HF_CLOSE_WAIT:
	case HF_TIME_WAIT:
		break;
	}
	return false;
}

/* ACK = SEQ + 1 of what takes one number. */
static void tell_confirms(const struct telling *t, const char *before, const char *what)
{
	fprintf(t->out, "%sconfirms the other's %s, for ack %u = its seq %u + 1", before, what,
		t->ack, t->ack - 1);
}

static void tell_wait(const struct telling *t)
{
	fprintf(t->out, "; it stays in TIME-WAIT, 2MSL, %" PRIu64 ".%" PRIu64 " s still",
		t->wait_us / 1000000, t->wait_us / 100000 % 10);
	if (confirms_fin(t))
		fputs(": should this ACK be lost the FIN comes again and must be answered, and no old "
		      "segment may stray into the next connection of these addresses and ports",
		      t->out);
}

/* ---- What it asks --------------------------------------------------------------------------------- */

static void tell_syn(const struct telling *t)
{
	if (again(t))
		fputs("asks once more for a connection: no answer has come", t->out);
	else
		fprintf(t->out,
			"asks for a connection and says where its numbers start: SYN takes %u, so "
			"its first octet of text will be %u",
			t->seq, t->seq + 1);
	if (t->step->notes & NOTE_REOPENED)
		fputs("; the last connection of these addresses and ports is in TIME-WAIT, which a "
		      "SYN that is certainly newer may end early",
		      t->out);
	else if (t->from == HF_SYN_RECEIVED)
		fputs("; the other has asked at the same time, and both go to SYN-RECEIVED", t->out);
	else if (t->to == HF_CLOSED)
		fputs("; nobody listens there", t->out);
	else if (t->to == HF_LISTEN)
		fputs("; the other keeps nothing of it, and will know it by a cookie in the answer",
		      t->out);
	else if (t->to != HF_SYN_RECEIVED)
		fputs("; the other takes it for a stray, for it has this connection open, and will "
		      "say so by an ACK",
		      t->out);
}

static void tell_syn_ack(const struct telling *t)
{
	tell_confirms(t, "", "SYN");
	if (t->from_before == HF_SYN_RECEIVED && t->to_before == HF_SYN_RECEIVED)
		fputs(", and repeats its own: the two SYNs have crossed", t->out);
	else
		fprintf(t->out, "%s asks the same for the other direction, from %u on",
			again(t) ? ", and once more" : ", and", t->seq);
}

static void tell_rst(const struct telling *t)
{
	if (t->to_before == HF_SYN_SENT && t->to == HF_CLOSED)
		fprintf(t->out, "refuses: nobody listens there; ack %u shows that the SYN is meant",
			t->ack);
	else if (t->from_before == HF_SYN_SENT && t->from == HF_SYN_SENT)
		fputs("says that it knows nothing of what was acknowledged: the other has an old "
		      "connection, which ends here",
		      t->out);
	else if (t->to == HF_CLOSED && t->to_before != HF_CLOSED)
		fputs("breaks the connection off: no FIN, no answer, and what was still on its way "
		      "is lost",
		      t->out);
	else if (t->to == HF_TIME_WAIT)
		fputs("asks to break off, which an end in TIME-WAIT does not heed (RFC 1337)",
		      t->out);
	else if (t->to == HF_CLOSED || t->to == HF_LISTEN)
		fputs("says that there is no such connection", t->out);
	else
		fputs("asks to break off, at a number that the other does not believe (RFC 5961)",
		      t->out);
}

static void tell_text(const struct telling *t)
{
	const uint32_t last = t->seq + t->p->len - 1;

	if (t->p->len == 1)
		fprintf(t->out, "sends octet %u", t->seq);
	else
		fprintf(t->out, "sends octets %u to %u", t->seq, last);
	if (again(t))
		fputs(" again, for no ACK of them has come", t->out);
	else if (t->step->notes & NOTE_AHEAD)
		fputs(", though some before them are missing: the other keeps them and asks for the gap",
		      t->out);
}

static void tell_fin(const struct telling *t)
{
	if (t->p->len > 0) {
		tell_text(t);
		fputs(" and ", t->out);
	}
	if (again(t)) {
		fputs("sends its FIN again, for no ACK of it has come", t->out);
		return;
	}
	fprintf(t->out,
		"has nothing more to send: FIN takes number %u, so that it is confirmed as text is",
		t->seq + t->p->len);
	if (confirms_fin(t))
		tell_confirms(t, "; it ", "FIN");
	else if (t->from == HF_CLOSING)
		fputs("; the other's FIN was on its way too, and neither confirms the other's",
		      t->out);
	else if (t->from == HF_LAST_ACK)
		fputs("; the other's FIN was confirmed before", t->out);
	else if (t->p->flags & FLAG_ACK)
		fprintf(t->out,
			"; it carries an ACK (%u) as every segment of an established connection does, and goes "
			"on receiving",
			t->ack);
}

static void tell_ack(const struct telling *t)
{
	if (t->to_before == HF_SYN_RECEIVED && t->to == HF_ESTABLISHED) {
		tell_confirms(t, "", "SYN");
		fputs(": now both know that both have heard, and the connection is open", t->out);
	} else if (confirms_fin(t)) {
		tell_confirms(t, "", "FIN");
		if (t->to == HF_FIN_WAIT_2)
			fputs(", and may go on sending until it closes too", t->out);
		else if (t->to == HF_CLOSED)
			fputs(", the last thing the other has waited for", t->out);
	} else if (t->from == HF_SYN_RECEIVED || t->to == HF_SYN_SENT) {
		fprintf(t->out, "says what it expects, %u, and confirms nothing of the other's SYN",
			t->ack);
	} else {
		fprintf(t->out, "has everything before %u", t->ack);
	}
	if (t->p->window == 0)
		fputs("; window 0: it has no room for more", t->out);
}

static void tell(const struct telling *t)
{
	const uint8_t flags = t->p->flags;

	if (flags & FLAG_RST) {
		tell_rst(t);
		return;
	}
	if (flags & FLAG_SYN) {
		(flags & FLAG_ACK ? tell_syn_ack : tell_syn)(t);
	} else if (flags & FLAG_FIN) {
		tell_fin(t);
	} else if (t->p->len > 0) {
		tell_text(t);
		fputs(" and ", t->out);
		tell_ack(t);
	} else {
		tell_ack(t);
	}
	if (t->from == HF_TIME_WAIT)
		tell_wait(t);
	else if (t->to == HF_TIME_WAIT && t->to_before != HF_TIME_WAIT)
		fputs("; the other has both FINs now and goes to TIME-WAIT", t->out);
}

void explain_print(FILE *out, const struct packet *p, const struct follow_step *step,
		   const struct line_base *base, uint64_t wait_us)
{
	const struct telling t = {
		.out = out,
		.p = p,
		.step = step,
		.seq = p->seq - base->seq,
		.ack = p->ack - base->ack,
		.from = step->talk->end[step->from].state,
		.to = step->talk->end[!step->from].state,
		.from_before = step->was[step->from].state,
		.to_before = step->was[!step->from].state,
		.wait_us = wait_us,
	};

	putc('\t', out);
	tell(&t);
	fputs(".\n", out);
}

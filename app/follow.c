/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The passive follower. An end moves when it sends (SYN, FIN, RST), when a segment that it accepts is on its
 * way to it, and at the latest when it acknowledges one: then it has certainly arrived, whatever order the
 * capture has. RFC 9293 3.3.2, figure 5, and 3.10.7 as far as an onlooker can tell.
 */
#include "follow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

struct key {
	uint8_t low[16], high[16];
	uint16_t low_port, high_port;
	uint32_t version;
};

_Static_assert(sizeof(struct key) == 40, "no padding: it is hashed as octets");

struct entry {
	struct talk talk;
	struct key key;
	UT_hash_handle hh;
};

struct follow {
	struct entry *talks; /* the oldest first */
	uint64_t tw_len_ns;
	uint32_t most, numbers;
	uint64_t forgotten;
};

/* Before on the circle of sequence numbers (RFC 9293 3.4). */
static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* ---- One end moves ------------------------------------------------------------------------- */

static void wait_2msl(struct follow_end *e, uint64_t now_ns)
{
	e->state = HF_TIME_WAIT;
	e->waits_ns = now_ns;
}

/* Its FIN leaves. An end that has not heard of the other's FIN sends its own in simultaneous close. */
static void sends_fin(struct follow_end *e, bool heard)
{
	if (e->state == HF_SYN_RECEIVED || e->state == HF_ESTABLISHED)
		e->state = HF_FIN_WAIT_1;
	else if (e->state == HF_CLOSE_WAIT)
		e->state = heard ? HF_LAST_ACK : HF_CLOSING;
}

/* It sends its FIN again, so the ACK that has passed cannot have arrived. */
static void sends_fin_again(struct follow_end *e)
{
	if (e->state == HF_FIN_WAIT_2)
		e->state = HF_FIN_WAIT_1;
	else if (e->state == HF_TIME_WAIT)
		e->state = HF_CLOSING;
	else if (e->state == HF_CLOSED)
		e->state = HF_LAST_ACK;
}

/* The other's FIN has arrived, and all before it. */
static void takes_fin(struct follow_end *e, uint64_t now_ns)
{
	if (e->state == HF_SYN_RECEIVED || e->state == HF_ESTABLISHED)
		e->state = HF_CLOSE_WAIT;
	else if (e->state == HF_FIN_WAIT_1)
		e->state = HF_CLOSING;
	else if (e->state == HF_FIN_WAIT_2 || e->state == HF_TIME_WAIT)
		wait_2msl(e, now_ns); /* again: 2MSL begins anew (3.10.7.4, eighth) */
}

/* The ACK of its own FIN has arrived. */
static void fin_acked(struct follow_end *e, uint64_t now_ns)
{
	if (e->state == HF_FIN_WAIT_1)
		e->state = HF_FIN_WAIT_2;
	else if (e->state == HF_CLOSING)
		wait_2msl(e, now_ns);
	else if (e->state == HF_LAST_ACK)
		e->state = HF_CLOSED;
}

/* ---- A segment passes ---------------------------------------------------------------------- */

static bool covers_fin(const struct follow_end *of, uint32_t ack)
{
	return of->finished && before(of->fin, ack);
}

/* e has received everything before rcv_nxt; its FIN too, if that is in there. */
static void receives(struct follow_end *e, const struct follow_end *from, uint32_t rcv_nxt,
		     uint64_t now_ns)
{
	const bool had = covers_fin(from, e->rcv_nxt);

	if (before(e->rcv_nxt, rcv_nxt))
		e->rcv_nxt = rcv_nxt;
	if (!had && covers_fin(from, e->rcv_nxt))
		takes_fin(e, now_ns);
}

static bool is_open(const struct follow_end *e)
{
	return e->state != HF_CLOSED && e->state != HF_TIME_WAIT;
}

static void begin(struct follow *f, struct talk *t, struct follow_step *step)
{
	if (step->was[0].state == HF_TIME_WAIT || step->was[1].state == HF_TIME_WAIT)
		step->notes |= NOTE_REOPENED;
	step->notes |= NOTE_NEW;
	memset(t->end, 0, sizeof(t->end));
	t->number = ++f->numbers;
}

/* What is seen of a connection for the first time is no SYN: it was there before the capture. */
static void join_midway(struct follow_end *from, struct follow_end *to, const struct packet *p)
{
	const bool ack = p->flags & FLAG_ACK;

	from->state = to->state = HF_ESTABLISHED;
	from->snd_nxt = to->rcv_nxt = p->seq;
	from->known = true;
	if (ack)
		to->snd_nxt = from->rcv_nxt = p->ack;
	to->known = ack;
	if (p->flags & FLAG_SYN) {
		from->state = HF_CLOSED;
		to->state = HF_SYN_SENT;
	}
}

/* A RST counts where it is believed: at RCV.NXT exactly (RFC 5961 3.2), or as the ACK of a SYN (3.10.7.3). */
static void passes_rst(struct follow_end *from, struct follow_end *to, const struct packet *p)
{
	const bool opening =
		from->state == HF_SYN_SENT || (from->state == HF_SYN_RECEIVED && from->syn);
	const bool stays = opening && !(p->flags & FLAG_ACK) && p->seq != from->snd_nxt;

	if (!stays)
		from->state = HF_CLOSED;
	if (to->state == HF_SYN_SENT ? (p->flags & FLAG_ACK) && p->ack == to->snd_nxt :
				       p->seq == to->rcv_nxt)
		to->state = HF_CLOSED;
}

static void passes_syn(struct follow_end *from, struct follow_end *to, const struct packet *p)
{
	if (!from->syn || from->iss != p->seq || !is_open(from)) {
		from->iss = p->seq;
		from->snd_nxt = p->seq + 1;
		from->syn = from->known = true;
		if (p->flags & FLAG_ACK || from->state != HF_SYN_RECEIVED)
			from->state = p->flags & FLAG_ACK ? HF_SYN_RECEIVED : HF_SYN_SENT;
	} else if (from->state == HF_SYN_SENT && p->flags & FLAG_ACK) {
		from->state = HF_SYN_RECEIVED; /* its SYN has crossed the other's */
	}
	if (p->flags & FLAG_ACK) {
		if (to->state == HF_SYN_SENT && p->ack == to->snd_nxt) {
			to->state = HF_ESTABLISHED;
			to->rcv_nxt = p->seq + 1;
		}
	} else if (to->state == HF_CLOSED || to->state == HF_SYN_SENT) {
		to->state = HF_SYN_RECEIVED;
		to->rcv_nxt = p->seq + 1;
	}
}

/* What it says of the sender: it sends this, and has received what it acknowledges. */
static void leaves(struct follow_end *from, struct follow_end *to, const struct packet *p)
{
	const uint32_t fin = p->seq + p->len;
	const bool ack = p->flags & FLAG_ACK;
	const bool sane = ack && (!to->known || !before(to->snd_nxt, p->ack));

	if (ack && !to->known) { /* nothing of the other direction is in the capture, or not yet */
		to->iss = p->ack - 1;
		to->snd_nxt = p->ack;
		to->known = true;
	}
	/* Its SYN-ACK has come all the same, or the SYN was a stray. */
	if (from->state == HF_SYN_SENT && sane && !(p->flags & FLAG_SYN)) {
		from->state = HF_ESTABLISHED;
		from->rcv_nxt = p->ack;
		from->snd_nxt = p->seq;
	}
	if (p->len > 0 && sane && from->state == HF_SYN_RECEIVED)
		from->state = HF_ESTABLISHED;
	if (sane)
		receives(from, to, p->ack, p->at_ns);
	if (p->flags & FLAG_FIN && !from->finished) {
		from->finished = true;
		from->fin = fin;
		sends_fin(from, ack && covers_fin(to, p->ack));
	} else if (p->flags & FLAG_FIN && from->fin == fin) {
		sends_fin_again(from);
	}
	if (!from->known || before(from->snd_nxt, p->seq + packet_span(p)))
		from->snd_nxt = p->seq + packet_span(p);
	from->known = true;
}

/* What it does to the receiver, if it arrives. */
static void arrives(struct follow_end *from, struct follow_end *to, const struct packet *p)
{
	const uint32_t end = p->seq + packet_span(p);

	if (p->flags & FLAG_ACK && !before(to->snd_nxt, p->ack)) {
		if (to->state == HF_SYN_RECEIVED && before(to->iss, p->ack))
			to->state = HF_ESTABLISHED;
		if (covers_fin(to, p->ack))
			fin_acked(to, p->at_ns);
	}
	if (to->state == HF_SYN_SENT)
		return;
	if (!before(to->rcv_nxt, p->seq) && before(to->rcv_nxt, end))
		receives(to, from, end, p->at_ns);
	else if (p->flags & FLAG_FIN && to->state == HF_TIME_WAIT)
		takes_fin(to, p->at_ns);
}

static unsigned note(const struct follow_end *from, const struct follow_end *to,
		     const struct packet *p)
{
	const uint32_t span = packet_span(p);
	const bool syn = p->flags & FLAG_SYN;
	unsigned notes = 0;

	if (!from->known || span == 0 || p->flags & FLAG_RST)
		return 0;
	/* Whatever follows a SYN that was not answered has not passed, be it from before a stray one. */
	if (syn ? from->syn && from->iss == p->seq :
		  from->state != HF_SYN_SENT && !before(from->snd_nxt, p->seq + span))
		notes |= NOTE_AGAIN;
	if (!syn && before(to->rcv_nxt, p->seq))
		notes |= NOTE_AHEAD;
	return notes;
}

/* tcpdump's rule: numbers count from the first segment with an ACK that it sees, and again from each
 * SYN-ACK; these are shown whole, and so is all that bears no ACK. */
static struct line_base numbers(struct talk *t, unsigned from, const struct packet *p)
{
	struct line_base base = { 0 };

	if (!(p->flags & FLAG_ACK))
		return base;
	if (t->based && !(p->flags & FLAG_SYN)) {
		base.seq = t->base[from];
		base.ack = t->base[!from];
	} else {
		t->base[from] = p->seq;
		t->base[!from] = p->ack - 1;
		t->based = true;
	}
	base.sack = t->base[!from];
	return base;
}

static void pass(struct follow *f, struct talk *t, const struct packet *p, struct follow_step *step)
{
	struct follow_end *const from = &t->end[step->from], *const to = &t->end[!step->from];
	const bool over = !is_open(from) || !is_open(to);
	const bool syn = (p->flags & (FLAG_SYN | FLAG_ACK | FLAG_RST)) == FLAG_SYN;

	if (t->number == 0 || (syn && over && (!from->syn || p->seq != from->iss))) {
		begin(f, t, step);
		if (!syn)
			join_midway(from, to, p);
	}
	step->notes |= note(from, to, p);
	if (p->flags & FLAG_RST) {
		passes_rst(from, to, p);
		return;
	}
	if (p->flags & FLAG_SYN)
		passes_syn(from, to, p);
	else if (from->state == HF_CLOSED && !(p->flags & FLAG_FIN && from->finished))
		return; /* a stray; what it draws tells more */
	leaves(from, to, p);
	arrives(from, to, p);
}

/* ---- The table ----------------------------------------------------------------------------- */

static int compare(const struct hf_addr *a, const struct hf_addr *b)
{
	const int order = memcmp(a->ip.octets, b->ip.octets, sizeof(a->ip.octets));

	return order ? order : (int)a->port - (int)b->port;
}

static void key_make(struct key *key, const struct packet *p)
{
	const bool up = compare(&p->src, &p->dst) <= 0;
	const struct hf_addr *const low = up ? &p->src : &p->dst, *const high =
									  up ? &p->dst : &p->src;

	memcpy(key->low, low->ip.octets, sizeof(key->low));
	memcpy(key->high, high->ip.octets, sizeof(key->high));
	key->low_port = low->port;
	key->high_port = high->port;
	key->version = p->src.ip.version;
}

static void forget_oldest(struct follow *f)
{
	struct entry *const oldest = f->talks;

	assert(!oldest->hh.prev);
	HASH_DEL(f->talks, oldest);
	free(oldest);
	f->forgotten++;
}

static struct talk *find(struct follow *f, const struct packet *p)
{
	struct entry *e;
	struct key key;

	key_make(&key, p);
	HASH_FIND(hh, f->talks, &key, sizeof(key), e);
	if (e)
		return &e->talk;
	if (HASH_COUNT(f->talks) == f->most)
		forget_oldest(f);
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->key = key;
	e->talk.addr[0] = p->src;
	e->talk.addr[1] = p->dst;
	HASH_ADD(hh, f->talks, key, sizeof(key), e);
	return &e->talk;
}

static void expire(const struct follow *f, struct follow_end *e, uint64_t now_ns)
{
	if (e->state == HF_TIME_WAIT && now_ns > e->waits_ns + f->tw_len_ns)
		e->state = HF_CLOSED;
}

bool follow_segment(struct follow *f, const struct packet *p, struct follow_step *step)
{
	struct talk *const t = find(f, p);

	if (!t)
		return false;
	*step = (struct follow_step){ .talk = t, .from = compare(&t->addr[0], &p->src) != 0 };
	for (unsigned side = 0; side < 2; side++) {
		expire(f, &t->end[side], p->at_ns);
		step->was[side] = t->end[side];
	}
	step->base = numbers(t, step->from, p);
	pass(f, t, p, step);
	return true;
}

struct follow *follow_create(uint32_t tw_len_ms, uint32_t most)
{
	struct follow *const f = calloc(1, sizeof(*f));

	if (f) {
		f->tw_len_ns = tw_len_ms * 1000000ull;
		f->most = most;
	}
	return f;
}

void follow_destroy(struct follow *f)
{
	struct entry *e, *next;

	if (!f)
		return;
	HASH_ITER(hh, f->talks, e, next)
	{
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): f->talks is no longer the one before */
		HASH_DEL(f->talks, e);
		free(e);
	}
	free(f);
}

uint64_t follow_forgotten(const struct follow *f)
{
	return f->forgotten;
}

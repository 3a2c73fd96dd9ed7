/* SPDX-License-Identifier: BSD-3-Clause */
/* Applications that follow a plan; see talk.h. */
#include "rig/talk.h"

#include <errno.h>
#include <string.h>

#define CHUNK 4096

static uint8_t octet(unsigned from, uint32_t offset)
{
	return (uint8_t)(offset * 7 + offset / 251 + from * 101);
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void wake(struct pair *p, uint64_t at_us)
{
	if (at_us < p->wake_us)
		p->wake_us = at_us;
}

static void talker_send(struct pair *p, struct talker *me, unsigned side)
{
	const struct plan *const plan = &me->plan;
	uint32_t burst = plan->drip ? plan->drip : UINT32_MAX;
	uint8_t text[CHUNK];

	if (!me->connected || me->ended || me->taken < plan->after || me->queued == plan->send)
		return;
	if (p->now_us < me->send_us) {
		wake(p, me->send_us);
		return;
	}
	while (me->queued < plan->send && burst > 0) {
		const uint32_t n = least(least(burst, plan->send - me->queued), CHUNK);
		ssize_t sent;

		for (uint32_t i = 0; i < n; i++)
			text[i] = octet(side, me->queued + i);
		sent = hf_send(p->side[side].w, me->id, text, n);
		if (sent < 0)
			pair_fail(p, "hf_send of side %u: %zd", side, sent);
		me->queued += (uint32_t)sent;
		burst -= (uint32_t)sent;
		if ((uint32_t)sent < n)
			return; /* HF_EV_WRITABLE goes on */
	}
	if (plan->drip && me->queued < plan->send) {
		me->send_us = p->now_us + plan->drip_us;
		wake(p, me->send_us);
	}
}

static void talker_receive(struct pair *p, struct talker *me, unsigned side)
{
	uint32_t burst = me->plan.sip ? me->plan.sip : UINT32_MAX;
	uint8_t text[CHUNK];

	if (me->eof || me->plan.deaf)
		return;
	if (p->now_us < me->sip_us) {
		wake(p, me->sip_us);
		return;
	}
	while (burst > 0) {
		const ssize_t n = hf_recv(p->side[side].w, me->id, text, least(burst, CHUNK));

		if (n == -EAGAIN)
			return;
		if (n < 0)
			pair_fail(p, "hf_recv of side %u: %zd", side, n);
		me->eof = n == 0;
		if (me->eof)
			return;
		for (ssize_t i = 0; i < n; i++)
			if (text[i] != octet(!side, me->taken + (uint32_t)i))
				pair_fail(p, "side %u: octet %u is not what was sent", side,
					  me->taken + (uint32_t)i);
		me->taken += (uint32_t)n;
		burst -= (uint32_t)n;
	}
	me->sip_us = p->now_us + me->plan.sip_us;
	wake(p, me->sip_us);
}

static void must(struct pair *p, const char *call, unsigned side, int err)
{
	if (err != 0)
		pair_fail(p, "%s of side %u: %d", call, side, err);
}

static void talker_end(struct pair *p, struct talker *me, unsigned side)
{
	struct hf_worker *const w = p->side[side].w;
	const struct plan *const plan = &me->plan;

	if (me->ended && plan->end == TALK_SHUTDOWN && me->eof && plan->abort_us == 0) {
		must(p, "hf_close", side, hf_close(w, me->id));
		me->id = 0;
		return;
	}
	if (me->ended || plan->end == TALK_HOLD || me->queued < plan->send ||
	    me->taken < plan->until || (plan->eof && !me->eof))
		return;
	if (p->now_us < plan->at_us) {
		wake(p, plan->at_us);
		return;
	}
	me->ended = true;
	if (plan->end == TALK_SHUTDOWN) {
		must(p, "hf_shutdown", side, hf_shutdown(w, me->id));
		if (me->eof && plan->abort_us == 0)
			talker_end(p, me, side);
		return;
	}
	if (plan->end == TALK_CLOSE)
		must(p, "hf_close", side, hf_close(w, me->id));
	else
		must(p, "hf_abort", side, hf_abort(w, me->id));
	me->id = 0;
}

/* @return whether it is over */
static bool talker_abort(struct pair *p, struct talker *me, unsigned side)
{
	struct hf_status status;

	if (me->plan.abort_us == 0)
		return false;
	if (p->now_us < me->plan.abort_us) {
		wake(p, me->plan.abort_us);
		return false;
	}
	must(p, "hf_status", side, hf_status(p->side[side].w, me->id, &status));
	me->aborted = status.state;
	must(p, "hf_abort", side, hf_abort(p->side[side].w, me->id));
	me->id = 0;
	return true;
}

static void accept_one(struct pair *p, struct talk *t, unsigned side, uint32_t listener)
{
	struct talker *const me = &t->side[side];
	struct hf_status status;

	*me = (struct talker){ .plan = me->plan };
	must(p, "hf_accept", side, hf_accept(p->side[side].w, listener, side, &me->id));
	must(p, "hf_status", side, hf_status(p->side[side].w, me->id, &status));
	me->local = status.local;
	me->peer = status.peer;
	me->connected = true;
}

static void take_event(struct pair *p, struct talk *t, unsigned side, const struct hf_event *e)
{
	struct talker *const me = &t->side[side];

	me->events |= e->what;
	if (e->what & HF_EV_ACCEPT)
		accept_one(p, t, side, e->listener);
	if (e->what & HF_EV_CONNECTED)
		me->connected = true;
	if (e->what & HF_EV_CLOSED) {
		if (me->closed)
			pair_fail(p, "side %u: HF_EV_CLOSED twice", side);
		me->closed = true;
		me->error = e->error;
		me->id = 0;
		if (t->strict && e->error != 0)
			pair_fail(p, "side %u ended with %s", side, strerrorname_np(e->error));
	}
}

static void talk_app(struct pair *p, unsigned side, const struct hf_event *events, unsigned n)
{
	struct talk *const t = p->arg;
	struct talker *const me = &t->side[side];

	for (unsigned i = 0; i < n; i++)
		take_event(p, t, side, &events[i]);
	if (me->id != 0 && talker_abort(p, me, side))
		return;
	if (me->id != 0 && me->connected)
		talker_receive(p, me, side);
	if (me->id != 0)
		talker_send(p, me, side);
	if (me->id != 0 && (me->connected || me->plan.at_us != 0))
		talker_end(p, me, side);
}

void talk_begin(struct pair *p, struct talk *t, const struct plan *first, const struct plan *second)
{
	uint32_t listener;
	int err;

	t->side[0] = (struct talker){ .plan = *first };
	t->side[1] = (struct talker){ .plan = *second };
	t->strict = true;
	p->app = talk_app;
	p->arg = t;
	err = hf_listen(p->side[1].w, &p->side[1].addr, 1, &listener);
	if (err != -EADDRINUSE) /* it has listened before */
		must(p, "hf_listen", 1, err);
}

static void open_one(struct pair *p, struct talk *t, unsigned side, const struct hf_addr *local,
		     const struct hf_addr *peer)
{
	struct talker *const me = &t->side[side];
	struct hf_status status;

	must(p, "hf_connect", side, hf_connect(p->side[side].w, local, peer, side, &me->id));
	must(p, "hf_status", side, hf_status(p->side[side].w, me->id, &status));
	me->local = t->side[!side].peer = status.local;
	me->peer = t->side[!side].local = *peer;
}

void talk_open(struct pair *p, struct talk *t, uint16_t port)
{
	struct hf_addr local = p->side[0].addr;

	local.port = port;
	open_one(p, t, 0, &local, &p->side[1].addr);
}

void talk_open_both(struct pair *p, struct talk *t)
{
	struct hf_addr a = p->side[0].addr, b = p->side[1].addr;

	a.port = 2000;
	b.port = 3000;
	open_one(p, t, 0, &a, &b);
	open_one(p, t, 1, &b, &a);
}

bool talk_over(const struct pair *p)
{
	const struct talk *const t = p->arg;

	return t->side[0].closed && t->side[1].closed;
}

bool talk_connected(const struct pair *p)
{
	const struct talk *const t = p->arg;

	return t->side[0].connected && t->side[1].connected;
}

void talk_expect_whole(struct pair *p, const struct talk *t)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct talker *const me = &t->side[i];

		if (!me->ended)
			pair_fail(p, "side %u has not come to its end", i);
		if (me->queued != me->plan.send || me->taken != t->side[!i].plan.send)
			pair_fail(p, "side %u sent %u of %u octets and took %u of %u", i,
				  me->queued, me->plan.send, me->taken, t->side[!i].plan.send);
	}
}

void talk_release(struct pair *p, struct talk *t)
{
	for (unsigned i = 0; i < 2; i++) {
		if (t->side[i].id != 0)
			(void)hf_close(p->side[i].w, t->side[i].id);
		t->side[i].id = 0;
	}
}

enum hf_state talk_state(const struct pair *p, const struct talk *t, unsigned side)
{
	return pair_state(p, side, &t->side[side].local, &t->side[side].peer);
}

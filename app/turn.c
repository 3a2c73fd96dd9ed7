/* SPDX-License-Identifier: BSD-3-Clause */
/* A turn of one worker of one end: events to its application, what was put off, new opens at a rate or
 * a concurrency, the end of the run. Called by hf_run, once a turn. */
#include <string.h>

#include "end.h"

#define OPENS_A_TURN 64 /* so that turns stay short */
#define FULL_BURST 32	/* frames of a turn: more wait for the next ones */
#define BUSY_IN_FLIGHT \
	512 /* connections that keep a core busy: more of them only leave the caches cold */
#define OVERTIME_US 100000 /* for opens that were due before the end, when the core was held up */
#define FIRST_OPENS 16	   /* until one is answered: as wait for a next hop's MAC address */
#define FIRST_US 100000	   /* ... or until it is clear that none will be */
#define RETRY_US 1000	   /* after there was no port */
#define LINGER_US 100000   /* what a tap's kernel has not taken yet goes with the tap */
#define ABORTED_US 3000000 /* after ABORT: retransmissions find nobody within this */

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* When the run is over by the clock. */
static uint64_t end_us(const struct run *run)
{
	return run->plan->duration_us == UINT64_MAX ?
		       UINT64_MAX :
		       run->start_us + run->s->warmup_us + run->plan->duration_us;
}

/* When the n-th open of a rate is due, from 0; the first one phase_us after the start. */
static uint64_t due_us(const struct end *e, uint64_t n)
{
	return e->run->start_us + e->phase_us + (uint64_t)((__uint128_t)n * 1000000 / e->rate);
}

/* Opens that are due by now, and before the end, at the rate. */
static uint64_t due(const struct end *e, uint64_t now_us)
{
	const uint64_t start_us = due_us(e, 0), over_us = end_us(e->run);
	const uint64_t at_us = min(now_us, over_us - 1);

	return at_us < start_us ?
		       0 :
		       (uint64_t)((__uint128_t)(at_us - start_us) * e->rate / 1000000) + 1;
}

/* Whether opens of a rate were due before the end and this turn is the first since. */
static bool owes_opens(const struct end *e, uint64_t now_us)
{
	return e->rate && e->books.attempted < e->count && e->books.attempted < due(e, now_us) &&
	       e->size - e->frees < e->concurrency && now_us - end_us(e->run) < OVERTIME_US;
}

/* How many a turn may open at a rate. With the bursts full the core does what it can, with the device behind so does
 * whoever is at its other end: opens on top of that would only wait. Then as many as have ended, or none while there
 * are more than keep it busy. What is due stays due, from its time on. */
static uint64_t pace(struct end *e, uint32_t in_flight)
{
	const uint64_t frames = end_counter(e, e->received), held_up = end_counter(e, e->held_up);
	const bool room = frames - e->frames_taken < FULL_BURST && held_up == e->held_up_before;
	const uint32_t ended = e->frees > e->frees_before ? e->frees - e->frees_before : 0;

	e->frames_taken = frames;
	e->held_up_before = held_up;
	if (room)
		return OPENS_A_TURN;
	return in_flight < BUSY_IN_FLIGHT ? ended : 0;
}

/* Connections in flight, by now. What a rate offers it offers at once. */
static uint32_t wanted_in_flight(const struct end *e, uint32_t in_flight, uint64_t now_us)
{
	const bool unanswered = e->books.established == 0 && e->books.attempted == in_flight;

	if (e->rate || e->peer || !unanswered || now_us - e->run->start_us >= FIRST_US)
		return e->concurrency;
	return (uint32_t)min(e->concurrency, FIRST_OPENS);
}

static void open_some(struct end *e, uint64_t now_us)
{
	const uint32_t in_flight = e->size - e->frees, held = wanted_in_flight(e, in_flight, now_us);
	uint64_t n = held > in_flight ? held - in_flight : 0;
	const uint64_t wanted = e->rate ? due(e, now_us) : UINT64_MAX;
	const uint64_t left = min(wanted, e->count) - e->books.attempted;
	const uint64_t most = e->rate ? pace(e, in_flight) : OPENS_A_TURN;

	for (n = min(n, min(left, most)); n && now_us >= e->retry_us; n--) {
		const uint64_t start_us = e->rate ? due_us(e, e->books.attempted) : now_us;

		e->opened_us = min(now_us, end_us(e->run));
		if (end_open(e, start_us) < 0 && !e->rate)
			e->retry_us = now_us + RETRY_US; /* slow down rather than spin (HF-LG7) */
	}
	e->frees_before = e->frees;
}

/* The other way's share, where no peer of ours counts it. */
static uint64_t alone(const struct end *e, unsigned counter)
{
	return e->peer ? 0 : end_counter(e, counter);
}

/* @param until_us  what is due from this instant on is not offered yet */
static struct mark mark_now(const struct end *e, uint64_t now_us, uint64_t until_us)
{
	const bool all = e->rate && e->count != UINT64_MAX;
	const uint64_t over_us = min(end_us(e->run), all ? due_us(e, e->count) : UINT64_MAX);
	const uint64_t offered_us = min(until_us, over_us);

	return (struct mark){
		.us = now_us,
		.attempted = e->books.attempted,
		.offered = e->rate ? due(e, offered_us - 1) : 0,
		.offered_us = offered_us,
		.opened_us = e->opened_us > offered_us ? e->opened_us : offered_us,
		.closed = e->books.closed + e->books.closed_by_rst,
		.packets = end_counter(e, e->packets) + alone(e, e->packets_in),
		.octets = end_counter(e, e->octets) + alone(e, e->octets_in),
		.text = end_counter(e, e->text_in) + alone(e, e->text_out),
		.responses = e->books.responses,
		.cycles = end_counter(e, e->cycles),
	};
}

/* Whether no more connections are opened; by the clock, a signal, or because all are. */
static bool must_stop(const struct end *e, uint64_t now_us)
{
	const struct run *run = e->run;

	if (atomic_load_explicit(&run->stop, memory_order_relaxed))
		return true;
	if (now_us >= end_us(run) && !owes_opens(e, now_us))
		return true;
	if (e->side == CLIENT)
		return e->books.attempted == e->count && e->frees == e->size;
	if (!e->peer)
		return run->s->count &&
		       atomic_load_explicit(&run->taken, memory_order_relaxed) >= run->s->count &&
		       e->frees == e->size;
	return atomic_load_explicit(&run->opening, memory_order_relaxed) == 0;
}

static void unlisten(struct end *e)
{
	for (uint32_t i = 0; i < e->listener_count; i++)
		hf_unlisten(e->w, e->listeners[i]);
}

/* A server takes no more and lets go of those that are idle; whoever holds connections lets go of all. */
static void dismiss(struct end *e, uint64_t now_us)
{
	const struct app *app = e->run->app;

	unlisten(e);
	for (uint32_t i = 0; i < e->size; i++) {
		struct conn *c = &e->conns[i];

		if (c->phase == CONN_OPEN &&
		    (e->ending == END_HOLD || (e->side == SERVER && !(app->busy && app->busy(e, c)))))
			end_close(e, c, now_us);
	}
}

/* A client's connections that would go on for ever. */
static void quit(struct end *e, uint64_t now_us)
{
	for (uint32_t i = 0; i < e->size; i++)
		if (e->conns[i].phase == CONN_OPEN)
			end_quit(e, &e->conns[i], now_us);
}

static void measure(struct end *e, uint64_t now_us)
{
	const uint64_t from_us = e->run->start_us + e->run->s->warmup_us;

	if (!e->measuring && !e->measured && now_us >= from_us) {
		e->measuring = true;
		e->from = mark_now(e, now_us, from_us);
	}
	if (!e->stopping && must_stop(e, now_us)) {
		e->stopping = true;
		e->stopped_us = now_us;
		e->drain_us = e->run->s->drain_us;
		if (e->measuring) {
			e->to = mark_now(e, now_us, now_us);
			e->measured = true;
		}
		e->measuring = false;
		if (e->side == CLIENT && e->run->app->endless)
			quit(e, now_us);
		else if (!e->peer)
			dismiss(e, now_us);
	}
}

/* Half-opens too, which are no application's. */
static void abort_all(struct end *e)
{
	unlisten(e);
	for (uint32_t i = 0; i < e->size; i++)
		if (e->conns[i].phase != CONN_FREE)
			hf_abort(e->w, e->conns[i].id);
	e->aborted = true;
}

/* Whether frames wait on a bad link; those that others have sent do not matter. */
static bool held(const struct end *e)
{
	struct hf_levels levels;

	if (!e->run->plan->impaired)
		return false;
	hf_levels(e->w, &levels);
	return levels.impair_out.used + (e->peer ? levels.impair_in.used : 0) > 0;
}

/* Whether this queue's wire is silent for good: every frame sent has been received, and the peer has
 * since been through two turns that sent none, so it has nothing left that it would answer. */
static bool silent(struct end *e, uint64_t now_us)
{
	const struct end *peer = e->peer;
	const uint64_t sent = end_counter(e, e->packets), received = end_counter(e, e->received);
	const uint64_t turns = peer ? end_counter(peer, e->turns) : 0;

	if (!peer) { /* who knows what others still have to say; but ours is to arrive */
		if (sent != e->frames || held(e)) {
			e->frames = sent;
			e->frames_us = now_us;
		}
		e->over = now_us - e->frames_us >= LINGER_US;
		/* NOLINTNEXTLINE(bugprone-branch-clone): over for another reason */
	} else if (atomic_load_explicit(&peer->over, memory_order_acquire)) {
		e->over = true;
	} else if (sent != end_counter(peer, peer->received) ||
		   received != end_counter(peer, e->packets) || sent + received != e->frames ||
		   held(e) || held(peer)) {
		e->frames = sent + received;
		e->frames_turn = UINT64_MAX; /* from now on, if it is so the next time */
	} else if (e->frames_turn == UINT64_MAX) {
		e->frames_turn = turns;
	} else if (turns >= e->frames_turn + 2) {
		e->over = true;
	}
	return e->over;
}

/* Whether peers have still to close what this end has closed; the engine alone minds these. */
static bool half_closed(const struct end *e)
{
	struct hf_state_level states[HF_STATES];

	hf_state_levels(e->w, states);
	return states[HF_FIN_WAIT_2].now > 0;
}

/* The others hear whether this end has something unfinished. */
static void set_idle(struct end *e, bool idle)
{
	if (idle == e->idle)
		return;
	e->idle = idle;
	if (e->side == CLIENT)
		atomic_fetch_add(&e->run->opening, idle ? -1u : 1u);
	atomic_fetch_add(&e->run->busy, idle ? -1u : 1u);
}

static bool is_idle(const struct end *e, uint64_t now_us)
{
	struct hf_levels levels;

	if (e->frees < e->size)
		return false;
	if (e->side == SERVER && atomic_load_explicit(&e->run->opening, memory_order_relaxed) != 0)
		return false;
	if (e->side == SERVER && !e->idle) {
		hf_levels(e->w, &levels);
		if (levels.requests.used != 0 || levels.connections.used != 0)
			return false;
	}
	return e->peer || now_us - e->stopped_us >= e->drain_us || !half_closed(e);
}

/* Let open connections end; abort them after the limit. Whoever is done stays while others are not: with many
 * workers on one device what is for them may come to its queue. @return false when nothing is left anywhere */
static bool drain(struct end *e, uint64_t now_us)
{
	struct run *run = e->run;
	uint64_t limit_us;

	if (e->over)
		return false;
	if (atomic_load_explicit(&run->hurry, memory_order_relaxed))
		e->drain_us = min(e->drain_us, now_us - e->stopped_us);
	limit_us = e->drain_us + (e->side == SERVER ? 500000 : 0);
	set_idle(e, is_idle(e, now_us));
	if (atomic_load_explicit(&run->busy, memory_order_acquire) == 0) {
		if (silent(e, now_us))
			return false;
	} else if (e->idle) {
		e->stayed_us = now_us;
	}
	if (!e->aborted && now_us - e->stopped_us >= limit_us)
		abort_all(e);
	if (now_us < max(e->stopped_us + limit_us, e->stayed_us) + ABORTED_US)
		return true;
	set_idle(e, true); /* nobody waits for it any longer */
	e->over = true;
	return false;
}

/* Connections that ended with the burst that established them are no application's, but --count's. */
static void take_unaccepted(struct end *e)
{
	uint64_t missed = 0;

	for (unsigned i = 0; i < sizeof(e->unaccepted) / sizeof(e->unaccepted[0]); i++)
		missed += end_counter(e, e->unaccepted[i]);
	if (missed != e->missed)
		atomic_fetch_add_explicit(&e->run->taken, missed - e->missed, memory_order_relaxed);
	e->missed = missed;
}

/* @return false when all is over */
static bool end_turn(struct end *e, uint64_t now_us)
{
	if (e->dues || e->laters)
		end_later_run(e, now_us);
	if (e->side == SERVER && e->run->s->count)
		take_unaccepted(e);
	measure(e, now_us);
	if (e->stopping)
		return drain(e, now_us);
	if (e->side == CLIENT && now_us >= e->run->start_us)
		open_some(e, now_us);
	return true;
}

/* An event of a connection that is open, or has just been opened. */
static void answer(struct end *e, struct conn *c, uint32_t what, uint64_t now_us)
{
	const struct app *app = e->run->app;

	if (what & (HF_EV_CONNECTED | HF_EV_ACCEPT))
		app->begun(e, c, now_us);
	if (!c->closing && e->stopping && e->ending == END_HOLD)
		end_close(e, c, now_us);
	if (e->stopping && e->side == CLIENT && app->endless)
		end_quit(e, c, now_us);
	/* what came along with the last ACK of an opening is in no other event */
	if (!c->closing && what & (HF_EV_READABLE | HF_EV_EOF | HF_EV_ACCEPT))
		app->arrival(e, c, now_us);
	if (!c->closing && what & HF_EV_WRITABLE && app->room)
		app->room(e, c, now_us);
}

bool end_answer(void *arg, struct hf_worker *w, uint64_t now_us, const struct hf_event *events,
		unsigned n)
{
	struct end *e = arg;

	(void)w;
	for (unsigned i = 0; i < n; i++) {
		struct conn *c = end_event(e, &events[i], now_us);

		if (events[i].what & HF_EV_ACCEPT)
			c = end_accept(e, &events[i], now_us);
		if (c && !c->closing)
			answer(e, c, events[i].what, now_us);
	}
	return end_turn(e, now_us);
}

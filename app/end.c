/* SPDX-License-Identifier: BSD-3-Clause */
/* One worker of one end of `pair`: opens at a rate or a concurrency, keeps the books, ends the run.
 * Made by pair.c; called by app_none.c and app_rr.c in every turn. */
#include "end.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OPENS_A_TURN 64	   /* so that turns stay short */
#define RETRY_US 1000	   /* after there was no port */
#define ABORTED_US 3000000 /* after ABORT: retransmissions find nobody within this */
#define NOBODY UINT64_MAX  /* the listener's cookie */

static unsigned counter_find(const char *name)
{
	unsigned i = 0;

	while (i < hf_counters() && strcmp(hf_counter_name(i), name) != 0)
		i++;
	return i;
}

static uint64_t counter_read(const struct end *e, unsigned counter)
{
	return counter < hf_counters() ? hf_counter(e->w, counter) : 0;
}

int end_create(struct end *e, struct run *run, enum side side, unsigned i, struct hf_port *port,
	       struct hf_error *why)
{
	const struct settings *s = run->s;
	const struct plan *plan = run->plan;
	struct hf_config config;
	int rc;

	plan_worker(s, plan, side, i, &config);
	e->run = run;
	e->side = side;
	e->port = port;
	e->size = s->ipv6 ? config.ipv6.connections : config.ipv4.connections;
	e->conns = calloc(e->size, sizeof(*e->conns));
	e->free = calloc(e->size, sizeof(*e->free));
	e->later = calloc(2 * (size_t)e->size, sizeof(*e->later));
	if (!e->conns || !e->free || !e->later) {
		snprintf(why->text, sizeof(why->text), "no memory for %u connections", e->size);
		return -ENOMEM;
	}
	for (uint32_t k = e->size; k-- > 0;)
		e->free[e->frees++] = k;
	if (side == CLIENT && i < plan->openers) {
		e->count = s->count ? plan_share(s->count, i, plan->openers) : UINT64_MAX;
		e->rate = plan_share(s->rate, i, plan->openers);
		e->concurrency = (uint32_t)plan_share(plan->concurrency, i, plan->openers);
		e->phase_us = e->rate ? (s->seed * 0x9e3779b97f4a7c15u >> 32) * (i + 1) %
						(1000000 / e->rate + 1) :
					0;
	}
	e->turns = counter_find("turns");
	e->received = counter_find("rx_frames");
	e->packets = counter_find("tx_frames");
	e->octets = counter_find("tx_octets");
	e->cycles = counter_find("busy_cycles");
	rc = hf_worker_create(&config, port, &e->w, why);
	if (rc == 0 && side == SERVER) {
		rc = hf_listen(e->w, &run->target, NOBODY, &e->listener);
		if (rc < 0)
			snprintf(why->text, sizeof(why->text), "cannot listen: %s", strerror(-rc));
	}
	return rc;
}

void end_destroy(struct end *e)
{
	hf_worker_destroy(e->w);
	free(e->conns);
	free(e->free);
	free(e->later);
}

uint64_t end_count(const struct end *e, enum conn_phase phase)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < e->size; i++)
		n += e->conns[i].phase == phase;
	return n;
}

/* ---- Books ------------------------------------------------------------------------------- */

static void book_failure(struct books *books, int error)
{
	switch (error) {
	case ETIMEDOUT:
		books->failed[FAILED_TIMEOUT]++;
		break;
	case ECONNREFUSED:
		books->failed[FAILED_REFUSED]++;
		break;
	case ECONNRESET:
		books->failed[FAILED_RESET]++;
		break;
	case EHOSTUNREACH:
		books->failed[FAILED_UNREACHABLE]++;
		break;
	case EADDRNOTAVAIL:
	case EADDRINUSE:
		books->failed[FAILED_NO_PORT]++;
		break;
	case ENOBUFS:
		books->failed[FAILED_NO_MEMORY]++;
		break;
	default:
		books->failed[FAILED_ABORTED]++;
		break;
	}
}

static void book_end(struct end *e, struct conn *c, int error, uint64_t now_us)
{
	struct books *books = &e->books;

	books->wrong_text += c->wrong;
	if (error == 0 || (error == ECONNABORTED && c->aborting)) {
		if (error)
			books->closed_by_rst++;
		else
			books->closed++;
		if (e->measuring)
			histogram_record(&e->close, now_us - c->mark_us);
		if (e->measuring && e->side == CLIENT && e->run->s->app == APP_NONE)
			histogram_record(&e->transaction, now_us - c->start_us);
	} else if (error == ETIMEDOUT || error == EHOSTUNREACH) {
		books->lost[LOST_TIMEOUT]++;
	} else if (error == ECONNABORTED) {
		books->lost[LOST_ABORTED]++;
	} else {
		books->lost[LOST_RESET]++;
	}
}

static struct conn *conn_take(struct end *e)
{
	struct conn *c = &e->conns[e->free[--e->frees]];

	memset(c, 0, sizeof(*c));
	return c;
}

static void conn_free(struct end *e, struct conn *c)
{
	c->phase = CONN_FREE;
	c->id = 0;
	e->free[e->frees++] = (uint32_t)(c - e->conns);
}

struct conn *end_event(struct end *e, const struct hf_event *event, uint64_t now_us)
{
	struct conn *c = event->cookie < e->size ? &e->conns[event->cookie] : NULL;

	if (!c || c->phase == CONN_FREE || c->id != event->id)
		return NULL;
	if (event->what & HF_EV_CONNECTED) {
		c->phase = CONN_OPEN;
		e->books.established++;
		if (e->measuring)
			histogram_record(&e->connect, now_us - c->start_us);
	}
	if (event->what & HF_EV_CLOSED) {
		if (c->phase == CONN_OPEN)
			book_end(e, c, event->error, now_us);
		else
			book_failure(&e->books, event->error);
		conn_free(e, c);
		return NULL;
	}
	return c;
}

struct conn *end_accept(struct end *e, uint64_t now_us)
{
	struct conn *c;

	if (!e->frees)
		return NULL;
	c = conn_take(e);
	if (hf_accept(e->w, e->listener, (uint64_t)(c - e->conns), &c->id) < 0) {
		conn_free(e, c);
		return NULL;
	}
	c->phase = CONN_OPEN;
	c->start_us = now_us;
	e->books.accepted++;
	return c;
}

void end_close(struct end *e, struct conn *c, uint64_t now_us)
{
	if (c->closing)
		return;
	c->closing = true;
	c->mark_us = now_us;
	hf_close(e->w, c->id);
}

void end_abort(struct end *e, struct conn *c, uint64_t now_us)
{
	if (c->closing)
		return;
	c->closing = c->aborting = true;
	c->mark_us = now_us;
	hf_abort(e->w, c->id);
}

void end_later(struct end *e, struct conn *c)
{
	e->later[e->laters++] = (struct put_off){ c->id, (uint32_t)(c - e->conns) };
}

/* ---- The rest of a turn ------------------------------------------------------------------ */

static void later_run(struct end *e, uint64_t now_us)
{
	for (uint32_t i = 0; i < e->dues; i++) {
		struct conn *c = &e->conns[e->later[i].conn];

		if (c->id != e->later[i].id)
			continue;
		if (e->run->plan->close == CLOSE_RST)
			end_abort(e, c, now_us);
		else
			end_close(e, c, now_us);
	}
	e->laters -= e->dues;
	memmove(e->later, e->later + e->dues, e->laters * sizeof(*e->later));
	e->dues = e->laters;
}

/* @return false when there was no port, or no room */
static bool open_one(struct end *e, uint64_t start_us)
{
	struct conn *c = conn_take(e);
	int rc;

	e->books.attempted++;
	rc = hf_connect(e->w, NULL, &e->run->target, (uint64_t)(c - e->conns), &c->id);
	if (rc < 0) {
		book_failure(&e->books, -rc);
		conn_free(e, c);
		return false;
	}
	c->phase = CONN_OPENING;
	c->start_us = start_us;
	return true;
}

/* Opens that are due by now at the rate, the first one phase_us after the start. */
static uint64_t due(const struct end *e, uint64_t now_us)
{
	const uint64_t start_us = e->run->start_us + e->phase_us;

	return now_us < start_us ?
		       0 :
		       (uint64_t)((__uint128_t)(now_us - start_us) * e->rate / 1000000) + 1;
}

static void open_some(struct end *e, uint64_t now_us)
{
	const uint32_t in_flight = e->size - e->frees;
	uint64_t n = e->concurrency > in_flight ? e->concurrency - in_flight : 0;
	const uint64_t wanted = e->rate ? due(e, now_us) : UINT64_MAX;
	const uint64_t left = (wanted < e->count ? wanted : e->count) - e->books.attempted;

	if (n > left)
		n = left;
	if (n > OPENS_A_TURN)
		n = OPENS_A_TURN;
	for (; n && now_us >= e->retry_us; n--) {
		const uint64_t start_us =
			!e->rate ? now_us :
				   e->run->start_us + e->phase_us +
					   (uint64_t)((__uint128_t)e->books.attempted * 1000000 /
						      e->rate);

		if (!open_one(e, start_us) && !e->rate)
			e->retry_us = now_us + RETRY_US; /* slow down rather than spin (HF-LG7) */
	}
}

static struct mark mark_now(const struct end *e, uint64_t now_us)
{
	return (struct mark){
		.us = now_us,
		.attempted = e->books.attempted,
		.offered = e->rate ? due(e, now_us) : 0,
		.closed = e->books.closed + e->books.closed_by_rst,
		.packets = counter_read(e, e->packets),
		.octets = counter_read(e, e->octets),
		.cycles = counter_read(e, e->cycles),
	};
}

/* Whether no more connections are opened; by the clock, a signal, or because all are. */
static bool must_stop(const struct end *e, uint64_t now_us)
{
	const struct run *run = e->run;
	const uint64_t end_us = run->plan->duration_us == UINT64_MAX ?
					UINT64_MAX :
					run->start_us + run->s->warmup_us + run->plan->duration_us;

	if (now_us >= end_us || atomic_load_explicit(&run->stop, memory_order_relaxed))
		return true;
	if (e->side == CLIENT)
		return e->books.attempted == e->count && e->frees == e->size;
	return atomic_load_explicit(&run->opening, memory_order_relaxed) == 0;
}

static void measure(struct end *e, uint64_t now_us)
{
	if (!e->measuring && !e->measured && now_us >= e->run->start_us + e->run->s->warmup_us) {
		e->measuring = true;
		e->from = mark_now(e, now_us);
	}
	if (!e->stopping && must_stop(e, now_us)) {
		e->stopping = true;
		e->stopped_us = now_us;
		if (e->measuring) {
			e->to = mark_now(e, now_us);
			e->measured = true;
		}
		e->measuring = false;
	}
}

static void abort_all(struct end *e)
{
	for (uint32_t i = 0; i < e->size; i++)
		if (e->conns[i].phase != CONN_FREE)
			hf_abort(e->w, e->conns[i].id);
	e->aborted = true;
}

/* Whether this queue's wire is silent for good: every frame sent has been received, and the peer has
 * since been through two turns that sent none, so it has nothing left that it would answer. */
static bool silent(struct end *e)
{
	const struct end *peer = e->peer;
	const uint64_t turns = counter_read(peer, e->turns);
	const uint64_t sent = counter_read(e, e->packets), received = counter_read(e, e->received);

	if (atomic_load_explicit(&peer->over, memory_order_acquire)) {
		e->over = true;
	} else if (sent != counter_read(peer, e->received) ||
		   received != counter_read(peer, e->packets) || sent + received != e->frames) {
		e->frames = sent + received;
		e->frames_turn = turns;
	} else if (turns >= e->frames_turn + 2) {
		e->over = true;
	}
	return e->over;
}

/* Let open connections end; abort them after the limit. @return false when nothing is left anywhere */
static bool drain(struct end *e, uint64_t now_us)
{
	struct run *run = e->run;
	const uint64_t limit_us = run->s->drain_us + (e->side == SERVER ? 500000 : 0);
	bool idle = e->frees == e->size;

	if (idle && e->side == SERVER) {
		idle = atomic_load_explicit(&run->opening, memory_order_relaxed) == 0;
		if (idle && !e->idle) {
			struct hf_levels levels;

			hf_levels(e->w, &levels);
			idle = levels.requests.used == 0 && levels.connections.used == 0;
		}
	}
	if (idle != e->idle) {
		e->idle = idle;
		if (e->side == CLIENT)
			atomic_fetch_add(&run->opening, idle ? -1u : 1u);
		atomic_fetch_add(&run->busy, idle ? -1u : 1u);
	}
	if (atomic_load_explicit(&run->busy, memory_order_acquire) == 0 && silent(e))
		return false;
	if (!e->aborted && now_us - e->stopped_us >= limit_us)
		abort_all(e);
	return now_us - e->stopped_us < limit_us + ABORTED_US;
}

bool end_turn(struct end *e, uint64_t now_us)
{
	if (e->dues || e->laters)
		later_run(e, now_us);
	measure(e, now_us);
	if (e->stopping)
		return drain(e, now_us);
	if (e->side == CLIENT && now_us >= e->run->start_us)
		open_some(e, now_us);
	return true;
}

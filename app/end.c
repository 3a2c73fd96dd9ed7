/* SPDX-License-Identifier: BSD-3-Clause */
/* One worker of one end: its connections and its books. Made by run.c; called by turn.c and the
 * applications. */
#include "told.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY UINT64_MAX /* the listener's cookie */

static unsigned counter_find(const char *name)
{
	unsigned i = 0;

	while (i < hf_counters() && strcmp(hf_counter_name(i), name) != 0)
		i++;
	return i;
}

static int end_listen(struct end *e, const struct hf_addr *local, struct hf_error *why)
{
	char text[HF_ADDR_TEXT];
	const int rc = hf_listen(e->w, local, NOBODY, &e->listeners[e->listener_count]);

	if (rc < 0)
		snprintf(why->text, sizeof(why->text), "cannot listen on %s: %s",
			 hf_addr_format(local, text), strerror(-rc));
	else
		e->listener_count++;
	return rc;
}

/* Pair's one listener, or all of --listen. */
static int end_listen_all(struct end *e, uint32_t room, struct hf_error *why)
{
	const struct nets *listen = &e->run->s->listen;
	int rc = 0;

	e->listeners = calloc(room, sizeof(*e->listeners));
	if (!e->listeners)
		return -ENOMEM;
	if (e->run->plan->command == COMMAND_PAIR)
		return end_listen(e, &e->run->target, why);
	for (uint32_t i = 0; i < listen->count && rc == 0; i++) {
		const struct net *net = &listen->at[i];

		for (unsigned port = net->port; port <= net->port_last && rc == 0; port++)
			rc = end_listen(
				e,
				&(struct hf_addr){ .ip = net->range.first, .port = (uint16_t)port },
				why);
	}
	return rc;
}

/* The counts of its uses are this worker's alone. */
static int end_stock(struct end *e, struct hf_error *why)
{
	const struct run *run = e->run;
	const int rc = hf_store_make(run->site.octets ? run->site.octets : run->text,
				     run->site.octets ? run->site.len : sizeof(run->text), NULL,
				     NULL, &e->store);

	if (rc < 0)
		snprintf(why->text, sizeof(why->text), "no memory");
	return rc;
}

int end_create(struct end *e, struct run *run, enum side side, unsigned i, struct hf_port *port,
	       struct hf_error *why)
{
	const struct settings *s = run->s;
	const struct plan *plan = run->plan;
	struct hf_config config;
	struct hf_impair impair;
	int rc;

	plan_worker(s, plan, side, i, &config);
	if (plan->command != COMMAND_PAIR)
		plan_fit(s, plan, port, &config);
	if (config.impair) { /* each worker's link has a seed of its own */
		impair = *config.impair;
		impair.seed = (s->seed << 8) + i;
		config.impair = &impair;
	}
	e->run = run;
	e->side = side;
	e->ending = plan->ending[side];
	e->port = port;
	e->mbufs = hf_port_mbufs_used(port);
	e->size = config.ipv4.connections + config.ipv6.connections;
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
	e->received = counter_find(config.impair ? "impair_in" : "rx_frames");
	e->packets = counter_find("tx_frames");
	e->packets_in = counter_find("rx_frames");
	e->held_up = counter_find("tx_held_up");
	e->unaccepted[0] = counter_find("unaccepted_reset");
	e->unaccepted[1] = counter_find("unaccepted_timeout");
	e->unaccepted[2] = counter_find("unaccepted_aborted");
	e->octets = counter_find("tx_octets");
	e->octets_in = counter_find("rx_octets");
	e->text_in = counter_find("text_in");
	e->text_out = counter_find("text_out");
	e->cycles = counter_find("busy_cycles");
	rc = hf_worker_create(&config, port, &e->w, why);
	if (rc == 0)
		rc = end_stock(e, why);
	if (rc == 0 && side == SERVER)
		rc = end_listen_all(e, config.listeners, why);
	if (rc == 0)
		told_worker(e, i);
	return rc;
}

static void conn_drop(struct end *e, struct conn *c)
{
	if (c->own)
		(e->run->app->drop ? e->run->app->drop : free)(c->own);
	c->own = NULL;
}

void end_destroy(struct end *e)
{
	hf_telemetry_remove(e->w);
	hf_worker_destroy(e->w);
	hf_store_free(e->store);
	for (uint32_t i = 0; e->conns && i < e->size; i++)
		conn_drop(e, &e->conns[i]);
	free(e->listeners);
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
	books->cut_short += c->cut;
	if (error == 0 || (error == ECONNABORTED && c->aborting)) {
		if (error)
			books->closed_by_rst++;
		else
			books->closed++;
		end_time(e, &e->close, c->mark_us, now_us);
		if (e->side == CLIENT && e->run->s->app == APP_NONE)
			end_time(e, &e->transaction, c->start_us, now_us);
	} else if (error == ETIMEDOUT || error == EHOSTUNREACH) {
		books->lost[LOST_TIMEOUT]++;
	} else if (error == ECONNABORTED) {
		books->lost[LOST_ABORTED]++;
	} else {
		books->lost[LOST_RESET]++;
	}
}

static struct conn *end_take(struct end *e)
{
	struct conn *c = &e->conns[e->free[--e->frees]];

	memset(c, 0, sizeof(*c));
	return c;
}

static void conn_free(struct end *e, struct conn *c)
{
	conn_drop(e, c);
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
		end_time(e, &e->connect, c->start_us, now_us);
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

struct conn *end_accept(struct end *e, const struct hf_event *event, uint64_t now_us)
{
	struct conn *c;

	if (!e->frees)
		return NULL;
	c = end_take(e);
	if (hf_accept(e->w, event->listener, (uint64_t)(c - e->conns), &c->id) < 0) {
		conn_free(e, c);
		return NULL;
	}
	c->phase = CONN_OPEN;
	c->start_us = now_us;
	e->books.accepted++;
	if (e->run->s->count)
		atomic_fetch_add_explicit(&e->run->taken, 1, memory_order_relaxed);
	return c;
}

/* @return 0; or why it could not be begun, which the books then say */
int end_open(struct end *e, uint64_t start_us)
{
	struct conn *c = end_take(e);
	int rc;

	e->books.attempted++;
	rc = hf_connect(e->w, NULL, &e->run->target, (uint64_t)(c - e->conns), &c->id);
	if (rc < 0) {
		book_failure(&e->books, -rc);
		conn_free(e, c);
		return rc;
	}
	c->phase = CONN_OPENING;
	c->start_us = start_us;
	return 0;
}

/* ---- Endings ----------------------------------------------------------------------------- */

void end_close(struct end *e, struct conn *c, uint64_t now_us)
{
	if (c->closing)
		return;
	c->closing = true;
	if (!c->mark_us)
		c->mark_us = now_us;
	hf_close(e->w, c->id);
}

static void end_abort(struct end *e, struct conn *c, uint64_t now_us)
{
	if (c->closing)
		return;
	c->closing = c->aborting = true;
	c->mark_us = now_us;
	hf_abort(e->w, c->id);
}

static void close_or_abort(struct end *e, struct conn *c, uint64_t now_us)
{
	if (e->ending == END_RST)
		end_abort(e, c, now_us);
	else
		end_close(e, c, now_us);
}

void end_finish(struct end *e, struct conn *c, bool later, uint64_t now_us)
{
	if (c->finished || c->closing)
		return;
	c->finished = true;
	switch (e->ending) {
	case END_FIRST:
		end_close(e, c, now_us);
		break;
	case END_TOGETHER:
	case END_RST:
		if (later)
			e->later[e->laters++] = (struct put_off){ c->id, (uint32_t)(c - e->conns) };
		else
			close_or_abort(e, c, now_us);
		break;
	case END_HALF:
		c->mark_us = now_us;
		hf_shutdown(e->w, c->id);
		break;
	case END_HOLD:
	case END_AFTER:
		break;
	}
}

void end_quit(struct end *e, struct conn *c, uint64_t now_us)
{
	if (c->finished || c->closing)
		return;
	c->finished = true;
	c->mark_us = now_us;
	hf_shutdown(e->w, c->id);
}

void end_eof(struct end *e, struct conn *c, uint64_t now_us)
{
	if (e->ending != END_HOLD || e->stopping)
		end_close(e, c, now_us);
}

void end_later_run(struct end *e, uint64_t now_us)
{
	for (uint32_t i = 0; i < e->dues; i++) {
		struct conn *c = &e->conns[e->later[i].conn];

		if (c->id == e->later[i].id)
			close_or_abort(e, c, now_us);
	}
	e->laters -= e->dues;
	memmove(e->later, e->later + e->dues, e->laters * sizeof(*e->later));
	e->dues = e->laters;
}

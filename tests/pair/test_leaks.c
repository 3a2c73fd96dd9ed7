/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections without end over a bad link: opened, used and closed in every way, with calls at random
 * moments, with allocations that fail; each octet is compared, and at the end nothing is left and the
 * books balance (HF-LK2 to HF-LK4, HF-GOAL-4). --count says how many connections a row makes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rig/pair.h"
#include "rig/random.h"

#define SHARE (333400 / PAIR_SLOWER) /* of each of the three rows: 10^6 in all (section 27) */
#define CLIENTS 384
#define SERVERS 1024 /* some of them dead: the peer's RST was lost */
#define CHUNK 2048
#define HEADER 4 /* the request begins with the connection's number */
#define PATIENCE_US SEC(300)

enum harm { HARM_LINK, HARM_CALLS, HARM_MEMORY };

/* Who ends a connection, and how, when nothing is at random. */
enum manner { CLIENT_FIRST, SERVER_FIRST, BOTH, HALF };

/* One end of a connection. */
struct end {
	uint64_t id; /* 0: free */
	uint32_t number;
	uint32_t sent, taken;
	uint64_t since_us;
	bool known;  /* servers: the number has come */
	bool opened; /* clients: CONNECTED */
	bool shut, eof;
};

struct churn {
	enum harm harm;
	uint64_t random;
	uint32_t count, opened; /* connections to make, and so far */
	uint32_t live;		/* clients */
	uint32_t whole;		/* got all of their response */
	uint32_t broken;	/* ended before that, by an error */
	uint32_t given_up;	/* ... by the application */
	uint64_t sweep_us;
	struct end client[CLIENTS], server[SERVERS];
};

/* ---- What a connection says ------------------------------------------------------------------ */

static uint32_t length(uint64_t dice)
{
	if (dice % 256 == 0)
		return (uint32_t)(dice >> 16) % 40000;
	if (dice % 16 == 0)
		return (uint32_t)(dice >> 16) % 4000;
	return (uint32_t)(dice >> 16) % 100;
}

static uint32_t request_length(uint32_t number)
{
	return HEADER + length(random_mix(number * 2ull + 1));
}

static uint32_t response_length(uint32_t number)
{
	return length(random_mix(number * 2ull + 2));
}

static enum manner manner_of(uint32_t number)
{
	return (enum manner)(random_mix(number) % 4);
}

static uint8_t octet(uint32_t number, unsigned from, uint32_t at)
{
	if (from == 0 && at < HEADER)
		return (uint8_t)(number >> 8 * at);
	return (uint8_t)(number * 31 + from * 101 + at * 7 + at / 251);
}

/* ---- Both ends ------------------------------------------------------------------------------- */

static struct end *ends_of(struct churn *c, unsigned side)
{
	return side == 0 ? c->client : c->server;
}

static uint32_t to_send(const struct end *e, unsigned side)
{
	return side == 0 ? request_length(e->number) : response_length(e->number);
}

static uint32_t to_take(const struct end *e, unsigned side)
{
	return side == 0 ? response_length(e->number) : request_length(e->number);
}

static void forget(struct churn *c, unsigned side, struct end *e)
{
	e->id = 0;
	if (side == 0)
		c->live--;
}

/* A client whose application ends it: was it whole? */
static void account(struct churn *c, unsigned side, const struct end *e)
{
	if (side != 0)
		return;
	if (e->taken == to_take(e, 0) && e->sent == to_send(e, 0))
		c->whole++;
	else
		c->given_up++;
}

static void do_close(struct pair *p, struct churn *c, unsigned side, struct end *e)
{
	assert_int_equal(hf_close(p->side[side].w, e->id), 0);
	account(c, side, e);
	forget(c, side, e);
}

static void do_abort(struct pair *p, struct churn *c, unsigned side, struct end *e)
{
	assert_int_equal(hf_abort(p->side[side].w, e->id), 0);
	account(c, side, e);
	forget(c, side, e);
}

static void do_shutdown(struct pair *p, unsigned side, struct end *e)
{
	const int err = hf_shutdown(p->side[side].w, e->id);

	if (err != 0 && err != -EPIPE)
		pair_fail(p, "hf_shutdown of side %u: %d", side, err);
	e->shut = true;
}

static void do_send(struct pair *p, unsigned side, struct end *e)
{
	uint8_t text[CHUNK];

	while (!e->shut && e->sent < to_send(e, side)) {
		uint32_t n = to_send(e, side) - e->sent;
		ssize_t sent;

		n = n < CHUNK ? n : CHUNK;
		for (uint32_t i = 0; i < n; i++)
			text[i] = octet(e->number, side, e->sent + i);
		sent = hf_send(p->side[side].w, e->id, text, n);
		if (sent == -EPIPE) /* it is over already */
			e->shut = true;
		else if (sent < 0)
			pair_fail(p, "hf_send of side %u: %zd", side, sent);
		if (sent <= 0)
			return;
		e->sent += (uint32_t)sent;
	}
}

static void compare(struct pair *p, unsigned side, struct end *e, const uint8_t *text, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++, e->taken++) {
		if (side == 1 && e->taken < HEADER)
			e->number |= (uint32_t)text[i] << 8 * e->taken;
		e->known |= side == 1 && e->taken == HEADER - 1;
		if ((side == 0 || e->known) && text[i] != octet(e->number, !side, e->taken))
			pair_fail(p, "connection %u, side %u: octet %u is not what was sent",
				  e->number, side, e->taken);
	}
	if (e->known && e->taken > to_take(e, side))
		pair_fail(p, "connection %u, side %u: more has come than was sent", e->number, side);
}

static void do_receive(struct pair *p, unsigned side, struct end *e)
{
	uint8_t text[CHUNK];
	ssize_t n;

	while (!e->eof && (n = hf_recv(p->side[side].w, e->id, text, CHUNK)) != -EAGAIN) {
		if (n < 0)
			pair_fail(p, "hf_recv of side %u: %zd", side, n);
		e->eof = n == 0;
		compare(p, side, e, text, (uint32_t)n);
	}
}

/* What the application does of itself, once an end has sent and taken what there is. */
static void go_on(struct pair *p, struct churn *c, unsigned side, struct end *e)
{
	const bool ready = side == 0 ? e->opened : e->known && e->taken == to_take(e, 1);
	enum manner manner;

	if (ready)
		do_send(p, side, e);
	manner = manner_of(e->number);
	if (ready && e->sent == to_send(e, side)) {
		if (side == 0 && manner == HALF && !e->shut)
			do_shutdown(p, side, e);
		if ((side == 0 && (manner == CLIENT_FIRST || manner == BOTH) &&
		     e->taken == to_take(e, side)) ||
		    (side == 1 && (manner == SERVER_FIRST || manner == BOTH))) {
			do_close(p, c, side, e);
			return;
		}
	}
	if (e->eof && (!ready || e->shut || e->sent == to_send(e, side)))
		do_close(p, c, side, e);
}

/* HF-LK3: any call, at any time. */
static void meddle(struct pair *p, struct churn *c, unsigned side, struct end *e)
{
	switch (random_below(&c->random, 3)) {
	case 0:
		do_abort(p, c, side, e);
		break;
	case 1:
		do_close(p, c, side, e);
		break;
	default:
		do_shutdown(p, side, e);
	}
}

/* ---- Events ---------------------------------------------------------------------------------- */

static void take_accept(struct pair *p, struct churn *c, const struct hf_event *event)
{
	for (uint32_t i = 0; i < SERVERS; i++) {
		struct end *const e = &c->server[i];

		if (e->id != 0)
			continue;
		*e = (struct end){ .since_us = p->now_us };
		if (hf_accept(p->side[1].w, event->listener, i, &e->id) != 0) {
			e->id = 0; /* it has been reset since */
			return;
		}
		do_receive(p, 1, e);
		go_on(p, c, 1, e);
		return;
	}
	pair_fail(p, "all %u servers are in use", SERVERS);
}

/* HF_EV_CLOSED of one that the application had not ended itself. */
static void take_closed(struct pair *p, struct churn *c, unsigned side, struct end *e, int error)
{
	if (error == 0)
		pair_fail(p, "side %u: HF_EV_CLOSED without hf_close and without an error", side);
	if (side == 0)
		c->broken++;
	forget(c, side, e);
}

static void take_event(struct pair *p, struct churn *c, unsigned side, const struct hf_event *event)
{
	struct end *e;

	if (event->what & HF_EV_ACCEPT) {
		take_accept(p, c, event);
		return;
	}
	e = &ends_of(c, side)[event->cookie];
	if (e->id != event->id) /* ended by the application, the place is another's by now */
		return;
	if (event->what & HF_EV_CLOSED) {
		take_closed(p, c, side, e, event->error);
		return;
	}
	e->opened |= (event->what & HF_EV_CONNECTED) != 0;
	if (event->what & (HF_EV_READABLE | HF_EV_EOF))
		do_receive(p, side, e);
	if (c->harm == HARM_CALLS && random_below(&c->random, 4) == 0)
		meddle(p, c, side, e);
	if (e->id != 0)
		go_on(p, c, side, e);
}

/* Ends whose peer has gone without a word are ended; those that wait for memory ask again. */
static void sweep(struct pair *p, struct churn *c, unsigned side)
{
	struct end *const ends = ends_of(c, side);

	for (uint32_t i = 0; i < (side == 0 ? CLIENTS : SERVERS); i++) {
		if (ends[i].id != 0 && p->now_us - ends[i].since_us > PATIENCE_US)
			do_abort(p, c, side, &ends[i]);
		else if (ends[i].id != 0)
			go_on(p, c, side, &ends[i]);
	}
}

static void open_more(struct pair *p, struct churn *c)
{
	for (uint32_t i = 0; i < CLIENTS && c->opened < c->count; i++) {
		struct end *const e = &c->client[i];

		if (e->id != 0)
			continue;
		*e = (struct end){ .number = c->opened, .known = true, .since_us = p->now_us };
		if (hf_connect(p->side[0].w, NULL, &p->side[1].addr, i, &e->id) != 0) {
			e->id = 0;
			return; /* no port or no memory now: later */
		}
		c->opened++;
		c->live++;
	}
}

/* HF-LK4: each allocation fails with 1 %. Geometric, so that arming it anew changes nothing. */
static void fail_allocations(struct pair *p, struct churn *c, unsigned side)
{
	uint64_t n = 1;

	while (random_below(&c->random, 100) != 0)
		n++;
	hf_fail_allocation(p->side[side].w, n);
	/* and now and then the device takes no more than a few frames (HF-L4) */
	hf_memport_tx_limit(p->side[side].port, random_below(&c->random, 20) == 0 ?
							random_below(&c->random, 4) :
							UINT32_MAX);
}

static void churn_app(struct pair *p, unsigned side, const struct hf_event *events, unsigned n)
{
	struct churn *const c = p->arg;
	struct end *any;

	if (c->harm == HARM_MEMORY)
		fail_allocations(p, c, side);
	for (unsigned i = 0; i < n; i++)
		take_event(p, c, side, &events[i]);
	any = &ends_of(c, side)[random_below(&c->random, side == 0 ? CLIENTS : SERVERS)];
	if (c->harm == HARM_CALLS && any->id != 0 && random_below(&c->random, 10) == 0)
		meddle(p, c, side, any);
	if (p->now_us >= c->sweep_us) {
		sweep(p, c, 0);
		sweep(p, c, 1);
		c->sweep_us = p->now_us + SEC(1);
	}
	if (side == 0 && c->live < CLIENTS && c->opened < c->count)
		open_more(p, c);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static void set_up(struct pair *p)
{
	const struct hf_sizes sizes = { .connections = SERVERS, .requests = 512, .buckets = 131072 };
	const struct link_rates rates = { .loss = LINK_EVER / 20,
					  .duplicate = LINK_EVER / 50,
					  .reorder = LINK_EVER / 20,
					  .corrupt = LINK_EVER / 1000,
					  .delay_us = 1000,
					  .jitter_us = 2000,
					  .reorder_us = 20000 };

	for (unsigned i = 0; i < 2; i++) {
		struct hf_config *const c = &p->side[i].config;

		c->seed = (struct hf_seed){ .seeded = true, .seed = p->seed * 2 + i };
		c->local[0].count = i == 0 ? 4 : 1;
		/* with timestamps tuples are used again; without, there are enough */
		c->port_last = c->tcp.timestamps ? 1535 : 65535;
		c->ranges = 65536;
		if (p->side[i].addr.ip.version == 6)
			c->ipv6 = sizes;
		else
			c->ipv4 = sizes;
		p->link->rates[i] = rates;
	}
	p->link->grain_us = 1000;
	p->verify_every = 64;
	p->check_every = 20000;
}

/* Fewer of everything than is wanted, so that each limit acts: backlog, accept queue, orphans, records. */
static void set_up_scarce(struct pair *p)
{
	set_up(p);
	for (unsigned i = 0; i < 2; i++) {
		struct hf_config *const c = &p->side[i].config;
		struct hf_sizes *const sizes = p->side[i].addr.ip.version == 6 ? &c->ipv6 : &c->ipv4;

		sizes->requests = 64;
		sizes->buckets = 2048;
		c->ranges = 1024;
		c->tcp.syn_backlog = 48;
		c->tcp.accept_queue = 16;
		c->tcp.max_orphans = 200;
	}
}

/* So few ports that one which does not come back after a failure is missed. */
static void set_up_few_ports(struct pair *p)
{
	set_up(p);
	if (p->side[0].config.tcp.timestamps) {
		p->side[0].config.local[0].count = 2;
		p->side[0].config.port_last = 1151;
	}
}

static void churn(struct pair *p, enum harm harm)
{
	struct churn *const c = test_calloc(1, sizeof(*c));
	uint64_t limit_us;
	uint32_t listener;

	c->harm = harm;
	c->random = p->seed;
	c->count = (uint32_t)((p->count ? p->count : SHARE) / PAIR_ALL);
	assert_int_equal(hf_listen(p->side[1].w, &p->side[1].addr, 0, &listener), 0);
	p->app = churn_app;
	p->arg = c;
	p->wake_us = p->now_us;
	limit_us = p->now_us + SEC(1000) + c->count * MS(10);
	while (c->opened < c->count || c->live > 0) {
		if (p->now_us > limit_us)
			pair_fail(p, "only %u of %u were opened, %u live", c->opened, c->count,
				  c->live);
		pair_run(p, SEC(1));
		p->wake_us = p->now_us;
	}
	/* the peers fall silent */
	for (unsigned i = 0; i < 2; i++)
		p->link->rates[i].loss = LINK_EVER;
	pair_run(p, PATIENCE_US + SEC(1));
	for (unsigned i = 0; i < 2; i++) {
		hf_fail_allocation(p->side[i].w, 0);
		hf_memport_tx_limit(p->side[i].port, UINT32_MAX);
	}
	p->app = NULL;
	printf("%s variant %u: %u connections, %u whole, %u broken, %u given up, %.0f s\n",
	       p->row->name, p->variant, c->count, c->whole, c->broken, c->given_up,
	       (double)p->now_us / 1e6);
	assert_int_equal(c->whole + c->broken + c->given_up, c->count);
	if (harm == HARM_LINK)
		assert_true(c->broken <= c->count / 1000 && c->given_up <= c->count / 1000);
	test_free(c);
}

static void bad_link__nothing_is_left(struct pair *p)
{
	churn(p, HARM_LINK);
}

static void bad_link_random_calls__nothing_is_left(struct pair *p)
{
	churn(p, HARM_CALLS);
}

static void bad_link_failing_allocations__nothing_is_left(struct pair *p)
{
	churn(p, HARM_MEMORY);
}

static const struct pair_row rows[] = {
	{ "HF-LK2", bad_link__nothing_is_left, set_up, PAIR_ALL },
	{ "HF-LK3", bad_link_random_calls__nothing_is_left, set_up_scarce, PAIR_ALL },
	{ "HF-LK4", bad_link_failing_allocations__nothing_is_left, set_up_few_ports, PAIR_ALL },
};

int main(int argc, char **argv)
{
	return pair_rows_run("leaks", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine on a memory port, its packets, and the clock: moved by who reads it or sleeps, from deadline to
 * deadline. A call that waits on another thread is woken by what a turn brought or by its own deadline. */
#include "stack.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#define EVENTS 32
#define START_US 1000000000ull
#define TURNS 1000 /* that one call may want */
#define PATIENCE_S 1

/* ---- Life -------------------------------------------------------------------------------------- */

/* EAL is started once a process and stays. */
static int env_start(struct hf_error *why)
{
	static bool started;
	const struct hf_env env = { .program = "packetdrill", .cores = NULL };
	const int rc = started ? 0 : hf_env_start(&env, why);

	started = rc == 0;
	return rc;
}

struct stack *stack_new(const char *flags, struct hf_error *why)
{
	struct stack *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	rc = flags_read(flags == NULL ? "" : flags, &s->flags, why);
	if (rc == 0)
		rc = env_start(why);
	if (rc != 0) {
		free(s);
		errno = -rc;
		return NULL;
	}
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	pthread_cond_init(&s->paid, NULL);
	s->host = pthread_self();
	s->now_us = START_US;
	STAILQ_INIT(&s->out);
	LIST_INIT(&s->waiters);
	statefile_write(s);
	return s;
}

void stack_free(struct stack *s)
{
	struct packet *packet;

	if (s == NULL)
		return;
	for (unsigned i = 0; i < SOCKS; i++)
		sock_free(s, &s->socks[i]);
	while ((packet = STAILQ_FIRST(&s->out)) != NULL) {
		STAILQ_REMOVE_HEAD(&s->out, link);
		free(packet);
	}
	hf_worker_destroy(s->w);
	hf_port_free(s->port);
	pthread_cond_destroy(&s->paid);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void configure(const struct stack *s, const struct hf_ip *ours, struct hf_config *config)
{
	const struct settings *const settings = &s->flags.settings;
	const struct hf_sizes none = { 0 };
	const struct hf_sizes sizes = { .connections = 256, .requests = 256, .buckets = 256 };

	hf_config_defaults(config);
	config->tcp = settings->tcp;
	config->tcp.keepalive_ms = settings->keepalive ? settings->keepalive_time_ms : 0;
	if (s->flags.rwnd != 0)
		config->tcp.rcv_buf = s->flags.rwnd;
	config->mtu = settings->mtu;
	config->ttl = settings->ttl;
	config->ipv4 = sizes;
	config->ipv6 = ours->version == 4 && settings->mtu < 1280 ? none : sizes; /* RFC 8200 5 */
	config->ranges = 4096;
	config->seed = (struct hf_seed){ .seeded = true, .seed = s->flags.seed };
	config->local[0] = (struct hf_ip_range){ .first = *ours, .count = 1 };
	config->locals = 1;
	for (unsigned i = 0; i < 2; i++)
		if (memcmp(&s->flags.local[i], ours, sizeof(*ours)) != 0 &&
		    (i == 0 || config->ipv6.connections > 0))
			config->local[config->locals++] =
				(struct hf_ip_range){ .first = s->flags.local[i], .count = 1 };
}

int stack_need(struct stack *s, const struct hf_ip *ours)
{
	const struct hf_memport memport = { .name = "packetdrill",
					    .l3 = true,
					    .mbufs = 2048,
					    .mtu = s->flags.settings.mtu,
					    .frames = 512 };
	struct hf_config config;
	struct hf_error why;
	int rc = 0;

	if (s->w != NULL)
		return 0;
	configure(s, ours, &config);
	if (s->port == NULL)
		rc = hf_port_memory(&memport, &s->port, &why);
	if (rc == 0)
		rc = hf_worker_create(&config, s->port, &s->w, &why);
	if (rc < 0)
		fprintf(stderr, "libhandfast_pd: %s\n", why.text);
	else
		hf_turn(s->w, s->now_us, NULL, 0); /* the clock starts here */
	return rc;
}

/* ---- Turns ------------------------------------------------------------------------------------- */

static void take_packets(struct stack *s)
{
	uint8_t octets[PACKET_ROOM];
	ssize_t len;

	while ((len = hf_memport_pop(s->port, octets, sizeof(octets))) > 0) {
		struct packet *const packet = malloc(sizeof(*packet) + (size_t)len);

		assert(packet != NULL);
		packet->at_us = s->now_us;
		packet->len = (size_t)len;
		memcpy(packet->octets, octets, (size_t)len);
		STAILQ_INSERT_TAIL(&s->out, packet, link);
		statefile_note(s, octets, (size_t)len, true);
	}
}

static void wake(struct stack *s)
{
	struct waiter *waiter;

	LIST_FOREACH(waiter, &s->waiters, link)
	{
		if (waiter->woken || (s->now_us < waiter->until_us && !waiter->ready(s, waiter->arg)))
			continue;
		waiter->woken = true;
		s->debts++;
		s->debtor = waiter->thread;
		pthread_cond_broadcast(&s->changed);
	}
}

void stack_turn(struct stack *s)
{
	struct hf_event events[EVENTS];

	for (unsigned i = 0; s->w != NULL && i < TURNS; i++) {
		const unsigned n = hf_turn(s->w, s->now_us, events, EVENTS);

		for (unsigned k = 0; k < n; k++)
			sock_event(s, &events[k]);
		hf_flush(s->w, s->now_us);
		take_packets(s);
		if (hf_next_deadline(s->w) > s->now_us)
			break;
	}
	statefile_write(s);
	wake(s);
}

/* MSG_MORE holds text until something comes that lets text go. */
static void forget_more(struct stack *s)
{
	for (struct sock *sock = s->socks; sock < s->socks + SOCKS; sock++) {
		if (!sock->more)
			continue;
		sock->more = false;
		sock_apply(s, sock);
	}
}

int stack_packet(struct stack *s, const void *packet, size_t len)
{
	static const struct hf_push plain;
	struct hf_addr from, to;
	int rc = 0;

	if (packet_ends(packet, len, &from, &to)) {
		rc = stack_need(s, &to.ip);
		statefile_note(s, packet, len, false);
	}
	if (rc == 0 && s->w != NULL)
		rc = hf_memport_push(s->port, packet, len, &plain);
	if (rc < 0)
		return result(rc);
	forget_more(s);
	stack_turn(s);
	return 0;
}

/* ---- The clock --------------------------------------------------------------------------------- */

static uint64_t next_deadline(const struct stack *s)
{
	uint64_t next_us = s->w == NULL ? NEVER : hf_next_deadline(s->w);
	const struct waiter *waiter;

	LIST_FOREACH(waiter, &s->waiters, link)
	if (!waiter->woken && waiter->until_us < next_us)
		next_us = waiter->until_us;
	return next_us > s->now_us ? next_us : s->now_us + 1;
}

bool stack_step(struct stack *s, uint64_t until_us)
{
	const uint64_t next_us = next_deadline(s);

	if (next_us == NEVER || next_us > until_us)
		return false;
	s->now_us = next_us;
	stack_turn(s);
	return true;
}

void stack_clock(struct stack *s, uint64_t until_us)
{
	stack_settle(s);
	while (stack_step(s, until_us))
		stack_settle(s);
	s->now_us = until_us;
	stack_turn(s);
}

uint64_t stack_read_clock(struct stack *s)
{
	if (s->debts > 0 && pthread_equal(pthread_self(), s->debtor)) {
		s->debts--;
		pthread_cond_signal(&s->paid);
		return s->now_us;
	}
	stack_settle(s);
	if (!stack_step(s, s->now_us + 1))
		s->now_us++;
	return s->now_us;
}

/* ---- Waiting ----------------------------------------------------------------------------------- */

void stack_settle(struct stack *s)
{
	struct timespec limit;

	if (s->debts == 0 || !pthread_equal(pthread_self(), s->host))
		return;
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += PATIENCE_S;
	while (s->debts > 0)
		if (pthread_cond_timedwait(&s->paid, &s->lock, &limit) == ETIMEDOUT)
			s->debts = 0;
}

/* The host itself waits: nobody else will move the clock. */
static bool host_wait(struct stack *s, const struct waiter *waiter)
{
	while (!waiter->ready(s, waiter->arg)) {
		stack_settle(s);
		if (stack_step(s, waiter->until_us))
			continue;
		if (waiter->until_us != NEVER)
			stack_clock(s, waiter->until_us);
		return waiter->ready(s, waiter->arg);
	}
	return true;
}

bool stack_wait(struct stack *s, bool (*ready)(struct stack *s, const void *arg), const void *arg,
		uint64_t until_us)
{
	struct waiter waiter = {
		.ready = ready, .arg = arg, .until_us = until_us, .thread = pthread_self()
	};

	if (pthread_equal(waiter.thread, s->host))
		return host_wait(s, &waiter);
	if (s->debts > 0 && pthread_equal(waiter.thread, s->debtor)) { /* not back after all */
		s->debts--;
		pthread_cond_signal(&s->paid);
	}
	if (ready(s, arg))
		return true;
	if (s->now_us >= until_us)
		return false;
	LIST_INSERT_HEAD(&s->waiters, &waiter, link);
	while (!waiter.woken)
		pthread_cond_wait(&s->changed, &s->lock);
	LIST_REMOVE(&waiter, link);
	return ready(s, arg);
}

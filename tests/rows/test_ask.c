/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be read of a worker while it runs: a list of all it holds, asked for over its ring, and its
 * counters (HF-H4, HF-CT1, HF-CT2, HF-M10); and listeners that change meanwhile (HF-M9). Other threads ask
 * here too. */
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_telemetry.h>

#include "io/worker.h"
#include "rig/rig.h"

#define MANY 300
#define PATIENCE 100000 /* polls */

static void set_many(struct rig *r)
{
	r->config.ipv4 = r->config.ipv6 =
		(struct hf_sizes){ .connections = 1024, .requests = 1024, .buckets = 1024 };
	r->config.tcp.syn_backlog = 1024;
}

static void set_no_budget(struct rig *r)
{
	r->config.tcp.rst_budget = 1000000;
}

/* One page, after as many turns as it takes. */
static void ask(struct rig *r, struct hf_question *q)
{
	assert_int_equal(hf_ask(r->w, q), 0);
	assert_false(hf_answered(q));
	for (unsigned turns = 0; turns < 1000 && !hf_answered(q); turns++)
		rig_flush(r);
	assert_true(hf_answered(q));
}

/* @return how many entries there are, all of them on one page */
static uint32_t list(struct rig *r, const struct hf_filter *filter, struct hf_entry *entries)
{
	struct hf_question q = { .entries = entries, .max = MANY, .filter = *filter };

	ask(r, &q);
	assert_false(q.more);
	assert_int_equal(q.now_us, r->now_us);
	return q.count;
}

static bool same_end(const struct hf_addr *a, const struct hf_addr *b)
{
	return memcmp(&a->ip, &b->ip, sizeof(a->ip)) == 0 && a->port == b->port;
}

/* ---- What the list says -------------------------------------------------------------------------- */

struct expected {
	enum rig_state state;
	enum hf_kind kind;
	enum hf_timer timer;
};

/* There is one entry, and it says what STATUS says of the tuple. */
static void ask__in_a_state__as_its_status(struct rig *r)
{
	const struct expected *const want = r->row->arg;
	static const struct hf_filter all;
	struct hf_entry entries[MANY];
	struct hf_status status;

	rig_to(r, want->state);
	rig_flush(r);
	assert_int_equal(list(r, &all, entries), 1);
	assert_int_equal(hf_lookup(r->w, &r->local, &r->peer, &status), 0);
	assert_int_equal(entries[0].status.state, status.state);
	assert_int_equal(entries[0].status.snd_nxt, status.snd_nxt);
	assert_int_equal(entries[0].status.rcv_nxt, status.rcv_nxt);
	assert_int_equal(entries[0].status.deadline_us, status.deadline_us);
	assert_int_equal(entries[0].status.timer, status.timer);
	assert_true(same_end(&status.local, &r->local) && same_end(&status.peer, &r->peer));
	assert_int_equal(status.state, rig_state(r));
	assert_int_equal(status.timer, want->timer);
	assert_int_equal(entries[0].kind, want->kind);
	if (want->kind == HF_KIND_CONNECTION)
		assert_int_equal(entries[0].id, r->id);
	assert_int_equal(rig_levels(r).flows.used, 1);
	if (want->timer != HF_TIMER_NONE)
		assert_int_equal(rig_levels(r).timers, 1);
}

/* How long the application has left it unclosed is told, however much is heard of the peer meanwhile. */
static void ask__close_wait__since_when(struct rig *r)
{
	const struct hf_filter filter = { .states = 1 << HF_CLOSE_WAIT };
	struct hf_entry entries[MANY];
	uint64_t since_us;

	rig_to(r, RIG_CLOSE_WAIT);
	since_us = r->now_us;
	rig_advance(r, SEC(5));
	rig_send(r, rig_ack(r));
	rig_advance(r, SEC(5));
	assert_int_equal(list(r, &filter, entries), 1);
	assert_int_equal(entries[0].status.eof_us, since_us / 1000 * 1000);
	assert_false(entries[0].status.closed || entries[0].status.shut);
}

static void ask__listeners__with_their_queues(struct rig *r)
{
	const struct hf_filter filter = { .states = 1 << HF_LISTEN };
	struct hf_entry entries[MANY];

	rig_to(r, RIG_SYN_RCVD_P);
	assert_int_equal(list(r, &filter, entries), 1);
	assert_int_equal(entries[0].kind, HF_KIND_LISTENER);
	assert_int_equal(entries[0].status.state, HF_LISTEN);
	assert_int_equal(entries[0].status.local.port, r->local.port);
	assert_int_equal(entries[0].half_open, 1);
	assert_int_equal(entries[0].waiting, 0);
}

/* ---- What is asked for --------------------------------------------------------------------------- */

static void ask__filters__only_what_fits(struct rig *r)
{
	const uint8_t bits = r->peer.ip.version == 6 ? 128 : 32;
	struct hf_entry entries[MANY];
	struct hf_filter f = { .states = 1 << HF_ESTABLISHED | 1 << HF_SYN_SENT };
	struct hf_addr peer;

	rig_to(r, RIG_ESTABLISHED);
	rig_another(r);
	rig_to(r, RIG_CLOSE_WAIT);
	peer = r->peer;
	assert_int_equal(list(r, &f, entries), 1);
	f = (struct hf_filter){ .peer = { .port_first = peer.port, .port_last = peer.port } };
	assert_int_equal(list(r, &f, entries), 1);
	assert_true(same_end(&entries[0].status.peer, &peer));
	f.peer.port_last = UINT16_MAX;
	f.peer.port_first = (uint16_t)(peer.port + 1);
	assert_int_equal(list(r, &f, entries), 0);
	f = (struct hf_filter){ .peer = { .ip = peer.ip, .prefix = bits } };
	assert_int_equal(list(r, &f, entries), 2);
	f.peer.ip.octets[bits / 8 - 1] ^= 1;
	assert_int_equal(list(r, &f, entries), 0);
	f.peer.prefix--;
	assert_int_equal(list(r, &f, entries), 2);
	f = (struct hf_filter){ .peer = { .ip = peer.ip, .prefix = 129 } };
	assert_int_equal(list(r, &f, entries), 0); /* an address has no such bit */
	f = (struct hf_filter){ .local = { .ip = { .version = r->local.ip.version == 6 ? 4 : 6 } } };
	assert_int_equal(list(r, &f, entries), 0);
}

static void open_many(struct rig *r)
{
	uint64_t id;

	rig_to(r, RIG_LISTEN);
	for (unsigned i = 0; i < MANY; i++) {
		struct hf_addr from = r->local;

		from.port = (uint16_t)(20000 + i);
		assert_int_equal(hf_connect(r->w, &from, &r->peer, 0, &id), 0);
		if (i % 64 == 63)
			rig_discard(r);
	}
	rig_discard(r);
}

static void close_all(struct rig *r, const struct hf_entry *entries, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		hf_close(r->w, entries[i].id);
	rig_discard(r);
	rig_forget_events(r);
}

/* Pages join: everything once, in pages of any length; a turn's share is bounded. */
static void ask__pages__each_once(struct rig *r)
{
	struct hf_entry entries[MANY];
	bool seen[MANY] = { false };
	struct hf_question q = { .entries = entries, .max = 7 };
	unsigned n = 0, turns = 0;

	open_many(r);
	do {
		ask(r, &q);
		assert_true(q.count <= 7);
		for (unsigned i = 0; i < q.count; i++) {
			const unsigned k = entries[i].status.local.port - 20000u;

			assert_true(k < MANY && !seen[k]);
			seen[k] = true;
			n++;
		}
	} while (q.more);
	assert_int_equal(n, MANY);

	q = (struct hf_question){ .entries = entries, .max = MANY };
	assert_int_equal(hf_ask(r->w, &q), 0);
	while (!hf_answered(&q)) {
		assert_int_equal(hf_next_deadline(r->w), 0);
		rig_flush(r);
		turns++;
	}
	assert_int_equal(q.count, MANY);
	assert_true(turns > MANY / 64);
	close_all(r, entries, MANY);
}

static void ask__too_many_or_wrong__refused(struct rig *r)
{
	struct hf_entry entry;
	struct hf_question q[32], bad = { .max = 1 };
	unsigned n = 0;

	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(hf_ask(r->w, &bad), -EINVAL);
	for (; n < 32; n++) {
		q[n] = (struct hf_question){ .entries = &entry, .max = 1 };
		if (hf_ask(r->w, &q[n]) == -EAGAIN)
			break;
	}
	assert_int_equal(n, 15);
	q[n] = (struct hf_question){ .entries = &entry, .max = 1, .cursor = UINT64_MAX };
	while (!hf_answered(&q[n - 1]))
		rig_flush(r);
	ask(r, &q[n]);
	assert_int_equal(q[n].count, 0);
	assert_false(q[n].more);
}

/* ---- Other threads --------------------------------------------------------------------------------- */

struct reader {
	struct hf_worker *w;
	const struct rig *rig;
	atomic_bool stop;
	atomic_uint rounds;
	bool went_back;
};

/* Read all there is, for ever. Turns are counted by the worker alone: they never go back, nor leap. */
static void *read_all(void *arg)
{
	struct reader *reader = arg;
	struct hf_state_level states[HF_STATES];
	struct hf_levels levels;
	uint64_t last = hf_counter_named(reader->w, "turns");

	while (!atomic_load(&reader->stop)) {
		const uint64_t turns = hf_counter_named(reader->w, "turns");

		reader->went_back |= turns < last || turns - last > UINT32_MAX;
		last = turns;
		for (unsigned i = 0; i < hf_counters(); i++)
			hf_counter(reader->w, i);
		hf_levels(reader->w, &levels);
		reader->went_back |= levels.oldest_wait_ms > reader->rig->config.tcp.tw_len_ms;
		hf_state_levels(reader->w, states);
		atomic_fetch_add(&reader->rounds, 1);
	}
	return NULL;
}

/* A reader that never rests changes nothing of what the worker does. */
static void counters__read_without_end__turns_go_on(struct rig *r)
{
	struct reader reader = { .w = r->w, .rig = r };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, read_all, &reader), 0);
	while (atomic_load(&reader.rounds) < 20) {
		rig_to(r, RIG_TIME_WAIT); /* comes, grows old and goes */
		rig_advance(r, SEC(60));
		rig_another(r);
		rig_to(r, RIG_ESTABLISHED);
		rig_send(r, (struct seg){ .seq = r->rn, .ack = r->sn, .flags = SEG_RST | SEG_ACK });
		rig_event_closed(r, ECONNRESET);
		rig_another(r);
	}
	atomic_store(&reader.stop, true);
	pthread_join(thread, NULL);
	assert_false(reader.went_back);
}

static void *ask_for_ever(void *arg)
{
	struct reader *reader = arg;
	struct hf_entry entries[16];

	while (!atomic_load(&reader->stop)) {
		struct hf_question q = { .entries = entries, .max = 16 };

		if (hf_ask(reader->w, &q) != 0)
			continue;
		while (!hf_answered(&q))
			;
		for (unsigned i = 0; i < q.count; i++)
			reader->went_back |= entries[i].status.state == HF_CLOSED ||
					     entries[i].status.local.port == 0;
		atomic_fetch_add(&reader->rounds, 1);
	}
	return NULL;
}

/* What it has asked last is answered, too: it lies on its stack. */
static void join_asker(struct rig *r, struct reader *reader, pthread_t thread)
{
	atomic_store(&reader->stop, true);
	while (pthread_tryjoin_np(thread, NULL) == EBUSY)
		rig_flush(r);
}

static void ask__another_thread__answered_between_turns(struct rig *r)
{
	struct reader reader = { .w = r->w };
	pthread_t thread;

	rig_to(r, RIG_ESTABLISHED);
	assert_int_equal(pthread_create(&thread, NULL, ask_for_ever, &reader), 0);
	while (atomic_load(&reader.rounds) < 20)
		rig_flush(r);
	join_asker(r, &reader, thread);
	assert_false(reader.went_back);
}

/* ---- Listeners that change (HF-M9) ------------------------------------------------------------------- */

static struct hf_question listen_wish(const struct rig *r)
{
	return (struct hf_question){ .what = HF_ASK_LISTEN, .local = r->local, .cookie = 77 };
}

/* The burst of the turn that grants the wish meets what was, the next one what is. */
static void listener__asked_for_and_let_go__old_or_new(struct rig *r)
{
	struct hf_question on = listen_wish(r), off;
	struct seg syn = rig_syn(r), ack;

	assert_int_equal(hf_ask(r->w, &on), 0);
	rig_send(r, syn);
	assert_true(hf_answered(&on));
	assert_int_equal(on.error, 0);
	rig_expect_rn(r, syn);
	rig_send(r, syn);
	rig_expect_sa(r);
	off = on;
	on = listen_wish(r);
	ask(r, &on);
	assert_int_equal(on.error, -EADDRINUSE);
	off.what = HF_ASK_UNLISTEN;
	assert_int_equal(hf_ask(r->w, &off), 0);
	ack = (struct seg){ .seq = IRS + 1, .ack = ISS + 1, .flags = SEG_ACK };
	r->ts_agreed = r->timestamps;
	rig_send(r, ack); /* in time: ESTABLISHED, and reset as nobody has accepted it */
	assert_int_equal(off.error, 0);
	r->sn = ISS + 1, r->rn = IRS + 1;
	rig_expect_rs(r);
	rig_forget_events(r);
	rig_send(r, ack);
	rig_expect_ra(r, ack);
	ask(r, &off);
	assert_int_equal(off.error, -EBADF);
	r->ts_agreed = false;
}

/* On and off, as fast as the worker grants it. */
static void *flip_for_ever(void *arg)
{
	struct reader *reader = arg;
	struct hf_question q = { .local = reader->rig->local };

	while (!atomic_load(&reader->stop)) {
		q.what = q.what == HF_ASK_LISTEN ? HF_ASK_UNLISTEN : HF_ASK_LISTEN;
		while (hf_ask(reader->w, &q) != 0)
			;
		while (!hf_answered(&q))
			;
		reader->went_back |= q.error != 0;
		atomic_fetch_add(&reader->rounds, 1);
	}
	return NULL;
}

static void listener__flipped_by_a_thread__each_syn_one_answer(struct rig *r)
{
	struct reader reader = { .w = r->w, .rig = r };
	struct hf_addr from = r->peer;
	unsigned opened = 0, refused = 0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, flip_for_ever, &reader), 0);
	while (atomic_load(&reader.rounds) < 200 || opened == 0 || refused == 0) {
		const struct frame *f;

		from.port = (uint16_t)(20000 + (opened + refused) % 10000);
		rig_push_from(r, &from, rig_syn(r), NULL);
		rig_turn(r);
		f = rig_pop(r);
		assert_non_null(f);
		assert_int_equal(f->seg.ack, IRS + 1);
		opened += f->seg.flags == (SEG_SYN | SEG_ACK);
		refused += f->seg.flags == (SEG_RST | SEG_ACK);
		assert_null(rig_pop(r));
		rig_push_from(r, &from, (struct seg){ .seq = IRS + 1, .flags = SEG_RST }, NULL);
		rig_turn(r);
		rig_expect_silence(r, 0);
	}
	join_asker(r, &reader, thread);
	assert_false(reader.went_back);
	assert_int_equal(rig_counter(r, "request_opened"), opened);
	assert_int_equal(rig_counter(r, "rst_out_closed"), refused);
	assert_int_equal(rig_levels(r).requests.used, 0);
}

/* Another thread may look between the two writes by which a frame joins those that leave: of a place that was
 * never used before the count is there first. */
static void levels__read_while_a_frame_joins__not_there_yet(struct rig *r)
{
	assert_int_equal(r->w->tx_count, 0);
	assert_null(r->w->tx[0]);
	r->w->tx_count = 1;
	assert_int_equal(rig_levels(r).queued_mbufs, 0);
	r->w->tx_count = 0;
}

/* ---- Names ------------------------------------------------------------------------------------------ */

/* A name is a word in lower case, and no other counter's; docs/counters.md lists them (suite docs). */
static void counters__names__unique_words(struct rig *r)
{
	(void)r;
	for (unsigned i = 0; i < hf_counters(); i++) {
		const char *const name = hf_counter_name(i);

		assert_true(strlen(name) < 64 && hf_counter_help(i)[0] && hf_counter_unit(i)[0]);
		for (const char *c = name; *c; c++)
			assert_true(islower((unsigned char)*c) || isdigit((unsigned char)*c) ||
				    *c == '_');
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(name, hf_counter_name(k));
	}
	assert_true(hf_counters() <= 256); /* one dictionary of DPDK's telemetry */
}

/* ---- Telemetry without memory --------------------------------------------------------------------- */

static telemetry_cb answer;
static struct rig *asked; /* whose worker goes on while telemetry waits */
static atomic_uint polls; /* for the answer */
static atomic_bool still; /* the clock */
static atomic_bool held;  /* who polls */
static char said[RTE_TEL_MAX_STRING_LEN];

/* In the place of DPDK's and the C library's, which the library calls. */
int rte_telemetry_register_cmd(const char *cmd, telemetry_cb fn, const char *help)
{
	(void)cmd, (void)help;
	answer = fn;
	return 0;
}

struct rte_tel_data *rte_tel_data_alloc(void)
{
	return NULL;
}

int rte_tel_data_add_dict_string(struct rte_tel_data *d, const char *name, const char *text)
{
	(void)d;
	snprintf(said, sizeof(said), "%s: %s", name, text);
	return 0;
}

int usleep(useconds_t us)
{
	(void)us;
	if (asked != NULL)
		rig_flush(asked);
	atomic_fetch_add(&polls, 1);
	do
		sched_yield();
	while (atomic_load(&held));
	return 0;
}

/* While it stands still, the asker's patience ends with so many polls. */
uint64_t rte_get_tsc_hz(void)
{
	uint64_t (*const real)(void) = (uint64_t(*)(void))dlsym(RTLD_NEXT, "rte_get_tsc_hz");

	if (atomic_load(&still))
		return atomic_load(&polls) < PATIENCE ? UINT64_MAX : 1;
	return real();
}

/* What these parameters draw is this error. */
static void refused(struct rig *r, const char *const *params, unsigned n, const char *error)
{
	void *const data = calloc(1, 1 << 20);
	struct hf_error why;

	asked = r;
	assert_int_equal(hf_telemetry_start("test", &why), 0);
	assert_int_equal(hf_telemetry_add(r->w, "one"), 0);
	for (unsigned i = 0; i < n; i++) {
		said[0] = '\0';
		assert_int_equal(answer("/handfast/connections", params[i], data), 0);
		if (strncmp(said, error, strlen(error)) != 0)
			rig_fail(r, "%s: %s", params[i], said);
	}
	hf_telemetry_remove(r->w);
	asked = NULL;
	free(data);
}

static void telemetry__no_memory__said_so(struct rig *r)
{
	static const char *const params[] = { "0", "0,brief" };

	rig_to(r, RIG_ESTABLISHED);
	refused(r, params, 2, "error: no memory");
}

/* A network that is none does not list them all. */
static void telemetry__bad_network__refused(struct rig *r)
{
	static const char *const params[] = { "0,local=10.0.0.0/",  "0,local=10.0.0.0/x",
					      "0,peer=10.0.0.0/33", "0,peer=::/129",
					      "0,peer=10.0.0.0/-1", "0,peer=10.0.0.0/8x" };

	rig_to(r, RIG_ESTABLISHED);
	refused(r, params, 6, "error: '");
}

static void *ask_in_vain(void *data)
{
	answer("/handfast/connections", "0", data);
	return NULL;
}

static int add_another(struct rig *r)
{
	return hf_telemetry_add(r->w, "another");
}

static int report_no_more(struct rig *r)
{
	(void)r;
	hf_telemetry_report(NULL, NULL);
	return 0;
}

/* Nobody runs the worker yet, or any more: somebody waits for its answer, and the program for nobody. */
static void telemetry__asker_waits__program_does_not(struct rig *r)
{
	int (*const calls[])(struct rig *) = { add_another, report_no_more };
	void *const data = calloc(1, 1 << 20);
	struct hf_error why;
	pthread_t asker;

	assert_int_equal(hf_telemetry_start("test", &why), 0);
	assert_int_equal(hf_telemetry_add(r->w, "one"), 0);
	for (unsigned i = 0; i < 2; i++) {
		unsigned polled;

		atomic_store(&polls, 0);
		atomic_store(&still, true);
		atomic_store(&held, true);
		assert_int_equal(pthread_create(&asker, NULL, ask_in_vain, data), 0);
		while (atomic_load(&polls) == 0)
			sched_yield();
		atomic_store(&held, false);
		assert_int_equal(calls[i](r), 0);
		polled = atomic_load(&polls);
		assert_int_equal(pthread_join(asker, NULL), 0);
		atomic_store(&still, false);
		assert_true(polled < PATIENCE);
	}
	rig_flush(r); /* and answers after all, before the question goes */
	rig_flush(r);
	hf_telemetry_remove(r->w);
	free(data);
}

#define STATE(id, in, is, runs)                                              \
	{                                                                    \
		.name = "HF-H4-" id, .test = ask__in_a_state__as_its_status, \
		.arg = &(const struct expected)                              \
		{                                                            \
			RIG_##in, HF_KIND_##is, HF_TIMER_##runs              \
		}                                                            \
	}

static const struct row rows[] = {
	STATE("SYN-SENT", SYN_SENT, CONNECTION, RETRANSMIT),
	STATE("SYN-RECEIVED", SYN_RCVD_P, REQUEST, RETRANSMIT),
	STATE("SYN-RECEIVED-active", SYN_RCVD_A, CONNECTION, RETRANSMIT),
	STATE("ESTABLISHED", ESTABLISHED, CONNECTION, NONE),
	STATE("FIN-WAIT-1", FIN_WAIT_1, CONNECTION, RETRANSMIT),
	STATE("FIN-WAIT-2", FIN_WAIT_2, BUCKET, FIN_WAIT_2),
	STATE("CLOSE-WAIT", CLOSE_WAIT, CONNECTION, NONE),
	STATE("CLOSING", CLOSING, CONNECTION, RETRANSMIT),
	STATE("LAST-ACK", LAST_ACK, CONNECTION, RETRANSMIT),
	STATE("TIME-WAIT", TIME_WAIT, BUCKET, TIME_WAIT),
	{ .name = "HF-H4-close-wait", .test = ask__close_wait__since_when },
	{ .name = "HF-H4-listeners", .test = ask__listeners__with_their_queues },
	{ .name = "HF-H4-filter", .test = ask__filters__only_what_fits },
	{ .name = "HF-H4-pages", .test = ask__pages__each_once, .set_up = set_many },
	{ .name = "HF-H4-full", .test = ask__too_many_or_wrong__refused, .variants = ROW_ONCE },
	{ .name = "HF-M10", .test = counters__read_without_end__turns_go_on },
	{ .name = "HF-CT1", .test = ask__another_thread__answered_between_turns },
	{ .name = "HF-CT1-frame",
	  .test = levels__read_while_a_frame_joins__not_there_yet,
	  .variants = ROW_ONCE },
	{ .name = "HF-M9", .test = listener__asked_for_and_let_go__old_or_new },
	{ .name = "HF-M9-thread",
	  .test = listener__flipped_by_a_thread__each_syn_one_answer,
	  .set_up = set_no_budget,
	  .variants = ROW_ONCE },
	{ .name = "SEC-37-memory", .test = telemetry__no_memory__said_so, .variants = ROW_ONCE },
	{ .name = "HF-CT1-network", .test = telemetry__bad_network__refused, .variants = ROW_ONCE },
	{ .name = "HF-CT1-vain",
	  .test = telemetry__asker_waits__program_does_not,
	  .variants = ROW_ONCE },
	{ .name = "HF-CT2", .test = counters__names__unique_words, .variants = ROW_ONCE },
};

int main(int argc, char **argv)
{
	return rig_run("Asking", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

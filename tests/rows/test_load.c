/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The load generator (REQUIREMENTS 22) on a virtual clock: one client end on the memory port, and a peer
 * that answers, refuses or is silent. The books are checked after every turn (HF-LG2).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "end.h"
#include "rig/frame.h"

#define SLICE_US 100
#define START_US 1000000
#define MS(n) ((uint64_t)(n)*1000)
#define SEC(n) MS((n)*1000)

enum manner { SILENT, ANSWERS, REFUSES };

struct load {
	struct settings s;
	struct plan plan;
	struct run run;
	struct end e;
	struct hf_port *port;
	enum manner manner;
	bool holds; /* it acknowledges our FIN and sends none */
	uint64_t now_us;
	uint64_t syns, rsts; /* that have come out */
	bool more;
};

/* ---- The peer ------------------------------------------------------------------------------ */

static void peer_says(struct load *l, const struct frame *f, uint8_t flags, uint32_t seq)
{
	const struct frame_form form = { .ttl = 64 };
	const struct seg seg = {
		.seq = seq,
		.ack = f->seg.seq + f->seg.len,
		.flags = flags,
		.wnd = 65535,
		.mss = 1460,
		.options = (uint8_t)((flags & SEG_SYN ? OPT_MSS : 0) | (f->seg.options & OPT_TS)),
		.tsval = 7,
		.tsecr = f->seg.tsval,
	};
	uint8_t raw[FRAME_MAX];
	const size_t len = frame_build(raw, &form, &f->dst, &f->src, &seg, NULL, NULL, 0);

	assert_int_equal(hf_memport_push(l->port, raw, len, &(struct hf_push){ .ip = 0 }), 0);
}

/* Its sequence numbers are 0 of the SYN, 1 of the FIN. */
static void peer_answers(struct load *l, const struct frame *f)
{
	if (f->seg.flags & SEG_RST)
		return;
	if (l->manner == REFUSES)
		peer_says(l, f, SEG_RST | SEG_ACK, 0);
	else if (f->seg.flags & SEG_SYN)
		peer_says(l, f, SEG_SYN | SEG_ACK, 0);
	else if (f->seg.flags & SEG_FIN)
		peer_says(l, f, l->holds ? SEG_ACK : SEG_FIN | SEG_ACK, 1);
}

static void peer_takes(struct load *l)
{
	const struct frame_form form = { .ttl = 64 };
	struct frame f;
	ssize_t len;

	while ((len = hf_memport_pop(l->port, f.raw, sizeof(f.raw))) > 0) {
		f.len = (size_t)len;
		assert_null(frame_parse(&f, &form));
		l->syns += (f.seg.flags & SEG_SYN) != 0;
		l->rsts += (f.seg.flags & SEG_RST) != 0;
		if (l->manner != SILENT)
			peer_answers(l, &f);
	}
}

/* ---- The load ------------------------------------------------------------------------------ */

static uint64_t failures(const struct load *l)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < FAILURES; i++)
		n += l->e.books.failed[i];
	return n;
}

/* HF-LG2 */
static void books_balance(const struct load *l)
{
	const struct books *books = &l->e.books;
	uint64_t ended = books->closed + books->closed_by_rst;

	for (unsigned i = 0; i < LOSSES; i++)
		ended += books->lost[i];
	assert_int_equal(books->attempted,
			 books->established + failures(l) + end_count(&l->e, CONN_OPENING));
	assert_int_equal(books->established, ended + end_count(&l->e, CONN_OPEN));
}

static void turn(struct load *l)
{
	struct hf_event events[64];
	const unsigned n = hf_turn(l->e.w, l->now_us, events, 64);

	l->more = end_answer(&l->e, l->e.w, l->now_us, events, n);
	hf_flush(l->e.w, l->now_us);
	peer_takes(l);
	books_balance(l);
	l->now_us += SLICE_US;
}

static void run_until(struct load *l, uint64_t us)
{
	while (l->more && l->now_us < START_US + us)
		turn(l);
}

/* A load with these options, to begin at START_US. */
#define begin(state, ...) begin_with((state), (char *[]){ "load", __VA_ARGS__, NULL })
static struct load *begin_with(void **state, char **more)
{
	static char *const common[] = { "load",		 "--dev",    "net_null0",     "--addr",
					"198.18.0.1/24", "--target", "198.18.0.9:80", NULL };
	struct load *l = *state;
	struct hf_error why = { "" };
	char *argv[40];
	int argc = 0;

	for (char *const *arg = common; *arg != NULL; arg++)
		argv[argc++] = *arg;
	for (char **arg = more + 1; *arg != NULL; arg++)
		argv[argc++] = *arg;
	argv[argc] = NULL;
	config_defaults(&l->s);
	if (options_read(COMMAND_LOAD, argc, argv, &l->s, &why) != 0 ||
	    plan_make(&l->s, COMMAND_LOAD, 1, &l->plan, &why) != 0 ||
	    hf_port_memory(
		    &(struct hf_memport){ .name = "load", .l3 = true, .mbufs = 4096, .frames = 1024 },
		    &l->port, &why) != 0)
		fail_msg("%s", why.text);
	l->run = (struct run){ .s = &l->s, .plan = &l->plan, .app = &app_none, .start_us = START_US };
	l->run.target.ip = l->s.target.at[0].range.first;
	l->run.target.port = 80;
	atomic_store(&l->run.opening, 1);
	atomic_store(&l->run.busy, 1);
	if (end_create(&l->e, &l->run, CLIENT, 0, l->port, &why) != 0)
		fail_msg("%s", why.text);
	l->now_us = START_US - SLICE_US;
	l->more = true;
	return l;
}

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct load));
	return *state == NULL ? -1 : 0;
}

static int finish(void **state)
{
	struct load *l = *state;
	const int wrong = hf_check(l->e.w, NULL);
	uint32_t left;

	end_destroy(&l->e);
	left = hf_port_mbufs_used(l->port);
	hf_port_free(l->port);
	free(l);
	return wrong != 0 || left != 0 ? -1 : 0;
}

/* Opens that are due at an instant: one at the start, one at each interval. */
static uint64_t due(const struct load *l, uint64_t now_us)
{
	const uint64_t start_us = START_US + l->e.phase_us;

	return now_us < start_us ? 0 : (now_us - start_us) * l->s.rate / 1000000 + 1;
}

/* ---- Rates --------------------------------------------------------------------------------- */

/* One open in a slice, exactly, whatever the target does; afterwards latencies count from when each
 * connection was to be opened. */
static void rate__target_stalls_200_ms__not_an_open_is_missing(void **state)
{
	struct load *l = begin(state, "--rate", "10000/s", "--duration", "500ms");

	for (l->manner = ANSWERS; l->more && l->now_us < START_US + MS(500);) {
		const uint64_t at_us = l->now_us;

		l->manner = at_us - START_US - MS(100) < MS(200) ? SILENT : ANSWERS;
		turn(l);
		assert_int_equal(l->e.books.attempted, due(l, at_us));
	}
	assert_int_equal(l->e.books.attempted, 5000);
	run_until(l, SEC(10));
	assert_false(l->more);
	assert_int_equal(l->e.books.attempted, 5000);
	assert_int_equal(l->e.books.established, 5000);
	assert_int_equal(l->e.books.closed, 5000);
}

/* A core that is held up for 50 ms, across the end: the opens that were due then are made up for, each late
 * by what it is late. */
static void rate__core_held_up__every_open_is_made(void **state)
{
	struct load *l = begin(state, "--rate", "20000/s", "--duration", "100ms");

	l->manner = ANSWERS;
	run_until(l, MS(40));
	assert_int_equal(l->e.books.attempted, due(l, START_US + MS(40) - SLICE_US));
	l->now_us = START_US + MS(60);
	run_until(l, MS(80));
	assert_int_equal(l->e.books.attempted, due(l, START_US + MS(80) - SLICE_US));
	l->now_us = START_US + MS(130);
	run_until(l, SEC(10));
	assert_false(l->more);
	assert_int_equal(l->e.books.attempted, 2000);
	assert_int_equal(l->e.to.offered, 2000);
	assert_in_range(l->e.connect.max, MS(49), MS(53));
}

/* Offered several times what a core can do, which here is 32 frames a turn, two a connection: it does no less for it,
 * and what it has begun is no more than what it needs. The rest stays offered, and is told. */
static void rate__beyond_what_the_core_does__opens_what_it_can(void **state)
{
	struct load *l = begin(state, "--rate", "2M/s", "--duration", "100ms");
	uint64_t closed;

	l->manner = ANSWERS;
	run_until(l, MS(20));
	closed = l->e.books.closed;
	for (unsigned i = 0; i < 500; i++) {
		turn(l);
		assert_in_range(l->e.size - l->e.frees, 1, 200);
	}
	assert_in_range(l->e.books.closed - closed, 500 * 15, 500 * 16);
	assert_true(due(l, l->now_us) > 4 * l->e.books.attempted);
	run_until(l, SEC(10));
	assert_false(l->more);
	assert_int_equal(l->e.books.closed, l->e.books.attempted);
}

/* When no more than so many may be open the rate's opens wait, and their latency says so. */
static void rate__held_up_by_concurrency__is_made_up_for_and_told(void **state)
{
	struct load *l =
		begin(state, "--rate", "10000/s", "--concurrency", "100", "--duration", "3s");

	run_until(l, MS(500)); /* in silence */
	assert_int_equal(l->e.books.attempted, 100);
	assert_int_equal(end_count(&l->e, CONN_OPENING), 100);
	assert_int_equal(due(l, l->now_us - SLICE_US), 5000);
	l->manner = ANSWERS;
	run_until(l, MS(2900)); /* SYNs are sent again after 1 s */
	assert_int_equal(l->e.books.attempted, due(l, l->now_us - SLICE_US));
	/* those of the first second, a third of all, had waited for room: up to 990 ms, evenly */
	assert_in_range(histogram_percentile(&l->e.connect, 0.9), MS(600), MS(800));
	assert_in_range(l->e.connect.max, MS(985), MS(1030));
	run_until(l, SEC(20));
	assert_int_equal(l->e.books.closed, 30000);
}

static void concurrency__alone__is_held_exactly(void **state)
{
	struct load *l = begin(state, "--concurrency", "50", "--count", "5000", "--close", "hold");

	l->manner = ANSWERS;
	turn(l);
	turn(l); /* the first one was before the start */
	for (unsigned i = 0; i < 1000; i++) {
		turn(l);
		assert_int_equal(l->e.size - l->e.frees, 50);
	}
	assert_int_equal(l->e.books.attempted, 50);
	atomic_store(&l->run.stop, true);
	run_until(l, SEC(10));
	assert_int_equal(l->e.books.closed, 50);
}

/* More SYNs than wait for the MAC address of the next hop would be lost, and come a second late. */
static void concurrency__unanswered__begins_with_few(void **state)
{
	struct load *l = begin(state, "--concurrency", "50", "--count", "5000");

	run_until(l, MS(100)); /* in silence */
	assert_int_equal(l->e.books.attempted, 16);
	run_until(l, MS(101));
	assert_int_equal(l->e.books.attempted, 50);
}

static void concurrency__with_ends__opens_as_many_as_end(void **state)
{
	struct load *l = begin(state, "--concurrency", "50", "--count", "5000");
	uint64_t ended;

	l->manner = ANSWERS;
	for (unsigned i = 0; i < 20; i++)
		turn(l);
	do {
		turn(l);
		ended = l->e.books.closed;
		assert_int_equal(l->e.books.attempted, ended + l->e.size - l->e.frees);
		assert_true(l->e.size - l->e.frees == 50 || l->e.books.attempted == 5000);
	} while (ended < 5000);
	run_until(l, SEC(10));
	assert_false(l->more);
	assert_int_equal(l->e.books.established, 5000);
}

static void count__at_a_rate__ends_the_run(void **state)
{
	struct load *l = begin(state, "--rate", "20000/s", "--count", "777");

	l->manner = REFUSES;
	run_until(l, SEC(10));
	assert_false(l->more);
	assert_int_equal(l->e.books.attempted, 777);
	assert_int_equal(l->e.books.failed[FAILED_REFUSED], 777);
	assert_int_equal(l->syns, 777);
}

/* What is open when all are opened takes its time; the rate was kept all the same. */
static void count__at_a_rate__is_offered_and_opened_no_longer(void **state)
{
	struct load *l = begin(state, "--rate", "20000/s", "--count", "777");

	l->manner = SILENT; /* SYNs are sent again after 1 s */
	run_until(l, MS(100));
	l->manner = ANSWERS;
	run_until(l, SEC(10));
	assert_false(l->more);
	assert_int_equal(l->e.books.closed, 777);
	assert_in_range(l->e.to.us - l->e.from.us, SEC(1), SEC(2));
	assert_int_equal(l->e.to.offered, 777);
	assert_int_equal(l->e.to.offered_us - l->e.from.offered_us, 38850);
	assert_int_equal(l->e.to.opened_us, l->e.to.offered_us);
}

static void warmup__is_left_out_of_the_measure(void **state)
{
	struct load *l =
		begin(state, "--rate", "10000/s", "--warmup", "300ms", "--duration", "200ms");

	l->manner = ANSWERS;
	run_until(l, SEC(10));
	assert_false(l->more);
	assert_int_equal(l->e.books.attempted, 5000);
	assert_int_equal(l->e.to.us - l->e.from.us, 200000);
	assert_int_equal(l->e.to.attempted - l->e.from.attempted, 2000);
	assert_int_equal(l->e.to.offered - l->e.from.offered, 2000);
}

/* ---- Ports --------------------------------------------------------------------------------- */

/* Eight tuples, each 60 s in TIME-WAIT after its close, and no timestamps to tell old from new by. */
static void ports__run_out__slows_and_says_so(void **state)
{
	struct load *l = begin(state, "--ports", "5000-5007", "--set", "tcp.timestamps=false",
			       "--concurrency", "4", "--duration", "90s");

	l->manner = ANSWERS;
	run_until(l, SEC(1));
	assert_int_equal(l->e.books.established, 8);
	assert_int_equal(l->syns, 8);
	assert_in_range(l->e.books.failed[FAILED_NO_PORT], 900, 1001); /* once a millisecond */
	run_until(l, SEC(59));
	assert_int_equal(l->syns, 8);
	run_until(l, SEC(61));
	assert_int_equal(l->e.books.established, 16);
	run_until(l, SEC(200));
	assert_int_equal(l->e.books.closed, 16);
}

/* At a rate nothing is put off: every open that found no port is in the books. */
static void ports__run_out_at_a_rate__each_open_is_told(void **state)
{
	struct load *l = begin(state, "--ports", "5000-5007", "--rate", "1000/s", "--set",
			       "tcp.timestamps=false", "--duration", "1s");

	l->manner = ANSWERS;
	run_until(l, SEC(1));
	assert_int_equal(l->e.books.attempted, 1000);
	assert_int_equal(l->e.books.failed[FAILED_NO_PORT], 992);
	run_until(l, SEC(20));
}

/* ---- The end ------------------------------------------------------------------------------- */

static void stop__no_new_opens__drains_then_aborts_the_rest(void **state)
{
	struct load *l = begin(state, "--rate", "1000/s", "--duration", "60s", "--close", "peer",
			       "--drain", "2s");
	uint64_t attempted;

	l->manner = ANSWERS; /* and never closes */
	run_until(l, MS(100));
	attempted = l->e.books.attempted;
	assert_int_equal(attempted, 100);
	atomic_store(&l->run.stop, true);
	run_until(l, MS(2000));
	assert_int_equal(l->e.books.attempted, attempted);
	assert_int_equal(l->rsts, 0);
	run_until(l, MS(2200));
	assert_int_equal(l->rsts, attempted);
	assert_int_equal(l->e.books.lost[LOST_ABORTED], attempted);
	run_until(l, SEC(10));
	assert_false(l->more);
	assert_true(l->now_us < START_US + SEC(6));
}

/* A stop in the midst of opening: what the target never answered is aborted too. */
static void stop__target_silent__ends_within_the_limit(void **state)
{
	struct load *l = begin(state, "--concurrency", "100", "--drain", "1s");

	run_until(l, MS(150));
	atomic_store(&l->run.stop, true);
	run_until(l, SEC(10));
	assert_false(l->more);
	assert_true(l->now_us < START_US + SEC(5));
	assert_int_equal(l->e.books.failed[FAILED_ABORTED], 100);
}

/* A second signal: nobody waits for what is open. */
static void stop__hurried__aborts_at_once(void **state)
{
	struct load *l = begin(state, "--concurrency", "50", "--close", "peer", "--drain", "60s");

	l->manner = ANSWERS;
	run_until(l, MS(50));
	atomic_store(&l->run.stop, true);
	run_until(l, SEC(10));
	assert_int_equal(l->e.books.lost[LOST_ABORTED], 0);
	atomic_store(&l->run.hurry, true);
	run_until(l, SEC(12));
	assert_false(l->more);
	assert_int_equal(l->e.books.lost[LOST_ABORTED], 50);
}

/* What is to come to the others may come to our queue: while one of them is busy, who is done goes on. */
static void stop__others_busy__stays_for_them(void **state)
{
	struct load *l = begin(state, "--count", "1", "--drain", "1s");

	atomic_store(&l->run.busy, 2);
	l->manner = ANSWERS;
	run_until(l, SEC(60));
	assert_true(l->more);
	assert_int_equal(l->e.books.closed, 1);
	assert_int_equal(atomic_load(&l->run.busy), 1);
	atomic_store(&l->run.busy, 0);
	run_until(l, SEC(61));
	assert_false(l->more);
}

/* ... but not for one whose connections do not end: here nobody tells it that they have. */
static void stop__without_end__others_need_not_stay(void **state)
{
	struct load *l = begin(state, "--concurrency", "200", "--close", "peer", "--drain", "1s");

	atomic_store(&l->run.busy, 2);
	l->manner = ANSWERS;
	run_until(l, MS(200));
	atomic_store(&l->run.stop, true);
	while (l->more && l->now_us < START_US + SEC(10)) {
		l->more = end_answer(&l->e, l->e.w, l->now_us, NULL, 0);
		hf_flush(l->e.w, l->now_us);
		peer_takes(l);
		l->now_us += SLICE_US;
	}
	assert_false(l->more);
	assert_int_equal(atomic_load(&l->run.busy), 1);
}

#define ROW(id, test)                          \
	{                                      \
		id, test, set_up, finish, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW("HF-LG4, HF-LG2", rate__target_stalls_200_ms__not_an_open_is_missing),
		ROW("HF-LG4", rate__held_up_by_concurrency__is_made_up_for_and_told),
		ROW("HF-LG4-overload", rate__beyond_what_the_core_does__opens_what_it_can),
		ROW("HF-LG4-late", rate__core_held_up__every_open_is_made),
		ROW("HF-LG4-concurrency", concurrency__alone__is_held_exactly),
		ROW("RFC826-d-load", concurrency__unanswered__begins_with_few),
		ROW("HF-LG4-ends", concurrency__with_ends__opens_as_many_as_end),
		ROW("HF-LG4-count", count__at_a_rate__ends_the_run),
		ROW("HF-LG4-count-offered", count__at_a_rate__is_offered_and_opened_no_longer),
		ROW("HF-LG4-warmup", warmup__is_left_out_of_the_measure),
		ROW("HF-LG7", ports__run_out__slows_and_says_so),
		ROW("HF-LG7-rate", ports__run_out_at_a_rate__each_open_is_told),
		ROW("HF-LG8", stop__no_new_opens__drains_then_aborts_the_rest),
		ROW("HF-LG8-opening", stop__target_silent__ends_within_the_limit),
		ROW("HF-LG8-hurry", stop__hurried__aborts_at_once),
		ROW("HF-LG8-others", stop__others_busy__stays_for_them),
		ROW("HF-LG8-limit", stop__without_end__others_need_not_stay),
	};
	const struct hf_env env = { .program = "test_load", .memory_mb = 64 };
	struct hf_error why;
	int failed;

	if (hf_env_start(&env, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		return EXIT_FAILURE;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	hf_env_stop();
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

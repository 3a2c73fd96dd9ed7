/* SPDX-License-Identifier: BSD-3-Clause */
/* app/follow.c: what an onlooker infers of both ends, segment by segment (RFC 9293 figures 5 to 14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "follow.h"

#define S FLAG_SYN
#define A FLAG_ACK
#define F FLAG_FIN
#define R FLAG_RST

/* A's numbers count from 100, B's from 300, or from -2 each so that they wrap. */
struct step {
	char from;
	uint8_t flags;
	uint32_t seq, ack; /* behind the ISS of their end */
	uint32_t len;
	enum hf_state a, b; /* afterwards */
	unsigned notes;
	uint32_t at_s;
};

static const struct hf_addr addr_a = { { { 192, 0, 2, 9 }, 4 }, 40000 },
			    addr_b = { { { 192, 0, 2, 1 }, 4 }, 80 };

static void run(const struct step *steps, size_t n, uint32_t iss_a, uint32_t iss_b)
{
	struct follow *const f = follow_create(60000, 4);

	for (size_t i = 0; i < n; i++) {
		const struct step *const s = &steps[i];
		const bool a = s->from == 'A';
		const struct packet p = {
			.at_ns = s->at_s * 1000000000ull,
			.src = a ? addr_a : addr_b,
			.dst = a ? addr_b : addr_a,
			.flags = s->flags,
			.seq = s->seq + (a ? iss_a : iss_b),
			.ack = s->flags & A ? s->ack + (a ? iss_b : iss_a) : 0,
			.len = s->len,
		};
		struct follow_step step;

		assert_true(follow_segment(f, &p, &step));
		if (step.talk->end[!a ^ step.from].state != s->a ||
		    step.talk->end[a ^ step.from].state != s->b || step.notes != s->notes)
			fail_msg("step %zu: %s %s, notes %#x", i,
				 hf_state_name(step.talk->end[!a ^ step.from].state),
				 hf_state_name(step.talk->end[a ^ step.from].state), step.notes);
	}
	follow_destroy(f);
}

#define RUN(steps)                                                                              \
	do {                                                                                    \
		run(steps, sizeof(steps) / sizeof((steps)[0]), 100, 300);                       \
		run(steps, sizeof(steps) / sizeof((steps)[0]), UINT32_MAX - 1, UINT32_MAX - 1); \
	} while (0)

#define HANDSHAKE                                                               \
	{ 'A', S, 0, 0, 0, HF_SYN_SENT, HF_SYN_RECEIVED, NOTE_NEW, 0 },         \
		{ 'B', S | A, 0, 1, 0, HF_ESTABLISHED, HF_SYN_RECEIVED, 0, 0 }, \
	{                                                                       \
		'A', A, 1, 1, 0, HF_ESTABLISHED, HF_ESTABLISHED, 0, 0           \
	}

/* Figures 6 and 12; the tuple is used again out of TIME-WAIT, and once more when that is over. */
static void opened_and_closed__tuple_reused(void **state)
{
	static const struct step steps[] = {
		HANDSHAKE,
		{ 'A', F | A, 1, 1, 0, HF_FIN_WAIT_1, HF_CLOSE_WAIT, 0, 1 },
		{ 'B', A, 1, 2, 0, HF_FIN_WAIT_2, HF_CLOSE_WAIT, 0, 1 },
		{ 'B', F | A, 1, 2, 0, HF_TIME_WAIT, HF_LAST_ACK, 0, 2 },
		{ 'A', A, 2, 2, 0, HF_TIME_WAIT, HF_CLOSED, 0, 2 },
		{ 'A', S, 1000, 0, 0, HF_SYN_SENT, HF_SYN_RECEIVED, NOTE_NEW | NOTE_REOPENED, 60 },
		{ 'B', S | A, 1000, 1001, 0, HF_ESTABLISHED, HF_SYN_RECEIVED, 0, 60 },
		{ 'A', A, 1001, 1001, 0, HF_ESTABLISHED, HF_ESTABLISHED, 0, 60 },
		{ 'B', F | A, 1001, 1001, 0, HF_CLOSE_WAIT, HF_FIN_WAIT_1, 0, 61 },
		{ 'A', F | A, 1001, 1002, 0, HF_LAST_ACK, HF_TIME_WAIT, 0, 61 },
		{ 'B', A, 1002, 1002, 0, HF_CLOSED, HF_TIME_WAIT, 0, 61 },
		{ 'A', S, 2000, 0, 0, HF_SYN_SENT, HF_SYN_RECEIVED, NOTE_NEW, 122 },
	};

	(void)state;
	RUN(steps);
}

/* Figure 7, then figure 13. */
static void crossing_syns_and_fins(void **state)
{
	static const struct step steps[] = {
		{ 'A', S, 0, 0, 0, HF_SYN_SENT, HF_SYN_RECEIVED, NOTE_NEW, 0 },
		{ 'B', S, 0, 0, 0, HF_SYN_RECEIVED, HF_SYN_RECEIVED, 0, 0 },
		{ 'A', S | A, 0, 1, 0, HF_SYN_RECEIVED, HF_ESTABLISHED, NOTE_AGAIN, 0 },
		{ 'B', S | A, 0, 1, 0, HF_ESTABLISHED, HF_ESTABLISHED, NOTE_AGAIN, 0 },
		{ 'A', F | A, 1, 1, 0, HF_FIN_WAIT_1, HF_CLOSE_WAIT, 0, 1 },
		{ 'B', F | A, 1, 1, 0, HF_CLOSING, HF_CLOSING, 0, 1 },
		{ 'A', A, 2, 2, 0, HF_CLOSING, HF_TIME_WAIT, 0, 1 },
		{ 'B', A, 2, 2, 0, HF_TIME_WAIT, HF_TIME_WAIT, 0, 1 },
	};

	(void)state;
	RUN(steps);
}

/* 3.10.7.1: RST to a SYN that nobody listens for; then somebody does. */
static void refused__then_accepted(void **state)
{
	static const struct step steps[] = {
		{ 'A', S, 0, 0, 0, HF_SYN_SENT, HF_SYN_RECEIVED, NOTE_NEW, 0 },
		{ 'A', S, 0, 0, 0, HF_SYN_SENT, HF_SYN_RECEIVED, NOTE_AGAIN, 1 },
		{ 'B', R | A, 0, 1, 0, HF_CLOSED, HF_CLOSED, 0, 1 },
		{ 'A', S, 500, 0, 0, HF_SYN_SENT, HF_SYN_RECEIVED, NOTE_NEW, 2 },
		{ 'B', S | A, 0, 501, 0, HF_ESTABLISHED, HF_SYN_RECEIVED, 0, 2 },
	};

	(void)state;
	RUN(steps);
}

/* RFC 5961 4: it draws an ACK, and the connection goes on with its own numbers. */
static void stray_syn__changes_nothing(void **state)
{
	static const uint32_t numbers[] = { 5000, (uint32_t)-5000 };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		const struct step steps[] = {
			HANDSHAKE,
			{ 'A', A, 1, 1, 10, HF_ESTABLISHED, HF_ESTABLISHED, 0, 1 },
			{ 'A', S, numbers[i], 0, 0, HF_SYN_SENT, HF_ESTABLISHED, 0, 1 },
			{ 'A', S, numbers[i], 0, 0, HF_SYN_SENT, HF_ESTABLISHED, NOTE_AGAIN, 2 },
			{ 'B', A, 1, 11, 0, HF_SYN_SENT, HF_ESTABLISHED, 0, 2 },
			{ 'A', A, 11, 1, 10, HF_ESTABLISHED, HF_ESTABLISHED, 0, 3 },
			{ 'A', F | A, 21, 1, 0, HF_FIN_WAIT_1, HF_CLOSE_WAIT, 0, 3 },
			{ 'B', F | A, 1, 22, 0, HF_TIME_WAIT, HF_LAST_ACK, 0, 3 },
			{ 'A', A, 22, 2, 0, HF_TIME_WAIT, HF_CLOSED, 0, 3 },
		};

		RUN(steps);
	}
}

/* RFC 5961 3.2: only at RCV.NXT is a RST believed. */
static void reset__only_at_rcv_nxt(void **state)
{
	static const struct step steps[] = {
		HANDSHAKE,
		{ 'A', A, 1, 1, 10, HF_ESTABLISHED, HF_ESTABLISHED, 0, 1 },
		{ 'A', R, 15, 0, 0, HF_CLOSED, HF_ESTABLISHED, 0, 1 },
		{ 'B', A, 1, 11, 0, HF_CLOSED, HF_ESTABLISHED, 0, 1 },
		{ 'A', R, 11, 0, 0, HF_CLOSED, HF_CLOSED, 0, 1 },
	};

	(void)state;
	RUN(steps);
}

/* A FIN counts when all before it is there, as the capture or at last the receiver's ACK shows. */
static void fin_ahead_of_a_gap__waits(void **state)
{
	static const struct step filled[] = {
		HANDSHAKE,
		{ 'A', F | A, 11, 1, 5, HF_FIN_WAIT_1, HF_ESTABLISHED, NOTE_AHEAD, 1 },
		{ 'B', A, 1, 1, 0, HF_FIN_WAIT_1, HF_ESTABLISHED, 0, 1 },
		{ 'A', A, 1, 1, 10, HF_FIN_WAIT_1, HF_ESTABLISHED, NOTE_AGAIN, 2 },
		{ 'B', A, 1, 17, 0, HF_FIN_WAIT_2, HF_CLOSE_WAIT, 0, 2 },
		{ 'B', A, 1, 17, 7, HF_FIN_WAIT_2, HF_CLOSE_WAIT, 0, 3 },
		{ 'A', A, 17, 8, 0, HF_FIN_WAIT_2, HF_CLOSE_WAIT, 0, 3 },
	};

	(void)state;
	RUN(filled);
}

/* What has passed and was lost behind us: the ends repeat themselves, and so correct us. */
static void lost_after_it_passed__is_corrected(void **state)
{
	static const struct step steps[] = {
		HANDSHAKE,
		{ 'A', F | A, 1, 1, 0, HF_FIN_WAIT_1, HF_CLOSE_WAIT, 0, 1 },
		{ 'B', F | A, 1, 2, 0, HF_TIME_WAIT, HF_LAST_ACK, 0, 1 },
		{ 'A', A, 2, 2, 0, HF_TIME_WAIT, HF_CLOSED, 0, 1 },
		{ 'B', F | A, 1, 2, 0, HF_TIME_WAIT, HF_LAST_ACK, NOTE_AGAIN, 2 },
		{ 'A', A, 2, 2, 0, HF_TIME_WAIT, HF_CLOSED, 0, 2 },
	};
	static const struct step ack[] = {
		HANDSHAKE,
		{ 'A', F | A, 1, 1, 0, HF_FIN_WAIT_1, HF_CLOSE_WAIT, 0, 1 },
		{ 'B', A, 1, 2, 0, HF_FIN_WAIT_2, HF_CLOSE_WAIT, 0, 1 },
		{ 'A', F | A, 1, 1, 0, HF_FIN_WAIT_1, HF_CLOSE_WAIT, NOTE_AGAIN, 2 },
		{ 'B', A, 1, 2, 0, HF_FIN_WAIT_2, HF_CLOSE_WAIT, 0, 2 },
	};

	(void)state;
	RUN(steps);
	RUN(ack);
}

/* Figure 9: an old duplicate SYN is reset; figure 10: an end that has forgotten is. */
static void half_open__is_discovered(void **state)
{
	static const struct step steps[] = {
		HANDSHAKE,
		{ 'A', S, 400, 0, 0, HF_SYN_SENT, HF_ESTABLISHED, 0, 1 },
		{ 'B', A, 1, 1, 0, HF_SYN_SENT, HF_ESTABLISHED, 0, 1 },
		{ 'A', R, 1, 0, 0, HF_SYN_SENT, HF_CLOSED, 0, 1 },
		{ 'A', S, 400, 0, 0, HF_SYN_SENT, HF_SYN_RECEIVED, NOTE_AGAIN, 2 },
		{ 'B', S | A, 900, 401, 0, HF_ESTABLISHED, HF_SYN_RECEIVED, 0, 2 },
	};

	(void)state;
	RUN(steps);
}

static void joined_midway(void **state)
{
	static const struct step text[] = {
		{ 'B', A, 50, 70, 10, HF_ESTABLISHED, HF_ESTABLISHED, NOTE_NEW, 0 },
		{ 'A', F | A, 70, 60, 0, HF_FIN_WAIT_1, HF_CLOSE_WAIT, 0, 0 },
		{ 'B', F | A, 60, 71, 0, HF_TIME_WAIT, HF_LAST_ACK, 0, 0 },
	};
	static const struct step syn_ack[] = {
		{ 'B', S | A, 0, 1, 0, HF_ESTABLISHED, HF_SYN_RECEIVED, NOTE_NEW, 0 },
		{ 'A', A, 1, 1, 0, HF_ESTABLISHED, HF_ESTABLISHED, 0, 0 },
	};
	static const struct step one_way[] = {
		{ 'A', S, 0, 0, 0, HF_SYN_SENT, HF_SYN_RECEIVED, NOTE_NEW, 0 },
		{ 'A', A, 1, 1, 0, HF_ESTABLISHED, HF_ESTABLISHED, 0, 0 },
		{ 'A', A, 1, 1, 5, HF_ESTABLISHED, HF_ESTABLISHED, 0, 0 },
	};
	static const struct step reset[] = {
		{ 'A', R, 70, 0, 0, HF_CLOSED, HF_CLOSED, NOTE_NEW, 0 },
		{ 'B', A, 1, 1, 0, HF_CLOSED, HF_CLOSED, 0, 0 },
	};

	(void)state;
	RUN(text);
	RUN(syn_ack);
	RUN(one_way);
	RUN(reset);
}

/* tcpdump's numbers; and the oldest of too many connections is forgotten. */
static void numbers__and_room(void **state)
{
	struct follow *const f = follow_create(60000, 2);
	struct packet p = { .src = addr_a, .dst = addr_b, .seq = 100, .flags = S };
	struct follow_step step;

	(void)state;
	follow_segment(f, &p, &step);
	assert_int_equal(step.base.seq, 0);
	p = (struct packet){ .src = addr_b, .dst = addr_a, .seq = 300, .ack = 101, .flags = S | A };
	follow_segment(f, &p, &step);
	assert_int_equal(step.base.seq | step.base.ack, 0);
	p = (struct packet){ .src = addr_a, .dst = addr_b, .seq = 101, .ack = 301, .flags = A };
	follow_segment(f, &p, &step);
	assert_int_equal(step.base.seq, 100);
	assert_int_equal(step.base.ack, 300);
	assert_int_equal(step.talk->number, 1);
	for (uint16_t port = 1; port <= 2; port++) {
		p.src.port = port;
		follow_segment(f, &p, &step);
		assert_int_equal(step.talk->number, port + 1);
	}
	assert_int_equal(follow_forgotten(f), 1);
	p.src.port = addr_a.port;
	follow_segment(f, &p, &step);
	assert_int_equal(step.talk->number, 4);
	follow_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opened_and_closed__tuple_reused),
		cmocka_unit_test(crossing_syns_and_fins),
		cmocka_unit_test(refused__then_accepted),
		cmocka_unit_test(stray_syn__changes_nothing),
		cmocka_unit_test(reset__only_at_rcv_nxt),
		cmocka_unit_test(fin_ahead_of_a_gap__waits),
		cmocka_unit_test(lost_after_it_passed__is_corrected),
		cmocka_unit_test(half_open__is_discovered),
		cmocka_unit_test(joined_midway),
		cmocka_unit_test(numbers__and_room),
	};

	return cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}

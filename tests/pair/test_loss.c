/* SPDX-License-Identifier: BSD-3-Clause */
/* Each single segment of each exchange lost, duplicated, corrupted, overtaken, once; two losses in all
 * pairs: everything completes, the octets are right, TIME-WAIT is where it belongs (HF-CL1, HF-CL2,
 * HF-LA3, MUST-10), and at the end nothing is left. */
#include <string.h>

#include "rig/talk.h"

#define MOST 64 /* frames of an exchange; more come only of repetition */

struct exchange {
	const char *name;
	struct plan plan[2];
	bool both_open, together; /* SYNs cross; both end at one moment */
	unsigned waits;		  /* bit n: side n is in TIME-WAIT afterwards */
};

static const struct exchange exchanges[] = {
	{ .name = "opener closes first",
	  .plan = { { .send = 3000, .until = 3000 }, { .after = 3000, .send = 3000, .eof = true } },
	  .waits = 1 },
	{ .name = "listener closes first",
	  .plan = { { .send = 3000, .until = 3000, .eof = true }, { .after = 3000, .send = 3000 } },
	  .waits = 2 },
	{ .name = "nothing but open and close", .plan = { { 0 }, { .eof = true } }, .waits = 1 },
	{ .name = "opener half-closes",
	  .plan = { { .send = 100, .end = TALK_SHUTDOWN },
		    { .after = 100, .send = 9000, .eof = true } },
	  .waits = 1 },
	{ .name = "listener half-closes",
	  .plan = { { .send = 9000, .until = 100, .eof = true },
		    { .send = 100, .end = TALK_SHUTDOWN } },
	  .waits = 2 },
	{ .name = "both close at once",
	  .plan = { { .send = 100, .until = 100 }, { .send = 100, .until = 100 } },
	  .together = true,
	  .waits = 3 },
	{ .name = "both open at once",
	  .plan = { { .send = 3000, .until = 3000 }, { .send = 3000, .until = 3000, .eof = true } },
	  .both_open = true,
	  .waits = 1 },
};

/* How the rules of the link stand, for a failure to say. */
struct trial {
	const struct exchange *x;
	const char *what;
	uint32_t nth[2];
};

/* The exchange as its rules let it be, to its end and until nothing is left of it. @return frames sent by
 * each side before both were over */
static void run(struct pair *p, const struct trial *trial, uint64_t sent[2])
{
	const struct exchange *const x = trial->x;
	const uint64_t start[2] = { p->link->sent[0], p->link->sent[1] };
	struct plan plan[2] = { x->plan[0], x->plan[1] };
	struct talk t = { 0 };

	if (x->together)
		plan[0].at_us = plan[1].at_us = p->now_us + SEC(10); /* the text is across */
	talk_begin(p, &t, &plan[0], &plan[1]);
	t.strict = false;
	if (x->both_open)
		talk_open_both(p, &t);
	else
		talk_open(p, &t, 0);
	pair_until(p, talk_over, SEC(100));
	for (unsigned i = 0; i < 2; i++)
		sent[i] = p->link->sent[i] - start[i];
	for (unsigned i = 0; i < 2; i++) {
		/* a record that the end of the other side has met is there before its last ACK */
		const enum hf_state want = x->waits & (1u << i) ? HF_TIME_WAIT : HF_CLOSED;

		if (t.side[i].error != 0 || talk_state(p, &t, i) != want)
			pair_fail(p, "%s, %s %u %u: side %u ended with %s, in %s", x->name,
				  trial->what, trial->nth[0], trial->nth[1], i,
				  strerrorname_np(t.side[i].error),
				  hf_state_name(talk_state(p, &t, i)));
	}
	talk_expect_whole(p, &t);
	p->app = NULL;
	pair_settle(p);
	pair_expect_empty(p);
	link_heal(p->link);
}

static void set_up(struct pair *p)
{
	p->check_every = 8;
}

static void harm_each(struct pair *p, enum link_act act, const char *what)
{
	for (unsigned i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
		struct trial trial = { .x = &exchanges[i], .what = "none" };
		uint64_t plain[2], sent[2];

		run(p, &trial, plain);
		trial.what = what;
		for (unsigned from = 0; from < 2; from++)
			for (uint32_t n = 1; n <= plain[from] && n < MOST; n++) {
				trial.nth[from] = n;
				trial.nth[!from] = 0;
				link_rule(p->link,
					  (struct link_rule){ .from = from, .nth = n, .act = act });
				run(p, &trial, sent);
				assert_true(sent[from] >= n); /* the rule has met its frame */
			}
	}
}

static void each__lost__completes(struct pair *p)
{
	harm_each(p, LINK_DROP, "lost");
}

static void each__twice__completes(struct pair *p)
{
	harm_each(p, LINK_TWICE, "twice");
}

static void each__corrupt__completes(struct pair *p)
{
	harm_each(p, LINK_CORRUPT, "corrupt");
}

static void each__overtaken__completes(struct pair *p)
{
	harm_each(p, LINK_BEHIND, "overtaken");
}

/* Frames of the repetition are lost too: those counted past the plain exchange. */
static void two__lost__completes(struct pair *p)
{
	for (unsigned i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
		struct trial trial = { .x = &exchanges[i], .what = "none" };
		uint64_t plain[2], sent[2];

		run(p, &trial, plain);
		trial.what = "lost";
		for (uint32_t a = 1; a <= plain[0] + 2; a++)
			for (uint32_t b = 1; b <= plain[1] + 2; b++) {
				trial.nth[0] = a;
				trial.nth[1] = b;
				link_rule(p->link, (struct link_rule){ .from = 0, .nth = a });
				link_rule(p->link, (struct link_rule){ .from = 1, .nth = b });
				run(p, &trial, sent);
			}
		for (unsigned from = 0; from < 2; from++)
			for (uint32_t a = 1; a <= plain[from] + 2; a++)
				for (uint32_t b = 1; b < a; b++) {
					trial.nth[0] = a;
					trial.nth[1] = b;
					link_rule(p->link,
						  (struct link_rule){ .from = from, .nth = a });
					link_rule(p->link,
						  (struct link_rule){ .from = from, .nth = b });
					run(p, &trial, sent);
				}
	}
}

static const struct pair_row rows[] = {
	{ "HF-LA3", each__lost__completes, set_up, PAIR_ALL },
	{ "HF-LA3", each__twice__completes, set_up, PAIR_ALL },
	{ "HF-LA3", each__corrupt__completes, set_up, PAIR_ALL },
	{ "HF-LA3", each__overtaken__completes, set_up, PAIR_ALL },
	{ "HF-LA3", two__lost__completes, set_up, PAIR_ALL },
};

int main(int argc, char **argv)
{
	return pair_rows_run("loss", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

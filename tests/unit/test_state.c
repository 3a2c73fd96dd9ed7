/* SPDX-License-Identifier: BSD-3-Clause */
/* The diagram (RFC 9293 3.3.2, figure 5) and the levels kept beside it (HF-H4, SEC-40). */
#include <string.h>

#include "test_tcp.h"

static void level__enter_and_leave__keeps_peak(struct tcb_rig *r)
{
	const struct state_level *const level = &r->host.levels[TCPS_TIME_WAIT];

	tcp_level_enter(&r->host, TCPS_TIME_WAIT);
	tcp_level_enter(&r->host, TCPS_TIME_WAIT);
	tcp_level_leave(&r->host, TCPS_TIME_WAIT);
	tcp_level_enter(&r->host, TCPS_TIME_WAIT);
	tcp_level_leave(&r->host, TCPS_TIME_WAIT);
	assert_int_equal(level->entered, 3);
	assert_int_equal(level->now, 1);
	assert_int_equal(level->peak, 2);
}

static void connection__to_its_end__leaves_all_levels(struct tcb_rig *r)
{
	rig_to(r, TCPS_LAST_ACK);
	assert_int_equal(r->host.levels[TCPS_LAST_ACK].now, 1);
	rig_send(r, (struct seg){ .seq = IRS + 2, .ack = ISS + 2, .flags = SEG_ACK });
	rig_state(r, TCPS_CLOSED);
	for (int s = 0; s < TCPS_COUNT; s++)
		assert_int_equal(r->host.levels[s].now, s == TCPS_LISTEN);
	assert_int_equal(r->host.levels[TCPS_CLOSED].entered, 1);
}

/* The order of enum tcp_state is public (handfast.h) and the RFC's. */
static void names__are_those_of_the_rfc(struct tcb_rig *r)
{
	static const char *const names[] = { "CLOSED",	     "LISTEN",	    "SYN-SENT",
					     "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
					     "FIN-WAIT-2",   "CLOSE-WAIT",  "CLOSING",
					     "LAST-ACK",     "TIME-WAIT" };

	(void)r;
	assert_int_equal(COUNT(names), TCPS_COUNT);
	for (int s = 0; s < TCPS_COUNT; s++)
		assert_string_equal(tcp_state_name((enum tcp_state)s), names[s]);
}

/* Nothing but an opening leaves CLOSED, nothing returns from a closing, TIME-WAIT ends or is reused. */
static void diagram__has_no_way_back(struct tcb_rig *r)
{
	static const enum tcp_state closing[] = { TCPS_FIN_WAIT_1, TCPS_FIN_WAIT_2, TCPS_CLOSE_WAIT,
						  TCPS_CLOSING,	   TCPS_LAST_ACK,   TCPS_TIME_WAIT };

	(void)r;
	for (size_t i = 0; i < COUNT(closing); i++) {
		assert_true(tcp_may_follow(closing[i], TCPS_CLOSED));
		assert_false(tcp_may_follow(closing[i], TCPS_ESTABLISHED));
		assert_false(tcp_may_follow(closing[i], TCPS_LISTEN));
		assert_false(tcp_may_follow(closing[i], TCPS_SYN_SENT));
		assert_false(tcp_may_follow(TCPS_CLOSED, closing[i]));
	}
	for (int s = 0; s < TCPS_COUNT; s++)
		assert_false(tcp_may_follow((enum tcp_state)s, (enum tcp_state)s));
	assert_false(tcp_may_follow(TCPS_CLOSED, TCPS_ESTABLISHED));
	assert_false(tcp_may_follow(TCPS_FIN_WAIT_1, TCPS_TIME_WAIT)); /* by way of FIN-WAIT-2 */
}

static const struct tcb_row rows[] = {
	{ "HF-H4", level__enter_and_leave__keeps_peak, ROW_ONCE },
	{ "SEC-40", connection__to_its_end__leaves_all_levels, 0 },
	{ "RFC9293-3.3.2", names__are_those_of_the_rfc, ROW_ONCE },
	{ "RFC9293-3.3.2-figure5", diagram__has_no_way_back, ROW_ONCE },
};
GROUP(state);

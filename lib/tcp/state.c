/* SPDX-License-Identifier: BSD-3-Clause */
/* The state diagram (RFC 9293 figure 5, with the edges of RFC 5961 and of section 6 of the
 * requirements) as data: it asserts what input, calls and expiries do, it does not steer them. Passive
 * OPEN and CLOSE in LISTEN are not in it: a listener is no TCB (table/listen.c). */
#include "tcp/tcp.h"

#define TO(s) (1u << TCPS_##s)

static const uint16_t may_follow[TCPS_COUNT] = {
	[TCPS_CLOSED] = TO(SYN_SENT),
	[TCPS_LISTEN] = TO(SYN_RECEIVED),
	[TCPS_SYN_SENT] = TO(CLOSED) | TO(SYN_RECEIVED) | TO(ESTABLISHED),
	[TCPS_SYN_RECEIVED] = TO(CLOSED) | TO(LISTEN) | TO(ESTABLISHED) | TO(FIN_WAIT_1),
	[TCPS_ESTABLISHED] = TO(CLOSED) | TO(FIN_WAIT_1) | TO(CLOSE_WAIT),
	[TCPS_FIN_WAIT_1] = TO(CLOSED) | TO(FIN_WAIT_2) | TO(CLOSING),
	[TCPS_FIN_WAIT_2] = TO(CLOSED) | TO(TIME_WAIT),
	[TCPS_CLOSE_WAIT] = TO(CLOSED) | TO(LAST_ACK),
	[TCPS_CLOSING] = TO(CLOSED) | TO(TIME_WAIT),
	[TCPS_LAST_ACK] = TO(CLOSED),
	[TCPS_TIME_WAIT] = TO(CLOSED) | TO(SYN_RECEIVED),
};

static const char *const names[TCPS_COUNT] = {
	[TCPS_CLOSED] = "CLOSED",	    [TCPS_LISTEN] = "LISTEN",
	[TCPS_SYN_SENT] = "SYN-SENT",	    [TCPS_SYN_RECEIVED] = "SYN-RECEIVED",
	[TCPS_ESTABLISHED] = "ESTABLISHED", [TCPS_FIN_WAIT_1] = "FIN-WAIT-1",
	[TCPS_FIN_WAIT_2] = "FIN-WAIT-2",   [TCPS_CLOSE_WAIT] = "CLOSE-WAIT",
	[TCPS_CLOSING] = "CLOSING",	    [TCPS_LAST_ACK] = "LAST-ACK",
	[TCPS_TIME_WAIT] = "TIME-WAIT",
};

bool tcp_may_follow(enum tcp_state state, enum tcp_state next)
{
	return may_follow[state] >> next & 1;
}

const char *tcp_state_name(enum tcp_state state)
{
	return names[state];
}

void tcp_level_enter(struct tcp_host *host, enum tcp_state state)
{
	struct state_level *level = &host->levels[state];

	level->entered++;
	level->now++;
	if (level->now > level->peak)
		level->peak = level->now;
}

void tcp_level_leave(struct tcp_host *host, enum tcp_state state)
{
	assert(host->levels[state].now > 0);
	host->levels[state].now--;
}

void tcp_set_state(struct tcp_host *host, struct tcb *tcb, enum tcp_state next)
{
	const enum tcp_state state = (enum tcp_state)tcb->state;

	assert(tcp_may_follow(state, next));
	if (state != TCPS_CLOSED)
		tcp_level_leave(host, state);
	tcp_level_enter(host, next);
	if (next == TCPS_CLOSED)
		tcp_level_leave(host, next); /* no connection is there to be counted */
	tcb->state = (uint8_t)next;
}

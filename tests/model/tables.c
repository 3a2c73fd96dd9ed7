/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables S, K, D, F, R and U of REQUIREMENTS 6 as data; see model.h. */
#include <assert.h>
#include <stddef.h>

#include "model/model.h"

#define IN(s) (1u << S_##s)
#define HALF_OPEN (IN(SYN_RCVD_P) | IN(SYN_RCVD_A))
#define OPEN (IN(ESTABLISHED) | IN(CLOSE_WAIT))
#define READING (IN(ESTABLISHED) | IN(FIN_WAIT_1) | IN(FIN_WAIT_2)) /* no FIN of the peer's yet */
#define EOF_SEEN (IN(CLOSE_WAIT) | IN(CLOSING) | IN(LAST_ACK))
#define LIVE (READING | EOF_SEEN)
#define SYNCHRONISED (LIVE | IN(TIME_WAIT))

const char *const model_names[MODEL_STATES] = {
	"CLOSED",     "LISTEN",	    "SYN-SENT",	  "SYN-RECEIVED", "SYN-RECEIVED", "ESTABLISHED",
	"FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",	  "LAST-ACK",	  "TIME-WAIT",
};

const char *const model_calls[MODEL_CALLS] = { "LISTEN",   "OPEN",  "SEND", "RECEIVE",
					       "SHUTDOWN", "CLOSE", "ABORT" };

/* Orphans, where they differ (SHLD-3, HF-FW2-2). */
static const struct rule orphans[] = {
	{ IN(FIN_WAIT_2), COL_PLACE_OLD, ACT_C, S_SAME, 0 },
	{ IN(FIN_WAIT_2), COL_PLACE_LAST, ACT_C, S_SAME, 0 },
	{ IN(FIN_WAIT_2), COL_PLACE_KEEP, ACT_C, S_SAME, 0 },
	{ IN(FIN_WAIT_2), COL_PLACE_SHUT, ACT_C, S_SAME, 0 },
	{ IN(FIN_WAIT_1) | IN(FIN_WAIT_2), COL_TEXT_NEXT, ACT_RS, S_CLOSED, END_ANY },
	{ IN(FIN_WAIT_1) | IN(FIN_WAIT_2), COL_TEXT_AHEAD, ACT_RS, S_CLOSED, END_ANY },
	{ IN(FIN_WAIT_2), COL_FIN_AHEAD, ACT_RS, S_CLOSED, END_ANY },
};

static const struct rule rules[] = {
	/* Table S, third column */
	{ IN(CLOSED), COL_NULL, ACT_RN, S_SAME, 0 },
	{ (uint16_t)~IN(CLOSED), COL_NULL, ACT_NONE, S_SAME, 0 },
	/* Table S, SYN without ACK; HF-T3 */
	{ IN(CLOSED), COL_SYN_FIN, ACT_RN, S_SAME, 0 },
	{ IN(LISTEN) | IN(SYN_SENT), COL_SYN_FIN, ACT_NONE, S_SAME, 0 },
	{ HALF_OPEN | SYNCHRONISED, COL_SYN_FIN, ACT_C, S_SAME, 0 },
	{ IN(CLOSED), COL_SYN_OUT, ACT_RN, S_SAME, 0 },
	{ IN(LISTEN), COL_SYN_OUT, ACT_SA, S_SYN_RCVD_P, 0 },
	{ IN(SYN_SENT), COL_SYN_OUT, ACT_SA, S_SYN_RCVD_A, 0 },
	{ HALF_OPEN, COL_SYN_FIRST, ACT_SA_AGAIN, S_SAME, 0 },
	{ HALF_OPEN, COL_SYN_OUT, ACT_C, S_SAME, 0 },
	{ IN(SYN_RCVD_P), COL_SYN_IN, ACT_NONE, S_LISTEN, 0 },
	{ IN(SYN_RCVD_A), COL_SYN_IN, ACT_C, S_SAME, 0 },
	{ IN(TIME_WAIT), COL_SYN_NEW, ACT_SA_REOPEN, S_SYN_RCVD_P, 0 },
	{ SYNCHRONISED, COL_SYN_FIRST, ACT_C, S_SAME, 0 },
	{ SYNCHRONISED, COL_SYN_IN, ACT_C, S_SAME, 0 },
	{ SYNCHRONISED, COL_SYN_OUT, ACT_C, S_SAME, 0 },
	/* Table S, SYN and ACK */
	{ IN(CLOSED) | IN(LISTEN), COL_SYNACK_OUT, ACT_RA, S_SAME, 0 },
	{ IN(SYN_SENT), COL_SYNACK_GOOD, ACT_CONNECT, S_ESTABLISHED, 0 },
	{ IN(SYN_SENT), COL_SYNACK_OUT, ACT_RA, S_SAME, 0 },
	{ IN(SYN_RCVD_P), COL_SYNACK_GOOD, ACT_C, S_SAME, 0 },
	{ IN(SYN_RCVD_P), COL_SYNACK_FIRST, ACT_C, S_SAME, 0 },
	{ IN(SYN_RCVD_P), COL_SYNACK_IN, ACT_NONE, S_LISTEN, 0 },
	{ IN(SYN_RCVD_A), COL_SYNACK_GOOD, ACT_ESTABLISH, S_ESTABLISHED, 0 },
	{ IN(SYN_RCVD_A), COL_SYNACK_FIRST, ACT_C, S_SAME, 0 },
	{ IN(SYN_RCVD_A), COL_SYNACK_IN, ACT_C, S_SAME, 0 },
	{ HALF_OPEN, COL_SYNACK_OUT, ACT_C, S_SAME, 0 },
	{ SYNCHRONISED, COL_SYNACK_GOOD, ACT_C, S_SAME, 0 },
	{ SYNCHRONISED, COL_SYNACK_FIRST, ACT_C, S_SAME, 0 },
	{ SYNCHRONISED, COL_SYNACK_IN, ACT_C, S_SAME, 0 },
	{ SYNCHRONISED, COL_SYNACK_OUT, ACT_C, S_SAME, 0 },
	/* Table R */
	{ IN(CLOSED) | IN(LISTEN), COL_RST_OUT, ACT_NONE, S_SAME, 0 },
	{ IN(SYN_SENT), COL_RST_GOOD, ACT_NONE, S_CLOSED, END_REFUSED },
	{ IN(SYN_SENT), COL_RST_BAD, ACT_NONE, S_SAME, 0 },
	{ IN(SYN_RCVD_P), COL_RST_AT, ACT_NONE, S_LISTEN, 0 },
	{ IN(SYN_RCVD_A), COL_RST_AT, ACT_NONE, S_CLOSED, END_REFUSED },
	{ LIVE, COL_RST_AT, ACT_NONE, S_CLOSED, END_RESET },
	{ HALF_OPEN | LIVE, COL_RST_IN, ACT_C, S_SAME, 0 },
	{ HALF_OPEN | LIVE, COL_RST_OUT, ACT_NONE, S_SAME, 0 },
	{ IN(TIME_WAIT), COL_RST_AT, ACT_NONE, S_SAME, 0 }, /* rfc1337 = 1 */
	{ IN(TIME_WAIT), COL_RST_IN, ACT_NONE, S_SAME, 0 },
	{ IN(TIME_WAIT), COL_RST_OUT, ACT_NONE, S_SAME, 0 },
	/* Check 1; D and F, the columns of what is old or outside */
	{ HALF_OPEN | SYNCHRONISED, COL_PLACE_GOOD, ACT_GO_ON, S_SAME, 0 },
	{ HALF_OPEN | SYNCHRONISED, COL_PLACE_OUT, ACT_C, S_SAME, 0 },
	{ HALF_OPEN, COL_PLACE_OLD, ACT_C, S_SAME, 0 },
	{ HALF_OPEN, COL_PLACE_LAST, ACT_C, S_SAME, 0 },
	{ HALF_OPEN, COL_PLACE_KEEP, ACT_C, S_SAME, 0 },
	{ LIVE, COL_PLACE_OLD, ACT_A, S_SAME, 0 },
	{ LIVE, COL_PLACE_LAST, ACT_A_GO_ON, S_SAME, 0 },
	{ LIVE, COL_PLACE_SHUT, ACT_A_GO_ON, S_SAME, 0 },
	{ LIVE, COL_PLACE_KEEP, ACT_A_KEEP, S_SAME, 0 },
	{ IN(TIME_WAIT), COL_PLACE_OLD, ACT_C, S_SAME, 0 },
	{ IN(TIME_WAIT), COL_PLACE_SHUT, ACT_C, S_SAME, 0 },
	{ IN(TIME_WAIT), COL_PLACE_KEEP, ACT_C, S_SAME, 0 },
	{ IN(TIME_WAIT), COL_PLACE_LAST, ACT_GO_ON, S_SAME, 0 },
	/* Table K */
	{ IN(CLOSED) | IN(LISTEN), COL_ACK_OLD, ACT_RA, S_SAME, 0 },
	{ IN(SYN_SENT), COL_ACK_NEW, ACT_NONE, S_SAME, 0 },
	{ IN(SYN_SENT), COL_ACK_OLD, ACT_RA, S_SAME, 0 },
	{ IN(SYN_SENT), COL_ACK_FAR, ACT_RA, S_SAME, 0 },
	{ IN(SYN_SENT), COL_ACK_AHEAD, ACT_RA, S_SAME, 0 },
	{ HALF_OPEN, COL_ACK_NEW, ACT_ESTABLISH, S_ESTABLISHED, 0 },
	{ HALF_OPEN, COL_ACK_OLD, ACT_RA, S_SAME, 0 },
	{ HALF_OPEN, COL_ACK_FAR, ACT_RA, S_SAME, 0 },
	{ HALF_OPEN, COL_ACK_AHEAD, ACT_RA, S_SAME, 0 },
	{ LIVE, COL_ACK_NEW, ACT_TAKE_ACK, S_SAME, 0 },
	{ LIVE, COL_ACK_OLD, ACT_TAKE_ACK, S_SAME, 0 },
	{ IN(FIN_WAIT_1), COL_ACK_FIN, ACT_TAKE_ACK, S_FIN_WAIT_2, 0 },
	{ IN(CLOSING), COL_ACK_FIN, ACT_TAKE_ACK, S_TIME_WAIT, 0 },
	{ IN(LAST_ACK), COL_ACK_FIN, ACT_TAKE_ACK, S_CLOSED, END_ORDER },
	{ IN(TIME_WAIT), COL_ACK_NEW, ACT_GO_ON, S_SAME, 0 },
	{ IN(TIME_WAIT), COL_ACK_OLD, ACT_GO_ON, S_SAME, 0 },
	{ SYNCHRONISED, COL_ACK_FAR, ACT_C, S_SAME, 0 },
	{ SYNCHRONISED, COL_ACK_AHEAD, ACT_C, S_SAME, 0 },
	/* Table D */
	{ READING, COL_TEXT_NEXT, ACT_DELIVER, S_SAME, 0 },
	{ READING, COL_TEXT_AHEAD, ACT_HOLD, S_SAME, 0 },
	{ EOF_SEEN | IN(TIME_WAIT), COL_TEXT_NEXT, ACT_C, S_SAME, 0 },
	{ EOF_SEEN | IN(TIME_WAIT), COL_TEXT_AHEAD, ACT_C, S_SAME, 0 },
	{ IN(TIME_WAIT), COL_LATE, ACT_C, S_SAME, 0 },
	{ LIVE, COL_BARE, ACT_NONE, S_SAME, 0 },
	/* Table F */
	{ IN(ESTABLISHED), COL_FIN_NEXT, ACT_FIN, S_CLOSE_WAIT, 0 },
	{ IN(FIN_WAIT_1), COL_FIN_NEXT, ACT_FIN, S_CLOSING, 0 },
	{ IN(FIN_WAIT_2), COL_FIN_NEXT, ACT_FIN, S_TIME_WAIT, 0 },
	{ READING, COL_FIN_AHEAD, ACT_FIN_HOLD, S_SAME, 0 },
	{ EOF_SEEN | IN(TIME_WAIT), COL_FIN_NEXT, ACT_C, S_SAME, 0 },
	{ EOF_SEEN | IN(TIME_WAIT), COL_FIN_AHEAD, ACT_C, S_SAME, 0 },
};

/* Table U; what CLOSE with unread text does is in model.c. */
static const struct call_rule calls[] = {
	{ IN(CLOSED), CALL_LISTEN, 0, S_LISTEN, false },
	{ IN(CLOSED), CALL_OPEN, 0, S_SYN_SENT, false },
	{ IN(CLOSED) | IN(LISTEN), CALL_SEND, MODEL_ERROR, S_SAME, false },
	{ IN(CLOSED) | IN(LISTEN), CALL_RECEIVE, MODEL_ERROR, S_SAME, false },
	{ IN(CLOSED) | IN(LISTEN), CALL_SHUTDOWN, MODEL_ERROR, S_SAME, false },
	{ IN(CLOSED) | IN(LISTEN), CALL_CLOSE, MODEL_ERROR, S_SAME, false },
	{ IN(CLOSED) | IN(LISTEN), CALL_ABORT, MODEL_ERROR, S_SAME, false },
	{ (uint16_t)~IN(CLOSED), CALL_LISTEN, MODEL_ERROR, S_SAME, false },
	{ (uint16_t)~IN(CLOSED), CALL_OPEN, MODEL_ERROR, S_SAME, false },
	{ IN(SYN_SENT) | IN(SYN_RCVD_A) | OPEN, CALL_SEND, 0, S_SAME, false },
	{ IN(FIN_WAIT_1) | IN(FIN_WAIT_2) | IN(CLOSING) | IN(LAST_ACK) | IN(TIME_WAIT), CALL_SEND,
	  MODEL_ERROR, S_SAME, false },
	{ 0xffff, CALL_RECEIVE, 0, S_SAME, false },
	{ IN(SYN_SENT), CALL_SHUTDOWN, 0, S_SAME, false },
	{ IN(SYN_RCVD_A), CALL_SHUTDOWN, 0, S_FIN_WAIT_1, false },
	{ IN(ESTABLISHED), CALL_SHUTDOWN, 0, S_FIN_WAIT_1, false },
	{ IN(CLOSE_WAIT), CALL_SHUTDOWN, 0, S_LAST_ACK, false },
	{ IN(FIN_WAIT_1) | IN(FIN_WAIT_2) | IN(CLOSING) | IN(LAST_ACK) | IN(TIME_WAIT),
	  CALL_SHUTDOWN, MODEL_ERROR, S_SAME, false },
	{ IN(SYN_SENT), CALL_CLOSE, 0, S_CLOSED, false },
	{ IN(SYN_RCVD_A), CALL_CLOSE, 0, S_FIN_WAIT_1, false },
	{ IN(ESTABLISHED), CALL_CLOSE, 0, S_FIN_WAIT_1, false },
	{ IN(CLOSE_WAIT), CALL_CLOSE, 0, S_LAST_ACK, false },
	{ IN(FIN_WAIT_1) | IN(FIN_WAIT_2) | IN(CLOSING) | IN(LAST_ACK) | IN(TIME_WAIT), CALL_CLOSE,
	  0, S_SAME, false },
	{ IN(SYN_SENT), CALL_ABORT, 0, S_CLOSED, false },
	{ IN(SYN_RCVD_A) | OPEN | IN(FIN_WAIT_1) | IN(FIN_WAIT_2), CALL_ABORT, 0, S_CLOSED, true },
	{ IN(CLOSING) | IN(LAST_ACK), CALL_ABORT, 0, S_CLOSED, false },
	{ IN(TIME_WAIT), CALL_ABORT, 0, S_SAME, false },
};

const struct rule *table_rule(enum model_state state, bool orphan, enum column column)
{
	for (size_t i = 0; orphan && i < sizeof(orphans) / sizeof(orphans[0]); i++)
		if (orphans[i].in & 1u << state && orphans[i].column == column)
			return &orphans[i];
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].in & 1u << state && rules[i].column == column)
			return &rules[i];
	assert(0 && "the tables have a hole");
	return NULL;
}

const struct call_rule *table_call(enum model_state state, enum model_call call)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].in & 1u << state && calls[i].call == call)
			return &calls[i];
	assert(0 && "Table U has a hole");
	return NULL;
}

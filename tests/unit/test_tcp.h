/* SPDX-License-Identifier: BSD-3-Clause */
/* The groups of test_tcp, one a module of lib/tcp. One program, so that the edges of the state diagram that
 * any of them takes can be counted at the end. */
#ifndef UNIT_TEST_TCP_H
#define UNIT_TEST_TCP_H

#include "rig/tcb_rig.h"

#define GROUP(name) \
	const struct tcb_group name##_group = { #name, rows, sizeof(rows) / sizeof(rows[0]) }
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

extern const struct tcb_group state_group, open_group, request_group, input_group, text_group,
	stamp_group, output_group, window_group, timeout_group, user_group, timewait_group,
	rto_group, cc_group, sendq_group, answer_group, reassembly_group, recovery_group,
	idle_group, scoreboard_group, sack_group, rack_group;

#endif

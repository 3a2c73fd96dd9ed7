/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/tcp, module by module: test_tcp [PATTERN | -PATTERN], - for all but those. Last of all, the edges of the state diagram: each is taken. */
#include "test_tcp.h"

static const struct tcb_group *const groups[] = {
	&state_group,	   &open_group,	    &request_group, &input_group,      &text_group,
	&stamp_group,	   &output_group,   &window_group,  &timeout_group,    &user_group,
	&timewait_group,   &rto_group,	    &cc_group,	    &sendq_group,      &answer_group,
	&reassembly_group, &recovery_group, &idle_group,    &scoreboard_group, &sack_group,
	&rack_group,
};

static void every_edge_of_the_diagram__is_taken(void **state)
{
	(void)state;
	assert_int_equal(rig_edges_left(), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest last[] = {
		cmocka_unit_test(every_edge_of_the_diagram__is_taken),
	};
	int failed = 0;

	if (argc > 1 && argv[1][0] == '-')
		cmocka_set_skip_filter(argv[1] + 1);
	else if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	for (size_t i = 0; i < COUNT(groups); i++)
		failed += rig_run(groups[i]);
	if (argc <= 1)
		failed += cmocka_run_group_tests_name("edges", last, NULL, NULL);
	return failed != 0;
}

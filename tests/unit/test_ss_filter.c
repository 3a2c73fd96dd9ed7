/* SPDX-License-Identifier: BSD-3-Clause */
/* The filter of `handfast ss`: what each expression lets through, what the instance is asked for, and that
 * whatever is wrong is refused in one line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ss_filter.h"

#define ALL ((1u << HF_STATES) - 1 - (1u << HF_CLOSED))

static int read_text(const char *text, struct ss_filter *f, struct hf_error *why)
{
	char copy[600];
	char *argv[] = { copy };

	snprintf(copy, sizeof(copy), "%s", text);
	return ss_filter_read(1, argv, f, why);
}

static void passes__of_four_connections__those_meant(void **state)
{
	static const char *const connections[][2] = {
		{ "10.0.0.1:80", "10.1.2.3:40000" },
		{ "10.0.0.1:443", "10.1.2.4:50000" },
		{ "[2001:db8::1]:80", "[2001:db8:1::2]:40000" },
		{ "[2001:db8::1]:22", "[2001:db9::2]:1025" },
	};
	static const struct {
		const char *text;
		unsigned passes; /* a bit each */
	} cases[] = {
		{ "", 15 },
		{ "dst 10.1.2.3", 1 },
		{ "dst 10.1.2.0/24", 3 },
		{ "dst 10.1.2.0/31", 0 },
		{ "dst 10.1.2.4/31", 2 },
		{ "dst 10.1.2.3:40000", 1 },
		{ "dst 10.1.2.3:40001", 0 },
		{ "dst :40000", 5 },
		{ "dst *:40000", 5 },
		{ "dst 10.1.2.3:*", 1 },
		{ "src = 10.0.0.1", 3 },
		{ "src != 10.0.0.1", 12 },
		{ "dst [2001:db8:1::2]:40000", 4 },
		{ "dst [2001:db8:1::2]", 4 },
		{ "dst 2001:db8::/31", 12 },
		{ "dst [2001:db8::]/32", 4 },
		{ "dst [2001:db8::]/32:40000", 4 },
		{ "dst [2001:db8::/32]:40001", 0 },
		{ "sport = :80", 5 },
		{ "sport = 80", 5 },
		{ "sport :http", 5 },
		{ "sport eq :https", 2 },
		{ "sport != :80", 10 },
		{ "dport > :40000", 2 },
		{ "dport >= :40000", 7 },
		{ "dport lt :40000", 8 },
		{ "dport le :40000", 13 },
		{ "sport = :80 and dst 10.0.0.0/8", 1 },
		{ "sport = :80 dst 10.0.0.0/8", 1 },
		{ "sport = :80 or sport = :443", 7 },
		{ "( sport = :80 or sport = :443 ) and dport = :40000", 5 },
		{ "(sport = :80 || sport = :443) && !dport = :40000", 2 },
		{ "not sport = :80", 10 },
		{ "! ( sport = :80 | dport = :50000 )", 8 },
		{ "sport = :22 or sport = :80 and dst 10.0.0.0/8", 9 },
	};
	struct ss_filter f;
	struct hf_error why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned passed = 0;

		why.text[0] = '\0';
		if (read_text(cases[i].text, &f, &why) != 0)
			fail_msg("%s: %s", cases[i].text, why.text);
		for (unsigned k = 0; k < 4; k++) {
			struct hf_addr local, peer;

			hf_addr_parse(connections[k][0], &local);
			hf_addr_parse(connections[k][1], &peer);
			passed |= (unsigned)ss_filter_passes(&f, &local, &peer) << k;
		}
		if (passed != cases[i].passes)
			fail_msg("%s: passes %x", cases[i].text, passed);
	}
}

static void states__named_and_excluded__as_ss_means_them(void **state)
{
	const unsigned listen = 1u << HF_LISTEN, waits = 1u << HF_TIME_WAIT;
	const struct {
		const char *text;
		unsigned states;
	} cases[] = {
		{ "", 0 },
		{ "state established", 1u << HF_ESTABLISHED },
		{ "state SYN-RECV", 1u << HF_SYN_RECEIVED },
		{ "state time-wait state fin-wait-2 sport = :80", waits | 1u << HF_FIN_WAIT_2 },
		{ "state all", ALL },
		{ "exclude time-wait", ALL & ~listen & ~waits },
		{ "state all exclude listen", ALL & ~listen },
		{ "state bucket", waits | 1u << HF_SYN_RECEIVED },
	};
	struct ss_filter f;
	struct hf_error why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_text(cases[i].text, &f, &why), 0);
		assert_int_equal(f.states, cases[i].states);
	}
}

/* The instance leaves out what no match can have; an or, a not or a < it leaves to us. */
static void ask__what_must_hold__nothing_else(void **state)
{
	static const char *const cases[][2] = {
		{ "dst 10.0.0.0/8 and sport = :80",
		  ",state=CLOSE-WAIT,peer=10.0.0.0/8,local_port=80" },
		{ "dst 10.0.0.1:80 or sport = :80", ",state=CLOSE-WAIT" },
		{ "not dst 10.0.0.1", ",state=CLOSE-WAIT" },
		{ "dst != 10.0.0.1 dport > :80", ",state=CLOSE-WAIT" },
		{ "src 2001:db8::1", ",state=CLOSE-WAIT,local=2001:db8::1/128" },
		{ "dport = :7 and ( sport = :80 or sport = :81 )", ",state=CLOSE-WAIT,peer_port=7" },
	};
	struct ss_filter f;
	struct hf_error why;
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_text(cases[i][0], &f, &why), 0);
		ss_filter_ask(&f, 1u << HF_CLOSE_WAIT, text);
		assert_string_equal(text, cases[i][1]);
	}
}

static void read__wrong_text__refused_in_one_line(void **state)
{
	static const char *const wrong[] = {
		"state",
		"state open",
		"exclude x",
		"dst",
		"dst 10.0.0",
		"dst 10.0.0.1:http9",
		"dst 10.0.0.0/",
		"dst 10.0.0.0/x",
		"dst 10.0.0.0/33",
		"dst 10.0.0.0/255.255.255.0",
		"dst 2001:db8::/129",
		"dst > 10.0.0.1",
		"sport",
		"sport = :70000",
		"sport = :80x",
		"sport = :80 )",
		"( sport = :80",
		"( sport = :80 or",
		"not",
		"foo 7",
		"dst [::1",
		"sport = :80 or or",
		"and sport = :80",
		"((((((((((((((((((((",
		"!!!!!!!!!!!!!!!!!!!!",
	};
	struct ss_filter f;
	struct hf_error why;
	char text[600] = "", whole[5000], *argv = whole;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		why.text[0] = '\0';
		if (read_text(wrong[i], &f, &why) != -EINVAL)
			fail_msg("%s is taken", wrong[i]);
		assert_true(why.text[0] && !strchr(why.text, '\n'));
	}
	for (unsigned i = 0; i < 40; i++)
		strcat(text, "dport = :80 ");
	assert_int_equal(read_text(text, &f, &why), -EINVAL);
	snprintf(text, sizeof(text), "dst 10.0.0.1:%0500d", 80);
	assert_int_equal(read_text(text, &f, &why), -EINVAL);
	snprintf(whole, sizeof(whole), "dst 10.0.0.1%4096s",
		 "and dst 10.0.0.2"); /* the rest is not left out */
	assert_int_equal(ss_filter_read(1, &argv, &f, &why), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes__of_four_connections__those_meant),
		cmocka_unit_test(states__named_and_excluded__as_ss_means_them),
		cmocka_unit_test(ask__what_must_hold__nothing_else),
		cmocka_unit_test(read__wrong_text__refused_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

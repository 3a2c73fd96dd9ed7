/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of --impair: what each item means, and that whatever is wrong is refused in one line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "impair.h"

#define TCP(flags) (HF_FRAME_TCP | (flags))

static struct hf_impair parse(const char *text)
{
	struct hf_impair impair = { .seed = 7 };
	struct hf_error why;

	if (impair_parse(text, &impair, &why) != 0)
		fail_msg("%s", why.text);
	assert_int_equal(impair.seed, 7);
	return impair;
}

static void empty__text__leaves_the_link_alone(void **state)
{
	const struct hf_impair impair = parse(""), none = { .seed = 7 };

	(void)state;
	assert_memory_equal(&impair, &none, sizeof(none));
}

static void rates__in_percent__are_of_a_million(void **state)
{
	static const struct {
		const char *text;
		uint32_t rate;
	} rates[] = {
		{ "0%", 0 },
		{ "0.0001%", 1 },
		{ "0.01%", 100 },
		{ "1%", 10000 },
		{ "12.3456%", 123456 },
		{ "25%", 250000 },
		{ "99.9999%", 999999 },
		{ "100%", HF_EVER },
		{ "100.000000%", HF_EVER },
		{ "007%", 70000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		char text[80];
		struct hf_impair impair;

		snprintf(text, sizeof(text), "loss=%s,in:dup=%s,out:reorder=%s,corrupt=%s",
			 rates[i].text, rates[i].text, rates[i].text, rates[i].text);
		impair = parse(text);
		assert_int_equal(impair.in.loss, rates[i].rate);
		assert_int_equal(impair.out.loss, rates[i].rate);
		assert_int_equal(impair.in.duplicate, rates[i].rate);
		assert_int_equal(impair.out.duplicate, 0);
		assert_int_equal(impair.in.reorder, 0);
		assert_int_equal(impair.out.reorder, rates[i].rate);
		assert_int_equal(impair.in.corrupt, rates[i].rate);
		assert_int_equal(impair.out.corrupt, rates[i].rate);
	}
}

static void times__with_their_units__are_microseconds(void **state)
{
	static const struct {
		const char *text;
		uint32_t us, jitter_us;
	} times[] = {
		{ "5ms±1ms", 5000, 1000 }, { "5ms+-1ms", 5000, 1000 },
		{ "1s", 1000000, 0 },	   { "0.25s±250ms", 250000, 250000 },
		{ "1.5ms±7us", 1500, 7 },  { "60s±60s", 60000000, 60000000 },
		{ "0us", 0, 0 },	   { "0.000001s", 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		char text[80];
		struct hf_impair impair;

		snprintf(text, sizeof(text), "in:delay=9s±9s,delay=%s", times[i].text);
		impair = parse(text);
		assert_int_equal(impair.in.delay_us, times[i].us);
		assert_int_equal(impair.in.jitter_us, times[i].jitter_us);
		assert_int_equal(impair.out.delay_us, times[i].us);
		assert_int_equal(impair.out.jitter_us, times[i].jitter_us);
	}
	assert_int_equal(parse("in:reorder=2%/5ms").in.reorder_us, 5000);
	assert_int_equal(parse("reorder=2%/5ms,reorder=3%").in.reorder_us, 0);
	assert_int_equal(parse("hold=100").hold, 100);
	assert_int_equal(impair_frames(&(struct hf_impair){ .hold = 100 }), 100);
	assert_int_equal(impair_frames(&(struct hf_impair){ 0 }), HF_IMPAIR_HOLD);
}

static void rule_is(const char *text, struct hf_impair_rule want)
{
	const struct hf_impair impair = parse(text);
	const struct hf_impair_rule rule = impair.in.rules[0];

	assert_int_equal(impair.in.rule_count, 1);
	assert_int_equal(impair.out.rule_count, 0);
	assert_int_equal(rule.act, want.act);
	assert_int_equal(rule.mask, want.mask);
	assert_int_equal(rule.kind, want.kind);
	assert_int_equal(rule.first, want.first);
	assert_int_equal(rule.last, want.last);
	assert_int_equal(rule.later_us, want.later_us);
}

/* FIN, SYN, RST, ACK are 1, 2, 4, 16. */
static void rules__of_each_kind__are_read(void **state)
{
	struct hf_impair impair;

	(void)state;
	rule_is("rule=drop:in:fin:1",
		(struct hf_impair_rule){ HF_IMPAIR_DROP, TCP(1), TCP(1), 1, 1, 0 });
	rule_is("rule=dup:in:syn-ack:1-3",
		(struct hf_impair_rule){ HF_IMPAIR_TWICE, TCP(18), TCP(18), 1, 3, 0 });
	rule_is("in:rule=corrupt:syn:2-",
		(struct hf_impair_rule){ HF_IMPAIR_CORRUPT, TCP(18), TCP(2), 2, 0, 0 });
	rule_is("rule=delay:in:text:4=50ms",
		(struct hf_impair_rule){ HF_IMPAIR_LATER, TCP(HF_FRAME_TEXT), TCP(HF_FRAME_TEXT), 4,
					 4, 50000 });
	rule_is("rule=delay:in:rst=1us",
		(struct hf_impair_rule){ HF_IMPAIR_LATER, TCP(4), TCP(4), 0, 0, 1 });
	rule_is("rule=behind:in:any", (struct hf_impair_rule){ HF_IMPAIR_BEHIND, 0, 0, 0, 0, 0 });
	rule_is("rule=drop:in:ack:7",
		(struct hf_impair_rule){ HF_IMPAIR_DROP, TCP(HF_FRAME_TEXT | 23), TCP(16), 7, 7, 0 });
	impair = parse("rule=drop:fin,rule=drop:out:syn,out:rule=drop:rst,loss=1%");
	assert_int_equal(impair.in.rule_count, 1);
	assert_int_equal(impair.out.rule_count, 3);
	assert_int_equal(impair.out.rules[0].kind, TCP(1));
	assert_int_equal(impair.out.rules[1].kind, TCP(2));
	assert_int_equal(impair.out.rules[2].kind, TCP(4));
}

static void items__that_are_wrong__are_refused_in_a_line(void **state)
{
	static const char *const texts[] = {
		/* items */
		",",
		"loss=1%,",
		",loss=1%",
		"loss=1%,,dup=1%",
		"los=1%",
		"loss",
		"=1%",
		"loss:1%",
		" loss=1%",
		"in:",
		"in:out:loss=1%",
		"up:loss=1%",
		"in:hold=5",
		"out:in:rule=drop:fin",
		/* rates */
		"loss=",
		"loss=1",
		"loss=%",
		"loss=-1%",
		"loss=+1%",
		"loss=1%%",
		"loss=1% ",
		"loss=1 %",
		"loss=.5%",
		"loss=1.%",
		"loss=101%",
		"loss=100.0001%",
		"loss=0.00001%",
		"loss=0.0000001%",
		"loss=1e1%",
		"loss=99999999999999999999%",
		"loss=1%±1%",
		"loss=nan%",
		"dup=1%/5ms",
		"corrupt=x",
		"reorder=2%/",
		"reorder=2%/0ms",
		"reorder=2%/5",
		"reorder=2%/61s",
		"reorder=2%/5ms/5ms",
		"reorder=/5ms",
		/* delays */
		"delay=",
		"delay=5",
		"delay=ms",
		"delay=-5ms",
		"delay=5ms±",
		"delay=5ms±1",
		"delay=5ms±6ms",
		"delay=5ms±1ms±1ms",
		"delay=5m",
		"delay=5min",
		"delay=0.5us",
		"delay=61s",
		"delay=60.000001s",
		"delay=99999999999s",
		"delay=5ms±1ms ",
		"delay=5ms-1ms",
		"delay=5ms+1ms",
		"delay=5 ms",
		"delay=1.5",
		/* room */
		"hold=",
		"hold=0",
		"hold=16777217",
		"hold=99999999999999999999",
		"hold=1k",
		"hold=-1",
		/* rules */
		"rule=",
		"rule=drop",
		"rule=drop:",
		"rule=lose:fin",
		"rule=drop:in",
		"rule=drop:in:",
		"rule=drop:FIN",
		"rule=drop:up:fin",
		"rule=drop:finn",
		"rule=drop:syn-",
		"rule=drop:fin:",
		"rule=drop:fin:0",
		"rule=drop:fin:x",
		"rule=drop:fin:3-2",
		"rule=drop:fin:-3",
		"rule=drop:fin:1-0",
		"rule=drop:fin:1-2-3",
		"rule=drop:fin:1:2",
		"rule=drop:fin:9999999999",
		"rule=drop:fin=5ms",
		"rule=delay:fin",
		"rule=delay:fin=",
		"rule=delay:fin:1=5",
		"rule=delay:fin=61s",
		"rule=behind:fin:1=5ms",
		"rule=drop:in:out:fin",
		"rule=drop:fin 1",
	};
	const struct hf_impair untouched = { .seed = 3, .hold = 9 };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct hf_impair impair = untouched;
		struct hf_error why = { "" };

		if (impair_parse(texts[i], &impair, &why) != -EINVAL)
			fail_msg("'%s' is taken", texts[i]);
		assert_true(strlen(why.text) > 15);
		assert_null(strchr(why.text, '\n'));
		assert_memory_equal(&impair, &untouched, sizeof(impair));
	}
}

static void rules__as_many_as_fit__and_one_more(void **state)
{
	struct hf_impair impair = { 0 };
	struct hf_error why;
	char text[512] = "";

	(void)state;
	for (unsigned i = 0; i < HF_IMPAIR_RULES; i++)
		strcat(text, i == 0 ? "rule=drop:fin" : ",rule=drop:fin");
	assert_int_equal(parse(text).out.rule_count, HF_IMPAIR_RULES);
	strcat(text, ",rule=drop:out:fin");
	assert_int_equal(impair_parse(text, &impair, &why), -EINVAL);
	assert_non_null(strstr(why.text, "16 each way"));
}

/* Whatever a long item is, it does not overflow what is said of it. */
static void item__of_any_length__is_refused(void **state)
{
	char text[4000];

	(void)state;
	for (size_t len = 1; len < sizeof(text); len = len * 3 / 2 + 1) {
		struct hf_impair impair;
		struct hf_error why;

		memset(text, 'x', len);
		text[len] = '\0';
		assert_int_equal(impair_parse(text, &impair, &why), -EINVAL);
		assert_true(strlen(why.text) < sizeof(why.text) - 1);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty__text__leaves_the_link_alone),
		cmocka_unit_test(rates__in_percent__are_of_a_million),
		cmocka_unit_test(times__with_their_units__are_microseconds),
		cmocka_unit_test(rules__of_each_kind__are_read),
		cmocka_unit_test(items__that_are_wrong__are_refused_in_a_line),
		cmocka_unit_test(rules__as_many_as_fit__and_one_more),
		cmocka_unit_test(item__of_any_length__is_refused),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("impair", tests, NULL, NULL);
}

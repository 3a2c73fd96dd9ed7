/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The environment: EAL's start as the caller wants it or not at all, cores, memory for tables.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "handfast.h"
#include "io/memory.h"

static int answer(void *arg)
{
	return *(int *)arg;
}

static int held(void *arg)
{
	while (__atomic_load_n((bool *)arg, __ATOMIC_ACQUIRE))
		usleep(100);
	return 0;
}

static void cores__launched__run_and_answer(void **state)
{
	bool hold = true;
	int answers[] = { 40, 41, 42 };

	(void)state;
	assert_int_equal(hf_env_cores(), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(hf_env_launch(i, answer, &answers[i]), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(hf_env_wait(i), answers[i]);
	assert_int_equal(hf_env_launch(3, answer, answers), -EINVAL);
	assert_int_equal(hf_env_wait(3), -EINVAL);
	assert_int_equal(hf_env_launch(1, held, &hold), 0);
	assert_int_equal(hf_env_launch(1, answer, answers), -EBUSY);
	__atomic_store_n(&hold, false, __ATOMIC_RELEASE);
	assert_int_equal(hf_env_wait(1), 0);
}

static void environment__started_twice__refuses(void **state)
{
	struct hf_error why;

	(void)state;
	assert_int_equal(hf_env_start(&(struct hf_env){ .program = "again" }, &why), -EALREADY);
}

static void memory__taken__is_aligned_and_zero(void **state)
{
	const size_t sizes[] = { 1, 4096, 5000, (2 << 20) - 1, 2 << 20, (5 << 20) + 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *memory = memory_take(sizes[i]);

		assert_non_null(memory);
		assert_int_equal((uintptr_t)memory % (sizes[i] < 2 << 20 ? 4096 : 2 << 20), 0);
		assert_int_equal(memory[0] | memory[sizes[i] - 1], 0);
		memset(memory, 1, sizes[i]);
		memory_give(memory, sizes[i]);
	}
	assert_null(memory_take(SIZE_MAX));
	assert_null(memory_take((size_t)1 << 50));
	memory_give(NULL, 0);
}

/* CPUs like "1,1,1": the first one we may use, so many times. */
static const char *cpus(char text[64], unsigned count)
{
	cpu_set_t allowed;
	unsigned cpu = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	while (!CPU_ISSET(cpu, &allowed))
		cpu++;
	text[0] = '\0';
	for (unsigned i = 0; i < count; i++)
		snprintf(text + strlen(text), 64 - strlen(text), "%s%u", i == 0 ? "" : ",", cpu);
	return text;
}

/* In a process of its own: EAL starts once. @return what hf_env_start did, its text checked */
static int start_elsewhere(const struct hf_env *env, const char *words)
{
	const pid_t child = fork();
	int status;

	if (child == 0) {
		struct hf_error why = { "" };
		const int error = hf_env_start(env, &why);

		if (strstr(why.text, words) == NULL)
			fprintf(stderr, "[%s] is not in [%s]\n", words, why.text);
		_exit(strstr(why.text, words) == NULL ? 255 : -error);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void environment__impossible__says_why(void **state)
{
	const char *const bad[] = { "net_pcap0,rx_pcap=/nonexistent/in.pcap" };
	const char *const stranger[] = { "net_nonesuch0" };
	char one[64];
	const char *const lcores[] = { "-l", cpus(one, 1) };
	const char *const unknown[] = { "--no-such-eal" };

	(void)state;
	assert_int_equal(start_elsewhere(&(struct hf_env){ .eal = unknown, .eal_count = 1 },
					 "does not take the options"),
			 -EDOM);
	assert_int_equal(
		start_elsewhere(&(struct hf_env){ .vdevs = bad, .vdev_count = 1 }, "net_pcap0"),
		-ENODEV);
	assert_int_equal(start_elsewhere(&(struct hf_env){ .vdevs = stranger, .vdev_count = 1 },
					 "net_nonesuch0"),
			 -ENODEV);
	assert_int_equal(start_elsewhere(
				 &(struct hf_env){
					 .cores = "0-",
				 },
				 "0-1,3"),
			 -EINVAL);
	assert_int_equal(start_elsewhere(&(struct hf_env){ .cores = "1023" }, "1023"), -EINVAL);
	assert_int_equal(
		start_elsewhere(&(struct hf_env){ .cores = one, .eal = lcores, .eal_count = 2 },
				"leave one"),
		-EINVAL);
}

/* The user's own words go before ours. */
static void environment__with_options__lets_them_be(void **state)
{
	char one[64], four[64];
	const char *const eal[] = { "--no-huge", "--no-shconf", "-m48", "-l", cpus(one, 1) };

	(void)state;
	assert_int_equal(
		start_elsewhere(&(struct hf_env){ .eal = eal, .eal_count = 5, .memory_mb = 1 << 30 },
				""),
		0);
	assert_int_equal(start_elsewhere(&(struct hf_env){ .cores = cpus(four, 4) }, ""), 0);
	assert_int_equal(start_elsewhere(&(struct hf_env){ .memory_mb = 32 }, ""), 0);
}

int main(void)
{
	/* Before EAL runs here: children must not inherit it. */
	const struct CMUnitTest before[] = {
		cmocka_unit_test(environment__impossible__says_why),
		cmocka_unit_test(environment__with_options__lets_them_be),
		cmocka_unit_test(memory__taken__is_aligned_and_zero),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cores__launched__run_and_answer),
		cmocka_unit_test(environment__started_twice__refuses),
	};
	char three[64];
	const struct hf_env env = { .program = "test_env", .cores = cpus(three, 3), .memory_mb = 64 };
	struct hf_error why;
	int failed = cmocka_run_group_tests(before, NULL, NULL);

	if (hf_env_start(&env, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		return EXIT_FAILURE;
	}
	failed += cmocka_run_group_tests(tests, NULL, NULL);
	hf_env_stop();
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

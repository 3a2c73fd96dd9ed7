/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers and their cores: the list of CPUs, lcores made of it, and what runs on them. Lcore 0, the
 * calling thread, floats over the workers' CPUs; worker i is the i-th of the other lcores.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "io/cores.h"
#include "io/why.h"

#define WAIT_US 1000

/* ---- The list ---------------------------------------------------------------------------- */

/* One number, at most CPU_SETSIZE. @return what follows it; NULL: there is none */
static const char *cpu_parse(const char *text, unsigned *cpu)
{
	if (!isdigit((unsigned char)*text))
		return NULL;
	for (*cpu = 0; isdigit((unsigned char)*text); text++)
		*cpu = *cpu < CPU_SETSIZE ? 10 * *cpu + (unsigned)(*text - '0') : CPU_SETSIZE;
	return text;
}

static int cores_add(struct cores *cores, unsigned first, unsigned last, const cpu_set_t *allowed,
		     struct hf_error *why)
{
	for (unsigned cpu = first; cpu <= last; cpu++) {
		if (cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, allowed))
			return why_say(why, -EINVAL,
				       "cores: CPU %u is not one this process may use; "
				       "see `taskset -cp $$`",
				       cpu);
		if (cores->count == RTE_DIM(cores->cpu))
			return why_say(why, -EINVAL, "cores: DPDK has no more than %zu lcores",
				       RTE_DIM(cores->cpu));
		cores->cpu[cores->count++] = (uint16_t)cpu;
	}
	return 0;
}

static void cores_allowed(const cpu_set_t *allowed, struct cores *cores)
{
	for (unsigned cpu = 0; cpu < CPU_SETSIZE && cores->count < RTE_DIM(cores->cpu); cpu++)
		if (CPU_ISSET(cpu, allowed))
			cores->cpu[cores->count++] = (uint16_t)cpu;
}

int cores_read(const char *list, struct cores *cores, struct hf_error *why)
{
	const char *at = list;
	cpu_set_t allowed;

	cores->count = 0;
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return why_say(why, -errno, "cores: the kernel does not tell which CPUs are ours");
	if (list == NULL) {
		cores_allowed(&allowed, cores);
		return 0;
	}
	for (;;) {
		unsigned first = 0, last;
		int error;

		at = cpu_parse(at, &first);
		last = first;
		if (at != NULL && *at == '-')
			at = cpu_parse(at + 1, &last);
		if (at == NULL || (*at != ',' && *at != '\0') || last < first)
			return why_say(why, -EINVAL, "cores: \"%s\" is no list like 0-1,3", list);
		error = cores_add(cores, first, last, &allowed, why);
		if (error != 0 || *at == '\0')
			return error;
		at++;
	}
}

char *cores_option(const struct cores *cores)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	for (unsigned i = 0; i < cores->count; i++)
		fprintf(out, "%s%u", i == 0 ? "0@(" : ",", cores->cpu[i]);
	fprintf(out, ")");
	for (unsigned i = 0; i < cores->count; i++)
		fprintf(out, ",%u@%u", i + 1, cores->cpu[i]);
	return fclose(out) == 0 ? text : NULL;
}

/* ---- The cores at work ------------------------------------------------------------------- */

/* The lcore of worker core i; RTE_MAX_LCORE: there is none. */
static unsigned lcore_of(unsigned core)
{
	unsigned lcore = rte_get_next_lcore(UINT_MAX, 1, 0);

	while (lcore < RTE_MAX_LCORE && core-- > 0)
		lcore = rte_get_next_lcore(lcore, 1, 0);
	return lcore;
}

unsigned hf_env_cores(void)
{
	return rte_lcore_count() - 1;
}

/* Of this thread, and of those it makes from then on. */
static void device_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (int signo = SIGRTMIN; signo <= SIGRTMAX; signo++)
		sigaddset(&set, signo);
	pthread_sigmask(how, &set, NULL);
}

void cores_leave_signals(void)
{
	device_signals(SIG_BLOCK);
}

static int take_signals(void *arg)
{
	(void)arg;
	device_signals(SIG_UNBLOCK);
	return 0;
}

void cores_take_signals(void)
{
	if (hf_env_launch(0, take_signals, NULL) == 0)
		hf_env_wait(0);
	else
		device_signals(SIG_UNBLOCK);
}

int hf_env_launch(unsigned core, int (*fn)(void *), void *arg)
{
	const unsigned lcore = lcore_of(core);

	return lcore == RTE_MAX_LCORE ? -EINVAL : rte_eal_remote_launch(fn, arg, lcore);
}

/* EAL's own wait spins, on a CPU that a worker needs. */
int hf_env_wait(unsigned core)
{
	const unsigned lcore = lcore_of(core);

	if (lcore == RTE_MAX_LCORE)
		return -EINVAL;
	while (rte_eal_get_lcore_state(lcore) != WAIT)
		usleep(WAIT_US);
	return rte_eal_wait_lcore(lcore);
}

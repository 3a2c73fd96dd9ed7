/* SPDX-License-Identifier: BSD-3-Clause */
/* See helper.h. */
#include "packetdrill/helper.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

static void *run(void *arg)
{
	struct helper *const helper = arg;

	helper->begun_us = host_now(helper->h);
	helper->tid = gettid();
	helper->result = helper->call(helper->h, helper->fd);
	if (helper->result < 0)
		helper->result = -errno;
	helper->ended_us = host_now(helper->h); /* at once, as packetdrill does */
	helper->done = 1;
	return NULL;
}

/* As packetdrill finds out: by its state in /proc. */
static int asleep(int tid)
{
	char path[64], state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "r");
	if (file == NULL)
		return 1;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = '?';
	fclose(file);
	return state == 'S';
}

void helper_settle(struct helper *helper)
{
	while (helper->tid == 0 || (!helper->done && !asleep(helper->tid)))
		sched_yield();
}

void helper_start(struct helper *helper, struct host *h, helper_call *call, int fd)
{
	*helper = (struct helper){ .h = h, .call = call, .fd = fd };
	assert_int_equal(pthread_create(&helper->thread, NULL, run, helper), 0);
	helper_settle(helper);
}

long helper_end(struct helper *helper)
{
	pthread_join(helper->thread, NULL);
	return helper->result;
}

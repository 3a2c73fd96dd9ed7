/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread that makes one blocking call, as packetdrill's second one does. */
#ifndef HELPER_H
#define HELPER_H

#include <pthread.h>
#include <stdatomic.h>

#include "packetdrill/host.h"

typedef long helper_call(struct host *h, int fd);

struct helper {
	struct host *h;
	helper_call *call;
	int fd;
	pthread_t thread;
	atomic_int tid;
	atomic_int done;
	long result; /* -errno when the call failed */
	uint64_t begun_us, ended_us;
};

/* Returns when the call has blocked, or is done. */
void helper_start(struct helper *helper, struct host *h, helper_call *call, int fd);
/* The thread has done what it can: it sleeps, or is done. */
void helper_settle(struct helper *helper);
/* @return what the call did */
long helper_end(struct helper *helper);

#endif

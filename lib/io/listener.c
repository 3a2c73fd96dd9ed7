/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * After each accept of the driver's, a callback of ours on the same descriptor looks for a number that EAL
 * has a source for and that is closed, and puts an eventfd there, which never has anything to tell. Another
 * thread that opens something in the microsecond between takes the number, and this comes too late: a new
 * accept as well, which has its number from the time when it begins to wait (telemetry's, after SIGCONT).
 */
#define ALLOW_EXPERIMENTAL_API
#include "io/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_interrupts.h>

#define DESCRIPTORS 1024 /* in which a listener is looked for */
#define PARK_US 1000000
#define STEP_US 500

enum request { IS_SOURCE, MIND, LET_GO };

/* What is asked of EAL about a descriptor. @return 0 or more, if EAL has done it or, IS_SOURCE, has it */
static int ask(int fd, enum request request, rte_intr_callback_fn answer, void *argument)
{
	struct rte_intr_handle *handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	int rc = -ENOMEM;

	if (handle == NULL || rte_intr_fd_set(handle, fd) != 0 ||
	    rte_intr_type_set(handle, RTE_INTR_HANDLE_EXT) != 0)
		goto out;
	/* A callback that nobody has registered: nothing is removed, and EAL tells whether it knows fd. */
	if (request == IS_SOURCE)
		rc = rte_intr_callback_unregister(handle, answer, handle);
	else if (request == MIND)
		rc = rte_intr_callback_register(handle, answer, argument);
	else
		rc = rte_intr_callback_unregister(handle, answer, argument);
out:
	rte_intr_instance_free(handle);
	return rc;
}

static void park(void *argument)
{
	atomic_bool *const parked = argument;

	atomic_store(parked, true);
	while (atomic_load(parked))
		pause();
}

static bool is_source(int fd)
{
	return ask(fd, IS_SOURCE, park, NULL) >= 0;
}

static void accepted(void *argument)
{
	const int silent = eventfd(0, EFD_CLOEXEC); /* the lowest number: most often it is in place */

	(void)argument;
	for (int fd = 0; fd < DESCRIPTORS && silent >= 0; fd++) {
		int taken;

		if (fcntl(fd, F_GETFD) >= 0 || !is_source(fd))
			continue;
		taken = fcntl(silent, F_DUPFD_CLOEXEC, fd);
		if (taken >= 0 && taken != fd)
			close(taken);
	}
	if (silent >= 0 && !is_source(silent))
		close(silent);
}

static bool memif_listens(int fd)
{
	int listens = 0, type = 0, domain = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens != 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET &&
	       getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
	       is_source(fd); /* telemetry's are none */
}

void listener_mind(bool begin)
{
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		if (!memif_listens(fd))
			continue;
		ask(fd, LET_GO, accepted,
		    NULL); /* EAL would call it once for each time it was registered */
		if (begin)
			ask(fd, MIND, accepted, NULL);
	}
}

/* By a source of its own: cleanup waits for alarms to end. The flag is never freed, the thread stays. */
void interrupts_park(void)
{
	atomic_bool *const parked = calloc(1, sizeof(*parked));
	const int bell = eventfd(1, EFD_CLOEXEC);

	if (parked == NULL || bell < 0 || ask(bell, MIND, park, parked) != 0) {
		free(parked);
		return;
	}
	for (unsigned us = 0; us < PARK_US && !atomic_load(parked); us += STEP_US)
		usleep(STEP_US);
}

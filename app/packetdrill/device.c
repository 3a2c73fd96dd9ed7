/* SPDX-License-Identifier: BSD-3-Clause */
/* The device and the clock as packetdrill sees them. */
#include "stack.h"

#include <stdlib.h>

#include "table.h"

static int call_netdev_send(void *stack, const void *packet, size_t len)
{
	struct stack *const s = stack_lock(stack);
	const int rc = stack_packet(s, packet, len);

	stack_unlock(s);
	return rc;
}

/* The oldest packet that left. packetdrill waits for ever, so with no deadline left it is told "0 octets". */
static int call_netdev_receive(void *stack, void *octets, size_t *len, long long *at_us)
{
	struct stack *const s = stack_lock(stack);
	struct packet *packet;
	bool more = true;

	stack_settle(s);
	while ((packet = STAILQ_FIRST(&s->out)) == NULL && more && !s->flags.poll) {
		more = stack_step(s, NEVER);
		stack_settle(s);
	}
	*at_us = (long long)s->now_us;
	if (packet == NULL) {
		*len = 0;
	} else {
		if (packet->len < *len)
			*len = packet->len;
		memcpy(octets, packet->octets, *len);
		*at_us = (long long)packet->at_us;
		STAILQ_REMOVE_HEAD(&s->out, link);
		free(packet);
	}
	stack_unlock(s);
	return 0;
}

static int call_usleep(void *stack, useconds_t us)
{
	struct stack *const s = stack_lock(stack);

	stack_clock(s, s->now_us + us);
	stack_unlock(s);
	return 0;
}

static int call_gettimeofday(void *stack, struct timeval *now, struct timezone *zone)
{
	struct stack *const s = stack_lock(stack);
	const uint64_t now_us = stack_read_clock(s);

	(void)zone;
	stack_unlock(s);
	now->tv_sec = (time_t)(now_us / 1000000);
	now->tv_usec = (suseconds_t)(now_us % 1000000);
	return 0;
}

void device_fill(struct pd_table *table)
{
	table->netdev_send = call_netdev_send;
	table->netdev_receive = call_netdev_receive;
	table->usleep = call_usleep;
	table->gettimeofday = call_gettimeofday;
}

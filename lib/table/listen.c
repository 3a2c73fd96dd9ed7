/* SPDX-License-Identifier: BSD-3-Clause */
/* The listeners of a worker: an array, and for each port a chain through it that begins in an index
 * of all 65536 ports. A SYN costs one look into the index; RFC 9293 3.10.1, MUST-41..43. */
#include "table/listen.h"

#include <errno.h>

#define PORTS 65536u

static size_t array_octets(uint32_t size)
{
	return (size * sizeof(struct listener) + 63) & ~(size_t)63;
}

size_t listen_memory(uint32_t size)
{
	return array_octets(size) + PORTS * sizeof(uint16_t);
}

int listen_init(struct listeners *listeners, void *memory, uint32_t size)
{
	if (size == 0 || size > LISTEN_MAX)
		return -EINVAL;
	*listeners = (struct listeners){
		.at = memory,
		.by_port = (uint16_t *)((uint8_t *)memory + array_octets(size)),
		.size = size,
		.unused = 1,
	};
	for (uint32_t i = 0; i + 1 < size; i++)
		listeners->at[i].next = (uint16_t)(i + 2);
	return 0;
}

/* A flow's local address as a listener keeps it. */
static void local_address(const struct flow *flow, uint32_t local[4])
{
	memset(local, 0, 16);
	if (flow->version == 4)
		local[0] = flow->v4.local;
	else
		memcpy(local, flow->v6.local, 16);
}

int listen_add(struct listeners *listeners, const struct flow *flow, bool any, uint64_t cookie)
{
	const uint16_t port = flow_local_port(flow);
	struct listener new = {
		.cookie = cookie, .port = port, .version = flow->version, .any = any, .used = true
	};
	uint16_t number;

	if (!any)
		local_address(flow, new.local);
	for (number = listeners->by_port[port]; number != 0;) {
		const struct listener *l = &listeners->at[number - 1];

		if (l->version == new.version &&
		    l->any == any &&memcmp(l->local, new.local, sizeof(new.local)) == 0)
			return -EADDRINUSE;
		number = l->next;
	}
	number = listeners->unused;
	if (number == 0)
		return -ENOBUFS;
	listeners->unused = listeners->at[number - 1].next;
	new.next = listeners->by_port[port];
	listeners->at[number - 1] = new;
	listeners->by_port[port] = number;
	listeners->count++;
	return number - 1;
}

int listen_find(const struct listeners *listeners, const struct flow *flow)
{
	uint16_t number = listeners->by_port[flow_local_port(flow)];
	uint32_t local[4];
	int found = -1;

	if (number == 0)
		return -1;
	local_address(flow, local);
	while (number != 0) {
		const struct listener *l = &listeners->at[number - 1];

		if (l->version == flow->version && l->any)
			found = number - 1;
		else if (l->version == flow->version && memcmp(l->local, local, sizeof(local)) == 0)
			return number - 1;
		number = l->next;
	}
	return found;
}

void listen_remove(struct listeners *listeners, int index)
{
	struct listener *gone = &listeners->at[index];
	const uint16_t number = (uint16_t)(index + 1);
	uint16_t *link = &listeners->by_port[gone->port];

	while (*link != number)
		link = &listeners->at[*link - 1].next;
	*link = gone->next;
	*gone = (struct listener){ .next = listeners->unused };
	listeners->unused = number;
	listeners->count--;
}

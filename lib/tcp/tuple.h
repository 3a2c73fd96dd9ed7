/* SPDX-License-Identifier: BSD-3-Clause */
/* The four-tuple that names a connection (RFC 9293 3.3.1: a pair of sockets), seen from this end.
 * Addresses are opaque words in wire order, only ever compared and hashed; ports are numbers. */
#ifndef HF_TUPLE_H
#define HF_TUPLE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct tuple4 {
	uint32_t local, remote;
	uint16_t local_port, remote_port;
};

struct tuple6 {
	uint32_t local[4], remote[4];
	uint16_t local_port, remote_port;
};

_Static_assert(sizeof(struct tuple4) == 12 && sizeof(struct tuple6) == 36, "compared as octets");

struct flow {
	union {
		struct tuple4 v4;
		struct tuple6 v6;
	};
	uint8_t version; /* 4 or 6 */
};

/* Two ports in one word, ours in its lower half. */
static inline uint32_t tuple_ports(uint16_t local, uint16_t remote)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (uint32_t)remote << 16 | local;
#else
	return (uint32_t)local << 16 | remote;
#endif
}

/* Addresses and ports are written in words as wide as those that hash and compare read them in at once:
 * else each of these waits until the stores are through. */
static inline void flow_set_ports(struct flow *flow, uint16_t local, uint16_t remote)
{
	uint8_t *const octets = (uint8_t *)flow;
	const uint32_t ports = tuple_ports(local, remote);

	memcpy(octets + (flow->version == 4 ? 8 : 32), &ports, sizeof(ports));
}

static inline void flow_set4(struct flow *flow, uint32_t local, uint32_t remote,
			     uint16_t local_port, uint16_t remote_port)
{
	const uint32_t words[2] = { local, remote };
	uint64_t addresses;

	memcpy(&addresses, words, 8);
	memcpy(&flow->v4.local, &addresses, 8);
	flow->version = 4;
	flow_set_ports(flow, local_port, remote_port);
}

/* Whether stored, a tuple4 or tuple6 as the flow's version says, is this flow. */
static inline bool tuple_is(const void *stored, const struct flow *flow)
{
	if (flow->version == 4)
		return memcmp(stored, &flow->v4, sizeof(flow->v4)) == 0;
	return memcmp(stored, &flow->v6, sizeof(flow->v6)) == 0;
}

static inline uint16_t flow_local_port(const struct flow *flow)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.UndefReturn): the version says what is set */
	return flow->version == 4 ? flow->v4.local_port : flow->v6.local_port;
}

static inline uint16_t flow_remote_port(const struct flow *flow)
{
	return flow->version == 4 ? flow->v4.remote_port : flow->v6.remote_port;
}

static inline void flow_set_local_port(struct flow *flow, uint16_t port)
{
	flow_set_ports(flow, port, flow_remote_port(flow));
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two devices joined by rings (net_ring), for both ends of TCP in one process.
 *
 * A frame goes over as the mbuf it is and is freed where it arrives, so mbufs wander. Both sides use
 * one pool: what a core frees it sends again out of its own cache, and while traffic is about even
 * the pool's common ring stays idle. Two cores that answer frame by frame spend about half the cycles
 * a frame that they spend with a pool each (90 for 158 at best, 64 frames under way).
 */
#include <errno.h>
#include <string.h>

#include <rte_eth_ring.h>
#include <rte_ring.h>

#include "io/port.h"
#include "io/why.h"

#define QUEUES RTE_PMD_RING_MAX_RX_RINGS
#define NAME_MAX_LEN 16 /* leaves EAL's names their prefixes */

static int rings_make(struct port_share *share, const char *name, char toward, unsigned queues,
		      uint32_t size, struct rte_ring **rings, struct hf_error *why)
{
	for (unsigned i = 0; i < queues; i++) {
		char text[RTE_RING_NAMESIZE];

		snprintf(text, sizeof(text), "%s_%c%u", name, toward, i);
		rings[i] = port_share_ring(share, text, size);
		if (rings[i] == NULL)
			return why_say(why, -ENOMEM, "%s: no ring of %u frames; give EAL memory",
				       text, size);
	}
	return 0;
}

static int side_make(struct port_share *share, const char *name, char side, unsigned queues,
		     struct rte_ring **rx, struct rte_ring **tx, struct hf_port **ports,
		     struct hf_error *why)
{
	char text[NAME_MAX_LEN + 2];
	int id;

	snprintf(text, sizeof(text), "%s_%c", name, side);
	id = rte_eth_from_rings(text, rx, queues, tx, queues, 0);
	if (id < 0 || id >= RTE_MAX_ETHPORTS)
		return why_say(why, -ENODEV,
			       "net_ring_%s: no such device can be made; is the "
			       "net_ring driver installed, is the name free?",
			       text);
	return port_start(share, (uint16_t)id, queues, NULL, ports, why);
}

int hf_port_ring_pair(const char *name, unsigned queues, uint32_t ring, uint32_t mbufs,
		      uint16_t mtu, struct hf_port **a, struct hf_port **b, struct hf_error *why)
{
	struct rte_ring *to_a[QUEUES], *to_b[QUEUES];
	struct port_share *share;
	int error;

	if (strlen(name) >= NAME_MAX_LEN)
		return why_say(why, -EINVAL, "%s: give the pair a name of %d letters at most", name,
			       NAME_MAX_LEN - 1);
	if (queues == 0 || queues > QUEUES)
		return why_say(why, -EINVAL, "%s: a pair has 1 to %d queues, not %u", name, QUEUES,
			       queues);
	if (ring < 2 || ring > RTE_RING_SZ_MASK || (ring & (ring - 1)) != 0)
		return why_say(why, -EINVAL, "%s: a ring's size is a power of two, not %u", name,
			       ring);
	error = port_share_make(name, 2 * mbufs, mtu, &share, why);
	if (error != 0)
		return error;
	error = rings_make(share, name, 'a', queues, ring, to_a, why);
	if (error == 0)
		error = rings_make(share, name, 'b', queues, ring, to_b, why);
	if (error == 0)
		error = side_make(share, name, 'a', queues, to_a, to_b, a, why);
	if (error == 0) {
		error = side_make(share, name, 'b', queues, to_b, to_a, b, why);
		for (unsigned i = 0; error != 0 && i < queues; i++)
			hf_port_free(a[i]);
	}
	port_share_drop(share);
	return error;
}

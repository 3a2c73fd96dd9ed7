/* SPDX-License-Identifier: BSD-3-Clause */
/* The two ways to parse a frame, side by side: what usual.c takes, parse.c takes too, and makes the same
 * of it. For unit tests and fuzz targets. */
#ifndef HF_RIG_USUAL_H
#define HF_RIG_USUAL_H

#include <string.h>

#include "wire/parse.h"

static inline bool usual_agrees(const struct wire_config *c, const struct wire_piece *piece,
				unsigned hints)
{
	struct wire_in usual, walk;

	if (c->vlan != 0 || c->l3 || (hints & (WIRE_IP_BAD | WIRE_L4_BAD)))
		return true;
	memset(&usual, 0, sizeof(usual));
	memset(&walk, 0, sizeof(walk));
	if (!usual_parse(c, piece->octets, piece->len, hints, &usual))
		return true;
	if (wire_walk(c, piece, 1, hints, &walk) != WIRE_TCP)
		return false;
	usual.drop = walk.drop; /* these mean nothing now */
	usual.group = walk.group;
	return memcmp(&usual, &walk, sizeof(usual)) == 0;
}

#endif

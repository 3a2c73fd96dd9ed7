/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is on the fuzzers' link: us, and a peer that has many ports. */
#ifndef FUZZ_PLACE_H
#define FUZZ_PLACE_H

#include <stdint.h>

#include "handfast.h"

#define PLACE_PATHS 64

extern const uint8_t place_mac[6], place_peer_mac[6];

/* Four-tuple n, below PLACE_PATHS. Even: IPv4. */
void place_path(unsigned n, struct hf_addr *local, struct hf_addr *peer);

#endif

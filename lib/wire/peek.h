/* SPDX-License-Identifier: BSD-3-Clause */
/* A first look at a frame, before anything is checked: whose is it? Used by io/steer.c where the device
 * does not tell flows apart; whoever gets the frame judges it by wire_parse. */
#ifndef HF_PEEK_H
#define HF_PEEK_H

#include "wire/parse.h"

/**
 * The flow of a TCP segment.
 * @param len  octets of the frame's first piece
 * @return false: it is something else, a fragment, or not to be told
 */
bool wire_peek(const struct wire_config *c, const uint8_t *frame, uint32_t len, struct flow *flow);

#endif

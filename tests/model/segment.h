/* SPDX-License-Identifier: BSD-3-Clause */
/* The model's segments as octets and as text, for whoever exchanges them with an endpoint. */
#ifndef MODEL_SEGMENT_H
#define MODEL_SEGMENT_H

#include "model/model.h"
#include "rig/frame.h"

/* A packet from a peer whose only option is the MSS of its SYN. @return its length */
size_t segment_build(uint8_t raw[FRAME_MAX], const struct hf_addr *peer,
		     const struct hf_addr *local, const struct model_seg *s);

/* As frame_describe. @return text */
char *segment_describe(char *text, size_t room, const struct model_seg *s);

#endif

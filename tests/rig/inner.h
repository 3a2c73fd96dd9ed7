/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the rig share and tests do not need. */
#ifndef RIG_INNER_H
#define RIG_INNER_H

#include "rig/rig.h"

/* Take all frames the engine has sent into the ring of those not looked at; each is verified. */
void rig_collect(struct rig *r);

/* Move the clock to the next deadline, or to end_us if that is earlier; a turn and its flush. */
void rig_step(struct rig *r, uint64_t end_us);

/* Note a connection that lives until its HF_EV_CLOSED. */
void rig_keep(struct rig *r, uint64_t id);

#endif

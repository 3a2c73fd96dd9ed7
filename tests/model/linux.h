/* SPDX-License-Identifier: BSD-3-Clause */
/* What Linux does otherwise than the tables say, as data. */
#ifndef MODEL_LINUX_H
#define MODEL_LINUX_H

#include "model/model.h"

#define LINUX_OBSERVED "6.18."

extern const struct habit linux_habits[];
extern const unsigned linux_habits_count;

/* What SO_ERROR says of a connection that ends so in this state. */
int linux_error(enum model_state was, enum model_end end);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* `handfast replay`: the engine answers a capture under the capture's own clock; called by main.c. */
#ifndef HF_APP_REPLAY_H
#define HF_APP_REPLAY_H

#include "config.h"

/** @return the program's exit status */
int replay_run(const struct settings *s, const char *program, const char *const *eal, int eal_count);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* `handfast pair`: both ends in one process over net_ring; called by main.c. */
#ifndef HF_APP_PAIR_H
#define HF_APP_PAIR_H

#include "config.h"

enum { STATUS_OK, STATUS_FAILED, STATUS_USAGE, STATUS_ENVIRONMENT, STATUS_KILLED = 130 };

/** @return the program's exit status */
int pair_run(const struct settings *s, const char *program, const char *const *eal, int eal_count);

#endif

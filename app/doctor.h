/* SPDX-License-Identifier: BSD-3-Clause */
/* `handfast doctor`: what this machine lacks for a profile, and the line that mends it. Called by main.c. */
#ifndef HF_APP_DOCTOR_H
#define HF_APP_DOCTOR_H

#include "run.h"

/** @return STATUS_OK; STATUS_ENVIRONMENT when something is lacking; STATUS_USAGE */
int doctor_run(const struct settings *s, const char *program, const char *const *eal, int eal_count);

#endif

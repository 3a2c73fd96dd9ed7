/* SPDX-License-Identifier: BSD-3-Clause */
/* What the program's exit status says (README); returned by every command. */
#ifndef HF_APP_STATUS_H
#define HF_APP_STATUS_H

#include <errno.h>

enum {
	STATUS_OK,
	STATUS_FAILED,
	STATUS_USAGE,
	STATUS_ENVIRONMENT,
	STATUS_THRESHOLD = 99,
	STATUS_KILLED = 130
};

/** @param rc  of hf_env_start @return STATUS_OK, or what to exit with: the user's words to EAL are wrong, or the machine */
static inline int env_status(int rc)
{
	return rc == 0 ? STATUS_OK : rc == -EDOM ? STATUS_USAGE : STATUS_ENVIRONMENT;
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What the program's exit status says (README); returned by every command. */
#ifndef HF_APP_STATUS_H
#define HF_APP_STATUS_H

enum {
	STATUS_OK,
	STATUS_FAILED,
	STATUS_USAGE,
	STATUS_ENVIRONMENT,
	STATUS_THRESHOLD = 99,
	STATUS_KILLED = 130
};

#endif

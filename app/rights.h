/* SPDX-License-Identifier: BSD-3-Clause */
/* --user: what root's rights were wanted for is done once devices are open and workers made; the rest of the run is
 * somebody else's, without capabilities, and cannot get any again. Called by run.c. */
#ifndef HF_APP_RIGHTS_H
#define HF_APP_RIGHTS_H

#include <sys/types.h>

#include "handfast.h"

struct rights {
	const char *user; /* NULL: nothing is given up */
	uid_t uid;
	gid_t gid;
};

/** Whom we could become; nothing is changed.
 *  @param user  its name or number; "": nobody @return 0; -EINVAL there is none, or it is root; -EPERM we are not root */
int rights_look(struct rights *rights, const char *user, struct hf_error *why);

/** The same before anything starts; threads made later get no new rights either. @return as rights_look */
int rights_find(struct rights *rights, const char *user, struct hf_error *why);

/** All threads of the process. @return 0, or a negative errno, why says what */
int rights_drop(const struct rights *rights, struct hf_error *why);

#endif

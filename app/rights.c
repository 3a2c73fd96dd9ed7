/* SPDX-License-Identifier: BSD-3-Clause */
/* Becoming somebody else. The C library's set*id() calls do it in every thread of the process, EAL's too; with the last
 * user ID that is 0 the kernel takes all capabilities away (capabilities(7)). */
#include "rights.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int wrong(struct hf_error *why, const char *user, const char *what, int error)
{
	snprintf(why->text, sizeof(why->text), "--user %.60s: %.150s", user, what);
	return -error;
}

/* By number or by name. No user has the last number: for the kernel it means none. */
static const struct passwd *entry_of(const char *user)
{
	const unsigned long number = strtoul(user, NULL, 10);

	if (user[strspn(user, "0123456789")])
		return getpwnam(user);
	return number < (uid_t)-1 ? getpwuid((uid_t)number) : NULL;
}

int rights_look(struct rights *rights, const char *user, struct hf_error *why)
{
	const struct passwd *entry;

	*rights = (struct rights){ 0 };
	if (!user[0])
		return 0;
	entry = entry_of(user);
	if (!entry)
		return wrong(why, user, "this machine has no such user", EINVAL);
	if (entry->pw_uid == 0)
		return wrong(why, user, "root is who is to be left; name another one", EINVAL);
	if (geteuid() != 0)
		return wrong(why, user, "only root can become somebody else; run without it", EPERM);
	*rights = (struct rights){ user, entry->pw_uid, entry->pw_gid };
	return 0;
}

int rights_find(struct rights *rights, const char *user, struct hf_error *why)
{
	const int rc = rights_look(rights, user, why);

	if (rc == 0 && rights->user && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return wrong(why, user, strerror(errno), EPERM);
	return rc;
}

int rights_drop(const struct rights *rights, struct hf_error *why)
{
	const struct passwd *entry;

	if (!rights->user)
		return 0;
	entry = getpwuid(rights->uid);
	if (!entry || initgroups(entry->pw_name, rights->gid) != 0 ||
	    setresgid(rights->gid, rights->gid, rights->gid) != 0 ||
	    setresuid(rights->uid, rights->uid, rights->uid) != 0)
		return wrong(why, rights->user,
			     "not in this user namespace, or without CAP_SETUID and CAP_SETGID",
			     EPERM);
	if (setuid(0) == 0 || geteuid() != rights->uid || getegid() != rights->gid)
		return wrong(why, rights->user, "root's rights are still there", EPERM);
	return 0;
}

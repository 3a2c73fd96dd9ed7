/* SPDX-License-Identifier: BSD-3-Clause */
/* --so_flags: NAME=VALUE by commas. */
#include "stack.h"

#include <stdio.h>
#include <stdlib.h>

static int complain(struct hf_error *why, const char *flag, const char *mend)
{
	snprintf(why->text, sizeof(why->text), "so_flags: \"%.80s\": %.120s", flag, mend);
	return -EINVAL;
}

static int read_number(const char *flag, const char *text, uint64_t max, uint64_t *n,
		       struct hf_error *why)
{
	char mend[80], *end;

	errno = 0;
	*n = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *n <= max)
		return 0;
	snprintf(mend, sizeof(mend), "a number from 0 to %llu", (unsigned long long)max);
	return complain(why, flag, mend);
}

static int read_local(const char *flag, const char *text, struct flags *flags, struct hf_error *why)
{
	struct hf_addr addr;

	if (hf_addr_parse(text, &addr) != 0 || addr.port != 0)
		return complain(why, flag, "an IPv4 or IPv6 address without a port");
	flags->local[addr.ip.version == 6] = addr.ip;
	return 0;
}

static int read_rwnd(const char *flag, const char *text, struct flags *flags, struct hf_error *why)
{
	uint64_t n = 0;
	const int rc = read_number(flag, text, UINT32_MAX, &n, why);

	flags->rwnd = (uint32_t)n;
	return rc;
}

/* What has no name here is a key of profiles. */
static int read_flag(const char *flag, const char *text, struct flags *flags, struct hf_error *why)
{
	const size_t len = (size_t)(text - flag) - 1;
	const char *const names[] = { "local", "statefile", "rwnd", "seed", "profile" };
	size_t which = 0;

	while (which < 5 && (strlen(names[which]) != len || strncmp(flag, names[which], len) != 0))
		which++;
	switch (which) {
	case 0:
		return read_local(flag, text, flags, why);
	case 1:
		snprintf(flags->statefile, sizeof(flags->statefile), "%s", text);
		return 0;
	case 2:
		return read_rwnd(flag, text, flags, why);
	case 3:
		return read_number(flag, text, UINT64_MAX, &flags->seed, why);
	case 4:
		return profile_read(text, &flags->settings, why);
	default:
		return config_set(&flags->settings, flag, why);
	}
}

static int read_flags(char *text, struct flags *flags, struct hf_error *why)
{
	char *rest = NULL;
	int rc = 0;

	for (char *flag = strtok_r(text, ",", &rest); flag != NULL && rc == 0;
	     flag = strtok_r(NULL, ",", &rest)) {
		const char *const equals = strchr(flag, '=');

		if (strcmp(flag, "poll") == 0)
			flags->poll = true;
		else if (equals == NULL)
			rc = complain(why, flag, "NAME=VALUE, or poll");
		else
			rc = read_flag(flag, equals + 1, flags, why);
	}
	return rc;
}

int flags_read(const char *text, struct flags *flags, struct hf_error *why)
{
	char *copy = strdup(text);
	struct hf_addr addr;
	int rc;

	if (copy == NULL)
		return -ENOMEM;
	memset(flags, 0, sizeof(*flags));
	config_defaults(&flags->settings);
	hf_addr_parse("192.168.0.1", &addr); /* packetdrill's own defaults */
	flags->local[0] = addr.ip;
	hf_addr_parse("fd3d:fa7b:d17d::1", &addr);
	flags->local[1] = addr.ip;
	rc = read_flags(copy, flags, why);
	free(copy);
	return rc;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A handfast that runs elsewhere on this machine, as this user, found by its telemetry socket and asked over it
 * (docs/telemetry.md). Used by ss.c and top.c.
 */
#ifndef HF_APP_INSTANCE_H
#define HF_APP_INSTANCE_H

#include <jansson.h>

#include "handfast.h"

struct instance {
	int socket;
	long pid;
	char command[32]; /* "serve" */
	char prefix[64];  /* EAL's --file-prefix */
};

/**
 * Find the one that is meant.
 * @param prefix  EAL's --file-prefix, or "": any
 * @param pid     or 0: any
 * @return 0; -ENOENT none runs; -EEXIST more than one does, why lists them
 */
int instance_open(const char *prefix, long pid, struct instance *in, struct hf_error *why);
void instance_close(struct instance *in);

/**
 * Ask it: instance_ask(in, &why, "/handfast/connections,%u", 0).
 * @return the answer, the caller's to json_decref; NULL, why says what is wrong
 */
__attribute__((format(printf, 3, 4))) json_t *instance_ask(struct instance *in, struct hf_error *why,
							   const char *format, ...);

/** A number of an answer, 0 when it is not there. */
static inline uint64_t instance_number(const json_t *answer, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(answer, name));
}

static inline const char *instance_text(const json_t *answer, const char *name)
{
	const char *const text = json_string_value(json_object_get(answer, name));

	return text ? text : "";
}

#endif

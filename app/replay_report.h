/* SPDX-License-Identifier: BSD-3-Clause */
/* What came of a replay, for people and, by --json, for programs. Called by replay.c. */
#ifndef HF_APP_REPLAY_REPORT_H
#define HF_APP_REPLAY_REPORT_H

#include "script.h"

struct replay_sum {
	const struct settings *s;
	const struct hf_worker *w;
	const struct script *script;
	uint64_t us;	  /* of virtual time */
	uint64_t in, out; /* frames */
	uint64_t cut, refused,
		back; /* ... captured in part, too long, stamped earlier than the one before */
};

void replay_print(const struct replay_sum *sum, FILE *out);

/** As docs/replay.schema.json says; the same input and seed, the same octets. "-" is stdout. @return 0 or -1, errno set */
int replay_json(const struct replay_sum *sum, const char *path);

#endif

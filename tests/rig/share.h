/* SPDX-License-Identifier: BSD-3-Clause */
/* How much of a row to run: test_NAME [SEED OPERATIONS [PATTERN]]; CI's share and its seed without (script/soak). */
#ifndef HF_RIG_SHARE_H
#define HF_RIG_SHARE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct share {
	uint64_t seed;	     /* added to the test's own; 0 in CI */
	uint32_t operations; /* at most 2^31 */
};

static inline struct share share_of(int argc, char **argv, uint32_t usual)
{
	struct share share = { .operations = usual };

	if (argc > 2) {
		share.seed = strtoull(argv[1], NULL, 10);
		share.operations = (uint32_t)strtoul(argv[2], NULL, 10);
	}
	if (argc > 3)
		cmocka_set_test_filter(argv[3]);
	return share;
}

#endif

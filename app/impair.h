/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of --impair; read by value.c to judge it and by plan.c to use it. docs/impair.md is its page. */
#ifndef HF_APP_IMPAIR_H
#define HF_APP_IMPAIR_H

#include "handfast.h"

/**
 * Read "loss=1%,dup=0.1%,reorder=2%,delay=5ms±1ms,in:corrupt=0.01%,rule=drop:out:fin:1".
 * @param impair  out: all but the seed; untouched when the text is wrong
 * @return 0; -EINVAL, why says what
 */
int impair_parse(const char *text, struct hf_impair *impair, struct hf_error *why);

/** Frames that may wait each way. */
static inline uint32_t impair_frames(const struct hf_impair *impair)
{
	return impair->hold ? impair->hold : HF_IMPAIR_HOLD;
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The one line a set-up call leaves behind when it fails. Used by every file of io/. */
#ifndef HF_WHY_H
#define HF_WHY_H

#include <stdarg.h>
#include <stdio.h>

#include "handfast.h"

/* Write what was wrong, where and how to mend it; why may be NULL. @return error */
__attribute__((format(printf, 3, 4))) static inline int why_say(struct hf_error *why, int error,
								const char *format, ...)
{
	va_list arguments;

	if (why != NULL) {
		va_start(arguments, format);
		vsnprintf(why->text, sizeof(why->text), format, arguments);
		va_end(arguments);
	}
	return error;
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files that a command was told to write, seen to before any is opened: each has a place to be, and none is
 * another one of them or one that is read. Called by run.c and replay.c.
 */
#ifndef HF_APP_FILES_H
#define HF_APP_FILES_H

#include "config.h"

/** Before anything is opened. What is no regular file, as /dev/null, may be given twice. @return 0; -EINVAL, why says
 *  which option cannot be written, or which two are one file */
int files_check(const struct settings *s, struct hf_error *why);

/** Those that are opened at the end only: whether whoever we have become may. @return 0; -EINVAL */
int reports_check(const struct settings *s, struct hf_error *why);

#endif

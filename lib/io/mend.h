/* SPDX-License-Identifier: BSD-3-Clause */
/* What to do about an environment that lacks something: half of the line that a failed start leaves
 * behind. env.c and port.c use it. */
#ifndef HF_MEND_H
#define HF_MEND_H

#include <stddef.h>

#define MEND_ROOM 160 /* is enough for any of them */

/**
 * @param device     a vdev's or PCI device's name, arguments may follow; NULL: EAL itself failed
 * @param complaint  what the log says of it
 * @return line: how to mend it; never empty
 */
const char *mend_line(const char *device, const char *complaint, char *line, size_t room);

#endif

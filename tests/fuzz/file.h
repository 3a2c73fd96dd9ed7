/* SPDX-License-Identifier: BSD-3-Clause */
/* An input as a file with a name, for what reads files. */
#ifndef FUZZ_FILE_H
#define FUZZ_FILE_H

#include <stddef.h>
#include <stdint.h>

struct fuzz_file {
	int fd;
	char path[32];
};

void file_make(struct fuzz_file *file, const uint8_t *data, size_t len);
void file_drop(struct fuzz_file *file);

#endif

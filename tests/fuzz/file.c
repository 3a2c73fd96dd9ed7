/* SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void file_make(struct fuzz_file *file, const uint8_t *data, size_t len)
{
	file->fd = memfd_create("input", MFD_CLOEXEC);
	if (file->fd < 0 || write(file->fd, data, len) != (ssize_t)len)
		abort();
	snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
}

void file_drop(struct fuzz_file *file)
{
	close(file->fd);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs a target over files and directories of inputs, without libFuzzer: its corpus as a test, and what
 * libFuzzer has found under a debugger. Whatever is wrong aborts. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

/* No mutation happens here. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t max)
{
	(void)data;
	(void)max;
	return len;
}

static bool replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	struct stat status;
	bool read = false;

	if (file == NULL || fstat(fileno(file), &status) != 0 || status.st_size < 0) {
		perror(path);
	} else {
		const size_t len = (size_t)status.st_size;

		data = malloc(len > 0 ? len : 1); /* of its size: reading on is seen */
		read = data != NULL && fread(data, 1, len, file) == len;
		if (read)
			LLVMFuzzerTestOneInput(data, len);
	}
	free(data);
	if (file != NULL)
		fclose(file);
	return read;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* In the order of their names. @return how many inputs; -1 one could not be read */
static int replay(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, not_hidden, alphasort);
	int done = 0;

	if (n < 0)
		return replay_file(path) ? 1 : -1;
	for (int i = 0; i < n; i++) {
		char *name;

		if (asprintf(&name, "%s/%s", path, entries[i]->d_name) < 0)
			abort();
		done = done >= 0 && replay_file(name) ? done + 1 : -1;
		free(name);
		free(entries[i]);
	}
	free(entries);
	return done;
}

int main(int argc, char **argv)
{
	int total = 0;

	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		const int n = replay(argv[i]);

		if (n < 0)
			return 1;
		total += n;
	}
	printf("%d inputs\n", total);
	return total > 0 ? 0 : 1;
}

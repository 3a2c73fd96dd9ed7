/* SPDX-License-Identifier: BSD-3-Clause */
/* A capture of any octets, as `replay` and `trace` read them: refused in one line, or read to its end. */
#include <stdlib.h>
#include <string.h>

#include "capfile.h"
#include "fuzz/file.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void expect_said(const struct hf_error *why)
{
	if (why->text[0] == '\0' || strchr(why->text, '\n'))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_error why = { "" };
	struct capfile_frame frame;
	struct capfile *c = NULL;
	struct fuzz_file file;
	int rc;

	file_make(&file, data, len);
	rc = capfile_open(file.path, NULL, &c, &why);
	if (rc < 0) {
		expect_said(&why);
	} else {
		unsigned sum = 0;

		capfile_link(c);
		while ((rc = capfile_read(c, &frame, &why)) == 1) {
			for (uint32_t i = 0; i < frame.len; i++)
				sum += frame.octets[i];
		}
		if (rc < 0)
			expect_said(&why);
		capfile_close(c, &why);
		if (sum == UINT32_MAX) /* all octets are there */
			abort();
	}
	file_drop(&file);
	return 0;
}

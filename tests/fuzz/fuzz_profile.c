/* SPDX-License-Identifier: BSD-3-Clause */
/* A profile of any octets: refused in one line, or taken; and what was taken is written as a profile that reads
 * back the same. */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "fuzz/file.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* @return config_print's text, to be freed */
static char *print(const struct settings *s, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (!out)
		abort();
	config_print(s, out);
	fclose(out);
	return text;
}

static void expect_reads_back(const struct settings *s)
{
	struct hf_error why = { "" };
	struct settings again;
	struct fuzz_file file;
	size_t len, len_again;
	char *text = print(s, &len), *text_again;

	config_defaults(&again);
	file_make(&file, (const uint8_t *)text, len);
	if (profile_read(file.path, &again, &why) < 0) {
		fprintf(stderr, "%s\n%s", why.text, text);
		abort();
	}
	file_drop(&file);
	text_again = print(&again, &len_again);
	if (len != len_again || memcmp(text, text_again, len) != 0)
		abort();
	free(text);
	free(text_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_error why = { "" };
	struct settings s;
	struct fuzz_file file;
	int rc;

	config_defaults(&s);
	file_make(&file, data, len);
	rc = profile_read(file.path, &s, &why);
	file_drop(&file);
	if (rc < 0 && (why.text[0] == '\0' || strchr(why.text, '\n')))
		abort();
	if (rc == 0)
		expect_reads_back(&s);
	return 0;
}

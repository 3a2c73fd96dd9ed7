/* SPDX-License-Identifier: BSD-3-Clause */
/* What options and operands call files, one list of them all; see files.h. */
#include "files.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

#define FILES (5 + LATENCIES)

enum use { IS_READ, WRITTEN, WRITTEN_AT_THE_END };

struct named {
	const char *option;
	enum use use;
	char path[PATH_MAX];
};

static void add(struct named named[FILES], unsigned *n, const char *option, enum use use,
		const char *path)
{
	struct named *const f = &named[*n];

	if (!path || !path[0])
		return;
	f->option = option;
	f->use = use;
	snprintf(f->path, sizeof(f->path), "%s", path);
	(*n)++;
}

/* @return how many there are */
static unsigned list(const struct settings *s, struct named named[FILES])
{
	char path[PATH_MAX];
	unsigned n = 0;

	profile_path(s->profile, path);
	add(named, &n, "-c", IS_READ, s->profile[0] ? path : "");
	add(named, &n, "IN", IS_READ, s->replay.in);
	add(named, &n, "OUT", WRITTEN, s->replay.out);
	add(named, &n, "--capture", WRITTEN, s->capture);
	add(named, &n, "--json", WRITTEN_AT_THE_END, strcmp(s->json, "-") == 0 ? "" : s->json);
	for (unsigned i = 0; i < LATENCIES && s->hgrm[0]; i++) {
		report_hgrm_path(s->hgrm, i, path);
		add(named, &n, "--hgrm", WRITTEN_AT_THE_END, path);
	}
	return n;
}

static int can_write(const struct named *f, struct hf_error *why)
{
	char directory[PATH_MAX];
	struct stat there;

	snprintf(directory, sizeof(directory), "%s", f->path);
	if (stat(f->path, &there) == 0 && S_ISDIR(there.st_mode))
		errno = EISDIR;
	else if (access(f->path, W_OK) == 0 ||
		 (errno == ENOENT && access(dirname(directory), W_OK) == 0))
		return 0;
	snprintf(why->text, sizeof(why->text), "%s: %.160s: %s", f->option, f->path, strerror(errno));
	return -EINVAL;
}

static int can_write_all(const struct named *named, unsigned n, enum use first, struct hf_error *why)
{
	for (unsigned i = 0; i < n; i++)
		if (named[i].use >= first && can_write(&named[i], why) < 0)
			return -EINVAL;
	return 0;
}

/* Of a file that is not there, and whose directory is, realpath(3) gives the name all the same. */
static bool resolve(const char *path, char name[PATH_MAX])
{
	return realpath(path, name) || errno == ENOENT;
}

static bool one_file(const struct named *a, const struct named *b)
{
	char name[2][PATH_MAX];
	struct stat x, y;
	const bool has_a = stat(a->path, &x) == 0, has_b = stat(b->path, &y) == 0;

	if (has_a != has_b)
		return false;
	if (has_a)
		return S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
	return resolve(a->path, name[0]) && resolve(b->path, name[1]) &&
	       strcmp(name[0], name[1]) == 0;
}

static int differ(const struct named *a, const struct named *b, struct hf_error *why)
{
	if ((a->use == IS_READ && b->use == IS_READ) || !one_file(a, b))
		return 0;
	snprintf(why->text, sizeof(why->text), "%s and %s are one file, %.160s; give two",
		 a->option, b->option, b->path);
	return -EINVAL;
}

int files_check(const struct settings *s, struct hf_error *why)
{
	struct named named[FILES];
	const unsigned n = list(s, named);

	if (strcmp(s->capture, "-") == 0) {
		snprintf(why->text, sizeof(why->text), "--capture: '-' is no capture; give a file");
		return -EINVAL;
	}
	if (can_write_all(named, n, WRITTEN, why) < 0)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < i; k++)
			if (differ(&named[k], &named[i], why) < 0)
				return -EINVAL;
	return 0;
}

int reports_check(const struct settings *s, struct hf_error *why)
{
	struct named named[FILES];
	const unsigned n = list(s, named);

	return can_write_all(named, n, WRITTEN_AT_THE_END, why);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packetdrill loads us with RTLD_DEEPBIND: what we need is then looked up in our own libraries before the
 * program's. EAL so reads libc's optarg, while libc's getopt_long writes the program's copy of it (the program
 * uses it too: a copy relocation), and EAL finds no argument to any of its options. These stand before both: EAL
 * binds to them, and is handed what libc has written. Loaded plainly, nobody binds to them.
 */
#include <dlfcn.h>
#include <getopt.h>
#include <stddef.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT char *optarg;
EXPORT int optind = 1, opterr = 1, optopt;

typedef int getopt_long_fn(int argc, char *const *argv, const char *shorts,
			   const struct option *longs, int *which);

/* The library of a symbol that is none of ours, and the program before it. */
static void *of_libc(const char *name)
{
	void *const libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	void *const symbol = libc == NULL ? NULL : dlsym(libc, name);

	if (libc != NULL)
		dlclose(libc);
	return symbol;
}

EXPORT int getopt_long(int argc, char *const *argv, const char *shorts, const struct option *longs,
		       int *which)
{
	void *const program = dlopen(NULL, RTLD_NOW);
	getopt_long_fn *const real = (getopt_long_fn *)of_libc("getopt_long");
	char **const its_optarg = dlsym(program, "optarg");
	int *const its_optind = dlsym(program, "optind");
	int found = -1;

	if (real != NULL && its_optarg != NULL && its_optind != NULL) {
		*its_optind = optind;
		found = real(argc, argv, shorts, longs, which);
		optarg = *its_optarg;
		optind = *its_optind;
	}
	dlclose(program);
	return found;
}

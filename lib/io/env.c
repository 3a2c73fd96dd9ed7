/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starting DPDK: with hugepages where they are free, without them and without any rights where not;
 * devices and cores as the caller names them; a runtime directory that is ours. What EAL has to say
 * is kept for the case that it fails.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "io/cores.h"
#include "io/env.h"
#include "io/hold.h"
#include "io/listener.h"
#include "io/mend.h"
#include "io/why.h"

#define MEMORY_MB 64 /* what EAL takes without hugepages when nobody says */

/* ---- What the user's own EAL options speak of -------------------------------------------- */

static const char *const memory_options[] = {
	"-m",
	"--no-huge",
	"--in-memory",
	"--socket-mem",
	"--socket-limit",
	"--huge-dir",
	"--huge-unlink",
	"--legacy-mem",
	"--single-file-segments",
	"--match-allocations",
	NULL,
};
static const char *const core_options[] = { "-c", "-l", "-s", "-S", "--lcores", "--main-lcore", NULL };
static const char *const pci_options[] = { "-a", "-b", "--allow", "--block", "--no-pci", NULL };
static const char *const log_options[] = { "--log-level", NULL };
static const char *const help_options[] = { "-h", "--help", NULL };

/* "-m64" and "--socket-mem=64" too. */
static bool option_is(const char *argument, const char *option)
{
	const size_t len = strlen(option);
	const bool is_long = option[1] == '-';

	if (strncmp(argument, option, len) != 0)
		return false;
	return !is_long || argument[len] == '\0' || argument[len] == '=';
}

static bool env_speaks_of(const struct hf_env *env, const char *const *options)
{
	for (int i = 0; i < env->eal_count; i++)
		for (const char *const *option = options; *option != NULL; option++)
			if (option_is(env->eal[i], *option))
				return true;
	return false;
}

/* ---- The machine ------------------------------------------------------------------------- */

/* Whether so much can be mapped in free hugepages of this size. */
static bool hugepages_free(uint32_t memory_mb, int shift)
{
	const size_t page = (size_t)1 << shift;
	const size_t size = (((size_t)memory_mb << 20) + page - 1) & ~(page - 1);
	void *pages =
		mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | shift << MAP_HUGE_SHIFT, -1, 0);

	if (pages == MAP_FAILED)
		return false;
	munmap(pages, size);
	return true;
}

static bool directory_is_ours(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
	       (status.st_mode & (S_IWGRP | S_IWOTH)) == 0 && access(path, W_OK) == 0;
}

/*
 * EAL puts its sockets under /var/run for root and else under XDG_RUNTIME_DIR or /tmp/dpdk, which
 * belongs to the first user who came. Where that does not serve, name a directory of this user's.
 */
static void runtime_directory(void)
{
	const char *given = getuid() == 0 ? "/var/run" : getenv("XDG_RUNTIME_DIR");
	char path[64];

	if (getenv("RUNTIME_DIRECTORY") != NULL || (given != NULL && access(given, W_OK) == 0))
		return;
	snprintf(path, sizeof(path), "/tmp/handfast-%u", geteuid());
	mkdir(path, S_IRWXU);
	if (directory_is_ours(path))
		setenv("RUNTIME_DIRECTORY", path, 0);
}

/* DPDK leaves the socket to its directory's rights, and that may be an older one of somebody's (SEC-37). */
void telemetry_socket_is_ours(void)
{
	DIR *const open = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (open != NULL && (entry = readdir(open)) != NULL) {
		struct sockaddr_un addr = { .sun_family = AF_UNSPEC };
		socklen_t len = sizeof(addr) - 1;

		if (getsockname((int)strtol(entry->d_name, NULL, 10), (struct sockaddr *)&addr,
				&len) == 0 &&
		    addr.sun_family == AF_UNIX && strstr(addr.sun_path, "/dpdk_telemetry.v2"))
			chmod(addr.sun_path, S_IRUSR | S_IWUSR);
	}
	if (open != NULL)
		closedir(open);
}

/* ---- What went wrong --------------------------------------------------------------------- */

/* A vdev that failed to probe leaves EAL running: ask for each by its name. */
static int devices_check(const struct hf_env *env, const char *complaint, struct hf_error *why)
{
	for (int i = 0; i < env->vdev_count; i++) {
		const char *vdev = env->vdevs[i];
		char name[RTE_ETH_NAME_MAX_LEN], line[MEND_ROOM];
		uint16_t id;

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(vdev, ","), vdev);
		if (rte_eth_dev_get_port_by_name(name, &id) != 0)
			return why_say(why, -ENODEV, "%s does not start: %s; %s", name, complaint,
				       mend_line(name, complaint, line, sizeof(line)));
	}
	return 0;
}

/* ---- The start --------------------------------------------------------------------------- */

/* EAL's arguments, each with its NUL. */
static void arguments_write(FILE *out, const struct hf_env *env, const char *lcores)
{
	const uint32_t memory_mb = env->memory_mb > 0 ? env->memory_mb : MEMORY_MB;
	const bool memory = !env_speaks_of(env, memory_options);
	const bool hugepages = hugepages_free(memory_mb, 21) || hugepages_free(memory_mb, 30);

	fprintf(out, "%s%c", env->program == NULL ? "handfast" : env->program, 0);
	if (!env_speaks_of(env, core_options))
		fprintf(out, "--lcores%c%s%c", 0, lcores, 0);
	if (!env_speaks_of(env, log_options))
		fprintf(out, "--log-level%cerror%c", 0, 0);
	if (memory && hugepages)
		fprintf(out, "--in-memory%c", 0);
	if (memory && !hugepages)
		fprintf(out, "--no-huge%c--no-shconf%c", 0, 0);
	if (memory && !hugepages && !env_speaks_of(env, pci_options))
		fprintf(out, "--no-pci%c", 0);
	if (memory)
		fprintf(out, "-m%c%u%c", 0, memory_mb, 0);
	for (int i = 0; i < env->vdev_count; i++)
		fprintf(out, "--vdev%c%s%c", 0, env->vdevs[i], 0);
	for (int i = 0; i < env->eal_count; i++)
		fprintf(out, "%s%c", env->eal[i], 0);
}

/* @return 0; -EDOM: one of the user's options is wrong; or a negative errno of rte_eal_init */
static int eal_init(const struct hf_env *env, char *arguments, size_t size)
{
	char **argv = calloc(size + 1, sizeof(char *)); /* each has its NUL: no more than size */
	int argc = 0, error = 0, out;
	bool usage;

	if (argv == NULL)
		return -ENOMEM;
	for (char *at = arguments; at < arguments + size; at += strlen(at) + 1)
		argv[argc++] = at;
	out = env_speaks_of(env, help_options) ? -1 : hold_stdout();
	if (rte_eal_init(argc, argv) < 0)
		error = rte_errno > 0 ? -rte_errno : -EINVAL;
	usage = hold_stdout_end(out);
	free(argv);
	return error == -EINVAL && usage && env->eal_count > 0 ? -EDOM : error;
}

static int eal_start(const struct hf_env *env, const struct cores *cores)
{
	char *lcores = cores_option(cores), *arguments = NULL;
	size_t size;
	FILE *out = open_memstream(&arguments, &size);
	int error = -ENOMEM;

	if (lcores != NULL && out != NULL)
		arguments_write(out, env, lcores);
	if (out != NULL && fclose(out) == 0 && lcores != NULL)
		error = eal_init(env, arguments, size);
	free(arguments);
	free(lcores);
	return error;
}

/* EAL stops at a device whose driver it does not have, and only then says ENODEV. */
static void eal_complain(const struct hf_env *env, int error, const char *complaint,
			 struct hf_error *why)
{
	const bool device = error == -ENODEV && env->vdev_count > 0;
	char line[MEND_ROOM];

	if (error == -EDOM) {
		why_say(why, error, "EAL does not take the options before --: %s", complaint);
		return;
	}
	why_say(why, error, "EAL does not start: %s: %s; %s", rte_strerror(-error), complaint,
		mend_line(device ? env->vdevs[0] : NULL, complaint, line, sizeof(line)));
}

int hf_env_start(const struct hf_env *env, struct hf_error *why)
{
	const bool quiet = !env_speaks_of(env, log_options);
	struct hold hold = { .held = NULL, .errors = -1 };
	struct cores cores;
	int error = cores_read(env->cores, &cores, why);

	if (error != 0)
		return error;
	if (env->cores != NULL && env_speaks_of(env, core_options))
		return why_say(why, -EINVAL, "cores: \"%s\" and EAL's own option; leave one out",
			       env->cores);
	runtime_directory();
	if (quiet)
		hold_begin(&hold);
	cores_leave_signals();
	error = eal_start(env, &cores);
	if (error != 0) {
		eal_complain(env, error, hold_complaint(&hold), why);
	} else {
		cores_take_signals();
		error = devices_check(env, hold_complaint(&hold), why);
		if (error != 0)
			hf_env_stop();
		else
			listener_mind(true);
	}
	hold_end(&hold);
	return error;
}

void hf_env_stop(void)
{
	interrupts_park();
	rte_eal_cleanup();
}

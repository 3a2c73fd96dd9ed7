/* SPDX-License-Identifier: BSD-3-Clause */
/* The program: EAL options, then a command with its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "replay.h"
#include "rights.h"
#include "run.h"
#include "ss.h"
#include "top.h"
#include "trace.h"

#include "commit.h"

static const char usage[] =
	"Usage: handfast [EAL options --] COMMAND [options]\n"
	"       handfast --version | --help | COMMAND --help\n\n"
	"Commands:\n"
	"  pair     open, use and close TCP connections between two ends in this process\n"
	"  serve    answer TCP connections from anywhere\n"
	"  load     open, use and close TCP connections with a server elsewhere\n"
	"  replay   answer the frames of a capture, under its own clock\n"
	"  trace    print the segments of a capture and the states they lead to\n"
	"  ss       list the connections of a running pair, serve or load, as ss does\n"
	"  top      show one live: rates, states, drops, books\n"
	"  config   check or print the settings\n"
	"  doctor   say what this machine lacks for them, and how to mend it\n\n"
	"EAL options come first and end with --, as in every DPDK program; none are needed.\n"
	"Exit status: 0 fine, 1 the run failed or its books do not balance, 2 usage or\n"
	"configuration, 3 the environment lacks something, 99 a threshold was missed,\n"
	"130 interrupted twice.\n";

static int config_command(const struct settings *s, const char *program)
{
	struct settings planned = *s;
	const enum command command = plan_command_for(&planned);
	struct rights rights;
	struct hf_error why;
	struct plan plan;

	if (s->check == s->print) {
		fprintf(stderr, "%s: config: give one of --check and --print\n", program);
		return STATUS_USAGE;
	}
	if (plan_make(&planned, command, plan_cores(s), &plan, &why) < 0 ||
	    (s->check && rights_look(&rights, s->user, &why) == -EINVAL)) {
		fprintf(stderr, "%s: %s\n", program, why.text);
		return STATUS_USAGE;
	}
	if (s->check) {
		printf("%s: fine\n", s->profile[0] ? s->profile : "built in");
		return STATUS_OK;
	}
	printf("# handfast %s: %s\n", hf_version(),
	       s->profile[0] ? s->profile : "the built-in settings");
	config_print(s, stdout);
	printf("\n# %s on this machine: %s layout, %u workers an end, %u connections in flight.\n"
	       "# T = %llu tuples. Memory: %.1f MiB of tables, %u MiB of DPDK's (%u mbufs an end",
	       plan_command(&plan), plan.split ? "split" : "local", plan.pairs, plan.concurrency,
	       (unsigned long long)plan.tuples, (double)plan_memory(&planned, &plan) / 1048576,
	       plan.memory_mb, plan.mbufs);
	if (command == COMMAND_PAIR)
		printf(", rings of %u", plan.ring);
	puts(").");
	return STATUS_OK;
}

static enum command command_of(const char *word)
{
	static const struct {
		const char *word;
		enum command command;
	} commands[] = {
		{ "pair", COMMAND_PAIR },     { "serve", COMMAND_SERVE },
		{ "load", COMMAND_LOAD },     { "replay", COMMAND_REPLAY },
		{ "trace", COMMAND_TRACE },   { "config", COMMAND_CONFIG },
		{ "doctor", COMMAND_DOCTOR },
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(word, commands[i].word) == 0)
			return commands[i].command;
	return 0;
}

static int command_run(int argc, char **argv, const char *program, const char *const *eal,
		       int eal_count)
{
	const enum command command = command_of(argv[0]);
	struct settings s;
	struct hf_error why;
	int rc;

	if (strcmp(argv[0], "ss") == 0)
		return ss_run(argc, argv, program);
	if (strcmp(argv[0], "top") == 0)
		return top_run(argc, argv, program);
	if (!command) {
		fprintf(stderr, "%s: '%.40s' is no command; --help lists them\n", program, argv[0]);
		return STATUS_USAGE;
	}
	config_defaults(&s);
	rc = options_read(command, argc, argv, &s, &why);
	if (rc < 0) {
		fprintf(stderr, "%s: %s\n", program, why.text);
		return STATUS_USAGE;
	}
	if (rc > 0)
		return STATUS_OK;
	s.live |= s.trace.explain; /* what is explained is shown */
	if (command == COMMAND_REPLAY)
		return replay_run(&s, program, eal, eal_count);
	if (command == COMMAND_DOCTOR)
		return doctor_run(&s, program, eal, eal_count);
	if (command == COMMAND_TRACE)
		return trace_run(&s, program);
	return command == COMMAND_CONFIG ? config_command(&s, program) :
					   run_command(&s, command, program, eal, eal_count);
}

/* What was closed must not become a device's or a socket's, or reports would go there: reading stands in for stdout, so
 * that writing still fails, and nothing for the others. */
static void standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null",
			     fd == 1 ? O_RDONLY : O_RDWR); /* the lowest number that is free */
}

static int run(int argc, char **argv, const char *program)
{
	int first = 1, eal = 0;

	if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
		printf("handfast %s (%s), DPDK %s\n", hf_version(), HF_COMMIT, HF_DPDK);
		return STATUS_OK;
	}
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(usage, stdout);
		return STATUS_OK;
	}
	if (argc > 1 && argv[1][0] == '-') { /* EAL's, up to -- */
		while (first < argc && strcmp(argv[first], "--") != 0)
			first++;
		if (first == argc) {
			fprintf(stderr,
				"%s: '%.60s' is no command, and EAL options end with --; see --help\n",
				program, argv[1]);
			return STATUS_USAGE;
		}
		eal = first++ - 1;
	}
	if (first >= argc) {
		fprintf(stderr, "%s: a command is missing; --help lists them\n", program);
		return STATUS_USAGE;
	}
	return command_run(argc - first, argv + first, program, (const char *const *)argv + 1, eal);
}

/* A report that nobody can read is a failure. */
int main(int argc, char **argv)
{
	static const char program[] = "handfast";
	int status;

	standard_files();
	status = run(argc, argv, program);
	errno = 0;
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == STATUS_OK) {
		fprintf(stderr, "%s: stdout: %s\n", program,
			errno ? strerror(errno) : "it did not take all of the report");
		status = STATUS_FAILED;
	}
	return status;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's log, held back while a start may fail; and stderr and stdout, where EAL and libbpf complain past the log.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_log.h>

#include "io/hold.h"

void hold_begin(struct hold *hold)
{
	const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	*hold = (struct hold){ .before = rte_log_get_stream(), .errors = -1 };
	if (nowhere >= 0) {
		hold->errors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (hold->errors >= 0)
			dup2(nowhere, STDERR_FILENO);
		close(nowhere);
	}
	hold->held = open_memstream(&hold->text, &hold->size);
	if (hold->held != NULL)
		rte_openlog_stream(hold->held);
}

const char *hold_complaint(struct hold *hold)
{
	const char *who;
	size_t len;

	if (hold->held == NULL || fflush(hold->held) != 0 || hold->size == 0)
		return "its log says why";
	hold->text[strcspn(hold->text, "\n")] = '\0';
	len = strlen(hold->text);
	if (len > 0 && hold->text[len - 1] == '.')
		hold->text[len - 1] = '\0';
	who = strstr(hold->text, ": ");
	return who != NULL ? who + strlen(": ") : hold->text;
}

void hold_end(struct hold *hold)
{
	if (hold->errors >= 0) {
		dup2(hold->errors, STDERR_FILENO);
		close(hold->errors);
	}
	if (hold->held == NULL)
		return;
	rte_openlog_stream(hold->before);
	(void)fclose(hold->held);
	free(hold->text);
}

int hold_stdout(void)
{
	const int held = memfd_create("stdout", MFD_CLOEXEC);
	int out = -1;

	(void)fflush(stdout);
	if (held < 0)
		return -1;
	out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (out >= 0)
		dup2(held, STDOUT_FILENO);
	close(held);
	return out;
}

bool hold_stdout_end(int out)
{
	bool printed;

	if (out < 0)
		return false;
	(void)fflush(stdout);
	printed = lseek(STDOUT_FILENO, 0, SEEK_CUR) > 0;
	dup2(out, STDOUT_FILENO);
	close(out);
	return printed;
}

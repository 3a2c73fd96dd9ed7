/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's log, held back while a start may fail.
 */
#include <stdlib.h>
#include <string.h>

#include <rte_log.h>

#include "io/hold.h"

void hold_begin(struct hold *hold)
{
	*hold = (struct hold){ .before = rte_log_get_stream() };
	hold->held = open_memstream(&hold->text, &hold->size);
	if (hold->held != NULL)
		rte_openlog_stream(hold->held);
}

const char *hold_complaint(struct hold *hold)
{
	const char *who;

	if (hold->held == NULL || fflush(hold->held) != 0 || hold->size == 0)
		return "its log says why";
	hold->text[strcspn(hold->text, "\n")] = '\0';
	who = strstr(hold->text, ": ");
	return who != NULL ? who + strlen(": ") : hold->text;
}

void hold_end(struct hold *hold)
{
	if (hold->held == NULL)
		return;
	rte_openlog_stream(hold->before);
	fclose(hold->held);
	free(hold->text);
}

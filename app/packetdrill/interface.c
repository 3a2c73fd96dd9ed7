/* SPDX-License-Identifier: BSD-3-Clause */
/* The one function that packetdrill looks up. */
#include <stdio.h>
#include <stdlib.h>

#include "stack.h"
#include "status.h"
#include "table.h"

/* What the last init made: a script that failed has not freed it. */
static struct stack *last;

static void call_free(void *stack)
{
	stack_free(stack);
	last = NULL;
}

/* Pipes have no place in a TCP. */
static int call_pipe(void *stack, int fds[2])
{
	(void)stack;
	(void)fds;
	return result(-ENOSYS);
}

static int call_splice(void *stack, int in, loff_t *in_at, int out, loff_t *out_at, size_t len,
		       unsigned flags)
{
	(void)stack;
	(void)in;
	(void)in_at;
	(void)out;
	(void)out_at;
	(void)len;
	(void)flags;
	return result(-ENOSYS);
}

void packetdrill_interface_init(const char *flags, struct pd_table *table)
{
	struct hf_error why = { "no memory" };

	stack_free(last);
	last = stack_new(flags, &why);
	if (last == NULL) {
		fprintf(stderr, "libhandfast_pd: %s\n", why.text);
		exit(STATUS_FAILED); /* what packetdrill takes for a failure */
	}
	table->stack = last;
	table->free = call_free;
	table->pipe = call_pipe;
	table->splice = call_splice;
	calls_fill(table);
	text_fill(table);
	options_fill(table);
	poll_fill(table);
	device_fill(table);
}

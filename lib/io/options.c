/* SPDX-License-Identifier: BSD-3-Clause */
/* What an application may want of one connection (hf_set), or of all that a listener will give. */
#include <errno.h>

#include "io/worker.h"

/* Room for the options of every segment and for text (RFC 9293 3.7.1, MUST-16). */
#define LEAST_MSS 64

static int set(struct hf_worker *w, struct tcb *tcb, enum hf_option option, uint32_t value)
{
	switch (option) {
	case HF_CORK:
		tcp_cork(tcb, value != 0);
		return 0;
	case HF_USER_TIMEOUT:
		if (value > INT32_MAX)
			return -EINVAL;
		tcp_set_user_timeout(&w->host, tcb, value);
		return 0;
	case HF_MSS:
		if (value < LEAST_MSS || value > UINT16_MAX)
			return -EINVAL;
		return tcp_set_mss(tcb, (uint16_t)value);
	}
	return -EINVAL;
}

int hf_set(struct hf_worker *w, uint64_t id, enum hf_option option, uint32_t value)
{
	struct connection *const c = connection_find(w, id);
	int rc;

	if (c == NULL || (c->tcb.flags & TCB_ORPHAN))
		return -EBADF;
	if (c->flags & CONN_DETACHED)
		return 0; /* nothing more will be sent */
	rc = set(w, &c->tcb, option, value);
	if (rc == 0)
		connection_owe(w, (handle)id, c); /* what waited may go now, and a timer may be nearer */
	return rc;
}

int hf_set_listener(struct hf_worker *w, uint32_t listener, enum hf_option option, uint32_t value)
{
	if (!listener_is(w, listener))
		return -EBADF;
	if (option != HF_MSS || value < LEAST_MSS || value > UINT16_MAX)
		return -EINVAL;
	w->listeners.at[listener].mss = (uint16_t)value;
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors: each is an eventfd of the kernel's, so that its number is ours and the host may close it, and
 * stands for a listener or a connection of the engine. Here events come to them, and what is ready is told. */
#include "stack.h"

#include <sys/eventfd.h>
#include <unistd.h>

struct sock *sock_new(struct stack *s, enum sock_kind kind)
{
	for (struct sock *sock = s->socks; sock < s->socks + SOCKS; sock++) {
		if (sock->kind != SOCK_NONE)
			continue;
		memset(sock, 0, sizeof(*sock));
		sock->fd = eventfd(0, EFD_CLOEXEC);
		if (sock->fd < 0)
			return NULL;
		sock->kind = kind;
		sock->cookie = ++s->cookies;
		for (unsigned i = 0; i < WATCHES; i++)
			sock->watches[i].fd = -1;
		return sock;
	}
	errno = EMFILE;
	return NULL;
}

struct sock *sock_find(struct stack *s, int fd)
{
	for (struct sock *sock = s->socks; sock < s->socks + SOCKS; sock++)
		if (sock->kind != SOCK_NONE && sock->fd == fd)
			return sock;
	errno = EBADF;
	return NULL;
}

void sock_free(struct stack *s, struct sock *sock)
{
	if (sock->kind == SOCK_NONE)
		return;
	poll_forget(s, sock->fd);
	close(sock->fd);
	sock->kind = SOCK_NONE;
}

int sock_take_error(struct sock *sock)
{
	const int error = sock->error;

	sock->error = 0;
	return error;
}

/* ---- What the engine tells --------------------------------------------------------------------- */

static struct sock *by_cookie(struct stack *s, uint64_t cookie)
{
	for (struct sock *sock = s->socks; sock < s->socks + SOCKS; sock++)
		if (sock->kind != SOCK_NONE && sock->cookie == cookie)
			return sock;
	return NULL;
}

void sock_event(struct stack *s, const struct hf_event *event)
{
	struct sock *const sock = by_cookie(s, event->cookie);

	if (sock == NULL)
		return; /* closed by its application */
	if (sock->short_of_room || (event->what & ~(uint32_t)(HF_EV_SENT | HF_EV_SUSPECT)))
		sock->news++;
	if (event->what & (HF_EV_SENT | HF_EV_WRITABLE))
		sock->short_of_room = false;
	if (event->what & HF_EV_ACCEPT) {
		sock->waiting++;
		return;
	}
	if (event->what & HF_EV_CONNECTED)
		sock->connected = true;
	if (event->what & HF_EV_EOF)
		sock->eof = true;
	if (event->what & HF_EV_WRITABLE)
		sock->full = false;
	if (event->what & HF_EV_CLOSED) {
		sock->over = true;
		sock->error = event->error;
	}
}

void sock_status(const struct stack *s, const struct sock *sock, struct hf_status *status)
{
	memset(status, 0, sizeof(*status));
	if (sock->kind == SOCK_CONNECTION && !sock->over)
		hf_status(s->w, sock->id, status);
	if (sock->kind == SOCK_LISTENER)
		status->state = HF_LISTEN;
}

/* ---- What is ready ----------------------------------------------------------------------------- */

#define READABLE (POLLIN | POLLRDNORM)
#define WRITABLE (POLLOUT | POLLWRNORM)

static bool writable(const struct sock *sock, const struct hf_status *status)
{
	const uint32_t queued = status->unsent + status->unacked;

	return sock->wr_shut || (!sock->full && (sock->snd_buf == 0 || queued < sock->snd_buf));
}

static short connection_ready(const struct stack *s, const struct sock *sock)
{
	struct hf_status status;
	short events = 0;

	if (sock->error != 0)
		events |= POLLERR;
	if (sock->over)
		return (short)(events | READABLE | WRITABLE | POLLRDHUP | POLLHUP);
	if (!sock->connected)
		return events;
	sock_status(s, sock, &status);
	if (status.readable > 0 || sock->eof || sock->rd_shut)
		events |= READABLE;
	if (sock->eof || sock->rd_shut)
		events |= POLLRDHUP;
	if ((sock->eof || sock->rd_shut) && sock->wr_shut)
		events |= POLLHUP;
	if (writable(sock, &status))
		events |= WRITABLE;
	return events;
}

short sock_ready(const struct stack *s, const struct sock *sock)
{
	switch (sock->kind) {
	case SOCK_CONNECTION:
		return connection_ready(s, sock);
	case SOCK_LISTENER:
		return sock->waiting > 0 ? READABLE : 0;
	case SOCK_FRESH: /* as Linux has it */
		return (short)(WRITABLE | POLLHUP | (sock->error != 0 ? POLLERR : 0));
	case SOCK_EPOLL:
	case SOCK_NONE:
		break;
	}
	return 0;
}

struct wish {
	const struct sock *sock;
	short events;
};

static bool wish_ready(struct stack *s, const void *arg)
{
	const struct wish *const wish = arg;

	return sock_ready(s, wish->sock) & (wish->events | POLLERR | POLLHUP);
}

int sock_wait(struct stack *s, const struct sock *sock, short events, bool dontwait,
	      uint64_t timeout_us)
{
	const struct wish wish = { .sock = sock, .events = events };

	if (sock->nonblock || dontwait)
		return EAGAIN;
	if (stack_wait(s, wish_ready, &wish, timeout_us == 0 ? NEVER : s->now_us + timeout_us))
		return 0;
	return timeout_us == 0 ? EDEADLK : EAGAIN;
}

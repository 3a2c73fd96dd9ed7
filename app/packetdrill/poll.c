/* SPDX-License-Identifier: BSD-3-Clause */
/* poll, and epoll as a list of watches: level, edge (EPOLLET: something has happened since it was told) and
 * one-shot. */
#include "stack.h"

#include <sys/epoll.h>

#include "table.h"

static uint64_t deadline(const struct stack *s, int timeout_ms)
{
	return timeout_ms < 0 ? NEVER : s->now_us + (uint64_t)timeout_ms * 1000;
}

struct polled {
	struct pollfd *fds;
	nfds_t count;
};

/* Fills in revents. @return how many are ready */
static int look(struct stack *s, const struct polled *polled)
{
	int ready = 0;

	for (struct pollfd *p = polled->fds; p < polled->fds + polled->count; p++) {
		const struct sock *const sock = p->fd < 0 ? NULL : sock_find(s, p->fd);

		p->revents = 0;
		if (sock != NULL) /* poll cannot be told to leave out the last two */
			p->revents = (short)(sock_ready(s, sock) & (p->events | POLLERR | POLLHUP));
		else if (p->fd >= 0)
			p->revents = POLLNVAL;
		ready += p->revents != 0;
	}
	return ready;
}

static bool polled_ready(struct stack *s, const void *arg)
{
	return look(s, arg) > 0;
}

static int call_poll(void *stack, struct pollfd *fds, nfds_t count, int timeout_ms)
{
	const struct polled polled = { .fds = fds, .count = count };
	struct stack *const s = stack_lock(stack);
	int ready = look(s, &polled);

	if (ready == 0 && timeout_ms != 0) {
		stack_wait(s, polled_ready, &polled, deadline(s, timeout_ms));
		ready = look(s, &polled);
	}
	stack_unlock(s);
	return ready == 0 && timeout_ms < 0 ? result(-EDEADLK) : ready;
}

/* ---- epoll ------------------------------------------------------------------------------------- */

static int call_epoll_create(void *stack, int size)
{
	struct stack *const s = stack_lock(stack);
	const struct sock *const sock = size > 0 ? sock_new(s, SOCK_EPOLL) : NULL;

	if (size <= 0)
		errno = EINVAL;
	stack_unlock(s);
	return sock == NULL ? -1 : sock->fd;
}

static struct watch *find_watch(struct sock *epoll, int fd)
{
	for (struct watch *watch = epoll->watches; watch < epoll->watches + WATCHES; watch++)
		if (watch->fd == fd)
			return watch;
	return NULL;
}

void poll_forget(struct stack *s, int fd)
{
	for (struct sock *epoll = s->socks; epoll < s->socks + SOCKS; epoll++) {
		struct watch *const watch = epoll->kind == SOCK_EPOLL ? find_watch(epoll, fd) : NULL;

		if (watch != NULL)
			watch->fd = -1;
	}
}

static int do_ctl(struct stack *s, int epfd, int op, int fd, const struct epoll_event *event)
{
	struct sock *const epoll = sock_find(s, epfd), *const sock = sock_find(s, fd);
	struct watch *watch;

	if (epoll == NULL || sock == NULL)
		return -EBADF;
	if (epoll->kind != SOCK_EPOLL || sock->kind == SOCK_EPOLL ||
	    (op != EPOLL_CTL_ADD && op != EPOLL_CTL_MOD && op != EPOLL_CTL_DEL))
		return -EINVAL;
	watch = find_watch(epoll, fd);
	if (op == EPOLL_CTL_ADD ? watch != NULL : watch == NULL)
		return op == EPOLL_CTL_ADD ? -EEXIST : -ENOENT;
	if (op == EPOLL_CTL_DEL) {
		watch->fd = -1;
		return 0;
	}
	if (op == EPOLL_CTL_ADD)
		watch = find_watch(epoll, -1);
	if (watch == NULL)
		return -ENOSPC;
	*watch = (struct watch){ .fd = fd,
				 .events = event->events | EPOLLERR | EPOLLHUP,
				 .data = event->data.u64,
				 .told = UINT64_MAX };
	return 0;
}

static int call_epoll_ctl(void *stack, int epfd, int op, int fd, struct epoll_event *event)
{
	struct stack *const s = stack_lock(stack);
	const int rc = do_ctl(s, epfd, op, fd, event);

	stack_unlock(s);
	return result(rc);
}

/* What one watch has to tell; the events of poll and of epoll have the same numbers. */
static uint32_t watch_ready(struct stack *s, const struct watch *watch)
{
	const struct sock *const sock = watch->fd < 0 ? NULL : sock_find(s, watch->fd);

	if (sock == NULL || ((watch->events & EPOLLET) && watch->told == sock->news))
		return 0;
	return (uint32_t)sock_ready(s, sock) & watch->events;
}

static int collect(struct stack *s, struct sock *epoll, struct epoll_event *events, int max)
{
	int n = 0;

	for (struct watch *watch = epoll->watches; watch < epoll->watches + WATCHES; watch++) {
		const uint32_t ready = watch_ready(s, watch);

		if (ready == 0 || n == max)
			continue;
		events[n].events = ready;
		events[n++].data.u64 = watch->data;
		watch->told = sock_find(s, watch->fd)->news;
		if (watch->events & EPOLLONESHOT)
			watch->events = 0;
	}
	return n;
}

static bool watches_ready(struct stack *s, const void *arg)
{
	const struct sock *const epoll = arg;

	for (unsigned i = 0; i < WATCHES; i++)
		if (watch_ready(s, &epoll->watches[i]) != 0)
			return true;
	return false;
}

static int do_wait(struct stack *s, int epfd, struct epoll_event *events, int max, int timeout_ms)
{
	struct sock *const epoll = sock_find(s, epfd);
	int n;

	if (epoll == NULL)
		return -EBADF;
	if (epoll->kind != SOCK_EPOLL || max <= 0)
		return -EINVAL;
	n = collect(s, epoll, events, max);
	if (n > 0 || timeout_ms == 0)
		return n;
	if (!stack_wait(s, watches_ready, epoll, deadline(s, timeout_ms)))
		return timeout_ms < 0 ? -EDEADLK : 0;
	return collect(s, epoll, events, max);
}

static int call_epoll_wait(void *stack, int epfd, struct epoll_event *events, int max, int timeout_ms)
{
	struct stack *const s = stack_lock(stack);
	const int rc = do_wait(s, epfd, events, max, timeout_ms);

	stack_unlock(s);
	return result(rc);
}

void poll_fill(struct pd_table *table)
{
	table->poll = call_poll;
	table->epoll_create = call_epoll_create;
	table->epoll_ctl = call_epoll_ctl;
	table->epoll_wait = call_epoll_wait;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* read to sendmsg: all of them come down to one send and one receive. */
#include "stack.h"

#include <stdlib.h>

#include "table.h"

/* ---- Receiving --------------------------------------------------------------------------------- */

/* What waits, without waiting. @return octets, 0 at the end, -EAGAIN, or why it cannot be */
static ssize_t take(struct stack *s, struct sock *sock, void *text, size_t room, bool peek)
{
	ssize_t n;

	if (sock->over && sock->eof)
		return 0; /* whatever came after the FIN */
	if (sock->error != 0)
		return -sock->error;
	if (sock->kind != SOCK_CONNECTION)
		return -ENOTCONN;
	if (sock->over)
		return 0;
	if (!sock->connected)
		return -EAGAIN;
	n = peek ? hf_peek(s->w, sock->id, text, room) : hf_recv(s->w, sock->id, text, room);
	return n == -EAGAIN && sock->rd_shut ? 0 : n;
}

/* What a call returns that has met n < 0 after `done` octets: an error waits until it is told. */
static ssize_t failed(struct sock *sock, ssize_t n, size_t done)
{
	if (done > 0)
		return (ssize_t)done;
	sock_take_error(sock);
	return n;
}

#define RECV_FLAGS (MSG_PEEK | MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL | MSG_CMSG_CLOEXEC)

static ssize_t do_recv(struct stack *s, int fd, void *text, size_t room, int flags)
{
	size_t done = 0;

	if ((flags & ~RECV_FLAGS) || (flags & (MSG_PEEK | MSG_WAITALL)) == (MSG_PEEK | MSG_WAITALL))
		return -EOPNOTSUPP;
	for (;;) {
		struct sock *const sock = sock_find(s, fd);
		ssize_t n;
		int rc;

		if (sock == NULL)
			return -EBADF;
		n = take(s, sock, (char *)text + done, room - done, flags & MSG_PEEK);
		if (n > 0)
			done += (size_t)n;
		if (n >= 0 && (n == 0 || done == room || !(flags & MSG_WAITALL)))
			break;
		if (n < 0 && n != -EAGAIN)
			return failed(sock, n, done);
		rc = sock_wait(s, sock, POLLIN, flags & MSG_DONTWAIT, sock->rcv_timeout_us);
		if (rc != 0 && done == 0)
			return -rc;
		if (rc != 0)
			break;
	}
	stack_turn(s); /* the window may have opened */
	return (ssize_t)done;
}

static ssize_t call_recv(void *stack, int fd, void *text, size_t room, int flags)
{
	struct stack *const s = stack_lock(stack);
	const ssize_t n = do_recv(s, fd, text, room, flags);

	stack_unlock(s);
	return result(n);
}

static ssize_t call_read(void *stack, int fd, void *text, size_t room)
{
	struct stack *const s = stack_lock(stack);
	const bool nothing = room == 0 && sock_find(s, fd) != NULL; /* so it does not wait */
	const ssize_t n = nothing ? 0 : do_recv(s, fd, text, room, 0);

	stack_unlock(s);
	return result(n);
}

static ssize_t call_recvfrom(void *stack, int fd, void *text, size_t room, int flags,
			     struct sockaddr *addr, socklen_t *len)
{
	(void)addr; /* a connected socket's is not written */
	if (len != NULL)
		*len = 0;
	return call_recv(stack, fd, text, room, flags);
}

static size_t iov_len(const struct iovec *iov, size_t count)
{
	size_t len = 0;

	for (size_t i = 0; i < count; i++)
		len += iov[i].iov_len;
	return len;
}

static ssize_t scatter(void *stack, int fd, const struct iovec *iov, size_t count, int flags)
{
	const size_t room = iov_len(iov, count);
	char *const text = malloc(room + 1);
	ssize_t n;
	size_t at = 0;

	if (text == NULL)
		return result(-ENOMEM);
	n = call_recv(stack, fd, text, room, flags);
	for (size_t i = 0; i < count && n > (ssize_t)at; i++) {
		const size_t left = (size_t)n - at;
		const size_t len = iov[i].iov_len < left ? iov[i].iov_len : left;

		memcpy(iov[i].iov_base, text + at, len);
		at += len;
	}
	free(text);
	return n;
}

static ssize_t call_readv(void *stack, int fd, const struct iovec *iov, int count)
{
	return count < 0 ? result(-EINVAL) : scatter(stack, fd, iov, (size_t)count, 0);
}

static ssize_t call_recvmsg(void *stack, int fd, struct msghdr *msg, int flags)
{
	msg->msg_namelen = 0;
	msg->msg_controllen = 0;
	msg->msg_flags = 0;
	return scatter(stack, fd, msg->msg_iov, msg->msg_iovlen, flags);
}

/* ---- Sending ----------------------------------------------------------------------------------- */

/* What there is room for, without waiting. @return octets, -EAGAIN, or why it cannot be */
static ssize_t give(struct stack *s, struct sock *sock, const char *text, size_t len)
{
	struct hf_status status;
	size_t room = len;
	ssize_t n;

	if (sock->error != 0)
		return -sock->error;
	if (sock->kind != SOCK_CONNECTION || sock->over || sock->wr_shut)
		return -EPIPE;
	if (!sock->connected)
		return -EAGAIN;
	sock_status(s, sock, &status);
	if (sock->snd_buf != 0 && status.unsent + status.unacked + len > sock->snd_buf)
		room = sock->snd_buf > status.unsent + status.unacked ?
			       sock->snd_buf - status.unsent - status.unacked :
			       0;
	n = room > 0 ? hf_send(s->w, sock->id, text, room) : 0;
	if (n >= 0 && (size_t)n < room)
		sock->full = true;
	if (n >= 0 && (size_t)n < len)
		sock->short_of_room = true;
	return n == 0 && len > 0 ? -EAGAIN : n;
}

#define SEND_FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE | MSG_EOR)

static ssize_t do_send(struct stack *s, int fd, const char *text, size_t len, int flags)
{
	size_t done = 0;

	if (flags & ~SEND_FLAGS)
		return -EOPNOTSUPP;
	do {
		struct sock *const sock = sock_find(s, fd);
		ssize_t n;
		int rc;

		if (sock == NULL)
			return -EBADF;
		sock->more = flags & MSG_MORE;
		sock_apply(s, sock);
		n = give(s, sock, text + done, len - done);
		if (n > 0)
			done += (size_t)n;
		stack_turn(s);
		if (n < 0 && n != -EAGAIN)
			return failed(sock, n, done);
		if (n >= 0 && done == len)
			break;
		rc = sock_wait(s, sock, POLLOUT, flags & MSG_DONTWAIT, sock->snd_timeout_us);
		if (rc != 0)
			return done > 0 ? (ssize_t)done : -rc;
	} while (done < len);
	return (ssize_t)done;
}

static ssize_t call_send(void *stack, int fd, const void *text, size_t len, int flags)
{
	struct stack *const s = stack_lock(stack);
	const ssize_t n = do_send(s, fd, text, len, flags);

	stack_unlock(s);
	return result(n);
}

static ssize_t call_write(void *stack, int fd, const void *text, size_t len)
{
	return call_send(stack, fd, text, len, 0);
}

static ssize_t call_sendto(void *stack, int fd, const void *text, size_t len, int flags,
			   const struct sockaddr *addr, socklen_t addr_len)
{
	(void)addr; /* ignored on a connected socket */
	(void)addr_len;
	return call_send(stack, fd, text, len, flags);
}

static ssize_t gather(void *stack, int fd, const struct iovec *iov, size_t count, int flags)
{
	const size_t len = iov_len(iov, count);
	char *const text = malloc(len + 1);
	ssize_t n;
	size_t at = 0;

	if (text == NULL)
		return result(-ENOMEM);
	for (size_t i = 0; i < count; i++) {
		memcpy(text + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	n = call_send(stack, fd, text, len, flags);
	free(text);
	return n;
}

static ssize_t call_writev(void *stack, int fd, const struct iovec *iov, int count)
{
	return count < 0 ? result(-EINVAL) : gather(stack, fd, iov, (size_t)count, 0);
}

static ssize_t call_sendmsg(void *stack, int fd, const struct msghdr *msg, int flags)
{
	if (msg->msg_controllen > 0)
		return result(-EOPNOTSUPP);
	return gather(stack, fd, msg->msg_iov, msg->msg_iovlen, flags);
}

void text_fill(struct pd_table *table)
{
	table->read = call_read;
	table->readv = call_readv;
	table->recv = call_recv;
	table->recvfrom = call_recvfrom;
	table->recvmsg = call_recvmsg;
	table->write = call_write;
	table->writev = call_writev;
	table->send = call_send;
	table->sendto = call_sendto;
	table->sendmsg = call_sendmsg;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* socket, bind, listen, accept, connect, shutdown, close. */
#include "stack.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "table.h"

/* ---- Addresses --------------------------------------------------------------------------------- */

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }; /* ::ffff:a.b.c.d (RFC 4291 2.5.5.2) */

static int read_addr(const struct sockaddr *sa, socklen_t len, struct hf_addr *addr)
{
	const struct sockaddr_in *const in = (const void *)sa;
	const struct sockaddr_in6 *const in6 = (const void *)sa;

	memset(addr, 0, sizeof(*addr));
	if (sa == NULL || len < sizeof(sa_family_t))
		return -EINVAL;
	if (sa->sa_family == AF_INET && len >= sizeof(*in)) {
		addr->ip.version = 4;
		memcpy(addr->ip.octets, &in->sin_addr, 4);
		addr->port = ntohs(in->sin_port);
		return 0;
	}
	if (sa->sa_family != AF_INET6 || len < sizeof(*in6))
		return sa->sa_family == AF_INET || sa->sa_family == AF_INET6 ? -EINVAL :
									       -EAFNOSUPPORT;
	addr->port = ntohs(in6->sin6_port);
	addr->ip.version = memcmp(&in6->sin6_addr, mapped, sizeof(mapped)) == 0 ? 4 : 6;
	if (addr->ip.version == 4)
		memcpy(addr->ip.octets, (const uint8_t *)&in6->sin6_addr + 12, 4);
	else
		memcpy(addr->ip.octets, &in6->sin6_addr, 16);
	return 0;
}

static void write_addr(int family, const struct hf_addr *addr, struct sockaddr *sa, socklen_t *len)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(addr->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(addr->port) };
	const void *from = &in;
	socklen_t size = sizeof(in);

	if (sa == NULL || len == NULL)
		return;
	if (family == AF_INET) {
		memcpy(&in.sin_addr, addr->ip.octets, 4);
	} else {
		from = &in6;
		size = sizeof(in6);
		if (addr->ip.version == 6) {
			memcpy(&in6.sin6_addr, addr->ip.octets, 16);
		} else {
			memcpy(&in6.sin6_addr, mapped, 12);
			memcpy((uint8_t *)&in6.sin6_addr + 12, addr->ip.octets, 4);
		}
	}
	memcpy(sa, from, *len < size ? *len : size);
	*len = size;
}

static bool all_zero(const struct hf_ip *ip)
{
	static const struct hf_ip zero;

	return memcmp(ip->octets, zero.octets, sizeof(zero.octets)) == 0;
}

/* ---- Opening ----------------------------------------------------------------------------------- */

static int call_socket(void *stack, int domain, int type, int protocol)
{
	struct stack *const s = stack_lock(stack);
	struct sock *sock = NULL;

	if (domain != AF_INET && domain != AF_INET6)
		errno = EAFNOSUPPORT;
	else if ((type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != SOCK_STREAM)
		errno = ESOCKTNOSUPPORT;
	else if (protocol != 0 && protocol != IPPROTO_TCP)
		errno = EPROTONOSUPPORT;
	else
		sock = sock_new(s, SOCK_FRESH);
	if (sock != NULL) {
		sock->family = domain;
		sock->nonblock = type & SOCK_NONBLOCK;
	}
	stack_unlock(s);
	return sock == NULL ? -1 : sock->fd;
}

/* Another socket of this port, and one of the two has not allowed it. */
static bool address_in_use(const struct stack *s, const struct sock *sock, const struct hf_addr *addr)
{
	for (const struct sock *other = s->socks; other < s->socks + SOCKS; other++)
		if (other != sock && other->kind != SOCK_NONE && other->bound &&
		    other->local.port == addr->port &&
		    (!other->reuse || !sock->reuse || other->kind == SOCK_LISTENER))
			return true;
	return false;
}

static int do_bind(struct stack *s, int fd, const struct sockaddr *sa, socklen_t len)
{
	struct sock *const sock = sock_find(s, fd);
	struct hf_addr addr;
	int rc;

	if (sock == NULL)
		return -EBADF;
	rc = read_addr(sa, len, &addr);
	if (rc != 0)
		return rc;
	if (sock->kind != SOCK_FRESH || sock->bound)
		return -EINVAL;
	if (addr.port != 0 && address_in_use(s, sock, &addr))
		return -EADDRINUSE;
	sock->local = addr;
	sock->bound = true;
	return 0;
}

static int call_bind(void *stack, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct stack *const s = stack_lock(stack);
	const int rc = do_bind(s, fd, addr, len);

	stack_unlock(s);
	return result(rc);
}

static int do_listen(struct stack *s, int fd)
{
	struct sock *const sock = sock_find(s, fd);
	int rc;

	if (sock == NULL)
		return -EBADF;
	if (sock->kind == SOCK_LISTENER)
		return 0;
	if (sock->kind != SOCK_FRESH)
		return -EINVAL;
	if (!sock->bound || sock->local.port == 0)
		return -EOPNOTSUPP; /* Linux would choose a port, which no packet could name here */
	rc = stack_need(s, all_zero(&sock->local.ip) ? &s->flags.local[sock->family == AF_INET6] :
						       &sock->local.ip);
	if (rc == 0)
		rc = hf_listen(s->w, &sock->local, sock->cookie, &sock->number);
	if (rc == 0) {
		sock->kind = SOCK_LISTENER;
		sock_apply(s, sock);
	}
	return rc;
}

static int call_listen(void *stack, int fd, int backlog)
{
	struct stack *const s = stack_lock(stack);
	const int rc = do_listen(s, fd);

	(void)backlog; /* tcp.syn_backlog and tcp.accept_queue of the profile hold */
	stack_turn(s);
	stack_unlock(s);
	return result(rc);
}

/* The listener's oldest connection as a sock of its own. */
static int adopt(struct stack *s, struct sock *listener)
{
	struct sock *const sock = sock_new(s, SOCK_CONNECTION);
	struct hf_status status;
	int rc;

	if (sock == NULL)
		return -errno;
	rc = hf_accept(s->w, listener->number, sock->cookie, &sock->id);
	if (rc != 0) { /* those who had been announced have gone again */
		listener->waiting = 0;
		sock_free(s, sock);
		return rc;
	}
	listener->waiting--;
	sock->family = listener->family;
	sock->connected = sock->bound = true;
	sock->reuse = listener->reuse;
	sock->mss = listener->mss;
	sock->nodelay = listener->nodelay;
	sock->cork = listener->cork;
	sock->rcv_timeout_us = listener->rcv_timeout_us;
	sock->snd_timeout_us = listener->snd_timeout_us;
	sock->user_timeout_ms = listener->user_timeout_ms;
	sock->snd_buf = listener->snd_buf;
	sock->rcv_buf = listener->rcv_buf;
	sock->linger = listener->linger;
	sock_status(s, sock, &status);
	sock->local = status.local;
	sock->peer = status.peer;
	sock_apply(s, sock);
	return sock->fd;
}

static int do_accept(struct stack *s, int fd)
{
	for (;;) {
		struct sock *const sock = sock_find(s, fd);
		int rc;

		if (sock == NULL)
			return -EBADF;
		if (sock->kind != SOCK_LISTENER)
			return -EINVAL;
		if (sock->waiting > 0) {
			rc = adopt(s, sock);
			if (rc != -EAGAIN)
				return rc;
		}
		rc = sock_wait(s, sock, POLLIN, false, sock->rcv_timeout_us);
		if (rc != 0)
			return -rc;
	}
}

static int call_accept(void *stack, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct stack *const s = stack_lock(stack);
	const int rc = do_accept(s, fd);

	if (rc >= 0) {
		const struct sock *const sock = sock_find(s, rc);

		write_addr(sock->family, &sock->peer, addr, len);
		stack_turn(s);
	}
	stack_unlock(s);
	return result(rc);
}

static int begin_connect(struct stack *s, struct sock *sock, const struct hf_addr *peer)
{
	const struct hf_ip *ours = &s->flags.local[peer->ip.version == 6];
	struct hf_addr local = { .ip = *ours, .port = sock->local.port };
	int rc;

	if (sock->bound && !all_zero(&sock->local.ip))
		local.ip = sock->local.ip;
	rc = stack_need(s, &local.ip);
	if (rc == 0)
		rc = hf_connect(s->w, &local, peer, sock->cookie, &sock->id);
	if (rc != 0)
		return rc == -EADDRINUSE ? -EADDRNOTAVAIL : rc; /* Linux's word for a tuple in use */
	sock->kind = SOCK_CONNECTION;
	sock->opening = true;
	sock->peer = *peer;
	sock_apply(s, sock);
	stack_turn(s);
	return 0;
}

/* What is no more as it was is as new, but for its options and where it is bound. */
static int disconnect(struct stack *s, struct sock *sock)
{
	if (sock->kind == SOCK_LISTENER)
		hf_unlisten(s->w, sock->number);
	if (sock->kind == SOCK_CONNECTION && hf_abort(s->w, sock->id) == 0)
		sock->error = ECONNRESET;
	sock->kind = SOCK_FRESH;
	sock->waiting = 0;
	sock->connected = sock->opening = sock->eof = sock->over = false;
	sock->rd_shut = sock->wr_shut = sock->full = false;
	sock->cookie = ++s->cookies;
	return 0;
}

/* What has become of an open, told once; after one that has failed connect may be tried again. */
static int opened(struct stack *s, struct sock *sock)
{
	int error;

	sock->opening = false;
	if (sock->connected && !sock->over)
		return 0;
	error = sock_take_error(sock);
	disconnect(s, sock);
	return error != 0 ? -error : -ECONNABORTED;
}

static int do_connect(struct stack *s, int fd, const struct sockaddr *sa, socklen_t len)
{
	struct sock *const sock = sock_find(s, fd);
	const bool again = sock != NULL && sock->opening;
	struct hf_addr peer;
	int rc;

	if (sock == NULL)
		return -EBADF;
	if (sa != NULL && len >= sizeof(sa->sa_family) && sa->sa_family == AF_UNSPEC)
		return disconnect(s, sock);
	rc = read_addr(sa, len, &peer);
	if (rc == 0 && !again)
		rc = sock->kind == SOCK_FRESH ? begin_connect(s, sock, &peer) : -EISCONN;
	if (rc != 0)
		return rc;
	rc = sock->connected || sock->over ?
		     0 :
		     sock_wait(s, sock, POLLOUT, false, sock->snd_timeout_us);
	if (rc != 0)
		return rc != EAGAIN ? -rc : again ? -EALREADY : -EINPROGRESS;
	return opened(s, sock);
}

static int call_connect(void *stack, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct stack *const s = stack_lock(stack);
	const int rc = do_connect(s, fd, addr, len);

	stack_turn(s);
	stack_unlock(s);
	return result(rc);
}

/* ---- Ending ------------------------------------------------------------------------------------ */

static int do_shutdown(struct stack *s, int fd, int how)
{
	struct sock *const sock = sock_find(s, fd);
	struct hf_status status;

	if (sock == NULL)
		return -EBADF;
	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		return -EINVAL;
	if (sock->kind == SOCK_LISTENER)
		return how == SHUT_WR ? 0 : disconnect(s, sock);
	sock_status(s, sock, &status);
	if (status.state == HF_CLOSED || status.state == HF_TIME_WAIT)
		return -ENOTCONN; /* of the latter the application knows nothing any more */
	if (status.state == HF_SYN_SENT)
		return disconnect(s, sock);
	sock->opening = false;
	sock->news++;
	if (how != SHUT_WR)
		sock->rd_shut = true;
	if (how != SHUT_RD && !sock->wr_shut) {
		sock->wr_shut = true;
		hf_shutdown(s->w, sock->id);
	}
	return 0;
}

static int call_shutdown(void *stack, int fd, int how)
{
	struct stack *const s = stack_lock(stack);
	const int rc = do_shutdown(s, fd, how);

	stack_turn(s);
	stack_unlock(s);
	return result(rc);
}

/* SO_LINGER with a time: until the connection has ended. */
static void linger(struct stack *s, const struct sock *sock)
{
	sock_wait(s, sock, POLLHUP, false, (uint64_t)(unsigned)sock->linger.l_linger * 1000000);
}

static int do_close(struct stack *s, int fd)
{
	struct sock *const sock = sock_find(s, fd);
	const bool reset = sock != NULL && sock->linger.l_onoff && sock->linger.l_linger == 0;

	if (sock == NULL)
		return -EBADF;
	if (sock->kind == SOCK_LISTENER)
		hf_unlisten(s->w, sock->number);
	if (sock->kind == SOCK_CONNECTION && !sock->over) {
		if (reset)
			hf_abort(s->w, sock->id);
		else
			hf_close(s->w, sock->id);
		sock->connected = false; /* nothing but its end is of interest */
		sock->nonblock = false;	 /* for which SO_LINGER does not ask */
		stack_turn(s);
		if (sock->linger.l_onoff && !reset && !sock->over)
			linger(s, sock);
	}
	sock_free(s, sock);
	return 0;
}

static int call_close(void *stack, int fd)
{
	struct stack *const s = stack_lock(stack);
	const int rc = do_close(s, fd);

	stack_turn(s);
	stack_unlock(s);
	return result(rc);
}

void calls_fill(struct pd_table *table)
{
	table->socket = call_socket;
	table->bind = call_bind;
	table->listen = call_listen;
	table->accept = call_accept;
	table->connect = call_connect;
	table->shutdown = call_shutdown;
	table->close = call_close;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* fcntl, ioctl, getsockopt, setsockopt. Options whose value is one number are a table; what the engine knows of
 * them it is told by sock_apply. */
#include "stack.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "table.h"

/* ---- fcntl, ioctl ------------------------------------------------------------------------------ */

static int do_fcntl(struct sock *sock, int cmd, int arg)
{
	switch (cmd) {
	case F_GETFL:
		return O_RDWR | (sock->nonblock ? O_NONBLOCK : 0);
	case F_SETFL:
		sock->nonblock = arg & O_NONBLOCK;
		return 0;
	case F_GETFD:
	case F_SETFD:
		return 0;
	default:
		return -EINVAL;
	}
}

static int call_fcntl(void *stack, int fd, int cmd, ...)
{
	struct stack *const s = stack_lock(stack);
	struct sock *const sock = sock_find(s, fd);
	va_list args;
	int rc;

	va_start(args, cmd);
	rc = sock == NULL ? -EBADF : do_fcntl(sock, cmd, va_arg(args, int));
	va_end(args);
	stack_unlock(s);
	return result(rc);
}

static int do_ioctl(const struct stack *s, const struct sock *sock, unsigned long request, int *value)
{
	struct hf_status status;

	if (sock->kind == SOCK_LISTENER || sock->kind == SOCK_EPOLL)
		return -EINVAL;
	sock_status(s, sock, &status);
	switch (request) {
	case FIONREAD: /* SIOCINQ */
		*value = (int)status.readable;
		return 0;
	case TIOCOUTQ: /* SIOCOUTQ */
		*value = (int)(status.unsent + status.unacked);
		return 0;
	case SIOCOUTQNSD:
		*value = (int)status.unsent;
		return 0;
	default:
		return -ENOTTY;
	}
}

static int call_ioctl(void *stack, int fd, unsigned long request, ...)
{
	struct stack *const s = stack_lock(stack);
	struct sock *const sock = sock_find(s, fd);
	va_list args;
	int rc;

	va_start(args, request);
	rc = sock == NULL ? -EBADF : do_ioctl(s, sock, request, va_arg(args, int *));
	va_end(args);
	stack_unlock(s);
	return result(rc);
}

/* ---- Options that are one number --------------------------------------------------------------- */

struct option {
	int level, name;
	size_t offset; /* in struct sock */
	bool flag;     /* a bool there; else a uint32_t */
	uint32_t min, max;
};

#define FLAG(level, name, field)                                      \
	{                                                             \
		level, name, offsetof(struct sock, field), true, 0, 1 \
	}
#define NUMBER(level, name, field, min, max)                               \
	{                                                                  \
		level, name, offsetof(struct sock, field), false, min, max \
	}

static const struct option options[] = {
	FLAG(SOL_SOCKET, SO_REUSEADDR, reuse),
	FLAG(IPPROTO_TCP, TCP_NODELAY, nodelay),
	FLAG(IPPROTO_TCP, TCP_CORK, cork),
	NUMBER(IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms, 0, INT32_MAX),
	NUMBER(SOL_SOCKET, SO_SNDBUF, snd_buf, 0, INT32_MAX / 2),
	NUMBER(SOL_SOCKET, SO_RCVBUF, rcv_buf, 0, INT32_MAX / 2),
	NUMBER(IPPROTO_TCP, TCP_MAXSEG, mss, 88, 32767),
};

static const struct option *find_option(int level, int name)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].level == level && options[i].name == name)
			return &options[i];
	return NULL;
}

static int set_number(struct sock *sock, const struct option *option, int value)
{
	void *const field = (char *)sock + option->offset;

	if (option->flag) {
		*(bool *)field = value != 0;
		return 0;
	}
	if (value < 0 || (uint32_t)value < option->min || (uint32_t)value > option->max)
		return -EINVAL;
	*(uint32_t *)field = (uint32_t)value;
	return 0;
}

static int get_number(const struct sock *sock, const struct option *option)
{
	const void *const field = (const char *)sock + option->offset;

	return option->flag ? *(const bool *)field : (int)*(const uint32_t *)field;
}

/* ---- Keepalive: the engine has it for all connections alike, and is told before it exists ----------------------- */

static int set_keepalive(struct stack *s, int level, int name, int value)
{
	struct settings *const settings = &s->flags.settings;

	if (s->w != NULL)
		return -EOPNOTSUPP;
	if (level == SOL_SOCKET)
		settings->keepalive = value != 0;
	else if (value < 1 || value > (name == TCP_KEEPCNT ? 127 : 32767))
		return -EINVAL;
	else if (name == TCP_KEEPIDLE)
		settings->keepalive_time_ms = (uint32_t)value * 1000;
	else if (name == TCP_KEEPINTVL)
		settings->tcp.keepalive_interval_ms = (uint32_t)value * 1000;
	else
		settings->tcp.keepalive_probes = (uint32_t)value;
	return 0;
}

static bool is_keepalive(int level, int name)
{
	return level == SOL_SOCKET ?
		       name == SO_KEEPALIVE :
		       level == IPPROTO_TCP && (name == TCP_KEEPIDLE || name == TCP_KEEPINTVL ||
						name == TCP_KEEPCNT);
}

static int keepalive_number(const struct settings *settings, int level, int name)
{
	if (level == SOL_SOCKET)
		return settings->keepalive;
	if (name == TCP_KEEPIDLE)
		return (int)(settings->keepalive_time_ms / 1000);
	if (name == TCP_KEEPINTVL)
		return (int)(settings->tcp.keepalive_interval_ms / 1000);
	return (int)settings->tcp.keepalive_probes;
}

/* ---- setsockopt -------------------------------------------------------------------------------- */

static int set_timeout(uint64_t *timeout_us, const void *value, socklen_t len)
{
	struct timeval tv;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, value, sizeof(tv));
	if (tv.tv_sec < 0 || tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	*timeout_us = tv.tv_sec > INT32_MAX ? /* for ever, which is as none */
			      0 :
			      (uint64_t)tv.tv_sec * 1000000 + (uint64_t)tv.tv_usec;
	return 0;
}

static int set_linger(struct sock *sock, const void *value, socklen_t len)
{
	if (len < sizeof(sock->linger))
		return -EINVAL;
	memcpy(&sock->linger, value, sizeof(sock->linger));
	return 0;
}

/* TCP_NODELAY sends what a cork holds; the cork stays for what is written later, as with Linux. */
static void push(struct stack *s, const struct sock *sock)
{
	if (sock->kind != SOCK_CONNECTION || sock->over)
		return;
	hf_set(s->w, sock->id, HF_CORK, 0);
	hf_nagle(s->w, sock->id, false);
	stack_turn(s);
}

static int set_one(struct stack *s, struct sock *sock, const struct option *option,
		   const void *value, socklen_t len)
{
	int number, rc;

	if (len < sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	rc = set_number(sock, option, number);
	if (rc != 0)
		return rc;
	if (option->level == IPPROTO_TCP && option->name == TCP_NODELAY && number != 0)
		push(s, sock);
	if (option->name == SO_SNDBUF && option->level == SOL_SOCKET)
		sock->snd_buf *= 2; /* as Linux does, and tells */
	if (option->name == SO_RCVBUF && option->level == SOL_SOCKET)
		sock->rcv_buf *= 2;
	sock_apply(s, sock);
	return 0;
}

static int do_setsockopt(struct stack *s, int fd, int level, int name, const void *value,
			 socklen_t len)
{
	struct sock *const sock = sock_find(s, fd);
	const struct option *const option = find_option(level, name);
	int number;

	if (sock == NULL)
		return -EBADF;
	if (is_keepalive(level, name)) {
		if (len < sizeof(number))
			return -EINVAL;
		memcpy(&number, value, sizeof(number));
		return set_keepalive(s, level, name, number);
	}
	if (option != NULL)
		return set_one(s, sock, option, value, len);
	if (level != SOL_SOCKET)
		return -ENOPROTOOPT;
	if (name == SO_LINGER)
		return set_linger(sock, value, len);
	if (name == SO_RCVTIMEO)
		return set_timeout(&sock->rcv_timeout_us, value, len);
	if (name == SO_SNDTIMEO)
		return set_timeout(&sock->snd_timeout_us, value, len);
	return -ENOPROTOOPT;
}

static int call_setsockopt(void *stack, int fd, int level, int name, const void *value, socklen_t len)
{
	struct stack *const s = stack_lock(stack);
	const int rc = do_setsockopt(s, fd, level, name, value, len);

	stack_turn(s);
	stack_unlock(s);
	return result(rc);
}

/* ---- getsockopt -------------------------------------------------------------------------------- */

static int give_value(void *value, socklen_t *len, const void *from, size_t size)
{
	if (*len > size)
		*len = (socklen_t)size;
	memcpy(value, from, *len);
	return 0;
}

/* Linux's numbers of the states. */
static uint8_t linux_state(enum hf_state state)
{
	static const uint8_t numbers[HF_STATES] = {
		[HF_CLOSED] = TCP_CLOSE,
		[HF_LISTEN] = TCP_LISTEN,
		[HF_SYN_SENT] = TCP_SYN_SENT,
		[HF_SYN_RECEIVED] = TCP_SYN_RECV,
		[HF_ESTABLISHED] = TCP_ESTABLISHED,
		[HF_FIN_WAIT_1] = TCP_FIN_WAIT1,
		[HF_FIN_WAIT_2] = TCP_FIN_WAIT2,
		[HF_CLOSE_WAIT] = TCP_CLOSE_WAIT,
		[HF_CLOSING] = TCP_CLOSING,
		[HF_LAST_ACK] = TCP_LAST_ACK,
		[HF_TIME_WAIT] = TCP_TIME_WAIT,
	};

	return numbers[state];
}

/* What of it has a meaning here. */
static int give_info(const struct stack *s, const struct sock *sock, void *value, socklen_t *len)
{
	struct tcp_info info = { 0 };
	struct hf_status status;
	uint32_t mss;

	sock_status(s, sock, &status);
	mss = status.snd_mss == 0 ? 1 : status.snd_mss;
	info.tcpi_state = linux_state(status.state);
	info.tcpi_retransmits = (uint8_t)status.retransmits;
	info.tcpi_options = (uint8_t)((status.timestamps ? TCPI_OPT_TIMESTAMPS : 0) |
				      (status.sack ? TCPI_OPT_SACK : 0));
	info.tcpi_rto = status.rto_ms * 1000;
	info.tcpi_snd_mss = status.snd_mss;
	info.tcpi_unacked = (status.unacked + mss - 1) / mss;
	info.tcpi_rtt = status.srtt_us;
	info.tcpi_snd_cwnd = status.cwnd / mss;
	return give_value(value, len, &info, sizeof(info));
}

static int give_number(const struct stack *s, struct sock *sock, const struct option *option,
		       void *value, socklen_t *len)
{
	const struct hf_tcp_config *const tcp = &s->flags.settings.tcp;
	struct hf_status status;
	int number = get_number(sock, option);

	sock_status(s, sock, &status);
	if (option->level == SOL_SOCKET && option->name == SO_SNDBUF && number == 0)
		number = (int)tcp->snd_buf;
	if (option->level == SOL_SOCKET && option->name == SO_RCVBUF && number == 0)
		number = (int)(s->flags.rwnd != 0 ? s->flags.rwnd : tcp->rcv_buf);
	if (option->level == IPPROTO_TCP && option->name == TCP_MAXSEG && sock->connected)
		number = (int)status.snd_mss + (status.timestamps ? 12 : 0);
	if (option->level == IPPROTO_TCP && option->name == TCP_MAXSEG && number == 0)
		number = 536; /* RFC 9293 MUST-15, and what Linux tells */
	return give_value(value, len, &number, sizeof(number));
}

static int give_timeout(uint64_t us, void *value, socklen_t *len)
{
	const struct timeval tv = { .tv_sec = (time_t)(us / 1000000),
				    .tv_usec = (suseconds_t)(us % 1000000) };

	return give_value(value, len, &tv, sizeof(tv));
}

static int give_other(struct sock *sock, int name, void *value, socklen_t *len)
{
	int number;

	switch (name) {
	case SO_ERROR:
		number = sock_take_error(sock);
		break;
	case SO_TYPE:
		number = SOCK_STREAM;
		break;
	case SO_DOMAIN:
		number = sock->family;
		break;
	case SO_PROTOCOL:
		number = IPPROTO_TCP;
		break;
	case SO_ACCEPTCONN:
		number = sock->kind == SOCK_LISTENER;
		break;
	case SO_LINGER:
		return give_value(value, len, &sock->linger, sizeof(sock->linger));
	case SO_RCVTIMEO:
		return give_timeout(sock->rcv_timeout_us, value, len);
	case SO_SNDTIMEO:
		return give_timeout(sock->snd_timeout_us, value, len);
	default:
		return -ENOPROTOOPT;
	}
	return give_value(value, len, &number, sizeof(number));
}

static int do_getsockopt(struct stack *s, int fd, int level, int name, void *value, socklen_t *len)
{
	struct sock *const sock = sock_find(s, fd);
	const struct option *const option = find_option(level, name);

	if (sock == NULL)
		return -EBADF;
	if (option != NULL)
		return give_number(s, sock, option, value, len);
	if (level == IPPROTO_TCP && name == TCP_INFO)
		return give_info(s, sock, value, len);
	if (is_keepalive(level, name)) {
		const int number = keepalive_number(&s->flags.settings, level, name);

		return give_value(value, len, &number, sizeof(number));
	}
	return level == SOL_SOCKET ? give_other(sock, name, value, len) : -ENOPROTOOPT;
}

static int call_getsockopt(void *stack, int fd, int level, int name, void *value, socklen_t *len)
{
	struct stack *const s = stack_lock(stack);
	const int rc = do_getsockopt(s, fd, level, name, value, len);

	stack_unlock(s);
	return result(rc);
}

/* What is set before there is a connection is told when there is one. */
void sock_apply(struct stack *s, const struct sock *sock)
{
	if (sock->kind == SOCK_LISTENER && sock->mss != 0)
		hf_set_listener(s->w, sock->number, HF_MSS, sock->mss);
	if (sock->kind != SOCK_CONNECTION || sock->over)
		return;
	if (sock->mss != 0 && !sock->connected)
		hf_set(s->w, sock->id, HF_MSS, sock->mss);
	hf_set(s->w, sock->id, HF_CORK, sock->cork || sock->more);
	hf_nagle(s->w, sock->id, !sock->nodelay && s->flags.settings.tcp.nagle);
	hf_set(s->w, sock->id, HF_USER_TIMEOUT,
	       sock->user_timeout_ms != 0 ? sock->user_timeout_ms :
					    s->flags.settings.tcp.user_timeout_ms);
}

void options_fill(struct pd_table *table)
{
	table->fcntl = call_fcntl;
	table->ioctl = call_ioctl;
	table->getsockopt = call_getsockopt;
	table->setsockopt = call_setsockopt;
}

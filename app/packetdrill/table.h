/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What packetdrill and a stack in a shared object agree on: one exported function that fills a table of
 * 33 slots, in this order and without padding. Every slot but the first is called with the first as its
 * first argument. Calls mean what the Linux calls of the same names do, errno included.
 */
#ifndef HF_PACKETDRILL_TABLE_H
#define HF_PACKETDRILL_TABLE_H

#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

struct pd_table {
	void *stack;
	void (*free)(void *stack);
	int (*socket)(void *stack, int domain, int type, int protocol);
	int (*bind)(void *stack, int fd, const struct sockaddr *addr, socklen_t len);
	int (*listen)(void *stack, int fd, int backlog);
	int (*accept)(void *stack, int fd, struct sockaddr *addr, socklen_t *len);
	int (*connect)(void *stack, int fd, const struct sockaddr *addr, socklen_t len);
	ssize_t (*read)(void *stack, int fd, void *text, size_t room);
	ssize_t (*readv)(void *stack, int fd, const struct iovec *iov, int count);
	ssize_t (*recv)(void *stack, int fd, void *text, size_t room, int flags);
	ssize_t (*recvfrom)(void *stack, int fd, void *text, size_t room, int flags,
			    struct sockaddr *addr, socklen_t *len);
	ssize_t (*recvmsg)(void *stack, int fd, struct msghdr *msg, int flags);
	ssize_t (*write)(void *stack, int fd, const void *text, size_t len);
	ssize_t (*writev)(void *stack, int fd, const struct iovec *iov, int count);
	ssize_t (*send)(void *stack, int fd, const void *text, size_t len, int flags);
	ssize_t (*sendto)(void *stack, int fd, const void *text, size_t len, int flags,
			  const struct sockaddr *addr, socklen_t addr_len);
	ssize_t (*sendmsg)(void *stack, int fd, const struct msghdr *msg, int flags);
	int (*fcntl)(void *stack, int fd, int cmd, ...);
	int (*ioctl)(void *stack, int fd, unsigned long request, ...);
	int (*close)(void *stack, int fd);
	int (*shutdown)(void *stack, int fd, int how);
	int (*getsockopt)(void *stack, int fd, int level, int name, void *value, socklen_t *len);
	int (*setsockopt)(void *stack, int fd, int level, int name, const void *value, socklen_t len);
	int (*poll)(void *stack, struct pollfd *fds, nfds_t count, int timeout_ms);
	int (*netdev_send)(void *stack, const void *packet, size_t len);
	int (*netdev_receive)(void *stack, void *packet, size_t *len, long long *at_us);
	int (*usleep)(void *stack, useconds_t us);
	int (*gettimeofday)(void *stack, struct timeval *now, struct timezone *zone);
	int (*epoll_create)(void *stack, int size);
	int (*epoll_ctl)(void *stack, int epfd, int op, int fd, struct epoll_event *event);
	int (*epoll_wait)(void *stack, int epfd, struct epoll_event *events, int max, int timeout_ms);
	int (*pipe)(void *stack, int fds[2]);
	int (*splice)(void *stack, int in, loff_t *in_at, int out, loff_t *out_at, size_t len,
		      unsigned flags);
};

_Static_assert(sizeof(struct pd_table) == 33 * sizeof(void *), "33 slots, no padding");

/** Fill every slot. Called once a script; what was there before is gone. Ends the process, with status 1,
 *  when flags are wrong or DPDK does not start. @param flags  of --so_flags, docs/conformance.md; NULL: none */
__attribute__((visibility("default"))) void packetdrill_interface_init(const char *flags,
								       struct pd_table *table);

#endif

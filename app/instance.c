/* SPDX-License-Identifier: BSD-3-Clause */
/* Where EAL may have put the sockets of this user's instances, which of them are handfast, and a question to one.
 * DPDK's protocol: a packet says who answers, then each question draws one packet of JSON. */
#include "instance.h"

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER 65536 /* octets; DPDK's longest is 16 Ki */
#define PATIENCE_S 5
#define WHERE 4 /* directories */

__attribute__((format(printf, 3, 4))) static int refuse(struct hf_error *why, int error,
							const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why->text, sizeof(why->text), format, arguments);
	va_end(arguments);
	return error;
}

/* ---- One socket ------------------------------------------------------------------------------ */

/* Whoever waits may be stopped meanwhile, or hear of a new size of the terminal (signal(7): no SA_RESTART here). */
static ssize_t receive(const struct instance *in, void *octets, size_t room)
{
	ssize_t n;

	do
		n = recv(in->socket, octets, room, 0);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Whoever answers at a path. @return 0, with its pid; -ECONNREFUSED: nobody, but a process that listens there */
static int greet(const char *path, struct instance *in)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct ucred listener = { .pid = 0 };
	socklen_t size = sizeof(listener);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char hello[1024];
	json_t *json = NULL;
	ssize_t n = -1;

	in->pid = 0;
	in->socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (in->socket < 0)
		return -errno;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	setsockopt(in->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(in->socket, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		n = receive(in, hello, sizeof(hello));
	if (n > 0)
		json = json_loadb(hello, (size_t)n, 0, NULL);
	in->pid = (long)instance_number(json, "pid");
	json_decref(json);
	if (json)
		return 0;
	getsockopt(in->socket, SOL_SOCKET, SO_PEERCRED, &listener, &size);
	in->pid = listener.pid;
	close(in->socket);
	return -ECONNREFUSED;
}

void instance_close(struct instance *in)
{
	close(in->socket);
}

static json_t *ask(struct instance *in, const char *question, struct hf_error *why)
{
	char *const octets = malloc(ANSWER);
	const size_t len = strcspn(question, ",");
	json_t *all = NULL, *answer = NULL;
	ssize_t n = -1;

	if (octets && send(in->socket, question, strlen(question), MSG_NOSIGNAL) > 0)
		n = receive(in, octets, ANSWER);
	if (n > 0)
		all = json_loadb(octets, (size_t)n, 0, NULL);
	free(octets);
	if (!all) {
		refuse(why, 0, "process %ld does not answer any more", in->pid);
		return NULL;
	}
	answer = json_incref(json_object_getn(all, question, len));
	json_decref(all);
	if (json_is_object(answer) && !json_object_get(answer, "error"))
		return answer;
	refuse(why, 0, "process %ld: %s", in->pid,
	       answer && !json_is_null(answer) ? instance_text(answer, "error") : "is no handfast");
	json_decref(answer);
	return NULL;
}

json_t *instance_ask(struct instance *in, struct hf_error *why, const char *format, ...)
{
	char question[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(question, sizeof(question), format, arguments);
	va_end(arguments);
	return ask(in, question, why);
}

/* ---- Which one? -------------------------------------------------------------------------------- */

/* The directories EAL chooses from, and the one that hf_env_start makes. */
static unsigned where(char directories[WHERE][128])
{
	const char *const given[] = { getenv("RUNTIME_DIRECTORY"), getenv("XDG_RUNTIME_DIR") };
	unsigned n = 0;

	for (unsigned i = 0; i < 2; i++)
		if (given[i])
			snprintf(directories[n++], 128, "%s", given[i]);
	snprintf(directories[n++], 128, "%s", getuid() == 0 ? "/var/run" : "/tmp");
	snprintf(directories[n++], 128, "/tmp/handfast-%u", geteuid());
	return n;
}

/* "/run/dpdk/PREFIX/dpdk_telemetry.v2:1" */
static void prefix_of(const char *path, char prefix[64])
{
	const char *const end = strrchr(path, '/');
	const char *start = end;

	while (start > path && start[-1] != '/')
		start--;
	snprintf(prefix, 64, "%.*s", (int)(end - start), start);
}

struct search {
	const char *prefix;
	long pid;
	struct instance found;
	unsigned count;
	char list[160]; /* of those found */
	long mute;	/* one that listens and does not answer */
};

static void consider(struct search *s, const char *path)
{
	struct instance in;
	struct hf_error why;
	json_t *info = NULL;
	size_t len;

	prefix_of(path, in.prefix);
	if (s->prefix[0] && strcmp(s->prefix, in.prefix) != 0)
		return;
	if (greet(path, &in) != 0) {
		if (in.pid && (s->pid == 0 || s->pid == in.pid))
			s->mute = in.pid;
		return;
	}
	if ((s->pid == 0 || s->pid == in.pid) && in.pid != getpid())
		info = ask(&in, "/handfast/info", &why);
	if (!info || (s->count && s->found.pid == in.pid)) {
		json_decref(info);
		instance_close(&in);
		return;
	}
	snprintf(in.command, sizeof(in.command), "%s", instance_text(info, "command"));
	json_decref(info);
	len = strlen(s->list);
	snprintf(s->list + len, sizeof(s->list) - len, "%s%ld (%s, %s)", s->count ? ", " : "",
		 in.pid, in.command, in.prefix);
	if (s->count++)
		instance_close(&in);
	else
		s->found = in;
}

int instance_open(const char *prefix, long pid, struct instance *in, struct hf_error *why)
{
	struct search s = { .prefix = prefix, .pid = pid };
	char directories[WHERE][128], pattern[192];
	const unsigned n = where(directories);

	for (unsigned i = 0; i < n; i++) {
		glob_t paths;

		snprintf(pattern, sizeof(pattern), "%s/dpdk/*/dpdk_telemetry.v2*", directories[i]);
		if (glob(pattern, 0, NULL, &paths) != 0)
			continue;
		for (size_t k = 0; k < paths.gl_pathc; k++)
			consider(&s, paths.gl_pathv[k]);
		globfree(&paths);
	}
	*in = s.found;
	if (s.count == 1)
		return 0;
	if (s.count > 1) {
		instance_close(in);
		return refuse(why, -EEXIST, "%u run: choose one by --pid: %s", s.count, s.list);
	}
	if (s.mute)
		return refuse(why, -ENOENT, "process %ld does not answer", s.mute);
	if (pid)
		return refuse(why, -ENOENT, "process %ld is no handfast that this user runs", pid);
	return refuse(why, -ENOENT, "no handfast%s%.40s of this user runs: start pair, serve or load",
		      prefix[0] ? " with --file-prefix " : "", prefix);
}

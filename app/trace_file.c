/* SPDX-License-Identifier: BSD-3-Clause */
/* `handfast trace FILE`: a capture, pcap or pcapng, as lines. Needs no DPDK. Called by main.c. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "capfile.h"
#include "follow.h"
#include "status.h"
#include "trace.h"

/* What was not shown, on stderr as tcpdump's own remarks are. */
static void summary(const struct trace *t)
{
	fprintf(stderr, "%" PRIu64 " segments of %" PRIu64 " connections", t->segments,
		t->connections);
	if (t->shown < t->segments)
		fprintf(stderr, ", %" PRIu64 " shown", t->shown);
	if (t->others)
		fprintf(stderr, "; %" PRIu64 " other frames", t->others);
	if (t->cut)
		fprintf(stderr, "; %" PRIu64 " cut before the end of the TCP header", t->cut);
	if (t->bad)
		fprintf(stderr, "; %" PRIu64 " whose lengths contradict each other", t->bad);
	if (follow_forgotten(t->follow))
		fprintf(stderr, "; %" PRIu64 " connections were forgotten to make room",
			follow_forgotten(t->follow));
	putc('\n', stderr);
}

/* @return 0; -EINVAL the file is damaged, -ENOMEM, -EIO; with why */
static int read_all(struct trace *t, struct capfile *c, struct hf_error *why)
{
	struct capfile_frame frame;
	int rc;

	while ((rc = capfile_read(c, &frame, why)) > 0) {
		rc = trace_take(t, &(struct trace_frame){
					   .link = capfile_link(c),
					   .octets = frame.octets,
					   .len = frame.len,
					   .wire_len = frame.wire_len,
					   .at_ns = frame.at_ns,
				   });
		if (rc < 0) {
			snprintf(why->text, sizeof(why->text), "no memory");
			return rc;
		}
	}
	if (fflush(t->out) != 0) {
		snprintf(why->text, sizeof(why->text), "stdout: %s", strerror(errno));
		return rc < 0 ? rc : -EIO;
	}
	return rc;
}

int trace_run(const struct settings *s, const char *program)
{
	struct capfile *c = NULL;
	struct hf_error why = { "no memory" };
	struct trace t = { 0 };
	int rc = capfile_open(s->trace.in, NULL, &c, &why);

	if (rc == 0)
		rc = trace_open(&t, s, stdout);
	if (rc == 0 && strcmp(s->trace.in, "-") == 0)
		(void)setvbuf(stdout, NULL, _IOLBF, 0); /* another program's live capture */
	if (rc == 0) {
		rc = read_all(&t, c, &why);
		if (!s->quiet)
			summary(&t);
	}
	if (rc < 0)
		fprintf(stderr, "%s: %s\n", program, why.text);
	trace_close(&t);
	if (c)
		capfile_close(c, &why);
	return rc == 0 ? STATUS_OK : rc == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
}

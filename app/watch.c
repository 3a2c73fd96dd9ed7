/* SPDX-License-Identifier: BSD-3-Clause */
/* --trace and --capture while workers run. */
#include "watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TRACE_OCTETS 192   /* of a frame: all headers and options */
#define TRACE_FRAMES 16384 /* of a worker, between two looks */
#define CAPTURE_FRAMES 8192
#define DRAIN 4096 /* frames until somebody else may have the thread */

/* One worker, and the oldest frame of it that has not been dealt with. */
struct watch_source {
	struct hf_worker *w;
	const struct hf_port *port;
	struct hf_seen head;
	bool has;
};

static uint64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int open_capture(struct watching *watch, const struct end *ends, unsigned n,
			struct hf_error *why)
{
	struct hf_port *ports[n];

	for (unsigned i = 0; i < n; i++)
		ports[i] = ends[i].port;
	return hf_capture_open(watch->s->capture, ports, n, &watch->capture, why);
}

int watch_open(struct watching *watch, const struct settings *s, struct end *ends, unsigned n,
	       struct hf_error *why)
{
	const bool whole = s->capture[0] != '\0';
	int rc = 0;

	*watch = (struct watching){ .s = s };
	if (!watch_wanted(s))
		return 0;
	snprintf(why->text, sizeof(why->text), "no memory");
	watch->sources = calloc(n, sizeof(*watch->sources));
	if (!watch->sources)
		return -ENOMEM;
	if (s->live) /* with --json - stdout is the report's alone */
		rc = trace_open(&watch->trace, s, strcmp(s->json, "-") == 0 ? stderr : stdout);
	if (rc == 0 && whole)
		rc = open_capture(watch, ends, n, why);
	for (unsigned i = 0; i < n && rc == 0; i++) {
		watch->sources[i] = (struct watch_source){ .w = ends[i].w, .port = ends[i].port };
		rc = hf_watch(ends[i].w, whole ? CAPTURE_FRAMES : TRACE_FRAMES,
			      whole ? s->mtu + LINK_OCTETS : TRACE_OCTETS, why);
	}
	watch->count = rc == 0 ? n : 0;
	watch->epoch_ns = wall_ns() - hf_now_us() * 1000;
	return rc;
}

static void take(struct watching *watch, const struct watch_source *from)
{
	const struct hf_seen *const seen = &from->head;
	const struct trace_frame frame = {
		.link = LINK_ETHERNET,
		.octets = seen->octets,
		.len = seen->len,
		.wire_len = seen->wire_len,
		.at_ns = seen->at_ns + watch->epoch_ns,
		.own = seen,
	};

	watch->frames++;
	if (watch->s->live)
		trace_take(&watch->trace, &frame);
	if (watch->capture && watch->error == 0)
		watch->error = hf_capture_write(watch->capture, from->port, seen);
}

/* @return the source whose next frame is the oldest; NULL: none has one */
static struct watch_source *oldest(struct watching *watch)
{
	struct watch_source *best = NULL;

	for (unsigned i = 0; i < watch->count; i++) {
		struct watch_source *const source = &watch->sources[i];

		if (!source->has)
			source->has = hf_watch_next(source->w, &source->head);
		if (source->has && (!best || source->head.at_ns < best->head.at_ns))
			best = source;
	}
	return best;
}

bool watch_drain(struct watching *watch)
{
	struct watch_source *source;
	unsigned n = 0;

	while (n < DRAIN && (source = oldest(watch)) != NULL) {
		take(watch, source);
		source->has = false;
		n++;
	}
	if (n > 0 && watch->s->live)
		(void)fflush(watch->trace.out);
	return n > 0;
}

int watch_close(struct watching *watch, const char *program)
{
	int rc;

	while (watch_drain(watch))
		;
	for (unsigned i = 0; i < watch->count; i++)
		watch->lost += hf_watch_lost(watch->sources[i].w);
	rc = hf_capture_close(watch->capture);
	watch->capture = NULL;
	if (watch->error == 0)
		watch->error = rc;
	if (watch->error != 0)
		fprintf(stderr, "%s: --capture: %s: %s\n", program, watch->s->capture,
			strerror(-watch->error));
	trace_close(&watch->trace);
	free(watch->sources);
	watch->sources = NULL;
	return watch->error ? -EIO : 0;
}

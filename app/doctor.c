/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `handfast doctor`: what can be looked up is looked up, and the rest is tried: DPDK and the device are
 * started as serve, load or pair would, and what arrives is watched for a moment. One line a matter.
 */
#include "doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "end.h"
#include "rights.h"

#define WATCH_US 1000000 /* how long frames are watched when --duration does not say */

enum finding { FINE, NOTE, LACKS };

struct doctor {
	const struct settings *s;
	struct plan plan;
	const struct wire *wire;
	struct hf_error why;
	int begun; /* what run_begin said */
	bool lacks;
};

__attribute__((format(printf, 4, 5))) static void say(struct doctor *d, enum finding finding,
						      const char *matter, const char *format, ...)
{
	static const char *const words[] = { [FINE] = "fine", [NOTE] = "note", [LACKS] = "LACKS" };
	va_list ap;

	d->lacks |= finding == LACKS;
	printf("  %-7s%-12s", words[finding], matter);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

/* ---- What can be looked up ----------------------------------------------------------------- */

static void examine_memory(struct doctor *d)
{
	const int rc = plan_fits_machine(d->s, &d->plan, &d->why);

	say(d, rc < 0 ? LACKS : FINE, "memory", "%s", d->why.text);
}

static void examine_hugepages(struct doctor *d)
{
	static const char path[] = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages";
	const uint64_t pages = kernel_number(path, "");

	if (2 * pages >= d->plan.memory_mb)
		say(d, FINE, "hugepages", "%" PRIu64 " of 2 MiB are free", pages);
	else
		say(d, NOTE, "hugepages",
		    "%" PRIu64 " of 2 MiB are free, so mbufs live in small pages, which are slower; "
		    "`echo %u >/proc/sys/vm/nr_hugepages`",
		    pages, (d->plan.memory_mb + 1) / 2 + 8);
}

static void examine_driver(struct doctor *d, const struct device *device)
{
	char path[sizeof(device->name) + 64], driver[128];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", device->name);
	if (access(path, F_OK) < 0) {
		say(d, LACKS, "driver", "there is no PCI device %s; `lspci -D` lists them",
		    device->name);
		return;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", device->name);
	n = readlink(path, driver, sizeof(driver) - 1);
	driver[n < 0 ? 0 : n] = '\0';
	say(d, NOTE, "driver", "%s is bound to %s", device->name,
	    n < 0 ? "no driver" : strrchr(driver, '/') + 1);
}

static void examine_user(struct doctor *d)
{
	struct rights rights;

	if (rights_look(&rights, d->s->user, &d->why) < 0)
		say(d, LACKS, "user", "%s", d->why.text);
}

/* ---- What has to be tried ------------------------------------------------------------------ */

static void examine_link(struct doctor *d, const struct hf_port *port)
{
	if (hf_port_link(port))
		say(d, FINE, "link", "there is a carrier");
	else
		say(d, NOTE, "link",
		    "there is no carrier yet: the other end is down or has not come");
}

/* An engine without a listener watches what comes, and answers ARP and ND so that something does. */
static void examine_frames(struct doctor *d, struct hf_port *port)
{
	const uint64_t watch_us = d->s->duration_us ? d->s->duration_us : WATCH_US;
	const uint64_t start_us = hf_now_us();
	const enum side side = plan_has(&d->plan, CLIENT) ? CLIENT : SERVER;
	struct hf_event events[16];
	struct hf_config config;
	struct hf_worker *w;

	plan_worker(d->s, &d->plan, side, 0, &config);
	if (hf_worker_create(&config, port, &w, &d->why) < 0) {
		say(d, LACKS, "memory", "%s", d->why.text);
		return;
	}
	for (uint64_t now_us = start_us; now_us - start_us < watch_us; now_us = hf_now_us()) {
		hf_turn(w, now_us, events, 16);
		hf_flush(w, now_us);
		usleep(50);
	}
	if (checksums_unfinished(w))
		say(d, LACKS, "checksums", CHECKSUMS_UNFINISHED);
	else
		say(d, FINE, "frames", "%" PRIu64 " came in %.1f s, %" PRIu64 " of them TCP segments",
		    hf_counter_named(w, "rx_frames"), (double)watch_us / 1e6,
		    hf_counter_named(w, "seg_in"));
	hf_worker_destroy(w);
}

static void examine_device(struct doctor *d, const struct device *device)
{
	const enum side side = plan_has(&d->plan, CLIENT) ? CLIENT : SERVER;
	struct hf_port *client[d->plan.pairs], *server[d->plan.pairs];
	struct hf_port **ports[SIDES] = { client, server };

	memset(client, 0, sizeof(client));
	memset(server, 0, sizeof(server));
	if (d->wire->open(d->s, &d->plan, ports, &d->why) < 0) {
		say(d, LACKS, "device", "%s", d->why.text);
	} else {
		say(d, FINE, "device", "%s starts", device->name);
		examine_link(d, ports[side][0]);
		if (device->iface[0])
			examine_frames(d, ports[side][0]);
	}
	for (unsigned i = 0; i < d->plan.pairs; i++) {
		hf_port_free(client[i]);
		hf_port_free(server[i]);
	}
}

static void examine(struct doctor *d, const char *program, const char *const *eal, int eal_count)
{
	struct device device = { .name = "net_ring" };

	if (d->s->dev[0] && device_read(d->s->dev, &device, &d->why) < 0)
		return; /* plan_make has found it well */
	examine_memory(d);
	examine_hugepages(d);
	examine_user(d);
	if (device.pci)
		examine_driver(d, &device);
	if (device.iface[0] && kernel_lacks(d->s, &d->why) < 0)
		say(d, d->s->allow_kernel_address ? NOTE : LACKS, "addresses", "%s", d->why.text);
	else if (device.iface[0])
		say(d, FINE, "addresses", "the kernel has none of ours");
	if (d->lacks)
		return; /* it would not start */
	d->begun = run_begin(d->s, &d->plan, d->wire, program, eal, eal_count, &d->why);
	if (d->begun != STATUS_OK) {
		say(d, LACKS, "device", "%s", d->why.text);
		return;
	}
	if (hf_env_cores() < d->plan.cores)
		say(d, LACKS, "cores", "EAL has %u, and %u are wanted: name them by --cores",
		    hf_env_cores(), d->plan.cores);
	else
		examine_device(d, &device);
	hf_env_stop();
}

int doctor_run(const struct settings *s, const char *program, const char *const *eal, int eal_count)
{
	struct settings examined = *s;
	struct doctor d = { .s = &examined };
	const enum command command = plan_command_for(&examined);
	struct rights rights;

	d.wire = command == COMMAND_PAIR ? &wire_pair : &wire_one;
	if (plan_make(&examined, command, plan_cores(s), &d.plan, &d.why) < 0 ||
	    rights_look(&rights, s->user, &d.why) == -EINVAL) {
		fprintf(stderr, "%s: %s\n", program, d.why.text);
		return STATUS_USAGE;
	}
	printf("%s: %s\n", s->profile[0] ? s->profile : "built in",
	       command == COMMAND_PAIR ? "pair, no device" : s->dev);
	examine(&d, program, eal, eal_count);
	printf("%s\n", d.lacks ? "something is lacking" : "nothing is lacking");
	return d.begun != STATUS_OK ? d.begun : d.lacks ? STATUS_ENVIRONMENT : STATUS_OK;
}

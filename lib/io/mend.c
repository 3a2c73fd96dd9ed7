/* SPDX-License-Identifier: BSD-3-Clause */
/* Called when EAL or a device does not start: first by what the log says, then by the driver. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_version.h>

#include "io/mend.h"

/* Debian names its packages by DPDK's ABI, which an LTS release of November begins. */
#define ABI (RTE_VER_YEAR + 1)

static const struct {
	const char *said, *mend;
} complaints[] = {
	{ "hugepage",
	  "none are free: `echo 512 >/proc/sys/vm/nr_hugepages` as root, or leave out the options about memory" },
	{ "another primary",
	  "another program runs with this configuration: give one of them --file-prefix=NAME, or leave out "
	  "the options about memory" },
	{ "create umem",
	  "an umem is locked memory, and AF_XDP wants CAP_BPF of the machine: be root, not `unshare -Ur`" },
	{ "mmap failed on AF_PACKET",
	  "its rings are more memory than `ulimit -l` lets it lock: be root, or give framecnt=128" },
};

/* Drivers by what a device's name begins with. */
static const struct {
	const char *name, *package, *needs;
} drivers[] = {
	{ "net_tap", "tap",
	  "it needs /dev/net/tun and CAP_NET_ADMIN: be root, or use `unshare -Urn`" },
	{ "net_af_packet", "af-packet", "it needs iface= of this machine and CAP_NET_RAW: be root" },
	{ "net_af_xdp", "af-xdp",
	  "it needs iface= of this machine, CAP_NET_RAW and CAP_BPF: be root" },
	{ "net_pcap", "pcap", "it needs rx_pcap= that can be read, tx_pcap= that can be written" },
	{ "net_memif", "memif",
	  "it needs socket= in a directory that can be written; one end has role=server, and comes first" },
	{ "net_virtio_user", "virtio",
	  "it needs path= of a vhost socket that another program serves, or of /dev/vhost-net" },
	{ "net_vhost", "vhost",
	  "it needs iface=, a socket to be made in a directory that can be written" },
	{ "net_null", "null", "are its arguments right?" },
	{ "net_ring", "ring", "are its arguments right?" },
};

static const char *mend_driver(const char *device, bool missing, char *line, size_t room)
{
	for (size_t i = 0; i < RTE_DIM(drivers); i++) {
		if (strncmp(device, drivers[i].name, strlen(drivers[i].name)) != 0)
			continue;
		if (missing)
			snprintf(line, room,
				 "the driver %s is not installed: `apt-get install librte-net-%s%u`",
				 drivers[i].name, drivers[i].package, ABI);
		else
			snprintf(line, room, "%s", drivers[i].needs);
		return line;
	}
	if (strchr(device, ':') != NULL)
		snprintf(line, room,
			 "bind it to a driver for DPDK: `dpdk-devbind.py --bind=vfio-pci %s`",
			 device);
	else
		snprintf(line, room, "is its driver installed, are its arguments right?");
	return line;
}

const char *mend_line(const char *device, const char *complaint, char *line, size_t room)
{
	const bool missing = strstr(complaint, "failed to parse device") != NULL;

	for (size_t i = 0; i < RTE_DIM(complaints); i++) {
		if (strstr(complaint, complaints[i].said) == NULL)
			continue;
		snprintf(line, room, "%s", complaints[i].mend);
		return line;
	}
	if (device != NULL)
		return mend_driver(device, missing, line, room);
	snprintf(line, room, "`handfast doctor` tells what is missing");
	return line;
}

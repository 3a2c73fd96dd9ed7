/* SPDX-License-Identifier: BSD-3-Clause */
/* --dev: one table of device classes, each a DPDK driver and the argument that it wants. Called by
 * plan_one.c and one.c. */
#include "device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct class
{
	const char *name, *device, *argument, *queues, *room, *block;
	bool iface, tap, pci, shared, exact;
} classes[] = {
	{ "tap", "net_tap0", "iface=", NULL, NULL, NULL, true, true, false, true, true },
	{ "memif", "net_memif0", "socket-abstract=no,socket=", NULL, "bsize", NULL, false, false,
	  false, true, true },
	{ "af_packet", "net_af_packet0", "iface=", "qpairs", "framesz", "blocksz", true, false,
	  false, true, true },
	{ "af_xdp", "net_af_xdp0", "iface=", "queue_count", NULL, NULL, true, false, false, true,
	  false },
	{ "virtio_user", "net_virtio_user0", "path=", "queues", NULL, NULL, false, false, false,
	  true, false },
	{ "vhost", "net_vhost0", "iface=", "queues", NULL, NULL, false, false, false, true, false },
	{ "pcap", "net_pcap0", "iface=", NULL, NULL, NULL, true, false, false, true, false },
	{ "pci", "", "", NULL, NULL, NULL, false, false, true, false, false },
};

static int refuse(struct hf_error *why, const char *text)
{
	snprintf(why->text, sizeof(why->text),
		 "--dev: '%.60s' is none of tap:IF, memif:SOCKET, af_packet:IF, af_xdp:IF, pcap:IF, "
		 "virtio_user:PATH, vhost:PATH, pci:ADDRESS, ring, net_DRIVER0,ARGUMENTS",
		 text);
	return -EINVAL;
}

/* Text up to a comma or the end. */
static void copy_word(char *out, size_t room, const char *text)
{
	snprintf(out, room, "%.*s", (int)strcspn(text, ","), text);
}

static void classify(struct device *device, const struct class *class)
{
	device->queues = class->queues;
	device->room = class->room;
	device->block = class->block;
	device->tap = class->tap;
	device->pci = class->pci;
	device->shared = class->shared;
	device->exact = class->exact;
}

/* As EAL has it: "net_tap0,iface=hf0". */
static int read_vdev(const char *text, struct device *device)
{
	const char *iface = strstr(text, ",iface=");

	copy_word(device->name, sizeof(device->name), text);
	snprintf(device->vdev, sizeof(device->vdev), "%s", text);
	for (size_t i = 0; !classes[i].pci; i++) {
		if (strncmp(text, classes[i].device, strlen(classes[i].device) - 1) != 0)
			continue;
		classify(device, &classes[i]);
		if (classes[i].iface && iface)
			copy_word(device->iface, sizeof(device->iface), iface + strlen(",iface="));
	}
	return 0;
}

int device_read(const char *text, struct device *device, struct hf_error *why)
{
	const char *colon = strchr(text, ':');
	const struct class *class = NULL;

	memset(device, 0, sizeof(*device));
	if (strcmp(text, "ring") == 0)
		text = "net_ring0";
	if (strncmp(text, "net_", 4) == 0)
		return read_vdev(text, device);
	for (size_t i = 0; colon && i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strlen(classes[i].name) == (size_t)(colon - text) &&
		    strncmp(classes[i].name, text, (size_t)(colon - text)) == 0)
			class = &classes[i];
	if (!class || !colon[1] || colon[1] == ',')
		return refuse(why, text);
	if (class->iface && strcspn(colon + 1, ",") >= sizeof(device->iface))
		return refuse(why, text);
	classify(device, class);
	if (class->iface)
		copy_word(device->iface, sizeof(device->iface), colon + 1);
	if (class->pci) {
		copy_word(device->name, sizeof(device->name), colon + 1);
		return 0;
	}
	snprintf(device->name, sizeof(device->name), "%s", class->device);
	if (snprintf(device->vdev, sizeof(device->vdev), "%s,%s%s", class->device, class->argument,
		     colon + 1) >= (int)sizeof(device->vdev))
		return refuse(why, text);
	return 0;
}

/* What an argument of a device is given as. @return NULL: it is not given */
static const char *argument_given(const char *text, const char *name)
{
	char argument[32];
	const char *at;

	snprintf(argument, sizeof(argument), ",%s=", name);
	at = strstr(text, argument);
	return at ? at + strlen(argument) : NULL;
}

int device_holds(const struct device *device, uint16_t mtu, struct hf_error *why)
{
	const char *given = device->room ? argument_given(device->vdev, device->room) : NULL;
	const unsigned long frame = mtu + 18ul; /* Ethernet's header and a VLAN's */

	if (!given || strtoul(given, NULL, 10) >= frame)
		return 0;
	snprintf(why->text, sizeof(why->text),
		 "--dev: %s is too little for frames of %lu octets: leave it out, or lower mtu",
		 device->room, frame);
	return -EINVAL;
}

static void add_argument(char text[TEXT_ROOM], const char *name, unsigned value)
{
	const size_t len = strlen(text);

	if (!argument_given(text, name))
		snprintf(text + len, TEXT_ROOM - len, ",%s=%u", name, value);
}

void device_vdev(const struct device *device, unsigned queues, uint16_t mtu, char text[TEXT_ROOM])
{
	const bool large = hf_frame_room(mtu) > hf_frame_room(0);

	snprintf(text, TEXT_ROOM, "%s", device->vdev);
	if (device->queues && queues > 1)
		add_argument(text, device->queues, queues);
	if (device->room && large)
		add_argument(text, device->room, hf_frame_room(mtu));
	if (device->block && large)
		add_argument(text, device->block, 4 * hf_frame_room(mtu));
}

void device_mac(const struct settings *s, uint8_t mac[6])
{
	static const uint8_t none[6], beside_tap[6] = { 0x02, 0x68, 0x66, 0, 0, 0x02 };
	const bool tap = strncmp(s->dev, "tap:", 4) == 0 || strncmp(s->dev, "net_tap", 7) == 0;
	const bool given = memcmp(s->mac, none, sizeof(none)) != 0;

	memcpy(mac, !given && tap ? beside_tap : s->mac, 6);
}

bool checksums_unfinished(const struct hf_worker *w)
{
	return hf_counter_named(w, "seg_in") == 0 && hf_counter_named(w, "rx_drop_tcp_csum") > 0;
}

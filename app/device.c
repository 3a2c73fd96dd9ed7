/* SPDX-License-Identifier: BSD-3-Clause */
/* --dev: one table of device classes, each a DPDK driver and the argument that it wants. Called by
 * plan_one.c and one.c. */
#include "device.h"

#include <errno.h>
#include <string.h>

static const struct class
{
	const char *name, *device, *argument;
	bool iface, tap, pci, shared, exact;
} classes[] = {
	{ "tap", "net_tap0", "iface=", true, true, false, true, true },
	{ "memif", "net_memif0", "socket-abstract=no,socket=", false, false, false, true, true },
	{ "af_packet", "net_af_packet0", "iface=", true, false, false, true, true },
	{ "af_xdp", "net_af_xdp0", "iface=", true, false, false, true, false },
	{ "virtio_user", "net_virtio_user0", "path=", false, false, false, true, false },
	{ "pci", "", "", false, false, true, false, false },
};

static int refuse(struct hf_error *why, const char *text)
{
	snprintf(why->text, sizeof(why->text),
		 "--dev: '%.60s' is none of tap:IF, memif:SOCKET, af_packet:IF, af_xdp:IF, "
		 "virtio_user:PATH, pci:ADDRESS, ring, net_DRIVER0,ARGUMENTS",
		 text);
	return -EINVAL;
}

/* Text up to a comma or the end. */
static void copy_word(char *out, size_t room, const char *text)
{
	snprintf(out, room, "%.*s", (int)strcspn(text, ","), text);
}

int device_read(const char *text, struct device *device, struct hf_error *why)
{
	const char *colon = strchr(text, ':');
	const struct class *class = NULL;

	memset(device, 0, sizeof(*device));
	if (strcmp(text, "ring") == 0)
		text = "net_ring0";
	if (strncmp(text, "net_", 4) == 0) { /* as EAL has it */
		copy_word(device->name, sizeof(device->name), text);
		snprintf(device->vdev, sizeof(device->vdev), "%s", text);
		return 0;
	}
	for (size_t i = 0; colon && i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strlen(classes[i].name) == (size_t)(colon - text) &&
		    strncmp(classes[i].name, text, (size_t)(colon - text)) == 0)
			class = &classes[i];
	if (!class || !colon[1] || colon[1] == ',')
		return refuse(why, text);
	if (class->iface && strcspn(colon + 1, ",") >= sizeof(device->iface))
		return refuse(why, text);
	device->tap = class->tap;
	device->pci = class->pci;
	device->shared = class->shared;
	device->exact = class->exact;
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

void device_mac(const struct settings *s, uint8_t mac[6])
{
	static const uint8_t none[6], beside_tap[6] = { 0x02, 0x68, 0x66, 0, 0, 0x02 };
	const bool given = memcmp(s->mac, none, sizeof(none)) != 0;

	memcpy(mac, !given && strncmp(s->dev, "tap:", 4) == 0 ? beside_tap : s->mac, 6);
}

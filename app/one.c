/* SPDX-License-Identifier: BSD-3-Clause */
/* `handfast load` and `handfast serve`: one end on a device, the other one somewhere else. Used by run.c. */
#include "device.h"
#include "run.h"

static int one_want(const struct settings *s, unsigned queues, struct wanted *wanted,
		    struct hf_error *why)
{
	struct device device;
	int rc = device_read(s->dev, &device, why);

	if (rc == 0 && device.iface[0] && !s->allow_kernel_address)
		rc = kernel_lacks(s, why);
	if (rc == 0 && device.tap)
		rc = kernel_tap_free(device.iface, why);
	if (rc == 0 && device.iface[0] && !device.tap)
		rc = kernel_carries(device.iface, s->mtu, why);
	if (rc < 0)
		return rc;
	if (device.pci) {
		wanted->eal[wanted->eal_count++] = "--allow";
		snprintf(wanted->text, sizeof(wanted->text), "%s", device.name);
		wanted->eal[wanted->eal_count++] = wanted->text;
	} else {
		device_vdev(&device, queues, s->mtu, wanted->text);
		wanted->vdevs[wanted->vdev_count++] = wanted->text;
	}
	return 0;
}

static int one_open(const struct settings *s, const struct plan *plan,
		    struct hf_port **ports[SIDES], struct hf_error *why)
{
	struct device device;
	int rc = device_read(s->dev, &device, why);

	if (rc == 0)
		rc = hf_port_open(&(struct hf_device){ .name = device.name,
						       .queues = plan->pairs,
						       .mbufs = plan->mbufs,
						       .mtu = s->mtu,
						       .steer = plan->steer },
				  ports[plan_has(plan, CLIENT) ? CLIENT : SERVER], why);
	if (rc == 0 && device.tap && s->tap_kernel_addr.count)
		rc = kernel_set(device.iface, &s->tap_kernel_addr, s->mtu, why);
	return rc;
}

const struct wire wire_one = { .want = one_want, .open = one_open };

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices as --dev names them, and the kernel's side of those it shares. Used by one.c and plan_one.c.
 */
#ifndef HF_APP_DEVICE_H
#define HF_APP_DEVICE_H

#include "config.h"

struct device {
	char name[TEXT_ROOM]; /* EAL's: "net_tap0", "0000:3b:00.0" */
	char vdev[TEXT_ROOM]; /* what EAL is to make; "": nothing */
	char iface[16];	      /* the kernel's interface; "": none */
	const char *queues;   /* the argument that says how many; NULL: none has to */
	const char *room;     /* ... how long frames can be, and ... */
	const char *block;    /* ... how long four of them */
	bool tap;	      /* that interface is made by us, for us */
	bool pci;
	bool shared; /* with other programs of this machine: do not spin */
	bool exact;  /* holds a constant number of mbufs, so that a leak shows */
};

/** What --dev says. @return 0; -EINVAL, why says what it may say */
int device_read(const char *text, struct device *device, struct hf_error *why);

/** Whether buffers of the size that the user gives hold a frame of that MTU; net_memif 22.11 spoils one that lies in two.
 * @return 0; -EINVAL, why says which argument is too little */
int device_holds(const struct device *device, uint16_t mtu, struct hf_error *why);

/** What EAL is to make, with so many queues and frames of that size, unless the user has said so. */
void device_vdev(const struct device *device, unsigned queues, uint16_t mtu, char text[TEXT_ROOM]);

/** Our MAC address: the settings', or one for a tap, whose own is the kernel's; else zero: the device's. */
void device_mac(const struct settings *s, uint8_t mac[6]);

/** Whether all TCP segments so far have been dropped, and for their checksum alone: a kernel leaves them
 * unfinished on a veth, for a NIC that there is not. */
bool checksums_unfinished(const struct hf_worker *w);

#define CHECKSUMS_UNFINISHED                                                                  \
	"segments come with unfinished checksums: at the sender's end of the veth, `ethtool " \
	"-K IF tx off tso off gso off gro off`"

/* kernel.c */

/** Give the kernel's interface these addresses, an MTU, and bring it up. @return 0 or a negative errno */
int kernel_set(const char *iface, const struct nets *addrs, unsigned mtu, struct hf_error *why);

/** Whether no program has this tap: its kernel would share connections out among them. @return 0; -EBUSY, why says what
 *  would mend it */
int kernel_tap_free(const char *iface, struct hf_error *why);

/** Whether the kernel's interface passes packets of this MTU on. @return 0; -EINVAL, why says what would mend it */
int kernel_carries(const char *iface, unsigned mtu, struct hf_error *why);

/** Whether the kernel has one of our addresses itself. @return 0; -EADDRINUSE, why says where */
int kernel_lacks(const struct settings *s, struct hf_error *why);

/** The number after a word of a file of /proc or /sys, or the file's first. @return 0 when there is none */
uint64_t kernel_number(const char *path, const char *word);

#endif

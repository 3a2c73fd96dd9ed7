/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures by libpcap: classic or pcapng to read, classic to write, microseconds. Called by replay.c,
 * trace.c. */
#include "capfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#define SNAPLEN 65535

struct capfile {
	const char *in_name, *out_name;
	pcap_t *in, *dead; /* dead: what libpcap wants for writing */
	pcap_dumper_t *out;
	enum packet_link link;
};

/* @return whether frames of this type can be read */
static bool link_of(int type, enum packet_link *link)
{
	switch (type) {
	case DLT_EN10MB:
		*link = LINK_ETHERNET;
		return true;
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		*link = LINK_IP;
		return true;
	case DLT_LINUX_SLL:
		*link = LINK_COOKED;
		return true;
	case DLT_NULL:
	case DLT_LOOP:
		*link = LINK_LOOPBACK;
		return true;
	case DLT_LINUX_SLL2:
		*link = LINK_COOKED2;
		return true;
	default:
		return false;
	}
}

/* libpcap's complaints begin with the file's name or do not; ours always do, once. */
static const char *complaint(const char *text, const char *name)
{
	const size_t n = strlen(name);

	return strncmp(text, name, n) == 0 && text[n] == ':' ? text + n + 2 : text;
}

static int open_in(struct capfile *c, struct hf_error *why)
{
	char text[PCAP_ERRBUF_SIZE];
	const char *link;
	int type;

	c->in = pcap_open_offline_with_tstamp_precision(c->in_name, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!c->in) {
		snprintf(why->text, sizeof(why->text), "%.80s: %.160s", c->in_name,
			 complaint(text, c->in_name));
		return -EINVAL;
	}
	type = pcap_datalink(c->in);
	if (!link_of(type, &c->link) || (c->out_name && c->link > LINK_IP)) {
		link = pcap_datalink_val_to_name(type);
		snprintf(why->text, sizeof(why->text),
			 "%.80s: link type %s; Ethernet (EN10MB) and IP (RAW) can be %s",
			 c->in_name, link ? link : "unknown",
			 c->out_name ? "replayed" :
				       "read, cooked (LINUX_SLL) and loopback (NULL) too");
		return -EINVAL;
	}
	return 0;
}

static int open_both(struct capfile *c, struct hf_error *why)
{
	int rc;

	if (strcmp(c->in_name, "-") == 0 || strcmp(c->out_name, "-") == 0) {
		snprintf(why->text, sizeof(why->text), "'-' is no capture; give a file");
		return -EINVAL;
	}
	rc = open_in(c, why);
	if (rc < 0)
		return rc;
	c->dead = pcap_open_dead(pcap_datalink(c->in), SNAPLEN);
	c->out = c->dead ? pcap_dump_open(c->dead, c->out_name) : NULL;
	if (!c->out) {
		snprintf(why->text, sizeof(why->text), "%.80s: %.160s", c->out_name,
			 c->dead ? complaint(pcap_geterr(c->dead), c->out_name) : "no memory");
		return -EINVAL;
	}
	return 0;
}

int capfile_open(const char *in, const char *out, struct capfile **c, struct hf_error *why)
{
	struct capfile *made = calloc(1, sizeof(*made));
	int rc;

	if (!made) {
		snprintf(why->text, sizeof(why->text), "no memory");
		return -EINVAL;
	}
	made->in_name = in;
	made->out_name = out;
	rc = out ? open_both(made, why) : open_in(made, why);
	if (rc < 0) {
		capfile_close(made, &(struct hf_error){ { 0 } });
		return rc;
	}
	*c = made;
	return 0;
}

enum packet_link capfile_link(const struct capfile *c)
{
	return c->link;
}

int capfile_read(struct capfile *c, struct capfile_frame *frame, struct hf_error *why)
{
	struct pcap_pkthdr *header;
	const int rc = pcap_next_ex(c->in, &header, &frame->octets);

	if (rc == PCAP_ERROR_BREAK)
		return 0;
	if (rc != 1 || header->ts.tv_sec < INT32_MIN || header->ts.tv_sec > UINT32_MAX ||
	    header->ts.tv_usec < 0) {
		snprintf(why->text, sizeof(why->text), "%.80s: %.160s", c->in_name,
			 rc == 1 ? "a stamp is not from 1970 to 2106" : pcap_geterr(c->in));
		return -EINVAL;
	}
	/* Seconds are 32 bits without a sign, which libpcap gives one from 2038 on. tv_usec holds nanoseconds: so it was
	 * opened. */
	frame->at_ns =
		(uint64_t)(uint32_t)header->ts.tv_sec * 1000000000 + (uint64_t)header->ts.tv_usec;
	frame->at_us = frame->at_ns / 1000;
	frame->len = header->caplen;
	frame->wire_len = header->len;
	return 1;
}

void capfile_write(struct capfile *c, uint64_t at_us, const void *octets, uint32_t len)
{
	const struct pcap_pkthdr header = {
		.ts = { .tv_sec = (time_t)(at_us / 1000000),
			.tv_usec = (suseconds_t)(at_us % 1000000) },
		.caplen = len,
		.len = len,
	};

	pcap_dump((u_char *)c->out, &header, octets);
}

int capfile_close(struct capfile *c, struct hf_error *why)
{
	int rc = 0;

	if (c->out) {
		if (pcap_dump_flush(c->out) != 0 || ferror(pcap_dump_file(c->out))) {
			snprintf(why->text, sizeof(why->text), "%.80s: %s", c->out_name,
				 strerror(errno));
			rc = -EIO;
		}
		pcap_dump_close(c->out);
	}
	if (c->dead)
		pcap_close(c->dead);
	if (c->in)
		pcap_close(c->in);
	free(c);
	return rc;
}

static bool goes_to(const uint8_t *frame, uint32_t len, const struct hf_ip *ip)
{
	if (ip->version == 4)
		return len >= 34 && frame[12] == 0x08 && frame[13] == 0x00 &&
		       memcmp(frame + 30, ip->octets, 4) == 0;
	return len >= 54 && frame[12] == 0x86 && frame[13] == 0xdd &&
	       memcmp(frame + 38, ip->octets, 16) == 0;
}

bool capfile_stations(const char *in, const struct hf_ip *ips, unsigned n, uint8_t ours[6],
		      uint8_t theirs[6])
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *const file = pcap_open_offline(in, text);
	struct pcap_pkthdr *header;
	const u_char *frame;
	bool found = false;

	while (file && !found && pcap_next_ex(file, &header, &frame) == 1) {
		for (unsigned i = 0; i < n && !found; i++)
			found = goes_to(frame, header->caplen, &ips[i]) && !(frame[0] & 1);
		if (found) {
			memcpy(ours, frame, 6);
			memcpy(theirs, frame + 6, 6);
		}
	}
	if (file)
		pcap_close(file);
	return found;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses, and what rows want beside them: ranges, prefix lengths, ports; MAC addresses. Read and
 * written for value.c, row by row. */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(TEXT_ROOM >= HF_MAX_RANGES * 2 * HF_ADDR_TEXT, "the longest list can be printed");

__attribute__((format(printf, 2, 3))) static int wrong(struct hf_error *why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why->text, sizeof(why->text), format, ap);
	va_end(ap);
	return -EINVAL;
}

/* The last eight octets of an address, or all four. */
static uint64_t low(const struct hf_ip *ip)
{
	uint64_t x = 0;

	for (int i = ip->version == 6 ? 8 : 0; i < (ip->version == 6 ? 16 : 4); i++)
		x = x << 8 | ip->octets[i];
	return x;
}

static bool unspecified(const struct hf_ip *ip)
{
	static const uint8_t zero[16];

	return memcmp(ip->octets, zero, sizeof(zero)) == 0;
}

/* ::1 and ::ffff:0:0/96, which a node alone knows (RFC 4291 2.5.3, 2.5.5.2): others drop them. */
static bool stays_inside(const struct hf_ip *ip)
{
	static const uint8_t loopback[16] = { [15] = 1 }, mapped[12] = { [10] = 0xff, 0xff };

	return memcmp(ip->octets, loopback, sizeof(loopback)) == 0 ||
	       memcmp(ip->octets, mapped, sizeof(mapped)) == 0;
}

/* Whether a connection can have it at one end (MUST-46, MUST-57, MUST-63). */
static bool unicast(const struct hf_ip *ip)
{
	if (ip->version == 6)
		return ip->octets[0] != 0xff && !unspecified(ip) && !stays_inside(ip);
	return ip->octets[0] != 0 && ip->octets[0] != 127 && ip->octets[0] < 224;
}

/* "FIRST-LAST", or one address. @param any  not only what a connection of ours can have */
static int range_parse(const char *text, bool any, struct hf_ip_range *out, struct hf_error *why)
{
	const char *dash = strchr(text, '-');
	struct hf_addr first = { 0 }, last = { 0 };
	char copy[2 * HF_ADDR_TEXT];
	uint64_t span;

	if (strlen(text) >= sizeof(copy))
		return wrong(why, "'%.40s...' is too long for an address", text);
	memcpy(copy, text, strlen(text) + 1);
	if (dash)
		copy[dash - text] = '\0';
	if (hf_addr_parse(copy, &first) < 0 ||
	    hf_addr_parse(dash ? copy + (dash - text) + 1 : copy, &last) < 0 || first.port ||
	    last.port || first.ip.version != last.ip.version)
		return wrong(why, "'%.40s' is no address%s", text, dash ? " range" : "");
	if (!any && (!unicast(&first.ip) || !unicast(&last.ip)))
		return wrong(why, "'%.40s' is not unicast on a wire", text);
	span = low(&last.ip) - low(&first.ip);
	if (low(&last.ip) < low(&first.ip) || span > 65535 ||
	    (first.ip.version == 6 && memcmp(first.ip.octets, last.ip.octets, 8) != 0))
		return wrong(why, "'%.40s' must rise by at most 65535", text);
	out->first = first.ip;
	out->count = (uint32_t)span + 1;
	return 0;
}

/* A row whose field is one struct hf_ip_range, of one version. */
static int parse_range(const struct row *row, const char *text, struct settings *s,
		       struct hf_error *why)
{
	const uint8_t version = row->type == VALUE_ADDRESS6 || row->type == VALUE_RANGE6 ? 6 : 4;
	const bool range = row->type == VALUE_RANGE4 || row->type == VALUE_RANGE6;
	struct hf_ip_range out;
	struct hf_error what;

	memset(&out, 0, sizeof(out)); /* settings are compared octet by octet */
	if (range_parse(text, false, &out, &what) < 0)
		return wrong(why, "%.150s; IPv%u, such as %s", what.text, version, row->preset);
	if (out.first.version != version || (!range && strchr(text, '-')))
		return wrong(why, "'%.40s' is no IPv%u address%s, such as %s", text, version,
			     range ? " or FIRST-LAST" : "", row->preset);
	memcpy((char *)s + row->offset, &out, sizeof(out));
	return 0;
}

/* ---- Lists ------------------------------------------------------------------------------- */

/* All digits, first to last. @return false when it is no such number */
static bool digits(const char *text, unsigned least, unsigned most, unsigned *out)
{
	const size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 5 || text[n])
		return false;
	*out = (unsigned)strtoul(text, NULL, 10);
	return *out >= least && *out <= most;
}

/* ADDR/LEN */
static int prefix_parse(char *text, struct net *net, struct hf_error *why)
{
	char *slash = strchr(text, '/');
	unsigned length;

	if (!slash || strchr(text, '-'))
		return wrong(why, "'%.60s' is no ADDR/LEN, such as 10.99.0.2/24 or fd99::2/64", text);
	*slash = '\0';
	if (range_parse(text, false, &net->range, why) < 0)
		return -EINVAL;
	if (!digits(slash + 1, 1, net->range.first.version == 6 ? 128 : 32, &length))
		return wrong(why, "'/%.20s' is no prefix length of %.60s", slash + 1, text);
	net->length = (uint8_t)length;
	return 0;
}

/* ADDR:PORT, and for a listener ADDR:PORT-PORT and any address. */
static int endpoint_parse(char *text, bool listener, struct net *net, struct hf_error *why)
{
	char *dash = strchr(text, '-');
	struct hf_addr addr;
	unsigned last = 0;

	if (dash)
		*dash = '\0';
	if (hf_addr_parse(text, &addr) < 0 || addr.port == 0 || (dash && !listener) ||
	    (dash && !digits(dash + 1, addr.port, 65535, &last)))
		return wrong(why,
			     "'%.60s%s%.10s' is no ADDR:PORT%s, such as 10.99.0.2:80 or [fd99::2]:80",
			     text, dash ? "-" : "", dash ? dash + 1 : "", listener ? "[-PORT]" : "");
	if (!unicast(&addr.ip) && !(listener && unspecified(&addr.ip)))
		return wrong(why, "'%.60s' is not unicast on a wire", text);
	net->range.first = addr.ip;
	net->range.count = 1;
	net->port = addr.port;
	net->port_last = dash ? (uint16_t)last : addr.port;
	return 0;
}

static int item_parse(const struct row *row, char *text, struct net *net, struct hf_error *why)
{
	const bool any = row->commands == COMMAND_TRACE; /* a capture may be the loopback's */

	if (row->type == VALUE_PREFIXES)
		return prefix_parse(text, net, why);
	if (row->type == VALUE_LISTENS || row->type == VALUE_TARGETS)
		return endpoint_parse(text, row->type == VALUE_LISTENS, net, why);
	if (row->type == VALUE_HOSTS && strchr(text, '-'))
		return wrong(why, "'%.60s' is no address", text);
	return range_parse(text, any, &net->range, why);
}

/* The item without the blanks around it. */
static char *strip(char *item)
{
	size_t n;

	item += strspn(item, " ");
	for (n = strlen(item); n > 0 && item[n - 1] == ' ';)
		item[--n] = '\0';
	return item;
}

static int parse_list(const struct row *row, const char *text, struct settings *s,
		      struct hf_error *why)
{
	char copy[2 * TEXT_ROOM], *rest = copy, *item;
	struct nets nets;

	if (strlen(text) >= sizeof(copy))
		return wrong(why, "'%.40s...' is too long; at most %zu octets", text,
			     sizeof(copy) - 1);
	memset(&nets, 0, sizeof(nets));
	memcpy(copy, text, strlen(text) + 1);
	while ((item = strsep(&rest, ",")) != NULL) {
		item = strip(item);
		if (!item[0] && !nets.count && !rest)
			break; /* an empty list */
		if (nets.count == row->max)
			return wrong(why, "no more than %u can be given", (unsigned)row->max);
		if (strchr(item, ' '))
			return wrong(why, "'%.60s' holds a blank; separate by commas", item);
		if (item_parse(row, item, &nets.at[nets.count++], why) < 0)
			return -EINVAL;
	}
	memcpy((char *)s + row->offset, &nets, sizeof(nets));
	return 0;
}

/* Six times one or two hex digits, by colons. */
static bool mac_read(const char *text, uint8_t mac[6])
{
	for (unsigned i = 0; i < 6; i++) {
		const size_t n = strspn(text, "0123456789abcdefABCDEF");

		if (n < 1 || n > 2 || text[n] != (i < 5 ? ':' : '\0'))
			return false;
		mac[i] = (uint8_t)strtoul(text, NULL, 16);
		text += n + 1;
	}
	return true;
}

/* All zeros stand for the device's. */
static bool mac_given(const uint8_t mac[6])
{
	return (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]) != 0;
}

static int parse_mac(const struct row *row, const char *text, struct settings *s, struct hf_error *why)
{
	uint8_t mac[6] = { 0 };

	if (text[0] && (!mac_read(text, mac) || mac[0] & 1 || !mac_given(mac)))
		return wrong(why, "'%.40s' is no station's MAC address, such as 02:00:00:00:00:02",
			     text);
	memcpy((char *)s + row->offset, mac, sizeof(mac));
	return 0;
}

int address_parse(const struct row *row, const char *text, struct settings *s, struct hf_error *why)
{
	if (row->type == VALUE_MAC)
		return parse_mac(row, text, s, why);
	return value_is_list(row) ? parse_list(row, text, s, why) : parse_range(row, text, s, why);
}

/* ---- As text ----------------------------------------------------------------------------- */

static void range_format(const struct hf_ip_range *range, char text[2 * HF_ADDR_TEXT])
{
	struct hf_addr first = { .ip = range->first }, last = first;
	const int end = range->first.version == 6 ? 16 : 4;
	uint64_t x = low(&range->first) + range->count - 1;
	char a[HF_ADDR_TEXT], b[HF_ADDR_TEXT];

	for (int i = end - 1; i >= (end == 16 ? 8 : 0); i--, x >>= 8)
		last.ip.octets[i] = (uint8_t)x;
	hf_addr_format(&first, a);
	snprintf(text, (size_t)2 * HF_ADDR_TEXT, "%s%s%s", a, range->count > 1 ? "-" : "",
		 range->count > 1 ? hf_addr_format(&last, b) : "");
}

static void item_format(const struct net *net, char text[2 * HF_ADDR_TEXT])
{
	const size_t room = (size_t)2 * HF_ADDR_TEXT;
	const struct hf_addr addr = { .ip = net->range.first, .port = net->port };
	char a[2 * HF_ADDR_TEXT];

	hf_addr_format(&addr, a);
	if (net->length)
		snprintf(text, room, "%.60s/%u", a, net->length);
	else if (net->port_last > net->port)
		snprintf(text, room, "%.60s-%u", a, net->port_last);
	else if (net->port)
		snprintf(text, room, "%.60s", a);
	else
		range_format(&net->range, text);
}

void address_format(const struct row *row, const struct settings *s, char text[TEXT_ROOM])
{
	const void *field = (const char *)s + row->offset;
	const struct nets *nets = field;
	const uint8_t *mac = field;
	char item[2 * HF_ADDR_TEXT];
	size_t n = 0;

	text[0] = '\0';
	if (row->type == VALUE_MAC) {
		if (mac_given(mac))
			snprintf(text, TEXT_ROOM, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
				 mac[2], mac[3], mac[4], mac[5]);
		return;
	}
	if (!value_is_list(row)) {
		range_format(field, item);
		snprintf(text, TEXT_ROOM, "%s", item);
		return;
	}
	for (uint32_t i = 0; i < nets->count; i++) {
		item_format(&nets->at[i], item);
		n += (size_t)snprintf(text + n, TEXT_ROOM - n, "%s%s", i ? "," : "", item);
	}
}

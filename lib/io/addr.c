/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses as text (RFC 4291 2.2, RFC 3986 3.2.2), names of states (RFC 9293 3.3.2), the version.
 * Public calls only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "handfast.h"

#define PORT_DIGITS 5

/* One to five digits and nothing else, at most 65535. */
static int port_parse(const char *text, uint16_t *port)
{
	const size_t digits = strspn(text, "0123456789");
	uint32_t value = 0;

	if (digits == 0 || digits > PORT_DIGITS || text[digits] != '\0')
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		value = 10 * value + (uint32_t)(text[i] - '0');
	if (value > UINT16_MAX)
		return -EINVAL;
	*port = (uint16_t)value;
	return 0;
}

static int ip_parse(const char *text, size_t len, uint8_t version, struct hf_ip *ip)
{
	char copy[INET6_ADDRSTRLEN];

	if (len >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	memset(ip, 0, sizeof(*ip));
	ip->version = version;
	return inet_pton(version == 4 ? AF_INET : AF_INET6, copy, ip->octets) == 1 ? 0 : -EINVAL;
}

int hf_addr_parse(const char *text, struct hf_addr *out)
{
	const char *colon = strchr(text, ':');
	struct hf_addr addr = { .port = 0 };
	const char *port = NULL;
	int error;

	if (text[0] == '[') {
		const char *end = strchr(text, ']');

		if (end == NULL || end[1] != ':')
			return -EINVAL;
		port = end + 2;
		error = ip_parse(text + 1, (size_t)(end - text - 1), 6, &addr.ip);
	} else if (colon != NULL && strchr(colon + 1, ':') != NULL) {
		error = ip_parse(text, strlen(text), 6, &addr.ip);
	} else {
		port = colon == NULL ? NULL : colon + 1;
		error = ip_parse(text, strcspn(text, ":"), 4, &addr.ip);
	}
	if (error == 0 && port != NULL)
		error = port_parse(port, &addr.port);
	if (error == 0)
		*out = addr;
	return error;
}

char *hf_addr_format(const struct hf_addr *addr, char text[HF_ADDR_TEXT])
{
	const bool v6 = addr->ip.version == 6;
	char ip[INET6_ADDRSTRLEN] = "";

	inet_ntop(v6 ? AF_INET6 : AF_INET, addr->ip.octets, ip, sizeof(ip));
	if (addr->port == 0)
		snprintf(text, HF_ADDR_TEXT, "%s", ip);
	else
		snprintf(text, HF_ADDR_TEXT, v6 ? "[%s]:%u" : "%s:%u", ip, addr->port);
	return text;
}

const char *hf_state_name(enum hf_state state)
{
	static const char *const names[HF_STATES] = {
		[HF_CLOSED] = "CLOSED",		  [HF_LISTEN] = "LISTEN",
		[HF_SYN_SENT] = "SYN-SENT",	  [HF_SYN_RECEIVED] = "SYN-RECEIVED",
		[HF_ESTABLISHED] = "ESTABLISHED", [HF_FIN_WAIT_1] = "FIN-WAIT-1",
		[HF_FIN_WAIT_2] = "FIN-WAIT-2",	  [HF_CLOSE_WAIT] = "CLOSE-WAIT",
		[HF_CLOSING] = "CLOSING",	  [HF_LAST_ACK] = "LAST-ACK",
		[HF_TIME_WAIT] = "TIME-WAIT",
	};

	return (unsigned)state < HF_STATES ? names[state] : "UNKNOWN";
}

const char *hf_version(void)
{
	return HF_VERSION;
}

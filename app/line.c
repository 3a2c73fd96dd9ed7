/* SPDX-License-Identifier: BSD-3-Clause */
/* tcpdump's line of a TCP segment. Its exact form is tcpdump's business: tests/interop/test_trace.py compares. */
#include "line.h"

#include <time.h>

/* Option kinds (IANA) that tcpdump spells out and this program speaks; others are shown in hexadecimal. */
enum kind {
	KIND_EOL,
	KIND_NOP,
	KIND_MSS,
	KIND_WSCALE,
	KIND_SACK_OK,
	KIND_SACK,
	KIND_TS = 8,
	KIND_TFO = 34
};

static uint32_t number(const uint8_t *p, unsigned octets)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < octets; i++)
		n = n << 8 | p[i];
	return n;
}

void line_stamp(FILE *out, uint64_t at_ns)
{
	const time_t at = (time_t)(at_ns / 1000000000);
	struct tm tm = { 0 };

	localtime_r(&at, &tm);
	fprintf(out, "%02d:%02d:%02d.%06u", tm.tm_hour, tm.tm_min, tm.tm_sec,
		(unsigned)(at_ns % 1000000000 / 1000));
}

static void print_socket(FILE *out, const struct hf_addr *addr)
{
	char text[HF_ADDR_TEXT];

	fprintf(out, "%s.%u", hf_addr_format(&(struct hf_addr){ .ip = addr->ip }, text), addr->port);
}

static void print_flags(FILE *out, uint8_t flags)
{
	static const char letters[] = "FSRP.UEW";

	fputs("Flags [", out);
	for (unsigned i = 0; i < 8; i++)
		if (flags & 1u << i)
			putc(letters[i], out);
	fputs(flags ? "]" : "none]", out);
}

static void print_sacks(FILE *out, const uint8_t *blocks, unsigned octets, uint32_t base)
{
	fprintf(out, "sack %u ", octets / 8);
	for (unsigned i = 0; i + 8 <= octets; i += 8)
		fprintf(out, "{%u:%u}", number(blocks + i, 4) - base,
			number(blocks + i + 4, 4) - base);
}

static void print_octets(FILE *out, const uint8_t *value, unsigned octets)
{
	for (unsigned i = 0; i < octets; i++)
		fprintf(out, "%02x", value[i]);
}

/* One option behind kind and length. @return whether its length was right */
static bool print_option(FILE *out, uint8_t kind, const uint8_t *value, unsigned octets,
			 uint32_t sack_base)
{
	switch (kind) {
	case KIND_MSS:
		fprintf(out, "mss %u", octets == 2 ? number(value, 2) : 0);
		return octets == 2;
	case KIND_WSCALE:
		fprintf(out, "wscale %u", octets == 1 ? value[0] : 0u);
		return octets == 1;
	case KIND_SACK_OK:
		fputs("sackOK", out);
		return octets == 0;
	case KIND_SACK:
		if (octets % 8 != 0 || octets == 0)
			fputs("sack invalid sack", out);
		else
			print_sacks(out, value, octets, sack_base);
		return true;
	case KIND_TS:
		if (octets == 8)
			fprintf(out, "TS val %u ecr %u", number(value, 4), number(value + 4, 4));
		else
			fputs("TS", out);
		return octets == 8;
	case KIND_TFO:
		fputs(octets == 0 ? "tfo  cookiereq" : "tfo  cookie ", out);
		print_octets(out, value, octets);
		return octets == 0 || (octets % 2 == 0 && octets >= 4 && octets <= 16);
	default:
		break;
	}
	fprintf(out, "unknown-%u%s", kind, octets == 0 ? "" : " 0x");
	print_octets(out, value, octets);
	return true;
}

/* RFC 9293 3.1: kinds 0 and 1 are one octet, all others tell their length. */
static void print_options(FILE *out, const struct packet *p, uint32_t sack_base)
{
	const uint8_t *const at = p->options;
	const bool cut = p->options_here < p->options_len; /* by the capture */
	unsigned i = 0;

	fputs(", options [", out);
	while (i < p->options_here) {
		const uint8_t kind = at[i];
		const unsigned len = kind <= KIND_NOP ? 1 : i + 1 < p->options_here ? at[i + 1] : 0;

		if (i > 0)
			putc(',', out);
		if (kind <= KIND_NOP) {
			fputs(kind == KIND_EOL ? "eol" : "nop", out);
			if (kind == KIND_EOL)
				break;
		} else if (cut && (i + 1 >= p->options_here || i + len > p->options_here)) {
			fputs("[|tcp]]", out);
			return;
		} else if (len < 2 || i + len > p->options_here) {
			fputs("[bad opt]", out);
			break;
		} else if (!print_option(out, kind, at + i + 2, len - 2, sack_base)) {
			fprintf(out, "[len %u]", len);
		}
		i += len;
	}
	fputs(!cut ? "]" : i > 0 ? ",[|tcp]]" : "[|tcp]]", out);
}

void line_print(FILE *out, const struct packet *p, const struct line_base *base)
{
	const uint32_t seq = p->seq - base->seq;

	line_stamp(out, p->at_ns);
	fputs(p->src.ip.version == 6 ? " IP6 " : " IP ", out);
	print_socket(out, &p->src);
	fputs(" > ", out);
	print_socket(out, &p->dst);
	fputs(": ", out);
	print_flags(out, p->flags);
	if (p->len > 0)
		fprintf(out, ", seq %u:%u", seq, seq + p->len);
	else if (p->flags & (FLAG_SYN | FLAG_FIN | FLAG_RST))
		fprintf(out, ", seq %u", seq);
	if (p->flags & FLAG_ACK)
		fprintf(out, ", ack %u", p->ack - base->ack);
	fprintf(out, ", win %u", p->window);
	if (p->flags & FLAG_URG)
		fprintf(out, ", urg %u", p->urgent);
	if (p->options_len > 0)
		print_options(out, p, base->sack);
	fprintf(out, ", length %u", p->len);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames built and verified octet by octet; see frame.h. Slow and plain on purpose. */
#include "rig/frame.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ETHER 14
#define TCP 6

enum kind {
	KIND_EOL,
	KIND_NOP,
	KIND_MSS,
	KIND_WSCALE,
	KIND_SACK_PERMITTED,
	KIND_SACK,
	KIND_TS = 8,
};

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* RFC 1071, two octets at a time, an odd last one padded with zero. */
static uint32_t sum_octets(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += (uint32_t)p[i] << (i & 1 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Of the IP packet at ip, whose segment is len octets long (RFC 9293 3.1). */
static uint32_t sum_pseudo(const uint8_t *ip, size_t len)
{
	const uint8_t tail[4] = { 0, TCP, (uint8_t)(len >> 8), (uint8_t)len };
	uint32_t sum;

	if (ip[0] >> 4 == 4)
		sum = sum_octets(0, ip + 12, 8);
	else
		sum = sum_octets(0, ip + 8, 32);
	return sum_octets(sum, tail, 4);
}

static size_t put_options(uint8_t *p, const struct seg *seg)
{
	size_t n = 0;

	if (seg->options & OPT_MSS) {
		p[n] = KIND_MSS, p[n + 1] = 4;
		put16(p + n + 2, seg->mss);
		n += 4;
	}
	if (seg->options & OPT_SACK_PERMITTED) {
		p[n] = KIND_SACK_PERMITTED, p[n + 1] = 2;
		n += 2;
	}
	if (seg->options & OPT_TS) {
		p[n] = KIND_TS, p[n + 1] = 10;
		put32(p + n + 2, seg->tsval);
		put32(p + n + 6, seg->tsecr);
		n += 10;
	}
	if (seg->options & OPT_WSCALE) {
		p[n] = KIND_NOP, p[n + 1] = KIND_WSCALE, p[n + 2] = 3, p[n + 3] = seg->wscale;
		n += 4;
	}
	if (seg->options & OPT_SACK) {
		p[n] = KIND_SACK, p[n + 1] = (uint8_t)(2 + 8 * seg->sacks);
		n += 2;
		for (unsigned i = 0; i < seg->sacks; i++, n += 8) {
			put32(p + n, seg->sack[i].left);
			put32(p + n + 4, seg->sack[i].right);
		}
	}
	assert(n <= 40);
	return n;
}

static uint8_t ecn_of(const struct seg *seg)
{
	return seg->options & OPT_CE ? ECN_CE : seg->options & OPT_ECT ? ECN_ECT0 : 0;
}

static size_t put_ip(uint8_t *p, const struct frame_form *form, const struct hf_addr *src,
		     const struct hf_addr *dst, size_t len, uint8_t tos)
{
	if (src->ip.version == 4) {
		p[0] = 0x45;
		p[1] = tos;
		put16(p + 2, (unsigned)(20 + len));
		put16(p + 6, 0x4000);
		p[8] = form->ttl;
		p[9] = TCP;
		memcpy(p + 12, src->ip.octets, 4);
		memcpy(p + 16, dst->ip.octets, 4);
		return 20;
	}
	p[0] = 0x60;
	p[1] = (uint8_t)(tos << 4);
	put16(p + 4, (unsigned)len);
	p[6] = TCP;
	p[7] = form->ttl;
	memcpy(p + 8, src->ip.octets, 16);
	memcpy(p + 24, dst->ip.octets, 16);
	return 40;
}

size_t frame_build(uint8_t raw[FRAME_MAX], const struct frame_form *form, const struct hf_addr *src,
		   const struct hf_addr *dst, const struct seg *seg, const uint8_t *text,
		   const uint8_t *options, size_t options_len)
{
	uint8_t tcp[20 + 40] = { 0 };
	size_t n = 0, header;

	if (options_len != 0)
		memcpy(tcp + 20, options, options_len);
	else
		options_len = put_options(tcp + 20, seg);
	header = 20 + (options_len + 3) / 4 * 4;
	put16(tcp, src->port);
	put16(tcp + 2, dst->port);
	put32(tcp + 4, seg->seq);
	put32(tcp + 8, seg->ack);
	tcp[12] = (uint8_t)(header / 4 << 4);
	tcp[13] = seg->flags;
	put16(tcp + 14, seg->wnd);
	put16(tcp + 18, seg->up);

	memset(raw, 0, FRAME_MAX);
	if (form->l2) {
		memcpy(raw, form->to, 6);
		memcpy(raw + 6, form->from, 6);
		put16(raw + 12, src->ip.version == 4 ? 0x0800 : 0x86dd);
		n = ETHER;
	}
	n += put_ip(raw + n, form, src, dst, header + seg->text_len, ecn_of(seg));
	assert(n + header + seg->text_len <= FRAME_MAX);
	memcpy(raw + n, tcp, header);
	if (seg->text_len != 0)
		memcpy(raw + n + header, text, seg->text_len);
	n += header + seg->text_len;
	frame_seal(raw, n, form);
	return n;
}

void frame_seal(uint8_t *raw, size_t len, const struct frame_form *form)
{
	uint8_t *ip = raw + (form->l2 ? ETHER : 0);
	size_t header = 40;
	uint8_t *tcp;

	if (ip[0] >> 4 == 4) {
		header = (ip[0] & 15u) * 4;
		put16(ip + 10, 0);
		put16(ip + 10, ~sum_octets(0, ip, header) & 0xffff);
	}
	tcp = ip + header;
	len = (size_t)(raw + len - tcp);
	put16(tcp + 16, 0);
	put16(tcp + 16, ~sum_octets(sum_pseudo(ip, len), tcp, len) & 0xffff);
}

static const char *parse_ip4(struct frame *f, const struct frame_form *form)
{
	const uint8_t *ip = f->raw + f->ip;
	const size_t len = f->len - f->ip;

	if (len < 20 || ip[0] != 0x45)
		return "IPv4: version or IHL";
	if (ip[1] != 0 && !form->ecn)
		return "IPv4: type of service is not 0";
	f->tos = ip[1];
	if (get16(ip + 2) != len)
		return "IPv4: total length is not the frame's";
	if (get16(ip + 4) != 0)
		return "IPv4: ID is not 0 (RFC 6864)";
	if (get16(ip + 6) != 0x4000)
		return "IPv4: DF alone should be set (RFC 1191)";
	if (ip[8] != form->ttl)
		return "IPv4: TTL (MUST-49)";
	if (sum_octets(0, ip, 20) != 0xffff && !(form->sum_offload && get16(ip + 10) == 0))
		return "IPv4: header checksum";
	f->src.ip.version = f->dst.ip.version = 4;
	memcpy(f->src.ip.octets, ip + 12, 4);
	memcpy(f->dst.ip.octets, ip + 16, 4);
	if (ip[9] == TCP)
		f->tcp = f->ip + 20;
	return NULL;
}

static const char *parse_ip6(struct frame *f, const struct frame_form *form)
{
	const uint8_t *ip = f->raw + f->ip;
	const size_t len = f->len - f->ip;

	if (len < 40 || ip[0] != 0x60 || (ip[1] != 0 && !form->ecn))
		return "IPv6: version or traffic class";
	f->tos = ip[1] >> 4;
	if (get16(ip + 4) != len - 40)
		return "IPv6: payload length is not the frame's";
	if (ip[6] == TCP && ip[7] != form->ttl)
		return "IPv6: hop limit (MUST-49)";
	f->src.ip.version = f->dst.ip.version = 6;
	memcpy(f->src.ip.octets, ip + 8, 16);
	memcpy(f->dst.ip.octets, ip + 24, 16);
	if (ip[6] == TCP)
		f->tcp = f->ip + 40;
	return NULL;
}

static const char *parse_option(struct seg *seg, const uint8_t *p, unsigned len)
{
	const bool syn = seg->flags & SEG_SYN;
	unsigned bit = 0, want = 0;

	switch (p[0]) {
	case KIND_MSS:
		bit = OPT_MSS, want = 4;
		break;
	case KIND_WSCALE:
		bit = OPT_WSCALE, want = 3;
		break;
	case KIND_SACK_PERMITTED:
		bit = OPT_SACK_PERMITTED, want = 2;
		break;
	case KIND_TS:
		bit = OPT_TS, want = 10;
		break;
	case KIND_SACK:
		bit = OPT_SACK, want = len == 10 || len == 18 || len == 26 || len == 34 ? len : 0;
		break;
	default:
		return "option of a kind we never send";
	}
	if (len != want)
		return "option length";
	if (seg->options & bit)
		return "option twice";
	if (!syn && (bit & (OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED)))
		return "option of SYNs without SYN (MUST-65, RFC 7323 2.2, RFC 2018 2)";
	seg->options |= (uint8_t)bit;
	if (bit == OPT_MSS)
		seg->mss = (uint16_t)get16(p + 2);
	if (bit == OPT_WSCALE)
		seg->wscale = p[2];
	if (bit == OPT_TS) {
		seg->tsval = get32(p + 2);
		seg->tsecr = get32(p + 6);
	}
	if (bit == OPT_SACK) {
		seg->sacks = (uint8_t)((len - 2) / 8);
		for (unsigned i = 0; i < seg->sacks; i++) {
			seg->sack[i].left = get32(p + 2 + 8 * (size_t)i);
			seg->sack[i].right = get32(p + 6 + 8 * (size_t)i);
		}
	}
	return NULL;
}

static const char *parse_options(const struct frame_form *form, struct seg *seg, const uint8_t *p,
				 const uint8_t *end)
{
	const char *wrong;

	while (p < end) {
		if (*p == KIND_EOL) {
			for (; p < end; p++)
				if (*p != 0)
					return "header padding is not zero (MUST-69)";
			break;
		}
		if (*p == KIND_NOP) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p)
			return "option passes the header's end";
		wrong = parse_option(seg, p, p[1]);
		if (wrong)
			return wrong;
		p += p[1];
	}
	if (!(seg->options & OPT_MSS) != (!(seg->flags & SEG_SYN) || form->no_mss))
		return "SYN without MSS (SHLD-5), or with it where tcp.mss_option is off";
	if (seg->options & OPT_WSCALE && seg->wscale > 14)
		return "window scale above 14";
	return NULL;
}

static const char *parse_tcp(struct frame *f, const struct frame_form *form)
{
	const uint8_t *ip = f->raw + f->ip, *tcp = f->raw + f->tcp;
	const size_t len = f->len - f->tcp;
	const size_t header = len < 20 ? 0 : (size_t)(tcp[12] >> 4) * 4;
	struct seg *seg = &f->seg;

	if (header < 20 || header > len)
		return "TCP: data offset";
	if (form->sum_offload ? get16(tcp + 16) != sum_pseudo(ip, len) :
				sum_octets(sum_pseudo(ip, len), tcp, len) != 0xffff)
		return "TCP: checksum (MUST-2)";
	if (tcp[12] & 15)
		return "TCP: reserved bits";
	f->src.port = (uint16_t)get16(tcp);
	f->dst.port = (uint16_t)get16(tcp + 2);
	f->text = f->tcp + header;
	*seg = (struct seg){
		.seq = get32(tcp + 4),
		.ack = get32(tcp + 8),
		.wnd = (uint16_t)get16(tcp + 14),
		.up = (uint16_t)get16(tcp + 18),
		.text_len = (uint16_t)(f->len - f->text),
		.flags = tcp[13],
	};
	seg->len = seg->text_len + (seg->flags & SEG_SYN ? 1u : 0) + (seg->flags & SEG_FIN ? 1u : 0);
	if (f->src.port == 0 || f->dst.port == 0)
		return "TCP: port 0";
	if (seg->flags & (SEG_ECE | SEG_CWR) && !form->ecn)
		return "TCP: ECN was not negotiated";
	if (f->tos != 0 && (f->tos != ECN_ECT0 || seg->text_len == 0))
		return "type of service is not 0, nor ECT(0) on text (RFC 3168 6.1)";
	if (f->tos == ECN_ECT0)
		seg->options |= OPT_ECT;
	if (!(seg->flags & (SEG_SYN | SEG_RST | SEG_ACK)))
		return "TCP: none of SYN, RST, ACK";
	if (!!(seg->flags & SEG_SYN) + !!(seg->flags & SEG_RST) + !!(seg->flags & SEG_FIN) > 1)
		return "TCP: more than one of SYN, RST, FIN";
	if (!(seg->flags & SEG_URG) && seg->up != 0)
		return "TCP: urgent pointer without URG";
	if (!(seg->flags & SEG_ACK) && seg->ack != 0)
		return "TCP: acknowledgment number without ACK";
	if (seg->flags & (SEG_SYN | SEG_RST) && seg->text_len != 0)
		return "TCP: SYN or RST with text";
	return parse_options(form, seg, tcp + 20, tcp + header);
}

const char *frame_parse(struct frame *f, const struct frame_form *form)
{
	const char *wrong;
	unsigned type;

	memset(&f->src, 0, sizeof(f->src));
	memset(&f->dst, 0, sizeof(f->dst));
	memset(&f->seg, 0, sizeof(f->seg));
	f->ip = f->tcp = f->text = 0;
	if (form->l2) {
		if (f->len < ETHER)
			return "Ethernet: too short";
		if ((!form->any_to && memcmp(f->raw, form->to, 6) != 0) ||
		    memcmp(f->raw + 6, form->from, 6) != 0)
			return "Ethernet: addresses";
		f->ip = ETHER;
		type = get16(f->raw + 12);
		if (type != 0x0800 && type != 0x86dd)
			return NULL;
	}
	if (f->len > f->ip && f->raw[f->ip] >> 4 == 4)
		wrong = parse_ip4(f, form);
	else
		wrong = parse_ip6(f, form);
	if (!wrong && f->tcp != 0)
		wrong = parse_tcp(f, form);
	return wrong;
}

__attribute__((format(printf, 4, 5))) static void add(char *text, size_t room, size_t *n,
						      const char *format, ...)
{
	va_list args;
	int k;

	va_start(args, format);
	k = vsnprintf(text + *n, room - *n, format, args);
	va_end(args);
	if (k > 0)
		*n = *n + (size_t)k < room ? *n + (size_t)k : room - 1;
}

char *frame_describe(char *text, size_t room, const struct seg *seg)
{
	static const char *const names[] = { "FIN ", "SYN ", "RST ", "PSH ",
					     "ACK ", "URG ", "ECE ", "CWR " };
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < 8; i++)
		if (seg->flags & 1u << i)
			add(text, room, &n, "%s", names[i]);
	add(text, room, &n, "seq %u ack %u wnd %u", seg->seq, seg->ack, seg->wnd);
	if (seg->text_len)
		add(text, room, &n, " text %u", seg->text_len);
	if (seg->options & OPT_MSS)
		add(text, room, &n, " mss %u", seg->mss);
	if (seg->options & OPT_WSCALE)
		add(text, room, &n, " wscale %u", seg->wscale);
	if (seg->options & OPT_SACK_PERMITTED)
		add(text, room, &n, " sack-permitted");
	if (seg->options & OPT_TS)
		add(text, room, &n, " ts %u/%u", seg->tsval, seg->tsecr);
	for (unsigned i = 0; i < seg->sacks; i++)
		add(text, room, &n, " sack %u-%u", seg->sack[i].left, seg->sack[i].right);
	return text;
}

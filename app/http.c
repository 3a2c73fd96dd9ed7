/* SPDX-License-Identifier: BSD-3-Clause */
/* HTTP/1.1 messages by http_parser, which allocates nothing and takes pieces of any length. Called by
 * app_http.c. RFC 9110, RFC 9112. */
#include "http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static int take_begin(http_parser *parser)
{
	struct http *http = parser->data;

	http->begun = true;
	return 0;
}

static int take_url(http_parser *parser, const char *text, size_t len)
{
	struct http *http = parser->data;

	http->too_long = len > sizeof(http->target) - http->url;
	if (http->too_long)
		return 1;
	memcpy(http->target + http->url, text, len);
	http->url += (uint32_t)len;
	return 0;
}

static int take_field(http_parser *parser, const char *text, size_t len)
{
	struct http *http = parser->data;

	if (http->in_value)
		http->field_len = 0;
	http->in_value = false;
	if (parser->type == HTTP_REQUEST && memchr(text, ' ', len)) /* before the colon: RFC 9112 5.1 */
		return 1;
	for (size_t i = 0; i < len && http->field_len < sizeof(http->field); i++)
		http->field[http->field_len++] = text[i];
	return 0;
}

static bool field_is(const struct http *http, const char *name)
{
	return http->field_len == strlen(name) &&
	       strncasecmp(http->field, name, http->field_len) == 0;
}

static int take_value(http_parser *parser, const char *text, size_t len)
{
	struct http *http = parser->data;

	(void)text, (void)len;
	if (!http->in_value && field_is(http, "host") && http->hosts < UINT8_MAX)
		http->hosts++;
	if (!http->in_value && field_is(http, "expect"))
		http->expects = true;
	http->in_value = true;
	return 0;
}

/* Answers that end with their head, whatever length they tell (RFC 9112 6.3). */
static bool bodiless(const http_parser *parser)
{
	const unsigned status = parser->type == HTTP_RESPONSE ? parser->status_code : 0;

	return status / 100 == 1 || status == 204 || status == 304;
}

static int take_headers(http_parser *parser)
{
	struct http *http = parser->data;

	http->headed = true;
	http->too_large =
		parser->content_length != UINT64_MAX && parser->content_length > http->body_max;
	return http->too_large ? -1 : bodiless(parser);
}

static int take_body(http_parser *parser, const char *text, size_t len)
{
	struct http *http = parser->data;

	(void)text;
	http->body += len;
	http->too_large = http->body > http->body_max;
	return http->too_large ? -1 : 0;
}

/* Stop here: what follows is the next message. */
static int take_end(http_parser *parser)
{
	struct http *http = parser->data;

	http->complete = true;
	http->persists = http_should_keep_alive(parser) && !parser->upgrade;
	http_parser_pause(parser, 1);
	return 0;
}

void http_begin(struct http *http, enum http_kind kind, uint64_t body_max)
{
	memset(http, 0, offsetof(struct http, field));
	http_parser_init(&http->parser, kind == HTTP_KIND_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE);
	http->parser.data = http;
	http->body_max = body_max;
}

size_t http_take(struct http *http, const char *text, size_t len)
{
	static const http_parser_settings settings = {
		.on_message_begin = take_begin,
		.on_url = take_url,
		.on_header_field = take_field,
		.on_header_value = take_value,
		.on_headers_complete = take_headers,
		.on_body = take_body,
		.on_message_complete = take_end,
	};

	return http_parser_execute(&http->parser, &settings, text, len);
}

bool http_malformed(const struct http *http)
{
	return !http->complete && HTTP_PARSER_ERRNO(&http->parser) != HPE_OK;
}

bool http_expects(struct http *http)
{
	const bool waits = http->expects && http->headed && !http->complete &&
			   !http_malformed(http) && http->body == 0 && http->parser.http_minor > 0;

	if (waits)
		http->expects = false;
	return waits;
}

unsigned http_verdict(const struct http *http)
{
	const struct http_parser *p = &http->parser;

	if (http->too_large)
		return 413;
	if (http->too_long)
		return 414;
	if (HTTP_PARSER_ERRNO(p) == HPE_HEADER_OVERFLOW)
		return 431;
	if (!http->complete)
		return 400;
	if (p->http_major != 1)
		return 505;
	if (http->hosts > 1 || (http->hosts == 0 && p->http_minor > 0))
		return 400;
	if (p->method != HTTP_GET && p->method != HTTP_HEAD && p->method != HTTP_POST)
		return 405;
	return 200;
}

const char *http_reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 431, "Request Header Fields Too Large" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Bad Request";
}

/* No Date: this server has no clock that it would vouch for (RFC 9110 6.6.1). */
size_t http_head(char room[HTTP_HEAD_ROOM], unsigned status, const char *type, uint64_t length,
		 bool persists)
{
	const int len = snprintf(room, HTTP_HEAD_ROOM,
				 "HTTP/1.1 %u %s\r\nServer: handfast\r\nContent-Type: %s\r\n"
				 "Content-Length: %llu\r\n%sConnection: %s\r\n\r\n",
				 status, http_reason(status), type, (unsigned long long)length,
				 status == 405 ? "Allow: GET, HEAD, POST\r\n" : "",
				 persists ? "keep-alive" : "close");

	return (size_t)len;
}
